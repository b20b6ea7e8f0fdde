# SPDX-License-Identifier: Apache-2.0
"""``pythemis fields``: sealed columns of SQLAlchemy change keys, beside whatever may go wrong."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64decode
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from pythemis import keyring
from pythemis._cli.main import main

URL = "sqlite:///shop.db"
ROWS = 60
MODELS = Path(__file__).parents[1] / "support" / "shop_models.py"


class Shop:
    """A folder with keys, models and a database."""

    def __init__(self, pythemis):
        self._run = pythemis
        for name in ("shop", "index"):
            pythemis("keyring", "new", f"{name}.ring", "-k", "key")
        shutil.copy(MODELS, ".")
        self.engine = create_engine(URL)
        models = self.models()
        models.Base.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            numbers = range(1, ROWS + 1)
            session.add_all([models.Customer(id=n, card=f"card {n}", note="n") for n in numbers])
            session.add(models.Company(id=ROWS + 1))
            session.commit()

    def models(self):
        """Import the models anew, with the rings that are there now."""
        sys.modules.pop("shop_models", None)
        import shop_models

        return shop_models

    def new_keys(self, *names):
        """Add keys to rings, and make them primary."""
        for name in names:
            for what in ("add", "promote"):
                self._run("keyring", what, f"{name}.ring", "-k", "key")

    def cards(self):
        """Give all cards, and the keys that their cells are under."""
        models = self.models()
        with Session(self.engine) as session:
            rows = session.scalars(select(models.Customer)).all()
            return (
                {row.id: row.card for row in rows if row.card},
                {row.card_cell[3:8].hex() for row in rows if row.card_cell},
            )

    def __call__(self, *arguments, database=URL):
        """Run ``pythemis fields``."""
        sys.modules.pop("shop_models", None)
        return self._run("fields", *arguments, "--database", database)

    def execute(self, statement):
        """Execute SQL, and give the number that a query has."""
        with self.engine.begin() as connection:
            found = connection.execute(text(statement))
            return found.scalar() if found.returns_rows else None


@pytest.fixture
def shop(pythemis, tmp_path, monkeypatch):
    """Give the shop, in an empty folder that is the current one."""
    monkeypatch.syspath_prepend(str(tmp_path))
    pythemis("keygen", "-o", "key")
    shop = Shop(pythemis)
    yield shop
    shop.engine.dispose()
    sys.modules.pop("shop_models", None)


def primary(name="shop"):
    """Give the id of the primary key of a ring."""
    key = b64decode(Path("key").read_bytes())
    return keyring.load(f"{name}.ring", name, key=key).primary


def test_keys_change(shop):
    """The status counts by key; rotate writes all once, and a second time nothing."""
    old, (before, _) = primary(), shop.cards()
    shop.new_keys("shop", "index")
    assert shop("status", "shop_models:Customer.card") == (
        0,
        f"Customer.card (customers.card_cell)\n{0:12}  key {primary()} (primary)\n"
        f"{ROWS:12}  key {old}\n{1:12}  no value\n".encode(),
        "",
    )
    tried = shop("rotate", "shop_models:Base", "--dry-run")
    assert tried == (
        0,
        f"Customer: {2 * ROWS} values to rewrite, 0 refused\n".encode(),
        "",
    )
    assert shop.cards()[1] == {old}
    ran = shop("rotate", "shop_models:Base", "--batch", "7", "--json")
    assert (ran.status, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "schema": 1,
        "dry_run": False,
        "classes": [
            {
                "class": "Customer",
                "attributes": ["card", "note"],
                "rewritten": 2 * ROWS,
                "failed": 0,
            }
        ],
    }
    assert shop.cards() == (before, {primary()})
    again = shop("rotate", "shop_models:Customer")
    assert again == (0, b"Customer: 0 values rewritten, 0 refused\n", "")
    [card, note] = json.loads(shop("status", "shop_models:Base", "--json").out)["fields"]
    assert card == {
        "attribute": "Customer.card",
        "table": "customers",
        "column": "card_cell",
        "keys": [
            {"id": primary(), "values": ROWS, "primary": True},
            {"id": old, "values": 0, "primary": False},
        ],
        "others": 0,
        "nulls": 1,
        "due": 0,
    }
    assert (note["attribute"], note["due"]) == ("Customer.note", 0)


def test_only_the_index_key_changes(shop):
    """With --reindex rows are found under the new index key alone."""
    old = primary("index")
    shop.new_keys("index")
    assert b" 0 values rewritten" in shop("rotate", "shop_models:Customer.card").out
    ran = shop("rotate", "shop_models:Customer.card", "--reindex")
    assert f" {ROWS} values rewritten".encode() in ran.out
    for change in ("retire", "remove"):
        shop._run("keyring", change, "index.ring", old, "-k", "key")
    models = shop.models()
    with Session(shop.engine) as session:
        query = select(models.Customer).where(models.Customer.card == "card 9")
        assert session.scalars(query).one().id == 9


def test_plain_text_becomes_sealed(shop):
    """What another column has is sealed and removed; nothing of what is refused is shown."""
    shop.execute("UPDATE customers SET note_cell = NULL, plain = 'MARKER ' || id")
    ran = shop("migrate", "shop_models:Customer.note", "--from", "plain", "--dry-run")
    assert ran.out == f"Customer: {ROWS + 1} values to rewrite, 0 refused\n".encode()
    shop.execute("UPDATE customers SET plain = 'MARKER bad' WHERE id = 5")
    command = ("migrate", "shop_models:Customer.note", "--from", "plain")
    ran = shop(*command, "--reader", "shop_models:read")
    assert (ran.status, ran.out) == (
        3,
        f"Customer: {ROWS} values rewritten, 1 refused\n".encode(),
    )
    said = "pythemis: Customer 5: the reader raised ValueError at shop_models.py:"
    assert re.fullmatch(rf"{said}\d+\n", ran.err)
    assert shop(*command, "--reader", "shop_models:read").status == 1
    assert shop(*command).status == 0
    models = shop.models()
    with Session(shop.engine) as session:
        rows = {row.id: row for row in session.scalars(select(models.Customer))}
    assert {row.plain for row in rows.values()} == {None}
    assert (rows[5].note, rows[6].note) == ("MARKER bad", "MARKER 6 of 6")


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("postgresql://shop:hunter2@host/shop", "name it MODULE:CLASS"),
        ("shop_models", "name it MODULE:CLASS"),
        ("shop_models:", "name it MODULE:CLASS"),
        ("../shop_models:Base", "name it MODULE:CLASS"),
        ("nothing:Base", "there is no module nothing"),
        ("shop_models.nothing:Base", "there is no module shop_models.nothing"),
        ("shop_models:Nothing", "shop_models has no Nothing"),
        ("shop_models:Customer.nothing", "shop_models has no nothing"),
        ("shop_models:Plain", "it has no sealed attributes"),
        ("shop_models:Customer.plain", "it is neither a mapped class"),
        ("shop_models:number", "it is neither a mapped class"),
        ("shop_models:cipher", "it is neither a mapped class"),
        ("raises:Base", "raises raised ValueError at raises.py:2 when it was imported"),
        ("ends:Base", "ends raised SystemExit at ends.py:1 when it was imported"),
        ("endless:Base", "endless raised RecursionError"),
        ("broken:Base", "broken raised SyntaxError"),
        ("needs:Base", "needs needs a module that is not there: not_there"),
    ],
)
def test_what_is_no_model(shop, model, says):
    """One sentence and the status 2; nothing of a text that may be a secret."""
    modules = {
        "raises": "key = 'hunter2'\nraise ValueError(key)",
        "ends": "raise SystemExit('hunter2')",
        "endless": "def f(): f()\nf()",
        "broken": "key = 'hunter2",
        "needs": "import not_there",
    }
    for name, code in modules.items():
        Path(f"{name}.py").write_text(code)
    ran = shop("status", model)
    assert (ran.status, ran.out) == (2, b"")
    assert says in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.usefixtures("shop")
def test_a_module_that_prints():
    """What it prints is not in the report."""
    with Path("shop_models.py").open("a") as file:
        file.write("print('hello')\n")
    sys.modules.pop("shop_models", None)
    done = subprocess.run(
        [sys.executable, "-m", "pythemis", "fields", "status", "shop_models:Base", "--json"],
        env={**os.environ, "DATABASE_URL": URL},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["fields"][0]["due"] == 0
    assert done.stderr == b"hello\n"


NOTE = "migrate shop_models:Customer.note --from"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("migrate shop_models:Customer --from plain", "name the attribute to fill"),
        (f"{NOTE} nothing", "has no column nothing"),
        (f"{NOTE} plain --reader x", "MODULE:FUNCTION"),
        (f"{NOTE} plain --reader shop_models:nothing", "shop_models has no nothing"),
        (f"{NOTE} plain --reader shop_models:number", "is not a function"),
        ("rotate shop_models:Base --batch 0", "--batch is followed by a number"),
        ("rotate shop_models:Base --rate -1", "--rate"),
        ("rotate shop_models:Base --rate 0", "--rate is followed by a number"),
    ],
)
def test_wrong_arguments(shop, arguments, says):
    """They are refused, and nothing is written."""
    before = shop.cards()
    ran = shop(*arguments.split())
    assert (ran.status, ran.out) == (2, b"")
    assert says in ran.err
    assert shop.cards() == before


# ---- The database ----


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://shop:hunter2@host/shop", "a URL with a password is no argument"),
        ("postgresql://host/shop?password=hunter2", "a URL with a password is no argument"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dhunter2", "a URL with a password is no argument"),
        ("env:NO_SUCH_URL", "there is no environment variable NO_SUCH_URL"),
        ("env:EMPTY", "the URL of the database is empty"),
        ("url", "other users have access to this file"),
        ("fd:99", "fd:99 is not open"),
        ("env:WRONG", "this is not the URL of a database"),
        ("nothing://host/shop", "Can't load plugin: sqlalchemy.dialects:nothing"),
        ("sqlite+aiosqlite:///shop.db", "is for asyncio"),
        ("oracle+oracledb://host", "the driver that this URL names is not there"),
        ("sqlite:////nothing/shop.db", "the database cannot be reached: unable to open"),
        ("sqlite:///shop.db?nonsense=hunter2", "the URL has an option"),
        ("sqlite:///shop.db?timeout=hunter2", "the URL has an option"),
    ],
)
def test_a_database_that_is_not_there(shop, monkeypatch, url, says):
    """One sentence, in which there is no password."""
    Path("url").write_text(URL)
    Path("url").chmod(0o644)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("WRONG", "hunter2 is no url")
    ran = shop("status", "shop_models:Base", database=url)
    assert (ran.out, says in ran.err) == (b"", True), ran.err
    assert ran.status == 2
    assert "hunter2" not in ran.err


def test_where_the_url_comes_from(shop, monkeypatch):
    """A file that is the user's own, a variable, and DATABASE_URL if nothing is said."""
    Path("url").write_text(f"{URL}\n")
    Path("url").chmod(0o600)
    assert shop("status", "shop_models:Base", database="url").status == 0
    assert shop("status", "shop_models:Base", database="file:url").status == 0
    monkeypatch.setenv("DATABASE_URL", URL)
    sys.modules.pop("shop_models", None)
    assert shop._run("fields", "status", "shop_models:Base").status == 0
    monkeypatch.delenv("DATABASE_URL")
    assert "DATABASE_URL" in shop._run("fields", "status", "shop_models:Base").err


