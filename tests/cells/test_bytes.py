# SPDX-License-Identifier: Apache-2.0
"""Secure Cell takes bytes in every form, lets go of them, and makes its own."""

import array
import copy
import ctypes
import gc
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellError,
)
from support.arguments import (
    BY_PASSPHRASE,
    DATA,
    ENCRYPTED,
    IMPRINTED,
    KEY,
    PROTECTING_TOKEN,
    SEALED,
    mapped,
)
from support.cells import (
    PASSPHRASE_TOKEN,
    not_authentic,
    quick,
)
from support.definitions import forge


class LyingBytes(bytes):
    """Bytes that claim another length than they have, and other contents."""

    def __len__(self):
        return 1 << 40

    def __getitem__(self, at):
        return 0

    def __bytes__(self):
        return b"lies"


class PlainSubclass(bytes):
    """Bytes of another type."""


# Every kind of object that is bytes to Python; all data here has a length that 4 and 16 divide.
KINDS = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "writable memoryview": lambda data: memoryview(bytearray(data)),
    "slice of a memoryview": lambda data: memoryview(b"x" + data + b"yz")[1:-2],
    "memoryview of integers": lambda data: memoryview(data).cast("I"),
    "memoryview of two dimensions": lambda data: memoryview(data).cast("B", (len(data) // 4, 4)),
    "memoryview of characters": lambda data: memoryview(data).cast("c"),
    "array.array": lambda data: array.array("I", data),
    "ctypes array": lambda data: (ctypes.c_uint16 * (len(data) // 2)).from_buffer_copy(data),
    "mmap": mapped,
    "numpy array": lambda data: np.frombuffer(data, np.uint8),
    "numpy array of integers": lambda data: np.frombuffer(data, np.uint32),
    "numpy array of floats": lambda data: np.frombuffer(data, np.float32),
    "numpy array of three dimensions": lambda data: np.frombuffer(data, np.uint8).reshape(2, -1, 2),
    "numpy array read-only": lambda data: np.frombuffer(bytes(data), np.uint8),
    "slice of a numpy array": lambda data: np.frombuffer(b"xx" + data + b"y", np.uint8)[2:-1],
    "numpy bytes": np.void,
    "subclass of bytes": PlainSubclass,
    "bytes that lie": LyingBytes,
}


@pytest.fixture(params=KINDS)
def kind(request):
    """Give a function that makes one kind of bytes-like object of bytes."""
    return KINDS[request.param]


# ---- Bytes in every form ----


def test_the_data_here_fits_every_kind():
    """Lengths that 4 divides can be cast to integers; the tokens' lengths are what they are."""
    assert [len(data) % 4 for data in (KEY, DATA, SEALED, ENCRYPTED, PROTECTING_TOKEN)] == [0] * 5


def test_seal_takes_every_kind_of_bytes(kind):
    """Key, message and context may be of any bytes-like type; the result is exactly bytes."""
    cell = SCellSeal(key=kind(KEY))
    assert type(cell.encrypt(kind(DATA), kind(DATA))) is bytes
    assert SCellSeal(KEY).decrypt(cell.encrypt(kind(DATA), kind(DATA)), DATA) == DATA
    opened = cell.decrypt(kind(SEALED), kind(DATA))
    assert type(opened) is bytes
    assert opened == DATA


def test_token_protect_takes_every_kind_of_bytes(kind):
    """Key, data, token and context may be of any bytes-like type."""
    cell = SCellTokenProtect(key=kind(KEY))
    encrypted, token = cell.encrypt(kind(DATA), kind(DATA))
    assert type(encrypted) is type(token) is bytes
    assert SCellTokenProtect(KEY).decrypt(encrypted, token, DATA) == DATA
    opened = cell.decrypt(kind(ENCRYPTED), kind(PROTECTING_TOKEN), kind(DATA))
    assert type(opened) is bytes
    assert opened == DATA


def test_context_imprint_takes_every_kind_of_bytes(kind):
    """Key, message and context may be of any bytes-like type."""
    cell = SCellContextImprint(key=kind(KEY))
    assert cell.encrypt(kind(DATA), kind(DATA)) == IMPRINTED
    opened = cell.decrypt(kind(IMPRINTED), kind(DATA))
    assert type(opened) is bytes
    assert opened == DATA


def test_a_passphrase_cell_takes_every_kind_of_bytes(kind):
    """Passphrase, data and context may be of any bytes-like type."""
    cell = quick(kind(KEY))
    sealed = forge(KEY, DATA, DATA, salt=b"s" * 14)  # 116 bytes, which 4 divides
    opened = cell.decrypt(kind(sealed), kind(DATA))
    assert type(opened) is bytes
    assert opened == DATA


def test_writing_a_passphrase_cell_takes_a_view():
    """The same for writing, once, because it is slow."""
    sealed = quick(bytearray(KEY)).encrypt(memoryview(DATA), np.frombuffer(DATA, "I"))
    assert len(sealed) == len(DATA) + PASSPHRASE_TOKEN
    assert quick(KEY).decrypt(sealed, DATA) == DATA


@given(data=st.binary(min_size=1, max_size=300), shift=st.integers(0, 16))
def test_alignment_does_not_matter(data, shift):
    """Inputs may start at any address."""
    at = memoryview(bytes(shift) + data)[shift:]
    sealed = SCellSeal(at).encrypt(at, at)
    sealed_at = memoryview(bytes(shift) + sealed)[shift:]
    assert SCellSeal(data).decrypt(sealed_at, at) == data


def test_one_object_may_be_everything_at_once():
    """Key, message and context may be the same memory."""
    data = bytearray(DATA)
    assert SCellSeal(DATA).decrypt(SCellSeal(data).encrypt(data, data), DATA) == DATA


def test_inputs_are_not_changed():
    """Whatever is writable is only read."""
    key, message, context = bytearray(KEY), bytearray(DATA), bytearray(DATA)
    cell = SCellSeal(key)
    sealed = bytearray(cell.encrypt(message, context))
    before = bytes(sealed)
    cell.decrypt(sealed, context)
    with not_authentic():
        cell.decrypt(sealed, b"other")
    assert (key, message, context, sealed) == (KEY, DATA, DATA, before)


def test_a_key_may_be_wiped_once_the_object_is_made():
    """The object has what it needs: clearing the caller's copy changes nothing."""
    key, passphrase = bytearray(KEY), bytearray(KEY)
    by_key, by_passphrase = SCellSeal(key), quick(passphrase)
    key[:], passphrase[:] = bytes(32), b""
    assert by_key.decrypt(SEALED, DATA) == DATA
    assert by_passphrase.decrypt(BY_PASSPHRASE, DATA) == DATA


def test_results_do_not_follow_their_inputs():
    """A message that changes after its encryption does not change the result."""
    message = bytearray(DATA)
    sealed = SCellSeal(KEY).encrypt(message)
    message[:] = bytes(len(message))
    assert SCellSeal(KEY).decrypt(sealed) == DATA


# ---- Buffers are let go of ----


class Call(NamedTuple):
    """A method with an argument that makes it fail after the buffers were taken."""

    method: object
    arguments: tuple


FAILING = {
    "seal": Call(SCellSeal(KEY).encrypt, (DATA, "text")),
    "unseal": Call(SCellSeal(KEY).decrypt, (SEALED, b"wrong")),
    "unseal nothing": Call(SCellSeal(KEY).decrypt, (DATA[:40], b"wrong")),
    "protect": Call(SCellTokenProtect(KEY).encrypt, (DATA, "text")),
    "unprotect": Call(SCellTokenProtect(KEY).decrypt, (ENCRYPTED, PROTECTING_TOKEN, b"wrong")),
    "unprotect without token": Call(SCellTokenProtect(KEY).decrypt, (ENCRYPTED, b"x", b"wrong")),
    "imprint": Call(SCellContextImprint(KEY).encrypt, (DATA, b"")),
    "passphrase seal": Call(quick(KEY).encrypt, (DATA, "text")),
    "passphrase unseal": Call(quick(KEY).decrypt, (BY_PASSPHRASE, b"wrong")),
    "passphrase unseal nothing": Call(quick(KEY).decrypt, (DATA, b"wrong")),
    "key": Call(SCellSeal, (b"",)),
    "passphrase": Call(SCellSealPassphrase, (b"",)),
}


@pytest.mark.parametrize("call", FAILING.values(), ids=FAILING)
def test_an_exception_does_not_hold_the_buffers(call):
    """While the exception is still at hand, bytearrays can be resized and views released."""
    arrays = [bytearray(data) if isinstance(data, bytes) else data for data in call.arguments]
    views = [memoryview(data) for data in arrays if isinstance(data, bytearray)]
    given_views = [memoryview(view) for view in views]
    arguments = [given_views.pop(0) if isinstance(data, bytearray) else data for data in arrays]
    with pytest.raises(SecureCellError) as caught:
        call.method(*arguments)
    assert caught.value.__traceback__ is not None
    for view in (*(a for a in arguments if isinstance(a, memoryview)), *views):
        view.release()
    for data in arrays:
        if isinstance(data, bytearray):
            data.extend(b"grows")


@pytest.mark.parametrize("call", FAILING.values(), ids=FAILING)
def test_an_exception_in_a_cycle_does_not_crash_the_garbage_collector(call):
    """CPython 3.11 crashes when it collects a view of a memoryview: nothing of ours keeps one."""

    class Node:
        pass

    for _ in range(50):
        node = Node()
        node.arguments = [memoryview(a) if isinstance(a, bytes) else a for a in call.arguments]
        try:
            call.method(*node.arguments)
        except SecureCellError as error:
            node.error, error.node = error, node
        del node
    gc.collect()


def test_a_successful_call_holds_no_buffers():
    """After encryption and decryption the arguments are free again."""
    cell, message, context = SCellSeal(KEY), bytearray(DATA), bytearray(DATA)
    sealed = bytearray(cell.encrypt(message, context))
    assert cell.decrypt(sealed, context) == DATA
    for data in (message, context, sealed):
        data.clear()


# ---- The interpreter's own bytes ----

ONE_BYTE_OUTPUTS = """\
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
singles = [bytes([value]) for value in range(256)]
identities = [id(single) for single in singles]
empty, zero = b"", bytes(1)
for value in range(256):
    imprint = SCellContextImprint(b"key")
    for context in range(40):
        byte = imprint.encrypt(singles[value], bytes([context + 1]))
        assert imprint.decrypt(byte, bytes([context + 1])) == singles[value]
    seal, protect = SCellSeal(b"key"), SCellTokenProtect(b"key")
    assert seal.decrypt(seal.encrypt(singles[value])) == singles[value]
    encrypted, token = protect.encrypt(singles[value])
    assert protect.decrypt(encrypted, token) == singles[value]
    try:
        seal.decrypt(bytes(45))
    except Exception:
        pass
assert [ord(single) for single in singles] == list(range(256))
assert [id(bytes([value])) for value in range(256)] == identities
assert (empty, len(b""), zero, bytes(1), b"\\0") == (b"", 0, b"\\0", b"\\0", b"\\0")
assert [bytes([v])[0] for v in range(256)] == [bytes(bytearray([v]))[0] for v in range(256)]
assert list(b"".join(singles)) == list(range(256)) == list(bytes(range(256)))
assert [b"x"[i:i] for i in range(2)] == [b"", b""]
print("untouched")
"""


def test_one_byte_outputs_do_not_touch_the_bytes_that_python_shares():
    """CPython has one object for each single byte and one for none: we never write into them."""
    said = subprocess.check_output([sys.executable, "-c", ONE_BYTE_OUTPUTS], text=True)
    assert said == "untouched\n"


def test_results_have_hashes_and_lengths_of_their_own():
    """A result behaves as any bytes: equal ones hash alike, copies are equal, slices work."""
    imprint = SCellContextImprint(KEY)
    encrypted = imprint.encrypt(DATA, b"c")
    same = bytes(bytearray(encrypted))
    assert hash(encrypted) == hash(same)
    assert {encrypted: 1}[same] == 1
    assert copy.copy(encrypted) == same
    assert encrypted[3:7] == same[3:7]
    assert encrypted.hex() == same.hex()
    if sys.implementation.name == "cpython":  # PyPy does not tell
        assert sys.getsizeof(encrypted) == sys.getsizeof(same)


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="PyPy tells bytes of one byte apart by value alone"
)
def test_two_results_are_never_one_object():
    """Equal results of one byte are still written once each, into memory of their own."""
    imprint = SCellContextImprint(KEY)
    results = [imprint.encrypt(b"x", b"c") for _ in range(100)]
    assert len({id(result) for result in results}) == 100
    assert set(results) == {results[0]}
