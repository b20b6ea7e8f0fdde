# SPDX-License-Identifier: Apache-2.0
"""What hostile input may cost: memory and time are linear in its length."""

import base64
import contextlib
import gc
import os
import struct
import subprocess
import sys
import sysconfig
import threading
import time

import pytest

from pythemis._core import cell_lists, workers
from pythemis.exception import ThemisError
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect, SecureCellError
from pythemis.scomparator import SComparator
from pythemis.skeygen import from_der, from_pem, key_kind, to_der, to_pem
from pythemis.smessage import SecureVerifier, SMessage, ssign
from pythemis.ssession import SimpleMemoryTransport, SSession, peer_id_of
from support.cells import with_u32
from support.comparators import SIZES
from support.definitions import boxed
from support.keys import generated
from support.project import ROOT
from support.sessions import established, key_pair, parties

pytestmark = pytest.mark.timing

LARGE = [0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF]
MIB = 1 << 20
PIECE = 1 << 16  # bytes of a cell in a list
EC, RSA = generated("EC"), generated("RSA")
CELL, TOKENS, BY_PASSPHRASE = SCellSeal(b"k"), SCellTokenProtect(b"k"), SCellSeal(passphrase="k")


def passphrase_header(iterations=1, message=1, context=22, salt=16):
    """Make a header of a passphrase cell out of numbers of one's choice."""
    return (
        struct.pack("<5I", 0x41010100, 12, 16, message, context)
        + bytes(28)
        + struct.pack("<IH", iterations, salt)
        + bytes(16)
    )


OLD = SCellSeal(b"k", compat_096=True)
IMPRINT = SCellContextImprint(b"k")
IDENTITY, PEER = key_pair("p256")[0], key_pair("p256_b")[1]
ROOM = bytearray(1)


def read_list(data):
    """Read a long list of cells."""
    pieces = range(0, len(data), PIECE)
    CELL.decrypt_many([memoryview(data)[at : at + PIECE] for at in pieces], threads=2)


def into_room(decrypt_into):
    """Read into a buffer of one's own, which grows with what is read; there is one for all."""

    def read(data):
        if len(ROOM) < len(data):
            ROOM.extend(bytes(len(data) - len(ROOM)))
        decrypt_into(ROOM, data)

    return read


def readers():
    """Give everything that reads bytes from outside, with an honest example for each."""
    session, peer = established()
    messages = [SMessage(*EC), SMessage(*RSA)]
    yield "seal", CELL.decrypt, CELL.encrypt(b"m" * 100)
    yield "seal 0.9.6", OLD.decrypt, CELL.encrypt(b"m" * 100)
    yield "seal list", read_list, CELL.encrypt(b"m" * 100)
    yield "seal into", into_room(CELL.decrypt_into), CELL.encrypt(b"m" * 100)
    encrypted, token = TOKENS.encrypt(b"m" * 100)
    yield "token", lambda data: TOKENS.decrypt(encrypted, data), token
    yield "token list", lambda data: TOKENS.decrypt_many([encrypted], [data]), token
    yield "token data", lambda data: TOKENS.decrypt(data, token), encrypted
    yield "imprint", lambda data: IMPRINT.decrypt(data, b"context"), b"m" * 100
    yield "passphrase", BY_PASSPHRASE.decrypt, passphrase_header() + b"x"
    yield "passphrase into", into_room(BY_PASSPHRASE.decrypt_into), passphrase_header() + b"x"
    one = passphrase_header() + b"x"
    yield "passphrase list", lambda data: BY_PASSPHRASE.decrypt_many([data] * 9, threads=2), one
    yield "ec message", messages[0].unwrap, messages[0].wrap(b"m" * 100)
    yield "rsa message", messages[1].unwrap, messages[1].wrap(b"m" * 100)
    yield "ec signed", SecureVerifier(EC[1]).verify, ssign(EC[0], b"m" * 100)
    yield "rsa signed", SecureVerifier(RSA[1]).verify, ssign(RSA[0], b"m" * 100)
    yield "key", lambda data: (key_kind(data), SMessage(data, EC[1])), EC[0]
    yield "rsa key", lambda data: SMessage(data, RSA[1]), RSA[0]
    yield "public key", SecureVerifier, EC[1]
    yield "rsa public key", SecureVerifier, RSA[1]
    yield "identity", lambda data: SSession(b"id", data, TRANSPORT), IDENTITY
    yield "der", from_der, to_der(RSA[0])
    yield "pem", from_pem, to_pem(RSA[0])
    yield "session data", session.unwrap, peer.wrap(b"m" * 100)
    yield "session data into", into_room(session.unwrap_into), peer.wrap(b"m" * 100)
    yield "claimed peer", peer_id_of, parties()[0].connect_request()
    for number in range(1, 5):
        yield f"session message {number}", *negotiating(number)
    yield "peer key", *looking_up()
    for number in SIZES:
        yield f"comparator message {number}", *comparing(number)


TRANSPORT = SimpleMemoryTransport(b"the server", PEER)


