# SPDX-License-Identifier: Apache-2.0
"""Sealed fields of Django: each file of checks has a process, because settings are per process."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from support import mariadb, postgres
from support.live_services import missing
from support.project import ROOT
from support.servers import files_below
from tools.setup.django_tests import DJANGO_TESTS

pytest.importorskip("django")

CHECKS = sorted((ROOT / "tests" / "fields" / "django_checks").glob("check_*.py"))


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_checks(path):
    """The checks of one file pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-o", "python_files=check_*.py", "--rootdir", str(ROOT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.fixture
def on_postgresql(postgresql_address, monkeypatch):
    """Let a process use PostgreSQL, and give the folder of the server."""
    pytest.importorskip("psycopg")
    folder = postgresql_address.partition("unix_sock=")[2].rpartition("/")[0]
    monkeypatch.setenv("PYTHEMIS_SHOP_POSTGRES", folder)
    return Path(folder)


@pytest.fixture
def on_mariadb(mariadb_address, monkeypatch):
    """Let a process use MariaDB, and give the folder of its data."""
    monkeypatch.setenv("PYTHEMIS_SHOP_MARIADB", mariadb_address.partition("unix_socket=")[2])
    return mariadb.data_of(mariadb_address)


def marked(folder):
    """Give the files of a server that have the marker of check_writes.py."""
    files = files_below(folder)
    assert len(files) > 20
    return [path for path, data in files.items() if b"MARKER-4929" in data]


SERVED = [path for path in CHECKS if path.stem != "check_guide"]


@pytest.mark.integration
@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.stem)
def test_checks_on_postgresql(path, on_postgresql):
    """They pass on PostgreSQL, whose files, WAL and log have no value afterwards."""
    test_checks(path)
    assert marked(on_postgresql) == []


@pytest.mark.integration
@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.stem)
def test_checks_on_mariadb(path, on_mariadb):
    """They pass on MariaDB, whose files and logs have no value afterwards."""
    test_checks(path)
    assert marked(on_mariadb) == []


@pytest.mark.integration
def test_the_search_finds_plain_text_on_postgresql():
    """Control: a value that is written plain is found in the file of its table and in the WAL."""
    psycopg = pytest.importorskip("psycopg")
    with postgres.server() as address:
        folder = Path(address.partition("unix_sock=")[2]).parent
        options = {"host": str(folder), "user": "shop", "dbname": "postgres"}
        with psycopg.connect(**options, autocommit=True) as connection:
            connection.execute("CREATE TABLE plain (text TEXT)")
            connection.execute("INSERT INTO plain VALUES (%s)", ["MARKER-4929"])
            connection.execute("CHECKPOINT")
        found = {path.relative_to(folder / "data").parts[0] for path in marked(folder)}
    assert found == {"base", "pg_wal"}


@pytest.mark.integration
def test_the_search_finds_plain_text_on_mariadb():
    """Control: a value that is written plain is found in logs, and where the table is."""
    pymysql = pytest.importorskip("pymysql")
    with mariadb.server() as address:
        path = address.partition("unix_socket=")[2]
        with pymysql.connect(unix_socket=path, user="root", database="shop") as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE plain (text TEXT)")
            cursor.execute("INSERT INTO plain VALUES ('MARKER-4929')")
            connection.commit()
            cursor.execute("FLUSH TABLES plain FOR EXPORT")  # which writes its file
        found = {each.name for each in marked(mariadb.data_of(address))}
    assert {"general.log", "slow.log", "bin.000001", "plain.ibd"} <= found


@pytest.mark.integration
def test_djangos_own_tests():
    """They pass with a sealed field in the place of each field, but for those with a reason."""
    folder = DJANGO_TESTS / version("django")
    if not folder.exists():
        missing(folder, setup="django_tests")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(folder)])
    done = subprocess.run(
        [sys.executable, str(CHECKS[0].with_name("upstream.py"))],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr[-8000:]
    print(done.stdout)
    passed = int(done.stdout.split(" passed")[0].split()[-1])
    assert passed > 110


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.usefixtures("on_postgresql")
def test_killed_rotations():
    """Rotations beside four writers are killed fifty times, and nothing is lost."""
    test_checks(CHECKS[0].with_name("kill_rotation.py"))
