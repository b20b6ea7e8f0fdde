# SPDX-License-Identifier: Apache-2.0
"""Look for data races with ThreadSanitizer: in a C program, and in the tests that use threads.

fuzz/threads.c shares one handle of each kind among threads that start at once. The tests follow, on
a module of the same making: Python itself is not instrumented, so only what our C code does is
seen there, between the locks of the interpreter. In neither is OpenSSL instrumented: a race inside
it shows only where it copies or frees memory.

Before that a counter that the threads share without a lock must be reported. Arguments are handed
to pytest; --no-tests leaves the tests out.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from build_ffi import TESTING_FLAG  # instrument has made it importable
from tools.evidence.figures import note
from tools.evidence.instrument import Copy, instrumented_copy, run

SANITIZER = ["-fsanitize=thread"]
COMPILER = ["gcc", "-std=c11", TESTING_FLAG, "-g", "-O1", "-fno-omit-frame-pointer", *SANITIZER]
TESTS = [f"tests/{room}/test_threads.py" for room in ("cells", "columns", "comparator", "sessions")]
TESTS += ["tests/keyring/test_values.py", "tests/keyring/test_watching.py"]
TESTS += [
    "tests/files/test_sealed_reading.py::test_threads_read_one_file",
    "tests/files/test_sealed_reading.py::test_threads_share_a_stream",
    "tests/files/test_seal_cells.py::test_threads_share_a_reader",
]
RACE = "WARNING: ThreadSanitizer: data race"


def main() -> None:
    """Build, judge the sanitizer, run the program and the tests."""
    copy = instrumented_copy("sanitize-threads", COMPILER, SANITIZER, "libtsan.so")
    program = build_program(copy)
    prefix = how_to_start(program)
    planted = start([*prefix, program, "planted"])
    if planted.returncode == 0 or RACE not in planted.stderr or "counter" not in planted.stderr:
        raise SystemExit(f"the planted race was not reported:\n{planted.stderr[-2000:]}")
    honest = start([*prefix, program])
    if honest.returncode != 0:
        raise SystemExit(f"the program with shared handles failed:\n{honest.stderr[:8000]}")
    note({"races in the program": 0, "planted races found": 1})
    print("sanitize-threads: the planted race was found, and no other", flush=True)
    if "--no-tests" not in sys.argv:
        sys.exit(run_tests(copy, prefix))


def build_program(copy: Copy) -> str:
    """Link the program with the C core of the copy."""
    program = str(copy.root / "build" / "threads")
    common = [f"fuzz/common/{name}.c" for name in ("fuzz", "parties")]
    run(
        [
            *(*COMPILER, "-Isrc/themis_c", "-Ifuzz", "fuzz/threads.c", *common),
            *(*map(str, copy.objects), "-lcrypto", "-lsodium", "-lpthread", "-o", program),
        ],
        copy.root,
    )
    return program


def how_to_start(program: str) -> list[str]:
    """Without random addresses, where the sanitizer of this compiler cannot do with them."""
    if "unexpected memory mapping" not in start([program, "planted"]).stderr:
        return []
    return ["setarch", platform.machine(), "--addr-no-randomize"]


def start(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program under the sanitizer."""
    options = {**os.environ, "TSAN_OPTIONS": "halt_on_error=0"}
    return subprocess.run(command, env=options, capture_output=True, text=True, check=False)


def run_tests(copy: Copy, prefix: list[str]) -> int:
    """Run the tests that use threads; what is reported in them fails the whole."""
    reports = copy.root / "build" / "race"
    environment = {
        **os.environ,
        "TSAN_OPTIONS": f"log_path={reports}:exitcode=0:ignore_noninstrumented_modules=1",
    }
    chosen = [one for one in sys.argv[1:] if one != "--no-tests"] or TESTS
    command = [
        *(*prefix, str(copy.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-m", "not timing and not no_c", *chosen),
    ]
    status = subprocess.run(command, cwd=copy.root, env=environment, check=False).returncode
    found = [path.read_text() for path in sorted(reports.parent.glob("race.*"))]
    races = [text for text in found if RACE in text]
    print(*races, sep="\n")
    note({"processes of tests with races": len(races)})
    print(f"sanitize-threads: {len(races)} processes with races, pytest left with {status}")
    return 1 if races or status else 0


if __name__ == "__main__":
    main()
