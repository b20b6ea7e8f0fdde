# SPDX-License-Identifier: Apache-2.0
"""Files that are written as a whole or not at all, and the lock of the one that is replaced."""

import errno
import gc
import os
import resource
import stat
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from pythemis import _atomic
from support.lines import at_line, dies_at_line, interrupted

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.skipif(sys.platform == "win32", reason="of POSIX: forks, modes, links"),
]


@pytest.fixture(autouse=True, params=["nameless", "named"])
def is_nameless(request, monkeypatch, tmp_path):
    """Write to files without a name, where the system has them; and to others, as elsewhere."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
        return False
    file = _atomic.NewFile(tmp_path / "probe")
    file.discard()
    if not file._is_nameless:
        pytest.skip("this system, or its file system, has no files without a name")
    return True


@pytest.fixture
def path(tmp_path):
    """Give the path of a file that holds b"old", alone in its folder."""
    made = tmp_path / "file"
    made.write_bytes(b"old")
    return made


def names(path):
    """List what is in the folder of a file."""
    return sorted(it.name for it in path.parent.iterdir())


def test_a_file_is_replaced_or_made(path):
    """A path gets the new bytes and mode 0600, whether the name was in use or free."""
    other = path.with_name("other")
    for target in (path, other, os.fsencode(path), str(path)):
        _atomic.write(target, b"new")
    assert (path.read_bytes(), other.read_bytes()) == (b"new", b"new")
    assert {stat.S_IMODE(it.stat().st_mode) for it in (path, other)} == {0o600}
    assert names(path) == ["file", "other"]


def test_a_path_without_a_folder_is_in_the_current_one(path, monkeypatch):
    """A bare name works, also after the program changes its folder."""
    monkeypatch.chdir(path.parent)
    with _atomic.NewFile("file") as file:
        os.chdir("/")
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_nothing_shows_before_the_end(path, is_nameless):
    """Until the end the old file is there, and the new one is for its owner alone."""
    with _atomic.NewFile(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
        assert stat.S_IMODE(os.fstat(file.file.fileno()).st_mode) == 0o600
        hidden = [it for it in path.parent.iterdir() if it != path]
        assert len(hidden) == (0 if is_nameless else 1)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_exception_leaves_the_old_file(path, error):
    """Whatever is raised in the block, the old file is there and nothing else."""
    with pytest.raises(error), _atomic.NewFile(path) as file:  # noqa: PT012
        file.write(b"new")
        raise error
    assert (names(path), path.read_bytes()) == (["file"], b"old")


def test_a_file_that_is_dropped_leaves_nothing(path):
    """An object that goes unfinished takes its file along."""
    file = _atomic.NewFile(path)
    file.write(b"new")
    del file
    gc.collect()  # for PyPy
    assert (names(path), path.read_bytes()) == (["file"], b"old")


def test_discarding_twice_and_after_the_end_is_fine(path):
    """To discard again changes nothing, nor what is finished."""
    file = _atomic.NewFile(path)
    file.commit()
    file.discard()
    assert (names(path), path.read_bytes()) == (["file"], b"")
    file = _atomic.NewFile(path)
    file.discard()
    file.discard()
    assert names(path) == ["file"]


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("", errno.ENOENT, "the path is empty"),
        ("missing/file", errno.ENOENT, "its folder cannot be opened"),
        ("file/file", errno.ENOTDIR, "its folder cannot be opened"),
        ("folder", errno.EISDIR, "name a file in it"),
        ("folder/", errno.EISDIR, "name a file in it"),
        (".", errno.EISDIR, "name a file in it"),
        ("fifo", errno.EINVAL, "open it yourself"),
        ("/dev/full", errno.EINVAL, "open it yourself"),
        ("link", errno.ELOOP, "the path that it leads to"),
        ("dangling", errno.ELOOP, "the path that it leads to"),
        ("n" * 300, errno.ENAMETOOLONG, "too long"),
    ],
)
def test_what_cannot_be_replaced_is_refused(path, monkeypatch, name, code, text):
    """The error has the cause and the caller's path; nothing is made, and a FIFO does not block."""
    monkeypatch.chdir(path.parent)
    os.mkfifo("fifo")
    (path.parent / "folder").mkdir()
    (path.parent / "link").symlink_to("file")
    (path.parent / "dangling").symlink_to("nowhere")
    before = names(path)
    with pytest.raises(OSError, match=text) as caught:
        _atomic.write(name, b"new")
    assert (caught.value.errno, caught.value.filename) == (code, name)
    assert names(path) == before


@pytest.mark.parametrize(
    ("wrong", "error"), [(3, TypeError), (None, TypeError), ("a\0", ValueError)]
)
def test_what_is_no_path_is_refused(wrong, error):
    """A number of an open file, None and a NUL are mistakes of the caller."""
    with pytest.raises(error):
        _atomic.NewFile(wrong)


