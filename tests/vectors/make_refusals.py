# SPDX-License-Identifier: Apache-2.0
"""Make docs/vectors/refusals.json: inputs that a Themis must refuse, each beside a valid one.

    PYTHONPATH=.:tests python tests/vectors/make_refusals.py

The valid inputs are answers of the real core, from the files beside this one; the refused ones are
changed from them here, by hand, without our core. What the real core does with each (`themis`) is
kept from the file that is there, for tests/interop/test_refusals.py to judge and to write.
"""

import json
from pathlib import Path

from support import comparator_model as comparator
from support.keys import CURVES, HEADER_SIZE, cases, container, integer, pairs, payload_of, tlv
from support.keys import with_byte as flip

FILE = Path(__file__).resolve().parents[2] / "docs" / "vectors" / "refusals.json"
DESCRIPTION = (
    "Inputs that every implementation of Themis must refuse. Each case changes a valid input: "
    "replace the fields that it has. The valid input must be accepted and give `result`, the "
    "changed one must be refused. Bytes are hex. The page Refusals of the documentation has the "
    "operations and fields."
)
MAX = 0xFFFFFFFF


class Cases:
    """A valid input of an operation, and the refusals around it."""

    valid: list = []  # noqa: RUF012
    refused: list = []  # noqa: RUF012

    def __init__(self, name, operation, section, result, **fields):
        self.name, self.section, self.fields = name, section, fields
        known = {"id": name, "operation": operation, "input": fields, "result": result}
        Cases.valid.append(known)

    def add(self, name, code, reason, **changed):
        """Add a refusal: some fields of the valid input, changed."""
        assert changed, name
        assert all(changed[field] != self.fields[field] for field in changed), name
        about = {"section": self.section, "reason": reason, "code": code}
        Cases.refused.append(
            {"id": f"{self.name}/{name}", "valid": self.name, **about, "input": changed}
        )


def case_of(name, wanted):
    """Give one case of a file of known answers."""
    return next(case for case in cases(name) if case["id"] == wanted)


def put(data, at, value, size=4, order="little"):
    """Overwrite a number."""
    return data[:at] + value.to_bytes(size, order) + data[at + size :]


def number(data, at):
    """Read a number of a cell or a message."""
    return int.from_bytes(data[at : at + 4], "little")


# ---- Section 3: Secure Cell ----

DESCRIPTORS = {  # bits of the first number, and why they are refused
    "descriptor-algorithm": (0x30010100, "algorithm 3, AES-XTS: only GCM is a cell"),
    "descriptor-no-algorithm": (0x00010100, "no algorithm in the descriptor"),
    "descriptor-kdf": (0x42010100, "key derivation 2 in the descriptor; there is none"),
    "descriptor-no-padding-bit": (0x40000100, "the padding bit is part of the number, and missing"),
    "descriptor-reserved-low": (0x40011100, "bit 12 of the descriptor is reserved"),
    "descriptor-reserved-high": (0x40110100, "bit 20 of the descriptor is reserved"),
    "descriptor-key-0": (0x40010000, "a key of 0 bits"),
    "descriptor-key-64": (0x40010040, "a key of 64 bits"),
    "descriptor-key-512": (0x40010200, "a key of 512 bits"),
}


def token_cases(made, data, field):
    """Add what is wrong in the first 16 bytes of a cell or its token."""
    length = number(data, 12)
    for name, (descriptor, reason) in DESCRIPTORS.items():
        made.add(name, "INVALID_PARAMETER", reason, **{field: put(data, 0, descriptor)})
    for name, at, value, reason in (
        ("nonce-11", 4, 11, "a nonce of 11 bytes; GCM's has 12"),
        ("nonce-0", 4, 0, "a nonce of 0 bytes"),
        ("nonce-huge", 4, MAX, "a nonce longer than the cell"),
        ("tag-15", 8, 15, "a tag of 15 bytes: a shorter tag is easier to forge"),
        ("tag-0", 8, 0, "a tag of 0 bytes authenticates nothing"),
        ("tag-huge", 8, MAX, "a tag longer than the cell"),
        ("sizes-wrap", 4, MAX - 15, "nonce and tag add up to 0 modulo 2^32"),
        ("length-0", 12, 0, "a message of 0 bytes"),
        ("length-more", 12, length + 1, "the message is one byte shorter than its length field"),
        ("length-less", 12, length - 1, "the message is one byte longer than its length field"),
    ):
        made.add(name, "INVALID_PARAMETER", reason, **{field: put(data, at, value)})


