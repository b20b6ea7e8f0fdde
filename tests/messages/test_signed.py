# SPDX-License-Identifier: Apache-2.0
"""Secure Message, signed."""

import numpy
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from hypothesis import given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.skeygen import (
    KEY_PAIR_TYPE,
    GenerateKeyPair,
    from_der,
    from_pem,
    key_kind,
    public_from_private,
    to_der,
)
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
from support.keys import cases, code_of, generated, ids, pairs, with_byte
from support.threads import together

SIGNED = cases("message_signed")
# Other types in the header, which no honest peer can have written: see vectors/README.md.
STRICTER = {"flip-0", "rsa-flip-0"}
NAMES = ["p256", "p384", "p521", "rsa1024", "rsa2048", "rsa4096"]
SIGNATURE_SIZES = {
    "p256": 72,
    "p384": 104,
    "p521": 139,
    "rsa1024": 128,
    "rsa2048": 256,
    "rsa4096": 512,
}
INVALID_SIGNATURE = THEMIS_CODES.INVALID_SIGNATURE
INVALID_PARAMETER = THEMIS_CODES.INVALID_PARAMETER
TYPE = {"p": 0x26042620, "r": 0x26042610}


def u32(number):
    """Write a number as headers have it."""
    return number.to_bytes(4, "little")


@pytest.mark.parametrize("case", SIGNED, ids=ids(SIGNED))
def test_known_answers(case):
    """What the real core accepts gives its message, what it refuses is refused."""
    if case["status"] == THEMIS_CODES.SUCCESS and case["id"] not in STRICTER:
        assert sverify(case["public_key"], case["signed"]) == case["message"]
        assert SecureVerifier(case["public_key"]).verify(case["signed"]) == case["message"]
    else:
        with pytest.raises(SecureMessageError):
            sverify(case["public_key"], case["signed"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [1, 2, 64, 4096, 1_000_003])
def test_round_trip(name, size):
    """A signed message is the message between a header and a signature, and verifies."""
    pair, message = pairs()[name], bytes(range(256)) * (size // 256 + 1)
    message = message[:size]
    for signed in (ssign(pair["private"], message), SecureSigner(pair["private"]).sign(message)):
        signature_size = len(signed) - 12 - size
        assert signed[:12] == u32(TYPE[name[0]]) + u32(size) + u32(signature_size)
        assert signed[12 : 12 + size] == message
        assert 8 <= signature_size <= SIGNATURE_SIZES[name]
        assert sverify(pair["public"], signed) == message


@given(st.binary(min_size=1, max_size=2000))
def test_any_message_makes_the_round_trip(message):
    """Whatever the bytes, they come back, with signatures of every length that occurs."""
    private, public = generated("EC")
    assert sverify(public, ssign(private, message)) == message


def test_signatures_of_ec_keys_vary_in_length():
    """The lengths differ, and the signed message is never padded."""
    signer, verifier = (
        half(key) for half, key in zip((SecureSigner, SecureVerifier), generated("EC"), strict=True)
    )
    sizes = set()
    for _ in range(300):
        signed = signer.sign(b"message")
        sizes.add(len(signed) - 19)
        assert len(signed) == 19 + int.from_bytes(signed[8:12], "little")
        assert verifier.verify(signed) == b"message"
    assert {70, 71, 72} <= sizes <= set(range(60, 73))


@pytest.mark.parametrize("name", NAMES)
def test_cryptography_verifies_our_signatures(name):
    """The signature is ECDSA in DER, or PSS with the longest salt, both over SHA-256."""
    pair = pairs()[name]
    signature = ssign(pair["private"], b"message")[19:]
    theirs = serialization.load_der_public_key(to_der(pair["public"]))
    if name.startswith("rsa"):
        longest = padding.PSS.MAX_LENGTH
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), longest)
        theirs.verify(signature, b"message", pss, hashes.SHA256())
    else:
        theirs.verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("salt", [0, 20, 32, 222])
def test_a_salt_of_any_length_is_verified(salt):
    """The length of the salt is found in the signature."""
    pair = pairs()["rsa2048"]
    theirs = serialization.load_der_private_key(to_der(pair["private"]), None)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    signature = theirs.sign(b"message", pss, hashes.SHA256())
    assert sverify(pair["public"], by_hand("rsa", b"message", signature)) == b"message"


def by_hand(name, message, signature):
    """Put a signed message together."""
    return u32(TYPE[name[0]]) + u32(len(message)) + u32(len(signature)) + message + signature


