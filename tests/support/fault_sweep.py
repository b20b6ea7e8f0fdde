# SPDX-License-Identifier: Apache-2.0
"""Run by test_faults.py with failing_malloc preloaded: fail every allocation there is, once.

Each operation of the core is repeated; the first time its first allocation fails, then its second,
until none was left to fail. Prints one line per operation: name, failures, other answers.
"""

import ctypes
import gc
import sys
from pathlib import Path

import pythemis.scell
import pythemis.skeygen
import pythemis.smessage
from pythemis._themis import ffi, lib
from pythemis.scomparator import SComparator
from support import session_faults

SHIM = ctypes.CDLL(sys.argv[1])
ANSWERS = (lib.THEMIS_NO_MEMORY, lib.THEMIS_ENGINE_FAIL)
REFUSED = (
    lib.THEMIS_INVALID_PARAMETER,
    lib.THEMIS_NOT_SUPPORTED,
    lib.THEMIS_DATA_CORRUPT,
    lib.THEMIS_FAIL,
)
# Not everything in OpenSSL says why it failed; then lack of memory looks like bad data.
SILENT = {
    "signer_new": (lib.THEMIS_DATA_CORRUPT,),
    "verifier_new": (lib.THEMIS_DATA_CORRUPT,),
    "message_new": (lib.THEMIS_DATA_CORRUPT,),
    "verify": (lib.THEMIS_INVALID_SIGNATURE,),
    "unwrap": (lib.THEMIS_FAIL,),  # on purpose: of a secret that does not open we say no more
    "export": (lib.THEMIS_DATA_CORRUPT,),
    "key_public": (lib.THEMIS_DATA_CORRUPT,),
    "key_uncompressed": (lib.THEMIS_DATA_CORRUPT,),
    "import": REFUSED,
    "encrypted import": REFUSED,
    "session_new": session_faults.SILENT,
    **{f"negotiation {number}": session_faults.SILENT for number in range(5)},
}
MOST = 100  # OpenSSL's PBKDF2 allocates in each of its iterations
MOST_OF_KEYS = 3000
SLOW = ("passphrase_seal", "EC import", "EC encrypted import", "EC export", "RSA export")
MESSAGE, CONTEXT, SIZE = bytes(range(1, 101)), b"context", 100
CELL = pythemis.scell.SCellSeal(b"key")
PASSPHRASE = pythemis.scell.SCellSeal(passphrase=b"key", min_iterations=1)


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


def writing(function, size, *arguments, expected=None, is_fixed=False):
    """Make an operation with an output of `size` bytes, which it is told unless they are fixed."""
    room = () if is_fixed else (size,)

    def operation(arm, disarm):
        out = ffi.new("uint8_t[]", size)
        arm()
        status = function(*before(arguments), out, *(after(arguments) or room))
        fired = disarm()
        if status == lib.THEMIS_SUCCESS:
            assert expected is None or bytes(out) == expected
        elif expected is not None:
            assert bytes(out) == bytes(size), "unverified bytes came out"
        return status, fired

    return operation


# A handle keeps the contexts that an operation made, and the next may then allocate nothing. So
# operations with handles that do get a fresh one each time.


def with_fresh_cell(function, size, *arguments, expected=None):
    """Make an operation with a cell, and with an output of `size` bytes."""

    def operation(arm, disarm):
        cell = pythemis.scell.SCellSeal(b"key")
        return writing(function, size, cell._held, *arguments, expected=expected)(arm, disarm)

    return operation


