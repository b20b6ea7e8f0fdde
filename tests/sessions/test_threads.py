# SPDX-License-Identifier: Apache-2.0
"""One session among threads: nothing lost, nothing mixed up, nobody stuck."""

import concurrent.futures
import gc
import os
import signal
import sys
import threading
import time
import weakref

import pytest

from pythemis._core import sessions
from pythemis.ssession import (
    SecureSessionError,
    SecureSessionValueError,
    SessionState,
    SimpleMemoryTransport,
    SSession,
)
from support.cells import FEWER
from support.connections import PATIENCE, QueueTransport, connected, socket_pair
from support.sessions import (
    CLIENT,
    CODES,
    SERVER,
    assert_works,
    established,
    key_pair,
    negotiate,
    parties,
    refused,
)

THREADS = 16
ROUNDS = max(4, 400 // FEWER)


@pytest.fixture(autouse=True)
def _switching():
    """Switch threads as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(count, work):
    """Run work(number) in threads that start at once; give their results."""
    barrier = threading.Barrier(count)

    def start(number):
        barrier.wait(PATIENCE)
        return work(number)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def text_of(number, turn):
    """Give a message that says who wrote it, of many lengths."""
    return b"%d %d " % (number, turn) + bytes([number]) * (turn * 7 % 900)


@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}], ids=["default", "once"])
def test_sixteen_threads_share_one_object(options):
    """16 threads wrap and unwrap through one object, both ways: every message comes back."""
    client, server = established(**options)
    lock = threading.Lock()
    rounds = min(ROUNDS, 1024 // (THREADS // 2))  # whoever is put to sleep stays in the window

    def work(number):
        writer, reader = (client, server) if number % 2 else (server, client)
        read = []
        for turn in range(rounds):
            if options:
                read.append(reader.unwrap(writer.wrap(text_of(number, turn))))
            else:
                with lock:  # by default a message may be late by no more than 8
                    read.append(reader.unwrap(writer.wrap(text_of(number, turn))))
        return read

    for number, read in enumerate(together(THREADS, work)):
        assert read == [text_of(number, turn) for turn in range(rounds)]
    assert_works(client, server)


@pytest.mark.parametrize("over", ["queues", "sockets"])
def test_sixteen_threads_send_and_receive(over):
    """8 threads send and 8 receive through each end: nothing lost, nothing twice, none mixed."""
    client, server, _ = connected(socket_pair() if over == "sockets" else None)
    per_thread = ROUNDS // 4

    def work(number):
        session = client if number % 2 else server
        if number < THREADS:
            for turn in range(per_thread):
                session.send(text_of(number, turn))
            return []
        return [session.receive() for _ in range(per_thread)]

    results = together(2 * THREADS, work)
    for ours in (0, 1):  # what threads of one parity read, those of the other wrote
        read = sorted(text for texts in results[THREADS + ours :: 2] for text in texts)
        wrote = range(1 - ours, THREADS, 2)
        assert read == sorted(text_of(n, turn) for n in wrote for turn in range(per_thread))
    client.send(b"still here")
    assert server.receive() == b"still here"


def test_messages_leave_in_the_order_of_their_numbers():
    """Threads that send at once never overtake each other between wrapping and sending."""
    client, server, (_, theirs) = connected(reject_duplicates=True)
    together(THREADS, lambda number: [client.send(b"%d" % number) for _ in range(ROUNDS // 4)])
    waiting = [theirs.inbox.get_nowait() for _ in range(THREADS * (ROUNDS // 4))]
    # Were any out of order, the default window of 8 would not save all of these.
    for message in waiting:
        server.unwrap(message)


def attempt(code, call, *arguments):
    """Give what a call returns; None if it is refused with this code."""
    try:
        return call(*arguments)
    except SecureSessionError as error:
        if error.error_code != code:
            raise
        return None


def test_negotiating_among_threads():
    """However many threads hand the same request over, one negotiation comes of it."""
    for _ in range(max(2, 20 // FEWER)):
        client, server = parties()
        request = client.connect_request()

        def answer(_number, server=server, request=request):
            # The others come when message 3 is due, which this is not: its end is no signature.
            return attempt(CODES.INVALID_SIGNATURE, server.unwrap, request)

        replies = [reply for reply in together(4, answer) if reply]
        assert len(replies) == 1
        fourth = server.unwrap(client.unwrap(replies[0]))
        assert client.unwrap(fourth) == b""
        assert_works(client, server)


def test_one_thread_of_many_connects():
    """Of many threads that connect with one object, one does."""
    client, _ = parties()
    requests = together(8, lambda _: attempt(CODES.INVALID_PARAMETER, client.connect_request))
    assert sum(request is not None for request in requests) == 1


def test_closing_while_others_work():
    """close() in the middle of calls of other threads: they finish, or say that it is closed."""
    for _ in range(max(2, 20 // FEWER)):
        client, server = established(reject_duplicates=True)

        def work(number, client=client, server=server):
            if number == 0:
                time.sleep(0.002)
                client.close()
                return 0
            done = 0
            while True:
                wrapped = attempt(CODES.INVALID_PARAMETER, client.wrap, b"x" * 5000)
                if wrapped is None:
                    return done
                # A thread that slept while others wrote more than 1024 comes too late.
                read = attempt(CODES.FAIL, server.unwrap, wrapped)
                assert read in (b"x" * 5000, None)
                done += 1

        together(4, work)
        assert client.state is SessionState.CLOSED
        assert server.state is SessionState.ESTABLISHED


def test_close_during_a_blocked_receive():
    """close() does not wait for a receive that is blocked, which then says that it is closed."""
    client, server, (_, theirs) = connected()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.receive)
        time.sleep(0.05)
        server.close()
        assert server.state is SessionState.CLOSED
        theirs.inbox.put(client.wrap(b"too late"))
        with refused(CODES.INVALID_PARAMETER, "is closed", kind=SecureSessionValueError):
            waiting.result(PATIENCE)


def test_closing_the_transport_ends_a_blocked_receive():
    """A receive that waits on a socket ends when the transport is closed."""
    transports = socket_pair()
    client, server, _ = connected(transports)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.receive)
        time.sleep(0.05)
        transports[1].close()
        with refused(CODES.NETWORK_ERROR, "the transport failed to receive"):
            waiting.result(PATIENCE)
    client.close()


def test_sending_during_a_blocked_receive():
    """A thread that waits for a message holds up nobody who sends."""
    client, server, _ = connected()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.receive)
        time.sleep(0.05)
        for turn in range(10):
            client.send(b"%d" % turn)
        assert [server.receive() for _ in range(10)] == [b"%d" % turn for turn in range(10)]
        server.send(b"answer")
        assert waiting.result(PATIENCE) == b"answer"


class Reentrant(QueueTransport):
    """Calls back into the session from each of its callbacks."""

    session = None
    seen = ()

    def _ask(self, where):
        if self.session is not None:
            self.seen += ((where, self.session.state, self.session.remote_id),)

    def send(self, message):
        self._ask("send")
        super().send(message)

    def receive(self, max_length):
        self._ask("receive")
        return super().receive(max_length)

    def get_pub_key_by_id(self, peer_id):
        self._ask("key")
        return super().get_pub_key_by_id(peer_id)


def test_callbacks_may_use_the_session():
    """The session can be asked in each callback; there it is what it was before the message."""
    one, other = Reentrant(SERVER, key_pair("p256_b")[1]), Reentrant(CLIENT, key_pair("p256")[1])
    one.outbox, other.outbox = other.inbox, one.inbox
    client = one.session = SSession(CLIENT, key_pair("p256")[0], one)
    server = other.session = SSession(SERVER, key_pair("p256_b")[0], other)
    client.connect()
    for session in (server, client, server, client):
        session.receive()
    state = SessionState
    assert one.seen == (
        ("send", state.WAITING_FOR_2, None),
        ("receive", state.WAITING_FOR_2, None),
        ("key", state.WAITING_FOR_2, None),
        ("send", state.WAITING_FOR_4, None),
        ("receive", state.WAITING_FOR_4, None),
    )
    assert other.seen[1] == ("key", state.IDLE, None)
    assert other.seen[-1] == ("send", state.ESTABLISHED, CLIENT)


def test_a_transport_may_send_and_receive_within_its_callbacks():
    """Send within receive, and receive within send, work as they would one after another."""

    class Chatty(QueueTransport):
        session = None
        inner = None

        def receive(self, max_length):
            if self.session is not None and self.inner is None:
                self.inner = b""
                self.session.send(b"sent while receiving")
            return super().receive(max_length)

        def send(self, message):
            super().send(message)
            if self.inner == b"":
                self.inner = self.session.receive()

    one = Chatty(SERVER, key_pair("p256_b")[1])
    other = QueueTransport(CLIENT, key_pair("p256")[1])
    client, server, _ = connected((one, other))
    server.send(b"first")
    server.send(b"second")
    one.session = client
    assert client.receive() == b"second"
    assert one.inner == b"first"
    assert server.receive() == b"sent while receiving"


def test_receiving_within_send_does_not_wait_for_another_receiver():
    """receive() inside the transport's send, while another thread receives: no deadlock."""

    class Asking(QueueTransport):
        session = None

        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.inside = threading.Event()

        def send(self, message):
            if self.session is not None:
                self.session.receive()
            super().send(message)

        def receive(self, max_length):
            if self.session is not None:
                self.inside.set()
            return super().receive(max_length)

    one = Asking(SERVER, key_pair("p256_b")[1])
    client, server, _ = connected((one, QueueTransport(CLIENT, key_pair("p256")[1])))
    one.session = client
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.receive)
        assert one.inside.wait(PATIENCE)
        with refused(CODES.NETWORK_ERROR, "the transport failed to send") as caught:
            client.send(b"x")
        cause = caught.value.__cause__
        assert type(cause) is SecureSessionError
        assert cause.error_code is CODES.SSESSION_TRANSPORT_ERROR
        server.send(b"go")
        assert waiting.result(PATIENCE) == b"go"


