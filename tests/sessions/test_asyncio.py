# SPDX-License-Identifier: Apache-2.0
"""Sessions over asyncio streams: many at once, cancelled, slowed down, cut off."""

import asyncio
import contextlib
import gc
import os
import re
from functools import wraps
from pathlib import Path

import pytest

from pythemis._peers import WHY_LEFT
from pythemis.asession import SessionStream, open_session, start_session_server
from pythemis.ssession import SecureSessionError, SecureSessionValueError, SessionState
from pythemis.stransport import frame
from support.cells import FEWER
from support.memory import traced, tracemalloc
from support.sessions import CLIENT, CODES, SERVER, key_pair, parties, refused

CLIENT_PRIVATE, CLIENT_PUBLIC = key_pair("p256")
SERVER_PRIVATE, SERVER_PUBLIC = key_pair("p256_b")
HOST = "127.0.0.1"
UNKNOWN = CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
PATIENCE = 60


def in_a_loop(test):
    """Run an async test in a loop of its own, not for ever."""

    @wraps(test)
    def run(*args, **kwargs):
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), PATIENCE))

    return run


async def echo(stream):
    """Send every message back."""
    async for message in stream:
        stream.write(message)
        await stream.drain()


@contextlib.asynccontextmanager
async def serving(handler, **options):
    """Serve; give the port."""
    options = {"keys": lambda _: CLIENT_PUBLIC, "timeout": PATIENCE} | options
    server = await start_session_server(
        handler, HOST, 0, user_id=SERVER, sign_key=SERVER_PRIVATE, backlog=1024, **options
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def connect(port, *, user_id=CLIENT, **options):
    """Open a session with the server."""
    options = {"keys": {SERVER: SERVER_PUBLIC}, "timeout": PATIENCE} | options
    return open_session(HOST, port, user_id=user_id, sign_key=CLIENT_PRIVATE, **options)


@in_a_loop
async def test_messages_of_all_sizes():
    """What is written comes back, from 1 byte to a mebibyte."""
    async with serving(echo) as port, await connect(port) as stream:
        assert stream.remote_id == SERVER
        assert stream.session.state is SessionState.ESTABLISHED
        assert stream.get_extra_info("peername")[1] == port
        for size in (1, 100, 65536, 1 << 20):
            stream.write(b"m" * size)
            await stream.drain()
            assert await stream.read() == b"m" * size


@in_a_loop
async def test_our_own_identity_is_refused():
    """Both ends refuse a peer with their own id and key, unless both are told otherwise."""
    ours = {"user_id": CLIENT, "sign_key": CLIENT_PRIVATE, "keys": {CLIENT: CLIENT_PUBLIC}}
    for at_client, at_server in ((False, False), (False, True), (True, True)):
        server = await start_session_server(
            echo, HOST, 0, **ours, timeout=PATIENCE, allow_own_identity=at_server
        )
        port = server.sockets[0].getsockname()[1]
        opening = open_session(HOST, port, **ours, allow_own_identity=at_client)
        if at_client:
            async with await opening as stream:
                assert stream.remote_id == CLIENT
        elif at_server:
            with refused(CODES.FAIL, "the peer has our own id and our own key"):
                await opening
        else:
            with pytest.raises(ConnectionResetError, match=re.escape(WHY_LEFT)):
                await opening
        server.close()


def resident():
    """Tell how much memory the process has, in bytes; None where nobody says."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return None
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timing
@pytest.mark.evidence
def test_a_thousand_sessions_at_once():
    """1000 sessions open at once against one server: nothing lost, and memory as it was before."""
    rounds = 3

    async def one(port, number, all_open):
        async with await connect(port, user_id=b"client %d" % number) as stream:
            await all_open()
            for turn in range(rounds):
                text = b"%d %d " % (number, turn) + b"x" * (number % 700)
                stream.write(text)
                await stream.drain()
                assert await stream.read() == text
        return number

    async def crowd(clients):
        served, opened, everybody = set(), 0, asyncio.Event()

        async def handler(stream):
            served.add(stream.remote_id)
            await echo(stream)

        async def all_open():
            nonlocal opened
            opened += 1
            if opened == clients:
                everybody.set()
            await everybody.wait()

        async with serving(handler) as port:
            done = await asyncio.gather(*(one(port, n, all_open) for n in range(clients)))
        assert done == list(range(clients))
        assert served == {b"client %d" % number for number in range(clients)}
        await asyncio.sleep(0.1)

    def run(clients=1000 // FEWER):
        asyncio.run(asyncio.wait_for(crowd(clients), 120))
        gc.collect()

    need_descriptors(2100)
    run()  # what is made once is made now
    run()
    before = resident()
    run()
    if before is not None:
        assert resident() - before < 16 << 20  # 2000 ends of 8 KiB each
    if tracemalloc is None:
        return
    tracemalloc.start()
    run(200)  # the tracer itself takes memory, and is slow: it comes last
    start = tracemalloc.get_traced_memory()[0]
    run(200)
    kept = tracemalloc.get_traced_memory()[0] - start
    tracemalloc.stop()
    assert kept < 60_000  # 300 bytes for a session that is gone would be seen


def need_descriptors(count):
    """Allow as many open files as a test needs."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY, -1) and hard < count:
        pytest.skip("this system does not allow so many open files")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@traced
@in_a_loop
async def test_a_long_session_does_not_grow():
    """Thousands of messages leave no memory behind."""
    async with serving(echo) as port, await connect(port) as stream:

        async def pass_messages(count):
            for _ in range(count):
                stream.write(b"x" * 5000)
                await stream.drain()
                await stream.read()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        await pass_messages(100)
        tracemalloc.start()
        before = await pass_messages(50)
        after = await pass_messages(2000 // FEWER)
        tracemalloc.stop()
    assert after - before < 100_000


@in_a_loop
async def test_many_tasks_share_a_stream():
    """Tasks that write and read at once through one stream lose nothing."""
    async with serving(echo) as port, await connect(port) as stream:

        async def write(number):
            for turn in range(20):
                stream.write(b"%d %d" % (number, turn))
                await stream.drain()

        read = [asyncio.create_task(stream.read()) for _ in range(200)]
        await asyncio.gather(*map(write, range(10)))
        texts = await asyncio.gather(*read)
    assert sorted(texts) == sorted(b"%d %d" % (n, turn) for n in range(10) for turn in range(20))


@in_a_loop
async def test_cancelling_a_read_loses_nothing():
    """A read that is cancelled, also in the middle of a frame, leaves the next one whole."""
    client, server = parties()
    left, right = await stream_pair()
    await negotiated(client, server)
    stream = SessionStream(*left, client)
    for number in range(30):
        wire = frame(server.wrap(b"message %d" % number))
        cut = number * 3 % len(wire)
        right[1].write(wire[:cut])
        await right[1].drain()
        reading = asyncio.create_task(stream.read())
        await asyncio.sleep(0.002)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        right[1].write(wire[cut:])
        assert await stream.read() == b"message %d" % number
    right[1].close()
    assert await stream.read() == b""
    stream.close()


async def stream_pair():
    """Give two connected pairs of reader and writer."""
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *ends: accepted.set_result(ends), HOST, 0)
    ours = await asyncio.open_connection(*server.sockets[0].getsockname())
    theirs = await accepted
    server.close()
    return ours, theirs


async def negotiated(client, server):
    """Establish both, without a stream."""
    third = client.unwrap(server.unwrap(client.connect_request()))
    client.unwrap(server.unwrap(third))


@in_a_loop
async def test_a_slow_reader_slows_the_writer():
    """drain() waits for a peer who does not read: the queue does not grow without bound."""
    release = asyncio.Event()
    total = 0

    async def slow(stream):
        nonlocal total
        await release.wait()
        async for message in stream:
            total += len(message)

    async with serving(slow) as port, await connect(port) as stream:
        written = 0

        async def flood():
            nonlocal written
            for _ in range(400):
                stream.write(b"x" * 100_000)
                await stream.drain()
                written += 1

        task = asyncio.create_task(flood())
        await asyncio.sleep(0.3)
        assert written < 300  # kernel buffers, not ours
        assert stream._writer.transport.get_write_buffer_size() < 1 << 20
        release.set()
        await task
        stream.close()
        while total < 400 * 100_000:
            await asyncio.sleep(0.01)


@in_a_loop
async def test_refused_messages_do_not_end_a_stream():
    """A forged message in a good frame is an error of that read alone."""
    client, server = parties()
    left, right = await stream_pair()
    await negotiated(client, server)
    stream = SessionStream(*left, client)
    right[1].write(frame(b"forged") + frame(server.wrap(b"honest")))
    with refused(CODES.INVALID_PARAMETER, "this is not a session message"):
        await stream.read()
    assert await stream.read() == b"honest"
    right[1].write(b"\0\0\1\0cut")
    right[1].close()
    with pytest.raises(ConnectionResetError, match="in a message"):
        await stream.read()
    stream.close()


@in_a_loop
async def test_a_frame_that_is_too_long():
    """A frame above max_size ends the connection's use before it is read."""
    client, server = parties()
    left, right = await stream_pair()
    await negotiated(client, server)
    stream = SessionStream(*left, client, max_size=100)
    right[1].write(frame(server.wrap(b"x" * 48)) + frame(server.wrap(b"x" * 49)))
    assert await stream.read() == b"x" * 48
    with pytest.raises(ConnectionAbortedError, match="a frame of 101 bytes"):
        await stream.read()
    stream.close()
    right[1].close()


@in_a_loop
async def test_a_message_that_is_too_long_is_not_written():
    """The peer would give the connection up; so it is refused here, and the stream goes on."""
    async with serving(echo, max_size=1000) as port, await connect(port, max_size=1000) as stream:
        for size in (949, 5000):
            says = f"the message has {size} bytes; with max_size=1000 it may have 948"
            with refused(CODES.INVALID_PARAMETER, says, kind=SecureSessionValueError):
                stream.write(b"x" * size)
        stream.write(b"y" * 948)
        assert await stream.read() == b"y" * 948


@in_a_loop
@pytest.mark.parametrize(
    ("sent", "error"),
    [(b"\xff" * 4, ConnectionAbortedError), (b"\0\0\1\0cut", ConnectionResetError)],
)
async def test_behind_a_broken_frame_nothing_is_read(sent, error):
    """A stream that is out of step stays so: neither a message nor an end comes after it."""
    client, server = parties()
    left, right = await stream_pair()
    await negotiated(client, server)
    stream = SessionStream(*left, client)
    behind = frame(server.wrap(b"behind")) if error is ConnectionAbortedError else b""
    right[1].write(sent + behind)
    right[1].close()
    for _ in range(3):
        with pytest.raises(error):
            await stream.read()
    stream.close()


@in_a_loop
async def test_reading_before_the_session_is_established():
    """It is an error, and not the end of the stream."""
    left, right = await stream_pair()
    stream = SessionStream(*left, parties()[0])
    right[1].write(frame(b"early"))
    with refused(CODES.SSESSION_KA_NOT_FINISHED, "the session is not established yet"):
        await stream.read()
    right[1].close()
    assert await stream.read() == b""
    stream.close()


@in_a_loop
async def test_who_is_cancelled_does_not_wait_for_his_peer():
    """A block is left at once, whatever is queued for a peer that reads nothing."""
    release = asyncio.Event()

    async def deaf(_):
        await release.wait()

    async with serving(deaf) as port:

        async def flood():
            async with await connect(port) as stream:
                while True:
                    stream.write(bytes(100_000))
                    await stream.drain()

        task = asyncio.create_task(flood())
        await asyncio.sleep(0.3)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=30)
        assert done
        assert task.cancelled()
        release.set()


