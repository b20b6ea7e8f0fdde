# SPDX-License-Identifier: Apache-2.0
"""Keys that are not ours cost nothing: they are refused by their identifier and their sizes."""

import base64
import hashlib
import os
import subprocess
import sys
import time
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from pythemis.exception import THEMIS_CODES, ThemisValueError
from pythemis.skeygen import from_der, from_pem
from support.keys import integer, oid, tlv
from support.memory import on_linux, peak
from support.project import ROOT

pytestmark = pytest.mark.timing

SIZE = 24 * 1024  # bytes of each number; OpenSSL computes with them for a minute
PATIENCE = 0.05  # seconds of the processor
RANDOM = Random(14)
P, Q, G, X = (int.from_bytes(RANDOM.randbytes(SIZE), "big") | 1 for _ in range(4))
NUMBERS = [integer(number) for number in (P, Q, G, X)]
OCTETS = tlv(4, bytes(SIZE))
EC, P256 = oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")
RSA = tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(5))

# Algorithm and private key of each kind: what stands in PKCS#8, and the same in a public key.
KINDS = {
    "DSA": (tlv(0x30, oid("1.2.840.10040.4.1"), tlv(0x30, *NUMBERS[:3])), NUMBERS[3]),
    "DH": (tlv(0x30, oid("1.2.840.113549.1.3.1"), tlv(0x30, *NUMBERS[:2])), NUMBERS[3]),
    "DHX": (tlv(0x30, oid("1.2.840.10046.2.1"), tlv(0x30, *NUMBERS[:3])), NUMBERS[3]),
    "X25519": (tlv(0x30, oid("1.3.101.110")), OCTETS),
    "Ed448": (tlv(0x30, oid("1.3.101.113")), OCTETS),
    "RSA-PSS": (
        tlv(0x30, oid("1.2.840.113549.1.1.10"), tlv(0x30)),
        tlv(0x30, integer(0), *NUMBERS, *NUMBERS),
    ),
    "unknown": (tlv(0x30, oid("1.2.3.4"), OCTETS), OCTETS),
    "large RSA": (RSA, tlv(0x30, integer(0), *NUMBERS, *NUMBERS)),
    "RSA of four primes": (RSA, tlv(0x30, integer(1), *NUMBERS, *NUMBERS)),
    "unknown curve": (tlv(0x30, EC, oid("1.3.132.0.99")), tlv(0x30, integer(1), OCTETS)),
    "unnamed curve": (
        tlv(0x30, EC, tlv(0x30, integer(1), tlv(0x30, oid("1.2.840.10045.1.1"), NUMBERS[0]))),
        tlv(0x30, integer(1), OCTETS),
    ),
}


def pem(name, der):
    """Write DER as text."""
    armour = b"-----%b " + name + b"-----\n"
    return armour % b"BEGIN" + base64.encodebytes(der) + armour % b"END"


def encrypted(der):
    """Encrypt PKCS#8 with "secret": PBKDF2-HMAC-SHA1 of one iteration, AES-256-CBC."""
    key = hashlib.pbkdf2_hmac("sha1", b"secret", b"salt", 1, 32)
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    data = cipher.update(padder.update(der) + padder.finalize()) + cipher.finalize()
    kdf = tlv(0x30, oid("1.2.840.113549.1.5.12"), tlv(0x30, tlv(4, b"salt"), integer(1)))
    aes = tlv(0x30, oid("2.16.840.1.101.3.4.1.42"), tlv(4, bytes(16)))
    pbes2 = tlv(0x30, oid("1.2.840.113549.1.5.13"), tlv(0x30, kdf, aes))
    return tlv(0x30, pbes2, tlv(4, data))


def forms(algorithm, content):
    """Give a key in each form that names an algorithm: how it is read, and what it is."""
    private = tlv(0x30, integer(0), algorithm, tlv(4, content))
    public = tlv(0x30, algorithm, tlv(3, b"\0", content))
    secret = encrypted(private)
    yield from_der, (private,)
    yield from_der, (public,)
    yield from_der, (secret, "secret")
    yield from_pem, (pem(b"PRIVATE KEY", private),)
    yield from_pem, (pem(b"PUBLIC KEY", public),)
    yield from_pem, (pem(b"ENCRYPTED PRIVATE KEY", secret), "secret")


def assert_refused_at_once(read, arguments, code, words):
    """Check the error, and that it takes no longer than reading the bytes."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(ThemisValueError, match=words) as caught:
            read(*arguments)
        spent.append(time.process_time() - start)
        assert caught.value.error_code == code
        if min(spent) < PATIENCE:
            return
    pytest.fail(f"took {min(spent):.2f} s")


@pytest.mark.parametrize("form", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_other_kinds_of_key_cost_nothing(kind, form):
    """Whatever a key is that is not ours, in whatever form, it is refused before any work."""
    read, arguments = list(forms(*KINDS[kind]))[form]
    if "RSA" in kind and form in (1, 4):  # the public key of RSA has two numbers
        read, arguments = list(forms(KINDS[kind][0], tlv(0x30, *NUMBERS[:2])))[form]
    words, code = "keys of this kind are not supported", THEMIS_CODES.NOT_SUPPORTED
    assert_refused_at_once(read, arguments, code, words)


@pytest.mark.parametrize("name", ["EC PRIVATE KEY", "RSA PRIVATE KEY", "RSA PUBLIC KEY"])
def test_old_forms_of_other_sizes_cost_nothing(name):
    """Nor do forms that name no algorithm, with numbers that no key of ours has."""
    key, code = {
        "EC PRIVATE KEY": (
            tlv(0x30, integer(1), OCTETS, tlv(0xA0, P256)),
            THEMIS_CODES.DATA_CORRUPT,
        ),
        "RSA PRIVATE KEY": (tlv(0x30, integer(0), *NUMBERS * 2), THEMIS_CODES.NOT_SUPPORTED),
        "RSA PUBLIC KEY": (tlv(0x30, *NUMBERS[:2]), THEMIS_CODES.NOT_SUPPORTED),
    }[name]
    for read, text in ((from_der, key), (from_pem, pem(name.encode(), key))):
        assert_refused_at_once(read, (text,), code, "not supported|make no sense")


def many_primes(size):
    """Make an RSA key with as many further primes as fit."""
    one = integer(1)
    prime = tlv(0x30, tlv(2, b"\x7f" + b"\x55" * 13), one, one)
    return tlv(0x30, one, *NUMBERS[:1] * 8, tlv(0x30, prime * (size // len(prime))))


def read_many_primes():
    """Be the process whose memory is measured: tell by how many MiB it grows."""
    der = many_primes(128 * 1024)
    private = tlv(0x30, integer(0), RSA, tlv(4, der))
    before = peak()
    for read, arguments in (
        (from_der, (der,)),
        (from_der, (private,)),
        (from_der, (encrypted(private), "secret")),
        (from_pem, (pem(b"RSA PRIVATE KEY", der),)),
    ):
        with pytest.raises(ThemisValueError, match="not supported") as caught:
            read(*arguments)
        assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED
    print((peak() - before) // 1024)


@on_linux
def test_a_key_of_many_primes_costs_no_memory():
    """128 KiB of further primes take less than 16 MiB, not hundreds."""
    command = [sys.executable, __file__, "many primes"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 16


if __name__ == "__main__" and sys.argv[1:2] == ["many primes"]:
    read_many_primes()
