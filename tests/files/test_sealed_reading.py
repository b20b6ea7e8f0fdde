# SPDX-License-Identifier: Apache-2.0
"""Reading sealed files: at any place and as a stream, what is tried, what it may cost."""

import contextlib
import io
import os
import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis import _sealed
from pythemis._core import sealed as core
from pythemis._sealed import heads
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from support.keys import generated
from support.memory import traced, tracemalloc
from support.sealed import (
    ERRORS,
    BareService,
    case_of,
    cases,
    opened,
    read_stream,
    read_whole,
    recorded,
    stream_parts,
    unlock_of,
)

KEY, PIECE, CONTEXT = b"k" * 32, 4096, b"context"
ONE_KEY = _sealed.Slots(keys=[(b"", KEY)])
UNLOCK = _sealed.Unlock(keys=[(b"", KEY)], context=CONTEXT)
PRIVATE, PUBLIC = generated("EC")


def seal(data, slots=ONE_KEY, context=CONTEXT, **options):
    """Seal in small pieces."""
    return _sealed.seal_bytes(ERRORS, data, slots, context, log2=12, **options)


# Not random: zeros at the end of a chunk leave a stream later, as they may be padding.
DATA = bytes(1 + at % 251 for at in range(30000))
FILE = seal(DATA)

SMALL = [
    case
    for case in cases("cases")
    if len(case.values[0]["file"]) < 10000 and "passphrase" not in case.values[0]["unlock"]
]


@pytest.mark.parametrize("case", SMALL)
def test_a_pipe_may_give_few_bytes(case):
    """However a pipe cuts a file, the same data come out, or the same refusal at the end."""
    file, unlock, reserved = case["file"], unlock_of(case), case["reader"] == "keyring"
    data = read_whole(file, unlock, reserved=reserved)[0]
    for at_most in (1, 13, 4095, 4139, 4140, 4141):
        assert read_stream(file, unlock, at_most=at_most, reserved=reserved) == data


def test_every_split_of_a_small_file():
    """A file that arrives in two parts, wherever it was cut, is read."""
    file = seal(DATA[:5000])
    for cut in range(len(file)):
        parts = [file[:cut], file[cut:]]

        def read(n, parts=parts):
            while parts and not parts[0]:
                del parts[0]
            made = parts[0][:n] if parts else b""
            if parts:
                parts[0] = parts[0][n:]
            return made

        assert b"".join(stream_parts(read, UNLOCK)[0]) == DATA[:5000]


@given(st.lists(st.tuples(st.integers(-5, 31000), st.integers(-1, 20000)), max_size=20))
def test_random_access_is_like_that_of_a_file(reads):
    """Any sequence of reads gives what reading the data itself would give."""
    reader = opened(FILE, UNLOCK)
    for offset, n in reads:
        buffer = bytearray(b"\xa5" * max(n, 0))
        if offset < 0 or n < 0:
            with pytest.raises(ThemisValueError, match="negative"):
                reader.read(offset, n)
            continue
        expected = DATA[offset : offset + n]
        assert reader.read(offset, n) == expected
        assert reader.readinto(offset, buffer) == len(expected)
        assert buffer == expected + b"\xa5" * (n - len(expected))


def test_a_source_may_return_few_bytes():
    """Short reads are gone on with; none at all is an error, and so are too many."""
    pread = lambda at, n: FILE[at : at + min(n, 7)]  # noqa: E731
    reader = _sealed.Reader(ERRORS, pread, len(FILE), UNLOCK)
    assert reader.read(100, 9000) == DATA[100:9100]
    with pytest.raises(ThemisError, match="ends early"):
        _sealed.Reader(ERRORS, pread, len(FILE) + 4140, UNLOCK)
    with pytest.raises(ThemisValueError, match="asked for"):
        _sealed.Reader(ERRORS, lambda at, n: FILE[at : at + n] + b"x", len(FILE), UNLOCK)
    with pytest.raises(ThemisValueError, match="asked for"):
        _sealed.StreamReader(ERRORS, lambda n: FILE[: n + 1], UNLOCK)
    with pytest.raises(ThemisTypeError, match="source"):
        _sealed.StreamReader(ERRORS, lambda _: None, UNLOCK)


