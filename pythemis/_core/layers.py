# SPDX-License-Identifier: Apache-2.0
"""What data may be wrapped in, such as base64, quotes or UTF-16, and what is inside.

The work is bounded: of longer data only the beginning is looked at.
"""

from __future__ import annotations

import re
from _codecs import utf_16_be_decode, utf_16_le_decode
from binascii import Error, a2b_base64
from typing import TYPE_CHECKING

from .kinds import Layer, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pythemis._hints import Buffer

LAYERS_MAX = 6
WHOLE_MAX = 1 << 16  # bytes that are looked at, all of them
_HEAD = 1 << 12  # of anything longer
_TRIES = 40  # ways to unwrap that are tried, in all


def node_of(data: Buffer | str) -> Node | None:
    """Copy as much of the data as is looked at."""
    if isinstance(data, str):
        size = str.__len__(data)
        head = str.__getitem__(data, slice(WHOLE_MAX if size <= WHOLE_MAX else _HEAD))
        encoded = head.encode("utf-8", "replace")
        return Node(encoded, len(encoded), size > WHOLE_MAX, ())
    try:
        with memoryview(data) as seen, seen.cast(format="B") as plain:
            return node_of_head(bytes(plain[:WHOLE_MAX]), len(plain))
    except (TypeError, ValueError, BufferError):
        return None


def node_of_head(head: bytes, size: int | None) -> Node:
    """Make a node of the first `WHOLE_MAX` bytes of data; of ``size`` bytes, if that is known."""
    is_cut = size is None or size > len(head)
    return Node(head[:_HEAD] if is_cut else head, size, is_cut, ())


def each_node(node: Node) -> Iterator[Node]:
    """Yield data as it is, and then without each layer that it may have, to any depth."""
    left = _TRIES
    waiting = [node]
    while waiting and left:
        left -= 1
        each = waiting.pop()
        yield each
        if len(each.layers) < LAYERS_MAX:
            inside = (peel(each) for peel in _PEELS)
            waiting += [made for made in inside if made is not None and made.data][::-1]


# ---- Each layer ----
#
# Each function returns what is inside, or None if there is no such layer.

BLANK = b" \t\r\n\v\f\0"
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"f": b"\f", b"b": b"\b", b"v": b"\v"}
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_HEX_PREFIX = re.compile(rb"0[xX]|(\\\\?x)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_ASCII = re.compile(rb"[\t\n\r\f\v -~]*")


def _inside(node: Node, layer: Layer, data: bytes) -> Node:
    size = None if node.is_cut else len(data)
    return Node(data, size, node.is_cut, (*node.layers, layer))


def _byte_order_mark(node: Node) -> Node | None:
    if node.data.startswith(b"\xef\xbb\xbf"):
        return _inside(node, Layer.UTF8_BOM, node.data[3:])
    return None


def _utf16(node: Node) -> Node | None:
    data = node.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        decode, data = (utf_16_le_decode if data[0] == 0xFF else utf_16_be_decode), data[2:]
    elif data[1:16:2].count(0) == len(data[1:16:2]) > 1 and data[0] != 0:
        decode = utf_16_le_decode
    elif data[:16:2].count(0) == len(data[:16:2]) > 1 and data[1] != 0:
        decode = utf_16_be_decode
    else:
        return None
    text = decode(data, "replace", True)[0]
    return _inside(node, Layer.UTF16, text.encode("utf-8", "replace"))


def _blanks(node: Node) -> Node | None:
    data = node.data.lstrip(BLANK[:-1])
    return _inside(node, Layer.BLANKS, data) if len(data) != len(node.data) else None


def _unescape(found: re.Match[bytes]) -> bytes:
    code = found[1]
    if len(code) == 1 and not code.isdigit():
        return _LETTERS.get(code, code)
    if code[:1] == b"x":
        return bytes([int(code[1:], 16)])
    if code[:1] == b"u":
        return chr(int(code[1:], 16)).encode("utf-8", "replace")
    return bytes([int(code, 8) & 0xFF]) if code.isdigit() and code < b"8" else code


def _quotes(node: Node) -> Node | None:
    text = node.data.strip(BLANK)
    layer = Layer.QUOTES
    if text[:10] == b"bytearray(":
        text, layer = text[10:].removesuffix(b")"), Layer.REPR
    if text[:2] in (b"b'", b'b"', b"B'", b'B"'):
        text, layer = text[1:], Layer.REPR
    if text[:1] not in (b"'", b'"'):
        return None
    if text[-1:] == text[:1] and len(text) > 1:
        text = text[:-1]
    elif not node.is_cut:
        return None
    return _inside(node, layer, _ESCAPE.sub(_unescape, text[1:]))


def _escapes(node: Node) -> Node | None:
    if b"\\" not in node.data or not _ASCII.fullmatch(node.data):
        return None
    return _inside(node, Layer.ESCAPES, _ESCAPE.sub(_unescape, node.data))


def _hex(node: Node) -> Node | None:
    text = node.data.translate(None, b":" + BLANK)
    prefix = _HEX_PREFIX.match(text)
    if prefix is not None:
        text = text[prefix.end() :]
    if node.is_cut:
        text = text[: len(text) // 2 * 2]
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    layer = Layer.POSTGRES if prefix is not None and prefix[1] else Layer.HEX
    return _inside(node, layer, bytes.fromhex(text.decode()))


def _base64(node: Node) -> Node | None:
    text = node.data.translate(None, BLANK)
    if not _BASE64.fullmatch(text):
        return None
    layer = Layer.BASE64_URL if b"-" in text or b"_" in text else Layer.BASE64
    text = text.rstrip(b"=").translate(_FROM_URL)
    if node.is_cut:
        text = text[: len(text) // 4 * 4]
    try:
        return _inside(node, layer, a2b_base64(text + b"=" * (-len(text) % 4)))
    except Error:
        return None


_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PEELS: tuple[Callable[[Node], Node | None], ...] = (
    *(_byte_order_mark, _utf16, _quotes, _hex, _base64, _escapes, _blanks),
)
