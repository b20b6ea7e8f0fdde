# SPDX-License-Identifier: Apache-2.0
"""Write the stored values of a table anew, beside running programs: new keys, or other formats.

Rows are read in the order of their primary keys, each batch after the last key of the one before,
and a value is replaced only if it is still the one that was read: no update is lost. Values name
their key, so that none is written twice. How far a run is, is written in the transaction of its
rows; a run that was stopped, also by force, is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import OperationalError, transaction

from pythemis.fields._errors import FieldError
from pythemis.fields._progress import Pace
from pythemis.fields._retries import retried

from . import _tables
from ._checkpoints import Checkpoints
from ._sources import Source
from ._tables import Change, Key, Row, Table

_PASSES = 10  # over the table: programs that have the old ring write meanwhile

OnError = Callable[[Key, Any, FieldError], object]


class Count(NamedTuple):
    """What a run has done.

    Attributes:
        rows: the rows that were looked at.
        due: those with a value that is not as it should be.
        written: those that were replaced.
        failed: the values that were refused.
    """

    rows: int = 0
    due: int = 0
    written: int = 0
    failed: int = 0

    def plus(self, *more: int) -> Count:
        """Return the sums."""
        return Count(*(one + other for one, other in zip(self, more, strict=True)))


class Options(NamedTuple):
    """How a run goes.

    Attributes:
        batch: the rows of one transaction.
        rate: the most rows that are looked at in a second.
        dry_run: count, and write nothing.
        on_error: called with the primary key and the field for each value that is refused, which
            is skipped.
        progress: called with the number of rows of each batch.
    """

    batch: int
    rate: float | None
    dry_run: bool
    on_error: OnError
    progress: Callable[[int], object]


def rotate(table: Table, options: Options, *, reindex: bool) -> Count:
    """Write all values that are under older keys anew, with their indexes.

    Args:
        table: the sealed fields.
        options: how.
        reindex: look at the indexes of all rows, and not only of those whose value is due.
    """
    return _run("rotate", table, None, options, reindex)


def migrate(table: Table, source: Source, options: Options) -> Count:
    """Seal the values that a column holds in another form."""
    return _run("migrate", table, source, options, False)


def _run(
    action: str, table: Table, source: Source | None, options: Options, reindex: bool
) -> Count:
    checkpoints = None if options.dry_run else Checkpoints(action, table, source)
    seen: set[tuple[Key, Any]] = set()  # refusals that were told of
    written = 0
    for number in range(_PASSES):
        start = checkpoints.position() if checkpoints is not None and number == 0 else None
        # Later passes find what programs wrote meanwhile that have the old ring.
        work = _Work(table, source, reindex and number == 0, options, seen)
        count = work.through(start, checkpoints)
        written += count.written
        if options.dry_run or not count.written:
            break
    if checkpoints is not None:
        checkpoints.close()
    return count._replace(written=written)


class _Work:
    """One pass over a table."""

    def __init__(
        self,
        table: Table,
        source: Source | None,
        reindex: bool,
        options: Options,
        seen: set[tuple[Key, Any]],
    ) -> None:
        self._table, self._source, self._reindex = table, source, reindex
        self._options, self._seen = options, seen
        self._failed = 0

    def through(self, after: Key | None, checkpoints: Checkpoints | None) -> Count:
        """Do all batches that come after a primary key."""
        count, pace = Count(), Pace(self._options.rate)
        while True:
            done, after, is_last = self._tried(after, checkpoints)
            count = count.plus(*done)
            self._options.progress(done.rows)
            if is_last:
                return count
            pace.passed(done.rows)

    def _tried(
        self, after: Key | None, checkpoints: Checkpoints | None
    ) -> tuple[Count, Key | None, bool]:
        def batch() -> tuple[Count, Key | None, bool]:
            with transaction.atomic(using=self._table.using):
                return self._batch(after, checkpoints)

        # Such as a deadlock with a writer.
        return retried(batch, lambda error: isinstance(error, OperationalError))

    def _batch(
        self, after: Key | None, checkpoints: Checkpoints | None
    ) -> tuple[Count, Key | None, bool]:
        rows, last, is_last = _tables.next_rows(
            self._table,
            self._source,
            after,
            self._options.batch,
            is_whole=self._reindex,
            # A source that changed may still be equal: texts of MariaDB are, in another case.
            is_locked=self._source is not None and not self._options.dry_run,
        )
        self._failed = 0
        changes = self._changes(rows)
        written = 0
        if not self._options.dry_run:
            written = _tables.write(self._table, self._source, changes, self._refuse)
            if checkpoints is not None and last is not None:
                checkpoints.note(last, len(rows))
        return Count(len(rows), len(changes), written, self._failed), last, is_last

    def _refuse(self, key: Key, field: Any, error: FieldError) -> None:
        self._failed += 1
        if (key, field) not in self._seen:
            self._seen.add((key, field))
            self._options.on_error(key, field, error)

    def _changes(self, rows: list[Row]) -> list[Change]:
        """Return what is to be written: for each row the new cells and indexes by field."""
        made: list[dict[Any, tuple[bytes, bytes | None]]] = [{} for _ in rows]
        for at, field in enumerate(self._table.fields):
            if self._source is None:
                found = self._rotated(field, rows, at)
            else:
                found = self._migrated(field, rows, at)
            for row, new in found:
                made[row][field] = new
        return [Change(row, new) for row, new in zip(rows, made, strict=True) if new]

    def _rotated(self, field: Any, rows: list[Row], at: int) -> list[Any]:
        cipher, prefix = field.cipher(), field.cipher().prefix()
        there = [
            number
            for number, row in enumerate(rows)
            if (cell := row.cells[at]) is not None
            and (cell[:8] != prefix or (self._reindex and field.index is not None))
        ]
        keys = [rows[number].key for number in there]
        cells = [rows[number].cells[at] for number in there]
        new = self._each(field, cipher.rotate_all, cipher.rotate, cells, keys)
        indexes: list[bytes | None] = [None] * len(new)
        if field.index is not None:
            values = self._each(field, cipher.open_all, cipher.open, new, keys)
            indexes = self._indexed(field, values, keys)
        found = []
        for number, cell, index in zip(there, new, indexes, strict=True):
            row = rows[number]
            refused = cell is None or (field.index is not None and index is None)
            if not refused and (cell, index) != (row.cells[at], row.indexes[at]):
                found.append((number, (cell, index)))
        return found

    def _migrated(self, field: Any, rows: list[Row], at: int) -> list[Any]:
        source = self._source
        assert source is not None
        there, values, keys = [], [], []
        for number, row in enumerate(rows):
            try:
                value = source.value(row, at)
            except FieldError as error:
                self._refuse(row.key, field, error)
                continue
            if value is not None:
                there.append(number)
                values.append(value)
                keys.append(row.key)
        new = self._each(field, field.cipher().seal_all, field.cipher().seal, values, keys)
        indexes: list[bytes | None] = [None] * len(new)
        if field.index is not None:
            indexes = self._indexed(field, values, keys)
        return [
            (number, (cell, index))
            for number, cell, index in zip(there, new, indexes, strict=True)
            if cell is not None and (field.index is None or index is not None)
        ]

    def _indexed(self, field: Any, values: list[Any], keys: list[Key]) -> list[Any]:
        cipher = field.cipher()
        return self._each(
            field,
            lambda items, _: cipher.index_all(items),
            lambda item, *_: cipher.index(item),
            values,
            keys,
        )

    def _each(
        self,
        field: Any,
        call: Callable[..., Any],
        alone: Callable[..., Any],
        items: list[Any],
        keys: list[Key],
    ) -> list[Any]:
        """Call for a list; if one is refused, for each alone: None stands for those."""
        is_bound = field.bind == "row"
        try:
            return list(call(items, keys if is_bound else None))
        except FieldError:
            pass
        made: list[Any] = []
        for item, key in zip(items, keys, strict=True):
            try:
                made.append(None if item is None else alone(item, *(key if is_bound else ())))
            except FieldError as error:
                self._refuse(key, field, error)
                made.append(None)
        return made


def check(table: Table, options: Options) -> Count:
    """Open all values, and compare their indexes with those under all index keys."""
    [field] = table.fields
    cipher = field.cipher()
    work = _Work(table, None, True, options, set())
    count, after = Count(), None
    while True:
        rows, after, is_last = _tables.next_rows(table, None, after, options.batch, is_whole=True)
        rows = [row for row in rows if row.cells[0] is not None]
        work._failed = due = 0
        cells, keys = [row.cells[0] for row in rows], [row.key for row in rows]
        values = work._each(field, cipher.open_all, cipher.open, cells, keys)
        if field.index is not None:
            pairs = zip(rows, values, strict=True)
            due = sum(
                row.indexes[0] not in cipher.indexes(value)
                for row, value in pairs
                if value is not None
            )
        count = count.plus(len(rows), due, 0, work._failed)
        options.progress(len(rows))
        if is_last:
            return count
