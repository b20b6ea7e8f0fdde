# SPDX-License-Identifier: Apache-2.0
"""Secure Session as users really write it, and as the feature guide does."""

import copy
import gc
import pickle
import warnings

import numpy as np
import pytest

from pythemis import ssession
from pythemis.exception import ThemisError
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.ssession import (
    MemoryTransport,
    SecureSessionError,
    SecureSessionTypeError,
    SecureSessionValueError,
    SessionState,
    SimpleMemoryTransport,
    SSession,
    SString,
    peer_id_of,
)
from support.sessions import (
    CLIENT,
    CODES,
    OVERHEAD,
    SERVER,
    assert_works,
    established,
    key_pair,
    negotiate,
    parties,
    refused,
)
from support.warned import as_errors

UNKNOWN = CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
CLIENT_PRIVATE, CLIENT_PUBLIC = key_pair("p256")
SERVER_PRIVATE, SERVER_PUBLIC = key_pair("p256_b")


class Wire:
    """A transport as users write it: no base class, two lists, and a habit for each kind."""

    def __init__(self, keys, kind=bytes):
        self.keys, self.kind = keys, kind
        self.inbox, self.outbox = [], []
        self.asked = []

    def send(self, message):
        self.outbox.append(message)

    def receive(self, max_length):
        self.asked.append(max_length)
        return self.kind(self.inbox.pop(0))

    def get_pub_key_by_id(self, peer_id):
        return self.keys.get(peer_id, b"")


def wired(kind=bytes, **options):
    """Establish two sessions over wires with the callback-oriented API."""
    one, other = Wire({SERVER: SERVER_PUBLIC}, kind), Wire({CLIENT: CLIENT_PUBLIC}, kind)
    one.inbox, other.inbox = other.outbox, one.outbox
    client = SSession(CLIENT, CLIENT_PRIVATE, one, **options)
    server = SSession(SERVER, SERVER_PRIVATE, other, **options)
    client.connect()
    while not (client.is_established() and server.is_established()):
        for session, wire in ((server, other), (client, one)):
            if wire.inbox:
                assert session.receive() == b""
    return client, server, one, other


# ---- The feature guide ----


def test_buffer_aware_api():
    """The guide's buffer-aware API: connect_request, unwrap until established, wrap, unwrap."""
    alice_keypair, bob_keypair = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))

    class SessionCallbacks(object):  # noqa: UP004  (as the guide has it)
        def get_pub_key_by_id(self, peer_id):
            known = {
                b"Alice": alice_keypair.export_public_key(),
                b"Bob": bob_keypair.export_public_key(),
            }
            if peer_id not in known:
                return b""
            return known[peer_id]

    callbacks = SessionCallbacks()
    session = SSession(b"Alice", alice_keypair.export_private_key(), callbacks)
    bob = SSession(b"Bob", bob_keypair.export_private_key(), callbacks)

    mail = [bob.unwrap(session.connect_request())]
    while not session.is_established():
        request = mail.pop()
        reply = session.unwrap(request)
        if reply:
            mail.append(bob.unwrap(reply))

    message = b"a message"
    encrypted_message = session.wrap(message)
    assert bob.unwrap(encrypted_message) == message
    with pytest.raises(ThemisError, match="our own reflected back"):
        session.unwrap(encrypted_message)


def test_callback_oriented_api():
    """The guide's callback-oriented API: connect, receive until established, send, receive."""
    client, server, _, _ = wired()
    message = b"a message"
    client.send(message)
    assert server.receive() == message
    server.send(b"an answer")
    assert client.receive() == b"an answer"


def test_is_established_as_old_programs_compare_it():
    """is_established() compares with 1, 0, True and False."""
    client, server = parties()
    assert client.is_established() == 0
    assert client.is_established() is False
    negotiate(client, server)
    assert client.is_established() == 1
    assert client.is_established() is True


def test_replies_and_messages_are_told_apart():
    """Unwrap gives an SString whose is_control says what it is, read or called."""
    client, server = parties()
    second = server.unwrap(client.connect_request())
    third = client.unwrap(second)
    fourth = server.unwrap(third)
    for reply in (second, third, fourth):
        assert isinstance(reply, SString)
        assert reply.is_control
        assert reply.is_control() is True
    last = client.unwrap(fourth)
    assert (last, type(last), bool(last.is_control)) == (b"", SString, False)
    text = server.unwrap(client.wrap(b"text"))
    assert (type(text), text + b"!", text.is_control()) == (SString, b"text!", False)
    assert repr(text.is_control) == "False"


