# SPDX-License-Identifier: Apache-2.0
"""The errors of columns."""

from __future__ import annotations

from typing import NoReturn

from pythemis._core.errors import INVALID_PARAMETER, Errors
from pythemis.exception import ThemisError


class ColumnError(ThemisError):
    """A column was refused, and nothing was returned.

    Attributes:
        index: the row that was refused, counted from 0; None if it is not about one row.
    """

    __module__ = "pythemis.columns"
    index: int | None = None


class ColumnTypeError(ColumnError, TypeError):
    """An argument has the wrong type."""

    __module__ = "pythemis.columns"


class ColumnValueError(ColumnError, ValueError):
    """An argument has the right type and an impossible value."""

    __module__ = "pythemis.columns"


ERRORS = Errors(ColumnError, ColumnTypeError, ColumnValueError)


def wrong_type(message: str, index: int | None = None) -> NoReturn:
    """Refuse an argument, or a row, for its type."""
    error = ColumnTypeError(INVALID_PARAMETER, message)
    error.index = index
    raise error


def wrong_value(message: str, index: int | None = None) -> NoReturn:
    """Refuse an argument, or a row, for its value."""
    error = ColumnValueError(INVALID_PARAMETER, message)
    error.index = index
    raise error
