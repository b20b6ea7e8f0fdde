# SPDX-License-Identifier: Apache-2.0
"""Who may know whom in Python: rooms, the keyring, the documented modules, _core, _themis."""

import ast
import re
import subprocess
import sys

import pytest

from support.project import ROOT

pytestmark = pytest.mark.no_c

PACKAGE = ROOT / "pythemis"
ROOMS = {"files", "fields", "columns", "kms"}
DOCUMENTED = {
    *("asession", "exception", "scell", "scomparator", "skeygen", "smessage", "ssession"),
    "stransport",
}
# From top to bottom. What is in one layer may import what is below it.
LAYERS = (
    {"__main__"},
    {"_cli"},
    {"_selftest"},
    ROOMS,
    {"__init__", "__version__"},  # the package, which loads what is asked for
    {"keyring", "_behind"},
    {"_atomic", "_sealed", "_values", "place", "_inspect"},
    {*DOCUMENTED, "_peers", "_compat", "_codes"},
    {"_core"},
    {"_hints", "_known_answers", "_themis", "_typing"},
)
NUMBERS = {name: number for number, names in enumerate(LAYERS) for name in names}
# Each of them is imported in one file, or in one folder, and nowhere else.
LIBRARIES = {
    "boto3": "kms/aws.py",
    "botocore": "kms/aws.py",  # of boto3
    "hvac": "kms/vault.py",
    "pkcs11": "kms/pkcs11.py",
    "fsspec": "files/fsspec.py",
    "sqlalchemy": "fields/sqlalchemy/",
    "django": "fields/django/",
    "cryptography": "fields/_sources.py",
    "pyarrow": "columns/arrow.py",
    "polars": "columns/polars.py",
    "pandas": "columns/pandas.py",
    "duckdb": "columns/duckdb.py",
    "pyspark": "columns/spark.py",
    "dask": "columns/dask.py",
}


def may_import(importer, imported):
    """Tell whether a module of the package, or a folder, may import another one."""
    if importer == imported or imported in ("_hints", "_typing"):
        return True
    if importer not in NUMBERS or imported not in NUMBERS:
        return False
    if imported == "_themis":
        return importer == "_core"
    above, below = NUMBERS[importer], NUMBERS[imported]
    return above < below or (above == below and importer in LAYERS[-3])


def modules(package):
    """Give each module of the package: its path inside, its own name, and what it imports."""
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        home = ["pythemis", *inside.parent.parts]
        yield inside.as_posix(), inside.with_suffix("").parts[0], list(imports(tree, home))


