# SPDX-License-Identifier: Apache-2.0
"""How the keys of a ring come, change and go, and what a stored value begins with."""

from __future__ import annotations

from typing import NamedTuple

from pictures.drawing import LINE, WIDTH, Drawing
from pictures.formats import Field, layout

SPACE = 4
STEPS_WIDTH = 118
KINDS = {"encrypts": "proof", "decrypts": "hidden", "retired,": "random"}


class Stage(NamedTuple):
    """What the two keys do after a step; nothing where a key is not in the ring."""

    step: str
    old: str
    new: str


def rotation(title: str, description: str, stages: list[Stage]) -> Drawing:
    """Draw a row for each step: its name, and what each key does from then on."""
    drawing = Drawing(title, description)
    width = (WIDTH - STEPS_WIDTH - 2 * SPACE - 2) / 2
    columns = [1 + STEPS_WIDTH + SPACE, 1 + STEPS_WIDTH + width + 2 * SPACE]
    for x, heading in zip(columns, ("the old key", "the new key"), strict=True):
        drawing.text(x + width / 2, 13, heading, strong=True)
    y = 20.0
    for stage in stages:
        words = stage.step.split("\n")
        height = 10 + 2 * LINE
        for row, line in enumerate(words):
            top = y + height / 2 + 4.5 - (len(words) - 1) * LINE / 2
            drawing.text(1, top + row * LINE, line, room=STEPS_WIDTH, anchor="start")
        for x, does in zip(columns, (stage.old, stage.new), strict=True):
            if does:
                lines = does.split("\n")
                drawing.box(x, y, width, height, lines, KINDS[lines[0]])
        y += height + SPACE
    return drawing


PICTURES = {
    "rotation": rotation(
        "The rotation of a key",
        "Six rows, one for each step, with what the old and the new key do after it. At first the "
        "old key encrypts and decrypts. After add, the new key decrypts too. After promote, the "
        "new key encrypts and decrypts, and the old one only decrypts. After the rows are rotated "
        "no value needs the old key. After retire the old key decrypts what was forgotten. After "
        "remove only the new key is there.",
        [
            Stage("at first", "encrypts\nand decrypts", ""),
            Stage("1  add\n2  deploy", "encrypts\nand decrypts", "decrypts"),
            Stage("3  promote,\n    deploy", "decrypts", "encrypts\nand decrypts"),
            Stage("4  rotate rows", "decrypts\n(no rows left)", "encrypts\nand decrypts"),
            Stage("5  retire", "retired,\nstill decrypts", "encrypts\nand decrypts"),
            Stage("6  remove", "", "encrypts\nand decrypts"),
        ],
    ),
    "stored-value": layout(
        "A stored value",
        "Three letters, TK1; the id of the key, five random bytes; then a Seal cell: 44 bytes of "
        "header, nonce and tag, and the encrypted message.",
        [
            (
                "8 bytes, which SQL can compare",
                [Field("TK1", "3"), Field("id of the key", "5 random bytes", "open", 2)],
            ),
            (
                "an ordinary Seal cell",
                [
                    Field("head, nonce, tag", "44 bytes", "proof"),
                    Field("message", "as long as it was", "hidden"),
                ],
            ),
        ],
    ),
    "column-cells": layout(
        "A column of cells",
        "A table of two rows. In each the id of the row stays readable. The cell beside it begins "
        "with TK1 and the id of the key, 8 bytes, then 44 bytes of head, nonce and tag, which "
        "prove the table, the column and the row's id, then the frame and the value, encrypted.",
        [
            (
                f"row {row}",
                [
                    Field("id", str(row), "plain", 0.6),
                    Field("key", "8 bytes", "open", 1),
                    Field("proof of table,\ncolumn and row", "44 bytes", "proof", 2),
                    Field("frame, value", "encrypted", "hidden", 2),
                ],
            )
            for row in (1, 2)
        ],
    ),
    "keyring-file": layout(
        "The file of a keyring",
        "A head of 14 bytes says what the file is. Then one slot for each way to open it: here one "
        "for a key, one for a passphrase and one for a key service. Each slot holds the same file "
        "key, encrypted. Then 32 bytes that prove the head, the slots and the name of the ring, "
        "and the keys of the ring, encrypted with the file key.",
        [
            ("what it is", [Field("TSFILE1, number of slots", "14 bytes")]),
            (
                "the file key, once for each way to open it",
                [
                    Field("for a\nkey", "80 bytes", "hidden"),
                    Field("for a\npassphrase", "106 bytes", "hidden"),
                    Field("for a\nkey service", "its choice", "hidden"),
                ],
            ),
            ("", [Field("proof of all above, and of the ring's name", "32 bytes", "proof")]),
            ("under the file key", [Field("name, version and keys of the ring", "", "hidden")]),
        ],
    ),
}
