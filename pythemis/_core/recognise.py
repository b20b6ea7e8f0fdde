# SPDX-License-Identifier: Apache-2.0
"""What data looks like: encrypted, signed, a token or a key, however it is wrapped.

Only public parts are judged (headers, labels, lengths), so nothing here tells anything about a
key, and nothing that it returns quotes the data. The work is bounded: of longer data only the
beginning is looked at. Loaded when something is refused, and not before.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from .foreign_shapes import (
    FILE_NAME,
    LABELS,
    LOOSE_PEM,
    beginning,
    der,
    fernet,
    label_kind,
    text_key,
)
from .kinds import Found, Kind, Layer, Node
from .layers import BLANK, LAYERS_MAX, WHOLE_MAX, each_node, node_of
from .shapes import U32, cell, container, message, numbers_at, sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pythemis._hints import Buffer

__all__ = [
    "BY_SIZE",
    "KEYS_BY_SIZE",
    "LAYERS_MAX",
    "THEMIS_KEYS",
    "WHOLE_MAX",
    "Found",
    "Kind",
    "Layer",
    "described",
    "find",
    "length_misfit",
    "misfit",
    "pem_texts",
    "recognise",
    "token_misfit",
    "unwrapped",
    "why_not",
    "words",
]

_LEAST_TEXT = 24  # characters that are taken for an encoding, though nothing inside is known
THEMIS_KEYS = (Kind.PRIVATE_KEY, Kind.PUBLIC_KEY)

# ---- What is asked ----


def recognise(data: Buffer | str) -> Found | None:
    """Recognise data, wrapped or not; None where it cannot be told."""
    node = node_of(data)
    known = None if node is None else find(node)
    return None if known is None else _with_newline(known[0], data)


def find(node: Node) -> tuple[Found, Node] | None:
    """Recognise data, and return what was recognised: the data without the layers around it."""
    tried = []
    for each in each_node(node):
        for judge in _SURE:
            found = judge(each)
            if found is not None:
                return found, each
        tried.append(each)
    return _loose(tried)


def words(data: Buffer | str, *own: Kind, by_size: tuple[Kind, ...] = ()) -> str:
    """Describe what data is and what to do, for an error; empty where it cannot be told.

    Nothing is said of data that is of one's ``own`` kinds, unwrapped: see `misfit`. Of the kinds
    that only their size tells, those of ``by_size`` are likely where this is asked.
    """
    found = recognise(data)
    if found is None or (found.kind in own and not found.layers):
        return ""
    if found.kind in BY_SIZE and found.kind not in by_size:
        if not found.layers:
            return ""
        found = found._replace(kind=Kind.UNKNOWN, name=Kind.UNKNOWN.value[0])
    return described(found)


def described(found: Found) -> str:
    """Describe what was found, and what to do."""
    text = f"it is {found.name}" + "".join(f" in {layer.value[0]}" for layer in found.layers[::-1])
    use = found.kind.value[1]
    if found.layers and found.kind not in _READ_WRAPPED:
        use = ", then ".join(layer.value[1] for layer in found.layers)
    return f"{text}: {use}"


def misfit(data: Buffer | str, *own: Kind) -> str:
    """Compare the length of data of one's ``own`` kinds with its header; empty where they fit."""
    found = recognise(data)
    if found is None or found.kind not in own or found.layers:
        return ""
    return length_misfit(found.promised, found.present, by="the header", newline=found.newline)


def why_not(data: Buffer | str, *own: Kind, by_size: tuple[Kind, ...] = ()) -> str:
    """Go on after "this is not ..."; empty where it cannot be told why not."""
    wrong_size = misfit(data, *own)
    if wrong_size:
        return f", or {wrong_size}"
    known = words(data, *own, by_size=by_size)
    return known and f"; {known}"


def length_misfit(promised: int | None, present: int | None, *, by: str, newline: bool) -> str:
    if present is None or promised == present:
        return ""
    if promised is None:
        return f"it is truncated: {_bytes(present)} are not even a header"
    if present < promised:
        return f"it is truncated: {by} promises {_bytes(promised)}, {present} are present"
    surplus = f"it has {_bytes(present - promised)} too many at the end"
    if newline and present - promised <= len("\r\n"):
        return f"{surplus}: a newline?"
    return f"{surplus}: {by} promises {_bytes(promised)}, {present} are present"


def token_misfit(encrypted: Buffer | str, token: Buffer | str) -> str:
    """Describe why the data and token of a cell do not match; empty if it cannot be recognised."""
    found, swapped = recognise(token), recognise(encrypted)
    if swapped is not None and swapped.kind is Kind.TOKEN and not swapped.layers:
        return "the token stands where the data belongs: exchange them"
    if found is None or found.kind not in (Kind.TOKEN, Kind.SEAL_CELL) or found.layers:
        text = "" if found is None else described(found)
        return text and f"the token: {text}"
    return _length_by_token(encrypted, token) or ("" if swapped is None else words(encrypted))


def _length_by_token(encrypted: Buffer | str, token: Buffer | str) -> str:
    """Compare the lengths of the data and the token of a cell with what the token says."""
    data, node = node_of(encrypted), node_of(token)
    lengths = None if node is None else numbers_at(node.data, U32, 3)
    if data is None or node is None or lengths is None:
        return "the token is truncated"
    size = U32 * 4 + lengths[0] + lengths[1]
    if node.size is not None and node.size < size:
        return "of the token, " + length_misfit(size, node.size, by="its header", newline=False)
    newline = data.data.endswith(b"\n") and not data.is_cut
    misfit = length_misfit(lengths[2], data.size, by="the token", newline=newline)
    return misfit and f"of the data, {misfit}"


