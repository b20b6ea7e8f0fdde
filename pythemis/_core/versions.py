# SPDX-License-Identifier: Apache-2.0
"""Which libraries do the work."""

from __future__ import annotations

from pythemis._themis import ffi, lib


def openssl() -> str:
    """Give the version of OpenSSL as it names itself, with its date."""
    text: str = ffi.string(lib.themis_openssl_version()).decode()
    return text


def sodium() -> str:
    """Give the version of libsodium."""
    text: str = ffi.string(lib.themis_sodium_version()).decode()
    return text


def is_static() -> bool:
    """Tell whether both are linked statically, as in the wheels."""
    return bool(lib.themis_is_static())
