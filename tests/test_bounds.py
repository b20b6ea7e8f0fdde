# SPDX-License-Identifier: Apache-2.0
"""What hostile input may cost: memory and time are linear in its length."""

import contextlib
import os
import struct
import subprocess
import sys
import time

import pytest
from _cells import with_u32
from _keys import generated
from _project import ROOT
from _sessions import established, parties
from test_primitives import boxed

from pythemis.exception import ThemisError
from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import from_der, from_pem, key_kind, to_der, to_pem
from pythemis.smessage import SecureVerifier, SMessage, ssign

pytestmark = pytest.mark.timing

LARGE = [0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF]
MIB = 1 << 20
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


def readers():
    """Give everything that reads bytes from outside, with an honest example for each."""
    session, peer = established()
    messages = [SMessage(*EC), SMessage(*RSA)]
    yield "seal", CELL.decrypt, CELL.encrypt(b"m" * 100)
    encrypted, token = TOKENS.encrypt(b"m" * 100)
    yield "token", lambda data: TOKENS.decrypt(encrypted, data), token
    yield "passphrase", BY_PASSPHRASE.decrypt, passphrase_header() + b"x"
    yield "ec message", messages[0].unwrap, messages[0].wrap(b"m" * 100)
    yield "rsa message", messages[1].unwrap, messages[1].wrap(b"m" * 100)
    yield "ec signed", SecureVerifier(EC[1]).verify, ssign(EC[0], b"m" * 100)
    yield "rsa signed", SecureVerifier(RSA[1]).verify, ssign(RSA[0], b"m" * 100)
    yield "key", lambda data: (key_kind(data), SMessage(data, EC[1])), EC[0]
    yield "rsa key", lambda data: SMessage(data, RSA[1]), RSA[0]
    yield "der", from_der, to_der(RSA[0])
    yield "pem", from_pem, to_pem(RSA[0])
    yield "session data", session.unwrap, peer.wrap(b"m" * 100)
    yield "session request", lambda data: parties()[1].unwrap(data), parties()[0].connect_request()
    yield "comparator", lambda data: SComparator(b"x").proceed_compare(data), bytes(192)


READERS = {name: (read, honest) for name, read, honest in readers()}
everything = pytest.mark.parametrize("name", READERS)


def seconds(read, data):
    """Give the processor time that reading takes, the least of three."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(ThemisError):
            read(data)
        spent.append(time.process_time() - start)
    return min(spent)


@everything
def test_lengths_that_lie_cost_nothing(name):
    """Any four bytes may claim gigabytes, in either byte order: the answer comes at once."""
    read, honest = READERS[name]
    for at in range(min(len(honest) - 3, 96)):
        if name == "passphrase" and 45 <= at < 52:
            continue  # the iterations, which have a bound of their own
        for value in LARGE:
            for changed in (with_u32(honest, at, value), with_u32(honest, at, value & 0xFFFF)):
                assert seconds(read, changed) < 0.3, (at, value)


@everything
def test_time_is_linear(name):
    """Sixteen times the bytes take no more than about sixteen times the time."""
    read, honest = READERS[name]
    small, large = (honest + b"\xa5" * (size * MIB) for size in (1, 16))
    assert seconds(read, large) < 40 * seconds(read, small) + 0.05


# ---- Memory ----


def hostile_main():
    """Be the process with a limit: read large hostile input, of which there is one copy."""
    import resource

    size = 32 * MIB
    kept = {
        name: [honest + bytes(size), honest[:20] + b"\xff" * size, bytearray(b"\x30" * size)]
        for name, (_, honest) in READERS.items()
        if name == sys.argv[2]
    }
    pages = int(open("/proc/self/statm").read().split()[0])  # noqa: PTH123, SIM115
    allowed = pages * os.sysconf("SC_PAGESIZE") + int(float(sys.argv[3]) * size)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    for name, inputs in kept.items():
        for data in inputs:
            with contextlib.suppress(ThemisError):
                READERS[name][0](data)
    print("bounded")


def limited(name, times):
    """Run hostile_main for one reader with room for so many times its input."""
    command = [sys.executable, __file__, "hostile", name, str(times)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "MALLOC_ARENA_MAX": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as on Linux")
@everything
def test_memory_is_a_small_multiple(name):
    """With room for three times its input and no more, everything reads or refuses it."""
    ran = limited(name, 3)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == "bounded\n"


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as on Linux")
def test_the_limit_is_a_limit():
    """The judge is judged: with room for half of its result, a cell cannot be read."""
    ran = limited("seal", 0.5)
    assert ran.returncode != 0
    assert "MemoryError" in ran.stderr


# ---- Iterations ----


@pytest.mark.parametrize("iterations", [5_000_001, 10**9, 2**31 - 1, 2**31, 2**32 - 1, 0])
def test_iterations_beyond_the_bound_cost_nothing(iterations):
    """A cell that asks for more work than its reader allows is refused before any of it."""
    assert seconds(BY_PASSPHRASE.decrypt, passphrase_header(iterations) + b"x") < 0.05


def test_a_container_that_claims_more_than_there_is():
    """Nested sizes beyond their container are refused at once."""
    for size in LARGE:
        inner = b"TSID" + struct.pack(">I", size) + bytes(4) + b"id"
        _, server = parties()
        assert seconds(server.unwrap, boxed(b"TSPM", inner)) < 0.05


if __name__ == "__main__" and sys.argv[1:2] == ["hostile"]:
    hostile_main()
