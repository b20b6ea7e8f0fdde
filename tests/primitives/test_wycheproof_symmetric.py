# SPDX-License-Identifier: Apache-2.0
"""Known answers for AES-GCM, HMAC-SHA256 and PBKDF2."""

import pytest

from support.primitives import FAIL, SUCCESS, decrypt, encrypt, hmac, pbkdf2
from support.wycheproof import cases, own, published, said


def test_aes_gcm_published():
    """Every published case with our nonce and tag sizes: what is valid, both ways."""
    counted = {"valid": 0, "invalid": 0}
    for group, test in cases(published("Cipher/wycheproof/aes_gcm_test.json")):
        if (group["ivSize"], group["tagSize"]) != (96, 128):
            continue
        secret, nonce, associated, message, encrypted, tag = (
            bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")
        )
        status, text = decrypt(secret, nonce, encrypted, associated, tag)
        counted[test["result"]] += 1
        if test["result"] == "valid":
            assert (status, text) == (SUCCESS, message), said(test)
            assert encrypt(secret, nonce, message, associated) == (encrypted, tag), said(test)
        else:
            assert (status, text) == (FAIL, bytes(len(encrypted))), said(test)
    assert counted == {"valid": 116, "invalid": 81}


@pytest.mark.parametrize("case", own("primitive_gcm_tags"), ids=lambda case: case["id"])
def test_aes_gcm_tags(case):
    """A tag that is cut and filled up, or has one bit changed, is refused and nothing is left."""
    status, text = decrypt(
        case["key"], case["nonce"], case["encrypted"], case["associated"], case["tag"]
    )
    if case["result"] == "valid":
        assert (status, text) == (SUCCESS, case["message"])
    else:
        assert (status, text) == (FAIL, bytes(len(case["encrypted"])))


@pytest.mark.parametrize("case", own("primitive_hmac"), ids=lambda case: case["id"])
def test_hmac(case):
    """Every length of key around the block size, and the published answers of RFC 4231."""
    message, mac = case["message"], case["mac"]
    assert hmac(case["key"], message)[: len(mac)] == mac
    for at in {0, 1, len(message) // 2, len(message)}:
        assert hmac(case["key"], message[:at], message[at:])[: len(mac)] == mac


@pytest.mark.parametrize("case", own("primitive_pbkdf2"), ids=lambda case: case["id"])
def test_pbkdf2(case):
    """Short and long passphrases and salts, and the published answers of RFC 7914."""
    iterations = int.from_bytes(case["iterations"], "big")
    stretched = pbkdf2(case["passphrase"], case["salt"], iterations)
    assert stretched == case["stretched"]
