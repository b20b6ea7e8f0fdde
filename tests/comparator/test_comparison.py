# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator between two objects of ours that mean well."""

import copy
import gc
import pickle
import random
import warnings

import pytest

import pythemis
from pythemis import scomparator
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.scomparator import (
    SCOMPARATOR_CODES,
    SComparator,
    SecureComparatorError,
    SecureComparatorTypeError,
    SecureComparatorValueError,
)
from support.cells import refused
from support.comparators import MATCH, NOT_MATCH, NOT_READY, SIZES, exchange, pair, wrong_time
from support.warned import as_errors

STARTED = "this comparison has started already"
OVER = "this comparison is over"


def wrong_type(says):
    """Demand the refusal of an argument's type."""
    return refused(THEMIS_CODES.INVALID_PARAMETER, says, kind=SecureComparatorTypeError)


def wrong_value(says):
    """Demand the refusal of an argument's value."""
    return refused(THEMIS_CODES.INVALID_PARAMETER, says, kind=SecureComparatorValueError)


def test_equal_secrets_match_on_both_sides():
    """Equal secrets are found equal by Alice and by Bob."""
    alice, bob = pair()
    exchange(alice, bob)
    for side in (alice, bob):
        assert side.is_compared() is True
        assert side.is_equal() is True
        assert side.result() is MATCH


def test_different_secrets_do_not_match():
    """Different secrets are found different by Alice and by Bob."""
    alice, bob = pair(b"a secret", b"another secret")
    exchange(alice, bob)
    for side in (alice, bob):
        assert side.is_compared() is True
        assert side.is_equal() is False
        assert side.result() is NOT_MATCH


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"a", b"b"),
        (b"a", b"aa"),
        (b"secret", b"secret\0"),
        (b"\0", b"\0\0"),
        (b"\0secret", b"\0Secret"),
        (b"a" * 2**20, b"a" * (2**20 - 1) + b"b"),
    ],
    ids=["letter", "longer", "zero behind", "zeros", "behind a zero", "last of 1 MiB"],
)
def test_every_byte_of_a_secret_counts(one, other):
    """Secrets that differ a little, or only in length, do not match."""
    for alice, bob in ((one, other), (other, one)):
        sides = pair(alice, bob)
        exchange(*sides)
        assert [side.result() for side in sides] == [NOT_MATCH, NOT_MATCH]


@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 64, 1000, 2**20])
def test_secrets_have_any_size(size):
    """Secrets of 1 B to 1 MiB, of any bytes, match themselves."""
    secret = random.Random(size).randbytes(size)
    sides = pair(secret, secret)
    exchange(*sides)
    assert [side.result() for side in sides] == [MATCH, MATCH]


def test_the_documented_loop_ends_on_both_sides():
    """The loop of the guide brings both sides to the end, with what each has to send."""
    alice, bob = pair()
    wire = [alice.begin_compare()]
    side, other = bob, alice
    while not (alice.is_compared() and bob.is_compared()):
        reply = side.proceed_compare(wire[-1])
        if reply:
            wire.append(reply)
        side, other = other, side
    assert [len(message) for message in wire] == list(SIZES.values())
    assert alice.is_equal()
    assert bob.is_equal()


def test_messages_are_bytes_and_the_last_is_empty():
    """Whatever is returned to be sent is bytes; when there is nothing to send, it is empty."""
    alice, bob = pair()
    message = alice.begin_compare()
    for side in (bob, alice, bob, alice):
        assert type(message) is bytes
        message = side.proceed_compare(message)
    assert type(message) is bytes
    assert message == b""


def test_nothing_is_known_before_the_end():
    """Until its last step a side says NOT_READY, not compared, not equal."""
    alice, bob = pair()
    states = []
    message = alice.begin_compare()
    for side in (bob, alice, bob, alice):
        for one in (alice, bob):
            states.append((one.result(), one.is_compared(), one.is_equal()))
        message = side.proceed_compare(message)
    fresh, ended = (NOT_READY, False, False), (MATCH, True, True)
    assert states == [fresh] * 7 + [ended]


def test_two_runs_with_one_secret_have_nothing_in_common():
    """No 32 bytes of one run, at any place of a point or scalar, appear in another."""
    runs = [b"".join(exchange(*pair())) for _ in range(2)]
    fields = [{run[at : at + 32] for at in range(0, len(run), 32)} for run in runs]
    assert len(fields[0]) == len(fields[1]) == sum(SIZES.values()) // 32
    assert fields[0] & fields[1] == set()


# ---- The secret ----


def test_a_secret_may_come_in_pieces():
    """However a secret was cut, it is the same secret."""
    alice, bob = pair(b"one two three", b"one")
    bob.append_secret(bytearray(b" two "))
    bob.append_secret(memoryview(b"three"))
    exchange(alice, bob)
    assert alice.is_equal()
    assert bob.is_equal()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_accepted(kind):
    """Secrets and messages may be any bytes-like objects."""
    alice, bob = SComparator(kind(b"a secret")), SComparator(kind(b"a secret"))
    exchange(alice, bob, lambda _n, message: kind(message))
    assert alice.is_equal()
    assert bob.is_equal()


def test_an_empty_secret_is_refused():
    """A secret has at least one byte, and so has each piece of it."""
    with wrong_value("the secret is empty"):
        SComparator(b"")
    alice, bob = pair()
    with wrong_value("the secret is empty"):
        alice.append_secret(b"")
    exchange(alice, bob)
    assert alice.is_equal()


def test_a_missing_secret_is_refused():
    """There is no comparison without a secret."""
    with pytest.raises(TypeError, match="shared_secret"):
        SComparator()
    with wrong_type("the secret must be bytes or a contiguous bytes-like object, not NoneType"):
        SComparator(None)


