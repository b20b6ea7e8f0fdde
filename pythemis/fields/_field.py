# SPDX-License-Identifier: Apache-2.0
"""One sealed column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Literal, TypeAlias, TypeVar
from uuid import UUID

from pythemis import _values
from pythemis._core import columns, rings
from pythemis._core.arguments import STORED
from pythemis._core.buffers import copied
from pythemis._core.errors import NOT_SUPPORTED, wrong_type, wrong_value
from pythemis._core.owner import opened
from pythemis.exception import ThemisError
from pythemis.place import place

from ._errors import ERRORS, FieldError, FieldTypeError, FieldValueError
from ._plan import LEAST_BITS, MOST_BITS
from ._rings import Rings

Part: TypeAlias = str | int | UUID | bytes
Row: TypeAlias = Part | tuple[Part, ...]
Bind: TypeAlias = Literal["row", "column"]
Returned = TypeVar("Returned")

_MOST_PARTS = 255  # of a place
_SHORT = 16_000  # characters: a part of a place of these is not too long


class Field:
    """One sealed column: how its values are stored, found and opened.

    Make one with `FieldCipher.field`.

    Args:
        rings_: what seals.
        table: the name of the table, which stays that of the field for ever.
        column: the name of the column that holds the stored values, likewise.
        type: the type of the values, as `FieldCipher.seal` has it.
        bind: "row": values cannot be moved between rows; "column": they can.
        padding: fill values up to a multiple of so many bytes, to hide their lengths.
        bare: values have no frame: for columns that other Themis programs write. Neither empty
            values nor padding are possible.
        bits: the size of the blind index, 8 to 256; None: no index.
        normalize: what makes the value that is indexed, such as `str.casefold`.

    Raises:
        FieldError: an option that is not offered.
    """

    __module__ = "pythemis.fields"

    def __init__(
        self,
        rings_: Rings,
        table: str,
        column: str,
        *,
        type: object = str,
        bind: Bind = "row",
        padding: int = 0,
        bare: bool = False,
        bits: int | None = None,
        normalize: Callable[[Any], Any] | None = None,
    ) -> None:
        if not (isinstance(table, str) and isinstance(column, str)):
            wrong_type(ERRORS, "the names of a field's table and column must be text")
        if bind not in ("row", "column"):
            wrong_value(ERRORS, 'bind must be "row" or "column"')
        self._rings, self.table, self.column = rings_, table, column
        self.codec = _values.codec_of(ERRORS, type)
        self.bind = bind
        self.padding = _values.check_padding(ERRORS, padding)
        self.bare = bare
        if bare and padding:
            wrong_value(ERRORS, "a bare field cannot be padded")
        self.bits = _checked_bits(self.codec, bits)
        self.normalize = normalize
        self._names = _of_place(place, table, column)

    def __repr__(self) -> str:
        return f"<pythemis.fields.Field {self.table}.{self.column}>"

    # ---- Cells ----

    def context(self, *row: Part) -> bytes:
        """Return the place that a value is bound to.

        Raises:
            FieldError: a field bound to its row, and no id; or an id for one bound to its column.
        """
        if self.bind == "column":
            if row:
                wrong_value(ERRORS, f"{self._shown()} is bound to its column: give no id")
            return self._names
        if not row or None in row:
            wrong_value(
                ERRORS,
                f"{self._shown()} is bound to its row: give the row its id first, such as "
                'uuid.uuid4(), or declare bind="column"',
            )
        # The place of the names goes on with the parts of the row, whose place is made alone.
        parts = _of_place(place, *row)
        if parts[0] > _MOST_PARTS - 2:
            wrong_value(ERRORS, f"the primary key of {self.table} has more than 253 parts")
        return b"".join((bytes((parts[0] + 2,)), self._names[1:], parts[1:]))

    def seal(self, value: object, *row: Part) -> bytes | None:
        """Return the stored value; None stays None. Errors are those of `FieldCipher.seal`."""
        if value is None:
            return None
        framed = self.framed(value)
        context = self.context(*row)
        return self._through(self._rings.sealing().encrypt, framed, context)

    def framed(self, value: object) -> bytes:
        """Return the bytes that `seal` encrypts, under no key. Errors are those of `seal`."""
        data = _values.encode(ERRORS, self.codec, value)
        if not self.bare:
            return _values.frame(data, self.padding)
        if not data:
            wrong_value(ERRORS, f"{self._shown()} is bare, and cannot hold an empty value")
        return data

    def open(self, stored: bytes | None, *row: Part) -> Any:
        """Return the value; None stays None. Errors are those of `FieldCipher.open`."""
        if stored is None:
            return None
        return self._value(self._through(self._rings.sealing().decrypt, stored, self.context(*row)))

    def seal_all(
        self, values: Iterable[object], rows: Iterable[Row] | None = None
    ) -> list[bytes | None]:
        """Return the stored values of many rows. Errors are those of `FieldCipher.seal_all`."""
        data = _values.encode_all(ERRORS, self.codec, _listed("values", values))
        return self._worked(columns.ENCRYPT, data, rows, (columns.PADDING, self.padding)).values()

    def open_all(
        self, stored: Iterable[bytes | None], rows: Iterable[Row] | None = None
    ) -> list[Any]:
        """Return the values of many rows. Errors are those of `FieldCipher.open_all`."""
        made = self._worked(columns.DECRYPT, _cells(stored), rows)
        texts = made.ascii_texts() if self.codec.name == "str" else None
        return texts or _values.decode_all(ERRORS, self.codec, made.values())

    def rotate_all(
        self, stored: Iterable[bytes | None], rows: Iterable[Row] | None = None
    ) -> list[bytes | None]:
        """Return many values under the primary key; those that are under it already, as they are.

        Raises:
            FieldError: as `open_all`.
        """
        return self._worked(columns.ROTATE, _cells(stored), rows).values()

    def rotate(self, stored: bytes, *row: Part) -> bytes:
        """Return the value under the primary key, encrypted anew; Python never sees it.

        Raises:
            FieldError: as `open`.
        """
        return self._through(self._rings.sealing().rotate, stored, self.context(*row))

    def needs_rotation(self, stored: bytes) -> bool:
        """Return whether a value is under another key than the primary one.

        Raises:
            FieldError: not a stored value.
        """
        return self._through(self._rings.sealing().needs_rotation, stored)

    def is_foreign(self, stored: bytes) -> bool:
        """Return whether a value is under a key that the ring lacks, or of a newer version."""
        ring = self._rings.sealing()
        try:
            named = ring.key_id(stored)
        except ThemisError as error:
            return error.error_code == NOT_SUPPORTED
        return not ring.legacy_count if named is None else named not in ring.ids

    def prefix(self) -> bytes:
        """Return the first 8 bytes of values under the primary key: others need rotation.

        Raises:
            FieldError: the ring has no keys.
        """
        return self._through(lambda: self._rings.sealing().prefix)

    def target(self) -> str:
        """Return the ids of the keys that values and indexes are written under.

        Raises:
            FieldError: a ring has no keys.
        """
        there = [self.prefix()] if self.bits is None else [self.prefix(), self._indexing().prefix]
        return " ".join(prefix[3:].hex() for prefix in there)

    def index_key_count(self) -> int:
        """Return how many keys there are for the index: rows may have those of older ones."""
        return len(self._indexing().keys)

    def _indexing(self) -> rings.Ring:
        return self._rings.indexing()

    def is_stored(self, data: bytes) -> bool:
        """Return whether data has the form of a stored value, without decrypting it."""
        return rings.is_stored(bytes(data))

    # ---- Blind indexes ----

    def index(self, value: object) -> bytes | None:
        """Return the blind index to store, as `FieldCipher.index` does."""
        if value is None:
            return None
        data, bits = self.index_data(value), self._needed_bits()
        made = rings.blind_index(ERRORS, self._rings.indexing(), self._names, data)
        return _values.cut(made, bits)

    def index_all(self, values: Iterable[object]) -> list[bytes | None]:
        """Return the blind indexes of many values. Errors are those of `FieldCipher.index_all`."""
        listed, bits = _listed("values", values), self._needed_bits()
        ring = self._rings.indexing()
        if not ring.prefix:
            raise rings.without_keys(ERRORS)
        primary = [key.primary for key in ring.keys].index(True)
        options = ((columns.KEY, primary), (columns.BITS, bits))
        data = self._all_index_data(listed)
        return self._through_columns(ring, columns.INDEX, data, self._names, None, options).values()

    def indexes(self, value: object) -> list[bytes]:
        """Return what to search for, as `FieldCipher.indexes` does."""
        if value is None:
            wrong_value(ERRORS, "None has no blind index: search with IS NULL")
        data, bits = self.index_data(value), self._needed_bits()
        made = rings.blind_indexes(ERRORS, self._rings.indexing(), self._names, data)
        return [_values.cut(each, bits) for each in made]

    def index_data(self, value: object) -> bytes:
        """Return the bytes that are indexed: two values are found alike if these are equal."""
        data = _values.encode(ERRORS, self.codec, value)
        if self.normalize is not None:
            data = _values.encode(ERRORS, self.codec, self.normalize(value))
        return _values.index_data(self.codec, data)

    def _all_index_data(self, values: list[Any]) -> list[bytes | None]:
        data = _values.encode_all(ERRORS, self.codec, values)
        if self.normalize is not None:
            normal = [None if value is None else self.normalize(value) for value in values]
            data = _values.encode_all(ERRORS, self.codec, normal)
        return [None if each is None else _values.index_data(self.codec, each) for each in data]

    def _needed_bits(self) -> int:
        if self.bits is None:
            wrong_value(ERRORS, f"{self._shown()} has no blind index: give it bits=")
        return self.bits

    # ---- What they share ----

    def _value(self, framed: bytes) -> Any:
        data = framed if self.bare else _values.unframe(ERRORS, framed)
        return _values.decode(ERRORS, self.codec, data)

    def _through(self, call: Callable[..., Returned], *arguments: Any) -> Returned:
        """Call the ring; its errors become those of the field."""
        try:
            return call(*arguments)
        except ThemisError as error:
            text = error.message.removeprefix("row 0: ")  # a list often has one value
            made = _kind_of(error)(error.error_code, f"{self._shown()}: {text}")
            made.index = getattr(error, "index", None)
        raise made  # not within the `except`, whose error would be a second one to read

    # ---- Lists ----

    def _worked(
        self,
        operation: int,
        data: list[bytes | None],
        rows: Iterable[Row] | None,
        *options: tuple[int, int],
    ) -> columns.Result:
        """Do an operation on cells, or on what becomes cells, in one call of C."""
        keys = None if rows is None else _listed("rows", rows)
        if keys is not None and len(keys) != len(data):
            wrong_value(ERRORS, f"there are {len(data)} values and {len(keys)} rows")
        ring: rings.Ring = opened(self._rings.sealing())
        options = ((columns.BARE, self.bare), *options)
        contexts = self._contexts(data, [()] * len(data) if keys is None else keys)
        return self._through_columns(ring, operation, data, self._names, contexts, options)

    def _contexts(self, data: list[bytes | None], keys: list[Row]) -> columns.Column | None:
        """Return the place of each row that has a value; None if all have that of the column."""
        if self.bind == "column" and not any(key != () for key in keys):
            return None
        made: list[bytes | None] = [b""] * len(keys)
        parts: list[Any] = keys
        if tuple in set(map(type, keys)):
            parts = [key[0] if type(key) is tuple and len(key) == 1 else key for key in keys]
        start = b"\3" + self._names[1:]
        if self.bind == "row" and set(map(type, parts)) == {UUID}:
            return columns.contexts_of_ids(ERRORS, start, parts, "the list")
        if self.bind == "row" and (texts := _texts(parts)) is not None:
            starts = {size: start + size.to_bytes(2, "big") for size in set(map(len, texts))}
            made = [starts[len(each)] + each for each in texts]
        else:
            for at, each in enumerate(data):
                if each is not None:
                    made[at] = _values.at_index(at, self.context, *_as_tuple(keys[at]))
        return columns.from_list(ERRORS, made, "the list", is_text=False)

    def _through_columns(
        self,
        ring: rings.Ring,
        operation: int,
        data: list[bytes | None],
        names: bytes,
        contexts: columns.Column | None,
        options: tuple[tuple[int, int], ...],
    ) -> columns.Result:
        values = columns.from_list(ERRORS, data, "the list", is_text=False)
        try:
            job = columns.Job(ring, operation, values, names, options=options)
            if contexts is not None:
                job = job._replace(context=b"", contexts=contexts)
            return self._through(columns.work, ERRORS, job, 1)
        finally:
            columns.wipe(values)

    def _shown(self) -> str:
        return f"{self.table}.{self.column}"


def _checked_bits(codec: _values.Codec, bits: object) -> int | None:
    if bits is None:
        return None
    if isinstance(bits, bool) or not isinstance(bits, int):
        wrong_type(ERRORS, f"bits must be an integer, not {type(bits).__name__}")
    if not LEAST_BITS <= bits <= MOST_BITS:
        wrong_value(ERRORS, f"bits is {bits}; a blind index has {LEAST_BITS} to {MOST_BITS}")
    if codec.name == _values.JSON:
        wrong_value(ERRORS, "JSON has no blind index, because equal values have several texts")
    return int(bits)


def _listed(what: str, items: Iterable[Any]) -> list[Any]:
    if isinstance(items, (str, bytes, bytearray, memoryview)) or not isinstance(items, Iterable):
        wrong_type(ERRORS, f"{what} must be a list, not {type(items).__name__}")
    return list(items)


def _cells(stored: Iterable[bytes | None]) -> list[bytes | None]:
    listed = _listed("stored", stored)
    if {type(None), bytes}.issuperset(map(type, listed)):
        return listed
    return [
        None if cell is None else _values.at_index(at, copied, ERRORS, cell, STORED)
        for at, cell in enumerate(listed)
    ]


def _texts(parts: list[Any]) -> list[bytes] | None:
    """Return ids as bytes if all are integers or texts that may be; others go one by one."""
    kinds = set(map(type, parts))
    with suppress(UnicodeEncodeError):
        if kinds == {int} and min(parts) >= -(2**63) and max(parts) < 2**64:
            return [b"%d" % part for part in parts]
        if kinds == {str} and max(map(len, parts)) <= _SHORT:
            return [part.encode() for part in parts]
    return None


def _as_tuple(row: Row) -> tuple[Part, ...]:
    return tuple(row) if isinstance(row, (tuple, list)) else (row,)


def _kind_of(error: ThemisError) -> type[FieldError]:
    if isinstance(error, TypeError):
        return FieldTypeError
    return FieldValueError if isinstance(error, ValueError) else FieldError


def _of_place(make: Callable[..., bytes], *parts: Any) -> bytes:
    try:
        return make(*parts)
    except ThemisError as error:
        made = _kind_of(error)(error.error_code, error.message)
    raise made
