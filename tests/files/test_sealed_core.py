# SPDX-License-Identifier: Apache-2.0
"""What the C core refuses of sealed files although Python never asks for it."""

import hashlib
import hmac
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pythemis import _sealed
from pythemis._themis import ffi, lib
from pythemis.exception import THEMIS_CODES, ThemisError
from support import sealed_reference as reference
from support.keys import generated
from support.sealed import opened, read_stream, read_whole

FAIL, INVALID, CORRUPT = (
    lib.THEMIS_FAIL,
    lib.THEMIS_INVALID_PARAMETER,
    lib.THEMIS_DATA_CORRUPT,
)
KEY, CONTEXT, PIECE = (b"k" * 32, 32), (b"context", 7), 4096
CHUNK = PIECE + 44
PRIVATE, PUBLIC = generated("EC")


def handle(function, *arguments):
    """Make a handle; it must work."""
    made = ffi.new("themis_sealed **")
    assert function(*arguments, made) == lib.THEMIS_SUCCESS
    return ffi.gc(made[0], lib.themis_sealed_free)


def written():
    """Make a handle that writes."""
    return handle(lib.themis_sealed_new, 12, *CONTEXT)


def key_slot(sealed):
    """Make a slot for the key."""
    slot = ffi.new("uint8_t[80]")
    assert lib.themis_sealed_key_slot(sealed, *KEY, ffi.NULL, 0, slot, 80) == lib.THEMIS_SUCCESS
    return bytes(ffi.buffer(slot))


def head_of(slots, log2=12):
    """Put a header together."""
    return (
        b"TSFILE1\n"
        + bytes([log2, len(slots)])
        + len(b"".join(slots)).to_bytes(4, "big")
        + b"".join(slots)
    )


def mac_of(sealed, head):
    """Let C make the mac; the status, and the mac."""
    mac, why, slot = ffi.new("uint8_t[32]"), ffi.new("char const **"), ffi.new("size_t *")
    status = lib.themis_sealed_mac(sealed, head, len(head), mac, why, slot)
    return status, bytes(ffi.buffer(mac))


def read(file):
    """Let C read a header with its mac; the status, and the handle."""
    made, why, slot = ffi.new("themis_sealed **"), ffi.new("char const **"), ffi.new("size_t *")
    status = lib.themis_sealed_read(file, len(file), *CONTEXT, made, why, slot)
    return status, ffi.gc(made[0], lib.themis_sealed_free)


def readable():
    """Give a handle that can be opened."""
    sealed = written()
    head = head_of([key_slot(sealed)])
    status, made = read(head + mac_of(sealed, head)[1])
    assert status == lib.THEMIS_SUCCESS
    return made


def test_pieces_and_chunks_are_whole():
    """Sizes that no piece or chunk has are refused, and so are numbers beyond the last one."""
    sealed, room = written(), ffi.new("uint8_t[]", 3 * CHUNK)
    data = bytes(2 * PIECE)
    for size, is_last in ((0, 1), (7, 1), (PIECE + 7, 1), (8, 0), (PIECE - 1, 0), (PIECE + 8, 0)):
        assert lib.themis_sealed_encrypt(sealed, 0, is_last, data, size, room, 3 * CHUNK) == INVALID
    for size, is_last in ((0, 1), (44, 1), (51, 1), (52, 0), (CHUNK + 44, 1), (CHUNK + 51, 1)):
        assert lib.themis_sealed_decrypt(sealed, 0, is_last, room, size, data, PIECE * 2) == INVALID
    last = 2**64 - 1
    assert lib.themis_sealed_encrypt(sealed, last, 1, data, 8, room, 52) == INVALID