def comparing(step):
    """Make an operation that takes one step of a comparison; 0 is adding to the secret."""

    def operation(arm, disarm):
        sides = [SComparator(b"key"), SComparator(b"key")]
        alice, bob = (side._held.handle for side in sides)
        if step == 0:
            arm()
            status = lib.themis_comparator_append(alice, MESSAGE, SIZE)
            return status, disarm()
        message = ffi.new("uint8_t[]", lib.THEMIS_COMPARATOR_FIRST_SIZE)
        for at in range(1, step + 1):
            side = alice if at % 2 else bob
            reply = message
            if at > 1:
                room = lib.themis_comparator_reply_size(side)
                reply = ffi.new("uint8_t[]", room)
            if at == step:
                arm()
            if at == 1:
                status = lib.themis_comparator_begin(side, reply)
            else:
                status = lib.themis_comparator_proceed(side, message, len(message), reply, room)
            if at == step:
                fired = disarm()
            message = reply
        if status != lib.THEMIS_SUCCESS:
            assert lib.themis_comparator_result(side) == lib.THEMIS_COMPARATOR_NO_MATCH
            assert lib.themis_comparator_expected_size(side) == 0
            assert bytes(reply) == bytes(len(reply)), "half a message came out"
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
        new(lib.themis_passphrase_new, "themis_passphrase", b"key", 3, 5, 1, 5),
    )
    yield "seal", with_fresh_cell(lib.themis_cell_seal, SIZE + 44, *message, *context)
    yield (
        "unseal",
        with_fresh_cell(
            lib.themis_cell_unseal, SIZE, sealed, len(sealed), *context, expected=MESSAGE
        ),
    )
    yield (
        "imprint",
        with_fresh_cell(lib.themis_cell_imprint, SIZE, *message, *context, expected=imprint),
    )
    yield (
        "passphrase_seal",
        writing(lib.themis_passphrase_seal, SIZE + 70, PASSPHRASE._held, *message, *context),
    )
    yield (
        "passphrase_unseal",
        writing(
            lib.themis_passphrase_unseal,
            SIZE,
            *(PASSPHRASE._held, sealed_by_passphrase, len(sealed_by_passphrase)),
            *(*context, ..., SIZE),
            expected=MESSAGE,
        ),
    )
    yield "symmetric_key", writing(lib.themis_symmetric_key, 32, is_fixed=True)
    yield "comparator_new", new(lib.themis_comparator_new, "themis_comparator")
    for step in range(6):
        yield f"comparator step {step}", comparing(step)
    yield from operations_of_keys()
    if hasattr(lib, "themis_testing_kdf"):  # the hooks for tests, which a release lacks
        yield from operations_of_hooks()


def operations_of_hooks():
    """Give what only the hooks for tests reach, and sessions with recorded keys."""
    label = (b"label", 5)
    yield "kdf", writing(lib.themis_testing_kdf, 32, b"key", 3, *label, b"", 0, ..., 32)
    yield "keyless kdf", writing(lib.themis_testing_kdf, 32, b"", 0, *label, b"", 0, ..., 32)
    yield from session_faults.operations()


def operations_of_keys():
    """Give every operation on keys and messages, but RSA key generation, which takes long."""
    for algorithm in ("EC", "RSA"):
        pair = pythemis.skeygen.GenerateKeyPair(algorithm)
        private, public = pair.export_private_key(), pair.export_public_key()
        ours, theirs = (private, len(private)), (public, len(public))
        yield f"{algorithm} signer_new", new(lib.themis_signer_new, "themis_signer", *ours)
        yield f"{algorithm} verifier_new", new(lib.themis_verifier_new, "themis_verifier", *theirs)
        yield (
            f"{algorithm} message_new",
            new(lib.themis_message_new, "themis_message", *ours, *theirs),
        )
        yield f"{algorithm} sign", signing(private)
        yield f"{algorithm} verify", verifying(public, pythemis.smessage.ssign(private, MESSAGE))
        yield f"{algorithm} wrap", wrapping(private, public)
        yield f"{algorithm} unwrap", unwrapping(private, public)
        form = (1, b"", 0)
        yield f"{algorithm} export", new(lib.themis_key_export, "themis_blob", *ours, *form)
    halves = [ffi.new("uint8_t[45]"), 45, ffi.new("uint8_t[45]"), 45]
    KEPT.extend(halves)
    yield "EC key_pair", plain(lib.themis_key_pair, lib.THEMIS_KEY_EC, 256, 0, *halves)
    private = pythemis.skeygen.GenerateKeyPair("EC").export_private_key()
    yield "EC key_public", writing(lib.themis_key_public, 45, private, 45, 0, ..., 45)
    public = pythemis.skeygen.public_from_private(private)
    yield "EC key_uncompressed", writing(lib.themis_key_uncompressed, 77, public, 45, ..., 77)
    yield "EC import", importing(pythemis.skeygen.to_pem(private), b"")
    yield "EC encrypted import", importing(bytes.fromhex(sys.argv[3]), b"secret")


