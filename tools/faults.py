# SPDX-License-Identifier: Apache-2.0
"""Let everything fail once that can fail beneath the C core, and look at what the core makes of it.

`tools/faults.py [LIMIT [NAME]]`: of the places where a kind of fault can strike in one operation,
at most LIMIT are tried; 0, or nothing, for all. Only operations with NAME in their name.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _drivers import build


def main() -> None:
    """Build the program, prove that it finds what is wrong on purpose, and run it."""
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder), "faults", inject=True)
        control = subprocess.run([program, "control"], capture_output=True, text=True, check=False)
        if control.returncode != 0:
            raise SystemExit(f"faults does not see what is planted for it:\n{control.stdout}")
        sys.exit(subprocess.run([program, *sys.argv[1:]], check=False).returncode)


if __name__ == "__main__":
    main()
