# SPDX-License-Identifier: Apache-2.0
"""Secure Cell: data at rest, under a key or a passphrase (specification, section 3).

======================  =======================  ===================  =========================
class                   output                   detects tampering    for
======================  =======================  ===================  =========================
`SCellSeal`             44 bytes longer          yes                  the default
`SCellSealPassphrase`   70 bytes longer          yes                  secrets that people type
`SCellTokenProtect`     same length, and 44      yes                  columns of fixed length
                        bytes of token apart
`SCellContextImprint`   same length              **no**               no room for a token
======================  =======================  ===================  =========================

Messages have 1 to 2^32-1 bytes; any bytes-like object will do. Objects are immutable: threads may
share them, and `copy.copy` and `copy.deepcopy` return the object itself. Everything that fails
raises `SecureCellError`.

Each class also has, for programs that count microseconds, ``encrypt_into`` and ``decrypt_into``,
which write into a buffer of yours, and ``encrypt_many`` and ``decrypt_many`` for whole lists.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from . import _compat
from ._core import cell_lists, cell_passphrases, cells, errors, legacy, owner
from ._typing import Buffer, Self
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError

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

Form: TypeAlias = Literal["NFC", "NFKC"]
Contexts: TypeAlias = Buffer | Iterable[Buffer | None] | None
ReadContexts: TypeAlias = Buffer | str | Iterable[Buffer | str | None] | None  # text: of 0.15

DEFAULT_ITERATIONS = cell_passphrases.ITERATIONS
DEFAULT_MIN_ITERATIONS = cell_passphrases.MIN_ITERATIONS
DEFAULT_MAX_ITERATIONS = cell_passphrases.MAX_ITERATIONS
NORMALIZE_MAX = 1024  # characters


class SecureCellError(ThemisError):
    """A Secure Cell refused its arguments or its data.

    Attributes:
        index: which message of a list it is about, counted from 0; None where there is no list.
    """

    index: int | None = None


class SecureCellTypeError(SecureCellError, TypeError):
    """An argument has the wrong type."""


class SecureCellValueError(SecureCellError, ValueError):
    """An argument has the right type and an impossible value."""


_ERRORS = errors.Errors(SecureCellError, SecureCellTypeError, SecureCellValueError)


def legacy_text(text: str) -> bytes:
    """Return the bytes that pythemis 0.15 took from a ``str`` key or context.

    For programs that must go on as before, and for data of theirs. Three of four bytes of an
    ASCII text are zero, and only a quarter of it counts: give new data bytes of their own.

    Args:
        text: the key or the context of old.

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

    def _prepare(self, key: Buffer | None, *, compat_096: bool = False) -> None:
        if key is None:
            errors.wrong_value(_ERRORS, f"{type(self).__name__} needs a key")
        owner.own(self, cells.new, key, compat_096=bool(compat_096))


