# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of pandas, whose Arrow data pyarrow makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import arrow

if TYPE_CHECKING:
    from ._column import ArrowColumn


def column(data: Any) -> Any:
    """Return a column as what gives itself in capsules."""
    return arrow.from_series(data) if isinstance(data, (pd.Series, pd.Index)) else data


def like(data: Any, made: ArrowColumn) -> Any:
    """Return a result as a series with the index and the name of the data."""
    index = data.index if isinstance(data, pd.Series) else None
    values = pd.arrays.ArrowExtensionArray(arrow.like(data, made))
    return pd.Series(values, index=index, name=getattr(data, "name", None))


# ---- Tables ----


def names(table: Any) -> list[str]:
    """Return the names of the columns; a TypeError if it is no table."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError
    return list(table.columns)


def get(table: Any, name: str) -> Any:
    """Return a column of a table."""
    return table[name]


def replaced(table: Any, made: dict[str, Any]) -> Any:
    """Return a table in which these columns are others."""
    return table.assign(**made)


def empty(table: Any, names: Iterable[str]) -> Any:
    """Return a table without rows, whose columns of these names have values of no type yet."""
    nothing = pd.Series([], dtype=pd.ArrowDtype(arrow.NOTHING))
    return table.head(0).assign(**{name: nothing for name in names if name in table.columns})
