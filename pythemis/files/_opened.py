# SPDX-License-Identifier: Apache-2.0
"""What an opened file is to a file object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

Progress: TypeAlias = Callable[[int, int], object]


class Opened(Protocol):
    """A file whose plaintext can be read at any offset, from any thread."""

    size: int
    opened_by: str
    buffer_size: int

    def read(self, size: int, offset: int) -> bytes:
        """Return bytes from the offset on; fewer only at the end."""
        ...

    def read_into(self, buffer: Any, offset: int) -> int:
        """Fill a buffer of bytes from the offset on; return how many there were."""
        ...

    def verify(self, progress: Progress | None) -> None:
        """Check every byte that is in the file now."""

    def close(self) -> None:
        """Close the file, if it is ours."""
