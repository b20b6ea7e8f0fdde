# SPDX-License-Identifier: Apache-2.0
"""One Seal cell in pieces, for messages that need not fit into memory (section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pythemis._themis import ffi, lib

from . import cell_passphrases, cells
from .arguments import CONTEXT, KEY
from .buffers import BYTES, Memory, Spare, new_output, returns_output, view, writable_view
from .cell_passphrases import stretched
from .errors import (
    FAIL,
    INVALID_PARAMETER,
    MESSAGE_MAX,
    NOT_SUPPORTED,
    SUCCESS,
    Errors,
    failed,
    status_text,
    wrong_size,
)
from .owner import kept, places

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._core.secret import SecretKey
    from pythemis._hints import Buffer

    Fetch = Callable[[int, int], bytes]
    Fill = Callable[[int, memoryview], int]

PIECE: int = lib.THEMIS_CELL_PIECE_SIZE
START: int = lib.THEMIS_PASSPHRASE_TOKEN_MAX  # bytes of a file that a reader has to see first
BLOCK = 16 * PIECE  # that is worked on at once
_SMALL = 4 * PIECE  # that is read into bytes made new
_spare = Spare(BLOCK)

_writer = places("cell_writer")
_reader = places("cell_reader")
_stretch = places("stretch")


class Secret:
    """What an ordinary cell is opened or made with: a key or a passphrase."""

    __slots__ = ("_errors", "_handle", "is_key")

    def __init__(self, errors: Errors, handle: Any, *, is_key: bool) -> None:
        self._errors, self._handle, self.is_key = errors, handle, is_key

    def writer(self, size: int, context: Buffer) -> Writer:
        """Begin a cell for a message of this size."""
        if not 0 < size <= MESSAGE_MAX:
            wrong_size(self._errors, "the file", size)
        return Writer(self._errors, self._begun(size, context, _writer()), is_key=self.is_key)

    def _begun(self, size: int, context: Any, made: Any) -> Any:
        context = view(self._errors, context, CONTEXT)
        stretch = _stretch()
        try:
            if self.is_key:
                status = lib.themis_cell_writer_new(self._handle, size, context, len(context), made)
            else:
                status = lib.themis_stretch_to_seal(self._handle, stretch)
                if status == SUCCESS:
                    status = stretched(stretch[0])
                if status == SUCCESS:
                    status = lib.themis_stretched_writer(
                        stretch[0], size, context, len(context), made
                    )
        finally:
            ffi.release(stretch)
            del context
        if status != SUCCESS:
            failed(self._errors, status)
        return made

    def reader(self, start: bytes, sealed_size: int, context: Buffer) -> Reader:
        """Begin to read a cell of this size; ``start`` is its first START bytes, or all of it."""
        return Reader(self._errors, self._opened(start, sealed_size, context), is_key=self.is_key)

    def _opened(self, start: bytes, sealed_size: int, context: Any) -> Any:
        context = view(self._errors, context, CONTEXT)
        size, made, stretch = len(context), _reader(), _stretch()
        status: int = INVALID_PARAMETER
        try:
            if self.is_key:
                if len(start) >= cells.TOKEN_SIZE:
                    status = lib.themis_cell_reader_new(
                        self._handle, start, sealed_size, context, size, made
                    )
            else:
                status = lib.themis_stretch_to_read(
                    self._handle, start, len(start), sealed_size, stretch
                )
                if status == SUCCESS:
                    status = stretched(stretch[0])
                if status == SUCCESS:
                    status = lib.themis_stretched_reader(
                        stretch[0], start, len(start), sealed_size, context, size, made
                    )
        finally:
            ffi.release(stretch)
            del context
        if status != SUCCESS:
            raise self._error(start, status)
        return made

    def _error(self, start: bytes, status: int) -> Exception:
        if status != NOT_SUPPORTED:
            return self._errors.failed(status, NO_CELL)
        text = "the cell was made with a key of fewer than 256 bits; SCellSeal decrypts it"
        if not self.is_key:
            count, least, most = cell_passphrases.bounds(self._handle, start)
            if not least <= count <= most:
                text = (
                    f"the file asks for {count} iterations; {least} to {most} are accepted. "
                    "SCellSeal(passphrase=...) has bounds of its own, if you trust the file"
                )
        return self._errors.failed(status, text)


NO_CELL = "this is not a sealed file, or it is truncated or was extended"
REFUSED = "decryption failed: check the {} and the context; or the file is corrupted"
CHANGED = "the file was changed since it was opened and verified"


def key(errors: Errors, secret: Buffer | SecretKey) -> Secret:
    """Prepare a key."""
    if isinstance(secret, str):
        view(errors, secret, KEY)  # which refuses it
    return Secret(errors, cells.new(errors, secret, compat_096=False), is_key=True)


def passphrase(errors: Errors, secret: Buffer | SecretKey) -> Secret:
    """Prepare a passphrase, with the bounds on iterations that SCellSeal has."""
    handle = cell_passphrases.new(
        errors,
        secret,
        iterations=cell_passphrases.ITERATIONS,
        min_iterations=cell_passphrases.MIN_ITERATIONS,
        max_iterations=cell_passphrases.MAX_ITERATIONS,
    )
    return Secret(errors, handle, is_key=False)


class Writer:
    """A cell that is being written; one thread at a time."""

    __slots__ = ("_errors", "_handle", "_made", "token_size")

    def __init__(self, errors: Errors, made: Any, *, is_key: bool) -> None:
        self._errors, self._made, self._handle = errors, made, kept(made)
        self.token_size: int = cells.TOKEN_SIZE if is_key else cell_passphrases.TOKEN_SIZE

    def part(self, memory: Memory, size: int) -> None:
        """Encrypt the next bytes of the message where they are."""
        place = memory.place
        status = lib.themis_cell_writer_part(self._handle, place, size, place, size)
        if status != SUCCESS:
            failed(self._errors, status)

    @returns_output
    def finish(self) -> bytes:
        """Return what precedes the ciphertext."""
        token = new_output(self.token_size)
        status = lib.themis_cell_writer_finish(self._handle, token, self.token_size)
        if status != SUCCESS:
            failed(self._errors, status)
        return token


class Reader:
    """A cell that is verified and then read; verifying in one thread, reading in any."""

    __slots__ = ("_errors", "_handle", "_made", "is_key", "size")

    def __init__(self, errors: Errors, made: Any, *, is_key: bool) -> None:
        self._errors, self._made, self._handle = errors, made, kept(made)
        self.is_key = is_key
        self.size: int = lib.themis_cell_reader_size(self._handle)

    def take(self, data: Any, size: int) -> None:
        """Verify the next bytes of the ciphertext."""
        status = lib.themis_cell_reader_take(self._handle, data, size)
        if status != SUCCESS:
            secret = "key" if self.is_key else "passphrase"
            text = REFUSED.format(secret) if status == FAIL else None
            raise self._errors.failed(status, text or status_text(status))

    @returns_output
    def read(self, fetch: Fetch, fill: Fill, offset: int, size: int) -> bytes:
        """Return bytes of the message, fewer only at its end.

        ``fetch`` returns ciphertext by its offset and size; ``fill`` fills memory with ciphertext
        from an offset on, and returns how much there was.
        """
        left = self.size - offset
        if size > left:
            size = left
        if size <= 0:
            return b""
        output = new_output(size)
        skip = offset % PIECE
        begin = offset - skip
        length = -(-(skip + size) // PIECE) * PIECE
        if length > _SMALL:
            self._fill(fill, offset, output, size)
            return output
        if length > left + skip:
            length = left + skip
        # As most reads are: in one step, and without a call of `_fill`.
        data = fetch(begin, length)
        status: int = FAIL
        if type(data) is bytes and len(data) == length:
            status = lib.themis_cell_reader_read(
                self._handle, begin // PIECE, data, length, skip, output, size
            )
        if status != SUCCESS:
            raise self._errors.failed(status, CHANGED)
        return output

    def read_into(self, fill: Fill, offset: int, buffer: Any, size: int) -> None:
        """Fill the beginning of a buffer, which has room for it, with bytes of the message."""
        place = writable_view(self._errors, buffer, "the buffer")
        try:
            self._fill(fill, offset, place, size)
        finally:
            del place, buffer

    def _fill(self, fill: Fill, offset: int, output: Any, size: int) -> None:
        place = ffi.from_buffer(BYTES, output) if type(output) is bytes else output
        memory = _spare.take()
        done = 0
        try:
            while done < size:
                skip = offset % PIECE
                begin = offset - skip
                part = min(size - done, BLOCK - skip)
                end = min(self.size, -(-(offset + part) // PIECE) * PIECE)
                self._pieces(fill, memory, begin, end, skip, place + done, part)
                done += part
                offset += part
        finally:
            _spare.leave(memory)
            del place, output

    def check(self, fill: Fill, offset: int) -> int:
        """Compare a block of the ciphertext with what was verified; return its end."""
        end = min(self.size, offset + BLOCK)
        memory = _spare.take()
        try:
            self._pieces(fill, memory, offset, end, 0, ffi.NULL, 0)
        finally:
            _spare.leave(memory)
        return end

    def _pieces(
        self, fill: Fill, memory: Memory, begin: int, end: int, skip: int, output: Any, size: int
    ) -> None:
        """Check the pieces from here to there, and decrypt some bytes of them."""
        status: int = FAIL
        with memory.bytes[: end - begin] as room:
            found = fill(begin, room)
        if found == end - begin:
            status = lib.themis_cell_reader_read(
                self._handle, begin // PIECE, memory.place, found, skip, output, size
            )
        if status != SUCCESS:
            raise self._errors.failed(status, CHANGED)
