# SPDX-License-Identifier: Apache-2.0
"""Capsules of the Arrow C data interface: addresses out of them, and results in them.

A capsule is an object of CPython. PyPy has no use for them, so there columns are lists.
"""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

from pythemis._themis import ffi, lib

if TYPE_CHECKING:
    from collections.abc import Callable

AVAILABLE = sys.implementation.name == "cpython"
_ADDRESS = ffi.typeof("uintptr_t")
_GETTER = ffi.typeof("void *(*)(void *, const char *)")
_VOID = ffi.typeof("void *")


def _address(pointer: Any) -> int:
    return int(ffi.cast(_ADDRESS, pointer))


def _function(name: str) -> int:
    return _address(ffi.addressof(lib, name))  # type: ignore[call-overload]


def _bound() -> tuple[Callable[..., int], Callable[..., object]]:
    """Look up two functions of the interpreter, and give C what its destructors need."""
    api = ctypes.pythonapi
    getter = ctypes.cast(api.PyCapsule_GetPointer, ctypes.c_void_p).value or 0
    lib.themis_arrow_capsules(ffi.cast(_GETTER, getter))
    get = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    new = ctypes.PYFUNCTYPE(
        ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p
    )  # the name as an address: a capsule keeps no copy of it
    return get(("PyCapsule_GetPointer", api)), new(("PyCapsule_New", api))


if AVAILABLE:
    _get, _new = _bound()
    _SCHEMA = (
        _address(lib.themis_arrow_schema_name()),
        _function("themis_arrow_schema_capsule_end"),
    )
    _ARRAY = (
        _address(lib.themis_arrow_array_name()),
        _function("themis_arrow_array_capsule_end"),
    )


def pointer(capsule: object, name: bytes) -> Any:
    """Return the address in a capsule of this name.

    Raises:
        ValueError: it is no such capsule.
    """
    return ffi.cast(_VOID, _get(capsule, name))


def schema_capsule(result: Any) -> object:
    """Return a result's schema in a capsule, which frees it."""
    return _capsule(lib.themis_column_result_schema(result), *_SCHEMA)


def array_capsule(result: Any) -> object:
    """Return a result's array in a capsule, which frees it."""
    return _capsule(lib.themis_column_result_array(result), *_ARRAY)


def _capsule(made: Any, name: int, end: int) -> object:
    if made == ffi.NULL:
        raise MemoryError
    return _new(_address(made), name, end)
