# SPDX-License-Identifier: Apache-2.0
"""Random generators that get no seed, in a thread or a process that has drawn nothing yet."""

import pytest
from _failing_calls import said_where_calls_fail, swaps_libraries

pytestmark = swaps_libraries

# Prints, of each way to draw, each generator (public, private) and each newcomer, what the first
# attempt said and whether the second came out well.
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
        for number in (1, 2):
            shim.fail_call(b"EVP_RAND_reseed", number)
            print(newcomer.__name__, name, number, *newcomer(way), sep=":")
            shim.fail_call(b"", 0)
"""


@pytest.mark.slow
def test_who_gets_no_seed_is_told_and_tries_again(tmp_path):
    """Nothing is drawn from a generator without a seed of its own; the next attempt asks again."""
    said = said_where_calls_fail(tmp_path, DRAW)
    lines = [line.split(":") for line in said.splitlines()]
    assert len(lines) == 2 * 6 * 2
    for *where, first, second in lines:
        assert (first, second) == ("the cryptographic library failed", "well"), where
