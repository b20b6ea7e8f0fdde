# SPDX-License-Identifier: Apache-2.0
"""Recorded fields, frames and blind indexes, as columns have them."""

import json
import uuid

import pytest

from pythemis.columns import ColumnCipher, ColumnError
from pythemis.place import place
from support.cells import VECTORS
from support.rings import recorded_ring, ring_of

FIELDS = json.loads((VECTORS / "field_value.json").read_text("utf-8"))
INDEXES = json.loads((VECTORS / "blind_index.json").read_text("utf-8"))
PARTS = {"int": int, "text": str, "uuid": uuid.UUID}


def row_of(case):
    """Give the parts of a row's id."""
    return [PARTS[kind](part) for one in case["row"] for kind, part in one.items()]


@pytest.mark.parametrize("case", FIELDS["cases"], ids=lambda case: case["names"][1])
def test_fields(case):
    """A recorded field is read: by its row's id, of one part or several, or its column alone."""
    cipher = ColumnCipher(recorded_ring(), tuple(case["names"]))
    rows = tuple([part] for part in row_of(case)) or None
    opened = cipher.decrypt([bytes.fromhex(case["stored"])], rows)
    assert opened == [bytes.fromhex(case["data"])]


@pytest.mark.parametrize("case", FIELDS["frames"], ids=lambda case: case["framed"][:12])
def test_frames(case):
    """A value gets its recorded frame, and comes out of it."""
    ring, value = recorded_ring(), bytes.fromhex(case["value"])
    cipher = ColumnCipher(ring, ("a", "b"), padding=case["multiple"])
    cells = cipher.encrypt([value], [1])
    assert ring.decrypt(cells[0], place("a", "b", 1)).hex() == case["framed"]
    assert cipher.decrypt(cells, [1]) == [value]


@pytest.mark.parametrize("case", FIELDS["refused_frames"][1:], ids=lambda case: case["framed"])
def test_refused_frames(case):
    """A frame that is damaged or unknown is refused, and becomes null where that is asked for."""
    ring = recorded_ring()
    cell = ring.encrypt(bytes.fromhex(case["framed"]), place("a", "b", 1))
    cipher = ColumnCipher(ring, ("a", "b"))
    text = "newer version" if case["error"] == "newer" else "padding is corrupted"
    with pytest.raises(ColumnError, match=text):
        cipher.decrypt([cell], [1])
    assert cipher.decrypt([cell], [1], on_error="null") == ([None], 1)


def index_ring(key):
    """Make a ring of this index key."""
    import base64

    text = base64.b64encode(bytes.fromhex(key)).decode()
    return ring_of(
        f'{{"keys":[{{"created":0,"id":"1a2b3c4d5e","key":"{text}","state":"active"}}],"legacy":[],'
        '"name":"index","primary":"1a2b3c4d5e","version":1}'
    )


def test_blind_indexes():
    """All recorded indexes, in columns of all lengths."""
    ring = index_ring(INDEXES["key"])
    for case in INDEXES["cases"]:
        options = {"index_keys": ring, "bits": case["bits"]}
        cipher = ColumnCipher(recorded_ring(), tuple(case["names"]), **options)
        made = cipher.blind_index([bytes.fromhex(case["data"]), None])
        assert made == [bytes.fromhex(case["index"]), None]


def test_searching_under_every_key():
    """The index under each key of a ring is what is searched for."""
    for search in INDEXES["searches"]:
        ring = ring_of(search["ring"])
        options = {"index_keys": lambda ring=ring: ring, "bits": search["bits"]}
        cipher = ColumnCipher(recorded_ring(), tuple(search["names"]), **options)
        data = [bytes.fromhex(search["data"])]
        found = [cipher.blind_index(data, key_id=key)[0].hex() for key in ring.ids]
        assert found == search["indexes"]
        assert cipher.blind_index(data)[0].hex() == search["indexes"][1]


@pytest.mark.parametrize("case", INDEXES["refused"][:3], ids=lambda case: str(case["bits"]))
def test_refused_lengths(case):
    """An index has 8 to 256 bits."""
    with pytest.raises(ColumnError, match="bits must be 8 to 256"):
        ColumnCipher(recorded_ring(), ("a", "b"), index_keys=recorded_ring(), bits=case["bits"])
