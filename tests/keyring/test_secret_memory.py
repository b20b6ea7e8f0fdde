# SPDX-License-Identifier: Apache-2.0
"""Where a SecretKey is in memory, and where it is not: pages, core dumps, objects, tracebacks."""

import os
import signal
import subprocess
import sys
import threading
import traceback
from base64 import b64encode
from pathlib import Path

import pytest

from pythemis.exception import ThemisError
from pythemis.keyring import SecretKey
from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateKeyPair
from pythemis.smessage import ssign, sverify
from support.programs import said_by
from support.threads import together
from support.watched import Watched

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="the system does not show memory"
)

# It gets the key in one way alone, and does not search: that would bring the key into it.
PROGRAM = """\
import gc, os, resource, sys
from base64 import b64decode
from pythemis.keyring import SecretKey
from pythemis.scell import SCellSeal
key = {make}
cell = SCellSeal(key)
assert cell.decrypt(cell.encrypt(b"message")) == b"message"
with open("objects", "wb") as file:
    for holder in gc.get_objects():
        for held in (holder, *gc.get_referents(holder)):
            if isinstance(held, (bytes, bytearray)):
                file.write(held)
            elif isinstance(held, str):
                file.write(held.encode("utf-8", "replace"))
del held, holder
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
print("READY", flush=True)
sys.stdin.readline()
"""
NAME = "PYTHEMIS_TEST_KEY"
SOURCES = {
    "file": "SecretKey.from_file('key')",
    "descriptor": "SecretKey.from_fd(int(sys.argv[1]))",
    "environment": f"SecretKey.from_env({NAME!r})",
    "bytes": "b64decode(open('key', 'rb').read())",
}


class Searched(Watched):
    """A program that has a key, and every place where it may be."""

    def __init__(self, folder, source):
        self.key = os.urandom(32)
        text = b64encode(self.key)
        (folder / "key").write_bytes(text + b"\n")
        (folder / "key").chmod(0o600)
        # A part of it is as bad; so is its text.
        self.pieces = [self.key[:16], self.key[16:], text[:20], text[-20:], *self._hex()]
        environment = {NAME: text.decode()} if source == "environment" else {}
        reader, writer = os.pipe()
        os.write(writer, text)
        os.close(writer)
        program = PROGRAM.format(make=SOURCES[source])
        super().__init__(folder, program, str(reader), environment=environment, pass_fds=[reader])
        os.close(reader)

    def _hex(self):
        text = self.key.hex().encode()
        return text[:32], text[32:]

    def holds(self, data):
        """Tell whether a piece of the key is in some bytes."""
        return any(piece in data for piece in self.pieces)

    def found(self):
        """Give the rights and flags of each mapping that holds a piece of the key."""
        return [(rights, flags) for rights, flags, data in self.mappings() if self.holds(data)]


@pytest.mark.parametrize("source", ["file", "descriptor"])
def test_a_key_is_in_its_own_pages_alone(tmp_path, source):
    """After it was read, and used by a cell, no other memory has a piece of it, nor of its text.

    Its pages are read-only, locked and left out of core dumps.
    """
    with Searched(tmp_path, source) as searched:
        [(rights, flags)] = searched.found()
        assert rights == "r--p"
        assert {"dd", "lo"} <= {*flags}
        assert not searched.holds((tmp_path / "objects").read_bytes())
        assert not searched.holds(searched.dump())


def test_a_key_of_the_environment_is_in_no_object(tmp_path):
    """Nor in the environment of the process. The memory of Python's copy is freed, not wiped."""
    with Searched(tmp_path, "environment") as searched:
        assert not searched.holds((tmp_path / "objects").read_bytes())
        environ = Path(f"/proc/{searched.process.pid}/environ").read_bytes()
        assert NAME.encode() in environ
        assert not searched.holds(environ)


def test_the_search_finds_a_key_of_bytes(tmp_path):
    """The control: in other memory, in an object, and in the dump."""
    with Searched(tmp_path, "bytes") as searched:
        assert any("dd" not in flags for _, flags in searched.found())
        assert searched.holds((tmp_path / "objects").read_bytes())
        assert searched.holds(searched.dump())


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_no_traceback_shows_a_key(tmp_path, encoding):
    """Neither words nor locals nor causes of an error have a piece of a refused text."""
    path = tmp_path / "key"
    path.write_bytes(GenerateKeyPair("EC").export_private_key().hex().encode() + b"\n\n")
    path.chmod(0o600)
    with pytest.raises(ThemisError) as caught:
        SecretKey.from_file(path, encoding=encoding)
    described = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert {Path(frame.filename).name for frame in described.stack} >= {"secret_text.py"}
    shown, text = "".join(described.format()).encode(), path.read_bytes()
    assert b"has more than one line" in shown
    assert not [at for at in range(len(text) - 8) if text[at : at + 8] in shown]


