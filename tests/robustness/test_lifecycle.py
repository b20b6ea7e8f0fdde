# SPDX-License-Identifier: Apache-2.0
"""How objects are made, once; how they are copied; what an interruption leaves behind."""

import asyncio
import contextlib
import copy
import ctypes
import dataclasses
import gc
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

import pythemis
from pythemis._core import buffers, comparators, messages, owner
from pythemis._themis import ffi
from pythemis.asession import SessionStream
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisValueError
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellValueError,
)
from pythemis.scomparator import SComparator, SecureComparatorError, SecureComparatorValueError
from pythemis.skeygen import GenerateKeyPair, from_pem, to_pem
from pythemis.smessage import (
    SecureMessageValueError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from pythemis.ssession import SecureSessionValueError, SimpleMemoryTransport, SSession, SString
from pythemis.stransport import SocketTransport
from support.cells import refused
from support.definitions import forge
from support.keys import generated
from support.memory import traced, tracemalloc
from support.programs import said_by
from support.sessions import CLIENT, established, key_pair

INVALID = THEMIS_CODES.INVALID_PARAMETER
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
PRIVATE, PUBLIC = generated("EC")
LARGE = generated("RSA", bits=4096)


def _seal_works(cell):
    return cell.decrypt(cell.encrypt(b"m")) == b"m"


def _token_works(cell):
    return cell.decrypt(*cell.encrypt(b"m")) == b"m"


def _imprint_works(cell):
    return cell.decrypt(cell.encrypt(b"m", b"c"), b"c") == b"m"


def _passphrase_works(cell):
    return cell.decrypt(forge(KEY, b"m", b"", iterations=200_000)) == b"m"


def _comparator_works(comparator):
    return len(comparator.begin_compare()) == 192


class Case(NamedTuple):
    """A class, its arguments, others that fit, what a second call raises, what works on one."""

    cls: type
    arguments: tuple
    others: tuple
    error: type
    works: Callable


SHARED = [
    Case(SCellSeal, (KEY,), (OTHER_KEY,), SecureCellValueError, _seal_works),
    Case(SCellSealPassphrase, (KEY,), (OTHER_KEY,), SecureCellValueError, _passphrase_works),
    Case(SCellTokenProtect, (KEY,), (OTHER_KEY,), SecureCellValueError, _token_works),
    Case(SCellContextImprint, (KEY,), (OTHER_KEY,), SecureCellValueError, _imprint_works),
    Case(
        SMessage,
        (PRIVATE, PUBLIC),
        LARGE,
        SecureMessageValueError,
        lambda made: made.unwrap(made.wrap(b"m")) == b"m",
    ),
    Case(
        SecureSigner,
        (PRIVATE,),
        LARGE[:1],
        SecureMessageValueError,
        lambda made: sverify(PUBLIC, made.sign(b"m")) == b"m",
    ),
    Case(
        SecureVerifier,
        (PUBLIC,),
        LARGE[1:],
        SecureMessageValueError,
        lambda made: made.verify(ssign(PRIVATE, b"m")) == b"m",
    ),
    Case(
        GenerateKeyPair,
        ("EC",),
        ("RSA",),
        ThemisValueError,
        lambda pair: sverify(pair.export_public_key(), ssign(pair.export_private_key(), b"m")),
    ),
]
CHANGING = [
    Case(
        SSession,
        (CLIENT, PRIVATE, None),
        (b"x", key_pair("p256")[0], None),
        SecureSessionValueError,
        lambda session: session.connect_request(),
    ),
    Case(SComparator, (b"s",), (b"o",), SecureComparatorValueError, _comparator_works),
]
ALL = pytest.mark.parametrize(
    "case", [*SHARED, *CHANGING], ids=[case.cls.__name__ for case in [*SHARED, *CHANGING]]
)
AGAIN = "this {} is made already, and __init__ runs once: make a new object"


# ---- Made once ----


@ALL
def test_an_object_is_made_once(case):
    """A second __init__ is refused, on a live object and on a closed one, and changes nothing."""
    made = case.cls(*case.arguments)
    held = made._held
    for again in (case.arguments, case.others):
        with refused(INVALID, AGAIN.format(case.cls.__name__), kind=case.error):
            made.__init__(*again)
    assert made._held is held
    assert case.works(made)
    made.close()
    with refused(INVALID, AGAIN.format(case.cls.__name__), kind=case.error):
        made.__init__(*case.others)
    assert repr(made).endswith("(closed)>")


@ALL
def test_an_object_whose_making_failed_can_be_made(case):
    """Refused arguments leave an object that was never made."""
    made = object.__new__(case.cls)
    with pytest.raises(ThemisError):
        made.__init__(*([b""] * len(case.arguments)))
    made.__init__(*case.arguments)
    assert case.works(made)


@ALL
def test_a_subclass_that_calls_init_twice_is_told(case):
    """Its own name stands in the case.error."""

    class Twice(case.cls):
        def __init__(self):
            super().__init__(*case.arguments)
            super().__init__(*case.others)

    with refused(INVALID, AGAIN.format("Twice"), kind=case.error):
        object.__new__(Twice).__init__()


@ALL
@pytest.mark.usefixtures("_switching")
def test_threads_make_an_object_once(case):
    """Of several threads that call __init__ at the same time, one makes the object."""
    made, barrier, outcomes = object.__new__(case.cls), threading.Barrier(4), []

    def make():
        barrier.wait(60)
        try:
            made.__init__(*case.arguments)
            outcomes.append("made")
        except case.error as refusal:
            outcomes.append(str(refusal))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted(["made", *[AGAIN.format(case.cls.__name__)] * 3])
    assert case.works(made)


def test_a_transport_is_made_once():
    """A second __init__ would mix two connections, or the peers of two."""
    ours, theirs = socket.socketpair()
    other, others = socket.socketpair()
    again = partial(refused, INVALID, kind=SecureSessionValueError)
    with SocketTransport(ours, {}) as transport, theirs, other, others:
        with again(AGAIN.format("SocketTransport")):
            transport.__init__(other, {})
        transport.send(b"m")
        assert theirs.recv(9) == b"\0\0\0\1m"
    peers = SimpleMemoryTransport(CLIENT, PUBLIC)
    with again(AGAIN.format("SimpleMemoryTransport")):
        peers.__init__({})
    assert peers.get_pub_key_by_id(CLIENT) == PUBLIC

    async def stream():
        made = SessionStream(None, None, None)
        with again(AGAIN.format("SessionStream")):
            made.__init__(None, None, SSession(CLIENT, PRIVATE, None))
        assert made.session is None

    asyncio.run(stream())


@contextlib.contextmanager
def meanwhile(module, action):
    """Do something when a call has looked at its arguments, before it makes room for the result."""
    output = module.new_output

    def output_and_action(size):
        action()
        return output(size)

    module.new_output = output_and_action
    try:
        yield
    finally:
        module.new_output = output


def test_what_belongs_together_is_read_once():
    """A message object that is replaced during a call goes on with the sizes of its own keys."""
    message, large = SMessage(PRIVATE, PUBLIC), SMessage(*LARGE)
    small = message._held
    for call, argument in ((message.wrap, b"m" * 16), (message.unwrap, message.wrap(b"m" * 16))):
        owner.replace(message, small)
        with meanwhile(messages, lambda: owner.replace(message, large._held)):
            result = call(argument)
        assert len(result) == (68 if call.__name__ == "wrap" else 16)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no class has buffers of its own")
def test_a_buffer_of_ones_own_cannot_make_an_object_again():
    """What a message's buffer does to the object that reads it is refused."""
    message = SMessage(PRIVATE, PUBLIC)

    class Meddling:
        def __buffer__(self, flags):
            with refused(INVALID, AGAIN.format("SMessage"), kind=SecureMessageValueError):
                message.__init__(*LARGE)
            return memoryview(b"A" * 16)

    assert message.unwrap(message.wrap(Meddling())) == b"A" * 16


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no class has buffers of its own")
def test_an_init_within_an_init_makes_the_object():
    """The first that is done counts, and the other one is told."""
    made = object.__new__(SecureSigner)

    class Meddling:
        def __buffer__(self, flags):
            made.__init__(PRIVATE)
            return memoryview(LARGE[0])

    with refused(INVALID, AGAIN.format("SecureSigner"), kind=SecureMessageValueError):
        made.__init__(Meddling())
    assert sverify(PUBLIC, made.sign(b"m")) == b"m"


# ---- Copies ----


@pytest.mark.parametrize("case", SHARED, ids=[case.cls.__name__ for case in SHARED])
def test_a_copy_of_what_never_changes_is_the_object_itself(case):
    """So test frameworks, validators and dataclasses can hold it; a closed one as well."""

    @dataclasses.dataclass
    class Settings:
        held: object
        name: str = "x"

    made = case.cls(*case.arguments)
    for _ in range(2):
        assert copy.copy(made) is made
        assert copy.deepcopy(made) is made
        assert copy.deepcopy({"a": [made]})["a"][0] is made
        settings = Settings(made)
        assert copy.deepcopy(settings).held is made
        assert dataclasses.replace(settings, name="y").held is made
        made.close()
    with pytest.raises(TypeError) as caught:
        pickle.dumps(made)
    is_public = case.cls is SecureVerifier
    refusal = "pickled: pickle the public key" if is_public else "pickled"
    assert str(caught.value) == (
        f"{case.cls.__name__} {'' if is_public else 'holds a secret and '}cannot be {refusal}; "
        "make another one where it is needed"
    )


# ---- Interruptions ----


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple((f"field{i}", ctypes.c_size_t) for i in range(10))


_mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None) if os.name == "posix" else None
if _mallinfo is not None:
    _mallinfo.restype = _Mallinfo


