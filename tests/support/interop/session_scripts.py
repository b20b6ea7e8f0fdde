# SPDX-License-Identifier: Apache-2.0
"""Secure Session: a model of one side in Python, which lies to the other."""

import hmac
import random
import struct
import time
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from support.interop import writers as write
from support.interop.mutation import Field, mutate, mutate_container
from support.interop.scripts import REFUSED, Refused, Step
from support.interop.stateless import ec_points
from support.keys import container, pairs

VICTIM = b"the victim"
IDENTITIES = ("p256_b", "p256_b", "p256_b", "p384", "p521")
SIGNATURE_SIZES = {"2": 71, "3": 103, "5": 138}  # the most frequent of each curve
DAY = 86400


class Model:
    """The side that the test plays."""

    def __init__(self, dice, *, is_client):
        # Numbers of its own: how many a signature takes depends on what it signs, which the two
        # cores have a part in.
        self.dice, self.is_client = random.Random(dice.getrandbits(64)), is_client
        self.name = dice.choice(IDENTITIES)
        self.id = dice.randbytes(dice.choice((1, 1, 2, 5, 40, 300)))
        self.identity = write.EcKey(pairs()[self.name]["private"])
        self.uncompressed = dice.random() < 0.1
        d = dice.randrange(1, self.identity.n if self.name == "p256_b" else 1 << 255)
        key = ec.derive_private_key(d, ec.SECP256R1())
        point = key.public_key().public_numbers()
        x, y = (n.to_bytes(32, "big") for n in (point.x, point.y))
        short = bytes([2 + point.y % 2]) + x
        self.ephemeral = container(b"UEC2", b"\x04" + x + y if self.uncompressed else short)
        self.key = write.EcKey(container(b"REC2", b"\0" + d.to_bytes(32, "big")))

    def sign(self, *parts):
        """Sign; the length never varies."""
        while True:
            r, s = self.identity.sign(self.dice, b"".join(parts))
            body = write.der_number(r) + write.der_number(s)
            signature = b"\x30" + write.der_length(len(body)) + body
            if len(signature) == SIGNATURE_SIZES[self.identity.curve]:
                return signature

    def sign_oddly(self, dice, *parts):
        """Sign in one of the odd ways of writing a signature."""
        r, s = self.identity.sign(self.dice, b"".join(parts))
        return write.der_signature(dice, r, s, self.identity.n)

    def meet(self, theirs):
        """Derive everything from the other's ephemeral key."""
        self.theirs = theirs
        self.keys = [self.ephemeral, theirs] if self.is_client else [theirs, self.ephemeral]
        self.ids = [self.id, VICTIM] if self.is_client else [VICTIM, self.id]
        names = [*self.keys, *self.ids]
        label = b"Themis secure session unique identifier"
        implicit = label[:32].ljust(32, b"\0")
        for part in names:
            implicit = write.xor(implicit, part[:32].ljust(32, b"\0"))
        self.sid = write.kdf(implicit, label, names, 4)
        shared = self.key.agree(theirs)
        self.master = write.kdf(shared, b"Themis secure session master key", [self.sid])

        def derive(what, size):
            return write.kdf(self.master, b"Themis secure session " + what, [self.sid], size)

        side = b"client" if self.is_client else b"server"
        self.write_key = derive(side + b" key", 32)
        self.number = int.from_bytes(derive(side + b" initial sequence number", 4), "little")
        self.accepted = self.number

    def mac(self, *parts):
        """Prove the knowledge of the master key."""
        return hmac.digest(self.master, b"".join(parts) + self.sid, "sha256")

    def signed_parts(self, n):
        """Give what the signature of a message covers."""
        return [self.ephemeral, self.theirs, self.id, VICTIM] if n != 1 else [self.ephemeral]

    def parts(self, n, sign=None):
        """Give the parts inside message n."""
        if n == 4:
            return [self.mac(self.keys[0])]
        signature = (sign or self.sign)(*self.signed_parts(n))
        if n == 3:
            return [signature, self.mac(self.keys[1])]
        return [container(b"TSID", self.id), self.ephemeral, signature]

    def data(self, text, number, *, sid=None, length=None, at=0, spare=b"\0\0\0\0"):
        """Write a data message with fields of one's choice."""
        length = len(text) + 12 if length is None else length
        now = (int(time.time()) + at) % (1 << 64)
        fields = struct.pack(">IIQ", length % (1 << 32), number % (1 << 32), now)
        nonce = self.dice.randbytes(12)
        encrypted = AESGCM(self.write_key).encrypt(nonce, fields + text, None)
        return (sid or self.sid)[::-1] + nonce + spare + encrypted


