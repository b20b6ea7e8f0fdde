# SPDX-License-Identifier: Apache-2.0
"""Every way to write: the values arrive sealed, or the write is refused."""

import asyncio
import copy
import io
import pickle
import sqlite3
import uuid

import pytest

from support.shop import start

LOGGED = start()

from django.core import serializers  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, connection, reset_queries, transaction  # noqa: E402
from django.db.models import Case, F, Q, Value, When  # noqa: E402
from django.db.models.functions import Concat, Lower  # noqa: E402
from django.forms import modelform_factory  # noqa: E402
from django.forms.models import model_to_dict  # noqa: E402

from pythemis.fields import FieldCipher, FieldError  # noqa: E402
from support.shop import keys  # noqa: E402
from support.shop.models import Customer, Member, Order, Seat, Typed  # noqa: E402

MARK = "MARKER-4929"
EMAIL = f"{MARK}@example.org"


def traces():
    """Give the cells of tables, and the logged lines, that have the marker, in any letters."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += [(table, cell) for row in cursor.fetchall() for cell in row]
    marked = [
        (table, cell)
        for table, cell in found
        if MARK.lower() in str(bytes(cell) if isinstance(cell, memoryview) else cell).lower()
        or (isinstance(cell, (bytes, memoryview)) and MARK.lower().encode() in bytes(cell).lower())
    ]
    forms = (MARK.lower(), MARK.lower().encode().hex(), MARK.encode().hex())  # SQLite: of bytes
    lines = LOGGED + [each["sql"] for each in connection.queries]
    return marked, [line for line in lines if any(form in line.lower() for form in forms)]


def empty():
    """Leave no row."""
    for model in (Order, Member, Customer, Typed, Seat):
        model.objects.all().delete()


@pytest.fixture(autouse=True)
def _clean():
    """Begin with empty tables, and end with no marker in any table, statement or log."""
    LOGGED.clear()
    yield
    found = traces()
    empty()
    assert found == ([], [])


def test_the_search_finds_what_is_planted():
    """Control: a marker is found in columns of text and of bytes, and in what is logged."""
    planted = MARK.lower()  # which the search of a server's files, in test_django.py, ignores
    row = Customer.objects.create(email="a@example.org", nickname=planted)
    with connection.cursor() as cursor:
        cell = connection.Database.Binary(planted.encode())
        query = "UPDATE shop_customer SET card_cell = %s WHERE id = %s"
        cursor.execute(query, [cell, row.pk.hex])
    marked, logged = traces()
    assert [table for table, _ in marked] == ["shop_customer"] * 2
    for statement in ("INSERT", "UPDATE"):
        assert sum(statement in line for line in logged) == 2  # of the log, and of the connection
    empty()
    LOGGED.clear()
    reset_queries()


def customer(**given):
    """Make an unsaved customer."""
    return Customer(**{"email": EMAIL, "card": MARK, "city": MARK, **given})


def refused(text, call, *arguments, **options):
    """Check that a call is refused with this text, and without the marker."""
    with pytest.raises(FieldError, match=text) as caught, transaction.atomic():
        call(*arguments, **options)
    error = caught.value
    while error is not None:
        assert MARK not in str(error)
        error = error.__context__


def stored(row):
    """Give what the database has for a customer, past all that Django does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT email, card_cell, city, email_index, city_index FROM shop_customer "
            "WHERE id = %s",
            [row.pk.hex],
        )
        return [None if cell is None else bytes(cell) for cell in cursor.fetchone()]


def check(row, email=EMAIL, card=MARK):
    """Check a row as it is stored, without Django, and its index."""
    cipher, found = keys.CIPHER, stored(row)
    assert cipher.open(found[0], "shop_customer", "email", row.pk) == email
    assert cipher.open(found[1], "shop_customer", "card_cell", row.pk) == card
    index = None
    if email is not None:
        index = cipher.index(email.casefold(), "shop_customer", "email", bits=96)
    assert found[3] == index
    assert Customer.objects.get(email=email).pk == row.pk


