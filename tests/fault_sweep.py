# SPDX-License-Identifier: Apache-2.0
"""Run by test_cell_faults.py with failing_malloc preloaded: fail every allocation there is, once.

Each operation of the core is repeated; the first time its first allocation fails, then its second,
until none was left to fail. Prints one line per operation: name, failures, other answers.
"""

import ctypes
import sys
from pathlib import Path

import pythemis.scell
from pythemis._themis import ffi, lib

SHIM = ctypes.CDLL(sys.argv[1])
ANSWERS = (lib.THEMIS_NO_MEMORY, lib.THEMIS_ENGINE_FAIL)
MOST = 100  # OpenSSL's PBKDF2 allocates in each of its iterations
MESSAGE, CONTEXT, SIZE = bytes(range(1, 101)), b"context", 100
CELL = pythemis.scell.SCellSeal(b"key")
PASSPHRASE = pythemis.scell.SCellSeal(passphrase=b"key")


def watch(*names):
    """Let allocations of these libraries' code fail."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_, path = line.split(maxsplit=5)
        if "x" in rights and Path(path).name.startswith(names):
            start, end = (int(end, 16) for end in span.split("-"))
            SHIM.fault_watch(ctypes.c_size_t(start), ctypes.c_size_t(end))


def new(function, kind, *arguments):
    """Make an operation that prepares a handle."""

    def operation(arm, disarm):
        made = ffi.new(f"{kind} **")
        arm()
        status = function(*arguments, made)
        fired = disarm()
        assert (made[0] != ffi.NULL) == (status == lib.THEMIS_SUCCESS)
        getattr(lib, f"{kind}_free")(made[0])
        return status, fired

    return operation


def writing(function, size, *arguments, expected=None):
    """Make an operation with an output of `size` bytes."""

    def operation(arm, disarm):
        out = ffi.new("uint8_t[]", size)
        arm()
        status = function(*before(arguments), out, *after(arguments))
        fired = disarm()
        if status == lib.THEMIS_SUCCESS:
            assert expected is None or bytes(out) == expected
        elif expected is not None:
            assert bytes(out) == bytes(size), "unverified bytes came out"
        return status, fired

    return operation


def before(arguments):
    """Give the arguments before the output."""
    return arguments[: arguments.index(...)] if ... in arguments else arguments


def after(arguments):
    """Give the arguments behind the output, which stand behind an ellipsis."""
    return arguments[arguments.index(...) + 1 :] if ... in arguments else ()


def operations():
    """Give every operation of the core that allocates, by name."""
    sealed = CELL.encrypt(MESSAGE, CONTEXT)
    sealed_by_passphrase = bytes.fromhex(sys.argv[2])
    message, context = (MESSAGE, SIZE), (CONTEXT, len(CONTEXT))
    imprint = pythemis.scell.SCellContextImprint(b"key").encrypt(MESSAGE, CONTEXT)
    yield "cell_new", new(lib.themis_cell_new, "themis_cell", b"key", 3, 0)
    yield "cell_new long", new(lib.themis_cell_new, "themis_cell", bytes(65), 65, 0)
    yield (
        "passphrase_new",
        new(lib.themis_passphrase_new, "themis_passphrase", b"key", 3, 5),
    )
    yield "seal", writing(lib.themis_cell_seal, SIZE + 44, CELL._handle, *message, *context)
    yield (
        "unseal",
        writing(
            lib.themis_cell_unseal,
            SIZE,
            *(CELL._handle, sealed, len(sealed), *context),
            expected=MESSAGE,
        ),
    )
    yield (
        "imprint",
        writing(lib.themis_cell_imprint, SIZE, CELL._handle, *message, *context, expected=imprint),
    )
    yield (
        "passphrase_seal",
        writing(lib.themis_passphrase_seal, SIZE + 70, PASSPHRASE._handle, *message, *context),
    )
    yield (
        "passphrase_unseal",
        writing(
            lib.themis_passphrase_unseal,
            SIZE,
            *(PASSPHRASE._handle, sealed_by_passphrase, len(sealed_by_passphrase)),
            *(*context, ..., SIZE),
            expected=MESSAGE,
        ),
    )
    yield "symmetric_key", writing(lib.themis_symmetric_key, 32)
    label = (b"label", 5)
    yield "kdf", writing(lib.themis_selftest_kdf, 32, b"key", 3, *label, b"", 0, ..., 32)
    yield "keyless kdf", writing(lib.themis_selftest_kdf, 32, b"", 0, *label, b"", 0, ..., 32)


def sweep(operation):
    """Fail one allocation after the other; give how often that failed the operation."""
    failures = 0
    for at in range(1, MOST + 1):
        status, fired = operation(lambda at=at: SHIM.fault_arm(at), SHIM.fault_disarm)
        if not fired:
            assert status == lib.THEMIS_SUCCESS
            break
        if status != lib.THEMIS_SUCCESS:
            assert status in ANSWERS, status
            failures += 1
    return failures


class Mallinfo2(ctypes.Structure):
    """What the allocator of the GNU C library says about itself."""

    _fields_ = [(f"field{n}", ctypes.c_size_t) for n in range(10)]


LIBC = ctypes.CDLL(None)
LIBC.mallinfo2.restype = Mallinfo2


def allocated():
    """Give how many bytes are allocated now."""
    info = LIBC.mallinfo2()
    return info.field7 + info.field4  # in the heap, and mapped


def main():
    """Sweep everything, then again and again to see whether anything is lost."""
    watch("_themis", "libcrypto")
    todo = dict(operations())
    for name, operation in todo.items():
        print(name, sweep(operation))
    for _ in range(3):
        start = allocated()
        for _ in range(20):
            for name, operation in todo.items():
                if not name.startswith("passphrase_seal"):  # slow
                    sweep(operation)
    lost = allocated() - start
    print("lost", lost)


main()
