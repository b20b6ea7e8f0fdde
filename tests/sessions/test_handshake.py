# SPDX-License-Identifier: Apache-2.0
"""The negotiation of Secure Session, with hostile messages of every kind."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pythemis._themis import ffi, lib
from pythemis.ssession import (
    SecureSessionError,
    SecureSessionTypeError,
    SecureSessionValueError,
    SessionState,
    SimpleMemoryTransport,
    SSession,
    peer_id_of,
)
from support.cells import FEWER, cuts, flips, unhex, vector
from support.definitions import boxed
from support.sessions import (
    CLIENT,
    CODES,
    MAC,
    SERVER,
    Answering,
    assert_works,
    established,
    key_pair,
    message_of,
    negotiate,
    parties,
    parts_of,
    plan,
    refused,
    resummed_message,
    sign,
    verify,
)

UNKNOWN = CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
CURVES = ["p256", "p384", "p521"]
REFUSALS = {
    CODES.INVALID_PARAMETER,
    CODES.DATA_CORRUPT,
    CODES.INVALID_SIGNATURE,
    CODES.FAIL,
    UNKNOWN,
}


class Stage:
    """A negotiation that stopped just before one of its four messages arrives."""

    def __init__(self, number, client="p256", server="p256_b"):
        self.client, self.server = parties(client, server)
        self.messages = [bytes(self.client.connect_request())]
        for _ in range(number - 1):
            self.messages.append(bytes(self.next_reader.unwrap(self.messages[-1])))
        self.reader = self.next_reader

    @property
    def next_reader(self):
        """Tell who reads the latest message."""
        return self.server if len(self.messages) % 2 else self.client

    @property
    def honest(self):
        """The message that should arrive now."""
        return self.messages[-1]

    def refuse(self, message, codes=REFUSALS):
        """Demand that the reader refuses a message and is as it was; give the error."""
        state = self.reader.state
        with pytest.raises(SecureSessionError) as caught:
            self.reader.unwrap(message)
        assert type(caught.value) is SecureSessionError
        assert caught.value.error_code in codes
        assert self.reader.state is state
        assert self.reader.remote_id is None
        return caught.value

    def finish(self):
        """Let the honest messages arrive, and demand that the session works."""
        while self.honest:
            self.messages.append(bytes(self.next_reader.unwrap(self.honest)))
        assert len(self.messages) == 5
        assert_works(self.client, self.server)


STAGES = pytest.mark.parametrize("number", [1, 2, 3, 4])


@pytest.mark.parametrize("server", CURVES)
@pytest.mark.parametrize("client", CURVES)
def test_identity_keys_on_every_curve(client, server):
    """Any two curves of identity keys make a session; the states pass in their order."""
    one, other = parties(client, f"{server}_b")
    assert (one.state, other.state) == (SessionState.IDLE, SessionState.IDLE)
    first = one.connect_request()
    assert one.state is SessionState.WAITING_FOR_2
    second = other.unwrap(first)
    assert other.state is SessionState.WAITING_FOR_3
    third = one.unwrap(second)
    assert one.state is SessionState.WAITING_FOR_4
    fourth = other.unwrap(third)
    assert other.state is SessionState.ESTABLISHED
    assert [reply.is_control() for reply in (second, third, fourth)] == [True] * 3
    last = one.unwrap(fourth)
    assert (last, last.is_control()) == (b"", False)
    assert one.state is SessionState.ESTABLISHED
    assert (one.remote_id, other.remote_id) == (SERVER, CLIENT)
    assert len(fourth) == 44
    assert_works(one, other)


@pytest.mark.parametrize("name", ["private_short", "public_uncompressed"])
def test_other_encodings_of_identity_keys(name):
    """Keys in the encodings that others write do as well."""
    case, (server_private, server_public) = vector("key_pairs", "p384"), key_pair("p521")
    private = unhex(case[name if name.startswith("private") else "private"])
    public = unhex(case[name if name.startswith("public") else "public"])
    client = SSession(CLIENT, private, SimpleMemoryTransport(SERVER, server_public))
    server = SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, public))
    negotiate(client, server)
    assert_works(client, server)


def test_ids_of_every_length():
    """An id may be one byte or many thousand, and hold any bytes."""
    (private, public), (server_private, server_public) = key_pair("p256"), key_pair("p256_b")
    for client_id in (b"\0", b"\xff" * 7, bytes(range(256)) * 200):
        client = SSession(client_id, private, SimpleMemoryTransport({SERVER: server_public}))
        server = SSession(SERVER, server_private, SimpleMemoryTransport([(client_id, public)]))
        request = client.connect_request()
        assert peer_id_of(request) == peer_id_of(bytearray(request)) == client_id
        client.unwrap(server.unwrap(client.unwrap(server.unwrap(request))))
        assert server.remote_id == client_id
        assert_works(client, server)


def themselves(curve="p256", half="public", **options):
    """Give two sessions of one identity, which each knows."""
    case = vector("key_pairs", curve)
    private, known = unhex(case["private"]), SimpleMemoryTransport(CLIENT, unhex(case[half]))
    return [SSession(CLIENT, private, known, **options) for _ in "12"]


@pytest.mark.parametrize("half", ["public", "public_uncompressed"])
@pytest.mark.parametrize("curve", CURVES)
def test_our_own_identity_is_refused(curve, half):
    """A peer with our id and our key may be our own message, sent back: server and client refuse.

    However the key is written. With allow_own_identity a party may talk to itself.
    """
    reflected = "the peer has our own id and our own key: our message was reflected back"
    client, server = themselves(curve, half)
    request = client.connect_request()
    allowing = themselves(curve, half, allow_own_identity=True)
    for session, message in ((server, request), (client, allowing[1].unwrap(request))):
        state = session.state
        for _ in range(2):
            with refused(CODES.FAIL, reflected):
                session.unwrap(message)
        assert session.state is state
    one, other = themselves(curve, half, allow_own_identity=True)
    negotiate(one, other)
    assert_works(one, other)


def test_our_id_or_our_key_alone_is_not_our_identity():
    """Two devices may share an id, or a key: neither can be a message of our own."""
    private, public = key_pair("p256")
    other_private, other_public = key_pair("p256_b")
    client = SSession(CLIENT, private, SimpleMemoryTransport(CLIENT, other_public))
    server = SSession(CLIENT, other_private, SimpleMemoryTransport(CLIENT, public))
    negotiate(client, server)
    assert_works(client, server)
    client = SSession(CLIENT, private, SimpleMemoryTransport(SERVER, public))
    server = SSession(SERVER, private, SimpleMemoryTransport(CLIENT, public))
    negotiate(client, server)
    assert_works(client, server)


@STAGES
def test_surplus_bytes_are_ignored(number):
    """Bytes behind the outer container do not matter, for some wrappers send a few."""
    stage = Stage(number)
    stage.messages[-1] += b"surplus"
    stage.finish()


@STAGES
def test_every_byte_flipped(number):
    """No message with any byte changed is taken, and the honest one still is."""
    stage = Stage(number)
    for _, message in list(flips(stage.honest))[:: FEWER // 10 + 1]:
        stage.refuse(message)
    stage.finish()


@STAGES
def test_every_byte_flipped_with_good_checksums(number):
    """The same where all checksums were made right again: signatures and MACs hold alone."""
    stage = Stage(number)
    refusals = set()
    for _, message in list(flips(stage.honest))[:: FEWER // 10 + 1]:
        message = resummed_message(message, stage.honest)
        if message != stage.honest:
            refusals.add(stage.refuse(message).error_code)
    proofs = {CODES.INVALID_SIGNATURE} if number < 4 else {CODES.FAIL}
    assert refusals >= proofs | ({CODES.FAIL} if number == 3 else set())
    stage.finish()


@STAGES
def test_every_truncation(number):
    """No part of a message is taken for the message, whatever its header says."""
    stage = Stage(number)
    for message in cuts(stage.honest):
        stage.refuse(message, {CODES.INVALID_PARAMETER})
    for size in range(len(stage.honest) - 12):
        stage.refuse(boxed(b"TSPM", stage.honest[12:][:size]))
    stage.finish()


@STAGES
def test_every_message_in_every_wrong_state(number):
    """Messages 1 to 4 of this and of another negotiation are refused where another is due."""
    other = negotiate(*parties())
    stage = Stage(number)
    for at, message in enumerate(other, 1):
        if (number, at) != (1, 1):
            stage.refuse(message)
    for at, message in enumerate(stage.messages[:-1], 1):
        assert at != number
        stage.refuse(message)
    stage.finish()


def test_established_sessions_refuse_negotiation():
    """Whatever of a negotiation arrives late, or again, harms nothing."""
    client, server = parties()
    messages = negotiate(client, server)
    for session in (client, server):
        for message in [*messages, *negotiate(*parties())]:
            with pytest.raises(SecureSessionError) as caught:
                session.unwrap(message)
            assert caught.value.error_code == CODES.INVALID_PARAMETER
    assert_works(client, server)


@STAGES
def test_own_messages_reflected(number):
    """A party does not take what it wrote itself, even if it knows its own key."""
    private, public = key_pair("p256")
    server_private, server_public = key_pair("p256_b")
    keys = SimpleMemoryTransport({CLIENT: public, SERVER: server_public})
    client, server = SSession(CLIENT, private, keys), SSession(SERVER, server_private, keys)
    sent = {id(client): [bytes(client.connect_request())], id(server): []}
    message, turn, idle = sent[id(client)][-1], [server, client] * 2, SessionState.IDLE
    for reader in turn[: number - 1]:
        message = bytes(reader.unwrap(message))
        sent[id(reader)].append(message)
    for session in (client, server):
        for own in sent[id(session)]:
            state = session.state
            assert state is not idle
            with pytest.raises(SecureSessionError):
                session.unwrap(own)
            assert session.state is state
    for reader in turn[number - 1 :]:
        message = reader.unwrap(message)
    assert_works(client, server)


@STAGES
def test_data_messages_during_negotiation(number):
    """Data before its time is refused, and so is wrapping."""
    other, _ = established()
    stage = Stage(number)
    stage.refuse(other.wrap(b"of another session"), {CODES.INVALID_PARAMETER})
    with refused(CODES.SSESSION_KA_NOT_FINISHED, "the session is not established yet"):
        stage.reader.wrap(b"too early")
    stage.finish()


def test_data_that_overtakes_the_last_negotiation_message():
    """A client refuses data that comes before message 4, and reads what comes after it."""
    stage = Stage(4)
    early = stage.server.wrap(b"too early")
    stage.refuse(early, {CODES.INVALID_PARAMETER})
    stage.finish()
    assert stage.client.unwrap(early) == b"too early"


@STAGES
def test_garbage(number):
    """What is no negotiation message at all is refused, and in words."""
    stage = Stage(number)
    honest = stage.honest
    for message in (b"", b"\0", b"TSPM", bytes(12), bytes(1000), b"GET / HTTP/1.1\r\n\r\n"):
        assert "this is not" in str(stage.refuse(message, {CODES.INVALID_PARAMETER}))
    for size in (0, 11, 12, len(honest) + 1, 2**31, 2**32 - 1):
        message = boxed(honest[:4], honest[12:], size=size)
        stage.refuse(message, {CODES.INVALID_PARAMETER, CODES.DATA_CORRUPT})
    stage.finish()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("part", [0, 1])
def test_inner_sizes(number, part):
    """An inner size below 12 or above what the outer container holds is refused."""
    stage = Stage(number)
    parts = parts_of(stage.honest)
    whole = len(b"".join(parts))
    left = len(b"".join(parts[part:]))
    for size in {0, 1, 11, 12, len(parts[part]) - 1, len(parts[part]) + 1, left + 1, left + 12}:
        lie = boxed(parts[part][:4], parts[part][12:], size=size)
        stage.refuse(message_of(*parts[:part], lie, *parts[part + 1 :]))
    for size in (whole + 12, 2**31, 2**32 - 1):
        lie = boxed(parts[part][:4], parts[part][12:], size=size)
        message = message_of(*parts[:part], lie, *parts[part + 1 :])
        stage.refuse(message, {CODES.INVALID_PARAMETER})
        # Bytes behind the outer container do not lend themselves to an inner one.
        stage.refuse(message + bytes(100), {CODES.INVALID_PARAMETER})
    stage.finish()


@pytest.mark.parametrize("number", [1, 2])
def test_parts_of_wrong_kind_or_size(number):
    """An empty id, a wrong tag, another curve and a signature of impossible length are refused."""
    stage = Stage(number)
    name, key, signature = parts_of(stage.honest)
    p384, private = key_pair("p384")[1], key_pair("p256")[0]
    wrong = [
        (boxed(b"TSID", b""), key, signature),
        (boxed(b"TSIE", name[12:]), key, signature),
        (key, name, signature),
        (name, key),
        (name, key, b""),
        (name, key, signature[:7]),
        (name, key, signature + bytes(145 - len(signature))),
        (name, p384, signature),
        (name, private, signature),
        (name, boxed(b"UEC2", key[12:] + b"\0"), signature),
        (name, boxed(b"UEC2", key[12:-1]), signature),
        (name, boxed(b"UEC3", key[12:]), signature),
        (name, name, key, signature),
    ]
    for parts in wrong:
        stage.refuse(message_of(*parts), {CODES.INVALID_PARAMETER})
    stage.refuse(boxed(b"TSPN", stage.honest[12:]), {CODES.INVALID_PARAMETER})
    for wrong in (bytes(8), bytes(144), signature + b"\0", key + signature):
        stage.refuse(message_of(name, key, wrong), {CODES.INVALID_SIGNATURE})
    stage.finish()


def is_on_curve(x):
    """Tell whether P-256 has a point with this coordinate."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\2" + x.to_bytes(32, "big"))
    except ValueError:
        return False
    return True


