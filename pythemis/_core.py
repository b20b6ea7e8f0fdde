# SPDX-License-Identifier: Apache-2.0
"""The boundary: the only module that touches the compiled one.

Buffers go in without a copy, results come out as ``bytes`` that C wrote once, a status becomes
an exception. Nothing here is public.
"""

from __future__ import annotations

import sys
from threading import RLock
from time import time
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, TypeVar

from ._themis import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    BytesT = TypeVar("BytesT", bound=bytes)
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
_DATA_CORRUPT: int = lib.THEMIS_DATA_CORRUPT
_INVALID_SIGNATURE: int = lib.THEMIS_INVALID_SIGNATURE
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
    raise errors.failed(status, (refusals or {}).get(status) or status_text(status))


def status_text(status: int) -> str:
    """Give the core's own words for a status."""
    text: str = ffi.string(lib.themis_status_text(status)).decode()
    return text


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


def opened(owner: Owner) -> Any:
    """Give the handle of an object that is not closed."""
    handle = owner._handle
    if handle is None:
        _closed(owner)
    return handle


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


# ---- Asymmetric keys ----

EC: int = lib.THEMIS_KEY_EC
RSA: int = lib.THEMIS_KEY_RSA

_PRIVATE = "the private key"
_PUBLIC = "the public key"


class Kind(NamedTuple):
    """What a key says it is."""

    algorithm: int  # EC or RSA
    bits: int
    is_private: bool


def key_kind(errors: Errors, key: Buffer) -> Kind:
    """Tell the kind of a key whose container is sound."""
    key_view = view(errors, key, "the key")
    try:
        status, kind = _inspect(key_view)
        if kind is None:
            raise _key_error(errors, status, "the key", key_view)
        return kind
    finally:
        del key_view


def _inspect(key_view: Any) -> tuple[int, Kind | None]:
    found = ffi.new("int[3]")
    status = lib.themis_key_inspect(key_view, len(key_view), found, found + 1, found + 2)
    if status != _SUCCESS:
        return status, None
    return status, Kind(found[0], found[2], bool(found[1]))


def _key_error(
    errors: Errors, status: int, what: str, key_view: Any, is_private: bool | None = None
) -> Exception:
    """Say what is wrong with a key that C refused with this status."""
    container_status, kind = _inspect(key_view)
    if kind is None:
        if container_status == _DATA_CORRUPT:
            message = f"{what} is damaged: its checksum does not match"
        else:
            message = f"{what} is not a Themis key, or it is cut"
        return errors.wrong_value(container_status, message)
    if is_private is not None and kind.is_private != is_private:
        halves = ("a public", "a private")
        message = (
            f"{what} must be {halves[is_private]} key, and this is {halves[not is_private]} one"
        )
        return errors.wrong_value(status, message)
    if status == _DATA_CORRUPT:
        return errors.wrong_value(status, f"{what} is damaged: its numbers make no sense")
    return errors.failed(status, status_text(status))


def key_pair(errors: Errors, kind: Kind, *, uncompressed: bool) -> tuple[bytes, bytes]:
    """Generate a (private, public) pair; only algorithm and bits of the kind count."""
    algorithm, bits, _ = kind
    private = _output(lib.themis_key_size(algorithm, True, bits, uncompressed))
    public = _output(lib.themis_key_size(algorithm, False, bits, uncompressed))
    status = lib.themis_key_pair(algorithm, bits, uncompressed, private, public)
    if status != _SUCCESS:
        failed(errors, status)
    return (private, public) if _IN_PLACE else (_foreign_result(private), _foreign_result(public))


def key_public(errors: Errors, private_key: Buffer, *, uncompressed: bool) -> bytes:
    """Compute the public half of a private key."""
    key_view = view(errors, private_key, _PRIVATE)
    try:
        status, kind = _inspect(key_view)
        if kind is None or not kind.is_private:
            raise _key_error(errors, _INVALID_PARAMETER, _PRIVATE, key_view, is_private=True)
        size = lib.themis_key_size(kind.algorithm, False, kind.bits, uncompressed)
        public = _output(size)
        status = lib.themis_key_public(key_view, len(key_view), uncompressed, public, size)
        if status != _SUCCESS:
            raise _key_error(errors, status, _PRIVATE, key_view, is_private=True)
        return public if _IN_PLACE else _foreign_result(public)
    finally:
        del key_view


