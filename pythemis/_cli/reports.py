# SPDX-License-Identifier: Apache-2.0
"""``pythemis inspect``: what data is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pythemis._core.facts import shown
from pythemis._inspect import Report, inspect_file

from .errors import for_each
from .streams import STANDARD, say, standard_input

if TYPE_CHECKING:
    import argparse


def report_on(name: str) -> Report:
    """Inspect a file, or the standard input."""
    if name == STANDARD:
        return inspect_file(standard_input().fileno())
    with open(name, "rb", buffering=0) as file:  # noqa: PTH123 -- a name as it was given
        return inspect_file(file.fileno())


def inspect(options: argparse.Namespace) -> int:
    """Print what each file is."""

    def show(name: str) -> bool:
        report = report_on(name)
        if options.json:
            say(json.dumps({"file": name, **report.as_dict()}))
        else:
            say(f"{shown(name)}: {report}" if len(options.files) > 1 else report)
        return report.recognised

    return for_each(options.files, show)