def allocated():
    """Count the bytes that malloc has given and not got back; small objects are not of them."""
    gc.collect()
    return _mallinfo().field7


def interrupted(call, number):
    """Raise KeyboardInterrupt before the instruction of this number; False if there is none."""
    left = number
    package = str(Path(pythemis.__file__).parent)

    def trace(frame, event, _argument):
        nonlocal left
        if not frame.f_code.co_filename.startswith(package):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    return left <= 0


def leaks(call):
    """List the instructions before which an interruption leaves C's memory behind.

    Each of several times: now and then OpenSSL and Python allocate something for themselves.
    """

    def grows():
        before = allocated()
        for _ in range(8):
            interrupted(call, number)
        return allocated() - before >= 8 * 32

    found, number = [], 1
    for _ in range(64):  # so that OpenSSL has in its caches what it keeps; Python 3.12 traces late
        interrupted(call, 1 << 30)
    gc.collect()
    gc.freeze()  # then it is quick to look whether cycles hold something
    while interrupted(call, number):
        if all(grows() for _ in range(4)):
            found.append(number)
        number += 1
    gc.unfreeze()
    assert number > 5, "no instructions were seen"
    return found


PEM = to_pem(PRIVATE)
BY_PASSPHRASE = forge(KEY, b"message", b"", iterations=1)
PASSPHRASE_CELL = SCellSealPassphrase(KEY, min_iterations=1)
SIGNED = ssign(PRIVATE, b"m")
MAKING = {
    "cell": lambda: SCellSeal(KEY),
    "passphrase": lambda: SCellSealPassphrase(KEY),
    "unseal": lambda: PASSPHRASE_CELL.decrypt(BY_PASSPHRASE),
    "unseal_into": lambda: PASSPHRASE_CELL.decrypt_into(bytearray(7), BY_PASSPHRASE),
    "message": lambda: SMessage(PRIVATE, PUBLIC),
    "signer": lambda: SecureSigner(PRIVATE),
    "verifier": lambda: SecureVerifier(PUBLIC),
    "ssign": lambda: ssign(PRIVATE, b"m"),
    "sverify": lambda: sverify(bytearray(PUBLIC), SIGNED),
    "session": lambda: SSession(CLIENT, PRIVATE, None),
    "comparator": lambda: SComparator(b"secret"),
    "export": lambda: to_pem(PRIVATE),
    "import": lambda: from_pem(PEM),
}


