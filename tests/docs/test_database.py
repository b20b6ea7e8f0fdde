# SPDX-License-Identifier: Apache-2.0
"""The pages with SQL work on PostgreSQL too; test_readme.py runs them on SQLite."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from support import mariadb, postgres, servers
from support.documents import Example, Section, run, sections
from support.project import ROOT
from tools.setup import database

PAGE = ROOT / "docs" / "how-to" / "database.md"
ADDRESS = '"sqlite:///shop.db"'
ROTATION = ROOT / "docs" / "guide" / "keyring.md"
CONNECT = 'sqlite3.connect("shop.db")'


def with_another_database(page, named, instead):
    """Give a page's examples, with another database in the one place that names it."""
    examples = [example for part in sections(page.read_text("utf-8")) for example in part.examples]
    assert sum(example.code.count(named) for example in examples) == 1
    return Section(
        page.name,
        [
            Example(example.line, example.code.replace(named, instead), example.reason)
            for example in examples
        ],
    )


class LikeSqlite:
    """A connection to PostgreSQL that translates what the page says differs."""

    def __init__(self, engine):
        self._connection = engine.raw_connection()
        self.commit, self.close = self._connection.commit, self._connection.close

    def execute(self, statement, values=()):
        cursor = self._connection.cursor()
        cursor.execute(statement.replace("?", "%s").replace("BLOB", "BYTEA"), values)
        return cursor


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="the server is started as on Unix")
def test_the_page_about_columns_on_postgresql(tmp_path, monkeypatch):
    """Every example of the page runs against a PostgreSQL server of our own."""
    monkeypatch.chdir(tmp_path)
    with postgres.server() as address:
        run(with_another_database(PAGE, ADDRESS, repr(address)), str(PAGE))
        with create_engine(address).connect() as connection:
            assert "PostgreSQL" in connection.scalar(text("SELECT version()"))
            assert connection.scalar(text("SELECT count(*) FROM customers")) == 2
    assert list(tmp_path.iterdir()) == []  # nothing went to SQLite


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="the server is started as on Unix")
def test_the_rotation_on_postgresql(tmp_path, monkeypatch):
    """The SQL of the page about keyrings counts and rotates old rows on PostgreSQL too."""
    monkeypatch.chdir(tmp_path)
    with postgres.server() as address:
        engine = create_engine(address)
        names = {"__name__": "example", "database_for_the_page": LikeSqlite(engine)}
        run(with_another_database(ROTATION, CONNECT, "database_for_the_page"), str(ROTATION), names)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM customers")) == 6
        engine.dispose()


@pytest.mark.no_c
def test_the_newest_server_is_taken(tmp_path, monkeypatch):
    """Where Debian has several versions, the one with the highest number is used."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(database, "DEBIAN", tmp_path)
    assert database.server_programs() is None
    for version in ("9.6", "13", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    assert database.server_programs() == tmp_path / "17" / "bin"


@pytest.mark.no_c
@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
@pytest.mark.parametrize(
    ("wanted", "found", "name"),
    [
        (postgres.server_programs, "server_programs", "PostgreSQL"),
        (mariadb.server_programs, "mariadb_programs", "MariaDB"),
    ],
)
def test_a_missing_server_is_told(monkeypatch, ci, outcome, wanted, found, name):
    """Without the programs the test is skipped with a reason; on CI it fails."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(database, found, lambda: None)
    with pytest.raises(outcome, match=f"needs the programs of {name}"):
        wanted()


@pytest.mark.no_c
def test_mariadb_needs_all_its_programs(tmp_path, monkeypatch):
    """A server that could not make its folder of data is not taken."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(database, "SERVER_PATH", "")
    names = ("mariadbd", "mariadb-install-db", "my_print_defaults")
    for name in names:
        assert database.mariadb_programs() is None
        (tmp_path / name).touch(0o755)
    assert database.mariadb_programs() == tuple(str(tmp_path / name) for name in names[:2])


@pytest.mark.no_c
def test_files_that_a_server_removes_meanwhile_are_left_out(tmp_path, monkeypatch):
    """Reading a server's folder goes on when a file or a folder has gone since it was listed."""
    for name in ("a/1", "a/2", "b/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"data")
    read = Path.read_bytes

    def alone(path):
        data = read(path)
        for other in tmp_path.rglob("?"):
            if other.is_dir() and other != path.parent:
                shutil.rmtree(other)
            elif other.is_file() and other != path:
                other.unlink()
        return data

    monkeypatch.setattr(Path, "read_bytes", alone)
    assert list(servers.files_below(tmp_path).values()) == [b"data"]
