# SPDX-License-Identifier: Apache-2.0
"""A new file is written by a thread of its own: all of it in order, or nothing."""

import gc
import os
import threading

import pytest

from pythemis import files
from pythemis._atomic import NewFile
from pythemis._behind import Behind

MIB = 1 << 20
KEY = bytes(range(32))


def writers():
    """Give the threads that write."""
    return [thread for thread in threading.enumerate() if thread.name == "pythemis-writer"]


def test_parts_of_any_size_and_kind_stay_in_order(tmp_path):
    """Views, which may change later, are written at once; large and small parts as they come."""
    parts = [os.urandom(n) for n in (5, MIB, 3, 70_000, 2 * MIB, 1 << 18, 1, 1 << 18)] * 2
    with NewFile(tmp_path / "file") as file:
        behind = Behind(file)
        for number, part in enumerate(parts):
            given = bytearray(part) if number % 3 == 2 else part
            behind.write(given)
            if given is not part:
                given[:] = bytes(len(given))
        behind.finish()
    assert (tmp_path / "file").read_bytes() == b"".join(parts)
    assert writers() == []


def test_a_small_file_has_no_thread(tmp_path):
    """It is written where it is asked for."""
    with files.open(tmp_path / "file", "wb", key=KEY) as file:
        file.write(bytes(MIB // 2))
        assert writers() == []


def test_it_writes_where_no_thread_starts(tmp_path, monkeypatch):
    """A limit on threads makes it slower, no more."""

    def refuse(_thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    data = os.urandom(3 * MIB)
    with files.open(tmp_path / "file", "wb", key=KEY) as file:
        file.write(data)
    assert files.open(tmp_path / "file", key=KEY).read() == data


@pytest.mark.parametrize("at", [2, 5])
def test_what_a_write_raises_is_raised_later(tmp_path, monkeypatch, at):
    """By a later write or the end, with the path; nothing is left, neither file nor thread."""
    write, calls = NewFile.write, []

    def full(self, data):
        calls.append(len(data))
        if len(calls) >= 4 * at:
            raise OSError(28, "No space left on device", self.path)
        return write(self, data)

    monkeypatch.setattr(NewFile, "write", full)

    def run():
        with files.open(tmp_path / "file", "wb", key=KEY) as file:
            for _ in range(5):
                file.write(bytes(MIB))

    with pytest.raises(OSError, match="No space left") as caught:
        run()
    assert caught.value.filename == str(tmp_path / "file")
    assert (list(tmp_path.iterdir()), writers()) == ([], [])


@pytest.mark.parametrize("method", ["acquire", "release"])
def test_an_interrupt_anywhere_leaves_nothing(tmp_path, method):
    """Whatever was handed over, the end does not wait for ever."""

    class Lock:
        def __init__(self, lock):
            self.lock = lock

        def acquire(self, **options):
            self.lock.acquire(**options)
            if method == "acquire" and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt

        def release(self):
            if method == "release" and threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            self.lock.release()

    def run(behind):
        for _ in range(3):
            behind.write(bytes(MIB))
        behind._is_free = Lock(behind._is_free)
        if method == "release":
            behind._is_full, full = Lock(behind._is_full), behind._is_full
        try:
            behind.write(bytes(MIB))
        finally:
            behind._is_free = behind._is_free.lock
            if method == "release":
                behind._is_full = full

    file = NewFile(tmp_path / "file")
    behind = Behind(file)
    with pytest.raises(KeyboardInterrupt):
        run(behind)
    with pytest.raises(OSError, match="discarded"):
        behind.write(b"more")
    behind.drop()
    file.discard()
    assert (list(tmp_path.iterdir()), writers()) == ([], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_neither_writes_nor_waits(tmp_path):
    """It has no such thread; the file of its parent stays whole."""
    data = os.urandom(3 * MIB)
    with files.open(tmp_path / "file", "wb", key=KEY) as file:
        file.write(data)
        assert writers()
        child = os.fork()
        if child == 0:
            try:
                file.write(data)
            except (OSError, files.SealedFileError):
                file.discard()
                os._exit(7)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        file.write(data)
    with files.open(tmp_path / "file", key=KEY) as file:
        assert file.read() == data * 2


def test_a_file_that_is_never_closed_ends_with_its_thread(tmp_path):
    """Also where Python ends meanwhile."""
    file = files.open(tmp_path / "file", "wb", key=KEY)
    file.write(bytes(3 * MIB))
    assert writers()
    del file
    gc.collect()  # for PyPy
    assert (list(tmp_path.iterdir()), writers()) == ([], [])
