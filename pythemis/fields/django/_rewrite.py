# SPDX-License-Identifier: Apache-2.0
"""Write the stored values of a field under the primary key, beside running programs.

Rows are read in the order of their primary keys, each batch after the last key of the one before,
and a value is replaced only if it is still the one that was read: no update is lost, and a run that
was stopped is simply started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.db import connections, transaction
from django.db.models import Q
from django.db.models.query import QuerySet

from pythemis.fields._errors import FieldError

from ._cells import cell_of

_PASSES = 10  # over the table: programs that have the old ring write meanwhile

Key = tuple[Any, ...]
OnError = Callable[[Key, FieldError], object]


class _Row(NamedTuple):
    """A row with a value."""

    key: Key
    cell: bytes
    blind: bytes | None  # index


class Count(NamedTuple):
    """What a run has done.

    Attributes:
        rows: the values that were looked at.
        due: those that are not as they should be.
        written: those that were replaced.
        failed: those that were refused.
    """

    rows: int = 0
    due: int = 0
    written: int = 0
    failed: int = 0


def rotate(
    field: Any,
    using: str,
    *,
    batch: int,
    rate: float | None,
    dry_run: bool,
    on_error: OnError,
) -> Count:
    """Write all values that are under older keys, and indexes likewise, anew.

    Args:
        field: a sealed field.
        using: the alias of the database.
        batch: the rows of one transaction.
        rate: the most rows that are looked at in a second.
        dry_run: count, and write nothing.
        on_error: called with the primary key for each value that is refused, which is skipped.
    """
    count, written = Count(), 0
    for _ in range(_PASSES):
        count = _pass(field, using, batch, rate, dry_run, on_error)
        written += count.written
        if not count.written:
            break
        on_error = _ignore  # it has been called for these rows
    return count._replace(written=written)


def _ignore(key: Key, error: FieldError) -> None:
    pass


def _pass(
    field: Any, using: str, batch: int, rate: float | None, dry_run: bool, on_error: OnError
) -> Count:
    count, after = Count(), None
    started = time.monotonic()
    while True:
        with transaction.atomic(using=using):
            rows, after = _next_rows(field, using, after, batch)
            changes, failed = _changes(field, rows, on_error)
            written = 0 if dry_run else sum(_write(field, using, each) for each in changes)
        count = Count(
            count.rows + len(rows),
            count.due + len(changes),
            count.written + written,
            count.failed + failed,
        )
        if after is None:
            return count
        if rate:
            time.sleep(max(0.0, started + count.rows / rate - time.monotonic()))


def check(field: Any, using: str, *, batch: int, on_error: OnError) -> Count:
    """Open all values, and compare their indexes with those under all index keys."""
    count, after = Count(), None
    while True:
        rows, after = _next_rows(field, using, after, batch)
        due = failed = 0
        for row in rows:
            try:
                value = field.cipher().open(row.cell, *(row.key if field.bind == "row" else ()))
                due += field.index is not None and row.blind not in field.indexes_of([value])
            except FieldError as error:
                on_error(row.key, error)
                failed += 1
        count = Count(count.rows + len(rows), count.due + due, 0, count.failed + failed)
        if after is None:
            return count


def prefixes(field: Any, using: str) -> list[tuple[bytes | None, int]]:
    """Return the first eight bytes of the stored values, which name their keys, and how many."""
    connection = connections[using]
    quote = connection.ops.quote_name
    start = f"SUBSTR({quote(field.column)}, 1, 8)"
    table = quote(field.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {start}, COUNT(*) FROM {table} GROUP BY {start}")
        return [(_as_bytes(prefix), count) for prefix, count in cursor.fetchall()]


def _as_bytes(prefix: Any) -> bytes | None:
    if prefix is None:
        return None
    return prefix.encode() if isinstance(prefix, str) else bytes(prefix)


def _next_rows(
    field: Any, using: str, after: Key | None, batch: int
) -> tuple[list[_Row], Key | None]:
    """Return the rows of a batch that have a value, and the last key; None behind the last row."""
    names = [key.attname for key in field.key_fields()]
    query = QuerySet(model=field.model, using=using).order_by(*names)
    if after is not None:
        query = query.filter(_is_after(names, after))
    index = [] if field.index is None else [field.companion_name()]
    found = list(query.values_list(*names, field.attname, *index)[:batch])
    rows = [
        _Row(row[: len(names)], cell, cell_of(row[-1]) if index else None)
        for row in found
        if (cell := cell_of(row[len(names)])) is not None
    ]
    return rows, found[-1][: len(names)] if len(found) == batch else None


def _is_after(names: list[str], key: Key) -> Any:
    """Return the condition that a primary key comes later; with OFFSET rows could be skipped."""
    condition = Q()
    for at, name in enumerate(names):
        equal = dict(zip(names[:at], key[:at], strict=True))
        condition |= Q(**equal, **{f"{name}__gt": key[at]})
    return condition


def _changes(
    field: Any, rows: list[_Row], on_error: OnError
) -> tuple[list[tuple[_Row, bytes, bytes | None]], int]:
    """Return what is to be written: rows as they were read, with new cells and indexes."""
    changes, failed = [], 0
    for row, made in _made(field, rows, on_error):
        if made is None:
            failed += 1
        elif made != (row.cell, row.blind):
            changes.append((row, *made))
    return changes, failed


def _made(
    field: Any, rows: list[_Row], on_error: OnError
) -> Iterator[tuple[_Row, tuple[bytes, bytes | None] | None]]:
    cipher = field.cipher()
    for row in rows:
        bound = row.key if field.bind == "row" else ()
        try:
            cell, index = row.cell, row.blind
            if cipher.needs_rotation(cell):
                cell = cipher.rotate(cell, *bound)
            if field.index is not None:
                index = cipher.index(cipher.open(cell, *bound))
            yield row, (cell, index)
        except FieldError as error:
            on_error(row.key, error)
            yield row, None


def _write(field: Any, using: str, change: tuple[_Row, bytes, bytes | None]) -> int:
    """Replace one value, if it is still there, and return how many were."""
    row, cell, index = change
    connection = connections[using]
    quote, binary = connection.ops.quote_name, connection.Database.Binary
    columns, params = [quote(field.column)], [binary(cell)]
    if field.index is not None:
        columns.append(quote(field.companion().column))
        params.append(None if index is None else binary(index))
    where = []
    for key, part in zip(field.key_fields(), row.key, strict=True):
        where.append(quote(key.column))
        params.append(key.get_db_prep_value(part, connection))
    where.append(quote(field.column))
    params.append(binary(row.cell))
    table = quote(field.model._meta.db_table)
    changed = ", ".join(f"{column} = %s" for column in columns)
    same = " AND ".join(f"{column} = %s" for column in where)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {changed} WHERE {same}", params)
        return int(cursor.rowcount)
