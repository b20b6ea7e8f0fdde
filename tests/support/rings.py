# SPDX-License-Identifier: Apache-2.0
"""What the tests of keyrings share: recorded rings, and what is refused."""

import json

import pytest

from pythemis._core import rings
from pythemis.exception import THEMIS_CODES
from pythemis.keyring import Keyring, KeyringError
from pythemis.keyring._errors import ERRORS
from pythemis.keyring._ring import made_of
from support.cells import VECTORS

RECORDED = json.loads((VECTORS / "keyring.json").read_text("utf-8"))
VALUES = json.loads((VECTORS / "stored_value.json").read_text("utf-8"))
FAIL, INVALID = THEMIS_CODES.FAIL, THEMIS_CODES.INVALID_PARAMETER


def by_id(cases):
    """Name cases by their ids."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases])


def ring_of(payload):
    """Read a ring from a payload, as text or bytes."""
    data = payload.encode() if isinstance(payload, str) else payload
    return made_of(Keyring, rings.read(ERRORS, data))


def payload_of(ring):
    """Give the payload of a ring."""
    return bytes(rings.payload_of(ring._held))


def refused(code, text, call, *arguments, **options):
    """Check that a call is refused with this code and text; give the error."""
    with pytest.raises(KeyringError) as caught:
        call(*arguments, **options)
    assert caught.value.error_code == code, caught.value
    assert text in str(caught.value)
    return caught.value


def recorded_ring():
    """Give the ring of the recorded values: three keys, three legacy keys."""
    return ring_of(VALUES["ring"]["payload"])
