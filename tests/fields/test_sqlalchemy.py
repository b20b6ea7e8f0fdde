# SPDX-License-Identifier: Apache-2.0
"""Sealed columns of SQLAlchemy: every path of writing, of finding, and of keys that change."""

import copy
import io
import logging
import pickle
import traceback
import uuid
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import (
    String,
    Uuid,
    bindparam,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.dialects import postgresql as postgres
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    make_transient,
    mapped_column,
    relationship,
)  # fmt: skip
from sqlalchemy.schema import CreateTable, ForeignKey

from pythemis.fields import FieldCipher, FieldError
from pythemis.fields.sqlalchemy import (
    SealedType,
    UnsealedError,
    index_column,
    open_all,
    seal_values,
    sealed,
    sealed_column,
)  # fmt: skip
from pythemis.keyring import Keyring
from support.mariadb import data_of
from support.servers import files_below

MARKER = "4929 MARKER"
RINGS = {"ring": Keyring.new("shop").add(), "index": Keyring.new("shop-index").add()}
CIPHER = FieldCipher(lambda: RINGS["ring"], index_key=lambda: RINGS["index"])
REFUSED = (FieldError, SQLAlchemyError)


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(50), default="")
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96)
    note_cell: Mapped[bytes | None] = sealed_column()
    limit_cell: Mapped[bytes | None] = sealed_column()
    tag_cell: Mapped[bytes | None] = sealed_column()
    tag_index: Mapped[bytes | None] = index_column(bits=8)
    orders: Mapped[list["Order"]] = relationship()

    card = sealed(
        CIPHER, "card_cell", index="card_index", normalize=lambda card: card.replace(" ", "")
    )
    note = sealed(CIPHER, "note_cell", padding=32)
    limit = sealed(CIPHER, "limit_cell", type=Decimal)
    tag = sealed(CIPHER, "tag_cell", index="tag_index", bind="column")


class Order(Base):
    """Its primary key is of two parts, of which a relationship gives one."""

    __tablename__ = "orders"

    customer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    address_cell: Mapped[bytes | None] = sealed_column()
    address = sealed(CIPHER, "address_cell")


class Counted(Base):
    """The database gives its rows their ids."""

    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(primary_key=True)
    text_cell: Mapped[bytes | None] = sealed_column()
    free_cell: Mapped[bytes | None] = sealed_column()
    text = sealed(CIPHER, "text_cell")
    free = sealed(CIPHER, "free_cell", bind="column")


class Unique(Base):
    """Two of its columns have no double."""

    __tablename__ = "uniques"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96)
    card = sealed(CIPHER, "card_cell", index="card_index")


class Copied(Base):
    """It has copies of cells, under their old names."""

    __tablename__ = "copied"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96)
    note_cell: Mapped[bytes | None] = sealed_column()
    kept_cell: Mapped[bytes | None] = sealed_column()
    kept_index: Mapped[bytes | None] = index_column(bits=96)
    card = sealed(CIPHER, "card_cell", index="card_index")
    note = sealed(CIPHER, "note_cell")
    kept = sealed(
        CIPHER,
        "kept_cell",
        index="kept_index",
        normalize=lambda card: card.replace(" ", ""),
        names=("customers", "card_cell"),
    )


def write_a_row(address):
    """Insert a row, which the logs must have: of the tests here one worker may run a few alone."""
    engine = create_engine(address)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Customer(card=MARKER))
        session.commit()
    engine.dispose()


@pytest.fixture(scope="module")
def postgresql(postgresql_address):
    """Let the server log all statements; at the end look into its log and its WAL."""
    admin = create_engine(postgresql_address, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER ROLE shop SET log_statement = 'all'"))  # from now on
    admin.dispose()
    write_a_row(postgresql_address)
    yield postgresql_address
    folder = Path(postgresql_address.partition("unix_sock=")[2]).parent
    files = files_below(folder)
    assert any(path.parent.name == "pg_wal" for path in files)
    assert [path for path, data in files.items() if b"MARKER" in data] == []
    assert b"INSERT INTO customers" in files[folder / "log"]


@pytest.fixture(scope="module")
def mariadb(mariadb_address):
    """At the end look into the logs of the server, its binary log, and all else that it wrote."""
    write_a_row(mariadb_address)
    yield mariadb_address
    files = files_below(data_of(mariadb_address))
    assert [path for path, data in files.items() if b"MARKER" in data] == []
    for name in ("general.log", "slow.log", "bin.000001"):
        assert b"INSERT INTO customers" in files[data_of(mariadb_address) / name], name


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(it, marks=pytest.mark.integration) for it in ("postgresql", "mariadb")),
    ]
)
def engine(request):
    """Give an empty database, whose statements are logged with their parameters."""
    address = "sqlite://"
    if request.param != "sqlite":
        address = request.getfixturevalue(request.param)
    engine = create_engine(address)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def logged():
    """Look for the marker in everything that SQLAlchemy logs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("sqlalchemy")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)
    assert "MARKER" not in stream.getvalue()


def raw(engine, table="customers"):
    """Give all that a raw connection sees in a table."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM {table}")
        return [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor]
    finally:
        connection.close()


