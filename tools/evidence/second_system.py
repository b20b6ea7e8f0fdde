# SPDX-License-Identifier: Apache-2.0
"""Prove wheel and sdist on a second system: a Debian trixie in a folder, made by debootstrap.

There the wheel of dist/ is installed and tested with CPython 3.13, without any file for developing
with OpenSSL or libsodium; then the sdist is built from source with that system's OpenSSL 3.5, and
tested, with CPython and with PyPy; in between, a short round of faults.py. Needs root. All
mounts are made in a namespace of their own, so none outlives the command, however it ends. Further
arguments are handed to pytest.

With --arch it is the system of another processor, such as arm64, whose programs qemu runs: slowly,
so there only the sdist is tried, with CPython.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.evidence.machine_kinds import EMULATED, Emulated, install_tools
from tools.release.static_libs import debian_mirror
from tools.setup.bootstrap import install_system_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SUITE = "trixie"
INSIDE = Path("/work")  # of the second system; holds the project and what was built from it
BARE = ("ca-certificates", "python3", "python3-venv")
PYPY = ("pypy3", "pypy3-venv")
BUILD = ("gcc", "libc6-dev", "pkg-config", "libssl-dev", "libsodium-dev", "python3-dev")
FAULTS = "8"  # of each kind in each operation
# The operations that keep most for the next one. Not the start: where the very first allocation of
# OpenSSL 3.5 fails, it waits for itself for ever (docs/evidence/faults.md).
FAULTED = ("seal", "imprint", "protect")
NAMESPACE = "PYTHEMIS_SECOND_SYSTEM"  # set in the namespace
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def main() -> None:
    """Make the second system where it is missing, and run everything in it."""
    machines = {machine.name: machine for machine in EMULATED}
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--arch", choices=machines, help="another processor than that of this one")
    parser.add_argument("--root", type=Path, help="its folder; build/trixie if not given")
    parser.add_argument("--mirror", help="of Debian; the one of this machine if not given")
    parser.add_argument("--only", choices=STAGES, action="append", help="some of the stages")
    arguments, pytest_arguments = parser.parse_known_args()
    if os.geteuid() != 0:
        raise SystemExit(
            "A second system can only be made by root: sudo make evidence ONLY=second-system."
        )
    machine = machines.get(arguments.arch)
    name = f"{SUITE}-{machine.name}" if machine else SUITE
    root = (arguments.root or ROOT / "build" / name).resolve()
    if NAMESPACE not in os.environ:
        with run_by_qemu(machine) if machine else contextlib.nullcontext():
            prepare(root, arguments.mirror, machine)
            command = ["unshare", "--mount", "--propagation", "private", *sys.orig_argv]
            status = subprocess.run(command, env={**os.environ, NAMESPACE: "1"}, check=False)
        sys.exit(status.returncode)
    system = SecondSystem(root)
    system.mount()
    if machine:  # times mean nothing there, and what takes long would take hours
        pytest_arguments += ["-m", "not timing and not slow and not big_memory and not integration"]
    for stage in arguments.only or (["sdist"] if machine else STAGES):
        print(f"---- {stage} ----", flush=True)
        STAGES[stage](system, pytest_arguments)


@contextlib.contextmanager
def run_by_qemu(machine: Emulated) -> Iterator[None]:
    """Tell the kernel what runs the programs of another processor, in any folder with a system."""
    install_tools([machine])
    name = machine.qemu.removesuffix("-static")
    kernel = Path("/proc/sys/fs/binfmt_misc")
    if not (kernel / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", kernel], check=True)
    if (kernel / name).exists():  # it knows already
        yield
        return
    (kernel / "register").write_bytes(Path(f"/usr/lib/binfmt.d/{name}.conf").read_bytes())
    try:
        yield
    finally:
        (kernel / name).write_text("-1")


def prepare(root: Path, mirror: str | None, machine: Emulated | None) -> None:
    """Make the system, and in dist/ what is to be tried on it."""
    dist = ROOT / "dist"
    if machine is None and not list(dist.glob("*.whl")):
        raise SystemExit("There is no wheel in dist/ to be tried: run make wheel first.")
    for old in dist.glob("*.tar.gz"):
        old.unlink()
    build = [sys.executable, "-m", "build", "--sdist", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    done = root / ".made-by-debootstrap"
    if done.exists():
        return
    mirror = mirror or debian_mirror()
    if mirror is None:
        raise SystemExit("Which mirror of Debian? Name it with --mirror.")
    if not shutil.which("debootstrap"):
        install_system_packages(["debootstrap"])
    packages = ",".join(BARE if machine else (*BARE, *PYPY))
    command = ["debootstrap", "--variant=minbase", f"--include={packages}"]
    command += [f"--arch={machine.name}"] if machine else []
    subprocess.run([*command, SUITE, str(root), mirror], check=True, stdout=subprocess.DEVNULL)
    done.touch()


class SecondSystem:
    """A folder with a system in it, and how to run something there."""

    def __init__(self, root: Path) -> None:
        """Say what programs in there shall know of this machine."""
        self.root = root
        settings = pip_settings()
        self.folders, self.files = places_in(settings.values())
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            "SSL_CERT_FILE": str(BUNDLE),
            **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")},
            **settings,
            "PIP_CERT": str(BUNDLE),
        }

    def mount(self) -> None:
        """Mount what a system needs, and bring the project; seen in this namespace only."""
        # A mount point of its own: tools/release/check_wheel.py makes another namespace inside.
        subprocess.run(["mount", "--bind", self.root, self.root], check=True)
        for kind in ("proc", "sysfs"):
            at = self.root / ("sys" if kind == "sysfs" else kind)
            subprocess.run(["mount", "-t", kind, kind, at], check=True)
        for folder in (Path("/dev"), *self.folders):
            at = self.root / folder.relative_to("/")
            at.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--rbind", folder, at], check=True)
        work = self.root / INSIDE.relative_to("/")
        work.mkdir(exist_ok=True)
        for folder in (work, self.root / "tmp"):  # nothing that is tried stays in there
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        for file in (Path("/etc/resolv.conf"), Path("/etc/hosts"), BUNDLE, *self.files):
            if file.exists():
                at = self.root / file.relative_to("/")
                at.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, at)
        made = shutil.ignore_patterns(
            *(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "build", "node_modules"),
            *("*.so", "*.egg-info"),
        )
        shutil.copytree(ROOT, work, ignore=made, dirs_exist_ok=True)

    def run(self, *command: str) -> None:
        """Run a command in there that must succeed."""
        inside = ["chroot", str(self.root), "sh", "-c", f"cd {INSIDE} && {shlex.join(command)}"]
        status = subprocess.run(inside, env=self.environment, check=False).returncode
        if status:
            raise SystemExit(f"On {SUITE} this left with {status}: {shlex.join(command)}")

    def install(self, *packages: str) -> None:
        """Install packages in there."""
        self.run("apt-get", "-qq", "update")
        self.run("apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages)

    def file_in_dist(self, pattern: str) -> str:
        """Name the one file in dist/ that matches, as programs in there see it."""
        [path] = (self.root / INSIDE.relative_to("/") / "dist").glob(pattern)
        return str(INSIDE / "dist" / path.name)


def pip_settings() -> dict[str, str]:
    """Read how pip is configured here, as variables for another pip."""
    said = subprocess.check_output([sys.executable, "-m", "pip", "config", "list"], text=True)
    settings = {}
    for line in sorted(said.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2].upper().replace("-", "_")
        settings[f"PIP_{key}"] = " ".join(value.strip("'").replace("\\n", " ").split())
    return settings


def places_in(values: object) -> tuple[list[Path], list[Path]]:
    """Find the local folders that pip looks for packages in, and the files that it reads."""
    words = str(values).replace("'", " ").replace(",", " ").replace("]", " ").split()
    paths = [Path(word.removeprefix("file://")) for word in words]
    # An index is simple/ with links to what lies beside it.
    tops = {path.parent if path.name == "simple" else path for path in paths if path.is_absolute()}
    folders = sorted(path for path in tops if path.is_dir())
    return folders, sorted(path for path in tops if path.is_file())


def try_wheel(system: SecondSystem, pytest_arguments: list[str]) -> None:
    """Install the wheel, and run the tests with nothing else of ours there."""
    wheel = system.file_in_dist("*.whl")
    system.run(
        "python3", "-m", "tools.release.check_wheel", "--no-inspect", wheel, *pytest_arguments
    )


def try_sdist(system: SecondSystem, python: str, pytest_arguments: list[str]) -> None:
    """Build a wheel from the sdist with that system's libraries, and run the tests with it."""
    # PyNaCl, which the tests compare with, has no wheel for PyPy and is built with make.
    system.install(*BUILD, *(["pypy3-dev", "make"] if python == "pypy3" else []))
    sdist, venv, built = system.file_in_dist("*.tar.gz"), f"/tmp/{python}", f"/tmp/{python}-wheel"
    system.run(python, "-m", "venv", venv)
    system.run(
        f"{venv}/bin/python", "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", built, sdist
    )
    check = f"exec {python} -m tools.release.check_wheel --no-inspect --no-hide {built}/*.whl"
    system.run("sh", "-c", f'{check} "$@"', "sh", *pytest_arguments)


def try_faults(system: SecondSystem, _pytest_arguments: list[str]) -> None:
    """Inject faults with that system's OpenSSL, which fails otherwise than others do."""
    system.install(*BUILD)
    for name in FAULTED:
        system.run("python3", "-m", "tools.evidence.faults", FAULTS, name)


STAGES: dict[str, Callable[[SecondSystem, list[str]], None]] = {
    "wheel": try_wheel,
    "sdist": lambda system, arguments: try_sdist(system, "python3", arguments),
    "faults": try_faults,
    "sdist on PyPy": lambda system, arguments: try_sdist(system, "pypy3", arguments),
}


if __name__ == "__main__":
    main()
