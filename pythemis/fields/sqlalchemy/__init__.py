# SPDX-License-Identifier: Apache-2.0
"""Sealed columns for SQLAlchemy 2: declare them, assign and read plain values, find rows.

The import listens to all sessions, mappers and engines; classes without sealed attributes are not
touched.
"""

from __future__ import annotations

from . import _events, _statements  # noqa: F401
from ._attribute import Comparator, Sealed, open_all, seal_values, sealed
from ._rewrite import Progress, rewrite, rows_to_rewrite
from ._types import IndexType, SealedType, UnsealedError, index_column, sealed_column

__all__ = [
    "Comparator",
    "IndexType",
    "Progress",
    "Sealed",
    "SealedType",
    "UnsealedError",
    "index_column",
    "open_all",
    "rewrite",
    "rows_to_rewrite",
    "seal_values",
    "sealed",
    "sealed_column",
]
