# SPDX-License-Identifier: Apache-2.0
"""What all cryptosystems share: errors, buffers, objects that own something prepared in C.

Buffers go in without a copy, results come out as ``bytes`` that C wrote once, a status becomes
an exception.
"""

from __future__ import annotations

import sys
from functools import partial
from operator import is_
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

from pythemis._themis import ffi, lib

from .annotations import Buffer, Self
from .arguments import Argument, Nature
from .start import start

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE_MAX: int = lib.THEMIS_CELL_MESSAGE_MAX  # bytes; also of a Secure Message
SUCCESS: int = lib.THEMIS_SUCCESS
FAIL: int = lib.THEMIS_FAIL
INVALID_PARAMETER: int = lib.THEMIS_INVALID_PARAMETER
DATA_CORRUPT: int = lib.THEMIS_DATA_CORRUPT
INVALID_SIGNATURE: int = lib.THEMIS_INVALID_SIGNATURE
NOT_SUPPORTED: int = lib.THEMIS_NOT_SUPPORTED
BUFFER_TOO_SMALL: int = lib.THEMIS_BUFFER_TOO_SMALL

# Types of cffi are looked up where modules are imported, here and in the others: where threads ask
# for types by name for the first time, at the same time, PyPy gives one thread the type of another.
BYTES = ffi.typeof("uint8_t[]")
SIZE = ffi.typeof("size_t *")

start()


def status_code(name: str) -> int:
    """Look up the number of a status by its name."""
    code: int = getattr(lib, f"THEMIS_{name}")
    return code


# ---- Errors ----


class Errors(NamedTuple):
    """The exceptions of one cryptosystem; each is made of (error_code, message)."""

    failed: Callable[[int, str], Exception]
    wrong_type: Callable[[int, str], Exception]
    wrong_value: Callable[[int, str], Exception]


