# SPDX-License-Identifier: Apache-2.0
"""Secure Cell Seal with a passphrase.

Writing costs 314110 iterations each time, so cells with few iterations are made here from the
specification, with other implementations of everything.
"""

import hashlib
import os
import struct
import sys
import time

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from pythemis._core import cell_passphrases
from pythemis._themis import ffi, lib
from pythemis.exception import THEMIS_CODES
from pythemis.scell import (
    DEFAULT_ITERATIONS,
    DEFAULT_MAX_ITERATIONS,
    DEFAULT_MIN_ITERATIONS,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellError,
)
from support.cells import (
    PASSPHRASE_TOKEN,
    asks_too_much,
    cuts,
    flips,
    not_a_cell,
    not_authentic,
    quick,
    refused,
    unhex,
    vector,
    vectors,
    with_u32,
    wrong_type,
    wrong_value,
)
from support.definitions import forge, kdf_by_definition

PASSPHRASE = "pässphrase пароль"
CONTEXT = b"row 7"
MESSAGE = bytes(range(40))
CELL = quick(PASSPHRASE, iterations=DEFAULT_ITERATIONS)
ITERATIONS_AT = 48  # where the iteration count stands in a cell


def is_malformed(sealed):
    """Tell from the specification whether this cannot be a Seal cell with a passphrase."""
    if len(sealed) < 54:
        return True
    descriptor, iv_len, tag_len, message_len, kdf_len = struct.unpack_from("<5I", sealed)
    iterations, salt_len = struct.unpack_from("<IH", sealed, ITERATIONS_AT)
    return (
        descriptor not in (0x41010080, 0x410100C0, 0x41010100)
        or (iv_len, tag_len) != (12, 16)
        or message_len == 0
        or kdf_len != 6 + salt_len
        or len(sealed) != 48 + kdf_len + message_len
        or not 1 <= iterations <= 2**31 - 1
    )


def asks_too_little(count, bound):
    """Demand the refusal of a cell that wants fewer iterations than are allowed."""
    says = f"asks for {count} iterations, fewer than min_iterations of this object ({bound})"
    return refused(THEMIS_CODES.NOT_SUPPORTED, says)


def refusal(sealed, *, max_iterations=DEFAULT_MAX_ITERATIONS):
    """Give the refusal that fits the damage."""
    if is_malformed(sealed):
        return not_a_cell()
    [iterations] = struct.unpack_from("<I", sealed, ITERATIONS_AT)
    return asks_too_much() if iterations > max_iterations else not_authentic()


@pytest.mark.parametrize("case", vectors("cell_passphrase"))
def test_known_answers(case):
    """What real Themis reads, we read, and what it refuses, we refuse."""
    cell = quick(unhex(case["passphrase"]))
    sealed, context = unhex(case["cell"]), unhex(case["context"])
    if case["status"] == 0:
        assert cell.decrypt(sealed, context) == unhex(case["message"])
    else:
        with refusal(sealed):
            cell.decrypt(sealed, context)


def test_round_trip():
    """What was encrypted comes back, 70 bytes longer in between, and never twice alike."""
    cells = [CELL.encrypt(MESSAGE, CONTEXT) for _ in range(2)]
    for sealed in cells:
        assert type(sealed) is bytes
        assert len(sealed) == len(MESSAGE) + PASSPHRASE_TOKEN
        opened = CELL.decrypt(sealed, CONTEXT)
        assert type(opened) is bytes
        assert opened == MESSAGE
    for part in (slice(20, 32), slice(32, 48), slice(54, 70), slice(70, None)):
        assert cells[0][part] != cells[1][part]


def test_what_is_written_is_what_the_specification_says():
    """AES-256-GCM with PBKDF2, 314110 iterations and 16 bytes of salt stand in the header."""
    sealed = CELL.encrypt(b"m")
    assert struct.unpack_from("<5I", sealed) == (0x41010100, 12, 16, 1, 22)
    assert struct.unpack_from("<IH", sealed, ITERATIONS_AT) == (DEFAULT_ITERATIONS, 16)


