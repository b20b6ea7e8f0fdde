# SPDX-License-Identifier: Apache-2.0
"""Themis: cryptographic services that people who are not cryptographers can use safely.

The modules load when they are first used: ``import pythemis`` alone costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (  # noqa: F401
        astransport,
        exception,
        scell,
        scomparator,
        skeygen,
        smessage,
        ssession,
        stransport,
    )

__all__ = ["exception", "scell", "scomparator", "skeygen", "smessage", "ssession"]
_MODULES = [*__all__, "astransport", "stransport"]


if TYPE_CHECKING:
    __version__: str  # and no other name is right, so none is looked up when types are checked
else:

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name == "__version__":
            from importlib.metadata import version

            return version(__name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*_MODULES, "__version__", *(name for name in globals() if name[0] == "_")})