def key_export(errors: Errors, key: Buffer, *, pem: bool, passphrase: Buffer | None) -> bytes:
    """Write a key in PEM or DER."""
    key_view = secret = None
    try:
        key_view = view(errors, key, "the key")
        secret = view(errors, b"" if passphrase is None else passphrase, "the passphrase")
        if passphrase is not None and len(secret) == 0:
            wrong_value(errors, "the passphrase is empty")
        made = ffi.new("themis_blob **")
        status = lib.themis_key_export(key_view, len(key_view), pem, secret, len(secret), made)
        if status != _SUCCESS:
            raise _key_error(errors, status, "the key", key_view)
        return _taken(made[0])
    finally:
        del key_view, secret


def key_import(errors: Errors, text: Buffer, *, pem: bool, passphrase: Buffer | None) -> bytes:
    """Read a key from PEM or DER."""
    text_view = secret = None
    try:
        text_view = view(errors, text, "the PEM text" if pem else "the DER data")
        secret = view(errors, b"" if passphrase is None else passphrase, "the passphrase")
        if passphrase is not None and len(secret) == 0:
            wrong_value(errors, "the passphrase is empty")
        made = ffi.new("themis_blob **")
        why = ffi.new("char const **")
        status = lib.themis_key_import(
            text_view, len(text_view), pem, secret, len(secret), made, why
        )
    finally:
        del text_view, secret
    if status == _SUCCESS:
        return _taken(made[0])
    if why[0] == ffi.NULL:
        failed(errors, status)
    raise errors.wrong_value(status, ffi.string(why[0]).decode())


def _taken(blob: Any) -> bytes:
    """Copy a result out of the memory it was made in, which is wiped."""
    try:
        content: bytes = ffi.buffer(lib.themis_blob_data(blob), lib.themis_blob_size(blob))[:]
    finally:
        lib.themis_blob_free(blob)
    return content


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


def _wrong_size(errors: Errors, what: str, size: int, most: int = MESSAGE_MAX) -> NoReturn:
    wrong_value(errors, f"{what} has {size} bytes; it must have 1 to {most}")


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


# ---- Secure Message ----

_SIGNED_HEADER_SIZE: int = lib.THEMIS_SIGNED_HEADER_SIZE

_TYPES = {
    lib.THEMIS_MESSAGE_EC_SIGNED: "a signed message: it takes sverify and a public EC key",
    lib.THEMIS_MESSAGE_RSA_SIGNED: "a signed message: it takes sverify and a public RSA key",
    lib.THEMIS_MESSAGE_EC_ENCRYPTED: "an encrypted message: it takes an SMessage of EC keys",
    lib.THEMIS_MESSAGE_RSA_ENCRYPTED: "an encrypted message: it takes an SMessage of RSA keys",
}
_UNWRAP_REFUSALS = {
    _FAIL: "decryption failed: it was encrypted for other keys, or it is damaged",
}
_VERIFY_REFUSALS = {
    _INVALID_SIGNATURE: "the signature does not match: somebody else signed this, "
    "or it was changed afterwards",
}


def _message_error(errors: Errors, message: Any, own_type: int, form: str) -> Exception:
    """Say what a message is that is not what it should be."""
    found = lib.themis_message_type(message, len(message))
    if found in (lib.THEMIS_MESSAGE_UNKNOWN, own_type):
        text = f"this is not {form}: it is damaged or cut, or it is something else"
    else:
        text = f"this is {_TYPES[found]}"
    return errors.failed(_INVALID_PARAMETER, text)


def message_new(errors: Errors, private_key: Buffer, public_key: Buffer) -> Any:
    """Prepare a pair of keys for encryption."""
    private = public = None
    try:
        private = view(errors, private_key, _PRIVATE)
        public = view(errors, public_key, _PUBLIC)
        made = ffi.new("themis_message **")
        status = lib.themis_message_new(private, len(private), public, len(public), made)
        if status != _SUCCESS:
            raise _keys_error(errors, status, private, public)
    finally:
        del private, public
    return ffi.gc(made[0], lib.themis_message_free)


