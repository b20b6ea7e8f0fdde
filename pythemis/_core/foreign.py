# SPDX-License-Identifier: Apache-2.0
"""Keys in the forms of others: JWK, OpenSSH's and RFC 4716, points of curves.

What is read here becomes DER, which C reads and judges as any other. Loaded when one of these
forms is read or written, and not before.
"""

from __future__ import annotations

import json
import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from . import keys, recognise
from .arguments import JWK, KEY, OPENSSH, POINT, Argument
from .buffers import copied, seen, view
from .errors import DATA_CORRUPT, INVALID_PARAMETER, NOT_SUPPORTED, Errors, wrong_value
from .owner import Secret

if TYPE_CHECKING:
    from pythemis._hints import Buffer

    from .secret import Key

TEXT_MAX = recognise.WHOLE_MAX
_CONTAINER_HEADER = 12
_KINDS = "only EC on P-256, P-384 and P-521, and RSA of 1024, 2048, 4096 and 8192 bits"


class _Curve(NamedTuple):
    name: str  # of RFC 7518
    ssh: bytes  # of RFC 5656
    size: int  # bytes of a coordinate
    oid: bytes  # in DER


_CURVES = (
    _Curve("P-256", b"nistp256", 32, bytes.fromhex("06082a8648ce3d030107")),
    _Curve("P-384", b"nistp384", 48, bytes.fromhex("06052b81040022")),
    _Curve("P-521", b"nistp521", 66, bytes.fromhex("06052b81040023")),
)
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")


def _not_supported(errors: Errors, text: str) -> NoReturn:
    raise errors.wrong_value(NOT_SUPPORTED, text)


def _text_of(errors: Errors, data: Buffer | str, what: Argument) -> bytes:
    """Copy text, or its bytes, that is no longer than any key."""
    text = data.encode("utf-8", "replace") if isinstance(data, str) else copied(errors, data, what)
    if len(text) > TEXT_MAX:
        wrong_value(errors, f"{what} has {len(text)} bytes; no key has more than {TEXT_MAX}")
    return text


# ---- DER ----


def _tlv(tag: int, *content: bytes) -> bytes:
    joined = b"".join(content)
    size = len(joined)
    if size < 0x80:
        return bytes((tag, size)) + joined
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + joined


def _integer(number: bytes) -> bytes:
    number = number.lstrip(b"\0") or b"\0"
    return _tlv(0x02, b"\0" if number[0] & 0x80 else b"", number)


def _read(errors: Errors, der: bytes) -> bytes:
    """Let C judge the numbers of a key that was taken apart here."""

    def wrong_numbers(status: int, text: str) -> Exception:
        if status == INVALID_PARAMETER:
            return errors.wrong_value(DATA_CORRUPT, "the numbers of the key make no sense")
        return errors.wrong_value(status, text)

    judging = Errors(errors.failed, errors.wrong_type, wrong_numbers)
    return keys.imported(judging, der, pem=False, passphrase=None)


def _ec_public(errors: Errors, curve: _Curve, point: bytes) -> bytes:
    kind = _tlv(0x30, _EC_PUBLIC_KEY, curve.oid)
    return _read(errors, _tlv(0x30, kind, _tlv(0x03, b"\0", point)))


def _ec_private(errors: Errors, curve: _Curve, scalar: bytes, point: bytes) -> bytes:
    public = _tlv(0xA1, _tlv(0x03, b"\0", point))
    private = _tlv(0x30, b"\x02\x01\x01", _tlv(0x04, scalar), _tlv(0xA0, curve.oid), public)
    return _read(errors, private)  # C sees whether the point belongs to the scalar


def _rsa_public(errors: Errors, n: bytes, e: bytes) -> bytes:
    return _read(errors, _tlv(0x30, _integer(n), _integer(e)))


def _rsa_private(errors: Errors, numbers: list[bytes]) -> bytes:
    """Read n, e, d, p, q, d mod p-1, d mod q-1 and q^-1 mod p.

    C judges what it takes to use them. That the exponents fit one another is judged here, with
    numbers of Python, whose time depends on them: once, when a key is brought in.
    """
    _, e, d, p, q, dp, dq, inverse = (int.from_bytes(number, "big") for number in numbers)
    fits = p > 2 and q > 2 and (dp, dq) == (d % (p - 1), d % (q - 1))
    fits = fits and e * dp % (p - 1) == e * dq % (q - 1) == 1 and inverse * q % p == 1
    if not fits:
        raise errors.wrong_value(DATA_CORRUPT, "the numbers of the key make no sense")
    return _read(errors, _tlv(0x30, b"\x02\x01\0", *map(_integer, numbers)))


