# SPDX-License-Identifier: Apache-2.0
"""Build the fuzz targets with libFuzzer, ASan and UBSan, run them, and say what they did.

Before the targets the detector itself is judged: fuzz/control.c is built with each of the faults
it knows, and each must be found and called by its name. Inputs that broke something are kept in
build/fuzz/broken, inputs that were worth keeping in build/fuzz/corpus, from where the next run
goes on.
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
from pathlib import Path
from typing import NamedTuple

from build_ffi import C_ROOT, LIBRARIES, TESTING_FLAG, library_flags
from tools.evidence.figures import note
from tools.evidence.fuzz_seeds import SEEDS, write_seeds
from tools.setup.bootstrap import ROOT, install_system_packages

BUILD = ROOT / "build" / "fuzz"
FLAGS = [
    *("-std=c11", "-g", "-O1", "-fno-omit-frame-pointer", f"-I{C_ROOT}", "-Ifuzz"),
    TESTING_FLAG,
    *("-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=all"),
]
# The faults of fuzz/control.c, and what must be said of each.
PLANTED = {
    1: "heap-buffer-overflow",
    2: "misaligned address",
    3: "broken promise",
    4: "detected memory leaks",
    5: "out-of-memory",
    6: "broken promise: time is in proportion to the input",
    7: "broken promise: memory is in proportion to the input",
}
# The targets run within fuzz/common/cost.c, which has the entry that libFuzzer calls.
RENAMED = "-DLLVMFuzzerTestOneInput=fuzz_target"
# What an input may cost whatever its length, where it is more than cost.c says: scrypt.
COSTS = {
    "key_text": ["-DFUZZ_BASE_MS=6000", "-DFUZZ_BASE_KIB=49152"],
    "control": ["-DFUZZ_BASE_MS=200"],
}
DICTIONARIES = {"key_text": "der"}  # of the others: themis
LIMITS = [
    "-max_len=12288",
    "-timeout=300",  # seconds of the clock, for what hangs: cost.c judges the processor's
    "-rss_limit_mb=1500",
    "-malloc_limit_mb=64",  # for one block: a thousand times what honest inputs need
    "-print_final_stats=1",
]


class Ran(NamedTuple):
    """What became of a target."""

    target: str
    status: int
    executions: int
    inputs: int
    edges: int
    slowest: int  # microseconds of one input
    largest: int  # bytes that one input held
    log: Path


def main() -> None:
    """Build, judge the detector, run the targets; leave with 1 if any broke."""
    options = arguments()
    ensure_clang()
    library = build_library()
    if not options.targets:
        judge_the_detector(library)
    targets = options.targets or sorted(SEEDS)
    for target in targets:
        build(target, library)
    with ThreadPoolExecutor(options.jobs) as pool:
        started = [pool.submit(fuzz, target, options.seconds) for target in targets]
        ran = [future.result() for future in started]
    report(ran)
    sys.exit(1 if any(one.status for one in ran) else 0)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the C core.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=" ".join(sorted(SEEDS)))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at a time")
    options = parser.parse_args()
    unknown = set(options.targets) - set(SEEDS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    return options


def ensure_clang() -> None:
    """Install clang with its run-time libraries where that is possible."""
    if not shutil.which("clang"):
        install_system_packages(["clang"])
    folder = subprocess.check_output(["clang", "-print-runtime-dir"], text=True).strip()
    if not list(Path(folder).glob("libclang_rt.fuzzer*")):  # Debian's clang only recommends them
        version = subprocess.check_output(["clang", "-dumpversion"], text=True).partition(".")[0]
        install_system_packages([f"libclang-rt-{version}-dev"])


def sources() -> list[Path]:
    """List the C core, and what the targets share."""
    core = (ROOT / C_ROOT).glob("*/*.c")
    apart = ("cost.c", "replay.c")  # cost.c is compiled for each target
    shared = [path for path in (ROOT / "fuzz" / "common").glob("*.c") if path.name not in apart]
    return sorted([*core, *shared])


def headers_changed() -> float:
    """Return when the last header changed."""
    headers = [*(ROOT / C_ROOT).rglob("*.h"), *(ROOT / "fuzz").rglob("*.h")]
    return max(header.stat().st_mtime for header in headers)


def build_library() -> list[Path]:
    """Compile what every target is linked with, as far as it changed."""
    folder = BUILD / "objects"
    folder.mkdir(parents=True, exist_ok=True)
    compiling = [flag for library in LIBRARIES for flag in library_flags(library)[0]]
    changed = headers_changed()
    work = []
    objects = []
    for source in sources():
        made = folder / f"{source.parent.name}-{source.stem}.o"
        objects.append(made)
        if not made.exists() or made.stat().st_mtime < max(changed, source.stat().st_mtime):
            work.append(["clang", *FLAGS, *compiling, "-c", str(source), "-o", str(made)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, work))
    for made in set(folder.glob("*.o")) - set(objects) - set(folder.glob("of-*.o")):
        made.unlink()
    return objects


def build(target: str, library: list[Path], name: str = "", *flags: str) -> Path:
    """Link a target; give the program."""
    program = BUILD / (name or target)
    linking = [flag for one in LIBRARIES for flag in library_flags(one)[1]]
    made = [str(BUILD / "objects" / f"of-{program.name}-{part}.o") for part in ("target", "cost")]
    compiling = [flag for one in LIBRARIES for flag in library_flags(one)[0]]
    for source, flag, part in (
        (f"fuzz/{target}.c", [RENAMED, *flags], made[0]),
        ("fuzz/common/cost.c", COSTS.get(target, []), made[1]),
    ):
        run(["clang", *FLAGS, *compiling, *flag, "-c", source, "-o", part])
    linked = [*made, *map(str, library), *linking, "-o", str(program)]
    run(["clang", *FLAGS, "-fsanitize=fuzzer", *linked])
    return program


def run(command: list[str]) -> None:
    """Run a compiler; what it says tells why it failed."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit(f"fuzz: this failed: {' '.join(command)}")


