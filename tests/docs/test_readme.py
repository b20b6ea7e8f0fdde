# SPDX-License-Identifier: Apache-2.0
"""The examples in README.md and docs/ do what they show."""

import re
import shutil
import sys

import pytest

from support.documents import Section, run, sections
from support.project import HAS_SOURCES, ROOT

PRINTED = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
WEB = ("django", "flask", "fastapi")  # of the test group, on CPython
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def parts_of(path):
    """Give what runs together: a section of the README, the whole of any other document."""
    found = sections(path.read_text(encoding="utf-8"))
    if path.name == "README.md" or not found:
        return found
    examples = [example for section in found for example in section.examples]
    return [Section(found[0].title, examples)]


SECTIONS = [
    pytest.param(path, section, id=f"{path.relative_to(ROOT).as_posix()}: {section.title}")
    for path in DOCUMENTS
    for section in parts_of(path)
]


@pytest.mark.parametrize(("path", "section"), SECTIONS)
def test_the_examples_run(path, section, tmp_path, monkeypatch, capsys):
    """Every example of a part runs, beside the files of docs/vectors, and prints what it says."""
    if path.name == "web-frameworks.md" and not (
        HAS_SOURCES and sys.implementation.name == "cpython"
    ):
        for package in WEB:
            pytest.importorskip(package)
    for file in (ROOT / "docs" / "vectors").glob("*"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    run(section, str(path))
    assert unkept(promised(section), capsys.readouterr().out) == []


def promised(section):
    """Give what stands as a comment behind each print."""
    return [
        comment
        for example in section.examples
        if example.reason is None
        for comment in PRINTED.findall(example.code)
    ]


def unkept(promises, printed):
    """Give the promises that no line keeps, in their order; ... in one stands for any text."""
    lines = iter(printed.splitlines())
    return [
        promise
        for promise in promises
        if not any(
            re.fullmatch(".*".join(map(re.escape, re.split(r" *\.\.\.", promise))), line)
            for line in lines
        )
    ]


def test_the_readme_has_examples():
    """The README shows something that runs."""
    readme = [
        path for path, _ in (section.values for section in SECTIONS) if path.name == "README.md"
    ]
    assert len(readme) >= 2


DOCUMENT = """\
# Title

```python
x = 1
```

Text, and a block in another language:

```console
$ nonsense
# Not a heading
```

```python
assert x == 1
```

## Part

<!-- not run: it needs a server -->
```python
raise SystemExit
```

1. In a list:

   ```python
   if True:
       y = 2
   ```

<!-- just a comment -->

~~~py
assert y == 2
assert "x" not in dir()
~~~

<!-- run -->
```console
$ pythemis --version
```

### Deeper

```python
assert y == 2
```

## Without examples

## Wrong

```python

assert False, "on this line"
```
"""


def test_examples_are_found_by_section():
    """Sections end at headings of two levels; only Python counts; skipped ones say why."""
    title, part, wrong = sections(DOCUMENT)
    assert (title.title, part.title, wrong.title) == ("Title", "Part", "Wrong")
    assert [example.code for example in title.examples] == ["x = 1\n", "assert x == 1\n"]
    assert [example.reason for example in part.examples] == ["it needs a server"] + [None] * 4
    assert "'-m', 'pythemis', *['--version']" in part.examples[3].code
    assert part.examples[1].code == "if True:\n    y = 2\n"
    run(title, "document.md")
    run(part, "document.md")


def test_what_a_comment_promises_is_printed():
    """A comment behind print is its output, or how that begins; another one is told."""
    code = "print('a')  # a\nx = 1  # c\nprint('bcd')  # bc...\nprint('e')  # f\n"
    section = sections(f"# Title\n```python\n{code}```\n")[0]
    assert promised(section) == ["a", "bc...", "f"]
    assert unkept(promised(section), "a\nbcd\ne\n") == ["f"]
    assert unkept(["bc..."], "b\n") == ["bc..."]
    assert unkept(["b ... d"], "b c d\n") == []
    assert unkept(["b ... d"], "b c\n") == ["b ... d"]


def test_a_wrong_example_fails_on_its_line():
    """The traceback names the document and the line."""
    with pytest.raises(AssertionError, match="on this line") as caught:
        run(sections(DOCUMENT)[-1], "document.md")
    entry = caught.traceback[-1]
    assert (str(entry.path).rpartition("/")[2], entry.lineno + 1) == ("document.md", 56)


@pytest.mark.parametrize("comment", ["<!-- not run: -->", "<!--not run:-->", "<!-- not run:   -->"])
def test_leaving_an_example_out_needs_a_reason(comment):
    """Without a reason the comment is an error, and names its line."""
    with pytest.raises(ValueError, match="line 3: say why"):
        sections(f"# Title\n{comment}\n```python\nx\n```\n")


def test_a_block_that_never_ends_is_an_error():
    """A missing fence does not hide the rest of the document."""
    with pytest.raises(ValueError, match="line 1: this block is never closed"):
        sections("```python\nx = 1\n")
