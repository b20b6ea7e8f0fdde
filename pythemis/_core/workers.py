# SPDX-License-Identifier: Apache-2.0
"""Work on a list in parts, over threads."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, islice
from os import cpu_count
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import Errors, wrong_type, wrong_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    ResultT = TypeVar("ResultT")

# More threads than processors make nothing faster: a million threads would only cost memory.
_THREADS_MAX = max(64, cpu_count() or 1)


def run(
    errors: Errors,
    count: int,
    parts: Iterator[range],
    threads: int,
    work: Callable[[range], Iterable[ResultT]],
) -> list[ResultT]:
    """Work on all parts of ``count`` items; raise the error of the first part that has one."""
    if not isinstance(threads, int) or isinstance(threads, bool):
        wrong_type(errors, "threads must be an int")
    if threads < 1:
        wrong_value(errors, "threads must be 1 or more")
    if threads == 1:
        made: list[ResultT] = []
        for part in parts:
            made += work(part)
        return made
    return _Crew(count, parts, work).run(threads)


class _Crew:
    """Threads that take parts one by one, in their order, until none is left or one has failed."""

    def __init__(
        self, count: int, parts: Iterator[range], work: Callable[[range], Iterable[Any]]
    ) -> None:
        self._parts = parts  # cut while others work
        self._taking = Lock()
        self._work = work
        self._made: list[Any] = [None] * count
        self._errors: dict[int, BaseException] = {}

    def run(self, threads: int) -> list[Any]:
        first = list(islice(self._parts, min(threads, _THREADS_MAX)))
        self._parts = chain(first, self._parts)
        others = [Thread(target=self._take_parts, daemon=True) for _ in first[1:]]
        try:
            with suppress(RuntimeError):  # the system gives no more threads: fewer do it, too
                for other in others:
                    other.start()
            self._take_parts()
        finally:
            self._parts = iter(())  # no thread starts another part, however this one ended
            for other in others:
                if other.ident is not None:
                    other.join()
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._made

    def _take_parts(self) -> None:
        # Asked before a part is taken: what was taken is done, so that no error of an earlier part
        # is missed.
        while not self._errors:
            with self._taking:
                part = next(self._parts, None)
            if part is None:
                return
            try:
                self._made[part.start : part.stop] = self._work(part)
            except BaseException as error:  # noqa: BLE001 -- raised again in the caller's thread
                self._errors[part.start] = error
