# SPDX-License-Identifier: Apache-2.0
"""Write a file as a whole or not at all, and lock the one that it replaces.

The bytes go to a new file beside the old one, which takes its name at the end. A program or a
machine that dies at any moment leaves the old file or the new one (specification, 8.4 and 8.8).
On Linux the new file has no name until then, so that it disappears with a program that dies.

Everything happens inside one folder that is opened first: a folder or a symbolic link that is
swapped meanwhile does not lead elsewhere. A path that is a symbolic link itself is refused: its
reader and its writer would not mean the same file for long.

What goes wrong with a file is an OSError, with the path in it, as from `open`.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias

    from ._hints import Self

    Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

WAIT = 10.0  # seconds for a lock
_RETRY = 0.02

_FLAGS = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not stop us before it is refused
)
_FOLDER: int = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_RELATIVE = {os.open, os.stat, os.unlink, os.rename, os.link} <= os.supports_dir_fd
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
# FAT has no hard links, and Android allows none.
_NO_LINKS = {errno.EPERM, errno.EACCES, *_NO_LOCKS, errno.EMLINK}
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EBADF}


def _refuse(code: int, text: str, path: str) -> NoReturn:
    raise OSError(code, text, path)


def _named(error: OSError, path: str, what: str = "") -> OSError:
    """Return an error again with the path that the caller knows, not that of a temporary file."""
    text = error.strerror or str(error)
    return OSError(error.errno or errno.EIO, f"{text}{what}", path)


def _proc(fd: int) -> str:
    return f"/proc/self/fd/{fd}"


class _Folder:
    """The folder of a file, opened once, and what happens to names in it."""

    def __init__(self, path: Path) -> None:
        if isinstance(path, int):
            raise TypeError("a path is needed here, not the number of an open file")
        self.path = os.fsdecode(path)
        folder, self.name = os.path.split(self.path)
        # Where a folder cannot be held open, a program that changes its own must not move us.
        self._folder = folder or os.curdir if _RELATIVE else os.path.abspath(folder or os.curdir)  # noqa: PTH100
        self._fd = -1
        if not self.path:
            _refuse(errno.ENOENT, "the path is empty", self.path)
        if not self.name:
            _refuse(errno.EISDIR, "this path is a folder; name a file in it", self.path)
        if _RELATIVE:
            try:
                self._fd = os.open(self._folder, os.O_RDONLY | _FOLDER)
            except OSError as error:
                raise _named(error, self.path, ": its folder cannot be opened") from None

    def close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def __del__(self) -> None:
        if hasattr(self, "_fd"):  # an interrupt came before its owner had it
            self.close()

    def _at(self, name: str) -> tuple[str, int | None]:
        if _RELATIVE:
            if self._fd < 0:
                _refuse(errno.EBADF, "this file is closed", self.path)
            return name, self._fd
        return os.path.join(self._folder, name), None  # noqa: PTH118 -- names, as they are

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        where, folder = self._at(name)
        return os.open(where, flags | _FLAGS, mode, dir_fd=folder)

    def open_nameless(self) -> int:
        """Open a new file that has no name; -1 where the system or the file system has no such."""
        flag = getattr(os, "O_TMPFILE", 0)
        if not flag or self._fd < 0 or not os.path.exists(_proc(self._fd)):  # noqa: PTH110
            return -1
        try:
            return os.open(os.curdir, os.O_RDWR | flag | _FLAGS, 0o600, dir_fd=self._fd)
        except OSError:  # if a file with a name cannot be made either, its error says why
            return -1

    def link(self, fd: int, name: str) -> None:
        """Give a file of `open_nameless` a name, which must be free."""
        os.link(_proc(fd), name, dst_dir_fd=self._fd, follow_symlinks=True)

    def stat(self) -> os.stat_result | None:
        """Return what the name is now, itself and not what it points at; None if it is free."""
        where, folder = self._at(self.name)
        try:
            return os.stat(where, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def check(self) -> os.stat_result | None:
        """Return the same, and refuse everything but a regular file."""
        found = self.stat()
        if found is None or stat.S_ISREG(found.st_mode):
            return found
        if stat.S_ISDIR(found.st_mode):
            _refuse(errno.EISDIR, "this path is a folder; name a file in it", self.path)
        if stat.S_ISLNK(found.st_mode):
            text = "this path is a symbolic link; give the path that it leads to"
            _refuse(errno.ELOOP, text, self.path)
        text = (
            "this path is a pipe, a device or a socket, which cannot be replaced as a whole; open"
        )
        return _refuse(errno.EINVAL, f"{text} it yourself and give the open file", self.path)

    def unlink(self, name: str) -> None:
        where, folder = self._at(name)
        with suppress(FileNotFoundError):
            os.unlink(where, dir_fd=folder)

    def rename(self, name: str, *, new: bool) -> None:
        source, folder = self._at(name)
        target, _ = self._at(self.name)
        if new and sys.platform != "win32":
            self._take_name(source, target, folder)
        elif sys.platform == "win32" and not new:
            os.replace(source, target)  # noqa: PTH105 -- names, as they are
        else:  # which replaces a file on POSIX, and refuses to on Windows
            os.rename(source, target, src_dir_fd=folder, dst_dir_fd=folder)

    def _take_name(self, source: str, target: str, folder: int | None) -> None:
        """Give a file its name, which must be free."""
        try:
            os.link(source, target, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            os.unlink(source, dir_fd=folder)
            return
        # An empty file takes the name first, so that the rename replaces no other one.
        os.close(self.open(self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            os.rename(source, target, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            self.unlink(self.name)
            raise

    def sync(self) -> None:
        if self._fd >= 0:
            try:
                os.fsync(self._fd)
            except OSError as error:  # some file systems cannot
                if error.errno not in _NO_SYNC:
                    raise


def _same(a: os.stat_result, b: os.stat_result) -> bool:
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def _sync(fd: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        try:  # fsync alone leaves the bytes in the drive's own memory
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:
            pass
        else:
            return
    os.fsync(fd)


if sys.platform == "win32":
    import msvcrt

    _BYTE = 0x7FFFFFFF_FFFFFFF0  # far behind the data, because a lock of Windows also stops readers

    def _lock_now(fd: int) -> None:
        os.lseek(fd, _BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)

    def _unlock(fd: int) -> None:
        os.lseek(fd, _BYTE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock_now(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)  # a forked child has the descriptor, too


def _take(fd: int) -> bool:
    """Lock a descriptor; False if another one has the lock."""
    try:
        _lock_now(fd)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        if error.errno not in _NO_LOCKS:  # where there are no locks, the checks remain
            raise
    return True


class Lock:
    """An exclusive advisory lock on the file that a path names.

    Programs that replace the file wait for each other. It does not keep anything else from
    changing the file: `check` tells whether the path still names it. On Windows an open file cannot
    be replaced, so there the lock ends just before the rename.

    Attributes:
        file: the locked file, open for reading at its start. Read this one, not the path again.
    """

    file: BinaryIO

    def __init__(self, path: Path | _Folder, wait: float = WAIT) -> None:
        """Lock the file.

        Args:
            path: a regular file that exists.
            wait: seconds to wait for another program that has the lock.

        Raises:
            OSError: FileNotFoundError, IsADirectoryError, PermissionError; TimeoutError if another
                program keeps the lock for longer.
        """
        self._folder, self._ours = (
            (path, False) if isinstance(path, _Folder) else (_Folder(path), True)
        )
        self._pid = os.getpid()
        try:
            self.file = self._locked(time.monotonic() + wait)
        except BaseException:
            self._end()
            raise

    def _locked(self, end: float) -> BinaryIO:
        path = self._folder.path
        while True:
            file = self._open()
            try:
                taken = _take(file.fileno())
                found = self._folder.check()
                if taken and found is not None and _same(os.fstat(file.fileno()), found):
                    return file
            except BaseException:
                file.close()
                raise
            # Either it is another program's, or that one has replaced the file before we had it.
            file.close()
            if time.monotonic() >= end:
                _refuse(errno.ETIMEDOUT, "another program keeps this file locked", path)
            time.sleep(_RETRY)

    def _open(self) -> BinaryIO:
        path = self._folder.path
        if self._folder.check() is None:
            _refuse(errno.ENOENT, os.strerror(errno.ENOENT), path)
        try:
            try:  # NFS has exclusive locks only for callers that may write
                fd = self._folder.open(self._folder.name, os.O_RDWR)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ETXTBSY):
                    raise
                fd = self._folder.open(self._folder.name, os.O_RDONLY)
        except OSError as error:
            raise _named(error, path) from None
        return os.fdopen(fd, "rb", buffering=0)

    def check(self) -> None:
        """Check that the path still names the locked file.

        Raises:
            OSError: it does not: another program has replaced it without the lock.
        """
        found = self._folder.stat()
        if found is None or not _same(os.fstat(self.file.fileno()), found):
            text = "another program replaced this file meanwhile; it was not changed, try again"
            _refuse(errno.EBUSY, text, self._folder.path)

    def release(self) -> None:
        """Give the lock back and close the file; again is fine."""
        if not self.file.closed:
            try:
                if self._pid == os.getpid():
                    _unlock(self.file.fileno())
            except OSError:
                pass  # there was none
            finally:
                self.file.close()
        self._end()

    def _end(self) -> None:
        if self._ours:
            self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()


lock = Lock


class NewFile:
    """A file that takes its name when it is complete.

    With ``with``: `commit` at the end, `discard` if the block raises. The new file has mode 0600,
    whatever the mode of the old one. While it is written, it has no name on Linux. Elsewhere, and
    on file systems without such files, its name is ``.pythemis-`` and 32 random digits; a kill -9
    leaves it behind.

    Attributes:
        file: the new file, unbuffered, open for reading and writing.
        path: the name that it will have, as text.
    """

    file: BinaryIO

    def __init__(
        self, path: Path, *, held: Lock | None = None, new: bool = False, wait: float = WAIT
    ) -> None:
        """Make a new file beside ``path``.

        Args:
            path: a free name, or that of a regular file, which is replaced.
            held: the lock of the old file, if the caller has it. Else it is taken for the rename.
            new: refuse to replace a file, with FileExistsError.
            wait: seconds to wait for another program that has the lock.

        Raises:
            OSError: there is no such folder, or it cannot be written to; the path is a folder, a
                symbolic link, a pipe or a device.
        """
        self._folder = _Folder(path)
        self.path = self._folder.path
        self._name = f".pythemis-{os.urandom(16).hex()}.tmp"
        self._held, self._new, self._wait = held, new, wait
        self._pid = os.getpid()
        try:
            if self._folder.check() is not None and new:
                _refuse(errno.EEXIST, os.strerror(errno.EEXIST), self.path)
            fd = self._folder.open_nameless()
            self._is_nameless = fd >= 0
            self.file = os.fdopen(fd, "r+b", buffering=0) if fd >= 0 else self._with_name()
        except BaseException:
            self._forget()
            raise

    def _with_name(self) -> BinaryIO:
        try:
            fd = self._folder.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            text = ": a new file cannot be made in its folder"
            raise _named(error, self.path, text) from None
        return os.fdopen(fd, "r+b", buffering=0)

    def _forget(self) -> None:
        try:
            if self._folder._fd >= 0 or not _RELATIVE:
                self._folder.unlink(self._name)  # after a commit there is no such name
        except OSError:
            pass  # what led here is the error to report
        finally:
            self._folder.close()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of ``data`` where the file stands.

        Returns:
            The number of bytes.

        Raises:
            OSError: a full disk, for example.
        """
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[self.file.write(left) :]
        except OSError as error:
            raise _named(error, self.path) from None
        finally:
            left.release()
        return size

    def commit(self) -> None:
        """Put the file in its place, with everything on the disk; then it is closed.

        Raises:
            OSError: it could not be written, or the old file is locked or was replaced meanwhile.
                Then the old file is as it was, and the new one is gone. Only where the folder
                cannot be written to the disk is the new file in its place, and may be lost in a
                crash of the machine.
        """
        try:
            if self._pid != os.getpid():
                _refuse(errno.EPERM, "a forked process cannot finish its parent's file", self.path)
            try:
                _sync(self.file.fileno())
                if not self._is_nameless:
                    self.file.close()  # on some file systems a full disk shows here
                self._rename()
                self._folder.sync()
            except OSError as error:
                raise _named(error, self.path) from None
        except BaseException:
            self.discard()
            raise
        self._folder.close()

    def _rename(self) -> None:
        found = self._folder.check()
        if self._held is not None:
            self._held.check()
            self._replace(self._held)
        elif found is None or self._new:
            self._take_name(new=self._new)
        else:
            with Lock(self._folder, self._wait) as held:
                self._replace(held)

    def _replace(self, held: Lock) -> None:
        if sys.platform == "win32":  # an open file cannot be replaced there
            held.release()
        self._take_name(new=False)

    def _take_name(self, *, new: bool) -> None:
        if self._is_nameless:  # only a file with a name can replace another one
            try:
                self._folder.link(self.file.fileno(), self._name)
            except OSError:  # whatever it is, what a copy lacks as well is an error there
                self._copy()
            self.file.close()
        self._folder.rename(self._name, new=new)

    def _copy(self) -> None:
        """Write the bytes to a file that has a name, where a nameless one can get none."""
        with self.file as nameless:
            self.file = self._with_name()
            os.fchmod(self.file.fileno(), stat.S_IMODE(os.fstat(nameless.fileno()).st_mode))
            nameless.seek(0)
            while part := nameless.read(1 << 20):
                self.write(part)
        _sync(self.file.fileno())

    def discard(self) -> None:
        """Remove the file; the old one is as it was. Again, or after `commit`, is fine."""
        with suppress(OSError):  # it goes anyway
            self.file.close()
        if self._pid == os.getpid():
            self._forget()
        else:
            self._folder.close()

    def __del__(self) -> None:
        if hasattr(self, "file"):  # it was not finished, so it is not complete
            self.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()


def write(
    path: Path,
    data: bytes | bytearray | memoryview,
    *,
    held: Lock | None = None,
    new: bool = False,
) -> None:
    """Write a file as a whole; see `NewFile` for the arguments and errors."""
    with NewFile(path, held=held, new=new) as file:
        file.write(data)