def _keys_error(errors: Errors, status: int, private: Any, public: Any) -> Exception:
    """Say what is wrong with a pair of keys that C refused with this status."""
    ours, theirs = _inspect(private)[1], _inspect(public)[1]
    if ours is None or not ours.is_private:
        return _key_error(errors, status, _PRIVATE, private, is_private=True)
    if theirs is None or theirs.is_private:
        return _key_error(errors, status, _PUBLIC, public, is_private=False)
    if status == _INVALID_PARAMETER and ours.algorithm != theirs.algorithm:
        text = "one of the keys is an EC key and the other an RSA key"
        return errors.wrong_value(status, text)
    if status == _INVALID_PARAMETER:
        return errors.wrong_value(status, "the two EC keys are on different curves")
    return _key_error(errors, status, "one of the keys", private)


def message_growth(handle: Any) -> tuple[int, int]:
    """Tell how much longer a message is that was wrapped, by us and by the peer."""
    return lib.themis_message_wrap_growth(handle), lib.themis_message_unwrap_growth(handle)


def message_wrap(owner: Owner, message: Any, growth: int) -> bytes:
    """Encrypt a message."""
    try:
        if type(message) is not bytes:
            message = view(owner._errors, message, "the message")
        size = len(message)
        if not 0 < size <= MESSAGE_MAX - growth:
            _wrong_size(owner._errors, "the message", size, MESSAGE_MAX - growth)
        handle = owner._handle
        if handle is None:
            _closed(owner)
        wrapped = _output(size + growth)
        status = lib.themis_message_wrap(handle, message, size, wrapped)
        if status != _SUCCESS:
            failed(owner._errors, status)
        return wrapped if _IN_PLACE else _foreign_result(wrapped)
    finally:
        del message


def message_unwrap(owner: Owner, wrapped: Any, growth: int) -> bytes:
    """Decrypt a message."""
    try:
        if type(wrapped) is not bytes:
            wrapped = view(owner._errors, wrapped, "the encrypted message")
        size = len(wrapped)
        handle = owner._handle
        if handle is None:
            _closed(owner)
        status = _INVALID_PARAMETER
        if growth < size <= MESSAGE_MAX:
            message = _output(size - growth)
            status = lib.themis_message_unwrap(handle, wrapped, size, message)
            if status == _SUCCESS:
                return message if _IN_PLACE else _foreign_result(message)
        if status == _INVALID_PARAMETER:
            own_type = lib.themis_message_own_type(handle)
            raise _message_error(owner._errors, wrapped, own_type, "an encrypted message")
        failed(owner._errors, status, _UNWRAP_REFUSALS)
    finally:
        del wrapped


def _keyed(c_type: str, new: Any, what: str, *, is_private: bool) -> Callable[[Errors, Any], Any]:
    """Make the function that prepares a handle of one key, which its caller frees."""

    def prepare(errors: Errors, key: Any) -> Any:
        try:
            if type(key) is not bytes:
                key = view(errors, key, what)
            made = ffi.new(c_type)
            status = new(key, len(key), made)
            if status != _SUCCESS:
                raise _key_error(errors, status, what, key, is_private=is_private)
            return made[0]
        finally:
            del key

    return prepare


_signer = _keyed("themis_signer **", lib.themis_signer_new, _PRIVATE, is_private=True)
_verifier = _keyed("themis_verifier **", lib.themis_verifier_new, _PUBLIC, is_private=False)


def signer_new(errors: Errors, private_key: Buffer) -> Any:
    """Prepare a key for any number of signatures."""
    return ffi.gc(_signer(errors, private_key), lib.themis_signer_free)


def signer_sign(owner: Owner, message: Any) -> bytes:
    """Sign a message."""
    return _sign(owner._errors, opened(owner), message)


def sign(errors: Errors, private_key: Any, message: Any) -> bytes:
    """Sign one message."""
    handle = _signer(errors, private_key)
    try:
        return _sign(errors, handle, message)
    finally:
        lib.themis_signer_free(handle)


def _sign(errors: Errors, handle: Any, message: Any) -> bytes:
    if type(message) is not bytes:
        # A copy: what is returned must be what was signed, whatever other threads do meanwhile.
        message = ffi.buffer(view(errors, message, "the message"))[:]
    size = len(message)
    if not 0 < size <= MESSAGE_MAX:
        _wrong_size(errors, "the message", size)
    header = ffi.new("uint8_t[]", _SIGNED_HEADER_SIZE)
    signature = ffi.new("uint8_t[]", lib.themis_signer_signature_max(handle))
    length = ffi.new("size_t *")
    status = lib.themis_signer_sign(handle, message, size, header, signature, length)
    if status != _SUCCESS:
        failed(errors, status)
    return b"".join((ffi.buffer(header), message, ffi.buffer(signature, length[0])))


