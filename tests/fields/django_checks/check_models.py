# SPDX-License-Identifier: Apache-2.0
"""Definitions: options, system checks and migrations."""

import copy
import uuid

import pytest

from support.shop import start

start()

from django.apps import apps  # noqa: E402
from django.core import checks  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, models  # noqa: E402
from django.db.migrations.autodetector import MigrationAutodetector  # noqa: E402
from django.db.migrations.questioner import MigrationQuestioner  # noqa: E402
from django.db.migrations.state import ModelState, ProjectState  # noqa: E402
from django.db.migrations.writer import MigrationWriter  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402

from pythemis.fields import FieldError  # noqa: E402
from pythemis.fields.django import BlindIndex, SealedField, SealedIndexField  # noqa: E402
from support.shop import models as shop  # noqa: E402

INDEX = BlindIndex(bits=95)


def options(**given):
    """Make a sealed field of text with options of the field inside."""
    return SealedField(models.CharField(max_length=9, **given))


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("takes a field", lambda: SealedField(models.TextField)),
        ("DecimalField", lambda: SealedField(models.FloatField())),
        ("a ForeignKey cannot", lambda: SealedField(models.ForeignKey("x", models.CASCADE))),
        ("a FileField cannot", lambda: SealedField(models.FileField())),
        ("a BigAutoField cannot", lambda: SealedField(models.BigAutoField(primary_key=True))),
        ("DurationField cannot", lambda: SealedField(models.DurationField())),
        ("SealedField cannot", lambda: SealedField(SealedField(models.TextField()))),
        ("primary key cannot", lambda: options(primary_key=True)),
        ("unique=True belongs", lambda: options(unique=True)),
        ("cannot index", lambda: options(db_index=True)),
        ("db_column belongs", lambda: options(db_column="x")),
        ("plain text in the database", lambda: options(db_default="x")),
        ("auto_now is", lambda: SealedField(models.DateField(auto_now=True))),
        ("bits=96", lambda: SealedField(models.TextField(), index=INDEX, unique=True)),
        ("bits=96", lambda: SealedField(models.TextField(), unique=True)),
        ("must be a BlindIndex", lambda: SealedField(models.TextField(), index=96)),
        ("bits is 7", lambda: SealedField(models.TextField(), index=BlindIndex(bits=7))),
        ("JSON has no", lambda: SealedField(models.JSONField(), index=INDEX)),
        ('"row" or "column"', lambda: SealedField(models.TextField(), bind="table")),
        ("padding is -1", lambda: SealedField(models.TextField(), padding=-1)),
        ("names", lambda: SealedField(models.TextField(), names=("a", 5))),
    ],
)
def test_options(text, make):
    """A field or an option that is not offered is refused where it is written."""
    with pytest.raises(FieldError, match=text):
        make()


def found(model):
    """Give the ids of what the system check reports of a model."""
    return [each.id for each in model.check() if each.id.startswith("pythemis")]


