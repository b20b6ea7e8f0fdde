# SPDX-License-Identifier: Apache-2.0
"""Keys in the forms of others: JWK, OpenSSH's, points, and PEM that is wrapped."""

import base64
import json
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization import PublicFormat as Public

from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError
from pythemis.skeygen import (
    KeyKind,
    from_jwk,
    from_openssh,
    from_pem,
    from_point,
    key_kind,
    public_from_private,
    to_jwk,
    to_pem,
)
from support.cells import refused
from support.keys import generated, pairs

INVALID, CORRUPT = THEMIS_CODES.INVALID_PARAMETER, THEMIS_CODES.DATA_CORRUPT
UNSUPPORTED = THEMIS_CODES.NOT_SUPPORTED
NAMES = ["p256", "p384", "p521", "rsa2048"]
PRIVATE, PUBLIC = generated("EC")
PEM = to_pem(PRIVATE).decode()
EC_JWK = to_jwk(PRIVATE)
RSA_JWK = to_jwk(pairs()["rsa2048"]["private"])

# RFC 7517, appendix A.2.
RFC_EC = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
}
RFC_RSA = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
    "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2"
    "QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6W"
    "eZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "d": "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbF"
    "AKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8"
    "d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJ"
    "k19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
    "p": "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNh"
    "VWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
    "q": "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFX"
    "jiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
    "dp": "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF"
    "402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
    "dq": "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_ag"
    "I3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
    "qi": "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDj"
    "JHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU",
}


def theirs(name):
    """Give a private key of the vectors as cryptography has it."""
    return serialization.load_pem_private_key(pairs()[name]["pkcs8_pem"].encode(), None)


def number(text):
    """Decode a member of a JWK."""
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


@pytest.mark.parametrize("jwk", [RFC_EC, RFC_RSA], ids=["EC", "RSA"])
def test_the_keys_of_the_rfc_are_read_and_written(jwk):
    """Each comes back member by member; alg, kid, use and the like are passed over."""
    key = from_jwk(jwk | {"use": "enc", "kid": "1", "key_ops": 7, "alg": None})
    assert to_jwk(key) == jwk
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    assert from_jwk(json.dumps(public)) == public_from_private(key)
    assert to_jwk(public_from_private(key)) == public


@pytest.mark.parametrize("name", NAMES)
def test_what_we_write_as_jwk_means_the_same_numbers_there(name):
    """Private and public, as text, as bytes and as a mapping, and as cryptography has them."""
    pair, numbers = pairs()[name], theirs(name).private_numbers()
    jwk = to_jwk(pair["private"])
    for form in (jwk, json.dumps(jwk), bytearray(json.dumps(jwk).encode())):
        assert from_jwk(form) == pair["private"]
    assert from_jwk(to_jwk(pair["public"])) == pair["public"]
    if name.startswith("rsa"):
        found = [number(jwk[it]) for it in ("d", "p", "q", "dp", "dq", "qi")]
        assert found == [getattr(numbers, it) for it in ("d", "p", "q", "dmp1", "dmq1", "iqmp")]
    else:
        assert number(jwk["d"]) == numbers.private_value
        assert number(jwk["y"]) == numbers.public_numbers.y


def without(jwk, name):
    """Leave a member out."""
    return {key: value for key, value in jwk.items() if key != name}


OTHER_D = to_jwk(generated("EC", curve="P-256", uncompressed=True)[0])["d"]


