# SPDX-License-Identifier: Apache-2.0
"""The examples of Secure Session do what they say."""

import asyncio
import contextlib
import importlib
import re
import subprocess
import sys
import threading

import pytest

from pythemis.asession import open_session, start_session_server
from pythemis.ssession import SimpleMemoryTransport, SSession
from pythemis.stransport import frame
from support.connections import connected, socket_pair
from support.documents import sections
from support.project import ROOT
from support.sessions import key_pair

EXAMPLES = ROOT / "examples"
pytestmark = pytest.mark.no_c


def lines_of(name, *arguments, status=0):
    """Run an example to its end; give its lines."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "members", "says"),
    [
        ("chat_threads.py", ("alice", "bob", "carol"), "{0} hears {1}: hello"),
        (
            "chat_asyncio.py",
            ("alice", "bob", "carol", "dave"),
            "{0} hears {1}: hello from {1}",
        ),
    ],
)
def test_chats(name, members, says):
    """Over TCP every client hears every other one, once, by the name that its session proved."""
    pairs = [(one, other) for one in members for other in members if one != other]
    assert sorted(lines_of(name)) == sorted(says.format(*pair) for pair in pairs)


def test_the_readme_shows_what_examples_print():
    """Every program is listed; each shown output is that of its program, in any order."""
    text = (EXAMPLES / "README.md").read_text("utf-8")
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".js")}
    assert set(re.findall(r"\]\((\w+\.\w+)\)", text)) == names
    shown = re.findall(r"^\$ python examples/(\w+\.py)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    shown = [each for each in shown if each[0] != "columns_everywhere.py"]  # it has a test
    assert len(shown) == 4
    for name, output in shown:
        lines, promised = sorted(lines_of(name)), sorted(output.splitlines())
        assert len(lines) == len(promised)
        for line, promise in zip(lines, promised, strict=True):
            assert line.startswith(promise[:-3]) if promise.endswith("...") else line == promise


@pytest.fixture
def example(monkeypatch):
    """Give what loads an example."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def test_a_refused_message_does_not_end_the_chat(example, capsys):
    """Nonsense from whoever reaches a member's connection is reported, and the member heard on."""
    chat = example("chat_threads")
    (server_private, server_public), one, other = map(key_pair, ("p256_b", "p256", "p384"))
    server = chat.ChatServer(server_private, {b"alice": one[1], b"bob": other[1]})
    threading.Thread(target=server.serve, daemon=True).start()
    alice = chat.join(b"alice", one[0], server_public, server.port)
    bob = chat.join(b"bob", other[0], server_public, server.port)
    assert [alice.receive(), bob.receive()] == [b"welcome"] * 2
    alice._held.talk.transport.send(b"nonsense")
    alice.send(b"still here")
    assert bob.receive() == b"alice: still here"
    assert "refused: this is not a session message" in capsys.readouterr().out
    for session in (alice, bob):
        session._held.talk.transport.close()
    server.close()


def test_a_refused_message_does_not_end_the_asyncio_chat(example, capsys):
    """The same of the other chat."""
    chat = example("chat_asyncio")
    (server_private, server_public), (private, public) = map(key_pair, ("p256_b", "p256"))

    async def talk():
        server = await start_session_server(
            chat.Room().attend,
            chat.HOST,
            0,
            user_id=chat.SERVER,
            sign_key=server_private,
            keys={b"alice": public, b"bob": public},
        )
        address = server.sockets[0].getsockname()
        keys = {chat.SERVER: server_public}
        alice, bob = [
            await open_session(*address, user_id=name, sign_key=private, keys=keys)
            for name in (b"alice", b"bob")
        ]
        async with alice, bob:
            assert await bob.read() == b"bob came, we are 2"
            alice._writer.write(frame(b"nonsense"))
            alice.write(b"still here")
            assert await bob.read() == b"alice: still here"
        server.close()

    asyncio.run(asyncio.wait_for(talk(), 60))
    assert "refused: this is not a session message" in capsys.readouterr().out


def nothing_more(_sessions, transports):
    """Close the other end."""
    transports[1].close()


def half_a_message(_sessions, transports):
    """Cut the connection within a message."""
    transports[1]._socket.send(frame(b"message")[:6])
    transports[1].close()


def another_language(_sessions, transports):
    """Speak without frames."""
    transports[1]._socket.send(b"GET / HTTP/1.1")


def our_own_end(_sessions, transports):
    """Close our own transport."""
    transports[0].close()


