# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of pyarrow, and files of Parquet."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager, suppress
from itertools import compress, zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from ._errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from ._column import ArrowColumn

Array: TypeAlias = pa.Array
NOTHING = pa.null()  # the type of a column of nulls


def column(data: Any) -> Any:
    """Return a column as what gives itself in capsules."""
    return data


def like(data: Any, made: ArrowColumn) -> Any:
    """Return a result as a column of pyarrow: in one chunk where the data was chunked."""
    array = pa.array(made)
    return pa.chunked_array([array]) if isinstance(data, pa.ChunkedArray) else array


def from_series(series: Any) -> Any:
    """Return a series of a library that does not speak Arrow itself."""
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        pass  # its text has values
    return wrong_type(
        "the column holds values of several types, or of one that Arrow does not have"
    )


# ---- Tables ----


def names(table: Any) -> list[str]:
    """Return the names of the columns; a TypeError if it is no table."""
    if not isinstance(table, (pa.Table, pa.RecordBatch)):
        raise TypeError
    return list(table.schema.names)


def get(table: Any, name: str) -> Any:
    """Return a column of a table."""
    return table.column(name)


def replaced(table: Any, made: dict[str, Any]) -> Any:
    """Return a table in which these columns are others."""
    for name, values in made.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table


# ---- Parquet, in parts ----

_TYPES = {"bytes": pa.binary(), "text": pa.string(), "int": pa.int64()}
_ROW_BYTES, _MOST_ROWS = 1 << 20, 1 << 10  # of what is read at once
_PART_BYTES, _PART_ROWS = 1 << 22, 1 << 16  # of what is worked on at once
_GROUP_BYTES = 1 << 26  # of what is written at once


class ParquetPart:
    """Some rows."""

    def __init__(self, table: Any, first: int) -> None:
        self.table, self._first = table, first

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def where(self, row: int) -> str:
        """Return where in the file a row is."""
        return f"row {self._first + row}"

    def column(self, name: str, _: str = "") -> Any:
        """Return a column."""
        return self.table.column(name)

    @staticmethod
    def different(old: Any, new: Any) -> int:
        """Return how many cells of two columns differ."""
        import pyarrow.compute as pc

        return int(pc.sum(pc.not_equal(_as(old, new.type), new)).as_py() or 0)

    def ids(self, name: str, columns: list[str]) -> Iterator[tuple[Any, int]]:
        """Yield the id and the number of each row that has a value in one of the columns."""
        ids = self.column(name)
        ids = ids.cast(getattr(ids.type, "storage_type", ids.type))
        if pa.types.is_dictionary(ids.type):
            ids = ids.cast(ids.type.value_type)
        if pa.types.is_uint64(ids.type):
            ids = ids.cast(pa.string())
        pairs = zip(ids.to_pylist(), range(self._first, self._first + len(self)), strict=True)
        if any(self.column(each).null_count == 0 for each in columns):
            return pairs
        valid = (self.column(each).is_valid().to_pylist() for each in columns)
        found = map(any, zip(*valid, strict=True))
        return compress(pairs, found)


