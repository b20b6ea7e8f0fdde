# SPDX-License-Identifier: Apache-2.0
"""SecretKey out of files, descriptors, the environment, credentials and the terminal."""

import gc
import os
import pty
import resource
import signal
import socket
import sys
import termios
import threading
import time
from base64 import b64encode
from pathlib import Path
from select import select

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.keyring import SecretKey
from support.programs import said_by

KEY = bytes(range(1, 256, 8))
TEXT = {"base64": b64encode(KEY), "hex": KEY.hex().encode(), "raw": KEY}
NAME = "PYTHEMIS_TEST_KEY"


@pytest.fixture
def file(tmp_path):
    """Give a function that writes a file, for its owner alone or with another mode."""

    def write(data, mode=0o600):
        path = tmp_path / "key"
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        path.chmod(mode)
        return path

    return write


def piped(data, encoding="base64"):
    """Read a key from a pipe that holds these bytes."""
    reader, writer = os.pipe()
    try:
        os.write(writer, data)
        os.close(writer)
        return SecretKey.from_fd(reader, encoding=encoding)
    finally:
        os.close(reader)


def refused(call, words, kind=ThemisError, *hidden):
    """Assert that a call is refused in words that have none of the secrets."""
    with pytest.raises(kind, match=words) as caught:
        call()
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER
    for secret in hidden:
        assert secret not in str(caught.value)
    return str(caught.value)


# ---- Decoding ----


