# SPDX-License-Identifier: Apache-2.0
"""What may be written into a sealed column: the last place before SQL, past every manager."""

from __future__ import annotations

from typing import Any

from django.db.models.constants import OnConflict
from django.db.models.expressions import Case, Value
from django.db.models.functions import Cast

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS


def check_written(field: Any, value: Any, compiler: Any, kind: type[bytes]) -> None:
    """Check what an INSERT or an UPDATE writes into a column.

    Args:
        field: the field of the column.
        value: an expression, or the parameter that the field has made.
        compiler: that of the statement.
        kind: what is sealed already.

    Raises:
        FieldError: the database would copy or compute it; or rows that exist would get cells of
            other rows, or cells without their indexes.
    """
    if hasattr(value, "as_sql") and not is_sealed(value, kind):
        wrong_value(
            ERRORS,
            f"{field.model._meta.object_name}.{field.name} takes sealed values only, and not what "
            "the database copies or computes, such as F()",
        )
    query = getattr(compiler, "query", None)
    if getattr(query, "on_conflict", None) is OnConflict.UPDATE:
        _check_conflict(field, query)


def is_sealed(value: Any, kind: type[bytes]) -> bool:
    """Return whether an expression, which bulk_update() makes, chooses among sealed values."""
    if isinstance(value, Case):
        return all(is_sealed(case.result, kind) for case in value.cases) and is_sealed(
            value.default, kind
        )
    if isinstance(value, Cast):
        return all(is_sealed(each, kind) for each in value.get_source_expressions())
    return type(value) is Value and (value.value is None or isinstance(value.value, kind))


def _check_conflict(field: Any, query: Any) -> None:
    """Check bulk_create(update_conflicts=True): the row that is there keeps its primary key."""
    updated = {_name_of(each) for each in query.update_fields}
    if getattr(field, "wrapped", None) is None or field.name not in updated:
        return
    unique = {_name_of(each) for each in query.unique_fields}
    keys = {key.name for key in field.key_fields()} | {"pk"}
    if field.bind == "row" and not (unique and unique <= keys):
        wrong_value(
            ERRORS,
            f"{field.shown()} is bound to its row, so bulk_create(update_conflicts=True) may only "
            'have unique_fields=["pk"]: another row would get a value that is not bound to it',
        )
    if field.index is not None and field.companion_name() not in updated:
        wrong_value(
            ERRORS,
            f"{field.shown()}: update_fields needs {field.companion_name()} as well, or the index "
            "would be that of the old value",
        )


def _name_of(field: Any) -> str:
    return str(getattr(field, "name", field))
