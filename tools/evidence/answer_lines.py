# SPDX-License-Identifier: Apache-2.0
"""The vectors as lines for tests/c/known_answers.c (its lines.h says how they look)."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    Field: TypeAlias = str | bytes | int | None  # hex, bytes, a number, or empty
    Case: TypeAlias = tuple[str, str, list[Field]]  # kind, name, fields

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"
OLD = "seal-096-compat"  # is read on request, and then says what seal-good says
# What the real core reads and ours refuses; tests/vectors/README.md says why.
STRICTER = {"seal-iv16", "seal-tag18", "flip-0", "rsa-flip-0"}


def lines() -> list[str]:
    """Return every vector, and some things to be done live, as lines."""
    return [
        " ".join([kind, name, *(_text(field) for field in fields)])
        for kind, name, fields in _all_cases()
    ]


def spoiled(given: list[str]) -> list[str]:
    """Return the first line of each kind once more, with the end of its last field changed."""
    first = {line.split()[0]: line for line in reversed(given)}.values()
    return [line[:-1] + f"{int(line[-1], 16) ^ 1:x}" for line in first]


def _text(field: Field) -> str:
    if isinstance(field, int):
        field = f"{field:016x}"
    elif isinstance(field, bytes):
        field = field.hex()
    return field or "-"


def _cases(topic: str) -> Iterator[dict[str, Any]]:
    yield from json.loads((VECTORS / f"{topic}.json").read_text(encoding="utf-8"))["cases"]


def _accepted(case: dict[str, Any]) -> int:
    return int(case["status"] == 0 and case["id"] not in STRICTER)


def _all_cases() -> Iterator[Case]:
    yield from _primitives()
    yield from _cells()
    yield from _keys_and_messages()
    for case in _cases("session_transcripts"):
        yield from _session(case)
    yield from _live()


def _primitives() -> Iterator[Case]:
    for case in _cases("soter_kdf"):
        contexts = [bytes.fromhex(context) for context in case["contexts"]]
        run = b"".join(struct.pack("<I", len(context)) + context for context in contexts)
        yield "kdf", case["id"], [case["key"], case["label"], run, case["output"]]
    for case in _cases("soter_container"):
        fields = [case["tag"].encode(), case["payload"], case["container"]]
        yield "container", case["id"], fields


def _cells() -> Iterator[Case]:
    messages = {case["id"]: case["message"] for case in _cases("cell_seal")}
    messages[OLD] = messages["seal-good"]
    for case in _cases("cell_seal"):
        name = case["id"]
        for compat in (0, 1):
            accepted = compat if name == OLD else _accepted(case)
            known = [case["key"], case["context"], case["cell"]]
            yield "seal", name, [*known, accepted, compat, messages[name]]
    for case in _cases("cell_token_protect"):
        known = [case[name] for name in ("key", "context", "encrypted", "token")]
        yield "token", case["id"], [*known, _accepted(case), case["message"]]
    for case in _cases("cell_context_imprint"):
        known = [case[name] for name in ("key", "context", "message", "encrypted")]
        yield "imprint", case["id"], known
    for case in _cases("cell_passphrase"):
        known = [case[name] for name in ("passphrase", "context", "cell")]
        yield "passphrase", case["id"], [*known, _accepted(case), case["message"]]


def _keys_and_messages() -> Iterator[Case]:
    for case in _cases("key_pairs"):
        private, short = case["private"], case["public"]
        long = case.get("public_uncompressed")  # RSA keys have one form
        forms = [private, case.get("private_short", private), short, long]
        pem = case.get("pkcs8_pem", "").encode()
        yield "pair", case["id"], [*forms, pem, int("rsa" not in case["id"])]
    for case in _cases("key_validity"):
        yield "validity", case["id"], [case["key"], _accepted(case)]
    for case in _cases("message_signed"):
        known = [case["public_key"], case["signed"]]
        yield "signed", case["id"], [*known, _accepted(case), case["message"]]
    for case in _cases("message_encrypted"):
        known = [case["private_key"], case["public_key"], case["wrapped"]]
        yield "encrypted", case["id"], [*known, _accepted(case), case["message"]]


def _session(case: dict[str, Any]) -> Iterator[Case]:
    name, ids = case["id"], [case["client_id"], case["server_id"]]
    numbers = struct.pack(">II", case["client_seq"], case["server_seq"]).hex()
    keys = [case[key] for key in ("session_id", "master_key", "client_key", "server_key")]
    derived = "".join([*keys, numbers])
    client = [case[f"client_{what}"] for what in ("id", "private", "ecdh_private", "public")]
    server = [case[f"server_{what}"] for what in ("id", "private", "ecdh_private", "public")]
    ephemeral = case["client_ecdh_public"], case["server_ecdh_public"]
    yield "secrets", name, [client[2], 1, ephemeral[1], *ids, derived]
    yield "secrets", name, [server[2], 0, ephemeral[0], *ids, derived]
    messages = [case[f"message{number}"] for number in (1, 2, 3, 4)]
    yield "client", name, [*client[:3], server[0], server[3], *messages[1:]]
    yield "server", name, [*server[:3], client[0], client[3], messages[0], *messages[2:]]
    for by_client, items in ((1, case["client_to_server"]), (0, case["server_to_client"])):
        for item in items:
            data = [case["time"], by_client, item["wrapped"], item["message"]]
            yield "data", name, [*client, *server, *data]


def _live() -> Iterator[Case]:
    pairs = {case["id"]: case for case in _cases("key_pairs")}
    for one, other in (("p256", "p256_b"), ("p384", "p521"), ("p521", "p384_b")):
        parties: list[Field] = []
        for name in (one, other):
            parties += [name.encode(), pairs[name]["private"], pairs[name]["public"]]
        yield "session", f"{one}-{other}", parties
    yield "forks", "none-repeats", [0]
    yield "comparison", "equal", [b"a secret", b"a secret", 1]
    yield "comparison", "unequal", [b"a secret", b"A secret", 0]
    yield "comparison", "long", [bytes(5000), bytes(5000), 1]
