# SPDX-License-Identifier: Apache-2.0
"""What Themis makes, and this package: cells, messages, containers, sealed files, stored values."""

from __future__ import annotations

import re

from .kinds import Found, Kind, Node

U32 = 4
_DESCRIPTORS = {
    form + bytes([0x40 + kdf]): kind
    for kdf, kind in enumerate((Kind.SEAL_CELL, Kind.PASSPHRASE_CELL))
    for form in (b"\x00\x01\x01", b"\xc0\x00\x01", b"\x80\x00\x01")
}
_MESSAGES = {
    b"\x20\x26\x04\x26": Kind.EC_SIGNED,
    b"\x10\x26\x04\x26": Kind.RSA_SIGNED,
    b"\x20\x27\x04\x26": Kind.EC_ENCRYPTED,
    b"\x10\x27\x04\x26": Kind.RSA_ENCRYPTED,
}
_SIGNED = {Kind.EC_SIGNED, Kind.RSA_SIGNED}
_KEY = re.compile(rb"([UR])(?:EC([235])|RA([1248]))", re.DOTALL)
_CONTAINERS = {
    b"TSPM": Kind.NEGOTIATION,
    b"TSID": Kind.NEGOTIATION,
    b"TSSC": Kind.SAVED_SESSION,
}
_CONTAINER_HEADER = 12
_CONTAINER_MAX = 1 << 24  # an id may be long


def numbers_at(data: bytes, at: int, count: int) -> list[int] | None:
    end = at + count * U32
    if len(data) < end:
        return None
    return [int.from_bytes(data[i : i + U32], "little") for i in range(at, end, U32)]


def cell(node: Node) -> Found | None:
    kind = _DESCRIPTORS.get(node.data[:U32])
    if kind is None:
        return None
    is_passphrase = kind is Kind.PASSPHRASE_CELL
    lengths = numbers_at(node.data, U32, 4 if is_passphrase else 3)
    if lengths is None:
        return node.found(kind)
    header = U32 * (len(lengths) + 1)
    promised = header + sum(lengths)
    if not is_passphrase and node.size == promised - lengths[2] != promised:
        name = "the token of a Token Protect cell, or a Seal cell truncated to as many bytes"
        return node.found(Kind.TOKEN, node.size, name)
    return node.found(kind, promised)


def message(node: Node) -> Found | None:
    kind = _MESSAGES.get(node.data[:U32])
    if kind is None:
        return None
    lengths = numbers_at(node.data, U32, 2 if kind in _SIGNED else 1)
    if lengths is None:
        return node.found(kind)
    return node.found(kind, sum(lengths) + 3 * U32 if kind in _SIGNED else lengths[0])


def container(node: Node) -> Found | None:
    key = _KEY.match(node.data)
    kind = _CONTAINERS.get(node.data[:U32])
    if key is None and kind is None:
        return None
    promised = int.from_bytes(node.data[4:8], "big") if len(node.data) >= 8 else None
    if promised is not None and not _CONTAINER_HEADER <= promised < _CONTAINER_MAX:
        return None
    if kind is not None:
        return node.found(kind, promised)
    is_private = node.data[:1] == b"R"
    return node.found(Kind.PRIVATE_KEY if is_private else Kind.PUBLIC_KEY, promised)


_PREFIX = 8  # of a stored value


def sealed(node: Node) -> Found | None:
    """Recognise a sealed file (section 8), or a stored value (section 9)."""
    data = node.data
    if data[:6] == b"TSFILE" and data[6:7].isdigit() and data[7:8] == b"\n":
        return node.found(Kind.SEALED_FILE if data[6:7] == b"1" else Kind.NEWER_SEALED_FILE)
    if data[:2] != b"TK" or not data[2:3].isdigit():
        return None
    if data[2:3] != b"1":
        is_cell = data[_PREFIX : _PREFIX + U32] in _DESCRIPTORS
        return node.found(Kind.NEWER_STORED_VALUE) if is_cell else None
    size = None if node.size is None else node.size - _PREFIX
    inner = cell(node._replace(data=data[_PREFIX:], size=size))
    if inner is None or inner.kind is Kind.PASSPHRASE_CELL:
        return None
    promised = None if inner.promised is None else inner.promised + _PREFIX
    return node.found(Kind.STORED_VALUE, promised)