def authenticity_cases(made, data, field, at):
    """Add changes that only the tag shows; `at` is where the nonce begins."""
    for name, position, reason in (
        ("nonce-bit", at, "one bit of the nonce is changed"),
        ("nonce-last-bit", at + 11, "one bit of the last byte of the nonce is changed"),
        ("tag-bit", at + 12, "one bit of the tag is changed"),
        ("tag-last-bit", at + 27, "the last byte of the tag is compared, too"),
    ):
        made.add(name, "FAIL", reason, **{field: flip(data, position, 1)})


def secret_cases(made, valid):
    """Add wrong secrets and contexts."""
    made.add("context-other", "FAIL", "another context", context=valid["context"] + b"x")
    made.add("context-none", "FAIL", "no context, where the cell has one", context=b"")
    if "key" in valid:
        made.add("key-bit", "FAIL", "one bit of the key is changed", key=flip(valid["key"], 0, 1))
        made.add("key-none", "INVALID_PARAMETER", "a key of 0 bytes", key=b"")


def seal():
    """Seal with a key."""
    good = case_of("cell_seal", "seal-good")
    valid = {name: good[name] for name in ("key", "context", "cell")}
    made, cell = Cases("seal", "cell_seal", 3, good["message"], **valid), valid["cell"]
    token_cases(made, cell, "cell")
    made.add("length-huge", "INVALID_PARAMETER", "a length of 2^32-1", cell=put(cell, 12, MAX))
    authenticity_cases(made, cell, "cell", 16)
    made.add("data-bit", "FAIL", "one bit of the data is changed", cell=flip(cell, 44, 1))
    for size in (0, 1, 15, 16, 43, 44):
        made.add(
            f"cut-{size}", "INVALID_PARAMETER", f"only the first {size} bytes", cell=cell[:size]
        )
    made.add("cut-end", "INVALID_PARAMETER", "the last byte is missing", cell=cell[:-1])
    secret_cases(made, valid)
    other = case_of("cell_passphrase", "pw-default")["cell"]
    made.add(
        "passphrase", "INVALID_PARAMETER", "a cell for a passphrase, read with a key", cell=other
    )


def passphrase():
    """Seal with a passphrase."""
    good = case_of("cell_passphrase", "pw-default")
    valid = {name: good[name] for name in ("passphrase", "context", "cell")}
    made, cell = Cases("passphrase", "cell_passphrase", 3, good["message"], **valid), valid["cell"]
    wrong = "INVALID_PARAMETER"
    made.add(
        "descriptor-key",
        wrong,
        "the descriptor of a cell with a key",
        cell=put(cell, 0, 0x40010100),
    )
    made.add(
        "descriptor-kdf", wrong, "key derivation 2; there is none", cell=put(cell, 0, 0x42010100)
    )
    for name, at, value, reason in (
        ("nonce-huge", 4, MAX, "a nonce longer than the cell"),
        ("tag-huge", 8, MAX, "a tag longer than the cell"),
        ("length-more", 12, number(cell, 12) + 1, "the message is shorter than its length field"),
        ("length-0", 12, 0, "a message of 0 bytes"),
        ("kdf-context-0", 16, 0, "no KDF context"),
        ("kdf-context-5", 16, 5, "a KDF context too short for its own fields"),
        ("kdf-context-less", 16, 21, "a KDF context shorter than the salt in it"),
        ("kdf-context-huge", 16, MAX, "a KDF context longer than the cell"),
        ("iterations-0", 48, 0, "0 iterations"),
    ):
        made.add(name, wrong, reason, cell=put(cell, at, value))
    made.add("salt-longer", wrong, "a salt longer than the KDF context", cell=put(cell, 52, 17, 2))
    made.add("salt-huge", wrong, "a salt of 65535 bytes", cell=put(cell, 52, 0xFFFF, 2))
    authenticity_cases(made, cell, "cell", 20)
    made.add("salt-bit", "FAIL", "one bit of the salt is changed", cell=flip(cell, 54, 1))
    for size in (0, 19, 20, 48, 69, 70):
        made.add(f"cut-{size}", wrong, f"only the first {size} bytes", cell=cell[:size])
    made.add(
        "passphrase-other", "FAIL", "another passphrase", passphrase=valid["passphrase"] + b"x"
    )
    made.add("passphrase-none", wrong, "a passphrase of 0 bytes", passphrase=b"")
    secret_cases(made, valid)


