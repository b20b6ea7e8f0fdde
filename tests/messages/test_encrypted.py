# SPDX-License-Identifier: Apache-2.0
"""Secure Message, encrypted."""

import pickle
import sys
import threading
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given
from hypothesis import strategies as st

from pythemis import smessage
from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellSeal
from pythemis.skeygen import to_der
from pythemis.smessage import (
    SecureMessageError,
    SecureMessageTypeError,
    SecureMessageValueError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from support.keys import cases, code_of, container, generated, ids, pairs, payload_of, with_byte

ENCRYPTED = cases("message_encrypted")
EC_PAIRS = [("p256", "p256_b"), ("p384", "p384_b"), ("p521", "p521_b")]
RSA_PAIRS = [
    ("rsa1024", "rsa1024"),
    ("rsa2048", "rsa2048_b"),
    ("rsa1024", "rsa2048"),
    ("rsa4096", "rsa2048"),
]
FAIL = THEMIS_CODES.FAIL
INVALID_PARAMETER = THEMIS_CODES.INVALID_PARAMETER
SECRET_SIZE = 70


def both(ours, theirs):
    """Make the objects of both sides."""
    a, b = pairs()[ours], pairs()[theirs]
    return SMessage(a["private"], b["public"]), SMessage(b["private"], a["public"])


def key_size(name):
    """Give the bytes of an RSA key's modulus."""
    return int(name[3:7]) // 8


def u32(number):
    """Write a number as headers have it."""
    return number.to_bytes(4, "little")


@pytest.mark.parametrize("case", ENCRYPTED, ids=ids(ENCRYPTED))
def test_known_answers(case):
    """What the real core accepts gives its message, what it refuses is refused."""
    if case["status"] == THEMIS_CODES.SUCCESS:
        message = SMessage(case["private_key"], case["public_key"])
        assert message.unwrap(case["wrapped"]) == case["message"]
    else:
        with pytest.raises(SecureMessageError):
            SMessage(case["private_key"], case["public_key"]).unwrap(case["wrapped"])


@pytest.mark.parametrize(("ours", "theirs"), EC_PAIRS + RSA_PAIRS)
@pytest.mark.parametrize("size", [1, 2, 64, 4096, 1_000_003])
def test_round_trip(ours, theirs, size):
    """Each side reads what the other wraps; the length is as documented."""
    alice, bob = both(ours, theirs)
    message = (bytes(range(256)) * (size // 256 + 1))[:size]
    for sender, reader, name in ((alice, bob, theirs), (bob, alice, ours)):
        wrapped = sender.wrap(message)
        is_rsa = name.startswith("rsa")
        assert len(wrapped) == size + (56 + key_size(name) if is_rsa else 52)
        assert wrapped[:8] == u32(0x26042710 if is_rsa else 0x26042720) + u32(len(wrapped))
        assert reader.unwrap(wrapped) == message
        assert sender.wrap(message) != wrapped


@given(st.binary(min_size=1, max_size=2000), st.sampled_from(["p256", "p521", "rsa1024"]))
def test_any_message_makes_the_round_trip(message, name):
    """Whatever the bytes, they come back."""
    alice, bob = both(name, name)
    assert bob.unwrap(alice.wrap(message)) == message


@pytest.mark.parametrize(("ours", "theirs"), EC_PAIRS)
def test_the_agreed_secret_is_a_cell_key(ours, theirs):
    """An EC message is a Seal cell under the ECDH secret that cryptography agrees on too."""
    alice, _ = both(ours, theirs)
    private = serialization.load_der_private_key(to_der(pairs()[theirs]["private"]), None)
    public = serialization.load_der_public_key(to_der(pairs()[ours]["public"]))
    secret = private.exchange(ec.ECDH(), public)
    assert SCellSeal(key=secret).decrypt(alice.wrap(b"message")[8:]) == b"message"


def test_the_wrapped_secret_is_a_cell_key():
    """An RSA message is a Seal cell under 70 bytes in OAEP with SHA-1, fresh each time."""
    private = pairs()["rsa2048"]["private"]
    theirs = serialization.load_der_private_key(to_der(private), None)
    alice, _ = both("rsa2048_b", "rsa2048")
    secrets = set()
    for _ in range(5):
        wrapped = alice.wrap(b"message")
        assert wrapped[8:12] == u32(256)
        secret = theirs.decrypt(wrapped[12:268], oaep())
        assert len(secret) == SECRET_SIZE
        assert SCellSeal(key=secret).decrypt(wrapped[268:]) == b"message"
        secrets.add(secret)
    assert len(secrets) == 5


def oaep(digest=None):
    """Describe OAEP as messages have it."""
    digest = digest or hashes.SHA1()
    return padding.OAEP(padding.MGF1(digest), digest, None)


def test_both_directions_share_the_secret():
    """With EC keys a message can be unwrapped by its own sender: the secret is one."""
    alice, _ = both("p256", "p256_b")
    assert alice.unwrap(alice.wrap(b"message")) == b"message"


def test_every_encoding_of_a_key_is_the_same_key():
    """Short private keys and uncompressed public keys agree on the same secret."""
    a, b = pairs()["p384"], pairs()["p384_b"]
    wrapped = SMessage(a["private"], b["public"]).wrap(b"message")
    for private in ("private", "private_short"):
        for public in ("public", "public_uncompressed"):
            assert SMessage(b[private], a[public]).unwrap(wrapped) == b"message"


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_every_flipped_byte_is_refused(name):
    """Header, wrapped secret, token and ciphertext: no byte can change."""
    alice, bob = both(name, name)
    wrapped = alice.wrap(b"sixteen bytes ok")
    for position in range(len(wrapped)):
        for mask in (1, 0x80):
            code = code_of(bob.unwrap, with_byte(wrapped, position, mask))
            assert code in (FAIL, INVALID_PARAMETER)


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_every_truncation_and_extension_is_refused(name):
    """An encrypted message has one length, also when its header agrees with the wrong one."""
    alice, bob = both(name, name)
    wrapped = alice.wrap(b"message")
    for size in range(len(wrapped)):
        assert code_of(bob.unwrap, wrapped[:size]) == INVALID_PARAMETER
        agreeing = wrapped[:4] + u32(size) + wrapped[8:size]
        assert code_of(bob.unwrap, agreeing) == INVALID_PARAMETER
    assert code_of(bob.unwrap, wrapped + b"\0") == INVALID_PARAMETER
    longer = wrapped[:4] + u32(len(wrapped) + 1) + wrapped[8:] + b"\0"
    assert code_of(bob.unwrap, longer) == INVALID_PARAMETER


def test_lengths_of_the_wrapped_secret_that_lie_are_refused():
    """The wrapped secret is as long as the reader's key, whatever the header says."""
    alice, bob = both("rsa1024", "rsa1024")
    wrapped = alice.wrap(b"message")
    for size in (0, 1, 127, 129, 255, 256, len(wrapped) - 12, len(wrapped), 2**31, 2**32 - 1):
        lying = wrapped[:8] + u32(size) + wrapped[12:]
        assert code_of(bob.unwrap, lying) == INVALID_PARAMETER


def hostile_secrets(public):
    """Give wrapped secrets that are wrong in every way there is, each with its name."""
    theirs = serialization.load_der_public_key(to_der(public))
    modulus = int.from_bytes(payload_of(public)[:256], "big")
    good = bytes(SECRET_SIZE)
    return {
        "too short": theirs.encrypt(good[:-1], oaep()),
        "too long": theirs.encrypt(good + b"\0", oaep()),
        "empty": theirs.encrypt(b"", oaep()),
        "longest": theirs.encrypt(bytes(214), oaep()),
        "another digest": theirs.encrypt(good, oaep(hashes.SHA256())),
        "another label": theirs.encrypt(
            good, padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), b"x")
        ),
        "old padding": theirs.encrypt(good, padding.PKCS1v15()),
        "zero": bytes(256),
        "one": bytes(255) + b"\1",
        "below the modulus": (modulus - 1).to_bytes(256, "big"),
        "the modulus": modulus.to_bytes(256, "big"),
        "all ones": b"\xff" * 256,
        "noise": (modulus // 3).to_bytes(256, "big"),
        "another secret": theirs.encrypt(good, oaep()),
    }


def test_nobody_learns_what_was_wrong_in_rsa_decryption():
    """Padding, length and tag fail alike: one class, one code, one text."""
    alice, bob = both("rsa2048_b", "rsa2048")
    wrapped = alice.wrap(b"message")
    seen = set()
    for name, secret in hostile_secrets(pairs()["rsa2048"]["public"]).items():
        with pytest.raises(SecureMessageError) as caught:
            bob.unwrap(wrapped[:12] + secret + wrapped[268:])
        seen.add((type(caught.value), caught.value.error_code, str(caught.value)))
        assert caught.value.__cause__ is None, name
    with pytest.raises(SecureMessageError) as caught:
        bob.unwrap(with_byte(wrapped, len(wrapped) - 1, 1))
    seen.add((type(caught.value), caught.value.error_code, str(caught.value)))
    assert len(seen) == 1
    assert caught.value.error_code == FAIL


def test_a_secret_of_zeros_is_not_assumed_when_padding_fails():
    """What stands in for a secret that does not unwrap is random: nobody can seal under it."""
    _, bob = both("rsa2048_b", "rsa2048")
    for guess in (bytes(SECRET_SIZE), b"\0" * 1):
        sealed = SCellSeal(key=guess).encrypt(b"message")
        body = u32(256) + bytes(256) + sealed
        forged = u32(0x26042710) + u32(8 + len(body)) + body
        assert code_of(bob.unwrap, forged) == FAIL


def test_anybody_can_encrypt_to_an_rsa_key():
    """The sender is not authenticated with RSA, which is why the documents say so."""
    mallory, alice, bob = (pairs()[name] for name in ("rsa1024", "rsa2048_b", "rsa2048"))
    wrapped = SMessage(mallory["private"], bob["public"]).wrap(b"from alice, honestly")
    assert SMessage(bob["private"], alice["public"]).unwrap(wrapped) == b"from alice, honestly"
    # The remedy: sign, then encrypt.
    wrapped = SMessage(alice["private"], bob["public"]).wrap(ssign(alice["private"], b"message"))
    unwrapped = SMessage(bob["private"], alice["public"]).unwrap(wrapped)
    assert sverify(alice["public"], unwrapped) == b"message"
    assert code_of(sverify, mallory["public"], unwrapped) == THEMIS_CODES.INVALID_SIGNATURE


@pytest.mark.parametrize(("ours", "theirs"), [("p256", "p256_b"), ("rsa2048", "rsa2048_b")])
def test_the_wrong_reader_is_refused(ours, theirs):
    """Somebody else's private key does not open a message."""
    alice, _ = both(ours, theirs)
    wrapped = alice.wrap(b"message")
    algorithm = "RSA" if ours.startswith("rsa") else "EC"
    eve = SMessage(generated(algorithm)[0], pairs()[ours]["public"])
    with pytest.raises(
        SecureMessageError, match="encrypted for other keys, or it is corrupted"
    ) as caught:
        eve.unwrap(wrapped)
    assert caught.value.error_code == FAIL
    assert not isinstance(caught.value, ValueError)


def test_the_wrong_sender_is_refused_with_ec_keys():
    """An EC message opens only with the public key of who wrapped it."""
    alice, _ = both("p256", "p256_b")
    bob = SMessage(pairs()["p256_b"]["private"], generated("EC")[1])
    assert code_of(bob.unwrap, alice.wrap(b"message")) == FAIL


@pytest.mark.parametrize(
    ("private", "public", "words"),
    [
        (("p256", "public"), ("p256_b", "public"), "private key must be a private key, and this"),
        (("p256", "private"), ("p256_b", "private"), "public key must be a public key, and this"),
        (("rsa1024", "public"), ("rsa1024", "public"), "private key must be a private key, and"),
        (("rsa1024", "private"), ("rsa1024", "private"), "public key must be a public key, and"),
        (("p256_b", "public"), ("p256", "private"), "private key must be a private key, and this"),
        (("p256", "private"), ("rsa1024", "public"), "one of the keys is an EC key and the other"),
        (("rsa1024", "private"), ("p256", "public"), "one of the keys is an EC key and the other"),
        (("p256", "private"), ("p384", "public"), "the two EC keys are on different curves"),
        (("p521", "private"), ("p384", "public"), "the two EC keys are on different curves"),
    ],
)
def test_keys_that_do_not_go_together_are_told(private, public, words):
    """The wrong half, another kind and another curve are refused in their own words."""
    with pytest.raises(SecureMessageValueError, match=words) as caught:
        SMessage(pairs()[private[0]][private[1]], pairs()[public[0]][public[1]])
    assert caught.value.error_code == INVALID_PARAMETER


def test_damaged_keys_are_told():
    """A wrong checksum, wrong numbers, and what is no key at all."""
    private, public = generated("EC")
    for wrong, words in (
        (with_byte(public, 20, 1), "the public key is corrupted: its checksum does not match"),
        (container(b"UEC2", b"\2" + b"\xff" * 32), "corrupted: its numbers make no sense"),
        (
            public[:-1],
            "the public key is not a Themis key, or it is truncated: the header promises",
        ),
        (b"something", "the public key is not a Themis key"),
        (b"", "the public key is not a Themis key"),
    ):
        with pytest.raises(SecureMessageValueError, match=words):
            SMessage(private, wrong)
        with pytest.raises(SecureMessageValueError, match=words):
            SecureVerifier(wrong)
    for wrong, words in (
        (with_byte(private, 20, 1), "the private key is corrupted: its checksum does not match"),
        (container(b"REC2", bytes(33)), "corrupted: its numbers make no sense"),
        (b"", "the private key is not a Themis key"),
    ):
        with pytest.raises(SecureMessageValueError, match=words):
            SMessage(wrong, public)
        with pytest.raises(SecureMessageValueError, match=words):
            SecureSigner(wrong)


def test_a_message_of_another_kind_is_told():
    """A signed message, and one for the other kind of key, are refused in their own words."""
    ec_message, rsa_message = both("p256", "p256")[0], both("rsa1024", "rsa1024")[0]
    signed = ssign(pairs()["p256"]["private"], bytes(200))
    for message in (ec_message, rsa_message):
        with pytest.raises(
            SecureMessageError, match=r"it is a signed message: it takes sverify"
        ) as caught:
            message.unwrap(signed)
        assert caught.value.error_code == INVALID_PARAMETER
    with pytest.raises(SecureMessageError, match="it takes an SMessage of EC keys"):
        rsa_message.unwrap(ec_message.wrap(bytes(200)))
    with pytest.raises(SecureMessageError, match="it takes an SMessage of RSA keys"):
        ec_message.unwrap(rsa_message.wrap(bytes(200)))
    for message in (ec_message, rsa_message):
        for nothing in (b"", b"x", bytes(500), b"\xff" * 500):
            with pytest.raises(SecureMessageError, match="this is not an encrypted message"):
                message.unwrap(nothing)


def test_an_empty_message_is_refused():
    """Nothing is not encrypted."""
    alice, _ = both("p256", "p256_b")
    with pytest.raises(SecureMessageValueError, match="has 0 bytes; it must have 1 to 4294967243"):
        alice.wrap(b"")


def test_wrong_types_are_refused():
    """Text, numbers and None are neither keys nor messages."""
    private, public = generated("EC")
    alice = SMessage(private, public)
    for wrong in ("text", 5, None):
        for call in (
            lambda wrong=wrong: SMessage(wrong, public),
            lambda wrong=wrong: SMessage(private, wrong),
            lambda wrong=wrong: alice.wrap(wrong),
            lambda wrong=wrong: alice.unwrap(wrong),
        ):
            with pytest.raises(SecureMessageTypeError) as caught:
                call()
            assert caught.value.error_code == INVALID_PARAMETER


def test_any_bytes_like_object_will_do():
    """Keys and messages as bytearray and memoryview; bytes come out."""
    private, public = generated("EC")
    for convert in (bytes, bytearray, memoryview):
        message = SMessage(convert(private), convert(public))
        wrapped = message.wrap(convert(b"message"))
        unwrapped = message.unwrap(convert(wrapped))
        assert (type(wrapped), type(unwrapped), unwrapped) == (bytes, bytes, b"message")


def test_names_of_arguments_are_those_of_0_15():
    """Programs that name the arguments work."""
    private, public = generated("EC")
    message = SMessage(private_key=private, peer_public_key=public)
    assert message.unwrap(message=message.wrap(message=b"x")) == b"x"
    assert sverify(public_key=public, message=ssign(private_key=private, message=b"x")) == b"x"


def test_the_old_name_works_and_warns():
    """smessage.smessage is SMessage with a DeprecationWarning."""
    with pytest.warns(DeprecationWarning, match="use SMessage"):
        message = smessage.smessage(*generated("EC"))
    assert isinstance(message, SMessage)
    assert message.unwrap(message.wrap(b"x")) == b"x"


def test_an_object_shows_and_leaks_nothing():
    """No key in its repr, no pickle; a closed one has forgotten its keys."""
    for make in (
        lambda a, b: SMessage(a, b),
        lambda a, _: SecureSigner(a),
        lambda _, b: SecureVerifier(b),
    ):
        made = make(*generated("EC"))
        assert repr(made) == f"<pythemis.smessage.{type(made).__name__}>"
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(made)
    with SMessage(*generated("EC")) as message:
        wrapped = message.wrap(b"x")
    for call in (lambda: message.wrap(b"x"), lambda: message.unwrap(wrapped)):
        with pytest.raises(SecureMessageValueError, match="this SMessage is closed"):
            call()
    message.close()


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_threads_share_an_object(name):
    """Wrapping, unwrapping, signing and verifying in eight threads at once goes right."""
    pair = pairs()[name]
    message = SMessage(pair["private"], pair["public"])
    signer, verifier = SecureSigner(pair["private"]), SecureVerifier(pair["public"])
    barrier, done = threading.Barrier(8), []

    def work(number):
        barrier.wait()
        for turn in range(30):
            text = b"%d-%d" % (number, turn)
            assert message.unwrap(message.wrap(text)) == text
            assert verifier.verify(signer.sign(text)) == text
        done.append(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(done) == list(range(8))


def test_an_object_closed_during_a_call_lets_it_finish():
    """Close in one thread does not pull the keys from under another."""
    message = SMessage(*generated("EC"))
    text, results = bytes(30_000_000), []
    worker = threading.Thread(target=lambda: results.append(message.wrap(text)))
    worker.start()
    time.sleep(0.001)
    message.close()
    worker.join()
    if results:  # the call may also have come too late, and was refused
        assert SMessage(*generated("EC")).unwrap(results[0]) == text
