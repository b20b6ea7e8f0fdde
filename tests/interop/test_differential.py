# SPDX-License-Identifier: Apache-2.0
"""A short round of differential fuzzing, and whether it would notice anything."""

import os
import subprocess
import sys
import time

import pytest

from support import held
from support.interop import differences, differential
from support.interop.peer import SEED, Peer, ensure_peer
from support.interop.scripts import REFUSED

pytestmark = pytest.mark.integration
BLOCKS = 5  # of each family: always the same cases; `make evidence` takes others
# Old finds: each of these cases once was a difference, and is a listed one by now.
LISTED = [
    ("comparator", "comparator-secret"),
    ("comparator", "comparator-longer"),
    ("encrypted_rsa", "rsa-secret"),
    ("keys_rsa", "rsa-nonsense"),
    ("passphrase", "cell-sizes"),
    ("session_data", "session-behind"),
    ("signed_ec", "signed-type"),
]


@pytest.fixture(scope="module")
def crashing():
    """Start a real core that may end."""
    ensure_peer()
    peer = Peer()
    yield peer
    peer.close()


@pytest.mark.parametrize("family", differential.FAMILIES)
def test_both_cores_answer_alike(crashing, family):
    """Whatever is damaged, both take it or refuse it, but for the listed places."""
    fuzzer = differential.Fuzzer(crashing, SEED)
    size = differential.BLOCK[family]
    for number in range(BLOCKS):
        fuzzer.block(family, number * size, size)
    assert not fuzzer.findings, "\n\n".join(str(finding) for finding in fuzzer.findings[:3])
    count = fuzzer.counts[family]
    assert 0 < count.accepted < count.compared  # neither all good nor all bad


@pytest.mark.parametrize(("family", "name"), LISTED)
def test_what_is_not_listed_is_found(crashing, monkeypatch, family, name):
    """Without its entry in the list a difference is an error, told with all that is needed."""
    others = tuple(entry for entry in differences.DIFFERENCES if entry.name != name)
    monkeypatch.setattr(differences, "DIFFERENCES", others)
    fuzzer = differential.Fuzzer(crashing, "1")
    for first in range(0, 2000, 50):
        fuzzer.block(family, first, 50)
        if fuzzer.findings:
            break
    finding = fuzzer.findings[0]
    assert finding.ours.result != finding.theirs.result
    assert f"ONLY=differ ARGS='--seed 1 --only {family}:{finding.number}'" in str(finding)
    assert finding.ours.changed.hex()[:100] in str(finding)
    again = differential.Fuzzer(crashing, "1")
    again.block(family, finding.number, 1)
    assert [found.family for found in again.findings] == [family]


@pytest.mark.parametrize("family", ["seal", "comparator"])
def test_an_input_that_costs_too_much_is_found(crashing, monkeypatch, family):
    """Whatever is over its limit of time is told, whatever else differs and is listed."""
    fuzzer = differential.Fuzzer(crashing, "1")
    fuzzer.block(family, 0, 50)
    assert not fuzzer.findings
    monkeypatch.setattr(differential, "LIMIT", -1.0)  # so everything is too slow
    fuzzer.block(family, 0, 50)
    assert len(fuzzer.findings) == 50
    assert all(finding.ours.result == differential.SLOW for finding in fuzzer.findings)


def test_one_slow_try_is_no_fault(monkeypatch):
    """The machine may be busy once, and not three times."""
    monkeypatch.setattr(differential, "LIMIT", 0.1)
    costs = iter([0.2, 0.0])

    def work():
        """Use the processor as long as the next number says."""
        until = time.thread_time() + next(costs, 0.2)
        while time.thread_time() < until:
            pass
        return "done"

    assert differential.measured(work, 0)[:2] == ("done", None)
    assert differential.measured(work, 0)[:2] == ("done", differential.SLOW)
    assert differential.measured(work, 100_000_000)[:2] == ("done", None)


counted = pytest.mark.skipif(
    not held.CAN_COUNT, reason="replaces the malloc of the GNU C library, which CPython can use"
)


@counted
def test_no_input_holds_more_memory_than_it_may():
    """The command counts what some cases of each family hold."""
    ensure_peer()
    command = [sys.executable, "-m", "support.interop.differential", "--seconds", "0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [*command, "--seed", SEED], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = {line.split()[0]: line.split() for line in ran.stdout.splitlines()}
    assert all(int(lines[family][5]) > 0 for family in differential.FAMILIES)  # it did count


@counted
def test_an_input_that_holds_too_much_is_found():
    """Whatever allocates, half of the limit is no fault, and twice as much is one in each case."""
    ensure_peer()
    ran = held.run("-m", "support.interop.costly", capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert len(lines) == 22
    assert [line for line in lines if not line.endswith(("within: none", "beyond: all"))] == []


def test_a_longer_input_may_hold_more(monkeypatch):
    """The limit of memory grows with the input, and has no second try."""
    monkeypatch.setattr(held, "during", lambda work: (work(), differential.HELD + 6400))
    assert differential.measured(lambda: "done", 100) == ("done", None, differential.HELD + 6400)
    assert differential.measured(lambda: "done", 99)[:2] == ("done", differential.LARGE)
    tries = iter([differential.HELD + 1, 0])
    monkeypatch.setattr(held, "during", lambda work: (work(), next(tries)))
    assert differential.measured(lambda: "done", 0)[:2] == ("done", differential.LARGE)


def test_an_answer_of_ours_that_is_wrong_is_found(crashing, monkeypatch):
    """A core that took what the other refuses, or read another text, would be caught."""
    honest = differential.answer_of_ours
    for lie in (lambda _: b"text", lambda _: REFUSED):
        monkeypatch.setattr(differential, "answer_of_ours", lie)
        fuzzer = differential.Fuzzer(crashing, "1")
        fuzzer.block("seal", 0, 50)
        assert fuzzer.findings
    monkeypatch.setattr(differential, "answer_of_ours", honest)
    fuzzer = differential.Fuzzer(crashing, "1")
    fuzzer.block("seal", 0, 50)
    assert not fuzzer.findings
