# SPDX-License-Identifier: Apache-2.0
"""One table of Django, SQLAlchemy, columns and the real Themis core: each reads the others."""

import datetime as dt
import json
import os
import subprocess
import sys
import uuid
from decimal import Decimal

import pytest
from sqlalchemy import Uuid, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from pythemis.columns import ColumnCipher
from pythemis.fields import FieldCipher
from pythemis.fields.sqlalchemy import sealed, sealed_column
from pythemis.keyring import Keyring
from support.interop.peer import HERE, ensure_peer
from support.project import ROOT

pytestmark = pytest.mark.integration

TABLE = "typed"
KEY = bytes(range(32))
UTC = dt.timezone.utc
ID = uuid.UUID(int=10)
# The name of each field: its type, a value, and the bytes of that in section 10.1.
VALUES = {
    "t": (str, "größer 𝄞", "größer 𝄞".encode()),
    "i": (int, -(2**40), b"-1099511627776"),
    "d": (Decimal, Decimal("1.50"), b"1.50"),
    "b": (bool, False, b"false"),
    "y": (dt.date, dt.date(1, 2, 3), b"0001-02-03"),
    "h": (dt.time, dt.time(23, 59, 0, 5), b"23:59:00.000005"),
    "m": (dt.datetime, dt.datetime(2026, 1, 2, 3, 4, tzinfo=UTC), b"2026-01-02T03:04:00Z"),
    "u": (uuid.UUID, uuid.UUID(int=255), b"00000000-0000-0000-0000-0000000000ff"),
    "r": (bytes, b"\x00\xff", b"\x00\xff"),
}
DJANGO = """
import datetime, sys, uuid
from datetime import timezone
from decimal import Decimal
import django
from django.conf import settings
from pythemis import keyring
from pythemis.fields import FieldCipher
folder, action = sys.argv[1:]
cipher = FieldCipher(keyring.load(f"{folder}/shop.ring", "shop", key=bytes(range(32))))
settings.configure(
    INSTALLED_APPS=["pythemis.fields.django"], USE_TZ=True, SEALED_FIELDS_CIPHER=lambda: cipher,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/t.db"}},
)
settings.SEALED_FIELDS_CIPHER = cipher
django.setup()
from django.db import models
from pythemis.fields.django import SealedField, SealedManager
inner = {
    "t": models.TextField(), "i": models.BigIntegerField(), "b": models.BooleanField(),
    "d": models.DecimalField(max_digits=8, decimal_places=2), "y": models.DateField(),
    "h": models.TimeField(), "m": models.DateTimeField(), "u": models.UUIDField(),
    "r": models.BinaryField(),
}
fields = {name: SealedField(each, db_column=f"{name}_cell") for name, each in inner.items()}
Meta = type("Meta", (), {"app_label": "shop", "db_table": "typed"})
key = models.UUIDField(primary_key=True)
Typed = type("Typed", (models.Model,), {
    "__module__": __name__, "Meta": Meta, "id": key, "objects": SealedManager(), **fields})
if action == "read":
    [row] = Typed.objects.all()
    print(repr({name: bytes(v) if name == "r" else v
                for name in inner for v in [getattr(row, name)]}))
else:
    from django.db import connection
    values = eval(sys.stdin.read())
    Typed.objects.create(id=uuid.UUID(int=10), **values)
"""
NODE = """
const { open, seal } = require(process.argv[1]);
const hex = (text) => Buffer.from(text, 'hex');
require('wasm-themis').initialized.then(() => {
    const [id, key, cells, values, table, row] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    const keys = { [id]: hex(key) };
    const made = {};
    for (const name in cells)
        made[name] = open(keys, hex(cells[name]), table, `${name}_cell`, row);
    for (const name in values)
        made[name] = seal(keys, id, hex(values[name]), table, `${name}_cell`, row);
    for (const name in made) made[name] = Buffer.from(made[name]).toString('hex');
    console.log(JSON.stringify(made));
});
"""


