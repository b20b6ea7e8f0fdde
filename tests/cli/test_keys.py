# SPDX-License-Identifier: Apache-2.0
"""``pythemis keygen`` and ``pythemis key``: what they write, and what they refuse."""

import base64
import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from pythemis.skeygen import KeyKind, from_jwk, from_pem, key_kind, public_from_private, to_der
from support.keys import pairs

posix = pytest.mark.skipif(os.name != "posix", reason="files have no such mode here")


def key_of(data):
    """Decode a line of base64."""
    assert data.endswith(b"\n")
    return base64.b64decode(data[:-1], validate=True)


def private_file(name, data):
    """Write a file that other users cannot read."""
    Path(name).write_bytes(data)
    Path(name).chmod(0o600)


def test_a_symmetric_key_is_a_line_of_base64(pythemis):
    """On the standard output, or in a file; 32 random bytes, others each time."""
    keys = {key_of(pythemis("keygen").out) for _ in range(3)}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3
    assert pythemis("keygen", "-o", "key") == (0, b"", "")
    assert len(key_of(Path("key").read_bytes())) == 32


@posix
def test_only_the_owner_reads_a_new_key(pythemis):
    """A private key has mode 0600, the public one that of any file."""
    pythemis("keygen", "-o", "key")
    pythemis("keygen", "--ec", "-o", "pair")
    modes = [stat.S_IMODE(Path(name).stat().st_mode) for name in ("key", "pair", "pair.pub")]
    mask = os.umask(0)
    os.umask(mask)
    assert modes == [0o600, 0o600, 0o666 & ~mask]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["--ec"], KeyKind.EC_P256_PRIVATE),
        (["--ec", "P-521"], KeyKind.EC_P521_PRIVATE),
        (["--rsa"], KeyKind.RSA_2048_PRIVATE),
    ],
)
def test_a_pair_goes_to_two_files(pythemis, arguments, kind):
    """OUT has the private key and OUT.pub the public one that belongs to it."""
    assert pythemis("keygen", "-o", "pair", *arguments) == (0, b"", "")
    private, public = (key_of(Path(name).read_bytes()) for name in ("pair", "pair.pub"))
    assert key_kind(private) is kind
    assert public_from_private(private) == public


@pytest.mark.parametrize("taken", ["pair", "pair.pub"])
def test_nothing_is_replaced_unless_asked(pythemis, taken):
    """An existing file stays, nothing is written beside it; -f replaces both."""
    Path(taken).write_text("precious")
    ran = pythemis("keygen", "--ec", "-o", "pair")
    assert ran == (2, b"", f"pythemis: {taken} is there already; -f replaces it\n")
    assert Path(taken).read_text() == "precious"
    assert sorted(path.name for path in Path().iterdir()) == [".stdin", taken]
    assert pythemis("keygen", "--ec", "-o", "pair", "-f").status == 0
    assert Path(taken).read_text() != "precious"


def test_a_pair_needs_a_name(pythemis):
    """Two keys have no place on one standard output."""
    for output in ([], ["-o", "-"]):
        ran = pythemis("keygen", "--ec", *output)
        assert (ran.status, ran.out) == (2, b"")
        assert "name the one of the private key with -o" in ran.err


def test_keys_are_shown_by_kind_and_name(pythemis):
    """Both halves have one name; a symmetric key has none; JSON has the schema of a report."""
    pythemis("keygen", "--ec", "-o", "pair")
    pythemis("keygen", "-o", "key")
    name = sha256(key_of(Path("pair.pub").read_bytes())).digest()[:8].hex()
    ran = pythemis("key", "show", "pair", "pair.pub", "key")
    assert ran.out.decode().splitlines() == [
        f"pair: EC P-256, private, name {name}",
        f"pair.pub: EC P-256, public, name {name}",
        "key: as long as a symmetric key",
    ]
    shown = json.loads(pythemis("key", "show", "--json", "pair").out)
    assert (shown["file"], shown["kind"]) == ("pair", "private-key")
    assert shown["facts"]["public_name"] == name


def test_what_is_no_key_is_not_shown(pythemis):
    """The others are, and the exit status says that some were."""
    pythemis("keygen", "-o", "key")
    Path("text").write_text("<?xml?>")
    assert pythemis("key", "show", "text").status == 1
    ran = pythemis("key", "show", "text", "key")
    assert (ran.status, ran.out) == (3, b"key: as long as a symmetric key\n")
    assert ran.err == "pythemis: text: this is no key, but XML\n"
    assert pythemis("key", "show", "missing").status == 2
    Path("text").write_text("a text")
    assert "this is no key, as far as it shows" in pythemis("key", "show", "text").err


