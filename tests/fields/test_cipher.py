# SPDX-License-Identifier: Apache-2.0
"""Sealed fields without an ORM: recorded values, bad calls, indexes, and drivers of databases."""

import json
import re
import sqlite3
import uuid
from datetime import date, datetime, time
from decimal import Decimal

import pytest

from pythemis import _values
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.fields import FieldCipher, FieldError, FieldTypeError, FieldValueError, index_plan
from pythemis.keyring import Keyring
from pythemis.place import place
from support.cells import VECTORS
from support.rings import by_id, payload_of, recorded_ring, ring_of

RECORDED = json.loads((VECTORS / "field_value.json").read_text("utf-8"))
INDEXES = json.loads((VECTORS / "blind_index.json").read_text("utf-8"))
TYPES = {
    "text": str,
    "bytes": bytes,
    "int": int,
    "decimal": Decimal,
    "bool": bool,
    "date": date,
    "time": time,
    "datetime": datetime,
    "uuid": uuid.UUID,
    "json": "json",
}
RING = Keyring.new("shop").add()
INDEX_RING = Keyring.new("shop-index").add()
CIPHER = FieldCipher(RING, index_key=INDEX_RING)
ID = uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
FAIL, INVALID = THEMIS_CODES.FAIL, THEMIS_CODES.INVALID_PARAMETER
AT = ("customers", "card_cell")
ID_OF_KEY = re.compile(r"\b[0-9a-f]{10}\b")  # which may have the digits of the marker


def refused(code, text, call, *arguments, kind=FieldError, **options):
    """Check that a call is refused with this code and text, and without the marker."""
    with pytest.raises(kind, match=text) as caught:
        call(*arguments, **options)
    assert caught.value.error_code == code
    assert "4929" not in ID_OF_KEY.sub("", str(caught.value))
    assert caught.value.__context__ is None
    return caught.value


def parts(given):
    """Give the parts of a recorded row."""
    made = []
    for part in given:
        [(kind, value)] = part.items()
        kinds = {"int": int, "text": str, "uuid": uuid.UUID, "bytes": bytes.fromhex}
        made.append(kinds[kind](value))
    return made


@by_id(RECORDED["cases"])
def test_recorded_fields(case):
    """Each recorded field is opened, alone and in a list; bound to another place it is refused."""
    kind, row, stored = TYPES[case["codec"]], parts(case["row"]), bytes.fromhex(case["stored"])
    bind = "row" if row else "column"
    field = FieldCipher(recorded_ring()).field(*case["names"], type=kind, bind=bind)
    value = field.open(stored, *row)
    data = bytes.fromhex(case["data"])
    assert _values.encode(None, field.codec, value) == data or kind == "json"
    assert field.open_all([None, stored], [row, row] if row else None) == [None, value]
    assert field.open(field.rotate(stored, *row), *row) == value
    other = field._rings, case["names"][0], "other"
    with pytest.raises(FieldError, match=r"\.other: decryption failed"):
        type(field)(*other, type=kind, bind=bind).open(stored, *row)


def test_recorded_indexes():
    """Indexes and searches are the recorded ones."""
    for case in INDEXES["searches"]:
        cipher = FieldCipher(RING, index_key=ring_of(case["ring"]))
        value = bytes.fromhex(case["data"])
        made = cipher.indexes(value, *case["names"], bits=case["bits"], type=bytes)
        assert [each.hex() for each in made] == case["indexes"]
        assert cipher.index(value, *case["names"], bits=case["bits"], type=bytes) in made


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *(("4929 1234", str), ("", str), (b"\0", bytes), (-5, int), (Decimal("1.50"), Decimal)),
        *((False, bool), (date(2026, 2, 1), date), (ID, uuid.UUID), ({"a": [1, None]}, "json")),
    ],
    ids=str,
)
@pytest.mark.parametrize("row", [(ID,), (7, "de"), (b"key",), ("",), (-1,)], ids=str)
def test_values_come_back(value, kind, row):
    """What is sealed at a place is opened there; the type of an id does not matter."""
    stored = CIPHER.seal(value, *AT, *row, type=kind)
    found = CIPHER.open(stored, *AT, *row, type=kind)
    assert (found, type(found)) == (value, type(value))
    assert CIPHER.open(memoryview(bytearray(stored)), *AT, *map(str_of, row), type=kind) == value
    assert len(CIPHER.seal(value, *AT, *row, type=kind, padding=64)) == 52 + 64


def str_of(part):
    """Give an id as text, as other programs have it."""
    return part.decode() if isinstance(part, bytes) else str(part)


def test_null_stays_null():
    """None is stored as NULL, and has no index."""
    assert CIPHER.seal(None, *AT, 1) is None
    assert CIPHER.open(None, *AT, 1) is None
    assert CIPHER.index(None, *AT, bits=64) is None
    refused(INVALID, "IS NULL", CIPHER.indexes, None, *AT, bits=64)


