# SPDX-License-Identifier: Apache-2.0
"""Secure Cell: data at rest, under a key or a passphrase (specification, section 3).

======================  =======================  ===================  =========================
class                   output                   detects tampering    for
======================  =======================  ===================  =========================
`SCellSeal`             44 bytes longer          yes                  the default
`SCellSealPassphrase`   70 bytes longer          yes                  secrets that people type
`SCellTokenProtect`     same length, and a       yes                  columns of fixed length
                        token of 44 bytes
`SCellContextImprint`   same length              **no**               no room for a token
======================  =======================  ===================  =========================

Messages have 1 to 2^32-1 bytes, in any bytes-like object. Objects are immutable: threads may share
them, and `copy.copy` and `copy.deepcopy` return the object itself. Every failure raises
`SecureCellError`.

For performance-critical code each class also has ``encrypt_into`` and ``decrypt_into``, which write
into a buffer of yours, and ``encrypt_many`` and ``decrypt_many`` for whole lists.
"""

from __future__ import annotations

from _collections_abc import Iterable

from . import _compat, _hints
from ._core import cell_passphrases, cells, errors, legacy, owner
from ._core.late import Loading
from ._core.secret import Key
from ._hints import Buffer
from .exception import ThemisError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias, overload

    from .exception import THEMIS_CODES as THEMIS_CODES

__all__ = [
    "SCellContextImprint",
    "SCellSeal",
    "SCellSealPassphrase",
    "SCellTokenProtect",
    "SecureCellError",
    "SecureCellTypeError",
    "SecureCellValueError",
    "legacy_text",
]

Contexts: TypeAlias = Buffer | Iterable[Buffer | None] | None
ReadContexts: TypeAlias = Buffer | str | Iterable[Buffer | str | None] | None  # text: of 0.15

DEFAULT_ITERATIONS = cell_passphrases.ITERATIONS
DEFAULT_MIN_ITERATIONS = cell_passphrases.MIN_ITERATIONS
DEFAULT_MAX_ITERATIONS = cell_passphrases.MAX_ITERATIONS
NORMALIZE_MAX = 1024  # characters


class SecureCellError(ThemisError):
    """A Secure Cell refused its arguments or its data.

    Attributes:
        index: the index of the message in a list, counted from 0; None if there is no list.
    """

    index: int | None = None


class SecureCellTypeError(SecureCellError, TypeError):
    """An argument has the wrong type."""


class SecureCellValueError(SecureCellError, ValueError):
    """An argument has the right type and an impossible value."""


_ERRORS = errors.Errors(SecureCellError, SecureCellTypeError, SecureCellValueError)


def legacy_text(text: str) -> bytes:
    """Return the bytes that pythemis 0.15 took from a ``str`` key or context.

    Use it for data that 0.15 wrote, and never for new data: only the first quarter of an ASCII text
    is used, and three of four bytes are zero.

    Args:
        text: the ``str`` that was the key or the context.

    Returns:
        The first ``len(text)`` bytes of the text in UTF-32-LE.

    Raises:
        SecureCellError: something other than text.
    """
    if not isinstance(text, str):
        errors.wrong_type(_ERRORS, f"legacy_text takes a str, not {type(text).__name__}")
    return legacy.legacy_text(text)


class _KeyedCell(owner.Immutable):
    _errors = _ERRORS

    def _prepare(self, key: Key | None, *, compat_096: bool = False) -> None:
        if key is None:
            errors.wrong_value(_ERRORS, f"{type(self).__name__} needs a key")
        owner.own(self, cells.new, key, compat_096=bool(compat_096))


