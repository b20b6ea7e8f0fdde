# SPDX-License-Identifier: Apache-2.0
"""`python -m pythemis`: versions and a self-test."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from pythemis import __main__ as program
from pythemis import __version__, _known_answers, _selftest
from pythemis._core import start, versions
from pythemis.scell import SCellSeal
from support.keys import cases, pairs
from support.project import ROOT


def run(*arguments, options=("-I",)):
    """Run it as a user does."""
    command = [sys.executable, *options, "-m", "pythemis", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def named(file, wanted):
    """Give one case of a file of vectors."""
    return next(case for case in cases(file) if case["id"] == wanted)


@pytest.mark.parametrize("options", [("-I",), ("-I", "-OO")], ids=["plain", "without docstrings"])
def test_it_prints_versions_and_tries_every_cryptosystem(options):
    """The exit status is 0, and each of the checks has a line."""
    ran = run(options=options)
    assert (ran.returncode, ran.stderr) == (0, "")
    head, checks, end = ran.stdout.split("\n\n")
    told = dict(line.split(maxsplit=1) for line in head.splitlines())
    assert told["pythemis"] == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+\S* \d+ \w+ \d{4}( .*)?", told["OpenSSL"])
    assert re.fullmatch(r"1\.0\.\d+", told["libsodium"])
    assert told.get("FIPS") == start.fips_provider()
    assert told["linked"].startswith("statically" if versions.is_static() else "dynamically")
    names = {"cpython": "CPython", "pypy": "PyPy"}
    assert told["Python"].split()[0] == names[sys.implementation.name]
    assert checks.splitlines() == [f"ok      {name}" for name in _selftest.CHECKS]
    assert end.startswith(f"All {len(_selftest.CHECKS)} checks passed in ")


def ended(output, *arguments, options):
    """Run it with an output that takes nothing; give the exit status and the errors."""
    command = [sys.executable, "-I", *options, "-m", "pythemis", *arguments]
    ran = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("options", [(), ("-u",)], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)], ids=str)
def test_a_reader_that_leaves_is_no_trouble(arguments, options):
    """`| head` ends quietly, and the exit status still is that of the checks."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert ended(writing, *arguments, options=options) == (0, "")
    finally:
        os.close(writing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)], ids=str)
def test_a_full_disk_is_said(arguments):
    """What cannot be written is one sentence, and the exit status 1."""
    with Path("/dev/full").open("w") as full:
        assert ended(full, *arguments, options=()) == (
            1,
            "pythemis: the output cannot be written: No space left on device\n",
        )


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX closes it")
def test_a_closed_output_is_no_trouble():
    """`>&-` leaves the exit status alone."""
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-I", "-m", "pythemis"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.timing
def test_it_takes_less_than_two_seconds():
    """Of the processor; the sentence that it ends with has those of the clock."""
    before = os.times()
    ran = run()
    after = os.times()
    assert re.search(r"passed in [0-9.]+ seconds", ran.stdout)
    spent = after.children_user + after.children_system
    assert spent - before.children_user - before.children_system < 2


def test_every_cryptosystem_is_tried():
    """Whatever the package has is named in the checks."""
    names = " ".join(_selftest.CHECKS)
    for system in ("Cell, Seal", "passphrase", "Token Protect", "Context Imprint", "Keys"):
        assert system in names
    for system in ("Message, EC", "Message, RSA", "Session", "Comparator"):
        assert system in names


