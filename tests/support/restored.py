# SPDX-License-Identifier: Apache-2.0
"""Freeze a process and resume it twice, as snapshots of virtual machines and CRIU do."""

import contextlib
import ctypes
import os
import signal
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

TRACEME, CONT, GETREGSET, SETREGSET = 0, 7, 0x4204, 0x4205
REGISTERS = (1, 2)  # NT_PRSTATUS, NT_PRFPREG
# Memory that was there when the image was made must not be gone when it is brought back.
KEEPS_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}
if not sysconfig.get_config_var("Py_GIL_DISABLED"):  # which has no other allocator than its own
    KEEPS_MEMORY["PYTHONMALLOC"] = "malloc"


def ptrace(request, pid, address=0, data=0):
    """Ask the system for something about a process that is traced."""
    call = ctypes.CDLL(None, use_errno=True).ptrace
    call.restype = ctypes.c_long
    call.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if call(request, pid, address, data) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")


def freeze():
    """Stop until the tracer says: at first where the image is made, then where a run ends."""
    os.kill(os.getpid(), signal.SIGSTOP)


def be_traced():
    """Let the parent trace this process; tell whether it may."""
    try:
        ptrace(TRACEME, 0)
    except OSError:
        return False
    return True


class Image:
    """The writable memory and the registers of a process that is stopped."""

    def __init__(self, pid):
        self._pid = pid
        self._registers = {kind: self._get_registers(kind) for kind in REGISTERS}
        with self._memory() as memory:
            self._regions = [
                (start, os.pread(memory, end - start, start)) for start, end in self._writable()
            ]

    def bring_back(self):
        """Let the process be again what it was."""
        with self._memory() as memory:
            for start, held in self._regions:
                assert os.pwrite(memory, held, start) == len(held), hex(start)
        for kind, held in self._registers.items():
            vector = self._vector(held)  # it has to live for the call
            ptrace(SETREGSET, self._pid, kind, ctypes.addressof(vector))

    @contextlib.contextmanager
    def _memory(self):
        opened = os.open(f"/proc/{self._pid}/mem", os.O_RDWR)
        try:
            yield opened
        finally:
            os.close(opened)

    def _writable(self):
        for line in Path(f"/proc/{self._pid}/maps").read_text(encoding="utf-8").splitlines():
            span, rights, *_ = line.split()
            if rights.startswith("rw") and rights.endswith("p"):
                start, end = (int(number, 16) for number in span.split("-"))
                yield start, end

    def _get_registers(self, kind):
        held = ctypes.create_string_buffer(4096)
        vector = self._vector(held)
        ptrace(GETREGSET, self._pid, kind, ctypes.addressof(vector))
        (size,) = struct.unpack_from("N", vector, struct.calcsize("P"))
        return ctypes.create_string_buffer(held.raw[:size], size)

    @staticmethod
    def _vector(held):
        return ctypes.create_string_buffer(
            struct.pack("PN", ctypes.addressof(held), len(held)), struct.calcsize("PN")
        )


def run_twice(script):
    """Run a script that freezes itself twice, once more from where it froze first.

    Give the lines it wrote between, of both runs; None where processes may not be traced.
    """
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **KEEPS_MEMORY, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=subprocess.PIPE,
    ) as process:
        try:
            said = _both_runs(process)
        finally:
            process.kill()
    return said


def _both_runs(process):
    if not _froze(process):
        return None
    image = Image(process.pid)
    said = []
    for _ in range(2):
        ptrace(CONT, process.pid)
        said.append(process.stdout.readline())
        assert _froze(process)
        image.bring_back()
    return said


def _froze(process):
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        assert os.WSTOPSIG(status) == signal.SIGSTOP, status
        return True
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return False
