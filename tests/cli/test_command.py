# SPDX-License-Identifier: Apache-2.0
"""The command as a whole: arguments, exit statuses, pipes, terminals, completions."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pythemis import __version__
from pythemis._cli import completion, errors, parser
from pythemis._cli import main as program

SCRIPT = [sys.executable, "-I", "-m", "pythemis"]


def test_no_argument_is_repeated(pythemis):
    """It may be a secret that was given as one by mistake."""
    for wrong in (["hunter2"] * 3, ["--secret=hunter2"], ["--base64", "hunter2", "x", "y"]):
        ran = pythemis("sign", "-k", "key", *wrong)
        assert (ran.status, ran.out) == (2, b"")
        assert "hunter2" not in ran.err


def test_a_missing_command_is_a_usage_error(pythemis):
    """Neither the command nor a group of commands does something of its own."""
    assert pythemis() == (2, b"", "pythemis: name a command; see pythemis --help\n")
    assert pythemis("key").err == "pythemis: name a command; see pythemis key --help\n"
    assert pythemis("key", "nonsense").status == 2


def commands():
    """Give the path of each command."""
    return [level.path for level in completion.levels() if not level.commands]


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_each_command_has_help(path, capsys):
    """Every argument is described, and so is the command."""
    assert program.main([*path, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: pythemis {' '.join(path)} ")
    level = next(each for each in completion.levels() if each.path == path)
    assert all(level.options.values())
    assert re.search(r"\n\n[A-Z][^\n]+\.", said)


def test_the_version(capsys):
    """It is that of the package, also behind other arguments."""
    for arguments in (["--version"], ["--version", "keygen"]):
        assert program.main(arguments) == 0
        assert capsys.readouterr().out == f"pythemis {__version__}\n"


def test_inspect_names_what_files_are(pythemis):
    """One report or several, text or JSON, and a status that says whether all are known."""
    pythemis("keygen", "--ec", "-o", "pair")
    signed = pythemis("sign", "-k", "pair", stdin=b"m").out
    Path("signed").write_bytes(signed)
    Path("noise").write_bytes(b"\x07\x1b[31m")
    assert pythemis("inspect", "signed").out.startswith(b"a signed message\n  size: ")
    assert pythemis("inspect", "-", stdin=signed).out == pythemis("inspect", "signed").out
    lines = pythemis("inspect", "signed", "pair.pub", "--json").out.splitlines()
    assert [line[:17] for line in lines] == [b'{"file": "signed"', b'{"file": "pair.pu']
    assert pythemis("inspect", "noise").status == 1
    assert pythemis("inspect", "noise", "signed").status == 3
    assert pythemis("inspect", "missing").status == 2


def test_a_name_cannot_command_the_terminal(pythemis):
    """Control characters of a file's name are escaped, in output and in errors."""
    name = "a\x1b[31mb"
    try:
        Path(name).write_bytes(b"x")
    except OSError:
        pytest.skip("this system has no such names")
    ran = pythemis("inspect", name, name + "missing")
    assert b"\x1b" not in ran.out
    assert "\x1b" not in ran.err
    assert ran.out.startswith(rb"a\x1b[31mb: ")


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (MemoryError(), "there is not enough memory", 1),
        (KeyboardInterrupt(), "interrupted", 130),
        (OSError(28, "No space left on device", "out"), "out: no space left on device", 2),
        (ValueError("hunter2"), "internal error, please report it: ValueError at", 1),
    ],
    ids=["memory", "interrupt", "disk", "mistake"],
)
def test_any_error_is_one_sentence(error, said, status, monkeypatch, capsys):
    """Those of this program's own mistakes do not repeat their text, which may be a secret."""

    def broken(_):
        raise error

    monkeypatch.setattr("pythemis._cli.keys.keygen", broken)
    assert program.main(["keygen"]) == status
    written = capsys.readouterr().err
    assert written.startswith(f"pythemis: {said}")
    assert written.count("\n") == 1
    assert "hunter2" not in written


def test_statuses_are_those_of_the_help():
    """The help lists them."""
    listed = dict(re.findall(r"^  (\d)  (\w+)", parser.EPILOG, re.MULTILINE))
    assert list(listed) == ["0", "1", "2", "3"]
    assert [errors.Status(int(number)).name for number in listed] == [
        *("DONE", "REFUSED", "USAGE", "PARTLY")
    ]


# ---- In a process of its own ----


