# SPDX-License-Identifier: Apache-2.0
"""The file objects that `pythemis.files.open` returns for reading."""

from __future__ import annotations

import io
import threading
from typing import Any, NoReturn

from pythemis._core import forks
from pythemis._hints import Buffer

from ._containers import OpenedStream
from ._errors import wrong_type, wrong_value
from ._opened import Opened, Progress


class RawReader(io.RawIOBase):
    """A position in an opened file."""

    mode = "rb"

    def __init__(self, opened: Opened, name: Any) -> None:
        self._opened: Opened | None = opened
        self._at = 0
        self._lock = threading.RLock()  # of the position; a signal handler may read, too
        if name is not None:
            self.name = name
        forks.watch(self)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()  # a thread that held it does not exist in the child

    def opened(self) -> Opened:
        """Return the file, which is not closed."""
        opened = self._opened
        if opened is None:
            raise ValueError("I/O operation on closed file")
        return opened

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("cannot pickle or copy 'RawReader' object")

    def readable(self) -> bool:
        self.opened()
        return True

    def seekable(self) -> bool:
        self.opened()
        return True

    def tell(self) -> int:
        self.opened()
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        size = self.opened().size
        if not isinstance(offset, int):
            raise TypeError(f"an offset is an int, not {type(offset).__name__}")
        with self._lock:
            origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}
            if whence not in origins:
                raise ValueError(f"whence is 0, 1 or 2, not {whence!r}")
            at = origins[whence] + offset
            if at < 0:
                raise ValueError(f"the position would be {at}, before the start of the file")
            self._at = at
            return at

    def readinto(self, buffer: Buffer, /) -> int:
        try:
            opened = self.opened()
            with self._lock:
                done = opened.read_into(buffer, self._at)
                self._at += done
            return done
        finally:
            del buffer  # BufferedReader's may be of memory that an error outlives

    def readall(self) -> bytes:
        opened = self.opened()
        with self._lock:
            data = opened.read(max(0, opened.size - self._at), self._at)
            self._at += len(data)
        return data

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
        super().close()


class RawStream(io.RawIOBase):
    """An opened file that is read once, from its start to its end."""

    mode = "rb"

    def __init__(self, opened: OpenedStream, name: Any) -> None:
        self._opened: OpenedStream | None = opened
        if name is not None:
            self.name = name

    def opened(self) -> OpenedStream:
        """Return the file, which is not closed."""
        opened = self._opened
        if opened is None:
            raise ValueError("I/O operation on closed file")
        return opened

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("cannot pickle or copy 'RawStream' object")

    def readable(self) -> bool:
        self.opened()
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        try:
            return self.opened().next_into(buffer)
        finally:
            del buffer  # as above

    def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()
        super().close()


class SealedReader(io.BufferedReader):
    """A file that `open` has opened for reading: an `io.BufferedReader` of the plaintext.

    It can seek unless the file is a pipe, and threads may share it. Beyond what every such object
    has:

    Attributes:
        opened_by: the kind of secret that opened the file: "key", "passphrase", "recipient",
            "sender" or "service".
    """

    __module__ = "pythemis.files"

    def __init__(self, raw: RawReader | RawStream) -> None:
        if not isinstance(raw, (RawReader, RawStream)):
            wrong_type("a SealedReader is made by files.open(path, 'rb')")
        super().__init__(raw, raw.opened().buffer_size)
        self._file = raw

    @property
    def opened_by(self) -> str:
        return self._file.opened().opened_by

    def pread(self, n: int, offset: int) -> bytes:
        """Return bytes of the plaintext without moving the position; several threads may do so.

        Args:
            n: how many bytes; fewer are returned only at the end.
            offset: where they begin in the plaintext.

        Raises:
            SealedFileError: the file was changed since it was opened, or is corrupted there.
            ValueError: a negative number, or the file is closed.
        """
        opened = self._file.opened()
        if type(n) is not int or type(offset) is not int:
            wrong_type(f"pread takes two ints, not {type(n).__name__} and {type(offset).__name__}")
        if n < 0 or offset < 0:
            wrong_value(f"pread takes a number of bytes and an offset, not {n} and {offset}")
        return opened.read(n, offset)

    def verify(self, progress: Progress | None = None) -> None:
        """Check the whole file as it is now.

        Args:
            progress: called with the bytes that were checked and their number in all.

        Raises:
            SealedFileError: it was changed since it was opened, or it is corrupted.
        """
        self._file.opened().verify(progress)


def reader(opened: Opened, name: Any) -> SealedReader:
    """Make the file object of an opened file."""
    if isinstance(opened, OpenedStream):
        return SealedReader(RawStream(opened, name))
    return SealedReader(RawReader(opened, name))
