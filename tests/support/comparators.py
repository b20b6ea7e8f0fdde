# SPDX-License-Identifier: Apache-2.0
"""What the tests of Secure Comparator share."""

import os

from pythemis.exception import THEMIS_CODES
from pythemis.scomparator import SCOMPARATOR_CODES, SComparator, SecureComparatorError
from support.cells import refused

MATCH = SCOMPARATOR_CODES.MATCH
NOT_MATCH = SCOMPARATOR_CODES.NOT_MATCH
NOT_READY = SCOMPARATOR_CODES.NOT_READY
# Valgrind is slow: tests that repeat a thing thousands of times divide by this.
FEWER = 50 if os.environ.get("PYTHEMIS_MEMCHECK") else 1
SIZES = {1: 192, 2: 352, 3: 256, 4: 96}

# What String.getBytes(StandardCharsets.UTF_16) gives in Java (OpenJDK 17.0.15).
OF_JAVA = {
    "alice": bytes.fromhex("feff 0061 006c 0069 0063 0065"),
    "Zoë": bytes.fromhex("feff 005a 006f 00eb"),
    "\U0001f511 пароль": bytes.fromhex("feff d83d dd11 0020 043f 0430 0440 043e 043b 044c"),
    "\ufeffbom": bytes.fromhex("feff feff 0062 006f 006d"),
}


def pair(alice=b"a secret", bob=b"a secret"):
    """Make the two sides of a comparison."""
    return SComparator(alice), SComparator(bob)


def exchange(alice, bob, tamper=lambda _n, message: message):
    """Let two sides talk to the end, through someone who may change messages.

    Give the messages as they were sent, without the empty last one.
    """
    sent = []
    message = alice.begin_compare()
    for n in SIZES:
        sent.append(message)
        message = receiver(n, alice, bob).proceed_compare(tamper(n, message))
    assert message == b""
    return sent


def receiver(n, alice, bob):
    """Tell who receives the n-th message."""
    return bob if n % 2 else alice


def tampered(n, change, secret=b"a secret"):
    """Compare equal secrets while the n-th message is changed on its way.

    Nobody may find a match, but for Bob who finds it before message 4. Give the error that ended
    the exchange, or None.
    """
    alice, bob = pair(secret, secret)
    error = None
    try:
        exchange(alice, bob, lambda at, message: change(message) if at == n else message)
    except SecureComparatorError as caught:
        error = caught
        assert type(error) is SecureComparatorError
        assert error.error_code is THEMIS_CODES.INVALID_PARAMETER
    else:
        assert alice.is_compared()
        assert bob.is_compared()
    victim = receiver(n, alice, bob)
    assert victim.is_compared()
    assert victim.result() is NOT_MATCH
    assert not alice.is_equal()
    assert bob.is_equal() is (n == 4)
    return error


def overwrite(message, at, data):
    """Put other bytes into a message."""
    return message[:at] + data + message[at + len(data) :]


def wrong_time(says):
    """Demand the refusal of a call, or of a message, with these words."""
    return refused(THEMIS_CODES.INVALID_PARAMETER, says, kind=SecureComparatorError)