def test_a_source_may_fill_memory():
    """Each read has memory of its own, also one within another, and a cut file is an error."""
    data = os.urandom(1 << 20)
    file, asked, size = seal(data), [], [1 << 30]

    def fill(at, room):
        asked.append(len(room))
        part = file[at : min(at + len(room), size[0])]
        room[: len(part)] = part
        if len(asked) == 2:  # as a signal handler, or another thread, would
            assert reader.read(5000, 100) == data[5000:5100]
        return len(part)

    reader = _sealed.Reader(ERRORS, lambda at, n: file[at : at + n], len(file), UNLOCK, fill=fill)
    assert reader.read(0, 9) == data[:9]
    assert reader.read(0, 1 << 20) == data
    assert asked[1:] == [128 * (PIECE + 44), PIECE + 44, 128 * (PIECE + 44)]
    size[0] = 5000
    with pytest.raises(ThemisError, match="ends early, after 5000 bytes"):
        reader.read(0, 9000)
    size[0] = len(file)
    assert reader.read(0, 9000) == data[:9000]


@pytest.mark.parametrize("which", range(12))
def test_errors_of_the_source_come_out(which):
    """At whatever call reading fails, its error is raised, and a stream that failed stays so."""
    calls = []

    def failing(data):
        calls.append(1)
        if len(calls) == which + 1:
            raise OSError("broken")
        return data

    source = io.BytesIO(FILE).read
    try:
        reader = _sealed.StreamReader(ERRORS, lambda n: failing(source(min(n, 4140))), UNLOCK)
    except OSError:
        return
    while True:
        try:
            if not reader.read_part():
                break
        except OSError:
            with pytest.raises(OSError, match="broken"):
                reader.read_part()
            return
    assert len(calls) <= which


def test_an_interrupted_stream_does_not_look_finished():
    """After KeyboardInterrupt the next read is an error, not the end."""
    source, calls = io.BytesIO(FILE).read, []

    def read(n):
        calls.append(n)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return source(n)

    reader = _sealed.StreamReader(ERRORS, read, UNLOCK)
    with pytest.raises(KeyboardInterrupt):
        reader.read_part()
    with pytest.raises(ThemisError, match="interrupted"):
        reader.read_part()


@traced
def test_zeros_leave_a_pipe_in_small_parts():
    """Zeros are counted, not kept: neither those inside nor those at the end take memory."""
    data = b"a" + bytes(20 << 20) + b"b" + bytes(20 << 20)
    file = seal(data)
    tracemalloc.start()
    reader = _sealed.StreamReader(ERRORS, io.BytesIO(file).read, UNLOCK)
    size = 0
    while part := reader.read_part():
        assert len(part) <= PIECE or part.strip(b"\0")
        size += len(part)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == len(data)
    assert peak < 2 << 20


def test_threads_read_one_file():
    """Threads that read at the same time get what is there; closing the file harms none."""
    reader, wrong, barrier = opened(FILE, UNLOCK), [], threading.Barrier(4)

    def read(seed):
        draw = random.Random(seed)
        barrier.wait()
        for _ in range(300):
            offset, n = draw.randrange(30000), draw.randrange(9000)
            try:
                found = reader.read(offset, n)
            except ThemisValueError:
                return
            if found != DATA[offset : offset + n]:
                wrong.append((seed, offset, n))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    reader.close()
    for thread in threads:
        thread.join()
    assert wrong == []
    for call in (lambda: reader.read(0, 1), reader.verify, lambda: reader.size):
        with pytest.raises(ThemisValueError, match="closed"):
            call()


# ---- Which slots are tried, and what that costs ----


class Service(BareService):
    """A service that remembers what it was asked, and fails if it is told to."""

    def __init__(self, name="service", key=b"s" * 32, failure=None):
        super().__init__(name, key)
        self.failure, self.asked = failure, []

    def unwrap(self, body, context):
        self.asked.append((body, context))
        if self.failure is not None:
            raise self.failure
        return super().unwrap(body, context)


def test_services_are_asked_once_and_only_those_that_were_given():
    """A file with slots of many services costs one call to each that the caller has."""
    written = [Service(f"s{i}", bytes([i]) * 32) for i in range(5)]
    file = seal(b"data", _sealed.Slots(services=written))
    mine = [Service("s1", b"x" * 32), Service("s3", bytes([3]) * 32), Service("other")]
    assert read_whole(file, _sealed.Unlock(services=mine, context=CONTEXT)) == (b"data", "service")
    assert [len(service.asked) for service in mine] == [1, 1, 0]
    [(_, context)] = mine[1].asked
    assert context[:15] == b"TSFILE1\nservice"
    assert len(context) == 47


