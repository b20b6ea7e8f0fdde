# SPDX-License-Identifier: Apache-2.0
"""Sealed fields of Django: each file of checks has a process, because settings are per process."""

import subprocess
import sys

import pytest

from support import postgres
from support.project import ROOT

pytest.importorskip("django")

CHECKS = sorted((ROOT / "tests" / "fields" / "django_checks").glob("check_*.py"))


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_checks(path):
    """The checks of one file pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-o", "python_files=check_*.py", "--rootdir", str(ROOT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.fixture(scope="module")
def folder():
    """Start PostgreSQL and give the folder of its socket."""
    pytest.importorskip("psycopg")
    with postgres.server() as address:
        yield address.partition("unix_sock=")[2].rpartition("/")[0]


@pytest.mark.integration
@pytest.mark.parametrize(
    "path", [path for path in CHECKS if path.stem != "check_guide"], ids=lambda path: path.stem
)
def test_checks_on_postgresql(path, folder, monkeypatch):
    """They pass on PostgreSQL as well."""
    monkeypatch.setenv("PYTHEMIS_SHOP_POSTGRES", folder)
    test_checks(path)


@pytest.mark.integration
@pytest.mark.slow
def test_killed_rotations(folder, monkeypatch):
    """Rotations beside four writers are killed fifty times, and nothing is lost."""
    monkeypatch.setenv("PYTHEMIS_SHOP_POSTGRES", folder)
    test_checks(CHECKS[0].with_name("kill_rotation.py"))
