# SPDX-License-Identifier: Apache-2.0
"""What may be written into a sealed column: the last place before SQL, past every manager."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models.constants import OnConflict
from django.db.models.expressions import Case, Value
from django.db.models.functions import Cast
from django.db.models.sql.subqueries import UpdateQuery

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

_inserting: ContextVar[Any] = ContextVar("inserting", default=None)  # a model


@contextmanager
def inserting(model: Any) -> Iterator[None]:
    """Let rows of a model be inserted by arrays, which Django does where no field guards.

    For an INSERT that has no conflicts to resolve: then the guards have nothing to check.
    """
    token = _inserting.set(model)
    try:
        yield
    finally:
        _inserting.reset(token)


class Guarded:
    """A field that is asked for the placeholder of each parameter, and refuses there."""

    @property
    def get_placeholder(self) -> Any:
        """Return the method that makes a placeholder; there is none while rows are inserted."""
        if _inserting.get() is getattr(self, "model", self):
            raise AttributeError("get_placeholder")
        return self._placeholder

    @property
    def get_placeholder_sql(self) -> Any:
        """Return the same for Django 6.1, which asks for the parameters too."""
        if _inserting.get() is getattr(self, "model", self):
            raise AttributeError("get_placeholder_sql")
        return self._placeholder_sql

    def _placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        raise NotImplementedError

    def _placeholder_sql(self, value: Any, compiler: Any, connection: Any) -> tuple[str, Any]:
        mark = self._placeholder(value, compiler, connection)
        if not hasattr(value, "as_sql"):
            return mark, [value]
        sql, params = compiler.compile(value)
        return mark % sql, params


class _GuardedKey(Guarded):
    """A primary key to which values are bound: no UPDATE changes it.

    Of the fields of Django that may be one, binary ones have a placeholder of their own.
    """

    def _placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        query = getattr(compiler, "query", None)
        # It is also asked for parameters of the WHERE clause.
        if isinstance(query, UpdateQuery) and any(field == self for field, _, _ in query.values):
            wrong_value(
                ERRORS,
                f"values of {self.model._meta.object_name} are bound to their rows: save a copy "  # type: ignore[attr-defined]
                "under the new primary key, and delete the old row",
            )
        is_binary = self.get_internal_type() == "BinaryField"  # type: ignore[attr-defined]
        return mark(connection) if is_binary and isinstance(value, (bytes, memoryview)) else "%s"


def guard_key(key: Any) -> None:
    """Make a field of a primary key refuse to be updated. It stays of its class for all else."""
    kind = type(key)
    if not issubclass(kind, _GuardedKey):
        same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        key.__class__ = type(kind.__name__, (_GuardedKey, kind), same)


def check_value(field: Any, value: Any, kind: type[bytes]) -> None:
    """Check what an INSERT or an UPDATE writes into a column.

    Args:
        field: the field of the column.
        value: an expression, or the value that the field has made.
        kind: what is sealed already.

    Raises:
        FieldError: the database would copy or compute it.
    """
    if hasattr(value, "as_sql") and not is_sealed(value, kind):
        wrong_value(
            ERRORS,
            f"{field.model._meta.object_name}.{field.name} takes sealed values only, and not what "
            "the database copies or computes, such as F()",
        )


def placeholder(field: Any, value: Any, compiler: Any, connection: Any) -> str:
    """Return the placeholder of bytes in an INSERT or an UPDATE.

    Raises:
        FieldError: rows that exist would get cells of other rows, or cells without their indexes.
    """
    query = getattr(compiler, "query", None)
    if getattr(query, "on_conflict", None) is OnConflict.UPDATE:
        _check_conflict(field, query)
    elif isinstance(query, UpdateQuery) and hasattr(field, "wrapped"):
        _check_index(field, {each.name for each, _, _ in query.values})
    return "%s" if value is None or hasattr(value, "as_sql") else mark(connection)


def mark(connection: Any) -> str:
    """Return the placeholder of a `parameter`."""
    return {"postgresql": "%s::bytea", "mysql": "_binary %s"}.get(connection.vendor, "%s")


def parameter(data: bytes, connection: Any) -> Any:
    """Return bytes as a parameter; for PostgreSQL as text, of which psycopg makes arrays faster."""
    if connection.vendor == "postgresql":
        return "\\x" + data.hex()
    return connection.Database.Binary(data)


def is_sealed(value: Any, kind: type[bytes]) -> bool:
    """Return whether an expression, which bulk_update() makes, chooses among sealed values."""
    if isinstance(value, Case):
        return all(is_sealed(case.result, kind) for case in value.cases) and is_sealed(
            value.default, kind
        )
    if isinstance(value, Cast):
        return all(is_sealed(each, kind) for each in value.get_source_expressions())
    return type(value) is Value and (value.value is None or isinstance(value.value, kind))


def _check_conflict(field: Any, query: Any) -> None:
    """Check bulk_create(update_conflicts=True): the row that is there keeps its primary key."""
    updated = {_name_of(each) for each in query.update_fields}
    _check_index(field, updated)
    if getattr(field, "wrapped", None) is None or field.name not in updated:
        return
    unique = {_name_of(each) for each in query.unique_fields}
    keys = {key.name for key in field.key_fields()} | {"pk"}
    if field.bind == "row" and not (unique and unique <= keys):
        wrong_value(
            ERRORS,
            f"{field.shown()} is bound to its row, so bulk_create(update_conflicts=True) may only "
            'have unique_fields=["pk"]: another row would get a value that is not bound to it',
        )


def _check_index(field: Any, updated: set[str]) -> None:
    """Refuse to write a cell without its index, or the index of another row's cell alone."""
    source = field if hasattr(field, "wrapped") else field.source()
    written = {source.name, source.companion_name()} & updated
    if source.index is not None and len(written) == 1:
        wrong_value(
            ERRORS,
            f"{source.shown()}: {source.name} and {source.companion_name()} must be written "
            "together, or searches would miss the row. SealedManager does so",
        )


def _name_of(field: Any) -> str:
    return str(getattr(field, "name", field))
