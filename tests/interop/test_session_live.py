# SPDX-License-Identifier: Apache-2.0
"""Secure Session, live with the real core as client and as server."""

from contextlib import contextmanager

import pytest

from pythemis.skeygen import GenerateKeyPair
from pythemis.ssession import SessionState, SimpleMemoryTransport, SSession
from support.interop.peer import TIMES, PeerError
from support.sessions import CLIENT, CODES, OVERHEAD, SERVER, key_pair, refused

pytestmark = pytest.mark.integration

MESSAGES = 1500 * TIMES  # in each direction
LARGE = 12
CURVES = ["p256", "p384", "p521"]


class Theirs:
    """A session of the real core, with the methods of ours."""

    def __init__(self, peer, user_id, private, known):
        self._peer = peer
        known = [list(entry) for entry in known.items()]
        self._number = peer("session_new", user_id, private, known)

    def _call(self, method, *arguments):
        return self._peer(method, self._number, *arguments)

    def connect_request(self):
        return self._call("session_connect")

    def reply(self, message):
        return self._call("session_reply", message)

    def wrap(self, message):
        return self._call("session_wrap", message)

    def unwrap(self, message):
        return self._call("session_unwrap", message)

    def is_established(self):
        return self._call("session_established")

    def close(self):
        self._call("free")


@contextmanager
def parties(peer, *, we_connect, ours="p256", theirs="p256_b", **options):
    """Give our session and theirs, who know each other."""
    names = (CLIENT, SERVER) if we_connect else (SERVER, CLIENT)
    (our_private, our_public), (their_private, their_public) = key_pair(ours), key_pair(theirs)
    us = SSession(names[0], our_private, SimpleMemoryTransport(names[1], their_public), **options)
    them = Theirs(peer, names[1], their_private, {names[0]: our_public})
    try:
        yield us, them
    finally:
        them.close()


def negotiate(us, them, *, we_connect):
    """Establish both."""
    if we_connect:
        message = them.reply(us.connect_request())
        message = them.reply(us.unwrap(message))
        assert us.unwrap(message) == b""
    else:
        message = us.unwrap(them.connect_request())
        message = us.unwrap(them.reply(message))
        assert them.reply(message) == b""
    assert us.is_established()
    assert them.is_established()


@contextmanager
def established(peer, *, we_connect, **options):
    """Give both ends of an established session."""
    with parties(peer, we_connect=we_connect, **options) as (us, them):
        negotiate(us, them, we_connect=we_connect)
        yield us, them


both_roles = pytest.mark.parametrize("we_connect", [True, False], ids=["client", "server"])


@both_roles
@pytest.mark.parametrize("theirs", CURVES)
@pytest.mark.parametrize("ours", CURVES)
def test_identity_keys_on_every_curve(peer, we_connect, ours, theirs):
    """A session comes about whoever begins and whatever curves the identities are on."""
    if ours == theirs:
        theirs = "p256_b" if ours == "p256" else theirs
    with established(peer, we_connect=we_connect, ours=ours, theirs=theirs) as (us, them):
        assert us.remote_id == (SERVER if we_connect else CLIENT)
        assert them.unwrap(us.wrap(b"from us")) == b"from us"
        assert us.unwrap(them.wrap(b"from them")) == b"from them"


@both_roles
@pytest.mark.parametrize("options", [{}, {"reject_duplicates": True}], ids=["default", "once"])
def test_thousands_of_messages_both_ways(peer, dice, we_connect, options):
    """Thousands of messages from 1 B to 1 MiB, in random turns: every one arrives as it was."""
    sizes = [int(2 ** dice.uniform(0, 13)) for _ in range(2 * MESSAGES)]
    sizes += [int(2 ** dice.uniform(13, 20)) for _ in range(2 * LARGE)] + [1, 1, 1 << 20, 1 << 20]
    dice.shuffle(sizes)
    with established(peer, we_connect=we_connect, **options) as (us, them):
        for size in sizes:
            text = dice.randbytes(size)
            writer, reader = (us, them) if dice.random() < 0.5 else (them, us)
            wrapped = writer.wrap(text)
            assert len(wrapped) == size + OVERHEAD
            assert reader.unwrap(wrapped) == text


@both_roles
def test_many_handshakes(peer, dice, we_connect):
    """Signatures and points vary in length and form from one negotiation to the next."""
    for _ in range(30 * TIMES):
        with established(peer, we_connect=we_connect) as (us, them):
            text = dice.randbytes(100)
            assert us.unwrap(them.wrap(text)) == them.unwrap(us.wrap(text)) == text


@both_roles
def test_random_parties(peer, dice, we_connect):
    """Ids of any bytes, keys that either side generated on any curve: a session comes about."""
    for _ in range(15 * TIMES):
        names = [dice.randbytes(dice.choice([1, 2, 32, dice.randint(1, 2000)])) for _ in range(2)]
        curves = dice.choices(["P-256", "P-384", "P-521"], [3, 1, 1], k=2)
        pairs = [GenerateKeyPair("EC", curve=curve) for curve in curves]
        (our_private, our_public), (their_private, their_public) = (
            (pair.export_private_key(), pair.export_public_key()) for pair in pairs
        )
        if dice.random() < 0.5:
            their_private, their_public = peer("key_pair")
        us = SSession(names[0], our_private, SimpleMemoryTransport(names[1], their_public))
        them = Theirs(peer, names[1], their_private, {names[0]: our_public})
        negotiate(us, them, we_connect=we_connect)
        assert us.remote_id == names[1]
        text = dice.randbytes(dice.randint(1, 3000))
        assert us.unwrap(them.wrap(text)) == them.unwrap(us.wrap(text)) == text
        them.close()


