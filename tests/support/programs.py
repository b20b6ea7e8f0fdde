# SPDX-License-Identifier: Apache-2.0
"""Programs of their own: an interpreter that runs some code, and what became of it."""

import os
import subprocess
import sys
import textwrap

ROUND_TRIPS = """\
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.skeygen import GenerateKeyPair, GenerateSymmetricKey, from_pem, to_pem
from pythemis.smessage import SMessage, ssign, sverify
key = GenerateSymmetricKey()
for cell in (SCellSeal(key), SCellTokenProtect(key), SCellContextImprint(key),
             SCellSeal(passphrase=key)):
    encrypted = cell.encrypt(b"message", b"context")
    parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
    assert cell.decrypt(*parts, b"context") == b"message"
for algorithm in ("EC", "RSA"):
    pair = GenerateKeyPair(algorithm)
    private, public = pair.export_private_key(), pair.export_public_key()
    assert sverify(public, ssign(private, b"message")) == b"message"
    message = SMessage(private, public)
    assert message.unwrap(message.wrap(b"message")) == b"message"
    assert from_pem(to_pem(private, "secret"), "secret") == private
    assert from_pem(to_pem(public)) == public
print("fine")
"""


def run(code, **environment):
    """Run code in another interpreter; a hang is a failure."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def said_by(program):
    """Run a program of its own: it must end well; give what it printed."""
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.stdout.strip()
