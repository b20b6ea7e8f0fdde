# SPDX-License-Identifier: Apache-2.0
"""The example project for Django does what its page shows."""

import os
import re
import subprocess
import sys

import pytest

from support.project import ROOT

pytest.importorskip("django")
FOLDER = ROOT / "examples" / "django_shop"


def shown(text):
    """Give the commands of a page, each with what it prints; ids of keys are all alike."""
    found = re.search(r"```console\n(.*?)```", text, re.DOTALL).group(1)
    for part in re.split(r"^\$ ", found, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command.split(), alike(output)


def alike(text):
    """Replace the ids of keys."""
    return re.sub(r"\b[0-9a-f]{10}\b", "KEY", text)


def run(arguments, home):
    """Run a command of the project, and give what it prints."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=FOLDER,
        env={**os.environ, "SHOP_HOME": str(home), "PYTHONPATH": paths, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return alike(done.stdout)


def test_the_project(tmp_path):
    """Every command of the page prints what is there, and no migration is missing."""
    steps = list(shown((FOLDER / "README.md").read_text("utf-8")))
    assert len(steps) == 7
    for (python, *arguments), output in steps:
        assert python == "python"
        assert run(arguments, tmp_path) == output
    run(["manage.py", "makemigrations", "--check", "--dry-run"], tmp_path)
    run(["manage.py", "check", "--fail-level", "WARNING"], tmp_path)
    assert b"4929" not in (tmp_path / "shop.sqlite3").read_bytes()
