# SPDX-License-Identifier: Apache-2.0
"""Where prepared keys are in memory: with a libcrypto of our own, locked and in no core dump."""

import os
import struct
import sys

import pytest

from pythemis._core.buffers import lib
from pythemis.skeygen import GenerateKeyPair
from support.programs import said_by
from support.watched import Watched

IS_PRIVATE = bool(lib.themis_is_static())
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="memory is locked and left out of dumps on Linux"
)

# It reads its keys into guarded memory, and has nothing of them but prepared objects and those.
PROGRAM = """\
import resource, sys
from pythemis.keyring import SecretKey
from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateKeyPair
from pythemis.smessage import SecureSigner
from pythemis.ssession import SimpleMemoryTransport, SSession
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
if len(sys.argv) > 1:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
key, ec, rsa = (SecretKey.from_file(name, encoding="raw") for name in ("key", "ec", "rsa"))
words = SecretKey.from_file("words", encoding="raw")
cell, phrase = SCellSeal(key), SCellSeal(passphrase=words)
assert cell.decrypt(cell.encrypt(b"message")) == b"message"
signers = [SecureSigner(ec), SecureSigner(rsa)]
for signer in signers:
    signer.sign(b"message")
peer = GenerateKeyPair("EC").export_public_key()
session = SSession(b"id", ec, SimpleMemoryTransport(b"other", peer))
session.connect_request()
print("READY", flush=True)
sys.stdin.readline()
"""


def primes(count):
    """Give the first primes."""
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def fraction(number, root):
    """Give the first 32 bits of the fraction of a root, exactly."""
    scaled, low, high = number << 32 * root, 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= scaled else (low, middle)
    return low & 0xFFFFFFFF


