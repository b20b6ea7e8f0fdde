# SPDX-License-Identifier: Apache-2.0
"""Secure Session where the cryptographic library beneath it fails."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
pytestmark = [
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

SCRIPT = """\
import ctypes
import json
import sys

from concurrent.futures import ThreadPoolExecutor

from _sessions import assert_works, established
from pythemis.ssession import SecureSessionError

shim = ctypes.CDLL(sys.argv[1])
answers = []
for writes in (True, False):
    for name in sys.argv[2:]:
        number = 0
        while True:
            number += 1
            client, server = established()
            wrapped = client.wrap(b"m" * 100)
            shim.fail_call(name.encode(), number)
            try:
                # A new thread has no random bytes left over from before.
                with ThreadPoolExecutor(1) as pool:
                    call = (client.wrap, b"m" * 100) if writes else (server.unwrap, wrapped)
                    pool.submit(*call).result()
                said = [0, ""]
            except SecureSessionError as error:
                said = [int(error.error_code), str(error)]
            if shim.calls_left() > 0:  # there was no such call
                shim.fail_call(b"", 0)
                break
            session = client if writes else server
            answer = {"writes": writes, "name": name, "said": said, "state": session.state.name}
            answers.append(answer)
            if session.is_established():
                assert_works(client, server)
                continue
            assert session.remote_id is None
            for use in (session.wrap, session.unwrap):
                try:
                    use(wrapped)
                except SecureSessionError as error:
                    answer.setdefault("later", []).append([int(error.error_code), str(error)])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Fail each call to the library while a message is written or read: what came of it."""
    folder = tmp_path_factory.mktemp("failing")
    source, library = folder / "failing.c", folder / "failing.so"
    source.write_text(FAILING)
    # The library beneath must be where RTLD_NEXT looks, not only where our module sees it.
    linking = ["-Wl,--no-as-needed", "-lcrypto", "-ldl"]
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, *linking], check=True)
    names = ["EVP_RAND_generate", "EVP_CipherInit_ex2", "EVP_CipherUpdate", "EVP_CipherFinal_ex"]
    said = subprocess.check_output(
        [sys.executable, "-c", SCRIPT, library, *names, "EVP_CIPHER_CTX_ctrl"],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": str(HERE)},
        text=True,
    )
    return json.loads(said)


def of(answers, name, *, writes):
    """Give what failures of one call led to."""
    return [answer for answer in answers if (answer["name"], answer["writes"]) == (name, writes)]


def test_a_session_survives_a_generator_that_fails(answers):
    """Without random bytes nothing is written; the next message goes out as ever."""
    [answer] = of(answers, "EVP_RAND_generate", writes=True)
    assert answer["said"] == [18, "the cryptographic library failed"]
    assert answer["state"] == "ESTABLISHED"
    assert of(answers, "EVP_RAND_generate", writes=False) == []


@pytest.mark.parametrize("writes", [True, False])
def test_a_session_ends_when_its_cipher_fails(answers, writes):
    """A cipher that failed in the middle of a message is not used again: the session is dead."""
    failure = (18, "the cryptographic library failed")
    for name, calls in (
        ("EVP_CipherInit_ex2", 1),
        ("EVP_CipherUpdate", 2),
        ("EVP_CIPHER_CTX_ctrl", 1),
    ):
        found = of(answers, name, writes=writes)
        # The generator of random bytes is a cipher, too; where that failed, ours is sound.
        inside_generator, ours = found[:-calls], found[-calls:]
        assert [answer["state"] for answer in ours] == ["FAILED"] * calls
        assert {answer["state"] for answer in inside_generator} <= {"ESTABLISHED"}
        assert writes or not inside_generator
        assert {tuple(answer["said"]) for answer in found} == {failure}
        says = "the session failed and its keys are wiped; make a new one"
        assert [answer["later"] for answer in ours] == [[[18, says]] * 2] * calls


def test_a_tag_that_cannot_be_judged_is_a_wrong_tag(answers):
    """OpenSSL does not tell a failure from a wrong tag: the message is refused, no more."""
    [answer] = of(answers, "EVP_CipherFinal_ex", writes=False)
    assert answer["said"][0] == 11
    assert answer["state"] == "ESTABLISHED"
    [answer] = of(answers, "EVP_CipherFinal_ex", writes=True)
    assert answer["state"] == "FAILED"
