# SPDX-License-Identifier: Apache-2.0
"""Find the Python examples in Markdown documents, and run them.

Examples of one section (from one `#` or `##` heading to the next) share a namespace and run in
their order. An example is left out if the line above it is a comment that gives a reason:

    <!-- not run: it needs a server -->

Commands of the program pythemis in a console block are run if the line above says so:

    <!-- run -->
"""

import re
import shlex
from typing import NamedTuple

FENCE = re.compile(r"^(?P<indent> *)(?P<fence>```+|~~~+) *(?P<language>[\w+-]*)")
HEADING = re.compile(r"^##? +(?P<title>.+?)\s*$")
RUN = re.compile(r"^<!-- *run *-->\s*$")
SKIP = re.compile(r"^<!-- *not run:(?P<reason>.*)-->\s*$")


class Example(NamedTuple):
    """One block of code."""

    line: int  # of its first line, counted from 1
    code: str
    reason: str | None  # why it is not run


class Section(NamedTuple):
    """What stands under one heading."""

    title: str
    examples: list[Example]


def sections(text):
    """Give the sections of a document that have Python examples."""
    found = [Section("", [])]
    lines = text.splitlines()
    at, above = 0, ""
    while at < len(lines):
        line = lines[at]
        at += 1
        fence = FENCE.match(line)
        if fence:
            start = at
            closing = re.compile(rf"^ *{re.escape(fence['fence'])}+ *$")
            while at < len(lines) and not closing.match(lines[at]):
                at += 1
            if at == len(lines):
                raise ValueError(f"line {start}: this block is never closed")
            if fence["language"].lower() in ("python", "py", "python3"):
                indent = len(fence["indent"])
                code = "".join(f"{body[indent:]}\n" for body in lines[start:at])
                found[-1].examples.append(Example(start + 1, code, reason_in(above, start)))
            elif fence["language"] == "console" and RUN.match(above):
                found[-1].examples.append(Example(start + 1, commands(lines[start:at]), None))
            at += 1
        elif heading := HEADING.match(line):
            found.append(Section(heading["title"], []))
        if line.strip():
            above = line
    return [section for section in found if section.examples]


def commands(lines):
    """Give Python that runs the commands of a console, which are those of the program pythemis."""
    calls = []
    for line in lines:
        prompt, program, *arguments = shlex.split(line)
        assert (prompt, program) == ("$", "pythemis"), line
        calls.append(
            f"subprocess.run([sys.executable, '-m', 'pythemis', *{arguments}], check=True)"
        )
    return "\n".join(["import subprocess, sys", *calls]).replace("\n", "; ")


def reason_in(line, number):
    """Give the reason for not running what follows; None if it is to be run."""
    skip = SKIP.match(line)
    if skip is None:
        return None
    reason = skip["reason"].strip()
    if not reason:
        raise ValueError(f"line {number}: say why this example is not run")
    return reason


def run(section, name, namespace=None):
    """Run a section's examples and give their names; tracebacks show the document's own lines."""
    namespace = {"__name__": "example"} if namespace is None else namespace
    for example in section.examples:
        if example.reason is None:
            code = "\n" * (example.line - 1) + example.code
            exec(compile(code, name, "exec"), namespace)
    return namespace
