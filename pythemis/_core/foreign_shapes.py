# SPDX-License-Identifier: Apache-2.0
"""What other software makes: keys in PEM, DER, JWK and OpenSSH's forms, tokens, archives."""

from __future__ import annotations

import re

from .kinds import Found, Kind, Layer, Node
from .layers import BLANK

_PEM = re.compile(rb"(?:\A|[\r\n])[ \t]*(-{4,5} ?BEGIN ([A-Z0-9 ]{1,40}?) ?-{4,5})[ \t]*[\r\n]")
LOOSE_PEM = re.compile(rb"-{4,5} ?BEGIN ([A-Z0-9 ]{1,40}?) ?-{4,5}")
LABELS = {
    b"PRIVATE KEY": Kind.PEM,
    b"ENCRYPTED PRIVATE KEY": Kind.PEM,
    b"EC PRIVATE KEY": Kind.PEM,
    b"RSA PRIVATE KEY": Kind.PEM,
    b"PUBLIC KEY": Kind.PEM,
    b"RSA PUBLIC KEY": Kind.PEM,
    b"EC PARAMETERS": Kind.PEM,  # which a key follows
    b"OPENSSH PRIVATE KEY": Kind.OPENSSH_PRIVATE,
    b"SSH2 PUBLIC KEY": Kind.OPENSSH_PUBLIC,
    b"CERTIFICATE": Kind.CERTIFICATE,
    b"X509 CERTIFICATE": Kind.CERTIFICATE,
    b"TRUSTED CERTIFICATE": Kind.CERTIFICATE,
    b"CERTIFICATE REQUEST": Kind.CERTIFICATE_REQUEST,
    b"NEW CERTIFICATE REQUEST": Kind.CERTIFICATE_REQUEST,
    b"AGE ENCRYPTED FILE": Kind.AGE_FILE,
}
_SSH_LINE = re.compile(rb"\s*(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]{3,60}[ \t]+AAAA[A-Za-z0-9+/]")
_MEMBER = re.compile(rb'"(kty|keys)"\s*:\s*(["\[])')
_BEGINNINGS = {
    b"openssh-key-v1\0": Kind.OPENSSH_PRIVATE,
    b"PuTTY-User-Key-File-": Kind.PUTTY_KEY,
    b"AGE-SECRET-KEY-1": Kind.AGE_SECRET_KEY,
    b"age1": Kind.AGE_RECIPIENT,
    b"age-encryption.org/v1": Kind.AGE_FILE,
    b"# created: ": Kind.AGE_SECRET_KEY,  # what age-keygen writes before it
    b"\x1f\x8b\x08": Kind.GZIP,
    b"PK\x03\x04": Kind.ZIP,
    b"<?xml": Kind.XML,
}
_TOKEN_PARTS = re.compile(rb"eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")
FILE_NAME = re.compile(
    rb"[^\r\n\0\"'{}]{1,255}\.(?:pem|key|der|pub|crt|cer|jwk|json|ppk|p12|pfx|txt|bin|age)"
)


def label_kind(node: Node, text: bytes) -> Found:
    default = Kind.PGP if text.startswith(b"PGP ") else Kind.OTHER_PEM
    return node.found(LABELS.get(text, default))


def text_key(node: Node) -> Found | None:
    """Recognise keys that are text."""
    data = node.data
    if data[:1] in (b'"', b"'"):
        return None
    if data.startswith(b'{"keys":[{"created":'):
        return node.found(Kind.KEYRING_PAYLOAD)
    found = _PEM.search(data)
    if found is not None and not data.lstrip(BLANK).startswith((b"{", b"[")):
        return label_kind(node, found[2])
    if _SSH_LINE.match(data):
        return node.found(Kind.OPENSSH_PUBLIC)
    if data.startswith(b"openssh-key-v1\0"):
        return node.found(Kind.OPENSSH_PRIVATE)
    if data.lstrip(BLANK)[:1] in (b"{", b"["):
        member = _MEMBER.search(data)
        if member is not None and (member[1] == b"kty") == (member[2] == b'"'):
            is_set = member[1] == b"keys" or data.lstrip(BLANK)[:1] == b"["
            return node.found(Kind.JWK_SET if is_set else Kind.JWK)
    return None


def beginning(node: Node) -> Found | None:
    for beginning, kind in _BEGINNINGS.items():
        if node.data.startswith(beginning):
            return node.found(kind)
    if _TOKEN_PARTS.fullmatch(node.data.strip(BLANK)):
        return node.found(Kind.WEB_TOKEN)
    return None


def fernet(node: Node) -> Found | None:
    """Recognise version, time (until 2106) and length of a Fernet token."""
    if not node.layers or node.layers[-1] not in (Layer.BASE64, Layer.BASE64_URL):
        return None
    fits = node.size is None or (node.size >= 73 and node.size % 16 == 9)
    if not fits or not node.data.startswith(b"\x80\0\0\0\0") or len(node.data) < 9:
        return None
    return node._replace(layers=node.layers[:-1]).found(Kind.FERNET_TOKEN)


def _tlv(data: bytes, at: int) -> tuple[int, int, int]:
    """Read the head of a DER value: its tag, and where its content starts and ends."""
    if len(data) < at + 2:
        return -1, 0, 0
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < at + count:
            return -1, 0, 0
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    return tag, at, at + size


_SEQUENCE, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _EXPLICIT = 0x30, 2, 3, 4, 6, 0xA0
_LEAST_MODULUS = 64


def der(node: Node) -> Found | None:
    data = node.data
    tag, at, end = _tlv(data, 0)
    if tag != _SEQUENCE:
        return None
    first, inner, behind = _tlv(data, at)
    following = _tlv(data, behind)[0]
    kind = None
    if first == _INTEGER:
        kind = _der_of_number(data[inner : min(behind, len(data))], behind - inner, following)
    elif first == _SEQUENCE:
        kind = _der_of_sequence(data, inner, following)
    return None if kind is None else node.found(kind, end)


def _der_of_number(number: bytes, size: int, following: int) -> Kind | None:
    if size == 1:
        wanted = {
            b"\0": (_SEQUENCE, _INTEGER),  # PKCS#8, PKCS#1
            b"\1": (_SEQUENCE, _INTEGER, _OCTET_STRING),  # the same with more in them; SEC1
        }.get(number, ())
        if number == b"\3" and following == _SEQUENCE:
            return Kind.PKCS12
        return Kind.DER if following in wanted else None
    return Kind.DER if size >= _LEAST_MODULUS and following == _INTEGER else None


def _der_of_sequence(data: bytes, at: int, following: int) -> Kind | None:
    tag, inner, behind = _tlv(data, at)
    if tag == _OID and following in (_BIT_STRING, _OCTET_STRING):
        return Kind.DER
    if tag == _EXPLICIT and following == _SEQUENCE and _tlv(data, inner)[0] == _INTEGER:
        return Kind.CERTIFICATE
    if tag == _INTEGER and behind == inner + 1 and data[inner : inner + 1] == b"\0":
        return Kind.CERTIFICATE_REQUEST if _tlv(data, behind)[0] == _SEQUENCE else None
    return None
