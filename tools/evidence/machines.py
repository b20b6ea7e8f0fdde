# SPDX-License-Identifier: Apache-2.0
"""Run the C core with its known answers as other machines do, which machine_kinds.py knows.

The core and tests/c/known_answers.c are compiled for a machine with the checks of the undefined
behaviour sanitizer (alignment above all), and run there or under what plays that machine here; so
are refusals.c, which gives the core what it must refuse, and thread_end.c, which looks at what
threads leave behind. Without names: all those that Debian has libraries for.

Before the judge judges, it is judged: a misaligned read must be caught on every machine, an answer
that is known to be wrong must be refused, of every kind that there is, and each program must see
what is planted for it.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path

from build_ffi import TESTING_FLAG  # bootstrap has made it importable
from tools.evidence.answer_lines import lines, spoiled
from tools.evidence.figures import note
from tools.evidence.machine_kinds import EMULATED, NATIVE, OTHERS, Machine, install_tools, quiet
from tools.setup.bootstrap import ROOT

CORE = ROOT / "src" / "themis_c"
TESTS = ROOT / "tests" / "c"
PARTS = ("known_answers", "cells", "forks", "keys", "lines", "protocols")
LONG = "rsa8192"
# What goes another way with the FIPS provider.
OF_KEYS = ("pair", "signed", "encrypted", "client", "server", "session")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")


def main() -> None:
    """Check the machines that were asked for; leave with 1 if anything is wrong on one."""
    known: dict[str, Machine] = {machine.name: machine for machine in (*OTHERS, NATIVE)}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "machines", nargs="*", metavar="machine", help=f"of {', '.join(known)}, or all"
    )
    parser.add_argument(
        "--short", action="store_true", help="without RSA of 8192 bits, which takes qemu a minute"
    )
    arguments = parser.parse_args()
    wanted = list(known) if "all" in arguments.machines else arguments.machines
    if not known.keys() >= set(wanted):
        parser.error(f"choose of {', '.join(known)}, or all")
    machines = [known[name] for name in wanted] or list(EMULATED)
    install_tools(machines)
    for machine in machines:
        start = time.monotonic()
        try:
            machine.prepare()
            check_the_checks(machine)
            core = compile_core(machine)
            said = check_answers(machine, core, is_short=arguments.short)
            check_program(machine, "refusals", [str(core), *machine.libraries()])
            check_program(machine, "thread_end", machine.module(core))
        finally:
            machine.leave()
        spent = time.monotonic() - start
        note({machine.name: said})
        print(f"{machine.name} ({machine.said}): {said} ({spent:.0f} s)", flush=True)


def compile_for(
    machine: Machine, name: str, sources: list[Path], linking: list[str] | None = None
) -> Path:
    """Compile and link for a machine, with all checks."""
    made = machine.folder / name
    quiet(
        *machine.compiler(),
        *("-std=c11", "-g", "-O1", TESTING_FLAG, *WARNINGS, *machine.flags, *machine.checks),
        *(f"-I{folder}" for folder in (CORE, TESTS)),
        *machine.headers(),
        *(str(source) for source in sources),
        *("-o", str(made), *(linking or machine.libraries())),
    )
    return made


def compile_core(machine: Machine) -> Path:
    """Compile the core alone, into one object."""
    return compile_for(machine, "core.o", sorted(CORE.glob("*/*.c")), ["-r"])


def run(
    machine: Machine, program: Path, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program of a machine."""
    command = [*machine.runner(), str(program), *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def check_the_checks(machine: Machine) -> None:
    """Prove that a misaligned read ends a program there."""
    ran = run(machine, compile_for(machine, "misaligned.exe", [TESTS / "misaligned.c"]))
    if ran.stdout or not machine.is_caught(ran):
        raise SystemExit(f"{machine.name}: a misaligned read is not noticed: {ran}")


def check_answers(machine: Machine, core: Path, *, is_short: bool) -> str:
    """Check the known answers there; give the words of the program."""
    sources = [TESTS / f"{part}.c" for part in PARTS]
    program = compile_for(machine, "known_answers.exe", [*sources, core])
    given = [line for line in lines() if not (is_short and LONG in line.split()[1])]
    for line in spoiled(given):
        if run(machine, program, text=f"{line}\n").returncode != 1:
            raise SystemExit(f"{machine.name}: a wrong answer was taken: {line[:60]}")
    ran = run(machine, program, text="".join(f"{line}\n" for line in given))
    if ran.returncode != 0 or not ran.stdout.startswith(f"{len(given)} held, 0 failed"):
        raise SystemExit(f"{machine.name}:\n{ran.stdout}{ran.stderr}")
    of_keys = [line for line in given if line.split()[0] in OF_KEYS]
    ran_by_evp = run(machine, program, "evp", text="".join(f"{line}\n" for line in of_keys))
    if ran_by_evp.returncode != 0 or not ran_by_evp.stdout.startswith(f"{len(of_keys)} held, 0 "):
        raise SystemExit(f"{machine.name}, by EVP:\n{ran_by_evp.stdout}{ran_by_evp.stderr}")
    return ran.stdout.strip()


def check_program(machine: Machine, name: str, linking: list[str]) -> None:
    """Check what a program judges by its status, which must see what is planted for it."""
    program = compile_for(machine, f"{name}.exe", [TESTS / f"{name}.c"], linking)
    if run(machine, program, "control").returncode != 0:
        raise SystemExit(f"{machine.name}: {name} does not see what is planted for it")
    ran = run(machine, program)
    if ran.returncode != 0:
        raise SystemExit(f"{machine.name}: {name}:\n{ran.stdout}{ran.stderr}")


if __name__ == "__main__":
    main()
