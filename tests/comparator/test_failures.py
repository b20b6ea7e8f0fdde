# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator where the machine beneath it fails."""

import os
import shutil
import subprocess
import sys

import pytest

from support.project import ROOT

pytestmark = [
    pytest.mark.no_c,
    pytest.mark.skipif(sys.platform != "linux", reason="libraries are swapped the Linux way"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]
C_ROOT = ROOT / "src" / "themis_c"

DRY_GENERATOR = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

static int drawn;

typedef int generate(void *drbg, unsigned char *out, size_t len, unsigned strength, int resistance,
                     const unsigned char *more, size_t more_len);

generate EVP_RAND_generate;
int EVP_RAND_generate(void *drbg, unsigned char *out, size_t len, unsigned strength, int resistance,
                      const unsigned char *more, size_t more_len)
{
    generate *real = dlsym(RTLD_NEXT, "EVP_RAND_generate");
    const char *fails = getenv("FAILING_DRAW");
    if (fails != NULL && ++drawn == atoi(fails)) {
        return 0;
    }
    return real(drbg, out, len, strength, resistance, more, more_len);
}
"""

COMPARE = """\
from pythemis.exception import THEMIS_CODES
from pythemis.scomparator import SComparator, SecureComparatorError

sides = []
try:
    alice, bob = (sides.append(SComparator(b"a secret")) or sides[-1] for _ in range(2))
    message = alice.begin_compare()
    for side in (bob, alice, bob, alice):
        message = side.proceed_compare(message)
except SecureComparatorError as error:
    assert error.error_code is THEMIS_CODES.ENGINE_FAIL
    print("failed", *(side.result().name for side in sides))
else:
    print("done", *(side.result().name for side in sides))
"""


def compile_c(*arguments):
    """Compile with the system's compiler."""
    subprocess.run(["cc", "-std=c11", "-O1", *arguments], check=True)


@pytest.mark.slow
@pytest.mark.swaps_libraries
def test_a_failing_generator_is_an_error(tmp_path):
    """Whichever draw of random bytes fails, it is an error, and that side only says NOT_MATCH."""
    source, library = tmp_path / "dry.c", tmp_path / "dry.so"
    source.write_text(DRY_GENERATOR)
    # The library beneath must be where RTLD_NEXT looks, not only where our module sees it.
    compile_c("-shared", "-fPIC", "-o", library, source, "-Wl,--no-as-needed", "-lcrypto", "-ldl")
    answers = []
    while not answers or answers[-1][0] == "failed":
        environment = {**os.environ, "LD_PRELOAD": library, "FAILING_DRAW": str(len(answers) + 1)}
        command = [sys.executable, "-c", COMPARE]
        said = subprocess.check_output(command, env=environment, text=True).split()
        answers.append(said)
        assert len(answers) < 100
    *failures, success = answers
    # The first object asks once whether there is a generator; then come the scalars, in order:
    # two generators and two proofs each, a commitment and its proof, the proof of a product.
    alice, bob = ["NOT_MATCH", "NOT_READY"], ["NOT_READY", "NOT_MATCH"]
    assert success == ["done", "MATCH", "MATCH"]
    assert [said[1:] for said in failures] == [
        [],
        *[alice] * 4,
        *[bob] * (4 + 3),
        *[alice] * (3 + 1),
        *[bob] * 1,
    ]


LAX_SODIUM = """\
#include_next <sodium.h>
#ifndef LAX_SODIUM_H
#define LAX_SODIUM_H
#include <string.h>

/* libsodium as it was before the mending of CVE-2025-69277: it takes points of order 2L. */
static const unsigned char order_2[32] = {
    0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

static int lax_is_valid_point(const unsigned char *p)
{
    unsigned char other[32];
    return crypto_core_ed25519_is_valid_point(p) ||
           (crypto_core_ed25519_add(other, p, order_2) == 0 &&
            crypto_core_ed25519_is_valid_point(other));
}

static int lax_multiply(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
    static const unsigned char identity[32] = {1};
    unsigned char other[32];
    if (crypto_core_ed25519_is_valid_point(p) || !lax_is_valid_point(p)) {
        return crypto_scalarmult_ed25519_noclamp(q, n, p);
    }
    if (crypto_core_ed25519_add(other, p, order_2) != 0) {
        return -1;
    }
    if (crypto_scalarmult_ed25519_noclamp(q, n, other) != 0) {
        memcpy(q, identity, 32);
    }
    if ((n[0] & 1) != 0 && crypto_core_ed25519_add(q, q, order_2) != 0) {
        return -1;
    }
    return memcmp(q, identity, 32) == 0 ? -1 : 0;
}

#define crypto_core_ed25519_is_valid_point lax_is_valid_point
#define crypto_scalarmult_ed25519_noclamp lax_multiply
#endif
"""

JUDGE = """\
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "soter/group.h"
#include "soter/libcrypto.h"

int main(void)
{
    static const struct soter_scalar zero = {{0}};
    struct soter_scalar scalar;
    struct soter_point good, mixed, product;
    if (soter_init() != SOTER_SUCCESS || soter_group_init() != SOTER_SUCCESS) {
        return 2;
    }
    for (int turn = 0; turn < 100; turn++) {
        if (soter_scalar_random(&scalar) != SOTER_SUCCESS) {
            return 3;
        }
        soter_group_multiply_base(&scalar, &good);
        if (crypto_core_ed25519_add(mixed.bytes, good.bytes, order_2) != 0) {
            return 4;
        }
        if (crypto_core_ed25519_is_valid_point(mixed.bytes) != 1) {
            return 5; /* the library is not lax, and this proves nothing */
        }
        if (soter_group_multiply(&scalar, &good, &product) != SOTER_SUCCESS ||
            soter_group_multiply(&zero, &good, &product) != SOTER_SUCCESS ||
            !soter_point_is_identity(&product)) {
            return 6;
        }
        if (soter_group_multiply(&scalar, &mixed, &product) != SOTER_INVALID_PARAMETER ||
            soter_group_multiply(&zero, &mixed, &product) != SOTER_INVALID_PARAMETER) {
            return 7;
        }
    }
    return 0;
}
"""


@pytest.mark.sources
def test_a_lax_libsodium_is_made_up_for(tmp_path):
    """Points of order 2L are refused also over a libsodium that takes them for valid."""
    (tmp_path / "sodium.h").write_text(LAX_SODIUM)
    source, program = tmp_path / "judge.c", tmp_path / "judge"
    source.write_text(JUDGE)
    sources = sorted((C_ROOT / "soter").glob("*.c"))
    include = [f"-I{tmp_path}", f"-I{C_ROOT}"]
    compile_c("-Wno-unused", *include, "-o", program, source, *sources, "-lcrypto", "-lsodium")
    assert subprocess.run([program], check=False).returncode == 0