def test_what_is_not_in_the_database(shop):
    """A file that is none, and a table that is missing: it says so."""
    ran = shop("status", "shop_models:Base", database="sqlite:///key")
    assert ran == (1, b"", "pythemis: the database refused: file is not a database\n")
    shop.execute("DROP TABLE customers")
    for command in ("status", "rotate"):
        ran = shop(command, "shop_models:Base")
        assert (ran.status, ran.out) == (1, b"")
        assert ran.err == "pythemis: the database refused: no such table: customers\n"


def test_a_database_that_refuses_in_the_middle(shop):
    """The sentence says how much is done, the status that it is a part; the next run goes on."""
    shop.new_keys("shop")
    shop.execute(
        "CREATE TRIGGER no BEFORE UPDATE ON customers WHEN old.id > 25 "
        "BEGIN SELECT RAISE(ABORT, 'not now'); END"
    )
    ran = shop("rotate", "shop_models:Customer.card", "--batch", "10")
    assert (ran.status, ran.out) == (3, b"")
    said = "the database refused: not now; 20 values are rewritten: start it again for the others"
    assert ran.err == f"pythemis: {said}\n"
    shop.execute("DROP TRIGGER no")
    assert (
        f"{ROWS - 20} values rewritten" in shop("rotate", "shop_models:Customer.card").out.decode()
    )
    assert len(shop.cards()[0]) == ROWS


