# SPDX-License-Identifier: Apache-2.0
"""Sealed files, reading: at any place, and as a stream (specification, 8.5 and 8.7)."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pythemis._core import forks
from pythemis._core import sealed as core
from pythemis._core.arguments import Argument, Nature
from pythemis._core.buffers import Memory, Spare, copied, writable_view
from pythemis._core.errors import FAIL, INVALID_PARAMETER, wrong_value

from .arguments import secrets_of
from .heads import Opened, open_head
from .pieces import LENGTH_SIZE, Layout, batch, layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._core.errors import Errors

    from .arguments import Unlock

FIRST_READ = 1 << 16  # bytes; the header is in them, but for files of very many slots
_AT_ONCE = 1 << 19  # bytes of data: two threads that read much hand the GIL over at each step
_spare = Spare(_AT_ONCE + batch(core.LOG2_MIN, _AT_ONCE) * core.CHUNK_GROWTH)
_FILE = Argument("the sealed file", Nature.MADE)
_SOURCE = Argument("what the source of a sealed file returns", Nature.MADE)


class _Open(NamedTuple):
    """All that an open file is; read at once, because other threads may close it."""

    opened: Opened
    layout: Layout
    size: int  # of the data


class Reader:
    """A sealed file that is read at any place, from any number of threads.

    Attributes:
        size: the length of the data in bytes.
        opened_by: "key", "passphrase", "recipient", "sender" or "service".
        opened: the header, for `rewrap_head`; ``opened.slots`` lists its slots.
        layout: where the chunks are in the file.
    """

    def __init__(
        self,
        errors: Errors,
        pread: Callable[[int, int], bytes],
        file_size: int,
        unlock: Unlock,
        *,
        fill: Callable[[int, memoryview], int] | None = None,
        reserved: bool = False,
    ) -> None:
        """Open a file in the order of section 8.5.

        Args:
            errors: the exceptions to raise.
            pread: returns up to so many bytes (second argument) from an offset (first) on; fewer
                only where it is called again for the rest, none at the end. Threads call it at the
                same time if they read at the same time.
            file_size: the bytes of the whole file.
            unlock: what may open it, and its context.
            fill: fills memory from an offset on, and returns how many bytes there were; it may
                stand in for ``pread``.
            reserved: whether the caller is keyring code, which may read keyrings.
        """
        self._errors = errors
        self._pread = pread
        self._fill = fill
        self._first = b""  # of the file, while it is opened
        self._kept: tuple[int, core.Room] | None = None  # the last piece that was read alone
        secrets = secrets_of(errors, unlock, reserved=reserved)
        head = self._head(min(file_size, FIRST_READ), file_size)
        search = open_head(errors, head, secrets)
        placed = layout(errors, len(head), head[len(b"TSFILE1\n")], file_size)
        opened = search()
        self.opened_by = opened.opened_by
        self._held: _Open | None = _Open(opened, placed, self._length(opened, placed))
        self._first = b""

    def _head(self, first: int, file_size: int) -> bytes:
        start = self._bytes(0, first)
        size = core.size(self._errors, start[: core.START_SIZE])
        if size > file_size:
            core.malformed(self._errors, "it ends within its header")
        if size > first:
            start += self._bytes(first, size - first)
        self._first = start  # a small file is read once
        return start[:size]

    def _length(self, opened: Opened, placed: Layout) -> int:
        """Read the last piece: the length of the data stands in it, and zeros before that."""
        number = placed.chunks - 1
        room = self._decrypted(_Open(opened, placed, 0), number, placed.chunks)
        length = int.from_bytes(room.part(room.size - LENGTH_SIZE, room.size), "big")
        if length > placed.total - LENGTH_SIZE:
            text = "the sealed file is corrupted: its length field exceeds what is there"
            raise self._errors.failed(FAIL, text)
        self._check_zeros(_Open(opened, placed, length), room.view, number, placed.chunks)
        self._kept = number, room
        return length

    def close(self) -> None:
        """Forget the file key and all data; reads that go on in other threads end well."""
        self._held = None
        self._kept = None

    def wipe(self) -> None:
        """Close the file, and wipe what is kept of it; not while another thread reads."""
        kept = self._kept
        self.close()
        if kept is not None:
            core.wipe(kept[1].view)

    @property
    def size(self) -> int:
        return self._open().size

    @property
    def opened(self) -> Opened:
        return self._open().opened

    @property
    def layout(self) -> Layout:
        return self._open().layout

    def read(self, offset: int, n: int) -> bytes:
        """Return up to ``n`` bytes of the data from an offset on; fewer only at its end."""
        held = self._open()
        start, stop = _bounds(self._errors, held, offset, n)
        if start == stop:
            return b""
        piece = held.layout.piece
        first, past = start // piece, -(-stop // piece)
        if past - first == 1 and stop - start < piece:
            room = self._one(held, first)
        else:  # and what is returned may be all of it, so it is not kept
            room = self._decrypted(held, first, past)
            self._check_zeros(held, room.view, first, past)
        return room.part(start - first * piece, stop - first * piece)

    def readinto(self, offset: int, buffer: Any) -> int:
        """Read data from an offset on into a buffer; return how many bytes it took."""
        held = self._open()
        view = writable_view(self._errors, buffer, "the buffer")
        try:
            start, stop = at, _ = _bounds(self._errors, held, offset, len(view))
            piece = held.layout.piece
            while at < stop:
                first, skipped = divmod(at, piece)
                whole = 0 if skipped else (stop - at) // piece
                if whole:  # decrypted where they are wanted; all of them is data
                    n = whole * piece
                    self._decrypt(held, first, first + whole, view, at - start)
                else:
                    n = min(piece - skipped, stop - at)
                    core.copy(view, at - start, self._one(held, first), skipped, n)
                at += n
            return stop - start
        finally:
            del view, buffer  # which an error must not keep

    def verify(self, progress: Callable[[int], object] | None = None, *, start: int = 0) -> None:
        """Check every chunk, those of padding as well.

        Args:
            progress: called with the number of bytes of the file that were checked.
            start: the number of the first chunk to check.
        """
        held = self._open()
        placed = held.layout
        step = batch(placed.log2)
        room = core.Room(min(step * placed.piece, placed.total))
        try:
            for first in range(start, placed.chunks, step):
                past = min(first + step, placed.chunks)
                self._decrypt(held, first, past, room.view, 0)
                self._check_zeros(held, room.view, first, past)
                if progress is not None:
                    progress(placed.span(first, past)[1])
        finally:
            core.wipe(room.view)

    def _open(self) -> _Open:
        held = self._held
        if held is None:
            wrong_value(self._errors, "this file is closed")
        return held

    def _one(self, held: _Open, number: int) -> core.Room:
        """Return one piece; the last one that was read is kept, for those who read little."""
        kept = self._kept
        if kept is not None and kept[0] == number:
            return kept[1]
        room = self._decrypted(held, number, number + 1)
        self._check_zeros(held, room.view, number, number + 1)
        self._kept = number, room
        return room

    def _decrypted(self, held: _Open, first: int, past: int) -> core.Room:
        """Decrypt some pieces into memory of their own."""
        size = min(past * held.layout.piece, held.layout.total) - first * held.layout.piece
        room = core.Room(size)
        self._decrypt(held, first, past, room.view, 0)
        return room

    def _decrypt(self, held: _Open, first: int, past: int, room: Any, at: int) -> None:
        placed = held.layout
        memory = self._memory(placed)
        step = batch(placed.log2) if memory is None else batch(placed.log2, _AT_ONCE)
        try:
            for number in range(first, past, step):
                end = min(number + step, past)
                begin, stop = placed.span(number, end)
                core.decrypt(
                    self._errors,
                    held.opened.handle,
                    number,
                    self._chunks(memory, begin, stop - begin),
                    stop - begin,
                    room,
                    at + (number - first) * placed.piece,
                    is_last=end == placed.chunks,
                )
        finally:
            del room  # it may be a view of the caller's memory
            if memory is not None:
                _spare.leave(memory)

    def _memory(self, placed: Layout) -> Memory | None:
        """Return memory for a step, which no other thread has; None to read without."""
        if self._fill is None or self._first or placed.piece > _AT_ONCE:
            return None
        return _spare.take()

    def _chunks(self, memory: Memory | None, offset: int, n: int) -> Any:
        """Read exactly so many bytes of the file, into this memory if there is some."""
        if memory is None or self._fill is None:
            return self._bytes(offset, n)
        with memory.bytes[:n] as room:
            done = self._fill(offset, room)
        if done != n:
            self._ends_early(offset + done)
        return memory.place

    def _ends_early(self, at: int) -> NoReturn:
        text = f"the sealed file ends early, after {at} bytes"
        raise self._errors.failed(FAIL, f"{text}: it was cut while it was read")

    def _check_zeros(self, held: _Open, room: Any, first: int, past: int) -> None:
        """Check that what lies between the data and the length field is zero."""
        placed = held.layout
        if past * placed.piece <= held.size:
            return
        base = first * placed.piece
        end = min(past * placed.piece, placed.total - LENGTH_SIZE) - base
        start = max(held.size - base, 0)
        if start < end and core.zeros(room, start, end) != end - start:
            core.wipe(room)
            text = "the sealed file is corrupted: its padding is not zero"
            raise self._errors.failed(FAIL, text)

    def _bytes(self, offset: int, n: int) -> bytes:
        """Read exactly so many bytes of the file, into memory that nothing else writes to."""
        errors = self._errors
        if offset + n <= len(self._first):
            return self._first[offset : offset + n]
        made = copied(errors, self._pread(offset, n), _SOURCE)
        if len(made) < n:
            parts = bytearray(made)  # which grows without a copy of all for each part
            while len(parts) < n:
                at = offset + len(parts)
                more = copied(errors, self._pread(at, n - len(parts)), _SOURCE)
                if not more:
                    self._ends_early(at)
                parts += more
            made = bytes(parts)
        if len(made) > n:
            wrong_value(errors, f"the source returned {len(made)} bytes where {n} were asked for")
        return made


def _bounds(errors: Errors, held: _Open, offset: int, n: int) -> tuple[int, int]:
    if offset < 0 or n < 0:
        wrong_value(errors, "an offset and a number of bytes cannot be negative")
    size = held.size
    start = offset if offset < size else size
    return start, start + n if n < size - start else size


class StreamReader:
    """A sealed file that is read once, from its beginning, where seeking is impossible.

    Threads that share it wait for each other.

    Attributes:
        opened_by: as `Reader` has it.
        opened: the header.
    """

    def __init__(
        self,
        errors: Errors,
        read: Callable[[int], bytes],
        unlock: Unlock,
        *,
        reserved: bool = False,
    ) -> None:
        """Read the header, and open it.

        Args:
            errors: the exceptions to raise.
            read: returns up to so many bytes, none at the end.
            unlock: what may open the file, and its context.
            reserved: whether the caller is keyring code, which may read keyrings.
        """
        self._errors = errors
        self._read = read
        self._lock = RLock()
        self._pending = bytearray()  # read, but not decrypted
        self._at_end = False  # of the source
        secrets = secrets_of(errors, unlock, reserved=reserved)
        self._fill(core.START_SIZE, core.START_SIZE)
        size = core.size(errors, bytes(self._pending))
        self._fill(size, size)
        self.opened = open_head(errors, bytes(self._pending), secrets)()
        self.opened_by = self.opened.opened_by
        self._pending.clear()
        log2 = core.log2(self.opened.handle)
        self._piece = 1 << log2
        self._chunk = self._piece + core.CHUNK_GROWTH
        self._step = batch(log2)
        self._number = 0
        self._released = 0  # bytes of data, with those that are ready
        self._held_back = 0  # zeros that are data or padding
        self._ready: list[bytes | int] = []  # data, and numbers of zeros, to be returned
        self._is_done = False
        self._failure: Exception | None = None
        forks.watch(self)

    def _after_fork(self) -> None:
        self._lock = RLock()  # a thread that held it does not exist in the child

    def read_part(self) -> bytes:
        """Return the next data, as much as there is; empty at the end.

        What was returned is authentic, but the file may still prove to be truncated or
        corrupted: wait for the end before you act on it.
        """
        with self._lock:
            while True:
                if self._failure is not None:
                    raise self._failure.with_traceback(None)
                part = self._next()
                if part or self._is_done:
                    return part
                self._advance()

    def close(self) -> None:
        """Forget the file key and all data."""
        with self._lock:
            self._stop("this file is closed")

    def _next(self) -> bytes:
        """Take what is ready; zeros in parts, for a number costs no memory and they would."""
        while self._ready:
            first = self._ready[0]
            if isinstance(first, bytes):
                del self._ready[0]
                return first
            n = min(first, self._piece)
            self._ready[0] = first - n
            if n:
                return bytes(n)
            del self._ready[0]
        return b""

    def _stop(self, why: str) -> None:
        """Let every later call fail: a failure must not look like the end."""
        self._failure = self._errors.wrong_value(INVALID_PARAMETER, why)
        self._pending = bytearray()
        self._ready = []

    def _advance(self) -> None:
        """Decrypt some chunks. A full one is the last exactly if nothing follows."""
        pending, self._pending = self._pending, bytearray()
        # Until it went well: what is raised, be it an interrupt, and what the source calls, find
        # a reader that goes on no more.
        self._stop("reading this sealed file was interrupted; open it again")
        try:
            self._pending = pending
            self._fill(self._chunk + 1, self._step * self._chunk + 1)
            pending, self._pending = self._pending, bytearray()
            end = len(pending)
            if not self._at_end:
                end = (end - 1) // self._chunk * self._chunk
                self._pending += pending[end:]
            elif not pending or 0 < end % self._chunk < core.CHUNK_GROWTH + LENGTH_SIZE:
                core.malformed(self._errors, "it was cut")
            self._take(bytes(memoryview(pending)[:end]), is_last=self._at_end)
        except Exception as error:
            self._failure = error
            raise
        self._is_done = self._at_end
        self._failure = None

    def _take(self, chunks: bytes, *, is_last: bool) -> None:
        count = -(-len(chunks) // self._chunk)
        size = len(chunks) - count * core.CHUNK_GROWTH
        room = core.Room(size)
        core.decrypt(
            self._errors,
            self.opened.handle,
            self._number,
            chunks,
            len(chunks),
            room.view,
            0,
            is_last=is_last,
        )
        self._number += count
        end = size - LENGTH_SIZE if is_last else size
        solid = end - core.zeros(room.view, 0, end)
        if solid:  # so the zeros before it are data
            self._ready += [self._held_back, room.part(0, solid)]
            self._released += self._held_back + solid
            self._held_back = 0
        self._held_back += end - solid
        if not is_last:
            return
        length = int.from_bytes(room.part(end, size), "big")
        if not self._released <= length <= self._released + self._held_back:
            text = "the sealed file is corrupted: its length field does not fit its data"
            raise self._errors.failed(FAIL, text)
        self._ready.append(length - self._released)

    def _fill(self, least: int, most: int) -> None:
        """Read until so many bytes are there, or the source has no more."""
        while len(self._pending) < least and not self._at_end:
            wanted = most - len(self._pending)
            more = copied(self._errors, self._read(wanted), _SOURCE)
            if len(more) > wanted:
                text = f"the source returned {len(more)} bytes where {wanted} were asked for"
                wrong_value(self._errors, text)
            self._pending += more
            self._at_end = not more


def open_bytes(
    errors: Errors, data: Any, unlock: Unlock, *, reserved: bool = False
) -> tuple[bytearray, str]:
    """Return the data of a sealed file, and which kind of slot opened it.

    The data are in a ``bytearray`` that the caller may wipe.
    """
    whole = copied(errors, data, _FILE)
    reader = Reader(errors, lambda at, n: whole[at : at + n], len(whole), unlock, reserved=reserved)
    made = bytearray(reader.size)
    reader.readinto(0, made)
    reader.verify(start=-(-reader.size // reader.layout.piece))  # what is padding alone
    reader.wipe()
    return made, reader.opened_by
