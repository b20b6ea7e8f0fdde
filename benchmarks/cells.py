# SPDX-License-Identifier: Apache-2.0
"""What a Seal costs next to AES-256-GCM of the same libcrypto used raw.

    .venv/bin/python benchmarks/cells.py

Rounds of `openssl speed` (one cipher context, one key, one buffer, no allocation) and of ours (a
key derived, a nonce drawn and a result allocated for every message) alternate; the medians are
printed. On a noisy machine only the ratios mean something.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from typing import TYPE_CHECKING

from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateSymmetricKey

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = {"64 B": 64, "4 KiB": 4 << 10, "1 MiB": 1 << 20, "64 MiB": 64 << 20}
ROUNDS = 5
SECONDS = 1


def main() -> None:
    """Measure and print a table of microseconds for each call."""
    cell = SCellSeal(GenerateSymmetricKey())
    print(subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.strip())
    print(f"{'':>8} {'':>8} {'raw us':>12} {'Seal us':>12} {'Seal/raw':>9} {'added us':>9}")
    for label, size in SIZES.items():
        message = os.urandom(size)
        encrypted = cell.encrypt(message)
        for step, act, argument in (
            ("encrypt", cell.encrypt, message),
            ("decrypt", cell.decrypt, encrypted),
        ):
            pairs = [(raw(step, size), timed(act, argument)) for _ in range(ROUNDS)]
            floor = statistics.median(pair[0] for pair in pairs)
            ours = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(pair[1] / pair[0] for pair in pairs)
            print(
                f"{label:>8} {step:>8} {floor:12.2f} {ours:12.2f} {ratio:9.2f} {ours - floor:9.2f}"
            )


def timed(act: Callable[[bytes], object], argument: bytes) -> float:
    """Time a call: microseconds, the mean over about a second."""
    calls = 0
    start = time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        for _ in range(batch(len(argument))):
            act(argument)
        calls += batch(len(argument))
    return spent / calls * 1e6


def batch(size: int) -> int:
    """Choose a number of calls between two looks at the clock."""
    return max(1, (1 << 20) // (size + 1024))


def raw(step: str, size: int) -> float:
    """Time AES-256-GCM in `openssl speed`: microseconds for a buffer of this size."""
    decrypt = "-decrypt" if step == "decrypt" else ""
    output = subprocess.run(
        f"openssl speed -mr {decrypt} -seconds {SECONDS} -bytes {size} -evp aes-256-gcm".split(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    bytes_per_second = next(
        float(line.rpartition(":")[2]) for line in output.splitlines() if line.startswith("+F:")
    )
    return size / bytes_per_second * 1e6


if __name__ == "__main__":
    main()
