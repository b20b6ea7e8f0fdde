# SPDX-License-Identifier: Apache-2.0
"""Try a transaction again that the database ended for the sake of another one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_TRIES = 6
_PAUSE = 0.05  # seconds, and as many more after each try

Returned = TypeVar("Returned")


def retried(transaction: Callable[[], Returned], passes: Callable[[Exception], bool]) -> Returned:
    """Return what a transaction returns; it is tried again after errors that pass.

    Args:
        transaction: begins and commits.
        passes: tells whether an error is one that passes, such as a deadlock.

    Raises:
        Exception: an error that does not pass, or that of the last try.
    """
    for number in range(1, _TRIES):
        try:
            return transaction()
        except Exception as error:
            if not passes(error):
                raise
        time.sleep(_PAUSE * number)
    return transaction()