def our_own_session(sessions, _transports):
    """Close our own session; the peer speaks on."""
    sessions[0].close()
    sessions[1].send(b"too late")


def an_empty_answer(_sessions, transports):
    """Let the transport say in another way that the peer is gone."""
    transports[0].receive = lambda _: b""


ENDS = (
    *(nothing_more, half_a_message, another_language),
    *(our_own_end, our_own_session, an_empty_answer),
)


def loops(example):
    """Give the loop of the guide, and that of the chat."""
    [section] = [
        section
        for section in sections((ROOT / "docs/guide/secure-session.md").read_text("utf-8"))
        if "callback-oriented" in section.title
    ]
    namespace = {}
    exec(section.examples[0].code, namespace)
    return namespace["messages"], example("chat_threads").messages


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_the_loop_of_the_guide_ends_where_the_connection_does(example, end):
    """It goes on after silence and after messages that are refused, and after nothing else."""
    for loop in loops(example):
        client, server, transports = connected(socket_pair(timeout=0.05))
        said = loop(client)
        server.send(b"one")
        assert next(said) == b"one"
        for refused in (b"nonsense", bytes(100)):
            transports[1].send(refused)
        late = threading.Timer(0.2, server.send, [b"two"])
        late.start()
        assert next(said) == b"two"
        late.join()
        end((client, server), transports)
        assert list(said) == []
        for transport in transports:
            transport.close()


def test_the_chat_says_how_it_is_used():
    """An argument that it does not know makes the chat explain itself."""
    assert "serve [PORT]" in "\n".join(lines_of("chat_threads.py", "sing", status=2))


def test_people_can_join_the_chat():
    """A server in one process and clients in two others: what one types the other one reads."""
    ends = contextlib.ExitStack()

    def start(*words):
        command = [sys.executable, "-u", EXAMPLES / "chat_threads.py", *words]
        process = ends.enter_context(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        )
        ends.callback(process.kill)
        patience = threading.Timer(60, process.kill)
        patience.start()
        ends.callback(patience.cancel)
        return process

    with ends:
        server = start("serve", "0")
        alice, bob, _ = (start(*server.stdout.readline().split()[2:]) for _ in range(3))
        for one, other in ((alice, "alice"), (bob, "bob")):
            assert one.stdout.readline() == "welcome\n", other
        alice.stdin.write("is anybody there?\n")
        assert bob.stdout.readline() == "alice: is anybody there?\n"
        bob.stdin.write("yes\n")
        assert alice.stdout.readline() == "bob: yes\n"


def test_over_http():
    """Requests are answered within their session, and one that is repeated does no harm."""
    lines = lines_of("session_over_http.py")
    assert [line for line in lines if not line.startswith("server:")] == [
        "5 makes 5",
        "37 more make 42",
        "repeated: the server said 400",
        "nothing more makes 42",
    ]
    assert "replay: this message was already accepted" in "".join(lines)


def test_repeated_requests_push_out_no_client(example, monkeypatch):
    """Whoever repeats a connect request fills the table of negotiations, not that of sessions."""
    http = example("session_over_http")
    monkeypatch.setattr(http, "MAX_SESSIONS", 5)
    monkeypatch.setattr(http, "MAX_NEGOTIATIONS", 5, raising=False)
    (private, public), (server_private, server_public) = map(key_pair, ("p256", "p256_b"))
    service = http.Service(server_private, {http.CLIENT: public})

    def begin():
        client = SSession(http.CLIENT, private, SimpleMemoryTransport(http.SERVER, server_public))
        request = client.connect_request()
        number, answer = service.begin(request)
        return client, request, number, client.unwrap(answer)

    client, recorded, number, proof = begin()
    client.unwrap(service.go_on(number, proof))
    for _ in range(20):
        service.begin(recorded)
    assert client.unwrap(service.go_on(number, client.wrap(b"7"))) == b"7"
    *_, given_up, proof = begin()
    for _ in range(20):
        service.begin(recorded)
    with pytest.raises(KeyError):
        service.go_on(given_up, proof)
    assert len(service._negotiations) == 5


def test_the_demo(monkeypatch, capsys):
    """The demo's section sends a file with each curve and shows five refusals."""
    monkeypatch.syspath_prepend(EXAMPLES)
    demo_session = importlib.import_module("demo_session")
    monkeypatch.setattr(demo_session, "TRANSFER", demo_session.MIB)
    demo_session.run()
    said = capsys.readouterr().out
    assert said.count("the same file") == 3
    assert said.count("\nsent again:") == 1
