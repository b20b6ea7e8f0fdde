# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own, in a folder of its own, for as long as a test runs."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from support.servers import SECONDS, account_for, needed, run_to_its_end
from tools.setup import database

PORT = 5432  # in the name of the socket; nothing listens on the network
INITDB = ("--username=shop", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")


def server_programs():
    """Find the programs of the server; skip where there are none, which on CI is a failure."""
    return needed(database.server_programs(), "PostgreSQL")


@contextlib.contextmanager
def server():
    """Start a server and give SQLAlchemy's address of it; nothing is left of it afterwards."""
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: that of a socket has a limit
    account = account_for(folder, "postgres")
    data = folder / "data"
    try:
        run_to_its_end(
            [programs / "initdb", "--pgdata", data, *INITDB],
            account,
        )
        control = [programs / "pg_ctl", "--pgdata", data, "--wait", f"--timeout={SECONDS}"]
        options = f"-k {folder} -p {PORT} -c listen_addresses= -c fsync=off"
        run_to_its_end([*control, f"--log={folder / 'log'}", "-o", options, "start"], account)
        try:
            yield f"postgresql+pg8000://shop@/postgres?unix_sock={folder}/.s.PGSQL.{PORT}"
        finally:
            run_to_its_end([*control, "--mode=immediate", "stop"], account)
    finally:
        shutil.rmtree(folder)
