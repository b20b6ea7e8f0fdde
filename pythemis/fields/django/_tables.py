# SPDX-License-Identifier: Apache-2.0
"""Rows of sealed fields as a table has them: read in batches, and written where unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connections, models, transaction
from django.db.models import Q, lookups
from django.db.models.query import QuerySet
from django.db.models.sql.where import AND, OR, WhereNode

from pythemis._core.errors import INVALID_PARAMETER
from pythemis.fields._errors import FieldError

from ._cells import cell_of
from ._guards import mark, parameter
from ._lookups import RawCol, SealedIsNull

Key = tuple[Any, ...]


class Table(NamedTuple):
    """Sealed fields of one table.

    Attributes:
        model: whose table it is.
        fields: sealed fields of it.
        using: the alias of the database.
    """

    model: Any
    fields: tuple[Any, ...]
    using: str

    @property
    def indexed(self) -> list[Any]:
        """The blind index of each field, or None."""
        return [field.index for field in self.fields]

    @property
    def keys(self) -> list[Any]:
        """The fields of the primary key."""
        return list(self.model._meta.pk_fields)


class Row(NamedTuple):
    """A row as it was read.

    Attributes:
        key: its primary key.
        cells: the stored value of each field, or what else its column holds.
        indexes: the blind index of each field.
        source: what the column holds that values come from.
    """

    key: Key
    cells: tuple[bytes | None, ...]
    indexes: tuple[bytes | None, ...]
    source: Any = None


class Change(NamedTuple):
    """What is to be written into a row: cell and index for each field."""

    row: Row
    new: dict[Any, tuple[bytes, bytes | None]]


# ---- Reading ----


class _IsOld(lookups.Lookup):  # type: ignore[misc, unused-ignore]
    """Whether a value is not under the key of a prefix. Queries of users cannot have it."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the condition."""
        sql = f"SUBSTR({self.lhs.real_sql(compiler)}, 1, 8) <> {mark(connection)}"
        return sql, [parameter(self.rhs, connection)]


def next_rows(
    table: Table,
    source: Any,
    after: Key | None,
    batch: int,
    *,
    is_whole: bool,
    is_locked: bool = False,
) -> tuple[list[Row], Key | None, bool]:
    """Return the rows of a batch, the last primary key, and whether no more come.

    Args:
        table: the fields.
        source: where values come from; None: they are sealed.
        after: the last primary key of the batch before.
        batch: the most rows.
        is_whole: return all rows that have a value, and not only those under older keys.
        is_locked: let other writers of these rows wait for the end of the transaction.
    """
    names = [key.attname for key in table.keys]
    query = QuerySet(model=table.model, using=table.using).order_by(*names)
    if after is not None:
        query = query.filter(_is_after(names, after))
    alias = query.query.get_initial_alias()
    columns = [field.attname for field in table.fields]
    columns += [field.companion_name() for field in table.fields if field.index is not None]
    cells = [field.get_col(alias) for field in table.fields]
    if source is not None and source.field is not None:
        origin = RawCol(alias, source.field, models.Field())
        query = query.annotate(sealed_source=origin)
        columns.append("sealed_source")
        due = [lookups.IsNull(origin, False)]
        if source.keeps:
            query.query.where.add(SealedIsNull(cells[0], True), AND)
    elif source is not None or is_whole:
        due = [SealedIsNull(cell, False) for cell in cells]
    else:
        pairs = zip(cells, table.fields, strict=True)
        due = [_IsOld(cell, field.cipher().prefix()) for cell, field in pairs]
    query.query.where.add(WhereNode(due, connector=OR), AND)
    if is_locked:
        query = query.select_for_update()
    found = list(query.values_list(*names, *columns)[:batch])
    rows = [_row(table, source, each, len(names)) for each in found]
    return rows, rows[-1].key if rows else None, len(rows) < batch


