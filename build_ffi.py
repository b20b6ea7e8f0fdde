# SPDX-License-Identifier: Apache-2.0
"""Describe the compiled module pythemis._themis: its cdef, its C sources, its libraries.

setup.py hands make_ffibuilder to cffi. Nothing here judges what it finds: checks.py of
build_support tries the compiler and the libraries for real, just before they are used.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cffi import FFI

ROOT = Path(__file__).resolve().parent
C_ROOT = "src/themis_c"  # setuptools wants paths relative to the project, with slashes
# What stands between these in themis.h is the cdef; the hooks for tests have a block of their own.
CDEF = ("/* cffi: begin */", "/* cffi: end */")
CDEF_TESTING = ("/* cffi testing: begin */", "/* cffi testing: end */")
TESTING_MACRO = ("THEMIS_TESTING", "1")
TESTING_FLAG = "-D" + "=".join(TESTING_MACRO)  # for what compiles the core without setuptools

MSVC = sysconfig.get_platform().startswith("win")
# One binary for every later CPython; the stable ABI of 3.10 has all that cffi needs.
# Free-threaded and debug builds cannot load such a binary, and PyPy has no stable ABI.
ABI3 = (
    sys.implementation.name == "cpython"
    and not sysconfig.get_config_var("Py_GIL_DISABLED")
    and not hasattr(sys, "gettotalrefcount")
)

# The one symbol that the interpreter calls, as cffi names it.
INIT = ("_cffi_pypyinit_" if sys.implementation.name == "pypy" else "PyInit_") + "_themis"

# Hardening that not every compiler and processor has: marked jump and return targets (CET of
# x86, PAC and BTI of ARM), and a stack that cannot jump over its guard page.
OPTIONAL_FLAGS = ("-fcf-protection", "-mbranch-protection=standard", "-fstack-clash-protection")


class Packages(NamedTuple):
    """Where one and the same thing comes from on each system."""

    debian: str
    fedora: str
    alpine: str
    macos: str
    windows: str


class Library(NamedTuple):
    """A C library that the extension is linked with."""

    title: str
    name: str  # as pkg-config calls it, and the name of its file
    minimum: str
    probe: str  # C that compiles only with a version that will do
    packages: Packages


OPENSSL = Library(
    title="OpenSSL",
    name="libcrypto",
    minimum="3.0",
    probe="""\
#include <openssl/evp.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error too old
#endif
""",
    packages=Packages(
        debian="libssl-dev",
        fedora="openssl-devel",
        alpine="openssl-dev",
        macos="brew install openssl@3",
        windows="vcpkg install openssl",
    ),
)
SODIUM = Library(
    title="libsodium",
    name="libsodium",
    minimum="1.0.18",
    probe="""\
