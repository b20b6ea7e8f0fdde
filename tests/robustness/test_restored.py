# SPDX-License-Identifier: Apache-2.0
"""A process that is frozen once and resumed twice draws nothing twice."""

import json
import os
import sys

import pytest

from support.draws import DRAWS
from support.forks import PATIENCE, in_pieces, repeated
from support.restored import run_twice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="restores a process as Linux can")

# Python's own libcrypto draws from a generator whose state is part of the image, as ours is.
SCRIPT = f"""
import json, os, signal, ssl
from support.draws import DRAWS, draw_of
from support.restored import be_traced, freeze

def draw(times=None):
    said = {{name: draw_of(name, times).hex() for name in DRAWS}}
    said["control"] = b"".join(ssl.RAND_bytes(12) for _ in range(50)).hex()
    return json.dumps(said).encode()

signal.alarm({PATIENCE})
draw(1)
if be_traced():
    freeze()
    os.write(1, draw() + b"\\n")
    freeze()
"""


@pytest.fixture(scope="module")
def runs():
    """Give what both runs drew."""
    said = run_twice(SCRIPT)
    if said is None:
        assert os.environ.get("CI") != "true", "processes may not be traced here"
        pytest.skip("processes may not be traced here")
    return [{name: bytes.fromhex(text) for name, text in json.loads(line).items()} for line in said]


def test_a_generator_within_the_image_repeats(runs):
    """What was restored was all of the process: OpenSSL's own generator draws the same again."""
    first, second = (run["control"] for run in runs)
    assert first == second
    assert repeated(first, 12) == 0


@pytest.mark.parametrize("name", DRAWS)
def test_a_restored_process_draws_nothing_again(runs, name):
    """Nonces, keys, salts, and what OpenSSL draws for messages and signatures."""
    size, _, times = DRAWS[name]
    both = b"".join(run[name] for run in runs)
    assert len(in_pieces(both, size)) >= 2 * times
    assert repeated(both, size) == 0
