# SPDX-License-Identifier: Apache-2.0
"""Write stored values anew beside running programs: new keys, new indexes, other formats."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    bindparam,
    func,
    inspect,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Mapper

from pythemis._core.errors import wrong_type, wrong_value
from pythemis.fields._errors import ERRORS, FieldError
from pythemis.fields._field import Field

from ._attribute import Sealed, indexes_of, sealed_of

_PASSES = 10  # over the table: programs that have the old ring write meanwhile
_PREFIX_SIZE = 8

Key = tuple[Any, ...]
Read = Callable[..., Any]


class Progress(NamedTuple):
    """How far `rewrite` is.

    Attributes:
        rows: the rows that were looked at.
        rewritten: the values that were written anew; in a dry run, those that would be.
        failed: the values that ``on_error`` was told of.
        position: the primary key of the last row; `rewrite` goes on after it.
    """

    rows: int = 0
    rewritten: int = 0
    failed: int = 0
    position: Key | None = None


class _Work(NamedTuple):
    """One sealed attribute, as its columns in the table."""

    field: Field
    cell: Any
    index: Any  # the column, or None
    source: Any  # the column that holds the values now, or None
    read: Read | None  # what makes a value of what is there


class _Job(NamedTuple):
    """What a rewrite does."""

    table: Any
    key: tuple[Any, ...]  # columns
    works: tuple[_Work, ...]
    reindex: bool
    dry_run: bool
    on_error: Callable[[Key, FieldError], object] | None


def rewrite(
    engine: Engine,
    kind: type,
    names: Sequence[str] | None = None,
    *,
    sources: Mapping[str, tuple[str, Read]] | None = None,
    reindex: bool = False,
    after: Key | None = None,
    batch: int = 500,
    rows_per_second: float | None = None,
    dry_run: bool = False,
    progress: Callable[[Progress], object] | None = None,
    checkpoint: Callable[[Connection, Progress], object] | None = None,
    on_error: Callable[[Key, FieldError], object] | None = None,
) -> Progress:
    """Write the stored values of a table under the primary key, while other programs use it.

    A row is changed only if its value is still the one that was read, so no update of another
    program is lost. Values under the primary key are left alone: you can stop at any time, also by
    force, and call it again.

    Args:
        engine: of the database.
        kind: the mapped class.
        names: its sealed attributes; None: all.
        sources: where values come from that are not sealed yet: for an attribute, the name of a
            column and a function that is given what the column has, and the primary key, and
            returns the value. The column is set to NULL when the value is sealed. It may be the
            cell's column itself: then all of it counts that is no stored value. The engine must
            have ``hide_parameters=True``.
        reindex: also make the blind index of every row anew, for a new index key.
        after: the position of a `Progress`, to go on there.
        batch: the rows of one transaction.
        rows_per_second: the most rows that are looked at in a second; None: no limit.
        dry_run: open and count, and write nothing.
        progress: called after each transaction.
        checkpoint: called with the connection within each transaction, to store the position.
        on_error: called with the primary key for each value that is refused, which is skipped.

    Raises:
        FieldError: a value that is refused, without ``on_error``; or wrong arguments.
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        wrong_value(ERRORS, "batch must be 1 row or more")
    if sources and not engine.hide_parameters:
        wrong_value(
            ERRORS,
            "the values of sources would show in logs and errors of SQLAlchemy: make the engine "
            "with create_engine(..., hide_parameters=True)",
        )
    job = _job(kind, names, dict(sources or {}), reindex, dry_run, on_error)
    engine = _reading_committed(engine)
    done = Progress(position=after)
    for _ in range(_PASSES):
        before = done.rewritten
        done = done._replace(position=after, failed=0)  # those that fail again are told once
        started = time.monotonic()
        first = done.rows
        while True:
            with engine.begin() as connection:
                found = _next_rows(connection, job, done.position, batch)
                if not found:
                    break
                done = _rewritten(connection, job, found, done)
                if checkpoint is not None and not dry_run:
                    checkpoint(connection, done)
            if progress is not None:
                progress(done)
            if rows_per_second:
                due = started + (done.rows - first) / rows_per_second
                time.sleep(max(0.0, due - time.monotonic()))
        if dry_run or reindex or done.rewritten == before:
            break
        if on_error is not None:
            job = job._replace(on_error=_told_before)
    return done


