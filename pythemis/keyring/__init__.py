# SPDX-License-Identifier: Apache-2.0
"""Keys: in guarded memory, and in rings that let you change them.

A `SecretKey` holds one key in guarded memory, out of a file, a variable or a descriptor.

A `Keyring` encrypts under its primary key and decrypts under all of its keys. A stored value begins
with the id of its key, so that you can change keys while old values stay readable, and see in SQL
which values are old (formats, section 9).
"""

from __future__ import annotations

from pythemis._core import secret_text, terminal  # noqa: F401 -- SecretKey needs them later
from pythemis._core.errors import Errors
from pythemis._core.rings import KeyInfo
from pythemis._core.secret import SecretKey
from pythemis.exception import ThemisError, ThemisTypeError, ThemisValueError

from ._errors import KeyringError, KeyringTypeError, KeyringValueError
from ._loading import KeyringReference, WatchedKeyring, from_reference, load, watch
from ._ring import Keyring

__all__ = [
    "KeyInfo",
    "Keyring",
    "KeyringError",
    "KeyringReference",
    "KeyringTypeError",
    "KeyringValueError",
    "SecretKey",
    "WatchedKeyring",
    "from_reference",
    "load",
    "watch",
]

SecretKey._errors = Errors(ThemisError, ThemisTypeError, ThemisValueError)
