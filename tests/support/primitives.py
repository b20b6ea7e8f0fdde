# SPDX-License-Identifier: Apache-2.0
"""The primitives of the C core, within reach of tests: soter alone, compiled for this run.

What Python sees of the compiled module is the cryptosystems. Here the headers' own functions are
called; cffi's compiler checks that they are declared below as the headers declare them.
"""

import importlib.util
import os
import tempfile
from functools import cache
from weakref import WeakKeyDictionary

import pytest

from support.project import ROOT

SOURCES = ROOT / "src" / "themis_c"
CDEF = """
typedef int... soter_status;
struct soter_slice { const uint8_t *data; size_t len; ...; };
soter_status soter_init(void);

typedef struct soter_aead soter_aead;
struct soter_aead_key { const uint8_t *bytes; size_t len; bool encrypts; ...; };
soter_status soter_aead_new(soter_aead **);
void soter_aead_free(soter_aead *);
soter_status soter_aead_start(soter_aead *, const struct soter_aead_key *, const uint8_t[12],
                              const uint8_t *, size_t);
soter_status soter_aead_encrypt(soter_aead *, const uint8_t *, size_t, uint8_t *, uint8_t[16]);
soter_status soter_aead_decrypt(soter_aead *, const uint8_t *, size_t, const uint8_t[16],
                                uint8_t *);

typedef struct soter_hmac_key soter_hmac_key;
soter_status soter_hmac_key_new(const uint8_t *, size_t, soter_hmac_key **);
void soter_hmac_key_free(soter_hmac_key *);
soter_status soter_hmac(soter_hmac_key *, const struct soter_slice *, size_t, uint8_t[32]);

typedef struct soter_pbkdf2 soter_pbkdf2;
soter_status soter_pbkdf2_new(struct soter_slice, struct soter_slice, uint32_t, soter_pbkdf2 **);
soter_status soter_pbkdf2_work(soter_pbkdf2 *, uint32_t, uint32_t *);
soter_status soter_pbkdf2_finish(const soter_pbkdf2 *, uint8_t[32]);
void soter_pbkdf2_free(soter_pbkdf2 *);

typedef struct soter_key soter_key;
soter_status soter_key_read(const uint8_t *, size_t, soter_key **);
void soter_key_free(soter_key *);

typedef struct soter_sign_key soter_sign_key;
soter_status soter_sign_key_new(const soter_key *, soter_sign_key **);
void soter_sign_key_free(soter_sign_key *);
soter_status soter_verify(const soter_sign_key *, const struct soter_slice *, size_t,
                          const uint8_t *, size_t);

size_t soter_ecdh_size(const soter_key *);
soter_status soter_ecdh(const soter_key *, const soter_key *, uint8_t *, size_t);

typedef struct soter_oaep_key soter_oaep_key;
soter_status soter_oaep_key_new(const soter_key *, soter_oaep_key **);
void soter_oaep_key_free(soter_oaep_key *);
enum soter_oaep_blinding { SOTER_OAEP_KEPT_BLINDING, SOTER_OAEP_FRESH_BLINDING };
soter_status soter_oaep_unwrap(const soter_oaep_key *, enum soter_oaep_blinding, const uint8_t *,
                               size_t, uint8_t *, size_t);
"""
HEADERS = (
    *("aead", "ecdh", "hmac", "key", "key_container", "libcrypto", "oaep", "pbkdf2", "sign"),
)
SUCCESS, FAIL, INVALID, CORRUPT, FORGED = 0, 11, 12, 15, 16


