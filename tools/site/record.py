# SPDX-License-Identifier: Apache-2.0
"""Run the commands of a page at a terminal, and draw what it showed as SVG.

The first screen of README.md has the commands and what they print; the picture is of a real run.
Its lines appear one after the other, unless a reader prefers less motion.
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SHELL = 'pythemis() { "$PYTHON" -I -m pythemis "$@"; }\numask 022\n'
_BLOCK = re.compile(r"^```console\n(\$ pythemis .*?)^```$", re.MULTILINE | re.DOTALL)
# A busy machine shows a bar of progress and wipes it, where another one shows none.
_BAR = re.compile(r"\r\[[# ]{25}\] [ \d]{3} %|\r {30,}\r")
_COLUMNS = 92
_LETTER, _LINE, _EDGE = 7.8, 19, 12  # of the picture, at 13 px
_TYPED = 0.03  # seconds for a letter of a command
_PAUSE = 0.7  # seconds after a command


class Step(NamedTuple):
    """A command, and what the terminal showed."""

    command: str
    shown: str


def steps(page: Path = ROOT / "README.md") -> list[Step]:
    """Return the steps that the first such block of a page shows."""
    found = _BLOCK.search(page.read_text("utf-8"))
    assert found
    parts = re.split(r"^\$ ", found[1], flags=re.MULTILINE)[1:]
    return [Step(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


def at_terminal(command: str, folder: Path) -> str:
    """Run a command at a terminal of its own; return what that showed."""
    ours, theirs = pty.openpty()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
        "PYTHON": sys.executable,
        "COLUMNS": str(_COLUMNS),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }
    with subprocess.Popen(
        ["bash", "--norc", "-c", SHELL + command],
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ):
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 4096):
                parts.append(part)
        except OSError:  # the command has ended
            pass
        finally:
            os.close(ours)
    return _BAR.sub("", b"".join(parts).decode().replace("\r\n", "\n"))


def record(commands: list[str], folder: Path) -> list[Step]:
    """Run commands in a folder."""
    return [Step(command, at_terminal(command, folder)) for command in commands]


def svg(recorded: list[Step], name: str) -> str:
    """Draw what a terminal showed."""
    lines: list[str] = []
    seconds, y = 0.3, _EDGE + 4.0
    for command, shown in recorded:
        y += _LINE
        lines.append(_line(f"$ {command}", "typed", y, seconds))
        seconds += _TYPED * len(command) + _PAUSE / 2
        for line in shown.splitlines():
            y += _LINE
            lines.append(_line(line, "shown", y, seconds))
            seconds += 0.08
        seconds += _PAUSE
    width, height = _COLUMNS * _LETTER + 2 * _EDGE, y + _EDGE
    spoken = "\n".join(f"$ {command}\n{shown}" for command, shown in recorded)
    return (
        f'<svg class="recording" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {width:g} {height:g}" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">A terminal with the command pythemis</title>'
        f'<desc id="{name}-description">{escape(spoken)}</desc>'
        f'<rect width="{width:g}" height="{height:g}" rx="6"/>{"".join(lines)}</svg>'
    )


def _line(text: str, kind: str, y: float, seconds: float) -> str:
    if len(text) > _COLUMNS:
        raise ValueError(f"a line of the recording is too long: {text!r}")
    if not text:
        return ""
    return (
        f'<text class="{kind}" x="{_EDGE}" y="{y:g}" textLength="{len(text) * _LETTER:g}" '
        f'xml:space="preserve" style="animation-delay: {seconds:.2f}s">{escape(text)}</text>'
    )
