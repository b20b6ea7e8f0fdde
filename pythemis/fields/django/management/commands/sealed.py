# SPDX-License-Identifier: Apache-2.0
"""The command ``manage.py sealed``: which keys values are under, and a new key for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from pythemis.fields._errors import FieldError
from pythemis.fields.django import _rewrite
from pythemis.fields.django._hooks import sealed_fields


class Command(BaseCommand):  # type: ignore[misc, unused-ignore]
    """Status, rotation and check of sealed fields."""

    help = "Show under which keys sealed fields are, write them under the newest, or open them all."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "action",
            choices=("status", "rotate", "check"),
            help="status: count values by key; rotate: write values and indexes under the primary "
            "keys; check: open all values, and compare their indexes",
        )
        parser.add_argument("models", nargs="*", help="such as shop.Customer; by default all")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="the alias of a database")
        parser.add_argument("--batch", type=int, default=500, help="rows of one transaction")
        parser.add_argument("--rate", type=float, help="rows in a second, at most")
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        """Run one of the actions.

        Raises:
            CommandError: values that do not open, or wrong arguments.
        """
        if options["batch"] < 1 or (options["rate"] is not None and options["rate"] <= 0):
            raise CommandError("--batch must be 1 row or more, and --rate more than 0")
        self._failed = 0
        act = {"status": self._status, "rotate": self._rotate, "check": self._check}
        for field in _fields(options["models"]):
            act[options["action"]](field, options)
        if self._failed:
            raise CommandError(f"{self._failed} values are not as they should be")

    def _status(self, field: Any, options: dict[str, Any]) -> None:
        self.stdout.write(field.shown())
        primary = field.cipher().prefix()
        for prefix, count in sorted(
            _rewrite.prefixes(field, options["database"]), key=lambda each: each[0] or b""
        ):
            name = "no value"
            if prefix is not None:
                is_new = len(prefix) == 8 and prefix.startswith(b"TK1")
                name = f"key {prefix[3:].hex()}" if is_new else "a bare cell, or no cell"
            mark = " (primary)" if prefix == primary else ""
            self.stdout.write(f"  {count:>10}  {name}{mark}")

    def _rotate(self, field: Any, options: dict[str, Any]) -> None:
        count = _rewrite.rotate(
            field,
            options["database"],
            batch=options["batch"],
            rate=options["rate"],
            dry_run=options["dry_run"],
            on_error=self._note,
        )
        done = f"{count.due} to rewrite" if options["dry_run"] else f"{count.written} rewritten"
        self._failed += count.failed
        self.stdout.write(f"{field.shown()}: {count.rows} values, {done}, {count.failed} refused")

    def _check(self, field: Any, options: dict[str, Any]) -> None:
        count = _rewrite.check(
            field, options["database"], batch=options["batch"], on_error=self._note
        )
        self._failed += count.failed + count.due
        self.stdout.write(
            f"{field.shown()}: {count.rows} values, {count.failed} refused, {count.due} with an "
            "index of another value"
        )

    def _note(self, key: tuple[Any, ...], error: FieldError) -> None:
        shown = ", ".join(map(str, key))
        self.stderr.write(f"{shown}: {error.message}")


def _fields(names: list[str]) -> Iterator[Any]:
    """Return the sealed fields of these models, or of all, each in the table that has it."""
    try:
        models = [apps.get_model(name) for name in names] or apps.get_models()
    except (LookupError, ValueError):
        raise CommandError(
            f"no such model among {', '.join(names)}: name it shop.Customer"
        ) from None
    for model in models:
        for field in sealed_fields(model):
            if field.model is model:
                yield field