def test_an_ephemeral_key_that_is_no_point():
    """A peer who signs nonsense in place of a point is refused, by client and server."""
    no_coordinate = next(x for x in range(1, 100) if not is_on_curve(x))
    points = [
        b"\2" + no_coordinate.to_bytes(32, "big"),
        b"\2" + b"\xff" * 32,  # above the field's prime
        b"\0" + bytes(32),  # infinity, padded
        b"\5" + b"\1" * 32,
        b"\4" + bytes(64),
        b"\6" + b"\1" * 64,  # the hybrid form
    ]
    stage = Stage(1)
    for point in points:
        key = boxed(b"UEC2", point)
        message = message_of(boxed(b"TSID", CLIENT), key, sign("p256", key))
        assert "the peer's ephemeral key" in str(stage.refuse(message, {CODES.DATA_CORRUPT}))
    stage.finish()
    stage = Stage(2)
    client_key = parts_of(stage.messages[0])[1]
    for point in points:
        key = boxed(b"UEC2", point)
        signature = sign("p256_b", key + client_key + SERVER + CLIENT)
        message = message_of(boxed(b"TSID", SERVER), key, signature)
        assert "the peer's ephemeral key" in str(stage.refuse(message, {CODES.DATA_CORRUPT}))
    stage.finish()


