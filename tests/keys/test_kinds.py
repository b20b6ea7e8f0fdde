# SPDX-License-Identifier: Apache-2.0
"""What a key is, how pairs are made, and the public half of a private key."""

import pickle
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pythemis import skeygen
from pythemis._core import keys
from pythemis._core.keys import quick_to_read
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, KeyKind, key_kind, public_from_private
from support.keys import CURVES, cases, container, generated, ids, pairs, payload_of, with_byte

VALIDITY = cases("key_validity")
ALGORITHMS = {1: ("RSA", True), 2: ("RSA", False), 3: ("EC", True), 4: ("EC", False)}
SIZES = {"P-256": (256, 32), "P-384": (384, 48), "P-521": (521, 66)}


@pytest.mark.parametrize("case", VALIDITY, ids=ids(VALIDITY))
def test_validity_is_judged_as_the_real_core_does(case):
    """A key is valid exactly where the real core says so, and of the kind that it says."""
    if case["status"] != THEMIS_CODES.SUCCESS:
        with pytest.raises(ThemisError):
            key_kind(case["key"])
        return
    kind = key_kind(case["key"])
    assert (kind.algorithm, kind.is_private) == ALGORITHMS[case["kind"]]
    assert kind.is_public != kind.is_private


@pytest.mark.parametrize("name", pairs())
def test_the_kind_tells_the_size(name):
    """Both halves of a pair tell the size that their tag stands for."""
    bits = {b"2": 256, b"3": 384, b"5": 521}
    if name.startswith("rsa"):
        bits = {b"1": 1024, b"2": 2048, b"4": 4096, b"8": 8192}
    for half in ("private", "public"):
        key = pairs()[name][half]
        assert key_kind(key).bits == bits[key[3:4]]
        assert key_kind(key).name.endswith(half.upper())


def test_a_kind_is_told_for_any_bytes_like_object():
    """bytes, bytearray and memoryview are the same to key_kind."""
    key = pairs()["p256"]["public"]
    assert key_kind(bytearray(key)) is key_kind(memoryview(key)) is KeyKind.EC_P256_PUBLIC


@given(st.binary(max_size=100))
def test_random_bytes_are_no_key(data):
    """Random bytes are refused as a wrong value."""
    with pytest.raises(ThemisValueError):
        key_kind(data)


def test_every_flipped_byte_of_a_container_is_refused():
    """No byte of a key can change unnoticed: header, checksum and payload."""
    for name in ("p256", "rsa1024"):
        key = pairs()[name]["public"]
        for position in range(len(key)):
            with pytest.raises(ThemisValueError):
                key_kind(with_byte(key, position, 0x10))


def test_every_truncation_and_extension_of_a_key_is_refused():
    """A key has one length."""
    key = pairs()["p384"]["private"]
    for size in range(len(key)):
        with pytest.raises(ThemisValueError) as caught:
            key_kind(key[:size])
        assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER
    with pytest.raises(ThemisValueError):
        key_kind(key + b"\0")


def test_a_damaged_key_is_told_from_something_else():
    """A wrong checksum and a wrong tag are refused in their own words."""
    key = pairs()["p256"]["public"]
    with pytest.raises(ThemisValueError, match="checksum") as caught:
        key_kind(with_byte(key, 20, 1))
    assert caught.value.error_code == THEMIS_CODES.DATA_CORRUPT
    with pytest.raises(ThemisValueError, match="not a Themis key") as caught:
        key_kind(container(b"UEC9", payload_of(key)))
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER


def test_text_is_no_key():
    """A str is refused as a wrong type."""
    with pytest.raises(ThemisTypeError, match="must be bytes, not str"):
        key_kind("UEC2")


@pytest.mark.parametrize("curve", SIZES)
@pytest.mark.parametrize("uncompressed", [False, True])
def test_ec_pairs_are_made_on_every_curve(curve, uncompressed):
    """A pair has the kinds and lengths of its curve, and its halves belong together."""
    bits, size = SIZES[curve]
    private, public = generated("EC", curve=curve, uncompressed=uncompressed)
    assert (key_kind(private).bits, key_kind(public).bits) == (bits, bits)
    assert len(private) == 12 + 1 + size
    assert payload_of(private)[0] == 0
    assert len(public) == 12 + 1 + (2 if uncompressed else 1) * size
    assert public_from_private(private, uncompressed=uncompressed) == public


@pytest.mark.parametrize("curve", SIZES)
def test_only_public_keys_are_kept_uncompressed(curve):
    """What is no compressed public key is handed on, to be refused, and is not remembered."""
    keys._uncompressed.cache_clear()
    private, public = generated("EC", curve=curve)
    whole = public_from_private(private, uncompressed=True)
    assert quick_to_read(public) == quick_to_read(bytes(bytearray(public))) == whole
    damaged = public[:-1] + bytes([public[-1] ^ 1])
    for other in (private, whole, damaged, public + b"\0", b"", pairs()["rsa1024"]["public"]):
        assert quick_to_read(other) == other
    assert keys._uncompressed.cache_info().currsize == 1


def test_the_defaults_are_those_of_themis():
    """Without options an EC pair is on P-256 and compressed, an RSA pair has 2048 bits."""
    assert [key_kind(key).name for key in generated(KEY_PAIR_TYPE.EC)] == [
        "EC_P256_PRIVATE",
        "EC_P256_PUBLIC",
    ]
    assert [len(key) for key in generated(KEY_PAIR_TYPE.EC)] == [45, 45]
    private, public = generated(KEY_PAIR_TYPE.RSA)
    assert key_kind(private) is KeyKind.RSA_2048_PRIVATE
    assert key_kind(public) is KeyKind.RSA_2048_PUBLIC
    assert public[-4:] == private[-4:] == (65537).to_bytes(4, "big")


