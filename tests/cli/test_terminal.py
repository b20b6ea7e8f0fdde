# SPDX-License-Identifier: Apache-2.0
"""The command at a terminal: it asks, and it prints nothing that commands the terminal."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pythemis.scell import SCellSeal

pytest.importorskip("pty")
from support.terminal import Terminal

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such terminals")

COMMAND = [sys.executable, "-I", "-m", "pythemis"]
PASSPHRASE = "correct horse"


def at(folder, *arguments):
    """Run the command at a terminal."""
    return Terminal(folder, *COMMAND, *arguments)


def test_a_new_passphrase_is_asked_for_twice_and_never_shown(tmp_path):
    """What is typed opens the file again; two that differ make none."""
    (tmp_path / "data").write_text("a message\n")
    terminal = at(tmp_path, "encrypt", "data", "-p", "--cell", "-o", "file")
    terminal.answer("Passphrase: ", PASSPHRASE)
    terminal.answer("Passphrase again: ", PASSPHRASE)
    status, shown = terminal.ended()
    assert (status, PASSPHRASE in shown) == (0, False)
    cell = (tmp_path / "file").read_bytes()
    assert SCellSeal(passphrase=PASSPHRASE).decrypt(cell) == b"a message\n"

    terminal = at(tmp_path, "encrypt", "data", "-p", "-o", "another")
    terminal.answer("Passphrase: ", PASSPHRASE)
    terminal.answer("Passphrase again: ", "correct hose")
    status, shown = terminal.ended()
    assert (status, "pythemis: the two passphrases differ\n" in shown) == (2, True)
    assert not (tmp_path / "another").exists()


def test_a_wrong_passphrase_is_asked_for_again_three_times(tmp_path):
    """The third may be right; after three wrong ones the status is 1."""
    (tmp_path / "data").write_text("a message\n")
    (tmp_path / "secret").write_text(PASSPHRASE)
    (tmp_path / "secret").chmod(0o600)
    made = at(tmp_path, *["encrypt", "data", "--passphrase-from", "secret", "-o", "file"])
    assert made.ended() == (0, "")
    for last, expected in ((PASSPHRASE, 0), ("wrong", 1)):
        terminal = at(tmp_path, "decrypt", "file", "-p")
        for typed in ("wrong", "wrong again", last):
            terminal.answer("Passphrase: ", typed)
        status, shown = terminal.ended()
        assert status == expected
        assert shown.endswith("a message\n") is (expected == 0)
        assert shown.count("wrong passphrase") + shown.count("wrong key") == 2 + expected


@pytest.mark.parametrize(
    ("arguments", "shows"),
    [
        (["decrypt", "cell"], "a message\n"),
        (["verify-file", "cell"], "cell: intact, 10 bytes\n"),
        (["rewrap", "file", "--new-passphrase-from", "secret"], ""),
        (["keyring", "status", "shop.ring"], "keyring shop, version 1\n"),
        (["keyring", "add", "shop.ring"], "keyring shop, version 2\n"),
        (["key", "from-pem", "pair.pem", "-o", "again"], ""),
    ],
)
def test_each_command_asks_again(tmp_path, arguments, shows):
    """Whatever it is that the passphrase opens; the second one is right."""
    (tmp_path / "data").write_text("a message\n")
    (tmp_path / "secret").write_text(PASSPHRASE)
    (tmp_path / "secret").chmod(0o600)
    way = ["--passphrase-from", "secret"]
    for made in (
        ["keygen", "--ec", "-o", "pair"],
        ["key", "to-pem", "pair", *way, "-o", "pair.pem"],
        ["encrypt", "data", *way, "-o", "file"],
        ["encrypt", "data", *way, "--cell", "-o", "cell"],
        ["keyring", "new", "shop.ring", *way],
    ):
        assert at(tmp_path, *made).ended()[0] == 0
    terminal = at(tmp_path, *arguments, "-p")
    terminal.answer("Passphrase: ", "wrong")
    terminal.answer("Passphrase: ", PASSPHRASE)
    status, shown = terminal.ended()
    assert (status, shown.count("\npythemis: ")) == (0, 1)
    assert shows in shown.partition("\npythemis: ")[2]


def test_an_interrupted_prompt_is_a_sentence(tmp_path):
    """Ctrl-C while it asks: the status 130, and the terminal shows what is typed again."""
    (tmp_path / "data").write_text("x")
    terminal = at(tmp_path, "encrypt", "data", "-p")
    assert "Passphrase: " in terminal.until("Passphrase: ")
    terminal.type("\x03")
    status, shown = terminal.ended()
    assert status in (130, -signal.SIGINT)
    assert shown.endswith("pythemis: interrupted\n")
    assert "Traceback" not in shown


def test_binary_does_not_reach_a_terminal(tmp_path):
    """Neither what is encrypted nor decrypted control characters; text and -o - do."""
    for name, data in {"text": "a message, größer\n", "evil": "\x1b]0;title\x07"}.items():
        (tmp_path / name).write_text(data, encoding="utf-8")
        assert at(tmp_path, "keygen", "-f", "-o", "key").ended() == (0, "")
        status, shown = at(tmp_path, "encrypt", name, "-k", "key").ended()
        assert (status, "the output is a terminal: give -o FILE" in shown) == (2, True)
        assert "\x1b" not in shown
        at(tmp_path, *f"encrypt {name} -k key -o {name}.enc -f".split()).ended()
        status, shown = at(tmp_path, "decrypt", f"{name}.enc", "-k", "key").ended()
        if name == "text":
            assert (status, shown) == (0, data)
        else:
            assert (status, "\x1b" in shown) == (2, False)
            forced = at(tmp_path, *f"decrypt {name}.enc -k key -o -".split()).ended()
            assert forced == (0, data)
    assert Path(tmp_path / "key").exists()


def test_without_a_terminal_nothing_is_asked(pythemis, monkeypatch):
    """A program that runs it is told what to do."""
    monkeypatch.setattr("pythemis._cli.sources._has_terminal", lambda: False)
    ran = pythemis("encrypt", "-p", stdin=b"x")
    assert (ran.status, ran.out) == (2, b"")
    assert "there is no terminal to ask for a passphrase; use --passphrase-from" in ran.err