class ParquetTable:
    """A Parquet file that is read in parts and written again, with other columns in some places.

    The types, the metadata and the compression of all other columns stay, and rows stay in their
    groups; a group that takes more than 64 MiB of memory becomes several.

    Args:
        file: what to read, which can seek.
        write: what takes the bytes of the new file.
        kinds: the columns that change, and what they will hold: "bytes", "text" or "int"; or
            "same", which is bytes of the type that they have.

    Raises:
        ColumnError: it cannot be read, or it has what cannot be written again as it is.
    """

    def __init__(
        self, file: Any, write: Callable[[bytes], object], kinds: Mapping[str, str]
    ) -> None:
        self._kinds = dict(kinds)
        with _readable():
            self._file = _opened(file)
            self.names: list[str] = self._file.schema_arrow.names
            self._schema = _schema_of(self._file.schema_arrow, self._kinds)
            self._options = _options_of(self._file, self._kinds)
            self._check_others()
        self._sink = _Sink(write)
        self._writer: Any = None
        self._group: list[Any] = []  # what is not written yet
        self.size: int = self._file.metadata.num_rows
        self.done = 0  # rows

    @staticmethod
    def place(number: int) -> str:
        """Return where in the file a row of this number is."""
        return f"row {number}"

    def _check_others(self) -> None:
        """Refuse a file with columns that pyarrow writes otherwise than they were."""
        trial = io.BytesIO()
        with _parquet().ParquetWriter(trial, self._schema, **self._options) as writer:
            writer.write_table(self._schema.empty_table())
        leaves = (_leaves(file, self._kinds) for file in (self._file, _opened(trial)))
        for old, new in zip_longest(*leaves):
            if old != new:
                path, kind = (old or new)[:2]
                hint = ", such as one of microseconds" if kind == "INT96" else ""
                wrong_value(
                    f"column {path!r} cannot be copied without changing its type, {kind}: write it "
                    f"as another one{hint}"
                )

    def parts(self) -> Iterator[ParquetPart]:
        """Yield the rows, some at a time."""
        if self.size == 0:  # its types are looked at all the same
            yield ParquetPart(self._file.schema_arrow.empty_table(), 0)
        for group in range(self._file.metadata.num_row_groups):
            tables = _tables(self._file, group)
            while True:
                with _readable():
                    table = next(tables, None)
                if table is None:
                    break
                yield ParquetPart(table, self.done)
                self.done += table.num_rows
            self._write_group()

    def put(self, part: ParquetPart, made: Mapping[str, Any]) -> None:
        """Write rows in which these columns are others."""
        arrays = list(part.table.columns)
        for name, values in made.items():
            at = self._schema.get_field_index(name)
            arrays[at] = _as(values, self._schema.field(at).type)
        self._group.append(pa.Table.from_arrays(arrays, schema=self._schema))
        if sum(table.nbytes for table in self._group) >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        if self._group:
            table = pa.concat_tables(self._group).unify_dictionaries()
            self._group = []
            self._open().write_table(table, row_group_size=table.num_rows)

    def _open(self) -> Any:
        if self._writer is None:
            self._writer = _parquet().ParquetWriter(self._sink, self._schema, **self._options)
        return self._writer

    def finish(self) -> None:
        """Write what is left, and the end of the file."""
        self._write_group()
        self._open().close()

    def close(self) -> None:
        """Write nothing more; after `finish` that is nothing."""
        self._sink.is_open = False
        if self._writer is not None:
            with suppress(pa.ArrowException, OSError):  # what led here is the error to report
                self._writer.close()


class _Sink(io.RawIOBase):
    """What pyarrow writes to."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write, self._size, self.is_open = write, 0, True

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        data = bytes(data)
        if self.is_open:
            self._write(data)
        self._size += len(data)
        return len(data)


@contextmanager
def _readable() -> Iterator[None]:
    """Have pyarrow's errors say no more than that it cannot read the file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the system
            raise
    else:
        return
    wrong_value("this Parquet file is corrupted, or has what this pyarrow does not read")


def _parquet() -> ModuleType:
    """Load what only files need."""
    import pyarrow.parquet as module

    loaded: ModuleType = module
    return loaded


def _opened(file: Any) -> Any:
    options = {"arrow_extensions_enabled": True} if int(pa.__version__.split(".")[0]) > 20 else {}
    return _parquet().ParquetFile(
        file, pre_buffer=False, buffer_size=1 << 16, page_checksum_verification=True, **options
    )