@pytest.mark.parametrize(
    ("jwk", "code", "words"),
    [
        (EC_JWK | {"d": OTHER_D}, CORRUPT, "the numbers of the key make no sense"),
        (EC_JWK | {"x": EC_JWK["y"]}, CORRUPT, "the numbers of the key make no sense"),
        (EC_JWK | {"d": "A" * 43}, CORRUPT, "the numbers of the key make no sense"),
        (EC_JWK | {"x": EC_JWK["x"] + "="}, INVALID, "the member x of the JWK is not base64url"),
        (EC_JWK | {"x": EC_JWK["x"][:-1] + "_"}, INVALID, "the member x of the JWK is corrupted"),
        (EC_JWK | {"x": "AAAA"}, INVALID, "x of the JWK has 3 bytes; on this curve it has 32"),
        (EC_JWK | {"y": 7}, INVALID, "the member y of the JWK is not base64url"),
        (EC_JWK | {"crv": "secp256k1"}, UNSUPPORTED, "EC keys on this curve are not supported"),
        (EC_JWK | {"crv": ["P-256"]}, UNSUPPORTED, "EC keys on this curve are not supported"),
        (without(EC_JWK, "y"), INVALID, "the JWK has no member y"),
        (RSA_JWK | {"oth": []}, UNSUPPORTED, "RSA keys of more than two primes"),
        (RSA_JWK | {"qi": RSA_JWK["dq"]}, CORRUPT, "the numbers of the key make no sense"),
        (RSA_JWK | {"d": RSA_JWK["dq"]}, CORRUPT, "the numbers of the key make no sense"),
        (RSA_JWK | {"p": "Ag"}, CORRUPT, "the numbers of the key make no sense"),
        (RSA_JWK | {"e": "AAEAAQ"}, INVALID, "the member e of the JWK begins with a zero byte"),
        (RSA_JWK | {"n": "A" * 1368}, INVALID, "the member n of the JWK is corrupted"),
        (without(RSA_JWK, "dp"), INVALID, "the JWK has no member dp"),
        (without(RSA_JWK, "d"), INVALID, "the JWK has no member d"),
        ({"kty": "oct", "k": "c2VjcmV0"}, UNSUPPORTED, "this JWK is a symmetric key"),
        ({"kty": "OKP", "crv": "Ed25519"}, UNSUPPORTED, "a JWK of this kind is not supported"),
        ({"keys": [EC_JWK]}, INVALID, "this is a set of JWKs: give one of its keys"),
        ({}, INVALID, "it has no member kty"),
        ("[]", INVALID, "this is not a JWK: it is no JSON object"),
        ('{"kty":"EC","kty":"RSA"}', INVALID, "a member is there twice"),
        ("[" * 60_000, INVALID, "this is not a JWK: it is"),
        ('{"n":' + "9" * 60_000 + "}", INVALID, "it has no member kty"),
        ("x" * 70_000, INVALID, "the JWK has 70000 bytes; no key has more than"),
        ('{"kty":"\ud800"}', UNSUPPORTED, "a JWK of this kind is not supported"),
        (b"\xff{}", INVALID, "this is not a JWK: it is not JSON, or it is corrupted"),
        (PEM, INVALID, "this is not a JWK: it is PEM: skeygen.from_pem reads it"),
        (b"", INVALID, "this is not a JWK: it is not JSON"),
    ],
)
def test_what_is_no_jwk_of_ours_is_told(jwk, code, words):
    """Each fault has its words, and none shows a secret."""
    with refused(code, words, kind=ThemisValueError) as caught:
        from_jwk(jwk)
    assert not any(secret in str(caught.value) for secret in (EC_JWK["d"], RSA_JWK["d"]))
    assert caught.value.__context__ is None


def test_a_jwk_of_a_wrong_type():
    """A number is neither text nor a mapping."""
    with refused(INVALID, "the JWK must be text, bytes or a contiguous", kind=ThemisTypeError):
        from_jwk(7)


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_openssh_are_read(name):
    """What cryptography writes in OpenSSH's form, private and public, gives our keys."""
    key, pair = theirs(name), pairs()[name]
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    for form in (text, text.decode(), text.replace(b"\n", b"\r\n"), repr(text)):
        assert from_openssh(form) == pair["private"]
    line = key.public_key().public_bytes(Encoding.OpenSSH, Public.OpenSSH)
    for form in (line, line.decode() + " alice@example\n"):
        assert from_openssh(form) == pair["public"]


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen command")
@pytest.mark.parametrize("options", [["ecdsa", "-b", "521"], ["rsa", "-b", "2048"]], ids=str)
def test_keys_of_ssh_keygen_are_read(tmp_path, options):
    """Private keys, their public lines, RFC 4716; and what becomes of an encrypted one."""
    path = tmp_path / "key"
    keygen = ["ssh-keygen", "-q", "-f", path]
    subprocess.run([*keygen, "-N", "", "-C", "a: b", "-t", *options], check=True)
    key, line = path.read_bytes(), (tmp_path / "key.pub").read_text()
    rfc4716 = subprocess.run([*keygen, "-e"], check=True, capture_output=True).stdout
    assert b"Comment: " in rfc4716
    assert public_from_private(from_openssh(key)) == from_openssh(line) == from_openssh(rfc4716)
    subprocess.run([*keygen, "-p", "-P", "", "-N", "secret"], check=True, capture_output=True)
    with refused(UNSUPPORTED, "`ssh-keygen -p -m PKCS8 -f FILE`", kind=ThemisValueError):
        from_openssh(path.read_bytes())
    convert = [*keygen, "-p", "-m", "PKCS8", "-P", "secret", "-N", "secret"]
    subprocess.run(convert, check=True, capture_output=True)
    assert from_pem(path.read_bytes(), "secret") == from_openssh(key)


