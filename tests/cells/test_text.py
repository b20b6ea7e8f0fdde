# SPDX-License-Identifier: Apache-2.0
"""Text as a key, which Secure Cell reads as 0.15 did, or refuses."""

import base64
import os
import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    legacy_text,
)
from support.arguments import DATA, KEY
from support.cells import (
    not_authentic,
    quick,
    refused,
    wrong_type,
    wrong_value,
)
from support.warned import as_errors, places_of


def warned(make, text):
    """Make a cell of a text key, which has to warn the caller."""
    with pytest.warns(UserWarning, match='^master key should be "bytes"') as caught:
        cell = make(text)
    assert places_of(caught) == [__file__]
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
    assert places_of(caught) == [__file__]
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
    assert places_of(caught) == [__file__]
    advice = re.search(r"decode it: (.*)\. Data", str(caught[0].message))[1]
    assert eval(advice, {"base64": base64, "key": text}) == BINARY
    encrypted = cell.encrypt(DATA, DATA)
    parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
    assert cell.decrypt(*parts, DATA) == DATA


def test_other_keys_do_not_warn():
    """Neither random bytes do, nor text that is not the form of 32 bytes, nor passphrases."""
    base = base64.b64encode(BINARY)
    with warnings.catch_warnings():
        as_errors()
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
