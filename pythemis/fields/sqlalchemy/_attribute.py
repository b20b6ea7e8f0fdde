# SPDX-License-Identifier: Apache-2.0
"""The attribute of a mapped class that seals and opens a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Generic, Literal, NoReturn, TypeVar, overload
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Uuid, inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import instance_state

from pythemis import _values
from pythemis._core.errors import INVALID_PARAMETER, wrong_type, wrong_value
from pythemis._typing import Self
from pythemis.fields._cipher import FieldCipher
from pythemis.fields._errors import ERRORS, FieldTypeError
from pythemis.fields._field import Bind, Field

from ._types import Cell, Index, IndexType, Pending, Probe, SealedType

ValueT = TypeVar("ValueT")
_by_class: dict[type, tuple[Sealed[Any], ...]] = {}


class Sealed(Generic[ValueT]):
    """An attribute whose values are stored in a sealed column. Make it with `sealed`."""

    def __init__(
        self,
        cipher: FieldCipher,
        cell: str,
        index: str | None,
        names: tuple[str, str] | None,
        options: dict[str, Any],
    ) -> None:
        self._cipher, self.cell, self.index = cipher, cell, index
        self._names, self._options = names, options
        self.name = cell
        self._fields: dict[type, Field] = {}

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, row: None, owner: type) -> Comparator[ValueT]: ...
    @overload
    def __get__(self, row: object, owner: type) -> ValueT: ...

    def __get__(self, row: Any, owner: type) -> Any:
        if row is None:
            return Comparator(self, owner)
        cell = getattr(row, self.cell)
        if cell is None:
            return None
        if isinstance(cell, Pending):
            return cell.value
        field = self.field_of(type(row))
        return field.open(cell, *self.row_of(field, row, cell))

    def __set__(self, row: Any, value: ValueT) -> None:
        field = self.field_of(type(row))
        cell: Any = None
        if value is not None:
            _values.encode(ERRORS, field.codec, value)  # a wrong one is refused where it is set
            cell = Pending(value)
        if self.index is not None:
            setattr(row, self.index, index_of(field, value))
        setattr(row, self.cell, cell)

    def field_of(self, owner: type) -> Field:
        """Return the field in the table of a class."""
        field = self._fields.get(owner)
        if field is None:
            field = self._fields[owner] = self._made_field(owner)
        return field

    def _made_field(self, owner: type) -> Field:
        mapper: Mapper[Any] = inspect(owner)
        column = _column(mapper, self.cell, SealedType, "sealed_column()")
        bits = None
        if self.index is not None:
            bits = _column(mapper, self.index, IndexType, "index_column(bits=...)").type.bits
        table, name = self._names or (column.table.name, column.name)
        return self._cipher.field(table, name, bits=bits, **self._options)

    def row_of(self, field: Field, row: Any, cell: object) -> tuple[Any, ...]:
        """Return the id that a stored value in a row is bound to."""
        if field.bind == "column":
            return ()
        if isinstance(cell, Cell):
            return cell.row
        mapper = inspect(type(row))
        return _stored_id(mapper, row) or current_id(mapper, row)

    def settle(self, row: Any, key: tuple[Any, ...], *, is_new: bool) -> None:
        """Seal what waits, and seal anew what is bound to another id than the row will have."""
        field = self.field_of(type(row))
        moves = not is_new and field.bind == "row" and _stored_id(inspect(type(row)), row) != key
        cell = getattr(row, self.cell) if moves else row.__dict__.get(self.cell)
        if cell is None:
            return
        bound = () if field.bind == "column" else key
        if isinstance(cell, Pending):
            setattr(row, self.cell, cell_of(field, cell.value, bound))
        elif (isinstance(cell, Cell) and cell.row != bound) or moves:
            value = field.open(cell, *self.row_of(field, row, cell))
            setattr(row, self.cell, cell_of(field, value, bound))
        elif is_new and not isinstance(cell, Cell):
            field.open(cell, *bound)  # of another row, it could never be opened again


class Comparator(Generic[ValueT]):
    """What a class has for a sealed attribute: it can be compared for equality, by its index."""

    def __init__(self, attribute: Sealed[Any], owner: Any) -> None:
        self._attribute, self._owner = attribute, owner

    def adapt_to_entity(self, entity: Any) -> Self:
        """Return the same of an alias."""
        return type(self)(self._attribute, entity.entity)

    def __eq__(self, other: object) -> ColumnElement[bool]:  # type: ignore[override]
        return self.is_(None) if other is None else self.in_([other])  # type: ignore[list-item]

    def in_(self, others: Iterable[ValueT]) -> ColumnElement[bool]:
        """Return the criterion that the value is one of these."""
        attribute = self._attribute
        if attribute.index is None:
            self._refuse("has no blind index to compare: give sealed() an index=")
        field = attribute.field_of(inspect(self._owner).mapper.class_)
        values = list(others)
        wanted = frozenset(field.index_data(value) for value in values if value is not None)
        match = Match(self._owner, attribute, field, wanted)
        probes = []
        for value in values:
            for made in field.indexes(value):
                probe = Probe(made)
                probe.match = match
                probes.append(probe)
        criterion: ColumnElement[bool] = getattr(self._owner, attribute.index).in_(probes)
        return criterion

    def is_(self, other: None) -> ColumnElement[bool]:
        """Return the criterion that there is no value."""
        if other is not None:
            self._refuse("can be compared by is_() with None alone")
        criterion: ColumnElement[bool] = getattr(self._owner, self._attribute.cell).is_(None)
        return criterion

    def is_not(self, other: None) -> ColumnElement[bool]:
        """Return the criterion that there is a value."""
        if other is not None:
            self._refuse("can be compared by is_not() with None alone")
        criterion: ColumnElement[bool] = getattr(self._owner, self._attribute.cell).is_not(None)
        return criterion

    __hash__ = object.__hash__

    def _cannot(self, other: object) -> NoReturn:
        del other
        self._refuse("is encrypted: the database can compare it by ==, in_() and is_(None) alone")

    # Without these, WHERE would get what Python makes of it: False, or True for all rows.
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _cannot
    __add__ = __radd__ = __sub__ = __mod__ = __mul__ = __truediv__ = _cannot

    def __bool__(self) -> NoReturn:
        self._cannot(None)

    @property
    def __clause_element__(self) -> NoReturn:
        self._refuse("is encrypted: select the class, and read the attribute of its rows")

    def _bulk_update_tuples(self, value: object) -> NoReturn:
        del value  # SQLAlchemy 2.0 asks for the columns that values() would set
        self._refuse("is set by assignment, or by seal_values(): values() knows no row")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refuse(f"is encrypted: the database cannot use {name}() on it")

    def _refuse(self, text: str) -> NoReturn:
        raise FieldTypeError(INVALID_PARAMETER, f"{self._attribute.name} {text}")


class Match:
    """What a criterion looks for: found rows are opened, and compared with it."""

    def __init__(self, owner: Any, attribute: Sealed[Any], field: Field, wanted: Any) -> None:
        self.owner, self.attribute, self._field, self._wanted = owner, attribute, field, wanted

    def holds(self, row: Any) -> bool:
        """Return whether a found row has a value that was looked for."""
        if row is None:  # of an outer join
            return False
        value = self.attribute.__get__(row, type(row))
        return value is not None and self._field.index_data(value) in self._wanted


@overload
def sealed(
    cipher: FieldCipher,
    cell: str,
    *,
    index: str | None = None,
    normalize: Callable[[Any], Any] | None = None,
    bind: Bind = "row",
    padding: int = 0,
    names: tuple[str, str] | None = None,
) -> Sealed[str | None]: ...
@overload
def sealed(
    cipher: FieldCipher,
    cell: str,
    *,
    index: str | None = None,
    normalize: Callable[[Any], Any] | None = None,
    bind: Bind = "row",
    type: type[ValueT],
    padding: int = 0,
    names: tuple[str, str] | None = None,
) -> Sealed[ValueT | None]: ...
@overload
def sealed(
    cipher: FieldCipher,
    cell: str,
    *,
    index: str | None = None,
    normalize: Callable[[Any], Any] | None = None,
    bind: Bind = "row",
    type: Literal["json"],
    padding: int = 0,
    names: tuple[str, str] | None = None,
) -> Sealed[Any]: ...


def sealed(
    cipher: FieldCipher,
    cell: str,
    *,
    index: str | None = None,
    normalize: Callable[[Any], Any] | None = None,
    bind: Bind = "row",
    type: Any = str,
    padding: int = 0,
    names: tuple[str, str] | None = None,
) -> Sealed[Any]:
    """Return an attribute of a mapped class, whose values are stored sealed.

    Args:
        cipher: what seals.
        cell: the name of the attribute that has the stored values, made by `sealed_column`.
        index: the name of the attribute that has the blind indexes, made by `index_column`. With
            it, ``==`` and ``in_`` find rows.
        normalize: what makes the value that is indexed, such as `str.casefold`.
        bind: "row": values cannot be moved between rows, and a row needs its primary key before
            it is inserted; "column": they can.
        type: the type of the values; see `pythemis.fields.FieldCipher.seal`.
        padding: fill values up to a multiple of so many bytes, to hide their lengths.
        names: the names of the table and column that values are bound to. By default those that
            the table and the cell's column have in the database: give them when you rename either.

    Raises:
        FieldError: when the attribute is used first: an option that is not offered.
    """
    if not isinstance(cipher, FieldCipher):
        wrong_type(ERRORS, f"cipher must be a FieldCipher, not {cipher.__class__.__name__}")
    options = {"type": type, "bind": bind, "padding": padding, "normalize": normalize}
    return Sealed(cipher, cell, index, names, options)


def open_all(rows: Iterable[object], name: str) -> list[Any]:
    """Return the sealed attribute of many rows, opened in one call, which is faster.

    Args:
        rows: of one mapped class.
        name: the name of the attribute.

    Raises:
        FieldError: for the first value that is refused, with its ``index``.
    """
    found: list[Any] = list(rows)
    if not found:
        return []
    kind = found[0].__class__
    by_name = {each.name: each for each in sealed_of(kind)}
    if name not in by_name:
        wrong_value(ERRORS, f"{kind.__name__} has no sealed attribute {name!r}")
    attribute = by_name[name]
    field = attribute.field_of(kind)
    cells = [getattr(row, attribute.cell) for row in found]
    there = [at for at, cell in enumerate(cells) if not (cell is None or isinstance(cell, Pending))]
    keys = [attribute.row_of(field, found[at], cells[at]) for at in there]
    made = [cell.value if isinstance(cell, Pending) else None for cell in cells]
    for at, value in zip(there, field.open_all([cells[at] for at in there], keys), strict=True):
        made[at] = value
    return made


def seal_values(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for ``insert()`` and ``update()``, with sealed attributes as their columns.

    Args:
        kind: the mapped class.
        values: names of attributes and their values; with the primary key, if one is bound to it.

    Raises:
        FieldError: a value of another type, or without the id of its row.
    """
    return sealed_values(kind, values, is_new=False)


