# SPDX-License-Identifier: Apache-2.0
"""The example of Secure Comparator does what it says."""

import subprocess
import sys

import pytest

from support.project import ROOT

EXAMPLE = ROOT / "examples" / "compare_passwords.py"


def test_the_example_runs():
    """The example compares over a socket: a wrong guess first, then the right password."""
    done = subprocess.run(
        [sys.executable, EXAMPLE], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == [
        "asking side: the passwords differ",
        "asking side: the passwords match",
        "waiting side, attempt 1: the passwords differ",
        "waiting side, attempt 2: the passwords match",
    ]


@pytest.mark.no_c
def test_the_example_says_how_it_is_used():
    """An argument that it does not know makes the example explain itself."""
    done = subprocess.run(
        [sys.executable, EXAMPLE, "sing"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2
    assert "compare_passwords.py serve" in done.stdout
