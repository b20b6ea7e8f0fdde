# SPDX-License-Identifier: Apache-2.0
"""Lists of field values: they are what single calls make, and refused as single ones are."""

import uuid
from datetime import date
from decimal import Decimal

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.fields import FieldCipher, FieldError, FieldTypeError, FieldValueError
from pythemis.keyring import Keyring

OLD = Keyring.new("shop").add()
RING = OLD.add()
RING = RING.promote(RING.ids[-1])
CIPHER = FieldCipher(RING, index_key=Keyring.new("shop-index").add())
AT = ("customers", "card_cell")
FAIL, INVALID = THEMIS_CODES.FAIL, THEMIS_CODES.INVALID_PARAMETER


class Text(str):
    """Text of a subclass, whose content counts."""

    __slots__ = ()


VALUES = {
    str: ["4929", "", None, "Zoë", Text("x"), "4929"],
    bytes: [b"4929", b"", None, bytearray(b"x"), memoryview(b"y"), b"\x01\x80"],
    int: [0, -5, None, 10**900, True + 1, 7],
    Decimal: [Decimal("1.50"), Decimal(0), None, Decimal("1.5"), Decimal(3), Decimal("-1E2")],
    bool: [True, False, None, True, True, False],
    date: [date(2026, 2, number) for number in (1, 2, 3, 4, 5)] + [None],
    "json": [{"a": [1, None]}, [], None, "x", 1.5, 0],
}
ROWS = {
    "integers": [1, 2, 3, 2**64 - 1, -(2**63), 1],
    "texts": ["a", "", "Zoë", Text("b"), "a" * 65535, "a"],
    "UUIDs": [uuid.UUID(int=number) for number in range(6)],
    "mixed": [1, "1", b"1", uuid.UUID(int=1), (1,), ("1",)],
    "of parts": [(1, "a"), (1, "b"), (2, "a"), ("1", "a"), (b"", ""), [1, "c"]],
}


@pytest.mark.parametrize("kind", VALUES, ids=str)
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("options", [{}, {"padding": 64}, {"bare": True}], ids=str)
def test_a_list_is_what_single_calls_make(kind, rows, options):
    """What a list seals opens alone, and the other way round; None and doubles stay."""
    values, keys = VALUES[kind], ROWS[rows]
    field = CIPHER.field(*AT, type=kind, **options)
    if "bare" in options:
        values = [value if value not in ("", b"") else None for value in values]
    alone = [tuple(key) if isinstance(key, (tuple, list)) else (key,) for key in keys]
    stored = field.seal_all(iter(values), iter(keys))
    assert [field.open(cell, *key) for cell, key in zip(stored, alone, strict=True)] == values
    singly = [field.seal(value, *key) for value, key in zip(values, alone, strict=True)]
    assert [cell and len(cell) for cell in singly] == [cell and len(cell) for cell in stored]
    assert field.open_all(singly, keys) == values
    assert field.open_all([cell and memoryview(cell) for cell in stored], keys) == values
    assert len({bytes(cell) for cell in stored if cell}) == sum(cell is not None for cell in stored)


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind != "json"], ids=str)
def test_indexes_of_a_list(kind):
    """They are those of single calls, after the same normalisation."""
    field = CIPHER.field(*AT, type=kind, bits=41)
    assert field.index_all(VALUES[kind]) == [field.index(value) for value in VALUES[kind]]
    made = CIPHER.index_all(VALUES[kind], *AT, type=kind, bits=41)
    assert made == field.index_all(VALUES[kind])
    folded = CIPHER.field(*AT, bits=96, normalize=str.casefold)
    assert folded.index_all(["ZOË", None]) == [folded.index("zoë"), None]


def test_bound_to_the_column():
    """Rows have no ids then."""
    stored = CIPHER.seal_all(["4929", None], *AT, None, bind="column")
    assert CIPHER.open_all(stored, *AT, None, bind="column") == ["4929", None]
    assert CIPHER.field(*AT, bind="column").open(stored[0]) == "4929"


