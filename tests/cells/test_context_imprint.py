# SPDX-License-Identifier: Apache-2.0
"""Secure Cell Context Imprint: the same length, and nothing authenticated."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import example, given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellContextImprint
from support.cells import flips, refused, unhex, vectors
from support.definitions import kdf_by_definition

KEY = b"\x07" * 32
CONTEXT = b"row 7"
CELL = SCellContextImprint(key=KEY)
MESSAGE = bytes(range(40))


def by_definition(key, message, context):
    """Encrypt as the specification defines it, with another implementation of AES."""
    length = len(message).to_bytes(4, "little")
    derived = kdf_by_definition(key, b"Themis secure cell message key", [length], 32)
    start = kdf_by_definition(derived, b"Themis secure cell message iv", [context], 16)
    return Cipher(algorithms.AES(derived), modes.CTR(start)).encryptor().update(message)


@pytest.mark.parametrize("case", vectors("cell_context_imprint"))
def test_known_answers(case):
    """Both directions give what real Themis gives, byte for byte."""
    cell = SCellContextImprint(key=unhex(case["key"]))
    message, encrypted, context = (
        unhex(case[name]) for name in ("message", "encrypted", "context")
    )
    assert cell.encrypt(message, context) == encrypted
    assert cell.decrypt(encrypted, context) == message


@given(
    message=st.binary(min_size=1, max_size=2000),
    context=st.binary(min_size=1, max_size=200),
    key=st.binary(min_size=1, max_size=200),
)
@example(message=b"\0", context=b"\0", key=b"\0")
def test_round_trip(message, context, key):
    """Any message comes back, of its own length in between, and is what the definition gives."""
    encrypted = SCellContextImprint(key=key).encrypt(message, context)
    assert type(encrypted) is bytes
    assert encrypted == by_definition(key, message, context)
    opened = SCellContextImprint(key).decrypt(encrypted, context)
    assert type(opened) is bytes
    assert opened == message


def test_the_counter_carries_over_the_whole_block():
    """The counter is one number of 128 bits: with an iv of ff...ff it wraps to zero."""
    found = next(
        context
        for context in (number.to_bytes(4, "big") for number in range(100_000))
        if kdf_by_definition(
            kdf_by_definition(KEY, b"Themis secure cell message key", [b"\0\x20\0\0"], 32),
            b"Themis secure cell message iv",
            [context],
            16,
        )[-1:]
        == b"\xff"
    )
    message = bytes(0x2000)  # 512 blocks, so that the last byte of the counter overflows
    assert CELL.encrypt(message, found) == by_definition(KEY, message, found)


def test_encryption_is_deterministic():
    """The same message under the same key and context is always encrypted alike."""
    assert len({CELL.encrypt(MESSAGE, CONTEXT) for _ in range(10)}) == 1


def test_encryption_and_decryption_are_one_operation():
    """CTR has no direction: encrypting twice gives the message back."""
    assert CELL.encrypt(CELL.encrypt(MESSAGE, CONTEXT), CONTEXT) == MESSAGE


def test_a_flipped_byte_flips_the_same_byte_of_the_message():
    """Nothing is authenticated: damage goes through, exactly where it was done."""
    for at, changed in flips(CELL.encrypt(MESSAGE, CONTEXT)):
        opened = CELL.decrypt(changed, CONTEXT)
        assert [i for i in range(len(MESSAGE)) if opened[i] != MESSAGE[i]] == [at]


def test_every_truncation_gives_garbage():
    """The length is part of the key: what is left of a cut message is garbage, not its start."""
    encrypted = CELL.encrypt(MESSAGE, CONTEXT)
    for size in range(8, len(encrypted)):  # below, garbage could be right by chance
        opened = CELL.decrypt(encrypted[:size], CONTEXT)
        assert len(opened) == size
        assert opened != MESSAGE[:size]
    assert CELL.decrypt(encrypted + b"\0", CONTEXT)[: len(MESSAGE)] != MESSAGE


@given(contexts=st.lists(st.binary(min_size=1, max_size=80), min_size=2, max_size=2, unique=True))
def test_another_context_gives_garbage(contexts):
    """A wrong context is not noticed and gives something else."""
    assert CELL.decrypt(CELL.encrypt(MESSAGE, contexts[0]), contexts[1]) != MESSAGE


def test_another_key_gives_garbage():
    """A wrong key is not noticed and gives something else, also if one bit differs."""
    encrypted = CELL.encrypt(MESSAGE, CONTEXT)
    for _, key in flips(KEY):
        assert SCellContextImprint(key).decrypt(encrypted, CONTEXT) != MESSAGE


@pytest.mark.parametrize("context", [b"", None, bytearray(), memoryview(b"")])
@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_a_context_is_required(direction, context):
    """An empty context is none, and without one nothing is done."""
    says = "Context Imprint needs a context of at least one byte"
    with refused(THEMIS_CODES.INVALID_PARAMETER, says):
        getattr(CELL, direction)(MESSAGE, context)


@pytest.mark.parametrize("direction", ["encrypt", "decrypt"])
def test_a_context_cannot_be_left_out(direction):
    """Leaving the context away is the mistake in a call that Python itself reports."""
    with pytest.raises(TypeError, match="context"):
        getattr(CELL, direction)(MESSAGE)