@cache
def library():
    """Compile soter and give its module; where the sources are out of reach, skip."""
    if not SOURCES.exists():
        pytest.skip("needs the C sources, which are not here")
    from cffi import FFI

    from build_ffi import LIBRARIES, library_flags

    own = os.environ.get("PYTHEMIS_TEST_CFLAGS", "").split()  # the sanitizers have some
    compiling, linking = ["-std=c11", "-O1", "-g", *own], [*own]
    for found in LIBRARIES:
        for flags, more in zip((compiling, linking), library_flags(found), strict=True):
            flags.extend(more)
    builder = FFI()
    builder.cdef(CDEF)
    builder.set_source(
        "_themis_primitives",
        "".join(f'#include "soter/{name}.h"\n' for name in HEADERS),
        sources=[str(path) for path in sorted(SOURCES.glob("soter/*.c"))],
        include_dirs=[str(SOURCES)],
        extra_compile_args=compiling,
        extra_link_args=linking,
    )
    with tempfile.TemporaryDirectory() as folder:
        spec = importlib.util.spec_from_file_location(
            "_themis_primitives", builder.compile(tmpdir=folder)
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    assert module.lib.soter_init() == SUCCESS
    return module


def new(kind, *arguments):
    """Make an object of soter: (status, the object or None)."""
    ffi, lib = library().ffi, library().lib
    made = ffi.new(f"{kind} **")
    constructor = {"soter_key": "soter_key_read"}.get(kind, f"{kind}_new")
    status = getattr(lib, constructor)(*arguments, made)
    if status != SUCCESS:
        assert made[0] == ffi.NULL
        return status, None
    return status, ffi.gc(made[0], getattr(lib, f"{kind}_free"))


KEPT: WeakKeyDictionary = WeakKeyDictionary()


def slices(*parts):
    """Give bytes as C's list of slices; keep the result as long as C may look at it."""
    ffi = library().ffi
    buffers = [ffi.from_buffer(part) for part in parts]
    made = ffi.new("struct soter_slice[]", len(parts))
    for entry, buffer in zip(made, buffers, strict=True):
        entry.data, entry.len = buffer, len(buffer)
    KEPT[made] = buffers
    return made


def key(container):
    """Read a key: (status, key)."""
    return new("soter_key", container, len(container))


def started(secret, nonce, associated, *, encrypts):
    """Start a message with AES-GCM."""
    ffi, lib = library().ffi, library().lib
    status, aead = new("soter_aead")
    assert status == SUCCESS
    data = ffi.from_buffer(secret)
    chosen = ffi.new("struct soter_aead_key *", (data, len(secret), encrypts))
    status = lib.soter_aead_start(aead, chosen, nonce, associated, len(associated))
    assert status == SUCCESS
    return aead


def encrypt(secret, nonce, message, associated):
    """Encrypt with AES-GCM: ciphertext and tag."""
    ffi, lib = library().ffi, library().lib
    aead = started(secret, nonce, associated, encrypts=True)
    out, tag = ffi.new("uint8_t[]", len(message) or 1), ffi.new("uint8_t[16]")
    assert lib.soter_aead_encrypt(aead, message, len(message), out, tag) == SUCCESS
    return bytes(ffi.buffer(out, len(message))), bytes(ffi.buffer(tag))


def decrypt(secret, nonce, encrypted, associated, tag):
    """Decrypt with AES-GCM: (status, message); what is left of a refused one."""
    ffi, lib = library().ffi, library().lib
    aead = started(secret, nonce, associated, encrypts=False)
    out = ffi.new("uint8_t[]", b"\xee" * len(encrypted) or 1)
    status = lib.soter_aead_decrypt(aead, encrypted, len(encrypted), tag, out)
    return status, bytes(ffi.buffer(out, len(encrypted)))


def hmac(secret, *parts):
    """Compute HMAC-SHA256."""
    ffi, lib = library().ffi, library().lib
    status, prepared = new("soter_hmac_key", secret, len(secret))
    assert status == SUCCESS
    out = ffi.new("uint8_t[32]")
    assert lib.soter_hmac(prepared, slices(*parts), len(parts), out) == SUCCESS
    return bytes(ffi.buffer(out))


def pbkdf2(passphrase, salt, iterations):
    """Stretch a passphrase to 32 bytes."""
    ffi, lib = library().ffi, library().lib
    both, out, left = slices(passphrase, salt), ffi.new("uint8_t[32]"), ffi.new("uint32_t *")
    status, work = new("soter_pbkdf2", both[0], both[1], iterations)
    assert status == SUCCESS
    assert lib.soter_pbkdf2_work(work, 1000, left) == SUCCESS  # in two pieces, if it is long
    assert lib.soter_pbkdf2_work(work, iterations, left) == SUCCESS
    assert left[0] == 0
    assert lib.soter_pbkdf2_finish(work, out) == SUCCESS
    return bytes(ffi.buffer(out))


def verifies(public, message, signature):
    """Tell whether a signature is good."""
    lib = library().lib
    status, read = key(public)
    assert status == SUCCESS
    status, prepared = new("soter_sign_key", read)
    assert status == SUCCESS
    status = lib.soter_verify(prepared, slices(message), 1, signature, len(signature))
    assert status in (SUCCESS, FORGED)
    return status == SUCCESS


def agree(private, public):
    """Agree on a secret; None if one of the keys is refused."""
    ffi, lib = library().ffi, library().lib
    (status, ours), (other_status, theirs) = key(private), key(public)
    assert status == SUCCESS
    if other_status != SUCCESS:
        assert other_status in (INVALID, CORRUPT)
        return None
    size = lib.soter_ecdh_size(ours)
    out = ffi.new("uint8_t[]", size)
    status = lib.soter_ecdh(ours, theirs, out, size)
    if status != SUCCESS:
        assert status == INVALID
        return None
    return bytes(ffi.buffer(out))


def unwrap(private, wrapped, size):
    """Unwrap a secret of this size: (status, secret); a random secret if it is not one."""
    ffi, lib = library().ffi, library().lib
    _, read = key(private)
    status, prepared = new("soter_oaep_key", read)
    assert status == SUCCESS
    out = ffi.new("uint8_t[]", size or 1)
    status = lib.soter_oaep_unwrap(
        prepared, lib.SOTER_OAEP_KEPT_BLINDING, wrapped, len(wrapped), out, size
    )
    return status, bytes(ffi.buffer(out, size))
