# SPDX-License-Identifier: Apache-2.0
"""What lies where in keys, cells and messages."""

from __future__ import annotations

from typing import NamedTuple

from pictures.drawing import LINE, WIDTH, Drawing

GAP = 4
LEGEND = {
    "plain": "says what it is",
    "random": "random",
    "proof": "proof: a change shows",
    "hidden": "encrypted",
    "open": "readable by all",
}


class Field(NamedTuple):
    """A part of a format."""

    name: str  # of one or two lines
    size: str
    kind: str = "plain"
    weight: float = 1


def layout(title: str, description: str, rows: list[tuple[str, list[Field]]]) -> Drawing:
    """Draw rows of fields, each under its heading if it has one, and say what the colours mean."""
    drawing = Drawing(title, description)
    y = 1.0
    for heading, fields in rows:
        if heading:
            drawing.text(1, y + 12, heading, anchor="start", strong=True)
            y += 20
        height = 12 + LINE * max(len(field.name.split("\n")) + 1 for field in fields)
        x = 1.0
        room = WIDTH - 2 - GAP * (len(fields) - 1)
        whole = sum(field.weight for field in fields)
        for field in fields:
            width = room * field.weight / whole
            lines = field.name.split("\n")
            drawing.box(x, y, width, height, lines, field.kind, size=field.size)
            x += width + GAP
        y += height + GAP
    kinds = {field.kind for _, fields in rows for field in fields}
    for place, kind in enumerate(kind for kind in LEGEND if kind in kinds):
        x, below = 1 + place % 2 * WIDTH / 2, y + 8 + place // 2 * 20
        drawing.box(x, below, 12, 12, [], kind)
        drawing.text(x + 18, below + 10, LEGEND[kind], anchor="start", small=True)
    return drawing


HEAD = [
    Field("kind of\ncell", "4"),
    Field("nonce\nlength", "4"),
    Field("tag\nlength", "4"),
    Field("message\nlength", "4"),
]
NONCE_AND_TAG = [
    Field("nonce", "12 bytes", "random", 3),
    Field("tag", "16 bytes", "proof", 4),
]

