# SPDX-License-Identifier: Apache-2.0
"""Files that are replaced by others of the same data, while everything goes wrong (section 8.8)."""

import errno
import os
import re
import stat
import sys

import pytest

from pythemis import _atomic, files
from pythemis.files import SealedFileError, _ends, _rewrap
from pythemis.scell import SCellSeal
from support.cells import FEWER
from support.file_objects import text_of
from support.lines import at_line, dies_at_line, interrupted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="of POSIX: forks, modes, links")

OLD, NEW, CHUNK = bytes(range(32)), bytes(range(1, 33)), 4096
DATA = text_of(600_000)
CHANGES = [files.rewrap, files.reencrypt]
INSIDE = [_rewrap, _atomic, _ends]


@pytest.fixture
def path(tmp_path):
    """Give the path of a sealed file under the old key, alone in its folder."""
    made = tmp_path / "file"
    with files.open(made, "wb", key=OLD, chunk_size=CHUNK) as file:
        file.write(DATA)
    return made


def names(path):
    """List what is in the folder of a file."""
    return sorted(it.name for it in path.parent.iterdir())


def which(path, before):
    """Return which file this is; each of them is whole."""
    if path.read_bytes() == before:
        return "old"
    with files.open(path, key=NEW) as file:
        assert file.read() == DATA
    return "new"


def change(function, path, progress=None):
    """Change whom the file is for."""
    function(path, key=OLD, new_key=NEW, progress=progress)


@pytest.mark.parametrize("function", CHANGES)
def test_ctrl_c_at_every_line(path, function):
    """An interruption at any line leaves the old file or the new one, and nothing beside it."""
    before = path.read_bytes()
    lines = at_line(INSIDE, 0, interrupted, change, function, path)
    assert lines > 100
    for number in range(1, lines + 1, 2 * FEWER):
        path.write_bytes(before)
        with pytest.raises(KeyboardInterrupt):
            at_line(INSIDE, number, interrupted, change, function, path)
        assert which(path, before) in ("old", "new")
        assert names(path) == ["file"], number


@pytest.mark.parametrize("function", CHANGES)
def test_kill_9_at_every_line(path, function):
    """A death at any line leaves the old file or the new one, and a temporary file at most."""
    before, outcomes = path.read_bytes(), set()
    lines = at_line(INSIDE, 0, interrupted, change, function, path)
    for number in range(1, lines + 1, 3 * FEWER):
        path.write_bytes(before)
        assert dies_at_line(INSIDE, number, change, function, path), number
        outcomes.add(which(path, before))
        for name in names(path)[:-1]:
            left = path.with_name(name)
            assert re.fullmatch(r"\.pythemis-[0-9a-f]{32}\.tmp", name)
            assert stat.S_IMODE(left.stat().st_mode) == 0o600
            left.unlink()
    assert "old" in outcomes
    path.write_bytes(before)
    change(function, path)
    assert (which(path, before), names(path)) == ("new", ["file"])


def error_of(function, *arguments):
    """Return the error of the system that a function raises, if it does."""
    try:
        function(*arguments)
    except OSError as error:
        return error
    return None


@pytest.mark.parametrize("function", CHANGES)
def test_a_full_disk_at_every_write(path, function, monkeypatch):
    """ENOSPC at any write leaves the old file alone; one write more, and the new one is there."""
    before, real, left = path.read_bytes(), _atomic.NewFile.write, 0

    def write(self, data):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        return real(self, data)

    monkeypatch.setattr(_atomic.NewFile, "write", write)
    for allowed in range(100):
        left = allowed
        error = error_of(change, function, path)
        if error is None:
            break
        assert (error.errno, error.filename) == (errno.ENOSPC, str(path))
        assert (path.read_bytes(), names(path)) == (before, ["file"])
    assert 3 <= allowed < 100
    assert (which(path, before), names(path)) == ("new", ["file"])


def unsealed(path):
    """Decrypt an ordinary cell beside the file."""
    files.unseal(path.with_name("cell"), path.with_name("plain"), OLD)


def read(path):
    """Read a sealed file, and check it."""
    with files.open(path, key=OLD) as file:
        assert file.read() == DATA
        file.verify()


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="files are read otherwise")
@pytest.mark.parametrize("work", [*(lambda p, f=f: change(f, p) for f in CHANGES), unsealed, read])
def test_a_read_error_at_every_call(path, work, monkeypatch):
    """EIO at any read is an OSError; what was there is as it was, and nothing is beside it."""
    path.with_name("cell").write_bytes(SCellSeal(OLD).encrypt(DATA))
    before, left = path.read_bytes(), 0
    real = {name: getattr(os, name) for name in ("pread", "preadv") if hasattr(os, name)}

    def failing(name):
        def call(*arguments):
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real[name](*arguments)

        return call

    for name in real:
        monkeypatch.setattr(os, name, failing(name))
    for allowed in range(100):
        left = allowed
        error = error_of(work, path)
        if error is None:
            break
        assert error.errno == errno.EIO
        assert (path.read_bytes(), names(path)) == (before, ["cell", "file"])
    assert 3 <= allowed < 100


@pytest.mark.parametrize("function", CHANGES)
def test_a_file_that_is_exchanged_meanwhile_stays(path, function):
    """What another program put under the name without the lock is not replaced."""
    other = path.with_name("other")

    def exchange(*_):
        other.write_bytes(b"other")
        other.replace(path)

    with pytest.raises(OSError, match="another program replaced this file") as caught:
        change(function, path, exchange)
    assert caught.value.errno == errno.EBUSY
    assert (path.read_bytes(), names(path)) == (b"other", ["file"])


@pytest.mark.parametrize("function", CHANGES)
@pytest.mark.parametrize("by", [-CHUNK - 44, -1])
def test_a_file_that_is_cut_meanwhile_is_refused(path, function, by):
    """A file that becomes shorter while it is copied is not made into another one."""
    size = path.stat().st_size + by

    with pytest.raises(SealedFileError, match=r"shrank|cut while"):
        change(function, path, lambda *_: os.truncate(path, size))
    assert (path.stat().st_size, names(path)) == (size, ["file"])