# ---- Points ----


def from_point(errors: Errors, point: Buffer) -> bytes:
    """Read a point of SEC1."""
    data = copied(errors, point, POINT)
    for curve in _CURVES:
        forms = {curve.size + 1: (2, 3), 2 * curve.size + 1: (4,)}
        if data and data[0] in forms.get(len(data), ()):
            return _ec_public(errors, curve, data)
    known = recognise.words(data, recognise.Kind.POINT, by_size=recognise.KEYS_BY_SIZE)
    hint = f"; {known}" if known else ", which has 33, 49 or 67 bytes, or 65, 97 or 133"
    return wrong_value(errors, f"this is not a point of P-256, P-384 or P-521{hint}")


# ---- JWK (RFC 7517 and 7518) ----

_BASE64_URL = re.compile(r"[A-Za-z0-9_-]+")
_RSA_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")
_RSA_MAX = 1024  # bytes


def from_jwk(errors: Errors, jwk: Buffer | str | Mapping[str, Any]) -> bytes:
    """Read a JWK."""
    if not isinstance(jwk, Mapping):
        jwk = _parsed(errors, _text_of(errors, jwk, JWK))
    members = dict(jwk)
    kind = members.get("kty")
    if kind == "EC":
        return _ec_of_jwk(errors, members)
    if kind == "RSA":
        return _rsa_of_jwk(errors, members)
    if kind == "oct":
        text = "this JWK is a symmetric key, which Secure Cell takes: decode its member k"
        _not_supported(errors, text)
    if isinstance(kind, str):
        _not_supported(errors, f"a JWK of this kind is not supported, {_KINDS}")
    if isinstance(members.get("keys"), list):
        wrong_value(
            errors, "this is a set of JWKs: give one of its keys, json.loads(...)['keys'][0]"
        )
    return wrong_value(errors, "this is not a JWK: it has no member kty")


def _parsed(errors: Errors, text: bytes) -> dict[str, Any]:
    members, why = _json(text)
    if isinstance(members, dict):
        return members
    known = recognise.words(text, recognise.Kind.JWK)
    return wrong_value(errors, f"this is not a JWK: {known or why or 'it is no JSON object'}")


def _json(text: bytes) -> tuple[Any, str]:
    """Parse JSON; what is wrong is returned, for an exception of the parser has the text in it."""
    try:
        content = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
        members = json.loads(
            content,
            object_pairs_hook=_unique,
            parse_int=_skipped,
            parse_float=_skipped,
            parse_constant=_skipped,
        )
    except RecursionError:
        return None, "it is nested too deeply"
    except _DoubleError:
        return None, "a member is there twice"
    except ValueError:
        return None, "it is not JSON, or it is corrupted"
    return members, ""