RECORDED = [  # of other negotiations
    container(b"TSPM", container(b"TSID", b"x") + pairs()["p256"]["public"] + bytes(71)),
    container(b"TSPM", bytes(71 + 32)),
    container(b"TSPM", bytes(32)),
]


def damaged(dice, model, n):
    """Write message n, and do something to it."""
    way = dice.randrange(10)
    if way == 0 and n != 4:
        parts = model.parts(n, lambda *parts: model.sign_oddly(dice, *parts))
        return container(b"TSPM", b"".join(parts)), "odd signature"
    parts = model.parts(n)
    honest = container(b"TSPM", b"".join(parts))
    if way == 1:
        return honest, "authentic"
    if way == 2:
        more = dice.randbytes(dice.randint(1, 20))
        return honest + more, f"{len(more)} behind the container"
    if way in (3, 4):
        fields = [Field(16, ">I"), Field(20), Field(24 + len(model.id) + 4, ">I")] * (n < 3)
        return mutate_container(dice, honest, RECORDED, fields)
    at = dice.randrange(len(parts))
    if way == 5 and n < 3:
        parts[1], how = ec_points(dice, model.ephemeral)
        return container(b"TSPM", b"".join(parts)), how
    if way == 6 and n < 3:
        return resigned(dice, model, n, parts)
    change = mutate_container if parts[at][:4] in (b"TSID", b"UEC2") else mutate
    parts[at], how = change(dice, parts[at], [b"".join(parts)])
    return container(b"TSPM", b"".join(parts)), f"part {at}: {how}"


def resigned(dice, model, n, parts):
    """Change the ephemeral key and sign that."""
    change = dice.choice((ec_points, mutate_container))
    parts[1], how = change(dice, model.ephemeral)
    signed = [parts[1], *model.signed_parts(n)[1:]]
    parts[2] = model.sign(*signed)
    return container(b"TSPM", b"".join(parts)), f"ephemeral key, signed: {how}"


def begin(dice, *, victim_is_client):
    """Prepare the model, and the call that makes the victim."""
    model = Model(dice, is_client=not victim_is_client)
    known = [[model.id, pairs()[model.name]["public"]]]
    name = "p256" if dice.random() < 0.9 else dice.choice(("p384_b", "p521_b"))
    return model, ("session_new", VICTIM, pairs()[name]["private"], known)


def ephemeral_of(message):
    """Find the victim's ephemeral key in its message 1 or 2."""
    at = 12 + 12 + len(VICTIM)
    return message[at : at + int.from_bytes(message[at + 4 : at + 8], "big")]


class Sent(NamedTuple):
    """What is known about a message of negotiation."""

    number: int
    honest: bytes  # the same message without damage


def send(dice, session, model, n, bad, log):
    """Send message n; if it is the bad one, and refused, the conversation is over."""
    message = honest = container(b"TSPM", b"".join(model.parts(n)))
    how = "honest"
    if n == bad:
        message, how = damaged(dice, model, n)
    how, facts = f"message {n}: {how}", Sent(n, honest)
    try:
        reply = yield ("session_reply", session, message)
    except Refused:
        log.append(Step(how, message, REFUSED, facts))
        return None
    log.append(Step(how, message, "accepted", facts))
    return reply


