# SPDX-License-Identifier: Apache-2.0
"""What Secure Cell does with arguments of every kind, good and hostile."""

import array
import base64
import copy
import ctypes
import gc
import io
import mmap
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from _cells import (
    PASSPHRASE_TOKEN,
    TOKEN,
    not_a_cell,
    not_authentic,
    quick,
    refused,
    with_u32,
    wrong_type,
    wrong_value,
)
from _memory import traced, tracemalloc
from hypothesis import given
from hypothesis import strategies as st
from test_cell_passphrase import asks_too_much, forge

from pythemis import skeygen
from pythemis.exception import THEMIS_CODES
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellError,
    legacy_text,
)

KEY = b"k" * 32
DATA = bytes(range(48))
SEALED = SCellSeal(KEY).encrypt(DATA, DATA)
ENCRYPTED, PROTECTING_TOKEN = SCellTokenProtect(KEY).encrypt(DATA, DATA)
IMPRINTED = SCellContextImprint(KEY).encrypt(DATA, DATA)
BY_PASSPHRASE = forge(KEY, DATA, DATA)


def mapped(data):
    """Put bytes into an anonymous mapping."""
    mapping = mmap.mmap(-1, len(data))
    mapping[:] = data
    return mapping


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


# ---- What is not bytes ----

NOT_CONTIGUOUS = {
    "every second byte": lambda: memoryview(DATA * 2)[::2],
    "backwards": lambda: memoryview(DATA)[::-1],
    "columns of numpy": lambda: np.frombuffer(DATA, np.uint8).reshape(6, 8)[:, 1:3],
    "numpy in Fortran's order": lambda: np.asfortranarray(np.ones((6, 8), np.uint8)),
    "numpy backwards": lambda: np.frombuffer(DATA, np.uint8)[::-1],
}


class FailingExport:
    """Lets nobody look into it."""

    def __init__(self, error):
        self.error = error

    def __buffer__(self, flags):
        raise self.error


def released():
    """Give a memoryview that was released."""
    view = memoryview(DATA)
    view.release()
    return view


def closed_mapping():
    """Give a mapping that was closed."""
    mapping = mapped(DATA)
    mapping.close()
    return mapping


NOT_BYTES = {
    "text": lambda: "text",
    "text of numpy": lambda: np.str_("text"),
    "no text": str,
    "a number": lambda: 5,
    "zero": lambda: 0,
    "a float": lambda: 1.5,
    "a bool": lambda: True,
    "a list": lambda: [1, 2],
    "a tuple": lambda: (1, 2),
    "a dict": dict,
    "an object": object,
    "a class": lambda: bytes,
    "a released memoryview": released,
    "a closed mmap": closed_mapping,
    "a failing export": lambda: FailingExport(BufferError("no")),
    "a wrong export": lambda: FailingExport(ValueError("no")),
    # Their bytes are addresses.
    "objects of numpy": lambda: np.array([b"alice", None], object),
    "a view of objects of numpy": lambda: memoryview(np.array([b"alice", None], object)),
    "structures of numpy with objects": lambda: np.zeros(9, [("n", "i4"), ("o", object)]),
    **NOT_CONTIGUOUS,
}


TEXT = ["text", "text of numpy", "no text"]


@pytest.fixture(params=NOT_BYTES)
def bad(request):
    """Give something that is not bytes."""
    return NOT_BYTES[request.param]()


@pytest.fixture(params=[name for name in NOT_BYTES if name not in TEXT])
def not_even_text(request):
    """Give something that is neither bytes nor text."""
    return NOT_BYTES[request.param]()


def complaint(bad, what):
    """Give the words in which something that is not bytes is refused."""
    if isinstance(bad, str):
        if what in ("the encrypted message", "the token"):
            return f"{what} must be bytes, not str; if it is base64, decode it first"
        return f"{what} must be bytes, not str; encode text first: 'text'.encode()"
    wanted = "text, bytes" if what == "the passphrase" else "bytes"
    kind = type(bad).__name__
    return f"{what} must be {wanted} or a contiguous bytes-like object, not {kind}"


