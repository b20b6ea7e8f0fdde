# SPDX-License-Identifier: Apache-2.0
"""Searching, listing and refusing: what queries may do with sealed columns."""

import uuid
from datetime import date, datetime, time, timezone
from decimal import Decimal

import pytest

from support.shop import start

start()

from django.db import connection  # noqa: E402
from django.db.models import Case, Count, F, Max, OuterRef, Q, Subquery, When  # noqa: E402
from django.db.models.functions import Length, Lower  # noqa: E402
from django.db.utils import DatabaseError  # noqa: E402

from pythemis.fields import FieldError  # noqa: E402
from pythemis.fields.django import open_all  # noqa: E402
from pythemis.fields.django._cells import Index, Sealed  # noqa: E402
from support.shop.models import Customer, Order, Typed  # noqa: E402

CITIES = [f"city {at}" for at in range(60)]


@pytest.fixture(scope="module", autouse=True)
def _rows():
    """Make rows in sixty cities, of which many have the same 8 bits."""
    rows = [
        Customer(email=f"Ann{at}@example.org", card=f"card {at}", city=city, visits=at)
        for at, city in enumerate(CITIES * 5)
    ]
    Customer.objects.bulk_create(rows)
    Order.objects.bulk_create(Order(customer=row, note=f"for {row.visits}") for row in rows)


def in_city(city):
    """Give the visits of the rows in a city."""
    return [at for at, each in enumerate(CITIES * 5) if each == city]


def listed(query):
    """Give the visits of what a query finds, in order."""
    return sorted(query.values_list("visits", flat=True))


def test_exact_and_in():
    """A search finds the rows with the value alone, however many have its index."""
    for city in CITIES[:10]:
        found = Customer.objects.filter(city=city)
        assert listed(found) == in_city(city)
        assert (found.count(), found.exists()) == (5, True)
    two = in_city("city 1") + in_city("city 2")
    assert listed(Customer.objects.filter(city__in=["city 1", "city 2", None])) == sorted(two)
    assert listed(Customer.objects.filter(city__in=CITIES)) == list(range(300))
    assert listed(Customer.objects.filter(city="nowhere")) == []
    assert listed(Customer.objects.filter(city__in=[])) == []
    assert Customer.objects.get(email="ANN7@EXAMPLE.ORG").visits == 7
    assert Customer.plain.get(email="ann7@example.org").card == "card 7"


def test_conditions():
    """Negation, alternatives, joins and conditions of expressions are right as well."""
    others = [at for at in range(300) if at not in in_city("city 3")]
    assert listed(Customer.objects.exclude(city="city 3")) == others
    assert listed(Customer.objects.filter(~Q(city__in=CITIES[:3]))) == [
        at for at in range(300) if at % 60 > 2
    ]
    either = Customer.objects.filter(Q(city="city 4") | Q(visits=0))
    assert listed(either) == sorted([0, *in_city("city 4")])
    joined = Order.objects.filter(customer__city="city 5", customer__visits__gt=100)
    assert sorted(order.note for order in joined) == ["for 125", "for 185", "for 245"]
    assert Customer.objects.get(orders__note="for 9").visits == 9
    assert Order.objects.select_related("customer").get(note="for 9").customer.card == "card 9"
    hit = Case(When(city="city 6", then=1), default=0)
    assert listed(Customer.objects.annotate(hit=hit).filter(hit=1)) == in_city("city 6")
    inner = Customer.objects.filter(city="city 7", pk=OuterRef("customer"))
    assert Order.objects.annotate(at=Subquery(inner.values("visits"))).filter(at=7).count() == 1
    assert Customer.objects.annotate(n=Count("orders")).get(email="ann8@example.org").n == 1


def test_writes_by_value():
    """An update and a deletion touch the rows with the value alone."""
    made = [Customer.objects.create(email=f"{at}@x.org", city=f"town {at}") for at in range(40)]
    assert Customer.objects.filter(city="town 3").update(visits=1000) == 1
    assert Customer.objects.get(visits=1000).pk == made[3].pk
    assert Customer.objects.filter(city="town 3").update(city="town 4") == 1
    assert Customer.objects.filter(city="town 4").delete()[0] == 2
    assert Customer.objects.filter(pk__in=[row.pk for row in made]).delete()[0] == 38


