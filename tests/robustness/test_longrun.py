# SPDX-License-Identifier: Apache-2.0
"""A short round of `make evidence ONLY=longrun`."""

import subprocess
import sys

import pytest

from support.project import ROOT

pytestmark = [
    pytest.mark.timing,
    pytest.mark.slow,
    pytest.mark.evidence,
    pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc"),
]


def longrun(*options):
    """Run it with some options: exit status, output."""
    command = [sys.executable, "-m", "tools.evidence.longrun", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.hooks
def test_memory_stays_flat():
    """Two hundred thousand operations, and a day of a session, leave memory as it was."""
    status, said = longrun("--operations", "2e5")
    assert status == 0, said
    assert " session messages in " in said


def test_a_leak_is_seen():
    """The judge is judged: memory that is lost on purpose, 60 bytes for each operation."""
    status, said = longrun("--operations", "5e4", "--leak", "100000")
    assert status == 1, said
    assert "memory is not flat" in said