def test_values_cannot_be_moved():
    """A value opens in no other row, column or table, and not where it is bound to the column."""
    stored = CIPHER.seal("4929 1234", *AT, 7)
    for other in [
        ("customers", "card_cell", 8),
        ("customers", "note_cell", 7),
        ("staff", *AT[1:], 7),
    ]:
        refused(FAIL, "decryption failed", CIPHER.open, stored, *other)
    refused(FAIL, "decryption failed", CIPHER.open, stored, *AT, bind="column")


@pytest.mark.parametrize("row", [(), (None,), (7, None)], ids=str)
def test_a_value_without_its_row(row):
    """A row that has no id yet is refused, for writing and for reading."""
    refused(INVALID, "give the row its id first", CIPHER.seal, "4929", *AT, *row)
    refused(INVALID, "give the row its id first", CIPHER.open, b"x", *AT, *row)


def test_bound_to_the_column():
    """Where the column alone binds, every row opens the value, and an id is a mistake."""
    stored = CIPHER.seal("4929", *AT, bind="column")
    assert CIPHER.open(stored, *AT, bind="column") == "4929"
    assert CIPHER.open_all([stored, None], *AT, None, bind="column") == ["4929", None]
    refused(INVALID, "give no id", CIPHER.seal, "4929", *AT, 7, bind="column")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: CIPHER.seal(4929, *AT, 7), "of type str, not int"),
        (lambda: CIPHER.seal("4929", *AT, 7, type=int), "of type int, not str"),
        (lambda: CIPHER.seal("4929", *AT, 1.5), "of type float"),
        (lambda: CIPHER.seal("4929", *AT, True), "of type bool"),
        (lambda: CIPHER.seal("4929", b"customers", "card", 7), "must be text"),
        (lambda: CIPHER.open("4929", *AT, 7), "must be bytes, not str"),
        (lambda: CIPHER.index("4929", *AT, bits=8.0), "bits must be an integer"),
        (lambda: FieldCipher(b"4929" * 8), "must be a Keyring"),
        (lambda: FieldCipher(RING, index_key=b"4929"), "index_key must be a Keyring"),
        (lambda: FieldCipher(lambda: b"4929").seal("4929", *AT, 7), "returned bytes"),
        (lambda: index_plan(rows=1.0, distinct=1), "rows must be an integer"),
        (lambda: index_plan(rows=1, distinct=1, bits=8.0), "bits must be an integer"),
    ],
)
def test_wrong_types(call, text):
    """Each is a FieldTypeError that names what was expected, and no value."""
    refused(INVALID, text, call, kind=FieldTypeError)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: CIPHER.seal("4929\ud800", *AT, 7), "lone surrogate"),
        (lambda: CIPHER.seal("4929", "t\ud800", "c", 7), "lone surrogate"),
        (lambda: CIPHER.seal("4929", *AT, 2**64), "more than 64 bits"),
        (lambda: CIPHER.seal("4929", *AT, 7, bind="cell"), 'must be "row" or "column"'),
        (lambda: CIPHER.seal("4929", *AT, 7, padding=-1), "padding is -1"),
        (lambda: CIPHER.field(*AT, bare=True, padding=8), "cannot be padded"),
        (lambda: CIPHER.field(*AT, bare=True).seal("", 7), "is bare"),
        (lambda: CIPHER.field(*AT, bits=7), "bits is 7"),
        (lambda: CIPHER.field(*AT, bits=257), "bits is 257"),
        (lambda: CIPHER.field(*AT, type="json", bits=64), "JSON has no blind index"),
        (lambda: CIPHER.field(*AT).index("4929"), "has no blind index"),
        (lambda: FieldCipher(RING).index("4929", *AT, bits=64), "needs keys of its own"),
        (lambda: FieldCipher(Keyring.new("new")).seal("4929", *AT, 7), "has no keys yet"),
        (lambda: CIPHER.open_all([b"x"], *AT, []), "1 values and 0 rows"),
        (lambda: index_plan(rows=1, distinct=2), "distinct is 2"),
        (lambda: index_plan(rows=1, distinct=1, bits=7), "bits is 7"),
        (lambda: index_plan(rows=1, distinct=1, bits=257), "bits is 257"),
    ],
)
def test_wrong_values(call, text):
    """Each is a FieldValueError that says what to do, and no value."""
    refused(INVALID, text, call, kind=FieldValueError)


def test_index_keys_never_seal():
    """The ring that seals makes no indexes, nor does one of its name or with a key of it."""
    for index in (RING, Keyring.new("shop").add(), ring_like(RING, "other")):
        cipher = FieldCipher(RING, index_key=index)
        refused(INVALID, "is the ring that seals", cipher.index, "4929", *AT, bits=64)


def ring_like(ring, name):
    """Give a ring with the same keys and another name."""
    return ring_of(payload_of(ring).replace(b'"shop"', f'"{name}"'.encode()))


