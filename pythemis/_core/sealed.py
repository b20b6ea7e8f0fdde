# SPDX-License-Identifier: Apache-2.0
"""Sealed files: header, slots and chunks (specification, section 8).

The file key stays in C. A handle of a file that is read has none until a slot was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pythemis._themis import ffi, lib

from .arguments import KEY, PASSPHRASE, PRIVATE, Argument, Nature
from .buffers import BYTES, IN_PLACE, SIZE, new_output, returns_output, view
from .errors import (
    DATA_CORRUPT,
    FAIL,
    INVALID_PARAMETER,
    NOT_SUPPORTED,
    SUCCESS,
    Errors,
    failed,
    wrong_value,
)
from .keys import inspect, key_error, view_of_key
from .owner import kept, places

if TYPE_CHECKING:
    pass

START_SIZE: int = lib.THEMIS_SEALED_START_SIZE
MAC_SIZE: int = lib.THEMIS_SEALED_MAC_SIZE
SLOTS_MAX: int = lib.THEMIS_SEALED_SLOTS_MAX
SLOTS_MAX_SIZE: int = lib.THEMIS_SEALED_SLOTS_MAX_SIZE
LOG2_MIN: int = lib.THEMIS_SEALED_LOG2_MIN
LOG2_MAX: int = lib.THEMIS_SEALED_LOG2_MAX
LAST_MIN: int = lib.THEMIS_SEALED_LAST_MIN
KEY_MIN_SIZE: int = lib.THEMIS_SEALED_KEY_MIN_SIZE
KEY_ID_SIZE: int = lib.THEMIS_SEALED_KEY_ID_SIZE
CHUNK_GROWTH: int = lib.THEMIS_CELL_TOKEN_SIZE
LEAST_ITERATIONS: int = lib.THEMIS_PASSPHRASE_ITERATIONS
ITERATIONS_LIMIT: int = lib.THEMIS_PASSPHRASE_ITERATIONS_LIMIT

KEY_SLOT: int = lib.THEMIS_SEALED_KEY
PASSPHRASE_SLOT: int = lib.THEMIS_SEALED_PASSPHRASE
RECIPIENT_SLOT: int = lib.THEMIS_SEALED_RECIPIENT
SENDER_SLOT: int = lib.THEMIS_SEALED_SENDER
SERVICE_SLOT: int = lib.THEMIS_SEALED_SERVICE

SENDER = Argument("the sender", Nature.KEY)
RECIPIENT = Argument("the recipient", Nature.KEY)

_sealed = places("sealed")
_passphrase = places("passphrase")
_stretch = places("stretch")
_TEXT = ffi.typeof("char const **")
_FIELDS = ffi.typeof("uint32_t[5]")
_LEFT = ffi.typeof("uint32_t *")
_NAME_SIZE: int = lib.THEMIS_SEALED_NAME_SIZE
_PUBLIC_SIZE: int = lib.THEMIS_SEALED_PUBLIC_SIZE
_DIGEST_SIZE: int = lib.THEMIS_SEALED_DIGEST_SIZE
_PLAIN_SIZE: int = lib.THEMIS_SEALED_PLAIN_SIZE


class Slot(NamedTuple):
    """A slot of a header: what everyone can see of it."""

    kind: int
    id: bytes
    body: bytes
    iterations: int  # of a passphrase slot, else 0
    encoded: bytes


def malformed(errors: Errors, why: str, status: int = DATA_CORRUPT) -> NoReturn:
    """Refuse a file for what everyone can see."""
    raise errors.failed(status, f"the sealed file is malformed: {why}")


def _refuse(errors: Errors, status: int, why: Any, slot: int = 0) -> NoReturn:
    """Refuse a header for the reason that C names."""
    if why[0] == ffi.NULL:
        failed(errors, status)
    text = ffi.string(why[0]).decode()
    if status == INVALID_PARAMETER:
        raise errors.failed(status, f"this is not a sealed file: {text}")
    if status == NOT_SUPPORTED:
        text = "the sealed file is of a later version of the format; a newer pythemis may read it"
        raise errors.failed(status, text)
    malformed(errors, f"slot {slot}: {text}" if slot else text, status)


def size(errors: Errors, start: bytes) -> int:
    """Return how many bytes header and mac have, from the first bytes of a file."""
    made, why = ffi.new(SIZE), ffi.new(_TEXT)
    status = lib.themis_sealed_size(start, len(start), made, why)
    if status != SUCCESS:
        _refuse(errors, status, why)
    found: int = made[0]
    return found


def read(errors: Errors, head: bytes, context: bytes) -> Any:
    """Check header and mac as far as it takes no key; return a handle."""
    made, why, slot = _sealed(), ffi.new(_TEXT), ffi.new(SIZE)
    status = lib.themis_sealed_read(head, len(head), context, len(context), made, why, slot)
    if status != SUCCESS:
        _refuse(errors, status, why, slot[0])
    return kept(made)


def slots(sealed: Any, head: bytes) -> list[Slot]:
    """Return the slots of the header that a handle was made of."""
    fields = ffi.new(_FIELDS)
    found = []
    for index in range(lib.themis_sealed_count(sealed)):
        lib.themis_sealed_describe(sealed, index, fields)
        kind, at, id_size, body_size, iterations = fields
        body = at + id_size
        end = body + body_size
        start = at - lib.THEMIS_SEALED_SLOT_START_SIZE
        found.append(Slot(kind, head[at:body], head[body:end], iterations, head[start:end]))
    return found


def new(errors: Errors, log2: int, context: bytes) -> Any:
    """Draw the key of a new file; return a handle."""
    made = _sealed()
    status = lib.themis_sealed_new(log2, context, len(context), made)
    if status != SUCCESS:
        failed(errors, status)
    return kept(made)


def again(errors: Errors, sealed: Any, context: bytes) -> Any:
    """Return a handle with the same file key for another header."""
    made = _sealed()
    status = lib.themis_sealed_again(sealed, context, len(context), made)
    if status != SUCCESS:
        failed(errors, status)
    return kept(made)


def log2(sealed: Any) -> int:
    """Return the binary logarithm of a piece's size."""
    found: int = lib.themis_sealed_log2(sealed)
    return found


