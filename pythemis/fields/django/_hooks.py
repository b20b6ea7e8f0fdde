# SPDX-License-Identifier: Apache-2.0
"""What a model with sealed fields does besides: it keeps rows and indexes with their values."""

from __future__ import annotations

import base64
import binascii
import inspect
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import signals
from django.db.models.base import ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute

from ._cells import GOING, Attribute, Held, Rows, cell_of, held_in
from ._guards import guard_key

DUMPED = "VEsx"  # what begins with TK1, in base64
_DONE, _FIELDS, _LAYOUT = "_pythemis_hooks", "_pythemis_fields", "_pythemis_layout"
_AS_LOADED = (bytes, type(None))  # what most drivers have of a column
# Attributes that do nothing to a new instance but to keep the value.
_KEEPS = (DeferredAttribute, ForeignKeyDeferredAttribute, Attribute)


def sealed_fields(model: Any) -> list[Any]:
    """Return the sealed fields of a model, with those that it inherits."""
    found: list[Any] | None = model.__dict__.get(_FIELDS)
    if found is None:  # it is asked for each row
        found = [field for field in model._meta.concrete_fields if hasattr(field, "wrapped")]
        setattr(model, _FIELDS, found)
    return found


def with_companions(model: Any, names: Iterable[str]) -> list[str]:
    """Return names of fields, each sealed one with its index, and each index with its field."""
    there = list(names)
    for field in sealed_fields(model):
        both = (field.name, field.companion_name())
        if field.index is not None and not {*both, field.attname}.isdisjoint(there):
            there += [name for name in both if name not in there]
    return there


def install(cls: Any) -> None:
    """Hook into a model, once."""
    signals.class_prepared.connect(_guard_keys, sender=cls, dispatch_uid=(_DONE, cls))
    signals.pre_save.connect(_before_raw, sender=cls, dispatch_uid=(_DONE, cls))
    signals.post_save.connect(_after_raw, sender=cls, dispatch_uid=(_DONE, cls))
    if not hasattr(cls, _DONE):
        setattr(cls, _DONE, True)
        cls.from_db = classmethod(_from_db(cls.from_db.__func__))
        cls.save_base = _save_base(cls.save_base)
        cls.validate_unique = _validate_unique(cls.validate_unique)


def _guard_keys(sender: Any, **_: Any) -> None:
    """Keep the primary key of rows to which values are bound."""
    for field in sender._meta.local_concrete_fields:
        if getattr(field, "bind", None) == "row" and hasattr(field, "wrapped"):
            for key in field.key_fields():
                guard_key(key)


# ---- Rows from the database ----


class _Layout(NamedTuple):
    """How instances of a model are made of rows.

    Attributes:
        names: those of the attributes, in the order of the columns.
        sealed: the names of the sealed ones.
        keys: the names of the parts of the primary keys that these are bound to.
        is_plain: the model is made as Django makes one, and no code of others runs.
    """

    names: tuple[str, ...]
    sealed: tuple[str, ...]
    keys: tuple[str, ...]
    is_plain: bool


def _layout_of(cls: Any) -> _Layout:
    found: _Layout | None = cls.__dict__.get(_LAYOUT)
    if found is None:  # it is asked for each row
        fields = cls._meta.concrete_fields
        attributes = [inspect.getattr_static(cls, field.attname, None) for field in fields]
        own = [kind for kind in cls.__mro__ if kind not in (models.Model, object)]
        makers = {"__init__", "__new__", "__setattr__"}
        sealed = sealed_fields(cls)
        bound = [name for field in sealed if field.bind == "row" for name in field.key_names()]
        found = _Layout(
            tuple(field.attname for field in fields),
            tuple(field.attname for field in sealed),
            tuple(dict.fromkeys(bound)),
            all(type(each) in _KEEPS for each in attributes)
            and not any(makers & kind.__dict__.keys() for kind in own),
        )
        setattr(cls, _LAYOUT, found)
    return found