class SCellSeal(_KeyedCell):
    """Secure Cell in Seal mode: the recommended default (specification, section 3).

    Args:
        key: 1 byte or more; 32 bytes from `pythemis.skeygen.GenerateSymmetricKey` are recommended.
            A key that is the base64 or hex text of 32 bytes causes a warning: decode it first.
        passphrase: instead of a key; the result is then an `SCellSealPassphrase`.
        encoding: how a passphrase of type ``str`` becomes bytes; see `SCellSealPassphrase`.
        compat_096: also read what Themis 0.9.6 wrote on 64-bit machines. It is tried only after
            normal decryption failed, so failures take twice as long.
        normalize, iterations, min_iterations, max_iterations: see `SCellSealPassphrase`.

    Raises:
        SecureCellError: neither or both of key and passphrase, or an empty one.
    """

    def __new__(
        cls, *keys: _hints.Any, key: object = None, passphrase: object = None, **_: _hints.Any
    ) -> _hints.Self:
        """Choose the class: a passphrase makes an `SCellSealPassphrase`."""
        if cls is not SCellSeal or passphrase is None:
            return super().__new__(cls)
        if keys or key is not None:
            errors.wrong_value(_ERRORS, "give a key or a passphrase, not both")
        instead: _hints.Any = object.__new__(SCellSealPassphrase)
        return instead  # type: ignore[no-any-return]

    if TYPE_CHECKING:

        @overload
        def __init__(self, key: Key, *, compat_096: bool = False) -> None: ...

        @overload
        def __init__(
            self,
            *,
            passphrase: Key | str,
            encoding: str = "utf-8",
            normalize: _hints.Form | None = None,
            iterations: int = DEFAULT_ITERATIONS,
            min_iterations: int = DEFAULT_MIN_ITERATIONS,
            max_iterations: int = DEFAULT_MAX_ITERATIONS,
        ) -> None: ...

    def __init__(
        self,
        key: Key | None = None,
        *,
        passphrase: Key | str | None = None,
        encoding: str | None = None,
        compat_096: bool = False,
        normalize: _hints.Form | None = None,
        iterations: int | None = None,
        min_iterations: int | None = None,
        max_iterations: int | None = None,
    ) -> None:
        if passphrase is not None:
            errors.wrong_value(_ERRORS, f"{type(self).__name__} takes a key, not a passphrase")
        if key is None:
            errors.wrong_value(
                _ERRORS,
                "give a key or a passphrase: SCellSeal(key=...) or SCellSeal(passphrase=...)",
            )
        given = {
            "encoding": encoding,
            "normalize": normalize,
            "iterations": iterations,
            "min_iterations": min_iterations,
            "max_iterations": max_iterations,
        }
        for name, value in given.items():
            if value is not None:  # a passphrase was meant, and would not be stretched
                errors.wrong_value(_ERRORS, f"{name} is for SCellSeal(passphrase=...), not a key")
        self._prepare(key, compat_096=compat_096)

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Encrypt a message and bind it to a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: any bytes, such as a record's id; it is not stored, and you must pass it again
                to `decrypt`. Empty is the same as None.

        Returns:
            ``len(message) + 44`` bytes, different each time.

        Raises:
            SecureCellError: an empty or too long message, a wrong type.
        """
        return cells.seal(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | str | None = None) -> bytes:
        """Decrypt what `encrypt` returned.

        Args:
            message: the encrypted message, 45 bytes or more.
            context: what was given to `encrypt`.

        Returns:
            The original message, 44 bytes shorter.

        Raises:
            SecureCellError: a wrong key or context, or data that is corrupted or no such cell.
        """
        return cells.unseal(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer | None = None) -> int:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable. `message` may be in it at offset 44, where its ciphertext is written:
                ``encrypt_into(buffer, memoryview(buffer)[44:])``. No other input may overlap it.
            message: 1 to 2^32-1 bytes.
            context: as for `encrypt`.

        Returns:
            The number of bytes written, ``len(message) + 44``.

        Raises:
            SecureCellError: as `encrypt`; or a buffer that is too small, is read-only or overlaps
                an input.
        """
        return cells.seal_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `decrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable; it may begin at the ciphertext in `message`, at offset 44:
                ``decrypt_into(memoryview(data)[44:], data)``.
            message: the encrypted message, 45 bytes or more.
            context: what was given to `encrypt`.

        Returns:
            The number of bytes written, ``len(message) - 44``.

        Raises:
            SecureCellError: as `decrypt`; the part of the buffer for the message is then zeroed or
                unchanged. Or a buffer that is too small, is read-only or overlaps an input.
        """
        return cells.unseal_into(self, buffer, message, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, or one for all of them.
            threads: the most threads that share the work; other Python threads run meanwhile.

        Returns:
            A list with the result of `encrypt` for each message, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused, with its
                ``index``. Then no result is returned.
        """
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.seal_list(self, messages, contexts, threads)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt a list of what `encrypt` or `encrypt_many` returned.

        Arguments, order and errors are like those of `encrypt_many`.
        """
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.unseal_list(self, messages, contexts, threads)


# What help() and editors show is how an object is made, not how its class is chosen.
SCellSeal.__new__.__wrapped__ = SCellSeal.__init__  # type: ignore[attr-defined]


class SCellSealPassphrase(SCellSeal):
    """Secure Cell in Seal mode with a passphrase (specification, section 3).

    PBKDF2 derives the key. It is slow on purpose, so that guessing is slow as well: tens of
    milliseconds for each message.

    Args:
        passphrase: text, or its bytes; not empty.
        encoding: how text becomes bytes; other languages use UTF-8.
        normalize: "NFC" or "NFKC": normalise text of at most 1024 characters to this Unicode form
            first, so that it does not matter how a keyboard composes accents. None leaves text
            as it is, as other languages do. Bytes cannot be normalised.
        iterations: the PBKDF2 iteration count of new cells, from min_iterations to
            max_iterations. The default, 314110, is that of every Themis.
        min_iterations: the fewest iterations that a cell may have to be decrypted, 1 to
            max_iterations. The default is 200000, the fewest that any Themis wrote. Fewer
            iterations make guessing fast.
        max_iterations: the most iterations that a cell may have to be decrypted, up to 2147483647.
            The default is 5000000. A hostile cell with more could block you for minutes.

    Raises:
        SecureCellError: an empty passphrase, one that the encoding cannot express or that is too
            long to normalise, iterations out of range.
    """

    def __init__(
        self,
        passphrase: Key | str | None = None,
        encoding: str = "utf-8",
        *,
        key: None = None,
        normalize: _hints.Form | None = None,
        iterations: int = DEFAULT_ITERATIONS,
        min_iterations: int = DEFAULT_MIN_ITERATIONS,
        max_iterations: int = DEFAULT_MAX_ITERATIONS,
    ) -> None:
        if passphrase is None or key is not None:
            errors.wrong_value(_ERRORS, "SCellSealPassphrase takes a passphrase, and no key")
        if normalize is not None:
            passphrase = _normalised(passphrase, normalize)
        if isinstance(passphrase, str):
            passphrase = _encoded(passphrase, encoding)
        owner.own(
            self,
            cell_passphrases.new,
            passphrase,
            iterations=iterations,
            min_iterations=min_iterations,
            max_iterations=max_iterations,
        )

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Encrypt as `SCellSeal.encrypt` does; the result has ``len(message) + 70`` bytes."""
        return cell_passphrases.seal(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | str | None = None) -> bytes:
        """Decrypt as `SCellSeal.decrypt` does.

        Raises:
            SecureCellError: a wrong passphrase or context, data that is corrupted or no such cell,
                or iterations outside of ``min_iterations`` to ``max_iterations``.
        """
        return cell_passphrases.unseal(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer | None = None) -> int:
        """Encrypt as `SCellSeal.encrypt_into` does, with 70 bytes instead of 44."""
        return cell_passphrases.seal_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `SCellSeal.decrypt_into` does, with 70 bytes instead of 44."""
        return cell_passphrases.unseal_into(self, buffer, message, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt as `SCellSeal.encrypt_many` does; it is faster only with more threads."""
        function = cell_passphrases.seal
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.one_by_one(self, function, messages, contexts, threads, reads=False)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt as `SCellSeal.decrypt_many` does; it is faster only with more threads."""
        function = cell_passphrases.unseal
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.one_by_one(self, function, messages, contexts, threads, reads=True)


class SCellTokenProtect(_KeyedCell):
    """Secure Cell in Token Protect mode: as secure as Seal, but the token is returned separately.

    See the specification, section 3.

    Args:
        key: 1 byte or more; 32 bytes from `pythemis.skeygen.GenerateSymmetricKey` are recommended.
            A key that is the base64 or hex text of 32 bytes causes a warning: decode it first.
        compat_096: also read what Themis 0.9.6 wrote on 64-bit machines.

    Raises:
        SecureCellError: a missing or empty key.
    """

    def __init__(self, key: Key, *, compat_096: bool = False) -> None:
        self._prepare(key, compat_096=compat_096)

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> tuple[bytes, bytes]:
        """Encrypt a message and bind it to a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: any bytes; it is not stored, and you must pass it again to `decrypt`. Empty is
                the same as None.

        Returns:
            The encrypted message, of the message's length, and the token of 44 bytes.

        Raises:
            SecureCellError: an empty or too long message, a wrong type.
        """
        return cells.protect(self, message, context)

    def decrypt(self, message: Buffer, token: Buffer, context: Buffer | str | None = None) -> bytes:
        """Decrypt what `encrypt` returned.

        Args:
            message: the encrypted message.
            token: its token, 44 bytes; bytes after them are ignored.
            context: what was given to `encrypt`.

        Returns:
            The original message, of the same length.

        Raises:
            SecureCellError: a wrong key, token or context, or corrupted data.
        """
        return cells.unprotect(self, message, token, context)

    def encrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | None = None
    ) -> tuple[int, bytes]:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the message
                does. No other input may overlap it.
            message: 1 to 2^32-1 bytes.
            context: as for `encrypt`.

        Returns:
            The number of bytes written, ``len(message)``, and the token of 44 bytes.

        Raises:
            SecureCellError: as `encrypt`; or a buffer that is too small, is read-only or overlaps
                an input.
        """
        return cells.protect_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, token: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `decrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the encrypted
                message does. No other input may overlap it.
            message: the encrypted message.
            token: its token.
            context: what was given to `encrypt`.

        Returns:
            The number of bytes written, ``len(message)``.

        Raises:
            SecureCellError: as `decrypt`; the part of the buffer for the message is then zeroed or
                unchanged. Or a buffer that is too small, is read-only or overlaps an input.
        """
        return cells.unprotect_into(self, buffer, message, token, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[tuple[bytes, bytes]]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, or one for all of them.
            threads: the most threads that share the work; other Python threads run meanwhile.

        Returns:
            A list with the result of `encrypt` for each message, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused, with its
                ``index``. Then no result is returned.
        """
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.protect_list(self, messages, contexts, threads)

    def decrypt_many(
        self,
        messages: Iterable[Buffer],
        tokens: Iterable[Buffer],
        contexts: ReadContexts = None,
        *,
        threads: int = 1,
    ) -> list[bytes]:
        """Decrypt a list of encrypted messages with their tokens.

        Arguments, order and errors are like those of `encrypt_many`.
        """
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.unprotect_list(self, messages, tokens, contexts, threads)


