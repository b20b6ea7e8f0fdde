# SPDX-License-Identifier: Apache-2.0
"""Sealed files as file objects: written, read, and given to others."""

import base64
import contextlib
import copy
import errno
import gc
import io
import os
import pickle
import signal
import stat
import subprocess
import sys
import sysconfig
import tarfile
import threading
import time
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis import _atomic, files
from pythemis.exception import THEMIS_CODES
from pythemis.files import SealedFileError, SealedFileTypeError, SealedFileValueError
from pythemis.keyring import Keyring
from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateKeyPair
from support.file_objects import Pipe, Stuck, text_of
from support.forks import Child, forking
from support.sealed import BareService
from support.warned import as_errors

KEY, OTHER, CONTEXT = bytes(range(32)), bytes(range(1, 33)), b"context"
CHUNK = 4096
ALICE, BOB = (
    (pair.export_private_key(), pair.export_public_key())
    for pair in (GenerateKeyPair("EC"), GenerateKeyPair("EC"))
)
WRITE = {"key": KEY, "context": CONTEXT, "chunk_size": CHUNK}
READ = {"key": KEY, "context": CONTEXT}


def service():
    """Make a key service."""
    return BareService("payroll-2026", OTHER)


def written(data, **options):
    """Return a sealed file."""
    target = io.BytesIO()
    with files.open(target, "wb", **(options or WRITE)) as file:
        file.write(data)
    return target.getvalue()


def contents(path, **options):
    """Return what is in a sealed file."""
    with files.open(path, **(options or READ)) as file:
        return file.read()


def names(folder):
    """List what is in a folder."""
    return sorted(it.name for it in folder.iterdir())


# ---- What opens a file ----

WAYS = {
    "key": ({"key": KEY}, {"key": KEY}),
    "passphrase": ({"passphrase": "pässword"}, {"passphrase": "pässword"}),
    "recipient": ({"to": BOB[1]}, {"private_key": BOB[0]}),
    "sender": ({"sender": ALICE[0], "to": BOB[1]}, {"private_key": BOB[0], "sender": ALICE[1]}),
    "service": ({"service": service()}, {"service": [service()]}),
}


@pytest.mark.parametrize("kind", WAYS)
def test_each_kind_of_secret_opens_what_it_wrote(tmp_path, kind):
    """A file is read by whom it was written for, and says what opened it."""
    (write, read), path, data = WAYS[kind], tmp_path / "file", text_of(10_000)
    with files.open(path, "wb", context=CONTEXT, **write) as file:
        file.write(data)
    for source in (path, Pipe(path.read_bytes())):
        with files.open(source, context=CONTEXT, **read) as file:
            assert (file.opened_by, file.read()) == (kind, data)
    strangers = {"key": bytes(32)}, {"private_key": ALICE[0]}, {**read, "context": b"another"}
    for wrong in strangers:
        with pytest.raises(SealedFileError) as caught:
            files.open(path, **{"context": CONTEXT, **wrong})
        assert caught.value.error_code == THEMIS_CODES.FAIL


def test_many_secrets_open_one_file():
    """A file may be for several at once, and several secrets may be tried."""
    data = b"for all of them"
    sealed = written(
        data, key=KEY, passphrase="p", to=[ALICE[1], BOB[1]], hidden=True, service=service()
    )
    for read in (
        {"key": KEY},
        {"passphrase": b"p"},
        {"private_key": ALICE[0]},
        {"private_key": BOB[0]},
        {"service": service()},
        {
            "key": OTHER,
            "private_key": GenerateKeyPair("EC").export_private_key(),
            "passphrase": "p",
        },
    ):
        assert contents(io.BytesIO(sealed), **read) == data
    assert ALICE[1] not in sealed
    with pytest.raises(SealedFileError, match="slots: 1 service; services: payroll-2026"):
        contents(io.BytesIO(written(data, service=service())), key=OTHER)


