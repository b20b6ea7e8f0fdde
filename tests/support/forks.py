# SPDX-License-Identifier: Apache-2.0
"""What the tests that fork share."""

import ctypes
import os
import signal
import struct
import sys
import sysconfig

import pytest

PATIENCE = 300  # seconds, after which a child that hangs is ended

forking = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    # CPython warns of forks among threads, which is what is tried here.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]

# A child may wait for ever for a lock of Python's own that a thread of its parent held: 15 of 400
# children that read a variable of a closure, with nothing of ours loaded, did so on 3.13.
beside_threads = pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="locks of this interpreter itself stay held in children that are forked beside threads",
)


# PyPy calls C without its GIL alone, and a child would wait for it.
clones = pytest.mark.skipif(not hasattr(ctypes, "PyDLL"), reason="no child has the GIL")
CLONE3 = 435  # on every processor


def raw_clone():
    """Fork by a system call of which the C library knows nothing, so that no handler runs."""
    # Of clone_args only the signal at the child's end is given: after four numbers of eight.
    arguments = struct.pack("=4Q1Q3Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    libc = ctypes.PyDLL(None, use_errno=True)  # which keeps the GIL
    pid = libc.syscall(ctypes.c_long(CLONE3), arguments, ctypes.c_size_t(len(arguments)))
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone3")
    return pid


class Child:
    """A forked process that does some work and hands bytes back."""

    def __init__(self, work, fork=None):
        self._reading, writing = os.pipe()
        self._pid = (fork or os.fork)()
        if self._pid == 0:
            self._run(work, writing)
        os.close(writing)

    def _run(self, work, writing):
        """Be the child."""
        status = 1
        try:
            os.close(self._reading)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE)
            with open(writing, "wb") as pipe:  # noqa: PTH123 -- a descriptor
                pipe.write(work())
            status = 0
        except BaseException:  # noqa: BLE001 -- nothing of pytest may run in this process
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def result(self):
        """Give what the work gave; it must have ended well."""
        with open(self._reading, "rb") as pipe:  # noqa: PTH123 -- a descriptor
            given = pipe.read()
        assert os.waitpid(self._pid, 0) == (self._pid, 0)
        return given


def in_pieces(drawn, size):
    """Cut what was drawn into pieces of this size."""
    assert len(drawn) % size == 0
    return [drawn[at : at + size] for at in range(0, len(drawn), size)]


def repeated(drawn, size):
    """Count the pieces of this size that were drawn before."""
    pieces = in_pieces(drawn, size)
    return len(pieces) - len(set(pieces))
