# SPDX-License-Identifier: Apache-2.0
"""Tables of CSV (RFC 4180, UTF-8), in parts: some columns change, all other bytes stay.

An empty cell is NULL, and ``""`` is an empty text, as PostgreSQL has it. Cells of bytes are base64.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, NoReturn

from pythemis.columns._errors import wrong_value

from .errors import usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader

_LONGEST = 1 << 24  # bytes of a row
_PART_BYTES, _PART_CELLS = 1 << 22, 1 << 18  # of what is in memory at once
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # of UTF-8, and of UTF-16
_QUOTE = b'"'
_SPECIAL = b'"\r\n'
_BASE64 = b"+/="


class CsvPart:
    """Some rows: their cells as they are in the file, and the line on which each begins."""

    def __init__(self, table: CsvTable) -> None:
        self._table = table
        self.rows: list[list[bytes]] = []
        self.ends: list[bytes] = []  # of the lines
        self.lines: list[int] = []
        self.bytes = 0

    def __len__(self) -> int:
        return len(self.rows)

    def is_full(self) -> bool:
        """Return whether it takes no more rows."""
        return self.bytes >= _PART_BYTES or len(self.rows) * self._table.width >= _PART_CELLS

    def where(self, row: int) -> str:
        """Return where in the file a row is."""
        return f"line {self.lines[row]}"

    @staticmethod
    def different(old: list[Any], new: list[Any]) -> int:
        """Return how many cells of two columns differ."""
        return sum(a != b for a, b in zip(old, new, strict=True))

    def ids(self, name: str, columns: list[str]) -> Iterator[tuple[str, int]]:
        """Yield the id and the line of each row that has a value in one of the columns."""
        at, null = self._table.index(name), self._table.null
        others = [self._table.index(column) for column in columns]
        for line, cells in zip(self.lines, self.rows, strict=True):
            if any(cells[other] != null for other in others):
                yield self._table.bytes_as_text(cells[at]), line

    def column(self, name: str, kind: str) -> list[Any]:
        """Return the values of a column: text, or bytes of base64."""
        read = self._table.bytes_of if kind == "bytes" else self._table.text_of
        at, values = self._table.index(name), []
        for row, cells in enumerate(self.rows):
            try:
                values.append(read(cells[at]))
            except ValueError:
                values.clear()
            else:
                continue
            what = "UTF-8" if kind == "text" else "base64, as cells and bytes are"
            wrong_value(f"column {name!r}, {self.where(row)}: it is no {what}")
        return values


class CsvTable:
    """A table that is read in parts and written again.

    Args:
        file: what to read.
        size: how many bytes it has, if that is known.
        write: what takes the bytes of the new table.
        delimiter: what is between two cells.
        null: the text without quotes that is NULL.
    """

    def __init__(
        self,
        file: BufferedReader,
        size: int | None,
        write: Callable[[bytes], object],
        *,
        delimiter: bytes,
        null: bytes,
    ) -> None:
        self._file, self._write, self._delimiter, self.null = file, write, delimiter, null
        self._line = 0  # that was read last
        self.size, self.done = size, 0  # bytes
        mark = self._mark()
        head = self._row()
        if head is None:
            wrong_value("it is empty: a CSV file begins with the names of its columns")
        _, cells, end = head
        self.width = len(cells)
        try:
            self.names = [self.bytes_as_text(cell) for cell in cells]
        except UnicodeDecodeError:
            self._refuse(1, "the names of the columns are no UTF-8")
        self._head = mark + delimiter.join(cells) + end  # which is not written yet

    def _mark(self) -> bytes:
        """Return the byte order mark, if there is one."""
        head: bytes = self._file.peek(4)[:4]
        utf8, *utf16 = _MARKS
        if head[:2] in utf16 or (len(head) == 4 and b"\0" in head):
            wrong_value("it is no CSV in UTF-8: convert it, as `iconv -t UTF-8` does")
        return self._file.read(len(utf8)) if head.startswith(utf8) else b""

    @staticmethod
    def place(number: int) -> str:
        """Return where in the file a row of this number is."""
        return f"line {number}"

    # ---- Rows ----

    def _refuse(self, line: int, text: str) -> NoReturn:
        wrong_value(f"line {line}: {text}")

    def _record(self) -> bytes:
        """Return the next row, which ends where its quotes are closed."""
        first, lines, left, is_open = self._line + 1, [], _LONGEST + 1, 0
        while line := self._file.readline(left):
            lines.append(line)
            left -= len(line)
            self._line += 1
            if left == 0:
                self._refuse(first, f"this row is longer than {_LONGEST} bytes; is it CSV?")
            is_open ^= line.count(_QUOTE) & 1
            if not is_open:
                break
        if is_open:
            self._refuse(first, "a quote that begins in this row is not closed")
        return b"".join(lines)

    def _row(self) -> tuple[int, list[bytes], bytes] | None:
        """Return the line, the cells and the end of the next row; None at the end."""
        line = self._line + 1
        record = self._record()
        if not record:
            return None
        self.done += len(record)
        body = record.removesuffix(b"\n")
        body = body.removesuffix(b"\r") if len(body) < len(record) else body
        cells = body.split(self._delimiter)
        if _QUOTE in body:
            cells = self._joined(cells)
        for cell in cells if _QUOTE in body or b"\r" in body else ():
            self._check(line, cell)
        return line, cells, record[len(body) :]

    def _joined(self, pieces: list[bytes]) -> list[bytes]:
        """Put together what a delimiter within quotes has split."""
        cells, pending, is_open = [], [], 0
        for piece in pieces:
            pending.append(piece)
            is_open ^= piece.count(_QUOTE) & 1
            if not is_open:
                cells.append(self._delimiter.join(pending))
                pending = []
        return cells

    def _check(self, line: int, cell: bytes) -> None:
        """Refuse a cell that readers of CSV understand in different ways."""
        if cell.startswith(_QUOTE):
            if len(cell) < 2 or not cell.endswith(_QUOTE) or _QUOTE in _inner(cell):
                self._refuse(line, "a cell goes on behind the quote that closes it")
        elif _QUOTE in cell:
            self._refuse(line, "a quote is within a cell that does not begin with one")
        elif b"\r" in cell:
            self._refuse(line, r"a carriage return is outside of quotes; lines end with \n or \r\n")

    def parts(self) -> Iterator[CsvPart]:
        """Yield the rows, some at a time."""
        part = CsvPart(self)
        while (row := self._row()) is not None:
            line, cells, end = row
            if len(cells) != self.width:
                text = f"the number of its cells is {len(cells)}, and the first line has"
                self._refuse(line, f"{text} {self.width}")
            part.rows.append(cells)
            part.ends.append(end)
            part.lines.append(line)
            part.bytes += sum(map(len, cells))
            if part.is_full():
                yield part
                part = CsvPart(self)
        if part.rows:
            yield part

    def put(self, part: CsvPart, made: dict[str, list[Any]]) -> None:
        """Write rows in which these columns are others."""
        for name, values in made.items():
            at = self.index(name)
            for cells, value in zip(part.rows, values, strict=True):
                cells[at] = self.cell_of(value)
        lines = map(self._delimiter.join, part.rows)
        self._write(self._head + b"".join(map(bytes.__add__, lines, part.ends)))
        self._head = b""

    def finish(self) -> None:
        """Write what is left."""
        self._write(self._head)

    def close(self) -> None:
        """Write nothing more."""

    # ---- Cells ----

    def index(self, name: str) -> int:
        """Return which column has this name."""
        return self.names.index(name)

    def bytes_as_text(self, cell: bytes) -> str:
        """Return the text of a cell that is not NULL."""
        return (_inner(cell, _QUOTE) if cell.startswith(_QUOTE) else cell).decode("utf-8")

    def text_of(self, cell: bytes) -> str | None:
        """Return the text of a cell."""
        return None if cell == self.null else self.bytes_as_text(cell)

    def bytes_of(self, cell: bytes) -> bytes | None:
        """Return the bytes that a cell has in base64, of which there is one spelling."""
        if cell == self.null:
            return None
        text = _inner(cell, _QUOTE) if cell.startswith(_QUOTE) else cell
        data = b64decode(text, validate=True)
        if b64encode(data) != text:
            raise ValueError
        return data

    def cell_of(self, value: Any) -> bytes:
        """Return the cell of a value: NULL, text, an integer, or bytes in base64."""
        if value is None:
            return self.null
        cell = b64encode(value) if isinstance(value, bytes) else str(value).encode("utf-8")
        if cell == self.null or any(each in cell for each in (*_PIECES, self._delimiter)):
            return _QUOTE + cell.replace(_QUOTE, _QUOTE * 2) + _QUOTE
        return cell


_PIECES = tuple(_SPECIAL[at : at + 1] for at in range(len(_SPECIAL)))


def _inner(cell: bytes, doubled: bytes = b"") -> bytes:
    """Return what is within the quotes of a cell, with something for each pair of quotes."""
    return cell[1:-1].replace(_QUOTE * 2, doubled)


def delimiter_of(given: str) -> bytes:
    """Return the delimiter that an argument names."""
    delimiter = {"tab": b"\t", r"\t": b"\t"}.get(given, given.encode("utf-8", "replace"))
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in _SPECIAL + _BASE64:
        raise usage("--delimiter is followed by one character, such as ; or by tab")
    return delimiter


def null_of(given: str, delimiter: bytes) -> bytes:
    """Return the text of NULL that an argument names."""
    null = given.encode("utf-8", "replace")
    if any(each in null for each in (*_PIECES, delimiter)):
        raise usage("--null is followed by text without quotes, line ends and delimiters")
    return null
