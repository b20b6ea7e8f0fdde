# SPDX-License-Identifier: Apache-2.0
"""Keyrings, and the values stored under their keys."""

from __future__ import annotations

from typing import Any, NamedTuple

from pythemis._themis import ffi, lib

from . import forks, late, legacy
from .arguments import CONTEXT, KEY, MESSAGE, STORED
from .buffers import BYTES, copied, new_output, returns_output, view
from .errors import (
    FAIL,
    INVALID_PARAMETER,
    MESSAGE_MAX,
    NOT_SUPPORTED,
    SUCCESS,
    Errors,
    failed,
    size_error,
    status_text,
    wrong_value,
)
from .owner import Owner, kept, opened, places
from .secret import SecretKey

ID_SIZE: int = lib.THEMIS_RING_ID_SIZE
PAYLOAD_MAX: int = lib.THEMIS_RING_PAYLOAD_MAX
OVERHEAD: int = lib.THEMIS_RING_OVERHEAD
TOKEN_SIZE: int = lib.THEMIS_CELL_TOKEN_SIZE
MAGIC = b"TK1"
RESERVED = b"TSFILE1"
PROMOTE: int = lib.THEMIS_RING_PROMOTE
RETIRE: int = lib.THEMIS_RING_RETIRE
REMOVE: int = lib.THEMIS_RING_REMOVE
DROP_LEGACY: int = lib.THEMIS_RING_DROP_LEGACY

_PREFIX_SIZE: int = lib.THEMIS_RING_PREFIX_SIZE
_CELL_BEGINS = bytes.fromhex("00010140 0c000000 10000000")  # what a strict cell begins with
_LEAST_RANDOM = 16  # bytes; a shorter key may have been thought up
_ring = places("ring")
_secret = places("secret")
_WHY = ffi.typeof("char const **")
_ID = ffi.typeof("uint8_t[]")
_SIZE = ffi.typeof("size_t *")
_NUMBER = ffi.typeof("uint64_t *")


class KeyInfo(NamedTuple):
    """What a keyring tells about one of its keys.

    Attributes:
        id: 10 lower-case hex digits.
        created: when the key was added, in seconds since 1970 UTC; information only.
        state: "active" or "retired".
        primary: whether new values are written under this key.
    """

    id: str
    created: int
    state: str
    primary: bool


KeyInfo.__module__ = "pythemis.keyring"


class Ring:
    """A ring of C, and what is public of it. It never changes, but for what file it is of.

    Attributes:
        origin: what the file held that the ring, or one that it was made of, was last read from or
            written to; for the keyring's files alone.
    """

    __slots__ = (
        *("handle", "keys", "legacy_count", "name", "origin", "prefix", "version"),
        "__weakref__",
    )

    def __init__(self, handle: Any, origin: Any = None) -> None:
        size = ffi.new(_SIZE)
        self.handle = handle
        self.origin = origin
        self.name: str = ffi.buffer(lib.themis_ring_name(handle, size), size[0])[:].decode()
        self.version: int = lib.themis_ring_version(handle)
        self.legacy_count: int = lib.themis_ring_legacy_count(handle)
        self.keys = tuple(_keys(handle))
        primary = [key.id for key in self.keys if key.primary]
        self.prefix = MAGIC + bytes.fromhex(primary[0]) if primary else b""
        forks.watch(self)

    def _after_fork(self) -> None:
        lib.themis_ring_lock(self.handle)  # a child inherits no locks


def _keys(handle: Any) -> list[KeyInfo]:
    made: list[KeyInfo] = []
    key_id, created = ffi.new(_ID, ID_SIZE), ffi.new(_NUMBER)
    while state := lib.themis_ring_key(handle, len(made), key_id, created):
        retired = state == lib.THEMIS_RING_RETIRED
        made.append(
            KeyInfo(
                bytes(key_id).hex(),
                created[0],
                "retired" if retired else "active",
                state == lib.THEMIS_RING_PRIMARY,
            )
        )
    return made


# ---- Rings ----


def new(errors: Errors, name: str) -> Ring:
    """Make a ring that has no keys yet."""
    encoded = name.encode("ascii", "replace")
    made = _ring()
    status = lib.themis_ring_new(encoded, len(encoded), made)
    if status == INVALID_PARAMETER:
        wrong_value(
            errors,
            "this is not the name of a keyring: 1 to 64 characters of a-z, 0-9, '.', '_' and '-', "
            "the first a letter or digit",
        )
    if status != SUCCESS:
        failed(errors, status)
    return Ring(kept(made))


