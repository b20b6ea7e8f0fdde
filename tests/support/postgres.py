# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own, in a folder of its own, for as long as a test runs."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tools.setup import database

PORT = 5432  # in the name of the socket; nothing listens on the network
SECONDS = 60
INITDB = ("--username=shop", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")


def server_programs():
    """Find the programs of the server; skip where there are none, which on CI is a failure."""
    found = database.server_programs()
    if found is None:
        problem = "needs the programs of PostgreSQL: tools/setup/database.py brings them"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    return found


@contextlib.contextmanager
def server():
    """Start a server and give SQLAlchemy's address of it; nothing is left of it afterwards."""
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # a short path: that of a socket has a limit
    account = account_for(folder)
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


def account_for(folder):
    """PostgreSQL refuses to run as root: then somebody else gets the folder and runs it."""
    if os.geteuid() != 0:
        return {}
    import pwd  # only Unix has it

    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get("postgres") or accounts["nobody"]
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def run_to_its_end(command, account):
    """Run a program; what it said stands in the failure."""
    with tempfile.TemporaryFile("w+") as said:  # no pipe: the server inherits it, and stays
        done = subprocess.run(
            command, stdout=said, stderr=said, timeout=2 * SECONDS, check=False, cwd="/", **account
        )
        said.seek(0)
        assert done.returncode == 0, said.read()
