# SPDX-License-Identifier: Apache-2.0
"""What is recognised: each kind of data, and each layer that may be around it, in one table.

The refusals of every cryptosystem and `pythemis.inspect` read it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Layer(Enum):
    """What data is wrapped in: its name, and how to undo it."""

    UTF8_BOM = ("UTF-8 with a byte order mark", "decode it as 'utf-8-sig'")
    UTF16 = ("UTF-16", "decode it as UTF-16")
    BLANKS = ("blank space", "strip the blank space")
    QUOTES = ("quotes", "remove the quotes")
    REPR = ("the repr of bytes", "read the repr back with ast.literal_eval")
    ESCAPES = ("backslash escapes", "replace the backslash escapes")
    POSTGRES = (r"PostgreSQL's \x text", r"decode what follows \x with bytes.fromhex")
    HEX = ("hex", "decode it with bytes.fromhex")
    BASE64 = ("base64", "decode it with base64.b64decode")
    BASE64_URL = ("URL-safe base64", "decode it with base64.urlsafe_b64decode")


class Kind(Enum):
    """What is known: its name, and what reads it or what to do."""

    SEAL_CELL = ("a Seal cell made with a key", "SCellSeal(key=...) decrypts it")
    PASSPHRASE_CELL = (
        "a Seal cell made with a passphrase",
        "SCellSeal(passphrase=...) decrypts it",
    )
    TOKEN = (
        "the token of a Token Protect cell",
        "SCellTokenProtect takes it behind the encrypted message",
    )
    EC_SIGNED = ("a signed message", "it takes sverify and a public EC key")
    RSA_SIGNED = ("a signed message of an RSA key", "it takes sverify and a public RSA key")
    EC_ENCRYPTED = ("an encrypted message", "it takes an SMessage of EC keys")
    RSA_ENCRYPTED = ("an encrypted message of RSA keys", "it takes an SMessage of RSA keys")
    NEGOTIATION = ("a negotiation message of a Secure Session", "SSession.unwrap takes it")
    SAVED_SESSION = ("a saved session", "it is read only by the Themis that wrote it")
    SEALED_FILE = ("a sealed file", "pythemis.files opens it")
    NEWER_SEALED_FILE = ("a sealed file of a newer version", "update pythemis")
    STORED_VALUE = ("a stored value of a keyring", "the keyring that has its key decrypts it")
    NEWER_STORED_VALUE = ("a stored value of a newer version", "update pythemis")
    KEYRING_PAYLOAD = (
        "the content of a keyring, not encrypted",
        "keep it in a sealed file, as pythemis.keyring writes it",
    )
    COMPARISON = ("as long as a message of a Secure Comparator", "proceed_compare takes those")

    PRIVATE_KEY = ("a private Themis key", "it is used as it is")
    PUBLIC_KEY = ("a public Themis key", "it is used as it is")
    SYMMETRIC_KEY = ("as long as a symmetric key", "one of a pair belongs here")
    POINT = ("a point of an EC key", "skeygen.from_point reads it")
    PEM = ("PEM", "skeygen.from_pem reads it")
    DER = ("DER", "skeygen.from_der reads it")
    JWK = ("a JWK", "skeygen.from_jwk reads it")
    JWK_SET = ("a set of JWKs", "skeygen.from_jwk reads one of its keys")
    OPENSSH_PRIVATE = ("an OpenSSH private key", "skeygen.from_openssh reads it")
    OPENSSH_PUBLIC = ("an OpenSSH public key", "skeygen.from_openssh reads it")
    PUTTY_KEY = (
        "a PuTTY private key",
        "puttygen -O private-openssh converts it for skeygen.from_openssh",
    )
    CERTIFICATE = (
        "a certificate",
        "verify it, then take the public key out of it with `openssl x509 -pubkey -noout`",
    )
    CERTIFICATE_REQUEST = (
        "a certificate request",
        "take the public key out of it with `openssl req -pubkey -noout`",
    )
    PKCS12 = (
        "PKCS#12",
        "`openssl pkcs12 -nodes` converts it for skeygen.from_pem",
    )
    OTHER_PEM = ("PEM of another kind", "it holds no key that Themis could use")
    AGE_SECRET_KEY = ("an age secret key", "Themis has no use for keys on X25519")
    AGE_RECIPIENT = ("an age recipient", "Themis has no use for keys on X25519")
    AGE_FILE = ("a file encrypted with age", "age decrypts it")
    FERNET_TOKEN = ("a Fernet token", "cryptography.fernet decrypts it")
    PGP = ("OpenPGP data", "gpg reads it")
    WEB_TOKEN = ("a JSON Web Token", "a JOSE library reads it")
    FILE_NAME = ("the name of a file", "give what is in the file")
    GZIP = ("compressed with gzip", "decompress it")
    ZIP = ("a zip archive", "unpack it")
    XML = ("XML", "take out the value that is meant")
    JSON = ("JSON", "take out the value that is meant")
    UNKNOWN = ("apparently written", "")


class Found(NamedTuple):
    """What data looks like."""

    kind: Kind
    name: str  # as a sentence has it: "it is ..."
    layers: tuple[Layer, ...] = ()  # outermost first
    promised: int | None = None  # bytes, by the public header
    present: int | None = None  # bytes, as far as all were looked at
    newline: bool = False  # whether it ends with one


class Node(NamedTuple):
    """Data under some layers; never shown."""

    data: bytes  # its beginning
    size: int | None  # of all of it
    is_cut: bool
    layers: tuple[Layer, ...]

    def found(self, kind: Kind, promised: int | None = None, name: str = "") -> Found:
        newline = not self.is_cut and self.data.endswith(b"\n")
        return Found(kind, name or kind.value[0], self.layers, promised, self.size, newline)
