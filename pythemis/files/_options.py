# SPDX-License-Identifier: Apache-2.0
"""Which kind of file it is, and what of the options of `pythemis.files.open` opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._core import cell_files, errors, layers, recognise, shapes
from pythemis._core.kinds import Kind

from . import _cells
from ._errors import ERRORS, refuse, wrong_type, wrong_value
from ._secrets import passphrase_bytes

if TYPE_CHECKING:
    from pythemis._core.secret import SecretKey
    from pythemis._typing import Buffer

    from ._ends import Source
    from ._readers import Opened

_CELLS = {Kind.SEAL_CELL, Kind.PASSPHRASE_CELL}


class Found:
    """What a file is, by its first bytes; they are read where it stands.

    Attributes:
        kind: a Kind, or None if it is nothing that is read here.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        if source.start is None:
            self.start, self._size = source.read(cell_files.START), None
        else:
            self.start, self._size = source.at(0, cell_files.START), source.size()
            source.rewind()
        node = layers.node_of_head(self.start, self._size)
        self._found = shapes.cell(node) or shapes.sealed(node)
        self.kind = self._found.kind if self._found is not None else None

    @property
    def is_sealed(self) -> bool:
        """Whether it is a file of one of our kinds."""
        if self._found is None:
            return False
        size = self._found.promised
        if self.kind in _CELLS:
            return size is not None and self._size in (None, size)
        return self.kind in (Kind.SEALED_FILE, Kind.NEWER_SEALED_FILE)

    def refuse(self) -> None:
        """Refuse what is no sealed file, with what it is."""
        own = (Kind.SEAL_CELL, Kind.PASSPHRASE_CELL, Kind.SEALED_FILE)
        why = recognise.why_not(self.start, *own) if self._size == len(self.start) else ""
        if not why and self._found is not None and self._size is not None:
            promised = self._found.promised
            why = recognise.length_misfit(promised, self._size, by="the header", newline=False)
            why = why and f", or {why}"
        refuse(f"this is not a sealed file{why}", errors.INVALID_PARAMETER)

    def must_be_cell(self) -> None:
        """Refuse everything but an ordinary cell."""
        if self.kind is Kind.SEALED_FILE:
            text = "this is a sealed file with slots, not a Seal cell: files.open reads it"
            refuse(text, errors.INVALID_PARAMETER)
        if self.kind not in _CELLS or not self.is_sealed:
            self.refuse()

    def cell(self, secrets: list[cell_files.Secret], context: bytes) -> _cells.OpenedCell:
        """Verify a cell under the secrets that are of its kind."""
        is_key = self.kind is Kind.SEAL_CELL
        fitting = [secret for secret in secrets if secret.is_key == is_key]
        if not fitting:
            which = ("key", "passphrase") if is_key else ("passphrase", "key")
            refuse(f"the file was sealed with a {which[0]}, and a {which[1]} was given")
        source = self._source
        if source.start is None:
            assert self._found is not None
            assert self._found.promised is not None
            source = _cells.spooled(source, self.start, self._found.promised)
        try:
            return _cells.open_cell(source, self.start, fitting, context)
        except BaseException:
            if source is not self._source:
                source.close()
            raise


class Reading(NamedTuple):
    """The options that open a file."""

    key: Buffer | SecretKey | None
    passphrase: Buffer | SecretKey | str | None
    keyring: Any
    private_key: Buffer | SecretKey | None
    sender: Buffer | None
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
            pairs_of(self.keyring)
        return self

    def cell_secrets(self) -> list[cell_files.Secret]:
        """Return the secrets that can open an ordinary cell."""
        keys = [] if self.key is None else [self.key]
        if self.keyring is not None:
            keys += [key for _, key in pairs_of(self.keyring)]
        made = [cell_files.key(ERRORS, key) for key in keys]
        if self.passphrase is not None:
            made.append(cell_files.passphrase(ERRORS, passphrase_bytes(self.passphrase)))
        return made


def pairs_of(keyring: Any) -> list[tuple[bytes, Any]]:
    """Return the keys of a keyring with their ids."""
    pairs = getattr(keyring, "_pairs", None)
    if pairs is None:
        wrong_type(f"keyring is a pythemis.keyring.Keyring, not {type(keyring).__name__}")
    return list(pairs())


def check_mode(mode: object) -> None:
    """Refuse every mode but the two, and text with what to do."""
    if not isinstance(mode, str):
        wrong_type(f"mode is a str, 'rb' or 'wb', not {type(mode).__name__}")
    if mode in ("rb", "wb"):
        return
    if set(mode) <= set("rwtU") and mode:
        kind = "wb" if "w" in mode else "rb"
        wrong_value(
            f"sealed files hold bytes: for text use mode {kind!r}, and io.TextIOWrapper(file, "
            "encoding='utf-8') around it"
        )
    wrong_value(f"mode is 'rb' or 'wb', not {mode!r}; a sealed file is written as a whole")


def refuse_for_reading(*, to: Any, hidden: Any, chunk_size: Any, pad: Any) -> None:
    """Refuse options that only writing has."""
    given = {
        "to": to != (),
        "hidden": hidden is not False,
        "chunk_size": chunk_size != 65536,
        "pad": pad is not None,
    }
    for name, is_given in given.items():
        if is_given:
            wrong_value(f"{name}= is for writing, mode 'wb'")


def opened(source: Source, options: Reading) -> Opened:
    """Open a file of whichever kind it is."""
    found = Found(source)
    if found.kind in _CELLS and found.is_sealed:
        if options.sender is not None:
            refuse(
                "an ordinary Seal cell has no sender, so the one that was named did not write it"
            )
        return found.cell(options.cell_secrets(), options.context)
    if found.kind is Kind.NEWER_SEALED_FILE:
        refuse(
            "the sealed file is of a later version of the format; a newer pythemis may read it",
            errors.NOT_SUPPORTED,
        )
    if found.kind is not Kind.SEALED_FILE:
        found.refuse()
    return refuse("sealed files with slots are not read yet", errors.NOT_SUPPORTED)
