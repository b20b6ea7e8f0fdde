# SPDX-License-Identifier: Apache-2.0
"""The canonical context: recorded answers, what is refused, and no two lists that look alike."""

import enum
import json
import subprocess
import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError
from pythemis.place import place
from support.cells import VECTORS

RECORDED = json.loads((VECTORS / "place.json").read_text("utf-8"))


def by_id(cases):
    """Name cases by their ids."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases])


def part_of(written):
    """Read a part as the vectors write it."""
    [(kind, value)] = written.items()
    return {
        "text": lambda: value,
        "text_times": lambda: value[0] * value[1],
        "int": lambda: int(value),
        "uuid": lambda: UUID(value),
        "bytes": lambda: bytes.fromhex(value),
        "json": lambda: value,
    }[kind]()


@by_id(RECORDED["cases"])
def test_recorded_places(case):
    """The bytes of a place are those of every other program."""
    made = place(*map(part_of, case["parts"]))
    if "place" in case:
        assert made.hex() == case["place"]
    else:
        import hashlib

        assert hashlib.sha256(made).hexdigest() == case["sha256"]


@by_id(RECORDED["refused"])
def test_recorded_refusals(case):
    """What has no place is an error of an argument."""
    with pytest.raises((ThemisTypeError, ThemisValueError)) as caught:
        place(*map(part_of, case["parts"]))
    assert caught.value.error_code is THEMIS_CODES.INVALID_PARAMETER


class Text(str, enum.Enum):
    """Text whose str() says something else."""

    TABLE = "customers"

    def __str__(self):
        return "not this"

    def encode(self, *_):
        return b"nor this"


class Number(enum.IntEnum):
    """A number with a name."""

    ROW = 42


class Loud(int):
    """A number that says another one."""

    def __index__(self):
        return 43

    def __repr__(self):
        return "44"

    __str__ = __format__ = __repr__


class OtherUuid(UUID):
    """A UUID that writes itself otherwise."""

    def __str__(self):
        return self.hex.upper()


A_UUID = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("part", "means"),
    [
        (Text.TABLE, "customers"),
        (Number.ROW, 42),
        (Loud(42), 42),
        (np.int64(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (OtherUuid(A_UUID), A_UUID),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"xaby")[1:3], b"ab"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_part_holds_counts(part, means):
    """A subclass is what it holds, whatever its methods say."""
    assert place(part) == place(means)


@pytest.mark.parametrize(
    "part",
    [
        *(None, True, np.bool_(True), 1.0, np.float64(1), Decimal(1), Fraction(1), 1j),
        *(date(2026, 1, 1), ["a"], ("a",), {"a": 1}, object(), np.array([1])),
    ],
    ids=lambda part: type(part).__name__,
)
def test_a_part_of_another_type_is_refused(part):
    """The error names the part and its type, not its content."""
    with pytest.raises(ThemisTypeError) as caught:
        place("customers", part)
    assert f"part 2 of the place is of type {type(part).__name__};" in str(caught.value)
    assert caught.value.error_code is THEMIS_CODES.INVALID_PARAMETER


@pytest.mark.parametrize(
    "part", [memoryview(b"abcd")[::2], memoryview(np.arange(3))], ids=["gaps", "int64"]
)
def test_memory_of_something_else_is_refused(part):
    """The bytes of numbers depend on the machine."""
    with pytest.raises(ThemisTypeError, match="something else than contiguous bytes"):
        place(part)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff"])
def test_a_lone_surrogate_is_refused(text):
    """A replacement character in its stead would make two names one."""
    with pytest.raises(
        ThemisValueError, match="part 1 of the place is text with a lone surrogate"
    ) as caught:
        place(text)
    assert caught.value.__context__ is None


PARTS = st.lists(st.binary(max_size=300), min_size=1, max_size=20)


@given(PARTS, PARTS)
def test_no_two_lists_of_parts_look_alike(one, other):
    """A place is injective, and none is the beginning of another."""
    assert (place(*one) == place(*other)) is (one == other)
    assert one == other or not place(*one).startswith(place(*other))


def test_the_module_and_the_function_have_one_name():
    """`pythemis.place` is the module, whatever was imported before."""
    code = (
        "import pythemis; from pythemis.place import place; "
        "assert pythemis.place.place is place; print(type(pythemis.place).__name__)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "module\n"
