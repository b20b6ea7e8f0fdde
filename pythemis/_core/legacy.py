# SPDX-License-Identifier: Apache-2.0
"""What 0.15 made of text that was given as the key or the context of a Secure Cell."""

from __future__ import annotations

import sys
from _codecs import utf_32_le_encode
from _warnings import warn as warn_at

_PACKAGE = __name__.partition(".")[0]


def warn(message: str, category: type[Warning]) -> None:
    """Warn of the line that called this package, through however many frames of it."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and str(frame.f_globals.get("__package__")).partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    try:  # noqa: SIM105 -- contextlib takes a while to load
        warn_at(message, category, stacklevel=level)
    except (ImportError, OSError):  # it loads `warnings` on some versions, and nothing loads now
        pass


def legacy_text(text: str) -> bytes:
    """Return the first ``len(text)`` bytes of UTF-32-LE: 0.15 read a text's memory as bytes."""
    # Not str.encode, which would load a module for it.
    return utf_32_le_encode(text, "surrogatepass")[0][: str.__len__(text)]  # of subclasses too


def bytes_of_key(key: str) -> bytes:
    """Return the bytes that 0.15 took from a ``str`` key, with its warning."""
    warn(
        'master key should be "bytes": a str is read in the odd way of old versions, where only '
        "its first quarter counts, and only decrypts; for new data give the bytes of a key "
        "(base64.b64decode(text), if it is base64), or SCellSeal(passphrase=text) for what people "
        "remember",
        UserWarning,
    )
    return legacy_text(key)


def warn_of_context() -> None:
    """Warn of a ``str`` context."""
    warn(
        'context should be "bytes": a str is read in the odd way of old versions, where only its '
        "first quarter counts; if the data was encrypted under 'text'.encode(), give that",
        UserWarning,
    )
