# SPDX-License-Identifier: Apache-2.0
"""Let everything fail once that can fail beneath the C core, and look at what the core makes of it.

`tools/faults.py [LIMIT [NAME]]`: of the places where a kind of fault can strike in one operation,
at most LIMIT are tried; without it, all. Only operations with NAME in their name.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _drivers import build, run


def main() -> None:
    """Build the program, prove that it can find something, and run it."""
    limit, name = [*sys.argv[1:], "0", ""][:2] if len(sys.argv) > 1 else ("0", "")
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder), "faults", wrap=True)
        sys.exit(run(program, limit, *([name] if name else [])))


if __name__ == "__main__":
    main()
