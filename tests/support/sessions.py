# SPDX-License-Identifier: Apache-2.0
"""What the tests of Secure Session share: parties, forged messages, refusals."""

import struct
import time
from typing import NamedTuple

from pythemis._themis import ffi, lib
from pythemis.exception import THEMIS_CODES
from pythemis.ssession import SecureSessionError, SimpleMemoryTransport, SSession
from support import cells
from support.cells import unhex, vector
from support.definitions import boxed

CLIENT, SERVER = b"client", b"the server"
OVERHEAD = 52
MAC = 32
CODES = THEMIS_CODES


def refused(code, says, *, kind=SecureSessionError):
    """Demand an error of exactly this class, with this code and these words."""
    return cells.refused(code, says, kind=kind)


class Answering:
    """Says one key whoever is asked for."""

    def __init__(self, key):
        self.key = key

    def get_pub_key_by_id(self, _peer_id):
        """Give it."""
        return self.key


def key_pair(name):
    """Give (private, public) of a recorded key pair."""
    case = vector("key_pairs", name)
    return unhex(case["private"]), unhex(case["public"])


def sign(name, message):
    """Sign with a recorded key of P-256, in another implementation."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(vector("key_pairs", name)["pkcs8_pem"].encode(), None)
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def verify(public, signature, message):
    """Verify an ECDSA signature of a P-256 key with another implementation."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public[12:])
    point.verify(signature, message, ec.ECDSA(hashes.SHA256()))


def parties(client="p256", server="p256_b", **options):
    """Give a client and a server who know each other's keys."""
    client_private, client_public = key_pair(client)
    server_private, server_public = key_pair(server)
    return (
        SSession(CLIENT, client_private, SimpleMemoryTransport(SERVER, server_public), **options),
        SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, client_public), **options),
    )


def negotiate(client, server):
    """Take both to the end; give the four messages."""
    first = client.connect_request()
    second = server.unwrap(first)
    third = client.unwrap(second)
    fourth = server.unwrap(third)
    assert client.unwrap(fourth) == b""
    assert client.is_established()
    assert server.is_established()
    return [bytes(message) for message in (first, second, third, fourth)]


def established(**options):
    """Give both ends of an established session."""
    client, server = parties(**options)
    negotiate(client, server)
    return client, server


def assert_works(client, server):
    """Demand that messages pass in both directions."""
    for one, other in ((client, server), (server, client)):
        message = b"from " + (one.remote_id or b"")
        assert other.unwrap(one.wrap(message)) == message


def plan(session, private_key):
    """Give a session the ephemeral key that it would generate."""
    status = lib.themis_testing_session_ephemeral(
        session._held.handle, private_key, len(private_key)
    )
    assert status == CODES.SUCCESS


def set_numbers(session, next_written, next_read):
    """Set the next sequence number to write and the first to read."""
    status = lib.themis_testing_session_numbers(session._held.handle, next_written, next_read)
    assert status == CODES.SUCCESS


def set_counts(session, written, moved):
    """Set how many messages were written, and how far the newest read is from the first."""
    status = lib.themis_testing_session_counts(session._held.handle, written, moved)
    assert status == CODES.SUCCESS


class Secrets(NamedTuple):
    """What both sides of a session derive."""

    sid: bytes
    master: bytes
    client_key: bytes
    server_key: bytes
    client_number: int
    server_number: int


def secrets_of(private, is_client, public, client_id, server_id):
    """Derive as the C core does it, from one side's ephemeral key and the other's."""
    size = lib.THEMIS_TESTING_SESSION_SECRETS_SIZE
    out = ffi.new("uint8_t[]", size)
    status = lib.themis_testing_session_secrets(
        private,
        len(private),
        is_client,
        public,
        len(public),
        client_id,
        len(client_id),
        server_id,
        len(server_id),
        out,
    )
    assert status == CODES.SUCCESS
    return Secrets(*struct.unpack(">4s32s32s32sII", bytes(ffi.buffer(out, size))))


class Open(NamedTuple):
    """An established session whose secrets the test knows, so that it can forge."""

    client: SSession
    server: SSession
    secrets: Secrets

    def forge(self, message, number, *, at=None, length=None, by_client=True, sid=None):
        """Write an authentic data message with fields of one's choice."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self.secrets.client_key if by_client else self.secrets.server_key
        fields = struct.pack(
            ">IIQ",
            len(message) + 12 if length is None else length,
            number % 2**32,
            int(time.time()) if at is None else at,
        )
        nonce = bytes(range(16))
        encrypted = AESGCM(key).encrypt(nonce[:12], fields + message, None)
        return (self.secrets.sid if sid is None else sid)[::-1] + nonce + encrypted


def open_session(**options):
    """Establish a session with ephemeral keys that are known."""
    client, server = parties(**options)
    client_private, client_public = key_pair("p256")
    server_private, server_public = key_pair("p256_b")
    plan(client, client_private)
    plan(server, server_private)
    negotiate(client, server)
    secrets = secrets_of(client_private, True, server_public, CLIENT, SERVER)
    assert secrets == secrets_of(server_private, False, client_public, CLIENT, SERVER)
    return Open(client, server, secrets)


# ---- Negotiation messages by their parts ----


def parts_of(message):
    """Give the parts inside a negotiation message: containers, and what is left."""
    payload, parts = message[12:], []
    while payload[:4] in (b"TSID", b"UEC2"):
        size = int.from_bytes(payload[4:8], "big")
        parts.append(payload[:size])
        payload = payload[size:]
    return [*parts, payload]


def message_of(*parts):
    """Put a negotiation message together, with a good checksum."""
    return boxed(b"TSPM", b"".join(parts))


def resummed(container):
    """Make a container's checksum right again; one that tells another size is left alone."""
    if int.from_bytes(container[4:8], "big") != len(container):
        return container
    return boxed(container[:4], container[12:])


def resummed_message(message, original):
    """Make all checksums right again, where the containers of the original were."""
    at, inner = 12, []
    for part in parts_of(original):
        changed = message[at : at + len(part)]
        inner.append(resummed(changed) if part[:4] in (b"TSID", b"UEC2") else changed)
        at += len(part)
    return resummed(message[:12] + b"".join(inner))
