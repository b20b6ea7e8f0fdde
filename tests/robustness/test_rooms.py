# SPDX-License-Identifier: Apache-2.0
"""Every C function that writes is told how much room it has, and believes it."""

import re
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import pytest

from pythemis._themis import ffi, lib
from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal, SCellSealPassphrase, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.smessage import SecureSigner, SMessage
from support.keys import generated
from support.project import ROOT
from support.sessions import established

SUCCESS, SMALL, INVALID = (
    lib.THEMIS_SUCCESS,
    lib.THEMIS_BUFFER_TOO_SMALL,
    lib.THEMIS_INVALID_PARAMETER,
)
TEXT, CONTEXT = b"a message", (b"context", 7)
MESSAGE = (TEXT, len(TEXT))
BEHIND = 64

PROTOTYPE = re.compile(r"^[\w *]*?\b(themis_\w+)\(([^;]*)\);", re.MULTILINE)
# The sizes of these outputs stand in their types.
FIXED = {
    *(
        "themis_symmetric_key",
        "themis_symmetric_key_at_once",
        "themis_comparator_begin",
        "themis_testing_session_secrets",
    ),
    *("themis_sealed_name", "themis_sealed_digest", "themis_sealed_plain", "themis_sealed_mac"),
    *("themis_ring_key", "themis_ring_pin", "themis_ring_blind_index"),
}
# These fill what they are given, however much it is.
FILLING = {
    *("themis_wipe", "themis_testing_kdf", "themis_testing_container_write"),
    "themis_cell_reader_read",
}
# These are tried at every room in sessions/test_handshake.py.
NEGOTIATING = {"themis_session_connect_request", "themis_session_negotiate"}


class Output(NamedTuple):
    """An output of a function: what it takes, a call that gives it room, what less room answers."""

    name: str
    size: int
    call: Callable[[Any, int], int]
    refusal: int = SMALL

    def __str__(self):
        return self.name


def stretched(start, *arguments):
    """Do the work between a passphrase and its key."""
    made, left = ffi.new("themis_stretch **"), ffi.new("uint32_t *")
    assert start(*arguments, made) == SUCCESS
    stretch = ffi.gc(made[0], lib.themis_stretch_free)
    assert lib.themis_stretch_work(stretch, 1 << 30, left) == SUCCESS
    return stretch


@cache
def outputs():
    """Give the outputs of all functions, by name and number."""
    made = [*cell_outputs(), *passphrase_outputs(), *message_outputs(), *protocol_outputs()]
    made += [*sealed_outputs(), *piece_outputs(), *ring_outputs()]
    return {f"{output.name} {number}": output for number, output in enumerate(made)}


def cell_outputs():
    """Give those of cells with a key."""
    owner = SCellSeal(b"k" * 32)
    cell, sealed = owner._held, owner.encrypt(TEXT, CONTEXT[0])
    encrypted, token = SCellTokenProtect(b"k" * 32).encrypt(TEXT, CONTEXT[0])
    to_seal, to_unseal = (cell, *MESSAGE, *CONTEXT), (cell, sealed, len(sealed), *CONTEXT)
    to_unprotect = (cell, encrypted, len(encrypted), token, *CONTEXT)
    apart, failed = ffi.new("uint8_t[]", 44), ffi.new("size_t *")
    one = ffi.new("size_t[]", [len(TEXT)])
    return [
        Output("cell_seal", 53, lambda out, n: lib.themis_cell_seal(*to_seal, out, n)),
        Output("cell_unseal", 9, lambda out, n: lib.themis_cell_unseal(*to_unseal, out, n)),
        Output("cell_protect", 9, lambda out, n: lib.themis_cell_protect(*to_seal, out, n, apart)),
        Output(
            "cell_unprotect", 9, lambda out, n: lib.themis_cell_unprotect(*to_unprotect, out, n)
        ),
        Output("cell_imprint", 9, lambda out, n: lib.themis_cell_imprint(*to_seal, out, n)),
        Output(
            "cell_many",
            53,
            lambda out, n: lib.themis_cell_many(
                cell, lib.THEMIS_CELL_SEAL, out, n, ffi.NULL, 0, one, 1, failed
            ),
            INVALID,
        ),
    ]


def ring_outputs():
    """Give those of keyrings."""
    owner = Keyring.new("shop").add()
    ring, stored = owner._held.handle, owner.encrypt(TEXT, CONTEXT[0])
    to_encrypt, to_read = (ring, *MESSAGE, *CONTEXT), (ring, stored, len(stored), *CONTEXT)
    failed, one = ffi.new("size_t *"), ffi.new("size_t[]", [len(TEXT)])
    many = (ring, lib.THEMIS_RING_ENCRYPT)
    nothing = (ffi.NULL, 0, one, 1, failed)
    return [
        Output("ring_encrypt", 61, lambda out, n: lib.themis_ring_encrypt(*to_encrypt, out, n)),
        Output("ring_decrypt", 9, lambda out, n: lib.themis_ring_decrypt(*to_read, out, n)),
        Output("ring_rotate", 61, lambda out, n: lib.themis_ring_rotate(*to_read, out, n)),
        Output(
            "ring_many", 61, lambda out, n: lib.themis_ring_many(*many, out, n, *nothing), INVALID
        ),
    ]


