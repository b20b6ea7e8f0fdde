# SPDX-License-Identifier: Apache-2.0
"""Random generators that fail: OpenSSL's, the processor's, the kernel's."""

import ctypes
import subprocess
import sys

import pytest

from support.failing_calls import said_where_calls_fail, swaps_libraries
from support.project import ROOT

pytestmark = swaps_libraries

# Prints, of each way to draw and each newcomer, what the first attempt said and whether the second
# came out well.
DRAW = """\
import ctypes
import os
import sys

from concurrent.futures import ThreadPoolExecutor

from pythemis.exception import ThemisError
from pythemis.scell import SCellSeal
from pythemis.scomparator import SComparator
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SMessage, ssign

shim = ctypes.CDLL(sys.argv[1])
key = GenerateSymmetricKey()
pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
private, public = pair.export_private_key(), pair.export_public_key()
WAYS = {
    "key": GenerateSymmetricKey,
    "pair": lambda: GenerateKeyPair(KEY_PAIR_TYPE.EC),
    "nonce": lambda: SCellSeal(key=key).encrypt(b"a message"),
    "wrap": lambda: SMessage(private, public).wrap(b"a message"),
    "signature": lambda: ssign(private, b"a message"),
    "comparison": lambda: SComparator(b"a secret").begin_compare(),
}


def attempt(way):
    try:
        way()
    except ThemisError as error:
        return str(error)
    return "well"


def in_a_thread(way):
    with ThreadPoolExecutor(1) as pool:
        return [pool.submit(attempt, way).result() for _ in range(2)]


def in_a_child(way):
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(theirs, "|".join(attempt(way) for _ in range(2)).encode())
        os._exit(0)
    os.close(theirs)
    with open(ours) as pipe:
        said = pipe.read().split("|")
    os.waitpid(child, 0)
    return said


for newcomer in (in_a_thread, in_a_child):
    for name, way in WAYS.items():
        shim.fail_call(b"EVP_RAND_generate", 1)
        print(newcomer.__name__, name, *newcomer(way), sep=":")
        shim.fail_call(b"", 0)
"""


@pytest.mark.slow
def test_a_generator_that_fails_is_an_error_and_is_asked_again(tmp_path):
    """A thread or a child whose first draw fails gets an error, and the next attempt succeeds."""
    said = said_where_calls_fail(tmp_path, DRAW)
    lines = [line.split(":") for line in said.splitlines()]
    assert len(lines) == 2 * 6
    for *where, first, second in lines:
        assert (first, second) == ("the cryptographic library failed", "well"), where


# ---- Fresh bits: the processor and the kernel are played ----

