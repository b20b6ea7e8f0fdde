# SPDX-License-Identifier: Apache-2.0
"""Values as other programs stored them, for moving them into sealed fields.

Each function returns a reader: a function that is given what a column holds, and then the parts of
the primary key, and returns the bytes of the value. Its errors hold neither.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Iterable
from typing import Any

from pythemis._core.errors import DATA_CORRUPT, wrong_value
from pythemis.exception import ThemisError
from pythemis.keyring._sources import at_path, credential, parted
from pythemis.scell import SCellSeal

from ._errors import ERRORS, FieldError

Reader = Callable[..., bytes]

_DJANGO_ITERATIONS = 100_000  # of django-fernet-encrypted-fields


def text_of(reference: str) -> str:
    """Return the text that a reference to a key names: file:PATH, env:NAME or credential:NAME.

    Raises:
        FieldError: no such reference, or what it names cannot be read or is no text.
    """
    text = ""
    try:
        scheme, name = parted(reference, "a key")
        if scheme == "env":
            text = os.environ.get(name, "")
        else:
            source = at_path(name) if scheme == "file" else credential(name, is_base64=False)
            text = source.read()[0].decode("utf-8")
    except ThemisError as error:
        problem = error.message
    except OSError as error:
        problem = f"{reference}: {error.strerror}"
    except ValueError:  # UnicodeDecodeError, which has the bytes
        problem = f"what {reference} names is not text in UTF-8"
    else:
        problem = "" if text.strip() else f"there is no key in {reference}"
    if problem:
        wrong_value(ERRORS, problem)
    return text.strip()


def decoded(text: str) -> bytes:
    """Return the bytes of a key that is given in base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also of text that is not ASCII
        pass
    return wrong_value(ERRORS, "the key is not base64")


def fernet(keys: Iterable[bytes | str]) -> Reader:
    """Return the reader of Fernet tokens, in text or in bytes.

    Args:
        keys: of Fernet, 32 bytes in base64 each. All are tried.

    Raises:
        FieldError: there is no such key, or the package ``cryptography`` is missing.
    """
    try:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet
    except ImportError:
        wrong_value(ERRORS, "Fernet tokens are read with the package cryptography: install it")
    try:
        opener = MultiFernet([Fernet(key) for key in keys])
    except (ValueError, TypeError):
        opener = None
    if opener is None:  # not within the `except`, whose error could hold the key
        return wrong_value(ERRORS, "a key of Fernet is 32 bytes in base64, and there must be one")

    def read(raw: Any, *_: Any) -> bytes:
        try:
            value: bytes = opener.decrypt(_as_bytes(raw))
        except (InvalidToken, TypeError):
            pass
        else:
            return value
        raise _refused("this is not a Fernet token under one of the keys")

    return read


def fernet_keys_of_django(secrets: Iterable[str], salts: Iterable[str]) -> list[bytes]:
    """Return the keys of django-fernet-encrypted-fields, from ``SECRET_KEY`` and ``SALT_KEY``."""
    salts = list(salts)
    return [
        base64.urlsafe_b64encode(
            hashlib.pbkdf2_hmac("sha256", secret.encode(), salt.encode(), _DJANGO_ITERATIONS)
        )
        for secret in secrets
        for salt in salts
    ]


def fernet_key_of_sqlalchemy_utils(key: str | bytes) -> bytes:
    """Return the key of Fernet that sqlalchemy-utils makes of the key of a column."""
    data = key.encode() if isinstance(key, str) else bytes(key)
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest())


def cells(key: Any, context: Callable[..., Any] | None = None) -> Reader:
    """Return the reader of Secure Cells in Seal mode, as programs of pythemis 0.15 stored them.

    Args:
        key: of the cells, 1 byte or more.
        context: is given the parts of the primary key and returns the context, or there is none.

    Raises:
        FieldError: not a key.
    """
    made = cell = None
    try:
        cell = SCellSeal(key)
    except ThemisError as error:
        made = FieldError(error.error_code, f"the key of the cells: {error.message}")
    if made is not None or cell is None:
        raise made or _refused("there is no key")

    def read(raw: Any, *row: Any) -> bytes:
        try:
            return cell.decrypt(_cell_of(raw), None if context is None else context(*row))
        except ThemisError as error:
            made = FieldError(error.error_code, error.message)
        raise made

    return read


def _cell_of(raw: Any) -> bytes:
    """Return a cell; columns of text hold it in base64."""
    data = _as_bytes(raw)
    if data[:1] == b"\0":
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return data


def _as_bytes(raw: Any) -> bytes:
    if isinstance(raw, int):  # of which bytes() would make that many zeros
        raise _refused("the column holds numbers")
    return raw.encode() if isinstance(raw, str) else bytes(raw)


def _refused(text: str) -> FieldError:
    return FieldError(DATA_CORRUPT, text)
