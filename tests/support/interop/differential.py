# SPDX-License-Identifier: Apache-2.0
"""Differential fuzzing: what both cores are given, both must take or refuse alike.

Run as a command it goes on for as long as it is told, and ends with 1 if it found a difference
that differences.py does not list.
"""

import argparse
import contextlib
import functools
import os
import random
import sys
import time
from collections import Counter
from typing import NamedTuple

from pythemis.exception import ThemisError
from pythemis.scell import SCellSeal
from support import held
from support.interop import comparator_scripts, session_scripts, stateless
from support.interop.differences import CRASH, listed
from support.interop.peer import Peer, PeerError, PeerTrapError, missing
from support.interop.scripts import REFUSED, Step, play_ours, play_theirs
from support.project import FIGURES, note_figures

SCRIPTS = {**session_scripts.FAMILIES, **comparator_scripts.FAMILIES}
FAMILIES = (*stateless.FAMILIES, *SCRIPTS)
BLOCK = {**dict.fromkeys(stateless.FAMILIES, 100), **dict.fromkeys(SCRIPTS, 25)}
LONGEST_HEX = 4000
# What ours may cost, whatever the input, and for each byte of it. Seconds of the processor have
# three tries, so that another program on the machine is no fault; bytes at one moment have one.
LIMIT, LIMIT_BYTE, TRIES = 2.0, 20e-6, 3
HELD, HELD_BYTE = 256 << 10, 64
SLOW = "slow: not in proportion to the input"
LARGE = "large: not in proportion to the input"
COSTLY = (SLOW, LARGE)


class Finding(NamedTuple):
    """A difference that is not listed."""

    seed: str
    family: str
    number: int
    ours: Step
    theirs: Step

    def __str__(self):
        return (
            f"{self.family}: a difference that is not listed\n"
            f"  again: make evidence ONLY=differ "
            f"ARGS='--seed {self.seed} --only {self.family}:{self.number}'\n"
            f"  case: {self.ours.how}\n"
            f"  ours: {shown(self.ours.result)}\n  theirs: {shown(self.theirs.result)}\n"
            f"  given to ours: {self.ours.changed.hex()[:LONGEST_HEX]}\n"
            f"  given to theirs: {self.theirs.changed.hex()[:LONGEST_HEX]}"
        )


def shown(result):
    """Show a result."""
    return result.hex() if isinstance(result, bytes) else result


class Count:
    """What came of the cases of a family."""

    def __init__(self):
        self.cases = self.accepted = self.compared = 0
        self.seconds = 0.0
        self.most = 0  # bytes that an input held
        self.differences = Counter()


class Fuzzer:
    """Draws cases, asks both cores, compares."""

    def __init__(self, peer, seed):
        self.peer, self.seed = peer, seed
        self.counts = {family: Count() for family in FAMILIES}
        self.findings = []
        with contextlib.suppress(ThemisError):  # the first refusal imports modules, which stay
            SCellSeal(b"key").decrypt(b"cell")

    def block(self, family, first, size):
        """Try some cases of a family."""
        began = time.monotonic()
        numbers = range(first, first + size)
        play = self._conversations if family in SCRIPTS else self._questions
        for number, (ours, theirs) in zip(numbers, play(family, numbers), strict=True):
            self._compare(family, number, ours, theirs)
        self.counts[family].seconds += time.monotonic() - began

    def _dice(self, family, number):
        return random.Random(f"{self.seed} {family} {number}")

    def _questions(self, family, numbers):
        cases = [stateless.FAMILIES[family](self._dice(family, number)) for number in numbers]
        answers = self.peer.many([case.call for case in cases])
        for case, answer in zip(cases, answers, strict=True):
            work = functools.partial(answer_of_ours, case)
            given, fault = self._measured(family, work, len(case.changed))
            step = Step(case.how, case.changed, fault or given, case.parts)
            yield [step], [step._replace(result=answer_of_theirs(case, answer))]

    def _conversations(self, family, numbers):
        def starter(number):
            return lambda: SCRIPTS[family](self._dice(family, number))

        starters = [starter(number) for number in numbers]
        theirs = play_theirs(starters, self.peer)
        ours = []
        for start in starters:
            steps, fault = self._measured(family, lambda start=start: play_ours(start()), 0)
            ours.append([*steps[:-1], steps[-1]._replace(result=fault)] if fault else steps)
        return zip(ours, theirs, strict=True)

    def _measured(self, family, work, length):
        count = self.counts[family]
        result, fault, most = measured(work, length)
        count.most = max(count.most, most)
        return result, fault

    def _compare(self, family, number, ours, theirs):
        count = self.counts[family]
        count.cases += 1
        if isinstance(theirs, str):
            theirs = [*ours[:-1], ours[-1]._replace(result=CRASH)]
        pairs = pairs_to_compare(ours, theirs)
        if ours[-1].result in COSTLY:  # told whatever else is different, and listed
            pairs = [(ours[-1], theirs[-1])]
        for one, other in pairs:
            count.compared += 1
            count.accepted += one.result not in (REFUSED, False)
            if one.result != other.result:
                name = listed(family, one, other) if one.result not in COSTLY else None
                count.differences[name or "NOT LISTED"] += 1
                if name is None:
                    self.findings.append(Finding(self.seed, family, number, one, other))