@given(
    message=st.binary(min_size=1, max_size=500),
    context=st.binary(max_size=100),
    passphrase=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100),
    salt=st.binary(max_size=100),
    iterations=st.integers(1, 50),
    bits=st.sampled_from([128, 192, 256]),
)
def test_what_the_specification_defines_is_read(**parts):
    """Any message, context, text, salt, iteration count and key length are read."""
    text, message, context = (parts.pop(name) for name in ("passphrase", "message", "context"))
    sealed = forge(text.encode(), message, context, **parts)
    assert quick(text).decrypt(sealed, context) == message
    assert quick(text.encode()).decrypt(sealed, context) == message


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65529, 65535])
def test_any_salt_length_is_read(size):
    """The salt may have any length that its field can say."""
    sealed = forge(b"secret", MESSAGE, salt=bytes(size))
    assert quick(b"secret").decrypt(sealed) == MESSAGE


# ---- Damage ----


def test_every_flipped_byte_is_noticed():
    """No byte can change; one that asks for more iterations than allowed costs nothing."""
    bound = 1000
    cell = quick(PASSPHRASE, max_iterations=bound)
    for iterations in (1, 3, 700):
        sealed = forge(PASSPHRASE.encode(), MESSAGE, CONTEXT, iterations=iterations)
        assert cell.decrypt(sealed, CONTEXT) == MESSAGE
        for _, changed in flips(sealed):
            with refusal(changed, max_iterations=bound):
                cell.decrypt(changed, CONTEXT)


@pytest.mark.parametrize("name", ["pw-good", "pw-aes128", "pw-aes192", "pw-salt0", "pw-salt64"])
def test_every_flipped_byte_of_a_vector_is_noticed(name):
    """The same with what real Themis wrote."""
    case = vector("cell_passphrase", name)
    bound = 1000
    cell = quick(unhex(case["passphrase"]), max_iterations=bound)
    for _, changed in flips(unhex(case["cell"])):
        with refusal(changed, max_iterations=bound):
            cell.decrypt(changed, unhex(case["context"]))


def test_every_truncation_is_noticed():
    """A cell cut at any place is no cell."""
    for cut in cuts(forge(PASSPHRASE.encode(), MESSAGE, CONTEXT)):
        with not_a_cell():
            CELL.decrypt(cut, CONTEXT)


@pytest.mark.parametrize("tail", [b"\0", b"\xff", bytes(70), bytes(65536)])
def test_extensions_are_noticed(tail):
    """Bytes behind a cell make it none, also if they are declared as message or as KDF context."""
    sealed = forge(PASSPHRASE.encode(), MESSAGE, CONTEXT)
    longer = sealed + tail
    with not_a_cell():
        CELL.decrypt(longer, CONTEXT)
    with not_authentic():
        CELL.decrypt(with_u32(longer, 12, len(MESSAGE) + len(tail)), CONTEXT)
    with not_a_cell():
        CELL.decrypt(with_u32(longer, 16, 22 + len(tail)), CONTEXT)


@given(moved=st.integers(-40, 40).filter(bool))
def test_message_and_salt_cannot_trade_bytes(moved):
    """A salt that grows into the message, or shrinks, with all fields fitting, is refused."""
    sealed = bytearray(forge(PASSPHRASE.encode(), bytes(80), CONTEXT, salt=bytes(60)))
    struct.pack_into("<I", sealed, 12, 80 - moved)
    struct.pack_into("<I", sealed, 16, 66 + moved)
    struct.pack_into("<H", sealed, 52, 60 + moved)
    assert not is_malformed(sealed)
    with not_authentic():
        CELL.decrypt(sealed, CONTEXT)


@pytest.mark.parametrize("bit", range(32))
def test_every_bit_of_the_descriptor_counts(bit):
    """Algorithm, KDF, padding, reserved bits: a descriptor with one other bit is refused."""
    sealed = forge(PASSPHRASE.encode(), MESSAGE, CONTEXT)
    with not_a_cell():
        CELL.decrypt(with_u32(sealed, 0, 0x41010100 ^ 1 << bit), CONTEXT)


@pytest.mark.parametrize("size", range(6))
def test_a_kdf_context_without_room_for_its_numbers_is_refused(size):
    """Iterations and salt length take 6 bytes; fewer are no KDF context, though all lengths fit."""
    sealed = with_u32(forge(PASSPHRASE.encode(), MESSAGE, CONTEXT, salt=b""), 16, size)
    with not_a_cell():
        CELL.decrypt(sealed[: 48 + size] + sealed[54:], CONTEXT)
    with not_a_cell():  # the same with the message taking what the KDF context gave
        CELL.decrypt(with_u32(sealed, 12, len(MESSAGE) + 6 - size), CONTEXT)


