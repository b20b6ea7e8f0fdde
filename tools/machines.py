# SPDX-License-Identifier: Apache-2.0
"""Run the C core with its known answers on other machines: other byte order, other width.

The core and tests/c/known_answers.c are cross-compiled, with the checks of the undefined behaviour
sanitizer (alignment above all), against the OpenSSL and libsodium that Debian has for that
machine, and run under qemu. Those libraries are fetched by an apt of our own, with its state in
build/machines, from wherever this machine fetches its packages: nothing foreign is installed.

Before the judge judges, it is judged: a misaligned read must be caught on every machine, and an
answer that is known to be wrong must be refused, of every kind that there is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from answer_lines import lines, spoiled
from bootstrap import ROOT, install_system_packages

WORK = ROOT / "build" / "machines"
CORE = ROOT / "src" / "themis_c"
ANSWERS = ROOT / "tests" / "c"
PARTS = ("known_answers", "cells", "forks", "keys", "lines", "protocols")
MISALIGNED = "misaligned.c"
LONG = "rsa8192"
LIBRARIES = ("libssl-dev", "libsodium-dev")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
CHECKS = ("-fsanitize=undefined", "-fno-sanitize-recover=all")


class Machine(NamedTuple):
    """A machine, as Debian, its compilers and qemu call it."""

    debian: str
    triple: str
    folder: str  # of its libraries, below usr/lib
    qemu: str
    said: str
    flags: tuple[str, ...] = ()

    @property
    def compiler(self) -> str:
        """The name of the cross compiler."""
        return f"{self.triple}-gcc"


# Comparing a size with 2^32-1 makes sense on other machines.
SMALL = ("-Wno-type-limits", "-Wno-sign-compare")
ARM, ARM_64 = "arm-linux-gnueabihf", "aarch64-linux-gnu"
MACHINES = (
    Machine("s390x", "s390x-linux-gnu", "s390x-linux-gnu", "qemu-s390x-static", "64 bits, big end"),
    Machine("arm64", ARM_64, ARM_64, "qemu-aarch64-static", "64 bits, little end"),
    Machine("i386", "i686-linux-gnu", "i386-linux-gnu", "qemu-i386-static", "32 bits", SMALL),
    Machine("armhf", ARM, ARM, "qemu-arm-static", "32 bits", SMALL),
)
NATIVE = Machine("native", "", "", "", "this machine")


def main() -> None:
    """Check the machines that were asked for; leave with 1 if anything is wrong on one."""
    others = [machine.debian for machine in MACHINES]
    parser = argparse.ArgumentParser(description=__doc__)
    names = ", ".join([*others, NATIVE.debian])
    parser.add_argument("machines", nargs="*", metavar="machine", help=f"of {names}")
    parser.add_argument(
        "--short", action="store_true", help="without RSA of 8192 bits, which takes qemu a minute"
    )
    arguments = parser.parse_args()
    wanted = arguments.machines or others
    machines = [machine for machine in (*MACHINES, NATIVE) if machine.debian in wanted]
    if len(machines) != len(wanted):
        parser.error(f"choose of {names}")
    ensure_tools([machine for machine in machines if machine is not NATIVE])
    for machine in machines:
        start = time.monotonic()
        (WORK / machine.debian).mkdir(parents=True, exist_ok=True)
        if machine is not NATIVE:
            fetch_libraries(machine)
        check_the_checks(machine)
        said = check(machine, is_short=arguments.short)
        spent = time.monotonic() - start
        print(f"{machine.debian} ({machine.said}): {said} ({spent:.0f} s)", flush=True)


def ensure_tools(machines: list[Machine]) -> None:
    """Install the cross compilers and qemu where that is possible."""
    needed = [
        (command, package)
        for machine in machines
        for command, package in (
            (machine.compiler, f"gcc-{machine.triple} libc6-dev-{machine.debian}-cross"),
            (machine.qemu, "qemu-user-static"),
        )
    ]
    packages = [package for command, package in needed if not shutil.which(command)]
    if packages and not shutil.which("apt-get"):
        raise SystemExit("Other machines are checked on Debian and its like alone.")
    install_system_packages(sorted({name for entry in packages for name in entry.split()}))


def root_of(machine: Machine) -> Path:
    """Tell where the files of a machine stand."""
    return WORK / machine.debian / "root"


def fetch_libraries(machine: Machine) -> None:
    """Unpack Debian's libraries for a machine, and all that they need, into its root."""
    root = root_of(machine)
    if root.exists():
        return
    apt = WORK / machine.debian / "apt"
    shutil.rmtree(apt, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()  # nothing is installed there, so apt fetches everything
    options = {
        "APT::Architecture": machine.debian,
        "APT::Architectures": machine.debian,
        "APT::Sandbox::User": "",  # who may read this folder need not be who owns it
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
    }
    command = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    # A source that has nothing for this machine is no failure; a missing package is.
    quiet(*command, "update", may_fail=True)
    quiet(*command, "install", "--download-only", "--yes", "--no-install-recommends", *LIBRARIES)
    packages = sorted((apt / "archives").glob("*.deb"))
    unpacked = WORK / machine.debian / "unpacking"
    shutil.rmtree(unpacked, ignore_errors=True)
    for package in packages:
        quiet("dpkg-deb", "--extract", str(package), str(unpacked))
    shutil.rmtree(apt)
    unpacked.rename(root)


def compile_for(machine: Machine, name: str, sources: list[Path]) -> Path:
    """Compile and link a program for a machine, with all checks."""
    program = WORK / machine.debian / name
    compiler, *flags = native_compiler() if machine is NATIVE else cross_compiler(machine)
    quiet(
        compiler,
        *("-std=c11", "-g", "-O1", *WARNINGS, *machine.flags, *CHECKS),
        *(f"-I{folder}" for folder in (CORE, ANSWERS)),
        *(str(source) for source in sources),
        *("-o", str(program), *flags),
    )
    return program


def cross_compiler(machine: Machine) -> list[str]:
    """Give the compiler for another machine, and how it finds the libraries."""
    usr = root_of(machine) / "usr"
    headers, libraries = usr / "include", usr / "lib" / machine.folder
    return [
        *(machine.compiler, "-static-libubsan"),
        *("-isystem", str(headers / machine.folder), "-isystem", str(headers)),
        *(f"-L{libraries}", f"-Wl,-rpath-link={libraries}", "-lcrypto", "-lsodium"),
    ]


def native_compiler() -> list[str]:
    """Give the compiler of this machine, and how it finds the libraries."""
    found = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libcrypto", "libsodium"],
        capture_output=True,
        text=True,
        check=True,
    )
    return [os.environ.get("CC", "gcc"), *found.stdout.split()]


