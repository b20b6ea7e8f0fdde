# SPDX-License-Identifier: Apache-2.0
"""The exceptions of `pythemis.files`, which shows them as its own."""

from __future__ import annotations

from typing import NoReturn

from pythemis._core import errors
from pythemis.exception import ThemisError


class SealedFileError(ThemisError):
    """A file could not be sealed or opened."""

    __module__ = "pythemis.files"


class SealedFileTypeError(SealedFileError, TypeError):
    """An argument has the wrong type."""

    __module__ = "pythemis.files"


class SealedFileValueError(SealedFileError, ValueError):
    """An argument has the right type and an impossible value."""

    __module__ = "pythemis.files"


ERRORS = errors.Errors(SealedFileError, SealedFileTypeError, SealedFileValueError)


def wrong_type(text: str) -> NoReturn:
    """Refuse an argument for its type."""
    errors.wrong_type(ERRORS, text)


def wrong_value(text: str) -> NoReturn:
    """Refuse an argument for its value."""
    errors.wrong_value(ERRORS, text)


def refuse(text: str, status: int = errors.FAIL) -> NoReturn:
    """Refuse what is in a file."""
    raise SealedFileError(status, text)
