# SPDX-License-Identifier: Apache-2.0
"""Install PostgreSQL, of which the tests of the documentation start a server of their own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools.setup.bootstrap import install_system_packages

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the programs of the server out of the path
DEBIAN_SETTINGS = Path("/etc/postgresql-common/createcluster.d")


def main() -> None:
    """Bring the server's programs where that is possible."""
    if server_programs() is None:
        want_no_server_of_the_system()
        install_system_packages(["postgresql"])


def want_no_server_of_the_system() -> None:
    """Let Debian's package install the programs, and neither set up a server nor start it."""
    if os.geteuid() == 0:
        DEBIAN_SETTINGS.mkdir(parents=True, exist_ok=True)
        (DEBIAN_SETTINGS / "pythemis.conf").write_text("create_main_cluster = false\n")


def server_programs() -> Path | None:
    """Find the folder with initdb and postgres in it, of the newest version; None without one."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = [path.parent for path in DEBIAN.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


if __name__ == "__main__":
    main()
