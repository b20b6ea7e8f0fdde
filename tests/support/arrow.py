# SPDX-License-Identifier: Apache-2.0
"""A producer of Arrow structures, honest ones and others, which needs no Arrow library."""

import ctypes
import struct
import sys
from ctypes import POINTER, PYFUNCTYPE, Structure, c_char_p, c_int, c_int64, c_void_p, py_object

import pytest

needs_capsules = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="Arrow data are passed on CPython alone"
)


class Schema(Structure):
    pass


class Array(Structure):
    pass


class Stream(Structure):
    pass


RELEASE_SCHEMA = PYFUNCTYPE(None, POINTER(Schema))
RELEASE_ARRAY = PYFUNCTYPE(None, POINTER(Array))
RELEASE_STREAM = PYFUNCTYPE(None, POINTER(Stream))
GET_SCHEMA = PYFUNCTYPE(c_int, POINTER(Stream), POINTER(Schema))
GET_NEXT = PYFUNCTYPE(c_int, POINTER(Stream), POINTER(Array))
LAST_ERROR = PYFUNCTYPE(c_char_p, POINTER(Stream))
Schema._fields_ = [
    *(("format", c_char_p), ("name", c_char_p), ("metadata", c_char_p), ("flags", c_int64)),
    *(("n_children", c_int64), ("children", c_void_p), ("dictionary", POINTER(Schema))),
    *(("release", RELEASE_SCHEMA), ("private_data", c_void_p)),
]
Array._fields_ = [
    *(("length", c_int64), ("null_count", c_int64), ("offset", c_int64), ("n_buffers", c_int64)),
    *(("n_children", c_int64), ("buffers", POINTER(c_void_p)), ("children", c_void_p)),
    *(("dictionary", POINTER(Array)), ("release", RELEASE_ARRAY), ("private_data", c_void_p)),
]
Stream._fields_ = [
    *(("get_schema", GET_SCHEMA), ("get_next", GET_NEXT), ("get_last_error", LAST_ERROR)),
    *(("release", RELEASE_STREAM), ("private_data", c_void_p)),
]


@RELEASE_SCHEMA
def release_schema(schema):
    """Mark a schema as released; its memory is Python's."""
    schema[0].release = RELEASE_SCHEMA()


@RELEASE_ARRAY
def release_array(array):
    """Mark an array as released."""
    array[0].release = RELEASE_ARRAY()


def capsule(pointer, name):
    """Put an address into a capsule without a destructor."""
    make = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)
    return make(("PyCapsule_New", ctypes.pythonapi))(ctypes.addressof(pointer), name, None)


class Produced:
    """An array: what its structures say is what it is given, true or not."""

    def __init__(
        self, form, length, buffers=(), *, offset=0, nulls=-1, dictionary=None, metadata=None
    ):
        make = ctypes.create_string_buffer
        self.buffers = [data if data is None else make(data, len(data) or 1) for data in buffers]
        places = [None if data is None else ctypes.addressof(data) for data in self.buffers]
        self.places = (c_void_p * max(len(places), 1))(*places)
        self.dictionary = dictionary
        self.schema = Schema(form, b"", metadata, 2, 0, None, None, release_schema, None)
        self.array = Array(length, nulls, offset, len(places), 0, self.places)
        self.array.release = release_array
        if dictionary is not None:
            self.schema.dictionary = ctypes.pointer(dictionary.schema)
            self.array.dictionary = ctypes.pointer(dictionary.array)

    def __arrow_c_array__(self, requested_schema=None):
        return capsule(self.schema, b"arrow_schema"), capsule(self.array, b"arrow_array")


