# SPDX-License-Identifier: Apache-2.0
"""Draw ratios as SVG: a dot for the median, a bar between the quartiles, a tick for the goal."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _report import Row

LINE, LEFT, WIDTH, RIGHT, TOP = 20, 300, 480, 70, 50
STYLE = """
svg { background: #fff }
text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold } .small { fill: #777 }
line { stroke: #ddd } .one { stroke: #777 } .bar { stroke: #7aa6d8; stroke-width: 8 }
.goal { stroke: #d08020; stroke-width: 2 } .dot { fill: #204a7a } .missed { fill: #c02020 }
"""


def draw(title: str, rows: list[Row]) -> str:
    """Draw the rows that have a ratio, on a logarithmic scale."""
    drawn = [(row, row.ratio) for row in rows if row.ratio]
    marks = [1.0] + [value for _, ratio in drawn for value in ratio]
    marks += [row.goal for row, _ in drawn if row.goal]
    low, high = min(marks), max(marks)
    scale = math.log(high / low) or 1.0

    def x(value: float) -> float:
        return round(LEFT + WIDTH * math.log(value / low) / scale, 1)

    bottom = TOP + LINE * len(drawn)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" '
        f'height="{bottom + LINE}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="10" y="20">{escape(title)}</text>',
    ]
    for value in _grid(low, high):
        kind = "one" if value == 1 else "grid"
        parts.append(_line(kind, x(value), TOP - 10, x(value), bottom))
        parts.append(_text("small", x(value), TOP - 14, f"{value:g}", "middle"))
    for index, (row, ratio) in enumerate(drawn):
        y = TOP + LINE * index + LINE // 2
        parts.append(_text("name", LEFT - 12, y + 4, row.name, "end"))
        parts.append(_line("bar", x(ratio.low), y, x(ratio.high), y))
        if row.goal:
            parts.append(_line("goal", x(row.goal), y - 8, x(row.goal), y + 8))
        kind = "missed" if row.met() is False else "dot"
        parts.append(f'<circle class="{kind}" cx="{x(ratio.median)}" cy="{y}" r="4"/>')
        parts.append(_text("small", LEFT + WIDTH + 12, y + 4, f"{ratio.median:.3f}", "start"))
    return "\n".join([*parts, "</svg>", ""])


def _grid(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = (digit * 10.0**power for power in powers for digit in (1, 1.2, 1.5, 2, 3, 5, 7, 8.5))
    return [value for value in values if low <= value <= high]


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> str:
    place = f'class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(text)}</text>"
