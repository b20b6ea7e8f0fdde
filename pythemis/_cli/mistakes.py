# SPDX-License-Identifier: Apache-2.0
"""What else a key, a passphrase, a context or data may have been: the mistakes that people make.

Each function returns variants of what was given, the right reading first. None of them guesses a
secret: all are made of what the user has.
"""

from __future__ import annotations

import contextlib
import json
import unicodedata
from base64 import b64decode, b64encode
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from pythemis._core import layers
from pythemis.exception import ThemisError
from pythemis.place import place
from pythemis.scell import legacy_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMS: tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...] = ("NFC", "NFD", "NFKC", "NFKD")


class Mistake(NamedTuple):
    """What happened, and what to do about it."""

    what: str
    remedy: str


class Variant(NamedTuple):
    """Bytes that may be meant, and the mistakes that made something else of them."""

    data: bytes
    mistakes: tuple[Mistake, ...] = ()


def _distinct(found: Iterator[Variant]) -> list[Variant]:
    seen: dict[bytes, Variant] = {}
    for each in found:
        if each.data not in seen:
            seen[each.data] = each
    return list(seen.values())


def _decoded(line: bytes) -> Iterator[tuple[str, bytes]]:
    with contextlib.suppress(ValueError):
        yield "base64", b64decode(line, validate=True)
    with contextlib.suppress(ValueError):
        yield "hex", bytes.fromhex(line.decode("ascii"))


def _of_text(name: str, line: bytes) -> Iterator[Variant]:
    """Yield what programs make of text that they take as a key or a context."""

    def one(data: bytes, what: str, remedy: str) -> Variant:
        return Variant(data, (Mistake(f"the {name} {what}", remedy),))

    yield one(
        line + b"\n", "had a newline at its end", f"strip the {name} that you read from a file"
    )
    yield one(
        line + b"\r\n", "had CR and LF at its end", f"strip the {name} that you read from a file"
    )
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return
    utf16 = "decode it as UTF-16 and encode it as UTF-8 before it is used"
    yield one(text.encode("utf-16-le"), "was in UTF-16", utf16)
    yield one(text.encode("utf-16-be"), "was in UTF-16, big-endian", utf16)
    yield one(text.encode("utf-16"), "was in UTF-16 with a byte order mark", utf16)
    yield one(
        line.join((b"\xef\xbb\xbf", b"")), "had a byte order mark", "decode it as 'utf-8-sig'"
    )
    yield one(json.dumps(text).encode(), "was in JSON's quotes", "take it out with json.loads")
    yield one(
        legacy_text(text),
        "was a str in pythemis 0.15, which read its memory",
        "decrypt it with scell.legacy_text(text), and encrypt it again with bytes",
    )
    for form in _FORMS:
        normal = unicodedata.normalize(form, text).encode("utf-8", "replace")
        remedy = f"normalise both sides: unicodedata.normalize('{form}', text)"
        yield one(normal, f"was in the Unicode form {form}", remedy)
    yield one(
        text.encode("latin-1", "ignore"), "was in Latin-1", "name that encoding on both sides"
    )


def keys(raw: bytes) -> list[Variant]:
    """Return what may be meant by the content of a key file."""
    line = raw.strip(b" \t\r\n")

    def each() -> Iterator[Variant]:
        decoded = list(_decoded(line))
        first = decoded[0][1] if decoded and decoded[0][0] == "base64" else raw
        yield Variant(first)
        for name, data in decoded:
            yield Variant(data, (Mistake(f"the key is {name}", f"decode the {name} once"),))
        kind = decoded[0][0] if decoded else "text"
        what = Mistake(
            f"the key was used as {kind}, not decoded",
            f"decrypt with the {kind} itself as the key; decode it for new data",
        )
        yield Variant(line, (what,) if decoded else ())
        for name, data in decoded:
            inner = list(_decoded(data.strip()))
            for second, deeper in inner:
                twice = Mistake(f"the key is {second} in {name}", "decode it twice")
                yield Variant(deeper, (twice,))
        yield from _of_text("key", line)

    return _distinct(each())


def passphrases(raw: bytes) -> list[Variant]:
    """Return what may be meant by a passphrase."""
    line = raw.rstrip(b"\r\n")

    def each() -> Iterator[Variant]:
        yield Variant(line)
        stripped = Mistake("the passphrase had blanks around it", "strip it")
        yield Variant(line.strip(), (stripped,))
        yield from _of_text("passphrase", line)
        for name, data in _decoded(line):
            what = Mistake(f"the passphrase was decoded from {name}", f"decode the {name} first")
            yield Variant(data, (what,))

    return [variant for variant in _distinct(each()) if variant.data]


def contexts(given: bytes) -> list[Variant]:
    """Return what may be meant by a context."""

    def each() -> Iterator[Variant]:
        yield Variant(given)
        absent = Mistake("there was no context", "decrypt without one; give one for new data")
        yield Variant(b"", (absent,))
        if not given:
            return
        yield from _of_text("context", given)
        try:
            placed = place(given.decode("utf-8"))
            what = Mistake("the context was a place of this text", "place(text) makes it")
            yield Variant(placed, (what,))
        except (ThemisError, UnicodeDecodeError):
            pass
        for name, data in _decoded(given):
            what = Mistake(f"the context was decoded from {name}", f"decode the {name} first")
            yield Variant(data, (what,))
        what = Mistake("the context was in base64", "give it in base64")
        yield Variant(b64encode(given), (what,))
        yield Variant(given.hex().encode(), (Mistake("the context was in hex", "give it in hex"),))

    return _distinct(each())


_MOST_LAYERS = 12


def contents(data: bytes) -> list[Variant]:
    """Return what may be meant by data: without layers, blanks, or a wrong encoding of text."""

    def each() -> Iterator[Variant]:
        yield Variant(data)
        for end in (b"\r\n", b"\n"):
            if data.endswith(end):
                what = Mistake("the data has a newline at its end", "strip it")
                yield Variant(data.removesuffix(end), (what,))
        node = layers.node_of(data)
        if node is not None and not node.is_cut:
            for inner in islice(layers.each_node(node), 1, _MOST_LAYERS):
                wraps = [layer.value for layer in inner.layers]
                text = "the data is in " + ", in ".join(name for name, _ in wraps[::-1])
                yield Variant(inner.data, (Mistake(text, ", then ".join(how for _, how in wraps)),))
        try:
            narrow = data.decode("utf-8").encode("latin-1")
        except UnicodeError:
            return
        what = Mistake(
            "the data was taken as Latin-1 text and encoded as UTF-8",
            "undo it with data.decode('utf-8').encode('latin-1'), and store bytes",
        )
        yield Variant(narrow, (what,))

    return [variant for variant in _distinct(each()) if variant.data]
