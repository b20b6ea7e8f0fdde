# SPDX-License-Identifier: Apache-2.0
"""Secure Cell Seal with a key."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pythemis.scell import SCellSeal, SCellTokenProtect, SecureCellError
from support.cells import (
    TOKEN,
    cuts,
    flips,
    not_a_cell,
    not_authentic,
    unhex,
    vector,
    vectors,
    with_u32,
)

KEY = b"\x07" * 32
CONTEXT = b"row 7"
CELL = SCellSeal(key=KEY)
GOOD = vector("cell_seal", "seal-good")

# Real Themis reads these, ours does not: nobody ever wrote a longer iv or tag (vectors/README.md).
REFUSED_ON_PURPOSE = {"seal-iv16", "seal-tag18"}
ONLY_WITH_COMPAT = {"seal-096-compat"}


def good(**options):
    """Give the cell object, the encrypted message and the context of the vector `seal-good`."""
    return SCellSeal(key=unhex(GOOD["key"]), **options), unhex(GOOD["cell"]), unhex(GOOD["context"])


@pytest.mark.parametrize("compat_096", [False, True])
@pytest.mark.parametrize("case", vectors("cell_seal"))
def test_known_answers(case, compat_096):
    """What real Themis reads, we read, and what it refuses, we refuse."""
    cell = SCellSeal(key=unhex(case["key"]), compat_096=compat_096)
    sealed, context = unhex(case["cell"]), unhex(case["context"])
    if case["id"] in ONLY_WITH_COMPAT and compat_096:
        assert cell.decrypt(sealed, context) == unhex(GOOD["message"])
    elif case["status"] == 0 and case["id"] not in REFUSED_ON_PURPOSE:
        assert cell.decrypt(sealed, context) == unhex(case["message"])
    else:
        with not_a_cell() if is_malformed(sealed) else not_authentic():
            cell.decrypt(sealed, context)


def is_malformed(sealed):
    """Tell from the specification whether the header cannot be one of Seal with a key."""
    if len(sealed) <= TOKEN:
        return True
    descriptor, *lengths = struct.unpack_from("<4I", sealed)
    known = descriptor in (0x40010080, 0x400100C0, 0x40010100)
    return not known or lengths != [12, 16, len(sealed) - TOKEN]


def test_the_vectors_hold_what_they_are_taken_for():
    """The three vectors that are treated otherwise are there, and so are enough of the others."""
    cases = {case.values[0]["id"]: case.values[0]["status"] for case in vectors("cell_seal")}
    assert len(cases) >= 95
    assert cases["seal-iv16"] == cases["seal-tag18"] == cases["bad-key-longer"] == 0
    assert cases["seal-096-compat"] != 0


@given(
    message=st.binary(min_size=1, max_size=2000),
    context=st.none() | st.binary(max_size=200),
    key=st.binary(min_size=1, max_size=200),
)
@example(message=b"\0", context=b"\0", key=b"\0")
def test_round_trip(message, context, key):
    """Any message under any key and context comes back, 44 bytes longer in between."""
    sealed = SCellSeal(key=key).encrypt(message, context)
    assert type(sealed) is bytes
    assert len(sealed) == len(message) + TOKEN
    opened = SCellSeal(key).decrypt(sealed, context)
    assert type(opened) is bytes
    assert opened == message


@given(message=st.binary(min_size=1, max_size=100))
def test_what_is_written_is_what_the_specification_says(message):
    """AES-256-GCM, an iv of 12 bytes, a tag of 16 and the message's length stand in the header."""
    header = struct.unpack_from("<4I", CELL.encrypt(message, CONTEXT))
    assert header == (0x40010100, 12, 16, len(message))


def test_no_two_cells_are_alike():
    """The same message is encrypted differently each time: nonce, tag and ciphertext."""
    cells = [CELL.encrypt(b"the same message", CONTEXT) for _ in range(1000)]
    for part in (slice(16, 28), slice(28, 44), slice(44, None)):
        assert len({cell[part] for cell in cells}) == 1000


def test_an_empty_context_is_no_context():
    """Empty and None are one context, in both directions."""
    assert CELL.decrypt(CELL.encrypt(b"message", b""), None) == b"message"
    assert CELL.decrypt(CELL.encrypt(b"message", None), b"") == b"message"
    assert CELL.decrypt(CELL.encrypt(b"message"), memoryview(b"")) == b"message"


