# SPDX-License-Identifier: Apache-2.0
"""The directive that puts a picture into a page: its name, and below it the caption.

The SVG goes into the page itself, not into a file of its own, so that it takes the page's colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from pictures import PICTURES

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Picture(SphinxDirective):
    """A figure with a picture of `PICTURES` in it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw the picture."""
        name = self.arguments[0]
        if name not in PICTURES:
            raise self.error(f"there is no picture named {name!r}")
        figure = nodes.figure(classes=["picture"])
        figure += nodes.raw("", PICTURES[name].svg(name), format="html")
        content = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, content)
        if content.children:
            figure += nodes.caption("", "", *content.children[0].children)
        return [figure]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True}
