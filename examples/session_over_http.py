# SPDX-License-Identifier: Apache-2.0
"""Secure Session over HTTP requests: the buffer-aware API, where each request gets an answer.

The server gives every session a number, which travels in the path: POST /session begins one,
POST /session/NUMBER goes on with it. Bodies are messages of the session, as wrap and unwrap give
them. The service behind it is a counter, for which reading a request twice would do harm: so the
server's sessions reject duplicates.
"""

from __future__ import annotations

import http.client
import secrets
import sys
import threading
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.ssession import SecureSessionError, SimpleMemoryTransport, SSession, peer_id_of

HOST = "127.0.0.1"
SERVER, CLIENT = b"counter service", b"teller"
MAX_BODY = 1 << 20
MAX_NEGOTIATIONS = 1000  # anyone can begin one by replaying what a client sent
MAX_SESSIONS = 1000  # only clients have one


class Service:
    """The sessions that are open, and a counter for each client.

    Args:
        key: the server's private key.
        clients: public keys by ids.
    """

    def __init__(self, key: bytes, clients: dict[bytes, bytes]) -> None:
        self._key = key
        self._clients = SimpleMemoryTransport(clients)
        self._negotiations: OrderedDict[str, SSession] = OrderedDict()
        self._sessions: OrderedDict[str, SSession] = OrderedDict()
        self._counters: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def begin(self, request: bytes) -> tuple[str, bytes]:
        """Take a connect request; the new session's number, and the answer."""
        if self._clients.get_pub_key_by_id(peer_id_of(request)) is None:
            raise KeyError("an unknown client")  # before anything is computed for it
        session = SSession(SERVER, self._key, self._clients, reject_duplicates=True)
        answer = session.unwrap(request)
        number = secrets.token_urlsafe(12)
        with self._lock:
            keep(self._negotiations, number, session, MAX_NEGOTIATIONS)
        return number, answer

    def go_on(self, number: str, message: bytes) -> bytes:
        """Take the next message of a session; the answer."""
        with self._lock:
            session = self._sessions.get(number) or self._negotiations[number]
        text = session.unwrap(message)
        if text.is_control:  # the last message of the negotiation: now the client is authenticated
            with self._lock:
                self._negotiations.pop(number, None)
                keep(self._sessions, number, session, MAX_SESSIONS)
            return text
        return session.wrap(self._answer(session.remote_id or b"", text))

    def _answer(self, client: bytes, text: bytes) -> bytes:
        with self._lock:
            self._counters[client] = self._counters.get(client, 0) + int(text)
            return b"%d" % self._counters[client]


def keep(table: OrderedDict[str, SSession], number: str, session: SSession, most: int) -> None:
    """Put a session into a table, and forget the oldest if that makes too many."""
    table[number] = session
    if len(table) > most:
        table.popitem(last=False)


class Handler(BaseHTTPRequestHandler):
    """Hands bodies to the service. What is refused gets a bare 400: errors are for the log."""

    service: Service
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a message of a session."""
        size = int(self.headers.get("Content-Length", "0"))
        if not 0 < size <= MAX_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(size)
        number = self.path.removeprefix("/session").removeprefix("/")
        try:
            if number:
                answer = self.service.go_on(number, body)
            else:
                number, answer = self.service.begin(body)
        except (SecureSessionError, LookupError, ValueError) as error:
            self.log_error("refused: %r", error)
            self.send_error(400)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Location", f"/session/{number}")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet but for errors."""
        if not format.startswith('"'):
            sys.stdout.write(f"server: {format % args}\n")


class Client:
    """Speaks to the service.

    Args:
        key: the client's private key.
        server_key: the server's public key.
        port: where the server is.
    """

    def __init__(self, key: bytes, server_key: bytes, port: int) -> None:
        self._http = http.client.HTTPConnection(HOST, port, timeout=30)
        self.path = "/session"
        self._session = SSession(CLIENT, key, SimpleMemoryTransport(SERVER, server_key))
        message = self._session.connect_request()
        while message:
            message = self._session.unwrap(self.post(message))
        if not self._session.is_established():
            raise SystemExit("no session came about")

    def add(self, number: int) -> int:
        """Add to our counter; its new value."""
        self.last = self._session.wrap(b"%d" % number)
        return int(self._session.unwrap(self.post(self.last)))

    def post(self, body: bytes) -> bytes:
        """Send a request, give the body of the answer."""
        self._http.request("POST", self.path, body)
        response = self._http.getresponse()
        content = response.read()
        if response.status != 200:
            raise ValueError(f"the server said {response.status}")
        self.path = response.headers["Location"]
        return content


def main() -> None:
    """Count with a client, then replay a request of it."""
    server_pair, client_pair = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
    clients = {CLIENT: client_pair.export_public_key()}
    Handler.service = Service(server_pair.export_private_key(), clients)
    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    keys = client_pair.export_private_key(), server_pair.export_public_key()
    client = Client(*keys, server.server_address[1])
    sys.stdout.write(f"5 makes {client.add(5)}\n")
    sys.stdout.write(f"37 more make {client.add(37)}\n")
    try:
        client.post(client.last)
    except ValueError as error:
        sys.stdout.write(f"repeated: {error}\n")
    sys.stdout.write(f"nothing more makes {client.add(0)}\n")
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