def test_rings_write_under_their_primary_key_and_read_under_all(tmp_path):
    """A file of a ring names its key, and opens under every later ring."""
    path, first = tmp_path / "file", Keyring.new("shop").add()
    with files.open(path, "wb", keyring=first, context=CONTEXT) as file:
        file.write(b"text")
    assert bytes.fromhex(first.ids[0]) in path.read_bytes()
    second = first.add()
    second = second.promote(second.ids[-1]).retire(first.ids[0])
    assert contents(path, keyring=second, context=CONTEXT) == b"text"
    with pytest.raises(SealedFileError, match="slots: 1 key"):
        contents(path, keyring=Keyring.new("other").add(), context=CONTEXT)
    files.rewrap(path, keyring=second, context=CONTEXT, new_keyring=second)
    assert bytes.fromhex(second.ids[-1]) in path.read_bytes()
    with pytest.raises(SealedFileValueError, match="no key yet"):
        files.open(path, "wb", keyring=Keyring.new("empty"))


@pytest.mark.parametrize("key", [OTHER, b"k", bytes(1024)], ids=len)
def test_of_a_ring_legacy_keys_alone_read_ordinary_cells(tmp_path, key):
    """As with values: a cell that lost its key id is not read by the key that it had."""
    path, ring = tmp_path / "cell", Keyring.new("shop").add(KEY)
    path.write_bytes(SCellSeal(KEY).encrypt(b"text"))
    with pytest.raises(SealedFileError, match="of a ring the legacy keys open it, and no others"):
        files.open(path, keyring=ring)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a key may look thought up
        ring = ring.add_legacy(bytes(range(16))).add_legacy(key)
    with pytest.raises(SealedFileError, match="decryption failed"):
        files.open(path, keyring=ring)
    path.write_bytes(SCellSeal(key).encrypt(b"text"))
    assert contents(path, keyring=ring) == b"text"


def test_no_other_file_passes_for_the_senders():
    """A named sender excludes every other slot, whatever other secrets are given."""
    sealed = written(b"text", key=KEY, to=BOB[1])
    with pytest.raises(SealedFileError):
        contents(io.BytesIO(sealed), key=KEY, private_key=BOB[0], sender=ALICE[1])
    assert contents(io.BytesIO(sealed), key=KEY, private_key=BOB[0]) == b"text"


# ---- Reading ----


@given(data=st.data())
def test_the_reader_is_as_bytesio(data):
    """Whatever is asked for in whatever order, the reader answers as `io.BytesIO` does."""
    text = text_of(data.draw(st.sampled_from([0, 1, CHUNK - 8, CHUNK, 3 * CHUNK + 77])))
    model, file = io.BytesIO(text), files.open(io.BytesIO(written(text)), **READ)
    places = st.integers(0, len(text) + 20)
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["seek", "end", "read", "into", "line", "pread", "rest"]))
        if step == "seek":
            at = data.draw(places)
            assert file.seek(at) == model.seek(at)
        elif step == "end":
            back = -data.draw(st.integers(0, len(text)))
            assert file.seek(back, os.SEEK_END) == model.seek(back, os.SEEK_END)
        elif step == "read":
            size = data.draw(places)
            assert file.read(size) == model.read(size)
        elif step == "into":
            rooms = [bytearray(data.draw(places))] * 2
            assert file.readinto(rooms[0]) == model.readinto(bytearray(len(rooms[0])))
        elif step == "line":
            assert file.readline() == model.readline()
        elif step == "pread":
            at, size = data.draw(places), data.draw(places)
            assert file.pread(size, at) == text[at : at + size]
        else:
            assert file.read() == model.read()
        assert file.tell() == model.tell()
    file.verify()


def test_progress_of_verify():
    """`verify` tells how far it is in the file, up to its end."""
    sealed, heard = written(text_of(600_000)), []
    with files.open(io.BytesIO(sealed), **READ) as file:
        file.verify(lambda *it: heard.append(it))
    assert heard[-1] == (len(sealed), len(sealed))
    assert heard == sorted(heard)
    assert len(heard) > 1