def _told_before(key: Key, error: FieldError) -> None:
    """Do nothing with a value that was refused in an earlier pass."""


def rows_to_rewrite(engine: Engine, kind: type, name: str) -> int:
    """Return how many rows have a value of a sealed attribute that is under an older key.

    Args:
        engine: of the database.
        kind: the mapped class.
        name: the sealed attribute.

    Raises:
        FieldError: no such attribute.
    """
    job = _job(kind, [name], {}, False, True, None)
    [work] = job.works
    with engine.connect() as connection:
        query = select(func.count()).select_from(job.table).where(_is_old(work))
        return int(connection.execute(query).scalar_one())


def _job(
    kind: type,
    names: Sequence[str] | None,
    sources: dict[str, tuple[str, Read]],
    reindex: bool,
    dry_run: bool,
    on_error: Callable[[Key, FieldError], object] | None,
) -> _Job:
    if isinstance(names, str):
        wrong_type(ERRORS, "names must be a list of names of sealed attributes, not one text")
    mapper: Mapper[Any] = inspect(kind)
    attributes = {each.name: each for each in sealed_of(kind)}
    wanted = list(attributes) if names is None else list(names)
    for name in [*wanted, *sources]:
        if name not in attributes:
            wrong_value(ERRORS, f"{kind.__name__} has no sealed attribute {name!r}")
    works = tuple(
        _work(mapper, kind, attributes[name], *sources.get(name, (None, None))) for name in wanted
    )
    table = mapper.local_table
    if any(work.cell.table is not table for work in works):
        wrong_value(
            ERRORS,
            f"{kind.__name__} inherits some of these attributes from a class with another table: "
            "rewrite that class, and name the attributes of this one",
        )
    key = tuple(mapper.primary_key)
    if any(column.table is not table for column in key):  # of a class that inherits by a join
        key = tuple(table.primary_key.columns)  # type: ignore[attr-defined]
    return _Job(table, key, works, reindex, dry_run, on_error)


def _work(
    mapper: Mapper[Any], kind: type, attribute: Sealed[Any], source: str | None, read: Read | None
) -> _Work:
    index = None if attribute.index is None else mapper.columns[attribute.index]
    column = None
    if source is not None:
        column = mapper.local_table.columns.get(source)
        if column is None:
            wrong_value(ERRORS, f"the table has no column {source!r}")
    return _Work(attribute.field_of(kind), mapper.columns[attribute.cell], index, column, read)


# ---- Reading ----


def _reading_committed(engine: Engine) -> Engine:
    """Return the engine with transactions that do not end because another one changed a row.

    MariaDB since 11.6 ends those that repeat reads. What was read is compared when it is written.
    """
    if engine.dialect.name == "sqlite":  # where one transaction writes at a time
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def _is_old(work: _Work) -> ColumnElement[bool]:
    start = func.substr(work.cell, 1, _PREFIX_SIZE, type_=LargeBinary())
    return start != work.field.prefix()


def _is_due(job: _Job, work: _Work) -> ColumnElement[bool]:
    due = work.cell.is_not(None) if job.reindex and work.index is not None else _is_old(work)
    if work.source is not None and work.source is not work.cell:
        return or_(due, work.source.is_not(None))
    return due


def _is_after(columns: tuple[Any, ...], position: Key) -> ColumnElement[bool]:
    """Return the criterion that a primary key comes later; with OFFSET rows could be skipped."""
    return or_(
        *(
            and_(
                *(c == v for c, v in zip(columns[:at], position, strict=False)),
                columns[at] > position[at],
            )
            for at in range(len(columns))
        )
    )


