# SPDX-License-Identifier: Apache-2.0
"""Buffers in without a copy, results out as ``bytes`` that C wrote once."""

from __future__ import annotations

import sys

from pythemis._themis import ffi, lib

from . import late
from .arguments import Argument, Nature
from .errors import BUFFER_TOO_SMALL, Errors, wrong_type, wrong_value
from .owner import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn, TypeVar

    from pythemis._hints import Buffer

    CallT = TypeVar("CallT", bound=Callable[..., Any])

# Types of cffi are looked up where modules are imported, here and in the others: where threads ask
# for types by name for the first time, at the same time, PyPy gives one thread the type of another.
BYTES = ffi.typeof("uint8_t[]")
SIZE = ffi.typeof("size_t *")

# A function that holds views drops them however it ends (`finally: del`). An exception keeps the
# frames that it went through: views in them would lock the caller's bytearrays and memoryviews
# for as long as the exception lives, and CPython 3.10 and 3.11 crash when their garbage collector
# meets a memoryview with a view of it in one cycle.

# On CPython C writes into a fresh `bytes` that nothing else has seen yet. PyPy moves its objects,
# so there C writes into memory of cffi's own, which is copied and wiped. The same happens where
# `bytes(n)` shares its memory, as CPython itself does with `b"x"` and `bytes([n])`.
_PROBED = (*range(1, 10), 16, 17, 32, 33, 64, 255, 256, 257, 512, 513, 4096)


class _Subclass(bytes):
    """A subclass, as a session's messages are."""


def gives_own_memory(make: Callable[[int], bytes]) -> bool:
    """Return whether each call makes bytes in memory of their own, for every class of sizes.

    Nothing is written before the addresses differ: writing into shared memory does the harm that
    this looks for.
    """
    for size in _PROBED:
        first, second = make(size), make(size)
        others = [make(size), bytes(bytearray(size)), bytes([0])]
        zeros = bytearray(size)  # which has memory of its own
        places = [ffi.from_buffer(BYTES, made) for made in (first, second, *others)]
        if places[0] in places[1:] or places[1] in places[2:] or first != zeros or second != zeros:
            return False
        ffi.memmove(places[0], b"\xaa" * size, size)
        ffi.memmove(places[1], b"\x55" * size, size)
        if (first, second) != (b"\xaa" * size, b"\x55" * size):
            return False
        others += [make(size), bytes(bytearray(size)), bytes([0])]
        if any(made != zeros[: len(made)] for made in others):
            return False
    return True


IN_PLACE = sys.implementation.name == "cpython" and all(map(gives_own_memory, (bytes, _Subclass)))
ZEROS = bytes(1 << 16)  # to wipe with, piece by piece: a second copy would cost its memory


def foreign_output(size: int) -> Any:
    """Make room for a result in memory of cffi's own."""
    return ffi.new(BYTES, size)


def foreign_result(output: Any) -> bytes:
    """Copy a result out of such memory, which is wiped."""
    made: bytes = ffi.buffer(output)[:]
    for at in range(0, len(made), len(ZEROS)):
        ffi.memmove(output + at, ZEROS, min(len(ZEROS), len(made) - at))
    return made


_LARGE = 1 << 15


def output_of(kind: type[bytes], size: int) -> bytes:
    """Make zeros of a subclass of ``bytes`` for C to write into.

    ``kind(size)`` makes ``bytes`` and copies them; from a megabyte on, having the system bring
    memory for both takes three times as long as decrypting does.
    """
    if size < _LARGE or kind is bytes:
        return kind(size)
    allocate = late.loaded(_allocator)
    return kind(size) if allocate is None else allocate(kind, size)


def _allocator() -> Callable[[type[bytes], int], bytes] | None:
    from .subclasses import allocate  # only for large messages, for `ctypes` takes 10 ms

    return allocate


# Where it is not `bytes` yet, `returns_output` makes it so.
new_output: Callable[[int], bytes] = bytes if IN_PLACE else foreign_output


def _taken(made: Any) -> Any:
    if isinstance(made, tuple):
        return tuple(map(_taken, made))
    return foreign_result(made) if isinstance(made, ffi.CData) else made


def returns_output(function: CallT) -> CallT:
    """Have a function return as ``bytes`` each `new_output` that it returns.

    On CPython they are that already and this is the function itself: a call more for each result
    would take 3 % of sealing 64 bytes.
    """
    if IN_PLACE:
        return function

    from functools import wraps

    @wraps(function)
    def taking(*arguments: Any, **options: Any) -> Any:
        return _taken(function(*arguments, **options))

    return taking  # type: ignore[return-value]


class Memory:
    """Memory of ours that files are read into and C works in; no other object has it."""

    __slots__ = ("bytes", "place")

    def __init__(self, size: int) -> None:
        room = bytearray(size)
        # Not a view of the other one: CPython 3.10 and 3.11 crash when their garbage collector
        # meets such a pair in one cycle.
        self.bytes = memoryview(room)
        self.place = ffi.from_buffer(BYTES, room)

    def wipe(self) -> None:
        """Fill it with zeros."""
        lib.themis_wipe(self.place, len(self.bytes))


