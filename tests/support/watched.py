# SPDX-License-Identifier: Apache-2.0
"""A program whose whole memory is read from outside, also as a core dump."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

MAPPING = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) .*$")


class Watched:
    """A Python program that says READY when all is there, and then waits."""

    def __init__(self, folder, program, *arguments, environment=None, pass_fds=()):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            pass_fds=pass_fds,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"READY\n"

    def mappings(self):
        """Give all memory that the program can read: its rights, its flags, and the bytes."""
        lines = Path(f"/proc/{self.process.pid}/smaps").read_text().splitlines()
        with Path(f"/proc/{self.process.pid}/mem").open("rb", buffering=0) as memory:
            for i, line in enumerate(lines):
                match = MAPPING.match(line)
                if match is None or match[3][0] != "r" or "[v" in line:
                    continue
                start, end = int(match[1], 16), int(match[2], 16)
                rest = iter(lines[i:])
                flags = next(it for it in rest if it.startswith("VmFlags:")).split()[1:]
                memory.seek(start)
                yield match[3], flags, memory.read(end - start)

    def dump(self):
        """End it with a core dump; give the dump, or skip if this system writes none here."""
        pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
        if "/" in pattern or pattern.startswith("|"):
            pytest.skip("this system writes core dumps elsewhere")
        self.process.send_signal(signal.SIGABRT)
        self.process.wait(60)
        dumps = list(self.folder.glob("core*"))
        if not dumps:
            pytest.skip("this system wrote no core dump")
        return dumps[0].read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(60)
        self.process.stdin.close()
        self.process.stdout.close()