@pytest.mark.parametrize("encoding", TEXT)
@pytest.mark.parametrize("size", [*range(1, 20), 32, 3000 // 3])
def test_every_length_decodes(encoding, size):
    """What base64 and hex of the standard library write is read, with one line end or none."""
    key = os.urandom(size)
    encode = {"base64": b64encode, "hex": lambda data: data.hex().encode(), "raw": bytes}[encoding]
    for end in (b"",) if encoding == "raw" else (b"", b"\n", b"\r\n"):
        assert piped(encode(key) + end, encoding).reveal() == key


def test_every_digit_decodes():
    """All 64 digits of base64 and both cases of hex, each in every place of a group."""
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for shift in range(4):
        text = (digits * 2)[shift : shift + 64]
        assert b64encode(piped(text).reveal()) == text
    for text in (b"0123456789abcdef", b"0123456789ABCDEF", b"1032547698BAdcFe"):
        assert piped(text, "hex").reveal() == bytes.fromhex(text.decode())


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_no_other_character_decodes(encoding):
    """Each of the others is refused in each place of a group."""
    text = TEXT[encoding]
    allowed = b"+/" if encoding == "base64" else b""
    for byte in range(256):
        character = bytes([byte])
        is_digit = character.isalnum() if encoding == "base64" else character in b"0123456789abcdef"
        if is_digit or character in allowed or character in b"ABCDEF\r\n":
            continue
        for at in (0, 5, 10, 15):
            wrong = text[:at] + character + text[at + 1 :]
            refused(lambda wrong=wrong: piped(wrong, encoding), f"descriptor .* is not {encoding}")


WRONG = {
    "base64": [
        *(TEXT["base64"][:-1], TEXT["base64"] + b"=", b"=" * 4, b"A===", b"AA=A", b"A", b"AAA"),
        *(b"AB==", b"AAB=", b"A/==", b"AAD=", TEXT["base64"] + b" ", b" " + TEXT["base64"]),
        *(b"-_" * 2, TEXT["base64"] + b"\0", TEXT["hex"][:-1], b"AA==AAAA"),
    ],
    "hex": [b"a", TEXT["hex"][:-1], TEXT["hex"] + b" ", b"0x" + TEXT["hex"], b"g0", b"0:"],
}


@pytest.mark.parametrize(
    ("encoding", "text"), [(name, text) for name, texts in WRONG.items() for text in texts]
)
def test_what_is_not_exactly_the_encoding_is_refused(encoding, text):
    """Padding is whole, unused bits are zero, nothing stands around it; nothing is shown."""
    words = refused(lambda: piped(text, encoding), f"is not {encoding}")
    assert text.decode("latin-1") not in words.replace("descriptor", "") or len(text) < 5


@pytest.mark.parametrize("size", [16, 24, 32, 64])
def test_hex_is_no_base64(size):
    """The hex of a key has digits of base64 only, and would be read as another, longer key."""
    text = os.urandom(size).hex().encode()
    for each in (text, text.upper() + b"\n"):
        refused(lambda each=each: piped(each, "base64"), "is hex, and base64 is expected")
        assert piped(each, "hex").reveal().hex().encode() == text


@pytest.mark.parametrize("encoding", ["base64", "hex"])
@pytest.mark.parametrize(
    "end", [b"\n\n", b"\r\n\r\n", b"\n\r\n", b"\nx", b"\n\0", b"\r\r\n", b"\r"]
)
def test_a_second_line_is_refused(encoding, end):
    """Even an empty one."""
    refused(lambda: piped(TEXT[encoding] + end, encoding), "has more than one line")


@pytest.mark.parametrize("encoding", TEXT)
def test_nothing_is_no_key(encoding):
    """An empty input is refused as such; one line end is no key, except of a raw file."""
    refused(lambda: piped(b"", encoding), "is empty")
    if encoding != "raw":
        refused(lambda: piped(b"\n", encoding), "is empty")
        refused(lambda: piped(b"\r\n", encoding), "is empty")


@pytest.mark.parametrize("encoding", TEXT)
def test_4096_bytes_are_the_most(encoding, file):
    """Exactly so many are read, and one more is refused, of a file of any size as well."""
    most = b"A" * 4096
    assert len(piped(most, encoding)) == {"base64": 3072, "hex": 2048, "raw": 4096}[encoding]
    refused(lambda: piped(most + b"A", encoding), "has more than 4096 bytes")
    path = file(b"")
    os.truncate(path, 1 << 40)
    refused(lambda: SecretKey.from_file(path, encoding=encoding), "has more than 4096 bytes")


@pytest.mark.parametrize("encoding", ["", "utf-8", "BASE64", "base64url", "guess"])
def test_encodings_are_never_guessed(encoding, file):
    """An unknown one is refused wherever it is named."""
    for make in sources(file(TEXT["base64"])).values():
        refused(lambda make=make: make(encoding=encoding), "encoding must be", ThemisValueError)
        refused(lambda make=make: make(encoding=None), "encoding must be a str", ThemisTypeError)


def sources(path):
    """Give every method that takes an encoding."""
    return {
        "from_file": lambda **options: SecretKey.from_file(path, **options),
        "from_fd": lambda **options: SecretKey.from_fd(0, **options),
        "from_env": lambda **options: SecretKey.from_env("HOME", **options),
        "from_credential": lambda **options: SecretKey.from_credential("key", **options),
        "from_prompt": lambda **options: SecretKey.from_prompt("? ", **options),
    }


# ---- Files ----


@pytest.mark.parametrize("encoding", TEXT)
def test_a_file_is_read(file, encoding, tmp_path):
    """By its path as text, as bytes or as a Path, and through a symbolic link."""
    path = file(TEXT[encoding], 0o400)
    link = tmp_path / "link"
    link.symlink_to(path)
    for named in (path, str(path), os.fsencode(path), link):
        assert SecretKey.from_file(named, encoding=encoding).reveal() == KEY


@pytest.mark.skipif(os.name != "posix", reason="there are no such modes")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o666, 0o644])
def test_a_file_that_others_can_read_or_write_is_refused(file, mode):
    """Unless the caller allows it; the words have its mode."""
    path = file(TEXT["base64"], mode)
    refused(lambda: SecretKey.from_file(path), f"mode {mode:04o}.*chmod 600.*allow_shared")
    assert SecretKey.from_file(path, allow_shared=True).reveal() == KEY


def test_what_is_no_regular_file_is_refused(tmp_path):
    """At once, also a FIFO that has no writer, and through a link."""
    fifo, listening, link = tmp_path / "fifo", tmp_path / "socket", tmp_path / "link"
    os.mkfifo(fifo, 0o600)
    link.symlink_to(fifo)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listening))
        kinds = [(tmp_path, "a directory"), (fifo, "a FIFO"), (link, "a FIFO")]
        for path, kind in [*kinds, (listening, "a socket"), ("/dev/null", "a device")]:
            refused(lambda path=path: SecretKey.from_file(path), f"is {kind}, not a regular file")


def test_a_file_that_changes_its_kind_while_it_is_opened_is_refused(tmp_path, file, monkeypatch):
    """What counts is what was opened."""
    path, fifo = file(TEXT["base64"]), tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    opens = os.open

    def exchange(*arguments):
        fifo.replace(path)
        return opens(*arguments)

    monkeypatch.setattr(os, "open", exchange)
    before = descriptors()
    refused(lambda: SecretKey.from_file(path), "is a FIFO, not a regular file")
    assert descriptors() == before


