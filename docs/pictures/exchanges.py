# SPDX-License-Identifier: Apache-2.0
"""Who sends what to whom."""

from __future__ import annotations

from typing import NamedTuple

from pictures.drawing import LINE, WIDTH, Drawing

LEFT, RIGHT = 30, WIDTH - 30
HEAD = 26


class Step(NamedTuple):
    """A message, or something that happens on one side."""

    words: list[str]
    way: str  # ">" or "<": a message to the right or the left; "-": for both, a state
    size: str = ""


def exchange(title: str, description: str, sides: tuple[str, str], steps: list[Step]) -> Drawing:
    """Draw two sides with their lines of life, and what happens between them from top to bottom."""
    drawing = Drawing(title, description)
    y = HEAD + 10.0
    for step in steps:
        start = y
        if step.way == "-":
            height = 10 + LINE * len(step.words)
            drawing.box(1, start + 4, WIDTH - 2, height, step.words, "proof")
            y = start + height + 14
            continue
        for row, words in enumerate(step.words):
            drawing.text(
                WIDTH / 2, start + 12 + row * LINE, words, room=RIGHT - LEFT, strong=row == 0
            )
        y = start + 12 + LINE * len(step.words) - 8
        ends = (LEFT, RIGHT) if step.way == ">" else (RIGHT, LEFT)
        drawing.arrow(ends[0], y, ends[1], y)
        if step.size:
            drawing.text(WIDTH / 2, y + 14, step.size, small=True)
            y += 14
        y += 12
    drawing.life_line(LEFT, HEAD, y)
    drawing.life_line(RIGHT, HEAD, y)
    drawing.box(1, 1, 140, HEAD, [sides[0]], strong=True)
    drawing.box(WIDTH - 141, 1, 140, HEAD, [sides[1]], strong=True)
    return drawing


PICTURES = {
    "session": exchange(
        "How a session comes about",
        "Four messages. First: the client sends its id, a fresh public key and its signature over "
        "that key. Second: the server answers with its id, a fresh public key of its own and its "
        "signature over both fresh keys and both ids. Third: the client sends its signature over "
        "both fresh keys and both ids, and a proof that it has the shared secret. Fourth: the "
        "server sends its proof; from sending it the server is established, from reading it the "
        "client. Then both send encrypted messages whenever they like.",
        ("client", "server"),
        [
            Step(["1  connect_request()", "id, fresh public key,", "signature over that key"], ">"),
            Step(
                ["2  unwrap(1)", "id, fresh public key, signature", "over both fresh keys and ids"],
                "<",
            ),
            Step(
                ["3  unwrap(2)", "signature over both fresh keys", "and ids, proof of the secret"],
                ">",
            ),
            Step(["4  unwrap(3)", "proof of the secret"], "<"),
            Step(["both are established:", "both sides are authenticated"], "-"),
            Step(["wrap(message)"], ">", "52 bytes longer"),
            Step(["wrap(message)"], "<", "in any order, as many as you like"),
        ],
    ),
    "comparator": exchange(
        "One comparison",
        "Four messages of 192, 352, 256 and 96 bytes. The first two agree on points of the curve "
        "that neither side chose alone. The second and the third carry the secrets, blinded with "
        "random numbers. The third and the fourth open just enough to tell whether they are "
        "equal. Each message carries proofs of its form. The side that did not begin knows the "
        "result after the third message, the one that began after the fourth.",
        ("begins", "answers"),
        [
            Step(["begin_compare()", "two random points, proofs"], ">", "192 bytes"),
            Step(
                ["proceed_compare()", "two random points, proofs,", "its secret, blinded"],
                "<",
                "352 bytes",
            ),
            Step(
                ["proceed_compare()", "its secret, blinded, and", "half of the difference, proofs"],
                ">",
                "256 bytes",
            ),
            Step(["proceed_compare()", "the other half, proof"], "<", "96 bytes"),
            Step(["both know one bit: equal or not"], "-"),
        ],
    ),
}
