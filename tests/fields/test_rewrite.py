# SPDX-License-Identifier: Apache-2.0
"""Rewriting stored values beside writers: nothing is lost, nothing is encrypted twice."""

import random
import threading
import time
import types

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    String,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pythemis.fields import FieldCipher, FieldError, _retries
from pythemis.fields.sqlalchemy import (
    _rewrite,
    index_column,
    rewrite,
    rows_to_rewrite,
    sealed,
    sealed_column,
)
from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal

OLD, OLD_INDEX = Keyring.new("shop").add(), Keyring.new("shop-index").add()
NEW, NEW_INDEX = OLD.add(), OLD_INDEX.add()
NEW, NEW_INDEX = NEW.promote(NEW.ids[-1]), NEW_INDEX.promote(NEW_INDEX.ids[-1])
RINGS = {}
CIPHER = FieldCipher(lambda: RINGS["ring"], index_key=lambda: RINGS["index"])


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "entries"
    part: Mapped[str] = mapped_column(String(9), primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96)
    note_cell: Mapped[bytes | None] = sealed_column()
    plain: Mapped[str | None] = mapped_column(
        String(50).with_variant(String(50, collation="NOCASE"), "sqlite")
    )
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    card = sealed(CIPHER, "card_cell", index="card_index")
    note = sealed(CIPHER, "note_cell", bind="column")


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(9))
    name_cell: Mapped[bytes | None] = sealed_column()
    name = sealed(CIPHER, "name_cell")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "person"}  # noqa: RUF012


class Doctor(Person):
    """It has a table of its own, joined to that of people."""

    __tablename__ = "doctors"
    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    licence_cell: Mapped[bytes | None] = sealed_column()
    licence = sealed(CIPHER, "licence_cell")
    __mapper_args__ = {"polymorphic_identity": "doctor"}  # noqa: RUF012


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(it, marks=pytest.mark.integration) for it in ("postgresql", "mariadb")),
    ]
)
def engine(request, tmp_path):
    """Give a database with rows under the old keys; the new ones are in use."""
    RINGS.update(ring=OLD, index=OLD_INDEX)
    address = f"sqlite:///{tmp_path}/rows.db?timeout=60"
    if request.param != "sqlite":
        address = request.getfixturevalue(f"{request.param}_address")
    engine = create_engine(address, hide_parameters=True)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        keys = [(part, n) for part in "ab" for n in range(60)]
        session.add_all([Row(part=p, id=n, card=f"card {p} {n}", note="note") for p, n in keys])
        session.add(Row(part="c", id=0))
        session.commit()
    RINGS.update(ring=NEW, index=NEW_INDEX)
    yield engine
    engine.dispose()


def cells(engine):
    """Give what the database has."""
    table = Row.__table__
    query = select(table.c.part, table.c.id, table.c.card_cell, table.c.card_index)
    with engine.connect() as connection:
        return {
            (row.part, row.id): (row.card_cell, row.card_index) for row in connection.execute(query)
        }


def values(engine):
    """Give the cards of all rows."""
    with Session(engine) as session:
        return {(row.part, row.id): row.card for row in session.scalars(select(Row))}


def test_rotation(engine):
    """All values come under the new keys, once; a second time nothing is left to do."""
    before = values(engine)
    assert rows_to_rewrite(engine, Row, "card") == 120
    tried = rewrite(engine, Row, dry_run=True)
    assert (tried.rows, tried.rewritten) == (120, 240)
    assert rows_to_rewrite(engine, Row, "card") == 120
    seen = []
    done = rewrite(engine, Row, batch=7, progress=seen.append)
    assert (done.rows, done.rewritten, done.failed) == (120, 240, 0)
    assert [each.rows for each in seen] == [*range(7, 120, 7), 120]
    assert rows_to_rewrite(engine, Row, "card") == rows_to_rewrite(engine, Row, "note") == 0
    made = cells(engine)
    assert values(engine) == before
    assert rewrite(engine, Row).rewritten == 0
    assert cells(engine) == made
    with Session(engine) as session:
        RINGS["index"] = NEW_INDEX.retire(OLD_INDEX.ids[0]).remove(OLD_INDEX.ids[0])
        [found] = session.scalars(select(Row).where(Row.card == "card b 7"))
        assert found.id == 7


def test_a_position_is_kept_in_the_same_transaction(engine):
    """What stops between two batches goes on where the stored position says."""
    positions = []

    def stop(_connection, progress):
        positions.append(progress.position)
        if len(positions) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rewrite(engine, Row, batch=10, checkpoint=stop)
    assert positions[:2] == [("a", 9), ("a", 19)]
    assert rows_to_rewrite(engine, Row, "card") == 100  # the third was rolled back
    assert rewrite(engine, Row, batch=50, after=positions[1]).rows == 100
    assert rows_to_rewrite(engine, Row, "card") == 0


