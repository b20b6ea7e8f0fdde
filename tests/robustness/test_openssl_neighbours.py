# SPDX-License-Identifier: Apache-2.0
"""We share a process, and perhaps a libcrypto, with others: neither side notices the other."""

import ctypes
import hashlib
import os
import signal
import ssl
import subprocess
import sys

import pytest

from pythemis import _themis
from pythemis.exception import THEMIS_CODES
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.skeygen import from_der, from_pem, to_der
from pythemis.smessage import SecureVerifier, SMessage, ssign, sverify
from support.cells import not_a_cell, not_authentic, quick, wrong_value
from support.definitions import forge
from support.keys import code_of, container, pairs, resealed, with_byte
from support.programs import ROUND_TRIPS, run
from support.project import linked_statically

KEY = b"k" * 32
MALLOC_FAILURE = 0x3 << 18 | 0x100  # ERR_R_MALLOC_FAILURE: fatal, common, number 256


@pytest.fixture
def libcrypto():
    """Give the libcrypto that our module calls, with an empty error queue before and after."""
    if linked_statically():
        pytest.skip("linked statically: nobody else sees our libcrypto")
    library = ctypes.CDLL(_themis.__file__)
    for name in ("ERR_peek_error", "ERR_peek_last_error", "ERR_get_error"):
        getattr(library, name).restype = ctypes.c_ulong
    library.ERR_clear_error()
    yield library
    library.ERR_clear_error()


def fail_in_every_way():
    """Provoke every refusal that comes from data."""
    seal, protect = SCellSeal(KEY), SCellTokenProtect(KEY)
    imprint, by_passphrase = SCellContextImprint(KEY), quick(KEY)
    sealed, (encrypted, token) = seal.encrypt(b"message"), protect.encrypt(b"message")
    forged = forge(KEY, b"message")
    for cell, parts in ((seal, [sealed]), (protect, [encrypted, token]), (by_passphrase, [forged])):
        with not_authentic():
            cell.decrypt(*parts, b"wrong")
        with not_a_cell():
            cell.decrypt(*parts[:-1], parts[-1][:-20], b"")
    with not_authentic():
        SCellSeal(KEY, compat_096=True).decrypt(sealed, b"wrong")
    with wrong_value("0 bytes"):
        imprint.encrypt(b"", b"context")
    fail_with_keys()


def fail_with_keys():
    """Provoke refusals that come from keys and messages."""
    for name in ("p256", "rsa1024"):
        private, public = pairs()[name]["private"], pairs()[name]["public"]
        message, signed = SMessage(private, public), ssign(private, b"message")
        wrapped = message.wrap(b"message")
        for call, *arguments in (
            (sverify, public, with_byte(signed, len(signed) - 1, 1)),
            (sverify, public, with_byte(signed, 20, 1)),
            (message.unwrap, with_byte(wrapped, len(wrapped) - 1, 1)),
            (message.unwrap, with_byte(wrapped, 20, 1)),
            (SecureVerifier, resealed(public, 0, 0x80)),
            (SecureVerifier, container(b"UEC2", b"\2" + b"\xff" * 32)),
            (SecureVerifier, container(b"UEC2", b"\4" + b"\1" * 64)),
            (ssign, container(b"REC2", bytes(33)), b"message"),
            (ssign, container(b"RRA1", bytes(580)), b"message"),
            (from_pem, b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
            (from_pem, b"nothing"),
            (from_der, to_der(private)[:-1]),
            (from_der, to_der(private, "secret"), "wrong"),
            (from_der, to_der(private, "secret")),
        ):
            assert code_of(call, *arguments) != THEMIS_CODES.SUCCESS


def test_failures_leave_the_error_queue_empty(libcrypto):
    """After every kind of refusal OpenSSL's error queue is as empty as it was."""
    fail_in_every_way()
    assert libcrypto.ERR_peek_error() == 0


def test_failures_leave_the_errors_of_others_alone(libcrypto):
    """An error that somebody else left in the queue is still there, alone, and can be taken."""
    libcrypto.ERR_new()
    libcrypto.ERR_set_error(ctypes.c_int(2), ctypes.c_int(100), ctypes.c_void_p(None))
    theirs = libcrypto.ERR_peek_error()
    assert theirs != 0
    fail_in_every_way()
    assert libcrypto.ERR_peek_error() == libcrypto.ERR_peek_last_error() == theirs
    assert libcrypto.ERR_get_error() == theirs
    assert libcrypto.ERR_get_error() == 0


def test_errors_of_others_do_not_disturb_us(libcrypto):
    """With errors in the queue our operations work."""
    libcrypto.ERR_new()
    libcrypto.ERR_set_error(ctypes.c_int(2), ctypes.c_int(100), ctypes.c_void_p(None))
    cell = SCellSeal(KEY)
    assert cell.decrypt(cell.encrypt(b"message")) == b"message"


def test_memory_that_others_lacked_is_not_what_we_lack(libcrypto):
    """An older complaint of somebody else does not become the reason of a refusal of ours."""
    private, public = pairs()["p256"]["private"], pairs()["p256"]["public"]
    signed = ssign(private, b"message")
    libcrypto.ERR_new()
    libcrypto.ERR_set_error(ctypes.c_int(2), ctypes.c_int(MALLOC_FAILURE), ctypes.c_void_p(None))
    forged = with_byte(signed, 14, 1)
    assert code_of(sverify, public, forged) == THEMIS_CODES.INVALID_SIGNATURE
    assert libcrypto.ERR_peek_error() != 0


ABORTS_IN_CLEANUP = """\
import ctypes, sys
from pythemis import _themis
libcrypto = ctypes.CDLL(_themis.__file__)
if sys.argv[1:] == ["others first"]:
    libcrypto.OPENSSL_init_crypto(ctypes.c_uint64(2), None)  # strings of errors: anything
from pythemis import scell
abort = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p)
assert libcrypto.OPENSSL_atexit(abort) == 1
"""


@pytest.mark.skipif(linked_statically(), reason="nobody else calls our libcrypto")
@pytest.mark.skipif(os.name != "posix", reason="the C library goes by another name")
def test_libcrypto_does_not_take_itself_apart_in_exit():
    """Daemon threads may still be inside it. Whoever starts it first decides: others want that."""

    def ended(*others):
        program = [sys.executable, "-c", ABORTS_IN_CLEANUP, *others]
        return subprocess.run(program, check=False, capture_output=True).returncode

    assert ended() == 0
    assert ended("others first") == -signal.SIGABRT


def test_pythons_own_openssl_works_before_and_after():
    """Hashlib and ssl give the same answers with our failures in between."""

    def answers():
        context = ssl.create_default_context()
        connection = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="host")
        with pytest.raises(ssl.SSLWantReadError):
            connection.do_handshake()
        with pytest.raises(ssl.SSLError, match=r"PEM lib|no start line|NO_START_LINE"):
            context.load_verify_locations(cadata="-----BEGIN CERTIFICATE-----\nAAAA\n")
        digest = hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000)
        return digest, hashlib.sha3_256(b"x").digest(), len(context.get_ciphers())

    before = answers()
    fail_in_every_way()
    assert answers() == before


