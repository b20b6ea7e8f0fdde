# SPDX-License-Identifier: Apache-2.0
"""Walk the hot paths under callgrind; tools/evidence/instructions.py runs this and counts.

Every path is walked in two lengths, and what callgrind saw is written after each, so that their
difference is free of whatever surrounds the calls.

    valgrind --tool=callgrind --instr-atstart=no ... python benchmarks/hot_paths.py LIBRARY
"""

from __future__ import annotations

import ctypes
import itertools
import sys
import timeit
from typing import NamedTuple

import operations
from _measure import Work


class Path(NamedTuple):
    """An operation of operations.py, and how often it is walked."""

    operation: str
    short: int = 40
    long: int = (
        360  # 320 more: random bytes are drawn in blocks, of which these take ten whole ones
    )
    warm: int = 60  # until the interpreter has settled on how it runs this
    items: int = 1  # what one call works on


FEW = {"short": 2, "long": 6, "warm": 3}
PATHS = (
    Path("Seal encrypt 64 B"),
    Path("Seal decrypt 64 B"),
    Path("Seal encrypt 64 B, each its own context"),
    Path("Seal decrypt 64 B, each its own context"),
    Path("Token Protect encrypt 1 KiB"),
    Path("Token Protect decrypt 1 KiB"),
    Path("Context Imprint encrypt 64 B"),
    Path("Context Imprint encrypt 64 B, each its own context"),
    Path("GenerateSymmetricKey"),
    Path("GenerateKeyPair EC", **FEW),
    Path("SMessage EC wrap 64 B, object reused"),
    Path("SMessage EC unwrap 64 B, object reused"),
    Path("SMessage EC made new + wrap 64 B", **FEW),
    Path("ssign EC 64 B", **FEW),
    Path("sverify EC 64 B", **FEW),
    Path("SecureSigner EC 64 B", **FEW),
    Path("SecureVerifier EC 64 B", **FEW),
    Path("session handshake, both sides", short=1, long=3, warm=2),
    Path("session wrap 64 B"),
    Path("session wrap + unwrap 64 B"),
    Path("comparison, both sides", short=1, long=2, warm=1),
    Path("Seal encrypt_into 64 B"),
    Path(f"Seal encrypt_many {operations.MANY} x 100 B", short=1, long=3, warm=2,
         items=operations.MANY),
    Path(f"Seal decrypt_many {operations.MANY} x 100 B", short=1, long=3, warm=2,
         items=operations.MANY),
)  # fmt: skip
# The controls: the first path, with some of its calls made twice.
CONTROLS = {"5 % slower": 20, "25 % slower": 4}


def main() -> None:
    """Walk every path that this pythemis has, and the controls."""
    callgrind = ctypes.CDLL(sys.argv[1])
    known = operations.operations()
    for path in PATHS:
        if path.operation in known:
            walk(callgrind, path, path.operation, known[path.operation]())
    for name, every in CONTROLS.items():
        walk(callgrind, PATHS[0], name, slowed(known[PATHS[0].operation](), every))


def walk(callgrind: ctypes.CDLL, path: Path, name: str, work: Work) -> None:
    """Let callgrind write what it counts in a short walk, and in a long one."""
    timer = timeit.Timer(work.statement, globals=work.names)
    timer.timeit(path.warm)
    for times in (path.short, path.long):
        callgrind.begin()
        timer.timeit(times)
        callgrind.end(f"{name}|{times}|{path.items}".encode())


def slowed(work: Work, every: int) -> Work:
    """Make every so many calls twice."""
    turns = itertools.cycle([True] + [False] * (every - 1))
    twice = f"{work.statement}\nif next(turns):\n {work.statement}"
    return Work(twice, work.names | {"turns": turns})


if __name__ == "__main__":
    main()
