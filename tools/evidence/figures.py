# SPDX-License-Identifier: Apache-2.0
"""What rounds of evidence measured, in build/evidence: one file for each form of a round.

`faults.json` is of the full form, `faults-short.json` of the short one or of other arguments.
tools/evidence/pages.py writes them into docs/evidence.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

from tools.setup.bootstrap import ROOT

FOLDER = ROOT / "build" / "evidence"
VARIABLE = "EVIDENCE"  # names the file of the round that runs now


def path_of(name: str, *, full: bool = True) -> Path:
    """Return where the figures of a round are."""
    return FOLDER / f"{name}{'' if full else '-short'}.json"


def begin(path: Path, **facts: Any) -> None:
    """Begin a file anew, so that nothing of an earlier run stays in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    write(path, {**facts, "date": today, "machine": platform.machine(), "figures": {}})


def note(counts: dict[str, int | str], file: str | None = None) -> None:
    """Add figures to those of the round that runs now; without one, do nothing.

    Numbers of one name are added up: a round may run the tests twice.
    """
    file = file or os.environ.get(VARIABLE)
    if file is None:
        return
    path = Path(file)
    known = read(path)
    figures = known["figures"]
    for name, value in counts.items():
        before = figures.get(name, 0)
        both = isinstance(value, int) and isinstance(before, int)
        figures[name] = int(value) + int(before) if both else value
    write(path, known)


def end(path: Path, **facts: Any) -> None:
    """Add how a round ended."""
    write(path, {**read(path), **facts})


def read(path: Path) -> dict[str, Any]:
    """Return what a file holds; empty if there is none."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, facts: dict[str, Any]) -> None:
    """Write a file."""
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
