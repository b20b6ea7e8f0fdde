# SPDX-License-Identifier: Apache-2.0
"""Opening and sealing a page of instances in one call."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from types import NoneType
from typing import Any

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS, FieldError

from ._cells import Held, Index, Rows, held_in, index_in


def open_all(instances: Iterable[Any], *names: str) -> None:
    """Open sealed fields of many instances at once, which is faster than one by one.

    Args:
        instances: of one model.
        *names: the names of sealed fields.

    Raises:
        FieldError: as reading the attribute, for the first value that is refused; or a name that
            is not that of a sealed field.
    """
    rows = list(instances)
    there = [row.__dict__ for row in rows]
    keys, kinds = Rows.of_all(there)
    bound = [(key,) for key in keys]
    for name in names:
        if not rows:
            return
        field = rows[0]._meta.get_field(name)
        if not hasattr(field, "wrapped"):
            wrong_value(ERRORS, f"{name} is not a sealed field")
        cells = [each.get(field.attname) for each in there]
        as_loaded = {bytes, NoneType}.issuperset(map(type, cells)) and NoneType not in kinds
        if as_loaded and field.bind == "column":
            _hold(field, there, cells, [()] * len(rows), field.cipher().open_all(cells))
        elif as_loaded and dict not in kinds:  # the primary key has one part
            _hold(field, there, cells, bound, field.cipher().open_all(cells, keys))
        else:
            _open_held(field, rows)


def _hold(
    field: Any, theirs: list[dict[str, Any]], cells: list[Any], rows: list[Any], values: list[Any]
) -> None:
    """Let instances hold what was opened, by their attributes."""
    name = field.attname
    for there, cell, row, value in zip(theirs, cells, rows, values, strict=True):
        if cell is not None:
            there[name] = Held(cell, row, value)


def _open_held(field: Any, rows: list[Any]) -> None:
    """Open what is not open yet, where some values are, or were assigned."""
    left: list[Held] = []
    for row in rows:
        held = held_in(row, field)
        if held is not None and not held.is_opened:
            if held.row is None:
                held.row = field.row_of(row)
            left.append(held)
    keys: list[Any] = [held.row for held in left]
    cells = [held.cell for held in left]
    values = field.cipher().open_all(cells, keys if field.bind == "row" else None)
    for held, value in zip(left, values, strict=True):
        held.value = value


def seal_all(instances: list[Any], fields: list[Any]) -> list[Held]:
    """Seal what instances hold of sealed fields, with their indexes, in one call a field.

    Returns:
        What they hold now.
    """
    made: list[Held] = []
    keys: dict[Any, list[Any]] = {}
    for field in fields:
        bound = field.model if field.bind == "row" else None
        if bound not in keys:
            keys[bound] = [field.row_of(instance) for instance in instances]
        made += _seal(field, instances, keys[bound])
        if field.index is not None:
            _index(field, instances)
    return made


def _seal(field: Any, instances: list[Any], keys: list[Any]) -> list[Held]:
    name = field.attname
    kept: list[Held] = []
    left, bound, values = [], [], []
    for instance, key in zip(instances, keys, strict=True):
        for value in field.to_seal(instance, key):
            left.append(instance.__dict__)
            bound.append(key)
            values.append(value)
            break
        else:
            held = held_in(instance, field)
            if held is not None:
                kept.append(held)
    cells = field.cipher().seal_all(values, bound if field.bind == "row" else None)
    for there, key, value, cell in zip(left, bound, values, cells, strict=True):
        held = there[name] = None if cell is None else Held(cell, key, value)
        if held is not None:
            kept.append(held)
    return kept


def _index(field: Any, instances: list[Any]) -> None:
    companion = field.companion()
    name = companion.attname
    left, values = [], []
    for instance in instances:
        held = held_in(instance, field)
        there = None if held is None else index_in(instance, companion)
        if held is not None and not held.has(there):
            left.append(instance.__dict__)
            values.append(field.prepared(field.opened(held, instance)))
        else:
            instance.__dict__[name] = there
    for row, index in zip(left, field.cipher().index_all(values), strict=True):
        row[name] = None if index is None else Index(index)


def readable(field: Any, cells: list[bytes | None], rows: list[Any] | None) -> list[Any]:
    """Return the values of cells, and None for those that are corrupted or were moved.

    One row that does not open shall not keep a search from the others.

    Raises:
        FieldError: the ring lacks the key of a cell, so that nothing is known of its value.
    """
    cipher = field.cipher()
    try:
        return list(cipher.open_all(cells, rows))
    except FieldError:
        pass
    made: list[Any] = []
    for at, cell in enumerate(cells):
        try:
            made += cipher.open_all([cell], None if rows is None else rows[at : at + 1])
        except FieldError:
            if cell is None or cipher.is_foreign(cell):
                raise
            _warn(field)
            made.append(None)
    return made


def _warn(field: Any) -> None:
    logging.getLogger("pythemis.fields").warning(
        "%s: the index finds a row whose value is corrupted or was moved; it is passed over. "
        "`manage.py sealed check` names such rows",
        field.shown(),
    )
