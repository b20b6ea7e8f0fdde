# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator among threads and processes."""

import os

import pytest

from pythemis.scomparator import SComparator, SecureComparatorError
from support.comparators import FEWER, MATCH, NOT_MATCH, exchange, pair
from support.threads import THREADS, together

ROUNDS = 40 // min(FEWER, 10)

pytestmark = pytest.mark.usefixtures("_switching")


def answer(call, *arguments):
    """Give what a call returns, or the words of its error up to the first colon."""
    try:
        return call(*arguments)
    except SecureComparatorError as error:
        return str(error)


def test_comparisons_at_once_do_not_disturb_each_other():
    """Eight threads, each with comparisons of its own, find the right result every time."""

    def work(number):
        found = []
        for turn in range(ROUNDS):
            alice, bob = pair(b"%d" % number, b"%d" % (number + turn % 2))
            exchange(alice, bob)
            found.append((alice.result(), bob.result()))
        return found

    expected = [(NOT_MATCH, NOT_MATCH) if turn % 2 else (MATCH, MATCH) for turn in range(ROUNDS)]
    assert together(work) == [expected] * THREADS


def test_one_of_many_threads_begins():
    """When eight threads begin one comparison, one gets the message and seven are refused."""
    for _ in range(ROUNDS):
        alice, bob = pair()
        answers = together(lambda _, alice=alice: answer(alice.begin_compare))
        [message] = [one for one in answers if isinstance(one, bytes)]
        assert answers.count("this comparison has started already") == THREADS - 1
        message = alice.proceed_compare(bob.proceed_compare(message))
        alice.proceed_compare(bob.proceed_compare(message))
        assert alice.is_equal()
        assert bob.is_equal()


def test_one_of_many_threads_makes_the_last_step():
    """When eight threads hand in the last message, one takes it and seven are told it is over."""
    for _ in range(ROUNDS):
        alice, bob = pair()
        message = bob.proceed_compare(alice.begin_compare())
        message = bob.proceed_compare(alice.proceed_compare(message))
        answers = together(lambda _, alice=alice, m=message: answer(alice.proceed_compare, m))
        assert answers.count(b"") == 1
        assert sum("is over" in str(one) for one in answers) == THREADS - 1
        assert alice.result() is MATCH


def test_closing_waits_for_nobody_and_breaks_nothing():
    """While one thread closes, calls in others finish or are refused."""
    for _ in range(ROUNDS):
        alice, bob = pair()
        first = alice.begin_compare()

        def work(number, bob=bob, first=first):
            if number == 0:
                return bob.close()
            return answer(bob.proceed_compare, first)

        for one in together(work)[1:]:
            assert (
                isinstance(one, bytes)
                or "closed" in one
                or "expected now has 256" in one
                or ("begins a comparison" in one or "is over" in one)
            )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork_both_draw_their_own_numbers():
    """Parent and child begin the same comparison with messages that have nothing in common."""
    alice = SComparator(b"a secret")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, alice.begin_compare())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        theirs = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    ours = alice.begin_compare()
    assert len(ours) == len(theirs)
    assert not {ours[at : at + 32] for at in range(0, 192, 32)} & {
        theirs[at : at + 32] for at in range(0, 192, 32)
    }