def test_what_is_not_bytes_is_no_message(bad):
    """A message of a wrong type is refused by every mode, before anything is encrypted."""
    for cell in (
        SCellSeal(KEY),
        quick(KEY),
        SCellTokenProtect(KEY),
        SCellContextImprint(KEY),
    ):
        with wrong_type(complaint(bad, "the message")):
            cell.encrypt(bad, DATA)


def test_what_is_not_bytes_is_no_encrypted_message(bad):
    """The same for decryption."""
    for cell in (SCellSeal(KEY), quick(KEY)):
        with wrong_type(complaint(bad, "the encrypted message")):
            cell.decrypt(bad, DATA)
    with wrong_type(complaint(bad, "the encrypted message")):
        SCellTokenProtect(KEY).decrypt(bad, PROTECTING_TOKEN, DATA)
    with wrong_type(complaint(bad, "the message")):  # Imprint has one operation for both ways
        SCellContextImprint(KEY).decrypt(bad, DATA)


def test_what_is_not_bytes_is_no_context(bad):
    """A context of a wrong type is refused by every mode; text, for decryption, is tested below."""
    for cell, encrypted in (
        (SCellSeal(KEY), (SEALED,)),
        (quick(KEY), (BY_PASSPHRASE,)),
        (SCellTokenProtect(KEY), (ENCRYPTED, PROTECTING_TOKEN)),
        (SCellContextImprint(KEY), (IMPRINTED,)),
    ):
        with wrong_type(complaint(bad, "the context")):
            cell.encrypt(DATA, bad)
        if not isinstance(bad, str):
            with wrong_type(complaint(bad, "the context")):
                cell.decrypt(*encrypted, bad)


def test_what_is_not_bytes_is_no_token(bad):
    """A token of a wrong type is refused."""
    with wrong_type(complaint(bad, "the token")):
        SCellTokenProtect(KEY).decrypt(ENCRYPTED, bad, DATA)


def test_what_is_neither_bytes_nor_text_is_no_key(not_even_text):
    """A key of a wrong type is refused by every class; text is another matter, tested below."""
    for make in (SCellSeal, SCellTokenProtect, SCellContextImprint):
        with wrong_type(complaint(not_even_text, "the key")):
            make(not_even_text)


def test_what_is_neither_bytes_nor_text_is_no_passphrase(not_even_text):
    """A passphrase of a wrong type is refused, whichever name makes the object."""
    for make in (SCellSealPassphrase, lambda bad: SCellSeal(passphrase=bad)):
        with wrong_type(complaint(not_even_text, "the passphrase")):
            make(not_even_text)


@pytest.mark.parametrize(
    ("almost", "words"),
    [
        (Path("a file"), "Path; give what is in the file: pathlib.Path(...).read_bytes()"),
        (io.BytesIO(b"a file"), "not BytesIO; give what is in the file: "),
        (np.array([b"a", b"b"], object), "not ndarray; an array of Python objects holds no bytes"),
        (np.arange(9)[::2], "not ndarray; bytes(...) of it is contiguous"),
        (memoryview(DATA)[::2], "not memoryview; bytes(...) of it is contiguous"),
    ],
)
def test_what_is_almost_bytes_is_told_what_to_do(almost, words):
    """It is not enough to name a type that elsewhere is taken."""
    for call in (SCellSeal(KEY).encrypt, lambda data: SCellSeal(passphrase=data)):
        with wrong_type(words):
            call(almost)


