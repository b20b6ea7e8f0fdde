# SPDX-License-Identifier: Apache-2.0
"""What INSERT and UPDATE write into sealed columns: cells of their row, with their indexes.

A cell without its index would be missed by searches; a cell of another place opens nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import UniqueConstraint, event, inspect
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Mapper
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.elements import BindParameter, Case, Cast, ColumnClause, Grouping, Null

from pythemis._core.errors import wrong_value
from pythemis._core.rings import is_stored
from pythemis.fields._errors import ERRORS

from ._attribute import sealed_of
from ._types import Cell, refuse_copy

REWRITES = "pythemis_rewrites"  # an execution option: the statement writes what was read there


class _Guard(NamedTuple):
    """A sealed attribute in a table. Statements name its columns, or the attributes of these."""

    name: str
    cells: frozenset[str]
    indexes: frozenset[str]  # empty: it has none
    index_name: str
    bind: str
    is_named: bool


_kinds: WeakKeyDictionary[Any, WeakSet[type]] = WeakKeyDictionary()  # by table
_guards: WeakKeyDictionary[Any, tuple[_Guard, ...]] = WeakKeyDictionary()


def _note(mapper: Mapper[Any]) -> None:
    _kinds.setdefault(mapper.local_table, WeakSet()).add(mapper.class_)
    _guards.pop(mapper.local_table, None)


def _guards_of(table: Any) -> tuple[_Guard, ...]:
    found = _guards.get(table)
    if found is None:  # it is asked for each statement
        made = [each for kind in _kinds.get(table, ()) for each in _made(kind, table)]
        found = _guards[table] = tuple(dict.fromkeys(made))
    return found


def _made(kind: type, table: Any) -> Iterator[_Guard]:
    columns: Any = inspect(kind).columns
    for attribute in sealed_of(kind):
        cell, index = columns.get(attribute.cell), columns.get(attribute.index or "")
        if cell is not None and cell.table is table:
            yield _Guard(
                attribute.name,
                frozenset({attribute.cell, cell.key}),
                frozenset() if index is None else frozenset({attribute.index or "", index.key}),
                attribute.index or "",
                attribute.bind,
                attribute.is_named,
            )


def _before_execute(
    connection: Connection, statement: Any, many: Any, one: Any, options: Mapping[str, Any]
) -> None:
    """Check what a statement writes, on whichever way it came."""
    if not (getattr(statement, "is_insert", False) or getattr(statement, "is_update", False)):
        return
    table = _bare(statement.table)
    if table not in _kinds or options.get(REWRITES):
        return
    for guard in _guards_of(table):
        target = _Target(guard, table)
        if statement.is_insert and statement._select_names:
            target.check_select(statement)
        for given in _rows(statement, target, many or [one]):
            target.check(given)
        target.check_upsert(statement, connection.dialect.name)


def _bare(table: Any) -> Any:
    """Return a table as it was declared: statements of the ORM annotate theirs."""
    return table._deannotate() if hasattr(table, "_deannotate") else table


def _rows(statement: Any, target: _Target, parameters: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what is given for the rows, by the statement and by parameters.

    All parameters have the names of the first: where that has the index, it is enough.
    """
    always = _by_name(statement._values or getattr(statement, "_ordered_values", None))  # of 2.0
    for each in parameters:
        given = {**always, **each} if always else each
        yield given
        if not target.lacks_index(given):
            break
    for rows in getattr(statement, "_multi_values", ()):
        for row in rows:
            names = target.table.c.keys()
            yield _by_name(row if isinstance(row, Mapping) else zip(names, row, strict=False))


def _by_name(values: Any) -> dict[str, Any]:
    given: dict[Any, Any] = dict(values or ())
    return {getattr(key, "key", key): value for key, value in given.items()}


