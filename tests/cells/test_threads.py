# SPDX-License-Identifier: Apache-2.0
"""Secure Cell among threads and processes."""

import hashlib
import os
import sys
import sysconfig
import threading
import time

import pytest

from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.skeygen import GenerateSymmetricKey
from support.cells import FEWER, TOKEN, not_authentic, quick
from support.definitions import forge
from support.threads import THREADS, together

KEY = b"k" * 32
ROUNDS = 4000 // FEWER
NONCE = slice(16, 28)


def messages(number):
    """Give a thread's messages and contexts: of many lengths, none like another thread's."""
    for turn in range(ROUNDS):
        seed = hashlib.sha256(b"%d %d" % (number, turn)).digest()
        long = seed * 260 if turn % 8 == 0 else b""  # too long to keep the GIL
        yield long + (seed * 40)[: 1 + (turn * 7 + number) % 1200], seed[: turn % 33]


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_seal_object():
    """Thousands of cells of eight threads: each opens to its own message, none with a wrong one."""
    cell = SCellSeal(KEY, compat_096=True)

    def work(number):
        nonces = []
        for message, context in messages(number):
            sealed = cell.encrypt(message, context)
            assert cell.decrypt(sealed, context) == message
            nonces.append(sealed[NONCE])
            if len(nonces) % 16 == 0:
                with not_authentic():
                    cell.decrypt(sealed, context + b"x")
        return nonces

    nonces = [nonce for drawn in together(work) for nonce in drawn]
    assert len(set(nonces)) == len(nonces) == THREADS * ROUNDS


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_token_protect_object():
    """The same with tokens apart."""
    cell = SCellTokenProtect(KEY)

    def work(number):
        for message, context in messages(number):
            encrypted, token = cell.encrypt(message, context)
            assert cell.decrypt(encrypted, token, context) == message
        return True

    assert together(work) == [True] * THREADS


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_context_imprint_object():
    """Deterministic as it is, every answer equals that of an object that is not shared."""
    cell = SCellContextImprint(KEY)

    def work(number):
        results = hashlib.sha256()
        for message, context in messages(number):
            encrypted = cell.encrypt(message, context + b"c")
            assert cell.decrypt(encrypted, context + b"c") == message
            results.update(encrypted)
        return results.digest()

    shared = together(work)
    cell = SCellContextImprint(KEY)
    assert [work(number) for number in range(THREADS)] == shared


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_passphrase_object():
    """Reading with few iterations, right and wrong, from eight threads."""
    cell = quick(KEY)
    sealed = [forge(KEY, b"message %d" % number, b"c") for number in range(THREADS)]

    def work(number):
        for turn in range(ROUNDS // 4):
            at = (number + turn) % THREADS
            assert cell.decrypt(sealed[at], b"c") == b"message %d" % at
            if turn % 16 == 0:
                with not_authentic():
                    cell.decrypt(sealed[at], b"d")
        return True

    assert together(work) == [True] * THREADS


@pytest.mark.usefixtures("_switching")
def test_threads_make_objects_at_the_same_time():
    """Objects and keys are made and dropped in eight threads without meeting each other."""

    def work(number):
        keys = []
        for message, context in messages(number):
            key = GenerateSymmetricKey()
            with SCellSeal(key) as one, SCellTokenProtect(key) as other:
                sealed = one.encrypt(message, context)
                assert other.decrypt(sealed[TOKEN:], sealed[:TOKEN], context) == message
            keys.append(key)
        return keys

    keys = [key for drawn in together(work) for key in drawn]
    assert len(set(keys)) == len(keys)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_parent_and_children_never_draw_the_same():
    """After a fork, nonces, salts' source and keys differ in every process; grandchildren too."""
    cell, count = SCellSeal(KEY), 3000 // FEWER
    cell.encrypt(b"warm up")  # so that the generator has a state to be copied

    def draw():
        nonces = [cell.encrypt(b"m")[NONCE] for _ in range(count)]
        keys = [GenerateSymmetricKey()[:12] for _ in range(count)]
        return b"".join(nonces + keys)

    def in_child(work):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(reading)
                with open(writing, "wb") as pipe:  # noqa: PTH123 -- a descriptor
                    pipe.write(work())
                status = 0
            finally:
                os._exit(status)
        os.close(writing)
        return child, reading

    def result(child, reading):
        with open(reading, "rb") as pipe:  # noqa: PTH123 -- a descriptor
            drawn = pipe.read()
        assert os.waitpid(child, 0) == (child, 0)
        return drawn

    def draw_and_fork():
        grandchild = in_child(draw)
        return draw() + result(*grandchild)

    children = [in_child(draw_and_fork) for _ in range(2)]
    drawn = draw() + b"".join(result(*child) for child in children)
    pieces = [drawn[at : at + 12] for at in range(0, len(drawn), 12)]
    assert len(pieces) == 5 * 2 * count
    assert len(set(pieces)) == len(pieces)


def progress_of_another_thread(call):
    """Count what another thread gets done during one call, when only the call can let it run."""
    count, stop, before = 0, False, sys.getswitchinterval()

    def work():
        nonlocal count
        while not stop:
            count += 1
            time.sleep(0)

    # So that nothing but a released lock lets the other thread in, from its first wait on.
    sys.setswitchinterval(100)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        while count == 0:
            time.sleep(0.001)
        start = count
        call()
        return count - start
    finally:
        sys.setswitchinterval(before)
        stop = True
        thread.join()


@pytest.mark.timing
def test_other_threads_run_during_long_calls():
    """Encrypting much, and PBKDF2, do not hold the interpreter's lock."""
    cell, message = SCellSeal(KEY), bytes(200_000_000)
    assert progress_of_another_thread(lambda: cell.encrypt(message)) > 0
    sealed = cell.encrypt(message)
    assert progress_of_another_thread(lambda: cell.decrypt(sealed)) > 0
    imprint = SCellContextImprint(KEY)
    assert progress_of_another_thread(lambda: imprint.encrypt(message, b"c")) > 0
    slow = forge(KEY, b"m", iterations=1_000_000)
    by_passphrase = quick(KEY)
    assert progress_of_another_thread(lambda: by_passphrase.decrypt(slow)) > 0


@pytest.mark.timing
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy lets others into a sum")
@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="there is no such lock here"
)
def test_the_measure_sees_a_call_that_holds_the_lock():
    """The judge is judged: pure Python work lets nobody in."""
    assert progress_of_another_thread(lambda: sum(range(100_000))) == 0
