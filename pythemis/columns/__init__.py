# SPDX-License-Identifier: Apache-2.0
"""Whole columns of tables, encrypted value by value at the speed of C.

Each cell is bound to its table, column and row. A web application that works on one row at a time
reads and writes the same cells with a `pythemis.keyring.Keyring` (formats, sections 9 and 10).

Columns of pyarrow, Polars and pandas go in where they lie, without a copy, and come out as columns
of the same library. Anything else that speaks the Arrow PyCapsule interface works as well, and so
do lists.
"""

from __future__ import annotations

from ._cipher import ColumnCipher
from ._column import ArrowColumn
from ._errors import ColumnError, ColumnTypeError, ColumnValueError
from ._tables import rotate, seal, unseal

__all__ = [
    "ArrowColumn",
    "ColumnCipher",
    "ColumnError",
    "ColumnTypeError",
    "ColumnValueError",
    "rotate",
    "seal",
    "unseal",
]
