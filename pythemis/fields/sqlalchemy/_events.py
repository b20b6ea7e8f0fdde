# SPDX-License-Identifier: Apache-2.0
"""What happens when rows are flushed and statements are executed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Result
from sqlalchemy.orm import Mapper, ORMExecuteState, Session
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList

from ._attribute import Match, Sealed, keys_of, sealed_of, sealed_values
from ._keys import Key, Keys, gives_ids
from ._types import Cell, Pending, Probe, comparing


def _before_flush(session: Session, context: object, instances: object) -> None:
    """Seal what waits in all rows of a class together, where their ids are known already."""
    del context, instances
    by_kind: dict[type, list[Any]] = {}
    for row in (*session.new, *session.dirty):
        by_kind.setdefault(type(row), []).append(row)
    for kind, rows in by_kind.items():
        if found := sealed_of(kind):
            _seal_together(kind, found, rows)


def _seal_together(kind: type, attributes: tuple[Sealed[Any], ...], rows: list[Any]) -> None:
    keys = keys_of(kind)
    known: dict[int, Key | None] = {}
    for attribute in attributes:
        cell = attribute.cell
        these = [at for at, row in enumerate(rows) if type(row.__dict__.get(cell)) is Pending]
        bound: list[Key] = [()] * len(these)
        if these and attribute.field_of(kind).bind == "row":
            for at in these:
                if at not in known:
                    known[at] = keys.ready(rows[at])
            # The others get theirs from relationships, or the database counts them.
            these = [at for at in these if known[at] is not None]
            bound = [key for at in these if (key := known[at]) is not None]
        if these:
            attribute.seal_all([rows[at] for at in these], bound)


def _is_settled(keys: Keys, found: tuple[Sealed[Any], ...], state: Any) -> bool:
    """Return whether each value of a row is sealed for the id that it has: nearly all are.

    It is asked for each row that is written, and so it calls nothing for most of them.
    """
    held, is_new = state.dict, state.key is None
    key = keys.held(held)
    if key is None or not (is_new or state.key[1] == key):
        return False
    for attribute in found:
        cell = held.get(attribute.cell)
        if cell is None:
            if not is_new and attribute.has_old_index(held, state.committed_state):
                return False
            continue
        kind = type(cell)
        if kind is Cell:
            if cell.row != key and cell.row != ():
                return False
        elif is_new or kind is not bytes or attribute.cell in state.committed_state:
            return False  # it may be of another row, or it waits yet
    return True


def _before_insert(mapper: Mapper[Any], connection: Any, state: Any) -> None:
    found = sealed_of(mapper.class_)
    if not found:
        return
    keys, dialect = keys_of(mapper.class_), connection.dialect
    if not _is_settled(keys, found, state):
        row = state.obj()
        key = keys.new(row)
        for attribute in found:
            attribute.settle(row, key, is_new=True)
    if gives_ids(dialect):
        row = state.obj()
        if any(attribute.is_bound_in(row) for attribute in found):
            keys.check_kept(keys.current(row), dialect)


def _before_update(mapper: Mapper[Any], connection: Any, state: Any) -> None:
    del connection
    found = sealed_of(mapper.class_)
    if found and not _is_settled(keys_of(mapper.class_), found, state):
        row = state.obj()
        key = keys_of(mapper.class_).current(row)
        for attribute in found:
            attribute.settle(row, key, is_new=False)


def _after_write(mapper: Mapper[Any], connection: Any, state: Any) -> None:
    """Refuse what a program's own listener changed after the row was sealed."""
    del connection
    found = sealed_of(mapper.class_)
    if found and not _is_settled(keys_of(mapper.class_), found, state):
        row = state.obj()
        keys = keys_of(mapper.class_)
        key, stored = keys.current(row), keys.stored(row)
        for attribute in found:
            attribute.check_bound(row, key, moves=stored not in ((), key))


def _on_execute(state: ORMExecuteState) -> Result[Any] | None:
    """Seal the parameters of bulk statements, and compare what a criterion found."""
    if state.is_select:
        matches = _matches(state.statement)
        return _compared(state, matches) if matches else None
    if (state.is_insert or state.is_update) and state.parameters:
        mapper = state.bind_mapper
        if mapper is not None and sealed_of(mapper.class_):
            return _with_sealed_parameters(state, mapper.class_)
    return None


def _with_sealed_parameters(state: ORMExecuteState, kind: type) -> Result[Any]:
    given: Any = state.parameters
    dialect = state.session.get_bind(**state.bind_arguments).dialect if state.is_insert else None
    if isinstance(given, (list, tuple)):
        state.parameters = sealed_values(kind, given, into=dialect)
    else:
        [state.parameters] = sealed_values(kind, [given], into=dialect)
    return state.invoke_statement()  # SQLAlchemy 2.0 goes on with the parameters it was given


def _matches(statement: Any) -> frozenset[Match]:
    """Return what is looked for in a WHERE, where AND alone joins it: nothing else is compared."""
    where = getattr(statement, "whereclause", None)
    if where is None:
        return frozenset()
    if isinstance(where, BooleanClauseList) and where.operator is operators.and_:
        parts = list(where.clauses)
    else:
        parts = [where]
    return frozenset(
        value.match
        for part in parts
        if isinstance(part, BinaryExpression) and part.operator is operators.in_op
        if isinstance(part.right, BindParameter) and isinstance(part.right.value, (list, tuple))
        for value in part.right.value
        if isinstance(value, Probe)
    )


def _compared(state: ORMExecuteState, matches: frozenset[Match]) -> Result[Any] | None:
    statement: Any = state.statement
    # These would count or join rows that were not compared yet; the column's type refuses then.
    before = (statement._limit_clause, statement._offset_clause, statement._fetch_clause)
    if any(clause is not None for clause in before) or statement._group_by_clauses:
        return None
    selected = [each["expr"] for each in statement.column_descriptions]
    if any(not any(match.owner is each for each in selected) for match in matches):
        return None
    token = comparing.set(matches)
    try:
        found = state.invoke_statement()
    finally:
        comparing.reset(token)
    frozen = found.freeze()
    rows: Any = frozen.data
    if frozen._source_supports_scalars:
        rows = [(each,) for each in rows]
    for match in matches:
        at = selected_at(selected, match.owner)
        held = match.hold([row[at] for row in rows])
        rows = [row for row, holds in zip(rows, held, strict=True) if holds]
    return frozen.with_new_rows(rows)()


def selected_at(selected: list[Any], owner: Any) -> int:
    """Return where in the rows of a result an entity is."""
    return next(at for at, each in enumerate(selected) if each is owner)


event.listen(Session, "before_flush", _before_flush)
event.listen(Mapper, "before_insert", _before_insert, raw=True)
event.listen(Mapper, "before_update", _before_update, raw=True)
event.listen(Mapper, "after_insert", _after_write, raw=True)
event.listen(Mapper, "after_update", _after_write, raw=True)
event.listen(Session, "do_orm_execute", _on_execute)
