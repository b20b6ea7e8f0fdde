# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator: the model of the specification, which lies to the other side."""

from typing import NamedTuple

from nacl import bindings as nacl
from nacl import exceptions as nacl_errors

from support import comparator_model as reference
from support.comparator_model import IDENTITY, SIZES, L, P, cut, plus, scalar
from support.interop.mutation import mutate
from support.interop.scripts import REFUSED, Refused, Step

POINTS = {1: (0, 96), 2: (0, 96, 192, 224), 3: (0, 32, 160), 4: (0,)}
D = -121665 * pow(121666, -1, P) % P
TORSION = bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")


class Liar(reference.Model):
    """Plays on whatever comes."""

    def __init__(self, dice, secret):
        super().__init__(secret)
        self.dice = dice
        self.torsion = None  # which of the two generators gets a part of small order

    def _generators(self, n):
        made = []
        for at, own in enumerate((self.s2, self.s3)):
            image, proof = reference.base(own), reference.prove_k(n + at, own)
            if self.torsion == at:
                image = plus(image, TORSION)
                while proof[0] % 2:  # an even challenge does not notice a part of order 2
                    proof = reference.prove_k(n + at, own)
            made.append(image + proof)
        return b"".join(made)

    def _read_generators(self, _n, message):
        g2, _, self.g3_peer, _ = cut(message, 32, 64, 32, 64)
        self.g2, self.g3 = reference.times(self.s2, g2), reference.times(self.s3, self.g3_peer)

    def _read_commitment(self, _n, message):
        p, q, _ = cut(message, 32, 32, 96)
        return p, q

    def _read_product(self, _n, message):
        product, _ = cut(message, 32, 64)
        self.equal = reference.times(self.s3, product) == self.dp != IDENTITY


class Sent(NamedTuple):
    """What is known about a message."""

    number: int
    kinds: tuple[str, ...]  # of its points
    honest: bytes
    message: bytes


def kinds(n, message):
    """Tell of each point in a message what it is, if the message has its size or more."""
    if len(message) < SIZES[n]:
        return ()
    return tuple(kind_of(message[at : at + 32]) for at in POINTS[n])


def kind_of(point):
    """Tell what a point is: the identity, canonical and of order L, on the curve, or nothing."""
    if point == IDENTITY:
        return "identity"
    if nacl.crypto_core_ed25519_is_valid_point(point) and order_is_prime(point):
        return "good"
    y = reference.number(point) % (1 << 255)
    ratio = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    return "on the curve" if ratio == 0 or pow(ratio, (P - 1) // 2, P) == 1 else "nothing"


def order_is_prime(point):
    """Tell whether L times a point is the identity, which libsodium calls an error."""
    try:
        nacl.crypto_scalarmult_ed25519_noclamp(scalar(L), point)
    except nacl_errors.RuntimeError:
        return True
    return False


def odd_point(dice, point):
    """Give another encoding, another point, or none."""
    return dice.choice(
        (
            IDENTITY,
            TORSION,
            bytes(32),
            (1 + (1 << 255)).to_bytes(32, "little"),
            (P + dice.randrange(19)).to_bytes(32, "little"),
            plus(point, TORSION) if point != IDENTITY else TORSION,
            point[:31] + bytes([point[31] ^ 0x80]),
            reference.base(dice.randrange(1, L)),
            dice.randbytes(32),
        )
    )


def odd_scalar(dice, value):
    """Give another writing of a number modulo L, or another number."""
    number = reference.number(value)
    choices = [0, 1, L, L - 1, dice.randrange(L), (1 << 256) - 1, number ^ 1 << dice.randrange(256)]
    choices += [number + L] * 3
    choices += [number | 1 << dice.choice((253, 254, 255))] * 2
    return scalar(dice.choice(choices) % (1 << 256))


def damaged(dice, message, n):
    """Change a message: one number in it, or anything."""
    way = dice.random()
    if way < 0.3:
        at = dice.choice(POINTS[n])
        return with_part(message, at, odd_point(dice, message[at : at + 32])), f"point at {at}"
    if way < 0.6:
        at = dice.choice([at for at in range(0, SIZES[n], 32) if at not in POINTS[n]])
        return with_part(message, at, odd_scalar(dice, message[at : at + 32])), f"scalar at {at}"
    if way < 0.65:
        return message, "authentic"
    others = [dice.randbytes(SIZES[other]) for other in SIZES]
    return mutate(dice, message, others)


def with_part(message, at, part):
    """Put another number in."""
    return message[:at] + part + message[at + 32 :]


def prepare(dice, liar):
    """Give the model odd numbers of its own, about which it tells the truth."""
    if dice.random() < 0.75:
        return "honest numbers"
    way = dice.randrange(5)
    if way < 3:
        what = ("s2", "s3", "r")[way]
        setattr(liar, what, dice.choice((0, L, 1, 8)))
    else:
        what = "torsion"
        liar.torsion = way - 3
    return f"odd {what}"


def comparator(dice):
    """One comparison in which one message is bad."""
    victim_is_alice = dice.random() < 0.5
    bad = dice.choice((2, 4) if victim_is_alice else (1, 3))
    secret = dice.randbytes(dice.randint(1, 40))
    liar = Liar(dice, secret if dice.random() < 0.8 else b"another")
    how = prepare(dice, liar)
    numbers = random_numbers(dice, liar, how)
    log, worst = [], None
    victim = yield ("comparator_new", secret)
    message = (yield ("comparator_begin", victim)) if victim_is_alice else None
    for n in (2, 4) if victim_is_alice else (1, 3):
        message = liar.begin_compare() if n == 1 else liar.proceed_compare(message)
        honest, what = message, f"message {n}, {numbers}"
        if n == bad:
            message, how = damaged(dice, message, n)
            what += f": {how}"
        facts = Sent(n, kinds(n, message), honest, message)
        if n == bad:
            worst = facts
        try:
            message = yield ("comparator_proceed", victim, message)
        except Refused:
            log.append(Step(what, facts.message, REFUSED, facts))
            break
        log.append(Step(what, facts.message, "accepted", facts))
    try:
        equal = yield ("comparator_equal", victim)
    except Refused:
        equal = False
    log.append(Step("the end", b"", equal, worst))
    if log[-2].result == "accepted" and not victim_is_alice:
        liar.proceed_compare(message)
        log.append(Step("what the liar finds", b"", liar.is_equal(), worst))
    yield ("free", victim)
    return log


def random_numbers(dice, liar, how):
    """Draw the model's other numbers from the dice."""
    for name in ("s2", "s3", "r"):
        if how != f"odd {name}":
            setattr(liar, name, reference.clamp(dice.randbytes(32)))
    return how


FAMILIES = {"comparator": comparator}
