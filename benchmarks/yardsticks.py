# SPDX-License-Identifier: Apache-2.0
"""Measure pythemis by what Python has otherwise: hmac, os.urandom and `cryptography`.

Each operation runs in turns with its yardstick in one process, and the ratio is the median of the
rounds' ratios. K is the work of one Secure Cell done by hand: a key derived with HMAC, AES-GCM
made with it, and a nonce drawn where something is encrypted. PyNaCl and Tink, which do the same
work by other algorithms or in another format, are yardsticks as well, where they are installed.

    python benchmarks/yardsticks.py [--only TEXT] [--rounds 31] [--seconds 0.01] [--json FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import importlib.util
import os
import re
from typing import TYPE_CHECKING, NamedTuple

import operations
from _measure import Stopwatch, Work, in_turns, ratios, spread
from _report import Row, document, libcrypto_version, machine, machine_sentence, table, write
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable

DERIVE = 'hmac.digest(key, text, "sha256")'
LIBRARIES = {"AESGCM": AESGCM, "hmac": hmac, "urandom": os.urandom}
PBKDF2_ROUNDS = 314_110  # of a new passphrase cell
# One OpenSSL against another says nothing about us before they know the same instructions.
SAME_AS_CRYPTOGRAPHY_FROM = (3, 5)


class Goal(NamedTuple):
    """An operation of ours, its yardstick, and how many times the yardstick it may take."""

    operation: str  # of operations.py
    beside: str
    yardstick: Callable[[], Work]
    at_most: float | None = None


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=0.01, help="of one sample")
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    wanted = [goal for goal in [*goals(), *peers()] if options.only in goal.operation]
    rows = [measure(goal, options.rounds, options.seconds) for goal in wanted]
    theirs = backend.openssl_version_text()
    print(f"{machine_sentence(machine())}; cryptography has {theirs}\n\n{table(rows)}", end="")
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    write(options.json, document(rows, settings, libcrypto_of_cryptography=theirs))


def measure(goal: Goal, rounds: int, seconds: float) -> Row:
    """Run both in turns."""
    work = operations.operations()[goal.operation]()
    clocks = [Stopwatch(work, seconds), Stopwatch(goal.yardstick(), seconds)]
    ours, theirs = in_turns(clocks, rounds)
    figure, other = spread(ours), spread(theirs)
    ratio = ratios(ours, theirs)
    return Row(goal.operation, figure, goal.beside, other, ratio, goal.at_most)


def goals() -> list[Goal]:
    """List what is measured by what; the goals are those of the project's plan."""
    return [
        Goal("Seal encrypt 64 B", "K", lambda: k_encrypt(64), 0.34),
        Goal("Seal decrypt 64 B", "K, decrypting", lambda: k_decrypt(64), 0.36),
        Goal("Seal encrypt 64 B, each its own context", "K", lambda: k_encrypt(64)),
        Goal("Seal decrypt 64 B, each its own context", "K, decrypting", lambda: k_decrypt(64)),
        Goal("Token Protect encrypt 1 KiB", "K", lambda: k_encrypt(1024), 0.44),
        Goal("Context Imprint encrypt 64 B", "K", lambda: k_encrypt(64), 0.40),
        Goal("GenerateSymmetricKey", "K", lambda: k_encrypt(64), 0.40),
        Goal("SMessage EC wrap 64 B, object reused", "K", lambda: k_encrypt(64), 0.62),
        Goal(
            "SMessage EC unwrap 64 B, object reused",
            "K, decrypting",
            lambda: k_decrypt(64),
            0.62,
        ),
        Goal("session wrap 64 B", "K", lambda: k_encrypt(64), 0.36),
        Goal("ssign EC 64 B", "ECDSA sign", ecdsa_sign, 1.35),
        Goal("sverify EC 64 B", "ECDSA verify", ecdsa_verify, 1.25),
        Goal("SMessage EC made new + wrap 64 B", "ECDH", ecdh, 2.2),
        Goal("session handshake, both sides", "its arithmetic", handshake, 1.46),
        Goal("GenerateKeyPair EC", "key generation", key_generation),
        Goal("SMessage RSA wrap 64 B", "OAEP encrypt", lambda: oaep()[0]),
        Goal("SMessage RSA unwrap 64 B", "OAEP decrypt", lambda: oaep()[1]),
        Goal("passphrase encrypt 64 B", "hashlib PBKDF2", pbkdf2),
        Goal("Seal encrypt 64 KiB", "AESGCM", lambda: aesgcm(64 << 10)),
        Goal("Seal encrypt 1 MiB", "AESGCM", lambda: aesgcm(1 << 20), _large()),
        Goal("Seal encrypt 16 MiB", "AESGCM", lambda: aesgcm(16 << 20), _large()),
    ]


def peers() -> list[Goal]:
    """List what is measured by other libraries, of those that are installed."""
    listed = {
        "nacl": [
            Goal("Seal encrypt 64 B", "PyNaCl SecretBox", lambda: secret_box(64)),
            Goal("Seal encrypt 1 MiB", "PyNaCl SecretBox", lambda: secret_box(1 << 20)),
            Goal("SMessage EC wrap 64 B, object reused", "PyNaCl Box", lambda: box()[0]),
            Goal("SMessage EC made new + wrap 64 B", "PyNaCl Box made new", lambda: box()[1]),
            Goal("SecureSigner EC 64 B", "PyNaCl Ed25519 sign", lambda: ed25519()[0]),
            Goal("SecureVerifier EC 64 B", "PyNaCl Ed25519 verify", lambda: ed25519()[1]),
        ],
        "tink": [
            Goal("Seal encrypt 64 B", "Tink AES256_GCM", lambda: tink_aead(64)),
            Goal("Seal encrypt 1 MiB", "Tink AES256_GCM", lambda: tink_aead(1 << 20)),
        ],
    }
    return [goal for library, its in listed.items() if importlib.util.find_spec(library)
            for goal in its]  # fmt: skip


