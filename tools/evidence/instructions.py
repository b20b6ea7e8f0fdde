# SPDX-License-Identifier: Apache-2.0
"""Count the instructions of the hot paths with callgrind, and compare them with the record.

Times differ from run to run, instructions hardly: a path that takes over 10 % more of them than
benchmarks/instructions.json says has become slower, and this fails. `--record` writes the record.

Two numbers belong to each path, per call (or per item of a list):

- core: what happens inside our C core, from the functions of themis.h downwards, with libcrypto
  and libsodium. It is the same for every Python. libcrypto has to be of the same major.minor
  version as at the time of the record, or nothing is compared, and this says so.
- whole: the same with the interpreter and cffi. Compared under the very Python of the record only.

valgrind shows programs a processor of its own: without AVX-512, VAES and SHA instructions. Here
libcrypto is also denied what valgrind would take over from the machine (AVX2, BMI, RDRAND), so that
it takes the same code on all x86-64 machines. So these counts tell nothing about speed elsewhere,
only whether we do more than before.

Before anything is judged, the judge is: of two controls, the first path with some calls made twice,
it has to pass the one that is 5 % slower and to fail the one that is 25 % slower.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tools.evidence.figures import note
from tools.setup.bootstrap import ROOT, install_system_packages

BENCHMARKS = ROOT / "benchmarks"
RECORD = BENCHMARKS / "instructions.json"
TOLERANCE = 0.10
EXTENSION = "_themis"  # how the names of our compiled modules begin
WRAPPER = "_cffi_"  # how the names of what cffi generates begin
CORE = "themis_"  # how the names in themis.h begin
BASE, PASSES, FAILS = "Seal encrypt 64 B", "5 % slower", "25 % slower"
SWITCHES = """\
#include <valgrind/callgrind.h>
void begin(void);
void end(const char *name);
void begin(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}
void end(const char *name)
{
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
}
"""
# Cleared: RDRAND, and all that the second word tells (AVX2, BMI, ADX, RDSEED and so on).
SAME_PROCESSOR = "~0x4000000000000000:0"


class Count(NamedTuple):
    """Instructions for a call: in our C core, and altogether."""

    core: int
    whole: int


def main() -> None:
    """Count, and compare with the record or write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write the record")
    parser.add_argument("--file", type=Path, default=RECORD, help="the record")
    options = parser.parse_args()
    ensure_valgrind()
    counts = measure()
    check_the_judge(counts)
    found = {**conditions(), "paths": {name: counts[name]._asdict() for name in counts}}
    if options.record:
        options.file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"{options.file.name}: {len(counts)} paths recorded.")
        return
    slower = judge(json.loads(options.file.read_text(encoding="utf-8")), found)
    note({"paths counted": len(counts), f"slower by more than {TOLERANCE:.0%}": len(slower)})
    for line in slower:
        print(f"SLOWER: {line}")
    if slower:
        raise SystemExit(
            "If that is meant to be, run `python -m tools.evidence.instructions --record`."
        )


def ensure_valgrind() -> None:
    """Install valgrind where that is possible."""
    if not shutil.which("valgrind"):
        install_system_packages(["valgrind"])


def measure() -> dict[str, Count]:
    """Walk the paths under callgrind and read what it wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, library = folder / "switches.c", folder / "switches.so"
        source.write_text(SWITCHES)
        compiler = [os.environ.get("CC", "gcc"), "-O2", "-shared", "-fPIC"]
        subprocess.run([*compiler, "-o", library, source], check=True)
        command = [
            *("valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no"),
            *("--compress-strings=no", "--compress-pos=no"),
            f"--callgrind-out-file={folder / 'counts'}",
            *(sys.executable, str(BENCHMARKS / "hot_paths.py"), str(library)),
        ]
        fixed = {"PYTHONHASHSEED": "0", "OPENSSL_ia32cap": SAME_PROCESSOR}
        subprocess.run(command, cwd=ROOT, env={**os.environ, **fixed}, check=True)
        files = folder.glob("counts.*")
        return differences(
            parse(path) for path in sorted(files, key=lambda path: path.suffix[1:].zfill(8))
        )


class Walk(NamedTuple):
    """What one file of callgrind tells."""

    path: str
    calls: int
    items: int
    taken: Count


def parse(path: Path) -> Walk | None:
    """Read a file of callgrind; None if it is not of one of our walks."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return parse_lines(lines)


