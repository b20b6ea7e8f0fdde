# SPDX-License-Identifier: Apache-2.0
"""Judge what is about to be published: `make release TAG=v1.2.3`, with the files in dist/.

The tag, pyproject.toml, CHANGELOG.md and every file must be of one version, and there must be the
sdist and a wheel for each platform, no more and no less. People must be told where the project is,
and where to report weaknesses. The SBOMs of the wheels are copied to
build/sboms, for those who want to read them without a wheel.
"""

from __future__ import annotations

import argparse
import re
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SBOM = re.compile(r"[^/]+\.dist-info/sboms/[^/]+\.cdx\.json")
ADDRESS = re.compile(r'^ADDRESS = "(https://[^"]+)"$', re.MULTILINE)
PYTHONS = ("cp310-abi3", "cp314-cp314t")
PLATFORMS = (
    *("manylinux_2_[0-9]+_x86_64", "manylinux_2_[0-9]+_aarch64"),
    *("musllinux_1_2_x86_64", "musllinux_1_2_aarch64"),
    *("macosx_[0-9]+_[0-9]+_x86_64", "macosx_[0-9]+_[0-9]+_arm64"),
    *("win_amd64", "win_arm64"),
)


def main() -> None:
    """Check, copy the SBOMs, or end with everything that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tag")
    parser.add_argument("--root", type=Path, default=ROOT)
    arguments = parser.parse_args()
    wrong = problems(arguments.root, arguments.tag)
    if wrong:
        raise SystemExit("\n".join(wrong))
    copied = copy_sboms(arguments.root / "dist", arguments.root / "build" / "sboms")
    print(f"{arguments.tag}: the sdist and {copied} wheels are as they must be.")


def problems(root: Path, tag: str) -> list[str]:
    """List what is wrong."""
    version = version_of(root)
    wrong = []
    if tag != f"v{version}":
        wrong.append(f"The tag is {tag}, and pyproject.toml says {version}.")
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"\n## [{version}]" not in changes:
        wrong.append(f"CHANGELOG.md has nothing about {version}.")
    address = ADDRESS.search((root / "build_support" / "project.py").read_text(encoding="utf-8"))
    if not address:
        wrong.append("build_support/project.py has no ADDRESS: nothing says where the project is.")
    elif address[1] not in (root / "SECURITY.md").read_text(encoding="utf-8"):
        wrong.append("SECURITY.md has another address: run python -m build_support.project.")
    names = {path.name for path in (root / "dist").glob("*")}
    for pattern in expected(version):
        found = {name for name in names if re.fullmatch(pattern, name)}
        if len(found) != 1:
            wrong.append(f"There are {len(found)} files, not 1, called {pattern}.")
        names -= found
    wrong += [f"What is {name} for?" for name in sorted(names)]
    wheels = sorted((root / "dist").glob("*.whl"))
    return wrong + [f"{wheel.name} has no SBOM." for wheel in wheels if not sboms(wheel)]


def version_of(root: Path) -> str:
    """Read the version of the project."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise SystemExit("pyproject.toml has no version.")
    return found[1]


def expected(version: str) -> list[str]:
    """Return patterns of all names that there must be."""
    stem = re.escape(f"pythemis-{version}")
    wheels = [
        rf"{stem}-{python}-(\w+\.)*{platform}\.whl" for python in PYTHONS for platform in PLATFORMS
    ]
    return [rf"{stem}\.tar\.gz", *wheels]


def sboms(wheel: Path) -> dict[str, bytes]:
    """Return the SBOMs of a wheel by the name of their file."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if SBOM.fullmatch(name)]
        return {name.rpartition("/")[2]: archive.read(name) for name in names}


def copy_sboms(wheels: Path, to: Path) -> int:
    """Copy every SBOM under a name that begins with its wheel's; give the number of wheels."""
    to.mkdir(parents=True, exist_ok=True)
    found = sorted(wheels.glob("*.whl"))
    for wheel in found:
        for name, content in sboms(wheel).items():
            (to / f"{wheel.stem}.{name}").write_bytes(content)
    return len(found)


if __name__ == "__main__":
    main()
