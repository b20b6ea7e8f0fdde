# SPDX-License-Identifier: Apache-2.0
"""Time one whole comparison, both sides, beside what the group operations in it cost alone.

The two are measured in turns, so that a busy machine disturbs both. The group operations are those
of the system's libsodium, called one by one; that they are called as often as stated here is what
tests/test_comparator_cost.py checks.

    python benchmarks/comparator.py [rounds]
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import platform
import secrets
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

from pythemis.scomparator import SComparator

if TYPE_CHECKING:
    from collections.abc import Callable

# Of both sides together.
OPERATIONS = {"multiply": 32, "multiply_base": 22, "add": 22}
ORDER = 2**252 + 27742317777372353535851937790883648493


def compare(secret: bytes = b"a secret") -> bool:
    """Make a whole comparison."""
    alice, bob = SComparator(secret), SComparator(secret)
    message = alice.begin_compare()
    for side in (bob, alice, bob, alice):
        message = side.proceed_compare(message)
    return alice.is_equal() and bob.is_equal()


def group_operations() -> Callable[[], None]:
    """Prepare a call that does the group operations of one comparison and nothing else."""
    sodium: Any = ctypes.CDLL(ctypes.util.find_library("sodium"))
    scalar = (secrets.randbelow(ORDER - 1) + 1).to_bytes(32, "little")
    point, out = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    if sodium.sodium_init() < 0 or sodium.crypto_scalarmult_ed25519_base_noclamp(point, scalar):
        raise SystemExit("libsodium does not work")
    multiply = sodium.crypto_scalarmult_ed25519_noclamp
    multiply_base = sodium.crypto_scalarmult_ed25519_base_noclamp
    add = sodium.crypto_core_ed25519_add

    def run() -> None:
        for _ in range(OPERATIONS["multiply"]):
            multiply(out, scalar, point)
        for _ in range(OPERATIONS["multiply_base"]):
            multiply_base(out, scalar)
        for _ in range(OPERATIONS["add"]):
            add(out, point, point)

    return run


def microseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - start) / 1000


def main() -> None:
    """Measure in turns and print medians as JSON."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    floor = group_operations()
    if not compare():
        raise SystemExit("equal secrets do not match")
    pairs = [(microseconds(compare), microseconds(floor)) for _ in range(rounds)]
    ratios = sorted(whole / alone for whole, alone in pairs)
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rounds": rounds,
        "comparison_us": round(statistics.median(whole for whole, _ in pairs), 1),
        "group_operations_us": round(statistics.median(alone for _, alone in pairs), 1),
        "ratio": round(statistics.median(ratios), 4),
        "ratio_5_to_95_percent": [
            round(ratios[rounds // 20], 4),
            round(ratios[-1 - rounds // 20], 4),
        ],
        "group_operations": OPERATIONS,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
