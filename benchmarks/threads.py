# SPDX-License-Identifier: Apache-2.0
"""Measure what several threads get done at once, and lists of messages in one call.

A speed-up is the work that two threads get done in a second, over that of one thread; both are
measured in turns, by the time that passes. The first row is the machine's own: SHA-256 of hashlib,
which needs nothing but a core. Where that row is far from 2, the machine is busy, and the rows
below it tell little.

    python benchmarks/threads.py [--rounds 9] [--seconds 0.1] [--many 100000] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import operations
from _measure import in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write

from pythemis.fields import Field, FieldCipher
from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], object]
    Many = Callable[..., object]

PLAIN_SIZE = 64 << 10
SHORT_SIZE = 64  # where a call keeps the GIL, so that two threads share the speed of one
SHORT_GOAL = 0.95
MANY_SIZE = 100


class Settings(NamedTuple):
    """How long to measure."""

    rounds: int
    seconds: float
    many: int


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one sample")
    parser.add_argument("--many", type=int, default=100_000, help="messages of encrypt_many")
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    settings = Settings(options.rounds, options.seconds, options.many)
    rows = [*plain_calls(settings), *short_calls(settings), *processor_time(settings)]
    rows += [*lists(settings), beside_a_passphrase(settings)]
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, settings._asdict()))


def plain_calls(settings: Settings) -> list[Row]:
    """Measure two Python threads that make calls of their own, with one cell between them."""
    cell, message = SCellSeal(key=GenerateSymmetricKey()), os.urandom(PLAIN_SIZE)
    encrypted, short = cell.encrypt(message), message[:SHORT_SIZE]
    rows = []
    for name, goal, call, argument in (
        ("hashlib SHA-256 64 KiB", None, hashlib.sha256, message),
        ("Seal encrypt 64 KiB", 1.9, cell.encrypt, message),
        ("Seal decrypt 64 KiB", None, cell.decrypt, encrypted),
        ("Seal encrypt 64 B", SHORT_GOAL, cell.encrypt, short),
        ("Seal decrypt 64 B", SHORT_GOAL, cell.decrypt, cell.encrypt(short)),
    ):
        job = repeated(call, argument, settings.seconds)
        one, two = in_turns([lambda j=job: elapsed(j), lambda j=job: elapsed(j, j)],
                            settings.rounds)  # fmt: skip
        rows.append(speed_up(f"two threads: {name}", one, two, goal, work=2))
    return rows


def short_calls(settings: Settings) -> list[Row]:
    """Measure the short calls of the other systems, each thread with objects of its own."""
    rows = []
    for name, make in (
        ("GenerateSymmetricKey", lambda: lambda _: GenerateSymmetricKey()),
        ("session wrap + unwrap 64 B", _session),
        ("SMessage EC wrap 64 B", _smessage),
        ("Keyring encrypt 64 B", lambda: Keyring.new("app").add().encrypt),
        ("Field seal 64 B", lambda: functools.partial(_sealed, _field())),
        ("Field index 64 B", lambda: _field().index),
    ):
        calls = [functools.partial(make(), bytes(SHORT_SIZE)) for _ in range(2)]
        times = calls_in(calls[0], settings.seconds)
        jobs = [again(call, times) for call in calls]
        one, two = in_turns([lambda j=jobs: elapsed(j[0]), lambda j=jobs: elapsed(*j)],
                            settings.rounds)  # fmt: skip
        rows.append(speed_up(f"two threads: {name}", one, two, SHORT_GOAL, work=2))
    return rows


def _session() -> Callable[[bytes], bytes]:
    client, server = operations.handshake()
    return lambda message: server.unwrap(client.wrap(message))


def _smessage() -> Callable[[bytes], bytes]:
    pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    return SMessage(pair.export_private_key(), pair.export_public_key()).wrap


def _field() -> Field:
    rings = (Keyring.new(name).add() for name in ("app", "app-index"))
    cipher = FieldCipher(next(rings), index_key=next(rings))
    return cipher.field("table", "column", type=bytes, bits=32)


def _sealed(field: Field, message: bytes) -> bytes | None:
    return field.seal(message, 1)


def processor_time(settings: Settings) -> list[Row]:
    """Measure what a call takes of a processor while another thread makes the same call.

    Waiting is not in it, so that a busy machine shows as well whether threads hinder each other.
    """
    cell, rows = SCellSeal(key=GenerateSymmetricKey()), []
    for name, size in (("64 KiB", PLAIN_SIZE), ("64 B", SHORT_SIZE)):
        message = os.urandom(size)
        times = calls_in(functools.partial(cell.encrypt, message), settings.seconds)

        def spent(threads: int, message: bytes = message, times: int = times) -> float:
            taken: list[float] = []

            def job() -> None:
                before = time.thread_time()
                for _ in range(times):
                    cell.encrypt(message)
                taken.append(time.thread_time() - before)

            elapsed(*[job] * threads)
            return sum(taken) * 1e6 / times / threads

        one, two = in_turns([lambda s=spent: s(1), lambda s=spent: s(2)], settings.rounds)
        label = f"processor time of a call in two threads: Seal encrypt {name}"
        rows.append(Row(label, spread(two), "one thread", spread(one), ratios(two, one)))
    return rows


def lists(settings: Settings) -> list[Row]:
    """Measure encrypt_many and decrypt_many, where they are; not what freeing the results takes."""
    cell = SCellSeal(key=GenerateSymmetricKey())
    if not hasattr(cell, "encrypt_many"):
        return []
    messages = [os.urandom(MANY_SIZE) for _ in range(settings.many)]
    encrypted = cell.encrypt_many(messages)
    rows = []
    for name, call, items, each_goal, speed_goal in (
        ("encrypt_many", cell.encrypt_many, messages, 0.6, 1.9),
        ("decrypt_many", cell.decrypt_many, encrypted, None, None),
    ):

        def seconds(threads: int, call: Many = call, items: list[bytes] = items) -> float:
            made: list[object] = []
            return elapsed(lambda: made.append(call(items, threads=threads)))

        one, two = in_turns([lambda s=seconds: s(1), lambda s=seconds: s(2)], settings.rounds)
        each = spread([seconds * 1e6 / settings.many for seconds in one])
        label = f"{name}, each of {settings.many} x {MANY_SIZE} B"
        rows.append(Row(label, each, goal=each_goal))
        rows.append(speed_up(f"{name}, threads=2", one, two, speed_goal, work=1))
    return rows


def beside_a_passphrase(settings: Settings) -> Row:
    """Measure how long Python takes for something else while a passphrase is stretched."""
    cell = SCellSeal(passphrase="a passphrase")
    loop = repeated(sum, range(10_000), settings.seconds / 50)

    def alone() -> float:
        return min(timed(loop) for _ in range(5))

    def beside() -> float:
        thread = threading.Thread(target=cell.encrypt, args=(b"a message",))
        thread.start()
        found = timed(loop)
        while thread.is_alive():
            found = min(found, timed(loop))
        return found

    apart, together = in_turns([alone, beside], settings.rounds)
    milliseconds = (spread([1e3 * value for value in taken]) for taken in (together, apart))
    return Row("a loop beside a passphrase encrypt", next(milliseconds), "nothing",
               next(milliseconds), ratios(together, apart), unit="ms")  # fmt: skip


def speed_up(name: str, one: list[float], two: list[float], goal: float | None, work: float) -> Row:
    """Make a row of the seconds with one thread and with two, which do so many times its work."""
    gained = spread([work * alone / both for alone, both in zip(one, two, strict=True)])
    taken, alone = (spread([1e3 * value for value in values]) for values in (two, one))
    return Row(name, taken, "one thread", alone, gained, goal, "at least", unit="ms")


def elapsed(*jobs: Job) -> float:
    """Run each job in a thread of its own, all at once: the seconds until the last is done."""
    ready = threading.Barrier(len(jobs) + 1)

    def run(job: Job) -> None:
        ready.wait()
        job()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def timed(job: Job) -> float:
    """Return the seconds that pass during a job."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def repeated(call: Callable[[object], object], argument: object, seconds: float) -> Job:
    """Return a job that makes a call so often that it takes about so long."""
    once = functools.partial(call, argument)
    return again(once, calls_in(once, seconds))


def again(call: Job, times: int) -> Job:
    """Return a job that makes a call so often."""

    def job() -> None:
        for _ in range(times):
            call()

    return job


def calls_in(call: Job, seconds: float) -> int:
    """Return how many calls take about so long."""
    return max(1, round(seconds / min(timed(call) for _ in range(5))))


if __name__ == "__main__":
    main()
