# SPDX-License-Identifier: Apache-2.0
"""Sealed columns in sessions of asyncio: each way to write seals or refuses; rows are found."""

import asyncio
import traceback
import uuid

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pythemis.fields import FieldCipher, FieldError
from pythemis.fields.sqlalchemy import (
    UnsealedError,
    index_column,
    open_all,
    seal_values,
    sealed,
    sealed_column,
)  # fmt: skip
from pythemis.keyring import Keyring
from support.live_services import needed

pytest.importorskip("greenlet", reason="PyPy has its own, older one")
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

MARKER = "4929 MARKER"
CIPHER = FieldCipher(Keyring.new("shop").add(), index_key=Keyring.new("shop-index").add())


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "async_customers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=8)
    note_cell: Mapped[bytes | None] = sealed_column()
    card = sealed(CIPHER, "card_cell", index="card_index")
    note = sealed(CIPHER, "note_cell", bind="column")


@pytest.fixture(
    params=[
        "sqlite+aiosqlite",
        *(
            pytest.param(f"postgresql+{driver}", marks=pytest.mark.integration)
            for driver in ("asyncpg", "psycopg")
        ),
    ]
)
def work(request, tmp_path):
    """Give a function that runs a coroutine function with an engine, on an empty table."""
    driver = request.param.partition("+")[2]
    needed(driver)
    address = f"{request.param}:///{tmp_path}/async.db"
    if driver != "aiosqlite":
        folder = request.getfixturevalue("postgresql_address").partition("unix_sock=")[2]
        address = f"{request.param}://shop@/postgres?host={folder.rpartition('/')[0]}"

    async def around(call):
        engine = create_async_engine(address)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.drop_all)
                await connection.run_sync(Base.metadata.create_all)
            return await call(engine)
        finally:
            await engine.dispose()

    return lambda call: asyncio.run(around(call))


async def add(session):
    """Write new objects, which wait until the commit."""
    session.add_all([Customer(card=MARKER, note=MARKER), Customer(card=MARKER)])


async def change(session):
    """Write twice, before and after the row is in the database."""
    row = Customer(note=MARKER)
    session.add(row)
    await session.flush()
    row.card = MARKER


async def merge(session):
    """Merge a copy."""
    await session.merge(Customer(id=uuid.uuid4(), card=MARKER))


async def bulk_insert(session):
    """Insert dictionaries, of which one has no id yet."""
    await session.execute(
        insert(Customer), [{"card": MARKER}, {"id": uuid.uuid4(), "card": MARKER}]
    )


async def bulk_update(session):
    """Update by primary key."""
    row = Customer()
    session.add(row)
    await session.flush()
    await session.execute(update(Customer), [{"id": row.id, "card": MARKER}])


async def core_insert(session):
    """Insert without the ORM what seal_values() made."""
    values = seal_values(Customer, {"id": uuid.uuid4(), "card": MARKER})
    connection = await session.connection()
    await connection.execute(insert(Customer.__table__).values(**values))


async def upsert(session):
    """Insert or update."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    values = seal_values(Customer, {"id": uuid.uuid4(), "card": MARKER})
    statement = (sqlite_insert if is_sqlite else postgresql_insert)(Customer).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


async def in_a_savepoint(session):
    """Write within a savepoint, after one that was rolled back."""
    async with session.begin_nested() as point:
        session.add(Customer(card="another"))
        await session.flush()
        await point.rollback()
    async with session.begin_nested():
        session.add(Customer(card=MARKER))


async def in_a_thread_of_the_session(session):
    """Write by code for sessions without asyncio."""
    await session.run_sync(lambda plain: plain.add(Customer(card=MARKER)))


@pytest.mark.parametrize(
    "write",
    [add, change, merge, bulk_insert, bulk_update, core_insert, upsert, in_a_savepoint,
     in_a_thread_of_the_session],
    ids=lambda write: write.__name__,
)  # fmt: skip
def test_what_is_written_is_sealed(work, write):
    """A raw statement finds no plain text; rows are found by value, opened alone and together."""

    async def call(engine):
        async with AsyncSession(engine) as session, session.begin():
            await write(session)
        async with engine.connect() as connection:
            raw = (await connection.execute(text("SELECT * FROM async_customers"))).all()
        assert "TK1" in repr(raw)
        assert "MARKER" not in repr(raw)
        async with AsyncSession(engine) as session:
            found = (await session.scalars(select(Customer).where(Customer.card == MARKER))).all()
            assert len(found) == len(raw)
            assert [row.card for row in found] == open_all(found, "card") == [MARKER] * len(raw)
            assert set(open_all(found, "note")) <= {MARKER, None}
            streamed = await session.stream_scalars(select(Customer).where(Customer.card == MARKER))
            assert [row async for row in streamed] == found
            other = select(Customer).where(Customer.card.in_(["other"]))
            assert (await session.scalars(other)).all() == []

    work(call)


REFUSING = {
    "cell": lambda s: s.merge(Customer(id=uuid.uuid4(), card_cell=MARKER.encode())),
    "insert": lambda s: s.execute(insert(Customer).values(card_cell=MARKER.encode())),
    "insert attribute": lambda s: s.execute(insert(Customer).values(card=MARKER)),
    "bulk": lambda s: s.execute(insert(Customer), [{"card_cell": MARKER.encode()}]),
    "update": lambda s: s.execute(update(Customer).values(card_cell=MARKER.encode())),
    "without id": lambda s: s.execute(update(Customer), [{"card": MARKER}]),
    "compare": lambda s: s.execute(select(Customer).where(Customer.card_cell == MARKER.encode())),
    "wrong type": lambda s: s.execute(insert(Customer), [{"card": MARKER.encode()}]),
}


@pytest.mark.parametrize("name", REFUSING)
def test_plain_text_is_refused(work, name):
    """Nothing is written, and neither the error nor one behind it shows the plain text."""

    async def call(engine):
        with pytest.raises((FieldError, SQLAlchemyError)) as caught:
            async with AsyncSession(engine) as session, session.begin():
                await REFUSING[name](session)
        error = caught.value
        while error is not None:
            assert "MARKER" not in "".join(traceback.format_exception_only(error)), error
            error = error.__context__
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT * FROM async_customers"))).all() == []

    work(call)


def test_a_search_that_is_not_compared_is_refused(work):
    """Where found rows are not opened, the criterion is refused rather than trusted."""

    async def call(engine):
        async with AsyncSession(engine) as session:
            with pytest.raises(UnsealedError, match="found rows are opened"):
                await session.execute(select(Customer.id).where(Customer.card == MARKER))
            with pytest.raises(UnsealedError, match="found rows are opened"):
                await session.stream(select(Customer).where(Customer.card == MARKER).limit(1))

    work(call)
