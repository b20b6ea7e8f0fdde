# SPDX-License-Identifier: Apache-2.0
"""SocketTransport: frames on a stream, and what streams do to them."""

import contextlib
import os
import socket
import ssl
import struct
import threading
import time

import numpy as np
import pytest

from pythemis.ssession import SecureSessionTypeError, SSession
from pythemis.stransport import SocketTransport, frame, frame_size
from support.connections import connected, socket_pair
from support.memory import traced, tracemalloc
from support.sessions import CLIENT, CODES, SERVER, key_pair, refused


@pytest.fixture
def pair():
    """Give a transport with a maximum of 1000 bytes and short patience, and the bare other end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(30)
    with SocketTransport(ours, {}, max_size=1000, timeout=0.2) as transport, theirs:
        yield transport, theirs


def test_a_frame_is_the_length_and_the_message():
    """u32be length, then the message: what other languages have to speak."""
    assert frame(b"message") == b"\0\0\0\7message"
    assert frame_size(b"\0\0\1\2") == 258
    assert frame_size(b"\0\0\0\1", 1) == 1
    with pytest.raises(ValueError, match="must have 1 to"):
        frame(b"")


def test_frames_count_bytes(pair):
    """Not the items of a view; and what is no header of four bytes is no size."""
    transport, theirs = pair
    numbers = memoryview(bytes(8)).cast("I")
    assert frame(numbers) == b"\0\0\0\x08" + bytes(8)
    transport.send(numbers)
    assert theirs.recv(100) == frame(numbers)
    assert frame_size(memoryview(b"\0\0\0\x08")) == 8
    for header in (b"", b"\0\0\1", b"\0\0\0\0\1"):
        with pytest.raises(ValueError, match=f"a header has 4 bytes, and this has {len(header)}"):
            frame_size(header)


def test_what_is_not_bytes_is_not_framed(pair):
    """Text and numbers are refused for their type."""
    for call, what in ((frame, "message"), (pair[0].send, "message"), (frame_size, "header")):
        for wrong in ("text", 5, np.array([None])):
            words = f"the {what} must be bytes"
            with refused(CODES.INVALID_PARAMETER, words, kind=SecureSessionTypeError):
                call(wrong)


@pytest.mark.parametrize("size", [0, 11, 2**32 - 1])
def test_frame_sizes_that_are_refused(size):
    """An empty frame, and one longer than the reader's limit, end the stream."""
    words = rf"a frame of {size} bytes; it must have 1 to 10; does the peer send frames"
    with pytest.raises(ConnectionAbortedError, match=words):
        frame_size(struct.pack(">I", size), 10)


def test_what_is_sent_is_a_frame(pair):
    """The transport writes frames and nothing else."""
    transport, theirs = pair
    transport.send(b"one")
    transport.send(b"twotwo")
    transport.close()
    assert theirs.makefile("rb").read() == frame(b"one") + frame(b"twotwo")


def test_frames_in_any_pieces(pair):
    """However the stream cuts and joins frames, messages come out as they went in."""
    transport, theirs = pair
    transport._timeout = 30
    messages = [b"a", b"bc" * 50, b"d" * 1000]
    stream = b"".join(map(frame, messages))
    theirs.sendall(stream)
    assert [transport.receive() for _ in messages] == messages

    def drip():
        for byte in stream[:120]:
            theirs.sendall(bytes([byte]))
        theirs.sendall(stream[120:])

    thread = threading.Thread(target=drip)
    thread.start()
    assert [transport.receive(5) for _ in messages] == messages
    thread.join()


