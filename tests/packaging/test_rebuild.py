# SPDX-License-Identifier: Apache-2.0
"""Wheels are built anew and compared: what differs is named, and nothing does."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from support.project import ROOT

pytestmark = [pytest.mark.no_c, pytest.mark.sources]

FILES = {"pythemis/a.py": b"a = 1\n", "pythemis/b.py": b"b = 2\n", "x.dist-info/RECORD": b""}
SBOM = "x.dist-info/sboms/static-libraries.cdx.json"


@pytest.fixture(scope="module")
def rebuild():
    """Give the tool."""
    from tools.release import rebuild

    return rebuild


def make(path, files=None, mode=0o644, year=2026, level=9):
    """Write a wheel with some files."""
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in (FILES if files is None else files).items():
            entry = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED if level else zipfile.ZIP_STORED
            archive.writestr(entry, content)
    return path


def test_equal_wheels_have_no_difference(rebuild, tmp_path):
    """Two wheels of the same bytes are equal, in whatever folders they are."""
    one, other = make(tmp_path / "one" / "x.whl"), make(tmp_path / "other" / "x.whl")
    assert list(rebuild.differences(one, other)) == []


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"mode": 0o664}, "pythemis/a.py: the mode: 100644, 100664"),
        ({"year": 2027}, "pythemis/a.py: the time: (2026, 1, 1, 0, 0, 0), (2027, 1, 1, 0, 0, 0)"),
        ({"level": 0}, "only the archive itself, such as how it is compressed"),
        (
            {"files": {**FILES, "pythemis/b.py": b"b = 3\n"}},
            "pythemis/b.py: 6 and 6 bytes, different from offset 4",
        ),
        ({"files": {**FILES, "y": b""}}, "y: only in the second"),
        ({"files": dict([*FILES.items()][1:])}, "pythemis/a.py: only in the first"),
        ({"files": dict(reversed(FILES.items()))}, "the order of the files"),
    ],
)
def test_each_difference_is_named(rebuild, tmp_path, how, sentence):
    """Modes, times, order, compression, content, and files that only one has."""
    one, other = make(tmp_path / "one" / "x.whl"), make(tmp_path / "other" / "x.whl", **how)
    assert sentence in list(rebuild.differences(one, other))


def test_different_wheels_end_the_command_with_a_failure(tmp_path):
    """The command prints both hashes, and fails if they differ."""
    one, other = make(tmp_path / "one" / "x.whl"), make(tmp_path / "other" / "x.whl", year=2027)
    for second, status, said in ((one, 0, "byte for byte"), (other, 1, "the time")):
        command = [sys.executable, "-m", "tools.release.rebuild", one, second]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert said in done.stdout + done.stderr
        assert hashlib.sha256(second.read_bytes()).hexdigest() in done.stdout


# ---- The SBOM and what the linker took ----


@pytest.fixture
def linked(tmp_path):
    """Link a module with two archives; give the linker's map and the hashes of the archives."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("needs the GNU linker's map")
    folder = tmp_path / "linked"
    folder.mkdir()
    hashes = {}
    for name in ("one", "two"):
        common = f"int {name}_of_no_value;\n"  # the map lists such variables by their archive, too
        code = f"int {name}(void);\nint {name}(void) {{ return {name}_of_no_value; }}\n"
        (folder / f"{name}.c").write_text(common + code)
        run(folder, "cc", "-fPIC", "-fcommon", "-c", f"{name}.c")
        run(folder, "ar", "rc", f"lib{name}.a", f"{name}.o")
        hashes[name] = hashlib.sha256((folder / f"lib{name}.a").read_bytes()).hexdigest()
    source = (
        "int one(void);\nint two(void);\nint all(void);\nint all(void) { return one() + two(); }"
    )
    (folder / "all.c").write_text(source)
    archives = [folder / "libone.a", folder / "libtwo.a"]
    run(folder, "cc", "-shared", "-fPIC", "all.c", *archives, "-Wl,-Map=link.map")
    return (folder / "link.map").read_text(), hashes


def run(folder, *command):
    """Run a command that must succeed."""
    subprocess.run(command, cwd=folder, check=True)


def wheel_that_names(path, hashes):
    """Write a wheel whose SBOM names archives."""
    parts = [
        {"name": name, "hashes": [{"alg": "SHA-256", "content": digest}]}
        for name, digest in hashes.items()
    ]
    return make(path, {SBOM: json.dumps({"components": parts}).encode()})


def test_an_sbom_that_names_what_is_linked_is_accepted(rebuild, linked, tmp_path):
    """Both archives, by their SHA-256."""
    link_map, hashes = linked
    assert list(rebuild.unnamed(link_map, wheel_that_names(tmp_path / "x.whl", hashes))) == []


def test_an_archive_that_the_sbom_does_not_name_is_refused(rebuild, linked, tmp_path):
    """Neither a missing entry nor one with another hash is accepted."""
    link_map, hashes = linked
    wheel = wheel_that_names(tmp_path / "x.whl", {"one": hashes["one"]})
    assert list(rebuild.unnamed(link_map, wheel)) == [
        "libtwo.a is linked, and the SBOM does not name it."
    ]
    wheel = wheel_that_names(tmp_path / "x.whl", {**hashes, "two": "00" * 32})
    assert list(rebuild.unnamed(link_map, wheel)) == [
        "libtwo.a is linked, and the SBOM does not name it.",
        "The SBOM names an archive of two that is not linked.",
    ]


def test_a_wheel_without_an_sbom_may_link_nothing(rebuild, linked, tmp_path):
    """What is linked dynamically has no SBOM; linked archives then have no name."""
    link_map, _ = linked
    assert list(rebuild.unnamed("", make(tmp_path / "x.whl"))) == []
    assert len(list(rebuild.unnamed(link_map, make(tmp_path / "x.whl")))) == 2


# ---- Two real builds ----


@pytest.mark.slow
@pytest.mark.evidence
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere cibuildwheel builds wheels")
def test_two_builds_in_two_folders_are_equal(rebuild, tmp_path, monkeypatch):
    """Another folder, time, umask, locale, user's home and hash seed change no byte of a wheel."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in [name for name in os.environ if name.startswith("PYTHEMIS_")]:
        monkeypatch.delenv(name)
    made = shutil.ignore_patterns(
        *(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "node_modules"),
        *("*.so", "*.egg-info", "dist"),
    )
    wheels = []
    for place, umask, seed in (("one", 0o022, "1"), ("a longer/name of it", 0o077, "2")):
        tree = tmp_path / place
        shutil.copytree(ROOT, tree, ignore=made)
        for file in tree.rglob("*"):
            os.utime(file, (1_000_000_000, 1_000_000_000 + len(place)))
            file.chmod(file.stat().st_mode & ~umask | 0o200)
        environment = {"PYTHEMIS_LINK": "static", "PYTHONHASHSEED": seed, "HOME": str(tree)}
        script = (
            "import os, sys; os.umask(0o022); from build.__main__ import main; main(sys.argv[1:])"
        )
        command = [sys.executable, "-c", script, "--no-isolation", "--outdir", tree / "dist", tree]
        subprocess.run(command, check=True, env={**os.environ, **environment}, cwd=tree)
        wheels += (tree / "dist").glob("*.whl")
    assert list(rebuild.differences(*wheels)) == []
