# SPDX-License-Identifier: Apache-2.0
"""Run millions of operations of every cryptosystem, and see that memory stays flat.

The operations come in rounds of the same mix: honest ones whose results are checked, hostile ones
that must be refused. Then one day of a session's messages passes, by a clock that this tool moves:
keys are agreed on anew every hour, and in each hour the sequence numbers wrap.

Memory is judged by what the process has resident: the last part of the run against an early one,
after everything has been warmed up. A planted leak (--leak) shows that the judge sees one.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pythemis._core import sessions as clocked
from pythemis._themis import lib
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import GenerateKeyPair, GenerateSymmetricKey, from_der, key_kind, to_der
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage, ssign, sverify
from pythemis.ssession import SimpleMemoryTransport, SSession
from tools.evidence.figures import note

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
SAMPLES = 100  # of memory, over a run
WARM = 0.3  # the share of a run that is not judged
MOST_GROWTH = 1 << 20  # bytes; what an allocator's habits may cost
HOURS = 24
NUMBERS = 2**32

Operation = Callable[[], int]  # does some operations, and tells how many


def main() -> None:
    """Run, report, and leave with 1 if memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=float, default=1e7, help="default: 1e7")
    parser.add_argument("--messages", type=float, help="of the day; default: 50 a second for 1e7")
    parser.add_argument("--only", choices=["operations", "day"], help="one of the two parts")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(NUMBERS))
    parser.add_argument("--leak", type=int, default=0, help="bytes to lose with each round")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    numbers = random.Random(wanted.seed)
    operations = int(wanted.operations)
    messages = int(wanted.messages or 50 * 86400 * wanted.operations / 1e7)
    flat = []
    if wanted.only != "day":
        flat.append(watched("operations", operations, mixed(numbers, wanted.leak)))
    if wanted.only != "operations":
        flat.append(watched("session messages", messages, day(numbers, messages)))
    if not all(flat):
        raise SystemExit("memory is not flat")


def watched(what: str, count: int, rounds: Iterator[int]) -> bool:
    """Run rounds until there were so many operations; tell whether memory stayed flat."""
    start, done = time.monotonic(), 0
    resident: list[int] = []
    for amount in rounds:
        done += amount
        if done * SAMPLES >= count * (len(resident) + 1):
            gc.collect()
            resident.append(resident_bytes())
        if done >= count:
            break
    growth = growth_of(resident)
    print(
        f"{done} {what} in {time.monotonic() - start:.0f} s; resident at the end "
        f"{resident[-1] / 2**20:.1f} MiB, grown by {growth / 1024:.0f} KiB "
        f"({growth / (done * (1 - WARM)):.3f} bytes for each)",
        flush=True,
    )
    note({what: done, f"growth over {what}": f"{growth / 1024:.0f} KiB"})
    note({"resident at the end": f"{resident[-1] / 2**20:.1f} MiB"})
    return growth <= MOST_GROWTH


