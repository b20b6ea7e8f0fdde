# SPDX-License-Identifier: Apache-2.0
"""Sealed files, writing (specification, 8.2 and 8.4)."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from pythemis._core import forks
from pythemis._core import sealed as core
from pythemis._core.arguments import MESSAGE
from pythemis._core.buffers import view
from pythemis._core.errors import wrong_type, wrong_value

from .arguments import check_slots, context_of
from .heads import new_head
from .pieces import LENGTH_SIZE, SIZE_MAX, batch, check_padding, padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._core.errors import Errors

    from .arguments import Slots

LOG2 = 16  # of the bytes of a piece, unless told otherwise


class Writer:
    """A sealed file that is written from its beginning to its end.

    Threads that share it wait for each other.

    Attributes:
        length: how many bytes of data were written.
        written: how many bytes of the file that made.
    """

    def __init__(
        self,
        errors: Errors,
        write: Callable[[Any], object],
        slots: Slots,
        context: Any = b"",
        *,
        log2: int = LOG2,
        pad: Any = None,
        reserved: bool = False,
    ) -> None:
        """Draw a file key, make its slots, and write the header.

        Args:
            errors: the exceptions to raise.
            write: takes bytes, all that it is given.
            slots: for whom the file is.
            context: what the file is bound to.
            log2: the binary logarithm of the size of a piece, 12 to 24.
            pad: None; "padme" for at most 12 % more; or a number of bytes that data and their
                8-byte length field are padded to if they have fewer.
            reserved: whether the caller is keyring code, which may write keyrings.
        """
        self._errors = errors
        self._write = write
        self._lock = RLock()
        context = context_of(errors, context, reserved=reserved)
        check_slots(errors, slots)
        check_padding(errors, pad)
        _check_log2(errors, log2)
        self._pad = pad
        self._piece = 1 << log2
        self._log2 = log2
        self._step = batch(log2) * self._piece
        self._pending = bytearray()  # less than a step
        self._number = 0  # of the next chunk
        self._is_broken = False  # nothing more may be written
        self.length = self.written = 0
        self._handle: Any = core.new(errors, log2, context)
        self._put(new_head(errors, self._handle, slots))
        forks.watch(self)

    def _after_fork(self) -> None:
        self._lock = RLock()  # a thread that held it does not exist in the child
        self._is_broken = True  # parent and child would write two different files into one

    def write(self, data: Any) -> int:
        """Write data; return how many bytes they have."""
        with self._lock:
            return self._written(data)

    def _written(self, data: Any) -> int:
        errors = self._errors
        handle = self._opened()
        data = view(errors, data, MESSAGE)
        try:
            size = len(data)
            if self.length + size > SIZE_MAX >> 1:
                wrong_value(errors, f"a sealed file holds at most {SIZE_MAX >> 1} bytes")
            self._is_broken = True  # unless all of it goes well, without an interrupt
            pending = self._pending
            at = 0
            if pending:
                at = min(size, self._step - len(pending))
                pending += core.buffer(data, 0, at)
                if len(pending) == self._step:
                    self._pending = bytearray()
                    self._seal(handle, pending)
            # The length field comes after the data, so a full piece of data is never the last.
            while size - at >= self._step:
                self._seal(handle, core.part(data, at, self._step))
                at += self._step
            self._pending += core.buffer(data, at, size - at)
            self.length += size
            self._is_broken = False
            return size
        finally:
            del data

    def finish(self) -> int:
        """Write what is left, padding and the length; return the size of the file."""
        with self._lock:
            return self._finished()

    def _finished(self) -> int:
        handle = self._opened()
        self._is_broken = True
        total = padded(self.length, self._log2, self._pad)
        at = self._number * self._piece
        while at < total:
            n = min(self._step, total - at)
            block = bytearray(n)
            block[: len(self._pending)] = self._pending
            self._forget()
            if at + n == total:
                block[-LENGTH_SIZE:] = self.length.to_bytes(LENGTH_SIZE, "big")
            self._seal(handle, block, is_last=at + n == total)
            at += n
        self.close()
        return self.written

    def close(self) -> None:
        """Forget the file key and what is not written; without `finish` the file is cut."""
        self._handle = None
        self._forget()

    def _forget(self) -> None:
        """Wipe what is pending: it may be a keyring."""
        pending, self._pending = self._pending, bytearray()
        core.wipe(view(self._errors, pending, MESSAGE))

    def _opened(self) -> Any:
        if self._handle is None or self._is_broken:
            wrong_value(
                self._errors,
                "this sealed file is finished, or writing it failed, or a parent process writes it",
            )
        return self._handle

    def _seal(self, handle: Any, block: Any, *, is_last: bool = False) -> None:
        """Write pieces as chunks; each is encrypted once, so nothing can go on after a failure."""
        pieces = view(self._errors, block, MESSAGE) if isinstance(block, bytearray) else block
        try:
            chunks = core.encrypt(self._errors, handle, self._number, pieces, is_last=is_last)
            if isinstance(block, bytearray):
                core.wipe(pieces)
        finally:
            del pieces, block
        self._number += -(-len(chunks) // (self._piece + core.CHUNK_GROWTH))
        self._put(chunks)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self.written += len(data)


def _check_log2(errors: Errors, log2: Any) -> None:
    if not isinstance(log2, int) or isinstance(log2, bool):
        wrong_type(errors, f"log2 must be an int, not {type(log2).__name__}")
    if not core.LOG2_MIN <= log2 <= core.LOG2_MAX:
        wrong_value(errors, f"log2 must be {core.LOG2_MIN} to {core.LOG2_MAX}, not {log2}")


def seal_bytes(
    errors: Errors,
    data: Any,
    slots: Slots,
    context: Any = b"",
    *,
    log2: int = LOG2,
    pad: Any = None,
    reserved: bool = False,
) -> bytes:
    """Return a sealed file; the arguments are as `Writer` has them."""
    parts: list[bytes] = []
    writer = Writer(errors, parts.append, slots, context, log2=log2, pad=pad, reserved=reserved)
    writer.write(data)
    writer.finish()
    return b"".join(parts)
