# SPDX-License-Identifier: Apache-2.0
"""The directive that describes the command: its help, and a section for each of its commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from pythemis._cli.completion import parsers

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class CommandHelp(SphinxDirective):
    """The help of every command, as it prints it itself."""

    def run(self) -> list[nodes.Node]:
        """Ask each parser for its help."""
        os.environ["COLUMNS"] = "96"
        made: list[nodes.Node] = []
        for path, parser in parsers():
            title = " ".join(("pythemis", *path))
            section = nodes.section(ids=[title.replace(" ", "-")], names=[title])
            section += nodes.title("", "", nodes.literal("", title))
            section += nodes.literal_block("", parser.format_help(), language="text")
            made.append(section)
        return made


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
