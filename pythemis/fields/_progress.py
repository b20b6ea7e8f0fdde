# SPDX-License-Identifier: Apache-2.0
"""How far a run over a table is: a bar on a terminal, and the rate that it keeps to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_WIDTH = 30
_SLOW = 0.2  # seconds between two pictures of a bar


class Pace:
    """Sleep so that no more than so many rows are looked at in a second.

    Args:
        rate: rows in a second; None: no limit.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate, self._rows, self._started = rate, 0, time.monotonic()

    def passed(self, rows: int) -> None:
        """Count rows, and sleep."""
        self._rows += rows
        if self._rate:
            due = self._started + self._rows / self._rate
            time.sleep(max(0.0, due - time.monotonic()))


class Bar:
    """A bar, where the stream is a terminal; nothing elsewhere.

    Args:
        stream: of text.
        name: of the table.
        total: counts its rows; it is called for a terminal alone.
    """

    def __init__(self, stream: Any, name: str, total: Callable[[], int]) -> None:
        self._stream = stream if _is_terminal(stream) else None
        self._total = total() if self._stream is not None else 0
        self._name, self._done = name, 0
        self._started = self._shown = time.monotonic()

    def passed(self, rows: int) -> None:
        """Count rows, and show it."""
        self._done += rows
        now = time.monotonic()
        if self._stream is not None and now - self._shown >= _SLOW:
            self._shown = now
            share = min(1.0, self._done / self._total) if self._total else 1.0
            full = "#" * int(share * _WIDTH)
            pace = self._done / max(now - self._started, 1e-6)
            self._stream.write(
                f"\r{self._name} [{full:<{_WIDTH}}] {share:4.0%} {pace:,.0f} rows/s "
            )
            self._stream.flush()

    def close(self) -> None:
        """Wipe the bar away."""
        if self._stream is not None:
            self._stream.write("\r" + " " * (len(self._name) + _WIDTH + 30) + "\r")
            self._stream.flush()


def _is_terminal(stream: Any) -> bool:
    is_terminal = getattr(stream, "isatty", None)
    return bool(is_terminal is not None and is_terminal())
