# SPDX-License-Identifier: Apache-2.0
"""The most that a process holds of malloc at one moment: Python, our core and its libraries.

A process counts if held.c was preloaded; `run` starts one.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

_process = ctypes.CDLL(None) if os.name == "posix" else None
COUNTS = hasattr(_process, "held_most")
# Elsewhere Python allocates past malloc, or malloc cannot be replaced like this, or is already.
CAN_COUNT = (
    sys.implementation.name == "cpython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
    and sys.platform == "linux"
    and hasattr(_process, "__libc_malloc")
    and "LD_PRELOAD" not in os.environ
    and shutil.which("cc") is not None
)
if COUNTS:
    _process.held_most.restype = ctypes.c_int64
    os.environ.pop("LD_PRELOAD")  # what this process starts need not count


def during(work):
    """Return the result of some work, and the most bytes that it held; 0 where none are counted."""
    if not COUNTS:
        return work(), 0
    _process.held_begin()
    return work(), _process.held_most()


def run(*arguments, environment=os.environ, **options):
    """Run Python in a process that counts, as subprocess.run does."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "held.so")
        source = Path(__file__).with_suffix(".c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        counting = {
            **environment,
            "LD_PRELOAD": str(library),
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        return subprocess.run([sys.executable, *arguments], env=counting, check=False, **options)
