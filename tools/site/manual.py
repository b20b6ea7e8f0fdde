# SPDX-License-Identifier: Apache-2.0
"""Write the manual page of the command ``pythemis``, built from its parser.

Arguments: the file to write, such as build/pythemis.1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pythemis import __version__
from pythemis._cli.completion import parsers


def escaped(text: str) -> str:
    """Return text that roff shows as it is."""
    made = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in made.split("\n"))


def page() -> str:
    """Return the manual page."""
    found = parsers()
    root = found[0][1]
    lines = [
        f'.TH PYTHEMIS 1 "" "pythemis {escaped(__version__)}" "User Commands"',
        ".SH NAME",
        "pythemis \\- encrypt, sign and inspect data in the formats of Themis",
        ".SH SYNOPSIS",
        ".B pythemis",
        ".I COMMAND",
        "[options]",
        ".SH DESCRIPTION",
        *paragraphs(root.epilog or ""),
        ".SH COMMANDS",
    ]
    for path, parser in found[1:]:
        lines += [f".SS pythemis {escaped(' '.join(path))}", escaped(parser.description or "")]
        for action in parser._actions:
            lines += described(action)
    return "\n".join(lines) + "\n"


def paragraphs(text: str) -> list[str]:
    """Return text with its paragraphs; what is indented keeps its lines."""
    lines: list[str] = []
    for block in text.strip().split("\n\n"):
        lines.append(".PP")
        for line in block.split("\n"):
            lines += [".br"] * line.startswith(" ") + [escaped(line.strip())]
    return lines


def described(action: argparse.Action) -> list[str]:
    """Return the entry of an option or an argument."""
    if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
        return []
    name = ", ".join(action.option_strings)
    value = str(action.metavar or "") if action.nargs != 0 else ""
    if not name and not value:
        value = "|".join(map(str, action.choices or ()))
    both = f"{name} {value}".strip()
    return [".TP", f".B {escaped(both)}", escaped(action.help or "")]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