class Shop:
    """A table in SQLite, and four programs that read and write it."""

    def __init__(self, folder):
        self._folder = folder
        self.ring = Keyring.new("shop").add(KEY)
        self.ring.save(folder / "shop.ring", key=KEY)
        self._engine = create_engine(f"sqlite:///{folder}/t.db")
        cipher = FieldCipher(self.ring)

        class Base(DeclarativeBase):
            pass

        columns = {f"{name}_cell": sealed_column() for name in VALUES}
        attributes = {n: sealed(cipher, f"{n}_cell", type=kind) for n, (kind, *_) in VALUES.items()}
        names = {"__tablename__": TABLE, "id": mapped_column(Uuid(), primary_key=True)}
        self._typed = type("Typed", (Base,), {**names, **columns, **attributes})
        Base.metadata.create_all(self._engine)

    def close(self):
        """Close the database."""
        self._engine.dispose()

    def cells(self):
        """Give the cells of the only row."""
        with self._engine.connect() as connection:
            [row] = connection.execute(text(f"SELECT * FROM {TABLE}")).mappings()
            return {name: row[f"{name}_cell"] for name in VALUES}

    def put(self, cells):
        """Write cells by SQL."""
        names = [f"{name}_cell" for name in cells]
        sql = f"INSERT INTO {TABLE} (id, {', '.join(names)}) VALUES (:id, :{', :'.join(names)})"
        values = {f"{name}_cell": cell for name, cell in cells.items()}
        with self._engine.begin() as connection:
            connection.execute(text(sql), {"id": ID.hex, **values})

    def _django(self, action, data=""):
        done = subprocess.run(
            [sys.executable, "-c", DJANGO, self._folder, action],
            input=data, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def _node(self, cells, values):
        ensure_peer()
        given = [
            self.ring.primary,
            KEY.hex(),
            {name: cell.hex() for name, cell in cells.items()},
            {name: value.hex() for name, value in values.items()},
            TABLE,
            str(ID),
        ]
        done = subprocess.run(
            ["node", "--no-experimental-fetch", "-e", NODE, ROOT / "examples" / "columns.js"],
            env={**os.environ, "NODE_PATH": os.fspath(HERE / "node_modules")},
            input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        return {name: bytes.fromhex(made) for name, made in json.loads(done.stdout).items()}

    def _column(self, name):
        return ColumnCipher(self.ring, (TABLE, f"{name}_cell"))

    def write(self, writer):
        """Write the row with one of the programs."""
        values = {name: value for name, (_, value, _) in VALUES.items()}
        data = {name: data for name, (*_, data) in VALUES.items()}
        if writer == "django":
            self._django("write", repr(values).replace("uuid.", "").replace("UUID", "uuid.UUID"))
        elif writer == "sqlalchemy":
            with Session(self._engine) as session:
                session.add(self._typed(id=ID, **values))
                session.commit()
        elif writer == "node":
            self.put(self._node({}, data))
        else:
            sealed_ = {n: self._column(n).encrypt([each], [ID]) for n, each in data.items()}
            self.put({name: bytes(cells[0]) for name, cells in sealed_.items()})

    def values(self, reader):
        """Give the values that Django and SQLAlchemy read."""
        if reader == "django":
            names = {"datetime": dt, "Decimal": Decimal, "UUID": uuid.UUID}
            return eval(self._django("read"), names)
        with Session(self._engine) as session:
            row = session.scalars(select(self._typed)).one()
            return {name: getattr(row, name) for name in VALUES}

    def data(self, reader):
        """Give the bytes of the values that the others read."""
        cells = self.cells()
        if reader == "node":
            return self._node(cells, {})
        return {
            name: bytes(self._column(name).decrypt([cell], [ID], type="bytes")[0])
            for name, cell in cells.items()
        }


@pytest.fixture
def shop(tmp_path):
    """Give an empty table."""
    pytest.importorskip("django")
    shop = Shop(tmp_path)
    yield shop
    shop.close()


@pytest.mark.parametrize("writer", ["django", "sqlalchemy", "columns", "node"])
def test_each_reads_what_another_writes(shop, writer):
    """Values of nine types, and their bytes, are what section 10.1 of the formats says."""
    shop.write(writer)
    values = {name: value for name, (_, value, _) in VALUES.items()}
    data = {name: data for name, (*_, data) in VALUES.items()}
    for reader in ("django", "sqlalchemy"):
        found = shop.values(reader)
        assert found == values
        assert {name: type(each) for name, each in found.items()} == {
            name: kind for name, (kind, *_) in VALUES.items()
        }
    for reader in ("columns", "node"):
        assert shop.data(reader) == data
