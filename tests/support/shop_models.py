# SPDX-License-Identifier: Apache-2.0
"""Models as an application has them; tests copy this module to where its keyrings are."""

from base64 import b64decode
from pathlib import Path

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pythemis import keyring
from pythemis.fields import FieldCipher
from pythemis.fields.sqlalchemy import index_column, sealed, sealed_column

KEY = b64decode(Path("key").read_bytes())
cipher = FieldCipher(
    keyring.load("shop.ring", "shop", key=KEY),
    index_key=keyring.load("index.ring", "index", key=KEY),
)


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(9))
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96)
    note_cell: Mapped[bytes | None] = sealed_column()
    plain: Mapped[str | None] = mapped_column(String(50))
    card = sealed(cipher, "card_cell", index="card_index")
    note = sealed(cipher, "note_cell")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "one"}  # noqa: RUF012


class Company(Customer):
    """Without a table of its own."""

    __mapper_args__ = {"polymorphic_identity": "company"}  # noqa: RUF012


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[int] = mapped_column(primary_key=True)


def read(raw, key):
    """Make a value of plain text."""
    if raw == "MARKER bad":
        raise ValueError(raw)
    return f"{raw} of {key}"


number = 7