def test_keys_change():
    """Old values open under the new ring, are rotated, and are found under both index keys."""
    rings = {"ring": RING, "index": INDEX_RING}
    cipher = FieldCipher(lambda: rings["ring"], index_key=lambda: rings["index"])
    field = cipher.field(*AT, bits=96, normalize=lambda card: card.replace(" ", ""))
    stored, index = field.seal("4929 1", 7), field.index("4929 1")
    for name, ring in list(rings.items()):
        added = ring.add()
        rings[name] = added.promote(added.ids[-1])
    assert field.needs_rotation(stored)
    rotated = field.rotate(stored, 7)
    assert not field.needs_rotation(rotated)
    assert field.open_all([stored, None, rotated], [7, 8, 7]) == ["4929 1", None, "4929 1"]
    assert field.index("49291") == field.indexes("4929 1")[1] != index == field.indexes("49291")[0]
    rings["ring"] = rings["ring"].retire(RING.ids[0]).remove(RING.ids[0])
    refused(FAIL, f"has no key {RING.ids[0]}", field.open, stored, 7)


def test_a_list_tells_which_value_is_refused():
    """The index counts all values, NULL as well, for cells and for what is in them."""
    field = CIPHER.field(*AT)
    good = field.seal("4929", 1)
    error = refused(FAIL, "decryption failed", field.open_all, [None, good, good], [1, 1, 2])
    assert error.index == 2
    number = CIPHER.field(*AT, type=int).seal(4929, 1)
    wrong = CIPHER.seal("4929 x", *AT, 3)
    error = refused(
        THEMIS_CODES.DATA_CORRUPT, "not of type int", CIPHER.open_all,
        [None, number, wrong], *AT, [1, (1,), 3], type=int,
    )  # fmt: skip
    assert error.index == 2


def test_a_cell_that_a_short_column_cut():
    """The error says that the value is cut, and where."""
    stored = CIPHER.seal("4929 1234 5678", *AT, 7)
    refused(INVALID, r"customers\.card_cell: .*(truncated|cut)", CIPHER.open, stored[:60], *AT, 7)


def test_bare_fields_are_cells_alone():
    """A bare field holds the value without a frame, as other Themis programs write it."""
    field = CIPHER.field(*AT, bare=True)
    assert RING.decrypt(field.seal("4929", 7), field.context(7)) == b"4929"
    framed = CIPHER.seal("4929", *AT, 7)
    assert RING.decrypt(framed, field.context(7)) == b"\x004929"
    cell = RING.encrypt(b"4929", field.context(7))
    refused(THEMIS_CODES.NOT_SUPPORTED, "the column is bare", CIPHER.open, cell, *AT, 7)


def test_the_plan_of_an_index():
    """It tells false positives, and warns of columns with few values."""
    plan = index_plan(rows=1_000_000, distinct=500_000)
    by_bits = {size.bits: size for size in plan.sizes}
    assert by_bits[16].others == pytest.approx(999_998 / 65536)
    assert by_bits[16].alike == pytest.approx(1 + 499_999 / 65536)
    assert (by_bits[64].unique, by_bits[96].unique) == (False, True)
    assert not plan.warning
    assert "how often each index occurs" in str(index_plan(rows=1000, distinct=3))
    [size] = index_plan(rows=1_000_000, distinct=500_000, bits=20).sizes
    assert (size.bits, size.alike) == (20, pytest.approx(1 + 499_999 / 2**20))


def test_three_lines_with_a_driver():
    """Cells and indexes go through a plain driver, and come back."""
    database = sqlite3.connect(":memory:")
    database.execute(
        "CREATE TABLE customers (id TEXT PRIMARY KEY, card_cell BLOB, card_index BLOB)"
    )
    row = str(uuid.uuid4())
    values = (row, CIPHER.seal("4929", *AT, row), CIPHER.index("4929", *AT, bits=96))
    database.execute("INSERT INTO customers VALUES (?, ?, ?)", values)
    [wanted] = CIPHER.indexes("4929", *AT, bits=96)
    query = "SELECT id, card_cell FROM customers WHERE card_index = ?"
    [(found, cell)] = database.execute(query, (wanted,))
    assert CIPHER.open(cell, *AT, found) == "4929"
    database.close()


def test_nothing_shows_keys_or_values():
    """What is shown of a cipher and a field are names alone."""
    assert repr(CIPHER).startswith("<pythemis.fields.FieldCipher at ")
    assert repr(CIPHER.field(*AT)) == "<pythemis.fields.Field customers.card_cell>"
    assert issubclass(FieldError, ThemisError)


def test_the_context_is_a_place():
    """What binds a value is the place of its names and of all parts of its key, up to 255."""
    field = CIPHER.field(*AT)
    for row in [(7,), ("é", 7, ID, b""), tuple(range(253))]:
        assert field.context(*row) == place(*AT, *row)
    assert CIPHER.field(*AT, bind="column").context() == place(*AT)
    refused(INVALID, "more than 253 parts", field.context, *range(254), kind=FieldValueError)