@in_a_loop
async def test_what_a_handler_left_queued_is_sent():
    """It returns, and the peer reads it all."""

    async def leaving(stream):
        for number in range(20):
            stream.write(bytes([number]) * 500_000)

    async with serving(leaving) as port, await connect(port) as stream:
        assert [message[0] async for message in stream] == list(range(20))


@in_a_loop
async def test_a_peer_that_takes_nothing_is_cut_off():
    """What a handler left queued keeps a connection for no longer than the server's timeout."""
    left = asyncio.get_running_loop().create_future()

    async def leaving(stream):
        for _ in range(20):
            stream.write(bytes(1_000_000))
        left.set_result(stream)

    async with serving(leaving, timeout=2) as port:
        stream = await connect(port)
        stream._reader._transport.pause_reading()
        queue = (await left)._writer.transport
        assert queue.get_write_buffer_size() > 0
        await asyncio.wait_for((await left).wait_closed(), 20)
        assert queue.get_write_buffer_size() == 0
        stream.close()


@in_a_loop
async def test_closing():
    """close() sends what is queued; afterwards nothing is written, and the peer sees the end."""
    got = asyncio.get_running_loop().create_future()

    async def collect(stream):
        got.set_result([message async for message in stream])

    async with serving(collect) as port:
        stream = await connect(port)
        for number in range(50):
            stream.write(b"%d" % number * 1000)
        stream.close()
        assert stream.is_closing()
        await stream.wait_closed()
        with refused(CODES.INVALID_PARAMETER, "is closed", kind=SecureSessionValueError):
            stream.write(b"x")
        assert await got == [b"%d" % number * 1000 for number in range(50)]


