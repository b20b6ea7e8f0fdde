# SPDX-License-Identifier: Apache-2.0
"""``pythemis encrypt``, ``decrypt``, ``cat`` and ``verify-file``."""

import base64
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pythemis import _atomic, inspect, keyring
from pythemis._cli import pipes
from pythemis.place import place
from pythemis.scell import SCellSeal

DATA = bytes(range(256)) * 1000  # some chunks


@pytest.fixture
def files(pythemis):
    """Make keys, pairs, a passphrase and data."""
    pythemis("keygen", "-o", "key")
    pythemis("keygen", "-o", "other")
    for name in ("alice", "bob"):
        pythemis("keygen", "--ec", "-o", name)
    Path("secret").write_bytes(b"correct horse\n")
    Path("secret").chmod(0o600)
    Path("data").write_bytes(DATA)
    return pythemis


def key(name="key"):
    """Give a key of a file."""
    return base64.b64decode(Path(name).read_bytes())


WAYS = {
    "key": (["-k", "key"], ["-k", "key"]),
    "one of two keys": (["-k", "other", "-k", "key"], ["-k", "key"]),
    "passphrase": (["--passphrase-from", "secret"], ["--passphrase-from", "file:secret"]),
    "recipient": (["-r", "alice.pub", "-r", "bob.pub"], ["--private", "bob"]),
    "hidden": (["-r", "bob.pub", "--hidden"], ["--private", "bob"]),
    "sender": (
        ["-r", "bob.pub", "--private", "alice"],
        ["--private", "bob", "--sender", "alice.pub"],
    ),
    "all": (
        ["-k", "key", "--passphrase-from", "secret", "-r", "bob.pub", "--pad", "padme"],
        ["--private", "bob"],
    ),
    "context": (["-k", "key", "--context", "café"], ["-k", "key", "--context", "café"]),
    "cell": (["-k", "key", "--cell"], ["-k", "key"]),
    "cell, passphrase": (
        ["--passphrase-from", "secret", "--cell"],
        ["--passphrase-from", "secret"],
    ),
}


@pytest.mark.parametrize(("sealing", "opening"), WAYS.values(), ids=WAYS)
def test_what_is_encrypted_is_decrypted(files, sealing, opening):
    """From a file to a file, through pipes, and in base64."""
    assert files("encrypt", "data", "-o", "file", *sealing) == (0, b"", "")
    assert files("decrypt", "file", *opening) == (0, DATA, "")
    assert files("decrypt", "-o", "out", *opening, stdin=Path("file").read_bytes()).status == 0
    assert Path("out").read_bytes() == DATA
    text = files("encrypt", "--base64", *sealing, stdin=b"a message").out
    assert text.endswith(b"\n")
    assert files("decrypt", "--base64", *opening, stdin=text).out == b"a message"
    wrong = files("decrypt", "file", "-k", "other")
    if "other" not in sealing:
        assert (wrong.status, wrong.out) == (1, b"")


@pytest.mark.parametrize("size", [0, 1, 65527, 65528, 65529, 1 << 20, (1 << 20) + 1])
def test_every_length(files, size):
    """Around the ends of chunks, and none at all."""
    data = os.urandom(size)
    made = files("encrypt", "-k", "key", stdin=data).out
    assert files("decrypt", "-k", "key", stdin=made).out == data


def test_a_cell_is_an_ordinary_one(files):
    """Every Themis reads it; what Themis wrote is read."""
    made = files("encrypt", "data", "-k", "key", "--cell", "--context", "c").out
    assert SCellSeal(key=key()).decrypt(made, b"c") == DATA
    theirs = SCellSeal(passphrase="correct horse").encrypt(b"a message")
    assert files("decrypt", "--passphrase-from", "secret", stdin=theirs).out == b"a message"
    empty = files("encrypt", "-k", "key", "--cell")
    assert (empty.status, empty.out) == (1, b"")


