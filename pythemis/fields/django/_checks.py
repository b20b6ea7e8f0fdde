# SPDX-License-Identifier: Apache-2.0
"""What `manage.py check` says of sealed fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connections, models
from django.db.models.fields import AutoFieldMixin

from . import _settings
from ._hooks import sealed_fields


def of_field(field: Any, **options: Any) -> list[Any]:
    """Return the findings of one sealed field, with those of the field inside."""
    found = [*field.wrapped.check(**options), *_of_settings(field), *_of_row(field)]
    found += _of_collation(field, options.get("databases") or ())
    found += _of_index(field)
    return found + _of_meta(field)


def _of_settings(field: Any) -> list[Any]:
    if getattr(settings, _settings.SETTING, None) is not None:
        return []
    return [
        checks.Error(
            f"Sealed fields need the setting {_settings.SETTING}.",
            hint='Name a pythemis.fields.FieldCipher, such as "shop.keys.cipher".',
            obj=field,
            id="pythemis.E001",
        )
    ]


def _of_row(field: Any) -> list[Any]:
    counted = [
        key.name
        for key in field.key_fields()
        if isinstance(key, AutoFieldMixin) or key.has_db_default()
    ]
    if field.bind == "column" or not counted:
        return []
    return [
        checks.Error(
            f"A value is bound to its row, and the database assigns {counted[0]} after the value "
            "is sealed.",
            hint="Give the model a primary key that the program makes, such as "
            "models.UUIDField(primary_key=True, default=uuid.uuid4). Or declare "
            'bind="column": then anyone who can write to the database can move values '
            "between rows unnoticed.",
            obj=field,
            id="pythemis.E002",
        )
    ]


def _of_collation(field: Any, databases: Any) -> list[Any]:
    """Return what is wrong with keys that are equal for a database, and are not the same text."""
    if field.bind == "column" or all(connections[name].vendor != "mysql" for name in databases):
        return []
    return [
        checks.Warning(
            f"A value is bound to the text of {key.name}, and the collation of the column may take "
            "other text for equal.",
            hint='Give the key db_collation="utf8mb4_bin".',
            obj=field,
            id="pythemis.W002",
        )
        for key in field.key_fields()
        if isinstance(key, (models.CharField, models.TextField))
        and not (key.db_collation or "").endswith("_bin")
    ]


def _of_index(field: Any) -> list[Any]:
    few = field.wrapped.choices or isinstance(field.wrapped, models.BooleanField)
    if field.index is None or not few:
        return []
    return [
        checks.Warning(
            "A blind index of few distinct values tells which rows are equal, so it tells the "
            "values.",
            hint="Remove the index, and filter what the program has opened.",
            obj=field,
            id="pythemis.W001",
        )
    ]


def _of_meta(field: Any) -> list[Any]:
    meta = field.model._meta
    named: dict[str, set[str]] = {
        "ordering": {
            each.lstrip("-") if isinstance(each, str) else _name_in(each)
            for each in meta.ordering or ()
        },
        "unique_together": {name for names in meta.unique_together for name in names},
        "indexes": {name.lstrip("-") for index in meta.indexes for name in index.fields},
        "constraints": {
            name for constraint in meta.constraints for name in getattr(constraint, "fields", ())
        },
        "get_latest_by": {str(name).lstrip("-") for name in _listed(meta.get_latest_by)},
    }
    return [
        checks.Error(
            f"Meta.{option} names a sealed field, whose cells are all different and have no order.",
            hint=f"Remove it; for equality use the index field, {field.companion_name()}.",
            obj=field,
            id="pythemis.E003",
        )
        for option, names in named.items()
        if field.name in names
    ]


def _listed(names: Any) -> Any:
    return names if isinstance(names, (list, tuple)) else (names,) if names else ()


def _name_in(expression: Any) -> str:
    inside = getattr(expression, "expression", expression)
    return str(getattr(inside, "name", ""))


# ---- The admin ----


def of_admin(**_: Any) -> list[Any]:
    """Return the findings of what is registered with the admin, if that is installed."""
    if not apps.is_installed("django.contrib.admin"):
        return []
    from django.contrib.admin.sites import all_sites

    registered = [each for site in all_sites for each in site._registry.values()]
    return [problem for each in registered for problem in _of_model_admin(each)]


def _of_model_admin(admin: Any) -> Iterator[Any]:
    from django.contrib.admin.options import BaseModelAdmin

    sealed = {field.name for field in sealed_fields(admin.model)}
    for option in ("search_fields", "list_filter", "ordering", "date_hierarchy"):
        for name in _names_of(option, _listed(getattr(admin, option))):
            if name in sealed:
                yield checks.Error(
                    f"{option} names the sealed field {name}, with which the database cannot "
                    "compute.",
                    hint="Remove it; get_search_results() can filter for equal values.",
                    obj=type(admin),
                    id="pythemis.E004",
                )
    if (
        admin.sortable_by is not None
        or type(admin).get_sortable_by is not BaseModelAdmin.get_sortable_by
    ):
        return
    for name in admin.list_display:
        if name in sealed:
            yield checks.Warning(
                f"list_display names the sealed field {name}, and a click on its head asks the "
                "database to sort by it.",
                hint="Give sortable_by the other names.",
                obj=type(admin),
                id="pythemis.W003",
            )


def _names_of(option: str, given: Any) -> Iterator[str]:
    """Return the names of fields that the database would compute with."""
    from django.contrib.admin import EmptyFieldListFilter

    for each in given:
        name, kind = each if isinstance(each, tuple) else (each, None)
        if kind is not None and issubclass(kind, EmptyFieldListFilter):
            continue  # which asks isnull
        if not isinstance(name, str):
            name = "" if isinstance(name, type) else _name_in(name)
        if option == "search_fields" and name.endswith("__exact") and django.VERSION >= (6, 1):
            continue  # older ones compare what the database makes text of
        yield name.lstrip("-^=@").partition("__")[0]
