# SPDX-License-Identifier: Apache-2.0
"""Secure Session into a buffer of the caller's."""

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.ssession import (
    SecureSessionError,
    SecureSessionTypeError,
    SecureSessionValueError,
)
from support.sessions import established, parties

MESSAGE = bytes(range(1, 101))


def test_both_ways_through_buffers_that_are_larger():
    """Only the first bytes are written; the other side may use either call."""
    client, server = established()
    buffer, text = bytearray(b"\xee" * 300), bytearray(b"\xdd" * 300)
    assert client.wrap_into(buffer, MESSAGE) == 152
    assert buffer[152:] == b"\xee" * 148
    assert server.unwrap_into(text, memoryview(buffer)[:152]) == 100
    assert text == MESSAGE + b"\xdd" * 200
    assert client.wrap_into(buffer, bytearray(MESSAGE)) == 152
    assert server.unwrap(bytes(buffer[:152])) == MESSAGE
    assert client.unwrap_into(text, server.wrap(b"the answer")) == 10


def test_in_place():
    """A message may lie where its encrypted form comes, and come back to its place."""
    client, server = established()
    data = bytearray(36) + MESSAGE + bytes(16)
    assert client.wrap_into(data, memoryview(data)[36:-16]) == 152
    assert data[36:-16] != MESSAGE
    assert server.unwrap_into(memoryview(data)[36:], data) == 100
    assert data[36:-16] == MESSAGE


@pytest.mark.parametrize("shift", [-36, -1, 1, 16])
def test_an_overlap_anywhere_else_is_refused(shift):
    """The session goes on afterwards, and no number is lost."""
    client, server = established()
    data = bytearray(400)
    with pytest.raises(SecureSessionValueError, match="the buffer overlaps an input"):
        client.wrap_into(memoryview(data)[100:], memoryview(data)[136 + shift :][:100])
    wrapped = client.wrap(MESSAGE)
    data[100:252] = wrapped
    with pytest.raises(SecureSessionValueError, match="the buffer overlaps an input"):
        server.unwrap_into(memoryview(data)[136 + shift :], memoryview(data)[100:252])
    assert data[100:252] == wrapped
    assert server.unwrap(wrapped) == MESSAGE


def test_buffers_that_do_not_do():
    """Too small, read-only, no buffer at all: clear errors, and nothing is lost."""
    client, server = established()
    with pytest.raises(SecureSessionValueError, match="151 bytes, and the result 152") as caught:
        client.wrap_into(bytearray(151), MESSAGE)
    assert caught.value.error_code is THEMIS_CODES.BUFFER_TOO_SMALL
    wrapped = client.wrap(MESSAGE)
    with pytest.raises(SecureSessionValueError, match="99 bytes, and the result 100"):
        server.unwrap_into(bytearray(99), wrapped)
    for buffer in (bytes(200), memoryview(bytes(200)), "x" * 200, None):
        with pytest.raises(SecureSessionTypeError, match="the buffer must be a writable"):
            client.wrap_into(buffer, MESSAGE)
        with pytest.raises(SecureSessionTypeError, match="the buffer must be a writable"):
            server.unwrap_into(buffer, wrapped)
    assert server.unwrap(wrapped) == MESSAGE


@pytest.mark.parametrize("size", [0, 1, 51, 52])
def test_what_is_too_short_is_refused(size):
    """No message has so few bytes."""
    client, _ = established()
    with pytest.raises(SecureSessionError, match="not a session message"):
        client.unwrap_into(bytearray(100), bytes(size))


def test_what_is_damaged_leaves_no_plaintext():
    """After a refusal the buffer holds zeros or what it held."""
    client, server = established()
    wrapped = bytearray(client.wrap(MESSAGE))
    wrapped[-1] ^= 1
    buffer = bytearray(b"\xee" * 100)
    with pytest.raises(SecureSessionError, match="corrupted, forged"):
        server.unwrap_into(buffer, wrapped)
    assert bytes(buffer) in (bytes(100), b"\xee" * 100)
    wrapped[-1] ^= 1
    assert server.unwrap_into(buffer, wrapped) == 100


def test_before_the_session_is_established():
    """There is nothing yet to encrypt with."""
    client, _ = parties()
    client.connect_request()
    for call in (client.wrap_into, client.unwrap_into):
        with pytest.raises(SecureSessionError) as caught:
            call(bytearray(300), MESSAGE)
        assert caught.value.error_code is THEMIS_CODES.SSESSION_KA_NOT_FINISHED


def test_closed_sessions_and_locked_buffers():
    """A closed session says so; buffers are free again while the exception is at hand."""
    client, _ = established()
    client.close()
    buffer, message = bytearray(300), bytearray(MESSAGE)
    for call in (client.wrap_into, client.unwrap_into):
        with pytest.raises(SecureSessionValueError, match="is closed") as caught:
            call(buffer, message)
        for array in (buffer, message):
            array.append(0)
            array.pop()
        assert caught.value.__traceback__ is not None