def test_the_context_may_be_the_name_of_the_file(files):
    """The place of its last part, of the encrypted file; a renamed file does not open."""
    Path("sub").mkdir()
    named = ("-k", "key", "--context-name")
    assert files("encrypt", "data", "-o", "sub/data.enc", *named).status == 0
    assert files("encrypt", "data", "-o", "sub/cell", "--cell", *named).status == 0
    made = Path("sub/cell").read_bytes()
    assert SCellSeal(key=key()).decrypt(made, place("cell")) == DATA
    for name in ("data.enc", "cell"):
        assert files("decrypt", f"sub/{name}", *named).out == DATA
        renamed = Path("sub", name).rename("renamed")
        assert files("decrypt", renamed, *named).status == 1
    for output in ((), ("-o", "-")):
        ran = files("encrypt", "data", *output, *named)
        assert (ran.status, "the name of the new file: -o OUT" in ran.err) == (2, True)
    ran = files("decrypt", "-k", "key", "--context-name", stdin=made)
    assert (ran.status, "the name of the encrypted file: FILE" in ran.err) == (2, True)


def test_a_cut_or_damaged_file_leaves_nothing_at_o(files):
    """With -o there is no file; into a pipe authentic parts left, which is said with status 1."""
    files("encrypt", "data", "-o", "file", "-k", "key")
    whole = Path("file").read_bytes()
    damaged = whole[:150_000] + bytes([whole[150_000] ^ 1]) + whole[150_001:]
    for wrong in (whole[:-1], whole[:150_000], damaged, whole + b"x"):
        ran = files("decrypt", "-k", "key", "-o", "out", stdin=wrong)
        assert (ran.status, ran.out) == (1, b"")
        assert not Path("out").exists()
        ran = files("decrypt", "-k", "key", stdin=wrong)
        assert ran.status == 1
        assert DATA.startswith(ran.out)
    assert sorted(Path().glob(".pythemis*")) == []


def test_parts_that_left_are_called_incomplete(files):
    """A consumer of the pipe must wait for the end."""
    data = os.urandom(3 << 20)
    made = files("encrypt", "-k", "key", stdin=data).out
    ran = files("decrypt", "-k", "key", stdin=made[:-100])
    assert (ran.status, len(ran.out) > 0) == (1, True)
    assert ran.err.endswith("; the output is incomplete\n")
    assert data.startswith(ran.out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["encrypt"], "say who can decrypt it: -k KEY, -p, --keyring RING, or -r KEY"),
        (["decrypt", "file"], "say what opens it: -k KEY, -p, --keyring RING, or --private KEY"),
        (["decrypt", "file", "--sender", "bob.pub"], "--sender needs your private key"),
        (["encrypt", "-k", "key", "--hidden"], "--hidden is about recipients"),
        (["encrypt", "-k", "key", "--private", "bob"], "a file has one recipient"),
        (["encrypt", "-r", "bob.pub", "--cell"], "an ordinary cell has one key"),
        (["encrypt", "-k", "key", "-k", "other", "--cell"], "an ordinary cell has one key"),
        (["encrypt", "-k", "key", "--pad", "much"], "--pad is followed by padme or by a number"),
        (["decrypt", "--passphrase-from", "-"], "the standard input cannot be both"),
        (["encrypt", "missing", "-k", "key"], "missing: no such file or directory"),
        (["encrypt", ".", "-k", "key"], ".: is a directory"),
        (["encrypt", "-k", "env:NOT_THERE"], "there is no environment variable NOT_THERE"),
        (["decrypt", "file", "-p", "typed"], "this command takes; see pythemis decrypt --help"),
        (["decrypt", "file", "--kye", "x"], "unknown option --kye; see pythemis decrypt --help"),
        (["encrypt", "-k", "key", "-p", "--passphrase-from", "secret"], "not allowed with"),
        (["encrypt", "-k", "key", "--context", "a", "--context-name"], "not allowed with"),
        (["encrypt", "data", "-k", "key", "-o", "other"], "other is there already; -f replaces it"),
        (["encrypt", "data", "-k", "key", "-o", "no/where"], "no/where: "),
        (["keygen", "-o", "no/where"], "no/where: no such file or directory"),
        (["keyring", "new", "no/where", "-k", "key"], "no/where: no such file or directory"),
        (["encrypt", "", "-k", "key"], "'': no such file or directory"),
    ],
)
def test_mistakes_are_usage_errors(files, arguments, said):
    """One sentence that says what to give, and the status 2."""
    files("encrypt", "data", "-o", "file", "-k", "key")
    ran = files(*arguments)
    assert (ran.status, ran.out) == (2, b"")
    assert said in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decrypt", "data", "-k", "key"], "this is not encrypted with pythemis"),
        (["decrypt", "in64", "-k", "key"], "is a sealed file in base64; --base64 decodes it"),
        (["decrypt", "signed", "-k", "key"], "is a signed message; `pythemis verify` reads it"),
        (
            ["decrypt", "key", "-k", "key"],
            "as it is: it is as long as a symmetric key in base64",
        ),
        (["encrypt", "-r", "bob"], "must be a public key"),
        (["encrypt", "-r", "key"], "is not a Themis key"),
        (["encrypt", "-k", "key", "--context", "TK1 keyring"], "are reserved for keyrings"),
        (["decrypt", "file", "-k", "key", "--context", "x"], "wrong key or context"),
    ],
)
def test_what_is_refused_has_status_1(files, arguments, said):
    """Wrong keys, kinds and contexts."""
    files("encrypt", "data", "-o", "file", "-k", "key")
    files("encrypt", "data", "-o", "in64", "-k", "key", "--base64")
    files("sign", "data", "-o", "signed", "-k", "alice")
    ran = files(*arguments)
    assert (ran.status, ran.out) == (1, b"")
    assert said in ran.err


