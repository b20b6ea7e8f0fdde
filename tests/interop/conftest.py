# SPDX-License-Identifier: Apache-2.0
"""The peer that every test here talks to."""

import os
import random

import pytest
from _peer import Peer, ensure_peer


@pytest.fixture(scope="session")
def peer():
    """Start the real Themis core."""
    ensure_peer()
    started = Peer()
    yield started
    started.close()


@pytest.fixture
def dice(request):
    """Give a random generator whose seed is printed if the test fails; PYTHEMIS_SEED sets it."""
    seed = os.environ.get("PYTHEMIS_SEED") or str(random.SystemRandom().getrandbits(32))
    print(f"PYTHEMIS_SEED={seed}")
    return random.Random(f"{seed} {request.node.nodeid}")
