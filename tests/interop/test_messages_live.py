# SPDX-License-Identifier: Apache-2.0
"""Keys and Secure Message, live with the real core."""

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.skeygen import GenerateKeyPair, from_pem, key_kind, public_from_private, to_pem
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage, ssign, sverify
from support.interop.peer import TIMES, PeerError
from support.keys import code_of, container, generated, pairs, payload_of, with_byte

pytestmark = pytest.mark.integration
ROUNDS = 20 * TIMES
KINDS = {
    "P-256": lambda: generated("EC"),
    "P-256 uncompressed": lambda: generated("EC", uncompressed=True),
    "P-384": lambda: generated("EC", curve="P-384"),
    "P-521": lambda: generated("EC", curve="P-521"),
    "RSA-1024": lambda: (pairs()["rsa1024"]["private"], pairs()["rsa1024"]["public"]),
    "RSA-2048": lambda: generated("RSA"),
    "RSA-4096": lambda: (pairs()["rsa4096"]["private"], pairs()["rsa4096"]["public"]),
    "RSA-8192": lambda: (pairs()["rsa8192"]["private"], pairs()["rsa8192"]["public"]),
}
SLOW = {"RSA-4096": 5, "RSA-8192": 1}  # rounds; the peer takes its time over these


def texts(dice, kind):
    """Draw messages of all sizes."""
    rounds = SLOW.get(kind, 20) * TIMES
    for turn in range(rounds):
        yield dice.randbytes(1 if turn == 0 else int(2 ** dice.uniform(0, 15)))
    yield dice.randbytes(dice.randint(1 << 19, 1 << 20))


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_the_real_core_verifies(peer, dice, kind):
    """Keys of ours, every kind: signed here, verified there."""
    private, public = KINDS[kind]()
    signer = SecureSigner(private)
    for text in texts(dice, kind):
        assert peer("verify", public, signer.sign(text)) == text
        assert peer("verify", public, ssign(private, text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_real_core_signs_we_verify(peer, dice, kind):
    """Keys of ours, every kind: signed there, verified here."""
    private, public = KINDS[kind]()
    verifier = SecureVerifier(public)
    for text in texts(dice, kind):
        signed = peer("sign", private, text)
        assert verifier.verify(signed) == sverify(public, signed) == text


def second_pair(kind):
    """Make another pair of a kind."""
    if kind.startswith("RSA"):
        name = {"RSA-2048": "rsa2048", "RSA-4096": "rsa2048_b"}.get(kind, "rsa1024")
        return pairs()[name]["private"], pairs()[name]["public"]
    curve = {"P-384": "p384", "P-521": "p521"}.get(kind, "p256")
    return pairs()[curve]["private"], pairs()[curve]["public"]


@pytest.mark.parametrize("kind", KINDS)
def test_encrypted_messages_go_both_ways(peer, dice, kind):
    """Wrapped here and unwrapped there, and the reverse, with keys of every kind."""
    (our_private, our_public), (their_private, their_public) = KINDS[kind](), second_pair(kind)
    ours = SMessage(our_private, their_public)
    theirs = (their_private, our_public)
    for text in texts(dice, kind):
        assert peer("unwrap", *theirs, ours.wrap(text)) == text
        assert ours.unwrap(peer("wrap", *theirs, text)) == text


def test_keys_of_the_real_core_work_here(peer, dice):
    """A pair made there is understood here, and survives PEM."""
    for _ in range(ROUNDS):
        private, public = peer("key_pair")
        assert key_kind(private).is_private
        assert public_from_private(private) == public
        assert from_pem(to_pem(private)) == private
        text = dice.randbytes(100)
        assert sverify(public, peer("sign", private, text)) == text
        assert peer("verify", public, ssign(private, text)) == text


def test_random_pairs(peer, dice):
    """Two parties with EC keys that either side generated, in any of their encodings."""
    for _ in range(2 * ROUNDS):
        curve = dice.choice(["P-256", "P-256", "P-384", "P-521"])
        (one_private, one_public), (two_private, two_public) = (
            dice_pair(peer, dice, curve) for _ in range(2)
        )
        text = dice.randbytes(int(2 ** dice.uniform(0, 12)))
        wrapped = SMessage(one_private, two_public).wrap(text)
        assert peer("unwrap", two_private, one_public, wrapped) == text
        wrapped = peer("wrap", two_private, one_public, text)
        assert SMessage(one_private, two_public).unwrap(wrapped) == text
        assert sverify(one_public, peer("sign", one_private, text)) == text
        assert peer("verify", two_public, ssign(two_private, text)) == text


def dice_pair(peer, dice, curve):
    """Let either side generate a pair, and write it in one of its encodings."""
    if curve == "P-256" and dice.random() < 0.5:  # the only kind that the peer generates
        private, public = peer("key_pair")
    else:
        pair = GenerateKeyPair("EC", curve=curve)
        private, public = pair.export_private_key(), pair.export_public_key()
    if dice.random() < 0.3:
        public = public_from_private(private, uncompressed=True)
    if dice.random() < 0.3:  # without its leading zero byte
        private = container(private[:4], payload_of(private)[1:])
    return private, public


@pytest.mark.parametrize("kind", ["P-256", "RSA-1024"])
def test_damage_is_refused_on_both_sides(peer, dice, kind):
    """What was changed on its way is accepted by neither; the type of a signed one is our extra."""
    private, public = KINDS[kind]()
    theirs = (second_pair(kind)[0], public)
    ours = SMessage(*theirs)
    signed = ssign(private, dice.randbytes(40))
    wrapped = SMessage(private, second_pair(kind)[1]).wrap(dice.randbytes(40))
    for _ in range(ROUNDS):
        mask = 1 << dice.randrange(8)
        changed = with_byte(signed, dice.randrange(4, len(signed)), mask)
        assert code_of(sverify, public, changed) != THEMIS_CODES.SUCCESS
        with pytest.raises(PeerError) as caught:
            peer("verify", public, changed)
        assert caught.value.code is not None
        changed = with_byte(wrapped, dice.randrange(len(wrapped)), mask)
        assert code_of(ours.unwrap, changed) != THEMIS_CODES.SUCCESS
        with pytest.raises(PeerError) as caught:
            peer("unwrap", *theirs, changed)
        assert caught.value.code is not None


def test_an_empty_message_is_refused_on_both_sides(peer):
    """Neither signs nor wraps nothing."""
    private, public = generated("EC")
    for method, *keys in (("sign", private), ("wrap", private, public)):
        with pytest.raises(PeerError) as caught:
            peer(method, *keys, b"")
        assert caught.value.code is not None
    assert code_of(ssign, private, b"") == THEMIS_CODES.INVALID_PARAMETER
    assert len(payload_of(public)) == 33