def verifier_new(errors: Errors, public_key: Buffer) -> Any:
    """Prepare a key for any number of verifications."""
    return ffi.gc(_verifier(errors, public_key), lib.themis_verifier_free)


def verifier_verify(owner: Owner, message: Any) -> bytes:
    """Check a signed message and give what was signed."""
    return _verify(owner._errors, opened(owner), message)


def verify(errors: Errors, public_key: Any, message: Any) -> bytes:
    """Check one signed message and give what was signed."""
    handle = _verifier(errors, public_key)
    try:
        return _verify(errors, handle, message)
    finally:
        lib.themis_verifier_free(handle)


def _verify(errors: Errors, handle: Any, message: Any) -> bytes:
    if type(message) is not bytes:
        # A copy: what is returned must be what was checked, whatever other threads do meanwhile.
        message = ffi.buffer(view(errors, message, "the signed message"))[:]
    length = ffi.new("size_t *")
    status = lib.themis_verifier_verify(handle, message, len(message), length)
    if status == _SUCCESS:
        content: bytes = message[_SIGNED_HEADER_SIZE : _SIGNED_HEADER_SIZE + length[0]]
        return content
    if status == _INVALID_PARAMETER:
        raise _message_error(errors, message, lib.themis_verifier_type(handle), "a signed message")
    failed(errors, status, _VERIFY_REFUSALS)


# ---- Secure Session ----

SESSION_OVERHEAD: int = lib.THEMIS_SESSION_OVERHEAD
SESSION_MESSAGE_MAX: int = lib.THEMIS_SESSION_MESSAGE_MAX
SESSION_IDLE: int = lib.THEMIS_SESSION_IDLE
SESSION_WAITING_FOR_2: int = lib.THEMIS_SESSION_WAITING_FOR_2
SESSION_WAITING_FOR_3: int = lib.THEMIS_SESSION_WAITING_FOR_3
SESSION_WAITING_FOR_4: int = lib.THEMIS_SESSION_WAITING_FOR_4
SESSION_ESTABLISHED: int = lib.THEMIS_SESSION_ESTABLISHED
SESSION_FAILED: int = lib.THEMIS_SESSION_FAILED

_SEND_OUTPUT_TO_PEER: int = lib.THEMIS_SEND_OUTPUT_TO_PEER
_NOT_FINISHED: int = lib.THEMIS_SSESSION_KA_NOT_FINISHED

_IDENTITY_REFUSALS = {
    _INVALID_PARAMETER: "the private key is not a private EC key",
    _DATA_CORRUPT: "the private key is damaged",
    _NOT_SUPPORTED: "a Secure Session takes EC keys only, and the private key is an RSA key; "
    "skeygen.GenerateKeyPair(KEY_PAIR_TYPE.EC) makes a good pair",
}
_CLAIM_REFUSALS = {
    _INVALID_PARAMETER: "this is not a connect request, nor the answer to one",
    _DATA_CORRUPT: "the connect request is damaged: a checksum is wrong",
}


class Session(Owner):
    """Owns a session of the C core, in which only one thread may be at a time."""

    # Held for one call into C, never while anything else is called. Taken again by a signal
    # handler that interrupts its own thread between two such calls.
    _lock: RLock


def session_new(errors: Errors, user_id: Buffer, key: Buffer, *, reject_duplicates: bool) -> Any:
    """Prepare an identity for one session."""
    try:
        id_view = view(errors, user_id, "the user id")
        key_view = view(errors, key, "the private key")
        if len(id_view) == 0:
            wrong_value(errors, "the user id is empty")
        made = ffi.new("themis_session **")
        status = lib.themis_session_new(
            id_view, len(id_view), key_view, len(key_view), reject_duplicates, made
        )
    finally:
        id_view = key_view = None
    if status != _SUCCESS:
        failed(errors, status, _IDENTITY_REFUSALS)
    return ffi.gc(made[0], lib.themis_session_free)


