# SPDX-License-Identifier: Apache-2.0
"""Make .venv with pythemis in it, from nothing but Python, a Debian-like system and a network.

The Makefile runs this with the Python of your choice. System packages that are missing are
installed when that is possible (root, apt-get) and named in one sentence when it is not.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from build_ffi import LIBRARIES, Library

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PIP_WITH_GROUPS = "pip>=25.1"


def main() -> None:
    """Bring the system packages, the virtual environment and pythemis itself."""
    if sys.version_info < (3, 10):  # noqa: UP036 -- this is where an old one is told
        raise SystemExit(
            "pythemis needs Python 3.10 or newer: name one, as in `make test PYTHON=python3.11`."
        )
    install_system_packages(missing_system_packages())
    python = VENV / "bin" / "python"
    if not python.exists():  # also when it is a link to a Python that is gone
        run(sys.executable, "-m", "venv", "--clear", VENV)
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", PIP_WITH_GROUPS)
    os.environ.setdefault("PYTHEMIS_TESTING", "1")  # the tests need its hooks
    run(python, "-m", "pip", "install", "--quiet", "--editable", ROOT, "--group", "test")


def missing_system_packages() -> list[str]:
    """List the Debian packages that this machine and this Python lack."""
    packages = []
    if not shutil.which("gcc"):
        packages += ["gcc", "libc6-dev"]
    if not shutil.which("pkg-config"):
        packages.append("pkg-config")
    packages += [library.packages.debian for library in LIBRARIES if not has(library)]
    # The packages of Debian's own Python carry its version. Another Python has its headers
    # and ensurepip, or build_support and venv say what it lacks.
    if Path(sys.base_prefix) == Path("/usr"):
        version = f"python3.{sys.version_info.minor}"
        if not Path(sysconfig.get_path("include"), "Python.h").exists():
            packages.append(f"{version}-dev")
        if not importlib.util.find_spec("ensurepip"):
            packages.append(f"{version}-venv")
    if os.environ.get("CI") and shutil.which("apt-get"):  # to try the completions; elsewhere
        packages += [shell for shell in ("fish", "zsh") if not shutil.which(shell)]  # a test skips
    return packages


def has(library: Library) -> bool:
    """Return whether pkg-config finds a library, new enough."""
    wanted = f"{library.name} >= {library.minimum}"
    try:
        return subprocess.run(["pkg-config", "--exists", wanted], check=False).returncode == 0
    except OSError:
        return False


def install_system_packages(packages: list[str]) -> None:
    """Install Debian packages, or end with one sentence that names them all."""
    if not packages:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise SystemExit(
            f"Please install {' '.join(packages)} (the Debian and Ubuntu names; as root: "
            f"apt-get install {' '.join(packages)}) and run make again."
        )
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages)


def run(*command: str | Path) -> None:
    """Run a command that must succeed; it has said itself why it did not."""
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status != 0:
        raise SystemExit(status)


if __name__ == "__main__":
    main()
