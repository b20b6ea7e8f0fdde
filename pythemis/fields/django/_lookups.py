# SPDX-License-Identifier: Apache-2.0
"""What queries may do with a sealed column: exact, in and isnull. All else is refused.

An index is a hint: other values fall on the same bits, and who writes to the database can move it.
So a search runs in two steps. The first opens the rows that the index finds and compares; the
second is the query itself, with the primary keys of the rows that have the value. That makes
count(), update(), exclude() and joins as right as a plain listing.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Field as DjangoField
from django.db.models import lookups
from django.db.models.expressions import Col
from django.db.models.query import QuerySet
from django.db.models.sql.where import AND

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

from ._cells import Wanted, cell_of
from ._guards import mark, parameter
from ._opening import readable

_AT_ONCE = 500  # parameters; SQLite takes 999 in all
# It stands where the database would compute with cells, which then names it in an error.
_REFUSED = "sealed: this has no order and no functions"


def _quote(compiler: Any) -> Any:
    """Return what quotes names; Django 6.1 calls it otherwise."""
    return getattr(compiler, "quote_name", None) or compiler.quote_name_unless_alias


class RawCol(Col):  # type: ignore[misc, unused-ignore]
    """A column whose bytes are selected as they are; a call for each would take longest of all."""

    def get_db_converters(self, connection: Any) -> list[Any]:  # noqa: ARG002
        """Return what converts values: nothing."""
        return []


class SealedCol(RawCol):
    """A sealed column in a query. Selecting it is allowed; computing with it is not."""

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # noqa: ARG002
        """Return a column that does not exist, for all who do not ask for the real one."""
        names = (self.alias, _REFUSED) if self.alias else (_REFUSED,)
        return ".".join(map(_quote(compiler), names)), []

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:  # noqa: ARG002
        """Return the real column, for the list of what is selected."""
        return self.real_sql(compiler), params

    def real_sql(self, compiler: Any) -> str:
        """Return the real column."""
        sql, _ = Col.as_sql(self, compiler, compiler.connection)
        return str(sql)


class SealedIsNull(lookups.IsNull):  # type: ignore[misc, unused-ignore]
    """Whether there is no value: null is visible."""

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> tuple[str, list[Any]]:
        """Return the real column."""
        column = self.lhs if lhs is None else lhs
        if not isinstance(column, SealedCol):
            sql, params = super().process_lhs(compiler, connection, lhs)
            return sql, params
        return column.real_sql(compiler), []


class SealedExact(lookups.Lookup):  # type: ignore[misc, unused-ignore]
    """Rows that have the value, by their blind index; each is opened and compared."""

    lookup_name = "exact"

    def get_prep_lookup(self) -> list[Wanted] | None:
        """Return the values to look for, hidden; None, for which Django asks isnull."""
        return None if self.rhs is None else [self._wanted(self.rhs)]

    def _wanted(self, value: Any) -> Wanted:
        if isinstance(value, Wanted):
            return value
        field = self.lhs.output_field
        if hasattr(value, "resolve_expression") or not isinstance(self.lhs, SealedCol):
            wrong_value(
                ERRORS,
                f"{field.shown()} can be compared with values only, not with what the database "
                "computes",
            )
        if field.index is None:
            wrong_value(
                ERRORS,
                f"{field.shown()} has no blind index, so it cannot be searched: give it "
                "index=BlindIndex(bits=...)",
            )
        return Wanted(field.prepared(value))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the condition on the index and on the primary keys of the rows with the value."""
        column, field = self.lhs, self.lhs.output_field
        if not column.alias:
            wrong_value(ERRORS, f"{field.shown()} cannot be part of a constraint")
        values = [each.value for each in self.rhs if each.value is not None]
        hits, others = _Search(field, values, connection.alias).run()
        if not hits:
            raise EmptyResultSet
        if min(len(hits), len(others)) > _AT_ONCE:
            wrong_value(
                ERRORS,
                f"{field.shown()}: the index finds {len(hits)} rows with the value and "
                f"{len(others)} others; it needs more bits, or the column has too few values",
            )
        quote = _quote(compiler)
        keys = [f"{quote(column.alias)}.{quote(key.column)}" for key in field.key_fields()]
        # The index as well: a row whose value changes between the two steps is not returned.
        indexes = field.indexes_of(values)
        found = f"{quote(column.alias)}.{quote(field.companion().column)}"
        sql, params = _among(found, indexes, connection)
        sql = f"({sql}"
        if len(hits) <= _AT_ONCE:
            rows, theirs = _rows_sql(field, keys, hits, connection)
            return f"{sql} AND {rows})", params + theirs
        if others:
            rows, theirs = _rows_sql(field, keys, others, connection)
            return f"{sql} AND NOT {rows})", params + theirs
        return f"{sql})", params