def test_a_failing_service_does_not_end_the_search():
    """Its error is raised only if nothing else opens the file; an interrupt at once."""
    slots = _sealed.Slots(keys=[(b"", KEY)], services=[Service("a"), Service("b")])
    file, down = seal(b"data", slots), ConnectionError("no answer")
    failing, good = Service("a", failure=down), Service("b")
    assert read_whole(file, _sealed.Unlock(services=[failing, good], context=CONTEXT))[0]
    with pytest.raises(ConnectionError, match="no answer") as caught:
        read_whole(file, _sealed.Unlock(services=[failing], keys=[(b"", b"x")], context=CONTEXT))
    assert caught.value is down
    interrupted = [Service("a", failure=KeyboardInterrupt()), good]
    with pytest.raises(KeyboardInterrupt):
        read_whole(file, _sealed.Unlock(services=interrupted, context=CONTEXT))


class Careless(Service):
    """A service that ignores associated data, as old servers do; it keeps all that it is given."""

    def wrap(self, plain, _):
        return self._cell.encrypt(plain, b"")

    def unwrap(self, body, context):
        self.asked.append(context)
        return self._cell.decrypt(body, b"")


PAIR = generated("EC", curve="P-256")
HOLDERS = {
    "key": (ONE_KEY, {"keys": [(b"", KEY)]}),
    "passphrase": (
        _sealed.Slots(passphrases=["secret"], iterations=314110),
        {"passphrase": "secret"},
    ),
    "recipient": (_sealed.Slots(recipients=[(PUBLIC, False)]), {"private_key": PRIVATE}),
    "sender": (
        _sealed.Slots(sender=(PRIVATE, PAIR[1])),
        {"private_key": PAIR[0], "sender": PUBLIC},
    ),
    "service": (
        _sealed.Slots(services=[Careless("service")]),
        {"services": [Careless("service")]},
    ),
}


@pytest.mark.parametrize("kind", HOLDERS)
def test_a_slot_cannot_be_lifted_to_another_context(kind):
    """No slot but a recipient's opens elsewhere, even if who made the file knows its key."""
    slots, unlock = HOLDERS[kind]
    reader = opened(seal(b"data", slots), _sealed.Unlock(context=CONTEXT, **unlock))
    [slot] = reader.opened.slots
    handle = core.again(ERRORS, reader.opened.handle, b"another")
    file = heads._written(ERRORS, handle, [slot.encoded])
    piece = b"forged" + (6).to_bytes(8, "big")
    file += core.encrypt(ERRORS, handle, 0, piece, is_last=True)
    there = _sealed.Unlock(context=b"another", **unlock)
    if kind == "recipient":
        assert read_whole(file, there) == (b"forged", "recipient")
        return
    with pytest.raises(ThemisError) as caught:
        opened(file, there)
    assert caught.value.error_code == THEMIS_CODES.FAIL


@pytest.mark.parametrize("answer", [b"", bytes(32), bytes(63), bytes(64), bytes(65), "text", 7])
def test_answers_of_services_are_judged(answer):
    """What is not 64 bytes that begin with the digest, or is no bytes, opens nothing."""
    file = seal(b"data", _sealed.Slots(services=[Service()]))
    service = Service()
    service.unwrap = lambda *_: answer
    with pytest.raises(ThemisError) as caught:
        opened(file, _sealed.Unlock(services=[service], context=CONTEXT))
    wanted = THEMIS_CODES.FAIL if isinstance(answer, bytes) else THEMIS_CODES.INVALID_PARAMETER
    assert caught.value.error_code == wanted


def test_a_file_for_others_says_what_it_has():
    """Where nothing that was given could be tried, the error lists the slots, which are public."""
    slots = _sealed.Slots(
        keys=[(b"\1\2\3\4\5", KEY)],
        recipients=[(PUBLIC, False)],
        services=[Service("payroll-2026")],
    )
    with pytest.raises(ThemisError, match="nothing that was given opens this file") as caught:
        opened(seal(b"", slots), _sealed.Unlock(passphrase="secret"))
    assert "1 key, 1 recipient, 1 service" in caught.value.message
    assert "0102030405" in caught.value.message
    assert "payroll-2026" in caught.value.message


