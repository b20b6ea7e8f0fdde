# SPDX-License-Identifier: Apache-2.0
"""Write the primitive_*.json beside this file: edge cases that published files lack.

Everything follows from a fixed seed. What is valid is not our own opinion: `cryptography` judges
every case, and Python's hashlib the MACs. Run it with PYTHONPATH=tests.
"""

import hashlib
import hmac
import json
import random
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as other_hmac
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from support.interop import writers as write
from support.keys import CURVES, container, pairs

HERE = Path(__file__).resolve().parent
EC_NAMES = ("p256", "p384", "p521")
RSA_NAMES = ("rsa1024", "rsa2048", "rsa4096", "rsa8192")
SHA1, SHA256 = hashes.SHA1(), hashes.SHA256()
PROVENANCE = "Made by tests/vectors/make_primitives.py; `cryptography` judged what is valid. "


def judged(judge, *refusals):
    """Ask for the second opinion."""
    try:
        judge()
    except refusals:
        return "invalid"
    return "valid"


# ---- AES-GCM ----


def gcm_tags(dice):
    """Cut tags and single bits."""
    for size in (16, 24, 32):
        for length in (0, 1, 16, 33):
            key, nonce = dice.randbytes(size), dice.randbytes(12)
            message, associated = dice.randbytes(length), dice.randbytes(length % 20)
            made = AESGCM(key).encrypt(nonce, message, associated)
            encrypted, tag = made[:length], made[length:]
            tags = {"good": tag}
            tags |= {f"cut to {kept}": tag[:kept].ljust(16, b"\0") for kept in range(0, 16, 3)}
            tags |= {f"bit {bit}": flipped(tag, bit) for bit in range(0, 128, 9)}
            tags |= {"all bits": bytes(255 - byte for byte in tag)}
            for name, other in tags.items():
                fields = {"key": key, "nonce": nonce, "associated": associated}
                fields |= {"message": message, "encrypted": encrypted, "tag": other}
                result = judged(
                    lambda f=fields: AESGCM(f["key"]).decrypt(
                        f["nonce"], f["encrypted"] + f["tag"], f["associated"]
                    ),
                    InvalidTag,
                )
                yield {"id": f"aes{8 * size}-{length}-{name}", "result": result, **fields}


