# SPDX-License-Identifier: Apache-2.0
"""Keys for the tests: from the vectors, taken apart and put together by hand."""

import json
from functools import cache
from pathlib import Path

from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.skeygen import GenerateKeyPair

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
HEADER_SIZE = 12
# The curves by the digit in their tag (FIPS 186-4, D.1.2): coordinate size, prime of the field,
# order of the base point.
CURVES = {
    "2": (32, 2**256 - 2**224 + 2**192 + 2**96 - 1,
          0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    "3": (48, 2**384 - 2**128 - 2**96 + 2**32 - 1,
          int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF"
              "581A0DB248B0A77AECEC196ACCC52973", 16)),
    "5": (66, 2**521 - 1,
          int("01FF" + "FF" * 31 + "FA51868783BF2F966B7FCC0148F709A5D0"
              "3BB5C9B8899C47AEBB6FB71E91386409", 16)),
}  # fmt: skip


def cases(name):
    """Give the cases of a file of vectors, with bytes instead of hex."""
    content = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [
        {name: _decoded(name, value) for name, value in case.items()} for case in content["cases"]
    ]


def _decoded(name, value):
    is_text = not isinstance(value, str) or name in ("id", "note", "pkcs8_pem")
    return value if is_text else bytes.fromhex(value)


def ids(found):
    """Name the cases for pytest."""
    return [case["id"] for case in found]


@cache
def pairs():
    """Give the key pairs of the vectors by their ids."""
    return {case["id"]: case for case in cases("key_pairs")}


@cache
def generated(algorithm, **options):
    """Generate a pair once per run: (private, public)."""
    pair = GenerateKeyPair(algorithm, **options)
    return pair.export_private_key(), pair.export_public_key()


def crc32c(data):
    """Compute CRC-32C, bit by bit, independently of the core."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def container(tag, payload):
    """Put a payload into a container."""
    size = (HEADER_SIZE + len(payload)).to_bytes(4, "big")
    checksum = crc32c(tag + size + bytes(4) + payload).to_bytes(4, "little")
    return tag + size + checksum + payload


def tlv(tag, *contents):
    """Encode a DER value by hand."""
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value):
    """Encode a DER integer that is not negative."""
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted):
    """Encode an identifier in DER."""
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytes([40 * first + second])
    for number in rest:
        groups = [number >> shift & 0x7F for shift in range(28, 0, -7) if number >> shift]
        encoded += bytes([0x80 | group for group in groups] + [number & 0x7F])
    return tlv(6, encoded)


def payload_of(key):
    """Take the payload out of a container."""
    return key[HEADER_SIZE:]


def with_byte(data, position, mask):
    """Flip bits of one byte."""
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


def resealed(key, position, mask):
    """Flip bits of one byte of a key's payload, and make the checksum fit again."""
    return container(key[:4], with_byte(payload_of(key), position, mask))


def code_of(call, *arguments):
    """Call, and give the code of the ThemisError that came of it, or SUCCESS."""
    try:
        call(*arguments)
    except ThemisError as error:
        return error.error_code
    return THEMIS_CODES.SUCCESS
