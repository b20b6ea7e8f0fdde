# SPDX-License-Identifier: Apache-2.0
"""The wheel that carries OpenSSL and libsodium: what is in it, and how that is proved."""

import hashlib
import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.project import ROOT

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.sources,
    pytest.mark.slow,
    pytest.mark.evidence,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere cibuildwheel looks at wheels"),
]

CHECK = ("-m", "tools.release.check_wheel")
PREFIX = ROOT / "build" / "static"  # of `make wheel`; without it the system's archives must do
BUILT_HERE = (PREFIX / "static-libs.json").exists()
C_LIBRARY = {"-ldl", "-lm", "-lpthread"}
STATIC = {"PYTHEMIS_LINK": "static", **({"PYTHEMIS_STATIC_PREFIX": PREFIX} if BUILT_HERE else {})}


def build_wheel(folder, **environment):
    """Build a wheel with the tools of this environment."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHEMIS_")}
    subprocess.run(command, env={**kept, **environment}, check=True, stdout=subprocess.DEVNULL)
    [wheel] = folder.glob("*.whl")
    return wheel


def need_archives():
    """Skip where the system's archive of OpenSSL wants more than the C library, as Debian 13's."""
    asked = ["pkg-config", "--static", "--libs-only-l", "libcrypto"]
    if BUILT_HERE or os.environ.get("CI") == "true":
        return
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    more = sorted({*said} - C_LIBRARY - {"-lcrypto"})
    if more:
        pytest.skip(
            f"libcrypto.a wants {' '.join(more)} here: `make wheel` builds one that does not"
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel with everything in it."""
    need_archives()
    return build_wheel(tmp_path_factory.mktemp("static"), **STATIC)


