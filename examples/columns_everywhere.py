# SPDX-License-Identifier: Apache-2.0
"""One table in a web application, a Spark job and a program on Node.

The application writes customers row by row into SQLite. A job reads the whole column, and rotates
it after a change of keys. A program on Node opens the cells of the new column. Each cell is bound
to its table, column and row; the programs share keys and names, and nothing else.

Spark and Node are used where they are, and said to be missing where they are not.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

from pythemis.columns import ColumnCipher, ColumnError
from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring, SecretKey, from_reference
from pythemis.skeygen import GenerateSymmetricKey

HERE = Path(__file__).resolve().parent
NAMES = ("customers", "email")  # of every cell: choose them once
CUSTOMERS = {1: "ann@example.com", 2: None, 3: "bob@example.com", 4: "zoë@example.com"}

Rows = list[tuple[int, "bytes | None"]]


class Keys:
    """The ring in a file, and what opens it in another."""

    def __init__(self, folder: Path) -> None:
        self.path, self.unlock = folder / "shop.ring", folder / "shop.key"
        key = GenerateSymmetricKey()
        self.unlock.touch(mode=0o600)
        self.unlock.write_bytes(b64encode(key))
        self._unlocking = SecretKey.from_bytes(key)
        self.ring = Keyring.new("shop")
        self.for_node: dict[str, str] = {}
        self.add()

    def add(self) -> None:
        """Add a key and promote it; in production, load the ring everywhere in between."""
        key = GenerateSymmetricKey()
        ring = self.ring.add(key)
        self.ring = ring if ring.primary == ring.ids[-1] else ring.promote(ring.ids[-1])
        self.ring.save(self.path, key=self._unlocking)
        self.for_node[self.ring.ids[-1]] = b64encode(key).decode()

    def cipher(self) -> ColumnCipher:
        """Return a cipher for jobs: it pickles as the names of these files, and has no key."""
        reference = from_reference(
            f"file:{self.path}", f"file:{self.unlock}", min_version=self.ring.version
        )
        return ColumnCipher(reference, NAMES)


def write_as_application(database: sqlite3.Connection, keys: Keys) -> None:
    """Insert one row after the other, as requests come in."""
    email = FieldCipher(keys.ring).field(*NAMES)
    database.execute("create table customers (id integer primary key, email blob)")
    for number, value in CUSTOMERS.items():
        with database:
            cell = email.seal(value, number)
            database.execute("insert into customers values (?, ?)", (number, cell))


class SparkJob:
    """Work on the column with Spark: the executors open the ring themselves."""

    def __init__(self) -> None:
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        self.session = builder.config("spark.log.level", "ERROR").getOrCreate()

    def _table(self, rows: Rows) -> Any:
        return self.session.createDataFrame(rows, "id long, email binary")

    def unseal(self, rows: Rows, cipher: ColumnCipher) -> list[tuple[int, str | None]]:
        """Return the values of all rows."""
        from pythemis.columns import spark

        ciphers = {"email": cipher}
        table = spark.unseal(self._table(rows), ciphers, rows="id", types={"email": "text"})
        return sorted(map(tuple, table.collect()))

    def rotate(self, rows: Rows, cipher: ColumnCipher) -> Rows:
        """Return the column under the primary key."""
        from pythemis.columns import spark

        table = spark.rotate(self._table(rows), {"email": cipher}, rows="id")
        return sorted((row["id"], row["email"] and bytes(row["email"])) for row in table.collect())

    def close(self) -> None:
        """Stop Spark."""
        self.session.stop()


class PlainJob:
    """The same with lists, in this process."""

    def unseal(self, rows: Rows, cipher: ColumnCipher) -> list[tuple[int, str | None]]:
        """Return the values of all rows."""
        ids, cells = zip(*rows, strict=True)
        return list(zip(ids, cipher.decrypt(list(cells), list(ids), type="text"), strict=True))

    def rotate(self, rows: Rows, cipher: ColumnCipher) -> Rows:
        """Return the column under the primary key."""
        ids, cells = zip(*rows, strict=True)
        return list(zip(ids, cipher.rotate(list(cells), list(ids)), strict=True))

    def close(self) -> None:
        """Do nothing."""


def job() -> tuple[str, SparkJob | PlainJob]:
    """Return the job and its name: Spark, if it and Java are there."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "A job without Spark (pyspark is not installed)", PlainJob()
    if shutil.which("java") is None:
        return "A job without Spark (there is no Java)", PlainJob()
    return "Spark", SparkJob()


def read_on_node(rows: Rows, keys: Keys, folder: Path) -> str | None:
    """Return what the program on Node prints; None if Node or wasm-themis is not there."""
    modules = HERE.parent / "tests" / "interop" / "node_modules"
    if shutil.which("node") is None or not (modules / "wasm-themis").exists():
        return None
    known = folder / "keys.json"
    known.write_text(json.dumps(keys.for_node), "utf-8")
    lines = (f"{number} {b64encode(cell).decode()}\n" for number, cell in rows if cell is not None)
    done = subprocess.run(
        ["node", HERE / "columns.js", known, *NAMES],
        env={**os.environ, "NODE_PATH": os.fspath(modules)},
        input="".join(lines).encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def main() -> None:
    """Run all of it in a folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="pythemis-example-") as name:
        folder = Path(name)
        keys = Keys(folder)
        with closing(sqlite3.connect(folder / "shop.db")) as database:
            write_as_application(database, keys)
            rows: Rows = database.execute("select id, email from customers order by id").fetchall()
            print(f"The application wrote {len(rows)} rows, one by one.")
            show(rows, keys, folder)


def show(rows: Rows, keys: Keys, folder: Path) -> None:
    """Read, rotate and read again."""
    who, work = job()
    with closing(work):
        print(f"{who} reads the column:")
        for number, value in work.unseal(rows, keys.cipher()):
            print(f"  {number} {value}")
        keys.add()
        old = [cell for _, cell in rows if cell is not None and keys.ring.needs_rotation(cell)]
        rows = work.rotate(rows, keys.cipher())
        new = [cell for _, cell in rows if cell is not None and keys.ring.needs_rotation(cell)]
        print(f"Under an old key: {len(old)} cells before rotation, {len(new)} after it.")
    answer = read_on_node(rows, keys, folder)
    print("Node reads the rotated cells:" if answer else "Node, or wasm-themis, is not here.")
    for line in (answer or "").splitlines():
        print(f"  {line}")
    try:
        keys.cipher().decrypt([rows[0][1]], [3])
    except ColumnError as error:
        print(f"The cell of row 1 in row 3: {error}")


if __name__ == "__main__":
    main()
