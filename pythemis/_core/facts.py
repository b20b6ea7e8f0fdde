# SPDX-License-Identifier: Apache-2.0
"""What the public part of a cell, a message or a container says: algorithm, lengths, iterations.

Nothing is decrypted. Numbers come from headers, which their writer may have chosen freely, so
nothing is allocated or repeated by them.
"""

from __future__ import annotations

from _codecs import unicode_escape_encode
from typing import TYPE_CHECKING, Any

from .kinds import Kind
from .shapes import U32, cell, numbers_at

if TYPE_CHECKING:
    from .kinds import Node

    Facts = dict[str, Any]

_KEY_BITS = {0x80: 128, 0xC0: 192, 0x00: 256}  # by the first byte of the descriptor
_IV, _TAG, _SALT = 12, 16, 16
_PREFIX = 8  # of a stored value
_HEADER = 12  # of a container
_MAC = 32
_TEXT_MAX = 128  # bytes of an id that are shown
_CRC_MAX = 1 << 16


def shown(text: bytes | str) -> str:
    """Return text that is safe to print: control characters and broken UTF-8 are escaped."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else unicode_escape_encode(each)[0].decode() for each in text
    )


def of_cell(node: Node, *, at: int = 0) -> tuple[Facts, list[str]]:
    """Read the token of a cell that begins at this offset."""
    data = node.data[at:]
    is_passphrase = data[3:4] == b"\x41"
    numbers = numbers_at(data, U32, 4 if is_passphrase else 3)
    facts: Facts = {
        "algorithm": f"AES-{_KEY_BITS[data[0]]}-GCM",
        "key_derivation": "PBKDF2-HMAC-SHA256" if is_passphrase else "HMAC-SHA256",
    }
    problems: list[str] = []
    if numbers is None:
        return facts, problems
    iv, tag, facts["message_bytes"] = numbers[:3]
    if (iv, tag) != (_IV, _TAG):
        problems.append(f"an unusual header: an iv of {iv} bytes, a tag of {tag} bytes")
    if facts["message_bytes"] == 0:
        problems.append("no cell is empty, and its header promises 0 bytes")
    if is_passphrase:
        # What the fields promise may be far away; a slice beyond the end is empty.
        derivation = data[5 * U32 + iv + tag :][: U32 + 2]
        if len(derivation) == U32 + 2:
            facts["iterations"] = int.from_bytes(derivation[:U32], "little")
            facts["salt_bytes"] = int.from_bytes(derivation[U32:], "little")
    return facts, problems


def of_stored_value(node: Node) -> tuple[Facts, list[str]]:
    """Read the key id of a stored value, and its cell."""
    facts, problems = of_cell(node, at=_PREFIX)
    return {"key_id": node.data[3:_PREFIX].hex(), **facts}, problems


def of_message(node: Node, kind: Kind) -> tuple[Facts, list[str]]:
    """Read the header of a Secure Message."""
    numbers = numbers_at(node.data, U32, 2) or [0, 0]
    if kind in (Kind.EC_SIGNED, Kind.RSA_SIGNED):
        signed = {"message_bytes": numbers[0], "signature_bytes": numbers[1]}
        algorithm = "ECDSA with SHA-256" if kind is Kind.EC_SIGNED else "RSA-PSS with SHA-256"
        return {"algorithm": algorithm, **signed, "message_is_readable": True}, []
    at, agreed = 2 * U32, "ECDH"
    if kind is Kind.RSA_ENCRYPTED:
        at, agreed = at + U32 + numbers[1], "RSA-OAEP with SHA-1"
    inner = cell(node._replace(data=node.data[at:], size=None))
    if inner is None or inner.kind is Kind.PASSPHRASE_CELL:
        why = [] if at + U32 > len(node.data) else ["what it contains is not a Seal cell"]
        return {"key_agreement": agreed}, why
    facts, problems = of_cell(node, at=at)
    del facts["key_derivation"]
    return {"key_agreement": agreed, **facts}, problems


def _container_at(data: bytes, at: int) -> tuple[bytes, bytes]:
    """Return tag and payload of a container within another; empty where there is none."""
    size = int.from_bytes(data[at + U32 : at + 2 * U32], "big")
    if not _HEADER <= size <= len(data) - at:
        return b"", b""
    return data[at : at + U32], data[at + _HEADER : at + size]


def of_session(node: Node, kind: Kind) -> tuple[Facts, list[str]]:
    """Read a negotiation message or a saved session."""
    problems = checksum_problems(node)
    tag, payload = _container_at(node.data, 0)
    if kind is not Kind.NEGOTIATION or not tag:
        return {}, problems
    if tag == b"TSID":
        return {"sender_id": _id(payload)}, problems
    inner, sender = _container_at(payload, 0)
    if inner == b"TSID":
        return {"step": "1 or 2 of 4", "sender_id": _id(sender)}, problems
    return {"step": "4 of 4" if len(payload) == _MAC else "3 of 4"}, problems


def _id(sender: bytes) -> str:
    return shown(sender[:_TEXT_MAX]) + ("..." if len(sender) > _TEXT_MAX else "")


def checksum_problems(node: Node) -> list[str]:
    """Check the checksum of a container of which everything is there."""
    size = int.from_bytes(node.data[U32 : 2 * U32], "big")
    if not _HEADER <= size <= min(len(node.data), _CRC_MAX):
        return []
    whole = node.data[: 2 * U32] + bytes(U32) + node.data[_HEADER:size]
    stored = int.from_bytes(node.data[2 * U32 : _HEADER], "little")
    return [] if _crc32c(whole) == stored else ["it is corrupted: its checksum does not match"]


def _crc32c(data: bytes) -> int:
    table = []
    for each in range(256):
        value = each
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    made = 0xFFFFFFFF
    for each in data:
        made = made >> 8 ^ table[(made ^ each) & 0xFF]
    return made ^ 0xFFFFFFFF


def of(node: Node, kind: Kind) -> tuple[Facts, list[str]]:
    """Return what the public part of data of Themis says, and what is wrong with it."""
    if kind in (Kind.SEAL_CELL, Kind.PASSPHRASE_CELL, Kind.TOKEN):
        return of_cell(node)
    if kind is Kind.STORED_VALUE:
        return of_stored_value(node)
    if kind in (Kind.EC_SIGNED, Kind.RSA_SIGNED, Kind.EC_ENCRYPTED, Kind.RSA_ENCRYPTED):
        return of_message(node, kind)
    if kind in (Kind.NEGOTIATION, Kind.SAVED_SESSION):
        return of_session(node, kind)
    return {}, []