class SealedIn(SealedExact):
    """Rows that have one of the values."""

    lookup_name = "in"

    def get_prep_lookup(self) -> list[Wanted] | None:
        """Return the values to look for, hidden."""
        if hasattr(self.rhs, "resolve_expression") or isinstance(self.rhs, (str, bytes, QuerySet)):
            return [self._wanted(self.rhs)]  # refuses
        return [self._wanted(each) for each in self.rhs if each is not None]


def _among(column: str, indexes: list[bytes], connection: Any) -> tuple[str, list[Any]]:
    """Return the condition that a column has one of these indexes."""
    params = [parameter(index, connection) for index in indexes]
    return f"{column} IN ({', '.join([mark(connection)] * len(params))})", params


class _IndexIn(lookups.Lookup):  # type: ignore[misc, unused-ignore]
    """Rows with one of these indexes. It is not registered: queries of users cannot have it."""

    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        sql, _ = compiler.compile(self.lhs)
        return _among(sql, self.rhs, connection)


class _Search:
    """The first step: the rows that an index finds, parted by whether they have a value."""

    def __init__(self, field: Any, values: list[Any], alias: str) -> None:
        self._field, self._alias = field, alias
        self._wanted = {field.cipher().index_data(value) for value in values}
        self._indexes = field.indexes_of(values)

    def run(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Return the primary keys of the rows with one of the values, and of the others."""
        hits: list[tuple[Any, ...]] = []
        others: list[tuple[Any, ...]] = []
        cipher, bound = self._field.cipher(), self._field.bind == "row"
        for at in range(0, len(self._indexes), _AT_ONCE):
            found = self._found(self._indexes[at : at + _AT_ONCE])
            rows = [row for row, _ in found]
            cells = [cell for _, cell in found]
            for row, value in zip(
                rows, readable(self._field, cells, rows if bound else None), strict=True
            ):
                fits = value is not None and cipher.index_data(value) in self._wanted
                (hits if fits else others).append(row)
        return hits, others

    def _found(self, indexes: list[bytes]) -> list[tuple[tuple[Any, ...], bytes | None]]:
        field = self._field
        query = QuerySet(model=field.model, using=self._alias).order_by()
        column = field.companion().get_col(query.query.get_initial_alias())
        query.query.where.add(_IndexIn(column, indexes), AND)
        names = [key.attname for key in field.key_fields()]
        listed = query.values_list(*names, field.attname)
        return [(row[:-1], cell_of(row[-1])) for row in listed]


def _rows_sql(
    field: Any, columns: list[str], rows: list[tuple[Any, ...]], connection: Any
) -> tuple[str, list[Any]]:
    """Return the condition that a row is one of these."""
    keys: list[DjangoField] = field.key_fields()
    params = [
        key.get_db_prep_value(part, connection)
        for row in rows
        for key, part in zip(keys, row, strict=True)
    ]
    if len(columns) == 1:
        return f"{columns[0]} IN ({', '.join(['%s'] * len(rows))})", params
    one = " AND ".join(f"{column} = %s" for column in columns)
    return f"({' OR '.join([f'({one})'] * len(rows))})", params
