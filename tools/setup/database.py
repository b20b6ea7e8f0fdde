# SPDX-License-Identifier: Apache-2.0
"""Install PostgreSQL and MariaDB, of which tests start servers of their own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tools.setup.bootstrap import install_system_packages

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the programs of the server out of the path
DEBIAN_SETTINGS = Path("/etc/postgresql-common/createcluster.d")
SERVER_PATH = "/usr/sbin"  # where it has those of others
# The programs of Debian's mariadb-server, without the server of the system that it starts.
MARIADB_PACKAGES = ["mariadb-server-core", "mariadb-client-core"]


def main() -> None:
    """Bring the programs of both servers where that is possible."""
    if server_programs() is None:
        want_no_server_of_the_system()
        install_system_packages(["postgresql"])
    if mariadb_programs() is None:
        install_system_packages(MARIADB_PACKAGES)


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


def mariadb_programs() -> tuple[str, str] | None:
    """Find mariadbd, and what makes its folder of data; None without them."""
    path = os.pathsep.join((os.environ.get("PATH", ""), SERVER_PATH))
    found = [
        shutil.which(name, path=path)
        for name in ("mariadbd", "mariadb-install-db", "my_print_defaults")
    ]
    return (found[0], found[1]) if found[0] and found[1] and found[2] else None


if __name__ == "__main__":
    main()