def is_sealed(engine):
    """Check that a table has a row with a cell and nothing of the marker."""
    found = repr([raw(engine, name) for name in ("customers", "orders", "counted")])
    return "TK1" in found and "MARKER" not in found


# ---- Writing ----


def add(session):
    """Write a new object."""
    session.add(Customer(card=MARKER))


def add_many(session):
    """Write several, in one statement."""
    session.add_all([Customer(card=MARKER, note=MARKER) for _ in range(3)])


def change(session):
    """Write twice, before and after the row is in the database."""
    row = Customer(note="first")
    session.add(row)
    session.flush()
    row.card = MARKER


def merge(session):
    """Merge a copy."""
    session.merge(Customer(id=uuid.uuid4(), card=MARKER, tag=MARKER))


def bulk_insert(session):
    """Insert dictionaries, of which one has no id yet."""
    session.execute(insert(Customer), [{"card": MARKER}, {"id": uuid.uuid4(), "card": MARKER}])


def single_insert(session):
    """Insert one dictionary."""
    session.execute(insert(Customer), {"card": MARKER, "tag": MARKER})


def bulk_update(session):
    """Update by primary key."""
    row = Customer(note="first")
    session.add(row)
    session.flush()
    session.execute(update(Customer), [{"id": row.id, "card": MARKER}])


def core_insert(session):
    """Insert without the ORM what seal_values() made."""
    for execute in (session.execute, session.connection().execute):
        values = {"id": uuid.uuid4(), "card": MARKER, "name": ""}
        execute(insert(Customer.__table__).values(**seal_values(Customer, values)))


def relation(session):
    """Write a row whose id comes from another one."""
    session.add(Customer(orders=[Order(number=1, address=MARKER)]))


def upsert(session):
    """Insert, and update with the same values, then with those of the row that is not inserted."""
    made = seal_values(Customer, {"id": uuid.uuid4(), "card": MARKER, "name": ""})
    session.execute(or_update(session, made).values(made))
    session.execute(or_update(session, made).values(made))
    names = ("card_cell", "card_index")
    again = or_update(session, lambda its: {name: its[name] for name in names})
    session.execute(again.values(seal_values(Customer, {"id": made["id"], "card": MARKER})))


def or_update(session, values, kind=Customer, key="id"):
    """Give the insert of a session's database that updates a row that is there.

    The values may be what returns them, given the columns of the row that is not inserted.
    """
    name = session.get_bind().dialect.name
    made = {"sqlite": sqlite, "postgresql": postgres, "mariadb": mysql}[name].insert(kind)
    if callable(values):
        values = values(made.inserted if name == "mariadb" else made.excluded)
    if name == "mariadb":
        return made.on_duplicate_key_update(values)
    return made.on_conflict_do_update(index_elements=[key], set_=values)


def column_bound(session):
    """Write a row whose id the database counts."""
    session.add(Counted(free=MARKER))


SEALING = [
    *(add, add_many, change, merge, bulk_insert, single_insert, bulk_update, core_insert),
    *(relation, upsert, column_bound),
]


@pytest.mark.parametrize("write", SEALING, ids=lambda write: write.__name__)
def test_what_is_written_is_sealed(engine, write):
    """A raw connection finds no plain text, and every value reads back."""
    with Session(engine) as session:
        write(session)
        session.commit()
    assert is_sealed(engine)
    with Session(engine) as session:
        rows = [row for kind in (Customer, Order, Counted) for row in session.scalars(select(kind))]
        names = ("card", "note", "tag", "address", "free")
        values = {getattr(row, name, None) for row in rows for name in names}
        assert values - {None, "first"} == {MARKER}
        if write is not column_bound and write is not relation:
            found = session.scalars(select(Customer).where(Customer.card == "4929MARKER")).all()
            assert {row.id for row in found} == {row.id for row in rows}


