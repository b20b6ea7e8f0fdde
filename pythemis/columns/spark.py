# SPDX-License-Identifier: Apache-2.0
"""Tables of Spark, encrypted and decrypted by its executors, batch by batch."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from . import _tables
from ._errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from ._cipher import ColumnCipher

__all__ = ["rotate", "seal", "unseal"]

_TYPES = {"bytes": BinaryType(), "text": StringType()}


def seal(df: Any, ciphers: Mapping[str, ColumnCipher], rows: str | None) -> Any:
    """Encrypt columns of a DataFrame of Spark.

    The ciphers need their keys by reference (`pythemis.keyring.from_reference`): each executor
    fetches the keys itself, and no key is in a plan, a task or a log. pythemis and pyarrow must be
    installed on the executors.

    Args:
        df: a DataFrame of Spark.
        ciphers: as in `pythemis.columns.seal`, with keys by reference.
        rows: as in `pythemis.columns.seal`. An id that occurs twice is found within a batch only.

    Returns:
        A DataFrame of Spark; the work is done when it is used. Each use makes other cells: save it
        before you use it twice.

    Raises:
        ColumnError: no columns of these names, or no DataFrame. A batch that is refused fails its
            task.
        TypeError: a cipher that holds keys.
    """
    return _mapped(df, partial(_tables.seal, ciphers=dict(ciphers), rows=rows), {})


def unseal(
    df: Any,
    ciphers: Mapping[str, ColumnCipher],
    rows: str | None,
    *,
    types: Mapping[str, str] | None = None,
) -> Any:
    """Decrypt columns of a DataFrame of Spark.

    Args:
        df: as in `seal`.
        ciphers: as in `seal`.
        rows: as in `seal`.
        types: the names of columns that hold text, as ``{"email": "text"}``; others hold bytes.

    Returns:
        A DataFrame of Spark; the work is done when it is used.

    Raises:
        ColumnError: as `seal`, or another type.
        TypeError: a cipher that holds keys.
    """
    kinds = dict(types or {})
    for name, kind in kinds.items():
        if name not in ciphers or kind not in _TYPES:
            wrong_value(f'types names {name!r}: give columns of ciphers, and "bytes" or "text"')
    work = partial(_tables.unseal, ciphers=dict(ciphers), rows=rows, types=kinds)
    return _mapped(df, work, kinds)


def rotate(df: Any, ciphers: Mapping[str, ColumnCipher], rows: str | None) -> Any:
    """Encrypt anew the cells of columns that are not under the primary key.

    Args:
        df: as in `seal`.
        ciphers: as in `seal`.
        rows: as in `seal`.

    Returns:
        A DataFrame of Spark; the work is done when it is used.

    Raises:
        ColumnError: as `seal`.
        TypeError: a cipher that holds keys.
    """
    return _mapped(df, partial(_tables.rotate, ciphers=dict(ciphers), rows=rows), {})


def _mapped(df: Any, work: partial[Any], types: Mapping[str, str]) -> Any:
    if not hasattr(df, "mapInArrow"):
        wrong_type(f"df must be a DataFrame of Spark, not {type(df).__name__}")
    ciphers, rows = work.keywords["ciphers"], work.keywords["rows"]
    names = df.columns
    for name in [*ciphers, *([] if rows is None else [rows])]:
        if names.count(name) != 1:
            wrong_value(f"the table has {names.count(name)} columns named {name!r}")
    pickle.dumps(ciphers)  # refused here, with a sentence, and not within a task
    made = {name: _TYPES[types.get(name, "bytes")] for name in ciphers}
    fields = [
        StructField(field.name, made.get(field.name, field.dataType), field.nullable)
        for field in df.schema.fields
    ]
    return df.mapInArrow(partial(_batches, work), StructType(fields))


def _batches(work: partial[Any], batches: Iterable[Any]) -> Iterator[Any]:
    """Work on the batches of a partition."""
    for batch in batches:
        yield work(batch)