def test_a_new_file_replaces_none(path):
    """With ``new`` a name in use is refused, also if it comes into use meanwhile."""
    with pytest.raises(FileExistsError):
        _atomic.write(path, b"new", new=True)
    other = path.with_name("other")
    with pytest.raises(FileExistsError), _atomic.NewFile(other, new=True) as file:  # noqa: PT012
        other.write_bytes(b"another's")
        file.write(b"new")
    assert (names(path), other.read_bytes()) == (["file", "other"], b"another's")
    _atomic.write(path.with_name("third"), b"new", new=True)
    assert names(path) == ["file", "other", "third"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EOPNOTSUPP])
def test_a_file_system_needs_no_hard_links(path, monkeypatch, code):
    """Without them a new file still replaces none, and an error leaves nothing."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    other = path.with_name("other")
    _atomic.write(other, b"new", new=True)
    assert other.read_bytes() == b"new"
    third = path.with_name("third")
    with pytest.raises(FileExistsError), _atomic.NewFile(third, new=True) as file:  # noqa: PT012
        third.write_bytes(b"another's")
        file.write(b"new")
    assert third.read_bytes() == b"another's"
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(OSError, match=os.strerror(code)):
        _atomic.write(path.with_name("fourth"), b"new", new=True)
    assert names(path) == ["file", "other", "third"]


@pytest.mark.parametrize("code", [errno.EPERM, errno.EACCES, errno.EXDEV, errno.ENOENT])
def test_a_file_that_can_get_no_name_is_copied(path, monkeypatch, code):
    """Without hard links or /proc an old file is replaced all the same, with the new one's mode."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    with _atomic.NewFile(path) as file:
        file.write(b"new" * 1_000_000)
        os.fchmod(file.file.fileno(), 0o644)
    assert path.read_bytes() == b"new" * 1_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(path) == ["file"]


@pytest.fixture
def stranger():
    """Give a file that others may read, in a folder that they may enter, and be another user."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "file")
        made.write_bytes(b"old")
        made.chmod(0o444)
        Path(folder).chmod(0o555)
        was = os.geteuid()
        if was == 0:  # who may do everything
            os.seteuid(65534)
        yield made
        os.seteuid(was)
        Path(folder).chmod(0o700)


def test_a_folder_that_cannot_be_written_is_named(stranger):
    """A folder of another user gives a PermissionError with the caller's path."""
    with pytest.raises(PermissionError, match="cannot be made in its folder") as caught:
        _atomic.write(stranger, b"new")
    assert caught.value.filename == str(stranger)


