# SPDX-License-Identifier: Apache-2.0
"""The recogniser knows what data is, through what it is wrapped in, in bounded time."""

import base64
import json
import subprocess
import sys
import time

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from pythemis._core.recognise import (
    KEYS_BY_SIZE,
    LAYERS_MAX,
    Kind,
    Layer,
    misfit,
    recognise,
    token_misfit,
    words,
)
from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import to_der, to_jwk, to_pem
from pythemis.smessage import SMessage, ssign
from pythemis.ssession import SSession
from support.keys import container, generated
from support.memory import traced, tracemalloc

PRIVATE, PUBLIC = generated("EC")
RSA_PRIVATE, RSA_PUBLIC = generated("RSA")
CELL = SCellSeal(key=b"key").encrypt(b"m" * 356)
LOCKED = SCellSeal(passphrase="passphrase").encrypt(b"message")
ENCRYPTED, TOKEN = SCellTokenProtect(key=b"key").encrypt(b"message")
REQUEST = SSession(b"alice", PRIVATE, None).connect_request()
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKz9uT4FR5vwJYk6CsK1pdzWqPHbM/3hV9GIbdKcEXzy a@b\n"

KNOWN = {
    "cell": (CELL, Kind.SEAL_CELL),
    "passphrase cell": (LOCKED, Kind.PASSPHRASE_CELL),
    "token": (TOKEN, Kind.TOKEN),
    "EC signed": (ssign(PRIVATE, b"message"), Kind.EC_SIGNED),
    "RSA signed": (ssign(RSA_PRIVATE, b"message"), Kind.RSA_SIGNED),
    "EC encrypted": (SMessage(PRIVATE, PUBLIC).wrap(b"message"), Kind.EC_ENCRYPTED),
    "RSA encrypted": (SMessage(RSA_PRIVATE, RSA_PUBLIC).wrap(b"message"), Kind.RSA_ENCRYPTED),
    "negotiation": (REQUEST, Kind.NEGOTIATION),
    "saved session": (container(b"TSSC", bytes(48)), Kind.SAVED_SESSION),
    "private key": (PRIVATE, Kind.PRIVATE_KEY),
    "public RSA key": (RSA_PUBLIC, Kind.PUBLIC_KEY),
    "PKCS#8": (to_der(PRIVATE), Kind.DER),
    "PKCS#8, RSA": (to_der(RSA_PRIVATE), Kind.DER),
    "encrypted PKCS#8": (to_der(PRIVATE, "passphrase"), Kind.DER),
    "SPKI": (to_der(PUBLIC), Kind.DER),
    "PEM": (to_pem(PRIVATE), Kind.PEM),
    "JWK": (json.dumps(to_jwk(RSA_PRIVATE), indent=1).encode(), Kind.JWK),
    "JWK set": (json.dumps({"keys": [to_jwk(PUBLIC)]}).encode(), Kind.JWK_SET),
    "OpenSSH line": (ED25519.encode(), Kind.OPENSSH_PUBLIC),
    "age file": (b"age-encryption.org/v1\n-> X25519 abc\n", Kind.AGE_FILE),
    "age key": (b"AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n", Kind.AGE_SECRET_KEY),
    "certificate": (b"-----BEGIN CERTIFICATE-----\nMIIB\n", Kind.CERTIFICATE),
    "request": (b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n", Kind.CERTIFICATE_REQUEST),
    "sealed file": (b"TSFILE1\n\x10\1" + bytes(range(64)), Kind.SEALED_FILE),
    "newer sealed file": (b"TSFILE2\n" + bytes(range(64)), Kind.NEWER_SEALED_FILE),
    "stored value": (b"TK1key-i" + CELL, Kind.STORED_VALUE),
    "newer stored value": (b"TK2key-i" + CELL, Kind.NEWER_STORED_VALUE),
    "keyring": (b'{"keys":[{"created":0,"id":"0011223344"', Kind.KEYRING_PAYLOAD),
    "PGP": (b"-----BEGIN PGP MESSAGE-----\n\nhQEM\n", Kind.PGP),
}
WRAPS = {
    Layer.BASE64: base64.b64encode,
    Layer.BASE64_URL: base64.urlsafe_b64encode,
    Layer.HEX: lambda data: data.hex().encode(),
    Layer.POSTGRES: lambda data: b"\\x" + data.hex().encode(),
    Layer.REPR: lambda data: repr(data).encode(),
    Layer.UTF16: lambda data: base64.encodebytes(data).decode().encode("utf-16"),
    Layer.QUOTES: lambda data: json.dumps(base64.b64encode(data).rstrip(b"=").decode()).encode(),
    Layer.ESCAPES: lambda data: base64.encodebytes(data).replace(b"\n", b"\\n"),
    Layer.UTF8_BOM: lambda data: b"\xef\xbb\xbf" + base64.b64encode(data),
}


@pytest.mark.parametrize(("data", "kind"), KNOWN.values(), ids=KNOWN)
def test_each_kind_is_recognised_in_any_buffer(data, kind):
    """By its public parts, and with the length that they promise."""
    for form in (data, bytearray(data), memoryview(data)):
        found = recognise(form)
        assert (found.kind, found.layers) == (kind, ())
        assert found.present == len(data)
        assert found.promised in (None, len(data))


@pytest.mark.parametrize("known", KNOWN)
@given(layers=st.lists(st.sampled_from(list(WRAPS)), max_size=3))
def test_each_kind_is_recognised_through_any_layers(known, layers):
    """Whatever three of them are in each other, in whatever order."""
    data, kind = KNOWN[known]
    for layer in layers:
        data = WRAPS[layer](data)
    assert recognise(data).kind is kind


@pytest.mark.parametrize("layer", WRAPS)
def test_each_layer_is_named_with_its_remedy(layer):
    """So are two in each other, the outer one first."""
    assert layer in recognise(WRAPS[layer](CELL)).layers
    inner = WRAPS[Layer.HEX](CELL)
    assert f", then {Layer.HEX.value[1]}" in words(WRAPS[layer](inner))


def test_a_fernet_token_and_things_of_one_size_are_recognised():
    """What has no header is known by where it stands."""
    assert recognise(Fernet(Fernet.generate_key()).encrypt(b"text")).kind is Kind.FERNET_TOKEN
    assert recognise(SComparator(b"secret").begin_compare()).kind is Kind.COMPARISON
    point = b"\2" + PUBLIC[13:]
    assert recognise(point).kind is Kind.POINT
    assert words(point) == ""
    assert "skeygen.from_point reads it" in words(point, by_size=KEYS_BY_SIZE)


def test_what_begins_as_json_does_and_is_no_text_is_not_json():
    """Encrypted data may begin with any two bytes; JSON is UTF-8, also where it is cut."""
    assert recognise(b'{"' + b"\xff" * 190).kind is Kind.COMPARISON
    assert recognise(b"[{" + bytes(range(256))) is None
    for text in ('{"\u20ac": 1}', '["' + "\u20ac" * 60_000):
        assert {recognise(text.encode() + b" " * n).kind for n in range(3)} == {Kind.JSON}


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (CELL[:211], Kind.SEAL_CELL, "truncated: the header promises 400 bytes, 211 are present"),
        (CELL[:7], Kind.SEAL_CELL, "truncated: 7 bytes are not even a header"),
        (CELL + b"\n", Kind.SEAL_CELL, "it has 1 byte too many at the end: a newline?"),
        (CELL + b"\r\n", Kind.SEAL_CELL, "it has 2 bytes too many at the end: a newline?"),
        (CELL + b"xyz", Kind.SEAL_CELL, "too many at the end: the header promises 400 bytes, 403"),
        (b"TK1key-i" + CELL[:-1], Kind.STORED_VALUE, "the header promises 408 bytes, 407 are"),
        (LOCKED[:-1], Kind.PASSPHRASE_CELL, "truncated: the header promises 77 bytes, 76 are"),
        (PUBLIC + b"\n", Kind.PUBLIC_KEY, "it has 1 byte too many at the end: a newline?"),
        (REQUEST[:50], Kind.NEGOTIATION, f"the header promises {len(REQUEST)} bytes, 50 are"),
        (CELL, Kind.SEAL_CELL, ""),
        (CELL + b"\n", Kind.PASSPHRASE_CELL, ""),
    ],
)
def test_lengths_are_compared_with_what_the_header_promises(data, kind, said):
    """Too little, too much, a newline; nothing where they fit, or where it is something else."""
    found = misfit(data, kind)
    assert said in found
    assert bool(found) is bool(said)


