# SPDX-License-Identifier: Apache-2.0
"""Room for a large object of a subclass of ``bytes``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def _allocator() -> Callable[[type[bytes], int], bytes] | None:
    """Return what makes such an object as CPython does, without bytes to copy; None if unsure.

    That is to allocate it, and to note that its hash is not known yet, before its first byte.
    """
    try:
        import ctypes

        make = ctypes.pythonapi.PyType_GenericAlloc
    except (ImportError, AttributeError):
        return None
    make.restype, make.argtypes = ctypes.py_object, (ctypes.py_object, ctypes.c_ssize_t)
    place = bytes.__basicsize__ - 1 - ctypes.sizeof(ctypes.c_ssize_t)
    known = b"".join((b"its hash", b"is known"))
    if ctypes.c_ssize_t.from_address(id(known) + place).value != -1:
        return None
    told = hash(known)
    if ctypes.c_ssize_t.from_address(id(known) + place).value != told:
        return None

    def allocate(kind: type[bytes], size: int) -> bytes:
        made: bytes = make(kind, size)
        ctypes.c_ssize_t.from_address(id(made) + place).value = -1
        return made

    return allocate


allocate = _allocator()
