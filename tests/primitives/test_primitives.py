# SPDX-License-Identifier: Apache-2.0
"""The primitives below Secure Cell, reached through the compiled module's self-tests."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis._themis import ffi, lib
from pythemis.exception import THEMIS_CODES
from support.cells import flips, unhex, vectors
from support.definitions import HEADER, boxed, kdf_by_definition

SUCCESS = lib.THEMIS_SUCCESS
INVALID = lib.THEMIS_INVALID_PARAMETER
CORRUPT = lib.THEMIS_DATA_CORRUPT
MAX_CONTEXTS = 8


def kdf(key, label, contexts, size):
    """Derive `size` bytes with the C core: (status, bytes)."""
    run = b"".join(struct.pack("<I", len(context)) + context for context in contexts)
    return raw_kdf(key, label, run, size)


def raw_kdf(key, label, run, size):
    """Derive with contexts as they are handed to C."""
    out = ffi.new("uint8_t[]", size + 1)  # one more, which must stay as it is
    out[size] = 0xA5
    status = lib.themis_testing_kdf(key, len(key), label, len(label), run, len(run), out, size)
    assert out[size] == 0xA5
    return status, bytes(ffi.buffer(out, size))


def on_heap(data):
    """Copy bytes into a block of exactly their size."""
    block = ffi.new("uint8_t[]", len(data))
    ffi.buffer(block)[:] = data
    return block


def read_box(container, tag):
    """Read a container with the C core: (status, payload length)."""
    length = ffi.new("size_t *", 99)
    # A copy on the heap that ends where the container ends: valgrind sees reads past it.
    exact = on_heap(container)
    status = lib.themis_testing_container_read(exact, len(container), tag, length)
    return status, length[0]


# ---- Key derivation ----


@pytest.mark.hooks
@pytest.mark.parametrize("case", vectors("soter_kdf"))
def test_kdf_gives_the_known_answers(case):
    """The KDF derives what real Themis derives, also without a key."""
    key, label, output = (unhex(case[name]) for name in ("key", "label", "output"))
    contexts = [unhex(context) for context in case["contexts"]]
    assert kdf(key or b"", label, contexts, len(output)) == (SUCCESS, output)


@pytest.mark.hooks
@given(
    key=st.binary(max_size=200),
    label=st.binary(max_size=80),
    contexts=st.lists(st.binary(max_size=80), max_size=MAX_CONTEXTS),
    size=st.integers(0, 32),
)
def test_kdf_is_what_the_specification_defines(key, label, contexts, size):
    """For any key, label, contexts and length the KDF is HMAC-SHA256 of their join, cut."""
    expected = kdf_by_definition(key, label, contexts, size)
    assert kdf(key, label, contexts, size) == (SUCCESS, expected)


@pytest.mark.hooks
def test_kdf_cannot_tell_where_one_context_ends():
    """Contexts are joined without separators, as they always were: only their join counts."""
    assert kdf(b"k", b"l", [b"ab", b"c"], 32) == kdf(b"k", b"l", [b"a", b"", b"bc"], 32)


@pytest.mark.hooks
def test_keyless_kdf_can_tell_where_one_context_ends():
    """Without a key each context enters the implicit key from its start, so the split counts."""
    assert kdf(b"", b"l", [b"ab", b"c"], 32) != kdf(b"", b"l", [b"a", b"bc"], 32)


@pytest.mark.hooks
def test_keyless_kdf_of_nothing_has_the_zero_key():
    """An empty label and no contexts make an implicit key of zeros."""
    expected = hmac.new(bytes(32), b"\0\0\0\1\0", hashlib.sha256).digest()
    assert kdf(b"", b"", [], 32) == (SUCCESS, expected)


@pytest.mark.hooks
@pytest.mark.parametrize("size", [1, 31, 32, 33, 63])
def test_hmac_pads_short_keys_with_zeros(size):
    """A key of less than 64 bytes and the same key with zeros behind it are one key."""
    key = bytes(range(1, size + 1))
    assert kdf(key, b"l", [], 32) == kdf(key + b"\0", b"l", [], 32)
    assert kdf(key, b"l", [], 32) == kdf(key.ljust(64, b"\0"), b"l", [], 32)


@pytest.mark.hooks
def test_hmac_hashes_keys_beyond_a_block():
    """A key of 65 bytes stands for its SHA-256; one of 64 bytes stands for itself."""
    longer, whole = bytes(range(65)), bytes(range(64))
    assert kdf(longer, b"l", [], 32) == kdf(hashlib.sha256(longer).digest(), b"l", [], 32)
    assert kdf(whole, b"l", [], 32) != kdf(hashlib.sha256(whole).digest(), b"l", [], 32)
    assert kdf(whole, b"l", [], 32) != kdf(whole + b"\0", b"l", [], 32)


@pytest.mark.hooks
def test_kdf_refuses_more_than_a_digest():
    """33 bytes are more than the KDF can give, and nothing is written."""
    assert kdf(b"k", b"l", [], 33) == (INVALID, bytes(33))
    assert kdf(b"", b"l", [], 33) == (INVALID, bytes(33))


@pytest.mark.hooks
def test_kdf_refuses_a_ninth_context():
    """Eight contexts are the most; a ninth is refused, not written past the list."""
    assert kdf(b"k", b"l", [b""] * 8, 32)[0] == SUCCESS
    assert kdf(b"k", b"l", [b""] * 9, 32) == (INVALID, bytes(32))


@pytest.mark.hooks
@pytest.mark.parametrize(
    "run", [b"\0", b"\0\0\0", b"\1\0\0\0", b"\0\0\0\0\1", b"\xff\xff\xff\xff" + bytes(9)]
)
def test_kdf_refuses_contexts_cut_short(run):
    """A context whose length or bytes are not all there is refused."""
    assert raw_kdf(b"k", b"l", run, 32) == (INVALID, bytes(32))


# ---- Container ----


@pytest.mark.hooks
@pytest.mark.parametrize("case", vectors("soter_container"))
def test_containers_are_read_and_written_as_real_themis_does(case):
    """Both directions give the known answers."""
    container, payload, tag = unhex(case["container"]), unhex(case["payload"]), case["tag"].encode()
    assert read_box(container, tag) == (SUCCESS, len(payload))
    made = on_heap(bytes(HEADER) + payload)
    assert lib.themis_testing_container_write(made, len(container), tag) == SUCCESS
    assert bytes(ffi.buffer(made, len(container))) == container


@pytest.mark.hooks
@given(tag=st.binary(min_size=4, max_size=4).filter(lambda tag: 0 not in tag), payload=st.binary())
def test_containers_are_what_the_specification_defines(tag, payload):
    """Any tag and payload make the container that the definition gives, and it is read back."""
    made = on_heap(bytes([0xEE] * HEADER) + payload)
    assert lib.themis_testing_container_write(made, len(made), tag) == SUCCESS
    assert bytes(ffi.buffer(made)) == boxed(tag, payload)
    assert read_box(bytes(ffi.buffer(made)), tag) == (SUCCESS, len(payload))


@pytest.mark.hooks
def test_every_changed_byte_of_a_container_is_noticed():
    """Tag, size, checksum and payload: no byte can change."""
    container = boxed(b"UEC2", bytes(range(33)))
    for at, changed in flips(container):
        # A larger size claims more than is there; a smaller one spoils the checksum.
        larger = 4 <= at < 8 and struct.unpack_from(">I", changed, 4)[0] > len(container)
        tiny = 4 <= at < 8 and struct.unpack_from(">I", changed, 4)[0] < HEADER
        expected = INVALID if larger or tiny else CORRUPT
        assert read_box(changed, b"UEC2") == (expected, 0), at


@pytest.mark.hooks
def test_every_truncation_of_a_container_is_refused():
    """A container that is cut anywhere does not fit its size field."""
    container = boxed(b"TSPM", bytes(20))
    for size in range(len(container)):
        assert read_box(container[:size], b"TSPM") == (INVALID, 0), size


@pytest.mark.hooks
def test_what_follows_a_container_is_left_alone():
    """A container ends where its size says; what follows is the next reader's."""
    assert read_box(boxed(b"TSPM", b"payload") + b"more", b"TSPM") == (SUCCESS, 7)