@pytest.fixture(scope="module")
def sbom(wheel):
    """Give the text of the SBOM."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if "/sboms/" in name]
        assert name.partition("/")[0].endswith(".dist-info")
        return archive.read(name).decode()


def check(wheel, *arguments):
    """Let the tool judge a wheel: its status and what it says."""
    marked = [] if BUILT_HERE else ["--no-cet"]
    command = [sys.executable, *CHECK, wheel, *marked, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_wheel_is_as_it_must_be(wheel):
    """The wheel depends on the C library alone, shows one symbol and is hardened."""
    status, said = check(wheel, "--inspect-only")
    assert status == 0, said
    init = "_cffi_pypyinit_" if sys.implementation.name == "pypy" else "PyInit_"
    assert f"exports {init}_themis only" in said
    assert "no hooks for tests" in said


def test_the_installed_wheel_passes_tests_of_its_neighbours(wheel):
    """Far from sources and development files the wheel works beside ssl and cryptography.

    Its libcrypto is its own, so prepared keys are in locked memory.
    """
    pytest.importorskip("cryptography")
    names = [
        "tests/robustness/test_wheel_neighbours.py",
        "tests/robustness/test_openssl_neighbours.py",
        "tests/keyring/test_prepared_memory.py",
    ]
    status, said = check(wheel, "--no-inspect", "-q", *names)
    assert status == 0, said
    assert "passes on" in said


def test_the_sbom_is_valid(sbom):
    """The SBOM is CycloneDX 1.6, strictly."""
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(sbom) is None
    damaged = sbom.replace('"SHA-256"', '"SHA-257"')
    assert validator.validate_str(damaged) is not None


def test_the_sbom_says_what_is_inside(sbom, monkeypatch):
    """Versions are those of the headers, hashes those of the archives that were linked."""
    for name, value in STATIC.items():
        monkeypatch.setenv(name, str(value))
    import build_ffi

    parts = {part["name"]: part for part in json.loads(sbom)["components"]}
    for library, header, macro in (
        (build_ffi.OPENSSL, "openssl/opensslv.h", "OPENSSL_VERSION_STR"),
        (build_ffi.SODIUM, "sodium.h", "SODIUM_VERSION_STRING"),
    ):
        compiling, _ = build_ffi.library_flags(library)
        part = parts[library.title.lower()]
        assert part["version"] == macro_value(header, macro, compiling)
        linked = hashlib.sha256(build_ffi.archive_of(library).read_bytes()).hexdigest()
        assert part["hashes"] == [{"alg": "SHA-256", "content": linked}]


def macro_value(header, macro, compiling):
    """Ask the preprocessor what a macro is."""
    command = [os.environ.get("CC", "cc"), *compiling, "-E", "-P", "-x", "c", "-"]
    source = f"#include <{header}>\n{macro}\n"
    said = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    return said.stdout.strip().splitlines()[-1].strip('"')


def test_a_wheel_without_an_sbom_is_refused(wheel, tmp_path):
    """Who carries libraries must say which."""
    bare = tmp_path / wheel.name
    packed = zipfile.ZIP_DEFLATED  # or it is too large, and refused for that
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(bare, "w", packed) as new:
        for name in old.namelist():
            if "/sboms/" not in name:
                new.writestr(name, old.read(name))
    assert "it has no SBOM" in check(bare, "--inspect-only")[1]


def test_building_in_another_way_builds_anew(tmp_path):
    """In one build folder, ways of linking and hooks follow each other without a leftover."""
    need_archives()

    def built(**environment):
        folders = ["--build-temp", tmp_path / "temp", "--build-lib", tmp_path / "lib"]
        command = [sys.executable, "setup.py", "--quiet", "build_ext", *folders]
        kept = {name: v for name, v in os.environ.items() if not name.startswith("PYTHEMIS_")}
        subprocess.run(command, cwd=ROOT, env={**kept, **environment}, check=True)
        [module] = (tmp_path / "lib").rglob("_themis*.so")
        code = module.read_bytes()
        return b"libcrypto.so" in code, b"themis_testing" in code, module.stat().st_mtime_ns

    assert built()[:2] == (True, False)
    assert built(PYTHEMIS_TESTING="1")[:2] == (True, True)
    *found, when = built(**STATIC)
    assert found == [False, False]
    assert built(**STATIC) == (False, False, when)  # and the same way does not


# ---- The judge is judged, on small modules that each lack one thing ----

MODULE = """\
#include <stdio.h>
#include <string.h>
__attribute__((visibility("default"))) void *PyInit__themis(char *in);
void *PyInit__themis(char *in)
{
    char text[64];
    strcpy(text, in);
    puts(text);
    return 0;
}
"""
GOOD = {
    "shared": "-shared -fPIC",
    "hidden": "-fvisibility=hidden",
    "protector": "-fstack-protector-strong",
    "fortify": "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2",
    "relro": "-Wl,-z,relro",
    "now": "-Wl,-z,now",
}
LACKS = {
    "hooks": ({"hooks": "-Wl,-soname,themis_testing_kdf"}, "it has the hooks for tests"),
    "exports": ({"hidden": "-fvisibility=default -Dextra=1"}, "it exports ['PyInit__themis', "),
    "protector": ({"protector": "-fno-stack-protector"}, "stack protector: missing"),
    "fortify": ({"fortify": "-O2 -U_FORTIFY_SOURCE"}, "FORTIFY: missing"),
    "relro": ({"relro": "-Wl,-z,norelro"}, "RELRO: missing"),
    "now": ({"now": "-Wl,-z,lazy"}, "bound at load: missing"),
    "stack": ({"stack": "-Wl,-z,execstack"}, "no executable stack: missing"),
    "path": ({"path": "-Wl,-rpath,/somewhere"}, "no search path: missing"),
    "library": ({"library": "-Wl,--no-as-needed -lcrypto"}, "it depends on ['libcrypto.so"),
}


@pytest.fixture
def made_up_wheel(tmp_path, wheel):
    """Make wheels that have everything of the real one but for the module."""

    def make(**flags):
        source, module, made = (tmp_path / name for name in ("module.c", "module.so", wheel.name))
        extra = "int extra_symbol(void);\nint extra_symbol(void) { return 1; }\n"
        source.write_text(MODULE + (extra if "-Dextra=1" in flags.get("hidden", "") else ""))
        options = " ".join({**GOOD, **flags}.values()).split()
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-w", "-o", module, source, *options], check=True)
        with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(made, "w") as new:
            for name in old.namelist():
                new.writestr(name, module.read_bytes() if ".so" in name else old.read(name))
        return made

    return make


def test_a_small_module_that_has_everything_is_taken(made_up_wheel):
    """The judge takes the module that those below are made from."""
    status, said = check(made_up_wheel(), "--inspect-only", "--no-cet")
    assert status == 0, said


@pytest.mark.parametrize("what", LACKS)
def test_what_is_missing_is_named(made_up_wheel, what):
    """Each thing that a module lacks is found, and said."""
    flags, sentence = LACKS[what]
    status, said = check(made_up_wheel(**flags), "--inspect-only", "--no-cet")
    assert status == 1
    assert sentence in said


def test_a_missing_cet_mark_is_named(made_up_wheel):
    """On x86 a module without marked targets is refused where they are wanted."""
    if os.uname().machine != "x86_64":
        pytest.skip("only x86 has CET")
    made = made_up_wheel(cet="-fcf-protection=none")
    done = subprocess.run(
        [sys.executable, *CHECK, "--inspect-only", made],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CET (IBT and SHSTK) is not marked" in done.stderr


def test_a_fat_wheel_is_refused(wheel, tmp_path):
    """5 MiB are the limit."""
    fat = tmp_path / wheel.name
    fat.write_bytes(wheel.read_bytes() + bytes(5 << 20))
    assert "5 are the limit" in check(fat, "--inspect-only")[1]


# ---- Where the libraries come from ----


@pytest.fixture
def static_libs(monkeypatch, tmp_path):
    """Give the tool, with an archive of our own pinned and no way to any other."""
    from tools.release import static_libs

    archive = tmp_path / "any name.tar.gz"
    archive.write_bytes(b"an archive")
    pin = hashlib.sha256(b"an archive").hexdigest()
    source = static_libs.SOURCES[0]._replace(sha256=pin)
    monkeypatch.setattr(static_libs, "DOWNLOADS", tmp_path / "downloads")
    for name in ("from_upstream", "from_debian"):
        monkeypatch.setattr(static_libs, name, lambda *_: "no way")
    return static_libs, source, archive


def test_the_hash_decides_which_archive_it_is(static_libs):
    """An archive is taken by what is in it, named itself or in a folder."""
    tool, source, archive = static_libs
    assert tool.fetch(source, [archive]) == archive
    assert tool.fetch(source, [archive.parent]) == archive


def test_another_archive_is_not_taken(static_libs, monkeypatch):
    """One changed byte and the archive is refused, wherever it came from, and does not stay."""
    tool, source, archive = static_libs
    archive.write_bytes(b"an archivf")
    monkeypatch.setattr(tool, "from_upstream", lambda _, path: path.write_bytes(b"evil") and None)
    with pytest.raises(SystemExit, match=r"another SHA-256 than the one that is pinned.*no way"):
        tool.fetch(source, [archive, archive.parent])
    assert list(tool.DOWNLOADS.iterdir()) == []


def test_every_source_is_pinned():
    """Both libraries have a hash, and a URL with their version."""
    from tools.release import static_libs

    for source in static_libs.SOURCES:
        assert len(bytes.fromhex(source.sha256)) == 32
        assert source.url.startswith("https://")
        assert source.version in source.url


# ---- Where wheels are built for others ----

LINUX = ("x86_64", "aarch64")
PLATFORMS = {
    "linux": ("x86_64,aarch64", {f"{c}linux_{p}" for c in ("many", "musl") for p in LINUX}),
    "macos": ("x86_64,arm64", {"macosx_x86_64", "macosx_arm64"}),
    "windows": ("AMD64,ARM64", {"win_amd64", "win_arm64"}),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_cibuildwheel_understands_its_configuration(platform):
    """Each platform gets the oldest CPython, the newest, the free-threaded one, and no more."""
    pytest.importorskip("cibuildwheel", reason="needs Python 3.11")
    archs, tags = PLATFORMS[platform]
    command = [sys.executable, "-m", "cibuildwheel", "--platform", platform, "--archs", archs]
    said = subprocess.check_output(
        [*command, "--print-build-identifiers"], cwd=Path(ROOT), text=True
    ).split()
    pythons = ("cp310", "cp314", "cp314t")
    assert sorted(said) == sorted(f"{python}-{tag}" for python in pythons for tag in tags)


def test_cibuildwheel_tests_with_the_files_of_make_wheel():
    """Both prove a wheel with the same files, which exist; so do the tools that are called."""
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = tomllib.loads(text)["tool"]["cibuildwheel"]
    from tools.release import check_wheel

    assert asked["test-sources"] == list(check_wheel.TEST_FILES)
    assert all((ROOT / name).exists() for name in asked["test-sources"])
    for command in (asked["before-build"], *asked["audit-command"]):
        program, *arguments = shlex.split(command)
        if program == "python":
            assert arguments[0] == "-m"
            assert (ROOT / f"{arguments[1].replace('.', '/')}.py").is_file()


# ---- Flags for systems that are not this one ----


@pytest.fixture
def build_ffi(monkeypatch, tmp_path):
    """Give the module that knows the flags, linking with the libraries of a folder."""
    monkeypatch.setenv("PYTHEMIS_LINK", "static")
    monkeypatch.setenv("PYTHEMIS_STATIC_PREFIX", str(tmp_path))
    import build_ffi

    return build_ffi


def test_windows_links_whole_paths_and_what_openssl_needs(build_ffi, monkeypatch, tmp_path):
    """With MSVC the archives are named in full; libsodium's header is told that it is static."""
    monkeypatch.setattr(build_ffi, "MSVC", True)
    include = f"/I{tmp_path / 'include'}"
    system = ["crypt32.lib", "ws2_32.lib", "advapi32.lib", "user32.lib"]
    assert build_ffi.library_flags(build_ffi.OPENSSL) == (
        [include],
        [str(tmp_path / "lib" / "libcrypto.lib"), *system],
    )
    assert build_ffi.library_flags(build_ffi.SODIUM) == (
        ["/DSODIUM_STATIC", include],
        [str(tmp_path / "lib" / "libsodium.lib")],
    )


def test_a_relative_folder_is_one_of_the_project(build_ffi, monkeypatch):
    """Where the build is started from does not matter."""
    monkeypatch.setenv("PYTHEMIS_STATIC_PREFIX", "build/static")
    monkeypatch.chdir("/")
    assert build_ffi.static_prefix() == ROOT / "build" / "static"
