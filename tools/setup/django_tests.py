# SPDX-License-Identifier: Apache-2.0
"""Bring Django's own tests of its fields, which are in its source distribution alone."""

from __future__ import annotations

import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

from tools.setup.bootstrap import VENV, run

DJANGO_TESTS = VENV / "django-tests"


def main() -> None:
    """Unpack those of the version that is installed, into a folder with its name."""
    wanted = version("django")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--quiet", "--no-deps", "--no-binary", "django", "--dest", folder)
        run(VENV / "bin" / "python", "-m", "pip", "download", *options, f"django=={wanted}")
        [found] = Path(folder).glob("*.tar.gz")
        with tarfile.open(found) as archive:
            for member in archive.getmembers():
                parts = Path(member.name).parts[1:]
                content = archive.extractfile(member)
                if parts[:2] == ("tests", "model_fields") and content is not None:
                    path = DJANGO_TESTS.joinpath(wanted, *parts[1:])
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())


if __name__ == "__main__":
    main()
