# SPDX-License-Identifier: Apache-2.0
"""Columns are, row by row, what a keyring writes and reads."""

import uuid
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pythemis.columns import ArrowColumn, ColumnCipher, ColumnError
from pythemis.keyring import Keyring
from pythemis.place import place
from pythemis.scell import SCellSeal
from support import arrow

RING = Keyring.new("shop").add()
NAMES = ("customers", "email")
CIPHER = ColumnCipher(RING, NAMES)

FORMS = [
    *((arrow.by_offsets, form) for form in (b"u", b"U", b"z", b"Z")),
    *((arrow.by_views, form) for form in (b"vu", b"vz")),
]
TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=20)
IDS = st.one_of(
    *(
        st.lists(one, min_size=20, max_size=20, unique=True)
        for one in (st.integers(-(2**63), 2**63 - 1), st.text(max_size=20), st.uuids())
    )
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def id_array(ids, offset):
    """Make the row ids as their type has them."""
    if isinstance(ids[0], int):
        return arrow.integers(ids, offset=offset)
    if isinstance(ids[0], uuid.UUID):
        return arrow.uuids(ids, offset=offset)
    return arrow.by_views(ids, b"vu", offset)


def in_chunks(values, make, cuts):
    """Make a stream of an array for each piece of the values."""
    ends = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    pairs = zip(ends, [*ends[1:], len(values)], strict=True)
    return arrow.Streamed([make(values[start:end]) for start, end in pairs])


@arrow.needs_capsules
@FEW
@given(
    *(st.sampled_from(FORMS), TEXTS, IDS),
    *(st.integers(0, 9), st.lists(st.integers(1, 19), max_size=3), st.integers(1, 2)),
)
def test_a_keyring_reads_each_cell(form, values, ids, offset, cuts, threads):
    """Values of every form, sliced, chunked and with nulls, become what a keyring reads."""
    make, name = form
    ids = ids[: len(values)]
    rows = id_array(ids, offset) if ids else []
    array = in_chunks(values, lambda part: make(part, name, offset), cuts)
    cells = CIPHER.encrypt(array, rows, threads=threads)
    assert isinstance(cells, ArrowColumn)
    assert array.released == 1
    assert [cell is None for cell in cells.to_pylist()] == [value is None for value in values]
    for value, row, cell in zip(values, ids, cells.to_pylist(), strict=True):
        if value is not None:
            assert RING.decrypt(cell, place(*NAMES, row)) == b"\0" + value.encode()
    if ids:
        rows = id_array(ids, 0)
        opened = CIPHER.decrypt(cells, rows, type="text", threads=threads)
        assert opened.to_pylist() == values


@arrow.needs_capsules
@FEW
@given(st.sampled_from(FORMS), TEXTS, IDS, st.integers(0, 9), st.integers(1, 20))
def test_it_reads_what_a_keyring_wrote(form, values, ids, offset, padding):
    """Cells of a keyring, in every form, are read; so are padded ones."""
    make, name = form
    cells = [
        value if value is None else RING.encrypt(b"\0" + value.encode(), place(*NAMES, row))
        for value, row in zip(values, ids, strict=False)
    ]
    array = make(cells, name.replace(b"u", b"z").replace(b"U", b"Z"), offset)
    opened = CIPHER.decrypt(array, ids[: len(values)], type="text")
    assert opened.to_pylist() == values
    padded = ColumnCipher(RING, NAMES, padding=padding)
    again = padded.encrypt(values, ids[: len(values)])
    assert all((len(cell) - 52) % padding == 0 for cell in again if cell is not None)
    assert CIPHER.decrypt(again, ids[: len(values)], type="text") == values


# So few values that the parts of most keys occur in others, too.
PAIRS = st.lists(
    st.tuples(st.integers(-3, 3), st.sampled_from(["", "a", "ab", "b"])),
    min_size=20,
    max_size=20,
    unique=True,
)


@arrow.needs_capsules
@FEW
@given(st.lists(st.none() | st.text(max_size=30), max_size=20), PAIRS, st.integers(0, 9))
def test_a_key_of_several_columns(values, keys, offset):
    """A tuple of columns is the parts of the primary key in their order."""
    keys = keys[: len(values)]
    numbers, names = [key[0] for key in keys], [key[1] for key in keys]
    rows = (numbers, names)
    if keys:
        rows = (arrow.integers(numbers, offset=offset), arrow.by_views(names, b"vu", offset))
    cells = CIPHER.encrypt(values, rows)
    for value, key, cell in zip(values, keys, cells, strict=True):
        if value is not None:
            assert RING.decrypt(cell, place(*NAMES, *key)) == b"\0" + value.encode()
    assert CIPHER.decrypt(cells, (numbers, names), type="text") == values
    assert CIPHER.rotate(cells, (numbers, names)) == cells
    if any(values):
        with pytest.raises(ColumnError, match="decryption failed"):
            CIPHER.decrypt(cells, (names, numbers))


CONTEXT = st.binary(max_size=70).filter(lambda one: not one.startswith(b"TSFILE1"))  # of files
CONTEXTS = st.none() | CONTEXT | st.lists(CONTEXT, min_size=20, max_size=20)


@arrow.needs_capsules
@FEW
@given(
    st.sampled_from([(make, form) for make, form in FORMS if form in (b"z", b"Z", b"vz")]),
    st.lists(st.none() | st.binary(min_size=1, max_size=40), max_size=20),
    CONTEXTS,
    *(st.integers(0, 9), st.lists(st.integers(1, 19), max_size=3), st.integers(1, 2)),
)
def test_secure_cell_reads_and_writes_bare_cells(form, values, contexts, offset, cuts, threads):
    """Bare values of every form are those of Secure Cell, with one context or a column of them."""
    make, name = form

    def array(items):
        return in_chunks(items, lambda part: make(part, name, offset), cuts)

    key = bytes(range(32))
    ring = Keyring.new("old").add().add_legacy(key)
    cipher = ColumnCipher(ring, NAMES, framing="bare")
    new, old = SCellSeal(ring._pairs()[0][1]), SCellSeal(key)
    if isinstance(contexts, list):
        bound = contexts = contexts[: len(values)]
        contexts = make(contexts, name, offset)
    else:
        bound = [place(*NAMES) if contexts is None else contexts] * len(values)
    options = {"contexts": contexts, "threads": threads}
    written = [value and old.encrypt(value, c) for value, c in zip(values, bound, strict=True)]
    assert cipher.decrypt(array(written), **options).to_pylist() == values
    for cells in (
        cipher.encrypt(array(values), **options),
        cipher.rotate(array(written), **options),
    ):
        for value, context, cell in zip(values, bound, cells.to_pylist(), strict=True):
            assert value == (cell and new.decrypt(cell[8:], context))
            assert cell is None or cell[:8] == ring.prefix


@pytest.mark.parametrize("threads", [1, 2])
def test_bare_cells_of_other_themis_code(threads):
    """A bare column is what Secure Cell alone reads behind the prefix, and the reverse."""
    key = bytes(range(32))
    ring = Keyring.new("old").add().add_legacy(key)
    cipher, cell = ColumnCipher(ring, NAMES, framing="bare"), SCellSeal(key)
    values, ids = [b"one", None, b"\0\1\x80"], [1, 2, 3]
    old = [v and cell.encrypt(v, place(*NAMES, i)) for v, i in zip(values, ids, strict=True)]
    assert cipher.decrypt(old, ids, threads=threads) == values
    rotated = cipher.rotate(old, ids, threads=threads)
    assert [cell and cell[:8] for cell in rotated] == [ring.prefix, None, ring.prefix]
    assert cipher.decrypt(rotated, ids) == values
    made = cipher.encrypt(values, ids, threads=threads)
    secret = SCellSeal(ring._pairs()[0][1])
    assert secret.decrypt(made[0][8:], place(*NAMES, 1)) == b"one"


def test_rotating_copies_what_is_new():
    """Cells under the primary key stay as they are; others are written anew."""
    old = Keyring.new("shop").add()
    new = old.add()
    new = new.promote(new.ids[-1])
    values, ids = [b"a", b"", None, b"c"], [1, 2, 3, 4]
    before = ColumnCipher(old, NAMES).encrypt(values, ids)
    cipher = ColumnCipher(new, NAMES)
    before[3] = cipher.encrypt([b"c"], [4])[0]
    after = cipher.rotate(before, ids)
    assert after[3] == before[3]
    assert not any(new.needs_rotation(cell) for cell in after if cell)
    assert [after[0] == before[0], after[2]] == [False, None]
    assert cipher.decrypt(after, ids) == values
    assert ColumnCipher(lambda: new, NAMES).decrypt(after, ids) == values


def test_many_rows_in_many_parts():
    """Parts of every size fit together: many rows, long values, empty ones between them."""
    values = [b"x" * (n % 3000 if n % 7 else 0) if n % 5 else None for n in range(10_001)]
    ids = list(range(len(values)))
    for threads in (1, 3):
        cells = CIPHER.encrypt(values, ids, threads=threads)
        assert RING.decrypt(cells[9_999], place(*NAMES, 9_999)) == b"\0" + values[9_999]
        assert CIPHER.decrypt(cells, ids, threads=threads) == values


@arrow.needs_capsules
def test_integers_and_uuids_are_text():
    """Integers of every width, and UUIDs, are encrypted as the text of section 10.1."""
    widths = {b"c": -(2**7), b"C": 2**8 - 1, b"s": -(2**15), b"S": 2**16 - 1}
    widths |= {b"i": -(2**31), b"I": 2**32 - 1, b"l": -(2**63), b"L": 2**64 - 1}
    for form, number in widths.items():
        cells = CIPHER.encrypt(arrow.integers([number, None, 0], form), arrow.integers([1, 2, 3]))
        assert CIPHER.decrypt(cells, [1, 2, 3]).to_pylist() == [str(number).encode(), None, b"0"]
    one = uuid.uuid4()
    cells = CIPHER.encrypt(arrow.uuids([one]), arrow.uuids([one]))
    assert CIPHER.decrypt(cells, [one], type="text").to_pylist() == [str(one)]


@arrow.needs_capsules
@pytest.mark.parametrize("index", [b"c", b"C", b"i", b"l", b"L"])
def test_each_row_of_a_dictionary_has_its_cell(index):
    """Equal values of a dictionary column become different cells."""
    values = ["b", "a", None, "a", "b"]
    cells = CIPHER.encrypt(arrow.dictionary(values, index=index), arrow.integers(range(5)))
    assert len(set(cells.to_pylist())) == 5
    assert CIPHER.decrypt(cells, range(5), type="text").to_pylist() == values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([12, None, -(10**30)], int),
        ([Decimal("1.50"), None], Decimal),
        ([True, False], bool),
        ([date(2026, 12, 1)], date),
        ([datetime(2026, 12, 1, 2, 3, 4, 5)], datetime),
        ([uuid.UUID(int=7), None], uuid.UUID),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_numbers_and_dates(values, kind):
    """Lists of the types of section 10.1 come back as what they were; other spellings do not."""
    ids = list(range(len(values)))
    cells = CIPHER.encrypt(values, ids)
    assert CIPHER.decrypt(cells, ids, type=kind) == values
    cells[0] = RING.encrypt(b"\0" + b" " + CIPHER.decrypt(cells, ids)[0], place(*NAMES, 0))
    assert CIPHER.decrypt(cells, ids, type=kind, on_error="null") == ([None, *values[1:]], 1)
    with pytest.raises(ColumnError, match=f"row 0: the value is not of type {kind.__name__}"):
        CIPHER.decrypt(cells, ids, type=kind)


def test_what_values_are_bound_to():
    """A column alone, one context, or a context for each row, instead of row ids."""
    values = [b"a", b"b"]
    assert RING.decrypt(CIPHER.encrypt(values)[1], place(*NAMES)) == b"\0b"
    assert RING.decrypt(CIPHER.encrypt(values, contexts=b"here")[1], b"here") == b"\0b"
    contexts = [place(*NAMES, 1, "eu"), place(*NAMES, 2, "us")]
    assert RING.decrypt(CIPHER.encrypt(values, contexts=contexts)[1], contexts[1]) == b"\0b"
    assert CIPHER.decrypt(CIPHER.encrypt(values, contexts=contexts), contexts=contexts) == values


@arrow.needs_capsules
def test_a_result_outlives_what_made_it():
    """A result is read again after its input is gone, and by several readers."""
    cells = CIPHER.encrypt(arrow.by_views(["a" * 40, None], b"vu"), arrow.integers([1, 2]))
    capsules = [cells.__arrow_c_array__() for _ in range(3)]
    assert [CIPHER.decrypt(cells, [1, 2]).to_pylist() for _ in range(2)] == [[b"a" * 40, None]] * 2
    assert (len(cells), cells.null_count) == (2, 1)
    del cells
    assert len(capsules) == 3
    del capsules


@arrow.needs_capsules
@pytest.mark.big_memory
def test_two_gigabytes_have_long_offsets():
    """More than 2 GiB of cells is large_binary, and reads back; it takes 5 GB."""
    cipher = ColumnCipher(Keyring.new("shop").add(), ("t", "c"), padding=1 << 20)
    values = [b"%d" % number if number % 5 else None for number in range(2650)]
    cells = cipher.encrypt(arrow.by_offsets(values), range(2650), threads=2)
    assert arrow.format_of(cells) == b"Z"
    assert cipher.decrypt(cells, range(2650), threads=2).to_pylist() == values
    assert arrow.format_of(CIPHER.encrypt(arrow.by_offsets([b"a"]))) == b"z"
