# SPDX-License-Identifier: Apache-2.0
"""The boundary: the only module that touches the compiled one.

Buffers go in without a copy, results come out as ``bytes`` that C wrote once, a status becomes
an exception. Nothing here is public.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, TypeVar

from ._themis import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    OwnerT = TypeVar("OwnerT", bound="Owner")

TOKEN_SIZE: int = lib.THEMIS_CELL_TOKEN_SIZE
PASSPHRASE_TOKEN_SIZE: int = lib.THEMIS_PASSPHRASE_TOKEN_SIZE
MESSAGE_MAX: int = lib.THEMIS_CELL_MESSAGE_MAX
MAX_ITERATIONS: int = lib.THEMIS_PASSPHRASE_MAX_ITERATIONS
ITERATIONS_LIMIT: int = lib.THEMIS_PASSPHRASE_ITERATIONS_LIMIT
COMPARATOR_NOT_READY: int = lib.THEMIS_COMPARATOR_NOT_READY
COMPARATOR_MATCH: int = lib.THEMIS_COMPARATOR_MATCH
COMPARATOR_NO_MATCH: int = lib.THEMIS_COMPARATOR_NO_MATCH

_SUCCESS: int = lib.THEMIS_SUCCESS
_FAIL: int = lib.THEMIS_FAIL
_INVALID_PARAMETER: int = lib.THEMIS_INVALID_PARAMETER
_NOT_SUPPORTED: int = lib.THEMIS_NOT_SUPPORTED

if lib.themis_init() != _SUCCESS:
    raise ImportError("pythemis cannot use OpenSSL: its default provider does not load")


def status_code(name: str) -> int:
    """Look up the number of a status by its name."""
    code: int = getattr(lib, f"THEMIS_{name}")
    return code


# ---- Errors ----


class Errors(NamedTuple):
    """The exceptions of one cryptosystem; each is made of (error_code, message)."""

    failed: Callable[[int, str], Exception]
    wrong_type: Callable[[int, str], Exception]
    wrong_value: Callable[[int, str], Exception]


def wrong_type(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its type."""
    raise errors.wrong_type(_INVALID_PARAMETER, message)


