# SPDX-License-Identifier: Apache-2.0
"""Run rounds of evidence and note in build/evidence what each measured and how it ended.

`make evidence` runs all of them, which takes hours; `make evidence ONLY='faults wiping' SHORT=1`
runs short rounds of two. What
follows `--` (ARGS) is what the one round that was named is asked instead.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import NamedTuple

from tools.evidence import figures
from tools.setup.bootstrap import ROOT

INSTRUMENTED = (
    *("primitives/test_primitives", "messages/test_signed"),
    *("sessions/test_data", "comparator/test_comparison"),
    *("files/test_sealed_core", "keyring/test_values"),
    *("columns/test_hostile", "columns/test_values", "columns/test_mistakes"),
)


class Round(NamedTuple):
    """A command that proves something, with its arguments in the long and in the short form."""

    title: str
    command: tuple[str, ...]
    full: tuple[str, ...] = ()
    short: tuple[str, ...] | None = None  # None: there is only the long form
    environment: dict[str, str] = {}  # noqa: RUF012  (nothing writes to it)


def tool(name: str) -> tuple[str, ...]:
    """Return the command that runs a module of this package."""
    return ("-m", f"tools.evidence.{name}")


PYTEST = ("-m", "pytest", "-q")
ROUNDS = {
    "rounds": Round(
        "tests of more than ten seconds each",
        (*PYTEST, "-n", "auto", "--dist", "worksteal"),
        ("-m", "evidence and not big_memory"),
    ),
    "files": Round(
        "sealed files, and cells in files",
        (*PYTEST, "tests/files"),
        ("-m", "not integration and not big_memory"),
    ),
    "keyrings": Round(
        "keyrings, keys in memory, and key services",
        (*PYTEST, "tests/keyring", "tests/kms"),
        ("-m", "not integration and not big_memory"),
    ),
    "interop": Round(
        "live exchanges with the real Themis core",
        (*PYTEST, "tests/interop"),
        environment={"PEER_TIMES": "5"},
    ),
    "differ": Round(
        "damaged input, given to both cores",
        ("-m", "support.interop.differential"),
        ("--seconds", "600"),
        ("--seconds", "20"),
        {"PYTHONPATH": ".:tests"},
    ),
    "fuzz": Round("coverage-guided fuzzing", tool("fuzz"), ("--seconds", "60"), ("--seconds", "2")),
    "proof": Round(
        "proofs of what reads bytes from outside",
        tool("proof"),
        short=("container", "session_proof", "encrypted_message", "cell"),
    ),
    "sanitize": Round(
        "the tests under ASan and UBSan",
        tool("sanitize"),
        short=tuple(f"tests/{name}.py" for name in INSTRUMENTED),
    ),
    "threads": Round("data races, under TSan", tool("sanitize_threads"), short=("--no-tests",)),
    "memcheck": Round(
        "the tests that enter the C core, under valgrind",
        tool("memcheck"),
        short=("tests/primitives/test_primitives.py", "tests/files/test_sealed_core.py"),
    ),
    "faults": Round("everything beneath the C core fails once", tool("faults"), ("0",), ("20",)),
    "wiping": Round(
        "stacks and freed memory are searched for secrets", tool("wiping"), ("0",), ("2",)
    ),
    "consttime": Round("no branch and no address depends on a secret", tool("consttime")),
    "timing": Round(
        "time does not depend on secrets, measured",
        tool("timing"),
        short=("--measurements", "20000"),
    ),
    "coverage": Round("what tests and fuzzing reach of the C core", tool("coverage")),
    "instructions": Round("the instructions of the hot paths", tool("instructions")),
    "longrun": Round(
        "memory over 10^7 operations and a day of a session",
        tool("longrun"),
        ("--operations", "1e7"),
        ("--operations", "1e5"),
    ),
    "machines": Round(
        "the C core on other machines",
        tool("machines"),
        ("all",),
        ("--short", "s390x", "arm64"),
    ),
    "fips": Round("the tests with OpenSSL's FIPS provider", tool("fips")),
    "second-system": Round("wheel and sdist on another Debian", tool("second_system")),
    "free-threaded": Round("the tests on a Python without a GIL", tool("free_threaded")),
}


def main() -> None:
    """Run what was asked for; leave with 1 if a round failed."""
    arguments, more = split(sys.argv[1:])
    parser = argparse.ArgumentParser(prog="make evidence", description=(__doc__ or ""))
    parser.add_argument("rounds", nargs="*", metavar="ROUND", help=", ".join(ROUNDS))
    parser.add_argument("--short", action="store_true", help="the short form, where there is one")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.rounds) - set(ROUNDS))
    if unknown:
        parser.error(f"there is no round {' or '.join(unknown)}: {', '.join(ROUNDS)}")
    if more and len(options.rounds) != 1:
        parser.error("arguments behind -- are for one round: name it")
    failed = [
        name for name in options.rounds or ROUNDS if not holds(name, more, short=options.short)
    ]
    print(f"evidence: {len(options.rounds or ROUNDS)} rounds, failed: {' '.join(failed) or 'none'}")
    sys.exit(1 if failed else 0)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Part what stands before and behind `--`."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def holds(name: str, more: list[str], *, short: bool) -> bool:
    """Run a round and note how it ended; tell whether it found nothing."""
    chosen = ROUNDS[name]
    is_short = short and chosen.short is not None
    asked = more or (chosen.short if is_short else chosen.full) or ()
    print(f"evidence: {name}: {chosen.title}", flush=True)
    start = time.monotonic()
    path = figures.path_of(name, full=tuple(asked) == chosen.full)
    figures.begin(path, arguments=list(asked))
    environment = {**chosen.environment, **os.environ, "CI": "true", figures.VARIABLE: str(path)}
    command = [sys.executable, *chosen.command, *asked]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    seconds = time.monotonic() - start
    print(f"evidence: {name}: left with {done} after {seconds:.0f} s", flush=True)
    figures.end(path, seconds=round(seconds), status=done)
    return done == 0


if __name__ == "__main__":
    main()
