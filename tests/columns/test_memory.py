# SPDX-License-Identifier: Apache-2.0
"""A call takes the memory of its output, and less than 1 MiB more."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.arrow import needs_capsules
from support.project import ROOT

PROGRAM = """
from pathlib import Path
from pythemis.columns import ColumnCipher
from pythemis.keyring import Keyring
from support.arrow import by_offsets, integers

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

def extra(call, *arguments):
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    result = call(*arguments, threads=2)
    print(status("VmHWM") - before)
    return result

ROWS = 100_000
cipher = ColumnCipher(Keyring.new("shop").add(), ("customers", "email"))
few = integers(range(5000))
cipher.decrypt(cipher.encrypt(by_offsets([b"x" * 23] * 5000), few, threads=2), few, threads=2)
values, ids = by_offsets([b"x" * 23] * ROWS), integers(range(ROWS))
cells = extra(cipher.encrypt, values, ids)
extra(cipher.decrypt, cells, ids)
"""


@needs_capsules
@pytest.mark.limited
@pytest.mark.timing
@pytest.mark.sources
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks Linux for the peak")
def test_extra_memory():
    """Encrypting and decrypting 100,000 rows of 23 bytes: data, offsets, and where nulls are."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "MALLOC_ARENA_MAX": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    took = [int(line) for line in done.stdout.split()]
    for kib, size in zip(took, (76, 23), strict=True):
        output = 100_000 * (size + 4) // 1024 + 100_000 // 8 // 1024
        assert kib < output + 1024, took
