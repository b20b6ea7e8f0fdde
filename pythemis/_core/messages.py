# SPDX-License-Identifier: Apache-2.0
"""Secure Message."""

from __future__ import annotations

from functools import lru_cache

from pythemis._themis import ffi, lib

from . import late
from .arguments import ENCRYPTED, MESSAGE, PRIVATE, PUBLIC, SIGNED, Argument
from .buffers import (
    BYTES,
    SIZE,
    copied,
    new_output,
    returns_output,
    view,
)
from .errors import (
    FAIL,
    INVALID_PARAMETER,
    INVALID_SIGNATURE,
    MESSAGE_MAX,
    SUCCESS,
    Errors,
    failed,
    wrong_size,
)
from .keys import inspect, key_error, quick_to_read, view_of_key
from .owner import Owner, kept, opened, places, refuse_closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pythemis._hints import Buffer

    from .secret import Key

_message = places("message")
_SIGNED_HEADER_SIZE: int = lib.THEMIS_SIGNED_HEADER_SIZE

# What `recognise.Kind` calls the messages that are taken.
_KINDS = {
    lib.THEMIS_MESSAGE_EC_SIGNED: "EC_SIGNED",
    lib.THEMIS_MESSAGE_RSA_SIGNED: "RSA_SIGNED",
    lib.THEMIS_MESSAGE_EC_ENCRYPTED: "EC_ENCRYPTED",
    lib.THEMIS_MESSAGE_RSA_ENCRYPTED: "RSA_ENCRYPTED",
}
_UNWRAP_REFUSALS = {
    FAIL: "decryption failed: the message was encrypted for other keys, or it is corrupted",
}
_VERIFY_REFUSALS = {
    INVALID_SIGNATURE: "the signature does not match: another key signed this message, "
    "or it was changed",
}


def _message_error(errors: Errors, message: bytes, own_type: int, form: str) -> Exception:
    """Make the error for data that is not such a message."""
    own = _KINDS[own_type]
    why = late.recognised(lambda it: it.why_not(message, it.Kind[own])) or late.UNTOLD
    return errors.failed(INVALID_PARAMETER, f"this is not {form}{why}")


class Pair:
    """A prepared pair of keys, and how much longer a message is that we, or the peer, wrapped."""

    __slots__ = ("handle", "unwrap", "unwrap_growth", "wrap", "wrap_growth")

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        is_short = lib.themis_message_own_type(handle) == lib.THEMIS_MESSAGE_EC_ENCRYPTED
        self.wrap = lib.short_message_wrap if is_short else lib.themis_message_wrap
        self.unwrap = lib.short_message_unwrap if is_short else lib.themis_message_unwrap
        self.wrap_growth: int = lib.themis_message_wrap_growth(handle)
        self.unwrap_growth: int = lib.themis_message_unwrap_growth(handle)


def new(errors: Errors, private_key: Any, public_key: Any) -> Pair:
    """Prepare a pair of keys for encryption."""
    private = public = None
    try:
        private, public = private_key, public_key
        if type(private) is not bytes:
            private = view_of_key(errors, private_key, PRIVATE)
        if type(public) is bytes:
            public = quick_to_read(public)
        else:
            public = view_of_key(errors, public_key, PUBLIC)
        made = _message()
        status = lib.themis_message_new(private, len(private), public, len(public), made)
        if status != SUCCESS:
            raise _keys_error(errors, status, private, public)
    finally:
        del private, public
    return Pair(kept(made))


def _keys_error(errors: Errors, status: int, private: Any, public: Any) -> Exception:
    """Make the error for a pair of keys that C refused with this status."""
    ours, theirs = inspect(private)[1], inspect(public)[1]
    if ours is None or not ours.is_private:
        return key_error(errors, status, PRIVATE, private, is_private=True)
    if theirs is None or theirs.is_private:
        return key_error(errors, status, PUBLIC, public, is_private=False)
    if status == INVALID_PARAMETER and ours.algorithm != theirs.algorithm:
        text = "one of the keys is an EC key and the other an RSA key"
        return errors.wrong_value(status, text)
    if status == INVALID_PARAMETER:
        return errors.wrong_value(status, "the two EC keys are on different curves")
    return key_error(errors, status, "one of the keys", private)


@returns_output
def wrap(owner: Owner, message: Any) -> bytes:
    """Encrypt a message."""
    try:
        if type(message) is not bytes:
            message = view(owner._errors, message, MESSAGE)
        size = len(message)
        pair = owner._held or refuse_closed(owner)
        growth = pair.wrap_growth
        if not 0 < size <= MESSAGE_MAX - growth:
            wrong_size(owner._errors, MESSAGE, size, MESSAGE_MAX - growth)
        room = size + growth
        wrapped = new_output(room)
        status = pair.wrap(pair.handle, message, size, wrapped, room)
        if status != SUCCESS:
            failed(owner._errors, status)
        return wrapped
    finally:
        del message


