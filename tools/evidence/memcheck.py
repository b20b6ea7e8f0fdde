# SPDX-License-Identifier: Apache-2.0
"""Run the tests of the C core under valgrind, and judge what it saw.

An error or a leak counts when it happens in our extension module, or in the libraries that it
calls. What the interpreter and cffi do is theirs, even while our module is being loaded. Memory
that is still reachable at the end (one-time initialisation) is no leak.

Before the tests the judge itself is judged, on a planted read past the end and a planted leak.
Arguments are handed to pytest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import NamedTuple

from tools.evidence.figures import note

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "_themis"  # how the names of our compiled modules begin
BENEATH = ("libcrypto.", "libsodium.", "libc.", "ld-", "vgpreload_")  # what our module calls
PLANTED = """\
#include <stdlib.h>
int read_past_end(void);
int read_past_end(void)
{
    volatile char *block = malloc(10);
    int value = block[10];
    free((void *)block);
    return value;
}
void leak(void);
void leak(void)
{
    static void *volatile lost;
    lost = malloc(100);
    lost = NULL;
}
"""


class Finding(NamedTuple):
    """An error that valgrind saw in our code."""

    kind: str
    what: str
    stack: tuple[str, ...]


def main() -> None:
    """Check the judge, then run the tests; leave with 1 if anything is wrong."""
    ensure_valgrind()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        check_the_judge(folder)
        status, found = valgrind(
            folder / "tests.xml",
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci"),
            *("-m", "not no_c and not timing and not big_memory", *sys.argv[1:]),
        )
    for finding in found:
        print(f"{finding.kind}: {finding.what}")
        print("".join(f"    {frame}\n" for frame in finding.stack))
    note({"findings": len(found)})
    print(f"memcheck: {len(found)} findings, pytest left with {status}")
    sys.exit(1 if found or status else 0)


def ensure_valgrind() -> None:
    """Install valgrind where that is possible."""
    if shutil.which("valgrind"):
        return
    from tools.setup.bootstrap import install_system_packages

    install_system_packages(["valgrind"])


def check_the_judge(folder: Path) -> None:
    """Prove that an error and a leak in a module named like ours are found."""
    source = folder / "planted.c"
    module = folder / f"{EXTENSION}_planted.so"
    source.write_text(PLANTED)
    compiler = [os.environ.get("CC", "gcc"), "-g", "-O0", "-shared", "-fPIC"]
    subprocess.run([*compiler, "-o", module, source], check=True)
    calls = f"import ctypes; c = ctypes.CDLL({str(module)!r}); c.read_past_end(); c.leak()"
    _, found = valgrind(folder / "planted.xml", "-c", calls)
    kinds = sorted(finding.kind for finding in found)
    if kinds != ["InvalidRead", "Leak_DefinitelyLost"]:
        raise SystemExit(f"memcheck does not see the errors planted for it, only {kinds}.")


def valgrind(report: Path, *arguments: str) -> tuple[int, list[Finding]]:
    """Run Python under valgrind: its exit status, and the findings that are ours."""
    command = [
        "valgrind",
        "--quiet",
        "--tool=memcheck",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect",
        "--num-callers=60",
        "--error-limit=no",
        "--child-silent-after-fork=yes",  # a fork would write into the report of its parent
        "--xml=yes",
        f"--xml-file={report}",
        sys.executable,
        *arguments,
    ]
    # With pymalloc, blocks would be invisible to valgrind.
    environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHEMIS_MEMCHECK": "1"}
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    return status, findings(report)


def findings(report: Path) -> list[Finding]:
    """Read the errors out of a report that have a frame in our module."""
    found = []
    for error in ET.parse(report).iter("error"):
        frames = error.findall("./stack/frame")
        if is_ours(frames):
            what = error.findtext("what") or error.findtext("xwhat/text") or ""
            found.append(
                Finding(error.findtext("kind", ""), what, tuple(map(describe, frames[:12])))
            )
    return found


def is_ours(frames: list[ET.Element]) -> bool:
    """Return whether the first frame, from the inside, that is not beneath us is in our module."""
    modules = (Path(frame.findtext("obj", "?")).name for frame in frames)
    caller = next((module for module in modules if not module.startswith(BENEATH)), "")
    return caller.startswith(EXTENSION)


def describe(frame: ET.Element) -> str:
    """Show a frame as function and place."""
    place = Path(frame.findtext("obj", "?")).name
    if frame.findtext("file"):
        place = f"{frame.findtext('file')}:{frame.findtext('line')}"
    return f"{frame.findtext('fn', '???')} ({place})"


if __name__ == "__main__":
    main()
