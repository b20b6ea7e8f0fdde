# SPDX-License-Identifier: Apache-2.0
"""Processes that fork: no two of them ever draw the same random bytes."""

import contextlib
import json
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import threading

import pytest

from pythemis.scell import SCellSeal
from pythemis.scomparator import SComparator, SecureComparatorValueError
from pythemis.skeygen import GenerateSymmetricKey, from_pem, to_pem
from pythemis.smessage import SMessage, ssign, sverify
from pythemis.ssession import SecureSessionValueError, SSession
from pythemis.stransport import SocketTransport, frame
from support.cells import FEWER
from support.draws import CELL, DRAWS, EC, RSA, draw_of
from support.forks import Child, beside_threads, clones, forking, in_pieces, raw_clone, repeated
from support.project import ROOT
from support.sessions import CLIENT, CODES, established, key_pair, refused

pytestmark = forking

NONCE = 12
ROUNDS = max(4, 112 // FEWER)
DRAWN = max(10, 300 // FEWER)
THREADS = 4


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
    the child would wait for it forever (docs/guide/threads-and-forks.md).
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


# ---- All that is drawn ----


@pytest.mark.parametrize("name", DRAWS, ids=str)
def test_whatever_is_drawn_differs_in_every_process(name):
    """Nonces, keys, salts, and what makes a signature, in parent, child and grandchild."""
    size, _, times = DRAWS[name]
    found = family(lambda count: draw_of(name, count), times)
    assert len(in_pieces(found, size)) >= 6 * times
    assert repeated(found, size) == 0


# ---- Children that cannot be told from their parent ----

NAMESPACES = """
import ctypes, json, os, sys
from support.draws import DRAWS, draw_of
from support.forks import Child, raw_clone
unshare = ctypes.CDLL(None).unshare
NEW_PROCESS_NUMBERS = 0x20000000
fork = {"fork": os.fork, "raw clone": raw_clone}[sys.argv[1]]

def work():
    return json.dumps([os.getpid(), {name: draw_of(name, 1).hex() for name in DRAWS}]).encode()

def first():
    assert unshare(NEW_PROCESS_NUMBERS) == 0
    before = work()
    child = Child(work, fork)
    return b"\\n".join([before, work(), child.result()])

if unshare(NEW_PROCESS_NUMBERS) != 0:
    print("refused")
else:
    print(Child(first).result().decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces of Linux")
@pytest.mark.parametrize("fork", ["fork", pytest.param("raw clone", marks=clones)])
def test_nothing_repeats_in_a_child_with_the_number_of_its_parent(fork):
    """In namespaces both can be number 1, and after a raw clone nothing tells them apart."""
    ran = subprocess.run(
        [sys.executable, "-c", NAMESPACES, fork],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.stdout.split() == ["refused"]:
        pytest.skip("only root may make namespaces here")
    assert ran.returncode == 0, ran.stderr
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [number for number, _ in told] == [1, 1, 1]
    for name in DRAWS:
        found = b"".join(bytes.fromhex(by_name[name]) for _, by_name in told)
        assert repeated(found, DRAWS[name].size) == 0, name


@clones
@pytest.mark.skipif(sys.platform != "linux", reason="clone of Linux")
def test_nothing_repeats_after_a_raw_clone():
    """No handler of the C library runs there, and what was drawn ahead is in both processes."""
    early = nonces(1)
    try:
        child = Child(lambda: nonces(DRAWN), raw_clone)
    except OSError as refused_clone:
        pytest.skip(str(refused_clone))
    assert repeated(early + nonces(DRAWN) + child.result(), NONCE) == 0


# ---- Locks ----


def in_a_thread(work):
    """Give what does some work in a thread of its own, which OpenSSL lists as long as it lives."""

    def run():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    return run


SIGNED = ssign(EC[0], b"m")
FORKS = 300 if sys.implementation.name == "cpython" else 30  # each takes PyPy a second
LOCKING = {
    "random bytes": lambda: SCellSeal(GenerateSymmetricKey()).encrypt(b"m"),
    "rsa keys": lambda: SMessage(*RSA),
    "ec keys": lambda: ssign(EC[0], b"m"),
    "pem": lambda: from_pem(to_pem(EC[0])),
    "threads that draw": in_a_thread(GenerateSymmetricKey),
    "threads that verify": in_a_thread(lambda: sverify(EC[1], SIGNED)),
}


@pytest.mark.slow
@pytest.mark.evidence
@beside_threads
@pytest.mark.parametrize("work", LOCKING.values(), ids=LOCKING)
def test_no_child_waits_for_a_lock_that_a_thread_of_its_parent_held(work):
    """Forks wait until no thread is where OpenSSL takes locks.

    Of children forked while others drew random bytes 1 in 70 hung; while they prepared keys, with
    OpenSSL 3.0, 1 in 150; while threads began and ended that verified and drew nothing, 1 in 450.
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
        with pytest.raises(Exception, match="replay: this message was already accepted"):
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
