# SPDX-License-Identifier: Apache-2.0
"""Put into a wheel what its static libraries are: an SBOM (PEP 770) and their licences.

A wheel that is linked dynamically carries no library, so it gets neither.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from setuptools.command.bdist_wheel import bdist_wheel

from build_ffi import LIBRARIES, Library, archive_of, library_version, link_mode, static_prefix

LICENCES = {"libcrypto": "Apache-2.0", "libsodium": "ISC"}


class BdistWheelWithSbom(bdist_wheel):
    """bdist_wheel that says what it carries."""

    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        """Make the .dist-info folder, with an SBOM in it if the libraries are inside."""
        super().egg2dist(egginfo_path, distinfo_path)
        if link_mode() == "static":
            metadata = self.distribution.metadata
            add_sbom(Path(distinfo_path), str(metadata.get_name()), str(metadata.get_version()))

    def write_wheelfile(self, wheelfile_base: str, *arguments: str, **named: str) -> None:
        """Write the last file of the wheel; then give each a mode that no checkout decides."""
        super().write_wheelfile(wheelfile_base, *arguments, **named)
        for path in Path(wheelfile_base).parent.rglob("*"):
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def add_sbom(info: Path, name: str, version: str) -> None:
    """Write sboms/static-libraries.cdx.json, and the licences as far as they are at hand."""
    folder = info / "sboms"
    folder.mkdir()
    text = json.dumps(sbom(name, version), indent=2) + "\n"
    (folder / "static-libraries.cdx.json").write_text(text, encoding="utf-8")
    prefix = static_prefix()
    if prefix and (prefix / "licenses").is_dir():
        shutil.copytree(prefix / "licenses", info / "licenses", dirs_exist_ok=True)


def sbom(name: str, version: str) -> dict[str, Any]:
    """Describe the wheel in CycloneDX; nothing in it depends on when or where it is written."""
    components = [component(library) for library in LIBRARIES]
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
                "purl": purl,
            },
        },
        "components": components,
        "dependencies": [
            {"ref": purl, "dependsOn": [part["bom-ref"] for part in components]},
            *({"ref": part["bom-ref"]} for part in components),
        ],
    }


def component(library: Library) -> dict[str, Any]:
    """Describe one static library: its version, the archive linked in, and its source."""
    name = library.title.lower()
    source = pinned_source(library)
    version = source["version"] if source else library_version(library)
    made: dict[str, Any] = {
        "type": "library",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": LICENCES[library.name]}}],
        "purl": f"pkg:generic/{name}@{version}",
    }
    archive = archive_of(library)
    if archive and archive.is_file():
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        made["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if source:
        made["cpe"] = source["cpe"]
        made["externalReferences"] = [
            {
                "type": "source-distribution",
                "url": source["url"],
                "hashes": [{"alg": "SHA-256", "content": source["sha256"]}],
            }
        ]
    return {**made, "bom-ref": made["purl"]}


def pinned_source(library: Library) -> dict[str, str] | None:
    """Find what tools/release/static_libs.py noted about a library that it built."""
    prefix = static_prefix()
    if prefix is None or not (prefix / "static-libs.json").is_file():
        return None
    plan = json.loads((prefix / "static-libs.json").read_text(encoding="utf-8"))
    found = [source for source in plan["sources"] if source["file"] == library.name]
    return found[0] if found else None
