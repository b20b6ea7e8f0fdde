# SPDX-License-Identifier: Apache-2.0
"""Values stored under a keyring: what is read under which key, and what is refused."""

import copy
import pickle

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.keyring import Keyring, KeyringError, SecretKey
from pythemis.scell import SCellSeal, SecureCellError
from support.arguments import NOT_BYTES
from support.rings import FAIL, INVALID, recorded_ring, refused
from support.threads import together

OLD = bytes(range(32))


def three_keys():
    """Give a ring of three keys, the last one primary, and the rings before it."""
    one = Keyring.new("shop").add()
    two = one.add()
    two = two.promote(two.ids[-1])
    three = two.add()
    return one, two, three.promote(three.ids[-1])


def test_a_value_is_a_prefix_and_a_cell():
    """Eight bytes name the key; what follows is a cell that any Themis reads under it."""
    key = SecretKey.generate(32)
    ring = Keyring.new("shop").add(key)
    stored = ring.encrypt(b"message", b"context")
    assert len(stored) == len(b"message") + 52
    assert stored[:8] == ring.prefix == b"TK1" + bytes.fromhex(ring.primary)
    assert SCellSeal(key).decrypt(stored[8:], b"context") == b"message"
    assert ring.decrypt(stored, b"context") == b"message"
    assert stored != ring.encrypt(b"message", b"context")
    refused(FAIL, "check the context", ring.decrypt, stored, b"another")


def test_bare_cells_are_read_under_legacy_keys_alone():
    """An old column moves in; the ring's own keys read no cell without an id."""
    key = SecretKey.generate(32)
    ring = (
        Keyring.new("shop").add(key).add_legacy(SecretKey.from_bytes(OLD)).add_legacy(b"\xfe" * 20)
    )
    bare = SCellSeal(OLD).encrypt(b"ancient", b"c")
    assert ring.decrypt(bare, b"c") == b"ancient"
    assert ring.needs_rotation(bare)
    assert ring.decrypt(ring.rotate(bare, b"c"), b"c") == b"ancient"
    own = SCellSeal(key).encrypt(b"own", b"c")
    refused(FAIL, "check the legacy keys", ring.decrypt, own, b"c")
    refused(FAIL, "no legacy keys", ring.drop_legacy().decrypt, bare, b"c")
    mixed = [bare, ring.encrypt(b"new", b"c"), SCellSeal(b"\xfe" * 20).encrypt(b"other", b"c")]
    assert ring.decrypt_many(mixed, b"c", threads=2) == [b"ancient", b"new", b"other"]


def test_what_a_refusal_tells():
    """An id that the ring lacks is named; a newer version is not called damaged."""
    one, _, three = three_keys()
    stored = three.encrypt(b"message")
    error = refused(FAIL, f"the ring has no key {three.primary}", one.decrypt, stored)
    assert "newer version" in str(error)
    newer = b"TK2" + stored[3:]
    for call in (one.decrypt, one.rotate, one.needs_rotation, one.key_id):
        refused(THEMIS_CODES.NOT_SUPPORTED, "version 2", call, newer)
    for junk in (b"", b"TK1", stored[:52], b"gAAAAABm" + bytes(60), b"\0\1\1\x40", bytes(100)):
        for call in (one.decrypt, one.rotate, one.needs_rotation, one.key_id):
            refused(INVALID, "neither a stored value nor", call, junk)
    refused(INVALID, "no keys yet", Keyring.new("shop").encrypt, b"message")
    refused(INVALID, "no keys yet", Keyring.new("shop").rotate, stored)
    refused(INVALID, "no keys yet", lambda: Keyring.new("shop").prefix)
    refused(INVALID, "0 bytes", one.encrypt, b"")


def test_a_stored_value_given_to_a_cell_is_recognised():
    """SCellSeal says what it is and what reads it."""
    stored = recorded_ring().encrypt(b"message")
    with pytest.raises(SecureCellError, match="a stored value of a keyring"):
        SCellSeal(OLD).decrypt(stored)


