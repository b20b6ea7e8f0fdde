# SPDX-License-Identifier: Apache-2.0
"""Cells to read, what is not bytes, and the words in which that is refused."""

import mmap

import numpy as np

from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from support.cells import quick, with_u32
from support.definitions import forge

KEY = b"k" * 32
DATA = bytes(range(48))
SEALED = SCellSeal(KEY).encrypt(DATA, DATA)
ENCRYPTED, PROTECTING_TOKEN = SCellTokenProtect(KEY).encrypt(DATA, DATA)
IMPRINTED = SCellContextImprint(KEY).encrypt(DATA, DATA)
BY_PASSPHRASE = forge(KEY, DATA, DATA)


def mapped(data):
    """Put bytes into an anonymous mapping."""
    mapping = mmap.mmap(-1, len(data))
    mapping[:] = data
    return mapping


NOT_CONTIGUOUS = {
    "every second byte": lambda: memoryview(DATA * 2)[::2],
    "backwards": lambda: memoryview(DATA)[::-1],
    "columns of numpy": lambda: np.frombuffer(DATA, np.uint8).reshape(6, 8)[:, 1:3],
    "numpy in Fortran's order": lambda: np.asfortranarray(np.ones((6, 8), np.uint8)),
    "numpy backwards": lambda: np.frombuffer(DATA, np.uint8)[::-1],
}


class FailingExport:
    """Refuses to be looked into."""

    def __init__(self, error):
        self.error = error

    def __buffer__(self, flags):
        raise self.error


def released():
    """Give a memoryview that was released."""
    view = memoryview(DATA)
    view.release()
    return view


def closed_mapping():
    """Give a mapping that was closed."""
    mapping = mapped(DATA)
    mapping.close()
    return mapping


NOT_BYTES = {
    "text": lambda: "text",
    "text of numpy": lambda: np.str_("text"),
    "no text": str,
    "a number": lambda: 5,
    "zero": lambda: 0,
    "a float": lambda: 1.5,
    "a bool": lambda: True,
    "a list": lambda: [1, 2],
    "a tuple": lambda: (1, 2),
    "a dict": dict,
    "an object": object,
    "a class": lambda: bytes,
    "a released memoryview": released,
    "a closed mmap": closed_mapping,
    "a failing export": lambda: FailingExport(BufferError("no")),
    "a wrong export": lambda: FailingExport(ValueError("no")),
    # Their bytes are addresses.
    "objects of numpy": lambda: np.array([b"alice", None], object),
    "a view of objects of numpy": lambda: memoryview(np.array([b"alice", None], object)),
    "structures of numpy with objects": lambda: np.zeros(9, [("n", "i4"), ("o", object)]),
    **NOT_CONTIGUOUS,
}


def complaint(bad, what):
    """Give the words in which something that is not bytes is refused."""
    if isinstance(bad, str):
        if what in ("the encrypted message", "the token"):
            return f"{what} must be bytes, not str; if it is base64, decode it first"
        return f"{what} must be bytes, not str; encode text first: 'text'.encode()"
    wanted = "text, bytes" if what == "the passphrase" else "bytes"
    kind = type(bad).__name__
    return f"{what} must be {wanted} or a contiguous bytes-like object, not {kind}"


def huge_claims():
    """Give hostile inputs whose fields claim gigabytes, with the call that reads them."""
    seal, protect = SCellSeal(KEY).decrypt, SCellTokenProtect(KEY).decrypt
    phrase = quick(KEY).decrypt
    for claim in (2**32 - 1, 2**31, 2**31 - 1, 2**30):
        for at in (4, 8, 12):
            yield seal, (with_u32(SEALED, at, claim), DATA)
            yield protect, (ENCRYPTED, with_u32(PROTECTING_TOKEN, at, claim), DATA)
        for at in (4, 8, 12, 16):
            yield phrase, (with_u32(BY_PASSPHRASE, at, claim), DATA)
        # message and KDF context that together wrap around to the real length
        wrapped = with_u32(BY_PASSPHRASE, 12, claim)
        yield phrase, (with_u32(wrapped, 16, (22 + len(DATA) - claim) % 2**32), DATA)
