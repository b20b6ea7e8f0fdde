# SPDX-License-Identifier: Apache-2.0
"""The page about other languages: its Python and its JavaScript understand each other."""

import os
import subprocess

import pytest

from support.documents import Section, run, sections
from support.interop.peer import HERE, ensure_peer
from support.project import ROOT

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "other-languages.md"
SCRIPT = ROOT / "examples" / "other_side.js"


def javascript(folder):
    """Run the other side of the page."""
    modules = os.fspath(HERE / "node_modules")
    return subprocess.run(
        ["node", SCRIPT, folder],
        env={**os.environ, "NODE_PATH": modules},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def halves_of_the_page():
    """Give what Python does before JavaScript, and what after it: the example that says so."""
    examples = [example for part in sections(PAGE.read_text("utf-8")) for example in part.examples]
    [after] = [example for example in examples if example.reason]
    return [example for example in examples if not example.reason], after


def test_both_sides_of_the_page(tmp_path, monkeypatch):
    """Python writes, JavaScript reads and answers, Python reads the answers."""
    ensure_peer()
    monkeypatch.chdir(tmp_path)
    before, after = halves_of_the_page()
    names = run(Section(PAGE.name, before), str(PAGE))
    answer = javascript("exchange")
    run(Section(PAGE.name, [after._replace(reason=None)]), str(PAGE), names)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == [
        "an order: ship to customer 42",
        "a question: has it arrived?",
    ]


def test_javascript_refuses_what_was_changed(tmp_path, monkeypatch):
    """The example ends with an error, and answers nothing, if somebody changed the record."""
    ensure_peer()
    monkeypatch.chdir(tmp_path)
    before, _ = halves_of_the_page()
    run(Section(PAGE.name, before), str(PAGE))
    record = tmp_path / "exchange" / "record.cell"
    changed = bytearray(record.read_bytes())
    changed[-1] ^= 1
    record.write_bytes(changed)

    done = javascript("exchange")

    assert done.returncode == 1
    assert done.stderr.startswith("code 11: ")
    assert not (tmp_path / "exchange" / "answer.cell").exists()


def test_the_page_shows_the_whole_script():
    """What the page leaves out of the script is its head, which the page says itself."""
    lines = SCRIPT.read_text("utf-8").splitlines()
    assert ":lines: 9-" in PAGE.read_text("utf-8")
    assert all(line.startswith("//") or not line for line in lines[:8])
    assert lines[8] == "'use strict';"
