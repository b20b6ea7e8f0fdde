# SPDX-License-Identifier: Apache-2.0
"""The arguments that the services share: names, limits, tokens and PINs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from pythemis._core.secret import SecretKey
from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError

Secret: TypeAlias = str | SecretKey | Callable[[], str | SecretKey]

_NAME = re.compile(r"[\x21-\x7e]{1,255}")
_LONGEST_TIMEOUT, _MOST_ATTEMPTS = 300, 10


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


def wrong_type(text: str) -> ThemisTypeError:
    """Return the error of an argument of another type."""
    return ThemisTypeError(THEMIS_CODES.INVALID_PARAMETER, text)


def wrong_value(text: str) -> ThemisValueError:
    """Return the error of an argument that cannot be."""
    return ThemisValueError(THEMIS_CODES.INVALID_PARAMETER, text)
