# SPDX-License-Identifier: Apache-2.0
"""A cell keeps the key of its last message for the next: never for one that has another key.

Messages of one length and context share a key by design (specification, section 3). Here one
object does all kinds of messages in any order, and a second implementation of the formats, which
keeps nothing, says what is right.
"""

import hashlib
import hmac
import os
import random
import threading

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from support.cells import FEWER, TOKEN, not_authentic

KEY = bytes(range(32))
LENGTHS = (1, 16, 17, 300)
# Empty, alike but for a byte, the longest that is kept, and one that is too long for it.
CONTEXTS = (b"", b"a", b"b", b"aa", b"c" * 63 + b"x", b"c" * 63 + b"y", b"c" * 65, b"c" * 66)
STEPS = 4000 // FEWER


def derived(key, label, *contexts):
    """Derive a key, as section 1 of the specification says."""
    parts = (b"\0\0\0\1", b"Themis secure cell message " + label, b"\0", *contexts)
    return hmac.digest(key, b"".join(parts), "sha256")


def modelled_seal(message, context, key_len=32, width=4):
    """Make a Seal cell of this key length, with a message length of this width in its key."""
    length = len(message).to_bytes(width, "little")
    key, nonce = derived(KEY, b"key", length, context)[:key_len], os.urandom(12)
    numbers = (0x40010000 | 8 * key_len, 12, 16, len(message))
    header = b"".join(number.to_bytes(4, "little") for number in numbers)
    made = AESGCM(key).encrypt(nonce, message, context)
    return header + nonce + made[-16:] + made[:-16]


def modelled_unseal(sealed, context):
    """Open a Seal cell; None if it is not authentic."""
    length = (len(sealed) - TOKEN).to_bytes(4, "little")
    cipher = AESGCM(derived(KEY, b"key", length, context))
    try:
        return cipher.decrypt(sealed[16:28], sealed[TOKEN:] + sealed[28:TOKEN], context)
    except InvalidTag:
        return None


def modelled_imprint(message, context):
    """Encrypt or decrypt in Context Imprint mode."""
    key = derived(KEY, b"key", len(message).to_bytes(4, "little"))
    counter = derived(key, b"iv", context)[:16]
    return Cipher(algorithms.AES256(key), modes.CTR(counter)).encryptor().update(message)


def walk(seed):
    """Give messages and contexts at random, often of the length and context just before."""
    generator = random.Random(seed)
    length, context = 1, b""
    for _ in range(STEPS):
        if generator.random() < 0.6:
            length, context = generator.choice(LENGTHS), generator.choice(CONTEXTS)
        yield generator, generator.randbytes(length), context


def test_seal_in_any_order():
    """Encrypting, decrypting, being shown what is not authentic, cells with other key lengths."""
    cell = SCellSeal(KEY)
    for generator, message, context in walk(1):
        choice = generator.randrange(4)
        if choice == 0:
            assert modelled_unseal(cell.encrypt(message, context), context) == message
        elif choice == 1:
            key_len = generator.choice((16, 24, 32))
            assert cell.decrypt(modelled_seal(message, context, key_len), context) == message
        elif choice == 2:
            with not_authentic():
                cell.decrypt(modelled_seal(message, context + b"!"), context)
        else:
            with not_authentic():
                cell.decrypt(modelled_seal(message, context, width=8), context)


def test_cells_of_096_in_any_order():
    """With the option, the same length and context have two keys, and either may come."""
    cell = SCellSeal(KEY, compat_096=True)
    for generator, message, context in walk(2):
        made = modelled_seal(message, context, width=generator.choice((4, 8)))
        assert cell.decrypt(made, context) == message
        if generator.random() < 0.3:
            assert modelled_unseal(cell.encrypt(message, context), context) == message


def test_token_protect_in_any_order():
    """The same under another class."""
    cell = SCellTokenProtect(KEY)
    for generator, message, context in walk(3):
        if generator.random() < 0.5:
            encrypted, token = cell.encrypt(message, context)
            assert modelled_unseal(token + encrypted, context) == message
        else:
            made = modelled_seal(message, context)
            assert cell.decrypt(made[TOKEN:], made[:TOKEN], context) == message


def test_context_imprint_in_any_order():
    """Here the key comes from the length alone, and the counter from the context."""
    cell = SCellContextImprint(KEY)
    for _, message, context in walk(4):
        if context:
            assert cell.encrypt(message, context) == modelled_imprint(message, context)


@pytest.mark.parametrize("mode", [SCellSeal, SCellTokenProtect])
def test_a_list_in_any_order(mode):
    """Within a list the key goes from message to message, too."""
    messages, contexts = zip(*((message, context) for _, message, context in walk(5)), strict=True)
    made = mode(KEY).encrypt_many(messages, contexts)
    for message, context, cell in zip(messages, contexts, made, strict=True):
        whole = cell if mode is SCellSeal else cell[1] + cell[0]
        assert modelled_unseal(whole, context) == message


def test_a_context_whose_bytes_change_is_another_context():
    """It is the bytes that count, not the object they lie in."""
    cell = SCellSeal(KEY)
    context = bytearray(b"row 1")
    first = cell.encrypt(b"message", context)
    context[-1:] = b"2"
    second = cell.encrypt(b"message", context)
    assert modelled_unseal(first, b"row 1") == modelled_unseal(second, b"row 2") == b"message"


def test_keys_of_objects_are_their_own():
    """The same length and context under two keys."""
    one, other = SCellSeal(KEY), SCellSeal(hashlib.sha256(KEY).digest())
    for _ in range(3):
        sealed = one.encrypt(b"message", b"context")
        with not_authentic():
            other.decrypt(sealed, b"context")
        assert one.decrypt(sealed, b"context") == b"message"


def test_nonces_differ_under_a_kept_key():
    """What is kept is the key, and nothing else of the last message."""
    cell = SCellSeal(KEY)
    nonces = {cell.encrypt(b"message")[16:28] for _ in range(STEPS)}
    assert len(nonces) == STEPS


def test_threads_in_any_order():
    """Threads that share an object hand each other its cipher, key and all."""
    cell = SCellSeal(KEY)
    wrong = []

    def work(seed):
        for _, message, context in walk(seed):
            if modelled_unseal(cell.encrypt(message, context), context) != message:
                wrong.append((message, context))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(10, 14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
