# SPDX-License-Identifier: Apache-2.0
"""Ordinary Seal cells as files: what they hold, how they are read, and what is refused."""

import errno
import gc
import io
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis import files
from pythemis._core import cell_files
from pythemis.exception import THEMIS_CODES
from pythemis.files import (
    SealedFileError,
    SealedFileTypeError,
    SealedFileValueError,
)
from pythemis.scell import SCellSeal
from support.file_objects import Other, Pipe, text_of

PIECE, BLOCK, TOKEN = cell_files.PIECE, cell_files.BLOCK, 44
KEY, CONTEXT, PASSPHRASE = bytes(range(32)), b"context", "pässword"
# Around blocks of AES, pieces, and what is worked on at once.
SIZES = [
    *(1, 15, 16, 17, 100),
    *(size + more for size in (PIECE, 2 * PIECE, BLOCK) for more in (-1, 0, 1)),
    BLOCK + PIECE + 5,
]
REFUSED = "decryption failed: check the key and the context; or the file is corrupted"
CHANGED = "the file was changed since it was opened and verified"


@pytest.fixture
def sealed(tmp_path):
    """Give the path of a sealed file of three pieces and a part, and its text."""
    data = text_of(3 * PIECE + 100)
    path = tmp_path / "sealed"
    path.write_bytes(SCellSeal(KEY).encrypt(data, CONTEXT))
    return path, data


@pytest.mark.parametrize("size", SIZES)
def test_every_themis_reads_what_is_sealed(tmp_path, size):
    """The result is one cell, in a file, an object and a pipe; and a cell is unsealed from each."""
    data = text_of(size)
    source, path, back = tmp_path / "source", tmp_path / "sealed", tmp_path / "back"
    source.write_bytes(data)
    files.seal(source, path, KEY, CONTEXT)
    held, pipe = io.BytesIO(b"before"), Pipe()
    held.seek(6)
    files.seal(io.BytesIO(data), held, KEY, CONTEXT)
    files.seal(io.BytesIO(data), pipe, KEY, CONTEXT)
    cell = SCellSeal(KEY)
    for sealed in (path.read_bytes(), held.getvalue()[6:], pipe.written):
        assert len(sealed) == size + TOKEN
        assert cell.decrypt(sealed, CONTEXT) == data
    sealed = cell.encrypt(data, CONTEXT)
    path.write_bytes(sealed)
    for origin in (path, io.BytesIO(sealed), Pipe(sealed)):
        files.unseal(origin, back, KEY, CONTEXT)
        assert back.read_bytes() == data
    held, pipe = io.BytesIO(), Pipe()
    files.unseal(path, held, KEY, CONTEXT)
    files.unseal(path, pipe, KEY, CONTEXT)
    assert held.getvalue() == pipe.written == data
    assert sorted(it.name for it in tmp_path.iterdir()) == ["back", "sealed", "source"]


def test_passphrases(tmp_path):
    """A passphrase does what a key does, with any salt that a cell may have."""
    data = text_of(PIECE + 1)
    path = tmp_path / "file"
    files.seal(io.BytesIO(data), path, passphrase=PASSPHRASE, context=CONTEXT)
    sealed = path.read_bytes()
    assert SCellSeal(passphrase=PASSPHRASE).decrypt(sealed, CONTEXT) == data
    assert int.from_bytes(sealed[48:52], "little") == 314110
    for origin in (path, io.BytesIO(sealed), Pipe(sealed)):
        back = io.BytesIO()
        files.unseal(origin, back, passphrase=PASSPHRASE.encode(), context=CONTEXT)
        assert back.getvalue() == data
    with files.open(path, passphrase=PASSPHRASE, context=CONTEXT) as file:
        assert (file.opened_by, file.pread(5, PIECE - 4)) == ("passphrase", data[-5:])
    with pytest.raises(SealedFileError, match="check the passphrase and the context"):
        files.open(path, passphrase="another", context=CONTEXT)