def context_digest(sealed: Any) -> bytes:
    """Return the digest of the context that a file is bound to."""
    made = ffi.new(BYTES, _DIGEST_SIZE)
    lib.themis_sealed_digest(sealed, made)
    digest: bytes = ffi.buffer(made)[:]
    return digest


def name(errors: Errors, key: Any, what: Argument, *, is_private: bool) -> tuple[bytes, bytes]:
    """Return the name of a key on P-256 and its public half, compressed."""
    made, public = ffi.new(BYTES, _NAME_SIZE), ffi.new(BYTES, _PUBLIC_SIZE)
    key_view = view_of_key(errors, key, what)
    try:
        kind = inspect(key_view)[1]
        status = lib.themis_sealed_name(key_view, len(key_view), made, public)
        if status == SUCCESS and kind is not None and kind.is_private == is_private:
            return ffi.buffer(made)[:], ffi.buffer(public)[:]
        if kind is not None and kind.is_private == is_private and status == INVALID_PARAMETER:
            wrong_value(errors, f"{what} must be an EC key of 256 bits (P-256) for sealed files")
        raise key_error(errors, status or INVALID_PARAMETER, what, key_view, is_private=is_private)
    finally:
        del key_view


# ---- Slots, reading: whether the slot at this index opens ----


def _opened(errors: Errors, status: int) -> bool:
    if status not in (SUCCESS, FAIL):
        failed(errors, status)
    return status == SUCCESS


def open_key(errors: Errors, sealed: Any, index: int, key: Any) -> bool:
    """Try a key slot."""
    key = view(errors, key, KEY)
    try:
        if len(key) == 0:
            wrong_value(errors, "the key is empty")
        return _opened(errors, lib.themis_sealed_open_key(sealed, index, key, len(key)))
    finally:
        del key


def open_recipient(errors: Errors, sealed: Any, index: int, private_key: Any) -> bool:
    """Try a recipient slot."""
    key = view_of_key(errors, private_key, PRIVATE)
    try:
        return _opened(errors, lib.themis_sealed_open_recipient(sealed, index, key, len(key)))
    finally:
        del key