def test_an_index_is_a_hint():
    """A row whose index was exchanged is not found by it, as its value is another."""
    one, two = Customer.objects.get(visits=10), Customer.objects.get(visits=11)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shop_customer SET email_index = %s WHERE id = %s",
            [bytes(12), two.pk.hex],
        )
        cursor.execute(
            "UPDATE shop_customer SET email_index = %s WHERE id = %s",
            [two.email_index, one.pk.hex],
        )
    try:
        assert not Customer.objects.filter(email=two.email).exists()
    finally:
        for row in (one, two):
            row.save()


def test_a_damaged_row_under_an_index(caplog):
    """It does not keep a search from the other rows; a value under a missing key does."""
    one, two = Customer.objects.get(visits=10), Customer.objects.get(visits=11)
    cell, index = two.__dict__["city"], Index(two.__dict__["city_index"])
    try:
        for damaged in (one.__dict__["city"], cell[:-1], b"", b"TK1", cell[:20] + bytes(30)):
            Customer.plain.filter(pk=two.pk).update(city=Sealed(damaged), city_index=index)
            assert listed(Customer.objects.filter(city="city 11")) == in_city("city 11")[1:]
            assert "manage.py sealed check" in caplog.text
            assert two in Customer.objects.exclude(city="city 10")
            caplog.clear()
        for foreign in (b"TK1" + bytes(5) + cell[8:], b"TK2" + cell[3:]):
            Customer.plain.filter(pk=two.pk).update(city=Sealed(foreign), city_index=index)
            with pytest.raises(FieldError, match=r"no key|version 2"):
                Customer.objects.filter(city="city 11").exists()
        assert "sealed check" not in caplog.text
    finally:
        Customer.plain.filter(pk=two.pk).update(city=Sealed(cell), city_index=index)


def test_listing():
    """values(), values_list(), in_bulk() and iterator() open what they list."""
    query = Customer.objects.filter(visits__in=[1, 2]).order_by("visits")
    ids = list(query.values_list("pk", flat=True))
    assert list(query.values("card", "visits")) == [
        {"card": "card 1", "visits": 1},
        {"card": "card 2", "visits": 2},
    ]
    assert list(query.values_list("card", "id")) == [("card 1", ids[0]), ("card 2", ids[1])]
    assert list(query.values_list("city", flat=True)) == ["city 1", "city 2"]
    assert query.values_list("card", named=True)[0].card == "card 1"
    assert set(query.values()[0]) == {"id", "email", "card", "city", "nickname", "visits"}
    assert query.values("card", twice=F("visits") * 2)[1] == {"card": "card 2", "twice": 4}
    assert query.values_list()[0][2] == "card 1"
    by_email = Customer.objects.in_bulk(["Ann1@example.org"], field_name="email")
    assert by_email["Ann1@example.org"].visits == 1
    assert Customer.objects.in_bulk(ids)[ids[0]].card == "card 1"
    assert [row.card for row in query.iterator(chunk_size=1)] == ["card 1", "card 2"]
    assert [row["card"] for row in query.values("card").iterator(chunk_size=1)] == [
        "card 1",
        "card 2",
    ]
    rows = list(query.defer("city"))
    open_all(rows, "card", "email")
    assert rows[0].__dict__["card"].value == "card 1"
    assert rows[0].city == "city 1"
    rows[0].refresh_from_db()
    assert rows[0].card == "card 1"
    rows = [*query.all(), Customer(card="made here")]
    rows[0].card = "assigned"
    open_all(rows, "card", "email")
    assert [row.__dict__["card"].value for row in rows] == ["assigned", "card 2", "made here"]
    rows = list(query.all())
    assert rows[1].card == "card 2"  # which opens it alone
    open_all(rows, "card")
    assert [row.card for row in rows] == ["card 1", "card 2"]
    raw = Customer.objects.raw("SELECT * FROM shop_customer WHERE visits = 1")
    assert raw[0].card == "card 1"
    unordered = query.order_by()
    united = unordered.union(unordered).order_by("visits")
    assert [row.card for row in united] == ["card 1", "card 2"]