def test_the_largest_message(pair):
    """max_size bytes go in and out; one more is refused, in sending before anything is sent."""
    transport, theirs = pair
    transport.send(b"x" * 1000)
    for wrong in (b"x" * 1001, b""):
        with pytest.raises(ValueError, match="a frame must have 1 to 1000"):
            transport.send(wrong)
    transport.send(b"y")
    assert theirs.makefile("rb").read(1009) == frame(b"x" * 1000) + frame(b"y")
    theirs.sendall(frame(b"z" * 1000) + frame(b"z" * 1001))
    assert transport.receive() == b"z" * 1000
    with pytest.raises(ConnectionAbortedError, match="a frame of 1001 bytes"):
        transport.receive()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        bytes(8),
        b"\xff" * 8,
    ],
    ids=["HTTP", "TLS", "zeros", "ones"],
)
def test_garbage(pair, garbage):
    """What is no frame is refused from its first four bytes, without waiting for more."""
    transport, theirs = pair
    theirs.sendall(garbage)
    for _ in range(2):  # and there is no way back into step
        with pytest.raises(ConnectionAbortedError, match="it must have 1 to 1000"):
            transport.receive()


@traced
def test_a_header_alone_takes_no_memory():
    """Memory grows by what arrives: a promise of 4 GiB costs nothing."""
    ours, theirs = socket.socketpair()
    with SocketTransport(ours, {}, max_size=2**32 - 1, timeout=0.05) as transport, theirs:
        theirs.sendall(b"\xff\xff\xff\xff" + b"x" * 100)
        tracemalloc.start()
        with pytest.raises(TimeoutError):
            transport.receive()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 1 << 20


def test_the_end_of_the_stream(pair):
    """Closed between two messages is an end; closed within one is a cut."""
    transport, theirs = pair
    theirs.sendall(frame(b"last"))
    theirs.shutdown(socket.SHUT_WR)
    assert transport.receive() == b"last"
    with pytest.raises(EOFError):
        transport.receive()
    transport.send(b"the other direction is open still")
    assert theirs.recv(100).endswith(b"still")


@pytest.mark.parametrize("cut", [1, 3, 4, 10])
def test_a_message_that_is_cut(pair, cut):
    """A stream that ends within a header or a message is reported as an error, not as an end."""
    transport, theirs = pair
    theirs.sendall(frame(b"a message")[:cut])
    theirs.close()
    with pytest.raises(ConnectionResetError, match="within a message"):
        transport.receive()


def test_receiving_goes_on_after_a_timeout(pair):
    """A message that comes too slowly times out, what came is kept, and the next call goes on."""
    transport, theirs = pair
    stream = frame(b"slow message") + frame(b"next")
    for piece in (stream[:2], stream[2:9]):
        theirs.sendall(piece)
        start = time.monotonic()
        words = r"^no complete message arrived within 0\.2 seconds; what arrived is kept$"
        with pytest.raises(TimeoutError, match=words):
            transport.receive()
        assert 0.1 < time.monotonic() - start < 20
    theirs.sendall(stream[9:])
    assert [transport.receive(), transport.receive()] == [b"slow message", b"next"]


@contextlib.contextmanager
def rescued(connection):
    """Cut a connection after a while, so that a test which would wait for ever fails."""
    timer = threading.Timer(30, connection.shutdown, [socket.SHUT_RDWR])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@pytest.fixture(params=["settimeout", "setdefaulttimeout", "SO_RCVTIMEO"])
def impatient(request):
    """Give a transport over a socket that itself waits for 0.2 seconds, and the bare other end."""
    before = socket.getdefaulttimeout()
    if request.param == "setdefaulttimeout":
        socket.setdefaulttimeout(0.2)
    ours, theirs = socket.socketpair()
    socket.setdefaulttimeout(before)
    theirs.settimeout(30)
    if request.param == "settimeout":
        ours.settimeout(0.2)
    if request.param == "SO_RCVTIMEO":
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", 0, 200_000))
    with SocketTransport(ours, {}) as transport, theirs, rescued(theirs):
        yield transport, theirs