@pytest.mark.hooks
@pytest.mark.parametrize("size", [0, 1, 8, 11, 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_size_field_that_lies_is_refused(size):
    """Sizes below the header or beyond the end are refused, whatever the checksum."""
    assert read_box(boxed(b"TSPM", b"payload", size=size), b"TSPM") == (INVALID, 0)


@pytest.mark.hooks
def test_a_size_field_that_cuts_the_payload_spoils_the_checksum():
    """A size between header and end is believed, and then the checksum does not fit."""
    for size in range(HEADER, HEADER + 7):
        assert read_box(boxed(b"TSPM", b"payload", size=size), b"TSPM") == (CORRUPT, 0)


@pytest.mark.hooks
@pytest.mark.parametrize("tag", [b"TSPm", b"tSPM", b"TSP", b"TSPMM", b""])
def test_a_sound_container_of_another_tag_is_refused(tag):
    """The tag must be the one that was asked for, all four characters of it."""
    status, _ = read_box(boxed(b"TSPM", b"payload"), tag)
    assert status == INVALID


@pytest.mark.hooks
def test_a_container_is_not_written_without_room_for_its_header():
    """Less than 12 bytes, or a tag that is not 4 characters, cannot become a container."""
    room = ffi.new("uint8_t[]", 16)
    assert lib.themis_testing_container_write(room, 11, b"TSPM") == INVALID
    assert lib.themis_testing_container_write(room, 16, b"TSP") == INVALID
    assert lib.themis_testing_container_write(room, 16, b"TSPMM") == INVALID
    assert bytes(ffi.buffer(room)) == bytes(16)


@pytest.mark.hooks
def test_a_container_is_not_written_beyond_its_size_field():
    """What a u32 cannot count cannot become a container; nothing is touched."""
    room = ffi.new("uint8_t[]", 16)
    assert lib.themis_testing_container_write(room, 2**32, b"TSPM") == INVALID
    assert bytes(ffi.buffer(room)) == bytes(16)


# ---- Status ----


def test_initialising_again_is_fine():
    """themis_init answers SUCCESS however often it is called."""
    assert [lib.themis_init() for _ in range(3)] == [SUCCESS] * 3


def test_every_status_has_a_text_of_its_own():
    """No two documented codes have the same text, and an unknown one is said to be that."""
    codes = set(THEMIS_CODES) - {THEMIS_CODES.NETWORK_ERROR}  # which is of Python alone
    texts = [ffi.string(lib.themis_status_text(code)).decode() for code in sorted(codes)]
    assert len(set(texts)) == len(texts) == 13
    assert "unknown status" not in texts
    for code in (-1, 2, 10, 22, 2222, 2**31 - 1):
        assert ffi.string(lib.themis_status_text(code)) == b"unknown status"


# ---- Handles ----


def test_freeing_nothing_is_fine():
    """The free functions take NULL."""
    lib.themis_cell_free(ffi.NULL)
    lib.themis_passphrase_free(ffi.NULL)


@pytest.mark.parametrize(("key", "size"), [(ffi.NULL, 0), (ffi.NULL, 1), (b"k", 0)])
def test_c_refuses_an_empty_key_by_itself(key, size):
    """The core does not rely on Python: no bytes make no key and no passphrase."""
    cell, passphrase = ffi.new("themis_cell **"), ffi.new("themis_passphrase **")
    assert lib.themis_cell_new(key, size, 0, cell) == INVALID
    assert lib.themis_passphrase_new(key, size, 1, 1, 1, passphrase) == INVALID
    assert cell[0] == passphrase[0] == ffi.NULL


@pytest.mark.parametrize(
    "numbers", [(0, 0, 0), (1, 0, 1), (1, 2, 2), (3, 1, 2), (1, 1, 2**31), (1, 2, 1)]
)
def test_c_refuses_iterations_outside_their_bounds(numbers):
    """What is written lies between the bounds of what is read, from 1 to 2^31-1."""
    made = ffi.new("themis_passphrase **")
    assert lib.themis_passphrase_new(b"secret", 6, *numbers, made) == INVALID
    assert made[0] == ffi.NULL


@pytest.fixture
def cell():
    """Give a prepared key of the C core."""
    made = ffi.new("themis_cell **")
    assert lib.themis_cell_new(b"key", 3, 0, made) == SUCCESS
    return ffi.gc(made[0], lib.themis_cell_free)


@pytest.fixture
def passphrase():
    """Give a prepared passphrase of the C core."""
    made = ffi.new("themis_passphrase **")
    assert lib.themis_passphrase_new(b"secret", 6, 5, 1, 5, made) == SUCCESS
    return ffi.gc(made[0], lib.themis_passphrase_free)


@pytest.mark.parametrize("size", [0, 2**32, 2**40])
def test_c_refuses_impossible_message_lengths_by_itself(cell, passphrase, size):
    """No function of a cell touches a message that is empty or beyond 2^32-1 bytes."""
    data, out = ffi.new("uint8_t[]", 100), ffi.new("uint8_t[]", 100)
    context = (b"context", 7)
    assert lib.themis_cell_seal(cell, data, size, *context, out, 100) == INVALID
    assert lib.themis_cell_protect(cell, data, size, *context, out, 100, out) == INVALID
    assert lib.themis_cell_unprotect(cell, data, size, data, *context, out, 100) == INVALID
    assert lib.themis_cell_unseal(cell, data, 44 + size, *context, out, 100) == INVALID
    assert lib.themis_cell_imprint(cell, data, size, *context, out, 100) == INVALID
    assert lib.themis_passphrase_seal(passphrase, data, size, *context, out, 100) == INVALID
    assert bytes(ffi.buffer(out)) == bytes(100)


def test_c_refuses_less_than_a_token_by_itself(cell):
    """What is not longer than a token cannot be unsealed."""
    out = ffi.new("uint8_t[]", 100)
    for size in range(45):
        assert lib.themis_cell_unseal(cell, bytes(44), size, ffi.NULL, 0, out, 100) == INVALID
    assert bytes(ffi.buffer(out)) == bytes(100)