@returns_output
def unwrap(owner: Owner, wrapped: Any) -> bytes:
    """Decrypt a message."""
    wrapped = copied(owner._errors, wrapped, ENCRYPTED)
    size = len(wrapped)
    pair = owner._held or refuse_closed(owner)
    growth = pair.unwrap_growth
    status = INVALID_PARAMETER
    if growth < size <= MESSAGE_MAX:
        message = new_output(size - growth)
        status = pair.unwrap(pair.handle, wrapped, size, message, size - growth)
        if status == SUCCESS:
            return message
    if status == INVALID_PARAMETER:
        own_type = lib.themis_message_own_type(pair.handle)
        raise _message_error(owner._errors, wrapped, own_type, "an encrypted message")
    return failed(owner._errors, status, _UNWRAP_REFUSALS)


def _keyed(name: str, what: Argument, *, is_private: bool) -> Callable[[Errors, Any], Any]:
    """Make the function that prepares a handle of one key; it returns the handle in its place."""
    place, new = places(name), getattr(lib, f"themis_{name}_new")

    def prepare(errors: Errors, key: Any) -> Any:
        try:
            if type(key) is not bytes:
                key = view_of_key(errors, key, what)
            made = place()
            status = new(key, len(key), made)
            if status != SUCCESS:
                raise key_error(errors, status, what, key, is_private=is_private)
            return made
        finally:
            del key

    return prepare


_signer = _keyed("signer", PRIVATE, is_private=True)
_verifier = _keyed("verifier", PUBLIC, is_private=False)


def signer_new(errors: Errors, private_key: Key) -> Any:
    """Prepare a key for any number of signatures."""
    return kept(_signer(errors, private_key))


def signer_sign(owner: Owner, message: Any) -> bytes:
    """Sign a message."""
    return _sign(owner._errors, opened(owner), message)


def sign(errors: Errors, private_key: Any, message: Any) -> bytes:
    """Sign one message."""
    made = _signer(errors, private_key)
    try:
        return _sign(errors, made[0], message)
    finally:
        ffi.release(made)


def _sign(errors: Errors, handle: Any, message: Any) -> bytes:
    message = copied(errors, message, MESSAGE)
    size = len(message)
    if not 0 < size <= MESSAGE_MAX:
        wrong_size(errors, MESSAGE, size)
    header = ffi.new(BYTES, _SIGNED_HEADER_SIZE)
    length = ffi.new(SIZE, lib.themis_signer_signature_max(handle))
    signature = ffi.new(BYTES, length[0])
    status = lib.themis_signer_sign(handle, message, size, header, signature, length)
    if status != SUCCESS:
        failed(errors, status)
    return b"".join((ffi.buffer(header), message, ffi.buffer(signature, length[0])))


def verifier_new(errors: Errors, public_key: Buffer) -> Any:
    """Prepare a key for any number of verifications."""
    return kept(_verifier(errors, public_key))


def verifier_verify(owner: Owner, message: Any) -> bytes:
    """Verify a signed message and return the message."""
    return _verify(owner._errors, opened(owner), message)


def verify(errors: Errors, public_key: Any, message: Any) -> bytes:
    """Verify one signed message and return the message."""
    if type(public_key) is bytes:
        return _verify(errors, _known_verifier(errors, public_key), message)
    made = _verifier(errors, public_key)
    try:
        return _verify(errors, made[0], message)
    finally:
        ffi.release(made)


# Preparing a key takes half as long as checking a signature, and most programs check those of a
# few peers. Public keys are no secrets; nothing of the kind is done with private ones.
@lru_cache(maxsize=64)
def _known_verifier(errors: Errors, public_key: bytes) -> Any:
    return verifier_new(errors, public_key)


def _verify(errors: Errors, handle: Any, message: Any) -> bytes:
    message = copied(errors, message, SIGNED)
    length = ffi.new(SIZE)
    status = lib.themis_verifier_verify(handle, message, len(message), length)
    if status == SUCCESS:
        content: bytes = message[_SIGNED_HEADER_SIZE : _SIGNED_HEADER_SIZE + length[0]]
        return content
    if status == INVALID_PARAMETER:
        raise _message_error(errors, message, lib.themis_verifier_type(handle), "a signed message")
    return failed(errors, status, _VERIFY_REFUSALS)
