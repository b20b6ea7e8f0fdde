# SPDX-License-Identifier: Apache-2.0
"""Secure Cell into a buffer of the caller's: what arrives, what may overlap, what is refused."""

import numpy as np
import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    SecureCellError,
    SecureCellValueError,
)
from support.cells import not_authentic, wrong_type, wrong_value

KEY = bytes(range(32))
CONTEXT = b"row 7"
MESSAGE = bytes(range(1, 101))
OVERLAPS = "the buffer overlaps an input"

SEALS = {
    "seal": (SCellSeal(KEY), 44),
    "passphrase": (SCellSeal(passphrase="a passphrase"), 70),
}


@pytest.mark.parametrize(("cell", "growth"), SEALS.values(), ids=SEALS)
def test_a_round_trip_through_buffers_that_are_larger(cell, growth):
    """Only the first bytes of a buffer are written, as many as the length says."""
    buffer = bytearray(b"\xee" * 300)
    length = cell.encrypt_into(buffer, MESSAGE, CONTEXT)
    assert length == len(MESSAGE) + growth
    assert buffer[length:] == b"\xee" * (300 - length)
    assert cell.decrypt(bytes(buffer[:length]), CONTEXT) == MESSAGE
    plain = bytearray(b"\xdd" * 300)
    assert cell.decrypt_into(plain, memoryview(buffer)[:length], CONTEXT) == len(MESSAGE)
    assert plain == MESSAGE + b"\xdd" * 200


@pytest.mark.parametrize(("cell", "growth"), SEALS.values(), ids=SEALS)
def test_seal_in_place(cell, growth):
    """A message may lie where its ciphertext comes, and come back to where its ciphertext was."""
    data = bytearray(growth) + MESSAGE
    assert cell.encrypt_into(data, memoryview(data)[growth:], CONTEXT) == len(data)
    assert cell.decrypt(bytes(data), CONTEXT) == MESSAGE
    assert cell.decrypt_into(memoryview(data)[growth:], data, CONTEXT) == len(MESSAGE)
    assert data[growth:] == MESSAGE


def test_token_protect_in_place():
    """The ciphertext takes the message's place; the token comes apart."""
    cell = SCellTokenProtect(KEY)
    data = bytearray(MESSAGE)
    length, token = cell.encrypt_into(data, data, CONTEXT)
    assert (length, len(token)) == (100, 44)
    assert cell.decrypt(bytes(data), token, CONTEXT) == MESSAGE
    assert cell.decrypt_into(data, data, token, CONTEXT) == 100
    assert data == MESSAGE


def test_context_imprint_in_place():
    """Encrypting in place gives the bytes that `encrypt` gives, and decrypting takes them back."""
    cell = SCellContextImprint(KEY)
    data = bytearray(MESSAGE)
    assert cell.encrypt_into(data, data, CONTEXT) == 100
    assert data == cell.encrypt(MESSAGE, CONTEXT)
    assert cell.decrypt_into(data, data, CONTEXT) == 100
    assert data == MESSAGE


@pytest.mark.parametrize("shift", [*range(-43, 44, 9), -1, 1])
def test_an_overlap_anywhere_else_is_refused(shift):
    """One byte before or behind the right place, and any other overlap, would give nonsense."""
    cell = SCellSeal(KEY)
    data = bytearray(400)
    with wrong_value(OVERLAPS):
        cell.encrypt_into(memoryview(data)[100:300], memoryview(data)[144 + shift :][:100])
    sealed = cell.encrypt(MESSAGE)
    data[100:244] = sealed
    if shift:
        with wrong_value(OVERLAPS):
            cell.decrypt_into(memoryview(data)[144 + shift :], memoryview(data)[100:244])
    assert data[100:244] == sealed


def test_neighbours_do_not_overlap():
    """Memory that touches the other without sharing a byte is fine."""
    cell = SCellSeal(KEY)
    data = bytearray(144) + MESSAGE
    assert cell.encrypt_into(memoryview(data)[:144], memoryview(data)[144:]) == 144
    assert cell.decrypt(bytes(data[:144])) == MESSAGE


