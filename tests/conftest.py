# SPDX-License-Identifier: Apache-2.0
"""What holds for every test."""

import sys

import pytest
from hypothesis import settings

# A busy machine is no failure. `make memcheck` asks for the built-in profile "ci" instead, which
# always tries the same examples.
settings.register_profile("pythemis", deadline=None, print_blob=True)
settings.load_profile("pythemis")


@pytest.fixture
def _switching():
    """Switch threads as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
