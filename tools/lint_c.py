# SPDX-License-Identifier: Apache-2.0
"""Compile every C file with every warning that counts, with each compiler that is there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = shlex.split("-O2 -Wall -Wextra -Wconversion -Wshadow -Werror -Isrc/themis_c")
# What is compiled how: the core is portable C11; what tests it may lean on Linux.
GROUPS = {
    "src/themis_c/*/*.c": ["-std=c11"],
    "benchmarks/*.c": ["-std=c11"],
    "fuzz/**/*.c": ["-std=c11", "-Ifuzz", "-DPLANTED=1"],
    "tests/c/*.c": ["-std=gnu11", "-Wno-deprecated-declarations", "-Itests/c"],
}


def main() -> None:
    """Print what the compilers complain of; any complaint is a failure."""
    libraries = shlex.split(
        subprocess.check_output(["pkg-config", "--cflags", "libcrypto", "libsodium"], text=True)
    )
    commands = [
        [compiler, *flags, *COMMON, *libraries, "-c", str(path), "-o", os.devnull]
        for compiler in ("gcc", "clang")
        if shutil.which(compiler)
        for pattern, flags in GROUPS.items()
        for path in sorted(ROOT.glob(pattern))
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        statuses = list(pool.map(compiles, commands))
    print(f"{len(commands)} compilations, {statuses.count(False)} with complaints")
    sys.exit(0 if all(statuses) else 1)


def compiles(command: list[str]) -> bool:
    """Run a compiler; it says itself what is wrong."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    main()