def test_a_context_or_token_within_the_buffer_is_refused():
    """They are read while the buffer is written."""
    seal, protect, imprint = SCellSeal(KEY), SCellTokenProtect(KEY), SCellContextImprint(KEY)
    data = bytearray(b"c" * 300)
    inside = memoryview(data)[90:100]
    encrypted, token = protect.encrypt(MESSAGE, b"c" * 10)
    data[120:164] = token
    with wrong_value(OVERLAPS):
        seal.encrypt_into(data, MESSAGE, inside)
    with wrong_value(OVERLAPS):
        seal.decrypt_into(data, seal.encrypt(MESSAGE), inside)
    with wrong_value(OVERLAPS):
        protect.encrypt_into(data, MESSAGE, inside)
    with wrong_value(OVERLAPS):
        protect.decrypt_into(memoryview(data)[70:], encrypted, memoryview(data)[120:164], b"")
    with wrong_value(OVERLAPS):
        imprint.encrypt_into(data, MESSAGE, inside)
    assert data == b"c" * 120 + token + b"c" * 136


@pytest.mark.parametrize("missing", [1, 100, 144])
def test_a_buffer_that_is_too_small(missing):
    """Nothing is written, and the error says how much there is and must be."""
    buffer = bytearray(144 - missing)
    with pytest.raises(SecureCellValueError) as caught:
        SCellSeal(KEY).encrypt_into(buffer, MESSAGE)
    assert caught.value.error_code == THEMIS_CODES.BUFFER_TOO_SMALL
    assert str(caught.value) == f"the buffer has {144 - missing} bytes, and the result 144"
    assert buffer == bytes(144 - missing)


OBJECTS = np.array([None] * 50)


@pytest.mark.parametrize(
    "buffer",
    [
        *(bytes(200), memoryview(bytes(200)), "x" * 200, None, 7),
        *(OBJECTS, memoryview(OBJECTS), np.zeros(50, [("n", "i4"), ("o", object)])),
    ],
    ids=lambda buffer: type(buffer).__name__,
)
def test_a_buffer_that_cannot_be_written(buffer):
    """Bytes, read-only views, what holds objects, what is no buffer: nothing is written there."""
    kind = type(buffer).__name__
    with wrong_type(
        f"the buffer must be a writable, contiguous buffer such as a bytearray, not {kind}"
    ):
        SCellSeal(KEY).encrypt_into(buffer, MESSAGE)
    with wrong_type("the buffer must be a writable"):
        SCellTokenProtect(KEY).encrypt_into(buffer, MESSAGE)


def test_what_is_not_authentic_is_wiped():
    """After a refusal the buffer holds no plaintext."""
    cell = SCellSeal(KEY)
    sealed = bytearray(cell.encrypt(MESSAGE, CONTEXT))
    sealed[-1] ^= 1
    buffer = bytearray(b"\xee" * 100)
    with not_authentic():
        cell.decrypt_into(buffer, sealed, CONTEXT)
    assert bytes(buffer) in (bytes(100), b"\xee" * 100)


def test_a_buffer_is_not_held_after_an_error():
    """The caller can resize the buffers while the exception is still at hand."""
    cell, protect = SCellSeal(KEY), SCellTokenProtect(KEY)
    buffer, message, context = bytearray(10), bytearray(MESSAGE), bytearray(CONTEXT)
    for call in (
        lambda: cell.encrypt_into(buffer, message, context),
        lambda: cell.decrypt_into(buffer, message, context),
        lambda: protect.encrypt_into(buffer, message, context),
        lambda: protect.decrypt_into(buffer, message, message, context),
        lambda: cell.encrypt_into(message, message, context),
    ):
        with pytest.raises(SecureCellError) as caught:
            call()
        for array in (buffer, message, context):
            array.append(0)
            array.pop()
        assert caught.value.__traceback__ is not None


def test_closed_cells_write_nothing():
    """A closed object says so here as well."""
    cell = SCellSeal(KEY)
    cell.close()
    buffer = bytearray(200)
    with wrong_value("this SCellSeal is closed"):
        cell.encrypt_into(buffer, MESSAGE)
    assert buffer == bytes(200)
