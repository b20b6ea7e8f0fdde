# SPDX-License-Identifier: Apache-2.0
"""The data messages of Secure Session: what is read, what is refused, and in which order."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis._core import sessions
from pythemis._themis import ffi, lib
from pythemis.ssession import SecureSessionTypeError, SecureSessionValueError
from support.cells import FEWER, cuts, flips
from support.sessions import (
    CODES,
    OVERHEAD,
    assert_works,
    established,
    open_session,
    refused,
    set_counts,
    set_numbers,
)

DAY = 86400
HALF = 2**31
AT_WRAP = [0, 1, 5, 1000, HALF - 1, HALF, 2**32 - 1024, 2**32 - 3, 2**32 - 1]
FORGED = "authentication failed: the message is corrupted"
LATE = "the message is too late"
AGAIN = "replay: this message was already accepted"
ALL_WRITTEN = "the session is exhausted: it has written 2^32 messages, the limit of its key"
ALL_READ = "the session is exhausted: reject_duplicates can distinguish 2^31 messages, and"
CLIENT, SERVER = established()


@given(message=st.binary(min_size=1, max_size=3000), by_client=st.booleans())
def test_round_trip(message, by_client):
    """Any message comes back, 52 bytes longer in between, never twice the same."""
    writer, reader = (CLIENT, SERVER) if by_client else (SERVER, CLIENT)
    wrapped, again = writer.wrap(message), writer.wrap(message)
    assert type(wrapped) is bytes
    assert len(wrapped) == len(message) + OVERHEAD
    assert wrapped[4:20] != again[4:20]
    assert wrapped[36:] != again[36:]
    text = reader.unwrap(wrapped)
    assert (text, text.is_control()) == (message, False)
    assert not text.is_control
    assert reader.unwrap(again) == message


@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, 65537, (1 << 20) // FEWER])
def test_sizes(size):
    """Messages of any size pass, as any bytes-like object."""
    message = random.Random(size).randbytes(size)
    for kind in (bytes, bytearray, memoryview):
        assert SERVER.unwrap(kind(CLIENT.wrap(kind(message)))) == message


def test_lengths_and_types_that_are_refused():
    """An empty message and a wrong type are refused before anything else."""
    invalid = CODES.INVALID_PARAMETER
    with refused(invalid, "the message has 0 bytes", kind=SecureSessionValueError):
        CLIENT.wrap(b"")
    for call, what in ((CLIENT.wrap, "the message"), (CLIENT.unwrap, "the received message")):
        for wrong in ("text", None, 7, memoryview(b"abcd")[::2]):
            with refused(invalid, f"{what} must be bytes", kind=SecureSessionTypeError):
                call(wrong)
    assert_works(CLIENT, SERVER)


def test_every_byte_flipped():
    """No message with any byte changed is read, but for the four bytes that mean nothing."""
    wrapped = CLIENT.wrap(b"a message of some length")
    for at, message in list(flips(wrapped))[:: FEWER // 10 + 1]:
        if at < 4:
            with refused(CODES.INVALID_PARAMETER, "this message does not belong to this session"):
                SERVER.unwrap(message)
        elif 16 <= at < 20:
            assert SERVER.unwrap(message) == b"a message of some length"
        else:
            with refused(CODES.FAIL, FORGED):
                SERVER.unwrap(message)
    assert SERVER.unwrap(wrapped) == b"a message of some length"


def test_every_truncation_and_surplus():
    """No part of a message is read, nor a message with something behind it."""
    wrapped = CLIENT.wrap(b"a message")
    for message in cuts(wrapped):
        with pytest.raises(SERVER._errors.failed) as caught:
            SERVER.unwrap(message)
        short = len(message) <= OVERHEAD
        codes = {CODES.INVALID_PARAMETER} if short else {CODES.INVALID_PARAMETER, CODES.FAIL}
        assert caught.value.error_code in codes
        assert ("it is too short" in str(caught.value)) == short
    for surplus in (b"\0", bytes(16), wrapped):
        with refused(CODES.FAIL, FORGED):
            SERVER.unwrap(wrapped + surplus)
    assert SERVER.unwrap(wrapped) == b"a message"


def test_messages_of_others():
    """One's own messages and those of another session are refused, and harm nothing."""
    other, other_server = established()
    for session, wrapped in ((CLIENT, CLIENT.wrap(b"own")), (SERVER, SERVER.wrap(b"own"))):
        with refused(CODES.FAIL, "our own reflected back"):
            session.unwrap(wrapped)
    for wrapped in (other.wrap(b"other"), other_server.wrap(b"other")):
        with refused(CODES.INVALID_PARAMETER, "it may belong to another session"):
            SERVER.unwrap(wrapped)
        with refused(CODES.FAIL, FORGED):
            SERVER.unwrap(CLIENT.wrap(b"any")[:4] + wrapped[4:])
    assert_works(CLIENT, SERVER)