REFUSED = {
    "has the lookups exact, in and isnull, not": [
        lambda rows: rows.filter(email__icontains="ann"),
        lambda rows: rows.filter(email__gt="ann"),
        lambda rows: rows.filter(email__lower="ann"),
        lambda rows: rows.filter(email__iexact="ann"),
        lambda rows: rows.exclude(email__regex="ann"),
    ],
    "has no blind index": [
        lambda rows: rows.filter(card="card 1"),
        lambda rows: rows.filter(card__in=["card 1"]),
    ],
    "can be compared with values only": [
        lambda rows: rows.filter(email=F("nickname")),
        lambda rows: rows.filter(email__in=rows.values("nickname")),
        lambda rows: rows.filter(email=Lower("nickname")),
    ],
    "cannot be ordered by": [
        lambda rows: rows.order_by("email"),
        lambda rows: rows.order_by("-card"),
        lambda rows: rows.order_by(F("card").desc()),
        lambda rows: rows.values("card").order_by("card"),
        lambda rows: rows.latest("email"),
        lambda rows: rows.earliest("visits", "-card"),
    ],
    "cannot be told apart": [lambda rows: rows.values("card").distinct()],
    "cannot compute with": [
        lambda rows: rows.annotate(x=Length("card")),
        lambda rows: rows.aggregate(Max("card")),
        lambda rows: rows.order_by(Lower("card")),
        lambda rows: rows.alias(x=Count("card", distinct=True)),
    ],
    "cannot group": [lambda rows: rows.annotate(n=Count("orders")).values("card")],
    "does not take this value": [lambda _: Typed.objects.create(number="no number")],
}


@pytest.mark.parametrize(
    ("text", "call"), [(text, call) for text, calls in REFUSED.items() for call in calls]
)
def test_refused(text, call):
    """What the database cannot do with cells is refused with a sentence."""
    with pytest.raises(FieldError, match=text):
        list(call(Customer.objects.all()))


@pytest.mark.parametrize(
    "call",
    [
        lambda rows: rows.order_by("email"),
        lambda rows: rows.order_by(Lower("card")),
        lambda rows: rows.annotate(x=Length("card")),
        lambda rows: rows.filter(nickname=F("card")),
        lambda rows: rows.filter(pk__lt=Length("card")),
        lambda rows: rows.aggregate(Max("card")),
        lambda _: Order.objects.order_by("customer__card"),
        lambda _: Order.objects.annotate(x=Lower("customer__card")),
    ],
)
def test_refused_by_the_database(call):
    """Past the manager, or over a relation, the database refuses, and its error says why."""
    with pytest.raises((FieldError, DatabaseError), match="sealed: this has no order"):
        list(call(Customer.plain.all()))


def test_over_relations():
    """Listed over a relation, a value stays sealed, and shows nothing."""
    [found] = Order.objects.filter(note="for 1").values("customer__card")
    assert found["customer__card"][:3] == b"TK1"


VALUES = {
    "number": (-5, 10**18),
    "price": (Decimal("1.50"), Decimal("-0.01")),
    "flag": (True, False),
    "day": (date(2024, 2, 29), date(1, 1, 1)),
    "hour": (time(1, 2, 3), time(1, 2, 3, 4)),
    "moment": (datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),),
    "key": (uuid.UUID(int=5),),
    "raw": (b"", b"\0\xff"),
    "data": ({"a": [1, None, "x"]}, [], "text", 1.5),
    "host": ("::1", "192.0.2.1"),
}


@pytest.mark.parametrize("name", VALUES)
def test_types(name):
    """Values of each type are read as they were written, with Django's conversions."""
    for value in VALUES[name]:
        row = Typed.objects.create(**{name: value})
        read = getattr(Typed.objects.get(pk=row.pk), name)
        assert (read, type(read)) == (value, type(value))
        assert Typed.objects.values(name).get(pk=row.pk) == {name: value}


def test_conversions():
    """Text is converted as Django does: it is sealed in the one encoding of its type."""
    row = Typed.objects.create(number="7", price="2.5", flag="t", day="2024-01-01", key="5" * 32)
    read = Typed.objects.get(pk=row.pk)
    assert (read.number, read.price, read.flag) == (7, Decimal("2.50"), True)
    assert (read.day, read.key) == (date(2024, 1, 1), uuid.UUID("5" * 32))
    with pytest.raises(FieldError, match="does not take"):
        Typed.objects.create(price="1234567890.00")


def test_a_blank_address_is_null():
    """A blank address is stored as null, as Django's field does."""
    row = Typed.objects.create(host="")
    assert Typed.objects.get(pk=row.pk, host=None).host is None
    Typed.objects.filter(pk=row.pk).update(host="")
    assert Typed.objects.filter(pk=row.pk, host__isnull=True).exists()


def test_json_changed_in_place():
    """JSON that was read and changed in place is sealed anew."""
    row = Typed.objects.create(data={"a": 1})
    read = Typed.objects.get(pk=row.pk)
    read.data["a"] = 2
    read.save()
    assert Typed.objects.get(pk=row.pk).data == {"a": 2}
