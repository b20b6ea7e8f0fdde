# SPDX-License-Identifier: Apache-2.0
"""Who may open a file: what the arguments name, as slots to write and as secrets to read with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pythemis import _sealed

from . import sources
from .errors import usage

if TYPE_CHECKING:
    import argparse

    from pythemis.keyring import Keyring

_DIGITS = 18  # of a number of bytes


def slots(options: argparse.Namespace) -> _sealed.Slots:
    """Return for whom a new file is."""
    keys: list[tuple[bytes, Any]] = [(b"", sources.symmetric(each)) for each in options.key]
    loaded = ring(options)
    keys += [] if loaded is None else loaded._pairs()[:1]  # the primary key
    recipients = [sources.key_in(each, secret=False) for each in options.recipient]
    passphrase = sources.passphrase(options, new=True)
    if options.private is not None:
        if len(recipients) != 1 or keys or passphrase is not None or options.hidden:
            raise usage(
                "with --private a file has one recipient, -r KEY, and nothing else opens it"
            )
        return _sealed.Slots(sender=(sources.key_in(options.private), recipients[0]))
    if not (keys or recipients or passphrase):
        raise usage("say who can decrypt it: -k KEY, -p, --keyring RING, or -r KEY of a recipient")
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
    ways = (options.key, options.private, options.passphrase, options.passphrase_from)
    if not any(ways) and options.keyring is None:
        raise usage("say what opens it: -k KEY, -p, --keyring RING, or --private KEY")


def ring(options: argparse.Namespace) -> Keyring | None:
    """Load the keyring that the arguments name."""
    key, source = options.keyring_key, options.keyring_passphrase_from
    if options.keyring is None:
        if key or source or options.keyring_name:
            raise usage("name the keyring file, too: --keyring RING")
        return None
    if not (key or source):
        raise usage("say what opens the keyring: --keyring-key KEY")
    from pythemis import keyring  # only where it is needed, as the start takes a while

    return keyring.load(
        options.keyring,
        sources.ring_name(options.keyring, options.keyring_name, "--keyring-name"),
        key=None if key is None else sources.symmetric(key),
        passphrase=None if source is None else sources.line(source),
    )


def unlock(options: argparse.Namespace) -> _sealed.Unlock:
    """Return what may open a file."""
    check_opening(options)
    private, sender = options.private, options.sender
    keys: list[tuple[bytes, Any]] = [(b"", sources.symmetric(each)) for each in options.key]
    loaded = ring(options)
    keys += [] if loaded is None else loaded._pairs()
    return _sealed.Unlock(
        keys=keys,
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


def number(option: str, given: str, *, least: int = 1) -> int:
    """Return the number that follows an option."""
    if not given.isascii() or not given.isdigit() or len(given) > _DIGITS or int(given) < least:
        raise usage(f"{option} is followed by a number, {least} or more")
    return int(given)