# ---- What is inside an authentic message ----


@pytest.fixture
def opened():
    """Give a session whose secrets are known."""
    return open_session()


@pytest.mark.hooks
def test_lengths_inside(opened):
    """An authentic message must tell exactly its own length."""
    first = opened.secrets.client_number
    assert opened.server.unwrap(opened.forge(b"right", first)) == b"right"
    for length in (0, 12, 16, 18, 2**31, 2**32 - 1):
        with refused(
            CODES.DATA_CORRUPT, "the length that the peer wrote does not match its message"
        ):
            opened.server.unwrap(opened.forge(b"wrong", first, length=length))
    assert_works(opened.client, opened.server)


@pytest.mark.hooks
def test_an_authentic_message_without_bytes(opened):
    """A peer cannot send an empty message, however authentic."""
    empty = opened.forge(b"", opened.secrets.client_number)
    assert len(empty) == OVERHEAD
    with refused(CODES.INVALID_PARAMETER, "it is too short"):
        opened.server.unwrap(empty)


@pytest.mark.hooks
def test_clocks_a_day_apart(opened, monkeypatch):
    """Clocks may differ by a day, and not by a second more; any time is compared safely."""
    now, number = 2_000_000_000, opened.secrets.client_number
    monkeypatch.setattr(sessions, "time", lambda: now + 0.75)
    for at in (now - DAY, now - 1, now, now + 1, now + DAY):
        assert opened.server.unwrap(opened.forge(b"m", number, at=at)) == b"m"
    for at in (now - DAY - 1, now + DAY + 1, 0, 1, 2**63, 2**64 - 1, now + 2**32):
        with refused(CODES.FAIL, "check the clocks of both sides"):
            opened.server.unwrap(opened.forge(b"m", number, at=at))


@pytest.mark.hooks
@pytest.mark.parametrize("now", [0, -5.0, DAY])
def test_clocks_that_were_never_set(opened, monkeypatch, now):
    """A clock at 1970, or before, is a clock like any other."""
    monkeypatch.setattr(sessions, "time", lambda: now)
    assert_works(opened.client, opened.server)
    assert opened.server.unwrap(opened.forge(b"m", opened.secrets.client_number, at=0)) == b"m"


@pytest.mark.hooks
def test_messages_carry_the_time(opened, monkeypatch):
    """What is wrapped with the clock set back is refused when the clock is right again."""
    monkeypatch.setattr(sessions, "time", lambda: time.time() - DAY - 60)
    wrapped = opened.client.wrap(b"of yesterday")
    assert opened.server.unwrap(wrapped) == b"of yesterday"
    monkeypatch.undo()
    with refused(CODES.FAIL, "check the clocks of both sides"):
        opened.server.unwrap(wrapped)


# ---- Sequence numbers ----


def read(opened, number):
    """Let the server read a message of this number; tell whether it did."""
    message = b"number %d" % number
    try:
        assert opened.server.unwrap(opened.forge(message, number)) == message
    except opened.server._errors.failed as error:
        if error.error_code != CODES.FAIL or not str(error).startswith((LATE, AGAIN)):
            raise
        return False
    return True


@pytest.mark.hooks
def test_numbers_begin_where_they_are_derived(opened):
    """The first message carries the derived number, the next ones one more each."""
    other = open_session(reject_duplicates=True)
    for shift in range(3):
        assert opened.secrets.client_number == other.secrets.client_number
        number = other.secrets.client_number + shift
        wrapped = other.client.wrap(b"from the writer")
        assert other.server.unwrap(wrapped) == b"from the writer"
        with refused(CODES.FAIL, AGAIN):
            other.server.unwrap(other.forge(b"forged", number))
        assert read(other, number + 1)
        set_numbers(other.client, (number + 1) % 2**32, other.secrets.server_number)
        set_numbers(other.server, other.secrets.server_number, (number + 1) % 2**32)


