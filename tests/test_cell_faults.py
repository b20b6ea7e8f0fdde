# SPDX-License-Identifier: Apache-2.0
"""When memory runs out inside the core: an error, nothing half done, nothing lost."""

import ctypes
import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_cell_passphrase import forge

HERE = Path(__file__).resolve().parent
LEAST = {  # our own allocations alone, without those that OpenSSL makes beneath
    "cell_new": 2,
    "cell_new long": 2,
    "passphrase_new": 2,
    "seal": 1,
    "unseal": 1,
    "imprint": 2,
    "passphrase_seal": 2,
    "passphrase_unseal": 2,
    "symmetric_key": 0,
    "kdf": 1,
    "keyless kdf": 1,
}

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
        reason="replaces the allocator of the GNU C library",
    ),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Run the sweep with the failing allocator: what it printed, by name."""
    shim = tmp_path_factory.mktemp("shim") / "failing_malloc.so"
    compiler = os.environ.get("CC", "cc")
    source = HERE / "failing_malloc.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    sealed = forge(b"key", bytes(range(1, 101)), b"context")
    done = subprocess.run(
        [sys.executable, HERE / "fault_sweep.py", shim, sealed.hex()],
        env={**os.environ, "LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {name: int(number) for name, number in map(split, done.stdout.splitlines())}


def split(line):
    """Split a line into its name and its number."""
    name, _, number = line.rpartition(" ")
    return name, number


@pytest.mark.parametrize("name", LEAST)
def test_every_allocation_may_fail(answers, name):
    """Whichever allocation fails: NO_MEMORY or ENGINE_FAIL, no handle, nothing unverified out."""
    assert answers[name] >= LEAST[name]


def test_nothing_is_lost_when_allocations_fail(answers):
    """After twenty sweeps of everything the heap is as large as before; one leak is 20 blocks."""
    assert answers["lost"] < 640