def test_wrong_key_context_and_damage_look_alike():
    """One text and one code for all three."""
    damaged = FILE[:60] + bytes([FILE[60] ^ 1]) + FILE[61:]
    found = set()
    for file, unlock in (
        (FILE, _sealed.Unlock(keys=[(b"", b"x" * 32)], context=CONTEXT)),
        (FILE, _sealed.Unlock(keys=[(b"", KEY)], context=b"other")),
        (damaged, UNLOCK),
    ):
        with pytest.raises(ThemisError) as caught:
            opened(file, unlock)
        found.add((type(caught.value), caught.value.error_code, caught.value.message))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("unlock", "words"),
    [
        ({}, "nothing opens the file"),
        ({"passphrase": ""}, "is empty"),
        ({"passphrase": "\udcff"}, "surrogate"),
        ({"passphrase": 7}, "must be text, bytes"),
        ({"keys": [(b"", b"")]}, "0 bytes"),
        ({"keys": [(b"", "text")]}, "must be bytes, not str"),
        ({"keys": [(b"abc", KEY)]}, "key id has 5 bytes"),
        ({"sender": PUBLIC}, "no private_key"),
        ({"private_key": PUBLIC}, "must be a private key"),
        ({"private_key": PRIVATE, "sender": PRIVATE}, "must be a public key"),
        ({"private_key": generated("RSA")[0]}, "EC key of 256 bits"),
        ({"private_key": generated("EC", curve="P-384")[0]}, "EC key of 256 bits"),
        ({"private_key": b"no key"}, "not a Themis key"),
        ({"services": [Service("a b")]}, "ASCII"),
        ({"services": [Service(), Service()]}, "two services"),
        ({"keys": [(b"", KEY)], "context": "text"}, "must be bytes, not str"),
        ({"keys": [(b"", KEY)], "context": b"TK1 keyring shop"}, "reserved"),
        ({"keys": [(b"", KEY)], "max_iterations": -1}, "max_iterations"),
        ({"keys": [(b"", KEY)], "max_log2": 11}, "max_log2"),
        ({"keys": [(b"", KEY)], "max_log2": None}, "max_log2"),
    ],
)
def test_wrong_arguments_are_refused_before_reading(unlock, words):
    """Each is an argument error, and nothing of the file is read."""
    unread = lambda *_: pytest.fail("the file was read")  # noqa: E731
    for read in (
        lambda u: _sealed.Reader(ERRORS, unread, 1000, u),
        lambda u: _sealed.StreamReader(ERRORS, unread, u),
    ):
        with pytest.raises((ThemisTypeError, ThemisValueError), match=words) as caught:
            read(_sealed.Unlock(**unlock))
        assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER


