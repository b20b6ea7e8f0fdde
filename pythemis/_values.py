# SPDX-License-Identifier: Apache-2.0
"""Values of database fields and of columns as bytes (formats, sections 10.1 and 10.2).

Each value has one encoding: a writer takes values by their type and converts none, and a reader
refuses every other spelling. The errors never hold a value, and hide the errors of libraries,
which do.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from ._core.errors import DATA_CORRUPT, NOT_SUPPORTED, Errors, wrong_type, wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable

PADDING_MAX = 1 << 20  # bytes
JSON = "json"

_LONGEST = 1000  # characters of a number
_DEEPEST = 100  # of JSON
_DOUBLE_DIGITS = 309  # of the greatest double, before its point
_PIECE = 600  # digits: what Python converts however its limit is set
_INT = re.compile(rb"0|-?[1-9][0-9]*")
_DECIMAL = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DATE = rb"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME = rb"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{6}))?"
_DATE_ONLY, _TIME_ONLY = re.compile(_DATE), re.compile(_TIME)
_BOTH = re.compile(_DATE + b"T" + _TIME + b"(Z?)")
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _RefusedError(Exception):
    """Why a value cannot be written or read, without the value."""


class Codec(NamedTuple):
    """How the values of one type are written and read.

    Attributes:
        name: of the type, for errors.
        write: return the bytes of a value.
        read: return the value of bytes; both may raise ValueError and its like.
    """

    name: str
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


def encode(errors: Errors, codec: Codec, value: object) -> bytes:
    """Return the bytes of a value, which has the type of the codec.

    Raises:
        ``errors.wrong_type``: a value of another type.
        ``errors.wrong_value``: one that has no encoding.
    """
    kind, why = wrong_value, ""
    try:
        return codec.write(value)
    except _RefusedError as refused:
        why = str(refused)
    except UnicodeEncodeError:
        why = "text with a lone surrogate has no UTF-8 form"
    except (ValueError, OverflowError, RecursionError):
        why = "the value has no encoding"
    except TypeError:
        kind = wrong_type
        why = f"the value must be of type {codec.name}, not {type(value).__name__}"
    # Not within the `except`: the errors of libraries hold the value, and would be the context.
    return kind(errors, f"{why}; see the types of section 10.1")


def encode_all(errors: Errors, codec: Codec, values: list[Any]) -> list[bytes | None]:
    """Return the bytes of many values; None stays None. An error has the ``index`` of its value."""
    write = codec.write
    with suppress(Exception):  # which of them it is, the loop below finds out
        return [None if value is None else write(value) for value in values]
    return [
        None if value is None else at_index(index, encode, errors, codec, value)
        for index, value in enumerate(values)
    ]


def decode_all(errors: Errors, codec: Codec, items: list[bytes | None]) -> list[Any]:
    """Return the values of many bytes; None stays None. An error has the ``index`` of its value."""
    read = codec.read
    with suppress(Exception):
        return [None if data is None else read(data) for data in items]
    return [
        None if data is None else at_index(index, decode, errors, codec, data)
        for index, data in enumerate(items)
    ]


def at_index(index: int, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call with the arguments; an error gets the ``index`` of the value in its list."""
    try:
        return call(*arguments)
    except Exception as error:
        error.index = index  # type: ignore[attr-defined]
        raise


def decode(errors: Errors, codec: Codec, data: bytes) -> Any:
    """Return the value of bytes.

    Raises:
        ``errors.failed``: these are not the bytes of such a value (DATA_CORRUPT).
    """
    try:
        return codec.read(data)
    except (_RefusedError, ValueError, ArithmeticError, RecursionError):
        pass
    raise errors.failed(
        DATA_CORRUPT,
        f"the value is not of type {codec.name}, or not in its one encoding: check the type, and "
        "what wrote the value",
    )


def index_data(codec: Codec, data: bytes) -> bytes:
    """Return the bytes that are indexed for a value of these bytes (formats, section 10.4)."""
    if codec.name == "Decimal" and b"." in data:
        return data.rstrip(b"0").rstrip(b".")
    return data