def write_save():
    """Save a new instance."""
    row = customer()
    row.save()
    return row


def write_create():
    """Create through the manager."""
    return Customer.objects.create(email=EMAIL, card=MARK, city=MARK)


def write_default_manager():
    """Create through Django's manager."""
    return Customer.plain.create(email=EMAIL, card=MARK, city=MARK)


def write_get_or_create():
    """Get what was created."""
    row, created = Customer.objects.get_or_create(email=EMAIL, defaults={"card": MARK})
    again, twice = Customer.objects.get_or_create(email=EMAIL.lower(), defaults={"card": "no"})
    assert (created, twice, again.pk) == (True, False, row.pk)
    return row


def write_update_or_create():
    """Update what is there."""
    Customer.objects.create(email=EMAIL, card="old")
    return Customer.objects.update_or_create(email=EMAIL, defaults={"card": MARK})[0]


def write_bulk_create():
    """Insert many."""
    return Customer.objects.bulk_create([customer(), customer(email="b@example.org")])[0]


def write_bulk_create_plain():
    """Insert many through Django's manager."""
    return Customer.plain.bulk_create([customer(), customer(email="b@example.org")])[0]


def write_bulk_conflicts():
    """Insert over a row that is there."""
    if not connection.features.supports_update_conflicts_with_target:
        pytest.skip("test_conflicts has what this database can")
    row = Customer.objects.create(email="old@example.org", card="old")
    Customer.objects.bulk_create(
        [customer(id=row.pk)],
        update_conflicts=True,
        update_fields=["email", "card"],
        unique_fields=["pk"],
    )
    return row


def write_bulk_update():
    """Update many instances."""
    rows = Customer.objects.bulk_create(
        [customer(email=f"{at}@example.org", card="old") for at in range(3)]
    )
    rows[1].email, rows[1].card = EMAIL, MARK
    assert Customer.objects.bulk_update(rows, ["email", "card"]) == 3
    assert rows[1].card == MARK
    return rows[1]


def write_update():
    """Update what a query finds."""
    row = Customer.objects.create(email="old@example.org", card="old")
    Customer.objects.filter(pk=row.pk).update(email=EMAIL, card=MARK, visits=F("visits") + 1)
    assert Customer.objects.get(pk=row.pk).visits == 1
    return row


def write_update_fields():
    """Save some fields."""
    row = Customer.objects.create(email="old@example.org", card="old")
    row.email, row.card = EMAIL, MARK
    row.save(update_fields=["email", "card"])
    return row


def write_deferred():
    """Assign fields that were not loaded."""
    made = Customer.objects.create(email="old@example.org", card="old")
    row = Customer.objects.only("nickname").get(pk=made.pk)
    row.email, row.card = EMAIL, MARK
    row.save()
    return row


def write_form():
    """Save a form."""
    form = modelform_factory(Customer, fields=["email", "card", "city"])
    filled = form({"email": EMAIL, "card": MARK, "city": MARK})
    assert filled.is_valid(), filled.errors
    return filled.save()


def write_form_of_row():
    """Save a form of a row, which shows values."""
    row = Customer.objects.create(email="old@example.org", card=MARK)
    form = modelform_factory(Customer, fields=["email", "card"])
    shown = form(instance=row)
    assert f">\n{MARK}</textarea>" in str(shown["card"])
    filled = form({"email": EMAIL, "card": MARK}, instance=row)
    assert filled.changed_data == ["email"]
    return filled.save()


def write_fixture():
    """Load a fixture in plain text."""
    row = customer(id=uuid.uuid4())
    text = (
        f'[{{"model": "shop.customer", "pk": "{row.pk}", '
        f'"fields": {{"email": "{EMAIL}", "card": "{MARK}", "city": "x"}}}}]'
    )
    for each in serializers.deserialize("json", text):
        each.save()
    return row


