# SPDX-License-Identifier: Apache-2.0
"""The examples of Secure Session do what they say."""

import contextlib
import importlib
import socket
import subprocess
import sys
import threading

import pytest
from _project import ROOT

EXAMPLES = ROOT / "examples"
pytestmark = pytest.mark.no_c


def lines_of(name, *arguments, status=0):
    """Run an example to its end; give its lines."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
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
        server = start("serve", str(free_port()))
        alice, bob, _ = (start(*server.stdout.readline().split()[2:]) for _ in range(3))
        for one, other in ((alice, "alice"), (bob, "bob")):
            assert one.stdout.readline() == "welcome\n", other
        alice.stdin.write("is anybody there?\n")
        assert bob.stdout.readline() == "alice: is anybody there?\n"
        bob.stdin.write("yes\n")
        assert alice.stdout.readline() == "bob: yes\n"


def free_port():
    """Find a port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_over_http():
    """Requests are answered within their session, and one that is repeated does no harm."""
    lines = lines_of("session_over_http.py")
    assert [line for line in lines if not line.startswith("server:")] == [
        "5 makes 5",
        "37 more make 42",
        "repeated: the server said 400",
        "nothing more makes 42",
    ]
    assert "the message was read before" in "".join(lines)


def test_the_demo(monkeypatch, capsys):
    """The demo's section sends a file with each curve and shows five refusals."""
    monkeypatch.syspath_prepend(EXAMPLES)
    demo_session = importlib.import_module("demo_session")
    monkeypatch.setattr(demo_session, "TRANSFER", demo_session.MIB)
    demo_session.run()
    said = capsys.readouterr().out
    assert said.count("the same file") == 3
    assert said.count("\nsent again:") == 1