@pytest.mark.parametrize(
    ("encrypted", "token", "said"),
    [
        (TOKEN, ENCRYPTED, "the token stands where the data belongs: exchange them"),
        (ENCRYPTED, TOKEN[:-1], "of the token, it is truncated: its header promises 44 bytes, 43"),
        (ENCRYPTED, TOKEN[:5], "the token is truncated"),
        (ENCRYPTED[:-1], TOKEN, "of the data, it is truncated: the token promises 7 bytes, 6 are"),
        (ENCRYPTED + b"\n", TOKEN, "of the data, it has 1 byte too many at the end: a newline?"),
        (ENCRYPTED, base64.b64encode(TOKEN), "the token: it is the token of a Token Protect cell,"),
        (ENCRYPTED, TOKEN, ""),
    ],
    ids=range(7),  # random bytes are no names: all processes must find the same tests
)
def test_data_and_token_are_compared(encrypted, token, said):
    """Exchanged, of another length, wrapped."""
    found = token_misfit(encrypted, token)
    assert found.startswith(said)
    assert bool(found) is bool(said)


HOSTILE = {
    "quotes": b'"',
    "backslashes": b"\\",
    "base64": b"A",
    "hex": b"41",
    "brackets": b"[",
    "members": b'{"kty" ',
    "labels": b"-----BEGIN A-----",
    "line ends": b"\n",
    "parts": b"eyJ.",
    "zeros": b"\0",
}


