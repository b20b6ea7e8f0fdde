# SPDX-License-Identifier: Apache-2.0
"""Short calls keep the GIL, long ones release it, and one that would wait for a lock does, too."""

import _thread
import gc
import os
import re
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pythemis import _core
from pythemis._themis import lib
from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SMessage
from pythemis.ssession import SecureSessionError
from support.programs import run
from support.sessions import established

pytestmark = pytest.mark.skipif(
    not lib.short_calls_keep_gil(), reason="there each call releases what there is to release"
)
SHORT_SIZE = 64
LIMIT = 8192  # of build_support/short_calls.py
LONG_SIZE = 8 << 20
KEY = b"k" * 32


def cells(size):
    """Give the operations of cells, the reading ones, too."""
    message, context = os.urandom(size), b"a context"
    seal, token, imprint = SCellSeal(KEY), SCellTokenProtect(KEY), SCellContextImprint(KEY)
    sealed, parts, room = seal.encrypt(message), token.encrypt(message), bytearray(size + 44)
    return {
        "Seal encrypt": lambda: seal.encrypt(message),
        "Seal decrypt": lambda: seal.decrypt(sealed),
        "Seal encrypt with a long context": lambda: seal.encrypt(context, message),
        "Seal encrypt_into": lambda: seal.encrypt_into(room, message),
        "Seal decrypt of a bytearray": lambda: seal.decrypt(bytearray(sealed)),
        "Token Protect encrypt": lambda: token.encrypt(message),
        "Token Protect decrypt": lambda: token.decrypt(*parts),
        "Context Imprint": lambda: imprint.encrypt(message, context),
    }


def messages(size):
    """Give the operations of Secure Message with an EC key."""
    message, pair = os.urandom(size), GenerateKeyPair(KEY_PAIR_TYPE.EC)
    smessage = SMessage(pair.export_private_key(), pair.export_public_key())
    wrapped = smessage.wrap(message)
    return {
        "SMessage wrap": lambda: smessage.wrap(message),
        "SMessage unwrap": lambda: smessage.unwrap(wrapped),
    }


def sessions(size):
    """Give the operations of Secure Session."""
    message = os.urandom(size)
    client, server = established()
    wrapped = client.wrap(message)
    return {
        "session wrap": lambda: client.wrap(message),
        "session unwrap": lambda: server.unwrap(wrapped),
    }


def rings(size):
    """Give the operations of keyrings and fields."""
    message, ring = os.urandom(size), Keyring.new("app").add()
    later = ring.add()
    later, stored = later.promote(later.ids[-1]), ring.encrypt(message)
    field = FieldCipher(ring, index_key=Keyring.new("index").add()).field(
        "table", "column", type=bytes, bits=32
    )
    return {
        "Keyring encrypt": lambda: ring.encrypt(message),
        "Keyring decrypt": lambda: ring.decrypt(stored),
        "Keyring rotate": lambda: later.rotate(stored),
        "Field seal": lambda: field.seal(message, 1),
        "Field index": lambda: field.index(message),
    }


SYSTEMS = [
    pytest.param(kind, name, id=name)
    for kind in (cells, messages, sessions, rings)
    for name in kind(1)
]


@pytest.fixture
def other():
    """Give a function that starts a thread, which waits for the GIL; it gives a list of its turns.

    The GIL is handed over only where it is released: it is not taken away for an hour.
    """
    before = sys.getswitchinterval()

    def waiting():
        turns = []
        _thread.start_new_thread(turns.append, (1,))
        end = time.perf_counter() + 0.05
        while time.perf_counter() < end:
            pass
        return turns

    gc.collect()
    gc.disable()  # freeing objects releases the GIL
    sys.setswitchinterval(3600)
    yield waiting
    sys.setswitchinterval(before)
    gc.enable()


def keeps(waiting, call):
    """Return whether another thread has no turn during many calls."""
    turns = waiting()
    for _ in range(2000):
        call()
    return not turns


def releases(waiting, call):
    """Return whether another thread has a turn after some calls."""
    turns, end = waiting(), time.perf_counter() + 60
    while not turns and time.perf_counter() < end:
        call()
    return bool(turns)


@pytest.mark.parametrize(("kind", "name"), SYSTEMS)
def test_short_calls_keep_the_gil(kind, name, other):
    """Hundreds of calls, and no other thread has run."""
    assert keeps(other, kind(SHORT_SIZE)[name])


@pytest.mark.parametrize(("kind", "name"), SYSTEMS)
def test_long_calls_release_the_gil(kind, name, other):
    """While C works on megabytes, another thread runs."""
    assert releases(other, kind(LONG_SIZE)[name])


def test_drawing_a_symmetric_key_keeps_the_gil(other):
    """The same for the key generator."""
    assert keeps(other, GenerateSymmetricKey)


