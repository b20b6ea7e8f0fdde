# SPDX-License-Identifier: Apache-2.0
"""Install the libraries and engines that have columns: Java for Spark, pandas 2 beside pandas 3."""

from __future__ import annotations

import shutil

from tools.setup.bootstrap import VENV, install_system_packages, run

# In a folder of its own, which a test puts in front of the others. Spark's own functions for pandas
# want it; its other needs are those of pandas 3.
PANDAS_2 = VENV / "pandas-2"


def main() -> None:
    """Bring Java where that is possible, and what pip brings."""
    if not shutil.which("java"):
        install_system_packages(["default-jre-headless"])
    pip = (VENV / "bin" / "python", "-m", "pip", "install", "--quiet")
    run(*pip, "--group", "libraries")
    if not PANDAS_2.exists():
        run(*pip, "--no-deps", "--target", PANDAS_2, "pandas>=2.2,<3", "pytz")


if __name__ == "__main__":
    main()
