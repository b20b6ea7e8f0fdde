# SPDX-License-Identifier: Apache-2.0
"""Message sizes: around blocks and pieces, beyond 2^31, and one more than there can be.

The tests marked big_memory need 20 GB and some ten minutes; run them alone:
make test PYTEST_ARGS='-m big_memory'
"""

import mmap
import random

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from support.cells import PASSPHRASE_TOKEN, TOKEN, not_a_cell, not_authentic, quick, wrong_value
from support.definitions import forge, kdf_by_definition

KEY = b"k" * 32
CONTEXT = b"context"
MOST = 2**32 - 1
PIECE = 2**30  # what the core hands to OpenSSL at once
SIZES = sorted(
    {
        *range(1, 70),
        *(edge + step for edge in (128, 256, 4096, 16384, 65536, 1 << 20) for step in (-1, 0, 1)),
        3_000_017,
    }
)
LARGE = [PIECE - 1, PIECE, PIECE + 1, 2**31 - 1, 2**31, 2**31 + 1, 3 * PIECE, 3 * PIECE + 17]


def message_of(size):
    """Make a message of a size whose bytes cannot be predicted; the size is its seed."""
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("size", SIZES)
def test_every_mode_round_trips_at_every_edge(size):
    """Lengths around blocks, pages and pieces come back, and the computed lengths are the real."""
    message = message_of(size)
    seal, protect, imprint = SCellSeal(KEY), SCellTokenProtect(KEY), SCellContextImprint(KEY)
    sealed = seal.encrypt(message, CONTEXT)
    assert len(sealed) == size + TOKEN
    assert seal.decrypt(sealed, CONTEXT) == message
    encrypted, token = protect.encrypt(message, CONTEXT)
    assert (len(encrypted), len(token)) == (size, TOKEN)
    assert protect.decrypt(encrypted, token, CONTEXT) == message
    encrypted = imprint.encrypt(message, CONTEXT)
    assert len(encrypted) == size
    assert imprint.decrypt(encrypted, CONTEXT) == message
    by_passphrase = forge(KEY, message, CONTEXT)
    assert len(by_passphrase) == size + PASSPHRASE_TOKEN
    assert quick(KEY).decrypt(by_passphrase, CONTEXT) == message


@pytest.mark.parametrize("size", SIZES)
def test_contexts_round_trip_at_every_edge(size):
    """The same for the context's length; its last byte counts."""
    context = message_of(size)
    other = context[:-1] + bytes([context[-1] ^ 1])
    seal, imprint = SCellSeal(KEY), SCellContextImprint(KEY)
    sealed = seal.encrypt(b"message", context)
    assert seal.decrypt(sealed, context) == b"message"
    with not_authentic():
        seal.decrypt(sealed, other)
    encrypted = imprint.encrypt(b"message", context)
    assert imprint.decrypt(encrypted, context) == b"message"
    assert imprint.decrypt(encrypted, other) != b"message"


# ---- More than there can be ----


@pytest.fixture(scope="module")
def endless():
    """Give 4 GiB and 100 bytes of zeros that need no memory: nobody touches them."""
    return memoryview(mmap.mmap(-1, 2**32 + 100))


@pytest.mark.parametrize("size", [2**32, 2**32 + 1, 2**32 + 100])
def test_a_message_beyond_the_length_field_is_refused(endless, size):
    """2^32 bytes and more are refused by every mode, never cut to what fits."""
    message = endless[:size]
    says = f"the message has {size} bytes; it must have 1 to 4294967295"
    for cell in (
        SCellSeal(KEY),
        quick(KEY),
        SCellTokenProtect(KEY),
        SCellContextImprint(KEY),
    ):
        with wrong_value(says):
            cell.encrypt(message, CONTEXT)
    with wrong_value(says):
        SCellContextImprint(KEY).decrypt(message, CONTEXT)


def test_an_array_beyond_the_length_field_is_refused():
    """The same for an array whose items are larger than a byte: bytes are what counts."""
    array = np.zeros(2**29, np.uint64)
    with wrong_value(f"the message has {2**32} bytes"):
        SCellSeal(KEY).encrypt(array)


@pytest.mark.slow
@pytest.mark.evidence
def test_an_encrypted_message_beyond_the_length_field_is_refused(endless):
    """What is longer than any cell is no cell, whatever stands in it."""
    protect = SCellTokenProtect(KEY)
    _, token = protect.encrypt(b"m", CONTEXT)
    with wrong_value(f"the encrypted message has {2**32} bytes"):
        protect.decrypt(endless[: 2**32], token, CONTEXT)
    with not_a_cell():
        SCellSeal(KEY).decrypt(endless[: MOST + TOKEN + 1], CONTEXT)
    for size in (MOST + PASSPHRASE_TOKEN, MOST + PASSPHRASE_TOKEN + 1):
        with not_a_cell():
            quick(KEY).decrypt(endless[:size], CONTEXT)


def test_a_token_may_stand_in_front_of_gigabytes(endless):
    """What follows a token is ignored, also when it is more than 4 GiB."""
    protect = SCellTokenProtect(KEY)
    encrypted, token = protect.encrypt(b"m", CONTEXT)
    with not_a_cell():
        protect.decrypt(encrypted, endless, CONTEXT)
    with mmap.mmap(-1, 2**32 + 100) as mapping:
        mapping[:TOKEN] = token
        assert protect.decrypt(encrypted, mapping, CONTEXT) == b"m"


