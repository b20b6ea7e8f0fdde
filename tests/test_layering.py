# SPDX-License-Identifier: Apache-2.0
"""Who may know whom in C: themis.h, themis/, soter/, OpenSSL and libsodium."""

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