def test_help_and_version():
    """Both are what they are everywhere."""
    asked = run("--version")
    assert (asked.returncode, asked.stdout) == (0, f"pythemis {__version__}\n")
    asked = run("--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith("usage: python -m pythemis")
    assert "exit status" in asked.stdout
    assert run("--nonsense").returncode == 2


def test_the_known_answers_are_those_of_the_vectors():
    """Each of them is a case that real Themis wrote."""
    seal = named("cell_seal", "seal-good")
    assert (seal["key"], seal["context"], seal["cell"], seal["message"], b"") == _known_answers.SEAL
    secret = named("cell_passphrase", "pw-iter1000")
    found = (secret["passphrase"], secret["context"] or b"", secret["cell"], secret["message"], b"")
    assert found == _known_answers.PASSPHRASE
    token = named("cell_token_protect", "token-02")
    found = tuple(token[name] for name in ("key", "context", "encrypted", "message", "token"))
    assert found == _known_answers.TOKEN_PROTECT
    imprint = named("cell_context_imprint", "imprint-02")
    found = tuple(imprint[name] for name in ("key", "context", "encrypted", "message"))
    assert (*found, b"") == _known_answers.CONTEXT_IMPRINT


@pytest.mark.parametrize(
    ("known", "own", "peer"),
    [(_known_answers.EC, "p256_b", "p256"), (_known_answers.RSA, "rsa2048_b", "rsa2048")],
)
def test_the_known_messages_are_those_of_the_vectors(known, own, peer):
    """Keys and messages belong together there as well."""
    signed = named("message_signed", f"{peer}-1")
    encrypted = named("message_encrypted", f"{peer}-{own}-1")
    assert known.private_key == pairs()[own]["private"] == encrypted["private_key"]
    assert known.public_key == pairs()[own]["public"]
    assert known.peer_public_key == signed["public_key"] == encrypted["public_key"]
    assert known[3:] == (
        *(signed["signed"], signed["message"]),
        *(encrypted["wrapped"], encrypted["message"]),
    )


def failures(capsys):
    """Run it here; give the names of the checks that failed."""
    status = program.main([])
    out = capsys.readouterr().out
    failed = re.findall(r"^FAILED  (.*?): (?:CheckFailedError|\w+Error): .", out, re.MULTILINE)
    assert (status, "Do not use this installation." in out) == ((1, True) if failed else (0, False))
    return failed


def test_what_is_right_fails_nowhere(capsys):
    """The tests below would see nothing otherwise."""
    assert failures(capsys) == []


@pytest.mark.parametrize(
    ("answer", "field", "check"),
    [
        ("SEAL", "message", "Secure Cell, Seal"),
        ("SEAL", "key", "Secure Cell, Seal"),
        ("PASSPHRASE", "message", "Secure Cell, Seal with a passphrase"),
        ("TOKEN_PROTECT", "message", "Secure Cell, Token Protect"),
        ("TOKEN_PROTECT", "token", "Secure Cell, Token Protect"),
        ("CONTEXT_IMPRINT", "message", "Secure Cell, Context Imprint"),
        ("CONTEXT_IMPRINT", "encrypted", "Secure Cell, Context Imprint"),
    ],
)
def test_a_wrong_answer_of_a_cell_fails(monkeypatch, capsys, answer, field, check):
    """A bit of what is known changes, and that check says so."""
    known = getattr(_known_answers, answer)
    spoiled = known._replace(**{field: _selftest.damaged(getattr(known, field))})
    monkeypatch.setattr(_known_answers, answer, spoiled)
    assert failures(capsys) == [check]


@pytest.mark.parametrize("field", ["public_key", "signed_message", "encrypted_message"])
@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_wrong_answer_of_a_message_fails(monkeypatch, capsys, kind, field):
    """A bit of what is known changes, and each check that uses it says so."""
    known = getattr(_known_answers, kind)
    spoiled = known._replace(**{field: _selftest.damaged(getattr(known, field))})
    monkeypatch.setattr(_known_answers, kind, spoiled)
    message = f"Secure Message, {kind} keys"
    assert failures(capsys) == (["Keys", message] if field == "public_key" else [message])


def test_what_refuses_nothing_fails(monkeypatch, capsys):
    """Every check that sees something wrong refused fails when it is taken."""
    monkeypatch.setattr(_selftest, "refused", lambda _call, *_args: False)
    without = {"Secure Cell, Context Imprint", "Keys", "Secure Comparator"}  # results, not errors
    assert set(failures(capsys)) == set(_selftest.CHECKS) - without


@pytest.mark.parametrize(
    ("owner", "name", "replacement", "check"),
    [
        (_selftest.SComparator, "is_equal", lambda _self: True, "Secure Comparator"),
        (_selftest.SComparator, "is_equal", lambda _self: False, "Secure Comparator"),
        (_selftest.SSession, "remote_id", b"mallory", "Secure Session"),
        (_selftest.SSession, "is_established", lambda _self: False, "Secure Session"),
        (_selftest, "to_pem", lambda _key: _selftest.to_pem(_known_answers.EC.public_key), "Keys"),
        (_selftest, "GenerateSymmetricKey", lambda: bytes(32), "Keys"),
    ],
)
def test_a_wrong_result_fails(monkeypatch, capsys, owner, name, replacement, check):
    """A cryptosystem that answers wrongly is found."""
    monkeypatch.setattr(owner, name, replacement)
    assert failures(capsys) == [check]


def test_an_unexpected_exception_fails_and_the_others_are_tried(monkeypatch, capsys):
    """A check that breaks is one line, and no traceback."""

    def broken(_self, _message, _context=None):
        raise OSError("no more")

    monkeypatch.setattr(SCellSeal, "encrypt", broken)
    assert failures(capsys) == ["Secure Cell, Seal"]


@pytest.mark.no_c
def test_a_compiled_module_that_does_not_load_is_said(tmp_path):
    """Without the compiled module there are versions, a sentence and the exit status 1."""
    code = (
        "import sys; sys.modules['pythemis._themis'] = None\n"
        "from pythemis.__main__ import main; sys.exit(main([]))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines()[-1].startswith(
        "FAILED: the compiled part of pythemis does not load: "
    )


def test_sources_that_are_not_installed_have_no_version(monkeypatch, capsys):
    """Who starts it among the sources is told what is wrong, not that metadata is missing."""

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert program.main([]) == 0
    assert capsys.readouterr().out.startswith("pythemis   (not installed)\n")


def test_the_documentation_shows_it():
    """The start page and the README name the command."""
    for page in ("README.md", "docs/start.md"):
        assert "python -m pythemis" in (ROOT / page).read_text(encoding="utf-8")
