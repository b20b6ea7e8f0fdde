# SPDX-License-Identifier: Apache-2.0
"""The primary keys of rows, as values are bound to them: as the database gives them back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, inspect
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapper

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

Key = tuple[Any, ...]


class Keys:
    """The primary key of a mapped class."""

    def __init__(self, kind: type) -> None:
        mapper: Mapper[Any] = inspect(kind)
        self._columns = mapper.primary_key
        self._names = [mapper.get_property_by_column(each).key for each in self._columns]
        self._defaults = [
            (name, column.default)
            for name, column in zip(self._names, self._columns, strict=True)
            if column.default is not None
            and (column.default.is_callable or column.default.is_scalar)
        ]

    def current(self, row: Any) -> Key:
        """Return the key that a row has now."""
        key = self.held(row.__dict__)
        if key is None:  # expired, or not set
            key = tuple([getattr(row, name) for name in self._names])
        return self.as_read(key)

    def held(self, values: dict[str, Any]) -> Key | None:
        """Return the key among what a row holds, as it was set; None if a part is not there."""
        try:
            return tuple([values[name] for name in self._names])
        except KeyError:
            return None

    def stored(self, row: Any) -> Key:
        """Return the key that a row has in the database; empty if it is not there."""
        key = row._sa_instance_state.key
        return () if key is None else self.as_read(key[1])

    def new(self, row: Any) -> Key:
        """Return the key of a new row, made by its column's default if the row has none."""
        self._make(row.__dict__)  # as SQLAlchemy fills in what a default made
        return self.current(row)

    def ready(self, row: Any) -> Key | None:
        """Return the key of a row that is about to be written; None if a part is not known yet."""
        key = self.new(row) if row._sa_instance_state.key is None else self.current(row)
        return None if None in key else key

    def within(self, values: dict[str, Any], *, is_new: bool) -> Key:
        """Return the key in values; in those of a new row made by a default if need be."""
        if is_new:
            self._make(values)
        return self.as_read(tuple([values.get(name) for name in self._names]))

    def check_kept(self, key: Key, dialect: Dialect) -> None:
        """Refuse the counted id 0 of a new row where the database gives the row another one.

        Raises:
            FieldError: the row's values would be bound to an id that it does not have.
        """
        if gives_ids(dialect) and any(
            part == 0 and column is column.table.autoincrement_column
            for part, column in zip(key, self._columns, strict=True)
        ):
            wrong_value(
                ERRORS,
                "MariaDB and MySQL give a row with the id 0 another id, to which its sealed values "
                "are not bound: give it an id from 1",
            )

    def _make(self, values: dict[str, Any]) -> None:
        for name, default in self._defaults:
            if values.get(name) is None:
                values[name] = default.arg(None) if default.is_callable else default.arg

    def as_read(self, key: Key) -> Key:
        """Return a key as the database gives it back: text of a UUID has several forms."""
        for part in key:
            if isinstance(part, str):
                return tuple(map(_part_as_read, self._columns, key))
        return key

    def stored_all(self, rows: Sequence[Any]) -> list[Key]:
        """Return the keys of rows that are in the database, or else those that they have now."""
        keys = [row._sa_instance_state.key for row in rows]
        if not all(keys):
            return [self.stored(row) or self.current(row) for row in rows]
        made = [key[1] for key in keys]
        kinds = set(map(type, chain.from_iterable(made)))
        is_as_read = not any(issubclass(kind, str) for kind in kinds)
        return made if is_as_read else list(map(self.as_read, made))


def gives_ids(dialect: Dialect) -> bool:
    """Return whether a database gives a row with the id 0 another one."""
    return dialect.name in ("mysql", "mariadb")


def _part_as_read(column: Any, part: Any) -> Any:
    if not isinstance(part, str):
        return part
    if isinstance(column.type, Integer) and part.isascii() and part.lstrip("-").isdecimal():
        return int(part)
    if isinstance(column.type, Uuid):
        with suppress(ValueError):  # where it is none, the database refuses it, too
            return UUID(part)
    return part
