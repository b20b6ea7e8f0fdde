# SPDX-License-Identifier: Apache-2.0
"""What bytes are: `inspect` and the `Report` that it returns. Both are names of `pythemis` itself.

It needs no key and decrypts nothing: public headers, labels and lengths are read, by the table from
which errors take their words.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from . import skeygen
from ._core import facts, layers, recognise, sealed
from ._core.arguments import KEY
from ._core.errors import Errors
from ._core.kinds import Kind, Node
from .exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ._hints import Buffer

__all__ = ["Report", "inspect"]

SCHEMA = 1
_NAME_SIZE = 8  # bytes of the name of a public key (specification, section 6a)
_UNKNOWN = "nothing that is recognised"
_NO_HEADER = (
    "Context Imprint cells, messages of an established session, symmetric keys and the data of a "
    "Token Protect cell look like random bytes"
)


@dataclass(frozen=True)
class Report:
    """What data is. ``str(report)`` is text for people, safe to print in a terminal.

    Attributes:
        kind: a stable name such as ``"seal-cell"``; ``"unknown"`` if nothing is recognised.
        name: the same in words.
        certain: whether its header shows it; False where its size or a guess does.
        layers: what it is wrapped in, outermost first: ``("base64",)``.
        size: bytes that are present, without the layers; None if that is not known.
        promised: bytes that its header promises; None if it promises nothing.
        facts: what else its public part says, by name. Values are text, numbers, booleans, or
            lists of such mappings.
        problems: what is wrong with it, a sentence for each.
        advice: what reads it, or what to do.
    """

    kind: str
    name: str
    certain: bool = True
    layers: tuple[str, ...] = ()
    size: int | None = None
    promised: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    advice: str = ""

    @property
    def recognised(self) -> bool:
        """Whether anything is known about the data."""
        return self.kind != "unknown"

    def to_json(self) -> str:
        """Return the report as one line of JSON, with the members of `Report` and ``schema``.

        Every member is always there. ``schema`` is 1; a later version only adds members and facts.
        """
        return json.dumps(self.as_dict(), ensure_ascii=True)

    def as_dict(self) -> dict[str, Any]:
        """Return what `to_json` writes."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "name": self.name,
            "certain": self.certain,
            "layers": list(self.layers),
            "size": self.size,
            "promised": self.promised,
            "facts": dict(self.facts),
            "problems": list(self.problems),
            "advice": self.advice,
        }

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def inspect(data: Buffer | str | os.PathLike[str]) -> Report:
    """Return what data is, without a key: its kind, algorithm, lengths, and what is wrong with it.

    Base64, hex, quotes and other layers around it are removed. Nothing is decrypted, and the report
    holds no secret. Of long data only the beginning is read.

    Args:
        data: bytes, text such as base64, or a `pathlib.Path` of a file. Text is never a path.

    Returns:
        A `Report`. Data that is not recognised has a report as well, of kind ``"unknown"``.

    Raises:
        ThemisTypeError: something else than bytes, text or a path.
        OSError: the file cannot be read.
    """
    if isinstance(data, os.PathLike):
        with Path(data).open("rb", buffering=0) as file:
            return inspect_file(file.fileno())
    node = layers.node_of(data)
    if node is None:
        raise ThemisTypeError(
            THEMIS_CODES.INVALID_PARAMETER,
            f"inspect takes bytes, text or a pathlib.Path, not {type(data).__name__}",
        )
    if isinstance(data, str):
        return _report(node, node.data, newline=False)
    with memoryview(data) as seen, seen.cast("B") as plain:
        head, last = bytes(plain[:HEAD_MAX]), bytes(plain[-1:])
    return _report(node, head, newline=last == b"\n")


def inspect_file(descriptor: int) -> Report:
    """Return what is in an open file, or arrives through a pipe, from where it stands."""
    head = _read(descriptor, layers.WHOLE_MAX + 1)
    if head.startswith(_MAGIC):  # its header may be longer
        head += _read(descriptor, HEAD_MAX - len(head))
    size, newline = len(head), head.endswith(b"\n")
    whole: int | None = size
    if size > layers.WHOLE_MAX:
        state = os.fstat(descriptor)
        whole = state.st_size if S_ISREG(state.st_mode) else None
        newline = False
        if whole is not None:
            os.lseek(descriptor, max(whole - 1, 0), os.SEEK_SET)
            newline = os.read(descriptor, 1) == b"\n"
    return _report(layers.node_of_head(head[: layers.WHOLE_MAX], whole), head, newline=newline)


def _read(descriptor: int, left: int) -> bytes:
    """Read as many bytes as there are, but not more than these."""
    parts = []
    while left and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


# ---- The report ----