def passphrase_outputs():
    """Give those of cells with a passphrase, with the work done before."""
    owner = SCellSealPassphrase(b"k" * 32)
    handle, sealed = owner._held, owner.encrypt(TEXT, CONTEXT[0])
    read, write = (sealed, len(sealed), *CONTEXT), (*MESSAGE, *CONTEXT)
    sealing = stretched(lib.themis_stretch_to_seal, handle)
    reading = stretched(lib.themis_stretch_to_unseal, handle, sealed, len(sealed))
    passphrase_seal, stretched_seal = lib.themis_passphrase_seal, lib.themis_stretched_seal
    unseal, unseal_stretched = lib.themis_passphrase_unseal, lib.themis_stretched_unseal
    return [
        Output("passphrase_seal", 79, lambda out, n: passphrase_seal(handle, *write, out, n)),
        Output("stretched_seal", 79, lambda out, n: stretched_seal(sealing, *write, out, n)),
        Output("passphrase_unseal", 9, lambda out, n: unseal(handle, *read, out, n), INVALID),
        Output(
            "stretched_unseal",
            9,
            lambda out, n: unseal_stretched(handle, reading, *read, out, n),
            INVALID,
        ),
    ]


def message_outputs():
    """Give those of keys and messages."""
    private, public = generated("EC")
    owner, signer = SMessage(private, public), SecureSigner(private)._held
    message, wrapped = owner._held.handle, owner.wrap(TEXT)
    header, other, p256 = ffi.new("uint8_t[12]"), ffi.new("uint8_t[45]"), (lib.THEMIS_KEY_EC, 256)
    pair, halve = lib.themis_key_pair, lib.themis_key_public
    wrap, unwrap = lib.themis_message_wrap, lib.themis_message_unwrap

    def sign(out, room):
        return lib.themis_signer_sign(signer, *MESSAGE, header, out, ffi.new("size_t *", room))

    return [
        Output("signer_sign", lib.themis_signer_signature_max(signer), sign),
        Output("message_wrap", 61, lambda out, n: wrap(message, *MESSAGE, out, n)),
        Output("message_unwrap", 9, lambda out, n: unwrap(message, wrapped, len(wrapped), out, n)),
        Output("key_pair", 45, lambda out, n: pair(*p256, 0, out, n, other, 45)),
        Output("key_pair", 45, lambda out, n: pair(*p256, 0, other, 45, out, n)),
        Output("key_public", 45, lambda out, n: halve(private, 45, 0, out, n), INVALID),
        Output(
            "key_uncompressed",
            77,
            partial(lib.themis_key_uncompressed, public, len(public)),
            INVALID,
        ),
    ]


def protocol_outputs():
    """Give those of sessions and comparators, which a refusal leaves as they were."""
    client, server = established()
    wrapped, now = client.wrap(TEXT), int(time.time())
    writer, reader = client._held.handle, server._held.handle
    bob = SComparator(b"secret")
    first = SComparator(b"secret").begin_compare()
    wrap, unwrap = lib.themis_session_wrap, lib.themis_session_unwrap
    proceed, comparison = lib.themis_comparator_proceed, bob._held.handle
    return [
        Output("session_wrap", 61, lambda out, n: wrap(writer, now, *MESSAGE, out, n)),
        Output("session_unwrap", 9, lambda out, n: unwrap(reader, now, wrapped, 61, out, n)),
        Output("comparator_proceed", 352, lambda out, n: proceed(comparison, first, 192, out, n)),
    ]


def sealed_outputs():
    """Give those of sealed files, with the work for a passphrase done before."""
    made, prepared = ffi.new("themis_sealed **"), ffi.new("themis_passphrase **")
    assert lib.themis_sealed_new(12, *CONTEXT, made) == SUCCESS
    sealed = ffi.gc(made[0], lib.themis_sealed_free)
    assert lib.themis_sealed_passphrase(sealed, *MESSAGE, 314110, prepared) == SUCCESS
    passphrase = ffi.gc(prepared[0], lib.themis_passphrase_free)
    stretch = stretched(lib.themis_stretch_to_seal, passphrase)
    key, piece = (b"k" * 32, 32), (b"p" * 100, 100)
    private, public = generated("EC")
    chunk = ffi.new("uint8_t[]", 144)
    assert lib.themis_sealed_encrypt(sealed, 0, 1, *piece, chunk, 144) == SUCCESS
    sender = (sealed, private, 45, public, 45)
    decrypt, encrypt = lib.themis_sealed_decrypt, lib.themis_sealed_encrypt
    return [
        Output(
            "sealed_key_slot", 85, partial(lib.themis_sealed_key_slot, sealed, *key, b"5" * 5, 5)
        ),
        Output(
            "sealed_passphrase_slot",
            106,
            partial(lib.themis_sealed_passphrase_slot, sealed, stretch),
        ),
        Output(
            "sealed_recipient_slot",
            141,
            partial(lib.themis_sealed_recipient_slot, sealed, public, 45, 0),
        ),
        Output("sealed_sender_slot", 166, partial(lib.themis_sealed_sender_slot, *sender)),
        Output("sealed_encrypt", 144, partial(encrypt, sealed, 0, 1, *piece)),
        Output("sealed_decrypt", 100, partial(decrypt, sealed, 0, 1, chunk, 144)),
    ]