def test_other_libraries_read_and_write_it(tmp_path):
    """zipfile, tarfile and text read a sealed file as any file, and write one."""
    path = tmp_path / "archive"
    with files.open(path, "wb", **WRITE) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("member", text_of(20_000))
    with files.open(path, **READ) as file, zipfile.ZipFile(file) as archive:
        assert archive.read("member") == text_of(20_000)
    with (
        files.open(path, "wb", **WRITE) as file,
        tarfile.open(fileobj=file, mode="w|gz") as archive,
    ):
        archive.add(__file__, "member")
    with files.open(path, **READ) as file, tarfile.open(fileobj=file) as archive:
        assert archive.extractfile("member").read().startswith(b"# SPDX")
    with files.open(path, "wb", **WRITE) as file, io.TextIOWrapper(file, "utf-8") as text:
        text.write("zwölf\nBoxkämpfer\n")
    with files.open(path, **READ) as file, io.TextIOWrapper(file, "utf-8") as text:
        assert list(text) == ["zwölf\n", "Boxkämpfer\n"]


def test_a_pipe_is_read_once_and_to_its_end():
    """A pipe cannot seek; reading it needs no size beforehand."""
    data = text_of(5 * CHUNK) + bytes(3 * CHUNK) + b"end"
    with files.open(Pipe(written(data)), **READ) as file:
        assert (file.seekable(), file.readable()) == (False, True)
        assert file.read(10) + file.readline() + file.read() == data
        assert file.read() == b""
        for use in (file.verify, lambda: file.pread(1, 0), lambda: file.seek(0)):
            with pytest.raises(io.UnsupportedOperation):
                use()
    with pytest.raises(ValueError, match="closed file"):
        file.read()


@pytest.mark.parametrize("cut", [1, 60, CHUNK + 44, CHUNK + 100])
def test_a_pipe_that_ends_early_is_an_error_at_its_end(cut):
    """What is authentic leaves, the end raises, and raises again: it never looks complete."""
    data = text_of(5 * CHUNK)
    with files.open(Pipe(written(data)[:-cut]), **READ) as file:
        seen = b""
        with pytest.raises(SealedFileError):  # noqa: PT012
            while part := file.read1(1000):
                seen += part
        assert data.startswith(seen)
        for _ in range(2):
            with pytest.raises(SealedFileError):
                file.read1(1)


def fill(file, buffer):
    """Read all of a file into one buffer, again and again."""
    while file.readinto(buffer):
        pass


@pytest.mark.parametrize("seekable", [True, False])
def test_errors_keep_no_buffer(seekable):
    """While an error is handled, the buffer to read into is free, and no frame has a view of it."""
    data = bytearray(written(text_of(5 * CHUNK)))
    data[-2 * CHUNK] ^= 1
    file = files.open((io.BytesIO if seekable else Pipe)(data), **READ)
    room, view = bytearray(5 * CHUNK), memoryview(bytearray(CHUNK))
    with pytest.raises(SealedFileError) as first, view:
        fill(file.raw, view)
    with pytest.raises(SealedFileError) as second:
        fill(file, room)
    room.clear()
    frames = [entry.frame.raw for error in (first, second) for entry in error.traceback]
    kept = [
        frame.f_code.co_name
        for frame in frames
        for it in frame.f_locals.values()
        if type(it) is memoryview
    ]
    assert set(kept) <= {"fill", "test_errors_keep_no_buffer"}


def test_real_pipes(tmp_path):
    """A backup goes through a pipe of the system, written by one thread and read by another."""
    read, write = os.pipe()
    data = text_of(300_000)

    def backup():
        with open(write, "wb") as pipe, files.open(pipe, "wb", **WRITE) as file:  # noqa: PTH123
            file.write(data)

    thread = threading.Thread(target=backup)
    thread.start()
    with open(read, "rb") as pipe, files.open(pipe, **READ) as file:  # noqa: PTH123
        assert file.read() == data
    thread.join()
    path = tmp_path / "file"
    path.write_bytes(written(data))
    program = (
        "import sys; from pythemis import files\n"
        "file = files.open(sys.stdin.buffer, key=bytes(range(32)), context=b'context')\n"
        "sys.exit(file.read() != bytes.fromhex(sys.argv[1]) * 3 and 1)"
    )
    path.write_bytes(written(b"abc" * 3))
    with path.open("rb") as file:
        command = [sys.executable, "-c", program, b"abc".hex()]
        assert subprocess.run(command, stdin=file, check=False).returncode == 0


# ---- Writing ----


