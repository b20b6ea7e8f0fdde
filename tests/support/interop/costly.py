# SPDX-License-Identifier: Apache-2.0
"""Run by test_differential.py in a process that counts: what the fuzzer says of planted faults.

Each holds some bytes beside an honest answer, half of the limit or twice as much. Prints a line for
each: its name, the family, whether that is within the limit, and the cases that were called LARGE.
"""

import base64
import contextlib
import ctypes

from pythemis.exception import ThemisError
from pythemis.skeygen import from_pem
from support.interop import differential
from support.interop.differential import LARGE
from support.interop.peer import Peer

CASES = 10
libc = ctypes.CDLL(None)
for function, arguments in (
    (libc.malloc, (ctypes.c_size_t,)),
    (libc.calloc, (ctypes.c_size_t, ctypes.c_size_t)),
    (libc.realloc, (ctypes.c_void_p, ctypes.c_size_t)),
    (libc.free, (ctypes.c_void_p,)),
):
    function.argtypes, function.restype = arguments, ctypes.c_void_p


def refused():
    """Ask for more memory than there is."""
    assert libc.calloc(1 << 20, 1 << 40) is None


def resized(size):
    """Let a block grow: for a moment there are two."""
    libc.free(libc.realloc(libc.malloc(size // 3), size * 2 // 5))


def objects(size):
    """Make small objects, which Python usually takes out of larger blocks."""
    assert len([bytes(100) for _ in range(size // 140)]) > 1


def core_reads(text):
    """Let the core read a key, whose text it decodes into a block of its own."""
    with contextlib.suppress(ThemisError):
        from_pem(text)


def plants(size):
    """Name faults that hold so many bytes."""
    lines = base64.encodebytes(bytes(size))
    text = b"-----BEGIN PRIVATE KEY-----\n" + lines + b"-----END PRIVATE KEY-----\n"
    return {
        "block": lambda: libc.free(libc.malloc(size)),
        "zeros": lambda: libc.free(libc.calloc(size, 1)),
        "resized": lambda: resized(size),
        "objects": lambda: objects(size),
        "core": lambda: core_reads(text),
    }


def found(peer, family, plant):
    """Return which cases are called LARGE if answers of ours hold what is planted as well."""
    name = "play_ours" if family in differential.SCRIPTS else "answer_of_ours"
    honest = getattr(differential, name)

    def answer(given):
        plant()
        return honest(given)

    setattr(differential, name, answer)
    fuzzer = differential.Fuzzer(peer, "1")
    fuzzer.block(family, 0, CASES)
    setattr(differential, name, honest)
    large = [finding.number for finding in fuzzer.findings if finding.ours.result == LARGE]
    return "all" if large == list(range(CASES)) else large or "none"


def main():
    """Plant each fault."""
    peer = Peer()
    within, beyond = plants(differential.HELD // 2), plants(differential.HELD * 2)
    for where, planted in (("within", within), ("beyond", {**beyond, "refused": refused})):
        for name, plant in planted.items():
            for family in ("seal", "comparator"):
                print(f"{name}, {family}, {where}: {found(peer, family, plant)}")
    peer.close()


if __name__ == "__main__":
    main()
