# SPDX-License-Identifier: Apache-2.0
"""Keys whose container is sound and whose numbers are not: refused where they are put to use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.skeygen import key_kind, public_from_private, to_pem
from pythemis.smessage import (
    SecureMessageValueError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from support.keys import CURVES, code_of, container, generated, pairs, payload_of, resealed

SUCCESS = THEMIS_CODES.SUCCESS
DATA_CORRUPT = THEMIS_CODES.DATA_CORRUPT
INVALID_SIGNATURE = THEMIS_CODES.INVALID_SIGNATURE
ENGINE_FAIL = THEMIS_CODES.ENGINE_FAIL

PAIRS = {"2": "p256", "3": "p384", "5": "p521"}
FITTING = {b"EC2": "p256", b"EC3": "p384", b"EC5": "p521", b"RA1": "rsa1024"}


def private_key(curve, number, *, short=False):
    """Write a private EC key by hand."""
    size = CURVES[curve][0]
    return container(b"REC" + curve.encode(), bytes(not short) + number.to_bytes(size, "big"))


def public_key(curve, prefix, *coordinates):
    """Write a public EC key by hand."""
    size = CURVES[curve][0]
    numbers = b"".join(number.to_bytes(size, "big") for number in coordinates)
    return container(b"UEC" + curve.encode(), bytes([prefix]) + numbers)


def point_of(curve):
    """Give the coordinates of a real public key."""
    size = CURVES[curve][0]
    payload = payload_of(pairs()[PAIRS[curve]]["public_uncompressed"])
    return int.from_bytes(payload[1 : 1 + size], "big"), int.from_bytes(payload[1 + size :], "big")


def assert_private_refused(key):
    """The container is a key; putting it to use tells that its numbers make no sense."""
    assert key_kind(key).is_private
    peer = pairs()[FITTING[key[1:4]]]["public"]
    for use in (SecureSigner, lambda key: SMessage(key, peer), lambda key: ssign(key, b"x")):
        with pytest.raises(SecureMessageValueError, match="corrupted") as caught:
            use(key)
        assert caught.value.error_code == DATA_CORRUPT
    for use in (public_from_private, to_pem):
        with pytest.raises(ThemisError, match="corrupted") as caught:
            use(key)
        assert caught.value.error_code == DATA_CORRUPT


def assert_public_refused(key):
    """The container is a key; putting it to use tells that its numbers make no sense."""
    assert key_kind(key).is_public
    own = pairs()[FITTING[key[1:4]]]["private"]
    for use in (SecureVerifier, lambda key: SMessage(own, key), to_pem):
        with pytest.raises(ThemisError, match="corrupted") as caught:
            use(key)
        assert caught.value.error_code == DATA_CORRUPT


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("short", [False, True])
def test_private_numbers_out_of_range_are_refused(curve, short):
    """Numbers d = 0, d = n, d > n and the largest that fits are refused."""
    size, _, order = CURVES[curve]
    for number in (0, order, order + 1, 256**size - 1):
        assert_private_refused(private_key(curve, number, short=short))


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("short", [False, True])
def test_private_numbers_at_the_edges_work(curve, short):
    """Numbers d = 1, d = 2 and d = n - 1 sign, and their public halves verify."""
    order = CURVES[curve][2]
    for number in (1, 2, order - 1):
        key = private_key(curve, number, short=short)
        signed = ssign(key, b"message")
        assert SecureVerifier(public_from_private(key)).verify(signed) == b"message"


@pytest.mark.parametrize("curve", CURVES)
def test_a_private_number_is_not_longer_than_its_field(curve):
    """The byte in front of a private number is zero, or the key is refused."""
    good = private_key(curve, 5)
    assert_private_refused(resealed(good, 0, 1))
    assert_private_refused(resealed(good, 0, 0x80))


@pytest.mark.parametrize("curve", CURVES)
def test_points_off_their_curve_are_refused(curve):
    """A point with another y, in the long form, or an x without any y, in the short one."""
    x, y = point_of(curve)
    prime = CURVES[curve][1]
    assert_public_refused(public_key(curve, 4, x, y ^ 1))
    assert_public_refused(public_key(curve, 4, x ^ 1, y))
    assert_public_refused(public_key(curve, 4, y, x))
    assert_public_refused(public_key(curve, 4, 0, 0))
    lonely = next(x for x in range(1, 100) if not on_curve(curve, x))
    assert_public_refused(public_key(curve, 2, lonely))
    assert_public_refused(public_key(curve, 3, lonely))
    if curve == "2":  # the curve's b is a square there: x = 0 is on it
        assert SecureVerifier(public_key(curve, 2, 0))
    assert_public_refused(public_key(curve, 4, x, prime + 1))


def on_curve(curve, x):
    """Tell whether a point with this x exists, by Euler's criterion."""
    prime = CURVES[curve][1]
    square = (x**3 - 3 * x + B[curve]) % prime
    return pow(square, (prime - 1) // 2, prime) in (0, 1)


B = {
    "2": 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    "3": int("B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875A"
             "C656398D8A2ED19D2A85C8EDD3EC2AEF", 16),
    "5": int("0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF1"
             "09E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00", 16),
}  # fmt: skip


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("prefix", [0, 1, 5, 6, 7, 0x82, 0xFF])
def test_other_point_prefixes_are_refused(curve, prefix):
    """Only 02, 03 and 04 begin a point: not infinity, and not the hybrid forms."""
    x, y = point_of(curve)
    assert_public_refused(public_key(curve, prefix, x))
    assert_public_refused(public_key(curve, prefix, x, y))


@pytest.mark.parametrize("curve", CURVES)
def test_a_prefix_fits_its_length(curve):
    """04 with one coordinate, or 02 with two, is refused."""
    x, y = point_of(curve)
    assert_public_refused(public_key(curve, 4, x))
    assert_public_refused(public_key(curve, 2, x, y))
    assert_public_refused(public_key(curve, 3, x, y))


@pytest.mark.parametrize("curve", CURVES)
def test_the_point_at_infinity_is_no_key(curve):
    """Its encoding of one byte is too short for a key, and all zeros are no point."""
    with pytest.raises(ThemisError):
        key_kind(container(b"UEC" + curve.encode(), b"\0"))
    assert_public_refused(public_key(curve, 0, 0))
    assert_public_refused(public_key(curve, 0, 0, 0))


@pytest.mark.parametrize("curve", CURVES)
def test_coordinates_not_below_the_prime_are_refused(curve):
    """Coordinates x and x + p are the same point; only one of them is a key."""
    size, prime, _ = CURVES[curve]
    for x in range(100):
        if on_curve(curve, x) and x + prime < 256**size:
            assert SecureVerifier(public_key(curve, 2, x))
            assert_public_refused(public_key(curve, 2, x + prime))
            return
    pytest.fail("no small x on the curve")


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_a_flipped_byte_of_an_ec_key_is_refused_or_another_key(name):
    """With the checksum made good, each changed byte is refused or gives a different key."""
    pair = pairs()[name]
    signed = ssign(pair["private"], b"message")
    for half in ("private", "private_short", "public", "public_uncompressed"):
        key = pair[half]
        for position in range(len(payload_of(key))):
            changed = resealed(key, position, 0x21)
            if half.startswith("private"):
                assert code_of(ssign, changed, b"x") in (SUCCESS, DATA_CORRUPT)
                if code_of(public_from_private, changed) == SUCCESS:
                    assert public_from_private(changed) != pair["public"]
            else:
                assert code_of(sverify, changed, signed) in (INVALID_SIGNATURE, DATA_CORRUPT)


@given(st.binary(min_size=33, max_size=33) | st.binary(min_size=65, max_size=65))
def test_random_points_never_do_harm(payload):
    """Random payloads are refused, or are keys."""
    assert code_of(SecureVerifier, container(b"UEC2", payload)) in (SUCCESS, DATA_CORRUPT)


# ---- RSA ----


def numbers_of(key):
    """Take a private RSA key apart."""
    n = {b"1": 128, b"2": 256, b"4": 512, b"8": 1024}[key[3:4]]
    payload = payload_of(key)
    sizes = {
        "d": n,
        "p": n // 2,
        "q": n // 2,
        "dp": n // 2,
        "dq": n // 2,
        "qi": n // 2,
        "n": n,
        "e": 4,
    }
    numbers = {}
    for name, size in sizes.items():
        numbers[name], payload = int.from_bytes(payload[:size], "big"), payload[size:]
    return numbers, sizes


def private_rsa(**changes):
    """Write a private RSA key of 1024 bits with some numbers changed."""
    numbers, sizes = numbers_of(pairs()["rsa1024"]["private"])
    numbers.update(changes)
    return container(
        b"RRA1", b"".join(numbers[name].to_bytes(size, "big") for name, size in sizes.items())
    )


def public_rsa(modulus, exponent, tag=b"URA1", size=128):
    """Write a public RSA key by hand."""
    return container(tag, modulus.to_bytes(size, "big") + exponent.to_bytes(4, "big"))


RSA, _ = numbers_of(pairs()["rsa1024"]["private"])


def test_an_rsa_key_put_together_again_works():
    """The changes below are what makes keys fail, not the taking apart."""
    assert private_rsa() == pairs()["rsa1024"]["private"]
    assert public_rsa(RSA["n"], RSA["e"]) == pairs()["rsa1024"]["public"]


@pytest.mark.parametrize(
    "changes",
    [
        {"n": RSA["n"] ^ 1},
        {"n": RSA["n"] ^ 1 << 1023},
        {"n": RSA["n"] ^ 2},
        {"n": RSA["n"] + 2 * RSA["p"]},
        {"e": 1},
        {"e": 0},
        {"e": 2},
        {"e": 5},
        {"e": 65536},
        {"e": 65539},
        {"e": 0xFFFFFFFF},
        {"d": RSA["n"]},
        {"d": RSA["n"] + 2},
        {"d": 2**1024 - 1},
        {"p": RSA["p"] ^ 2},
        {"q": RSA["q"] ^ 1 << 300},
        {"p": RSA["q"]},
        {"p": 0},
        {"p": 0, "q": 0},
        {"p": 1, "q": 1},
        {"dp": RSA["p"]},
        {"dq": 2**512 - 1},
        {"qi": RSA["p"]},
    ],
    ids=str,
)
def test_private_rsa_numbers_that_do_not_fit_are_refused(changes):
    """Modulus, exponent, d and the primes are judged before they are used."""
    assert_private_refused(private_rsa(**changes))


def test_the_product_of_the_primes_is_checked_to_its_last_bit():
    """One wrong bit of the modulus, any of them, is noticed."""
    for bit in range(1, 1023):
        with pytest.raises(SecureMessageValueError, match="corrupted"):
            SecureSigner(private_rsa(n=RSA["n"] ^ 1 << bit))


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [
        (RSA["n"] - 1, 65537),
        (RSA["n"] ^ 1 << 1023, 65537),
        (0, 65537),
        (1, 3),
        (RSA["n"], 1),
        (RSA["n"], 0),
        (RSA["n"], 2),
        (RSA["n"], 17),
        (RSA["n"], 65536),
        (RSA["n"], 0x80000001),
    ],
)
def test_public_rsa_numbers_that_make_no_sense_are_refused(modulus, exponent):
    """A modulus that is even or short and an exponent other than 3 and 65537 are refused."""
    assert_public_refused(public_rsa(modulus, exponent))