def test_close_within_a_callback():
    """A callback may close its session: the call that it is in says so."""

    class Closing(SimpleMemoryTransport):
        session = None

        def get_pub_key_by_id(self, user_id):
            self.session.close()
            return super().get_pub_key_by_id(user_id)

    client, _ = parties()
    transport = Closing(CLIENT, key_pair("p256")[1])
    server = transport.session = SSession(SERVER, key_pair("p256_b")[0], transport)
    with refused(CODES.INVALID_PARAMETER, "is closed", kind=SecureSessionValueError):
        server.unwrap(client.connect_request())


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers of signals")
def test_a_signal_handler_may_use_the_session():
    """A handler that interrupts its own thread anywhere in the session gets through."""
    client, server = established(reject_duplicates=True)
    extra = []
    before = signal.signal(signal.SIGALRM, lambda *_: extra.append(client.wrap(b"handler")))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert server.unwrap(client.wrap(b"x" * 2000)) == b"x" * 2000
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert extra
    for message in extra[-1000:]:
        assert message != b""
    assert server.unwrap(client.wrap(b"after")) == b"after"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_goes_on_with_a_session():
    """After a fork one process goes on with the session, even if threads used it at the time."""
    client, server = established(reject_duplicates=True)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            other.wrap(b"x" * 100_000)

    other, _ = established()
    worker = threading.Thread(target=busy)
    worker.start()
    try:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write, client.wrap(b"from the child"))
            attempt(CODES.INVALID_PARAMETER, other.wrap, b"x")  # it may be closed; it never hangs
            os._exit(0)
    finally:
        stop.set()
        worker.join(PATIENCE)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert server.unwrap(pipe.read()) == b"from the child"
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(sessions._LIMIT < 0, reason="without a GIL no call does without the lock")
def test_each_thread_is_told_why_its_own_call_was_refused(monkeypatch):
    """Another thread's call is refused for another reason, just before the first asks why."""
    client, server = established()
    late = client.wrap(b"late")
    for _ in range(20):
        server.unwrap(client.wrap(b"newer"))
    unwrap, others = sessions._unwrap, []

    def then_another(*arguments):
        status = unwrap(*arguments)
        if not others:
            others.append(
                threading.Thread(target=attempt, args=(CODES.FAIL, server.unwrap, forged))
            )
            others[0].start()
            others[0].join(PATIENCE)
        return status

    forged = client.wrap(b"forged") + b"?"
    monkeypatch.setattr(sessions, "_unwrap", then_another)
    with refused(CODES.FAIL, "too late"):
        server.unwrap(late)
    assert others


def test_sessions_die_with_their_last_reference():
    """Thousands of sessions made and dropped, half of them in the middle, leave nothing."""
    seen = []
    for turn in range(max(5, 60 // FEWER)):
        client, server = parties()
        if turn % 2:
            client.connect_request()
        else:
            negotiate(client, server)
        seen += [weakref.ref(client._held.handle), weakref.ref(server._held.handle)]
    del client, server
    gc.collect()
    assert not any(handle() for handle in seen)
