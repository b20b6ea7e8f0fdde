# SPDX-License-Identifier: Apache-2.0
"""Secure Cell for whole lists: the results of one by one, and errors that say which message."""

import ctypes
import random
from array import array

import numpy as np
import pytest

from pythemis._core import cell_lists, cells
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    SecureCellError,
    SecureCellTypeError,
)
from support.arguments import NOT_BYTES, complaint
from support.cells import not_a_cell, not_authentic, wrong_type, wrong_value
from support.threads import together

KEY = bytes(range(32))
MESSAGES = [bytes([i % 251 + 1]) * (i % 97 + 1) for i in range(1500)]  # two parts
CONTEXTS = [b"row %d" % i if i % 5 else b"" for i in range(1500)]
NAMES = [b"row %d" % i for i in range(1500)]
THREADS = pytest.mark.parametrize("threads", [1, 2, 5])


@THREADS
def test_seal(threads):
    """Each item is what `encrypt` makes, and `decrypt_many` reads what `encrypt` made."""
    cell = SCellSeal(KEY)
    sealed = cell.encrypt_many(MESSAGES, CONTEXTS, threads=threads)
    assert [cell.decrypt(*pair) for pair in zip(sealed, CONTEXTS, strict=True)] == MESSAGES
    assert cell.decrypt_many(sealed, CONTEXTS, threads=threads) == MESSAGES
    one_by_one = [cell.encrypt(*pair) for pair in zip(MESSAGES, CONTEXTS, strict=True)]
    assert cell.decrypt_many(one_by_one, CONTEXTS, threads=threads) == MESSAGES
    assert {type(item) for item in sealed} == {bytes}
    assert len({item[16:28] for item in sealed + one_by_one}) == 3000  # the nonces


@THREADS
def test_token_protect(threads):
    """Pairs of ciphertext and token come out; two lists go in."""
    cell = SCellTokenProtect(KEY)
    pairs = cell.encrypt_many(MESSAGES, CONTEXTS, threads=threads)
    assert [
        cell.decrypt(*pair, context) for pair, context in zip(pairs, CONTEXTS, strict=True)
    ] == MESSAGES
    encrypted, tokens = zip(*pairs, strict=True)
    assert {len(token) for token in tokens} == {44}
    assert cell.decrypt_many(encrypted, tokens, CONTEXTS, threads=threads) == MESSAGES


@THREADS
def test_context_imprint(threads):
    """The same bytes as one by one: this mode has no nonce."""
    cell = SCellContextImprint(KEY)
    made = cell.encrypt_many(MESSAGES, NAMES, threads=threads)
    assert made == [cell.encrypt(*pair) for pair in zip(MESSAGES, NAMES, strict=True)]
    assert cell.decrypt_many(made, NAMES, threads=threads) == MESSAGES


@pytest.mark.parametrize("size", [1, 5, 300_000])
@THREADS
def test_a_message_that_is_a_part_of_its_own(threads, size):
    """One message, or large ones, of which each goes through C alone."""
    texts = [bytes([at]) * size for at in range(3)]
    imprint, seal, token = SCellContextImprint(KEY), SCellSeal(KEY), SCellTokenProtect(KEY)
    for messages in (texts[:1], texts):
        made = imprint.encrypt_many(messages, [b"c"] * len(messages), threads=threads)
        assert made == [imprint.encrypt(message, b"c") for message in messages]
        assert imprint.decrypt_many(made, b"c", threads=threads) == messages
        sealed = seal.encrypt_many(messages, threads=threads)
        assert seal.decrypt_many(sealed, threads=threads) == messages
        encrypted, tokens = zip(*token.encrypt_many(messages, threads=threads), strict=True)
        assert token.decrypt_many(encrypted, tokens, threads=threads) == messages
    assert texts == [bytes([at]) * size for at in range(3)]


@THREADS
def test_passphrases(threads):
    """Slow cells go through the same calls."""
    cell = SCellSeal(passphrase="a passphrase")
    sealed = cell.encrypt_many(MESSAGES[:3], CONTEXTS[:3], threads=threads)
    assert cell.decrypt_many(sealed, CONTEXTS[:3], threads=threads) == MESSAGES[:3]
    with not_authentic() as caught:
        cell.decrypt_many([sealed[0], sealed[2]], CONTEXTS[:2], threads=threads)
    assert caught.value.index == 1