def test_a_cell_of_another_kind_is_named():
    """Not only that it is not what it should be: its first bytes say what it is."""
    by_key, by_passphrase = SCellSeal(KEY), quick("text")
    into = bytearray(200)
    for cell, data, words in (
        (by_key, by_passphrase.encrypt(b"m"), "with a key; it is a Seal cell made with a passph"),
        (by_passphrase, by_key.encrypt(b"m"), "with a passphrase; it is a Seal cell made with a k"),
        (
            by_key,
            base64.b64encode(by_key.encrypt(b"m")),
            "with a key in base64: decode it with base64.b64decode",
        ),
        (
            by_passphrase,
            base64.b64encode(by_key.encrypt(b"m")),
            "it is a Seal cell made with a key in base64: de",
        ),
        (by_key, by_key.encrypt(b"m")[:43], "with a key, or it is truncated: the header prom"),
    ):
        for call in (
            lambda: cell.decrypt(data),  # noqa: B023
            lambda: cell.decrypt(memoryview(data)),  # noqa: B023
            lambda: cell.decrypt_into(into, data),  # noqa: B023
            lambda: cell.decrypt_many([data]),  # noqa: B023
            lambda: cell.decrypt_many([data, data]),  # noqa: B023
        ):
            with pytest.raises(SecureCellError, match=words):
                call()


def test_none_is_no_message_and_no_token():
    """None stands for an absent context, and for nothing else."""
    with wrong_type("the message must be bytes or a contiguous bytes-like object, not NoneType"):
        SCellSeal(KEY).encrypt(None)
    with wrong_type("the encrypted message must be"):
        SCellSeal(KEY).decrypt(None)
    with wrong_type("the encrypted message must be"):
        quick(KEY).decrypt(None)
    with wrong_type("the token must be"):
        SCellTokenProtect(KEY).decrypt(ENCRYPTED, None)
    with wrong_type("the message must be"):
        SCellContextImprint(KEY).encrypt(None, DATA)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes can export buffers since 3.12")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("mine"), MemoryError()])
def test_what_an_export_raises_for_its_own_reasons_goes_through(error):
    """Only the errors by which an object says that it is not bytes-like are translated."""
    with pytest.raises(type(error)) as caught:
        SCellSeal(KEY).encrypt(FailingExport(error))
    assert caught.value is error


# ---- Nothing, too much, and the wrong way round ----

EMPTY = [b"", bytearray(), memoryview(b""), np.zeros(0, np.uint8), array.array("I")]


@pytest.mark.parametrize("empty", EMPTY, ids=lambda empty: type(empty).__name__)
def test_an_empty_message_is_refused(empty):
    """There is no cell without content: every mode says how many bytes a message has."""
    says = "has 0 bytes; it must have 1 to 4294967295"
    for cell in (
        SCellSeal(KEY),
        quick(KEY),
        SCellTokenProtect(KEY),
        SCellContextImprint(KEY),
    ):
        with wrong_value(f"the message {says}"):
            cell.encrypt(empty, DATA)
    with wrong_value(f"the message {says}"):
        SCellContextImprint(KEY).decrypt(empty, DATA)
    with wrong_value(f"the encrypted message {says}"):
        SCellTokenProtect(KEY).decrypt(empty, PROTECTING_TOKEN, DATA)
    for cell in (SCellSeal(KEY), quick(KEY)):
        with not_a_cell():
            cell.decrypt(empty, DATA)


@pytest.mark.parametrize("empty", EMPTY, ids=lambda empty: type(empty).__name__)
def test_an_empty_key_is_refused(empty):
    """A key has at least one byte, and the error says where to get a good one."""
    says = "the key is empty; skeygen.GenerateSymmetricKey() makes a good one"
    for make in (SCellSeal, SCellTokenProtect, SCellContextImprint):
        with wrong_value(says):
            make(empty)
        with wrong_value(says):
            make(key=empty)


@pytest.mark.parametrize("empty", EMPTY, ids=lambda empty: type(empty).__name__)
def test_an_empty_token_is_refused(empty):
    """A token has at least 44 bytes."""
    with not_a_cell():
        SCellTokenProtect(KEY).decrypt(ENCRYPTED, empty, DATA)


