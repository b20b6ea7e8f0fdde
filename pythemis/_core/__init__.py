# SPDX-License-Identifier: Apache-2.0
"""The only part of the package that touches the compiled module; nothing in here is public.

All cryptosystems share `errors`, `buffers` and `owner` (of handles); each has a module of its own.
"""

try:
    import pythemis._themis  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "pythemis._themis":
        raise
    from pathlib import Path

    package = Path(__file__).parent.parent
    archive = next((parent for parent in package.parents if parent.is_file()), None)
    if archive:
        problem = (
            f"{archive} is an archive, and Python loads no compiled module from one: install "
            "pythemis into a folder (python -m pip install --target FOLDER), or unpack the archive"
        )
    elif (package.parent / "build_ffi.py").exists():
        # The usual case: pythemis is installed, and Python starts in the folder of the sources.
        problem = (
            f"{package} holds the sources of pythemis, not compiled, and Python finds them before "
            "the pythemis that is installed. Start Python in another folder; or build pythemis "
            "here, as `make demo` does"
        )
    else:
        problem = f"the compiled module is missing from {package}: install pythemis again"
    raise ImportError(problem, name=error.name) from None

from . import start

start.start()