PLAYED_PROCESSOR = """\
#include_next "soter/compiler.h"
#undef SOTER_RDRAND_FUNCTION
#undef SOTER_RDRAND_PRESENT
#undef SOTER_RDRAND
#define SOTER_RDRAND_FUNCTION
#define SOTER_RDRAND_PRESENT() (present != 0)
#define SOTER_RDRAND(word) (rdrand(word) == 1)
extern int present;
int rdrand(unsigned long long *word);
"""
PLAYED_CALLS = """\
#include <errno.h>
#include <string.h>
int present;
unsigned long long words[16]; /* what the processor gives, up to a 42, where it fails */
int next_word;
int rdrand(unsigned long long *word);
int rdrand(unsigned long long *word)
{
    *word = words[next_word++];
    return *word != 42;
}
int steps[8]; /* what the kernel does: gives at most so many bytes, or fails with -errno */
int next_step;
long kernel(long number, unsigned char *out, unsigned long len, unsigned int flags);
long kernel(long number, unsigned char *out, unsigned long len, unsigned int flags)
{
    const int step = steps[next_step++];
    (void)number;
    (void)flags;
    if (step < 0) {
        errno = -step;
        return -1;
    }
    len = len < (unsigned long)step ? len : (unsigned long)step;
    memset(out, 0x4b, len);
    return (long)len;
}
"""
A, B, C, D = 0x1111111111111111, 0x2222222222222222, 0x3333333333333333, 0x4444444444444444
FAILS, ONES = 42, 2**64 - 1
EINTR, ENOSYS = 4, 38


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Give soter_entropy as a function of what is played: words, what the kernel does, a length."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "soter").mkdir()
    (folder / "soter" / "compiler.h").write_text(PLAYED_PROCESSOR)
    (folder / "played.c").write_text(PLAYED_CALLS)
    core = ROOT / "src" / "themis_c"
    sources = [folder / "played.c", core / "soter" / "entropy.c", core / "soter" / "wipe.c"]
    options = [f"-I{folder}", f"-I{core}", "-D_GNU_SOURCE", "-Dsyscall=kernel", "-std=c11"]
    library = folder / "fresh.so"
    command = ["cc", "-shared", "-fPIC", *options, "-o", library, *sources, "-lcrypto"]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(library)

    def draw(words, steps, length):
        ctypes.c_int.in_dll(loaded, "present").value = words is not None
        (ctypes.c_ulonglong * 16).in_dll(loaded, "words")[:] = [*(words or []), *[FAILS] * 16][:16]
        (ctypes.c_int * 8).in_dll(loaded, "steps")[:] = [*steps, *[-ENOSYS] * 8][:8]
        for name in ("next_word", "next_step"):
            ctypes.c_int.in_dll(loaded, name).value = 0
        loaded.soter_entropy_init()
        out = ctypes.create_string_buffer(b"\xee" * 40, 40)
        loaded.soter_entropy.restype = ctypes.c_bool
        given = loaded.soter_entropy(out, ctypes.c_size_t(length))
        assert out.raw[length:] == b"\xee" * (40 - length)
        asked = ctypes.c_int.in_dll(loaded, "next_step").value
        return given, out.raw[:length], asked

    return draw


def of_words(*words):
    """Give words as a processor of this machine writes them."""
    return b"".join(word.to_bytes(8, sys.byteorder) for word in words)


@pytest.mark.sources
@pytest.mark.parametrize("length", [1, 8, 12, 16, 20, 32])
def test_fresh_bits_are_the_processors(fresh, length):
    """They are its words one after the other, and the kernel is not asked."""
    assert fresh([A, B, C, D], [], length) == (True, of_words(A, B, C, D)[:length], 0)


@pytest.mark.sources
@pytest.mark.parametrize(
    "words",
    [
        None,
        [FAILS],
        [A, FAILS],
        [ONES, ONES],
        [A, ONES],
        [0, A],
        [A, 0],
        [A, A],
        [A, B, B],
        [A, B, C, C],
    ],
)
def test_a_processor_that_fails_or_repeats_is_not_believed(fresh, words):
    """All of the bits are the kernel's then."""
    assert fresh(words, [99], 32) == (True, b"K" * 32, 1)


@pytest.mark.sources
@pytest.mark.parametrize("word", [A, ONES, 0])
def test_a_stuck_processor_shows_in_one_byte(fresh, word):
    """Never fewer than two words are drawn, so that there is something to compare."""
    assert fresh([word, word], [99], 1) == (True, b"K", 1)


@pytest.mark.sources
def test_the_kernel_is_asked_until_it_gave_everything(fresh):
    """It may be interrupted, or give less than it is asked for."""
    assert fresh(None, [-EINTR, 5, -EINTR, 99], 32) == (True, b"K" * 32, 4)


@pytest.mark.sources
@pytest.mark.parametrize("steps", [[-ENOSYS], [5, -ENOSYS], [0]])
def test_without_fresh_bits_there_are_none(fresh, steps):
    """A kernel that refuses is an error, and nothing takes the place of its bits."""
    given, _, asked = fresh(None, steps, 32)
    assert (given, asked) == (False, len(steps))
