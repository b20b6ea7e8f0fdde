# SPDX-License-Identifier: Apache-2.0
"""Check the pages that Sphinx built.

Nothing is loaded from elsewhere, pictures and columns of tables have names, pages a description.

Arguments: the folder with the pages. Leaves with 1, and with what is wrong, if anything is.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

ELSEWHERE = re.compile(r"^(https?:)?//", re.IGNORECASE)
LOADING_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
LOADING_ATTRIBUTES = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
    ("image", "href"),
    ("use", "href"),
}
LINKS_THAT_LOAD = {"stylesheet", "preload", "icon", "modulepreload", "preconnect", "dns-prefetch"}


class Page(HTMLParser):
    """Finds what a page would load from elsewhere, and what lacks words."""

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.pictures = 0
        self.described = False
        self._heading: str | None = None  # the text of the heading of a column, so far

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            loads = (tag, name) in LOADING_ATTRIBUTES or (
                (tag, name) == ("link", "href")
                and LINKS_THAT_LOAD.intersection(values.get("rel", "").split())
            )
            if loads and ELSEWHERE.match(value):
                self.problems.append(f"<{tag}> loads {value}")
        if tag == "img" and not values.get("alt"):
            self.problems.append(f"no words for the image {values.get('src')}")
        if tag == "meta" and values.get("name") == "description":
            self.described = bool(values.get("content"))
        if tag == "th":
            self._heading = ""
        if tag == "svg" and "picture" in values.get("class", "").split():
            self.pictures += 1
            if values.get("role") != "img" or not values.get("aria-labelledby"):
                self.problems.append("a picture without a name for screen readers")

    def handle_data(self, data: str) -> None:
        """Collect the heading of a column."""
        if self._heading is not None:
            self._heading += data

    def handle_endtag(self, tag: str) -> None:
        """Judge the heading of a column."""
        if tag == "th" and self._heading is not None:
            if not self._heading.strip():
                self.problems.append("a column of a table has no heading")
            self._heading = None


def main() -> None:
    """Check the folder that is named on the command line."""
    [folder] = map(Path, sys.argv[1:])
    found, pictures = problems(folder)
    if not pictures:
        found.append("there is not one picture: has the directive lost its way?")
    for problem in found:
        print(problem)
    print(f"{folder}: {pictures} pictures, {len(found)} problems")
    sys.exit(1 if found else 0)


def problems(folder: Path) -> tuple[list[str], int]:
    """List what is wrong with the pages of a folder, and count their pictures."""
    found = []
    pictures = 0
    for path in sorted(folder.rglob("*.html")):
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        if not page.described:
            page.problems.append("no description for search engines")
        found += [f"{path.relative_to(folder)}: {problem}" for problem in page.problems]
        pictures += page.pictures
    for path in sorted(folder.rglob("*.css")):
        loaded = LOADING_CSS.findall(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(folder)}: loads {address}" for address in loaded]
    return found, pictures


if __name__ == "__main__":
    main()
