# SPDX-License-Identifier: Apache-2.0
"""Secure Cell."""

from __future__ import annotations

from pythemis._themis import ffi, lib

from . import late, legacy
from .arguments import CONTEXT, ENCRYPTED, KEY, MESSAGE, TOKEN
from .buffers import (
    BYTES,
    check_room,
    clash,
    new_output,
    refuse_clash,
    returns_output,
    seen,
    view,
    writable_view,
)
from .errors import (
    FAIL,
    INVALID_PARAMETER,
    MESSAGE_MAX,
    SUCCESS,
    Errors,
    failed,
    size_error,
    status_text,
    wrong_size,
    wrong_type,
    wrong_value,
)
from .owner import Owner, Secret, kept, places, refuse_closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .secret import Key

TOKEN_SIZE: int = lib.THEMIS_CELL_TOKEN_SIZE

_cell = places("cell")


class Refusals:
    """The texts of errors for data that is not decrypted.

    Args:
        secret: what has to be right, beside the context.
        form: what the data has to be.
        own: the same, as `recognise.Kind` has it.
        others: texts for statuses that have one of their own.
    """

    __slots__ = ("form", "others", "own", "secret")

    def __init__(
        self, secret: str, form: str, own: str, others: dict[int, str] | None = None
    ) -> None:
        self.secret, self.form, self.own, self.others = secret, form, own, others or {}


SEAL_REFUSALS = Refusals("key", "a Seal cell made with a key", "SEAL_CELL")
TOKEN_REFUSALS = Refusals(
    "key, the token", "the data and the token, in this order, of one cell", ""
)
IMPRINT_REFUSALS = Refusals(
    "", "", "", {INVALID_PARAMETER: "Context Imprint needs a context of at least one byte"}
)


def refusal(refusals: Refusals | None, status: int, message: Any, token: Any = None) -> str:
    """Describe why a message was refused with this status, from its public parts."""
    told = refusals.others.get(status) if refusals else None
    if told or refusals is None or not refusals.form or status not in (FAIL, INVALID_PARAMETER):
        return told or status_text(status)
    misfit, why = _told(refusals.own, message, token)
    if status == INVALID_PARAMETER:
        return f"this is not {refusals.form}{why or late.UNTOLD}"
    if misfit:
        return f"decryption failed: {misfit}"
    return (
        f"decryption failed: check the {refusals.secret} and the context; or the data is corrupted"
    )


def _told(own: str, message: Any, token: Any) -> tuple[str, str]:
    """Return what does not fit, and how to go on after "this is not ..."; empty if untold."""
    if token is not None:
        misfit = late.recognised(lambda it: it.token_misfit(seen(message), seen(token)))
        return misfit, misfit and f": {misfit}"
    misfit = late.recognised(lambda it: it.misfit(seen(message), it.Kind[own]))
    return misfit, late.recognised(lambda it: it.why_not(seen(message), it.Kind[own]))


def refused(
    errors: Errors, refusals: Refusals | None, status: int, message: Any, token: Any = None
) -> Exception:
    """Make the error for a message that C refused with this status.

    It is not raised here: its traceback would keep the views alive.
    """
    return errors.failed(status, refusal(refusals, status, message, token))


class OfText:
    """Held by an object with a ``str`` key, which only decrypts what 0.15 encrypted.

    It is false, so that only a reader, which looks closer, finds the handle in it.
    """

    __slots__ = ("handle",)

    def __init__(self, handle: Any) -> None:
        self.handle = handle

    def __bool__(self) -> bool:
        return False


def to_read(owner: Owner) -> Any:
    """Return the handle that an object reads with."""
    held = owner._held
    return held.handle if type(held) is OfText else held or refuse_closed(owner)


def to_write(owner: Owner) -> Any:
    """Return the handle that an object writes with."""
    held = owner._held
    if type(held) is OfText:
        wrong_type(
            owner._errors,
            "a key of type str only decrypts what pythemis 0.15 wrote; encrypt under bytes, or go "
            "on as before with scell.legacy_text(text) as the key",
        )
    return held or refuse_closed(owner)


def context_view(errors: Errors, context: Any, *, reads: bool) -> Any:
    """Return a context as C reads it; text decrypts as in 0.15, and is refused for encryption."""
    if not isinstance(context, str):
        return view(errors, context, CONTEXT)
    if reads:
        legacy.warn_of_context()
        return legacy.legacy_text(context)
    return wrong_type(
        errors,
        "the context must be bytes, not str; encode text first: 'text'.encode(), or go on as with "
        "pythemis 0.15: scell.legacy_text(text)",
    )


# The text of 32 bytes, judged without a copy of the key.
_HEX_OF_KEY = rb"[0-9A-Fa-f]{64}\s*"
_BASE64_OF_KEY = rb"(?:([A-Za-z0-9+/]{42})|[A-Za-z0-9_-]{42})[AEIMQUYcgkosw048](=?)\s*"