@pytest.mark.parametrize("wrong", NOT_BYTES, ids=lambda value: type(value).__name__)
def test_only_bytes_are_taken(wrong):
    """Text and objects are refused by type, wherever bytes are meant, alone and in lists."""
    ring = recorded_ring()
    stored = ring.encrypt(b"message")
    calls = [
        lambda: ring.encrypt(wrong),
        lambda: ring.decrypt(wrong),
        lambda: ring.rotate(wrong),
        lambda: ring.needs_rotation(wrong),
        lambda: ring.key_id(wrong),
        lambda: ring.encrypt_many([b"a", wrong]),
        lambda: ring.decrypt_many([stored, wrong]),
    ]
    if wrong is not None:
        calls += [lambda: ring.encrypt(b"m", wrong), lambda: ring.decrypt(stored, wrong)]
    for call in calls:
        with pytest.raises((KeyringError, TypeError)) as caught:
            call()
        assert isinstance(caught.value, KeyringError)
        assert caught.value.error_code == INVALID


def test_other_buffers_are_taken():
    """Views and bytearrays work as bytes do."""
    ring = recorded_ring()
    stored = bytearray(ring.encrypt(bytearray(b"message"), memoryview(b"c")))
    assert ring.decrypt(memoryview(stored), bytearray(b"c")) == b"message"
    assert ring.decrypt(ring.rotate(stored, bytearray(b"c")), b"c") == b"message"
    assert not ring.needs_rotation(stored)
    stored.extend(b"")  # no view of it is left
    refused(INVALID, "TSFILE1", ring.encrypt, b"m", bytearray(b"TSFILE1"))


@pytest.mark.parametrize("threads", [1, 3])
def test_lists(threads):
    """A list gives what single calls give, over parts and threads, and names what it refuses."""
    one, two, three = three_keys()
    messages = [bytes([i % 251 + 1]) * (i % 97 + 1) for i in range(2500)]
    contexts = [b"row %d" % i if i % 5 else None for i in range(2500)]
    stored = [
        (one, two, three)[i % 3].encrypt(*pair)
        for i, pair in enumerate(zip(messages, contexts, strict=True))
    ]
    assert three.decrypt_many(stored, contexts, threads=threads) == messages
    again = three.encrypt_many(messages, contexts, threads=threads)
    assert {value[:8] for value in again} == {three.prefix}
    assert three.decrypt_many(iter(again), iter(contexts), threads=threads) == messages
    assert len({value[24:36] for value in again}) == 2500  # the nonces
    stored[1777] = stored[1777][:-1] + bytes([stored[1777][-1] ^ 1])
    error = refused(FAIL, "message 1777", three.decrypt_many, stored, contexts, threads=threads)
    assert error.index == 1777
    refused(INVALID, "message 1", one.encrypt_many, [b"a", b""], threads=threads)
    refused(INVALID, "message 1", one.encrypt_many, [b"a", b"b"], [b"", b"TSFILE1"])
    refused(INVALID, "3 messages and 1 contexts", one.encrypt_many, [b"a"] * 3, [b"c"])
    assert one.decrypt_many([], threads=threads) == one.encrypt_many([], b"c") == []


def test_threads_share_a_ring():
    """Many threads read and write under one ring at once."""
    _, _, ring = three_keys()

    def work(number):
        for i in range(100):
            context = b"%d %d" % (number, i % 3)
            assert ring.decrypt(ring.encrypt(b"message", context), context) == b"message"

    together(work)


def test_a_closed_ring_is_refused():
    """After close() nothing works, and what copies gave is closed with it."""
    with Keyring.new("shop").add() as ring:
        assert copy.copy(ring) is copy.deepcopy(ring) is ring
        stored = ring.encrypt(b"message")
    for call in (
        lambda: ring.encrypt(b"m"),
        lambda: ring.decrypt(stored),
        lambda: ring.needs_rotation(stored),
        lambda: ring.encrypt_many([b"a", b"b"]),
        lambda: ring.name,
        lambda: ring.prefix,
        ring.add,
    ):
        refused(INVALID, "this Keyring is closed", call)
    assert "closed" in repr(ring)
    ring.close()


def test_nothing_shows_a_key():
    """A ring is not pickled, and neither repr nor str nor attributes have a key in them."""
    ring = Keyring.new("shop").add(OLD)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(ring)
    shown = f"{ring!r} {ring!s} {ring.keys} {vars(ring)}"
    assert OLD.hex() not in shown
    assert "AAECAwQF" not in shown  # its base64
    assert ring != Keyring.new("shop").add(OLD)
    assert len({ring, copy.copy(ring)}) == 1
    with pytest.raises(KeyringError, match=r"Keyring\.new"):
        Keyring()
    with pytest.raises(KeyringError, match=r"Keyring\.new"):
        Keyring("shop")
    with pytest.raises(KeyringError, match=r"Keyring\.new"):
        ring.__init__()