REFUSING = {
    "cell": lambda s: s.add(Customer(card_cell=MARKER.encode())),
    "cell of text": lambda s: s.add(Customer(card_cell=MARKER)),
    "index": lambda s: s.add(Customer(card_index=MARKER.encode().ljust(12))),
    "no id": lambda s: s.add(Counted(text=MARKER)),
    "bulk_save_objects": lambda s: s.bulk_save_objects([Customer(id=uuid.uuid4(), card=MARKER)]),
    "insert cell": lambda s: s.execute(insert(Customer).values(card_cell=MARKER.encode())),
    "insert attribute": lambda s: s.execute(insert(Customer).values(card=MARKER)),
    "insert list": lambda s: s.execute(insert(Customer).values([{"card": MARKER}])),
    "update cell": lambda s: s.execute(update(Customer).values(card_cell=MARKER.encode())),
    "update attribute": lambda s: s.execute(update(Customer).values(card=MARKER)),
    "query": lambda s: s.query(Customer).update({"card": MARKER}),
    "query of cell": lambda s: s.query(Customer).update({"card_cell": MARKER.encode()}),
    "update by attribute": lambda s: s.execute(update(Customer).values({Customer.card: MARKER})),
    "update without id": lambda s: s.execute(
        update(Customer).where(Customer.name == bindparam("n")), {"n": "x", "card": MARKER}
    ),
    "core insert": lambda s: s.connection().execute(
        insert(Customer.__table__), [{"id": uuid.uuid4(), "card_cell": MARKER.encode()}]
    ),
    "bulk cell": lambda s: s.execute(insert(Customer), [{"card_cell": MARKER}]),
    "bulk index": lambda s: s.execute(insert(Customer), [{"card_index": MARKER.encode()}]),
    "mappings": lambda s: s.bulk_insert_mappings(Customer, [{"card_cell": MARKER.encode()}]),
    "upsert": lambda s: s.execute(
        or_update(s, {"card_cell": MARKER.encode()}), {"id": uuid.uuid4()}
    ),
    "compare cell": lambda s: s.scalars(
        select(Customer).where(Customer.card_cell == MARKER.encode())
    ),
    "compare index": lambda s: s.scalars(
        select(Customer).where(Customer.card_index == MARKER.encode())
    ),
    "wrong type": lambda s: s.add(Customer(limit=MARKER)),
    "wrong type in bulk": lambda s: s.execute(insert(Customer), [{"limit": MARKER}]),
}


@pytest.mark.parametrize("name", REFUSING)
def test_plain_text_is_refused(engine, name):
    """Nothing is written, and neither the error nor one behind it shows the plain text."""
    with pytest.raises(REFUSED) as caught, Session(engine) as session, session.begin():
        REFUSING[name](session)
    error = caught.value
    while error is not None:
        assert "MARKER" not in "".join(traceback.format_exception_only(error)), error
        error = error.__context__
    assert "MARKER" not in repr([raw(engine), raw(engine, "counted")])


def test_a_value_waits_for_its_id(engine):
    """Whatever the order of arguments, the value reads back before and after the flush."""
    row = Customer(card=MARKER, limit=Decimal("1.50"))
    assert (row.card, row.limit, row.note) == (MARKER, Decimal("1.50"), None)
    assert "MARKER" not in repr(vars(row))
    with pytest.raises(FieldError, match="cannot be pickled"):
        pickle.dumps(row.card_cell)
    assert copy.deepcopy(row.card_cell) is row.card_cell
    with Session(engine) as session:
        session.add(row)
        session.flush()
        assert row.card_cell[:8] == RINGS["ring"].prefix
        assert (row.card, row.limit) == (MARKER, Decimal("1.50"))
        session.rollback()
        session.add(row)
        session.commit()
        assert row.card == MARKER
        row.card = None
        session.commit()
        assert (row.card, row.card_cell, row.card_index) == (None, None, None)