def _report(node: Node, head: bytes, *, newline: bool) -> Report:
    """Describe data of which ``head`` is the beginning, with all layers around it."""
    if node.size == 0:
        return Report("unknown", "nothing: no bytes at all", size=0)
    known = recognise.find(node)
    if known is None:
        return Report("unknown", _UNKNOWN, False, size=node.size, advice=_NO_HEADER)
    found, inner = known
    if found.kind is Kind.SEALED_FILE:
        read, problems = _of_sealed(inner.data if inner.layers else head, inner.size)
    else:
        read, problems = _facts(inner, found.kind)
    at_end = newline if not found.layers else found.newline
    if found.kind in _WITH_LENGTHS and not _may_have_more(found):
        misfit = recognise.length_misfit(
            found.promised, found.present, by="the header", newline=at_end
        )
        problems = [misfit, *problems] if misfit else problems
    return Report(
        kind=found.kind.name.lower().replace("_", "-"),
        name=found.name if found.kind is not Kind.UNKNOWN else _UNKNOWN,
        certain=found.kind not in (*recognise.BY_SIZE, Kind.UNKNOWN),
        layers=tuple(layer.value[0] for layer in found.layers),
        size=inner.size,
        promised=found.promised,
        facts=read,
        problems=tuple(problems),
        advice=_advice(found),
    )


_WITH_LENGTHS = {
    *(Kind.SEAL_CELL, Kind.PASSPHRASE_CELL, Kind.STORED_VALUE, Kind.NEGOTIATION),
    *(Kind.EC_SIGNED, Kind.RSA_SIGNED, Kind.EC_ENCRYPTED, Kind.RSA_ENCRYPTED),
    *(Kind.PRIVATE_KEY, Kind.PUBLIC_KEY, Kind.SAVED_SESSION, Kind.DER),
}


def _advice(found: recognise.Found) -> str:
    if found.kind is Kind.UNKNOWN:
        return _NO_HEADER
    if found.kind is Kind.SYMMETRIC_KEY:
        return "SCellSeal(key=...) takes such a key" + ", decoded" * bool(found.layers)
    return recognise.described(found).partition(": ")[2]


def _may_have_more(found: recognise.Found) -> bool:
    """Return whether readers ignore what follows: other wrappers wrote a few surplus bytes."""
    surplus = (found.present or 0) > (found.promised or 0)
    return surplus and found.kind in (Kind.EC_SIGNED, Kind.RSA_SIGNED, Kind.NEGOTIATION)


def _facts(node: Node, kind: Kind) -> tuple[dict[str, Any], list[str]]:
    if kind in _KEYS_READ_BY:
        return _of_foreign_key(node, kind)
    if kind in recognise.THEMIS_KEYS:
        return _of_key(node.data)
    if kind is Kind.JSON and not node.is_cut:
        return _of_json(node.data), []
    if kind is Kind.KEYRING_PAYLOAD:
        return {}, ["its keys are readable: replace them"]
    return facts.of(node, kind)


# ---- JSON ----

_MEMBERS_MAX = 16
_DEPTH_MAX = 8
_SHORTEST = 24  # characters of text that may be something encoded


def _of_json(text: bytes) -> dict[str, Any]:
    """Describe what is recognised in the texts of JSON."""
    try:
        # Long numbers cost quadratic time, and none of them matters.
        values = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    found = []
    for member, value in islice(_texts("", values, _DEPTH_MAX), _MEMBERS_MAX):
        node = layers.node_of(value)
        known = None if node is None else recognise.find(node)
        if known is not None and known[0].kind not in (*recognise.BY_SIZE, Kind.UNKNOWN):
            kind = known[0].kind.name.lower().replace("_", "-")
            found.append({"kind": kind, "member": facts.shown(member)})
    return {"members": found} if found else {}


