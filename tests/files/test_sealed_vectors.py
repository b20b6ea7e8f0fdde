# SPDX-License-Identifier: Apache-2.0
"""Sealed files: everything that the vectors say must be read, refused, or made anew."""

import hashlib

import pytest

from pythemis import _sealed
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.skeygen import GenerateKeyPair
from support.sealed import (
    ERRORS,
    KINDS,
    BareService,
    case_of,
    cases,
    opened,
    read_stream,
    read_whole,
    unlock_of,
)

CODES = {
    "malformed": {THEMIS_CODES.DATA_CORRUPT, THEMIS_CODES.INVALID_PARAMETER},
    "newer": {THEMIS_CODES.NOT_SUPPORTED},
    "costly": {THEMIS_CODES.NOT_SUPPORTED},
    "refused": {THEMIS_CODES.FAIL},
    "argument": {THEMIS_CODES.INVALID_PARAMETER},
    "any": {THEMIS_CODES.FAIL, THEMIS_CODES.DATA_CORRUPT},
}


@pytest.mark.parametrize("case", cases("cases"))
def test_what_must_be_read(case):
    """Every valid file gives its data, at any place and as a stream, and says what opened it."""
    file, unlock, reserved = case["file"], unlock_of(case), case["reader"] == "keyring"
    data, opened_by = read_whole(file, unlock, reserved=reserved)
    assert len(data) == case["length"]
    assert hashlib.sha256(data).hexdigest() == case["sha256"]
    assert opened_by == KINDS[case["opened_by"]]
    assert read_stream(file, unlock, reserved=reserved) == data
    reader = opened(file, unlock, reserved=reserved)
    reader.verify()
    assert reader.size == len(data)
    for offset, n in ((0, 1), (4090, 20), (max(len(data) - 5, 0), 50), (0, len(data) + 9)):
        assert reader.read(offset, n) == data[offset : offset + n]


@pytest.mark.parametrize("case", cases("refused"))
def test_what_must_be_refused(case):
    """Every invalid file is an error: when it is opened if it shows then, or when it is read."""
    file, unlock, codes = case["file"], unlock_of(case), CODES[case["error"]]
    if case["at"] == "open":
        with pytest.raises(ThemisError) as caught:
            opened(file, unlock)
        assert caught.value.error_code in codes
    else:
        reader = opened(file, unlock)
        with pytest.raises(ThemisError) as caught:
            reader.verify()
        assert caught.value.error_code in codes
    with pytest.raises(ThemisError):
        read_whole(file, unlock)
    with pytest.raises(ThemisError):
        read_stream(file, unlock)


PAIRS = [GenerateKeyPair("EC") for _ in range(2)]
SLOTS = {
    1: _sealed.Slots(keys=[(b"", b"k" * 32)]),
    2: _sealed.Slots(passphrases=["secret"], iterations=314110),
    3: _sealed.Slots(recipients=[(PAIRS[0].export_public_key(), False)]),
    4: _sealed.Slots(sender=(PAIRS[0].export_private_key(), PAIRS[1].export_public_key())),
    5: _sealed.Slots(services=[BareService("service", b"s" * 32)]),
}


@pytest.mark.parametrize("case", cases("rewrap"))
def test_which_slots_may_be_made_anew(case):
    """The table of 8.8: by the slot that opened the file, under its own or another context."""
    base, other = case_of(case["base"]), bytes.fromhex(case.get("other_context", b"other".hex()))
    header = opened(base["file"], unlock_of(case | {"file": None})).opened
    for name, options in (
        ("kinds", {}),
        ("kinds_other_context", {"context": other}),
        ("kinds_other_context_holders_only", {"context": other, "holders_only": True}),
    ):
        allowed = []
        for kind, slots in SLOTS.items():
            try:
                head = _sealed.rewrap_head(ERRORS, header, slots, **options)
            except ValueError:
                continue
            assert head[14] == kind
            allowed.append(kind)
        assert allowed == case[name]