def imports(tree, home):
    """Give every import of a module in the folder ``home``, as lists of the names in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = home[: len(home) + 1 - node.level] if node.level else []
            base = [*base, *(node.module or "").split(".")] if node.module else base
            yield from ([*base, alias.name] for alias in node.names)


def wrong_imports(package):
    """List every import that points up, aside between rooms, past _core, or to a library."""
    return [
        f"{path} imports {'.'.join(names[1:2] if ours else names[:1])}"
        for path, own, found in modules(package)
        for names in found
        for ours in [names[0] == "pythemis"]
        if not (
            may_import(own, names[1] if len(names) > 1 else "__init__")
            if ours
            else is_library_of(path, names[0])
        )
    ]


def is_library_of(path, library):
    """Tell whether a module may import something from outside of the package."""
    if library in LIBRARIES:
        return path.startswith(LIBRARIES[library])
    return library in sys.stdlib_module_names or library == "typing_extensions"


def modules_in(names, known, importer):
    """List the modules that an import loads, but for folders of the importer on the way to it."""
    loaded = [".".join(names[1:end]) for end in range(2, len(names) + 1)]
    loaded = [name for name in loaded if name in known]
    return [name for name in loaded[:-1] if not importer.startswith(f"{name}.")] + loaded[-1:]


def circles(package):
    """List the modules that import each other, and those that import them, however late they do."""
    found = {
        path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): imported
        for path, _, imported in modules(package)
    }
    graph = {
        name: {known for names in imported for known in modules_in(names, found, name)}
        for name, imported in found.items()
    }
    left = {name: seen & (graph.keys() - {name}) for name, seen in graph.items()}
    while free := {name for name, seen in left.items() if not seen}:
        left = {name: seen - free for name, seen in left.items() if name not in free}
    return sorted(left)


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
    folder = PACKAGE / "_core"
    found = types_asked_for_by_name(folder)
    allowed = [
        f"owner.py:{number}"
        for number, line in enumerate((folder / "owner.py").read_text().splitlines(), 1)
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


@pytest.mark.sources
def test_modules_know_only_what_lies_below_them():
    """Imports point down; rooms do not know each other; only _core knows the compiled module."""
    assert wrong_imports(PACKAGE) == []


@pytest.mark.sources
def test_every_module_has_its_layer():
    """A module or a room that is added has to be given its place; the scanner meets real ones."""
    found = {own for _, own, _ in modules(PACKAGE)}
    assert found - NUMBERS.keys() == set()
    assert {*DOCUMENTED, "_core", "__init__"} <= found
    by_path = {
        path: {names[1] for names in seen if names[0] == "pythemis"}
        for path, _, seen in modules(PACKAGE)
    }
    assert "_themis" in by_path["_core/cells.py"]
    assert {"_core", "exception"} <= by_path["scell.py"]


@pytest.mark.sources
def test_no_modules_import_each_other():
    """What a module is made of can be read from the bottom up: there are no circles."""
    assert circles(PACKAGE) == []


@pytest.mark.parametrize("module", sorted(DOCUMENTED))
def test_a_documented_module_loads_nothing_above_it(module):
    """Importing one loads no room, no keyring, no self-test and no library."""
    program = f"import sys, pythemis.{module}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = [name.split(".") for name in done.stdout.split()]
    ours = {names[1] for names in loaded if names[0] == "pythemis" and len(names) > 1}
    assert ours <= {name for name, number in NUMBERS.items() if number >= NUMBERS[module]}
    assert {module, "_core"} <= ours
    assert not {names[0] for names in loaded} & LIBRARIES.keys()


@pytest.mark.parametrize(
    ("name", "statement", "imported"),
    [
        ("scell.py", "from pythemis._themis import lib", "_themis"),
        ("scell.py", "from ._themis import lib", "_themis"),
        ("scell.py", "from . import _themis", "_themis"),
        ("scell.py", "from pythemis import _themis", "_themis"),
        ("scell.py", "import pythemis._themis", "_themis"),
        ("scell.py", "def f():\n    from . import _themis", "_themis"),
        ("scell.py", "from . import files", "files"),
        ("scell.py", "from .keyring import SecretKey", "keyring"),
        ("_peers.py", "from .place import place", "place"),
        ("_core/cells.py", "from ..scell import SCellSeal", "scell"),
        ("_core/cells.py", "from .. import exception", "exception"),
        ("_core/cells.py", "from pythemis import exception", "exception"),
        ("_typing.py", "from . import _core", "_core"),
        ("place.py", "from . import keyring", "keyring"),
        ("_sealed.py", "from . import place", "place"),
        ("keyring.py", "from .files import open", "files"),
        ("files/__init__.py", "from .. import _themis", "_themis"),
        ("files/sealed.py", "from ..fields import codec", "fields"),
        ("fields/django/forms.py", "from ...columns import arrow", "columns"),
        ("files/sealed.py", "from pythemis import _cli", "_cli"),
        ("fields/codec.py", "import sqlalchemy.types", "sqlalchemy"),
        ("fields/sqlalchemy/x.py", "from django.db import models", "django"),
        ("kms/vault.py", "import boto3", "boto3"),
        ("skeygen.py", "import cryptography", "cryptography"),
        ("unheard_of.py", "from . import scell", "scell"),
    ],
)
def test_a_wrong_import_is_caught(tmp_path, name, statement, imported):
    """Each way to import up, aside, past _core, or from outside is reported."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"import os\n{statement}\n")
    assert wrong_imports(tmp_path) == [f"{name} imports {imported}"]


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("_core/cells.py", "from pythemis._themis import lib"),
        ("_core/cells.py", "from .errors import SUCCESS"),
        ("_core/cells.py", "from pythemis._hints import Buffer"),
        ("scell.py", "from ._core import errors"),
        ("asession.py", "from .ssession import SSession"),
        ("files/sealed.py", "from ..keyring import Keyring"),
        ("files/sealed.py", "from . import chunks"),
        ("fields/sqlalchemy/x.py", "import sqlalchemy"),
        ("fields/django/forms.py", "from django import forms"),
        ("keyring.py", "from . import _sealed, scell"),
        ("_cli/keys.py", "from ..kms import aws"),
    ],
)
def test_a_right_import_is_not_reported(tmp_path, name, statement):
    """What the design allows is allowed."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{statement}\n")
    assert wrong_imports(tmp_path) == []


def test_a_circle_is_caught(tmp_path):
    """Modules that import each other are named, also where an import hides in a function."""
    (tmp_path / "a.py").write_text("from .b import x\n")
    (tmp_path / "b.py").write_text("def f():\n    from . import a\n")
    (tmp_path / "c.py").write_text("from . import a\n")
    assert circles(tmp_path) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [("from .b import x", []), ("from . import b", []), ("from . import y", ["f", "f.a"])],
)
def test_a_folder_may_gather_its_modules(tmp_path, statement, found):
    """A module may import one beside it, but not what its folder made of its modules."""
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "__init__.py").write_text("from .a import y\n")
    (tmp_path / "f" / "a.py").write_text(f"{statement}\n")
    (tmp_path / "f" / "b.py").write_text("x = 1\n")
    assert circles(tmp_path) == found


def crossing(root):
    """List every test that imports another one, and every file that edits the path of imports."""
    files = [
        path
        for name in ("tests", "tools", "pythemis", "benchmarks", "examples", "docs")
        for path in sorted((root / name).rglob("*.py"))
        if "node_modules" not in path.parts
    ]
    imports = re.compile(r"^\s*(?:from|import) (?:[\w.]+\.)?test_\w+", re.MULTILINE)
    edits = re.compile(r"^\s*sys\.path\b", re.MULTILINE)
    return [
        f"{path.relative_to(root)}: {match[0].strip()}"
        for path in files
        for pattern in (imports, edits)
        for match in pattern.finditer(path.read_text("utf-8"))
    ]


@pytest.mark.sources
def test_no_test_imports_a_test_and_nothing_edits_the_path():
    """What tests share is in tests/support; Sphinx, models of users and benchmarks need folders."""
    assert crossing(ROOT) == [
        "pythemis/_cli/fields.py: sys.path",
        "benchmarks/everything.py: sys.path",
        "benchmarks/fields.py: sys.path",
        "docs/conf.py: sys.path",
    ]


@pytest.mark.parametrize(
    "line",
    ["from test_seal import KEY", "import cells.test_seal", "import sys\nsys.path.append('')"],
)
def test_a_test_that_imports_a_test_is_found(tmp_path, line):
    """The check finds what it forbids, in a program within a text as well."""
    (tmp_path / "tests" / "cells").mkdir(parents=True)
    (tmp_path / "tests" / "cells" / "test_x.py").write_text(line)
    assert len(crossing(tmp_path)) == 1
