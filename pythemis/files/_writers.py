# SPDX-License-Identifier: Apache-2.0
"""The file object that `pythemis.files.open` returns for writing."""

from __future__ import annotations

import io
import sys
import threading
import warnings
from typing import Any, NoReturn

from pythemis import _sealed
from pythemis._core import forks, legacy
from pythemis._hints import Buffer

from ._ends import Target, is_path
from ._errors import ERRORS, wrong_type

_DISCARDED = (
    "a sealed file that is closed while an exception is handled is discarded, for the block that "
    "writes it may have failed; to keep the file, close it after the handler, or open it there"
)


class SealedWriter(io.BufferedIOBase):
    """A file that `open` has opened for writing: an `io.BufferedIOBase` that takes plaintext.

    The file is complete once it is closed; only then does a path name it. An exception in the
    ``with`` block discards it: at a path everything is as it was, and an open file is left
    truncated, which every reader refuses. The same holds if it is closed while an exception is
    handled that came up after it was opened, as `io.TextIOWrapper` does in a ``with`` block, and if
    it is never closed.
    """

    __module__ = "pythemis.files"
    mode = "wb"

    def __init__(
        self, given: Any, slots: Any, context: bytes, log2: int, pad: Any, held: Any = None
    ) -> None:
        if not isinstance(slots, _sealed.Slots):
            wrong_type("a SealedWriter is made by files.open(path, 'wb')")
        self._lock = threading.RLock()  # writing changes the state; a signal handler may write
        self._handled = sys.exc_info()[1]
        self._target: Target | None = Target(given, held)
        if is_path(given):
            self.name = given
        try:
            self._writer = _sealed.Writer(
                ERRORS, self._target.write, slots, context, log2=log2, pad=pad
            )
        except BaseException:
            self.discard()
            raise
        forks.watch(self)

    def _after_fork(self) -> None:
        self._lock = threading.RLock()  # a thread that held it does not exist in the child

    def writable(self) -> bool:
        self._opened()
        return True

    def _opened(self) -> Target:
        target = self._target
        if target is None:
            raise ValueError("I/O operation on closed file")
        return target

    def write(self, data: Buffer, /) -> int:
        """Encrypt data; return how many bytes it has.

        Raises:
            SealedFileError: not bytes, or an earlier write has failed.
            OSError: from the file, such as a full disk, at this write or one before it.
        """
        with self._lock:
            self._opened()
            if isinstance(data, str):
                wrong_type(
                    "a sealed file takes bytes, not str: encode the text, or put "
                    "io.TextIOWrapper(file, encoding='utf-8') around the file"
                )
            return self._writer.write(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        self._opened()
        return self._writer.length

    def detach(self) -> NoReturn:
        """Refuse: what is below takes no plaintext."""
        raise io.UnsupportedOperation("a sealed file has no raw file to detach")

    def close(self) -> None:
        """Write the rest, and put the file in its place; again is fine.

        While an exception is handled that came up after the file was opened, it is discarded
        instead, with a RuntimeWarning.

        Raises:
            OSError: from the file. Then it is discarded.
        """
        with self._lock:
            handled = sys.exc_info()[1]
            if self._target is None:
                return
            if handled is not None and handled is not self._handled:
                self.discard()
                legacy.warn(_DISCARDED, RuntimeWarning)
                return
            try:
                self._writer.finish()
                self._target.close()
            except BaseException:
                self.discard()
                raise
            self._target = None
            super().close()

    def discard(self) -> None:
        """Close the file without a result; again, or after `close`, is fine."""
        with self._lock:
            target, self._target = self._target, None
            if target is not None:
                target.discard()
            writer = getattr(self, "_writer", None)
            if writer is not None:
                writer.close()
            super().close()

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("cannot pickle or copy 'SealedWriter' object")

    def __repr__(self) -> str:
        name = f" name={self.name!r}" if hasattr(self, "name") else ""
        closed = " (closed)" if getattr(self, "_target", None) is None else ""
        return f"<SealedWriter{name}{closed}>"

    def __del__(self) -> None:
        if getattr(self, "_target", None) is not None:
            text = f"{self!r} was never closed, so its file is not written: use a with block"
            self.discard()  # it was not closed, so it is not complete
            warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
