# SPDX-License-Identifier: Apache-2.0
"""Tables of Spark, encrypted and decrypted by its executors, batch by batch; functions of SQL."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from pyspark.sql import functions
from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from . import _tables, arrow
from ._cipher import ColumnCipher
from ._errors import wrong_type, wrong_value

__all__ = ["register", "rotate", "seal", "unseal"]

_TYPES = {"bytes": BinaryType(), "text": StringType()}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def seal(df: Any, ciphers: Mapping[str, ColumnCipher], rows: _tables.Rows) -> Any:
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
    rows: _tables.Rows,
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


def rotate(df: Any, ciphers: Mapping[str, ColumnCipher], rows: _tables.Rows) -> Any:
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


def register(session: Any, name: str, cipher: ColumnCipher, *, type: str = "text") -> None:
    """Register functions of SQL for a column: ``NAME_encrypt`` and ``NAME_decrypt``.

    ``NAME_encrypt(value, row)`` makes binary cells of text or binary, ``NAME_decrypt(cell, row)``
    the reverse. For a primary key of several columns, ``row`` is one argument for each of them, in
    the order of the key. NULL stays NULL. A query with a value that is refused fails. Spark works
    in batches: a row id that occurs twice is found within a batch only.

    The functions are marked as not deterministic, so that Spark computes a cell once where the
    query has it once. A task that is tried again makes other cells.

    Args:
        session: of Spark, 4.1 or newer. Anyone who can run SQL on it can use the functions.
        name: what their names begin with: lower-case letters, digits and underscores.
        cipher: of the column, with keys by reference, as for `seal`.
        type: "text" or "bytes", what ``NAME_decrypt`` returns.

    Raises:
        ColumnError: a wrong type of an argument, not such a name, or an older Spark.
        TypeError: a cipher that holds keys.
    """
    if not hasattr(session, "udf"):
        wrong_type(f"session must be one of Spark, not {session.__class__.__name__}")
    if not isinstance(cipher, ColumnCipher):
        wrong_type(f"cipher must be a ColumnCipher, not {cipher.__class__.__name__}")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        wrong_value("name must have lower-case letters, digits and underscores")
    if type not in _TYPES:
        wrong_value(f'type must be "text" or "bytes", not {type!r}')
    if not hasattr(functions, "arrow_udf"):
        wrong_value("this Spark has no Arrow functions for SQL: it needs 4.1 or newer")
    _check_that_it_travels(cipher)

    def encrypt(values: arrow.Array, row: arrow.Array, *more: arrow.Array) -> arrow.Array:
        return cipher.encrypt(values, (row, *more))

    def decrypt(cells: arrow.Array, row: arrow.Array, *more: arrow.Array) -> arrow.Array:
        return cipher.decrypt(cells, (row, *more), type=type)

    for made, kind in ((encrypt, "bytes"), (decrypt, type)):
        function = functions.arrow_udf(made, _TYPES[kind]).asNondeterministic()
        session.udf.register(f"{name}_{made.__name__}", function)


def _mapped(df: Any, work: partial[Any], types: Mapping[str, str]) -> Any:
    if not hasattr(df, "mapInArrow"):
        wrong_type(f"df must be a DataFrame of Spark, not {type(df).__name__}")
    ciphers = work.keywords["ciphers"]
    parts = _tables.names_of_rows(work.keywords["rows"], df.columns)
    _tables.check_names(df.columns, [*ciphers, *parts])
    _check_that_it_travels(ciphers)
    made = {name: _TYPES[types.get(name, "bytes")] for name in ciphers}
    fields = [
        StructField(field.name, made.get(field.name, field.dataType), field.nullable)
        for field in df.schema.fields
    ]
    return df.mapInArrow(partial(_batches, work), StructType(fields))


def _check_that_it_travels(ciphers: object) -> None:
    """Refuse with a sentence, here and not within a task, what has its keys with it."""
    try:
        pickle.dumps(ciphers)
    except (AttributeError, pickle.PicklingError):
        pass  # a function within another, which may hold anything
    else:
        return
    wrong_type(
        "the keys of a cipher cannot be pickled: give it keys by reference, "
        "keyring.from_reference(...), which executors resolve for themselves"
    )


def _batches(work: partial[Any], batches: Iterable[Any]) -> Iterator[Any]:
    """Work on the batches of a partition."""
    for batch in batches:
        yield work(batch)
