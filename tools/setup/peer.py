# SPDX-License-Identifier: Apache-2.0
"""Install the real Themis core for Node, which tests/interop speaks to."""

from __future__ import annotations

import shutil
import subprocess

from tools.setup.bootstrap import ROOT, install_system_packages


def main() -> None:
    """Bring Node and npm where that is possible, and the package that package.json names."""
    install_system_packages(
        [
            package
            for command, package in (("node", "nodejs"), ("npm", "npm"))
            if not shutil.which(command)
        ]
    )
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    status = subprocess.run(command, cwd=ROOT / "tests" / "interop", check=False).returncode
    if status != 0:
        raise SystemExit(status)


if __name__ == "__main__":
    main()