def test_new_indexes_alone(engine):
    """Where only the index key changed, cells stay and every index is made anew."""
    RINGS.update(ring=OLD)
    before = cells(engine)
    assert rewrite(engine, Row, ["card"]).rewritten == 0
    assert rewrite(engine, Row, ["card"], reindex=True, batch=50).rewritten == 120
    after = cells(engine)
    assert {key: cell for key, (cell, _) in after.items()} == {k: c for k, (c, _) in before.items()}
    assert not {index for _, index in after.values() if index} & {i for _, i in before.values()}
    assert rewrite(engine, Row, ["card"], reindex=True).rewritten == 0


@pytest.mark.parametrize("bare", [False, True], ids=["columns", "bare cells"])
def test_from_other_formats(engine, bare):
    """Plain text, Fernet tokens and bare cells are sealed and removed, beside sealed values."""
    fernet, cell = Fernet(Fernet.generate_key()), SCellSeal(b"old key")
    table = Row.__table__
    with engine.begin() as connection:
        for n in range(60):
            column = ("card_cell", "plain", "token")[n % 3]
            raw = (None, f"card a {n}", fernet.encrypt(f"card a {n}".encode()))[n % 3]
            if column == "card_cell":
                continue
            connection.execute(
                update(table)
                .where(table.c.part == "a", table.c.id == n)
                .values({"card_cell": None, "card_index": None, column: raw})
            )
        if bare:
            raw = cell.encrypt(b"card a 3", b"a 3")
            query = "UPDATE entries SET card_cell = :raw WHERE part = 'a' AND id = 3"
            connection.execute(text(query), {"raw": raw})
    if bare:
        read = lambda raw, part, n: cell.decrypt(raw, f"{part} {n}".encode()).decode()  # noqa: E731
        rewrite(engine, Row, sources={"card": ("card_cell", read)})
    rewrite(engine, Row, sources={"card": ("plain", lambda raw, *_: raw)}, batch=9)
    rewrite(engine, Row, sources={"card": ("token", lambda raw, *_: fernet.decrypt(raw).decode())})
    expected = {(p, n): f"card {p} {n}" for p in "ab" for n in range(60)}
    assert values(engine) == expected | {("c", 0): None}
    with engine.connect() as connection:
        left = connection.execute(select(table.c.plain, table.c.token).distinct()).all()
    assert left == [(None, None)]
    with Session(engine) as session:
        assert session.scalars(select(Row).where(Row.card == "card a 4")).one().id == 4


def test_a_source_whose_value_is_not_read_is_kept(engine):
    """A function that returns nothing, as one that forgot it does, loses no value."""
    table = Row.__table__
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.part == "c").values(plain="a value"))
    sources = {"note": ("plain", lambda _raw, *_key: None)}
    with pytest.raises(FieldError, match="returned None for a value"):
        rewrite(engine, Row, ["note"], sources=sources)
    failures = []
    rewrite(engine, Row, ["note"], sources=sources, on_error=lambda key, _: failures.append(key))
    assert failures == [("c", 0)]
    with engine.connect() as connection:
        query = select(table.c.plain).where(table.c.part == "c")
        assert connection.execute(query).scalar_one() == "a value"


def test_a_row_with_a_source_and_a_value(engine):
    """Which of the two is newer is not known: both stay, and the row is told of."""
    with engine.begin() as connection:
        where = update(Row.__table__).where(Row.part == "a", Row.id == 7)
        connection.execute(where.values(plain="newer"))
    sources, told = {"card": ("plain", lambda raw, *_: raw)}, []
    done = rewrite(engine, Row, ["card"], sources=sources, on_error=lambda *each: told.append(each))
    [(key, error)] = told
    assert (key, done.failed, done.rewritten) == (("a", 7), 1, 120)
    assert "and the source too" in error.message
    with Session(engine) as session:
        row = session.get(Row, ("a", 7))
        assert (row.card, row.plain) == ("card a 7", "newer")


def test_a_source_that_changes_in_case_alone(engine, monkeypatch):
    """Texts that are equal in another case, as those of MariaDB are: none is lost meanwhile."""
    where = update(Row.__table__).where(Row.part == "c")
    with engine.begin() as connection:
        connection.execute(where.values(plain="card"))
    write, writers = _rewrite.write, []

    def update_it():
        with engine.begin() as connection:
            connection.execute(where.values(plain="CARD"))

    def beside(*arguments):
        if not writers:
            writers.append(threading.Thread(target=update_it))
            writers[0].start()
            writers[0].join(1)  # or it waits for the row
        return write(*arguments)

    monkeypatch.setattr(_rewrite, "write", beside)
    rewrite(engine, Row, ["card"], sources={"card": ("plain", lambda raw, *_: raw)}, on_error=print)
    writers[0].join()
    with Session(engine) as session:
        row = session.get(Row, ("c", 0))
        assert "CARD" in (row.card, row.plain)


