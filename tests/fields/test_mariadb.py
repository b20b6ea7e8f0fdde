# SPDX-License-Identifier: Apache-2.0
"""What MariaDB does otherwise: short columns, modes that cut, and text that ignores case."""

import uuid

import pytest
from sqlalchemy import String, create_engine, insert, select, text, update
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from pythemis.fields import FieldCipher, FieldError
from pythemis.fields.sqlalchemy import (
    index_column,
    open_all,
    rewrite,
    seal_values,
    sealed,
    sealed_column,
)
from pythemis.keyring import Keyring

pytestmark = pytest.mark.integration

RINGS = {"ring": Keyring.new("shop").add(), "index": Keyring.new("shop-index").add()}
CIPHER = FieldCipher(lambda: RINGS["ring"], index_key=lambda: RINGS["index"])
VALUE = "MARKER " + 43 * "x"  # 103 bytes when it is sealed


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    text_cell: Mapped[bytes | None] = sealed_column()
    text_index: Mapped[bytes | None] = index_column(bits=96, unique=True)
    text = sealed(CIPHER, "text_cell", index="text_index")


class Named(Base):
    """Its keys are text, which MariaDB compares without regard to case."""

    __tablename__ = "named"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    text_cell: Mapped[bytes | None] = sealed_column()
    text = sealed(CIPHER, "text_cell")


class Counted(Base):
    """Its keys are numbers, which MariaDB makes where there is none, or 0."""

    __tablename__ = "counted"

    id: Mapped[int] = mapped_column(primary_key=True)
    text_cell: Mapped[bytes | None] = sealed_column()
    note_cell: Mapped[bytes | None] = sealed_column()
    text = sealed(CIPHER, "text_cell")
    note = sealed(CIPHER, "note_cell", bind="column")


@pytest.fixture
def engine(mariadb_address):
    """Give an empty database."""
    engine = create_engine(mariadb_address)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def with_a_short_column(engine, mode):
    """Give a session on a table whose column is too short, in a mode of the server."""
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE notes MODIFY text_cell VARBINARY(60)"))
    session = Session(engine)
    session.execute(text(f"SET sql_mode = '{mode}'"))
    return session


def test_the_column_of_cells_holds_large_values(engine):
    """A value of 100,000 bytes, which BLOB would cut, is stored whole even where the mode cuts."""
    with Session(engine) as session:
        session.execute(text("SET sql_mode = ''"))
        session.add(Note(text=100_000 * "x"))
        session.commit()
        session.expunge_all()
        assert session.scalars(select(Note)).one().text == 100_000 * "x"


def test_a_short_column_is_refused(engine):
    """In strict mode, the default, the database refuses; its error shows nothing of the value."""
    with with_a_short_column(engine, "STRICT_TRANS_TABLES") as session:
        session.add(Note(text=VALUE))
        with pytest.raises(DataError, match="Data too long for column 'text_cell'") as caught:
            session.commit()
        assert "MARKER" not in str(caught.value)


def test_what_a_short_column_cut_says_so(engine):
    """In another mode MariaDB cuts cells: each reader says how long they should be."""
    with with_a_short_column(engine, "") as session:
        row = Note(text=VALUE)
        session.add(row)
        session.commit()
        assert len(row.text_cell) == 60
        says = r"notes\.text_cell: .* truncated: the header promises 103 bytes, 60 are present"
        for read in (
            lambda: row.text,
            lambda: open_all([row], "text"),
            lambda: rewrite(engine, Note, reindex=True),
        ):
            with pytest.raises(FieldError, match=says):
                read()
        row.text = VALUE
        assert row.text == VALUE
        session.rollback()


def test_unique_indexes_compare_bytes(engine):
    """Values whose indexes differ in the case of letters alone are two; equal ones are refused."""
    with Session(engine) as session:
        first, second = Note(text="first"), Note(text="second")
        session.add_all([first, second])
        session.commit()
        for row, index in ((first, b"Abcdefghijkl"), (second, b"aBCDEFGHIJKL")):
            session.execute(
                text("UPDATE notes SET text_index = :index WHERE text_cell = :cell"),
                {"index": index, "cell": row.text_cell},
            )
        session.commit()
        session.add(Note(text="third"))
        session.commit()
        session.add(Note(text="third"))
        with pytest.raises(IntegrityError) as caught:
            session.commit()
        assert "third" not in str(caught.value.orig)


def test_keys_in_another_case(engine):
    """A row that is found by its key in another case reads; a value for that key is refused."""
    with Session(engine) as session:
        session.add(Named(id="Zoe", text=VALUE))
        session.commit()
    with Session(engine) as session:
        row = session.get(Named, "ZOE")
        assert (row.id, row.text) == ("Zoe", VALUE)
        row.text = "changed"
        session.commit()
        session.refresh(row)
        assert row.text == "changed"
        made = seal_values(Named, {"text": "other", "id": "ZOE"})
        session.execute(update(Named).where(Named.id == "ZOE").values(text_cell=made["text_cell"]))
        session.refresh(row)
        with pytest.raises(FieldError, match="decryption failed"):
            print(row.text)


def test_the_id_zero(engine):
    """A bound value for the id 0, which MariaDB replaces, is refused before it is written."""
    says = "give a row with the id 0 another id"
    with Session(engine) as session:
        session.add(Counted(id=0, text=VALUE))
        with pytest.raises(FieldError, match=says):
            session.flush()
        session.rollback()
        for given in ({"id": 0, "text": VALUE}, [{"id": n, "text": VALUE} for n in (1, 0)]):
            with pytest.raises(FieldError, match=says):
                session.execute(insert(Counted), given)
        assert session.scalars(select(Counted)).all() == []
        session.add(Counted(id=0, note=VALUE))  # which is bound to its column
        session.execute(insert(Counted), {"id": 5, "text": VALUE})
        session.commit()
        rows = session.scalars(select(Counted).order_by(Counted.id)).all()
        assert [(row.text, row.note) for row in rows] == [(None, VALUE), (VALUE, None)]
        assert rows[0].id != 0
