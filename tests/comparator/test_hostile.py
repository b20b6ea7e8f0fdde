# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator against peers and networks that mean ill.

What cannot be computed with is refused and ends the comparison; everything else runs to its end.
Neither ever finds a match.
"""

import itertools
import secrets

import pytest
from nacl import bindings as nacl

from pythemis.scomparator import SComparator, SecureComparatorError
from support.cells import flips
from support.comparator_model import (
    IDENTITY,
    L,
    Model,
    P,
    base,
    h,
    minus,
    number,
    plus,
    random_scalar,
    scalar,
    times,
)
from support.comparators import (
    FEWER,
    NOT_MATCH,
    NOT_READY,
    SIZES,
    exchange,
    overwrite,
    pair,
    receiver,
    tampered,
    wrong_time,
)

DAMAGED = "this is not a message of a comparison, or it was corrupted"
WRONG_SIZE = "bytes, but the one expected now has"
BEGINS = "this message begins a comparison, but one is under way"
# Where the points and the scalars of each message stand.
POINTS = [(1, 0), (1, 96), (2, 0), (2, 96), (2, 192), (2, 224), (3, 0), (3, 32), (3, 160), (4, 0)]
SCALARS = [
    (n, at) for n, size in SIZES.items() for at in range(0, size, 32) if (n, at) not in POINTS
]
CHALLENGES = {(1, 32), (1, 128), (2, 32), (2, 128), (2, 256), (3, 64), (3, 192), (4, 32)}
ANSWERS = [place for place in SCALARS if place not in CHALLENGES]

# Points whose order is 2, 4, 8, 8, 8, 8 and 4.
TORSION = [
    bytes.fromhex(text)
    for text in (
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0000000000000000000000000000000000000000000000000000000000000080",
    )
]
SIGN = 1 << 255


def off_curve():
    """Find y coordinates that belong to no point."""
    for y in itertools.count(2):
        try:
            nacl.crypto_core_ed25519_add(scalar(y), IDENTITY)
        except Exception:  # noqa: BLE001 -- what PyNaCl raises is its own business
            yield scalar(y)


NO_POINTS = {
    "identity": [IDENTITY],
    "small order": TORSION,
    "mixed order": [plus(base(random_scalar()), point) for point in TORSION],
    "identity with a sign": [scalar(1 | SIGN), scalar(P - 1 | SIGN)],
    "not below p": [scalar(P + y | sign) for y in range(19) for sign in (0, SIGN)],
    "not on the curve": list(itertools.islice(off_curve(), 5)),
    "zeros": [bytes(32)],
    "ones": [b"\xff" * 32],
}


# ---- The network ----


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES)
def test_a_flipped_byte_never_makes_a_match(n):
    """Whatever byte of a message is changed, in whichever way, nobody finds a match."""
    for _, mask in itertools.islice(flips(bytes(SIZES[n])), 0, None, FEWER):
        error = tampered(n, lambda message, mask=mask: xor(message, mask))
        assert error is None or DAMAGED in str(error)


def xor(a, b):
    """Combine bytes with exclusive or."""
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("n", SIZES)
def test_a_cut_message_is_refused(n):
    """A message cut anywhere, from either end, is refused and ends the comparison."""
    for size in range(0, SIZES[n], FEWER):
        for part in (slice(size), slice(SIZES[n] - size, None)):
            error = tampered(n, lambda message, part=part: message[part])
            says = BEGINS if size == SIZES[1] else f"the message has {size} bytes"
            assert says in str(error)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("more", [b"\0", b"more", bytes(100), bytes(2**20)], ids=len)
def test_a_lengthened_message_is_refused(n, more):
    """Bytes behind a message are refused; the real core ignores them, and nobody sends any."""
    error = tampered(n, lambda message: message + more)
    assert WRONG_SIZE in str(error)


@pytest.mark.parametrize("n", SIZES)
def test_a_doubled_message_is_refused(n):
    """A message twice in one is refused."""
    says = BEGINS if 2 * SIZES[n] == SIZES[1] else WRONG_SIZE
    assert says in str(tampered(n, lambda message: message * 2))


@pytest.mark.parametrize("n", SIZES)
def test_messages_of_another_step_are_refused(n):
    """A message of one step is refused at any other."""
    others = exchange(*pair())
    for at, other in enumerate(others, 1):
        if at != n:
            assert tampered(n, lambda _, other=other: other) is not None


@pytest.mark.parametrize("n", SIZES)
def test_messages_of_another_run_make_no_match(n):
    """A message of another run, with the same secret, is answered and never makes a match."""
    others = exchange(*pair())
    assert tampered(n, lambda _: others[n - 1]) is None


@pytest.mark.parametrize("n", SIZES)
def test_two_runs_that_get_mixed_up_make_no_match(n):
    """Two runs at once that swap their n-th messages find no match between them."""
    runs = [pair(), pair()]
    messages = [alice.begin_compare() for alice, _ in runs]
    for at in SIZES:
        if at == n:
            messages.reverse()
        messages = [
            receiver(at, *run).proceed_compare(message)
            for run, message in zip(runs, messages, strict=True)
        ]
    for alice, bob in runs:
        assert receiver(n, alice, bob).result() is NOT_MATCH
        assert not alice.is_equal()
        assert bob.is_equal() is (n == 4)


def test_a_replayed_alice_is_no_match():
    """What Alice sent in one run convinces no Bob in another."""
    first, _, third, _ = exchange(*pair())
    bob = SComparator(b"a secret")
    bob.proceed_compare(first)
    assert len(bob.proceed_compare(third)) == SIZES[4]
    assert bob.is_compared()
    assert bob.result() is NOT_MATCH


def test_a_replayed_bob_is_no_match():
    """What Bob sent in one run convinces no Alice in another."""
    _, second, _, fourth = exchange(*pair())
    alice = SComparator(b"a secret")
    alice.begin_compare()
    assert len(alice.proceed_compare(second)) == SIZES[3]
    assert alice.proceed_compare(fourth) == b""
    assert alice.result() is NOT_MATCH


def test_a_reflected_message_is_refused():
    """Who gets back what it sent refuses it: by its size, or by the numbers of its proofs."""
    alice, bob = pair()
    first = alice.begin_compare()
    with wrong_time(BEGINS):
        alice.proceed_compare(first)
    second = bob.proceed_compare(first)
    with wrong_time(WRONG_SIZE):
        bob.proceed_compare(second)
    assert alice.result() is bob.result() is NOT_MATCH


def test_reflected_generators_are_no_match():
    """A Bob who sends Alice's own generators and proofs back to her is found out."""
    alice, model = SComparator(b"a secret"), Model(b"a secret")
    first = alice.begin_compare()
    second = model.proceed_compare(first)
    third = alice.proceed_compare(first + second[192:])
    assert len(third) == SIZES[3]
    assert alice.result() is NOT_MATCH


