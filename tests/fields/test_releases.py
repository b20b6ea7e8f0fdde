# SPDX-License-Identifier: Apache-2.0
"""The fields of SQLAlchemy with its oldest release that they promise to work with."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

OLDEST = "sqlalchemy==2.0.30" if sys.version_info < (3, 13) else "sqlalchemy>=2.0.40,<2.1"
HERE = Path(__file__).parent

pytestmark = [pytest.mark.integration, pytest.mark.network, pytest.mark.slow]


def test_the_oldest_sqlalchemy(tmp_path):
    """The other tests pass with it as they do with the newest, which all others here have."""
    assert version("sqlalchemy") > "2.1"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.check_call([*install, "--target", tmp_path, OLDEST])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    asked = "import sqlalchemy; print(sqlalchemy.__version__)"
    used = subprocess.check_output([sys.executable, "-c", asked], env=environment, text=True)
    assert used.startswith("2.0.")
    files = [HERE / f"test_{name}.py" for name in ("sqlalchemy", "rewrite", "async")]
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", *files]
    choice = "not integration and not evidence"
    done = subprocess.run(
        [*tests, "-m", choice], env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split(" passed")[0].split()[-1]) > 90