def test_costly_passphrase_cells_are_refused_before_the_work():
    """A cell that asks for too many or too few iterations costs nothing."""
    for count in (100_000, 2**31 - 1):
        sealed = bytearray(SCellSeal(passphrase=PASSPHRASE, iterations=200_000).encrypt(b"text"))
        sealed[48:52] = count.to_bytes(4, "little")
        with pytest.raises(SealedFileError, match=f"asks for {count} iterations") as caught:
            files.open(io.BytesIO(sealed), passphrase=PASSPHRASE)
        assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


@given(data=st.data())
def test_the_reader_is_as_bytesio(data):
    """Whatever is asked for in whatever order, the reader answers as `io.BytesIO` does."""
    text = text_of(data.draw(st.sampled_from([1, PIECE - 1, 2 * PIECE, 3 * PIECE + 77])))
    model = io.BytesIO(text)
    file = files.open(io.BytesIO(SCellSeal(KEY).encrypt(text)), key=KEY)
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
            size = data.draw(places)
            rooms = bytearray(size), bytearray(size)
            assert file.readinto(rooms[0]) == model.readinto(rooms[1])
            assert rooms[0] == rooms[1]
        elif step == "line":
            assert file.readline() == model.readline()
        elif step == "pread":
            at, size = data.draw(places), data.draw(places)
            assert file.pread(size, at) == text[at : at + size]
        elif data.draw(st.booleans()):
            assert file.read() == model.read()
        assert file.tell() == model.tell()


def test_every_byte_at_every_offset(sealed):
    """A read begins and ends anywhere in a block, and in a piece."""
    path, data = sealed
    with files.open(path, key=KEY, context=CONTEXT) as file:
        for at in (0, PIECE - 20, 2 * PIECE, 3 * PIECE - 1):
            for skip in range(17):
                for size in range(1, 35):
                    start = at + skip
                    assert file.pread(size, start) == data[start : start + size]


def test_the_reader_is_a_real_file_object(sealed):
    """It has what `io` promises, and closed it refuses everything."""
    path, data = sealed
    file = files.open(path, "rb", key=KEY, context=CONTEXT)
    assert isinstance(file, io.BufferedReader)
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert (file.mode, file.name, file.closed) == ("rb", path, False)
    assert io.TextIOWrapper(file, encoding="ascii").read() == data.decode()
    with pytest.raises(io.UnsupportedOperation):
        file.fileno()
    with pytest.raises(io.UnsupportedOperation):
        file.write(b"x")
    file.close()
    file.close()
    for use in (
        file.read,
        file.tell,
        file.verify,
        lambda: file.pread(1, 0),
        lambda: file.opened_by,
        lambda: file.raw.readall(),
        lambda: file.raw.seek(0),
    ):
        with pytest.raises(ValueError, match="closed file"):
            use()


@pytest.mark.parametrize(
    ("n", "offset", "error"),
    [(-1, 0, ValueError), (1, -1, ValueError), ("1", 0, TypeError), (1, None, TypeError)],
)
def test_pread_refuses_what_is_no_range(sealed, n, offset, error):
    """Mistakes are refused and huge numbers are not; past the end there is nothing."""
    path, data = sealed
    with files.open(path, key=KEY, context=CONTEXT) as file:
        with pytest.raises(error):
            file.pread(n, offset)
        assert file.pread(1 << 70, len(data) - 3) == data[-3:]
        assert file.pread(5, 1 << 70) == b""


def test_a_given_file_stays_open_where_its_own_is_closed(sealed, monkeypatch):
    """A path is opened and closed; an open file is left to its owner."""
    path, data = sealed
    with path.open("rb") as given:
        with files.open(given, key=KEY, context=CONTEXT) as file:
            assert file.read() == data
        assert not given.closed
        given.seek(0)
        files.unseal(given, io.BytesIO(), KEY, CONTEXT)
        assert not given.closed
    opened = []
    real = files._ends.opened
    monkeypatch.setattr(files._ends, "opened", lambda it: opened.append(real(it)) or opened[-1])
    files.open(path, key=KEY, context=CONTEXT).close()
    files.unseal(path, io.BytesIO(), KEY, CONTEXT)
    with pytest.raises(SealedFileError):
        files.open(path, key=KEY)
    assert [file.closed for file in opened] == [True] * 3


