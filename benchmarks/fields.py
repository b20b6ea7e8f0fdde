# SPDX-License-Identifier: Apache-2.0
"""Measure sealed fields by plain ones, and by those of other libraries, on PostgreSQL.

Each has a table of its own, with two text columns that are sealed or not; one has two columns of
plain bytes, as long as cells: the least that storing them costs. In each round all of them
insert, load, open or update the same number of rows, in turns; a ratio is that of two which ran
one after the other, and the table has the median of the rounds' ratios. The time is that of the
processor, spent by this program and by the process of the server that works for it: on a quiet
machine that is the time that passes. The driver is psycopg; Linux, PostgreSQL and sqlalchemy-utils
must be there.

    python benchmarks/fields.py [--only TEXT] [--rows 100000] [--rounds 20] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from _measure import in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.postgres import server  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# What a library's own file, such as _fields_sqlalchemy.py, calls its tables.
PLAIN, FLOOR, OURS, INDEXED, THEIRS = "plain", "bytes", "sealed", "sealed, indexed", "their own"
GOALS = {  # by what is done: how many times the plain model, and theirs, ours may take
    "insert": (1.25, 1 / 3),
    "load": (1.08, None),
    "load, open all": (1.35, 1 / 3),
    "update": (None, None),
}
CELL_OVERHEAD = 53  # bytes: the prefix, the token and the frame
LEAST_ROTATED = 25_000  # rows in a second, beside writers


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument(
        "--rounds", type=int, default=20, help="the rows are cut into so many parts"
    )
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    with server() as address:
        rows = list(measured(address, options))
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, {"rows": options.rows, "rounds": options.rounds}))


def as_long_as_a_cell(text: str) -> bytes:
    """Return bytes of the length that the stored value of a text has."""
    return os.urandom(len(text) + CELL_OVERHEAD)


class Library(NamedTuple):
    """What a library's file gives."""

    tables: Mapping[str, Mapping[str, Callable[[range], object]]]  # what is done with each
    backend: int  # the id of the server's process that works for it
    rotate: Callable[[], int]  # all rows, beside four writers; it returns how many


def measured(address: str, options: argparse.Namespace) -> Iterator[Row]:
    """Measure each library's fields."""
    import _fields_django
    import _fields_sqlalchemy

    for module in (_fields_sqlalchemy, _fields_django):
        with module.tables(address) as library:
            for done, goals in GOALS.items():  # the first fills the tables
                samples = sampled(library, done, options)
                yield from compared(f"{module.NAME}: {done}", samples, *goals, options.only)
            name = f"{module.NAME}: rotate beside four writers"
            if options.only in name:
                start = spent(library.backend)
                rows = library.rotate()
                rate = spread([rows / (spent(library.backend) - start)])
                yield Row(name, rate, goal=LEAST_ROTATED, goal_is="at least", unit="rows/s")


def sampled(library: Library, done: str, options: argparse.Namespace) -> dict[str, list[float]]:
    """Do the same with each table in turns: the microseconds for a row."""
    rounds, rows = options.rounds, options.rows // options.rounds

    def clock(work: Callable[[range], object]) -> Callable[[], float]:
        parts = iter(range(first, first + rows) for first in range(0, rows * rounds, rows))

        def sample() -> float:
            part = next(parts)
            gc.collect()
            start = spent(library.backend)
            work(part)
            return (spent(library.backend) - start) * 1e6 / rows

        return sample

    samples = in_turns([clock(works[done]) for works in library.tables.values()], rounds)
    return dict(zip(library.tables, samples, strict=True))


def spent(backend: int) -> float:
    """Return the seconds that this thread and a process of the server had a processor."""
    server_time = Path(f"/proc/{backend}/schedstat").read_text("ascii").split()[0]
    return time.thread_time() + int(server_time) / 1e9


def compared(
    name: str,
    samples: Mapping[str, list[float]],
    by_plain: float | None,
    by_theirs: float | None,
    only: str,
) -> Iterator[Row]:
    """Compare ours, and the bytes that they are stored as, with the plain model and with theirs."""
    pairs = [
        (OURS, PLAIN, by_plain),
        (FLOOR, PLAIN, None),
        (INDEXED, PLAIN, None),
        (OURS, THEIRS, by_theirs),
        (PLAIN, THEIRS, None),
    ]
    for kind, other, goal in pairs:
        if kind in samples and other in samples and only in name:
            mine, beside = samples[kind], samples[other]
            ratio = ratios(mine, beside)
            yield Row(
                f"{name}, {kind} beside {other}", spread(mine), other, spread(beside), ratio, goal
            )


if __name__ == "__main__":
    main()
