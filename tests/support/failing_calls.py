# SPDX-License-Identifier: Apache-2.0
"""Programs in which a call into OpenSSL fails when they say so."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
swaps_libraries = [
    pytest.mark.no_c,
    pytest.mark.swaps_libraries,
    pytest.mark.skipif(sys.platform != "linux", reason="libraries are swapped the Linux way"),
    pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler"),
]

FAILING = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static char failing[64];
static int countdown; /* 0: not armed */

void fail_call(const char *name, int number);
void fail_call(const char *name, int number)
{
    strncpy(failing, name, sizeof failing - 1);
    countdown = number;
}

int calls_left(void);
int calls_left(void)
{
    return countdown;
}

static int fails(const char *name)
{
    return countdown > 0 && strcmp(name, failing) == 0 && --countdown == 0;
}

#define WRAP(name, parameters, arguments)                                                 \\
    int name parameters;                                                                  \\
    int name parameters                                                                   \\
    {                                                                                     \\
        int(*real) parameters = dlsym(RTLD_NEXT, #name);                                  \\
        return fails(#name) ? 0 : real arguments;                                         \\
    }

WRAP(EVP_RAND_generate,
     (void *a, void *b, size_t c, unsigned d, int e, const void *f, size_t g),
     (a, b, c, d, e, f, g))
WRAP(EVP_CipherInit_ex2,
     (void *a, const void *b, const void *c, const void *d, int e, const void *f),
     (a, b, c, d, e, f))
WRAP(EVP_CipherUpdate, (void *a, void *b, int *c, const void *d, int e), (a, b, c, d, e))
WRAP(EVP_CipherFinal_ex, (void *a, void *b, int *c), (a, b, c))
WRAP(EVP_CIPHER_CTX_ctrl, (void *a, int b, int c, void *d), (a, b, c, d))
"""


def said_where_calls_fail(folder, script, *arguments):
    """Run Python with the library above, whose path is its first argument; give what it printed."""
    source, library = folder / "failing.c", folder / "failing.so"
    source.write_text(FAILING)
    # The library beneath must be where RTLD_NEXT looks, not only where our module sees it.
    linking = ["-Wl,--no-as-needed", "-lcrypto", "-ldl"]
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, *linking], check=True)
    return subprocess.check_output(
        [sys.executable, "-c", script, library, *arguments],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(TESTS)},
        text=True,
    )
