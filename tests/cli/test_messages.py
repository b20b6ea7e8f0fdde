# SPDX-License-Identifier: Apache-2.0
"""``pythemis sign`` and ``pythemis verify``."""

import base64
from pathlib import Path

import pytest

from pythemis.smessage import ssign, sverify


@pytest.fixture
def pair(pythemis):
    """Make the files pair and pair.pub; give both keys."""
    pythemis("keygen", "--ec", "-o", "pair")
    return [base64.b64decode(Path(name).read_bytes()) for name in ("pair", "pair.pub")]


def test_it_is_what_the_library_writes_and_reads(pythemis, pair):
    """Each side reads the other one."""
    signed = pythemis("sign", "-k", "pair", stdin=b"a message\0").out
    assert sverify(pair[1], signed) == b"a message\0"
    ours = ssign(pair[0], b"a message\0")
    assert pythemis("verify", "--public", "pair.pub", stdin=ours).out == b"a message\0"


@pytest.mark.usefixtures("pair")
def test_files_and_base64(pythemis):
    """Both ways; the output appears at -o."""
    Path("message").write_bytes(b"a message")
    assert pythemis("sign", "message", "-k", "pair", "--base64", "-o", "signed").status == 0
    ran = pythemis("verify", "signed", "--public", "pair.pub", "--base64")
    assert (ran.status, ran.out) == (0, b"a message")
    Path("message").write_bytes(b"a mess:ge")
    ran = pythemis("verify", "message", "--public", "pair.pub", "--base64")
    assert ran == (1, b"", "pythemis: the input is not base64\n")


@pytest.mark.usefixtures("pair")
def test_damage_and_wrong_keys_are_refused(pythemis):
    """Nothing is written, not even to -o; the status is 1."""
    signed = pythemis("sign", "-k", "pair", stdin=b"a message").out
    damaged = signed[:14] + b"X" + signed[15:]
    ran = pythemis("verify", "--public", "pair.pub", "-o", "out", stdin=damaged)
    assert (ran.status, ran.out) == (1, b"")
    assert not Path("out").exists()
    Path("pair.pub").chmod(0o600)
    assert "must be a private key" in pythemis("sign", "-k", "pair.pub", stdin=b"x").err
    ran = pythemis("verify", "--public", "pair", stdin=signed)
    assert (ran.status, "must be a public key" in ran.err) == (1, True)
