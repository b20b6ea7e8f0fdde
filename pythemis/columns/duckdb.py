# SPDX-License-Identifier: Apache-2.0
"""Functions of SQL in DuckDB."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import duckdb

from ._errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from ._cipher import ColumnCipher

__all__ = ["register"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ROWS = ("BIGINT", "VARCHAR")


def register(connection: Any, name: str, cipher: ColumnCipher, *, rows: str = "BIGINT") -> None:
    """Register functions for a column: ``NAME_encrypt`` and ``NAME_decrypt``.

    ``NAME_encrypt(value, row)`` makes a BLOB of a VARCHAR, ``NAME_decrypt(cell, row)`` the reverse.
    NULL stays NULL. A query with a cell that is refused fails. DuckDB works in batches: a row id
    that occurs twice is found within a batch only.

    Args:
        connection: of DuckDB. Anyone who can run SQL on it can use the functions.
        name: what their names begin with: lower-case letters, digits and underscores.
        cipher: of the column.
        rows: the type of the row ids, "BIGINT" or "VARCHAR"; cast UUIDs to VARCHAR.

    Raises:
        ColumnError: a wrong type of an argument, or not such a name.
    """
    if not isinstance(connection, duckdb.DuckDBPyConnection):
        wrong_type(f"connection must be one of DuckDB, not {type(connection).__name__}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wrong_value("name must have lower-case letters, digits and underscores")
    if rows not in _ROWS:
        wrong_value(f'rows must be "BIGINT" or "VARCHAR", not {rows!r}')
    # Volatile: two calls with the same arguments make different cells, and none may be computed
    # beforehand.
    options: dict[str, Any] = {
        "type": "arrow",
        "null_handling": "special",
        "side_effects": True,
    }

    def encrypt(values: Any, ids: Any) -> Any:
        return cipher.encrypt(values, ids)

    def decrypt(cells: Any, ids: Any) -> Any:
        return cipher.decrypt(cells, ids, type="text")

    connection.create_function(f"{name}_encrypt", encrypt, ["VARCHAR", rows], "BLOB", **options)
    connection.create_function(f"{name}_decrypt", decrypt, ["BLOB", rows], "VARCHAR", **options)