def test_writing_is_as_to_a_file(tmp_path):
    """Any buffers in any parts; the position is how much was written; closed it refuses."""
    path = tmp_path / "file"
    file = files.open(path, "wb", **WRITE)
    assert (file.writable(), file.readable(), file.seekable()) == (True, False, False)
    assert (file.name, file.mode, file.closed) == (path, "wb", False)
    data = text_of(3 * CHUNK)
    assert file.write(data[:5]) == 5
    assert file.write(memoryview(data)[5:6000]) == 5995
    file.writelines([bytearray(data[6000:6001]), b""])
    file.write(data[6001:])
    assert file.tell() == len(data)
    file.flush()
    assert not path.exists()
    file.close()
    file.close()
    file.discard()
    assert contents(path) == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for use in (lambda: file.write(b"x"), file.tell, file.writable, file.flush):
        with pytest.raises(ValueError, match="closed file"):
            use()
    for use in (file.read, file.fileno, file.detach, lambda: file.seek(0), file.truncate):
        with pytest.raises((io.UnsupportedOperation, ValueError)):
            use()
    with files.open(path, "wb", **WRITE):
        pass
    assert contents(path) == b""
    assert names(tmp_path) == ["file"]


def test_file_objects_are_not_copied(tmp_path):
    """A copy would end the file of the original, so there is none, nor a pickle."""
    path = tmp_path / "file"
    with files.open(path, "wb", **WRITE) as writer:
        writer.write(b"text")
        reader = files.open(io.BytesIO(written(b"text")), **READ)
        stream = files.open(Pipe(written(b"text")), **READ)
        for it in (writer, reader, reader.raw, stream, stream.raw):
            for work in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match=r"cannot (pickle|serialize)"):
                    work(it)
        assert repr(writer) == f"<SealedWriter name={path!r}>"
        assert "SealedReader" in repr(reader)
    assert contents(path) == b"text"
    assert repr(writer) == f"<SealedWriter name={path!r} (closed)>"


@pytest.mark.filterwarnings("ignore:a sealed file that is closed while:RuntimeWarning")
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_leaves_the_old_file(tmp_path, error, wrapped):
    """What is raised in the block discards the file, under a wrapper that closes it as well."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    around = io.TextIOWrapper if wrapped else contextlib.closing
    with pytest.raises(error), files.open(path, "wb", **WRITE) as file, around(file):  # noqa: PT012
        file.write(b"new" * 5000)
        raise error
    assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")


def test_a_writer_that_is_dropped_leaves_nothing(tmp_path):
    """A file that is never closed is not complete, so there is none, and a warning says so."""
    path = tmp_path / "file"
    file = files.open(path, "wb", **WRITE)
    file.write(b"new")
    held = [file]
    del file
    with pytest.warns(ResourceWarning, match="never closed, so its file is not written"):  # noqa: PT031
        held.clear()
        gc.collect()  # for PyPy
    assert names(tmp_path) == []


def test_an_exception_that_was_handled_before_discards_nothing(tmp_path):
    """A file that is opened and closed while an older exception is handled is written."""
    path = tmp_path / "file"
    try:
        raise ValueError
    except ValueError:
        with files.open(path, "wb", **WRITE) as file:
            file.write(b"text")
    assert contents(path) == b"text"


def test_a_file_is_not_discarded_without_a_word(tmp_path):
    """A close in a handler cannot be told from a failed block, so it warns; a failed block not."""
    path = tmp_path / "file"
    file = files.open(path, "wb", **WRITE)
    file.write(b"text")
    try:
        raise ValueError
    except ValueError:
        with pytest.warns(RuntimeWarning, match="is discarded.*close it after the handler"):
            file.close()
    with warnings.catch_warnings(), contextlib.suppress(ValueError):
        as_errors()
        with files.open(path, "wb", **WRITE):
            raise ValueError
    assert names(tmp_path) == []


def test_a_stream_that_is_abandoned_is_refused():
    """An open file that gets no end is truncated, which its readers see."""
    target = io.BytesIO()
    with contextlib.suppress(ValueError), files.open(target, "wb", **WRITE) as file:
        file.write(text_of(3 * CHUNK))
        raise ValueError
    with pytest.raises(SealedFileError):
        contents(io.BytesIO(target.getvalue()))


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    """ENOSPC at any write is an OSError with the path; nothing follows it."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    real, left = _atomic.NewFile.write, 0

    def write(self, data):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        return real(self, data)

    monkeypatch.setattr(_atomic.NewFile, "write", write)
    for allowed in range(3):
        left = allowed
        with (
            pytest.raises(OSError, match="No space left") as caught,
            files.open(path, "wb", **WRITE) as file,
        ):
            file.writelines([text_of(300_000)] * 2)
        assert caught.value.filename == str(path)
        assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")
    left = 1
    file = files.open(path, "wb", **WRITE)
    with pytest.raises(OSError, match="No space left"):
        file.write(text_of(300_000))
    for use in (lambda: file.write(b"x"), file.close):
        with pytest.raises(SealedFileValueError, match="writing it failed"):
            use()
    assert (names(tmp_path), path.read_bytes()) == (["file"], b"old")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")  # noqa: PTH110
