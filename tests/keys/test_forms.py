# SPDX-License-Identifier: Apache-2.0
"""Keys in PEM and DER, exchanged with cryptography and the openssl command."""

import base64
import os
import shutil
import subprocess
import sys
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.skeygen import from_der, from_pem, public_from_private, to_der, to_pem
from pythemis.smessage import ssign, sverify
from support.cells import refused
from support.keys import (
    code_of,
    container,
    generated,
    integer,
    oid,
    pairs,
    payload_of,
    tlv,
    with_byte,
)

PEM_PAIRS = {name: pair for name, pair in pairs().items() if "pkcs8_pem" in pair}
NAMES = [name for name in PEM_PAIRS if name != "rsa8192"]  # whose numbers take long to judge
CURVE_SIZES = {"p256": 32, "p384": 48, "p521": 66}
FORMS = {True: (to_pem, from_pem, Encoding.PEM), False: (to_der, from_der, Encoding.DER)}
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl command")


def their_private(name):
    """Give the private key of the vectors as cryptography has it."""
    return serialization.load_pem_private_key(PEM_PAIRS[name]["pkcs8_pem"].encode(), None)


def openssl(*arguments, text=b""):
    """Run the openssl command."""
    return subprocess.run(
        ["openssl", *arguments], input=text, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("name", PEM_PAIRS)
def test_private_keys_are_written_and_read_as_in_the_vectors(name):
    """PEM of a private key is the very text of the vectors, and gives the very key."""
    pair = PEM_PAIRS[name]
    assert to_pem(pair["private"]).decode() == pair["pkcs8_pem"]
    assert from_pem(pair["pkcs8_pem"]) == pair["private"]
    assert from_pem(pair["pkcs8_pem"].encode()) == pair["private"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pem", [True, False], ids=["pem", "der"])
def test_cryptography_reads_what_we_write(name, pem):
    """Private, encrypted and public keys mean the same numbers there."""
    write, _, _ = FORMS[pem]
    module = serialization
    load_private = module.load_pem_private_key if pem else module.load_der_private_key
    load_public = module.load_pem_public_key if pem else module.load_der_public_key
    pair, theirs = PEM_PAIRS[name], their_private(name)
    numbers = theirs.private_numbers()
    assert load_private(write(pair["private"]), None).private_numbers() == numbers
    assert (
        load_private(write(pair["private"], "пароль"), "пароль".encode()).private_numbers()
        == numbers
    )
    for public in ("public", "public_uncompressed"):
        if public in pair:
            assert load_public(write(pair[public])).public_numbers() == numbers.public_numbers


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pem", [True, False], ids=["pem", "der"])
def test_we_read_what_cryptography_writes(name, pem):
    """PKCS#8, encrypted PKCS#8, the traditional forms and SubjectPublicKeyInfo give our keys."""
    _, read, encoding = FORMS[pem]
    pair, theirs = PEM_PAIRS[name], their_private(name)
    plain, secret = NoEncryption(), BestAvailableEncryption(b"secret")
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        assert read(theirs.private_bytes(encoding, form, plain)) == pair["private"]
    encrypted = theirs.private_bytes(encoding, PrivateFormat.PKCS8, secret)
    assert read(encrypted, passphrase="secret") == pair["private"]
    public = theirs.public_key()
    info = PublicFormat.SubjectPublicKeyInfo
    assert read(public.public_bytes(encoding, info)) == pair["public"]
    if name.startswith("rsa"):
        assert read(public.public_bytes(encoding, PublicFormat.PKCS1)) == pair["public"]


@needs_openssl
@pytest.mark.parametrize("name", NAMES)
def test_the_openssl_command_reads_what_we_write(name):
    """Our PEM comes back from `openssl pkey` as it went in, and encrypted PEM as the plain one."""
    pair = PEM_PAIRS[name]
    assert openssl("pkey", text=to_pem(pair["private"])).decode() == pair["pkcs8_pem"]
    encrypted = to_pem(pair["private"], b"secret")
    opened = openssl("pkey", "-passin", "pass:secret", text=encrypted)
    assert opened.decode() == pair["pkcs8_pem"]
    public = openssl("pkey", "-pubout", text=to_pem(pair["private"]))
    assert public == to_pem(pair["public"])
    assert openssl("pkey", "-pubin", text=public) == public


@needs_openssl
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "encryption",
    [
        ["-v2", "aes-256-cbc"],
        ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512", "-iter", "100000"],
        ["-scrypt"],
    ],
    ids=["pbkdf2-sha256", "pbkdf2-sha512", "scrypt"],
)
def test_we_read_what_the_openssl_command_encrypts(name, encryption):
    """PBES2 with each key derivation that OpenSSL offers is read."""
    pair = PEM_PAIRS[name]
    command = ["pkcs8", "-topk8", *encryption, "-passout", "pass:secret"]
    for form, read in (("PEM", from_pem), ("DER", from_der)):
        text = openssl(*command, "-outform", form, text=pair["pkcs8_pem"].encode())
        assert read(text, "secret") == pair["private"]


@needs_openssl
@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3"])
@pytest.mark.parametrize("size", ["SHA1", "SHA224", "SHA384", "SHA512-224", "SHA512-256"])
def test_keys_are_derived_with_every_hash(cipher, size):
    """The key of each cipher comes out of one or two blocks of each hash."""
    pair = PEM_PAIRS["p256"]
    command = ["pkcs8", "-topk8", "-v2", cipher, "-v2prf", f"hmacWith{size}", "-iter", "9"]
    passphrase = "secret" * 30  # longer than a block
    text = openssl(*command, "-passout", f"pass:{passphrase}", text=pair["pkcs8_pem"].encode())
    assert from_pem(text, passphrase) == pair["private"]


@needs_openssl
@pytest.mark.parametrize(
    ("curve", "name"), [("prime256v1", "p256"), ("secp384r1", "p384"), ("secp521r1", "p521")]
)
def test_we_read_the_old_forms_of_the_openssl_command(curve, name):
    """EC PRIVATE KEY is read, also behind EC PARAMETERS, and with a point in each form."""
    text = openssl("ecparam", "-name", curve, "-genkey")
    assert text.startswith(b"-----BEGIN EC PARAMETERS-----")
    private = from_pem(text)
    assert from_pem(openssl("pkcs8", "-topk8", "-nocrypt", text=text)) == private
    for form in ("compressed", "uncompressed", "hybrid"):
        again = openssl("ec", "-conv_form", form, text=PEM_PAIRS[name]["pkcs8_pem"].encode())
        assert from_pem(again) == PEM_PAIRS[name]["private"]
        public = openssl("ec", "-conv_form", form, "-pubout", text=text)
        assert from_pem(public) == public_from_private(private)
    bare = openssl("ec", "-no_public", text=text)
    assert from_pem(bare) == private


CURVE_OIDS = {"p256": "1.2.840.10045.3.1.7", "p384": "1.3.132.0.34", "p521": "1.3.132.0.35"}


def sec1(name, number):
    """Write an ECPrivateKey without a public half."""
    curve = tlv(0xA0, oid(CURVE_OIDS[name]))
    return tlv(0x30, integer(1) + tlv(4, number) + curve)


@needs_openssl
@pytest.mark.parametrize("form", ["compressed", "uncompressed", "hybrid"])
@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_an_explicitly_described_curve_is_one_of_ours(name, form):
    """Curve parameters spelled out are read if they are those of a named curve, to the last bit."""
    pair = PEM_PAIRS[name]
    command = ["ec", "-param_enc", "explicit", "-conv_form", form, "-outform", "DER"]
    private = openssl(*command, text=pair["pkcs8_pem"].encode())
    public = openssl(*command, "-pubout", text=pair["pkcs8_pem"].encode())
    assert from_der(private) == pair["private"]
    assert from_der(public) == pair["public"]
    start = public.index(oid("1.2.840.10045.1.1"))  # the field, then its prime, a, b, seed, G, n
    end = public.rindex(integer(1)) + 3  # the cofactor
    seed = public.find(b"\3\x15\0", start)
    for position in range(start, end):
        if not seed + 3 <= position < seed + 23:  # which is for information
            assert code_of(from_der, with_byte(public, position, 1)) in (
                THEMIS_CODES.NOT_SUPPORTED,
                THEMIS_CODES.INVALID_PARAMETER,
            ), position


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_a_scalar_may_have_zeros_before_it(name):
    """A private number padded to words, or short of its zeros, is read; a longer one is not."""
    private = PEM_PAIRS[name]["private"]
    number = payload_of(private)[1:]
    for written in (number, b"\0" + number, bytes(6) + number, number.lstrip(b"\0")):
        assert from_der(sec1(name, written)) == private
    for written in (b"\1" + number, b"\1\0" + number, b"\0\1" + number, b"\0\0\x80" + number):
        with pytest.raises(ThemisValueError, match="numbers of the key") as raised:
            from_der(sec1(name, written))
        assert raised.value.error_code == THEMIS_CODES.DATA_CORRUPT


@pytest.mark.parametrize("name", ["p256", "p384", "p521"])
def test_halves_that_do_not_belong_together_are_refused(name):
    """A private key comes with its public one, which tells whether it is corrupted."""
    pair, size = PEM_PAIRS[name], CURVE_SIZES[name]
    text = to_der(pair["private"])
    d = payload_of(pair["private"])[1:]
    assert text.count(d) == 1
    at = text.index(d)
    for position in (at + 1, at + size - 1, len(text) - 1, len(text) - size - 1):
        with refused(THEMIS_CODES.DATA_CORRUPT, "make no sense", kind=ThemisValueError):
            from_der(with_byte(text, position, 1))


def test_curves_that_contradict_each_other_are_refused():
    """What PKCS#8 says of the curve outside, the key inside may repeat, and nothing else."""
    curves = {"p256": oid("1.2.840.10045.3.1.7"), "p384": oid("1.3.132.0.34")}
    d = payload_of(PEM_PAIRS["p256"]["private"])[1:]

    def key(inside):
        algorithm = tlv(0x30, oid("1.2.840.10045.2.1"), curves["p256"])
        inner = tlv(0x30, integer(1), tlv(4, d), tlv(0xA0, inside))
        return tlv(0x30, integer(0), algorithm, tlv(4, inner))

    assert from_der(key(curves["p256"])) == PEM_PAIRS["p256"]["private"]
    with refused(THEMIS_CODES.DATA_CORRUPT, "make no sense", kind=ThemisValueError):
        from_der(key(curves["p384"]))


def test_a_signature_made_after_the_exchange_is_verified_by_cryptography():
    """The key that comes out of PEM signs what cryptography verifies with the original."""
    theirs = ec.generate_private_key(ec.SECP384R1())
    pem = theirs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = ssign(from_pem(pem), b"message")
    theirs.public_key().verify(signed[12 + 7 :], b"message", ec.ECDSA(hashes.SHA256()))


def test_every_kind_of_key_makes_the_round_trip():
    """Generated keys survive PEM and DER, plain and encrypted."""
    for private, public in (generated("EC"), generated("EC", curve="P-521"), generated("RSA")):
        for write, read, _ in FORMS.values():
            assert read(write(private)) == private
            assert read(write(public)) == public
            assert read(write(private, b"secret"), "secret") == private


def test_encrypted_keys_say_how_they_are_encrypted():
    """PBKDF2-HMAC-SHA256 with 600000 iterations, AES-256-CBC, a fresh salt of 16 bytes each."""
    private, _ = generated("EC")
    first, second = to_der(private, "secret"), to_der(private, "secret")
    assert first != second
    iterations = bytes.fromhex("020309 27c0")
    hmac_sha256 = bytes.fromhex("2a864886f70d0209")
    aes_256_cbc = bytes.fromhex("60864801650304012a")
    for part in (iterations, hmac_sha256, aes_256_cbc, bytes.fromhex("0410")):
        assert part in first
    assert to_pem(private, "secret").startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")


def test_a_wrong_passphrase_is_told():
    """The wrong one fails, none or one too many is a wrong value."""
    private, _ = generated("EC")
    encrypted = to_pem(private, "secret")
    with pytest.raises(ThemisValueError, match="the passphrase is wrong, or") as caught:
        from_pem(encrypted, "geheim")
    assert caught.value.error_code == THEMIS_CODES.FAIL
    with pytest.raises(ThemisValueError, match="pass its passphrase"):
        from_pem(encrypted)
    with pytest.raises(ThemisValueError, match="key is not encrypted"):
        from_pem(to_pem(private), "secret")


@pytest.mark.parametrize("passphrase", ["", b"", bytearray(), "\ud800"])
def test_passphrases_that_cannot_be_are_refused(passphrase):
    """An empty passphrase, and text that UTF-8 cannot express, are refused in both directions."""
    private, _ = generated("EC")
    for call in (lambda: to_pem(private, passphrase), lambda: from_pem(b"x", passphrase)):
        with pytest.raises(
            ThemisValueError, match=r"the passphrase (is empty|cannot be expressed)"
        ):
            call()


def test_wrong_types_are_refused():
    """Numbers are neither keys nor passphrases."""
    private, _ = generated("EC")
    for call in (
        lambda: to_pem(5),
        lambda: from_der(5),
        lambda: from_der("text"),
        lambda: to_pem(private, 5),
        lambda: from_pem(b"x", 5),
    ):
        with pytest.raises(ThemisTypeError):
            call()


def test_a_public_key_is_not_encrypted():
    """A passphrase for a public key is a mistake."""
    with pytest.raises(ThemisValueError, match="public key is not encrypted"):
        to_pem(generated("EC")[1], "secret")


OTHERS = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "x25519": x25519.X25519PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(1024),
    "p224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_keys_are_refused_by_name(name):
    """Other algorithms, curves and sizes are not supported, and the error says what is."""
    theirs = OTHERS[name]()
    private = theirs.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = theirs.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for read, text in ((from_pem, private), (from_der, public)):
        with pytest.raises(ThemisValueError, match="P-256, P-384 and P-521") as caught:
            read(text)
        assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


def rsa_public_der(modulus, exponent):
    """Write an RSAPublicKey by hand."""
    return tlv(0x30, integer(modulus), integer(exponent))


def test_numbers_that_make_no_sense_are_refused_in_every_form():
    """An even modulus, a strange exponent, a private number out of range."""
    modulus = int.from_bytes(payload_of(pairs()["rsa1024"]["public"])[:128], "big")
    assert from_der(rsa_public_der(modulus, 65537)) == pairs()["rsa1024"]["public"]
    curve = tlv(6, bytes.fromhex("2a8648ce3d030107"))
    for text in (
        rsa_public_der(modulus + 1, 65537),
        rsa_public_der(modulus, 1),
        rsa_public_der(modulus, 17),
        rsa_public_der(modulus, 2**32 + 1),
        rsa_public_der(modulus, 2**1000 + 1),
        tlv(0x30, integer(1), tlv(4, bytes(32)), tlv(0xA0, curve)),
        tlv(0x30, integer(1), tlv(4, b"\xff" * 32), tlv(0xA0, curve)),
    ):
        assert code_of(from_der, text) in (
            THEMIS_CODES.DATA_CORRUPT,
            THEMIS_CODES.INVALID_PARAMETER,
        )


AES_256_CBC = "60864801650304012a"


def encrypted_with(kdf, cipher=AES_256_CBC):
    """Write an EncryptedPrivateKeyInfo that asks for this key derivation and this cipher."""
    pbes2 = tlv(6, bytes.fromhex("2a864886f70d01050d"))
    cipher = tlv(0x30, tlv(6, bytes.fromhex(cipher)), tlv(4, bytes(16)))
    return tlv(0x30, tlv(0x30, pbes2, tlv(0x30, kdf, cipher)), tlv(4, bytes(64)))


def pbkdf2(iterations):
    """Describe PBKDF2."""
    params = tlv(0x30, tlv(4, bytes(16)), integer(iterations))
    return tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d01050c")), params)


SCRYPT = bytes.fromhex("2b06010401da47040b")


def scrypt(n, r, p):
    """Describe scrypt."""
    params = tlv(0x30, tlv(4, bytes(16)), integer(n), integer(r), integer(p))
    return tlv(0x30, tlv(6, SCRYPT), params)


def kdf_name(kdf):
    """Name a description; a FIPS provider has no scrypt."""
    return "scrypt" if SCRYPT in kdf else "pbkdf2"


@pytest.mark.parametrize(
    "kdf",
    [
        pbkdf2(5000001),
        pbkdf2(2**31 - 1),
        pbkdf2(2**64),
        pbkdf2(2**200),
        pbkdf2(0),
        scrypt(2**21, 8, 1),
        scrypt(2**20, 2, 1),
        scrypt(2**15, 8, 1),  # 33 MiB
        scrypt(16384, 8, 1000),
        scrypt(2, 1, 2**30),
        scrypt(2**64, 8, 1),
        scrypt(0, 8, 1),
        scrypt(16384, 0, 1),
    ],
    ids=kdf_name,
)
def test_a_hostile_file_cannot_ask_for_minutes(kdf):
    """More work than an honest file asks for is refused before any of it is done."""
    start = time.process_time()
    with pytest.raises(
        ThemisValueError, match="more iterations or memory than is accepted"
    ) as caught:
        from_der(encrypted_with(kdf), "secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "kdf", [scrypt(2**14, 8, 1), scrypt(2**15, 7, 1), pbkdf2(2048)], ids=kdf_name
)
def test_work_that_is_sensible_is_done(kdf):
    """Then the passphrase is wrong, or the file was made up."""
    with refused(THEMIS_CODES.FAIL, "the passphrase is wrong", kind=ThemisValueError):
        from_der(encrypted_with(kdf), "secret")


def test_old_encryptions_are_refused_with_advice():
    """PBES1, and the way of OpenSSL before 1.0, are not read; the error says what to do."""
    pbes1 = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010503")),
                tlv(0x30, tlv(4, bytes(8)), integer(2048)))  # fmt: skip
    with pytest.raises(ThemisValueError, match="convert it with") as caught:
        from_der(tlv(0x30, pbes1, tlv(4, bytes(64))), "secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED
    old = their_private("p256").private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret")
    )
    with pytest.raises(ThemisValueError, match="convert it with") as caught:
        from_pem(old, "secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


@pytest.mark.parametrize("cipher", ["2a864886f70d0302", "2b0e030207"], ids=["RC2", "DES"])
def test_old_ciphers_are_no_wrong_passphrase(cipher):
    """What OpenSSL reads with its "legacy" provider alone is refused as such."""
    with pytest.raises(ThemisValueError, match="encrypted in an old way") as caught:
        from_der(encrypted_with(pbkdf2(1), cipher), "secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


def test_old_hashes_are_no_wrong_passphrase():
    """A hash that is not read is refused as such, before any work."""
    md5 = tlv(0x30, oid("1.2.840.113549.2.6"), tlv(5))
    params = tlv(0x30, tlv(4, bytes(8)), integer(5_000_000), md5)
    with refused(THEMIS_CODES.NOT_SUPPORTED, "in an old way", kind=ThemisValueError):
        from_der(encrypted_with(tlv(0x30, oid("1.2.840.113549.1.5.12"), params)), "secret")


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
@pytest.mark.parametrize("write", [to_pem, to_der])
def test_truncations_and_extensions_are_refused(name, write):
    """No part of a PEM or DER key is a key, and nothing may follow a DER key."""
    read = from_pem if write is to_pem else from_der
    for half in ("private", "public"):
        text = write(pairs()[name][half]).rstrip()
        for size in range(0, len(text), 1 if name == "p256" else 7):
            assert code_of(read, text[:size]) == THEMIS_CODES.INVALID_PARAMETER
    assert code_of(from_der, to_der(pairs()[name]["private"]) + b"\0") != THEMIS_CODES.SUCCESS


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_a_flipped_byte_is_refused_or_another_key(name):
    """Each changed byte of DER does no harm."""
    for half in ("private", "public"):
        text = to_der(pairs()[name][half])
        for position in range(len(text)):
            assert code_of(from_der, with_byte(text, position, 0x11)) in (
                THEMIS_CODES.SUCCESS,
                THEMIS_CODES.INVALID_PARAMETER,
                THEMIS_CODES.NOT_SUPPORTED,
                THEMIS_CODES.DATA_CORRUPT,
            )


@given(st.binary(max_size=300))
def test_random_bytes_are_no_key(data):
    """Random DER, and PEM around it, is refused."""
    armour = b"-----BEGIN %b-----\n" + base64.encodebytes(data) + b"-----END %b-----\n"
    for name in (b"PRIVATE KEY", b"ENCRYPTED PRIVATE KEY", b"PUBLIC KEY", b"EC PRIVATE KEY"):
        assert code_of(from_pem, armour % (name, name), "secret") != THEMIS_CODES.SUCCESS
    assert code_of(from_der, data) != THEMIS_CODES.SUCCESS
    assert code_of(from_pem, data) == THEMIS_CODES.INVALID_PARAMETER


def labelled(der, label):
    """Write DER as PEM under any label."""
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n"


@pytest.mark.parametrize("name", ["p256", "rsa1024"])
def test_a_label_need_not_name_the_form_of_its_half(name):
    """Software writes PKCS#8 as RSA PRIVATE KEY; what is no half of the label's is refused."""
    key, their = PEM_PAIRS[name], their_private(name)
    private = [
        their.private_bytes(Encoding.DER, form, NoEncryption())
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL)
    ]
    public = to_der(key["public"])
    algorithm = "RSA" if name.startswith("rsa") else "EC"
    for der in private:
        assert from_pem(labelled(der, "PRIVATE KEY")) == key["private"]
        assert from_pem(labelled(der, f"{algorithm} PRIVATE KEY")) == key["private"]
    assert from_pem(labelled(public, "RSA PUBLIC KEY")) == key["public"]
    wrong = [(der, label) for der in private for label in ("PUBLIC KEY", "ENCRYPTED PRIVATE KEY")]
    for der, label in [*wrong, (public, "PRIVATE KEY"), (public, "ENCRYPTED PRIVATE KEY")]:
        with pytest.raises(ThemisValueError, match="not a key, or it is corrupted") as raised:
            from_pem(labelled(der, label))
        assert raised.value.error_code == THEMIS_CODES.INVALID_PARAMETER


def test_the_first_key_of_a_text_counts():
    """Explanations, certificates and parameters around a key are skipped."""
    certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    text = "Bag Attributes: schön\n" + certificate + PEM_PAIRS["p256"]["pkcs8_pem"]
    assert from_pem(text) == PEM_PAIRS["p256"]["private"]
    assert from_pem(text + PEM_PAIRS["p384"]["pkcs8_pem"]) == PEM_PAIRS["p256"]["private"]
    with pytest.raises(ThemisValueError, match="no key in this PEM"):
        from_pem(certificate)


BEGIN, *LINES, END = PEM_PAIRS["p256"]["pkcs8_pem"].splitlines()
BASE64 = "".join(LINES)
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
OTHER = "-----BEGIN ANY THING-----\nVersion: 1\n\n?\n-----END ANY THING-----\n"


def armoured(*body, end="\n"):
    """Write these lines between the marks of a private key."""
    return end.join([BEGIN, *body, END, ""])


@pytest.mark.parametrize(
    "text",
    [
        armoured(*LINES, end="\r\n"),
        armoured(*LINES, end="\r"),
        armoured(*LINES, end=" \t\n"),
        armoured(*LINES, end="\x0b\n"),
        armoured(*LINES).rstrip(),
        armoured(*LINES) + "\0",
        armoured("", *LINES),
        armoured(*LINES, ""),
        armoured(BASE64),
        armoured(*BASE64),
        armoured(" ".join(BASE64)),
        armoured(*(BASE64[at : at + 76] for at in range(0, len(BASE64), 76))),
        "# a comment\n" + armoured(*LINES) + "# another\n",
        "x" * 1000 + "\n" + armoured(*LINES),
        PARAMETERS + OTHER + armoured(*LINES) + "-----BEGIN PRIVATE KEY-----\n?",
    ],
)
def test_pem_may_be_written_in_many_ways(text):
    """Line ends, widths, blanks and what surrounds a block do not change the key."""
    assert from_pem(text) == PEM_PAIRS["p256"]["private"]


@pytest.mark.parametrize(
    "text",
    [
        armoured(),
        armoured(""),
        armoured("===="),
        armoured("=" + BASE64),
        armoured(BASE64[:4] + "====" + BASE64[4:]),
        armoured(BASE64[:10] + "==" + BASE64[12:]),
        armoured(BASE64 + "="),
        armoured(BASE64 + "===="),
        armoured(BASE64[:-3] + "==="),
        armoured(BASE64[:-2] + "=A"),
        armoured(BASE64[:-1]),
        *(armoured(f"{BASE64[:8]}{c}{BASE64[9:]}") for c in "-_.,@[`{\0\x0b\x7f\x80é"),
        armoured(*LINES).replace("END PRIVATE", "END  PRIVATE"),
        armoured(*LINES).replace("END PRIVATE KEY-----", "END PRIVATE KEY----"),
        armoured(*LINES[:-1], BEGIN, LINES[-1]),
        armoured(LINES[0], ":" + LINES[1][1:], LINES[2]),
        armoured(*LINES).replace(END, ""),
        PARAMETERS.replace("==", "=") + armoured(*LINES),
    ],
)
def test_damaged_pem_is_refused(text):
    """Digits that base64 has not, padding out of place, and marks that do not match are refused."""
    with pytest.raises(ThemisValueError, match="no key in this PEM text") as raised:
        from_pem(text)
    assert raised.value.error_code == THEMIS_CODES.INVALID_PARAMETER


@pytest.mark.parametrize("lost", range(3))
def test_padding_is_counted_exactly(lost):
    """Base64 of every length modulo three gives every byte, and none more."""
    number = b"\0" * lost + payload_of(PEM_PAIRS["p256"]["private"])[1:]
    text = labelled(sec1("p256", number), "EC PRIVATE KEY")
    assert text.count("=") == -len(sec1("p256", number)) % 3
    assert from_pem(text) == PEM_PAIRS["p256"]["private"]


@pytest.mark.parametrize("headers", [["Proc-Type: 4,ENCRYPTED", "DEK-Info: x"], ["Comment: a"]])
def test_headers_in_pem_are_an_old_encryption(headers):
    """A block with headers gets the advice to convert it, whatever its line ends."""
    for end in ("\n", "\r\n", "\r"):
        with pytest.raises(ThemisValueError, match="convert it with") as raised:
            from_pem(armoured(*headers, "", *LINES, end=end))
        assert raised.value.error_code == THEMIS_CODES.NOT_SUPPORTED


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN A-----\na:\n",
        PARAMETERS,
        OTHER,
        "-----BEGIN A-----",
        "A",
        "\n",
        BEGIN + "\n" + "A" * 1000 + "\n",
    ],
)
def test_a_mebibyte_of_pem_takes_linear_time(piece):
    """Text of the greatest size, of blocks or of beginnings of some, is refused at once."""
    text = (piece * (1024 * 1024 // len(piece))).encode()
    start = time.process_time()
    assert code_of(from_pem, text) == THEMIS_CODES.INVALID_PARAMETER
    assert time.process_time() - start < 1


def test_a_file_longer_than_any_key_is_refused():
    """A mebibyte is the most that is looked at."""
    with pytest.raises(ThemisValueError, match="longer than any key"):
        from_pem(b" " * (1024 * 1024 + 1))


def test_a_damaged_key_is_not_written():
    """Writing judges the key as every use does."""
    broken = container(b"REC2", bytes(33))
    for write in (to_pem, to_der):
        with pytest.raises(ThemisError, match="corrupted") as caught:
            write(broken)
        assert caught.value.error_code == THEMIS_CODES.DATA_CORRUPT


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are otherwise there")
def test_nobody_is_asked_for_a_passphrase():
    """With a terminal at hand, an encrypted key without a passphrase still asks nobody."""
    import pty

    texts = [to_pem(generated("EC")[0], "secret"), to_der(generated("EC")[0], "secret")]
    texts.append(
        their_private("p256").private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret")
        )
    )
    program = (
        "from pythemis.exception import ThemisError\n"
        "from pythemis.skeygen import from_der, from_pem\n"
        f"for text in {texts!r}:\n"
        "    for read in (from_pem, from_der):\n"
        "        try: read(text)\n"
        "        except ThemisError: print('refused', flush=True)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", program])
    output = b""
    while True:
        try:
            piece = os.read(terminal, 1000)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert (status, output.split()) == (0, [b"refused"] * 6)


def test_rsa_signatures_agree_after_the_exchange():
    """What cryptography's copy of our RSA key signs, our sverify accepts."""
    private, public = generated("RSA")
    theirs = serialization.load_der_private_key(to_der(private), None)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    signature = theirs.sign(b"message", pss, hashes.SHA256())
    header = b"".join(number.to_bytes(4, "little") for number in (0x26042610, 7, len(signature)))
    assert sverify(public, header + b"message" + signature) == b"message"
