# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of Polars, and expressions for lazy frames.

`pythemis.columns.seal` and its like take lazy frames as well; `encrypt`, `decrypt` and
`blind_index` are for your own expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import polars as pl

from ._errors import ColumnError, wrong_type, wrong_value

if TYPE_CHECKING:
    from ._column import ArrowColumn

__all__ = ["blind_index", "decrypt", "encrypt"]

_TYPES = {"bytes": pl.Binary, "text": pl.String}


class _Cipher(Protocol):
    """What is used of a `ColumnCipher`, which uses this module itself."""

    @property
    def encrypt(self) -> Any: ...

    @property
    def decrypt(self) -> Any: ...

    @property
    def blind_index(self) -> Any: ...


def encrypt(
    cipher: _Cipher,
    values: str | pl.Expr,
    rows: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    *,
    threads: int = 1,
) -> pl.Expr:
    """Return an expression that encrypts a column.

    Polars may compute it batch by batch. A row id that occurs twice is found within a batch only.

    Args:
        cipher: of the column.
        values: the column, or its name.
        rows: the row ids, or the name of their column, or a list of these for a primary key of
            several columns; as for `ColumnCipher.encrypt`.
        threads: as for `ColumnCipher.encrypt`.

    Raises:
        ColumnError: a wrong argument. Where the cipher refuses a value, computing the expression
            raises ``polars.exceptions.ComputeError``.
    """
    return _expression(
        values, rows, lambda data, ids: cipher.encrypt(data, ids, threads=threads), pl.Binary
    )


def decrypt(
    cipher: _Cipher,
    cells: str | pl.Expr,
    rows: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    *,
    type: Literal["bytes", "text"] = "bytes",
    threads: int = 1,
) -> pl.Expr:
    """Return an expression that decrypts a column.

    Args:
        cipher: of the column.
        cells: the column, or its name.
        rows: as for `encrypt`.
        type: "bytes" or "text".
        threads: as for `ColumnCipher.encrypt`.

    Raises:
        ColumnError: a wrong argument; refused cells are as for `encrypt`.
    """

    def work(data: Any, ids: Any) -> Any:
        return cipher.decrypt(data, ids, type=type, threads=threads)

    return _expression(cells, rows, work, data_type(type))


def blind_index(cipher: _Cipher, values: str | pl.Expr, *, threads: int = 1) -> pl.Expr:
    """Return an expression that computes the blind indexes of a column.

    Args:
        cipher: of the column, with index keys.
        values: the column, or its name.
        threads: as for `ColumnCipher.encrypt`.

    Raises:
        ColumnError: a wrong argument; refused values are as for `encrypt`.
    """
    return _expression(
        values, None, lambda data, _: cipher.blind_index(data, threads=threads), pl.Binary
    )


def data_type(type: object) -> Any:
    """Return the type of Polars for "bytes" or "text"."""
    if not isinstance(type, str) or type not in _TYPES:
        wrong_value(f'an expression has the type "bytes" or "text", not {type!r}')
    return _TYPES[type]


def _expression(
    values: str | pl.Expr,
    rows: str | pl.Expr | Sequence[str | pl.Expr] | None,
    work: Callable[[Any, Any], Any],
    kind: Any,
) -> pl.Expr:
    parts = list(rows) if isinstance(rows, (list, tuple)) else [] if rows is None else [rows]
    if rows is not None and not parts:
        wrong_value("rows names no column: None binds the values to their column alone")
    for given in (values, *parts):
        if not isinstance(given, (str, pl.Expr)):
            wrong_type(f"give a name or an expression, not {type(given).__name__}")

    def on_series(series: Any) -> Any:
        try:
            return work(series[0], tuple(series[1:]) or None)
        except ColumnError as error:
            text = error.message
        # Polars makes the errors of functions anew, of their text alone.
        raise pl.exceptions.ComputeError(text)

    return pl.map_batches([values, *parts], on_series, kind, is_elementwise=True)


def column(data: Any) -> Any:
    """Return a column as what gives itself in capsules."""
    return data


def like(data: Any, made: ArrowColumn) -> Any:
    """Return a result as a series of the data's name."""
    return pl.Series(made).alias(data.name)


# ---- Tables ----


def names(table: Any) -> list[str]:
    """Return the names of the columns; a TypeError if it is no table."""
    if isinstance(table, pl.LazyFrame):
        return list(table.collect_schema().names())
    if not isinstance(table, pl.DataFrame):
        raise TypeError
    return list(table.columns)


def deferred(name: str, rows: list[str], work: Callable[[Any, Any], Any], type: object) -> pl.Expr:
    """Return an expression for a column of a lazy frame."""
    return _expression(name, rows or None, work, data_type(type))


def get(table: Any, name: str) -> Any:
    """Return a column of a table."""
    return table.get_column(name)


def replaced(table: Any, made: dict[str, Any]) -> Any:
    """Return a table in which these columns are others."""
    return table.with_columns([values.alias(name) for name, values in made.items()])