def test_neither_key_nor_passphrase_is_refused():
    """One of them must be given."""
    for arguments in ({}, {"key": None}, {"passphrase": None}, {"key": None, "passphrase": None}):
        with wrong_value("give a key or a passphrase: SCellSeal(key=...) or SCellSeal(passphrase="):
            SCellSeal(**arguments)
    with wrong_value("give a key or a passphrase: SCellSeal(key=...) or SCellSeal(passphrase="):
        SCellSeal(None, passphrase=None)
    with wrong_value("give a key or a passphrase, not both"):
        SCellSeal(None, "utf-8", passphrase="text")
    with wrong_value("SCellSealPassphrase takes a passphrase, and no key"):
        SCellSealPassphrase()
    for make in (SCellTokenProtect, SCellContextImprint):
        with wrong_value(f"{make.__name__} needs a key"):
            make(None)


@pytest.mark.parametrize("key", [KEY, b"", "text"])
@pytest.mark.parametrize("passphrase", [KEY, b"", "text", ""])
def test_key_and_passphrase_together_are_refused(key, passphrase):
    """Only one of them can be meant, whatever the other is."""
    with wrong_value("give a key or a passphrase, not both"):
        SCellSeal(key=key, passphrase=passphrase)
    with wrong_value("give a key or a passphrase, not both"):
        SCellSeal(key, passphrase=passphrase)
    with wrong_value("SCellSealPassphrase takes a passphrase, and no key"):
        SCellSealPassphrase(passphrase, key=key)


def test_only_seal_mode_has_passphrases():
    """The other modes do not know the word, and Python says so."""
    for make in (SCellTokenProtect, SCellContextImprint):
        with pytest.raises(TypeError, match="passphrase"):
            make(passphrase="secret")


def test_data_and_token_swapped_are_refused():
    """Also when the data is long enough to be a token."""
    with not_a_cell() as caught:
        SCellTokenProtect(KEY).decrypt(PROTECTING_TOKEN, ENCRYPTED, DATA)
    assert "in this order" in str(caught.value)


# ---- Text as a key ----


def warned(make, text):
    """Make a cell of a text key, which has to warn the caller."""
    with pytest.warns(UserWarning, match='^master key should be "bytes"') as caught:
        cell = make(text)
    assert [warning.filename for warning in caught] == [__file__]
    return cell


TEXT_KEYS = {
    "k": b"k",
    "key": b"k\0\0",
    "12345": b"1\0\0\x002",
    "пароль": b"\x3f\x04\0\0\x30\x04",
    "\U0001f511": b"\x11",
    "\U0001f511ab": b"\x11\xf5\1",
    "\ud800x": b"\0\xd8",
    "\0": b"\0",
}


@pytest.mark.parametrize("make", [SCellSeal, SCellTokenProtect, SCellContextImprint])
@pytest.mark.parametrize(("text", "meant"), TEXT_KEYS.items(), ids=map(ascii, TEXT_KEYS))
def test_a_text_key_means_what_it_meant_in_015(make, text, meant):
    """A str key is the first len(text) bytes of its UTF-32-LE form, with the warning of old."""
    assert len(meant) == len(text)
    assert legacy_text(text) == meant
    by_text, by_bytes = warned(make, text), make(meant)
    room = bytearray(len(DATA))
    encrypted = by_bytes.encrypt(DATA, DATA)
    parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
    assert by_text.decrypt(*parts, DATA) == DATA
    assert by_text.decrypt_into(room, *parts, DATA) == len(DATA)
    assert room == DATA
    lists = [[part] * 3 for part in parts]
    assert by_text.decrypt_many(*lists, DATA, threads=2) == [DATA] * 3


