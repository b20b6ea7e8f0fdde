# SPDX-License-Identifier: Apache-2.0
"""The command ``manage.py sealed``: which keys values are under, and a new key for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS
from django.utils.module_loading import import_string

from pythemis.fields import _sources as forms
from pythemis.fields._errors import FieldError
from pythemis.fields._progress import Bar
from pythemis.fields.django import _rewrite, _tables
from pythemis.fields.django._hooks import sealed_fields
from pythemis.fields.django._sources import Source
from pythemis.fields.django._tables import Table

_FORMS = ("plain", "fernet", "django-fernet", "sqlalchemy-utils", "cells")
_MANY = 100  # rows: of fewer nothing can be said


class Command(BaseCommand):  # type: ignore[misc, unused-ignore]
    """Status, rotation, migration and check of sealed fields."""

    help = "Show the keys of sealed fields, write them under the newest, seal old data, or check."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "action",
            choices=("status", "rotate", "migrate", "check"),
            help="status: count values by key; rotate: write values and indexes under the primary "
            "keys; migrate: seal what a column holds in another form; check: open all values, and "
            "compare their indexes",
        )
        parser.add_argument(
            "fields",
            nargs="*",
            help="such as shop.Customer, or shop.Customer.card, which migrate needs; by default "
            "all",
        )
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="the alias of a database")
        parser.add_argument("--batch", type=int, default=500, help="rows of one transaction")
        parser.add_argument("--rate", type=float, help="rows in a second, at most")
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")
        parser.add_argument(
            "--reindex",
            action="store_true",
            help="rotate: make the index of every row anew, as after another normalize=",
        )
        group = parser.add_argument_group("migrate")
        group.add_argument(
            "--from",
            dest="origin",
            metavar="FIELD",
            help="the field of the model that has the values; by default the sealed column itself",
        )
        group.add_argument(
            "--form",
            choices=_FORMS,
            default="plain",
            help="what the column holds: plain values, as Django reads them; tokens of Fernet; "
            "those of django-fernet-encrypted-fields, with the keys of the settings; those of "
            "sqlalchemy-utils; cells in Seal mode, of pythemis 0.15",
        )
        group.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="REFERENCE",
            help="where a key of the form is: file:PATH, env:NAME or credential:NAME",
        )
        group.add_argument(
            "--reader",
            metavar="PATH",
            help="a function instead of a form: it is given what the column holds, and the primary "
            "key, and returns the value or its bytes",
        )
        group.add_argument(
            "--keep", action="store_true", help="leave the other column; else it is set to NULL"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Run one of the actions.

        Raises:
            CommandError: values that do not open, or wrong arguments.
        """
        if options["batch"] < 1 or (options["rate"] is not None and options["rate"] <= 0):
            raise CommandError("--batch must be 1 row or more, and --rate more than 0")
        self._failed = 0
        action = getattr(self, f"_{options['action']}")
        problem = None
        try:
            for table in _tables_of(options["fields"], options["database"]):
                action(table, options)
        except FieldError as error:
            problem = CommandError(error.message)
        if problem is not None:
            raise problem
        if self._failed:
            raise CommandError(f"{self._failed} values are not as they should be")

    def _status(self, table: Table, options: dict[str, Any]) -> None:
        for field in table.fields:
            self.stdout.write(field.shown())
            primary = field.cipher().prefix()
            found: Counter[str] = Counter()
            for prefix, count in _tables.prefixes(field, options["database"]):
                found[_name_of_key(prefix, primary)] += count
            for name, count in sorted(found.items()):
                self.stdout.write(f"  {count:>10}  {name}")

    def _rotate(self, table: Table, options: dict[str, Any]) -> None:
        indexed = [field.cipher() for field in table.fields if field.index is not None]
        reindex = options["reindex"] or any(each.index_key_count() > 1 for each in indexed)
        with self._running(table, options) as how:
            count = _rewrite.rotate(table, how, reindex=reindex)
        self._report(table, count, options)

    def _migrate(self, table: Table, options: dict[str, Any]) -> None:
        if len(table.fields) != 1 or options["fields"] != [_name_of(table.fields[0])]:
            raise CommandError("migrate needs one field, such as shop.Customer.card")
        source = self._source(table, options)
        with self._running(table, options) as how:
            count = _rewrite.migrate(table, source, how)
        self._report(table, count, options)

    def _check(self, table: Table, options: dict[str, Any]) -> None:
        for field in table.fields:
            one = table._replace(fields=(field,))
            with self._running(one, options) as how:
                count = _rewrite.check(one, how)
            self._failed += count.failed + count.due
            self.stdout.write(
                f"{field.shown()}: {count.rows} values, {count.failed} refused, {count.due} with "
                "an index of another value"
            )
            if field.index is not None and not field.is_unique:
                self._warn_of_few(field, count.rows, options["database"])

    def _warn_of_few(self, field: Any, rows: int, using: str) -> None:
        """Warn if rows have few different indexes, and not because these are short."""
        distinct = _tables.count_indexes(field, using)
        if rows >= _MANY and distinct * 10 <= rows and distinct < 2 ** (field.index.bits - 1):
            text = (
                f"{field.shown()}: the index of {rows} values has {distinct} different ones, and "
                "how often each occurs may tell the values: see pythemis index-plan"
            )
            self.stderr.write(self.style.WARNING(text))

    def _report(self, table: Table, count: _rewrite.Count, options: dict[str, Any]) -> None:
        done = f"{count.due} to rewrite" if options["dry_run"] else f"{count.written} rewritten"
        self._failed += count.failed
        names = ", ".join(field.name for field in table.fields)
        self.stdout.write(
            f"{table.model._meta.object_name} ({names}): {done}, {count.failed} refused"
        )

    @contextmanager
    def _running(self, table: Table, options: dict[str, Any]) -> Iterator[_rewrite.Options]:
        """Show how far it is, if this is a terminal."""
        name = str(table.model._meta.object_name)
        bar = Bar(self.stderr._out, name, lambda: _tables.count_rows(table))

        def note(key: tuple[Any, ...], field: Any, error: FieldError) -> None:
            shown = ", ".join(map(str, key))
            text = error.message.removeprefix(f"{field.cipher().table}.{field.cipher().column}: ")
            self.stderr.write(f"{field.shown()} {shown}: {text}")

        try:
            yield _rewrite.Options(
                options["batch"], options["rate"], options["dry_run"], note, bar.passed
            )
        finally:
            bar.close()

    # ---- Where migrate takes values from ----

    def _source(self, table: Table, options: dict[str, Any]) -> Source:
        [sealed] = table.fields
        field = None
        if options["origin"] is not None:
            try:
                field = table.model._meta.get_field(options["origin"])
            except FieldDoesNotExist:
                raise CommandError(f"the model has no field {options['origin']}") from None
            if field in (sealed, None) or field.model is not sealed.model or not field.concrete:
                raise CommandError("--from must be another field of the same table")
            if not (field.null or options["keep"]):
                raise CommandError(
                    f"{field.name} is set to NULL where its value is sealed: give it null=True "
                    "first, or keep what it has with --keep"
                )
        name = f"{options['origin'] or 'the column'} as {options['reader'] or options['form']}"
        read = self._reader(options)
        return Source(table, field, read, keeps=options["keep"], name=name)

    def _reader(self, options: dict[str, Any]) -> Callable[..., Any] | None:
        if options["reader"] is not None:
            try:
                found = import_string(options["reader"])
            except ImportError as error:
                raise CommandError(f"--reader: {error}") from None
            if not callable(found):
                raise CommandError(f"--reader: {options['reader']} is not a function")
            return found  # type: ignore[no-any-return]
        form, references = options["form"], options["key"]
        if form in ("plain", "django-fernet"):
            if references:
                raise CommandError(f"--form {form} takes no --key")
            return None if form == "plain" else forms.fernet(_keys_of_settings())
        if not references:
            raise CommandError(f"--form {form} needs --key, such as env:OLD_KEY")
        keys = [forms.text_of(each) for each in references]
        if form == "cells":
            if len(keys) != 1:
                raise CommandError("--form cells takes one --key")
            return forms.cells(forms.decoded(keys[0]))
        if form == "sqlalchemy-utils":
            return forms.fernet(map(forms.fernet_key_of_sqlalchemy_utils, keys))
        return forms.fernet(keys)


