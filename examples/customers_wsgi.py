# SPDX-License-Identifier: Apache-2.0
"""A web application whose customers' cards are sealed columns of SQLAlchemy.

Run it without arguments to see it at work. Any WSGI server takes `application`.
"""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from wsgiref.util import setup_testing_defaults

from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

from pythemis.fields import FieldCipher, FieldError
from pythemis.fields.sqlalchemy import index_column, rewrite, sealed, sealed_column
from pythemis.keyring import Keyring

rings = {  # in production: from_reference() or watch() of pythemis.keyring
    "data": Keyring.new("shop").add(),
    "index": Keyring.new("shop-index").add(),
}
cipher = FieldCipher(lambda: rings["data"], index_key=lambda: rings["index"])
engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"), poolclass=StaticPool)


class Base(DeclarativeBase):
    """The base of all classes."""


class Customer(Base):
    """A customer, with a card that the database cannot read."""

    __tablename__ = "customers"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    card_cell: Mapped[bytes | None] = sealed_column()
    card_index: Mapped[bytes | None] = index_column(bits=96, unique=True)
    card = sealed(cipher, "card_cell", index="card_index", normalize=lambda c: c.replace(" ", ""))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Add a customer (POST name, card), or find one by the card (POST card to /find)."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    status, answer = "404 Not Found", "there is no such customer"
    with Session(engine) as session:
        try:
            if environ["PATH_INFO"] == "/find":  # by POST: a log of requests has no card in it
                found = session.scalars(
                    select(Customer).where(Customer.card == form.get("card", ""))
                ).one_or_none()
                if found is not None:
                    status, answer = "200 OK", f"{found.name}, card ends in {found.card[-4:]}"
            else:
                session.add(Customer(name=form["name"], card=form["card"]))
                session.commit()
                status, answer = "201 Created", f"{form['name']} is a customer"
        except FieldError:
            status, answer = "500 Internal Server Error", "the card of this customer does not open"
        except KeyError as missing:
            status, answer = "400 Bad Request", f"give {missing}"
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [answer.encode()]


def ask(path: str, body: str) -> str:
    """Send a request to the application, without a server."""
    environ: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": "POST"}
    environ |= {"wsgi.input": io.BytesIO(body.encode()), "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    said = b"".join(application(environ, lambda status, _: statuses.append(status)))
    return f"{statuses[0]}: {said.decode()}"


def main() -> None:
    """Add customers, find one, move a card in the database, and rotate the keys."""
    Base.metadata.create_all(engine)
    print(ask("/", "name=Zoe&card=4929 1234 5678 9012"))
    print(ask("/", "name=Max&card=5500 0000 0000 0004"))
    print(ask("/find", "card=4929123456789012"))
    with engine.connect() as connection:
        stored = bytes(connection.scalars(text("SELECT card_cell FROM customers")).first() or b"")
    print(f"the database has {len(stored)} bytes: {stored[:3].decode()}...")

    rings["data"] = rings["data"].add()
    rings["data"] = rings["data"].promote(rings["data"].ids[-1])
    print(f"{rewrite(engine, Customer).rewritten} cards are under the new key")
    print(ask("/find", "card=5500 0000 0000 0004"))

    with engine.begin() as connection:
        connection.execute(
            text("UPDATE customers SET card_cell = (SELECT card_cell FROM customers"
                 " WHERE name = 'Max') WHERE name = 'Zoe'")
        )  # fmt: skip
    print(ask("/find", "card=4929 1234 5678 9012"))


if __name__ == "__main__":
    main()