def test_a_reflected_commitment_is_no_match():
    """An Alice who sends Bob's own commitment back to him is found out, Pa - Pb being nothing."""
    for reflected in (32, 64, 160):
        bob, model = SComparator(b"a secret"), Model(b"a secret")
        second = bob.proceed_compare(model.begin_compare())
        third = model.proceed_compare(second)
        third = second[192 : 192 + reflected] + third[reflected:]
        assert len(bob.proceed_compare(third)) == SIZES[4]
        assert bob.is_compared()
        assert bob.result() is NOT_MATCH


# ---- A man in the middle ----


def test_a_relay_between_different_secrets_makes_no_match():
    """A man in the middle who relays everything cannot make different secrets match."""
    alice, bob = pair(b"a secret", b"a secret he changed")
    exchange(alice, bob, lambda _n, message: bytes(message))
    assert alice.result() is bob.result() is NOT_MATCH


def test_a_man_who_guesses_wrong_matches_neither():
    """A man in the middle who plays Bob to Alice and Alice to Bob needs their secret."""
    for guess in (b"a secret", b"a guess"):
        alice, bob = pair()
        exchange(alice, Model(guess))
        exchange(Model(guess), bob)
        assert alice.is_equal() is bob.is_equal() is (guess == b"a secret")


@pytest.mark.parametrize(("n", "at"), [place for place in POINTS if place != (4, 0)])
def test_a_point_moved_on_its_way_matches_neither(n, at):
    """A man in the middle who adds to a point breaks its proof, and neither side matches."""

    def move(message):
        return overwrite(message, at, plus(message[at : at + 32], base(1)))

    assert tampered(n, move) is None


