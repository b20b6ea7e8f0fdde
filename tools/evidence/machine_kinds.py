# SPDX-License-Identifier: Apache-2.0
"""The machines of machines.py: what compiles for each, its libraries, and what runs it."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

from tools.setup.bootstrap import ROOT, install_system_packages

WORK = ROOT / "build" / "machines"
LIBRARIES = ("libssl-dev", "libsodium-dev")
SANITIZER = ("-fsanitize=undefined", "-fno-sanitize-recover=all")


class Machine:
    """What the checks ask of every machine."""

    flags: tuple[str, ...] = ()
    checks: tuple[str, ...] = SANITIZER
    tools: tuple[tuple[str, str], ...] = ()  # commands, and the Debian packages that have them

    def __init__(self, name: str, said: str) -> None:
        self.name = name
        self.said = said

    @property
    def folder(self) -> Path:
        """Where the files of the machine are."""
        return WORK / self.name

    def prepare(self) -> None:
        """Bring the compiler, the libraries and what runs the programs."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def compiler(self) -> list[str]:
        """Return the compiler and its own options."""
        raise NotImplementedError

    def headers(self) -> list[str]:
        """Return where the headers of the libraries are."""
        raise NotImplementedError

    def libraries(self) -> list[str]:
        """Return how the libraries are linked."""
        raise NotImplementedError

    def module(self, core: Path) -> list[str]:
        """Link the core as Python's module is, where that matters; tell how it is linked."""
        return [str(core), *self.libraries()]

    def runner(self) -> list[str]:
        """Return what runs a program."""
        return []

    def is_caught(self, ran: subprocess.CompletedProcess[str]) -> bool:
        """Return whether a program was ended because of a misaligned read."""
        return ran.returncode != 0 and "misaligned address" in ran.stderr

    def leave(self) -> None:
        """End what was started."""


class Native(Machine):
    """This machine, with the libraries that the package is built with here."""

    def compiler(self) -> list[str]:
        """Return the compiler of the environment."""
        return [os.environ.get("CC", "gcc")]

    def headers(self) -> list[str]:
        """Ask pkg-config."""
        return pkg_config("--cflags")

    def libraries(self) -> list[str]:
        """Ask pkg-config."""
        return pkg_config("--libs")


class Emulated(Machine):
    """Another processor, with the libraries that Debian has for it, under qemu.

    The libraries are fetched by an apt of our own, with its state in build/machines, from wherever
    this machine fetches its packages: nothing foreign is installed.
    """

    def __init__(
        self, name: str, said: str, triple: str, *, qemu: str = "", flags: tuple[str, ...] = ()
    ) -> None:
        super().__init__(name, said)
        self.triple = triple
        self.multiarch = triple.replace("i686", "i386")  # as Debian calls folders
        self.qemu = f"qemu-{qemu or name}-static"
        self.flags = flags
        compiler = f"gcc-{triple} libc6-dev-{name}-cross"
        self.tools = ((f"{triple}-gcc", compiler), (self.qemu, "qemu-user-static"))

    @property
    def root(self) -> Path:
        """Where the files of the machine's Debian stand."""
        return self.folder / "root"

    def prepare(self) -> None:
        """Unpack Debian's libraries, and all that they need."""
        super().prepare()
        if not self.root.exists():
            fetch_libraries(self.name, self.folder, self.root)

    def compiler(self) -> list[str]:
        """Return the cross compiler."""
        return [f"{self.triple}-gcc", "-static-libubsan"]

    def headers(self) -> list[str]:
        """Point at what was unpacked."""
        folder = self.root / "usr" / "include"
        return ["-isystem", str(folder / self.multiarch), "-isystem", str(folder)]

    def libraries(self) -> list[str]:
        """Point at what was unpacked."""
        folder = self.root / "usr" / "lib" / self.multiarch
        return [f"-L{folder}", f"-Wl,-rpath-link={folder}", "-lcrypto", "-lsodium"]

    def runner(self) -> list[str]:
        """Return qemu, which finds the C library in the root."""
        return [self.qemu, "-L", str(self.root)]


