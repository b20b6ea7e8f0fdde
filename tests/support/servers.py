# SPDX-License-Identifier: Apache-2.0
"""What the servers of tests share: whose processes they are, how programs end, what they left."""

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

SECONDS = 180  # a machine that does much else is slow, not broken


def needed(found, name):
    """Give the programs that were found; skip without them, which on CI is a failure."""
    if found is None:
        problem = f"needs the programs of {name}: tools/setup/database.py brings them"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    return found


def account_for(folder, name):
    """Servers refuse to run as root: then this account owns the folder, or one without rights."""
    if os.geteuid() != 0:
        return {}
    import pwd  # only Unix has it

    accounts = {account.pw_name: account for account in pwd.getpwall()}
    account = accounts.get(name) or accounts["nobody"]
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def files_below(folder):
    """Read all files of a folder; a server that runs may take some away in the meantime."""
    found = {}
    for parent, _, names in os.walk(folder):  # a folder that has gone is no error to it
        for path in (Path(parent, name) for name in names):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file():
                    found[path] = path.read_bytes()
    return found


def run_to_its_end(command, account):
    """Run a program; what it said stands in the failure."""
    with tempfile.TemporaryFile("w+") as said:  # no pipe: the server inherits it, and stays
        done = subprocess.run(
            command, stdout=said, stderr=said, timeout=2 * SECONDS, check=False, cwd="/", **account
        )
        said.seek(0)
        assert done.returncode == 0, said.read()
