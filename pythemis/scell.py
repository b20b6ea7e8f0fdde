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

Messages have 1 to 2^32-1 bytes; any bytes-like object will do. Objects are immutable: threads
may share them. Everything that fails raises `SecureCellError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _compat, _core
from .exception import ThemisError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = [
    "SCellContextImprint",
    "SCellSeal",
    "SCellSealPassphrase",
    "SCellTokenProtect",
    "SecureCellError",
    "SecureCellTypeError",
    "SecureCellValueError",
]

DEFAULT_MAX_ITERATIONS = _core.MAX_ITERATIONS


class SecureCellError(ThemisError):
    """A Secure Cell refused its arguments or its data."""


class SecureCellTypeError(SecureCellError, TypeError):
    """An argument has the wrong type."""


class SecureCellValueError(SecureCellError, ValueError):
    """An argument has the right type and an impossible value."""


_ERRORS = _core.Errors(SecureCellError, SecureCellTypeError, SecureCellValueError)


class _KeyedCell(_core.Owner):
    _errors = _ERRORS

    def _prepare(self, key: Buffer | None, *, compat_096: bool = False) -> None:
        if key is None:
            _core.wrong_value(_ERRORS, f"{type(self).__name__} needs a key")
        if isinstance(key, str):
            key = _compat.bytes_of_text_key(key)
        self._handle = _core.cell_new(_ERRORS, key, compat_096=bool(compat_096))


class SCellSeal(_KeyedCell):
    """Secure Cell in Seal mode: the one to take unless you need another.

    Args:
        key: 1 byte or more, best 32 from `skeygen.GenerateSymmetricKey`.
        passphrase: instead of a key; the result is then an `SCellSealPassphrase`.
        encoding: how a passphrase of type ``str`` becomes bytes.
        compat_096: also read what Themis 0.9.6 wrote on 64-bit machines. Tried only after the
            normal way failed, so it makes failures twice as slow.
        max_iterations: see `SCellSealPassphrase`.

    Raises:
        SecureCellError: neither or both of key and passphrase, or an empty one.
    """

    def __new__(
        cls, *keys: Any, key: object = None, passphrase: object = None, **_: Any
    ) -> SCellSeal:
        """Choose the class: a passphrase makes an `SCellSealPassphrase`."""
        if cls is not SCellSeal or passphrase is None:
            return super().__new__(cls)
        if keys or key is not None:
            _core.wrong_value(_ERRORS, "give a key or a passphrase, not both")
        return super().__new__(SCellSealPassphrase)

    def __init__(
        self,
        key: Buffer | None = None,
        *,
        passphrase: Buffer | str | None = None,
        encoding: str = "utf-8",
        compat_096: bool = False,
        max_iterations: int = DEFAULT_MAX_ITERATIONS,
    ) -> None:
        del encoding, max_iterations  # they concern passphrases alone
        if passphrase is not None:
            _core.wrong_value(_ERRORS, f"{type(self).__name__} takes a key, not a passphrase")
        if key is None:
            _core.wrong_value(_ERRORS, "give a key or a passphrase: SCellSeal(key=...)")
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
        return _core.cell_seal(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Decrypt what `encrypt` returned.

        Args:
            message: the encrypted message, 45 bytes or more.
            context: what was given to `encrypt`.

        Returns:
            The original message, 44 bytes shorter.

        Raises:
            SecureCellError: a wrong key or context, or data that is damaged or something else.
        """
        return _core.cell_unseal(self, message, context)


class SCellSealPassphrase(SCellSeal):
    """Secure Cell in Seal mode with a passphrase, which is stretched with PBKDF2.

    Slow on purpose, so that guessing is slow as well: tens of milliseconds for each message.

    Args:
        passphrase: text, or its bytes; not empty.
        encoding: how text becomes bytes; other languages use UTF-8.
        max_iterations: the most iterations of PBKDF2 that reading a cell may cost. New cells
            have 314110; one that asks for more than this bound is refused, for a hostile cell
            could keep you busy for minutes.

    Raises:
        SecureCellError: an empty passphrase, one that the encoding cannot express, a bound out
            of range.
    """

    def __init__(
        self,
        passphrase: Buffer | str | None = None,
        encoding: str = "utf-8",
        *,
        key: None = None,
        max_iterations: int = DEFAULT_MAX_ITERATIONS,
    ) -> None:
        if passphrase is None or key is not None:
            _core.wrong_value(_ERRORS, "SCellSealPassphrase takes a passphrase, and no key")
        if isinstance(passphrase, str):
            passphrase = _encoded(passphrase, encoding)
        if not isinstance(max_iterations, int):
            _core.wrong_type(_ERRORS, "max_iterations must be an int")
        if not 1 <= max_iterations <= _core.ITERATIONS_LIMIT:
            _core.wrong_value(_ERRORS, f"max_iterations must be 1 to {_core.ITERATIONS_LIMIT}")
        self._handle = _core.passphrase_new(_ERRORS, passphrase, max_iterations=max_iterations)

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Encrypt as `SCellSeal.encrypt` does; the result has ``len(message) + 70`` bytes."""
        return _core.passphrase_seal(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Decrypt as `SCellSeal.decrypt` does.

        Raises:
            SecureCellError: a wrong passphrase or context, data that is damaged or something
                else, or more iterations asked for than ``max_iterations``.
        """
        return _core.passphrase_unseal(self, message, context)


class SCellTokenProtect(_KeyedCell):
    """Secure Cell in Token Protect mode: as safe as Seal, with the token stored elsewhere.

    Args:
        key: 1 byte or more, best 32 from `skeygen.GenerateSymmetricKey`.
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
        return _core.cell_protect(self, message, context)

    def decrypt(self, message: Buffer, token: Buffer, context: Buffer | None = None) -> bytes:
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
        return _core.cell_unprotect(self, message, token, context)


class SCellContextImprint(_KeyedCell):
    """Secure Cell in Context Imprint mode: nothing is added, and **nothing is authenticated**.

    A wrong key or context gives garbage and no error, and so does damaged data. The same message
    with the same context always encrypts alike, and two messages of one length and one context
    are encrypted with the same key stream: give every message a context of its own.

    Args:
        key: 1 byte or more, best 32 from `skeygen.GenerateSymmetricKey`.

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
        return _core.cell_imprint(self, message, context)

    def decrypt(self, message: Buffer, context: Buffer) -> bytes:
        """Decrypt what `encrypt` returned; check yourself that the result makes sense.

        Args:
            message: the encrypted message.
            context: what was given to `encrypt`.

        Returns:
            The original message, or garbage if anything was wrong.

        Raises:
            SecureCellError: an empty or too long message, a missing context, a wrong type.
        """
        return _core.cell_imprint(self, message, context)


def _encoded(passphrase: str, encoding: str) -> bytes:
    if not isinstance(encoding, str):
        _core.wrong_type(_ERRORS, "encoding must be the name of one, a str")
    try:
        return passphrase.encode(encoding)
    except LookupError:
        problem = f"the encoding {encoding!r} is not known"
    except ValueError:  # its text can show the passphrase, so it is not chained
        problem = f"the passphrase cannot be expressed in {encoding!r}"
    return _core.wrong_value(_ERRORS, problem)


__getattr__ = _compat.deprecated_names(
    __name__,
    {
        "scell_seal": "SCellSeal",
        "scell_token_protect": "SCellTokenProtect",
        "scell_context_imprint": "SCellContextImprint",
    },
)
