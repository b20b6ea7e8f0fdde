# SPDX-License-Identifier: Apache-2.0
"""Whole columns: read where they lie, worked on by C, in parts over threads."""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._themis import ffi, lib

from . import arrow
from .buffers import BYTES, SIZE
from .cell_lists import SIZE_T, SIZES
from .errors import INVALID_PARAMETER, SUCCESS, Errors, failed, wrong_type
from .owner import kept, places
from .rings import Ring, refusal, without_keys
from .workers import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

ID_PARTS_MAX: int = lib.THEMIS_COLUMN_ID_PARTS_MAX
PADDING_MAX: int = lib.THEMIS_COLUMN_PADDING_MAX
ENCRYPT: int = lib.THEMIS_COLUMN_ENCRYPT
DECRYPT: int = lib.THEMIS_COLUMN_DECRYPT
ROTATE: int = lib.THEMIS_COLUMN_ROTATE
INDEX: int = lib.THEMIS_COLUMN_INDEX
BARE: int = lib.THEMIS_COLUMN_BARE
PADDING: int = lib.THEMIS_COLUMN_PADDING
TEXT: int = lib.THEMIS_COLUMN_TEXT
NULLS: int = lib.THEMIS_COLUMN_NULLS
KEY: int = lib.THEMIS_COLUMN_KEY
BITS: int = lib.THEMIS_COLUMN_BITS

_column, _job, _result = places("column"), places("column_job"), places("column_result")
_WHY = ffi.typeof("char const **")
_ROW = ffi.typeof("uint64_t *")
_DIGITS_OF_UUID = [at for at in range(36) if at not in (8, 13, 18, 23)]
_NO_VALUE = 2 ** (8 * ffi.sizeof("size_t")) - 1


class Column(NamedTuple):
    """A column as C reads it, and what keeps its memory."""

    handle: Any
    source: object
    rows: int


class Job(NamedTuple):
    """One operation on a column."""

    ring: Ring
    operation: int
    values: Column
    context: bytes  # for all rows, or the beginning of a place, if there are row ids
    rows: tuple[Column, ...] = ()  # a part of the row ids each
    contexts: Column | None = None  # instead of both
    options: tuple[tuple[int, int], ...] = ()


class Result:
    """A column that was made; it lives as long as this object, or an array made of it."""

    __slots__ = ("_handle", "nulls", "refused", "rows")

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.rows: int = lib.themis_column_result_rows(handle)
        self.nulls: int = lib.themis_column_result_nulls(handle)
        self.refused: int = lib.themis_column_result_refused(handle)

    def values(self) -> list[bytes | None]:
        """Copy the values out."""
        return self._cut(lambda data: data)

    def ascii_texts(self) -> list[str | None] | None:
        """Copy the values out as text; None if one of them is not ASCII."""
        try:
            return self._cut(lambda data: data[:].decode("ascii"))
        except UnicodeDecodeError:
            return None

    def _cut(self, read: Callable[[Any], Any]) -> list[Any]:
        sizes = array(SIZE_T, bytes(array(SIZE_T).itemsize * self.rows))
        place = lib.themis_column_result_values(self._handle, ffi.from_buffer(SIZES, sizes))
        held = [0 if size == _NO_VALUE else size for size in sizes] if self.nulls else sizes
        ends = list(accumulate(held, initial=0))
        data = read(ffi.buffer(place, ends[-1]))
        made = [data[start:end] for start, end in pairwise(ends)]
        if self.nulls:
            for row, size in enumerate(sizes):
                if size == _NO_VALUE:
                    made[row] = None
        return made

    def schema(self) -> object:
        """Return a capsule with its struct ArrowSchema."""
        return arrow.schema_capsule(self._handle)

    def array(self) -> object:
        """Return a capsule with its struct ArrowArray."""
        return arrow.array_capsule(self._handle)


# ---- Columns in ----


def is_arrow(data: object) -> bool:
    """Return whether an object is a column that gives itself as Arrow has it."""
    kind = type(data)
    return hasattr(kind, "__arrow_c_stream__") or hasattr(kind, "__arrow_c_array__")


def from_arrow(errors: Errors, data: Any, what: str) -> Column:
    """Read a column out of its capsules."""
    if not arrow.AVAILABLE:
        wrong_type(errors, f"{what}: this Python passes no Arrow data; give a list")
    made, why = _column(), ffi.new(_WHY)
    _check(errors, what, lib.themis_column_new(made), why)
    try:
        source: object
        if hasattr(type(data), "__arrow_c_stream__"):
            source = data.__arrow_c_stream__()
            stream = arrow.pointer(source, b"arrow_array_stream")
            status = lib.themis_column_add_stream(made[0], stream, why)
        else:
            source = schema, values = data.__arrow_c_array__()
            status = lib.themis_column_add(
                made[0],
                arrow.pointer(schema, b"arrow_schema"),
                arrow.pointer(values, b"arrow_array"),
                why,
            )
    except (TypeError, ValueError):
        pass  # its text and its traceback may have values
    else:
        _check(errors, what, status, why)
        return Column(kept(made), source, lib.themis_column_rows(made[0]))
    return wrong_type(
        errors,
        f"{what} is of type {type(data).__name__}, whose Arrow data cannot be read: it failed to "
        "give its capsules, or gave others",
    )


