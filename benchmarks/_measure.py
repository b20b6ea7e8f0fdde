# SPDX-License-Identifier: Apache-2.0
"""How the benchmarks measure: short slices of time, in turns, so that noise hits all alike.

The time is that of the processor: on a quiet machine it is the time that passes, and on a busy one
it leaves out while others run. threads.py, which needs the time that passes, has its own way.
"""

from __future__ import annotations

import statistics
import time
import timeit
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Clock = Callable[[], float]  # takes one sample: microseconds per call


def _clock() -> Callable[[], float]:
    """Choose a clock that is fine enough; that of Windows for the processor is not."""
    fine = time.get_clock_info("thread_time").resolution < 1e-5
    return time.thread_time if fine else time.perf_counter


class Work(NamedTuple):
    """What is timed: a statement, and the names in it."""

    statement: str
    names: dict[str, object]


class Spread(NamedTuple):
    """The middle of many samples, and the quartiles around it."""

    low: float
    median: float
    high: float


class Stopwatch:
    """Gives the microseconds that a statement takes, the mean over a slice of time.

    Args:
        work: what to time; it runs a few times at once, which is not counted.
        seconds: how long a sample shall take; it is one call where a call takes longer.
    """

    def __init__(self, work: Work, seconds: float) -> None:
        self._timer = timeit.Timer(work.statement, timer=_clock(), globals=work.names)
        self._timer.timeit(1)  # what a first call prepares
        self._number = 1
        while (spent := self._timer.timeit(self._number)) < seconds / 8:
            self._number *= 2
        self._number = max(1, round(self._number * seconds / spent))

    def __call__(self) -> float:
        """Take a sample."""
        return self._timer.timeit(self._number) * 1e6 / self._number


def in_turns(clocks: Sequence[Clock], rounds: int) -> list[list[float]]:
    """Sample every clock once a round, forwards and backwards by turns: the samples of each."""
    samples: list[list[float]] = [[] for _ in clocks]
    for turn in range(rounds):
        order = range(len(clocks)) if turn % 2 == 0 else reversed(range(len(clocks)))
        for index in order:
            samples[index].append(clocks[index]())
    return samples


def spread(values: Sequence[float]) -> Spread:
    """Return the median and the quartiles; those of few samples are what lies nearest."""
    if len(values) < 2:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, statistics.median(values), high)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Pair samples of the same round: how many times theirs is ours?"""
    return spread([mine / other for mine, other in zip(ours, theirs, strict=True)])
