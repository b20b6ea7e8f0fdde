# SPDX-License-Identifier: Apache-2.0
"""What `inspect` says of every vector is what was recorded, and read by a person, once."""

import hashlib
import json

import pytest

from pythemis import inspect
from support import sealed
from support.keys import VECTORS

RECORDED = VECTORS / "inspected.json"
# Of each file: lists of cases, and the members of a case that are data of a format.
MEMBERS = {
    "cell_context_imprint": "encrypted",
    "cell_passphrase": "cell",
    "cell_seal": "cell",
    "cell_token_protect": "encrypted token",
    "field_value": "stored",
    "key_pairs": "private private_short public public_uncompressed pkcs8_pem",
    "key_validity": "key",
    "keyring": "hex payload payload_hex",
    "message_encrypted": "wrapped",
    "message_signed": "signed",
    "sealed_file": "file",
    "session_transcripts": "message1 message2 message3 message4 client_saved_state",
    "soter_container": "container",
    "stored_value": "stored",
}
AS_TEXT = ("pkcs8_pem", "payload")


def samples(name):
    """Give each sample of a file of vectors with its name."""
    whole = json.loads((VECTORS / f"{name}.json").read_text("utf-8"))
    whole = sealed.recorded() if name == "sealed_file" else whole
    for part, found in whole.items():
        for case in found if isinstance(found, list) else ():
            for member in MEMBERS[name].split():
                if case.get(member) is not None and "id" in case:
                    data = case[member]
                    if isinstance(data, str) and member not in AS_TEXT:
                        data = bytes.fromhex(data)
                    yield f"{part}/{member}/{case['id']}", data


def said(name):
    """Group the samples by what they are and what is wrong; a digest stands for all else."""
    groups, digest = {}, hashlib.sha256()
    for sample, data in samples(name):
        report = inspect(data)
        digest.update(f"{sample}\n{report}\n{report.to_json()}\n".encode())
        summary = " | ".join((report.name, *(f"in {each}" for each in report.layers)))
        key = "; ".join((summary + ("" if report.certain else " (perhaps)"), *report.problems))
        groups.setdefault(key, []).append(sample)
    return {"sha256": digest.hexdigest(), "reports": groups}


@pytest.mark.parametrize("name", MEMBERS)
def test_every_vector_is_reported_as_recorded(name, tmp_path):
    """A change has to be wanted: then the file that is named here takes the place of the old."""
    found = said(name)
    recorded = json.loads(RECORDED.read_text("utf-8"))
    new = tmp_path / "inspected.json"
    new.write_text(json.dumps({**recorded, name: found}, indent=1, ensure_ascii=False) + "\n")
    assert found["reports"] == recorded[name]["reports"], f"the new recording is {new}"
    assert found["sha256"] == recorded[name]["sha256"], f"other details; recorded in {new}"


def test_no_vector_is_left_out():
    """The others are primitives and parts that are no format of their own."""
    left = {path.stem for path in VECTORS.glob("*.json")} - MEMBERS.keys() - {"inspected"}
    rest = {"blind_index", "place", "soter_kdf"}
    assert {name for name in left if not name.startswith("primitive_")} <= rest
