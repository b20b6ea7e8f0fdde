# SPDX-License-Identifier: Apache-2.0
"""What pythemis 0.15 and older allowed, kept working and fenced off here."""

from __future__ import annotations

import sys

from ._core.errors import status_code
from ._core.late import loaded
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


def code(number: int) -> THEMIS_CODES:
    """Return the member of THEMIS_CODES for a number, or what is like it if they do not load."""
    members: Any = loaded(codes) or Unloaded
    member: THEMIS_CODES = members(number)
    return member


_NAMES = (
    *("SUCCESS", "SEND_OUTPUT_TO_PEER", "FAIL", "INVALID_PARAMETER", "NO_MEMORY"),
    *("BUFFER_TOO_SMALL", "DATA_CORRUPT", "INVALID_SIGNATURE", "NOT_SUPPORTED", "ENGINE_FAIL"),
    *("SSESSION_KA_NOT_FINISHED", "SSESSION_TRANSPORT_ERROR"),
    "SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR",
)


class Unloaded(int):
    """A status code without `enum`; equal to the member of THEMIS_CODES, and named like it."""

    @property
    def value(self) -> int:
        """The number."""
        return int(self)

    @property
    def name(self) -> str:
        """The name of the constant."""
        names = {status_code(name): name for name in _NAMES} | {2222: "NETWORK_ERROR"}
        return names.get(int(self), f"UNNAMED_{int(self)}")

    def __repr__(self) -> str:
        return f"<THEMIS_CODES.{self.name}: {int(self)}>"

    __str__ = int.__repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return code, (int(self),)


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