def write_dump():
    """Load a dump, which shows no values."""
    row = write_create()
    dump = io.StringIO()
    call_command("dumpdata", "shop", stdout=dump)
    assert MARK not in dump.getvalue()
    Customer.objects.all().delete()
    for each in serializers.deserialize("json", dump.getvalue()):
        each.save()
    return row


def write_pickled():
    """Save what a cache had."""
    row = write_create()
    text = pickle.dumps(Customer.objects.get(pk=row.pk))
    row.card  # noqa: B018
    assert MARK.encode() not in text + pickle.dumps(row)
    again = pickle.loads(text)
    again.save()
    return again


def write_copy():
    """Save a row under another key."""
    row = Customer.objects.get(pk=Customer.objects.create(email="a@example.org", card=MARK).pk)
    row.pk, row._state.adding, row.email = uuid.uuid4(), True, EMAIL
    row.save()
    assert Customer.objects.count() == 2
    return row


def write_savepoint():
    """Save again after a rollback."""
    row = write_create()
    with transaction.atomic():
        row.card = "lost"
        row.save()
        transaction.set_rollback(True)
    row.card = MARK
    row.save()
    return row


def write_async():
    """Write in coroutines."""

    async def work():
        row = await Customer.objects.acreate(email="old@example.org")
        await Customer.objects.filter(pk=row.pk).aupdate(card=MARK)
        row = await Customer.objects.aget(email="old@example.org")
        row.email = EMAIL
        await Customer.objects.abulk_update([row], ["email"])
        row, created = await Customer.objects.aget_or_create(email=EMAIL)
        assert not created
        [again] = [each async for each in Customer.objects.filter(email=EMAIL)]
        [values] = [each async for each in Customer.objects.values("card").aiterator()]
        assert (again.card, values) == (MARK, {"card": MARK})
        await again.asave()
        return again

    return asyncio.run(work())


WRITES = {name[6:]: call for name, call in list(globals().items()) if name.startswith("write_")}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_writes_arrive_sealed(write):
    """Every documented way to write stores cells that open without Django, and their indexes."""
    check(write())


def test_past_the_manager():
    """Where values cannot be sealed they are refused, and nothing is written."""
    row = Customer.objects.create(email="a@example.org", card="old", nickname=MARK[:3])
    only = Customer.plain.filter(pk=row.pk)
    text = "does not seal values"
    refused(text, only.update, card=MARK)
    refused(text, only.update, email=MARK)
    row.card = MARK
    refused("takes sealed values only|does not seal", Customer.plain.bulk_update, [row], ["card"])
    computed = (
        F("nickname"),
        Value(MARK),
        Lower("nickname"),
        Concat("nickname", Value("x")),
        Case(When(visits=0, then=F("nickname")), default=Value(None)),
        F("email"),
    )
    for each in computed:
        refused("takes sealed values only", only.update, card=each)
        refused("takes sealed values only", only.update, email_index=each)
        refused("takes values only", Customer.objects.update, card=each)
        row.card = each
        refused("takes values only", row.save)
    refused("is a blind index", Customer.objects.update, email_index=b"x")
    for manager in (Customer.objects, Customer.plain, Member.objects):
        for to in (uuid.uuid4(), F("id")):
            refused("bound to their rows: save a copy", manager.update, id=to)
    refused("bound to their rows", Seat.objects.update, hall="B")
    Order.plain.update(id=F("id") + 1)  # bound to its column
    check(row, "a@example.org", "old")


def test_a_value_and_its_index_are_written_together():
    """An index is never that of another value, whichever of the two a program names."""
    row = Customer.objects.create(email="a@example.org", card="old")
    text = "email and email_index must be written together"
    refused(text, Customer.plain.filter(pk=row.pk).update, email=None)
    row.email = None
    refused(text, Customer.plain.bulk_update, [row], ["email"])
    check(row, "a@example.org", "old")
    for name in ("email", "email_index"):
        row.email = f"{name}@example.org"
        row.save(update_fields=[name])
        check(row, row.email, "old")
        row.email = f"many.{name}@example.org"
        Customer.objects.bulk_update([row], [name])
        check(row, row.email, "old")