@pytest.mark.parametrize("made", [SString, type("Own", (SString,), {"__slots__": ()})])
def test_old_programs_set_what_a_text_is(made):
    """set_control() and unset_control() change one text, and no other."""
    text, other = made(b"text"), made(b"text")
    text.set_control()
    assert (text.is_control, text.is_control(), other.is_control()) == (True, True, False)
    for again in (copy.copy(text), pickle.loads(pickle.dumps(text))) if made is SString else ():
        assert (again, again.is_control()) == (b"text", True)
    text.unset_control()
    assert (text, text.is_control()) == (b"text", False)
    client, server = parties()
    reply = server.unwrap(client.connect_request())
    reply.unset_control()
    assert reply.is_control() is False


# ---- Transports ----


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("size", [1, 5000, 3 << 20])
def test_transports_return_any_bytes_like(kind, size):
    """Receive may return bytes, bytearray or memoryview, of more bytes than were asked for."""
    client, server, _, _ = wired(kind)
    text = b"m" * size
    assert client.send(text) == size
    received = server.receive()
    assert (received, type(received)) == (text, bytes)
    server.send(text)
    assert client.receive(max_length=1) == text


def test_what_a_transport_is_asked_for():
    """Receive asks for max_length and what surrounds a message, and enough to negotiate."""
    client, server, _, other = wired()
    for asked, told in ((None, (1 << 20) + 52), (10, 2100), (2048, 2100), (10_000, 10_052)):
        client.send(b"x")
        server.receive() if asked is None else server.receive(asked)
        assert other.asked[-1] == told


@pytest.mark.parametrize("nothing", [None, b"", bytearray()])
def test_a_transport_that_received_nothing(nothing):
    """Nothing received is an error that says so, and the session goes on."""
    client, server, _, other = wired()
    other.receive = lambda _: nothing
    with refused(CODES.SSESSION_TRANSPORT_ERROR, "the transport received nothing"):
        server.receive()
    del other.receive
    client.send(b"after")
    assert server.receive() == b"after"


def test_a_transport_that_returns_something_else():
    """Text, or a number, is refused for its type."""
    _, server, _, other = wired()
    for wrong in ("text", 5):
        other.receive = lambda _, wrong=wrong: wrong
        says = "the received message must be bytes"
        with refused(CODES.INVALID_PARAMETER, says, kind=SecureSessionTypeError):
            server.receive()


def test_an_asynchronous_transport_is_refused():
    """What nobody awaits is not sent; the words name the module that does."""
    client, server, one, other = wired()

    async def answer(_):
        raise AssertionError

    one.send = other.receive = answer
    for call, name in ((lambda: client.send(b"x"), "send"), (server.receive, "receive")):
        says = (
            f"the transport's {name} is asynchronous, and a session does not await it; pythemis.as"
        )
        with warnings.catch_warnings():
            as_errors()
            with refused(CODES.NETWORK_ERROR, says, kind=SecureSessionTypeError):
                call()
            gc.collect()
    del one.send, other.receive
    client.send(b"after")
    assert server.receive() == b"after"


def test_what_a_transport_raises_is_the_cause():
    """Whatever send and receive raise comes as the cause of a NETWORK_ERROR; the session lives."""
    client, server, one, other = wired()
    broken = OSError("no route")

    def fail(_):
        raise broken

    one.send, other.receive = fail, fail
    with refused(CODES.NETWORK_ERROR, "the transport failed to send: OSError('no route')") as sent:
        client.send(b"x")
    with refused(CODES.NETWORK_ERROR, "the transport failed to receive: OSError") as received:
        server.receive()
    assert sent.value.__cause__ is received.value.__cause__ is broken
    del one.send, other.receive
    client.send(b"after")
    assert server.receive() == b"after"


def test_errors_within_errors_stay_short():
    """A transport that asks sessions in their turn shows the first error's beginning."""
    wire = Wire({})
    for _ in range(15):
        inner, wire = SSession(CLIENT, CLIENT_PRIVATE, wire), Wire({})
        wire.receive = wire.send = lambda _, inner=inner: inner.receive()
    session = SSession(CLIENT, CLIENT_PRIVATE, wire)
    for call in (session.receive, session.connect):
        with refused(
            CODES.NETWORK_ERROR, "the transport failed to receive: SecureSession"
        ) as caught:
            call()
        assert len(str(caught.value)) < 400


