# SPDX-License-Identifier: Apache-2.0
"""What Secure Cell does with arguments that are wrong, missing or hostile."""

import array
import base64
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pythemis import skeygen
from pythemis.exception import THEMIS_CODES
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
    NOT_BYTES,
    PROTECTING_TOKEN,
    SEALED,
    FailingExport,
    complaint,
    huge_claims,
)
from support.cells import (
    TOKEN,
    asks_too_much,
    not_a_cell,
    not_authentic,
    quick,
    refused,
    with_u32,
    wrong_type,
    wrong_value,
)
from support.memory import traced, tracemalloc

# ---- What is not bytes ----


TEXT = ["text", "text of numpy", "no text"]


@pytest.fixture(params=NOT_BYTES)
def bad(request):
    """Give something that is not bytes."""
    return NOT_BYTES[request.param]()


@pytest.fixture(params=[name for name in NOT_BYTES if name not in TEXT])
def not_even_text(request):
    """Give something that is neither bytes nor text."""
    return NOT_BYTES[request.param]()


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


# ---- Claims ----


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
from support.arguments import huge_claims
from support.cells import not_a_cell
with open("/proc/self/statm") as status:
    pages = int(status.read().split()[0])
limit = pages * resource.getpagesize() + (64 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
count = 0
for method, arguments in huge_claims():
    with not_a_cell():
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
