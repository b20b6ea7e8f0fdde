# SPDX-License-Identifier: Apache-2.0
"""What pythemis 0.15 and older allowed, kept working and fenced off here."""

from __future__ import annotations

import sys

from ._core.legacy import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._codes import THEMIS_CODES


def deprecated_names(module: str, names: dict[str, str]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that knows old names of its classes.

    An old name is a subclass of the class it stood for, which warns when an object is made.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        namespace = vars(sys.modules[module])
        old = _old_class(name, namespace[names[name]])
        return namespace.setdefault(name, old)  # so that there is one class for all callers

    return __getattr__


def renamed_exceptions(module: str, names: dict[str, str]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that knows old names of its exceptions.

    An old name is the exception itself, so that ``except`` with it still catches; it warns when
    it is looked up.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        new = vars(sys.modules[module])[names[name]]
        warn(f"{name} is deprecated, use {names[name]}", DeprecationWarning)
        return new

    return __getattr__


def codes() -> type[THEMIS_CODES]:
    """Return THEMIS_CODES, which is loaded with the first error."""
    from ._codes import THEMIS_CODES

    return THEMIS_CODES


def with_codes(others: Callable[[str], Any]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that knows THEMIS_CODES, and what another one knows."""

    def __getattr__(name: str) -> Any:
        return codes() if name == "THEMIS_CODES" else others(name)

    return __getattr__


def _old_class(name: str, new: type) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        warn(f"{name} is deprecated, use {new.__name__}", DeprecationWarning)
        if not issubclass(new, bytes):  # those are made before they get here
            new.__init__(self, *args, **kwargs)

    return type(
        name, (new,), {"__init__": __init__, "__module__": new.__module__, "__doc__": new.__doc__}
    )