def flipped(data, bit):
    """Flip one bit."""
    return (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(len(data), "big")


# ---- HMAC and PBKDF2 ----

RFC_4231 = (
    (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 20,
        b"\xdd" * 50,
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
    ),
    (
        bytes(range(1, 26)),
        b"\xcd" * 50,
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
    ),
    (b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)
RFC_7914 = (
    (b"passwd", b"salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
    (
        b"Password",
        b"NaCl",
        80000,
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
    ),
)


def macs(dice):
    """RFC 4231, and keys and messages around the block size."""
    for number, (key, message, mac) in enumerate(RFC_4231, 1):
        expected = bytes.fromhex(mac)
        assert hmac.digest(key, message, "sha256")[: len(expected)] == expected
        yield {"id": f"rfc4231-{number}", "key": key, "message": message, "mac": expected}
    for size in (1, 2, 31, 32, 33, 55, 63, 64, 65, 127, 128, 129, 1000):
        for length in (0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000):
            key, message = dice.randbytes(size), dice.randbytes(length)
            mac = hmac.digest(key, message, "sha256")
            other = other_hmac.HMAC(key, SHA256)
            other.update(message)
            assert other.finalize() == mac
            yield {"id": f"{size}-{length}", "key": key, "message": message, "mac": mac}


def stretched(dice):
    """RFC 7914, and lengths of every kind."""
    known = [(*case[:3], f"rfc7914-{number}") for number, case in enumerate(RFC_7914, 1)]
    for size in (1, 8, 63, 64, 65, 200):
        for salt in (0, 1, 16, 64, 300):
            iterations = dice.choice((1, 2, 3, 100))
            case = dice.randbytes(size), dice.randbytes(salt), iterations, f"{size}-{salt}"
            known.append(case)
    for number, (passphrase, salt, iterations, name) in enumerate(known):
        made = hashlib.pbkdf2_hmac("sha256", passphrase, salt, iterations, 32)
        assert number >= len(RFC_7914) or made.hex() == RFC_7914[number][3]
        yield {
            "id": name,
            "passphrase": passphrase,
            "salt": salt,
            "iterations": iterations.to_bytes(4, "big"),
            "stretched": made,
        }


# ---- ECDSA and points ----


def ecdsa(dice):
    """Edges of the numbers, and every near miss of DER."""
    for name in EC_NAMES:
        key, public = write.EcKey(pairs()[name]["private"]), pairs()[name]["public"]
        message = f"a message for {name}".encode()
        r, s = key.sign(dice, message)
        for what, signature in {**numbers(r, s, key.n), **encodings(r, s)}.items():
            judge = write.point(key.curve, public)
            result = judged(
                lambda judge=judge, signature=signature, message=message: judge.verify(
                    signature, message, ec.ECDSA(SHA256)
                ),
                InvalidSignature,
            )
            fields = {"public": public, "message": message, "signature": signature}
            yield {"id": f"{name}-{what}", "result": result, **fields}


def sequence(*parts):
    """Write a DER sequence."""
    body = b"".join(parts)
    return b"\x30" + write.der_length(len(body)) + body


def numbers(r, s, n):
    """Numbers that are in range, and those that are not."""
    cases = {"good": (r, s), "n-s": (r, n - s), "swapped": (s, r)}
    for what, value in {"0": 0, "1": 1, "n-1": n - 1, "n": n, "n+1": n + 1, "-1": -1}.items():
        cases |= {f"r={what}": (value, s), f"s={what}": (r, value), f"both={what}": (value, value)}
    cases |= {"r+n": (r + n, s), "s+n": (r, s + n), "r-n": (r - n, s), "s-n": (r, s - n)}
    cases |= {"-r": (-r, s), "-s": (r, -s), "huge r": (r + (n << 600), s)}
    return {
        what: sequence(write.der_number(one), write.der_number(other))
        for what, (one, other) in cases.items()
    }


def encodings(r, s):
    """The right numbers in encodings that are not DER, and pieces of it."""
    one, other = write.der_number(r), write.der_number(s)
    good, body = sequence(one, other), one + other
    long_length = b"\x82" + len(body).to_bytes(2, "big")
    padded = b"\x02" + bytes([len(one) - 1]) + b"\0" + one[2:]
    return {
        "empty": b"",
        "zero byte": b"\0",
        "empty sequence": b"\x30\0",
        "one number": sequence(one),
        "three numbers": sequence(one, other, other),
        "null inside": sequence(one, other, b"\x05\0"),
        "zeros inside": sequence(one, other, b"\0\0"),
        "byte behind": good + b"\0",
        "bytes behind": good + b"\x05\0",
        "byte cut": good[:-1],
        "padded r": sequence(padded, other),
        "padded s": sequence(one, b"\x02" + bytes([len(other) - 1]) + b"\0" + other[2:]),
        "empty r": sequence(b"\x02\0", other),
        "empty s": sequence(one, b"\x02\0"),
        "unsigned": sequence(unsigned(r), unsigned(s)),
        "BER length": b"\x30" + long_length + body,
        "BER length of r": sequence(b"\x02\x81" + one[1:], other),
        "indefinite length": b"\x30\x80" + body + b"\0\0",
        "length too long": b"\x30" + write.der_length(len(body) + 1) + body,
        "length too short": b"\x30" + write.der_length(len(body) - 1) + body,
        "set": b"\x31" + good[1:],
        "octet string": sequence(b"\x04" + one[1:], other),
        "context tag": sequence(b"\x82" + one[1:], other),
        "raw numbers": one[2:] + other[2:],
        "in a sequence": sequence(good),
    }


def unsigned(value):
    """Write a number without the zero byte that a large one needs."""
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return b"\x02" + write.der_length(len(body)) + body


def points(dice):
    """Ways to write a point, of which three are accepted."""
    for name in EC_NAMES:
        key = write.EcKey(pairs()[name]["private"])
        size, p, _ = CURVES[key.curve]
        other = write.EcKey(pairs()[f"{name}_b"]["private"]).key.public_key().public_numbers()
        x, y = (value.to_bytes(size, "big") for value in (other.x, other.y))
        minus = (p - other.y).to_bytes(size, "big")
        odd = other.y % 2
        cases = {
            "compressed": bytes([2 + odd]) + x,
            "compressed, negated": bytes([3 - odd]) + x,
            "uncompressed": b"\4" + x + y,
            "uncompressed, negated": b"\4" + x + minus,
            "hybrid": bytes([6 + odd]) + x + y,
            "hybrid, wrong": bytes([7 - odd]) + x + y,
            "infinity": b"\0",
            "infinity, padded": bytes(1 + size),
            "infinity, uncompressed": b"\4" + bytes(2 * size),
            "off the curve": b"\4" + x + flipped(y, 0),
            "x is p": b"\2" + p.to_bytes(size, "big"),
            "y is p": b"\4" + x + p.to_bytes(size, "big"),
            "all ones": b"\2" + b"\xff" * size,
            "all ones, uncompressed": b"\4" + b"\xff" * 2 * size,
            "cut": (bytes([2 + odd]) + x)[:-1],
            "longer": bytes([2 + odd]) + x + b"\0",
            "empty": b"",
            **{f"prefix {first}": bytes([first]) + x for first in (0, 1, 4, 5, 6, 7, 0x82, 0xFF)},
            **{f"prefix {first}, both": bytes([first]) + x + y for first in (0, 2, 3, 5, 8)},
        }
        if key.curve == "5":
            cases["x is larger than p"] = bytes([2 + odd]) + (other.x + p).to_bytes(size, "big")
        for number in range(12):
            cases[f"random {number}"] = b"\2" + (dice.randrange(p)).to_bytes(size, "big")
        for what, point in cases.items():
            public = container(b"UEC" + key.curve.encode(), point)
            result = judged(lambda k=key, public=public: k.agree(public), ValueError)
            shared = key.agree(public) if result == "valid" else b""
            fields = {"private": pairs()[name]["private"], "public": public, "shared": shared}
            yield {"id": f"{name}-{what}", "result": result, **fields}


# ---- RSA ----


def pss(dice):
    """Salts of every length, and each part of the padding wrong."""
    auto = padding.PSS(padding.MGF1(SHA256), padding.PSS.AUTO)
    for name in RSA_NAMES:
        key = write.RsaKey(pairs()[name]["private"])
        judge = load_pem_private_key(pairs()[name]["pkcs8_pem"].encode(), None).public_key()
        message = f"a message for {name}".encode()
        good = write.pss_signature(dice, key, message)
        cases = {"good": good, "good, other message": write.pss_signature(dice, key, b"other")}
        for way in range(write.PSS_WAYS):
            for turn in range(3):
                cases[f"way {way}.{turn}"] = write.pss_signature(dice, key, message, way)
        cases |= {"empty": b"", "zeros": bytes(key.size), "one": bytes(key.size - 1) + b"\1"}
        cases |= {"modulus": key.modulus, "ones": b"\xff" * key.size, "byte behind": good + b"\0"}
        cases |= {"zero before": b"\0" + good, "cut": good[:-1], "bit": flipped(good, 0)}
        for what, signature in cases.items():
            result = judged(
                lambda j=judge, signature=signature, message=message: j.verify(
                    signature, message, auto, SHA256
                ),
                InvalidSignature,
            )
            fields = {"pair": name, "message": message, "signature": signature}
            yield {"id": f"{name}-{what}", "result": result, **fields}


def oaep(dice):
    """Each part of the padding wrong, and numbers that are no ciphertext."""
    scheme = padding.OAEP(padding.MGF1(SHA1), SHA1, None)
    for name in RSA_NAMES:
        key = write.RsaKey(pairs()[name]["private"])
        judge = load_pem_private_key(pairs()[name]["pkcs8_pem"].encode(), None)
        message = dice.randbytes(70)
        good = write.oaep(dice, key, message)
        cases = {"good": good}
        for size in (1, 32, 69, 86):
            cases[f"of {size}"] = write.oaep(dice, key, dice.randbytes(size))
        for way in range(write.OAEP_WAYS):
            cases[f"way {way}"] = write.oaep(dice, key, message, way)
        cases |= {"zeros": bytes(key.size), "one": bytes(key.size - 1) + b"\1"}
        cases |= {"modulus": key.modulus, "ones": b"\xff" * key.size, "empty": b""}
        cases |= {"byte behind": good + b"\0", "zero before": b"\0" + good, "cut": good[:-1]}
        cases |= {f"bit {bit}": flipped(good, bit) for bit in (0, 8 * key.size - 9)}
        for what, wrapped in cases.items():
            result = judged(lambda j=judge, w=wrapped: j.decrypt(w, scheme), ValueError)
            text = judge.decrypt(wrapped, scheme) if result == "valid" else b""
            fields = {"pair": name, "wrapped": wrapped, "message": text}
            yield {"id": f"{name}-{what}", "result": result, **fields}


FILES = {
    "primitive_gcm_tags": (gcm_tags, "AES-GCM: tags that are cut or have a bit changed."),
    "primitive_hmac": (macs, "HMAC-SHA256: RFC 4231, then keys and messages of every length."),
    "primitive_pbkdf2": (stretched, "PBKDF2-HMAC-SHA256: RFC 7914, then lengths of every kind."),
    "primitive_ecdsa": (ecdsa, "ECDSA with SHA-256: edges of r and s, near misses of DER."),
    "primitive_points": (points, "Ways to write a public EC key; the secret if it is one."),
    "primitive_pss": (pss, "RSA-PSS with SHA-256: salts, padding, sizes."),
    "primitive_oaep": (oaep, "RSA OAEP with SHA-1: padding, sizes."),
}


def text_of(name):
    """Give the text of a file."""
    make, what = FILES[name]
    lines = [
        json.dumps({key: v.hex() if isinstance(v, bytes) else v for key, v in case.items()})
        for case in make(random.Random(name))
    ]
    description = json.dumps(PROVENANCE + what)
    return f'{{"description": {description},\n "cases": [\n  ' + ",\n  ".join(lines) + "\n ]}\n"


def main():
    """Write the files."""
    for name in FILES:
        (HERE / f"{name}.json").write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    main()
