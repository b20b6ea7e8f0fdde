# SPDX-License-Identifier: Apache-2.0
"""The short readers on the page of the formats read what is recorded."""

import hashlib
import json

import pytest

from support.cells import VECTORS
from support.documents import Section, run, sections
from support.project import ROOT

PAGE = ROOT / "docs" / "reference" / "specification.md"


@pytest.fixture(scope="module")
def page():
    """Give what the examples of the page define."""
    examples = [example for part in sections(PAGE.read_text("utf-8")) for example in part.examples]
    return run(Section(PAGE.name, examples), str(PAGE))


def opened_by_a_key(topic):
    """Give the recorded files that are written out and that a key opens, with that key."""
    recorded = json.loads((VECTORS / f"{topic}.json").read_text("utf-8"))
    for case in recorded["cases" if topic == "sealed_file" else "files"]:
        keys = case["unlock"].get("keys", [])
        if "hex" in case and len(keys) == 1 and case.get("opened_by", 1) == 1:
            yield case, bytes.fromhex(keys[0][1])


def test_the_page_reads_sealed_files(page):
    """Its code gives the content of every recorded file that one key opens."""
    cases = list(opened_by_a_key("sealed_file"))
    assert len(cases) > 25
    for case, key in cases:
        data = page["read_sealed"](key, bytes.fromhex(case["hex"]), bytes.fromhex(case["context"]))
        assert hashlib.sha256(data).hexdigest() == case["sha256"]
        assert len(data) == case["length"]


def test_the_page_reads_keyring_files(page):
    """Its code gives the payload of a recorded keyring, under the context that has its name."""
    [(case, key)] = opened_by_a_key("keyring")
    context = b"TK1 keyring " + case["name"].encode()
    payload = page["read_sealed"](key, bytes.fromhex(case["hex"]), context)
    assert payload.decode("ascii") == case["payload"]


def test_the_page_refuses_another_context(page):
    """Its code opens no file under another context."""
    [(case, key)] = opened_by_a_key("keyring")
    with pytest.raises(ValueError, match="no slot opens"):
        page["read_sealed"](key, bytes.fromhex(case["hex"]), b"TK1 keyring another")