@pytest.mark.hooks
@pytest.mark.parametrize("first", AT_WRAP)
def test_tolerance(opened, first):
    """By default: up to 8 behind and repeated is read, 9 behind is not, ahead nothing is lost."""
    set_numbers(opened.server, 0, first)
    assert read(opened, first)
    assert read(opened, first + 3)
    assert [read(opened, first + 3 - back) for back in range(11)] == [True] * 9 + [False] * 2
    assert read(opened, first + 3)  # what came late did not move the window back
    assert not read(opened, first + 3 - 9)
    assert read(opened, first + 3 + 1000)
    assert not read(opened, first + 3 + 991)
    assert read(opened, first + 3 + 992)


@pytest.mark.hooks
@pytest.mark.parametrize("first", AT_WRAP)
def test_numbers_before_the_first(opened, first):
    """Before anything was read the window stands at the first number that is due."""
    set_numbers(opened.server, 0, first)
    assert not read(opened, first - 9)
    assert read(opened, first - 8)
    assert read(opened, first + HALF - 1)
    assert read(opened, first + HALF - 9)
    assert not read(opened, first)


@pytest.mark.hooks
@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}])
@pytest.mark.parametrize("first", AT_WRAP)
def test_far_ahead(first, options):
    """Up to 2^31 - 1 ahead is ahead; 2^31 and more is behind."""
    opened = open_session(**options)
    for distance in (HALF, HALF + 1, 2**32 - 1025):
        set_numbers(opened.server, 0, first)
        assert read(opened, first)
        assert not read(opened, first + distance)
        assert read(opened, first + 1)
    for distance in (HALF - 1, HALF - 2, 5000, 2049, 2048, 2047, 1025, 1024):
        set_numbers(opened.server, 0, first)
        assert read(opened, first)
        assert read(opened, first + distance)
        assert not read(opened, first + distance - 1025)


@pytest.mark.hooks
@pytest.mark.parametrize("first", AT_WRAP)
def test_every_number_once(first):
    """With reject_duplicates each is read once, as late as 1024 behind, and not later."""
    opened = open_session(reject_duplicates=True)
    set_numbers(opened.server, 0, first)
    newest = first + 3000
    assert read(opened, first)
    with refused(CODES.FAIL, AGAIN):
        opened.server.unwrap(opened.forge(b"again", first))
    assert read(opened, newest)
    behind = [*range(1030, 0, -1)]
    assert [read(opened, newest - back) for back in behind] == [back <= 1024 for back in behind]
    assert not any(read(opened, newest - back) for back in behind)
    with refused(CODES.FAIL, LATE):
        opened.server.unwrap(opened.forge(b"late", newest - 1025))
    assert read(opened, newest + 1)


@pytest.mark.hooks
@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}])
@pytest.mark.parametrize("seed", range(6))
def test_any_order(seed, options):
    """Whatever arrives in whatever order: the reader does as a plain model of the rules does."""
    opened, once = open_session(**options), bool(options)
    draw = random.Random(f"{seed} {once}")
    first = draw.choice([0, 5, 2**32 - 2000, 2**32 - 10, draw.randrange(2**32)])
    print(f"seed {seed}, first number {first}")
    set_numbers(opened.server, 0, first)
    newest, seen, window = first, set(), 1024 if once else 8
    for _ in range(4000 // FEWER):
        step = draw.choice([1, 1, 1, 2, 0, -1, -2, -7, -8, -9, -100, -1023, -1024, -1025, 40, 3000])
        number = newest + step + draw.choice([0, 0, 0, draw.randrange(-12, 12)])
        expected = number > newest or newest - number <= window
        expected = expected and not (once and number in seen)
        assert read(opened, number) == expected
        if expected:
            seen.add(number)
            newest = max(newest, number)


@pytest.mark.hooks
@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}])
def test_messages_in_order_across_the_wrap(options):
    """The numbers of a writer wrap at 2^32 and its reader goes along, in both directions."""
    client, server = established(**options)
    for start in (2**32 - 20, 2**32 - 1, 0):
        set_numbers(client, start, start)
        set_numbers(server, start, start)
        for turn in range(40):
            text = b"%d" % turn
            assert server.unwrap(client.wrap(text)) == text
            assert client.unwrap(server.wrap(text)) == text


@pytest.mark.hooks
def test_a_session_writes_no_more_than_its_key_may_encrypt():
    """After 2^32 messages it writes none, for ever; the other direction goes on."""
    client, server = established()
    set_counts(client, 2**32 - 1, 0)
    assert server.unwrap(client.wrap(b"the last")) == b"the last"
    for write in (client.wrap, lambda text: client.wrap_into(bytearray(100), text)) * 2:
        with refused(CODES.NOT_SUPPORTED, ALL_WRITTEN):
            write(b"one more")
    assert client.unwrap(server.wrap(b"make a new session")) == b"make a new session"
    assert client.is_established()


