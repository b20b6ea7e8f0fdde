# SPDX-License-Identifier: Apache-2.0
"""What the pages about the command show is what happens, and the manual page is whole."""

import os
import re
import shutil
import sqlite3
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
MODELS = ROOT / "tests" / "support" / "shop_models.py"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page):
    """Give each command of a page, with the output that it shows."""
    for block in BLOCK.findall((ROOT / page).read_text("utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            yield command, output


def shown(commands, folder):
    """Run commands in one shell at a terminal; give what each of them showed."""
    script = "".join(f"{command}\necho '=== {n}'\n" for n, command in enumerate(commands))
    return re.split(r"^=== \d+\n", record.at_terminal(script, folder), flags=re.MULTILINE)[:-1]


def check(found, folder):
    """Compare what is shown with what is expected; ``...`` stands for anything in a line."""
    outputs = shown([command for command, _ in found], folder)
    for (command, expected), output in zip(found, outputs, strict=True):
        pattern = re.escape(expected).replace(re.escape("..."), r"[^\n]*")
        assert re.fullmatch(pattern, output), f"{command}\n{output}"


@pytest.mark.parametrize("page", PAGES)
def test_the_page_shows_what_happens(page, tmp_path):
    """Each command in one session at a terminal."""
    found = list(steps(page))
    assert len(found) > 10
    check(found, tmp_path)


# What the pages do not show.
MORE = """\
$ pythemis keygen -o k; pythemis keygen --ec -o pair; echo text > file
$ pythemis encrypt file -k k -o a; pythemis cat a a -k k
text
text
$ pythemis key public pair | cmp - pair.pub; echo $?
0
$ pythemis key to-jwk pair.pub
{"kty": "EC", "crv": "P-256", ...}
$ pythemis keyring new shop.ring -k k > first; pythemis keyring status shop.ring -k k | cmp - first
$ pythemis keyring add shop.ring -k k > /dev/null; pythemis keyring promote shop.ring -k k > two
$ OLD=$(sed -n '2s/^ *\\([0-9a-f]*\\):.*/\\1/p' two); pythemis keyring retire shop.ring $OLD -k k
keyring shop, version 4
  ...: retired, created ...
  ...: active, primary, created ...
$ pythemis encrypt file --keyring shop.ring --keyring-key k --cell
pythemis: an ordinary cell has one key, -k KEY, or a passphrase, -p
$ pythemis keyring remove shop.ring $OLD -k k
keyring shop, version 5
  ...: active, primary, created ...
$ echo nothing | pythemis keyring rotate shop.ring -k k
pythemis: ...
$ pythemis keyring new index.ring -k k > /dev/null; cp k key; export DATABASE_URL=sqlite:///shop.db
$ pythemis fields status shop_models:Customer.note
Customer.note (customers.note_cell)
           0  key ... (primary)
$ pythemis fields rotate shop_models:Base
Customer: 0 values rewritten, 0 refused
$ pythemis fields migrate shop_models:Customer.note --from plain --reader shop_models:read
Customer: 0 values rewritten, 0 refused
$ pythemis selftest | tail -n 1
All ... checks passed in ... seconds.
"""


def test_the_other_commands_at_a_terminal(tmp_path):
    """With those of the pages, each command has been in a session."""
    shutil.copy(MODELS, tmp_path)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        columns = "id, kind, card_cell, card_index, note_cell, plain"
        database.execute(f"CREATE TABLE customers ({columns})")
    database.close()
    parts = [step.partition("\n") for step in re.split(r"^\$ ", MORE, flags=re.MULTILINE)[1:]]
    found = [(command, output) for command, _, output in parts]
    check(found, tmp_path)
    typed = " ".join(
        command for command, _ in [*found, *(s for page in PAGES for s in steps(page))]
    )
    for level in completion.levels():
        assert level.commands or f"pythemis {' '.join(level.path)}" in typed


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
