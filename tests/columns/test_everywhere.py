# SPDX-License-Identifier: Apache-2.0
"""The example of one table in a web application, in Spark and on Node, and the page about it."""

import importlib
import re
import shutil
import subprocess
import sys

import pytest

from support.interop.peer import ensure_peer
from support.project import ROOT

pytestmark = pytest.mark.sources

PAGE = ROOT / "docs" / "guide" / "columns.md"
PROGRAM = "examples/columns_everywhere.py"


def shown():
    """Give what the page shows."""
    [block] = re.findall(
        rf"```text\n\$ python {PROGRAM}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
    )
    return block


def test_the_example_without_spark_and_node(monkeypatch, capsys):
    """It says that they are missing, and shows the same values; a moved cell is refused."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    monkeypatch.setitem(sys.modules, "pyspark", None)
    example = importlib.import_module("columns_everywhere")
    monkeypatch.setattr(example, "read_on_node", lambda *_: None)
    example.main()
    said = capsys.readouterr().out
    spark = "A job without Spark (pyspark is not installed) reads the column:"
    expected = re.sub(r"Node reads.*?\n(?=The)", "Node, or wasm-themis, is not here.\n", shown(),
                      flags=re.DOTALL)  # fmt: skip
    assert said == expected.replace("Spark reads the column:", spark)


@pytest.mark.integration
def test_the_page_shows_what_the_example_prints():
    """With Spark and the real Themis core on Node."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    ensure_peer()
    done = subprocess.run(
        [sys.executable, PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown()


def test_a_sealed_column_of_sqlalchemy_is_a_column():
    """A cell has the names of the table and of the column that stores it, and those of the key."""
    orm = pytest.importorskip("sqlalchemy.orm")
    from sqlalchemy import Column, Integer, String, create_engine, text

    from pythemis.columns import ColumnCipher
    from pythemis.fields import FieldCipher
    from pythemis.fields.sqlalchemy import sealed, sealed_column
    from pythemis.keyring import Keyring

    ring = Keyring.new("shop").add()
    base = orm.declarative_base()

    class Customer(base):
        __tablename__ = "customers"
        shop = Column(String, primary_key=True)
        number = Column(Integer, primary_key=True)
        email_cell = sealed_column()
        email = sealed(FieldCipher(ring), "email_cell")

    engine = create_engine("sqlite://")
    base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add_all([Customer(shop="a", number=n, email=f"user{n}") for n in (1, 2)])
        session.commit()
        rows = session.execute(text("select shop, number, email_cell from customers")).fetchall()
    cipher = ColumnCipher(ring, ("customers", "email_cell"))
    shops, numbers, cells = map(list, zip(*rows, strict=True))
    opened = cipher.decrypt(cells, (shops, numbers), type="text")
    assert opened == [f"user{row[1]}" for row in rows]
