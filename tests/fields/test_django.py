# SPDX-License-Identifier: Apache-2.0
"""Sealed fields of Django: each file of checks has a process, because settings are per process."""

import subprocess
import sys

import pytest

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