def open_sender(errors: Errors, sealed: Any, index: int, private_key: Any, sender: Any) -> bool:
    """Try a sender slot."""
    key = public = None
    try:
        key = view_of_key(errors, private_key, PRIVATE)
        public = view_of_key(errors, sender, SENDER)
        status = lib.themis_sealed_open_sender(sealed, index, key, len(key), public, len(public))
        return _opened(errors, status)
    finally:
        del key, public


def open_service(errors: Errors, sealed: Any, index: int, plain: Any, what: Argument) -> bool:
    """Try a service slot with what the service decrypted."""
    plain = view(errors, plain, what)
    try:
        return _opened(errors, lib.themis_sealed_open_service(sealed, index, plain, len(plain)))
    finally:
        del plain


def passphrase(errors: Errors, sealed: Any, text: Any, iterations: int = 0) -> Any:
    """Prepare a passphrase for the slots of one file; with 0 iterations for reading."""
    made = _passphrase()
    text = view(errors, text, PASSPHRASE)
    try:
        status = lib.themis_sealed_passphrase(sealed, text, len(text), iterations, made)
    finally:
        del text
    if status != SUCCESS:
        failed(errors, status)
    return kept(made)


def passphrase_size(errors: Errors, text: Any) -> int:
    """Return how many bytes a passphrase has."""
    return len(view(errors, text, PASSPHRASE))


def _stretched(stretch: Any) -> int:
    """Work in slices, between which Python acts on signals."""
    left = ffi.new(_LEFT, 1)
    status: int = SUCCESS
    while status == SUCCESS and left[0] != 0:
        status = lib.themis_stretch_work(stretch, lib.THEMIS_STRETCH_SLICE, left)
    return status


def open_passphrase(errors: Errors, sealed: Any, index: int, prepared: Any) -> bool:
    """Try a passphrase slot."""
    made = _stretch()
    try:
        status = lib.themis_sealed_stretch(sealed, index, prepared, made)
        if status == SUCCESS:
            status = _stretched(made[0])
        if status == SUCCESS:
            status = lib.themis_sealed_open_passphrase(sealed, index, prepared, made[0])
        return _opened(errors, status)
    finally:
        ffi.release(made)


# ---- Slots, writing ----


def _slot(errors: Errors, status: int, room: Any, size: int) -> bytes:
    if status != SUCCESS:
        failed(errors, status)
    made: bytes = ffi.buffer(room, size)[:]
    return made


def key_slot(errors: Errors, sealed: Any, key: Any, key_id: bytes) -> bytes:
    """Make a key slot."""
    size: int = lib.THEMIS_SEALED_KEY_SLOT_SIZE - KEY_ID_SIZE + len(key_id)
    room = ffi.new(BYTES, size)
    key = view(errors, key, KEY)
    try:
        if len(key) < KEY_MIN_SIZE:
            text = f"a key must have {KEY_MIN_SIZE} bytes or more, not {len(key)}"
            wrong_value(errors, f"{text}; a passphrase belongs in passphrase=")
        status = lib.themis_sealed_key_slot(sealed, key, len(key), key_id, len(key_id), room, size)
        return _slot(errors, status, room, size)
    finally:
        del key


def passphrase_slot(errors: Errors, sealed: Any, prepared: Any) -> bytes:
    """Make a passphrase slot."""
    size: int = lib.THEMIS_SEALED_PASSPHRASE_SLOT_SIZE
    room = ffi.new(BYTES, size)
    made = _stretch()
    try:
        status = lib.themis_stretch_to_seal(prepared, made)
        if status == SUCCESS:
            status = _stretched(made[0])
        if status == SUCCESS:
            status = lib.themis_sealed_passphrase_slot(sealed, made[0], room, size)
        return _slot(errors, status, room, size)
    finally:
        ffi.release(made)


def recipient_slot(errors: Errors, sealed: Any, public_key: bytes, *, hidden: bool) -> bytes:
    """Make a recipient slot; the key is as `name` returned it."""
    size: int = lib.THEMIS_SEALED_RECIPIENT_SLOT_SIZE - (_NAME_SIZE if hidden else 0)
    room = ffi.new(BYTES, size)
    status = lib.themis_sealed_recipient_slot(
        sealed, public_key, len(public_key), hidden, room, size
    )
    return _slot(errors, status, room, size)


