# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of our own, in a folder of its own, for as long as a test runs."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from support.servers import SECONDS, account_for, needed, run_to_its_end
from tools.setup import database

NO_DEFAULTS = "--no-defaults"  # of the machine; it must come first
SERVER = (
    "--skip-networking",
    "--character-set-server=utf8mb4",  # whose collation takes no notice of case
    "--general-log",
    "--general-log-file=general.log",
    "--slow-query-log",
    "--slow-query-log-file=slow.log",
    "--long-query-time=0",
    "--log-bin=bin",  # with rows, and the statements that made them
    "--binlog-format=ROW",
    "--innodb-snapshot-isolation=ON",  # as it is by default since MariaDB 11.6
    "--innodb-log-file-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
)


def server_programs():
    """Find mariadbd and mariadb-install-db; skip without them, which on CI is a failure."""
    return needed(database.mariadb_programs(), "MariaDB")


@contextlib.contextmanager
def server():
    """Start a server that logs all it can, and give SQLAlchemy's address of a database of it.

    The general log, that of slow statements and the binary log are in `data_of` the address.
    """
    start, install = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="my"))  # a short path: that of a socket has a limit
    account = account_for(folder, "mysql")
    data, path = folder / "data", folder / "socket"
    begin = folder / "begin.sql"
    begin.write_text("CREATE DATABASE shop;\n", "ascii")
    places = [NO_DEFAULTS, "--basedir=/usr", f"--datadir={data}", f"--tmpdir={folder}"]
    try:
        run_to_its_end([install, *places, "--auth-root-authentication-method=normal"], account)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [start, *places, *SERVER, f"--socket={path}", f"--init-file={begin}"],
                stdout=log, stderr=log, cwd="/", **account,
            )  # fmt: skip
        try:
            wait_for(process, path, folder / "log")
            yield f"mariadb+pymysql://root@/shop?unix_socket={path}"
        finally:
            process.terminate()
            process.wait(SECONDS)
    finally:
        shutil.rmtree(folder)


def data_of(address):
    """Return the folder with the data and all logs of a server."""
    return Path(address.partition("unix_socket=")[2]).parent / "data"


def wait_for(process, path, log):
    """Wait until a server takes connections."""
    deadline = time.monotonic() + SECONDS
    while True:
        with socket.socket(socket.AF_UNIX) as tried:
            if tried.connect_ex(str(path)) == 0:
                return
        problem = log.read_text("utf-8", "replace")
        assert process.poll() is None, problem
        assert time.monotonic() < deadline, problem
        time.sleep(0.05)
