# SPDX-License-Identifier: Apache-2.0
"""The text of secret keys, out of files, descriptors and the environment, without passing Python.

Python opens what is to be read and judges what it is; C reads it into guarded memory and decodes it
there. Each function returns the secret in its place.
"""

from __future__ import annotations

import os
import re
import select
import stat
from errno import EAGAIN, EINTR, EWOULDBLOCK
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pythemis._themis import ffi, lib

from .errors import INVALID_PARAMETER, SUCCESS, Errors, failed, wrong_type, wrong_value
from .owner import places

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

_secret = places("secret")
_text = places("secret_text")
_INT = ffi.typeof("int *")
_WHY = ffi.typeof("char const **")

_ENCODINGS: dict[object, int] = {
    "base64": lib.THEMIS_BASE64,
    "hex": lib.THEMIS_HEX,
    "raw": lib.THEMIS_RAW,
}
_AGAIN = (EINTR, EAGAIN, EWOULDBLOCK)
_LONGEST_WAIT = 1000  # milliseconds
_FD_MAX = 0x7FFFFFFF  # of an int of C
_ACCESS = os.O_RDONLY | os.O_WRONLY | os.O_RDWR  # os.O_ACCMODE, which PyPy has not
# Not O_NOFOLLOW: where secrets are mounted, such as in Kubernetes, they are symbolic links. What is
# judged is what was opened. O_NONBLOCK: a FIFO would wait for a writer before it can be judged.
_FLAGS = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT"):
    _FLAGS |= getattr(os, _flag, 0)
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_OPEN_TO_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
# A key that was given in the place of its file, or of its variable.
_KEY = re.compile(
    r"[0-9A-Fa-f]{32,}\s*|(?![/.])[A-Za-z0-9+/_-]{22,}={1,2}\s*|(?![/.])[A-Za-z0-9+/_-]{43}\s*"
    r"|.*-----BEGIN .*",
    re.DOTALL,
)


def check_encoding(errors: Errors, encoding: object) -> None:
    """Refuse an encoding that does not exist, before anything is read."""
    if not isinstance(encoding, str):
        wrong_type(errors, f"encoding must be a str, not {type(encoding).__name__}")
    if encoding not in _ENCODINGS:
        wrong_value(errors, "encoding must be 'base64', 'hex' or 'raw'")


def refuse_key(errors: Errors, name: str, what: str) -> None:
    """Refuse a key where its name belongs; other errors would show it."""
    if _KEY.fullmatch(name):
        wrong_value(errors, f"this looks like a key, and {what} is expected")


def of_file(errors: Errors, path: Any, encoding: str, *, shared: bool) -> Any:
    """Read a key from a regular file."""
    check_encoding(errors, encoding)
    return _of_file(errors, _path_of(errors, path), encoding, "the file", shared=shared)


def of_credential(errors: Errors, name: Any, encoding: str) -> Any:
    """Read a key from a credential that systemd passes to this service."""
    check_encoding(errors, encoding)
    path = _path_of_credential(errors, name)
    return _of_file(errors, path, encoding, "the credential", shared=True)


def _of_file(errors: Errors, path: str, encoding: str, what: str, *, shared: bool) -> Any:
    fd = _opened(errors, path, what, shared=shared)
    try:
        return _read(errors, fd, encoding, f"{what} {path!r}")
    finally:
        os.close(fd)


def _path_of(errors: Errors, path: Any) -> str:
    try:
        found = os.fsdecode(path)
    except TypeError:
        found = ""
    if not found:
        wrong_type(errors, f"the path must be a str or a path-like object, not {_shown(path)}")
    refuse_key(errors, found, "the path of a file")
    if "\0" in found:
        wrong_value(errors, "the path has a NUL character")
    return found


def _path_of_credential(errors: Errors, name: Any) -> str:
    if not isinstance(name, str):
        wrong_type(errors, f"the name of the credential must be a str, not {type(name).__name__}")
    refuse_key(errors, name, "the name of a credential")
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        wrong_value(errors, f"a credential cannot have the name {name!r}")
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise errors.failed(
            INVALID_PARAMETER,
            "there are no credentials: CREDENTIALS_DIRECTORY is not set, as systemd does for a "
            "service with LoadCredential=",
        )
    return str(Path(folder, name))


def _shown(path: object) -> str:
    return "empty" if path in ("", b"") else type(path).__name__