def decoding(key: Any, key_view: Any) -> str | None:
    """Return how to decode a key that is the text of 32 bytes; None if it is not."""
    how = _decoding(key_view)
    if how is not None and isinstance(key, Secret):
        return f"{how.partition(';')[0]}; pass the encoding where the SecretKey is read"
    return how


def warn_of_text(decoding: str | None) -> None:
    """Warn of a key that is to be decoded like this."""
    if decoding is not None:
        legacy.warn(
            f"the key is {decoding}. Data that was encrypted under the text needs the text",
            UserWarning,
        )


def _re() -> Any:
    import re  # a third of the time that loading this module takes

    return re


def _decoding(key: Any) -> str | None:
    if not 43 <= len(key) <= 70:
        return None
    re = late.loaded(_re)
    if re is None:
        return None
    text = ffi.buffer(key)
    if re.fullmatch(_HEX_OF_KEY, text):
        return "the hex of 32 bytes, as text; decode it: bytes.fromhex(key.decode())"
    match = re.fullmatch(_BASE64_OF_KEY, text)
    if match is None:
        return None
    padded = "key" if match[2] else "key + b'='"
    decode = "urlsafe_b64decode" if match.start(1) < 0 else "b64decode"
    return f"the base64 of 32 bytes, as text; decode it: base64.{decode}({padded})"


def new(errors: Errors, key: Key | str, *, compat_096: bool) -> Any:
    """Prepare a key for any number of messages."""
    if isinstance(key, str):
        return OfText(new(errors, legacy.bytes_of_key(key), compat_096=compat_096))
    key_view = view(errors, key, KEY)
    made = _cell()
    size = len(key_view)
    status = lib.themis_cell_new(key_view, size, compat_096, made)
    how = decoding(key, key_view)
    del key_view
    if size == 0:
        wrong_value(errors, "the key is empty; skeygen.GenerateSymmetricKey() makes a good one")
    if status != SUCCESS:
        failed(errors, status)
    cell = kept(made)
    warn_of_text(how)
    return cell


def operation(
    function: Any,
    growth: int,
    refusals: Refusals | None = None,
    fetching: Any = None,
    *,
    reads: bool = False,
) -> tuple[Callable[[Owner, Any, Any], bytes], Callable[[Owner, Any, Any, Any], int]]:
    """Make the boundary functions of an operation whose result is ``growth`` bytes longer.

    The first returns a new object; the second writes into a buffer, and returns the length.
    Messages that are not ``bytes`` go to ``fetching``, if there is one.
    """
    shrinks = max(0, -growth)
    largest = MESSAGE_MAX + shrinks
    same_place = max(0, growth), shrinks
    what = ENCRYPTED if shrinks else MESSAGE
    handle_of = to_read if reads else to_write

    def wrong(errors: Errors, message: Any) -> Exception:
        if shrinks:
            return refused(errors, refusals, INVALID_PARAMETER, message)
        return size_error(errors, what, len(message))

    @returns_output
    def run(owner: Owner, message: Any, context: Any) -> bytes:
        try:
            work = function
            if type(message) is not bytes:
                message = view(owner._errors, message, what)
                work = fetching or function
            if context is None:
                context = b""
            elif type(context) is not bytes:
                context = context_view(owner._errors, context, reads=reads)
            size = len(message)
            if not shrinks < size <= largest:
                raise wrong(owner._errors, message)
            handle = owner._held or handle_of(owner)
            room = size + growth
            output = new_output(room)
            status = work(handle, message, size, context, len(context), output, room)
            if status != SUCCESS:
                raise refused(owner._errors, refusals, status, message)
            return output
        finally:
            del message, context

    def run_into(owner: Owner, buffer: Any, message: Any, context: Any) -> int:
        try:
            errors = owner._errors
            work = function
            buffer = writable_view(errors, buffer, "the buffer")
            if type(message) is not bytes:
                message = view(errors, message, what)
                work = fetching or function
            context = b"" if context is None else context_view(errors, context, reads=reads)
            size = len(message)
            if not shrinks < size <= largest:
                raise wrong(errors, message)
            room = size + growth
            check_room(errors, len(buffer), room)
            if clash(buffer, room, message, same_place) or clash(buffer, room, context):
                refuse_clash(errors)
            status = work(handle_of(owner), message, size, context, len(context), buffer, room)
            if status != SUCCESS:
                raise refused(errors, refusals, status, message)
            return room
        finally:
            del buffer, message, context

    return run, run_into


# AES-GCM reads a ciphertext twice, to authenticate it and to decrypt it; other threads, or
# processes that share the memory, may write to it in between. So what is not `bytes` is first
# fetched to where its message comes, and decrypted in that place.


def _fetched(output: Any, data: Any, size: int) -> Any:
    """Copy a ciphertext to where its message is written; return that place as C reads it."""
    place = ffi.from_buffer(BYTES, output) if type(output) is bytes else output
    ffi.memmove(place, data, size)
    return place