def test_the_keys_of_a_ring_open_files(files):
    """The primary key writes, with its id; every key reads; the ring is opened by its own key."""
    way = ["--keyring", "shop.ring", "--keyring-key", "other"]
    assert files("keyring", "new", "shop.ring", "-k", "other").status == 0
    assert files("encrypt", "data", "-o", "file", *way).status == 0
    [slot] = inspect(Path("file")).facts["slots"]
    assert slot["key_id"] in files("keyring", "status", "shop.ring", "-k", "other").out.decode()
    for change in ("add", "promote"):
        assert files("keyring", change, "shop.ring", "-k", "other").status == 0
    assert files("decrypt", "file", *way).out == DATA
    assert files("rewrap", "file", *way, "--new-key", "key").status == 0
    assert files("decrypt", "file", "-k", "key").out == DATA
    assert files("decrypt", "file", *way).status == 1
    ring = keyring.load("shop.ring", "shop", key=key("other"))
    Path("value").write_bytes(ring.encrypt(b"a value", b"c"))
    assert files("decrypt", "value", *way, "--context", "c").out == b"a value"
    ran = files("decrypt", "value", "-k", "other")
    assert (ran.status, "name it with --keyring RING" in ran.err) == (2, True)
    for wrong in (way[:2], way[2:]):
        assert files("decrypt", "file", "-k", "key", *wrong).status == 2


@pytest.mark.parametrize("force", [[], ["-f"]])
def test_no_output_replaces_its_key(files, force):
    """What is encrypted under it would be lost; the key may be named otherwise."""
    files("keyring", "new", "shop.ring", "-k", "key")
    files("encrypt", "data", "-o", "file", "-k", "key")
    before = {path: path.read_bytes() for path in Path().iterdir() if path.name[0] != "."}
    ring = ["--keyring", "shop.ring", "--keyring-key", "key"]
    for arguments, output in (
        (["encrypt", "data", "-k", "other", "-k", "key"], "key"),
        (["encrypt", "data", "-k", "file:./key"], "key"),
        (["encrypt", "data", "--passphrase-from", "secret"], "secret"),
        (["encrypt", "data", "-r", "bob.pub", "--private", "alice"], "alice"),
        (["encrypt", "data", "-k", "key", "--cell"], "../" + Path().absolute().name + "/key"),
        (["encrypt", "data", *ring], "shop.ring"),
        (["encrypt", "data", *ring], "key"),
        (["decrypt", "file", "-k", "key"], "key"),
        (["sign", "data", "-k", "alice"], "alice"),
    ):
        ran = files(*arguments, "-o", output, *force)
        said = f"pythemis: {output} holds a key that this command needs: give another -o OUT\n"
        assert ran == (2, b"", said), arguments
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.skipif(os.name != "posix", reason="folders have no such modes")
def test_what_cannot_be_written_has_status_1(files, monkeypatch):
    """A folder that takes no new file, whatever the command."""
    files("keyring", "new", "shop.ring", "-k", "key")
    ring = keyring.load("shop.ring", "shop", key=key())
    Path("value").write_bytes(ring.encrypt(b"value", b""))
    files("keyring", "add", "shop.ring", "-k", "key")
    files("keyring", "promote", "shop.ring", "-k", "key")
    files("encrypt", "data", "-o", "file", "-k", "key")

    def refuse(self):
        raise PermissionError(errno.EACCES, "Permission denied", self.path)

    monkeypatch.setattr(_atomic.NewFile, "_with_name", refuse)
    monkeypatch.setattr(_atomic._Folder, "open_nameless", lambda _: -1)
    for arguments, name in (
        (["encrypt", "data", "-k", "key", "-o", "new"], "new"),
        (["encrypt", "data", "-k", "key", "--cell", "-o", "new"], "new"),
        (["keygen", "-o", "new"], "new"),
        (["keyring", "new", "new.ring", "-k", "key"], "new.ring"),
        (["keyring", "add", "shop.ring", "-k", "key"], "shop.ring"),
        (["keyring", "rotate", "shop.ring", "value", "-k", "key"], "value"),
        (["rewrap", "file", "-k", "key", "--new-key", "other"], "file"),
    ):
        assert files(*arguments) == (1, b"", f"pythemis: {name}: permission denied\n"), arguments