def test_a_reader_that_leaves_is_no_trouble():
    """`| head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run([*SCRIPT, "keygen"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_said():
    """One sentence, and the status 1."""
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([*SCRIPT, "keygen"], stdout=full, stderr=subprocess.PIPE, check=False)
    said = b"pythemis: the output cannot be written: No space left on device\n"
    assert (ran.returncode, ran.stderr) == (1, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_report_that_cannot_be_printed_is_said(pythemis):
    """It is not the file that is at fault, so nothing is said of that, once, with the status 1."""
    pythemis("keygen", "-o", "key")
    pythemis("keyring", "new", "shop.ring", "-k", "key")
    pythemis("encrypt", "-k", "key", "-o", "file", stdin=b"data")
    for arguments in (
        ["inspect", "file", "key"],
        ["inspect", "file", "--json"],
        ["key", "show", "key", "key"],
        ["keyring", "status", "shop.ring", "-k", "key"],
        ["keyring", "status", "shop.ring", "-k", "key", "--json"],
        ["doctor", "file", "-k", "key"],
        ["doctor", "--scan", "."],
        ["verify-file", "file", "file", "-k", "key"],
        ["cat", "file", "file", "-k", "key"],
        ["completion", "bash"],
        ["index-plan", "--rows", "10", "--distinct", "5"],
    ):
        with Path("/dev/full").open("w") as full:
            ran = subprocess.run(
                [*SCRIPT, *arguments], stdout=full, stderr=subprocess.PIPE, check=False
            )
        said = b"pythemis: the output cannot be written: No space left on device\n"
        assert (ran.returncode, ran.stderr) == (1, said), arguments


@pytest.mark.skipif(os.name != "posix", reason="another way to interrupt")
@pytest.mark.parametrize(
    ("number", "status", "text"),
    [
        ("SIGINT", 130, b"pythemis: interrupted\n"),
        ("SIGTERM", 143, b""),
        ("SIGHUP", 129, b""),
    ],
)
def test_a_command_that_is_ended_leaves_nothing(tmp_path, number, status, text):
    """Ctrl-C, kill or a lost connection while it encrypts: the right status, no file."""
    subprocess.run([*SCRIPT, "keygen", "-o", "key"], cwd=tmp_path, check=True)
    command = [*SCRIPT, "encrypt", "-k", "key", "-o", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"x" * (3 << 20))  # more than a pipe holds, so it has begun
    process.stdin.flush()
    process.send_signal(getattr(signal, number))
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (status, text)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no nohup")
@pytest.mark.skipif(
    sys.implementation.name == "pypy", reason="PyPy does not tell which signals were ignored"
)
def test_nohup_is_heeded(tmp_path):
    """A signal that was ignored when the command began stays so."""
    subprocess.run([*SCRIPT, "keygen", "-o", "key"], cwd=tmp_path, check=True)
    command = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *SCRIPT, "encrypt", "-k", "key"]
    process = subprocess.Popen(
        [*command, "-o", "out"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(b"x" * (3 << 20))  # more than a pipe holds, so it has begun
    process.stdin.flush()
    process.send_signal(signal.SIGHUP)
    assert process.communicate(timeout=120)[1] == b""
    assert (tmp_path / "out").stat().st_size > 3 << 20


@pytest.mark.no_c
def test_a_compiled_module_that_does_not_load_is_said():
    """One sentence, no traceback."""
    code = (
        "import sys; sys.modules['pythemis._themis'] = None\n"
        "from pythemis._cli.main import main; sys.exit(main(['keygen']))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (1, "", 1)


@pytest.mark.timing
def test_the_version_costs_little():
    """At most five times what starting Python costs."""

    def cost(*arguments):
        times = []
        for _ in range(9):
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - began)
        return min(times)

    assert cost("-m", "pythemis", "--version") < 5 * cost("-c", "pass")


# ---- Completions ----

COMPLETED = {
    "pythemis ke": {"key", "keygen", "keyring"},
    "pythemis key to-": {"to-pem", "to-jwk"},
    "pythemis key to-pem --pass": {"--passphrase", "--passphrase-from"},
    "pythemis completion ": {"bash", "zsh", "fish"},
    "pythemis sign -k file --ba": {"--base64"},
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        (["pythemis", "ke"], {"key", "keygen", "keyring"}),
        (["pythemis", "key", "to-"], {"to-pem", "to-jwk"}),
        (["pythemis", "key", "to-pem", "--pass"], {"--passphrase", "--passphrase-from"}),
        (["pythemis", "completion", ""], {"bash", "zsh", "fish", "-h", "--help"}),
        (["pythemis", "sign", "-k", "file", "--ba"], {"--base64"}),
    ],
)
def test_bash_completes(line, found, capsys):
    """Commands, options and choices."""
    program.main(["completion", "bash"])
    words = " ".join(f"'{word}'" for word in line)
    script = (
        f"{capsys.readouterr().out}\nCOMP_WORDS=({words}); COMP_CWORD={len(line) - 1}\n"
        "_pythemis; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert (set(ran.stdout.split()), ran.stderr) == (found, "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_their_completions(shell, capsys):
    """The script names every option; the shell, where it is installed, reads it."""
    program.main(["completion", shell])
    script = capsys.readouterr().out
    for level in completion.levels():
        for option in level.options:
            assert (option if shell == "zsh" else option.lstrip("-")) in script
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes(tmp_path, capsys):
    """Commands, options and choices, asked of fish itself."""
    program.main(["completion", "fish"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    asked = "".join(f"complete -C '{line}'; echo ---; " for line in COMPLETED)
    ran = subprocess.run(
        ["fish", "--no-config", "-c", f"source script; {asked}"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [
        {line.partition("\t")[0] for line in answer.splitlines()} - {"script"}
        for answer in ran.stdout.split("---\n")[:-1]
    ]
    assert found == list(COMPLETED.values())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes(tmp_path, capsys, monkeypatch):
    """What is typed and completed with a tab at a terminal."""
    from support.terminal import Terminal  # where there are terminals

    program.main(["completion", "zsh"])
    (tmp_path / "script").write_text(capsys.readouterr().out)
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal(tmp_path, "zsh", "-f", "-i")
    terminal.type("PS1='> '; autoload -Uz compinit; compinit -u -D; source script; echo rea''dy\n")
    assert "ready" in terminal.until("ready")
    for typed, rest in (
        ("pythemis keyg", "en "),
        ("pythemis key to-j", "wk "),
        ("pythemis encrypt --hid", "den "),
        ("pythemis completion fi", "sh "),
    ):
        terminal.type(typed)
        assert typed in terminal.until(typed)
        terminal.type("\t")
        assert rest in terminal.until(rest)
        terminal.type("\x15")
    terminal.type("exit\n")
    assert terminal.ended()[0] == 0
