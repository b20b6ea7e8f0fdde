# SPDX-License-Identifier: Apache-2.0
"""Secure Message: letters signed and encrypted, with keys of every kind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, from_pem, key_kind, to_pem
from pythemis.smessage import SecureMessageError, SMessage, ssign, sverify

if TYPE_CHECKING:
    from collections.abc import Callable

LETTER = "Dear Bob,\n\nthe key is under the mat. Ключ под ковриком.\n\nAlice\n".encode() * 100


def run() -> None:
    """Send a letter with each kind of keys, report, and show what is refused."""
    pairs = {
        "EC, P-256": lambda: GenerateKeyPair(KEY_PAIR_TYPE.EC),
        "EC, P-384": lambda: GenerateKeyPair(KEY_PAIR_TYPE.EC, curve="P-384"),
        "EC, P-521": lambda: GenerateKeyPair(KEY_PAIR_TYPE.EC, curve="P-521"),
        "RSA, 2048 bits": lambda: GenerateKeyPair(KEY_PAIR_TYPE.RSA),
    }
    print(f"a letter of {len(LETTER)} bytes\n")
    columns = ("generate", "sign", "verify", "encrypt", "decrypt")
    print(f"{'keys':<16}" + "".join(f"{column:>12}" for column in columns))
    for name, generate in pairs.items():
        print(row(name, generate))
    show_refusals()


def row(name: str, generate: Callable[[], GenerateKeyPair]) -> str:
    """Take the letter through everything, and put the times into a line."""
    spent = []

    def timed(act: Callable[..., bytes], *arguments: bytes) -> bytes:
        start = time.perf_counter()
        result = act(*arguments)
        spent.append(time.perf_counter() - start)
        return result

    start = time.perf_counter()
    alice = generate()
    spent.append(time.perf_counter() - start)
    bob = generate()

    signed = timed(ssign, alice.export_private_key(), LETTER)
    check(name, timed(sverify, alice.export_public_key(), signed))
    to_bob = SMessage(alice.export_private_key(), bob.export_public_key())
    from_alice = SMessage(bob.export_private_key(), alice.export_public_key())
    check(name, timed(from_alice.unwrap, timed(to_bob.wrap, LETTER)))
    return f"{name:<16}" + "".join(f"{seconds * 1000:>9.2f} ms" for seconds in spent)


def check(name: str, letter: bytes) -> None:
    """End the demo if a letter did not come back as it was."""
    if letter != LETTER:
        raise SystemExit(f"{name}: the letter did not come back as it was")


def show_refusals() -> None:
    """Show the error for each kind of wrong input, and a key as PEM."""
    alice, bob = GenerateKeyPair(KEY_PAIR_TYPE.EC), GenerateKeyPair(KEY_PAIR_TYPE.EC)
    private, public = alice.export_private_key(), bob.export_public_key()
    signed = ssign(private, LETTER)
    attempts = {
        "one word changed": lambda: sverify(
            alice.export_public_key(), signed.replace(b"mat", b"cat")
        ),
        "another signer": lambda: sverify(public, signed),
        "keys swapped": lambda: SMessage(public, private),
        "signed, not encrypted": lambda: SMessage(private, public).unwrap(signed),
    }
    print("\nRefused:")
    for attempt, act in attempts.items():
        try:
            act()
        except SecureMessageError as error:
            print(f"{attempt + ':':<23}{error}")
        else:
            raise SystemExit(f"{attempt}: accepted")
    pem = to_pem(private, "correct horse battery staple")
    if from_pem(pem, "correct horse battery staple") != private:
        raise SystemExit("the key did not come back from PEM as it was")
    print(f"\nThe {key_kind(private).name} key, exported for OpenSSL with a passphrase:")
    print("\n".join(pem.decode().splitlines()[:2]), "...")
