# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/guide hold together; test_readme.py runs their examples."""

import re

import pytest
from _project import ROOT

GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_the_links_between_guides_lead_somewhere(guide):
    """A link to another page names a page, and a heading on it."""
    for target, anchor in re.findall(
        r"\]\(([\w-]+\.md)?(?:#([\w-]+))?\)", guide.read_text("utf-8")
    ):
        page = guide.parent / target if target else guide
        headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
        assert not anchor or anchor in anchors
