# SPDX-License-Identifier: Apache-2.0
"""`sealed::` in front of file systems of fsspec."""

import base64
import contextlib
import io
import pickle
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest

fsspec = pytest.importorskip("fsspec")

from pythemis import files  # noqa: E402
from pythemis.exception import THEMIS_CODES  # noqa: E402
from pythemis.files import SealedFileError, SealedFileTypeError, SealedFileValueError  # noqa: E402
from pythemis.files.fsspec import SealedFileSystem  # noqa: E402
from pythemis.keyring import Keyring, SecretKey, from_reference  # noqa: E402
from pythemis.place import place  # noqa: E402
from support.counted import Counted  # noqa: E402

KEY = bytes(range(32))
CONTENT = bytes(range(251)) * 2000  # 502,000 bytes, eight chunks


@pytest.fixture(autouse=True)
def lake(monkeypatch):
    """Give an empty store, and a key in the environment."""
    monkeypatch.setenv("LAKE_KEY", base64.b64encode(KEY).decode())
    Counted.store.clear()
    Counted.ranges.clear()
    SealedFileSystem.clear_instance_cache()


def sealed(**options):
    """Give a file system over the one that counts."""
    return SealedFileSystem(target_protocol="counted", **{"key": "env:LAKE_KEY", **options})


def written(path="/a", content=CONTENT, **options):
    """Write a file; give the file system, which has not read it."""
    fs = sealed(**options)
    fs.pipe_file(path, content)
    Counted.ranges.clear()
    return fs


def test_a_url_reads_and_writes():
    """What `sealed::` writes below is a sealed file, and reads as what was written."""
    options = {"sealed": {"key": "env:LAKE_KEY"}}
    with fsspec.open("sealed::counted://folder/name", "wb", **options) as file:
        file.write(CONTENT)
    below = Counted.store["/folder/name"].getvalue()
    with files.open(io.BytesIO(below), key=KEY) as file:
        assert (file.read(), file.opened_by) == (CONTENT, "key")
    with fsspec.open("sealed::counted://folder/name", "rb", **options) as file:
        assert file.read() == CONTENT
    with fsspec.open("sealed::counted://folder/name", "rt", encoding="latin-1", **options) as file:
        assert file.read(3) == "\0\1\2"


def test_sizes_are_those_of_the_plaintext():
    """`info`, `size` and `du` tell the length of the data; a listing tells none."""
    fs = written("/folder/a")
    assert fs.size("/folder/a") == fs.info("/folder/a")["size"] == len(CONTENT)
    assert fs.info("/folder/a")["opened_by"] == "key"
    assert [entry["size"] for entry in fs.ls("/folder")] == [None]
    assert fs.ls("/folder", detail=False) == fs.glob("/folder/*") == ["/folder/a"]
    assert (fs.du("/folder"), fs.isdir("/folder"), fs.isfile("/folder/a")) == (
        len(CONTENT),
        True,
        True,
    )
    assert not fs.exists("/folder/b")
    with pytest.raises(FileNotFoundError):
        fs.info("/folder/b")
    with pytest.raises(IsADirectoryError):
        fs.open("/folder")


@pytest.mark.parametrize("cache_type", ["readahead", "none", "bytes", "all"])
def test_every_range_is_that_of_the_plaintext(cache_type):
    """Files and `cat_file` return what is at each place, at and around the ends of chunks."""
    fs = written()
    edges = (0, 1, 65535, 65536, 65537, 131072, len(CONTENT) - 1, len(CONTENT), len(CONTENT) + 9)
    with fs.open("/a", cache_type=cache_type) as file:
        for start in edges:
            for end in edges:
                file.seek(start)
                assert file.read(max(0, end - start)) == CONTENT[start:end]
                assert fs.cat_file("/a", start, end) == CONTENT[start:end]
    assert fs.cat_file("/a", -5) == CONTENT[-5:]
    assert fs.cat_ranges(["/a", "/a"], [0, 70000], [9, 70009]) == [
        CONTENT[:9],
        CONTENT[70000:70009],
    ]


def test_requests_are_few():
    """Opening takes two requests, a range one, a small file one; an open file asks no more."""
    fs = written()
    with fs.open("/a", cache_type="none") as file:
        assert len(Counted.ranges) == 2
        file.seek(10_000)
        assert file.read(400_000) == CONTENT[10_000:410_000]
    assert len(Counted.ranges) == 3
    with fs.open("/a", cache_type="none") as file:
        assert file.read(100_000) == CONTENT[:100_000]
    assert len(Counted.ranges) == 4
    small = written("/small", b"x" * 60_000)
    assert small.cat_file("/small") == b"x" * 60_000
    assert len(Counted.ranges) == 1


