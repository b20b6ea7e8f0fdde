# SPDX-License-Identifier: Apache-2.0
"""Secure Message: a message for somebody, signed or encrypted (specification, section 4).

- `ssign` and `sverify`, or `SecureSigner` and `SecureVerifier` for those who do it often: anybody
  can read the message, and whoever has the public key knows who signed it.
- `SMessage`: only the owner of the peer's private key can read the message. With EC keys it also
  can have come from nobody but the peer. **With RSA keys the sender is not authenticated**: anybody
  who has the public key can encrypt. Where that matters, use EC keys, or sign the message and
  encrypt the result.

Keys are made by `pythemis.skeygen`. Messages have 1 to 2^32-1 bytes; any bytes-like object will
do. Objects are immutable: threads may share them, and `copy.copy` and `copy.deepcopy` return the
object itself. Everything that fails raises `SecureMessageError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _compat
from ._core import errors, messages, owner
from ._typing import Buffer
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError

__all__ = [
    "SMessage",
    "SecureMessageError",
    "SecureMessageTypeError",
    "SecureMessageValueError",
    "SecureSigner",
    "SecureVerifier",
    "ssign",
    "sverify",
]


class SecureMessageError(ThemisError):
    """Secure Message refused its arguments or its data."""


class SecureMessageTypeError(SecureMessageError, TypeError):
    """An argument has the wrong type."""


class SecureMessageValueError(SecureMessageError, ValueError):
    """An argument has the right type and an impossible value, such as a key of the wrong kind."""


_ERRORS = errors.Errors(SecureMessageError, SecureMessageTypeError, SecureMessageValueError)


class SMessage(owner.Immutable):
    """Encrypts messages for a peer and decrypts the peer's.

    With EC keys both sides agree on a secret when the object is made, once for all its messages.
    With RSA keys every message carries a secret of its own, and **the sender is not
    authenticated**: sign the message as well, or use EC keys.

    Args:
        private_key: our own, EC or RSA.
        peer_public_key: the peer's, of the same algorithm; EC keys on the same curve.

    Raises:
        SecureMessageError: keys that are damaged, exchanged or do not go together.
    """

    _errors = _ERRORS

    def __init__(self, private_key: Buffer, peer_public_key: Buffer) -> None:
        owner.own(self, messages.new, private_key, peer_public_key)

    def wrap(self, message: Buffer) -> bytes:
        """Encrypt a message for the peer.

        Args:
            message: 1 byte or more; the result must stay below 2^32 bytes.

        Returns:
            The encrypted message, different each time, 52 bytes longer with EC keys, 56 and the
            size of the peer's key longer with RSA keys.

        Raises:
            SecureMessageError: an empty or too long message, a wrong type.
        """
        return messages.wrap(self, message)

    def unwrap(self, message: Buffer) -> bytes:
        """Decrypt what the peer wrapped.

        Args:
            message: the encrypted message.

        Returns:
            The original message.

        Raises:
            SecureMessageError: it was encrypted with other keys, or it is damaged or something
                else.
        """
        return messages.unwrap(self, message)


class SecureSigner(owner.Immutable):
    """Signs messages, with a key that is read once.

    Args:
        private_key: EC or RSA.

    Raises:
        SecureMessageError: a public key, or one that is damaged.
    """

    _errors = _ERRORS

    def __init__(self, private_key: Buffer) -> None:
        owner.own(self, messages.signer_new, private_key)

    def sign(self, message: Buffer) -> bytes:
        """Sign a message, as `ssign` does.

        Args:
            message: 1 to 2^32-1 bytes.

        Returns:
            The signed message, which contains the message as it is. It is 12 bytes and the
            signature longer. EC signatures vary in length, up to 72, 104 or 139 bytes; RSA
            signatures are as long as the key.

        Raises:
            SecureMessageError: an empty or too long message, a wrong type.
        """
        return messages.signer_sign(self, message)


class SecureVerifier(owner.Immutable):
    """Checks signed messages, with a key that is read once.

    Args:
        public_key: the signer's, EC or RSA.

    Raises:
        SecureMessageError: a private key, or one that is damaged.
    """

    _errors = _ERRORS
    _refusal = "cannot be pickled: pickle the public key"

    def __init__(self, public_key: Buffer) -> None:
        owner.own(self, messages.verifier_new, public_key)

    def verify(self, message: Buffer) -> bytes:
        """Check a signed message, as `sverify` does.

        Args:
            message: what `ssign` returned.

        Returns:
            The message that was signed.

        Raises:
            SecureMessageError: somebody else signed it, or it is damaged or something else.
        """
        return messages.verifier_verify(self, message)


def ssign(private_key: Buffer, message: Buffer) -> bytes:
    """Sign one message; see `SecureSigner` for many.

    Args:
        private_key: EC or RSA.
        message: 1 to 2^32-1 bytes.

    Returns:
        The signed message, which contains the message as it is.

    Raises:
        SecureMessageError: a wrong or damaged key, an empty or too long message, a wrong type.
    """
    return messages.sign(_ERRORS, private_key, message)


def sverify(public_key: Buffer, message: Buffer) -> bytes:
    """Check one signed message; see `SecureVerifier` for many.

    Args:
        public_key: the signer's, EC or RSA.
        message: what `ssign` returned.

    Returns:
        The message that was signed.

    Raises:
        SecureMessageError: a wrong or damaged key; somebody else signed the message, or it is
            damaged or something else.
    """
    return messages.verify(_ERRORS, public_key, message)


if TYPE_CHECKING:  # a name that is not there must not pass for one
    smessage = SMessage
else:
    __getattr__ = _compat.deprecated_names(__name__, {"smessage": "SMessage"})
