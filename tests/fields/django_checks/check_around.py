# SPDX-License-Identifier: Apache-2.0
"""What is built around models: the admin, REST framework, coroutines, savepoints, histories."""

import asyncio
import io
import pickle
import uuid

import pytest

from support.shop import start

LOGGED = start()

from django import VERSION  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core import checks  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402
from django.db.migrations import AddField, AlterField, CreateModel, RemoveField  # noqa: E402
from django.db.migrations.optimizer import MigrationOptimizer  # noqa: E402
from django.db.models import F  # noqa: E402
from django.db.models.signals import post_init  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import isolate_apps, override_settings  # noqa: E402
from django.urls import path  # noqa: E402

from pythemis.fields import FieldError  # noqa: E402
from pythemis.fields.django import BlindIndex, SealedField, SealedManager  # noqa: E402
from support.shop.models import Customer, History, Legacy, Typed  # noqa: E402

MARK = "MARKER-4929"
EMAIL = f"{MARK}@example.org"


class CustomerAdmin(admin.ModelAdmin):
    fields = ("email", "card", "city")
    list_display = ("id", "visits")


admin.site.register(Customer, CustomerAdmin)
urlpatterns = [path("admin/", admin.site.urls)]


@pytest.fixture(autouse=True)
def _clean():
    """End with no marker in any table or logged statement."""
    LOGGED.clear()
    yield
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    logged = [line for line in LOGGED if MARK.lower() in line.lower()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            cells = [bytes(c) if isinstance(c, memoryview) else c for r in cursor for c in r]
            assert MARK.lower() not in str(cells).lower()
    for model in (Customer, History, Legacy, LogEntry, Typed, User):
        model.objects.all().delete()
    assert MARK not in dump.getvalue()
    assert logged == []


# ---- The admin ----


@override_settings(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"])
def test_the_admin():
    """It adds and changes rows, shows their values in forms alone, and its log has none."""
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.org", "password"))
    given = {"email": EMAIL, "card": MARK, "city": "x"}
    assert client.post("/admin/shop/customer/add/", given).status_code == 302
    row = Customer.objects.get(email=EMAIL)
    page = f"/admin/shop/customer/{row.pk}/change/"
    assert MARK in client.get(page).content.decode()
    assert MARK not in client.get("/admin/shop/customer/").content.decode()
    assert client.post(page, given | {"card": f"{MARK} 2"}).status_code == 302
    row.refresh_from_db()
    assert row.card == f"{MARK} 2"
    twice = client.post("/admin/shop/customer/add/", given | {"email": EMAIL.upper()})
    assert "customer with this email already exists" in twice.content.decode()
    entries = LogEntry.objects.order_by("pk")
    assert [entry.change_message for entry in entries] == [
        '[{"added": {}}]',
        '[{"changed": {"fields": ["Card"]}}]',
    ]


def test_the_check_of_the_admin():
    """It names options with which the database would compute with cells, and no others."""

    class Wrong(admin.ModelAdmin):
        list_display = ("id", "card")
        search_fields = ("nickname", "=email", "card__exact")
        list_filter = ("visits", "city", ("email", admin.AllValuesFieldListFilter))
        ordering = ("-email", F("card").desc(), "visits")

    class Right(admin.ModelAdmin):
        list_display = ("id", "card")
        sortable_by = ("id",)
        search_fields = ("nickname",)
        list_filter = (("card", admin.EmptyFieldListFilter),)

        def get_search_results(self, request, queryset, search_term):  # noqa: ARG002
            return queryset.filter(email=search_term), False  # super() would log the term

    assert checks.run_checks(tags=["admin"]) == []
    admin.site.unregister(Customer)
    try:
        for kind in (Right, Wrong):
            admin.site.register(Customer, kind)
            found = [(each.id, each.msg.split()[0]) for each in checks.run_checks(tags=["admin"])]
            there = admin.site.get_model_admin(Customer)
            admin.site.unregister(Customer)
            if kind is Right:
                assert found == []
                row = Customer.objects.create(email=EMAIL)
                query, _ = there.get_search_results(None, Customer.objects.all(), EMAIL)
                assert list(query) == [row]
    finally:
        admin.site.register(Customer, CustomerAdmin)
    expected = ["search_fields"] * (2 if VERSION < (6, 1) else 1)
    expected += ["list_filter"] * 2 + ["ordering"] * 2
    assert found == [
        *(("pythemis.E004", option) for option in expected),
        ("pythemis.W003", "list_display"),
    ]


# ---- REST framework ----


def serializer(of, *names):
    """Make the class that the REST framework makes of a model."""
    serializers = pytest.importorskip("rest_framework.serializers")
    meta = type("Meta", (), {"model": of, "fields": names})
    return type("Made", (serializers.ModelSerializer,), {"Meta": meta})


def test_serializers_hide_values():
    """A serializer shows sealed text, of choices as well; a declared field shows the value."""
    serializers = pytest.importorskip("rest_framework.serializers")
    hidden = serializer(Customer, "id", "email", "card", "city")
    row = Customer.objects.create(email=EMAIL, card=MARK)
    shown = hidden(row).data
    assert MARK not in str(shown) + repr(hidden(row))
    assert shown["card"].startswith("VEsx")
    declared = type("Shown", (hidden,), {"card": serializers.CharField()})
    assert declared(row).data["card"] == MARK
    sized = Typed.objects.create(size="s", number=5, data=[MARK])
    shown = serializer(Typed, "size", "number", "data", "day")(sized).data
    assert [each and each[:4] for each in shown.values()] == ["VEsx", "VEsx", "VEsx", None]
    assert sized.get_size_display() == "small"


def test_serializers_write():
    """They take plain values, also for a row that has them already."""
    made = serializer(Customer, "email", "card", "city")
    given = made(data={"email": EMAIL, "card": MARK, "city": "x"})
    assert given.is_valid(), given.errors
    row = given.save()
    again = made(row, data={"email": EMAIL.upper(), "card": None}, partial=True)
    assert again.is_valid(), again.errors
    again.save()
    there = Customer.objects.get(pk=row.pk)
    assert (there.email, there.card) == (EMAIL.upper(), None)


SEALED = "VEsxAAAAAAAAAAAAAA=="  # as serializers show values
WRONG = {
    "email": ["no address", "", f"{'a' * 255}@x.org", EMAIL, SEALED, None],
    "card": ["\ud800", SEALED],
    "city": ["x" * 51, SEALED],
    "number": ["x", 2**64, SEALED],
    "price": ["1.234", "12345678", "NaN", SEALED],
    "flag": ["maybe", SEALED],
    "day": ["1.1.2020", "2020-02-30", SEALED],
    "hour": ["25:00", SEALED],
    "moment": ["2020-01-01T25:00", SEALED],
    "key": ["x", SEALED],
    "raw": ["*", SEALED],
    "data": [["\ud800"], SEALED],
    "host": ["1.2.3", SEALED],
    "size": ["m", "", SEALED],
}


@pytest.mark.parametrize("name", WRONG)
def test_serializers_validate(name):
    """They refuse what the field inside refuses, what is there already, and sealed text."""
    of = Customer if name in ("email", "card", "city") else Typed
    made = serializer(of, name)
    Customer.objects.create(email=EMAIL)
    for value in WRONG[name]:
        given = made(data={name: value})
        assert not given.is_valid()
        assert list(given.errors) == [name]
        if value is SEALED:
            assert "is a sealed value" in str(given.errors)


# ---- Coroutines ----


async def work_async():
    """Use each asynchronous form once."""
    rows = Customer.objects
    row = await rows.acreate(email=EMAIL, card=MARK)
    made = await rows.abulk_create(
        [Customer(email=f"{at}@example.org", card=f"{MARK} {at}") for at in range(3)]
    )
    assert (await rows.aget(email=EMAIL)).card == MARK
    assert [each.card async for each in rows.filter(pk=row.pk).aiterator()] == [MARK]
    assert [each async for each in rows.filter(pk=row.pk).values_list("card", flat=True)] == [MARK]
    _, created = await rows.aget_or_create(email=EMAIL)
    assert not created
    _, created = await rows.aupdate_or_create(email=EMAIL, defaults={"card": f"{MARK} a"})
    assert not created
    assert (await rows.afirst()) is not None
    assert await rows.filter(email=EMAIL).acount() == 1
    assert await rows.filter(email=EMAIL).aexists()
    assert await rows.filter(pk=row.pk).aupdate(card=f"{MARK} b") == 1
    await row.arefresh_from_db()
    assert row.card == f"{MARK} b"
    found = await rows.ain_bulk([EMAIL], field_name="email")
    assert found[EMAIL].pk == row.pk
    for each in made:
        each.card = f"{MARK} c"
    assert await rows.abulk_update(made, ["card"]) == 3
    row.card = f"{MARK} d"
    await row.asave(update_fields=["card"])
    assert (await rows.aget(pk=row.pk)).card == f"{MARK} d"
    assert (await rows.filter(email="1@example.org").adelete())[0] == 1
    assert sorted([each.card async for each in rows.all()]) == [f"{MARK} c"] * 2 + [f"{MARK} d"]


def test_coroutines():
    """The asynchronous forms seal, open and search like the others."""
    asyncio.run(work_async())


# ---- Savepoints ----


def test_savepoints():
    """What is rolled back is gone, and an instance saves what it holds afterwards."""
    row = Customer.objects.create(email=EMAIL, card="first")
    with transaction.atomic():
        row.card = MARK
        row.save()
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.create(email=EMAIL.upper(), card="double")
        assert Customer.objects.get(pk=row.pk).card == MARK
        point = transaction.savepoint()
        Customer.objects.update(card="lost")
        Customer.objects.bulk_create([Customer(email="b@example.org", card="lost")])
        transaction.savepoint_rollback(point)
    assert list(Customer.objects.values_list("card", flat=True)) == [MARK]
    with transaction.atomic():
        Customer.objects.bulk_update([row], ["card"])
        row.card = "lost"
        row.save()
        transaction.set_rollback(True)
    assert Customer.objects.get(pk=row.pk).card == MARK
    row.card = MARK
    row.save()
    assert Customer.objects.get(email=EMAIL).card == MARK


# ---- Histories ----


def test_histories():
    """A history has its own key: values are copied through attributes; a cell does not open."""
    row = Customer.objects.create(email=EMAIL, card=MARK)
    kept = History.objects.create(of=row.pk, card=row.card)
    assert History.objects.get(pk=kept.pk).card == MARK
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_history SET card = (SELECT card_cell FROM shop_customer)")
    with pytest.raises(FieldError, match="decryption failed"):
        History.objects.get().card  # noqa: B018


# ---- Migrations ----


def test_squashed_migrations():
    """Operations on sealed fields become one, as for other fields."""
    key = ("id", models.UUIDField(primary_key=True, default=uuid.uuid4))
    card = SealedField(models.TextField(null=True), index=BlindIndex(bits=32))
    wider = SealedField(models.TextField(null=True), index=BlindIndex(bits=64))
    operations = [
        CreateModel("Card", [key]),
        AddField("Card", "number", card),
        AddField("Card", "note", SealedField(models.TextField(null=True))),
        AlterField("Card", "number", wider),
        RemoveField("Card", "note"),
    ]
    [made] = MigrationOptimizer().optimize(operations, "shop")
    assert [name for name, _ in made.fields] == ["id", "number"]
    assert dict(made.fields)["number"].index.bits == 64


@isolate_apps("support.shop")
def test_a_plain_column_that_is_declared_sealed():
    """Its values stay as they are: reading one raises, and shows nothing; `migrate` seals it."""

    class Before(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        inside = models.TextField(null=True)

        class Meta:
            app_label = "shop"
            db_table = "shop_before"

    class After(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        inside = SealedField(models.TextField(null=True))

        objects = SealedManager()

        class Meta:
            app_label = "shop"
            db_table = "shop_before"

    with connection.schema_editor() as editor:
        editor.create_model(Before)
    try:
        row = Before.objects.create(inside="plain value")
        fields = [model._meta.get_field("inside") for model in (Before, After)]
        with connection.schema_editor() as editor:
            editor.alter_field(Before, *fields)
        found = After.objects.get(pk=row.pk)
        with pytest.raises(FieldError, match="neither a stored value") as caught:
            found.inside  # noqa: B018
        assert "plain value" not in str(caught.value)
        found.inside = "sealed"
        found.save()
        assert After.objects.get().inside == "sealed"
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Before)


# ---- Instances ----


def test_code_of_others_that_makes_instances():
    """A model with code in __init__, or a receiver of signals, is made as Django makes one."""
    row = Customer.objects.create(email=EMAIL, card=MARK)
    seen = []

    def note(sender, instance, **_):
        seen.append((sender, instance.card))

    post_init.connect(note, sender=Customer)
    try:
        assert Customer.objects.get(pk=row.pk).card == MARK
    finally:
        post_init.disconnect(note, sender=Customer)
    assert seen == [(Customer, MARK)]


def test_instances_without_their_rows():
    """An instance that a program makes holds values; bytes of it are no cell."""
    row = Legacy()
    row.__dict__["inside"] = MARK.encode()
    row.save()
    assert Legacy.objects.get().inside == str(MARK.encode())
    text = pickle.dumps(Customer.objects.create(email=EMAIL, card=MARK))
    again = pickle.loads(text)
    assert (again.card, MARK.encode() in text) == (MARK, False)


def test_deferred_rows_and_relations():
    """Rows that are loaded in part, over relations, or raw, open like the others."""
    row = Customer.objects.create(email=EMAIL, card=MARK)
    assert Customer.objects.only("card").get().card == MARK
    assert Customer.objects.defer("card").get().card == MARK
    [raw] = Customer.objects.raw("SELECT card_cell, id FROM shop_customer")
    assert (raw.card, raw.email) == (MARK, EMAIL)
    copy = Customer.objects.get()
    copy.pk, copy._state.adding, copy.email = uuid.uuid4(), True, f"b{EMAIL}"
    copy.save()
    assert {each.card for each in Customer.objects.all()} == {MARK}
    assert Customer.objects.get(pk=row.pk).card == MARK
