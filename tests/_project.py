# SPDX-License-Identifier: Apache-2.0
"""The project's own files, for the tests that are about them."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".hypothesis",
    ".*_cache",
    "__pycache__",
    "*.egg-info",
    "*.so",
    "build",
    "dist",
    "node_modules",
)


def copy_project(to: Path) -> Path:
    """Copy the project without anything that was made in it."""
    return Path(shutil.copytree(ROOT, to, ignore=MADE))