class Trapping(Machine):
    """A C library that the sanitizer has no run time for: a finding is an illegal instruction.

    Its OpenSSL and libsodium are what a wheel has inside, built by tools/release/static_libs.py.
    """

    flags = ("-DSOTER_PRIVATE_LIBCRYPTO=1",)
    checks = (*SANITIZER, "-fsanitize-undefined-trap-on-error")
    ended: int  # the status of such a program

    def is_caught(self, ran: subprocess.CompletedProcess[str]) -> bool:
        """Know an illegal instruction."""
        return ran.returncode == self.ended

    def build_libraries(self, *arguments: str, compiler: str = "") -> None:
        """Build the libraries if they are not there."""
        command = [sys.executable, "-m", "tools.release.static_libs", "--prefix"]
        command.append(str(self.folder / "static"))
        chosen = ["env", f"CC={compiler}"] if compiler else []
        quiet(*chosen, *command, *arguments)

    def headers(self) -> list[str]:
        """Point at what was built."""
        return ["-isystem", str(self.folder / "static" / "include")]

    def libraries(self) -> list[str]:
        """Name what was built."""
        folder = self.folder / "static" / "lib"
        return [str(folder / f"{name}.a") for name in ("libcrypto", "libsodium")]


class Musl(Trapping):
    """This processor with the C library of Alpine, and with the small stacks of its threads."""

    tools = (("musl-gcc", "musl-tools"),)
    ended = -signal.SIGILL
    stack = 128  # KiB; a thread of another program than Python gets no more

    def prepare(self) -> None:
        """Lend the compiler the headers of the kernel, which OpenSSL asks for; build the libraries.

        musl-gcc looks nowhere else, rightly: beside them are those of another C library.
        """
        super().prepare()
        include = self.folder / "kernel"
        include.mkdir(exist_ok=True)
        target = subprocess.check_output(["gcc", "-print-multiarch"], text=True).strip()
        for name, place in (("linux", ""), ("asm-generic", ""), ("asm", target)):
            link = include / name
            link.unlink(missing_ok=True)
            link.symlink_to(Path("/usr/include", place, name))
        self.build_libraries(compiler=f"musl-gcc -isystem {include}")

    def compiler(self) -> list[str]:
        """Return Debian's wrapper of gcc."""
        return ["musl-gcc"]

    def runner(self) -> list[str]:
        """Leave the main thread as much stack as other threads get."""
        return ["sh", "-c", f'ulimit -s {self.stack} && exec "$0" "$@"']


class Windows(Trapping):
    """Windows, as Wine knows it, and GCC in the place of Microsoft's compiler."""

    triple = "x86_64-w64-mingw32"
    tools = ((f"{triple}-gcc", "gcc-mingw-w64-x86-64"), ("wine", "wine wine64"))
    ended = 0x1D  # of 0xC000001D, of which a process here can see the last byte

    def prepare(self) -> None:
        """Build the libraries, and let Wine make a disk, with nothing that has windows."""
        super().prepare()
        self.build_libraries("--host", self.triple)
        self.leave()
        quiet(*self.environment(), "wineboot", "--init")

    def environment(self) -> list[str]:
        """Let Wine keep to a folder, and be silent."""
        disk = self.folder / "disk"
        without = "mscoree,mshtml,winedbg.exe,winemenubuilder.exe="
        return ["env", f"WINEPREFIX={disk}", f"WINEDLLOVERRIDES={without}", "WINEDEBUG=-all"]

    def compiler(self) -> list[str]:
        """Return MinGW-w64."""
        return [f"{self.triple}-gcc", "-static"]

    def libraries(self) -> list[str]:
        """Name what OpenSSL and our programs need of Windows, too."""
        system = ("-lws2_32", "-lcrypt32", "-ladvapi32", "-luser32", "-lssp", "-pthread")
        return [*super().libraries(), *system]

    def module(self, core: Path) -> list[str]:
        """Make a DLL, which Windows tells of threads, and show all that is in it."""
        made = self.folder / "core.dll"
        options = ["-shared", "-Wl,--export-all-symbols", "-o", str(made)]
        quiet(*self.compiler(), str(core), *options, *self.libraries())
        return [str(made), "-pthread"]

    def runner(self) -> list[str]:
        """Return Wine."""
        return [*self.environment(), "wine"]

    def leave(self) -> None:
        """End Wine's server, and give its disk back, which is large."""
        disk = self.folder / "disk"
        if disk.exists():
            subprocess.run([*self.environment(), "wineserver", "--kill", "--wait"], check=False)
            shutil.rmtree(disk)