@settings(max_examples=300)
@given(
    header=st.tuples(
        st.sampled_from([0x41010100, 0x41010080, 0x40010100]),
        st.sampled_from([12, 12, 16, 0, 2**32 - 1]),
        st.sampled_from([16, 16, 18, 0, 2**32 - 1]),
        st.integers(0, 80) | st.integers(0, 2**32 - 1),
        st.integers(0, 80) | st.integers(0, 2**32 - 1),
    ),
    kdf=st.tuples(st.integers(0, 10) | st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)),
    rest=st.binary(max_size=120),
)
def test_arbitrary_headers_are_refused(header, kdf, rest):
    """Headers that are nearly right, in front of anything, are refused at no cost."""
    data = struct.pack("<5I28x", *header) + struct.pack("<IH", *kdf) + rest
    cell = quick("x", max_iterations=10)
    with refusal(data, max_iterations=10):
        cell.decrypt(data, CONTEXT)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data):
    """Whatever it is, it is not a cell."""
    with refusal(data, max_iterations=10):
        quick("x", max_iterations=10).decrypt(data)


def test_cells_of_key_and_passphrase_are_not_confused():
    """A key does not open what a passphrase sealed, nor the other way round."""
    secret = b"secret"
    with not_a_cell() as caught:
        SCellSeal(key=secret).decrypt(forge(secret, MESSAGE))
    assert "a Seal cell made with a key" in str(caught.value)
    with not_a_cell() as caught:
        quick(secret).decrypt(SCellSeal(key=secret).encrypt(MESSAGE))
    assert "a Seal cell made with a passphrase" in str(caught.value)


@given(contexts=st.lists(st.binary(max_size=40), min_size=2, max_size=2, unique=True))
def test_another_context_is_refused(contexts):
    """Only the context of the encryption opens a cell."""
    with not_authentic():
        CELL.decrypt(forge(PASSPHRASE.encode(), MESSAGE, contexts[0]), contexts[1])


@pytest.mark.parametrize("other", ["", "x", " ", "\0x", "Pässphrase пароль"])
def test_another_passphrase_is_refused(other):
    """A passphrase that differs at its end, start or in one letter's case is another one."""
    passphrase = other if len(other) > 2 else PASSPHRASE + (other or "X")
    with not_authentic():
        quick(passphrase).decrypt(forge(PASSPHRASE.encode(), MESSAGE))


def test_zeros_behind_a_passphrase_make_no_other():
    """PBKDF2 is HMAC underneath, which pads short keys with zeros: this is so in every Themis."""
    sealed = forge(b"secret", MESSAGE)
    assert quick(b"secret\0").decrypt(sealed) == MESSAGE


# ---- A cell that changes while it is read ----


def test_a_header_that_changes_between_two_looks_is_looked_at_once(monkeypatch):
    """The output was made for one length: it does not matter that the cell now claims another."""
    output = cell_passphrases.new_output
    cell = quick(b"x", max_iterations=10)
    first = forge(b"x", b"m" * 10, salt=bytes(60000))
    second = forge(b"x", b"m" * 60010, salt=b"")
    assert len(first) == len(second)
    shared = bytearray(first)

    def output_while_somebody_writes(size):
        assert size == 10
        shared[:] = second
        return output(size)

    # Somebody else writes into the shared memory after the length was looked up.
    shared_view = memoryview(shared)
    monkeypatch.setattr(cell_passphrases, "new_output", output_while_somebody_writes)
    assert cell.decrypt(shared_view) == b"m" * 10
    assert shared == second


