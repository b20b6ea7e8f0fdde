# SPDX-License-Identifier: Apache-2.0
"""Cells and messages as the specification has them, written in Python alone.

Every random number is the caller's, so that a seed gives the same bytes again; every field can be
another than an honest writer's, and what is written is authentic all the same.
"""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from support.keys import CURVES

CELL = 0x40010100
PASSPHRASE_CELL = 0x41010100
EC_SIGNED, RSA_SIGNED = 0x26042620, 0x26042610
EC_ENCRYPTED, RSA_ENCRYPTED = 0x26042720, 0x26042710
GROUPS = {"2": ec.SECP256R1(), "3": ec.SECP384R1(), "5": ec.SECP521R1()}


def kdf(key, label, contexts, size=32):
    """Derive a key."""
    text = b"\0\0\0\1" + label + b"\0" + b"".join(contexts)
    return hmac.digest(key, text, "sha256")[:size]


def gcm(key, nonce, message, associated):
    """Encrypt with AES-GCM: ciphertext and tag."""
    if len(nonce) < 8:  # cryptography refuses what no parser lets through anyhow
        nonce = nonce.ljust(8, b"\0")
    encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    return encryptor.update(message) + encryptor.finalize(), encryptor.tag


class CellForm:
    """The fields of a cell's token; an honest writer's, unless told otherwise."""

    def __init__(self, dice, *, odd=False, descriptor=CELL):
        self.descriptor, self.iv_size, self.tag_size = descriptor, 12, 16
        self.length_error, self.length_width = 0, 4
        if odd:
            self._change(dice)

    def _change(self, dice):
        way = dice.randrange(6)
        if way == 0:
            self.descriptor = self.descriptor & ~0xFFF | dice.choice((128, 192, 256, 64, 0, 512))
        elif way == 1:
            self.descriptor ^= 1 << dice.randrange(32)
        elif way == 2:
            self.iv_size = dice.choice((0, 1, 8, 11, 13, 16, 17, 32))
        elif way == 3:
            self.tag_size = dice.choice((0, 1, 4, 8, 12, 15, 17, 18, 32))
        elif way == 4:
            self.length_error = dice.choice((-1, 1, 4, 1 << 31))
        else:
            self.length_width = 8

    @property
    def key_size(self):
        """The bytes of the AES key."""
        bits = self.descriptor & 0xFFF
        return bits // 8 if bits in (128, 192, 256) else 32

    def encrypt(self, dice, key, message, context):
        """Give iv, tag and ciphertext under the key derived from this master key."""
        length = len(message).to_bytes(self.length_width, "little")
        derived = kdf(key, b"Themis secure cell message key", [length, context], self.key_size)
        iv = dice.randbytes(self.iv_size)
        encrypted, tag = gcm(derived, iv[:12], message, context)
        tag = tag[: self.tag_size].ljust(self.tag_size, b"\xaa")
        return iv, tag, encrypted

    def numbers(self, message):
        """Give the beginning of the token."""
        length = (len(message) + self.length_error) % 2**32
        return struct.pack("<IIII", self.descriptor, self.iv_size, self.tag_size, length)


def protect(dice, form, key, message, context):
    """Write in Token Protect mode: (ciphertext, token)."""
    iv, tag, encrypted = form.encrypt(dice, key, message, context)
    return encrypted, form.numbers(message) + iv + tag


def seal(dice, form, key, message, context):
    """Write in Seal mode."""
    encrypted, token = protect(dice, form, key, message, context)
    return token + encrypted


def passphrase_seal(dice, form, passphrase, message, context, iterations, salt):
    """Write in Seal mode with a passphrase."""
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt, iterations, 32)
    iv, tag, encrypted = form.encrypt(dice, key, message, context)
    kdf_context = struct.pack("<IH", iterations, len(salt)) + salt
    size = struct.pack("<I", len(kdf_context))
    return form.numbers(message) + size + iv + tag + kdf_context + encrypted


# ---- Keys, as numbers ----