counts_what_is_left = pytest.mark.skipif(
    sys.implementation.name != "cpython" or _mallinfo is None,
    reason="instructions of CPython are interrupted, and the memory of glibc is counted",
)


@counts_what_is_left
@pytest.mark.parametrize("name", MAKING)
def test_an_interruption_leaves_nothing_behind(name):
    """Whichever instruction is the last one, the core's memory is wiped and freed."""
    assert leaks(MAKING[name]) == []


@counts_what_is_left
def test_the_judge_sees_a_handle_that_is_left():
    """A handle that has an owner only after the call is left between the two."""
    lib, ffi = buffers.lib, buffers.ffi

    def new(key):
        place = ffi.new("themis_cell **")
        assert lib.themis_cell_new(key, len(key), 0, place) == 0
        return place[0]

    file = str(Path(pythemis.__file__).parent / "not_there.py")
    names = {"new": new, "gc": ffi.gc, "free": lib.themis_cell_free}
    code = "def make(key):\n    made = new(key)\n    return gc(made, free)\n"
    exec(compile(code, file, "exec"), names)
    assert leaks(lambda: names["make"](KEY)) != []


# ---- Signal handlers ----


def test_a_handler_cannot_take_a_message_within_a_message():
    """What changes a comparison is refused while it takes a message; looking at it is not."""
    alice, bob = SComparator(b"secret"), SComparator(b"secret")
    first = alice.begin_compare()
    seen = []

    def handler():
        if seen:  # room for what begin_compare would return
            return
        seen.append(first)
        assert not bob.is_compared()
        assert bob.result() == 0
        for call in (
            lambda: bob.proceed_compare(first),
            lambda: bob.append_secret(b"more"),
            bob.begin_compare,
        ):
            with refused(INVALID, "is taking a message", kind=SecureComparatorError):
                call()
            seen.append(call)

    with meanwhile(comparators, handler):
        second = bob.proceed_compare(first)
    assert len(seen) == 4
    third = alice.proceed_compare(second)
    assert alice.proceed_compare(bob.proceed_compare(third)) == b""
    assert alice.is_equal()
    assert bob.is_equal()


