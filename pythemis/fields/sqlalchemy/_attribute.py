# SPDX-License-Identifier: Apache-2.0
"""The attribute of a mapped class that seals and opens a column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, NoReturn, TypeVar, overload

from sqlalchemy import ColumnElement, inspect
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapper
from sqlalchemy.sql import ClauseElement

from pythemis import _values
from pythemis._core.errors import INVALID_PARAMETER, wrong_type, wrong_value
from pythemis._core.rings import is_stored
from pythemis._hints import Self
from pythemis.fields._cipher import FieldCipher
from pythemis.fields._errors import ERRORS, FieldTypeError
from pythemis.fields._field import Bind, Field

from ._keys import Key, Keys
from ._types import Cell, Index, IndexType, Pending, Probe, SealedType, refuse_copy

ValueT = TypeVar("ValueT")
_by_class: dict[type, tuple[Sealed[Any], ...]] = {}
_keys_by_class: dict[type, Keys] = {}


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
        kind = type(row)
        return self.field_of(kind).open(cell, *self.row_of(kind, row, cell))

    def __set__(self, row: Any, value: ValueT) -> None:
        """Let a value wait; it is sealed, and its index made, when the row is flushed."""
        field = self.field_of(type(row))
        cell: Any = None
        if value is not None:
            _values.encode(ERRORS, field.codec, value)  # a wrong one is refused where it is set
            if self.index is not None and field.normalize is not None:
                field.index_data(value)
            cell = Pending(value)
        elif self.index is not None:
            setattr(row, self.index, None)
        setattr(row, self.cell, cell)

    @property
    def is_named(self) -> bool:
        """Whether values are bound to other names than those of the table and column."""
        return self._names is not None

    @property
    def bind(self) -> str:
        """What values are bound to: "row" or "column"."""
        return str(self._options["bind"])

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

    def row_of(self, kind: type, row: Any, cell: object) -> Key:
        """Return the id that a stored value in a row is bound to."""
        if self.field_of(kind).bind == "column":
            return ()
        return cell.row if isinstance(cell, Cell) else keys_of(kind).stored_all([row])[0]

    def open_all(self, rows: Sequence[Any]) -> list[Any]:
        """Return the values of rows of one class."""
        if not rows:
            return []
        kind = type(rows[0])
        field = self.field_of(kind)
        try:
            cells = [row.__dict__[self.cell] for row in rows]
        except KeyError:  # some have expired, or were deferred
            cells = [getattr(row, self.cell) for row in rows]
        keys = keys_of(kind).stored_all(rows) if field.bind == "row" else None
        if {bytes, type(None)}.issuperset(map(type, cells)):  # all as the database has them
            return field.open_all(cells, keys)
        waiting = []
        for at, cell in enumerate(cells):
            if isinstance(cell, Cell) and keys is not None:
                keys[at] = cell.row
            elif isinstance(cell, Pending):
                waiting.append((at, cell.value))
                cells[at] = None
        made = field.open_all(cells, keys)
        for at, value in waiting:
            made[at] = value
        return made

    def is_bound_in(self, row: Any) -> bool:
        """Return whether there is a value that is bound to its row."""
        return row.__dict__.get(self.cell) is not None and self.field_of(type(row)).bind == "row"

    def is_exchanged_in(self, row: Any) -> bool:
        """Return whether a program has set a stored value, and not the attribute."""
        cell, before = row.__dict__.get(self.cell), row._sa_instance_state.committed_state
        return (
            self.cell in before
            and isinstance(cell, bytes)
            and cell != before[self.cell]
            and is_stored(cell)  # else its column refuses it
        )

    def seal_all(self, rows: Sequence[Any], keys: Sequence[Key]) -> None:
        """Seal what waits in rows of one class, in one call, and make the indexes."""
        field = self.field_of(type(rows[0]))
        held = [row.__dict__ for row in rows]
        values = [each[self.cell].value for each in held]
        bound = [()] * len(rows) if field.bind == "column" else keys
        for each, cell in zip(held, cells_of(field, values, bound), strict=True):
            if cell is not None:
                cell.has_index = True
            each[self.cell] = cell  # what waited there is noted as a change already
        if self.index is not None:
            for row, index in zip(rows, indexes_of(field, values), strict=True):
                setattr(row, self.index, index)

    def settle(self, row: Any, key: Key, *, is_new: bool) -> None:
        """Seal what waits yet, and seal anew what is bound to another id than the row will have."""
        cell = row.__dict__.get(self.cell)
        if type(cell) is Cell and cell.row == key:
            return
        field = self.field_of(type(row))
        bound = () if field.bind == "column" else key
        if isinstance(cell, Pending):
            self.seal_all([row], [key])
            return
        moves = not is_new and bound and keys_of(type(row)).stored(row) != key
        if moves:
            cell = getattr(row, self.cell)  # also what was not loaded
        if cell is None:
            if self.has_old_index(row.__dict__, row._sa_instance_state.committed_state):
                setattr(row, str(self.index), None)
            return
        if isinstance(cell, ClauseElement) or hasattr(cell, "__clause_element__"):
            refuse_copy(self.name)
        if moves or (isinstance(cell, Cell) and cell.row != bound):
            value = field.open(cell, *self.row_of(type(row), row, cell))
            self._put(row, cells_of(field, [value], [bound])[0])
        elif not isinstance(cell, Cell) and (is_new or self.is_exchanged_in(row)):
            # Of another row or column, it could never be opened again.
            value = field.open(cell, *bound)
            made = Cell(cell)
            made.row = bound
            self._put(row, made)
            if self.index is not None:
                setattr(row, self.index, indexes_of(field, [value])[0])

    def _put(self, row: Any, cell: Cell | None) -> None:
        """Set the cell of a row whose index is right."""
        if cell is not None:
            cell.has_index = True
        setattr(row, self.cell, cell)

    def has_old_index(self, held: dict[str, Any], before: dict[str, Any]) -> bool:
        """Return whether a program has removed a cell, and not the attribute with its index."""
        return (
            self.index is not None
            and self.cell in before
            and held.get(self.index, self) is not None  # also what was not loaded
        )

    def check_bound(self, row: Any, key: Key, *, moves: bool) -> None:
        """Refuse a cell that is bound to another id than the row has now."""
        cell = row.__dict__.get(self.cell, b"")  # not loaded
        if isinstance(cell, Cell):
            is_wrong = cell.row not in ((), key)
        else:  # as it was: bound to the id that the row had
            is_wrong = moves and cell is not None and self.field_of(type(row)).bind == "row"
        if is_wrong:
            wrong_value(
                ERRORS,
                f"a listener of before_insert or before_update changed the id of a row after its "
                f"{self.name} was sealed: set the id before the flush",
            )


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

    def hold(self, rows: Sequence[Any]) -> list[bool]:
        """Return for each found row whether it has a value that was looked for."""
        by_kind: dict[type, list[int]] = {}
        for at, row in enumerate(rows):
            if row is not None:  # of an outer join
                by_kind.setdefault(type(row), []).append(at)
        made = [False] * len(rows)
        for places in by_kind.values():
            values = self.attribute.open_all([rows[at] for at in places])
            for at, value in zip(places, values, strict=True):
                made[at] = value is not None and self._field.index_data(value) in self._wanted
        return made


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
    return by_name[name].open_all(found)


def seal_values(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for ``insert()`` and ``update()``, with sealed attributes as their columns.

    Args:
        kind: the mapped class.
        values: names of attributes and their values; with the primary key, if one is bound to it.

    Raises:
        FieldError: a value of another type, or without the id of its row.
    """
    return sealed_values(kind, [values], into=None)[0]