class EcKey:
    """A private key out of its container."""

    def __init__(self, private):
        self.curve = chr(private[3])
        self.d = int.from_bytes(private[12:], "big")
        self.n = CURVES[self.curve][2]
        self.key = ec.derive_private_key(self.d, GROUPS[self.curve])

    def sign(self, dice, message):
        """Sign: r and s."""
        k = dice.randrange(1, self.n)
        r = ec.derive_private_key(k, GROUPS[self.curve]).public_key().public_numbers().x % self.n
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        return r, pow(k, -1, self.n) * (digest + r * self.d) % self.n

    def agree(self, public):
        """Agree on a secret with a public key in its container."""
        return self.key.exchange(ec.ECDH(), point(self.curve, public))


def point(curve, public):
    """Read a public key out of its container; a ValueError if it is none."""
    return ec.EllipticCurvePublicKey.from_encoded_point(GROUPS[curve], public[12:])


class RsaKey:
    """A private key out of its container."""

    def __init__(self, private):
        payload = private[12:]
        self.size = (len(payload) - 4) * 2 // 9
        self.d = int.from_bytes(payload[: self.size], "big")
        self.modulus = payload[-4 - self.size : -4]
        self.n = int.from_bytes(self.modulus, "big")
        self.e = int.from_bytes(payload[-4:], "big")
        half = self.size // 2
        self.p, self.q, self.dp, self.dq, self.qinv = (
            int.from_bytes(payload[at : at + half], "big")
            for at in range(self.size, self.size + 5 * half, half)
        )

    def raw_public(self, block):
        """Exponentiate a block of the modulus's size with the public exponent."""
        return pow(int.from_bytes(block, "big") % self.n, self.e, self.n).to_bytes(self.size, "big")

    def raw_private(self, block):
        """Exponentiate a block of the modulus's size with the private exponent."""
        value = int.from_bytes(block, "big")
        one, other = pow(value, self.dp, self.p), pow(value, self.dq, self.q)
        result = other + self.q * ((one - other) * self.qinv % self.p)
        return result.to_bytes(self.size, "big")


# ---- Signed messages ----


