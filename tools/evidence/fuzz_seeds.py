# SPDX-License-Identifier: Apache-2.0
"""Turn the known answers of tests/vectors into inputs of the fuzz targets.

Each target takes its input apart in its own way, which its first comment tells; what is written
here follows that. Beside these come a few inputs that take each path through a target once.
"""

from __future__ import annotations

import base64
import json
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
NOTHING, ONE_BIT, CUT, INSERTION = b"\0" * 6, b"\0\1", b"\0C", b"\0A"  # how an edit begins


def write_seeds(target: str, folder: Path) -> None:
    """Fill a folder with the first inputs of a target."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (folder / f"seed-{number:03}").write_bytes(seed)


def cases(topic: str, which: str = "cases") -> list[dict[str, Any]]:
    """Read the cases of a file."""
    text = (VECTORS / f"{topic}.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)[which]
    return found


def field(data: bytes | str | None) -> bytes:
    """Write bytes, given as such or in hex, as a target reads them; cut where that must be."""
    plain = bytes.fromhex(data) if isinstance(data, str) else data or b""
    return struct.pack("<H", min(len(plain), 8192)) + plain[:8192]


def edits(places: tuple[int, ...] = (0, 3, 12, 20, 50)) -> Iterator[bytes]:
    """Return edits: none, a bit at some places, a cut, something put in, a value of meaning."""
    yield NOTHING
    for place in places:
        yield ONE_BIT + struct.pack("<I", place)
    yield CUT + struct.pack("<I", 30)
    yield INSERTION + struct.pack("<I", 9999) + field(b"more")
    yield INSERTION + struct.pack("<I", 13) + field(b"more")
    for value in range(6):
        yield b"\0G" + struct.pack("<IB", 32 * value, value)


def cell() -> Iterator[bytes]:
    """Cells of each kind, as recorded; and what becomes of our own."""
    for case in cases("cell_seal"):
        yield (
            bytes([16]) + field(case["key"]) + field(case["context"]) + bytes.fromhex(case["cell"])
        )
    for mode in range(3):
        for context in (b"", b"context"):
            for edit in edits():
                yield bytes([mode]) + field(b"key") + field(context) + field(b"message") + edit
    for edit in edits():
        yield bytes([32 | 8]) + field(b"key") + field(b"context") + field(b"message") + edit
    yield b"\0"


def passphrase() -> Iterator[bytes]:
    """Cells as recorded, of which those with few rounds open; and what becomes of ours."""
    for case in cases("cell_passphrase"):
        yield (
            b"\1\xff"
            + field(case["passphrase"])
            + field(case["context"])
            + bytes.fromhex(case["cell"])
        )
    start = b"\0\x07" + field(b"secret") + field(b"context")
    for edit in edits((0, 4, 8, 12, 16, 48, 52, 53, 60, 90)):
        yield start + field(b"salt" * 4) + field(b"message") + b"\3" + edit
        yield start + field(b"") + field(b"message") + b"\0" + edit + field(b"written")
    yield b"\x06" + start[1:] + field(b"salt") + field(b"message") + b"\0" + NOTHING
    yield b"\0"


def signed() -> Iterator[bytes]:
    """Messages and keys as recorded; and what becomes of ours."""
    for case in cases("message_signed"):
        yield bytes([8]) + field(case["public_key"]) + bytes.fromhex(case["signed"])
    for kind in range(5):
        for edit in edits():
            yield bytes([kind]) + field(b"message") + edit


def encrypted() -> Iterator[bytes]:
    """Messages and keys as recorded; and what becomes of ours."""
    for case in cases("message_encrypted"):
        yield (
            bytes([8])
            + field(case["private_key"])
            + field(case["public_key"])
            + bytes.fromhex(case["wrapped"])
        )
    for kind in range(5):
        for edit in edits():
            yield bytes([kind]) + field(b"message") + edit


def keys() -> Iterator[bytes]:
    """Keys of each kind, sound and not; and edits of ours."""
    raw = b"\0" * 5
    for case in cases("key_validity"):
        yield bytes([8]) + raw + field(case["key"])
        yield bytes([8 | 16]) + raw + field(case["key"])
    for case in cases("key_pairs"):
        for form in ("private", "private_short", "public", "public_uncompressed"):
            if form in case:
                yield bytes([8 | 128]) + raw + field(case[form])
    for kind in range(5):
        for edit in edits():
            yield bytes([kind | 16]) + edit
            yield bytes([kind | 16 | 32]) + edit


def key_text() -> Iterator[bytes]:
    """Private keys in PEM, DER and PEM again; SEC1 and PKCS#1 in the same blocks."""
    for case in cases("key_pairs"):
        if "pkcs8_pem" not in case:
            continue
        text = case["pkcs8_pem"]
        der = base64.b64decode("".join(text.splitlines()[1:-1]))
        inner = re.search(rb"\x04(?:\x81.|\x82..|.)(\x30.{100,})", der[20:], re.DOTALL)
        yield b"\1" + field(b"") + text.encode()
        for plain in (der, inner[1] if inner else b""):
            yield b"\0" + field(b"") + plain
            yield b"\0" + field(b"secret") + plain
            for label in range(8):
                yield bytes([2 | label << 2]) + field(b"") + field(b"") + plain
    for foreign in foreign_keys():
        yield b"\0" + field(b"") + foreign
        yield bytes([2]) + field(b"") + field(b"") + foreign
    for text in ENCRYPTED_KEYS:
        der = base64.b64decode(text)
        for secret in (b"secret", b"wrong", b""):
            yield b"\0" + field(secret) + der
            yield bytes([2 | 5 << 2]) + field(secret) + field(b"") + der
        yield bytes([2 | 3 << 2]) + field(b"") + field(b"Proc-Type: 4,ENCRYPTED") + der


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encode a value in DER."""
    content = b"".join(contents)
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    return bytes([tag, size] if size < 128 else [tag, 0x80 | len(length), *length]) + content


def foreign_keys() -> Iterator[bytes]:
    """Keys of kinds that are refused, integers of thousands of bytes, and DER within DER."""
    zero, number = tlv(2, b"\0"), tlv(2, b"\x7f" * 32)
    huge = tlv(2, b"\0" + b"\xff" * 4000)
    for name in FOREIGN:
        algorithm = tlv(0x30, tlv(6, bytes.fromhex(name)))
        with_curve = tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3d0201")), tlv(6, bytes.fromhex(name)))
        for kind in (algorithm, with_curve):
            yield tlv(0x30, zero, kind, tlv(4, tlv(4, b"k" * 32)))
            yield tlv(0x30, kind, tlv(3, b"\0", b"k" * 65))
    rsa = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010101")), tlv(5))
    for modulus, exponent in ((huge, number), (number, huge), (huge, huge)):
        yield tlv(0x30, rsa, tlv(3, b"\0", tlv(0x30, modulus, exponent)))
        private = tlv(0x30, zero, modulus, exponent, *[huge] * 2, *[number] * 4)
        yield tlv(0x30, zero, rsa, tlv(4, private))
    explicit = tlv(0x30, tlv(2, b"\1"), tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3d0101")), huge))
    curve = tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3d0201")), explicit)
    yield tlv(0x30, curve, tlv(3, b"\0", b"\4" + b"k" * 64))
    for depth, tag in ((20, 0x30), (1000, 0x30), (1000, 0x24), (1000, 0xA0)):
        nested = b""
        for _ in range(depth):
            nested = tlv(tag, nested)
        yield nested
        yield tlv(0x30, zero, rsa, tlv(4, nested))
    yield b"\x30\x80" * 2000  # lengths that are not told
    yield tlv(0x30, *[zero] * 2000)


def container() -> Iterator[bytes]:
    """Boxes as recorded, whole and damaged; and ours."""
    for case in cases("soter_container"):
        for flags in (0, 2):
            yield bytes([flags]) + field(case["container"])
            yield bytes([flags]) + field(case["container"] + "00")
            yield bytes([flags]) + field(case["container"][:-2])
        yield b"\1" + struct.pack("<I", 77) + field(case["payload"]) + field(b"behind")


def attacks() -> Iterator[bytes]:
    """Return attacks on a negotiation message."""
    for mend in range(4):
        for edit in edits((0, 4, 12, 16, 24, 30, 34, 42, 50, 100)):
            yield bytes([mend]) + edit
        for other in range(4):
            yield bytes([mend | 4 | 128 | other << 4])
        for case in cases("session_transcripts"):
            for number in range(1, 5):
                yield bytes([mend | 8]) + field(case[f"message{number}"])


def session(point: bytes) -> Iterator[bytes]:
    """Attacks on either message, and forged ones of a peer with the right key."""
    for number, attack in enumerate(attacks()):
        yield bytes([(0, 1, 4, 8)[number % 4]]) + attack + b"\0\0" + struct.pack("<I", 20)
    for attack in list(attacks())[::5]:
        yield b"\0" + b"\0" + NOTHING + attack
    for identity in (b"client", b"", b"\0" * 300):
        for ephemeral in (1, 3, 5, 9, 13):
            for edit in edits((0, 4, 12, 13, 40)):
                yield b"\2" + field(identity) + bytes([ephemeral]) + edit + b"\2" + edit
        for payload in (point, b"\4" + point[1:] * 2, b"\2" + b"\xff" * 32, b"\0" * 33, b"\0"):
            yield b"\2" + field(identity) + b"\0" + field(payload) + b"\2" + NOTHING


def session_either() -> Iterator[bytes]:
    """The same for both sides."""
    return session(bytes.fromhex(cases("key_pairs")[0]["public"])[12:])


def session_data() -> Iterator[bytes]:
    """Messages in order, lost, late, repeated, across a wrap of numbers, used up, and forged."""
    text = field(b"message")
    for flags in (*range(4), 5, 7):
        for first in (0, 1000, 2**31 - 2, 2**32 - 3):
            start = bytes([flags]) + struct.pack("<I", first)
            yield start + (b"\1" + text) * (55 if flags & 4 else 12)
            yield start + (b"\0" + text) * 10 + b"\5\x0d\x15\x1d\5" + b"\1" + text
            for edit in edits((0, 4, 16, 20, 30, 40)):
                yield start + b"\3" + text + edit
            for behind in (0, 1, 8, 9, 10, 128, 129, 255):
                forged = b"\6" + text + struct.pack("<BBI", 0, 128 - behind & 255, 100000)
                yield start + b"\1" + text + forged * 2
            for number in (0, 1, first + 2**31 & 0xFFFFFFFF, first + 2**31 - 1 & 0xFFFFFFFF):
                yield start + (b"\6" + text + struct.pack("<BII", 1, number, 100000)) * 2
            for late in (100000, 100000 - 86400, 100000 - 86401, 100000 + 86400, 100000 + 86401):
                yield start + b"\6" + text + struct.pack("<BBI", 0, 129, late)
            yield start + b"\6" + text + struct.pack("<BBII", 2, 129, 0, 100000)
            yield start + b"\6" + text + struct.pack("<BBIII", 4, 129, 0, 2**32 - 1, 2**32 - 1)
            yield start + b"\4" + field(b"x" * 53) + b"\4" + field(b"x" * 52)


def comparator() -> Iterator[bytes]:
    """Equal secrets and different ones, each message changed in many ways."""
    yield b"\0" + field(b"") + field(b"secret")
    yield b"\0" + field(b"secret") + field(b"")
    for number in range(5):
        for flags in (0, 4, 9):
            bob = b"" if flags & 1 else field(b"secret")
            for edit in edits((0, 31, 40, 64, 100, 130, 191, 200, 300)):
                other = bytes([number // 2]) if flags & 4 else b""
                yield bytes([flags]) + field(b"secret") + bob + bytes([number]) + other + edit
        yield b"\0" + field(b"one secret") + field(b"another") + bytes([number]) + NOTHING
        yield b"\2" + field(b"secret") + field(b"secret") + bytes([number]) + field(b"\1" * 192)


def sealed() -> Iterator[bytes]:
    """Headers as recorded, and what becomes of our own, and of chunks of one piece and two."""
    for case in (*cases("sealed_file"), *cases("sealed_file", "refused")):
        file = bytes.fromhex(case.get("hex", ""))
        size = 14 + int.from_bytes(file[10:14], "big") + 32
        yield b"\1" + field(case["context"]) + file[: min(size, 8192)]
    for slots in (2, 4, 8, 14, 16):
        for size in (7, 8, 100, 4096, 4103, 5000):
            for edit in edits((0, 8, 9, 20, 100)):
                start = bytes([slots]) + field(b"context") + edit
                yield start + struct.pack("<IB", 5, 0) + field(bytes(size)) + edit


def ring() -> Iterator[bytes]:
    """Payloads as recorded and as edited, stored values as recorded, and what becomes of ours."""
    for case in cases("keyring", "payloads"):
        yield b"\0" + field(case["payload"].encode())
    for case in cases("keyring", "refused_payloads"):
        yield b"\0" + field(case["payload_hex"])
    for edit in edits((0, 8, 20, 31, 60, 100, 130, 250, 300)):
        yield b"\4" + edit
        for context in (b"", b"context", b"TSFILE1"):
            yield b"\1" + field(context) + field(b"message") + edit
    for case in (*cases("stored_value"), *cases("stored_value", "refused")):
        yield b"\3" + field(case["context"]) + field(case["stored"])


def column() -> Iterator[bytes]:
    """Columns of each format, honest ones, with and without nulls, row ids and dictionaries."""
    text = b"one, two and three"
    ends = (0, 3, 3, 18)
    offsets = struct.pack("<4i", *ends), struct.pack("<4q", *ends)
    views = struct.pack("<i12si4sii", 3, b"two", 15, text[:4], 0, 3) + bytes(16)
    of_format = [field(offsets[number % 2]) + field(text) for number in range(4)]
    of_format += [field(views) + field(text)] * 2 + [field(bytes(range(64)))] * 10
    ids = b"\x08\3\0\0" + of_format[8]
    for number, buffers in enumerate(of_format):
        for flags in (0, 1, 3, 5, 16, 17, 33):
            for validity in (b"\0", b"\1"):
                nulls = field(b"\5") if validity == b"\1" else b""
                values = b"\3\0" + validity + buffers + nulls
                yield bytes([flags, number]) + values + b"\3\0\0" + of_format[0] + ids
        yield bytes([9, number]) + b"\3\0\xf0" + buffers + b"\3\0\0" + of_format[0] + ids
    entries = b"\3\0\0" + of_format[0]
    yield b"\x09\x09\3\0\0" + field(b"\0\2\1") + entries + ids


def bytes_() -> Iterator[bytes]:
    """Each step with room, without, and at the very end."""
    for room in (0, 1, 2, 4, 7, 8, 9, 255):
        for verb in range(8):
            for text in (b"", b"text"):
                yield bytes([room]) + (bytes([verb]) + field(text)) * 2
                yield bytes([room]) + bytes([128 | verb, len(text)]) * 2


# The names of RSA-PSS, DSA, DH, X25519, Ed25519, Ed448, P-224, secp256k1, brainpoolP256r1, GOST
FOREIGN = (
    *("2a864886f70d01010a", "2a8648ce380401", "2a864886f70d010301", "2b656e", "2b6570", "2b6571"),
    *("2b81040021", "2b8104000a", "2b2403030208010107", "2a85030701010101"),
)
# Of `openssl pkcs8 -topk8`, with "secret": -iter 10; -scrypt; -v1 PBE-SHA1-3DES
ENCRYPTED_KEYS: tuple[str, ...] = (
    "MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAhgxao7OPOjMQIBCjAM"
    "BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQlsq7gLP+KytaKlxykYEppQSBkFFz"
    "myPU6p/gQYCEcIbe7S8nxy9THaaCcTbIhRnMnFVWkVGG2w6OPklE9HshfNyK6+ut"
    "ZerNHfi3MeI3USFGdfYHKrfIVgB7c/HvlL4wWIYZ8cNHsE06MT3hcV1sap6970Px"
    "HF51ygOqYPhszXdNBQt6ift6bv2d4UQvhvkzoTky60j3MaM6Qw2cgyG/pAQkIg==",
    "MIHjME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAix0pBV0Cf68AIBEAIB"
    "CAIBATAdBglghkgBZQMEASoEEL68XNhWJyTjuJMun+ifF6oEgZAtD5B86tRgswyH"
    "ZHVjsPpf4cillh5FZf0pcscyTEvv6Vk5XLgBMFtK1x3ZI7qpwMX3JDZ0tDuo13qy"
    "T5tTC1DxkWHkJ3w3ot+V2w+UPqNj5t092JEEglUuu0nwo/kNu0336CXw7g6B1col"
    "2sNA1secLym7qehUX/7PqomSfDHJufUxl6wLeGJGfFiyWvgYRp4=",
    "MIGxMBwGCiqGSIb3DQEMAQMwDgQIl3QRRh4mBWICAggABIGQXccJ91fxVO+pualO"
    "zpxMb84yP2fQlAAfufcXTqdFie5GE+fmvk+QeRIfe+m9ozvITsAfEx5MWH/1vUeF"
    "jepG2IVdiP0PzModh98NKO+c2nOOWa7WjjqKqy668adAiXY0EWe+BwpJBAtLF0/X"
    "SmiVkM0AJhXdnaFC8J6Pj/BT1lATsVpgCgpxk6mq4LVHmJ4V",
)

SEEDS = {
    "bytes": bytes_,
    "cell": cell,
    "passphrase": passphrase,
    "signed": signed,
    "encrypted": encrypted,
    "keys": keys,
    "key_text": key_text,
    "container": container,
    "session_client": session_either,
    "session_server": session_either,
    "session_data": session_data,
    "comparator": comparator,
    "sealed": sealed,
    "ring": ring,
    "column": column,
}
