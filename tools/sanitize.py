# SPDX-License-Identifier: Apache-2.0
"""Run the tests on a module that was built with ASan and UBSan.

What an operation reads and writes beyond its buffers, uses after it was freed, shifts too far,
overflows or misaligns ends the tests at once. Python's own allocator would hide the ends of small
blocks, so it is not used. Leaks are not judged here but under valgrind (`make memcheck`) and in the
fuzz targets: the interpreter itself leaves much behind.

Before the tests the sanitizers themselves are judged, on faults planted for them in a module of
the same making. Arguments are handed to pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bootstrap import ROOT
from instrument import Copy, instrumented_copy

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILER = ["gcc", "-std=c11", "-g", "-O1", "-fno-omit-frame-pointer", *SANITIZERS]
CHOSEN = "not no_c and not timing and not big_memory"
# What cannot be under a sanitizer, which takes terabytes of address space for itself: a search of
# the whole memory, and a limit of address space. And what puts an allocator of its own in front, or
# compiles soter for itself, without a sanitizer and with a compiler that has one before it.
LEFT_OUT = [
    "tests/test_cell_objects.py::test_no_secret_stays_in_memory",
    "tests/test_cell_input.py::test_fields_that_claim_gigabytes_need_no_address_space",
    "tests/test_cell_faults.py",
    *(f"tests/test_wycheproof_{name}.py" for name in ("ec", "own", "rsa", "symmetric")),
]

PLANTED = """\
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
int read_past_end(size_t size);
int read_past_end(size_t size)
{
    volatile char *block = malloc(size);
    return block[size];
}
int use_after_free(size_t size);
int use_after_free(size_t size)
{
    volatile char *block = malloc(size);
    free((void *)block);
    return block[0];
}
int overflow(int number);
int overflow(int number)
{
    return number + INT_MAX;
}
uint32_t misalign(void);
uint32_t misalign(void)
{
    static uint8_t bytes[8];
    uint32_t *volatile number = (uint32_t *)(void *)(bytes + 1);
    return *number;
}
"""
# How each is called, and what must be said of it. The last gives the C core itself a block of
# Python's that is one byte too short.
FAULTS = {
    "c.read_past_end(10)": "heap-buffer-overflow",
    "c.use_after_free(10)": "heap-use-after-free",
    "c.overflow(1)": "signed integer overflow",
    "c.misalign()": "misaligned address",
    "l.themis_key_pair(1, 256, 0, f.new('uint8_t[45]'), f.new('uint8_t[44]'))": "buffer-overflow",
}

START = (
    "import ctypes; from pythemis._themis import ffi as f, lib as l; "
    "c = ctypes.CDLL({module!r}); l.themis_init()"
)


def main() -> None:
    """Build, judge the sanitizers, run the tests; leave as pytest does."""
    copy = instrumented_copy("sanitize", COMPILER, SANITIZERS)
    judge_the_sanitizers(copy)
    print(f"sanitize: all {len(FAULTS)} planted faults were found", flush=True)
    command = [
        *(str(copy.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-m", CHOSEN, *(f"--deselect={test}" for test in LEFT_OUT), *sys.argv[1:]),
    ]
    sys.exit(subprocess.run(command, cwd=copy.root, env=environment(), check=False).returncode)


def environment() -> dict[str, str]:
    """Give what a Python needs that was built without sanitizers."""
    runtime = subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()
    return {
        **os.environ,
        "LD_PRELOAD": runtime,
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:verify_asan_link_order=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def judge_the_sanitizers(copy: Copy) -> None:
    """Prove that each planted fault ends the program and is named."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "planted.c"
        module = Path(name) / "planted.so"
        source.write_text(PLANTED)
        command = [*COMPILER, "-shared", "-fPIC", str(source), "-o", str(module)]
        subprocess.run(command, check=True)
        for call, fault in FAULTS.items():
            done = subprocess.run(
                [copy.python, "-c", f"{START.format(module=str(module))}; {call}"],
                cwd=ROOT / "build",
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0 or fault not in done.stderr:
                raise SystemExit(
                    f"sanitize: {call} was not seen as {fault!r}; it left with "
                    f"{done.returncode} and said:\n{done.stderr[-2000:]}"
                )


if __name__ == "__main__":
    main()