@pytest.mark.skipif(os.name == "nt", reason="the system takes milliseconds")
def test_the_time_limit_of_a_socket_is_kept(impatient):
    """Unless it is given, the timeout is the one that the socket has, however it was set."""
    transport, theirs = impatient
    for piece in (b"", frame(b"slow")[:6]):
        theirs.sendall(piece)
        start = time.monotonic()
        with pytest.raises(TimeoutError, match=r"^no complete message arrived within 0\.2 seconds"):
            transport.receive()
        assert 0.1 < time.monotonic() - start < 20
    theirs.sendall(frame(b"slow")[6:])
    assert transport.receive() == b"slow"
    with pytest.raises(
        TimeoutError, match=r"^the message was not sent completely within 0\.2 seconds$"
    ):
        transport.send(b"x" * (10 << 20))


def test_a_timeout_that_is_given_counts():
    """The socket's own is not looked at, whether it is shorter or longer."""
    for own, given in ((0.05, 0.2), (60, 0.1), (0, 0.1)):
        ours, theirs = socket.socketpair()
        ours.settimeout(own)
        late_error = pytest.raises(TimeoutError, match=f"within {given} seconds")
        with SocketTransport(ours, {}, timeout=given) as transport, theirs, late_error:
            transport.receive()
    ours, theirs = socket.socketpair()
    ours.settimeout(0.05)
    with SocketTransport(ours, {}, timeout=None) as transport, theirs:
        thread = threading.Timer(0.3, theirs.sendall, [frame(b"late")])
        thread.start()
        assert transport.receive() == b"late"
        thread.join()


def test_a_socket_that_does_not_wait_needs_a_timeout():
    """A non-blocking socket has no time limit: neither for ever nor not at all is assumed."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        with pytest.raises(ValueError, match="the socket is non-blocking, so it has no time limit"):
            SocketTransport(ours, {})
        theirs.sendall(frame(b"message"))
        assert SocketTransport(ours, {}, timeout=None).receive() == b"message"


def test_a_limit_that_is_set_later_counts_from_the_next_call():
    """The program may still call settimeout, and setblocking(True) for no limit."""
    ours, theirs = socket.socketpair()
    with SocketTransport(ours, {}) as transport, theirs, rescued(theirs):
        for limit in (0.05, 0.1):
            ours.settimeout(limit)
            with pytest.raises(TimeoutError, match=f"within {limit} seconds"):
                transport.receive()
        ours.setblocking(True)
        thread = threading.Timer(0.3, theirs.sendall, [frame(b"late")])
        thread.start()
        assert transport.receive() == b"late"
        thread.join()


@pytest.mark.parametrize("setting", [None, 0.01, 30, 0], ids=str)
def test_settimeout_in_the_middle_of_a_frame(pair, setting):
    """Whatever the program makes of the socket meanwhile, the call keeps its time and its bytes."""
    transport, theirs = pair
    for _ in range(3):
        stream = frame(b"a message in the middle")
        outcome = []

        def receive(outcome=outcome):
            start = time.monotonic()
            try:
                outcome.append(transport.receive())
            except TimeoutError as error:
                outcome.append((str(error), time.monotonic() - start))

        thread = threading.Thread(target=receive, daemon=True)
        thread.start()
        theirs.sendall(stream[:2])
        time.sleep(0.05)
        transport._socket.settimeout(setting)
        theirs.sendall(stream[2:7])
        thread.join(20)
        assert not thread.is_alive()
        [(words, took)] = outcome
        assert words == "no complete message arrived within 0.2 seconds; what arrived is kept"
        assert 0.1 < took < 20
        transport._socket.settimeout(setting)
        theirs.sendall(stream[7:])
        assert transport.receive() == b"a message in the middle"
        transport._socket.settimeout(setting)
        transport.send(b"reply")
        assert theirs.recv(100) == frame(b"reply")


def test_the_timeout_is_for_a_whole_message(pair):
    """A peer who drips bytes does not hold us for longer than the timeout."""
    transport, theirs = pair
    stop = threading.Event()

    def drip():
        theirs.sendall(struct.pack(">I", 1000))
        while not stop.wait(0.02):
            theirs.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(TimeoutError):
            transport.receive()
    finally:
        stop.set()
        thread.join()


def test_a_peer_who_does_not_read():
    """Sending to him times out; once a part is on its way nothing else can follow."""
    ours, theirs = socket.socketpair()
    with SocketTransport(ours, {}, timeout=0.2) as transport, theirs:
        words = r"^the message was not sent completely within 0\.2 seconds$"
        with pytest.raises(TimeoutError, match=words):
            transport.send(b"x" * (10 << 20))
        with pytest.raises(ConnectionAbortedError, match="sent only in part"):
            transport.send(b"y")


def test_nothing_sent_is_no_harm():
    """A message that timed out before its first byte leaves the stream whole."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(30)
    with SocketTransport(ours, {}, timeout=0.1) as transport, theirs:
        filled = 0
        try:
            while True:
                filled += ours.send(b"f" * 65536)
        except BlockingIOError:
            pass
        try:
            while True:
                filled += ours.send(b"f")
        except BlockingIOError:
            pass
        with pytest.raises(TimeoutError):
            transport.send(b"too early")
        left = filled
        while left:
            left -= len(theirs.recv(min(left, 65536)))
        transport.send(b"now")
        assert theirs.recv(100) == frame(b"now")