# ---- Points that are none ----


@pytest.mark.parametrize("kind", NO_POINTS)
@pytest.mark.parametrize(("n", "at"), POINTS)
def test_what_is_no_point_is_refused(n, at, kind):
    """Only canonical points of prime order are computed with; anything else ends the run."""
    for point in NO_POINTS[kind]:
        error = tampered(n, lambda message, point=point: overwrite(message, at, point))
        assert DAMAGED in str(error)


@pytest.mark.parametrize("torsion", TORSION)
def test_a_good_proof_does_not_help_a_mixed_order_point(torsion):
    """A point a2 B + T is refused also with a proof that holds for it."""

    class Mixed(Model):
        def _generators(self, n):
            image = plus(base(self.s2), torsion)
            while True:  # until c T is nothing, and sB - cA is the rB that was hashed
                r = random_scalar()
                c = h(base(r), n=n)
                if c % 8 == 0:
                    break
            proof = scalar(c) + scalar((c * self.s2 + r) % L)
            rest = super()._generators(n)[96:]
            return image + proof + rest

    bob = SComparator(b"a secret")
    with wrong_time(DAMAGED):
        bob.proceed_compare(Mixed(b"a secret").begin_compare())
    assert bob.result() is NOT_MATCH
    alice = SComparator(b"a secret")
    alice.begin_compare()
    with wrong_time(DAMAGED):
        alice.proceed_compare(Mixed(b"a secret")._generators(3) + exchange(*pair())[1][192:])
    assert alice.result() is NOT_MATCH


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("byte", [b"\0", b"\x01", b"\xff"])
def test_messages_of_one_byte_are_refused(n, byte):
    """Messages of zeros, of ones, of all bits are refused at every step."""
    assert DAMAGED in str(tampered(n, lambda message: byte * len(message)))


