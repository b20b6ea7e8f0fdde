# SPDX-License-Identifier: Apache-2.0
"""Secure Message: messages signed, or encrypted for one peer (specification, section 4).

- `ssign` and `sverify` sign and verify one message; `SecureSigner` and `SecureVerifier` load the
  key once for many. Anyone can read a signed message; only the key's owner can create it.
- `SMessage` encrypts: only the owner of the peer's private key can read the message. With EC keys
  the sender is authenticated as well. **With RSA keys the sender is not authenticated**: anyone who
  has the public key can encrypt. If you need that, use EC keys, or sign the message and encrypt the
  result.

`pythemis.skeygen` generates keys. Messages have 1 to 2^32-1 bytes, in any bytes-like object.
Objects are immutable: threads may share them, and `copy.copy` and `copy.deepcopy` return the object
itself. Every failure raises `SecureMessageError`.
"""

from __future__ import annotations

from . import _compat
from ._core import errors, messages, owner
from ._core.secret import Key
from ._hints import Buffer
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError

TYPE_CHECKING = False

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
    """Encrypt messages for a peer, and decrypt the peer's messages.

    With EC keys both sides derive a shared secret once, when the object is made. With RSA keys
    every message carries a secret of its own, and **the sender is not authenticated**: sign the
    message as well, or use EC keys.

    Args:
        private_key: yours: EC (45 to 79 bytes) or RSA (592 to 4624 bytes).
        peer_public_key: the peer's, of the same algorithm; EC keys on the same curve.

    Raises:
        SecureMessageError: keys that are corrupted, swapped or do not match.
    """

    _errors = _ERRORS

    def __init__(self, private_key: Key, peer_public_key: Buffer) -> None:
        owner.own(self, messages.new, private_key, peer_public_key)

    def wrap(self, message: Buffer) -> bytes:
        """Encrypt a message for the peer.

        Args:
            message: 1 byte or more; the result must stay below 2^32 bytes.

        Returns:
            The encrypted message, different each time. With EC keys it is 52 bytes longer, with RSA
            keys 56 bytes and the size of the peer's key (256 bytes for 2048 bits).

        Raises:
            SecureMessageError: an empty or too long message, a wrong type.
        """
        return messages.wrap(self, message)

    def unwrap(self, message: Buffer) -> bytes:
        """Decrypt what the peer's `wrap` returned.

        Args:
            message: the encrypted message, 53 bytes or more.

        Returns:
            The original message.

        Raises:
            SecureMessageError: the message was encrypted with other keys, is corrupted, or is no
                encrypted message.
        """
        return messages.unwrap(self, message)


class SecureSigner(owner.Immutable):
    """Sign many messages with a key that is loaded once.

    Args:
        private_key: EC or RSA.

    Raises:
        SecureMessageError: a public or corrupted key.
    """

    _errors = _ERRORS

    def __init__(self, private_key: Key) -> None:
        owner.own(self, messages.signer_new, private_key)

    def sign(self, message: Buffer) -> bytes:
        """Sign a message, as `ssign` does.

        Args:
            message: 1 to 2^32-1 bytes.

        Returns:
            The signed message, which contains the message in the clear. It is longer by 12 bytes
            and the signature. EC signatures vary in length, up to 72, 104 or 139 bytes; RSA
            signatures are as long as the key.

        Raises:
            SecureMessageError: an empty or too long message, a wrong type.
        """
        return messages.signer_sign(self, message)


class SecureVerifier(owner.Immutable):
    """Verify many signed messages with a key that is loaded once.

    Args:
        public_key: the signer's, EC or RSA.

    Raises:
        SecureMessageError: a private or corrupted key.
    """

    _errors = _ERRORS
    _refusal = "cannot be pickled: pickle the public key"

    def __init__(self, public_key: Buffer) -> None:
        owner.own(self, messages.verifier_new, public_key)

    def verify(self, message: Buffer) -> bytes:
        """Verify a signed message, as `sverify` does.

        Args:
            message: what `ssign` returned.

        Returns:
            The message that was signed.

        Raises:
            SecureMessageError: another key signed it, it is corrupted, or it is no signed message.
        """
        return messages.verifier_verify(self, message)


def ssign(private_key: Key, message: Buffer) -> bytes:
    """Sign one message; see `SecureSigner` for many.

    Args:
        private_key: EC or RSA.
        message: 1 to 2^32-1 bytes.

    Returns:
        The signed message, which contains the message in the clear.

    Raises:
        SecureMessageError: a wrong or corrupted key, an empty or too long message, a wrong type.
    """
    return messages.sign(_ERRORS, private_key, message)


def sverify(public_key: Buffer, message: Buffer) -> bytes:
    """Verify one signed message; see `SecureVerifier` for many.

    Args:
        public_key: the signer's, EC or RSA.
        message: what `ssign` returned.

    Returns:
        The message that was signed.

    Raises:
        SecureMessageError: a wrong or corrupted key; another key signed the message, it is
            corrupted, or it is no signed message.
    """
    return messages.verify(_ERRORS, public_key, message)


if TYPE_CHECKING:  # misspelled names must not pass the type check
    smessage = SMessage
else:
    __getattr__ = _compat.deprecated_names(__name__, {"smessage": "SMessage"})
