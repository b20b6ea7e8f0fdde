# SPDX-License-Identifier: Apache-2.0
"""Who may know whom: Python modules, _core, themis.h, themis/, soter/, OpenSSL and libsodium."""

import ast
import re

import pytest
from _project import ROOT

pytestmark = pytest.mark.no_c

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# A cryptosystem is what stands before the first underscore of its files' names.
MAY_USE = {"message": {"cell"}}
STANDARD_HEADERS = {
    *("assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdbool.h", "stddef.h", "stdint.h"),
    *("stdlib.h", "string.h"),
    *("sal.h", "intrin.h"),  # MSVC's, for must-use results and atomic exchange
}
# The files that ask the operating system for something, or are asked.
SYSTEM_HEADERS = {
    "soter/compiler.h": {"cpuid.h"},
    "soter/fork.c": {"pthread.h"},
    "soter/entropy.c": {"errno.h", "sys/random.h", "sys/syscall.h", "unistd.h"},
    "soter/threads.c": {"pthread.h", "stdatomic.h", "windows.h"},
}
# Names that belong to a compiler stand in soter/compiler.h alone; these tell systems apart.
COMPILERS = re.compile(r"\b__(?!linux__\b|APPLE__\b|cplusplus\b)\w+")


def types_asked_for_by_name(folder):
    """List every line on which a function, rather than its module, looks up a type of cffi."""
    asking = {"new", "from_buffer", "cast", "typeof", "sizeof", "new_allocator", "places"}
    return [
        f"{path.name}:{call.lineno}"
        for path in sorted(folder.glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.Lambda))
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and call.args
        if getattr(call.func, "attr", getattr(call.func, "id", None)) in asking
        if isinstance(call.args[0], (ast.Constant, ast.JoinedStr))
    ]


@pytest.mark.sources
def test_types_are_looked_up_before_threads_can():
    """No function asks cffi for a type by its name, but the one that modules call as they load."""
    folder = ROOT / "pythemis" / "_core"
    found = types_asked_for_by_name(folder)
    allowed = [
        f"boundary.py:{number}"
        for number, line in enumerate((folder / "boundary.py").read_text().splitlines(), 1)
        if line == '    kind = ffi.typeof(f"themis_{name} *[1]")'
    ]
    assert found == allowed
    assert len(allowed) == 1


@pytest.mark.parametrize(
    "line", ['ffi.new("int *")', 'ffi.from_buffer("int[]", b)', 'places("cell")', 'ffi.typeof("x")']
)
def test_a_type_that_a_function_asks_for_is_caught(tmp_path, line):
    """Each way to name a type is reported inside a function, and not outside."""
    (tmp_path / "a.py").write_text(f"x = {line}\ndef f():\n    return {line}\n")
    assert types_asked_for_by_name(tmp_path) == ["a.py:3"]


def wrong_includes(root):
    """List every #include that points up, or aside where it must not."""
    c_root = root / "src" / "themis_c"
    files = sorted([*c_root.rglob("*.c"), *c_root.rglob("*.h")])
    return [
        f"{name} includes {included}"
        for path in files
        for name in [path.relative_to(c_root).as_posix()]
        for included in INCLUDE.findall(path.read_text(encoding="utf-8"))
        if not may_include(name, included)
    ]


def may_include(name, included):
    """Tell whether a C file may include a header."""
    layer, _, file = name.rpartition("/")
    target, _, header = included.rpartition("/")
    if target == "openssl":
        return layer == "soter"
    if target == "sodium" or included == "sodium.h":
        return name == "soter/group.c"
    if target == "soter":
        return layer in ("soter", "themis", "testing")
    if included == "themis.h":
        return layer in ("themis", "testing")
    if target == "themis":
        own, other = (re.split(r"[_.]", text)[0] for text in (file, header))
        is_ours = own == other or other in MAY_USE.get(own, ())
        return layer == "testing" or (layer == "themis" and is_ours)
    if included in SYSTEM_HEADERS.get(name, ()):
        return True
    return target == "" and included in STANDARD_HEADERS


def words_of_compilers(root):
    """List every name of one compiler that stands where all of them read."""
    c_root = root / "src" / "themis_c"
    return [
        f"{name} says {word}"
        for path in sorted([*c_root.rglob("*.c"), *c_root.rglob("*.h")])
        for name in [path.relative_to(c_root).as_posix()]
        for word in COMPILERS.findall(path.read_text(encoding="utf-8"))
        if name != "soter/compiler.h"
    ]


def wrong_imports(root):
    """List every Python import inside the package that points up, or past _core."""
    package = root / "pythemis"
    return [
        f"{path.relative_to(package).as_posix()} imports {imported}"
        for path in sorted(package.rglob("*.py"))
        for imported in imports_within(path)
        if (imported == "_themis") != (path.parent.name == "_core")
    ]