def descriptors():
    """Count the open descriptors, as far as the system tells."""
    gc.collect()  # what other tests left open is closed before it is counted
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_file_that_is_not_there_is_an_oserror(tmp_path):
    """As with any function that opens files."""
    with pytest.raises(FileNotFoundError, match="missing"):
        SecretKey.from_file(tmp_path / "missing")


@pytest.mark.parametrize("path", [None, 3, "", b"", [], object()])
def test_a_path_is_text_or_path_like(path):
    """A descriptor is no path."""
    refused(lambda: SecretKey.from_file(path), "the path must be a str or a path", ThemisTypeError)
    refused(lambda: SecretKey.from_file("a\0b"), "NUL", ThemisValueError)


@pytest.mark.parametrize(
    "key",
    [
        *(b64encode(KEY).decode(), KEY.hex(), b64encode(KEY).decode().rstrip("=")),
        *(b64encode(bytes([0xFB] * 32)).decode(), b64encode(bytes(16)).decode() + "\n"),
        "-----BEGIN PRIVATE KEY-----\nMIGH",
    ],
)
def test_a_key_in_the_place_of_its_name_is_not_shown(key):
    """What the system would say about such a path would show it."""
    for call in (SecretKey.from_file, SecretKey.from_env, SecretKey.from_credential):
        refused(
            lambda call=call: call(key), "this looks like a key", ThemisValueError, key, key[:9]
        )


# ---- Descriptors ----


@pytest.mark.parametrize("encoding", TEXT)
def test_a_descriptor_is_read_to_its_end(encoding, file):
    """Piece by piece, from a pipe that blocks or not, a socket or a file; it stays open."""
    reader, writer = os.pipe()
    os.set_blocking(reader, encoding == "hex")

    def send():
        for at in range(0, len(TEXT[encoding]), 5):
            os.write(writer, TEXT[encoding][at : at + 5])
            time.sleep(0.001)
        os.close(writer)

    sending = threading.Thread(target=send)
    sending.start()
    assert SecretKey.from_fd(reader, encoding=encoding).reveal() == KEY
    sending.join()
    os.close(reader)  # which fails if it is closed already
    ours, theirs = socket.socketpair()
    theirs.sendall(TEXT[encoding])
    theirs.close()
    with ours, file(TEXT[encoding]).open("rb") as opened:
        assert SecretKey.from_fd(ours.fileno(), encoding=encoding).reveal() == KEY
        assert SecretKey.from_fd(opened.fileno(), encoding=encoding).reveal() == KEY