@pytest.mark.parametrize("make", [SCellSeal, SCellTokenProtect, SCellContextImprint])
def test_a_text_key_encrypts_nothing(make):
    """Neither objects nor buffers nor lists: the error names what goes on as before."""
    cell = warned(make, "a key")
    for write in (
        lambda: cell.encrypt(DATA, DATA),
        lambda: cell.encrypt_into(bytearray(200), DATA, DATA),
        lambda: cell.encrypt_many([DATA], [DATA]),
        lambda: cell.encrypt_many([DATA, DATA], [DATA, DATA], threads=2),
    ):
        with wrong_type("only decrypts what pythemis 0.15 wrote; encrypt under bytes, or go ") as e:
            write()
        assert "scell.legacy_text(text) as the key" in str(e.value)
    cell.close()
    for call in (lambda: cell.encrypt(DATA, DATA), lambda: cell.encrypt_many([DATA], [DATA])):
        with wrong_value("is closed"):
            call()


def reading(call, *arguments, **options):
    """Read with a text context, which has to warn the caller, once."""
    with pytest.warns(UserWarning, match='^context should be "bytes"') as caught:
        result = call(*arguments, **options)
    assert [warning.filename for warning in caught] == [__file__]
    return result


MODES = {
    "seal": lambda: SCellSeal(KEY),
    "passphrase": lambda: quick(KEY),
    "token": lambda: SCellTokenProtect(KEY),
    "imprint": lambda: SCellContextImprint(KEY),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["i", "user 7", "пароль", "\U0001f511ab", "\ud800x"])
def test_a_text_context_decrypts_what_015_wrote(mode, text):
    """It is the first len(text) bytes of its UTF-32-LE form; objects, buffers and lists warn."""
    cell, room = MODES[mode](), bytearray(len(DATA))
    meant = text.encode("utf-32-le", "surrogatepass")[: len(text)]
    encrypted = cell.encrypt(DATA, meant)
    parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
    lists = [[part] * 3 for part in parts]
    assert reading(cell.decrypt, *parts, text) == DATA
    assert reading(cell.decrypt, *parts, context=np.str_(text)) == DATA
    assert reading(cell.decrypt_into, room, *parts, text) == len(DATA)
    assert room == DATA
    for contexts in (text, [text, meant, text]):
        for threads in (1, 2):
            assert reading(cell.decrypt_many, *lists, contexts, threads=threads) == [DATA] * 3
    if mode == "imprint":
        assert reading(cell.decrypt, *parts, text + "other") != DATA
    else:
        with not_authentic():
            reading(cell.decrypt, *parts, text + "other")


@pytest.mark.parametrize("mode", MODES)
def test_a_text_context_encrypts_nothing(mode):
    """The error names the encoding for new data, and what goes on as before."""
    cell = MODES[mode]()
    for index, write in (
        (None, lambda: cell.encrypt(DATA, "text")),
        (None, lambda: cell.encrypt_into(bytearray(200), DATA, "text")),
        (1, lambda: cell.encrypt_many([DATA] * 3, [b"text", "text", b"more"])),
        (0, lambda: cell.encrypt_many([DATA], ["text"])),
    ):
        with wrong_type("the context must be bytes, not str; encode text first: ") as caught:
            write()
        assert "scell.legacy_text(text)" in str(caught.value)
        assert caught.value.index == index


def test_an_empty_text_context_is_none():
    """No text is no context, and Context Imprint needs one."""
    assert reading(SCellSeal(KEY).decrypt, SCellSeal(KEY).encrypt(DATA), "") == DATA
    with refused(THEMIS_CODES.INVALID_PARAMETER, "Context Imprint needs a context of at least"):
        reading(SCellContextImprint(KEY).decrypt, DATA, "")


@pytest.mark.parametrize("bad", [b"text", None, 5, bytearray(b"text")])
def test_legacy_text_takes_text(bad):
    """Bytes are what they are, and need no such function."""
    with wrong_type(f"legacy_text takes a str, not {type(bad).__name__}"):
        legacy_text(bad)