def _tables(file: Any, group: int) -> Iterator[Any]:
    """Yield a group of rows as tables of some MiB."""
    found = file.metadata.row_group(group)
    each = found.total_byte_size // max(found.num_rows, 1)
    rows = min(max(_ROW_BYTES // max(each, 1), 1), _MOST_ROWS)
    batches: list[Any] = []
    size = 0
    for batch in file.iter_batches(rows, [group]):
        batches.append(batch)
        size += batch.nbytes
        if size >= _PART_BYTES or rows * len(batches) >= _PART_ROWS:
            yield pa.Table.from_batches(batches)
            batches, size = [], 0
    if batches:
        yield pa.Table.from_batches(batches)


def _as(values: Any, kind: Any) -> Any:
    """Return values as a column of a type."""
    try:
        return pa.array(values, kind) if isinstance(values, list) else values.cast(kind)
    except (pa.ArrowException, OverflowError):
        pass  # its text has values
    return wrong_value(f"a value does not fit in a column of type {kind}")


def _schema_of(schema: Any, kinds: Mapping[str, str]) -> Any:
    """Return the schema of a file in which columns become others."""
    for name, kind in kinds.items():
        for at in schema.get_all_field_indices(name):
            field = schema.field(at)
            keeps = kind == "same" and field.type in (pa.binary(), pa.large_binary())
            made = field.type if keeps else _TYPES.get(kind, pa.binary())
            schema = schema.set(at, field.with_type(made))
    return schema.with_metadata(_metadata_of(schema.metadata or {}, kinds))


def _metadata_of(metadata: Mapping[bytes, bytes], kinds: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return metadata in which pandas and Spark find the new types of columns, and not the old."""
    made = dict(metadata)
    for key, (columns, types) in _SCHEMAS.items():
        try:
            known = json.loads(metadata[key])
            for column in known[columns]:
                if kinds.get(column["name"], "same") != "same":
                    column.update(types[kinds[column["name"]]])
            made[key] = json.dumps(known).encode()
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            continue  # there is none, or it is not theirs
    return made


_SCHEMAS: dict[bytes, tuple[str, dict[str, dict[str, Any]]]] = {
    b"pandas": (
        "columns",
        {
            "bytes": {"pandas_type": "bytes", "numpy_type": "object", "metadata": None},
            "text": {"pandas_type": "unicode", "numpy_type": "object", "metadata": None},
            "int": {"pandas_type": "int64", "numpy_type": "int64", "metadata": None},
        },
    ),
    b"org.apache.spark.sql.parquet.row.metadata": (
        "fields",
        {"bytes": {"type": "binary"}, "text": {"type": "string"}, "int": {"type": "long"}},
    ),
}


def _leaves(file: Any, without: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return what the other columns are in Parquet's own types."""
    schema = file.schema
    leaves = (schema.column(at) for at in range(len(schema.names)))
    return [
        (
            *(leaf.path, leaf.physical_type, str(leaf.logical_type), leaf.converted_type),
            *(leaf.length, leaf.precision, leaf.scale),
            *(leaf.max_definition_level, leaf.max_repetition_level),
        )
        for leaf in leaves
        if not any(f"{leaf.path}.".startswith(f"{name}.") for name in without)
    ]


def _options_of(file: Any, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return how to write a file again as it is; nothing is gained by compressing cells."""
    metadata, leaves = file.metadata, _leaves(file, kinds)
    width = metadata.num_columns if metadata.num_row_groups else 0
    if width:  # before a row was read, pyarrow 26 aborts where the metadata of columns is damaged
        next(file.iter_batches(1, [0]), None)
    chunks = [metadata.row_group(0).column(at) for at in range(width)]
    codecs = {chunk.path_in_schema: _codec(chunk.compression) for chunk in chunks}
    others = [leaf[0] for leaf in leaves]
    codec = next((codecs[path] for path in others if path in codecs), "SNAPPY")
    made = {name: "NONE" if kind in ("bytes", "same") else codec for name, kind in kinds.items()}
    return {
        "compression": {**codecs, **made},
        "use_dictionary": others,
        "write_statistics": others,
        "use_compliant_nested_type": not any(".list.item" in path for path in others),
        "store_decimal_as_integer": any(
            leaf[1] in ("INT32", "INT64") and leaf[2].startswith("Decimal") for leaf in leaves
        ),
    }


def _codec(name: str) -> str:
    return "NONE" if name == "UNCOMPRESSED" else name