def test_other_rsa_signatures_are_refused():
    """PKCS#1 v1.5, and PSS with another digest, are no signatures here."""
    pair = pairs()["rsa2048"]
    theirs = serialization.load_der_private_key(to_der(pair["private"]), None)
    sha512 = hashes.SHA512()
    for scheme, digest in (
        (padding.PKCS1v15(), hashes.SHA256()),
        (padding.PSS(padding.MGF1(sha512), 32), sha512),
        (padding.PSS(padding.MGF1(sha512), 32), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA256()), 32), sha512),
    ):
        signed = by_hand("rsa", b"message", theirs.sign(b"message", scheme, digest))
        assert code_of(sverify, pair["public"], signed) == INVALID_SIGNATURE


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_malformed_ec_signatures_are_refused(name):
    """Numbers r, s zero, negative, not below n; other encodings; bytes behind; nothing at all."""
    pair = pairs()[name]
    signed = ssign(pair["private"], b"message")
    signature = signed[19:]
    r, s = utils.decode_dss_signature(signature)
    assert sverify(pair["public"], by_hand(name, b"message", signature)) == b"message"
    content = signature[3 if signature[1] == 0x81 else 2 :]
    order = 2**521
    for wrong in (
        utils.encode_dss_signature(0, s),
        utils.encode_dss_signature(r, 0),
        utils.encode_dss_signature(0, 0),
        utils.encode_dss_signature(1, 1),
        utils.encode_dss_signature(r, s + order),
        utils.encode_dss_signature(s, r),
        b"\x30\x06\x02\x01\xff\x02\x01\xff",
        b"\x30\x82" + len(content).to_bytes(2, "big") + content,
        b"\x30\x80" + content + bytes(2),
        signature + b"\0",
        signature[:-1],
        b"\x31" + signature[1:],
        b"",
        bytes(8),
        bytes(len(signature)),
        bytes(2000),
    ):
        assert (
            code_of(sverify, pair["public"], by_hand(name, b"message", wrong)) == INVALID_SIGNATURE
        )


@pytest.mark.parametrize("name", ["p256", "p521", "rsa1024"])
def test_every_flipped_byte_is_refused(name):
    """Header, message and signature: no byte can change."""
    pair = pairs()[name]
    signed = ssign(pair["private"], b"sixteen bytes ok")
    verifier = SecureVerifier(pair["public"])
    for position in range(len(signed)):
        for mask in (1, 0x80):
            code = code_of(verifier.verify, with_byte(signed, position, mask))
            assert code in (INVALID_SIGNATURE, INVALID_PARAMETER)
            assert position < 12 or code == INVALID_SIGNATURE


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_every_truncation_is_refused_and_trailing_bytes_are_ignored(name):
    """A signed message may not be cut; what some wrappers add to it is ignored."""
    pair = pairs()[name]
    signed = ssign(pair["private"], b"message")
    verifier = SecureVerifier(pair["public"])
    for size in range(len(signed)):
        assert code_of(verifier.verify, signed[:size]) == INVALID_PARAMETER
    for extra in (b"\0", b"more", bytes(100)):
        assert verifier.verify(signed + extra) == b"message"


def test_lengths_that_lie_are_refused():
    """Lengths that reach past the end, wrap around, or move the signature's start."""
    private, public = generated("EC")
    signed = ssign(private, b"message")
    rest = signed[12:]
    for message_size in (0, 1, 6, 8, 100, 2**31 - 1, 2**31, 2**32 - 12, 2**32 - 1):
        for signature_size in (0, 1, len(rest) - 7, len(rest), 2**31, 2**32 - 7, 2**32 - 1):
            if (message_size, signature_size) != (7, len(rest) - 7):
                lying = signed[:4] + u32(message_size) + u32(signature_size) + rest
                assert code_of(sverify, public, lying) in (INVALID_SIGNATURE, INVALID_PARAMETER)


def test_an_empty_message_is_refused_in_both_directions():
    """Nothing is not signed, and a signature of nothing is not accepted."""
    private, public = generated("EC")
    with pytest.raises(SecureMessageValueError, match="has 0 bytes; it must have 1 to 4294967295"):
        ssign(private, b"")
    theirs = serialization.load_der_private_key(to_der(private), None)
    signature = theirs.sign(b"", ec.ECDSA(hashes.SHA256()))
    assert code_of(sverify, public, by_hand("p256", b"", signature)) == INVALID_PARAMETER


def test_another_key_does_not_verify():
    """The signature of one key is not that of another, of its kind or of another kind."""
    signed = ssign(pairs()["p256"]["private"], b"message")
    with pytest.raises(SecureMessageError, match="signature does not match") as caught:
        sverify(pairs()["p256_b"]["public"], signed)
    assert caught.value.error_code == INVALID_SIGNATURE
    assert not isinstance(caught.value, ValueError)
    assert code_of(sverify, pairs()["p384"]["public"], signed) == INVALID_SIGNATURE
    with pytest.raises(SecureMessageError, match="it takes sverify and a public EC key") as caught:
        sverify(pairs()["rsa1024"]["public"], signed)
    assert caught.value.error_code == INVALID_PARAMETER


def test_every_encoding_of_a_key_signs_and_verifies():
    """Short private keys and uncompressed public keys are the same keys."""
    for name in ("p256", "p384", "p521"):
        pair = pairs()[name]
        for private in ("private", "private_short"):
            for public in ("public", "public_uncompressed"):
                assert sverify(pair[public], ssign(pair[private], b"x")) == b"x"


