# SPDX-License-Identifier: Apache-2.0
"""The sealed-file container: header, slots and chunks (specification, section 8).

Keyrings and files are built on it. Everything here takes the `Errors` of its caller first.
"""

from __future__ import annotations

from .arguments import Slots, Unlock
from .heads import Opened, rewrap_head
from .reading import Reader, StreamReader, open_bytes
from .writing import Writer, seal_bytes

__all__ = [
    "Opened",
    "Reader",
    "Slots",
    "StreamReader",
    "Unlock",
    "Writer",
    "open_bytes",
    "rewrap_head",
    "seal_bytes",
]