def test_what_is_damaged_is_told_and_skipped(engine):
    """A value that does not open stops the work, or is reported with its key and left."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE entries SET card_cell = (SELECT card_cell FROM entries WHERE part='b' AND id=0)"
            " WHERE part='a' AND id=5"
        )
    before = cells(engine)[("a", 5)]
    with pytest.raises(FieldError, match=r"entries\.card_cell: decryption failed"):
        rewrite(engine, Row)
    failures = []
    done = rewrite(engine, Row, on_error=lambda key, error: failures.append((key, type(error))))
    assert (failures, done.failed) == ([(("a", 5), FieldError)], 1)
    assert cells(engine)[("a", 5)] == before
    assert rows_to_rewrite(engine, Row, "card") == 1


def test_a_row_that_changes_meanwhile_keeps_its_new_value(engine, monkeypatch):
    """A value that another program wrote is not overwritten; the row's others are written anew."""
    from pythemis.fields.sqlalchemy import _rewrite

    real = _rewrite.write
    old = FieldCipher(OLD).seal("new", "entries", "card_cell", "a", 3)

    def write(connection, job, keys, changes):
        if ("a", 3) in keys:
            change = "UPDATE entries SET card_cell = :cell WHERE part = 'a' AND id = 3"
            connection.execute(text(change), {"cell": old})
        real(connection, job, keys, changes)

    monkeypatch.setattr(_rewrite, "write", write)
    monkeypatch.setattr(_rewrite, "_PASSES", 1)
    rewrite(engine, Row)
    assert values(engine)[("a", 3)] == "new"
    assert cells(engine)[("a", 3)][0] == old
    assert [rows_to_rewrite(engine, Row, name) for name in ("card", "note")] == [1, 0]


def test_classes_that_inherit_by_a_join(engine):
    """Each table is rewritten through the class that declares its columns."""
    RINGS.update(ring=OLD)
    with Session(engine) as session:
        session.add_all([Doctor(id=n, name=f"name {n}", licence=f"licence {n}") for n in (1, 2, 3)])
        session.commit()
    RINGS.update(ring=NEW)
    with pytest.raises(FieldError, match="another table"):
        rewrite(engine, Doctor)
    assert rewrite(engine, Doctor, ["licence"]).rewritten == 3
    assert rewrite(engine, Person).rewritten == 3
    with Session(engine) as session:
        found = [(each.name, each.licence) for each in session.scalars(select(Doctor))]
    assert found == [(f"name {n}", f"licence {n}") for n in (1, 2, 3)]
    assert [rows_to_rewrite(engine, *what) for what in ((Doctor, "licence"), (Person, "name"))] == [
        0,
        0,
    ]


def test_the_rate_is_limited(engine):
    """120 rows at 600 a second take a fifth of one."""
    started = time.monotonic()
    rewrite(engine, Row, rows_per_second=600, batch=20)
    assert time.monotonic() - started > 0.15


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": 0}, "batch"),
        ({"names": "card"}, "list of names"),
        ({"names": ["plain"]}, "no sealed attribute 'plain'"),
        ({"sources": {"card": ("nothing", str)}}, "no column 'nothing'"),
    ],
)
def test_wrong_arguments(engine, options, text):
    """They are refused before anything is read."""
    with pytest.raises(FieldError, match=text):
        rewrite(engine, Row, **options)


def test_plain_sources_stay_out_of_logs():
    """An engine that would show parameters is refused where they are plain text."""
    with pytest.raises(FieldError, match="hide_parameters=True"):
        rewrite(create_engine("sqlite://"), Row, sources={"card": ("plain", str)})


WAITING = {  # whether a transaction waits for another one, which is not ours
    "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
    "mariadb": "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'",
}


def cross(writer, engine, errors):
    """Write a row of a transaction that waits for a row of ours, and commit."""
    deadline = time.monotonic() + 30
    with engine.connect() as looking:
        while time.monotonic() < deadline:
            if errors or (
                engine.dialect.name in WAITING
                and looking.execute(text(WAITING[engine.dialect.name])).scalar_one()
            ):
                break
            looking.rollback()
            time.sleep(0.15)  # MariaDB looks again if it was not asked for a tenth of a second
    writer.execute(text("UPDATE entries SET plain = 'crossed' WHERE part = 'a' AND id < 10"))
    writer.commit()


