# SPDX-License-Identifier: Apache-2.0
"""Build a wheel anew from its commit and compare the two, byte for byte.

    python -m tools.release.rebuild dist/pythemis-...whl --commit v1.2.3
    python -m tools.release.rebuild one.whl other.whl        # only compare

The commit is laid into a folder of its own, and its own tools build the libraries and the wheel
there; --static takes libraries that are built already. The linker's map is compared with the SBOM:
each archive that is linked is named there by its SHA-256, and no other. Needs the system and the
compiler that built the wheel: for wheels of a release, the image that cibuildwheel used.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SBOM = "/sboms/static-libraries.cdx.json"
# What a compiler adds to every module.
COMPILERS_OWN = re.compile(r"lib(gcc|gcc_eh|c_nonshared|pthread_nonshared|ssp_nonshared)\.a")


def main() -> None:
    """Say that two wheels are equal, or end with everything that differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("other", type=Path, nargs="?", help="compare with it; build nothing")
    parser.add_argument("--commit", default="HEAD", help="what the wheel was built from")
    parser.add_argument("--static", type=Path, help="a folder that static_libs.py made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = arguments.other or rebuild(arguments.commit, Path(folder), arguments.static)
        for wheel in (arguments.wheel, other):
            print(f"{sha256(wheel)}  {wheel.name}")
        found = list(differences(arguments.wheel, other))
    if found:
        raise SystemExit("\n".join(["The wheels differ:", *found]))
    print("The wheels are equal, byte for byte.")


def rebuild(commit: str, folder: Path, static: Path | None) -> Path:
    """Build the wheel of a commit in a folder, and compare what is linked with its SBOM."""
    tree, link_map = folder / "tree", folder / "link.map"
    (tree / "build").mkdir(parents=True)
    sources = ["git", "-c", "tar.umask=0022", "archive", commit]
    tar = subprocess.run(sources, cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", tree], input=tar, check=True)
    if static:
        (tree / "build" / "static").symlink_to(static.resolve())
    when = ["git", "log", "-1", "--format=%ct", commit]
    environment = {
        **os.environ,
        "SOURCE_DATE_EPOCH": subprocess.check_output(when, cwd=ROOT, text=True).strip(),
        "PYTHEMIS_ARCHIVES": os.environ.get("PYTHEMIS_ARCHIVES", str(ROOT / "build" / "archives")),
    }
    if sys.platform == "linux":
        environment["LDFLAGS"] = f"{os.environ.get('LDFLAGS', '')} -Wl,-Map={link_map}".strip()
    build = [sys.executable, "-m", "tools.release.build_wheel", "--inspect-only"]
    subprocess.run(build, cwd=tree, env=environment, check=True)
    [wheel] = (tree / "dist").glob("*.whl")
    if link_map.exists():
        wrong = list(unnamed(link_map.read_text(encoding="utf-8", errors="replace"), wheel))
        if wrong:
            raise SystemExit("\n".join(wrong))
        print("The SBOM names each archive that is linked, and no other.")
    return wheel


def sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---- What is linked ----


def unnamed(link_map: str, wheel: Path) -> Iterator[str]:
    """Say where a linker's map and the SBOM of a wheel disagree about static libraries."""
    with zipfile.ZipFile(wheel) as archive:
        name = next((name for name in archive.namelist() if name.endswith(SBOM)), None)
        sbom = json.loads(archive.read(name)) if name else {"components": []}
    named = {
        entry["content"]: part["name"]
        for part in sbom["components"]
        for entry in part.get("hashes", [])
    }
    for path in linked(link_map):
        if named.pop(sha256(path), None) is None:
            yield f"{path.name} is linked, and the SBOM does not name it."
    for part in named.values():
        yield f"The SBOM names an archive of {part} that is not linked."


def linked(link_map: str) -> list[Path]:
    """Return the archives that the linker took members from, without the compiler's own."""
    _, _, rest = link_map.partition("Archive member included to satisfy reference by file (symbol)")
    members = rest.lstrip("\n").partition("\n\n")[0]
    found = re.findall(r"^(\S.*\.a)\(\S+\)", members, re.MULTILINE)
    return sorted({Path(name) for name in found if not COMPILERS_OWN.fullmatch(Path(name).name)})


# ---- What differs ----


def differences(one: Path, other: Path) -> Iterator[str]:
    """Name what differs between two wheels; nothing if they are equal byte for byte."""
    if one.read_bytes() == other.read_bytes():
        return
    if one.name != other.name:
        yield f"the name: {one.name}, {other.name}"
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        names, others = first.namelist(), second.namelist()
        yield from (f"{name}: only in the first" for name in names if name not in others)
        yield from (f"{name}: only in the second" for name in others if name not in names)
        shared = [name for name in names if name in others]
        if shared != [name for name in others if name in names]:
            yield "the order of the files"
        found = [line for name in shared for line in of_member(first, second, name)]
    yield from found or ["only the archive itself, such as how it is compressed"]


def of_member(first: zipfile.ZipFile, second: zipfile.ZipFile, name: str) -> Iterator[str]:
    """Name what differs between the files of one name."""
    one, other = first.getinfo(name), second.getinfo(name)
    if one.date_time != other.date_time:
        yield f"{name}: the time: {one.date_time}, {other.date_time}"
    modes = one.external_attr >> 16, other.external_attr >> 16
    if modes[0] != modes[1]:
        yield f"{name}: the mode: {modes[0]:o}, {modes[1]:o}"
    old, new = first.read(name), second.read(name)
    if old != new:
        at = next((i for i, pair in enumerate(zip(old, new, strict=False)) if len({*pair}) > 1), 0)
        yield f"{name}: {len(old)} and {len(new)} bytes, different from offset {at}"


if __name__ == "__main__":
    main()
