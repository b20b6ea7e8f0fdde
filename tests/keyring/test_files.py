# SPDX-License-Identifier: Apache-2.0
"""Keyring files: all recorded ones, what is refused, and what a save must not destroy."""

import os
import stat
import traceback

import pytest

from pythemis import _sealed, keyring
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.keyring import Keyring, KeyringError, SecretKey
from pythemis.scell import SCellSeal, SecureCellError
from pythemis.skeygen import GenerateKeyPair
from support.rings import FAIL, INVALID, RECORDED, by_id, payload_of, refused

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


class Recorded:
    """The service of the recorded files: its cells hold the file key alone."""

    def __init__(self, name, key):
        self.name = name
        self._cell = SCellSeal(key)

    def wrap(self, plain, context):
        """Encrypt."""
        return self._cell.encrypt(plain[32:], context)

    def unwrap(self, body, context):
        """Decrypt; the digest that every service binds is in the context."""
        try:
            return context[15:] + self._cell.decrypt(body, context)
        except SecureCellError:
            return None


class Down:
    """A service that does not answer."""

    name = "down"

    def wrap(self, *_):
        """Fail."""
        raise TimeoutError("the service is down")

    unwrap = wrap


def names_in(folder):
    """Give the names of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def load_recorded(case, path):
    """Load a recorded file with what its case gives."""
    path.write_bytes(bytes.fromhex(case["hex"]))
    given = case["unlock"]
    options = {
        "key": bytes.fromhex(given["keys"][0][1]) if "keys" in given else None,
        "service": [Recorded(name, bytes.fromhex(k)) for name, k in given["services"].items()]
        if "services" in given
        else None,
        "min_version": case["min_version"],
    }
    for ours, theirs in (("passphrase",) * 2, ("private_key", "private"), ("sender", "sender")):
        options[ours] = bytes.fromhex(given[theirs]) if theirs in given else None
    return keyring.load(path, case["name"], **options)


@by_id(RECORDED["files"])
def test_recorded_files(case, tmp_path):
    """Each recorded file is read, opened by every kind of slot that may."""
    ring = load_recorded(case, tmp_path / "ring")
    assert payload_of(ring) == case["payload"].encode()


@by_id(RECORDED["refused_files"])
def test_refused_files(case, tmp_path):
    """Each recorded forgery is refused."""
    with pytest.raises(KeyringError):
        load_recorded(case, tmp_path / "ring")


def test_a_recipient_slot_names_no_author(tmp_path):
    """A file that a private key alone opens is refused, whatever opened it inside."""
    pair = GenerateKeyPair("EC")
    private, public = pair.export_private_key(), pair.export_public_key()
    ring = Keyring.new("shop").add()
    slots = _sealed.Slots(recipients=[(public, False)])
    errors = keyring._files.ERRORS
    data = _sealed.seal_bytes(errors, payload_of(ring), slots, b"TK1 keyring shop", reserved=True)
    (tmp_path / "ring").write_bytes(data)
    refused(INVALID, "needs sender", keyring.load, tmp_path / "ring", "shop", private_key=private)
    unlock = _sealed.Unlock(private_key=private)
    asked = keyring._files.wanted("shop", 0, None)
    refused(FAIL, "a recipient slot opened", keyring._files.opened, data, unlock, asked)


@pytest.mark.parametrize(
    "given",
    [
        *({"key": KEY}, {"key": SecretKey.from_bytes(KEY)}, {"passphrase": "correct horse"}),
        *({"service": Recorded("kms-1", KEY)}, {"key": KEY, "passphrase": b"correct horse"}),
    ],
    ids=lambda given: "-".join(given),
)
def test_what_is_saved_is_loaded(given, tmp_path):
    """A ring comes back as it was, and is on the disk for its owner alone."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add().add().add_legacy(bytes(range(100, 140)))
    ring.save(path, **given)
    assert payload_of(keyring.load(path, "shop", **given)) == payload_of(ring)
    for name, value in given.items():
        assert keyring.load(str(path), "shop", **{name: value}).version == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name == "nt"
    assert names_in(tmp_path) == ["ring"]
    data = path.read_bytes()
    assert payload_of(ring)[:40] not in data
    for at in range(8, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 1
        path.write_bytes(changed)
        if "passphrase" not in given:  # which would take long
            with pytest.raises(KeyringError):
                keyring.load(path, "shop", **given)


def test_passphrases_are_stretched_for_long(tmp_path):
    """A passphrase slot asks for 600000 iterations."""
    Keyring.new("shop").add().save(tmp_path / "ring", passphrase="correct horse")
    head = (tmp_path / "ring").read_bytes()
    assert (600_000).to_bytes(4, "little") in head[:200]


def test_bad_files_and_arguments(tmp_path):
    """Each mistake has one clear sentence, and no file is left or changed."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add().add()
    ring.save(path, key=KEY)
    before = path.read_bytes()

    def load(**options):
        return keyring.load(path, options.pop("name", "shop"), **{"key": KEY, **options})

    refused(FAIL, "does not open", load, key=OTHER)
    refused(FAIL, "Is this the name of the ring?", load, name="shop-index")
    refused(FAIL, "rolled back", load, min_version=3)
    refused(FAIL, "no key of this pin", load, pin="0" * 32)
    assert load(pin=ring.pin(ring.ids[1]), min_version=2).version == 2
    refused(INVALID, "32 lower-case hex", load, pin="0" * 31)
    refused(INVALID, "must be text", load, pin=b"0" * 32)
    refused(INVALID, "min_version must be", load, min_version=-1)
    refused(INVALID, "min_version must be an int", load, min_version="3")
    refused(INVALID, "not the name", load, name="Shop")
    refused(INVALID, "must be text", load, name=None)
    refused(INVALID, "nothing opens the file", load, key=None)
    refused(INVALID, "must be bytes", load, key="k" * 32)
    refused(INVALID, "passphrase is empty", load, passphrase="")
    refused(INVALID, "lone surrogate", load, passphrase="\udc80")
    for_service = tmp_path / "service"
    ring.save(for_service, service=Recorded("down", KEY))
    with pytest.raises(TimeoutError):
        keyring.load(for_service, "shop", service=Down())
    for_service.unlink()
    with pytest.raises(FileNotFoundError):
        keyring.load(tmp_path / "none", "shop", key=KEY)
    refused(INVALID, "not a regular file", keyring.load, tmp_path, "shop", key=KEY)
    (tmp_path / "empty").touch()
    refused(INVALID, "not a keyring file: it is", keyring.load, tmp_path / "empty", "shop", key=KEY)
    (tmp_path / "empty").unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo")
        refused(INVALID, "not a regular file", keyring.load, tmp_path / "fifo", "shop", key=KEY)
        (tmp_path / "fifo").unlink()
    for wrong in (5, None):
        refused(INVALID, "the path must be", keyring.load, wrong, "shop", key=KEY)
        if wrong:
            refused(INVALID, "name, wrap and unwrap", load, service=wrong)
            refused(INVALID, "name, wrap and unwrap", ring.save, path, service=[wrong])
    newer = ring.add()
    refused(INVALID, "for no one", newer.save, path)
    refused(INVALID, "15 bytes", newer.save, path, key=b"k" * 15)
    refused(INVALID, "no keys yet", Keyring.new("shop").save, tmp_path / "new", key=KEY)
    with pytest.raises(TimeoutError):
        newer.save(path, key=KEY, service=Down(), replace_slots=True)
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["ring"]


def test_what_the_payload_of_a_file_may_not_be(tmp_path):
    """What is sealed as a keyring and is none is refused, also if it is large."""
    errors = keyring._files.ERRORS
    for payload, text in ((b"", "it is empty"), (bytes(262145), "it has more than"), (b"{}", "")):
        slots = _sealed.Slots(keys=[(b"", KEY)])
        data = _sealed.seal_bytes(errors, payload, slots, b"TK1 keyring shop", reserved=True)
        (tmp_path / "ring").write_bytes(data)
        load = keyring.load
        refused(INVALID, f"not a keyring: {text}", load, tmp_path / "ring", "shop", key=KEY)
    (tmp_path / "ring").write_bytes(bytes((1 << 24) + 1))
    refused(INVALID, "no keyring has as many", keyring.load, tmp_path / "ring", "shop", key=KEY)


def test_no_change_is_lost(tmp_path):
    """A save over a file takes a newer version of the ring in it, and keeps all ways to open it."""
    path = tmp_path / "ring"
    first = Keyring.new("shop").add()
    first.save(path, key=KEY, passphrase="correct horse")
    mine = keyring.load(path, "shop", key=KEY).add()
    theirs = keyring.load(path, "shop", key=KEY).add()
    mine.save(path, key=KEY, passphrase="correct horse")
    both = {"key": KEY, "passphrase": "correct horse"}
    refused(INVALID, "holds version 2 of the ring already", theirs.save, path, **both)
    refused(INVALID, "slots of kind passphrase", mine.add().save, path, key=KEY)
    refused(FAIL, "its version cannot be read", theirs.add().save, path, key=OTHER)
    refused(FAIL, "version cannot be read", Keyring.new("other").add().save, path, key=KEY)
    foreign = Keyring.new("shop").add().add().add()
    refused(INVALID, "lacks the primary key", foreign.save, path, **both)
    assert keyring.load(path, "shop", key=KEY).ids == mine.ids
    # Another key to open it: the ring knows what it was loaded from.
    moved = keyring.load(path, "shop", key=KEY).add()
    refused(INVALID, "slots of kind key, passphrase", moved.save, path, service=Recorded("a", KEY))
    moved.save(path, key=OTHER, replace_slots=True)
    assert keyring.load(path, "shop", key=OTHER).ids == moved.ids
    moved.promote(moved.ids[2]).save(path, key=OTHER)
    refused(FAIL, "does not open", keyring.load, path, "shop", key=KEY)


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    """Another program may make the file while a key service works for this one."""
    path = tmp_path / "ring"

    class Slow(Recorded):
        def wrap(self, plain, context):
            path.write_bytes(b"another program's")
            return super().wrap(plain, context)

    with pytest.raises(FileExistsError):
        Keyring.new("shop").add().save(path, service=Slow("slow", KEY))
    assert (path.read_bytes(), names_in(tmp_path)) == (b"another program's", ["ring"])


def test_a_secret_is_in_no_error(tmp_path):
    """Neither messages nor tracebacks with their locals have a key of the ring or of the file."""
    path = tmp_path / "ring"
    secret = bytes(range(200, 232))
    ring = Keyring.new("shop").add(SecretKey.from_bytes(secret))
    ring.save(path, key=SecretKey.from_bytes(KEY))
    ring = keyring.load(path, "shop", key=SecretKey.from_bytes(KEY))
    shown = []
    for call in (
        lambda: ring.save(path, key=SecretKey.from_bytes(KEY)),
        lambda: keyring.load(path, "shop", key=SecretKey.from_bytes(OTHER)),
        lambda: keyring.load(path, "shop", key=SecretKey.from_bytes(KEY), min_version=9),
        lambda: ring.add(SecretKey.from_bytes(secret)),
    ):
        try:
            call()
        except ThemisError as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            ours = [frame for frame in told.stack if frame.filename != __file__]
            shown.append(f"{error} {[frame.locals for frame in ours]}")
    assert len(shown) == 4
    for form in (repr(secret)[2:-1], secret.hex(), repr(KEY)[2:-1], KEY.hex(), "yMnKy8zNzs"):
        assert not [text for text in shown if form in text]


def test_the_policies_of_key_services(tmp_path):
    """A service sees the context that policies name for a ring (formats, section 9.3)."""
    import base64

    seen = []

    class Spy(Recorded):
        def wrap(self, plain, context):
            seen.append(base64.b64encode(context).decode())
            return super().wrap(plain, context)

    for case in RECORDED["kms_contexts"]:
        Keyring.new(case["name"]).add().save(tmp_path / case["name"], service=Spy("s", KEY))
    assert seen == [case["base64"] for case in RECORDED["kms_contexts"]]


def test_a_closed_ring_is_not_saved(tmp_path):
    """Nothing is written of it."""
    ring = Keyring.new("shop").add()
    ring.close()
    assert refused(INVALID, "closed", ring.save, tmp_path / "ring", key=KEY)
    assert THEMIS_CODES.INVALID_PARAMETER == INVALID
    assert names_in(tmp_path) == []