BINARY = bytes(range(224, 256))
TEXT_OF_KEYS = {
    "base64": base64.b64encode(BINARY),
    "base64 without padding": base64.b64encode(BINARY)[:-1],
    "base64 with a line end": base64.b64encode(BINARY) + b"\r\n",
    "URL-safe": base64.urlsafe_b64encode(BINARY),
    "URL-safe without padding": base64.urlsafe_b64encode(BINARY)[:-1] + b"\n",
    "hex": BINARY.hex().encode(),
    "HEX with a line end": BINARY.hex().upper().encode() + b"\n",
}


@pytest.mark.parametrize("make", [SCellSeal, SCellTokenProtect, SCellContextImprint])
@pytest.mark.parametrize("name", TEXT_OF_KEYS)
def test_a_key_that_is_text_warns_and_works(make, name):
    """The warning is the caller's, and what it tells to do gives the 32 bytes."""
    text = TEXT_OF_KEYS[name]
    with pytest.warns(UserWarning, match="^the key is the (hex|base64) of 32 bytes, ") as caught:
        cell = make(bytearray(text))
    assert [warning.filename for warning in caught] == [__file__]
    advice = re.search(r"decode it: (.*)\. What", str(caught[0].message))[1]
    assert eval(advice, {"base64": base64, "key": text}) == BINARY
    encrypted = cell.encrypt(DATA, DATA)
    parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
    assert cell.decrypt(*parts, DATA) == DATA


