# SPDX-License-Identifier: Apache-2.0
"""Two sessions that are connected, over queues or sockets."""

import queue
import socket

from pythemis.ssession import SSession
from pythemis.stransport import SocketTransport
from support.sessions import CLIENT, SERVER, key_pair

PATIENCE = 60


class QueueTransport:
    """Takes messages through queues, so that a test sees and delays them."""

    def __init__(self, peer_id, peer_key):
        self.inbox, self.outbox = queue.Queue(), None
        self._keys = {peer_id: peer_key}

    def send(self, message):
        self.outbox.put(message)

    def receive(self, _max_length):
        message = self.inbox.get(timeout=PATIENCE)
        if message is None:
            raise EOFError("the peer hung up")
        return message

    def get_pub_key_by_id(self, peer_id):
        return self._keys.get(peer_id)


def connected(transports=None, **options):
    """Establish two sessions over queues, with the callback-oriented API."""
    (client_private, client_public), (server_private, server_public) = map(
        key_pair, ("p256", "p256_b")
    )
    if transports is None:
        transports = (QueueTransport(SERVER, server_public), QueueTransport(CLIENT, client_public))
    one, other = transports
    if isinstance(one, QueueTransport):
        one.outbox, other.outbox = other.inbox, one.inbox
    client = SSession(CLIENT, client_private, one, **options)
    server = SSession(SERVER, server_private, other, **options)
    client.connect()
    for session in (server, client, server, client):
        assert session.receive() == b""
    assert client.is_established()
    assert server.is_established()
    return client, server, transports


def socket_pair(**options):
    """Give two connected transports."""
    one, other = socket.socketpair()
    (_, client_public), (_, server_public) = key_pair("p256"), key_pair("p256_b")
    return (
        SocketTransport(one, {SERVER: server_public}, **options),
        SocketTransport(other, {CLIENT: client_public}, **options),
    )
