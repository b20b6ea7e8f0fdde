# SPDX-License-Identifier: Apache-2.0
"""Modules that load when they are first needed, which may be too late for Python to load any.

A process may have no free descriptor or no memory by then, or its installation was replaced. So
what only explains an error is left out there, and what does the work is an error of ours.
"""

from __future__ import annotations

import os
from _thread import RLock

from .errors import ENGINE_FAIL, NO_MEMORY, Errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    T = TypeVar("T")

# A fork waits until no thread loads anything: its child would wait for that thread for ever.
LOADING = RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=LOADING.acquire, after_in_parent=LOADING.release, after_in_child=LOADING.release
    )

# What is said of data that is refused where `recognised` tells nothing.
UNTOLD = ": it is corrupted or truncated, or it is something else"


class Loading:
    """While this is entered a module is imported; if it does not load, that is an error of ours."""

    __slots__ = ("_errors",)

    def __init__(self, errors: Errors) -> None:
        self._errors = errors

    def __enter__(self) -> None:
        LOADING.acquire()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        LOADING.release()
        if isinstance(error, Exception):
            status = NO_MEMORY if isinstance(error, MemoryError) else ENGINE_FAIL
            text = f"Python cannot load a part of pythemis now: {error or 'no memory'}"
            raise self._errors.failed(status, text) from error


def loaded(load: Callable[[], T]) -> T | None:
    """Return what a function that imports returns; None if what it imports does not load."""
    try:
        with LOADING:
            return load()
    except Exception:  # noqa: BLE001 -- a module may fail to load in any way
        return None


def recogniser() -> Any | None:
    """Return the module `recognise`; None if it does not load."""

    def load() -> Any:
        from . import recognise

        return recognise

    return loaded(load)


def recognised(ask: Callable[[Any], str]) -> str:
    """Return what `recognise` tells of data, for an error; empty where it cannot."""
    it = recogniser()
    try:
        return ask(it) if it else ""
    except MemoryError:
        return ""
