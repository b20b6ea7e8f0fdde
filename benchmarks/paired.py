# SPDX-License-Identifier: Apache-2.0
"""Compare two pythemis, each in a virtual environment of its own, operation by operation.

Both run operations.py and take samples in turns, A B A B; each round begins with fresh processes.
A ratio is that of B to A, of two samples taken one after the other; the table has the median and
the quartiles. Beside pythemis 0.15 as A, the goals of the project's plan are shown as well.

    python benchmarks/paired.py A/bin/python B/bin/python [--names 0.15 ours] [--only TEXT]
        [--rounds 5] [--samples 7] [--seconds 0.01] [--json FILE] [--svg FILE]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from _chart import draw
from _measure import in_turns, ratios, spread
from _report import Row, as_json, machine_sentence, table, write

PROGRAM = Path(__file__).with_name("operations.py")
SMALL_SIZES = ("16 B", "64 B", "256 B", "1 KiB")
# What B may take at most, as a part of what 0.15 takes.
GOALS = {
    **{f"Seal encrypt {size}": 0.28 for size in SMALL_SIZES},
    **{f"Token Protect encrypt {size}": 0.28 for size in SMALL_SIZES},
    **{f"Seal decrypt {size}": 0.26 for size in SMALL_SIZES},
    **{f"Token Protect decrypt {size}": 0.26 for size in SMALL_SIZES},
    **{f"Context Imprint encrypt {size}": 0.22 for size in SMALL_SIZES},
    **{f"Context Imprint decrypt {size}": 0.22 for size in SMALL_SIZES},
    "GenerateSymmetricKey": 0.4,
    "GenerateKeyPair EC": 0.4,
    "SMessage EC wrap 64 B, object reused": 0.008,
    "SMessage EC unwrap 64 B, object reused": 0.008,
    "SMessage EC made new + wrap 64 B": 0.3,
    "ssign EC 64 B": 0.45,
    "sverify EC 64 B": 0.55,
    "SMessage RSA wrap 64 B": 0.5,
    "SMessage RSA unwrap 64 B": 1.0,
    "session handshake, both sides": 0.35,
    "session wrap 64 B": 0.3,
    "session wrap + unwrap 64 B": 0.3,
    "comparison, both sides": 0.8,
    "passphrase encrypt 64 B": 1.0,
    "passphrase decrypt 64 B": 1.0,
}


def main() -> None:
    """Measure both, print the table, write what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("a", help="the Python that has pythemis A")
    parser.add_argument("b", help="the Python that has pythemis B")
    parser.add_argument("--names", nargs=2, default=("A", "B"), help="what to call them")
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of processes")
    parser.add_argument("--samples", type=int, default=7, help="of an operation in a process")
    parser.add_argument("--seconds", type=float, default=0.01, help="of one sample")
    parser.add_argument("--json", help="also write the figures into this file")
    parser.add_argument("--svg", help="also draw the ratios into this file")
    options = parser.parse_args()
    machines, lacking, samples = compare(options)
    goals = GOALS if (machines[0]["pythemis"] or "").startswith("0.15") else {}
    rows = [
        Row(name, spread(b), options.names[0], spread(a), ratios(b, a), goals.get(name))
        for name, (a, b) in samples.items()
    ]
    for label, machine in zip(options.names, machines, strict=True):
        print(f"{label}: {machine_sentence(machine)}")
    print(f"\n{table(rows)}", end="")
    for label, names in zip(options.names, lacking, strict=True):
        if names:
            print(f"{label} lacks: {', '.join(names)}")
    write(options.json, summary(options, machines, lacking, rows))
    if options.svg:
        title = f"Time of {options.names[1]} as a part of that of {options.names[0]}"
        Path(options.svg).write_text(draw(title, rows), encoding="utf-8")


def summary(
    options: argparse.Namespace,
    machines: list[dict[str, Any]],
    lacking: list[list[str]],
    rows: list[Row],
) -> dict[str, Any]:
    """Return the document of a comparison, without the folders of the two environments."""
    return {
        "program": "paired",
        "command": "python benchmarks/paired.py A/bin/python B/bin/python "
        f"--rounds {options.rounds} --samples {options.samples} --seconds {options.seconds}",
        "names": list(options.names),
        "machines": machines,
        "lacking": lacking,
        "rows": [as_json(row) for row in rows],
    }


class Side:
    """A process of operations.py under one of the interpreters."""

    def __init__(self, python: str, seconds: float) -> None:
        command = [python, str(PROGRAM), "--serve", "--seconds", str(seconds)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        said = self._answer()
        self.operations: list[str] = said["operations"]
        self.machine: dict[str, Any] = said["machine"]

    def sample(self, name: str) -> float:
        """Take one sample of an operation."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{PROGRAM.name} failed under {self._process.args[0]}.")
        return json.loads(line)


def compare(
    options: argparse.Namespace,
) -> tuple[list[dict[str, Any]], list[list[str]], dict[str, tuple[list[float], list[float]]]]:
    """Take all samples: the two machines, what each side lacks, the samples by name."""
    samples: dict[str, tuple[list[float], list[float]]] = {}
    for turn in range(options.rounds):
        sides = [Side(python, options.seconds) for python in (options.a, options.b)]
        a, b = sides
        for name in a.operations:
            if name not in b.operations or options.only not in name:
                continue
            clocks = [lambda side=side, name=name: side.sample(name) for side in sides]
            taken = in_turns(clocks, options.samples)
            kept = samples.setdefault(name, ([], []))
            for store, values in zip(kept, taken, strict=True):
                store.extend(values)
        for side in sides:
            side.end()
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr)
    lacking = [
        [name for name in other.operations if name not in side.operations]
        for side, other in ((a, b), (b, a))
    ]
    return [a.machine, b.machine], lacking, samples


if __name__ == "__main__":
    main()
