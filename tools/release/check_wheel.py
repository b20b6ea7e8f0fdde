# SPDX-License-Identifier: Apache-2.0
"""Prove that a wheel carries everything, shows nothing, and works where nothing else is.

    python -m tools.release.check_wheel dist/pythemis-...whl [arguments for pytest]

What is inside is looked at first (on Linux also the compiled module itself: dependencies, exported
symbols, hardening). Then the wheel is installed into an empty virtual environment, and the tests
run against it from a folder that holds no source of the package. As root on Linux all this happens
on a /usr without any file for developing with OpenSSL or libsodium.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
SIZE_LIMIT = 5 * MIB
# The GNU C library of old was split in several; musl is one.
LIBC = re.compile(r"(lib(c|m|dl|pthread|rt)\.so\.\d|ld-linux[\w-]*\.so\.\d|libc\.musl-\w+\.so\.1)")
# What the tests need, beside the wheel; none of it is the package or a source of it.
TEST_FILES = (
    *("tests", "tools", "docs", "examples", "benchmarks"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("pyproject.toml", "build_ffi.py", "build_support"),  # for the tools
)
DEVELOPMENT_FILES = (
    *("include/openssl", "include/sodium*", "include/*/openssl"),
    *("lib/*/libcrypto.a", "lib/*/libcrypto.so", "lib/*/libsodium*", "lib/libsodium*"),
    *("lib*/pkgconfig/lib*", "lib/*/pkgconfig/lib*", "share/pkgconfig/lib*"),
)
INITS = ("PyInit__themis", "_cffi_pypyinit__themis")  # what CPython calls, and what PyPy
HOOKS = re.compile(b"themis_testing", re.IGNORECASE)  # cffi keeps the name of what it describes
HIDDEN = "PYTHEMIS_HIDDEN_ROOT"  # set within: the folder that the overlay is made in


def main() -> None:
    """Check a wheel; leave with the first thing that is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--inspect-only", action="store_true", help="do not install and test it")
    parser.add_argument("--no-cet", action="store_true", help="the archives are not marked for it")
    parser.add_argument("--no-inspect", action="store_true", help="do not look at what is in it")
    parser.add_argument("--no-hide", action="store_true", help="leave development files in sight")
    arguments, pytest_arguments = parser.parse_known_args()
    wheel: Path = arguments.wheel.resolve()
    if HIDDEN not in os.environ and not arguments.no_inspect:
        for line in inspect(wheel, cet=not arguments.no_cet):
            print(f"{wheel.name}: {line}")
    if arguments.inspect_only:
        return
    if not arguments.no_hide:
        if can_hide() and HIDDEN not in os.environ:
            sys.exit(run_again_hidden())
        hide_development_files()
    run_the_tests(wheel, pytest_arguments)


# ---- What is in it ----


def inspect(wheel: Path, *, cet: bool = True) -> Iterable[str]:
    """Say what was found right; end with what is wrong."""
    size = wheel.stat().st_size
    demand(size < SIZE_LIMIT, f"it has {size / MIB:.1f} MiB; {SIZE_LIMIT // MIB} are the limit")
    yield f"{size / MIB:.2f} MiB"
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        binaries = [name for name in names if re.search(r"\.(so|pyd|dylib|dll)(\.|$)", name)]
        demand(len(binaries) == 1, f"one binary is wanted, not {binaries}")
        module = Path(archive.extract(binaries[0], folder))
        demand(not HOOKS.search(module.read_bytes()), "it has the hooks for tests")
        yield "no hooks for tests"
        yield from inspect_sbom(archive)
        if module.read_bytes().startswith(b"\x7fELF"):
            yield from inspect_elf(module, cet=cet)


def inspect_sbom(archive: zipfile.ZipFile) -> Iterable[str]:
    """Check that the SBOM is there and names both libraries with versions, hashes and licences."""
    name = next((n for n in archive.namelist() if n.endswith("/static-libraries.cdx.json")), "")
    demand("/sboms/" in name, "it has no SBOM of static libraries")
    sbom: dict[str, Any] = json.loads(archive.read(name))
    parts = {part["name"]: part for part in sbom["components"]}
    demand(set(parts) == {"openssl", "libsodium"}, f"the SBOM names {sorted(parts)}")
    for part in parts.values():
        complete = re.fullmatch(r"\d+(\.\d+)+", part["version"]) and part.get("hashes")
        demand(bool(complete), f"the SBOM says too little about {part['name']}")
    yield "SBOM: " + ", ".join(f"{part['name']} {part['version']}" for part in parts.values())
    if any("externalReferences" in part for part in parts.values()):
        info = name.partition("/")[0]
        texts = {f"{info}/licenses/openssl/LICENSE.txt", f"{info}/licenses/libsodium/LICENSE"}
        demand(texts <= set(archive.namelist()), "a licence of a library inside is missing")
        yield "the licences of both are there"


def inspect_elf(path: Path, *, cet: bool = True) -> Iterable[str]:
    """Check what the loader, and whoever attacks, would see of a shared object."""
    from elftools.elf.elffile import ELFFile

    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = list(elf.get_section_by_name(".dynamic").iter_tags())
        needed = {tag.needed for tag in dynamic if tag.entry.d_tag == "DT_NEEDED"}
        foreign = sorted(name for name in needed if not LIBC.fullmatch(name))
        demand(not foreign, f"it depends on {foreign}")
        yield f"depends on {', '.join(sorted(needed))} only"

        symbols = list(elf.get_section_by_name(".dynsym").iter_symbols())
        exported = {symbol.name for symbol in symbols if is_exported(symbol)}
        demand(exported in [{init} for init in INITS], f"it exports {sorted(exported)}")
        yield f"exports {exported.pop()} only"

        imported = {symbol.name for symbol in symbols if symbol["st_shndx"] == "SHN_UNDEF"}
        yield "hardening: " + ", ".join(hardening(elf, dynamic, imported))
        if cet and elf.get_machine_arch() == "x64":
            demand(cet_of(elf) & 3 == 3, "CET (IBT and SHSTK) is not marked")
            yield "CET is marked"


