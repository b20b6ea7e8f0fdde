# SPDX-License-Identifier: Apache-2.0
"""Secure Cell Token Protect: the ciphertext and its token apart."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis._core.layers import BLANK
from pythemis.scell import SCellSeal, SCellTokenProtect
from support.cells import (
    TOKEN,
    cuts,
    flips,
    not_a_cell,
    not_authentic,
    unhex,
    vector,
    vectors,
    with_u32,
    wrong_value,
)

KEY = b"\x07" * 32
CONTEXT = b"row 7"
CELL = SCellTokenProtect(key=KEY)
MESSAGE = bytes(range(40))
EMPTY = "the encrypted message has 0 bytes; it must have 1 to 4294967295"


def is_malformed(encrypted, token):
    """Tell from the specification whether these cannot be data and token of one cell."""
    if len(token) < TOKEN:
        return True
    descriptor, *lengths = struct.unpack_from("<4I", token)
    known = descriptor in (0x40010080, 0x400100C0, 0x40010100)
    return not known or lengths != [12, 16, len(encrypted)]


def refusal(encrypted, token):
    """Give the refusal that fits the damage."""
    if not encrypted:
        return wrong_value(EMPTY)
    return not_a_cell() if is_malformed(encrypted, token) else not_authentic()


@pytest.mark.parametrize("compat_096", [False, True])
@pytest.mark.parametrize("case", vectors("cell_token_protect"))
def test_known_answers(case, compat_096):
    """What real Themis reads, we read, and what it refuses, we refuse."""
    cell = SCellTokenProtect(key=unhex(case["key"]), compat_096=compat_096)
    encrypted, token = unhex(case["encrypted"]) or b"", unhex(case["token"]) or b""
    context = unhex(case["context"])
    if case["status"] == 0:
        assert cell.decrypt(encrypted, token, context) == unhex(case["message"])
    else:
        with refusal(encrypted, token):
            cell.decrypt(encrypted, token, context)


@given(
    message=st.binary(min_size=1, max_size=2000),
    context=st.none() | st.binary(max_size=200),
    key=st.binary(min_size=1, max_size=200),
)
def test_round_trip(message, context, key):
    """Any message under any key and context comes back; the token has 44 bytes."""
    result = SCellTokenProtect(key=key).encrypt(message, context)
    assert type(result) is tuple
    encrypted, token = result
    assert type(encrypted) is type(token) is bytes
    assert (len(encrypted), len(token)) == (len(message), TOKEN)
    opened = SCellTokenProtect(key).decrypt(encrypted, token, context)
    assert type(opened) is bytes
    assert opened == message


@given(message=st.binary(min_size=1, max_size=200), context=st.binary(max_size=50))
def test_a_seal_cell_is_token_and_ciphertext(message, context):
    """Token Protect and Seal are one format: joined or split, each opens what the other wrote."""
    seal = SCellSeal(key=KEY)
    encrypted, token = CELL.encrypt(message, context)
    assert seal.decrypt(token + encrypted, context) == message
    sealed = seal.encrypt(message, context)
    assert CELL.decrypt(sealed[TOKEN:], sealed[:TOKEN], context) == message


@pytest.mark.parametrize("name", ["seal-aes128", "seal-aes192", "seal-aes256"])
def test_all_key_lengths_are_read(name):
    """Tokens of AES-128, AES-192 and AES-256 are read."""
    case = vector("cell_seal", name)
    sealed = unhex(case["cell"])
    cell = SCellTokenProtect(key=unhex(case["key"]))
    opened = cell.decrypt(sealed[TOKEN:], sealed[:TOKEN], unhex(case["context"]))
    assert opened == unhex(case["message"])


def test_tokens_of_096_need_the_option():
    """compat_096 opens what Themis 0.9.6 wrote on 64-bit machines; without it that is refused."""
    case = vector("cell_seal", "seal-096-compat")
    sealed, key, context = (unhex(case[name]) for name in ("cell", "key", "context"))
    parts = (sealed[TOKEN:], sealed[:TOKEN], context)
    message = unhex(vector("cell_seal", "seal-good")["message"])
    assert SCellTokenProtect(key, compat_096=True).decrypt(*parts) == message
    with not_authentic():
        SCellTokenProtect(key).decrypt(*parts)


def test_no_two_cells_are_alike():
    """The same message is encrypted differently each time."""
    cells = [CELL.encrypt(b"the same message", CONTEXT) for _ in range(1000)]
    assert len({encrypted for encrypted, _ in cells}) == 1000
    assert len({token[16:28] for _, token in cells}) == 1000


def test_every_flipped_byte_is_noticed():
    """No byte can change, neither of the data nor of the token."""
    encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    for _, changed in flips(encrypted):
        with not_authentic():
            CELL.decrypt(changed, token, CONTEXT)
    for _, changed in flips(token):
        with refusal(encrypted, changed):
            CELL.decrypt(encrypted, changed, CONTEXT)


def test_every_truncation_is_noticed():
    """Data or token cut at any place are refused, also with a length field that fits."""
    encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    while set(encrypted) & set(BLANK):  # a cut beside one has another hint in its error
        encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    for cut in cuts(encrypted):
        with refusal(cut, token):
            CELL.decrypt(cut, token, CONTEXT)
        fitting = with_u32(token, 12, len(cut))
        with refusal(cut, fitting):
            CELL.decrypt(cut, fitting, CONTEXT)
    for cut in cuts(token):
        with not_a_cell():
            CELL.decrypt(encrypted, cut, CONTEXT)


@pytest.mark.parametrize("tail", [b"\0", b"\xff", bytes(44), bytes(65536)])
def test_bytes_behind_the_data_are_noticed(tail):
    """Longer data is refused, also with a length field that fits."""
    encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    with not_a_cell():
        CELL.decrypt(encrypted + tail, token, CONTEXT)
    with not_authentic():
        CELL.decrypt(encrypted + tail, with_u32(token, 12, len(encrypted + tail)), CONTEXT)


@pytest.mark.parametrize("tail", [b"\0", b"\xff", bytes(44), bytes(65536)])
def test_bytes_behind_the_token_are_ignored(tail):
    """As in every Themis: a token that was stored in a longer field still works."""
    encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    assert CELL.decrypt(encrypted, token + tail, CONTEXT) == MESSAGE


def test_bytes_before_the_token_are_not_ignored():
    """A token starts where it starts."""
    encrypted, token = CELL.encrypt(MESSAGE, CONTEXT)
    with not_a_cell():
        CELL.decrypt(encrypted, b"\0" + token, CONTEXT)


def test_the_token_of_another_message_is_refused():
    """Token and data belong together, also when both are of one length, key and context."""
    [one, _], [_, other] = (CELL.encrypt(MESSAGE, CONTEXT) for _ in range(2))
    with not_authentic():
        CELL.decrypt(one, other, CONTEXT)


@pytest.mark.parametrize("size", [1, 43, 44, 45, 100])
def test_data_and_token_swapped_are_refused(size):
    """In the wrong order they are no cell, whatever their lengths, and the error says the order."""
    encrypted, token = CELL.encrypt(b"m" * size, CONTEXT)
    with not_a_cell() as caught:
        CELL.decrypt(token, encrypted, CONTEXT)
    assert "the data and the token, in this order" in str(caught.value)


@given(
    contexts=st.lists(st.binary(max_size=80), min_size=2, max_size=2, unique=True),
)
def test_another_context_is_refused(contexts):
    """Only the context of the encryption opens a cell."""
    encrypted, token = CELL.encrypt(MESSAGE, contexts[0])
    with not_authentic():
        CELL.decrypt(encrypted, token, contexts[1])


def test_an_empty_context_is_no_context():
    """Empty and None are one context."""
    assert CELL.decrypt(*CELL.encrypt(MESSAGE, b"")) == MESSAGE
    assert CELL.decrypt(*CELL.encrypt(MESSAGE), b"") == MESSAGE


def test_every_flipped_bit_of_a_key_is_noticed():
    """A key that differs in one bit is another key."""
    encrypted, token = CELL.encrypt(MESSAGE)
    for _, key in flips(KEY):
        with not_authentic():
            SCellTokenProtect(key).decrypt(encrypted, token)


@given(encrypted=st.binary(max_size=100), token=st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(encrypted, token):
    """Whatever they are, they are not data and token."""
    with refusal(encrypted, token):
        CELL.decrypt(encrypted, token, CONTEXT)
