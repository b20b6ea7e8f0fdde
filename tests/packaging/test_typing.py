# SPDX-License-Identifier: Apache-2.0
"""What type checkers are told; `make lint` lets mypy and pyright judge it."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

import pythemis
from pythemis._themis import ffi, lib
from support.project import ROOT

STUB = ROOT / "pythemis" / "_themis.pyi"
USAGE = ROOT / "tests" / "packaging" / "typed_usage.py"
MODULES = [*pythemis.__all__, "stransport", "asession"]

pytestmark = [pytest.mark.no_c, pytest.mark.sources]


def declared():
    """Give what the stub says of lib: constants, and functions with the names of arguments."""
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    body = next(node for node in tree.body if getattr(node, "name", "") == "_Lib").body
    constants = {node.target.id for node in body if isinstance(node, ast.AnnAssign)}
    functions = {
        node.name: [argument.arg for argument in node.args.posonlyargs[1:]]
        for node in body
        if isinstance(node, ast.FunctionDef)
    }
    assert len(constants) + len(functions) == len(body)
    return constants, functions


@pytest.mark.hooks
def test_the_stub_has_what_the_compiled_module_has():
    """Constants, functions, and how many arguments they take."""
    constants, functions = declared()
    there = {name: getattr(lib, name) for name in dir(lib)}
    assert constants == {name for name, value in there.items() if isinstance(value, int)}
    assert {name: len(arguments) for name, arguments in functions.items()} == {
        name: len(ffi.typeof(value).args)
        for name, value in there.items()
        if not isinstance(value, int)
    }


def test_a_header_that_says_something_else_is_noticed(tmp_path):
    """`make lint` fails if the header has changed and the stub has not."""
    pytest.importorskip("pycparser", reason="PyPy's cffi does without it")
    for name in (
        "src/themis_c/themis.h",
        "build_ffi.py",
        "build_support/__init__.py",
        "build_support/short_calls.py",
        "tools/__init__.py",
        "tools/make_stub.py",
        "pythemis/_themis.pyi",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "tools.make_stub"]
    assert subprocess.run([*command, "--check"], cwd=tmp_path, check=False).returncode == 0
    header = tmp_path / "src" / "themis_c" / "themis.h"
    text = header.read_text(encoding="utf-8")
    header.write_text(text.replace("int themis_init(void);", "int themis_init(int how);"))
    ran = subprocess.run(
        [*command, "--check"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (ran.returncode, ran.stderr) == (
        1,
        "pythemis/_themis.pyi is not what themis.h says: run `make lint FIX=1`.\n",
    )
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    made = (tmp_path / "pythemis" / "_themis.pyi").read_text(encoding="utf-8")
    assert "def themis_init(self, how: int, /) -> int: ..." in made


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("float themis_new(void);", "float is not one of"),
        ("struct other { int a; }; int themis_new(struct other by_value);", "what is None?"),
        ("#define THEMIS_NEW (1 + 1)", "only #define of a number"),
        ("int themis_new;", "what is themis_new?"),
    ],
)
def test_what_the_stub_cannot_say_is_an_error(line, complaint):
    """Nothing that the header declares is left out in silence."""
    pytest.importorskip("pycparser", reason="PyPy's cffi does without it")
    from tools import make_stub

    with pytest.raises(make_stub.UnknownError, match=complaint.replace("?", r"\?")):
        make_stub.stub(line, "")


def test_the_package_says_that_it_is_typed():
    """PEP 561: without this file, checkers ignore the annotations of an installed package."""
    assert (ROOT / "pythemis" / "py.typed").is_file()


def public_names():
    """Give every public name of the documented modules, and the methods of their classes."""
    for module in MODULES:
        imported = importlib.import_module(f"pythemis.{module}")
        for name in imported.__all__:
            yield name
            value = getattr(imported, name)
            own = inspect.isclass(value) and value.__module__ == f"pythemis.{module}"
            if own and not issubclass(value, (BaseException, int, bytes)):
                yield from (method for method in vars(value) if not is_private(method))


def is_private(name):
    """Tell whether a name is private, or one that Python or Enum made."""
    return name.startswith("_") or name.isupper() or name[:3] in ("EC_", "RSA")


def test_every_public_name_is_in_the_typed_usage():
    """No class, function or method is forgotten in the file that the checkers read."""
    tree = ast.parse(USAGE.read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    wanted = set(public_names())
    assert len(wanted) > 80
    assert wanted - used == set()
