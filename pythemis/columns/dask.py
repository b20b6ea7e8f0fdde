# SPDX-License-Identifier: Apache-2.0
"""Tables of Dask, whose partitions are tables of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dask.dataframe as dd

from . import _tables, pandas
from ._errors import wrong_type

if TYPE_CHECKING:
    from ._cipher import ColumnCipher

__all__ = ["rotate", "seal", "unseal"]


def seal(df: Any, ciphers: Mapping[str, ColumnCipher], rows: _tables.Rows) -> Any:
    """Encrypt columns of a DataFrame of Dask, partition by partition.

    Give the ciphers their keys by reference (`pythemis.keyring.from_reference`): each worker
    fetches the keys itself, and no key is in a task. A scheduler with other processes refuses
    ciphers that hold keys.

    Args:
        df: a DataFrame of Dask.
        ciphers: as in `pythemis.columns.seal`.
        rows: as in `pythemis.columns.seal`. An id that occurs twice is found within a partition
            only.

    Returns:
        A DataFrame of Dask; the work is done when it is computed.

    Raises:
        ColumnError: it is no DataFrame of Dask; when it is computed, as `pythemis.columns.seal`.
    """
    return _mapped(df, partial(_tables.seal, ciphers=ciphers, rows=rows))


def unseal(
    df: Any,
    ciphers: Mapping[str, ColumnCipher],
    rows: _tables.Rows,
    *,
    types: Mapping[str, Any] | None = None,
) -> Any:
    """Decrypt columns of a DataFrame of Dask, partition by partition.

    Args:
        df: as in `seal`.
        ciphers: as in `seal`.
        rows: as in `seal`.
        types: as in `pythemis.columns.unseal`.

    Returns:
        As `seal`.

    Raises:
        ColumnError: as `seal`.
    """
    return _mapped(df, partial(_tables.unseal, ciphers=ciphers, rows=rows, types=types))


def rotate(df: Any, ciphers: Mapping[str, ColumnCipher], rows: _tables.Rows) -> Any:
    """Encrypt anew the cells of columns that are not under the primary key.

    Args:
        df: as in `seal`.
        ciphers: as in `seal`.
        rows: as in `seal`.

    Returns:
        As `seal`.

    Raises:
        ColumnError: as `seal`.
    """
    return _mapped(df, partial(_tables.rotate, ciphers=ciphers, rows=rows))


def _mapped(df: Any, work: partial[Any]) -> Any:
    if not isinstance(df, dd.DataFrame):
        wrong_type(f"df must be a DataFrame of Dask, not {type(df).__name__}")
    # The types come from work on no rows, which also refuses names that are not there.
    meta = work(pandas.empty(df._meta, work.keywords["ciphers"]))
    return df.map_partitions(_Work(work), meta=meta)


class _Work:
    """Work on a partition, which Dask tells from other work by a name, and not by what it holds."""

    def __init__(self, work: partial[Any]) -> None:
        self._work = work
        self._name = uuid4().hex

    def __call__(self, table: Any) -> Any:
        return self._work(table)

    def __dask_tokenize__(self) -> str:
        return self._name
