# SPDX-License-Identifier: Apache-2.0
"""The refusals of docs/vectors: read as a newcomer would read them, and given to both cores."""

import json

from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.smessage import SMessage, sverify
from pythemis.ssession import SimpleMemoryTransport, SSession
from support.interop.peer import PeerError, PeerTrapError
from support.project import ROOT

FILE = ROOT / "docs" / "vectors" / "refusals.json"


def load():
    """Give the valid inputs by id, and the refused ones: (id, operation, fields, case)."""
    content = json.loads(FILE.read_text(encoding="utf-8"))
    valid = {case["id"]: case for case in content["valid"]}
    refused = []
    for case in content["refused"]:
        around = valid[case["valid"]]
        fields = {**around["input"], **case["input"]}
        refused.append((case["id"], around["operation"], fields, case))
    return valid, refused


def unhex(fields):
    """Read the hex of all fields."""
    return {name: bytes.fromhex(value) for name, value in fields.items()}


def ours(operation, fields):
    """Do an operation with pythemis; the result, or None where it differs each time."""
    f = unhex(fields)
    if operation == "cell_seal":
        return SCellSeal(key=f["key"]).decrypt(f["cell"], f["context"])
    if operation == "cell_passphrase":
        return SCellSeal(passphrase=f["passphrase"]).decrypt(f["cell"], f["context"])
    if operation == "cell_token_protect":
        return SCellTokenProtect(key=f["key"]).decrypt(f["cell"], f["token"], f["context"])
    if operation == "cell_context_imprint":
        return SCellContextImprint(key=f["key"]).decrypt(f["cell"], f["context"])
    if operation == "message_verify":
        return sverify(f["public_key"], f["signed"])
    if operation == "message_decrypt":
        return SMessage(f["private_key"], f["public_key"]).unwrap(f["encrypted"])
    if operation == "session_accept":
        keys = SimpleMemoryTransport(f["client_id"], f["client_public"])
        assert SSession(f["server_id"], f["server_private"], keys).unwrap(f["message"])
        return None
    assert operation == "comparator_answer"
    assert SComparator(f["secret"]).proceed_compare(f["message"])
    return None


def theirs(peer, operation, fields):
    """Do it with the real core: "refused", "accepted" or "crashed"."""
    try:
        _ask(peer, operation, unhex(fields))
    except PeerTrapError:
        return "crashed"
    except PeerError:
        return "refused"
    return "accepted"


def _ask(peer, operation, f):
    calls = {
        "cell_seal": ("unseal", "key", "cell", "context"),
        "cell_passphrase": ("passphrase_unseal", "passphrase", "cell", "context"),
        "cell_token_protect": ("unprotect", "key", "cell", "token", "context"),
        "cell_context_imprint": ("imprint_read", "key", "cell", "context"),
        "message_verify": ("verify", "public_key", "signed"),
        "message_decrypt": ("unwrap", "private_key", "public_key", "encrypted"),
    }
    if operation in calls:
        method, *names = calls[operation]
        given = [f[name] for name in names]
        if operation == "cell_passphrase":
            given[0] = given[0].decode()
        peer(method, *given)
    elif operation == "session_accept":
        known = [[f["client_id"], f["client_public"]]]
        session = peer("session_new", f["server_id"], f["server_private"], known)
        peer("session_reply", session, f["message"])
    else:
        peer("comparator_proceed", peer("comparator_new", f["secret"]), f["message"])