def test_a_flush_seals_together(engine, monkeypatch):
    """Each attribute of a class is sealed, and indexed, in one call, whatever rows have a value."""
    from pythemis.fields import Field

    calls = []
    for name in ("seal_all", "index_all"):
        real = getattr(Field, name)

        def counted(self, values, *rest, real=real, name=name):
            calls.append((name, self.column, len(values)))
            return real(self, values, *rest)

        monkeypatch.setattr(Field, name, counted)
    with Session(engine) as session:
        rows = [Customer(card=f"card {n}", tag=None if n % 2 else "t") for n in range(50)]
        session.add_all([*rows, Counted(free="x")])
        session.commit()
        counts = [("seal_all", "card_cell", 50), ("index_all", "card_cell", 50)]
        tags = [("seal_all", "tag_cell", 25), ("index_all", "tag_cell", 25)]
        assert sorted(calls) == sorted([*counts, *tags, ("seal_all", "free_cell", 1)])
        calls.clear()
        for row in rows[:7]:
            row.card = MARKER
        session.commit()
        assert calls == [("seal_all", "card_cell", 7), ("index_all", "card_cell", 7)]
        assert len(session.scalars(select(Customer).where(Customer.card == MARKER)).all()) == 7
    assert is_sealed(engine)


def test_listeners_that_change_rows_in_the_flush(engine):
    """What is set before a flush is sealed; what is set within one, too late, is refused."""

    def before_flush(session, *_):
        for row in session.new:
            row.tag = MARKER

    def another_id(_mapper, _connection, row):
        row.id = uuid.uuid4()

    def another_card(_mapper, _connection, row):
        row.card = MARKER

    with Session(engine) as session:
        event.listen(session, "before_flush", before_flush)
        session.add(Customer(card=MARKER))
        session.commit()
        [row] = session.scalars(select(Customer).where(Customer.tag == MARKER))
        assert row.card == MARKER
        for listener, problem in ((another_id, "changed the id"), (another_card, "no listener")):
            for name in ("before_insert", "before_update"):
                event.listen(Customer, name, listener)
                try:
                    target = Customer(note="n") if name == "before_insert" else row
                    target.name = "another"
                    session.add(target)
                    with pytest.raises(FieldError, match=problem):
                        session.commit()
                finally:
                    event.remove(Customer, name, listener)
                session.rollback()
        assert [(each.note, each.name) for each in session.scalars(select(Customer))] == [
            (None, "")
        ]
    assert is_sealed(engine)


class Spelled(Base):
    """Text is taken for its ids, and comes back in another form."""

    __tablename__ = "spelled"

    id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text_cell: Mapped[bytes | None] = sealed_column()
    text = sealed(CIPHER, "text_cell")


def test_ids_are_bound_as_the_database_gives_them_back(engine):
    """A UUID in capitals or without hyphens, and a number as text, are those of their rows."""
    with Session(engine) as session:
        for number, form in enumerate((str.upper, lambda it: it.replace("-", ""))):
            spelled = form(str(uuid.uuid4()))
            number = f"0{number}" if engine.name == "sqlite" else number
            row = Spelled(id=spelled, number=number, text=MARKER)
            session.add(row)
            session.flush()
            session.expire(row)
            assert row.text == MARKER
            assert seal_values(Spelled, {"id": spelled, "number": number, "text": "x"})
        session.expunge_all()
        assert [row.text for row in session.scalars(select(Spelled))] == [MARKER] * 2


def test_no_literal_shows_a_value():
    """A plain value that shall become a literal is in no error, and no stored value in SQL."""
    for column, value in (("note_cell", MARKER), ("tag_index", MARKER.encode())):
        statement = update(Customer).values({column: value})
        with pytest.raises(UnsealedError, match="without literal_binds") as caught:
            statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
        assert "MARKER" not in "".join(traceback.format_exception(caught.value))


def test_a_row_that_gets_another_key(engine):
    """Its values are sealed anew for it, whether they were loaded or not; a copy is refused."""
    with Session(engine) as session:
        row = Customer(card=MARKER, note="n")
        session.add(row)
        session.commit()
        row.id = uuid.uuid4()
        assert row.note == "n"
        session.commit()
        assert (row.card, row.note) == (MARKER, "n")
        session.refresh(row)
        session.expunge(row)
        make_transient(row)
        row.id = uuid.uuid4()
        session.add(row)
        with pytest.raises(FieldError, match="decryption failed"):
            session.flush()
        session.rollback()
        fresh = Customer(id=uuid.uuid4(), card=MARKER)
        session.add(fresh)
        session.flush()
        session.rollback()
        fresh.id = uuid.uuid4()
        session.add(fresh)
        session.commit()
        assert fresh.card == MARKER


