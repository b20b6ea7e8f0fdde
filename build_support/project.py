# SPDX-License-Identifier: Apache-2.0
"""Where the project is: one setting, from which metadata, links and SECURITY.md follow.

After a change of ADDRESS run `python -m build_support.project`, which writes SECURITY.md anew.
"""

from __future__ import annotations

import re
from pathlib import Path

#: Such as "https://example.org/pythemis". Empty: there is no public address yet.
ADDRESS = ""

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- address: begin -->\n", "<!-- address: end -->\n"
LINK = re.compile(r"\[([^]]+)\]\((?!https?://|#)([^)#\s]+)(#[^)\s]*)?\)")
NOWHERE = """\
This project has no public address yet, so there is no form to fill in. Contact the person who gave
you this copy.
"""
SOMEWHERE = """\
Open {address}, choose **Security**, then **Report a vulnerability**. Only the maintainers see your
report.
"""


def urls(address: str = ADDRESS) -> dict[str, str]:
    """Return the addresses of the package's metadata; none while there is no public address."""
    if not address:
        return {}
    return {
        "Source": address,
        "Documentation": f"{address}/blob/main/docs/index.md",
        "Changelog": f"{address}/blob/main/CHANGELOG.md",
        "Security": f"{address}/security/policy",
    }


def site_links(address: str = ADDRESS) -> list[dict[str, str]]:
    """Return what the foot of each page of documentation links to: Themis, and us if we can."""
    found = {"Source": address} if address else {}
    found["Themis"] = "https://github.com/cossacklabs/themis"
    return [
        {"name": name, "url": url, "html": name, "class": "site-link"}
        for name, url in found.items()
    ]


def long_description(readme: str, address: str = ADDRESS) -> str:
    """Return the README with links that work outside of the repository.

    Without an address a link to a file becomes its text.
    """
    to = rf"[\1]({address}/blob/main/\2\3)" if address else r"\1"
    return LINK.sub(to, readme)


def security(text: str, address: str = ADDRESS) -> str:
    """Return SECURITY.md with the way to report a weakness."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"SECURITY.md must hold the lines {BEGIN!r} and {END!r}")
    how = SOMEWHERE.format(address=address) if address else NOWHERE
    return before + begin + how + end + after


if __name__ == "__main__":
    path = ROOT / "SECURITY.md"
    path.write_text(security(path.read_text(encoding="utf-8")), encoding="utf-8")
