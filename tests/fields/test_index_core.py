# SPDX-License-Identifier: Apache-2.0
"""Blind indexes in the core (formats, section 10.4), against the recorded ones."""

import base64
import json
from decimal import Decimal

import pytest

from pythemis import _values
from pythemis._core import rings
from pythemis._core.rings import is_stored
from pythemis.keyring import Keyring
from pythemis.keyring._errors import ERRORS
from pythemis.place import place
from support.cells import VECTORS
from support.rings import INVALID, VALUES, refused, ring_of

RECORDED = json.loads((VECTORS / "blind_index.json").read_text("utf-8"))


def ring_with(key):
    """Give an index ring that has one key."""
    return Keyring.new("index").add(bytes.fromhex(key))


def test_recorded_indexes():
    """Each recorded index is the beginning of the core's, with its last bits cut off."""
    held = ring_with(RECORDED["key"])._held
    for case in RECORDED["cases"]:
        data = bytes.fromhex(case["data"])
        made = rings.blind_index(ERRORS, held, place(*case["names"]), data)
        assert _values.cut(made, case["bits"]).hex() == case["index"]
        assert rings.blind_indexes(ERRORS, held, place(*case["names"]), data) == [made]


def test_rings_are_apart():
    """Rings of one name are not, nor those that share a key, whose ids differ."""
    keys = [bytes([number]) * 32 for number in range(3)]
    index = Keyring.new("index").add(keys[0]).add(keys[1])
    for other, apart in (
        (Keyring.new("shop"), True),
        (Keyring.new("shop").add(keys[2]), True),
        (Keyring.new("shop").add(keys[2]).add(keys[1]), False),
        (Keyring.new("index").add(keys[2]), False),
    ):
        assert rings.are_apart(ERRORS, other._held, index._held) == apart


def test_recorded_searches():
    """A search looks for the index under every key, active and retired, in their order."""
    for case in RECORDED["searches"]:
        held = ring_of(case["ring"])._held
        data = bytes.fromhex(case["data"])
        made = rings.blind_indexes(ERRORS, held, place(*case["names"]), data)
        assert [_values.cut(each, case["bits"]).hex() for each in made] == case["indexes"]
        [primary] = [at for at, key in enumerate(held.keys) if key.primary]
        assert rings.blind_index(ERRORS, held, place(*case["names"]), data) == made[primary]


@pytest.mark.parametrize("case", RECORDED["decimals"], ids=lambda case: case["value"])
def test_decimals_are_found_alike(case):
    """Closing zeros behind the point do not count."""
    codec = _values.codec_of(ERRORS, Decimal)
    assert _values.index_data(codec, case["value"].encode()) == case["index_data"].encode()


def test_a_ring_without_keys_indexes_nothing():
    """An index needs a key."""
    held = Keyring.new("index")._held
    refused(INVALID, "no keys yet", rings.blind_index, ERRORS, held, b"names", b"data")
    assert rings.blind_indexes(ERRORS, held, b"names", b"data") == []


def test_what_is_a_stored_value():
    """Recorded values are recognised by their form; what is cut or bare is not."""
    for case in VALUES["cases"]:
        stored = bytes.fromhex(case["stored"])
        assert is_stored(stored) is not case["id"].startswith("legacy")
        assert not is_stored(stored[:-1])
        assert not is_stored(stored + b"\0")
    assert not is_stored(b"TK1")
    assert not is_stored(base64.b64encode(stored))