def from_list(errors: Errors, items: list[bytes | None], what: str, *, is_text: bool) -> Column:
    """Lay a list out as a column."""
    data = bytearray().join([item for item in items if item])
    sizes = array(SIZE_T, [_NO_VALUE if item is None else len(item) for item in items])
    return _laid_out(errors, data, sizes, what, is_text=is_text)


def contexts_of_ids(errors: Errors, names: bytes, ids: list[UUID], what: str) -> Column:
    """Lay places out as a column: those that end with these ids, behind the others' beginning.

    All have the same length, and so each byte of all places is written at once.
    """
    start = names + (36).to_bytes(2, "big")
    digits = b"".join([each.int.to_bytes(16, "big") for each in ids]).hex().encode()
    step = len(start) + 36
    data = bytearray(start + b"-" * 36) * len(ids)
    for at, place in enumerate(_DIGITS_OF_UUID):
        data[len(start) + place :: step] = digits[at::32]
    return _laid_out(errors, data, array(SIZE_T, [step]) * len(ids), what, is_text=False)


def _laid_out(
    errors: Errors, data: bytearray, sizes: array[int], what: str, *, is_text: bool
) -> Column:
    made, why = _column(), ffi.new(_WHY)
    _check(errors, what, lib.themis_column_new(made), why)
    status = lib.themis_column_add_values(
        made[0],
        is_text,
        ffi.from_buffer(BYTES, data),
        len(data),
        ffi.from_buffer(SIZES, sizes),
        len(sizes),
        why,
    )
    _check(errors, what, status, why)
    return Column(kept(made), data, len(sizes))


def wipe(column: Column) -> None:
    """Wipe the copy that a list was laid out as."""
    if isinstance(column.source, bytearray):
        lib.themis_wipe(ffi.from_buffer(BYTES, column.source), len(column.source))


def _check(errors: Errors, what: str, status: int, why: Any) -> None:
    if status != SUCCESS and why[0] != ffi.NULL:
        text = f"{what} cannot be read: {ffi.string(why[0]).decode()}"
        raise errors.wrong_value(status, text)
    if status != SUCCESS:
        failed(errors, status)


# ---- The work ----


def work(errors: Errors, job: Job, threads: int) -> Result:
    """Do the operation on all rows; the error of a row has its ``index``."""
    made = _started(errors, job)
    parts, row, why = ffi.new(SIZE), ffi.new(_ROW), ffi.new(_WHY)
    status = lib.themis_column_job_begin(made[0], parts, row, why)
    if status != SUCCESS:
        raise _refused(errors, job, status, row[0], why)
    handle = kept(made)
    count = parts[0]

    def part(numbers: range) -> list[None]:
        row, why = ffi.new(_ROW), ffi.new(_WHY)
        status = lib.themis_column_job_part(handle, numbers.start, row, why)
        if status != SUCCESS:
            raise _refused(errors, job, status, row[0], why)
        return [None]

    run(errors, count, (range(number, number + 1) for number in range(count)), threads, part)
    result = _result()
    status = lib.themis_column_job_end(handle, result)
    if status != SUCCESS:
        failed(errors, status)
    return Result(kept(result))


def _started(errors: Errors, job: Job) -> Any:
    made = _job()
    status = lib.themis_column_job_new(job.ring.handle, job.operation, job.values.handle, made)
    if status == SUCCESS:
        rows = job.rows[0].handle if job.rows else ffi.NULL
        status = lib.themis_column_job_context(made[0], job.context, len(job.context), rows)
    for part in job.rows[1:]:
        if status == SUCCESS:
            status = lib.themis_column_job_id_part(made[0], part.handle)
    if status == SUCCESS and job.contexts is not None:
        lib.themis_column_job_contexts(made[0], job.contexts.handle)
    for option, value in job.options:
        if status == SUCCESS:
            status = lib.themis_column_job_option(made[0], option, value)
    if status != SUCCESS:
        failed(errors, status)
    return made


def _refused(errors: Errors, job: Job, status: int, row: int, why: Any) -> Exception:
    """Make the error for the row that C refused."""
    if job.operation in (ENCRYPT, ROTATE) and status == INVALID_PARAMETER and not job.ring.prefix:
        return without_keys(errors)
    if why[0] != ffi.NULL:
        text = ffi.string(why[0]).decode()
    else:
        size = ffi.new(SIZE)
        place = lib.themis_column_peek(job.values.handle, row, size)
        stored = b"" if place == ffi.NULL else ffi.buffer(place, size[0])[:]
        text = refusal(job.ring, status, stored)
    made = errors.wrong_value if status == INVALID_PARAMETER else errors.failed
    error = made(status, f"row {row}: {text}")
    error.index = row  # type: ignore[attr-defined]
    return error
