# SPDX-License-Identifier: Apache-2.0
"""Prove what reads bytes from outside, with the bounded model checker ESBMC.

Each file in tests/proofs includes real files of the core and has one or more entry points. Three
things must come of each: it holds; the fault that the comment before it plants in the core is
refused; and it can return true, so that it does not hold for want of cases. Arguments name entry
points.

`frama-c` among them is the contracts of soter/bytes.h, which Frama-C's WP proves for any lengths;
with a fault in soter_read_bytes it must not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from tools.evidence.figures import note
from tools.setup import proofs
from tools.setup.bootstrap import ROOT, install_system_packages

if TYPE_CHECKING:
    from pathlib import Path

HARNESSES = ROOT / "tests" / "proofs"
FILES = sorted(HARNESSES.glob("*.c"))
CORE = ROOT / "src" / "themis_c"
FRAMA = "frama-c"
# An entry point, and before it the fault in a line of its own (else a formatter wrapped it), and
# where it needs others than LIMITS, those in the next.
ENTRY = re.compile(
    r"^/\* fault: (\S+): (.+) => (.+?)"
    r"(?: \*/\n|\n \*(?: with ([A-Z]+=\d+(?: [A-Z]+=\d+)*))?(?: \*/\n|\n(?: \*.*\n)*))"
    r"bool (\w+)\(void\)$",
    re.MULTILINE,
)
# The longest input; so many first bytes are copied and compared; so often loops run. That they end
# by then is proved too.
LIMITS = {"MOST": "65536", "EXACT": "16", "LOOPS": "16"}
# The checker takes a function without a body for one that touches nothing: only these may.
WITHOUT_BODY = re.compile(
    r"no body for function (?!(?:EVP|OSSL)_|themis_column_write_|\w+_free\b)(\w+)"
)
VIOLATED = re.compile(r"Violated property:\n +file .+\n +(.+)")
OPTIONS = ("--timeout", "600s", "--memlimit", "6g")


class Entry(NamedTuple):
    """An entry point: the fault that it plants, as a file and two texts, and its limits."""

    harness: Path
    file: str
    old: str
    new: str
    limits: str
    name: str


class Judgement(NamedTuple):
    """How one run ended: what was violated (None: nothing, it is proved)."""

    violated: str | None
    seconds: float


def main() -> None:
    """Prove all entry points or those that are named; leave with 1 if anything is wrong."""
    known = {entry.name: entry for path in FILES for entry in entries_of(path)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help=", ".join(known))
    asked = parser.parse_args().entries or [*known, FRAMA]
    names = [name for name in asked if name != FRAMA]
    if not known.keys() >= set(names):
        parser.error(f"there are {', '.join(known)}")
    proofs.main()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        begun = [(known[name], begin(known[name], pool)) for name in names]
        wrong = [text for entry, runs in begun for text in check(entry, runs)]
    if FRAMA in asked:
        wrong += check_contracts()
    for text in wrong:
        print(text, file=sys.stderr)
    if wrong:
        raise SystemExit(f"proof: {len(wrong)} runs are wrong")
    count = len(asked)
    note({"entry points that hold": count, "planted faults refused": count})
    print(f"proof: {count} entry points hold, {count} planted faults refused")


def entries_of(harness: Path) -> list[Entry]:
    """Read which entry points a file has, and what each plants."""
    text = harness.read_text(encoding="utf-8")
    entries = [Entry(harness, *found) for found in ENTRY.findall(text)]
    for name in re.findall(r"^bool (\w+)\(", text, re.MULTILINE):
        if name not in [entry.name for entry in entries]:
            raise SystemExit(
                f"{harness.name}: {name} names no fault to plant, in one line of its own"
            )
    return entries


def begin(entry: Entry, pool: ThreadPoolExecutor) -> list[Future[Judgement]]:
    """Begin to prove an entry point in its three forms: as it is, the control, and the fault."""
    forms = (("-DCONTROL=0",), ("-DCONTROL=1",), ("-DCONTROL=0", f"-I{plant(entry)}"))
    return [pool.submit(judge, entry, *form) for form in forms]


def check(entry: Entry, runs: list[Future[Judgement]]) -> list[str]:
    """Wait for what was begun; return what is wrong."""
    name = entry.name
    holds, control, fault = (run.result() for run in runs)
    wrong = []
    if holds.violated is not None:
        wrong.append(f"{name}: it does not hold: {holds.violated}")
    if control.violated != "reached":
        wrong.append(f"{name}: what it marks is not reached: {control.violated}")
    if fault.violated is None or "unwinding" in str(fault.violated):
        wrong.append(f"{name}: the planted fault is not refused: {fault.violated}")
    seconds = sum(run.seconds for run in (holds, control, fault))
    print(f"{name}: {'wrong' if wrong else 'holds'}; {seconds:.1f} s in three runs", flush=True)
    note({f"seconds of `{name}`": f"{holds.seconds:.1f}"})
    return wrong


def check_contracts() -> list[str]:
    """Prove the contracts of soter/bytes.h, and see a fault fail; give what is wrong."""
    packages = {"frama-c": "frama-c-base", "why3": "why3", "z3": "z3", "cvc4": "cvc4"}
    missing = [package for name, package in packages.items() if not shutil.which(name)]
    install_system_packages(missing)
    # Frama-C asks Why3 for its provers, and Why3 knows those that it was told to look for.
    detect = ["why3", "config", "detect"]
    subprocess.run(detect, env=with_why3(), capture_output=True, check=True)
    text = (CORE / "soter" / "bytes.c").read_text(encoding="utf-8")
    changed = proofs.FOLDER / "planted" / FRAMA / "bytes.c"
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text(text.replace("(len > reader->left)", "(len > reader->left + 1)"), "utf-8")
    start = time.monotonic()
    proved, goals = prove(CORE / "soter" / "bytes.c")
    seconds = f"{time.monotonic() - start:.1f}"
    wrong = [f"{FRAMA}: {proved} of {goals} goals are proved"] if proved != goals else []
    proved_planted, goals_planted = prove(changed, "-wp-fct", "soter_read_bytes")
    if proved_planted == goals_planted:
        wrong.append(f"{FRAMA}: the planted fault is not refused")
    note({"goals of Frama-C": goals, f"seconds of `{FRAMA}`": seconds})
    print(f"{FRAMA}: {proved} of {goals} goals; {seconds} s", flush=True)
    return wrong


def with_why3() -> dict[str, str]:
    """Return an environment in which Why3's list of provers is in build, not at home."""
    proofs.FOLDER.mkdir(parents=True, exist_ok=True)
    return {**os.environ, "WHY3CONFIG": str(proofs.FOLDER / "why3.conf")}


