# SPDX-License-Identifier: Apache-2.0
"""``pythemis encrypt``, ``decrypt``, ``cat`` and ``verify-file``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pythemis import _sealed
from pythemis._core.facts import shown

from . import access, sources
from .errors import Status, for_each, refused, usage
from .pipes import Input, Output, Progress
from .sources import ERRORS
from .streams import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._inspect import Report

STEP = 1 << 18  # bytes that are encrypted at once
_MAGIC = b"TSFILE"
_STORED = b"TK1"
_CELLS = (b"\x00\x01\x01", b"\xc0\x00\x01", b"\x80\x00\x01")
_DECRYPTED = {"seal-cell", "passphrase-cell", "sealed-file", "stored-value"}
_SIGNED = {"ec-signed", "rsa-signed"}


def encrypt(options: argparse.Namespace) -> int:
    """Encrypt a file, or what comes through a pipe."""
    if options.cell:
        return _encrypt_cell(options)
    context, slots = sources.new_context(options), access.slots(options)
    pad = access.padding(options)
    with Input(options) as source, Output(options, binary=True) as target:
        writer = _sealed.Writer(ERRORS, target.write, slots, context, pad=pad)
        with Progress(source.size) as progress:
            while part := source.read(STEP):
                writer.write(part)
                progress(len(part))
        writer.finish()
    return Status.DONE


def _encrypt_cell(options: argparse.Namespace) -> int:
    if options.recipient or options.private or options.hidden or options.pad or options.keyring:
        raise usage("an ordinary cell has one key, -k KEY, or a passphrase, -p")
    from pythemis.files import seal

    context = sources.new_context(options)
    secret = _one_secret(options, new=True)
    with (
        Input(options) as source,
        Output(options, binary=True) as target,
        Progress(source.size) as progress,
    ):
        file: Any = source.as_file()
        to: Any = target
        seal(file, to, context=context, progress=progress.at, **secret)
    return Status.DONE


def _one_secret(options: argparse.Namespace, *, new: bool) -> dict[str, Any]:
    """Return the one key, or the passphrase, that the arguments name for a cell."""
    passphrase = sources.passphrase(options, new=new)
    if len(options.key) + (passphrase is not None) != 1:
        raise usage("an ordinary cell has one key, -k KEY, or a passphrase, -p")
    if passphrase is not None:
        return {"passphrase": passphrase}
    return {"key": sources.symmetric(options.key[0])}


# ---- Decrypt ----


def decrypt(options: argparse.Namespace) -> int:
    """Decrypt a file, or what comes through a pipe."""
    with Input(options) as source:
        opened = _opened(options, source)
        with Output(options, binary=False) as target, Progress(source.size) as progress:
            opened(target, progress)
    return Status.DONE


def _opened(options: argparse.Namespace, source: Input) -> Callable[[Any, Progress], None]:
    """Open what is encrypted; return what writes it to where it belongs."""
    head = source.peek(STEP >> 2)
    if head.startswith(_MAGIC):
        reader = _stream(options, source)

        def parts(target: Any, progress: Progress) -> None:
            while part := reader.read_part():
                target.write(part)
                progress(len(part))

        return parts
    if head[:3] in _CELLS:
        from pythemis.files import unseal

        secret, context = _one_secret(options, new=False), sources.context(options)

        def cell(target: Any, progress: Progress) -> None:
            begun = False

            def at(done: int, size: int) -> None:
                nonlocal begun
                begun = True
                progress.at(done, size)

            def opened(passphrase: Any) -> None:
                given = {**secret, "passphrase": passphrase}
                unseal(source.whole(), target, context=context, progress=at, **given)

            def may_repeat() -> bool:
                return bool(options.passphrase) and not begun and source.rewind()

            sources.asking_again(opened, secret.get("passphrase"), may_repeat)

        return cell
    if head.startswith(_STORED):
        return _stored(options, source)
    report = sources.inspected(head)
    if not report.recognised:
        raise refused("this is not encrypted with pythemis, as far as it shows")
    layers = "".join(f" in {layer}" for layer in report.layers[::-1])
    what, advice = f"it is {report.name}{layers}", _advice(report)
    raise refused(f"this cannot be decrypted as it is: {what}" + (advice and f"; {advice}"))


def _advice(report: Report) -> str:
    if report.kind in _SIGNED:
        return "`pythemis verify` reads it"
    if report.kind not in _DECRYPTED:
        return ""
    return "--base64 decodes it" if report.layers == ("base64",) else report.advice


def _stored(options: argparse.Namespace, source: Input) -> Callable[[Any, Progress], None]:
    """Open a stored value with the keyring that it takes."""
    ring = access.ring(options)
    if ring is None:
        raise usage("this is a stored value of a keyring: name it with --keyring RING")
    context = sources.context(options)

    def value(target: Any, progress: Progress) -> None:
        stored = source.as_file().read()
        target.write(ring.decrypt(stored, context))
        progress(len(stored))

    return value


def _stream(options: argparse.Namespace, source: Input) -> _sealed.StreamReader:
    """Open a sealed file; a passphrase that is wrong is asked for again."""
    unlock = access.unlock(options)

    def opened(passphrase: Any) -> _sealed.StreamReader:
        given = unlock._replace(passphrase=passphrase)
        return _sealed.StreamReader(ERRORS, source.read, given)

    def may_repeat() -> bool:
        return bool(options.passphrase) and source.rewind()

    return sources.asking_again(opened, unlock.passphrase, may_repeat)


# ---- Several files ----


def cat(options: argparse.Namespace) -> int:
    """Decrypt files to the standard output, one after the other."""
    return _each(options, decrypt)


class _Nowhere:
    """What counts the bytes that are written to it."""

    size = 0

    def write(self, data: Any) -> None:
        self.size += len(data)


def verify_file(options: argparse.Namespace) -> int:
    """Decrypt files to nowhere: are they intact?"""

    def verify(one: argparse.Namespace) -> int:
        nowhere = _Nowhere()
        with Input(one) as source, Progress(source.size) as progress:
            _opened(one, source)(nowhere, progress)
        say(f"{shown(one.file)}: intact, {nowhere.size} bytes")
        return Status.DONE

    return _each(options, verify)


def _each(options: argparse.Namespace, command: Callable[[argparse.Namespace], int]) -> int:
    """Run a command for each file."""

    def run(name: str) -> bool:
        one = argparse.Namespace(**{**vars(options), "file": name, "output": None})
        return command(one) == Status.DONE

    return for_each(options.files, run)