def test_what_ends_a_program_goes_through():
    """KeyboardInterrupt and SystemExit in a callback pass through unchanged."""
    client, _, one, _ = wired()

    def interrupt(_):
        raise KeyboardInterrupt

    one.send = one.receive = interrupt
    for call in (lambda: client.send(b"x"), client.receive):
        with pytest.raises(KeyboardInterrupt):
            call()


def test_a_connect_that_could_not_be_sent():
    """If the first message could not be sent, the error says so; a new session connects."""
    wire = Wire({})
    client = SSession(CLIENT, CLIENT_PRIVATE, wire)
    wire.send = None
    with refused(CODES.NETWORK_ERROR, "the transport failed to send"):
        client.connect()
    with refused(CODES.INVALID_PARAMETER, "a session negotiates once"):
        client.connect()


def test_a_transport_without_methods():
    """A transport that lacks a method is reported as a failure of that callback."""
    client, _ = parties()
    server = SSession(SERVER, SERVER_PRIVATE, None)
    with refused(UNKNOWN, "get_pub_key_by_id failed for the peer b'client'") as caught:
        server.unwrap(client.connect_request())
    assert isinstance(caught.value.__cause__, AttributeError)
    for name, call in (("send", server.connect), ("receive", server.receive)):
        with refused(CODES.NETWORK_ERROR, f"the transport has no method {name}, which") as caught:
            call()
        assert isinstance(caught.value.__cause__, AttributeError)
    assert server.state is SessionState.IDLE


@pytest.mark.parametrize(
    "transport", [{SERVER: SERVER_PUBLIC}, SERVER_PUBLIC, lambda _: SERVER_PUBLIC, object()]
)
def test_what_is_no_transport_is_refused_at_once(transport):
    """Without get_pub_key_by_id no session can ever be established, so none is made."""
    kind = type(transport).__name__
    words = f"the method get_pub_key_by_id, as SimpleMemoryTransport({{id: key}}) has; {kind} has"
    with refused(CODES.INVALID_PARAMETER, words, kind=SecureSessionTypeError):
        SSession(CLIENT, CLIENT_PRIVATE, transport)


@pytest.mark.parametrize("answer", [b"", None, bytearray()])
def test_no_public_key(answer):
    """get_pub_key_by_id says b'' or None for whom it does not know; later it may know him."""
    client, _ = parties()

    class Learning:
        key = answer

        def get_pub_key_by_id(self, _):
            return self.key

    transport = Learning()
    server = SSession(SERVER, SERVER_PRIVATE, transport)
    request = client.connect_request()
    with refused(UNKNOWN, "knows no public key of the peer b'client'") as caught:
        server.unwrap(request)
    assert caught.value.__cause__ is None
    assert server.state is SessionState.IDLE
    transport.key = memoryview(CLIENT_PUBLIC)
    client.unwrap(server.unwrap(request))


def test_a_key_that_is_not_bytes():
    """Whatever a callback returns, the peer is refused with the code of the callback."""
    request = parties()[0].connect_request()
    released = memoryview(CLIENT_PUBLIC)
    released.release()
    for wrong in ("text", 5, released, memoryview(CLIENT_PUBLIC)[::2], np.array([None])):
        server = SSession(SERVER, SERVER_PRIVATE, Wire({CLIENT: wrong}))
        words = f"get_pub_key_by_id must return bytes, not {type(wrong).__name__}"
        with refused(UNKNOWN, words) as caught:
            server.unwrap(request)
        assert type(caught.value.__cause__) is SecureSessionTypeError


def test_a_first_message_that_is_not_bytes():
    """It is refused for its type; numbers that are bytes to C are no connect request."""
    released = memoryview(b"x")
    released.release()
    for wrong in ("text", released, memoryview(bytes(8))[::2], np.array([None])):
        for take in (parties()[1].unwrap, peer_id_of):
            with refused(CODES.INVALID_PARAMETER, "must be", kind=SecureSessionTypeError):
                take(wrong)
    with refused(CODES.INVALID_PARAMETER, "this is not a connect request"):
        parties()[1].unwrap(np.zeros(9, "M8[s]"))


def test_a_raising_key_callback():
    """What get_pub_key_by_id raises is the cause, and its own error code does not leak."""
    client, _ = parties()
    cause = KeyError("client")

    class Raising(MemoryTransport):
        def get_pub_key_by_id(self, _user_id):
            raise cause

    server = SSession(SERVER, SERVER_PRIVATE, Raising())
    with refused(UNKNOWN, "get_pub_key_by_id failed for the peer b'client'") as caught:
        server.unwrap(client.connect_request())
    assert caught.value.__cause__ is cause


