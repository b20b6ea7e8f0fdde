# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator against a model of the specification."""

import random

import pytest

from pythemis.scomparator import SComparator
from support.comparator_model import Model
from support.comparators import FEWER, exchange

RUNS = 1500 // FEWER


def secrets_of(seed):
    """Give pairs of random secrets, every other pair of equal ones."""
    draw = random.Random(seed)
    for turn in range(RUNS):
        secret = draw.randbytes(draw.choice([1, 2, 8, 32, 100, 1000]))
        changed = bytearray(secret)
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        yield secret, secret if turn % 2 else bytes(changed)


@pytest.mark.slow
@pytest.mark.evidence
def test_our_alice_agrees_with_the_model():
    """As Alice we convince the model, message by message, and both find the same result."""
    for one, other in secrets_of("alice"):
        ours, model = SComparator(one), Model(other)
        exchange(ours, model)
        assert ours.is_equal() is model.is_equal() is (one == other)


@pytest.mark.slow
@pytest.mark.evidence
def test_our_bob_agrees_with_the_model():
    """As Bob we convince the model, message by message, and both find the same result."""
    for one, other in secrets_of("bob"):
        ours, model = SComparator(one), Model(other)
        exchange(model, ours)
        assert ours.is_equal() is model.is_equal() is (one == other)


def test_the_model_agrees_with_itself():
    """Two models find equal secrets equal and others different."""
    for one, other in ((b"a", b"a"), (b"a", b"b")):
        alice, bob = Model(one), Model(other)
        exchange(alice, bob)
        assert alice.is_equal() is bob.is_equal() is (one == other)