def _row(table: Table, source: Any, found: tuple[Any, ...], keys: int) -> Row:
    """Return a row of what was listed: key, cells, the indexes of fields that have one, source."""
    middle = keys + len(table.fields)
    rest = iter(found[middle:])
    cells = tuple(map(cell_of, found[keys:middle]))
    indexes = tuple([None if at is None else cell_of(next(rest)) for at in table.indexed])
    if source is None:
        return Row(found[:keys], cells, indexes)
    return Row(found[:keys], cells, indexes, next(rest, found[keys]))


def _is_after(names: list[str], key: Key) -> Any:
    """Return the condition that a primary key comes later; with OFFSET rows could be skipped."""
    condition = Q()
    for at, name in enumerate(names):
        equal = dict(zip(names[:at], key[:at], strict=True))
        condition |= Q(**equal, **{f"{name}__gt": key[at]})
    return condition


# ---- Writing ----


def write(
    table: Table,
    source: Any,
    changes: list[Change],
    refuse: Callable[[Key, Any, FieldError], None],
) -> int:
    """Replace what rows hold, where they still hold what was read, and return how many did."""
    groups: dict[tuple[Any, ...], list[Change]] = {}
    for change in changes:
        # An unmigrated row may have no cell, and NULL is not equal to NULL.
        kind = (*change.new, *(change.row.cells[at] is None for at in range(len(table.fields))))
        groups.setdefault(kind, []).append(change)
    return sum(_write_group(table, source, group, refuse) for group in groups.values())


def _write_group(table: Table, source: Any, group: list[Change], refuse: Any) -> int:
    try:
        with transaction.atomic(using=table.using):
            return _written(table, source, group)
    except IntegrityError:
        pass
    if len(group) > 1:
        return sum(_write_group(table, source, [change], refuse) for change in group)
    [change] = group
    problem = FieldError(
        INVALID_PARAMETER, "another row has this value, or the database refuses it otherwise"
    )
    refuse(change.row.key, next(iter(change.new)), problem)
    return 0


class _Assignment(NamedTuple):
    """A column of an UPDATE, with its parameter for each row."""

    column: str
    type: str
    params: list[Any]


def _written(table: Table, source: Any, group: list[Change]) -> int:
    connection = connections[table.using]
    places = {field: at for at, field in enumerate(table.fields)}
    new: list[_Assignment] = []
    same: list[_Assignment] = []
    empty: list[str] = []
    for at, key in enumerate(table.keys):
        params = [key.get_db_prep_value(change.row.key[at], connection) for change in group]
        same.append(_Assignment(key.column, key.rel_db_type(connection), params))
    for field in group[0].new:
        at, kind = places[field], field.db_type(connection)
        made = [change.new[field] for change in group]
        cells = [parameter(cell, connection) for cell, _ in made]
        new.append(_Assignment(field.column, kind, cells))
        if field.index is not None:
            companion = field.companion()
            indexes = [None if each is None else parameter(each, connection) for _, each in made]
            new.append(_Assignment(companion.column, companion.db_type(connection), indexes))
        if group[0].row.cells[at] is None:
            empty.append(field.column)
        else:
            old = [_as_read(change.row, at, source, connection) for change in group]
            same.append(_Assignment(field.column, kind, old))
    null = None
    if source is not None and source.field is not None:
        field = source.field
        was = [change.row.source for change in group]
        same.append(_Assignment(field.column, field.db_type(connection), was))
        null = None if source.keeps else field.column
    statement = _Statement(connection, table.model._meta.db_table, new, same, empty, null)
    return statement.run(len(group))


def _as_read(row: Row, at: int, source: Any, connection: Any) -> Any:
    """Return the parameter for what a column held; SQLite tells text and bytes apart."""
    if source is not None and source.field is None and isinstance(row.source, str):
        return row.source
    return parameter(row.cells[at] or b"", connection)


