# SPDX-License-Identifier: Apache-2.0
"""Write a new file in another thread, while the bytes that follow are encrypted or decrypted.

On two cores that takes the time of the longer half. A small file is written without a thread.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from threading import Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._atomic import NewFile

_SOON = 1 << 20  # bytes after which a thread is worth its cost
_MOST = 1 << 20  # bytes of a part that may wait, so that memory stays bounded


class Behind:
    """What writes to a new file: one part waits while another one is written.

    What goes wrong is raised by a later call, `finish` at the latest. One thread at a time calls.
    """

    def __init__(self, file: NewFile) -> None:
        self._file = file
        self._pid = os.getpid()
        self._size = 0
        self._thread: Thread | None = None
        self._slot: bytes | None = None  # the part that waits
        self._is_free, self._is_full = Lock(), Lock()  # unlocked if the slot is so
        self._is_full.acquire()
        self._is_ending = False
        self._error: BaseException | None = None  # what ended it

    def write(self, data: Any) -> None:
        """Write all of a part, or have it written; only exact ``bytes`` waits."""
        self._check()
        self._size += len(data)
        small = type(data) is bytes and len(data) <= _MOST
        if not small or self._size < _SOON or not self._start():
            self._drain()
            self._file.write(data)
            return
        try:
            self._is_free.acquire()
            self._slot = data
            self._is_full.release()
        except BaseException:  # an interrupt, after which the state of the locks is unknown
            self._error = _discarded()
            raise

    def finish(self) -> None:
        """Wait until everything is written."""
        self._check()
        self._drain()

    def drop(self) -> None:
        """Write nothing more; afterwards the file may be closed. Again is fine."""
        self._error = self._error or _discarded()
        self._end()

    def _start(self) -> bool:
        """Return whether there is a thread, which is started if it is not there yet."""
        if self._thread is None:
            self._is_ending = False
            self._thread = Thread(target=self._work, name="pythemis-writer", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the system allows no more of them
                self._thread = None
        return self._thread is not None

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._pid != os.getpid():  # whose thread is not here
            text = "a forked process cannot finish its parent's file"
            raise OSError(errno.EPERM, text, self._file.path)

    def _drain(self) -> None:
        if self._thread is not None:
            self._end()
            self._check()

    def _end(self) -> None:
        """Have the thread end after the part that waits; whatever was interrupted before."""
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return
        self._is_ending = True
        with suppress(RuntimeError):  # it is unlocked already
            self._is_full.release()
        # When Python ends no thread goes on, so none can be waited for.
        if not sys.is_finalizing() and thread is not current_thread():
            try:
                thread.join()
            except BaseException:  # an interrupt; the file is closed next, so wait all the same
                thread.join()
                raise
        self._is_full.acquire(blocking=False)
        self._thread = None

    def _work(self) -> None:
        while True:
            self._is_full.acquire()
            data, self._slot = self._slot, None
            if data is not None:
                with suppress(RuntimeError):
                    self._is_free.release()
                self._put(data)
            if self._is_ending and self._slot is None:
                return

    def _put(self, data: bytes) -> None:
        if self._error is None:
            try:
                self._file.write(data)
            except BaseException as error:  # noqa: BLE001  (the other thread raises it)
                self._error = error.with_traceback(None)


def _discarded() -> OSError:
    return OSError(errno.ECANCELED, "this file is discarded")
