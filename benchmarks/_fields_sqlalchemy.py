# SPDX-License-Identifier: Apache-2.0
"""What benchmarks/fields.py measures of SQLAlchemy: plain, sealed, and with sqlalchemy-utils."""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

from fields import FLOOR, INDEXED, OURS, PLAIN, THEIRS, Library, as_long_as_a_cell
from sqlalchemy import String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy_utils import StringEncryptedType
from sqlalchemy_utils.types.encrypted.encrypted_type import AesGcmEngine

from pythemis.fields import FieldCipher
from pythemis.fields.sqlalchemy import index_column, open_all, rewrite, sealed, sealed_column
from pythemis.keyring import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "SQLAlchemy"
WRITERS = 4
RINGS = {"ring": Keyring.new("shop").add(), "index": Keyring.new("shop-index").add()}
CIPHER = FieldCipher(lambda: RINGS["ring"], index_key=lambda: RINGS["index"])


class Base(DeclarativeBase):
    """All tables have an id that the program makes, a number, a name, and two texts."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    number: Mapped[int] = mapped_column(index=True)
    name: Mapped[str]


class Plain(Base):
    """Two columns of text."""

    __tablename__ = "plain"
    card: Mapped[str | None]
    note: Mapped[str | None]


class Bytes(Base):
    """Two columns of bytes, which are as long as cells."""

    __tablename__ = "bytes"
    card: Mapped[bytes | None]
    note: Mapped[bytes | None]


class Sealed(Base):
    """Two sealed fields."""

    __tablename__ = "sealed"
    card_cell: Mapped[bytes | None] = sealed_column()
    note_cell: Mapped[bytes | None] = sealed_column()
    card = sealed(CIPHER, "card_cell")
    note = sealed(CIPHER, "note_cell")


class Indexed(Base):
    """Two sealed fields, of which one has a blind index."""

    __tablename__ = "indexed"
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=64)
    note_cell: Mapped[bytes | None] = sealed_column()
    card = sealed(CIPHER, "card_cell", index="card_index")
    note = sealed(CIPHER, "note_cell")


class Theirs(Base):
    """Two encrypted columns of sqlalchemy-utils, with its AES-GCM."""

    __tablename__ = "theirs"
    card: Mapped[str | None] = mapped_column(StringEncryptedType(String, "a key", AesGcmEngine))
    note: Mapped[str | None] = mapped_column(StringEncryptedType(String, "a key", AesGcmEngine))


KINDS: dict[str, Any] = {PLAIN: Plain, FLOOR: Bytes, OURS: Sealed, INDEXED: Indexed, THEIRS: Theirs}


@contextlib.contextmanager
def tables(address: str) -> Iterator[Library]:
    """Give what is done with each table."""
    folder = address.partition("unix_sock=")[2].rpartition("/")[0]
    engine = engine_of(address := f"postgresql+psycopg://shop@/postgres?host={folder}")
    Base.metadata.create_all(engine)
    try:
        with engine.connect() as connection:  # the one that is used again and again
            backend = connection.scalar(select(func.pg_backend_pid()))
        works_of = {name: works(engine, kind) for name, kind in KINDS.items()}
        yield Library(works_of, backend, lambda: rotate(engine, address))
    finally:
        engine.dispose()


def engine_of(address: str) -> Any:
    """Return an engine with one connection."""
    return create_engine(address, pool_size=1, max_overflow=0)


def works(engine: Any, kind: Any) -> dict[str, Callable[[range], object]]:
    """Give what is done with one table, by the names that the goals have."""
    made: Any = as_long_as_a_cell if kind is Bytes else str

    def texts(n: int) -> dict[str, Any]:
        return {"card": made(f"{n:016}"), "note": made(f"the note of customer {n}")}

    def page(session: Session, part: range) -> list[Any]:
        query = select(kind).where(kind.number >= part.start, kind.number < part.stop)
        return list(session.scalars(query))

    def insert(part: range) -> None:
        with Session(engine) as session:
            session.add_all([kind(number=n, name="Zoë", **texts(n)) for n in part])
            session.commit()

    def load(part: range) -> None:
        with Session(engine) as session:
            page(session, part)

    def load_and_open(part: range) -> None:
        with Session(engine) as session:
            rows = page(session, part)
            if kind in (Sealed, Indexed):
                open_all(rows, "card")
                open_all(rows, "note")
            else:
                [(row.card, row.note) for row in rows]

    def update(part: range) -> None:
        with Session(engine) as session:
            for row in page(session, part):
                row.note = made("another note")
            session.commit()

    done = {"insert": insert, "load": load, "load, open all": load_and_open, "update": update}
    return dict(done)


def rotate(engine: Any, address: str) -> int:
    """Write all rows under a new key, beside programs that write; return how many there were."""
    ring = RINGS["ring"].add()
    RINGS["ring"] = ring.promote(ring.ids[-1])
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=(address, n), daemon=True) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        return rewrite(engine, Sealed, batch=1000).rows
    finally:
        for writer in writers:
            writer.terminate()
            writer.join()


def write(address: str, number: int) -> None:
    """Change one row after another, until the process is ended."""
    engine, own = engine_of(address), random.Random(number)
    with Session(engine) as session:
        ids = session.scalars(select(Sealed.id).limit(1000).offset(number * 1000)).all()
    while True:
        with Session(engine) as session:
            session.get_one(Sealed, own.choice(ids)).note = "a new note"
            session.commit()
        time.sleep(0.002)
