# SPDX-License-Identifier: Apache-2.0
"""When memory runs out inside the core: an error, nothing half done, nothing lost."""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.definitions import forge

TESTS = Path(__file__).resolve().parents[1]
# Of `openssl pkcs8 -topk8 -iter 10 -passout pass:secret`: OpenSSL's PBKDF2 allocates in each of its
# iterations, so the sweep wants few.
ENCRYPTED_KEY = b"""\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAj+7Q8K/F+iCgIBCjAM
BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQC2jd0BgFCx3Trh5PphZVmwSBkHhh
auMqjHwuO+PLDMlyZT/ru41oc86BgwfbiPpaPNJe/HEO/fxAwdJGnxHZR8IfzdbE
/G/3ZKikbCwr3XKKx+RPE9O/nP9M1vQzSUJD1FxGmB50mo8RIEA8imzCoS/lgxwL
3u/L8AqGj1YylldV/ynvgTHJt4gDsXLEJz7qOkjF111LY8m+m/Eg/Lr35HoOng==
-----END ENCRYPTED PRIVATE KEY-----
"""
LEAST = {  # our own allocations alone, without those that OpenSSL makes beneath
    "cell_new": 2,
    "cell_new long": 2,
    "passphrase_new": 2,
    "seal": 1,
    "unseal": 1,
    "imprint": 2,
    "passphrase_seal": 2,
    "passphrase_unseal": 2,
    "symmetric_key": 0,
    "comparator_new": 1,
    "comparator step 0": 0,
    "comparator step 1": 2,
    "comparator step 2": 5,
    "comparator step 3": 5,
    "comparator step 4": 3,
    "comparator step 5": 1,
    **{f"{algorithm} signer_new": 3 for algorithm in ("EC", "RSA")},
    **{f"{algorithm} verifier_new": 3 for algorithm in ("EC", "RSA")},
    **{f"{algorithm} message_new": 4 for algorithm in ("EC", "RSA")},
    **{f"{algorithm} sign": 0 for algorithm in ("EC", "RSA")},
    **{f"{algorithm} verify": 0 for algorithm in ("EC", "RSA")},
    **{f"{algorithm} wrap": least for algorithm, least in (("EC", 1), ("RSA", 3))},
    **{f"{algorithm} unwrap": least for algorithm, least in (("EC", 1), ("RSA", 3))},
    **{f"{algorithm} export": 3 for algorithm in ("EC", "RSA")},
    "EC key_pair": 1,
    "EC key_public": 1,
    "EC key_uncompressed": 1,
    "EC import": 2,
    "EC encrypted import": 2,
}
LEAST_OF_HOOKS = {
    "kdf": 1,
    "keyless kdf": 1,
    "EC session_new": 6,
    "EC negotiation 0": 2,
    "EC negotiation 1": 6,
    "EC negotiation 2": 6,
    "EC negotiation 3": 6,
    "EC negotiation 4": 4,
    "EC session message": 0,
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.evidence,
    pytest.mark.skipif(
        sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "__libc_malloc"),
        reason="replaces the allocator of the GNU C library",
    ),
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Run the sweep with the failing allocator: what it printed, by name."""
    shim = tmp_path_factory.mktemp("shim") / "failing_malloc.so"
    compiler = os.environ.get("CC", "cc")
    if not shutil.which(compiler.split()[0]):
        pytest.skip("needs a C compiler")
    source = TESTS / "support" / "failing_malloc.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, source], check=True)
    sealed = forge(b"key", bytes(range(1, 101)), b"context")
    done = subprocess.run(
        [sys.executable, "-m", "support.fault_sweep", shim, sealed.hex(), ENCRYPTED_KEY.hex()],
        env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {name: int(number) for name, number in map(split, done.stdout.splitlines())}


def split(line):
    """Split a line into its name and its number."""
    name, _, number = line.rpartition(" ")
    return name, number


@pytest.mark.parametrize(
    ("name", "least"),
    [
        *LEAST.items(),
        *(pytest.param(*case, marks=pytest.mark.hooks) for case in LEAST_OF_HOOKS.items()),
    ],
)
def test_every_allocation_may_fail(answers, name, least):
    """Whichever allocation fails: NO_MEMORY or ENGINE_FAIL, no handle, nothing unverified out."""
    assert answers[name] >= least


def test_nothing_is_lost_when_allocations_fail(answers):
    """Twenty sweeps of everything leave no block behind; one leak would be 20 at least."""
    assert answers["lost"] < 20
