# SPDX-License-Identifier: Apache-2.0
"""The page about database columns works on PostgreSQL too; test_readme.py runs it on SQLite."""

import os

import pytest
from _documents import Example, Section, run, sections
from _project import ROOT

PAGE = ROOT / "docs" / "how-to" / "database.md"
ADDRESS = '"sqlite:///shop.db"'

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the server is started as on Unix")


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


def test_the_page_about_columns_on_postgresql(tmp_path, monkeypatch):
    """Every example of the page runs against a PostgreSQL server of our own."""
    from _postgres import server
    from sqlalchemy import create_engine, text

    monkeypatch.chdir(tmp_path)
    with server() as address:
        run(on_another_database(address), str(PAGE))
        with create_engine(address).connect() as connection:
            assert "PostgreSQL" in connection.scalar(text("SELECT version()"))
            assert connection.scalar(text("SELECT count(*) FROM customers")) == 2
    assert list(tmp_path.iterdir()) == []  # nothing went to SQLite