class Spare:
    """Memory that one read leaves to the next one, for ciphertext.

    Bytes made new for each step of a read had glibc return their memory to the system and ask for
    it again, which took three times as long as decrypting them.
    """

    __slots__ = ("_kept", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[Memory] = []

    def take(self) -> Memory:
        """Return memory that no other thread has."""
        try:
            return self._kept.pop()
        except IndexError:
            return Memory(self._size)

    def leave(self, memory: Memory) -> None:
        """Keep memory for a later read, of about as many threads as there may be."""
        if len(self._kept) < _THREADS:
            self._kept.append(memory)


_THREADS = 4
_PLAIN = (bytes, bytearray)  # which hold no references


def view(errors: Errors, data: Buffer | Secret, what: Argument) -> Any:
    """Return a view of a bytes-like object for C, without a copy; its ``len`` counts bytes.

    For speed, callers pass exact ``bytes`` to C without a view. Nothing else may skip it: a
    subclass can lie about its length.
    """
    if isinstance(data, str):
        wrong_type(errors, f"{what} must be bytes, not str; {_cure_of_text(data, what)}")
    try:
        if _is_memory(data):
            return ffi.from_buffer(BYTES, data)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        pass
    if isinstance(data, Secret):
        return _view_of_secret(errors, data, what)
    wanted = "text, bytes" if what.may_be_text else "bytes"
    found = f"{type(data).__name__}{_cure(data)}"
    return wrong_type(
        errors, f"{what} must be {wanted} or a contiguous bytes-like object, not {found}"
    )


def _view_of_secret(errors: Errors, secret: Secret, what: Argument) -> Any:
    """Return a view of bytes in guarded memory, which keeps them until it goes."""
    if not what.is_secret:
        wrong_type(
            errors,
            f"{what} must be bytes, not SecretKey, which is a key; were two arguments swapped?",
        )
    memory = secret._memory()
    if memory is None:
        wrong_value(errors, "this SecretKey is closed")
    return ffi.from_buffer(BYTES, memory)


def _cure_of_text(text: str, what: Argument) -> str:
    """Return advice for text in the place of bytes."""
    if what.nature == Nature.WRITTEN:
        return "encode text first: 'text'.encode()"
    if what.nature == Nature.KEY:
        known = late.recognised(lambda it: it.words(text, *it.THEMIS_KEYS, by_size=it.KEYS_BY_SIZE))
        return known or "base64.b64decode(text) reads base64, skeygen.from_pem(text) reads PEM"
    return (
        late.recognised(lambda it: it.words(text))
        or "if it is base64, decode it first: base64.b64decode(text)"
    )


def _cure(data: Any) -> str:
    """Return advice for something that is almost bytes; empty if there is none."""
    if hasattr(data, "read") or hasattr(data, "__fspath__"):
        return "; give what is in the file: pathlib.Path(...).read_bytes()"
    if holds_references(data):
        return "; an array of Python objects holds no bytes, but where they are"
    try:
        return "" if memoryview(data).c_contiguous else "; bytes(...) of it is contiguous"
    except (TypeError, ValueError, BufferError):
        return ""


def _is_memory(data: Any) -> bool:
    """Return whether a buffer, or what it is a view of, holds its data and not addresses of it."""
    exporter = data.obj if type(data) is memoryview else data
    return type(exporter) in _PLAIN or not holds_references(exporter)


def holds_references(data: Any) -> bool:
    """Return whether this is a numpy array of Python objects.

    Its bytes are addresses, not what they lead to; writing over them crashes the interpreter.
    """
    return getattr(getattr(data, "dtype", None), "hasobject", False) is True


def copied(errors: Errors, data: Any, what: Argument) -> bytes:
    """Return exact ``bytes``; a copy if the data is something else.

    For input that C reads twice, first to check and then to use it: other threads, or processes
    that share the memory, may write to it in between.
    """
    made: bytes = data if type(data) is bytes else ffi.buffer(view(errors, data, what))[:]
    return made


def seen(data: Any) -> Any:
    """Return data of a view for C as Python reads it."""
    return ffi.buffer(data) if isinstance(data, ffi.CData) else data


def writable_view(errors: Errors, buffer: Buffer, what: str) -> Any:
    """Return a view of a buffer that C writes into."""
    if not isinstance(buffer, (str, bytes)):
        try:
            if _is_memory(buffer):
                return ffi.from_buffer(BYTES, buffer, require_writable=True)
        except (TypeError, ValueError, BufferError):
            pass
    kind = type(buffer).__name__
    return wrong_type(
        errors, f"{what} must be a writable, contiguous buffer such as a bytearray, not {kind}"
    )


def check_room(errors: Errors, room_size: int, size: int) -> None:
    """Refuse a buffer that is too small for a result of this size."""
    if room_size < size:
        text = f"the buffer has {room_size} bytes, and the result {size}"
        raise errors.wrong_value(BUFFER_TOO_SMALL, text)


def clash(room: Any, size: int, data: Any, same: tuple[int, int] | None = None) -> bool:
    """Return whether writing ``size`` bytes would overwrite input that is still to be read.

    With ``same``, the byte of the room at the first offset and the byte of the data at the second
    may be one and the same: then each byte is read just before it is written. Exact ``bytes`` never
    overlaps, because it is not writable.
    """
    if type(data) is bytes or not lib.short_overlap(room, size, data, len(data)):
        return False
    return same is None or bool(room + same[0] != data + same[1])


def steady(errors: Errors, room: Any, size: int, data: Any, same: tuple[int, int]) -> Any:
    """Return a copy of input that C reads twice (see `copied`), unless the result overwrites it.

    The result may overwrite it as `clash` allows for ``same``. Then it must not change meanwhile.
    """
    if not clash(room, size, data):
        return data if type(data) is bytes else ffi.buffer(data)[:]
    if clash(room, size, data, same):
        refuse_clash(errors)
    return data


def refuse_clash(errors: Errors) -> NoReturn:
    """Refuse a buffer that overlaps an input."""
    wrong_value(errors, "the buffer overlaps an input at an unsupported offset")
