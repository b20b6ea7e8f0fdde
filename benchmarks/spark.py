# SPDX-License-Identifier: Apache-2.0
"""Measure columns on Spark by its own `aes_encrypt` with a context for each row, and by Fernet.

One session of Spark with two cores does all of it, in turns, and nothing is written: Spark's sink
"noop" takes the rows. The time that passes counts, so it needs a quiet machine; the ratio is the
median of the rounds' ratios. Spark and Java are brought by `make test GROUP=integration`.

    python benchmarks/spark.py [--only TEXT] [--rows 2000000] [--rounds 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from _measure import in_turns, ratios, spread
from _report import Row, document, machine, machine_sentence, table, write
from cryptography.fernet import Fernet
from pyspark.sql import SparkSession, functions

from pythemis.columns import ColumnCipher, spark
from pythemis.keyring import Keyring, SecretKey, from_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CORES = 2


class Goal(NamedTuple):
    """A frame, the frame it is compared with, and how many times its time it may take."""

    operation: str
    frame: Any
    beside: str
    yardstick: Any
    at_most: float | None


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{CORES}]").config("spark.ui.enabled", "false")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        cipher = ColumnCipher(reference(Path(folder)), ("customers", "email"))
        for goal in goals(session, cipher, 1000):  # starts Spark's workers, and fills its caches
            measure(goal, 1)
        wanted = goals(session, cipher, options.rows)
        rows = [measure(goal, options.rounds) for goal in wanted if options.only in goal.operation]
    session.stop()
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, {"rows": options.rows, "rounds": options.rounds}))


def measure(goal: Goal, rounds: int) -> Row:
    """Run both in turns."""
    clocks = [passing(goal.frame), passing(goal.yardstick)]
    ours, theirs = in_turns(clocks, rounds)
    ratio = ratios(ours, theirs)
    return Row(goal.operation, spread(ours), goal.beside, spread(theirs), ratio, goal.at_most)


def passing(frame: Any) -> Callable[[], float]:
    """Return what gives the microseconds that pass while a frame is computed."""

    def sample() -> float:
        start = time.perf_counter()
        frame.write.format("noop").mode("overwrite").save()
        return (time.perf_counter() - start) * 1e6

    return sample


def reference(folder: Path) -> Any:
    """Return keys by reference, as executors need them."""
    unlocking = os.urandom(32)
    (folder / "key").write_bytes(base64.b64encode(unlocking))
    (folder / "key").chmod(0o600)
    Keyring.new("shop").add().save(folder / "shop.ring", key=SecretKey.from_bytes(unlocking))
    return from_reference(f"file:{folder / 'shop.ring'}", f"file:{folder / 'key'}")


def goals(session: Any, cipher: ColumnCipher, count: int) -> list[Goal]:
    """List what is measured by what: values of 23 bytes, and a context for each row."""
    email = "format_string('user%07d@example.com', id) as email"
    frame = session.range(0, count, 1, CORES).selectExpr("id", email)
    sealed = spark.seal(frame, {"email": cipher}, rows="id")
    key = os.urandom(32).hex()
    context = "concat('customers', 'email', id)"
    aes = f"aes_encrypt(email, unhex('{key}'), 'GCM', 'DEFAULT', '', {context}) as email"
    fernet = Fernet(Fernet.generate_key())

    def by_fernet(value: str) -> bytes:
        return fernet.encrypt(value.encode())

    def same(batches: Iterator[Any]) -> Iterator[Any]:
        yield from batches

    native = frame.selectExpr("id", aes)
    one_by_one = frame.select("id", functions.udf(by_fernet, "binary")("email"))
    identity = frame.mapInArrow(same, frame.schema)
    return [
        Goal("seal a column", sealed, "aes_encrypt, GCM with AAD", native, 1 / 1.9),
        Goal("seal a column, as batches unchanged", sealed, "identity", identity, None),
        Goal("seal a column, as Fernet", sealed, "a function of Python", one_by_one, 1 / 12),
    ]


if __name__ == "__main__":
    main()