def test_a_key_callback_is_asked_once_for_each_first_message():
    """The key is asked for when a first message comes, and not with every message."""
    asked = []

    class Counting(SimpleMemoryTransport):
        def get_pub_key_by_id(self, user_id):
            asked.append(user_id)
            assert type(user_id) is bytes
            return super().get_pub_key_by_id(user_id)

    client = SSession(CLIENT, CLIENT_PRIVATE, Counting(SERVER, SERVER_PUBLIC))
    server = SSession(SERVER, SERVER_PRIVATE, Counting(CLIENT, CLIENT_PUBLIC))
    negotiate(client, server)
    assert_works(client, server)
    assert asked == [CLIENT, SERVER]


def test_simple_memory_transport():
    """One peer, a mapping or pairs; anything else is refused for its type."""
    for transport in (
        SimpleMemoryTransport(b"a", CLIENT_PUBLIC),
        SimpleMemoryTransport({b"a": CLIENT_PUBLIC}),
        SimpleMemoryTransport([(b"a", CLIENT_PUBLIC)]),
    ):
        assert transport.get_pub_key_by_id(b"a") == CLIENT_PUBLIC
        assert transport.get_pub_key_by_id(b"b") is None
    with refused(CODES.INVALID_PARAMETER, "give ids and public", kind=SecureSessionTypeError):
        SimpleMemoryTransport(b"a")


def test_memory_transport_is_abstract():
    """A subclass of MemoryTransport must say where keys come from."""
    with pytest.raises(TypeError, match="get_pub_key_by_id"):
        MemoryTransport()


# ---- What a session tells ----


def test_remote_id():
    """Both learn who the other is, when he has proved it and not before."""
    client, server = parties()
    second = server.unwrap(client.connect_request())
    assert (client.remote_id, server.remote_id) == (None, None)
    third = client.unwrap(second)
    assert client.remote_id is None
    fourth = server.unwrap(third)
    client.unwrap(fourth)
    assert (client.remote_id, server.remote_id) == (SERVER, CLIENT)
    client.close()
    assert client.remote_id is None


def test_peer_id_of():
    """The id that a connect request claims can be read without a session, from any bytes."""
    client, server = parties()
    request = client.connect_request()
    assert peer_id_of(request) == peer_id_of(memoryview(request)) == CLIENT
    assert peer_id_of(server.unwrap(request)) == SERVER
    with refused(CODES.INVALID_PARAMETER, "must be bytes", kind=SecureSessionTypeError):
        peer_id_of("text")


def test_state():
    """The state goes its way, has a name, and stays CLOSED at the end."""
    client, server = parties()
    assert (client.state, server.state) == (SessionState.IDLE, SessionState.IDLE)
    third = client.unwrap(server.unwrap(client.connect_request()))
    assert client.state is SessionState.WAITING_FOR_4
    assert server.state.name == "WAITING_FOR_3"
    client.unwrap(server.unwrap(third))
    assert client.state is server.state is SessionState.ESTABLISHED
    with client as entered:
        assert entered is client
    client.close()
    assert client.state is SessionState.CLOSED
    assert not client.is_established()


def test_a_closed_session_refuses():
    """Every use of a closed session is an error that says so."""
    client, server, one, _ = wired()
    wrapped = server.wrap(b"x")
    one.inbox.append(wrapped)
    client.close()
    calls = [
        client.connect_request,
        client.connect,
        client.receive,
        lambda: client.wrap(b"x"),
        lambda: client.unwrap(wrapped),
        lambda: client.send(b"x"),
    ]
    for call in calls:
        with refused(CODES.INVALID_PARAMETER, "SSession is closed", kind=SecureSessionValueError):
            call()


def test_repr_and_copies():
    """A session shows nothing of itself, and is neither pickled nor copied."""
    client, _ = established()
    assert repr(client) == "<pythemis.ssession.SSession>"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a secret and cannot be pickled or copied"):
            attempt(client)
    client.close()
    assert repr(client) == "<pythemis.ssession.SSession (closed)>"


def test_errors_can_be_pickled():
    """What a session raises crosses process boundaries with its code."""
    client, _ = parties()
    with refused(CODES.SSESSION_KA_NOT_FINISHED, "not established yet") as caught:
        client.wrap(b"x")
    back = pickle.loads(pickle.dumps(caught.value))
    assert (type(back), back.error_code, str(back)) == (
        SecureSessionError,
        caught.value.error_code,
        str(caught.value),
    )