def cut(index: bytes, bits: int) -> bytes:
    """Return the first bits of a blind index; those that are left in the last byte are 0."""
    size = -(-bits // 8)
    return index[: size - 1] + bytes([index[size - 1] & 0xFF << (-bits % 8) & 0xFF])


# ---- Frames ----


def frame(data: bytes, padding: int = 0) -> bytes:
    """Return framed bytes, whose length is a multiple of the padding if there is one."""
    if not padding:
        return b"\0" + data
    size = len(data) + 2
    return b"".join((b"\1", data, b"\x80", bytes(-size % padding)))


def unframe(errors: Errors, framed: bytes) -> bytes:
    """Return what is in a frame."""
    first = framed[:1]
    if first == b"\0":
        return framed[1:]
    if first == b"\1":
        padded = framed.rstrip(b"\0")
        if len(padded) > 1 and padded[-1] == 0x80:
            return padded[1:-1]
    elif framed:
        raise errors.failed(
            NOT_SUPPORTED,
            f"the frame of this value begins with {framed[0]}, which is of a newer version, or the "
            "column is bare; this pythemis reads 0 and 1",
        )
    raise errors.failed(
        DATA_CORRUPT, "the frame of this value is corrupted: its padding has no end"
    )


def check_padding(errors: Errors, padding: object) -> int:
    """Return a padding that may be."""
    if isinstance(padding, bool) or not isinstance(padding, int):
        wrong_type(errors, f"padding must be an integer, not {type(padding).__name__}")
    if not 0 <= padding <= PADDING_MAX:
        wrong_value(errors, f"padding is {padding}; it must be 0 (none) to {PADDING_MAX} bytes")
    return int(padding)


# ---- Types ----


def _write_text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return str.encode(value, "utf-8")


def _write_bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(memoryview(value))


def _write_int(value: Any) -> bytes:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    number = int.__index__(value)
    if int.bit_length(number) > 3400:  # 10^1000 has 3322
        raise _RefusedError("an integer of more than 1000 characters cannot be stored")
    # In two pieces, because programs may set Python's limit to 640 digits.
    high, low = divmod(abs(number), 10**_PIECE)
    digits = b"%d%0*d" % (high, _PIECE, low) if high else b"%d" % low
    return _checked(b"-" + digits if number < 0 else digits)


def _checked(digits: bytes) -> bytes:
    if len(digits) > _LONGEST:
        raise _RefusedError("a number of more than 1000 characters cannot be stored")
    return digits


def _read_int(data: bytes) -> int:
    if not _INT.fullmatch(_checked(data)):
        raise ValueError
    digits = data.removeprefix(b"-")
    low = int(digits[-_PIECE:])
    number = low + 10**_PIECE * int(digits[:-_PIECE]) if len(digits) > _PIECE else low
    return -number if data[:1] == b"-" else number


def _write_decimal(value: Any) -> bytes:
    if not isinstance(value, Decimal):
        raise TypeError
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise _RefusedError("NaN and infinity cannot be stored")
    if exponent > 0 and not value:
        return b"0"
    # Before it is written out: 1E+300000000 has three hundred million zeros.
    if not -_LONGEST <= exponent <= _LONGEST or len(digits) > _LONGEST:
        raise _RefusedError("a decimal of more than 1000 characters cannot be stored")
    text = Decimal.__format__(value, "f")
    return _checked((text[1:] if sign and not value else text).encode("ascii"))


def _read_decimal(data: bytes) -> Decimal:
    if not _DECIMAL.fullmatch(_checked(data)):
        raise ValueError
    value = Decimal(data.decode("ascii"))
    if data[:1] == b"-" and not value:
        raise ValueError
    return value


def _write_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError
    return b"true" if value else b"false"


def _read_bool(data: bytes) -> bool:
    if data not in (b"true", b"false"):
        raise ValueError
    return data == b"true"


def _write_date(value: Any) -> bytes:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError
    return date.isoformat(value).encode("ascii")


def _read_date(data: bytes) -> date:
    return date(*_numbers(_DATE_ONLY, data))


def _write_time(value: Any) -> bytes:
    if not isinstance(value, time):
        raise TypeError
    if value.tzinfo is not None:
        raise _RefusedError("a time of day with a time zone cannot be stored")
    precision = "microseconds" if value.microsecond else "seconds"
    return time.isoformat(value, precision).encode("ascii")


def _read_time(data: bytes) -> time:
    return time(*_numbers(_TIME_ONLY, data))  # type: ignore[arg-type]


def _write_datetime(value: Any) -> bytes:
    if not isinstance(value, datetime):
        raise TypeError
    if getattr(value, "nanosecond", 0):  # of pandas
        raise _RefusedError("a datetime that is finer than microseconds cannot be stored")
    plain = datetime(
        *(value.year, value.month, value.day, value.hour, value.minute, value.second),
        microsecond=value.microsecond,
    )
    zone = b""
    if value.tzinfo is not None:
        plain, zone = _in_utc(plain, value.utcoffset()), b"Z"
    precision = "microseconds" if plain.microsecond else "seconds"
    return plain.isoformat("T", precision).encode("ascii") + zone


def _in_utc(plain: datetime, offset: timedelta | None) -> datetime:
    if offset is None:
        raise _RefusedError("the time zone of a datetime tells no offset from UTC")
    try:
        return plain - offset
    except OverflowError:
        pass
    raise _RefusedError("in UTC the year of this datetime is not 1 to 9999")


def _read_datetime(data: bytes) -> datetime:
    zone = data[-1:] == b"Z"
    return datetime(*_numbers(_BOTH, data), tzinfo=timezone.utc if zone else None)  # type: ignore[misc, arg-type]


def _numbers(form: re.Pattern[bytes], data: bytes) -> list[int]:
    """Return the numbers in data of this form; microseconds are not 0 where they are written."""
    if not (found := form.fullmatch(data)):
        raise ValueError
    if b".000000" in data:
        raise ValueError
    return [int(group) for group in found.groups() if group and group != b"Z"]


def _write_uuid(value: Any) -> bytes:
    if not isinstance(value, UUID):
        raise TypeError
    return str(UUID(int=value.int)).encode("ascii")


def _read_uuid(data: bytes) -> UUID:
    if not _UUID.fullmatch(data):
        raise ValueError
    return UUID(data.decode("ascii"))


# ---- JSON, which has no one encoding ----


def _write_json(value: Any) -> bytes:
    _check_json(value)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def _check_json(value: Any) -> None:
    """Refuse what `json.dumps` would convert, and what readers would refuse."""
    left = [(value, 0)]
    while left:
        item, depth = left.pop()
        if isinstance(item, (dict, list, tuple)):
            if depth == _DEEPEST:
                raise _RefusedError("JSON that is nested more than 100 deep cannot be stored")
            inside = item.values() if isinstance(item, dict) else item
            if isinstance(item, dict) and not all(isinstance(name, str) for name in item):
                raise _RefusedError("the names in a JSON object must be text")
            left += [(each, depth + 1) for each in inside]
        elif isinstance(item, (int, float)):
            _check_double(item)
        elif not (item is None or isinstance(item, str)):
            raise _RefusedError(f"JSON cannot hold a value of type {type(item).__name__}")


def _check_double(number: float) -> None:
    try:
        value = float(number)
    except OverflowError:
        value = float("inf")
    if value - value != 0:  # infinity, or NaN
        raise _RefusedError("JSON cannot hold NaN, infinity, or a number beyond a double")


def _read_json(data: bytes) -> Any:
    return _DECODER.decode(data.decode("utf-8"))


def _read_json_float(text: str) -> float:
    value = float(text)
    _check_double(value)
    return value


def _read_json_int(text: str) -> int:
    if len(text) > 1 + _DOUBLE_DIGITS:
        raise ValueError
    value = int(text)
    _check_double(value)
    return value


def _refuse_constant(_: str) -> Any:
    raise ValueError


_DECODER = json.JSONDecoder(
    parse_float=_read_json_float, parse_int=_read_json_int, parse_constant=_refuse_constant
)

_CODECS: dict[object, Codec] = {
    str: Codec("str", _write_text, bytes.decode),
    bytes: Codec("bytes", _write_bytes, bytes),
    int: Codec("int", _write_int, _read_int),
    Decimal: Codec("Decimal", _write_decimal, _read_decimal),
    bool: Codec("bool", _write_bool, _read_bool),
    date: Codec("date", _write_date, _read_date),
    time: Codec("time", _write_time, _read_time),
    datetime: Codec("datetime", _write_datetime, _read_datetime),
    UUID: Codec("UUID", _write_uuid, _read_uuid),
    JSON: Codec("json", _write_json, _read_json),
}


def codec_of(errors: Errors, kind: object) -> Codec:
    """Return the codec of a type."""
    if isinstance(kind, (type, str)) and kind in _CODECS:
        return _CODECS[kind]
    if kind is float:
        wrong_type(errors, "type=float is not offered, because its text differs: use Decimal")
    shown = kind.__name__ if isinstance(kind, type) else type(kind).__name__
    names = ", ".join(codec.name for codec in _CODECS.values() if codec.name != JSON)
    return wrong_type(errors, f'type must be one of {names}, or the text "json"; not {shown}')