def test_ephemeral_keys_may_be_uncompressed():
    """A peer may write its ephemeral key uncompressed; it is signed and hashed as it was sent."""
    key = unhex(vector("key_pairs", "p256")["public_uncompressed"])
    _, server = parties()
    reply = server.unwrap(message_of(boxed(b"TSID", CLIENT), key, sign("p256", key)))
    _, server_key, signature = parts_of(reply)
    verify(key_pair("p256_b")[1], bytes(signature), server_key + key + SERVER + CLIENT)


@pytest.mark.parametrize("number", [3, 4])
def test_final_macs_of_every_length(number):
    """A final MAC that is empty, shorter, longer or simply wrong is refused."""
    stage = Stage(number)
    payload = stage.honest[12:]
    rest, mac = payload[:-MAC], payload[-MAC:]
    wrong = {bytes(MAC), mac[::-1], mac[:-1] + bytes([mac[-1] ^ 1])}
    for forged in wrong:
        stage.refuse(message_of(rest, forged), {CODES.FAIL})
    for size in range(MAC):
        codes = {CODES.INVALID_PARAMETER} if number == 4 else REFUSALS
        stage.refuse(message_of(rest, mac[:size]), codes)
    for surplus in (b"\0", bytes(MAC), mac):
        codes = {CODES.INVALID_PARAMETER, CODES.INVALID_SIGNATURE}
        stage.refuse(message_of(rest, mac + surplus), codes)
    stage.refuse(message_of(), {CODES.INVALID_PARAMETER})
    if number == 3:
        for signature in (b"", rest[:7], rest + bytes(145 - len(rest))):
            stage.refuse(message_of(signature, mac), {CODES.INVALID_PARAMETER})
    stage.finish()


