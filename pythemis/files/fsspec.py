# SPDX-License-Identifier: Apache-2.0
"""Sealed files on any file system of fsspec: ``sealed::`` in front of a URL.

    fsspec.open("sealed::s3://bucket/report.parquet", sealed={"key": "env:REPORTS_KEY"})

Keys are given by reference, because fsspec pickles the options of a file system, and writes them
into logs.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import fsspec
from fsspec.implementations.chained import ChainedFileSystem
from fsspec.spec import AbstractBufferedFile
from fsspec.utils import tokenize

from pythemis import _sealed
from pythemis._core import forks
from pythemis._core.secret import SecretKey
from pythemis.keyring import KeyringReference, _sources, from_reference

from . import _options
from ._errors import ERRORS, wrong_type, wrong_value
from ._options import CHUNK_SIZE
from ._secrets import checked_context
from ._writers import SealedWriter

__all__ = ["SealedFileSystem"]

_FIRST_READ = 1 << 16  # bytes of a request: the header, and all of a small file
_REQUEST = 1 << 24  # bytes of the longest request
_BLOCK = 1 << 20  # bytes that a file reads ahead
_KEPT = 32  # files that stay open


class SealedFileSystem(ChainedFileSystem):  # type: ignore[misc, unused-ignore]
    """A file system of plaintext, over one of sealed files.

    Paths are those of the file system below. Each range that is read takes one request there, of
    whole chunks. A file that was read stays open until it changes, so reading it again asks for its
    header no more. Sizes are those of the plaintext: `info` and `size` open the file for it, and
    listings have None.

    Args:
        fo: the path below, which fsspec gives; methods get theirs.
        target_protocol: the protocol of the file system below.
        target_options: its options.
        fs: a file system instead of these two.
        key: the reference of a key: ``file:PATH``, ``env:NAME`` or ``credential:NAME``, which hold
            the base64 of 32 bytes.
        keyring: a reference that `pythemis.keyring.from_reference` returned; or its first argument,
            with ``unlock`` and ``name``.
        unlock: the second argument of `pythemis.keyring.from_reference`.
        name: the name of the keyring.
        context: the context of all files, or a function of a module that returns the one of a path.
        options: those that every file system has.

    Raises:
        SealedFileError: a key itself where its reference is expected, or no key at all.
    """

    protocol = "sealed"
    root_marker = ""

    def __init__(
        self,
        fo: str | None = None,
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        fs: Any = None,
        key: str | None = None,
        keyring: KeyringReference | str | None = None,
        unlock: Any = None,
        name: str | None = None,
        context: bytes | Callable[[str], bytes] = b"",
        **options: Any,
    ) -> None:
        del fo
        if self._cached:  # an instance of these options is there
            return
        self._key = _reference(key)
        self._keyring = _ring(keyring, unlock, name)
        if self._key is None and self._keyring is None:
            wrong_value("give key='env:NAME', or keyring=, which keyring.from_reference returns")
        self._context = context if callable(context) else checked_context(context)
        if fs is None and target_protocol is None:
            wrong_value("sealed:: needs a file system behind it, as in sealed::s3://bucket/name")
        super().__init__(**options)
        self.fs = fs or fsspec.filesystem(target_protocol, **(target_options or {}))
        self._opened: OrderedDict[str, tuple[str, _Opened]] = OrderedDict()
        self._lock = threading.Lock()
        forks.watch(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()  # a thread that held it does not exist in the child

    def _below(self, path: str) -> str:
        """Return the path of a file in the file system below."""
        return str(self._strip_protocol(path))

    # ---- Reading ----

    def opened(self, path: str) -> _Opened:
        """Open a file for reading; the one that is open, if it is unchanged."""
        path = self.fs._strip_protocol(path)
        found = self.fs.info(path)
        if found["type"] == "directory":
            raise IsADirectoryError(path)
        mark = tokenize(found)
        with self._lock:
            known = self._opened.get(path)
            if known is not None and known[0] == mark:
                self._opened.move_to_end(path)
                return known[1]
        made = _Opened(self.fs, path, found, self._unlock(path))
        with self._lock:
            self._opened[path] = mark, made
            while len(self._opened) > _KEPT:
                self._opened.popitem(last=False)
        return made

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Return what is known of a file; its size is that of the plaintext."""
        path = self._below(path)
        found: dict[str, Any] = self.fs.info(path, **options)
        return found if found["type"] == "directory" else dict(self.opened(path).details)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **options: Any
    ) -> bytes:
        """Return a range of the plaintext; negative numbers count from its end."""
        del options
        opened = self.opened(self._below(path))
        first, last, _ = slice(start, end).indices(opened.size)
        return opened.read(first, max(first, last))

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """List a folder; the sizes are None, because each file would be opened for its own."""
        found = self.fs.ls(self._below(path), detail=detail, **options)
        if not detail:
            return list(found)
        return [e if e["type"] == "directory" else {**e, "size": None} for e in found]

    def exists(self, path: str, **options: Any) -> bool:
        """Return whether there is a file or a folder."""
        return bool(self.fs.exists(self._below(path), **options))

    def isfile(self, path: str) -> bool:
        """Return whether there is a file."""
        return bool(self.fs.isfile(self._below(path)))

    def isdir(self, path: str) -> bool:
        """Return whether there is a folder."""
        return bool(self.fs.isdir(self._below(path)))

    def modified(self, path: str) -> Any:
        """Return when a file was written."""
        return self.fs.modified(self._below(path))

    def invalidate_cache(self, path: str | None = None) -> None:
        """Forget the files that are open, and the listings below."""
        with self._lock:
            self._opened.clear()
        self.fs.invalidate_cache(path)

    # ---- Writing ----

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        if mode == "rb":
            block = block_size or _BLOCK
            return _ReadFile(self, path, block, cache_options, **options)
        if mode != "wb":
            wrong_value("the mode is 'rb' or 'wb': a sealed file is written as a whole")
        slots = _options.Writing(self._secret(), keyring=self._current_ring()).slots()
        file = self.fs.open(path, "wb", autocommit=autocommit, **options)
        return _WrittenFile(file, slots, self._context_of(path))

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Make a folder."""
        self.fs.mkdir(self._below(path), create_parents=create_parents, **options)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder, and those above it."""
        self.fs.makedirs(self._below(path), exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        self.fs.rmdir(self._below(path))

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self.fs.rm_file(self._below(path))

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove files, and folders with what is in them."""
        self.fs.rm(self._strip_protocol(path), recursive=recursive, maxdepth=maxdepth)

    def cp_file(self, path1: str, path2: str, **options: Any) -> None:
        """Copy a file; the copy has a key, and perhaps a context, of its own."""
        del options
        path, other = (self.fs._strip_protocol(self._below(name)) for name in (path1, path2))
        if path == other:  # which opening it for writing would empty
            return
        with self._open(path) as source, self._open(other, "wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)

    # ---- Keys ----

    def _secret(self) -> SecretKey | None:
        return None if self._key is None else _sources.key_of(self._key)

    def _current_ring(self) -> Any:
        return None if self._keyring is None else self._keyring()

    def _context_of(self, path: str) -> bytes:
        return checked_context(self._context(path)) if callable(self._context) else self._context

    def _unlock(self, path: str) -> _sealed.Unlock:
        return _options.Reading(
            key=self._secret(),
            passphrase=None,
            keyring=self._current_ring(),
            private_key=None,
            sender=None,
            context=self._context_of(path),
            service=None,
        ).unlock()


class _Opened:
    """One version of a file below, opened. Threads may share it."""

    def __init__(self, fs: Any, path: str, found: dict[str, Any], unlock: _sealed.Unlock) -> None:
        self._fs, self._path = fs, path
        self._ahead = threading.local()  # what a thread has read of the file for what it does now
        size = found["size"]
        if size is None:
            wrong_value(
                f"the file system tells no size of {path}, so it cannot be read at any place"
            )
        with self._requested(0, min(size, _FIRST_READ)):
            self._sealed = _sealed.Reader(ERRORS, self._bytes, size, unlock)
        self.size = self._sealed.size
        self.details = {**found, "size": self.size, "opened_by": self._sealed.opened_by}

    def read(self, start: int, end: int) -> bytes:
        """Return a range of the plaintext; requests below are as few as their size allows."""
        end = min(end, self.size)
        placed, parts = self._sealed.layout, []
        step = max(1, _REQUEST // placed.piece) * placed.piece
        while start < end:
            stop = min(end, (start // step + 1) * step)
            first, past = start // placed.piece, -(-stop // placed.piece)
            if past - first > 1:
                with self._requested(*placed.span(first, past)):
                    parts.append(self._sealed.read(start, stop - start))
            else:  # which the reader may have kept
                parts.append(self._sealed.read(start, stop - start))
            start = stop
        return b"".join(parts)

    @contextmanager
    def _requested(self, begin: int, end: int) -> Iterator[None]:
        self._ahead.window = begin, self._fs.cat_file(self._path, start=begin, end=end)
        try:
            yield
        finally:
            del self._ahead.window

    def _bytes(self, offset: int, n: int) -> bytes:
        begin, data = getattr(self._ahead, "window", (0, b""))
        if begin <= offset and offset + n <= begin + len(data):
            return bytes(data[offset - begin : offset - begin + n])
        return bytes(self._fs.cat_file(self._path, start=offset, end=offset + n))


class _ReadFile(AbstractBufferedFile):  # type: ignore[misc, unused-ignore]
    """An open file, with the cache that fsspec's files have."""

    def __init__(
        self, fs: SealedFileSystem, path: str, block: Any, cache_options: Any, **options: Any
    ) -> None:
        self._opened = fs.opened(path)
        options["size"] = self._opened.size
        self._details = self._opened.details
        super().__init__(fs, path, "rb", block, cache_options=cache_options, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self._opened.read(start, end)


class _WrittenFile(SealedWriter):
    """A sealed file on its way to the file system below."""

    def __init__(self, file: BinaryIO, slots: _sealed.Slots, context: bytes) -> None:
        self._below: Any = file
        self._sent: Any = None  # of a transaction: written, and not to be seen yet
        super().__init__(file, slots, context, CHUNK_SIZE.bit_length() - 1, None)

    def close(self) -> None:
        super().close()
        below, self._below = self._below, None
        if below is not None:
            below.close()
            self._sent = below

    def commit(self) -> None:
        """Let the file be seen, at the end of a transaction."""
        self._sent.commit()

    def discard(self) -> None:
        super().discard()
        if self._sent is not None:
            self._sent.discard()
        below, self._below = self._below, None
        if isinstance(below, AbstractBufferedFile):
            below.discard()
            below.closed = True  # so that its end does not send what is there
        elif below is not None:
            below.close()


def _reference(given: Any) -> str | None:
    """Check that this names a key."""
    if given is None:
        return None
    if not isinstance(given, str):
        wrong_type(
            "key= is the reference of a key, such as 'env:NAME' or 'file:PATH', because "
            f"fsspec pickles and logs options; it is not the key itself ({type(given).__name__})"
        )
    _sources.parted(given, "a key")
    return given


def _ring(keyring: Any, unlock: Any, name: str | None) -> KeyringReference | None:
    """Return the reference of a keyring."""
    if isinstance(keyring, str):
        if unlock is None or name is None:
            wrong_value("keyring='file:PATH' takes unlock= and name= as well")
        return from_reference(keyring, unlock, name=name)
    if keyring is not None and not isinstance(keyring, KeyringReference):
        wrong_type(
            "keyring= is what keyring.from_reference returns, because fsspec pickles and logs "
            f"options; it is not the ring itself ({type(keyring).__name__})"
        )
    return keyring