def read(errors: Errors, payload: Any) -> Ring:
    """Read a ring from its payload, which is the caller's to wipe."""
    seen = ffi.from_buffer(BYTES, payload)
    made, why = _ring(), ffi.new(_WHY)
    status = lib.themis_ring_read(seen, len(seen), made, why)
    del seen, payload
    _check(errors, status, why, "this is not a keyring: ")
    return Ring(kept(made))


def wipe(payload: bytearray) -> None:
    """Fill a payload with zeros."""
    lib.themis_wipe(ffi.from_buffer(BYTES, payload), len(payload))


def payload_of(ring: Ring) -> Any:
    """Return the payload of a ring, memory that goes with the ring; empty if it has no keys."""
    size = ffi.new(_SIZE)
    place = lib.themis_ring_payload(ring.handle, size)
    return ffi.buffer(place, size[0]) if size[0] else b""


def add(errors: Errors, ring: Ring, created: int, key: Any) -> Ring:
    """Add a key, or a new one."""
    made, why = _ring(), ffi.new(_WHY)
    place = ffi.NULL if key is None else view(errors, key, KEY)
    size = 0 if key is None else len(place)
    status = lib.themis_ring_add(ring.handle, created, place, size, made, why)
    del place, key
    _check(errors, status, why, "the key is not added: ")
    return Ring(kept(made), ring.origin)


def add_legacy(errors: Errors, ring: Ring, key: Any) -> Ring:
    """Add a key that reads bare cells, with a warning if it may have been thought up."""
    made, why = _ring(), ffi.new(_WHY)
    place = view(errors, key, KEY)
    status = lib.themis_ring_add_legacy(ring.handle, place, len(place), made, why)
    weak = len(place) < _LEAST_RANDOM or _is_text(ffi.buffer(place))
    del place, key
    _check(errors, status, why, "the legacy key is not added: ")
    if weak:
        legacy.warn(
            "the legacy key looks thought up: it is text, or has fewer than 16 bytes. Anyone who "
            "can write cells can test guesses of it; rotate what it reads, and then drop it",
            UserWarning,
        )
    return Ring(kept(made), ring.origin)


def _is_text(key: Any) -> bool:
    """Return whether a key consists of printable characters, without a copy of it."""
    with memoryview(key) as seen:
        return all(32 <= byte < 127 for byte in seen)


def change(errors: Errors, ring: Ring, kind: int, key_id: bytes, what: str) -> Ring:
    """Promote, retire or remove a key, or drop the legacy keys."""
    made, why = _ring(), ffi.new(_WHY)
    status = lib.themis_ring_change(ring.handle, kind, key_id, made, why)
    _check(errors, status, why, f"{what}: ")
    return Ring(kept(made), ring.origin)


def pairs(errors: Errors, ring: Ring) -> list[tuple[bytes, SecretKey]]:
    """Return all keys with their ids, for slots of sealed files; the primary key is the first."""
    made: list[tuple[bytes, SecretKey]] = []
    for index, key in enumerate(ring.keys):
        pair = bytes.fromhex(key.id), _secret_at(errors, ring, index)
        made.insert(0 if key.primary else len(made), pair)
    return made


def legacy_secrets(errors: Errors, ring: Ring) -> list[SecretKey]:
    """Return the legacy keys in their order, for files that are ordinary cells."""
    first = len(ring.keys)
    return [_secret_at(errors, ring, first + index) for index in range(ring.legacy_count)]


def _secret_at(errors: Errors, ring: Ring, index: int) -> SecretKey:
    place = _secret()
    status = lib.themis_ring_secret(ring.handle, index, place)
    if status != SUCCESS:
        failed(errors, status)
    return SecretKey._of(place)


def are_apart(errors: Errors, ring: Ring, index: Ring) -> bool:
    """Return whether a ring of index keys is another one than a ring that seals, without its keys.

    The ids of one key differ between rings, and so equal keys are told by what they make.
    """
    made = [
        set(blind_indexes(errors, each, b"", b"")) if each.prefix else set()
        for each in (ring, index)
    ]
    return ring.name != index.name and made[0].isdisjoint(made[1])