@pytest.mark.hooks
@pytest.mark.parametrize("first", AT_WRAP)
def test_a_session_reads_no_more_than_it_can_tell_apart(first):
    """With reject_duplicates no number 2^31 from the first is read, so that none is read twice."""
    opened = open_session(reject_duplicates=True)
    set_numbers(opened.server, opened.secrets.server_number, first)
    end = first + HALF
    assert read(opened, first)
    assert read(opened, end - 3)
    for number in (end, end + 1, end + 1000, end - 4 + HALF):
        for _ in range(2):
            with refused(CODES.NOT_SUPPORTED, ALL_READ):
                opened.server.unwrap(opened.forge(b"beyond", number))
    assert not read(opened, first)
    assert all(read(opened, end - back) for back in (1, 2, 4))
    assert not any(read(opened, end - back) for back in (1, 2, 3, 4))
    with refused(CODES.NOT_SUPPORTED, ALL_READ):
        opened.server.unwrap_into(bytearray(100), opened.forge(b"beyond", end))
    assert not read(opened, first)
    assert opened.client.unwrap(opened.server.wrap(b"make a new session"))


@pytest.mark.hooks
def test_small_steps_use_a_session_up_as_well():
    """What counts is the way that the newest number has come, whatever came in between."""
    opened = open_session(reject_duplicates=True)
    set_numbers(opened.server, 0, 7)
    steps = [1, HALF // 2, 3000, 1, HALF // 2 - 3005]
    assert all(read(opened, 7 + sum(steps[:count])) for count in range(len(steps) + 1))
    assert read(opened, 7 + HALF - 2)
    assert read(opened, 7 + HALF - 1)
    with refused(CODES.NOT_SUPPORTED, ALL_READ):
        opened.server.unwrap(opened.forge(b"beyond", 7 + HALF))


@pytest.mark.hooks
def test_a_session_that_reads_twice_is_never_used_up(opened):
    """Without reject_duplicates the newest number goes on around the circle."""
    set_numbers(opened.server, 0, 0)
    assert all(read(opened, step * (HALF - 1)) for step in range(9))


def test_losing_messages_does_not_end_a_session():
    """Any number of messages may be lost; nothing that was refused moves anything."""
    client, server = established()
    for lost in (1, 8, 9, 100, 5000 // FEWER):
        for _ in range(lost):
            client.wrap(b"lost")
        wrapped = client.wrap(b"arrives")
        with refused(CODES.FAIL, FORGED):
            server.unwrap(wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
        assert server.unwrap(wrapped) == b"arrives"


@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}])
def test_reordered_and_doubled(options):
    """Seven messages in any order, each arriving twice: read twice, or once where so asked."""
    draw, once = random.Random(7), bool(options)
    client, server = established(**options)
    for _ in range(50 // (FEWER // 10 + 1)):
        messages = {client.wrap(b"%d" % number): b"%d" % number for number in range(7)}
        arriving = [*messages] * 2
        draw.shuffle(arriving)
        arrived = []
        for wrapped in arriving:
            if once and messages[wrapped] in arrived:
                with refused(CODES.FAIL, AGAIN):
                    server.unwrap(wrapped)
            else:
                arrived.append(bytes(server.unwrap(wrapped)))
                assert arrived[-1] == messages[wrapped]
        assert sorted(arrived) == sorted([*messages.values()] * (1 if once else 2))


@pytest.mark.hooks
def test_nothing_is_left_in_a_buffer_that_was_refused(opened):
    """What C decrypted and then refused is wiped: number, time and length are judged last."""
    now = int(time.time())
    old = opened.secrets.client_number - 100
    spoiled = opened.forge(b"secret words", old)
    forged = {
        "late": opened.forge(b"secret words", old),
        "time": opened.forge(b"secret words", old, at=1),
        "length": opened.forge(b"secret words", old, length=1),
        "tag": spoiled[:-1] + bytes([spoiled[-1] ^ 1]),
    }
    for wrapped in forged.values():
        out = ffi.new("uint8_t[]", b"x" * 12)
        status = lib.themis_session_unwrap(
            opened.server._held.handle, now, wrapped, len(wrapped), out, 12
        )
        assert status in (CODES.FAIL, CODES.DATA_CORRUPT)
        assert bytes(ffi.buffer(out, 12)) == bytes(12)
