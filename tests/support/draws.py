# SPDX-License-Identifier: Apache-2.0
"""Everything that is drawn: what a copy of a process must never draw again."""

import functools
import hashlib
from typing import NamedTuple

from pythemis.scell import SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import GenerateKeyPair, GenerateSymmetricKey, to_der
from pythemis.smessage import SecureSigner, SMessage
from support.cells import FEWER
from support.keys import generated, payload_of
from support.sessions import established, parties, parts_of

OFTEN, SELDOM = max(2, 50 // FEWER), 1  # what takes long is drawn seldom

CELL = SCellSeal(b"k" * 32)
TOKENS = SCellTokenProtect(b"k" * 32)
PASSPHRASE = SCellSeal(passphrase="secret")
EC, RSA = generated("EC"), generated("RSA")
MESSAGES = SMessage(EC[0], GenerateKeyPair("EC").export_public_key())
RSA_MESSAGES = SMessage(*RSA)
SIGNER, RSA_SIGNER = SecureSigner(EC[0]), SecureSigner(RSA[0])
AES_256_CBC = bytes.fromhex("060960864801650304012a0410")  # and an iv follows
PBKDF2 = bytes.fromhex("2a864886f70d01050c")  # and, within 8 bytes, a salt


class Draw(NamedTuple):
    """One kind of number: its size, how to get one, and how often."""

    size: int
    draw: object
    times: int = OFTEN


def signature_point(signed):
    """Give the random point of an ECDSA signature: 30 len 02 len r..."""
    signature = signed[12 + len(b"the same") :]
    return int.from_bytes(signature[4 : 4 + signature[3]], "big").to_bytes(32, "big")


def oaep_seed(wrapped):
    """Undo RSA and the mask on the seed of the padding: 00 | masked seed | masked rest."""
    numbers = payload_of(RSA[0])
    d, n = (int.from_bytes(number, "big") for number in (numbers[:256], numbers[-260:-4]))
    padded = pow(int.from_bytes(wrapped, "big"), d, n).to_bytes(256, "big")
    mask = hashlib.sha1(padded[21:] + bytes(4), usedforsecurity=False).digest()
    return bytes(a ^ b for a, b in zip(padded[1:21], mask, strict=True))


def connect_request():
    """Give the ephemeral key of a new session."""
    return payload_of(parts_of(parties()[0].connect_request())[1])


def passphrase_salt_and_nonce():
    """Give both of a new passphrase cell."""
    cell = PASSPHRASE.encrypt(b"m")
    return cell[54:70][:12] + cell[20:32]


def pkcs8_salt_and_iv():
    """Give both of an encrypted private key; OpenSSL draws the second by itself."""
    der = to_der(EC[0], "passphrase")
    salt = der.index(bytes.fromhex("0410"), der.index(PBKDF2)) + 2
    iv = der.index(AES_256_CBC) + len(AES_256_CBC)
    return der[salt : salt + 16] + der[iv : iv + 16]


@functools.cache
def client():
    """Give one side of an established session."""
    return established()[0]


@functools.cache
def first_message():
    """Give the beginning of one comparison."""
    return SComparator(b"secret").begin_compare()


DRAWS = {
    "nonce": Draw(12, lambda: CELL.encrypt(b"the same")[16:28]),
    "token": Draw(12, lambda: TOKENS.encrypt(b"the same")[1][12:24]),
    "ec message": Draw(12, lambda: MESSAGES.wrap(b"the same")[24:36]),
    "rsa message": Draw(12, lambda: RSA_MESSAGES.wrap(b"the same")[284:296]),
    "rsa padding": Draw(20, lambda: oaep_seed(RSA_MESSAGES.wrap(b"the same")[12:268]), SELDOM),
    "session message": Draw(12, lambda: client().wrap(b"the same")[4:16]),
    "symmetric key": Draw(32, GenerateSymmetricKey),
    "ec key": Draw(32, lambda: payload_of(GenerateKeyPair("EC").export_private_key())[1:]),
    "rsa key": Draw(1156, lambda: payload_of(GenerateKeyPair("RSA").export_private_key()), SELDOM),
    "ec signature": Draw(32, lambda: signature_point(SIGNER.sign(b"the same"))),
    "rsa signature": Draw(256, lambda: RSA_SIGNER.sign(b"the same")[-256:]),
    "ephemeral key": Draw(33, connect_request),
    "salt of a passphrase": Draw(12, passphrase_salt_and_nonce, SELDOM),
    "salt of an encrypted key": Draw(16, pkcs8_salt_and_iv, SELDOM),
    "comparison begun": Draw(32, lambda: SComparator(b"secret").begin_compare()),
    "comparison answered": Draw(
        32, lambda: SComparator(b"secret").proceed_compare(first_message())
    ),
}


def draw_of(name, times=None):
    """Draw one kind several times; give the numbers joined."""
    return b"".join(DRAWS[name].draw() for _ in range(times or DRAWS[name].times))
