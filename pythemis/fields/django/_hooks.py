# SPDX-License-Identifier: Apache-2.0
"""What a model with sealed fields does besides: it keeps rows and indexes with their values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from django.db.models import signals

from ._cells import Held

_DONE, _FIELDS = "_pythemis_hooks", "_pythemis_fields"


def sealed_fields(model: Any) -> list[Any]:
    """Return the sealed fields of a model, with those that it inherits."""
    found: list[Any] | None = model.__dict__.get(_FIELDS)
    if found is None:  # it is asked for each row
        found = [field for field in model._meta.concrete_fields if hasattr(field, "wrapped")]
        setattr(model, _FIELDS, found)
    return found


def with_companions(model: Any, names: Iterable[str]) -> list[str]:
    """Return names of fields, with the index of each sealed one among them."""
    there = list(names)
    more = [
        field.companion_name()
        for field in sealed_fields(model)
        if field.index is not None and {field.name, field.attname} & set(there)
    ]
    return there + [name for name in more if name not in there]


def install(cls: Any) -> None:
    """Hook into a model, once."""
    signals.pre_save.connect(_before_raw, sender=cls, dispatch_uid=(_DONE, cls))
    signals.post_save.connect(_after_raw, sender=cls, dispatch_uid=(_DONE, cls))
    if not hasattr(cls, _DONE):
        setattr(cls, _DONE, True)
        cls.from_db = classmethod(_from_db(cls.from_db.__func__))
        cls.save_base = _save_base(cls.save_base)


def _from_db(original: Any) -> Any:
    """Tell the cells of a row its primary key: the instance may get another one (a copy)."""

    def from_db(cls: Any, db: Any, field_names: Any, values: Any) -> Any:
        instance = original(cls, db, field_names, values)
        there = instance.__dict__
        row = keys = None
        for field in sealed_fields(cls):
            held = there.get(field.attname)
            if held is not None and held.row is None:
                if field.bind == "column":
                    held.row = ()
                    continue
                names = field.key_names()
                if names is not keys:  # mostly all fields are of one table
                    keys, row = names, tuple([there[name] for name in names])
                held.row = row
        return instance

    return from_db


def _save_base(original: Any) -> Any:
    """Write an index whenever its field is written: save(update_fields=["email"])."""

    def save_base(
        self: Any,
        raw: bool = False,
        force_insert: bool = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> None:
        if update_fields is not None:
            update_fields = frozenset(with_companions(type(self), update_fields))
        original(
            self,
            raw=raw,
            force_insert=force_insert,
            force_update=force_update,
            using=using,
            update_fields=update_fields,
        )

    save_base.alters_data = True  # type: ignore[attr-defined]
    return save_base


def _before_raw(instance: Any, raw: bool = False, **_: Any) -> None:
    """Seal what a fixture holds: raw saves write the attributes as they are."""
    if not raw:
        return
    for field in sealed_fields(type(instance)):
        held = instance.__dict__.get(field.attname)
        if held is None:
            continue
        cell = _cell_in(held.value) if held.cell is None else None
        if cell is not None:  # of a dump; it must be that of this row
            held = Held(cell, field.row_of(instance))
            field.opened(held, instance)
            instance.__dict__[field.attname] = held
        if field.pre_save(instance, add=True) is not None:
            instance.__dict__[field.attname].going = True
        if field.index is not None:
            field.companion().pre_save(instance, add=True)


def _after_raw(instance: Any, raw: bool = False, **_: Any) -> None:
    if raw:
        for field in sealed_fields(type(instance)):
            held = instance.__dict__.get(field.attname)
            if held is not None:
                held.going = False


def _cell_in(value: Any) -> bytes | None:
    """Return the stored value that a dump has for a field, or None: then it is plain text."""
    if not (isinstance(value, str) and value.startswith("VEsx")):  # TK1
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data[8:9] == b"\0" else None  # as cells begin


def is_dumped(value: Any) -> bool:
    """Return whether a value is what dumps have for a sealed field."""
    return _cell_in(value) is not None
