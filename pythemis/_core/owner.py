# SPDX-License-Identifier: Apache-2.0
"""Handles of the C core, and the objects that own one."""

from __future__ import annotations

from _operator import is_

from pythemis import _hints
from pythemis._themis import ffi, lib

from .errors import Errors, wrong_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import partial as partial
    from typing import Any, NoReturn
else:
    try:
        from _functools import partial  # `functools` loads `collections`: a sixth of the start
    except ImportError:  # PyPy has none
        from functools import partial


def places(name: str) -> Callable[[], Any]:
    """Return a function that makes a place for a handle of this kind, ``themis_<name>``.

    C puts the handle into the place, and the place frees it when it goes, or at `ffi.release`. So
    the handle has an owner before it exists: nothing that is raised, at whatever moment, such as a
    KeyboardInterrupt, leaves a secret behind. That is also why no Python function does the
    freeing, which could be interrupted as well: ``min`` asks for the key of each handle in the
    place, and the key function is the one that frees.
    """
    kind = ffi.typeof(f"themis_{name} *[1]")
    free = partial(min, key=getattr(lib, f"themis_{name}_free"))
    return lambda: ffi.gc(ffi.new(kind), free)


def kept(place: Any) -> Any:
    """Return the handle in a place, as an object that keeps the place."""
    return ffi.gc(place[0], partial(is_, place))  # called when it goes, to no effect


class Owner:
    """Base of the objects that own a handle: made once, never copied, never shown."""

    _errors: _hints.ClassVar[Errors]
    # All that it owns, in one object: a method reads this once, and what it found belongs together
    # whatever other threads, callbacks and signal handlers do meanwhile. None where the object is
    # closed, and where super().__init__() was forgotten.
    _held: _hints.Any = None
    _made = False  # read by __init__ alone
    _refusal: _hints.ClassVar[str] = "holds a secret and cannot be pickled or copied"

    def close(self) -> None:
        """Drop the secret; its memory is wiped once no call in another thread uses it.

        Closing twice is allowed; any other use of a closed object is an error.
        """
        replace(self, None)

    def __enter__(self) -> _hints.Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self._held is None else ""
        return f"<{type(self).__module__}.{type(self).__qualname__}{state}>"

    def __reduce_ex__(self, protocol: object) -> _hints.NoReturn:
        raise TypeError(
            f"{type(self).__qualname__} {self._refusal}; make another one where it is needed"
        )


class Immutable(Owner):
    """Base of immutable owners: `copy.copy` and `copy.deepcopy` return the object itself."""

    _refusal = "holds a secret and cannot be pickled"

    def __copy__(self) -> _hints.Self:
        return self

    def __deepcopy__(self, memo: object) -> _hints.Self:
        return self


class Secret(Immutable):
    """Base of what owns bytes that C reads where they are; `buffers.view` takes it for a key."""

    def _memory(self) -> _hints.Any:
        """Return the bytes as a buffer, which keeps them; None if it is closed."""
        raise NotImplementedError


def own(owner: Owner, make: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Make what an object owns, in its ``__init__``, which may run once."""
    if owner._made:  # asked before the work, which may take long
        refuse_again(owner._errors, owner)
    made = make(owner._errors, *arguments, **options)
    # A buffer's own code, or another thread, may have been here meanwhile: the first one counts.
    # No lock: one is not given back if a tracing tool raises at the wrong moment. From here on
    # nothing is called, and so CPython's own lock is not given to another thread.
    if owner._made:
        refuse_again(owner._errors, owner)
    owner._made = True
    owner._held = made


def replace(owner: Owner, held: Any) -> None:
    """Replace what an object owns.

    A ``__setattr__`` of a subclass is not called. Writing into ``__dict__`` would make each look-up
    of an attribute slower.
    """
    object.__setattr__(owner, "_held", held)


def refuse_again(errors: Errors, made: object) -> NoReturn:
    """Refuse a second ``__init__``."""
    name = type(made).__name__
    wrong_value(errors, f"this {name} is made already, and __init__ runs once: make a new object")


def opened(owner: Owner) -> Any:
    """Return what an object owns that is not closed."""
    return owner._held or refuse_closed(owner)


def refuse_closed(owner: Owner) -> NoReturn:
    """Refuse to work with a closed object."""
    wrong_value(owner._errors, f"this {type(owner).__name__} is closed")