class SCellContextImprint(_KeyedCell):
    """Secure Cell in Context Imprint mode: the same length, and **nothing is authenticated**.

    Decryption with a wrong key or context, or of corrupted data, returns garbage and raises no
    error. The same message with the same context always has the same ciphertext, and two messages
    of one length and one context are encrypted with the same key stream: give every message a
    context of its own. See the specification, section 3.

    Args:
        key: 1 byte or more; 32 bytes from `pythemis.skeygen.GenerateSymmetricKey` are recommended.
            A key that is the base64 or hex text of 32 bytes causes a warning: decode it first.

    Raises:
        SecureCellError: a missing or empty key.
    """

    def __init__(self, key: Key) -> None:
        self._prepare(key)

    def encrypt(self, message: Buffer, context: Buffer) -> bytes:
        """Encrypt a message under a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: 1 byte or more, different for every message.

        Returns:
            ``len(message)`` bytes, the same each time.

        Raises:
            SecureCellError: an empty or too long message, a missing context, a wrong type.
        """
        return cells.imprint(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | str) -> bytes:
        """Decrypt what `encrypt` returned; you must check the result yourself.

        Args:
            message: the encrypted message.
            context: what was given to `encrypt`.

        Returns:
            The original message, or garbage if the key, the context or the data is wrong.

        Raises:
            SecureCellError: an empty or too long message, a missing context, a wrong type.
        """
        return cells.unimprint(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer) -> int:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the message
                does. No other input may overlap it.
            message: 1 to 2^32-1 bytes.
            context: 1 byte or more.

        Returns:
            The number of bytes written, ``len(message)``.

        Raises:
            SecureCellError: as `encrypt`; or a buffer that is too small, is read-only or overlaps
                an input.
        """
        return cells.imprint_into(self, buffer, message, context)

    def decrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer | str) -> int:
        """Decrypt into the first bytes of a buffer; the same as `encrypt_into`."""
        return cells.unimprint_into(self, buffer, message, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Iterable[Buffer], *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, all different, 1 byte or more each.
            threads: the most threads that share the work; other Python threads run meanwhile.

        Returns:
            A list with the result of `encrypt` for each message, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused, with its
                ``index``. Then no result is returned.
        """
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.imprint_list(self, messages, contexts, threads, encrypts=True)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt a list of what `encrypt` returned, with one context for each or one for all."""
        with Loading(_ERRORS):
            from ._core import cell_lists

        return cell_lists.imprint_list(self, messages, contexts, threads, encrypts=False)


def _normalised(passphrase: Key | str, form: _hints.Form) -> str:
    if not isinstance(form, str):
        errors.wrong_type(_ERRORS, "normalize must be 'NFC', 'NFKC' or None")
    if form not in ("NFC", "NFKC"):
        errors.wrong_value(_ERRORS, "normalize must be 'NFC', 'NFKC' or None")
    if not isinstance(passphrase, str):
        errors.wrong_value(_ERRORS, "normalize is for a passphrase of type str, not for bytes")
    if len(passphrase) > NORMALIZE_MAX:  # many accents on one letter cost quadratic time
        problem = f"a passphrase of more than {NORMALIZE_MAX} characters is not normalised"
        errors.wrong_value(_ERRORS, problem)
    with Loading(_ERRORS):
        import unicodedata  # only by programs that use it

    return unicodedata.normalize(form, passphrase)


def _encoded(passphrase: str, encoding: str) -> bytes:
    if not isinstance(encoding, str):
        errors.wrong_type(_ERRORS, "encoding must be the name of one, a str")
    try:
        return passphrase.encode(encoding)
    except LookupError:  # it may be the passphrase, in the wrong place
        problem = "this encoding is not known; the passphrase comes first, then its encoding"
    except OSError as error:
        problem = f"this encoding cannot be loaded now: {error}"
    except ValueError:  # its text can show the passphrase, so it is not chained
        problem = f"the passphrase cannot be expressed in {encoding!r}"
    return errors.wrong_value(_ERRORS, problem)


if TYPE_CHECKING:  # misspelled names must not pass the type check
    scell_seal = SCellSeal
    scell_token_protect = SCellTokenProtect
    scell_context_imprint = SCellContextImprint
else:
    __getattr__ = _compat.with_codes(
        _compat.deprecated_names(
            __name__,
            {
                "scell_seal": "SCellSeal",
                "scell_token_protect": "SCellTokenProtect",
                "scell_context_imprint": "SCellContextImprint",
            },
        )
    )
