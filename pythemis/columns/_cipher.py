# SPDX-License-Identifier: Apache-2.0
"""The cipher of one column."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeAlias, overload

from pythemis import _values
from pythemis._core import columns
from pythemis._core.arguments import CONTEXT
from pythemis._core.buffers import copied
from pythemis._core.rings import RESERVED, Ring, are_apart
from pythemis.exception import ThemisError
from pythemis.keyring import Keyring
from pythemis.place import place

from ._errors import ERRORS, ColumnTypeError, wrong_type, wrong_value
from ._libraries import column_of, decoded, like, rows_of

if TYPE_CHECKING:
    from pythemis._core.columns import Column, Job, Result

Keys: TypeAlias = Keyring | Callable[[], Keyring]
Type: TypeAlias = Any  # "bytes", "text", or a type of section 10.1
_LEAST_BITS, _MOST_BITS = 8, 256


class _Definition(NamedTuple):
    """What a column is, checked; it never changes."""

    keys: Keys
    column: tuple[Any, Any]
    index_keys: Keys | None
    bits: int | None
    framing: str
    padding: int
    place: bytes  # of the column, without a row


class ColumnCipher:
    """Encrypt and decrypt the values of one column, each bound to its row.

    A cell is a stored value of `pythemis.keyring`, with the context
    ``place(table, column, *row id)``; threads may share a cipher. Integers, and UUIDs of Arrow, are
    encrypted as the text of formats, section 10.1, and come back as that text.

    Args:
        keys: a `pythemis.keyring.Keyring`; or what returns one when it is called, as
            `pythemis.keyring.from_reference` and `pythemis.keyring.watch` make it. It is called for
            each column that is encrypted or decrypted.
        column: the names of the table and the column, such as ``("customers", "email")``. They are
            part of every cell: choose them once, and keep them when the table is renamed.
        index_keys: keys of blind indexes, a ring of their own.
        bits: the length of a blind index, 8 to 256; a column that must be unique needs 96 or more.
        framing: "framed", or "bare" for columns that other Themis programs write and read. A bare
            column has no empty values.
        padding: pad values to a multiple of so many bytes, at most 1048576, which hides lengths;
            0 does not.

    Raises:
        ColumnError: an argument of a wrong type or an impossible value.
    """

    __module__ = "pythemis.columns"
    __slots__ = ("_definition",)

    def __init__(
        self,
        keys: Keys,
        column: tuple[str, str],
        *,
        index_keys: Keys | None = None,
        bits: int | None = None,
        framing: Literal["framed", "bare"] = "framed",
        padding: int = 0,
    ) -> None:
        if not isinstance(column, (tuple, list)) or len(column) != 2:
            wrong_type("column must be two names: (table, column)")
        if framing not in ("framed", "bare"):
            wrong_value(f'framing must be "framed" or "bare", not {framing!r}')
        if _values.check_padding(ERRORS, padding) and framing == "bare":
            wrong_value("bare values cannot be padded")
        if index_keys is not None and bits is None:
            wrong_value("index_keys needs bits, the length of an index: 8 to 256")
        if bits is not None:
            _check_number("bits", bits, _LEAST_BITS, _MOST_BITS)
        if isinstance(keys, Keyring) and isinstance(index_keys, Keyring):
            _check_apart(keys, index_keys)
        names = tuple(column)
        self._definition = _Definition(
            _checked("keys", keys),
            (names[0], names[1]),
            None if index_keys is None else _checked("index_keys", index_keys),
            bits,
            framing,
            padding,
            _place(names),
        )

    # ---- Columns ----

    def encrypt(
        self, array: Any, rows: Any = None, *, contexts: Any = None, threads: int = 1
    ) -> Any:
        """Encrypt each value under the primary key; nulls stay null.

        Args:
            array: text, bytes, integers or UUIDs: a column of pyarrow, Polars or pandas, or of what
                has ``__arrow_c_array__`` or ``__arrow_c_stream__``. Or a list of values of one
                type of formats, section 10.1. Text must be UTF-8. Each row of a dictionary column
                gets a cell of its own.
            rows: the row ids: a column as above, or a list of what a part of a
                `pythemis.place.place` may be. None of them is null, and no two rows that have a
                value share one. For a primary key of several columns a tuple of 2 to 32 such
                columns, in the order of the key. None binds the values to the column alone: then
                anyone who can write to the table can exchange them between rows.
            contexts: instead of a place, a column or a list of contexts, or one for all rows.
            threads: the most threads that share the work; other Python threads run meanwhile.

        Returns:
            Bytes, as a column of the library that ``array`` is of; a list for a list; an
            `ArrowColumn` for anything else. Where they have 2 GiB or more they are large_binary.

        Raises:
            ColumnError: a value or a row id that is refused, with its ``index``; nothing is
                returned.
        """
        return self._done(columns.ENCRYPT, array, rows, contexts, threads)

    @overload
    def decrypt(
        self,
        cells: Any,
        rows: Any = None,
        *,
        contexts: Any = None,
        on_error: Literal["raise"] = "raise",
        type: Type = "bytes",
        threads: int = 1,
    ) -> Any: ...

    @overload
    def decrypt(
        self,
        cells: Any,
        rows: Any = None,
        *,
        contexts: Any = None,
        on_error: Literal["null"],
        type: Type = "bytes",
        threads: int = 1,
    ) -> tuple[Any, int]: ...

    def decrypt(
        self,
        cells: Any,
        rows: Any = None,
        *,
        contexts: Any = None,
        on_error: str = "raise",
        type: Type = "bytes",
        threads: int = 1,
    ) -> Any:
        """Decrypt each cell under the key that it names; nulls stay null.

        Args:
            cells: a column of bytes.
            rows: as for `encrypt`.
            contexts: as for `encrypt`.
            on_error: "raise", or "null": a cell that is refused becomes null.
            type: "bytes"; "text", which must be UTF-8; or another type of formats, section 10.1:
                int, bool, decimal.Decimal, datetime.date, time or datetime, uuid.UUID, "json".
            threads: as for `encrypt`.

        Returns:
            The values, in a column as `encrypt` returns it; types other than text and bytes in a
            list. With ``on_error="null"`` a pair: the values, and how many cells were refused.

        Raises:
            ColumnError: a cell of another row, column or key, a damaged one, or something else,
                with its ``index``; no value is returned. With ``on_error="null"`` only what is no
                cell's fault, such as a row id that is null.
        """
        if on_error not in ("raise", "null"):
            wrong_value(f'on_error must be "raise" or "null", not {on_error!r}')
        is_text, is_bytes = type in ("text", str), type in ("bytes", bytes)
        if not is_text and not is_bytes:
            _values.codec_of(ERRORS, type)
        nulls = on_error == "null"
        options = ((columns.TEXT, is_text), (columns.NULLS, nulls))
        result = self._result(columns.DECRYPT, cells, (rows, contexts), threads, options)
        if is_text or is_bytes:
            made, refused = like(cells, result, is_text), result.refused
        else:
            made, refused = decoded(result, type, nulls=nulls)
        return (made, refused) if nulls else made

    def rotate(
        self, cells: Any, rows: Any = None, *, contexts: Any = None, threads: int = 1
    ) -> Any:
        """Encrypt anew, under the primary key, the cells that are under another key.

        Cells under the primary key are copied as they are, without looking into them. Values
        stay within the C core.

        Args:
            cells: a column of bytes.
            rows: as for `encrypt`.
            contexts: as for `encrypt`.
            threads: as for `encrypt`.

        Returns:
            All cells, in a column as `encrypt` returns it.

        Raises:
            ColumnError: as `decrypt`.
        """
        return self._done(columns.ROTATE, cells, rows, contexts, threads)

    def blind_index(self, array: Any, *, key_id: str | None = None, threads: int = 1) -> Any:
        """Compute the blind index of each value; equal values of the column have equal indexes.

        Search for the index of a value under each key of the ring, and compare the values that you
        find: other values may have the same index (formats, section 10.4).

        Args:
            array: as for `encrypt`, after your own normalisation. Nulls have no index, empty values
                have one.
            key_id: one of the ``ids`` of the ring of index keys; None is the primary key.
            threads: as for `encrypt`.

        Returns:
            Bytes, ``(bits + 7) // 8`` each, in a column as `encrypt` returns it.

        Raises:
            ColumnError: the cipher has no index keys, or the column is refused.
        """
        definition = self._definition
        if definition.index_keys is None:
            wrong_value("this column has no blind index: pass index_keys and bits")
        ring = _ring("index_keys", definition.index_keys)
        ids = [key.id for key in ring.keys]
        wanted = ring.prefix[3:].hex() if key_id is None else key_id
        if wanted not in ids:
            wrong_value(f"the ring of index keys has no key {wanted}" if ids else "it has no keys")
        options = ((columns.KEY, ids.index(wanted)), (columns.BITS, definition.bits or _LEAST_BITS))
        values = column_of(array, "array")
        try:
            job = columns.Job(ring, columns.INDEX, values, definition.place, options=options)
            return like(array, _worked(job, threads), False)
        finally:
            columns.wipe(values)

    # ---- How ----

    def _done(self, operation: int, array: Any, rows: Any, contexts: Any, threads: int) -> Any:
        return like(array, self._result(operation, array, (rows, contexts), threads), False)

    def _result(
        self,
        operation: int,
        array: Any,
        bound: tuple[Any, Any],
        threads: int,
        options: tuple[tuple[int, int], ...] = (),
    ) -> Result:
        definition = self._definition
        ring = _ring("keys", definition.keys)
        what = "array" if operation == columns.ENCRYPT else "cells"
        values = column_of(array, what)
        try:
            job = columns.Job(
                ring,
                operation,
                values,
                definition.place,
                options=(
                    (columns.BARE, definition.framing == "bare"),
                    (columns.PADDING, definition.padding),
                    *options,
                ),
            )
            return _worked(_bound(job, what, *bound), threads)
        finally:
            columns.wipe(values)

    @property
    def column(self) -> tuple[Any, Any]:
        """The names of the table and the column."""
        return self._definition.column

    def __repr__(self) -> str:
        table, column = self._definition.column
        return f"<pythemis.columns.ColumnCipher of {table}.{column}>"

    def __reduce__(self) -> tuple[Any, ...]:
        definition = self._definition
        for name, keys in (("keys", definition.keys), ("index_keys", definition.index_keys)):
            if isinstance(keys, Keyring):
                _refuse_pickling(name)
        return _again, tuple(definition[:-1])


def _again(
    keys: Keys,
    column: tuple[Any, Any],
    index_keys: Keys | None,
    bits: int | None,
    framing: Any,
    padding: int,
) -> ColumnCipher:
    """Make a cipher out of what its pickle has: names, and never a key."""
    return ColumnCipher(
        keys, column, index_keys=index_keys, bits=bits, framing=framing, padding=padding
    )


def _refuse_pickling(name: str) -> NoReturn:
    raise TypeError(
        f"this ColumnCipher holds keys and cannot be pickled: give it {name} by reference, "
        "keyring.from_reference(...), which other processes resolve for themselves"
    )


# ---- Arguments ----


def _check_number(name: str, number: object, least: int, most: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool):
        wrong_type(f"{name} must be an int, not {type(number).__name__}")
    if not least <= number <= most:
        wrong_value(f"{name} must be {least} to {most}, not {number}")


def _checked(name: str, keys: object) -> Any:
    if not isinstance(keys, Keyring) and not callable(keys):
        wrong_type(
            f"{name} must be a Keyring, or what returns one when it is called, such as "
            f"keyring.from_reference(...), not {type(keys).__name__}"
        )
    return keys


def _ring(name: str, keys: Keys) -> Ring:
    ring = keys if isinstance(keys, Keyring) else keys()
    if not isinstance(ring, Keyring):
        wrong_type(f"{name} returned {type(ring).__name__} where a Keyring was expected")
    return ring._ring()


def _check_apart(keys: Keyring, index_keys: Keyring) -> None:
    if not are_apart(ERRORS, keys._ring(), index_keys._ring()):
        wrong_value(
            f"index_keys is the ring that encrypts (both are named {keys.name}, or share a key): "
            "make another one with Keyring.new(another_name).add()"
        )


def _place(names: tuple[Any, ...]) -> bytes:
    try:
        return place(*names)
    except ThemisError as error:
        text = error.message
    raise ColumnTypeError(12, f"column must be two names, (table, column): {text}")


def _bound(job: Job, what: str, rows: Any, contexts: Any) -> Job:
    """Add to a job what its values are bound to."""
    if rows is not None and contexts is not None:
        wrong_value("give rows or contexts, not both")
    if contexts is not None:
        if isinstance(contexts, (str, bytes, bytearray, memoryview)):
            context = copied(ERRORS, contexts, CONTEXT)
            if context.startswith(RESERVED):
                wrong_value("the context begins with TSFILE1, as those of sealed files do")
            return job._replace(context=context)
        return job._replace(
            context=b"", contexts=_counted(column_of(contexts, "contexts"), job, what, "contexts")
        )
    if rows is None:
        return job
    ids = rows_of(rows)
    for part in ids:
        _counted(part, job, what, "rows")
    parts = job.context[0] + len(ids)
    return job._replace(context=bytes([parts]) + job.context[1:], rows=ids)


def _counted(read: Column, job: Job, what: str, name: str) -> Column:
    if read.rows != job.values.rows:
        wrong_value(f"{what} has {job.values.rows} rows, and {name} {read.rows}")
    return read


def _worked(job: Job, threads: int) -> Result:
    return columns.work(ERRORS, job, threads)
