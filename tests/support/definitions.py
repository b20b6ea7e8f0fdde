# SPDX-License-Identifier: Apache-2.0
"""What the specification defines, in plain Python: key derivation, containers, passphrase cells."""

import hashlib
import hmac
import os
import struct

HEADER = 12


def kdf_by_definition(key, label, contexts, size):
    """Derive as the specification defines it, with Python's hmac."""
    if not key:
        implicit = bytearray(32)
        for part in (label, *contexts):
            for at, byte in enumerate(part[:32]):
                implicit[at] ^= byte
        key = bytes(implicit)
    text = b"\0\0\0\1" + label + b"\0" + b"".join(contexts)
    return hmac.new(key, text, hashlib.sha256).digest()[:size]


def crc32c(data):
    """Compute CRC-32C bit by bit, as it is defined."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def boxed(tag, payload, *, size=None):
    """Make a container by its definition; a lie about its size has a good checksum, too."""
    size = HEADER + len(payload) if size is None else size
    start = tag + struct.pack(">I", size)
    return start + struct.pack("<I", crc32c(start + bytes(4) + payload)) + payload


def forge(passphrase, message, context=b"", *, iterations=1, salt=b"s" * 16, bits=256):
    """Encrypt as the specification defines it, with as few iterations as wanted."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    pre_key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, iterations, 32)
    length = struct.pack("<I", len(message))
    key = kdf_by_definition(
        pre_key, b"Themis secure cell message key", [length, context], bits // 8
    )
    nonce = os.urandom(12)
    encrypted = AESGCM(key).encrypt(nonce, message, context or None)
    kdf_context = struct.pack("<IH", iterations, len(salt)) + salt
    header = struct.pack("<5I", 0x41010000 | bits, 12, 16, len(message), len(kdf_context))
    return header + nonce + encrypted[-16:] + kdf_context + encrypted[:-16]
