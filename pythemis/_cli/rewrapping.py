# SPDX-License-Identifier: Apache-2.0
"""``pythemis rewrap``: change what opens a sealed file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pythemis import _atomic, files

from . import access, sources
from .errors import Status, usage
from .pipes import Progress
from .streams import STANDARD, written

if TYPE_CHECKING:
    import argparse


def rewrap(options: argparse.Namespace) -> int:
    """Write another header before the same data, and replace the file as a whole."""
    if options.file == STANDARD:
        raise usage("name the file to rewrap: it is replaced as a whole")
    if len(options.key) > 1:
        raise usage("give one key that opens the file: -k KEY")
    access.check_opening(options)
    given: dict[str, Any] = {
        "key": sources.symmetric(options.key[0]) if options.key else None,
        "passphrase": sources.passphrase(options, new=False),
        "keyring": access.ring(options),
        "private_key": options.private and sources.key_in(options.private),
        "sender": options.sender and sources.key_in(options.sender, secret=False),
        "context": sources.context(options),
    }
    new: dict[str, Any] = {
        "to": [sources.key_in(each, secret=False) for each in options.recipient],
        "hidden": options.hidden,
        "new_key": options.new_key and sources.symmetric(options.new_key),
        "new_passphrase": _new_passphrase(options),
        "new_context": None if options.new_context is None else os.fsencode(options.new_context),
        "keep": options.keep,
        "holders_only": options.holders_only,
    }
    if not (new["to"] or new["new_key"] or new["new_passphrase"] or options.keep):
        raise usage(
            "say what opens it from now on: -r KEY, --new-key KEY or --new-passphrase; --keep "
            "keeps the others"
        )
    with _atomic.Lock(options.file) as held:  # a file that cannot be read is another error
        size = os.fstat(held.file.fileno()).st_size
    with written(), Progress(size) as progress:

        def opened(passphrase: Any) -> None:
            way = {**given, "passphrase": passphrase}
            files.rewrap(options.file, **way, **new, progress=progress.at)

        sources.asking_again(opened, given["passphrase"], lambda: bool(options.passphrase))
    return Status.DONE


def _new_passphrase(options: argparse.Namespace) -> Any:
    if options.new_passphrase_from is not None:
        return sources.line(options.new_passphrase_from)
    return sources.prompt("New passphrase", new=True) if options.new_passphrase else None