def test_rsa_messages_release_the_gil(other):
    """However short they are, the arithmetic is not."""
    pair = GenerateKeyPair(KEY_PAIR_TYPE.RSA)
    smessage = SMessage(pair.export_private_key(), pair.export_public_key())
    wrapped = smessage.wrap(b"m")
    assert releases(other, lambda: smessage.wrap(b"m"))
    assert releases(other, lambda: smessage.unwrap(wrapped))


def test_the_limit_is_of_what_is_read_together(other):
    """A message and a context that exceed the limit together release it."""
    cell, half = SCellSeal(KEY), bytes(LIMIT // 2)
    assert keeps(other, lambda: cell.encrypt(half, half))
    assert releases(other, lambda: cell.encrypt(half, half + b"x"))


FORKS = """
import ctypes, threading
libc = ctypes.CDLL(None)
handler = ctypes.CFUNCTYPE(None)
begins, never, ends = threading.Event(), threading.Event(), threading.Event()

@handler
def prepare():  # another library's, which wants the GIL while our core has stopped new readers
    begins.set()
    never.wait(1)
    ends.set()

leave = ctypes.cast(libc._exit, handler)  # what the child does first, without Python
assert libc.__register_atfork(prepare, None, leave, None) == 0

from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateSymmetricKey
cell = SCellSeal(GenerateSymmetricKey())
cell.encrypt(b"m")
threading.Thread(target=libc.fork).start()
begins.wait()
for _ in range(100):
    {call}
assert ends.is_set()
print("fine")
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or sysconfig.get_config_var("MUSL") is not None,
    reason="only glibc lets a program look up __register_atfork",
)
@pytest.mark.parametrize("call", ["cell.encrypt(b'm')", "GenerateSymmetricKey()"])
def test_a_short_call_that_waits_for_a_fork_releases_the_gil(call):
    """Or both would wait for ever: the fork has the lock, and wants the GIL."""
    assert run(FORKS.format(call=call)) == (0, "fine\n", "")


FIRST = """
from pythemis.scell import SCellContextImprint, SCellSeal
from pythemis.skeygen import GenerateKeyPair
from pythemis.smessage import SMessage
made = SCellSeal(bytes(32)).encrypt(b"m")
pair = GenerateKeyPair("EC")
private, public = pair.export_private_key(), pair.export_public_key()
wrapped = SMessage(private, public).wrap(b"m")
unused = SCellSeal(bytes(32)), SCellContextImprint(bytes(32)), SMessage(private, public)
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or sysconfig.get_config_var("MUSL") is not None,
    reason="only glibc lets a program look up __register_atfork",
)
@pytest.mark.parametrize(
    "call",
    [
        "unused[0].decrypt(made)",
        "unused[1].encrypt(b'm', b'a context')",
        "unused[2].unwrap(wrapped)",
    ],
)
def test_a_first_call_does_not_wait_for_a_fork(call):
    """Preparing a key takes memory, which wheels keep in a region with a lock, as a fork does."""
    head, start, tail = FORKS.partition("threading.Thread(target=libc.fork)")
    tail = tail.replace("assert ends.is_set()\n", "")
    assert run(head + FIRST + start + tail.format(call=call)) == (0, "fine\n", "")


# ---- Sessions: short calls need no lock, unless a long one is under way ----


@pytest.mark.parametrize("reads", [False, True], ids=["wrap", "unwrap"])
def test_a_short_call_on_a_session_waits_for_a_long_one(reads):
    """Only one call at a time works on a session, and each message has a number of its own."""
    client, server = established()
    short, long = (client.wrap(message) for message in (b"m", bytes(64 << 20)))
    held = server._held if reads else client._held
    with ThreadPoolExecutor(1) as pool:
        work = (server.unwrap, long) if reads else (client.wrap, bytes(long))
        slow = pool.submit(*work)
        while held.in_c[0] == 0:
            if slow.done():  # while this thread had no turn
                slow = pool.submit(*work)
            time.sleep(0)
        made = server.unwrap(short) if reads else client.wrap(b"m")
        assert held.in_c[0] == 0
        if not reads:
            assert len(server.unwrap(slow.result())) == len(long)
            assert server.unwrap(made) == b"m"


def test_a_session_whose_count_stayed_too_high_goes_on():
    """As it does where something was raised at the wrong moment: it takes the lock from then on."""
    client, server = established()
    client._held.in_c[0] += 1
    server._held.in_c[0] += 1
    assert server.unwrap(client.wrap(b"m")) == b"m"
    with pytest.raises(SecureSessionError, match="authentication failed"):
        server.unwrap(client.wrap(b"m")[:-1] + b"x")


def test_every_short_function_is_in_use():
    """No name is there that Python does not call."""
    core = "".join(path.read_text("utf-8") for path in Path(_core.__path__[0]).glob("*.py"))
    unused = {name for name in dir(lib) if name.startswith("short_")} - set(
        re.findall(r"\blib\.(short_\w+)", core)
    )
    assert unused == set()
