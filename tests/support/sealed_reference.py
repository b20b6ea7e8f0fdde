# SPDX-License-Identifier: Apache-2.0
"""Sealed files, written down a second time so that one can check the other.

This is the part that reads, of the reference that the vectors were made with. It stands on
`cryptography` and the formulas of the specification, and knows nothing of pythemis. Small rather
than fast: whole files in memory, no secret is wiped.
"""

# ruff: noqa: D103, E501, N818, RUF007, B905, SIM102
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from struct import pack, unpack_from

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class FormatError(Exception):
    """Refused."""


class Malformed(FormatError):
    """Public bytes break the rules: no key was needed to see it."""


class NewerVersion(FormatError):
    """A later version of the format; this reader does not know it."""


class TooCostly(FormatError):
    """The file asks for more passphrase iterations, or larger chunks, than the reader allows."""


class Refused(FormatError):
    """Wrong key, wrong context or damage: the reader does not say which."""


# --- the pieces of SPEC.md that are needed -------------------------------------------------

CELL_LABEL = b"Themis secure cell message key"
TOKEN = bytes.fromhex("000101400c00000010000000")
PASSPHRASE_TOKEN = bytes.fromhex("000101410c00000010000000")
MESSAGE_TYPE = bytes.fromhex("20270426")
ITERATIONS = 314110


def kdf(key, label, contexts, n):
    return hmac.digest(key, b"\0\0\0\1" + label + b"\0" + b"".join(contexts), "sha256")[:n]


def cell_key(key, length, context):
    return kdf(key, CELL_LABEL, [pack("<I", length), context], 32)


def gcm_open(key, iv, tag, ciphertext, context):
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, context)
    except InvalidTag:
        raise Refused("wrong key or context, or corrupted") from None


def unseal(key, cell, context=b""):
    """Read a cell in its one canonical form (stricter than SPEC.md, section 3)."""
    if len(cell) < 45 or cell[:16] != TOKEN + pack("<I", len(cell) - 44):
        raise Refused("not a cell in canonical form")
    return gcm_open(
        cell_key(key, len(cell) - 44, context), cell[16:28], cell[28:44], cell[44:], context
    )


def unseal_passphrase(passphrase, cell, context):
    (iterations,) = unpack_from("<I", cell, 48)
    pre = hashlib.pbkdf2_hmac("sha256", passphrase, cell[54:70], iterations, 32)
    return gcm_open(
        cell_key(pre, len(cell) - 70, context), cell[20:32], cell[32:48], cell[70:], context
    )


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def container(tag, payload):
    size = pack(">I", 12 + len(payload))
    return tag + size + pack("<I", crc32c(tag + size + bytes(4) + payload)) + payload


