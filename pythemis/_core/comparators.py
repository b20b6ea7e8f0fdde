# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator."""

from __future__ import annotations

from threading import RLock
from typing import Any, NoReturn

from pythemis._themis import ffi, lib

from . import forks
from .boundary import (
    IN_PLACE,
    INVALID_PARAMETER,
    SUCCESS,
    Errors,
    Owner,
    failed,
    foreign_result,
    new_output,
    refuse_closed,
    view,
    wrong_value,
)

NOT_READY: int = lib.THEMIS_COMPARATOR_NOT_READY
MATCH: int = lib.THEMIS_COMPARATOR_MATCH
NO_MATCH: int = lib.THEMIS_COMPARATOR_NO_MATCH


class Comparator(Owner):
    """Owns one side of a comparison, which one thread at a time may use.

    The lock can be taken again by the thread that has it: a signal handler may run in the middle
    of a call, though never in the middle of its C part.
    """

    _lock = RLock()  # of those whose __init__ was forgotten: they have no handle

    def __init__(self) -> None:
        self._lock = RLock()
        forks.watch(self)

    def _after_fork(self) -> None:
        self._handle, self._lock = forks.renewed(self._handle, self._lock)


def new(errors: Errors) -> Any:
    """Make one side of a comparison."""
    made = ffi.new("themis_comparator **")
    status = lib.themis_comparator_new(made)
    if status != SUCCESS:
        failed(errors, status)
    return ffi.gc(made[0], lib.themis_comparator_free)


_STARTED = {INVALID_PARAMETER: "this comparison has started already"}
_DAMAGED = {
    INVALID_PARAMETER: "this is not a message of a comparison, or it was damaged; "
    "the comparison has ended without a match"
}


def append(owner: Comparator, secret: Any) -> None:
    """Add a piece to the secret."""
    try:
        secret = view(owner._errors, secret, "the secret")
        size = len(secret)
        if size == 0:
            wrong_value(owner._errors, "the secret is empty")
        with owner._lock:
            handle = _comparator(owner)
            status = lib.themis_comparator_append(handle, secret, size)
        if status != SUCCESS:
            failed(owner._errors, status, _STARTED)
    finally:
        del secret


def begin(owner: Comparator) -> bytes:
    """Start a comparison; the first message."""
    message = new_output(lib.THEMIS_COMPARATOR_FIRST_SIZE)
    with owner._lock:
        handle = _comparator(owner)
        status = lib.themis_comparator_begin(handle, message)
    if status != SUCCESS:
        failed(owner._errors, status, _STARTED)
    return message if IN_PLACE else foreign_result(message)


def proceed(owner: Comparator, message: Any) -> bytes:
    """Take the peer's message; the reply, empty after the last one."""
    try:
        message = view(owner._errors, message, "the received message")
        size = len(message)
        with owner._lock:
            handle = _comparator(owner)
            expected = lib.themis_comparator_expected_size(handle)
            reply = new_output(lib.themis_comparator_reply_size(handle))
            status = lib.themis_comparator_proceed(handle, message, size, reply)
        if status != SUCCESS:
            _refuse_message(owner, status, size, expected)
        return reply if IN_PLACE else foreign_result(reply)
    finally:
        del message


def _refuse_message(owner: Owner, status: int, size: int, expected: int) -> NoReturn:
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
            "the comparison has ended without a match"
        )
    raise owner._errors.failed(INVALID_PARAMETER, problem)


def is_over(owner: Comparator) -> bool:
    """Tell whether the exchange has ended."""
    with owner._lock:
        return bool(lib.themis_comparator_expected_size(_comparator(owner)) == 0)


def result(owner: Comparator) -> int:
    """Tell the result so far."""
    with owner._lock:
        result: int = lib.themis_comparator_result(_comparator(owner))
    return result


def _comparator(owner: Owner) -> Any:
    handle = owner._handle
    if handle is None:
        refuse_closed(owner)
    return handle