def test_a_wrong_key_for_an_id():
    """If the application knows another key for an id, the signature does not match."""
    private, public = key_pair("p256")
    server_private, _ = key_pair("p256_b")
    wrong = key_pair("p384")[1]
    server = SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, wrong))
    client = SSession(CLIENT, private, SimpleMemoryTransport(SERVER, wrong))
    request = client.connect_request()
    with refused(CODES.INVALID_SIGNATURE, "the peer's signature does not match"):
        server.unwrap(request)
    reply = SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, public)).unwrap(request)
    with refused(CODES.INVALID_SIGNATURE, "get_pub_key_by_id returned another key than the peer's"):
        client.unwrap(reply)
    assert (client.state, server.state) == (SessionState.WAITING_FOR_2, SessionState.IDLE)


def test_an_unknown_id():
    """Who is not known is refused by the server and by the client, and named."""
    private, public = key_pair("p256")
    server_private, _ = key_pair("p256_b")
    client = SSession(CLIENT, private, SimpleMemoryTransport({}))
    request = client.connect_request()
    with refused(UNKNOWN, "knows no public key of the peer b'client'"):
        SSession(SERVER, server_private, SimpleMemoryTransport({})).unwrap(request)
    reply = SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, public)).unwrap(request)
    with refused(UNKNOWN, "knows no public key of the peer b'the server'"):
        client.unwrap(reply)