def negotiating(number):
    """Give who reads this message of a negotiation, new each time, and such a message."""

    def until():
        ends = parties()
        message = ends[0].connect_request()
        for at in range(1, number):
            message = ends[at % 2].unwrap(message)
        return ends[number % 2], message

    return prepared(until, lambda end, data: end.unwrap(data)), until()[1]


def looking_up():
    """Give a session whose transport finds a hostile key for its peer."""

    class Transport(SimpleMemoryTransport):
        def get_pub_key_by_id(self, _user_id):
            return self.hostile

    def until():
        transport = Transport(b"client", PEER)
        return SSession(b"the server", IDENTITY, transport), transport

    request = parties()[0].connect_request()

    def read(ends, data):
        ends[1].hostile = data
        ends[0].unwrap(request)

    return prepared(lambda: (until(), None), read), PEER


def comparing(number):
    """Give who reads this message of a comparison, new each time, and such a message."""

    def until():
        ends = SComparator(b"x"), SComparator(b"x")
        message = ends[0].begin_compare()
        for at in range(1, number):
            message = ends[at % 2].proceed_compare(message)
        return ends[number % 2], message

    return prepared(until, lambda end, data: end.proceed_compare(data)), until()[1]


def prepared(until, read):
    """Make a reader that gets ready anew for each message."""
    return lambda data: read(until()[0], data)


READERS = {name: (read, honest) for name, read, honest in readers()}
everything = pytest.mark.parametrize("name", READERS)


def spoiled(data):
    """Change the last bit, so that all the work is done before anything is found."""
    return data[:-1] + bytes([data[-1] ^ 1])


def der(size):
    """Make a sequence that holds bytes of no meaning, with honest lengths."""
    return b"\x30\x84" + struct.pack(">I", size) + bytes(size)