@pytest.mark.parametrize("claimed", [0, 1, 39, 41, 2**32, sys.maxsize])
def test_c_writes_only_as_much_as_it_was_given_room_for(claimed):
    """The core compares the room for the message with what the header says."""
    made = ffi.new("themis_passphrase **")
    assert lib.themis_passphrase_new(b"x", 1, 10, 1, 10, made) == lib.THEMIS_SUCCESS
    passphrase = ffi.gc(made[0], lib.themis_passphrase_free)
    sealed, out = forge(b"x", MESSAGE), ffi.new("uint8_t[]", 100)
    unseal = lib.themis_passphrase_unseal
    status = unseal(passphrase, sealed, len(sealed), ffi.NULL, 0, out, claimed)
    assert status == lib.THEMIS_INVALID_PARAMETER
    assert bytes(ffi.buffer(out)) == bytes(100)
    status = unseal(passphrase, sealed, len(sealed) - 1, ffi.NULL, 0, out, len(MESSAGE))
    assert status == lib.THEMIS_INVALID_PARAMETER
    assert bytes(ffi.buffer(out)) == bytes(100)
    status = unseal(passphrase, sealed, len(sealed), ffi.NULL, 0, out, len(MESSAGE))
    assert status == lib.THEMIS_SUCCESS
    assert bytes(ffi.buffer(out)) == MESSAGE + bytes(60)


# ---- Iterations ----


@pytest.mark.parametrize("iterations", [0, 2**31, 2**32 - 1])
def test_an_iteration_count_that_the_format_rules_out_is_refused(iterations):
    """Zero and what has bit 31 set are no counts, whatever the bound."""
    sealed = with_u32(forge(b"x", MESSAGE), ITERATIONS_AT, iterations)
    with not_a_cell():
        quick("x", max_iterations=2**31 - 1).decrypt(sealed)


@pytest.mark.timing
@pytest.mark.parametrize("iterations", [DEFAULT_MAX_ITERATIONS + 1, 2**31 - 1])
def test_a_hostile_iteration_count_costs_nothing(iterations):
    """A cell that asks for minutes is refused at once, and the error names the way out."""
    sealed = with_u32(forge(PASSPHRASE.encode(), MESSAGE), ITERATIONS_AT, iterations)
    spent = []
    for _ in range(3):  # in one of them Python may collect its garbage
        start = time.process_time()
        with asks_too_much():
            CELL.decrypt(sealed)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


def test_both_bounds_are_inclusive_and_can_be_moved():
    """Cells with as many iterations as a bound are read, with one more or less refused."""
    cell = quick("x", min_iterations=500, iterations=700, max_iterations=1000)
    for iterations in (500, 501, 999, 1000):
        assert cell.decrypt(forge(b"x", MESSAGE, iterations=iterations)) == MESSAGE
    with asks_too_much():
        cell.decrypt(forge(b"x", MESSAGE, iterations=1001))
    with asks_too_little(499, 500):
        cell.decrypt(forge(b"x", MESSAGE, iterations=499))


def test_the_default_bounds_read_what_themis_wrote():
    """200000, as 0.13 wrote, is read, and 199999 is refused, until the bound is moved."""
    assert (DEFAULT_MIN_ITERATIONS, DEFAULT_ITERATIONS) == (200_000, 314_110)
    assert DEFAULT_MAX_ITERATIONS == 5_000_000
    by_default = SCellSeal(passphrase="x")
    assert by_default.decrypt(forge(b"x", MESSAGE, iterations=200_000)) == MESSAGE
    fewer = forge(b"x", MESSAGE, iterations=199_999)
    with asks_too_little(199_999, 200_000):
        by_default.decrypt(fewer)
    assert SCellSeal(passphrase="x", min_iterations=1).decrypt(fewer) == MESSAGE


@pytest.mark.parametrize("iterations", [0, 1, 4, 6, 7])
def test_every_way_of_reading_obeys_the_bounds(monkeypatch, iterations):
    """Objects, buffers and lists refuse a count outside the bounds before any PBKDF2."""

    def stretched(_):
        raise AssertionError("work was done")

    monkeypatch.setattr(cell_passphrases, "stretched", stretched)
    cell = quick("x", min_iterations=5, iterations=5, max_iterations=5)
    sealed = with_u32(forge(b"x", MESSAGE), ITERATIONS_AT, iterations)
    room = bytearray(sealed)
    bound = "fewer than min" if iterations < 5 else "more than max"
    code = THEMIS_CODES.NOT_SUPPORTED
    says = f"asks for {iterations} iterations, {bound}_iterations of this object (5)"
    if iterations == 0:
        code, says = (
            THEMIS_CODES.INVALID_PARAMETER,
            "this is not a Seal cell made with a passphrase",
        )
    for read in (
        lambda: cell.decrypt(sealed),
        lambda: cell.decrypt(memoryview(sealed)),
        lambda: cell.decrypt_into(bytearray(100), sealed),
        lambda: cell.decrypt_into(memoryview(room)[PASSPHRASE_TOKEN:], room),
        lambda: cell.decrypt_many([sealed]),
        lambda: cell.decrypt_many([sealed, sealed], threads=2),
    ):
        with refused(code, says):
            read()
    assert room == sealed