def sha256_state(block):
    """Give the state of SHA-256 after one block: what a prepared HMAC key consists of."""
    constants = [fraction(prime, 3) for prime in primes(64)]
    start = [fraction(prime, 2) for prime in primes(8)]
    w = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3
        s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10
        w.append((w[i - 16] + s0 + w[i - 7] + s1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = start
    for constant, word in zip(constants, w, strict=True):
        s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
        first = (h + s1 + (e & f ^ ~e & g) + constant + word) & 0xFFFFFFFF
        s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
        second = (s0 + (a & b ^ a & c ^ b & c)) & 0xFFFFFFFF
        a, b, c, d, e, f, g, h = (first + second) & 0xFFFFFFFF, a, b, c, d + first, e, f, g
        e &= 0xFFFFFFFF
    return [(x + y) & 0xFFFFFFFF for x, y in zip(start, (a, b, c, d, e, f, g, h), strict=True)]


def turn(word, bits):
    """Rotate a word to the right."""
    return (word >> bits | word << 32 - bits) & 0xFFFFFFFF


def needles(folder):
    """Write the keys, and give what a prepared one contains, by a name."""
    key, words = os.urandom(32), os.urandom(40).hex().encode()
    ec = GenerateKeyPair("EC").export_private_key()
    rsa = GenerateKeyPair("RSA").export_private_key()
    for name, content in {"key": key, "words": words, "ec": ec, "rsa": rsa}.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    made = {"HMAC key": key, "passphrase": words, "EC key": ec[13:45], "RSA key": rsa[300:364]}
    for name, pad in (("HMAC, inner state", 0x36), ("HMAC, outer state", 0x5C)):
        block = bytes(byte ^ pad for byte in key.ljust(64, b"\0"))
        made[name] = struct.pack("=8I", *sha256_state(block))
    for name, number in {"EC number": ec[13:45], "RSA prime": rsa[268:396]}.items():
        made[name] = number[::-1]  # as OpenSSL keeps numbers on machines with the low byte first
    return made


def found(program, made):
    """Give the flags of all mappings with each needle, or with a half of it."""
    seen = {name: [] for name in made}
    for _, flags, data in program.mappings():
        for name, needle in made.items():
            if needle[:16] in data or needle[-16:] in data:
                seen[name].append(flags)
    return seen


def test_the_state_is_that_of_sha256():
    """The needles are right: a state after the only block is the hash of a short message."""
    block = b"abc\x80" + bytes(59) + bytes([24])
    digest = struct.pack(">8I", *sha256_state(block))
    assert digest.hex().startswith("ba7816bf8f01cfea414140de5dae2223")


PREPARED = {"HMAC, inner state", "HMAC, outer state", "EC number", "RSA prime", "passphrase"}


@pytest.mark.skipif(not IS_PRIVATE, reason="a libcrypto that others share has its own memory")
def test_prepared_keys_are_locked_and_in_no_core_dump(tmp_path):
    """All memory with a piece of a key, or of what is prepared of it, is left out of dumps."""
    made = needles(tmp_path)
    with Watched(tmp_path, PROGRAM) as program:
        seen = found(program, made)
        assert {name for name in PREPARED if not seen[name]} == set()
        assert [name for name, maps in seen.items() if any("dd" not in it for it in maps)] == []
        assert [name for name, maps in seen.items() if any("lo" not in it for it in maps)] == []
        dump = program.dump()
        assert [name for name in made if made[name][:16] in dump or made[name][-16:] in dump] == []


@pytest.mark.skipif(not IS_PRIVATE, reason="a libcrypto that others share has its own memory")
def test_without_a_right_to_lock_it_works(tmp_path):
    """Where nothing may be locked, prepared keys are still left out of core dumps."""
    made = needles(tmp_path)
    with Watched(tmp_path, PROGRAM, "no locks") as program:
        seen = found(program, made)
        assert {name for name in PREPARED if not seen[name]} == set()
        assert [name for name, maps in seen.items() if any("dd" not in it for it in maps)] == []


@pytest.mark.skipif(IS_PRIVATE, reason="here they are in locked memory")
def test_the_search_finds_prepared_keys_elsewhere(tmp_path):
    """The control: in memory of a shared libcrypto each is found, and in a core dump."""
    made = needles(tmp_path)
    with Watched(tmp_path, PROGRAM) as program:
        seen = found(program, made)
        wanted = {name for name in PREPARED if any("dd" not in it for it in seen[name])}
        assert wanted == PREPARED
        dump = program.dump()
        assert all(made[name] in dump for name in PREPARED)


MANY = """\
from pythemis.scell import SCellSeal
cells = [SCellSeal(str(i).encode()) for i in range(150_000)]
used = kept = 0  # KiB of the mappings that are left out of dumps
with open("/proc/self/smaps") as lines:
    for name, *values in map(str.split, lines):
        used = int(values[0]) if name == "Rss:" else used
        kept += used if name == "VmFlags:" and "dd" in values else 0
assert kept > 65_000, kept  # of 65,536: there is no room for more
for cell in (cells[0], cells[75_000], cells[-1]):
    assert cell.decrypt(cell.encrypt(b"x")) == b"x"
"""


@pytest.mark.skipif(not IS_PRIVATE, reason="a libcrypto that others share has its own memory")
def test_more_than_there_is_room_for_is_no_failure():
    """When the region is full, blocks are ordinary memory; all objects work."""
    said_by(MANY)


FORKS = """\
import os, threading
from pythemis.scell import SCellSeal
stop = False
def work():
    while not stop:
        SCellSeal(b"key").encrypt(b"x")
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(100):
    child = os.fork()
    if child == 0:
        SCellSeal(b"key").encrypt(b"x")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop = True
for thread in threads:
    thread.join()
print("ok")
"""


@pytest.mark.skipif(not IS_PRIVATE, reason="a libcrypto that others share has its own memory")
def test_forks_beside_threads_do_not_hang():
    """A child that is forked while another thread takes a block can take blocks itself."""
    assert said_by(FORKS).strip().endswith("ok")
