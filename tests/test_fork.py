# SPDX-License-Identifier: Apache-2.0
"""Processes that fork: no two of them ever draw the same random bytes."""

import contextlib
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import sys
import threading

import pytest
from _cells import FEWER
from _forks import Child, beside_threads, forking, in_pieces, repeated
from _keys import generated, payload_of
from _project import ROOT
from _sessions import CLIENT, CODES, established, key_pair, parties, parts_of, refused

from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator, SecureComparatorValueError
from pythemis.skeygen import GenerateKeyPair, GenerateSymmetricKey, from_pem, to_pem
from pythemis.smessage import SecureSigner, SMessage, ssign
from pythemis.ssession import SecureSessionValueError, SSession
from pythemis.stransport import SocketTransport, frame

pytestmark = forking

NONCE = 12
ROUNDS = max(4, 112 // FEWER)
DRAWN = max(10, 300 // FEWER)
THREADS = 4
CELL = SCellSeal(b"k" * 32)


def nonces(count):
    """Encrypt, and give the nonces joined."""
    return b"".join(CELL.encrypt(b"m")[16:28] for _ in range(count))


def family(draw, count):
    """Draw in a process, a child of it, and a grandchild, each before and after it forks."""
    drawn = draw(count)
    child = Child(lambda: draw(count) + Child(lambda: draw(count)).result() + draw(count))
    return drawn + draw(count) + child.result() + draw(count)


# ---- In the middle of a stream ----


def test_no_nonce_repeats_in_a_stream_that_is_forked():
    """Forks at every point of a stream: 10^5 nonces of three generations, no two alike."""
    stream, count = b"", 0
    for at in range(ROUNDS):
        stream += nonces(1 + at % 50)  # what was drawn beforehand may be used up, or not
        child = Child(lambda: nonces(DRAWN) + Child(lambda: nonces(DRAWN)).result() + nonces(DRAWN))
        stream += nonces(DRAWN // 10) + child.result()
        count += 1 + at % 50 + DRAWN // 10 + 3 * DRAWN
    assert len(stream) == NONCE * count
    assert count > 100_000 // FEWER
    assert repeated(stream, NONCE) == 0


def test_the_judge_sees_what_repeats():
    """A generator that does not know of forks gives every process the same."""
    numbers = random.Random(1)
    assert repeated(family(lambda count: numbers.randbytes(NONCE * count), 10), NONCE) == 30


@pytest.mark.usefixtures("_switching")
@beside_threads
def test_no_nonce_repeats_among_threads_that_fork():
    """Each of several threads forks; children have threads that fork again.

    Nobody forks while another thread draws for its first time: then OpenSSL may hold a lock, and
    the child would wait for it forever (docs/hardening.md).
    """
    barrier = threading.Barrier(THREADS)

    def in_threads(work):
        results, threads = [], []
        for number in range(THREADS):
            thread = threading.Thread(target=lambda n=number: results.append(work(n)))
            threads.append(thread)
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == THREADS
        return b"".join(results)

    def draw(_number):
        return nonces(DRAWN)

    def draw_and_fork(_number):
        early = nonces(DRAWN)
        barrier.wait(60)
        child = Child(lambda: nonces(DRAWN) + in_threads(draw))
        late = nonces(DRAWN)
        barrier.wait(60)
        return early + child.result() + late

    drawn = b""
    for _ in range(max(1, 6 // FEWER)):
        drawn += nonces(DRAWN) + in_threads(draw_and_fork) + nonces(DRAWN)
        child = Child(lambda: in_threads(draw_and_fork) + nonces(DRAWN))
        drawn += in_threads(draw) + child.result()
    each = 2 + THREADS * (3 + THREADS) + THREADS + THREADS * (3 + THREADS) + 1
    assert len(drawn) == max(1, 6 // FEWER) * each * DRAWN * NONCE
    assert repeated(drawn, NONCE) == 0


def pool_nonces(count):
    """Be a worker of a pool."""
    return nonces(count)


def test_no_nonce_repeats_among_workers_of_multiprocessing():
    """Pools of processes that multiprocessing forks draw as they should."""
    drawn = nonces(DRAWN)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        drawn += b"".join(pool.map(pool_nonces, [DRAWN] * 16, chunksize=1))
    drawn += nonces(DRAWN)
    assert len(drawn) == NONCE * DRAWN * 18
    assert repeated(drawn, NONCE) == 0


# ---- Systems that do not tell ----

NAMESPACES = """
import ctypes, os, sys
from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SecureSigner
from _forks import Child, repeated
unshare = ctypes.CDLL(None).unshare
NEW_PROCESS_NUMBERS = 0x20000000
cell = SCellSeal(b"k")
by_kind = {kind: SecureSigner(GenerateKeyPair(kind).export_private_key()) for kind in ("EC", "RSA")}

def sign():
    ec, rsa = (by_kind[kind].sign(b"the same") for kind in ("EC", "RSA"))
    return bytes([os.getpid()]) + ec[20 + 6 : 20 + 30] + rsa[20 + 6 : 20 + 30]

def draw():
    nonces = b"".join(cell.encrypt(b"m")[16:28] for _ in range(60))
    keys = GenerateSymmetricKey()[:24] + GenerateKeyPair("EC").export_private_key()[-24:]
    return bytes([os.getpid()]) + nonces + keys

work = {"draw": draw, "sign": sign}[sys.argv[1]]

def first():
    assert unshare(NEW_PROCESS_NUMBERS) == 0
    before = work()
    child = Child(work)
    return before + work() + child.result()

if unshare(NEW_PROCESS_NUMBERS) != 0:
    print("refused")
else:
    given = Child(first).result()
    size = len(given) // 3
    parts = [given[at : at + size] for at in range(0, len(given), size)]
    assert {part[0] for part in parts} == {1}, parts
    print(repeated(b"".join(part[1:] for part in parts), 12))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces of Linux")
@pytest.mark.parametrize("work", ["draw", "sign"])
def test_nothing_repeats_in_a_child_with_the_number_of_its_parent(work):
    """OpenSSL tells a child by its process number; in a new namespace both can be number 1."""
    ran = subprocess.run(
        [sys.executable, "-c", NAMESPACES, work],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.stdout.split() == ["refused"]:
        pytest.skip("only root may make namespaces here")
    assert (ran.returncode, ran.stdout.split()) == (0, ["0"]), ran.stderr


WITHOUT_WIPED_PAGES = """
import ctypes
from pythemis.scell import SCellSeal
from _forks import Child, repeated
cell = SCellSeal(b"k")
draw = lambda: b"".join(cell.encrypt(b"m")[16:28] for _ in range(50))
drawn = draw()
child = Child(draw)
print(repeated(drawn + draw() + child.result(), 12))
print(ctypes.c_int.in_dll(ctypes.CDLL(None), "advices").value > 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="madvise of Linux is replaced")
@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.parametrize("answer", [0, -1])
def test_no_nonce_repeats_where_no_page_is_wiped(answer, tmp_path):
    """A system may refuse to wipe pages in children, or say that it does and not do it (qemu)."""
    shim = tmp_path / "lying_madvise.so"
    source = ROOT / "tests" / "lying_madvise.c"
    command = ["cc", "-shared", "-fPIC", f"-DANSWER={answer}", "-o", shim, source]
    subprocess.run(command, check=True)
    preloaded = " ".join([*os.environ.get("LD_PRELOAD", "").split(), str(shim)])
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_WIPED_PAGES],
        env={**os.environ, "LD_PRELOAD": preloaded, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.split()) == (0, ["0", "True"]), ran.stderr


# ---- All that is drawn ----

EC, OTHER = generated("EC"), GenerateKeyPair("EC")
MESSAGES = SMessage(EC[0], OTHER.export_public_key())
RSA = generated("RSA")
RSA_MESSAGES = SMessage(*RSA)
SIGNER = SecureSigner(EC[0])
TOKENS = SCellTokenProtect(b"k" * 32)


def signature_point(signed):
    """Give the random point of an ECDSA signature: 30 len 02 len r..."""
    signature = signed[12 + len(b"the same") :]
    return int.from_bytes(signature[4 : 4 + signature[3]], "big").to_bytes(32, "big")


def connect_request():
    """Give the ephemeral key of a new session."""
    return payload_of(parts_of(parties()[0].connect_request())[1])


DRAWS = {
    "token": (12, lambda: TOKENS.encrypt(b"the same")[1][12:24]),
    "ec message": (12, lambda: MESSAGES.wrap(b"the same")[24:36]),
    "rsa message": (256, lambda: RSA_MESSAGES.wrap(b"the same")[12:268]),
    "symmetric key": (32, GenerateSymmetricKey),
    "ec key": (32, lambda: payload_of(GenerateKeyPair("EC").export_private_key())[1:]),
    "ec signature": (32, lambda: signature_point(SIGNER.sign(b"the same"))),
    "ephemeral key": (33, connect_request),
}


@pytest.mark.parametrize("name", DRAWS)
def test_whatever_is_drawn_differs_in_every_process(name):
    """Nonces, keys, and what makes a signature, in parent, child and grandchild."""
    size, draw = DRAWS[name]
    count = max(2, 50 // FEWER)
    drawn = family(lambda times: b"".join(draw() for _ in range(times)), count)
    assert len(in_pieces(drawn, size)) == 6 * count
    assert repeated(drawn, size) == 0


def test_salts_differ():
    """The salt and the nonce of passphrase cells, which take longer."""
    cell = SCellSeal(passphrase="secret")

    def draw(count):
        made = [cell.encrypt(b"m") for _ in range(count)]
        return b"".join(one[20:32] for one in made) + b"".join(one[54:66] for one in made)

    assert repeated(family(draw, 1), NONCE) == 0


# ---- Locks ----


def in_a_thread():
    """Draw in a thread that then ends, and gives its generators back."""
    thread = threading.Thread(target=GenerateSymmetricKey)
    thread.start()
    thread.join()


FORKS = 300 if sys.implementation.name == "cpython" else 30  # each takes PyPy a second
LOCKING = {
    "random bytes": lambda: SCellSeal(GenerateSymmetricKey()).encrypt(b"m"),
    "rsa keys": lambda: SMessage(*RSA),
    "ec keys": lambda: ssign(EC[0], b"m"),
    "pem": lambda: from_pem(to_pem(EC[0])),
    "threads that end": in_a_thread,
}


@pytest.mark.slow
@pytest.mark.evidence
@beside_threads
@pytest.mark.parametrize("work", LOCKING.values(), ids=LOCKING)
def test_no_child_waits_for_a_lock_that_a_thread_of_its_parent_held(work):
    """Forks wait until no thread is where OpenSSL takes locks.

    Of children forked while others drew random bytes 1 in 70 hung; while they prepared keys, with
    OpenSSL 3.0, 1 in 150.
    """
    ended = threading.Event()

    def loop():
        while not ended.is_set():
            work()

    def once():
        work()
        return b"done"

    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(max(5, FORKS // FEWER)):
            assert Child(once).result() == b"done"
    finally:
        ended.set()
        for thread in threads:
            thread.join()


# ---- Objects that change ----


def test_a_session_in_both_processes_repeats_no_nonce():
    """Both write the same numbers, so one alone is to go on; but nothing becomes readable."""
    client, server = established(reject_duplicates=True)
    texts = [b"%d" % at for at in range(DRAWN)]
    child = Child(lambda: b"".join(client.wrap(text.ljust(8)) for text in texts))
    ours = [client.wrap(text.ljust(8)) for text in texts]
    theirs = in_pieces(child.result(), 8 + 52)
    assert len({message[4:16] for message in ours + theirs}) == 2 * DRAWN
    # The peer reads each number once, whoever's message comes first.
    assert [server.unwrap(message) for message in ours] == [text.ljust(8) for text in texts]
    for message in theirs:
        with pytest.raises(Exception, match="the message was read before"):
            server.unwrap(message)


def blocks(message):
    """Give the 32-byte values in a message of a comparison."""
    return set(in_pieces(message, 32))


def test_a_comparison_that_is_forked_shows_nothing():
    """Both processes answer the same message with values of which no two are alike.

    Two proofs made with one random number would give the secret away.
    """
    alice, bob = SComparator(b"secret"), SComparator(b"secret")
    first = alice.begin_compare()
    child = Child(lambda: bob.proceed_compare(first))
    second = bob.proceed_compare(first)
    assert not blocks(second) & blocks(child.result())
    child = Child(lambda: alice.proceed_compare(second))
    third = alice.proceed_compare(second)
    assert not blocks(third) & blocks(child.result())
    child = Child(lambda: bob.proceed_compare(third))
    fourth = bob.proceed_compare(third)
    theirs = child.result()
    # The first value is no proof: it is made of secrets from before the fork alone.
    assert fourth[:32] == theirs[:32]
    assert not blocks(fourth[32:]) & blocks(theirs[32:])
    assert alice.proceed_compare(fourth) == b""
    assert alice.is_equal()
    assert bob.is_equal()


# ---- Locks that threads of the parent hold ----


@contextlib.contextmanager
def held(lock):
    """Let another thread hold a lock meanwhile."""
    holding, enough = threading.Event(), threading.Event()

    def hold():
        with lock:
            holding.set()
            enough.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(60)
    try:
        yield
    finally:
        enough.set()
        thread.join()


def test_a_session_that_a_thread_was_inside_of_is_closed_in_the_child():
    """What the thread left there is in no state to be used; the parent goes on."""
    client, server = established()

    def work():
        with refused(CODES.INVALID_PARAMETER, "is closed", kind=SecureSessionValueError):
            client.wrap(b"m")
        return b"refused"

    with held(client._held.lock):
        assert Child(work).result() == b"refused"
    assert server.unwrap(client.wrap(b"m")) == b"m"


def test_a_comparison_that_a_thread_was_inside_of_is_closed_in_the_child():
    """The child does not wait for the thread; the parent goes on."""
    alice, bob = SComparator(b"secret"), SComparator(b"secret")

    def work():
        with refused(CODES.INVALID_PARAMETER, "is closed", kind=SecureComparatorValueError):
            alice.result()
        return b"refused"

    with held(alice._held.lock):
        assert Child(work).result() == b"refused"
    message = alice.proceed_compare(bob.proceed_compare(alice.begin_compare()))
    alice.proceed_compare(bob.proceed_compare(message))
    assert alice.is_equal()


def test_a_comparison_goes_on_in_a_child():
    """If no thread was inside of it, it does not end with a fork."""
    alice, bob = SComparator(b"secret"), SComparator(b"secret")
    second = bob.proceed_compare(alice.begin_compare())
    assert len(Child(lambda: alice.proceed_compare(second)).result()) == 256


@pytest.mark.parametrize("name", ["_receiving", "_sending"])
def test_a_child_uses_a_socket_that_a_thread_of_its_parent_used(name):
    """A thread that was receiving or sending does not exist in the child."""
    ours, theirs = socket.socketpair()
    with SocketTransport(ours, {}, timeout=30) as transport, theirs:
        theirs.sendall(frame(b"question"))

        def work():
            received = transport.receive()
            transport.send(b"answer")
            return received

        with held(getattr(transport, name)):
            assert Child(work).result() == b"question"
        assert theirs.recv(100) == frame(b"answer")


class Equal(SSession):
    """A session that is equal to others, and so has no hash."""

    def __eq__(self, other):
        return isinstance(other, Equal)


class EqualWithHash(Equal):
    """A session that is equal to others, with their hash."""

    def __hash__(self):
        return 1


@pytest.mark.parametrize("kind", [Equal, EqualWithHash])
def test_sessions_that_are_equal_are_each_told_of_a_fork(kind):
    """A subclass may compare its objects as it likes."""
    sessions = [kind(CLIENT, key_pair("p256")[0], None) for _ in range(2)]
    with held(sessions[0]._held.lock), held(sessions[1]._held.lock):
        child = Child(lambda: b" ".join(one.state.name.encode() for one in sessions))
        assert child.result() == b"CLOSED CLOSED"
    assert [one.state.name for one in sessions] == ["IDLE", "IDLE"]
