# SPDX-License-Identifier: Apache-2.0
"""What opens a sealed file, and what it is sealed for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._core import cells
from pythemis._core import keys as pairs
from pythemis._core import sealed as core
from pythemis._core.arguments import CONTEXT, KEY, PRIVATE
from pythemis._core.buffers import copied, view
from pythemis._core.errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from pythemis._core.errors import Errors
    from pythemis._hints import Service

ITERATIONS = 600_000  # of PBKDF2, in the passphrase slots that are written
_MAX_ITERATIONS = 5_000_000
_PASSPHRASES_MAX = 4
_RESERVED = re.compile(rb"TK[0-9]")
_SERVICE_NAME = re.compile(r"[!-~]{1,255}")


class Unlock(NamedTuple):
    """What a reader has; all of it may be given together.

    Attributes:
        keys: pairs of a key id, 5 bytes or empty, and a key.
        passphrase: text (UTF-8), bytes or a SecretKey; None for none.
        private_key: an EC key on P-256 (or None); alone for files to its public half.
        sender: the public key of the only sender that counts. No other slot is tried then.
        services: key services of different names.
        context: the context of the file.
        max_iterations: how many iterations of PBKDF2 a file may ask for in all.
        max_log2: the binary logarithm of the largest chunks that are read.
    """

    keys: Sequence[tuple[bytes, Any]] = ()
    passphrase: Any = None
    private_key: Any = None
    sender: Any = None
    services: Sequence[Service] = ()
    context: Any = b""
    max_iterations: int = _MAX_ITERATIONS
    max_log2: int = core.LOG2_MAX

    def __repr__(self) -> str:
        return "Unlock(...)"  # without the secrets


class Slots(NamedTuple):
    """For what holders a file is sealed.

    Attributes:
        keys: pairs of a key id, 5 bytes or empty, and a key of 16 bytes or more.
        passphrases: at most 4; text (UTF-8), bytes or SecretKeys.
        recipients: pairs of a public key on P-256 and whether its slot does not name it.
        sender: our private key and the public key of the one recipient; no other slot goes with it.
        services: key services of different names.
        iterations: of PBKDF2, for the passphrases.
    """

    keys: Sequence[tuple[bytes, Any]] = ()
    passphrases: Sequence[Any] = ()
    recipients: Sequence[tuple[Any, bool]] = ()
    sender: tuple[Any, Any] | None = None
    services: Sequence[Service] = ()
    iterations: int = ITERATIONS

    def __repr__(self) -> str:
        return "Slots(...)"  # without the secrets

    def kinds(self) -> set[int]:
        """Return the kinds of slots that will be made."""
        named = {
            core.KEY_SLOT: self.keys,
            core.PASSPHRASE_SLOT: self.passphrases,
            core.RECIPIENT_SLOT: self.recipients,
            core.SENDER_SLOT: self.sender,
            core.SERVICE_SLOT: self.services,
        }
        return {kind for kind, given in named.items() if given}


def context_of(errors: Errors, context: Any, *, reserved: bool) -> bytes:
    """Return a file's context as bytes; keyring code alone may use those of keyrings."""
    made = b"" if context is None else copied(errors, context, CONTEXT)
    if not reserved and _RESERVED.match(made):
        wrong_value(
            errors,
            "contexts that begin with TK and a digit are reserved for keyrings; choose another one",
        )
    return made


def passphrase_of(errors: Errors, passphrase: Any) -> Any:
    """Return a passphrase as bytes or as what holds them."""
    if isinstance(passphrase, str):
        try:
            passphrase = str.encode(passphrase, "utf-8")
        except UnicodeEncodeError:
            passphrase = None
        if passphrase is None:  # the first error has the passphrase in it
            wrong_value(errors, "the passphrase has a lone surrogate, which has no UTF-8 form")
    if core.passphrase_size(errors, passphrase) == 0:
        wrong_value(errors, "the passphrase is empty")
    return passphrase


