# SPDX-License-Identifier: Apache-2.0
"""The base of all errors, and the status codes (specification, section 1)."""

from __future__ import annotations

from enum import IntEnum

from . import _compat, _hints
from ._core.errors import status_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

__all__ = ["THEMIS_CODES", "ThemisError", "ThemisTypeError", "ThemisValueError"]


class THEMIS_CODES(IntEnum):
    """The status codes of Themis, the same in every language (specification, section 1)."""

    SUCCESS = status_code("SUCCESS")
    SEND_OUTPUT_TO_PEER = status_code("SEND_OUTPUT_TO_PEER")
    SEND_AS_IS = SEND_OUTPUT_TO_PEER
    FAIL = status_code("FAIL")
    INVALID_PARAMETER = status_code("INVALID_PARAMETER")
    NO_MEMORY = status_code("NO_MEMORY")
    BUFFER_TOO_SMALL = status_code("BUFFER_TOO_SMALL")
    DATA_CORRUPT = status_code("DATA_CORRUPT")
    INVALID_SIGNATURE = status_code("INVALID_SIGNATURE")
    NOT_SUPPORTED = status_code("NOT_SUPPORTED")
    ENGINE_FAIL = status_code("ENGINE_FAIL")
    SSESSION_KA_NOT_FINISHED = status_code("SSESSION_KA_NOT_FINISHED")
    SSESSION_TRANSPORT_ERROR = status_code("SSESSION_TRANSPORT_ERROR")
    SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR = status_code("SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR")
    NETWORK_ERROR = 2222  # of Python alone: a transport callback failed

    @classmethod
    def _missing_(cls, value: object) -> THEMIS_CODES | None:
        # Programs raise `ThemisError` with numbers of their own.
        if not isinstance(value, int):
            return None
        unnamed = int.__new__(cls, value)
        unnamed._name_ = f"UNNAMED_{int(value)}"
        unnamed._value_ = int(value)
        return unnamed


class ThemisError(Exception):
    """The base of all errors of Themis.

    The first two arguments may be swapped, as in 0.15: ``SecureCellError(message, error_code)``.

    Args:
        error_code: a member of THEMIS_CODES, or its number.
        message: what happened and what to check.
        *args: kept in ``args`` after the message.

    Attributes:
        error_code: a member of THEMIS_CODES. A number that Themis does not use becomes a member
            that has no constant: ``THEMIS_CODES(4711).name`` is ``"UNNAMED_4711"``.
        message: what happened and what to check, the first of ``args``.

    Raises:
        TypeError: neither of the two is a number.
    """

    error_code: THEMIS_CODES
    message: str

    if TYPE_CHECKING:

        @overload
        def __init__(self, error_code: int, message: str, *args: object) -> None: ...

        @overload
        def __init__(self, message: str, error_code: int, /, *args: object) -> None: ...

    def __init__(self, error_code: _hints.Any, message: _hints.Any, *args: object) -> None:
        if isinstance(error_code, str):
            error_code, message = message, error_code
        if not isinstance(error_code, int):
            raise TypeError(
                "an error takes a number of THEMIS_CODES and a message, not "
                f"{type(error_code).__name__} and {type(message).__name__}"
            )
        super().__init__(message, *args)
        self.error_code = THEMIS_CODES(error_code)
        self.message = message

    def __reduce__(self) -> tuple[_hints.Any, ...]:
        # Exceptions cross process boundaries; the inherited way would lose the code.
        return type(self), (self.error_code, *self.args), self.__dict__


class ThemisTypeError(ThemisError, TypeError):
    """An argument has the wrong type."""


class ThemisValueError(ThemisError, ValueError):
    """An argument has the right type and an impossible value."""


if TYPE_CHECKING:  # misspelled names must not pass the type check
    themis_exception = ThemisError
else:
    __getattr__ = _compat.renamed_exceptions(__name__, {"themis_exception": "ThemisError"})
