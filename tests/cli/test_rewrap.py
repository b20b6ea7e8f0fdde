# SPDX-License-Identifier: Apache-2.0
"""``pythemis rewrap``: other slots before the same data."""

from pathlib import Path

import pytest

from pythemis import inspect

DATA = b"a message" * 10_000


@pytest.fixture
def files(pythemis):
    """Make keys, a pair and a sealed file."""
    pythemis("keygen", "-o", "key")
    pythemis("keygen", "-o", "other")
    pythemis("keygen", "--ec", "-o", "bob")
    Path("secret").write_bytes(b"correct horse\n")
    Path("secret").chmod(0o600)
    pythemis("encrypt", "-o", "file", "-k", "key", stdin=DATA)
    return pythemis


def kinds():
    """Give the kinds of the slots that the file has."""
    return [slot["kind"] for slot in inspect(Path("file")).facts["slots"]]


def test_slots_are_added_and_replaced(files):
    """With --keep the old ones stay; the chunks are the same."""
    chunks = Path("file").read_bytes()[-90_000:]
    more = ["-r", "bob.pub", "--new-passphrase-from", "secret", "--keep"]
    assert files("rewrap", "file", "-k", "key", *more) == (0, b"", "")
    assert kinds() == ["key", "passphrase", "recipient"]
    assert Path("file").read_bytes()[-90_000:] == chunks
    assert files("decrypt", "file", "--private", "bob").out == DATA
    assert files("rewrap", "file", "-k", "key", "--new-key", "other").status == 0
    assert kinds() == ["key"]
    assert files("decrypt", "file", "-k", "other").out == DATA
    assert files("decrypt", "file", "-k", "key").status == 1


def test_a_file_is_bound_to_another_context(files):
    """Only with the user's word that none but the holders had its key."""
    change = ["rewrap", "file", "-k", "key", "--new-key", "key", "--new-context", "c"]
    before = Path("file").read_bytes()
    ran = files(*change)
    assert (ran.status, Path("file").read_bytes() == before) == (1, True)
    assert files(*change, "--holders-only").status == 0
    assert files("decrypt", "file", "-k", "key", "--context", "c").out == DATA


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["file", "-k", "key"], 2),
        (["file", "--new-key", "other"], 2),
        (["-", "-k", "key", "--keep"], 2),
        (["file", "-k", "key", "-k", "other", "--keep"], 2),
        (["missing", "-k", "key", "--keep"], 2),
        (["file", "-k", "other", "--keep"], 1),
        (["key", "-k", "key", "--keep"], 1),
    ],
)
def test_mistakes_leave_the_file_as_it_is(files, arguments, status):
    """One sentence; nothing is written beside it."""
    before = Path("file").read_bytes(), sorted(path.name for path in Path().iterdir())
    ran = files("rewrap", *arguments)
    assert (ran.status, ran.out) == (status, b"")
    assert (Path("file").read_bytes(), sorted(path.name for path in Path().iterdir())) == before