@given(
    message=st.binary(min_size=1, max_size=100),
    contexts=st.lists(st.binary(max_size=80), min_size=2, max_size=2, unique=True),
)
@example(message=b"m", contexts=[b"", b"\0"])
@example(message=b"m", contexts=[b"a", b"a\0"])
def test_another_context_is_refused(message, contexts):
    """Only the context of the encryption opens a cell."""
    sealed = CELL.encrypt(message, contexts[0])
    with not_authentic():
        CELL.decrypt(sealed, contexts[1])


@given(
    message=st.binary(min_size=1, max_size=100),
    keys=st.lists(
        st.binary(min_size=1, max_size=80),
        min_size=2,
        max_size=2,
        unique_by=lambda key: key.rstrip(b"\0") if len(key) <= 64 else key,
    ),
)
def test_another_key_is_refused(message, keys):
    """Only the key of the encryption opens a cell; zeros at a short key's end make no other key."""
    sealed = SCellSeal(key=keys[0]).encrypt(message, CONTEXT)
    with not_authentic():
        SCellSeal(key=keys[1]).decrypt(sealed, CONTEXT)


def test_every_flipped_bit_of_a_key_is_noticed():
    """A key that differs in one bit is another key."""
    sealed = CELL.encrypt(b"message")
    for _, key in flips(KEY):
        with not_authentic():
            SCellSeal(key=key).decrypt(sealed)


@pytest.mark.parametrize("compat_096", [False, True])
@pytest.mark.parametrize("name", ["seal-good", "seal-aes128", "seal-aes192"])
def test_every_flipped_byte_is_noticed(name, compat_096):
    """No byte of a cell can change: not of the header, iv, tag or ciphertext, whatever the mode."""
    case = vector("cell_seal", name)
    cell = SCellSeal(key=unhex(case["key"]), compat_096=compat_096)
    for _, changed in flips(unhex(case["cell"])):
        with not_a_cell() if is_malformed(changed) else not_authentic():
            cell.decrypt(changed, unhex(case["context"]))


def test_every_truncation_is_noticed():
    """A cell cut at any place, at its end or its beginning, is no cell."""
    cell, sealed, context = good()
    for cut in cuts(sealed):
        with not_a_cell():
            cell.decrypt(cut, context)


def test_a_truncation_with_a_fitting_length_is_noticed():
    """A cut is noticed also when the length field is corrected for it."""
    cell, sealed, context = good()
    for size in range(TOKEN + 1, len(sealed)):
        with not_authentic():
            cell.decrypt(with_u32(sealed[:size], 12, size - TOKEN), context)


@pytest.mark.parametrize("tail", [b"\0", b"\xff", bytes(44), bytes(65536)])
def test_extensions_are_noticed(tail):
    """Bytes behind or before a cell make it none, also with a length field that fits."""
    cell, sealed, context = good()
    for extended in (sealed + tail, tail + sealed, sealed[:TOKEN] + tail + sealed[TOKEN:]):
        with not_a_cell():
            cell.decrypt(extended, context)
    with not_authentic():
        cell.decrypt(with_u32(sealed + tail, 12, len(sealed + tail) - TOKEN), context)


def test_a_cell_says_which_key_length_it_has_and_that_is_authenticated():
    """A cell of AES-256 that claims AES-128 or AES-192 is refused, and the other way round."""
    for name in ("seal-aes128", "seal-aes192", "seal-aes256"):
        case = vector("cell_seal", name)
        sealed, context = unhex(case["cell"]), unhex(case["context"])
        for descriptor in {0x40010080, 0x400100C0, 0x40010100}:
            if struct.unpack_from("<I", sealed) != (descriptor,):
                with not_authentic():
                    SCellSeal(unhex(case["key"])).decrypt(with_u32(sealed, 0, descriptor), context)


@pytest.mark.parametrize("bits", [0, 1, 64, 127, 129, 255, 257, 384, 512, 0xFFF])
def test_other_key_lengths_are_refused(bits):
    """128, 192 and 256 bits are the key lengths there are."""
    cell, sealed, context = good()
    with not_a_cell():
        cell.decrypt(with_u32(sealed, 0, 0x40010000 | bits), context)