def negotiate(dice, session, model, bad, log):
    """Negotiate; give whether it came to its end."""
    if model.is_client:
        first = yield from send_first(dice, session, model, bad, log)
        if first is None:
            return False
        model.meet(ephemeral_of(first))
        return (yield from send(dice, session, model, 3, bad, log)) is not None
    model.meet(ephemeral_of((yield ("session_connect", session))))
    if (yield from send(dice, session, model, 2, bad, log)) is None:
        return False
    return (yield from send(dice, session, model, 4, bad, log)) is not None


def send_first(dice, session, model, bad, log):
    """Send message 1; what it says is all that the model has said so far."""
    model.theirs = b""
    return (yield from send(dice, session, model, 1, bad, log))


def handshake(dice):
    """One negotiation in which one message is bad; if it comes to an end, it must work."""
    is_client = dice.random() < 0.5
    bad = dice.choice((2, 4) if is_client else (1, 3))
    model, new = begin(dice, victim_is_client=is_client)
    log = []
    session = yield new
    if (yield from negotiate(dice, session, model, bad, log)):
        established = yield ("session_established", session)
        log.append(Step("at the end", b"", established))
        message = model.data(b"after all", model.number)
        yield from read(session, model, message, model.number, "first", log)
    yield ("free", session)
    return log


class Reading(NamedTuple):
    """What is known about a data message."""

    ahead: int  # of the last number that this core accepted
    original: bytes  # before it was corrupted


def read(session, model, message, number, how, log, original=None):
    """Let the victim read a data message."""
    try:
        text = yield ("session_unwrap", session, message)
    except Refused:
        text = REFUSED
    facts = Reading(number - model.accepted, original or message)
    log.append(Step(how, message, text, facts))
    if text != REFUSED:
        model.accepted = number


def odd_data(dice, model, text, number):
    """Write a data message with one odd field."""
    way = dice.randrange(6)
    if way == 0:
        sid = bytes([model.sid[0] ^ 1 << dice.randrange(8)]) + model.sid[1:]
        return model.data(text, number, sid=sid), "another sid"
    if way == 1:
        off = dice.choice((-13, -12, -1, 1, 4, 16, 1 << 31))
        return model.data(text, number, length=len(text) + 12 + off), f"length field off by {off}"
    if way == 2:
        at = dice.choice((-80000, 80000, -90000, 90000, -(1 << 31), 1 << 31, 1 << 62, 1 << 63))
        return model.data(text, number, at=at), f"time off by {at}"
    if way == 3:
        return model.data(b"", number), "nothing inside"
    if way == 4:
        return model.data(text, number, spare=dice.randbytes(4)), "spare nonce bytes"
    return model.data(text, number), "authentic"


def data(dice):
    """A session in which many of the data messages are bad; an honest one follows each."""
    model, new = begin(dice, victim_is_client=dice.random() < 0.5)
    log = []
    session = yield new
    yield from negotiate(dice, session, model, None, log)
    number, before = model.number, []
    for _ in range(20):
        text = dice.randbytes(dice.choice((1, 2, 16, dice.randint(1, 200))))
        offset = 0
        if dice.random() < 0.2:
            offset = dice.choice((-1, -7, -8, -9, -10, -11, -100, 1, 6, 7, 8, 9, 30, 1 << 31))
        message, how = odd_data(dice, model, text, number + offset)
        original = message
        if offset == 0 and dice.random() < 0.6:
            message, how = mutate(dice, message, before)
        how = f"{how}, number {offset:+}"
        yield from read(session, model, message, number + offset, how, log, original)
        if not -7 < offset <= 0:
            break  # from here on the two may stand at different numbers
        before = [model.data(b"honest", number + 1)]
        yield from read(session, model, before[0], number + 1, "honest", log)
        number += 2
    yield ("free", session)
    return log


FAMILIES = {"handshake": handshake, "session_data": data}
