# SPDX-License-Identifier: Apache-2.0
"""The keyrings of the shop: one seals values, the other makes blind indexes."""

import base64
from functools import cache

from django.conf import settings

from pythemis import keyring
from pythemis.fields import FieldCipher
from pythemis.keyring import Keyring, SecretKey


@cache
def watched(name: str) -> keyring.WatchedKeyring:
    """Load a ring, and again whenever its file changes."""
    unlock = SecretKey.from_file(settings.KEYS / "unlock.key")
    return keyring.watch(settings.KEYS / f"{name}.ring", name, key=unlock)


cipher = FieldCipher(lambda: watched("shop")(), index_key=lambda: watched("shop-index")())


def add_key(name: str) -> str:
    """Add a key to a ring and make it primary; return its id.

    Where several machines have the ring, add the key, distribute the ring, and only then promote.
    """
    unlock, path = settings.KEYS / "unlock.key", settings.KEYS / f"{name}.ring"
    if not unlock.exists():
        settings.KEYS.mkdir(mode=0o700, exist_ok=True)
        unlock.touch(mode=0o600)
        unlock.write_bytes(base64.b64encode(SecretKey.generate().reveal()))
    key = SecretKey.from_file(unlock)
    ring = keyring.load(path, name, key=key) if path.exists() else Keyring.new(name)
    ring = ring.add()
    if ring.primary != ring.ids[-1]:
        ring = ring.promote(ring.ids[-1])
    ring.save(path, key=key)
    return ring.ids[-1]
