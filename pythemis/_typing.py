# SPDX-License-Identifier: Apache-2.0
"""Names in annotations that older Pythons do not have; `typing.get_type_hints` looks for them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self
else:
    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
    else:
        Buffer = bytes | bytearray | memoryview  # and others, for which there was no name yet
    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        Self = Any

__all__ = ["Buffer", "Self", "Service"]


class Service(Protocol):
    """A key service that wraps the keys of sealed files (specification, section 8.3).

    Attributes:
        name: 1 to 255 ASCII characters from ``!`` to ``~``. You choose it; it is written into the
            file. Use one name for one key, always.
    """

    @property
    def name(self) -> str: ...

    def wrap(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt 64 bytes with a context; return 1 to 65535 bytes."""
        ...

    def unwrap(self, body: bytes, context: bytes) -> bytes | None:
        """Decrypt what `wrap` returned; None if it does not decrypt with this key and context.

        Raises:
            Exception: the service could not answer; this says nothing about ``body``.
        """
        ...