def test_a_moved_value_is_refused(engine):
    """A cell of another row, or of another column, does not open; one bound to the column does."""
    with Session(engine) as session:
        first, second = Customer(card=MARKER, tag="a"), Customer(tag="b")
        session.add_all([first, second])
        session.commit()
        session.execute(
            update(Customer)
            .where(Customer.id == second.id)
            .values(
                card_cell=first.card_cell,
                card_index=first.card_index,
                tag_cell=first.tag_cell,
                tag_index=first.tag_index,
            )
        )
        session.commit()
        assert second.tag == "a"
        with pytest.raises(FieldError, match=r"customers\.card_cell: decryption failed"):
            print(second.card)
        with pytest.raises(FieldError) as caught:
            open_all([first, second], "card")
        assert caught.value.index == 1


def test_a_stored_value_that_is_set_by_hand_replaces_none_unread(engine):
    """A cell that would not open where it is set is refused, and what was there stays."""
    with Session(engine) as session:
        first = Customer(card=MARKER, note="a note", tag="a")
        second = Customer(card="another", note="b")
        session.add_all([first, second])
        session.commit()
        for name, cell in (
            ("card_cell", second.card_cell),
            ("note_cell", first.card_cell),
            ("note_cell", Customer.card_cell),
        ):
            setattr(first, name, cell)
            with pytest.raises(FieldError, match=r"decryption failed|not what the database copies"):
                session.flush()
            session.rollback()
        for values in ({"note_cell": Customer.card_cell}, {Customer.tag_cell: Customer.note_cell}):
            with pytest.raises(UnsealedError, match="not what the database copies"):
                session.execute(update(Customer).values(values))
        first.card_cell = CIPHER.seal(MARKER, "customers", "card_cell", first.id)
        session.execute(update(Customer).values(note_cell=Customer.note_cell))
        session.commit()
        assert (first.card, first.note, first.tag) == (MARKER, "a note", "a")


def sealed_for(row, card):
    """Give the cell and the index of a card in a row."""
    made = seal_values(Customer, {"id": row.id, "card": card})
    return made["card_cell"], made["card_index"]


HERE = Customer.id == bindparam("here")
STALE = {
    "upsert": lambda s, row, new: s.execute(or_update(s, new).values(id=row.id, name="")),
    "upsert of the new row": lambda s, row, new: s.execute(
        or_update(s, lambda its: {"card_cell": its.card_cell}).values(
            id=row.id, name="", card_index=sealed_for(row, "new")[1], **new
        )
    ),
    "upsert of parameters": lambda s, row, new: s.execute(
        or_update(s, {"card_cell": new["card_cell"]}), [{"id": row.id, "name": ""}]
    ),
    "update": lambda s, _, new: s.execute(update(Customer).values(new)),
    "update of columns": lambda s, _, new: s.execute(
        update(Customer).values({Customer.card_cell: new["card_cell"]})
    ),
    "ordered update": lambda s, _, new: s.execute(
        update(Customer).ordered_values((Customer.name, "n"), ("card_cell", new["card_cell"]))
    ),
    "update of parameters": lambda s, row, new: s.execute(update(Customer), [{"id": row.id} | new]),
    "core update": lambda s, row, new: s.connection().execute(
        update(Customer.__table__).where(HERE), [{"here": row.id} | new]
    ),
    "named parameter": lambda s, _, new: s.connection().execute(
        update(Customer.__table__).values(card_cell=bindparam("to")), {"to": new["card_cell"]}
    ),
    "case": lambda s, row, new: s.execute(
        update(Customer).values(
            card_cell=case((Customer.id == row.id, literal(new["card_cell"], SealedType())))
        )
    ),
    "query": lambda s, _, new: s.query(Customer).update(new),
    "mappings": lambda s, row, new: s.bulk_update_mappings(Customer, [{"id": row.id} | new]),
    "new row": lambda s, _, new: s.execute(
        insert(Customer).values(id=uuid.uuid4(), name="", **new)
    ),
    "new rows": lambda s, _, new: s.execute(
        insert(Customer.__table__).values([{"id": uuid.uuid4(), "name": "", **new}])
    ),
    "new row of parameters": lambda s, _, new: s.connection().execute(
        insert(Customer.__table__), [{"id": uuid.uuid4(), "name": "", **new}]
    ),
    "new mappings": lambda s, _, new: s.bulk_insert_mappings(
        Customer, [{"id": uuid.uuid4(), "name": "", **new}]
    ),
}


@pytest.mark.parametrize("name", STALE)
def test_no_cell_is_written_without_its_index(engine, name):
    """Searches would miss the row: all statements refuse it, and nothing is written."""
    with Session(engine) as session:
        row = Customer(card="old")
        session.add(row)
        session.commit()
        before = raw(engine)
        with pytest.raises(FieldError, match="card would be written without its blind index"):
            STALE[name](session, row, {"card_cell": sealed_for(row, "new")[0]})
        session.rollback()
        assert raw(engine) == before
        assert session.scalars(select(Customer).where(Customer.card == "old")).all() == [row]