PICTURES = {
    "seal": layout(
        "A Seal cell",
        "A header of four numbers of 4 bytes each (kind of cell, nonce length, tag length, message "
        "length), a random nonce of 12 bytes, a tag of 16 bytes that proves the message and the "
        "context, then the encrypted message, as long as the message. The context is not in it.",
        [
            ("44 bytes that are added", HEAD),
            ("", NONCE_AND_TAG),
            ("your message", [Field("message", "as long as it was", "hidden")]),
        ],
    ),
    "seal-passphrase": layout(
        "A Seal cell with a passphrase",
        "A header of five numbers of 4 bytes each (kind of cell, nonce length, tag length, message "
        "length, length of what follows the tag), a random nonce of 12 bytes, a tag of 16 bytes, "
        "then 22 bytes that say how the passphrase was stretched: 4 bytes of iterations, 2 bytes "
        "of salt length, 16 bytes of random salt; then the encrypted message.",
        [
            (
                "70 bytes that are added",
                [
                    *(Field(field.name, "4") for field in HEAD),
                    Field("salt part\nlength", "4", "plain", 1.15),
                ],
            ),
            ("", NONCE_AND_TAG),
            (
                "",
                [
                    Field("iterations", "4", "plain", 1.2),
                    Field("salt length", "2", "plain", 1.2),
                    Field("salt", "16 bytes", "random", 2),
                ],
            ),
            ("your message", [Field("message", "as long as it was", "hidden")]),
        ],
    ),
    "token-protect": layout(
        "Token Protect: the message and its token apart",
        "The encrypted message, exactly as long as the message. Apart from it a token of 44 bytes: "
        "a header of four numbers of 4 bytes each, a random nonce of 12 bytes and a tag of 16 "
        "bytes that proves the message and the context.",
        [
            ("in the field", [Field("message", "as long as it was", "hidden")]),
            ("elsewhere: the token, 44 bytes", HEAD),
            ("", NONCE_AND_TAG),
        ],
    ),
    "context-imprint": layout(
        "Context Imprint: nothing is added",
        "Only the encrypted message, exactly as long as the message. There is no nonce and no "
        "proof: the same message with the same key and context always gives the same bytes.",
        [("all there is", [Field("message", "as long as it was", "hidden")])],
    ),
    "sealed-file": layout(
        "A sealed file",
        "A header: 8 bytes of name and version, 1 byte of chunk size, 1 byte that is the number of "
        "slots, 4 bytes that are their length. Slots, one for each key, passphrase, recipient or "
        "service, each of which holds the file key, encrypted for its holder: 76 bytes for a key, "
        "102 for a passphrase, 129 for a recipient, after 4 bytes and an id. A proof of 32 bytes "
        "of the header, the context and the file key. Then chunks, each with 44 bytes of head, "
        "nonce and tag: full ones of 64 KiB, and the last one with the rest of the data, zeros "
        "and the length.",
        [
            (
                "14 bytes",
                [
                    Field("name and\nversion", "8", "plain", 1.4),
                    Field("chunk\nsize", "1"),
                    Field("number\nof slots", "1"),
                    Field("length\nof slots", "4"),
                ],
            ),
            (
                "who can open it: one slot for each",
                [
                    Field("file key,\nfor a key", "76 bytes", "hidden"),
                    Field("file key,\nfor a passphrase", "102 bytes", "hidden", 1.2),
                    Field("file key,\nfor a recipient", "129 bytes", "hidden", 1.2),
                ],
            ),
            ("", [Field("proof of all this, the context and the file key", "32 bytes", "proof")]),
            (
                "your data, in chunks",
                [
                    Field("chunk 0", "64 KiB + 44 bytes", "hidden"),
                    Field("chunk 1", "64 KiB + 44 bytes", "hidden"),
                    Field("the last: rest,\nzeros, length", "52 bytes or more", "hidden"),
                ],
            ),
        ],
    ),
    "signed-message": layout(
        "A signed message",
        "A header of three numbers of 4 bytes each (type, message length, signature length), the "
        "message as it is, readable by anyone, and the signature: up to 72 bytes with EC keys "
        "on P-256, as long as the key with RSA keys.",
        [
            (
                "12 bytes",
                [
                    Field("type", "4"),
                    Field("message length", "4", "plain", 2),
                    Field("signature length", "4", "plain", 2),
                ],
            ),
            ("your message", [Field("message", "as it is", "open")]),
            ("", [Field("signature", "up to 72 bytes (EC), 256 or more (RSA)", "proof")]),
        ],
    ),
    "ec-message": layout(
        "A message encrypted with EC keys",
        "A header of two numbers of 4 bytes each (type, total length), then a Seal cell whose key "
        "is the secret that only the two owners of the keys can compute: 44 bytes and the "
        "encrypted message.",
        [
            ("52 bytes that are added", [Field("type", "4"), Field("total length", "4")]),
            ("", [Field("head, nonce and tag of a Seal cell", "44 bytes", "proof")]),
            ("your message", [Field("message", "as long as it was", "hidden")]),
        ],
    ),
    "rsa-message": layout(
        "A message encrypted with RSA keys",
        "A header of three numbers of 4 bytes each (type, total length, wrapped length), a fresh "
        "secret of 70 bytes encrypted for the owner of the public key, as long as that key, then a "
        "Seal cell under that secret: 44 bytes and the encrypted message. Nothing in it comes from "
        "the key of the sender.",
        [
            (
                "12 bytes",
                [
                    Field("type", "4"),
                    Field("total length", "4", "plain", 1.6),
                    Field("wrapped length", "4", "plain", 1.9),
                ],
            ),
            ("", [Field("a fresh secret, for Bob's key", "as long as his key", "hidden")]),
            ("", [Field("head, nonce and tag of a Seal cell", "44 bytes", "proof")]),
            ("your message", [Field("message", "as long as it was", "hidden")]),
        ],
    ),
    "session-message": layout(
        "A message within a session",
        "The number of the session, 4 bytes; 16 random bytes, of which 12 are the nonce; encrypted "
        "together: length, number of the message, time, and the message; then a tag of 16 bytes. "
        "52 bytes are added in all.",
        [
            (
                "20 bytes",
                [
                    Field("session", "4"),
                    Field("nonce", "12 bytes and 4 unused", "random", 2.5),
                ],
            ),
            (
                "encrypted together",
                [
                    Field("length", "4", "hidden"),
                    Field("number", "4", "hidden"),
                    Field("time", "8", "hidden"),
                ],
            ),
            ("", [Field("message", "as long as it was", "hidden")]),
            ("", [Field("tag", "16 bytes", "proof")]),
        ],
    ),
    "key": layout(
        "An asymmetric key",
        "A tag of 4 letters that says what the key is, the length of the whole key in 4 bytes, a "
        "checksum of 4 bytes that finds damage, and the numbers of the key.",
        [
            (
                "12 bytes",
                [
                    Field("what it is", "4 letters: UEC2, REC2 ...", "plain", 2),
                    Field("length", "4"),
                    Field("checksum", "4"),
                ],
            ),
            ("", [Field("the numbers of the key", "33 bytes (P-256) to 4612 (RSA 8192)", "open")]),
        ],
    ),
}