def test_wrong_descriptors_are_refused(tmp_path):
    """Each with what it is."""
    for fd in ("3", None, 1.0, True):
        refused(lambda fd=fd: SecretKey.from_fd(fd), "must be an int", ThemisTypeError)
    for fd in (-1, 2**31, 2**70):
        refused(lambda fd=fd: SecretKey.from_fd(fd), "out of range", ThemisValueError)
    with pytest.raises(OSError, match="Bad file descriptor"):
        SecretKey.from_fd(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    folder = os.open(tmp_path, os.O_RDONLY)
    refused(lambda: SecretKey.from_fd(folder), "is a directory")
    os.close(folder)
    reader, writer = os.pipe()
    refused(lambda: SecretKey.from_fd(writer), "is open for writing only")
    os.close(reader)
    os.close(writer)
    main, terminal = pty.openpty()
    refused(lambda: SecretKey.from_fd(terminal), "is a terminal.*from_prompt")
    os.close(main)
    os.close(terminal)


def test_signals_are_answered_while_a_pipe_is_silent():
    """Ctrl-C ends the waiting; a handler that returns does not."""
    said = said_by("""
        import os, signal, threading, time
        from pythemis.keyring import SecretKey
        reader, writer = os.pipe()
        came = []
        signal.signal(signal.SIGUSR1, lambda *_: came.append(1))
        def send():
            for before, number in enumerate((signal.SIGUSR1, signal.SIGUSR1, signal.SIGINT)):
                time.sleep(0.1)
                while len(came) < before:  # two at once would count as one
                    time.sleep(0.01)
                signal.pthread_kill(threading.main_thread().ident, number)
        try:
            threading.Thread(target=send).start()
            SecretKey.from_fd(reader)
        except KeyboardInterrupt:
            print(len(came))
    """)
    assert said == "2"


# ---- The environment ----


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_a_variable_is_read_once(monkeypatch, encoding):
    """Then it is unset, unless it shall stay; a refused one stays."""
    monkeypatch.setenv(NAME, TEXT[encoding].decode())
    assert SecretKey.from_env(NAME, encoding=encoding, unset=False).reveal() == KEY
    wrong = "hex" if encoding == "base64" else "raw"
    if wrong == "hex":
        refused(lambda: SecretKey.from_env(NAME, encoding=wrong), f"variable '{NAME}' is not hex")
    assert SecretKey.from_env(NAME, encoding=encoding).reveal() == KEY
    assert NAME not in os.environ
    refused(lambda: SecretKey.from_env(NAME), f"the variable '{NAME}' is not set")


def test_a_variable_is_wiped_where_the_parent_left_it():
    """The environment of the process holds it no more, nor do its children."""
    text = TEXT["base64"].decode()
    said = said_by(f"""
        import os, subprocess, sys
        from pathlib import Path
        if {NAME!r} not in os.environ:
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]],
                      {{**os.environ, {NAME!r}: {text!r}}})
        from pythemis.keyring import SecretKey
        environ = Path("/proc/self/environ")
        before = {text!r}.encode() in environ.read_bytes() if environ.exists() else True
        key = SecretKey.from_env({NAME!r})
        after = {text!r}.encode() in environ.read_bytes() if environ.exists() else False
        print(before, after, key.reveal().hex(), flush=True)
        subprocess.run([sys.executable, "-c", "import os; print({NAME!r} in os.environ)"])
    """)
    assert said == f"True False {KEY.hex()}\nFalse"


def test_wrong_variables_are_refused(monkeypatch):
    """Empty, missing, too long, or with a name that none can have."""
    monkeypatch.setenv(NAME, "")
    refused(lambda: SecretKey.from_env(NAME), f"the variable '{NAME}' is empty")
    monkeypatch.setenv(NAME, "A" * 4097)
    refused(lambda: SecretKey.from_env(NAME), "has more than 4096 bytes")
    for name in ("", "A=B", "A\0B"):
        refused(
            lambda name=name: SecretKey.from_env(name), "cannot have the name", ThemisValueError
        )
    for name in (None, b"HOME", 1):
        refused(lambda name=name: SecretKey.from_env(name), "must be a str", ThemisTypeError)


# ---- Credentials ----


def test_a_credential_is_read(tmp_path, monkeypatch):
    """Whatever its mode; systemd guards the folder."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "key").write_bytes(TEXT["hex"])
    (tmp_path / "key").chmod(0o440)
    assert SecretKey.from_credential("key", encoding="hex").reveal() == KEY
    (tmp_path / "raw").write_bytes(KEY)
    refused(lambda: SecretKey.from_credential("raw"), "the credential '.*raw' is not base64")
    with pytest.raises(FileNotFoundError):
        SecretKey.from_credential("other")
    for name in ("", ".", "..", "../key", "/etc/passwd", "a/b", "a\0"):
        refused(
            *(lambda name=name: SecretKey.from_credential(name), "cannot have the name"),
            ThemisValueError,
        )
    refused(lambda: SecretKey.from_credential(b"key"), "must be a str", ThemisTypeError)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    refused(lambda: SecretKey.from_credential("key"), "CREDENTIALS_DIRECTORY is not set")


# ---- The terminal ----

ASKING = """\
import os, signal, sys, threading
from pythemis.keyring import SecretKey
{before}
try:
    print("KEY", SecretKey.from_prompt("Key? ", encoding={encoding!r}).reveal().hex())
except BaseException as error:
    print("ERROR", type(error).__name__, error)
print("DONE", flush=True)
"""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, encoding="base64", before=""):
        code = ASKING.format(encoding=encoding, before=before)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)  # `nohup make test &` ignores them
            os.execv(sys.executable, [sys.executable, "-c", code])
        self.seen = b""

    def until(self, words):
        """Read what is shown until these words are."""
        end = time.monotonic() + 120
        while words not in self.seen:
            ready, _, _ = select([self.fd], [], [], max(0, end - time.monotonic()))
            assert ready, self.seen
            self.seen += os.read(self.fd, 4096)
        return self.seen

    def echoes(self):
        """Tell whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, data):
        """Type something once the terminal does not show it."""
        self.until(b"Key? ")
        assert not self.echoes()
        os.write(self.fd, data)

    def ended_by(self):
        """Wait for its end; give the signal that ended it."""
        for _ in range(12_000):
            info = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            if info is not None:
                return info.si_status
            time.sleep(0.01)
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_a_typed_key_is_not_shown(encoding):
    """The prompt is, the key is not, and afterwards the terminal shows again what is typed."""
    with Terminal(encoding) as terminal:
        terminal.type(TEXT[encoding] + b"\n")
        seen = terminal.until(b"DONE")
        assert f"KEY {KEY.hex()}".encode() in seen
        assert TEXT[encoding] + b"\r" not in seen.replace(b"KEY " + KEY.hex().encode(), b"")
        assert terminal.echoes()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (b"\n", b"what was entered is empty"),
        (b"\x04", b"what was entered is empty"),  # Ctrl-D
        (b"no key\n", b"what was entered is not base64"),
        (b"\x03", b"ERROR KeyboardInterrupt"),
    ],
)
def test_a_prompt_that_fails_restores_the_terminal(typed, words):
    """Nothing typed, no key, Ctrl-D, Ctrl-C."""
    with Terminal() as terminal:
        terminal.type(typed)
        assert words in terminal.until(b"DONE")
        assert terminal.echoes()


