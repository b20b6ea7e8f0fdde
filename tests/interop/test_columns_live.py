# SPDX-License-Identifier: Apache-2.0
"""Columns and the real Themis core: a Node program opens every cell, and makes such cells."""

import json
import os
import subprocess
import uuid

import pytest

from pythemis.columns import ColumnCipher, ColumnError
from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring
from pythemis.place import place
from pythemis.skeygen import GenerateSymmetricKey
from support.interop.peer import HERE, ensure_peer
from support.project import ROOT

pytestmark = pytest.mark.integration

PROGRAM = ROOT / "examples" / "columns.js"
NAMES = ("Kunden ☃", "email")
IDS = [
    "1",
    "",
    "größer 𝄞",
    "00000000-0000-0000-0000-00000000000a",
    str(2**64 - 1),
    "-5",
    "x" * 65535,
]
VALUES = ["ann@example.com", "", None, "größer", "\0", "a\x80", "v" * 70_000]
DRIVER = """
const { open, seal } = require(process.argv[1]);
const hex = (text) => Buffer.from(text, 'hex');
require('wasm-themis').initialized.then(() => {
    const [keys, asked] = JSON.parse(require('fs').readFileSync(0, 'utf8'));
    for (const id in keys) keys[id] = hex(keys[id]);
    console.log(JSON.stringify(asked.map(({ cell, id, value, names }) => {
        try {
            const made = cell ? open(keys, hex(cell), ...names)
                : seal(keys, id, hex(value), ...names);
            return Buffer.from(made).toString('hex');
        } catch (error) { return `refused: ${error.message}` }
    })));
});
"""


@pytest.fixture
def shop():
    """Make a ring of two keys, and what a Node program knows of it."""
    ensure_peer()
    first, second = GenerateSymmetricKey(), GenerateSymmetricKey()
    old = Keyring.new("shop").add(first)
    new = old.add(second)
    new = new.promote(new.ids[-1])
    keys = dict(zip(new.ids, (first.hex(), second.hex()), strict=True))

    def ask(cases):
        done = subprocess.run(
            ["node", "--no-experimental-fetch", "-e", DRIVER, PROGRAM],
            env={**os.environ, "NODE_PATH": os.fspath(HERE / "node_modules")},
            input=json.dumps([keys, cases]),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return old, new, ask


def test_node_opens_a_cell_of_any_row(shop):
    """With the place that it makes itself; each key, padded or not; no cell of another row."""
    old, new, ask = shop
    for ring, padding in ((old, 0), (new, 0), (new, 1), (new, 64)):
        cipher = ColumnCipher(ring, NAMES, padding=padding)
        cells = cipher.encrypt(VALUES, IDS)
        assert cells[2] is None
        there = [row for row, cell in enumerate(cells) if cell is not None]
        asked = [{"cell": cells[row].hex(), "names": [*NAMES, IDS[row]]} for row in there]
        assert ask(asked) == [VALUES[row].encode().hex() for row in there]
        moved = [{"cell": cells[row].hex(), "names": [*NAMES, IDS[row - 1]]} for row in there]
        assert all(answer.startswith("refused: ") for answer in ask(moved))


def test_columns_and_fields_read_what_node_writes(shop):
    """Each cell opens in its row alone; numbers and UUIDs are their text."""
    _, new, ask = shop
    rows = [5, uuid.UUID(int=10), "größer", 2**64 - 1]
    values = ["ann@example.com", "", "größer", "v" * 70_000]
    asked = [
        {"id": new.primary, "value": value.encode().hex(), "names": [*NAMES, str(row)]}
        for value, row in zip(values, rows, strict=True)
    ]
    cells = [bytes.fromhex(answer) for answer in ask(asked)]
    cipher = ColumnCipher(new, NAMES)
    assert cipher.decrypt(cells, rows, type="text") == values
    assert not any(map(new.needs_rotation, cells))
    field = FieldCipher(new).field(*NAMES)
    assert [field.open(cell, row) for cell, row in zip(cells, rows, strict=True)] == values
    with pytest.raises(ColumnError, match="row 0: decryption failed"):
        cipher.decrypt(cells, rows[::-1])


def test_node_refuses_what_is_no_cell(shop):
    """Another key, every field of the head changed, a cut, frames that are none."""
    old, new, ask = shop
    cell = ColumnCipher(new, NAMES).encrypt(["a"], ["1"])[0]
    wrong = [cell[:at] + bytes([cell[at] ^ 1]) + cell[at + 1 :] for at in range(len(cell))]
    wrong += [cell[:-1], cell[:8], b"", cell + b"x", cell[8:]]
    frames = (b"\2a", b"\1", b"\1a", b"\1\0\0", b"\xff\x80")
    wrong += [new.encrypt(frame, place(*NAMES, "1")) for frame in frames]
    asked = [{"cell": each.hex() or "00", "names": [*NAMES, "1"]} for each in wrong]
    assert all(answer.startswith("refused: ") for answer in ask(asked))
    assert ask([{"cell": cell.hex(), "names": [*NAMES, "1"]}]) == [b"a".hex()]
    assert old.primary != new.primary