def run(machine: Machine, program: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of a machine, under qemu if it is another one."""
    emulator = [] if machine is NATIVE else [machine.qemu, "-L", str(root_of(machine))]
    command = [*emulator, str(program)]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def check_the_checks(machine: Machine) -> None:
    """Prove that a misaligned read ends a program there."""
    ran = run(machine, compile_for(machine, "misaligned", [ANSWERS / MISALIGNED]))
    if ran.returncode == 0 or "misaligned address" not in ran.stderr:
        raise SystemExit(f"{machine.debian}: a misaligned read is not noticed: {ran}")


def check(machine: Machine, *, is_short: bool) -> str:
    """Check the known answers there; give the words of the program."""
    sources = [ANSWERS / f"{part}.c" for part in PARTS]
    program = compile_for(machine, PARTS[0], sources + sorted(CORE.glob("*/*.c")))
    given = [line for line in lines() if not (is_short and LONG in line.split()[1])]
    for line in spoiled(given):
        if run(machine, program, f"{line}\n").returncode != 1:
            raise SystemExit(f"{machine.debian}: a wrong answer was taken: {line[:60]}")
    ran = run(machine, program, "".join(f"{line}\n" for line in given))
    if ran.returncode != 0 or not ran.stdout.startswith(f"{len(given)} held, 0 failed"):
        raise SystemExit(f"{machine.debian}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout.strip()


def quiet(*command: str, may_fail: bool = False) -> None:
    """Run a command; show what it said only if it failed."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0 and not may_fail:
        raise SystemExit(f"{' '.join(command)}\n{ran.stdout}{ran.stderr}")


if __name__ == "__main__":
    main()