def test_a_passphrase_is_typed_raw():
    """Its bytes are those of the line, without its end."""
    with Terminal("raw") as terminal:
        terminal.type("pässword 1\n".encode())
        assert f"KEY {'pässword 1'.encode().hex()}".encode() in terminal.until(b"DONE")


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="PyPy cannot wait and leave it a zombie")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_the_program_restores_the_terminal(number):
    """And still ends it."""
    before = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    with Terminal(before=before) as terminal:
        terminal.until(b"Key? ")
        assert not terminal.echoes()
        os.kill(terminal.pid, number)
        assert terminal.ended_by() == number
        assert terminal.echoes()


# The leader of the session does what a shell does; without one nothing is stopped.
SHELL = """
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
child = os.fork()
if child:
    os.waitpid(child, os.WUNTRACED)
    print("STOPPED", flush=True)
    signal.sigwait({signal.SIGUSR1})
    os.kill(child, signal.SIGCONT)
    os._exit(os.waitpid(child, 0)[1])
os.setpgid(0, 0)
os.tcsetpgrp(0, os.getpgrp())
"""


def test_a_program_that_is_stopped_asks_again():
    """Ctrl-Z stops it; while it is stopped the terminal shows what is typed."""
    with Terminal(before=SHELL) as terminal:
        terminal.type(b"\x1a")
        terminal.until(b"STOPPED")
        assert terminal.echoes()
        terminal.seen = b""
        os.kill(terminal.pid, signal.SIGUSR1)
        terminal.type(TEXT["base64"] + b"\n")
        assert f"KEY {KEY.hex()}".encode() in terminal.until(b"DONE")


def test_a_handler_of_the_program_is_left_to_it():
    """It runs, and the prompt waits on."""
    with Terminal(before="signal.signal(signal.SIGTERM, lambda *_: print('OWN'))") as terminal:
        terminal.until(b"Key? ")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.until(b"OWN")
        terminal.type(TEXT["base64"] + b"\n")
        assert f"KEY {KEY.hex()}".encode() in terminal.until(b"DONE")


def test_other_threads_ask_as_well():
    """They cannot catch signals, and do not try."""
    before = "run = SecretKey.from_prompt\n" + (
        "def ask(*a, **k):\n"
        "    made = []\n"
        "    thread = threading.Thread(target=lambda: made.append(run(*a, **k)))\n"
        "    thread.start(); thread.join()\n"
        "    return made[0]\n"
        "SecretKey.from_prompt = ask"
    )
    with Terminal(before=before) as terminal:
        terminal.type(TEXT["base64"] + b"\n")
        assert f"KEY {KEY.hex()}".encode() in terminal.until(b"DONE")


def test_without_a_terminal_there_is_no_prompt():
    """The words name other ways."""
    said = said_by("""
        import os, pythemis.exception
        from pythemis.keyring import SecretKey
        os.setsid() if os.getpid() != os.getsid(0) else None
        try:
            SecretKey.from_prompt()
        except pythemis.exception.ThemisError as error:
            print(error.error_code.name, error)
    """)
    assert said.startswith("NOT_SUPPORTED there is no terminal to ask on: use from_file")