def imports_within(path):
    """Give the names that a module imports from pythemis; from its siblings, if it is in _core."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for module in (alias.name.split(".") for alias in node.names):
                if module[0] == "pythemis" and len(module) > 1:
                    yield module[1]
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".")
            inside = parts[1:] if node.level == 0 else [part for part in parts if part]
            up = node.level - (path.parent.name == "_core")  # siblings in _core are one layer
            if up == 1 or parts[0] == "pythemis":
                yield from inside[:1] or (alias.name for alias in node.names)


@pytest.mark.sources
def test_c_files_know_only_what_lies_below_them():
    """Includes go from themis/ to soter/ to OpenSSL and libsodium, and never back or aside."""
    assert wrong_includes(ROOT) == []


@pytest.mark.sources
def test_compilers_are_told_apart_in_one_place():
    """No file but soter/compiler.h says what only some compilers know."""
    assert words_of_compilers(ROOT) == []


@pytest.mark.parametrize("word", ["__attribute__", "__builtin_expect", "__declspec", "__asm__"])
def test_a_word_of_one_compiler_is_caught(tmp_path, word):
    """Each kind of extension is reported, and only outside the place for it."""
    folder = tmp_path / "src" / "themis_c" / "soter"
    folder.mkdir(parents=True)
    for name in ("compiler.h", "hash.c"):
        (folder / name).write_text(f"#if defined(__linux__)\nint x = {word}(1);\n#endif\n")
    assert words_of_compilers(tmp_path) == [f"soter/hash.c says {word}"]


@pytest.mark.sources
def test_only_core_knows_the_compiled_module():
    """No module but _core imports _themis, and _core imports nothing else of the package."""
    assert wrong_imports(ROOT) == []


@pytest.mark.sources
def test_every_layer_is_there():
    """The scanners look at real files: each layer has some, and _core meets the compiled module."""
    assert list((ROOT / "src" / "themis_c" / "soter").glob("*.c"))
    assert list((ROOT / "src" / "themis_c" / "themis").glob("*.c"))
    for name in ("boundary", "cells", "comparators", "keys", "messages", "sessions"):
        path = ROOT / "pythemis" / "_core" / f"{name}.py"
        assert set(imports_within(path)) == {"_themis"}, name


@pytest.mark.parametrize(
    ("name", "included"),
    [
        ("themis/cell.c", "openssl/evp.h"),
        ("themis/comparator.c", "sodium.h"),
        ("soter/hash.c", "sodium.h"),
        ("soter/hash.c", "sodium/core.h"),
        ("soter/hash.c", "themis.h"),
        ("soter/hash.c", "sys/mman.h"),
        ("soter/hash.h", "themis/cell.h"),
        ("themis/cell.c", "themis/message.h"),
        ("themis/session.c", "themis/cell.h"),
        ("themis/cell.c", "Python.h"),
        ("testing/sessions.c", "openssl/evp.h"),
        ("themis/cell.c", "../soter/hash.h"),
        ("themis.h", "soter/status.h"),
    ],
)
def test_a_wrong_include_is_caught(tmp_path, name, included):
    """Each kind of include that the design rules out is reported."""
    path = tmp_path / "src" / "themis_c" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"#include <stddef.h>\n#  include <{included}>\n")
    assert wrong_includes(tmp_path) == [f"{name} includes {included}"]


@pytest.mark.parametrize(
    ("name", "included"),
    [
        ("soter/group.c", "sodium.h"),
        ("soter/hash.c", "openssl/evp.h"),
        ("themis/message.c", "themis/cell.h"),
        ("themis/cell_passphrase.c", "themis/cell.h"),
        ("themis/cell.c", "soter/aead.h"),
        ("themis/cell.c", "themis.h"),
    ],
)
def test_a_right_include_is_not_reported(tmp_path, name, included):
    """What the design allows is allowed."""
    path = tmp_path / "src" / "themis_c" / name
    path.parent.mkdir(parents=True)
    path.write_text(f'#include "{included}"\n')
    assert wrong_includes(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "statement", "imported"),
    [
        ("scell.py", "from pythemis._themis import lib", "_themis"),
        ("scell.py", "from ._themis import lib", "_themis"),
        ("scell.py", "from . import _themis", "_themis"),
        ("scell.py", "from pythemis import _themis", "_themis"),
        ("scell.py", "import pythemis._themis", "_themis"),
        ("scell.py", "def f():\n    from . import _themis", "_themis"),
        ("_core/cells.py", "from ..scell import SCellSeal", "scell"),
        ("_core/cells.py", "from .. import exception", "exception"),
        ("_core/cells.py", "from pythemis import exception", "exception"),
    ],
)
def test_a_wrong_import_is_caught(tmp_path, name, statement, imported):
    """Each way to import past _core, and to look up from it, is reported."""
    path = tmp_path / "pythemis" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"import os\n{statement}\n")
    assert wrong_imports(tmp_path) == [f"{name} imports {imported}"]
