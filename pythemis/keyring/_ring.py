# SPDX-License-Identifier: Apache-2.0
"""The keyring itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

from pythemis import _sealed
from pythemis._core import errors, owner, ring_lists, rings
from pythemis._core.rings import KeyInfo
from pythemis._core.secret import SecretKey
from pythemis._hints import Buffer, Self, Service

from . import _files
from ._errors import ERRORS

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Services: TypeAlias = Service | Sequence[Service]
Contexts: TypeAlias = Buffer | Iterable[Buffer | None] | None
KeyringT = TypeVar("KeyringT", bound="Keyring")


class Keyring(owner.Immutable):
    """The keys of an application, of which one is primary (formats, section 9).

    A keyring never changes: `add`, `promote`, `retire` and the other changes return a new one,
    whose version is higher by 1. Threads may share it; `copy.copy` and `copy.deepcopy` return the
    object itself. Make one with `Keyring.new`, or read one with `load`.

    Changing keys takes two steps, because programs learn of a new ring one after the other:

    1. ``ring = ring.add()``: save it, and load it into every program. All can read the new key,
       none writes under it yet.
    2. ``ring = ring.promote(ring.ids[-1])``: save and load it again. From now on new values are
       written under the new key.

    Then `rotate` old values, `retire` the old key, and later `remove` it.
    """

    __module__ = "pythemis.keyring"
    _errors = ERRORS

    def __init__(self, *_: object, **__: object) -> None:
        errors.wrong_type(
            ERRORS, "make a keyring with Keyring.new(name), or read one with keyring.load(...)"
        )

    @classmethod
    def new(cls, name: str) -> Self:
        """Make a keyring without keys; the first `add` makes its primary key.

        Args:
            name: what the ring is for: 1 to 64 characters of ``a-z 0-9 . _ -``, the first a letter
                or digit. A program that loads the ring must know it.

        Returns:
            A keyring of version 0, which can neither encrypt nor be saved yet.

        Raises:
            KeyringError: not such a name.
        """
        return made_of(cls, rings.new(ERRORS, _text("the name", name)))

    # ---- What it tells ----

    @property
    def name(self) -> str:
        """The name of the ring."""
        return self._ring().name

    @property
    def version(self) -> int:
        """The version of the ring; each change raises it by 1."""
        return self._ring().version

    @property
    def keys(self) -> tuple[KeyInfo, ...]:
        """What is public of each key, in the order in which they were added."""
        return self._ring().keys

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the keys, each 10 hex digits, the newest last."""
        return tuple(key.id for key in self._ring().keys)

    @property
    def primary(self) -> str | None:
        """The id of the key that new values are written under; None if there are no keys."""
        return self._ring().prefix[3:].hex() or None

    @property
    def legacy_count(self) -> int:
        """The number of legacy keys."""
        return self._ring().legacy_count

    @property
    def prefix(self) -> bytes:
        """The first 8 bytes of values under the primary key; others need rotation.

        ``SELECT count(*) FROM t WHERE substr(value, 1, 8) <> :prefix`` counts what is old.

        Raises:
            KeyringError: the ring has no keys.
        """
        prefix = self._ring().prefix
        if not prefix:
            raise rings.without_keys(ERRORS)
        return prefix

    def pin(self, key_id: str) -> str:
        """Return the pin of a key: 32 hex digits that tell a ring which has this key.

        You may publish it. `load` refuses a ring without a key of the pin that it is given.

        Args:
            key_id: one of `ids`.

        Raises:
            KeyringError: the ring has no such key.
        """
        return rings.pin(ERRORS, self._ring(), _id(key_id))

    def _pairs(self) -> list[tuple[bytes, SecretKey]]:
        """Return the keys with their ids, the primary key first: for `pythemis.files`."""
        return rings.pairs(ERRORS, self._ring())

    def _legacy(self) -> list[SecretKey]:
        """Return the legacy keys in their order: for `pythemis.files`."""
        return rings.legacy_secrets(ERRORS, self._ring())

    # ---- Changes ----

    def add(self, key: Buffer | SecretKey | None = None) -> Self:
        """Return a ring with one more key, which is active; the first key is primary.

        Args:
            key: 32 random bytes; None generates them.

        Raises:
            KeyringError: a key that is not 32 bytes or that the ring has already, or more than 256.
        """
        return made_of(type(self), rings.add(ERRORS, self._ring(), max(0, int(time.time())), key))

    def add_legacy(self, key: Buffer | SecretKey) -> Self:
        """Return a ring that also reads bare Seal cells, which were written before it existed.

        Legacy keys read cells without a key id and nothing else; new values never depend on them.
        A key that looks thought up (text, or less than 16 bytes) causes a warning: rotate what
        it reads soon, then use `drop_legacy`. Legacy keys are tried in the order in which they were
        added, each with a pass over the cell.

        Args:
            key: 1 to 1024 bytes, the key of an `pythemis.scell.SCellSeal`.

        Raises:
            KeyringError: a key that is empty, too long, or in the ring already; or more than 64.
        """
        return made_of(type(self), rings.add_legacy(ERRORS, self._ring(), key))

    def promote(self, key_id: str) -> Self:
        """Return a ring that writes new values under this key.

        Load the ring with the added key into every program first: a program that lacks the key
        cannot read what others write under it.

        Raises:
            KeyringError: no such key, or a retired one.
        """
        return self._changed(rings.PROMOTE, key_id, "promoted")

    def retire(self, key_id: str) -> Self:
        """Return a ring in which this key only reads.

        Raises:
            KeyringError: no such key, the primary key, or a retired one.
        """
        return self._changed(rings.RETIRE, key_id, "retired")

    def remove(self, key_id: str) -> Self:
        """Return a ring without this key; values under it can no longer be read.

        Raises:
            KeyringError: no such key, or one that is not retired.
        """
        return self._changed(rings.REMOVE, key_id, "removed")

    def drop_legacy(self) -> Self:
        """Return a ring without legacy keys; bare cells can no longer be read.

        Raises:
            KeyringError: there are none.
        """
        what = "no legacy keys are dropped"
        made = rings.change(ERRORS, self._ring(), rings.DROP_LEGACY, bytes(rings.ID_SIZE), what)
        return made_of(type(self), made)

    def _changed(self, kind: int, key_id: str, verb: str) -> Self:
        what = f"key {key_id} is not {verb}"
        return made_of(type(self), rings.change(ERRORS, self._ring(), kind, _id(key_id), what))

    def _ring(self) -> rings.Ring:
        ring: rings.Ring = self._held or owner.refuse_closed(self)
        return ring

    # ---- Files ----

    def save(
        self,
        path: Path,
        *,
        key: Buffer | SecretKey | None = None,
        passphrase: Buffer | str | SecretKey | None = None,
        service: Services | None = None,
        replace_slots: bool = False,
    ) -> None:
        """Save the ring as a sealed file, which `load` reads (formats, section 9.3).

        The file is written whole or not at all, with mode 0600. A file that is there is replaced
        only by a newer version of the ring in it, so that no change is lost: give what opens it,
        or save a ring that was loaded from it.

        Each of the three opens the file by itself; give at least one.

        Args:
            path: a free name, or that of an older version of the ring.
            key: 16 bytes or more; 32 random ones are recommended.
            passphrase: text (UTF-8), or bytes. It is stretched by 600000 iterations of PBKDF2.
            service: a key service, as those of `pythemis.kms`, or a list of them.
            replace_slots: allow that what opened the old file does not open the new one.

        Raises:
            KeyringError: a ring without keys; a file of the same version or a newer one, of another
                ring, or that cannot be opened; or a way to open it would be lost.
            ServiceError: the service failed.
            OSError: the file cannot be read or written.
        """
        slots = _sealed.Slots(
            keys=[] if key is None else [(b"", key)],
            passphrases=[] if passphrase is None else [passphrase],
            services=services_of(service),
        )
        _files.save(self._ring(), path, slots, replace_slots=replace_slots)

    # ---- Values ----

    def encrypt(self, message: Buffer, context: Buffer | None = None) -> bytes:
        """Encrypt a message under the primary key and bind it to a context.

        Args:
            message: 1 to 2^32-1 bytes.
            context: where the value is stored, such as ``place("customers", "email", id)``; you
                must pass it again to `decrypt`. It must not begin with ``TSFILE1``.

        Returns:
            The stored value, ``len(message) + 52`` bytes: ``TK1``, the id of the key, and a Seal
            cell that every Themis reads.

        Raises:
            KeyringError: an empty or too long message, a wrong type, a ring without keys.
        """
        return rings.encrypt(self, message, context)

    def decrypt(self, stored: Buffer, context: Buffer | None = None) -> bytes:
        """Decrypt a stored value under the key that it names, or a bare cell under legacy keys.

        Args:
            stored: what `encrypt` returned.
            context: what was given to `encrypt`.

        Returns:
            The message.

        Raises:
            KeyringError: no such key in the ring, a wrong context, or data that is corrupted, of a
                newer version, or no stored value.
        """
        return rings.decrypt(self, stored, context)

    def encrypt_many(
        self, messages: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Encrypt a list of messages, faster than one by one.

        Args:
            messages: each of 1 to 2^32-1 bytes.
            contexts: one for each message, or one for all of them.
            threads: the most threads that share the work; other Python threads run meanwhile.

        Returns:
            A list with the result of `encrypt` for each message, in the same order.

        Raises:
            KeyringError: as `encrypt`, for the first message that is refused, with its ``index``.
                Then no result is returned.
        """
        return ring_lists.encrypt_list(self, messages, contexts, threads)

    def decrypt_many(
        self, stored: Iterable[Buffer], contexts: Contexts = None, *, threads: int = 1
    ) -> list[bytes]:
        """Decrypt a list of stored values.

        Arguments, order and errors are like those of `encrypt_many`.
        """
        return ring_lists.decrypt_list(self, stored, contexts, threads)

    def rotate(self, stored: Buffer, context: Buffer | None = None) -> bytes:
        """Return the value under the primary key, encrypted anew.

        The message stays within the C core. Ask `needs_rotation` first to skip values that are
        under the primary key already.

        Raises:
            KeyringError: as `decrypt`.
        """
        return rings.rotate(self, stored, context)

    def needs_rotation(self, stored: Buffer) -> bool:
        """Return whether a value is under another key than the primary one, or a bare cell.

        Only its first 8 bytes are looked at, and nothing is decrypted.

        Raises:
            KeyringError: data that does not begin like a stored value or a Seal cell.
        """
        return rings.needs_rotation(self, stored)

    def key_id(self, stored: Buffer) -> str | None:
        """Return the id of the key that a stored value names, which need not be in the ring.

        Returns:
            10 hex digits; None of a bare cell.

        Raises:
            KeyringError: as `needs_rotation`.
        """
        return rings.key_id(self, stored)


def services_of(service: Services | None) -> Sequence[Service]:
    """Return the services that are given as one or as a list."""
    if service is None:
        return ()
    given = list(service) if isinstance(service, (list, tuple)) else [service]
    for each in given:
        if not all(hasattr(each, name) for name in ("name", "wrap", "unwrap")):
            errors.wrong_type(
                ERRORS,
                "service must be a key service, which has name, wrap and unwrap, or a list of "
                f"them, not {type(each).__name__}",
            )
    return given  # type: ignore[return-value]


def made_of(kind: type[KeyringT], ring: rings.Ring) -> KeyringT:
    """Return a keyring that owns a ring; `__init__` makes none."""
    made = kind.__new__(kind)
    owner.own(made, lambda _: ring)
    return made


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        errors.wrong_type(ERRORS, f"{what} must be text, not {type(value).__name__}")
    return value


def _id(key_id: object) -> bytes:
    """Return the bytes of an id."""
    text = _text("the id of a key", key_id)
    digits = "0123456789abcdef"
    if len(text) != 2 * rings.ID_SIZE or not all(digit in digits for digit in text):
        errors.wrong_value(ERRORS, "the id of a key has 10 lower-case hex digits: see ring.ids")
    return bytes.fromhex(text)
