# SPDX-License-Identifier: Apache-2.0
"""Measure what pythemis costs before it does anything: the time of its import, and memory.

Every figure is of fresh processes. An import is measured inside them, in turns with that of `ssl`,
which also starts OpenSSL; the time is that of the processor, and the files are in the cache,
compiled to bytecode as pip leaves them. Nothing that other packages load at Python's start is there
already (`-I -S`). Memory is the growth of the resident set.

    python benchmarks/resources.py [--rounds 15] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
from pathlib import Path

import _cffi_backend
from _measure import in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write

import pythemis

BACKEND = "import _cffi_backend"
STANDARD = "import ssl"
CELLS = "import pythemis.scell"
ALL_MODULES = "from pythemis import exception, scell, scomparator, skeygen, smessage, ssession"
# `os` is there in every Python, but under -S.
TIME = (
    "import os, sys, time; sys.path[:0] = sys.argv[1:]; start = time.process_time(); {}; "
    "print((time.process_time() - start) * 1e3)"
)
HOMES = [str(Path(pythemis.__file__).parent.parent)]
if "_cffi_backend" not in sys.builtin_module_names:  # as it is in PyPy
    HOMES.append(str(Path(_cffi_backend.__file__).parent))

# Where this variable is set, and the modules lie in a folder of sources, each import compiles them.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if name != "PYTHONDONTWRITEBYTECODE"}  # fmt: skip

# What a process has in memory, and the most that it ever had, in KiB.
MEMORY = """\
from pathlib import Path
def memory(field):
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field))
"""
GROWTH = MEMORY + "before = memory('VmRSS'); {}; print(memory('VmRSS') - before)"
# Objects that are made first bring code and caches into memory, which are not theirs.
OBJECTS = """\
from pythemis.scell import SCellSeal
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SMessage
from pythemis.ssession import SSession
from pythemis.scomparator import SComparator
key, pair = GenerateSymmetricKey(), GenerateKeyPair(KEY_PAIR_TYPE.EC)
private, public = pair.export_private_key(), pair.export_public_key()
callbacks = type("Callbacks", (), dict(get_pub_key_by_id=lambda self, peer_id: public))()
"""
OBJECT = MEMORY + OBJECTS + (
    "first = [{0} for _ in range(4000)]; before = memory('VmRSS')\n"
    "kept = [{0} for _ in range(4000)]; print((memory('VmRSS') - before) / 4000)"
)  # fmt: skip
# The message of 64 MiB is there before; the result is what must come on top.
PEAK = MEMORY + OBJECTS + (
    "cell = SCellSeal(key=key); cell.encrypt(b'message'); message = b'm' * (64 << 20)\n"
    "before = memory('VmHWM'); result = cell.encrypt(message)\n"
    "print((memory('VmHWM') - before) / 1024)"
)  # fmt: skip


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    rows = imports(options.rounds)
    if sys.platform == "linux":
        rows += memory(max(1, options.rounds // 5))
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, {"rounds": options.rounds}))


def said_by(code: str, *, bare: bool = False) -> float:
    """Run a fresh interpreter for the figure that it prints; bare is without installed packages."""
    command = [sys.executable, *(["-I", "-S"] if bare else []), "-c", code, *HOMES]
    return float(subprocess.check_output(command, text=True, env=ENVIRONMENT))


def imports(rounds: int) -> list[Row]:
    """Measure what an import takes beside that of `ssl`."""
    statements = (STANDARD, CELLS, ALL_MODULES)
    clocks = [
        functools.partial(said_by, TIME.format(statement), bare=True) for statement in statements
    ]
    clocks[-1]()  # compiles what is not yet
    standard, *samples = in_turns(clocks, rounds)
    return [
        Row(name, spread(taken), "import ssl", spread(standard), ratios(taken, standard), goal,
            unit="ms")
        for name, taken, goal in zip((CELLS, "import of all its modules"), samples, (0.6, None),
                                     strict=True)
    ]  # fmt: skip


def memory(rounds: int) -> list[Row]:
    """Measure what stays in memory, and the most that a large message needs."""
    codes = {
        "memory: all modules, with the backend": (GROWTH.format(ALL_MODULES), "KiB"),
        "memory: an SCellSeal": (OBJECT.format("SCellSeal(key=key)"), "KiB"),
        "memory: an SMessage": (OBJECT.format("SMessage(private, public)"), "KiB"),
        "memory: an SSession": (OBJECT.format("SSession(b'id', private, callbacks)"), "KiB"),
        "memory: an SComparator": (OBJECT.format("SComparator(b'secret')"), "KiB"),
        "memory: Seal encrypt 64 MiB, at most on top": (PEAK, "MiB"),
    }
    if "_cffi_backend" not in sys.builtin_module_names:  # as it is in PyPy
        codes = {"memory: cffi's backend": (GROWTH.format(BACKEND), "KiB"), **codes}
    return [
        Row(name, spread([said_by(code) for _ in range(rounds)]), unit=unit)
        for name, (code, unit) in codes.items()
    ]


if __name__ == "__main__":
    main()