# ---- Bytes that are not what was sealed ----


def refusal_of(sealed, **options):
    """Return the error of a file that must not open, neither as a file nor as a pipe."""
    given = {"key": KEY, "context": CONTEXT, **options}
    with pytest.raises(SealedFileError) as caught:
        files.open(io.BytesIO(sealed), **given)
    with pytest.raises(SealedFileError):
        files.unseal(Pipe(bytes(sealed)), io.BytesIO(), given["key"], given["context"])
    return caught.value


def test_every_bit_and_every_cut():
    """No bit of a small file can be changed, and no byte be missing or too many."""
    sealed = SCellSeal(KEY).encrypt(b"sixteen of text!!", CONTEXT)
    for at in range(len(sealed)):
        for bit in range(8):
            wrong = bytearray(sealed)
            wrong[at] ^= 1 << bit
            refusal_of(wrong)
    for size in range(len(sealed)):
        refusal_of(sealed[:size])
    refusal_of(sealed + b"\0")
    assert str(refusal_of(sealed[:-1])).endswith("promises 61 bytes, 60 are present")


@pytest.mark.parametrize("size", [PIECE, 2 * PIECE, BLOCK + 1])
def test_a_bit_in_every_piece(size):
    """A change anywhere in a longer file is found when it is opened."""
    sealed = SCellSeal(KEY).encrypt(text_of(size), CONTEXT)
    for at in [*range(TOKEN, len(sealed), PIECE), len(sealed) - 1]:
        wrong = bytearray(sealed)
        wrong[at] ^= 1
        error = refusal_of(wrong)
        assert (error.message, error.error_code) == (REFUSED, THEMIS_CODES.FAIL)


def test_wrong_secrets_are_as_damage():
    """Another key and another context are refused in the words of damage."""
    sealed = SCellSeal(KEY).encrypt(b"text", CONTEXT)
    for options in ({"key": bytes(32)}, {"context": b"another"}, {"context": b""}):
        assert refusal_of(sealed, **options).message == REFUSED


def test_a_key_that_is_no_passphrase():
    """A secret of the wrong kind is named."""
    keyed = io.BytesIO(SCellSeal(KEY).encrypt(b"text"))
    stretched = io.BytesIO(SCellSeal(passphrase="p", iterations=200_000).encrypt(b"text"))
    with pytest.raises(SealedFileError, match="made with a key, and no key was given"):
        files.open(keyed, passphrase="p")
    with pytest.raises(
        SealedFileError, match="made with a passphrase, and no passphrase was given"
    ):
        files.open(stretched, key=KEY)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "this is not a sealed file"),
        (b"x" * 100, "this is not a sealed file"),
        (b"\x1f\x8b\x08" + bytes(100), "compressed with gzip"),
        (bytes(1_000_000), "this is not a sealed file"),
        (b"TSFILE2\n" + bytes(100), "a newer pythemis may read it"),
    ],
)
def test_other_files_are_refused_by_name(data, text):
    """What is no sealed file is refused, with what it is if that is known."""
    with pytest.raises(SealedFileError, match=text):
        files.open(io.BytesIO(data), key=KEY)


def test_a_named_sender_refuses_cells():
    """A cell has no sender: whoever names one must not get it, whatever key is given beside."""
    sealed = io.BytesIO(SCellSeal(KEY).encrypt(b"text"))
    with pytest.raises(SealedFileError, match="has no sender"):
        files.open(sealed, key=KEY, private_key=b"private", sender=b"public")