def prove(source: Path, *arguments: str) -> tuple[int, int]:
    """Run Frama-C's WP on a file; give how many goals it proved, of how many."""
    headers = f"-I{CORE} -I{HARNESSES / 'frama_c'} -U__GNUC__ -D__STRICT_ANSI__"
    options = ("-wp", "-wp-rte", "-wp-timeout", "10", "-wp-prover", "cvc4,z3", "-wp-par", "2")
    command = ["frama-c", *options, *arguments, f"-cpp-extra-args={headers}", str(source)]
    ran = subprocess.run(command, env=with_why3(), capture_output=True, text=True, check=False)
    found = re.search(r"Proved goals: +(\d+) / (\d+)", ran.stdout)
    if ran.returncode != 0 or found is None or found[2] == "0":
        raise SystemExit(
            f"{source.name}: Frama-C came to no end:\n{ran.stdout[-2000:]}{ran.stderr}"
        )
    return int(found[1]), int(found[2])


def plant(entry: Entry) -> Path:
    """Write the changed file of the core into a folder of its own; return the folder."""
    text = (CORE / entry.file).read_text(encoding="utf-8")
    if text.count(entry.old) != 1:
        raise SystemExit(
            f"{entry.name}: {entry.file} has not one {entry.old!r} to plant a fault in"
        )
    folder = proofs.FOLDER / "planted" / entry.name
    shutil.rmtree(folder, ignore_errors=True)
    changed = folder / entry.file
    changed.parent.mkdir(parents=True)
    changed.write_text(text.replace(entry.old, entry.new), encoding="utf-8")
    return folder


def judge(entry: Entry, *arguments: str) -> Judgement:
    """Run ESBMC on an entry point."""
    limits = {**LIMITS, **dict(limit.split("=") for limit in entry.limits.split())}
    defined = [f"-D{name}={value}" for name, value in {"ENTRY": entry.name, **limits}.items()]
    folders = (f"-I{CORE}", f"-I{HARNESSES}")
    unwind = ("--unwind", str(int(limits["LOOPS"]) + 1))
    command = [str(proofs.ESBMC), str(entry.harness), *defined, *arguments, *folders, *unwind]
    start = time.monotonic()
    ran = subprocess.run([*command, *OPTIONS], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    said = ran.stdout + ran.stderr
    without = WITHOUT_BODY.search(said)
    if without:
        raise SystemExit(f"{entry.name}: {without[1]} needs a stand-in")
    if ran.returncode == 0 and "VERIFICATION SUCCESSFUL" in said:
        return Judgement(None, seconds)
    violated = VIOLATED.search(said)
    if violated is None:
        raise SystemExit(f"{entry.name}: ESBMC came to no end:\n{said[-2000:]}")
    return Judgement(violated[1], seconds)


if __name__ == "__main__":
    main()