@pytest.mark.parametrize("value", ["text", 7, None, [1], memoryview(b"abcd")[::2]])
def test_only_bytes_are_bytes(value):
    """Text and other objects are refused wherever bytes are meant, and change nothing."""
    alice, bob = pair()
    for call in (SComparator, alice.append_secret, alice.proceed_compare):
        with wrong_type(" must be bytes"):
            call(value)
    exchange(alice, bob)
    assert alice.is_equal()
    assert bob.is_equal()


# ---- Calls at the wrong time ----


def test_beginning_twice_is_an_error_that_changes_nothing():
    """The second begin_compare is refused, and the comparison goes on."""
    alice, bob = pair()
    message = alice.begin_compare()
    with wrong_time(STARTED):
        alice.begin_compare()
    message = alice.proceed_compare(bob.proceed_compare(message))
    with wrong_time(STARTED):
        alice.begin_compare()
    alice.proceed_compare(bob.proceed_compare(message))
    with wrong_time(STARTED):
        alice.begin_compare()
    assert alice.is_equal()
    assert bob.is_equal()


def test_bob_cannot_begin_any_more():
    """Who has answered cannot begin, and the comparison goes on."""
    alice, bob = pair()
    message = bob.proceed_compare(alice.begin_compare())
    with wrong_time(STARTED):
        bob.begin_compare()
    alice.proceed_compare(bob.proceed_compare(alice.proceed_compare(message)))
    assert alice.is_equal()
    assert bob.is_equal()


def test_nothing_is_added_to_the_secret_after_the_start():
    """append_secret is refused once a comparison has started, which goes on unchanged."""
    alice, bob = pair()

    def nosy(_n, message):
        for side in (alice, bob):
            if side is alice or len(message) != SIZES[1]:
                with wrong_time(STARTED):
                    side.append_secret(b"more")
        return message

    exchange(alice, bob, nosy)
    for side in (alice, bob):
        assert side.is_equal()
        with wrong_time(STARTED):
            side.append_secret(b"more")


def test_proceeding_after_the_end_is_an_error_that_changes_nothing():
    """Whatever arrives after the end is refused, and the result stays."""
    for secret, result in ((b"a secret", MATCH), (b"another", NOT_MATCH)):
        alice, bob = pair(bob=secret)
        sent = exchange(alice, bob)
        for message in (*sent, b"", b"anything"):
            for side in (alice, bob):
                with wrong_time(OVER):
                    side.proceed_compare(message)
                assert side.result() is result


def test_both_beginning_is_told():
    """When both sides begin, each says so when it meets the other's message."""
    alice, bob = pair()
    first, second = alice.begin_compare(), bob.begin_compare()
    with wrong_time("this message begins a comparison, but one is under way; only one side may"):
        alice.proceed_compare(second)
    with wrong_time("this message begins a comparison, but one is under way; only one side may"):
        bob.proceed_compare(first)
    assert alice.result() is bob.result() is NOT_MATCH


# ---- The objects ----


def test_a_closed_object_says_so():
    """After close() every method is refused; closing again is fine."""
    alice, bob = pair()
    message = alice.begin_compare()
    alice.close()
    alice.close()
    calls = [
        alice.begin_compare,
        lambda: alice.proceed_compare(bob.proceed_compare(message)),
        lambda: alice.append_secret(b"more"),
        alice.is_compared,
        alice.is_equal,
        alice.result,
    ]
    for call in calls:
        with wrong_value("this SComparator is closed"):
            call()


def test_a_with_block_closes():
    """A with block gives the object and closes it."""
    with SComparator(b"a secret") as alice:
        assert alice.result() is NOT_READY
    with wrong_value("this SComparator is closed"):
        alice.result()


def test_an_object_shows_no_secret():
    """Its repr names the class and whether it is closed."""
    alice, _ = pair()
    assert repr(alice) == "<pythemis.scomparator.SComparator>"
    alice.close()
    assert repr(alice) == "<pythemis.scomparator.SComparator (closed)>"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_object_is_not_copied(duplicate):
    """Copies and pickles are refused: a comparison that runs twice allows two guesses."""
    with pytest.raises(TypeError, match="SComparator holds a secret and cannot be pickled"):
        duplicate(SComparator(b"a secret"))


def test_an_error_lets_go_of_the_message():
    """A bytearray whose content was refused can be resized while the exception lives."""
    alice, _ = pair()
    alice.begin_compare()
    message, secret = bytearray(10), bytearray()
    with pytest.raises(SecureComparatorError) as _one:
        alice.proceed_compare(message)
    with pytest.raises(SecureComparatorError) as _two:
        alice.append_secret(secret)
    message.append(0)
    secret.append(0)
    gc.collect()


def test_names_and_numbers():
    """The names and numbers are those of pythemis 0.15."""
    assert {code.name: int(code) for code in SCOMPARATOR_CODES} == {
        "NOT_READY": 0,
        "MATCH": 21,
        "NOT_MATCH": 22,
    }
    assert issubclass(SecureComparatorError, ThemisError)
    assert pythemis.scomparator is scomparator
    assert "scomparator" in pythemis.__all__


def test_the_old_name_works_and_warns():
    """The class scomparator compares as ever, with a DeprecationWarning."""
    with pytest.warns(DeprecationWarning, match="scomparator is deprecated, use SComparator"):
        alice = scomparator.scomparator(b"a secret")
    assert isinstance(alice, SComparator)
    with warnings.catch_warnings():
        as_errors()
        bob = SComparator(b"a secret")
    exchange(alice, bob)
    assert alice.is_equal()
    assert bob.is_equal()