@isolate_apps("support.shop")
def test_checks():
    """The system check explains counted keys, few values, and cells where values are meant."""

    class Counted(models.Model):
        note = SealedField(models.TextField())

        class Meta:
            app_label = "shop"

    class Few(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        kind = SealedField(models.CharField(max_length=1, choices=[("a", "A")]), index=INDEX)
        flag = SealedField(models.BooleanField(), index=INDEX)

        class Meta:
            app_label = "shop"
            ordering = ("-kind",)
            unique_together = (("kind", "flag"),)
            indexes = (models.Index(fields=["kind"], name="x"),)
            constraints = (models.UniqueConstraint(fields=["flag"], name="y"),)

    [counted] = Counted.check()
    assert (counted.id, "uuid.uuid4" in counted.hint) == ("pythemis.E002", True)
    assert 'bind="column"' in counted.hint
    assert sorted(found(Few)) == ["pythemis.E003"] * 5 + ["pythemis.W001"] * 2
    assert checks.run_checks(databases=[]) == []  # MariaDB gives a warning for Seat
    with override_settings(SEALED_FIELDS_CIPHER=None):
        assert set(found(shop.Customer)) == {"pythemis.E001"}
        with pytest.raises(FieldError, match="SEALED_FIELDS_CIPHER"):
            shop.Customer.objects.create(email="a@example.org")
    for wrong in ("support.shop.keys.RINGS", 5):
        with override_settings(SEALED_FIELDS_CIPHER=wrong), pytest.raises(FieldError, match="name"):
            shop.Customer.objects.create(email="a@example.org")


@isolate_apps("support.shop")
def test_copies_of_fields():
    """In a table of histories, packages such as django-simple-history let values repeat."""
    names = ("email", "email_index")
    copies = [copy.copy(shop.Customer._meta.get_field(name)) for name in names]
    copies[1]._unique, copies[1].db_index = False, True

    class Copied(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        email, email_index = copies

        class Meta:
            app_label = "shop"

    made = Copied._meta.get_field("email_index")
    assert (made.unique, made.db_index, made.source()) == (False, True, copies[0])
    assert shop.Customer._meta.get_field("email_index").unique


def test_text_keys_on_mariadb(monkeypatch):
    """Where a database takes other text for an equal key, the check warns."""
    assert shop.Seat.check(databases=["default"]) == [] or connection.vendor == "mysql"
    monkeypatch.setattr(type(connections["default"]), "vendor", "mysql")
    found = [each.id for each in shop.Seat.check(databases=["default"])]
    assert found.count("pythemis.W002") == 1
    monkeypatch.setattr(shop.Seat._meta.get_field("hall"), "db_collation", "utf8mb4_bin")
    found = [each.id for each in shop.Seat.check(databases=["default"])]
    assert "pythemis.W002" not in found


def states():
    """Give the states of an empty project and of the application."""
    after = ProjectState()
    for model in apps.get_app_config("shop").get_models():
        after.add_model(ModelState.from_model(model))
    return ProjectState(), after


def test_migrations_are_written():
    """A migration holds the fields without a key, and finds nothing more to do when it is read."""
    before, after = states()
    changes = MigrationAutodetector(before, after)._detect_changes()
    [migration] = changes["shop"]
    text = MigrationWriter(migration).as_string()
    assert "SealedField(models.EmailField(max_length=254), index=" in text
    assert "BlindIndex(bits=96), unique=True)" in text
    assert "SealedIndexField(bits=96, unique=True)" in text
    assert "CIPHER" not in text
    assert "casefold" not in text
    read = {}
    exec(compile(text, "0001_initial.py", "exec"), read)
    written = read["Migration"]("0001_initial", "shop").mutate_state(ProjectState())
    assert MigrationAutodetector(written, states()[1])._detect_changes() == {}


def test_the_migration_of_the_command():
    """It makes the table that the model of checkpoints describes."""
    call_command("makemigrations", "sealed_fields", check=True, dry_run=True, verbosity=0)


def test_migrations_run():
    """A migration makes and changes tables; its models read values, and write no stale index."""
    row = shop.Customer.objects.create(email="a@example.org", card="card")
    _, after = states()
    old = after.apps.get_model("shop", "Customer")
    read = old.objects.get(pk=row.pk)
    assert (read.email, read.card) == ("a@example.org", "card")
    read.card = "new"
    read.save(update_fields=["card"])
    read.email = "b@example.org"
    with pytest.raises(FieldError, match="write it in a command"):
        read.save()
    before, new = after.clone(), SealedField(models.TextField(null=True))
    after.add_field("shop", "seat", "extra", new, preserve_default=True)
    seat = shop.Seat.objects.create(hall="A", number=1, guest="guest")
    with connection.schema_editor() as editor:
        seats = [state.apps.get_model("shop", "Seat") for state in (before, after)]
        editor.add_field(seats[0], seats[1]._meta.get_field("extra"))
    there = seats[1].objects.get(pk=seat.pk)
    assert (there.guest, there.extra) == ("guest", None)
    there.extra = "more"
    there.save(update_fields=["extra"])
    assert seats[1].objects.get(pk=seat.pk).extra == "more"
    shop.Seat.objects.all().delete()


def test_defaults():
    """No value fills the rows that are there, as it would be one plain text; new rows get it."""
    default = SealedField(models.TextField(default="plain", null=True))
    default.set_attributes_from_name("later")
    default.model = shop.Seat
    with connection.cursor(), pytest.raises(FieldError, match="does not seal"):
        connection.schema_editor().effective_default(default)
    before, after = states()[1], states()[1]
    after.add_field("shop", "seat", "later", default, preserve_default=True)
    old, new = [state.apps.get_model("shop", "Seat") for state in (before, after)]
    seat = shop.Seat.objects.create(hall="A", number=2, guest="guest")
    with connection.schema_editor() as editor:
        editor.add_field(old, new._meta.get_field("later"))
    assert new.objects.get(pk=seat.pk).later is None
    assert (new().later, new().guest) == ("plain", "")  # as without the sealed field
    with connection.schema_editor() as editor:
        editor.remove_field(new, new._meta.get_field("later"))
    shop.Seat.objects.all().delete()
    one_off = SealedField(models.TextField())
    one_off.default = "plain"  # as makemigrations does with what it asks for
    with pytest.raises(FieldError, match="null=True, migrate, fill it"):
        one_off.deconstruct()


def test_renaming():
    """A field is renamed with its index, which keeps what it has."""
    before, after = states()[1], states()[1]
    for state, name in ((before, "old"), (after, "new")):
        field = SealedField(models.TextField(), index=INDEX, names=("shop_seat", "old"))
        state.add_field("shop", "seat", name, field, preserve_default=True)
        index = SealedIndexField(bits=INDEX.bits)
        state.add_field("shop", "seat", f"{name}_index", index, preserve_default=True)
    yes = MigrationQuestioner({"ask_rename": True})
    [migration] = MigrationAutodetector(before, after, yes)._detect_changes()["shop"]
    assert {(each.old_name, each.new_name) for each in migration.operations} == {
        ("old", "new"),
        ("old_index", "new_index"),
    }
    between = before.apps.get_model("shop", "Seat")._meta.get_field("old_index")
    assert between.source().name == "old"