def _from_db(original: Any) -> Any:
    """Make an instance of a row, with bytes in the place of sealed values, and note its key.

    The instance may get another primary key (a copy), and the values are bound to this one. It is
    called for each row: where no code of others would run, attributes are not set one by one.
    """
    is_ours = original is models.Model.from_db.__func__
    before, after = signals.pre_init, signals.post_init

    def from_db(cls: Any, db: Any, field_names: Any, values: Any, **options: Any) -> Any:
        names, sealed, keys, is_plain = cls.__dict__.get(_LAYOUT) or _layout_of(cls)
        is_whole = len(values) == len(names)
        if is_ours and is_plain and is_whole and not (before.receivers or after.receivers):
            instance = cls.__new__(cls)
            there = instance.__dict__
            state = there["_state"] = ModelState()
            state.adding, state.db = False, db
            if options:  # the fetch_mode of Django 6.1
                _set_given(state, options)
            there.update(zip(names, values))  # noqa: B905 -- as many: strict takes a tenth of all
        else:
            shown = names if is_whole else field_names
            pairs = zip(shown, values, strict=True)
            held = [_held(value) if name in sealed else value for name, value in pairs]
            instance = original(cls, db, field_names, held, **options)
            there, state = instance.__dict__, instance._state
        if len(keys) == 1:
            state.sealed_rows = there[keys[0]]
        else:  # a parent's key may be deferred, and is the same
            own = there.get(cls._meta.pk.attname)
            state.sealed_rows = {name: there.get(name, own) for name in keys}
        for name in sealed:
            if there.get(name).__class__ not in _AS_LOADED:
                _hold(cls, instance)
                break
        return instance

    return from_db


def _set_given(state: Any, options: dict[str, Any]) -> None:
    for name, value in options.items():
        if value is not None:
            setattr(state, name, value)


def _hold(cls: Any, instance: Any) -> None:
    """Note the row of each cell that a driver gave otherwise than as bytes, or that is held."""
    there = instance.__dict__
    for field in sealed_fields(cls):
        value = there.get(field.attname)
        if value.__class__ in _AS_LOADED:
            continue
        if value.__class__ is not Held:
            value = there[field.attname] = Held(cell_of(value))
        if value.cell is not None:
            value.row = Rows.of(instance, field)


def _held(value: Any) -> Held | None:
    return None if value is None else Held(cell_of(value))


def _save_base(original: Any) -> Any:
    """Write an index whenever its field is written, and no other time.

    Django names the fields that are loaded where some are not: an index of a value that is not
    there stays as it is.
    """

    def save_base(
        self: Any,
        raw: bool = False,
        force_insert: bool = False,
        force_update: bool = False,
        using: Any = None,
        update_fields: Any = None,
    ) -> None:
        if update_fields is not None:
            kept = {
                field.companion_name()
                for field in sealed_fields(type(self))
                if field.attname not in self.__dict__
                and {field.name, field.attname}.isdisjoint(update_fields)
            }
            names = frozenset(update_fields) - kept
            update_fields = frozenset(with_companions(type(self), names))
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


def _validate_unique(original: Any) -> Any:
    """Look for the values of unique sealed fields, and not for the indexes that they had."""

    def validate_unique(self: Any, exclude: Any = None) -> None:
        excluded = set(exclude or ())
        fields = sealed_fields(type(self))
        indexes = {field.companion_name() for field in fields if field.index is not None}
        errors: dict[str, Any] = {}
        try:
            original(self, exclude=excluded | indexes)
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        for field in fields:
            if field.name in excluded:
                continue
            try:
                field.validate_unique(getattr(self, field.attname), self)
            except ValidationError as error:
                errors.setdefault(field.name, []).extend(error.error_list)
        if errors:
            raise ValidationError(errors)

    return validate_unique


def _before_raw(instance: Any, raw: bool = False, **_: Any) -> None:
    """Seal what a fixture holds: raw saves write the attributes as they are."""
    if not raw:
        return
    for field in sealed_fields(type(instance)):
        held = held_in(instance, field)
        if held is None:
            continue
        cell = _cell_in(held.value) if held.cell is None else None
        if cell is not None:  # of a dump; it must be that of this row
            held = Held(cell, field.row_of(instance))
            field.opened(held, instance)
            instance.__dict__[field.attname] = held
        sealed = field.pre_save(instance, add=True)
        if field.index is not None:
            field.companion().pre_save(instance, add=True)
        if sealed is not None:
            instance.__dict__[field.attname].going = GOING


def _after_raw(instance: Any, raw: bool = False, **_: Any) -> None:
    if raw:
        for field in sealed_fields(type(instance)):
            held = held_in(instance, field)
            if held is not None:
                held.going = 0


def _cell_in(value: Any) -> bytes | None:
    """Return the stored value that a dump has for a field, or None: then it is plain text."""
    if not (isinstance(value, str) and value[:4] == DUMPED):
        return None
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data[8:9] == b"\0" else None  # as cells begin


def is_dumped(value: Any) -> bool:
    """Return whether a value is what dumps have for a sealed field."""
    return _cell_in(value) is not None
