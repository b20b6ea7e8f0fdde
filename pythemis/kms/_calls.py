# SPDX-License-Identifier: Apache-2.0
"""What the services share: names, limits, attempts, and errors without secrets.

The exceptions of a client keep the frames in which they arose, with file keys, tokens and PINs.
So each is judged where it is caught, and what users see is raised anew from a frame without them.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from pythemis._core.secret import SecretKey
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError

from . import ServiceError

T = TypeVar("T")
Secret: TypeAlias = str | SecretKey | Callable[[], str | SecretKey]

PLAIN, CONTEXT = 64, 47  # bytes of what is wrapped, and of its context
LONGEST_BODY = 65535  # bytes that a slot has room for
_CONTEXT = b"TSFILE1\nservice"
_NAME = re.compile(r"[\x21-\x7e]{1,255}")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds
_LONGEST_TIMEOUT, _MOST_ATTEMPTS = 300, 10


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


def check_name(name: object) -> str:
    """Return the name of a service, or refuse it."""
    if not isinstance(name, str):
        raise wrong_type(f"the name of a key service must be str, not {type(name).__name__}")
    if not _NAME.fullmatch(name):
        raise wrong_value(
            "the name of a key service has 1 to 255 printable ASCII characters and no spaces"
        )
    return name


def check_timeouts(timeouts: object) -> tuple[float, float]:
    """Return the seconds to wait for a connection and for an answer, or refuse them."""
    if not isinstance(timeouts, (tuple, list)) or len(timeouts) != 2:
        raise wrong_type("timeouts are two numbers: seconds to connect, seconds to read")
    for seconds in timeouts:
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise wrong_type(f"a timeout is a number of seconds, not {type(seconds).__name__}")
        if not 0 < seconds <= _LONGEST_TIMEOUT:
            raise wrong_value(f"a timeout is more than 0 and at most {_LONGEST_TIMEOUT} seconds")
    return float(timeouts[0]), float(timeouts[1])


def check_attempts(attempts: object) -> int:
    """Return the number of attempts, or refuse it."""
    if isinstance(attempts, bool) or not isinstance(attempts, int):
        raise wrong_type(f"attempts must be int, not {type(attempts).__name__}")
    if not 1 <= attempts <= _MOST_ATTEMPTS:
        raise wrong_value(f"attempts must be 1 to {_MOST_ATTEMPTS}")
    return attempts


def check_wrapped(plain: object, context: object) -> None:
    """Refuse to wrap anything but what sealed files need: 64 bytes, and a context of 47."""
    if not isinstance(plain, bytes):
        raise wrong_type(f"what is wrapped must be bytes, not {type(plain).__name__}")
    if len(plain) != PLAIN:
        raise wrong_value(f"what is wrapped has {PLAIN} bytes, not {len(plain)}")
    check_context(context)


def check_body(body: object, context: object) -> None:
    """Refuse arguments of `unwrap` that are no bytes."""
    if not isinstance(body, bytes):
        raise wrong_type(f"the body of a slot must be bytes, not {type(body).__name__}")
    check_context(context)


def check_context(context: object) -> None:
    """Refuse a context that is not one of section 8.3."""
    if not isinstance(context, bytes):
        raise wrong_type(f"the context must be bytes, not {type(context).__name__}")
    if len(context) != CONTEXT or not context.startswith(_CONTEXT):
        raise wrong_value(f"the context of a key service has {CONTEXT} bytes (section 8.3)")


def text_of(secret: object, what: str) -> str:
    """Return a token or a PIN as the libraries take it: text, without one closing newline.

    Args:
        secret: text, a SecretKey that holds it, or a function that returns one of them.
        what: what errors call it.
    """
    if callable(secret):
        secret = secret()
    if isinstance(secret, SecretKey):
        secret = secret.reveal().decode("utf-8", "replace")
    if not isinstance(secret, str):
        raise wrong_type(f"{what} must be str, a SecretKey or a function that returns one")
    secret = secret.removesuffix("\n")
    if not secret or not secret.isprintable() or "\ufffd" in secret:
        raise wrong_value(f"{what} is empty, or has characters that cannot be printed")
    return secret


def secret_text(secret: object, what: str) -> str | Failure:
    """Return what `text_of` does, or that a function failed to give it."""
    try:
        return text_of(secret, what)
    except ThemisError as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 -- the function is the caller's
        return Failure(f"the function for {what} raised {type(error).__name__}")


def wrong_type(text: str) -> ThemisTypeError:
    """Return the error of an argument of another type."""
    return ThemisTypeError(THEMIS_CODES.INVALID_PARAMETER, text)


def wrong_value(text: str) -> ThemisValueError:
    """Return the error of an argument that cannot be."""
    return ThemisValueError(THEMIS_CODES.INVALID_PARAMETER, text)