def test_another_known_peer_answers():
    """Another server that the application knows is told apart by remote_id."""
    private, public = key_pair("p256")
    other_private, other_public = key_pair("p384")
    keys = SimpleMemoryTransport({SERVER: key_pair("p256_b")[1], b"other": other_public})
    client = SSession(CLIENT, private, keys)
    other = SSession(b"other", other_private, SimpleMemoryTransport(CLIENT, public))
    client.unwrap(other.unwrap(client.unwrap(other.unwrap(client.connect_request()))))
    assert client.remote_id == b"other"


def test_nobody_takes_anothers_name():
    """A known peer who claims another's id is refused: its key is not that id's."""
    private, public = key_pair("p256")
    server_public, other = key_pair("p256_b")[1], key_pair("p384")
    client = SSession(CLIENT, private, SimpleMemoryTransport({SERVER: server_public}))
    liar = SSession(SERVER, other[0], SimpleMemoryTransport(CLIENT, public))
    request = client.connect_request()
    with refused(CODES.INVALID_SIGNATURE, "the peer's signature does not match"):
        client.unwrap(liar.unwrap(request))
    honest = SSession(SERVER, key_pair("p256_b")[0], SimpleMemoryTransport(CLIENT, public))
    client.unwrap(honest.unwrap(client.unwrap(honest.unwrap(request))))
    assert_works(client, honest)


def test_a_replayed_request_gets_nowhere():
    """Who repeats a recorded request cannot go on: message 3 needs the client's key."""
    recorded = negotiate(*parties())
    _, server = parties()
    server.unwrap(recorded[0])
    with refused(CODES.INVALID_SIGNATURE, "the peer's signature does not match"):
        server.unwrap(recorded[2])
    assert server.state is SessionState.WAITING_FOR_3


