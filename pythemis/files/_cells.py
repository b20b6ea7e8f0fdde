# SPDX-License-Identifier: Apache-2.0
"""Ordinary Seal cells as files: sealed and unsealed in bounded memory, and read in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pythemis._core import cell_files
from pythemis._core.buffers import Memory
from pythemis._core.errors import MESSAGE_MAX
from pythemis.exception import THEMIS_CODES

from . import _ends
from ._errors import ERRORS, refuse, wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from pythemis._hints import Buffer, Self

    Progress: TypeAlias = Callable[[int, int], object]

BLOCK = cell_files.BLOCK
START = cell_files.START
_CHANGING = "the file to seal {} while it was read: it had {} bytes"


def seal(
    source: _ends.Source,
    target: _ends.Target,
    secret: cell_files.Secret,
    context: Buffer,
    progress: Progress | None,
) -> None:
    """Write one cell. The token, which begins it, is known last."""
    if source.start is None:
        wrong_value(
            "a Seal cell needs the length of its file beforehand, and a pipe does not tell it: "
            "files.open(..., 'wb') writes a sealed file of any length"
        )
    size = source.size()
    if not 0 < size <= MESSAGE_MAX:
        wrong_value(
            f"a Seal cell holds 1 to {MESSAGE_MAX} bytes, and the file has {size}: "
            "files.open(..., 'wb') writes a sealed file of any length"
        )
    writer = secret.writer(size, context)
    if target.new is not None:
        target.write(bytes(writer.token_size))
        _encrypt(source, target.write, writer, size, progress)
        target.new.file.seek(0)
        target.write(writer.finish())
        return
    # An open file may not be able to go back, and keeps what it was given if this fails.
    with _ends.spool(size) as waiting:
        _encrypt(source, lambda data: _ends.write_all(waiting, data), writer, size, progress)
        waiting.seek(0)
        target.write(writer.finish())
        while data := waiting.read(BLOCK):
            target.write(data)


def _encrypt(
    source: _ends.Source,
    write: Callable[[memoryview], object],
    writer: cell_files.Writer,
    size: int,
    progress: Progress | None,
) -> None:
    memory = Memory(min(size, BLOCK))
    try:
        for done in range(0, size, BLOCK):
            part = min(BLOCK, size - done)
            if source.fill(memory.bytes[:part]) != part:
                refuse(_CHANGING.format("shrank", size))
            writer.part(memory, part)
            write(memory.bytes[:part])
            if progress is not None:
                progress(done + part, size)
        if source.read(1):
            refuse(_CHANGING.format("grew", size))
    finally:
        memory.wipe()


class OpenedCell:
    """A cell whose every byte was verified.

    Attributes:
        size: bytes of the message.
        opened_by: "key" or "passphrase".
    """

    def __init__(self, source: _ends.Source, reader: cell_files.Reader, offset: int) -> None:
        self._source, self._reader, self._offset = source, reader, offset
        self._fetch = source.fetcher(offset)
        self.size = reader.size
        self.opened_by = "key" if reader.is_key else "passphrase"
        self.buffer_size = cell_files.PIECE

    def _fill(self, offset: int, room: memoryview) -> int:
        return self._source.fill_at(self._offset + offset, room)

    def read(self, size: int, offset: int) -> bytes:
        """Return bytes from the offset on; fewer only at the end."""
        return self._reader.read(self._fetch, self._fill, offset, size)

    def read_into(self, buffer: Any, offset: int) -> int:
        """Fill a buffer of bytes from the offset on; return how many there were."""
        try:
            with memoryview(buffer) as whole, whole.cast("B") as room:
                size = min(len(room), self.size - offset)
                if size <= 0:
                    return 0
                self._reader.read_into(self._fill, offset, room, size)
            return size
        finally:
            del buffer

    def verify(self, progress: Progress | None) -> None:
        """Compare the file as it is now with what was verified."""
        done = 0
        while done < self.size:
            done = self._reader.check(self._fill, done)
            if progress is not None:
                progress(done, self.size)
        if self._source.size() != self._offset + self.size:
            refuse(cell_files.CHANGED)

    def close(self) -> None:
        """Close the file, if it is ours."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def open_cell(
    source: _ends.Source,
    start: bytes,
    secrets: list[cell_files.Secret],
    context: Buffer,
    progress: Progress | None = None,
) -> OpenedCell:
    """Verify a cell under the first secret that opens it."""
    size = source.size()
    failure: Exception | None = None
    for secret in secrets:
        reader = secret.reader(start, size, context)
        try:
            _verify(source, reader, size - reader.size, progress)
        except ERRORS.failed as error:  # type: ignore[misc]
            if error.error_code != THEMIS_CODES.FAIL:
                raise
            failure = error
        else:
            return OpenedCell(source, reader, size - reader.size)
    assert failure is not None
    try:
        raise failure
    finally:
        del failure  # which would keep this frame, and this frame it


def _verify(
    source: _ends.Source, reader: cell_files.Reader, offset: int, progress: Progress | None
) -> None:
    memory = Memory(min(BLOCK, reader.size))
    for done in range(0, reader.size, BLOCK):
        part = min(BLOCK, reader.size - done)
        if source.fill_at(offset + done, memory.bytes[:part]) != part:
            refuse("the file shrank while it was verified", THEMIS_CODES.DATA_CORRUPT)
        reader.take(memory.place, part)
        if progress is not None:
            progress(done + part, reader.size)


def spooled(source: _ends.Source, size: int) -> _ends.Source:
    """Keep the ciphertext of a cell that arrives through a pipe; of this size, by its token."""
    waiting = _ends.spool(size)
    try:
        left = size
        while left > 0 and (data := source.read(min(left, BLOCK))):
            _ends.write_all(waiting, data)
            left -= len(data)
        if left > 0 or source.read(1):
            refuse(cell_files.NO_CELL, THEMIS_CODES.INVALID_PARAMETER)
        waiting.seek(0)
        return _ends.Source(waiting, owned=True)
    except BaseException:
        waiting.close()
        raise


def unseal(cell: OpenedCell, target: _ends.Target, progress: Progress | None) -> None:
    """Write the message of a verified cell."""
    memory = Memory(min(cell.size, BLOCK))
    try:
        done = 0
        while done < cell.size:
            part = cell.read_into(memory.bytes, done)
            target.write(memory.bytes[:part])
            done += part
            if progress is not None:
                progress(done, cell.size)
    finally:
        memory.wipe()