def sender_slot(errors: Errors, sealed: Any, private_key: Any, public_key: bytes) -> bytes:
    """Make the slot of a file from one sender for one recipient."""
    size: int = lib.THEMIS_SEALED_SENDER_SLOT_SIZE
    room = ffi.new(BYTES, size)
    key = view_of_key(errors, private_key, PRIVATE)
    try:
        status = lib.themis_sealed_sender_slot(
            sealed, key, len(key), public_key, len(public_key), room, size
        )
        return _slot(errors, status, room, size)
    finally:
        del key


@returns_output
def plain(errors: Errors, sealed: Any) -> bytes:
    """Return what a service is to encrypt: the only copy of the file key outside of C."""
    made = new_output(_PLAIN_SIZE)
    status = lib.themis_sealed_plain(sealed, made)
    if status != SUCCESS:
        failed(errors, status)
    return made


def mac(errors: Errors, sealed: Any, head: bytes) -> bytes:
    """Check a header that was put together, and make its mac."""
    made, why, slot = ffi.new(BYTES, MAC_SIZE), ffi.new(_TEXT), ffi.new(SIZE)
    status = lib.themis_sealed_mac(sealed, head, len(head), made, why, slot)
    if status != SUCCESS and why[0] != ffi.NULL:
        text = ffi.string(why[0]).decode()
        wrong_value(errors, f"these slots cannot be written into one file: {text}")
    if status != SUCCESS:
        failed(errors, status)
    found: bytes = ffi.buffer(made)[:]
    return found


# ---- Chunks ----


@returns_output
def encrypt(errors: Errors, sealed: Any, number: int, pieces: Any, *, is_last: bool) -> bytes:
    """Encrypt pieces, a view or ``bytes``, from a number on."""
    size = len(pieces)
    room = size - (-size >> log2(sealed)) * CHUNK_GROWTH
    chunks = new_output(room)
    status = lib.themis_sealed_encrypt(sealed, number, is_last, pieces, size, chunks, room)
    del pieces  # a view, which an error must not keep
    if status != SUCCESS:
        failed(errors, status)
    return chunks


class Room:
    """Memory that chunks are decrypted into."""

    __slots__ = ("_made", "size", "view")

    def __init__(self, size: int) -> None:
        self._made: Any = new_output(size)
        self.size = size
        self.view: Any = ffi.from_buffer(BYTES, self._made) if IN_PLACE else self._made

    def part(self, start: int, stop: int) -> bytes:
        """Return some of it; all of it without a copy, where that is possible."""
        made: Any = self._made if IN_PLACE else ffi.buffer(self._made)
        return made[start:stop]  # type: ignore[no-any-return]


def copy(view: Any, at: int, room: Room, start: int, n: int) -> None:
    """Copy bytes of a room to an offset of a view."""
    ffi.memmove(view + at, room.view + start, n)


def decrypt(
    errors: Errors,
    sealed: Any,
    number: int,
    chunks: Any,
    size: int,
    room: Any,
    at: int,
    *,
    is_last: bool,
) -> None:
    """Decrypt the first bytes of a view or of ``bytes``, chunks from a number on.

    They go to an offset of another view, and are wiped if they are not authentic.
    """
    status = lib.themis_sealed_decrypt(
        sealed, number, is_last, chunks, size, room + at, len(room) - at
    )
    del chunks, room  # views, which an error must not keep
    if status == FAIL:
        text = "the sealed file is corrupted, or it was changed while it was read"
        raise errors.failed(FAIL, text)
    if status != SUCCESS:
        failed(errors, status)


def part(view: Any, at: int, n: int) -> Any:
    """Return a view of some bytes of a view."""
    return ffi.from_buffer(BYTES, ffi.buffer(view + at, n))


def buffer(view: Any, at: int, n: int) -> Any:
    """Return some bytes of a view as Python reads them."""
    return ffi.buffer(view + at, n)


def zeros(room: Any, start: int, stop: int) -> int:
    """Return with how many zeros this part of a view ends."""
    found: int = lib.themis_sealed_zeros(room + start, stop - start)
    return found


def wipe(room: Any) -> None:
    """Fill a view with zeros."""
    lib.themis_wipe(room, len(room))
