# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/evidence: what each has, that its commands exist, and how figures get in."""

import json
import os
import re
import subprocess
import sys

import pytest

from support.project import ROOT
from tools.evidence import figures
from tools.evidence.__main__ import ROUNDS
from tools.evidence.pages import BLOCK, with_figures

pytestmark = [pytest.mark.no_c, pytest.mark.sources]

FOLDER = ROOT / "docs" / "evidence"
INDEX = FOLDER / "index.md"
PAGES = sorted(set(FOLDER.glob("*.md")) - {INDEX})
SECTIONS = ["Promise", "Method", "Command", "Assumptions", "Limits"]
EVIDENCE = re.compile(r"make evidence([^`]*)`")
ONLY = re.compile(r"ONLY=(?:'([^']+)'|(\S+))")
TESTS = re.compile(r"tests/\w+(?:/\w+)*\.\w+")
of_pages = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
FACTS = {"arguments": ["20"], "date": "2026-11-30", "machine": "s390x", "seconds": 7, "status": 0}
EMPTY = "# Title\n\n<!-- figures: faults-short -->\n<!-- figures: end -->\n"
FULL = """\
# Title

<!-- figures: faults-short -->
A short round: `make evidence ONLY=faults SHORT=1`, 2026-11-30, s390x, 7 s: no finding.

| figure | value |
|---|---|
| faults injected | 1,234,567 |
| where | here |
<!-- figures: end -->
"""


@of_pages
def test_each_page_says_what_is_promised_and_how_far(page):
    """Promise, method, command, assumptions, limits, in this order, and figures if any."""
    text = page.read_text("utf-8")
    found = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert found == SECTIONS + ["Figures"] * ("<!-- figures: " in text)
    parts = re.split(r"^## .+$", text, flags=re.MULTILINE)
    assert all(part.strip() for part in parts)


@pytest.mark.parametrize("page", [INDEX, *PAGES], ids=lambda path: path.stem)
def test_each_command_names_what_exists(page):
    """A round that a page names is one, and so is each file of tests."""
    text = page.read_text("utf-8")
    named = {
        name
        for command in EVIDENCE.findall(text)
        for only in ONLY.findall(command)
        for name in "".join(only).split()
    }
    assert named <= set(ROUNDS)
    assert [path for path in TESTS.findall(text) if not (ROOT / path).exists()] == []
    assert len(BLOCK.findall(text)) * 2 == text.count("<!-- figures: ")
    of_blocks = {name.removesuffix("-short") for name, _ in BLOCK.findall(text)}
    assert of_blocks <= named


def test_the_index_has_every_page_and_every_round():
    """The index leads to each page, has at most 120 lines, and no round is left out."""
    text = INDEX.read_text("utf-8")
    assert len(text.splitlines()) <= 120
    assert {page.stem for page in PAGES} <= set(re.findall(r"^([\w-]+)$", text, re.MULTILINE))
    assert {page.name for page in PAGES} <= set(re.findall(r"\]\(([\w-]+\.md)\)", text))
    everything = "".join(page.read_text("utf-8") for page in (INDEX, *PAGES))
    named = {name for only in ONLY.findall(everything) for name in "".join(only).strip("`").split()}
    assert set(ROUNDS) <= named


def test_a_block_becomes_what_a_round_measured(tmp_path):
    """Figures of a round replace those of its block, again and again, and only there."""
    assert with_figures(EMPTY, tmp_path) == EMPTY
    counts = {"faults injected": 1234567, "where": "here"}
    (tmp_path / "faults-short.json").write_text(json.dumps({**FACTS, "figures": counts}))
    assert with_figures(EMPTY, tmp_path, ["wiping"]) == EMPTY
    unfinished = {name: fact for name, fact in FACTS.items() if name != "status"}
    (tmp_path / "wiping.json").write_text(json.dumps({**unfinished, "figures": counts}))
    assert with_figures(EMPTY.replace("faults-short", "wiping"), tmp_path).count("|") == 0
    assert with_figures(EMPTY, tmp_path, ["faults-short"]) == FULL
    assert with_figures(FULL, tmp_path) == FULL
    asked = {**FACTS, "figures": counts, "arguments": ["0", "seal"]}
    (tmp_path / "faults-short.json").write_text(json.dumps(asked))
    other = FULL.replace("A short round", "Another round").replace("SHORT=1", "ARGS='0 seal'")
    assert with_figures(FULL, tmp_path) == other


def test_a_round_that_failed_is_not_shown_as_one_that_passed(tmp_path):
    """The block says with what the round ended; the full form needs no arguments."""
    failed = {**FACTS, "figures": {}, "status": 1}
    (tmp_path / "faults.json").write_text(json.dumps(failed))
    page = EMPTY.replace("-short", "")
    assert (
        "The full round: `make evidence ONLY=faults`, 2026-11-30, s390x, 7 s: "
        "**it failed with 1**.\n"
    ) in with_figures(page, tmp_path)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (EMPTY.replace("faults", "fault"), "There is no round fault-short: "),
        (EMPTY.replace("figures: end", "figures: the end"), "A block of figures must begin with"),
        (EMPTY.replace("<!-- figures: faults-short -->", ""), "A block of figures must begin with"),
    ],
    ids=["an unknown round", "no end", "no beginning"],
)
def test_a_block_that_nothing_writes_is_an_error(tmp_path, page, words):
    """A mistyped mark would stay as it is for ever."""
    with pytest.raises(SystemExit) as caught:
        with_figures(page, tmp_path)
    assert str(caught.value).startswith(words)


def test_figures_of_one_name_are_added_up(tmp_path, monkeypatch):
    """What a round notes adds up, a new run begins anew, and without a round nothing is written."""
    path = tmp_path / "build" / "sanitize.json"
    monkeypatch.delenv(figures.VARIABLE, raising=False)
    figures.note({"tests passed": 1})
    monkeypatch.setenv(figures.VARIABLE, str(path))
    for _ in range(2):
        figures.begin(path, arguments=[])
        figures.note({"tests passed": 3, "machine": "old"})
        figures.note({"tests passed": 4, "machine": "new"})
        figures.end(path, status=0)
        assert figures.read(path)["figures"] == {"tests passed": 7, "machine": "new"}
    assert (figures.read(path)["status"], figures.read(path)["arguments"]) == (0, [])
    assert figures.path_of("x", full=False) == figures.path_of("x").with_stem("x-short")


@pytest.mark.slow
@pytest.mark.evidence
def test_tests_tell_their_round_how_many_passed(tmp_path):
    """Tests that run as a round note what became of them; what they start notes nothing."""
    path = tmp_path / "interop.json"
    figures.begin(path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2"]
    chosen = f"{__file__}::test_a_block_that_nothing_writes_is_an_error"
    done = subprocess.run(
        [*command, chosen],
        cwd=ROOT,
        env={**os.environ, figures.VARIABLE: str(path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    expected = {"tests passed": 3, "tests skipped": 0, "tests failed": 0}
    assert figures.read(path)["figures"] == expected
