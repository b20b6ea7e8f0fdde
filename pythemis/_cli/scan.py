# SPDX-License-Identifier: Apache-2.0
"""``pythemis doctor --scan``: what in a folder is damaged, or was written wrongly by 0.15."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from pythemis._core.facts import shown
from pythemis._core.kinds import Kind
from pythemis._inspect import inspect
from pythemis.exception import ThemisError

from . import sources
from .doctor import LARGEST, Given, diagnose, passphrase_of, ways
from .errors import Status, usage
from .streams import STANDARD, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_OF_015 = (Kind.SEAL_CELL, Kind.STORED_VALUE, Kind.PASSPHRASE_CELL)
_WRAPPED = 1 << 32  # bytes, above which the length field of a cell begins at 0 again
_TOO_LONG = (
    "its message may have had 4 GiB or more, of which the header kept the length modulo 4 GiB, as "
    "in pythemis 0.15: encrypt the original again, in parts or with pythemis.files"
)
_CUT = "its message was a str in pythemis 0.15, which kept the first quarter: the rest is lost"


def scan(options: argparse.Namespace) -> int:
    """Look at each file of a folder, without following links."""
    if options.file == STANDARD:
        raise usage("name the folder to scan")
    key = options.key and sources.content(options.key)
    phrase, context = passphrase_of(options), sources.context(options)
    seen = wrong = 0
    for folder, folders, names in os.walk(options.file, onerror=_stop):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)  # noqa: PTH118
            if not S_ISREG(os.lstat(path).st_mode):
                continue
            seen += 1
            for text in _findings(path, Given(key, phrase, context)):
                wrong += 1
                line = {"file": path, "finding": text}
                say(json.dumps(line) if options.json else f"{shown(path)}: {text}")
    if not options.json:
        say(f"{seen} files, {wrong} findings")
    return Status.REFUSED if wrong else Status.DONE


def _stop(error: OSError) -> None:
    raise error


def _findings(path: str, given: Given) -> Iterator[str]:
    try:
        report = inspect(Path(path))
    except OSError as error:
        yield f"it cannot be read: {error.strerror}"
        return
    yield from report.problems
    surplus = (report.size or 0) - (report.promised or report.size or 0)
    if surplus > 0 and surplus % _WRAPPED == 0:
        yield _TOO_LONG
    kind = next(
        (kind for kind in _OF_015 if kind.name.lower().replace("_", "-") == report.kind), None
    )
    if kind is None or report.layers or (report.size or 0) > LARGEST:
        return
    if given.key is None and given.passphrase is None:
        return
    data = Path(path).read_bytes()
    found = diagnose(data, given)
    if not found.opens:
        yield "what you gave does not open it"
    yield from (f"{each.what}: {each.remedy}" for each in found.found)
    if found.opens and _is_memory_of_text(_plain(data, given)):
        yield _CUT


def _plain(data: bytes, given: Given) -> bytes:
    """Decrypt what opens without a mistake."""
    for kind in _OF_015:
        for opening in ways(kind, given):
            for secret in opening.secrets[:1]:
                with suppress(ThemisError):
                    opened = opening.open(data, secret.data, given.context)
                    return opened if isinstance(opened, bytes) else b""
    return b""


def _is_memory_of_text(plain: bytes) -> bool:
    """Return whether this is the beginning of UTF-32-LE, as 0.15 read the memory of text."""
    whole = plain[: len(plain) // 4 * 4][:64]
    return len(whole) >= 8 and not any(whole[2::4]) and not any(whole[3::4]) and all(whole[::4])