@both_roles
def test_lost_reordered_and_doubled(peer, dice, we_connect):
    """What the real core sends is read lost, late and doubled; so it reads ours within its 8."""
    with established(peer, we_connect=we_connect) as (us, them):
        for _ in range(40):
            for writer, reader in ((us, them), (them, us)):
                texts = [dice.randbytes(dice.randint(1, 500)) for _ in range(6)]
                sent = [(text, writer.wrap(text)) for text in texts]
                del sent[dice.randrange(len(sent))]
                dice.shuffle(sent)
                for text, wrapped in sent + sent[-2:]:
                    assert reader.unwrap(wrapped) == text
                # Theirs hangs its window on what came last: let both stand at the newest again.
                assert reader.unwrap(writer.wrap(b"the newest")) == b"the newest"


@both_roles
def test_losing_hundreds_does_not_end_our_reading(peer, we_connect):
    """However many messages of the real core are lost, the next one is read here."""
    with established(peer, we_connect=we_connect) as (us, them):
        early = them.wrap(b"early")
        for _ in range(300):
            them.wrap(b"lost")
        assert us.unwrap(them.wrap(b"after")) == b"after"
        with refused(CODES.FAIL, "the message is too late"):
            us.unwrap(early)
        assert us.unwrap(them.wrap(b"and on")) == b"and on"


def test_reject_duplicates_with_the_real_core(peer):
    """With reject_duplicates each of its messages is read once, late or not."""
    with established(peer, we_connect=True, reject_duplicates=True) as (us, them):
        sent = [them.wrap(b"%d" % number) for number in range(100)]
        for number in reversed(range(100)):
            assert us.unwrap(sent[number]) == b"%d" % number
        for wrapped in sent:
            with refused(CODES.FAIL, "replay: this message was already accepted"):
                us.unwrap(wrapped)


@both_roles
def test_tampered_and_reflected(peer, dice, we_connect):
    """A changed bit, a cut and one's own messages are refused on both sides; both go on."""
    with established(peer, we_connect=we_connect) as (us, them):
        for _ in range(60):
            text = dice.randbytes(dice.randint(1, 100))
            for writer, reader in ((us, them), (them, us)):
                wrapped = writer.wrap(text)
                changed = bytearray(wrapped)
                # Bytes 16 to 19 mean nothing, and are not protected.
                at = dice.choice([*range(16), *range(20, len(wrapped))])
                changed[at] ^= 1 << dice.randrange(8)
                for wrong in (changed, wrapped[:-1], wrapped[: dice.randrange(1, 52)]):
                    assert_refused(reader, bytes(wrong), wrapped[:4])
                assert_refused(writer, wrapped, wrapped[:4])
                assert reader.unwrap(wrapped) == text


def assert_refused(session, message, prefix):
    """Demand that a session, whose messages begin with this prefix, does not read a message."""
    if isinstance(session, Theirs):
        with pytest.raises(PeerError):
            session.unwrap(message)
    else:
        if len(message) <= OVERHEAD:
            expected = CODES.INVALID_PARAMETER, "this is not a session message: it is too short"
        elif message[:4] != prefix:
            expected = CODES.INVALID_PARAMETER, "this message does not belong to this session"
        else:
            expected = CODES.FAIL, "authentication failed: the message is corrupted, forged, or"
        with refused(*expected):
            session.unwrap(message)


@both_roles
def test_tampered_negotiation(peer, dice, we_connect):
    """Its negotiation messages with a bit changed are refused here; the honest ones still do."""

    def changed(message):
        copy = bytearray(message)
        copy[dice.randrange(len(copy))] ^= 1 << dice.randrange(8)
        return copy

    def taken(message):
        before = us.state
        for _ in range(40):
            with pytest.raises(us._errors.failed) as caught:
                us.unwrap(changed(message))
            assert caught.value.error_code in (CODES.DATA_CORRUPT, CODES.INVALID_PARAMETER)
            assert us.state == before
        return us.unwrap(message)

    with parties(peer, we_connect=we_connect) as (us, them):
        if we_connect:
            second = them.reply(us.connect_request())
            assert taken(them.reply(taken(second))) == b""
        else:
            second = taken(them.connect_request())
            them.reply(taken(them.reply(second)))
        assert us.state is SessionState.ESTABLISHED
        assert them.is_established()
        assert us.unwrap(them.wrap(b"after all")) == b"after all"


def test_a_wrong_key_is_refused_on_both_sides(peer):
    """Who is known by another key than his own gets no session, there or here."""
    client_private, _ = key_pair("p256")
    server_private, server_public = key_pair("p256_b")
    wrong = key_pair("p384")[1]
    us = SSession(CLIENT, client_private, SimpleMemoryTransport(SERVER, server_public))
    them = Theirs(peer, SERVER, server_private, {CLIENT: wrong})
    with pytest.raises(PeerError):
        them.reply(us.connect_request())
    them.close()

    ours = SSession(SERVER, server_private, SimpleMemoryTransport(CLIENT, wrong))
    them = Theirs(peer, CLIENT, client_private, {SERVER: server_public})
    request = them.connect_request()
    with refused(CODES.INVALID_SIGNATURE, "the peer's signature does not match"):
        ours.unwrap(request)
    them.close()


def test_an_unknown_id_is_refused_here(peer):
    """A client of the real core that nobody knows is refused, and named."""
    private, _ = key_pair("p256")
    us = SSession(SERVER, key_pair("p256_b")[0], SimpleMemoryTransport({}))
    them = Theirs(peer, b"mallory", private, {})
    unknown = CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
    with refused(unknown, "knows no public key of the peer b'mallory'"):
        us.unwrap(them.connect_request())
    them.close()
