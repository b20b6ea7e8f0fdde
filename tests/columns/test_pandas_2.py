# SPDX-License-Identifier: Apache-2.0
"""The tests of columns of pandas, with pandas 2 in the place of pandas 3.

``make test GROUP=integration`` brings it; without it this test is skipped.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from support.project import ROOT
from tools.setup.libraries import PANDAS_2

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.mark.skipif(not PANDAS_2.exists(), reason="pandas 2 is not installed")
def test_with_pandas_2():
    """Series, tables, Dask's partitions, and what Spark gives pandas 2, in the same tests."""
    path = os.pathsep.join([str(PANDAS_2), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    plugin = "import pandas, pytest, sys; assert pandas.__version__ < '3', pandas.__version__; "
    tests = [f"tests/columns/test_{name}.py" for name in ("libraries", "dask", "spark")]
    arguments = ["-q", "-p", "no:cacheprovider", "-m", "integration", "-k", "pandas or tables"]
    done = subprocess.run(
        [sys.executable, "-c", f"{plugin}sys.exit(pytest.main({arguments + tests}))"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) > (8 if shutil.which("java") else 5)
    assert ("skipped" in done.stdout) == (shutil.which("java") is None)
