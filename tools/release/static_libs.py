# SPDX-License-Identifier: Apache-2.0
"""Build OpenSSL and libsodium as static libraries, from sources that are pinned by their hash.

Linux and macOS need a C compiler, make and perl; Windows needs the Visual Studio Build Tools, perl
and nasm. CC may name another compiler, such as musl-gcc; with a MinGW-w64 compiler and --host,
Linux builds what links with programs for Windows. Two builds with one compiler are equal byte for
byte, wherever and whenever they run. The archives are taken from where --archive or
PYTHEMIS_ARCHIVES points, then from upstream, then, where apt-get is, from Debian's archive: the
hash decides, not the place. The result is a folder for PYTHEMIS_STATIC_PREFIX: include/, lib/,
licenses/ and static-libs.json, which the SBOM of the wheel is made from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

from build_ffi import MSVC, OPENSSL, OPTIONAL_FLAGS, SODIUM

ROOT = Path(__file__).resolve().parents[2]
PREFIX = ROOT / "build" / "static"
DOWNLOADS = ROOT / "build" / "archives"


class Source(NamedTuple):
    """A release of a library, as upstream publishes it."""

    title: str
    file: str  # as build_ffi.Library.name
    version: str
    url: str
    sha256: str
    folder: str  # the top folder in the archive
    licence: str  # SPDX
    licence_file: str
    cpe: str
    debian: str  # its name in Debian's archive
    suites: tuple[str, ...]  # of Debian, that had this version when it was pinned


SOURCES = (
    Source(
        title="openssl",
        file=OPENSSL.name,
        version="3.5.7",
        url="https://github.com/openssl/openssl/releases/download/openssl-3.5.7/openssl-3.5.7.tar.gz",
        sha256="a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8",
        folder="openssl-3.5.7",
        licence="Apache-2.0",
        licence_file="LICENSE.txt",
        cpe="cpe:2.3:a:openssl:openssl:3.5.7:*:*:*:*:*:*:*",
        debian="openssl",
        suites=("trixie",),
    ),
    Source(
        title="libsodium",
        file=SODIUM.name,
        version="1.0.22",
        url="https://github.com/jedisct1/libsodium/archive/refs/tags/1.0.22-RELEASE.tar.gz",
        sha256="5838bb0c3da6148c24ebe531d1ed1297de9a87aea77d426bcd99f289e681631c",
        folder="libsodium-1.0.22-RELEASE",
        licence="ISC",
        licence_file="LICENSE",
        cpe="cpe:2.3:a:libsodium:libsodium:1.0.22:*:*:*:*:*:*:*",
        debian="libsodium",
        suites=("sid",),
    ),
)
# Nowhere: what is compiled in must not name a folder that somebody could fill.
NOWHERE = "C:\\nonexistent\\pythemis" if MSVC else "/nonexistent/pythemis"
# Nothing may depend on when it is built: neither OpenSSL's build information nor Apple's archives.
NEVER = {"SOURCE_DATE_EPOCH": "0", "ZERO_AR_DATE": "1", "LC_ALL": "C"}
OPENSSL_OPTIONS = (
    f"--prefix={NOWHERE}",
    f"--openssldir={NOWHERE}",
    "--libdir=lib",
    # A private copy: it loads nothing, reads no configuration and has no parting words.
    *("no-shared", "no-module", "no-legacy", "no-engine", "no-dso", "no-autoload-config"),
    "no-atexit",  # a daemon thread may still be inside when the process ends
    # Nothing but libcrypto is wanted.
    *("no-apps", "no-docs", "no-tests", "no-ssl", "no-tls", "no-dtls", "no-quic", "no-ssl-trace"),
    # Algorithms and formats that Themis has no use for. scrypt and DES stay: keys in PEM come
    # encrypted with them. DSA, DH and the curves of Bernstein stay: such keys are refused by name.
    *("no-argon2", "no-aria", "no-bf", "no-blake2", "no-camellia", "no-cast", "no-chacha"),
    *("no-cmac", "no-cmp", "no-cms", "no-comp", "no-ct", "no-dgram"),
    *("no-ec2m", "no-gost", "no-http", "no-idea", "no-integrity-only-ciphers", "no-md4"),
    *("no-mdc2", "no-ml-dsa", "no-ml-kem", "no-ocb", "no-ocsp", "no-poly1305", "no-psk", "no-rc2"),
    *("no-rc4", "no-rfc3779", "no-rmd160", "no-seed", "no-siphash", "no-siv"),
    *("no-slh-dsa", "no-sm2", "no-sm3", "no-sm4", "no-sock", "no-srp", "no-srtp", "no-ts"),
    *("no-ui-console", "no-whirlpool"),
    # P-521 several times faster; needs a compiler that knows integers of 128 bits.
    *(() if MSVC or sys.maxsize < 2**32 else ("enable-ec_nistp_64_gcc_128",)),
)
# Other machines, by the beginning of their compilers' names, as OpenSSL calls them.
HOSTS = {"x86_64-w64-mingw32": "mingw64"}
SODIUM_OPTIONS = ("--disable-shared", "--enable-static", "--with-pic", f"--prefix={NOWHERE}")
CFLAGS = (
    *("-O2", "-fPIC", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"),
    *("-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"),
)


def main() -> None:
    """Build what is not there yet."""
    arguments = parse()
    if arguments.fetch_only:
        for source in SOURCES:
            print(fetch(source, arguments.archive))
        return
    need_tools(arguments.host)
    prefix: Path = arguments.prefix.resolve()
    plan = {
        "sources": [source._asdict() for source in SOURCES],
        "options": {"openssl": OPENSSL_OPTIONS, "libsodium": SODIUM_OPTIONS},
        "target": [platform.system(), platform.machine(), gnu_libc(), arguments.host],
        "compiler": compiler(arguments.host),
        "cflags": cflags(arguments.host),
    }
    manifest = prefix / "static-libs.json"
    text = json.dumps(plan, indent=2) + "\n"
    if manifest.exists() and manifest.read_text(encoding="utf-8") == text:
        return
    archives = [fetch(source, arguments.archive) for source in SOURCES]
    os.environ |= NEVER
    shutil.rmtree(prefix, ignore_errors=True)
    for folder in ("include", "lib", "licenses"):
        (prefix / folder).mkdir(parents=True)
    for source, archive in zip(SOURCES, archives, strict=True):
        with tempfile.TemporaryDirectory() as name:
            tree = unpack(source, archive, Path(name))
            build = build_openssl if source.file == OPENSSL.name else build_sodium
            build(tree, prefix, arguments.host)
            licence = prefix / "licenses" / source.title
            licence.mkdir()
            shutil.copy(tree / source.licence_file, licence)
    manifest.write_text(text, encoding="utf-8")  # last: it says that everything is there


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prefix", type=Path, default=PREFIX, help="where to put the result")
    parser.add_argument(
        "--archive",
        type=Path,
        action="append",
        default=[Path(p) for p in os.environ.get("PYTHEMIS_ARCHIVES", "").split(os.pathsep) if p],
        help="a source archive, or a folder with some; may be given several times",
    )
    parser.add_argument(
        "--host", default="", choices=("", *HOSTS), help="another machine, for whose compiler"
    )
    parser.add_argument(
        "--fetch-only", action="store_true", help="bring the archives to build/archives, no more"
    )
    return parser.parse_args()


# ---- Where the sources come from ----


def fetch(source: Source, places: list[Path]) -> Path:
    """Find or download the archive of a source; whatever has the right hash is it."""
    for place in [*places, DOWNLOADS]:
        candidates = sorted(place.glob("*.tar.gz")) if place.is_dir() else [place]
        for path in candidates:
            if path.is_file() and sha256(path) == source.sha256:
                return path
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    path = DOWNLOADS / f"{source.folder}.tar.gz"
    problems = []
    for bring in (from_upstream, from_debian):
        problem = bring(source, path)
        if problem is None and sha256(path) != source.sha256:
            path.unlink()
            problem = "what came has another SHA-256 than the one that is pinned"
        if problem is None:
            return path
        problems.append(problem)
    raise SystemExit(
        f"Cannot get {source.title} {source.version}: {'; '.join(problems)}. Bring {source.url} "
        f"(SHA-256 {source.sha256}) and name it with --archive or PYTHEMIS_ARCHIVES."
    )


def from_upstream(source: Source, path: Path) -> str | None:
    """Download from where upstream publishes it; say what went wrong."""
    part = path.with_suffix(".part")
    try:
        with urllib.request.urlopen(source.url, timeout=60) as answer, part.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"upstream: {error}"
    part.replace(path)
    return None


def from_debian(source: Source, path: Path) -> str | None:
    """Download Debian's original tarball through apt-get, from this machine's own mirror.

    apt runs with lists and sources of its own: nothing of the system's changes.
    """
    if not shutil.which("apt-get"):
        return "Debian: there is no apt-get here"
    mirror = debian_mirror()
    if mirror is None:
        return "Debian: apt-get here knows no mirror of it"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = private_apt(folder, mirror, source.suites)
        for command in (
            ["apt-get", "-qq", "update"],
            ["apt-get", "-qq", "--only-source", "--tar-only", "--download-only", "source"],
        ):
            if command[-1] == "source":
                command.append(f"{source.debian}={debian_version(source, environment)}")
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
        for found in folder.glob("*.orig.tar.gz"):
            shutil.move(found, path)
            return None
    said = done.stderr.strip().splitlines() or ["nothing came"]
    return f"Debian: {said[-1]}"


def private_apt(folder: Path, mirror: str, suites: tuple[str, ...]) -> dict[str, str]:
    """Make a configuration of apt that knows the sources of some suites and nothing else."""
    for name in ("state/lists/partial", "cache/archives/partial", "sources"):
        (folder / name).mkdir(parents=True)
    (folder / "sources" / "sources.sources").write_text(
        f"Types: deb-src\nURIs: {mirror}\nSuites: {' '.join(suites)}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    (folder / "apt.conf").write_text(
        f'Dir::State "{folder}/state";\nDir::Cache "{folder}/cache";\n'
        f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{folder}/sources";\n'
        'APT::Sandbox::User "root";\n'
    )
    return {**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C.UTF-8"}


def debian_mirror() -> str | None:
    """Return which mirror of Debian this machine's apt uses, if it is a Debian."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    mirrors = [line.rstrip("/") for line in answer.splitlines() if line.rstrip("/")]
    return next((m for m in mirrors if m.endswith("/debian")), None)


