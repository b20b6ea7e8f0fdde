# SPDX-License-Identifier: Apache-2.0
"""The negative vectors of docs/vectors, given to the real core: it crashes at none."""

import os

import pytest

from support.refusals import load, theirs

pytestmark = pytest.mark.integration

VALID, REFUSED = load()


def test_the_real_core_does_what_the_file_says(peer):
    """It accepts each valid input, and does with each refusal what is recorded. None crashes it.

    REFUSALS_RECORD=file writes what it does, for docs/vectors/refusals.json.
    """
    assert {theirs(peer, case["operation"], case["input"]) for case in VALID.values()} == {
        "accepted"
    }
    found = {name: theirs(peer, operation, fields) for name, operation, fields, _ in REFUSED}
    if "REFUSALS_RECORD" in os.environ:
        record(found)
    assert "crashed" not in found.values()
    assert found == {name: case["themis"] for name, *_, case in REFUSED}


def record(found):
    """Note what the real core does."""
    import json

    from support.refusals import FILE

    lines = FILE.read_text(encoding="utf-8").splitlines()
    for at, line in enumerate(lines):
        case = json.loads(line.rstrip(",")) if line.startswith('{"id"') else {}
        if case.get("id") in found:
            case["themis"] = found[case["id"]]
            lines[at] = json.dumps(case) + "," * line.endswith(",")
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
