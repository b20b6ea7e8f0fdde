# SPDX-License-Identifier: Apache-2.0
"""Value bytes and frames (formats, sections 10.1 and 10.2): recorded, random, and hostile ones."""

import contextlib
import json
import sys
import time
import traceback
from datetime import date, datetime, timedelta, timezone, tzinfo
from datetime import time as time_of_day
from decimal import Decimal
from enum import IntEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis import _values
from pythemis._core.errors import Errors
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from support.cells import VECTORS
from support.rings import by_id

RECORDED = json.loads((VECTORS / "field_value.json").read_text("utf-8"))
ERRORS = Errors(ThemisError, ThemisTypeError, ThemisValueError)
TYPES = {
    "text": str,
    "bytes": bytes,
    "int": int,
    "decimal": Decimal,
    "bool": bool,
    "date": date,
    "time": time_of_day,
    "datetime": datetime,
    "uuid": UUID,
    "json": "json",
}
CORRUPT, NEWER = THEMIS_CODES.DATA_CORRUPT, THEMIS_CODES.NOT_SUPPORTED


def encode(kind, value):
    """Give the bytes of a value."""
    return _values.encode(ERRORS, _values.codec_of(ERRORS, kind), value)


def decode(kind, data):
    """Give the value of bytes."""
    return _values.decode(ERRORS, _values.codec_of(ERRORS, kind), data)


def refused_data(kind, data):
    """Check that bytes are refused; the error holds nothing of them."""
    with pytest.raises(ThemisError, match="one encoding") as caught:
        decode(kind, data)
    assert caught.value.error_code == CORRUPT
    assert caught.value.__context__ is None


def value_of(given):
    """Give a recorded value of a writer."""
    [(kind, value)] = given.items()
    if kind == "text":
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return {
        "json": lambda: value,
        "int": lambda: (
            int(value[: len(value) // 2]) * 10 ** (len(value) - len(value) // 2)
            + int(value[len(value) // 2 :])
        ),
        "decimal": lambda: Decimal(value),
        "datetime": lambda: datetime.fromisoformat(value),
        "bytes": lambda: bytes.fromhex(value),
        "uuid": lambda: UUID(value),
    }[kind]()


@by_id(RECORDED["codecs"])
def test_recorded_values(case):
    """Each recorded value is read, and written again as the same bytes."""
    kind, data = TYPES[case["codec"]], bytes.fromhex(case["data"])
    value = decode(kind, data)
    assert encode(kind, value) == data
    assert kind == "json" or type(value) is kind


@pytest.mark.parametrize("case", RECORDED["refused_codecs"], ids=lambda case: case["why"][:40])
def test_every_other_spelling_is_refused(case):
    """No recorded misspelling of a value is read."""
    refused_data(TYPES[case["codec"]], bytes.fromhex(case["data"]))


@pytest.mark.parametrize("case", RECORDED["json_read"], ids=lambda case: case["note"][:40])
def test_json_that_others_write(case):
    """JSON is read as other libraries write it."""
    data = bytes.fromhex(case["data"])
    assert decode("json", data) == json.loads(data)


@pytest.mark.parametrize("case", RECORDED["refused_values"], ids=lambda case: case["why"][:40])
def test_values_that_are_not_written(case):
    """A value of another type, or one that no reader would take, is an argument error."""
    with pytest.raises((ThemisTypeError, ThemisValueError)) as caught:
        encode(TYPES[case["codec"]], value_of(case["value"]))
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER
    assert caught.value.__context__ is None


@pytest.mark.parametrize("case", RECORDED["frames"], ids=lambda case: case["framed"][:20])
def test_recorded_frames(case):
    """Recorded frames are written and read."""
    value, framed = bytes.fromhex(case["value"]), bytes.fromhex(case["framed"])
    assert _values.frame(value, int(case["multiple"])) == framed
    assert _values.unframe(ERRORS, framed) == value


@pytest.mark.parametrize("case", RECORDED["refused_frames"], ids=lambda case: case["framed"])
def test_damaged_frames(case):
    """A frame without an end, or of a newer version, is refused."""
    with pytest.raises(ThemisError) as caught:
        _values.unframe(ERRORS, bytes.fromhex(case["framed"]))
    assert caught.value.error_code == (NEWER if case["error"] == "newer" else CORRUPT)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**300), 10**300) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)  # fmt: skip
ZONES = st.none() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
VALUES = {
    str: st.text(),
    bytes: st.binary(),
    int: st.integers() | st.integers(900, 999).map(lambda digits: -(10 ** (digits - 1)) + 7),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    date: st.dates(),
    time_of_day: st.times(),
    datetime: st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES),
    UUID: st.uuids(),
    "json": ANY_JSON,
}