def test_values_that_are_refused(shop, capfdbinary):
    """Up to twenty are named by their rows; the others are rewritten, and the status says so."""
    shop.new_keys("shop")
    shop.execute("UPDATE customers SET card_cell = X'00' WHERE id <= 25")
    sys.modules.pop("shop_models", None)
    assert main(["fields", "rotate", "shop_models:Base", "--database", URL]) == 3
    said = capfdbinary.readouterr()
    assert said.out.decode() == f"Customer: {2 * ROWS - 25} values rewritten, 25 refused\n"
    lines = said.err.decode().splitlines()
    assert len(lines) == 21
    assert lines[0].startswith("pythemis: Customer 1: customers.card_cell: this is neither")
    assert lines[-1] == "pythemis: Customer: more values are refused, which are counted alone"
    shown = shop("status", "shop_models:Customer.card").out.decode()
    assert f"{25:12}  under no key of the ring\n" in shown


# ---- In a process of its own ----


def started(*arguments, **options):
    """Start ``pythemis fields``."""
    command = [sys.executable, "-m", "pythemis", "fields", *arguments, "--database", URL]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


@pytest.mark.skipif(os.name != "posix", reason="another way to interrupt")
def test_it_is_interrupted_and_started_again(shop):
    """Ended at random points, also by force, it loses nothing; the last run ends the work."""
    seed = random.randrange(1 << 30)
    rng = random.Random(seed)
    before, _ = shop.cards()
    shop.new_keys("shop", "index")
    query = f"SELECT count(*) FROM customers WHERE substr(card_cell, 4, 5) = X'{primary()}'"
    for _ in range(6):
        done = shop.execute(query)
        process = started("rotate", "shop_models:Base", "--batch", "1", "--rate", "6")
        while shop.execute(query) == done and process.poll() is None:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 0.3))
        number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
        process.send_signal(number)
        process.communicate(timeout=120)
        statuses = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -signal.SIGKILL}
        assert process.returncode == statuses[number], seed
    assert 6 <= shop.execute(query) < ROWS
    done = started("rotate", "shop_models:Base")
    assert done.communicate(timeout=300)[1] == b""
    assert done.returncode == 0
    assert shop.cards() == (before, {primary()}), seed


