# SPDX-License-Identifier: Apache-2.0
"""``pythemis selftest`` and ``python -m pythemis``: what is installed here, and does it work?"""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping


def selftest(_: argparse.Namespace) -> int:
    """Print versions, try every cryptosystem; return the exit status."""
    import platform

    say(f"pythemis   {version()}")
    say(f"Python     {platform.python_implementation()} {platform.python_version()}")
    say(f"platform   {platform.platform()}")
    try:
        from pythemis._core import start, versions
        from pythemis._selftest import CHECKS
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


def version() -> str:
    """Return the version of the package."""
    try:
        from pythemis import __version__
    except ModuleNotFoundError:  # of the package's metadata; what follows says what to do
        return "(not installed)"
    return __version__


def run(checks: Mapping[str, Callable[[], None]]) -> int:
    """Run the checks, a line for each; return the exit status."""
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