@in_a_loop
async def test_cancelling_while_connecting():
    """Whoever is cancelled in the negotiation leaves no connection behind."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader, _writer):
        began.set()
        while await reader.read(1000):
            pass
        ended.set()

    server = await asyncio.start_server(silent, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.create_task(connect(port))
    await asyncio.wait_for(began.wait(), PATIENCE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(ended.wait(), PATIENCE)
    with pytest.raises(TimeoutError, match="no session within"):
        await connect(port, timeout=0.1)
    server.close()


@in_a_loop
async def test_clients_that_do_not_negotiate(caplog):
    """Garbage, silence and strangers are cut off and logged; the server serves on."""
    async with serving(echo, timeout=2, keys={CLIENT: CLIENT_PUBLIC}) as port:
        for said in (b"GET / HTTP/1.1\r\n\r\n", b"", frame(b"nonsense"), frame(b"x" * 70_000)):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(said)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
        with pytest.raises(ConnectionResetError):
            await connect(port, user_id=b"stranger")
        assert len(caplog.records) == 5
        assert all("no session with" in record.getMessage() for record in caplog.records)
        async with await connect(port) as stream:
            stream.write(b"still here")
            assert await stream.read() == b"still here"


@in_a_loop
async def test_a_peer_that_leaves_the_negotiation(caplog):
    """Whoever refuses us just goes: the error says what to check, on both sides."""
    left = "the peer closed the connection in the negotiation"
    hint = f"; {WHY_LEFT}"
    async with serving(echo, keys={}) as port:
        with pytest.raises(ConnectionResetError, match=re.escape(left + hint)):
            await connect(port)
    async with serving(echo) as port:
        with refused(UNKNOWN, "knows no public key of the peer"):
            await connect(port, keys={})
        (await asyncio.open_connection(HOST, port))[1].close()
        while len(caplog.records) < 3:
            await asyncio.sleep(0.01)
    said = [record.getMessage() for record in caplog.records]
    assert [left in line for line in said] == [False, True, True]
    assert [WHY_LEFT in line for line in said] == [False, True, False]  # nobody has begun

    for leave in (lambda writer: writer.write(b"\0"), lambda writer: writer.transport.abort()):

        async def accept(reader, writer, leave=leave):
            await reader.read(1)
            leave(writer)
            writer.close()

        server = await asyncio.start_server(accept, HOST, 0)
        with pytest.raises(ConnectionResetError, match=re.escape(left + hint)):
            await connect(server.sockets[0].getsockname()[1])
        server.close()


@in_a_loop
async def test_keys_may_be_asked_for_asynchronously():
    """A coroutine function may look keys up, on both sides, and find none."""

    async def find(peer_id):
        await asyncio.sleep(0.01)
        return {CLIENT: CLIENT_PUBLIC, SERVER: SERVER_PUBLIC}.get(peer_id)

    async with serving(echo, keys=find) as port:
        async with await connect(port, keys=find) as stream:
            stream.write(b"hello")
            assert await stream.read() == b"hello"
        with refused(UNKNOWN, "knows no public key of the peer"):
            await connect(port, keys={})


@in_a_loop
@pytest.mark.parametrize("failure", [RuntimeError("gone"), TimeoutError("slow"), KeyError("who")])
async def test_a_look_up_that_fails(failure, caplog):
    """What keys raises is the cause of the refusal here; there the client is cut off and logged."""
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))

    def find(_):
        raise failure

    async def find_slowly(_):
        await asyncio.sleep(0)
        raise failure

    for keys in (find, find_slowly):
        async with serving(echo) as port:
            says = "get_pub_key_by_id failed for the peer b'the server'"
            with refused(UNKNOWN, says) as caught:
                await connect(port, keys=keys)
            assert caught.value.__cause__ is failure
        async with serving(echo, keys=keys) as port:
            with pytest.raises(ConnectionResetError):
                await connect(port)
        said = caplog.records[-1].getMessage()
        assert said.startswith("no session with ('127.0.0.1', ")
        says = "get_pub_key_by_id failed for the peer b'client'"
        assert said.endswith(f'SecureSessionError("{says}"), caused by {failure!r}')
    assert unhandled == []


@in_a_loop
async def test_a_look_up_that_is_cancelled():
    """Being cancelled is no failure of a look-up; its time counts as the negotiation's."""
    asked = asyncio.Event()

    async def find(_):
        asked.set()
        await asyncio.sleep(PATIENCE)

    async with serving(echo) as port:
        task = asyncio.create_task(connect(port, keys=find))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError, match="no session within"):
            await connect(port, keys=find, timeout=0.2)