def test_nothing_is_unsealed_before_all_is_verified(sealed, tmp_path):
    """A file that is damaged at its end leaves no byte, neither at a path nor in a pipe."""
    path, _ = sealed
    wrong = bytearray(path.read_bytes())
    wrong[-1] ^= 1
    path.write_bytes(wrong)
    pipe, target = Pipe(), tmp_path / "target"
    for destination in (pipe, target):
        for source in (path, Pipe(bytes(wrong))):
            with pytest.raises(SealedFileError, match=REFUSED):
                files.unseal(source, destination, KEY, CONTEXT)
    assert not pipe.written
    assert [it.name for it in tmp_path.iterdir()] == ["sealed"]


# ---- A file that changes under an open reader ----


def flip(path):
    """Change a bit of the third piece."""
    with path.open("r+b") as file:
        file.seek(TOKEN + 2 * PIECE + 40)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def swap(path):
    """Exchange the second and third pieces."""
    data = path.read_bytes()
    at = [TOKEN + number * PIECE for number in range(4)]
    path.write_bytes(data[: at[1]] + data[at[2] : at[3]] + data[at[1] : at[2]] + data[at[3] :])


def cut(path):
    """Cut the file in the third piece."""
    os.truncate(path, TOKEN + 2 * PIECE + 50)


def reseal(path):
    """Write another version of the file into it, under the same key and context."""
    path.write_bytes(SCellSeal(KEY).encrypt(text_of(3 * PIECE + 100)[::-1], CONTEXT))


def double(path):
    """Write the second piece over the third."""
    data = path.read_bytes()
    at = [TOKEN + number * PIECE for number in range(4)]
    path.write_bytes(data[: at[2]] + data[at[1] : at[2]] + data[at[3] :])


@pytest.mark.parametrize("change", [flip, swap, cut, reseal, double])
@pytest.mark.parametrize("kind", ["path", "object"])
def test_a_file_that_changes_is_refused(sealed, change, kind):
    """A piece that is not what was verified is refused in every way of reading; others are read."""
    path, data = sealed
    with path.open("rb", buffering=0) as given:
        file = files.open(path if kind == "path" else Other(given), key=KEY, context=CONTEXT)
        assert file.pread(100, 2 * PIECE) == data[2 * PIECE : 2 * PIECE + 100]
        change(path)
        for read in (
            lambda: file.pread(100, 2 * PIECE),
            lambda: file.pread(PIECE + 100, 2 * PIECE - 50),
            lambda: file.pread(len(data), 0),
            lambda: file.seek(2 * PIECE + 5) and file.read(10),
            lambda: file.seek(0) or file.read(),
            lambda: file.seek(0) or file.readinto(bytearray(len(data))),
            file.verify,
        ):
            with pytest.raises(SealedFileError, match=CHANGED):
                read()
        if change in (flip, cut, double):
            assert file.pread(100, 0) == data[:100]
        file.close()


def test_without_the_check_a_changed_file_is_read_wrongly(sealed):
    """The control: AES-CTR alone, which decrypts pieces, makes another text of a changed file."""
    path, data = sealed
    keystream = [a ^ b for a, b in zip(path.read_bytes()[TOKEN:], data, strict=True)]
    for change in (flip, swap, double):
        file = files.open(path, key=KEY, context=CONTEXT)
        before = path.read_bytes()
        change(path)
        changed = path.read_bytes()[TOKEN:]
        assert bytes(a ^ b for a, b in zip(changed, keystream, strict=True)) != data
        with pytest.raises(SealedFileError, match=CHANGED):
            file.read()
        path.write_bytes(before)


def test_a_file_that_grows_is_noticed_by_verify(sealed):
    """Bytes after the end change nothing that is read, and `verify` sees them."""
    path, data = sealed
    with files.open(path, key=KEY, context=CONTEXT) as file:
        with path.open("ab") as more:
            more.write(b"more")
        assert file.read() == data
        with pytest.raises(SealedFileError, match=CHANGED):
            file.verify()


def test_a_file_that_is_replaced_is_read_on(sealed):
    """A new file under the same name does not disturb a reader of the old one."""
    path, data = sealed
    with files.open(path, key=KEY, context=CONTEXT) as file:
        files.seal(io.BytesIO(b"another"), path, KEY, CONTEXT)
        assert file.read() == data
        file.verify()