def test_a_full_device_is_an_os_error():
    """A device that takes nothing is the error of the system, at once."""
    full = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
    with full, pytest.raises(OSError, match="No space left"):
        files.open(full, "wb", **WRITE)


def test_options_that_make_no_sense(tmp_path):
    """Each mistake is named, and no file is touched."""
    path = tmp_path / "file"
    value, kind = SealedFileValueError, SealedFileTypeError
    for error, text, options in (
        (value, "the file is for no one", {}),
        (value, "16 or more", {"key": b"short"}),
        (value, "the public key of a pair", {"key": ALICE[1]}),
        (value, "the private key of a pair", {"key": ALICE[0]}),
        (value, "the passphrase is empty", {"passphrase": ""}),
        (value, "private_key= is for reading", {"private_key": BOB[0], "key": KEY}),
        (value, "belongs to keyrings", {"key": KEY, "context": b"TK1"}),
        (value, "one recipient, who is not hidden", {"sender": ALICE[0]}),
        (value, "one recipient, who is not hidden", {"sender": ALICE[0], "to": [ALICE[1], BOB[1]]}),
        (
            value,
            "one recipient, who is not hidden",
            {"sender": ALICE[0], "to": BOB[1], "hidden": True},
        ),
        (value, "its recipient alone", {"sender": ALICE[0], "to": BOB[1], "key": KEY}),
        (value, "hidden= hides the recipients", {"key": KEY, "hidden": True}),
        (kind, "hidden is True or False", {"to": BOB[1], "hidden": "yes"}),
        (value, "a power of 2", {"key": KEY, "chunk_size": 5000}),
        (value, "a power of 2", {"key": KEY, "chunk_size": 2048}),
        (kind, "chunk_size is an int", {"key": KEY, "chunk_size": "4096"}),
        (value, "pad must be", {"key": KEY, "pad": "more"}),
        (kind, "service is a key service", {"service": 5}),
        (kind, "service is a key service", {"service": [service(), "aws"]}),
        (SealedFileError, "private", {"to": BOB[0]}),
        (kind, "the key must be bytes", {"key": "k" * 32}),
        (kind, "keyring is a pythemis.keyring", {"keyring": {}}),
    ):
        with pytest.raises(error, match=text):
            files.open(path, "wb", **options)
    assert names(tmp_path) == []
    for call in (
        lambda: files.SealedReader(io.BytesIO()),
        lambda: files.SealedWriter(path, 1, b"", 1, 1),
    ):
        with pytest.raises(SealedFileTypeError, match=r"is made by files\.open"):
            call()