def test_a_file_that_is_replaced_is_opened_again():
    """Files that are opened after a change read the new version, older ones no mixture."""
    fs = written()
    before = fs.open("/a", cache_type="none")
    assert before.read(9) == CONTENT[:9]
    fs.pipe_file("/a", CONTENT[::-1])
    assert fs.cat_file("/a") == CONTENT[::-1]
    with pytest.raises(SealedFileError) as refused:
        before.read(200_000)
    assert refused.value.error_code == THEMIS_CODES.FAIL


def test_damage_is_refused():
    """A changed byte, a cut file, another key, another context, and no sealed file are errors."""
    fs = written()
    good = Counted.store["/a"].getvalue()
    for bad in (
        good[:-1],
        good[:70_000],
        good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        b"plain text" * 99,
    ):
        fs.fs.pipe_file("/a", bad)
        fs.invalidate_cache()
        with pytest.raises(SealedFileError):
            fs.cat_file("/a")
    fs.fs.pipe_file("/a", good)
    with pytest.raises(SealedFileError, match="context"):
        sealed(context=b"another").cat_file("/a")


def context_of(path):
    """Give the context of a file by its path."""
    return place("lake", path)


def test_a_context_may_follow_the_path():
    """Files that were exchanged are refused."""
    fs = written("/a", b"a", context=context_of)
    fs.pipe_file("/b", b"b")
    assert fs.cat(["/a", "/b"]) == {"/a": b"a", "/b": b"b"}
    fs.fs.copy("/a", "/b")
    with pytest.raises(SealedFileError):
        fs.cat_file("/b")


def test_a_keyring_is_given_by_reference(tmp_path):
    """The primary key of the ring writes, its other keys read."""
    path = tmp_path / "lake.ring"
    ring = Keyring.new("lake").add()
    ring.save(path, key=KEY)
    reference = from_reference(f"file:{path}", "env:LAKE_KEY", name="lake", seconds=0)
    fs = written(key=None, keyring=reference)
    newer = ring.add()
    newer.promote(newer.ids[-1]).save(path, key=KEY)
    assert fs.cat_file("/a") == CONTENT
    names = {"keyring": f"file:{path}", "unlock": "env:LAKE_KEY", "name": "lake"}
    assert sealed(key=None, **names).cat_file("/a") == CONTENT


def test_rings_that_must_be_pinned_are_not_taken_for_others(tmp_path):
    """References that differ in one thing alone make two file systems: fsspec compares texts."""
    names = f"file:{tmp_path / 'lake.ring'}", "env:LAKE_KEY"
    made = [
        sealed(key=None, keyring=from_reference(*names, name="lake", **options))
        for options in ({}, {"pin": "00" * 16}, {"min_version": 2}, {"seconds": 1}, {})
    ]
    assert len({id(fs) for fs in made}) == 4
    assert made[0] is made[4]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"key": KEY}, SealedFileTypeError, "pickles and logs"),
        ({"key": SecretKey.from_bytes(KEY)}, SealedFileTypeError, "pickles and logs"),
        ({"key": base64.b64encode(KEY).decode()}, ValueError, "env:NAME"),
        ({"key": None, "keyring": Keyring.new("lake").add()}, SealedFileTypeError, "pickles"),
        ({"key": None, "keyring": "file:x"}, SealedFileValueError, "unlock="),
        ({"key": None}, SealedFileValueError, "keyring.from_reference"),
        ({"target_protocol": None}, SealedFileValueError, "sealed::s3://"),
        ({"context": b"TK1 keyring lake"}, SealedFileValueError, "keyrings"),
        ({"context": "text"}, TypeError, "context"),
    ],
    ids=lambda value: (
        str(value)[:20].replace(str(KEY)[:9], "raw") if isinstance(value, dict) else ""
    ),
)
def test_keys_themselves_are_refused(options, error, text):
    """Raw keys and rings are refused, without showing them, and so are options that lack one."""
    with pytest.raises(error, match=text) as refused:
        SealedFileSystem(**{"target_protocol": "counted", "key": "env:LAKE_KEY", **options})
    assert base64.b64encode(KEY).decode() not in str(refused.value)


