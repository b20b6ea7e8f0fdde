# SPDX-License-Identifier: Apache-2.0
"""How the content of a sealed file is cut into pieces (specification, section 8.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis._core import sealed as core
from pythemis._core.errors import wrong_type, wrong_value

if TYPE_CHECKING:
    from pythemis._core.errors import Errors

LENGTH_SIZE = core.LAST_MIN  # of the field at the end
SIZE_MAX = (1 << 63) - 1  # of a file
_BATCH = 1 << 18  # bytes that C works on in one call


def batch(log2: int, size: int = _BATCH) -> int:
    """Return how many pieces are worked on at a time."""
    return max(1, size >> log2)


def padme(size: int) -> int:
    """Return the smallest size from this one on whose binary form ends in enough zeros.

    It is at most 12 % more, and tells little about the size that it was made of.
    """
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def check_padding(errors: Errors, pad: Any) -> None:
    """Refuse a padding that does not exist."""
    if pad is None or (isinstance(pad, str) and pad == "padme"):
        return
    if isinstance(pad, str) or (isinstance(pad, int) and not isinstance(pad, bool)):
        if not isinstance(pad, str) and 0 <= pad <= SIZE_MAX:
            return
        found = "another text" if isinstance(pad, str) else pad
        wrong_value(errors, f"pad must be None, 'padme' or a number of bytes, not {found}")
    wrong_type(errors, f"pad must be None, 'padme' or an int, not {type(pad).__name__}")


def padded(length: int, log2: int, pad: Any) -> int:
    """Return how many bytes data of this length have with zeros and the length field."""
    total = length + LENGTH_SIZE
    if pad is not None:
        total = padme(total) if pad == "padme" else max(total, pad)
    rest = total & ((1 << log2) - 1)
    return total + LENGTH_SIZE - rest if 0 < rest < LENGTH_SIZE else total


class Layout(NamedTuple):
    """Where the chunks of a file are, all of which its size tells."""

    start: int  # of the first chunk
    end: int  # of the file
    log2: int
    piece: int  # bytes of each but the last
    chunk: int  # bytes of each but the last
    chunks: int  # how many
    total: int  # bytes of all pieces

    def span(self, first: int, past: int) -> tuple[int, int]:
        """Return where some chunks begin and end in the file."""
        stop = self.start + past * self.chunk
        return self.start + first * self.chunk, stop if stop < self.end else self.end


def layout(errors: Errors, head_size: int, log2: int, size: int) -> Layout:
    """Return the layout of a file of this size, if it can be one."""
    least = core.CHUNK_GROWTH + LENGTH_SIZE
    piece = 1 << log2
    chunk = piece + core.CHUNK_GROWTH
    rest = size - head_size
    if rest < least or 0 < rest % chunk < least or size > SIZE_MAX:
        core.malformed(errors, f"{size} bytes cannot be all of it; it was cut, or added to")
    count = -(-rest // chunk)
    total = rest - count * core.CHUNK_GROWTH
    return Layout(head_size, size, log2, piece, chunk, count, total)
