# SPDX-License-Identifier: Apache-2.0
"""Follow a keyring that changes, by the rule of reloading (formats, section 9.3)."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._core import forks, rings
from pythemis._core.errors import DATA_CORRUPT, FAIL, INVALID_PARAMETER, NOT_SUPPORTED

from ._errors import ERRORS, KeyringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._sources import Source

# With these errors the same bytes would be refused again; a lack of memory, for one, may pass.
_LASTING = (FAIL, INVALID_PARAMETER, DATA_CORRUPT, NOT_SUPPORTED)


class _State(NamedTuple):
    """What was found last; replaced as a whole, so that threads see it whole."""

    ring: Any  # a Keyring
    held: rings.Ring  # what it owns, also when it is closed
    mark: object  # of the bytes that the ring was read from
    refused: object  # the mark of bytes that were refused
    due: float  # the monotonic time of the next look


class Follower:
    """The newest version of a ring that a running program may use."""

    def __init__(
        self,
        source: Source,
        opened: Callable[[bytes], rings.Ring],
        made: Callable[[rings.Ring], Any],
        seconds: float,
        on_refused: Callable[[Exception], object] | None,
    ) -> None:
        self._source, self._opened, self._made = source, opened, made
        self._seconds, self._on_refused = seconds, on_refused
        if on_refused is None:  # loaded now: when it is used no descriptor may be free
            self._log = _logged()
        self._looking = Lock()
        data, mark = source.read()
        held = opened(data)
        self._state = _State(made(held), held, mark, None, time.monotonic() + seconds)
        forks.watch(self)

    def _after_fork(self) -> None:
        self._looking = Lock()  # a thread that held it does not exist in the child

    def current(self) -> Any:
        """Return the ring; look for a newer one if it is time. Other threads do not wait for it."""
        looking = self._looking
        if self._is_time() and not looking.locked():
            # Not acquire(blocking=False): what a signal handler raises then would leave it taken.
            with looking:
                if self._is_time():  # no thread looked between the two
                    self._look()
        state = self._state
        # A caller that closed the ring closed that object alone.
        return state.ring if state.ring._held is not None else self._made(state.held)

    def _is_time(self) -> bool:
        return time.monotonic() >= self._state.due

    def _look(self) -> None:
        state = self._state._replace(due=time.monotonic() + self._seconds)
        self._state = state
        mark = None
        try:
            mark = self._source.mark()
            if mark in (state.mark, state.refused):
                return
            data, mark = self._source.read()
            held = self._opened(data)
            why = rings.why_not_after(state.held, held)
            if why:
                raise ERRORS.failed(FAIL, f"the new keyring is refused: {why}")
            ring = self._made(held)
            self._state = state._replace(ring=ring, held=held, mark=mark, refused=None)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the ring in use stays
            if isinstance(error, KeyringError) and error.error_code in _LASTING:
                self._state = state._replace(refused=mark)
            refusal = error
        else:
            return
        self._report(state.held, refusal)

    def _report(self, ring: rings.Ring, error: Exception) -> None:
        if self._on_refused is not None:
            self._on_refused(error)
        else:
            self._log(
                "keyring %s: version %d stays in use: %s: %s",
                ring.name,
                ring.version,
                type(error).__name__,
                error,
            )


def _logged() -> Callable[..., object]:
    import logging  # which takes longer than all else here

    return logging.getLogger("pythemis.keyring").error