def parse_lines(lines: Iterable[str]) -> Walk | None:
    """Add up what the calls from cffi's wrappers into our C core took, and find the whole."""
    name, whole, core = "", 0, 0
    place = {"ob": "", "fn": "", "cob": "", "cfn": ""}
    counted = iter(lines)
    for line in counted:
        key, _, value = line.rstrip("\n").partition("=")
        if line.startswith("desc: Trigger: Client Request: "):
            name = line.rpartition(": ")[2].strip()
        elif line.startswith(("summary:", "totals:")):
            whole = int(line.split()[1])
        elif key == "calls":
            taken = int(next(counted).split()[1])  # with all that was called from there
            if enters_core(place):
                core += taken
            place["cob"] = place["cfn"] = ""
        elif key in place:
            place[key] = value
    if name.count("|") != 2:
        return None
    path, calls, items = name.split("|")
    return Walk(path, int(calls), int(items), Count(core, whole))


def enters_core(place: dict[str, str]) -> bool:
    """Return whether a call goes from a wrapper into the C core."""
    called = place["cob"] or place["ob"]  # where it is the same, it is not said
    from_outside = not is_ours(place["ob"]) or place["fn"].startswith(WRAPPER)
    return from_outside and is_ours(called) and place["cfn"].startswith(CORE)


def is_ours(binary: str) -> bool:
    """Return whether this is the file of our compiled module."""
    return Path(binary).name.startswith(EXTENSION)


def differences(walks: Iterable[Walk | None]) -> dict[str, Count]:
    """Take the short walk of each path off the long one: what remains is that of the calls."""
    by_path: dict[str, list[Walk]] = {}
    for walk in walks:
        if walk is not None:
            by_path.setdefault(walk.path, []).append(walk)
    counts = {}
    for path, both in by_path.items():
        short, long = sorted(both, key=lambda walk: walk.calls)
        items = (long.calls - short.calls) * short.items
        pairs = zip(long.taken, short.taken, strict=True)
        counts[path] = Count(*(round((after - before) / items) for after, before in pairs))
        if not 0 < counts[path].core < counts[path].whole:
            raise SystemExit(
                f"callgrind tells nothing sound about {path}: {counts[path]}. "
                "Has the compiled module lost its symbols?"
            )
    return counts


def check_the_judge(counts: dict[str, Count]) -> None:
    """Prove that a slowed path fails, and that a little noise does not; take the controls out."""
    base, little, much = (counts[name] for name in (BASE, PASSES, FAILS))
    del counts[PASSES], counts[FAILS]
    for number in Count._fields:
        before = getattr(base, number)
        if grown(before, getattr(little, number)) or not grown(before, getattr(much, number)):
            raise SystemExit(
                f"The controls are misjudged ({number}): {BASE} takes {before} instructions, "
                f"slowed a little {getattr(little, number)}, slowed much {getattr(much, number)}."
            )


def grown(before: int, now: int) -> bool:
    """Return whether a count has grown by more than we tolerate."""
    return now > before * (1 + TOLERANCE)


def conditions() -> dict[str, str]:
    """Return what the counts depend on."""
    question = "import _report; print(_report.libcrypto_version())"
    command = [sys.executable, "-c", question]
    libcrypto = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True, check=True)
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return {
        "machine": platform.machine(),
        "libcrypto": libcrypto.stdout.strip(),
        "python": " ".join([platform.python_implementation(), *sys.version.split()]),
        "valgrind": valgrind.stdout.strip(),
    }


def series(libcrypto: str) -> str:
    """Cut a version of libcrypto down to major.minor."""
    return ".".join(libcrypto.split(".")[:2])


def judge(record: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Print the table; give what has grown too much, or is not in both."""
    compared = set()
    then, now = ((side["machine"], series(side["libcrypto"])) for side in (record, found))
    if then == now:
        compared.add("core")
        if record["python"] == found["python"]:
            compared.add("whole")
        else:
            print(f"Of Python only what is in C is compared: the record is of {record['python']}.")
    else:
        print(f"Nothing is compared: the record is of {' with '.join(then)}.")
    print("\n".join(lines(record["paths"], found["paths"])))
    only_one = set(record["paths"]) ^ set(found["paths"])
    slower = [f"{path} is recorded or measured, but not both." for path in sorted(only_one)]
    for path in sorted(set(record["paths"]) & set(found["paths"])):
        for number in sorted(compared):
            before, after = record["paths"][path][number], found["paths"][path][number]
            if grown(before, after):
                slower.append(f"{path} ({number}): {before} instructions, now {after}.")
    return slower


def lines(record: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Make a table of the counts, each beside its change."""
    yield f"{'instructions of a call':40}{'core':>12}{'':>9}{'whole':>12}"
    for path, count in found.items():
        cells = []
        for number in Count._fields:
            before = record.get(path, {}).get(number)
            change = f"{count[number] / before - 1:+.1%}" if before else "new"
            cells.append(f"{count[number]:>12}{change:>9}")
        yield f"{path:40}{''.join(cells)}"


if __name__ == "__main__":
    main()
