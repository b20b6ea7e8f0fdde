# SPDX-License-Identifier: Apache-2.0
"""``python -m pythemis``: what is installed here, and does it work?"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Print versions, try every cryptosystem; give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pythemis",
        description="Print the versions of pythemis and of what it stands on, and try every "
        "cryptosystem: known answers, round trips, and that what is damaged is refused. "
        "The exit status is 0 if all of it is right, otherwise 1.",
    )
    version = _version()
    parser.add_argument("--version", action="version", version=f"pythemis {version}")
    try:
        parser.parse_args(arguments)
    finally:
        say(end="")  # what --help printed

    say(f"pythemis   {version}")
    say(f"Python     {platform.python_implementation()} {platform.python_version()}")
    say(f"platform   {platform.platform()}")
    try:
        from ._core import start, versions
        from ._selftest import CHECKS
    except ImportError as error:
        say(f"FAILED: the compiled part of pythemis does not load: {error}")
        return 1
    linking = (
        "statically, so they are this package's own" if versions.is_static() else "dynamically"
    )
    say(f"OpenSSL    {versions.openssl().removeprefix('OpenSSL ')}")
    fips = start.fips_provider()
    if fips:
        say(f"FIPS       {fips}")
    say(f"libsodium  {versions.sodium()}")
    say(f"linked     {linking}")
    say()
    return run(CHECKS)


def _version() -> str:
    try:
        from . import __version__
    except ModuleNotFoundError:  # of the package's metadata; what follows says what to do
        return "(not installed)"
    return __version__


def run(checks: Mapping[str, Callable[[], None]]) -> int:
    """Run the checks, a line for each; give the exit status."""
    start = perf_counter()
    wrong = 0
    for name, check in checks.items():
        try:
            check()
        except Exception as error:  # noqa: BLE001  (whatever is wrong, the others are tried too)
            wrong += 1
            say(f"FAILED  {name}: {type(error).__name__}: {error}")
        else:
            say(f"ok      {name}")
    say()
    if wrong:
        say(f"FAILED: {wrong} of {len(checks)} checks. Do not use this installation.")
        return 1
    say(f"All {len(checks)} checks passed in {perf_counter() - start:.2f} seconds.")
    return 0


def say(line: str = "", end: str = "\n") -> None:
    """Print a line; if the reader has left (``| head``), go on for the exit status."""
    try:
        print(line, end=end, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for all that follows
        if not isinstance(error, BrokenPipeError):
            sys.exit(f"pythemis: the output cannot be written: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
