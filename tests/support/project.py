# SPDX-License-Identifier: Apache-2.0
"""The project's own files, for the tests that are about them."""

import ctypes
import functools
import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# tools/release/check_wheel.py runs the tests in a folder where only they are.
HAS_SOURCES = (ROOT / "setup.py").exists()
# The file of the round of evidence that runs now; what the tests start is not of this round.
FIGURES = os.environ.pop("EVIDENCE", None)
MADE = shutil.ignore_patterns(
    ".git",
    ".venv",
    ".hypothesis",
    ".*_cache",
    "__pycache__",
    "*.egg-info",
    "*.so",
    "*.o",  # which cffi on PyPy leaves beside the sources
    "build",
    "dist",
    "node_modules",
)


@functools.cache
def linked_statically():
    """Tell whether the compiled module has a libcrypto of its own, that nobody else sees."""
    from pythemis import _themis

    # Symbols are looked up in the module and then in what it is linked with.
    return not hasattr(ctypes.CDLL(_themis.__file__), "ERR_peek_error")


@functools.cache
def has_hooks():
    """Tell whether the compiled module was built with PYTHEMIS_TESTING=1, as `make` builds it."""
    from pythemis._themis import lib

    return hasattr(lib, "themis_testing_kdf")


def note_figures(counts):
    """Add figures to those of the round of evidence that runs now, if one does."""
    if FIGURES is None:
        return
    from tools.evidence import figures

    figures.note(counts, FIGURES)


def copy_project(to: Path) -> Path:
    """Copy the project without anything that was made in it."""
    return Path(shutil.copytree(ROOT, to, ignore=MADE))
