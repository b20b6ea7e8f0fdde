# SPDX-License-Identifier: Apache-2.0
"""What data looks like: encrypted, signed, a token or a key, however it is wrapped.

Only public parts are judged (headers, labels, lengths), so nothing here tells anything about a
key, and nothing that it returns quotes the data. The work is bounded: of longer data only the
beginning is looked at. Loaded when something is refused, and not before.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pythemis._typing import Buffer

LAYERS_MAX = 6
WHOLE_MAX = 1 << 16  # bytes that are looked at, all of them
_HEAD = 1 << 12  # of anything longer
_TRIES = 40  # ways to unwrap that are tried, in all
_LEAST_TEXT = 24  # characters that are taken for an encoding, though nothing inside is known
_U32 = 4


class Layer(Enum):
    """What data is wrapped in: its name, and how to undo it."""

    UTF8_BOM = ("UTF-8 with a byte order mark", "decode it as 'utf-8-sig'")
    UTF16 = ("UTF-16", "decode it as UTF-16")
    BLANKS = ("blank space", "strip the blank space")
    QUOTES = ("quotes", "remove the quotes")
    REPR = ("the repr of bytes", "read the repr back with ast.literal_eval")
    ESCAPES = ("backslash escapes", "replace the backslash escapes")
    POSTGRES = (r"PostgreSQL's \x text", r"decode what follows \x with bytes.fromhex")
    HEX = ("hex", "decode it with bytes.fromhex")
    BASE64 = ("base64", "decode it with base64.b64decode")
    BASE64_URL = ("URL-safe base64", "decode it with base64.urlsafe_b64decode")


class Kind(Enum):
    """What is known: its name, and what reads it or what to do."""

    SEAL_CELL = ("a Seal cell made with a key", "SCellSeal(key=...) decrypts it")
    PASSPHRASE_CELL = (
        "a Seal cell made with a passphrase",
        "SCellSeal(passphrase=...) decrypts it",
    )
    TOKEN = (
        "the token of a Token Protect cell",
        "SCellTokenProtect takes it behind the encrypted message",
    )
    EC_SIGNED = ("a signed message", "it takes sverify and a public EC key")
    RSA_SIGNED = ("a signed message of an RSA key", "it takes sverify and a public RSA key")
    EC_ENCRYPTED = ("an encrypted message", "it takes an SMessage of EC keys")
    RSA_ENCRYPTED = ("an encrypted message of RSA keys", "it takes an SMessage of RSA keys")
    NEGOTIATION = ("a negotiation message of a Secure Session", "SSession.unwrap takes it")
    SAVED_SESSION = ("a saved session", "it is read only by the Themis that wrote it")
    COMPARISON = ("as long as a message of a Secure Comparator", "proceed_compare takes those")

    PRIVATE_KEY = ("a private Themis key", "it is used as it is")
    PUBLIC_KEY = ("a public Themis key", "it is used as it is")
    SYMMETRIC_KEY = ("as long as a symmetric key", "one of a pair belongs here")
    POINT = ("a point of an EC key", "skeygen.from_point reads it")
    PEM = ("PEM", "skeygen.from_pem reads it")
    DER = ("DER", "skeygen.from_der reads it")
    JWK = ("a JWK", "skeygen.from_jwk reads it")
    JWK_SET = ("a set of JWKs", "skeygen.from_jwk reads one of its keys")
    OPENSSH_PRIVATE = ("an OpenSSH private key", "skeygen.from_openssh reads it")
    OPENSSH_PUBLIC = ("an OpenSSH public key", "skeygen.from_openssh reads it")
    PUTTY_KEY = (
        "a PuTTY private key",
        "puttygen -O private-openssh converts it for skeygen.from_openssh",
    )
    CERTIFICATE = (
        "a certificate",
        "verify it, then take the public key out of it with `openssl x509 -pubkey -noout`",
    )
    CERTIFICATE_REQUEST = (
        "a certificate request",
        "take the public key out of it with `openssl req -pubkey -noout`",
    )
    PKCS12 = (
        "PKCS#12",
        "`openssl pkcs12 -nodes` converts it for skeygen.from_pem",
    )
    OTHER_PEM = ("PEM of another kind", "it holds no key that Themis could use")
    AGE_SECRET_KEY = ("an age secret key", "Themis has no use for keys on X25519")
    AGE_RECIPIENT = ("an age recipient", "Themis has no use for keys on X25519")
    AGE_FILE = ("a file encrypted with age", "age decrypts it")
    FERNET_TOKEN = ("a Fernet token", "cryptography.fernet decrypts it")
    PGP = ("OpenPGP data", "gpg reads it")
    WEB_TOKEN = ("a JSON Web Token", "a JOSE library reads it")
    FILE_NAME = ("the name of a file", "give what is in the file")
    GZIP = ("compressed with gzip", "decompress it")
    ZIP = ("a zip archive", "unpack it")
    XML = ("XML", "take out the value that is meant")
    JSON = ("JSON", "take out the value that is meant")
    UNKNOWN = ("apparently written", "")


class Found(NamedTuple):
    """What data looks like."""

    kind: Kind
    name: str  # as a sentence has it: "it is ..."
    layers: tuple[Layer, ...] = ()  # outermost first
    promised: int | None = None  # bytes, by the public header
    present: int | None = None  # bytes, as far as all were looked at
    newline: bool = False  # whether it ends with one


class _Node(NamedTuple):
    """Data under some layers; never shown."""

    data: bytes  # its beginning
    size: int | None  # of all of it
    is_cut: bool
    layers: tuple[Layer, ...]

    def found(self, kind: Kind, promised: int | None = None, name: str = "") -> Found:
        newline = not self.is_cut and self.data.endswith(b"\n")
        return Found(kind, name or kind.value[0], self.layers, promised, self.size, newline)


THEMIS_KEYS = (Kind.PRIVATE_KEY, Kind.PUBLIC_KEY)

# ---- What is asked ----


def recognise(data: Buffer | str) -> Found | None:
    """Recognise data, wrapped or not; None where it cannot be told."""
    node = _node(data)
    if node is None:
        return None
    tried = []
    for each in _unwrapped(node):
        for judge in _SURE:
            found = judge(each)
            if found is not None:
                return _with_newline(found, data)
        tried.append(each)
    found = _loose(tried)
    return None if found is None else _with_newline(found, data)


def words(data: Buffer | str, *own: Kind, by_size: tuple[Kind, ...] = ()) -> str:
    """Describe what data is and what to do, for an error; empty where it cannot be told.

    Nothing is said of data that is of one's ``own`` kinds, unwrapped: see `misfit`. Of the kinds
    that only their size tells, those of ``by_size`` are likely where this is asked.
    """
    found = recognise(data)
    if found is None or (found.kind in own and not found.layers):
        return ""
    if found.kind in _BY_SIZE and found.kind not in by_size:
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
    return _misfit(found.promised, found.present, by="the header", newline=found.newline)


def why_not(data: Buffer | str, *own: Kind, by_size: tuple[Kind, ...] = ()) -> str:
    """Go on after "this is not ..."; empty where it cannot be told why not."""
    wrong_size = misfit(data, *own)
    if wrong_size:
        return f", or {wrong_size}"
    known = words(data, *own, by_size=by_size)
    return known and f"; {known}"


def _misfit(promised: int | None, present: int | None, *, by: str, newline: bool) -> str:
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
    data, node = _node(encrypted), _node(token)
    lengths = None if node is None else _numbers(node.data, _U32, 3)
    if data is None or node is None or lengths is None:
        return "the token is truncated"
    size = _U32 * 4 + lengths[0] + lengths[1]
    if node.size is not None and node.size < size:
        return "of the token, " + _misfit(size, node.size, by="its header", newline=False)
    newline = data.data.endswith(b"\n") and not data.is_cut
    misfit = _misfit(lengths[2], data.size, by="the token", newline=newline)
    return misfit and f"of the data, {misfit}"


def unwrapped(data: Buffer | str, *kinds: Kind) -> Iterator[bytes]:
    """Yield data of these kinds without the layers around it; all of it or nothing."""
    node = _node(data)
    if node is not None and not node.is_cut:
        for each in _unwrapped(node):
            found = _text_key(each)
            if found is not None and found.kind in kinds:
                yield each.data


def pem_texts(data: Buffer | str) -> Iterator[bytes]:
    """Yield the PEM blocks in wrapped data, each as PEM has to be: a few at most."""
    node = _node(data)
    if node is None or node.is_cut:
        return
    left = _PEM_BLOCKS
    for each in _unwrapped(node):
        for block in islice(_blocks(each.data), left):
            left -= 1
            if b"\n" + block not in b"\n" + node.data:  # at the start of a line C has seen it
                yield block


def _blocks(data: bytes) -> Iterator[bytes]:
    at = 0
    while (begins := _LOOSE_PEM.search(data, at)) is not None:
        end = b"-----END " + begins[1] + b"-----"
        at = data.find(end, begins.end())
        if at < 0:
            return
        if _LABELS.get(begins[1]) is not Kind.PEM:
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


def _node(data: Buffer | str) -> _Node | None:
    """Copy as much of the data as is looked at."""
    if isinstance(data, str):
        size = str.__len__(data)
        head = str.__getitem__(data, slice(WHOLE_MAX if size <= WHOLE_MAX else _HEAD))
        encoded = head.encode("utf-8", "replace")
        return _Node(encoded, len(encoded), size > WHOLE_MAX, ())
    try:
        with memoryview(data) as seen, seen.cast(format="B") as plain:
            size = len(plain)
            head_size = size if size <= WHOLE_MAX else _HEAD
            return _Node(bytes(plain[:head_size]), size, size > head_size, ())
    except (TypeError, ValueError, BufferError):
        return None


def _with_newline(found: Found, data: Buffer | str) -> Found:
    """Look at the end of what was too long to be looked at wholly."""
    if found.newline or found.layers or isinstance(data, str):
        return found
    with memoryview(data) as seen, seen.cast(format="B") as plain:
        return found._replace(newline=bytes(plain[-1:]) == b"\n")


def _unwrapped(node: _Node) -> Iterator[_Node]:
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


# ---- Layers ----
#
# Each function returns what is inside, or None if there is no such layer.

_BLANK = b" \t\r\n\v\f\0"
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"f": b"\f", b"b": b"\b", b"v": b"\v"}
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_HEX_PREFIX = re.compile(rb"0[xX]|(\\\\?x)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_ASCII = re.compile(rb"[\t\n\r\f\v -~]*")


def _inside(node: _Node, layer: Layer, data: bytes) -> _Node:
    size = None if node.is_cut else len(data)
    return _Node(data, size, node.is_cut, (*node.layers, layer))


def _byte_order_mark(node: _Node) -> _Node | None:
    if node.data.startswith(b"\xef\xbb\xbf"):
        return _inside(node, Layer.UTF8_BOM, node.data[3:])
    return None


def _utf16(node: _Node) -> _Node | None:
    data = node.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        order, data = ("le" if data[0] == 0xFF else "be"), data[2:]
    elif data[1:16:2].count(0) == len(data[1:16:2]) > 1 and data[0] != 0:
        order = "le"
    elif data[:16:2].count(0) == len(data[:16:2]) > 1 and data[1] != 0:
        order = "be"
    else:
        return None
    text = data.decode(f"utf-16-{order}", "replace")
    return _inside(node, Layer.UTF16, text.encode("utf-8", "replace"))


def _blanks(node: _Node) -> _Node | None:
    data = node.data.lstrip(_BLANK[:-1])
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


def _quotes(node: _Node) -> _Node | None:
    text = node.data.strip(_BLANK)
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


def _escapes(node: _Node) -> _Node | None:
    if b"\\" not in node.data or not _ASCII.fullmatch(node.data):
        return None
    return _inside(node, Layer.ESCAPES, _ESCAPE.sub(_unescape, node.data))


def _hex(node: _Node) -> _Node | None:
    text = node.data.translate(None, b":" + _BLANK)
    prefix = _HEX_PREFIX.match(text)
    if prefix is not None:
        text = text[prefix.end() :]
    if node.is_cut:
        text = text[: len(text) // 2 * 2]
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    layer = Layer.POSTGRES if prefix is not None and prefix[1] else Layer.HEX
    return _inside(node, layer, bytes.fromhex(text.decode()))


def _base64(node: _Node) -> _Node | None:
    text = node.data.translate(None, _BLANK)
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
_PEELS: tuple[Callable[[_Node], _Node | None], ...] = (
    *(_byte_order_mark, _utf16, _quotes, _hex, _base64, _escapes, _blanks),
)


# ---- What Themis makes ----

_DESCRIPTORS = {
    form + bytes([0x40 + kdf]): kind
    for kdf, kind in enumerate((Kind.SEAL_CELL, Kind.PASSPHRASE_CELL))
    for form in (b"\x00\x01\x01", b"\xc0\x00\x01", b"\x80\x00\x01")
}
_MESSAGES = {
    b"\x20\x26\x04\x26": Kind.EC_SIGNED,
    b"\x10\x26\x04\x26": Kind.RSA_SIGNED,
    b"\x20\x27\x04\x26": Kind.EC_ENCRYPTED,
    b"\x10\x27\x04\x26": Kind.RSA_ENCRYPTED,
}
_SIGNED = {Kind.EC_SIGNED, Kind.RSA_SIGNED}
_KEY = re.compile(rb"([UR])(?:EC([235])|RA([1248]))", re.DOTALL)
_CONTAINERS = {
    b"TSPM": Kind.NEGOTIATION,
    b"TSID": Kind.NEGOTIATION,
    b"TSSC": Kind.SAVED_SESSION,
}
_CONTAINER_HEADER = 12
_CONTAINER_MAX = 1 << 24  # an id may be long


def _numbers(data: bytes, at: int, count: int) -> list[int] | None:
    end = at + count * _U32
    if len(data) < end:
        return None
    return [int.from_bytes(data[i : i + _U32], "little") for i in range(at, end, _U32)]


def _cell(node: _Node) -> Found | None:
    kind = _DESCRIPTORS.get(node.data[:_U32])
    if kind is None:
        return None
    is_passphrase = kind is Kind.PASSPHRASE_CELL
    lengths = _numbers(node.data, _U32, 4 if is_passphrase else 3)
    if lengths is None:
        return node.found(kind)
    header = _U32 * (len(lengths) + 1)
    promised = header + sum(lengths)
    if not is_passphrase and node.size == promised - lengths[2] != promised:
        name = "the token of a Token Protect cell, or a Seal cell truncated to as many bytes"
        return node.found(Kind.TOKEN, node.size, name)
    return node.found(kind, promised)


def _message(node: _Node) -> Found | None:
    kind = _MESSAGES.get(node.data[:_U32])
    if kind is None:
        return None
    lengths = _numbers(node.data, _U32, 2 if kind in _SIGNED else 1)
    if lengths is None:
        return node.found(kind)
    return node.found(kind, sum(lengths) + 3 * _U32 if kind in _SIGNED else lengths[0])


def _container(node: _Node) -> Found | None:
    key = _KEY.match(node.data)
    kind = _CONTAINERS.get(node.data[:_U32])
    if key is None and kind is None:
        return None
    promised = int.from_bytes(node.data[4:8], "big") if len(node.data) >= 8 else None
    if promised is not None and not _CONTAINER_HEADER <= promised < _CONTAINER_MAX:
        return None
    if kind is not None:
        return node.found(kind, promised)
    is_private = node.data[:1] == b"R"
    return node.found(Kind.PRIVATE_KEY if is_private else Kind.PUBLIC_KEY, promised)


# ---- Keys of others ----

_PEM = re.compile(rb"(?:\A|[\r\n])[ \t]*(-{4,5} ?BEGIN ([A-Z0-9 ]{1,40}?) ?-{4,5})[ \t]*[\r\n]")
_LOOSE_PEM = re.compile(rb"-{4,5} ?BEGIN ([A-Z0-9 ]{1,40}?) ?-{4,5}")
_LABELS = {
    b"PRIVATE KEY": Kind.PEM,
    b"ENCRYPTED PRIVATE KEY": Kind.PEM,
    b"EC PRIVATE KEY": Kind.PEM,
    b"RSA PRIVATE KEY": Kind.PEM,
    b"PUBLIC KEY": Kind.PEM,
    b"RSA PUBLIC KEY": Kind.PEM,
    b"EC PARAMETERS": Kind.PEM,  # which a key follows
    b"OPENSSH PRIVATE KEY": Kind.OPENSSH_PRIVATE,
    b"SSH2 PUBLIC KEY": Kind.OPENSSH_PUBLIC,
    b"CERTIFICATE": Kind.CERTIFICATE,
    b"X509 CERTIFICATE": Kind.CERTIFICATE,
    b"TRUSTED CERTIFICATE": Kind.CERTIFICATE,
    b"CERTIFICATE REQUEST": Kind.CERTIFICATE_REQUEST,
    b"NEW CERTIFICATE REQUEST": Kind.CERTIFICATE_REQUEST,
    b"AGE ENCRYPTED FILE": Kind.AGE_FILE,
}
_SSH_LINE = re.compile(rb"\s*(?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]{3,60}[ \t]+AAAA[A-Za-z0-9+/]")
_MEMBER = re.compile(rb'"(kty|keys)"\s*:\s*(["\[])')
_BEGINNINGS = {
    b"openssh-key-v1\0": Kind.OPENSSH_PRIVATE,
    b"PuTTY-User-Key-File-": Kind.PUTTY_KEY,
    b"AGE-SECRET-KEY-1": Kind.AGE_SECRET_KEY,
    b"age1": Kind.AGE_RECIPIENT,
    b"age-encryption.org/v1": Kind.AGE_FILE,
    b"# created: ": Kind.AGE_SECRET_KEY,  # what age-keygen writes before it
    b"\x1f\x8b\x08": Kind.GZIP,
    b"PK\x03\x04": Kind.ZIP,
    b"<?xml": Kind.XML,
}
_TOKEN_PARTS = re.compile(rb"eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}")
_FILE_NAME = re.compile(
    rb"[^\r\n\0\"'{}]{1,255}\.(?:pem|key|der|pub|crt|cer|jwk|json|ppk|p12|pfx|txt|bin|age)"
)


def _label(node: _Node, label: bytes) -> Found:
    default = Kind.PGP if label.startswith(b"PGP ") else Kind.OTHER_PEM
    return node.found(_LABELS.get(label, default))


def _text_key(node: _Node) -> Found | None:
    """Recognise keys that are text."""
    data = node.data
    if data[:1] in (b'"', b"'"):
        return None
    found = _PEM.search(data)
    if found is not None and not data.lstrip(_BLANK).startswith((b"{", b"[")):
        return _label(node, found[2])
    if _SSH_LINE.match(data):
        return node.found(Kind.OPENSSH_PUBLIC)
    if data.startswith(b"openssh-key-v1\0"):
        return node.found(Kind.OPENSSH_PRIVATE)
    if data.lstrip(_BLANK)[:1] in (b"{", b"["):
        member = _MEMBER.search(data)
        if member is not None and (member[1] == b"kty") == (member[2] == b'"'):
            is_set = member[1] == b"keys" or data.lstrip(_BLANK)[:1] == b"["
            return node.found(Kind.JWK_SET if is_set else Kind.JWK)
    return None


def _beginning(node: _Node) -> Found | None:
    for beginning, kind in _BEGINNINGS.items():
        if node.data.startswith(beginning):
            return node.found(kind)
    if _TOKEN_PARTS.fullmatch(node.data.strip(_BLANK)):
        return node.found(Kind.WEB_TOKEN)
    return None


def _fernet(node: _Node) -> Found | None:
    """Recognise version, time (until 2106) and length of a Fernet token."""
    if not node.layers or node.layers[-1] not in (Layer.BASE64, Layer.BASE64_URL):
        return None
    fits = node.size is None or (node.size >= 73 and node.size % 16 == 9)
    if not fits or not node.data.startswith(b"\x80\0\0\0\0") or len(node.data) < 9:
        return None
    return node._replace(layers=node.layers[:-1]).found(Kind.FERNET_TOKEN)


def _tlv(data: bytes, at: int) -> tuple[int, int, int]:
    """Read the head of a DER value: its tag, and where its content starts and ends."""
    if len(data) < at + 2:
        return -1, 0, 0
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 1 <= count <= 4 or len(data) < at + count:
            return -1, 0, 0
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    return tag, at, at + size


_SEQUENCE, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID, _EXPLICIT = 0x30, 2, 3, 4, 6, 0xA0
_LEAST_MODULUS = 64


def _der(node: _Node) -> Found | None:
    data = node.data
    tag, at, end = _tlv(data, 0)
    if tag != _SEQUENCE:
        return None
    first, inner, behind = _tlv(data, at)
    following = _tlv(data, behind)[0]
    kind = None
    if first == _INTEGER:
        kind = _der_of_number(data[inner : min(behind, len(data))], behind - inner, following)
    elif first == _SEQUENCE:
        kind = _der_of_sequence(data, inner, following)
    return None if kind is None else node.found(kind, end)


def _der_of_number(number: bytes, size: int, following: int) -> Kind | None:
    if size == 1:
        wanted = {
            b"\0": (_SEQUENCE, _INTEGER),  # PKCS#8, PKCS#1
            b"\1": (_SEQUENCE, _INTEGER, _OCTET_STRING),  # the same with more in them; SEC1
        }.get(number, ())
        if number == b"\3" and following == _SEQUENCE:
            return Kind.PKCS12
        return Kind.DER if following in wanted else None
    return Kind.DER if size >= _LEAST_MODULUS and following == _INTEGER else None


def _der_of_sequence(data: bytes, at: int, following: int) -> Kind | None:
    tag, inner, behind = _tlv(data, at)
    if tag == _OID and following in (_BIT_STRING, _OCTET_STRING):
        return Kind.DER
    if tag == _EXPLICIT and following == _SEQUENCE and _tlv(data, inner)[0] == _INTEGER:
        return Kind.CERTIFICATE
    if tag == _INTEGER and behind == inner + 1 and data[inner : inner + 1] == b"\0":
        return Kind.CERTIFICATE_REQUEST if _tlv(data, behind)[0] == _SEQUENCE else None
    return None


_SURE: tuple[Callable[[_Node], Found | None], ...] = (
    *(_cell, _message, _container, _der, _text_key, _beginning, _fernet),
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
_BY_SIZE = {Kind.POINT, Kind.SYMMETRIC_KEY, Kind.COMPARISON}


def _loose(tried: list[_Node]) -> Found | None:
    """Recognise what could be something else, now that nothing sure was found."""
    node = tried[0]
    label = _LOOSE_PEM.search(node.data)
    if label is not None:
        return _label(node, label[1])
    text = node.data.strip(_BLANK)
    if _FILE_NAME.fullmatch(text):
        return node.found(Kind.FILE_NAME)
    if text[:2] in (b'{"', b'["', b"[{") or text[:2] == b"{\n":
        return node.found(Kind.JSON)
    for each in tried:
        found = _by_size(each)
        if found is not None:
            return found
    for each in tried if len(text) >= _LEAST_TEXT else ():
        if each.layers and each.layers[-1] in _ENCODINGS:
            return each.found(Kind.UNKNOWN)
    return None


_ENCODINGS = {Layer.BASE64, Layer.BASE64_URL, Layer.HEX, Layer.POSTGRES, Layer.REPR}


def _by_size(node: _Node) -> Found | None:
    if node.data[:1] and node.data[0] in _POINTS.get(node.size or 0, ()):
        return node.found(Kind.POINT)
    if node.size == _SYMMETRIC:
        return node.found(Kind.SYMMETRIC_KEY)
    if node.size in _COMPARISONS and not node.layers:
        return node.found(Kind.COMPARISON)
    return None
