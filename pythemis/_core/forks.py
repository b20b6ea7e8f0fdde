# SPDX-License-Identifier: Apache-2.0
"""Locks after a fork: a thread that held one does not exist in the child."""

from __future__ import annotations

import os
from threading import RLock
from weakref import WeakValueDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_abandoned: list[Any] = []  # handles that are never freed
# By identity: a subclass may say that two of its objects are equal, or that none can be hashed.
_alive: WeakValueDictionary[int, Any] = WeakValueDictionary()


def watch(it: Any) -> None:
    """Have ``it._after_fork()`` called in every child process."""
    _alive[id(it)] = it


def renewed(handle: Any, lock: Any) -> tuple[Any, RLock]:
    """Return the handle and the lock with which a child continues, for those of its parent.

    If another thread was inside the core, the state that it left can neither be used nor freed:
    there is no handle then, and the object is closed.
    """
    if lock.acquire(blocking=False):
        lock.release()
    else:
        _abandoned.append(handle)
        handle = None
    return handle, RLock()


def _after_fork() -> None:
    for it in list(_alive.values()):
        it._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