@pytest.fixture
def crossed(engine, monkeypatch):
    """Give the errors of a rewrite that deadlocks with the transaction of a writer.

    The writer has one row and takes ten when the rewrite waits for it; the database ends that of
    the rewrite. SQLite, where one transaction writes at a time, refuses it at once. Whatever this
    machine does besides, the writer has its turn before the next try.
    """
    with engine.begin() as connection:  # a value that is refused, each time the batch is tried
        query = "UPDATE entries SET note_cell = card_cell WHERE part = 'a' AND id = 9"
        connection.execute(text(query))
    errors, name = [], engine.dialect.name
    event.listen(engine, "handle_error", lambda context: errors.append(context.original_exception))
    if name == "sqlite":
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 0"))
    if name == "postgresql":  # a wait looks for a deadlock once: by then the writer must wait too
        late = "SET deadlock_timeout = '4s'"
        event.listen(engine, "connect", lambda raw, _: (raw.cursor().execute(late), raw.commit()))
    engine.dispose()  # connections that are open have other limits
    with create_engine(engine.url).connect() as writer:
        if name == "postgresql":
            writer.execute(text("SET deadlock_timeout = '60s'"))  # it is not the one that ends
        # MariaDB ends the transaction that has changed less.
        writer.execute(text("UPDATE entries SET plain = 'b' WHERE part = 'b'"))
        writer.execute(text("UPDATE entries SET plain = 'held' WHERE part = 'a' AND id = 5"))
        thread = threading.Thread(target=cross, args=(writer, create_engine(engine.url), errors))
        pause = types.SimpleNamespace(sleep=lambda _: thread.join(60))
        monkeypatch.setattr(_retries, "time", pause)
        thread.start()
        yield errors
        thread.join()


def test_a_batch_that_deadlocks_is_tried_again(engine, crossed):
    """The database ends a batch for the sake of a writer; then all is rewritten, and told once."""
    failures = []
    before = values(engine)
    rewrite(engine, Row, batch=10, on_error=lambda key, _: failures.append(key))
    assert len(crossed) >= 1
    assert values(engine) == before
    assert rows_to_rewrite(engine, Row, "card") == 0
    assert failures == [("a", 9)]
    with engine.connect() as connection:
        query = "SELECT count(*) FROM entries WHERE plain = 'crossed'"
        assert connection.execute(text(query)).scalar_one() == 10


def test_a_database_that_stays_locked(tmp_path):
    """What does not pass ends the work after six tries, with the error of the database."""
    engine = create_engine(f"sqlite:///{tmp_path}/rows.db", connect_args={"timeout": 0})
    RINGS.update(ring=OLD, index=OLD_INDEX)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Row(part="a", id=1, card="card"))
        session.commit()
    RINGS.update(ring=NEW, index=NEW_INDEX)
    errors = []
    event.listen(engine, "handle_error", errors.append)
    with create_engine(engine.url).connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="database is locked"):
            rewrite(engine, Row)
    assert len(errors) == 6
    rewrite(engine, Row)
    assert rows_to_rewrite(engine, Row, "card") == 0


class _Killed(BaseException):
    """What ends a rewrite at some point."""


def rotate_beside_writers(engine, seed, kills, seconds):
    """Rotate, killed at random points, while four writers change rows; check every update."""
    rng = random.Random(seed)
    written, stopping, failures = {}, threading.Event(), []

    def write(number):
        own = random.Random(number)
        count = 0
        while not stopping.is_set():
            key = ("ab"[number % 2], own.randrange(number // 2 * 30, number // 2 * 30 + 30))
            count += 1
            try:
                with Session(engine) as session, session.begin():
                    session.get(Row, key).card = f"{number} {count}"
                written[key] = f"{number} {count}"
            except Exception as error:  # noqa: BLE001 -- the test shows it
                if "Record has changed since last read" in str(error):
                    continue  # MariaDB says so to programs that read before they write
                failures.append(error)
                return
            time.sleep(own.random() * 0.02)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    ends = time.monotonic() + seconds
    try:
        for _ in range(kills):
            left = rng.randrange(1, 12)

            def point(*_):
                nonlocal left
                left -= 1
                if left <= 0:
                    raise _Killed

            try:
                rewrite(engine, Row, batch=5, checkpoint=point, progress=point)
            except _Killed:
                continue
        rewrite(engine, Row, batch=5)
        time.sleep(max(0.0, min(0.3, ends - time.monotonic())))
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert written
    found = values(engine)
    assert {key: found[key] for key in written} == written
    assert rows_to_rewrite(engine, Row, "card") == 0
    assert all(found[key].startswith("card ") for key in found.keys() - written - {("c", 0)})


def test_rotation_beside_writers(engine):
    """Killed a few times beside four writers, it loses no update and leaves all readable."""
    rotate_beside_writers(engine, seed=1, kills=5, seconds=1)


@pytest.mark.evidence
@pytest.mark.parametrize("seed", range(10))
def test_rotation_beside_writers_for_long(engine, seed):
    """The same, killed fifty times, with ten seeds."""
    rotate_beside_writers(engine, seed=seed, kills=50, seconds=5)
