# SPDX-License-Identifier: Apache-2.0
"""Which kind of file it is, and what opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pythemis._core import cell_files, errors, layers, recognise, shapes
from pythemis._core.kinds import Kind

from . import _cells, _containers
from ._errors import refuse

if TYPE_CHECKING:
    from ._ends import Source
    from ._opened import Opened
    from ._options import Reading

_CELLS = {Kind.SEAL_CELL, Kind.PASSPHRASE_CELL}
_RECOGNISED = 20  # bytes, of a pipe


class Found:
    """What a file is, by its first bytes; they are read where it stands.

    Attributes:
        kind: a Kind, or None if it is nothing that is read here.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        if source.start is None:
            self._start, self._size = source.read(_RECOGNISED), None
            source.put_back(self._start)
        else:
            self._start, self._size = source.at(0, cell_files.START), source.size()
            source.rewind()
        node = layers.node_of_head(self._start, self._size)
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
        if not self._start:
            refuse(
                "this is not a sealed file: it is empty, or an open file stands at its end, and "
                "seek(0) goes to its start",
                errors.INVALID_PARAMETER,
            )
        own = (Kind.SEAL_CELL, Kind.PASSPHRASE_CELL, Kind.SEALED_FILE)
        why = recognise.why_not(self._start, *own) if self._size == len(self._start) else ""
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
            which = "key" if is_key else "passphrase"
            hint = "; of a ring the legacy keys open it, and no others" if is_key else ""
            refuse(f"this Seal cell was made with a {which}, and no {which} was given{hint}")
        source = self._source
        if source.start is None:
            assert self._found is not None
            assert self._found.promised is not None
            source = _cells.spooled(source, self._found.promised)
        try:
            start = source.at(0, cell_files.START)
            return _cells.open_cell(source, start, fitting, context)
        except BaseException:
            if source is not self._source:
                source.close()
            raise


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
    return _containers.opened(source, options.unlock())