@pytest.mark.timing
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@traced
def test_hostile_data_costs_little(piece):
    """A mebibyte costs no more than the longest that is looked at wholly, which is linear."""
    whole = piece * ((1 << 16) // len(piece))

    def cost(data):
        times = []
        for _ in range(3):
            began = time.process_time()
            recognise(data)
            times.append(time.process_time() - began)
        return min(times)

    assert cost(piece * ((1 << 20) // len(piece))) < 2 * cost(whole) + 0.005
    assert cost(whole) < 12 * cost(whole[: len(whole) // 4]) + 0.02
    tracemalloc.start()
    recognise(whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * len(whole)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_nothing_makes_it_fail_and_nothing_is_quoted(data):
    """Any bytes and any text, with lone surrogates."""
    found = recognise(data)
    assert found is None or len(found.layers) <= LAYERS_MAX
    text = words(data)
    assert len(text) < 400


def test_a_subclass_cannot_lie():
    """What counts is the memory, and what has none is not recognised."""

    class Liar(bytes):
        def __len__(self):
            raise AssertionError

        __getitem__ = startswith = __len__

    assert recognise(Liar(CELL)).kind is Kind.SEAL_CELL
    assert recognise(memoryview(CELL * 2)[::2]) is None
    assert recognise("\ud800" * 100) is None
    assert recognise(7) is None


def test_secrets_are_not_in_what_was_found():
    """Neither in the words nor in the object, which a debugger would show."""
    for data, _ in KNOWN.values():
        encoded = base64.b64encode(data)
        shown = repr(recognise(encoded)) + words(encoded) + repr(recognise(data)) + words(data)
        assert encoded.decode()[8:24] not in shown
        assert data.hex()[32:48] not in shown


def test_it_loads_only_where_something_is_refused():
    """What works does not pay for it."""
    code = (
        "import sys; from pythemis.scell import SCellSeal; import pythemis.ssession as _\n"
        "cell = SCellSeal(key=b'key'); cell.decrypt(cell.encrypt(b'message'))\n"
        "assert 'pythemis._core.recognise' not in sys.modules\n"
        "assert 'pythemis._core.foreign' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
