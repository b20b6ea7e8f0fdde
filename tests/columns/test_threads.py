# SPDX-License-Identifier: Apache-2.0
"""Threads that share a cipher, and calls that have threads of their own."""

import pytest

from pythemis.columns import ColumnCipher, ColumnError
from pythemis.keyring import Keyring
from support.threads import THREADS, together

NAMES = ("customers", "email")
ROWS = 20_000  # five parts of a call


@pytest.mark.usefixtures("_switching")
def test_threads_share_a_cipher():
    """Each thread gets what it asked for; calls work with two threads more on one column."""
    old = Keyring.new("shop").add()
    new = old.add()
    new = new.promote(new.ids[-1])
    index_keys = Keyring.new("index").add()
    cipher = ColumnCipher(new, NAMES, index_keys=index_keys, bits=40, padding=16)
    common = [None if row % 5 == 0 else b"%d" % row for row in range(ROWS)]
    ids = list(range(ROWS))
    before = ColumnCipher(old, NAMES).encrypt(common, ids, threads=2)
    indexes = cipher.blind_index(common)

    def work(number):
        mine = [value and value + b" of %d" % number for value in common]
        cells = cipher.encrypt(mine, ids, threads=2)
        assert cipher.decrypt(cells, ids, threads=2) == mine
        rotated = cipher.rotate(before, ids, threads=2)
        assert cipher.decrypt(rotated, ids, threads=2) == common
        assert cipher.blind_index(common, threads=2) == indexes
        cells[number * 2000 + 1], cells[19_999] = cells[19_999], cells[number * 2000 + 1]
        with pytest.raises(ColumnError, match=f"row {number * 2000 + 1}: decryption failed"):
            cipher.decrypt(cells, ids, threads=2)
        opened, refused = cipher.decrypt(cells, ids, threads=2, on_error="null")
        assert refused == sum(a != b for a, b in zip(opened, mine, strict=True)) == 2
        return {cell[20:32] for cell in (*cells, *rotated) if cell}

    nonces = together(work)
    sealed = ROWS * 4 // 5
    assert len(set().union(*nonces)) == THREADS * 2 * sealed
