# SPDX-License-Identifier: Apache-2.0
"""The cipher of an application's fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ._field import Bind, Field, Part, Row
from ._rings import Ring, Rings


class FieldCipher:
    """Seal the fields of a database: each value is bound to its table, column and row.

    Values are stored under a keyring, so that you can change its keys (formats, section 10).
    Threads may share the cipher.

    Args:
        ring: a `pythemis.keyring.Keyring`, or a function that returns the current one, such as
            what `pythemis.keyring.watch` and `pythemis.keyring.from_reference` return.
        index_key: a second keyring, or such a function, for blind indexes. It must have another
            name and other keys than ``ring``.

    Raises:
        FieldError: not a keyring and not a function.
    """

    __module__ = "pythemis.fields"

    def __init__(self, ring: Ring, *, index_key: Ring | None = None) -> None:
        self._rings = Rings(ring, index_key)

    def __repr__(self) -> str:
        return f"<pythemis.fields.FieldCipher at {id(self):#x}>"

    def field(
        self,
        table: str,
        column: str,
        *,
        type: object = str,
        bind: Bind = "row",
        padding: int = 0,
        bare: bool = False,
        bits: int | None = None,
        normalize: Callable[[Any], Any] | None = None,
    ) -> Field:
        """Return one sealed column; the options of `Field` say how its values are stored.

        Raises:
            FieldError: names that are no text, or an option that is not offered.
        """
        return Field(
            self._rings,
            table,
            column,
            type=type,
            bind=bind,
            padding=padding,
            bare=bare,
            bits=bits,
            normalize=normalize,
        )

    def seal(
        self,
        value: object,
        table: str,
        column: str,
        *row: Part,
        type: object = str,
        bind: Bind = "row",
        padding: int = 0,
    ) -> bytes | None:
        """Return the stored value of a field; None stays None.

        Args:
            value: of the given type; it is not converted.
            table: the name of the table.
            column: the name of the column that holds the stored value.
            *row: the primary key of the row: text, integers, UUIDs or bytes.
            type: str, bytes, int, `decimal.Decimal`, bool, `datetime.date`, `datetime.time`,
                `datetime.datetime`, `uuid.UUID`, or the text ``"json"``.
            bind: "row"; or "column" for values that any row of the column may hold, which then
                have no ``row``.
            padding: hide the length of values: fill them up to a multiple of so many bytes.

        Raises:
            FieldError: a value of another type or without an encoding, a row without its id.
        """
        field = self.field(table, column, type=type, bind=bind, padding=padding)
        return field.seal(value, *row)

    def open(
        self,
        stored: bytes | None,
        table: str,
        column: str,
        *row: Part,
        type: object = str,
        bind: Bind = "row",
    ) -> Any:
        """Return the value of a field; None stays None.

        Args:
            stored: what `seal` returned.
            table: as given to `seal`, like all that follows.
            column: the name of the column.
            *row: the primary key of the row.
            type: the type of the value.
            bind: "row" or "column".

        Raises:
            FieldError: a value of another place or of an unknown key, or damaged data; or it holds
                a value of another type.
        """
        return self.field(table, column, type=type, bind=bind).open(stored, *row)

    def open_all(
        self,
        stored: Iterable[bytes | None],
        table: str,
        column: str,
        rows: Iterable[Row] | None,
        *,
        type: object = str,
        bind: Bind = "row",
    ) -> list[Any]:
        """Return the values of many rows in one call, which is faster.

        Args:
            stored: the stored values.
            table: as given to `seal`.
            column: the name of the column.
            rows: the primary key of each; a tuple where a key has several parts. None if the
                column is bound with ``bind="column"``.
            type: the type of the values.
            bind: "row" or "column".

        Raises:
            FieldError: as `open`, for the first value that is refused, with its ``index``.
        """
        return self.field(table, column, type=type, bind=bind).open_all(stored, rows)

    def seal_all(
        self,
        values: Iterable[object],
        table: str,
        column: str,
        rows: Iterable[Row] | None,
        *,
        type: object = str,
        bind: Bind = "row",
        padding: int = 0,
    ) -> list[bytes | None]:
        """Return the stored values of many rows in one call, which is faster.

        Args:
            values: the values; None stays None.
            table: the name of the table.
            column: the name of the column that holds the stored values.
            rows: the primary key of each; a tuple where a key has several parts. None if the
                column is bound with ``bind="column"``.
            type: as for `seal`, for all values.
            bind: "row" or "column".
            padding: as for `seal`.

        Raises:
            FieldError: as `seal`, for the first value that is refused, with its ``index``; nothing
                is returned.
        """
        field = self.field(table, column, type=type, bind=bind, padding=padding)
        return field.seal_all(values, rows)

    def index(
        self,
        value: object,
        table: str,
        column: str,
        *,
        bits: int,
        type: object = str,
    ) -> bytes | None:
        """Return the blind index to store beside a value; None stays None.

        Args:
            value: of the given type. Normalise it first: equal values have equal indexes.
            table: as given to `seal`.
            column: the name of the column that holds the stored value.
            type: the type of the value.
            bits: 8 to 256; ask `index_plan`, and use 96 or more for unique columns.

        Returns:
            The bits in bytes; unused bits of the last byte are 0.

        Raises:
            FieldError: no ``index_key``, or one that also seals; or a value or type without index.
        """
        return self.field(table, column, type=type, bits=bits).index(value)

    def index_all(
        self,
        values: Iterable[object],
        table: str,
        column: str,
        *,
        bits: int,
        type: object = str,
    ) -> list[bytes | None]:
        """Return the blind indexes of many values in one call, which is faster.

        Args:
            values: the values; None stays None.
            table: as for `index`, like all that follows.
            column: the name of the column that holds the stored values.
            bits: 8 to 256.
            type: the type of the values.

        Raises:
            FieldError: as `index`; a value that is refused has its ``index``.
        """
        return self.field(table, column, type=type, bits=bits).index_all(values)

    def indexes(
        self,
        value: object,
        table: str,
        column: str,
        *,
        bits: int,
        type: object = str,
    ) -> list[bytes]:
        """Return what to search for: the blind index under every key of the index ring.

        A found row may have another value: open it and compare. Arguments and errors are those of
        `index`.
        """
        return self.field(table, column, type=type, bits=bits).indexes(value)
