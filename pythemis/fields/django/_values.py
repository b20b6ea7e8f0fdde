# SPDX-License-Identifier: Apache-2.0
"""Rows of values() and values_list(), with opened values."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.db.models.query import BaseIterable, ValuesIterable

from ._cells import cell_of

_AT_ONCE = 500  # rows


def opening_iterable(names: tuple[str, ...], sealed: list[Any], form: str) -> type[Any]:
    """Return the class that makes rows of a query, which also selects the primary keys.

    Args:
        names: what is listed.
        sealed: the sealed fields among it.
        form: "dict", "tuple", "named" or "flat".
    """
    make = _maker(names, form)

    class OpeningIterable(BaseIterable):  # type: ignore[misc, unused-ignore]
        def __iter__(self) -> Iterator[Any]:
            inside = iter(
                ValuesIterable(
                    self.queryset, chunked_fetch=self.chunked_fetch, chunk_size=self.chunk_size
                )
            )
            while rows := list(islice(inside, _AT_ONCE)):
                for field in sealed:
                    _open(field, rows)
                yield from map(make, rows)

    return OpeningIterable


def _open(field: Any, rows: list[dict[str, Any]]) -> None:
    cells = [cell_of(row[field.name]) for row in rows]
    keys = None
    if field.bind == "row":
        keys = [tuple(row[key.attname] for key in field.key_fields()) for row in rows]
    for row, value in zip(rows, field.cipher().open_all(cells, keys), strict=True):
        row[field.name] = value


def _maker(names: tuple[str, ...], form: str) -> Callable[[dict[str, Any]], Any]:
    if form == "dict":
        return lambda row: {name: row[name] for name in names}
    if form == "flat":
        return lambda row: row[names[0]]
    if form == "named":
        kind = namedtuple("Row", names)  # type: ignore[misc]
        return lambda row: kind(*(row[name] for name in names))
    return lambda row: tuple(row[name] for name in names)
