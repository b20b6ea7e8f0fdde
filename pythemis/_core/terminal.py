# SPDX-License-Identifier: Apache-2.0
"""A line typed on the terminal, which does not show it."""

from __future__ import annotations

import os
import signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import NOT_SUPPORTED, Errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    ReadT = TypeVar("ReadT")

_IS_POSIX = os.name == "posix"
_LOCAL = 3  # the index of the local modes among those of a terminal
# What ends or stops a process that does not handle it. Python handles SIGINT unless told otherwise.
_ENDING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGTSTP")


class _SignalledError(BaseException):
    """A signal came that would have ended or stopped the process without an echo."""


def ask(errors: Errors, prompt: str, read: Callable[[int], ReadT]) -> ReadT:
    """Show a prompt, and have ``read(fd)`` read a line of the terminal, which does not show it."""
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC) if _IS_POSIX else -1
    except OSError:
        fd = -1
    if fd < 0:
        raise errors.failed(
            NOT_SUPPORTED, "there is no terminal to ask on: use from_file, from_fd or from_env"
        )
    try:
        while True:
            came: list[int] = []
            try:
                return _ask(fd, prompt, read, came)
            except _SignalledError:
                pass
            for number in came:
                os.kill(os.getpid(), number)  # as if the terminal had never been touched
    finally:
        os.close(fd)


def _ask(fd: int, prompt: str, read: Callable[[int], ReadT], came: list[int]) -> ReadT:
    import termios  # of POSIX alone

    before = termios.tcgetattr(fd)
    silent: list[Any] = [*before]
    silent[_LOCAL] &= ~(termios.ECHO | termios.ECHONL)
    replaced: dict[int, Any] = {}
    try:
        _catch(replaced, came)
        termios.tcsetattr(fd, termios.TCSAFLUSH, silent)
        os.write(fd, prompt.encode("utf-8", "replace"))
        return read(fd)
    finally:
        termios.tcsetattr(fd, termios.TCSAFLUSH, before)
        os.write(fd, b"\n")
        for number, handler in replaced.items():
            signal.signal(number, handler)


def _catch(replaced: dict[int, Any], came: list[int]) -> None:
    """Have signals raise that would end or stop the process; only the main thread can."""

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)
        if len(came) == 1:  # others come while the terminal is restored
            raise _SignalledError

    if current_thread() is not main_thread():
        return
    for name in _ENDING:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            replaced[number] = signal.SIG_DFL
            signal.signal(number, note)
