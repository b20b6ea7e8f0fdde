# SPDX-License-Identifier: Apache-2.0
"""Where the command ``manage.py sealed migrate`` takes values from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections
from django.db.models.expressions import Col

from pythemis import _values
from pythemis._core.errors import DATA_CORRUPT
from pythemis.fields._errors import FieldError

from ._tables import Row, Table


class Source:
    """What a column holds, and how a value is made of it.

    Args:
        table: the sealed field.
        field: the field of the column that has the values; None: they are in the sealed column.
        read: is given what the column holds, and the parts of the primary key, and returns the
            bytes of the value; None: the column holds plain values.
        keeps: leave the column as it is. Else it is set to NULL with the value that is sealed.
        name: of the form, for the checkpoint.
    """

    def __init__(
        self,
        table: Table,
        field: Any,
        read: Callable[..., Any] | None,
        *,
        keeps: bool,
        name: str,
    ) -> None:
        [self._sealed] = table.fields
        self.field, self.keeps, self.name = field, keeps, name
        self._read = read
        self._connection = connections[table.using]

    def value(self, row: Row, at: int) -> Any:
        """Return the value of a row, prepared; None if its cell is sealed already.

        Raises:
            FieldError: what the column holds is not of the form; or there are two values.
        """
        cell = row.cells[at]
        if cell is not None and self.field is not None:
            raise _refused("the sealed field has a value, and the other column too: remove one")
        if cell is not None and self._sealed.cipher().is_stored(cell):
            return None
        value = self._converted(row)
        if value is None:
            raise _refused("the other form holds no value: set the column to NULL")
        return value

    def _converted(self, row: Row) -> Any:
        sealed = self._sealed
        raw = row.source.tobytes() if isinstance(row.source, memoryview) else row.source
        try:
            if self._read is None:
                value = self._plain(raw)
            else:
                value = self._of_bytes(self._read(raw, *row.key))
            if sealed.type != _values.JSON:
                value = sealed.wrapped.to_python(value)
            return sealed.sealable(value)
        except (ValidationError, ValueError, TypeError, ArithmeticError) as error:
            if isinstance(error, FieldError):
                raise
        # Not within the `except`: the errors of Django hold the value, and would be the context.
        raise _refused(f"a {type(sealed.wrapped).__name__} does not take what the column holds")

    def _plain(self, raw: Any) -> Any:
        """Return a value as Django makes it of the column."""
        field = self._sealed.wrapped if self.field is None else self.field
        if self.field is None and self._sealed.type is not bytes and isinstance(raw, bytes):
            raw = raw.decode()
        expression = Col("", field)
        converters = [
            *self._connection.ops.get_db_converters(expression),
            *field.get_db_converters(self._connection),
        ]
        for convert in converters:
            raw = convert(raw, expression, self._connection)
        return raw

    def _of_bytes(self, data: Any) -> Any:
        if not isinstance(data, bytes) or self._sealed.type is bytes:
            return data
        text = data.decode()
        return json.loads(text) if self._sealed.type == _values.JSON else text


def _refused(text: str) -> FieldError:
    return FieldError(DATA_CORRUPT, text)
