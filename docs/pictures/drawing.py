# SPDX-License-Identifier: Apache-2.0
"""Draw SVG of boxes, arrows and words.

A picture is as wide as a phone's column, so that its words are as large there as those around it.
Colours and fonts come from `_static/site.css`, so pictures follow the page from light to dark.
A colour never says anything that the words do not say.
"""

from __future__ import annotations

from html import escape

WIDTH = 360
LINE = 16  # from one line of text to the next
LETTER = 6.8  # the widest that letters of 13 px are on average
SMALL = 6.0  # of those of 11.5 px


class Drawing:
    """One picture.

    Args:
        title: what it is, in a few words.
        description: what can be seen on it, for those who do not see it.
    """

    def __init__(self, title: str, description: str) -> None:
        self.title = title
        self.description = description
        self.height = 0.0
        self._behind: list[str] = []
        self._parts: list[str] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        lines: list[str],
        kind: str = "plain",
        *,
        size: str = "",
        strong: bool = False,
    ) -> None:
        """Draw a box with words in its middle; ``size`` stands below them in small letters."""
        self._reach(y + height)
        self._parts.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            'rx="4"/>'
        )
        rows = len(lines) + bool(size)
        top = y + height / 2 - (rows - 1) * LINE / 2 + 4.5
        for row, line in enumerate(lines):
            self.text(x + width / 2, top + row * LINE, line, room=width - 6, strong=strong)
        if size:
            self.text(x + width / 2, top + len(lines) * LINE, size, room=width - 4, small=True)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        room: float = WIDTH,
        anchor: str = "middle",
        small: bool = False,
        strong: bool = False,
    ) -> None:
        """Write one line; ``room`` is how wide it may become.

        Raises:
            ValueError: it would be wider.
        """
        needed = len(words) * (SMALL if small else LETTER)
        if needed > room:
            raise ValueError(f"{self.title}: {words!r} needs {needed:.0f} and has {room:.0f}")
        look = "size" if small else "strong" if strong else "words"
        self._reach(y + 4)
        self._parts.append(
            f'<text class="{look}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">'
            f"{escape(words)}</text>"
        )

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a straight arrow, across or down."""
        self._reach(max(y1, y2) + 4)
        if y1 == y2:
            back = 7 if x2 > x1 else -7
            head = f"{x2:g},{y2:g} {x2 - back:g},{y2 - 4:g} {x2 - back:g},{y2 + 4:g}"
        else:
            head = f"{x2:g},{y2:g} {x2 - 4:g},{y2 - 7:g} {x2 + 4:g},{y2 - 7:g}"
        self._parts.append(
            f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
            f'<polygon class="head" points="{head}"/>'
        )

    def life_line(self, x: float, y1: float, y2: float) -> None:
        """Draw a dashed line downwards, behind everything else."""
        self._reach(y2)
        self._behind.append(f'<line class="life" x1="{x:g}" y1="{y1:g}" x2="{x:g}" y2="{y2:g}"/>')

    def svg(self, name: str) -> str:
        """Give the picture; ``name`` is unique on its page."""
        return (
            f'<svg class="picture" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'viewBox="0 0 {WIDTH} {self.height + 2:g}" '
            f'aria-labelledby="{name}-title {name}-description">'
            f'<title id="{name}-title">{escape(self.title)}</title>'
            f'<desc id="{name}-description">{escape(self.description)}</desc>'
            f"{''.join(self._behind + self._parts)}</svg>"
        )

    def _reach(self, y: float) -> None:
        self.height = max(self.height, y)
