# SPDX-License-Identifier: Apache-2.0
"""What the engines of columns are given in tests, and a search for secrets in what they leave."""

import base64
import json
import os
from contextlib import contextmanager

from pythemis.columns import ColumnCipher
from pythemis.keyring import Keyring, SecretKey, from_reference

from .cells import VECTORS
from .rings import recorded_ring

NAMES = ("customers", "email")
IDS = list(range(1, 5001))
VALUES = [None if row % 7 == 0 else f"user{row}@example.com" for row in IDS]
ROWS = list(zip(IDS, VALUES, strict=True))
TYPES = {"email": "text"}


class Shop:
    """Two keyring files, the key that opens them, and ciphers that know these by their names."""

    def __init__(self, folder):
        folder.mkdir()
        unlocking = os.urandom(32)
        (folder / "key").write_bytes(base64.b64encode(unlocking))
        (folder / "key").chmod(0o600)
        self.old = Keyring.new("shop").add()
        added = self.old.add()
        self.new = added.promote(added.ids[-1])
        names = {"old": self.old, "new": self.new}
        for name, ring in names.items():
            ring.save(folder / name, key=SecretKey.from_bytes(unlocking))
        self.secrets = [unlocking, *(key.reveal() for _, key in self.new._pairs())]
        keys = {
            name: from_reference(f"file:{folder / name}", f"file:{folder / 'key'}", name="shop")
            for name in names
        }
        self.cipher, self.later = (ColumnCipher(keys[name], NAMES) for name in names)
        recorded_ring().save(folder / "recorded", key=SecretKey.from_bytes(unlocking))
        self.recorded = from_reference(
            f"file:{folder / 'recorded'}", f"file:{folder / 'key'}", name=recorded_ring().name
        )
        self.holding = ColumnCipher(self.new, NAMES)  # keys themselves: it does not pickle


def recorded_by_two():
    """Give the recorded fields whose row ids are a number and a text, as queries of SQL have them.

    Returns:
        For each the names of table and column, the cell, the two parts as SQL, and the value.
    """
    made = []
    for case in json.loads((VECTORS / "field_value.json").read_text("utf-8"))["cases"]:
        if [kind for part in case["row"] for kind in part] == ["int", "text"]:
            (number,), (text,) = (part.values() for part in case["row"])
            value = bytes.fromhex(case["data"]).decode()
            made.append((tuple(case["names"]), case["stored"], f"{number}, '{text}'", value))
    return made


def opened(ring, cells):
    """Decrypt the cells of rows, by a ring alone."""
    return ColumnCipher(ring, NAMES).decrypt(
        [None if cell is None else bytes(cell) for _, cell in cells],
        [row for row, _ in cells],
        type="text",
    )


@contextmanager
def spark_session(builder):
    """Start Spark in a JVM of its own: a JVM keeps the folders of the first session that it had."""
    from pyspark import SparkContext

    session = builder.getOrCreate()
    gateway = SparkContext._gateway
    try:
        yield session
    finally:
        session.stop()
        gateway.shutdown()
        SparkContext._gateway = SparkContext._jvm = None
        gateway.proc.stdin.close()  # on which it ends
        gateway.proc.wait(timeout=60)


# ---- Secrets in files ----


def forms(secret):
    """Give the forms in which a file may have a secret: as bytes, hexadecimal, within base64."""
    made = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for shift in range(3):  # where it begins among the three bytes of a group
        text = base64.b64encode(bytes(shift) + secret)
        made.add(text[4 if shift else 0 : len(text) // 4 * 4 - 4])
    return made


def is_in(secret, texts):
    """Return whether one of the texts has a secret in any form."""
    wanted = forms(secret)
    return any(form in text for text in texts for form in wanted)
