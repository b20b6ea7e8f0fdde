# SPDX-License-Identifier: Apache-2.0
"""Sealed files with slots, as files that are read at any place or as a stream."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NoReturn

from pythemis import _sealed

from ._errors import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._ends import Source
    from ._opened import Opened

_BUFFER = 1 << 16


class OpenedContainer:
    """A sealed file that can seek; each piece is verified when it is read."""

    buffer_size = _BUFFER

    def __init__(self, source: Source, unlock: _sealed.Unlock) -> None:
        self._source, self._file_size = source, source.size()
        self.sealed = _sealed.Reader(
            ERRORS, source.at, self._file_size, unlock, fill=source.filler()
        )
        self.size, self.opened_by = self.sealed.size, self.sealed.opened_by

    def read(self, size: int, offset: int) -> bytes:
        """Return bytes from the offset on; fewer only at the end."""
        return self.sealed.read(offset, size)

    def read_into(self, buffer: Any, offset: int) -> int:
        """Fill a buffer of bytes from the offset on; return how many there were."""
        try:
            return self.sealed.readinto(offset, buffer)
        finally:
            del buffer

    def verify(self, progress: Callable[[int, int], object] | None) -> None:
        """Check every chunk that is in the file now."""
        if progress is None:
            self.sealed.verify()
        else:
            self.sealed.verify(lambda done: progress(done, self._file_size))

    def close(self) -> None:
        """Forget the key; close the file, if it is ours."""
        self.sealed.close()
        self._source.close()


class OpenedStream:
    """A sealed file that arrives through a pipe."""

    buffer_size = _BUFFER
    size = -1

    def __init__(self, source: Source, unlock: _sealed.Unlock) -> None:
        self._source = source
        self._stream = _sealed.StreamReader(ERRORS, source.some, unlock)
        self.opened_by = self._stream.opened_by
        self._left = memoryview(b"")

    def next_into(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; return how many bytes there were, 0 at the end."""
        try:
            if not self._left:
                self._left = memoryview(self._stream.read_part())
            with memoryview(buffer) as whole, whole.cast("B") as room:
                size = min(len(room), len(self._left))
                room[:size] = self._left[:size]
            self._left = self._left[size:]
            return size
        finally:
            del buffer

    def read(self, size: int, offset: int) -> NoReturn:
        """Refuse: there is no other place in a pipe."""
        del size, offset
        raise io.UnsupportedOperation("a pipe is read from its start to its end: use read")

    def read_into(self, buffer: Any, offset: int) -> NoReturn:
        """Refuse, too."""
        self.read(len(buffer), offset)

    def verify(self, progress: Callable[[int, int], object] | None) -> NoReturn:
        """Refuse, too."""
        del progress
        raise io.UnsupportedOperation("a pipe is verified by reading it to its end")

    def close(self) -> None:
        """Forget the key; close the file, if it is ours."""
        self._stream.close()
        self._left = memoryview(b"")
        self._source.close()


def opened(source: Source, unlock: _sealed.Unlock) -> Opened:
    """Open a sealed file, at any place if it can seek."""
    if source.start is None:
        return OpenedStream(source, unlock)
    return OpenedContainer(source, unlock)
