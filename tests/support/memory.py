# SPDX-License-Identifier: Apache-2.0
"""What Python allocates, where the implementation can tell, and what processes grow by."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import ROOT

try:
    import tracemalloc
except ImportError:
    tracemalloc = None

GROWTH = """
import sys
from pythemis._cli.main import main
from support.memory import peak
before = peak()
status = main(sys.argv[1:])
print(status, peak() - before, file=sys.stderr)
"""

traced = pytest.mark.skipif(tracemalloc is None, reason="this Python does not trace memory")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is counted as on Linux")


def peak():
    """Return the most KiB that this process had.

    Its ``ru_maxrss`` is no less than what the process had that started it.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def growth_of(*arguments, after=""):
    """Return by how many KiB the command grows, once some code was run; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", after + GROWTH, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=True,
    )
    status, more = map(int, done.stderr.split())
    assert status == 0
    return more
