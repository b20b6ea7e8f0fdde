# SPDX-License-Identifier: Apache-2.0
"""Which fields can be sealed, and as which type."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from pythemis import _values
from pythemis._core.errors import wrong_type, wrong_value
from pythemis.fields._errors import ERRORS

# The first that fits, so a DateTimeField comes before the DateField that it inherits from.
_TYPES: tuple[tuple[type[Any], object], ...] = (
    (models.BooleanField, bool),
    (models.DecimalField, Decimal),
    (models.IntegerField, int),
    (models.DateTimeField, datetime.datetime),
    (models.DateField, datetime.date),
    (models.TimeField, datetime.time),
    (models.UUIDField, uuid.UUID),
    (models.BinaryField, bytes),
    (models.JSONField, _values.JSON),
    (models.CharField, str),
    (models.TextField, str),
    (models.GenericIPAddressField, str),
)
_REFUSED = (models.AutoField, models.BigAutoField, models.SmallAutoField)


def type_of(wrapped: Any) -> object:
    """Return the type of values that a field holds.

    Raises:
        FieldError: a field that cannot be sealed, or an option of one.
    """
    if not isinstance(wrapped, models.Field):
        wrong_type(ERRORS, "SealedField takes a field, such as SealedField(models.TextField())")
    if isinstance(wrapped, models.FloatField):
        wrong_type(ERRORS, "a FloatField cannot be sealed, because its text differs: DecimalField")
    for kind, type_ in () if isinstance(wrapped, _REFUSED) else _TYPES:
        if isinstance(wrapped, kind):
            _check_options(wrapped)
            return type_
    return wrong_type(ERRORS, f"a {type(wrapped).__name__} cannot be sealed")


def _check_options(wrapped: Any) -> None:
    """Refuse options that a sealed column cannot have, with what to do."""
    for name, what in (
        ("primary_key", "a primary key cannot be sealed"),
        ("_unique", "unique=True belongs to the sealed field: SealedField(..., unique=True)"),
        ("db_index", "the database cannot index what is sealed: index=BlindIndex(bits=...)"),
        ("db_column", "db_column belongs to the sealed field: SealedField(..., db_column=...)"),
        ("db_collation", "what is sealed has no collation: normalize= says what is found alike"),
        ("auto_now", "auto_now is not offered: assign the value"),
        ("auto_now_add", "auto_now_add is not offered: assign the value"),
        ("unique_for_date", "unique_for_date is not offered"),
        ("unique_for_month", "unique_for_month is not offered"),
        ("unique_for_year", "unique_for_year is not offered"),
        ("encoder", "JSON with an encoder of its own is not offered"),
        ("decoder", "JSON with a decoder of its own is not offered"),
    ):
        if getattr(wrapped, name, None):
            wrong_value(ERRORS, what)
    if wrapped.has_db_default():
        wrong_value(ERRORS, "db_default would be plain text in the database: use default")


def takes_text(wrapped: Any) -> bool:
    """Return whether a field stores text as it is, so that `prepared` need not be called."""
    kind = type(wrapped)
    return any(
        kind.get_prep_value is plain.get_prep_value and kind.to_python is plain.to_python
        for plain in (models.CharField, models.TextField)
    )


def prepared(wrapped: Any, value: Any) -> Any:
    """Return a value as the field would give it to a database, such as Decimal for "1.50".

    Raises:
        FieldError: the field does not take the value, which is not in the error.
    """
    if hasattr(value, "resolve_expression"):
        wrong_value(ERRORS, f"{wrapped.name} takes values only, and not what the database computes")
    try:
        value = wrapped.get_prep_value(value)
        if isinstance(wrapped, models.DecimalField) and value is not None:
            value = _quantized(wrapped, value)
        if isinstance(wrapped, models.GenericIPAddressField):
            value = value or None  # Django does it for each database, later
    except (TypeError, ValueError, ArithmeticError, ValidationError):
        pass
    else:
        return value
    # Not within the `except`: the errors of Django hold the value, and would be the context.
    kind = type(wrapped).__name__
    return wrong_value(ERRORS, f"{wrapped.name}: a {kind} does not take this value")


def _quantized(wrapped: Any, value: Decimal) -> Decimal:
    if wrapped.decimal_places is None or not value.is_finite():
        return value
    context = wrapped.context.copy()
    context.prec = wrapped.max_digits or context.prec
    return value.quantize(Decimal(1).scaleb(-wrapped.decimal_places), context=context)
