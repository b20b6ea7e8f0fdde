# SPDX-License-Identifier: Apache-2.0
"""The peer that every test here talks to."""

import pytest
from _peer import Peer, ensure_peer


@pytest.fixture(scope="session")
def peer():
    """Start the real Themis core."""
    ensure_peer()
    started = Peer()
    yield started
    started.close()
