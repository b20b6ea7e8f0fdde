# SPDX-License-Identifier: Apache-2.0
"""The way to the real core: where it is missing that is said, and crashes are survived."""

import shutil

import pytest

from support.interop import peer
from support.interop.peer import Peer, PeerError, PeerTrapError, ensure_peer

pytestmark = pytest.mark.integration


@pytest.fixture
def _no_node(monkeypatch):
    """Hide Node."""
    monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.mark.usefixtures("_no_node")
def test_without_node_the_suite_says_so_and_is_skipped(monkeypatch):
    """A machine without Node is told what is missing and how to bring it."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"needs Node and npm.*GROUP=integration"):
        ensure_peer()


@pytest.mark.usefixtures("_no_node")
def test_on_ci_a_missing_node_is_a_failure(monkeypatch):
    """Where CI=true the suite must run."""
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Node and npm"):
        ensure_peer()


@pytest.fixture
def crashing():
    """Start a real core that will end."""
    ensure_peer()
    peer = Peer()
    yield peer
    peer.close()


def test_a_crash_is_survived(crashing):
    """After a crash there is another process, and the calls behind the bad one are answered."""
    results = crashing.many([("key_pair",), ("crash",), ("key_pair",)])
    assert isinstance(results[1], PeerTrapError)
    assert crashing.traps == 1
    assert [pair[0][:4] for pair in (results[0], results[2])] == [b"REC2"] * 2


def test_a_process_that_ends_without_a_word_is_survived(crashing):
    """The call that it left unanswered is a crash."""
    crashing.process.kill()
    crashing.process.wait()
    with pytest.raises(PeerTrapError):
        crashing("key_pair")
    assert crashing("key_pair")[0][:4] == b"REC2"


def test_refusals_keep_their_place(crashing):
    """Errors stand among the results where their calls stood, and calls are counted."""
    before = peer.Peer.calls
    results = crashing.many([("verify", b"", b""), ("key_pair",)])
    assert isinstance(results[0], PeerError)
    assert not isinstance(results[0], PeerTrapError)
    assert results[1][1][:4] == b"UEC2"
    assert peer.Peer.calls == before + 2
