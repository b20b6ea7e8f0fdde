# SPDX-License-Identifier: Apache-2.0
"""``pythemis keyring``: make, show and change keyring files, and rotate stored values."""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import TYPE_CHECKING, Any

from pythemis import _atomic, keyring
from pythemis._core.facts import shown

from . import sources
from .errors import Status, for_each, refused, usage
from .streams import say, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis.keyring import Keyring

_LARGEST = 1 << 32  # bytes of a stored value


def _secrets(options: argparse.Namespace, *, new: bool) -> dict[str, Any]:
    """Return what opens a keyring file."""
    passphrase = sources.passphrase(options, new=new)
    if options.key is None and passphrase is None:
        raise usage("say what opens the keyring: -k KEY or -p")
    key = None if options.key is None else sources.symmetric(options.key)
    return {"key": key, "passphrase": passphrase}


def _name(options: argparse.Namespace) -> str:
    return sources.ring_name(options.ring, options.name, "--name")


def _loaded(options: argparse.Namespace) -> tuple[Keyring, dict[str, Any]]:
    """Load a ring; return with it what opened its file."""
    secrets, name = _secrets(options, new=False), _name(options)

    def opened(passphrase: Any) -> tuple[Keyring, dict[str, Any]]:
        given = {**secrets, "passphrase": passphrase}
        return keyring.load(options.ring, name, **given), given

    return sources.asking_again(opened, secrets["passphrase"], lambda: bool(options.passphrase))


def _changed(options: argparse.Namespace, change: Callable[[Keyring], Keyring]) -> int:
    """Load a ring, change it, save it."""
    ring, secrets = _loaded(options)
    changed = change(ring)
    with written():
        changed.save(options.ring, **secrets)
    _print(changed, options)
    return Status.DONE


def new(options: argparse.Namespace) -> int:
    """Make a ring with one key."""
    if os.path.lexists(options.ring):
        raise usage(f"{options.ring} is there already")
    secrets = _secrets(options, new=True)
    ring = keyring.Keyring.new(_name(options)).add()
    with written():
        ring.save(options.ring, **secrets)
    _print(ring, options)
    return Status.DONE


def status(options: argparse.Namespace) -> int:
    """Show what is public of a ring."""
    ring, _ = _loaded(options)
    _print(ring, options)
    return Status.DONE


def _print(ring: Keyring, options: argparse.Namespace) -> None:
    if options.json:
        say(json.dumps(_as_dict(ring)))
        return
    say(f"keyring {ring.name}, version {ring.version}")
    for each in ring.keys:
        created = time.strftime("%Y-%m-%d", time.gmtime(each.created))
        primary = ", primary" if each.primary else ""
        say(f"  {each.id}: {each.state}{primary}, created {created}, pin {ring.pin(each.id)}")
    if ring.legacy_count:
        say(f"  legacy keys: {ring.legacy_count}")


def _as_dict(ring: Keyring) -> dict[str, object]:
    return {
        "schema": 1,
        "name": ring.name,
        "version": ring.version,
        "keys": [{**each._asdict(), "pin": ring.pin(each.id)} for each in ring.keys],
        "legacy_count": ring.legacy_count,
    }


def add(options: argparse.Namespace) -> int:
    """Add a key that is generated; with --legacy one that was used before there was a ring."""
    if options.legacy is not None:
        old = sources.symmetric(options.legacy)
        return _changed(options, lambda ring: ring.add_legacy(old))
    return _changed(options, lambda ring: ring.add())


def promote(options: argparse.Namespace) -> int:
    """Make a key primary."""
    return _changed(options, lambda ring: ring.promote(options.id or ring.ids[-1]))


def retire(options: argparse.Namespace) -> int:
    """Have a key read only."""
    return _changed(options, lambda ring: ring.retire(options.id))


def remove(options: argparse.Namespace) -> int:
    """Remove a retired key, or with --legacy all keys that were used before there was a ring."""
    if bool(options.id) == options.legacy:
        raise usage("name the key to remove, ID, or all legacy keys, --legacy")
    if options.legacy:
        return _changed(options, lambda ring: ring.drop_legacy())
    return _changed(options, lambda ring: ring.remove(options.id))


def rotate(options: argparse.Namespace) -> int:
    """Encrypt stored values in files anew, under the primary key."""
    ring, _ = _loaded(options)

    def rotate_one(name: str) -> bool:
        rotated = _rotated(ring, name, options)
        if options.json:
            made = {"schema": 1, "file": name, "rotated": rotated, "key_id": ring.primary}
            say(json.dumps(made))
        elif rotated:
            say(f"{shown(name)}: now under key {ring.primary}")
        else:
            say(f"{shown(name)}: under the primary key already")
        return True

    return for_each(options.files, rotate_one)


def _rotated(ring: Keyring, name: str, options: argparse.Namespace) -> bool:
    """Replace one file, locked meanwhile, if it needs it; its mode becomes 0600."""
    context = sources.context(argparse.Namespace(**{**vars(options), "file": name}))
    with _atomic.Lock(name) as held:
        if os.fstat(held.file.fileno()).st_size > _LARGEST:
            raise refused("this is too long for a stored value")
        stored = held.file.read()
        if not ring.needs_rotation(stored):
            return False
        fresh = ring.rotate(stored, context)
        with written():
            _atomic.write(name, fresh, held=held)
    return True