def test_a_half_open_peer():
    """A connection that was reset says so, in sending and in receiving."""
    server = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(server.getsockname())
    theirs, _ = server.accept()
    server.close()
    with SocketTransport(ours, {}, timeout=5) as transport:
        reset(theirs)
        with pytest.raises(ConnectionResetError):
            transport.receive()
        with pytest.raises(OSError, match=r"\w"):
            transport.send(b"into nothing")


def test_a_closed_transport():
    """After close(), which may be called again, everything is an OSError."""
    transport = SocketTransport(socket.socketpair()[0], {})
    transport.close()
    transport.close()
    for call in (transport.receive, lambda: transport.send(b"x")):
        with pytest.raises(OSError, match=r"\w"):
            call()


@pytest.mark.parametrize(
    "options",
    [
        *({"max_size": size} for size in (0, -1, 2**32)),
        *({"timeout": time} for time in (0, -1, float("nan"), float("inf"), 2_000_001)),
    ],
    ids=str,
)
def test_impossible_options(options):
    """A maximum or timeout that cannot be is refused at once."""
    one, other = socket.socketpair()
    with one, other, pytest.raises(ValueError, match="must be"):
        SocketTransport(one, {}, **options)


@pytest.mark.parametrize(
    "options", [{"max_size": "x"}, {"max_size": 1e6}, {"timeout": "3"}, {"timeout": 3j}], ids=str
)
def test_options_that_are_no_numbers(options):
    """They are refused at once, by their names."""
    [(name, value)] = options.items()
    one, other = socket.socketpair()
    words = f"{name} must be an? .*, not {type(value).__name__}$"
    with one, other, pytest.raises(TypeError, match=words):
        SocketTransport(one, {}, **options)


@pytest.mark.parametrize("wrong", [("127.0.0.1", 1), None, 5], ids=repr)
def test_what_is_no_socket(wrong):
    """An address is no connection yet."""
    words = f"the connection must be a connected socket, not {type(wrong).__name__}"
    with pytest.raises(TypeError, match=words):
        SocketTransport(wrong, {})


def test_sockets_that_are_not_connected():
    """One that listens, or was just made, is refused at once; one that was reset is not."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as fresh:
        for wrong, words in ((server, "is listening"), (fresh, "is not connected")):
            with pytest.raises(ValueError, match=f"the socket {words}"):
                SocketTransport(wrong, {})
        ours = socket.create_connection(server.getsockname())
        reset(server.accept()[0])
    with SocketTransport(ours, {}) as transport, pytest.raises(ConnectionResetError):
        transport.receive()


def test_sockets_that_are_no_plain_stream():
    """Datagrams would cut frames, and TLS keeps bytes back that no wait can see."""
    one, other = socket.socketpair(type=socket.SOCK_DGRAM)
    with one, other, pytest.raises(ValueError, match="the socket is no stream: a frame may be"):
        SocketTransport(one, {})
    one, other = socket.socketpair()
    context = ssl.create_default_context()
    wrapped = context.wrap_socket(one, server_hostname="x", do_handshake_on_connect=False)
    with wrapped, other, pytest.raises(TypeError, match="the connection must not be a TLS socket"):
        SocketTransport(wrapped, {})


def reset(connection):
    """Close a connection without a good end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_keys_from_a_mapping_or_a_function():
    """The transport knows its peers by a mapping, or asks a function."""
    one, other = socket.socketpair()
    key = key_pair("p256")[1]
    with SocketTransport(one, {b"a": key}) as mapping, SocketTransport(other, bytes) as asked:
        assert [mapping.get_pub_key_by_id(name) for name in (b"a", b"b")] == [key, None]
        assert asked.get_pub_key_by_id(b"name") == b"name"