@pytest.mark.slow
@pytest.mark.timing
def test_raising_the_default_bound_works():
    """A cell with more than five million iterations is read by who asked for it."""
    sealed = forge(b"x", MESSAGE, iterations=DEFAULT_MAX_ITERATIONS + 1)
    with asks_too_much():
        SCellSeal(passphrase="x").decrypt(sealed)
    raised = SCellSeal(passphrase="x", max_iterations=DEFAULT_MAX_ITERATIONS + 1)
    assert raised.decrypt(sealed) == MESSAGE


def test_the_iterations_of_new_cells_are_the_callers():
    """Objects, buffers and lists write the count that they were given, and read it again."""
    cell = SCellSeal(passphrase="x", iterations=7, min_iterations=5, max_iterations=9)
    room = bytearray(len(MESSAGE) + PASSPHRASE_TOKEN)
    assert cell.encrypt_into(room, MESSAGE) == len(room)
    for sealed in (cell.encrypt(MESSAGE), bytes(room), *cell.encrypt_many([MESSAGE], threads=2)):
        assert struct.unpack_from("<IH", sealed, ITERATIONS_AT) == (7, 16)
        assert quick(b"x").decrypt(sealed) == cell.decrypt(sealed) == MESSAGE
    more = SCellSealPassphrase("x", iterations=600_000).encrypt(MESSAGE)
    assert struct.unpack_from("<I", more, ITERATIONS_AT) == (600_000,)
    assert SCellSeal(passphrase="x").decrypt(more) == MESSAGE


MIN = "min_iterations (200000 unless given) must be 1 to max_iterations"
WRITTEN = "iterations (314110 unless given) must be min_iterations"


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        *(
            ({"max_iterations": bound}, "max_iterations must be 1 to 2147483647")
            for bound in (0, -1, 2**31, 2**32, 2**64)
        ),
        *(({"min_iterations": n}, f"{MIN} (5000000)") for n in (0, -1, 5_000_001, 2**64)),
        ({"max_iterations": 199_999}, f"{MIN} (199999)"),
        *(
            ({"iterations": n}, f"{WRITTEN} (200000) to max_iterations (5000000)")
            for n in (0, -1, 199_999, 5_000_001, 2**64)
        ),
        ({"min_iterations": 400_000}, f"{WRITTEN} (400000) to max_iterations (5000000)"),
        ({"max_iterations": 200_000}, f"{WRITTEN} (200000) to max_iterations (200000)"),
    ],
)
def test_impossible_iterations_are_refused(numbers, says):
    """1 to min_iterations to iterations to max_iterations to 2^31-1 is the order."""
    for make in (SCellSeal, SCellSealPassphrase):
        with wrong_value(says):
            make(passphrase="x", **numbers)


@pytest.mark.parametrize("name", ["iterations", "min_iterations", "max_iterations"])
@pytest.mark.parametrize("number", [1e6, "1000000", b"\1", True, None])
def test_iterations_that_are_no_int_are_refused(name, number):
    """Each of them is an int, and neither a bool nor None."""
    for make in (SCellSeal, SCellSealPassphrase):
        with wrong_type(f"{name} must be an int"):
            make(passphrase="x", **{name: number})


# ---- GCM commits to no key ----


def times(x, y):
    """Multiply in GCM's field: bit 127 is the coefficient of x^0."""
    product = 0
    for at in range(127, -1, -1):
        product ^= x if y >> at & 1 else 0
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return product


def inverse(x):
    """Give x^(2^128 - 2)."""
    product = 1 << 127
    for _ in range(127):
        x = times(x, x)
        product = times(product, x)
    return product


def value(coefficients, x):
    """Give a polynomial's value; its constant term comes first."""
    total = 0
    for coefficient in reversed(coefficients):
        total = times(total, x) ^ coefficient
    return total