# Comparing a size with 2^32-1 makes sense on other machines.
SMALL = ("-Wno-type-limits", "-Wno-sign-compare")
NATIVE = Native("native", "this machine")
EMULATED = (
    Emulated("s390x", "64 bits, big end", "s390x-linux-gnu"),
    Emulated("arm64", "64 bits, little end", "aarch64-linux-gnu", qemu="aarch64"),
    Emulated("i386", "32 bits", "i686-linux-gnu", flags=SMALL),
    Emulated("armhf", "32 bits", "arm-linux-gnueabihf", qemu="arm", flags=SMALL),
)
OTHERS = (*EMULATED, Musl("musl", "another C library"), Windows("windows", "under Wine"))


def install_tools(machines: Iterable[Machine]) -> None:
    """Install compilers and emulators where that is possible."""
    packages = [
        package
        for machine in machines
        for command, packages in machine.tools
        if not shutil.which(command)
        for package in packages.split()
    ]
    if packages and not shutil.which("apt-get"):
        raise SystemExit("Other machines are checked on Debian and its like alone.")
    install_system_packages(sorted(set(packages)))


def fetch_libraries(architecture: str, folder: Path, root: Path) -> None:
    """Unpack Debian's libraries for an architecture, and all that they need, into a root."""
    apt = folder / "apt"
    shutil.rmtree(apt, ignore_errors=True)
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()  # nothing is installed there, so apt fetches everything
    options: dict[str, object] = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "",  # who may read this folder need not be who owns it
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        **sources_of(architecture, apt),
    }
    command = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    # A source that has nothing for this machine is no failure; a missing package is.
    quiet(*command, "update", may_fail=True)
    quiet(*command, "install", "--download-only", "--yes", "--no-install-recommends", *LIBRARIES)
    packages = sorted((apt / "archives").glob("*.deb"))
    unpacked = folder / "unpacking"
    shutil.rmtree(unpacked, ignore_errors=True)
    for package in packages:
        quiet("dpkg-deb", "--extract", str(package), str(unpacked))
    shutil.rmtree(apt)
    unpacked.rename(root)


def sources_of(architecture: str, apt: Path) -> dict[str, object]:
    """Name where Ubuntu keeps what its ordinary mirrors do not have; Debian's have everything."""
    release = platform.freedesktop_os_release()
    if release["ID"] != "ubuntu" or architecture == "i386":
        return {}
    sources = apt / "sources.list"
    trusted = "[signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]"
    place = "http://ports.ubuntu.com/ubuntu-ports"
    sources.write_text(f"deb {trusted} {place} {release['VERSION_CODENAME']} main universe\n")
    return {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": os.devnull}


def pkg_config(question: str) -> list[str]:
    """Ask for the flags of both libraries of this machine."""
    command = ["pkg-config", question, "libcrypto", "libsodium"]
    return subprocess.check_output(command, text=True).split()


def quiet(*command: str, may_fail: bool = False) -> None:
    """Run a command; show what it said only if it failed."""
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0 and not may_fail:
        raise SystemExit(f"{' '.join(command)}\n{ran.stdout}{ran.stderr}")