def pin(errors: Errors, ring: Ring, key_id: bytes) -> str:
    """Return the pin of a key, in hex."""
    made = ffi.new(_ID, lib.THEMIS_RING_PIN_SIZE)
    status = lib.themis_ring_pin(ring.handle, key_id, made)
    if status == INVALID_PARAMETER:
        wrong_value(errors, f"the ring has no key {key_id.hex()}")
    if status != SUCCESS:
        failed(errors, status)
    return bytes(made).hex()


def blind_indexes(errors: Errors, ring: Ring, names: bytes, data: bytes) -> list[bytes]:
    """Return the blind index of 256 bits under each key, the newest key last."""
    made = ffi.new(_ID, lib.THEMIS_RING_INDEX_SIZE)
    return [_blind_index(errors, ring, each, (names, data), made) for each in range(len(ring.keys))]


def blind_index(errors: Errors, ring: Ring, names: bytes, data: bytes) -> bytes:
    """Return the blind index of 256 bits under the primary key."""
    if not ring.prefix:
        raise without_keys(errors)
    primary = [key.primary for key in ring.keys].index(True)
    made = ffi.new(_ID, lib.THEMIS_RING_INDEX_SIZE)
    return _blind_index(errors, ring, primary, (names, data), made)


def _blind_index(
    errors: Errors, ring: Ring, number: int, what: tuple[bytes, bytes], made: Any
) -> bytes:
    names, data = what
    status = lib.short_ring_blind_index(
        ring.handle, number, names, len(names), data, len(data), made
    )
    if status != SUCCESS:
        failed(errors, status)
    return bytes(made)


def is_stored(data: bytes) -> bool:
    """Return whether data has exactly the form of a stored value, which other data never has."""
    size = len(data) - OVERHEAD
    return data[:3] == MAGIC and size > 0 and data[_PREFIX_SIZE : _PREFIX_SIZE + 16] == _token(size)


def _token(size: int) -> bytes:
    return _CELL_BEGINS + (size & 0xFFFFFFFF).to_bytes(4, "little")


def why_not_after(before: Ring, after: Ring) -> str:
    """Return why a program may not go on from one ring to the other; empty if it may."""
    why = ffi.new(_WHY)
    status = lib.themis_ring_follows(before.handle, after.handle, why)
    return "" if status == SUCCESS else ffi.string(why[0]).decode()


def _check(errors: Errors, status: int, why: Any, before: str) -> None:
    if status == INVALID_PARAMETER and why[0] != ffi.NULL:
        wrong_value(errors, before + ffi.string(why[0]).decode())
    if status != SUCCESS:
        failed(errors, status)


# ---- Stored values ----


def without_keys(errors: Errors) -> Exception:
    """Make the error for a ring that cannot encrypt yet."""
    return errors.wrong_value(
        INVALID_PARAMETER, "the ring has no keys yet: ring = ring.add() makes the first one"
    )


def reserved(errors: Errors) -> Exception:
    """Make the error for a context that belongs to sealed files."""
    return errors.wrong_value(
        INVALID_PARAMETER,
        "the context begins with TSFILE1, as those of sealed files do; use another, such as "
        "place(table, column, id)",
    )


def refusal(ring: Ring, status: int, stored: bytes) -> str:
    """Describe why a stored value was refused with this status, from its public parts."""
    is_bare = stored[:3] != MAGIC
    if status == NOT_SUPPORTED:
        return (
            f"this stored value is of version {stored[2:3].decode()}; this pythemis reads version "
            "1: install a newer one"
        )
    if status == INVALID_PARAMETER:
        own = "SEAL_CELL" if is_bare else "STORED_VALUE"
        why = late.recognised(lambda it: it.why_not(stored, it.Kind[own])) or late.UNTOLD
        return f"this is neither a stored value nor a Seal cell made with a key{why}"
    if status != FAIL:
        return status_text(status)
    if not is_bare:
        key_id = stored[3:_PREFIX_SIZE].hex()
        if key_id in [key.id for key in ring.keys]:
            return "decryption failed: check the context; or the data is corrupted"
        return (
            f"the ring has no key {key_id}: the value is of another ring, of a newer version of "
            "this one (load it), or of a key that was removed"
        )
    if not ring.legacy_count:
        return (
            "this is a cell without a key id, and the ring has no legacy keys; add_legacy(key) "
            "lets a ring read cells that were written before there was a ring"
        )
    return "decryption failed: check the legacy keys and the context; or the data is corrupted"