def test_a_private_key_is_not_a_public_one():
    """Each half in the other's place is refused in words that say so."""
    for name in ("p256", "rsa1024"):
        pair = pairs()[name]
        signed = ssign(pair["private"], b"message")
        with pytest.raises(
            SecureMessageValueError, match="must be a private key, and this is a public"
        ):
            ssign(pair["public"], b"message")
        with pytest.raises(
            SecureMessageValueError, match="must be a public key, and this is a private"
        ):
            sverify(pair["private"], signed)


def test_an_encrypted_message_is_not_a_signed_one():
    """Sverify says what it was given."""
    private, public = generated("EC")
    wrapped = SMessage(private, public).wrap(b"message")
    with pytest.raises(SecureMessageError, match="it is an encrypted message") as caught:
        sverify(public, wrapped)
    assert caught.value.error_code == INVALID_PARAMETER
    with pytest.raises(SecureMessageError, match="not a signed message"):
        sverify(public, b"something else entirely")


def test_wrong_types_are_refused():
    """Text, numbers and None are neither keys nor messages."""
    private, public = generated("EC")
    for wrong in ("text", 5, None, [1, 2]):
        for call in (
            lambda wrong=wrong: ssign(private, wrong),
            lambda wrong=wrong: ssign(wrong, b"x"),
            lambda wrong=wrong: sverify(public, wrong),
            lambda wrong=wrong: sverify(wrong, b"x"),
            lambda wrong=wrong: SecureSigner(wrong),
            lambda wrong=wrong: SecureVerifier(wrong),
        ):
            with pytest.raises(SecureMessageTypeError) as caught:
                call()
            assert caught.value.error_code == INVALID_PARAMETER


def test_any_bytes_like_object_will_do():
    """Keys and messages as bytearray, memoryview and numpy array."""
    private, public = generated("EC")
    array = numpy.arange(100, dtype=numpy.uint32)
    for convert in (bytes, bytearray, memoryview, lambda data: numpy.frombuffer(data, numpy.uint8)):
        signed = ssign(convert(private), convert(b"message"))
        assert sverify(convert(public), convert(signed)) == b"message"
    assert sverify(public, ssign(private, array)) == array.tobytes()
    assert type(sverify(public, bytearray(signed))) is bytes


def test_an_exception_lets_go_of_the_buffers():
    """While an error lives, the caller can resize the bytearrays that caused it."""
    private, public = generated("EC")
    kept = []
    for call, *arguments in (
        (ssign, public, b"x"),
        (sverify, private, b"x"),
        (sverify, public, b"x" * 100),
        (SMessage, public, public),
        (SMessage, private, private),
        (SMessage(private, public).wrap, b""),
        (SMessage(private, public).unwrap, b"x" * 100),
        (key_kind, b"x"),
        (public_from_private, public),
        (to_der, b"x"),
        (from_der, b"x"),
        (from_pem, b"x", b""),
        (from_der, to_der(private, b"secret"), b"wrong"),
    ):
        buffers = [bytearray(argument) for argument in arguments]
        with pytest.raises(ThemisError) as caught:
            call(*buffers)
        kept.append(caught.value)
        for buffer in buffers:
            buffer.append(0)
    assert len(kept) == 13


def test_a_closed_object_is_told():
    """Signer and verifier forget their keys at the end of a with block."""
    private, public = generated("EC")
    with SecureSigner(private) as signer, SecureVerifier(public) as verifier:
        signed = signer.sign(b"message")
        assert verifier.verify(signed) == b"message"
    with pytest.raises(SecureMessageValueError, match="this SecureSigner is closed"):
        signer.sign(b"message")
    with pytest.raises(SecureMessageValueError, match="this SecureVerifier is closed"):
        verifier.verify(signed)
    assert repr(signer) == "<pythemis.smessage.SecureSigner (closed)>"


def test_errors_are_of_the_family():
    """Every error is a SecureMessageError and a ThemisError."""
    assert issubclass(SecureMessageError, ThemisError)
    assert issubclass(SecureMessageTypeError, (SecureMessageError, TypeError))
    assert issubclass(SecureMessageValueError, (SecureMessageError, ValueError))


# ---- Public keys that were seen before ----


def test_a_key_that_was_seen_before_is_judged_anew():
    """Preparing a public key once does not make another key's signature good, nor a bad key."""
    first, second = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
    signed = ssign(first.export_private_key(), b"message")
    for _ in range(3):
        assert sverify(first.export_public_key(), signed) == b"message"
        with pytest.raises(SecureMessageError):
            sverify(second.export_public_key(), signed)
        with pytest.raises(SecureMessageError):
            sverify(first.export_public_key()[:-1], signed)


def test_threads_share_the_keys_that_were_seen_before():
    """Many threads with more keys than are kept: each gets the answer of its own key."""
    keys = [GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(100)]
    signed = [ssign(key.export_private_key(), b"%d" % i) for i, key in enumerate(keys)]

    def work(number):
        for i in range(number, 100 + number):
            assert sverify(keys[i % 100].export_public_key(), signed[i % 100]) == b"%d" % (i % 100)
        return True

    assert all(together(work))