def test_mistakes_are_named(tmp_path):
    """A reader with the wrong file or secret is told what is wrong, not what was not given."""
    path, cell = tmp_path / "file", io.BytesIO(SCellSeal(KEY).encrypt(b"text"))
    path.write_bytes(written(b"text", passphrase="right"))
    of_ring = io.BytesIO(written(b"text", keyring=Keyring.new("shop").add()))
    error, kind, value = SealedFileError, SealedFileTypeError, SealedFileValueError
    for refusal, text, call in (
        (
            error,
            "it is empty, or an open file stands at its end",
            lambda: files.open(io.BytesIO(), key=KEY),
        ),
        (error, "with a key, and no key was given", lambda: files.open(cell, passphrase="p")),
        (error, "with a key, and no key was given", lambda: files.open(cell, private_key=BOB[0])),
        (error, "^wrong passphrase or context", lambda: files.open(path, passphrase="wrong")),
        (error, "or the sealed file is corrupted$", lambda: files.open(path, passphrase="wrong")),
        (error, "one of a keyring, which was not given", lambda: files.open(of_ring, key=KEY)),
        (kind, "give a key by name: key=", lambda: files.open(path, KEY)),
        (
            kind,
            "a path that names it, not BytesIO",
            lambda: files.rewrap(cell, key=KEY, new_key=KEY),
        ),
        (
            kind,
            "a path that names it, not BytesIO",
            lambda: files.reencrypt(cell, key=KEY, new_key=KEY),
        ),
        (
            value,
            "keeps recipients only, and the file has none",
            lambda: files.rewrap(path, passphrase="right", keep=True, new_context=b"new"),
        ),
    ):
        with pytest.raises(refusal, match=text):
            call()
    with files.open(tmp_path / "other", "wb", **WRITE) as file:
        with pytest.raises(SealedFileTypeError, match="a sealed file takes bytes, not str"):
            file.write("text")
        file.write(b"text")


def test_a_key_that_is_text_warns():
    """The base64 of a key is another key, so a file under it is written and read with a warning."""
    text = base64.b64encode(KEY)
    with pytest.warns(UserWarning, match="the key is the base64 of 32 bytes"):
        sealed = written(b"text", key=text)
    with pytest.warns(UserWarning, match="the key is the base64 of 32 bytes"):
        assert files.open(io.BytesIO(sealed), key=text).read() == b"text"


# ---- For others, and anew ----


def test_rewrapping_changes_the_header_alone(tmp_path):
    """Other slots open the file, its chunks are the same, and a reader is not disturbed."""
    path, data = tmp_path / "file", text_of(5 * CHUNK)
    path.write_bytes(written(data))
    before, heard = path.read_bytes(), []
    reader = files.open(path, **READ)
    files.rewrap(path, **READ, to=BOB[1], new_passphrase="p", progress=lambda *it: heard.append(it))
    after = path.read_bytes()
    assert after != before
    assert after.endswith(before[-(5 * CHUNK + 6 * 44) :])
    assert contents(path, private_key=BOB[0], context=CONTEXT) == data
    assert contents(path, passphrase="p", context=CONTEXT) == data
    with pytest.raises(SealedFileError):
        contents(path)
    assert reader.read() == data
    assert heard[-1][1] == len(before)
    assert names(tmp_path) == ["file"]


def test_rewrapping_may_keep_the_others(tmp_path):
    """With ``keep`` those for whom the file was stay, once each; a new context keeps recipients."""
    path = tmp_path / "file"
    path.write_bytes(written(b"text", key=KEY, to=ALICE[1], service=service(), context=CONTEXT))
    files.rewrap(
        path, key=KEY, context=CONTEXT, to=[ALICE[1], BOB[1]], new_service=service(), keep=True
    )
    for read in (
        {"key": KEY},
        {"private_key": ALICE[0]},
        {"private_key": BOB[0]},
        {"service": service()},
    ):
        assert contents(path, context=CONTEXT, **read) == b"text"
    files.rewrap(path, key=KEY, context=CONTEXT, new_context=b"moved", keep=True)
    assert contents(path, context=b"moved", private_key=ALICE[0]) == b"text"
    with pytest.raises(SealedFileError):
        contents(path, context=b"moved", key=KEY)


def test_rewrapping_obeys_the_table(tmp_path):
    """Slots that others could abuse are refused, with what to do; the file is as it was."""
    path = tmp_path / "file"
    path.write_bytes(written(b"text", to=BOB[1]))
    before = path.read_bytes()
    for text, options in (
        ("encrypt the file anew", {"new_key": KEY}),
        ("encrypt the file anew", {"new_passphrase": "p"}),
        ("give what opens the file", {}),
        ("belongs to keyrings", {"to": ALICE[1], "new_context": b"TK1 keyring x"}),
    ):
        with pytest.raises(SealedFileValueError, match=text):
            files.rewrap(path, private_key=BOB[0], **options)
    path.with_name("cell").write_bytes(SCellSeal(KEY).encrypt(b"text"))
    with pytest.raises(SealedFileError, match=r"files\.reencrypt makes some"):
        files.rewrap(path.with_name("cell"), key=KEY, to=BOB[1])
    with pytest.raises(SealedFileError):
        files.rewrap(path, private_key=ALICE[0], to=ALICE[1])
    assert path.read_bytes() == before
    assert names(tmp_path) == ["cell", "file"]


