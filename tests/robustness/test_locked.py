# SPDX-License-Identifier: Apache-2.0
"""Locked memory as wheels have it, alone and under sanitizers."""

import shutil
import subprocess
import sys

import pytest

from build_ffi import C_ROOT, OPENSSL, library_flags
from support.project import ROOT

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.sources,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is locked on Linux"),
]


@pytest.mark.parametrize("sanitizers", ["", "address,undefined", "thread"])
def test_blocks_of_many_threads_keep_their_content(tmp_path, sanitizers):
    """Blocks do not overlap, new ones are zeros, no two threads meet in one or wait for ever."""
    compiler = shutil.which("clang" if sanitizers else "cc")
    if compiler is None:
        pytest.skip("needs clang")
    compiling, linking = library_flags(OPENSSL)
    program = tmp_path / "locked"
    sources = ["tests/c/locked.c", f"{C_ROOT}/soter/wipe.c"]
    flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", f"-I{C_ROOT}", *compiling]
    flags += [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"] if sanitizers else []
    command = [compiler, *flags, *sources, *linking, "-lpthread", "-o", program]
    subprocess.run(command, cwd=ROOT, check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")
