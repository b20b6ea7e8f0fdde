# SPDX-License-Identifier: Apache-2.0
"""Secure Session: a file sent over a socket, with keys of every curve."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time

from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.ssession import SecureSessionError, SimpleMemoryTransport, SSession
from pythemis.stransport import SocketTransport

MIB = 1 << 20
TRANSFER = 32 * MIB
PIECE = 256 << 10
CURVES = ("P-256", "P-384", "P-521")


def run() -> None:
    """Negotiate and send a file with each curve, then show what is refused."""
    print(f"{'identities':<12}{'negotiation':>14}{'sent':>10}{'speed':>14}   what arrived")
    for curve in CURVES:
        print(row(curve))
    show_refusals()


def row(curve: str) -> str:
    """Establish a session over a socket, send a file through it, and put it into a line."""
    alice, bob = (GenerateKeyPair(KEY_PAIR_TYPE.EC, curve=curve) for _ in range(2))
    one, other = socket.socketpair()
    to_bob = SocketTransport(one, {b"bob": bob.export_public_key()})
    to_alice = SocketTransport(other, {b"alice": alice.export_public_key()})
    file = os.urandom(TRANSFER)
    received = hashlib.sha256()

    def receive() -> None:
        with SSession(b"bob", bob.export_private_key(), to_alice) as session:
            while not session.is_established():
                session.receive()
            for _ in range(TRANSFER // PIECE):
                received.update(session.receive())

    thread = threading.Thread(target=receive)
    thread.start()
    with to_bob, to_alice, SSession(b"alice", alice.export_private_key(), to_bob) as session:
        start = time.perf_counter()
        session.connect()
        while not session.is_established():
            session.receive()
        negotiated = time.perf_counter()
        for at in range(0, TRANSFER, PIECE):
            session.send(memoryview(file)[at : at + PIECE])
        thread.join()
        end = time.perf_counter()
    if received.digest() != hashlib.sha256(file).digest():
        raise SystemExit(f"{curve}: the file did not arrive as it was sent")
    speed = TRANSFER / MIB / (end - negotiated)
    spent = (negotiated - start) * 1000
    return (
        f"{curve:<12}{spent:>11.2f} ms{TRANSFER // MIB:>6} MiB{speed:>8.0f} MiB/s   the same file"
    )


def show_refusals() -> None:
    """Show the error for each message that an attacker sends."""
    alice, bob, mallory = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(3))
    keys = SimpleMemoryTransport(
        {b"alice": alice.export_public_key(), b"bob": bob.export_public_key()}
    )

    def server() -> SSession:
        return SSession(b"bob", bob.export_private_key(), keys, reject_duplicates=True)

    client, other = SSession(b"alice", alice.export_private_key(), keys), server()
    third = client.unwrap(other.unwrap(client.connect_request()))
    client.unwrap(other.unwrap(third))
    message = client.wrap(b"pay Mallory 10 euros")
    changed = bytearray(message)
    changed[40] ^= 1
    liar = SSession(b"alice", mallory.export_private_key(), keys)
    stranger = SSession(b"mallory", mallory.export_private_key(), keys)
    if other.unwrap(message) != b"pay Mallory 10 euros":
        raise SystemExit("the message did not arrive as it was sent")
    attempts = {
        "one bit changed": lambda: other.unwrap(changed),
        "sent again": lambda: other.unwrap(message),
        "sent back": lambda: client.unwrap(message),
        "a false name": lambda: server().unwrap(liar.connect_request()),
        "a stranger": lambda: server().unwrap(stranger.connect_request()),
    }
    print("\nRefused:")
    for attempt, act in attempts.items():
        try:
            act()
        except SecureSessionError as error:
            print(f"{attempt + ':':<17}{error}")
        else:
            raise SystemExit(f"{attempt}: accepted")