def unwrapped(data: Buffer | str, *kinds: Kind) -> Iterator[bytes]:
    """Yield data of these kinds without the layers around it; all of it or nothing."""
    node = node_of(data)
    if node is not None and not node.is_cut:
        for each in each_node(node):
            found = text_key(each)
            if found is not None and found.kind in kinds:
                yield each.data


def pem_texts(data: Buffer | str) -> Iterator[bytes]:
    """Yield the PEM blocks in wrapped data, each as PEM has to be: a few at most."""
    node = node_of(data)
    if node is None or node.is_cut:
        return
    left = _PEM_BLOCKS
    for each in each_node(node):
        for block in islice(_blocks(each.data), left):
            left -= 1
            if b"\n" + block not in b"\n" + node.data:  # at the start of a line C has seen it
                yield block


def _blocks(data: bytes) -> Iterator[bytes]:
    at = 0
    while (begins := LOOSE_PEM.search(data, at)) is not None:
        end = b"-----END " + begins[1] + b"-----"
        at = data.find(end, begins.end())
        if at < 0:
            return
        if LABELS.get(begins[1]) is not Kind.PEM:
            continue
        body = data[begins.end() : at].replace(b"\\r", b"\n").replace(b"\\n", b"\n")
        if b":" not in body:  # without headers it is base64, and where its lines end is no matter
            body = b"".join(body.split())
            body = b"\n".join(body[i : i + 64] for i in range(0, len(body), 64))
        lines = [b"-----BEGIN " + begins[1] + b"-----", *map(bytes.strip, body.split(b"\n")), end]
        yield b"\n".join(lines) + b"\n"


_PEM_BLOCKS = 8


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _with_newline(found: Found, data: Buffer | str) -> Found:
    """Look at the end of what was too long to be looked at wholly."""
    if found.newline or found.layers or isinstance(data, str):
        return found
    with memoryview(data) as seen, seen.cast(format="B") as plain:
        return found._replace(newline=bytes(plain[-1:]) == b"\n")


# ---- What is sure ----

_SURE: tuple[Callable[[Node], Found | None], ...] = (
    *(cell, message, container, sealed, der, text_key, beginning, fernet),
)

# What is read however it is wrapped, so that nothing has to be undone first.
_READ_WRAPPED = {
    *(Kind.PEM, Kind.OPENSSH_PRIVATE, Kind.OPENSSH_PUBLIC, Kind.CERTIFICATE),
    *(Kind.CERTIFICATE_REQUEST, Kind.OTHER_PEM, Kind.FERNET_TOKEN, Kind.WEB_TOKEN, Kind.PGP),
    *(Kind.SYMMETRIC_KEY, Kind.AGE_FILE, Kind.AGE_RECIPIENT, Kind.AGE_SECRET_KEY, Kind.PUTTY_KEY),
}


# ---- What is likely ----

_POINTS = {33: (2, 3), 49: (2, 3), 67: (2, 3), 65: (4,), 97: (4,), 133: (4,)}
_COMPARISONS = (192, 352, 256, 96)
_SYMMETRIC = 32
KEYS_BY_SIZE = (Kind.POINT, Kind.SYMMETRIC_KEY)  # likely where a key of a pair belongs
BY_SIZE = {Kind.POINT, Kind.SYMMETRIC_KEY, Kind.COMPARISON}


def _loose(tried: list[Node]) -> tuple[Found, Node] | None:
    """Recognise what could be something else, now that nothing sure was found."""
    node = tried[0]
    label = LOOSE_PEM.search(node.data)
    text = node.data.strip(BLANK)
    if label is not None:
        return label_kind(node, label[1]), node
    if FILE_NAME.fullmatch(text):
        return node.found(Kind.FILE_NAME), node
    if text[:2] in (b'{"', b'["', b"[{", b"{\n") and _is_utf8(node):
        return node.found(Kind.JSON), node
    for each in tried:
        found = _by_size(each)
        if found is not None:
            return found, each
    for each in tried if len(text) >= _LEAST_TEXT else ():
        if each.layers and each.layers[-1] in _ENCODINGS:
            return each.found(Kind.UNKNOWN), each
    return None


def _is_utf8(node: Node) -> bool:
    """Return whether data is text; two characters begin other data once in 16,384 times."""
    try:
        node.data.decode()
    except UnicodeDecodeError as error:  # what is cut may end within a character
        return node.is_cut and error.start > len(node.data) - 4
    return True


_ENCODINGS = {Layer.BASE64, Layer.BASE64_URL, Layer.HEX, Layer.POSTGRES, Layer.REPR}


def _by_size(node: Node) -> Found | None:
    if node.data[:1] and node.data[0] in _POINTS.get(node.size or 0, ()):
        return node.found(Kind.POINT)
    if node.size == _SYMMETRIC:
        return node.found(Kind.SYMMETRIC_KEY)
    if node.size in _COMPARISONS and not node.layers:
        return node.found(Kind.COMPARISON)
    return None
