# SPDX-License-Identifier: Apache-2.0
"""Secure Cell, live with the real core in both directions."""

import pytest

from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect, SecureCellError
from pythemis.skeygen import GenerateSymmetricKey
from support.interop.peer import TIMES, PeerError

pytestmark = pytest.mark.integration
ROUNDS = 150 * TIMES
PASSPHRASE_ROUNDS = 2 * TIMES  # each side stretches each passphrase, which takes its time


def draw(dice):
    """Give a key, a message and a context of random lengths."""
    key = dice.randbytes(dice.choice([1, 16, 32, 32, 63, 64, 65, dice.randint(1, 300)]))
    # Mostly short, and sizes next to those of blocks; some of up to 1 MiB.
    near = 16 * dice.randint(1, 300) + dice.randint(-1, 1)
    large = int(2 ** dice.uniform(0, 20 if dice.random() < 0.1 else 14))
    message = dice.randbytes(dice.choice([1, near, large]))
    return key, message, dice.randbytes(dice.choice([1, 16, 17, dice.randint(1, 3000)]))


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
        encrypted = peer("imprint", key, message, context)
        assert cell.encrypt(message, context) == encrypted
        assert cell.decrypt(encrypted, context) == message
        assert peer("imprint_read", key, encrypted, context) == message


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


def test_passphrases_of_any_text(peer, dice):
    """Random text makes the same key on both sides; so do a text and its UTF-8."""
    for turn in range(PASSPHRASE_ROUNDS):
        letters = (
            chr(dice.choice([dice.randint(32, 0xD7FF), dice.randint(0xE000, 0x1FFFF)]))
            for _ in range(dice.randint(1, 100))
        )
        passphrase = "".join(letters)
        _, message, context = draw(dice)
        cell = SCellSeal(passphrase=passphrase.encode() if turn % 2 else passphrase)
        assert (
            cell.decrypt(peer("passphrase_seal", passphrase, message, context), context) == message
        )
        sealed = cell.encrypt(message, context)
        assert peer("passphrase_unseal", passphrase, sealed, context) == message


def test_generated_keys(peer):
    """Keys that either side generates work in every mode on both."""
    for key in (GenerateSymmetricKey(), peer("symmetric_key")):
        assert len(key) == 32
        sealed = SCellSeal(key).encrypt(b"message", b"context")
        assert peer("unseal", key, sealed, b"context") == b"message"
        protected = SCellTokenProtect(key).encrypt(b"message", b"context")
        assert peer("unprotect", key, *protected, b"context") == b"message"
        imprinted = SCellContextImprint(key).encrypt(b"message", b"context")
        assert peer("imprint_read", key, imprinted, b"context") == b"message"


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


@pytest.mark.parametrize("iterations", [200_000, 600_000])
def test_other_iterations_are_read(peer, iterations):
    """The real core reads what is written with other counts than its own."""
    cell = SCellSeal(passphrase="correct horse", iterations=iterations)
    sealed = cell.encrypt(b"message", b"context")
    assert peer("passphrase_unseal", "correct horse", sealed, b"context") == b"message"
