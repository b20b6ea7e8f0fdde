# SPDX-License-Identifier: Apache-2.0
"""The command ``manage.py sealed``."""

import io

import pytest

from support.shop import start

start()

from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connection  # noqa: E402

from pythemis.fields.django import _tables  # noqa: E402
from pythemis.fields.django._cells import Index  # noqa: E402
from pythemis.fields.django.models import Checkpoint  # noqa: E402
from support.shop import keys  # noqa: E402
from support.shop.models import Customer, Order, Seat  # noqa: E402


@pytest.fixture(autouse=True)
def _rows():
    """Make rows, and leave the rings as they were."""
    before = dict(keys.RINGS)
    Customer.objects.bulk_create(
        Customer(email=f"{at}@example.org", card=None if at % 3 else "card") for at in range(20)
    )
    Seat.objects.bulk_create(
        Seat(hall=hall, number=at, guest=f"{hall}{at}") for hall in "AB" for at in range(5)
    )
    Order.objects.bulk_create(Order(note=f"note {at}") for at in range(5))
    yield
    keys.RINGS.update(before)
    for model in (Customer, Seat, Order):
        model.objects.all().delete()


def run(*arguments, **options):
    """Run the command and give what it prints."""
    out = io.StringIO()
    call_command("sealed", *arguments, stdout=out, stderr=out, **options)
    return out.getvalue()


def rings_change():
    """Make new primary keys in both rings."""
    for name in ("data", "index"):
        ring = keys.RINGS[name].add()
        keys.RINGS[name] = ring.promote(ring.keys[-1].id)


def only_new_keys():
    """Remove all keys but the primary ones."""
    for name in ("data", "index"):
        ring = keys.RINGS[name]
        for key in ring.keys:
            if key.id != ring.primary:
                ring = ring.retire(key.id).remove(key.id)
        keys.RINGS[name] = ring


@pytest.mark.parametrize("batch", [1, 5, 500])
def test_rotation(batch):
    """All values and indexes are brought to new keys, and the old ones may be removed."""
    old = keys.RINGS["data"].primary
    assert "Customer (email, card, city): 0 to rewrite" in run("rotate", dry_run=True)
    rings_change()
    status = run("status", "shop.Customer")
    assert f"{20:>10}  key {old}\n" in status
    assert f"{13:>10}  no value\n" in status
    assert "Customer (email, card, city): 20 to rewrite" in run("rotate", dry_run=True)
    assert run("status", "shop.Customer") == status
    assert "Customer (card): 7 rewritten, 0 refused" in run("rotate", "shop.Customer.card")
    printed = run("rotate", batch=batch, rate=1e6)
    assert "Customer (email, card, city): 20 rewritten, 0 refused" in printed
    assert "Seat (guest): 10 rewritten, 0 refused" in printed
    assert "Order (note): 5 rewritten, 0 refused" in printed
    assert "Customer (email, card, city): 0 rewritten" in run("rotate")
    assert not Checkpoint.objects.exists()
    only_new_keys()
    assert f"key {keys.RINGS['data'].primary} (primary)" in run("status")
    assert old not in run("status")
    assert "Seat.guest: 10 values, 0 refused, 0 with" in run("check")
    assert Customer.objects.get(email="3@example.org").card == "card"
    assert Seat.objects.get(guest="B4").number == 4


def test_writers_win(monkeypatch):
    """A value that changes after it was read is not overwritten by an older one."""
    rings_change()
    row = Customer.objects.get(email="3@example.org")
    write = _tables.write

    def slow(*arguments):
        Customer.objects.filter(pk=row.pk).update(card="newer")
        return write(*arguments)

    monkeypatch.setattr(_tables, "write", slow)
    run("rotate", "shop.Customer")
    assert Customer.objects.get(pk=row.pk).card == "newer"
    assert "0 refused, 0 with" in run("check", "shop.Customer")


def test_refused_values():
    """Values that do not open are named and left; the others are rewritten; it is no success."""
    rings_change()
    row = Customer.objects.get(email="3@example.org")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_customer SET card_cell = email WHERE id = %s", [row.pk.hex])
    out = io.StringIO()
    for action, done in (("rotate", "20 rewritten, 1 refused"), ("check", "1 refused")):
        with pytest.raises(CommandError, match="1 values are not"):
            call_command("sealed", action, "shop.Customer", stdout=out, stderr=out)
        assert f"Customer.card {row.pk}: decryption failed" in out.getvalue()
        assert done in out.getvalue()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_seat SET guest_index = %s WHERE number = 1", [bytes(12)])
    with pytest.raises(CommandError, match="2 values"):
        call_command("sealed", "check", "shop.Seat", stdout=out)


def test_the_status_of_other_data():
    """What is no stored value is counted, in one line."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_seat SET guest = %s WHERE number < 3", [b"plain text"])
        cursor.execute("UPDATE shop_seat SET guest = %s WHERE number < 2", [b"other text"])
    status = run("status", "shop.Seat").splitlines()
    assert [line.split(maxsplit=2)[:2] for line in status[1:]] == [["4", "key"], ["6", "no"]]


@pytest.mark.parametrize(("rows", "notes"), [(99, 9), (100, 10), (100, 11)])
def test_few_distinct_values(rows, notes):
    """The check warns of an index whose frequencies may tell the values, if rows are many."""
    Order.objects.all().delete()
    Order.objects.bulk_create(Order(note=f"note {at % notes}") for at in range(rows))
    printed = run("check", "shop.Order")
    warning = "Order.note: the index of 100 values has 10 different ones"
    assert printed.count("the index of") == printed.count(warning) == (notes == 10)


def test_short_indexes():
    """The check does not warn of many values that share few indexes, as they should."""
    Customer.objects.all().delete()
    Customer.objects.bulk_create(
        Customer(email=f"{at}@example.org", city=f"city {at}") for at in range(2600)
    )
    assert "the index of" not in run("check", "shop.Customer")


def test_arguments():
    """Wrong arguments are refused."""
    for wrong in ({"batch": 0}, {"rate": 0}):
        with pytest.raises(CommandError, match="must be 1 row or more"):
            run("rotate", **wrong)
    for name in ("shop.Nothing", "nothing"):
        with pytest.raises(CommandError, match="there is no model"):
            run("rotate", name)


def test_the_index_ring_changes_alone():
    """Indexes are renewed while the ring has an older key, or if it is asked for."""
    ring = keys.RINGS["index"].add()
    keys.RINGS["index"] = ring.promote(ring.keys[-1].id)
    assert "Seat (guest): 10 rewritten" in run("rotate", "shop.Seat")
    only_new_keys()
    assert Seat.objects.get(guest="B4").number == 4
    Seat.objects.filter(number=1).update(guest="moved")
    Seat.plain.filter(number=1).update(guest_index=Index(bytes(12)))
    assert "0 rewritten" in run("rotate", "shop.Seat")
    assert "2 rewritten" in run("rotate", "shop.Seat", reindex=True)
    assert Seat.objects.filter(guest="moved").count() == 2
