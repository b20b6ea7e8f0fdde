# SPDX-License-Identifier: Apache-2.0
"""Opening a page of instances in one call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS, FieldError

from ._cells import Held


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
    for name in names:
        if not rows:
            return
        field = rows[0]._meta.get_field(name)
        if not hasattr(field, "wrapped"):
            wrong_value(ERRORS, f"{name} is not a sealed field")
        _open(field, rows)


def _open(field: Any, rows: list[Any]) -> None:
    there = [(row, row.__dict__.get(field.attname)) for row in rows]
    left = [(row, held) for row, held in there if isinstance(held, Held) and not held.is_opened]
    for row, held in left:
        if held.row is None:
            held.row = field.row_of(row)
    keys = [held.row for _, held in left] if field.bind == "row" else None
    values = field.cipher().open_all([held.cell for _, held in left], keys)
    for (_, held), value in zip(left, values, strict=True):
        held.value = value


def readable(field: Any, cells: list[bytes | None], rows: list[Any] | None) -> list[Any]:
    """Return the values of cells, and None for those that are damaged or were moved.

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
    import logging  # only where something is wrong

    logging.getLogger("pythemis.fields").warning(
        "%s: the index finds a row whose value is damaged or was moved; it is passed over. "
        "`manage.py sealed check` names such rows",
        field.shown(),
    )
