# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator with the real Themis core at the other end."""

import itertools
import random

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.scomparator import SComparator, SecureComparatorError
from support.comparators import (
    FEWER,
    MATCH,
    NOT_MATCH,
    OF_JAVA,
    SIZES,
    exchange,
    overwrite,
    receiver,
)
from support.interop.peer import TIMES, PeerError

pytestmark = pytest.mark.integration
RUNS = 150 * TIMES // FEWER


class Theirs:
    """A comparator of the real core, with the methods of ours."""

    def __init__(self, peer, secret):
        self.peer = peer
        self.id = peer("comparator_new", secret)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.peer("free", self.id)

    def append_secret(self, secret):
        """Add to the secret."""
        self.peer("comparator_append", self.id, secret)

    def begin_compare(self):
        """Make message 1."""
        return self.peer("comparator_begin", self.id)

    def proceed_compare(self, message):
        """Take a message."""
        return self.peer("comparator_proceed", self.id, message)

    def is_compared(self):
        """Tell whether there is a result."""
        return self.peer("comparator_complete", self.id)

    def is_equal(self):
        """Tell the result."""
        return self.peer("comparator_equal", self.id)


def sides(peer, role, ours, theirs):
    """Put ours and theirs into their roles: Alice, Bob."""
    mine, other = SComparator(ours), Theirs(peer, theirs)
    return (mine, other) if role == "alice" else (other, mine)


def compared(peer, role, ours, theirs):
    """Compare in this role; both sides must find the same."""
    alice, bob = sides(peer, role, ours, theirs)
    exchange(alice, bob)
    mine, other = (alice, bob) if role == "alice" else (bob, alice)
    with other:
        assert mine.is_compared()
        assert other.is_compared()
        assert other.is_equal() is mine.is_equal()
    return mine.result()


roles = pytest.mark.parametrize("role", ["alice", "bob"])


@roles
@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 1000, 65536, 2**20])
def test_equal_secrets_match(peer, role, size):
    """Equal secrets of 1 B to 1 MiB match, whoever begins."""
    secret = random.Random(size).randbytes(size)
    assert compared(peer, role, secret, secret) is MATCH


@roles
@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 1000, 65536, 2**20])
def test_different_secrets_do_not_match(peer, role, size):
    """Secrets of 1 B to 1 MiB that differ in their last bit do not match, whoever begins."""
    secret = random.Random(size).randbytes(size)
    other = secret[:-1] + bytes([secret[-1] ^ 1])
    assert compared(peer, role, secret, other) is NOT_MATCH


@roles
@pytest.mark.parametrize(
    "secret", [b"\0", b"\0\0", b"a\0b", b"\0\xff\xfe", b"secret\0", *OF_JAVA.values()]
)
def test_zero_bytes_count(peer, role, secret):
    """Zero bytes are bytes like others, also those of Java's text: nothing shorter matches."""
    assert compared(peer, role, secret, secret) is MATCH
    assert compared(peer, role, secret, secret + b"\0") is NOT_MATCH
    assert compared(peer, role, secret + b"\0", secret) is NOT_MATCH


@roles
def test_random_secrets(peer, dice, role):
    """Random secrets are found equal exactly if they are."""
    for turn in range(RUNS):
        secret = dice.randbytes(dice.randrange(1, 200))
        other = secret if turn % 2 else dice.randbytes(dice.randrange(1, 200))
        assert compared(peer, role, secret, other) is (MATCH if secret == other else NOT_MATCH)


@roles
def test_pieces_of_a_secret_are_joined(peer, role):
    """A secret in pieces is the same on both sides, however each side cuts it."""
    alice, bob = sides(peer, role, b"one ", b"one two ")
    mine, other = (alice, bob) if role == "alice" else (bob, alice)
    mine.append_secret(b"two three")
    other.append_secret(b"three")
    exchange(alice, bob)
    with other:
        assert mine.is_equal()
        assert other.is_equal()


@roles
@pytest.mark.parametrize("n", SIZES)
def test_changed_messages_make_no_match(peer, role, n):
    """A message changed on its way makes no match for who receives it."""
    codes = set()
    for at in range(0, SIZES[n], 7):
        alice, bob = sides(peer, role, b"a secret", b"a secret")
        victim = receiver(n, alice, bob)

        def tamper(step, message, at=at):
            return overwrite(message, at, bytes([message[at] ^ 1])) if step == n else message

        with bob if role == "alice" else alice:
            codes.add(outcome(alice, bob, tamper))
            assert not victim.is_compared() or not victim.is_equal()
    assert codes <= {None, THEMIS_CODES.INVALID_PARAMETER}


def outcome(alice, bob, tamper):
    """Compare, and give the code of the error that ended it, or None."""
    try:
        exchange(alice, bob, tamper)
    except SecureComparatorError as error:
        return error.error_code
    except PeerError as error:
        return error.code
    return None


@roles
@pytest.mark.parametrize("n", SIZES)
def test_short_messages_have_the_same_code(peer, role, n):
    """A message that is too short is an error with the same code for us and for the real core."""
    alice, bob = sides(peer, role, b"a secret", b"a secret")
    with bob if role == "alice" else alice:
        code = outcome(alice, bob, lambda at, m: m[:-1] if at == n else m)
    assert code == THEMIS_CODES.INVALID_PARAMETER


def test_the_real_core_alone_ignores_what_follows(peer):
    """Where we are stricter: the real core takes messages with bytes behind them, we do not."""
    for n, theirs in itertools.product(SIZES, (True, False)):
        make = Theirs if theirs else lambda _, secret: SComparator(secret)

        def lengthen(at, message, n=n):
            return message + b"more" if at == n else message

        with make(peer, b"a secret") as alice, make(peer, b"a secret") as bob:
            code = outcome(alice, bob, lengthen)
            assert code is (None if theirs else THEMIS_CODES.INVALID_PARAMETER)
            assert not theirs or (alice.is_equal() and bob.is_equal())
