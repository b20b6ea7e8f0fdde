# SPDX-License-Identifier: Apache-2.0
"""Keyring files (formats, section 9.3): a sealed file whose context names the ring."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any, NamedTuple, NoReturn

from pythemis import _atomic, _sealed
from pythemis._core import rings
from pythemis._core import sealed as core
from pythemis._core.errors import FAIL, INVALID_PARAMETER, wrong_type, wrong_value
from pythemis._core.late import recognised
from pythemis._sealed.arguments import check_slots
from pythemis._sealed.heads import OPENED_BY

from ._errors import ERRORS, KeyringError
from ._sources import read_open

_MAGIC = b"TSFILE"  # of any version
_PIN = re.compile(r"[0-9a-f]{32}")
_VERSION_MAX = (1 << 53) - 1


class Origin(NamedTuple):
    """What a file held: so that the next version can replace it without its key."""

    digest: bytes
    ring: rings.Ring
    slots: Counter[int]  # of each kind


class Wanted(NamedTuple):
    """The ring that a loader accepts."""

    name: str
    min_version: int = 0
    pin: str | None = None


def wanted(name: Any, min_version: Any, pin: Any) -> Wanted:
    """Check what a loader asks for."""
    rings.new(ERRORS, _text("the name", name))  # it refuses what is no name
    if not isinstance(min_version, int) or isinstance(min_version, bool):
        wrong_type(ERRORS, f"min_version must be an int, not {type(min_version).__name__}")
    if not 0 <= min_version <= _VERSION_MAX:
        wrong_value(ERRORS, f"min_version must be 0 to {_VERSION_MAX}, not {min_version}")
    if pin is not None and not _PIN.fullmatch(_text("the pin", pin)):
        wrong_value(ERRORS, "a pin has 32 lower-case hex digits: ring.pin(id) returns it")
    return Wanted(name, min_version, pin)


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        wrong_type(ERRORS, f"{what} must be text, not {type(value).__name__}")
    return value


def context_of(name: str) -> bytes:
    """Return the context of the file of a ring."""
    return b"TK1 keyring " + name.encode()


def opened(data: bytes, unlock: _sealed.Unlock, asked: Wanted) -> rings.Ring:
    """Open a keyring file, and refuse any ring but the one that was asked for."""
    if not data.startswith(_MAGIC):
        text = f"this is not a keyring file{_why_no_ring(data)}"
        raise ERRORS.failed(INVALID_PARAMETER, text)
    unlock = unlock._replace(context=context_of(asked.name))
    try:
        ring = _read(data, unlock)
    except KeyringError as error:
        if error.error_code != FAIL:
            raise
        why = f"the keyring {asked.name} does not open: {error}. Is this the name of the ring?"
    else:
        why = _why_not(ring, asked)
        if not why:
            return ring
        del ring  # the error keeps the names of this call
    raise ERRORS.failed(FAIL, why)


def _why_no_ring(data: bytes) -> str:
    if not data:
        return ": it is empty"
    return recognised(lambda it: it.why_not(data[: it.WHOLE_MAX], it.Kind.SEALED_FILE))


def _why_not(ring: rings.Ring, asked: Wanted) -> str:
    """Return why a ring is not the one that was asked for; empty if it is."""
    if ring.name != asked.name:  # for the context is the same, its writer broke the rule
        return f"the file holds a ring of the name {ring.name}, not {asked.name}"
    if ring.version < asked.min_version:
        return (
            f"the file holds version {ring.version} of the ring, and min_version is "
            f"{asked.min_version}: it may have been rolled back"
        )
    if asked.pin is not None:
        pins = [rings.pin(ERRORS, ring, bytes.fromhex(key.id)) for key in ring.keys]
        if asked.pin not in pins:
            return "the ring has no key of this pin: it is another ring"
    return ""


def _refuse(text: str) -> NoReturn:
    raise ERRORS.failed(FAIL, text)


def _read(data: bytes, unlock: _sealed.Unlock) -> rings.Ring:
    reader = _sealed.Reader(
        ERRORS, lambda at, n: data[at : at + n], len(data), unlock, reserved=True
    )
    payload = bytearray()
    try:
        if reader.opened.opened_by == "recipient":
            _refuse(
                "a recipient slot opened the file: anyone who has the public key can have made it",
            )
        if reader.size > rings.PAYLOAD_MAX:
            text = f"this is not a keyring: it has more than {rings.PAYLOAD_MAX} bytes"
            raise ERRORS.wrong_value(INVALID_PARAMETER, text)
        payload = bytearray(reader.size)
        reader.readinto(0, payload)
        # What is padding alone. (All of it would leave a copy of the payload behind.)
        reader.verify(start=-(-reader.size // reader.layout.piece))
        ring = rings.read(ERRORS, payload)
        kinds = Counter(slot.kind for slot in reader.opened.slots)
        ring.origin = Origin(hashlib.sha256(data).digest(), ring, kinds)
        return ring
    finally:
        rings.wipe(payload)
        reader.wipe()


# ---- Writing ----


def save(ring: rings.Ring, path: Any, slots: _sealed.Slots, *, replace_slots: bool) -> None:
    """Write a ring to a new file, or over a file of an older version."""
    if not ring.prefix:
        raise rings.without_keys(ERRORS)
    check_slots(ERRORS, slots)
    try:
        held = _atomic.Lock(path)
    except FileNotFoundError:
        sealed = _sealed_ring(ring, slots)
        _atomic.write(path, sealed, new=True)
    else:
        with held:
            before = read_open(held.file.fileno(), path)
            origin = _origin_of(ring, before, slots)
            _check_version(origin.ring, ring)
            if not replace_slots:
                _check_slots(origin.slots, slots)
            sealed = _sealed_ring(ring, slots)
            _atomic.write(path, sealed, held=held)
    kinds = Counter({kind: _count(slots, kind) for kind in slots.kinds()})
    ring.origin = Origin(hashlib.sha256(sealed).digest(), ring, kinds)


def _sealed_ring(ring: rings.Ring, slots: _sealed.Slots) -> bytes:
    payload = rings.payload_of(ring)
    return _sealed.seal_bytes(ERRORS, payload, slots, context_of(ring.name), reserved=True)


def _origin_of(ring: rings.Ring, data: bytes, slots: _sealed.Slots) -> Origin:
    """Return what is in the file that is to be replaced."""
    origin = ring.origin
    if origin is not None and origin.digest == hashlib.sha256(data).digest():
        return origin  # type: ignore[no-any-return]
    unlock = _sealed.Unlock(
        keys=slots.keys,
        passphrase=slots.passphrases[0] if slots.passphrases else None,
        services=slots.services,
        context=context_of(ring.name),
    )
    try:
        found: Origin = _read(data, unlock).origin
    except KeyringError as error:
        refusal = ERRORS.failed(
            error.error_code,
            f"the file is there and is not replaced, because its version cannot be read ({error}): "
            "load the ring from it and change that one, or give another path",
        )
    else:
        return found
    raise refusal


def _check_version(before: rings.Ring, ring: rings.Ring) -> None:
    if before.version >= ring.version:
        wrong_value(
            ERRORS,
            f"the file holds version {before.version} of the ring already, and this is version "
            f"{ring.version}: load it again, and repeat the change",
        )
    why = rings.why_not_after(before, ring)
    if why:
        wrong_value(
            ERRORS,
            f"running programs would refuse this ring after the one in the file: {why}. Save after "
            "each step of a rotation, or give another path",
        )


def _count(slots: _sealed.Slots, kind: int) -> int:
    counts = {
        core.KEY_SLOT: len(slots.keys),
        core.PASSPHRASE_SLOT: len(slots.passphrases),
        core.SERVICE_SLOT: len(slots.services),
    }
    return counts.get(kind, 0)


def _check_slots(before: Counter[int], slots: _sealed.Slots) -> None:
    lost = [
        OPENED_BY.get(kind, "unknown")
        for kind, count in sorted(before.items())
        if count > _count(slots, kind)
    ]
    if lost:
        wrong_value(
            ERRORS,
            "what opens the file that is there would no longer open the new one (slots of kind "
            f"{', '.join(lost)}); give all that shall open it, or replace_slots=True",
        )
