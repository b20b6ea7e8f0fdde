# SPDX-License-Identifier: Apache-2.0
"""What the pages about the command show is what happens, and the manual page is whole."""

import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from pythemis._cli import completion
from support.project import ROOT

pytest.importorskip("pty")
from tools.site import record

pytestmark = [
    pytest.mark.sources,
    pytest.mark.skipif(os.name != "posix", reason="the pages show a shell of POSIX"),
]
PAGES = ["docs/how-to/command-line.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = "import sys; from pythemis._cli.main import main; sys.exit(main())"


def steps(page):
    """Give each command of a page, with the output that it shows."""
    for block in BLOCK.findall((ROOT / page).read_text("utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            yield command, output


@pytest.mark.parametrize("page", PAGES)
def test_the_page_shows_what_happens(page, tmp_path):
    """Each command in one shell; ``...`` stands for anything within a line."""
    found = list(steps(page))
    assert len(found) > 10
    script = f"pythemis() {{ {sys.executable} -I -c '{COMMAND}' \"$@\"; }}\numask 022\n"
    script += "".join(f"{command}\necho '=== {n}'\n" for n, (command, _) in enumerate(found))
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)},
    )
    outputs = re.split(r"^=== \d+\n", ran.stdout, flags=re.MULTILINE)
    for (command, expected), output in zip(found, outputs, strict=False):
        pattern = re.escape(expected).replace(re.escape("..."), r"[^\n]*")
        assert re.fullmatch(pattern, output), f"{command}\n{output}"


def test_the_first_screen_of_the_readme_is_a_recording(tmp_path):
    """At a terminal the commands show what stands there; the picture of them is whole."""
    expected = record.steps()
    assert len(expected) >= 5
    recorded = record.record([step.command for step in expected], tmp_path)
    assert recorded == expected
    drawn = ElementTree.fromstring(record.svg(recorded, "name"))
    texts = [text.text for text in drawn if text.tag.endswith("text")]
    assert texts == [
        line for step in expected for line in (f"$ {step.command}", *step.shown.splitlines())
    ]


def test_the_manual_page_has_every_command_and_option(tmp_path):
    """It is built from the parser, and man shows it without a warning."""
    path = tmp_path / "pythemis.1"
    made = [sys.executable, "-m", "tools.site.manual", str(path)]
    subprocess.run(made, cwd=ROOT, check=True)
    text = path.read_text("utf-8").replace("\\-", "-")
    for level in completion.levels():
        assert " ".join(("pythemis", *level.path)) in text
        for option in level.options.keys() - {"-h", "--help", "--version"}:
            assert option in text
    if shutil.which("man") is None:
        pytest.skip("there is no man")
    shown = subprocess.run(
        ["man", "--warnings", "-l", str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "--passphrase-from SOURCE" in shown.stdout
