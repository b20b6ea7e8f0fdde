# SPDX-License-Identifier: Apache-2.0
"""Where keys and passphrases come from: a file, a descriptor, the environment, a prompt."""

from __future__ import annotations

import getpass
import os
import sys
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

from pythemis._core.facts import shown
from pythemis._inspect import Report, inspect
from pythemis.place import place

from .errors import refused, usage
from .streams import STANDARD, standard_input

if TYPE_CHECKING:
    import argparse

_MOST = 1 << 16  # bytes of a key file or a passphrase
_OTHERS_MAY = 0o077
_CONVERTED = {"pem", "der", "jwk", "openssh-private", "openssh-public"}
_KEYS = {"private-key", "public-key"}


def content(source: str, *, secret: bool = True) -> bytes:
    """Read what a source names."""
    scheme, colon, name = source.partition(":")
    if not colon or scheme not in _READERS:
        scheme, name = "file", source
    if not name:
        raise usage(f"nothing follows {scheme}: in the name of a source")
    data = _READERS[scheme](name, secret)
    if len(data) > _MOST:
        raise usage(f"{shown(source)} has more than {_MOST} bytes, so it is no key or passphrase")
    return data


def _of_file(name: str, secret: bool) -> bytes:
    if name == STANDARD:
        return standard_input().read(_MOST + 1)
    with Path(name).open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if secret and os.name == "posix" and mode & _OTHERS_MAY:
            raise usage(f"{name}: other users have access to this file; chmod 600 ends that")
        return file.read(_MOST + 1)


def _of_descriptor(name: str, _: bool) -> bytes:
    if not name.isascii() or not name.isdigit():
        raise usage("fd: is followed by the number of an open file")
    try:
        with open(int(name), "rb", closefd=False) as file:
            return file.read(_MOST + 1)
    except OSError as error:
        raise usage(f"fd:{name}: {error.strerror}") from None


def _of_environment(name: str, _: bool) -> bytes:
    value = os.environ.get(name)
    if value is None:
        raise usage(f"there is no environment variable {shown(name)}")
    return os.fsencode(value)


def _of_credential(name: str, secret: bool) -> bytes:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder is None:
        raise usage("there are no credentials: CREDENTIALS_DIRECTORY is not set")
    if os.sep in name or name in (os.curdir, os.pardir):
        raise usage("credential: is followed by the name of a credential, not by a path")
    return _of_file(os.path.join(folder, name), secret)  # noqa: PTH118


_READERS = {
    "file": _of_file,
    "fd": _of_descriptor,
    "env": _of_environment,
    "credential": _of_credential,
}


# ---- Keys ----


def key_in(source: str, *, secret: bool = True) -> bytes:
    """Read a key: one line of base64, or a key of a pair as it is."""
    data = content(source, secret=secret)
    line = data.strip()
    try:
        key = b64decode(line, validate=True)
    except ValueError:
        key = b""
    if key:
        return key
    report = inspect(data)
    if report.kind in _KEYS and not report.layers:
        return data
    raise refused(f"{shown(source)} {_no_key(report, empty=not line)}")


def _no_key(report: Report, *, empty: bool) -> str:
    if empty:
        return "is empty"
    if report.kind in _CONVERTED:
        return f"is no key file of pythemis but {report.name}: `pythemis key from-pem` converts it"
    return "is no key file: it must hold one line of base64"


# ---- Contexts ----


def context(options: argparse.Namespace) -> bytes:
    """Return the context that the arguments name; empty if they name none."""
    if options.context_name:
        name = Path(options.file).name
        if options.file == STANDARD or not name:
            raise usage("--context-name needs the name of a file")
        return place(os.fsencode(name))
    return b"" if options.context is None else os.fsencode(options.context)


# ---- Passphrases ----


def passphrase(options: argparse.Namespace, *, new: bool) -> str | bytes | None:
    """Return the passphrase that the arguments name; None if they name none."""
    if options.passphrase_from is not None:
        data = content(options.passphrase_from, secret=True)
        line = data.removesuffix(b"\n").removesuffix(b"\r")
        if not line:
            raise usage("the passphrase is empty")
        return line
    return prompt(new=new) if options.passphrase else None


def prompt(text: str = "Passphrase", *, new: bool = False) -> str:
    """Ask for a passphrase at the terminal; a new one twice."""
    given = _asked(f"{text}: ")
    if new and _asked(f"{text} again: ") != given:
        raise usage("the two passphrases differ")
    if not given:
        raise usage("the passphrase is empty")
    return given


def _asked(text: str) -> str:
    if not _has_terminal():
        raise usage("there is no terminal to ask for a passphrase; use --passphrase-from SOURCE")
    try:
        return getpass.getpass(text)
    except EOFError:
        raise usage("no passphrase was given") from None


def _has_terminal() -> bool:
    if os.name != "posix":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return sys.stdin is not None and sys.stdin.isatty()
    return True
