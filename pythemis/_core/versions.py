# SPDX-License-Identifier: Apache-2.0
"""Versions and linking of the libraries below."""

from __future__ import annotations

from pythemis._themis import ffi, lib


def openssl() -> str:
    """Return the version of OpenSSL as it names itself, with its date."""
    text: str = ffi.string(lib.themis_openssl_version()).decode()
    return text


def sodium() -> str:
    """Return the version of libsodium."""
    text: str = ffi.string(lib.themis_sodium_version()).decode()
    return text


def is_static() -> bool:
    """Return whether both are linked statically, as in the wheels."""
    return bool(lib.themis_is_static())
