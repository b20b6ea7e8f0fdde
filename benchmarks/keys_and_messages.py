# SPDX-License-Identifier: Apache-2.0
"""Time keys and Secure Message against `cryptography`, which does the same arithmetic.

Every operation of ours runs in turn with its yardstick, round after round, so that both see the
same machine; medians are printed. The yardsticks have their keys loaded.

    python benchmarks/keys_and_messages.py [--rounds 21] [--json FILE]
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pythemis.skeygen import GenerateKeyPair, to_der
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage, ssign, sverify

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, PAGE = bytes(64), bytes(4096)
SLICE = 0.02  # seconds that one measurement of one operation takes


class Row(NamedTuple):
    """An operation of ours and what it is measured by."""

    name: str
    ours: Callable[[], object]
    yardstick_name: str
    yardstick: Callable[[], object]


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    print(f"yardstick: cryptography with {backend.openssl_version_text()}; microseconds per call")
    print(f"{'operation':34}{'ours':>11}{'yardstick':>12}{'ratio':>8}  measured by")
    figures = {}
    for row in [*ec_rows(), *rsa_rows()]:
        ours, yardstick, ratio = measure(row, options.rounds)
        figures[row.name] = {"ours": ours, "yardstick": yardstick, "ratio": ratio}
        print(f"{row.name:34}{ours:11.2f}{yardstick:12.2f}{ratio:8.2f}  {row.yardstick_name}")
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")


def measure(row: Row, rounds: int) -> tuple[float, float, float]:
    """Run both in turn: the medians in microseconds, and the median of the ratios."""
    repeats = [repeats_for(row.ours), repeats_for(row.yardstick)]
    pairs = [(timed(row.ours, repeats[0]), timed(row.yardstick, repeats[1])) for _ in range(rounds)]
    ours, yardsticks = zip(*pairs, strict=True)
    ratio = statistics.median(mine / other for mine, other in pairs)
    return statistics.median(ours), statistics.median(yardsticks), ratio


def repeats_for(call: Callable[[], object]) -> int:
    """Find how often an operation fits into a slice."""
    return max(1, int(SLICE * 1e6 / timed(call, 3)))


def timed(call: Callable[[], object], repeats: int) -> float:
    """Give the microseconds that a call takes."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) * 1e6 / repeats


def seal_work(message: bytes) -> Callable[[], object]:
    """Give the work of one Seal, done with `cryptography`: derive a key, encrypt once."""
    key, text = os.urandom(32), bytes(40)

    def work() -> bytes:
        derived = hmac.digest(key, text, "sha256")
        return AESGCM(derived).encrypt(os.urandom(12), message, None)

    return work


def sizes(text: bytes) -> str:
    """Name a message size."""
    return f"{len(text)} B" if len(text) < 1024 else f"{len(text) // 1024} KiB"


def ec_rows() -> list[Row]:
    """List the operations with EC keys on P-256."""
    pair, other = GenerateKeyPair("EC"), GenerateKeyPair("EC")
    private, public = pair.export_private_key(), other.export_public_key()
    own_public = pair.export_public_key()
    theirs = serialization.load_der_private_key(to_der(private), None)
    peer = serialization.load_der_public_key(to_der(public))
    assert isinstance(theirs, ec.EllipticCurvePrivateKey)
    assert isinstance(peer, ec.EllipticCurvePublicKey)
    scheme, their_public = ec.ECDSA(hashes.SHA256()), theirs.public_key()
    message, signer = SMessage(private, public), SecureSigner(private)
    verifier = SecureVerifier(own_public)
    rows = [
        Row("EC GenerateKeyPair", lambda: GenerateKeyPair("EC"), "key generation",
            lambda: ec.generate_private_key(ec.SECP256R1())),
    ]  # fmt: skip
    for text in (SMALL, PAGE):
        size, signed, wrapped = sizes(text), ssign(private, text), message.wrap(text)
        signature = theirs.sign(text, scheme)
        sign = bind(theirs.sign, text, scheme)
        verify = bind(their_public.verify, signature, text, scheme)
        work = seal_work(text)
        rows += [
            Row(f"EC ssign {size}", bind(ssign, private, text), "ECDSA sign", sign),
            Row(f"EC SecureSigner.sign {size}", bind(signer.sign, text), "ECDSA sign", sign),
            Row(f"EC sverify {size}", bind(sverify, own_public, signed), "ECDSA verify", verify),
            Row(f"EC SecureVerifier.verify {size}", bind(verifier.verify, signed), "ECDSA verify",
                verify),
            Row(f"EC SMessage + wrap {size}", first_wrap(private, public, text), "ECDH",
                bind(theirs.exchange, ec.ECDH(), peer)),
            Row(f"EC later wrap {size}", bind(message.wrap, text), "HMAC + AESGCM", work),
            Row(f"EC later unwrap {size}", bind(message.unwrap, wrapped), "HMAC + AESGCM", work),
        ]  # fmt: skip
    return rows


def rsa_rows() -> list[Row]:
    """List the operations with RSA keys of 2048 bits."""
    pair = GenerateKeyPair("RSA")
    private, public = pair.export_private_key(), pair.export_public_key()
    theirs = serialization.load_der_private_key(to_der(private), None)
    assert isinstance(theirs, rsa.RSAPrivateKey)
    their_public, sha256 = theirs.public_key(), hashes.SHA256()
    pss = padding.PSS(padding.MGF1(sha256), padding.PSS.MAX_LENGTH)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    message, signer = SMessage(private, public), SecureSigner(private)
    verifier = SecureVerifier(public)
    secret = os.urandom(70)
    encrypted = their_public.encrypt(secret, oaep)
    encrypt, decrypt = (
        bind(their_public.encrypt, secret, oaep),
        bind(theirs.decrypt, encrypted, oaep),
    )
    rows = [
        Row("RSA GenerateKeyPair", lambda: GenerateKeyPair("RSA"), "key generation",
            lambda: rsa.generate_private_key(65537, 2048)),
    ]  # fmt: skip
    for text in (SMALL, PAGE):
        size, signed, wrapped = sizes(text), ssign(private, text), message.wrap(text)
        sign = bind(theirs.sign, text, pss, sha256)
        verify = bind(their_public.verify, theirs.sign(text, pss, sha256), text, pss, sha256)
        rows += [
            Row(f"RSA ssign {size}", bind(ssign, private, text), "PSS sign", sign),
            Row(f"RSA SecureSigner.sign {size}", bind(signer.sign, text), "PSS sign", sign),
            Row(f"RSA sverify {size}", bind(sverify, public, signed), "PSS verify", verify),
            Row(f"RSA SecureVerifier.verify {size}", bind(verifier.verify, signed), "PSS verify",
                verify),
            Row(f"RSA SMessage + wrap {size}", first_wrap(private, public, text), "OAEP encrypt",
                encrypt),
            Row(f"RSA later wrap {size}", bind(message.wrap, text), "OAEP encrypt", encrypt),
            Row(f"RSA later unwrap {size}", bind(message.unwrap, wrapped), "OAEP decrypt", decrypt),
        ]  # fmt: skip
    return rows


def bind(call: Callable[..., object], *arguments: object) -> Callable[[], object]:
    """Make a call that is ready to be repeated."""
    return lambda: call(*arguments)


def first_wrap(private: bytes, public: bytes, text: bytes) -> Callable[[], object]:
    """Make an object and wrap one message with it."""
    return lambda: SMessage(private, public).wrap(text)


if __name__ == "__main__":
    main()