def check_keys(errors: Errors, given: Sequence[tuple[bytes, Any]], least: int) -> None:
    """Refuse keys that no slot can be for, before anything is read or written."""
    for key_id, key in given:
        if type(key_id) is not bytes:
            wrong_type(errors, f"a key id must be bytes, not {type(key_id).__name__}")
        if len(key_id) not in (0, core.KEY_ID_SIZE):
            wrong_value(errors, f"a key id has {core.KEY_ID_SIZE} bytes, or none")
        key_view = view(errors, key, KEY)
        size, how = len(key_view), cells.decoding(key, key_view)
        _, pair = pairs.inspect(key_view)
        del key_view
        if pair is not None and least == core.KEY_MIN_SIZE:  # anyone may know a public key
            half = "private" if pair.is_private else "public"
            wrong_value(
                errors,
                f"the key is the {half} key of a pair, and a symmetric key belongs here",
            )
        cells.warn_of_text(how)
        if size < least:
            text = f"the key has {size} bytes, and it must have {least} or more"
            wrong_value(errors, f"{text}; for a passphrase there is another argument")


def by_name(errors: Errors, services: Sequence[Service]) -> dict[bytes, Service]:
    """Return services by their names."""
    found: dict[bytes, Service] = {}
    for service in services:
        name = service.name
        if not isinstance(name, str):
            wrong_type(errors, f"the name of a service must be str, not {type(name).__name__}")
        if not _SERVICE_NAME.fullmatch(name):
            wrong_value(
                errors,
                "the name of a service must be 1 to 255 ASCII characters from ! to ~, not "
                f"{name!r}",
            )
        encoded = name.encode()
        if encoded in found:
            wrong_value(errors, f"two services have the name {name!r}; one name is for one key")
        found[encoded] = service
    return found


class Secrets(NamedTuple):
    """An `Unlock` whose arguments were checked."""

    keys: Sequence[tuple[bytes, Any]]
    passphrase: Any
    private_key: Any
    own_name: bytes
    sender: bytes  # compressed; empty for none
    sender_id: bytes
    services: dict[bytes, Service]
    context: bytes
    max_iterations: int
    max_log2: int

    def __repr__(self) -> str:
        return "Secrets(...)"


def secrets_of(errors: Errors, unlock: Unlock, *, reserved: bool) -> Secrets:
    """Check what a reader is given; raise for arguments that can open no file at all."""
    context = context_of(errors, unlock.context, reserved=reserved)
    _check_bound(errors, "max_iterations", unlock.max_iterations, 0, core.ITERATIONS_LIMIT * 4)
    _check_bound(errors, "max_log2", unlock.max_log2, core.LOG2_MIN, core.LOG2_MAX)
    keys = list(unlock.keys)
    check_keys(errors, keys, 1)
    passphrase = unlock.passphrase
    if passphrase is not None:
        passphrase = passphrase_of(errors, passphrase)
    own_name = sender = sender_id = b""
    if unlock.sender is not None and unlock.private_key is None:
        wrong_value(errors, "a sender is given, but no private_key to read the sender's files with")
    if unlock.private_key is not None:
        own_name = core.name(errors, unlock.private_key, PRIVATE, is_private=True)[0]
    if unlock.sender is not None:
        name, sender = core.name(errors, unlock.sender, core.SENDER, is_private=False)
        sender_id = own_name + name
    services = by_name(errors, unlock.services)
    if not keys and passphrase is None and not own_name and not services:
        wrong_value(
            errors, "nothing opens the file: give a key, a passphrase, a private key or a service"
        )
    return Secrets(
        keys,
        passphrase,
        unlock.private_key,
        own_name,
        sender,
        sender_id,
        services,
        context,
        unlock.max_iterations,
        unlock.max_log2,
    )


def check_slots(errors: Errors, slots: Slots) -> None:
    """Refuse slots that cannot be written, before the work for passphrases and services."""
    if not slots.kinds():
        wrong_value(
            errors, "the file is for no one: give a key, a passphrase, a public key or a service"
        )
    if slots.sender is not None and len(slots.kinds()) > 1:
        wrong_value(errors, "a file from a sender is for one recipient alone: give nothing else")
    check_keys(errors, slots.keys, core.KEY_MIN_SIZE)
    if len(slots.passphrases) > _PASSPHRASES_MAX:
        wrong_value(errors, f"a file takes {_PASSPHRASES_MAX} passphrases at most")
    _check_bound(
        errors, "iterations", slots.iterations, core.LEAST_ITERATIONS, core.ITERATIONS_LIMIT
    )


def _check_bound(errors: Errors, name: str, value: Any, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        wrong_type(errors, f"{name} must be an int, not {type(value).__name__}")
    if not least <= value <= most:
        wrong_value(errors, f"{name} must be {least} to {most}, not {value}")