def _large() -> float | None:
    version = re.match(r"OpenSSL (\d+)\.(\d+)", libcrypto_version())
    known = version is not None and tuple(map(int, version.groups())) >= SAME_AS_CRYPTOGRAPHY_FROM
    return 1.15 if known else None


# ---- Symmetric yardsticks ----


def k_encrypt(size: int) -> Work:
    """Return K, encrypting so many bytes."""
    names = {**LIBRARIES, "key": os.urandom(32), "text": bytes(40), "message": os.urandom(size)}
    return Work(f"AESGCM({DERIVE}).encrypt(urandom(12), message, None)", names)


def k_decrypt(size: int) -> Work:
    """Return K, decrypting so many bytes."""
    key, text, nonce = os.urandom(32), bytes(40), os.urandom(12)
    encrypted = AESGCM(hmac.digest(key, text, "sha256")).encrypt(nonce, os.urandom(size), None)
    names = {**LIBRARIES, "key": key, "text": text, "nonce": nonce, "encrypted": encrypted}
    return Work(f"AESGCM({DERIVE}).decrypt(nonce, encrypted, None)", names)


def aesgcm(size: int) -> Work:
    """Return AES-256-GCM with a key that is loaded."""
    names = {"raw": AESGCM(os.urandom(32)), "nonce": os.urandom(12), "message": os.urandom(size)}
    return Work("raw.encrypt(nonce, message, None)", names)


def pbkdf2() -> Work:
    """Return what stretches a passphrase."""
    arguments = ("sha256", b"a passphrase", os.urandom(16), PBKDF2_ROUNDS)
    names = {"pbkdf2": hashlib.pbkdf2_hmac, "arguments": arguments}
    return Work("pbkdf2(*arguments)", names)


# ---- Asymmetric yardsticks, with loaded keys ----


def ecdsa_sign() -> Work:
    """Return a signature on P-256."""
    names = {"key": ec.generate_private_key(ec.SECP256R1()), "text": os.urandom(64)}
    return Work("key.sign(text, scheme)", names | {"scheme": ec.ECDSA(hashes.SHA256())})


def ecdsa_verify() -> Work:
    """Return a verification on P-256."""
    key, text, scheme = ec.generate_private_key(ec.SECP256R1()), os.urandom(64), hashes.SHA256()
    names = {"key": key.public_key(), "text": text, "scheme": ec.ECDSA(scheme)}
    names["signature"] = key.sign(text, ec.ECDSA(scheme))
    return Work("key.verify(signature, text, scheme)", names)


def ecdh() -> Work:
    """Return a key agreement on P-256."""
    key, peer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    names = {"key": key, "peer": peer.public_key(), "scheme": ec.ECDH()}
    return Work("key.exchange(scheme, peer)", names)


def key_generation() -> Work:
    """Return a new key pair on P-256."""
    return Work("generate(curve)", {"generate": ec.generate_private_key, "curve": ec.SECP256R1()})


def handshake() -> Work:
    """Return the arithmetic of a handshake: 2 keys, 3 signatures, 3 verifications, 2 agreements."""
    key, peer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    public, peer_public, text = key.public_key(), peer.public_key(), os.urandom(64)
    scheme, agreement = ec.ECDSA(hashes.SHA256()), ec.ECDH()
    signature = key.sign(text, scheme)

    def arithmetic() -> None:
        for _ in range(2):
            ec.generate_private_key(ec.SECP256R1())
            key.exchange(agreement, peer_public)
        for _ in range(3):
            key.sign(text, scheme)
            public.verify(signature, text, scheme)

    return Work("arithmetic()", {"arithmetic": arithmetic})


def oaep() -> tuple[Work, Work]:
    """Return RSA-OAEP of 70 bytes, both directions."""
    key = rsa.generate_private_key(65537, 2048)
    scheme = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    secret = os.urandom(70)
    names = {"key": key, "public": key.public_key(), "scheme": scheme, "secret": secret}
    names["encrypted"] = key.public_key().encrypt(secret, scheme)
    return Work("public.encrypt(secret, scheme)", names), Work(
        "key.decrypt(encrypted, scheme)", names
    )


# ---- Other libraries ----


def secret_box(size: int) -> Work:
    """Return XSalsa20-Poly1305 under a random nonce."""
    from nacl.secret import SecretBox

    names = {"box": SecretBox(os.urandom(32)), "message": os.urandom(size)}
    return Work("box.encrypt(message)", names)


def box() -> tuple[Work, Work]:
    """Return the same under a key that X25519 agrees on: once before, or for each message."""
    from nacl.public import Box, PrivateKey

    private, public = PrivateKey.generate(), PrivateKey.generate().public_key
    names = {"Box": Box, "private": private, "public": public, "text": os.urandom(64)}
    names["box"] = Box(private, public)
    return Work("box.encrypt(text)", names), Work("Box(private, public).encrypt(text)", names)


def ed25519() -> tuple[Work, Work]:
    """Return signing and verifying on the curve of Ed25519."""
    from nacl.signing import SigningKey

    key, text = SigningKey.generate(), os.urandom(64)
    names = {"key": key, "public": key.verify_key, "text": text, "signed": key.sign(text)}
    return Work("key.sign(text)", names), Work("public.verify(signed)", names)


def tink_aead(size: int) -> Work:
    """Return AES-256-GCM of a keyset with one key."""
    import tink
    from tink import aead

    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    names = {"aead": handle.primitive(aead.Aead), "message": os.urandom(size)}
    return Work("aead.encrypt(message, b'')", names)


if __name__ == "__main__":
    main()
