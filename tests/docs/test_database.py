# SPDX-License-Identifier: Apache-2.0
"""The page about database columns works on PostgreSQL too; test_readme.py runs it on SQLite."""

import os

import pytest
from sqlalchemy import create_engine, text

from support.documents import Example, Section, run, sections
from support.postgres import database, server, server_programs
from support.project import ROOT

PAGE = ROOT / "docs" / "how-to" / "database.md"
ADDRESS = '"sqlite:///shop.db"'


def on_another_database(address):
    """Give the page's examples, with another database in the one place that names it."""
    examples = [example for part in sections(PAGE.read_text("utf-8")) for example in part.examples]
    assert sum(example.code.count(ADDRESS) for example in examples) == 1
    return Section(
        PAGE.name,
        [
            Example(example.line, example.code.replace(ADDRESS, repr(address)), example.reason)
            for example in examples
        ],
    )


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="the server is started as on Unix")
def test_the_page_about_columns_on_postgresql(tmp_path, monkeypatch):
    """Every example of the page runs against a PostgreSQL server of our own."""
    monkeypatch.chdir(tmp_path)
    with server() as address:
        run(on_another_database(address), str(PAGE))
        with create_engine(address).connect() as connection:
            assert "PostgreSQL" in connection.scalar(text("SELECT version()"))
            assert connection.scalar(text("SELECT count(*) FROM customers")) == 2
    assert list(tmp_path.iterdir()) == []  # nothing went to SQLite


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
def test_a_missing_server_is_told(monkeypatch, ci, outcome):
    """Without the programs the test is skipped with a reason; on CI it fails."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(database, "server_programs", lambda: None)
    with pytest.raises(outcome, match="needs the programs of PostgreSQL"):
        server_programs()