class _Statement(NamedTuple):
    """An UPDATE of many rows, each with parameters of its own."""

    connection: Any
    table: str
    new: list[_Assignment]
    same: list[_Assignment]
    empty: list[str]
    null: str | None

    def run(self, count: int) -> int:
        """Run it, and return how many rows it changed.

        This is no `cursor()`: with DEBUG that logs parameters, and the source's are plain values.
        """
        with self.connection.make_cursor(self.connection.create_cursor()) as cursor:
            if self.connection.vendor == "postgresql":
                key = self.same[0].params
                params = [_array(each) for each in (*self.new, *self.same)]
                cursor.execute(self._by_arrays(), [*params, key[0], key[-1]])
            else:
                columns = [each.params for each in (*self.new, *self.same)]
                rows = list(zip(*columns, strict=True))
                cursor.executemany(self._by_rows(), rows)
            return min(int(cursor.rowcount), count)

    def _by_rows(self) -> str:
        quote = self.connection.ops.quote_name
        mark = self._mark
        changed = [f"{quote(each.column)} = {mark(each)}" for each in self.new]
        same = [f"{quote(each.column)} = {mark(each)}" for each in self.same]
        return self._joined(changed, same, quote(self.table), quote)

    def _mark(self, each: _Assignment) -> str:
        is_binary = isinstance(each.params[0], (bytes, memoryview))
        return mark(self.connection) if is_binary else "%s"

    def _by_arrays(self) -> str:
        quote = self.connection.ops.quote_name
        each = [*self.new, *self.same]
        names = [f"c{at}" for at in range(len(each))]
        arrays = ", ".join(f"%s::{column.type}[]" for column in each)
        size = len(self.new)
        changed = [
            f"{quote(column.column)} = v.{name}"
            for column, name in zip(self.new, names[:size], strict=True)
        ]
        same = [
            f"t.{quote(column.column)} = v.{name}"
            for column, name in zip(self.same, names[size:], strict=True)
        ]
        key = self.same[0]  # of rows in its order: the database need not look at all others
        same.append(f"t.{quote(key.column)} BETWEEN %s::{key.type} AND %s::{key.type}")
        source = f" FROM unnest({arrays}) AS v({', '.join(names)})"
        return self._joined(changed, same, f"{quote(self.table)} AS t", quote, source, "t.")

    def _joined(
        self,
        changed: list[str],
        same: list[str],
        table: str,
        quote: Any,
        source: str = "",
        before: str = "",
    ) -> str:
        if self.null is not None:
            changed = [*changed, f"{quote(self.null)} = NULL"]
        same = [*same, *(f"{before}{quote(column)} IS NULL" for column in self.empty)]
        return f"UPDATE {table} SET {', '.join(changed)}{source} WHERE {' AND '.join(same)}"


def _array(each: _Assignment) -> Any:
    """Return the parameter for an array of PostgreSQL: as text, where that is sure and faster."""
    params = each.params
    if each.type == "bytea":
        return "{" + ",".join("NULL" if p is None else f'"\\{p}"' for p in params) + "}"
    if all(type(param) is UUID for param in params):
        return "{" + ",".join(map(str, params)) + "}"
    return params


def prefixes(field: Any, using: str) -> Iterator[tuple[bytes | None, int]]:
    """Return the first eight bytes of the stored values, which name their keys, and how many."""
    connection = connections[using]
    quote = connection.ops.quote_name
    start = f"SUBSTR({quote(field.column)}, 1, 8)"
    table = quote(field.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {start}, COUNT(*) FROM {table} GROUP BY {start}")
        for prefix, count in cursor:
            yield cell_of(prefix), count


def count_indexes(field: Any, using: str) -> int:
    """Return how many different blind indexes rows have."""
    connection = connections[using]
    quote = connection.ops.quote_name
    column, table = quote(field.companion().column), quote(field.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(DISTINCT {column}) FROM {table}")
        return int(cursor.fetchone()[0])


def count_rows(table: Table) -> int:
    """Return how many rows a table has."""
    return int(QuerySet(model=table.model, using=table.using).count())