def judge_the_detector(library: list[Path]) -> None:
    """Prove that each planted fault is found and named."""
    folder = fresh(BUILD / "control")
    for number, name in PLANTED.items():
        program = build("control", library, f"control-{number}", f"-DPLANTED={number}")
        done = subprocess.run(
            [program, *LIMITS, "-max_total_time=30", f"-artifact_prefix={folder}/"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 or name not in done.stderr:
            raise SystemExit(
                f"fuzz: the fault planted as number {number} was not seen as {name!r}; the "
                f"control left with {done.returncode} and said:\n{done.stderr[-2000:]}"
            )
    print(f"fuzz: all {len(PLANTED)} planted faults were found", flush=True)


def fresh(folder: Path) -> Path:
    """Return an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def fuzz(target: str, seconds: int) -> Ran:
    """Run a target for a while."""
    seeds = fresh(BUILD / "seeds" / target)
    write_seeds(target, seeds)
    corpus = BUILD / "corpus" / target
    broken = BUILD / "broken"
    for folder in (corpus, broken):
        folder.mkdir(parents=True, exist_ok=True)
    log = BUILD / f"{target}.log"
    command = [
        *(str(BUILD / target), *LIMITS, f"-max_total_time={seconds}"),
        *(f"-artifact_prefix={broken}/{target}-", f"-dict={dictionary_of(target)}"),
        *(str(corpus), str(seeds)),
    ]
    with log.open("w") as output:
        status = subprocess.run(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    said = log.read_text(errors="replace")
    executions = re.findall(r"stat::number_of_executed_units: *(\d+)", said)
    edges = re.findall(r" cov: (\d+)", said)
    cost = re.findall(r"^cost: slowest (\d+) us, largest (\d+) bytes$", said, re.MULTILINE)
    return Ran(
        target,
        status,
        int(executions[-1]) if executions else 0,
        len(list(corpus.iterdir())),
        int(edges[-1]) if edges else 0,
        int(cost[-1][0]) if cost else 0,
        int(cost[-1][1]) if cost else 0,
        log,
    )


def dictionary_of(target: str) -> Path:
    """Return the words that a target's inputs consist of."""
    return ROOT / "fuzz" / f"{DICTIONARIES.get(target, 'themis')}.dict"


def report(ran: list[Ran]) -> None:
    """Print a table, and the end of what the broken ones said."""
    heads = f"{'target':16}{'executions':>12}{'kept inputs':>13}{'edges':>8}"
    print(f"{heads}{'slowest ms':>12}{'largest KiB':>13}")
    for one in ran:
        verdict = "" if one.status == 0 else f"   BROKEN, see {one.log.relative_to(ROOT)}"
        counts = f"{one.target:16}{one.executions:12,}{one.inputs:13,}{one.edges:8,}"
        print(f"{counts}{one.slowest / 1000:12,.1f}{one.largest // 1024:13,}{verdict}")
    together = sum(one.executions for one in ran)
    print(f"{'together':16}{together:12,}")
    note({f"executions of `{one.target}`": one.executions for one in ran})
    note({"executions together": together})
    note({"slowest input": f"{max(one.slowest for one in ran) / 1000:,.0f} ms"})
    note({"most held for an input": f"{max(one.largest for one in ran) // 1024:,} KiB"})
    for one in ran:
        if one.status:
            said = one.log.read_text(errors="replace").splitlines()
            print(f"\n{one.target}:", *said[-40:], sep="\n")


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main()
    finally:
        print(f"fuzz: {time.monotonic() - began:.0f} s")
