# SPDX-License-Identifier: Apache-2.0
"""Known answers for ECDSA and ECDH on the three curves."""

import pytest

from support.keys import CURVES, container
from support.primitives import CORRUPT, INVALID, SUCCESS, agree, key, verifies
from support.wycheproof import cases, ec_public, own, published, said

ECDSA = {"secp256r1": (174, 310), "secp384r1": (162, 310)}
ECDH = {"secp256r1": "2", "secp384r1": "3", "secp521r1": "5"}


@pytest.mark.parametrize("curve", ECDSA)
def test_ecdsa_published(curve):
    """Signatures over SHA-256: exactly the valid ones are good, in DER and nothing near it."""
    counted = {"valid": 0, "invalid": 0}
    path = f"Signature/wycheproof/ecdsa_{curve}_sha256_test.json"
    for group, test in cases(published(path)):
        public = ec_public(bytes.fromhex(group["publicKey"]["uncompressed"]))
        message, signature = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
        counted[test["result"]] += 1
        assert verifies(public, message, signature) is (test["result"] == "valid"), said(test)
    assert tuple(counted.values()) == ECDSA[curve]


@pytest.mark.parametrize("case", own("primitive_ecdsa"), ids=lambda case: case["id"])
def test_ecdsa_edges(case):
    """Edges of r, s and their encoding on every curve; `cryptography` had the second opinion."""
    good = verifies(case["public"], case["message"], case["signature"])
    assert good is (case["result"] == "valid")


@pytest.mark.parametrize("curve", ECDH)
def test_ecdh_published(curve):
    """The shared secrets of good points; others are refused."""
    counted = {"valid": 0, "invalid": 0, "acceptable": 0}
    size = CURVES[ECDH[curve]][0]
    path = f"Protocol/wycheproof/ecdh_{curve}_ecpoint_test.json"
    for _, test in cases(published(path)):
        d = int(test["private"], 16).to_bytes(size, "big")
        private = container(b"REC" + ECDH[curve].encode(), b"\0" + d)
        public = container(b"UEC" + ECDH[curve].encode(), bytes.fromhex(test["public"]))
        shared = agree(private, public)
        counted[test["result"]] += 1
        if test["result"] == "invalid":
            assert shared is None, said(test)
        else:  # "acceptable" are compressed points, which we take
            assert shared == bytes.fromhex(test["shared"]), said(test)
    assert sum(counted.values()) > 300
    assert min(counted.values()) > 0


@pytest.mark.parametrize("case", own("primitive_points"), ids=lambda case: case["id"])
def test_point_encodings(case):
    """Every way to write a point, good and bad; what is accepted agrees on the known secret."""
    status, _ = key(case["public"])
    if case["result"] == "valid":
        assert status == SUCCESS
        assert agree(case["private"], case["public"]) == case["shared"]
    else:
        assert status in (INVALID, CORRUPT)
