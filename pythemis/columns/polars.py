# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from ._column import ArrowColumn


def column(data: Any) -> Any:
    """Return a column as what gives itself in capsules."""
    return data


def like(data: Any, made: ArrowColumn) -> Any:
    """Return a result as a series of the data's name."""
    return pl.Series(made).alias(data.name)


# ---- Tables ----


def names(table: Any) -> list[str]:
    """Return the names of the columns; a TypeError if it is no table."""
    if not isinstance(table, pl.DataFrame):
        raise TypeError
    return list(table.columns)


def get(table: Any, name: str) -> Any:
    """Return a column of a table."""
    return table.get_column(name)


def replaced(table: Any, made: dict[str, Any]) -> Any:
    """Return a table in which these columns are others."""
    return table.with_columns([values.alias(name) for name, values in made.items()])