# ---- Pages ----


def test_a_system_that_locks_nothing_is_told_of():
    """Then `locked` is False, and all else works; a second key tells the same."""
    said = said_by("""
        import ctypes, resource
        from pythemis.keyring import SecretKey
        first = SecretKey.generate()
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        # root may lock whatever the limit says: drop that, CAP_IPC_LOCK is 14
        class Head(ctypes.Structure):
            _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]
        head, sets = Head(0x20080522, 0), (ctypes.c_uint32 * 6)()
        libc = ctypes.CDLL(None)
        libc.capget(ctypes.byref(head), sets)
        sets[0] &= ~(1 << 14)
        libc.capset(ctypes.byref(head), sets)
        key = SecretKey.generate()
        print(key.locked, len(key.reveal()), SecretKey.generate().locked)
    """)
    assert said == "False 32 False"


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy frees what is dropped later")
def test_keys_are_freed_with_their_pages():
    """Once closed or unused, however they were made, and where a text was refused."""
    said = said_by("""
        import gc, os
        from pathlib import Path
        from pythemis.exception import ThemisError
        from pythemis.keyring import SecretKey
        Path("/dev/shm").exists() and os.chdir("/dev/shm")
        def pages():
            gc.collect()
            return Path("/proc/self/smaps").read_text().count(" dd ")
        def use():
            for text in (b"QUFBQQ==", b"wrong", b""):
                reader, writer = os.pipe()
                os.write(writer, text)
                os.close(writer)
                try:
                    SecretKey.from_fd(reader)
                except ThemisError:
                    pass
                os.close(reader)
            SecretKey.from_bytes(SecretKey.generate(16384)).close()
        before = pages()
        use()
        print(pages() - before)
        key = SecretKey.generate()
        print(pages() - before)
        key.close()
        print(pages() - before)
    """)
    assert said.split() == ["0", "1", "0"]


def test_a_write_to_a_key_ends_the_process():
    """Its pages are read-only, and what is around them cannot even be read."""
    program = """
        import ctypes, resource
        from pythemis._themis import ffi
        from pythemis.keyring import SecretKey
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        key = SecretKey.generate()
        at = int(ffi.cast("uintptr_t", ffi.from_buffer(key._memory())))
        {}
    """
    for harm in ("ctypes.memset(at, 0, 1)", "ctypes.string_at(at + 32, 1)"):
        code = "\n".join(line.strip() for line in program.format(harm).splitlines())
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=300)
        assert done.returncode in (-signal.SIGSEGV, -signal.SIGBUS)


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy frees what is dropped later")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_has_the_key_locked():
    """A child of a fork inherits no locks, and locks keys and rings anew. Closing is its own."""
    said = said_by("""
        import os
        from pathlib import Path
        from pythemis.keyring import Keyring, SecretKey
        key, ring = SecretKey.generate(), Keyring.new("shop").add()
        def locked():
            maps = Path("/proc/self/smaps").read_text().split("VmFlags:")
            keys = [flags for flags in maps if " dd " in flags and " wr " not in flags]
            return sum(" lo " in flags for flags in keys)
        before = locked(), key.reveal()
        if os.fork() == 0:
            assert (locked(), key.reveal()) == before
            key.close()
            ring.close()
            os._exit(locked())
        _, status = os.wait()
        print(before[0], os.waitstatus_to_exitcode(status), locked(), key.reveal() == before[1])
    """)
    assert said == "2 0 2 True"


# ---- Threads ----


def test_a_key_that_is_closed_at_work_is_finished_first():
    """Its pages stay until the last user is done: right results or a clear refusal, no crash."""
    pair = GenerateKeyPair("EC")
    private, public = pair.export_private_key(), pair.export_public_key()
    uses = [
        lambda key: sverify(public, ssign(key, b"m")) == b"m",
        lambda key: key.reveal() == private,
        lambda key: len(key) == len(private),
        lambda key: key == SecretKey.from_bytes(key),
        lambda key: SCellSeal(private).decrypt(SCellSeal(key).encrypt(b"m")) == b"m",
    ]

    def work(number):
        if number == 0:
            closing.start()
        try:
            while all(use(key) for use in uses):
                pass
        except ThemisError as error:
            return error.message
        return "a wrong result"

    for _ in range(20):
        key = SecretKey.from_bytes(private)
        closing = threading.Timer(0.001, key.close)
        assert set(together(work)) == {"this SecretKey is closed"}
        closing.join()
