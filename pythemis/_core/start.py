# SPDX-License-Identifier: Apache-2.0
"""Start the C core, with OpenSSL's FIPS provider if ``PYTHEMIS_FIPS=1`` asks for it."""

from __future__ import annotations

import os

from pythemis._themis import ffi, lib

_TEXT = ffi.typeof("char const **")
FIPS_IN_STATIC = (
    "PYTHEMIS_FIPS=1: this build of pythemis has OpenSSL linked in statically, without a FIPS "
    "module. Build pythemis from its sources against the OpenSSL of your system: pip install ."
)


def start() -> None:
    """Start the core; an ImportError says why it cannot be used."""
    asked = os.environ.get("PYTHEMIS_FIPS") or "0"
    if asked not in ("0", "1"):
        raise ImportError(f"PYTHEMIS_FIPS must be 0 or 1, not {asked!r}")
    if asked == "1":
        start_with_fips(os.environ.get("OPENSSL_CONF", ""))
    elif lib.themis_init() != lib.THEMIS_SUCCESS:
        raise ImportError("pythemis cannot use OpenSSL: its default provider does not load")


def start_with_fips(config: str) -> None:
    """Start with the FIPS provider as a configuration file describes it, or not at all."""
    if lib.themis_is_static():
        raise ImportError(FIPS_IN_STATIC)
    why = ffi.new(_TEXT)
    if lib.themis_init_fips(os.fsencode(config), why) != lib.THEMIS_SUCCESS:
        refusal = ffi.string(why[0]).decode()
        file = f"OPENSSL_CONF={config}" if config else "OpenSSL's own configuration file"
        raise ImportError(
            f"PYTHEMIS_FIPS=1: pythemis cannot use OpenSSL with its FIPS provider: {refusal} "
            f"(configured by {file})"
        )


def fips_provider() -> str | None:
    """Return name and version of the FIPS provider that does the work; None without one."""
    if lib.themis_fips_name() == ffi.NULL:
        return None
    name, version = lib.themis_fips_name(), lib.themis_fips_version()
    return f"{ffi.string(name).decode()} {ffi.string(version).decode()}"
