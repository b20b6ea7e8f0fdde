# SPDX-License-Identifier: Apache-2.0
"""Build the programs of tests/c around the C core."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import build_ffi
from build_ffi import LIBRARIES, TESTING_FLAG, library_flags

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "tests" / "c"
CORE = ROOT / "src" / "themis_c"
SHARED = (
    "calls",
    "generator",
    "memory",
    "operations",
    *(f"operations/{name}" for name in ("stage", "cells", "passphrases", "keys")),
    *(f"operations/{name}" for name in ("messages", "sessions", "comparator", "rings", "pieces")),
    "operations/columns",
    "operations/sealed",
    "operations/secrets",
    "random",
    "secrets",
)  # of the programs that inject


# What has no way to fail, or no answer that says so; and what has a fault of its own.
LEFT_ALONE = {
    "BIO_free",
    "BIO_s_mem",
    "BN_is_odd",
    "CRYPTO_memcmp",
    "ERR_peek_last_error",
    "ERR_pop_to_mark",
    "ERR_set_mark",
    "EVP_RAND_generate",
    "OBJ_obj2nid",
    "sodium_init",
}
# A wrapper keeps the arguments, asks calls_gate, and goes on to the real function or answers.
WRAPPERS = {
    "x86_64": """\
.globl __wrap_{name}
__wrap_{name}:
    push %rdi; push %rsi; push %rdx; push %rcx; push %r8; push %r9; push %rax
    mov ${index}, %edi
    call calls_gate@PLT
    test %eax, %eax
    pop %rax; pop %r9; pop %r8; pop %rcx; pop %rdx; pop %rsi; pop %rdi
    jne 1f
    jmp __real_{name}@PLT
1:  mov calls_answer@GOTPCREL(%rip), %rax
    mov (%rax), %rax
    ret
""",
    "aarch64": """\