KEPT = []  # what the operations borrow from


def plain(function, *arguments):
    """Make an operation that is one call."""

    def operation(arm, disarm):
        arm()
        status = function(*arguments)
        return status, disarm()

    return operation


# Operations with a private RSA key get a fresh handle each time: when memory runs out in the wrong
# moment, OpenSSL (3.0 to 3.5 at least) leaves the factors of its blinding disagreeing with each
# other. The core notices and goes on with a fresh copy of the key, at the cost of more allocations
# in a later operation; tests/c/faults.c uses handles again.


def signing(private):
    """Make the operation of signing."""
    header, signature = ffi.new("uint8_t[12]"), ffi.new("uint8_t[256]")
    length = ffi.new("size_t *")

    def operation(arm, disarm):
        signer = pythemis.smessage.SecureSigner(private)
        length[0] = len(signature)
        arm()
        status = lib.themis_signer_sign(signer._held, MESSAGE, SIZE, header, signature, length)
        return status, disarm()

    return operation


def wrapping(private, public):
    """Make the operation of encrypting."""
    size = len(pythemis.smessage.SMessage(private, public).wrap(MESSAGE))

    def operation(arm, disarm):
        message = pythemis.smessage.SMessage(private, public)
        arguments = (message._held.handle, MESSAGE, SIZE)
        return writing(lib.themis_message_wrap, size, *arguments)(arm, disarm)

    return operation


def unwrapping(private, public):
    """Make the operation of decrypting."""
    wrapped = pythemis.smessage.SMessage(private, public).wrap(MESSAGE)

    def operation(arm, disarm):
        message = pythemis.smessage.SMessage(private, public)
        arguments = (message._held.handle, wrapped, len(wrapped))
        return writing(lib.themis_message_unwrap, SIZE, *arguments, expected=MESSAGE)(arm, disarm)

    return operation


def verifying(public, signed):
    """Make the operation of verifying."""
    verifier = pythemis.smessage.SecureVerifier(public)
    length = ffi.new("size_t *")

    def operation(arm, disarm):
        arm()
        status = lib.themis_verifier_verify(verifier._held, signed, len(signed), length)
        return status, disarm()

    return operation


def importing(text, passphrase):
    """Make the operation of reading a key from PEM."""
    why = ffi.new("char const **")

    def operation(arm, disarm):
        made = ffi.new("themis_blob **")
        arm()
        status = lib.themis_key_import(text, len(text), 1, passphrase, len(passphrase), made, why)
        fired = disarm()
        assert (made[0] != ffi.NULL) == (status == lib.THEMIS_SUCCESS)
        lib.themis_blob_free(made[0])
        return status, fired

    return operation


def sweep(name, operation):
    """Fail one allocation after the other; give how often that failed the operation."""
    failures = 0
    _, of_keys, what = name.partition(" ") if name[:3] in ("EC ", "RSA") else ("", "", name)
    for at in range(1, (MOST_OF_KEYS if of_keys else MOST) + 1):
        status, fired = operation(lambda at=at: SHIM.fault_arm(at), SHIM.fault_disarm)
        if not fired:
            assert status == lib.THEMIS_SUCCESS, (name, at, status)
            break
        if status != lib.THEMIS_SUCCESS:
            assert status in (*ANSWERS, *SILENT.get(what, ())), (name, at, status)
            failures += 1
    return failures


def allocated():
    """Give how many blocks the core and OpenSSL hold now."""
    for _ in range(3):  # PyPy frees handles when it collects, some of them in the next round
        gc.collect()
    return SHIM.fault_blocks()


def main():
    """Sweep everything, then again and again to see whether anything is lost."""
    watch("_themis", "libcrypto")
    todo = dict(operations())
    for name, operation in todo.items():
        print(name, sweep(name, operation))
    lost = []
    for _ in range(4):
        start = allocated()
        for _ in range(20):
            for name, operation in todo.items():
                if name not in SLOW:
                    sweep(name, operation)
        lost.append(allocated() - start)
    # What grows now and then is somebody's cache; a leak is there every time.
    print("lost", max(0, min(lost)))


main()
