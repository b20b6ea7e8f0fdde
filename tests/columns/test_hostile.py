# SPDX-License-Identifier: Apache-2.0
"""Arrow structures that lie: each is refused before anything is read by them."""

import ctypes
import struct

import pytest

from pythemis.columns import ColumnCipher, ColumnError
from pythemis.keyring import Keyring
from support.arrow import Produced, Streamed, by_offsets, capsule, dictionary, needs_capsules

pytestmark = needs_capsules

CIPHER = ColumnCipher(Keyring.new("shop").add(), ("t", "c"))
BIG = 2**62


def offsets(*numbers, kind="i"):
    """Pack offsets."""
    return struct.pack(f"={len(numbers)}{kind}", *numbers)


def view(size, buffer=0, start=0):
    """Pack a view of a long value."""
    return struct.pack("=i4sii", size, b"long", buffer, start)


def views(one, sizes=(20,), count=None):
    """Make an array of one view."""
    data = [b"x" * 20 for _ in sizes]
    return Produced(b"vz", count or 1, [None, one, *data, struct.pack(f"={len(sizes)}q", *sizes)])


def changed(array, where="array", **fields):
    """Change fields of a structure."""
    for name, value in fields.items():
        setattr(getattr(array, where), name, value)
    return array


def released(array, where):
    """Release a structure before it is read."""
    getattr(array, where).release = type(getattr(array, where).release)()
    return array


def good():
    """Make an honest array."""
    return by_offsets([b"a", b"b"])


