# SPDX-License-Identifier: Apache-2.0
"""Names in annotations that older Pythons do not have; `typing.get_type_hints` looks for them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self
else:
    if sys.version_info >= (3, 12):
        from collections.abc import Buffer
    else:
        Buffer = bytes | bytearray | memoryview  # and others, for which there was no name yet
    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        Self = Any

__all__ = ["Buffer", "Self"]
