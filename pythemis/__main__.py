# SPDX-License-Identifier: Apache-2.0
"""``python -m pythemis``: what is installed here, and does it work?"""

from __future__ import annotations

import argparse
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
    parser.parse_args(arguments)

    print(f"pythemis   {version}")
    print(f"Python     {platform.python_implementation()} {platform.python_version()}")
    print(f"platform   {platform.platform()}")
    try:
        from ._core import versions
        from ._selftest import CHECKS
    except ImportError as error:
        print(f"FAILED: the compiled part of pythemis does not load: {error}")
        return 1
    linking = (
        "statically, so they are this package's own" if versions.is_static() else "dynamically"
    )
    print(f"OpenSSL    {versions.openssl().removeprefix('OpenSSL ')}")
    print(f"libsodium  {versions.sodium()}")
    print(f"linked     {linking}")
    print()
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
            print(f"FAILED  {name}: {type(error).__name__}: {error}")
        else:
            print(f"ok      {name}")
    print()
    if wrong:
        print(f"FAILED: {wrong} of {len(checks)} checks. Do not use this installation.")
        return 1
    print(f"All {len(checks)} checks passed in {perf_counter() - start:.2f} seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
