# SPDX-License-Identifier: Apache-2.0
"""Write the rows of a batch, each only where it still has what was read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, String, Text, bindparam, cast, column, func, update
from sqlalchemy.engine import Connection

from pythemis.fields._errors import FieldError
from pythemis.fields._field import Field

from ._keys import Key
from ._statements import REWRITES
from ._types import Index

_QUOTED = '"\\\\x{}"'  # bytes in an array of PostgreSQL

Read = Callable[..., Any]


class Work(NamedTuple):
    """One sealed attribute, as its columns in the table."""

    field: Field
    cell: Any
    index: Any  # the column, or None
    source: Any  # the column that holds the values now, or None
    read: Read | None  # what makes a value of what is there


class Job(NamedTuple):
    """What a rewrite does."""

    table: Any
    key: tuple[Any, ...]  # columns
    works: tuple[Work, ...]
    reindex: bool
    dry_run: bool
    on_error: Callable[[Key, FieldError], object] | None


class Change(NamedTuple):
    """What becomes of one value."""

    new: bytes
    old: bytes | None
    blind: bytes | None = None  # index
    source: Any = None
    moves: bool = False  # from the source, which becomes NULL


# Rows whose changes have one form are written by one statement: for each changed attribute its
# number, whether its cell is NULL yet, and whether the value moves.
_Form = tuple[tuple[int, bool, bool], ...]
_Values = dict[str, tuple[Any, list[Any]]]  # of a parameter: its type, and one for each row


def write(
    connection: Connection, job: Job, keys: list[Key], changes: list[dict[int, Change]]
) -> None:
    """Write the changes of rows, by the numbers of the attributes."""
    by_form: dict[_Form, list[int]] = {}
    for at, change in enumerate(changes):
        form = tuple((n, each.old is None, each.moves) for n, each in change.items())
        if form:
            by_form.setdefault(form, []).append(at)
    for form, places in by_form.items():
        rows = [(keys[at], changes[at]) for at in places]
        if _written(connection, job, form, rows) != len(rows) and len(form) > 1:
            for part in form:  # another program changed one attribute: the others go alone
                _written(connection, job, (part,), rows)


def _written(
    connection: Connection, job: Job, form: _Form, rows: list[tuple[Key, dict[int, Change]]]
) -> int:
    """Write rows, and return how many were; it may be -1, where the driver does not count."""
    values: _Values = {
        f"key__{n}": (each.type, [key[n] for key, _ in rows]) for n, each in enumerate(job.key)
    }
    for number, is_null, moves in form:
        work, these = job.works[number], [change[number] for _, change in rows]
        values[f"new__{number}"] = (LargeBinary(), [each.new for each in these])
        if not is_null:
            values[f"old__{number}"] = (LargeBinary(), [each.old for each in these])
        if work.index is not None:
            values[f"index__{number}"] = (work.index.type, [each.blind for each in these])
        if moves and work.source is not work.cell:
            values[f"source__{number}"] = (work.source.type, [each.source for each in these])
    if connection.dialect.name == "postgresql" and not any(moves for _, _, moves in form):
        return _written_together(connection, job, form, values)
    given: dict[str, Any] = {
        name: bindparam(name, type_=kind) for name, (kind, _) in values.items()
    }
    if connection.dialect.name == "sqlite":  # it locks no rows, and a NOCASE source may change
        for name, (kind, _) in values.items():
            if name.startswith("source__") and isinstance(kind, String):
                given[name] = given[name].collate("BINARY")
    statement = _statement(job, form, given)
    listed = zip(*(each for _, each in values.values()), strict=True)
    return connection.execute(
        statement, [dict(zip(values, each, strict=True)) for each in listed]
    ).rowcount


def _written_together(connection: Connection, job: Job, form: _Form, values: _Values) -> int:
    """Write rows by one UPDATE, of arrays; PostgreSQL has them."""
    arrays, parameters = [], {}
    for name, (kind, items) in values.items():
        whole = ARRAY(kind)
        literal = _array_literal(items)
        arrays.append(cast(bindparam(name, type_=whole if literal is None else Text()), whole))
        parameters[name] = items if literal is None else literal
    columns = [column(name, kind) for name, (kind, _) in values.items()]
    given = func.unnest(*arrays).table_valued(*columns).render_derived(name="given")
    return connection.execute(_statement(job, form, dict(given.c)), parameters).rowcount


def _array_literal(items: list[Any]) -> str | None:
    """Return a list as PostgreSQL writes arrays, which drivers take long for; None of others."""
    kinds = set(map(type, items))
    if kinds <= {bytes, Index}:
        return '{"\\\\x' + '","\\\\x'.join([each.hex() for each in items]) + '"}'
    if kinds <= {int} or kinds <= {UUID}:
        return "{" + ",".join(map(str, items)) + "}"
    return None


def _statement(job: Job, form: _Form, given: dict[str, Any]) -> Any:
    """Return the UPDATE of a row; it compares all that was read."""
    same = [each == given[f"key__{n}"] for n, each in enumerate(job.key)]
    values: dict[Any, Any] = {}
    for number, is_null, moves in form:
        work = job.works[number]
        values[work.cell] = given[f"new__{number}"]
        same.append(work.cell.is_(None) if is_null else work.cell == given[f"old__{number}"])
        if work.index is not None:
            values[work.index] = given[f"index__{number}"]
        if moves and work.source is not work.cell:
            same.append(work.source == given[f"source__{number}"])
            values[work.source] = None
    statement = update(job.table).where(*same).values(values)
    return statement.execution_options(**{REWRITES: True})
