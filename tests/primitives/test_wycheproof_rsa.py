# SPDX-License-Identifier: Apache-2.0
"""Known answers for RSA-PSS with SHA-256 and OAEP with SHA-1."""

import pytest

from pythemis.skeygen import from_der
from support.cells import FEWER
from support.keys import pairs
from support.primitives import INVALID, SUCCESS, unwrap, verifies
from support.wycheproof import cases, own, published, rsa_public, said

OURS = ("SHA-256", "MGF1", "SHA-256")
# How many of their cases are valid, (valid but for their salt,) invalid.
PSS_FILES = {
    "2048_sha256_mgf1_0": (61, 4, 38),
    "2048_sha256_mgf1_32": (63, 6, 39),
    "4096_sha256_mgf1_32": (63, 6, 39),
    "misc": (6, 0, 144),
}
# How many are valid, valid but longer than what we wrap, invalid or with a label.
OAEP_FILES = {"2048_sha1_mgf1sha1": (9, 1, 26), "misc": (7, 2, 0)}
# Under valgrind a key of 8192 bits takes many seconds.
TOO_SLOW = {"rsa8192"} if FEWER > 1 else set()
LONGEST_SECRET = 86  # which every key can take; Secure Message has 70
SIZES = (1024, 2048, 4096, 8192)


def edges(name):
    """Give our own cases of a file."""
    return [case for case in own(name) if case["pair"] not in TOO_SLOW]


def digests(group):
    """Tell what a group hashes with."""
    return group["sha"], group["mgf"], group["mgfSha"]


def pss_expectation(group, test):
    """Tell what we make of a published signature.

    Those for other digests are valid there, and so forged for us. Those with another salt than
    their file has are forged there, and good for us: the specification finds the length out.
    """
    if digests(group) != OURS:
        return "invalid"
    if test["comment"].startswith("s_len changed to "):
        return "salt"
    return test["result"]


@pytest.mark.parametrize("name", PSS_FILES)
def test_pss_published(name):
    """The salt may have any length, for we find it out; all else must be right."""
    counted = {"valid": 0, "salt": 0, "invalid": 0}
    for group, test in cases(published(f"Signature/wycheproof/rsa_pss_{name}_test.json")):
        if group["keySize"] not in SIZES:
            continue
        numbers = group["publicKey"]
        modulus = bytes.fromhex(numbers["modulus"]).lstrip(b"\0")
        public = rsa_public(modulus, int(numbers["publicExponent"], 16))
        good = verifies(public, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        expected = pss_expectation(group, test)
        counted[expected] += 1
        assert good is (expected != "invalid"), said(test)
    assert tuple(counted.values()) == PSS_FILES[name]


@pytest.mark.parametrize("case", edges("primitive_pss"), ids=lambda case: case["id"])
def test_pss_edges(case):
    """Edges of the salt, the padding and the size of a signature, for keys of every size."""
    good = verifies(pairs()[case["pair"]]["public"], case["message"], case["signature"])
    assert good is (case["result"] == "valid")


@pytest.mark.parametrize("name", OAEP_FILES)
def test_oaep_published(name):
    """What was wrapped comes out, and nothing that depends on the input where it is not valid."""
    counted = {"valid": 0, "long": 0, "invalid": 0}
    for group, test in cases(published(f"Cipher/wycheproof/rsa_oaep_{name}_test.json")):
        if group["keySize"] not in SIZES or digests(group) != ("SHA-1", "MGF1", "SHA-1"):
            continue
        private = from_der(bytes.fromhex(group["privateKeyPkcs8"]))
        wrapped, message = bytes.fromhex(test["ct"]), bytes.fromhex(test["msg"])
        # Labels are not for us: such a ciphertext is like any that is not valid.
        is_ours = test["result"] != "invalid" and test["label"] == ""
        fits = "valid" if len(message) <= LONGEST_SECRET else "long"
        counted[fits if is_ours else "invalid"] += 1
        check(private, wrapped, message, is_ours=is_ours, what=said(test))
    assert tuple(counted.values()) == OAEP_FILES[name]


def check(private, wrapped, message, *, is_ours, what):
    """Demand the message, or else a random secret in its place."""
    bits = {b"RRA1": 128, b"RRA2": 256, b"RRA4": 512, b"RRA8": 1024}[private[:4]]
    size = len(message) if is_ours else 32
    status, secret = unwrap(private, wrapped, size)
    if len(wrapped) != bits or size > LONGEST_SECRET:
        assert (status, secret) == (INVALID, bytes(size)), what
    elif is_ours:
        assert (status, secret) == (SUCCESS, message), what
    else:
        _, again = unwrap(private, wrapped, size)
        assert status == SUCCESS, what
        assert len({secret, again, bytes(32), message}) == 4, what


@pytest.mark.parametrize("case", edges("primitive_oaep"), ids=lambda case: case["id"])
def test_oaep_edges(case):
    """Edges of the padding, for keys of every size; `cryptography` had the second opinion."""
    is_ours = case["result"] == "valid"
    private = pairs()[case["pair"]]["private"]
    check(private, case["wrapped"], case["message"], is_ours=is_ours, what=case["id"])