def test_options_carry_no_key():
    """A pickle, the JSON and the text of a file system name the key and do not hold it."""
    fs = written()
    told = (pickle.dumps(fs), fs.to_json().encode(), repr(fs.storage_options).encode())
    for text in told:
        assert b"env:LAKE_KEY" in text
        assert KEY not in text
        assert base64.b64encode(KEY) not in text
    program = "import pickle, sys; print(pickle.load(sys.stdin.buffer).storage_options['key'])"
    fs = SealedFileSystem(target_protocol="file", key="env:LAKE_KEY")
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(fs), capture_output=True
    )
    assert done.stdout.strip() == b"env:LAKE_KEY", done.stderr


def test_a_failed_write_leaves_nothing_readable():
    """An exception in the block leaves a file that every reader refuses, or none."""
    fs = sealed()
    with contextlib.suppress(RuntimeError), fs.open("/a", "wb") as file:
        file.write(CONTENT)
        raise RuntimeError
    with pytest.raises(SealedFileError):
        fs.cat_file("/a")
    with pytest.raises(SealedFileValueError, match="as a whole"):
        fs.open("/a", "ab")


def test_transactions_commit_or_leave_nothing(tmp_path):
    """Files of a transaction are there at its end, and not at all if it fails."""
    fs = SealedFileSystem(target_protocol="file", key="env:LAKE_KEY")
    with fs.transaction:
        with fs.open(str(tmp_path / "a"), "wb") as file:
            file.write(CONTENT)
        assert list(tmp_path.iterdir()) == []
    assert fs.cat_file(str(tmp_path / "a")) == CONTENT
    with contextlib.suppress(RuntimeError), fs.transaction:
        with fs.open(str(tmp_path / "b"), "wb") as file:
            file.write(CONTENT)
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_file_without_a_size_is_refused(monkeypatch):
    """A store that tells no size gets a sentence."""
    fs = written()
    told = {"name": "/a", "size": None, "type": "file"}
    monkeypatch.setattr(Counted, "info", lambda *_: told)
    with pytest.raises(SealedFileValueError, match="no size of /a"):
        fs.open("/a")


def test_files_are_copied_moved_and_removed():
    """A copy is for the path that it has; folders go with what is in them."""
    fs = written("/x/a", context=context_of)
    fs.mkdir("/x/y")
    fs.copy("/x/a", "/x/y/b")
    fs.cp_file("/x/a", "/x/a")
    fs.mv("/x/y/b", "/x/y/c")
    assert fs.cat(["/x/a", "/x/y/c"]) == {"/x/a": CONTENT, "/x/y/c": CONTENT}
    assert fs.find("/x") == ["/x/a", "/x/y/c"]
    fs.rm("/x/a")
    fs.rm("/x", recursive=True)
    assert not fs.exists("/x")


def test_an_open_file_is_pickled():
    """Another process reads on where a file stood."""
    file = written().open("/a")
    file.seek(70_000)
    assert pickle.loads(pickle.dumps(file)).read() == CONTENT[70_000:]


def test_threads_share_a_file_system():
    """Threads that read ranges at once get theirs."""
    fs, wrong = written(), []

    def read(offset):
        for start in range(offset, len(CONTENT), 9973):
            if fs.cat_file("/a", start, start + 70_000) != CONTENT[start : start + 70_000]:
                wrong.append(start)

    threads = [threading.Thread(target=read, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_archives_are_read_from_it(tmp_path):
    """Members are read by zipfile and tarfile, from the file system and from files.open."""
    made = {"zip": io.BytesIO(), "tar": io.BytesIO()}
    with zipfile.ZipFile(made["zip"], "w") as archive:
        archive.writestr("member", CONTENT)
    with tarfile.open(fileobj=made["tar"], mode="w") as archive:
        member = tarfile.TarInfo("member")
        member.size = len(CONTENT)
        archive.addfile(member, io.BytesIO(CONTENT))
    for kind, file in made.items():
        fs = written(f"/{kind}", file.getvalue())
        path = tmp_path / kind
        path.write_bytes(Counted.store[f"/{kind}"].getvalue())
        for opened in (fs.open(f"/{kind}"), files.open(path, key=KEY)):
            with opened:
                if kind == "zip":
                    assert zipfile.ZipFile(opened).read("member") == CONTENT
                else:
                    with tarfile.open(fileobj=opened) as archive:
                        assert archive.extractfile("member").read() == CONTENT


def test_it_is_registered():
    """An installed pythemis announces `sealed` to fsspec, in a process that imported neither."""
    program = "import fsspec; print(fsspec.get_filesystem_class('sealed').__module__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "pythemis.files.fsspec"
