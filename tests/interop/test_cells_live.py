# SPDX-License-Identifier: Apache-2.0
"""Secure Cell, live with the real core in both directions."""

import os

import pytest
from _peer import PeerError

from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect, SecureCellError

ROUNDS = int(os.environ.get("PEER_ROUNDS", "100"))
PASSPHRASE_ROUNDS = 5  # each side stretches each passphrase, which takes its time


def draw(dice):
    """Give a key, a message and a context of random lengths."""
    key = dice.randbytes(dice.choice([1, 16, 32, 64, 65, 200]))
    message = dice.randbytes(int(2 ** dice.uniform(0, 16)))
    return key, message, dice.randbytes(dice.choice([1, 16, 17, 100, 1000]))


def test_seal(peer, dice):
    """Each side reads what the other sealed, with and without a context."""
    for turn in range(ROUNDS):
        key, message, context = draw(dice)
        context = context if turn % 3 else b""
        cell = SCellSeal(key)
        assert cell.decrypt(peer("seal", key, message, context), context) == message
        assert peer("unseal", key, cell.encrypt(message, context), context) == message


def test_token_protect(peer, dice):
    """Each side reads data and token of the other."""
    for turn in range(ROUNDS):
        key, message, context = draw(dice)
        context = context if turn % 3 else b""
        cell = SCellTokenProtect(key)
        assert cell.decrypt(*peer("protect", key, message, context), context) == message
        assert peer("unprotect", key, *cell.encrypt(message, context), context) == message


def test_context_imprint(peer, dice):
    """Both sides encrypt alike, to the byte."""
    for _ in range(ROUNDS):
        key, message, context = draw(dice)
        cell = SCellContextImprint(key)
        assert cell.encrypt(message, context) == peer("imprint", key, message, context)


@pytest.mark.parametrize("passphrase", ["correct horse", "grüße, привет, 你好"])
def test_passphrases(peer, dice, passphrase):
    """Each side reads what the other sealed under text in any language."""
    cell = SCellSeal(passphrase=passphrase)
    for _ in range(PASSPHRASE_ROUNDS):
        _, message, context = draw(dice)
        sealed = peer("passphrase_seal", passphrase, message, context)
        assert cell.decrypt(sealed, context) == message
        sealed = cell.encrypt(message, context)
        assert peer("passphrase_unseal", passphrase, sealed, context) == message


def test_both_refuse_what_was_changed(peer, dice):
    """A changed byte, key or context is refused on both sides."""
    for _ in range(ROUNDS):
        key, message, context = draw(dice)
        sealed = bytearray(SCellSeal(key).encrypt(message, context))
        sealed[dice.randrange(16, len(sealed))] ^= 1 << dice.randrange(8)
        for wrong in [(key, sealed, context), (key + b"k", SCellSeal(key).encrypt(message), b"")]:
            with pytest.raises(SecureCellError) as refusal:
                SCellSeal(wrong[0]).decrypt(wrong[1], wrong[2])
            assert refusal.value.error_code == THEMIS_CODES.FAIL
            with pytest.raises(PeerError) as theirs:
                peer("unseal", *wrong)
            assert theirs.value.code == THEMIS_CODES.FAIL
