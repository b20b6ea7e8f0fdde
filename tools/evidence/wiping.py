# SPDX-License-Identifier: Apache-2.0
"""Search stacks and freed memory for secrets after every operation of the C core, and judge.

`python -m tools.evidence.wiping [LIMIT]`: at most LIMIT failures of each kind are tried in one
operation; without it, all. On x86 a second round runs without the processor's SHA and AES
instructions, where OpenSSL's code keeps more on the stack.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tools.evidence.drivers import build
from tools.evidence.figures import note

PLANTED = {("stack", "control: stack"), ("freed", "control: freed"), ("live", "control: live")}
PLAIN = {"OPENSSL_ia32cap": ":~0x20000000"} if platform.machine() == "x86_64" else None


class Finding(NamedTuple):
    """A secret that was found where it does not belong."""

    place: str
    operation: str
    secret: str
    times: str
    example: str


class Left(NamedTuple):
    """What OpenSSL leaves behind in blocks that it frees itself, out of our reach."""

    operation: str
    secret: str
    only_after_failures: bool
    why: str


NUMBERS = r"private scalar|RSA .*"
LEFT = [
    Left(
        r"(EC|RSA)-\d+ export (PEM|encrypted)",
        NUMBERS,
        False,
        "its encoder frees copies of a private key's DER without wiping them",
    ),
    Left(
        r"EC-\d+ message_new|(planned )?negotiate [23]|sealed (open )?(recipient|sender)( slot)?",
        r"private scalar|random bytes (inside OpenSSL|of the core)",
        False,
        "ECDH recodes the scalar in a block that it frees without wiping it",
    ),
    Left(
        r"RSA-\d+ (import (PEM|encrypted|old form)|public of private|signer_new|message_new|sign"
        r"|sign again|unwrap|unwrap again)",
        r"RSA .*|random bytes inside OpenSSL",
        True,
        "numbers of a key that failed to load, or blinding that failed to be made, are not wiped",
    ),
    Left(
        r"RSA-\d+ wrap",
        r"random bytes of the core",
        True,
        "the padded secret is not wiped when its padding fails half-way",
    ),
    Left(
        r"(EC|RSA)-\d+ (key pair|public of private|export PEM|sign|sign again)|connect request"
        r"|(planned )?negotiate \d|(planned )?connect request",
        r"random bytes inside OpenSSL",
        True,
        "random numbers are not wiped where an operation fails half-way",
    ),
]


def main() -> None:
    """Build the program, run it on each kind of machine that this one can be, and judge."""
    limit = sys.argv[1] if len(sys.argv) > 1 else "0"
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder), "wiping", inject=True)
        for environment in ({}, PLAIN):
            if environment is not None:
                bad += judge(program, limit, environment)
    sys.exit(1 if bad else 0)


def judge(program: Path, limit: str, environment: dict[str, str]) -> int:
    """Run the program once: how much it found that nobody explains."""
    said = subprocess.run(
        [program, limit],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = [Finding(*line.split(" | ")) for line in said[:-1]]
    seen = {(finding.place, finding.operation) for finding in found}
    if not seen >= PLANTED:
        raise SystemExit(f"wiping does not see the secrets planted for it, only {sorted(seen)}.")
    real = [finding for finding in found if not finding.operation.startswith("control: ")]
    unexplained = [finding for finding in real if not any(explains(left, finding) for left in LEFT)]
    for finding in unexplained:
        print("FOUND:", " | ".join(finding))
    for left in LEFT:
        count = sum(int(finding.times) for finding in real if explains(left, finding))
        print(f"OpenSSL, {count} times: {left.why}")
    where = "without SHA and AES instructions" if environment else "with this processor"
    print(f"wiping, {where}: {said[-1]}, {len(unexplained)} findings of ours")
    note({f"runs {where}": int(said[-1].split()[0]), "findings of ours": len(unexplained)})
    note({"secrets in blocks that OpenSSL freed": sum(int(finding.times) for finding in real)})
    return len(unexplained)


def explains(left: Left, finding: Finding) -> bool:
    """Return whether a finding is one of those that are known, and not ours."""
    return (
        finding.place == "freed"
        and re.fullmatch(left.operation, finding.operation) is not None
        and re.fullmatch(left.secret, finding.secret) is not None
        and not (left.only_after_failures and re.match(r"\s*0\s", finding.example))
    )


if __name__ == "__main__":
    main()