def test_what_is_not_loaded_stays():
    """A value that was not loaded keeps its index; one that is named is written as it is."""
    row = Customer.objects.create(email=EMAIL, card=MARK, city=MARK)
    before = stored(row)
    for name in ("email", "email_index", "card", "city"):
        again = Customer.objects.defer(name).get(pk=row.pk)
        again.nickname = name
        again.save()
        assert stored(row) == before
        assert again.get_deferred_fields() <= {name}  # an index is made of its value
        Customer.objects.defer(name).get(pk=row.pk).save(update_fields=[name])
        Customer.objects.bulk_update([Customer.objects.defer(name).get(pk=row.pk)], [name])
        check(row)
        assert Customer.objects.get(city=MARK).city == MARK
        before = stored(row)
    assert Customer.objects.get(pk=row.pk).nickname == "city"
    again = Customer.objects.defer("email_index").get(pk=row.pk)
    again.email = "b@example.org"
    again.save()
    check(row, "b@example.org")


def test_conflicts():
    """A row that exists never gets the cell of another row, nor a cell without its index."""
    row = Customer.objects.create(email=EMAIL, card="old")
    if not connection.features.supports_update_conflicts_with_target:  # MariaDB: by any key
        again = [customer(id=row.pk)]
        options = {"update_conflicts": True, "update_fields": ["card"]}
        refused(r'unique_fields=\["pk"\]', Customer.objects.bulk_create, again, **options)
        check(row, EMAIL, "old")
        return
    for manager in (Customer.objects, Customer.plain):
        refused(
            r'unique_fields=\["pk"\]',
            manager.bulk_create,
            [customer()],
            update_conflicts=True,
            update_fields=["card"],
            unique_fields=["email_index"],
        )
    for name in ("email", "email_index"):
        refused(
            "email and email_index must be written together",
            Customer.plain.bulk_create,
            [customer(id=row.pk)],
            update_conflicts=True,
            update_fields=[name],
            unique_fields=["id"],
        )
    Customer.objects.bulk_create([customer()], ignore_conflicts=True)
    check(row, EMAIL, "old")


def test_rows_without_an_id():
    """A value for a row without its primary key is refused; one of a counted key too."""
    row = customer()
    row.pk = None
    with pytest.raises(FieldError, match=r"uuid\.uuid4"):
        Customer._meta.get_field("card").pre_save(row, add=True)
    order = Order.objects.create(note=MARK)
    assert Order.objects.get(note=MARK).pk == order.pk
    Order.objects.update(note=MARK * 2)
    assert Order.objects.get(note=MARK * 2).note == MARK * 2


def test_the_id_zero():
    """Where a counted id of 0 would become another one, Django itself refuses it."""
    if connection.features.allows_auto_pk_0:
        pytest.skip("the database keeps it")
    with pytest.raises(ValueError, match="does not accept 0"):
        Order(pk=0, note=MARK).save()
    with pytest.raises(ValueError, match="does not accept 0"):
        Order.objects.bulk_create([Order(pk=0, note=MARK)])


def test_unique():
    """Equal values are refused by validation, which shows no index, and by the database."""
    write_create()
    twice = customer(email=EMAIL.upper())
    with pytest.raises(ValidationError) as caught:
        twice.full_clean()
    assert caught.value.message_dict.keys() == {"email"}
    assert "customer with this email already exists" in caught.value.messages[0].lower()
    twice.full_clean(validate_unique=False)
    twice.full_clean(exclude=["email"])
    twice.validate_unique(exclude=["email"])
    with pytest.raises(ValidationError, match="already exists"):
        twice.validate_unique()
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save()
    with pytest.raises(ValidationError, match="valid email"):
        customer(email="nothing").full_clean()
    Customer.objects.get(email=EMAIL).full_clean()
    other = Customer.objects.create(email="b@example.org")
    other.email = EMAIL  # beside the index of what it was
    other.pk = uuid.UUID(int=5)
    with pytest.raises(ValidationError) as caught:
        other.validate_unique()
    assert caught.value.message_dict.keys() == {"email"}


