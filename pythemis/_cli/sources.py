# SPDX-License-Identifier: Apache-2.0
"""Where keys and passphrases come from: a file, a descriptor, the environment, a prompt."""

from __future__ import annotations

import getpass
import os
import sys
from base64 import b64decode
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pythemis._core.errors import Errors
from pythemis._core.facts import shown
from pythemis._core.secret import SecretKey
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError

from .errors import complain, refused, usage
from .streams import STANDARD, standard_input

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from pythemis._inspect import Report

Result = TypeVar("Result")
ERRORS = Errors(ThemisError, ThemisTypeError, ThemisValueError)
SecretKey._errors = ERRORS  # as pythemis.keyring does it, which would take a third of the start

_ATTEMPTS = 3  # to type a passphrase
_MOST = 1 << 16  # bytes of a key file or a passphrase
_OTHERS_MAY = 0o077
_SCHEMES = ("file", "fd", "env", "credential")
_CONVERTED = {"pem", "der", "jwk", "openssh-private", "openssh-public"}
_KEYS = {"private-key", "public-key"}
_SECRETS = {"private-key", "symmetric-key"}


def _parted(source: str) -> tuple[str, str]:
    """Return the scheme of a source, and what follows it."""
    scheme, colon, name = source.partition(":")
    if not colon or scheme not in _SCHEMES:
        scheme, name = "file", source
    if not name:
        raise usage(f"nothing follows {scheme}: in the name of a source")
    return scheme, name


def _refuse_key(name: str) -> None:
    """Refuse a key where its name belongs; other errors would show it."""
    if inspected(name.encode("utf-8", "replace")).kind in _SECRETS:
        raise usage(
            "this looks like a key, and its file is expected; other users may have seen it now"
        )


def inspected(data: bytes) -> Report:
    """Return what data is; only what is refused loads the recogniser."""
    from pythemis._inspect import inspect

    return inspect(data)


@contextmanager
def _opened(source: str, *, secret: bool) -> Iterator[BinaryIO]:
    """Open what a source names, unless it is a variable."""
    scheme, name = _parted(source)
    if scheme == "fd":
        with _of_descriptor(name) as file:
            yield file
        return
    if scheme == "file" and name == STANDARD:
        yield standard_input()
        return
    path = Path(name) if scheme == "file" else _of_credential(name)
    if not path.exists():
        _refuse_key(name)
    with path.open("rb", buffering=0) as file:
        mode = os.fstat(file.fileno()).st_mode
        if secret and scheme == "file" and os.name == "posix" and mode & _OTHERS_MAY:
            raise usage(f"{name}: other users have access to this file; chmod 600 ends that")
        yield file


@contextmanager
def _of_descriptor(name: str) -> Iterator[BinaryIO]:
    if not name.isascii() or not name.isdigit() or len(name) > len("2147483647"):
        raise usage("fd: is followed by the number of an open file")
    try:
        file = open(int(name), "rb", closefd=False, buffering=0)  # noqa: SIM115
    except (OSError, OverflowError):
        raise usage(f"fd:{name} is not open for reading") from None
    with file:
        yield file


def _of_credential(name: str) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        _refuse_key(name)
        raise usage("there are no credentials: CREDENTIALS_DIRECTORY is not set")
    if os.sep in name or name in (os.curdir, os.pardir):
        raise usage("credential: is followed by the name of a credential, not by a path")
    return Path(folder, name)


def content(source: str, *, secret: bool = True) -> bytes:
    """Read what a source names."""
    scheme, name = _parted(source)
    if scheme == "env":
        value = os.environ.get(name)
        if value is None:
            _refuse_key(name)
            raise usage(f"there is no environment variable {shown(name)}")
        return os.fsencode(value)
    data = b""
    with _opened(source, secret=secret) as file:
        while len(data) <= _MOST and (part := file.read(_MOST + 1 - len(data))):
            data += part
    if len(data) > _MOST:
        raise usage(f"{shown(source)} has more than {_MOST} bytes, so it is no key or passphrase")
    return data


# ---- Keys ----


def symmetric(source: str) -> SecretKey:
    """Read a symmetric key, a line of base64, into guarded memory."""
    scheme, name = _parted(source)
    report = None
    try:
        if scheme == "env":
            if name not in os.environ:
                _refuse_key(name)
                raise usage(f"there is no environment variable {shown(name)}")
            return SecretKey.from_env(name, unset=False)
        with _opened(source, secret=True) as file:
            try:
                return SecretKey.from_fd(file.fileno())
            except ThemisError:
                if not file.seekable():
                    raise
                file.seek(0)
                data = file.read(_MOST) or b""
                report = inspected(data if data.strip() else b"")
    except ThemisError as error:
        raise refused(f"{shown(source)}: {error}") from None
    raise refused(f"{shown(source)} {_no_key(report)}")