def wrong_value(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its value."""
    raise errors.wrong_value(_INVALID_PARAMETER, message)


def failed(errors: Errors, status: int, refusals: dict[int, str] | None = None) -> NoReturn:
    """Turn a status into an exception, in the words that ``refusals`` has for it."""
    message = (refusals or {}).get(status) or ffi.string(lib.themis_status_text(status)).decode()
    raise errors.failed(status, message)


# ---- Buffers ----
#
# A function that holds views drops them however it ends (`finally: del`). An exception keeps the
# frames that it went through: views in them would lock the caller's bytearrays and memoryviews
# for as long as the exception lives, and CPython 3.10 and 3.11 crash when their garbage collector
# meets a memoryview with a view of it in one cycle.

# On CPython C writes into a fresh `bytes` that nobody else has seen yet. PyPy moves its objects,
# so there C writes into memory of cffi's own, which is copied and wiped.
_IN_PLACE = sys.implementation.name == "cpython"


def _foreign_output(size: int) -> Any:
    return ffi.new("uint8_t[]", size)


def _foreign_result(output: Any) -> bytes:
    made: bytes = ffi.buffer(output)[:]
    ffi.memmove(output, bytes(len(made)), len(made))
    return made


_output: Callable[[int], Any] = bytes if _IN_PLACE else _foreign_output


def view(errors: Errors, data: Buffer, what: str) -> Any:
    """See a bytes-like object as C sees it, without a copy; ``len`` of the view counts bytes.

    Where speed matters, exactly ``bytes`` goes to C without a view. Nothing else may: a subclass
    can lie about its length.
    """
    if isinstance(data, str):
        wrong_type(errors, f"{what} must be bytes, not str; encode text first: 'text'.encode()")
    try:
        return ffi.from_buffer("uint8_t[]", data)
    except (TypeError, ValueError, BufferError):
        pass
    kind = type(data).__name__
    return wrong_type(errors, f"{what} must be bytes or a contiguous bytes-like object, not {kind}")


# ---- Objects that own something prepared in C ----


class Owner:
    """Owns a handle of the C core: never copied, never shown."""

    _errors: ClassVar[Errors]
    _handle: Any = None

    def close(self) -> None:
        """Forget the secret; its memory is wiped once no call in another thread uses it.

        Closing again is fine; any other use of a closed object is an error.
        """
        self._handle = None

    def __enter__(self: OwnerT) -> OwnerT:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self._handle is None else ""
        return f"<{type(self).__module__}.{type(self).__qualname__}{state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__qualname__} holds a secret and cannot be pickled or copied")


def _closed(owner: Owner) -> NoReturn:
    wrong_value(owner._errors, f"this {type(owner).__name__} is closed")


# ---- Key generation ----


def symmetric_key(errors: Errors) -> bytes:
    """Draw a symmetric key."""
    key = _output(lib.THEMIS_SYMMETRIC_KEY_SIZE)
    status = lib.themis_symmetric_key(key)
    if status != _SUCCESS:
        failed(errors, status)
    return key if _IN_PLACE else _foreign_result(key)


# ---- Secure Cell ----


def cell_new(errors: Errors, key: Buffer, *, compat_096: bool) -> Any:
    """Prepare a key for any number of messages."""
    key_view = view(errors, key, "the key")
    made = ffi.new("themis_cell **")
    size = len(key_view)
    status = lib.themis_cell_new(key_view, size, compat_096, made)
    del key_view
    if size == 0:
        wrong_value(errors, "the key is empty; skeygen.GenerateSymmetricKey() makes a good one")
    if status != _SUCCESS:
        failed(errors, status)
    return ffi.gc(made[0], lib.themis_cell_free)


def passphrase_new(errors: Errors, passphrase: Buffer, *, max_iterations: int) -> Any:
    """Prepare a passphrase for any number of messages."""
    text = view(errors, passphrase, "the passphrase")
    made = ffi.new("themis_passphrase **")
    size = len(text)
    status = lib.themis_passphrase_new(text, size, max_iterations, made)
    del text
    if size == 0:
        wrong_value(errors, "the passphrase is empty")
    if status != _SUCCESS:
        failed(errors, status)
    return ffi.gc(made[0], lib.themis_passphrase_free)


def _refusals(secret: str, form: str) -> dict[int, str]:
    return {
        _FAIL: f"decryption failed: check the {secret} and the context; or the data is damaged",
        _INVALID_PARAMETER: f"this is not {form}: it is damaged or cut, or it is something else",
    }


_SEAL_REFUSALS = _refusals("key", "a Seal cell made with a key")
_TOKEN_REFUSALS = _refusals("key, the token", "the data and the token, in this order, of one cell")
_IMPRINT_REFUSALS = {_INVALID_PARAMETER: "Context Imprint needs a context of at least one byte"}
_PASSPHRASE_REFUSALS = _refusals("passphrase", "a Seal cell made with a passphrase") | {
    _NOT_SUPPORTED: "the cell asks for more iterations than max_iterations of this object allows; "
    "raise that if you trust where the cell comes from"
}


def _wrong_size(errors: Errors, what: str, size: int) -> NoReturn:
    wrong_value(errors, f"{what} has {size} bytes; it must have 1 to {MESSAGE_MAX}")


def _encryption(
    function: Any, growth: int, refusals: dict[int, str] | None = None
) -> Callable[[Owner, Any, Any], bytes]:
    """Make the boundary function of an encryption whose output is ``growth`` bytes longer."""

    def encrypt(owner: Owner, message: Any, context: Any) -> bytes:
        try:
            if type(message) is not bytes:
                message = view(owner._errors, message, "the message")
            if context is None:
                context = b""
            elif type(context) is not bytes:
                context = view(owner._errors, context, "the context")
            size = len(message)
            if not 0 < size <= MESSAGE_MAX:
                _wrong_size(owner._errors, "the message", size)
            handle = owner._handle
            if handle is None:
                _closed(owner)
            output = _output(size + growth)
            status = function(handle, message, size, context, len(context), output)
            if status != _SUCCESS:
                failed(owner._errors, status, refusals)
            return output if _IN_PLACE else _foreign_result(output)
        finally:
            del message, context

    return encrypt


cell_seal = _encryption(lib.themis_cell_seal, TOKEN_SIZE)
cell_imprint = _encryption(lib.themis_cell_imprint, 0, _IMPRINT_REFUSALS)
passphrase_seal = _encryption(lib.themis_passphrase_seal, PASSPHRASE_TOKEN_SIZE)


def cell_unseal(owner: Owner, sealed: Any, context: Any) -> bytes:
    """Decrypt in Seal mode."""
    try:
        if type(sealed) is not bytes:
            sealed = view(owner._errors, sealed, "the encrypted message")
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = view(owner._errors, context, "the context")
        size = len(sealed)
        if not TOKEN_SIZE < size <= TOKEN_SIZE + MESSAGE_MAX:
            failed(owner._errors, _INVALID_PARAMETER, _SEAL_REFUSALS)
        handle = owner._handle
        if handle is None:
            _closed(owner)
        message = _output(size - TOKEN_SIZE)
        status = lib.themis_cell_unseal(handle, sealed, size, context, len(context), message)
        if status != _SUCCESS:
            failed(owner._errors, status, _SEAL_REFUSALS)
        return message if _IN_PLACE else _foreign_result(message)
    finally:
        del sealed, context


def cell_protect(owner: Owner, message: Any, context: Any) -> tuple[bytes, bytes]:
    """Encrypt in Token Protect mode; (encrypted message, token)."""
    try:
        if type(message) is not bytes:
            message = view(owner._errors, message, "the message")
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = view(owner._errors, context, "the context")
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            _wrong_size(owner._errors, "the message", size)
        handle = owner._handle
        if handle is None:
            _closed(owner)
        encrypted = _output(size)
        token = _output(TOKEN_SIZE)
        status = lib.themis_cell_protect(
            handle, message, size, context, len(context), encrypted, token
        )
        if status != _SUCCESS:
            failed(owner._errors, status)
        if _IN_PLACE:
            return encrypted, token
        return _foreign_result(encrypted), _foreign_result(token)
    finally:
        del message, context


def cell_unprotect(owner: Owner, encrypted: Any, token: Any, context: Any) -> bytes:
    """Decrypt in Token Protect mode."""
    try:
        if type(encrypted) is not bytes:
            encrypted = view(owner._errors, encrypted, "the encrypted message")
        if type(token) is not bytes:
            token = view(owner._errors, token, "the token")
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = view(owner._errors, context, "the context")
        size = len(encrypted)
        if not 0 < size <= MESSAGE_MAX:
            _wrong_size(owner._errors, "the encrypted message", size)
        if len(token) < TOKEN_SIZE:
            failed(owner._errors, _INVALID_PARAMETER, _TOKEN_REFUSALS)
        handle = owner._handle
        if handle is None:
            _closed(owner)
        message = _output(size)
        status = lib.themis_cell_unprotect(
            handle, encrypted, size, token, context, len(context), message
        )
        if status != _SUCCESS:
            failed(owner._errors, status, _TOKEN_REFUSALS)
        return message if _IN_PLACE else _foreign_result(message)
    finally:
        del encrypted, token, context


def passphrase_unseal(owner: Owner, sealed: Any, context: Any) -> bytes:
    """Decrypt in Seal mode with a passphrase."""
    try:
        sealed = view(owner._errors, sealed, "the encrypted message")
        context = view(owner._errors, b"" if context is None else context, "the context")
        handle = owner._handle
        if handle is None:
            _closed(owner)
        size = ffi.new("size_t *")
        status = lib.themis_passphrase_message_size(handle, sealed, len(sealed), size)
        if status != _SUCCESS:
            failed(owner._errors, status, _PASSPHRASE_REFUSALS)
        message = _output(size[0])
        status = lib.themis_passphrase_unseal(
            handle, sealed, len(sealed), context, len(context), message, len(message)
        )
        if status != _SUCCESS:
            failed(owner._errors, status, _PASSPHRASE_REFUSALS)
        return message if _IN_PLACE else _foreign_result(message)
    finally:
        del sealed, context


# ---- Secure Comparator ----


class ComparatorOwner(Owner):
    """Owns one side of a comparison, which one thread at a time may use.

    The lock can be taken again by the thread that has it: a signal handler may run in the middle
    of a call, though never in the middle of its C part.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()


def comparator_new(errors: Errors) -> Any:
    """Make one side of a comparison."""
    made = ffi.new("themis_comparator **")
    status = lib.themis_comparator_new(made)
    if status != _SUCCESS:
        failed(errors, status)
    return ffi.gc(made[0], lib.themis_comparator_free)


_STARTED = {_INVALID_PARAMETER: "this comparison has started already"}
_DAMAGED = {
    _INVALID_PARAMETER: "this is not a message of a comparison, or it was damaged; "
    "the comparison has ended without a match"
}


def comparator_append(owner: ComparatorOwner, secret: Any) -> None:
    """Add a piece to the secret."""
    try:
        secret = view(owner._errors, secret, "the secret")
        size = len(secret)
        if size == 0:
            wrong_value(owner._errors, "the secret is empty")
        with owner._lock:
            handle = _comparator(owner)
            status = lib.themis_comparator_append(handle, secret, size)
        if status != _SUCCESS:
            failed(owner._errors, status, _STARTED)
    finally:
        del secret


def comparator_begin(owner: ComparatorOwner) -> bytes:
    """Start a comparison; the first message."""
    message = _output(lib.THEMIS_COMPARATOR_FIRST_SIZE)
    with owner._lock:
        handle = _comparator(owner)
        status = lib.themis_comparator_begin(handle, message)
    if status != _SUCCESS:
        failed(owner._errors, status, _STARTED)
    return message if _IN_PLACE else _foreign_result(message)


def comparator_proceed(owner: ComparatorOwner, message: Any) -> bytes:
    """Take the peer's message; the reply, empty after the last one."""
    try:
        message = view(owner._errors, message, "the message")
        size = len(message)
        with owner._lock:
            handle = _comparator(owner)
            expected = lib.themis_comparator_expected_size(handle)
            reply = _output(lib.themis_comparator_reply_size(handle))
            status = lib.themis_comparator_proceed(handle, message, size, reply)
        if status != _SUCCESS:
            _refuse_message(owner, status, size, expected)
        return reply if _IN_PLACE else _foreign_result(reply)
    finally:
        del message


def _refuse_message(owner: Owner, status: int, size: int, expected: int) -> NoReturn:
    if expected == 0:
        problem = "this comparison is over; make a new object for another one"
    elif status != _INVALID_PARAMETER or size == expected:
        failed(owner._errors, status, _DAMAGED)
    elif size == lib.THEMIS_COMPARATOR_FIRST_SIZE:
        problem = "this message begins a comparison, but one is under way; only one side may begin"
    else:
        problem = (
            f"the message has {size} bytes, but the one expected now has {expected}; "
            "the comparison has ended without a match"
        )
    raise owner._errors.failed(_INVALID_PARAMETER, problem)


def comparator_is_over(owner: ComparatorOwner) -> bool:
    """Tell whether the exchange has ended."""
    with owner._lock:
        return bool(lib.themis_comparator_expected_size(_comparator(owner)) == 0)


def comparator_result(owner: ComparatorOwner) -> int:
    """Tell the result so far."""
    with owner._lock:
        result: int = lib.themis_comparator_result(_comparator(owner))
    return result


def _comparator(owner: Owner) -> Any:
    handle = owner._handle
    if handle is None:
        _closed(owner)
    return handle
