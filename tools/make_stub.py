# SPDX-License-Identifier: Apache-2.0
"""Write pythemis/_themis.pyi, the types of the compiled module, from src/themis_c/themis.h.

The stub is committed although it is generated: type checkers and editors need it in a checkout in
which nothing was built, and it goes into the sdist and the wheel as it is. `make lint` runs this
with --check, so it cannot drift.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

from pycparser import c_ast, c_parser

from build_ffi import CDEF, CDEF_TESTING, marked_block
from build_support import short_calls

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "pythemis" / "_themis.pyi"


HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Made by tools/make_stub.py from src/themis_c/themis.h: `make lint FIX=1`.
from typing import Final, TypeAlias, final

from _cffi_backend import FFI, _CDataBase

# Bytes that C reads, or writes into: `bytes` as they are, anything else as a view by cffi.
_Bytes: TypeAlias = bytes | _CDataBase
# Where cffi makes room for a result, and what C gives back.
_Pointer: TypeAlias = _CDataBase

class _FFI(FFI):
    # The texts of this header are all of `char`.
    def string(self, cdata: _CDataBase, maxlen: int = ...) -> bytes: ...

@final
class _Lib:
"""
HOOKS = "    # The hooks for tests, which builds with PYTHEMIS_TESTING=1 have and no release has.\n"
TAIL = "\nffi: _FFI\nlib: _Lib\n"
INTEGERS = ("int", "size_t", "uint32_t", "uint64_t")
BYTES = ("uint8_t", "char")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DEFINE = re.compile(r"^#define (\w+) +(?:0x[0-9A-F]+|\d+)[ \t]*$", re.MULTILINE)


class UnknownError(SystemExit):
    """The header has something that nobody told this tool about."""


class Parsed(NamedTuple):
    """What the marked block of the header declares, in its order."""

    constants: list[str]
    functions: list[str]


def main() -> None:
    """Write the stub; with --check, fail if the one that is there is another."""
    released = marked_block(CDEF)
    released += short_calls.prototypes(released)
    wanted = stub(released, marked_block(CDEF_TESTING))
    if "--check" not in sys.argv[1:]:
        STUB.write_text(wanted, encoding="utf-8")
    elif STUB.read_text(encoding="utf-8") != wanted:
        raise SystemExit(
            f"{STUB.relative_to(ROOT)} is not what themis.h says: run `make lint FIX=1`."
        )


def stub(released: str, hooks: str) -> str:
    """Return the text of the stub for both blocks of the header."""
    return HEAD + members(parse(released)) + HOOKS + members(parse(hooks, released)) + TAIL


def members(parsed: Parsed) -> str:
    """Return the lines of a class for what a block declares."""
    constants = "".join(f"    {name}: Final[int]\n" for name in parsed.constants)
    return constants + "".join(parsed.functions)


def parse(header: str, before: str = "") -> Parsed:
    """Read declarations as C; those before it may name types that it uses."""
    text = COMMENT.sub(" ", header)
    constants = DEFINE.findall(text)
    text = DEFINE.sub("", text)
    if "#" in text:
        raise UnknownError("themis.h: only #define of a number can stand between the markers.")
    opaque = re.findall(r"typedef struct \w+ \w+;", before)
    integers = [f"typedef int {name};" for name in (*INTEGERS[1:], "uint8_t")]
    known = "".join(f"{line}\n" for line in (*integers, *opaque))
    enumerated: list[str] = []
    functions: list[str] = []
    for node in c_parser.CParser().parse(known + text).ext[len(known.splitlines()) :]:
        kind = node.type
        if isinstance(kind, c_ast.Enum):
            enumerated += [item.name for item in kind.values.enumerators]
        elif isinstance(kind, c_ast.FuncDecl):
            functions.append(function(node.name, kind))
        elif not isinstance(node, c_ast.Typedef):
            raise UnknownError(f"themis.h: what is {node.name}?")
    return Parsed(enumerated + constants, functions)


def function(name: str, declared: c_ast.FuncDecl) -> str:
    """Return a prototype as a method."""
    parameters = [item for item in declared.args.params if not is_void(item.type)]
    written = ["self", *(f"{item.name}: {parameter_type(item.type)}" for item in parameters), "/"]
    result = "None" if is_void(declared.type) else result_type(declared.type)
    line = f"    def {name}({', '.join(written)}) -> {result}: ...\n"
    if len(line) <= 101:
        return line
    inside = "".join(f"        {item},\n" for item in written)
    return f"    def {name}(\n{inside}    ) -> {result}: ...\n"


def is_void(kind: c_ast.Node) -> bool:
    """Return whether this is `void` itself."""
    return isinstance(kind, c_ast.TypeDecl) and base_of(kind) == "void"


def parameter_type(kind: c_ast.Node) -> str:
    """Return the Python type of what goes in."""
    if isinstance(kind, c_ast.TypeDecl):
        return number(kind)
    to = getattr(kind, "type", None)  # of a pointer
    return "_Bytes" if isinstance(to, c_ast.TypeDecl) and base_of(to) in BYTES else "_Pointer"


def result_type(kind: c_ast.Node) -> str:
    """Return the Python type of what comes out."""
    return number(kind) if isinstance(kind, c_ast.TypeDecl) else "_Pointer"


def number(kind: c_ast.TypeDecl) -> str:
    """Return `int` for one of the known integers, `float` for a double."""
    if base_of(kind) == "double":
        return "float"
    if base_of(kind) not in INTEGERS:
        raise UnknownError(f"themis.h: {base_of(kind)} is not one of {', '.join(INTEGERS)}.")
    return "int"


def base_of(kind: c_ast.TypeDecl) -> str:
    """Return the name of a type without pointers."""
    return " ".join(kind.type.names)


if __name__ == "__main__":
    main()