def test_null_and_empty():
    """Null is no cell and has no index; empty text is a cell."""
    row = customer(card=None, city="")
    row.save()
    assert stored(row)[1] is None
    assert stored(row)[4] is not None
    assert Customer.objects.get(card=None).city == ""
    assert Customer.objects.filter(card__isnull=False).count() == 0
    Customer.objects.update(card="")
    assert Customer.objects.get(card__isnull=False).card == ""
    Customer.objects.update(card=None)
    assert stored(row)[1] is None


def test_untouched_cells_stay():
    """Saving writes cells again as they are: a value is sealed once."""
    row = write_create()
    before = stored(row)
    row = Customer.objects.get(pk=row.pk)
    row.save()
    assert row.card == MARK
    row.save()
    assert stored(row) == before


def test_moved_values():
    """A cell that was moved between rows or columns, or damaged, is refused when it is read."""
    row, other = write_create(), Customer.objects.create(email="b@example.org", card="b")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shop_customer SET card_cell = (SELECT card_cell FROM shop_customer "
            "WHERE id = %s) WHERE id = %s",
            [row.pk.hex, other.pk.hex],
        )
    read = Customer.objects.get(pk=other.pk)
    refused("shop_customer.card_cell: decryption failed", getattr, read, "card")
    read.save()  # loses nothing
    copy_of = uuid.uuid4()
    with connection.cursor() as cursor:
        names = "city, nickname, visits, card_cell"
        cursor.execute(
            f"INSERT INTO shop_customer (id, email, {names}) "
            f"SELECT %s, email, {names} FROM shop_customer WHERE id = %s",
            [copy_of.hex, row.pk.hex],
        )
    for name in ("email", "card", "city"):
        refused("decryption failed", getattr, Customer.objects.get(pk=copy_of), name)
    for text in (b"", b"TK1", MARK[:6].encode(), stored(row)[0], stored(other)[1][:-1]):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE shop_customer SET card_cell = %s WHERE id = %s", [text, other.pk.hex]
            )
        read = Customer.objects.get(pk=other.pk)
        refused("shop_customer.card_cell: ", getattr, read, "card")
        refused("shop_customer.card_cell: ", list, Customer.objects.values("card"))
    refused("shop_customer.card_cell: .*truncated", getattr, read, "card")


def test_over_joins():
    """Rows that a join finds twice, or over an outer join, are updated once, each for itself."""
    row = write_create()
    for _ in range(2):
        Order.objects.create(customer=row, note="twice")
    found = Customer.objects.filter(Q(orders__note="twice") | Q(orders=None))
    assert found.update(card="new") == 1
    check(row, EMAIL, "new")
    row.__dict__["card"] = MARK  # as the pickle of an older definition does
    row.save()
    check(row)


def test_nothing_is_shown():
    """Representations, serializers, copies and pickles show no value."""
    row = write_create()
    held = [*row.__dict__.values(), *model_to_dict(row, ["email", "card"]).values()]
    opaque = list(Customer.plain.values("email", "card").first().values())
    query = Customer.objects.filter(email=EMAIL).query
    for each in (*held, *opaque, query.where, row):
        assert MARK not in f"{each!r}{each}"
    for kind in ("json", "xml", "jsonl", "python"):
        assert MARK not in str(serializers.serialize(kind, [row]))
    assert copy.deepcopy(row).card == copy.copy(row).card == MARK
    text = serializers.serialize("python", [row])[0]["fields"]["card"]
    refused("this text is a sealed value", Customer.objects.update, card=text)
    refused("this text is a sealed value", Customer.objects.create, card=text)
    refused("save it first", pickle.dumps, customer())
    refused("cannot be pickled", pickle.dumps, Customer.objects.filter(email=EMAIL).query)
    refused("cannot be pickled", pickle.dumps, model_to_dict(row, ["card"])["card"])