def test_a_handle_without_a_key_does_nothing():
    """Before a slot was opened there is nothing to write, to read or to give away."""
    sealed, out = readable(), ffi.new("uint8_t[]", 5000)
    made, passphrase = ffi.new("themis_sealed **"), ffi.new("themis_passphrase **")
    assert lib.themis_sealed_again(sealed, *CONTEXT, made) == INVALID
    assert lib.themis_sealed_plain(sealed, out) == INVALID
    assert lib.themis_sealed_encrypt(sealed, 0, 1, out, 8, out + 8, 100) == INVALID
    assert lib.themis_sealed_decrypt(sealed, 0, 1, out, 52, out + 52, 100) == INVALID
    assert lib.themis_sealed_key_slot(sealed, *KEY, ffi.NULL, 0, out, 5000) == INVALID
    assert lib.themis_sealed_recipient_slot(sealed, PUBLIC, 45, 0, out, 5000) == INVALID
    assert lib.themis_sealed_sender_slot(sealed, PRIVATE, 45, PUBLIC, 45, out, 5000) == INVALID
    assert mac_of(sealed, head_of([key_slot(written())]))[0] == INVALID
    assert lib.themis_sealed_passphrase(sealed, b"", 0, 0, passphrase) == INVALID
    assert lib.themis_sealed_passphrase(sealed, b"x", 1, 314109, passphrase) == INVALID
    stretch = ffi.new("themis_stretch **")
    assert lib.themis_sealed_passphrase(sealed, b"x", 1, 0, passphrase) == lib.THEMIS_SUCCESS
    prepared = ffi.gc(passphrase[0], lib.themis_passphrase_free)
    assert lib.themis_sealed_stretch(sealed, 0, prepared, stretch) == INVALID


def test_slots_are_opened_once_and_as_what_they_are():
    """Another index, another kind, and an open file are refused."""
    sealed, plain = readable(), bytes(64)
    assert lib.themis_sealed_open_key(sealed, 1, *KEY) == INVALID
    assert lib.themis_sealed_open_key(sealed, 0, b"", 0) == INVALID
    assert lib.themis_sealed_open_recipient(sealed, 0, PRIVATE, 45) == INVALID
    assert lib.themis_sealed_open_sender(sealed, 0, PRIVATE, 45, PUBLIC, 45) == INVALID
    assert lib.themis_sealed_open_service(sealed, 0, plain, 64) == INVALID
    assert lib.themis_sealed_describe(sealed, 1, ffi.new("uint32_t[5]")) == INVALID
    assert lib.themis_sealed_open_key(sealed, 0, b"x" * 32, 32) == FAIL
    assert lib.themis_sealed_open_key(sealed, 0, *KEY) == lib.THEMIS_SUCCESS
    assert lib.themis_sealed_open_key(sealed, 0, *KEY) == INVALID


def test_what_no_reader_takes_is_not_written():
    """Short keys, ids of other sizes, a header of another chunk size, a sender of an old key."""
    sealed, out = written(), ffi.new("uint8_t[]", 500)
    assert lib.themis_sealed_key_slot(sealed, b"k" * 15, 15, ffi.NULL, 0, out, 500) == INVALID
    assert lib.themis_sealed_key_slot(sealed, *KEY, b"four", 4, out, 500) == INVALID
    for log2 in (-1, 11, 25):
        assert lib.themis_sealed_new(log2, *CONTEXT, ffi.new("themis_sealed **")) == INVALID
    slot = key_slot(sealed)
    assert mac_of(sealed, head_of([slot], 13))[0] == INVALID
    assert mac_of(sealed, head_of([slot, slot]))[0] == CORRUPT
    assert mac_of(sealed, head_of([slot])[:-1])[0] == CORRUPT
    again = handle(lib.themis_sealed_again, sealed, *CONTEXT)
    for key, status in ((sealed, lib.THEMIS_SUCCESS), (again, INVALID)):
        sender = (key, PRIVATE, 45, PUBLIC, 45, out, 500)
        assert lib.themis_sealed_sender_slot(*sender) == status


@pytest.mark.parametrize("size", [*range(14), 45, 46, 100])
def test_a_cut_header_is_refused(size):
    """Whatever is missing of header and mac."""
    sealed = written()
    head = head_of([key_slot(sealed)])
    assert read((head + mac_of(sealed, head)[1])[:size])[0] == CORRUPT


def test_zeros_are_counted_from_the_end():
    """At every length and alignment."""
    for size in range(40):
        for zeros in range(size + 1):
            data = b"\1" * (size - zeros) + bytes(zeros)
            shifted = ffi.from_buffer("uint8_t[]", b"\0" + data)
            assert lib.themis_sealed_zeros(data, size) == zeros
            assert lib.themis_sealed_zeros(shifted + 1, size) == zeros
    assert lib.themis_sealed_zeros(ffi.NULL, 0) == 0