class Streamed:
    """A stream of arrays; ``fails_at`` one of them it fails, -1 for the schema."""

    def __init__(self, chunks, fails_at=None, schema=None):
        self.chunks = list(chunks)
        self.schema = schema or self.chunks[0].schema
        self.fails_at = fails_at
        self.given = self.released = 0
        self.stream = Stream(
            GET_SCHEMA(self.get_schema), GET_NEXT(self.get_next), LAST_ERROR(lambda _: b"secret")
        )
        self.stream.release = RELEASE_STREAM(self.release)

    def get_schema(self, _, out):
        out[0] = self.schema
        return 5 if self.fails_at == -1 else 0

    def get_next(self, _, out):
        if self.given == self.fails_at:
            return 5
        if self.given == len(self.chunks):
            out[0].release = RELEASE_ARRAY()
        else:
            out[0] = self.chunks[self.given].array
            self.given += 1
        return 0

    def release(self, stream):
        self.released += 1
        stream[0].release = RELEASE_STREAM()

    def __arrow_c_stream__(self, requested_schema=None):
        return capsule(self.stream, b"arrow_array_stream")


def format_of(array):
    """Return the format in the schema that an array gives."""
    get = PYFUNCTYPE(c_void_p, py_object, c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
    schema, _ = array.__arrow_c_array__()
    return ctypes.cast(get(schema, b"arrow_schema"), POINTER(Schema))[0].format


# ---- Honest arrays ----


def bits(values, offset=0):
    """Return a validity bitmap; what is before the offset counts as valid."""
    flags = [True] * offset + [value is not None for value in values]
    made = bytearray(len(flags) // 8 + 1)
    for at, flag in enumerate(flags):
        made[at // 8] |= flag << at % 8
    return bytes(made)


def encoded(values):
    """Return values as bytes."""
    return [value.encode() if isinstance(value, str) else value for value in values]


def by_offsets(values, form=b"z", offset=0):
    """Make an array of 32-bit or 64-bit offsets; before its offset there are other values."""
    kind = "q" if form in (b"U", b"Z") else "i"
    items = [b"other"] * offset + [value or b"" for value in encoded(values)]
    ends = [0]
    for item in items:
        ends.append(ends[-1] + len(item))
    places = struct.pack(f"={len(ends)}{kind}", *ends)
    return Produced(
        form, len(values), [bits(values, offset), places, b"".join(items)], offset=offset
    )


def by_views(values, form=b"vz", offset=0):
    """Make an array of views, whose long values lie in two buffers."""
    stores = [bytearray(b"before"), bytearray()]
    views = bytearray(bytes(16 * offset))
    for number, value in enumerate(encoded(values)):
        data = value or b""
        if len(data) <= 12:
            views += struct.pack("=i12s", len(data), data)
            continue
        store = stores[number % 2]
        views += struct.pack("=i4sii", len(data), data[:4], number % 2, len(store))
        store += data
    sizes = struct.pack("=2q", *map(len, stores))
    buffers = [bits(values, offset), bytes(views), *map(bytes, stores), sizes]
    return Produced(form, len(values), buffers, offset=offset)


def integers(values, form=b"l", offset=0):
    """Make an array of integers."""
    kind = dict(zip(b"cCsSiIlL", "bBhHiIqQ", strict=True))[form[0]]
    numbers = [7] * offset + [value or 0 for value in values]
    data = struct.pack(f"={len(numbers)}{kind}", *numbers)
    return Produced(form, len(values), [bits(values, offset), data], offset=offset)


def uuids(values, offset=0):
    """Make an array of UUIDs, which its metadata say it is."""
    pair = [b"ARROW:extension:name", b"arrow.uuid"]
    metadata = struct.pack("=i", 1) + b"".join(struct.pack("=i", len(p)) + p for p in pair)
    data = b"".join(
        [b"0" * 16] * offset + [value.bytes if value else bytes(16) for value in values]
    )
    made = Produced(b"w:16", len(values), [bits(values, offset), data], offset=offset)
    made.kept = ctypes.create_string_buffer(metadata)
    made.schema.metadata = ctypes.cast(made.kept, c_char_p)
    return made


def dictionary(values, form=b"u", index=b"i"):
    """Make a dictionary array."""
    entries = sorted({value for value in values if value is not None})
    indices = integers([None if v is None else entries.index(v) for v in values], index)
    made = Produced(index, len(values), dictionary=by_offsets(entries, form))
    made.buffers, made.places = indices.buffers, indices.places
    made.array.n_buffers, made.array.buffers = 2, indices.places
    return made