class _Target(NamedTuple):
    """A sealed attribute that a statement may write."""

    guard: _Guard
    table: Any

    def check(self, given: Mapping[str, Any], *, is_upsert: bool = False) -> bool:
        """Check what is given for a row, and return whether its cell gets a value."""
        guard = self.guard
        name = next((name for name in guard.cells if name in given), None)
        cell = None if name is None else _plain(given[name])
        if cell is None or self._is_own(cell):
            return False
        if not (guard.is_named or self._is_value(cell, is_upsert=is_upsert)):
            refuse_copy(guard.name)
        if self.lacks_index(given) and not _has_index(cell):
            self._refuse_without_index()
        return True

    def lacks_index(self, given: Mapping[str, Any]) -> bool:
        """Return whether there is an index, and none is given for it."""
        return bool(self.guard.indexes) and self.guard.indexes.isdisjoint(given)

    def check_select(self, statement: Any) -> None:
        """Check what an INSERT copies: a cell opens in the place for which it was sealed."""
        guard = self.guard
        given = dict(zip(statement._select_names, statement.select.selected_columns, strict=False))
        for name in guard.cells & given.keys():
            cell = getattr(given[name], "element", given[name])  # of a label
            is_kept = guard.bind == "column" and isinstance(cell, ColumnClause)
            if isinstance(cell, Null):
                continue
            if not (guard.is_named or (is_kept and self._is_own(cell))):
                refuse_copy(guard.name)
            if self.lacks_index(given):
                self._refuse_without_index()

    def check_upsert(self, statement: Any, dialect: str) -> None:
        """Check what becomes of a row that is there, which keeps its primary key."""
        clause = getattr(statement, "_post_values_clause", None)
        updated = getattr(clause, "update_values_to_set", None) or getattr(clause, "update", None)
        guard = self.guard
        if not self.check(_by_name(updated), is_upsert=True) or guard.bind == "column":
            return
        if not self._is_of_key(clause, dialect):
            wrong_value(
                ERRORS,
                f"{guard.name} is bound to its row, so an upsert that writes it may conflict on "
                "the primary key only: another row would get a value that is not bound to it",
            )

    def _is_of_key(self, clause: Any, dialect: str) -> bool:
        """Return whether an upsert can conflict on the primary key alone."""
        key = self.table.primary_key
        if dialect in ("mysql", "mariadb"):  # any unique column decides
            return not any(map(_is_unique, (*self.table.constraints, *self.table.indexes)))
        if clause.inferred_target_elements is None:
            return bool(clause.constraint_target == (key.name or f"{self.table.name}_pkey"))
        names = {getattr(each, "name", each) for each in clause.inferred_target_elements}
        return names == {column.name for column in key}

    def _is_own(self, given: Any) -> bool:
        """Return whether this is the cell that is there already."""
        return (
            isinstance(given, ColumnClause)
            and given.key in self.guard.cells
            and _bare(given.table) is self.table
        )

    def _is_value(self, given: Any, *, is_upsert: bool) -> bool:
        """Return whether this is a value, and not what the database copies or computes."""
        if isinstance(given, Case):
            results = [result for _, result in given.whens]
            found = map(_plain, (*results, given.else_))
            return all(self._is_value(each, is_upsert=is_upsert) for each in found)
        if isinstance(given, ColumnClause):
            of = _bare(getattr(given.table, "element", None))  # the row that was not inserted
            return self._is_own(given) or (
                is_upsert and given.key in self.guard.cells and of is self.table
            )
        is_computed = isinstance(given, ClauseElement) or hasattr(given, "__clause_element__")
        return isinstance(given, BindParameter) or not is_computed

    def _refuse_without_index(self) -> None:
        wrong_value(
            ERRORS,
            f"{self.guard.name} would be written without its blind index, and searches would miss "
            f"the row: write {self.guard.index_name} as well. seal_values() returns both",
        )


def _plain(given: Any) -> Any:
    """Return the value of a parameter, and None for NULL."""
    if isinstance(given, (Grouping, Cast)):
        return _plain(given.element if isinstance(given, Grouping) else given.clause)
    if isinstance(given, BindParameter) and not given.required:
        return given.effective_value
    return None if isinstance(given, Null) else given


def _has_index(cell: Any) -> bool:
    """Return whether the index of a cell is right already, or its column refuses it anyway."""
    if isinstance(cell, Cell):
        return cell.has_index
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return not is_stored(bytes(cell))
    return not (isinstance(cell, ClauseElement) or hasattr(cell, "__clause_element__"))


def _is_unique(each: Any) -> bool:
    return isinstance(each, UniqueConstraint) or getattr(each, "unique", False)


event.listen(Mapper, "after_mapper_constructed", lambda mapper, _: _note(mapper))
event.listen(Engine, "before_execute", _before_execute)
