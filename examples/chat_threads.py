# SPDX-License-Identifier: Apache-2.0
"""A chat over Secure Session: one server, any number of clients, a thread for each connection.

    python chat_threads.py                      three clients chat for a moment, in one process
    python chat_threads.py serve [PORT]         a server; it prints what clients need to join
    python chat_threads.py join NAME SECRET SERVER_KEY [PORT]

Names and public keys are what a session knows people by, so the server makes a key pair for each
of its members beforehand. In real life members make their own, and give away the public half.
"""

from __future__ import annotations

import socket
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import suppress

from pythemis.exception import THEMIS_CODES
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.ssession import SecureSessionError, SSession
from pythemis.stransport import SocketTransport

HOST, PORT = "127.0.0.1", 7000
SERVER = b"chat server"
MEMBERS = ["alice", "bob", "carol"]
GONE = (
    THEMIS_CODES.NETWORK_ERROR,
    THEMIS_CODES.SSESSION_TRANSPORT_ERROR,
    THEMIS_CODES.NOT_SUPPORTED,  # the session is used up
)


def say(line: str) -> None:
    """Print a line in one piece: print() writes its end separately, and threads come between."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def messages(session: SSession) -> Iterator[bytes]:
    """Give what the peer says until the connection ends; a message that is refused ends nothing."""
    while session.is_established():
        try:
            yield session.receive()
        except SecureSessionError as error:
            if isinstance(error.__cause__, TimeoutError):
                continue  # the peer said nothing for as long as the transport waits
            if error.error_code in GONE:
                return
            say(f"refused: {error}")


class ChatServer:
    """Passes on what each member says to all others.

    Args:
        key: the server's private key.
        members: the public keys of members, by their ids.
        port: where to listen; 0 for any free port.
    """

    def __init__(self, key: bytes, members: dict[bytes, bytes], port: int = 0) -> None:
        self._key = key
        self._members = members
        self._sessions: set[SSession] = set()
        self._lock = threading.Lock()
        self._socket = socket.create_server((HOST, port))
        self.port = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Accept connections until `close`."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        # A thread that waits in accept() is woken by shutdown on Linux, by close elsewhere.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _attend(self, connection: socket.socket) -> None:
        with SocketTransport(connection, self._members) as transport:
            session = SSession(SERVER, self._key, transport, reject_duplicates=True)
            try:
                while not session.is_established():
                    session.receive()
                with self._lock:
                    self._sessions.add(session)
                session.send(b"welcome")
                for text in messages(session):
                    self._pass_on(session, text)
            except SecureSessionError as error:
                say(f"no session: {error}")  # this is none of us
            finally:
                with self._lock:
                    self._sessions.discard(session)
                session.close()

    def _pass_on(self, sender: SSession, text: bytes) -> None:
        # Who speaks is what the session has proved, not what a message says of itself.
        line = (sender.remote_id or b"") + b": " + text
        with self._lock:
            others = self._sessions - {sender}
        for other in others:
            with suppress(SecureSessionError):  # it is about to be discarded by its own thread
                other.send(line)


def join(name: bytes, key: bytes, server_key: bytes, port: int) -> SSession:
    """Connect to the server as this member."""
    connection = socket.create_connection((HOST, port))
    session = SSession(name, key, SocketTransport(connection, {SERVER: server_key}))
    session.connect()
    while not session.is_established():
        session.receive()
    return session


def demo() -> None:
    """Let three members chat: each greets, and hears the two others."""
    server_pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    pairs = {name.encode(): GenerateKeyPair(KEY_PAIR_TYPE.EC) for name in MEMBERS}
    members = {name: pair.export_public_key() for name, pair in pairs.items()}
    server = ChatServer(server_pair.export_private_key(), members)
    threading.Thread(target=server.serve, daemon=True).start()
    all_there = threading.Barrier(len(MEMBERS))

    def member(name: bytes) -> None:
        secret, server_key = pairs[name].export_private_key(), server_pair.export_public_key()
        session = join(name, secret, server_key, server.port)
        session.receive()  # the welcome: from now on the server passes on to us
        all_there.wait(30)
        session.send(b"hello")
        for _ in range(len(MEMBERS) - 1):
            say(f"{name.decode()} hears {session.receive().decode()}")
        all_there.wait(30)

    threads = [threading.Thread(target=member, args=(name,)) for name in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()


def serve(port: int) -> None:
    """Make keys for all members, print them, and serve."""
    server_pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    server_key = b64encode(server_pair.export_public_key()).decode()
    pairs = {name: GenerateKeyPair(KEY_PAIR_TYPE.EC) for name in MEMBERS}
    members = {name.encode(): pair.export_public_key() for name, pair in pairs.items()}
    server = ChatServer(server_pair.export_private_key(), members, port)
    for name, pair in pairs.items():
        secret = b64encode(pair.export_private_key()).decode()
        say(f"python chat_threads.py join {name} {secret} {server_key} {server.port}")
    server.serve()


def talk(name: str, secret: str, server_key: str, port: int) -> None:
    """Send what is typed, print what others say."""
    session = join(name.encode(), b64decode(secret), b64decode(server_key), port)

    def listen() -> None:
        for text in messages(session):
            say(text.decode())
        say("the chat is over")

    threading.Thread(target=listen, daemon=True).start()
    for line in sys.stdin:
        if line.strip():
            session.send(line.strip().encode())


def main() -> int:
    """Do what the arguments say."""
    words = sys.argv[1:]
    if not words:
        demo()
    elif words[0] == "serve" and len(words) <= 2:
        serve(int(words[1]) if len(words) == 2 else PORT)
    elif words[0] == "join" and len(words) in (4, 5):
        talk(*words[1:4], int(words[4]) if len(words) == 5 else PORT)
    else:
        say(__doc__ or "")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
