# SPDX-License-Identifier: Apache-2.0
"""``pythemis keyring``: rings are made, changed step by step, and rotate stored values."""

import base64
import json
from pathlib import Path

import pytest

from pythemis import keyring
from pythemis.place import place
from pythemis.scell import SCellSeal


@pytest.fixture
def ring(pythemis):
    """Make shop.ring, and give its status."""
    pythemis("keygen", "-o", "key")
    assert pythemis("keyring", "new", "shop.ring", "-k", "key").status == 0

    def status():
        return json.loads(pythemis("keyring", "status", "shop.ring", "-k", "key", "--json").out)

    return status


def loaded():
    """Load the ring as a program does."""
    return keyring.load("shop.ring", "shop", key=base64.b64decode(Path("key").read_bytes()))


def change(pythemis, name, *arguments):
    """Change the ring."""
    return pythemis("keyring", name, "shop.ring", *arguments, "-k", "key")


def test_a_ring_goes_through_a_change_of_keys(pythemis, ring):
    """New, added, promoted, retired, removed: what a program sees of each step."""
    [old] = ring()["keys"]
    assert (ring()["name"], old["primary"], old["state"]) == ("shop", True, "active")
    stored = loaded().encrypt(b"a value", place("value"))
    Path("value").write_bytes(stored)
    assert change(pythemis, "add").status == 0
    new = ring()["keys"][1]["id"]
    assert loaded().primary == old["id"]
    assert change(pythemis, "promote").status == 0
    assert loaded().primary == new
    ran = change(pythemis, "rotate", "value", "--context-name")
    assert ran == (0, f"value: now under key {new}\n".encode(), "")
    assert loaded().decrypt(Path("value").read_bytes(), place("value")) == b"a value"
    ran = change(pythemis, "rotate", "value", "--context-name")
    assert b"under the primary key already" in ran.out
    assert change(pythemis, "retire", old["id"]).status == 0
    assert [key["state"] for key in ring()["keys"]] == ["retired", "active"]
    assert change(pythemis, "remove", old["id"]).status == 0
    assert loaded().ids == (new,)
    assert ring()["version"] == loaded().version


def test_the_status_is_text_as_well(pythemis, ring):
    """Id, state, date and pin of each key; never the key."""
    [key] = ring()["keys"]
    shown = pythemis("keyring", "status", "shop.ring", "-k", "key").out.decode()
    assert shown.startswith("keyring shop, version ")
    assert f"  {key['id']}: active, primary, created 20" in shown
    assert f"pin {loaded().pin(key['id'])}" in shown


def test_a_key_from_before_the_ring_reads_bare_cells(pythemis, ring):
    """It is a legacy key, and rotating a cell makes a value of the ring."""
    pythemis("keygen", "-o", "old")
    Path("value").write_bytes(
        SCellSeal(key=base64.b64decode(Path("old").read_bytes())).encrypt(b"a value", b"c")
    )
    assert change(pythemis, "rotate", "value", "--context", "c").status == 1
    assert change(pythemis, "add", "--legacy", "old").status == 0
    assert ring()["legacy_count"] == 1
    for rotated in (True, False):
        ran = change(pythemis, "rotate", "value", "--context", "c", "--json")
        found = {"schema": 1, "file": "value", "rotated": rotated, "key_id": loaded().primary}
        assert (ran.status, json.loads(ran.out)) == (0, found)
    assert loaded().decrypt(Path("value").read_bytes(), b"c") == b"a value"
    assert change(pythemis, "remove", "--legacy").status == 0
    assert ring()["legacy_count"] == 0


def test_a_passphrase_opens_a_ring(pythemis):
    """From a source; the name may be given."""
    Path("secret").write_bytes(b"correct horse\n")
    Path("secret").chmod(0o600)
    way = ["--passphrase-from", "secret", "--name", "other"]
    assert pythemis("keyring", "new", "ring", *way).out.startswith(b"keyring other, version 1\n")
    assert pythemis("keyring", "status", "ring", *way).status == 0
    assert keyring.load("ring", "other", passphrase="correct horse").version == 1


def test_mistakes_leave_the_ring_as_it_is(pythemis, ring):
    """An existing file, a wrong name or key, a step that is out of order."""
    before = Path("shop.ring").read_bytes()
    [key] = ring()["keys"]
    pythemis("keygen", "-o", "other")
    tried = {
        ("new", "shop.ring", "-k", "key"): (2, "shop.ring is there already"),
        ("status", "größe.ring", "-k", "key"): (2, "größe.ring: this is not the name of a keyring"),
        ("status", "shop.ring"): (2, "say what opens the keyring"),
        ("status", "missing", "-k", "key"): (2, "missing: "),
        ("status", "shop.ring", "-k", "other"): (1, ""),
        ("status", "shop.ring", "-k", "key", "--name", "index"): (1, ""),
        ("remove", "shop.ring", key["id"], "-k", "key"): (1, f"key {key['id']} is not removed"),
        ("retire", "shop.ring", key["id"], "-k", "key"): (1, f"key {key['id']} is not retired"),
        ("promote", "shop.ring", "nonsense", "-k", "key"): (1, "10 lower-case hex digits"),
        ("rotate", "shop.ring", "key", "-k", "key"): (1, "key: "),
        ("remove", "shop.ring", "-k", "key"): (2, "name the key to remove, ID, or all"),
        ("remove", "shop.ring", key["id"], "--legacy", "-k", "key"): (2, "name the key to remove"),
        ("remove", "shop.ring", "--legacy", "-k", "key"): (1, "it has no legacy keys"),
        ("new", "UPPER", "-k", "key"): (2, "; give it with --name NAME"),
    }
    for arguments, (status, said) in tried.items():
        ran = pythemis("keyring", *arguments)
        assert (ran.status, ran.out) == (status, b""), arguments
        assert said in ran.err
    assert Path("shop.ring").read_bytes() == before
    assert not Path("UPPER").exists()
