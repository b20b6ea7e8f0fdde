# SPDX-License-Identifier: Apache-2.0
"""``PYTHEMIS_FIPS=1``: OpenSSL's FIPS provider, or no pythemis at all."""

import os
import ssl
import subprocess
import sys
import types

import pytest

from pythemis import scomparator, skeygen, smessage
from pythemis._core import start
from pythemis._themis import ffi, lib
from pythemis.exception import THEMIS_CODES, ThemisError
from support.project import linked_statically

HAS_PROVIDER = start.fips_provider() is not None
IN_STATIC = "PYTHEMIS_FIPS=1: this build of pythemis has OpenSSL linked in statically, without a "
with_provider = pytest.mark.skipif(
    not HAS_PROVIDER, reason="without the FIPS provider; `make evidence ONLY=fips` brings it"
)


# What a system says that turns FIPS on for all of its programs.
POLICY = """\
openssl_conf = start
[start]
alg_section = algorithms
[algorithms]
default_properties = fips=yes
"""


def imported(*, program="from pythemis import scell", **environment):
    """Import in a process of its own, with these variables; give the last line of what it says."""
    command = [sys.executable, "-c", program]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHEMIS_", "OPENSSL_"))}
    ran = subprocess.run(
        command, env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    return ran.stderr.strip().rpartition("\n")[2]


@pytest.mark.parametrize("value", ["", "0"])
def test_a_policy_of_the_system_does_not_reach_us(value, tmp_path):
    """Empty and 0 mean no: with fips=yes for all programs, ours do what they always do."""
    config = tmp_path / "openssl.cnf"
    config.write_text(POLICY)
    works = "from pythemis import scomparator, scell; scomparator.SComparator(b'a secret'); "
    works += "scell.SCellSeal(passphrase='p').encrypt(b'm')"
    assert imported(program=works, PYTHEMIS_FIPS=value, OPENSSL_CONF=str(config)) == ""
    if sys.implementation.name == "cpython" and ssl.OPENSSL_VERSION_INFO >= (3,):
        reached = imported(
            program="import _hashlib as h; h.new('sha256')", OPENSSL_CONF=str(config)
        )
        assert "unsupported" in reached  # the policy is one


@pytest.mark.parametrize("value", ["yes", "2", " 1"])
def test_another_value_is_refused(value):
    """A value that is neither 0 nor 1 fails the import: it may mean yes."""
    said = imported(PYTHEMIS_FIPS=value)
    assert said == f"ImportError: PYTHEMIS_FIPS must be 0 or 1, not {value!r}"


@pytest.mark.skipif(linked_statically(), reason="linked statically: there are no modules")
def test_without_a_provider_the_import_fails(tmp_path):
    """Where no provider loads the import says so, with where the configuration came from."""
    config = tmp_path / "openssl.cnf"
    config.write_text("")
    said = imported(PYTHEMIS_FIPS="1", OPENSSL_CONF=str(config), OPENSSL_MODULES=str(tmp_path))
    assert said == (
        "ImportError: PYTHEMIS_FIPS=1: pythemis cannot use OpenSSL with its FIPS provider: "
        "the FIPS provider does not load: it is not installed, not configured, or fails its "
        f"self-test (configured by OPENSSL_CONF={config})"
    )


@pytest.mark.skipif(linked_statically(), reason="linked statically: there are no modules")
def test_a_configuration_that_is_missing_fails_the_import(tmp_path):
    """A file that was named and is not there is not passed over."""
    said = imported(PYTHEMIS_FIPS="1", OPENSSL_CONF=str(tmp_path / "none"))
    assert "its configuration file cannot be read, or names something that cannot be loaded" in said
    assert said.startswith("ImportError: ")


@pytest.mark.skipif(not linked_statically(), reason="linked dynamically")
def test_a_wheel_has_no_module():
    """With OpenSSL inside, the import always fails, and says what to install instead."""
    assert imported(PYTHEMIS_FIPS="1").startswith(f"ImportError: {IN_STATIC}")


def test_a_static_build_never_asks_openssl(monkeypatch):
    """The sentence of wheels comes before anything is loaded."""
    monkeypatch.setattr(start, "lib", types.SimpleNamespace(themis_is_static=lambda: 1))
    with pytest.raises(ImportError) as caught:
        start.start_with_fips("")
    assert str(caught.value).startswith(IN_STATIC)


@pytest.mark.skipif(HAS_PROVIDER, reason="it was started with the provider")
def test_what_has_started_without_does_not_change():
    """A core that works with the default provider says that it is too late."""
    why = ffi.new("char const **")
    assert lib.themis_init_fips(b"", why) == lib.THEMIS_FAIL
    assert ffi.string(why[0]) == b"this process has started it without"
    assert (lib.themis_fips_name(), lib.themis_fips_version()) == (ffi.NULL, ffi.NULL)


# ---- With the provider: `make evidence ONLY=fips` ----


@with_provider
def test_the_comparator_is_refused():
    """The group of the comparator is computed outside of any FIPS module."""
    with pytest.raises(scomparator.SecureComparatorError, match="edwards25519") as caught:
        scomparator.SComparator(b"a secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


@with_provider
def test_short_rsa_keys_are_refused():
    """1024 bits are too few for the provider; the error names the least that it takes."""
    from support.cells import unhex, vector

    key = unhex(vector("key_pairs", "rsa1024")["private"])
    said = "has 1024 bits, and the FIPS provider takes no RSA key of less than 2048"
    with pytest.raises(smessage.SecureMessageValueError, match=said) as caught:
        smessage.ssign(key, b"a message")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


# Of `openssl pkcs8 -topk8 -scrypt -passout pass:secret`.
BY_SCRYPT = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhTW8EhU7xQmgICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBAukz+SzPyjPMkmqfj4h+kBBIGQDTRS4jp71q9c
MuBc5Y1bA/RLc2FvqKDXJvHwIokJTMXLxzAyAQ8aQqd8uBxvbFywF6rhnqwRZedY
NETs32BzqtTa09rCA7kQsK9g6sJL5tP9bp7lXk5o8oRj0EbW1GFik2KWPtqXcCOg
HvWEZ1FEcfqBzCYJwOvyXfp0q6NbL1sVCCmBZO4rRBxeGscMAPVP
-----END ENCRYPTED PRIVATE KEY-----
"""


@with_provider
def test_scrypt_is_refused_by_name():
    """What the provider lacks does not pass for a wrong passphrase."""
    with pytest.raises(ThemisError, match="the FIPS provider has no scrypt") as caught:
        skeygen.from_pem(BY_SCRYPT, passphrase="secret")
    assert caught.value.error_code == THEMIS_CODES.NOT_SUPPORTED


@with_provider
@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_keys_that_the_provider_made_are_read_without_it(curve):
    """A pair of the provider signs, and a process without the provider verifies."""
    pair = skeygen.GenerateKeyPair("EC", curve=curve)
    signed = smessage.ssign(pair.export_private_key(), b"a message")
    program = (
        "import sys; from pythemis import smessage as m; "
        "sys.stdout.buffer.write(m.sverify(*map(bytes.fromhex, sys.argv[1:])))"
    )
    command = [sys.executable, "-c", program, pair.export_public_key().hex(), signed.hex()]
    kept = {k: v for k, v in os.environ.items() if k != "PYTHEMIS_FIPS"}
    assert subprocess.check_output(command, env=kept) == b"a message"