def opening_under_all(keys, nonce, tag):
    """Make a ciphertext of one block a key that has this tag under each of these AES keys.

    Its blocks are the coefficients of the polynomial that takes the value which the tag demands
    at each key's point of authentication.
    """
    found, vanishing = [0], [1 << 127]  # the polynomial, and one that is zero at all points so far
    for key in keys:
        block = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update
        point = int.from_bytes(block(bytes(16)), "big")
        mask = int.from_bytes(block(nonce + b"\0\0\0\1"), "big")
        lengths = times(128 * len(keys), point)
        wanted = times(int.from_bytes(tag, "big") ^ mask ^ lengths, inverse(times(point, point)))
        missing = wanted ^ value(found, point)
        factor = times(missing, inverse(value(vanishing, point)))
        found = [a ^ times(factor, b) for a, b in zip([*found, 0], vanishing, strict=False)]
        scaled = [times(point, coefficient) for coefficient in vanishing]
        vanishing = [a ^ b for a, b in zip([0, *vanishing], [*scaled, 0], strict=True)]
    return b"".join(block.to_bytes(16, "big") for block in reversed(found[: len(keys)]))


def message_key(master, size):
    """Derive the key of a message without a context."""
    length = struct.pack("<I", size)
    return kdf_by_definition(master, b"Themis secure cell message key", [length], 32)


def test_one_cell_opens_under_many_passphrases():
    """The format cannot prevent it, as the security page says; the default bound refuses this one.

    With few iterations such a cell is made in no time.
    """
    words = [b"word %d" % number for number in range(64)]
    salt, nonce, tag, size = b"s" * 16, os.urandom(12), os.urandom(16), 16 * len(words)
    keys = [message_key(hashlib.pbkdf2_hmac("sha256", word, salt, 1, 32), size) for word in words]
    header = struct.pack("<5I", 0x41010100, 12, 16, size, 22)
    kdf_context = struct.pack("<IH", 1, 16) + salt
    sealed = header + nonce + tag + kdf_context + opening_under_all(keys, nonce, tag)
    assert len(sealed) == 1094
    assert len({quick(word).decrypt(sealed) for word in words}) == len(words)
    with not_authentic():
        quick(b"word 64").decrypt(sealed)
    with asks_too_little(1, DEFAULT_MIN_ITERATIONS):
        SCellSeal(passphrase=words[0]).decrypt(sealed)


def test_one_cell_opens_under_two_keys():
    """The same with keys, for an attacker that chooses both."""
    ours, theirs = os.urandom(32), os.urandom(32)
    nonce, tag = os.urandom(12), os.urandom(16)
    encrypted = opening_under_all([message_key(key, 32) for key in (ours, theirs)], nonce, tag)
    token = struct.pack("<4I", 0x40010100, 12, 16, 32) + nonce + tag
    messages = {SCellSeal(key).decrypt(token + encrypted) for key in (ours, theirs)}
    assert len(messages) == 2
    assert messages == {SCellTokenProtect(key).decrypt(encrypted, token) for key in (ours, theirs)}
    with not_authentic():
        SCellSeal(os.urandom(32)).decrypt(token + encrypted)


# ---- Text ----


def test_text_is_utf8_unless_told_otherwise():
    """A str is UTF-8 as in other languages; another encoding is another passphrase."""
    utf8, latin = "pässphrase".encode(), "pässphrase".encode("latin-1")
    assert quick("pässphrase").decrypt(forge(utf8, MESSAGE)) == MESSAGE
    cell = quick("pässphrase", encoding="latin-1")
    assert cell.decrypt(forge(latin, MESSAGE)) == MESSAGE
    with not_authentic():
        cell.decrypt(forge(utf8, MESSAGE))


def test_text_is_not_normalised():
    """One letter in two Unicode forms is two passphrases, as in every Themis."""
    composed, decomposed = "\u00e9", "e\u0301"
    with not_authentic():
        quick(decomposed).decrypt(forge(composed.encode(), MESSAGE))


@pytest.mark.parametrize(
    ("form", "typed"),
    [
        ("NFC", "e\u0301\u212b"),
        ("NFC", "\u00e9A\u030a"),
        ("NFKC", "\u00e9\uff21\u030a"),
    ],
)
def test_text_is_normalised_on_request(form, typed):
    """However a keyboard composes it, it is one passphrase, in every method."""
    cell = quick(typed, normalize=form)
    plain = quick("\u00e9\u00c5")
    assert cell.decrypt(plain.encrypt(MESSAGE)) == MESSAGE
    assert plain.decrypt(cell.encrypt(MESSAGE)) == MESSAGE
    room = bytearray(len(MESSAGE))
    assert cell.decrypt_into(room, forge("\u00e9\u00c5".encode(), MESSAGE)) == len(MESSAGE)
    assert room == MESSAGE
    assert cell.decrypt_many(plain.encrypt_many([MESSAGE])) == [MESSAGE]
    latin = quick(typed, normalize=form, encoding="latin-1")
    assert latin.decrypt(forge(b"\xe9\xc5", MESSAGE)) == MESSAGE