@pytest.mark.parametrize("function", [files.rewrap, files.reencrypt])
def test_changing_a_file_is_atomic(tmp_path, function):
    """An interruption leaves the old file; a link is refused; a lock is waited for."""
    path = tmp_path / "file"
    path.write_bytes(written(text_of(600_000)))
    before = path.read_bytes()

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        function(path, **READ, new_key=OTHER, progress=stop)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        function(link, **READ, new_key=OTHER)
    link.unlink()
    with _atomic.Lock(path):
        thread = threading.Thread(target=function, args=(path,), kwargs={**READ, "new_key": OTHER})
        thread.start()
        time.sleep(0.1)
        assert path.read_bytes() == before
    thread.join()
    assert contents(path, key=OTHER, context=CONTEXT) == text_of(600_000)
    assert names(tmp_path) == ["file"]


def test_two_rewraps_at_once_lose_none(tmp_path):
    """Recipients that two threads add at the same time can all read the file."""
    path, pairs = tmp_path / "file", [GenerateKeyPair("EC") for _ in range(6)]
    path.write_bytes(written(b"text"))
    threads = [
        threading.Thread(
            target=files.rewrap,
            args=(path,),
            kwargs={**READ, "to": pair.export_public_key(), "keep": True},
        )
        for pair in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for pair in pairs:
        assert contents(path, private_key=pair.export_private_key(), context=CONTEXT) == b"text"


def test_reencrypting_takes_a_fresh_key(tmp_path):
    """No chunk stays, a cell becomes a sealed file, and a sender may be named."""
    path, data = tmp_path / "file", text_of(2 * CHUNK)
    path.write_bytes(SCellSeal(KEY).encrypt(data, CONTEXT))
    heard = []
    files.reencrypt(path, **READ, new_key=KEY, progress=lambda *it: heard.append(it))
    first = path.read_bytes()
    assert first.startswith(b"TSFILE1\n")
    assert contents(path) == data
    assert heard == [(len(data), len(data))]
    files.reencrypt(path, **READ, new_sender=ALICE[0], to=BOB[1], new_context=b"b", pad="padme")
    assert path.read_bytes()[-100:] != first[-100:]
    assert contents(path, private_key=BOB[0], sender=ALICE[1], context=b"b") == data
    wrong = bytearray(path.read_bytes())
    wrong[300] ^= 1
    path.write_bytes(wrong)
    with pytest.raises(SealedFileError):
        files.reencrypt(path, private_key=BOB[0], sender=ALICE[1], context=b"b", new_key=KEY)
    assert (path.read_bytes(), names(tmp_path)) == (wrong, ["file"])


def closed_in_a_child(file, work, use):
    """Fork while a thread does some work with a file that keeps it; use the file in the child."""
    file.is_stuck = True
    thread = threading.Thread(target=work)
    thread.start()
    file.inside.wait(60)
    child = Child(use)
    file.may_go.set()
    thread.join()
    return child.result()


@pytest.mark.parametrize("seekable", [pytest.param(k, marks=forking) for k in (True, False)])
def test_a_child_may_use_a_file_that_a_thread_was_reading(seekable):
    """It does not wait for a lock of a thread that it does not have."""
    below = Stuck(written(text_of(600_000)), seekable=seekable)
    file = files.open(below, **READ)
    raw = file.raw

    def use():
        if seekable:
            raw.seek(5)
        raw.close()
        return b"closed"

    assert closed_in_a_child(below, lambda: raw.readinto(bytearray(600_000)), use) == b"closed"
    file.close()


@pytest.mark.parametrize("_", [pytest.param("", marks=forking)])
def test_a_child_does_not_end_the_file_that_its_parent_writes(_):
    """It is refused, and waits for no lock; the parent goes on as if nothing had been."""
    below = Stuck()
    file = files.open(below, "wb", **WRITE)
    data = text_of(600_000)

    def use():
        with pytest.raises(SealedFileError, match="a parent process writes it"):
            file.close()
        return b"refused"

    assert closed_in_a_child(below, lambda: file.write(data), use) == b"refused"
    file.close()
    assert contents(io.BytesIO(below.getvalue())) == data


def test_a_process_that_dies_leaves_the_old_file(tmp_path):
    """A kill -9 while a file is written, sealed or rewrapped leaves the old one under its name."""
    path = tmp_path / "file"
    path.write_bytes(written(text_of(600_000)))
    before = path.read_bytes()

    def write(die):
        with files.open(path, "wb", **WRITE) as file:
            file.write(text_of(600_000))
            die()

    for work in (
        write,
        lambda die: files.seal(io.BytesIO(bytes(600_000)), path, KEY, progress=die),
        lambda die: files.rewrap(path, **READ, new_key=OTHER, progress=die),
        lambda die: files.reencrypt(path, **READ, new_key=OTHER, progress=die),
    ):
        pid = os.fork()
        if pid == 0:
            work(lambda *_: os.kill(os.getpid(), signal.SIGKILL))
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["a passphrase"], {}),
        (["wb"], {"service": ["a passphrase"]}),
        (["wb"], {"service": [b"a passphrase"]}),
        (["wb"], {"key": KEY, "pad": "a passphrase"}),
    ],
)
def test_a_secret_in_another_place_is_not_shown(tmp_path, arguments, options):
    """Errors go into logs."""
    with pytest.raises(SealedFileError) as caught:
        files.open(tmp_path / "file", *arguments, **options)
    assert "a passphrase" not in str(caught.value)


