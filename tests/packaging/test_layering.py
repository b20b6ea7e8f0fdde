# SPDX-License-Identifier: Apache-2.0
"""Who may know whom in C: themis.h, themis/, soter/, OpenSSL and libsodium."""

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from support.project import ROOT

pytestmark = pytest.mark.no_c

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
# A cryptosystem is what stands before the first underscore of its files' names.
MAY_USE = {"column": {"cell", "ring"}, "message": {"cell"}, "ring": {"cell"}, "sealed": {"cell"}}
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
    "soter/guarded.c": {"io.h", "unistd.h"},
    "soter/locked.c": {"pthread.h", "sched.h", "stdatomic.h", "sys/mman.h", "sys/resource.h"},
    "soter/threads.c": {"pthread.h", "stdatomic.h", "windows.h"},
}
# What a C file defines for others: functions and variables, whose names begin as in its layer.
DEFINED = re.compile(
    r"^(?:[A-Za-z][\w *]*[ *\n])?((?:soter|themis)_\w+)(?:\([^;{}]*\)\n\{| = \{|;$)", re.MULTILINE
)
NOT_CODE = re.compile(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', re.DOTALL)
# Names that belong to a compiler stand in soter/compiler.h alone; these tell systems apart.
COMPILERS = re.compile(r"\b__(?!linux__\b|APPLE__\b|cplusplus\b)\w+")


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
        return name in ("soter/group.c", "soter/guarded.c")
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


def pair_of(path):
    """Name the pair of files that a C file belongs to: x.c, x.h and x_internal.h are x."""
    return path.with_suffix("").as_posix().removesuffix("_internal")


def arrows_of(root):
    """Map each pair of C files to the pairs that it includes, or whose names it uses."""
    c_root = root / "src" / "themis_c"
    arrows = defaultdict(set)
    code = {}
    for path in sorted([*c_root.rglob("*.c"), *c_root.rglob("*.h")]):
        name = pair_of(path.relative_to(c_root))
        text = path.read_text(encoding="utf-8")
        arrows[name] |= {
            pair_of(Path(included))
            for included in INCLUDE.findall(text)
            if included != "themis.h" and (c_root / included).exists()
        }
        if path.suffix == ".c":
            code[name] = NOT_CODE.sub(" ", text)
    owner = {word: name for name, text in code.items() for word in DEFINED.findall(text)}
    for name, text in code.items():
        arrows[name] |= {owner[word] for word in re.findall(r"\w+", text) if word in owner}
    return {name: known - {name} for name, known in arrows.items()}


def circles(arrows):
    """List the groups of pairs of which each reaches each (strongly connected components)."""
    reached = {name: set(known) for name, known in arrows.items()}
    for middle in arrows:
        for name in arrows:
            if middle in reached[name]:
                reached[name] |= reached[middle]
    found = {
        tuple(sorted(other for other in reached[name] if name in reached[other]))
        for name in arrows
        if name in reached[name]
    }
    return sorted(found)


# Where the status codes are listed, and how. The compiler and the import compare their numbers.
CODES = {
    "src/themis_c/themis.h": r"^ +THEMIS_([A-Z_]+) = \d+,?$",
    "src/themis_c/soter/status.h": r"^ +X\(([A-Z_]+), \d+, ",
    "pythemis/_codes.py": r"^    [A-Z_]+ = status_code\(\"([A-Z_]+)\"\)$",
}


def codes_of(root):
    """Map each file that lists the status codes to their names."""
    found = {}
    for name, line in CODES.items():
        text = (root / name).read_text(encoding="utf-8")
        if name.endswith("themis.h"):
            text = text.partition("enum {")[2].partition("};")[0]
        found[name] = set(re.findall(line, text, re.MULTILINE))
    return found


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


@pytest.mark.sources
def test_c_files_know_only_what_lies_below_them():
    """Includes go from themis/ to soter/ to OpenSSL and libsodium, and never back or aside."""
    assert wrong_includes(ROOT) == []


@pytest.mark.sources
def test_c_files_form_no_circle():
    """No pair of C files includes or uses, over however many others, what uses it."""
    assert circles(arrows_of(ROOT)) == []


@pytest.mark.sources
def test_every_name_of_the_core_has_an_owner():
    """The scanner finds the definition of each function that a header of the core declares."""
    c_root = ROOT / "src" / "themis_c"
    sources = "".join(path.read_text() for path in sorted(c_root.glob("*/*.c")))
    headers = "".join(path.read_text() for path in sorted(c_root.rglob("*.h")))
    declared = re.findall(
        r"^[A-Za-z][\w *\n]*[ *\n]((?:soter|themis)_\w+)\(", headers, re.MULTILINE
    )
    assert len(declared) > 250
    assert set(declared) - set(DEFINED.findall(sources)) == {"soter_rdrand_present"}  # inline


@pytest.mark.parametrize(
    ("headers", "sources", "found"),
    [
        ({"a": '#include "soter/b.h"', "b": '#include "soter/a.h"'}, {}, [("soter/a", "soter/b")]),
        (
            {"a": "void soter_a(void);\nvoid soter_b(void);"},
            {
                "a": "void soter_a(void)\n{\n    soter_b();\n}",
                "b": "void soter_b(void)\n{\n    soter_c();\n}",
                "c": "void soter_c(void)\n{\n    soter_a();\n}",
            },
            [("soter/a", "soter/b", "soter/c")],
        ),
        (
            {"a": "extern const struct soter_a soter_table;", "b_internal": '#include "soter/a.h"'},
            {"a": "int soter_a(void)\n{\n    return soter_b();\n}", "b": "int soter_b(void)\n{\n}"},
            [("soter/a", "soter/b")],
        ),
        (
            {},
            {
                "a": "const struct soter_x soter_table = {\n    soter_b,\n};",
                "b": "static int soter_b(void)\n{\n    return soter_table.x;\n}",
            },
            [("soter/a", "soter/b")],
        ),
        (
            {"a": "void soter_a(void);", "b": '#include "soter/a.h"'},
            {"a": "/* soter_b */\nvoid soter_a(void)\n{\n}", "b": "void soter_b(void)\n{\n}"},
            [],
        ),
    ],
    ids=["includes", "uses", "internal", "table", "none"],
)
def test_a_circle_is_caught(tmp_path, headers, sources, found):
    """Circles over includes, over functions and over variables are reported, and no others."""
    folder = tmp_path / "src" / "themis_c" / "soter"
    folder.mkdir(parents=True)
    for suffix, files in (("h", headers), ("c", sources)):
        for name, text in files.items():
            (folder / f"{name}.{suffix}").write_text(f"{text}\n")
    assert circles(arrows_of(tmp_path)) == found


@pytest.mark.sources
def test_status_codes_agree():
    """The public header, soter and Python list the same codes."""
    header, soter, python = codes_of(ROOT).values()
    assert len(header) == 13
    assert header == soter == python


@pytest.mark.sources
@pytest.mark.parametrize(
    ("name", "after", "planted"),
    [
        ("src/themis_c/themis.h", "THEMIS_ENGINE_FAIL = 18,", "\n    THEMIS_PLANTED = 99,"),
        ("src/themis_c/soter/status.h", "(X)", ' \\\n    X(PLANTED, 99, "planted")'),
        (
            "pythemis/_codes.py",
            ' = status_code("SUCCESS")',
            '\n    PLANTED = status_code("PLANTED")',
        ),
    ],
)
def test_a_code_in_one_list_alone_is_caught(tmp_path, name, after, planted):
    """A code that is added to one of the lists makes it another than the two others."""
    for file in CODES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    text = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(text.replace(after, f"{after}{planted}", 1), encoding="utf-8")
    found = codes_of(tmp_path)
    assert [file for file, codes in found.items() if "PLANTED" in codes] == [name]


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
def test_every_layer_is_there():
    """The scanners look at real files: each layer has some."""
    assert list((ROOT / "src" / "themis_c" / "soter").glob("*.c"))
    assert list((ROOT / "src" / "themis_c" / "themis").glob("*.c"))


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
