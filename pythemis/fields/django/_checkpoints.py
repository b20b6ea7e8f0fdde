# SPDX-License-Identifier: Apache-2.0
"""How far the runs of ``manage.py sealed`` are, in a table of each database."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connections
from django.utils import timezone

from pythemis._core.errors import wrong_value
from pythemis.fields._errors import ERRORS

from ._tables import Key, Table
from .models import Checkpoint


class Checkpoints:
    """The checkpoint of one run.

    Raises:
        FieldError: the database has no table for it.
    """

    def __init__(self, action: str, table: Table, source: Any) -> None:
        self._table = table
        names = ", ".join(field.name for field in table.fields)
        origin = "" if source is None else f" from {source.name}"
        self._job = f"{action} {table.model._meta.label}: {names}{origin}"
        self._target = " ".join(field.cipher().target() for field in table.fields)
        self._rows = 0
        connection = connections[table.using]
        with connection.cursor() as cursor:
            there = connection.introspection.table_names(cursor)
        if Checkpoint._meta.db_table not in there:
            wrong_value(
                ERRORS,
                f"the table {Checkpoint._meta.db_table} is missing, which says how far a run is: "
                f"run `manage.py migrate sealed_fields --database {table.using}`",
            )

    def _found(self) -> Any:
        name = hashlib.sha256(self._job.encode()).hexdigest()
        return Checkpoint.objects.using(self._table.using).filter(pk=name)

    def position(self) -> Key | None:
        """Return the primary key that a run that was stopped goes on after."""
        found = self._found().filter(target=self._target).first()
        if found is None:
            return None
        self._rows = found.rows
        parts = json.loads(found.position)
        keys = self._table.keys
        return tuple(key.to_python(part) for key, part in zip(keys, parts, strict=True))

    def note(self, last: Key, rows: int) -> None:
        """Write how far it is, in the transaction that is open."""
        self._rows += rows
        instance = self._table.model()
        for key, part in zip(self._table.keys, last, strict=True):
            instance.__dict__[key.attname] = part
        parts = [key.value_to_string(instance) for key in self._table.keys]
        values = {
            "target": self._target,
            "position": json.dumps(parts),
            "rows": self._rows,
            "updated": timezone.now(),
        }
        if not self._found().update(**values):
            name = hashlib.sha256(self._job.encode()).hexdigest()
            Checkpoint.objects.using(self._table.using).create(pk=name, job=self._job, **values)

    def close(self) -> None:
        """Forget a run that is complete."""
        self._found().delete()
