# SPDX-License-Identifier: Apache-2.0
"""Compile every C file with every warning that counts, with each compiler that is there.

The core is read once more as Microsoft's compiler reads it, as far as clang can play that: for its
targets, through the branches of compiler.h that are meant for it, and with tests/c/msvc in place of
its headers.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from build_ffi import TESTING_FLAG

ROOT = Path(__file__).resolve().parent.parent

COMMON = shlex.split("-O2 -Wall -Wextra -Wconversion -Wshadow -Werror -Isrc/themis_c")
CORE = "src/themis_c/*/*.c"
RELEASED = "src/themis_c/themis/*.c"  # where a release lacks the hooks for tests
# What is compiled how: the core is portable C11; what tests it may lean on Linux.
GROUPS = (
    (RELEASED, ["-std=c11"]),
    (CORE, ["-std=c11", TESTING_FLAG]),
    ("benchmarks/*.c", ["-std=c11"]),
    ("fuzz/**/*.c", ["-std=c11", TESTING_FLAG, "-Ifuzz", "-DPLANTED=1"]),
    ("tests/c/**/*.c", ["-std=gnu11", TESTING_FLAG, "-Wno-deprecated-declarations", "-Itests/c"]),
)
MSVC_TARGETS = ("x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc")
MSVC = [
    *("-std=c11", "-Wpedantic", "-fms-extensions", "-fms-compatibility", "-U__clang__"),
    *("-fms-compatibility-version=19.40", "-nostdlibinc", "-fsyntax-only"),
    "-D__attribute__(what)=Microsoft_knows_no_attributes",
    *("-isystem", "tests/c/msvc", "-DSOTER_PRIVATE_LIBCRYPTO=1", "-DSODIUM_STATIC=1"),
]


def main() -> None:
    """Print what the compilers complain of; any complaint is a failure."""
    libraries = shlex.split(
        subprocess.check_output(["pkg-config", "--cflags", "libcrypto", "libsodium"], text=True)
    )
    commands = [
        [compiler, *flags, *COMMON, *libraries, "-c", str(path), "-o", os.devnull]
        for compiler in ("gcc", "clang")
        if shutil.which(compiler)
        for pattern, flags in GROUPS
        for path in sorted(ROOT.glob(pattern))
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as headers:
        if shutil.which("clang"):
            gather_headers(Path(headers), libraries)
            commands += [
                ["clang", f"--target={target}", *MSVC, *flags, "-isystem", headers, str(path)]
                for target in MSVC_TARGETS
                for flags, pattern in ((COMMON, RELEASED), ([*COMMON, TESTING_FLAG], CORE))
                for path in sorted(ROOT.glob(pattern))
            ]
        statuses = list(pool.map(compiles, commands))
    print(f"{len(commands)} compilations, {statuses.count(False)} with complaints")
    sys.exit(0 if all(statuses) else 1)


def gather_headers(folder: Path, libraries: list[str]) -> None:
    """Gather the headers of the libraries, without those of this machine that stand beside them."""
    sources = [str(path) for path in sorted(ROOT.glob(CORE))]
    command = ["clang", "-M", "-Isrc/themis_c", *libraries, *sources]
    for word in set(subprocess.check_output(command, cwd=ROOT, text=True).split()):
        path = Path(word)
        if path.parent.name in ("openssl", "sodium"):
            (folder / path.parent.name).mkdir(exist_ok=True)
            (folder / path.parent.name / path.name).symlink_to(path)
        elif path.name == "sodium.h":
            (folder / path.name).symlink_to(path)


def compiles(command: list[str]) -> bool:
    """Run a compiler; it says itself what is wrong."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    main()