def test_messages_of_two_negotiations_do_not_mix():
    """Messages between the same two parties count in their own negotiation only."""
    for number in (2, 3, 4):
        one, other = Stage(number), Stage(number)
        one.refuse(other.honest, {CODES.INVALID_SIGNATURE, CODES.FAIL})
        other.refuse(one.honest, {CODES.INVALID_SIGNATURE, CODES.FAIL})
        one.finish()
        other.finish()


def test_one_object_negotiates_once():
    """A second connect request is refused in every state but the first, and changes nothing."""
    says = "a session negotiates once"
    for number in (1, 2, 3, 4):
        stage = Stage(number)
        for session in (stage.client, stage.server):
            if session.state is not SessionState.IDLE:
                with refused(CODES.INVALID_PARAMETER, says):
                    session.connect_request()
        stage.finish()
        for session in (stage.client, stage.server):
            with refused(CODES.INVALID_PARAMETER, says):
                session.connect_request()


def test_every_session_has_keys_of_its_own():
    """Two sessions between the same parties share neither ephemeral keys nor anything else."""
    seen = set()
    for _ in range(20):
        messages = negotiate(*parties())
        seen |= {parts_of(message)[1] for message in messages[:2]}
        seen |= {messages[2][-MAC:], messages[3][-MAC:]}
    assert len(seen) == 20 * 4


@pytest.mark.parametrize("name", ["rsa1024", "rsa2048", "rsa8192"])
def test_rsa_keys_are_refused(name):
    """An RSA key is refused as our own and as the peer's, in words that say so."""
    private, public = key_pair(name)
    for key in (private, public):
        says = "a Secure Session takes EC keys only, and the private key is an RSA key"
        with refused(CODES.NOT_SUPPORTED, says, kind=SecureSessionValueError):
            SSession(CLIENT, key, SimpleMemoryTransport({}))
    stage = Stage(1)
    server = SSession(SERVER, key_pair("p256_b")[0], Answering(public))
    with refused(UNKNOWN, "not the public EC key of the peer's id"):
        server.unwrap(stage.honest)


def test_wrong_identities_are_refused():
    """An empty id, an empty, damaged, cut, public or nonsensical key: each has its error."""
    private, public = key_pair("p256")
    transport = SimpleMemoryTransport({})
    invalid, corrupt = CODES.INVALID_PARAMETER, CODES.DATA_CORRUPT
    with refused(invalid, "the user id is empty", kind=SecureSessionValueError):
        SSession(b"", private, transport)
    with refused(invalid, "the user id must be bytes, not str", kind=SecureSessionTypeError):
        SSession("client", private, transport)
    with refused(invalid, "the private key must be bytes", kind=SecureSessionTypeError):
        SSession(CLIENT, None, transport)
    for key in (b"", b"key", private[:-1], private + b"\0"):
        with refused(invalid, "the private key is not a Themis key", kind=SecureSessionValueError):
            SSession(CLIENT, key, transport)
    with refused(invalid, "and this is a public one", kind=SecureSessionValueError):
        SSession(CLIENT, public, transport)
    with refused(corrupt, "the private key is corrupted", kind=SecureSessionValueError):
        SSession(CLIENT, private[:-1] + bytes([private[-1] ^ 1]), transport)
    for number in (0, 2**256 - 1):
        key = boxed(b"REC2", b"\0" + number.to_bytes(32, "big"))
        with refused(corrupt, "the private key is corrupted", kind=SecureSessionValueError):
            SSession(CLIENT, key, transport)


@pytest.mark.parametrize("key", [b"", None, bytearray(), b"nonsense", "text", 7, object()])
def test_peer_keys_that_are_none(key):
    """If get_pub_key_by_id returns anything but a public EC key, the peer is refused."""
    for number in (1, 2):
        stage = Stage(number)
        reader = stage.reader
        honest, reader._held.talk.transport = reader._held.talk.transport, Answering(key)
        stage.refuse(stage.honest, {UNKNOWN})
        reader._held.talk.transport = honest
        stage.finish()


