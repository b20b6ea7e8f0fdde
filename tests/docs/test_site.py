# SPDX-License-Identifier: Apache-2.0
"""What is done to the pages of the documentation when they are built, and how they are checked."""

import subprocess
import sys

import pytest
from page_descriptions import LONGEST, description
from stacking_tables import label_cells

pytestmark = pytest.mark.no_c

TABLE = """\
<table class="docutils">
<thead><tr><th class="head"><p>code</p></th><th><p>it's &amp; "it"</p></th>{more}</tr></thead>
<tbody><tr class="row"><td><p>1</p></td><td class="x"><p>2</p></td>{cell}</tr></tbody>
</table>
"""


def test_the_cells_of_a_wide_table_know_their_headings():
    """Each cell of a table of three columns gets the heading of its column."""
    page = TABLE.format(more="<th><p>third</p></th>", cell="<td></td>")
    labelled = label_cells(f"before{page}after")
    assert '<td data-label="code"><p>1' in labelled
    assert '<td data-label="it&#x27;s &amp; &quot;it&quot;" class="x"><p>2' in labelled
    assert '<td data-label="third"></td>' in labelled
    assert '<table class="docutils stacking">' in labelled
    assert labelled.startswith("before")
    assert labelled.endswith("after")


def test_narrow_tables_stay_as_they_are():
    """A table of two columns has room everywhere."""
    page = TABLE.format(more="", cell="")
    assert label_cells(page) == page


def test_tables_without_headings_stay_as_they_are():
    """Where a column has no heading there is nothing to say."""
    page = TABLE.format(more="<th></th>", cell="<td></td>")
    assert label_cells(page) == page


@pytest.mark.parametrize("columns", [2, 3])
def test_long_names_may_break_in_tables(columns):
    """A name as wide as a column breaks behind its underscores; tags and short names are left."""
    name = "SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR"
    cell = f'<td class="a_{name}"><span>{name}</span> <i>NOT_SUPPORTED</i></td>'
    more = "<th>third</th>" * (columns - 2)
    labelled = label_cells(TABLE.format(more=more, cell=cell))
    assert f'class="a_{name}"><span>{name.replace("_", "_<wbr>")}</span>' in labelled
    assert "<i>NOT_SUPPORTED</i>" in labelled


DESCRIBED = '<meta name="description" content="words">'
GOOD = f"""\
{DESCRIBED}
<svg class="picture" role="img" aria-labelledby="title words"></svg>
<a href="https://elsewhere.example">a link</a>
"""


def checked(folder):
    """Run tools/site/check.py on a folder; give its status and what it said."""
    command = [sys.executable, "-m", "tools.site.check", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_good_pages_pass_the_check(tmp_path):
    """A link to elsewhere is fine, for nothing is loaded until somebody follows it."""
    (tmp_path / "page.html").write_text(GOOD)
    assert checked(tmp_path)[0] == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.html", '<script src="https://cdn.example/x.js"></script>'),
        ("x.html", '<link rel="stylesheet" href="//fonts.example/css">'),
        ("x.html", '<img alt="words" src="http://elsewhere.example/x.png">'),
        ("x.html", '<img src="here.png">'),
        ("x.html", '<svg class="picture"></svg>'),
        ("x.html", "<table><tr><th>words</th><th><p> </p></th></tr></table>"),
        ("x.html", '<meta name="description" content="">'),
        ("x.css", '@import "https://fonts.example/css";'),
        ("x.css", "a { background: url(//elsewhere.example/x.png) }"),
    ],
)
def test_what_a_page_must_not_have_is_found(tmp_path, name, content):
    """What is loaded from elsewhere is told, and what lacks words: pictures, columns, pages."""
    (tmp_path / "page.html").write_text(GOOD)
    (tmp_path / name).write_text(content if "description" in content else DESCRIBED + content)
    status, said = checked(tmp_path)
    assert (status, said.count("1 problems")) == (1, 1)


def test_pages_without_pictures_fail_the_check(tmp_path):
    """A check that looked at nothing does not pass."""
    assert checked(tmp_path)[0] == 1


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("A short\nparagraph.", "A short paragraph."),
        ("a" * 90 + ". " + "b" * 90, "a" * 90 + "."),
        ("Few. " + "many words " * 20, "Few." + " many words" * 14 + " ..."),
    ],
)
def test_a_page_is_described_by_its_first_paragraph(paragraph, expected):
    """Whole sentences are taken if they fill half of the room, and whole words otherwise."""
    assert description(paragraph) == expected
    assert len(expected) <= LONGEST + len(" ...")
