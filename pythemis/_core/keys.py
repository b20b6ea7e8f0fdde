# SPDX-License-Identifier: Apache-2.0
"""Keys: generated, checked, and converted (specification, section 2)."""

from __future__ import annotations

from collections import namedtuple
from functools import lru_cache

from pythemis._themis import ffi, lib

from .arguments import DER, KEY, PASSPHRASE, PEM, PRIVATE, Argument
from .buffers import (
    BYTES,
    new_output,
    returns_output,
    seen,
    view,
)
from .errors import (
    DATA_CORRUPT,
    INVALID_PARAMETER,
    NOT_SUPPORTED,
    SUCCESS,
    Errors,
    failed,
    status_text,
    wrong_type,
    wrong_value,
)
from .late import recognised, recogniser
from .owner import Owner, Secret, places
from .start import fips_provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .secret import Key


SYMMETRIC_KEY_SIZE: int = lib.THEMIS_SYMMETRIC_KEY_SIZE
_blob = places("blob")
_reading = places("key_reading")
_THREE = ffi.typeof("int[3]")
_TEXT = ffi.typeof("char const **")
_LEFT = ffi.typeof("uint32_t *")
_draw = lib.short_symmetric_key  # looked up once: that takes a twentieth of drawing a key


@returns_output
def symmetric_key(errors: Errors) -> bytes:
    """Draw a symmetric key."""
    key = new_output(SYMMETRIC_KEY_SIZE)
    status = _draw(key)
    if status != SUCCESS:
        failed(errors, status)
    return key


EC: int = lib.THEMIS_KEY_EC
RSA: int = lib.THEMIS_KEY_RSA


class Kind(namedtuple("Kind", "algorithm bits is_private")):
    """The kind of a key, from its header: EC or RSA, a number, and whether it is private."""

    __slots__ = ()


def guess(data: Any, *own: str) -> str:
    """Describe data that is no key of the kinds ``own``; empty if it is not recognised."""
    known = recognised(
        lambda it: it.words(seen(data), *map(it.Kind.__getitem__, own), by_size=it.KEYS_BY_SIZE)
    )
    return known and f"; {known}"


def view_of_key(errors: Errors, key: Any, what: Argument) -> Any:
    """Return a view of a key for C."""
    if isinstance(key, Owner) and not isinstance(key, Secret):
        wrong_type(
            errors, f"{what} must be bytes: what export_private_key() or export_public_key() gives"
        )
    return view(errors, key, what)


def kind(errors: Errors, key: Key) -> Kind:
    """Return the kind of a key whose container is intact."""
    key_view = view_of_key(errors, key, KEY)
    try:
        status, kind = inspect(key_view)
        if kind is None:
            raise key_error(errors, status, KEY, key_view)
        return kind
    finally:
        del key_view


def inspect(key_view: Any) -> tuple[int, Kind | None]:
    found = ffi.new(_THREE)
    status = lib.short_key_inspect(key_view, len(key_view), found, found + 1, found + 2)
    if status != SUCCESS:
        return status, None
    return status, Kind(found[0], found[2], bool(found[1]))


def key_error(
    errors: Errors, status: int, what: str, key_view: Any, is_private: bool | None = None
) -> Exception:
    """Make the error for a key that C refused with this status."""
    container_status, kind = inspect(key_view)
    if kind is None:
        if container_status == DATA_CORRUPT:
            message = f"{what} is corrupted: its checksum does not match"
        else:
            message = f"{what} is not a Themis key{_why_not(key_view)}"
        return errors.wrong_value(container_status, message)
    if is_private is not None and kind.is_private != is_private:
        halves = ("a public", "a private")
        message = (
            f"{what} must be {halves[is_private]} key, and this is {halves[not is_private]} one"
        )
        return errors.wrong_value(status, message)
    if status == DATA_CORRUPT:
        return errors.wrong_value(status, f"{what} is corrupted: its numbers make no sense")
    if status == NOT_SUPPORTED and fips_provider():
        message = (
            f"{what} has {kind.bits} bits, and the FIPS provider takes no RSA key of less than 2048"
        )
        return errors.wrong_value(status, message)
    return errors.failed(status, status_text(status))


def _why_not(key_view: Any) -> str:
    """Describe why this is no Themis key."""
    why = recognised(
        lambda it: it.why_not(seen(key_view), *it.THEMIS_KEYS, by_size=it.KEYS_BY_SIZE)
    )
    return why or ", or it is cut"


@returns_output
def pair(errors: Errors, kind: Kind, *, uncompressed: bool) -> tuple[bytes, bytes]:
    """Generate a (private, public) pair; only algorithm and bits of the kind count."""
    algorithm, bits, _ = kind
    private_size = lib.themis_key_size(algorithm, True, bits, uncompressed)
    public_size = lib.themis_key_size(algorithm, False, bits, uncompressed)
    private, public = new_output(private_size), new_output(public_size)
    status = lib.themis_key_pair(
        algorithm, bits, uncompressed, private, private_size, public, public_size
    )
    if status != SUCCESS:
        failed(errors, status)
    return private, public