# ---- Costs ----

MEMORY = """
import io, re, sys
from pythemis import files

class Zeros(io.RawIOBase):
    at = 0
    def seekable(self): return True
    def tell(self): return self.at
    def seek(self, offset, whence=0):
        self.at = offset + (SIZE if whence == 2 else 0)
        return self.at
    def read(self, size=-1):
        data = bytes(min(size, SIZE - self.at))
        self.at += len(data)
        return data

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

def work(folder):
    files.seal(Zeros(), folder + "/cell", bytes(32))
    with files.open(folder + "/cell", key=bytes(32)) as file:
        while file.read(1 << 16): pass
        file.verify()
    with files.open(folder + "/sealed", "wb", key=bytes(32)) as file:
        for _ in range(SIZE >> 16): file.write(bytes(1 << 16))
    with files.open(folder + "/sealed", key=bytes(32)) as file:
        while file.read(1 << 16): pass
        file.verify()
    with open(folder + "/sealed", "rb") as file:
        class Pipe:
            read = file.read
        with files.open(Pipe, key=bytes(32)) as file:
            while file.read(1 << 16): pass

SIZE = 1 << 20
work(sys.argv[1])
open("/proc/self/clear_refs", "w").write("5")
before = peak()
SIZE = 64 << 20
work(sys.argv[1])
print(peak() - before)
"""


@pytest.mark.timing
@pytest.mark.skipif(sys.platform != "linux", reason="of Linux: /proc")
def test_memory_is_bounded(tmp_path):
    """Files of 64 MiB take no more than those of 1 MiB: 1 MiB, three chunks and tags of pieces."""
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    most = 1024 + 3 * 64 + (64 << 20) // 16384 * 16 // 1024
    if sysconfig.get_config_var("Py_GIL_DISABLED"):  # each thread has a heap of its own
        most += 512
    assert int(done.stdout) < most


@pytest.mark.timing
def test_ctrl_c_is_answered_within_a_second(tmp_path):
    """A pass over 4 GiB stops soon after it is interrupted."""
    path = tmp_path / "large"
    size = 2**32 - 1
    path.write_bytes(SCellSeal(KEY).encrypt(b"x")[:12] + size.to_bytes(4, "little") + bytes(28))
    os.truncate(path, size + 44)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    started = time.process_time()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # `nohup` ignores it
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            files.open(path, key=KEY)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.process_time() - started < 1.2
