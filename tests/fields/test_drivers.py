# SPDX-License-Identifier: Apache-2.0
"""Sealed values through drivers of PostgreSQL, as docs/how-to/database.md shows it."""

import uuid

import pytest

from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring
from support.documents import sections
from support.live_services import needed
from support.project import HAS_SOURCES, ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not HAS_SOURCES, reason="the pages are out of reach"),
]


def test_the_examples_with_drivers(postgresql_address, capsys):
    """Psycopg and asyncpg write and read the value of the page; the table has no plain text."""
    needed("asyncpg", "psycopg")
    import psycopg

    page = sections((ROOT / "docs" / "how-to" / "database.md").read_text("utf-8"))
    [section] = [each for each in page if each.title == "Without an ORM"]
    examples = [each for each in section.examples if each.reason is not None]
    assert len(examples) == 2
    folder = postgresql_address.partition("unix_sock=")[2].rpartition("/")[0]
    address = f"postgresql://shop@/postgres?host={folder}"
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE staff (id UUID PRIMARY KEY, salary BYTEA)")
    names = {"address": address, "uuid": uuid, "cipher": FieldCipher(Keyring.new("shop").add())}
    for example in examples:
        exec(example.code, names)
    assert capsys.readouterr().out == "5000\n5500\n"
    with psycopg.connect(address) as connection:
        [(cell,)] = connection.execute("SELECT salary FROM staff").fetchall()
    assert cell[:3] == b"TK1"
    assert b"5500" not in cell