def test_ctrl_c_is_a_sentence(shop):
    """Once it writes, the status is 130, and what is done stays done."""
    shop.new_keys("shop")
    process = started("rotate", "shop_models:Base", "--batch", "1", "--rate", "6")
    while len(shop.cards()[1]) == 1:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, b"", b"pythemis: interrupted\n")
    assert len(shop.cards()[1]) == 2


def test_the_bar_at_a_terminal(shop, tmp_path):
    """What takes a while shows how far it is, and nothing of it is left in the end."""
    pytest.importorskip("pty")
    from support.terminal import Terminal

    shop.new_keys("shop")
    options = ["--batch", "5", "--rate", "30", "--database"]
    command = [sys.executable, "-m", "pythemis", "fields", "rotate", "shop_models:Base"]
    terminal = Terminal(tmp_path, *command, *options, URL)
    said = f"Customer: {2 * ROWS} values rewritten, 0 refused"
    assert terminal.ended() == (0, f"{said}\n")
    assert "] " in terminal.shown
    assert " %\r" in terminal.shown
    assert terminal.shown.endswith(f"\r{said}\r\n")


# ---- The plan of an index ----


def test_the_plan(pythemis):
    """It is that of the library, as text and as JSON."""
    from pythemis.fields import index_plan

    command = ["index-plan", "--rows", "1000000", "--distinct", "400000"]
    assert pythemis(*command) == (0, f"{index_plan(rows=10**6, distinct=400_000)}\n".encode(), "")
    found = json.loads(pythemis(*command, "--bits", "16", "--json").out)
    [size] = found["sizes"]
    assert (found["schema"], size["bits"], size["unique"], found["warning"]) == (1, 16, False, "")
    assert 15 < size["others"] < 16
    assert 7 < size["alike"] < 8


@pytest.mark.parametrize(
    ("rows", "distinct", "bits", "says"),
    [
        ("x", "1", "8", "--rows is followed by a number"),
        ("1", "2", "8", "distinct is 2"),
        ("2", "1", "7", "bits is 7"),
        ("2", "1", "257", "bits is 257"),
        ("9" * 5000, "1", "8", "--rows is followed by a number"),
    ],
)
def test_a_wrong_plan(pythemis, rows, distinct, bits, says):
    """One sentence, and the status 2."""
    ran = pythemis("index-plan", "--rows", rows, "--distinct", distinct, "--bits", bits)
    assert (ran.status, ran.out, says in ran.err) == (2, b"", True)
