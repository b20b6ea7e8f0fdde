# SPDX-License-Identifier: Apache-2.0
"""Names in annotations of what the documented modules load when they start.

`typing` takes a third of that start. So it is loaded where `typing.get_type_hints` or a framework
looks one of these names up.
"""

from __future__ import annotations

import sys

__all__ = ["Buffer"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import ClassVar as ClassVar
    from typing import NoReturn as NoReturn

    from typing_extensions import Buffer
    from typing_extensions import Self as Self

    from ._typing import Encoding as Encoding
    from ._typing import Form as Form
    from ._typing import Service as Service
else:
    if sys.version_info >= (3, 12):
        from _collections_abc import Buffer
    else:
        Buffer = bytes | bytearray | memoryview  # and others, for which there was no name yet

    def __getattr__(name: str) -> object:
        if name[0] == "_":  # such as __path__, which `from pythemis._hints import ...` asks for
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from . import _typing

        return getattr(_typing, name)
