# SPDX-License-Identifier: Apache-2.0
"""Functions of SQL in DuckDB."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import duckdb

from ._errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from ._cipher import ColumnCipher

__all__ = ["register"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROWS = ("BIGINT", "VARCHAR")


def register(
    connection: Any,
    name: str,
    cipher: ColumnCipher,
    *,
    rows: str | Sequence[str] = "BIGINT",
) -> None:
    """Register functions for a column: ``NAME_encrypt`` and ``NAME_decrypt``.

    ``NAME_encrypt(value, row)`` makes a BLOB of a VARCHAR, ``NAME_decrypt(cell, row)`` the reverse.
    For a primary key of several columns, ``row`` is one argument for each of them, in the order of
    the key. NULL stays NULL. A query with a cell that is refused fails. DuckDB works in batches: a
    row id that occurs twice is found within a batch only.

    Args:
        connection: of DuckDB. Anyone who can run SQL on it can use the functions.
        name: what their names begin with: lower-case letters, digits and underscores.
        cipher: of the column.
        rows: the type of the row ids, "BIGINT" or "VARCHAR"; cast UUIDs to VARCHAR. For a primary
            key of several columns a list of these, such as ``["VARCHAR", "BIGINT"]``.

    Raises:
        ColumnError: a wrong type of an argument, or not such a name.
    """
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        wrong_type(f"connection must be one of DuckDB, not {type(connection).__name__}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wrong_value("name must have lower-case letters, digits and underscores")
    kinds = list(rows) if isinstance(rows, (list, tuple)) else [rows]
    if not kinds or any(kind not in _ROWS for kind in kinds):
        wrong_value(f'rows must be "BIGINT" or "VARCHAR", or a list of these, not {rows!r}')
    # Volatile: two calls with the same arguments make different cells, and none may be computed
    # beforehand.
    options: dict[str, Any] = {
        "type": "arrow",
        "null_handling": "special",
        "side_effects": True,
    }

    def encrypt(values: Any, *ids: Any) -> Any:
        return cipher.encrypt(values, ids)

    def decrypt(cells: Any, *ids: Any) -> Any:
        return cipher.decrypt(cells, ids, type="text")

    for made, takes, gives in ((encrypt, "VARCHAR", "BLOB"), (decrypt, "BLOB", "VARCHAR")):
        _count(made, 1 + len(kinds))
        given = [takes, *kinds]
        connection.create_function(f"{name}_{made.__name__}", made, given, gives, **options)


def _count(function: Callable[..., Any], arguments: int) -> None:
    """Give a function the signature that DuckDB compares with the number of types."""
    parameters = [Parameter(f"a{n}", Parameter.POSITIONAL_ONLY) for n in range(arguments)]
    function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
