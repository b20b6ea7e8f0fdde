# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, and its number."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from . import _compat
from ._core.boundary import status_code

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


class ThemisError(Exception):
    """The base of everything that Themis raises.

    Args:
        error_code: a member of THEMIS_CODES, or its number.
        message: what happened and what to check.
        *args: kept in ``args`` behind the message.

    Attributes:
        error_code: a member of THEMIS_CODES; a plain ``int`` where the number is no member's.
    """

    error_code: int

    def __init__(self, error_code: int, message: str, *args: object) -> None:
        super().__init__(message, *args)
        try:
            self.error_code = THEMIS_CODES(error_code)
        except ValueError:
            self.error_code = error_code

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions cross process boundaries; the inherited way would lose the code.
        return type(self), (self.error_code, *self.args), self.__dict__


class ThemisTypeError(ThemisError, TypeError):
    """An argument has the wrong type."""


class ThemisValueError(ThemisError, ValueError):
    """An argument has the right type and an impossible value."""


if TYPE_CHECKING:  # a name that is not there must not pass for one
    themis_exception = ThemisError
else:
    __getattr__ = _compat.renamed_exceptions(__name__, {"themis_exception": "ThemisError"})
