# SPDX-License-Identifier: Apache-2.0
"""In one process with the ssl module and with cryptography: each works, each is right."""

import asyncio
import datetime
import hashlib
import os
import ssl

import pytest

from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateKeyPair, from_pem, to_pem
from pythemis.smessage import ssign, sverify
from support.programs import ROUND_TRIPS, run
from support.project import linked_statically

cryptography = pytest.importorskip("cryptography")

KEY = b"k" * 32


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate with cryptography, in files that the ssl module reads."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    (tmp_path / "certificate.pem").write_bytes(made.public_bytes(pem))
    return tmp_path / "certificate.pem", tmp_path / "key.pem"


def test_sealed_messages_pass_through_tls(certificate):
    """A TLS connection of the ssl module carries cells that both of its ends make and open."""

    async def talk():
        server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_side.load_cert_chain(*certificate)
        client_side = ssl.create_default_context(cafile=certificate[0])

        async def answer(reader, writer):
            cell = SCellSeal(KEY)
            message = cell.decrypt(await reader.readexactly(1044))
            writer.write(cell.encrypt(message[::-1]))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_side, server_hostname="localhost"
        )
        writer.write(SCellSeal(KEY).encrypt(bytes(range(250)) * 4))
        received = await reader.read()
        writer.close()
        server.close()
        return SCellSeal(KEY).decrypt(received)

    assert asyncio.run(asyncio.wait_for(talk(), 60)) == (bytes(range(250)) * 4)[::-1]


def test_cryptography_and_we_agree_on_keys():
    """What one of us signs or encrypts, with a key that went through the other, is right."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pair = GenerateKeyPair("EC")
    private, public = pair.export_private_key(), pair.export_public_key()
    theirs = serialization.load_pem_private_key(to_pem(private), None)
    signature = theirs.sign(b"message", ec.ECDSA(hashes.SHA256()))
    serialization.load_pem_public_key(to_pem(public)).verify(
        signature, b"message", ec.ECDSA(hashes.SHA256())
    )
    # A signed message: 12 bytes of header, the message, the signature in DER.
    ours = ssign(private, b"message")
    theirs.public_key().verify(ours[12 + len(b"message") :], b"message", ec.ECDSA(hashes.SHA256()))
    back = theirs.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    assert sverify(public, ssign(from_pem(back, "secret"), b"message")) == b"message"


def test_known_answers_hold_beside_us():
    """AES-GCM of cryptography and SHA-2 of hashlib give what NIST says, between our calls."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    for _ in range(10):
        cell = SCellSeal(KEY)
        assert cell.decrypt(cell.encrypt(b"message")) == b"message"
        assert AESGCM(bytes(16)).encrypt(bytes(12), b"", b"").hex() == (
            "58e2fccefa7e3061367f1d57a4e7455a"
        )
        assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea414140de5dae2223")


ORDERS = ("ssl", "cryptography.hazmat.bindings._rust", "pythemis.scell")


@pytest.mark.no_c
@pytest.mark.parametrize("first", range(3))
def test_any_order_of_loading_works(first):
    """Whoever of the three is loaded first, each does its work."""
    imports = "".join(f"import {name}\n" for name in ORDERS[first:] + ORDERS[:first])
    theirs = (
        "from cryptography.hazmat.primitives.asymmetric import rsa\n"
        "import hashlib, ssl\n"
        "assert rsa.generate_private_key(65537, 2048).key_size == 2048\n"
        "assert hashlib.sha256(b'').digest() and ssl.create_default_context().get_ciphers()\n"
    )
    assert run(imports + theirs + ROUND_TRIPS + theirs) == (0, "fine\n", "")


@pytest.mark.no_c
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_providers_of_the_system_are_not_loaded(tmp_path):
    """A module in place of every provider that OpenSSL could look for is never opened."""
    if not linked_statically():
        pytest.skip("a libcrypto that is shared serves others, who may want providers")
    # Who opened a pipe would wait for ever.
    for name in ("default", "legacy", "fips", "base", "null", "oqsprovider"):
        for suffix in (".so", ".dll", ".dylib"):
            os.mkfifo(tmp_path / f"{name}{suffix}")
    configuration = tmp_path / "openssl.cnf"
    configuration.write_text(
        "openssl_conf = init\n[init]\nproviders = all\nengines = all\n"
        "[all]\ndefault = one\nlegacy = one\nfips = one\n[one]\nactivate = 1\n"
    )
    said = run(
        ROUND_TRIPS,
        OPENSSL_CONF=str(configuration),
        OPENSSL_MODULES=str(tmp_path),
        OPENSSL_ENGINES=str(tmp_path),
    )
    assert said == (0, "fine\n", "")
