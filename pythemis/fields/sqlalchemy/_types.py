# SPDX-License-Identifier: Apache-2.0
"""The types of columns: stored values, and blind indexes; nothing else passes to the database."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NoReturn

from sqlalchemy import LargeBinary
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine

from pythemis._core.errors import INVALID_PARAMETER, wrong_value
from pythemis._core.rings import is_stored
from pythemis.fields._errors import ERRORS, FieldTypeError

_UNIQUE_BITS = 96
_NO_LITERALS = "sealed columns take parameters alone: compile without literal_binds"


class UnsealedError(FieldTypeError, DontWrapMixin):
    """Plain text on its way to the database.

    SQLAlchemy does not wrap it: a StatementError would show the parameters, and so the plain text.
    """


class Cell(bytes):
    """A stored value, the row that it is bound to, and whether its index was made or kept."""

    row: tuple[Any, ...]
    has_index = False


class Index(bytes):
    """A blind index that a field made."""


class Probe(bytes):
    """A blind index in a criterion; `match` opens what is found and compares."""

    match: Any


class Pending:
    """A value that waits for its row to have an id, in the place of its cell."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<a value that is not sealed yet>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise FieldTypeError(
            INVALID_PARAMETER, "a value that is not sealed yet cannot be pickled: flush its row"
        )

    def __deepcopy__(self, memo: object) -> Pending:
        return self


# The matches whose rows are being compared: a criterion that nothing compares is refused.
comparing: ContextVar[frozenset[Any]] = ContextVar("comparing", default=frozenset())


class SealedType(TypeDecorator[bytes]):
    """The type of a column of stored values. Whatever is not a stored value is refused."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return a type that cuts no value: the BLOB of MySQL ends at 65,535 bytes."""
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.LONGBLOB())
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Check a value on its way to the database."""
        del dialect
        if value is None:
            return None
        if isinstance(value, Pending):
            _refuse(
                "a sealed value of a row that was not flushed: add the row to a session with "
                "add() or merge(), because bulk_save_objects() runs no events; and no listener of "
                "before_insert or before_update may assign one"
            )
        if isinstance(value, (bytes, bytearray, memoryview)):
            stored = bytes(value)
            if is_stored(stored):
                return stored
        return _refuse(
            "this column takes stored values alone, not plain values: assign to the attribute "
            "made by sealed(), or use seal_values()"
        )

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what checks values on their way to the database; cells were made a moment ago."""
        check, to_driver = self.process_bind_param, self.impl_instance.bind_processor(dialect)
        if dialect.driver == "psycopg":  # which takes bytes faster than what its Binary() makes
            to_driver = None

        def process(value: Any) -> Any:
            data = bytes(value) if type(value) is Cell else check(value, dialect)
            return data if to_driver is None else to_driver(data)

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what makes bytes of what the driver has; None where it has them already."""
        return self.impl_instance.result_processor(dialect, coltype)

    def literal_processor(self, dialect: Dialect) -> NoReturn:
        """Refuse to write values into SQL; asked later, SQLAlchemy's error would have the value."""
        del dialect
        _refuse(_NO_LITERALS)


class IndexType(TypeDecorator[bytes]):
    """The type of a column of blind indexes. Whatever a field did not make is refused.

    Args:
        bits: the size of the index, 8 to 256.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(-(-bits // 8))

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return a type that the database can index."""
        size = -(-self.bits // 8)
        if dialect.name in ("mysql", "mariadb"):
            return dialect.type_descriptor(mysql.VARBINARY(size))
        return dialect.type_descriptor(LargeBinary(size))

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        """Check an index on its way to the database."""
        del dialect
        if value is None:
            return None
        if isinstance(value, Probe):
            if value.match in comparing.get():
                return bytes(value)
            _refuse(
                "a sealed attribute may be compared in the WHERE of a select() of its class, "
                "joined by AND alone, without LIMIT and GROUP BY, that a Session executes: found "
                "rows are opened and compared"
            )
        if isinstance(value, Index) and len(value) == -(-self.bits // 8):
            return bytes(value)
        return _refuse(
            "this column takes blind indexes of sealed attributes alone: compare the attribute "
            "made by sealed(), or use seal_values()"
        )

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return what marks indexes that the database has."""
        del dialect, coltype
        return lambda value: None if value is None else Index(value)

    def literal_processor(self, dialect: Dialect) -> NoReturn:
        """Refuse to write values into SQL; asked later, SQLAlchemy's error would have the value."""
        del dialect
        _refuse(_NO_LITERALS)


def _refuse(text: str) -> NoReturn:
    raise UnsealedError(INVALID_PARAMETER, text)


def refuse_copy(name: str) -> NoReturn:
    """Refuse what the database would copy or compute into a sealed column."""
    _refuse(
        f"{name} takes stored values alone, not what the database copies or computes: a value is "
        "bound to its column, and mostly to its row"
    )


def sealed_column(*args: Any, **options: Any) -> MappedColumn[Any]:
    """Return a mapped column for stored values; arguments are those of ``mapped_column``."""
    return mapped_column(SealedType(), *args, **options)


def index_column(*args: Any, bits: int, unique: bool = False, **options: Any) -> MappedColumn[Any]:
    """Return a mapped column for blind indexes, with an index of the database.

    Args:
        *args: as those of ``mapped_column``.
        bits: the size of each index, 8 to 256; ask `pythemis.fields.index_plan`.
        unique: whether values may occur once only; this needs 96 bits.
        **options: as those of ``mapped_column``.

    Raises:
        FieldError: a unique index of fewer than 96 bits, in which different values can collide.
    """
    if unique and bits < _UNIQUE_BITS:
        wrong_value(ERRORS, f"a unique index needs {_UNIQUE_BITS} bits or more, not {bits}")
    options.setdefault("index", not unique)
    return mapped_column(IndexType(bits), *args, unique=unique, **options)
