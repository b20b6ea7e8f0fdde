# SPDX-License-Identifier: Apache-2.0
"""What many threads do at once to one object, with a GIL and without: every answer is right."""

import contextlib
import gc
import itertools
import random
import sys
import sysconfig
import threading
import time

import pytest

import pythemis
from pythemis import scell, scomparator, skeygen, smessage, ssession
from pythemis._core import cell_lists
from pythemis._themis import ffi
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    SecureCellError,
    SecureCellValueError,
)
from pythemis.scomparator import SCOMPARATOR_CODES, SComparator
from pythemis.skeygen import GenerateKeyPair
from pythemis.smessage import (
    SecureMessageError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from pythemis.ssession import SimpleMemoryTransport, SSession
from support.cells import FEWER
from support.keys import generated
from support.programs import said_by
from support.threads import THREADS, together

KEY = b"k" * 32
ROUNDS = max(4, 200 // FEWER)
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

pytestmark = pytest.mark.usefixtures("_switching")


def text_of(number, turn):
    """Give a message that says who wrote it, of many lengths."""
    return b"%d %d " % (number, turn) + bytes([number]) * (turn * 37 % 3000)


# ---- Shared and used ----


@pytest.mark.parametrize("algorithm", ["EC", "RSA"])
def test_threads_share_messages_signers_and_verifiers(algorithm):
    """Eight threads encrypt, decrypt, sign and verify with the same few objects."""
    others = {"curve": "P-256"} if algorithm == "EC" else {"bits": 2048}  # generated as well
    (private, public), (peer_private, peer_public) = (
        generated(algorithm),
        generated(algorithm, **others),
    )
    ours, theirs = SMessage(private, peer_public), SMessage(peer_private, public)
    signer, verifier = SecureSigner(private), SecureVerifier(public)

    def work(number):
        for turn in range(ROUNDS if algorithm == "EC" else ROUNDS // 20):
            text = text_of(number, turn)
            assert theirs.unwrap(ours.wrap(text)) == text
            assert ours.unwrap(theirs.wrap(text)) == text
            signed = signer.sign(text)
            assert verifier.verify(signed) == text
            assert sverify(public, ssign(private, text)) == text
            forged = signed[:12] + b"X" + signed[13:]
            for check in (verifier.verify, lambda message: sverify(public, message)):
                with pytest.raises(SecureMessageError) as caught:
                    check(forged)
                assert caught.value.error_code is THEMIS_CODES.INVALID_SIGNATURE
        return True

    assert together(work) == [True] * THREADS


def test_more_public_keys_than_are_remembered():
    """Threads verify with 80 keys in any order: each key opens its own messages and no others."""
    keys = [GenerateKeyPair("EC") for _ in range(80)]
    public = [key.export_public_key() for key in keys]
    signed = [ssign(key.export_private_key(), b"%d" % i) for i, key in enumerate(keys)]

    def work(number):
        chosen = random.Random(number)
        for _ in range(ROUNDS):
            i, j = chosen.randrange(80), chosen.randrange(80)
            # Every other key, each in an object of its own: the same text, not the same object.
            assert sverify(bytes(bytearray(public[i])), signed[i]) == b"%d" % i
            if i != j:
                with pytest.raises(SecureMessageError) as caught:
                    sverify(public[j], signed[i])
                assert caught.value.error_code is THEMIS_CODES.INVALID_SIGNATURE
        return True

    assert together(work) == [True] * THREADS


def test_sessions_at_once_share_a_transport():
    """Eight clients negotiate with eight servers that look keys up in one transport."""
    pairs = {b"client %d" % i: GenerateKeyPair("EC") for i in range(THREADS)}
    server_private, server_public = generated("EC")
    known = SimpleMemoryTransport({name: pair.export_public_key() for name, pair in pairs.items()})
    server_known = SimpleMemoryTransport(b"server", server_public)

    def work(number):
        name = b"client %d" % number
        for turn in range(max(2, ROUNDS // 10)):
            client = SSession(name, pairs[name].export_private_key(), server_known)
            server = SSession(b"server", server_private, known)
            message = client.connect_request()
            while not (client.is_established() and server.is_established()):
                message = server.unwrap(message)
                if message:
                    message = client.unwrap(message)
            assert server.remote_id == name
            assert server.unwrap(client.wrap(text_of(number, turn))) == text_of(number, turn)
        return True

    assert together(work) == [True] * THREADS


def test_a_result_that_is_watched_never_goes_back():
    """While one thread compares, others see NOT_READY, then MATCH, and nothing else."""
    for _ in range(max(2, ROUNDS // 20)):
        alice, bob = SComparator(b"a secret"), SComparator(b"a secret")
        over = threading.Event()

        def work(number, alice=alice, bob=bob, over=over):
            if number == 0:
                message = alice.begin_compare()
                while not (alice.is_compared() and bob.is_compared()):
                    message = bob.proceed_compare(message)
                    message = alice.proceed_compare(message) if message else b""
                over.set()
                return []
            seen = []
            while not over.is_set():
                seen.append(alice.result())
            seen.append(alice.result())
            return [result for result, _ in itertools.groupby(seen)]

        expected = [SCOMPARATOR_CODES.NOT_READY, SCOMPARATOR_CODES.MATCH]
        for seen in together(work)[1:]:
            assert seen in (expected, expected[1:])


# ---- Lists ----


@pytest.mark.parametrize("operation", ["seal", "token", "imprint"])
def test_a_list_of_very_many_parts(operation, monkeypatch):
    """However many threads take the parts of a list, each is done once and has its place."""
    monkeypatch.setattr(cell_lists, "_PART_COUNT", 1)
    messages = [b"%d" % i * (1 + i % 5) for i in range(max(40, 10 * ROUNDS))]
    for _ in range(max(1, 5 // FEWER)):
        if operation == "seal":
            cell = SCellSeal(KEY)
            made = cell.encrypt_many(messages, threads=THREADS)
            assert len(set(made)) == len(messages)
            assert cell.decrypt_many(made, threads=THREADS) == messages
            assert [cell.decrypt(one) for one in made] == messages
        elif operation == "token":
            cell = SCellTokenProtect(KEY)
            encrypted, tokens = zip(*cell.encrypt_many(messages, threads=THREADS), strict=True)
            assert cell.decrypt_many(encrypted, tokens, threads=THREADS) == messages
        else:
            cell = SCellContextImprint(KEY)
            made = cell.encrypt_many(messages, messages, threads=THREADS)
            assert made == [cell.encrypt(message, message) for message in messages]


def test_the_first_error_of_a_list_is_raised_among_threads(monkeypatch):
    """Where threads find several messages at fault, it is the first of them that is named."""
    monkeypatch.setattr(cell_lists, "_PART_COUNT", 1)
    cell = SCellSeal(KEY)
    good = [cell.encrypt(b"%d" % i) for i in range(60)]
    for first in range(0, 50, max(1, FEWER // 4)):
        bad = [one if i < first else one[:-1] + bytes([one[-1] ^ 1]) for i, one in enumerate(good)]
        with pytest.raises(SecureCellError) as caught:
            cell.decrypt_many(bad, threads=THREADS)
        assert caught.value.index == first


# ---- Closed while others use it ----


def closable(what):
    """Give an object, and a call of it that says whether its answer is right."""
    if what == "seal":
        cell = SCellSeal(KEY)
        return cell, lambda text: cell.decrypt(cell.encrypt(text, b"c"), b"c") == text
    if what == "token":
        cell = SCellTokenProtect(KEY)
        return cell, lambda text: cell.decrypt(*cell.encrypt(text)) == text
    if what == "imprint":
        cell = SCellContextImprint(KEY)
        return cell, lambda text: cell.decrypt(cell.encrypt(text, b"c"), b"c") == text
    if what == "list":
        cell = SCellSeal(KEY)
        return (
            cell,
            lambda text: (
                cell.decrypt_many(cell.encrypt_many([text] * 20, threads=2), threads=2)
                == [text] * 20
            ),
        )
    private, public = generated("EC")
    if what == "message":
        message = SMessage(private, public)
        return message, lambda text: message.unwrap(message.wrap(text)) == text
    if what == "signer":
        signer = SecureSigner(private)
        return signer, lambda text: sverify(public, signer.sign(text)) == text
    if what == "verifier":
        verifier, signed = SecureVerifier(public), ssign(private, b"signed")
        return verifier, lambda _: verifier.verify(signed) == b"signed"
    pair = GenerateKeyPair("EC")
    keys = pair.export_private_key(), pair.export_public_key()
    return pair, lambda _: (pair.export_private_key(), pair.export_public_key()) == keys


@pytest.mark.parametrize(
    "what", ["seal", "token", "imprint", "list", "message", "signer", "verifier", "pair"]
)
def test_closing_while_others_use_it(what):
    """Calls that are under way when another thread closes end well; later ones are refused."""
    for _ in range(max(2, 8 // FEWER)):
        owner, is_right = closable(what)
        began = [threading.Event() for _ in range(THREADS)]

        def work(number, owner=owner, is_right=is_right, began=began):
            if number == 0:
                for one in began[1:]:
                    assert one.wait(60)
                owner.close()
                return "closed"
            for turn in itertools.count():
                try:
                    assert is_right(text_of(number, turn))
                except ThemisError as error:
                    refusal = error
                    break
                finally:
                    began[number].set()
            assert isinstance(refusal, ValueError)
            assert refusal.error_code is THEMIS_CODES.INVALID_PARAMETER
            assert "is closed" in str(refusal)
            return "closed"

        assert together(work) == ["closed"] * THREADS
        assert repr(owner).endswith("(closed)>")


def test_all_threads_close():
    """However many threads close one object, it is closed once and nothing else happens."""
    for _ in range(ROUNDS):
        cell = SCellSeal(KEY)
        assert together(lambda _, cell=cell: cell.close()) == [None] * THREADS
        with pytest.raises(SecureCellValueError, match="is closed"):
            cell.encrypt(b"m")


def test_what_another_thread_closes_is_freed_by_the_collector_at_the_latest():
    """Memory of an object that another thread closes is freed, if not before, by gc.collect().

    Without a GIL what one thread made waits for that thread to go on, if another gives it up.
    """
    cell, freed, seen = SCellSeal(KEY), threading.Event(), []
    cell._held = ffi.gc(ffi.new("int *"), lambda _: freed.set())

    def close():
        time.sleep(0.05)  # by now the thread that made it waits for this one
        cell.close()
        gc.collect()
        seen.append(freed.is_set())

    other = threading.Thread(target=close)
    other.start()
    other.join()
    assert seen == [True]


# ---- Buffers that others change ----


def test_what_is_signed_is_what_is_returned():
    """A buffer that changes while it is signed gives a message that verifies, whatever is in it."""
    private, public = generated("EC")
    signer, verifier = SecureSigner(private), SecureVerifier(public)
    buffer, stop = bytearray(5000), threading.Event()

    def change():
        for value in itertools.cycle(range(256)):
            if stop.is_set():
                return
            buffer[:] = bytes([value]) * len(buffer)

    other = threading.Thread(target=change)
    other.start()
    try:
        for _ in range(ROUNDS):
            signed = signer.sign(buffer)
            assert verifier.verify(bytearray(signed)) == signed[12:5012]
    finally:
        stop.set()
        other.join()


@pytest.mark.skipif(
    (FREE_THREADED and sys.version_info < (3, 14)) or sys.implementation.name == "pypy",
    reason="in this interpreter threads must not resize a bytearray that others look at",
)
def test_a_buffer_is_not_resized_while_it_is_used():
    """A thread that resizes a buffer waits its turn or is refused; every cell opens."""
    cell, buffer, stop = SCellSeal(KEY), bytearray(b"x" * 4000), threading.Event()

    def resize():
        while not stop.is_set():
            with contextlib.suppress(BufferError):
                if len(buffer) > 4000:
                    del buffer[4000:]
                else:
                    buffer.extend(b"x" * 100)

    other = threading.Thread(target=resize)
    other.start()
    try:
        for _ in range(10 * ROUNDS):
            opened = cell.decrypt(cell.encrypt(buffer))
            assert opened in (b"x" * 4000, b"x" * 4100)
    finally:
        stop.set()
        other.join()


def test_threads_write_into_parts_of_one_buffer():
    """Threads that encrypt in place, each in its own part of one piece of memory, meet nobody."""
    cell, size = SCellSeal(KEY), 500
    part = memoryview(bytearray((size + 44) * THREADS))
    parts = [part[at : at + size + 44] for at in range(0, len(part), size + 44)]

    def work(number):
        mine = parts[number]
        for turn in range(ROUNDS):
            mine[44:] = bytes([turn % 256, number]) * (size // 2)
            assert cell.encrypt_into(mine, mine[44:]) == size + 44
            assert cell.decrypt_into(mine[44:], mine) == size
            assert mine[44:] == bytes([turn % 256, number]) * (size // 2)
        return True

    assert together(work) == [True] * THREADS


# ---- The first use ----

FIRST_USE = """
import threading, pythemis
barrier, seen, failed = threading.Barrier(8), [], []
def seal(scell): return scell.SCellSeal(b'k').decrypt(scell.SCellSeal(b'k').encrypt(b'm'))
def sign(smessage):
    pair = pythemis.skeygen.GenerateKeyPair('EC')
    signed = smessage.ssign(pair.export_private_key(), b'm')
    return smessage.sverify(pair.export_public_key(), signed)
def compare(scomparator): return scomparator.SComparator(b'x').begin_compare() and b'm'
def identify(ssession):
    known = ssession.SimpleMemoryTransport({})
    pair = pythemis.skeygen.GenerateKeyPair('EC')
    return ssession.SSession(b'x', pair.export_private_key(), known).connect_request() and b'm'
USES = [('scell', seal), ('smessage', sign), ('scomparator', compare), ('ssession', identify)]
def work(number):
    try:
        barrier.wait(60)
        for turn in range(4):
            name, use = USES[(number + turn) % 4]
            module = getattr(pythemis, name)
            seen.append((name, id(module), id(module.ThemisError), use(module)))
        pythemis.stransport, pythemis.asession, pythemis.__version__
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
assert len(seen) == 32 and all(made == b'm' for *_, made in seen)
assert len({one[:2] for one in seen}) == 4 and len({one[2] for one in seen}) == 1
print('right')
"""


@pytest.mark.parametrize("turn", range(max(1, 10 // FEWER)))
def test_the_first_use_is_in_threads(turn):
    """Eight threads of a new process import everything at once and use it: one of each module."""
    assert said_by(
        f"import sys; sys.setswitchinterval({10.0 ** -(turn % 5 + 2)})\n{FIRST_USE}"
    ) == ("right")


OLD_NAMES = [
    *((scell, name) for name in ("scell_seal", "scell_token_protect", "scell_context_imprint")),
    *((ssession, name) for name in ("ssession", "sstring", "mem_transport")),
    *((smessage, "smessage"), (scomparator, "scomparator"), (skeygen, "themis_gen_key_pair")),
]


@pytest.mark.parametrize(("module", "name"), OLD_NAMES, ids=[name for _, name in OLD_NAMES])
def test_an_old_name_is_one_class(module, name, monkeypatch):
    """Threads that ask for an old name for the first time at once get the same class."""
    for _ in range(max(2, ROUNDS // 10)):
        monkeypatch.delitem(vars(module), name, raising=False)
        assert len(set(together(lambda _: getattr(module, name)))) == 1


# ---- Without a GIL ----


@pytest.mark.skipif(not FREE_THREADED, reason="this interpreter has a GIL")
def test_importing_does_not_bring_the_gil_back(monkeypatch):
    """The compiled module says that it does without, so that importing it enables no GIL."""
    monkeypatch.delenv("PYTHON_GIL", raising=False)  # which would keep it off whatever modules say
    said = said_by(
        f"""
import importlib, sys
assert not sys._is_gil_enabled()
for name in {pythemis._MODULES!r}:
    importlib.import_module('pythemis.' + name)
assert not sys._is_gil_enabled()
{FIRST_USE}
assert not sys._is_gil_enabled()
"""
    )
    assert said == "right"