def test_a_change_during_the_pass_is_refused(sealed):
    """A file that is cut while it is verified is refused, and no error of Python's."""
    path, _ = sealed

    class Cut(Other):
        def seek(self, offset, whence=0):
            if offset == TOKEN:  # where the pass begins
                os.truncate(path, 100)
            return super().seek(offset, whence)

    with path.open("rb", buffering=0) as given, pytest.raises(SealedFileError, match="shrank"):
        files.open(Cut(given), key=KEY, context=CONTEXT)


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_reader(sealed):
    """Threads that read by `pread`, and at the common position, get what is there."""
    path, data = sealed
    file, wrong, seen = files.open(path, key=KEY, context=CONTEXT), [], []
    barrier = threading.Barrier(5)

    def work(seed):
        barrier.wait()
        for step in range(150):
            at = (seed * 7919 + step * 4099) % len(data)
            if file.pread(5000, at) != data[at : at + 5000]:
                wrong.append(at)

    def stream():
        barrier.wait()
        while part := file.read(999):
            seen.append(part)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    threads += [threading.Thread(target=stream) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(b"".join(seen)) == sorted(data)


# ---- Sources and targets that misbehave ----


@pytest.mark.parametrize(("change", "text"), [(b"more", "grew"), (None, "shrank")])
def test_a_source_that_changes_its_length_leaves_nothing(tmp_path, change, text):
    """A file that grows or shrinks while it is sealed is an error, and nothing is left behind."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(BLOCK + 100))
    target.write_bytes(b"old")

    def meanwhile(done, _):
        if done == BLOCK and change is None:
            os.truncate(source, BLOCK + 50)
        elif done == BLOCK:
            with source.open("ab") as file:
                file.write(change)

    pipe = Pipe()
    for destination in (target, pipe):
        source.write_bytes(bytes(BLOCK + 100))
        with pytest.raises(SealedFileError, match=text):
            files.seal(source, destination, KEY, progress=meanwhile)
    assert (target.read_bytes(), bytes(pipe.written)) == (b"old", b"")
    assert sorted(it.name for it in tmp_path.iterdir()) == ["source", "target"]


def test_progress_is_told_and_may_stop(tmp_path):
    """The callback hears how far it is; what it raises ends the work and leaves nothing."""
    heard, target = [], tmp_path / "target"
    files.seal(io.BytesIO(bytes(BLOCK + 5)), target, KEY, progress=lambda *it: heard.append(it))
    assert heard == [(BLOCK, BLOCK + 5), (BLOCK + 5, BLOCK + 5)]
    heard.clear()
    files.unseal(target, io.BytesIO(), KEY, progress=lambda *it: heard.append(it))
    assert heard == [(BLOCK, BLOCK + 5), (BLOCK + 5, BLOCK + 5)]

    def stop(*_):
        raise KeyboardInterrupt

    for function in (files.seal, files.unseal):
        with pytest.raises(KeyboardInterrupt):
            function(target, tmp_path / "new", KEY, progress=stop)
    assert [it.name for it in tmp_path.iterdir()] == ["target"]


def test_a_file_is_sealed_over_itself(tmp_path):
    """Source and target may be one path: the source is read to its end before it is replaced."""
    path = tmp_path / "file"
    path.write_bytes(b"text")
    files.seal(path, path, KEY)
    assert SCellSeal(KEY).decrypt(path.read_bytes()) == b"text"
    files.unseal(path, path, KEY)
    assert path.read_bytes() == b"text"


def test_what_is_no_file_is_an_os_error(tmp_path, monkeypatch):
    """A folder, a FIFO, a device and a name that is free have the errors of `open`, at once."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    for name, code in (
        (".", errno.EISDIR),
        ("fifo", errno.EINVAL),
        ("/dev/null", errno.EINVAL),
        ("free", errno.ENOENT),
    ):
        for call in (
            lambda name=name: files.seal(name, "target", KEY),
            lambda name=name: files.unseal(name, "target", KEY),
            lambda name=name: files.open(name, key=KEY),
            lambda name=name: files.is_sealed(name),
        ):
            with pytest.raises(OSError, match="Errno") as caught:
                call()
            assert (caught.value.errno, caught.value.filename) == (code, name)
    assert [it.name for it in tmp_path.iterdir()] == ["fifo"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="of Linux")  # noqa: PTH110
