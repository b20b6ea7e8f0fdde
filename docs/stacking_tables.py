# SPDX-License-Identifier: Apache-2.0
"""Tables that a phone can show: each cell of a wide table knows the heading of its column.

On a narrow page the style sheet puts the cells of a row below each other, each behind its heading.
"""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDE = 3  # columns from which on a table is stacked
TABLE = re.compile(r'<table class="([^"]*)">(.*?)</table>', re.DOTALL)
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
CELL = re.compile(r"<td\b")
LONG_NAME = re.compile(r"\b\w{18,}\b")
TAG = re.compile(r"<[^>]+>")
TEXT = re.compile(r"(?<=>)[^<]+")


def label_cells(body: str) -> str:
    """Let long names in tables break; write its column's heading into each cell of wide ones."""
    return TABLE.sub(_labelled, body)


def break_long_names(content: str) -> str:
    """Let a browser break names that are as wide as a column is, behind their underscores."""
    return LONG_NAME.sub(lambda name: name[0].replace("_", "_<wbr>"), content)


def _labelled(table: re.Match[str]) -> str:
    classes, content = table.groups()
    broken = TEXT.sub(lambda text: break_long_names(text[0]), content)
    headings = [
        escape(unescape(TAG.sub("", heading)).strip()) for heading in HEADING.findall(content)
    ]
    if len(headings) < WIDE or not all(headings):
        return f'<table class="{classes}">{broken}</table>'

    def label_row(row: re.Match[str]) -> str:
        labels = iter(headings)
        return CELL.sub(lambda cell: f'{cell[0]} data-label="{next(labels)}"', row[0])

    return f'<table class="{classes} stacking">{ROW.sub(label_row, broken)}</table>'


def _label_page(_app: Sphinx, _page: str, _template: str, context: Any, _doctree: Any) -> None:
    if "body" in context:
        context["body"] = label_cells(context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at each page before it is written."""
    app.connect("html-page-context", _label_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
