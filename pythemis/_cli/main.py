# SPDX-License-Identifier: Apache-2.0
"""Where the command begins and ends: arguments, the module of a command, its exit status."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence


def main(arguments: Sequence[str] | None = None, *, prog: str = "pythemis") -> int:
    """Run the command; return its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with ended_by_signals():
            return _main(given, prog)
    except (KeyboardInterrupt, ImportError, OSError) as error:  # the two of a part of the command
        return report(error)


def _main(given: list[str], prog: str) -> int:
    from .selftest import say, version

    if given == ["--version"]:  # without building a parser
        say(f"pythemis {version()}")
        return 0
    from .parser import build

    parser = build(prog, given[0] if given else None)
    try:
        options = parser.parsed(given)
    except SystemExit as ended:  # after --help, or a usage error
        say(end="")  # what was printed may not have been written
        return ended.code if isinstance(ended.code, int) else 2
    return run(options)


class Terminated(SystemExit):
    """A signal asks the process to end: what was begun is removed first."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the process as an exception does, in the main thread."""

    def end(number: int, _: object) -> None:
        raise Terminated(128 + number)

    before = {}
    if current_thread() is main_thread():
        numbers = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
        for number in filter(None, numbers):
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def of_module(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m pythemis``, which without arguments is the self-test."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    return main(given or ["selftest"], prog="python -m pythemis")


def no_command(options: argparse.Namespace) -> int:
    """Complain that a command is missing."""
    print(f"pythemis: name a command; see {options.prog} --help", file=sys.stderr)
    return 2


def run(options: argparse.Namespace) -> int:
    """Run a command that was asked for; every error becomes one sentence on stderr."""
    module, _, function = options.run.partition(":")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may have no form in its encoding
    try:
        command = getattr(import_module(f".{module}", __package__), function)
        status: int = command(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has left, which is no news
        from .streams import forget_output

        forget_output()
        return 1
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (one sentence for each)
        return report(error)
    return status


def report(error: BaseException) -> int:
    """Print one sentence about an error; return the exit status."""
    try:
        from .errors import complain, sentence_of
    except (ImportError, OSError) as broken:  # of the compiled module, or no descriptor is free
        print(f"pythemis: {broken}", file=sys.stderr)
        return 1
    text, status = sentence_of(error)
    complain(text)
    return int(status)
