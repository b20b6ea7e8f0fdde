# SPDX-License-Identifier: Apache-2.0
"""Memory that somebody else writes to during a call: what is judged is what is used."""

import threading

import pytest

from pythemis._core import cell_passphrases, cells, messages, sessions
from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.smessage import SMessage
from support.cells import not_authentic
from support.sessions import established

KEY = bytes(range(32))
TEXT = b"what was authenticated, and nothing else"


class Meanwhile:
    """The C core; with every call of it that reads, somebody writes to what the caller passed."""

    def __init__(self, core, memory):
        self._core = core
        self._memory = memory

    def __getattr__(self, name):
        found = getattr(self._core, name)

        def call(*arguments):
            self._memory[:] = bytes(len(self._memory))
            return found(*arguments)

        return (
            call if callable(found) and not name.endswith(("overlap", "size", "state")) else found
        )


def cell(kind, mode):
    """Encrypt in a mode of Secure Cell; (how to read it, what to read, what stands beside)."""
    opener = kind(**{mode: KEY})
    sealed = opener.encrypt(TEXT)
    data, *token = sealed if isinstance(sealed, tuple) else (sealed,)
    return opener, data, token


def message(kind):
    """Encrypt a message between two pairs of keys."""
    ours, theirs = GenerateKeyPair(kind), GenerateKeyPair(kind)
    wrapped = SMessage(ours.export_private_key(), theirs.export_public_key()).wrap(TEXT)
    return SMessage(theirs.export_private_key(), ours.export_public_key()), wrapped, []


def session():
    """Encrypt a message of a session."""
    client, server = established()
    return server, client.wrap(TEXT), []


CASES = {
    "seal": (cells, lambda: cell(SCellSeal, "key")),
    "passphrase": (cell_passphrases, lambda: cell(SCellSeal, "passphrase")),
    "token protect": (cells, lambda: cell(SCellTokenProtect, "key")),
    "ec message": (messages, lambda: message(KEY_PAIR_TYPE.EC)),
    "rsa message": (messages, lambda: message(KEY_PAIR_TYPE.RSA)),
    "session": (sessions, session),
}


@pytest.mark.parametrize(("module", "made"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("into", [False, True], ids=["bytes", "buffer"])
def test_what_is_decrypted_is_what_was_there_when_the_call_began(monkeypatch, module, made, into):
    """A ciphertext is read twice: once to authenticate it, once to decrypt it."""
    opener, data, token = made()
    shared, result = bytearray(data), bytearray(len(TEXT))
    read = getattr(opener, "decrypt", None) or opener.unwrap
    if into:
        name = f"{read.__name__}_into"
        if not hasattr(opener, name):
            pytest.skip("there is no such method for messages")
        read = getattr(opener, name)
    core = Meanwhile(module.lib, shared)
    monkeypatch.setattr(module, "lib", core)
    for holder, name in ((sessions, "_unwrap"), (sessions, "_UNWRAP"), (opener._held, "unwrap")):
        if hasattr(holder, name):  # what was looked up before
            monkeypatch.setattr(holder, name, getattr(core, getattr(holder, name).__name__))
    if into:
        assert read(result, memoryview(shared), *token) == len(TEXT)
        assert result == TEXT
    else:
        assert read(memoryview(shared), *token) == TEXT
    assert shared == bytes(len(data))  # somebody did write


def test_the_nonce_is_the_one_that_was_drawn_whatever_others_write_in_its_place():
    """Who can write to the buffer of a result does not choose the nonce it is made with.

    The context is long, so that much time passes between the nonce and the first encrypted byte.
    """
    opener, context, message = SCellSeal(KEY), bytes(1 << 20), bytes(range(100))
    buffer, stop = bytearray(144), threading.Event()
    zeros = bytes(12)

    def overwrite():
        while not stop.is_set():
            buffer[16:28] = zeros

    thread = threading.Thread(target=overwrite)
    thread.start()
    try:
        for _ in range(20):
            opener.encrypt_into(buffer, message, context)
            made = bytes(buffer[:16]) + zeros + bytes(buffer[28:])
            with not_authentic():
                opener.decrypt(made, context)
    finally:
        stop.set()
        thread.join()