#include <sodium.h>
#if SODIUM_LIBRARY_VERSION_MAJOR * 100 + SODIUM_LIBRARY_VERSION_MINOR < 1003
#error too old: 10.3 is the library version of release 1.0.18
#endif
#ifdef SODIUM_LIBRARY_MINIMAL
#error a minimal build has no edwards25519 group
#endif
""",
    packages=Packages(
        debian="libsodium-dev",
        fedora="libsodium-devel",
        alpine="libsodium-dev",
        macos="brew install libsodium",
        windows="vcpkg install libsodium",
    ),
)
LIBRARIES = (OPENSSL, SODIUM)


def link_mode() -> str:
    """Return how the libraries are linked: 'dynamic' or 'static'."""
    mode = os.environ.get("PYTHEMIS_LINK", "dynamic")
    if mode not in ("dynamic", "static"):
        raise SystemExit(f"PYTHEMIS_LINK must be 'dynamic' or 'static', not {mode!r}.")
    return mode


def has_hooks() -> bool:
    """Return whether the hooks for tests are built in: only where PYTHEMIS_TESTING=1."""
    asked = os.environ.get("PYTHEMIS_TESTING") or "0"
    if asked not in ("0", "1"):
        raise SystemExit(f"PYTHEMIS_TESTING must be 0 or 1, not {asked!r}.")
    return asked == "1"


def static_prefix() -> Path | None:
    """Return the folder with include/ and lib/ of static libraries; None if none was named."""
    folder = os.environ.get("PYTHEMIS_STATIC_PREFIX")
    return (ROOT / folder).resolve() if folder else None


def archive_of(library: Library) -> Path | None:
    """Return the static archive that a build links with; None leaves the search to the linker."""
    prefix = static_prefix()
    if prefix:
        return prefix / "lib" / f"{library.name}{'.lib' if MSVC else '.a'}"
    folder = None if MSVC else _pkg_config("--variable=libdir", library)
    return Path(folder[0], f"{library.name}.a") if folder else None


def library_flags(library: Library) -> tuple[list[str], list[str]]:
    """Return the flags that compile and link against a library."""
    if link_mode() == "static":
        return _static_flags(library)
    if MSVC:
        return [], [f"{library.name}.lib"]
    plain = f"-l{library.name.removeprefix('lib')}"
    return _pkg_config("--cflags", library) or [], _pkg_config("--libs", library) or [plain]


def library_version(library: Library) -> str:
    """Ask pkg-config for the version of a library."""
    return "".join(_pkg_config("--modversion", library) or ["unknown"])


def _static_flags(library: Library) -> tuple[list[str], list[str]]:
    prefix, archive = static_prefix(), archive_of(library)
    if MSVC:
        compiling = ["/DSODIUM_STATIC"] if library is SODIUM else []
        linking = [str(archive or f"{library.name}.lib")]
        if library is OPENSSL:
            linking += ["crypt32.lib", "ws2_32.lib", "advapi32.lib", "user32.lib"]
        return compiling + ([f"/I{prefix / 'include'}"] if prefix else []), linking
    if prefix:
        # In older C libraries threads are an archive of their own.
        return [f"-I{prefix / 'include'}"], [str(archive), "-pthread"]
    plain = f"-l{library.name.removeprefix('lib')}"
    # Only the library itself comes as an archive; what it needs of the C library does not.
    linking = [
        str(archive or f"-l:{library.name}.a") if flag == plain else flag
        for flag in _pkg_config("--static --libs", library) or [plain]
    ]
    return _pkg_config("--cflags", library) or [], linking


def make_ffibuilder() -> FFI:
    """Build the cffi description of pythemis._themis as the environment asks for it."""
    return describe(hooks=has_hooks())


def describe(*, hooks: bool) -> FFI:
    """Build the cffi description of pythemis._themis, with or without hooks for tests."""
    # Imported late: tools/setup/bootstrap.py reads the table above before cffi is installed.
    from cffi import FFI

    from build_support import short_calls

    compiling, linking = _own_flags()
    for library in LIBRARIES:
        library_compiling, library_linking = library_flags(library)
        compiling += library_compiling
        linking += library_linking

    ffibuilder = FFI()
    header = marked_block(CDEF)
    short = short_calls.prototypes(header)
    ffibuilder.cdef(header + short + (marked_block(CDEF_TESTING) if hooks else ""))
    ffibuilder.set_source(
        "pythemis._themis",
        # The generated file changes with the flags, so another way of linking builds anew.
        f'/* built with {_digest(compiling + linking)} */\n#include "themis.h"\n'
        + short_calls.definitions(header),
        sources=_files("soter/*.c", "themis/*.c", *(["testing/*.c"] if hooks else [])),
        depends=_files("*.h", "soter/*.h", "themis/*.h") + _archives(),
        include_dirs=[C_ROOT],
        define_macros=[*_macros(), *([TESTING_MACRO] if hooks else [])],
        py_limited_api=ABI3,
        extra_compile_args=compiling,
        extra_link_args=linking,
    )
    return ffibuilder


def _macros() -> list[tuple[str, str | None]]:
    macros: list[tuple[str, str | None]] = []
    if ABI3:
        macros.append(("Py_LIMITED_API", "0x030A0000"))
    if link_mode() == "static":
        macros.append(("SOTER_PRIVATE_LIBCRYPTO", "1"))  # no other module uses our copy
    return macros


def _own_flags() -> tuple[list[str], list[str]]:
    if MSVC:
        linking = ["/guard:cf"]
        if link_mode() == "static":
            linking.append("/NODEFAULTLIB:LIBCMT")  # libsodium asks for it; Python has MSVCRT
        return ["/std:c11", "/O2", "/W3", "/guard:cf"], linking
    compiling = [
        "-std=c11",
        "-O2",
        "-fvisibility=hidden",
        "-fstack-protector-strong",
        "-U_FORTIFY_SOURCE",  # some systems define it already, and twice is a warning
        "-D_FORTIFY_SOURCE=2",
        "-Wall",
        "-Wextra",
        # A cdef that disagrees with the header must not compile.
        "-Werror=incompatible-pointer-types",
        "-Werror=implicit-function-declaration",
    ]
    linking = []
    if sys.platform == "linux":
        linking.append("-Wl,-z,relro,-z,now")
        if link_mode() == "static":
            # Another OpenSSL in the same process must never bind to our copy, and what nobody
            # calls stays out.
            linking += ["-Wl,--exclude-libs,ALL", "-Wl,--gc-sections", "-Wl,--strip-all"]
    elif sys.platform == "darwin" and link_mode() == "static":
        linking += [f"-Wl,-exported_symbol,_{INIT}", "-Wl,-dead_strip"]
    return compiling, linking


def marked_block(markers: tuple[str, str]) -> str:
    """Return the text of themis.h between two markers, which cffi compiles."""
    header = (ROOT / C_ROOT / "themis.h").read_text(encoding="utf-8")
    _, begin, rest = header.partition(markers[0])
    cdef, end, _ = rest.partition(markers[1])
    if not begin or not end:
        raise SystemExit(f"themis.h must hold the lines '{markers[0]}' and '{markers[1]}'.")
    return cdef


def _archives() -> list[str]:
    archives = map(archive_of, LIBRARIES if link_mode() == "static" else ())
    return [str(archive) for archive in archives if archive]


def _digest(flags: list[str]) -> str:
    return hashlib.sha256("\0".join(flags).encode()).hexdigest()


def _files(*patterns: str) -> list[str]:
    paths = (path for pattern in patterns for path in (ROOT / C_ROOT).glob(pattern))
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def _pkg_config(question: str, library: Library) -> list[str] | None:
    """Ask pkg-config; None when it is missing or does not know the library."""
    command = [os.environ.get("PKG_CONFIG", "pkg-config"), *question.split(), library.name]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shlex.split(answer.stdout)