@pytest.mark.parametrize("bit", range(32))
def test_every_bit_of_the_descriptor_counts(bit):
    """Algorithm, KDF, padding, reserved bits: a descriptor with one other bit is refused."""
    cell, sealed, context = good()
    [descriptor] = struct.unpack_from("<I", sealed)
    changed = with_u32(sealed, 0, descriptor ^ 1 << bit)
    with not_a_cell():
        cell.decrypt(changed, context)


def test_cells_of_096_need_the_option_and_nothing_else_does():
    """compat_096 opens cells of Themis 0.9.6, still opens all others, and writes as always."""
    case = vector("cell_seal", "seal-096-compat")
    old, context = unhex(case["cell"]), unhex(case["context"])
    plain, compatible = good()[0], good(compat_096=True)[0]
    assert compatible.decrypt(old, context) == unhex(GOOD["message"])
    with not_authentic():
        plain.decrypt(old, context)
    assert plain.decrypt(compatible.encrypt(b"message", context), context) == b"message"
    for _, changed in flips(old):
        with not_a_cell() if is_malformed(changed) else not_authentic():
            compatible.decrypt(changed, context)


def test_cells_of_096_are_read_in_place_and_in_lists():
    """A first try that fails wipes what lies in its place; the second must find it there still."""
    case = vector("cell_seal", "seal-096-compat")
    old, context, message = (
        unhex(text) for text in (case["cell"], case["context"], GOOD["message"])
    )
    cell = good(compat_096=True)[0]
    data = bytearray(old)
    assert cell.decrypt_into(memoryview(data)[TOKEN:], data, context) == len(message)
    assert data[TOKEN:] == message
    new = cell.encrypt(message, context)
    for cells in ([old, new], [new, old, old], [old]):
        assert cell.decrypt_many(cells, context) == [message] * len(cells)
    protect = SCellTokenProtect(key=unhex(case["key"]), compat_096=True)
    data = bytearray(old[TOKEN:])
    assert protect.decrypt_into(data, data, old[:TOKEN], context) == len(message)
    assert data == message
    assert protect.decrypt_many([old[TOKEN:]] * 2, [old[:TOKEN]] * 2, context) == [message] * 2
    changed = bytearray(old[:-1] + bytes([old[-1] ^ 1]))
    with not_authentic():
        cell.decrypt_into(memoryview(changed)[TOKEN:], changed, context)
    assert changed[TOKEN:] == bytes(len(message))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(data):
    """Whatever it is, it is not a cell: the same error as for a damaged one, and no crash."""
    with not_a_cell() if is_malformed(data) else not_authentic():
        CELL.decrypt(data)


@given(
    header=st.tuples(
        st.sampled_from([0x40010100, 0x40010080, 0x41010100, 0]),
        st.sampled_from([12, 16, 0, 2**32 - 1]) | st.integers(0, 2**32 - 1),
        st.sampled_from([16, 18, 0, 2**32 - 1]) | st.integers(0, 2**32 - 1),
        st.integers(0, 80) | st.integers(0, 2**32 - 1),
    ),
    rest=st.binary(max_size=120),
)
def test_arbitrary_headers_are_refused(header, rest):
    """Headers that are nearly right, in front of anything, are refused."""
    data = struct.pack("<4I", *header) + rest
    with not_a_cell() if is_malformed(data) else not_authentic():
        CELL.decrypt(data, CONTEXT)


def test_the_refusal_does_not_depend_on_which_secret_was_wrong():
    """Key, context and data that are wrong give one and the same text: nothing to learn."""
    cell, sealed, context = good()
    said = set()
    for opener, data, bound in (
        (CELL, sealed, context),
        (cell, sealed, context + b"x"),
        (cell, sealed[:-1] + bytes([sealed[-1] ^ 1]), context),
        (cell, sealed[:30] + bytes([sealed[30] ^ 1]) + sealed[31:], context),
    ):
        with not_authentic() as caught:
            opener.decrypt(data, bound)
        said.add(str(caught.value))
    assert len(said) == 1
    assert type(caught.value) is SecureCellError