@traced
def test_huge_numbers_cost_nothing():
    """Lengths that a header only claims allocate nothing and read nothing beyond them."""
    asked = []

    def pread(at, n):
        asked.append(n)
        return (FILE[:10] + b"\xff\xff\xff\xff" + bytes(n))[at : at + n]

    tracemalloc.start()
    with pytest.raises(ThemisError, match="262144"):
        _sealed.Reader(ERRORS, pread, 1 << 62, UNLOCK)
    with pytest.raises(ThemisError, match="262144"):
        _sealed.StreamReader(ERRORS, lambda n: pread(0, n), UNLOCK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert asked == [65536, 14]
    assert peak < 1 << 20


def test_searching_is_bounded():
    """255 key slots, 64 hidden recipients and four passphrases of others are soon refused."""
    valid = {case["id"]: case for case in recorded()["cases"]}
    start = time.process_time()
    for name, unlock in (
        ("slots-255", {"keys": [(b"", b"x" * 32)]}),
        ("recipients-hidden-64", {"private_key": generated("EC", uncompressed=True)[0]}),
        ("passphrase-one-iteration", {"passphrase": "wrong"}),
    ):
        case = valid[name]
        with pytest.raises(ThemisError) as caught:
            opened(case["file"], _sealed.Unlock(context=bytes.fromhex(case["context"]), **unlock))
        assert caught.value.error_code == THEMIS_CODES.FAIL
    assert time.process_time() - start < 1


def test_a_head_beyond_the_first_read_is_read_whole():
    """A header of more than 64 KiB takes one more read, and no byte of it is read twice."""
    case, asked = case_of("slots-length-262144"), []
    file = case["file"]

    def pread(at, n):
        asked.append((at, n))
        return file[at : at + n]

    assert _sealed.Reader(ERRORS, pread, len(file), unlock_of(case)).read(0, 9) == b"data"
    head = 14 + 262144 + 32
    assert asked == [(0, 65536), (65536, head - 65536), (head, len(file) - head)]


def test_a_small_file_is_read_once():
    """Header and last chunk come of one read, where they fit into it."""
    asked, file = [], seal(DATA[:5000])

    def pread(at, n):
        asked.append((at, n))
        return file[at : at + n]

    reader = _sealed.Reader(ERRORS, pread, len(file), UNLOCK)
    assert asked == [(0, len(file))]
    assert reader.read(0, 9000) == DATA[:5000]


def test_wiping_a_reader_changes_nothing_that_was_read():
    """What was returned stays as it is when the reader is wiped, whatever it kept of it."""
    reader = opened(FILE, UNLOCK)
    for sizes in ((10, PIECE), (PIECE, 10), (PIECE, PIECE)):
        found = [reader.read(PIECE, n) for n in sizes]
        reader.wipe()
        assert found == [DATA[PIECE : PIECE + n] for n in sizes]
        reader = opened(FILE, UNLOCK)


@pytest.mark.parametrize("file", [FILE, FILE[:300] + bytes([FILE[300] ^ 1]) + FILE[301:]])
def test_verifying_leaves_no_plaintext(monkeypatch, file):
    """What was decrypted to be checked is wiped, also where it is refused."""
    reader, rooms = opened(file, UNLOCK), []
    real = core.Room
    monkeypatch.setattr(core, "Room", lambda size: rooms.append(real(size)) or rooms[-1])
    for check in (reader.verify, lambda: reader.verify(lambda _: 1 / 0)):
        with contextlib.suppress(ThemisError, ZeroDivisionError):
            check()
    assert [room.part(0, room.size).strip(b"\0") for room in rooms] == [b"", b""]


def test_a_stream_gives_what_it_has():
    """A chunk leaves as soon as a byte of the next has come; closing ends it, also twice."""
    file, given_ = seal(DATA), [0]
    first = len(file) - 30008 - 8 * 44 + 4140 + 1

    def read(n):
        limit = first if given_[0] < first else len(file)
        made = file[given_[0] : min(given_[0] + n, limit)]
        given_[0] += len(made)
        return made

    reader = _sealed.StreamReader(ERRORS, read, UNLOCK)
    assert reader.read_part() == DATA[:4096]
    assert given_ == [first]
    for _ in range(2):
        reader.close()
        with pytest.raises(ThemisValueError, match="closed"):
            reader.read_part()


def test_a_source_that_reads_its_own_stream_is_refused():
    """Re-entering a reader or a writer is an error, and then it is no longer used."""
    source, reader = io.BytesIO(FILE).read, None

    def read(n):
        return source(n) if reader is None else reader.read_part()

    reader = _sealed.StreamReader(ERRORS, read, UNLOCK)
    for _ in range(2):
        with pytest.raises(ThemisValueError, match="interrupted"):
            reader.read_part()
    writer = None
    writer = _sealed.Writer(ERRORS, lambda _: writer and writer.write(b"x"), ONE_KEY)
    with pytest.raises(ThemisValueError, match="failed"):
        writer.write(bytes(1 << 20))


def test_threads_share_a_stream():
    """Threads that write or read one stream lose nothing."""
    parts, read = [], []
    writer = _sealed.Writer(ERRORS, parts.append, ONE_KEY, CONTEXT, log2=12)

    def work(function, *arguments):
        threads = [threading.Thread(target=function, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    work(lambda: [writer.write(bytes([1 + i % 255]) * 700) for i in range(300)])
    writer.finish()
    reader = _sealed.StreamReader(ERRORS, io.BytesIO(b"".join(parts)).read, UNLOCK)
    work(lambda: read.extend(iter(reader.read_part, b"")))
    data = b"".join(read)
    assert len(data) == 4 * 300 * 700
    assert data.count(b"\1") == 4 * 2 * 700


def test_secrets_are_not_shown():
    """What a reader or a writer is given shows in no repr."""
    for given_ in (UNLOCK, ONE_KEY, opened(FILE, UNLOCK)):
        assert KEY not in repr(given_).encode("latin-1")
        assert "kkkk" not in repr(given_)
