# SPDX-License-Identifier: Apache-2.0
"""Input and output: files, pipes and terminals, "-" and base64."""

from __future__ import annotations

import errno
import os
import sys
from base64 import b64decode, b64encode
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISCHR, S_ISFIFO
from typing import TYPE_CHECKING, Any

from pythemis import _atomic

from .errors import OutputError, refused, sentence_of, usage

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import BinaryIO

STANDARD = "-"
_BLANK = b" \t\r\n"
_LINE_ENDS = frozenset("\n\t\r")
FORCE = "; -f replaces it"
_NO_NAME = {  # no file that can be replaced has such a name: a mistake in the arguments
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG)
}
NO_TERMINAL = (
    "this is binary, and the output is a terminal: give -o FILE, or -o - to print it anyway"
)


def standard_input() -> BinaryIO:
    """Return the standard input, for bytes."""
    if sys.stdin is None:
        raise usage("the standard input is closed")
    return sys.stdin.buffer


def standard_output() -> BinaryIO:
    """Return the standard output, for bytes."""
    if sys.stdout is None:
        raise usage("the standard output is closed")
    sys.stdout.flush()
    return sys.stdout.buffer


def forget_output() -> None:
    """Have nothing that is still buffered written when Python ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: object) -> None:
    """Print a part of a report."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        forget_output()
        raise OutputError(error) from None


@contextmanager
def written(advice: str = "") -> Iterator[None]:
    """Have one sentence say why a file cannot be written, and what to do if there is one."""
    try:
        yield
    except FileExistsError as error:
        raise usage(f"{os.fsdecode(error.filename)} is there already{advice}") from None
    except OSError as error:
        text, _ = sentence_of(error)
        raise (usage if error.errno in _NO_NAME else refused)(text) from None


def read(name: str, *, is_base64: bool = False, most: int = -1) -> bytes:
    """Read a file, or the standard input; no more than so many bytes, if that is said."""
    if name == STANDARD:
        data = standard_input().read(most)
    else:
        with Path(name).open("rb") as file:
            data = file.read(most)
    return decoded(data) if is_base64 else data


def decoded(text: bytes) -> bytes:
    """Decode base64 with line ends."""
    try:
        return b64decode(text.translate(None, _BLANK), validate=True)
    except ValueError:
        raise refused("the input is not base64") from None


def write(options: argparse.Namespace, data: bytes, *, is_base64: bool = False) -> None:
    """Write a result to where it belongs; as text in base64, with a newline, if asked."""
    if is_base64:
        data = b64encode(data) + b"\n"
    name = options.output
    if name is not None and name != STANDARD:
        if is_stream(name):
            with Path(name).open("wb", buffering=0) as stream:
                write_pipe(stream, data)
        else:
            write_file(name, data, force=options.force)
        return
    output = standard_output()
    if name is None and output.isatty() and not is_printable(data):
        raise usage(NO_TERMINAL)
    write_pipe(output, data)


def is_stream(name: str) -> bool:
    """Return whether this is a pipe or a device, such as /dev/null, which nothing can replace."""
    try:
        mode = Path(name).stat().st_mode
    except OSError:
        return False
    return S_ISCHR(mode) or S_ISFIFO(mode)


def write_pipe(output: Any, data: Any) -> None:
    """Write to the standard output, or to another pipe or device."""
    try:
        with memoryview(data).cast("B") as left:
            done = 0
            while done < len(left):  # an unbuffered file may take less at a time
                done += output.write(left[done:])
        output.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if sys.stdout is not None and output is sys.stdout.buffer:
            forget_output()
        raise OutputError(error) from None


def write_file(name: str, data: bytes, *, force: bool, public: bool = False) -> None:
    """Write a file whole or not at all; what is public gets the mode of any file."""
    with written(FORCE), _atomic.NewFile(name, new=not force) as file:
        file.write(data)
        if public and os.name == "posix":
            mask = os.umask(0o077)
            os.umask(mask)
            os.fchmod(file.file.fileno(), 0o666 & ~mask)


def is_printable(data: bytes) -> bool:
    """Return whether a terminal can show this without being told what to do by it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return is_text(text)


def is_text(text: str) -> bool:
    """Return whether nothing in this text commands a terminal."""
    return all(each.isprintable() or each in _LINE_ENDS for each in text)