@pytest.mark.slow
def test_rsa_pairs_of_4096_bits_are_made():
    """The size asked for is the size made."""
    private, public = generated("RSA", bits=4096)
    assert key_kind(private) is KeyKind.RSA_4096_PRIVATE
    assert public_from_private(private) == public


def test_no_two_pairs_are_alike():
    """Generation is random."""
    assert len({GenerateKeyPair("EC").export_private_key() for _ in range(50)}) == 50


def test_the_types_are_the_strings_they_have_always_been():
    """Programs of 0.15 that compare or print a KEY_PAIR_TYPE see no difference."""
    assert KEY_PAIR_TYPE.EC == "EC"
    assert KEY_PAIR_TYPE.CHOICES == ("EC", "RSA")
    assert list(KEY_PAIR_TYPE) == ["EC", "RSA"]
    assert str(KEY_PAIR_TYPE.RSA) == f"{KEY_PAIR_TYPE.RSA}" == "RSA"
    assert GenerateKeyPair(alg="EC").export_public_key()[:4] == b"UEC2"


@pytest.mark.parametrize(("value", "size"), [("1", 77), ("0", 45), ("", 45), ("yes", 45)])
def test_the_environment_asks_for_uncompressed_keys(monkeypatch, value, size):
    """THEMIS_GEN_EC_KEY_PAIR_UNCOMPRESSED=1 does, and nothing else."""
    monkeypatch.setenv("THEMIS_GEN_EC_KEY_PAIR_UNCOMPRESSED", value)
    assert len(GenerateKeyPair("EC").export_public_key()) == size
    assert len(GenerateKeyPair("EC", uncompressed=False).export_public_key()) == 45
    assert len(GenerateKeyPair("EC", uncompressed=True).export_public_key()) == 77
    assert len(generated("RSA")[1]) == 272


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("DSA",), {}),
        ((None,), {}),
        (("EC",), {"bits": 256}),
        (("EC",), {"curve": "P-192"}),
        (("EC",), {"curve": 256}),
        (("RSA",), {"curve": "P-256"}),
        (("RSA",), {"bits": 1024}),
        (("RSA",), {"bits": 2048.5}),
        (("RSA",), {"uncompressed": True}),
    ],
)
def test_pairs_that_do_not_exist_are_refused(arguments, options):
    """A wrong algorithm, size or curve is a wrong value, and a ThemisError."""
    with pytest.raises(ThemisValueError) as caught:
        GenerateKeyPair(*arguments, **options)
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER


@pytest.mark.parametrize("name", pairs())
def test_the_public_half_is_computed(name):
    """A private key in any encoding gives the public key that belongs to it."""
    pair = pairs()[name]
    assert public_from_private(pair["private"]) == pair["public"]
    if "private_short" in pair:
        assert public_from_private(pair["private_short"]) == pair["public"]
        long = public_from_private(pair["private"], uncompressed=True)
        assert long == pair["public_uncompressed"]


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name
)
@given(data=st.data())
def test_points_agree_with_cryptography(curve, data):
    """The public point of any private number is the one that cryptography computes."""
    digit = {256: "2", 384: "3", 521: "5"}[curve.key_size]
    size, _, order = CURVES[digit]
    number = data.draw(st.one_of(st.integers(1, 20), st.integers(1, order - 1)))
    theirs = ec.derive_private_key(number, curve).public_key().public_numbers()
    point = payload_of(
        public_from_private(
            container(b"REC" + digit.encode(), bytes(1) + number.to_bytes(size, "big")),
            uncompressed=True,
        )
    )
    assert point == b"\4" + theirs.x.to_bytes(size, "big") + theirs.y.to_bytes(size, "big")


def test_the_public_half_of_a_public_key_is_refused():
    """public_from_private says that it was given a public key."""
    with pytest.raises(ThemisValueError, match="must be a private key, and this is a public one"):
        public_from_private(pairs()["p256"]["public"])


def test_a_pair_shows_and_leaks_nothing():
    """A pair is not printed or pickled, and a closed one has forgotten its keys."""
    pair = GenerateKeyPair("EC")
    assert repr(pair) == "<pythemis.skeygen.GenerateKeyPair>"
    with pytest.raises(TypeError, match="holds a secret and cannot be pickled; make another one"):
        pickle.dumps(pair)
    with pair:
        assert len(pair.export_private_key()) == 45
    with pytest.raises(ThemisValueError, match="is closed"):
        pair.export_private_key()


def test_the_old_name_works_and_warns():
    """themis_gen_key_pair is GenerateKeyPair with a DeprecationWarning."""
    with pytest.warns(DeprecationWarning, match="use GenerateKeyPair"):
        pair = skeygen.themis_gen_key_pair("EC")
    assert isinstance(pair, GenerateKeyPair)
    assert public_from_private(pair.export_private_key()) == pair.export_public_key()


def test_forked_processes_make_different_keys():
    """Parent and child of a fork draw different numbers."""
    program = (
        "import os\n"
        "from pythemis.skeygen import GenerateKeyPair\n"
        "GenerateKeyPair('EC')\n"
        "pid = os.fork()\n"
        "os.write(1, GenerateKeyPair('EC').export_private_key().hex().encode() + b'\\n')\n"
        "if pid: os.wait()\n"
        "os._exit(0)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert len(set(output.stdout.split())) == 2