class _DoubleError(ValueError):
    """A member that is there twice: readers differ in which of them counts."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DoubleError
    return members


def _skipped(_: str) -> None:
    """Make nothing of a number: no key has one, and a long one costs quadratic time."""


def _octets(errors: Errors, members: dict[str, Any], name: str, size: int | None = None) -> bytes:
    """Decode a member; of exactly ``size`` bytes, or a number without leading zeros."""
    value = members.get(name)
    if value is None:
        wrong_value(errors, f"the JWK has no member {name}")
    if not isinstance(value, str) or not _BASE64_URL.fullmatch(value):
        wrong_value(errors, f"the member {name} of the JWK is not base64url without padding")
    plain = value.encode().translate(bytes.maketrans(b"-_", b"+/"))
    try:
        made = a2b_base64(plain + b"=" * (-len(plain) % 4))
    except Error:
        made = b""
    if b2a_base64(made, newline=False).rstrip(b"=") != plain:
        made = b""
    if not made or (size is None and len(made) > _RSA_MAX):
        wrong_value(errors, f"the member {name} of the JWK is corrupted")
    if size is not None and len(made) != size:
        text = f"the member {name} of the JWK has {len(made)} bytes; on this curve it has {size}"
        wrong_value(errors, text)
    if size is None and made[0] == 0:
        wrong_value(errors, f"the member {name} of the JWK begins with a zero byte")
    return made


def _ec_of_jwk(errors: Errors, members: dict[str, Any]) -> bytes:
    found = [curve for curve in _CURVES if curve.name == members.get("crv")]
    if not found:
        _not_supported(errors, "EC keys on this curve are not supported, only P-256, P-384, P-521")
    [curve] = found
    x, y = (_octets(errors, members, name, curve.size) for name in ("x", "y"))
    point = b"\4" + x + y
    if "d" not in members:
        return _ec_public(errors, curve, point)
    return _ec_private(errors, curve, _octets(errors, members, "d", curve.size), point)


def _rsa_of_jwk(errors: Errors, members: dict[str, Any]) -> bytes:
    n, e = _octets(errors, members, "n"), _octets(errors, members, "e")
    if "oth" in members:
        _not_supported(errors, "RSA keys of more than two primes are not supported")
    if not any(name in members for name in _RSA_PRIVATE):
        return _rsa_public(errors, n, e)
    private = [_octets(errors, members, name) for name in _RSA_PRIVATE]
    return _rsa_private(errors, [n, e, *private])


def _encoded(data: bytes) -> str:
    plain = b2a_base64(data, newline=False).rstrip(b"=")
    return plain.translate(bytes.maketrans(b"+/", b"-_")).decode()


def to_jwk(errors: Errors, key: Key) -> dict[str, str]:
    """Write a JWK."""
    keys.kind(errors, key)
    # A SecretKey does not change, and is read where it is.
    data = seen(view(errors, key, KEY)) if isinstance(key, Secret) else copied(errors, key, KEY)
    kind = keys.kind(errors, data)
    der = keys.exported(errors, data, pem=False, passphrase=None)  # which judges the numbers
    if kind.algorithm == keys.RSA:
        return _rsa_to_jwk(data, kind)
    [curve] = [curve for curve in _CURVES if curve.size == (kind.bits + 7) // 8]
    made = {"kty": "EC", "crv": curve.name}
    point = keys.public(errors, data, uncompressed=True) if kind.is_private else der
    point = point[-2 * curve.size :]
    made |= {"x": _encoded(point[: curve.size]), "y": _encoded(point[curve.size :])}
    return made | {"d": _encoded(data[-curve.size :])} if kind.is_private else made


def _rsa_to_jwk(key: Any, kind: keys.Kind) -> dict[str, str]:
    n = kind.bits // 8
    made, at = {}, _CONTAINER_HEADER
    if kind.is_private:
        for name in _RSA_PRIVATE:
            size = n if name == "d" else n // 2
            made[name] = key[at : at + size]
            at += size
    public = {"n": key[at : at + n], "e": key[at + n :]}
    return {"kty": "RSA"} | {
        name: _encoded(number.lstrip(b"\0") or b"\0") for name, number in (public | made).items()
    }


# ---- OpenSSH's form, and RFC 4716 ----

_MAGIC = b"openssh-key-v1\0"
_ARMOR = re.compile(rb"-{4,5} ?BEGIN (?:OPENSSH PRIVATE|SSH2 PUBLIC) KEY ?-{4,5}")
_DAMAGED = "this OpenSSH key is corrupted or truncated"
_PUBLIC_TYPE = re.compile(rb"\s*(\S+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|\Z)")
_OTHERS = (
    (b"-cert-v01@openssh.com", "this is an SSH certificate: give the key that it certifies"),
    (b"sk-", "this key is in a security token, which only OpenSSH can use"),
    (b"ssh-ed25519", f"Ed25519 keys are not supported, {_KINDS}"),
    (b"", f"OpenSSH keys of this kind are not supported, {_KINDS}"),
)


class _DamagedError(Exception):
    """Something of an OpenSSH key is missing, or too much."""


class _Wire:
    """The bounded reader of what OpenSSH writes (RFC 4251, section 5)."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        if size > len(self.rest):
            raise _DamagedError
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def string(self) -> bytes:
        return self.take(self.u32())

    def number(self) -> bytes:
        data = self.string()
        if data[:1] >= b"\x80":
            raise _DamagedError  # it is negative
        return data.lstrip(b"\0")

    def end(self) -> None:
        if self.rest:
            raise _DamagedError


