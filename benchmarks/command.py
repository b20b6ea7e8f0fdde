# SPDX-License-Identifier: Apache-2.0
"""Measure the command `pythemis` beside `age`, if that is installed: start, and a large file.

Files are on tmpfs, where there is one. Both programs take turns, and the time is that which
passes: on a busy machine take the best of many rounds, as it is printed, or what the processors
spent, which leaves out that pythemis writes in a second thread.

    python benchmarks/command.py [--rounds 7] [--mib 256]
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

OURS = [sys.executable, "-I", "-m", "pythemis"]
SHARED_MEMORY = Path("/dev/shm")


class Took(NamedTuple):
    """How long a command took."""

    passed: float  # seconds
    spent: float  # seconds of the processors


def run(command: list[str], folder: Path) -> Took:
    """Run a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    passed = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(passed, spent)


def commands(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Return what is measured, each with the file that it makes, and prepare the input."""
    run([*OURS, "keygen", "-o", "key"], folder)
    run([*OURS, "encrypt", "data", "-k", "key", "-o", "sealed"], folder)
    found = {
        "python -c pass": ([sys.executable, "-I", "-c", "pass"], ""),
        "pythemis --version": ([*OURS, "--version"], ""),
        "pythemis encrypt, 32 bytes": ([*OURS, "encrypt", "key", "-k", "key", "-o", "out"], "out"),
        "pythemis encrypt": ([*OURS, "encrypt", "data", "-k", "key", "-o", "out"], "out"),
        "pythemis decrypt": ([*OURS, "decrypt", "sealed", "-k", "key", "-o", "out"], "out"),
    }
    if shutil.which("age") is None:
        print("age is not installed, so there is nothing to compare with")
        return found
    subprocess.run(["age-keygen", "-o", "identity"], cwd=folder, check=True, capture_output=True)
    match = re.search("age1[a-z0-9]+", (folder / "identity").read_text("ascii"))
    assert match
    run(["age", "-r", match[0], "-o", "data.age", "data"], folder)
    found["age encrypt"] = (["age", "-r", match[0], "-o", "out", "data"], "out")
    found["age decrypt"] = (["age", "-d", "-i", "identity", "-o", "out", "data.age"], "out")
    return found


def main() -> None:
    """Measure, and print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=256)
    options = parser.parse_args()
    place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        (folder / "data").write_bytes(os.urandom(1 << 20) * options.mib)
        found = commands(folder)
        times: dict[str, list[Took]] = {what: [] for what in found}
        for _ in range(options.rounds):
            for what, (command, made) in found.items():
                times[what].append(run(command, folder))
                if made:
                    (folder / made).unlink()
    for what, all_took in times.items():
        best, spent = (min(column) * 1e3 for column in zip(*all_took, strict=True))
        median = statistics.median(took.passed for took in all_took) * 1e3
        print(f"{what:28} best {best:4.0f} ms, median {median:4.0f}, processors {spent:4.0f}")
    for what in ("encrypt", "decrypt"):
        if f"age {what}" in times:
            ours, theirs = (min(times[f"{who} {what}"]).passed for who in ("pythemis", "age"))
            print(f"{what}: {ours / theirs:.2f} of the time of age")


if __name__ == "__main__":
    main()
