# SPDX-License-Identifier: Apache-2.0
"""Who may open a file: what the arguments name, as slots to write and as secrets to read with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pythemis import _sealed
from pythemis._core.errors import Errors
from pythemis.exception import ThemisError, ThemisTypeError, ThemisValueError

from . import sources
from .errors import usage

if TYPE_CHECKING:
    import argparse

_DIGITS = 18  # of a number of bytes
ERRORS = Errors(ThemisError, ThemisTypeError, ThemisValueError)


def slots(options: argparse.Namespace) -> _sealed.Slots:
    """Return for whom a new file is."""
    keys = [(b"", sources.symmetric(each)) for each in options.key]
    recipients = [sources.key_in(each, secret=False) for each in options.recipient]
    passphrase = sources.passphrase(options, new=True)
    if options.private is not None:
        if len(recipients) != 1 or keys or passphrase is not None or options.hidden:
            raise usage(
                "with --private a file has one recipient, -r KEY, and nothing else opens it"
            )
        return _sealed.Slots(sender=(sources.key_in(options.private), recipients[0]))
    if not (keys or recipients or passphrase):
        raise usage("say who can decrypt it: -k KEY, -p, or -r KEY of a recipient")
    if options.hidden and not recipients:
        raise usage("--hidden is about recipients: name one with -r KEY")
    return _sealed.Slots(
        keys=keys,
        passphrases=[] if passphrase is None else [passphrase],
        recipients=[(key, options.hidden) for key in recipients],
    )


def check_opening(options: argparse.Namespace) -> None:
    """Refuse arguments that open nothing."""
    if options.sender is not None and options.private is None:
        raise usage("--sender needs your private key: --private KEY")
    if not (options.key or options.private or options.passphrase or options.passphrase_from):
        raise usage("say what opens it: -k KEY, -p, or --private KEY")


def unlock(options: argparse.Namespace) -> _sealed.Unlock:
    """Return what may open a file."""
    check_opening(options)
    private, sender = options.private, options.sender
    return _sealed.Unlock(
        keys=[(b"", sources.symmetric(each)) for each in options.key],
        passphrase=sources.passphrase(options, new=False),
        private_key=None if private is None else sources.key_in(private),
        sender=None if sender is None else sources.key_in(sender, secret=False),
        context=sources.context(options),
    )


def padding(options: argparse.Namespace) -> str | int | None:
    """Return the padding that was asked for."""
    pad: str | None = options.pad
    if pad is None or pad == "padme":
        return pad
    if not pad.isascii() or not pad.isdigit() or len(pad) > _DIGITS:
        raise usage("--pad is followed by padme or by a number of bytes")
    return int(pad)
