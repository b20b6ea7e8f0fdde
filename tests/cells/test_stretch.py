# SPDX-License-Identifier: Apache-2.0
"""From a passphrase to a key, in slices: the core's own PBKDF2."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis._themis import ffi, lib
from support.cells import FEWER, PASSPHRASE_TOKEN, quick, unhex, vectors
from support.definitions import forge

SUCCESS, INVALID, FAIL = lib.THEMIS_SUCCESS, lib.THEMIS_INVALID_PARAMETER, lib.THEMIS_FAIL
SECRET, MESSAGE, CONTEXT = b"a passphrase", b"a message", b"a context"
WRITTEN = 314110
CELL = quick(SECRET, iterations=WRITTEN)


def begin(sealed=None, cell=CELL):
    """Begin the work for a new cell, or for one that is there: (status, handle)."""
    made = ffi.new("themis_stretch **")
    if sealed is None:
        status = lib.themis_stretch_to_seal(cell._held, made)
    else:
        status = lib.themis_stretch_to_unseal(cell._held, sealed, len(sealed), made)
    assert (made[0] == ffi.NULL) == (status != SUCCESS)
    return status, ffi.gc(made[0], lib.themis_stretch_free)


def work(stretch, most=2**32 - 1):
    """Do some of the work; give what is left."""
    left = ffi.new("uint32_t *")
    assert lib.themis_stretch_work(stretch, most, left) == SUCCESS
    return left[0]


def unseal(stretch, sealed, size=9, context=CONTEXT, cell=CELL):
    """Read a cell when the work is done: (status, message)."""
    out = ffi.new("uint8_t[]", max(size, 1))
    status = lib.themis_stretched_unseal(
        cell._held, stretch, sealed, len(sealed), context, len(context), out, size
    )
    return status, bytes(ffi.buffer(out, size))


def seal(stretch, message=MESSAGE):
    """Write a cell when the work is done: (status, cell)."""
    out = ffi.new("uint8_t[]", len(message) + PASSPHRASE_TOKEN)
    status = lib.themis_stretched_seal(
        stretch, message, len(message), CONTEXT, len(CONTEXT), out, len(out)
    )
    return status, bytes(out)


@given(
    passphrase=st.binary(min_size=1, max_size=200),
    salt=st.binary(max_size=100),
    iterations=st.integers(1, 60),
    most=st.integers(1, 70),
)
def test_pbkdf2_by_another_implementation(passphrase, salt, iterations, most):
    """For any passphrase, salt and number, and slices of any length, hashlib agrees."""
    sealed = forge(passphrase, MESSAGE, CONTEXT, iterations=iterations, salt=salt)
    cell = quick(passphrase)
    status, stretch = begin(sealed, cell)
    assert status == SUCCESS
    left = iterations - 1  # the first is done at the beginning
    while left:
        expected = max(0, left - most)
        left = work(stretch, most)
        assert left == expected
    assert work(stretch, most) == 0
    assert unseal(stretch, sealed, cell=cell) == (SUCCESS, MESSAGE)


@pytest.mark.parametrize("case", vectors("cell_passphrase"))
def test_known_answers(case):
    """What the real core wrote is read in slices, and what it refuses is refused."""
    secret, sealed, message = (unhex(case[name]) for name in ("passphrase", "cell", "message"))
    cell = quick(secret)
    status, stretch = begin(sealed, cell)
    if status == SUCCESS:
        while work(stretch, lib.THEMIS_STRETCH_SLICE):
            pass
        size = len(message or b"") or int.from_bytes(sealed[12:16], "little")
        status, opened = unseal(stretch, sealed, size, unhex(case["context"]) or b"", cell)
    assert (status == SUCCESS) == (case["status"] == 0)
    if status == SUCCESS:
        assert opened == message


def test_a_new_cell_in_slices():
    """A cell that was written in slices is read as any other."""
    status, stretch = begin()
    assert status == SUCCESS
    assert work(stretch, 100) == WRITTEN - 101
    assert work(stretch) == 0
    status, sealed = seal(stretch)
    assert status == SUCCESS
    assert CELL.decrypt(sealed, CONTEXT) == MESSAGE
    _, other = begin()
    work(other)
    assert sealed[54:70] != seal(other)[1][54:70], "the salt"


def test_work_that_is_not_done_gives_nothing():
    """Before the last iteration nothing is read or written."""
    sealed = forge(SECRET, MESSAGE, CONTEXT, iterations=50)
    _, stretch = begin(sealed)
    assert work(stretch, 0) == 49
    assert work(stretch, 48) == 1
    assert unseal(stretch, sealed) == (INVALID, bytes(len(MESSAGE)))
    assert work(stretch, 1) == 0
    assert unseal(stretch, sealed) == (SUCCESS, MESSAGE)
    _, stretch = begin()
    work(stretch, 48)
    assert seal(stretch) == (INVALID, bytes(len(MESSAGE) + PASSPHRASE_TOKEN))


def test_work_for_one_direction_does_not_do_for_the_other():
    """What was stretched to read writes nothing, and the reverse."""
    sealed = forge(SECRET, MESSAGE, CONTEXT, iterations=5)
    _, reading = begin(sealed)
    work(reading)
    assert seal(reading)[0] == INVALID
    _, writing = begin()
    work(writing)
    assert unseal(writing, sealed)[0] == INVALID


def test_work_for_one_cell_does_not_open_another():
    """Another salt is another key; another size of the message is refused."""
    sealed = forge(SECRET, MESSAGE, CONTEXT, iterations=5)
    _, stretch = begin(sealed)
    work(stretch)
    other = forge(SECRET, MESSAGE, CONTEXT, iterations=5, salt=b"another")
    assert unseal(stretch, other) == (FAIL, bytes(len(MESSAGE)))
    assert unseal(stretch, sealed, len(MESSAGE) - 1)[0] == INVALID
    assert unseal(stretch, sealed, context=b"another") == (FAIL, bytes(len(MESSAGE)))
    assert unseal(stretch, sealed) == (SUCCESS, MESSAGE)


def test_the_bound_holds_before_any_work():
    """A cell that asks for too much or too little, or is no cell, is refused at the beginning."""
    bounded = quick(SECRET, min_iterations=3, iterations=4, max_iterations=5)
    for iterations in (3, 5):
        assert begin(forge(SECRET, MESSAGE, iterations=iterations), bounded)[0] == SUCCESS
    assert begin(forge(SECRET, MESSAGE, iterations=2), bounded)[0] == lib.THEMIS_NOT_SUPPORTED
    assert begin(forge(SECRET, MESSAGE, iterations=6), bounded)[0] == lib.THEMIS_NOT_SUPPORTED
    assert begin(bytes(100))[0] == INVALID


def test_stopping_in_the_middle_is_fine():
    """Work may be dropped at any time."""
    sealed = forge(SECRET, MESSAGE, iterations=1000)
    for most in range(0, 1000, 10 * min(FEWER, 10)):
        _, stretch = begin(sealed)
        work(stretch, most)
    lib.themis_stretch_free(ffi.NULL)


def test_hashlib_makes_the_same_key():
    """The forged cells above are made with hashlib, whose PBKDF2 is OpenSSL's."""
    assert hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1, 32).hex().startswith("120fb6cf")
