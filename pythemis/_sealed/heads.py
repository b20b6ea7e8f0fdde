# SPDX-License-Identifier: Apache-2.0
"""Headers: the search for a slot that opens, and new slots (specification, 8.3 to 8.6 and 8.8)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._core import sealed as core
from pythemis._core.arguments import PRIVATE, Argument, Nature
from pythemis._core.buffers import copied
from pythemis._core.errors import FAIL, NOT_SUPPORTED, wrong_value

from .arguments import (
    Secrets,
    Slots,
    by_name,
    check_slots,
    context_of,
    passphrase_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from pythemis._core.errors import Errors
    from pythemis._hints import Service

MAGIC = b"TSFILE1\n"
_BODY_MAX = 0xFFFF
_SHOWN = 8  # ids in an error

OPENED_BY = {
    core.KEY_SLOT: "key",
    core.PASSPHRASE_SLOT: "passphrase",
    core.RECIPIENT_SLOT: "recipient",
    core.SENDER_SLOT: "sender",
    core.SERVICE_SLOT: "service",
}
# Who chose or knows the file key can write for every slot it is put into: a file key goes only
# where those who could have chosen it can write anyway.
_REWRAP = {
    "key": {core.KEY_SLOT, core.PASSPHRASE_SLOT, core.RECIPIENT_SLOT, core.SERVICE_SLOT},
    "passphrase": {core.PASSPHRASE_SLOT, core.RECIPIENT_SLOT},
    "recipient": {core.RECIPIENT_SLOT},
    "sender": set(),
    "service": {core.RECIPIENT_SLOT, core.SERVICE_SLOT},
}


class Opened(NamedTuple):
    """A header whose mac is right."""

    handle: Any  # of C, with the file key
    head: bytes  # with the mac
    context: bytes
    opened_by: str
    slots: list[core.Slot]


def open_head(errors: Errors, head: bytes, secrets: Secrets) -> Callable[[], Opened]:
    """Check a header and return the function that goes on with costs and slots (8.5, 4 and 5)."""
    handle = core.read(errors, head, secrets.context)
    slots = core.slots(handle, head)

    def search() -> Opened:
        _check_costs(errors, core.log2(handle), slots, secrets)
        opened_by = _Search(errors, handle, secrets).run(slots)
        return Opened(handle, head, secrets.context, opened_by, slots)

    return search


def _check_costs(errors: Errors, log2: int, slots: list[core.Slot], secrets: Secrets) -> None:
    if log2 > secrets.max_log2:
        text = f"the chunks of the file have 2^{log2} bytes, more than 2^{secrets.max_log2}"
        raise errors.failed(NOT_SUPPORTED, f"{text}, which max_log2 allows")
    if secrets.passphrase is None or secrets.sender:
        return
    asked = sum(slot.iterations for slot in slots)
    if asked > secrets.max_iterations:
        raise errors.failed(
            NOT_SUPPORTED,
            f"the passphrase slots of the file ask for {asked} iterations, more than "
            f"max_iterations ({secrets.max_iterations}); raise that if you trust the file's origin",
        )


class _Search:
    """The search for a slot that opens."""

    def __init__(self, errors: Errors, handle: Any, secrets: Secrets) -> None:
        self._errors = errors
        self._handle = handle
        self._secrets = secrets
        self._failure: Exception | None = None  # a service's own
        self._tried: set[str] = set()  # kinds of secrets
        self._prepared: Any = None  # the passphrase

    def run(self, slots: list[core.Slot]) -> str:
        for index, slot in enumerate(slots):
            for attempt in self._attempts(index, slot):
                is_passphrase = slot.kind == core.PASSPHRASE_SLOT
                self._tried.add("passphrase" if is_passphrase else "key")
                if attempt():
                    return OPENED_BY[slot.kind]
        if self._failure is not None:
            raise self._failure
        if not self._tried:
            text = f"nothing that was given opens this file; it has {_listed(slots)}"
            raise self._errors.failed(FAIL, text)
        tried = ", ".join(sorted(self._tried))
        text = f"wrong {tried} or context, or the sealed file is corrupted"
        if self._lacks_ring(slots):
            text += "; its key is one of a keyring, which was not given"
        raise self._errors.failed(FAIL, text)

    def _lacks_ring(self, slots: list[core.Slot]) -> bool:
        """Return whether the file is for keys of a ring, and others were given."""
        ids = [slot.id for slot in slots if slot.kind == core.KEY_SLOT]
        given = [key_id for key_id, _ in self._secrets.keys]
        return bool(ids and given) and all(ids) and not any(given)

    def _attempts(self, index: int, slot: core.Slot) -> Iterator[Callable[[], bool]]:
        """Give the ways to try this slot (8.6)."""
        errors, handle, secrets = self._errors, self._handle, self._secrets
        if secrets.sender:
            if slot.kind == core.SENDER_SLOT and slot.id == secrets.sender_id:
                yield partial(
                    core.open_sender, errors, handle, index, secrets.private_key, secrets.sender
                )
        elif slot.kind == core.KEY_SLOT:
            for key_id, key in secrets.keys:
                if not slot.id or not key_id or slot.id == key_id:
                    yield partial(core.open_key, errors, handle, index, key)
        elif slot.kind == core.PASSPHRASE_SLOT:
            if secrets.passphrase is not None:
                yield partial(self._passphrase, index)
        elif slot.kind == core.RECIPIENT_SLOT:
            if secrets.own_name and slot.id in (b"", secrets.own_name):
                yield partial(core.open_recipient, errors, handle, index, secrets.private_key)
        elif slot.kind == core.SERVICE_SLOT and slot.id in secrets.services:
            yield partial(self._service, index, slot, secrets.services[slot.id])

    def _passphrase(self, index: int) -> bool:
        if self._prepared is None:
            text = self._secrets.passphrase
            self._prepared = core.passphrase(self._errors, self._handle, text)
        return core.open_passphrase(self._errors, self._handle, index, self._prepared)

    def _service(self, index: int, slot: core.Slot, service: Service) -> bool:
        """Ask a service, once for each file; what fails there does not end the search."""
        try:
            plain = service.unwrap(slot.body, service_context(self._handle))
            if plain is None:
                return False
            return core.open_service(self._errors, self._handle, index, plain, _answer(service))
        except Exception as error:  # noqa: BLE001 -- raised if no other slot opens
            self._failure = self._failure or error
            return False


def service_context(handle: Any) -> bytes:
    """Return the associated data for services."""
    return MAGIC + b"service" + core.context_digest(handle)


def _answer(service: Service) -> Argument:
    return Argument(f"the answer of the service {service.name!r}", Nature.MADE)


def _listed(slots: list[core.Slot]) -> str:
    """List the slots of a file in words."""
    counts = Counter(OPENED_BY.get(slot.kind, "unknown") for slot in slots)
    found = "slots: " + ", ".join(f"{count} {name}" for name, count in counts.items())
    keys = [slot.id.hex() for slot in slots if slot.kind == core.KEY_SLOT and slot.id]
    services = [slot.id.decode() for slot in slots if slot.kind == core.SERVICE_SLOT]
    for what, ids in (("keys", keys), ("services", services)):
        if ids:
            more = ", ..." if len(ids) > _SHOWN else ""
            found += f"; {what}: {', '.join(ids[:_SHOWN])}{more}"
    return found


# ---- Writing ----


def new_head(errors: Errors, handle: Any, slots: Slots) -> bytes:
    """Return header and mac of a file."""
    return _written(errors, handle, _made(errors, handle, slots))


def _made(errors: Errors, handle: Any, slots: Slots) -> list[bytes]:
    """Make slots."""
    if slots.sender is not None:
        private_key, public_key = slots.sender
        core.name(errors, private_key, PRIVATE, is_private=True)  # which C judges less clearly
        recipient = core.name(errors, public_key, core.RECIPIENT, is_private=False)[1]
        return [core.sender_slot(errors, handle, private_key, recipient)]
    services = by_name(errors, slots.services)
    recipients: dict[bytes, bool] = {}
    for public_key, hidden in slots.recipients:
        compressed = core.name(errors, public_key, core.RECIPIENT, is_private=False)[1]
        recipients.setdefault(compressed, hidden)
    made = [core.key_slot(errors, handle, key, key_id) for key_id, key in slots.keys]
    made += [
        core.recipient_slot(errors, handle, public_key, hidden=hidden)
        for public_key, hidden in recipients.items()
    ]
    for text in slots.passphrases:
        secret = passphrase_of(errors, text)
        prepared = core.passphrase(errors, handle, secret, slots.iterations)
        made.append(core.passphrase_slot(errors, handle, prepared))
    made += [_service_slot(errors, handle, *item) for item in services.items()]
    return made


def _service_slot(errors: Errors, handle: Any, name: bytes, service: Service) -> bytes:
    wrapped = service.wrap(core.plain(errors, handle), service_context(handle))
    body = copied(errors, wrapped, _answer(service))
    if not 1 <= len(body) <= _BODY_MAX:
        wrong_value(
            errors,
            f"the service {service.name!r} returned {len(body)} bytes, and a slot has 1 to "
            f"{_BODY_MAX}",
        )
    start = bytes([core.SERVICE_SLOT, len(name)]) + len(body).to_bytes(2, "big")
    return start + name + body


def _written(errors: Errors, handle: Any, encoded: list[bytes]) -> bytes:
    """Put slots in their order, and a mac after them."""
    size = sum(map(len, encoded))
    if not 1 <= len(encoded) <= core.SLOTS_MAX:
        wrong_value(errors, f"a file has 1 to {core.SLOTS_MAX} slots, not {len(encoded)}")
    if size > core.SLOTS_MAX_SIZE:
        wrong_value(
            errors, f"the slots have {size} bytes together; at most {core.SLOTS_MAX_SIZE} fit"
        )
    numbers = bytes([core.log2(handle), len(encoded)]) + size.to_bytes(4, "big")
    head = MAGIC + numbers + b"".join(sorted(encoded))
    return head + core.mac(errors, handle, head)


def rewrap_head(
    errors: Errors,
    opened: Opened,
    slots: Slots,
    *,
    context: Any = None,
    keep: Collection[int] = (),
    holders_only: bool = False,
    reserved: bool = False,
) -> bytes:
    """Return another header and mac for the chunks of a file that was opened (8.8).

    Args:
        errors: the exceptions to raise.
        opened: the file's header, as a reader has it.
        slots: the slots to make.
        context: the new context of the file; None leaves it as it is.
        keep: which of the old slots stay, by their index.
        holders_only: the caller's word that only holders of the new slots ever had the file key.
        reserved: whether the context may be a keyring's.

    Raises:
        Exception: such a slot needs a fresh file key (wrong_value); encrypt the file anew.
    """
    new_context = opened.context
    if context is not None:
        new_context = context_of(errors, context, reserved=reserved)
    elif not reserved:
        context_of(errors, new_context, reserved=False)
    is_moved = new_context != opened.context
    kept = [opened.slots[index] for index in sorted(set(keep))]
    kinds = slots.kinds()
    if kinds:
        check_slots(errors, slots)
    refused = kinds - _REWRAP[opened.opened_by]
    if refused:
        names = " or ".join(OPENED_BY[kind] for kind in sorted(refused))
        wrong_value(
            errors,
            f"a file opened by its {opened.opened_by} slot gets no new {names} slot, because "
            "others may know its key: encrypt the file anew",
        )
    if is_moved and any(slot.kind != core.RECIPIENT_SLOT for slot in kept):
        wrong_value(errors, "under another context only recipient slots can be kept")
    if is_moved and kinds - {core.RECIPIENT_SLOT} and not holders_only:
        wrong_value(
            errors,
            "everyone who ever had the file's key could write files of the new context: encrypt "
            "the file anew, or say holders_only=True if only holders of the new slots had it",
        )
    handle = core.again(errors, opened.handle, new_context)
    encoded = [slot.encoded for slot in kept] + _made(errors, handle, slots)
    return _written(errors, handle, encoded)
