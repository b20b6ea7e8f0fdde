# SPDX-License-Identifier: Apache-2.0
"""Let everything fail once that can fail beneath the C core, and look at what the core makes of it.

`python -m tools.evidence.faults [LIMIT [NAME]]`: of the places where a kind of fault can strike in
one operation, at most LIMIT are tried; 0, or nothing, for all. Only operations with NAME in their
name. The start of the library, for which every attempt is a process of its own, is `start`; what
is refused without a fault is `refusals`.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.evidence.drivers import build
from tools.evidence.figures import note


def main() -> None:
    """Build the programs, prove that they find what is wrong on purpose, and run them."""
    arguments = sys.argv[1:]
    name = arguments[1] if len(arguments) > 1 else ""
    with tempfile.TemporaryDirectory() as folder:
        good = name not in ("", "refusals") or passes(Path(folder), "refusals", inject=False)
        if name in ("", "start"):
            good = passes(Path(folder), "starts", *arguments[:1]) and good
        if name not in ("start", "refusals"):
            good = passes(Path(folder), "faults", *arguments) and good
    sys.exit(0 if good else 1)


def passes(folder: Path, name: str, *arguments: str, inject: bool = True) -> bool:
    """Return whether a program that sees what is planted for it finds nothing else."""
    program = build(folder, name, inject=inject)
    control = subprocess.run([program, "control"], capture_output=True, text=True, check=False)
    if control.returncode != 0:
        raise SystemExit(f"{name} does not see what is planted for it:\n{control.stdout}")
    command: list[str | Path] = [program, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        line = ""
        for line in running.stdout:
            print(line, end="", flush=True)
    note({what: int(count) for count, what in re.findall(r"(\d+) ([a-z ]+)", line)})
    return running.returncode == 0


if __name__ == "__main__":
    main()