def test_damaged_peer_keys():
    """A private, damaged or cut key in place of the peer's public one refuses the peer."""
    private, public = key_pair("p256")
    off_curve = boxed(b"UEC2", b"\2" + b"\xff" * 32)
    wrong = [private, public[:-1], public + b"\0", off_curve]
    wrong += [message for _, message in flips(public)]
    stage = Stage(1)
    for key in wrong:
        stage.server._held.talk.transport = Answering(key)
        stage.refuse(stage.honest, {UNKNOWN})
    stage.server._held.talk.transport = SimpleMemoryTransport(CLIENT, bytearray(public))
    stage.finish()


def test_what_get_pub_key_by_id_raises():
    """What the callback raises is the cause of the error; what ends a program goes through."""

    class Callbacks:
        raised = LookupError("the database is away")

        def get_pub_key_by_id(self, peer_id):
            assert peer_id == CLIENT
            raise self.raised

    stage = Stage(1)
    honest, stage.server._held.talk.transport = stage.server._held.talk.transport, Callbacks()
    error = stage.refuse(stage.honest, {UNKNOWN})
    assert error.__cause__ is Callbacks.raised
    Callbacks.raised = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        stage.server.unwrap(stage.honest)
    stage.server._held.talk.transport = honest
    stage.finish()


def test_claimed_ids_of_hostile_messages():
    """peer_id_of refuses what is no first or second message, and what is damaged."""
    messages = negotiate(*parties())
    assert [peer_id_of(message) for message in messages[:2]] == [CLIENT, SERVER]
    for message in [*messages[2:], b"", b"TSPM" * 3, bytes(200), *cuts(messages[0])]:
        with refused(CODES.INVALID_PARAMETER, "this is not a connect request"):
            peer_id_of(message)
    with refused(CODES.DATA_CORRUPT, "the connect request is corrupted"):
        peer_id_of(messages[0][:-1] + bytes([messages[0][-1] ^ 1]))
    with refused(
        CODES.INVALID_PARAMETER, "the received message must be bytes", kind=SecureSessionTypeError
    ):
        peer_id_of("text")


@pytest.mark.hooks
def test_planned_keys_are_for_idle_sessions():
    """The hook of the tests refuses a session that is under way."""
    client, _ = parties()
    private, _ = key_pair("p256")
    client.connect_request()
    for size in (0, len(private) - 1, len(private)):
        status = lib.themis_testing_session_ephemeral(client._held.handle, private, size)
        assert status == CODES.INVALID_PARAMETER
    assert lib.themis_testing_session_numbers(client._held.handle, 1, 1) == CODES.INVALID_PARAMETER
    fresh, _ = parties()
    plan(fresh, private)


def test_a_reply_that_does_not_fit():
    """C writes no negotiation message into too little room, and the session is as it was."""
    client, server = parties()
    negotiation = (
        (client, lambda: None),
        (server, lambda: key_pair("p256")[1]),
        (client, lambda: key_pair("p256_b")[1]),
        (server, lambda: b""),
    )
    message = b""
    for session, peer_key in negotiation:
        state = session.state
        full = lib.themis_session_negotiation_size(session._held.handle)
        for room in (0, 1, 12, 43, full):
            out = ffi.new("uint8_t[]", b"x" * full)
            size = ffi.new("size_t *", room)
            if peer_key() is None:
                status = lib.themis_session_connect_request(session._held.handle, out, size)
                done = CODES.SUCCESS
            else:
                key = peer_key()
                status = lib.themis_session_negotiate(
                    session._held.handle, message, len(message), key, len(key), out, size
                )
                done = CODES.SEND_OUTPUT_TO_PEER
            if room < full:
                assert (status, size[0]) == (CODES.BUFFER_TOO_SMALL, 0)
                assert bytes(ffi.buffer(out, full))[room:] == b"x" * (full - room)
                assert session.state == state
        assert status == done
        message = bytes(ffi.buffer(out, size[0]))
    assert client.unwrap(message) == b""
    assert_works(client, server)