def test_a_full_device_is_an_os_error():
    """A write that finds no room is the error of the system."""
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        for call in (
            lambda: files.seal(io.BytesIO(b"text"), full, KEY),
            lambda: files.unseal(io.BytesIO(SCellSeal(KEY).encrypt(b"text")), full, KEY),
        ):
            with pytest.raises(OSError, match="No space left"):
                call()


class Odd:
    """A file whose methods return what it was made with."""

    def __init__(self, found):
        self.found = found

    def read(self, _):
        """Return it."""
        return self.found

    def write(self, _):
        """Return it."""
        return self.found


@pytest.mark.parametrize(
    ("found", "error", "text"),
    [
        (None, BlockingIOError, "make it blocking"),
        ("text", SealedFileTypeError, "open it in mode 'rb'"),
        (5, SealedFileTypeError, "returns bytes, not int"),
        (bytes(1 << 20), SealedFileValueError, r"read\(\d+\) of the file to read returned 1048576"),
    ],
)
def test_objects_that_read_oddly(found, error, text):
    """What a foreign `read` returns is judged."""
    with pytest.raises(error, match=text):
        files.unseal(Odd(found), io.BytesIO(), KEY)


@pytest.mark.parametrize("found", [0, -1, 1 << 20, "1"])
def test_objects_that_write_oddly(found):
    """What a foreign `write` returns is judged, so nothing is lost and nothing hangs."""
    with pytest.raises(SealedFileValueError, match=r"write\(\) of the file to write returned"):
        files.seal(io.BytesIO(b"text"), Odd(found), KEY)


def test_arguments_that_make_no_sense(tmp_path):
    """Each mistake of a caller is named, before a file is touched."""
    some, target = io.BytesIO(b"text"), tmp_path / "target"
    value, kind = SealedFileValueError, SealedFileTypeError
    for error, text, call in (
        (value, "give a key or a passphrase: ", lambda: files.seal(some, target)),
        (value, "not both", lambda: files.unseal(some, target, KEY, passphrase="p")),
        (value, "the key is empty", lambda: files.seal(some, target, b"")),
        (value, "the passphrase is empty", lambda: files.seal(some, target, passphrase="")),
        (value, "no UTF-8 form", lambda: files.seal(some, target, passphrase="\ud800")),
        (kind, "the key must be bytes, not str", lambda: files.seal(some, target, "k" * 32)),
        (kind, "the context must be bytes, not str", lambda: files.seal(some, target, KEY, "c")),
        (value, "belongs to keyrings", lambda: files.seal(some, target, KEY, b"TK1 keyring a")),
        (value, "belongs to keyrings", lambda: files.unseal(some, target, KEY, b"TK9")),
        (value, "belongs to keyrings", lambda: files.open(some, key=KEY, context=b"TK0")),
        (kind, "open as text", lambda: files.seal(io.StringIO("text"), target, KEY)),
        (kind, "a path or an open binary file", lambda: files.seal(5, target, KEY)),
        (kind, "a path or an open binary file", lambda: files.seal(some, None, KEY)),
        (kind, "progress is a function", lambda: files.seal(some, target, KEY, progress=1)),
        (value, "holds 1 to 4294967295 bytes", lambda: files.seal(io.BytesIO(), target, KEY)),
        (value, "a pipe does not tell", lambda: files.seal(Pipe(b"x"), target, KEY)),
        (value, "would lose its first bytes", lambda: files.is_sealed(Pipe(b"TSFILE1"))),
        (value, "io.TextIOWrapper", lambda: files.open(some, "r", key=KEY)),
        (value, "io.TextIOWrapper", lambda: files.open(some, "wt", key=KEY)),
        (value, "mode is 'rb' or 'wb'", lambda: files.open(some, "r+b", key=KEY)),
        (value, "mode is 'rb' or 'wb'", lambda: files.open(some, "ab", key=KEY)),
        (kind, "mode is a str", lambda: files.open(some, 1, key=KEY)),
        (value, "give what opens the file", lambda: files.open(some)),
        (value, "takes your private key", lambda: files.open(some, sender=b"public")),
        (value, "to= is for writing", lambda: files.open(some, key=KEY, to=[b"key"])),
        (value, "pad= is for writing", lambda: files.open(some, key=KEY, pad="padme")),
        (kind, "keyring is a pythemis.keyring", lambda: files.open(some, keyring=KEY)),
    ):
        with pytest.raises(error, match=text):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_more_than_4_gib_is_refused(tmp_path):
    """What no cell can hold is refused before it is read."""
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 1 << 32)
    with pytest.raises(SealedFileValueError, match="the file has 4294967296"):
        files.seal(path, tmp_path / "target", KEY)


