# SPDX-License-Identifier: Apache-2.0
"""Other slots for a sealed file, and another key for it (specification, 8.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pythemis import _atomic, _sealed
from pythemis._core import sealed as core
from pythemis._core.buffers import Memory

from . import _found
from ._containers import OpenedContainer
from ._ends import BLOCK, Source, Target, is_path
from ._errors import ERRORS, refuse, wrong_type, wrong_value
from ._writers import SealedWriter

if TYPE_CHECKING:
    from ._cells import Progress
    from ._ends import Path
    from ._opened import Opened
    from ._options import Reading, Writing


def rewrap(
    path: Path,
    unlock: Reading,
    new: Writing,
    context: bytes | None,
    *,
    keep: bool,
    holders_only: bool,
    progress: Progress | None,
) -> None:
    """Write the same chunks behind another header, while the old file is locked."""
    if new.sender is not None:
        wrong_value("a sender's slot needs a key of its own: files.reencrypt makes one")
    slots = new.slots()
    if not slots.kinds() and not keep:
        wrong_value("give what opens the file from now on, such as to= or new_key=")
    _check_path(path)
    with _atomic.Lock(path) as held:
        source = Source(held.file)
        opened = _found.opened(source, unlock)
        if not isinstance(opened, OpenedContainer):
            refuse("an ordinary Seal cell has no slots to change: files.reencrypt makes some")
        old = opened.sealed.opened
        kept = _kept(old, slots, context) if keep else []
        if not slots.kinds() and not kept:
            wrong_value(
                "under a new context keep= keeps recipients only, and the file has none: give what "
                "opens it from now on, such as new_key="
            )
        head = _sealed.rewrap_head(
            ERRORS,
            old,
            slots,
            context=context,
            keep=kept,
            holders_only=holders_only,
        )
        core.read(ERRORS, head, old.context if context is None else context)  # as any reader will
        with Target(path, held) as target:
            target.write(head)
            _copy(source, target, len(old.head), progress)
            opened.sealed.close()


def _check_path(path: object) -> None:
    if not is_path(path):
        wrong_type(
            f"the file is replaced, so it is a path that names it, not {type(path).__name__}"
        )


def _kept(old: _sealed.Opened, slots: _sealed.Slots, context: bytes | None) -> list[int]:
    """Return which old slots stay: all that may, but for those that new ones replace."""
    is_moved = context is not None and context != old.context
    names = {
        core.name(ERRORS, key, core.RECIPIENT, is_private=False)[0] for key, _ in slots.recipients
    }
    replaced = {
        core.KEY_SLOT: {key_id for key_id, _ in slots.keys if key_id},
        core.RECIPIENT_SLOT: names,
        core.SERVICE_SLOT: {service.name.encode() for service in slots.services},
    }
    return [
        index
        for index, slot in enumerate(old.slots)
        if not (is_moved and slot.kind != core.RECIPIENT_SLOT)
        if slot.id not in replaced.get(slot.kind, ()) or not slot.id
    ]


def _copy(source: Source, target: Target, at: int, progress: Progress | None) -> None:
    size = source.size()
    while at < size:
        data = source.at(at, min(BLOCK, size - at))
        if not data:
            refuse("the file shrank while it was copied")
        target.write(data)
        at += len(data)
        if progress is not None:
            progress(at, size)


def reencrypt(
    path: Path,
    unlock: Reading,
    new: Writing,
    context: bytes,
    *,
    log2: int,
    pad: Any,
    progress: Progress | None,
) -> None:
    """Decrypt a file, and encrypt it under a fresh key in its place."""
    slots = new.slots()
    _check_path(path)
    with _atomic.Lock(path) as held:
        opened = _found.opened(Source(held.file), unlock)
        writer = SealedWriter(path, slots, context, log2, pad, held)
        try:
            _transfer(opened, writer, progress)
            opened.verify(None)  # padding as well
            writer.close()
        except BaseException:
            writer.discard()
            raise


def _transfer(opened: Opened, writer: SealedWriter, progress: Progress | None) -> None:
    memory = Memory(min(BLOCK, opened.size))
    try:
        done = 0
        while done < opened.size:
            count = opened.read_into(memory.bytes, done)
            writer.write(memory.bytes[:count])
            done += count
            if progress is not None:
                progress(done, opened.size)
    finally:
        memory.wipe()