def wrong_type(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its type."""
    raise errors.wrong_type(INVALID_PARAMETER, message)


def wrong_value(errors: Errors, message: str) -> NoReturn:
    """Refuse an argument for its value."""
    raise errors.wrong_value(INVALID_PARAMETER, message)


def failed(errors: Errors, status: int, refusals: dict[int, str] | None = None) -> NoReturn:
    """Turn a status into an exception, in the words that ``refusals`` has for it."""
    raise errors.failed(status, (refusals or {}).get(status) or status_text(status))


def wrong_size(errors: Errors, what: str, size: int, most: int = MESSAGE_MAX) -> NoReturn:
    """Refuse a message that is empty or too long."""
    raise size_error(errors, what, size, most)


def size_error(errors: Errors, what: str, size: int, most: int = MESSAGE_MAX) -> Exception:
    """Make the error for such a message."""
    text = f"{what} has {size} bytes; it must have 1 to {most}"
    return errors.wrong_value(INVALID_PARAMETER, text)


def status_text(status: int) -> str:
    """Give the core's own words for a status."""
    text: str = ffi.string(lib.themis_status_text(status)).decode()
    return text


# ---- Buffers ----
#
# A function that holds views drops them however it ends (`finally: del`). An exception keeps the
# frames that it went through: views in them would lock the caller's bytearrays and memoryviews
# for as long as the exception lives, and CPython 3.10 and 3.11 crash when their garbage collector
# meets a memoryview with a view of it in one cycle.

# On CPython C writes into a fresh `bytes` that nothing else has seen yet. PyPy moves its objects,
# so there C writes into memory of cffi's own, which is copied and wiped. The same happens where
# `bytes(n)` shares its memory, as CPython itself does with `b"x"` and `bytes([n])`.
_PROBED = (*range(1, 65), 255, 256, 257, 512, 513, 4095, 4096, 1 << 16)


class _Subclass(bytes):
    """A class of one's own, such as a session's messages have."""


def gives_own_memory(make: Callable[[int], bytes]) -> bool:
    """Return whether each call makes bytes in memory of their own, for every class of sizes.

    Nothing is written before the addresses differ: writing into shared memory does the harm that
    this looks for.
    """
    for size in _PROBED:
        first, second = make(size), make(size)
        others = [make(size), bytes(bytearray(size)), bytes([0])]
        places = [ffi.from_buffer(BYTES, made) for made in (first, second, *others)]
        if places[0] in places[1:] or places[1] in places[2:] or any((*first, *second)):
            return False
        ffi.memmove(places[0], b"\xaa" * size, size)
        ffi.memmove(places[1], b"\x55" * size, size)
        if (first, second) != (b"\xaa" * size, b"\x55" * size):
            return False
        if any(map(any, (*others, make(size), bytes(bytearray(size)), bytes([0])))):
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


new_output: Callable[[int], Any] = bytes if IN_PLACE else foreign_output


_PLAIN = (bytes, bytearray)  # quickly told


def view(errors: Errors, data: Buffer, what: Argument) -> Any:
    """See a bytes-like object as C sees it, without a copy; ``len`` of the view counts bytes.

    Where speed matters, exactly ``bytes`` goes to C without a view. Nothing else may: a subclass
    can lie about its length.
    """
    if isinstance(data, str):
        wrong_type(errors, f"{what} must be bytes, not str; {_cure_of_text(data, what)}")
    try:
        if _is_memory(data):
            return ffi.from_buffer(BYTES, data)
    except (TypeError, ValueError, BufferError):
        pass
    wanted = "text, bytes" if what.may_be_text else "bytes"
    found = f"{type(data).__name__}{_cure(data)}"
    return wrong_type(
        errors, f"{what} must be {wanted} or a contiguous bytes-like object, not {found}"
    )


def _cure_of_text(text: str, what: Argument) -> str:
    """Say what to do with text in the place of bytes."""
    if what.nature is Nature.WRITTEN:
        return "encode text first: 'text'.encode()"
    from . import recognise  # only where something is refused

    if what.nature is Nature.KEY:
        own, by_size = recognise.THEMIS_KEYS, recognise.KEYS_BY_SIZE
        known = recognise.words(text, *own, by_size=by_size)
        return known or "base64.b64decode(text) reads base64, skeygen.from_pem(text) reads PEM"
    return recognise.words(text) or "if it is base64, decode it first: base64.b64decode(text)"


def _cure(data: Any) -> str:
    """Say what to do with something that is almost bytes; empty where nothing helps."""
    if hasattr(data, "read") or hasattr(data, "__fspath__"):
        return "; give what is in the file: pathlib.Path(...).read_bytes()"
    if holds_references(data):
        return "; an array of Python objects holds no bytes, but where they are"
    try:
        return "" if memoryview(data).c_contiguous else "; bytes(...) of it is contiguous"
    except (TypeError, ValueError, BufferError):
        return ""


def _is_memory(data: Any) -> bool:
    """Tell whether the bytes of a buffer, or of what it is a view of, are what it holds."""
    exporter = data.obj if type(data) is memoryview else data
    return type(exporter) in _PLAIN or not holds_references(exporter)


def holds_references(data: Any) -> bool:
    """Tell whether this is a numpy array of Python objects.

    Its bytes are addresses, not what they lead to; writing over them crashes the interpreter.
    """
    return getattr(getattr(data, "dtype", None), "hasobject", False) is True


def copied(errors: Errors, data: Any, what: Argument) -> bytes:
    """Give exactly ``bytes``, a copy if it was something else.

    For what C judges and then uses: it reads it twice, and other threads, or processes that share
    the memory, may write to it meanwhile.
    """
    made: bytes = data if type(data) is bytes else ffi.buffer(view(errors, data, what))[:]
    return made


def seen(data: Any) -> Any:
    """See data that C sees as Python sees it."""
    return ffi.buffer(data) if isinstance(data, ffi.CData) else data


def writable_view(errors: Errors, buffer: Buffer, what: str) -> Any:
    """See a buffer that C writes into."""
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
    """Tell whether writing ``size`` bytes would spoil what is read meanwhile.

    With ``same``, the byte of the room at the first number and the byte of the data at the second
    may be one: then each byte is read just before it is written. Exactly ``bytes`` is never in
    the way, for it is no buffer to write into.
    """
    if type(data) is bytes or not lib.themis_overlap(room, size, data, len(data)):
        return False
    return same is None or bool(room + same[0] != data + same[1])


def steady(errors: Errors, room: Any, size: int, data: Any, same: tuple[int, int]) -> Any:
    """Give what C judges and uses as a copy (see `copied`), unless it lies where the result comes.

    There it may lie as `clash` has it for ``same``, and nobody else may write to it.
    """
    if not clash(room, size, data):
        return data if type(data) is bytes else ffi.buffer(data)[:]
    if clash(room, size, data, same):
        refuse_clash(errors)
    return data


def refuse_clash(errors: Errors) -> NoReturn:
    """Refuse such a buffer."""
    wrong_value(errors, "the buffer overlaps what is read, and not where it may")


# ---- Handles ----


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


# ---- Objects that own something prepared in C ----


class Owner:
    """Owns what the C core prepared: made once, never copied, never shown."""

    _errors: ClassVar[Errors]
    # All that it owns, in one object: a method reads this once, and what it found belongs together
    # whatever other threads, callbacks and signal handlers do meanwhile. None where the object is
    # closed, and where super().__init__() was forgotten.
    _held: Any = None
    _made = False  # read by __init__ alone
    _refusal: ClassVar[str] = "holds a secret and cannot be pickled or copied"

    def close(self) -> None:
        """Forget the secret; its memory is wiped once no call in another thread uses it.

        Closing again is fine; any other use of a closed object is an error.
        """
        replace(self, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self._held is None else ""
        return f"<{type(self).__module__}.{type(self).__qualname__}{state}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            f"{type(self).__qualname__} {self._refusal}; make another one where it is needed"
        )


class Immutable(Owner):
    """An owner of what never changes: copying it, also deeply, returns the object itself."""

    _refusal = "holds a secret and cannot be pickled"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


def own(owner: Owner, make: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    """Make what an object owns, in its ``__init__``: once, for good."""
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
    """Give an object what it owns from now on.

    Not through its ``__dict__``, with which Python would find its attributes more slowly, nor
    through a ``__setattr__`` of a subclass.
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
