# SPDX-License-Identifier: Apache-2.0
"""Show every cryptosystem at work on real input. `make demo` runs this."""

from __future__ import annotations

import platform
import sys
import time

import demo_cells
import demo_comparator
import demo_files
import demo_messages
import demo_session

import pythemis

SECTIONS = [demo_cells, demo_files, demo_messages, demo_session, demo_comparator]


def main() -> None:
    """Run every section; the first surprise ends the demo with an exit code."""
    print(f"pythemis {pythemis.__version__} on Python {platform.python_version()}")
    start = time.perf_counter()
    for section in SECTIONS:
        print(f"\n== {(section.__doc__ or '').strip()}\n")
        section.run()
    print(f"\nEverything came back as it was, in {time.perf_counter() - start:.1f} s.")
    print(
        "Next: docs/start.md is a tutorial of ten minutes, examples/README.md lists more programs."
    )


if __name__ == "__main__":
    sys.exit(main())