def test_other_keys_do_not_warn():
    """Neither random bytes do, nor text that is not the form of 32 bytes, nor passphrases."""
    base = base64.b64encode(BINARY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for key in (
            *(os.urandom(size) for size in (32, 43, 44, 64) for _ in range(100)),
            *(base[:42], base[:40] + b"====", base[:-1] + b"A", base[:42] + b"B="),
            *(
                b"-" + base[1:],
                b" " + base,
                BINARY.hex().encode()[:-1] + b"g",
                b"k" * 64,
                b"a" * 66,
            ),
        ):
            SCellSeal(key)
        quick(base)
        quick(base.decode())


@given(st.text(min_size=1, max_size=50))
def test_any_text_key_is_the_start_of_its_utf32(text):
    """The rule holds for every text, lone surrogates included."""
    meant = b"".join(ord(character).to_bytes(4, "little") for character in text)[: len(text)]
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        cell = SCellContextImprint(text)
    assert cell.decrypt(DATA, DATA) == SCellContextImprint(meant).encrypt(DATA, DATA)


def test_a_warning_turned_into_an_error_makes_no_cell():
    """Who wants no text keys at all can say so with a warning filter."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(UserWarning, match="master key should be"):
            SCellSeal("text")


def test_an_empty_text_key_is_an_empty_key():
    """No text is no key."""
    with pytest.warns(UserWarning, match="master key"), wrong_value("the key is empty"):
        SCellSeal("")


# ---- Claims ----


def huge_claims():
    """Give hostile inputs whose fields claim gigabytes, with the call that reads them."""
    seal, protect = SCellSeal(KEY).decrypt, SCellTokenProtect(KEY).decrypt
    phrase = quick(KEY).decrypt
    for claim in (2**32 - 1, 2**31, 2**31 - 1, 2**30):
        for at in (4, 8, 12):
            yield seal, (with_u32(SEALED, at, claim), DATA)
            yield protect, (ENCRYPTED, with_u32(PROTECTING_TOKEN, at, claim), DATA)
        for at in (4, 8, 12, 16):
            yield phrase, (with_u32(BY_PASSPHRASE, at, claim), DATA)
        # message and KDF context that together wrap around to the real length
        wrapped = with_u32(BY_PASSPHRASE, 12, claim)
        yield phrase, (with_u32(wrapped, 16, (22 + len(DATA) - claim) % 2**32), DATA)


@traced
@pytest.mark.timing
def test_fields_that_claim_gigabytes_cost_nothing():
    """A length is compared before it is believed: no memory is taken and no time is spent."""
    tracemalloc.start()
    start = time.process_time()
    try:
        for method, arguments in huge_claims():
            with not_a_cell():
                method(*arguments)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 1
    assert peak < 1_000_000


LITTLE_MEMORY = """\
import resource
import sys
import test_cell_input as tests
with open("/proc/self/statm") as status:
    pages = int(status.read().split()[0])
limit = pages * resource.getpagesize() + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
count = 0
for method, arguments in tests.huge_claims():
    with tests.not_a_cell():
        method(*arguments)
    count += 1
assert count == 44, count
try:
    bytes(1 << 30)
except MemoryError:
    print("the limit holds")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
def test_fields_that_claim_gigabytes_need_no_address_space(request):
    """The same with hardly any memory left to ask for, in C or in Python."""
    command = [sys.executable, "-c", LITTLE_MEMORY]
    environment = {**os.environ, "PYTHONPATH": "tests"}
    root = request.config.rootpath
    said = subprocess.check_output(command, cwd=root, env=environment, text=True)
    assert said == "the limit holds\n"


@traced
@pytest.mark.timing
@pytest.mark.parametrize("size", [1, 1000, 10_000_000])
def test_a_refused_decryption_takes_no_more_than_the_message(size):
    """A forged cell costs as much memory as a real one of its length, and it is given back."""
    cell, sealed = SCellSeal(KEY), bytearray(SCellSeal(KEY).encrypt(bytes(size)))
    sealed[-1] ^= 1
    tracemalloc.start()
    try:
        with not_authentic() as caught:
            cell.decrypt(sealed)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size + 500_000
    assert caught.value.__traceback__ is not None


def test_wrong_iteration_counts_are_refused_by_class_and_code():
    """None at all: not such a cell. More than the bound: not supported. Both at once."""
    cell = quick(KEY)
    with not_a_cell():
        cell.decrypt(with_u32(BY_PASSPHRASE, 48, 0), DATA)
    with asks_too_much():
        cell.decrypt(with_u32(BY_PASSPHRASE, 48, 2**31 - 1), DATA)


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


# ---- Keys ----


def test_a_generated_key_is_32_random_bytes():
    """Each key is exactly bytes, 32 of them, and none comes twice; every bit takes both values."""
    keys = [skeygen.GenerateSymmetricKey() for _ in range(1000)]
    assert {(type(key), len(key)) for key in keys} == {(bytes, 32)}
    assert len(set(keys)) == 1000
    either = both = int.from_bytes(keys[0], "big")
    for key in keys:
        either |= int.from_bytes(key, "big")
        both &= int.from_bytes(key, "big")
    assert (either, both) == (2**256 - 1, 0)


def test_generating_a_key_takes_no_arguments():
    """There is one kind of symmetric key."""
    with pytest.raises(TypeError):
        skeygen.GenerateSymmetricKey(16)


def test_a_long_key_and_a_long_context_work():
    """Neither has an upper limit of its own."""
    key, context = bytes(1_000_000), bytes(5_000_000)
    assert SCellSeal(key).decrypt(SCellSeal(key).encrypt(DATA, context), context) == DATA
    imprint = SCellContextImprint(key)
    assert imprint.decrypt(imprint.encrypt(DATA, context), context) == DATA


def test_errors_of_the_header_are_invalid_parameter():
    """The codes that callers meet: 12 for what is no cell, 11 for what does not authenticate."""
    with refused(THEMIS_CODES.INVALID_PARAMETER, "a Seal cell made with a key"):
        SCellSeal(KEY).decrypt(bytes(100))
    with refused(THEMIS_CODES.FAIL, "check the key and the context"):
        SCellSeal(KEY).decrypt(SEALED)
    assert SEALED[TOKEN:] != DATA