def token_protect():
    """Token Protect."""
    good = case_of("cell_token_protect", "token-09")
    valid = {"key": good["key"], "context": good["context"] or b""}
    valid |= {"cell": good["encrypted"], "token": good["token"]}
    made = Cases("token-protect", "cell_token_protect", 3, good["message"], **valid)
    token, wrong = valid["token"], "INVALID_PARAMETER"
    token_cases(made, token, "token")
    authenticity_cases(made, token, "token", 16)
    made.add("data-bit", "FAIL", "one bit of the data is changed", cell=flip(valid["cell"], 0, 1))
    made.add("data-more", wrong, "one byte more than the token says", cell=valid["cell"] + b"\0")
    made.add("data-less", wrong, "one byte less than the token says", cell=valid["cell"][:-1])
    made.add("data-none", wrong, "no data", cell=b"")
    made.add("token-none", wrong, "no token", token=b"")
    made.add("token-cut", wrong, "the last byte of the token is missing", token=token[:-1])
    made.add("swapped", wrong, "data and token exchanged", cell=token, token=valid["cell"])
    made.add("key-none", wrong, "a key of 0 bytes", key=b"")


def context_imprint():
    """Context Imprint, which authenticates nothing: only what is empty is refused."""
    good = case_of("cell_context_imprint", "imprint-09")
    valid = {"key": good["key"], "context": good["context"], "cell": good["encrypted"]}
    made = Cases("context-imprint", "cell_context_imprint", 3, good["message"], **valid)
    for field, what in (("key", "a key"), ("context", "a context"), ("cell", "a message")):
        made.add(f"{field}-none", "INVALID_PARAMETER", f"{what} of 0 bytes", **{field: b""})


# ---- Section 4: Secure Message, and section 2: its keys ----


def der_signature(r, s):
    """Write an ECDSA signature."""
    return tlv(0x30, integer(r), integer(s))


def signed(data, signature):
    """Put another signature into a signed message."""
    size = number(data, 4)
    return put(data[: 12 + size], 8, len(signature)) + signature


def verify():
    """Signed messages."""
    good = case_of("message_signed", "p256-100")
    valid = {"public_key": good["public_key"], "signed": good["signed"]}
    made, data = Cases("signed", "message_verify", 4, good["message"], **valid), valid["signed"]
    wrong, size, signature = "INVALID_PARAMETER", number(data, 4), data[112:]
    for name, at, value, reason in (
        ("type-unknown", 0, 0x26042630, "a type that does not exist"),
        ("type-rsa", 0, 0x26042610, "the type of an RSA signature, with an EC key"),
        ("type-encrypted", 0, 0x26042720, "the type of an encrypted message"),
        ("type-0", 0, 0, "no type"),
        ("message-huge", 4, MAX, "a message of 2^32-1 bytes"),
        ("message-0", 4, 0, "a message of 0 bytes"),
        ("message-all", 4, len(data) - 12, "a message that leaves no room for the signature"),
        ("signature-huge", 8, MAX, "a signature of 2^32-1 bytes"),
        ("signature-more", 8, len(signature) + 1, "a signature longer than what is there"),
        ("sizes-wrap", 8, (1 << 32) - size, "both lengths add up to 0 modulo 2^32"),
    ):
        made.add(name, wrong, reason, signed=put(data, at, value))
    order, fails = CURVES["2"][2], "INVALID_SIGNATURE"
    r_size = signature[3]
    r = int.from_bytes(signature[4 : 4 + r_size], "big")
    s = int.from_bytes(signature[6 + r_size :], "big")
    for name, made_of, reason in (
        ("none", b"", "a signature of 0 bytes"),
        ("r-0", der_signature(0, s), "r is 0"),
        ("s-0", der_signature(r, 0), "s is 0"),
        ("both-0", der_signature(0, 0), "r and s are 0"),
        ("r-order", der_signature(order, s), "r is the order of the group"),
        ("s-order-more", der_signature(r, s + order), "s is not reduced"),
        ("der-tail", signature + b"\0", "a byte after the DER of the signature"),
        ("der-inner-tail", tlv(0x30, integer(r), integer(s), b"\x05\0"), "a third element in it"),
        ("der-tag", b"\x31" + signature[1:], "not a sequence"),
        ("raw", r.to_bytes(32, "big") + s.to_bytes(32, "big"), "r and s without DER"),
    ):
        made.add(f"signature-{name}", fails, reason, signed=signed(data, made_of))
    made.add("message-bit", fails, "one bit of the message is changed", signed=flip(data, 12, 1))
    made.add(
        "message-less",
        fails,
        "the first byte of the message is missing",
        signed=put(data[:12] + data[13:], 4, size - 1),
    )
    for cut in (0, 4, 11, 12, 112):
        made.add(f"cut-{cut}", wrong, f"only the first {cut} bytes", signed=data[:cut])
    known = pairs()
    made.add("key-other", fails, "the key of another peer", public_key=known["p256_b"]["public"])
    made.add("key-curve", fails, "a key on another curve", public_key=known["p384"]["public"])
    made.add(
        "key-private",
        wrong,
        "a private key where a public one belongs",
        public_key=known["p256"]["private"],
    )
    made.add(
        "key-rsa", wrong, "an RSA key for an EC signature", public_key=known["rsa2048"]["public"]
    )
    public_keys(made, valid["public_key"])


