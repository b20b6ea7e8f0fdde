# SPDX-License-Identifier: Apache-2.0
"""The proofs of tests/proofs: what each plants exists, and how the command judges its checker."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.evidence import proof
from tools.evidence.__main__ import ROUNDS
from tools.setup import proofs

pytestmark = [pytest.mark.no_c, pytest.mark.sources]

ENTRIES = [entry for path in proof.FILES for entry in proof.entries_of(path)]
HOLDS = "VERIFICATION SUCCESSFUL"
REACHED = "Violated property:\n  file a.c line 1 function main\n  reached\n"
REFUSED = "Violated property:\n  file a.c line 1 function main\n  array bounds violated\n"
UNWOUND = "Violated property:\n  file a.c line 1 function main\n  unwinding assertion loop 1\n"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_entry_point_plants_a_fault(entry, monkeypatch, tmp_path):
    """The planted file is the core's, with one place changed."""
    monkeypatch.setattr(proofs, "FOLDER", tmp_path)
    (changed,) = proof.plant(entry).rglob("*.c")
    core = (proof.CORE / changed.parent.name / changed.name).read_text(encoding="utf-8")
    assert changed.read_text(encoding="utf-8") != core
    assert "no-unwinding-assertions" not in " ".join(proof.OPTIONS)


@pytest.mark.parametrize(
    ("comment", "limits"),
    [
        ("/* fault: a.c: one => other */", ""),
        ("/* fault: a.c: one => other\n * with EXACT=4 LOOPS=1 */", "EXACT=4 LOOPS=1"),
        ("/* fault: a.c: one => other\n *\n * By induction. */", ""),
        ("/* fault: a.c: one\n * => other\n *\n * It holds. */", None),
        ("/* fault: a.c: one => the\n * other\n *\n * It holds. */", None),
        ("/* It holds. */", None),
    ],
)
def test_a_fault_that_was_wrapped_is_noticed(comment, limits, monkeypatch, tmp_path):
    """A formatter that wraps the line must not leave half of a fault, or none."""
    harness = tmp_path / "harness.c"
    monkeypatch.setattr(proof, "CORE", tmp_path)
    monkeypatch.setattr(proofs, "FOLDER", tmp_path / "build")
    (tmp_path / "a.c").write_text("one", encoding="utf-8")
    harness.write_text(f"{comment}\nbool it(void)\n{{\n}}\n", encoding="utf-8")
    if limits is None:
        with pytest.raises(SystemExit, match=r"harness\.c: it names no fault to plant"):
            proof.entries_of(harness)
    else:
        (entry,) = proof.entries_of(harness)
        assert (entry.name, entry.limits) == ("it", limits)
        assert (proof.plant(entry) / "a.c").read_text(encoding="utf-8") == "other"


def test_the_page_says_what_each_entry_point_proves():
    """Each entry point has a row, and each row an entry point."""
    page = (proof.ROOT / "docs" / "evidence" / "proofs.md").read_text(encoding="utf-8")
    method = page.partition("## Method")[2].partition("## Command")[0]
    rows = re.findall(r"^\| `(\w+)` \|", method, re.MULTILINE)
    assert sorted(rows) == sorted(entry.name for entry in ENTRIES)


def test_the_short_round_names_entry_points():
    """What the short round asks for is there."""
    assert set(ROUNDS["proof"].short or ()) < {entry.name for entry in ENTRIES}


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ((HOLDS, REACHED, REFUSED), ""),
        ((REFUSED, REACHED, REFUSED), "it does not hold: array bounds violated"),
        ((HOLDS, HOLDS, REFUSED), "what it marks is not reached: None"),
        ((HOLDS, REACHED, HOLDS), "the planted fault is not refused: None"),
        ((HOLDS, REACHED, UNWOUND), "the planted fault is not refused: unwinding assertion"),
    ],
)
def test_an_entry_point_is_judged_by_all_three_runs(said, wrong, monkeypatch, tmp_path):
    """It holds, the control fails where it must, and the fault is refused for what it does."""
    monkeypatch.setattr(proofs, "FOLDER", tmp_path / "planted")

    def esbmc(command, **_options):
        form = 1 if "-DCONTROL=1" in command else 2 if "planted" in " ".join(command) else 0
        status = 0 if said[form] == HOLDS else 1
        return subprocess.CompletedProcess(command, status, said[form], "")

    monkeypatch.setattr(subprocess, "run", esbmc)
    with ThreadPoolExecutor(1) as pool:
        found = proof.check(ENTRIES[0], proof.begin(ENTRIES[0], pool))
    assert bool(found) == bool(wrong)
    assert wrong in "".join(found)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("ERROR: Timed out", "ESBMC came to no end:\nERROR: Timed out"),
        (f"WARNING: no body for function soter_rand\n{HOLDS}", "soter_rand needs a stand-in"),
    ],
)
def test_a_checker_that_ends_without_an_answer_is_no_proof(said, wrong, monkeypatch):
    """Out of time or memory, or with a function that it knows nothing of: the command ends."""
    ran = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ran)
    with pytest.raises(SystemExit, match=f"{ENTRIES[0].name}: {wrong}"):
        proof.judge(ENTRIES[0])


@pytest.mark.parametrize(
    ("core", "planted", "wrong"),
    [
        ("9 / 9", "3 / 4", []),
        ("8 / 9", "3 / 4", ["frama-c: 8 of 9 goals are proved"]),
        ("9 / 9", "4 / 4", ["frama-c: the planted fault is not refused"]),
    ],
)
def test_contracts_are_proved_as_a_whole_and_faults_are_not(
    core, planted, wrong, monkeypatch, tmp_path
):
    """One goal too few is no proof, and neither is one that also holds with a fault."""
    monkeypatch.setattr(proofs, "FOLDER", tmp_path)
    monkeypatch.setattr(proof, "install_system_packages", lambda _packages: None)

    def frama_c(command, **_options):
        goals = planted if "planted" in command[-1] else core
        return subprocess.CompletedProcess(command, 0, f"[wp] Proved goals:   {goals}\n", "")

    monkeypatch.setattr(subprocess, "run", frama_c)
    assert proof.check_contracts() == wrong
    assert "left + 1)" in next(tmp_path.rglob("bytes.c")).read_text(encoding="utf-8")


def test_without_the_checker_the_command_fails_in_one_sentence(monkeypatch, tmp_path):
    """Where pip cannot fetch it, the command names what it needs."""
    monkeypatch.setattr(proofs, "FOLDER", tmp_path)
    monkeypatch.setattr(proofs, "ROOT", tmp_path)
    monkeypatch.setattr(proofs, "ESBMC", tmp_path / "esbmc")
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SystemExit, match="ESBMC is missing, and pip could not fetch it"):
        proofs.main()
