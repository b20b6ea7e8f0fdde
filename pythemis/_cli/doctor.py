# SPDX-License-Identifier: Apache-2.0
"""``pythemis doctor``: why does it not decrypt?

It tries the known mistakes with the user's own key, on the user's own machine, and says which one
opens the data. It prints neither a secret nor what it decrypted.
"""

from __future__ import annotations

import json
import os
import warnings
from io import BytesIO
from itertools import product
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NamedTuple

from pythemis import _sealed
from pythemis._core.kinds import Kind
from pythemis._core.recognise import recognise
from pythemis._inspect import HEAD_MAX, Report, inspect
from pythemis.exception import ThemisError
from pythemis.keyring import SecretKey
from pythemis.scell import DEFAULT_ITERATIONS, SCellSeal, SCellTokenProtect
from pythemis.skeygen import public_from_private
from pythemis.smessage import SMessage, sverify

from . import mistakes, sources
from .errors import Status, refused, usage
from .mistakes import Mistake, Variant
from .reports import report_on
from .sources import ERRORS
from .streams import STANDARD, read, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

LARGEST = 1 << 30  # bytes that are read
_WORK = 1 << 30  # bytes that are decrypted in vain, in all
_LEAST_TRIES = 16
_MOST_TRIES = 3000
_STRETCHES = 60  # tries with a passphrase of the default iterations: some seconds
_PREFIX = 8  # of a stored value
_OLD = Mistake(
    "it was written by Themis 0.9.6 on a 64-bit machine",
    "SCellSeal(key=..., compat_096=True) decrypts it; encrypt it again",
)
_AS_PASSPHRASE = Mistake(
    "the cell was made with a passphrase, and this is its text",
    "decrypt it with SCellSeal(passphrase=...)",
)
_AS_KEY = Mistake(
    "the cell was made with the bytes of the passphrase as a key",
    "decrypt it with SCellSeal(key=...), and encrypt it again with passphrase=...",
)
_AS_PASSPHRASE_OF_FILE = Mistake(
    "the file is sealed with a passphrase, and this is its text", "give it as the passphrase"
)
_AS_KEY_OF_FILE = Mistake(
    "the file is sealed with a key, and this is its text", "give the file of the key with -k"
)
_SWAPPED_TOKEN = Mistake("data and token are exchanged", "exchange them")
_SWAPPED_KEYS = Mistake(
    "the private and the public key are exchanged, or of the other side",
    "the reader gives its own private key and the public key of the writer",
)


class Diagnosis(NamedTuple):
    """What was found: whether it opens, and the mistakes without which it does not."""

    opens: bool
    found: tuple[Mistake, ...]
    hints: tuple[str, ...]
    report: Report


class _Opening(NamedTuple):
    """A way to open data: what it does, and the mistake that makes it necessary."""

    open: Callable[[bytes, bytes, bytes], object]  # data, secret, context
    secrets: list[Variant]
    mistake: tuple[Mistake, ...] = ()