# ---- Memory of its own ----


def test_bytes_of_this_python_have_memory_of_their_own():
    """On CPython, and there alone, results are written in place, the single byte included."""
    is_cpython = sys.implementation.name == "cpython"
    assert (buffers.gives_own_memory(bytes), buffers.IN_PLACE) == (is_cpython, is_cpython)


def test_results_are_copied_where_bytes_move():
    """On a Python that is not CPython every result is bytes, and right, in all cryptosystems."""
    program = (
        "import sys; sys.implementation.name = 'pypy'; from pythemis._core import buffers\n"
        "sys.implementation.name = 'cpython'; from pythemis import _selftest\n"
        "assert not buffers.IN_PLACE\n"
        "for check in _selftest.CHECKS.values(): check()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("size", [1, 2, 32, 33, 4096])
@pytest.mark.parametrize("how", ["cached", "shared", "filled", "literal"])
def test_a_python_that_shares_memory_is_seen(size, how):
    """One that makes some bytes once, or in the memory of others, gets copies."""
    cache = bytes(bytearray(size)) if how == "literal" else bytes(size)

    def make(asked):
        if asked != size:
            return bytes(asked)
        return b"\1" * size if how == "filled" else cache

    assert not buffers.gives_own_memory(make)
    assert cache == bytes(bytearray(size))


@pytest.mark.skipif(not buffers.IN_PLACE, reason="there results are copied")
@pytest.mark.parametrize("size", [64, 1 << 15, 1 << 20])
def test_outputs_of_a_subclass_are_as_python_makes_them(size):
    """Zeros in memory of their own, whose hash is not known before they are written."""
    made, other = (buffers.output_of(SString, size) for _ in range(2))
    assert (type(made), made, hash(made)) == (SString, bytes(size), hash(bytes(size)))
    ffi.memmove(ffi.from_buffer(other), b"x" * size, size)
    assert (other, hash(other)) == (b"x" * size, hash(b"x" * size))
    assert made == bytes(size)
    other.set_control()
    assert other.is_control


@pytest.mark.skipif(not buffers.IN_PLACE, reason="there results are copied")
@traced
def test_unwrap_takes_memory_for_one_message():
    """Not for bytes as well, of which Python would make the object of the subclass."""
    client, server = established()
    wrapped = [client.wrap(bytes(4 << 20)) for _ in range(2)]
    server.unwrap(wrapped[0])
    tracemalloc.start()
    server.unwrap(wrapped[1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4 << 20 < peak < 5 << 20


def test_large_messages_need_no_ctypes():
    """A Python that has none makes them with a copy."""
    said = said_by(
        """
        import sys
        sys.modules["ctypes"] = None
        from pythemis.skeygen import GenerateKeyPair
        from pythemis.ssession import SimpleMemoryTransport, SSession
        pair = GenerateKeyPair("EC")
        private, public = pair.export_private_key(), pair.export_public_key()
        client, server = (
            SSession(own, private, SimpleMemoryTransport(peer, public), allow_own_identity=True)
            for own, peer in ((b"client", b"server"), (b"server", b"client"))
        )
        reply = client.connect_request()
        while reply:
            reply = server.unwrap(reply)
            reply = reply and client.unwrap(reply)
        print(server.unwrap(client.wrap(b"m" * 100_000)) == b"m" * 100_000)
        """
    )
    assert said == "True"


def test_single_bytes_stay_what_they_are():
    """CPython has each single byte once; a message of one byte is never written into it."""
    cell, client_and_server = SCellSeal(KEY), established()
    client, server = client_and_server
    message = SMessage(PRIVATE, PUBLIC)
    for value in range(256):
        text = bytes([value])
        results = [
            cell.decrypt(cell.encrypt(text)),
            *cell.decrypt_many(cell.encrypt_many([text, text])),
            message.unwrap(message.wrap(text)),
            server.unwrap(client.wrap(text)),
        ]
        assert all(result == text for result in results)
    assert [bytes([value])[0] for value in range(256)] == list(range(256))
    assert bytes(1) == b"\0"