class SCellSeal(_KeyedCell):
    """Secure Cell in Seal mode: the one to take unless you need another.

    Args:
        key: 1 byte or more, best 32 from `pythemis.skeygen.GenerateSymmetricKey`. A key that is
            plainly the base64 or hex of 32 bytes warns: decode it first.
        passphrase: instead of a key; the result is then an `SCellSealPassphrase`.
        encoding: how a passphrase of type ``str`` becomes bytes; see `SCellSealPassphrase`.
        compat_096: also read what Themis 0.9.6 wrote on 64-bit machines. Tried only after the
            normal way failed, so it makes failures twice as slow.
        normalize, iterations, min_iterations, max_iterations: see `SCellSealPassphrase`.

    Raises:
        SecureCellError: neither or both of key and passphrase, or an empty one.
    """

    def __new__(cls, *keys: Any, key: object = None, passphrase: object = None, **_: Any) -> Self:
        """Choose the class: a passphrase makes an `SCellSealPassphrase`."""
        if cls is not SCellSeal or passphrase is None:
            return super().__new__(cls)
        if keys or key is not None:
            errors.wrong_value(_ERRORS, "give a key or a passphrase, not both")
        instead: Any = object.__new__(SCellSealPassphrase)
        return instead  # type: ignore[no-any-return]

    @overload
    def __init__(self, key: Buffer, *, compat_096: bool = False) -> None: ...

    @overload
    def __init__(
        self,
        *,
        passphrase: Buffer | str,
        encoding: str = "utf-8",
        normalize: Form | None = None,
        iterations: int = DEFAULT_ITERATIONS,
        min_iterations: int = DEFAULT_MIN_ITERATIONS,
        max_iterations: int = DEFAULT_MAX_ITERATIONS,
    ) -> None: ...

    def __init__(
        self,
        key: Buffer | None = None,
        *,
        passphrase: Buffer | str | None = None,
        encoding: str | None = None,
        compat_096: bool = False,
        normalize: Form | None = None,
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
            context: any bytes that decryption will have to repeat, such as a record's id; it is
                not stored. Empty is the same as None.

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
            SecureCellError: a wrong key or context, or data that is damaged or something else.
        """
        return cells.unseal(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer | None = None) -> int:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable; `message` may lie in it exactly where its ciphertext comes, behind
                44 bytes: ``encrypt_into(buffer, memoryview(buffer)[44:])``. Nothing else that is
                read may overlap it.
            message: 1 to 2^32-1 bytes.
            context: as for `encrypt`.

        Returns:
            How many bytes were written, ``len(message) + 44``.

        Raises:
            SecureCellError: as `encrypt`; a buffer that is too small, read-only or in the way.
        """
        return cells.seal_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `decrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable; it may begin exactly where in `message` the ciphertext begins:
                ``decrypt_into(memoryview(data)[44:], data)``.
            message: the encrypted message, 45 bytes or more.
            context: what was given to `encrypt`.

        Returns:
            How many bytes were written, ``len(message) - 44``.

        Raises:
            SecureCellError: as `decrypt`, and then as much of the buffer as the message would
                take is zeros or unchanged; a buffer that is too small, read-only or in the way.
        """
        return cells.unseal_into(self, buffer, message, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, or one for all of them.
            threads: how many threads share the work, at most; other Python threads run meanwhile.

        Returns:
            What `encrypt` would return for each, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused; its ``index``
                tells which that is. Nothing is returned then.
        """
        return cell_lists.seal_list(self, messages, contexts, threads)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt a list of what `encrypt` or `encrypt_many` returned.

        Arguments, order and errors are like those of `encrypt_many`.
        """
        return cell_lists.unseal_list(self, messages, contexts, threads)


# What help() and editors show is how an object is made, not how its class is chosen.
SCellSeal.__new__.__wrapped__ = SCellSeal.__init__  # type: ignore[attr-defined]


class SCellSealPassphrase(SCellSeal):
    """Secure Cell in Seal mode with a passphrase, which is stretched with PBKDF2.

    Slow on purpose, so that guessing is slow as well: tens of milliseconds for each message.

    Args:
        passphrase: text, or its bytes; not empty.
        encoding: how text becomes bytes; other languages use UTF-8.
        normalize: "NFC" or "NFKC": bring text of at most 1024 characters to this Unicode form
            first, so that it does not matter how a keyboard composes accents. None takes text
            as it is, as other languages do. Bytes are refused with it.
        iterations: how many iterations of PBKDF2 a new cell takes, from min_iterations to
            max_iterations; 314110, as in every Themis, unless given.
        min_iterations: the fewest iterations of a cell that is read, 1 to max_iterations;
            200000, the fewest that any Themis wrote, unless given. With fewer, guessing is fast.
        max_iterations: the most iterations of a cell that is read, up to 2147483647; 5000000
            unless given. A hostile cell that asks for more could keep you busy for minutes.

    Raises:
        SecureCellError: an empty passphrase, one that the encoding cannot express or that is too
            long to normalise, iterations out of their range.
    """

    def __init__(
        self,
        passphrase: Buffer | str | None = None,
        encoding: str = "utf-8",
        *,
        key: None = None,
        normalize: Form | None = None,
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
            SecureCellError: a wrong passphrase or context, data that is damaged or something
                else, or iterations outside of ``min_iterations`` to ``max_iterations``.
        """
        return cell_passphrases.unseal(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer | None = None) -> int:
        """Encrypt as `SCellSeal.encrypt_into` does, with 70 in the place of 44."""
        return cell_passphrases.seal_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `SCellSeal.decrypt_into` does, with 70 in the place of 44."""
        return cell_passphrases.unseal_into(self, buffer, message, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt as `SCellSeal.encrypt_many` does; only more threads make this faster."""
        function = cell_passphrases.seal
        return cell_lists.one_by_one(self, function, messages, contexts, threads, reads=False)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt as `SCellSeal.decrypt_many` does; only more threads make this faster."""
        function = cell_passphrases.unseal
        return cell_lists.one_by_one(self, function, messages, contexts, threads, reads=True)


class SCellTokenProtect(_KeyedCell):
    """Secure Cell in Token Protect mode: as safe as Seal, with the token stored elsewhere.

    Args:
        key: 1 byte or more, best 32 from `pythemis.skeygen.GenerateSymmetricKey`. A key that is
            plainly the base64 or hex of 32 bytes warns: decode it first.
        compat_096: also read what Themis 0.9.6 wrote on 64-bit machines.

    Raises:
        SecureCellError: a missing or empty key.
    """

    def __init__(self, key: Buffer, *, compat_096: bool = False) -> None:
        self._prepare(key, compat_096=compat_096)

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> tuple[bytes, bytes]:
        """Encrypt a message and bind it to a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: any bytes that decryption will have to repeat; empty is the same as None.

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
            token: its token, 44 bytes; any that follow are ignored.
            context: what was given to `encrypt`.

        Returns:
            The original message, of the same length.

        Raises:
            SecureCellError: a wrong key, token or context, or damaged data.
        """
        return cells.unprotect(self, message, token, context)

    def encrypt_into(
        self, buffer: Buffer, message: Buffer, context: Buffer | None = None
    ) -> tuple[int, bytes]:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the message
                does. Nothing else that is read may overlap it.
            message: 1 to 2^32-1 bytes.
            context: as for `encrypt`.

        Returns:
            How many bytes were written, ``len(message)``, and the token of 44 bytes.

        Raises:
            SecureCellError: as `encrypt`; a buffer that is too small, read-only or in the way.
        """
        return cells.protect_into(self, buffer, message, context)

    def decrypt_into(
        self, buffer: Buffer, message: Buffer, token: Buffer, context: Buffer | str | None = None
    ) -> int:
        """Decrypt as `decrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the encrypted
                message does. Nothing else that is read may overlap it.
            message: the encrypted message.
            token: its token.
            context: what was given to `encrypt`.

        Returns:
            How many bytes were written, ``len(message)``.

        Raises:
            SecureCellError: as `decrypt`, and then as much of the buffer as the message would
                take is zeros or unchanged; a buffer that is too small, read-only or in the way.
        """
        return cells.unprotect_into(self, buffer, message, token, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[tuple[bytes, bytes]]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, or one for all of them.
            threads: how many threads share the work, at most; other Python threads run meanwhile.

        Returns:
            What `encrypt` would return for each, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused; its ``index``
                tells which that is. Nothing is returned then.
        """
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
        return cell_lists.unprotect_list(self, messages, tokens, contexts, threads)


class SCellContextImprint(_KeyedCell):
    """Secure Cell in Context Imprint mode: nothing is added, and **nothing is authenticated**.

    A wrong key or context gives garbage and no error, and so does damaged data. The same message
    with the same context always encrypts alike, and two messages of one length and one context
    are encrypted with the same key stream: give every message a context of its own.

    Args:
        key: 1 byte or more, best 32 from `pythemis.skeygen.GenerateSymmetricKey`. A key that is
            plainly the base64 or hex of 32 bytes warns: decode it first.

    Raises:
        SecureCellError: a missing or empty key.
    """

    def __init__(self, key: Buffer) -> None:
        self._prepare(key)

    def encrypt(self, message: Buffer, context: Buffer) -> bytes:
        """Encrypt a message under a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: 1 byte or more, different for every message.

        Returns:
            As many bytes as the message has, the same each time.

        Raises:
            SecureCellError: an empty or too long message, a missing context, a wrong type.
        """
        return cells.imprint(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | str) -> bytes:
        """Decrypt what `encrypt` returned; check yourself that the result makes sense.

        Args:
            message: the encrypted message.
            context: what was given to `encrypt`.

        Returns:
            The original message, or garbage if anything was wrong.

        Raises:
            SecureCellError: an empty or too long message, a missing context, a wrong type.
        """
        return cells.unimprint(self, message, context)

    def encrypt_into(self, buffer: Buffer, message: Buffer, context: Buffer) -> int:
        """Encrypt as `encrypt` does, into the first bytes of a buffer.

        Args:
            buffer: writable, of ``len(message)`` bytes or more; it may begin where the message
                does. Nothing else that is read may overlap it.
            message: 1 to 2^32-1 bytes.
            context: 1 byte or more.

        Returns:
            How many bytes were written, ``len(message)``.

        Raises:
            SecureCellError: as `encrypt`; a buffer that is too small, read-only or in the way.
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
            threads: how many threads share the work, at most; other Python threads run meanwhile.

        Returns:
            What `encrypt` would return for each, in the same order.

        Raises:
            SecureCellError: as `encrypt`, for the first message that is refused; its ``index``
                tells which that is. Nothing is returned then.
        """
        return cell_lists.imprint_list(self, messages, contexts, threads, encrypts=True)

    def decrypt_many(
        self, messages: Iterable[Buffer], contexts: ReadContexts, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt a list of what `encrypt` returned, with one context for each or one for all."""
        return cell_lists.imprint_list(self, messages, contexts, threads, encrypts=False)


def _normalised(passphrase: Buffer | str, form: Form) -> str:
    if not isinstance(form, str):
        errors.wrong_type(_ERRORS, "normalize must be 'NFC', 'NFKC' or None")
    if form not in ("NFC", "NFKC"):
        errors.wrong_value(_ERRORS, "normalize must be 'NFC', 'NFKC' or None")
    if not isinstance(passphrase, str):
        errors.wrong_value(_ERRORS, "normalize is for a passphrase of type str, not for bytes")
    if len(passphrase) > NORMALIZE_MAX:  # many accents on one letter cost quadratic time
        problem = f"a passphrase of more than {NORMALIZE_MAX} characters is not normalised"
        errors.wrong_value(_ERRORS, problem)
    return unicodedata.normalize(form, passphrase)


def _encoded(passphrase: str, encoding: str) -> bytes:
    if not isinstance(encoding, str):
        errors.wrong_type(_ERRORS, "encoding must be the name of one, a str")
    try:
        return passphrase.encode(encoding)
    except LookupError:  # it may be the passphrase, in the wrong place
        problem = "this encoding is not known; the passphrase comes first, then its encoding"
    except ValueError:  # its text can show the passphrase, so it is not chained
        problem = f"the passphrase cannot be expressed in {encoding!r}"
    return errors.wrong_value(_ERRORS, problem)


if TYPE_CHECKING:  # a name that is not there must not pass for one
    scell_seal = SCellSeal
    scell_token_protect = SCellTokenProtect
    scell_context_imprint = SCellContextImprint
else:
    __getattr__ = _compat.deprecated_names(
        __name__,
        {
            "scell_seal": "SCellSeal",
            "scell_token_protect": "SCellTokenProtect",
            "scell_context_imprint": "SCellContextImprint",
        },
    )