def sealed_values(
    kind: type, given: Iterable[Mapping[str, Any]], *, into: Dialect | None
) -> list[dict[str, Any]]:
    """Do the work of `seal_values`; new rows get their ids from the defaults of their columns.

    Args:
        kind: as it has it.
        given: the values of many rows.
        into: what inserts new rows; None: the rows are there.
    """
    made = [dict(values) for values in given]
    for attribute in sealed_of(kind):
        these = [values for values in made if attribute.name in values]
        if not these:
            continue
        field, keys = attribute.field_of(kind), keys_of(kind)
        plain = [values.pop(attribute.name) for values in these]
        bound: list[Key] = [()] * len(these)
        if field.bind == "row":
            for at, values in enumerate(these):
                if plain[at] is not None:
                    bound[at] = keys.within(values, is_new=into is not None)
                    if into is not None:
                        keys.check_kept(bound[at], into)
        cells = cells_of(field, plain, bound)
        indexes = [] if attribute.index is None else indexes_of(field, plain)
        for at, values in enumerate(these):
            values[attribute.cell] = cells[at]
            if attribute.index is not None:
                values[attribute.index] = indexes[at]
    return made


def keys_of(kind: type) -> Keys:
    """Return the primary key of a class."""
    found = _keys_by_class.get(kind)
    if found is None:
        found = _keys_by_class[kind] = Keys(kind)
    return found


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


def cells_of(field: Field, values: list[Any], rows: Sequence[Key]) -> list[Cell | None]:
    """Return the stored values of values in rows, which the column takes."""
    made = field.seal_all(values, rows)
    cells = [None if each is None else Cell(each) for each in made]
    for cell, row in zip(cells, rows, strict=True):
        if cell is not None:
            cell.row = row
    return cells


def indexes_of(field: Field, values: list[Any]) -> list[Index | None]:
    """Return the blind indexes of values, which the column takes."""
    return [None if each is None else Index(each) for each in field.index_all(values)]
