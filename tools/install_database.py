# SPDX-License-Identifier: Apache-2.0
"""Install PostgreSQL, of which the tests of the documentation start a server of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bootstrap import install_system_packages

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the programs of the server out of the path


def main() -> None:
    """Bring the server's programs where that is possible."""
    if server_programs() is None:
        install_system_packages(["postgresql"])


def server_programs() -> Path | None:
    """Find the folder with initdb and postgres in it, of the newest version; None without one."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


if __name__ == "__main__":
    main()
