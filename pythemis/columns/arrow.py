# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ._errors import wrong_type

if TYPE_CHECKING:
    from ._column import ArrowColumn


NOTHING = pa.null()  # the type of a column of nulls


def column(data: Any) -> Any:
    """Return a column as what gives itself in capsules."""
    return data


def like(data: Any, made: ArrowColumn) -> Any:
    """Return a result as a column of pyarrow: in one chunk where the data was chunked."""
    array = pa.array(made)
    return pa.chunked_array([array]) if isinstance(data, pa.ChunkedArray) else array


def from_series(series: Any) -> Any:
    """Return a series of a library that does not speak Arrow itself."""
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        pass  # its text has values
    return wrong_type(
        "the column holds values of several types, or of one that Arrow does not have"
    )


# ---- Tables ----


def names(table: Any) -> list[str]:
    """Return the names of the columns; a TypeError if it is no table."""
    if not isinstance(table, (pa.Table, pa.RecordBatch)):
        raise TypeError
    return list(table.schema.names)


def get(table: Any, name: str) -> Any:
    """Return a column of a table."""
    return table.column(name)


def replaced(table: Any, made: dict[str, Any]) -> Any:
    """Return a table in which these columns are others."""
    for name, values in made.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table
