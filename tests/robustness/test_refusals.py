# SPDX-License-Identifier: Apache-2.0
"""The negative vectors of docs/vectors: pythemis refuses each, and accepts its valid neighbour."""

import re
import subprocess
import sys

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError
from support.project import ROOT
from support.refusals import FILE, load, ours

pytestmark = pytest.mark.sources

VALID, REFUSED = load()
PAGE = ROOT / "docs" / "reference" / "refusals.md"
CODES = {"INVALID_PARAMETER", "FAIL", "INVALID_SIGNATURE", "DATA_CORRUPT"}


@pytest.mark.parametrize("case", VALID.values(), ids=list(VALID))
def test_each_valid_input_is_accepted(case):
    """What the refusals are changed from gives its result."""
    result = ours(case["operation"], case["input"])
    assert (result.hex() if result is not None else None) == case["result"]


@pytest.mark.parametrize(
    ("operation", "fields", "case"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_each_change_is_refused_with_its_code(operation, fields, case):
    """The input of each case is refused with an error of Themis, of the code in the file."""
    with pytest.raises(ThemisError) as caught:
        ours(operation, fields)
    assert caught.value.error_code is THEMIS_CODES[case["code"]]


def test_every_case_is_complete():
    """Each changes something, has a reason of its own, and says what the real core does."""
    assert len(REFUSED) >= 250
    assert len({name for name, *_ in REFUSED}) == len(REFUSED)
    changes = set()
    for name, _, fields, case in REFUSED:
        valid = VALID[case["valid"]]["input"]
        assert all(case["input"][field] != valid[field] for field in case["input"]), name
        assert case["reason"], name
        assert case["section"] in range(1, 7), name
        assert case["code"] in CODES, name
        assert case["themis"] in ("refused", "accepted"), name
        changes.add((case["valid"], *sorted(fields.items())))
    assert len(changes) == len(REFUSED)


def test_the_file_is_what_its_program_makes(tmp_path):
    """The program beside the known answers makes exactly this file."""
    copy = tmp_path / "refusals.json"
    copy.write_bytes(FILE.read_bytes())
    script = (
        "import pathlib, runpy, sys; made = runpy.run_path(sys.argv[1]);"
        "made['main'].__globals__['FILE'] = pathlib.Path(sys.argv[2]); made['main']()"
    )
    program = ROOT / "tests" / "vectors" / "make_refusals.py"
    command = [sys.executable, "-c", script, program, copy]
    subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}, check=True)
    assert copy.read_bytes() == FILE.read_bytes()


def test_the_page_names_every_operation_and_field():
    """A newcomer needs nothing but the page and the file."""
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))
    used = {case["operation"] for case in VALID.values()}
    assert used | {field for case in VALID.values() for field in case["input"]} <= named
    accepted = sum(case["themis"] == "accepted" for *_, case in REFUSED)
    assert f"{len(REFUSED)} refusals" in text
    assert f"{accepted} of them" in text