def test_a_memory_transport_is_a_queue():
    """Two sessions negotiate and talk over one, and see what is under way."""
    known = SimpleMemoryTransport({CLIENT: CLIENT_PUBLIC, SERVER: SERVER_PUBLIC})
    client = SSession(CLIENT, CLIENT_PRIVATE, known)
    server = SSession(SERVER, SERVER_PRIVATE, known)
    client.connect()
    for reader in (server, client, server, client):
        assert len(known.message_list) == 1
        assert reader.receive() == b""
    assert client.send(memoryview(b"one two ").cast("Q")) == 8
    assert client.send(bytearray(b"three")) == 5
    assert [len(message) for message in known.message_list] == [8 + OVERHEAD, 5 + OVERHEAD]
    known.message_list.reverse()
    assert [server.receive(1), server.receive()] == [b"three", b"one two "]
    with refused(CODES.SSESSION_TRANSPORT_ERROR, "the transport received nothing"):
        server.receive()


def test_a_memory_transport_of_ones_own():
    """A subclass has a queue without calling __init__, each object its own, and may replace it."""

    class Own(MemoryTransport):
        def __init__(self):
            """Forget the one of the base."""

        def get_pub_key_by_id(self, _):
            return b""

    one, other = Own(), Own()
    buffer = bytearray(b"first")
    assert (one.send(buffer), one.send(b"second")) == (5, 6)
    buffer[:] = b"XXXXX"
    assert one.message_list == [b"first", b"second"]
    assert (one.receive(1), other.receive(1), other.message_list) == (b"first", b"", [])
    other.message_list = one.message_list
    assert other.receive(1000) == b"second"
    assert one.receive(1000) == b""
    with refused(CODES.INVALID_PARAMETER, "must be bytes", kind=SecureSessionTypeError):
        one.send("text")


# ---- Views of the caller's buffers ----


def test_buffers_are_let_go_of():
    """After every call, also a refused one, a bytearray can be resized while the error lives."""
    client, server = established()
    kept = []
    wrapped = bytearray(client.wrap(bytearray(b"text")))
    damaged = bytearray(wrapped)
    damaged[-1] ^= 1
    fresh, _ = parties()
    for call, buffer in (
        (server.unwrap, damaged),
        (client.wrap, bytearray()),
        (fresh.unwrap, bytearray(b"garbage")),
        (fresh.wrap, bytearray(b"too early")),
        (peer_id_of, bytearray(b"garbage")),
        (lambda key: SSession(b"id", key, None), bytearray(b"no key")),
        (lambda name: SSession(name, CLIENT_PRIVATE, None), bytearray()),
    ):
        with pytest.raises(SecureSessionError) as caught:
            call(buffer)
        kept.append(caught)
        buffer.append(0)
    assert server.unwrap(wrapped) == b"text"
    wrapped.append(0)
    gc.collect()


# ---- Old names ----


@pytest.mark.parametrize(
    ("old", "new"),
    [("ssession", "SSession"), ("sstring", "SString"), ("mem_transport", "MemoryTransport")],
)
def test_old_names(old, new):
    """The lower-case names of old programs are there, and are what they stood for."""
    assert issubclass(getattr(ssession, old), getattr(ssession, new))


def test_the_old_name_of_text_makes_text():
    """A `sstring` of old programs is made of bytes, and warns."""
    with pytest.warns(DeprecationWarning, match="sstring is deprecated, use SString"):
        assert ssession.sstring(b"text") == SString(b"text")


def test_old_names_work_and_warn():
    """A program of old works from end to end, with a DeprecationWarning."""

    class Transport(ssession.mem_transport):
        def __init__(self, key):
            self.key = key

        def get_pub_key_by_id(self, _):
            return self.key

    with pytest.warns(DeprecationWarning, match="ssession is deprecated, use SSession"):
        client = ssession.ssession(CLIENT, CLIENT_PRIVATE, Transport(SERVER_PUBLIC))
    with pytest.warns(DeprecationWarning, match="ssession is deprecated"):
        server = ssession.ssession(SERVER, SERVER_PRIVATE, Transport(CLIENT_PUBLIC))
    negotiate(client, server)
    assert_works(client, server)


def test_new_names_do_not_warn():
    """Nobody who writes the new names is warned."""
    with warnings.catch_warnings():
        as_errors()
        client, server = established()
        assert_works(client, server)
