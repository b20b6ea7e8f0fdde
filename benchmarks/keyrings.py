# SPDX-License-Identifier: Apache-2.0
"""Measure keyrings by plain cells, and by `cryptography`'s MultiFernet with three keys.

Each operation runs in turns with its yardstick in one process, and the ratio is the median of the
rounds' ratios. The values have 64 bytes, the rings three keys.

    python benchmarks/keyrings.py [--only TEXT] [--rounds 31] [--seconds 0.01] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
from typing import NamedTuple

from _measure import Stopwatch, Work, in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write
from cryptography.fernet import Fernet, MultiFernet

from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal

SIZE = 64
CONTEXT = b"a context"
NEEDS_ROTATION = 0.25  # microseconds


class Goal(NamedTuple):
    """An operation of a ring, its yardstick, and how many times the yardstick it may take."""

    operation: str
    work: Work
    beside: str
    yardstick: Work | None  # None: the goal is about microseconds
    at_most: float


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--seconds", type=float, default=0.01, help="of one sample")
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    wanted = [goal for goal in goals() if options.only in goal.operation]
    rows = [measure(goal, options.rounds, options.seconds) for goal in wanted]
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    write(options.json, document(rows, settings))


def measure(goal: Goal, rounds: int, seconds: float) -> Row:
    """Run both in turns."""
    if goal.yardstick is None:
        [ours] = in_turns([Stopwatch(goal.work, seconds)], rounds)
        return Row(goal.operation, spread(ours), goal=goal.at_most)
    clocks = [Stopwatch(goal.work, seconds), Stopwatch(goal.yardstick, seconds)]
    ours, theirs = in_turns(clocks, rounds)
    ratio = ratios(ours, theirs)
    return Row(goal.operation, spread(ours), goal.beside, spread(theirs), ratio, goal.at_most)


def goals() -> list[Goal]:
    """List what is measured by what; the goals are those of the project's plan."""
    first = Keyring.new("shop").add()
    ring = first.add().add()
    ring = ring.promote(ring.ids[-1])
    message = os.urandom(SIZE)
    cell = SCellSeal(os.urandom(32))
    keys = [Fernet(Fernet.generate_key()) for _ in range(3)]
    many = MultiFernet(keys[::-1])
    ours = {"ring": ring, "message": message, "context": CONTEXT}
    ours |= {"new": ring.encrypt(message, CONTEXT), "old": first.encrypt(message, CONTEXT)}
    plain = {"cell": cell, "message": message, "context": CONTEXT}
    plain["sealed"] = cell.encrypt(message, CONTEXT)
    theirs = {"many": many, "message": message, "old": keys[0].encrypt(message)}
    encrypt = Work("ring.encrypt(message, context)", ours)
    decrypt = Work("ring.decrypt(new, context)", ours)
    oldest = Work("ring.decrypt(old, context)", ours)
    rotate = Work("ring.rotate(old, context)", ours)
    seal = Work("cell.encrypt(message, context)", plain)
    unseal = Work("cell.decrypt(sealed, context)", plain)
    return [
        Goal("encrypt", encrypt, "Seal encrypt", seal, 1.25),
        Goal("decrypt", decrypt, "Seal decrypt", unseal, 1.25),
        Goal("decrypt, oldest key", oldest, "Seal decrypt", unseal, 1.25),
        Goal(
            "needs_rotation, no", Work("ring.needs_rotation(new)", ours), "", None, NEEDS_ROTATION
        ),
        Goal(
            "needs_rotation, yes", Work("ring.needs_rotation(old)", ours), "", None, NEEDS_ROTATION
        ),
        Goal(
            "encrypt, as MultiFernet",
            encrypt,
            "its encrypt",
            Work("many.encrypt(message)", theirs),
            1 / 6,
        ),
        Goal(
            "decrypt, oldest key, as MultiFernet",
            oldest,
            "its decrypt",
            Work("many.decrypt(old)", theirs),
            1 / 10,
        ),
        Goal(
            "rotate, as MultiFernet", rotate, "its rotate", Work("many.rotate(old)", theirs), 1 / 8
        ),
    ]


if __name__ == "__main__":
    main()
