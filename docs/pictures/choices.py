# SPDX-License-Identifier: Apache-2.0
"""Which one do I need, and what lies on what."""

from __future__ import annotations

from pictures.drawing import LINE, WIDTH, Drawing

QUESTION, ANSWER = 206, 112


def choice(
    title: str,
    description: str,
    questions: list[tuple[list[str], list[str], str]],
    otherwise: tuple[list[str], str],
) -> Drawing:
    """Draw questions from top to bottom, each with its answer to the right."""
    drawing = Drawing(title, description)
    y = 1.0
    for words, answer, kind in questions:
        height = 14 + LINE * max(len(words), len(answer))
        drawing.box(1, y, QUESTION, height, words, "open")
        drawing.box(WIDTH - 1 - ANSWER, y, ANSWER, height, answer, kind, strong=True)
        drawing.arrow(QUESTION + 1, y + height / 2, WIDTH - 1 - ANSWER, y + height / 2)
        drawing.text(QUESTION + 18, y + height / 2 - 5, "yes", small=True)
        drawing.arrow(QUESTION / 2, y + height, QUESTION / 2, y + height + 24)
        drawing.text(QUESTION / 2 + 14, y + height + 15, "no", small=True)
        y += height + 24
    words, kind = otherwise
    drawing.box(1, y, QUESTION, 14 + LINE * len(words), words, kind, strong=True)
    return drawing


def layers(title: str, description: str, rows: list[tuple[str, str, str]]) -> Drawing:
    """Draw what lies on what; each row knows only those below it."""
    drawing = Drawing(title, description)
    y = 1.0
    for name, what, kind in rows:
        drawing.box(1, y, WIDTH - 2, 46, [name], kind, size=what)
        y += 46
        if name != rows[-1][0]:
            drawing.arrow(WIDTH / 2, y, WIDTH / 2, y + 16)
        y += 16
    return drawing


PICTURES = {
    "which-one": choice(
        "Which cryptosystem do I need?",
        "Do two sides want to know whether their secrets are equal, without revealing them? Secure "
        "Comparator. If not: does the data stay with you, in files or a database? Secure Cell. If "
        "not: are both sides there at the same time? Secure Session. Otherwise Secure Message.",
        [
            (
                ["Is a secret to be compared,", "without telling it?"],
                ["Secure", "Comparator"],
                "hidden",
            ),
            (
                ["Does the data stay with you:", "files, database, tokens?"],
                ["Secure Cell"],
                "hidden",
            ),
            (["Are both sides there", "at the same time?"], ["Secure Session"], "hidden"),
        ],
        (["Secure Message"], "hidden"),
    ),
    "which-cell": choice(
        "Which Secure Cell do I need?",
        "Does a person type the secret? Seal with a passphrase. If not: is there room for 44 more "
        "bytes in the same place? Seal with a key. If not: is there room for them elsewhere? Token "
        "Protect. Otherwise Context Imprint, which detects no change.",
        [
            (["Does a person type", "the secret?"], ["Seal with a", "passphrase"], "hidden"),
            (["Room for 44 more bytes", "in the same place?"], ["Seal"], "hidden"),
            (["Room for them elsewhere?"], ["Token Protect"], "hidden"),
        ],
        (["Context Imprint", "(detects no change)"], "warn"),
    ),
    "layers": layers(
        "Who may know whom",
        "From top to bottom: the command and the rooms, the keyring, the container of sealed files "
        "and places, the documented modules, the boundary _core, the header themis.h, the "
        "cryptosystems, the primitives, OpenSSL and libsodium. Each knows only what lies below it.",
        [
            ("pythemis._cli, files, kms", "the command; rooms, which know no other room", "open"),
            ("pythemis.keyring", "keys that rotate, keys in guarded memory", "open"),
            ("pythemis.place, _sealed, _inspect", "contexts, sealed files, what bytes are", "open"),
            ("pythemis.scell, smessage, ssession ...", "the documented modules, typed", "open"),
            ("pythemis._core", "buffers in, bytes out, status to exception", "plain"),
            ("src/themis_c/themis.h", "all that Python sees of C", "plain"),
            ("src/themis_c/themis/", "the cryptosystems", "hidden"),
            ("src/themis_c/soter/", "primitives, formats, wiping", "hidden"),
            ("OpenSSL, libsodium", "ciphers, curves, random numbers", "open"),
        ],
    ),
}
