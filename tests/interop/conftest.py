# SPDX-License-Identifier: Apache-2.0
"""The peer that every test here talks to."""

import random

import pytest

from support.interop.peer import SEED, TIMES, Peer, ensure_peer
from support.project import note_figures


@pytest.fixture(scope="session")
def peer():
    """Start the real Themis core."""
    ensure_peer()
    started = Peer()
    yield started
    started.close()


@pytest.fixture
def dice(request):
    """Give a random generator of the test's own; PYTHEMIS_SEED sets where it starts."""
    print(f"PYTHEMIS_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.nodeid}")


def pytest_terminal_summary(terminalreporter):
    """Say how much was asked, and with what seed."""
    if Peer.calls:
        terminalreporter.write_line(
            f"the real Themis core answered {Peer.calls} calls; PYTHEMIS_SEED={SEED}"
        )
        note_figures({"calls that the real core answered": Peer.calls})
        note_figures({"seed and repetitions": f"`PYTHEMIS_SEED={SEED} PEER_TIMES={TIMES}`"})
