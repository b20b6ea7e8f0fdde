# SPDX-License-Identifier: Apache-2.0
"""Measure pythemis by the floor under it: the same libcrypto and libsodium, used raw from C.

floor.c is compiled for this and runs beside; it and pythemis are sampled in turns. What stands
beside an operation is only the cryptography in it: no key is read, nothing is allocated.

    python benchmarks/floor.py [--only TEXT] [--rounds 21] [--seconds 0.01] [--json FILE]

Beside a wheel, which is linked statically, set PYTHEMIS_LINK and PYTHEMIS_STATIC_PREFIX as for its
build, so that the floor has the same libraries.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import operations
from _measure import Stopwatch, in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write

SOURCE = Path(__file__).with_name("floor.c")
ROOT = SOURCE.parent.parent

if TYPE_CHECKING:
    from collections.abc import Callable


def module_of_the_project(name: str) -> Any:
    """Load a module of the project's folder, which is not searched: beside it lies pythemis."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_ffi = module_of_the_project("build_ffi")
STATIC = build_ffi.link_mode() == "static"
PROGRAM = ROOT / "build" / "bench" / ("floor-static" if STATIC else "floor")
# What both sides of a comparison take; tests/comparator/test_cost.py counts it.
GROUP_OPERATIONS = {"multiply": 32, "multiply-base": 22, "add": 22}
PBKDF2_ROUNDS = 314_110


class Raw(NamedTuple):
    """A call of floor.c, and how often it is made."""

    name: str
    number: int = 64
    count: int = 1


class Goal(NamedTuple):
    """An operation of ours, and the cryptography in it."""

    operation: str  # of operations.py
    beside: str
    parts: tuple[Raw, ...]
    at_most: float | None = None


def main() -> None:
    """Measure what was asked for and print how far above the floor it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--seconds", type=float, default=0.01, help="of one sample")
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    with Floor(options.seconds) as floor:
        wanted = [goal for goal in goals() if options.only in goal.operation]
        rows = [measure(goal, floor, options.rounds, options.seconds) for goal in wanted]
    print(f"{machine_sentence(machine())}; the floor is {floor.version}\n\n{table(rows)}", end="")
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    write(options.json, document(rows, settings, libcrypto_of_the_floor=floor.version))


class Floor:
    """The program in C, ready to be asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._program = subprocess.Popen(
            [build()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self._answer()

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._program.communicate()

    def clock(self, parts: tuple[Raw, ...]) -> Callable[[], float]:
        """Return what takes a sample: the sum of all parts."""
        return lambda: sum(part.count * self._ask(part) for part in parts)

    def _ask(self, part: Raw) -> float:
        assert self._program.stdin is not None
        self._program.stdin.write(f"{part.name} {part.number} {self._seconds}\n")
        self._program.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._program.stdout is not None
        line = self._program.stdout.readline()
        if not line:
            raise SystemExit("benchmarks/floor.c failed.")
        return line.strip()


def build() -> Path:
    """Compile floor.c, unless that is done."""
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > SOURCE.stat().st_mtime:
        return PROGRAM
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    flags = [build_ffi.library_flags(library) for library in build_ffi.LIBRARIES]
    compiling = [flag for before, _ in flags for flag in before]
    linking = [flag for _, behind in flags for flag in behind]
    compiler = os.environ.get("CC", "gcc")
    fresh = PROGRAM.with_suffix(f".{os.getpid()}")
    command = [compiler, "-std=c11", "-O2", *compiling, "-o", fresh, SOURCE, *linking]
    subprocess.run(command, check=True)
    return fresh.replace(PROGRAM)


def measure(goal: Goal, floor: Floor, rounds: int, seconds: float) -> Row:
    """Run both in turns."""
    work = operations.operations()[goal.operation]()
    ours, theirs = in_turns([Stopwatch(work, seconds), floor.clock(goal.parts)], rounds)
    ratio = ratios(ours, theirs)
    return Row(goal.operation, spread(ours), goal.beside, spread(theirs), ratio, goal.at_most)


def goals() -> list[Goal]:
    """List what is measured by what; the goals are those of the project's plan."""
    comparison = tuple(Raw(name, count=count) for name, count in GROUP_OPERATIONS.items())
    # The two keys of the session are read, the two of the peers were read before.
    handshake = {"ec-key": 2, "ec-point": 2, "ecdsa-sign": 3, "ecdsa-verify": 3, "ecdh": 2}
    return [
        Goal("Seal encrypt 64 KiB", "AES-256-GCM", (Raw("gcm-encrypt", 64 << 10),), 1.12),
        Goal("Seal encrypt 1 MiB", "AES-256-GCM", (Raw("gcm-encrypt", 1 << 20),), 1.08),
        Goal("Seal encrypt 16 MiB", "AES-256-GCM", (Raw("gcm-encrypt", 16 << 20),), 1.25),
        Goal("Seal decrypt 64 KiB", "AES-256-GCM", (Raw("gcm-decrypt", 64 << 10),)),
        Goal("Seal decrypt 1 MiB", "AES-256-GCM", (Raw("gcm-decrypt", 1 << 20),)),
        Goal("Seal decrypt 16 MiB", "AES-256-GCM", (Raw("gcm-decrypt", 16 << 20),)),
        Goal(
            "Seal encrypt 64 B",
            "HMAC, 12 random bytes, AES-256-GCM",
            (Raw("hmac"), Raw("random", 12), Raw("gcm-fresh-key", 64)),
        ),
        Goal("GenerateSymmetricKey", "32 random bytes", (Raw("random", 32),)),
        Goal("GenerateKeyPair EC", "key generation", (Raw("ec-key"),)),
        Goal("ssign EC 64 B", "ECDSA sign", (Raw("ecdsa-sign"),), 1.08),
        Goal("sverify EC 64 B", "ECDSA verify", (Raw("ecdsa-verify"),)),
        Goal(
            "SMessage EC made new + wrap 64 B",
            "reading the key, ECDH",
            (Raw("ec-point"), Raw("ecdh")),
        ),
        Goal("SMessage EC made new + wrap 64 B, same peer", "ECDH", (Raw("ecdh"),), 1.25),
        Goal(
            "session handshake, both sides",
            "its arithmetic",
            tuple(Raw(name, count=count) for name, count in handshake.items()),
            1.15,
        ),
        Goal("passphrase encrypt 64 B", "PBKDF2", (Raw("pbkdf2", PBKDF2_ROUNDS),)),
        Goal("comparison, both sides", "its group operations", comparison),
    ]


if __name__ == "__main__":
    main()