def test_a_full_disk_leaves_the_old_file(path):
    """A write that fails in the middle is an error with the path, and leaves nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, most))
        try:
            _atomic.write(path, bytes(100_000))
        except OSError as error:
            os._exit(error.errno if error.filename == str(path) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.EFBIG
    assert (names(path), path.read_bytes()) == (["file"], b"old")


@pytest.mark.parametrize("call", ["fsync", "rename", "close"])
def test_an_error_at_the_end_leaves_the_old_file(path, monkeypatch, call):
    """A disk that is full only at the end, or a name that is refused, is an error."""

    def fails(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    file = _atomic.NewFile(path)
    file.write(b"new")
    if call == "close":
        real = file.file
        file.file = type("", (), {"close": fails, "fileno": lambda _: real.fileno()})()
    else:
        monkeypatch.setattr(_atomic.os, call, fails)
    with pytest.raises(OSError, match="No space left") as caught:
        file.commit()
    assert caught.value.filename == str(path)
    monkeypatch.undo()
    assert (names(path), path.read_bytes()) == (["file"], b"old")


def test_a_link_that_is_swapped_in_leads_nowhere(path, tmp_path):
    """Neither the file nor its folder can be exchanged for a link while the file is written."""
    victims = tmp_path / "victims"
    victims.mkdir()
    (victims / "file").write_bytes(b"victim")
    file = _atomic.NewFile(path)
    path.unlink()
    path.symlink_to(victims / "file")
    with pytest.raises(OSError, match="symbolic link"):
        file.commit()
    folder = tmp_path / "folder"
    folder.mkdir()
    file = _atomic.NewFile(folder / "file")
    folder.rename(tmp_path / "moved")
    folder.symlink_to(victims)
    file.commit()
    assert (victims / "file").read_bytes() == b"victim"
    assert (tmp_path / "moved" / "file").read_bytes() == b""


def test_ctrl_c_at_every_line(path):
    """An interruption at any line leaves the old file or the new one, and no other."""
    lines = at_line([_atomic], 0, interrupted, _atomic.write, path, b"old")
    assert lines > 50
    outcomes = []
    before = descriptors()
    for number in range(1, lines + 1):
        path.write_bytes(b"old")
        with pytest.raises(KeyboardInterrupt):
            at_line([_atomic], number, interrupted, _atomic.write, path, b"new")
        if sys.implementation.name == "pypy":
            gc.collect()
        assert names(path) == ["file"], number
        outcomes.append(path.read_bytes())
    change = outcomes.index(b"new")
    assert outcomes == [b"old"] * change + [b"new"] * (lines - change)
    assert change > 40
    # A descriptor has no owner for a line where it is opened, three times, and where it is closed.
    assert descriptors() - before <= 4


def descriptors():
    """Count the open files of this process; none where the system does not show them."""
    gc.collect()
    return len([*Path("/proc/self/fd").iterdir()]) if sys.platform == "linux" else 0


def test_kill_9_at_every_line(path, is_nameless):
    """A process that dies at any line leaves the old file or the new one under the name.

    Beside it there is no other, but for the moment in which a nameless one takes the name.
    """
    left = 0
    lines = at_line([_atomic], 0, interrupted, _atomic.write, path, b"old")
    outcomes = []
    for number in range(1, lines + 1):
        path.write_bytes(b"old")
        assert dies_at_line([_atomic], number, _atomic.write, path, b"new"), number
        outcomes.append(path.read_bytes())
        for name in names(path)[:-1]:
            left += 1
            path.with_name(name).unlink()
    assert set(outcomes) == {b"old", b"new"}
    assert 5 < left < 20 if is_nameless else left >= 20


def test_a_forked_child_does_not_give_its_parents_lock_back(path):
    """They share the descriptor: what the child does with it, the parent would feel."""
    path.write_bytes(b"old")
    with _atomic.Lock(path) as held:
        pid = os.fork()
        if pid == 0:
            held.release()
            os._exit(0)
        assert os.waitpid(pid, 0) == (pid, 0)
        with pytest.raises(TimeoutError):
            _atomic.Lock(path, wait=0)
    _atomic.Lock(path, wait=0).release()


def test_a_forked_child_does_not_end_its_parents_file(path):
    """A child that leaves the block by an exception, or finishes, touches nothing of the parent."""
    with _atomic.NewFile(path) as file:
        pid = os.fork()
        if pid == 0:
            file.discard()
            os._exit(0)
        os.waitpid(pid, 0)
        pid = os.fork()
        if pid == 0:
            try:
                file.commit()
            except OSError as error:
                os._exit(error.errno)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == errno.EPERM
        file.write(b"new")
    assert (names(path), path.read_bytes()) == (["file"], b"new")


def count(path, times, both_read):
    """Add to the number in a file, so many times: under its lock, or once both have read it."""
    for _ in range(times):
        if both_read is None:
            with _atomic.Lock(path) as held:
                _atomic.write(path, b"%d" % (int(held.file.read()) + 1), held=held)
        else:
            number = int(path.read_bytes())
            both_read.wait()
            _atomic.write(path, b"%d" % (number + 1))


@pytest.mark.usefixtures("_switching")
@pytest.mark.parametrize("locking", [True, False])
def test_two_writers_lose_nothing_under_the_lock(path, locking):
    """Numbers that two threads add up under the lock are all there; without it half are not."""
    path.write_bytes(b"0")
    both_read = None if locking else threading.Barrier(2, timeout=120)
    threads = [threading.Thread(target=count, args=(path, 25, both_read)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert int(path.read_bytes()) == (50 if locking else 25)


def test_a_lock_is_waited_for_and_not_for_ever(path):
    """Another holder of the lock ends in a TimeoutError, for a lock and for a writer alike."""
    with _atomic.Lock(path):
        with pytest.raises(TimeoutError, match="another program keeps this file locked"):
            _atomic.Lock(path, wait=0.05)
        with pytest.raises(TimeoutError, match="locked"), _atomic.NewFile(path, wait=0.05) as file:
            file.write(b"new")
    assert (names(path), path.read_bytes()) == (["file"], b"old")
    _atomic.Lock(path, wait=0).release()


def test_a_file_that_is_replaced_without_the_lock_is_noticed(path):
    """The holder of a lock does not overwrite what another program put there meanwhile."""
    with _atomic.Lock(path) as held:
        held.check()
        path.rename(path.with_name("away"))
        with pytest.raises(OSError, match="another program replaced this file"):
            held.check()
        path.write_bytes(b"another's")
        with pytest.raises(OSError, match="another program replaced this file"):
            _atomic.write(path, b"new", held=held)
        assert held.file.read() == b"old"
    assert path.read_bytes() == b"another's"


@pytest.mark.parametrize(
    ("name", "code"),
    [("missing", errno.ENOENT), (".", errno.EISDIR), ("link", errno.ELOOP), ("fifo", errno.EINVAL)],
)
def test_only_a_regular_file_is_locked(path, name, code):
    """What is no file has no lock."""
    os.mkfifo(path.with_name("fifo"))
    path.with_name("link").symlink_to("file")
    with pytest.raises(OSError, match="Errno") as caught:
        _atomic.Lock(path.parent / name)
    assert caught.value.errno == code


def test_a_file_that_may_only_be_read_is_locked(stranger):
    """A lock needs no permission to write."""
    with _atomic.Lock(stranger) as held:
        assert held.file.read() == b"old"
