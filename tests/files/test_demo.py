# SPDX-License-Identifier: Apache-2.0
"""The section of the demo about sealed files."""

import importlib
import re

import pytest

from support.project import ROOT

pytestmark = pytest.mark.sources


def test_the_demo(monkeypatch, capsys):
    """The demo seals a directory, reads one photo out of it by a part of its bytes, and refuses."""
    monkeypatch.syspath_prepend(ROOT / "examples")
    demo_cells = importlib.import_module("demo_cells")
    demo_files = importlib.import_module("demo_files")
    monkeypatch.setattr(demo_cells, "BIG_FILE", 8 * demo_cells.MIB)
    demo_files.run()
    said = capsys.readouterr().out
    read, whole = re.search(r"([\d.]+) of ([\d.]+) MiB were decrypted", said).groups()
    assert float(read) < float(whole) / 4
    assert "another day's backup: wrong key or context" in said
    assert said.count(": ") == 4