def sealed_values(kind: type, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Do the work of `seal_values`; a new row gets its id from the default of its column."""
    mapper: Mapper[Any] = inspect(kind)
    made = dict(values)
    key: tuple[Any, ...] | None = None
    for attribute in sealed_of(kind):
        if attribute.name not in made:
            continue
        value = made.pop(attribute.name)
        field = attribute.field_of(kind)
        if attribute.index is not None:
            made[attribute.index] = index_of(field, value)
        if value is not None and field.bind == "row" and key is None:
            key = _id_in(mapper, made, is_new=is_new)
        bound = key if field.bind == "row" and key is not None else ()
        made[attribute.cell] = None if value is None else cell_of(field, value, bound)
    return made


def sealed_of(kind: type) -> tuple[Sealed[Any], ...]:
    """Return the sealed attributes of a class."""
    found = _by_class.get(kind)
    if found is None:
        names = {name: None for base in kind.__mro__ for name in vars(base)}
        made = [_in_mro(kind, name) for name in names]
        found = tuple(each for each in made if isinstance(each, Sealed))
        _by_class[kind] = found
    return found


def _in_mro(kind: type, name: str) -> object:
    return next(vars(base)[name] for base in kind.__mro__ if name in vars(base))


def _column(mapper: Mapper[Any], name: str, kind: type, maker: str) -> Any:
    column = mapper.columns.get(name)
    if column is None or not isinstance(column.type, kind):
        wrong_value(ERRORS, f"{mapper.class_.__name__}.{name} must be made by {maker}")
    return column


def cell_of(field: Field, value: Any, row: tuple[Any, ...]) -> Cell:
    """Return the stored value of a value in a row."""
    cell = Cell(field.seal(value, *row) or b"")
    cell.row = row
    return cell


def index_of(field: Field, value: Any) -> Index | None:
    """Return the blind index of a value, which the column takes."""
    made = field.index(value)
    return None if made is None else Index(made)


def current_id(mapper: Mapper[Any], row: Any) -> tuple[Any, ...]:
    """Return the primary key that a row has now."""
    return tuple(
        _as_read(column, getattr(row, mapper.get_property_by_column(column).key))
        for column in mapper.primary_key
    )


def _stored_id(mapper: Mapper[Any], row: Any) -> tuple[Any, ...]:
    """Return the primary key that a row has in the database; empty if it is not there."""
    key = instance_state(row).key
    if key is None:
        return ()
    return tuple(map(_as_read, mapper.primary_key, key[1]))


def _as_read(column: Any, part: Any) -> Any:
    """Return a part of a key as the database gives it back: text of a UUID has several forms."""
    if not isinstance(part, str):
        return part
    if isinstance(column.type, Integer) and part.isascii() and part.lstrip("-").isdecimal():
        return int(part)
    if isinstance(column.type, Uuid):
        with suppress(ValueError):  # where it is none, the database refuses it, too
            return UUID(part)
    return part


def new_id(mapper: Mapper[Any], row: Any) -> tuple[Any, ...]:
    """Return the primary key of a new row, made by its column's default if the row has none."""
    for column in mapper.primary_key:
        name = mapper.get_property_by_column(column).key
        if getattr(row, name) is None and (made := _default(column)) is not None:
            setattr(row, name, made)
    return current_id(mapper, row)


def _id_in(mapper: Mapper[Any], values: dict[str, Any], *, is_new: bool) -> tuple[Any, ...]:
    """Return the primary key in values; in those of a new row made by a default if need be."""
    key = []
    for column in mapper.primary_key:
        name = mapper.get_property_by_column(column).key
        if is_new and values.get(name) is None and (made := _default(column)) is not None:
            values[name] = made
        key.append(_as_read(column, values.get(name)))
    return tuple(key)


def _default(column: Any) -> Any:
    default = column.default
    if default is None or not (default.is_callable or default.is_scalar):
        return None
    return default.arg(None) if default.is_callable else default.arg