def from_openssh(errors: Errors, text: Buffer | str) -> bytes:
    """Read a private or public key that OpenSSH wrote."""
    data = _text_of(errors, text, OPENSSH)
    own = (recognise.Kind.OPENSSH_PRIVATE, recognise.Kind.OPENSSH_PUBLIC)
    for each in recognise.unwrapped(data, *own):
        key = None
        with suppress(_DamagedError):
            key = _of_openssh(errors, each)
        if key is None:
            wrong_value(errors, _DAMAGED)
        return key
    known = recognise.words(data, *own)
    return wrong_value(errors, "this is not an OpenSSH key" + (known and f"; {known}"))


def _of_openssh(errors: Errors, data: bytes) -> bytes:
    if data.startswith(_MAGIC):
        return _private_of_openssh(errors, data)
    armor = _ARMOR.search(data)
    if armor is not None:
        decoded = _dearmored(data[armor.end() :])
        if decoded.startswith(_MAGIC):
            return _private_of_openssh(errors, decoded)
        return _public_of_openssh(errors, decoded)
    line = _PUBLIC_TYPE.match(data)
    if line is None:
        raise _DamagedError
    return _public_of_openssh(errors, _decoded(line[2]))


def _decoded(text: bytes) -> bytes:
    try:
        return a2b_base64(text)
    except Error:
        raise _DamagedError from None


def _dearmored(text: bytes) -> bytes:
    """Decode what stands between the lines that begin and end it, without RFC 4716's headers."""
    body, end, _ = text.partition(b"----")
    if not end:
        raise _DamagedError
    kept, in_header = [], False
    for line in body.replace(b"\r", b"\n").split(b"\n"):
        is_header = in_header or b":" in line
        in_header = is_header and line.endswith(b"\\")
        if not is_header:
            kept.append(line.strip())
    return _decoded(b"".join(kept))


def _curve_of(errors: Errors, kind: bytes, wire: _Wire) -> _Curve | None:
    """Return the curve of this type of key; None for an RSA key."""
    if kind == b"ssh-rsa":
        return None
    for curve in _CURVES:
        if kind == b"ecdsa-sha2-" + curve.ssh:
            if wire.string() != curve.ssh:
                raise _DamagedError
            return curve
    text = next(text for part, text in _OTHERS if part in kind)
    return _not_supported(errors, text)


def _public_of_openssh(errors: Errors, blob: bytes) -> bytes:
    wire = _Wire(blob)
    curve = _curve_of(errors, wire.string(), wire)
    if curve is not None:
        point = wire.string()
        wire.end()
        return _ec_public(errors, curve, point)
    e, n = wire.number(), wire.number()
    wire.end()
    return _rsa_public(errors, n, e)


def _private_of_openssh(errors: Errors, data: bytes) -> bytes:
    wire = _Wire(data)
    wire.take(len(_MAGIC))
    cipher = wire.string()
    wire.string()
    wire.string()
    if wire.u32() != 1:
        _not_supported(errors, "this OpenSSH file has more than one key")
    wire.string()
    if cipher != b"none":
        text = (
            "this OpenSSH key is encrypted: `ssh-keygen -p -m PKCS8 -f FILE` converts it, then "
            "skeygen.from_pem reads it with its passphrase"
        )
        _not_supported(errors, text)
    inner = _Wire(wire.string())
    wire.end()
    if inner.u32() != inner.u32():
        raise _DamagedError
    return _numbers_of_openssh(errors, inner)


def _numbers_of_openssh(errors: Errors, wire: _Wire) -> bytes:
    curve = _curve_of(errors, wire.string(), wire)
    if curve is not None:
        point, scalar = wire.string(), wire.number()
        _check_padding(wire)
        if len(scalar) > curve.size:
            raise _DamagedError
        return _ec_private(errors, curve, scalar.rjust(curve.size, b"\0"), point)
    n, e, d, inverse, p, q = (wire.number() for _ in range(6))
    _check_padding(wire)
    exponents = [_reduced(d, p), _reduced(d, q)]
    return _rsa_private(errors, [n, e, d, p, q, *exponents, inverse])


def _reduced(d: bytes, prime: bytes) -> bytes:
    """Compute d mod p-1, which OpenSSH leaves out."""
    modulus = int.from_bytes(prime, "big") - 1
    if modulus < 1 or max(len(d), len(prime)) > _RSA_MAX:
        raise _DamagedError
    return (int.from_bytes(d, "big") % modulus).to_bytes(len(prime), "big")


def _check_padding(wire: _Wire) -> None:
    wire.string()  # the comment
    if wire.rest != bytes(range(1, len(wire.rest) + 1)[:255]):
        raise _DamagedError
