# SPDX-License-Identifier: Apache-2.0
"""The command in this process, in an empty folder."""

import io
import sys
from typing import NamedTuple

import pytest

from pythemis._cli.main import main


class Ran(NamedTuple):
    status: int
    out: bytes
    err: str


@pytest.fixture
def pythemis(tmp_path, monkeypatch, capfdbinary):
    """Run the command: a function of its arguments, and of what is on its standard input.

    Whatever happens, what it says on stderr is one sentence at most.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    def run(*arguments, stdin=b""):
        (tmp_path / ".stdin").write_bytes(stdin)
        with (tmp_path / ".stdin").open("rb") as file, monkeypatch.context() as patches:
            patches.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(file.raw)))
            # Those of pytest are not what Python makes of a descriptor.
            patches.setattr(sys, "stdout", open(1, "w", closefd=False))  # noqa: SIM115
            status = main(list(map(str, arguments)))
            sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        said = err.decode()
        assert said.count("\n") == (0 if not said else 1)
        assert "Traceback" not in said
        assert not said or said.startswith("pythemis: ")
        return Ran(status, out, said)

    return run
