# SPDX-License-Identifier: Apache-2.0
"""Measure columns by `encrypt_many` fed from Arrow, by Fernet row by row, and Polars by pyarrow.

Each operation runs in turns with its yardstick in one process, and the ratio is the median of the
rounds' ratios. Work in one thread is measured in the time of the processor; what two threads do, in
the time that passes, so it needs a quiet machine. pyarrow, Polars and `cryptography` must be there.

    python benchmarks/columns.py [--only TEXT] [--rows 200000] [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import polars as pl
import pyarrow as pa
from _measure import Stopwatch, Work, in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write
from cryptography.fernet import Fernet

from pythemis.columns import ColumnCipher
from pythemis.keyring import Keyring
from pythemis.place import place

NAMES = ("customers", "email")


class Goal(NamedTuple):
    """An operation, its yardstick, and how many times the yardstick it may take."""

    operation: str
    work: Work
    beside: str
    yardstick: Work
    at_most: float
    passes: bool = False  # the time that passes counts


class Passing:
    """Gives the microseconds that pass while a statement runs once."""

    def __init__(self, work: Work) -> None:
        self._code = compile(work.statement, "<work>", "eval")
        self._names = dict(work.names)

    def __call__(self) -> float:
        """Take a sample."""
        start = time.perf_counter()
        eval(self._code, self._names)
        return (time.perf_counter() - start) * 1e6


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    wanted = [goal for goal in goals(options.rows) if options.only in goal.operation]
    rows = [measure(goal, options.rounds) for goal in wanted]
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, {"rows": options.rows, "rounds": options.rounds}))


def measure(goal: Goal, rounds: int) -> Row:
    """Run both in turns."""
    works = (goal.work, goal.yardstick)
    clocks = [Passing(work) if goal.passes else Stopwatch(work, 0.001) for work in works]
    ours, theirs = in_turns(clocks, rounds)
    ratio = ratios(ours, theirs)
    return Row(goal.operation, spread(ours), goal.beside, spread(theirs), ratio, goal.at_most)


def by_list(ring: Keyring, values: pa.Array, ids: pa.Array) -> pa.Array:
    """Encrypt a column through lists, as before there were columns."""
    messages = [b"\0" + value.encode() for value in values.to_pylist()]
    contexts = [place(*NAMES, row) for row in ids.to_pylist()]
    return pa.array(ring.encrypt_many(messages, contexts))


def by_fernet(fernet: Fernet, values: pa.Array) -> pa.Array:
    """Encrypt a column row by row."""
    return pa.array([fernet.encrypt(value.encode()) for value in values.to_pylist()])


def goals(count: int) -> list[Goal]:
    """List what is measured by what: values of 23 bytes, and a context for each row."""
    ring = Keyring.new("shop").add()
    cipher = ColumnCipher(ring, NAMES)
    values = pa.array([f"user{row:07}@example.com" for row in range(count)])
    ids = pa.array(range(count))
    names = {"cipher": cipher, "ring": ring, "values": values, "ids": ids}
    names |= {"series": pl.Series(values), "numbers": pl.Series(ids)}
    names |= {"by_list": by_list, "by_fernet": by_fernet, "fernet": Fernet(Fernet.generate_key())}
    names |= {"cells": cipher.encrypt(values, ids)}
    encrypt = Work("cipher.encrypt(values, ids)", names)
    many = Work("by_list(ring, values, ids)", names)
    fernet = Work("by_fernet(fernet, values)", names)
    two = Work("cipher.encrypt(values, ids, threads=2)", names)
    polars = Work("cipher.encrypt(series, numbers)", names)
    decrypt = Work("cipher.decrypt(cells, ids)", names)
    return [
        Goal("encrypt a column", encrypt, "encrypt_many from Arrow", many, 1 / 1.6),
        Goal("encrypt a column, as Fernet", encrypt, "Fernet row by row", fernet, 1 / 8),
        Goal("decrypt a column", decrypt, "encrypt a column", encrypt, 1.15),
        Goal("encrypt a column of Polars", polars, "of pyarrow", encrypt, 1.15),
        Goal("encrypt a column, two threads", two, "one thread", encrypt, 1 / 1.85, passes=True),
    ]


if __name__ == "__main__":
    main()