@posix
def test_a_key_in_hex_is_no_key_file(pythemis):
    """As base64 it would be another key, so it is refused and said to be hex."""
    private_file("hex", b"0f" * 32 + b"\n")
    ran = pythemis("encrypt", "-k", "hex", stdin=b"text")
    assert (ran.status, ran.err) == (
        1,
        "pythemis: hex is hex, and a key file holds one line of base64\n",
    )


@pytest.mark.parametrize("name", ["p256", "p521", "rsa2048"])
def test_keys_are_converted_there_and_back(pythemis, name):
    """PEM, DER, JWK and OpenSSH's form become what they were; the public half is right."""
    private, public = pairs()[name]["private"], pairs()[name]["public"]
    private_file("key", base64.b64encode(private) + b"\n")
    pem = pythemis("key", "to-pem", "key").out
    jwk = pythemis("key", "to-jwk", "key").out
    assert (from_pem(pem), from_jwk(jwk)) == (private, private)
    for form in (pem, jwk, to_der(private)):
        assert key_of(pythemis("key", "from-pem", stdin=form).out) == private
    assert key_of(pythemis("key", "public", "key").out) == public
    assert pythemis("key", "public", "key", "-o", "pub").status == 0
    assert key_of(Path("pub").read_bytes()) == public


def test_pem_is_encrypted_with_a_passphrase_from_a_source(pythemis, monkeypatch):
    """A variable or a file holds it; without it, or with another one, nothing is read."""
    pythemis("keygen", "--ec", "-o", "pair")
    private_file("secret", b"correct horse\r\n")
    monkeypatch.setenv("SECRET", "correct horse")
    pem = pythemis("key", "to-pem", "pair", "--passphrase-from", "env:SECRET").out
    assert b"ENCRYPTED PRIVATE KEY" in pem
    read = pythemis("key", "from-pem", "--passphrase-from", "file:secret", stdin=pem)
    assert read.out == Path("pair").read_bytes()
    private_file("secret", b"wrong\n")
    wrong = pythemis("key", "from-pem", "--passphrase-from", "secret", stdin=pem)
    assert (wrong.status, wrong.out) == (1, b"")
    assert "passphrase" in wrong.err


def test_a_key_comes_from_every_source(pythemis, monkeypatch):
    """A path, file:, fd:, env: and credential: name the same key."""
    pythemis("keygen", "--ec", "-o", "pair")
    pythemis("keygen", "--ec", "-o", "other")
    data = Path("pair").read_bytes()
    monkeypatch.setenv("KEY", data.decode().strip())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path().resolve()))
    with Path("pair").open("rb") as file:
        for source in ("pair", "file:pair", "env:KEY", "credential:pair", f"fd:{file.fileno()}"):
            signed = pythemis("sign", "-k", source, stdin=b"message")
            assert signed.status == 0, signed.err
            assert pythemis("verify", "--public", "pair.pub", stdin=signed.out).out == b"message"
            assert pythemis("verify", "--public", "other.pub", stdin=signed.out).status == 1


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("missing", 2, "missing: no such file or directory"),
        (".", 2, ".: is a directory"),
        ("env:NOT_THERE", 2, "there is no environment variable NOT_THERE"),
        ("env:", 2, "nothing follows env:"),
        ("fd:x", 2, "fd: is followed by the number of an open file"),
        ("fd:987", 2, "fd:987 is not open for reading"),
        ("credential:key", 2, "CREDENTIALS_DIRECTORY is not set"),
        ("empty", 1, "empty is empty"),
        ("pem", 1, "is no key file of pythemis but PEM: `pythemis key from-pem` converts it"),
        ("text", 1, "text is no key file: it must hold one line of base64"),
        ("k" * 43 + "=", 2, "this looks like a key, and its file is expected"),
        ("long", 2, "long has more than 65536 bytes"),
    ],
)
def test_a_key_that_cannot_be_read_is_one_sentence(pythemis, source, status, said):
    """What is wrong, and the exit status: usage, or refused."""
    private_file("empty", b"\n")
    private_file("text", b"not a key")
    private_file("long", b"A" * 65537)
    pythemis("keygen", "--ec", "-o", "pair")
    private_file("pem", pythemis("key", "to-pem", "pair").out)
    ran = pythemis("sign", "-k", source, stdin=b"message")
    assert (ran.status, ran.out) == (status, b"")
    assert said in ran.err


@posix
def test_a_key_that_others_can_read_is_refused(pythemis):
    """It names the remedy; a public key may be read by all."""
    pythemis("keygen", "--ec", "-o", "pair")
    Path("pair").chmod(0o640)
    ran = pythemis("sign", "-k", "pair", stdin=b"message")
    assert (ran.status, ran.out) == (2, b"")
    assert "chmod 600" in ran.err
