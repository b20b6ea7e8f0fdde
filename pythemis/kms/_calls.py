# SPDX-License-Identifier: Apache-2.0
"""Calls of a client: attempts, one client for each process, and errors without secrets.

The exceptions of a client keep the frames in which they arose, with file keys, tokens and PINs.
So each is judged where it is caught, and what users see is raised anew from a frame without them.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from pythemis.exception import THEMIS_CODES, ThemisError

from . import ServiceError
from ._arguments import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds


class Failure(NamedTuple):
    """What went wrong with a service, in words that hold no secret."""

    text: str
    code: int = THEMIS_CODES.FAIL
    again: bool = False  # another attempt may succeed

    def error(self, name: str) -> ServiceError:
        """Return the exception that users see."""
        return ServiceError(self.code, f"the key service {name!r} failed: {self.text}")


REFUSED = Failure("it refused: see the settings of its key")  # it is well, but for this


def attempt(
    ask: Callable[[], T], judge: Callable[[Exception], Failure], attempts: int
) -> T | Failure:
    """Return the answer of a service, or how it failed as the judge sees it.

    Between attempts is a random pause, at most twice as long as the one before: programs that a
    failure stopped at the same moment do not come back at the same moment.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return ask()
        except ThemisError as error:  # ours, such as that of a missing library
            failure = Failure(error.message, error.error_code)
        except Exception as error:  # noqa: BLE001 -- it is another's program, and may raise any
            failure = judge(error)
        attempts -= 1
        if not failure.again or attempts <= 0:
            return failure
        time.sleep(random.uniform(0, pause))
        pause = min(2 * pause, _LONGEST_PAUSE)


def nonsense(what: str) -> Failure:
    """Return the failure of a service that answers with something else than it should."""
    return Failure(f"it answered with {what}")


class PerProcess(Generic[T]):
    """A client for each process: after a fork, parent and child would share its connections."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None

    def get(self) -> T | Failure:
        """Return the client of this process, or why it cannot be made."""
        made, here = self._made, os.getpid()
        if made is None or made[0] != here:
            client = attempt(self._make, _judge_making, 1)
            if isinstance(client, Failure):
                return client
            made = self._made = (here, client)
        return made[1]


def _judge_making(error: Exception) -> Failure:
    return Failure(f"making the client raised {type(error).__name__}")


def ready(client: Any, what: str) -> Callable[[], Any]:
    """Return a function that gives a client that is ready, or a new one if it is a function."""
    if callable(client):
        return client  # type: ignore[no-any-return]
    home = os.getpid()

    def give() -> Any:
        if os.getpid() != home:
            raise ServiceError(
                THEMIS_CODES.FAIL,
                f"this {what} was made before a fork, and parent and child must not share its "
                f"connections: pass a function that makes a {what}",
            )
        return client

    return give


def missing(user: str, library: str, extra: str) -> ServiceError:
    """Return the error of a library that is not installed."""
    return ServiceError(
        THEMIS_CODES.NOT_SUPPORTED,
        f"{user} needs {library}, which is not installed: install it, or this package with its "
        f"extra [{extra}]",
    )


def secret_text(secret: object, what: str) -> str | Failure:
    """Return what `text_of` does, or that a function failed to give it."""
    try:
        return text_of(secret, what)
    except ThemisError as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 -- the function is the caller's
        return Failure(f"the function for {what} raised {type(error).__name__}")
