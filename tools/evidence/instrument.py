# SPDX-License-Identifier: Apache-2.0
"""Make a copy of the project whose compiled module was built with instruments in it.

The copy has an interpreter of its own, which finds the copy and what .venv has installed, but not
pythemis in .venv: so every test, and every Python that a test starts, meets the instruments, and
the project's own module is left alone. For CPython on Linux.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from build_ffi import ABI3, C_ROOT, LIBRARIES, TESTING_FLAG, describe, library_flags
from tools.setup.bootstrap import ROOT

MADE = shutil.ignore_patterns(
    *(".git", ".venv", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info", "*.so", "build"),
    *("dist",),
)
SUFFIX = ".abi3.so" if ABI3 else sysconfig.get_config_var("EXT_SUFFIX")


class Copy(NamedTuple):
    """A copy of the project."""

    root: Path
    python: Path
    objects: list[Path]  # of the C core, without the module


def instrumented_copy(
    name: str, compiler: list[str], linking: list[str], runtime: str | None = None
) -> Copy:
    """Make the copy in build/NAME, compiling and linking as told.

    Its interpreter loads the runtime library of a sanitizer, which must come before all others.
    """
    folder = ROOT / "build" / name
    root = folder / "project"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT, root, ignore=what_is_made, symlinks=True)
    objects = compile_core(root, compiler)
    build_module(root, compiler, linking, objects)
    python = make_interpreter(folder, root)
    if runtime is not None:
        load_first(python, runtime)
    return Copy(root, python, objects)


def what_is_made(folder: str, names: list[str]) -> set[str]:
    """Return what need not be copied; packages of Node come as they are."""
    return set() if "node_modules" in Path(folder).parts else MADE(folder, names)


def compile_core(root: Path, compiler: list[str]) -> list[Path]:
    """Compile the C core, each file beside its source, in the copy."""
    flags = [TESTING_FLAG, *(flag for library in LIBRARIES for flag in library_flags(library)[0])]
    sources = sorted((root / C_ROOT).glob("*/*.c"))
    commands = [
        [*compiler, *flags, "-fPIC", f"-I{C_ROOT}", "-c", relative, "-o", f"{relative[:-2]}.o"]
        for relative in (str(source.relative_to(root)) for source in sources)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: run(command, root), commands))
    return [source.with_suffix(".o") for source in sources]


def build_module(root: Path, compiler: list[str], linking: list[str], objects: list[Path]) -> None:
    """Compile what cffi writes, without instruments of coverage, and link the module."""
    source = root / "build" / "_themis.c"
    source.parent.mkdir()
    with contextlib.redirect_stdout(None):  # it says what it does
        describe(hooks=True).emit_c_code(str(source))
    libraries = [flag for library in LIBRARIES for flag in library_flags(library)[1]]
    macros = [TESTING_FLAG, *(["-DPy_LIMITED_API=0x030A0000"] if ABI3 else [])]
    if "-fsanitize=thread" in linking:
        macros.append("-DTHEMIS_RELEASES")  # under the GIL there are no races
    run(
        [
            *(compiler[0], "-O1", "-g", "-fPIC", f"-I{C_ROOT}", *macros),
            *(f"-I{sysconfig.get_path('include')}", "-c", str(source)),
            *("-o", str(source.with_suffix(".o"))),
        ],
        root,
    )
    module = root / "pythemis" / f"_themis{SUFFIX}"
    made = [str(path) for path in (source.with_suffix(".o"), *objects)]
    run([compiler[0], "-shared", *linking, *made, *libraries, "-o", str(module)], root)


def make_interpreter(folder: Path, root: Path) -> Path:
    """Make a virtual environment that finds the copy, and what .venv has but for pythemis."""
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], root)
    python = folder / "venv" / "bin" / "python"
    # Folders that a .pth file names are not searched for .pth files, such as that of pythemis.
    paths = f"{root}\n{sysconfig.get_path('purelib')}\n"
    (packages_of(python) / "copy.pth").write_text(paths, encoding="utf-8")
    return python


def load_first(python: Path, runtime: str) -> None:
    """Let an interpreter load a library of gcc first, and nothing that it starts inherit that.

    A server or a compiler under a sanitizer may hang, or die of what is not our concern. Another
    Python, which goes through here as well, has it again, before what a test lets it load.
    """
    path = subprocess.check_output(["gcc", f"-print-file-name={runtime}"], text=True).strip()
    real = python.resolve()
    python.unlink()
    python.write_text(
        "#!/bin/bash\n"
        f'export LD_PRELOAD="{path}${{LD_PRELOAD:+:$LD_PRELOAD}}"\n'
        f'exec -a "$0" "{real}" "$@"\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    forget = "import os; os.environ.pop('LD_PRELOAD', None)\n"
    (packages_of(python) / "forget.pth").write_text(forget, encoding="utf-8")


def packages_of(python: Path) -> Path:
    """Return the folder where an interpreter has its packages."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([python, "-c", ask], text=True).strip())


def run(command: list[str], folder: Path) -> None:
    """Run a command that must succeed; it has said itself why it did not."""
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:
        raise SystemExit(f"this failed: {' '.join(command)}")