@pytest.mark.parametrize(
    ("contexts", "each"),
    [
        (None, None),
        (b"for all", b"for all"),
        (bytearray(b"for all"), b"for all"),
        (memoryview(b"for all"), b"for all"),
        ([b"a", None, bytearray(b"c")], (b"a", b"", b"c")),
        (iter([b"a", b"", b"c"]), (b"a", b"", b"c")),
        (b"", None),
    ],
)
def test_contexts_for_each_or_for_all(contexts, each):
    """None and bytes are for all messages; a list has one for each."""
    cell = SCellSeal(KEY)
    sealed = cell.encrypt_many([b"one", b"two", b"three"], contexts)
    each = each if isinstance(each, tuple) else [each] * 3
    assert [cell.decrypt(*pair) for pair in zip(sealed, each, strict=True)] == [
        b"one",
        b"two",
        b"three",
    ]


def test_no_messages():
    """An empty list gives an empty list, whatever may iterate over nothing."""
    cell = SCellSeal(KEY)
    assert cell.encrypt_many([]) == cell.decrypt_many(iter(())) == []
    assert cell.encrypt_many((), b"context", threads=3) == []
    assert SCellTokenProtect(KEY).decrypt_many([], []) == []


def test_any_buffers_and_any_iterable():
    """Bytearrays and views count as bytes; a generator is as good as a list."""
    cell = SCellSeal(KEY)
    mixed = (bytearray(b"one"), memoryview(b"two."), b"three", memoryview(b"fo--ur")[::1])
    sealed = cell.encrypt_many(item for item in mixed)
    assert cell.decrypt_many(map(bytearray, sealed)) == [bytes(item) for item in mixed]


class Liar(bytes):
    """Bytes that lie about their length."""

    def __len__(self):
        return 2


def test_a_length_that_lies_is_not_believed():
    """What counts is how many bytes there are."""
    cell = SCellSeal(KEY)
    sealed = cell.encrypt_many([Liar(b"a longer message"), b"x"], [Liar(b"context"), b"y"])
    assert cell.decrypt(sealed[0], b"context") == b"a longer message"
    assert cell.decrypt(sealed[1], b"y") == b"x"


@THREADS
@pytest.mark.parametrize("bad", [0, 1023, 1024, 1499])
def test_the_first_bad_item_is_named(bad, threads):
    """Out of several that are refused it is the first, in whichever part and thread."""
    cell = SCellSeal(KEY)
    sealed = cell.encrypt_many(MESSAGES, CONTEXTS)
    for i in {bad, 1499}:
        sealed[i] = sealed[i][:-1] + bytes([sealed[i][-1] ^ 1])
    with not_authentic_in_list(bad):
        cell.decrypt_many(sealed, CONTEXTS, threads=threads)
    sealed[bad] = sealed[bad][:44]
    with not_a_cell_in_list(bad):
        cell.decrypt_many(sealed, CONTEXTS, threads=threads)
    messages = list(MESSAGES)
    messages[bad] = b""
    with pytest.raises(SecureCellError, match=f"^message {bad} of the list: the message has 0 b"):
        cell.encrypt_many(messages, threads=threads)
    messages[bad] = "text"
    with pytest.raises(SecureCellTypeError, match=f"message {bad} of the list: the message") as e:
        cell.encrypt_many(messages, threads=threads)
    assert e.value.index == bad


def not_authentic_in_list(index):
    """Demand the refusal of one item as not authentic."""
    return _at(index, "decryption failed: check the key")


def not_a_cell_in_list(index):
    """Demand the refusal of one item as no cell."""
    return _at(index, "this is not a Seal cell")


def _at(index, text):
    return pytest.raises(SecureCellError, match=f"^message {index} of the list: {text}")


