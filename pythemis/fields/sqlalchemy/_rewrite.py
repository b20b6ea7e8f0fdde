# SPDX-License-Identifier: Apache-2.0
"""Write stored values anew beside running programs: new keys, new indexes, other formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    func,
    inspect,
    or_,
    select,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Mapper

from pythemis._core.errors import wrong_type, wrong_value
from pythemis.fields._errors import ERRORS, FieldError
from pythemis.fields._field import Field
from pythemis.fields._progress import Pace
from pythemis.fields._retries import retried

from ._attribute import Sealed, indexes_of, sealed_of
from ._keys import Key
from ._writing import Change, Job, Read, Work, write

_PASSES = 10  # over the table: programs that have the old ring write meanwhile
_PREFIX_SIZE = 8
_ROLLED_BACK = "40"  # the class of the SQLSTATE


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
    program is lost. A batch that the database ends, because of a deadlock for example, is tried
    up to six times. Values under the primary key are left alone: you can stop at any time, also by
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
            It is called again when a batch is tried again: write through the connection alone.
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
    tell = None if on_error is None else _told_once(on_error)
    job = _job(kind, names, dict(sources or {}), reindex, dry_run, tell)
    engine = _reading_committed(engine)
    done = Progress(position=after)
    for _ in range(_PASSES):
        before = done.rewritten
        done = done._replace(position=after, failed=0)
        pace = Pace(rows_per_second)
        while made := _batch_done(engine, job, done, batch, checkpoint):
            if progress is not None:
                progress(made)
            pace.passed(made.rows - done.rows)
            done = made
        if dry_run or reindex or done.rewritten == before:
            break
    return done


def _told_once(
    on_error: Callable[[Key, FieldError], object],
) -> Callable[[Key, FieldError], object]:
    """Return a function for refusals that are met again: in later passes, and when retried."""
    told: set[tuple[Key, str]] = set()

    def tell(key: Key, error: FieldError) -> None:
        if (key, str(error)) not in told:
            told.add((key, str(error)))
            on_error(key, error)

    return tell


def _batch_done(
    engine: Engine,
    job: Job,
    done: Progress,
    batch: int,
    checkpoint: Callable[[Connection, Progress], object] | None,
) -> Progress | None:
    """Do a batch in a transaction, and return how far it is then; None if nothing is left."""

    def work() -> Progress | None:
        with engine.begin() as connection:
            found = _next_rows(connection, job, done.position, batch)
            if not found:
                return None
            made = _rewritten(connection, job, found, done)
            if checkpoint is not None and not job.dry_run:
                checkpoint(connection, made)
        return made

    return retried(work, _passes)


def _passes(error: Exception) -> bool:
    """Return whether a database refused a transaction that may go well later: a deadlock."""
    if isinstance(error, OperationalError):
        return True
    if not isinstance(error, DatabaseError) or error.orig is None:
        return False
    told = next(iter(error.orig.args), None)  # pg8000 has one class of error: what was sent
    return isinstance(told, dict) and str(told.get("C")).startswith(_ROLLED_BACK)


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
) -> Job:
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
    return Job(table, key, works, reindex, dry_run, on_error)


def _work(
    mapper: Mapper[Any], kind: type, attribute: Sealed[Any], source: str | None, read: Read | None
) -> Work:
    index = None if attribute.index is None else mapper.columns[attribute.index]
    column = None
    if source is not None:
        column = mapper.local_table.columns.get(source)
        if column is None:
            wrong_value(ERRORS, f"the table has no column {source!r}")
    return Work(attribute.field_of(kind), mapper.columns[attribute.cell], index, column, read)


# ---- Reading ----


def _reading_committed(engine: Engine) -> Engine:
    """Return the engine with transactions that do not end because another one changed a row.

    MariaDB since 11.6 ends those that repeat reads. What was read is compared when it is written.
    """
    if engine.dialect.name == "sqlite":  # where one transaction writes at a time
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def _is_old(work: Work) -> ColumnElement[bool]:
    start = func.substr(work.cell, 1, _PREFIX_SIZE, type_=LargeBinary())
    return start != work.field.prefix()


def _is_due(job: Job, work: Work) -> ColumnElement[bool]:
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


def _next_rows(
    connection: Connection, job: Job, position: Key | None, batch: int
) -> dict[str, list[Any]]:
    """Return a batch of rows as columns; without any if nothing is left."""
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
    if not job.dry_run and any(work.source is not None for work in job.works):
        # A source that changed may still be equal: texts of MariaDB are, in another case.
        query = query.with_for_update()
    rows = connection.execute(query.order_by(*job.key).limit(batch)).all()
    return {
        column.name: list(each)
        for column, each in zip(columns, zip(*rows, strict=True), strict=bool(rows))
    }


# ---- What is to be written ----


class _Batch:
    """The rows that were read: what is refused in them is told, or ends the work."""

    def __init__(self, job: Job, found: dict[str, list[Any]]) -> None:
        parts = [found[f"key_{n}"] for n in range(len(job.key))]
        self.keys: list[Key] = list(zip(*parts, strict=True))
        self.failed = 0
        self._on_error = job.on_error

    def made(self, places: Iterable[int], call: Callable[[list[int]], list[Any]]) -> dict[int, Any]:
        """Return what a call makes of rows, by their places, without those that it refuses."""
        these = list(places)
        if not these:
            return {}
        try:
            return dict(zip(these, call(these), strict=True))
        except FieldError as error:
            if len(these) == 1:
                if self._on_error is None:
                    raise
                self._on_error(self.keys[these[0]], error)
                self.failed += 1
                return {}
        half = len(these) // 2  # some rows are refused: which, and why?
        return self.made(these[:half], call) | self.made(these[half:], call)

    def rows(self, field: Field, places: list[int]) -> list[Key] | None:
        """Return what values of these rows are bound to."""
        return [self.keys[at] for at in places] if field.bind == "row" else None


def _rewritten(
    connection: Connection, job: Job, found: dict[str, list[Any]], done: Progress
) -> Progress:
    batch = _Batch(job, found)
    changes: list[dict[int, Change]] = [{} for _ in batch.keys]
    for number, work in enumerate(job.works):
        cells, made = found[f"cell_{number}"], {}
        if work.source is not None:
            made = _from_source(batch, work, cells, found[f"source_{number}"])
            cells = [c if c is not None and work.field.is_stored(c) else None for c in cells]
        made |= _rotated(batch, job, work, cells, found.get(f"index_{number}", []))
        for at, change in made.items():
            changes[at][number] = change
    if not job.dry_run:
        write(connection, job, batch.keys, changes)
    return Progress(
        done.rows + len(batch.keys),
        done.rewritten + sum(map(len, changes)),
        done.failed + batch.failed,
        position=batch.keys[-1],
    )


def _from_source(
    batch: _Batch, work: Work, cells: list[Any], sources: list[Any]
) -> dict[int, Change]:
    """Return the changes of values that are not sealed yet."""
    field = work.field

    def read(places: list[int]) -> list[Any]:
        [at] = places
        value = work.read(sources[at], *batch.keys[at]) if work.read is not None else None
        if value is None:  # of a function that forgot to return it: NULL would replace the source
            wrong_value(ERRORS, "the function that reads a source returned None for a value")
        return [value]

    values: dict[int, Any] = {}
    for at, (cell, raw) in enumerate(zip(cells, sources, strict=True)):
        if raw is None:
            continue
        if cell is None or not field.is_stored(cell):
            values |= batch.made([at], read)
        elif work.source is not work.cell:
            batch.made([at], _refuse_two)
    sealed = batch.made(
        values, lambda these: field.seal_all([values[at] for at in these], batch.rows(field, these))
    )
    indexes = _indexes(batch, work, {at: values[at] for at in sealed})
    return {
        at: Change(sealed[at], cells[at], index, sources[at], moves=True)
        for at, index in indexes.items()
    }


def _refuse_two(places: list[int]) -> NoReturn:
    del places  # one; which of its values is the newer is not known
    wrong_value(ERRORS, "the sealed attribute has a value, and the source too: remove one")


def _rotated(
    batch: _Batch, job: Job, work: Work, cells: list[Any], indexes: list[Any]
) -> dict[int, Change]:
    """Return the changes of stored values that are under older keys, or whose indexes are."""
    field, prefix = work.field, work.field.prefix()
    there = [at for at, cell in enumerate(cells) if cell is not None]

    def through(call: Callable[..., list[Any]], places: Iterable[int]) -> dict[int, Any]:
        return batch.made(
            places, lambda these: call([cells[at] for at in these], batch.rows(field, these))
        )

    rotated = through(field.rotate_all, [at for at in there if cells[at][:_PREFIX_SIZE] != prefix])
    if work.index is None:
        return {at: Change(new, cells[at]) for at, new in rotated.items()}
    again = [at for at in there if at in rotated or job.reindex]
    made = _indexes(batch, work, through(field.open_all, again))
    return {
        at: Change(rotated.get(at, cells[at]), cells[at], index)
        for at, index in made.items()
        if at in rotated or index != indexes[at]
    }


def _indexes(batch: _Batch, work: Work, values: dict[int, Any]) -> dict[int, Any]:
    """Return the blind indexes of values, by their places; None in a column that has none."""
    if work.index is None:
        return dict.fromkeys(values)
    return batch.made(values, lambda these: indexes_of(work.field, [values[at] for at in these]))
