# SPDX-License-Identifier: Apache-2.0
"""Operations of Secure Session for fault_sweep.py: each on a recorded session of its own."""

from pythemis._themis import ffi, lib
from pythemis.ssession import SessionState, SimpleMemoryTransport, SSession
from support.cells import unhex, vector
from support.sessions import plan

CASE = {
    name: unhex(value) if isinstance(value, str) and name != "id" else value
    for name, value in vector("session_transcripts", "session-0").items()
}
GOOD = (lib.THEMIS_SUCCESS, lib.THEMIS_SEND_OUTPUT_TO_PEER)
NEXT = [
    SessionState.WAITING_FOR_2,
    SessionState.WAITING_FOR_3,
    SessionState.WAITING_FOR_4,
    SessionState.ESTABLISHED,
    SessionState.ESTABLISHED,
]
MESSAGE = b"a message" * 20
# What lack of memory may look like besides NO_MEMORY and ENGINE_FAIL: not everything in OpenSSL
# says why it failed.
SILENT = (
    lib.THEMIS_DATA_CORRUPT,
    lib.THEMIS_INVALID_SIGNATURE,
    lib.THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR,
)


def party(name, other):
    """Give one party of the recorded session, which will generate its recorded key."""
    transport = SimpleMemoryTransport(CASE[f"{other}_id"], CASE[f"{other}_public"])
    session = SSession(CASE[f"{name}_id"], CASE[f"{name}_private"], transport)
    plan(session, CASE[f"{name}_ecdh_private"])
    return session


def waiting_for(number):
    """Give the party to whom the message of this number is due; 0: the client before it begins."""
    if number in (1, 3):
        session = party("server", "client")
        if number == 3:
            session.unwrap(CASE["message1"])
    else:
        session = party("client", "server")
        if number != 0:
            session.connect_request()
        if number == 4:
            session.unwrap(CASE["message2"])
    return session


def negotiation(number):
    """Make the operation of taking (0: making) a negotiation message.

    If it failed, the session is as it was: the same message is taken when memory is back.
    """

    def operation(arm, disarm):
        session, size = waiting_for(number), ffi.new("size_t *")
        room = lib.themis_session_negotiation_size(session._held.handle)
        out = ffi.new("uint8_t[]", room)
        message = CASE.get(f"message{number}", b"")
        key = CASE["client_public" if number == 1 else "server_public"]

        def call():
            size[0] = room
            if number == 0:
                return lib.themis_session_connect_request(session._held.handle, out, size)
            return lib.themis_session_negotiate(
                session._held.handle, message, len(message), key, len(key), out, size
            )

        before = session.state
        arm()
        status = call()
        fired = disarm()
        if status not in GOOD:
            assert (session.state, size[0]) == (before, 0)
            assert call() in GOOD
        assert session.state is NEXT[number]
        if number == 3:
            assert ffi.buffer(out, size[0])[:] == CASE["message4"]
        return (lib.THEMIS_SUCCESS if status in GOOD else status), fired

    return operation


def creation(arm, disarm):
    """Make a session."""
    made = ffi.new("themis_session **")
    key = CASE["client_private"]
    arm()
    status = lib.themis_session_new(b"id", 2, key, len(key), 0, made)
    fired = disarm()
    assert (made[0] != ffi.NULL) == (status == lib.THEMIS_SUCCESS)
    lib.themis_session_free(made[0])
    return status, fired


def data():
    """Make the operation of a message there; the session lives on, or is plainly dead."""
    client, server = party("client", "server"), party("server", "client")
    client.unwrap(server.unwrap(client.unwrap(server.unwrap(client.connect_request()))))
    wrapped, text = ffi.new("uint8_t[]", len(MESSAGE) + 52), ffi.new("uint8_t[]", len(MESSAGE))

    def operation(arm, disarm):
        arm()
        status = lib.themis_session_wrap(
            client._held.handle, 0, MESSAGE, len(MESSAGE), wrapped, len(wrapped)
        )
        if status in GOOD:
            status = lib.themis_session_unwrap(
                server._held.handle, 0, wrapped, len(wrapped), text, len(text)
            )
        fired = disarm()
        if status in GOOD:
            assert bytes(text) == MESSAGE
        return status, fired

    return operation


def operations():
    """Give every operation of a session that allocates, by name."""
    yield "EC session_new", creation
    for number in range(5):
        yield f"EC negotiation {number}", negotiation(number)
    yield "EC session message", data()