def openssh_of(key):
    """Write a private key of cryptography in OpenSSH's form."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def test_keys_of_openssh_that_are_not_read_are_told():
    """Other kinds, damage, and what is no such key."""
    ed, small = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1536)
    line = theirs("p256").public_key().public_bytes(Encoding.OpenSSH, Public.OpenSSH)
    other = ed.public_key().public_bytes(Encoding.OpenSSH, Public.OpenSSH)
    for text, code, words in (
        (openssh_of(ed), UNSUPPORTED, "Ed25519 keys are not supported, only EC on P-256"),
        (other, UNSUPPORTED, "Ed25519 keys are not supported, only EC on P-256"),
        (openssh_of(small), UNSUPPORTED, "keys of this kind are not supported"),
        (line[:-8], INVALID, "this OpenSSH key is corrupted or truncated"),
        (PEM, INVALID, "this is not an OpenSSH key; it is PEM: skeygen.from_pem reads it"),
        (b"", INVALID, "this is not an OpenSSH key"),
    ):
        with refused(code, words, kind=ThemisValueError):
            from_openssh(text)


def test_a_damaged_key_of_openssh_is_refused_wherever_it_is_cut_or_changed():
    """It is an error in the value, or the bytes that changed did not count."""
    raw = base64.b64decode(b"".join(openssh_of(theirs("p256")).split(b"\n")[1:-2]))
    own = pairs()["p256"]["private"]
    for at in range(len(b"openssh-key-v1\0"), len(raw)):
        for wrong in (raw[:at], raw[:at] + bytes([raw[at] ^ 0x81]) + raw[at + 1 :]):
            try:
                read = from_openssh(wrong)
            except ThemisValueError:
                continue
            assert read == own


@pytest.mark.parametrize("name", NAMES[:3])
def test_points_are_read(name):
    """Compressed and uncompressed points give the public key."""
    public = theirs(name).public_key()
    for form in (Public.CompressedPoint, Public.UncompressedPoint):
        assert from_point(public.public_bytes(Encoding.X962, form)) == pairs()[name]["public"]


def test_what_is_no_point_is_told():
    """Not on its curve, of another length or form, or something else that is known."""
    good = theirs("p256").public_key().public_bytes(Encoding.X962, Public.UncompressedPoint)
    for wrong, code, words in (
        (b"\2" + b"\xff" * 32, CORRUPT, "the numbers of the key make no sense"),
        (good[:-1] + bytes([good[-1] ^ 1]), CORRUPT, "the numbers of the key make no sense"),
        (b"\6" + good[1:], INVALID, "this is not a point of P-256, P-384 or P-521, which has 33"),
        (b"\0", INVALID, "this is not a point of P-256, P-384 or P-521, which has 33"),
        (PUBLIC, INVALID, "; it is a public Themis key: it is used as it is"),
        (good.hex().encode(), INVALID, "; it is a point of an EC key in hex: decode it with bytes"),
    ):
        with refused(code, words, kind=ThemisValueError):
            from_point(wrong)


WRAPPED = {
    "quoted": "'" + PEM + "'",
    "quoted in a sentence": 'The key is "' + PEM + '".',
    "indented": "\n".join("    " + line for line in PEM.splitlines()),
    "backslash n": PEM.replace("\n", "\\n"),
    "in a file of variables": 'KEY="' + PEM.replace("\n", "\\n") + '"\n',
    "without line ends": PEM.replace("\n", " "),
    "JSON": json.dumps(PEM),
    "inside JSON": json.dumps({"type": "service_account", "private_key": PEM}),
    "repr": repr(PEM.encode()),
    "UTF-16": PEM.encode("utf-16"),
    "UTF-16 without BOM": PEM.encode("utf-16-be"),
    "UTF-8 with BOM": PEM.encode("utf-8-sig"),
    "base64": base64.encodebytes(PEM.encode()),
    "hex": PEM.encode().hex(),
    "three layers": json.dumps(PEM.replace("\n", "\\n")).encode("utf-16-le"),
}


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_pem_is_read_however_it_is_wrapped(wrapped):
    """The key is the one inside."""
    assert from_pem(wrapped) == PRIVATE


def test_wrapped_pem_fails_for_its_own_reasons():
    """A passphrase that is missing or wrong is told as for PEM that is not wrapped."""
    encrypted = json.dumps(to_pem(PRIVATE, "secret").decode())
    assert from_pem(encrypted, "secret") == PRIVATE
    with refused(INVALID, "pass its passphrase to read it", kind=ThemisValueError) as caught:
        from_pem(encrypted)
    assert str(caught.value).endswith("to read it")
    with refused(THEMIS_CODES.FAIL, "the passphrase is wrong", kind=ThemisValueError):
        from_pem(encrypted, "other")


def test_the_kinds_that_are_read_are_those_of_themis():
    """Each of these functions gives a key that the rest of the package takes."""
    point = ec.generate_private_key(ec.SECP384R1()).public_key()
    key = from_point(point.public_bytes(Encoding.X962, Public.CompressedPoint))
    assert key_kind(key) is KeyKind.EC_P384_PUBLIC
