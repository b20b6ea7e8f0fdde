# SPDX-License-Identifier: Apache-2.0
"""The two rings of a cipher: one seals, the other makes blind indexes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pythemis._core import rings
from pythemis._core.errors import wrong_type, wrong_value
from pythemis._core.owner import opened
from pythemis.keyring import Keyring

from ._errors import ERRORS

Ring: TypeAlias = Keyring | Callable[[], Keyring]


class Rings:
    """The current ring that seals, and the current one of index keys."""

    def __init__(self, ring: Ring, index_key: Ring | None) -> None:
        _check(ring, "ring")
        if index_key is not None:
            _check(index_key, "index_key")
        self._ring, self._index_key = ring, index_key
        self._parted: tuple[Any, Any] = (None, None)

    def sealing(self) -> Keyring:
        """Return the ring that seals."""
        return _current(self._ring, "ring")

    def indexing(self) -> rings.Ring:
        """Return the ring of index keys, which share nothing with those that seal."""
        if self._index_key is None:
            wrong_value(
                ERRORS,
                "a blind index needs keys of its own: FieldCipher(ring, index_key=index_ring)",
            )
        ring: rings.Ring = opened(self.sealing())
        index: rings.Ring = opened(_current(self._index_key, "index_key"))
        if self._parted != (ring, index):
            _check_parted(ring, index)
            self._parted = (ring, index)
        return index


def _check(given: object, name: str) -> None:
    if not (isinstance(given, Keyring) or callable(given)):
        wrong_type(
            ERRORS,
            f"{name} must be a Keyring, or a function that returns one, not {type(given).__name__}",
        )


def _current(given: Ring, name: str) -> Keyring:
    ring = given if isinstance(given, Keyring) else given()
    if not isinstance(ring, Keyring):
        wrong_type(ERRORS, f"{name} returned {type(ring).__name__}, which is not a Keyring")
    return ring


def _check_parted(ring: rings.Ring, index: rings.Ring) -> None:
    """Refuse index keys that seal: an index would tell of them, and they would seal values."""
    if not rings.are_apart(ERRORS, ring, index):
        wrong_value(
            ERRORS,
            f"the index ring is the ring that seals (both are named {ring.name}, or share a key): "
            "make another one with Keyring.new(another_name).add()",
        )
