# SPDX-License-Identifier: Apache-2.0
"""The errors of fields."""

from __future__ import annotations

from pythemis._core.errors import Errors
from pythemis.exception import ThemisError


class FieldError(ThemisError):
    """A field refused its arguments or its data.

    Attributes:
        index: the index of the value in a list, counted from 0; None if there is no list.
    """

    __module__ = "pythemis.fields"
    index: int | None = None


class FieldTypeError(FieldError, TypeError):
    """An argument has the wrong type."""

    __module__ = "pythemis.fields"


class FieldValueError(FieldError, ValueError):
    """An argument has the right type and an impossible value."""

    __module__ = "pythemis.fields"


ERRORS = Errors(FieldError, FieldTypeError, FieldValueError)