_QUICK = {
    lib.themis_key_size(EC, False, bits, False): lib.themis_key_size(EC, False, bits, True)
    for bits in (256, 384, 521)
}  # sizes of compressed public keys, and of the same uncompressed


# To find the other coordinate of a key takes a quarter of the time that agreeing on a secret takes,
# and most programs have a few peers. Public keys are no secrets; nothing of the kind is done with
# private ones, and what C refuses is forgotten: it may be a private key in the wrong place, of the
# same length. C judges what is remembered as it judges any key.
def quick_to_read(public_key: bytes) -> bytes:
    """Return a public key uncompressed if it is a compressed one, and anything else as it is."""
    size = _QUICK.get(len(public_key))
    if size is None:
        return public_key
    try:
        return _uncompressed(public_key, size)
    except ValueError:
        return public_key


@lru_cache(maxsize=64)
def _uncompressed(public_key: bytes, size: int) -> bytes:
    made = ffi.new(BYTES, size)
    status = lib.themis_key_uncompressed(public_key, len(public_key), made, size)
    if status != SUCCESS:
        raise ValueError(status)  # which is not remembered
    uncompressed: bytes = ffi.buffer(made)[:]
    return uncompressed


@returns_output
def public(errors: Errors, private_key: Key, *, uncompressed: bool) -> bytes:
    """Compute the public half of a private key."""
    key_view = view_of_key(errors, private_key, PRIVATE)
    try:
        status, kind = inspect(key_view)
        if kind is None or not kind.is_private:
            raise key_error(errors, INVALID_PARAMETER, PRIVATE, key_view, is_private=True)
        size = lib.themis_key_size(kind.algorithm, False, kind.bits, uncompressed)
        public = new_output(size)
        status = lib.themis_key_public(key_view, len(key_view), uncompressed, public, size)
        if status != SUCCESS:
            raise key_error(errors, status, PRIVATE, key_view, is_private=True)
        return public
    finally:
        del key_view


def exported(errors: Errors, key: Key, *, pem: bool, passphrase: Key | None) -> bytes:
    """Write a key in PEM or DER."""
    key_view = secret = None
    try:
        key_view = view_of_key(errors, key, KEY)
        secret = view(errors, b"" if passphrase is None else passphrase, PASSPHRASE)
        if passphrase is not None and len(secret) == 0:
            wrong_value(errors, "the passphrase is empty")
        made = _blob()
        status = lib.themis_key_export(key_view, len(key_view), pem, secret, len(secret), made)
        if status != SUCCESS:
            raise key_error(errors, status, KEY, key_view)
        return _taken(made)
    finally:
        del key_view, secret


def imported(errors: Errors, text: Key, *, pem: bool, passphrase: Key | None) -> bytes:
    """Read a key from PEM or DER; PEM also where it is wrapped in something."""
    status, made, why = _imported(errors, text, pem=pem, passphrase=passphrase)
    hint = ""
    if status == INVALID_PARAMETER and not isinstance(text, Secret):
        hint = guess(text, "PEM" if pem else "DER")
        it = recogniser()
        for rewritten in it.pem_texts(text) if pem and it else ():
            hint = ""
            status, made, why = _imported(errors, rewritten, pem=True, passphrase=passphrase)
            if status != INVALID_PARAMETER:
                break
    if status == SUCCESS:
        return made
    if not why:
        failed(errors, status)
    raise errors.wrong_value(status, why + hint)


def _imported(
    errors: Errors, text: Key, *, pem: bool, passphrase: Key | None
) -> tuple[int, bytes, str]:
    """Let C read a key: the status, the key, and why there is none."""
    text_view = secret = None
    try:
        text_view = view(errors, text, PEM if pem else DER)
        secret = view(errors, b"" if passphrase is None else passphrase, PASSPHRASE)
        if passphrase is not None and len(secret) == 0:
            wrong_value(errors, "the passphrase is empty")
        made = _blob()
        why = ffi.new(_TEXT)
        status = _read(text_view, secret, made, why, pem=pem)
    finally:
        del text_view, secret
    if status == SUCCESS:
        return status, _taken(made), ""
    return status, b"", "" if why[0] == ffi.NULL else ffi.string(why[0]).decode()


def _read(text: Any, secret: Any, made: Any, why: Any, *, pem: bool) -> int:
    """Read a key in slices of work, between which Python can act on signals."""
    reading = _reading()
    left = ffi.new(_LEFT, 1)
    try:
        status: int = lib.themis_key_reading_new(
            text, len(text), pem, secret, len(secret), reading, why
        )
        while status == SUCCESS and left[0] != 0:
            status = lib.themis_key_reading_work(reading[0], lib.THEMIS_STRETCH_SLICE, left)
        if status == SUCCESS:
            status = lib.themis_key_reading_finish(reading[0], made, why)
        return status
    finally:
        ffi.release(reading)
        del text, secret


def _taken(made: Any) -> bytes:
    """Copy a result out of the memory it was made in, which is wiped."""
    try:
        blob = made[0]
        content: bytes = ffi.buffer(lib.themis_blob_data(blob), lib.themis_blob_size(blob))[:]
        return content
    finally:
        ffi.release(made)