def public_from(blob):
    """Parse a P-256 public key container, compressed or not; give it back compressed too."""
    if blob[:4] != b"UEC2" or len(blob) not in (45, 77) or container(b"UEC2", blob[12:]) != blob:
        raise Malformed("not a P-256 public key")
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), blob[12:])
    except ValueError:
        raise Malformed("not a point of P-256") from None
    return key, container(b"UEC2", key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def private_from(blob):
    if blob[:4] != b"REC2" or len(blob) not in (44, 45) or container(b"REC2", blob[12:]) != blob:
        raise Malformed("not a P-256 private key")
    return ec.derive_private_key(int.from_bytes(blob[12:], "big"), ec.SECP256R1())


def public_of(private):
    point = (
        private_from(private).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    )
    return container(b"UEC2", point)


def shared(private, public):
    return private_from(private).exchange(ec.ECDH(), public_from(public)[0])


def unwrap_message(private, public, blob):
    if blob[:8] != MESSAGE_TYPE + pack("<I", len(blob)):
        raise Refused("not a Secure Message in canonical form")
    return unseal(shared(private, public), blob[8:])


# --- 8 sealed files -----------------------------------------------------------------------

MAGIC = b"TSFILE1\n"
SENDER_PREFIX = MAGIC + b"sender"
KEY, PASSPHRASE, RECIPIENT, SENDER, SERVICE = 1, 2, 3, 4, 5
MAX_SLOTS = 262144  # bytes of slots


@dataclass
class Unlock:
    """What a reader has in hand: `keys` are (id or b"", key), `services` map a name to unwrap(blob, context)."""

    keys: list = field(default_factory=list)
    passphrase: bytes | None = None
    private: bytes | None = None
    sender: bytes | None = None
    services: dict = field(default_factory=dict)
    max_iterations: int = 5_000_000
    max_log2: int = 24

    def check(self):
        if self.passphrase is not None and not self.passphrase:
            raise ValueError("an empty passphrase")
        if self.sender is not None and self.private is None:
            raise ValueError("a sender is named, but there is no private key")


def check_file_context(context, reserved=False):
    """Contexts of keyrings are for keyring code alone: `reserved` is true there and nowhere else."""
    if not reserved and re.match(rb"TK[0-9]", context):
        raise ValueError("contexts that begin with TK and a digit are reserved for keyrings")


def key_name(public):
    return hashlib.sha256(public_from(public)[1]).digest()[:8]


def slot_context(kind, context):
    """What ties a slot of a secret key to its purpose and to the context of its file."""
    label = {KEY: b"key", PASSPHRASE: b"passphrase", SERVICE: b"service"}[kind]
    return MAGIC + label + hashlib.sha256(context).digest()


def slot_key(key, context):
    """The key of a key slot: no plain Secure Cell under the master key is a slot, and no slot is one."""
    return kdf(key, b"TSFILE1 key slot", [hashlib.sha256(context).digest()], 32)


def slot_passphrase(passphrase, context):
    """The same for passphrases, as 64 ASCII characters, which every Themis takes."""
    return (
        kdf(passphrase, b"TSFILE1 passphrase slot", [hashlib.sha256(context).digest()], 32)
        .hex()
        .encode()
    )


def sender_prefix(name, context):
    return SENDER_PREFIX + name + hashlib.sha256(context).digest()


def check_slot(kind, name, body):
    wrapped = MESSAGE_TYPE + pack("<I", 52 + (94 if kind == SENDER else 32)) + TOKEN
    if kind == 0:
        good = False
    elif kind == KEY:
        good = len(name) in (0, 5) and len(body) == 76 and body[:16] == TOKEN + pack("<I", 32)
    elif kind == PASSPHRASE:
        good = not name and len(body) == 102 and body[:20] == PASSPHRASE_TOKEN + pack("<II", 32, 22)
        good = good and body[52:54] == b"\x10\0" and 1 <= unpack_from("<I", body, 48)[0] < 2**31
    elif kind == RECIPIENT:
        good = len(name) in (0, 8) and len(body) == 129 and body[45:69] == wrapped + pack("<I", 32)
        good = good and body[:8] == b"UEC2\0\0\0\x2d" and body[12] in (2, 3)
    elif kind == SENDER:
        good = len(name) == 16 and len(body) == 146 and body[:24] == wrapped + pack("<I", 94)
    elif kind == SERVICE:
        good = bool(name) and all(0x21 <= byte <= 0x7E for byte in name) and bool(body)
    else:
        good = True
    if not good:
        raise Malformed(f"a slot of kind {kind} that breaks its form")


def parse_head(blob):
    """Check everything about the header that needs no key; gives log2, the slots, the header's length."""
    if len(blob) < 14:
        raise Malformed("cut short")
    if blob[:6] == MAGIC[:6] and blob[7:8] == b"\n" and blob[6:7].isdigit() and blob[6:7] != b"1":
        raise NewerVersion("a sealed file of a version this reader does not know")
    if blob[:8] != MAGIC:
        raise Malformed("not a sealed file")
    log2, count, length = unpack_from(">BBI", blob, 8)
    if not 12 <= log2 <= 24 or not count >= 1 or length > MAX_SLOTS or len(blob) < 14 + length + 32:
        raise Malformed("a number of the header is out of range")
    slots, encoded, at, end = [], [], 14, 14 + length
    for _ in range(count):
        if end - at < 4:
            raise Malformed("the slots do not fit")
        kind, name_length, body_length = unpack_from(">BBH", blob, at)
        stop = at + 4 + name_length + body_length
        if stop > end:
            raise Malformed("a slot does not fit")
        name, body = blob[at + 4 : at + 4 + name_length], blob[at + 4 + name_length : stop]
        check_slot(kind, name, body)
        slots.append((kind, name, body))
        encoded.append(blob[at:stop])
        at = stop
    if at != end:
        raise Malformed("bytes after the last slot")
    if any(first >= second for first, second in zip(encoded, encoded[1:])):
        raise Malformed("slots out of order")
    check_slot_set(slots)
    return log2, slots, end


def check_slot_set(slots):
    named = [(kind, name) for kind, name, _ in slots if name and kind <= SERVICE]
    if len(set(named)) != len(named):
        raise Malformed("two slots of one kind and id")
    kinds = [kind for kind, _, _ in slots]
    if kinds.count(PASSPHRASE) > 4 or (SENDER in kinds and len(kinds) > 1):
        raise Malformed("a combination of slots that is not allowed")
    if sum(kind == RECIPIENT and not name for kind, name, _ in slots) > 64:
        raise Malformed("more than 64 hidden recipients")


def attempts(kind, name, body, unlock, context):
    """The ways in which this reader may try to open this slot, each a function of no arguments."""
    if unlock.sender is not None:
        if (
            kind == SENDER
            and unlock.private
            and name == key_name(public_of(unlock.private)) + key_name(unlock.sender)
        ):
            yield lambda: unwrap_message(unlock.private, unlock.sender, body)
    elif kind == KEY:
        for key_id, key in unlock.keys:
            if not name or not key_id or key_id == name:
                yield lambda key=key: unseal(
                    slot_key(key, context), body, slot_context(KEY, context)
                )
    elif kind == PASSPHRASE and unlock.passphrase:
        passphrase = slot_passphrase(unlock.passphrase, context)
        yield lambda: unseal_passphrase(passphrase, body, slot_context(PASSPHRASE, context))
    elif kind == RECIPIENT and unlock.private:
        if not name or name == key_name(public_of(unlock.private)):
            yield lambda: unwrap_message(unlock.private, body[:45], body[45:])
    elif kind == SERVICE and name in unlock.services:
        yield lambda: unlock.services[name](body, slot_context(SERVICE, context))


def find_file_key(log2, slots, unlock, context, fits):
    """The first key that a slot gives and the header's MAC confirms; a slot that opens and does not fit ends nothing."""
    if log2 > unlock.max_log2:
        raise TooCostly("the chunks are larger than the reader allows")
    if unlock.passphrase and unlock.sender is None:
        if (
            sum(unpack_from("<I", body, 48)[0] for kind, _, body in slots if kind == PASSPHRASE)
            > unlock.max_iterations
        ):
            raise TooCostly("the passphrase slots ask for too many iterations")
    for kind, name, body in slots:
        for attempt in attempts(kind, name, body, unlock, context):
            try:
                file_key = attempt()
            except (FormatError, ValueError):
                continue
            if kind == SENDER and file_key[:62] == sender_prefix(name, context):
                file_key = file_key[62:]
            if len(file_key) == 32 and fits(file_key):
                return file_key, kind
    raise Refused("wrong key or context, or corrupted")


def mac_check(context, head, mac):
    return lambda file_key: hmac.compare_digest(header_mac(file_key, context, head), mac)


def header_mac(file_key, context, head):
    digests = hashlib.sha256(context).digest() + hashlib.sha256(head).digest()
    return hmac.digest(file_key, MAGIC + b"header" + digests, "sha256")


def chunk_context(log2, number, last):
    return MAGIC + pack(">BQB", log2, number, last)


class SealedFile:
    """Random access over the bytes of a sealed file, checked in the order of section 8.5."""

    def __init__(self, blob, unlock, context=b"", reserved=False):
        check_file_context(context, reserved)
        unlock.check()
        self.blob = blob
        self.log2, self.slots, end = parse_head(blob)
        self.piece, self.start = 1 << self.log2, end + 32
        whole, rest = divmod(len(blob) - self.start, self.piece + 44)
        if (rest and rest < 52) or not whole + bool(rest):
            raise Malformed("cut short")
        self.count = whole + bool(rest)
        fits = mac_check(context, blob[:end], blob[end : self.start])
        self.file_key, self.opened_by = find_file_key(self.log2, self.slots, unlock, context, fits)
        last = self.chunk(self.count - 1)
        (self.size,) = unpack_from(">Q", last, len(last) - 8)
        self.total = (self.count - 1) * self.piece + len(last)
        if self.size > self.total - 8:
            raise Refused("the length field promises more than there is")
        self.checked(self.count - 1)

    def chunk(self, number):
        at = self.start + number * (self.piece + 44)
        last = number == self.count - 1
        return unseal(
            self.file_key,
            self.blob[at : at + self.piece + 44],
            chunk_context(self.log2, number, last),
        )

    def checked(self, number):
        """The data of one piece; what is neither data nor length must be zero."""
        piece = self.chunk(number)
        keep = min(max(self.size - number * self.piece, 0), self.piece)
        if any(piece[keep : len(piece) - 8 if number == self.count - 1 else len(piece)]):
            raise Refused("padding that is not zero")
        return piece[:keep]

    def read_at(self, offset, n):
        n = max(min(n, self.size - offset), 0)
        first, past = offset // self.piece, -(-(offset + n) // self.piece)
        joined = b"".join(self.checked(number) for number in range(first, past)) if n else b""
        return joined[offset - first * self.piece :][:n]

    def read(self):
        return b"".join(self.checked(number) for number in range(self.count))


def padme(n):
    """The smallest length of at least n whose binary form ends in enough zeros (at most 12 % more)."""
    if n < 2:
        return n
    exponent = n.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return n + mask & ~mask
