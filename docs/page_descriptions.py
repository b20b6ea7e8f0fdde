# SPDX-License-Identifier: Apache-2.0
"""A description for each page, which search engines show: its first paragraph."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LONGEST = 160  # characters; search engines show no more
WITHOUT_TEXT = "Documentation of pythemis, high-level cryptography for Python."


def description(paragraph: str) -> str:
    """Return the sentences of a paragraph that fit; if they are few, its beginning."""
    text = " ".join(paragraph.split())
    if len(text) <= LONGEST:
        return text
    end = text.rfind(". ", LONGEST // 2, LONGEST)
    return text[: end + 1] if end > 0 else text[:LONGEST].rpartition(" ")[0] + " ..."


def _describe(_app: Sphinx, _page: str, _template: str, context: Any, doctree: Any) -> None:
    found = doctree.findall() if doctree else ()
    paragraphs = (node.astext() for node in found if node.tagname == "paragraph")
    text = description(next(paragraphs, "") or WITHOUT_TEXT)
    context["metatags"] = (
        f'{context.get("metatags", "")}<meta name="description" content="{escape(text)}">\n'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Look at each page before it is written."""
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
