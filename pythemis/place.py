# SPDX-License-Identifier: Apache-2.0
"""The canonical context of a stored value: where it lives.

A value that is encrypted with the context ``place("customers", "card", 42)`` decrypts at that place
and nowhere else. Every language makes the same bytes of the same parts, and no two lists of parts
make the same bytes (specification, section 7).
"""

from __future__ import annotations

from numbers import Integral
from typing import TypeAlias
from uuid import UUID

from .exception import THEMIS_CODES, ThemisTypeError, ThemisValueError

__all__ = ["place"]

Part: TypeAlias = str | int | UUID | bytes | bytearray | memoryview

_MOST_PARTS = 255
_LONGEST = 65535  # bytes of a part
_LEAST, _GREATEST = -(2**63), 2**64 - 1


def place(*parts: Part) -> bytes:
    """Return the context that names a place, such as a table, a column and a row.

    The type of a part does not matter: 42, "42" and b"42" are the same part, because a row's id
    reaches programs in different types. Text counts exactly as it is: it is not normalised,
    trimmed or changed in case.

    Args:
        *parts: 1 to 255 parts. Text (UTF-8), integers (-2^63 to 2^64-1), UUIDs (36 characters,
            lower case) or bytes; each has at most 65535 bytes.

    Returns:
        One byte for the number of parts, and each part behind its length in two bytes.

    Raises:
        ThemisTypeError: a part of another type. Pass it as text that you choose.
        ThemisValueError: no part or too many, one that is too long, an integer of more than 64
            bits, text that has no UTF-8 form.
    """
    if not 1 <= len(parts) <= _MOST_PARTS:
        raise ThemisValueError(
            THEMIS_CODES.INVALID_PARAMETER,
            f"a place has 1 to {_MOST_PARTS} parts, not {len(parts)}",
        )
    made = bytearray([len(parts)])
    for number, part in enumerate(parts, 1):
        data = _bytes_of(part, number)
        if len(data) > _LONGEST:
            raise ThemisValueError(
                THEMIS_CODES.INVALID_PARAMETER,
                f"part {number} of the place has {len(data)} bytes; at most {_LONGEST} are allowed",
            )
        made += len(data).to_bytes(2, "big")
        made += data
    return bytes(made)


def _bytes_of(part: object, number: int) -> bytes:
    # What a subclass holds counts, not what its methods say: an enumeration of text is its text.
    if isinstance(part, str):
        return _text(part, number)
    if isinstance(part, bool):
        return _refuse(part, number)
    if isinstance(part, int):
        return _integer(int.__index__(part), number)
    if isinstance(part, (bytes, bytearray)):
        return bytes(memoryview(part))
    if isinstance(part, memoryview):
        return _memory(part, number)
    if isinstance(part, Integral):  # such as numpy's
        return _integer(int(part), number)
    if isinstance(part, UUID):
        return str(UUID(int=part.int)).encode()
    return _refuse(part, number)


def _text(part: str, number: int) -> bytes:
    try:
        return str.encode(part, "utf-8")
    except UnicodeEncodeError:
        pass
    raise ThemisValueError(
        THEMIS_CODES.INVALID_PARAMETER,
        f"part {number} of the place is text with a lone surrogate, which has no UTF-8 form",
    )


def _integer(part: int, number: int) -> bytes:
    if not _LEAST <= part <= _GREATEST:
        raise ThemisValueError(
            THEMIS_CODES.INVALID_PARAMETER,
            f"part {number} of the place is an integer of more than 64 bits; pass it as text",
        )
    return b"%d" % part


def _memory(part: memoryview, number: int) -> bytes:
    if part.format not in ("B", "b", "c") or not part.c_contiguous:
        raise ThemisTypeError(
            THEMIS_CODES.INVALID_PARAMETER,
            f"part {number} of the place is a memoryview of something else than contiguous bytes",
        )
    return bytes(part)


def _refuse(part: object, number: int) -> bytes:
    raise ThemisTypeError(
        THEMIS_CODES.INVALID_PARAMETER,
        f"part {number} of the place is of type {type(part).__name__}; a part is text, an integer, "
        "a UUID or bytes: pass another value as text that every program writes alike",
    )
