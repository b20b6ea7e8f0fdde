# SPDX-License-Identifier: Apache-2.0
"""Key generation."""

from __future__ import annotations

from . import _core
from .exception import ThemisError, ThemisTypeError, ThemisValueError

__all__ = ["GenerateSymmetricKey"]

_ERRORS = _core.Errors(ThemisError, ThemisTypeError, ThemisValueError)


def GenerateSymmetricKey() -> bytes:
    """Generate a key for Secure Cell (specification, section 2).

    Returns:
        32 random bytes. Keep them secret; who loses them loses the data.

    Raises:
        ThemisError: the random generator failed.
    """
    return _core.symmetric_key(_ERRORS)
