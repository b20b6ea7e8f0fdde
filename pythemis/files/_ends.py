# SPDX-License-Identifier: Apache-2.0
"""Where files are read from and written to: a path, or an open file of the caller."""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from pythemis import _atomic
from pythemis._behind import Behind
from pythemis._core import forks

from ._errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._hints import Buffer, Self

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

BLOCK = 1 << 18  # bytes that are moved at once
_IN_MEMORY = 1 << 20  # bytes of ciphertext that wait in memory, before they wait in a file
_FLAGS = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not stop us before it is refused
)
_HAS_PREAD = hasattr(os, "preadv")


def is_path(given: object) -> bool:
    """Return whether this names a file, and is not one."""
    return isinstance(given, (str, bytes, os.PathLike))


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading, unbuffered."""
    fd = os.open(path, os.O_RDONLY | _FLAGS)
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fsdecode(path))
        if not stat.S_ISREG(mode):
            text = "this path is a pipe, a device or a socket; open it yourself and give the file"
            raise OSError(errno.EINVAL, text, os.fsdecode(path))
        return os.fdopen(fd, "rb", buffering=0)
    except BaseException:
        os.close(fd)
        raise


class Source:
    """What is read: from where an open file stands, or the file at a path from its start.

    Attributes:
        start: where it begins; None if it cannot seek.
    """

    start: int | None

    def __init__(self, given: Any, *, owned: bool = False) -> None:
        self._owned = owned or is_path(given)
        self.file: Any = opened(given) if is_path(given) else _checked(given, "read")
        self.name = given if is_path(given) else getattr(given, "name", None)
        self._ahead = b""  # read from a pipe, and put back
        self._lock = threading.RLock()  # of where the file stands
        forks.watch(self)
        self.start = _position(self.file)
        # Only of these it is known that their descriptor has the bytes that `read` would give.
        kind = type(self.file)
        raw = getattr(self.file, "raw", None) if kind is io.BufferedReader else self.file
        self._has_bytes = _HAS_PREAD and self.start is not None and type(raw) is io.FileIO

    def _after_fork(self) -> None:
        self._lock = threading.RLock()  # a thread that held it does not exist in the child

    def size(self) -> int:
        """Return the bytes from the start to the end, of a file that can seek."""
        assert self.start is not None
        if self._has_bytes:
            end = os.fstat(self.file.fileno()).st_size
        else:
            with self._lock:
                end = _number(self.file.seek(0, os.SEEK_END) or self.file.tell(), "seek")
                self.file.seek(self.start)
        return max(0, end - self.start)

    def rewind(self) -> None:
        """Go back to the start, of a file that can seek."""
        self.file.seek(self.start)

    def at(self, offset: int, size: int) -> bytes:
        """Return bytes of a file that can seek; fewer only at its end."""
        assert self.start is not None
        if self._has_bytes:
            return self._read_at(self.start + offset, size)
        with self._lock:
            self.file.seek(self.start + offset)
            return self.read(size)

    def fetcher(self, base: int) -> Callable[[int, int], bytes]:
        """Return a function like `at`, of offsets from ``base`` on, for many small reads."""
        if not self._has_bytes:
            return lambda offset, size: self.at(base + offset, size)
        assert self.start is not None
        start, fileno, pread = self.start + base, self.file.fileno, os.pread

        def fetch(offset: int, size: int) -> bytes:
            data = pread(fileno(), size, start + offset)
            return data if len(data) == size else self.at(base + offset, size)

        return fetch

    def filler(self) -> Callable[[int, memoryview], int] | None:
        """Return `fill_at`, where the system fills the memory; None where that would be a copy."""
        return self.fill_at if self._has_bytes else None

    def fill_at(self, offset: int, room: memoryview) -> int:
        """Fill memory from an offset on; return how many bytes there were."""
        if not self._has_bytes:
            data = self.at(offset, len(room))
            room[: len(data)] = data
            return len(data)
        assert self.start is not None
        done = count = os.preadv(self.file.fileno(), [room], self.start + offset)
        while count and done < len(room):
            with room[done:] as left:
                count = os.preadv(self.file.fileno(), [left], self.start + offset + done)
            done += count
        return done

    def _read_at(self, offset: int, size: int) -> bytes:
        data = os.pread(self.file.fileno(), size, offset)
        if len(data) == size or not data:
            return data
        parts, left = [data], size - len(data)
        while left and (data := os.pread(self.file.fileno(), left, offset + size - left)):
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def read(self, size: int) -> bytes:
        """Return the next bytes; fewer only at the end."""
        data = self.some(size)
        if len(data) == size or not data:
            return data
        parts, left = [data], size - len(data)
        while left and (data := self.some(left)):
            parts.append(data)
            left -= len(data)
        return b"".join(parts)

    def put_back(self, data: bytes) -> None:
        """Have bytes of a pipe read once more."""
        self._ahead = data + self._ahead

    def fill(self, room: memoryview) -> int:
        """Fill memory with the next bytes; return how many there were, fewer only at the end."""
        if type(self.file) is not io.FileIO:  # another one might keep the memory
            data = self.read(len(room))
            room[: len(data)] = data
            return len(data)
        done = 0
        while done < len(room):
            with room[done:] as left:
                count = self.file.readinto(left)
            if not count:
                break
            done += count
        return done

    def some(self, size: int) -> bytes:
        """Return some of the next bytes, none only at the end."""
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data
        data = self.file.read(size)
        if data is None:
            text = "the file to read does not wait for data; make it blocking"
            raise BlockingIOError(errno.EAGAIN, text)
        if isinstance(data, str):
            wrong_type("the file to read is open as text; open it in mode 'rb'")
        if not isinstance(data, (bytes, bytearray, memoryview)):
            wrong_type(f"read() of the file to read returns bytes, not {type(data).__name__}")
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        if len(data) > size:
            wrong_value(f"read({size}) of the file to read returned {len(data)} bytes")
        return data

    def close(self) -> None:
        """Close the file, if it is ours."""
        if self._owned:
            self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _checked(given: Any, verb: str) -> Any:
    if isinstance(given, io.TextIOBase):
        mode = "rb" if verb == "read" else "wb"
        wrong_type(f"the file to {verb} is open as text; open it in mode {mode!r}")
    if not callable(getattr(given, verb, None)):
        kind = type(given).__name__
        wrong_type(f"what to {verb} is a path or an open binary file, not {kind}")
    return given


def _position(file: Any) -> int | None:
    """Return where an open file stands; None if it cannot seek."""
    seekable = getattr(file, "seekable", None)
    if seekable is None or not seekable():
        return None
    return _number(file.tell(), "tell")


def _number(found: Any, what: str) -> int:
    if not isinstance(found, int) or found < 0:
        wrong_type(f"{what}() of the file returns a number of bytes, not {found!r:.40}")
    return int(found)


class Target:
    """Where a file is written: as a whole to a path, or to an open file.

    An exception in the ``with`` leaves nothing at a path.
    """

    def __init__(self, given: Any, held: _atomic.Lock | None = None) -> None:
        self.new = _atomic.NewFile(given, held=held) if is_path(given) else None
        self._behind = Behind(self.new) if self.new else None
        self._file: Any = None if self.new else _checked(given, "write")

    def write(self, data: Buffer) -> None:
        """Write all of it."""
        if self._behind is not None:
            self._behind.write(data)
        else:
            write_all(self._file, data)

    def close(self) -> None:
        """Put a file at a path in its place; if that fails, `discard` it."""
        if self.new is not None and self._behind is not None:
            self._behind.finish()
            self.new.commit()

    def discard(self) -> None:
        """Remove a file at a path."""
        if self.new is not None and self._behind is not None:
            try:
                self._behind.drop()
            finally:
                self.new.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.discard()  # after it is in its place, that is nothing


def write_all(file: Any, data: Any) -> None:
    """Write all of it to an open file, which may take less at a time."""
    with memoryview(data) as left:
        done = 0
        while done < len(left):
            count = file.write(left[done:])
            if count is None:
                if isinstance(file, io.RawIOBase):
                    text = "the file to write does not wait until there is room; make it blocking"
                    raise BlockingIOError(errno.EAGAIN, text)
                return  # of an object that does not count
            if not isinstance(count, int) or not 0 < count <= len(left) - done:
                wrong_value(f"write() of the file to write returned {count!r:.40}")
            done += count


def spool(size: int) -> BinaryIO:
    """Make a nameless file for so much ciphertext that has to wait; in memory if it is small."""
    if size <= _IN_MEMORY:
        return io.BytesIO()
    import tempfile

    return tempfile.TemporaryFile(buffering=0)