# ---- Gigabytes ----


def numbered(size):
    """Make a message of a size in which no four aligned bytes come twice."""
    return np.arange(-(-size // 4), dtype=np.uint32).tobytes()[:size]


def assert_windows(encrypted, message, key, start):
    """Compare with another implementation of CTR around every piece's edge."""
    block = int.from_bytes(start, "big")
    size = len(message)
    for edge in (0, *range(PIECE, size, PIECE), 2**31, size):
        at = max(0, min(edge, size) - 64) // 16 * 16
        counter = ((block + at // 16) % 2**128).to_bytes(16, "big")
        cipher = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
        assert cipher.update(message[at : at + 160]) == encrypted[at : at + 160], at


def seal_keys(token, size):
    """Derive the key of a cell and the counter block its ciphertext starts with."""
    contexts = [size.to_bytes(4, "little"), CONTEXT]
    key = kdf_by_definition(KEY, b"Themis secure cell message key", contexts, 32)
    return key, token[16:28] + b"\0\0\0\2"


@pytest.mark.big_memory
@pytest.mark.parametrize("size", LARGE)
def test_seal_round_trips_gigabytes(size):
    """Messages around 2^30, 2^31 and 3 GiB come back, and AES counted right across the pieces."""
    cell, message = SCellSeal(KEY), numbered(size)
    sealed = cell.encrypt(message, CONTEXT)
    assert len(sealed) == size + TOKEN
    assert_windows(memoryview(sealed)[TOKEN:], message, *seal_keys(sealed, size))
    assert cell.decrypt(sealed, CONTEXT) == message


@pytest.mark.big_memory
@pytest.mark.parametrize("size", LARGE)
def test_token_protect_round_trips_gigabytes(size):
    """The same with the token apart."""
    cell, message = SCellTokenProtect(KEY), numbered(size)
    encrypted, token = cell.encrypt(message, CONTEXT)
    assert len(encrypted) == size
    assert_windows(encrypted, message, *seal_keys(token, size))
    assert cell.decrypt(encrypted, token, CONTEXT) == message


@pytest.mark.big_memory
@pytest.mark.parametrize("size", LARGE)
def test_context_imprint_round_trips_gigabytes(size):
    """The same with nothing added."""
    cell, message = SCellContextImprint(KEY), numbered(size)
    encrypted = cell.encrypt(message, CONTEXT)
    assert len(encrypted) == size
    length = size.to_bytes(4, "little")
    key = kdf_by_definition(KEY, b"Themis secure cell message key", [length], 32)
    start = kdf_by_definition(key, b"Themis secure cell message iv", [CONTEXT], 16)
    assert_windows(encrypted, message, key, start)
    assert cell.decrypt(encrypted, CONTEXT) == message


@pytest.mark.big_memory
@pytest.mark.parametrize("size", LARGE)
def test_a_passphrase_cell_round_trips_gigabytes(size):
    """The same with a passphrase."""
    cell, message = quick(KEY), numbered(size)
    sealed = cell.encrypt(message, CONTEXT)
    assert len(sealed) == size + PASSPHRASE_TOKEN
    assert cell.decrypt(sealed, CONTEXT) == message


@pytest.mark.big_memory
def test_the_longest_message_round_trips(endless):
    """2^32-1 bytes are the most, and they work."""
    cell = SCellContextImprint(KEY)
    encrypted = cell.encrypt(endless[:MOST], CONTEXT)
    assert cell.decrypt(encrypted, CONTEXT) == endless[:MOST]
    del encrypted
    cell = SCellSeal(KEY)
    sealed = cell.encrypt(endless[:MOST], CONTEXT)
    assert len(sealed) == MOST + TOKEN
    opened = cell.decrypt(sealed, CONTEXT)
    assert len(opened) == MOST
    assert opened.count(0) == MOST


@pytest.mark.big_memory
def test_damage_anywhere_in_gigabytes_is_noticed():
    """One bit in the first, second or third piece, or at the end, is enough."""
    cell, size = SCellSeal(KEY), 2 * PIECE + 33
    sealed = bytearray(cell.encrypt(numbered(size), CONTEXT))
    for at in (TOKEN, TOKEN + PIECE - 1, TOKEN + PIECE, TOKEN + 2 * PIECE, len(sealed) - 1):
        sealed[at] ^= 1
        with not_authentic():
            cell.decrypt(sealed, CONTEXT)
        sealed[at] ^= 1
    assert len(cell.decrypt(sealed, CONTEXT)) == size


@pytest.mark.big_memory
def test_a_context_and_a_key_beyond_4_gib_count_whole(endless):
    """Neither is cut to 32 bits: 2^32 bytes more are another context, and another key."""
    short, long = endless[:5], endless[: 2**32 + 5]
    cell = SCellSeal(KEY)
    sealed = cell.encrypt(b"message", long)
    assert cell.decrypt(sealed, long) == b"message"
    with not_authentic():
        cell.decrypt(sealed, short)
    sealed = SCellSeal(long).encrypt(b"message")
    assert SCellSeal(long).decrypt(sealed) == b"message"
    with not_authentic():
        SCellSeal(short).decrypt(sealed)