def test_normalising_is_for_text_and_has_two_forms():
    """Another form, and a passphrase of bytes, are refused."""
    for make in (SCellSeal, SCellSealPassphrase):
        for form in ("NFD", "NFKD", "nfc", ""):
            with wrong_value("normalize must be 'NFC', 'NFKC' or None"):
                make(passphrase="x", normalize=form)
        for form in (True, b"NFC", 1):
            with wrong_type("normalize must be 'NFC', 'NFKC' or None"):
                make(passphrase="x", normalize=form)
        with wrong_value("normalize is for a passphrase of type str, not for bytes"):
            make(passphrase=b"x", normalize="NFC")
        with wrong_value("the passphrase is empty"):
            make(passphrase="", normalize="NFC")


@pytest.mark.timing
def test_normalising_costs_little_whatever_is_typed():
    """Python's own normalising takes quadratic time for many accents: 4 s for 40000 of them."""
    accents = "\u0301\u0323" * 512
    start = time.process_time()
    SCellSeal(passphrase=accents, normalize="NFC")
    with wrong_value("a passphrase of more than 1024 characters is not normalised"):
        SCellSeal(passphrase=accents * 1000, normalize="NFC")
    assert time.process_time() - start < 0.5


def test_bytes_ignore_the_encoding():
    """A passphrase of bytes is taken as it is."""
    cell = quick(b"\xff\xfe\0", encoding="ascii")
    assert cell.decrypt(forge(b"\xff\xfe\0", MESSAGE)) == MESSAGE


@pytest.mark.parametrize(
    ("passphrase", "encoding"),
    [
        *(("päss", "ascii"), ("\ud800", "utf-8"), ("a..b", "idna"), ("x", "undefined")),
        # PyPy says that it does not know such an encoding, and so do we there.
        *([("x", "a\0b")] if sys.implementation.name == "cpython" else []),
    ],
)
def test_text_that_the_encoding_cannot_express_is_refused(passphrase, encoding):
    """The error names the encoding and neither shows the passphrase nor leads to it."""
    with wrong_value("the passphrase cannot be expressed in ") as caught:
        SCellSeal(passphrase=passphrase, encoding=encoding)
    assert repr(encoding) in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("encoding", ["no-such-encoding", "rot13", "hex", "base64"])
def test_an_encoding_that_does_not_exist_is_refused(encoding):
    """Only encodings of text into bytes will do; it is not shown, for it may be the passphrase."""
    with wrong_value("this encoding is not known; the passphrase comes first") as caught:
        SCellSeal(passphrase="text", encoding=encoding)
    assert encoding not in str(caught.value)


@pytest.mark.parametrize("encoding", [None, b"utf-8", 8])
def test_an_encoding_is_named_by_a_str(encoding):
    """An encoding of another type is a wrong type."""
    with wrong_type("encoding must be the name of one, a str"):
        SCellSeal(passphrase="text", encoding=encoding)


@pytest.mark.parametrize("passphrase", ["", b"", bytearray(), memoryview(b"")])
def test_an_empty_passphrase_is_refused(passphrase):
    """A passphrase has at least one byte."""
    with wrong_value("the passphrase is empty"):
        SCellSeal(passphrase=passphrase)


def test_the_refusal_does_not_depend_on_which_secret_was_wrong():
    """Passphrase, context and data that are wrong give one and the same text."""
    sealed = forge(PASSPHRASE.encode(), MESSAGE, CONTEXT)
    said = set()
    for cell, data, context in (
        (quick("other"), sealed, CONTEXT),
        (CELL, sealed, b"other"),
        (CELL, sealed[:-1] + bytes([sealed[-1] ^ 1]), CONTEXT),
    ):
        with not_authentic() as caught:
            cell.decrypt(data, context)
        said.add(str(caught.value))
    assert len(said) == 1
    assert type(caught.value) is SecureCellError
