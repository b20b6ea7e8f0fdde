# SPDX-License-Identifier: Apache-2.0
"""Columns in and out: of each library, of any other that speaks Arrow, and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pythemis import _values
from pythemis._core import columns
from pythemis._core.late import Loading
from pythemis.exception import ThemisError
from pythemis.place import place

from ._column import ArrowColumn
from ._errors import ERRORS, ColumnError, wrong_type, wrong_value

if TYPE_CHECKING:
    from types import ModuleType

    from pythemis._core.columns import Column, Result

_BYTES = (bytes, bytearray, memoryview)


def library_of(data: object) -> ModuleType | None:
    """Return the module that knows the library of a column or a table; None if there is none."""
    name = type(data).__module__.partition(".")[0]
    with Loading(ERRORS):
        if name == "pyarrow":
            from . import arrow

            return arrow
        if name == "polars":
            from . import polars

            return polars
        if name == "pandas":
            from . import pandas

            return pandas
    return None


def column_of(data: object, what: str) -> Column:
    """Read values: a column of a library, or a list of values of one type."""
    return _arrow_of(data, what) or _column_of_list(_items(data, what), what)


def rows_of(data: object) -> tuple[Column, ...]:
    """Read row ids: of one part, or of several, which are a tuple of columns."""
    if not isinstance(data, tuple) or not data or not all(map(_is_column, data)):
        return (_part_of(data),)
    if len(data) > columns.ID_PARTS_MAX:
        wrong_value(f"row ids have at most {columns.ID_PARTS_MAX} parts, and here {len(data)}")
    return tuple([_part_of(part) for part in data])


def _is_column(data: object) -> bool:
    return isinstance(data, list) or library_of(data) is not None or columns.is_arrow(data)


def _part_of(data: object) -> Column:
    """Read a column of a library, or a list of what a part of a place may be."""
    read = _arrow_of(data, "rows")
    if read is not None:
        return read
    made: list[bytes | None] = []
    for row, item in enumerate(_items(data, "rows")):
        try:
            made.append(None if item is None else place(item)[3:])
        except ThemisError as error:
            text = error.message.replace("part 1 of the place", "its id")
            refuse = wrong_type if isinstance(error, TypeError) else wrong_value
        else:
            continue
        refuse(f"row {row}: {text}", row)
    return columns.from_list(ERRORS, made, "rows", is_text=False)


def _arrow_of(data: object, what: str) -> Column | None:
    library = library_of(data)
    if library is not None:
        data = library.column(data)
    return columns.from_arrow(ERRORS, data, what) if columns.is_arrow(data) else None


def _items(data: object, what: str) -> list[Any]:
    if isinstance(data, (str, dict, *_BYTES)) or not isinstance(data, Iterable):
        wrong_type(f"{what} must be a column or a list, not {type(data).__name__}")
    return list(data)


def _column_of_list(items: list[Any], what: str) -> Column:
    kinds = {type(item) for item in items if item is not None}
    if kinds <= {bytes}:
        return columns.from_list(ERRORS, items, what, is_text=False)
    if not kinds <= {str}:
        return _column_of_mixed(items, what)
    encoded: list[bytes | None] = []
    for row, item in enumerate(items):
        try:
            encoded.append(None if item is None else item.encode())
        except UnicodeEncodeError:
            encoded.clear()
            wrong_value(f"row {row}: it has a lone surrogate, which has no UTF-8 form", row)
    return columns.from_list(ERRORS, encoded, what, is_text=True)


def _column_of_mixed(items: list[Any], what: str) -> Column:
    """Lay out subclasses and other buffers as what they hold, and other values as section 10.1."""
    first = next(item for item in items if item is not None)
    if isinstance(first, str):
        return _column_of_list([_held(i, item, str, what) for i, item in enumerate(items)], what)
    if isinstance(first, _BYTES):
        return _column_of_list([_held(i, item, _BYTES, what) for i, item in enumerate(items)], what)
    made: list[bytes | None] = []
    with _at(items.index(first)):
        codec = _values.codec_of(ERRORS, type(first))
    for row, item in enumerate(items):
        with _at(row):
            made.append(None if item is None else _values.encode(ERRORS, codec, item))
    return columns.from_list(ERRORS, made, what, is_text=False)


def _held(row: int, item: Any, wanted: Any, what: str) -> Any:
    """Return what an item holds: a `str` of a subclass, or the bytes of a buffer."""
    if item is not None and not isinstance(item, wanted):
        name = "text" if wanted is str else "bytes"
        text = f"{what} holds {name}, and here {type(item).__name__}: a column has one type"
        wrong_type(f"row {row}: {text}", row)
    if item is None or isinstance(item, str):
        return item if item is None else str.__str__(item)
    try:
        return bytes(memoryview(item))  # not what a subclass says in __bytes__
    except ValueError:
        pass
    return wrong_value(f"row {row}: the buffer was released", row)


@contextmanager
def _at(row: int) -> Iterator[None]:
    """Add the row to an error of ours."""
    try:
        yield
    except ColumnError as error:
        error.index = row
        error.args = (f"row {row}: {error.args[0]}", *error.args[1:])
        raise


def decoded(result: Result, kind: object, *, nulls: bool) -> tuple[list[Any], int]:
    """Return the values of bytes by section 10.1, and how many were refused."""
    codec = _values.codec_of(ERRORS, kind)
    made: list[Any] = []
    refused = result.refused
    for row, data in enumerate(result.values()):
        try:
            with _at(row):
                made.append(None if data is None else _values.decode(ERRORS, codec, data))
        except ColumnError:
            if not nulls:
                raise
            made.append(None)
            refused += 1
    return made, refused


def like(data: Any, result: Result, text: bool) -> Any:
    """Return a result as a column of the library that the data is of."""
    library = library_of(data)
    made = ArrowColumn(result, text)
    if library is not None:
        return library.like(data, made)
    return made if columns.is_arrow(data) else made.to_pylist()