def is_exported(symbol: Any) -> bool:
    """Return whether others could bind to a symbol."""
    info = symbol["st_info"]
    return symbol["st_shndx"] != "SHN_UNDEF" and info["bind"] in ("STB_GLOBAL", "STB_WEAK")


def hardening(elf: Any, dynamic: list[Any], imported: set[str]) -> Iterable[str]:
    """Name each hardening that is there; end with the first that is not."""
    tags = {tag.entry.d_tag: tag.entry.d_val for tag in dynamic}
    segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
    now = tags.get("DT_FLAGS", 0) & 8 or tags.get("DT_FLAGS_1", 0) & 1 or "DT_BIND_NOW" in tags
    stack = segments.get("PT_GNU_STACK")
    musl = any(tag.needed.startswith("libc.musl") for tag in dynamic if hasattr(tag, "needed"))
    for what, there in (
        ("RELRO", "PT_GNU_RELRO" in segments),
        ("bound at load", bool(now)),
        ("no executable stack", stack is not None and not stack["p_flags"] & 1),
        ("no writable code", not any(s["p_flags"] & 3 == 3 for s in segments.values())),
        ("no text relocations", "DT_TEXTREL" not in tags and not tags.get("DT_FLAGS", 0) & 4),
        ("no search path", not {"DT_RPATH", "DT_RUNPATH"} & set(tags)),
        ("stack protector", "__stack_chk_fail" in imported),
        # musl has no checking variants.
        ("FORTIFY", musl or any(re.fullmatch(r"__\w+_chk", name) for name in imported)),
    ):
        demand(there, f"{what}: missing")
        yield what


def cet_of(elf: Any) -> int:
    """Read which of x86's control flow protections a module is marked with."""
    section = elf.get_section_by_name(".note.gnu.property")
    for note in section.iter_notes() if section else ():
        for item in note["n_desc"] if note["n_type"] == "NT_GNU_PROPERTY_TYPE_0" else ():
            if item["pr_type"] == "GNU_PROPERTY_X86_FEATURE_1_AND":
                return int(item["pr_data"])
    return 0


# ---- Whether it works ----


def can_hide() -> bool:
    """Return whether a private /usr can be made."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        overlay = ["unshare", "--mount", "sh", "-ec", OVERLAY, "sh", folder]
        return subprocess.run(overlay, capture_output=True, check=False).returncode == 0


OVERLAY = """\
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/usr,upperdir=$1/upper,workdir=$1/work" /usr
"""


def run_again_hidden() -> int:
    """Run this very command where changes of /usr are seen by nobody else."""
    with tempfile.TemporaryDirectory() as folder:
        script = OVERLAY + 'shift; exec "$@"'
        command = ["unshare", "--mount", "sh", "-ec", script, "sh", folder, sys.executable]
        environment = {**os.environ, HIDDEN: folder}
        return subprocess.run([*command, *sys.argv], env=environment, check=False).returncode


def hide_development_files() -> None:
    """Remove the files for developing from the private /usr, and prove that they are gone."""
    if HIDDEN not in os.environ:
        print("Not on Linux, not root, or no overlay: development files stay where they are.")
        return
    for pattern in DEVELOPMENT_FILES:
        for path in Path("/usr").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    asked = "#include <openssl/evp.h>\n", "#include <sodium.h>\n"
    for source in asked if shutil.which("cc") else ():
        command = ["cc", "-x", "c", "-fsyntax-only", "-"]
        found = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
        demand(found.returncode != 0, f"{source.strip()} still finds its file")
    print("no development file of OpenSSL or libsodium is visible")


def run_the_tests(wheel: Path, pytest_arguments: list[str]) -> None:
    """Install the wheel far from the sources and run the tests against it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in TEST_FILES:
            copy(ROOT / file, folder / "project" / file)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHEMIS_")}
        environment |= {"PYTHEMIS_INSTALLED": "1", "PYTHONNOUSERSITE": "1"}
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
        subprocess.run([*pip, "--only-binary", ":all:", wheel], env=environment, check=True)
        came_from = subprocess.check_output(
            [python, "-I", "-c", "import pythemis; print(pythemis.__file__)"], text=True
        )
        demand(Path(came_from).is_relative_to(folder / "venv"), f"pythemis is from {came_from}")
        subprocess.run([*pip, "--group", "test-installed"], cwd=folder / "project", check=True)
        status = subprocess.run(
            [python, "-m", "pytest", "-p", "no:cacheprovider", *pytest_arguments],
            cwd=folder / "project",
            env=environment,
            check=False,
        ).returncode
    if status:
        raise SystemExit(f"The tests left with {status}.")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    print(f"{wheel.name} (SHA-256 {digest}) passes on {platform.platform()}, {sys.version}")


def copy(source: Path, to: Path) -> None:
    """Copy a file or a folder, without what was made in it."""
    if source.is_dir():
        made = shutil.ignore_patterns("__pycache__", "node_modules", ".*_cache")
        shutil.copytree(source, to, ignore=made)
    else:
        to.parent.mkdir(exist_ok=True)
        shutil.copy(source, to)


def demand(condition: bool, otherwise: str) -> None:
    """End with a sentence unless a condition holds."""
    if not condition:
        raise SystemExit(f"The wheel is not as it must be: {otherwise}.")


if __name__ == "__main__":
    main()