.globl __wrap_{name}
__wrap_{name}:
    stp x29, x30, [sp, #-96]!
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, x7, [sp, #64]
    str x8, [sp, #80]
    mov w0, #{index}
    bl calls_gate
    mov w9, w0
    ldp x0, x1, [sp, #16]
    ldp x2, x3, [sp, #32]
    ldp x4, x5, [sp, #48]
    ldp x6, x7, [sp, #64]
    ldr x8, [sp, #80]
    ldp x29, x30, [sp], #96
    cbnz w9, 1f
    b __real_{name}
1:  adrp x9, :got:calls_answer
    ldr x9, [x9, :got_lo12:calls_answer]
    ldr x0, [x9]
    ret
""",
}


class Function(NamedTuple):
    """A function beneath the core, and what it answers when it fails."""

    name: str
    failure: int
    is_int: bool


def build(
    folder: Path,
    name: str,
    *parts: str,
    inject: bool = False,
    core: list[Path] | None = None,
    linking: tuple[str, ...] = (),
) -> Path:
    """Build tests/c/NAME.c with its parts around the core, compiled as for users with hooks.

    A core that was compiled otherwise comes as its object files, with what it is linked with.
    """
    if core is None:
        core = compile_all(folder / "core", sorted(CORE.glob("*/*.c")), core_flags())
    sources = [DRIVERS / f"{part}.c" for part in (name, *parts, *(SHARED if inject else ()))]
    options = list(linking)
    if inject or "generator" in parts:
        options.append("-Wl,--wrap=soter_entropy")
    if inject:
        by_hand = set(re.findall(r"^WRAP\w*\((\w+),", calls_source(), re.MULTILINE))
        functions = called_functions(core)
        generated = [function for function in functions if function.name not in by_hand]
        sources += write_wrappers(folder, generated)
        names = by_hand | {function.name for function in functions}
        options += [f"-Wl,--wrap={name}" for name in sorted(names)]
    objects = compile_all(folder / name, sources, driver_flags())
    program = folder / name / "program"
    # Bound at once, as the real module is: binding late puts registers on the stack.
    options += ["-rdynamic", "-Wl,-z,relro,-z,now", *flags()[1], "-ldl"]
    call(compiler(), "-o", program, *core, *objects, *options)
    return program


def compiler() -> str:
    """Return the C compiler."""
    return os.environ.get("CC", "cc")


def call(*command: str | Path) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, cwd=ROOT, check=True)


def flags() -> tuple[list[str], list[str]]:
    """Return the flags that compile and link against the libraries."""
    compiling, linking = [], []
    for library in LIBRARIES:
        of_library = library_flags(library)
        compiling += of_library[0]
        linking += of_library[1]
    return compiling, linking


def core_flags() -> list[str]:
    """Return the flags of the real build, and debug information."""
    return [*build_ffi._own_flags()[0], TESTING_FLAG, "-g", f"-I{CORE}", *flags()[0]]


def driver_flags() -> list[str]:
    """Return the flags of what stands around the core."""
    plain = ["-std=gnu11", "-O1", "-g", TESTING_FLAG]
    warnings = ["-Wall", "-Wextra", "-Wno-deprecated-declarations"]
    return [*plain, *warnings, f"-I{CORE}", f"-I{DRIVERS}", *flags()[0]]


def compile_all(folder: Path, sources: list[Path], compiling: list[str]) -> list[Path]:
    """Compile sources to objects in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in sources:
        made = folder / f"{source.parent.name}_{source.stem}{source.suffix}.o"
        call(compiler(), *compiling, "-c", "-o", made, source)
        objects.append(made)
    return objects


def calls_source() -> str:
    """Return the text of calls.c."""
    return (DRIVERS / "calls.c").read_text(encoding="utf-8")


def called_functions(core: list[Path]) -> list[Function]:
    """List what the core calls of its libraries and what can fail."""
    wanted, own = set(), set()
    for line in subprocess.check_output(["nm", *core], text=True).splitlines():
        *_, kind, name = ("", "", *line.split())
        if kind == "U":
            wanted.add(name)
        elif kind in "TDBRV":
            own.add(name)
    libraries = [ctypes.CDLL(path) for path in library_paths()]
    beneath = {
        name
        for name in wanted - own - LEFT_ALONE
        if any(hasattr(library, name) for library in libraries)
        and not hasattr(ctypes.CDLL("libc.so.6"), name)
    }
    declared = declarations()
    found = []
    for name in sorted(beneath):
        result = declared[name]
        if result in ("void", "OSSL_PARAM") or name.endswith("_it"):
            continue
        is_pointer = result.endswith("*")
        is_of_sodium = name.startswith(("crypto_", "sodium_"))
        failure = -1 if is_of_sodium and not is_pointer else 0
        found.append(Function(name, failure, not is_pointer and result != "size_t"))
    return found


def library_paths() -> list[str]:
    """Return the paths of the shared libraries."""
    return [
        subprocess.check_output(
            [compiler(), f"-print-file-name={library.name}.so"], text=True
        ).strip()
        for library in LIBRARIES
    ]


def declarations() -> dict[str, str]:
    """Return the type of what each function of the libraries answers, as the headers say."""
    included = set()
    for source in (*CORE.glob("*/*.c"), *CORE.glob("*/*.h")):
        text = source.read_text(encoding="utf-8")
        included |= set(re.findall(r"#include <(openssl/[\w.]+|sodium\.h)>", text))
    headers = "".join(f"#include <{name}>\n" for name in sorted(included))
    command = [compiler(), "-E", "-P", *flags()[0], "-x", "c", "-"]
    text = subprocess.check_output(command, input=headers, text=True)
    text = re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)", " ", text)
    found = {}
    for statement in re.split(r"[;{}]", text):
        match = re.match(r"\s*((?:\w+\s+|\*\s*)+?)(\w+)\s*\(", statement)
        if match:
            words = [word for word in match[1].split() if word not in ("extern", "const")]
            found[match[2]] = " ".join(words)
    return found


def write_wrappers(folder: Path, functions: list[Function]) -> list[Path]:
    """Write wrappers of functions, whose arguments they need not know."""
    wrapper = WRAPPERS.get(platform.machine())
    if wrapper is None:
        raise SystemExit(f"Nobody has written wrappers for {platform.machine()} yet.")
    rows = [
        f'    {{"{function.name}", {function.failure}, {str(function.is_int).lower()}}},\n'
        for function in functions
    ]
    table = folder / "wrapped.c"
    table.write_text(
        '#include "calls.h"\n\n'
        f"const struct calls_function calls_functions[] = {{\n{''.join(rows)}}};\n"
    )
    code = folder / "wrappers.S"
    code.write_text(
        "".join(
            wrapper.format(name=function.name, index=index)
            for index, function in enumerate(functions)
        )
        + '.section .note.GNU-stack,"",%progbits\n'
    )
    return [table, code]