def _unseal_fetched(
    handle: Any, sealed: Any, _: int, context: Any, context_size: int, output: Any, size: int
) -> int:
    token = ffi.buffer(sealed, TOKEN_SIZE)[:]
    place = _fetched(output, sealed + TOKEN_SIZE, size)
    try:
        status: int = lib.short_cell_unprotect(
            handle, place, size, token, context, context_size, place, size
        )
        return status
    finally:
        del sealed, context, output, place


seal, seal_into = operation(lib.short_cell_seal, TOKEN_SIZE)
unseal, unseal_into = operation(
    lib.short_cell_unseal, -TOKEN_SIZE, SEAL_REFUSALS, _unseal_fetched, reads=True
)
imprint, imprint_into = operation(lib.short_cell_imprint, 0, IMPRINT_REFUSALS)
unimprint, unimprint_into = operation(lib.short_cell_imprint, 0, IMPRINT_REFUSALS, reads=True)


@returns_output
def protect(owner: Owner, message: Any, context: Any) -> tuple[bytes, bytes]:
    """Encrypt in Token Protect mode; (encrypted message, token)."""
    try:
        if type(message) is not bytes:
            message = view(owner._errors, message, MESSAGE)
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = context_view(owner._errors, context, reads=False)
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            wrong_size(owner._errors, MESSAGE, size)
        handle = owner._held or to_write(owner)
        encrypted = new_output(size)
        token = new_output(TOKEN_SIZE)
        status = lib.short_cell_protect(
            handle, message, size, context, len(context), encrypted, size, token
        )
        if status != SUCCESS:
            failed(owner._errors, status)
        return encrypted, token
    finally:
        del message, context


@returns_output
def protect_into(owner: Owner, buffer: Any, message: Any, context: Any) -> tuple[int, bytes]:
    """Encrypt in Token Protect mode into a buffer; (length, token)."""
    try:
        errors = owner._errors
        buffer = writable_view(errors, buffer, "the buffer")
        if type(message) is not bytes:
            message = view(errors, message, MESSAGE)
        context = b"" if context is None else context_view(errors, context, reads=False)
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            wrong_size(errors, MESSAGE, size)
        check_room(errors, len(buffer), size)
        if clash(buffer, size, message, (0, 0)) or clash(buffer, size, context):
            refuse_clash(errors)
        token = new_output(TOKEN_SIZE)
        status = lib.short_cell_protect(
            to_write(owner), message, size, context, len(context), buffer, size, token
        )
        if status != SUCCESS:
            failed(errors, status)
        return size, token
    finally:
        del buffer, message, context


@returns_output
def unprotect(owner: Owner, encrypted: Any, token: Any, context: Any) -> bytes:
    """Decrypt in Token Protect mode."""
    place = None
    try:
        if type(encrypted) is not bytes:
            encrypted = view(owner._errors, encrypted, ENCRYPTED)
        if type(token) is not bytes:
            token = view(owner._errors, token, TOKEN)
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = context_view(owner._errors, context, reads=True)
        size = len(encrypted)
        error = _misfit(owner._errors, encrypted, token)
        if error is not None:
            raise error
        handle = owner._held or to_read(owner)
        place = message = new_output(size)
        if type(encrypted) is not bytes:
            encrypted = place = _fetched(message, encrypted, size)
        status = lib.short_cell_unprotect(
            handle, encrypted, size, token, context, len(context), place, size
        )
        if status != SUCCESS:
            raise refused(owner._errors, TOKEN_REFUSALS, status, encrypted, token)
        return message
    finally:
        del encrypted, token, context, place


def unprotect_into(owner: Owner, buffer: Any, encrypted: Any, token: Any, context: Any) -> int:
    """Decrypt in Token Protect mode into a buffer; the length."""
    try:
        errors = owner._errors
        buffer = writable_view(errors, buffer, "the buffer")
        if type(encrypted) is not bytes:
            encrypted = view(errors, encrypted, ENCRYPTED)
        token = view(errors, token, TOKEN)
        context = b"" if context is None else context_view(errors, context, reads=True)
        size = len(encrypted)
        error = _misfit(errors, encrypted, token)
        if error is not None:
            raise error
        check_room(errors, len(buffer), size)
        if (
            clash(buffer, size, encrypted, (0, 0))
            or clash(buffer, size, token)
            or clash(buffer, size, context)
        ):
            refuse_clash(errors)
        handle = to_read(owner)
        if type(encrypted) is not bytes:
            encrypted = _fetched(buffer, encrypted, size)
        status = lib.short_cell_unprotect(
            handle, encrypted, size, token, context, len(context), buffer, size
        )
        if status != SUCCESS:
            raise refused(errors, TOKEN_REFUSALS, status, encrypted, token)
        return size
    finally:
        del buffer, encrypted, token, context


def _misfit(errors: Errors, encrypted: Any, token: Any) -> Exception | None:
    """Make the error for data or a token of an impossible size; None if the sizes are possible."""
    if not 0 < len(encrypted) <= MESSAGE_MAX:
        return size_error(errors, ENCRYPTED, len(encrypted))
    if len(token) < TOKEN_SIZE:
        return refused(errors, TOKEN_REFUSALS, INVALID_PARAMETER, encrypted, token)
    return None