def test_an_exponent_of_3_is_accepted():
    """Old keys have it."""
    assert SecureVerifier(public_rsa(RSA["n"], 3))


@pytest.mark.parametrize("half", ["private", "public"])
def test_a_flipped_byte_of_an_rsa_key_is_refused_or_another_key(half):
    """With the checksum made good, each changed byte is refused or gives a useless key."""
    pair = pairs()["rsa1024"]
    signed = ssign(pair["private"], b"message")
    for position in range(0, len(payload_of(pair[half])), 3):
        changed = resealed(pair[half], position, 0x42)
        if half == "public":
            assert code_of(sverify, changed, signed) in (INVALID_SIGNATURE, DATA_CORRUPT)
        else:
            assert code_of(SMessage, changed, pair["public"]) in (SUCCESS, DATA_CORRUPT)
            assert code_of(ssign, changed, b"x") in (SUCCESS, DATA_CORRUPT, ENGINE_FAIL)


def test_wrong_crt_numbers_leak_no_faulty_signature():
    """A private key with one wrong CRT number signs rightly or not at all.

    A signature that is right modulo one prime only would give the factors away.
    """
    for changes in ({"dp": RSA["dp"] ^ 2}, {"dq": RSA["dq"] ^ 2}, {"qi": RSA["qi"] ^ 2}):
        key = private_rsa(**changes)
        code = code_of(ssign, key, b"message")
        assert code in (SUCCESS, ENGINE_FAIL)
        if code == SUCCESS:
            signed = ssign(key, b"message")
            assert sverify(pairs()["rsa1024"]["public"], signed) == b"message"


def test_generated_rsa_numbers_belong_together():
    """What generation writes satisfies the equations of RSA."""
    numbers, _ = numbers_of(generated("RSA")[0])
    p, q, d, e = numbers["p"], numbers["q"], numbers["d"], numbers["e"]
    assert numbers["n"] == p * q
    assert e == 65537
    assert (d * e) % (p - 1) == (d * e) % (q - 1) == 1
    assert numbers["dp"] == d % (p - 1)
    assert numbers["dq"] == d % (q - 1)
    assert numbers["qi"] * q % p == 1
