# SPDX-License-Identifier: Apache-2.0
"""Changes of a keyring: each makes a new one, and none loses a value unless the caller says so."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pythemis.keyring import Keyring, KeyringError, KeyringValueError, SecretKey
from support.rings import INVALID, payload_of, refused, ring_of
from support.warned import places_of

OTHER = "0123456789"


def test_a_rotation_step_by_step():
    """Add, promote, rotate, retire, remove: versions rise by one, old rings stay."""
    blank = Keyring.new("shop")
    assert (blank.name, blank.version, blank.ids, blank.primary) == ("shop", 0, (), None)
    first = blank.add()
    second = first.add()
    assert (first.version, second.version) == (1, 2)
    assert second.ids[0] == first.primary == second.primary
    promoted = second.promote(second.ids[1])
    assert promoted.primary == second.ids[1]
    assert first.ids == second.ids[:1]  # unchanged
    retired = promoted.retire(first.primary)
    assert [key.state for key in retired.keys] == ["retired", "active"]
    assert [key.primary for key in retired.keys] == [False, True]
    stored = first.encrypt(b"old")
    assert retired.decrypt(stored) == b"old"
    removed = retired.remove(first.primary)
    assert removed.ids == (promoted.primary,)
    assert removed.version == 5
    with pytest.raises(KeyringError, match=f"no key {first.primary}"):
        removed.decrypt(stored)
    assert {abs(key.created - time.time()) < 60 for key in removed.keys} == {True}
    assert payload_of(ring_of(payload_of(retired))) == payload_of(retired)


def test_changes_that_would_lose_values_are_refused():
    """The primary key does not go, and no key goes that was not retired before."""
    ring = Keyring.new("shop").add().add()
    primary, other = ring.ids
    refused(INVALID, "promote another one first", ring.retire, primary)
    refused(INVALID, "primary already", ring.promote, primary)
    refused(INVALID, "retire it first", ring.remove, primary)
    refused(INVALID, "retire it first", ring.remove, other)
    retired = ring.retire(other)
    refused(INVALID, "retired already", retired.retire, other)
    refused(INVALID, "is retired", retired.promote, other)
    for change in (ring.promote, ring.retire, ring.remove, ring.pin):
        refused(INVALID, "no key", change, OTHER)
        for wrong in ("", "0123", "012345678G", "0123456789ab", "012345678A", " 123456789"):
            refused(INVALID, "10 lower-case hex digits", change, wrong)
        for wrong in (None, b"0123456789", 1):
            refused(INVALID, "must be text", change, wrong)
    refused(INVALID, "no legacy keys", ring.drop_legacy)


@pytest.mark.parametrize(
    "name", ["", "Shop", ".shop", "a" * 65, "shop\n", "shöp", "a b", "a/b", "-a", "a\0"]
)
def test_names(name):
    """A ring's name is short, plain and lower-case."""
    refused(INVALID, "not the name of a keyring", Keyring.new, name)
    assert Keyring.new("a" * 64).add().name == "a" * 64
    refused(INVALID, "must be text", Keyring.new, name.encode())


def test_keys_of_others():
    """A key is 32 bytes and is there once, as HMAC sees keys; the error does not have it."""
    key = b"\x01\x02" * 16
    ring = Keyring.new("shop").add(SecretKey.from_bytes(key))
    for wrong in (b"", b"k" * 31, b"k" * 33, bytearray(64)):
        refused(INVALID, "exactly 32 bytes", ring.add, wrong)
    refused(INVALID, "must be bytes", ring.add, "k" * 32)
    refused(INVALID, "one key twice", ring.add, key)
    refused(INVALID, "one key twice", ring.add_legacy, key)
    refused(INVALID, "one key twice", ring.add_legacy, key + b"\0")
    for wrong in (b"", bytes(1025)):
        refused(INVALID, "1 to 1024 bytes", ring.add_legacy, wrong)
    full = ring
    for i in range(64):
        full = full.add_legacy(b"\xff" * 16 + bytes([i + 1]))
    refused(INVALID, "more than 64 legacy keys", full.add_legacy, b"\xfe" * 16)
    assert full.legacy_count == 64
    assert full.drop_legacy().legacy_count == 0


@pytest.mark.parametrize("weak", [b"secret", b"correct horse battery staple", bytes(range(15))])
def test_weak_legacy_keys_cause_a_warning(weak):
    """A key that a person may have thought up is taken, with a warning that does not have it."""
    ring = Keyring.new("shop").add()
    with pytest.warns(UserWarning, match="looks thought up") as caught:
        ring.add_legacy(weak)
    assert places_of(caught) == [__file__]
    assert weak not in str(caught[0].message).encode()


def test_the_most_keys():
    """256 keys fit, and not one more."""
    ring = Keyring.new("shop").add()
    for _ in range(255):
        ring = ring.add()
    assert len(set(ring.ids)) == 256
    refused(INVALID, "more than 256 keys", ring.add)
    assert ring.promote(ring.ids[-1]).decrypt(ring.encrypt(b"m")) == b"m"


class Programs:
    """Programs that take new versions of a ring at times of their own, and a store they share."""

    def __init__(self, count):
        self.ring = Keyring.new("shop").add()
        self.in_use = [self.ring] * count
        self.store = []

    def write(self, who):
        self.store.append((self.in_use[who].encrypt(b"message"), self.ring.version))

    def read_all(self):
        for stored, _ in self.store:
            for ring in self.in_use:
                ring.decrypt(stored)

    def reload(self, who):
        self.in_use[who] = self.ring

    def all_reload(self):
        self.in_use = [self.ring] * len(self.in_use)


steps = st.lists(
    st.sampled_from(["add", "promote", "retire", "remove", "rotate", "write 0", "write 1"]),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_no_order_of_careful_changes_loses_a_value(steps, random):
    """Whatever the order, all programs read all values, if each change waits for all of them."""
    programs = Programs(2)
    for step in steps:
        ring = programs.ring
        try:
            if step.startswith("write"):
                programs.write(int(step[-1]))
            elif step == "add":
                programs.ring = ring.add()
            elif step == "rotate":
                programs.all_reload()
                programs.store = [(ring.rotate(value), 0) for value, _ in programs.store]
            elif step == "remove":
                key = random.choice(ring.ids)
                used = {ring.key_id(value) for value, _ in programs.store}
                if key not in used | {each.primary for each in programs.in_use}:
                    programs.ring = ring.remove(key)
            else:
                programs.all_reload()  # everyone has the key before it is promoted
                programs.ring = getattr(ring, step)(random.choice(ring.ids))
        except KeyringValueError:  # the change was refused
            pass
        programs.reload(random.randrange(2))
        programs.read_all()


def test_the_wrong_order_is_caught():
    """Promoting before everyone has the key loses reads: the check above can fail."""
    programs = Programs(2)
    programs.ring = programs.ring.add()
    programs.ring = programs.ring.promote(programs.ring.ids[-1])
    programs.reload(0)
    programs.write(0)
    with pytest.raises(KeyringError, match="the ring has no key"):
        programs.read_all()
