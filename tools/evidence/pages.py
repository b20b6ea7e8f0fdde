# SPDX-License-Identifier: Apache-2.0
"""Write what rounds of evidence measured into the pages of docs/evidence.

`python -m tools.evidence.pages [ROUND ...]`, after `make evidence`. A block of a page stands
between two comments:

    <!-- figures: faults -->
    <!-- figures: end -->

`figures: faults` is of the full form of the round, `figures: faults-short` of any other. Where a
round did not run here to its end, its block stays as it is. A block of an unknown round is an
error.
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.evidence.__main__ import ROUNDS
from tools.evidence.figures import FOLDER, read
from tools.setup.bootstrap import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection

PAGES = ROOT / "docs" / "evidence"
END = "<!-- figures: end -->"
BLOCK = re.compile(rf"<!-- figures: (?!end)(\S+) -->\n(.*?){END}", re.DOTALL)


def main() -> None:
    """Write the blocks of all rounds, or of those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tools.evidence.pages", description=__doc__)
    parser.add_argument("rounds", nargs="*", metavar="ROUND", help="as in the names of blocks")
    wanted = parser.parse_args().rounds
    for name in wanted:
        check_name(name)
    for path in sorted(PAGES.glob("*.md")):
        before = path.read_text(encoding="utf-8")
        after = with_figures(before, FOLDER, wanted)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: written")


def with_figures(page: str, folder: Path, wanted: Collection[str] = ()) -> str:
    """Return a page with the figures of a folder, of all rounds or of those wanted."""
    if len(BLOCK.findall(page)) * 2 != page.count("<!-- figures: "):
        raise SystemExit(f"A block of figures must begin with its round and end with {END}.")

    def block(match: re.Match[str]) -> str:
        name = match[1]
        check_name(name)
        facts = read(folder / f"{name}.json") if name in (wanted or [name]) else {}
        if "status" not in facts:  # it did not run here, or did not come to its end
            return match[0]
        return f"<!-- figures: {name} -->\n{shown(name, facts)}{END}"

    return BLOCK.sub(block, page)


def check_name(name: str) -> None:
    """End unless a block's name is that of a round."""
    if name.removesuffix("-short") not in ROUNDS:
        raise SystemExit(f"There is no round {name}: {', '.join(ROUNDS)}, each also with -short.")


def shown(name: str, facts: dict[str, Any]) -> str:
    """Return the figures of a round as Markdown."""
    only, is_short = name.removesuffix("-short"), name.endswith("-short")
    form, asked = "The full round", ""
    if is_short and tuple(facts["arguments"]) == ROUNDS[only].short:
        form, asked = "A short round", " SHORT=1"
    elif is_short:
        form, asked = "Another round", f" ARGS={shlex.quote(shlex.join(facts['arguments']))}"
    took = f", {facts['seconds']} s" if "seconds" in facts else ""
    ended = "no finding" if facts["status"] == 0 else f"**it failed with {facts['status']}**"
    lines = [
        f"{form}: `make evidence ONLY={only}{asked}`, {facts['date']}, {facts['machine']}{took}: "
        f"{ended}."
    ]
    if facts["figures"]:
        lines += ["", "| figure | value |", "|---|---|"]
        for what, value in facts["figures"].items():
            lines.append(f"| {what} | {f'{value:,}' if isinstance(value, int) else value} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