def pem(size):
    """Write the same as text."""
    lines = base64.encodebytes(der(size * 2 // 3))
    return b"-----BEGIN PRIVATE KEY-----\n" + lines + b"-----END PRIVATE KEY-----\n"


def request_of(size):
    """Make the request of a client whose id is long, and who is not known here."""
    return SSession(b"i" * size, IDENTITY, TRANSPORT).connect_request()


def boxed_zeros(tag, size):
    """Make a container of zeros whose checksum is wrong."""
    return tag + struct.pack(">I", 12 + size) + bytes(4 + size)


# What is well formed down to its last byte, of any size: it is all read before it is refused.
WELL_FORMED = {
    "seal": lambda size: spoiled(CELL.encrypt(bytes(size))),
    "seal 0.9.6": lambda size: spoiled(CELL.encrypt(bytes(size))),
    "seal list": lambda size: spoiled(
        b"".join(map(CELL.encrypt, [bytes(PIECE - 44)] * (size // PIECE)))
    ),
    "seal into": lambda size: spoiled(CELL.encrypt(bytes(size))),
    "passphrase": lambda size: passphrase_header(message=size) + bytes(size),
    "passphrase into": lambda size: passphrase_header(message=size) + bytes(size),
    "ec message": lambda size: spoiled(SMessage(*EC).wrap(bytes(size))),
    "rsa message": lambda size: spoiled(SMessage(*RSA).wrap(bytes(size))),
    "ec signed": lambda size: with_u32(ssign(EC[0], bytes(size)), 12, 1),
    "rsa signed": lambda size: with_u32(ssign(RSA[0], bytes(size)), 12, 1),
    "key": lambda size: boxed_zeros(b"REC2", size),
    "rsa key": lambda size: boxed_zeros(b"RRA3", size),
    "public key": lambda size: boxed_zeros(b"UEC2", size),
    "rsa public key": lambda size: boxed_zeros(b"URA3", size),
    "identity": lambda size: boxed_zeros(b"REC2", size),
    "peer key": lambda size: boxed_zeros(b"UEC2", size),
    "der": der,
    "pem": pem,
    "claimed peer": lambda size: spoiled(request_of(size)),
    "session message 1": request_of,
}
large_kinds = pytest.mark.parametrize("name", WELL_FORMED)


def seconds(read, data, times=3):
    """Give the processor time that reading takes, the least of some."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        with contextlib.suppress(ThemisError):
            read(data)
        spent.append(time.process_time() - start)
    return min(spent)


def is_dear(read, data, bound):
    """Tell whether reading takes longer than this, and not by accident."""
    return seconds(read, data, 1) > bound and seconds(read, data) > bound


@pytest.mark.limited
@everything
def test_lengths_that_lie_cost_nothing(name):
    """Any four bytes may claim gigabytes, in either byte order: the answer comes at once."""
    read, honest = READERS[name]
    for at in range(min(len(honest) - 3, 96)):
        if name.startswith("passphrase") and 45 <= at < 52:
            continue  # the iterations, which have a bound of their own
        for value in LARGE:
            for changed in (with_u32(honest, at, value), with_u32(honest, at, value & 0xFFFF)):
                assert not is_dear(read, changed, 0.3), (at, value)


@everything
def test_time_is_linear(name):
    """Sixteen times the bytes take no more than about sixteen times the time."""
    read, honest = READERS[name]
    small, large = (honest + b"\xa5" * (size * MIB) for size in (1, 16))
    assert seconds(read, large) < 40 * seconds(read, small) + 0.05


@large_kinds
def test_time_is_linear_in_what_is_well_formed(name):
    """The same where nothing is wrong before the last byte, or with a key, or with a name."""
    read, make = READERS[name][0], WELL_FORMED[name]
    small, large = (make(size * MIB) for size in (1, 16))
    with pytest.raises(ThemisError):
        read(small)
    assert seconds(read, large) < 40 * seconds(read, small) + 0.05


# ---- Memory ----


def hostile_main():
    """Be the process with a limit: read large hostile input, of which there is one copy."""
    import resource

    size = 32 * MIB
    name = sys.argv[2]
    read, honest = READERS[name]
    kept = [honest + bytes(size), honest[:20] + b"\xff" * size, bytearray(b"\x30" * size)]
    if name in WELL_FORMED:
        kept.append(WELL_FORMED[name](size))
    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: PTH123, SIM115
    allowed = pages * os.sysconf("SC_PAGESIZE") + int(float(sys.argv[3]) * size)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    for data in kept:
        with contextlib.suppress(ThemisError):
            read(data)
        gc.collect()  # PyPy gives nothing back before it collects
    print("bounded")


# Without a GIL Python allocates through mimalloc, which has reserved address space beforehand, so
# that a limit on what is added limits nothing.
limits_hold = pytest.mark.skipif(
    sys.platform != "linux" or bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    reason="address space is limited as on Linux, and where Python has none in reserve",
)


def limited(name, times):
    """Run hostile_main for one reader with room for so many times its input."""
    command = [sys.executable, __file__, "hostile", name, str(times)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "MALLOC_ARENA_MAX": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


@pytest.mark.limited
@limits_hold
@everything
def test_memory_is_a_small_multiple(name):
    """With room for three times its input and no more, everything reads or refuses it.

    PyPy moves its objects: what C reads and writes is copied, which takes six times.
    """
    ran = limited(name, 3 if sys.implementation.name == "cpython" else 6)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "bounded\n"


@pytest.mark.limited
@limits_hold
def test_the_limit_is_a_limit():
    """The judge is judged: with room for half of its result, a cell cannot be read."""
    ran = limited("seal", 0.5)
    assert ran.returncode != 0
    assert "MemoryError" in ran.stderr


# ---- Iterations ----


@pytest.mark.parametrize("iterations", [5_000_001, 10**9, 2**31 - 1, 2**31, 2**32 - 1, 0])
@pytest.mark.parametrize("name", ["passphrase", "passphrase into", "passphrase list"])
def test_iterations_beyond_the_bound_cost_nothing(name, iterations):
    """A cell that asks for more work than its reader allows is refused before any of it."""
    read = READERS[name][0]
    sealed = passphrase_header(iterations) + b"x"
    with pytest.raises(SecureCellError):
        read(sealed)
    assert not is_dear(read, sealed, 0.05)


# ---- Threads ----


def counted_threads(monkeypatch, most):
    """Let every message be a part; give the list of threads started, of which there may be most."""
    started = []

    class Counted(threading.Thread):
        def start(self):
            if len(started) == most:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    monkeypatch.setattr(workers, "Thread", Counted)
    monkeypatch.setattr(cell_lists, "_PART_COUNT", 1)
    return started


def test_a_caller_who_wants_a_million_threads(monkeypatch):
    """No more are started than any machine has use for, nor more than there is work for."""
    started = counted_threads(monkeypatch, 10**6)
    assert (
        IMPRINT.decrypt_many([b"m"] * 5, b"c", threads=10**6) == [IMPRINT.encrypt(b"m", b"c")] * 5
    )
    assert len(started) == 4
    started.clear()
    IMPRINT.decrypt_many([b"m"] * 3000, b"c", threads=10**6)
    assert 0 < len(started) <= max(64, os.cpu_count())


@pytest.mark.parametrize("most", [0, 1, 7])
def test_a_system_that_gives_no_more_threads(monkeypatch, most):
    """The work is done by those there are."""
    started = counted_threads(monkeypatch, most)
    made = IMPRINT.decrypt_many([b"m"] * 3000, b"c", threads=10)
    assert made == [IMPRINT.encrypt(b"m", b"c")] * 3000
    assert len(started) == most


def test_a_container_that_claims_more_than_there_is():
    """Nested sizes beyond their container are refused at once."""
    for size in LARGE:
        inner = b"TSID" + struct.pack(">I", size) + bytes(4) + b"id"
        _, server = parties()
        assert seconds(server.unwrap, boxed(b"TSPM", inner)) < 0.05


if __name__ == "__main__" and sys.argv[1:2] == ["hostile"]:
    hostile_main()
