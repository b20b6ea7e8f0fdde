# SPDX-License-Identifier: Apache-2.0
"""Short rounds of the programs of tests/c: faults, what stays in memory, what timing tells."""

import os
import platform
import shutil
import subprocess
import sys

import pytest

from support.project import ROOT

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.sources,
    pytest.mark.slow,
    pytest.mark.evidence,
    pytest.mark.skipif(sys.platform != "linux", reason="works with the GNU C library's allocator"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "aarch64"), reason="nobody wrote wrappers for it"
    ),
]


def run(tool, *arguments):
    """Run a tool, which judges by its exit status; give what it said."""
    done = subprocess.run(
        [sys.executable, "-m", f"tools.evidence.{tool}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_whatever_fails_beneath_the_core_it_fails_cleanly():
    """Some of each operation's allocations, random requests and calls fail: nothing is found."""
    assert run("faults", "8").splitlines()[-1].endswith(" 0 findings")


def test_whatever_fails_while_an_rsa_key_is_read_it_fails_cleanly():
    """All of it: one allocation of 1,600 was a gap, with two numbers exchanged and success."""
    assert run("faults", "0", "RSA-1024 import old form").splitlines()[-1].endswith(" 0 findings")


def test_whatever_fails_while_the_library_starts_it_fails_cleanly():
    """Every call of the start fails, and some allocations: a status, or a library that works.

    So many that no fifty in a row are left out: that was a gap in which a start lied.
    """
    assert run("faults", "400", "start").splitlines()[-1].endswith(" 0 findings")


def test_the_core_refuses_what_python_would_never_ask():
    """Wrong sizes, kinds and numbers, given to functions that Python guards, are refused."""
    assert run("faults", "0", "refusals").splitlines()[-1] == "0 findings"


def test_nothing_secret_stays_in_memory():
    """After every operation, and some failures of each, stacks and freed blocks hold no secret."""
    rounds = [line for line in run("wiping", "1").splitlines() if line.startswith("wiping, ")]
    assert rounds
    assert all(line.endswith(" 0 findings of ours") for line in rounds)


@pytest.mark.skipif(
    not shutil.which("valgrind") and os.environ.get("CI") != "true", reason="needs valgrind"
)
def test_no_branch_depends_on_a_secret():
    """Nor is an address made of one: in derivation, comparisons, parsing and writing of keys."""
    cases = ("derivation", "session-keys", "cells", "passphrases", "ec-keys", "ec-scalars")
    cases += ("comparisons", "sealed-files", "rings", "secrets")
    assert run("consttime", *cases).splitlines()[-1] == "consttime: 0 findings of ours"