def session_claimed_peer(errors: Errors, message: Any) -> bytes:
    """Tell which id a first or second negotiation message claims to come from."""
    try:
        message = view(errors, message, "the message")
        where = ffi.new("size_t[2]")
        status = lib.themis_session_claimed_peer(message, len(message), where + 0, where + 1)
        if status != _SUCCESS:
            failed(errors, status, _CLAIM_REFUSALS)
        offset, size = where
        claimed: bytes = ffi.buffer(message)[offset : offset + size]
        return claimed
    finally:
        del message


def _session_refused(session: Session, handle: Any, status: int) -> NoReturn:
    words = ffi.string(lib.themis_session_refusal(handle)).decode()
    raise session._errors.failed(status, words)


def session_state(session: Session) -> int | None:
    """Tell the state; None if the session is closed."""
    with session._lock:
        handle = session._handle
        state: int | None = None if handle is None else lib.themis_session_state(handle)
    return state


def session_remote_id(session: Session) -> bytes | None:
    """Tell the peer's id; None unless the session is established."""
    size = ffi.new("size_t *")
    with session._lock:
        handle = session._handle
        if handle is None:
            return None
        found = lib.themis_session_remote_id(handle, size)
        return ffi.buffer(found, size[0])[:] if found else None


def session_connect_request(session: Session) -> bytes:
    """Write the first negotiation message."""
    size = ffi.new("size_t *")
    with session._lock:
        handle = session._handle
        if handle is None:
            _closed(session)
        size[0] = lib.themis_session_negotiation_size(handle)
        output = ffi.new("uint8_t[]", size[0])
        status = lib.themis_session_connect_request(handle, output, size)
        if status != _SUCCESS:
            _session_refused(session, handle, status)
    request: bytes = ffi.buffer(output, size[0])[:]
    return request


def session_negotiate(session: Session, message: Any, peer_key: bytes) -> bytes:
    """Take a negotiation message; the reply, empty if there is nothing to send."""
    try:
        message = view(session._errors, message, "the message")
        size = ffi.new("size_t *")
        with session._lock:
            handle = session._handle
            if handle is None:
                _closed(session)
            size[0] = lib.themis_session_negotiation_size(handle)
            output = ffi.new("uint8_t[]", size[0])
            status = lib.themis_session_negotiate(
                handle, message, len(message), peer_key, len(peer_key), output, size
            )
            if status not in (_SUCCESS, _SEND_OUTPUT_TO_PEER):
                _session_refused(session, handle, status)
        reply: bytes = ffi.buffer(output, size[0])[:]
        return reply
    finally:
        del message


def session_wrap(session: Session, message: Any) -> bytes:
    """Encrypt a message of an established session."""
    try:
        if type(message) is not bytes:
            message = view(session._errors, message, "the message")
        size = len(message)
        if not 0 < size <= SESSION_MESSAGE_MAX:
            _wrong_size(session._errors, "the message", size, SESSION_MESSAGE_MAX)
        output = _output(size + SESSION_OVERHEAD)
        now = int(time())
        with session._lock:
            handle = session._handle
            if handle is None:
                _closed(session)
            status = lib.themis_session_wrap(handle, now if now > 0 else 0, message, size, output)
            if status != _SUCCESS:
                _session_refused(session, handle, status)
        return output if _IN_PLACE else _foreign_result(output)
    finally:
        del message


def session_unwrap(session: Session, message: Any, kind: type[BytesT]) -> BytesT | None:
    """Decrypt a message into an object of this kind; None if the session still negotiates."""
    try:
        if type(message) is not bytes:
            message = view(session._errors, message, "the message")
        size = len(message)
        room = size - SESSION_OVERHEAD if size > SESSION_OVERHEAD else 0  # C refuses short ones
        output: Any = kind(room) if _IN_PLACE else _foreign_output(room)
        now = int(time())
        with session._lock:
            handle = session._handle
            if handle is None:
                _closed(session)
            status = lib.themis_session_unwrap(handle, now if now > 0 else 0, message, size, output)
            if status == _NOT_FINISHED:
                return None
            if status != _SUCCESS:
                _session_refused(session, handle, status)
        return output if _IN_PLACE else kind(_foreign_result(output))
    finally:
        del message


# ---- Secure Comparator ----


class ComparatorOwner(Owner):
    """Owns one side of a comparison, which one thread at a time may use.

    The lock can be taken again by the thread that has it: a signal handler may run in the middle
    of a call, though never in the middle of its C part.
    """

    def __init__(self) -> None:
        self._lock = RLock()


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
