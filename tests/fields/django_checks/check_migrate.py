# SPDX-License-Identifier: Apache-2.0
"""``manage.py sealed migrate``: values that other programs stored become sealed ones."""

import base64
import hashlib
import io
import json
import sys
import uuid
from datetime import date
from threading import Thread

import pytest

from support.shop import start

LOGGED = start()

from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from pythemis.fields.django import _rewrite, _tables  # noqa: E402
from pythemis.fields.django._sources import Source  # noqa: E402
from pythemis.fields.django.models import Checkpoint  # noqa: E402
from pythemis.scell import SCellSeal  # noqa: E402
from support.shop import keys  # noqa: E402
from support.shop.models import Legacy  # noqa: E402

KEY = base64.b64encode(bytes(range(32)))


@pytest.fixture(autouse=True)
def _clean():
    """Begin with an empty table and no checkpoint; no run leaves one."""
    yield
    assert not Checkpoint.objects.exists()
    Legacy.objects.all().delete()


def run(*arguments, **options):
    """Run the command and give what it prints; it may fail."""
    out, problem = io.StringIO(), ""
    try:
        call_command("sealed", *arguments, stdout=out, stderr=out, **options)
    except CommandError as error:
        problem = str(error)
    return out.getvalue() + problem


def put(**columns):
    """Insert a row as a program without this library does, and give its primary key."""
    pk = uuid.uuid4()
    native = connection.features.has_native_uuid_field
    names = ", ".join(["id", *columns])
    marks = ", ".join(["%s"] * (1 + len(columns)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO shop_legacy ({names}) VALUES ({marks})",
            [pk if native else pk.hex, *columns.values()],
        )
    return pk


def test_plain_values_of_another_column():
    """They are sealed and indexed, and the column is emptied in the same statement."""
    pks = [put(card_old=f"card {at}", born_old=f"2000-01-{at:02}") for at in range(1, 21)]
    nothing = put()
    said = run("migrate", "shop.Legacy.card", origin="card_old", dry_run=True, batch=7)
    assert "Legacy (card): 20 to rewrite, 0 refused" in said
    assert Legacy.objects.filter(card=None).count() == 21
    said = run("migrate", "shop.Legacy.card", origin="card_old", batch=7, rate=1e6)
    assert "Legacy (card): 20 rewritten, 0 refused" in said
    assert "20 rewritten" in run("migrate", "shop.Legacy.born", origin="born_old", keep=True)
    assert "0 rewritten" in run("migrate", "shop.Legacy.card", origin="card_old")
    assert "0 rewritten" in run("migrate", "shop.Legacy.born", origin="born_old", keep=True)
    row = Legacy.objects.get(card="card 7")
    assert (row.pk, row.born) == (pks[6], date(2000, 1, 7))
    assert (row.card_old, row.born_old) == (None, date(2000, 1, 7))
    assert Legacy.objects.get(pk=nothing).card is None
    assert "0 refused, 0 with" in run("check", "shop.Legacy")


def test_two_values_are_refused():
    """Where both columns have a value, neither is taken."""
    pk = put(card_old="old")
    Legacy.objects.filter(pk=pk).update(card="new")
    said = run("migrate", "shop.Legacy.card", origin="card_old")
    assert f"Legacy.card {pk}: the sealed field has a value" in said
    assert "1 values are not" in said
    assert "old" not in said.replace("Legacy.card_old", "")
    row = Legacy.objects.get()
    assert (row.card, row.card_old) == ("new", "old")


def test_in_place():
    """What the sealed column holds itself is sealed; sealed values are left alone."""
    put(inside="plain text")
    put(inside="TK1 like a cell")
    Legacy.objects.create(inside="sealed already")
    assert "2 rewritten, 0 refused" in run("migrate", "shop.Legacy.inside")
    found = set(Legacy.objects.values_list("inside", flat=True))
    assert found == {"plain text", "TK1 like a cell", "sealed already"}
    assert "0 rewritten" in run("migrate", "shop.Legacy.inside")


def raw(row, name):
    """Give what a column of a row has, or nothing."""
    with connection.cursor() as cursor:
        pk = row.pk if connection.features.has_native_uuid_field else row.pk.hex
        cursor.execute(f"SELECT {name} FROM shop_legacy WHERE id = %s", [pk])
        found = cursor.fetchone()[0] or b""
        return found.encode() if isinstance(found, str) else found


def tokens(form, texts, monkeypatch):
    """Give values as another library stores them, and the options for it."""
    fernet = pytest.importorskip("cryptography.fernet")
    if form == "fernet":
        maker = fernet.Fernet(base64.urlsafe_b64encode(bytes(range(32))))
        monkeypatch.setenv("OLD", base64.urlsafe_b64encode(bytes(range(32))).decode())
    elif form == "sqlalchemy-utils":
        digest = hashlib.sha256(b"a key").digest()  # as its FernetEngine has it
        maker = fernet.Fernet(base64.urlsafe_b64encode(digest))
        monkeypatch.setenv("OLD", "a key")
    return [maker.encrypt(text.encode()).decode() for text in texts], {"key": ["env:OLD"]}


@pytest.mark.parametrize("form", ["fernet", "sqlalchemy-utils"])
@pytest.mark.parametrize("column", ["card_old", "inside"])
def test_fernet(form, column, monkeypatch):
    """Tokens under a key are sealed, in place and from another column; others are refused."""
    made, options = tokens(form, ["one", "two"], monkeypatch)
    for token in (*made, "no token", made[0][:-4] + "AAA="):
        put(**{column: token})
    name, origin = ("inside", None) if column == "inside" else ("card", column)
    said = run("migrate", f"shop.Legacy.{name}", form=form, origin=origin, **options)
    assert "2 rewritten, 2 refused" in said
    assert said.count("this is not a Fernet token under one of the keys") == 2
    found = [row for row in Legacy.objects.all() if bytes(raw(row, name)[:3]) == b"TK1"]
    assert sorted(getattr(row, name) for row in found) == ["one", "two"]


@override_settings(SECRET_KEY="secret", SALT_KEY=["salt", "older salt"])
def test_django_fernet_encrypted_fields():
    """What its fields wrote is read with the keys of the settings, or by the field itself."""
    fields = pytest.importorskip("encrypted_fields.fields")
    field = fields.EncryptedTextField()
    for at in range(3):
        put(card_old=field.get_prep_value(f"card {at}"))
    said = run("migrate", "shop.Legacy.card", origin="card_old", form="django-fernet")
    assert "3 rewritten, 0 refused" in said
    assert sorted(Legacy.objects.values_list("card", flat=True)) == ["card 0", "card 1", "card 2"]
    pk = put(card_old=field.get_prep_value("by itself"))
    table = _tables.Table(Legacy, (Legacy._meta.get_field("card"),), "default")
    old = Legacy._meta.get_field("card_old")
    field.set_attributes_from_name("card_old")
    field.model = old.model
    how = _rewrite.Options(5, None, False, pytest.fail, lambda _: None)
    _rewrite.migrate(table, Source(table, field, None, keeps=False, name="x"), how)
    assert Legacy.objects.get(pk=pk).card == "by itself"


def read_card(raw, pk):
    """Read a cell of 0.15 whose context is of the application; `--reader` names this function."""
    return SCellSeal(bytes(range(32))).decrypt(bytes(raw), f"card of {pk}".encode())


@pytest.mark.parametrize("column", ["card_old", "inside"])
def test_cells(column, monkeypatch):
    """Cells of 0.15 are sealed, in bytes or in base64; a function knows their context."""
    cell = SCellSeal(bytes(range(32))).encrypt(b"card")
    monkeypatch.setenv("OLD", KEY.decode())
    put(**{column: base64.b64encode(cell).decode() if column == "card_old" else cell})
    name, origin = ("inside", None) if column == "inside" else ("card", column)
    options = {"form": "cells", "origin": origin, "key": ["env:OLD"]}
    assert "1 rewritten" in run("migrate", f"shop.Legacy.{name}", **options)
    assert getattr(Legacy.objects.get(), name) == "card"
    put(inside=cell[:-1])
    said = run("migrate", "shop.Legacy.inside", form="cells", key=["env:OLD"])
    assert "0 rewritten, 1 refused" in said


def test_a_reader_of_the_application(monkeypatch):
    """A function is given what the column holds and the primary key."""
    monkeypatch.setitem(sys.modules, "old_cards", sys.modules[__name__])
    pk = uuid.uuid4()
    cell = SCellSeal(bytes(range(32))).encrypt(b"mine", f"card of {pk}".encode())
    Legacy.objects.create(pk=pk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_legacy SET inside = %s", [cell])
    assert "1 rewritten" in run("migrate", "shop.Legacy.inside", reader="old_cards.read_card")
    assert Legacy.objects.get().inside == "mine"


def test_a_run_that_stops_goes_on(monkeypatch):
    """The checkpoint is written with the rows; a run goes on there, and then forgets it."""
    for at in range(10):
        put(card_old=f"card {at}")
    pks = list(Legacy.objects.order_by("pk").values_list("pk", flat=True))  # MariaDB has its own
    batch, calls = _rewrite._Work._batch, []

    def stops(work, after, checkpoints):
        calls.append(after)
        if len(calls) == 3:
            with transaction.atomic():
                batch(work, after, checkpoints)
                raise KeyboardInterrupt
        return batch(work, after, checkpoints)

    monkeypatch.setattr(_rewrite._Work, "_batch", stops)
    with pytest.raises(KeyboardInterrupt):
        run("migrate", "shop.Legacy.card", origin="card_old", batch=3)
    found = Checkpoint.objects.get()
    assert found.job == "migrate shop.Legacy: card from card_old as plain"
    assert (json.loads(found.position), found.rows) == ([str(pks[5])], 6)
    assert Legacy.objects.filter(card_old=None).count() == 6
    calls[:] = [None] * 3
    assert "4 rewritten" in run("migrate", "shop.Legacy.card", origin="card_old", batch=3)
    assert calls[3] == (pks[5],)


def test_no_checkpoint_without_its_table():
    """Where its migration did not run, the command says so and writes nothing."""
    put(card_old="card")
    with connection.schema_editor() as editor:
        editor.delete_model(Checkpoint)
    try:
        said = run("migrate", "shop.Legacy.card", origin="card_old")
        assert "manage.py migrate sealed_fields" in said
        assert Legacy.objects.get().card is None
        assert "1 to rewrite" in run("migrate", "shop.Legacy.card", origin="card_old", dry_run=True)
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(Checkpoint)


def test_equal_values_in_a_unique_field():
    """A value that another row has is refused alone, and the others are sealed."""
    for text in ("a", "b", "b", "c"):
        put(name_old=text)
    said = run("migrate", "shop.Legacy.name", origin="name_old")
    assert "3 rewritten, 1 refused" in said
    assert "another row has this value" in said
    assert Legacy.objects.filter(name_old=None).count() == 3


@pytest.mark.parametrize(("name", "origin"), [("card", "card_old"), ("inside", None)])
def test_what_is_moved_is_in_no_log(name, origin):
    """With DEBUG, Django logs the parameters of statements: those that compare plain values not."""
    is_text = origin is not None or connection.vendor == "sqlite"
    put(**{origin or name: "plain 4929" if is_text else b"plain 4929"})
    LOGGED.clear()
    connection.queries_log.clear()
    assert "1 rewritten" in run("migrate", f"shop.Legacy.{name}", origin=origin)
    logged = [*LOGGED, *map(str, connection.queries)]
    assert any("SELECT" in line for line in logged)
    assert [line for line in logged if "plain 4929" in line or b"plain 4929".hex() in line] == []


@pytest.mark.skipif(
    not connection.features.has_select_for_update, reason="SQLite has one writer at a time"
)
def test_a_writer_in_between_loses_nothing(monkeypatch):
    """Texts that the database finds equal, such as "a" and "A", are different values."""
    pk = put(card_old="card")
    write, writers = _tables.write, []

    def update():
        Legacy.objects.filter(pk=pk).update(card_old="CARD")
        connection.close()

    def beside(*arguments):
        if not writers:
            writers.append(Thread(target=update))
            writers[0].start()
            writers[0].join(1)  # or it waits for the row
        return write(*arguments)

    monkeypatch.setattr(_tables, "write", beside)
    run("migrate", "shop.Legacy.card", origin="card_old")
    writers[0].join()
    row = Legacy.objects.get(pk=pk)
    assert "CARD" in (row.card, row.card_old)


def test_values_of_another_kind_are_refused():
    """What the field inside does not take is refused, and is not shown."""
    put(card_old="no date")
    said = run("migrate", "shop.Legacy.born", origin="card_old")
    assert "a DateField does not take what the column holds" in said
    assert "no date" not in said


WRONG = {
    "needs one field": (["shop.Legacy"], {}),
    "has no field nothing": (["shop.Legacy.card"], {"origin": "nothing"}),
    "another field of the same table": (["shop.Legacy.card"], {"origin": "card"}),
    "give it null=True first": (["shop.Legacy.card"], {"origin": "id"}),
    "needs --key": (["shop.Legacy.card"], {"form": "fernet"}),
    "takes no --key": (["shop.Legacy.card"], {"key": ["env:X"]}),
    "there is no key in env:X": (["shop.Legacy.card"], {"form": "fernet", "key": ["env:X"]}),
    "a reference to a key": (["shop.Legacy.card"], {"form": "fernet", "key": ["secret"]}),
    "32 bytes in base64": (["shop.Legacy.card"], {"form": "fernet", "key": ["env:HOME"]}),
    "is not base64": (["shop.Legacy.card"], {"form": "cells", "key": ["env:HOME"]}),
    "No module named": (["shop.Legacy.card"], {"reader": "nothing.at_all"}),
    "is not a function": (["shop.Legacy.card"], {"reader": "support.shop.keys.RINGS"}),
    "has no sealed field card_old": (["shop.Legacy.card_old"], {}),
    "setting SALT_KEY": (["shop.Legacy.card"], {"form": "django-fernet"}),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_arguments(text):
    """They are refused in a sentence, which shows no key."""
    arguments, options = WRONG[text]
    said = run("migrate", *arguments, **options)
    assert text in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("file:{}/nothing", "No such file"),
        ("file:{}", "not a regular file"),
        ("file:/dev/zero", "not a regular file"),
        ("file:{}/large", "more than"),
        ("file:{}/bytes", "is not text"),
        ("credential:key", "CREDENTIALS_DIRECTORY"),
        ("file:{}/words", "is not base64"),
    ],
)
def test_keys_that_cannot_be_read(reference, text, tmp_path, monkeypatch):
    """They are refused in a sentence; the error and what it came from hold no key."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "bytes").write_bytes(b"secret\xff")
    (tmp_path / "words").write_text("secret \N{SNOWMAN}")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 25)
    key = [reference.format(tmp_path)]
    with pytest.raises(CommandError, match=text) as refused:
        call_command("sealed", "migrate", "shop.Legacy.card", form="cells", key=key)
    assert refused.value.__context__ is None


def test_a_bar_on_a_terminal(monkeypatch):
    """A terminal sees how far it is; nothing of it is left."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("pythemis.fields._progress._SLOW", 0)
    for at in range(4):
        put(card_old=f"card {at}")
    shown = Terminal()
    call_command("sealed", "migrate", "shop.Legacy.card", origin="card_old", batch=2, stderr=shown)
    assert "\rLegacy [###############               ]  50%" in shown.getvalue()
    assert shown.getvalue().endswith(" \r")


def test_migrated_values_need_no_rotation():
    """They are under the primary key at once."""
    put(card_old="card")
    run("migrate", "shop.Legacy.card", origin="card_old")
    assert f"key {keys.RINGS['data'].primary} (primary)" in run("status", "shop.Legacy.card")
