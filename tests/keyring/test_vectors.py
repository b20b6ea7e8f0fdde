# SPDX-License-Identifier: Apache-2.0
"""Recorded keyrings and stored values: all that must be read, and all that must be refused."""

import re

import pytest

from pythemis._core import rings
from pythemis.exception import THEMIS_CODES
from pythemis.keyring import KeyringError
from support.rings import RECORDED, VALUES, by_id, payload_of, recorded_ring, ring_of

CODES = {
    "newer": {THEMIS_CODES.NOT_SUPPORTED},
    "argument": {THEMIS_CODES.INVALID_PARAMETER},
    "refused": {THEMIS_CODES.FAIL, THEMIS_CODES.INVALID_PARAMETER},  # advice: bad forms are told
    "any": {THEMIS_CODES.FAIL, THEMIS_CODES.INVALID_PARAMETER},
}


@by_id(VALUES["cases"])
def test_stored_values(case):
    """Each recorded value is read, alone and in a list; it needs rotation if it is not primary."""
    ring = recorded_ring()
    stored, context = bytes.fromhex(case["stored"]), bytes.fromhex(case["context"])
    message = bytes.fromhex(case["message"])
    assert ring.decrypt(stored, context) == message
    assert ring.decrypt_many([stored, stored], context) == [message, message]
    is_bare = case["id"].startswith("legacy")
    assert ring.key_id(stored) == (None if is_bare else stored[3:8].hex())
    assert ring.needs_rotation(stored) is case["id"].startswith(("legacy", "older"))
    rotated = ring.rotate(stored, context)
    assert rotated[:8] == ring.prefix
    assert ring.decrypt(rotated, context) == message


@by_id(VALUES["refused"])
def test_refused_values(case):
    """Each recorded forgery is refused, by decrypting and by rotating, alone and in a list."""
    ring = recorded_ring()
    stored, context = bytes.fromhex(case["stored"]), bytes.fromhex(case["context"])
    good = ring.encrypt(b"good", b"c")
    for call in (
        lambda: ring.decrypt(stored, context),
        lambda: ring.rotate(stored, context),
        lambda: ring.decrypt_many([good, stored], [b"c", context]),
    ):
        with pytest.raises(KeyringError) as caught:
            call()
        assert caught.value.error_code in CODES[case["error"]]
    assert caught.value.index == 1
    if case["error"] == "argument":
        with pytest.raises(KeyringError, match="TSFILE1"):
            ring.encrypt(b"message", context)


@pytest.mark.parametrize(
    "legacy", ["AAAAA===", "A===", "====", "AAAAA", "AAAAAA", "AB==", "AAB=", "AA=A", "=AAA", ""]
)
def test_base64_has_one_form(legacy):
    """Bits left over, padding that is missing or too long: none of it stands for a key."""
    one = RECORDED["payloads"][1]["payload"]
    ring_of(one.replace('"legacy":[]', '"legacy":["AAAA"]').encode())
    with pytest.raises(KeyringError, match="is not the base64 of 1 to 1024 bytes"):
        ring_of(one.replace('"legacy":[]', f'"legacy":["{legacy}"]').encode())


def test_a_ring_without_keys_is_never_read():
    """What `Keyring.new` makes has no keys yet, and no file holds it."""
    payload = '{"keys":[],"legacy":[],"name":"shop","primary":"","version":1}'
    with pytest.raises(KeyringError, match="it has no keys"):
        ring_of(payload.encode())


@by_id(RECORDED["payloads"])
def test_payloads(case):
    """Each recorded payload is read, and written again as the same bytes."""
    payload = case["payload"].encode() if "payload" in case else bytes.fromhex(case["payload_hex"])
    assert payload_of(ring_of(payload)) == payload


@by_id(RECORDED["refused_payloads"])
def test_refused_payloads(case):
    """Each recorded payload that breaks a rule is refused, with the rule and without a key."""
    payload = bytes.fromhex(case["payload_hex"])
    with pytest.raises(KeyringError, match="this is not a keyring: ") as caught:
        ring_of(payload)
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER
    told = str(caught.value).encode()
    assert not [at for at in range(len(told) - 12) if told[at : at + 12] in payload]


@by_id(RECORDED["pins"])
def test_pins(case):
    """The pins of the first payload are the recorded ones."""
    assert ring_of(RECORDED["payloads"][0]["payload"]).pin(case["id"]) == case["pin"]


@by_id(RECORDED["reloads"])
def test_reloads(case):
    """A program goes on to exactly the rings that the rule of reloading allows."""
    before, after = ring_of(case["after"]), ring_of(case["payload"])
    assert (rings.why_not_after(before._held, after._held) == "") is case["accepted"]


NUMBER, ID = "(0|[1-9][0-9]{0,15})", "[0-9a-f]{10}"
BASE64 = '"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)"'
ENTRY = f'{{"created":{NUMBER},"id":"{ID}","key":{BASE64},"state":"(active|retired)"}}'
GRAMMAR = re.compile(
    rf'{{"keys":\[{ENTRY}(,{ENTRY})*\],"legacy":\[({BASE64}(,{BASE64})*)?\],'
    rf'"name":"[a-z0-9][a-z0-9._-]{{0,63}}","primary":"{ID}","version":(?!0){NUMBER}}}'.encode()
)


@pytest.mark.parametrize("index", [0, 1])
def test_every_cut_and_every_changed_byte_of_a_payload(index):
    """No text beside the grammar of section 9.2 is a ring, and none is read as another ring's."""
    payload = RECORDED["payloads"][index]["payload"].encode()
    assert GRAMMAR.fullmatch(payload)
    for end in range(len(payload)):
        with pytest.raises(KeyringError):
            ring_of(payload[:end])
    for at in range(len(payload)):
        others = [bytes([payload[at] ^ bit]) for bit in (1, 4, 32, 128)]
        for other in [b"", *others, *(bytes([c]) for c in b'0/:`gG=," -')]:
            for past in {at, at + 1} if other else {at + 1}:
                changed = payload[:at] + other + payload[past:]
                try:
                    ring = ring_of(changed)
                except KeyringError:
                    continue
                assert payload_of(ring) == changed  # another number, id, name or key
                assert GRAMMAR.fullmatch(changed), changed
