# SPDX-License-Identifier: Apache-2.0
"""What benchmarks/fields.py measures of Django, beside django-fernet-encrypted-fields."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from fields import FLOOR, INDEXED, OURS, PLAIN, THEIRS, Library, as_long_as_a_cell

from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "Django"
WRITERS = 4
RINGS = {"ring": Keyring.new("shop").add(), "index": Keyring.new("shop-index").add()}
CIPHER = FieldCipher(lambda: RINGS["ring"], index_key=lambda: RINGS["index"])


def models_of() -> dict[str, Any]:
    """Make the models, once Django is set up."""
    from django.db import models
    from encrypted_fields.fields import EncryptedTextField

    from pythemis.fields.django import BlindIndex, SealedField, SealedManager

    class Base(models.Model):
        """All tables have an id that the program makes, a number, a name, and two texts."""

        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        number = models.IntegerField(db_index=True)
        name = models.TextField()

        class Meta:
            abstract = True
            app_label = __name__

    class Plain(Base):
        card = models.TextField(null=True)
        note = models.TextField(null=True)

    class Bytes(Base):
        card = models.BinaryField(null=True)
        note = models.BinaryField(null=True)

    class Sealed(Base):
        card = SealedField(models.TextField(null=True))
        note = SealedField(models.TextField(null=True))
        objects = SealedManager()

    class Indexed(Base):
        card = SealedField(models.TextField(null=True), index=BlindIndex(bits=64))
        note = SealedField(models.TextField(null=True))
        objects = SealedManager()

    class Theirs(Base):
        card = EncryptedTextField(null=True)
        note = EncryptedTextField(null=True)

    return {PLAIN: Plain, FLOOR: Bytes, OURS: Sealed, INDEXED: Indexed, THEIRS: Theirs}


@contextlib.contextmanager
def tables(address: str) -> Iterator[Library]:
    """Give what is done with each table."""
    folder = address.partition("unix_sock=")[2].rpartition("/")[0]
    engine = "django.db.backends.postgresql"
    database = {"ENGINE": engine, "NAME": "postgres", "USER": "shop", "HOST": folder}
    settings.configure(
        DATABASES={"default": database},
        INSTALLED_APPS=["pythemis.fields.django", __name__],
        SEALED_FIELDS_CIPHER=CIPHER,
        SECRET_KEY="a key",
        SALT_KEY="a salt",
    )
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    kinds = models_of()
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for kind in kinds.values():
            editor.create_model(kind)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    try:
        yield Library({name: works(kind) for name, kind in kinds.items()}, backend, rotate)
    finally:
        connection.close()


def works(kind: Any) -> dict[str, Callable[[range], object]]:
    """Give what is done with one table, by the names that the goals have."""
    from pythemis.fields.django import open_all

    made: Any = as_long_as_a_cell if kind.__name__ == "Bytes" else str

    def texts(n: int) -> dict[str, Any]:
        return {"card": made(f"{n:016}"), "note": made(f"the note of customer {n}")}

    def page(part: range) -> list[Any]:
        return list(kind.objects.filter(number__gte=part.start, number__lt=part.stop))

    def insert(part: range) -> None:
        kind.objects.bulk_create([kind(number=n, name="Zoë", **texts(n)) for n in part])

    def load_and_open(part: range) -> None:
        rows = page(part)
        if hasattr(kind._meta.get_field("card"), "wrapped"):
            open_all(rows, "card", "note")
        else:
            [(row.card, row.note) for row in rows]

    def update(part: range) -> None:
        rows = page(part)
        for row in rows:
            row.note = made("another note")
        kind.objects.bulk_update(rows, ["note"], batch_size=100)

    return {"insert": insert, "load": page, "load, open all": load_and_open, "update": update}


def rotate() -> int:
    """Write all rows under a new key, beside programs that write; return how many there were."""
    from django.apps import apps
    from django.core.management import call_command

    ring = RINGS["ring"].add()
    RINGS["ring"] = ring.promote(ring.ids[-1])
    kind = apps.get_model(__name__, "Sealed")
    count = kind.objects.count()
    ids = list(kind.objects.values_list("pk", flat=True)[: 1000 * WRITERS])
    fork = multiprocessing.get_context("fork")
    parts = [ids[number::WRITERS] for number in range(WRITERS)]
    writers = [fork.Process(target=write, args=(kind, part), daemon=True) for part in parts]
    for writer in writers:
        writer.start()
    try:
        call_command("sealed", "rotate", f"{__name__}.Sealed", batch=1000, stdout=io.StringIO())
    finally:
        for writer in writers:
            writer.terminate()
            writer.join()
    return int(count)


def write(kind: Any, ids: list[Any]) -> None:
    """Change one row after another, until the process is ended."""
    from django.db import connections

    del connections["default"]  # that of the process that forked
    while True:
        row = kind.objects.get(pk=random.choice(ids))
        row.note = "a new note"
        row.save(update_fields=["note"])
        time.sleep(0.002)