def test_a_list_is_rotated():
    """What is under the primary key already stays as it is, and all else comes under it."""
    old, field = FieldCipher(OLD).field(*AT), CIPHER.field(*AT)
    stored = [old.seal("4929", 1), None, field.seal("x", 3)]
    made = field.rotate_all(stored, [1, 2, 3])
    assert (made[1:], made[0] == stored[0]) == (stored[1:], False)
    assert made[0][:8] == field.prefix()
    assert field.open_all(made, [1, 2, 3]) == ["4929", None, "x"]


def test_empty_lists():
    """Nothing becomes nothing."""
    field = CIPHER.field(*AT, bits=64)
    assert field.seal_all([], []) == field.open_all([], []) == field.rotate_all([], []) == []
    assert field.index_all([]) == field.seal_all([]) == []
    assert field.open_all([None] * 3, [1, 2, 3]) == [None] * 3


GOOD = CIPHER.seal("4929", *AT, 1)
OLDER = FieldCipher(OLD).seal("4929", *AT, 1)


@pytest.mark.parametrize(
    ("call", "kind", "text", "index"),
    [
        (lambda: CIPHER.seal_all(["a", None, 4929], *AT, [1, 2, 3]), FieldTypeError, "not int", 2),
        (lambda: CIPHER.seal_all([None, "\ud800"], *AT, [1, 2]), FieldValueError, "surrogate", 1),
        (lambda: CIPHER.seal_all([None, "x"], *AT, [1, None]), FieldValueError, "its id", 1),
        (lambda: CIPHER.seal_all(["x", "x"], *AT, [1, 2**64]), FieldValueError, "64 bits", 1),
        (lambda: CIPHER.seal_all(["x", "x"], *AT, [1, True]), FieldTypeError, "bool", 1),
        (lambda: CIPHER.seal_all(["x"], *AT, ["a" * 65536]), FieldValueError, "65535", 0),
        (lambda: CIPHER.seal_all(["x"], *AT, None), FieldValueError, "its id", 0),
        (lambda: CIPHER.seal_all(["x"], *AT, [7], bind="column"), FieldValueError, "no id", 0),
        (lambda: CIPHER.seal_all(["x"], *AT, []), FieldValueError, "1 values and 0 rows", None),
        (lambda: CIPHER.seal_all("x", *AT, [1]), FieldTypeError, "must be a list", None),
        (lambda: CIPHER.seal_all(["x"], *AT, "1"), FieldTypeError, "must be a list", None),
        (lambda: CIPHER.open_all(GOOD, *AT, [1]), FieldTypeError, "must be a list", None),
        (lambda: CIPHER.open_all([None, "x"], *AT, [1, 2]), FieldTypeError, "not str", 1),
        (lambda: CIPHER.open_all([GOOD, GOOD], *AT, [1, 2]), FieldError, "failed", 1),
        (lambda: CIPHER.open_all([GOOD, GOOD[:56]], *AT, [1, 1]), FieldError, "cut|trunc", 1),
        (lambda: CIPHER.open_all([GOOD], *AT, [1], type=date), FieldError, "of type date", 0),
        (lambda: CIPHER.field(*AT).rotate_all([GOOD, OLDER], [2, 2]), FieldError, "row 1", 1),
        (lambda: CIPHER.index_all([None, 5], *AT, bits=64), FieldTypeError, "not int", 1),
        (lambda: CIPHER.field(*AT).index_all(["x"]), FieldValueError, "no blind index", None),
        (lambda: FieldCipher(RING).index_all(["x"], *AT, bits=64), FieldError, "of its own", None),
        (lambda: CIPHER.field(*AT, bare=True).seal_all([""], [1]), FieldError, "empty", 0),
        (
            lambda: FieldCipher(Keyring.new("x")).seal_all(["x"], *AT, [1]),
            FieldValueError,
            "no keys yet",
            None,
        ),
    ],
)
def test_what_is_refused(call, kind, text, index):
    """The error is that of a single call, tells the index, and shows no value."""
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.value.index == index
    assert caught.value.__context__ is None
    assert "4929" not in str(caught.value)
