# SPDX-License-Identifier: Apache-2.0
"""What an instance of a model holds of a sealed field, and what may go to the database."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from django.db.models.query_utils import DeferredAttribute

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

_UNOPENED: Any = object()
READY, GOING = 1, 2


class Sealed(bytes):
    """A stored value on its way to the database. The columns accept nothing else."""

    def __repr__(self) -> str:
        return f"<sealed, {len(self)} bytes>"

    __str__ = __repr__


class Index(bytes):
    """A blind index on its way to the database, or from there."""


class Held:
    """A value of one instance: the cell, the value, or both.

    Args:
        cell: the stored value; None for a value that was assigned and is not sealed yet.
        row: the primary key of the row that the cell is bound to; None if it is not known.
        value: what is in the cell, if that is known already.

    Attributes:
        going: READY: a write is under way, for which all is sealed and indexed. GOING: it also
            reads the attribute, and shall get the cell.
    """

    __slots__ = ("cell", "going", "row", "value")

    def __init__(
        self, cell: bytes | None, row: tuple[Any, ...] | None = None, value: Any = _UNOPENED
    ) -> None:
        self.cell, self.row, self.value = cell, row, value
        self.going = 0

    @classmethod
    def plain(cls, value: Any) -> Held:
        """Return a value that was assigned."""
        return cls(None, None, value)

    @property
    def is_opened(self) -> bool:
        """Whether the value is known."""
        return self.value is not _UNOPENED

    def has(self, index: Any) -> bool:
        """Whether this is the index of the cell; one is made anew of a value that is known."""
        return isinstance(index, Index) and bool(self.going or not self.is_opened)

    def __repr__(self) -> str:
        return "<sealed>"

    def __copy__(self) -> Held:
        return Held(self.cell, self.row, self.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Held:
        value = self.value if self.value is _UNOPENED else copy.deepcopy(self.value, memo)
        return Held(self.cell, self.row, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the cell alone: caches and queues get no plain text."""
        if self.cell is None:
            wrong_value(
                ERRORS,
                "an instance with a new value of a sealed field cannot be pickled: save it first",
            )
        return Held, (bytes(self.cell), self.row)


def cell_of(value: Any) -> bytes | None:
    """Return what the database has in a sealed column as bytes, whatever its driver makes of it."""
    if value is None or value.__class__ is bytes:
        return value  # type: ignore[no-any-return, unused-ignore]
    return value.encode() if isinstance(value, str) else bytes(value)


class Attribute(DeferredAttribute):  # type: ignore[misc, unused-ignore]
    """The attribute of an instance: it opens the value when it is read for the first time."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        found = super().__get__(instance, cls)
        if instance is None or found is None:
            return found
        held = held_in(instance, self.field)
        if held is None or held.going == GOING:
            return None if held is None else Sealed(held.cell or b"")
        return self.field.opened(held, instance)

    def __set__(self, instance: Any, value: Any) -> None:
        if value is not None and value.__class__ is not Held:
            value = Held(None, None, value)
        instance.__dict__[self.field.attname] = value


class Rows:
    """The primary keys that an instance had when it came from the database, for each field.

    They are in its state, which is copied and pickled with it. An instance that has none holds no
    bytes of the database.
    """

    NAME = "sealed_rows"

    @staticmethod
    def of(instance: Any, field: Any) -> tuple[Any, ...] | None:
        """Return the primary key for a field; None if the instance was made here."""
        rows = getattr(instance._state, Rows.NAME, None)
        if rows is None or field.bind == "column":
            return None if rows is None else ()
        names = field.key_names()
        if rows.__class__ is dict:
            return tuple(rows[name] for name in names)
        return (rows,)

    @staticmethod
    def of_all(theirs: list[dict[str, Any]]) -> tuple[list[Any], set[type]]:
        """Return what many instances have, by their attributes, and of which types that is."""
        rows = [there["_state"].__dict__.get(Rows.NAME) for there in theirs]
        return rows, set(map(type, rows))


def held_in(instance: Any, field: Any) -> Held | None:
    """Return what an instance holds of a sealed field: as it came from the database, or assigned.

    Rows come with bytes, so that those that are not looked at cost nothing.
    """
    there = instance.__dict__
    value = there.get(field.attname)
    if value is None or value.__class__ is Held:
        return value  # type: ignore[no-any-return, unused-ignore]
    row = Rows.of(instance, field) if value.__class__ is bytes else None
    # Else it came past the attribute, such as from a pickle of an older definition.
    held = Held.plain(value) if row is None else Held(value, row)
    there[field.attname] = held
    return held


def load(instance: Any, field: Any) -> None:
    """Load what an instance has not of a field, as Django does before it writes one."""
    if field.attname not in instance.__dict__:
        getattr(instance, field.attname)


def index_in(instance: Any, field: Any) -> Any:
    """Return the index that an instance holds, or what else there is."""
    value = instance.__dict__.get(field.attname)
    if value.__class__ is bytes and Rows.NAME in instance._state.__dict__:
        return Index(value)
    return value


class Opened:
    """What serializers and `model_to_dict` get: it opens when a form calls it, and shows nothing.

    Serializers do not know its type, so they ask the field for text, which is the sealed value.
    """

    __slots__ = ("_open",)

    def __init__(self, open_: Callable[[], Any]) -> None:
        self._open = open_

    def __call__(self) -> Any:
        return self._open()

    def __repr__(self) -> str:
        return "<sealed>"

    def __reduce__(self) -> str:
        wrong_value(ERRORS, "the value of a sealed field cannot be pickled")


class Wanted:
    """A value that is searched for; it is neither shown nor pickled with its query."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<sealed>"

    def __reduce__(self) -> str:
        wrong_value(ERRORS, "a query that looks for the value of a sealed field cannot be pickled")