def test_key_changes():
    """A row is brought to the newest key when it is saved, and is found while index keys change."""
    row, before = write_create(), dict(keys.RINGS)
    old = stored(row)
    try:
        for name in ("data", "index"):
            ring = before[name].add()
            keys.RINGS[name] = ring.promote(ring.keys[-1].id)
        found = Customer.objects.get(email=EMAIL)
        assert found.card == MARK
        found.save()
        assert {stored(row)[at][:8] == old[at][:8] for at in range(3)} == {False}
        assert stored(row)[3] == old[3]  # nothing was opened but the card
        found.full_clean()
        found.save()
        assert stored(row)[3] != old[3]
        check(row)
    finally:
        keys.RINGS.update(before)
        Customer.objects.all().delete()


def test_removed_keys():
    """A value under a key that was removed is refused by name of the key, and saved as it is."""
    row, before = write_create(), dict(keys.RINGS)
    old = stored(row)
    try:
        ring = before["data"].add()
        ring = ring.promote(ring.keys[-1].id).retire(before["data"].primary)
        keys.RINGS["data"] = ring.remove(before["data"].primary)
        found = Customer.objects.get(pk=row.pk)
        refused(f"card_cell: .*no key {before['data'].primary}", getattr, found, "card")
        found.nickname = "Ann"
        found.save()
        assert stored(row) == old
    finally:
        keys.RINGS.update(before)


def test_inherited_and_composite():
    """Fields of a parent's table and those bound to a key of several parts are sealed and found."""
    made = Member.objects.create(email=EMAIL, card=MARK, level=MARK)
    member = Member.objects.get(level=MARK, email=EMAIL)
    assert (member.card, member.level) == (MARK, MARK)
    member.email, member.level = "new@example.org", "gold"
    member.save(update_fields=["email", "level"])
    check(made, "new@example.org")
    assert Member.objects.get(level="gold", email="new@example.org").pk == made.pk
    assert Member.objects.filter(level="gold").update(email="b@example.org", level=MARK) == 1
    check(made, "b@example.org")
    assert Member.objects.get(level=MARK).email == "b@example.org"
    seats = [Seat(hall="A", number=at, guest=MARK) for at in range(2)]
    Seat.objects.bulk_create(seats)
    assert Seat.objects.filter(guest=MARK).count() == 2
    seats[0].guest = "free"
    seats[0].save()
    assert [seat.pk for seat in Seat.objects.filter(guest=MARK)] == [("A", 1)]
    Seat.objects.filter(number=0).update(guest=MARK)
    assert list(Seat.objects.order_by("number").values_list("guest", flat=True)) == [MARK] * 2


def test_without_django():
    """The sqlite3 module and a cipher of the same rings read what Django wrote."""
    row = write_create()
    if not isinstance(connection.connection, sqlite3.Connection):
        pytest.skip("the database is another one")
    cursor = connection.connection.execute("SELECT card_cell FROM shop_customer")
    cipher = FieldCipher(keys.RINGS["data"])
    assert cipher.open(cursor.fetchone()[0], "shop_customer", "card_cell", row.pk) == MARK


def test_beside_sqlalchemy():
    """SQLAlchemy reads what Django wrote, and the other way round."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    if connection.vendor != "sqlite":
        pytest.skip("the database is another one")
    from sqlalchemy import orm

    from pythemis.fields.sqlalchemy import sealed, sealed_column

    class Base(orm.DeclarativeBase):
        pass

    class Theirs(Base):
        __tablename__ = "shop_customer"

        id = orm.mapped_column(sqlalchemy.Uuid(), primary_key=True)
        card_cell = sealed_column()
        card = sealed(keys.CIPHER, "card_cell")

    row = write_create()
    name = connection.settings_dict["NAME"]
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: sqlite3.connect(name, uri=True))
    with orm.Session(engine) as session:
        [theirs] = session.scalars(sqlalchemy.select(Theirs))
        assert (theirs.id, theirs.card) == (row.pk, MARK)
        theirs.card = "new"
        session.commit()
    engine.dispose()
    assert Customer.objects.get(pk=row.pk).card == "new"
