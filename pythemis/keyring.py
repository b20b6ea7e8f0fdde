# SPDX-License-Identifier: Apache-2.0
"""Keys in guarded memory, out of files, variables and descriptors."""

from __future__ import annotations

from ._core import errors
from ._core.secret import SecretKey
from .exception import ThemisError, ThemisTypeError, ThemisValueError

__all__ = ["SecretKey"]

SecretKey._errors = errors.Errors(ThemisError, ThemisTypeError, ThemisValueError)
