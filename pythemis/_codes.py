# SPDX-License-Identifier: Apache-2.0
"""The status codes of `pythemis.exception`, which loads them when something asks for one.

`enum` and what it needs take a third of the start of a small program.
"""

from __future__ import annotations

from enum import IntEnum

from ._core.errors import status_code

__all__ = ["THEMIS_CODES"]


class THEMIS_CODES(IntEnum):
    """The status codes of Themis, the same in every language (specification, section 1)."""

    __module__ = "pythemis.exception"

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