def test_wrong_tokens_and_contexts_are_named_as_well():
    """A short token, a swapped one, a context of the wrong type, an empty one where it counts."""
    cell = SCellTokenProtect(KEY)
    messages = [b"item %d" % i for i in range(9)]
    encrypted, tokens = (list(x) for x in zip(*cell.encrypt_many(messages), strict=True))
    with not_authentic() as caught:
        cell.decrypt_many(encrypted, [*tokens[:7], tokens[8], tokens[7]])
    assert caught.value.index == 7
    with not_a_cell() as caught:
        cell.decrypt_many(encrypted, [*tokens[:3], tokens[3][:43], *tokens[4:]])
    assert caught.value.index == 3
    with wrong_type("message 2 of the list: the context must be bytes, not str") as caught:
        cell.encrypt_many(MESSAGES[:3], [b"", b"", "text"])
    assert caught.value.index == 2
    imprint = SCellContextImprint(KEY)
    with pytest.raises(SecureCellError, match="message 1 of the list: Context Imprint needs"):
        imprint.encrypt_many(MESSAGES[:3], [b"a", b"", b"c"])
    with pytest.raises(SecureCellError, match="message 0 of the list: Context Imprint needs"):
        imprint.decrypt_many(MESSAGES[:3], b"")
    with pytest.raises(SecureCellError, match="Context Imprint needs another context for each"):
        imprint.encrypt_many(MESSAGES[:3], b"one for all")


@pytest.mark.parametrize("name", NOT_BYTES)
def test_what_is_not_bytes_is_named(name):
    """As a message, alone or among others, and as one of many contexts."""
    cell, bad = SCellSeal(KEY), NOT_BYTES[name]()
    for messages, contexts, index, what in (
        ([bad], None, 0, "the message"),
        ([b"m", bad], None, 1, "the message"),
        ([b"m", b"n"], [b"c", bad], 1, "the context"),
    ):
        with wrong_type(f"message {index} of the list: {complaint(bad, what)}") as caught:
            cell.encrypt_many(messages, contexts)
        assert caught.value.index == index


@pytest.mark.parametrize("name", ["a released memoryview", "every second byte", "backwards"])
def test_a_context_for_all_that_is_not_contiguous_is_refused(name):
    """A view is one context, and no list, even where it cannot be used."""
    bad = NOT_BYTES[name]()
    with wrong_type(complaint(bad, "the context")):
        SCellSeal(KEY).encrypt_many([b"m", b"n"], bad)


@pytest.mark.parametrize(
    "both",
    [
        np.array([b"row 1", b"row 2"]),
        np.array([1, 2]),
        np.array(7),
        array("B", b"ab"),
        NOT_BYTES["a closed mmap"](),
    ],
    ids=str,
)
def test_contexts_that_could_be_one_or_many_are_refused(both):
    """Taken for one, no row of a column would be bound to its own place, and nobody told."""
    words = rf"contexts must be bytes, or a list of them; this {type(both).__name__} could be both"
    for method in (SCellSeal(KEY).encrypt_many, SCellContextImprint(KEY).decrypt_many):
        with wrong_type(words):
            method([b"m", b"n"], both)


@pytest.mark.parametrize("data", [np.array(7), memoryview(ctypes.c_double(7))], ids=["numpy", "c"])
def test_what_has_bytes_and_no_length(data):
    """A number of numpy is such a thing, and from Python 3.12 on a view of one of ctypes."""
    cell, its_bytes = SCellSeal(KEY), data.tobytes()
    for messages in ([data], [data, b"m"]):
        contexts = [data] * len(messages)
        found = cell.decrypt_many(cell.encrypt_many(messages, contexts), its_bytes)
        assert found == [its_bytes, b"m"][: len(messages)]


def test_arrays_of_objects_are_lists():
    """Columns of tables come like this; each of their items counts, and no address of one."""
    cell = SCellSeal(KEY)
    messages, contexts = np.array([b"one", b"other"], object), np.array([b"a", None], object)
    sealed = cell.encrypt_many(messages, contexts)
    assert [cell.decrypt(sealed[0], b"a"), cell.decrypt(sealed[1])] == [b"one", b"other"]


