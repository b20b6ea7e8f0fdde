# SPDX-License-Identifier: Apache-2.0
"""Names in annotations; `typing.get_type_hints` looks for them where Python has none yet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from typing_extensions import Self
else:
    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        Self = Any

__all__ = ["Any", "ClassVar", "Encoding", "Form", "NoReturn", "Self", "Service"]

Encoding: TypeAlias = Literal["base64", "hex", "raw"]  # of keys
Form: TypeAlias = Literal["NFC", "NFKC"]  # of passphrases


class Service(Protocol):
    """A key service: a program elsewhere that holds a key and encrypts file keys under it.

    The classes of `pythemis.kms` are services; one of your own needs no base class.
    """

    @property
    def name(self) -> str:
        """Your name for the key, 1 to 255 printable ASCII characters without spaces."""
        ...

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt a file key and bind it to a context.

        Args:
            plain: 64 bytes. They are secret.
            context: 47 bytes, to be authenticated with it.

        Returns:
            1 to 65535 bytes, from which `unwrap` makes `plain` again.
        """
        ...

    def unwrap(self, body: bytes, context: bytes) -> bytes | None:
        """Decrypt what `wrap` returned.

        Returns:
            What was encrypted; None if ``body`` does not decrypt with this key and this context.

        Raises:
            Exception: the service failed for a reason of its own, such as the network.
        """
        ...
