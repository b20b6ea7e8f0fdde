# SPDX-License-Identifier: Apache-2.0
"""Where a keyring's file is: at a path, in a variable, among the credentials of a service."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pythemis._core.errors import INVALID_PARAMETER, wrong_type, wrong_value
from pythemis._core.secret import SecretKey

from ._errors import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable


FILE_MAX = 1 << 24  # bytes: the longest payload with the longest header, and much padding
_UNLOCK_SIZE = 32
_FLAGS = (
    getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOINHERIT", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO must not stop us before it is refused
)


class Source(NamedTuple):
    """A place of bytes that may change.

    Attributes:
        mark: returns what differs when the bytes may have changed.
        read: returns the bytes, and the mark that belongs to them.
    """

    mark: Callable[[], object]
    read: Callable[[], tuple[bytes, object]]


def _mark_of(found: os.stat_result) -> object:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_open(fd: int, path: Any) -> bytes:
    """Read an open file of a size that a keyring can have."""
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        wrong_value(ERRORS, f"the path {os.fsdecode(path)!r} is not a regular file")
    parts, left = [], FILE_MAX + 1
    while left and (part := os.read(fd, min(left, 1 << 18))):
        parts.append(part)
        left -= len(part)
    if not left:
        wrong_value(ERRORS, f"{path} has more than {FILE_MAX} bytes, and no keyring has as many")
    return b"".join(parts)


def at_path(path: Any, *, is_base64: bool = False) -> Source:
    """Return the source that a path is; symbolic links are followed."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        wrong_type(ERRORS, f"the path must be text or a pathlib.Path, not {type(path).__name__}")
    text = os.fsdecode(path)

    def read() -> tuple[bytes, object]:
        fd = os.open(text, os.O_RDONLY | _FLAGS)
        try:
            mark = _mark_of(os.fstat(fd))
            data = read_open(fd, text)
        finally:
            os.close(fd)
        return _decoded(data, text) if is_base64 else data, mark

    return Source(lambda: _mark_of(Path(text).stat()), read)


def in_variable(name: str) -> Source:
    """Return the source that a variable of the environment is; it holds base64."""

    def mark() -> str:
        text = os.environ.get(name)
        if not text:
            missing = "is not set" if text is None else "is empty"
            wrong_value(ERRORS, f"the environment variable {name} {missing}")
        return text

    def read() -> tuple[bytes, object]:
        text = mark()
        return _decoded(text.encode("utf-8", "replace"), f"variable {name}"), text

    return Source(mark, read)


def credential(name: str, *, is_base64: bool = True) -> Source:
    """Return the source that a credential of systemd is."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        wrong_value(
            ERRORS,
            f"there is no credential {name}: CREDENTIALS_DIRECTORY is not set, so no service "
            "manager started this process with credentials",
        )
    return at_path(Path(folder) / name, is_base64=is_base64)


def _decoded(data: bytes, what: str) -> bytes:
    made = None
    with suppress(binascii.Error):
        made = base64.b64decode(data.removesuffix(b"\n").removesuffix(b"\r"), validate=True)
    if not made:
        wrong_value(ERRORS, f"{what} is not base64; `base64 -w0 FILE` makes it of a keyring file")
    return made


# ---- References: text that names a source or a key, and holds neither ----


def parted(reference: object, what: str) -> tuple[str, str]:
    """Return scheme and name of a reference."""
    if isinstance(reference, str):
        scheme, colon, name = reference.partition(":")
        if colon and scheme in ("file", "env", "credential"):
            _check_name(scheme, name, what)
            return scheme, name
    return _refuse(reference, what)


def _check_name(scheme: str, name: str, what: str) -> None:
    if not name or "\0" in name:
        wrong_value(ERRORS, f"the reference to {what} names nothing behind {scheme}:")
    if scheme == "env" and "=" in name:
        wrong_value(ERRORS, f"the reference to {what} is not the name of a variable")
    if scheme == "credential" and ("/" in name or os.sep in name or name in (".", "..")):
        wrong_value(ERRORS, f"the reference to {what} is not the name of a credential")


def _refuse(reference: object, what: str) -> NoReturn:
    text = f"a reference to {what} is file:PATH, env:NAME or credential:NAME"
    if isinstance(reference, str):  # it is not shown: a key may be there by mistake
        wrong_value(ERRORS, text)
    raise ERRORS.wrong_type(INVALID_PARAMETER, f"{text}, not {type(reference).__name__}")


def name_in(reference: str) -> str:
    """Return the name of the ring in a file or a credential whose own name begins with it."""
    scheme, name = parted(reference, "a keyring")
    if scheme == "env":
        wrong_value(ERRORS, "name= must say which ring the variable holds")
    return Path(name).name.partition(".")[0]


def source_of(reference: str) -> Source:
    """Return the source that a reference names."""
    scheme, name = parted(reference, "a keyring")
    if scheme == "file":
        return at_path(name)
    return in_variable(name) if scheme == "env" else credential(name)


def key_of(reference: str) -> SecretKey:
    """Return the key of 32 bytes that a reference names, read from its base64."""
    scheme, name = parted(reference, "a key")
    if scheme == "file":
        key = SecretKey.from_file(name, encoding="base64")
    elif scheme == "env":
        # It stays: processes that are started later resolve the same reference.
        key = SecretKey.from_env(name, encoding="base64", unset=False)
    else:
        key = SecretKey.from_credential(name, encoding="base64")
    if len(key) != _UNLOCK_SIZE:
        size = len(key)
        key.close()
        wrong_value(ERRORS, f"the key at {scheme}:{name} has {size} bytes, not {_UNLOCK_SIZE}")
    return key
