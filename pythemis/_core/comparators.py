# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator."""

from __future__ import annotations

from threading import RLock

from pythemis._themis import lib

from . import forks
from .arguments import RECEIVED, SECRET
from .buffers import (
    new_output,
    returns_output,
    seen,
    view,
)
from .errors import INVALID_PARAMETER, NOT_SUPPORTED, SUCCESS, Errors, failed, wrong_value
from .late import recognised
from .owner import Owner, kept, opened, places, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

NOT_READY: int = lib.THEMIS_COMPARATOR_NOT_READY
MATCH: int = lib.THEMIS_COMPARATOR_MATCH
NO_MATCH: int = lib.THEMIS_COMPARATOR_NO_MATCH


_comparator = places("comparator")


class Parts:
    """A comparator of the C core and the lock in which it is called.

    The lock can be taken again by the thread that has it: a signal handler may run in the middle
    of a call, though never in the middle of its C part. A call that has more than one part in C
    says that it is at work; then such a handler can look at the comparison, and not change it.
    """

    __slots__ = ("at_work", "handle", "lock")

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.lock = RLock()
        self.at_work = False


class Comparator(Owner):
    """Owner of one side of a comparison, which only one thread may use at a time."""

    def _after_fork(self) -> None:
        held = self._held
        if held is not None:
            handle, _ = forks.renewed(held.handle, held.lock)
            replace(self, None if handle is None else Parts(handle))


_OUTSIDE_FIPS = {
    NOT_SUPPORTED: "Secure Comparator computes in the group edwards25519 of libsodium, which is "
    "no FIPS module: it is not available with PYTHEMIS_FIPS=1"
}


def new(errors: Errors, secret: Any) -> Parts:
    """Make one side of a comparison of this secret."""
    made = _comparator()
    status = lib.themis_comparator_new(made)
    if status != SUCCESS:
        failed(errors, status, _OUTSIDE_FIPS)
    parts = Parts(kept(made))
    _append(errors, parts, secret)
    return parts


_STARTED = {INVALID_PARAMETER: "this comparison has started already"}
_DAMAGED = {
    INVALID_PARAMETER: "this is not a message of a comparison, or it was corrupted; "
    "the comparison has ended without a match"
}


_AT_WORK = (
    "this comparison is taking a message, which a signal handler interrupted; try again later"
)


def _check_idle(errors: Errors, held: Parts) -> None:
    if held.at_work:
        raise errors.failed(INVALID_PARAMETER, _AT_WORK)


def append(owner: Comparator, secret: Any) -> None:
    """Add a piece to the secret."""
    _append(owner._errors, opened(owner), secret)


def _append(errors: Errors, held: Parts, secret: Any) -> None:
    try:
        secret = view(errors, secret, SECRET)
        size = len(secret)
        if size == 0:
            wrong_value(errors, "the secret is empty")
        with held.lock:
            _check_idle(errors, held)
            status = lib.themis_comparator_append(held.handle, secret, size)
        if status != SUCCESS:
            failed(errors, status, _STARTED)
    finally:
        del secret


@returns_output
def begin(owner: Comparator) -> bytes:
    """Start a comparison; return the first message."""
    held = opened(owner)
    message = new_output(lib.THEMIS_COMPARATOR_FIRST_SIZE)
    with held.lock:
        _check_idle(owner._errors, held)
        status = lib.themis_comparator_begin(held.handle, message)
    if status != SUCCESS:
        failed(owner._errors, status, _STARTED)
    return message


@returns_output
def proceed(owner: Comparator, message: Any) -> bytes:
    """Process the peer's message; return the reply, empty after the last one."""
    try:
        message = view(owner._errors, message, RECEIVED)
        size = len(message)
        held = opened(owner)
        with held.lock:
            _check_idle(owner._errors, held)
            held.at_work = True
            try:
                expected = lib.themis_comparator_expected_size(held.handle)
                room = lib.themis_comparator_reply_size(held.handle)
                reply = new_output(room)
                status = lib.themis_comparator_proceed(held.handle, message, size, reply, room)
            finally:
                held.at_work = False
        if status != SUCCESS:
            _refuse_message(owner, status, size, expected, _known(message))
        return reply
    finally:
        del message


def _known(message: Any) -> str:
    """Describe a message that is none of a comparison; empty if it is not recognised."""
    known = recognised(lambda it: it.words(seen(message)))
    return known and f"; {known}"


def _refuse_message(owner: Owner, status: int, size: int, expected: int, known: str) -> NoReturn:
    if expected == 0:
        problem = "this comparison is over; make a new object for another one"
    elif status != INVALID_PARAMETER or size == expected:
        failed(owner._errors, status, _DAMAGED)
    elif size == lib.THEMIS_COMPARATOR_FIRST_SIZE:
        problem = (
            "this message begins a comparison, but one is under way; only one side may begin; "
            "the comparison has ended without a match"
        )
    else:
        problem = (
            f"the message has {size} bytes, but the one expected now has {expected}; "
            f"the comparison has ended without a match{known}"
        )
    raise owner._errors.failed(INVALID_PARAMETER, problem)


def is_over(owner: Comparator) -> bool:
    """Return whether the exchange has ended."""
    held = opened(owner)
    with held.lock:
        return bool(lib.themis_comparator_expected_size(held.handle) == 0)


def result(owner: Comparator) -> int:
    """Return the result so far."""
    held = opened(owner)
    with held.lock:
        result: int = lib.themis_comparator_result(held.handle)
    return result