def der_number(value, dice=None):
    """Write a number in DER; with dice, in one of the ways that are not quite DER."""
    body = value.to_bytes(max(1, value.bit_length() // 8 + 1), "big", signed=value < 0)
    if dice is None:
        return b"\x02" + der_length(len(body)) + body
    way = dice.randrange(6)
    if way == 0:
        body = bytes(dice.choice((1, 2, 5))) + body
    elif way == 1 and body[0] == 0:
        body = body[1:] or b"\0"
    elif way == 2:
        return b"\x02\x81" + bytes([len(body)]) + body
    elif way == 3:
        return b"\x02" + bytes([(len(body) + dice.choice((-1, 1))) % 256]) + body
    elif way == 4:
        body = b"\xff" + body
    else:
        return bytes([dice.choice((0x03, 0x0A, 0x22, 0x82))]) + der_length(len(body)) + body
    return b"\x02" + der_length(len(body)) + body


def der_length(size):
    """Write a length."""
    return bytes([size]) if size < 128 else b"\x81" + bytes([size])


def der_signature(dice, r, s, n):
    """Write a signature as DER, or nearly, or with numbers that belong to no signature."""
    way = dice.randrange(10)
    if way == 0:
        r, s = r, n - s
    elif way == 1:
        r, s = (r + n, s) if dice.random() < 0.5 else (r, s + n)
    elif way == 2:
        r, s = dice.choice(((0, s), (r, 0), (n, s), (r, n), (-r, s), (r, -s), (r - n, s), (1, s)))
    odd = dice if 3 <= way <= 5 else None
    which = dice.randrange(2)
    numbers = [der_number(r, odd if which == 0 else None), der_number(s, odd if which else None)]
    if way == 6:
        numbers.append(dice.choice((b"\0", b"\x05\0", dice.randbytes(3))))
    body = b"".join(numbers)
    if way == 7:
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body
    if way == 8:
        return b"\x30\x80" + body + b"\0\0"
    if way == 9:
        return b"\x30" + der_length(len(body)) + body + dice.choice((b"\0", b"\0\0", b"more"))
    return b"\x30" + der_length(len(body)) + body


def mgf1(seed, size, name):
    """Stretch a seed."""
    blocks = range((size + hashlib.new(name).digest_size - 1) // hashlib.new(name).digest_size)
    return b"".join(hashlib.new(name, seed + i.to_bytes(4, "big")).digest() for i in blocks)[:size]


def xor(one, other):
    """Combine bytes."""
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


PSS_WAYS = 8
OAEP_WAYS = 6
HONEST = -1


def pss_signature(dice, key, message, way=HONEST):
    """Sign with PSS; the other ways have another salt, padding, trailer or digest."""
    name = "sha1" if way == 0 else "sha256"
    size, space = 32 if name == "sha256" else 20, key.size
    most = space - size - 2
    salt_size = dice.choice((0, 1, 20, 32, most - 1)) if way in (1, 2) else most
    salt = dice.randbytes(salt_size)
    digest = hashlib.new(name, message).digest()
    inner = hashlib.new(name, bytes(8) + digest + salt).digest()
    block = bytearray(bytes(space - size - salt_size - 2) + b"\x01" + salt)
    if way == 3:
        block[dice.randrange(len(block) - salt_size)] ^= 1 << dice.randrange(8)
    masked = bytearray(xor(block, mgf1(inner, len(block), "sha1" if way == 4 else name)))
    if way != 5:
        masked[0] &= 0x7F
    trailer = dice.choice((b"\xcc", b"\0", b"\xbd")) if way == 6 else b"\xbc"
    signature = key.raw_private(bytes(masked) + inner + trailer)
    if way == 7:
        other = int.from_bytes(signature, "big") + key.n
        fits = other < 1 << 8 * key.size
        signature = other.to_bytes(key.size, "big") if fits else b"\0" + signature
    return signature


def signed(kind, message, signature):
    """Put a signed message together."""
    return struct.pack("<III", kind, len(message), len(signature)) + message + signature


# ---- Encrypted messages ----


def oaep(dice, key, secret, way=HONEST):
    """Encrypt with OAEP to a key; the other ways have another label, digest or padding."""
    name = "sha256" if way == 0 else "sha1"
    size = hashlib.new(name).digest_size
    label = b"label" if way == 1 else b""
    space = key.size - 2 * size - 2
    if len(secret) > space:
        secret = secret[: max(space, 0)]
    block = bytearray(hashlib.new(name, label).digest() + bytes(space - len(secret)))
    if way == 2:
        block[size:] = dice.randbytes(len(block) - size)
    block += (dice.choice((b"\x02", b"\0")) if way == 3 else b"\x01") + secret
    seed = dice.randbytes(size)
    masked = xor(block, mgf1(seed, len(block), "sha256" if way == 4 else name))
    first = b"\x01" if way == 5 else b"\0"
    return key.raw_public(first + xor(seed, mgf1(masked, size, name)) + masked)


def oaep_secret_size(key, wrapped):
    """Tell how long a wrapped secret is, whose padding is good."""
    block = key.raw_private(wrapped)
    seed = xor(block[1:21], mgf1(block[21:], 20, "sha1"))
    content = xor(block[21:], mgf1(seed, len(block) - 21, "sha1"))[20:]
    return len(content) - content.index(1) - 1


def ec_encrypted(sealed):
    """Put an encrypted message of EC keys together."""
    return struct.pack("<II", EC_ENCRYPTED, 8 + len(sealed)) + sealed


def rsa_encrypted(wrapped, sealed):
    """Put an encrypted message of RSA keys together."""
    total = 12 + len(wrapped) + len(sealed)
    return struct.pack("<III", RSA_ENCRYPTED, total, len(wrapped)) + wrapped + sealed