@pytest.mark.parametrize("count", [1, 3])
@THREADS
def test_errors_that_are_not_ours_go_through(monkeypatch, threads, count):
    """Memory that runs out is no fault of a message."""
    error = MemoryError()

    def fail(*_):
        raise error

    for module in (cell_lists, cells):
        monkeypatch.setattr(module, "view", fail)
    with pytest.raises(MemoryError) as caught:
        SCellSeal(KEY).encrypt_many([bytearray(b"m")] * count, threads=threads)
    assert caught.value is error
    assert not hasattr(error, "index")


@pytest.mark.parametrize("messages", [b"bytes", bytearray(3), memoryview(b"abc"), "text", 7, None])
def test_one_message_is_not_a_list(messages):
    """Bytes are a list of numbers to Python; here they are a mistake."""
    with wrong_type("messages must be a list of bytes, not "):
        SCellSeal(KEY).encrypt_many(messages)


def test_lists_of_different_lengths():
    """Nothing is guessed about what belongs to what."""
    with wrong_value("there are 3 messages and 2 contexts"):
        SCellSeal(KEY).encrypt_many([b"a", b"b", b"c"], [b"1", b"2"])
    with wrong_value("there are 1 messages and 2 tokens"):
        SCellTokenProtect(KEY).decrypt_many([b"a"], [bytes(44), bytes(44)])
    with wrong_type("the context must be bytes, not str; encode text first: 'text'.encode()"):
        SCellSeal(KEY).encrypt_many([b"a", b"b"], "ab")


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_at_all(threads):
    """Somebody has to do the work."""
    with wrong_value("threads must be 1 or more"):
        SCellSeal(KEY).encrypt_many([b"x"], threads=threads)


@pytest.mark.parametrize("threads", [True, 2.0, "2", None])
def test_threads_of_a_wrong_type(threads):
    """A number of threads is an int."""
    with wrong_type("threads must be an int"):
        SCellSeal(KEY).encrypt_many([b"x"], threads=threads)


def test_a_closed_cell_says_so():
    """Even for an empty list."""
    cell = SCellSeal(KEY)
    cell.close()
    with wrong_value("this SCellSeal is closed"):
        cell.encrypt_many([])


def test_buffers_are_not_held_after_an_error():
    """The caller can resize the buffers while the exception is still at hand."""
    protect = SCellTokenProtect(KEY)
    arrays = [bytearray(b"x" * 50) for _ in range(4)]
    bad = bytearray()
    for call in (
        lambda: SCellSeal(KEY).decrypt_many(arrays, arrays),
        lambda: SCellSeal(KEY).encrypt_many([*arrays, bad], [*arrays, bad]),
        lambda: SCellSeal(KEY).encrypt_many([*arrays, "text"]),
        lambda: SCellSeal(KEY).decrypt_many(arrays, threads=3),
        lambda: protect.decrypt_many(arrays, arrays, arrays),
        lambda: protect.decrypt_many(arrays, [*arrays[:3], bad]),
        lambda: SCellContextImprint(KEY).encrypt_many(arrays, [*arrays[:3], bad]),
    ):
        with pytest.raises(SecureCellError) as caught:
            call()
        for one in (*arrays, bad):
            one.append(0)
            one.pop()
        assert caught.value.__traceback__ is not None


@pytest.mark.usefixtures("_switching")
def test_many_threads_with_lists_of_one_cell():
    """Lists and single messages of one cell, in several threads at once."""
    cell = SCellSeal(KEY)

    def work(number):
        dice = random.Random(number)
        for _ in range(5):
            messages = [dice.randbytes(dice.randrange(1, 200)) for _ in range(200)]
            sealed = cell.encrypt_many(messages, b"c", threads=2)
            assert cell.decrypt_many(sealed, b"c") == messages
            assert cell.decrypt(cell.encrypt(messages[0])) == messages[0]
        return True

    assert all(together(work))


def test_large_messages_go_in_parts():
    """A list of messages that are larger than a part is no matter."""
    cell = SCellSeal(KEY)
    messages = [bytes([i]) * 300_000 for i in range(1, 6)]
    assert cell.decrypt_many(cell.encrypt_many(messages, threads=2), threads=2) == messages
