# SPDX-License-Identifier: Apache-2.0
"""What people download: the sdist, and the wheel that is built from it."""

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.project import copy_project

pytestmark = [
    *(pytest.mark.no_c, pytest.mark.sources, pytest.mark.slow, pytest.mark.network),
    pytest.mark.evidence,
]

VERSION = "0.16.0"
GIL_CPYTHON = sys.implementation.name == "cpython" and not sysconfig.get_config_var(
    "Py_GIL_DISABLED"
)
ROUND_TRIP = """\
from pathlib import Path
import pythemis
from pythemis.scell import SCellSeal

cell = SCellSeal(key=b"a key")
assert cell.decrypt(cell.encrypt(b"a message")) == b"a message"
print(Path(pythemis.__file__).parent)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give a copy of the project as a fresh clone has it."""
    return copy_project(tmp_path_factory.mktemp("project") / "pythemis")


@pytest.fixture(scope="module")
def dist(project, tmp_path_factory):
    """Build the sdist, unpack it elsewhere, and build the wheel from what was unpacked."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", folder, project]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def sdist_names(dist):
    """List what is in the sdist, without its top folder."""
    with tarfile.open(dist / f"pythemis-{VERSION}.tar.gz") as archive:
        files = (member.name for member in archive.getmembers() if member.isfile())
        return {name.partition("/")[2] for name in files}


@pytest.fixture(scope="module")
def wheel(dist):
    """Give the path of the wheel."""
    [path] = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_names(wheel):
    """List what is in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_sdist_is_the_whole_project(project, sdist_names):
    """Whatever the project consists of is in its sdist, but for what only a clone can use."""
    files = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    only_in_clones = (".ci/", ".github/", ".gitignore", "pythemis.egg-info/")
    made = "__pycache__/"  # the build imports its own modules
    wanted = {name for name in files if not name.startswith(only_in_clones) and made not in name}
    assert wanted - sdist_names == set()


def test_the_sdist_holds_nothing_that_was_made(sdist_names):
    """No binary and no cache gets into the sdist."""
    assert [name for name in sdist_names if name.endswith((".so", ".pyc", ".o"))] == []


@pytest.mark.skipif(not GIL_CPYTHON, reason="only CPython with a GIL has this stable ABI")
def test_one_wheel_serves_every_later_cpython(wheel):
    """The wheel is for the stable ABI of CPython 3.10."""
    assert wheel.name.startswith(f"pythemis-{VERSION}-cp310-abi3-")


def test_the_wheel_names_its_licence(wheel):
    """The metadata say Apache-2.0 and where its text is, and the text is there."""
    info = f"pythemis-{VERSION}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert "Apache License" in licence


def test_the_wheel_is_typed(wheel_names):
    """Type checkers find the marker that makes them believe the annotations."""
    assert "pythemis/py.typed" in wheel_names


def test_the_wheel_holds_every_module(project, wheel_names):
    """No module or folder of the package is left out of the wheel."""
    modules = {path.relative_to(project).as_posix() for path in project.glob("pythemis/**/*.py")}
    assert modules - set(wheel_names) == set()


def test_the_wheel_holds_no_sources_of_the_c_core(wheel_names):
    """A wheel has the package and its metadata, and no C in it."""
    assert {Path(name).parts[0] for name in wheel_names} == {
        "pythemis",
        f"pythemis-{VERSION}.dist-info",
    }
    assert [name for name in wheel_names if name.endswith((".c", ".h", ".o"))] == []


def test_a_wheel_that_carries_no_library_lists_none(wheel_names):
    """Linked with the libraries of the system, a wheel has no SBOM of what is inside."""
    assert [name for name in wheel_names if "/sboms/" in name] == []


def test_the_installed_wheel_works_without_the_sources(wheel, tmp_path):
    """In a fresh environment, far from any source, a Secure Cell round trip works."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    command = [python, "-I", "-c", ROUND_TRIP]
    package = subprocess.check_output(command, cwd=tmp_path, text=True).strip()
    assert Path(package).is_relative_to(tmp_path / "venv")