@pytest.mark.parametrize("n", SIZES)
def test_random_messages_make_no_match(n):
    """Random bytes of the right size never make a match."""
    for _ in range(max(1, 200 // FEWER)):
        error = tampered(n, lambda message: secrets.token_bytes(len(message)))
        assert error is None or DAMAGED in str(error)


# ---- Scalars ----


@pytest.mark.parametrize(("n", "at"), ANSWERS)
def test_an_answer_above_the_order_fails(n, at):
    """An answer that is right modulo L, but not below L, makes no second proof out of one."""
    for multiple in (1, 2, 4, 8, 15):

        def enlarge(message, multiple=multiple):
            return overwrite(message, at, scalar(number(message[at : at + 32]) + multiple * L))

        assert tampered(n, enlarge) is None


@pytest.mark.parametrize(("n", "at"), ANSWERS)
@pytest.mark.parametrize("bit", [0x20, 0x40, 0x80])
def test_an_answer_with_a_top_bit_fails(n, at, bit):
    """An answer with one of its top three bits set is no proof."""
    change = bytes([0] * 31 + [bit])
    assert tampered(n, lambda m: overwrite(m, at, xor(m[at : at + 32], change))) is None


@pytest.mark.parametrize(("n", "at"), sorted(CHALLENGES))
def test_a_challenge_above_the_order_fails(n, at):
    """A challenge that is right modulo L, but not below L, is not the hash."""
    for multiple in (1, 14):

        def enlarge(message, multiple=multiple):
            return overwrite(message, at, scalar(number(message[at : at + 32]) + multiple * L))

        assert tampered(n, enlarge) is None


@pytest.mark.parametrize(("n", "at"), SCALARS)
@pytest.mark.parametrize("value", [0, 1, L - 1, L, 8 * L, 2**255, 2**256 - 1])
def test_odd_scalars_fail(n, at, value):
    """Scalars that make the identity, or overflow, fail their proof and nothing else."""
    assert tampered(n, lambda message: overwrite(message, at, scalar(value))) is None


@pytest.mark.parametrize("n", SIZES)
def test_proofs_of_zeros_fail(n):
    """Good points with zeros for every proof are answered, and make no match."""

    def clear(message):
        for place, at in SCALARS:
            if place == n:
                message = overwrite(message, at, bytes(32))
        return message

    assert tampered(n, clear) is None


# ---- After a proof has failed ----


@pytest.mark.parametrize("n", [1, 2])
def test_the_exchange_goes_on_after_a_failed_proof(n):
    """The result is settled at once, and the exchange goes on to its end."""
    alice, bob = pair()
    victim = receiver(n, alice, bob)
    seen = []

    def watch(at, message):
        seen.append((len(message), victim.result(), victim.is_compared()))
        return overwrite(message, 32, bytes(32)) if at == n else message

    exchange(alice, bob, watch)
    lengths, results, ends = zip(*seen, strict=True)
    assert list(lengths) == list(SIZES.values())
    assert list(results) == [NOT_READY] * n + [NOT_MATCH] * (4 - n)
    assert list(ends) == [False, False, False, victim is bob]
    assert victim.is_compared()


@pytest.mark.parametrize("n", [1, 2])
def test_a_failed_proof_takes_the_secret_out_of_play(n):
    """Whose peer's proof failed goes on without its secret, in messages whose proofs are good."""
    alice, bob = SComparator(b"a secret"), SComparator(b"a secret")
    model = Model(b"a secret")
    if n == 1:
        alice = model
    else:
        bob = model
    exchange(alice, bob, lambda at, m: overwrite(m, 32, bytes(32)) if at == n else m)
    assert model.is_compared()
    assert not model.is_equal()


def test_a_message_that_cannot_be_computed_with_is_the_end():
    """After such a message the object only says NOT_MATCH, whatever comes."""
    good = exchange(*pair())
    for n in SIZES:
        alice, bob = pair()
        with pytest.raises(SecureComparatorError):
            exchange(alice, bob, lambda at, m, n=n: m[:-1] if at == n else m)
        victim = receiver(n, alice, bob)
        for message in good:
            with wrong_time("this comparison is over"):
                victim.proceed_compare(message)
        with wrong_time("this comparison has started already"):
            victim.begin_compare()
        assert victim.is_compared()
        assert not victim.is_equal()
        assert victim.result() is NOT_MATCH


def test_a_zero_difference_by_a_peer_who_knows_all():
    """Pa = Pb and Qa = Qb, each alone or both, make no match even where the secrets are equal."""
    for same_p, same_q in ((True, False), (False, True), (True, True)):
        bob, model = SComparator(b"a secret"), Model(b"a secret")
        second = bob.proceed_compare(model.begin_compare())
        third = model.proceed_compare(second)
        if same_p:
            third = overwrite(third, 0, second[192:224])
        if same_q:
            third = overwrite(third, 32, second[224:256])
        fourth = bob.proceed_compare(third)
        assert len(fourth) == SIZES[4]
        assert bob.result() is NOT_MATCH
        assert minus(fourth[:32], IDENTITY) != IDENTITY


def proof_without_knowledge(n, commitment):
    """Make a point and its proof K from any point, whose logarithm need not be known."""
    c, s = h(commitment, n=n), random_scalar() % L
    point = times(pow(c, -1, L), minus(base(s), commitment))
    return point + scalar(c) + scalar(s)


def test_a_proof_does_not_show_knowledge():
    """The format's proofs hash their commitments alone, so a point can be made to fit its proof.

    The security page says so; Alice made hers here from points without a known logarithm.
    """
    unknown = [nacl.crypto_core_ed25519_from_uniform(secrets.token_bytes(32)) for _ in "12"]
    first = b"".join(proof_without_knowledge(n, point) for n, point in enumerate(unknown, 1))
    bob = SComparator(b"a secret")
    assert len(bob.proceed_compare(first)) == SIZES[2]
    assert bob.result() is NOT_READY
    bob = SComparator(b"a secret")
    bob.proceed_compare(overwrite(first, 64, scalar(random_scalar() % L)))
    assert bob.result() is NOT_MATCH
