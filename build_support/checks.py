# SPDX-License-Identifier: Apache-2.0
"""Check what a build needs, and name what is missing in one sentence.

Each thing the build needs is tried with a tiny program, by the very compiler and with the
very flags of the real build.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

from build_ffi import (
    LIBRARIES,
    MSVC,
    OPENSSL,
    OPTIONAL_FLAGS,
    Packages,
    library_flags,
    link_mode,
    static_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PYPY = sys.implementation.name == "pypy"
COMPILER = Packages(
    debian="gcc libc6-dev",
    fedora="gcc",
    alpine="build-base",
    macos="xcode-select --install",
    windows="the Visual Studio Build Tools",
)
PYTHON_HEADERS = Packages(
    debian="pypy3-dev" if PYPY else "python3-dev",
    fedora="pypy3-devel" if PYPY else "python3-devel",
    alpine="pypy3-dev" if PYPY else "python3-dev",
    macos="brew install pypy3" if PYPY else "brew install python",
    windows="the installer of pypy.org" if PYPY else "the installer of python.org",
)
# From this version on, AES-GCM uses AVX-512.
HAS_FAST_GCM = """\
#include <openssl/evp.h>
#if OPENSSL_VERSION_NUMBER < 0x30100000L
#error slow
#endif
"""
SLOW_GCM = (
    "pythemis is built with an OpenSSL before 3.1, which encrypts large data at a third of the "
    "speed where the processor has AVX-512: docs/wheels.md says how to link a newer one."
)
# Some C libraries bring _init and _fini without a mark, and then the linker marks nothing. A module
# does not need the two; what static_libs.py builds is all compiled with marks, as is ours.
CET_MARK = ["-Wl,-init=__unused,-fini=__unused,-z,ibt,-z,shstk"]


class CheckedBuildExt(build_ext):
    """build_ext that tries what it needs before it starts."""

    def build_extensions(self) -> None:
        """Check the compiler, the Python headers and the libraries, then build."""
        if not self._builds("#include <stdlib.h>\n"):
            raise SystemExit(missing("a C compiler", COMPILER))
        if not self._builds("#include <Python.h>\n"):
            raise SystemExit(missing(f"the C headers of {sys.executable}", PYTHON_HEADERS))
        files = "headers and static archive" if link_mode() == "static" else "development files"
        for library in LIBRARIES:
            if not self._builds(library.probe, library_flags(library)):
                wanted = f"the {files} of {library.title} {library.minimum} or newer"
                raise SystemExit(missing(wanted, library.packages))
        is_x86 = platform.machine() in ("x86_64", "AMD64")
        if is_x86 and not self._builds(HAS_FAST_GCM, library_flags(OPENSSL)):
            print(SLOW_GCM, file=sys.stderr)
        compiling = [flag for flag in OPTIONAL_FLAGS if self._takes(flag)]
        linking = CET_MARK if self._marks_cet(compiling) else []
        for extension in self.extensions:
            extension.extra_compile_args += compiling
            extension.extra_link_args += linking
        if link_mode() == "static" and not MSVC:
            # Some Pythons add the folder of their own libraries, which nothing else uses.
            linker = self.compiler.linker_so
            self.compiler.linker_so = [part for part in linker if "-rpath" not in part]
        super().build_extensions()

    def _marks_cet(self, compiling: list[str]) -> bool:
        if sys.platform != "linux" or link_mode() != "static" or static_prefix() is None:
            return False
        return "-fcf-protection" in compiling and self._builds("", ([], CET_MARK))

    def _takes(self, flag: str) -> bool:
        return not MSVC and self._builds("", ([flag, "-Werror"], []))

    def _builds(self, source: str, flags: tuple[list[str], list[str]] = ([], [])) -> bool:
        compiling, linking = flags
        with tempfile.TemporaryDirectory() as folder, _silence():
            probe = Path(folder, "probe.c")
            probe.write_text(f"{source}int probe(void);\nint probe(void) {{ return 0; }}\n")
            try:
                objects = self.compiler.compile(
                    [str(probe)], output_dir=folder, extra_postargs=compiling
                )
                self.compiler.link_shared_object(
                    objects, str(Path(folder, "probe.out")), extra_postargs=linking
                )
            except (CCompilerError, ExecError, PlatformError):
                return False
        return True


def missing(what: str, packages: Packages) -> str:
    """Make the sentence that ends a build."""
    return (
        f"pythemis cannot be built without {what}: install {packages.debian} (Debian, Ubuntu), "
        f"{packages.fedora} (Fedora) or {packages.alpine} (Alpine), "
        f"or use {packages.macos} (macOS) or {packages.windows} (Windows)."
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Swallow what this process and the compilers it starts print."""
    kept = os.dup(1), os.dup(2)
    with Path(os.devnull).open("wb") as sink:
        _redirect(sink.fileno(), sink.fileno())
        try:
            yield
        finally:
            _redirect(*kept)
            for descriptor in kept:
                os.close(descriptor)


def _redirect(stdout: int, stderr: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
