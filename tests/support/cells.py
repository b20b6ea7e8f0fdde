# SPDX-License-Identifier: Apache-2.0
"""What the tests of Secure Cell share: vectors, hostile variations, refusals."""

import contextlib
import json
import os
import re
import struct
from pathlib import Path

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.scell import SCellSeal, SecureCellError, SecureCellTypeError, SecureCellValueError

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
TOKEN = 44  # bytes of an authentication token
PASSPHRASE_TOKEN = 70  # the same with the KDF context behind it
# Valgrind is slow: tests that repeat a thing thousands of times divide by this.
FEWER = 50 if os.environ.get("PYTHEMIS_MEMCHECK") else 1


def vectors(topic):
    """Give the cases of a vector file as parameters of a test, named by their ids."""
    cases = json.loads((VECTORS / f"{topic}.json").read_text(encoding="utf-8"))["cases"]
    assert len({case["id"] for case in cases}) == len(cases)
    return [pytest.param(case, id=case["id"]) for case in cases]


def vector(topic, name):
    """Give one case of a vector file."""
    [case] = [case.values[0] for case in vectors(topic) if case.id == name]
    return case


def unhex(text):
    """Give the bytes of a vector's field; None stays None."""
    return None if text is None else bytes.fromhex(text)


def quick(passphrase, **options):
    """Make a cell that writes one iteration of PBKDF2, and reads as few."""
    few = {"iterations": 1, "min_iterations": 1}
    return SCellSeal(passphrase=passphrase, **(few | options))


@contextlib.contextmanager
def refused(code, says, *, kind=SecureCellError):
    """Demand an error of exactly this class, with this code and these words."""
    with pytest.raises(kind, match=re.escape(says)) as caught:
        yield caught
    assert type(caught.value) is kind
    assert isinstance(caught.value, ThemisError)
    assert caught.value.error_code is code


def not_authentic():
    """Demand the refusal of a wrong secret, a wrong context or damaged data."""
    return refused(THEMIS_CODES.FAIL, "decryption failed: check the ")


def not_a_cell():
    """Demand the refusal of what is not even shaped like such a cell."""
    return refused(THEMIS_CODES.INVALID_PARAMETER, "this is not ")


def asks_too_much():
    """Demand the refusal of a cell that wants more iterations than are allowed."""
    return refused(THEMIS_CODES.NOT_SUPPORTED, "more than max_iterations of this object (")


def wrong_type(says):
    """Demand the refusal of an argument's type."""
    with_code = THEMIS_CODES.INVALID_PARAMETER
    assert issubclass(SecureCellTypeError, TypeError)
    return refused(with_code, says, kind=SecureCellTypeError)


def wrong_value(says):
    """Demand the refusal of an argument's value."""
    with_code = THEMIS_CODES.INVALID_PARAMETER
    assert issubclass(SecureCellValueError, ValueError)
    return refused(with_code, says, kind=SecureCellValueError)


def flips(data):
    """Change every byte, one at a time: its lowest bit, its highest bit, all of its bits."""
    for at in range(len(data)):
        for bits in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[at] ^= bits
            yield at, bytes(changed)


def cuts(data):
    """Cut at every length, from the back and from the front."""
    for size in range(len(data)):
        yield data[:size]
        yield data[len(data) - size :]


def with_u32(data, at, value):
    """Overwrite a little-endian number."""
    changed = bytearray(data)
    struct.pack_into("<I", changed, at, value)
    return bytes(changed)
