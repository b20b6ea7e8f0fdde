# SPDX-License-Identifier: Apache-2.0
"""Things that happen at a given line: an interrupt, a death."""

import os
import signal
import sys


def die():
    """Do what kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def interrupted():
    """Do what Ctrl-C does."""
    raise KeyboardInterrupt


def is_collecting(frame):
    """Tell whether Python itself runs this, and ignores what is raised in it."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


def at_line(modules, number, action, function, *arguments):
    """Call a function, do something at the given line that it runs in modules; count the lines."""
    files, seen = {module.__file__ for module in modules}, 0

    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in files or is_collecting(frame):
            return None
        if event == "line":
            seen += 1
            if seen == number:
                sys.settrace(None)
                action()
        return trace

    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(None)
    return seen


def dies_at_line(modules, number, function, *arguments):
    """Call a function in a child process that dies at the given line; tell whether it did."""
    pid = os.fork()
    if pid == 0:
        try:
            at_line(modules, number, die, function, *arguments)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