def _keys_of_settings() -> list[bytes]:
    salts = getattr(settings, "SALT_KEY", None)
    if salts is None:
        raise CommandError("--form django-fernet needs the setting SALT_KEY")
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return forms.fernet_keys_of_django(secrets, [salts] if isinstance(salts, str) else salts)


def _name_of_key(prefix: bytes | None, primary: bytes) -> str:
    if prefix is None:
        return "no value"
    if len(prefix) < len(primary) or not prefix.startswith(b"TK1"):
        return "no stored value, or a bare cell"
    return f"key {prefix[3:].hex()}" + " (primary)" * (prefix == primary)


def _name_of(field: Any) -> str:
    return f"{field.model._meta.label}.{field.name}"


def _tables_of(names: list[str], using: str) -> Iterator[Table]:
    """Return the sealed fields of these models, or these fields, or all, table by table."""
    wanted: dict[Any, list[Any]] = {}
    for name in names:
        model, field = _named(name)
        wanted.setdefault(model, []).extend([field] if field else _own_fields(model))
    if not names:
        wanted = {model: _own_fields(model) for model in apps.get_models()}
    for model, fields in wanted.items():
        if fields:
            yield Table(model, tuple(dict.fromkeys(fields)), using)
        elif names:
            raise CommandError(f"{model._meta.label} has no sealed field in its own table")


def _own_fields(model: Any) -> list[Any]:
    return [field for field in sealed_fields(model) if field.model is model]


def _named(name: str) -> tuple[Any, Any]:
    label, _, last = name.rpartition(".")
    for of_model, of_field in ((name, None), (label, last)):
        try:
            model = apps.get_model(of_model)
        except (LookupError, ValueError):
            continue
        fields = {field.name: field for field in _own_fields(model)}
        if of_field is None or of_field in fields:
            return model, fields.get(of_field) if of_field else None
        raise CommandError(f"{of_model} has no sealed field {of_field} in its own table")
    raise CommandError(f"there is no model {name}: name it shop.Customer, or shop.Customer.card")
