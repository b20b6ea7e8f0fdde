# SPDX-License-Identifier: Apache-2.0
"""Modules load quickly: nothing that they need later, or that only annotations need."""

import subprocess
import sys
from pathlib import Path

import _cffi_backend
import pytest

import pythemis

# PyPy has cffi in itself.
HOMES = [str(Path(file).parent) for file in [getattr(_cffi_backend, "__file__", None)] if file]
HOMES.append(str(Path(pythemis.__file__).parent.parent))
SLOW = {"asyncio", "contextlib", "ctypes", "dataclasses", "decimal", "importlib", "inspect", "json"}
SLOW |= {"pathlib", "re", "struct", "threading", "typing", "unicodedata", "warnings", "weakref"}
ENUM = {"collections", "enum", "functools", "operator", "types"}  # a third of the start of scell
SLOW |= ENUM
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
    if module not in ("exception", "scell"):
        allowed |= ENUM
    assert SLOW & set(loaded) <= allowed


@pytest.mark.parametrize("module", ["exception", "scell"])
@pytest.mark.parametrize(
    "use",
    [
        "module.THEMIS_CODES(11)",
        "pickle.loads(pickle.dumps(module.THEMIS_CODES.FAIL))",
        "pickle.loads(pickle.dumps(error(11, 'a message'))).error_code",
        "error('a message', 11).error_code",
    ],
)
def test_the_codes_load_when_they_are_used(module, use):
    """Whatever asks for them first gets members of one and the same class."""
    code = (
        f"import pickle, sys; sys.path[:0] = sys.argv[1:]; import pythemis.{module} as module\n"
        f"from pythemis.exception import ThemisError as error; used = {use}\n"
        "from pythemis.exception import THEMIS_CODES\n"
        "assert used is THEMIS_CODES.FAIL is module.THEMIS_CODES.FAIL, used\n"
        "assert pickle.dumps(THEMIS_CODES).find(b'pythemis.exception') > 0\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code, *HOMES], check=True)


def test_the_codes_are_listed():
    """What is loaded late is found by those who look around, such as help()."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import pythemis.exception as module\n"
        "assert set(module.__all__) < set(dir(module)); from pythemis.exception import *\n"
        "assert THEMIS_CODES.FAIL == 11\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code, *HOMES], check=True)


def test_nothing_loads_what_cpython_alone_has():
    """PyPy has no `_functools` and no `os.O_ACCMODE`; what can use them works without."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; sys.modules['_functools'] = None\n"
        "import os; vars(os).pop('O_ACCMODE', None)\n"
        "from pythemis.scell import SCellSeal; cell = SCellSeal(bytes(32))\n"
        "assert cell.decrypt(cell.encrypt(b'x')) == b'x'\n"
        "from pythemis.keyring import SecretKey; reading, writing = os.pipe()\n"
        "os.write(writing, bytes(32)); os.close(writing)\n"
        "assert SecretKey.from_fd(reading, encoding='raw').reveal() == bytes(32)\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code, *HOMES], check=True)
