# SPDX-License-Identifier: Apache-2.0
"""``pythemis doctor`` finds each known mistake, and shows neither secret nor plaintext."""

import base64
import json
import unicodedata
import warnings
from pathlib import Path

import pytest

from pythemis._cli import doctor
from pythemis.place import place
from pythemis.scell import SCellSeal, SCellTokenProtect, legacy_text
from pythemis.smessage import SMessage, ssign
from support.keys import cases, generated

KEY = bytes(range(7, 39))
LINE = base64.b64encode(KEY)
PRIVATE, PUBLIC = generated("EC")
PLAIN = b"plaintext that stays where it is"
CONTEXT = "café 42"
CELL = SCellSeal(key=KEY).encrypt(PLAIN, CONTEXT.encode())
OPENS = "It opens with what you gave"


def private_file(name, data):
    """Write a file that other users cannot read."""
    Path(name).write_bytes(data)
    Path(name).chmod(0o600)
    return name


def sealed(key, context=CONTEXT):
    """Encrypt as a program with a mistake does, which is warned if its key is base64."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = context.encode() if isinstance(context, str) else context
        return SCellSeal(key=key).encrypt(PLAIN, context)


def spelled(form):
    """Spell the context otherwise."""
    return unicodedata.normalize(form, CONTEXT).encode()


MISTAKES = {
    "base64 data": (base64.b64encode(CELL), "the data is in base64", "base64.b64decode"),
    "hex data": (CELL.hex().encode(), "the data is in hex", "bytes.fromhex"),
    "a newline": (CELL + b"\n", "the data has a newline", "strip it"),
    "Latin-1": (CELL.decode("latin-1").encode(), "taken as Latin-1 text", "store bytes"),
    "key as text": (sealed(LINE), "used as base64, not decoded", "decode it for new data"),
    "key with newline": (sealed(LINE + b"\n"), "the key had a newline", "strip the key"),
    "key in UTF-16": (sealed(LINE.decode().encode("utf-16-le")), "was in UTF-16", "UTF-8"),
    "key in JSON": (sealed(b'"' + LINE + b'"'), "in JSON's quotes", "json.loads"),
    "key of 0.15": (sealed(legacy_text(LINE.decode())), "a str in pythemis 0.15", "legacy_text"),
    "no context": (sealed(KEY, b""), "there was no context", "decrypt without one"),
    "context with newline": (
        sealed(KEY, CONTEXT.encode() + b"\n"),
        "the context had a newline",
        "",
    ),
    "context in UTF-16": (sealed(KEY, CONTEXT.encode("utf-16-le")), "context was in UTF-16", ""),
    "context of 0.15": (sealed(KEY, legacy_text(CONTEXT)), "0.15", "legacy_text"),
    "context in NFD": (sealed(KEY, spelled("NFD")), "Unicode form NFD", "unicodedata.normalize"),
    "context is a place": (sealed(KEY, place(CONTEXT)), "was a place of this text", "place(text)"),
    "two at once": (base64.b64encode(sealed(LINE)), "not decoded", "base64"),
    "stored value": (b"TK1\0\1\2\3\4" + CELL, OPENS, ""),
    "nothing": (CELL, OPENS, ""),
}


@pytest.mark.parametrize(("data", "what", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_with_a_key_is_found(pythemis, data, what, remedy):
    """What it was, and how to mend it; neither the key nor the plaintext is shown."""
    private_file("key", LINE + b"\n")
    ran = pythemis("doctor", "-k", "key", "--context", CONTEXT, stdin=data)
    said = ran.out.decode()
    assert (ran.status, ran.err) == (0, "")
    assert what in said
    assert remedy in said
    for secret in (LINE.decode(), KEY.hex(), PLAIN.decode(), PLAIN.hex()):
        assert secret not in said


def test_a_hex_key_is_found(pythemis):
    """Hex is base64 as well, and something else in it."""
    private_file("key", KEY.hex().encode())
    ran = pythemis("doctor", "-k", "key", "--context", CONTEXT, stdin=CELL)
    assert b"the key is hex: decode the hex once" in ran.out


def test_a_cell_of_096_is_found(pythemis):
    """What 64-bit machines wrote once."""
    found = [case for case in cases("cell_seal") if "096" in case["id"]]
    assert found
    for case in found:
        private_file("key", base64.b64encode(case["key"]))
        context = (case["context"] or b"").decode("latin-1")
        given = ["--context", context] if context.isascii() and context else []
        ran = pythemis("doctor", "-k", "key", *given, stdin=case["cell"])
        assert b"compat_096=True" in ran.out


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("correct horse", OPENS),
        ("correct horse\n", "the passphrase had a newline"),
        ("  correct horse", OPENS),
        ("caf\u0065\u0301", "Unicode form NFD"),
    ],
)
def test_a_mistake_with_a_passphrase_is_found(pythemis, secret, what):
    """Newlines, blanks, normalisation."""
    cell = SCellSeal(passphrase=secret, iterations=1000, min_iterations=1).encrypt(PLAIN)
    private_file("secret", unicodedata.normalize("NFC", secret.rstrip("\n")).encode())
    ran = pythemis("doctor", "--passphrase-from", "secret", stdin=cell)
    assert what in ran.out.decode()


def test_a_key_and_a_passphrase_are_told_apart(pythemis):
    """Each in the place of the other one."""
    private_file("secret", b"correct horse")
    cell = SCellSeal(key=b"correct horse").encrypt(PLAIN)
    ran = pythemis("doctor", "--passphrase-from", "secret", stdin=cell)
    assert b"the bytes of the passphrase as a key" in ran.out
    cell = SCellSeal(passphrase="correct horse", iterations=1000, min_iterations=1).encrypt(PLAIN)
    ran = pythemis("doctor", "-k", "secret", stdin=cell)
    assert b"made with a passphrase" in ran.out


def test_exchanged_tokens_are_found(pythemis):
    """In either order, and in base64."""
    encrypted, token = SCellTokenProtect(KEY).encrypt(PLAIN)
    private_file("key", LINE)
    Path("token").write_bytes(token)
    Path("encrypted").write_bytes(base64.b64encode(encrypted))
    assert pythemis("doctor", "encrypted", "-k", "key", "--token", "token").status == 0
    ran = pythemis("doctor", "token", "-k", "key", "--token", "encrypted")
    assert b"data and token are exchanged" in ran.out
    assert b"give the encrypted data" in pythemis("doctor", "token", "-k", "key").out


def test_exchanged_keys_of_a_message_are_found(pythemis):
    """Private and public in each other's place; the own public key for that of the sender."""
    peer, peer_public = generated("EC", curve="P-256")
    private_file("own", base64.b64encode(PRIVATE))
    private_file("own.pub", base64.b64encode(PUBLIC))
    private_file("peer.pub", base64.b64encode(peer_public))
    wrapped = SMessage(peer, PUBLIC).wrap(PLAIN)
    right = ["--private", "own", "--sender", "peer.pub"]
    assert OPENS.encode() in pythemis("doctor", *right, stdin=wrapped).out
    ran = pythemis("doctor", "--private", "peer.pub", "--sender", "own", stdin=wrapped)
    assert b"are exchanged" in ran.out
    ran = pythemis("doctor", "--private", "own", "--sender", "own.pub", stdin=wrapped)
    assert (ran.status, b"the public key is your own" in ran.out) == (1, True)
    signed = ssign(PRIVATE, PLAIN)
    ran = pythemis("doctor", "--sender", "own", stdin=signed)
    assert b"verify with the public one" in ran.out


