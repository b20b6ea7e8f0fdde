# SPDX-License-Identifier: Apache-2.0
"""What rounds of evidence measured, in build/evidence: one file a round."""

from __future__ import annotations

import datetime
import json
import os
import platform
from typing import Any

from tools.setup.bootstrap import ROOT

FOLDER = ROOT / "build" / "evidence"


def record(name: str, **figures: Any) -> None:
    """Add figures to those of a round; a run of another day begins anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    today = datetime.datetime.now(tz=datetime.timezone.utc).date().isoformat()
    known = read(name)
    if known.get("date") != today:
        known = {"round": name, "date": today, "machine": platform.machine()}
    text = json.dumps({**known, **figures}, indent=2)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def note(**figures: Any) -> None:
    """Add figures to those of the round that runs now; without one, do nothing."""
    if "EVIDENCE" in os.environ:
        record(os.environ["EVIDENCE"], **figures)


def read(name: str) -> dict[str, Any]:
    """Give the figures of a round; empty if it never ran here."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
