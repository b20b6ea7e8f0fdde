# SPDX-License-Identifier: Apache-2.0
"""A short round of differential fuzzing, and whether it would notice anything."""

import time

import pytest

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


def test_one_slow_try_is_no_fault():
    """The machine may be busy once, and not three times."""
    costs = iter([3.0, 0.0])

    def work():
        """Use the processor as long as the next number says."""
        until = time.thread_time() + next(costs, 3.0)
        while time.thread_time() < until:
            pass
        return "done"

    assert differential.measured(work, 0) == ("done", False)
    assert differential.measured(work, 0) == ("done", True)
    assert differential.measured(work, 100_000_000) == ("done", False)


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
