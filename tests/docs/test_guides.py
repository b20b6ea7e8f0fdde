# SPDX-License-Identifier: Apache-2.0
"""The pages of docs/ hold together; test_readme.py runs their examples."""

import importlib
import math
import re

import pytest

from pythemis.fields import index_plan
from pythemis.scell import SCellSeal
from support.comparators import MATCH, OF_JAVA, exchange, pair
from support.documents import Section, run, sections
from support.project import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
]
LINK = re.compile(r"\]\((?!https?:)([^)\s#]+)?(?:#([\w.-]+))?\)")
FENCED = re.compile(r"^ *(```+|~~~+).*?^ *\1", re.MULTILINE | re.DOTALL)
MODULES = ("asession", "exception", "scell", "scomparator", "skeygen", "smessage", "ssession")
RIDDLE = re.compile(
    r"\b(whoever|nobody|somebody|anybody|everybody|for who|he likes)\b", re.IGNORECASE
)
SPOKEN = [  # what must speak to the reader
    *PAGES,
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(ROOT / "docs" / "pictures").glob("*.py"),
    *(ROOT / "pythemis").glob("**/*.py*"),
    *(ROOT / "src").glob("**/*.[ch]"),
]
pytestmark = pytest.mark.no_c

by_path = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def anchors_of(page):
    """Give what a link to a page may name behind #: its headings and its own labels."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    names = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return names | set(re.findall(r"^\(([\w.-]+)\)=$", text, re.MULTILINE))


@by_path
def test_the_links_lead_somewhere(page):
    """A link names a file of the project, and where it names a heading, the file has it."""
    text = FENCED.sub("", page.read_text("utf-8"))
    wrong = [
        (target, anchor)
        for target, anchor in LINK.findall(text)
        for other in [(page.parent / target).resolve() if target else page]
        if not other.exists() or (anchor and anchor not in anchors_of(other))
    ]
    assert wrong == []


def test_sentences_speak_to_the_reader():
    """Sentences say "you", "anyone who" or "a peer that" instead of the words of riddles."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in SPOKEN
        if path.suffix in {".md", ".py", ".pyi", ".c", ".h"} and path.is_file()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if RIDDLE.search(line)
    ]
    assert found == []


@by_path
def test_what_runs_an_example_instead_is_there(page):
    """Where the reason for not running an example is that a test does, there is that test."""
    examples = [example for part in sections(page.read_text("utf-8")) for example in part.examples]
    for reason in filter(None, (example.reason for example in examples)):
        for test in re.findall(r"tests/[\w/]+\.py", reason):
            assert (ROOT / test).exists()


@by_path
def test_an_address_is_cut_where_a_host_and_a_port_are_meant(page):
    """That of an IPv6 socket has four parts."""
    assert not re.findall(r"\*\S*getsockname\(\)(?!\[:2\])", page.read_text("utf-8"))


@pytest.mark.parametrize("module", [*MODULES, "fields", "kms", "stransport"])
def test_the_reference_has_every_public_name(module):
    """What a module exports has an entry on its page, and nothing else has."""
    text = (ROOT / "docs" / "reference" / f"{module}.md").read_text("utf-8")
    shown = re.findall(rf"^\.\. auto\w+:: pythemis\.{module}\.(\w+)$", text, re.MULTILINE)
    assert sorted(shown) == sorted(importlib.import_module(f"pythemis.{module}").__all__)


def test_the_tutorial_names_every_extra():
    """Its table has the extras of the package; that of Spark brings what data frames need."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    page = (ROOT / "docs" / "start.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page.partition("### Extras")[2], re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(extras)
    assert any(each.startswith("pyspark[sql]") for each in extras["spark"])


def test_each_missed_goal_is_explained():
    """Where a table of performance has a NO, a line below names its row, and no other."""
    page = (ROOT / "docs" / "performance-tables.md").read_text("utf-8")
    parts = [part for part in re.split(r"^## ", page, flags=re.MULTILINE) if "| met |" in part]
    assert len(parts) == 2
    for part in parts:
        missed = re.findall(r"^\| ([^|]+) \|.*\| NO \|$", part, re.MULTILINE)
        assert re.findall(r"^- \*\*(.+)\*\*: ", part, re.MULTILINE) == missed


def test_the_text_of_java_is_what_java_makes_of_it(tmp_path, monkeypatch):
    """The page about other languages gives the bytes of Java, and they serve where bytes do."""
    page = ROOT / "docs" / "other-languages.md"
    monkeypatch.chdir(tmp_path)
    examples = [example for part in sections(page.read_text("utf-8")) for example in part.examples]
    java_text = run(Section(page.name, examples), str(page))["java_text"]
    for text, expected in OF_JAVA.items():
        assert java_text(text) == expected
        ours, theirs = pair(java_text(text), expected)
        exchange(ours, theirs)
        assert (ours.result(), theirs.result()) == (MATCH, MATCH)
        encrypted = SCellSeal(key=expected).encrypt(b"message")
        assert SCellSeal(key=java_text(text)).decrypt(encrypted) == b"message"


def test_the_old_names_are_those_that_work():
    """Each row of the table of old names is true, and warns."""
    text = (ROOT / "docs" / "coming-from-0.15.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| `(\w+)` \|$", text, re.MULTILINE)
    assert len(rows) == 10
    for module, old, new in rows:
        loaded = importlib.import_module(f"pythemis.{module}")
        if issubclass(getattr(loaded, new), Exception):
            with pytest.warns(DeprecationWarning, match=old):
                assert getattr(loaded, old) is getattr(loaded, new)
        else:
            assert issubclass(getattr(loaded, old), getattr(loaded, new))


def test_the_plan_on_the_page_about_blind_indexes():
    """The page shows what the planner prints, and chances of a collision that are right."""
    page = (ROOT / "docs" / "guide" / "blind-indexes.md").read_text("utf-8")
    for line in str(index_plan(rows=1_000_000, distinct=400_000)).splitlines():
        assert f"# {line}\n" in page
    chances = re.findall(r"^\| (\d+) \| (.*) % \| (.*) % \| (.*) % \|$", page, re.MULTILINE)
    assert [bits for bits, *_ in chances] == ["48", "64"]
    for bits, *shown in chances:
        for rows, percent in zip((10**6, 10**8, 10**9), shown, strict=True):
            chance = -100 * math.expm1(-rows * (rows - 1) / 2 ** (int(bits) + 1))
            assert float(percent) == pytest.approx(chance, rel=0.2)
