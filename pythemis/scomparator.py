# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator: find out whether two secrets are equal (specification, section 6).

Each side learns whether the secrets are equal, and nothing else about the other secret. One side
begins. Then both do the same: pass what arrives to `SComparator.proceed_compare` and send what it
returns, until `SComparator.is_compared`. Four messages are sent, of 192, 352, 256 and 96 bytes::

    comparison = SComparator(b"shared secret")
    send(comparison.begin_compare())  # only one side does this
    while not comparison.is_compared():
        reply = comparison.proceed_compare(receive())
        if reply:
            send(reply)
    if comparison.is_equal():
        ...

Each run lets the other side test one guess of the secret. Limit the number of attempts, above all
if people have to remember the secrets. A match proves that the other end has the secret. It does
not authenticate a peer, and it does not encrypt the channel.
"""

from __future__ import annotations

from enum import IntEnum

from . import _compat
from ._core import comparators, errors, forks, owner
from ._core.secret import Key
from ._hints import Buffer
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError

TYPE_CHECKING = False

__all__ = [
    "SCOMPARATOR_CODES",
    "SComparator",
    "SecureComparatorError",
    "SecureComparatorTypeError",
    "SecureComparatorValueError",
]


class SCOMPARATOR_CODES(IntEnum):
    """The results of a comparison, the same numbers in every language."""

    NOT_READY = comparators.NOT_READY
    MATCH = comparators.MATCH
    NOT_MATCH = comparators.NO_MATCH


class SecureComparatorError(ThemisError):
    """A Secure Comparator refused its arguments, a message, or a call at the wrong time."""


class SecureComparatorTypeError(SecureComparatorError, TypeError):
    """An argument has the wrong type."""


class SecureComparatorValueError(SecureComparatorError, ValueError):
    """An argument has the right type and an impossible value."""


_ERRORS = errors.Errors(
    SecureComparatorError, SecureComparatorTypeError, SecureComparatorValueError
)


class SComparator(comparators.Comparator):
    """One side of one comparison; make a new object for the next.

    Threads may share an object; calls are serialized. It keeps a digest of the secret only, until
    the comparison ends.

    Args:
        shared_secret: 1 byte or more, compared byte by byte: agree on how text becomes bytes.

    Raises:
        SecureComparatorError: an empty secret or a wrong type; the random generator failed.
    """

    _errors = _ERRORS

    def __init__(self, shared_secret: Key) -> None:
        forks.watch(self)
        owner.own(self, comparators.new, shared_secret)

    def append_secret(self, secret: Key) -> None:
        """Append a piece to the secret; how the secret is divided into pieces makes no difference.

        Args:
            secret: 1 byte or more.

        Raises:
            SecureComparatorError: an empty piece, a wrong type; or the comparison has started
                already, and continues unchanged.
        """
        comparators.append(self, secret)

    def begin_compare(self) -> bytes:
        """Start the comparison; only one of the two sides does.

        Returns:
            The message to send, 192 bytes.

        Raises:
            SecureComparatorError: the comparison has started already, and continues unchanged;
                or the random generator failed, and the result is NOT_MATCH.
        """
        return comparators.begin(self)

    def proceed_compare(self, control_message: Buffer) -> bytes:
        """Process the other side's message.

        The message proves that the other side follows the protocol. If the proof is wrong, the
        result is NOT_MATCH, but the exchange continues to its end: stopping early would reveal
        where it failed.

        Args:
            control_message: what the other side's `begin_compare` or `proceed_compare` returned.

        Returns:
            The message to send, 352, 256 or 96 bytes; empty when there is nothing to send.

        Raises:
            SecureComparatorError: the bytes are no such message: the comparison has ended with
                NOT_MATCH. Or it was over before; its result stays. Or the argument is not bytes;
                that changes nothing.
        """
        return comparators.proceed(self, control_message)

    def is_compared(self) -> bool:
        """Return whether the exchange has ended: nothing more will arrive or need to be sent.

        Raises:
            SecureComparatorError: the object is closed.
        """
        return comparators.is_over(self)

    def is_equal(self) -> bool:
        """Return whether the secrets are equal; False until the exchange has ended.

        Raises:
            SecureComparatorError: the object is closed.
        """
        return self.result() is SCOMPARATOR_CODES.MATCH

    def result(self) -> SCOMPARATOR_CODES:
        """Return the result; once it is not NOT_READY, it does not change.

        NOT_MATCH may be known before the exchange has ended, MATCH only then.

        Raises:
            SecureComparatorError: the object is closed.
        """
        return SCOMPARATOR_CODES(comparators.result(self))


if TYPE_CHECKING:  # misspelled names must not pass the type check
    scomparator = SComparator
else:
    __getattr__ = _compat.deprecated_names(__name__, {"scomparator": "SComparator"})
