# SPDX-License-Identifier: Apache-2.0
"""Measure how much of the C core the tests and the fuzz corpus reach: lines, and branches.

A copy of the project is built for gcov. Its tests run; then, linked with the same object files, the
programs of tests/c that check known answers and refusals and inject faults, and the fuzz targets on
their seeds and on what `make fuzz` kept. A branch is one outcome of one condition: `a && b` has
four.

Leaves with 1 where fewer are reached than MINIMUM says. With --missing, lists what is not reached.
Other arguments are handed to pytest.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from build_ffi import C_ROOT, LIBRARIES, TESTING_FLAG, library_flags
from tools.evidence import answer_lines, drivers
from tools.evidence.figures import note
from tools.evidence.fuzz_seeds import SEEDS, write_seeds
from tools.evidence.instrument import Copy, instrumented_copy, run
from tools.evidence.machines import PARTS
from tools.setup.bootstrap import ROOT

MINIMUM = {"lines": 98.0, "branches": 90.0}
PLAIN = ["gcc", "-std=c11", "-g", "-O0", TESTING_FLAG]
COMPILER = [*PLAIN, "--coverage", "-fprofile-update=atomic"]
KEPT = ROOT / "build" / "fuzz" / "corpus"
FAULTS = "24"  # places where a kind of fault strikes in one operation
STARTS = "200"  # the same, of allocations while the library starts


class Reached(NamedTuple):
    """What was reached of a file: line to count, and (line, branch) to count."""

    lines: dict[int, int]
    branches: dict[tuple[int, int], int]


def main() -> None:
    """Build, run, and report."""
    arguments = [one for one in sys.argv[1:] if one != "--missing"]
    copy = instrumented_copy("coverage", COMPILER, ["--coverage"])
    run_tests(copy, arguments)
    run_programs(copy)
    for target in sorted(SEEDS):
        replay(copy, target)
    files = read_counts(copy)
    if "--missing" in sys.argv:
        print_missing(files)
    sys.exit(0 if report(files) else 1)


def run_tests(copy: Copy, arguments: list[str]) -> None:
    """Run the tests that enter the C core."""
    chosen = ["-m", "not no_c and not big_memory", *arguments]
    command = [str(copy.python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
    status = subprocess.run(command, cwd=copy.root, check=False).returncode
    if status != 0:
        raise SystemExit(f"coverage: the tests left with {status}")


def run_programs(copy: Copy) -> None:
    """Run what is in C alone: known answers, refusals, and what happens when something fails."""
    folder = copy.root / "build"
    linking = ("--coverage",)
    answers = drivers.build(folder, *PARTS, core=copy.objects, linking=linking)
    text = "\n".join(answer_lines.lines()) + "\n"
    for way in ([], ["evp"]):
        command: list[str | Path] = [answers, *way]
        subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL, check=True)
    refusals = drivers.build(folder, "refusals", core=copy.objects, linking=linking)
    subprocess.run([refusals], stdout=subprocess.DEVNULL, check=True)
    for name, limit in (("starts", STARTS), ("faults", FAULTS)):
        program = drivers.build(folder, name, inject=True, core=copy.objects, linking=linking)
        subprocess.run([program, limit], stdout=subprocess.DEVNULL, check=True)


def replay(copy: Copy, target: str) -> None:
    """Run a target on each of its seeds and kept inputs."""
    seeds = copy.root / "build" / "seeds" / target
    write_seeds(target, seeds)
    kept = KEPT / target
    inputs = [*seeds.iterdir(), *(kept.iterdir() if kept.exists() else ())]
    program = copy.root / "build" / target
    shared = sorted((copy.root / "fuzz" / "common").glob("*.c"))
    common = [str(path) for path in shared if path.name != "cost.c"]  # it judges, and is slow
    linking = [flag for library in LIBRARIES for flag in library_flags(library)[1]]
    run(
        [
            *(*PLAIN, f"-I{C_ROOT}", "-Ifuzz", f"fuzz/{target}.c", *common),
            *(*map(str, copy.objects), *linking, "--coverage", "-o", str(program)),
        ],
        copy.root,
    )
    for start in range(0, len(inputs), 500):  # a command line has its limits
        run([str(program), *map(str, inputs[start : start + 500])], copy.root)


def read_counts(copy: Copy) -> dict[str, Reached]:
    """Ask gcov what each file's counters say."""
    files: dict[str, Reached] = {}
    for made in copy.objects:
        command = ["gcov", "--json-format", "--branch-probabilities", "--stdout", str(made)]
        said = subprocess.run(command, cwd=copy.root, capture_output=True, check=True).stdout
        plain = gzip.decompress(said) if said[:2] == b"\x1f\x8b" else said
        for file in json.loads(plain)["files"]:
            if file["file"].endswith(".c"):
                files[Path(file["file"]).relative_to(C_ROOT).as_posix()] = counts(file)
    return dict(sorted(files.items()))


def counts(file: dict[str, Any]) -> Reached:
    """Add up what is told of a file, function by function."""
    lines: dict[int, int] = defaultdict(int)
    branches: dict[tuple[int, int], int] = defaultdict(int)
    for line in file["lines"]:
        lines[line["line_number"]] += line["count"]
        for number, branch in enumerate(line["branches"]):
            branches[line["line_number"], number] += branch["count"]
    return Reached(lines, branches)


def print_missing(files: dict[str, Reached]) -> None:
    """List the lines with something in them that was not reached."""
    for name, reached in files.items():
        text = (ROOT / C_ROOT / name).read_text(encoding="utf-8").splitlines()
        missed = {line for (line, _), count in reached.branches.items() if count == 0}
        for line in sorted(missed | {line for line, count in reached.lines.items() if not count}):
            outcomes = [count for (at, _), count in sorted(reached.branches.items()) if at == line]
            shown = "never" if not reached.lines[line] else "/".join(map(str, outcomes))
            print(f"{name}:{line}: {text[line - 1].strip()}   [{shown}]")


def report(files: dict[str, Reached]) -> bool:
    """Print the table; tell whether enough was reached."""
    print(f"{'file':34}{'lines':>8}{'reached':>10}{'branches':>10}{'reached':>10}")
    every: dict[str, list[int]] = {"lines": [], "branches": []}
    for name, reached in files.items():
        lines, branches = list(reached.lines.values()), list(reached.branches.values())
        every["lines"] += lines
        every["branches"] += branches
        print(f"{name:34}{row(lines)}{row(branches)}")
    print(f"{'together':34}{row(every['lines'])}{row(every['branches'])}")
    for what, counts in every.items():
        note({f"{what} reached": f"{percent(counts):.1f} % of {len(counts):,}"})
    enough = {what: percent(counts) >= MINIMUM[what] for what, counts in every.items()}
    for what, good in enough.items():
        if not good:
            print(f"coverage: fewer than {MINIMUM[what]} % of the {what} are reached")
    return all(enough.values())


def row(counts: list[int]) -> str:
    """Show how many there are, and the share that was reached."""
    return f"{len(counts):8,}{percent(counts):9.1f}%" if counts else f"{0:8}{'':10}"


def percent(counts: list[int]) -> float:
    """Return the share that is not zero."""
    return 100 * sum(count != 0 for count in counts) / len(counts) if counts else 100.0


if __name__ == "__main__":
    os.environ.pop("GCOV_PREFIX", None)  # the counters belong into the copy
    main()
