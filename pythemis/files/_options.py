# SPDX-License-Identifier: Apache-2.0
"""The options of `pythemis.files`: what opens a file, and for whom it is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis import _sealed
from pythemis._core import cell_files
from pythemis.keyring import Keyring

from ._errors import ERRORS, wrong_type, wrong_value
from ._secrets import passphrase_bytes

if TYPE_CHECKING:
    from pythemis._core.secret import SecretKey
    from pythemis._hints import Buffer

CHUNK_SIZE = 65536
_MODE_MAX = 3  # characters
_CHUNK_SIZES = [1 << log2 for log2 in range(12, 25)]


class Reading(NamedTuple):
    """The options that open a file."""

    key: Buffer | SecretKey | None
    passphrase: Buffer | SecretKey | str | None
    keyring: Any
    private_key: Buffer | SecretKey | None
    sender: Buffer | SecretKey | None
    context: bytes
    service: Any

    def check(self) -> Reading:
        """Refuse options that cannot open anything."""
        secrets = (self.key, self.passphrase, self.keyring, self.private_key, self.service)
        if self.sender is not None and self.private_key is None:
            wrong_value("to read what a sender wrote takes your private key: private_key=...")
        if all(secret is None for secret in secrets):
            wrong_value(
                "give what opens the file: key=, passphrase=, keyring=, private_key= or service="
            )
        if self.keyring is not None:
            _checked(self.keyring)
        return self

    def cell_secrets(self) -> list[cell_files.Secret]:
        """Return the secrets that can open an ordinary cell; of a ring its legacy keys (9.1)."""
        keys = [] if self.key is None else [self.key]
        if self.keyring is not None:
            keys += _checked(self.keyring)._legacy()
        made = [cell_files.key(ERRORS, key) for key in keys]
        if self.passphrase is not None:
            made.append(cell_files.passphrase(ERRORS, passphrase_bytes(self.passphrase)))
        return made

    def unlock(self) -> _sealed.Unlock:
        """Return the same for a sealed file."""
        keys = [] if self.key is None else [(b"", self.key)]
        if self.keyring is not None:
            keys += pairs_of(self.keyring)
        return _sealed.Unlock(
            keys=keys,
            passphrase=self.passphrase,
            private_key=self.private_key,
            sender=self.sender,
            services=many(self.service, "wrap"),
            context=self.context,
        )


class Writing(NamedTuple):
    """The options that a file is written with."""

    key: Buffer | SecretKey | None = None
    passphrase: Buffer | SecretKey | str | None = None
    keyring: Any = None
    sender: Buffer | SecretKey | None = None
    to: Any = ()
    hidden: bool = False
    service: Any = None

    def slots(self) -> _sealed.Slots:
        """Return the slots to make; refuse combinations that no file has."""
        recipients = buffers(self.to)
        if not isinstance(self.hidden, bool):
            wrong_type(f"hidden is True or False, not {type(self.hidden).__name__}")
        if self.hidden and not recipients:
            wrong_value("hidden= hides the recipients of to=, and there are none")
        keys = [] if self.key is None else [(b"", self.key)]
        if self.keyring is not None:
            keys.append(primary_of(self.keyring))
        services = many(self.service, "wrap")
        passphrases = [] if self.passphrase is None else [self.passphrase]
        if self.sender is None:
            return _sealed.Slots(
                keys=keys,
                passphrases=passphrases,
                recipients=[(key, self.hidden) for key in recipients],
                services=services,
            )
        if len(recipients) != 1 or self.hidden:
            wrong_value(
                "a file from a sender is for one recipient, who is not hidden: to=public_key"
            )
        if keys or passphrases or services:
            wrong_value("a file from a sender is for its recipient alone: give sender= and to=")
        return _sealed.Slots(sender=(self.sender, recipients[0]))

    def is_empty(self) -> bool:
        """Return whether nothing was given."""
        given = (self.key, self.passphrase, self.keyring, self.sender, self.service)
        return all(item is None for item in given) and not buffers(self.to)


def buffers(given: Any) -> list[Any]:
    """Return one key, or many, as a list."""
    if given is None:
        return []
    if isinstance(given, (str, bytes, bytearray, memoryview)) or not isinstance(given, Iterable):
        return [given]
    return list(given)


def many(given: Any, method: str) -> list[Any]:
    """Return one object with such a method, or many, as a list."""
    if given is None:
        return []
    if callable(getattr(given, method, None)):
        return [given]
    found = list(given) if isinstance(given, Iterable) else [given]
    for item in found:
        if not callable(getattr(item, method, None)):
            wrong_type(
                f"service is a key service of pythemis.kms, or many, not {type(given).__name__}"
            )
    return found


def log2_of(chunk_size: Any) -> int:
    """Return the binary logarithm of a chunk size."""
    if not isinstance(chunk_size, int) or isinstance(chunk_size, bool):
        wrong_type(f"chunk_size is an int, not {type(chunk_size).__name__}")
    if chunk_size not in _CHUNK_SIZES:
        wrong_value(f"chunk_size is a power of 2 from 4096 to 16777216, not {chunk_size}")
    return chunk_size.bit_length() - 1


def primary_of(keyring: Any) -> tuple[bytes, Any]:
    """Return the primary key of a keyring with its id."""
    pairs = pairs_of(keyring)
    if not pairs:
        wrong_value("the keyring has no key yet: ring.add() makes one")
    return pairs[0]


def pairs_of(keyring: Any) -> list[tuple[bytes, Any]]:
    """Return the keys of a keyring with their ids, the primary key first."""
    return _checked(keyring)._pairs()


def _checked(keyring: Any) -> Keyring:
    if not isinstance(keyring, Keyring):
        wrong_type(f"keyring is a pythemis.keyring.Keyring, not {type(keyring).__name__}")
    return keyring


def check_mode(mode: object) -> None:
    """Refuse every mode but the two, and text with what to do."""
    if not isinstance(mode, str):
        wrong_type(
            f"mode is a str, 'rb' or 'wb', not {type(mode).__name__}; give a key by name: key=..."
        )
    if mode in ("rb", "wb"):
        return
    if set(mode) <= set("rwtU") and mode:
        kind = "wb" if "w" in mode else "rb"
        wrong_value(
            f"sealed files hold bytes: for text use mode {kind!r}, and io.TextIOWrapper(file, "
            "encoding='utf-8') around it"
        )
    found = repr(mode) if len(mode) <= _MODE_MAX else "a longer text"  # it may be a passphrase
    wrong_value(f"mode is 'rb' or 'wb', not {found}; a sealed file is written as a whole")


def refuse_for_reading(*, to: Any, hidden: Any, chunk_size: Any, pad: Any) -> None:
    """Refuse options that only writing has."""
    given = {
        "to": to != (),
        "hidden": hidden is not False,
        "chunk_size": chunk_size != CHUNK_SIZE,
        "pad": pad is not None,
    }
    for name, is_given in given.items():
        if is_given:
            wrong_value(f"{name}= is for writing, mode 'wb'")