def _texts(member: str, value: object, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and len(value) >= _SHORTEST:
        yield member, value
    elif depth and isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(f"{member}.{name}" if member else name, each, depth - 1)
    elif depth and isinstance(value, list):
        for number, each in enumerate(value):
            yield from _texts(f"{member}[{number}]", each, depth - 1)


# ---- Sealed files (specification, section 8) ----

_MAGIC = b"TSFILE1\n"
HEAD_MAX = sealed.START_SIZE + sealed.SLOTS_MAX_SIZE + sealed.MAC_SIZE
_ERRORS = Errors(ThemisError, ThemisTypeError, ThemisValueError)


def _of_sealed(head: bytes, size: int | None) -> tuple[dict[str, Any], list[str]]:
    """Describe what everyone can see of a sealed file."""
    try:
        start = sealed.size(_ERRORS, head[: sealed.START_SIZE])
        handle = sealed.read(_ERRORS, head[:start], b"")
    except ThemisError as error:
        return {}, [str(error)]
    chunk = 1 << sealed.log2(handle)
    read: dict[str, Any] = {
        "slots": [_of_slot(slot) for slot in sealed.slots(handle, head)],
        "header_bytes": start,
        "chunk_bytes": chunk,
    }
    if size is None:
        return read, []
    growth = sealed.CHUNK_GROWTH
    rest, least = size - start, sealed.LAST_MIN + growth
    if rest < least or 0 < rest % (chunk + growth) < least:
        return read, ["it is truncated, or something was appended"]
    read["chunks"] = -(-rest // (chunk + growth))
    # Up to 7 zeros, or more if its writer asked for padding, are in it as well.
    read["data_bytes_at_most"] = rest - read["chunks"] * growth - sealed.LAST_MIN
    return read, []


def _of_slot(slot: sealed.Slot) -> dict[str, Any]:
    if slot.kind == sealed.KEY_SLOT:
        return {"kind": "key", "key_id": slot.id.hex() or None}
    if slot.kind == sealed.PASSPHRASE_SLOT:
        return {"kind": "passphrase", "iterations": slot.iterations}
    if slot.kind == sealed.RECIPIENT_SLOT:
        return {"kind": "recipient", "public_name": slot.id.hex() or None}
    if slot.kind == sealed.SENDER_SLOT:
        names = slot.id[:_NAME_SIZE].hex(), slot.id[_NAME_SIZE:].hex()
        return {"kind": "sender", "recipient_name": names[0], "sender_name": names[1]}
    if slot.kind == sealed.SERVICE_SLOT:
        return {"kind": "service", "service_name": facts.shown(slot.id)}
    return {"kind": "unknown", "number": slot.kind, "id": slot.id.hex()}


# ---- Keys ----

_KEYS_READ_BY: dict[Kind, Callable[[bytes], bytes]] = {
    Kind.PEM: skeygen.from_pem,
    Kind.DER: skeygen.from_der,
    Kind.JWK: skeygen.from_jwk,
    Kind.OPENSSH_PRIVATE: skeygen.from_openssh,
    Kind.OPENSSH_PUBLIC: skeygen.from_openssh,
    Kind.POINT: skeygen.from_point,
}
_ENCRYPTED_PEM = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")


def _of_foreign_key(node: Node, kind: Kind) -> tuple[dict[str, Any], list[str]]:
    if kind is Kind.PEM and any(label in node.data for label in _ENCRYPTED_PEM):
        return {"encrypted": True}, []
    if node.is_cut:
        return {}, []
    try:
        key = _KEYS_READ_BY[kind](node.data)
    except ThemisError as error:
        # The text says what is wrong and quotes nothing.
        return {}, [str(error)]
    return _of_key(key)


def _of_key(key: bytes) -> tuple[dict[str, Any], list[str]]:
    """Describe a key of Themis; of a private key, the name of its public half alone."""
    try:
        kind = skeygen.key_kind(key)
    except ThemisError as error:
        is_damaged = error.error_code == THEMIS_CODES.DATA_CORRUPT
        return {}, ["it is corrupted: its checksum does not match"] if is_damaged else []
    is_ec = kind.algorithm == skeygen.KEY_PAIR_TYPE.EC
    read: dict[str, Any] = {
        "key": f"EC P-{kind.bits}" if is_ec else f"RSA {kind.bits} bits",
        "private": kind.is_private,
    }
    try:
        if is_ec and kind.is_public:
            read["compressed"] = key[_POINT] != _UNCOMPRESSED
        if is_ec and kind.bits == _NAMED_BITS:
            read["public_name"] = public_name(key)
    except ThemisError:
        return read, ["it is corrupted: its numbers make no sense"]
    return read, []


_POINT = 12  # where it begins
_UNCOMPRESSED = 4
_NAMED_BITS = 256


def public_name(key: bytes) -> str:
    """Return the name of a P-256 key (specification, section 6a): 16 hex digits."""
    is_private = skeygen.key_kind(key).is_private
    return sealed.name(_ERRORS, key, KEY, is_private=is_private)[0].hex()


# ---- Text ----

_BYTES = "_bytes"


def _lines(report: Report) -> Iterator[str]:
    yield report.name + "".join(f" in {layer}" for layer in report.layers[::-1])
    told = {"size_bytes": report.size, **report.facts}
    yield from _fact_lines(told, "  ")
    for problem in report.problems:
        yield f"  problem: {facts.shown(problem)}"
    if report.advice:
        yield f"  advice: {facts.shown(report.advice)}"


def _fact_lines(told: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, value in told.items():
        label = name.replace(_BYTES, "").replace("_", " ")
        if isinstance(value, list):
            yield f"{indent}{label}:"
            for each in value:
                yield f"{indent}  - {_one_line(each)}"
        elif value is not None:
            unit = f" byte{'s' * (value != 1)}" if _BYTES in name else ""
            yield f"{indent}{label}: {_text(value)}{unit}"


def _one_line(told: Mapping[str, Any]) -> str:
    """Describe a slot: its kind, and what else is known."""
    first, *others = told.items()
    texts = [
        f"{name.replace('_', ' ')} {'hidden' if value is None else _text(value)}"
        for name, value in others
        if value is not None or name == "public_name"
    ]
    return ", ".join([_text(first[1]), *texts])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return facts.shown(str(value))