def key_in(source: str, *, secret: bool = True) -> bytes:
    """Read a key of a pair: one line of base64, or as it is."""
    data = content(source, secret=secret)
    try:
        key = b64decode(data.strip(), validate=True)
    except ValueError:
        key = b""
    if key:
        return key
    report = inspected(data if data.strip() else b"")
    if report.kind in _KEYS and not report.layers:
        return data
    raise refused(f"{shown(source)} {_no_key(report)}")


def _no_key(report: Report) -> str:
    if report.size == 0:
        return "is empty"
    if report.kind in _CONVERTED:
        return f"is no key file of pythemis but {report.name}: `pythemis key from-pem` converts it"
    if report.layers[:1] == ("hex",):
        return "is hex, and a key file holds one line of base64"
    return "is no key file: it must hold one line of base64"


def refuse_output(path: str, given: Iterable[str | None]) -> None:
    """Refuse to replace a file that one of the sources names: what is written needs the key."""
    for scheme, name in map(_parted, filter(None, given)):
        with suppress(OSError):  # one of them is not there
            if scheme == "file" and Path(name).samefile(path):
                raise usage(f"{path} holds a key that this command needs: give another -o OUT")


def ring_name(path: str, given: str | None, option: str) -> str:
    """Return the name of a keyring: its file's name up to the first dot, unless it is given."""
    if given:
        return given
    from pythemis.keyring import Keyring, KeyringError

    name = Path(path).name.partition(".")[0]
    try:
        Keyring.new(name)
    except KeyringError as error:
        raise usage(f"{path}: {error}; give it with {option} NAME") from None
    return name


# ---- Contexts ----


def context(options: argparse.Namespace) -> bytes:
    """Return the context that the arguments name; empty if they name none."""
    if options.context_name:
        return _name_of(options.file, "--context-name needs the name of the encrypted file: FILE")
    return _given(options)


def new_context(options: argparse.Namespace) -> bytes:
    """Return the context of a file that is written: its name is that of the output."""
    if options.context_name:
        return _name_of(options.output, "--context-name needs the name of the new file: -o OUT")
    return _given(options)


def _name_of(path: str | None, otherwise: str) -> bytes:
    """Return the context that binds a file to its name, without its folders."""
    if path is None or path == STANDARD or not Path(path).name:
        raise usage(otherwise)
    from pythemis.place import place

    return place(os.fsencode(Path(path).name))


def _given(options: argparse.Namespace) -> bytes:
    return b"" if options.context is None else os.fsencode(options.context)


# ---- Passphrases ----


def passphrase(options: argparse.Namespace, *, new: bool) -> SecretKey | bytes | None:
    """Return the passphrase that the arguments name; None if they name none."""
    if options.passphrase_from is not None:
        return line(options.passphrase_from)
    return prompt(new=new) if options.passphrase else None


def line(source: str, what: str = "the passphrase") -> bytes:
    """Read a passphrase or the like: what a source holds, without the end of its line."""
    found = content(source).removesuffix(b"\n").removesuffix(b"\r")
    if not found:
        raise usage(f"{what} is empty")
    return found


def prompt(text: str = "Passphrase", *, new: bool = False) -> SecretKey:
    """Ask for a passphrase at the terminal; a new one twice."""
    given = _asked(f"{text}: ")
    if new and _asked(f"{text} again: ") != given:
        raise usage("the two passphrases differ")
    return given


def asking_again(
    attempt: Callable[[Any], Result],
    passphrase: Any,
    may_repeat: Callable[[], bool],
) -> Result:
    """Try with a passphrase; one that is wrong is asked for again, where that may be repeated."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return attempt(passphrase)
        except ThemisError as error:
            if error.error_code != THEMIS_CODES.FAIL or not may_repeat():
                raise
            complain(str(error))
        passphrase = prompt()
    return attempt(passphrase)


def _asked(text: str) -> SecretKey:
    if not _has_terminal():
        raise usage("there is no terminal to ask for a passphrase; use --passphrase-from SOURCE")
    if os.name == "posix":
        return SecretKey.from_prompt(text, encoding="raw")
    given = getpass.getpass(text)
    if not given:
        raise usage("the passphrase is empty")
    return SecretKey.from_bytes(given.encode())


def _has_terminal() -> bool:
    if os.name != "posix":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
