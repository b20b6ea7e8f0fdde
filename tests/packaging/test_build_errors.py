# SPDX-License-Identifier: Apache-2.0
"""What a build says that lacks something: one sentence, and no page of errors."""

import os
import platform
import subprocess
import sys

import pytest

from support.project import ROOT, copy_project

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.sources,
    pytest.mark.skipif(os.name == "nt", reason="the missing things are faked with shell scripts"),
]

NO_COMPILER = (
    "pythemis cannot be built without a C compiler: install gcc libc6-dev (Debian, Ubuntu), "
    "gcc (Fedora) or build-base (Alpine), or use xcode-select --install (macOS) or "
    "the Visual Studio Build Tools (Windows)."
)
NO_PYTHON_HEADERS = (
    f"pythemis cannot be built without the C headers of {sys.executable}: install python3-dev "
    "(Debian, Ubuntu), python3-devel (Fedora) or python3-dev (Alpine), or use brew install python "
    "(macOS) or the installer of python.org (Windows)."
)
NO_OPENSSL = (
    "pythemis cannot be built without the development files of OpenSSL 3.0 or newer: install "
    "libssl-dev (Debian, Ubuntu), openssl-devel (Fedora) or openssl-dev (Alpine), or use "
    "brew install openssl@3 (macOS) or vcpkg install openssl (Windows)."
)
SLOW_OPENSSL = (
    "pythemis is built with an OpenSSL before 3.1, which encrypts large data at a third of the "
    "speed where the processor has AVX-512: docs/wheels.md says how to link a newer one.\n"
)
NO_STATIC_OPENSSL = NO_OPENSSL.replace("development files", "headers and static archive")


@pytest.fixture
def script(tmp_path):
    """Write an executable shell script that takes the place of a tool."""

    def write(name, text):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.fixture
def build(tmp_path):
    """Build the extension in a changed environment; give what it prints when it fails."""

    def run(**environment):
        folders = ["--build-temp", tmp_path / "temp", "--build-lib", tmp_path / "lib"]
        done = subprocess.run(
            [sys.executable, "setup.py", "--quiet", "build_ext", *folders],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        return done.stdout

    return run


def test_a_missing_compiler_is_named(build):
    """Without a C compiler the build ends with that one sentence."""
    assert build(CC="/nonexistent/cc") == f"{NO_COMPILER}\n"


def test_a_broken_compiler_is_named(build, script):
    """What a compiler says that cannot compile anything is not passed on."""
    broken = script("cc", 'for line in 1 2 3 4; do echo "cc: error $line" >&2; done; exit 1')
    assert build(CC=broken) == f"{NO_COMPILER}\n"


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the sentence is CPython's")
def test_missing_python_headers_are_named(build, script):
    """Without Python.h the build ends with that one sentence."""
    blind = script(
        "cc",
        """\
        for argument; do
            shift
            case $argument in -I*/include*) ;; *) set -- "$@" "$argument" ;; esac
        done
        exec cc "$@"
        """,
    )
    assert build(CC=blind) == f"{NO_PYTHON_HEADERS}\n"


def test_an_old_openssl_is_named(build, script, tmp_path):
    """OpenSSL 1.1.1 ends the build with the sentence that asks for 3.0."""
    header = tmp_path / "old" / "openssl" / "evp.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define OPENSSL_VERSION_NUMBER 0x1010117fL\n")
    old = script("pkg-config", f"case $1 in --cflags) echo -I{tmp_path}/old ;; esac")
    assert build(PKG_CONFIG=old) == f"{NO_OPENSSL}\n"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AVX-512 is of x86-64")
@pytest.mark.parametrize(("version", "said"), [("0x30000130L", SLOW_OPENSSL), ("0x30100000L", "")])
def test_a_slow_openssl_is_named(build, script, tmp_path, version, said):
    """The build goes on with OpenSSL 3.0, and says what a newer one is better at."""
    header = tmp_path / "other" / "openssl" / "evp.h"
    header.parent.mkdir(parents=True)
    header.write_text(f"#define OPENSSL_VERSION_NUMBER {version}\n")
    config = f"case $1 in --cflags) echo -I{tmp_path}/other ;; --libs) echo -l${{2#lib}} ;; esac"
    only_probes = 'case "$*" in *probe*) exec cc "$@" ;; esac; echo "cc: here" >&2; exit 1'
    told = build(PKG_CONFIG=script("pkg-config", config), CC=script("cc", only_probes))
    assert told.partition("cc: here\n")[0] == said


def test_an_openssl_that_cannot_be_linked_is_named(build, script):
    """A library whose development files are missing ends the build with that one sentence."""
    lost = script("pkg-config", "case $1 in --libs) echo -lcrypto_that_is_not_there ;; esac")
    assert build(PKG_CONFIG=lost) == f"{NO_OPENSSL}\n"


def test_a_missing_archive_is_named(build, script, tmp_path):
    """A static build without an archive of the library ends with that one sentence."""
    bare = script(
        "pkg-config",
        f"case $1 in --variable=libdir) echo {tmp_path} ;; --static) echo -lcrypto ;; esac",
    )
    assert build(PKG_CONFIG=bare, PYTHEMIS_LINK="static") == f"{NO_STATIC_OPENSSL}\n"


def test_an_unknown_way_of_linking_is_refused(build):
    """PYTHEMIS_LINK and PYTHEMIS_TESTING take two values and no other."""
    said = build(PYTHEMIS_LINK="shared")
    assert said == "PYTHEMIS_LINK must be 'dynamic' or 'static', not 'shared'.\n"
    assert build(PYTHEMIS_TESTING="yes") == "PYTHEMIS_TESTING must be 0 or 1, not 'yes'.\n"


def test_pkg_config_is_not_needed():
    """Without pkg-config the library is looked for where the compiler looks."""
    ask = "import build_ffi; print(build_ffi.library_flags(build_ffi.OPENSSL))"
    environment = {**os.environ, "PKG_CONFIG": "/nonexistent", "PYTHEMIS_LINK": "dynamic"}
    answer = subprocess.check_output([sys.executable, "-c", ask], cwd=ROOT, env=environment)
    assert answer == b"([], ['-lcrypto'])\n"


def test_the_bootstrap_names_everything_at_once(tmp_path):
    """What `make` cannot install by itself it names in one sentence, before it does anything."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.setup.bootstrap"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "Please install gcc libc6-dev pkg-config libssl-dev libsodium-dev (the Debian and Ubuntu "
        "names; as root: apt-get install gcc libc6-dev pkg-config libssl-dev libsodium-dev) and "
        "run make again.\n"
    )


@pytest.mark.slow
def test_pip_passes_the_sentence_on(tmp_path):
    """A failing pip install shows the sentence on a line of its own, and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "."],
        cwd=copy_project(tmp_path / "copy"),
        env={**os.environ, "CC": "/nonexistent/cc"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert NO_COMPILER in map(str.strip, done.stdout.splitlines())
    assert "Traceback" not in done.stdout
