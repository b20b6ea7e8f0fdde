# SPDX-License-Identifier: Apache-2.0
"""Keys and Secure Message, live with the real core."""

import os

import pytest
from _keys import code_of, generated, pairs, payload_of, with_byte
from _peer import PeerError

from pythemis.exception import THEMIS_CODES
from pythemis.skeygen import from_pem, key_kind, public_from_private, to_pem
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage, ssign, sverify

pytestmark = pytest.mark.network
ROUNDS = int(os.environ.get("PEER_ROUNDS", "20"))
KINDS = {
    "P-256": lambda: generated("EC"),
    "P-256 uncompressed": lambda: generated("EC", uncompressed=True),
    "P-384": lambda: generated("EC", curve="P-384"),
    "P-521": lambda: generated("EC", curve="P-521"),
    "RSA-1024": lambda: (pairs()["rsa1024"]["private"], pairs()["rsa1024"]["public"]),
    "RSA-2048": lambda: generated("RSA"),
    "RSA-4096": lambda: (pairs()["rsa4096"]["private"], pairs()["rsa4096"]["public"]),
}


def texts(dice):
    """Draw messages of all sizes."""
    for turn in range(ROUNDS):
        yield dice.randbytes(1 if turn == 0 else int(2 ** dice.uniform(0, 15)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_sign_the_real_core_verifies(peer, dice, kind):
    """Keys of ours, every kind: signed here, verified there."""
    private, public = KINDS[kind]()
    signer = SecureSigner(private)
    for text in texts(dice):
        assert peer("verify", public, signer.sign(text)) == text
        assert peer("verify", public, ssign(private, text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_real_core_signs_we_verify(peer, dice, kind):
    """Keys of ours, every kind: signed there, verified here."""
    private, public = KINDS[kind]()
    verifier = SecureVerifier(public)
    for text in texts(dice):
        signed = peer("sign", private, text)
        assert verifier.verify(signed) == sverify(public, signed) == text


def second_pair(kind):
    """Make another pair of a kind."""
    if kind.startswith("RSA"):
        name = {"RSA-1024": "rsa1024", "RSA-2048": "rsa2048", "RSA-4096": "rsa2048_b"}[kind]
        return pairs()[name]["private"], pairs()[name]["public"]
    curve = {"P-384": "p384", "P-521": "p521"}.get(kind, "p256")
    return pairs()[curve]["private"], pairs()[curve]["public"]


@pytest.mark.parametrize("kind", KINDS)
def test_encrypted_messages_go_both_ways(peer, dice, kind):
    """Wrapped here and unwrapped there, and the reverse, with keys of every kind."""
    (our_private, our_public), (their_private, their_public) = KINDS[kind](), second_pair(kind)
    ours = SMessage(our_private, their_public)
    theirs = (their_private, our_public)
    for text in texts(dice):
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