def refused(
    errors: Errors, ring: Ring, status: int, stored: bytes | None, context: bytes
) -> Exception:
    """Make the error for a value that C refused; it is not raised here, for its traceback."""
    if status == INVALID_PARAMETER and context.startswith(RESERVED):
        return reserved(errors)
    if stored is not None:
        return errors.failed(status, refusal(ring, status, stored))
    if status == INVALID_PARAMETER and not ring.prefix:
        return without_keys(errors)
    return errors.failed(status, status_text(status))


@returns_output
def encrypt(owner: Owner, message: Any, context: Any) -> bytes:
    """Encrypt under the primary key."""
    try:
        if type(message) is not bytes:
            message = view(owner._errors, message, MESSAGE)
        if context is None:
            context = b""
        elif type(context) is not bytes:
            context = copied(owner._errors, context, CONTEXT)
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            raise size_error(owner._errors, MESSAGE, size)
        ring = owner._held or opened(owner)
        room = size + OVERHEAD
        output = new_output(room)
        status = lib.short_ring_encrypt(
            ring.handle, message, size, context, len(context), output, room
        )
        if status != SUCCESS:
            raise refused(owner._errors, ring, status, None, context)
        return output
    finally:
        del message, context


@returns_output
def decrypt(owner: Owner, stored: Any, context: Any) -> bytes:
    """Decrypt under the key that the prefix names, or under the legacy keys."""
    if type(stored) is not bytes:
        stored = copied(owner._errors, stored, STORED)
    if context is None:
        context = b""
    elif type(context) is not bytes:
        context = copied(owner._errors, context, CONTEXT)
    ring = owner._held or opened(owner)
    size = len(stored)
    room = size - (OVERHEAD if stored[:3] == MAGIC else TOKEN_SIZE)
    if room <= 0:
        raise refused(owner._errors, ring, INVALID_PARAMETER, stored, context)
    output = new_output(room)
    status = lib.short_ring_decrypt(ring.handle, stored, size, context, len(context), output, room)
    if status != SUCCESS:
        raise refused(owner._errors, ring, status, stored, context)
    return output


@returns_output
def rotate(owner: Owner, stored: Any, context: Any) -> bytes:
    """Encrypt under the primary key what a stored value holds, which Python never sees."""
    if type(stored) is not bytes:
        stored = copied(owner._errors, stored, STORED)
    if context is None:
        context = b""
    elif type(context) is not bytes:
        context = copied(owner._errors, context, CONTEXT)
    ring = owner._held or opened(owner)
    if not ring.prefix:
        raise without_keys(owner._errors)
    size = len(stored)
    room = size + (0 if stored[:3] == MAGIC else _PREFIX_SIZE)
    if room <= OVERHEAD:
        raise refused(owner._errors, ring, INVALID_PARAMETER, stored, context)
    output = new_output(room)
    status = lib.short_ring_rotate(ring.handle, stored, size, context, len(context), output, room)
    if status != SUCCESS:
        raise refused(owner._errors, ring, status, stored, context)
    return output


def needs_rotation(owner: Owner, stored: Any) -> bool:
    """Return whether a value is not of the primary key, by its first 8 bytes."""
    if type(stored) is not bytes:
        stored = copied(owner._errors, stored, STORED)
    ring: Ring = owner._held or opened(owner)
    if stored[:_PREFIX_SIZE] == ring.prefix:
        return False
    if stored[:3] == MAGIC and len(stored) > OVERHEAD:
        return True
    return key_id(owner, stored) != ring.prefix[3:].hex()


def key_id(owner: Owner, stored: Any) -> str | None:
    """Return the id in a stored value; None of a bare cell."""
    if type(stored) is not bytes:
        stored = copied(owner._errors, stored, STORED)
    ring = owner._held or opened(owner)
    if stored[:3] == MAGIC and len(stored) > OVERHEAD:
        named: str = stored[3:_PREFIX_SIZE].hex()
        return named
    if stored[:3] != MAGIC and stored[:2] == MAGIC[:2] and stored[2:3].isdigit():
        raise refused(owner._errors, ring, NOT_SUPPORTED, stored, b"")
    if stored[:4] == b"\0\1\1\x40" and len(stored) > TOKEN_SIZE:
        return None
    raise refused(owner._errors, ring, INVALID_PARAMETER, stored, b"")