def debian_version(source: Source, environment: dict[str, str]) -> str:
    """Ask which of Debian's versions was made from a release."""
    command = ["apt-cache", "showsrc", "--only-source", source.debian]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    versions = [
        line.split()[1] for line in answer.stdout.splitlines() if line.startswith("Version:")
    ]
    return next((v for v in versions if v.startswith(f"{source.version}-")), source.version)


def unpack(source: Source, archive: Path, folder: Path) -> Path:
    """Unpack an archive and give its top folder."""
    with tarfile.open(archive) as file:
        if hasattr(tarfile, "data_filter"):
            file.extractall(folder, filter="data")
        else:  # early releases of Python 3.10; the hash has vouched for the archive
            file.extractall(folder)
    return folder / source.folder


def sha256(path: Path) -> str:
    """Hash a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# ---- How they are built ----


def need_tools(host: str) -> None:
    """Bring what the builds need, or end with one sentence that names it."""
    if MSVC:
        path = msvc_environment()["PATH"]
        lacking = [tool for tool in ("perl", "nasm") if not shutil.which(tool, path=path)]
        if lacking and platform.machine() != "ARM64":
            raise SystemExit(f"OpenSSL cannot be built without {' and '.join(lacking)}.")
        return
    wanted = {"gcc": ("gcc", "libc6-dev"), "make": ("make",), "perl": ("perl",)}
    if shutil.which(compiler(host)[0]):
        del wanted["gcc"]
    packages = [p for tool, names in wanted.items() if not shutil.which(tool) for p in names]
    if packages:
        from tools.setup.bootstrap import install_system_packages

        install_system_packages(packages)


def build_openssl(tree: Path, prefix: Path, host: str) -> None:
    """Build libcrypto and put it into the prefix."""
    if MSVC:
        arm = platform.machine() == "ARM64"
        target, assembly = ("VC-WIN64-ARM", ["no-asm"]) if arm else ("VC-WIN64A", [])
        environment = msvc_environment()
        run(["perl", "Configure", target, *OPENSSL_OPTIONS, *assembly], tree, environment)
        run(["nmake", "/nologo", "build_generated"], tree, environment)
        run(["nmake", "/nologo", "libcrypto.lib"], tree, environment)
    else:
        environment = {**os.environ, "CFLAGS": " ".join(cflags(host))}
        cross = []
        if host:
            environment.pop("CC", None)
            cross = [HOSTS[host], f"--cross-compile-prefix={host}-"]
        run(["./Configure", *cross, *OPENSSL_OPTIONS], tree, environment)
        run(["make", "-s", "build_generated"], tree, environment)
        run(["make", "-s", f"-j{os.cpu_count() or 1}", "libcrypto.a"], tree, environment)
    shutil.copytree(
        tree / "include" / "openssl",
        prefix / "include" / "openssl",
        ignore=shutil.ignore_patterns("*.in"),
    )
    shutil.copy(tree / ("libcrypto.lib" if MSVC else "libcrypto.a"), prefix / "lib")


def build_sodium(tree: Path, prefix: Path, host: str) -> None:
    """Build libsodium and put it into the prefix."""
    if MSVC:
        machine = "ARM64" if platform.machine() == "ARM64" else "x64"
        environment = msvc_environment()
        release = "vs2026" if environment.get("VISUALSTUDIOVERSION") == "18.0" else "vs2022"
        solution = tree / "builds" / "msvc" / release / "libsodium.sln"
        settings = ["/p:Configuration=StaticRelease", f"/p:Platform={machine}", "/nologo", "/m"]
        run(["msbuild", str(solution), *settings], tree, environment)
        [built] = (tree / "bin").rglob("libsodium.lib")
    else:
        environment = {**os.environ, "CFLAGS": " ".join(cflags(host))}
        asked = ["--quiet", "--disable-dependency-tracking", *SODIUM_OPTIONS]
        if host:
            environment.pop("CC", None)
            asked.append(f"--host={host}")
        run(["./configure", *asked], tree, environment)
        run(["make", "-s", f"-j{os.cpu_count() or 1}"], tree, environment)
        built = tree / "src" / "libsodium" / ".libs" / "libsodium.a"
    include = tree / "src" / "libsodium" / "include"
    shutil.copy(include / "sodium.h", prefix / "include")
    shutil.copytree(include / "sodium", prefix / "include" / "sodium")
    version = prefix / "include" / "sodium" / "version.h"
    if not version.exists():  # configure writes it; for MSVC it is at hand
        shutil.copy(tree / "builds" / "msvc" / "version.h", version)
    shutil.copy(built, prefix / "lib")


def gnu_libc() -> str:
    """Return the version of the GNU C library; of others only newer Pythons know."""
    name, version = platform.libc_ver()
    return version if name == "glibc" else ""


def compiler(host: str) -> list[str]:
    """Return the compiler for a machine, this one if it has no name."""
    return [f"{host}-gcc"] if host else os.environ.get("CC", "cc").split()


def cflags(host: str) -> tuple[str, ...]:
    """Return the flags for both libraries, with the hardening that this compiler has."""
    if MSVC:
        return ()
    if host:  # Windows looks after its stack itself; GCC 12 fails on that flag there
        return CFLAGS
    return (*CFLAGS, *(flag for flag in OPTIONAL_FLAGS if compiles_with(flag)))


def compiles_with(flag: str) -> bool:
    """Return whether the compiler takes a flag."""
    command = [*compiler(""), "-Werror", flag, "-x", "c", "-c", os.devnull, "-o", os.devnull]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def msvc_environment() -> dict[str, str]:
    """Ask Visual Studio for the environment that its tools want."""
    programs = os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")
    vswhere = Path(programs, "Microsoft Visual Studio", "Installer", "vswhere.exe")
    command = [str(vswhere), "-latest", "-products", "*", "-property", "installationPath"]
    home = subprocess.check_output(command, text=True).strip()
    machine = "arm64" if platform.machine() == "ARM64" else "x64"
    script = Path(home, "VC", "Auxiliary", "Build", "vcvarsall.bat")
    said = subprocess.check_output(f'"{script}" {machine} >nul && set', shell=True, text=True)
    environment = {
        name.upper(): value
        for name, _, value in (line.partition("=") for line in said.splitlines())
    }
    # Where the installers of the two put them; a running shell has not heard of it yet.
    programs = os.environ.get("PROGRAMFILES", r"C:\Program Files")
    folders = [r"C:\Strawberry\perl\bin", str(Path(programs, "NASM"))]
    environment["PATH"] = os.pathsep.join([*folders, environment["PATH"]])
    return environment


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a step of a build; show what it said only if it fails."""
    program = shutil.which(command[0], path=environment.get("PATH")) if MSVC else command[0]
    done = subprocess.run(
        [program or command[0], *command[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(done.stdout[-6000:], file=sys.stderr)
        raise SystemExit(f"{' '.join(command[:2])} left with {done.returncode}.")


if __name__ == "__main__":
    main()