def test_what_nothing_explains_is_said(pythemis):
    """The status is 1; what inspect found is a hint; JSON has the same."""
    private_file("key", LINE)
    ran = pythemis("doctor", "-k", "key", stdin=sealed(b"another")[:-1])
    assert ran.status == 1
    assert b"truncated: the header promises 76 bytes, 75 are present" in ran.out
    found = json.loads(pythemis("doctor", "-k", "key", "--json", stdin=sealed(b"other")).out)
    assert list(found) == ["schema", "opens", "mistakes", "hints", "report"]
    assert (found["opens"], found["mistakes"]) == (False, [])
    assert b"give the key, too" in pythemis("doctor", stdin=CELL).out


def test_hostile_iterations_cost_little(pythemis, monkeypatch):
    """A cell that asks for many iterations is tried few times, and that is said."""
    monkeypatch.setattr(doctor, "_STRETCHES", 1)
    cell = bytearray(SCellSeal(passphrase="x", iterations=1000, min_iterations=1).encrypt(PLAIN))
    cell[48:52] = (400_000).to_bytes(4, "little")
    private_file("secret", b"correct horse")
    ran = pythemis("doctor", "--passphrase-from", "secret", stdin=bytes(cell))
    assert (ran.status, b"not everything was tried" in ran.out) == (1, True)


