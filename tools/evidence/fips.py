# SPDX-License-Identifier: Apache-2.0
"""Build OpenSSL's FIPS provider from the pinned source, and run the tests with it.

Arguments are handed to pytest.

The module of .venv works with it: `PYTHEMIS_FIPS=1` is in the environment, and OPENSSL_CONF and
OPENSSL_MODULES lead to build/fips. What is built from source is not validated: this shows what
works with a provider of this kind, and what one refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.release.static_libs import ROOT, SOURCES, fetch, need_tools, run, unpack

FOLDER = ROOT / "build" / "fips"
MODULE = FOLDER / "fips.so"
OPTIONS = ("enable-fips", "no-apps", "no-docs", "no-tests", "no-legacy")
# What Configure compiles in unless --fips-key names another: a checksum, and no secret.
KEY = bytes.fromhex("f4556650ac31d35461610bac4ed81b1a181b2d8a43ea2854cbae22ca74560813")
# What `openssl fipsinstall` writes, and the two providers that pythemis asks for.
CONFIG = """\
openssl_conf = start
[start]
providers = providers
[providers]
fips = fips
base = base
[base]
activate = 1
[fips]
activate = 1
conditional-errors = 1
security-checks = 1
module-mac = {mac}
"""
TESTS = (
    *(
        "packaging/test_main",
        "robustness/test_fips",
        "robustness/test_fork",
        "keys/test_kinds",
        "keys/test_forms",
    ),
    *("cells/test_seal", "cells/test_passphrase", "cells/test_token_protect"),
    *("cells/test_context_imprint", "cells/test_kept_keys", "cells/test_lists"),
    *("messages/test_signed", "messages/test_encrypted"),
    *("sessions/test_data", "sessions/test_handshake", "sessions/test_known_answers"),
)
LEFT_OUT = (
    "rsa1024",  # the provider refuses such keys, and test_fips.py asks for that; more with them:
    *("lie_are_refused", "another_kind_is_told", "any_message_makes", "is_not_a_public_one"),
    "comparison",  # likewise
    "wrong_result_fails",  # of comparisons
    "refuses_nothing_fails",
    "openssl_command_encrypts",  # with scrypt, which the command itself lacks there
    "scrypt",
    # The module draws what signs by itself, and knows a child by its process number alone: the
    # same bytes give the same signature there. (The key and the message go into the random number
    # of ECDSA, so two messages never share one.) One test has all kinds, with comparisons.
    "number_of_its_parent",
)


def main() -> None:
    """Build the provider unless it is there, and hand over to pytest."""
    build()
    environment = {
        **os.environ,
        "PYTHEMIS_FIPS": "1",
        "OPENSSL_CONF": str(FOLDER / "openssl.cnf"),
        "OPENSSL_MODULES": str(FOLDER),
    }
    program = subprocess.run([sys.executable, "-m", "pythemis"], env=environment, check=False)
    if program.returncode:
        raise SystemExit(program.returncode)
    kept = " and ".join(f"not ({words})" for words in LEFT_OUT)
    tests = [f"tests/{name}.py" for name in TESTS]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    command += sys.argv[1:] or ["-k", kept, *tests]
    raise SystemExit(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)


def build() -> None:
    """Make build/fips: the provider, and a configuration that vouches for it."""
    source = SOURCES[0]
    plan = json.dumps([source.version, source.sha256, OPTIONS])
    made_from = FOLDER / "made-from.json"
    if made_from.exists() and made_from.read_text(encoding="utf-8") == plan:
        return
    need_tools("")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    places = [Path(p) for p in os.environ.get("PYTHEMIS_ARCHIVES", "").split(os.pathsep) if p]
    with tempfile.TemporaryDirectory() as name:
        tree = unpack(source, fetch(source, places), Path(name))
        environment = dict(os.environ)
        run(["./Configure", *OPTIONS], tree, environment)
        run(["make", "-s", "build_generated"], tree, environment)
        run(["make", "-s", f"-j{os.cpu_count() or 1}", "providers/fips.so"], tree, environment)
        shutil.copy(tree / "providers" / "fips.so", MODULE)
    mac = hmac.new(KEY, MODULE.read_bytes(), hashlib.sha256).digest().hex(":").upper()
    (FOLDER / "openssl.cnf").write_text(CONFIG.format(mac=mac), encoding="utf-8")
    made_from.write_text(plan, encoding="utf-8")  # last: it says that everything is there


if __name__ == "__main__":
    main()