@in_a_loop
async def test_the_only_server_that_will_do():
    """With remote_id another server, however well known, gets no session."""
    async with serving(echo) as port:
        with refused(CODES.FAIL, "the peer is b'the server', not b'another'"):
            await connect(port, remote_id=b"another")
        async with await connect(port, remote_id=bytearray(SERVER)) as stream:
            assert stream.remote_id == SERVER


@in_a_loop
async def test_a_handler_that_fails():
    """What a handler raises goes to the loop's handler, its stream is closed, others go on."""
    reported = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def failing(stream):
        if await stream.read() == b"fail":
            raise RuntimeError("as asked")
        stream.write(b"fine")
        await stream.drain()

    async with serving(failing) as port, await connect(port) as one, await connect(port) as other:
        one.write(b"fail")
        assert await one.read() == b""
        other.write(b"do not fail")
        assert await other.read() == b"fine"
    assert [str(context["exception"]) for context in reported] == ["as asked"]


@in_a_loop
async def test_a_wrong_identity_fails_at_once():
    """A server with an impossible key does not start; a client with one does not connect."""
    with pytest.raises(SecureSessionError, match="the private key"):
        await start_session_server(echo, HOST, 0, user_id=SERVER, sign_key=b"x" * 45, keys={})
    connected = []
    server = await asyncio.start_server(lambda *ends: connected.append(ends), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(SecureSessionError, match="the private key"):
        await open_session(HOST, port, user_id=b"c", sign_key=CLIENT_PUBLIC, keys={})
    with pytest.raises(SecureSessionError, match="the user id must be bytes, not str"):
        await open_session(HOST, port, user_id="c", sign_key=CLIENT_PRIVATE, keys={})
    await asyncio.sleep(0.05)
    assert connected == []
    server.close()
