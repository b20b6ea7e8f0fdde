# SPDX-License-Identifier: Apache-2.0
"""Statuses of the C core, and the exceptions that they become."""

from __future__ import annotations

from pythemis._themis import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

MESSAGE_MAX: int = lib.THEMIS_CELL_MESSAGE_MAX  # bytes; also of a Secure Message
SUCCESS: int = lib.THEMIS_SUCCESS
FAIL: int = lib.THEMIS_FAIL
INVALID_PARAMETER: int = lib.THEMIS_INVALID_PARAMETER
DATA_CORRUPT: int = lib.THEMIS_DATA_CORRUPT
INVALID_SIGNATURE: int = lib.THEMIS_INVALID_SIGNATURE
NOT_SUPPORTED: int = lib.THEMIS_NOT_SUPPORTED
NO_MEMORY: int = lib.THEMIS_NO_MEMORY
ENGINE_FAIL: int = lib.THEMIS_ENGINE_FAIL
BUFFER_TOO_SMALL: int = lib.THEMIS_BUFFER_TOO_SMALL


def status_code(name: str) -> int:
    """Return the number of a status by its name."""
    code: int = getattr(lib, f"THEMIS_{name}")
    return code


class Errors:
    """The exceptions of one cryptosystem; each is made of (error_code, message)."""

    __slots__ = ("failed", "wrong_type", "wrong_value")

    def __init__(
        self,
        failed: Callable[[int, str], Exception],
        wrong_type: Callable[[int, str], Exception],
        wrong_value: Callable[[int, str], Exception],
    ) -> None:
        self.failed, self.wrong_type, self.wrong_value = failed, wrong_type, wrong_value


def wrong_type(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its type."""
    raise errors.wrong_type(INVALID_PARAMETER, message)


def wrong_value(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its value."""
    raise errors.wrong_value(INVALID_PARAMETER, message)


def failed(errors: Errors, status: int, refusals: dict[int, str] | None = None) -> NoReturn:
    """Raise the exception for a status, with its text in ``refusals`` if there is one."""
    raise errors.failed(status, (refusals or {}).get(status) or status_text(status))


def wrong_size(errors: Errors, what: str, size: int, most: int = MESSAGE_MAX) -> NoReturn:
    """Refuse a message that is empty or too long."""
    raise size_error(errors, what, size, most)


def size_error(errors: Errors, what: str, size: int, most: int = MESSAGE_MAX) -> Exception:
    """Make the error for a message that is empty or too long."""
    text = f"{what} has {size} bytes; it must have 1 to {most}"
    return errors.wrong_value(INVALID_PARAMETER, text)


def status_text(status: int) -> str:
    """Return the core's own text for a status."""
    text: str = ffi.string(lib.themis_status_text(status)).decode()
    return text
