# SPDX-License-Identifier: Apache-2.0
"""Rotation killed at random points beside four writers: nothing is lost or encrypted twice."""

import itertools
import multiprocessing
import os
import random
import signal
import time

import pytest
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pythemis.fields import FieldCipher
from pythemis.fields.sqlalchemy import rewrite, rows_to_rewrite, sealed, sealed_column
from pythemis.keyring import Keyring

RING = Keyring.new("shop")
for _ in range(6):
    RING = RING.add()
RINGS = {"ring": RING}
CIPHER = FieldCipher(lambda: RINGS["ring"])
ROWS, WRITERS, BATCH = 600, 4, 20

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes with these keys are forked"),
]


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "killed"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    card_cell: Mapped[bytes | None] = sealed_column()
    note_cell: Mapped[bytes | None] = sealed_column()
    card = sealed(CIPHER, "card_cell")
    note = sealed(CIPHER, "note_cell", bind="column")


def write(address, number, stopping, log):
    """Change rows of its own, under the first key, and log each change once it is committed."""
    own, engine = random.Random(number), create_engine(address)
    with log.open("w") as lines:
        count = 0
        while not stopping.is_set():
            count += 1
            key = own.randrange(ROWS // WRITERS) * WRITERS + number
            try:
                with Session(engine) as session, session.begin():
                    setattr(session.get(Row, key), own.choice(["card", "note"]), f"new {count}")
                    changed = session.get(Row, key)
                    line = f"{key} {changed.card} / {changed.note}\n"
            except Exception as error:
                if "Record has changed since last read" in str(error):
                    continue  # MariaDB says so to programs that read before they write
                raise
            lines.write(line)
            lines.flush()
            time.sleep(own.random() * 0.01)


def rotate(engine):
    """Rotate as the package does it."""
    rewrite(engine, Row, batch=BATCH)


def rotate_by_offset(engine):
    """Rotate as it is often done at home: OFFSET, and an UPDATE that does not compare."""
    table, field = Row.__table__, CIPHER.field("killed", "card_cell")
    for offset in range(0, ROWS, BATCH):
        with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            found = connection.execute(
                select(table.c.id, table.c.card_cell)
                .where(func.substr(table.c.card_cell, 1, 8) != field.prefix())
                .order_by(table.c.id)
                .limit(BATCH)
                .offset(offset)
            ).all()
            for key, cell in found:
                new = field.rotate(cell, key)
                connection.execute(update(table).where(table.c.id == key).values(card_cell=new))


def started(target, *arguments):
    """Start a process that has the keys of this one."""
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    process.start()
    return process


def run(address, way, beginning):
    """Begin, say so, and rotate."""
    engine = create_engine(address)
    with engine.connect():
        beginning.set()
    way(engine)


def problems_of(address, way, kills, folder, seed):
    """Rotate beside writers, killed so many times; return what is wrong afterwards."""
    rng, engine, fork = (
        random.Random(seed),
        create_engine(address),
        multiprocessing.get_context("fork"),
    )
    RINGS["ring"] = RING
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Row(id=n, card=f"card {n}", note=f"note {n}") for n in range(ROWS)])
        session.commit()
    engine.dispose()
    stopping = fork.Event()
    logs = [folder / f"{number}.log" for number in range(WRITERS)]
    writers = [started(write, address, n, stopping, log) for n, log in enumerate(logs)]
    killed, tries, longest = 0, 0, 0.2
    keys = itertools.cycle(RING.ids[1:])
    is_done = True
    try:
        while killed < kills:
            if is_done or killed % 10 == 0:
                RINGS["ring"] = RINGS["ring"].promote(next(keys))
            beginning = fork.Event()
            rotating = started(run, address, way, beginning)
            assert beginning.wait(60)
            time.sleep(rng.random() * longest)
            os.kill(rotating.pid, signal.SIGKILL)
            rotating.join()
            is_done = rotating.exitcode != -signal.SIGKILL
            killed += not is_done
            longest *= 0.8 if is_done else 1.1  # so that about one in three comes to its end
            tries += 1
            assert tries < 10 * kills
    finally:
        stopping.set()
        for writer in writers:
            writer.join()
    assert all(writer.exitcode == 0 for writer in writers)
    way(engine)
    found = read(engine)
    expected = {n: f"card {n} / note {n}" for n in range(ROWS)}
    for log in logs:
        lines = log.read_text().splitlines()
        assert lines
        expected |= {int(key): value for key, _, value in (line.partition(" ") for line in lines)}
    wrong = [key for key in expected if found.get(key) != expected[key]]
    left = [rows_to_rewrite(engine, Row, name) for name in ("card", "note")]
    engine.dispose()
    return wrong, left


def read(engine):
    """Give what the rows hold; what cannot be read is left out."""
    with Session(engine) as session:
        return {row.id: f"{row.card} / {row.note}" for row in session.scalars(select(Row))}


@pytest.fixture(params=["postgresql", "mariadb"])
def address(request):
    """Give the address of a server."""
    return request.getfixturevalue(f"{request.param}_address")


@pytest.mark.slow
def test_a_rotation_that_is_killed(address, tmp_path):
    """Every update is there, every value opens, and none is left under an older key."""
    assert problems_of(address, rotate, 5, tmp_path, seed=1) == ([], [0, 0])


@pytest.mark.slow
def test_the_check_finds_a_rotation_by_offset(address, tmp_path):
    """Of a loop with OFFSET the same check tells that it skips rows."""
    _, left = problems_of(address, rotate_by_offset, 2, tmp_path, seed=1)
    assert left[0] > 0


@pytest.mark.evidence
def test_a_rotation_that_is_killed_fifty_times(address, tmp_path):
    """The same, fifty times, while keys are promoted at least five times."""
    assert problems_of(address, rotate, 50, tmp_path, seed=2) == ([], [0, 0])
