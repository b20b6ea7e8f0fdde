# SPDX-License-Identifier: Apache-2.0
"""Run the tests on a Python without a GIL, which Debian has the source of and no package.

CPython is built from Debian's source package, whose signature apt checks: 3.14, for which there are
wheels of everything that the tests need; or, where the archive does not give that, 3.13. For 3.13
cffi is built from its sdist without the line that refuses it, and the tests do without what
has no wheel there. Then a copy of the project is built with it, and all tests run with the GIL off.
What was built stays in build/free-threaded. --bench measures two threads instead; other arguments
are handed to pytest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from build_ffi import LIBRARIES
from tools.evidence.instrument import run, what_is_made
from tools.release.static_libs import debian_mirror, private_apt
from tools.release.static_libs import run as run_quietly
from tools.setup.bootstrap import PIP_WITH_GROUPS, ROOT, has, install_system_packages

FOLDER = ROOT / "build" / "free-threaded"
WHEELS = FOLDER / "wheels"  # which pip finds, that of the tests as well
# Programs that building takes, and what the modules of Python that the tests use are built with.
PROGRAMS = {"gcc": "gcc", "make": "make", "dpkg-source": "dpkg-dev", "pkg-config": "pkg-config"}
HEADERS = {
    "ffi.h": "libffi-dev",
    "zlib.h": "zlib1g-dev",
    "bzlib.h": "libbz2-dev",
    "lzma.h": "liblzma-dev",
    "sqlite3.h": "libsqlite3-dev",
}
NICE = ["nice", "-n", "10"]


# Databases, services and their libraries have no part in it; the real core has.
LOCAL = (
    ["-m", "not integration and not evidence and not big_memory"],
    ["-m", "integration", "tests/interop"],
)


class Release(NamedTuple):
    """A Python that Debian has the source of."""

    package: str
    suites: tuple[str, ...]
    # Of the test group, if there are not wheels of all: what is compiled, and what cannot be.
    compiled: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def python(self) -> Path:
        """Where its interpreter is."""
        return FOLDER / self.package / "bin" / f"{self.package}t"


RELEASES = (
    Release("python3.14", ("sid", "forky")),
    Release(
        "python3.13",
        ("trixie",),
        ("pynacl", "pyyaml"),
        ("cryptography", "django-fernet-encrypted-fields"),
    ),
)


def main() -> None:
    """Make the interpreter and its environment where they are missing, and run the tests."""
    release = interpreter()
    os.environ["PIP_FIND_LINKS"] = f"{os.environ.get('PIP_FIND_LINKS', '')} {WHEELS}".strip()
    WHEELS.mkdir(exist_ok=True)
    python = environment(release)
    project = FOLDER / "project"
    shutil.rmtree(project, ignore_errors=True)
    shutil.copytree(ROOT, project, ignore=what_is_made, symlinks=True)
    os.environ.setdefault("PYTHEMIS_TESTING", "1")  # the tests need its hooks
    pip(python, "--no-deps", "--no-build-isolation", "--editable", str(project))
    os.environ.pop("PYTHON_GIL", None)  # importing the package must not bring it back
    run([str(python), "-c", "import sys, pythemis.scell; sys.exit(sys._is_gil_enabled())"], project)
    os.environ["PYTHON_GIL"] = "0"  # nor may anything that the tests import
    arguments = sys.argv[1:]
    if "--bench" in arguments:
        arguments.remove("--bench")
        run([str(python), "benchmarks/threads.py", *arguments], project)
        return
    for asked in [arguments] if arguments else LOCAL:
        run([str(python), "-m", "pytest", *asked], project)


# ---- The interpreter ----


def interpreter() -> Release:
    """Return the Python that is there; build it if there is none."""
    for release in RELEASES:
        if release.python.exists():
            return release
    mirror = debian_mirror()
    if mirror is None:
        raise SystemExit(
            "A Python without a GIL is built from Debian's source package, "
            "and apt-get here knows no mirror of Debian."
        )
    install_system_packages(missing_packages())
    FOLDER.mkdir(parents=True, exist_ok=True)
    for release in RELEASES:
        with tempfile.TemporaryDirectory(dir=FOLDER) as name:
            folder = Path(name)
            problem = fetch(release, folder, mirror)
            if problem is None:
                build(release, folder)
                return release
        print(f"free-threaded: no source of {release.package} is to be had: {problem}", flush=True)
    raise SystemExit("Without a source there is nothing to build.")


def missing_packages() -> list[str]:
    """List the Debian packages that are missing."""
    packages = [name for program, name in PROGRAMS.items() if not shutil.which(program)]
    if "gcc" in packages:
        packages.append("libc6-dev")
    packages += [library.packages.debian for library in LIBRARIES if not has(library)]
    includes = [Path("/usr/include"), *Path("/usr/include").glob("*-linux-gnu*")]
    packages += [
        name for file, name in HEADERS.items() if not any((at / file).exists() for at in includes)
    ]
    return packages


def fetch(release: Release, folder: Path, mirror: str) -> str | None:
    """Unpack the source package into source/, in a folder; say what went wrong.

    apt believes nothing that Debian has not signed. It is taken as upstream released it: Debian's
    patches put modules where an interpreter of this kind does not look for them.
    """
    settings = private_apt(folder, mirror, release.suites)

    def apt(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, check=False
        )

    apt("apt-get", "-qq", "update")
    said = apt("apt-cache", "showsrc", "--only-source", release.package).stdout
    problem = "the lists of the archive do not have it"
    # They may name what the mirror does not have yet, or has no longer.
    for number in dict.fromkeys(re.findall(r"^Version: (\S+)$", said, re.MULTILINE)):
        wanted = f"{release.package}={number}"
        done = apt("apt-get", "-qq", "--only-source", "--download-only", "source", wanted)
        if done.returncode == 0:
            [file] = folder.glob("*.dsc")
            unpack = ["dpkg-source", "--no-check", "--skip-patches", "-x", file.name, "source"]
            run_quietly(unpack, folder, dict(os.environ))
            return None
        problem = done.stderr.strip().splitlines()[-1]
    return problem


def build(release: Release, folder: Path) -> None:
    """Compile the source; the interpreter appears when all of it is there."""
    print(f"free-threaded: building {release.package}, which takes some minutes", flush=True)
    prefix, staged = FOLDER / release.package, folder / "staged"
    options = ("--disable-gil", "--disable-test-modules", "--without-ensurepip")
    for command in (
        ["./configure", "-q", *options, f"--prefix={prefix}"],
        ["make", "-s", f"-j{os.cpu_count() or 1}"],
        ["make", "-s", "install", f"DESTDIR={staged}"],
    ):
        run_quietly([*NICE, *command], folder / "source", dict(os.environ))
    shutil.rmtree(prefix, ignore_errors=True)
    shutil.move(staged / prefix.relative_to("/"), prefix)


# ---- What the tests need ----


def environment(release: Release) -> Path:
    """Return the interpreter of an environment with all but the package; make it if it is old."""
    folder = FOLDER / f"{release.package}-venv"
    python, ready = folder / "bin" / "python", folder / "made-for"
    wanted = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return python
    run([str(release.python), "-m", "venv", "--clear", "--without-pip", str(folder)], ROOT)
    pip(python, PIP_WITH_GROUPS)
    if not release.compiled:
        pip(python, "--group", "test")
    else:
        pip(python, "setuptools>=77", "wheel", "pycparser")
        build_wheel = ["pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(WHEELS)]
        run([*NICE, str(python), "-m", *build_wheel, str(tolerant_cffi())], ROOT)
        pip(python, "--only-binary=:all:", "cffi")  # that wheel; others are compiled with it
        there = [one for one in test_group(python) if name_of(one) not in release.lacking]
        from_source = [f"--no-binary={name}" for name in release.compiled]
        pip(python, "--no-build-isolation", "--only-binary=:all:", *from_source, *there)
        for package in release.lacking:
            skip_tests_with(package, python)
    ready.write_text(wanted, encoding="utf-8")
    return python


def tolerant_cffi() -> Path:
    """Bring the source of cffi, and take the line out that refuses Python 3.13 without a GIL.

    What cffi needs of the interpreter is in 3.13 as well; its authors support 3.14.
    """
    folder = FOLDER / "cffi"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["download", "--quiet", "--no-deps", "--no-binary=cffi", f"--dest={folder}", "cffi"]
    run([sys.executable, "-m", "pip", *command], ROOT)
    [archive] = folder.glob("cffi-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder)
    setup = folder / archive.name.removesuffix(".tar.gz") / "setup.py"
    text = setup.read_text(encoding="utf-8")
    refusal = "FREE_THREADED_BUILD and sys.version_info < (3, 14)"
    if refusal not in text:
        raise SystemExit("The sdist of cffi refuses Python 3.13 in a way that is not known here.")
    setup.write_text(text.replace(refusal, "False"), encoding="utf-8")
    return setup.parent


def test_group(python: Path) -> list[str]:
    """List the requirements of the test group, those that it includes among them."""
    program = "import json, sys, tomllib; print(json.dumps(tomllib.load(sys.stdin.buffer)))"
    with (ROOT / "pyproject.toml").open("rb") as file:
        groups = json.loads(subprocess.check_output([python, "-c", program], stdin=file))
    groups = groups["dependency-groups"]

    def flat(name: str) -> list[str]:
        found = ([one] if isinstance(one, str) else flat(*one.values()) for one in groups[name])
        return [one for some in found for one in some]

    return flat("test")


def name_of(requirement: str) -> str:
    """Return the name of what is required."""
    return re.split(r"[^\w-]", requirement, maxsplit=1)[0].lower()


def skip_tests_with(package: str, python: Path) -> None:
    """Put something in the place of a package that skips whatever test imports it."""
    [packages] = python.parents[1].glob("lib/python*/site-packages")
    (packages / f"{package}.py").write_text(
        "import pytest\n\n"
        f'pytest.skip("there is no {package} for this Python", allow_module_level=True)\n',
        encoding="utf-8",
    )


def pip(python: Path, *arguments: str) -> None:
    """Install something, with the pip of .venv."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    run([*NICE, *command, *arguments], ROOT)


if __name__ == "__main__":
    main()