def test_a_file_replaces_itself_only_with_force(files):
    """The input may be the output, which appears at the end."""
    assert files("encrypt", "data", "-o", "data", "-k", "key").status == 2
    assert Path("data").read_bytes() == DATA
    assert files("encrypt", "data", "-o", "data", "-k", "key", "-f").status == 0
    assert inspect(Path("data")).kind == "sealed-file"
    assert files("decrypt", "data", "-o", "data", "-k", "key", "-f").status == 0
    assert Path("data").read_bytes() == DATA


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_a_device_or_a_pipe_may_be_the_output(files):
    """Nothing replaces /dev/null; a pipe gets the data, without -f."""
    files("encrypt", "data", "-o", "file", "-k", "key")
    assert files("decrypt", "file", "-k", "key", "-o", "/dev/null") == (0, b"", "")
    assert files("keygen", "-o", "/dev/null") == (0, b"", "")
    assert Path("/dev/null").is_char_device()
    os.mkfifo("pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(Path("pipe").read_bytes)
        assert files("decrypt", "file", "-k", "key", "-o", "pipe").status == 0
        assert read.result(timeout=120) == DATA
    Path("link").symlink_to("data")
    ran = files("decrypt", "file", "-k", "key", "-o", "link", "-f")
    assert (ran.status, "symbolic link" in ran.err) == (2, True)


def test_several_files_are_printed_and_verified(files):
    """One that is refused does not keep the others from it; the status is 3."""
    files("encrypt", "data", "-o", "one", "-k", "key")
    files("encrypt", "-o", "two", "-k", "key", "--cell", stdin=b"two")
    files("encrypt", "-o", "three", "-k", "other", stdin=b"three")
    assert files("cat", "one", "two", "-k", "key") == (0, DATA + b"two", "")
    ran = files("cat", "three", "two", "-k", "key")
    assert (ran.status, ran.out) == (3, b"two")
    assert ran.err.startswith("pythemis: three: wrong key or context")
    ran = files("verify-file", "one", "two", "-k", "key")
    assert ran.out == b"one: intact, 256000 bytes\ntwo: intact, 3 bytes\n"
    assert files("verify-file", "three", "-k", "key").status == 1


def test_a_bar_is_shown_on_a_terminal_alone(monkeypatch, capsys):
    """It is wiped at the end, and there is none for what is quick."""
    monkeypatch.setattr(pipes, "_SLOW", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with pipes.Progress(100) as progress:
        progress(50)
        progress(50)
    shown = capsys.readouterr().err
    assert "[############" in shown
    assert "100 %" in shown
    assert shown.endswith("\r")
    with pipes.Progress(None) as progress:
        progress(50)
    assert capsys.readouterr().err == ""


def test_a_bar_is_wiped_whenever_ctrl_c_comes(monkeypatch, capsys):
    """Also in the moment in which it is shown."""
    monkeypatch.setattr(pipes, "_SLOW", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    calls = []

    def interrupted(*arguments, **options):
        print(*arguments, **options)
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(pipes, "print", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt), pipes.Progress(100) as progress:
        progress(50)
    bar = "[############             ]  50 %"
    assert capsys.readouterr().err == f"\r{bar}\r{' ' * len(bar)}\r"