def public_keys(made, key):
    """Add public keys that are not."""
    made.section = 2
    containers(made, key, "public_key")
    size, prime, _ = CURVES["2"]
    long = payload_of(pairs()["p256"]["public_uncompressed"])
    x, y = long[1:33], long[33:]
    off = next(n for n in range(1, 99) if pow(n**3 - 3 * n + B, (prime - 1) // 2, prime) != 1)
    for name, payload, reason in (
        ("point-off-curve", b"\x04" + x + flip(y, 31, 1), "a point that is not on the curve"),
        ("point-no-root", b"\x02" + off.to_bytes(size, "big"), "an x without a y on the curve"),
        ("point-infinity", bytes(33), "the point at infinity, padded"),
        ("point-zeros", b"\x04" + bytes(64), "x and y are 0, which is not on the curve"),
        ("point-prefix-05", b"\x05" + x, "there is no prefix 05"),
        ("point-prefix-00", b"\x00" + x, "the prefix of a private key"),
        ("point-hybrid", bytes([6 + (y[-1] & 1)]) + x + y, "the hybrid form is not one of Themis"),
        ("point-uncompressed-short", b"\x04" + x, "an uncompressed point without its y"),
        ("point-x-prime", b"\x02" + prime.to_bytes(size, "big"), "x is the prime: not reduced"),
    ):
        made.add(name, "DATA_CORRUPT", reason, public_key=container(b"UEC2", payload))


B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B  # of P-256


def containers(made, key, field):
    """Add containers that do not fit what they hold: section 1."""
    payload = payload_of(key)
    for name, changed, reason in (
        ("container-empty", b"", "no bytes"),
        ("container-cut-11", key[:11], "shorter than a header"),
        ("container-header", key[:HEADER_SIZE], "only the header"),
        ("container-cut", key[:-1], "the last byte is missing"),
        ("container-tail", key + b"\0", "a byte after the container"),
        ("container-size-0", put(key, 4, 0, order="big"), "a size of 0, less than the header"),
        (
            "container-size-more",
            put(key, 4, len(key) + 1, order="big"),
            "a size of one byte too many",
        ),
        ("container-size-huge", put(key, 4, MAX, order="big"), "a size of 2^32-1"),
        ("container-size-little", key[:4] + key[7:3:-1] + key[8:], "a size in little-endian order"),
        ("container-checksum", flip(key, 8, 1), "one bit of the checksum is changed"),
        (
            "container-checksum-big",
            key[:8] + key[11:7:-1] + key[12:],
            "a checksum in big-endian order",
        ),
        ("container-payload", flip(key, len(key) - 1, 1), "one bit of the payload is changed"),
        ("container-tag", container(b"XEC2", payload), "a tag that does not exist"),
        ("container-tag-lower", container(key[:4].lower(), payload), "a tag in lower case"),
        (
            "container-other-curve",
            container(key[:3] + b"3", payload),
            "the tag of P-384, the length of P-256",
        ),
        ("container-no-curve", container(key[:3] + b"4", payload), "the tag of no curve"),
        ("container-longer", container(key[:4], payload + b"\0"), "sound, a byte too long"),
        ("container-shorter", container(key[:4], payload[:-2]), "sound, two bytes too short"),
    ):
        made.add(name, code_of_container(name), reason, **{field: changed})


def code_of_container(name):
    """Return the code for a container: only a wrong checksum means that it was corrupted."""
    damaged = name.startswith("container-checksum") or name == "container-payload"
    return "DATA_CORRUPT" if damaged else "INVALID_PARAMETER"


def rsa_verify():
    """RSA signatures and public keys."""
    good = case_of("message_signed", "rsa2048-100")
    valid = {"public_key": good["public_key"], "signed": good["signed"]}
    made, data = Cases("signed-rsa", "message_verify", 4, good["message"], **valid), valid["signed"]
    fails, wrong = "INVALID_SIGNATURE", "INVALID_PARAMETER"
    made.add(
        "signature-bit", fails, "one bit of the signature is changed", signed=flip(data, 112, 1)
    )
    made.add("signature-0", fails, "the signature is 0", signed=signed(data, bytes(256)))
    made.add("signature-1", fails, "the signature is 1", signed=signed(data, bytes(255) + b"\1"))
    made.add(
        "signature-less",
        fails,
        "a signature shorter than the modulus",
        signed=signed(data, data[112:-1]),
    )
    made.add(
        "signature-more",
        fails,
        "a signature longer than the modulus",
        signed=signed(data, b"\0" + data[112:]),
    )
    made.add("message-bit", fails, "one bit of the message is changed", signed=flip(data, 12, 1))
    made.add(
        "type-ec",
        wrong,
        "the type of an EC signature, with an RSA key",
        signed=put(data, 0, 0x26042620),
    )
    made.section = 2
    payload = payload_of(valid["public_key"])
    modulus = payload[:256]
    for name, changed, reason in (
        ("exponent-1", modulus + (1).to_bytes(4, "big"), "the exponent 1"),
        ("exponent-17", modulus + (17).to_bytes(4, "big"), "an exponent other than 3 and 65537"),
        ("exponent-even", modulus + (65536).to_bytes(4, "big"), "an even exponent"),
        ("exponent-0", modulus + bytes(4), "the exponent 0"),
        ("modulus-even", flip(payload, 255, 1), "an even modulus"),
        ("modulus-short", flip(payload, 0, 0x80), "a modulus without its top bit"),
    ):
        made.add(name, "DATA_CORRUPT", reason, public_key=container(b"URA2", changed))
    made.add(
        "other-size",
        wrong,
        "the tag of 4096 bits, the length of 2048",
        public_key=container(b"URA4", payload),
    )


def decrypt():
    """Encrypted messages, EC."""
    good = case_of("message_encrypted", "p256-p256_b-100")
    valid = {"private_key": good["private_key"], "public_key": good["public_key"]}
    valid["encrypted"] = good["wrapped"]
    made, data = (
        Cases("encrypted", "message_decrypt", 4, good["message"], **valid),
        valid["encrypted"],
    )
    wrong, known = "INVALID_PARAMETER", pairs()
    for name, at, value, reason in (
        ("type-signed", 0, 0x26042620, "the type of a signed message"),
        ("type-rsa", 0, 0x26042710, "the type for RSA keys, with EC keys"),
        ("type-unknown", 0, 0x26042730, "a type that does not exist"),
        ("total-more", 4, len(data) + 1, "a total of one byte too many"),
        ("total-less", 4, len(data) - 1, "a total of one byte too few"),
        ("total-0", 4, 0, "a total of 0 bytes"),
        ("total-huge", 4, MAX, "a total of 2^32-1 bytes"),
        ("cell-descriptor", 8, 0x41010100, "the cell in it is one for a passphrase"),
        ("cell-tag-0", 16, 0, "the cell in it has no tag"),
        ("cell-length-more", 20, number(data, 20) + 1, "the cell in it is shorter than its length"),
    ):
        made.add(name, wrong, reason, encrypted=put(data, at, value))
    authenticity_cases(made, data, "encrypted", 24)
    made.add("data-bit", "FAIL", "one bit of the data is changed", encrypted=flip(data, 52, 1))
    made.add("tail", wrong, "a byte after the message", encrypted=data + b"\0")
    for cut in (0, 7, 8, 51, 52):
        made.add(f"cut-{cut}", wrong, f"only the first {cut} bytes", encrypted=data[:cut])
    made.add("sender-other", "FAIL", "another sender", public_key=known["p256_b"]["public"])
    made.add("curves", wrong, "keys on two curves", public_key=known["p384"]["public"])
    made.add("kinds", wrong, "an EC key and an RSA key", public_key=known["rsa2048"]["public"])
    made.add(
        "swapped",
        wrong,
        "private and public key exchanged",
        private_key=valid["public_key"],
        public_key=valid["private_key"],
    )
    private_keys(made, valid["private_key"])


def private_keys(made, key):
    """Add private EC keys that are not."""
    made.section = 2
    containers(made, key, "private_key")
    size, _, order = CURVES["2"]
    payload = payload_of(key)
    for name, changed, reason in (
        ("scalar-0", bytes(1 + size), "d is 0"),
        ("scalar-order", b"\0" + order.to_bytes(size, "big"), "d is the order of the group"),
        ("scalar-more", b"\0" + (order + 1).to_bytes(size, "big"), "d is above the order"),
        ("scalar-max", b"\0" + b"\xff" * size, "d is 2^256-1"),
        ("scalar-prefix", b"\1" + payload[1:], "the first byte is not 0"),
    ):
        made.add(name, "DATA_CORRUPT", reason, private_key=container(b"REC2", changed))


def rsa_decrypt():
    """Encrypted messages and private keys, RSA."""
    good = case_of("message_encrypted", "rsa2048-rsa2048_b-100")
    valid = {"private_key": good["private_key"], "public_key": good["public_key"]}
    valid["encrypted"] = good["wrapped"]
    made, data = (
        Cases("encrypted-rsa", "message_decrypt", 4, good["message"], **valid),
        valid["encrypted"],
    )
    wrong = "INVALID_PARAMETER"
    for name, at, value, reason in (
        ("type-ec", 0, 0x26042720, "the type for EC keys, with RSA keys"),
        ("wrapped-0", 8, 0, "no wrapped key"),
        ("wrapped-less", 8, 255, "a wrapped key shorter than the modulus"),
        ("wrapped-more", 8, 257, "a wrapped key longer than the modulus"),
        ("wrapped-huge", 8, MAX, "a wrapped key of 2^32-1 bytes"),
        ("total-more", 4, len(data) + 1, "a total of one byte too many"),
    ):
        made.add(name, wrong, reason, encrypted=put(data, at, value))
    made.add(
        "oaep-bit", "FAIL", "one bit of the wrapped key is changed", encrypted=flip(data, 140, 1)
    )
    made.add(
        "oaep-0", "FAIL", "a wrapped key of zeros", encrypted=data[:12] + bytes(256) + data[268:]
    )
    made.add(
        "oaep-modulus",
        "FAIL",
        "a wrapped key that is not below the modulus",
        encrypted=data[:12] + b"\xff" * 256 + data[268:],
    )
    made.add(
        "data-bit", "FAIL", "one bit of the data is changed", encrypted=flip(data, len(data) - 1, 1)
    )
    made.section = 2
    payload = payload_of(valid["private_key"])
    for name, changed, reason in (
        ("d-modulus", payload[-260:-4] + payload[256:], "d is the modulus"),
        ("primes-equal", payload[:256] + payload[256:384] * 2 + payload[512:], "p is q"),
        ("prime-bit", flip(payload, 383, 2), "one bit of p is changed: p*q is not the modulus"),
        ("primes-0", payload[:256] + bytes(256) + payload[512:], "p and q are 0"),
        ("private-exponent-1", payload[:-4] + (1).to_bytes(4, "big"), "the exponent 1"),
    ):
        made.add(name, "DATA_CORRUPT", reason, private_key=container(b"RRA2", changed))


# ---- Section 5: Secure Session ----


def session():
    """Give a server the first message of a negotiation."""
    good = case_of("session_transcripts", "session-0")
    valid = {
        name: good[name] for name in ("server_id", "server_private", "client_id", "client_public")
    }
    valid["message"] = message = good["message1"]
    made, wrong = Cases("session", "session_accept", 5, None, **valid), "INVALID_PARAMETER"
    inside = payload_of(message)
    size = int.from_bytes(inside[4:8], "big")
    name, key, signature = inside[:size], inside[size : size + 45], inside[size + 45 :]
    outer = {
        "empty": (b"", "no bytes"),
        "header": (message[:12], "only the header of the container"),
        "tag": (container(b"TSPX", inside), "another tag than TSPM"),
        "checksum": (flip(message, 8, 1), "one bit of the checksum is changed"),
        "size-less": (put(message, 4, len(message) - 1, order="big"), "a size of one byte too few"),
        "size-small": (put(message, 4, 11, order="big"), "a size below that of the header"),
        "cut": (message[:-1], "the last byte is missing"),
    }
    inner = {
        "id-only": (name, "nothing but the id"),
        "no-signature": (name + key, "no signature"),
        "signature-7": (name + key + signature[:7], "a signature of 7 bytes"),
        "id-tag": (container(b"TSIX", name[12:]) + key + signature, "another tag than TSID"),
        "id-checksum": (flip(inside, 8, 1), "one bit of the id's checksum is changed"),
        "id-empty": (container(b"TSID", b"") + key + signature, "an id of 0 bytes"),
        "key-tag": (
            name + container(b"UEC3", payload_of(key)) + signature,
            "an ephemeral key of P-384",
        ),
        "key-private": (
            name + container(b"REC2", payload_of(key)) + signature,
            "a private ephemeral key",
        ),
        "key-checksum": (name + flip(key, 8, 1) + signature, "one bit of its checksum is changed"),
    }
    for what, (changed, reason) in outer.items():
        damaged = what in ("checksum", "size-less")
        made.add(what, "DATA_CORRUPT" if damaged else wrong, reason, message=changed)
    for what, (changed, reason) in inner.items():
        code = "DATA_CORRUPT" if what.endswith("checksum") else wrong
        made.add(what, code, reason, message=container(b"TSPM", changed))
    fails = "INVALID_SIGNATURE"
    made.add(
        "signature-bit",
        fails,
        "one bit of the signature is changed",
        message=container(b"TSPM", name + key + flip(signature, len(signature) - 1, 1)),
    )
    other = container(b"UEC2", payload_of(pairs()["p256"]["public"]))
    made.add(
        "key-other",
        fails,
        "another ephemeral key than the one that is signed",
        message=container(b"TSPM", name + other + signature),
    )
    made.add(
        "client-other",
        fails,
        "the client's id with the key of another peer",
        client_public=pairs()["p256_b"]["public"],
    )


# ---- Section 6: Secure Comparator ----


def compare():
    """Give Bob the first message of a comparison."""
    drawn = iter(range(1, 99))
    comparator.random_scalar = lambda: comparator.clamp(bytes([next(drawn)]) * 32)
    a2, a3 = comparator.random_scalar(), comparator.random_scalar()
    message = b"".join(comparator.base(a) + comparator.prove_k(n, a) for n, a in ((1, a2), (2, a3)))
    made = Cases("comparator", "comparator_answer", 6, None, secret=b"a secret", message=message)
    wrong = "INVALID_PARAMETER"
    for cut in (0, 32, 191):
        made.add(f"cut-{cut}", wrong, f"only the first {cut} bytes of 192", message=message[:cut])
    off = (2).to_bytes(32, "little")  # there is no point with this y
    made.add("point-1", wrong, "the first point is not on the curve", message=off + message[32:])
    made.add(
        "point-2",
        wrong,
        "the second point is not on the curve",
        message=message[:96] + off + message[128:],
    )
    made.add("secret-none", wrong, "a secret of 0 bytes", secret=b"")


def hexed(value):
    """Write bytes as hex, in whatever they are."""
    if isinstance(value, dict):
        return {name: hexed(part) for name, part in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def main():
    """Write the file."""
    for make in (
        seal,
        passphrase,
        token_protect,
        context_imprint,
        verify,
        rsa_verify,
        decrypt,
        rsa_decrypt,
        session,
        compare,
    ):
        make()
    known = json.loads(FILE.read_text("utf-8"))["refused"] if FILE.exists() else []
    themis = {case["id"]: case["themis"] for case in known}
    refused = [{**hexed(case), "themis": themis.get(case["id"])} for case in Cases.refused]
    assert len({case["id"] for case in refused}) == len(refused)
    write(DESCRIPTION, [hexed(case) for case in Cases.valid], refused)
    print(f"{len(refused)} refusals around {len(Cases.valid)} valid inputs")


def write(description, valid, refused):
    """Write a case a line."""
    lists = [",\n".join(json.dumps(case) for case in found) for found in (valid, refused)]
    text = f'"description": {json.dumps(description)},\n"valid": [\n{lists[0]}\n],\n'
    FILE.write_text(f'{{{text}"refused": [\n{lists[1]}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
