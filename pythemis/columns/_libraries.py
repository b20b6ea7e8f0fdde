# SPDX-License-Identifier: Apache-2.0
"""Columns in and out: of each library, of any other that speaks Arrow, and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pythemis._core import columns
from pythemis.exception import ThemisError
from pythemis.place import place

from ._column import ArrowColumn
from ._errors import ERRORS, wrong_type, wrong_value

if TYPE_CHECKING:
    from types import ModuleType

    from pythemis._core.columns import Column, Result

_BYTES = (bytes, bytearray, memoryview)


def library_of(data: object) -> ModuleType | None:
    """Return the module that knows the library of a column or a table; None if there is none."""
    name = type(data).__module__.partition(".")[0]
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
    """Read values: a column of a library, or a list of text or of bytes."""
    return _arrow_of(data, what) or _column_of_list(_items(data, what), what)


def rows_of(data: object) -> Column:
    """Read row ids: a column of a library, or a list of what a part of a place may be."""
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
    """Lay subclasses and other buffers out as what they hold; refuse what is neither."""
    first = next(item for item in items if item is not None)
    wanted, name = (str, "text") if isinstance(first, str) else (_BYTES, "bytes")
    made: list[Any] = []
    for row, item in enumerate(items):
        if item is not None and not isinstance(item, wanted):
            kind = type(item).__name__
            if item is first:
                text = f"{what} must hold text or bytes, not {kind}; convert the values first"
            else:
                text = f"{what} holds {name}, and here {kind}: a column has one type"
            made.clear()
            wrong_type(f"row {row}: {text}", row)
        if isinstance(item, str):
            made.append(str.__str__(item))
        else:
            made.append(None if item is None else bytes(item))
    return _column_of_list(made, what)


def like(data: Any, result: Result, text: bool) -> Any:
    """Return a result as a column of the library that the data is of."""
    library = library_of(data)
    made = ArrowColumn(result, text)
    if library is not None:
        return library.like(data, made)
    return made if columns.is_arrow(data) else made.to_pylist()
