# SPDX-License-Identifier: Apache-2.0
"""Secure Cell for whole lists of messages.

A list is processed in parts: the messages of a part are copied into one piece of memory, one after
the other, and each is encrypted or decrypted in place. Python copies them in and out while C works
on another part in another thread.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from pythemis._themis import ffi, lib

from . import legacy
from .arguments import CONTEXT, ENCRYPTED, MESSAGE, TOKEN, Argument
from .buffers import BYTES, IN_PLACE, SIZE, copied, holds_references, view
from .cells import (
    IMPRINT_REFUSALS,
    SEAL_REFUSALS,
    TOKEN_REFUSALS,
    TOKEN_SIZE,
    Refusals,
    context_view,
    imprint,
    protect,
    refusal,
    seal,
    to_read,
    to_write,
    unimprint,
    unprotect,
    unseal,
)
from .errors import INVALID_PARAMETER, MESSAGE_MAX, SUCCESS, Errors, wrong_type, wrong_value
from .owner import Owner
from .workers import run

if TYPE_CHECKING:
    from collections.abc import Callable

    ResultT = TypeVar("ResultT")

# A part has this many messages at most, or bytes, so that what Python does for one part takes
# little time while another thread waits for its turn, and so that a part stays in the cache.
_PART_COUNT = 1024
_PART_BYTES = 1 << 18
SIZES = ffi.typeof("size_t[]")
SIZE_T = "Q" if ffi.sizeof("size_t") == 8 else "I"  # as array has it; takes a fourth of ffi.new


class _Job(NamedTuple):
    """One operation on a list."""

    owner: Owner
    reads: bool
    operation: int  # as themis_cell_many has it
    what: Argument  # the messages are
    refusals: Refusals | None
    messages: list[Any]
    contexts: list[Any] | None = None
    tokens: list[Any] | None = None


def seal_list(owner: Owner, messages: Any, contexts: Any, threads: int) -> list[bytes]:
    """Encrypt in Seal mode."""
    job = _job(owner, False, lib.THEMIS_CELL_SEAL, MESSAGE, None, messages, contexts)

    def work(part: range) -> Iterable[bytes]:
        buffer, sizes = _through_c(job, part)
        return fields(sizes, token_size=TOKEN_SIZE).unpack(buffer)

    return _in_parts(job, threads, work, seal)


def protect_list(
    owner: Owner, messages: Any, contexts: Any, threads: int
) -> list[tuple[bytes, bytes]]:
    """Encrypt in Token Protect mode; (encrypted message, token) of each."""
    job = _job(owner, False, lib.THEMIS_CELL_SEAL, MESSAGE, None, messages, contexts)

    def work(part: range) -> Iterable[tuple[bytes, bytes]]:
        buffer, sizes = _through_c(job, part)
        parts = fields(sizes, before=f"{TOKEN_SIZE}s").unpack(buffer)
        return zip(parts[1::2], parts[::2], strict=True)

    return _in_parts(job, threads, work, protect)


def unseal_list(owner: Owner, messages: Any, contexts: Any, threads: int) -> list[bytes]:
    """Decrypt in Seal mode."""
    job = _job(owner, True, lib.THEMIS_CELL_UNSEAL, ENCRYPTED, SEAL_REFUSALS, messages, contexts)
    return _in_parts(job, threads, lambda part: _opened(job, part, TOKEN_SIZE), unseal)


def unprotect_list(
    owner: Owner, messages: Any, tokens: Any, contexts: Any, threads: int
) -> list[bytes]:
    """Decrypt in Token Protect mode."""
    job = _job(owner, True, lib.THEMIS_CELL_UNSEAL, ENCRYPTED, TOKEN_REFUSALS, messages, contexts)
    listed = as_list(owner._errors, "tokens", tokens)
    _check_count(job, listed, "tokens")
    job = job._replace(tokens=listed)
    return _in_parts(job, threads, lambda part: _opened(job, part, TOKEN_SIZE), unprotect)


def imprint_list(
    owner: Owner, messages: Any, contexts: Any, threads: int, *, encrypts: bool
) -> list[bytes]:
    """Encrypt or decrypt in Context Imprint mode."""
    if encrypts and is_one(owner._errors, contexts):
        wrong_value(
            owner._errors,
            "Context Imprint needs another context for each message: give a list of them",
        )
    operation, refusals = lib.THEMIS_CELL_IMPRINT, IMPRINT_REFUSALS
    job = _job(owner, not encrypts, operation, MESSAGE, refusals, messages, contexts)
    alone = imprint if encrypts else unimprint
    return _in_parts(job, threads, lambda part: _opened(job, part, 0), alone)


def one_by_one(
    owner: Owner,
    function: Callable[[Owner, Any, Any], bytes],
    messages: Any,
    contexts: Any,
    threads: int,
    *,
    reads: bool,
) -> list[bytes]:
    """Do an operation on each message, for operations that take long by themselves."""
    job = _job(owner, reads, 0, MESSAGE, None, messages, contexts)
    parts = (range(i, i + 1) for i in range(len(job.messages)))
    return run(
        job.owner._errors,
        len(job.messages),
        parts,
        threads,
        lambda part: _alone(job, part.start, function),
    )


def _alone(job: _Job, i: int, function: Callable[..., ResultT]) -> list[ResultT]:
    """Do one message of a list as if there were no list."""
    message, context = job.messages[i], job.contexts[i] if job.contexts else None
    tokens = job.tokens[i : i + 1] if job.tokens else []
    try:
        return [function(job.owner, message, *tokens, context)]
    except Exception as error:  # noqa: BLE001 -- it goes on, and says where it was
        raise at_index(i, error)  # noqa: B904


# ---- What comes in ----


def _handle(owner: Owner, reads: bool) -> Any:
    return to_read(owner) if reads else to_write(owner)


def _job(
    owner: Owner,
    reads: bool,
    operation: int,
    what: Argument,
    refusals: Refusals | None,
    messages: Any,
    contexts: Any,
) -> _Job:
    errors = owner._errors
    _handle(owner, reads)
    job = _Job(owner, reads, operation, what, refusals, as_list(errors, "messages", messages))
    if contexts is None:
        return job
    if is_one(errors, contexts):
        if isinstance(contexts, str):
            contexts = context_view(errors, contexts, reads=reads)
        one_for_all = copied(errors, contexts, CONTEXT)
        return job._replace(contexts=[one_for_all] * len(job.messages))
    listed = as_list(errors, "contexts", contexts)
    _check_count(job, listed, "contexts")
    if reads and any(issubclass(kind, str) for kind in set(map(type, listed))):
        listed = _of_text(listed)
    return job._replace(contexts=[b"" if context is None else context for context in listed])


def _of_text(contexts: list[Any]) -> list[Any]:
    """Return contexts with the bytes of those that are text, after one warning for all of them."""
    legacy.warn_of_context()
    return [legacy.legacy_text(each) if isinstance(each, str) else each for each in contexts]


def is_one(errors: Errors, contexts: Any) -> bool:
    """Return whether this is one context for all messages rather than a list."""
    if isinstance(contexts, (str, bytes, bytearray, memoryview)):
        return True
    if _is_buffer(contexts):  # an array, of which all or each item may be meant
        name = type(contexts).__name__
        wrong_type(errors, f"contexts must be bytes, or a list of them; this {name} could be both")
    return False


def _is_buffer(contexts: Any) -> bool:
    try:
        memoryview(contexts)
    except TypeError:
        return False
    except (ValueError, BufferError):  # one that is closed, for example
        pass
    return not holds_references(contexts)


def as_list(errors: Errors, what: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes, bytearray, memoryview)) or not isinstance(values, Iterable):
        wrong_type(errors, f"{what} must be a list of bytes, not {type(values).__name__}")
    return list(values)


def _check_count(job: _Job, values: list[Any], what: str) -> None:
    if len(values) != len(job.messages):
        text = f"there are {len(job.messages)} messages and {len(values)} {what}"
        wrong_value(job.owner._errors, text)


def _pieces(job: _Job, values: list[Any], what: Argument, part: range) -> list[Any]:
    """Return a part of a list as objects whose length counts bytes: `bytes`, or views."""
    values = values[part.start : part.stop]
    if set(map(type, values)) == {bytes}:
        return values
    made = []
    for i, value in zip(part, values, strict=True):
        try:
            made.append(value if type(value) is bytes else ffi.buffer(_seen(job, value, what)))
        except Exception as error:  # noqa: BLE001 -- it goes on, and says where it was
            made.clear()
            raise at_index(i, error)  # noqa: B904
    return made


def _seen(job: _Job, value: Any, what: Argument) -> Any:
    errors = job.owner._errors
    if what is CONTEXT:
        return context_view(errors, value, reads=job.reads)
    return view(errors, value, what)


def _message_sizes(job: _Job, sizes: list[int], part: range) -> list[int]:
    """Check the sizes of the messages of a part; return them without tokens."""
    is_sealed = job.operation == lib.THEMIS_CELL_UNSEAL and job.tokens is None
    if is_sealed:
        sizes = [size - TOKEN_SIZE for size in sizes]
    if min(sizes) > 0 and max(sizes) <= MESSAGE_MAX:
        return sizes
    bad = next(i for i, size in enumerate(sizes) if not 0 < size <= MESSAGE_MAX)
    if is_sealed:
        _refuse(job, part[bad], INVALID_PARAMETER)
    text = f"{job.what} has {sizes[bad]} bytes; it must have 1 to {MESSAGE_MAX}"
    raise at_index(part[bad], job.owner._errors.wrong_value(INVALID_PARAMETER, text))


def _refuse(job: _Job, index: int, status: int) -> NoReturn:
    text = refusal(
        job.refusals, status, job.messages[index], job.tokens[index] if job.tokens else None
    )
    raise at_index(index, job.owner._errors.failed(status, text))


def at_index(index: int, error: Exception) -> Exception:
    """Add the index of the message in the list to an error of ours."""
    if hasattr(error, "error_code"):  # not where memory ran out, for example
        error.index = index  # type: ignore[attr-defined]
        error.args = (f"message {index} of the list: {error.args[0]}", *error.args[1:])
    return error


# ---- Through C ----


def fields(sizes: list[int], before: str = "", token_size: int = 0) -> Struct:
    """Return the struct that takes apart messages of these sizes, each with what is before it.

    With a token of that size each message is one field.
    """
    if sizes.count(sizes[0]) == len(sizes):  # takes half the time
        return Struct(f"{before}{token_size + sizes[0]}s" * len(sizes))
    return Struct(f"{before}%ds" * len(sizes) % tuple([token_size + size for size in sizes]))


def _opened(job: _Job, part: range, skip: int) -> Iterable[bytes]:
    """Do a part, take the messages out, and leave nothing behind."""
    buffer, sizes = _through_c(job, part)
    try:
        return fields(sizes, before=f"{skip}x").unpack(buffer)
    finally:
        lib.themis_wipe(ffi.from_buffer(BYTES, buffer), len(buffer))


def _through_c(job: _Job, part: range) -> tuple[Any, list[int]]:
    """Lay a part out in memory of its own and process it there; return that, and the sizes.

    Before each message is its token, or room for it, except in Context Imprint. The memory is never
    shared, even where it is the `bytes` of CPython: joining two pieces or more makes new ones.
    """
    pieces = tokens = contexts = None
    try:
        pieces = _pieces(job, job.messages, job.what, part)
        sizes = _message_sizes(job, list(map(len, pieces)), part)
        if job.tokens is not None:
            tokens = _tokens(job, part)
            pieces = [piece for pair in zip(tokens, pieces, strict=True) for piece in pair]
        gap = bytes(TOKEN_SIZE if job.operation == lib.THEMIS_CELL_SEAL else 0)
        buffer: Any = (gap if IN_PLACE else bytearray(gap)).join([b"", *pieces])
        if job.contexts is None:
            _call(job, buffer, None, sizes, part)
        else:
            contexts = _pieces(job, job.contexts, CONTEXT, part)
            counts = [*sizes, *map(len, contexts)]
            _call(job, buffer, b"".join(contexts), counts, part)
        return buffer, sizes
    finally:
        del pieces, tokens, contexts


def _tokens(job: _Job, part: range) -> list[Any]:
    tokens = _pieces(job, job.tokens or [], TOKEN, part)
    short = [i for i, token in zip(part, tokens, strict=True) if len(token) < TOKEN_SIZE]
    tokens = [token[:TOKEN_SIZE] for token in tokens]
    if short:
        _refuse(job, short[0], INVALID_PARAMETER)
    return tokens


def _call(job: _Job, buffer: Any, contexts: bytes | None, counts: list[int], part: range) -> None:
    failed = ffi.new(SIZE)
    status = lib.themis_cell_many(
        _handle(job.owner, job.reads),
        job.operation,
        ffi.from_buffer(BYTES, buffer),
        len(buffer),
        ffi.NULL if contexts is None else contexts,
        0 if contexts is None else len(contexts),
        ffi.from_buffer(SIZES, array(SIZE_T, counts)),
        len(part),
        failed,
    )
    if status != SUCCESS:
        _refuse(job, part.start + failed[0], status)


# ---- In parts, over threads ----


def _in_parts(
    job: _Job,
    threads: int,
    work: Callable[[range], Iterable[ResultT]],
    alone: Callable[..., ResultT],
) -> list[ResultT]:
    """Do a list in parts; a message that is a part of its own goes the way of single ones."""

    def each(part: range) -> Iterable[ResultT]:
        return work(part) if len(part) > 1 else _alone(job, part.start, alone)

    return _run(job, parts_of(job.messages), threads, each)


def _run(
    job: _Job, parts: Iterator[range], threads: int, work: Callable[[range], Iterable[ResultT]]
) -> list[ResultT]:
    return run(job.owner._errors, len(job.messages), parts, threads, work)


def parts_of(messages: list[Any]) -> Iterator[range]:
    """Cut a list where _PART_COUNT or (so far as a length counts bytes) _PART_BYTES is reached."""
    for first in range(0, len(messages), _PART_COUNT):
        some = messages[first : first + _PART_COUNT]
        try:
            sizes = list(map(len, some))
        except Exception:  # noqa: BLE001 -- what is not bytes is refused when its part is done
            sizes = list(map(_length, some))
        start, total = first, 0
        if sum(sizes) > _PART_BYTES:
            for i, size in enumerate(sizes, first):
                if i > start and total + size > _PART_BYTES:
                    yield range(start, i)
                    start, total = i, 0
                total += size
        yield range(start, first + len(some))


def _length(message: Any) -> int:
    try:
        return len(message)
    except Exception:  # noqa: BLE001 -- a view of a structure has none, and yet it is bytes
        return 0