def _opens(opening: _Opening, data: bytes, secret: bytes, context: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opening.open(data, secret, context)
    except ThemisError:
        return False
    return True


def _seal(data: bytes, secret: bytes, context: bytes) -> bytes:
    return SCellSeal(key=secret).decrypt(data, context)


def _seal_096(data: bytes, secret: bytes, context: bytes) -> bytes:
    return SCellSeal(key=secret, compat_096=True).decrypt(data, context)


def _passphrase(data: bytes, secret: bytes, context: bytes) -> bytes:
    return SCellSeal(passphrase=secret, min_iterations=1).decrypt(data, context)


def _stored(open_cell: Callable[[bytes, bytes, bytes], bytes]) -> Callable[..., bytes]:
    return lambda data, secret, context: open_cell(data[_PREFIX:], secret, context)


def ways(kind: Kind, given: Given) -> Iterator[_Opening]:
    """Yield the ways to open data of a kind, the likely ones first."""
    keys = mistakes.keys(given.key) if given.key is not None else []
    phrases = mistakes.passphrases(given.passphrase) if given.passphrase is not None else []
    if kind in (Kind.SEAL_CELL, Kind.STORED_VALUE):
        wrap = _stored if kind is Kind.STORED_VALUE else (lambda opens: opens)
        yield _Opening(wrap(_seal), keys)
        yield _Opening(wrap(_seal), phrases + _more_keys(given.passphrase), (_AS_KEY,))
        yield _Opening(wrap(_seal_096), keys, (_OLD,))
    elif kind is Kind.SEALED_FILE:
        yield from _ways_of_sealed(given, keys, phrases)
    elif kind is Kind.PASSPHRASE_CELL:
        yield _Opening(_passphrase, phrases)
        lines = [] if given.key is None else mistakes.passphrases(given.key)
        yield _Opening(_passphrase, lines, (_AS_PASSPHRASE,))


def _ways_of_sealed(
    given: Given, keys: list[Variant], phrases: list[Variant]
) -> Iterator[_Opening]:
    """Yield the ways to open a sealed file; its head alone tells whether one opens it."""

    def opening(unlock: Callable[[bytes], dict[str, Any]]) -> Callable[..., object]:
        return lambda data, secret, context: _sealed.StreamReader(
            ERRORS, BytesIO(data).read, _sealed.Unlock(**unlock(secret), context=context)
        )

    yield _Opening(opening(lambda secret: {"keys": [(b"", secret)]}), keys)
    if given.private is not None:
        sender = given.sender and mistakes.keys(given.sender)[0].data
        own = mistakes.keys(given.private)[:3]
        yield _Opening(opening(lambda secret: {"private_key": secret, "sender": sender}), own)
    by_passphrase = opening(lambda secret: {"passphrase": secret})
    yield _Opening(by_passphrase, phrases)
    if given.key is not None:
        lines = mistakes.passphrases(given.key)
        yield _Opening(by_passphrase, lines, (_AS_PASSPHRASE_OF_FILE,))
    if given.passphrase is not None:
        as_key = opening(lambda secret: {"keys": [(b"", secret)]})
        yield _Opening(as_key, mistakes.keys(given.passphrase), (_AS_KEY_OF_FILE,))


def _slot_hints(report: Report, given: Given) -> Iterator[str]:
    """Name what the slots of a sealed file need and the user did not give."""
    needed = {
        "key": (given.key, "a key: -k KEY"),
        "passphrase": (given.passphrase, "a passphrase: -p"),
        "recipient": (given.private, "the private key of a recipient: --private KEY"),
        "sender": (given.sender, "the private key of its recipient and the sender: --sender KEY"),
    }
    for kind in dict.fromkeys(slot["kind"] for slot in report.facts.get("slots", ())):
        secret, text = needed.get(kind, (b"", ""))
        if secret is None:
            yield f"it can be opened with {text}"


def _more_keys(passphrase: bytes | None) -> list[Variant]:
    return [] if passphrase is None else mistakes.keys(passphrase)


class Given(NamedTuple):
    """What the user gave, as it is: nothing is decoded."""

    key: bytes | None = None
    passphrase: bytes | None = None
    context: bytes = b""
    token: bytes | None = None
    private: bytes | None = None
    sender: bytes | None = None


def diagnose(data: bytes, given: Given, report: Report | None = None) -> Diagnosis:
    """Find the mistakes that keep data from being opened with what the user gave.

    Of a sealed file the beginning is enough, with the report on all of it.
    """
    report = report or inspect(data)
    found: tuple[Mistake, ...] | None = None
    hints: list[str] = []
    if given.token is not None:
        found = _of_token(data, given)
    for content in mistakes.contents(data):
        if found is not None:
            break
        known = recognise(content.data)
        if known is None or known.layers:
            continue
        found = _of_kind(known.kind, content, given, hints)
    hints += report.problems
    if found is None:
        return Diagnosis(False, (), tuple(dict.fromkeys(hints)), report)
    return Diagnosis(True, found, report.problems if _is_sealed_file(report) else (), report)


def _is_sealed_file(report: Report) -> bool:
    return report.kind == "sealed-file" and not report.layers


def _of_kind(
    kind: Kind, content: Variant, given: Given, hints: list[str]
) -> tuple[Mistake, ...] | None:
    if kind in _OF_PAIRS:
        return _of_message(kind, content, given, hints)
    if kind is Kind.TOKEN and given.token is None:
        hints.append("this is a token: give the encrypted data, and this one with --token")
    report = inspect(content.data)
    if kind is Kind.SEALED_FILE:
        hints += _slot_hints(report, given)
    most = max(_LEAST_TRIES, min(_MOST_TRIES, _WORK // len(content.data)))
    iterations = _iterations(report)
    if iterations:
        most = max(4, min(most, _STRETCHES * DEFAULT_ITERATIONS // iterations))
    for opening in ways(kind, given):
        found = _by_mistakes(opening.secrets, mistakes.contexts(given.context))
        for secret, context in found[:most]:
            if _opens(opening, content.data, secret.data, context.data):
                return (
                    *content.mistakes, *opening.mistake, *secret.mistakes, *context.mistakes,
                )  # fmt: skip
        if len(found) > most:
            hints.append("not everything was tried: it would take too long")
    return None


def _iterations(report: Report) -> int:
    """Return how many iterations one try may cost; 0 if no passphrase is tried."""
    slots = report.facts.get("slots", ())
    several: int = sum(slot.get("iterations", 0) for slot in slots)
    return several or int(report.facts.get("iterations", 0))


def _by_mistakes(secrets: list[Variant], contexts: list[Variant]) -> list[tuple[Variant, Variant]]:
    pairs = list(product(secrets, contexts))
    return sorted(pairs, key=lambda pair: sum(len(each.mistakes) for each in pair))


def _of_token(data: bytes, given: Given) -> tuple[Mistake, ...] | None:
    assert given.token is not None
    if given.key is None:
        raise usage("a token needs the key of its cell: -k KEY")
    for one, other in product(mistakes.contents(data), mistakes.contents(given.token)):
        for encrypted, token, swapped in ((one, other, ()), (other, one, (_SWAPPED_TOKEN,))):
            known = recognise(token.data)
            if known is None or known.kind not in (Kind.TOKEN, Kind.SEAL_CELL) or known.layers:
                continue

            def opened(
                data: bytes, secret: bytes, context: bytes, token: bytes = token.data
            ) -> bytes:
                return SCellTokenProtect(secret).decrypt(data, token, context)

            opening = _Opening(opened, [])
            secrets, contexts = mistakes.keys(given.key), mistakes.contexts(given.context)
            for secret, context in _by_mistakes(secrets, contexts):
                if _opens(opening, encrypted.data, secret.data, context.data):
                    return (
                        *one.mistakes, *other.mistakes, *swapped,
                        *secret.mistakes, *context.mistakes,
                    )  # fmt: skip
    return None


# ---- Messages ----

_OF_PAIRS = (Kind.EC_SIGNED, Kind.RSA_SIGNED, Kind.EC_ENCRYPTED, Kind.RSA_ENCRYPTED)


def _of_message(
    kind: Kind, content: Variant, given: Given, hints: list[str]
) -> tuple[Mistake, ...] | None:
    own, peer = given.private, given.sender
    if kind in (Kind.EC_SIGNED, Kind.RSA_SIGNED):
        return _of_signed(content, [own, peer], hints)
    if own is None or peer is None:
        hints.append("an encrypted message needs --private KEY and --sender PUBLIC")
        return None
    for private, public, swapped in ((own, peer, ()), (peer, own, (_SWAPPED_KEYS,))):
        for first, second in product(mistakes.keys(private)[:3], mistakes.keys(public)[:3]):
            try:
                SMessage(first.data, second.data).unwrap(content.data)
            except ThemisError:
                continue
            return (*content.mistakes, *swapped, *first.mistakes, *second.mistakes)
    try:
        if public_from_private(mistakes.keys(own)[0].data) == mistakes.keys(peer)[0].data:
            hints.append("the public key is your own: give that of the sender")
    except ThemisError:
        pass
    return None


def _of_signed(
    content: Variant, keys: list[bytes | None], hints: list[str]
) -> tuple[Mistake, ...] | None:
    if not any(keys):
        hints.append("a signed message needs --sender PUBLIC")
    for key in filter(None, keys):
        for variant in mistakes.keys(key)[:3]:
            for made in (_same, public_from_private):
                try:
                    sverify(made(variant.data), content.data)
                except ThemisError:
                    continue
                private = Mistake("this is the private key", "verify with the public one")
                extra = (private,) if made is public_from_private else ()
                return (*content.mistakes, *variant.mistakes, *extra)
    return None


def _same(key: bytes) -> bytes:
    return key


# ---- The command ----


def doctor(options: argparse.Namespace) -> int:
    """Explain why data does not decrypt."""
    given = Given(
        key=options.key and sources.content(options.key),
        passphrase=passphrase_of(options),
        context=sources.context(options),
        token=None if options.token is None else read(options.token),
        private=options.private and sources.content(options.private),
        sender=options.sender and sources.content(options.sender, secret=False),
    )
    found = diagnose(*_examined(options.file, given))
    if options.json:
        say(json.dumps(_as_dict(found)))
    else:
        say("\n".join(_lines(found, given)))
    return Status.DONE if found.opens else Status.REFUSED


def _examined(name: str, given: Given) -> tuple[bytes, Given, Report | None]:
    """Read what is examined; of a sealed file its beginning, whatever its size."""
    if name != STANDARD and S_ISREG(os.stat(name).st_mode):  # noqa: PTH116 -- a name as it was given
        report = report_on(name)
        if _is_sealed_file(report):
            return read(name, most=HEAD_MAX), given, report
    data = read(name, most=LARGEST + 1)
    if len(data) > LARGEST:
        raise refused(f"{name}: this is longer than {LARGEST} bytes, and no sealed file")
    return data, given, None


def passphrase_of(options: argparse.Namespace) -> bytes | None:
    """Return the passphrase as bytes."""
    secret = sources.passphrase(options, new=False)
    return secret.reveal() if isinstance(secret, SecretKey) else secret


def _as_dict(found: Diagnosis) -> dict[str, object]:
    return {
        "schema": 1,
        "opens": found.opens,
        "mistakes": [each._asdict() for each in found.found],
        "hints": list(found.hints),
        "report": found.report.as_dict(),
    }


def _lines(found: Diagnosis, given: Given) -> Iterator[str]:
    yield f"It is {found.report.name}" + "".join(
        f" in {layer}" for layer in found.report.layers[::-1]
    )
    if found.opens and not found.found:
        yield "It opens with what you gave" + (
            ". `pythemis verify-file` checks all of it."
            if _is_sealed_file(found.report)
            else ": nothing is wrong with it."
        )
    elif found.opens:
        yield "It opens like this:"
        for mistake in found.found:
            yield f"  - {mistake.what}: {mistake.remedy}"
    else:
        yield "No known mistake explains it: another key, another context, or corruption."
    for hint in found.hints:
        yield f"  - {hint}"
    nothing = given.key is None and given.passphrase is None and given.private is None
    if nothing and not found.opens:
        yield "  - give the key, too: -k KEY, -p, or --private KEY with --sender PUBLIC"