def test_objects_get_the_index_of_a_cell_that_is_set(engine):
    """A stored value that a program sets gets its index, and NULL has none."""
    with Session(engine) as session:
        row = Customer(card="old", tag="a")
        session.add(row)
        session.commit()
        row.card_cell = bytes(sealed_for(row, "set")[0])
        session.flush()
        key = uuid.uuid4()
        cell = bytes(seal_values(Customer, {"id": key, "card": "new"})["card_cell"])
        session.add(Customer(id=key, card_cell=cell))
        session.commit()
        for card, wanted in (("old", []), ("set", [row.id]), ("new", [key])):
            found = session.scalars(select(Customer).where(Customer.card == card))
            assert [each.id for each in found] == wanted
        row.card_cell = row.tag_cell = None  # its indexes are not loaded
        session.commit()
        assert (row.card_index, row.tag_index) == (None, None)
        row.card = "again"
        session.commit()
        row.card = "again"  # another cell, and the same index
        row.note = "x"
        session.commit()
        assert session.scalars(select(Customer).where(Customer.card == "again")).all() == [row]


COPIES = {
    "from_select": lambda s, _: s.execute(
        insert(Copied).from_select(
            ["id", "card_cell", "card_index"],
            select(Customer.id, Customer.card_cell, Customer.card_index),
        )
    ),
    "of another row": lambda s, _: s.connection().execute(
        insert(Customer.__table__).from_select(
            ["id", "name", "note_cell"],
            select(literal(uuid.uuid4(), Uuid()), Customer.name, Customer.note_cell),
        )
    ),
    "subquery": lambda s, _: s.execute(
        update(Customer).values(note_cell=select(Order.address_cell).limit(1).scalar_subquery())
    ),
    "function": lambda s, _: s.execute(
        update(Customer).values(note_cell=func.coalesce(Customer.note_cell, b"x"))
    ),
    "core update": lambda s, _: s.connection().execute(
        update(Customer.__table__).values(note_cell=Customer.__table__.c.card_cell)
    ),
    "another table": lambda s, _: s.execute(
        update(Customer).where(Copied.id == Customer.id).values(note_cell=Copied.note_cell)
    ),
    "case": lambda s, _: s.execute(
        update(Customer).values(note_cell=case((Customer.name == "", Customer.card_cell)))
    ),
    "upsert": lambda s, row: s.execute(
        or_update(s, {"note_cell": Customer.card_cell}).values(id=row.id, name="")
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_no_cell_is_copied_to_where_it_does_not_open(engine, name):
    """The database would copy it to another row, column or table."""
    with Session(engine) as session:
        row = Customer(card="old", note="a note")
        session.add(row)
        session.commit()
        before = raw(engine)
        with pytest.raises(UnsealedError, match="not what the database copies or computes"):
            COPIES[name](session, row)
        session.rollback()
        assert raw(engine) == before
        assert raw(engine, "copied") == []


def test_copies_that_open(engine):
    """Values that are bound to their column, or to chosen names, open where they are copied to."""
    with Session(engine) as session:
        row = Customer(card="old", tag="a")
        session.add(row)
        session.commit()
        other = uuid.uuid4()
        columns = ["id", "name", "tag_cell", "tag_index"]
        found = select(literal(other, Uuid()), *(getattr(Customer, name) for name in columns[1:]))
        short = found.with_only_columns(*list(found.selected_columns)[:3])
        with pytest.raises(FieldError, match="tag would be written without its blind index"):
            session.execute(insert(Customer).from_select(columns[:3], short))
        session.execute(insert(Customer).from_select(columns, found))
        named = [Customer.id, Customer.card_cell, Customer.card_index]
        kept = ["id", "kept_cell", "kept_index"]
        session.execute(insert(Copied).from_select(kept, select(*named).where(named[0] == row.id)))
        session.commit()
        found = session.scalars(select(Customer).where(Customer.tag == "a"))
        assert {each.id for each in found} == {row.id, other}
        [copied] = session.scalars(select(Copied).where(Copied.kept == "old"))
        assert (copied.id, copied.kept) == (row.id, "old")
        session.execute(delete(Copied))
        session.commit()


def test_upserts_that_conflict_elsewhere(engine):
    """The row that is there keeps its id, to which the new cell would not be bound."""
    with Session(engine) as session:
        row = Unique(id=1, name="a", card="old")
        session.add(row)
        session.commit()
        new = seal_values(Unique, {"id": 2, "card": "new"})
        statement = or_update(session, new, Unique, "name")
        with pytest.raises(FieldError, match="may conflict on the primary key only"):
            session.execute(statement.values(name="a", **new))
        session.rollback()
        assert session.scalars(select(Unique).where(Unique.card == "old")).all() == [row]
        session.delete(row)
        session.commit()


def test_savepoints(engine):
    """What is rolled back to a savepoint is the old value again."""
    with Session(engine) as session:
        row = Customer(note="old")
        session.add(row)
        session.flush()
        with session.begin_nested() as point:
            row.note = MARKER
            session.flush()
            point.rollback()
        session.commit()
        assert row.note == "old"


# ---- Finding ----


@pytest.fixture
def session(engine):
    """Give a session with some rows; an index of 8 bits finds many of them wrongly."""
    with Session(engine) as session:
        session.add_all([Customer(name=str(n), card=f"{n} 1", tag=f"t{n}") for n in range(600)])
        session.add(Customer(name="none"))
        session.commit()
        yield session


def names_of(session, statement):
    """Give the sorted names of rows."""
    return sorted(row.name for row in session.scalars(statement))


def test_rows_are_found_and_compared(session):
    """Equality, lists and NULL find exactly the right rows, however short the index is."""
    assert names_of(session, select(Customer).where(Customer.card == "71")) == ["7"]
    assert names_of(session, select(Customer).where(Customer.tag == "t7")) == ["7"]
    tags = select(Customer).where(Customer.tag.in_(["t7", "t8", "other"]))
    assert names_of(session, tags) == ["7", "8"]
    assert names_of(session, tags.where(Customer.name == "8")) == ["8"]
    both = tags.where(Customer.card == "8 1")
    assert names_of(session, both) == ["8"]
    for nothing in (Customer.card.is_(None), Customer.card == None):  # noqa: E711
        assert names_of(session, select(Customer).where(nothing)) == ["none"]
    assert session.scalar(select(func.count()).where(Customer.card.is_not(None))) == 600
    assert names_of(session, select(Customer).filter_by(tag="t9")) == ["9"]
    assert [row.name for row in session.query(Customer).filter(Customer.tag == "t7")] == ["7"]
    assert names_of(session, select(Customer).where(Customer.tag.in_([]))) == []
    assert (
        session.execute(select(Customer, Customer.name).where(Customer.tag == "t7")).one()[1] == "7"
    )


def test_aliases_and_joins(session):
    """An alias is compared as itself, and a row that an outer join lacks is left out."""
    other = aliased(Customer)
    assert names_of(session, select(other).where(other.tag == "t7")) == ["7"]
    pair = select(Customer, other).join(other, other.name == Customer.name).where(other.tag == "t7")
    assert [(a.name, b.name) for a, b in session.execute(pair)] == [("7", "7")]


def test_an_index_that_was_moved_finds_nothing(session):
    """Who writes to the database cannot make a search answer with another row."""
    [row] = session.scalars(select(Customer).where(Customer.name == "7"))
    session.execute(
        text("UPDATE customers SET card_index = :i WHERE name = '8'"), {"i": row.card_index}
    )
    assert names_of(session, select(Customer).where(Customer.card == "7 1")) == ["7"]


def test_a_damaged_row_under_the_index_is_not_left_out(session):
    """A search raises rather than answer without a row that may have the value."""
    other = seal_values(Customer, {"id": uuid.uuid4(), "card": "x"})["card_cell"]
    change = text("UPDATE customers SET card_cell = :cell WHERE name = '8'")
    session.execute(change, {"cell": bytes(other)})
    assert names_of(session, select(Customer).where(Customer.card == "7 1")) == ["7"]
    with pytest.raises(FieldError, match="decryption failed"):
        session.scalars(select(Customer).where(Customer.card == "8 1"))


@pytest.mark.parametrize(
    "statement",
    [
        select(Customer).where(or_(Customer.tag == "t7", Customer.name == "8")),
        select(Customer).where(not_(Customer.tag == "t7")),
        select(Customer.id).where(Customer.tag == "t7"),
        select(func.count()).where(Customer.tag == "t7"),
        select(Customer).where(Customer.tag == "t7").limit(1),
        select(Customer).where(Customer.tag == "t7").offset(1),
        select(Customer).where(Customer.id.in_(select(Customer.id).where(Customer.tag == "t7"))),
        delete(Customer).where(Customer.tag == "t7"),
        update(Customer).where(Customer.tag == "t7").values(name="x"),
    ],
    ids=str,
)
def test_a_criterion_that_could_not_be_compared(session, statement):
    """Where found rows are not opened, the criterion is refused rather than trusted."""
    with pytest.raises(UnsealedError, match="found rows are opened"):
        session.execute(statement)
    with pytest.raises(UnsealedError, match="found rows are opened"):
        session.connection().execute(select(Customer).where(Customer.tag == "t7"))


@pytest.mark.parametrize(
    "use",
    [
        *(lambda c: c != "x", lambda c: c < "x", lambda c: c >= "x", lambda c: c.like("x")),
        *(lambda c: c.desc(), lambda c: select(c), lambda c: select(Customer).order_by(c)),
        *(
            lambda c: func.lower(c),
            lambda c: c.is_("x"),
            lambda c: c.is_not("x"),
            lambda c: bool(c),
        ),
        *(lambda c: c + "x", lambda c: c.between("a", "b"), lambda c: c.in_([None])),
        *(lambda _: Customer.note == "x", lambda c: c == 5),
    ],
)
def test_what_the_database_cannot_do(use):
    """Ranges, patterns and sorting raise; WHERE never gets what Python makes of them."""
    with pytest.raises(FieldError):
        use(Customer.card)
    assert not hasattr(Customer.card, "_anything")
    assert isinstance(hash(Customer.card), int)


# ---- The rest ----


def test_a_page_of_rows_in_one_call(session):
    """All values come at once, also those that wait and NULL."""
    rows = session.scalars(select(Customer).order_by(Customer.name)).all()
    waiting = Customer(card=MARKER)
    assert open_all([*rows, waiting], "card") == [*(row.card for row in rows), MARKER]
    assert open_all([], "card") == []
    cards = [row.card for row in rows]
    session.expire(rows[0])
    assert open_all(rows, "card") == cards
    with pytest.raises(FieldError, match="no sealed attribute 'name'"):
        open_all(rows, "name")


def test_keys_change(session, monkeypatch):
    """Rows are found under old and new index keys, and read under old and new keys."""
    for name, ring in list(RINGS.items()):
        added = ring.add()
        monkeypatch.setitem(RINGS, name, added.promote(added.ids[-1]))
    session.add(Customer(name="new", card="71"))
    session.commit()
    assert names_of(session, select(Customer).where(Customer.card == "71")) == ["7", "new"]


def test_names_that_stay(engine):
    """A value written under chosen names opens under them, whatever table or column it is in."""

    class Renamed(Base):
        __tablename__ = "renamed"
        __table_args__ = {"extend_existing": True}  # noqa: RUF012
        id: Mapped[int] = mapped_column(primary_key=True)
        old_cell: Mapped[bytes | None] = sealed_column()
        cell: Mapped[bytes | None] = sealed_column()
        card = sealed(CIPHER, "cell", names=("customers", "card"))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Renamed(id=7, card=MARKER))
        session.execute(update(Renamed).values(old_cell=Renamed.cell, cell=None))
        session.execute(update(Renamed).values(cell=Renamed.old_cell))
        session.commit()
        [(_, old_cell, cell)] = raw(engine, "renamed")
        assert CIPHER.open(cell, "customers", "card", 7) == MARKER
        assert cell == old_cell
    Base.metadata.remove(Renamed.__table__)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: index_column(bits=64, unique=True), "needs 96 bits"),
        (lambda: sealed(RINGS["ring"], "cell"), "must be a FieldCipher"),
    ],
)
def test_wrong_declarations(make, text):
    """They are refused where they are made."""
    with pytest.raises(FieldError, match=text):
        make()


def test_the_columns_of_mysql():
    """An index has a type that MySQL and MariaDB can index."""
    made = str(CreateTable(Customer.__table__).compile(dialect=mysql.dialect()))
    assert "card_index VARBINARY(12)" in made
    assert "card_cell LONGBLOB" in made


def test_other_classes_are_left_alone(engine):
    """A class without sealed attributes is written and read as before."""

    class Plain(DeclarativeBase):
        pass

    class Thing(Plain):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)

    Plain.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Thing())
        session.execute(insert(Thing), [{"id": 7}])
        session.commit()
        assert session.scalars(select(Thing.id)).all() == [1, 7]
