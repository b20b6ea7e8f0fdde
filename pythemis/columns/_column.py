# SPDX-License-Identifier: Apache-2.0
"""A column that belongs to no library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pythemis._core.columns import Result


class ArrowColumn:
    """A column of text or bytes that any library which reads Arrow data takes without a copy.

    You get one where the column that you passed is of no library that is known here:
    ``pyarrow.array(column)`` and ``polars.Series(column)`` read it.
    """

    __module__ = "pythemis.columns"
    __slots__ = ("_result", "_text")

    def __init__(self, result: Result, text: bool) -> None:
        self._result = result
        self._text = text

    def __len__(self) -> int:
        return self._result.rows

    @property
    def null_count(self) -> int:
        """The number of nulls."""
        return self._result.nulls

    def to_pylist(self) -> list[bytes | None] | list[str | None]:
        """Return the values as `bytes`, or as `str` in a column of text."""
        if self._text:
            return [None if value is None else value.decode() for value in self._result.values()]
        return self._result.values()

    def __arrow_c_schema__(self) -> object:
        return self._result.schema()

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return self._result.schema(), self._result.array()

    def __repr__(self) -> str:
        kind = "text" if self._text else "bytes"
        return f"<pythemis.columns.ArrowColumn of {len(self)} rows of {kind}>"