def piece_outputs():
    """Give those of a cell that is written in pieces, and of one whose pieces were written."""
    writers = []
    for _ in range(2):
        made = ffi.new("themis_cell_writer **")
        cell = SCellSeal(b"k" * 32)._held
        assert lib.themis_cell_writer_new(cell, len(TEXT), *CONTEXT, made) == SUCCESS
        writers.append(ffi.gc(made[0], lib.themis_cell_writer_free))
    begun, ready = writers
    encrypted = ffi.new("uint8_t[]", len(TEXT))
    assert lib.themis_cell_writer_part(ready, *MESSAGE, encrypted, len(TEXT)) == SUCCESS
    return [
        Output("cell_writer_part", 9, partial(lib.themis_cell_writer_part, begun, *MESSAGE)),
        Output("cell_writer_finish", 44, partial(lib.themis_cell_writer_finish, ready)),
    ]


NAMES = [
    *("cell_seal", "cell_unseal", "cell_protect", "cell_unprotect", "cell_imprint", "cell_many"),
    *("passphrase_seal", "stretched_seal", "passphrase_unseal", "stretched_unseal"),
    *("signer_sign", "message_wrap", "message_unwrap", "key_pair", "key_pair", "key_public"),
    "key_uncompressed",
    *("session_wrap", "session_unwrap", "comparator_proceed"),
    *("sealed_key_slot", "sealed_passphrase_slot", "sealed_recipient_slot", "sealed_sender_slot"),
    *("sealed_encrypt", "sealed_decrypt"),
    *("cell_writer_part", "cell_writer_finish"),
    *("ring_encrypt", "ring_decrypt", "ring_rotate", "ring_many"),
]


@pytest.mark.parametrize("name", [f"{name} {number}" for number, name in enumerate(NAMES)])
def test_less_room_than_the_result_takes_is_refused(name):
    """Nothing is written then, nothing has changed, and with enough room nothing is behind it."""
    output = outputs()[name]
    for room in (0, 1, output.size // 2, output.size - 1):
        out = ffi.new("uint8_t[]", b"\xa5" * (output.size + BEHIND))
        assert output.call(out, room) == output.refusal
        untouched = (
            0 if not output.name.endswith("_many") else room
        )  # which wipes the list that it has
        assert bytes(ffi.buffer(out, output.size + BEHIND))[untouched:] == b"\xa5" * (
            output.size + BEHIND - untouched
        )
    out = ffi.new("uint8_t[]", b"\xa5" * (output.size + BEHIND))
    assert output.call(out, output.size) == SUCCESS
    made = bytes(ffi.buffer(out, output.size + BEHIND))
    assert made[output.size :] == b"\xa5" * BEHIND
    assert made[: output.size] != b"\xa5" * output.size


def prototypes(text):
    """Give (name, parameters) of every function that writes bytes."""
    for name, parameters in PROTOTYPE.findall(text):
        listed = [" ".join(each.split()) for each in parameters.split(",")]
        if any(each.startswith("uint8_t ") and "**" not in each for each in listed):
            yield name, listed


def without_room(text):
    """List outputs with neither a size in their type nor a length behind them."""
    return [
        f"{name}: {parameter}"
        for name, listed in prototypes(text)
        for number, parameter in enumerate(listed)
        if parameter.startswith("uint8_t *")
        if not re.fullmatch(r"size_t \*?\w+_len", "".join(listed[number + 1 : number + 2]))
    ]


@pytest.mark.sources
def test_every_output_has_its_room():
    """The header has a size or a length for each, and each function is tried above."""
    text = (ROOT / "src" / "themis_c" / "themis.h").read_text(encoding="utf-8")
    assert without_room(text) == []
    tried = {f"themis_{name}" for name in NAMES}
    assert {name for name, _ in prototypes(text)} == tried | FIXED | FILLING | NEGOTIATING
    assert [output.name for output in outputs().values()] == NAMES


def test_an_output_without_room_is_caught():
    """A new function that is not told is reported."""
    text = "int themis_new(const uint8_t *a, size_t a_len,\n    uint8_t *out,\n    int flags);\n"
    assert without_room(text) == ["themis_new: uint8_t *out"]
    assert without_room(text.replace("int flags", "size_t out_len")) == []
    assert without_room(text.replace("*out", "out[SIZE]")) == []