def test_mistakes_with_sealed_files_are_found(pythemis):
    """Contexts and encodings of keys; what its slots need and was not given is a hint."""
    private_file("key", LINE)
    private_file("raw", LINE + b"\n")
    private_file("secret", b"correct horse")
    pythemis("keygen", "--ec", "-o", "bob")
    made = pythemis("encrypt", "-k", "key", "--context", "c\n", stdin=PLAIN).out
    ran = pythemis("doctor", "-k", "key", "--context", "c", stdin=made)
    assert (ran.status, b"the context had a newline at its end" in ran.out) == (0, True)
    ran = pythemis("doctor", "-k", "key", "--context", "c\n", stdin=base64.b64encode(made))
    assert b"the data is in base64" in ran.out
    made = pythemis("encrypt", "-r", "bob.pub", "-k", "key", stdin=PLAIN).out
    ran = pythemis("doctor", "--private", "bob", stdin=made)
    assert b"It opens with what you gave. `pythemis verify-file` checks all of it." in ran.out
    ran = pythemis("doctor", "-k", "secret", stdin=made)
    assert (ran.status, b"the private key of a recipient: --private KEY" in ran.out) == (1, True)


def test_a_sealed_file_may_be_larger_than_memory(pythemis, monkeypatch):
    """Its beginning tells what opens it; what its size tells is said as well."""
    pythemis("keygen", "-o", "key")
    pythemis("encrypt", "-k", "key", "-o", "file", "--context", "c\n", stdin=PLAIN)
    with Path("file").open("r+b") as file:
        file.truncate(126 + (65536 + 44) * (1 << 26) + 1)  # chunks behind the header, and a byte
    ran = pythemis("doctor", "file", "-k", "key", "--context", "c")
    assert (ran.status, ran.err) == (0, "")
    assert b"the context had a newline at its end" in ran.out
    assert b"it is truncated, or something was appended" in ran.out
    monkeypatch.setattr(doctor, "LARGEST", 1000)
    ran = pythemis("doctor", "-k", "key", stdin=bytes(1001))
    assert (ran.status, ran.out) == (1, b"")
    assert ran.err == "pythemis: -: this is longer than 1000 bytes, and no sealed file\n"


def test_a_folder_is_scanned(pythemis):
    """Cells of 0.15 whose message was text are found, and damaged ones; others are fine."""
    Path("data/inner").mkdir(parents=True)
    private_file("key", LINE)
    Path("data/good").write_bytes(sealed(KEY, b""))
    Path("data/inner/text").write_bytes(SCellSeal(KEY).encrypt(legacy_text("4929 1234 5678")))
    Path("data/short").write_bytes(sealed(KEY, b"")[:-1])
    Path("data/link").symlink_to("short")
    ran = pythemis("doctor", "--scan", "data", "-k", "key", "--json")
    found = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.status == 1
    assert {each["file"] for each in found} == {"data/inner/text", "data/short"}
    assert any("kept the first quarter" in each["finding"] for each in found)
    Path("data/short").unlink()
    Path("data/inner/text").unlink()
    with Path("data/long").open("wb") as file:  # sparse
        file.write(sealed(KEY, b""))
        file.truncate(file.tell() + (1 << 32))
    ran = pythemis("doctor", "--scan", "data", "-k", "key")
    assert b"data/long: its message may have had 4 GiB or more" in ran.out
    Path("data/long").unlink()
    ran = pythemis("doctor", "--scan", "data", "-k", "key")
    assert (ran.status, ran.out) == (0, b"1 files, 0 findings\n")
