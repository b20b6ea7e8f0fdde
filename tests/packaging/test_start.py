# SPDX-License-Identifier: Apache-2.0
"""Modules load quickly: nothing that they need later, or that only annotations need."""

import subprocess
import sys
from pathlib import Path

import _cffi_backend
import pytest

import pythemis

HOMES = [str(Path(module.__file__).parent) for module in (_cffi_backend,)]
HOMES.append(str(Path(pythemis.__file__).parent.parent))
SLOW = {"asyncio", "contextlib", "ctypes", "dataclasses", "decimal", "importlib", "inspect", "json"}
SLOW |= {"pathlib", "re", "struct", "threading", "typing", "unicodedata", "warnings", "weakref"}
IMPORT = (
    "import sys; sys.path[:0] = sys.argv[2:]; before = set(sys.modules); __import__(sys.argv[1])"
)
SHOW = "print(*sorted(set(sys.modules) - before))"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="others load modules of their own")
@pytest.mark.parametrize("module", ["exception", "scell", "scomparator", "skeygen", "smessage"])
def test_a_module_loads_nothing_slow(module):
    """In an interpreter that has no other packages, as at the start of a small program."""
    command = [sys.executable, "-I", "-S", "-c", f"{IMPORT}; {SHOW}", f"pythemis.{module}", *HOMES]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert f"pythemis.{module}" in loaded
    allowed = {"threading", "warnings", "weakref"} if module == "scomparator" else set()  # locks
    assert SLOW & set(loaded) <= allowed
