# SPDX-License-Identifier: Apache-2.0
"""The errors of keyrings."""

from __future__ import annotations

from pythemis._core.errors import Errors
from pythemis.exception import ThemisError


class KeyringError(ThemisError):
    """A keyring refused its arguments or its data.

    Attributes:
        index: the index of the value in a list, counted from 0; None if there is no list.
    """

    __module__ = "pythemis.keyring"
    index: int | None = None


class KeyringTypeError(KeyringError, TypeError):
    """An argument has the wrong type."""

    __module__ = "pythemis.keyring"


class KeyringValueError(KeyringError, ValueError):
    """An argument has the right type and an impossible value."""

    __module__ = "pythemis.keyring"


ERRORS = Errors(KeyringError, KeyringTypeError, KeyringValueError)