@pytest.mark.parametrize("size", [1, 1000, 65536, 3 << 20])
def test_sessions_over_sockets(size):
    """Messages of all sizes pass both ways at once, whatever max_length says."""
    client, server, transports = connected(socket_pair())
    text = b"m" * size
    sender = threading.Thread(target=server.send, args=(text,))
    sender.start()
    other = threading.Thread(target=client.send, args=(text,))
    other.start()
    assert client.receive(1) == text
    assert server.receive() == text
    sender.join()
    other.join()
    for transport in transports:
        transport.close()
    with refused(CODES.NETWORK_ERROR, "the transport failed to receive"):
        client.receive()


def test_a_session_survives_a_timeout():
    """A receive that timed out is a SecureSessionError; the session and its stream go on."""
    client, server, _ = connected(socket_pair(timeout=0.1))
    with refused(CODES.NETWORK_ERROR, "the transport failed to receive") as caught:
        client.receive()
    assert isinstance(caught.value.__cause__, TimeoutError)
    server.send(b"late")
    assert client.receive() == b"late"


def test_the_end_of_a_session():
    """A peer who hangs up ends receive() with an EOFError as the cause."""
    client, _, transports = connected(socket_pair())
    transports[1].close()
    with refused(CODES.NETWORK_ERROR, "the peer closed the connection") as caught:
        client.receive()
    assert isinstance(caught.value.__cause__, EOFError)


@pytest.mark.parametrize("cut", [b"", b"\0\0"], ids=["between messages", "in a message"])
def test_a_peer_who_leaves_the_negotiation(cut):
    """Whoever refuses us just goes: the error says what to check. Before and after it does not."""
    hint = "; is our id known there, with the public key of our sign_key? The peer's log says why"
    client, server, transports = connected(socket_pair())
    ends = [(client, transports[1]._socket)]
    for begin in (lambda session: session.connect(), lambda _: None):
        one, other = socket.socketpair()
        session = SSession(CLIENT, key_pair("p256")[0], SocketTransport(one, {}))
        begin(session)
        ends.append((session, other))
    said = []
    for session, other in ends:
        other.sendall(cut)
        other.shutdown(socket.SHUT_WR)
        with refused(CODES.NETWORK_ERROR, "the peer closed the connection") as caught:
            session.receive()
        said.append(str(caught.value).endswith(hint))
    assert said == [False, True, False]
    server.close()


def test_garbage_in_good_frames():
    """What is framed well but no message is refused by the session, which goes on."""
    one, other = socket.socketpair()
    client_private, client_public = key_pair("p256")
    server_private, server_public = key_pair("p256_b")
    client = SSession(CLIENT, client_private, SocketTransport(one, {SERVER: server_public}))
    server = SSession(SERVER, server_private, SocketTransport(other, {CLIENT: client_public}))
    one.send(frame(b"garbage"))
    with refused(CODES.INVALID_PARAMETER, "this is not"):
        server.receive()
    client.connect()
    for session in (server, client, server, client):
        session.receive()
    one.send(frame(bytes(100)))
    with refused(CODES.INVALID_PARAMETER, "this message does not belong to this session"):
        server.receive()
    client.send(b"honest")
    assert server.receive() == b"honest"