def _opened(errors: Errors, path: str, what: str, *, shared: bool) -> int:
    """Open a file that may be read; each judgement is on what was opened."""
    named = f"{what} {path!r}"
    _check_kind(errors, Path(path).stat().st_mode, named)  # a socket or a device is not even opened
    fd = os.open(path, _FLAGS)
    try:
        mode = os.fstat(fd).st_mode
        _check_kind(errors, mode, named)
        if os.name == "posix" and not shared and mode & _OPEN_TO_OTHERS:
            raise errors.failed(
                INVALID_PARAMETER,
                f"{named} is open to its group or to others (mode {stat.S_IMODE(mode):04o}): "
                "`chmod 600` it, or pass allow_shared=True if that is meant",
            )
    except BaseException:
        os.close(fd)
        raise
    return fd


def _check_kind(errors: Errors, mode: int, named: str) -> None:
    if not stat.S_ISREG(mode):
        kind = next((kind for is_it, kind in _KINDS if is_it(mode)), "something else")
        raise errors.failed(INVALID_PARAMETER, f"{named} is {kind}, not a regular file")


def of_fd(errors: Errors, fd: Any, encoding: str) -> Any:
    """Read a key from a descriptor, until its end."""
    check_encoding(errors, encoding)
    if not isinstance(fd, int) or isinstance(fd, bool):
        wrong_type(errors, f"the descriptor must be an int, not {type(fd).__name__}")
    if not 0 <= fd <= _FD_MAX:
        wrong_value(errors, "the descriptor is out of range")
    named = f"descriptor {fd}"
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        raise errors.failed(INVALID_PARAMETER, f"{named} is a directory")
    if fcntl and fcntl.fcntl(fd, fcntl.F_GETFL) & _ACCESS == os.O_WRONLY:
        raise errors.failed(INVALID_PARAMETER, f"{named} is open for writing only")
    if os.isatty(fd):
        raise errors.failed(
            INVALID_PARAMETER, f"{named} is a terminal, which would show the key: use from_prompt"
        )
    return _read(errors, fd, encoding, named)


def of_line(errors: Errors, fd: int, encoding: str) -> Any:
    """Read a key from a line that is typed on a terminal."""
    return _read(errors, fd, encoding, "what was entered", line=True)


def of_variable(errors: Errors, name: Any, encoding: str, *, unset: bool) -> Any:
    """Read a key from a variable of the environment, which is then wiped and unset."""
    check_encoding(errors, encoding)
    if not isinstance(name, str):
        wrong_type(errors, f"the name of the variable must be a str, not {type(name).__name__}")
    refuse_key(errors, name, "the name of a variable")
    if not name or "=" in name or "\0" in name:
        wrong_value(errors, f"a variable cannot have the name {name!r}")
    named, encoded = f"the variable {name!r}", os.fsencode(name)
    text = _new_text(errors)
    try:
        if name not in os.environ or lib.themis_secret_text_variable(text[0], encoded) != SUCCESS:
            raise errors.failed(INVALID_PARAMETER, f"{named} is not set in the environment")
        made = _decoded(errors, text, encoding, named)
    finally:
        ffi.release(text)
    if unset:
        lib.themis_variable_wipe(encoded)
        os.environ.pop(name, None)
    return made


def _new_text(errors: Errors) -> Any:
    text = _text()
    status = lib.themis_secret_text_new(text)
    if status != SUCCESS:
        failed(errors, status)
    return text


def _read(errors: Errors, fd: int, encoding: str, named: str, *, line: bool = False) -> Any:
    """Read and decode what a descriptor has.

    Each call into C asks the system once, when there is something to read, so that Python acts on
    signals in between.
    """
    text = _new_text(errors)
    ended = ffi.new(_INT, 0)
    may_read = _waiting(fd)
    try:
        while not ended[0]:
            if not may_read() or (lib.themis_secret_text_read(text[0], fd, line, ended) == SUCCESS):
                continue
            number = ffi.errno
            if number not in _AGAIN:
                raise OSError(number, os.strerror(number))
        return _decoded(errors, text, encoding, named)
    finally:
        ffi.release(text)


def _waiting(fd: int) -> Callable[[], bool]:
    """Return what waits until there is something to read, or a second has passed.

    A signal that comes just before a wait begins does not end it, so it may not last for ever.
    """
    if not hasattr(select, "poll"):
        return lambda: True  # Windows, where Ctrl-C waits
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return lambda: bool(poll.poll(_LONGEST_WAIT))


def _decoded(errors: Errors, text: Any, encoding: str, named: str) -> Any:
    made, why = _secret(), ffi.new(_WHY)
    status = lib.themis_secret_text_decode(text[0], _ENCODINGS[encoding], made, why)
    if status == SUCCESS:
        return made
    if why[0] == ffi.NULL:
        failed(errors, status)
    told = ffi.string(why[0]).decode()
    raise errors.failed(status, f"{named} {told}")
