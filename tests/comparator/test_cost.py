# SPDX-License-Identifier: Apache-2.0
"""What a comparison costs, counted in group operations: numbers that no busy machine disturbs."""

import os
import shutil
import subprocess
import sys

import pytest

from support.project import ROOT

COUNTER = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

static int multiply, multiply_base, add;

#define COUNTED(count, name) \\
    int name(void *out, const void *a, const void *b); \\
    int name(void *out, const void *a, const void *b) \\
    { \\
        int (*real)(void *, const void *, const void *) = dlsym(RTLD_NEXT, #name); \\
        count++; \\
        return real(out, a, b); \\
    }

COUNTED(multiply, crypto_scalarmult_ed25519_noclamp)
COUNTED(multiply_base, crypto_scalarmult_ed25519_base_noclamp) /* b is not there, and not read */
COUNTED(add, crypto_core_ed25519_add)
COUNTED(add, crypto_core_ed25519_sub)

__attribute__((destructor)) static void tell(void)
{
    printf("multiply %d multiply_base %d add %d\\n", multiply, multiply_base, add);
}
"""


@pytest.mark.no_c
@pytest.mark.swaps_libraries
@pytest.mark.skipif(sys.platform != "linux", reason="libraries are swapped the Linux way")
@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
def test_group_operations_are_counted(tmp_path):
    """A comparison takes as many group operations as the benchmark says, and no more."""
    source, library = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER)
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", library, source]
    subprocess.run([*command, "-Wl,--no-as-needed", "-lsodium", "-ldl"], check=True)
    counted = run_in_benchmarks("assert operations.compare()", LD_PRELOAD=str(library))
    stated = run_in_benchmarks("print(*(f'{n} {c}' for n, c in floor.GROUP_OPERATIONS.items()))")
    assert counted.replace("multiply_base", "multiply-base") == stated


def run_in_benchmarks(code, **environment):
    """Run code that knows the benchmarks; give what it printed."""
    return subprocess.check_output(
        [sys.executable, "-c", f"import floor, operations; {code}"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmarks"), **environment},
        text=True,
    )