def test_is_sealed(tmp_path):
    """A file is judged by its header and length, and left where it stands."""
    for data, answer in (
        (SCellSeal(KEY).encrypt(b"text"), True),
        (SCellSeal(passphrase="p", iterations=200_000).encrypt(b"text"), True),
        (b"TSFILE1\n" + bytes(40), True),
        (SCellSeal(KEY).encrypt(b"text")[:-1], False),
        (b"text", False),
        (b"", False),
    ):
        path = tmp_path / "file"
        path.write_bytes(data)
        given = io.BytesIO(b"xx" + data)
        given.seek(2)
        assert files.is_sealed(path) is files.is_sealed(given) is answer
        assert given.tell() == 2


def test_keys_of_fewer_than_256_bits_are_refused_with_what_reads_them():
    """A cell of a key of 128 bits is no damage: it is named, and who reads it."""
    sealed = bytearray(SCellSeal(KEY).encrypt(b"text"))
    sealed[0:2] = b"\x80\x00"
    with pytest.raises(SealedFileError, match="SCellSeal decrypts it") as caught:
        files.open(io.BytesIO(sealed), key=KEY)
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


def test_errors_leave_nothing_that_the_collector_trips_over():
    """Views in the frames of an error are collected; CPython 3.11 crashes at some pairs of them."""

    def stop(*_):
        raise ValueError

    def keeping(call):
        try:
            call()
        except (ValueError, TypeError, SealedFileError) as error:
            kept = error  # a cycle of this frame, the error and all its frames
        assert kept

    sealed = SCellSeal(KEY).encrypt(text_of(2 * PIECE), CONTEXT)
    file = files.open(io.BytesIO(sealed), key=KEY, context=CONTEXT)
    for call in (
        lambda: files.seal(io.BytesIO(text_of(PIECE)), io.BytesIO(), KEY, progress=stop),
        lambda: files.unseal(io.BytesIO(sealed), io.BytesIO(), KEY, CONTEXT, progress=stop),
        lambda: files.unseal(io.BytesIO(sealed[:-1] + b"\0"), io.BytesIO(), KEY, CONTEXT),
        lambda: file.readinto(b"not writable"),
    ):
        for _ in range(5):
            keeping(call)
        gc.collect()


@pytest.mark.big_memory
def test_the_longest_cell(tmp_path):
    """2^32-1 bytes are sealed and opened, and its last bytes have the last counters."""
    size, data = 2**32 - 1, b"the end of the longest cell"
    source, path = tmp_path / "source", tmp_path / "sealed"
    with source.open("wb") as file:
        file.truncate(size - len(data))
        file.seek(0, os.SEEK_END)
        file.write(data)
    files.seal(source, path, KEY, CONTEXT)
    with files.open(path, key=KEY, context=CONTEXT) as file:
        assert file.pread(100, size - len(data)) == data
        assert file.pread(PIECE + 5, 2**31 - 7) == bytes(PIECE + 5)
        assert file.seek(-3, os.SEEK_END) == size - 3
        assert file.read() == data[-3:]