@pytest.mark.parametrize("kind", VALUES, ids=str)
@given(data=st.data(), padding=st.integers(0, 64))
def test_what_is_written_is_read(kind, data, padding):
    """Every value comes back equal through its bytes and a frame, as what it was."""
    value = data.draw(VALUES[kind])
    framed = _values.frame(encode(kind, value), padding)
    assert not padding or len(framed) % padding == 0
    found = decode(kind, _values.unframe(ERRORS, framed))
    assert found == value
    assert type(found) is type(value)
    if kind is Decimal and value and value.as_tuple().exponent <= 0:
        assert found.as_tuple() == value.as_tuple()  # with all its places
    if kind is datetime:
        assert (found.tzinfo is None) == (value.tzinfo is None)


ALPHABET = st.text("0123456789+-.:TZeE aftrus_\n\u0663", max_size=27) | st.text(max_size=40)


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind not in (bytes, "json")], ids=str)
@given(text=ALPHABET)
def test_nothing_else_is_read(kind, text):
    """Whatever is read is written as the same bytes: each value has one encoding."""
    data = text.encode()
    with contextlib.suppress(ThemisError):
        assert encode(kind, decode(kind, data)) == data


def test_numbers_at_their_limits():
    """1000 characters are stored however Python limits its conversions, and no more."""
    limit = getattr(sys, "get_int_max_str_digits", lambda: 0)()
    try:
        if limit:
            sys.set_int_max_str_digits(640)
        for number in (10**999, -(10**998), 10**600, 10**600 - 1, -(10**601) + 3):
            assert decode(int, encode(int, number)) == number
        for number in (10**1000, -(10**999), 1 << 10**6):
            with pytest.raises(ThemisValueError, match="1000 characters"):
                encode(int, number)
    finally:
        if limit:
            sys.set_int_max_str_digits(limit)


class _Lost(tzinfo):
    def utcoffset(self, _when):
        return None


class _Fine(datetime):
    nanosecond = 1


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (datetime, datetime(2026, 1, 1, tzinfo=_Lost()), "no offset"),
        (datetime, _Fine(2026, 1, 1), "finer than microseconds"),
        (str, "\ud800 secret", "lone surrogate"),
        (Decimal, Decimal("sNaN"), "NaN"),
        ("json", {1: "secret"}, "must be text"),
        ("json", {"a": {b"secret"}}, "a value of type set"),
        ("json", [float("nan")], "NaN"),
        ("json", [10**400], "beyond a double"),
        ("json", Decimal(1), "a value of type Decimal"),
    ],
)
def test_what_has_no_encoding(kind, value, text):
    """The error says why, and holds no value, nor does an error behind it."""
    with pytest.raises(ThemisValueError, match=text) as caught:
        encode(kind, value)
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_json_that_holds_itself():
    """A circle, and what is nested too deeply, is refused, written and read."""
    circle = []
    circle.append(circle)
    with pytest.raises(ThemisValueError, match="nested more than 100 deep"):
        encode("json", circle)
    refused_data("json", b"[" * 10**6)


def test_subclasses_count_as_what_they_hold():
    """An enumeration of integers is its integer, whatever its methods say."""

    class Level(IntEnum):
        HIGH = 3

        def __str__(self):
            return "wrong"

    assert encode(int, Level.HIGH) == b"3"
    assert encode(bytes, bytearray(b"x")) == encode(bytes, memoryview(b"x")) == b"x"


@pytest.mark.timing
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (int, b"9" * 10**7),
        (Decimal, b"0." + b"9" * 10**7),
        (datetime, b"2026-" * 10**6),
        ("json", b"9" * 10**7),
        ("json", b"0." + b"9" * 10**6),
        ("json", b"1e" + b"9" * 10**6),
    ],
    ids=str,
)
def test_hostile_values_cost_little(kind, data):
    """Ten million digits take no more than linear time."""
    started = time.process_time()
    with contextlib.suppress(ThemisError):
        decode(kind, data)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [(float, "use Decimal"), (list, "not list"), ("text", "not str"), (None, "not NoneType")],
)
def test_types_that_are_not_offered(kind, text):
    """Another type is refused by name."""
    with pytest.raises(ThemisTypeError, match=text):
        _values.codec_of(ERRORS, kind)


@pytest.mark.parametrize(("padding", "text"), [(True, "bool"), (-1, "is -1"), (1 << 21, "2097152")])
def test_paddings_that_are_not_offered(padding, text):
    """A padding is 0 to 1048576 bytes."""
    with pytest.raises((ThemisTypeError, ThemisValueError), match=text):
        _values.check_padding(ERRORS, padding)
