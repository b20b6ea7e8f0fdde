# SPDX-License-Identifier: Apache-2.0
"""The sealed field, and the field of its blind index."""

from __future__ import annotations

import base64
import copy
import functools
from collections.abc import Callable
from typing import Any

from django.core import exceptions
from django.db import models

from pythemis._core.errors import wrong_type, wrong_value
from pythemis.fields import _field as plain
from pythemis.fields._errors import ERRORS, FieldError

from . import _checks, _hooks, _settings, _types
from ._cells import Attribute, Held, Index, Opened, Sealed, Wanted, held_in, index_in, load
from ._guards import Guarded, check_value, parameter, placeholder
from ._hooks import DUMPED, is_dumped
from ._lookups import RawCol, SealedCol, SealedExact, SealedIn, SealedIsNull
from ._typed import Typed, Value

_UNIQUE_BITS = 96
_LOOKUPS = {"exact": SealedExact, "in": SealedIn, "isnull": SealedIsNull}


class BlindIndex:
    """How a sealed field is searched; `pythemis.fields.index_plan` helps to choose its bits.

    Args:
        bits: 8 to 256, and 96 or more for a unique field.
        normalize: what makes the value that is indexed, such as ``str.casefold``. If you change it,
            save all rows again.
        name: the name of the field and column of the index; by default the field's, with
            ``_index`` behind it.
    """

    __module__ = "pythemis.fields.django"

    def __init__(
        self,
        *,
        bits: int,
        normalize: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.bits, self.normalize, self.name = bits, normalize, name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what migrations store: they make no indexes, so they need no ``normalize``."""
        options: dict[str, Any] = {"bits": self.bits}
        if self.name is not None:
            options["name"] = self.name
        return "pythemis.fields.django.BlindIndex", [], options

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BlindIndex):
            return NotImplemented
        return (self.bits, self.name) == (other.bits, other.name)

    def __hash__(self) -> int:
        return hash((self.bits, self.name))


class SealedField(Typed[Value], Guarded, models.Field):  # type: ignore[misc, unused-ignore]
    """A field whose values are stored sealed, around a field that says what they are.

    Forms, validation and the admin are those of the field inside. The setting
    ``SEALED_FIELDS_CIPHER`` names the `pythemis.fields.FieldCipher`. For type checkers, annotate
    the attribute: ``card: SealedField[str | None] = SealedField(...)``.

    Args:
        wrapped: the field that is sealed, with the options that Django's fields have.
        index: a `BlindIndex`, to find rows by value: ``exact``, ``in`` and ``isnull``.
        unique: no two rows have equal values. It needs an index of 96 bits or more.
        bind: "row": a value cannot be moved to another row, and the row needs its primary key
            before it is saved, such as a UUID. "column": it can be moved.
        names: the names of table and column that values are bound to; by default those in the
            database. Give the old names before you rename either.
        padding: fill values up to a multiple of so many bytes, to hide their lengths.
        bare: values have no frame: for columns that other Themis programs write.
        db_column: the name of the column.

    Raises:
        FieldError: a field or an option that is not offered.
    """

    __module__ = "pythemis.fields.django"
    descriptor_class = Attribute
    empty_strings_allowed = False

    def __init__(
        self,
        wrapped: Any,
        *,
        index: BlindIndex | None = None,
        unique: bool = False,
        bind: plain.Bind = "row",
        names: tuple[str, str] | None = None,
        padding: int = 0,
        bare: bool = False,
        db_column: str | None = None,
    ) -> None:
        self.type = _types.type_of(wrapped)
        if index is not None and not isinstance(index, BlindIndex):
            wrong_type(ERRORS, "index must be a BlindIndex, such as BlindIndex(bits=96)")
        if unique and (index is None or index.bits < _UNIQUE_BITS):
            wrong_value(
                ERRORS,
                f"a unique sealed field needs index=BlindIndex(bits={_UNIQUE_BITS}) or more, "
                "because fewer bits are equal by chance",
            )
        self.wrapped, self.index, self.is_unique = copy.copy(wrapped), index, unique
        self._is_text = _types.takes_text(wrapped)
        self.bind, self.names, self.padding, self.bare = bind, names, padding, bare
        self._cipher: tuple[Any, plain.Field] | None = None
        self._key_names: list[str] | None = None
        super().__init__(
            verbose_name=wrapped.verbose_name,
            name=wrapped.name,
            null=wrapped.null,
            blank=wrapped.blank,
            default=wrapped.default,
            editable=wrapped.editable,
            serialize=wrapped.serialize,
            help_text=wrapped.help_text,
            error_messages=wrapped._error_messages,
            db_column=db_column,
        )
        # Without keys: options are refused here, where the line that gives them is in sight.
        without = functools.partial(plain.Field, None)  # type: ignore[arg-type]
        self._keyless = self._made_by(without, "table", "column")

    def _made_by(self, make: Callable[..., plain.Field], *names: str) -> plain.Field:
        index = self.index
        return make(
            *(self.names or names),
            type=self.type,
            bind=self.bind,
            padding=self.padding,
            bare=self.bare,
            bits=None if index is None else index.bits,
            normalize=None if index is None else index.normalize,
        )

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return what migrations store: no key, and no path to one."""
        if self.default is not self.wrapped.default:
            wrong_value(
                ERRORS,
                f"{self.name}: a migration cannot seal a value for rows that exist. Declare "
                "the field with null=True, migrate, fill it, and remove null=True",
            )
        name, path, _, _ = super().deconstruct()
        # Not the wrapped field of a model, whose name would make it differ from what is stored.
        given = {
            "index": (self.index, None),
            "unique": (self.is_unique, False),
            "bind": (self.bind, "row"),
            "names": (self.names, None),
            "padding": (self.padding, 0),
            "bare": (self.bare, False),
            "db_column": (self.db_column, None),
        }
        options = {key: value for key, (value, default) in given.items() if value != default}
        return name, path, [self.wrapped], options

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Add the field to a model, with the field of its index."""
        super().contribute_to_class(cls, name, private_only)
        self._cipher = self._key_names = None
        self.wrapped = copy.copy(self.wrapped)
        self.wrapped.set_attributes_from_name(name)
        self.wrapped.model = cls
        display = f"get_{name}_display"
        if self.wrapped.choices is not None and display not in cls.__dict__:
            setattr(
                cls, display, functools.partialmethod(cls._get_FIELD_display, field=self.wrapped)
            )
        _hooks.install(cls)
        # The models of migrations have the index as a field of its own.
        if self.index is not None and cls.__module__ != "__fake__":
            companion = SealedIndexField(bits=self.index.bits, unique=self.is_unique)
            cls.add_to_class(self.companion_name(), companion)

    def has_default(self) -> bool:
        """Return whether there is a default; a migration has none for the rows that are there."""
        model = getattr(self, "model", None)
        return bool(super().has_default()) and not (model and model.__module__ == "__fake__")

    def get_default(self) -> Any:
        """Return what a new instance has, as the field inside says: without a default, blank."""
        return self.wrapped.get_default()

    # ---- The column ----

    def get_internal_type(self) -> str:
        """Return the type whose column holds bytes."""
        return "BinaryField"

    def get_col(self, alias: str, output_field: Any = None) -> SealedCol:
        """Return the column in a query."""
        return SealedCol(alias, self, output_field)

    @property
    def cached_col(self) -> SealedCol:
        """Return the column in a query of its own table."""
        return SealedCol(self.model._meta.db_table, self)

    def get_lookup(self, lookup_name: str) -> Any:
        """Return one of the three lookups.

        Raises:
            FieldError: another one, which would compare what is sealed.
        """
        if lookup_name not in _LOOKUPS:
            wrong_value(
                ERRORS,
                f"{self.shown()} is sealed: it has the lookups exact, in and isnull, "
                f"not {lookup_name}",
            )
        return _LOOKUPS[lookup_name]

    def get_transform(self, lookup_name: str) -> Any:
        """Refuse whatever the database would compute of the column."""
        return self.get_lookup(lookup_name)

    def get_prep_value(self, value: Any) -> Any:
        """Return what is sealed already; everything else is refused."""
        if value is None or isinstance(value, (Sealed, Wanted)):
            return value
        return wrong_value(
            ERRORS,
            f"{self.shown()}: this way to write does not seal values. Use save(), or "
            "objects = SealedManager() for update() and bulk_update()",
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the parameter for the database."""
        value = value if prepared else self.get_prep_value(value)
        return None if value is None else parameter(value, connection)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the parameter of a write; refuse what the database would compute."""
        if value.__class__ is Sealed:
            return parameter(value, connection)
        check_value(self, value, Sealed)
        return super().get_db_prep_save(value, connection)

    def _placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return placeholder(self, value, compiler, connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> None:  # noqa: ARG002
        """Refuse what the database has computed; columns are not converted at all."""
        if value is not None:
            wrong_value(ERRORS, f"{self.shown()} is sealed: the database cannot compute with it")

    # ---- Values ----

    def shown(self) -> str:
        """Return the name for errors."""
        model = getattr(self, "model", None)
        return f"{model._meta.object_name}.{self.name}" if model else str(self.name)

    def cipher(self) -> plain.Field:
        """Return what seals this column."""
        cipher = _settings.cipher()
        if self._cipher is None or self._cipher[0] is not cipher:
            made = self._made_by(cipher.field, self.model._meta.db_table, self.column)
            self._cipher = cipher, made
        return self._cipher[1]

    def key_fields(self) -> list[Any]:
        """Return the fields of the primary key."""
        return self.model._meta.pk_fields  # type: ignore[no-any-return, unused-ignore]

    def key_names(self) -> list[str]:
        """Return the names of the attributes of the primary key."""
        if self._key_names is None:  # it is asked for each row
            self._key_names = [key.attname for key in self.key_fields()]
        return self._key_names

    def row_of(self, instance: Any) -> tuple[Any, ...]:
        """Return the primary key of an instance, as the database will hold it."""
        if self.bind == "column":
            return ()
        there = instance.__dict__
        return tuple([key.to_python(there.get(key.attname)) for key in self.key_fields()])

    def opened(self, held: Held, instance: Any) -> Any:
        """Return the value of an instance, which is opened once."""
        if not held.is_opened and held.cell is not None:
            row = self.row_of(instance) if held.row is None else held.row
            held.value = self.cipher().open(held.cell, *(row if self.bind == "row" else ()))
            held.row = row
        return held.value

    def prepared(self, value: Any) -> Any:
        """Return a value as the field inside would store it."""
        if self._is_text and value.__class__ is str:
            return value
        return _types.prepared(self.wrapped, value)

    def sealable(self, value: Any) -> Any:
        """Return a value to seal; what dumps and serializers show of one is refused."""
        if self._is_text and value.__class__ is str and value[:4] != DUMPED:
            return value
        if is_dumped(value):
            wrong_value(
                ERRORS,
                f"{self.shown()}: this text is a sealed value, as dumps and serializers show it, "
                "and not what is in it",
            )
        return self.prepared(value)

    def pre_save(self, model_instance: Any, add: bool) -> Sealed | None:  # noqa: ARG002
        """Return the sealed value of an instance."""
        load(model_instance, self)
        held = held_in(model_instance, self)
        if held is not None and not held.going:
            row = self.row_of(model_instance)
            for value in self.to_seal(model_instance, row):
                cell = self.cipher().seal(value, *row)
                there = None if cell is None else Held(cell, row, value)
                model_instance.__dict__[self.attname] = there
            held = model_instance.__dict__[self.attname]
        return None if held is None or held.cell is None else Sealed(held.cell)

    def to_seal(self, instance: Any, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the value of an instance, prepared, if it must be sealed anew; else nothing."""
        held = instance.__dict__.get(self.attname)
        if held.__class__ is not Held:
            load(instance, self)
            held = held_in(instance, self)
        if held is None or self._is_kept(held, row):
            return ()
        if self.index is not None:
            self._check_index_can_be_made()
        return (self.sealable(self.opened(held, instance)),)

    def _is_kept(self, held: Held, row: tuple[Any, ...]) -> bool:
        """Return whether an instance has the cell that its value needs, and bring it up to date."""
        if held.cell is None or held.row not in (None, row):
            return False
        if held.is_opened and isinstance(held.value, (dict, list)):
            return False  # of JSON, and may have been changed in place
        try:
            if self.cipher().needs_rotation(held.cell):
                held.cell = self.cipher().rotate(held.cell, *row)
        except FieldError:
            pass  # it cannot be read, which is no reason to lose it
        return True

    def _check_index_can_be_made(self) -> None:
        if self.model.__module__ == "__fake__":
            wrong_value(
                ERRORS,
                f"{self.shown()}: a migration cannot write an indexed sealed field, because the "
                "models of migrations do not know normalize=: write it in a command",
            )

    # ---- Its index ----

    def companion_name(self) -> str:
        """Return the name of the field of the index."""
        name = None if self.index is None else self.index.name
        return name or f"{self.name}_index"

    def companion(self) -> Any:
        """Return the field of the index."""
        return self.model._meta.get_field(self.companion_name())

    def indexes_of(self, values: list[Any]) -> list[bytes]:
        """Return the indexes of values, under all index keys."""
        made = [index for value in values for index in self.cipher().indexes(value)]
        return list(dict.fromkeys(made))

    # ---- What the field inside does ----

    def to_python(self, value: Any) -> Any:
        """Return the value of a form or of a serializer."""
        if value is None or (self.type is not str and is_dumped(value)):
            return value
        return self.wrapped.to_python(value)

    @property
    def flatchoices(self) -> Any:
        """Return the choices of the field inside.

        The field has no ``choices`` of its own: serializers of the REST framework would show
        values.
        """
        return self.wrapped.flatchoices

    @property
    def validators(self) -> list[Any]:
        """Return what checks plain values for serializers of the REST framework."""
        return [_Cleaned(self)]

    def validate(self, value: Any, model_instance: Any) -> None:
        """Check a value as the field inside does."""
        if is_dumped(value):
            raise exceptions.ValidationError(
                "This is a sealed value, as dumps and serializers show it. Give a plain value, or "
                "leave the field out.",
                code="invalid",
            )
        self.wrapped.validate(value, model_instance)

    def validate_unique(self, value: Any, instance: Any) -> None:
        """Check that no row but that of an instance has a value, if the field is unique."""
        if not self.is_unique or value is None or self._why_refused(value) is not None:
            return
        found = self.model._default_manager.filter(**{self.name: value})
        if instance is not None and not instance._state.adding and instance._is_pk_set():
            found = found.exclude(pk=instance.pk)
        if found.exists():
            raise exceptions.ValidationError(
                self.error_messages["unique"],
                code="unique",
                params={
                    "model_name": self.model._meta.verbose_name,
                    "field_label": self.verbose_name,
                },
            )

    def run_validators(self, value: Any) -> None:
        """Run the validators of the field inside, and check that the value can be sealed."""
        self.wrapped.run_validators(value)
        why = self._why_refused(value)
        if why is not None:
            raise exceptions.ValidationError(why, code="invalid")

    def _why_refused(self, value: Any) -> str | None:
        """Return why a value cannot be sealed, without the value."""
        try:
            value = self.prepared(value)
            if value is not None:
                self._keyless.framed(value)
        except FieldError as error:
            return error.message
        return None

    def formfield(self, **kwargs: Any) -> Any:
        """Return the form field of the field inside."""
        return self.wrapped.formfield(**kwargs)

    def value_from_object(self, obj: Any) -> Opened | None:
        """Return what opens the value for forms, and hides it from serializers."""
        load(obj, self)
        held = held_in(obj, self)  # as it is now: forms ask later what has changed
        return None if held is None else Opened(lambda: self.opened(held, obj))

    def value_to_string(self, obj: Any) -> str:
        """Return the sealed value in base64, for dumps and serializers."""
        cell = self.pre_save(obj, add=False)
        return "" if cell is None else base64.b64encode(cell).decode("ascii")

    def check(self, **kwargs: Any) -> list[Any]:
        """Return what Django's system check reports."""
        return [*super().check(**kwargs), *_checks.of_field(self, **kwargs)]


class _Cleaned:
    """Check a value that a serializer of the REST framework got, as `clean` does for forms."""

    requires_context = True

    def __init__(self, field: SealedField) -> None:
        self._field = field

    def __call__(self, value: Any, serializer_field: Any) -> None:
        field = self._field
        field.validate(value, None)
        field.run_validators(value)
        there = serializer_field.parent.instance
        field.validate_unique(value, there if isinstance(there, models.Model) else None)

    def __repr__(self) -> str:
        return f"<checks of {self._field.shown()}>"


class SealedIndexField(Guarded, models.Field):  # type: ignore[misc, unused-ignore]
    """The blind index of a sealed field. `SealedField` adds it; migrations name it.

    It does not name its field, so that both can be renamed.

    Args:
        bits: the size of the index.
        unique: no two rows have equal values.
        db_column: the name of the column.
    """

    __module__ = "pythemis.fields.django"
    empty_strings_allowed = False

    def __init__(self, *, bits: int, unique: bool = False, db_column: str | None = None) -> None:
        self.bits = bits
        self._source: SealedField | None = None
        super().__init__(
            null=True,
            blank=True,
            editable=False,
            serialize=False,
            unique=unique,
            db_index=not unique,
            db_column=db_column,
        )

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Return what migrations store."""
        name, path, _, options = super().deconstruct()
        kept = {key: value for key, value in options.items() if key in ("unique", "db_column")}
        return name, path, [], {"bits": self.bits, **kept}

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        """Add the field to a model; if the sealed field has, say whether values are unique.

        That is so in tables of histories, whose fields are copies that are not unique.
        """
        self._source = None
        there = [field for field in cls._meta.local_fields if field.name == name]
        if not there:
            super().contribute_to_class(cls, name, private_only)
        for field in there:
            field._unique, field.db_index = self._unique, self.db_index

    def source(self) -> SealedField:
        """Return the sealed field that this is the index of.

        Raises:
            FieldError: there is none, between two operations of a migration.
        """
        if self._source is None:  # it is asked for each row
            for field in _hooks.sealed_fields(self.model):
                if field.index is not None and field.companion_name() == self.name:
                    self._source = field
                    return field  # type: ignore[no-any-return]
            wrong_value(ERRORS, f"{self.name} is a blind index of no field")
        return self._source

    def get_internal_type(self) -> str:
        """Return the type whose column holds bytes."""
        return "BinaryField"

    def db_type(self, connection: Any) -> Any:
        """Return the type of the column, which databases can index."""
        if connection.vendor == "mysql":  # a BLOB cannot be indexed whole
            return f"varbinary({-(-self.bits // 8)})"
        return super().db_type(connection)

    def get_prep_value(self, value: Any) -> Any:
        """Return an index to look for."""
        return value

    def get_col(self, alias: str, output_field: Any = None) -> RawCol:
        """Return the column in a query."""
        return RawCol(alias, self, output_field)

    @property
    def cached_col(self) -> RawCol:
        """Return the column in a query of its own table."""
        return RawCol(self.model._meta.db_table, self)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the parameter for the database."""
        value = value if prepared else self.get_prep_value(value)
        return None if value is None else parameter(value, connection)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """Return the parameter of a write; refuse what the database would compute."""
        if value.__class__ is Index:
            return parameter(value, connection)
        check_value(self, value, Index)
        if value is None or hasattr(value, "as_sql"):
            return value
        return wrong_value(
            ERRORS, f"{self.name} is a blind index: assign to the field that it belongs to"
        )

    def _placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return placeholder(self, value, compiler, connection)

    def pre_save(self, model_instance: Any, add: bool) -> Index | None:  # noqa: ARG002
        """Return the index of the value that the instance has."""
        source = self.source()
        load(model_instance, source)
        held = held_in(model_instance, source)
        made = None
        if held is not None:
            made = index_in(model_instance, self)
            if not held.has(made):
                value = source.prepared(source.opened(held, model_instance))
                index = source.cipher().index(value)
                made = None if index is None else Index(index)
        model_instance.__dict__[self.attname] = made
        return made
