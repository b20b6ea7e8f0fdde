# SPDX-License-Identifier: Apache-2.0
"""What the tests of sealed files share: vectors, readers of every kind, a service."""

import functools
import io
import json

import pytest

from pythemis import _sealed
from pythemis._core.errors import Errors
from pythemis.exception import ThemisError, ThemisTypeError, ThemisValueError
from pythemis.scell import SCellSeal
from support.cells import VECTORS

ERRORS = Errors(ThemisError, ThemisTypeError, ThemisValueError)
KINDS = {1: "key", 2: "passphrase", 3: "recipient", 4: "sender", 5: "service"}


@functools.cache
def recorded():
    """Give the vectors, with each file put together as ``bytes`` under "file"."""
    vector = json.loads((VECTORS / "sealed_file.json").read_text("utf-8"))
    made = {}
    for case in vector["cases"] + vector["refused"]:
        pieces = case.pop("pieces", [case.pop("hex", None)])
        case["file"] = made[case["id"]] = b"".join(_piece(piece, made) for piece in pieces)
    return vector


def _piece(piece, made):
    if isinstance(piece, str):
        return bytes.fromhex(piece)
    if isinstance(piece, int):
        return bytes(piece)
    name, start, stop = piece
    return made[name][start:stop]


def cases(name):
    """Give the cases of one list as parameters of a test."""
    return [pytest.param(case, id=case["id"]) for case in recorded()[name]]


def case_of(name):
    """Give one valid case."""
    [found] = [case for case in recorded()["cases"] if case["id"] == name]
    return found


class BareService:
    """The vectors' service: a cell of the file key alone, bound to the context that it is given."""

    def __init__(self, name, key):
        self.name = name
        self.calls = 0
        self._cell = SCellSeal(key)

    def wrap(self, plain, context):
        assert plain[:32] == context[-32:]
        return self._cell.encrypt(plain[32:], context)

    def unwrap(self, body, context):
        self.calls += 1
        try:
            return context[-32:] + self._cell.decrypt(body, context)
        except ThemisError:
            return None


def unlock_of(case):
    """Give what a case lets its reader have."""
    given, unhex = case["unlock"], bytes.fromhex
    secrets = {name: unhex(given[name]) for name in ("passphrase", "sender") if name in given}
    bounds = {name: given[name] for name in ("max_iterations", "max_log2") if name in given}
    return _sealed.Unlock(
        keys=[(unhex(key_id), unhex(key)) for key_id, key in given.get("keys", [])],
        private_key=unhex(given["private"]) if "private" in given else None,
        services=[BareService(name, unhex(k)) for name, k in given.get("services", {}).items()],
        context=unhex(case["context"]),
        **secrets,
        **bounds,
    )


def opened(file, unlock, **options):
    """Open a file for reading at any place."""
    pread = lambda at, n: file[at : at + n]  # noqa: E731 -- a source of one line
    return _sealed.Reader(ERRORS, pread, len(file), unlock, **options)


def read_whole(file, unlock, **options):
    """Read all of a file at once; its data and what opened it."""
    data, opened_by = _sealed.open_bytes(ERRORS, file, unlock, **options)
    return bytes(data), opened_by


def stream_parts(read, unlock, **options):
    """Read a stream to its end; what it gave until it ended or failed, and the failure."""
    parts = []
    try:
        reader = _sealed.StreamReader(ERRORS, read, unlock, **options)
        while part := reader.read_part():
            parts.append(part)
    except ThemisError as error:
        return parts, error
    return parts, None


def read_stream(file, unlock, *, at_most=None, **options):
    """Read a file as a pipe, so many bytes at a time."""
    source = io.BytesIO(file).read
    read = source if at_most is None else lambda n: source(min(n, at_most))
    parts, error = stream_parts(read, unlock, **options)
    if error is not None:
        raise error
    return b"".join(parts)
