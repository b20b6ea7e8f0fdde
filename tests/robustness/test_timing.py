# SPDX-License-Identifier: Apache-2.0
"""The judge of `make evidence ONLY=timing`: what it finds, and what not."""

import math
import random
import subprocess
import sys

import pytest

from support.project import ROOT

pytestmark = [pytest.mark.no_c, pytest.mark.sources]


@pytest.fixture
def timing():
    """Give the tool."""
    from tools.evidence import timing

    return timing


def samples(count, shift, spread=20.0, slow=0.01):
    """Draw times of two classes: the second takes longer; some of each are interrupted."""
    dice = random.Random(1)
    drawn = []
    for _ in range(count):
        kind = dice.getrandbits(1)
        interruption = 10_000 if dice.random() < slow else 0
        drawn.append((kind, int(dice.gauss(500, spread) + shift * kind + interruption)))
    return drawn


def test_welch_gives_the_value_of_the_textbook(timing):
    """The t of two small samples, by hand: means 2 and 5, variances 1 and 4, three of each."""
    assert timing.welch([1, 2, 3], [3, 5, 7]) == pytest.approx(-3 / math.sqrt(1 / 3 + 4 / 3))
    assert timing.welch([1, 1], [1, 1]) == 0
    assert timing.welch([1, 1], [2, 2]) == math.inf


def test_a_small_difference_is_found_among_interruptions(timing):
    """4 ticks of 500 are found in 20,000 measurements, although one in a hundred is slow."""
    assert timing.worst(samples(20_000, shift=4)) > timing.FOUND
    assert timing.verdict(11.0) == "the classes take different times"


def test_equal_classes_are_not_accused(timing):
    """Without a difference |t| stays small, with interruptions and without spread."""
    assert timing.worst(samples(20_000, shift=0)) < timing.SUSPECT
    assert timing.worst(samples(20_000, shift=0, spread=0.0)) < timing.SUSPECT
    assert timing.verdict(5.0) == "look at it"
    assert timing.verdict(1.0) == "no difference found"


def test_classes_that_never_take_the_same_time_are_found(timing):
    """Cropping does not hide a class that is always slower."""
    assert timing.worst(samples(20_000, shift=1000, spread=1.0, slow=0)) > timing.FOUND


@pytest.mark.slow
@pytest.mark.evidence
def test_the_comparison_that_leaks_is_found():
    """The real program is built and run: the control must be found, nothing else is demanded."""
    command = [sys.executable, "-m", "tools.evidence.timing", "--measurements", "20000"]
    done = subprocess.run(
        [*command, "comparison", "key-text"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "control-leak: |t| = " in done.stdout
    assert done.stdout.endswith("timing: 2 cases, the leaking control was found\n")
