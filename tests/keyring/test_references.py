# SPDX-License-Identifier: Apache-2.0
"""References name a ring and its key, and carry neither."""

import base64
import copy
import pickle
import subprocess
import sys

import pytest

from pythemis import keyring
from pythemis.exception import ThemisError
from pythemis.keyring import Keyring, KeyringError
from pythemis.scell import SCellSeal, SecureCellError
from support.rings import FAIL, INVALID, refused

KEY = bytes(range(32))
BASE64 = base64.b64encode(KEY).decode()


class Local:
    """A service that pickles: its key is a constant here."""

    def __init__(self, name):
        self.name = name

    def wrap(self, plain, context):
        """Encrypt."""
        return SCellSeal(KEY).encrypt(plain, context)

    def unwrap(self, body, context):
        """Decrypt."""
        try:
            return SCellSeal(KEY).decrypt(body, context)
        except SecureCellError:
            return None


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Put a ring and its key into files, variables and credentials."""
    ring = Keyring.new("shop").add()
    ring.save(tmp_path / "ring", key=KEY)
    encoded = base64.b64encode((tmp_path / "ring").read_bytes())
    (tmp_path / "key").write_text(BASE64 + "\n")
    (tmp_path / "key").chmod(0o600)
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "ring").write_bytes(encoded + b"\n")
    (folder / "key").write_text(BASE64)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("SHOP_RING", encoded.decode())
    monkeypatch.setenv("SHOP_KEY", BASE64)
    monkeypatch.setattr(keyring._loading, "_resolved", {})
    return tmp_path, ring


def named(places, ring="file", key="file", **options):
    """Give a reference to the ring."""
    rings = {"file": f"file:{places[0] / 'ring'}", "env": "env:SHOP_RING"}
    keys = {"file": f"file:{places[0] / 'key'}", "env": "env:SHOP_KEY"}
    return keyring.from_reference(
        rings.get(ring, "credential:ring"), keys.get(key, "credential:key"), name="shop", **options
    )


@pytest.mark.parametrize("key", ["file", "env", "credential"])
@pytest.mark.parametrize("ring", ["file", "env", "credential"])
def test_each_place(places, ring, key):
    """The ring is found at each place, with the key from each."""
    reference = named(places, ring, key)
    current = reference()
    assert current.ids == places[1].ids
    assert reference() is current
    assert named(places, ring, key)() is current  # resolved once
    assert BASE64 not in repr(reference) + repr(pickle.dumps(reference))


def test_references_to_one_ring_keep_their_conditions(places):
    """One that asks for more is not answered with the ring that another one got."""
    ring = named(places)()
    assert named(places, pin=ring.pin(ring.primary))().ids == ring.ids
    refused(FAIL, "min_version is 2", named(places, min_version=2))
    refused(FAIL, "no key of this pin", named(places, pin="0" * 32))


def test_an_unlocking_key_has_32_bytes(places):
    """Fewer were cut off, or are another key."""
    (places[0] / "key").write_text(BASE64[:24])
    refused(INVALID, "has 18 bytes, not 32", named(places))


def test_changes_are_followed(places, monkeypatch):
    """The file and the variable are looked at again, by the rule of reloading."""
    path, ring = places[0] / "ring", places[1]
    errors = []
    in_file = named(places, seconds=0, on_refused=errors.append)
    in_variable = named(places, "env", seconds=0, on_refused=errors.append)
    assert in_file().version == in_variable().version == 1
    ring.add().save(path, key=KEY)
    monkeypatch.setenv("SHOP_RING", base64.b64encode(path.read_bytes()).decode())
    assert in_file().version == in_variable().version == 2
    for broken in ("", "rubbish!", BASE64):
        monkeypatch.setenv("SHOP_RING", broken)
        assert in_variable().version == 2
    monkeypatch.delenv("SHOP_RING")
    assert in_variable().version == 2
    texts = ["is empty", "not base64", "not a keyring file", "is not set"]
    assert [text for text, error in zip(texts, errors, strict=True) if text not in str(error)] == []


def test_a_reference_resolves_where_it_arrives(places):
    """It pickles as its names; another process finds ring and key by itself."""
    reference = named(places)
    stored = reference().encrypt(b"message")
    pickled = pickle.dumps(reference)
    assert pickle.loads(pickled) == copy.deepcopy(reference) == reference
    assert len({pickle.loads(pickled), reference}) == 1
    assert pickle.loads(pickled)() is reference()
    program = f"import pickle; ring = pickle.loads({pickled!r})(); print(ring.decrypt({stored!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "b'message'\n"


def test_a_service_unlocks(places):
    """A service in the place of the key; its copies are one service."""
    path = places[0] / "served"
    places[1].save(path, service=Local("local-1"))
    reference = keyring.from_reference(f"file:{path}", Local("local-1"), name="shop")
    assert reference().ids == places[1].ids
    assert pickle.loads(pickle.dumps(reference))() is reference()
    assert "service local-1" in repr(reference)
    other = keyring.from_reference(f"file:{path}", Local("local-2"), name="shop")
    with pytest.raises(KeyringError, match="does not open"):
        other()


@pytest.mark.parametrize(
    "wrong",
    ["", "shop", "file:", "env:", "env:A=B", "credential:a/b", "credential:..", "s3:x", BASE64],
)
def test_wrong_references(wrong):
    """They are refused at once, and not shown: a key may stand there by mistake."""
    for given in ((wrong, "env:K"), ("env:R", wrong)):
        error = refused(INVALID, "reference to", keyring.from_reference, *given, name="shop")
        assert len(wrong) < 6 or wrong not in str(error)


def test_a_file_is_named_like_its_ring(places):
    """Without a name it is that of the file up to the first dot; a variable tells none."""
    path, ring = places
    (path / "ring").rename(path / "shop.prod.ring")
    key = f"file:{path / 'key'}"
    assert keyring.from_reference(f"file:{path / 'shop.prod.ring'}", key)().ids == ring.ids
    (path / "shop.prod.ring").rename(path / "stock.ring")
    with pytest.raises(KeyringError, match="does not open"):
        keyring.from_reference(f"file:{path / 'stock.ring'}", key)()
    refused(INVALID, "name= must say which ring", keyring.from_reference, "env:SHOP_RING", key)


@pytest.mark.parametrize("wrong", [None, b"env:K", 1, KEY])
def test_references_are_text(wrong):
    """A key itself is no reference to one."""
    refused(INVALID, "is file:PATH", keyring.from_reference, wrong, "env:K", name="shop")
    refused(INVALID, "is file:PATH", keyring.from_reference, "env:R", wrong, name="shop")


def test_what_is_not_there(places, monkeypatch):
    """A key or a ring that is missing or of a wrong size is refused when it is first needed."""
    path, _ = places
    with pytest.raises(FileNotFoundError):
        keyring.from_reference(f"file:{path / 'none'}", "env:SHOP_KEY", name="shop")()
    for text in (base64.b64encode(KEY[:31]).decode(), "rubbish", ""):
        monkeypatch.setenv("SHOP_KEY", text)
        with pytest.raises(ThemisError) as caught:
            named(places, key="env")()
        assert text not in str(caught.value) or not text
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    refused(INVALID, "CREDENTIALS_DIRECTORY", named(places, "credential"))
    (path / "key").chmod(0o644)
    with pytest.raises(ThemisError):
        named(places)()
    monkeypatch.setenv("SHOP_KEY", base64.b64encode(KEY[::-1]).decode())
    with pytest.raises(KeyringError, match="does not open"):
        named(places, key="env")()


class Report:
    """An `on_refused` that unpickles to another object each time."""

    def __call__(self, error):
        """Hear it."""


def test_copies_of_reports_fill_no_cache(places):
    """Only a reference whose `on_refused` is a function of a module leaves its ring behind."""
    for on_refused in (Report(), lambda _: None, [].append):
        reference = named(places, on_refused=on_refused)
        assert reference() is reference()
    for _ in range(3):
        assert pickle.loads(pickle.dumps(named(places, on_refused=Report())))().version == 1
    assert keyring._loading._resolved == {}
    for _ in range(3):
        pickle.loads(pickle.dumps(named(places, on_refused=print)))()
        named(places, on_refused=refused)()
    assert len(keyring._loading._resolved) == 2
