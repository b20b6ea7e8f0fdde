# SPDX-License-Identifier: Apache-2.0
"""``pythemis inspect``: what data is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pythemis._core.facts import shown
from pythemis._inspect import Report, inspect_file

from .errors import Status, complain, sentence_of
from .streams import STANDARD, standard_input

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable


def each_report(names: list[str], show: Callable[[str, Report], bool]) -> int:
    """Inspect files; one that cannot be read does not keep the others from being shown."""
    done, worst = 0, Status.DONE
    for name in names:
        try:
            if show(name, report_on(name)):
                done += 1
            else:
                worst = max(worst, Status.REFUSED)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  (one sentence for each)
            text, status = sentence_of(error)
            complain(text)
            worst = max(worst, status)
    return Status.PARTLY if 0 < done < len(names) else worst


def report_on(name: str) -> Report:
    """Inspect a file, or the standard input."""
    if name == STANDARD:
        return inspect_file(standard_input().fileno())
    with open(name, "rb", buffering=0) as file:  # noqa: PTH123 -- a name as it was given
        return inspect_file(file.fileno())


def inspect(options: argparse.Namespace) -> int:
    """Print what each file is."""

    def show(name: str, report: Report) -> bool:
        if options.json:
            print(json.dumps({"file": name, **report.as_dict()}))
        else:
            print(f"{shown(name)}: {report}" if len(options.files) > 1 else report)
        return report.recognised

    return each_report(options.files, show)
