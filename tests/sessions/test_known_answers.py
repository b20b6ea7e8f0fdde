# SPDX-License-Identifier: Apache-2.0
"""Secure Session against the recorded sessions of real Themis."""

import pytest
from cryptography.exceptions import InvalidSignature

from pythemis._core import sessions
from pythemis.ssession import SimpleMemoryTransport, SSession, peer_id_of
from support.cells import unhex, vectors
from support.sessions import MAC, OVERHEAD, Secrets, negotiate, parts_of, plan, secrets_of, verify

CASES = pytest.mark.parametrize("case", vectors("session_transcripts"))
FIELDS = ("client_id", "server_id", "client_ecdh_public", "server_ecdh_public")


def recorded(case, *names):
    """Give fields of a recorded session as bytes."""
    return [unhex(case[name]) for name in names]


def parties_of(case):
    """Give both parties of a recorded session, who will generate its ephemeral keys."""
    client_id, server_id, client_public, server_public = recorded(
        case, "client_id", "server_id", "client_public", "server_public"
    )
    client_private, server_private, client_ephemeral, server_ephemeral = recorded(
        case, "client_private", "server_private", "client_ecdh_private", "server_ecdh_private"
    )
    client = SSession(client_id, client_private, SimpleMemoryTransport(server_id, server_public))
    server = SSession(server_id, server_private, SimpleMemoryTransport(client_id, client_public))
    plan(client, client_ephemeral)
    plan(server, server_ephemeral)
    return client, server


@pytest.mark.hooks
@CASES
@pytest.mark.parametrize("by_client", [True, False])
def test_every_derived_value(case, by_client):
    """Session id, master key, both keys and both first numbers come out the same on both sides."""
    client_id, server_id, client_public, server_public = recorded(case, *FIELDS)
    client_private, server_private = recorded(case, "client_ecdh_private", "server_ecdh_private")
    private, public = (
        (client_private, server_public) if by_client else (server_private, client_public)
    )
    assert secrets_of(private, by_client, public, client_id, server_id) == Secrets(
        *recorded(case, "session_id", "master_key", "client_key", "server_key"),
        case["client_seq"],
        case["server_seq"],
    )


@pytest.mark.hooks
@CASES
def test_every_recorded_signature(case):
    """The recorded signatures are over what the specification says, and so are ours."""
    client_id, server_id, client_ephemeral, server_ephemeral = recorded(case, *FIELDS)
    client_public, server_public = recorded(case, "client_public", "server_public")
    signed = [
        (client_public, client_ephemeral),
        (server_public, server_ephemeral + client_ephemeral + server_id + client_id),
        (client_public, client_ephemeral + server_ephemeral + client_id + server_id),
    ]
    ours = negotiate(*parties_of(case))
    theirs = recorded(case, "message1", "message2", "message3", "message4")
    for messages in (ours, theirs):
        signatures = [parts_of(message)[-1] for message in messages[:3]]
        signatures[2] = signatures[2][:-MAC]
        for (public, message), signature in zip(signed, signatures, strict=True):
            verify(public, signature, message)
            with pytest.raises(InvalidSignature):
                verify(public, signature, message + b"\0")
    for mine, other in zip(ours[:2], theirs[:2], strict=True):
        assert parts_of(mine)[:2] == parts_of(other)[:2]
    assert ours[2][-MAC:] == theirs[2][-MAC:]
    assert ours[3] == theirs[3]


@pytest.mark.hooks
@CASES
def test_the_client_takes_the_recorded_server(case):
    """A client with the recorded ephemeral key takes messages 2 and 4, and writes 3 alike."""
    client, _ = parties_of(case)
    server_id, second, third, fourth = recorded(
        case, "server_id", "message2", "message3", "message4"
    )
    client.connect_request()
    assert peer_id_of(second) == server_id
    reply = client.unwrap(second)
    assert reply.is_control
    assert reply[-MAC:] == third[-MAC:]
    assert client.unwrap(fourth) == b""
    assert client.is_established()
    assert client.remote_id == server_id


@pytest.mark.hooks
@CASES
def test_the_server_takes_the_recorded_client(case):
    """A server with the recorded ephemeral key takes messages 1 and 3, and writes 4 the same."""
    _, server = parties_of(case)
    client_id, first, third, fourth = recorded(
        case, "client_id", "message1", "message3", "message4"
    )
    assert peer_id_of(first) == client_id
    server.unwrap(first)
    assert server.unwrap(third) == fourth
    assert server.is_established()
    assert server.remote_id == client_id


@pytest.mark.hooks
@CASES
def test_recorded_messages_are_read(case, monkeypatch):
    """With the clock set back, every recorded data message is read, on both sides."""
    client, server = parties_of(case)
    negotiate(client, server)
    monkeypatch.setattr(sessions, "time", lambda: case["time"])
    for reader, name in ((server, "client_to_server"), (client, "server_to_client")):
        assert len(case[name]) >= 3
        for item in case[name]:
            message, wrapped = unhex(item["message"]), unhex(item["wrapped"])
            assert len(wrapped) == len(message) + OVERHEAD
            assert reader.unwrap(wrapped) == message


@CASES
def test_the_saved_states_agree(case):
    """The recorded saved states hold what is derived, so the vectors fit one another."""
    sid, master = recorded(case, "session_id", "master_key")
    states = recorded(case, "client_saved_state", "server_saved_state")
    for is_client, state in zip((1, 0), states, strict=True):
        assert len(state) == 60
        assert state[:4] == b"TSSC"
        assert state[12:16] == sid[::-1]
        assert int.from_bytes(state[16:20], "big") == is_client
        assert state[20:52] == master
        numbers = [case["client_seq"], case["server_seq"]]
        own, peer = numbers if is_client else numbers[::-1]
        assert int.from_bytes(state[52:56], "big") == own
        assert int.from_bytes(state[56:60], "big") == peer
