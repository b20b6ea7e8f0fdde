# SPDX-License-Identifier: Apache-2.0
"""Run the tests on a module that was built with ASan and UBSan.

What an operation reads and writes beyond its buffers, uses after it was freed, shifts too far,
overflows or misaligns ends the tests at once. Python's own allocator would hide the ends of small
blocks, so it is not used. Leaks are not judged here but under valgrind (memcheck) and in the
fuzz targets: the interpreter itself leaves much behind.

Before the tests the sanitizers themselves are judged, on faults planted for them in a module of
the same making. Reports of ASan go into files, so that one is noticed as well in a process that a
test wants to fail; UBSan cannot do that beside ASan, and aborts, which no test wants. Arguments are
handed to pytest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.evidence.figures import note
from tools.evidence.instrument import Copy, instrumented_copy
from tools.setup.bootstrap import ROOT

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILER = ["gcc", "-std=c11", "-g", "-O1", "-fno-omit-frame-pointer", *SANITIZERS]
CHOSEN = "not timing and not big_memory"
# What cannot be under a sanitizer, which takes terabytes of address space for itself: a search of
# the whole memory, and a limit of address space. And what puts an allocator of its own in front.
LEFT_OUT = [
    "tests/cells/test_objects.py::test_no_secret_stays_in_memory",
    "tests/cells/test_input.py::test_fields_that_claim_gigabytes_need_no_address_space",
    "tests/robustness/test_faults.py",
    # So are searches of a child's memory; and ASan locks no memory, and answers to signals itself.
    "tests/keyring/test_memory.py",
    "tests/keyring/test_secret_memory.py",
    # Nobody holds the locks of ASan's allocator (gcc 12) at a fork, so children of a process whose
    # other threads allocate all the time wait for one for ever.
    "tests/robustness/test_fork.py::test_no_child_waits_for_a_lock_that_a_thread_of_its_parent_held",
    "tests/robustness/test_fork.py::test_no_nonce_repeats_among_threads_that_fork",
]
# For the same reason, fewer threads at the forks that are left: these have a process to themselves.
ALONE = "tests/robustness/test_fork.py"
REPORT = "ERROR: AddressSanitizer"

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
    "l.themis_key_pair(1, 256, 0, f.new('uint8_t[45]'), 45, f.new('uint8_t[44]'), 45)": (
        "buffer-overflow"
    ),
}

START = (
    "import ctypes; from pythemis._themis import ffi as f, lib as l; "
    "c = ctypes.CDLL({module!r}); l.themis_init()"
)


def main() -> None:
    """Build, judge the sanitizers, run the tests; leave with 1 if anything is wrong."""
    copy = instrumented_copy("sanitize", COMPILER, SANITIZERS, "libasan.so")
    judge_the_sanitizers(copy)
    print(f"sanitize: all {len(FAULTS)} planted faults were found", flush=True)
    command = [
        *(str(copy.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-m", CHOSEN, *(f"--deselect={test}" for test in LEFT_OUT)),
    ]
    folder = copy.root / "build" / "reports"
    status = 0
    for chosen in [sys.argv[1:]] if sys.argv[1:] else [[f"--ignore={ALONE}"], [ALONE]]:
        run = [*command, *chosen]
        ended = subprocess.run(run, cwd=copy.root, env=environment(folder), check=False)
        status = status or ended.returncode
    found = reports(folder)
    print(*found, sep="\n")
    note({"planted faults found": len(FAULTS), "processes with reports": len(found)})
    print(f"sanitize: {len(found)} processes with reports, pytest left with {status}")
    sys.exit(1 if found or status else 0)


def environment(folder: Path) -> dict[str, str]:
    """Return what the interpreter of the copy needs, with a folder for what ASan says."""
    folder.mkdir(exist_ok=True)
    address = "detect_leaks=0:allocator_may_return_null=1:verify_asan_link_order=0"
    return {
        **os.environ,
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": f"{address}:log_path={folder / 'asan'}",
        "UBSAN_OPTIONS": "print_stacktrace=1:abort_on_error=1",
        "PYTHEMIS_TEST_CFLAGS": " ".join(SANITIZERS),  # for what tests compile of the core
    }


def reports(folder: Path) -> list[str]:
    """Read what ASan reported, by process; that it refuses a huge block is no report."""
    texts = (path.read_text(errors="replace") for path in sorted(folder.iterdir()))
    return [text for text in texts if REPORT in text]


def judge_the_sanitizers(copy: Copy) -> None:
    """Prove that each planted fault ends the program and is named."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "planted.c"
        module = Path(name) / "planted.so"
        source.write_text(PLANTED)
        command = [*COMPILER, "-shared", "-fPIC", str(source), "-o", str(module)]
        subprocess.run(command, check=True)
        for number, (call, fault) in enumerate(FAULTS.items()):
            folder = Path(name) / str(number)
            done = subprocess.run(
                [copy.python, "-c", f"{START.format(module=str(module))}; {call}"],
                cwd=ROOT / "build",
                env=environment(folder),
                capture_output=True,
                text=True,
                check=False,
            )
            aborted = done.stderr if done.returncode == -signal.SIGABRT else ""
            said = "".join(reports(folder)) + aborted
            if done.returncode == 0 or fault not in said:
                raise SystemExit(
                    f"sanitize: {call} was not seen as {fault!r}; it left with "
                    f"{done.returncode} and said:\n{(said + done.stderr)[-2000:]}"
                )


if __name__ == "__main__":
    main()
