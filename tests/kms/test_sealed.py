# SPDX-License-Identifier: Apache-2.0
"""Services and sealed files together: what is bound, and what a failure hides."""

import hmac
from hashlib import sha256
from types import SimpleNamespace

import pytest

from pythemis import _sealed
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.scell import SCellSeal
from support import services
from support.cells import refused
from support.sealed import ERRORS
from support.services import NAME, Box, failed

KEY = bytes(range(32))
OURS, THEIRS = b"report.pdf", b"contract.pdf"


class Deaf:
    """A service that ignores associated data, as Vault before 1.13 does."""

    name = NAME

    def __init__(self):
        self._box = Box()

    def wrap(self, plain, _):
        return self._box.seal(b"", plain, b"")

    def unwrap(self, body, _):
        return self._box.open(b"", body, b"")


def sealed(service, context, **more):
    """Give a file for a service."""
    slots = _sealed.Slots(services=[service], **more)
    return _sealed.seal_bytes(ERRORS, b"data", slots, context, log2=12)


def opened(data, context, **unlock):
    """Give what opens a file, and what is in it."""
    found, how = _sealed.open_bytes(ERRORS, data, _sealed.Unlock(context=context, **unlock))
    return how, bytes(found)


def lifted(whole, file_key, context):
    """Make another file with the slots of this one, as anyone who has its key can (8.2)."""
    head = whole[: 14 + int.from_bytes(whole[10:14], "big")]
    signed = b"TSFILE1\nheader" + sha256(context).digest() + sha256(head).digest()
    chunk = b"TSFILE1\n" + head[8:9] + bytes(8) + b"\x01"
    piece = b"lies" + (4).to_bytes(8, "big")
    return (
        head + hmac.digest(file_key, signed, "sha256") + SCellSeal(file_key).encrypt(piece, chunk)
    )


def test_a_slot_of_another_file_is_refused_though_the_service_opens_it():
    """D inside binds the context, where a server ignores associated data."""
    service = Deaf()
    theirs = sealed(service, THEIRS)
    body = theirs[18 + len(NAME) : 14 + int.from_bytes(theirs[10:14], "big")]
    plain = service.unwrap(body, b"")
    assert plain[:32] == sha256(THEIRS).digest()
    forged = lifted(theirs, plain[32:], OURS)
    with refused(THEMIS_CODES.FAIL, "wrong key or context", kind=ThemisError):
        opened(forged, OURS, services=[service])
    # Control: apart from D the forged file is right.
    assert opened(lifted(theirs, plain[32:], THEIRS), THEIRS, services=[service])[1] == b"lies"
    rebound = SimpleNamespace(
        name=NAME, unwrap=lambda *_: sha256(OURS).digest() + plain[32:], wrap=None
    )
    assert opened(forged, OURS, services=[rebound]) == ("service", b"lies")


@pytest.mark.parametrize("cut", [slice(0, 63), slice(32, 64), slice(0, 0)])
def test_an_answer_of_another_length_opens_nothing(cut):
    """A file key without D, or cut, is no file key."""
    service = Deaf()
    data = sealed(service, OURS)
    short = SimpleNamespace(name=NAME, wrap=None, unwrap=lambda *it: service.unwrap(*it)[cut])
    with refused(THEMIS_CODES.FAIL, "wrong key or context", kind=ThemisError):
        opened(data, OURS, services=[short])


@pytest.mark.parametrize("maker", [services.aws, services.vault, services.hsm])
def test_files_open_with_each_service_and_another_slot_helps_if_it_is_down(maker, monkeypatch):
    """A service that fails does not end the search; its error shows if nothing else opens."""
    fake, service = maker(monkeypatch)
    data = sealed(service, OURS, keys=[(b"", KEY)])
    assert opened(data, OURS, services=[service]) == ("service", b"data")
    fake.fails = [TypeError("down")]
    assert opened(data, OURS, services=[service], keys=[(b"", KEY)])[0] == "key"
    fake.fails = [TypeError("down")]
    with failed(""):
        opened(data, OURS, services=[service])
    with refused(THEMIS_CODES.FAIL, "wrong key or context", kind=ThemisError):
        opened(data, THEIRS, services=[service])


def test_each_file_asks_its_service_once(monkeypatch):
    """However many slots a file has."""
    fake, service = services.aws(monkeypatch)
    data = sealed(service, OURS, keys=[(b"", KEY), (bytes(5), KEY)])
    fake.requests.clear()
    opened(data, OURS, services=[service])
    assert [verb for verb, _ in fake.requests] == ["decrypt"]