def _next_rows(connection: Connection, job: _Job, position: Key | None, batch: int) -> list[Any]:
    columns = [column.label(f"key_{at}") for at, column in enumerate(job.key)]
    for at, work in enumerate(job.works):
        columns.append(work.cell.label(f"cell_{at}"))
        if work.index is not None:
            columns.append(work.index.label(f"index_{at}"))
        if work.source is not None:
            columns.append(work.source.label(f"source_{at}"))
    query = select(*columns).where(or_(*(_is_due(job, work) for work in job.works)))
    if position is not None:
        query = query.where(_is_after(job.key, position))
    rows = connection.execute(query.order_by(*job.key).limit(batch))
    return list(rows.mappings())


# ---- Writing ----


def _rewritten(connection: Connection, job: _Job, rows: list[Any], done: Progress) -> Progress:
    rewritten = failed = 0
    for at, work in enumerate(job.works):
        changes = []
        for key, row in _keyed(job, rows):
            try:
                change = _change(job, work, at, key, row)
            except FieldError as error:
                if job.on_error is None:
                    raise
                job.on_error(key, error)
                failed += 1
                continue
            if change is not None:
                changes.append(change | {f"old_key_{n}": part for n, part in enumerate(key)})
        rewritten += len(changes)
        if not job.dry_run:
            _write(connection, job, work, changes)
    key = next(key for key, _ in _keyed(job, rows[-1:]))
    return Progress(
        done.rows + len(rows), done.rewritten + rewritten, done.failed + failed, position=key
    )


def _keyed(job: _Job, rows: list[Any]) -> Iterator[tuple[Key, Any]]:
    for row in rows:
        yield tuple(row[f"key_{at}"] for at in range(len(job.key))), row


def _change(job: _Job, work: _Work, at: int, key: Key, row: Any) -> dict[str, Any] | None:
    """Return what is to be written for one value; None if it is right already."""
    field, old = work.field, row[f"cell_{at}"]
    bound = key if field.bind == "row" else ()
    is_stored = old is not None and field.is_stored(old)
    if work.source is not None and not is_stored:
        raw = row[f"source_{at}"]
        if raw is None or work.read is None:
            return None
        value = work.read(raw, *key)
        if value is None:  # of a function that forgot to return it: NULL would replace the source
            wrong_value(ERRORS, "the function that reads a source returned None for a value")
        made = {"new_cell": field.seal(value, *bound), "old_cell": old, "old_source": raw}
        return made if work.index is None else made | {"new_index": indexes_of(field, [value])[0]}
    if old is None:
        return None
    rotates = field.needs_rotation(old)
    new = field.rotate(old, *bound) if rotates else old
    if work.index is None:
        return {"new_cell": new, "old_cell": old} if rotates else None
    index = row[f"index_{at}"]
    made_index = (
        indexes_of(field, [field.open(old, *bound)])[0] if rotates or job.reindex else index
    )
    if not rotates and made_index == index:
        return None
    return {"new_cell": new, "old_cell": old, "new_index": made_index}


def _write(connection: Connection, job: _Job, work: _Work, changes: list[dict[str, Any]]) -> None:
    """Write each value, but only where the row still has what was read."""
    for is_null in (True, False):
        for moves in (True, False):
            these = [
                change
                for change in changes
                if (change["old_cell"] is None, "old_source" in change) == (is_null, moves)
            ]
            if not these:
                continue
            same = [column == bindparam(f"old_key_{at}") for at, column in enumerate(job.key)]
            values: dict[str, Any] = {work.cell.name: bindparam("new_cell")}
            if is_null:
                same.append(work.cell.is_(None))
            else:
                same.append(work.cell == bindparam("old_cell", type_=LargeBinary()))
            if work.index is not None:
                values[work.index.name] = bindparam("new_index")
            if moves and work.source is not work.cell:
                same.append(work.source == bindparam("old_source", type_=work.source.type))
                values[work.source.name] = None
            connection.execute(update(job.table).where(*same).values(values), these)
