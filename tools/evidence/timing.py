# SPDX-License-Identifier: Apache-2.0
"""Measure whether time depends on secrets: fixed against random inputs, and Welch's t.

    python -m tools.evidence.timing [--measurements N] [CASE ...]

The method is dudect's: inputs of two classes in random order, each timed, the slowest measurements
cropped at several thresholds, and Welch's t-test between the classes. |t| above 10 is strong
evidence of a difference, above 4.5 a reason to look; below it shows only that these measurements
found none. The command fails if the comparison that leaks is not found, or in a case that cannot
run: a busy machine must not decide about the others.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import tempfile
from pathlib import Path

from tools.evidence.drivers import build
from tools.evidence.figures import note

CONTROL = "control-leak"
FOUND, SUSPECT = 10.0, 4.5  # of |t|
CROPS = (1.0, 0.99, 0.95, 0.9, 0.75, 0.5)  # which part of the measurements is kept
MEASUREMENTS = {"rsa-unwrap": 20_000, "key-import": 50_000, "scalar-base": 50_000}
MOST = 200_000


def main() -> None:
    """Judge the judge, then report each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--measurements", type=int, help="of each case, at most")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder), "timing")
        known = subprocess.check_output([program], text=True).split()
        unknown = sorted({*arguments.cases} - {*known})
        if unknown:
            parser.error(f"there is no case {' or '.join(unknown)}: {', '.join(known)}")
        others = arguments.cases or [case for case in known if case != CONTROL]
        for case in (CONTROL, *others):
            count = min(MEASUREMENTS.get(case, MOST), arguments.measurements or MOST)
            t = worst(measure(program, case, count))
            print(f"{case}: |t| = {t:.1f} in {count} measurements: {verdict(t)}", flush=True)
            note({f"|t| of `{case}`": f"{t:.1f} in {count:,} measurements"})
            if case == CONTROL and t < FOUND:
                raise SystemExit("timing: the comparison that leaks is not found")
    print(f"timing: {len(others)} cases, the leaking control was found")


def verdict(t: float) -> str:
    """Say what a value of t means."""
    if t > FOUND:
        return "the classes take different times"
    return "look at it" if t > SUSPECT else "no difference found"


def measure(program: Path, case: str, count: int) -> list[tuple[int, int]]:
    """Return the class and the time of each measurement; the first ones warm up."""
    said = subprocess.check_output([program, case, str(count)], text=True)
    found = [(int(line[0]), int(line[2:])) for line in said.splitlines()]
    return found[len(found) // 100 :]


def worst(found: list[tuple[int, int]]) -> float:
    """Return the largest |t| of all crops."""
    times = sorted(time for _, time in found)
    values = []
    for crop in CROPS:
        limit = times[min(len(times) - 1, int(len(times) * crop))]
        classes = [[time for kind, time in found if kind == c and time <= limit] for c in (0, 1)]
        if min(len(classes[0]), len(classes[1])) > 100:
            values.append(abs(welch(*classes)))
        elif len(found) > 1000:
            values.append(math.inf)  # one class has hardly a time as short as the other's
    return max(values)


def welch(one: list[int], other: list[int]) -> float:
    """Return Welch's t of two samples."""
    means = [sum(sample) / len(sample) for sample in (one, other)]
    errors = [
        sum((value - mean) ** 2 for value in sample) / (len(sample) - 1) / len(sample)
        for sample, mean in zip((one, other), means, strict=True)
    ]
    difference = means[0] - means[1]
    if sum(errors) == 0:
        return 0.0 if difference == 0 else math.inf
    return difference / math.sqrt(sum(errors))


if __name__ == "__main__":
    main()