def growth_of(resident: list[int]) -> float:
    """Compare the median of the last samples with that of the first ones after warming up."""
    judged = resident[int(len(resident) * WARM) :]
    few = max(1, len(judged) // 5)
    return statistics.median(judged[-few:]) - statistics.median(judged[:few])


def resident_bytes() -> int:
    """Ask the system how much memory this process has resident."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def refused(call: Callable[..., object], *arguments: object) -> None:
    """Demand that a call is refused."""
    try:
        call(*arguments)
    except ThemisError:
        return
    raise AssertionError(f"{call} was not refused")


def check(is_right: bool) -> None:
    """Demand a right result."""
    if not is_right:
        raise AssertionError("a wrong result")


# ---- The mix ----


def mixed(numbers: random.Random, leak: int) -> Iterator[int]:
    """Return rounds of the mix, each about a thousand operations."""
    libc = ctypes.CDLL(None)
    text = numbers.randbytes(4096)
    parts = [
        *(repeat(operation, 20) for operation in cells(numbers, text)),
        *lists(numbers, text),
        *(repeat(operation, 20) for operation in messages_between("EC", numbers, text)),
        messages_once("RSA", text),
        messages_once("EC", text),
        keys(),
        passphrases(),
        sessions(text),
        comparisons(),
    ]
    while True:
        if leak:
            leak_bytes(libc, leak)
        numbers.shuffle(parts)
        yield sum(part() for part in parts)


def leak_bytes(libc: ctypes.CDLL, size: int) -> None:
    """Lose memory, on purpose."""
    libc.malloc.restype = ctypes.c_void_p
    ctypes.memset(libc.malloc(size), 1, size)


def repeat(operation: Operation, times: int) -> Operation:
    """Do an operation several times."""
    return lambda: sum(operation() for _ in range(times))


def damaged(numbers: random.Random, data: bytes) -> bytes:
    """Change one bit."""
    at = numbers.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << numbers.randrange(8)]) + data[at + 1 :]


def cells(numbers: random.Random, text: bytes) -> list[Operation]:
    """Return the operations of Secure Cell with keys."""
    key = GenerateSymmetricKey()
    seal, old = SCellSeal(key), SCellSeal(key, compat_096=True)
    token, imprint = SCellTokenProtect(key), SCellContextImprint(key)

    def piece() -> tuple[bytes, bytes]:
        return text[: numbers.randrange(1, len(text))], text[: numbers.randrange(1, 50)]

    def sealing() -> int:
        message, context = piece()
        sealed = seal.encrypt(message, context)
        check(old.decrypt(bytearray(sealed), context) == message)
        refused(old.decrypt, damaged(numbers, sealed), context)
        return 3

    def protecting() -> int:
        message, context = piece()
        encrypted, made = token.encrypt(message, context)
        check(token.decrypt(encrypted, made, context) == message)
        refused(token.decrypt, encrypted, made[:-1], context)
        return 3

    def imprinting() -> int:
        message, context = piece()
        check(imprint.decrypt(imprint.encrypt(message, context), context) == message)
        return 2

    def opening() -> int:
        with SCellSeal(GenerateSymmetricKey()) as cell:
            refused(cell.encrypt, b"")
            check(len(cell.encrypt(b"x")) == 45)
        refused(cell.encrypt, b"x")
        return 4

    return [sealing, protecting, imprinting, opening]


def lists(numbers: random.Random, text: bytes) -> list[Operation]:
    """Return the operations of Secure Cell for lists, and for buffers of one's own."""
    key = GenerateSymmetricKey()
    seal, token, imprint = SCellSeal(key), SCellTokenProtect(key), SCellContextImprint(key)
    buffer = bytearray(len(text) + 44)

    def listing() -> int:
        threads = numbers.randrange(1, 4)
        messages = [text[: numbers.randrange(1, 200)] for _ in range(50)]
        sealed = seal.encrypt_many(messages, b"context", threads=threads)
        check(seal.decrypt_many(sealed, b"context", threads=threads) == messages)
        encrypted, tokens = zip(*token.encrypt_many(messages), strict=True)
        check(token.decrypt_many(encrypted, tokens) == messages)
        places = [b"%d" % number for number in range(len(messages))]
        check(imprint.decrypt_many(imprint.encrypt_many(messages, places), places) == messages)
        spoiled = numbers.randrange(50)
        sealed[spoiled] = damaged(numbers, sealed[spoiled])
        refused(lambda: seal.decrypt_many(sealed, b"context", threads=threads))
        return 6 * 50 + 1

    def in_place() -> int:
        size = numbers.randrange(16, len(text))  # of one byte, one in 256 is encrypted as itself
        room = memoryview(buffer)
        room[44 : 44 + size] = text[:size]
        check(seal.encrypt_into(buffer, room[44 : 44 + size]) == size + 44)
        check(seal.decrypt_into(room[44:], room[: size + 44]) == size)
        check(room[44 : 44 + size] == text[:size])
        refused(seal.decrypt_into, room[44:], room[: size + 44])  # it is a message by now
        return 3

    return [listing, repeat(in_place, 20)]


def messages_between(algorithm: str, numbers: random.Random, text: bytes) -> list[Operation]:
    """Return the operations of prepared Secure Messages."""
    one, other = GenerateKeyPair(algorithm), GenerateKeyPair(algorithm)
    writer = SMessage(one.export_private_key(), other.export_public_key())
    reader = SMessage(other.export_private_key(), one.export_public_key())

    def wrapping() -> int:
        message = text[: numbers.randrange(1, len(text))]
        wrapped = writer.wrap(message)
        check(reader.unwrap(wrapped) == message)
        refused(reader.unwrap, damaged(numbers, wrapped))
        return 3

    return [wrapping]


def messages_once(algorithm: str, text: bytes) -> Operation:
    """Return the operation of objects of Secure Message made, used and dropped."""
    one, other = GenerateKeyPair(algorithm), GenerateKeyPair(algorithm)
    private, public = one.export_private_key(), one.export_public_key()

    def once() -> int:
        signed = ssign(private, text)
        check(sverify(public, signed) == text)
        refused(sverify, other.export_public_key(), signed)
        check(SecureVerifier(public).verify(SecureSigner(private).sign(text)) == text)
        refused(SecureSigner, public)
        wrapped = SMessage(private, other.export_public_key()).wrap(text)
        check(SMessage(other.export_private_key(), public).unwrap(wrapped) == text)
        refused(SMessage, public, private)
        return 12

    return once


def keys() -> Operation:
    """Return the operation of keys made and brought into other forms."""

    def once() -> int:
        pair = GenerateKeyPair("EC", curve="P-384")
        for key in (pair.export_private_key(), pair.export_public_key()):
            der = to_der(key)
            check(from_der(der) == key)
            check(key_kind(key).bits == 384)
            refused(from_der, der[:-1])
            refused(key_kind, key[:-1])
        return 11

    return once


def passphrases() -> Operation:
    """Return the operation of reading passphrase cells of few iterations."""
    cases = json.loads((VECTORS / "cell_passphrase.json").read_text(encoding="utf-8"))["cases"]
    [case] = [case for case in cases if case["id"] == "pw-iter1"]
    passphrase, sealed, message = (
        bytes.fromhex(case[name]) for name in ("passphrase", "cell", "message")
    )

    def once() -> int:
        with SCellSeal(
            passphrase=passphrase, iterations=1, min_iterations=1, max_iterations=1
        ) as cell:
            check(cell.decrypt(sealed) == message)
            refused(cell.decrypt, sealed, b"another context")
        return 3

    return once


def negotiated() -> tuple[SSession, SSession]:
    """Establish a session between new parties."""
    one, other = GenerateKeyPair("EC"), GenerateKeyPair("EC")
    ends = tuple(
        SSession(
            name,
            ours.export_private_key(),
            SimpleMemoryTransport(peer, theirs.export_public_key()),
            reject_duplicates=True,
        )
        for name, ours, peer, theirs in ((b"c", one, b"s", other), (b"s", other, b"c", one))
    )
    client, server = ends
    client.unwrap(server.unwrap(client.unwrap(server.unwrap(client.connect_request()))))
    check(client.is_established() and server.is_established())
    return client, server


def sessions(text: bytes) -> Operation:
    """Return the operation of a session: negotiated, used in both directions, dropped."""

    def once() -> int:
        client, server = negotiated()
        for writer, reader in (client, server), (server, client):
            for size in range(1, 101):
                wrapped = writer.wrap(text[: size * 40])
                check(reader.unwrap(wrapped) == text[: size * 40])
                if size % 10 == 0:
                    refused(reader.unwrap, wrapped)
        refused(client.connect_request)
        client.close()
        return 11 + 420

    return once


def comparisons() -> Operation:
    """Return the operation of comparisons: equal, unequal, and broken off."""

    def once() -> int:
        for secret in (b"a secret", b"another"):
            alice, bob = SComparator(b"a secret"), SComparator(secret)
            message, turn = alice.begin_compare(), bob
            while message:
                message, turn = turn.proceed_compare(message), alice if turn is bob else bob
            check(alice.is_equal() == bob.is_equal() == (secret == b"a secret"))
        bob = SComparator(b"x")
        refused(bob.proceed_compare, bytes(192)[:-1])
        SComparator(b"dropped").begin_compare()
        return 18

    return once


# ---- The day ----


def day(numbers: random.Random, messages: int) -> Iterator[int]:
    """Let a day of a session's messages pass: 24 agreements on keys, 24 wraps of the numbers."""
    now = start = 1_900_000_000
    clocked.__dict__["time"] = lambda: now  # the one clock there is
    try:
        hourly = -(-messages // HOURS)
        for hour in range(HOURS):
            client, server = negotiated()
            first = NUMBERS - hourly // 4  # each end writes half of the messages
            set_numbers(client, server, first, first)
            for wrote in range(0, hourly, 2 * BATCH):
                now = start + 3600 * hour + 3600 * wrote // hourly
                batch(numbers, client, server)
                batch(numbers, server, client)
                yield 2 * BATCH
            too_old = client.wrap(b"yesterday's")
            now += 86401
            refused(server.unwrap, too_old)
            now -= 86401
    finally:
        clocked.__dict__["time"] = time.time


BATCH = 100


def batch(numbers: random.Random, writer: SSession, reader: SSession) -> None:
    """Send a batch: some messages are lost, some come twice, the order is mixed."""
    waiting = [(text, writer.wrap(text)) for text in (b"%d" % at for at in range(BATCH))]
    numbers.shuffle(waiting)
    for text, wrapped in waiting[: -numbers.randrange(1, 10)]:
        check(reader.unwrap(wrapped) == text)
        if numbers.random() < 0.05:
            refused(reader.unwrap, wrapped)


def set_numbers(client: SSession, server: SSession, to_server: int, to_client: int) -> None:
    """Let both directions go on with these sequence numbers."""
    for session, written, read in (client, to_server, to_client), (server, to_client, to_server):
        status = lib.themis_testing_session_numbers(session._held.handle, written, read)
        check(status == THEMIS_CODES.SUCCESS)


if __name__ == "__main__":
    main()
