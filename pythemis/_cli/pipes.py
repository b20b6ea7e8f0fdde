# SPDX-License-Identifier: Apache-2.0
"""Data that passes through a command in parts: its input, its output, how far it is."""

from __future__ import annotations

import codecs
import io
import os
import sys
import time
from base64 import b64encode
from contextlib import suppress
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, BinaryIO

from pythemis import _atomic
from pythemis._behind import Behind
from pythemis.exception import ThemisError

from . import sources, streams
from .errors import CommandError, Status, usage
from .streams import STANDARD

if TYPE_CHECKING:
    import argparse
    from types import TracebackType

    from pythemis._hints import Self

_BLANK = b" \t\r\n"
_GROUP = 3  # bytes that base64 encodes together
_SLOW = 0.5  # seconds after which a bar is shown, and between two


class Input:
    """What a command reads: a file or the standard input; decoded, if it is base64."""

    def __init__(self, options: argparse.Namespace, *, decode: bool | None = None) -> None:
        self._name: str = options.file
        self._peeked = b""
        self._is_base64 = options.decode if decode is None else decode
        self._decoded: bytes | None = None
        self._file: BinaryIO
        if self._name == STANDARD:
            if STANDARD in _sources(options):
                raise usage("the standard input cannot be both a key and the data")
            self._file = streams.standard_input()
        else:
            self._file = open(self._name, "rb")  # noqa: SIM115, PTH123
        state = os.fstat(self._file.fileno())
        self.size = state.st_size if S_ISREG(state.st_mode) else None
        if self._is_base64:
            self._peeked = streams.decoded(self._file.read())
            self._decoded = self._peeked

    def peek(self, size: int) -> bytes:
        """Return the beginning, which is read again."""
        while len(self._peeked) < size and (part := self._file.read(size - len(self._peeked))):
            self._peeked += part
        return self._peeked[:size]

    def read(self, size: int) -> bytes:
        """Return up to so many bytes; none at the end."""
        if self._peeked:
            part, self._peeked = self._peeked[:size], self._peeked[size:]
            return part
        return self._file.read(size)

    def as_file(self) -> BinaryIO:
        """Return all that is left as a file that can seek; of a pipe it is in memory."""
        if self.size is not None and self._decoded is None and not self._peeked:
            return self._file
        left = self._peeked + (b"" if self._decoded is not None else self._file.read())
        self._peeked = b""
        return io.BytesIO(left)

    def buffered(self) -> Any:
        """Return it as a file that has lines; nothing of it was read before."""
        return self._file

    def whole(self) -> Any:
        """Return it as a file that stands at its start, which can seek if the input can."""
        if self._decoded is not None:
            return io.BytesIO(self._decoded)
        return self._file if self.rewind() else self

    def rewind(self) -> bool:
        """Go back to the beginning; False where that is impossible."""
        if self._decoded is not None:
            self._peeked = self._decoded
            return True
        if self._name == STANDARD or not self._file.seekable():
            return False
        self._peeked = b""
        self._file.seek(0)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._name != STANDARD:
            self._file.close()


def _sources(options: argparse.Namespace) -> list[str | None]:
    """Return the sources of keys and passphrases."""
    names = ("private", "sender", "passphrase_from", "keyring_key", "keyring_passphrase_from")
    many = [*options.key, *getattr(options, "recipient", ())]
    return many + [getattr(options, name, None) for name in names]


class Output:
    """Where a command writes: a file, which appears whole or not at all, or the standard output."""

    def __init__(self, options: argparse.Namespace, *, binary: bool) -> None:
        self._name: str | None = options.output
        self._left = b"" if options.base64 and binary else None  # too few bytes for base64 yet
        self._new: _atomic.NewFile | None = None
        self._behind: Behind | None = None
        self._pipe: BinaryIO | io.FileIO | None = None
        self._owned: io.FileIO | None = None
        self._decoder: Any = None
        self._has_left = False  # anything
        if self._name not in (None, STANDARD):
            self._open(options, self._name)
            return
        output = self._pipe = streams.standard_output()
        if self._name is None and output.isatty() and self._left is None:
            if binary:
                raise usage(streams.NO_TERMINAL)
            self._decoder = codecs.getincrementaldecoder("utf-8")()

    def _open(self, options: argparse.Namespace, name: str) -> None:
        if streams.is_stream(name):
            self._pipe = self._owned = open(name, "wb", buffering=0)  # noqa: SIM115, PTH123
            return
        sources.refuse_output(name, (*_sources(options), options.keyring))
        with streams.written(streams.FORCE):
            self._new = _atomic.NewFile(name, new=not options.force)
        self._behind = Behind(self._new)

    def write(self, data: Any) -> None:
        """Write a part."""
        if self._left is not None:
            data = self._left + bytes(data)
            end = len(data) // _GROUP * _GROUP
            self._left, data = data[end:], b64encode(data[:end])
        self._put(data)

    def _put(self, data: Any) -> None:
        if self._behind is not None:
            with streams.written():
                self._behind.write(data)
            return
        assert self._pipe is not None
        if self._decoder is not None:
            self._check(data)
        streams.write_pipe(self._pipe, data)
        self._has_left = self._has_left or len(data) > 0

    def _check(self, data: bytes, *, is_last: bool = False) -> None:
        try:
            text = self._decoder.decode(data, is_last)
        except UnicodeDecodeError:
            text = "\0"
        if not streams.is_text(text):
            raise usage(streams.NO_TERMINAL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self._left is not None:
                rest, self._left = self._left, None
                self._put(b64encode(rest) + b"\n")
        except BaseException:
            self._discard()
            raise
        finally:
            if self._owned is not None:
                self._owned.close()
        if self._new is not None:
            self._finish(kind)
        elif self._has_left and isinstance(error, (ThemisError, CommandError)):
            raise CommandError(f"{error}; the output is incomplete", Status.REFUSED) from None

    def _finish(self, kind: object) -> None:
        assert self._new is not None
        assert self._behind is not None
        try:
            if kind is None:
                with streams.written(streams.FORCE):
                    self._behind.finish()
                    self._new.commit()
        finally:
            self._discard()  # after it is in its place, that is nothing

    def _discard(self) -> None:
        if self._new is not None and self._behind is not None:
            try:
                self._behind.drop()
            finally:
                self._new.discard()


class Progress:
    """A bar on a terminal, for what takes longer than a moment."""

    def __init__(self, size: int | None) -> None:
        self._size, self._done = size, 0
        self._length = 0  # of what the terminal shows
        self._next = time.monotonic() + _SLOW
        self._is_shown = bool(size) and sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, count: int) -> None:
        """Count what was done."""
        self._done += count
        if not self._is_shown or time.monotonic() < self._next or not self._size:
            return
        self._next = time.monotonic() + _SLOW
        share = min(100, 100 * self._done // self._size)
        self._print(f"[{'#' * (share // 4):25}] {share:3} %")

    def at(self, done: int, size: int) -> None:
        """Take where it is, and of how many bytes."""
        self._size = size
        self(done - self._done)

    def _print(self, bar: str) -> None:
        self._length = max(self._length, len(bar))  # before it is shown: Ctrl-C may come between
        with suppress(OSError):
            print(f"\r{bar}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._length:  # so that nothing of it is beside what follows
            self._print(" " * self._length)
            self._print("")