NONSENSE = {
    "garbage": "\0\1 this = is [ not a configuration",
    "unknown provider": "openssl_conf = init\nconfig_diagnostics = 1\n[init]\nproviders = all\n"
    "[all]\nnowhere = nowhere\n[nowhere]\nmodule = /nonexistent.so\nactivate = 1\n",
    "no default provider": "openssl_conf = init\n[init]\nproviders = all\n"
    "[all]\nnull = null\n[null]\nactivate = 1\n",
    "FIPS only": "openssl_conf = init\n[init]\nalg_section = evp\n"
    "[evp]\ndefault_properties = fips=yes\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_a_configuration_of_openssl_does_not_reach_us(tmp_path, name):
    """Whatever OPENSSL_CONF says, all modes work."""
    path = tmp_path / "openssl.cnf"
    path.write_text(NONSENSE[name])
    said = run(ROUND_TRIPS, OPENSSL_CONF=str(path), OPENSSL_MODULES=str(tmp_path))
    assert said == (0, "fine\n", "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.skipif(
    not linked_statically(),
    reason="a libcrypto that is shared reads its configuration for the others",
)
def test_a_libcrypto_of_our_own_reads_no_configuration(tmp_path):
    """A pipe in place of the configuration: who opened it would wait for ever."""
    path = tmp_path / "openssl.cnf"
    os.mkfifo(path)
    assert run(ROUND_TRIPS, OPENSSL_CONF=str(path)) == (0, "fine\n", "")


def test_default_properties_of_the_process_do_not_reach_us(libcrypto):
    """Who forces FIPS algorithms on the process's default library context changes nothing here."""
    del libcrypto  # it is only about whether there is one that others can reach
    code = (
        "import ctypes\nfrom pythemis import _themis, scell\n"
        "library = ctypes.CDLL(_themis.__file__)\n"
        "assert library.EVP_set_default_properties(None, b'fips=yes') == 1\n"
    )
    assert run(code + ROUND_TRIPS) == (0, "fine\n", "")


def test_loading_us_after_and_before_ssl_works():
    """The order in which the libraries come into the process does not matter."""
    for first, second in (("ssl, hashlib", "pythemis.scell"), ("pythemis.scell", "ssl, hashlib")):
        code = f"import {first}\nimport {second}\n{ROUND_TRIPS}"
        code += "\nimport hashlib, ssl\nssl.create_default_context(), hashlib.sha256(b'')"
        assert run(code) == (0, "fine\n", "")
