# SPDX-License-Identifier: Apache-2.0
"""The base of all errors, and the status codes (specification, section 1)."""

from __future__ import annotations

import sys

from . import _compat, _hints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

    from ._codes import THEMIS_CODES as THEMIS_CODES

__all__ = ["THEMIS_CODES", "ThemisError", "ThemisTypeError", "ThemisValueError"]


class ThemisError(Exception):
    """The base of all errors of Themis.

    The first two arguments may be swapped, as in 0.15: ``SecureCellError(message, error_code)``.

    Args:
        error_code: a member of THEMIS_CODES, or its number.
        message: what happened and what to check.
        *args: kept in ``args`` after the message.

    Attributes:
        error_code: a member of THEMIS_CODES. A number that Themis does not use becomes a member
            that has no constant: ``THEMIS_CODES(4711).name`` is ``"UNNAMED_4711"``. Where Python
            cannot load `enum` any more, such as without a free file descriptor, it is an equal
            ``int`` with the same ``name`` and ``value``.
        message: what happened and what to check, the first of ``args``.

    Raises:
        TypeError: neither of the two is a number.
    """

    if TYPE_CHECKING:
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
        self.error_code = _compat.code(error_code)
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
    if "enum" in sys.modules:  # which takes the time; and later nothing may load
        _compat.codes()
    __getattr__ = _compat.with_codes(
        _compat.renamed_exceptions(__name__, {"themis_exception": "ThemisError"})
    )

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
