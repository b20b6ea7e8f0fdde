# SPDX-License-Identifier: Apache-2.0
"""Prove what reads bytes from outside, with the bounded model checker ESBMC.

Each harness in tests/proofs includes real files of the core. Three things must come of it: it
holds; the fault that its first comment plants in the core is refused; and the place that it marks
as REACHED is reached, so that it does not hold for want of cases. Arguments name harnesses.

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
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from tools.evidence.figures import note
from tools.setup import proofs
from tools.setup.bootstrap import ROOT, install_system_packages

if TYPE_CHECKING:
    from pathlib import Path

HARNESSES = ROOT / "tests" / "proofs"
CORE = ROOT / "src" / "themis_c"
FRAMA = "frama-c"
# The line after it is empty, or says how often loops run: else a formatter wrapped it.
FAULT = re.compile(r"^/\* fault: (\S+): (.+) => (.+)\n \*(?: loops: (\d+))?$", re.MULTILINE)
VIOLATED = re.compile(r"Violated property:\n +file .+\n +(.+)")
# Loops run at most 16 times, or as often as a harness says; that they end by then is proved too.
MOST_LOOPS = 16
OPTIONS = ("--timeout", "600s", "--memlimit", "6g")


class Judgement(NamedTuple):
    """How one run ended: what was violated (None: nothing, it is proved)."""

    violated: str | None
    seconds: float


def main() -> None:
    """Prove all harnesses or those that are named; leave with 1 if anything is wrong."""
    known = {path.stem: path for path in sorted(HARNESSES.glob("*.c"))}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("harnesses", nargs="*", metavar="HARNESS", help=", ".join(known))
    asked = parser.parse_args().harnesses or [*known, FRAMA]
    names = [name for name in asked if name != FRAMA]
    if not known.keys() >= set(names):
        parser.error(f"there are {', '.join(known)}")
    proofs.main()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = [text for name in names for text in check(known[name], pool)]
    if FRAMA in asked:
        wrong += check_contracts()
    for text in wrong:
        print(text, file=sys.stderr)
    if wrong:
        raise SystemExit(f"proof: {len(wrong)} runs are wrong")
    count = len(asked)
    note({"entry points that hold": count, "planted faults refused": count})
    print(f"proof: {count} entry points hold, {count} planted faults refused")


def check(harness: Path, pool: ThreadPoolExecutor) -> list[str]:
    """Run a harness in its three forms; give what is wrong."""
    name = harness.stem
    holds, control, fault = (
        pool.submit(judge, harness, *arguments)
        for arguments in ((), ("-DCONTROL",), (f"-I{plant(harness)}",))
    )
    wrong = []
    if holds.result().violated is not None:
        wrong.append(f"{name}: it does not hold: {holds.result().violated}")
    if control.result().violated != "reached":
        wrong.append(f"{name}: what it marks is not reached: {control.result().violated}")
    if fault.result().violated is None or "unwinding" in str(fault.result().violated):
        wrong.append(f"{name}: the planted fault is not refused: {fault.result().violated}")
    seconds = sum(done.result().seconds for done in (holds, control, fault))
    print(f"{name}: {'wrong' if wrong else 'holds'}; {seconds:.1f} s in three runs", flush=True)
    note({f"seconds of `{name}`": f"{holds.result().seconds:.1f}"})
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


def fault_of(harness: Path) -> re.Match[str]:
    """Read what a harness plants: the file, two texts, and how often loops run."""
    found = FAULT.search(harness.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{harness.name} names no fault to plant, in one line of its own")
    return found


def plant(harness: Path) -> Path:
    """Write the changed file of the core into a folder of its own; give the folder."""
    found = fault_of(harness)
    text = (CORE / found[1]).read_text(encoding="utf-8")
    if text.count(found[2]) != 1:
        raise SystemExit(f"{harness.name}: {found[1]} has not one {found[2]!r} to plant a fault in")
    folder = proofs.FOLDER / "planted" / harness.stem
    shutil.rmtree(folder, ignore_errors=True)
    changed = folder / found[1]
    changed.parent.mkdir(parents=True)
    changed.write_text(text.replace(found[2], found[3]), encoding="utf-8")
    return folder


def judge(harness: Path, *arguments: str) -> Judgement:
    """Run ESBMC on a harness."""
    loops = int(fault_of(harness)[4] or MOST_LOOPS)
    arguments = (*arguments, f"-I{CORE}", f"-I{HARNESSES}", "--unwind", str(loops + 1), *OPTIONS)
    command = [str(proofs.ESBMC), str(harness), *arguments]
    start = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    said = ran.stdout + ran.stderr
    if ran.returncode == 0 and "VERIFICATION SUCCESSFUL" in said:
        return Judgement(None, seconds)
    violated = VIOLATED.search(said)
    if violated is None:
        raise SystemExit(f"{harness.name}: ESBMC came to no end:\n{said[-2000:]}")
    return Judgement(violated[1], seconds)


if __name__ == "__main__":
    main()
