# SPDX-License-Identifier: Apache-2.0
"""What type checkers know of the attribute that a sealed field becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Generic, overload

    from typing_extensions import Self, TypeVar  # which every type checker knows

    Value = TypeVar("Value", default=Any)

    class Typed(Generic[Value]):
        """An attribute of type ``Value``, such as ``card: SealedField[str | None]``."""

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> Value: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: Value) -> None: ...

else:
    Value = None

    class Typed:
        """A class that takes a type in brackets, and ignores it."""

        def __class_getitem__(cls, value):
            """Return the class."""
            return cls