STRUCTURES = {
    "length below 0": (lambda: changed(good(), length=-1), "length or offset"),
    "length beyond all": (lambda: changed(good(), length=BIG), "length or offset"),
    "offset below 0": (lambda: changed(good(), offset=-1), "length or offset"),
    "offset beyond all": (lambda: changed(good(), offset=BIG), "length or offset"),
    "no buffers": (lambda: changed(good(), n_buffers=0), "buffers of its type"),
    "fewer buffers": (lambda: changed(good(), n_buffers=2), "buffers of its type"),
    "more buffers": (lambda: changed(good(), n_buffers=4), "buffers of its type"),
    "buffers below 0": (lambda: changed(good(), n_buffers=-1), "buffers of its type"),
    "no list of buffers": (lambda: changed(good(), buffers=None), "no buffers"),
    "children": (lambda: changed(good(), n_children=1), "buffers of its type"),
    "fields": (lambda: changed(good(), "schema", n_children=2), "fields of its own"),
    "released array": (lambda: released(good(), "array"), "released"),
    "released schema": (lambda: released(good(), "schema"), "released"),
    "no format": (lambda: changed(good(), "schema", format=None), "released"),
    "nulls without a place": (
        lambda: Produced(b"z", 1, [None, offsets(0, 1), b"a"], nulls=1),
        "counts nulls",
    ),
    "no offsets": (lambda: Produced(b"z", 1, [None, None, b"a"]), "no offsets"),
    "no data": (lambda: Produced(b"z", 1, [None, offsets(0, 9), None]), "no data"),
    "offsets below 0": (lambda: Produced(b"z", 1, [None, offsets(0, -1), b"a"]), "corrupted"),
    "first offset below 0": (lambda: Produced(b"z", 1, [None, offsets(-9, 1), b"a"]), "corrupted"),
    "offsets backwards": (lambda: Produced(b"z", 1, [None, offsets(5, 1), b"a"]), "corrupted"),
    "large offsets below 0": (
        lambda: Produced(b"Z", 1, [None, offsets(0, -1, kind="q"), b"a"]),
        "corrupted",
    ),
    "an offset beyond the last": (
        lambda: Produced(b"z", 2, [None, offsets(0, 999, 2), b"ab"]),
        "row 0: an offset leads outside",
    ),
    "an offset before the first": (
        lambda: Produced(b"z", 2, [None, offsets(1, 0, 2), b"ab"]),
        "row 0: an offset leads outside",
    ),
    "an offset that turns": (
        lambda: Produced(b"z", 3, [None, offsets(0, 2, 1, 2), b"ab"]),
        "row 1: an offset leads outside",
    ),
    "an offset below 0": (
        lambda: Produced(b"z", 2, [None, offsets(0, -2, 2), b"ab"]),
        "row 0: an offset leads outside",
    ),
    "a view too long": (lambda: views(view(21)), "row 0: a view leads outside"),
    "a view below 0": (lambda: views(view(-1)), "row 0: a view leads outside"),
    "a view into nothing": (lambda: views(view(13, 1)), "row 0: a view leads outside"),
    "a view before all": (lambda: views(view(13, -1)), "row 0: a view leads outside"),
    "a view that starts late": (lambda: views(view(13, 0, 8)), "row 0: a view leads outside"),
    "a view that starts below 0": (lambda: views(view(13, 0, -5)), "row 0: a view leads outside"),
    "a buffer below 0": (lambda: views(view(13), (-1,)), "row 0: a view leads outside"),
    "no views": (lambda: views(None), "no views"),
    "no sizes of views": (
        lambda: Produced(b"vz", 1, [None, view(13), b"x" * 20, None]),
        "no sizes",
    ),
    "a buffer that is not there": (
        lambda: Produced(b"vz", 1, [None, view(13), None, struct.pack("=q", 20)]),
        "row 0: a view leads outside",
    ),
    "no values": (lambda: Produced(b"w:4", 1, [None, None]), "no values"),
    "a width without digits": (lambda: Produced(b"w:", 1, [None, b"aaaa"]), "neither text"),
    "a width below 0": (lambda: Produced(b"w:-1", 1, [None, b"aaaa"]), "neither text"),
    "a width beyond all": (lambda: Produced(b"w:99999999999", 1, [None, b"a"]), "neither text"),
    "wide values beyond all memory": (
        lambda: Produced(b"w:2147483647", 2**40, [None, b"a"]),
        "length or offset",
    ),
    "more rows than one call takes": (
        lambda: Produced(b"w:1", 2**32, [None, b"a"]),
        "more than 4294967295 rows",
    ),
    "a list": (lambda: Produced(b"+l", 1, [None, offsets(0, 1)]), "neither text"),
    "floating point": (lambda: Produced(b"g", 1, [None, b"12345678"]), "neither text"),
    "dates": (lambda: Produced(b"tdD", 1, [None, b"1234"]), "neither text"),
    "text that is none": (
        lambda: Produced(b"u", 2, [None, offsets(0, 1, 2), b"a\xff"]),
        "row 1: it is text, and not UTF-8",
    ),
    "an index beyond the dictionary": (
        lambda: Produced(b"c", 2, [None, b"\0\2"], dictionary=good()),
        "row 1: an index leads outside",
    ),
    "an index below 0": (
        lambda: Produced(b"c", 2, [None, b"\0\xff"], dictionary=good()),
        "row 1: an index into the dictionary is negative",
    ),
    "a dictionary within one": (
        lambda: Produced(b"c", 1, [None, b"\0"], dictionary=dictionary(["a"])),
        "has one of its own",
    ),
    "indices that are text": (
        lambda: Produced(b"z", 1, [None, offsets(0, 1), b"a"], dictionary=good()),
        "not indexed by integers",
    ),
    "a dictionary without an array": (
        lambda: changed(Produced(b"c", 1, [None, b"\0"], dictionary=good()), dictionary=None),
        "released",
    ),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_that_lie(name):
    """Each is refused with what is wrong, as an array and as a chunk; as row ids as well."""
    make, text = STRUCTURES[name]
    with pytest.raises(ColumnError) as caught:
        CIPHER.encrypt(make())
    assert text in str(caught.value)
    assert caught.value.index == (int(text[4]) if text.startswith("row") else None)
    array = make()
    count = array.array.length if 0 <= array.array.length < 9 else 2
    with pytest.raises(ColumnError):
        CIPHER.encrypt([b"value"] * count, array)


def test_empty_arrays_need_no_buffers():
    """An array without rows is read whatever its buffers are."""
    for form, count in ((b"z", 3), (b"U", 3), (b"vu", 3), (b"w:16", 2), (b"n", 0)):
        cells = CIPHER.encrypt(Produced(form, 0, [None] * count), [])
        assert cells.to_pylist() == []
    assert CIPHER.encrypt(Produced(b"n", 3), [1, 2, 3]).to_pylist() == [None] * 3


def test_values_without_bytes():
    """Values of no width, and views that are empty, are empty values."""
    assert (
        CIPHER.decrypt(CIPHER.encrypt(Produced(b"w:0", 2, [None, None]))).to_pylist() == [b""] * 2
    )
    assert CIPHER.decrypt(CIPHER.encrypt(views(bytes(16)))).to_pylist() == [b""]


@pytest.mark.parametrize("fails_at", [-1, 0, 1])
def test_streams_that_fail(fails_at):
    """A stream that fails is an error of ours, without its words; what it gave is released."""
    stream = Streamed([good(), good()], fails_at)
    with pytest.raises(ColumnError, match="the library that it is of failed") as caught:
        CIPHER.encrypt(stream)
    assert "secret" not in str(caught.value)
    assert stream.released == 1
    with pytest.raises(ColumnError, match="the stream was released"):
        CIPHER.encrypt(stream)


def test_chunks_of_other_types():
    """Chunks of a stream share its schema; one whose buffers are of another type is refused."""
    with pytest.raises(ColumnError, match="buffers of its type"):
        CIPHER.encrypt(Streamed([good(), Produced(b"l", 1, [None, b"12345678"])]))


class Given:
    """An object that gives what it is told."""

    def __init__(self, made):
        self.made = made

    def __arrow_c_array__(self, requested_schema=None):
        if isinstance(self.made, BaseException):
            raise self.made
        return self.made


def test_capsules_that_are_none():
    """Other objects in the place of capsules, other names, errors of the producer."""
    array = good()
    other = capsule(array.array, b"another name")
    for made in (None, (), (1, 2), (other, other), "ab", TypeError("secret")):
        with pytest.raises(ColumnError, match="whose Arrow data cannot be read") as caught:
            CIPHER.encrypt(Given(made))
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None
    with pytest.raises(ZeroDivisionError):
        CIPHER.encrypt(Given(ZeroDivisionError()))


def test_metadata_of_uuids():
    """Metadata that end early, or whose lengths are below 0, are no UUIDs and no crash."""
    for metadata in (offsets(1, -1), offsets(0), offsets(1, 4) + b"abcd" + offsets(1) + b"x"):
        array = Produced(b"w:16", 1, [None, bytes(16)])
        kept = ctypes.create_string_buffer(metadata)
        array.schema.metadata = ctypes.cast(kept, ctypes.c_char_p)
        cells = CIPHER.encrypt(array, [1])
        assert CIPHER.decrypt(cells, [1]).to_pylist() == [bytes(16)]
