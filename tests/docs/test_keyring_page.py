# SPDX-License-Identifier: Apache-2.0
"""The example of the page about keyrings that needs a key service runs with a stand-in."""

from pythemis import keyring
from pythemis.scell import SCellSeal, SecureCellError
from pythemis.skeygen import GenerateSymmetricKey
from support.documents import sections
from support.project import ROOT

PAGE = ROOT / "docs" / "guide" / "keyring.md"


class Service:
    """A key service whose key is in this process."""

    name = "test-2026"

    def __init__(self):
        self._cell = SCellSeal(key=GenerateSymmetricKey())

    def wrap(self, plain, context):
        return self._cell.encrypt(plain, context)

    def unwrap(self, body, context):
        try:
            return self._cell.decrypt(body, context)
        except SecureCellError:
            return None


def test_a_service_or_the_passphrase_opens_the_ring(tmp_path, monkeypatch):
    """What the page saves with a service and a passphrase opens with each of them alone."""
    monkeypatch.chdir(tmp_path)
    examples = [example for part in sections(PAGE.read_text("utf-8")) for example in part.examples]
    [code] = [example.code for example in examples if "service=service" in example.code]
    ring = keyring.Keyring.new("shop").add()
    names = {"keyring": keyring, "ring": ring, "service": Service(), "for_emergencies": "a safe"}
    exec(compile(code, str(PAGE), "exec"), names)
    by_hand = keyring.load("shop.ring.new", "shop", passphrase="a safe")
    assert names["ring"].ids == by_hand.ids == ring.ids
