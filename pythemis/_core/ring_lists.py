# SPDX-License-Identifier: Apache-2.0
"""Whole lists of values stored under a keyring, in parts as `cell_lists` has them."""

from __future__ import annotations

from array import array
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._themis import ffi, lib

from .arguments import CONTEXT, MESSAGE, STORED, Argument
from .buffers import BYTES, IN_PLACE, SIZE, copied, view
from .cell_lists import SIZE_T, SIZES, as_list, at_index, fields, is_one, parts_of
from .errors import INVALID_PARAMETER, MESSAGE_MAX, SUCCESS, size_error, wrong_value
from .owner import Owner, opened
from .rings import MAGIC, OVERHEAD, TOKEN_SIZE, Ring, decrypt, encrypt, refused
from .workers import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class _Job(NamedTuple):
    """One operation on a list."""

    owner: Owner
    ring: Ring
    operation: int  # as themis_ring_many has it
    what: Argument  # the messages are
    messages: list[Any]
    contexts: list[Any] | None


def encrypt_list(owner: Owner, messages: Any, contexts: Any, threads: int) -> list[bytes]:
    """Encrypt under the primary key."""
    job = _job(owner, lib.THEMIS_RING_ENCRYPT, MESSAGE, messages, contexts)

    def work(part: range) -> Iterable[bytes]:
        buffer, sizes, _ = _through_c(job, part)
        return fields(sizes, token_size=OVERHEAD).unpack(buffer)

    return _in_parts(job, threads, work, encrypt)


def decrypt_list(owner: Owner, messages: Any, contexts: Any, threads: int) -> list[bytes]:
    """Decrypt under the keys that the prefixes name, or under the legacy keys."""
    job = _job(owner, lib.THEMIS_RING_DECRYPT, STORED, messages, contexts)

    def work(part: range) -> Iterable[bytes]:
        buffer, sizes, skips = _through_c(job, part)
        try:
            return _found(sizes, skips).unpack(buffer)
        finally:
            lib.themis_wipe(ffi.from_buffer(BYTES, buffer), len(buffer))

    return _in_parts(job, threads, work, decrypt)


def _job(owner: Owner, operation: int, what: Argument, messages: Any, contexts: Any) -> _Job:
    errors = owner._errors
    job = _Job(owner, opened(owner), operation, what, as_list(errors, "messages", messages), None)
    if contexts is None:
        return job
    if is_one(errors, contexts):
        return job._replace(contexts=[copied(errors, contexts, CONTEXT)] * len(job.messages))
    listed = as_list(errors, "contexts", contexts)
    if len(listed) != len(job.messages):
        text = f"there are {len(job.messages)} messages and {len(listed)} contexts"
        wrong_value(errors, text)
    return job._replace(contexts=[b"" if context is None else context for context in listed])


def _in_parts(
    job: _Job,
    threads: int,
    work: Callable[[range], Iterable[bytes]],
    alone: Callable[[Owner, Any, Any], bytes],
) -> list[bytes]:
    def each(part: range) -> Iterable[bytes]:
        if len(part) > 1:
            return work(part)
        i = part.start
        try:
            return [alone(job.owner, job.messages[i], job.contexts[i] if job.contexts else None)]
        except Exception as error:  # noqa: BLE001 -- it goes on, and says where it was
            raise at_index(i, error)  # noqa: B904

    return run(job.owner._errors, len(job.messages), parts_of(job.messages), threads, each)


def _pieces(job: _Job, values: list[Any], what: Argument, part: range) -> list[Any]:
    """Return a part of a list as objects whose length counts bytes: `bytes`, or views.

    Contexts and stored values become `bytes`, because they are looked at more than once.
    """
    values = values[part.start : part.stop]
    if set(map(type, values)) == {bytes}:
        return values
    errors = job.owner._errors
    made: list[Any] = []
    for i, value in zip(part, values, strict=True):
        try:
            if what is MESSAGE and type(value) is not bytes:
                made.append(ffi.buffer(view(errors, value, what)))
            else:
                made.append(copied(errors, value, what))
        except Exception as error:  # noqa: BLE001 -- it goes on, and says where it was
            made.clear()
            raise at_index(i, error)  # noqa: B904
    return made


def _skips(job: _Job, pieces: list[Any], part: range) -> list[int]:
    """Return what is before the message in each stored value; none in messages."""
    encrypts = job.operation == lib.THEMIS_RING_ENCRYPT
    skips = [0 if encrypts else OVERHEAD if p[:3] == MAGIC else TOKEN_SIZE for p in pieces]
    for i, piece, skip in zip(part, pieces, skips, strict=True):
        if not skip < len(piece) <= MESSAGE_MAX + skip:
            if encrypts:
                raise at_index(i, size_error(job.owner._errors, job.what, len(piece)))
            error = refused(job.owner._errors, job.ring, INVALID_PARAMETER, piece, b"")
            raise at_index(i, error)
    return skips


def _through_c(job: _Job, part: range) -> tuple[Any, list[int], list[int]]:
    """Lay a part out in memory of its own and process it there; return that, sizes and skips."""
    pieces = None
    try:
        pieces = _pieces(job, job.messages, job.what, part)
        skips = _skips(job, pieces, part)
        sizes = list(map(len, pieces))
        gap = bytes(OVERHEAD if job.operation == lib.THEMIS_RING_ENCRYPT else 0)
        buffer: Any = (gap if IN_PLACE else bytearray(gap)).join([b"", *pieces])
        if job.contexts is None:
            _call(job, buffer, [], sizes, part)
        else:
            _call(job, buffer, _pieces(job, job.contexts, CONTEXT, part), sizes, part)
        return buffer, sizes, skips
    finally:
        del pieces


def _call(job: _Job, buffer: Any, contexts: list[bytes], sizes: list[int], part: range) -> None:
    failed = ffi.new(SIZE)
    joined = b"".join(contexts)
    status = lib.themis_ring_many(
        job.ring.handle,
        job.operation,
        ffi.from_buffer(BYTES, buffer),
        len(buffer),
        joined if contexts else ffi.NULL,
        len(joined),
        ffi.from_buffer(SIZES, array(SIZE_T, [*sizes, *map(len, contexts)])),
        len(part),
        failed,
    )
    if status != SUCCESS:
        i = failed[0]
        stored = None
        if job.operation == lib.THEMIS_RING_DECRYPT:
            stored = copied(job.owner._errors, job.messages[part[i]], job.what)
        context = contexts[i] if contexts else b""
        error = refused(job.owner._errors, job.ring, status, stored, context)
        raise at_index(part[i], error)


def _found(sizes: list[int], skips: list[int]) -> Struct:
    """Return the struct that takes the messages out of stored values of these sizes."""
    if sizes.count(sizes[0]) == len(sizes) and skips.count(skips[0]) == len(skips):
        return Struct(f"{skips[0]}x{sizes[0] - skips[0]}s" * len(sizes))
    return Struct(
        "".join(f"{skip}x{size - skip}s" for size, skip in zip(sizes, skips, strict=True))
    )
