# SPDX-License-Identifier: Apache-2.0
"""The directive that shows the first screen of the README at a terminal: a real run, as SVG."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from tools.site import record

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Recording(SphinxDirective):
    """A figure of a terminal; the build fails if it shows something else than the README."""

    def run(self) -> list[nodes.Node]:
        """Run the commands, and draw what they showed."""
        self.env.note_dependency(str(record.ROOT / "README.md"))
        expected = record.steps()
        with TemporaryDirectory() as folder:
            recorded = record.record([step.command for step in expected], Path(folder))
        if recorded != expected:
            raise self.error("the README does not show what these commands print")
        figure = nodes.figure(classes=["recording"])
        figure += nodes.raw("", record.svg(recorded, "recording"), format="html")
        return [figure]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("recording", Recording)
    return {"parallel_read_safe": True}
