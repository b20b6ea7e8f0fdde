# SPDX-License-Identifier: Apache-2.0
"""What pythemis 0.15 and older allowed, kept working and fenced off here."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _warn(message: str, category: type[Warning]) -> None:
    """Warn of the line that called this package, through however many frames of it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def bytes_of_text_key(key: str) -> bytes:
    """Give the bytes that 0.15 took from a ``str`` key of a Secure Cell, with its warning.

    It read the text's memory as if it were bytes: the first ``len(key)`` bytes of UTF-32-LE.
    Data encrypted with such keys exists, so they keep their meaning.
    """
    _warn(
        'master key should be "bytes": a str is read in the odd way of old versions, where only '
        "its first quarter counts; for new data give the bytes of a key "
        "(base64.b64decode(text), if it is base64), or SCellSeal(passphrase=text) for what people "
        "remember",
        UserWarning,
    )
    return key.encode("utf-32-le", "surrogatepass")[: len(key)]


def deprecated_names(module: str, names: dict[str, str]) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` that knows old names of its classes.

    An old name is a subclass of the class it stood for, which warns when an object is made.
    """

    def __getattr__(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        namespace = vars(sys.modules[module])
        old = _old_class(name, namespace[names[name]])
        return namespace.setdefault(name, old)  # so that there is one class, whoever asks

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
        _warn(f"{name} is deprecated, use {names[name]}", DeprecationWarning)
        return new

    return __getattr__


def _old_class(name: str, new: type) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        _warn(f"{name} is deprecated, use {new.__name__}", DeprecationWarning)
        if not issubclass(new, bytes):  # those are made before they get here
            new.__init__(self, *args, **kwargs)

    return type(
        name, (new,), {"__init__": __init__, "__module__": new.__module__, "__doc__": new.__doc__}
    )