def measured(work, length):
    """Return the result of some work, SLOW or LARGE or None, and the most bytes it held."""
    for _ in range(TRIES):
        start = time.thread_time()
        result, most = held.during(work)
        if most > HELD + length * HELD_BYTE:
            return result, LARGE, most
        if time.thread_time() - start <= LIMIT + length * LIMIT_BYTE:
            return result, None, most
    return result, SLOW, most


def answer_of_ours(case):
    """Ask our core."""
    try:
        return case.compare(case.ours())
    except ThemisError:
        return REFUSED


def answer_of_theirs(case, answer):
    """Read the real core's answer."""
    if isinstance(answer, PeerTrapError):
        return CRASH
    return REFUSED if isinstance(answer, PeerError) else case.compare(answer)


def pairs_to_compare(ours, theirs):
    """Pair the steps of two conversations while these are the same.

    Where one was ended and the other was not there is nothing more to compare. A step may depend
    on the random numbers of the core: whether a damaged point is on its curve at all. Then only
    what both find at their ends can be compared.
    """
    for one, other in zip(ours, theirs, strict=False):
        if one.how != other.how or kinds(one) != kinds(other):
            break
        yield one, other
        if one.result != other.result and one.how.startswith("message"):
            return
    else:
        return
    ends = [[step for step in log if step.how == "the end"] for log in (ours, theirs)]
    yield from zip(*ends, strict=True)


def kinds(step):
    """Tell what the points in a step are, and whether damage changed a byte at all.

    A byte that is overwritten may have been the same before: for one core and not for the other.
    """
    original = getattr(step.facts, "original", None)
    return getattr(step.facts, "kinds", None), step.changed == original


def fuzz(fuzzer, families, seconds):
    """Go round and round the families until the time is over."""
    end = time.monotonic() + seconds
    firsts = dict.fromkeys(families, 0)
    while True:
        # The one that had the least time goes next.
        family = min(families, key=lambda name: fuzzer.counts[name].seconds)
        fuzzer.block(family, firsts[family], BLOCK[family])
        firsts[family] += BLOCK[family]
        if time.monotonic() > end and all(firsts.values()):
            return


def report(fuzzer):
    """Print the figures."""
    heads = f"{'':16}{'cases':>9}{'compared':>10}{'accepted':>10}{'per s':>8}{'most held':>11}"
    print(f"{heads}  listed differences")
    for family, count in fuzzer.counts.items():
        found = ", ".join(f"{name} {number}" for name, number in count.differences.items())
        rate = count.cases / count.seconds if count.seconds else 0
        print(
            f"{family:16}{count.cases:9}{count.compared:10}{count.accepted:10}{rate:8.0f}"
            f"{count.most:11}  {found}"
        )
    counts = fuzzer.counts.values()
    print(
        f"{sum(count.cases for count in counts)} cases, "
        f"{sum(count.compared for count in counts)} answers compared, "
        f"the real core was started again {fuzzer.peer.traps} times, "
        f"{len(fuzzer.findings)} differences that are not listed"
    )
    note_figures(
        {
            "cases": sum(count.cases for count in counts),
            "answers compared": sum(count.compared for count in counts),
            "of these accepted": sum(count.accepted for count in counts),
            "crashes of the real core": fuzzer.peer.traps,
            "differences that are not listed": len(fuzzer.findings),
            "most bytes held for an input": max(count.most for count in counts) or "not counted",
            "seed": fuzzer.seed,
        }
    )
    for finding in fuzzer.findings[:20]:
        print(f"\n{finding}")


def main():
    """Fuzz for as long as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default=str(random.SystemRandom().getrandbits(32)))
    parser.add_argument("--families", nargs="+", default=FAMILIES, choices=FAMILIES)
    parser.add_argument("--only", help="one case, as in seal:17")
    options = parser.parse_args()
    if problem := missing():
        raise SystemExit(problem)
    peer = Peer()
    print(f"SEED={options.seed}", flush=True)
    fuzzer = Fuzzer(peer, options.seed)
    try:
        if options.only:
            family, number = options.only.split(":")
            fuzzer.block(family, int(number), 1)
        else:
            fuzz(fuzzer, options.families, options.seconds)
    finally:
        peer.close()
    report(fuzzer)
    return 1 if fuzzer.findings else 0


if __name__ == "__main__":
    if held.CAN_COUNT and not held.COUNTS:
        figures = {"EVIDENCE": FIGURES} if FIGURES else {}
        again = ("-m", "support.interop.differential", *sys.argv[1:])
        sys.exit(held.run(*again, environment={**os.environ, **figures}).returncode)
    sys.exit(main())