def file_of(pieces):
    """Write a file of any pieces, as a hostile writer may."""
    sealed, chunks = written(), ffi.new("uint8_t[]", len(pieces) + 500)
    head = head_of([key_slot(sealed)])
    size = len(pieces) + 44 * -(-len(pieces) // PIECE)
    status = lib.themis_sealed_encrypt(sealed, 0, 1, pieces, len(pieces), chunks, size)
    assert status == lib.THEMIS_SUCCESS
    return head + mac_of(sealed, head)[1] + bytes(ffi.buffer(chunks, size))


@pytest.mark.parametrize("at", [PIECE + 10, PIECE + 20, 2 * PIECE - 1, 2 * PIECE, 3 * PIECE - 1])
def test_padding_that_is_not_zero_is_refused(at):
    """By every read of the piece, if it shares it with data; else by `verify` and by streams."""
    length = PIECE + 10
    pieces = bytearray(b"d" * length + bytes(2 * PIECE) + length.to_bytes(8, "big"))
    unlock = _sealed.Unlock(keys=[(b"", KEY[0])], context=CONTEXT[0])
    assert read_whole(file_of(bytes(pieces)), unlock) == (b"d" * length, "key")
    pieces[at] = 1
    file = file_of(bytes(pieces))
    reader, buffer = opened(file, unlock), bytearray(length)
    assert reader.read(0, PIECE) == b"d" * PIECE
    for read_it in (
        lambda: reader.read(0, length),
        lambda: reader.read(PIECE, 5),
        lambda: reader.readinto(0, buffer),
    ):
        if at < 2 * PIECE:
            with pytest.raises(ThemisError, match="padding is not zero"):
                read_it()
        else:
            read_it()
    for read_all in (reader.verify, lambda: read_whole(file, unlock)):
        with pytest.raises(ThemisError, match="padding is not zero"):
            read_all()
    with pytest.raises(ThemisError, match="length field"):
        read_stream(file, unlock)


def sender_file(bits, tag):
    """Write what a hostile sender may: a right mac, and a cell in another form than the strict."""
    fk, digest = os.urandom(32), hashlib.sha256(b"").digest()
    name = reference.key_name(PUBLIC) * 2
    text = b"TSFILE1\nsender" + name + digest + fk
    shared = reference.shared(PRIVATE, PUBLIC)
    contexts = [len(text).to_bytes(4, "little"), b""]
    key = reference.kdf(shared, b"Themis secure cell message key", contexts, bits // 8)
    iv = os.urandom(12)
    sealed = AESGCM(key).encrypt(iv, text, None)
    start = bytes([bits % 256, bits // 256, 1, 0x40, 12, 0, 0, 0, tag, 0, 0, 0, 94, 0, 0, 0])
    cell = start + iv + sealed[94:] + sealed[:94]
    body = b"\x20\x27\x04\x26" + (8 + len(cell)).to_bytes(4, "little") + cell
    head = head_of([bytes([4, 16]) + len(body).to_bytes(2, "big") + name + body])
    mac = hmac.digest(fk, b"TSFILE1\nheader" + digest + hashlib.sha256(head).digest(), "sha256")
    chunk_context = b"TSFILE1\n\x0c" + bytes(8) + b"\1"
    contexts = [(8).to_bytes(4, "little"), chunk_context]
    chunk_key = reference.kdf(fk, b"Themis secure cell message key", contexts, 32)
    piece = AESGCM(chunk_key).encrypt(iv, bytes(8), chunk_context)
    chunk = bytes.fromhex("000101400c0000001000000008000000") + iv + piece[8:] + piece[:8]
    return head + mac + chunk


def test_a_sender_slot_has_one_form():
    """A cell that Secure Message would take, but not in the one form, is malformed."""
    unlock = _sealed.Unlock(private_key=PRIVATE, sender=PUBLIC)
    assert opened(sender_file(256, 16), unlock).size == 0
    for bits, tag in ((128, 16), (192, 16)):
        with pytest.raises(ThemisError, match="sender slot") as caught:
            opened(sender_file(bits, tag), unlock)
        assert caught.value.error_code == THEMIS_CODES.DATA_CORRUPT
