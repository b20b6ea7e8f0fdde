# SPDX-License-Identifier: Apache-2.0
"""The feature guide of PyThemis, symmetric keys and Secure Cell: every call works as written."""

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError
from support.cells import TOKEN


def test_modules_can_be_used_through_the_package():
    """`import pythemis` is enough to reach the modules."""
    import pythemis

    cell = pythemis.scell.SCellSeal(key=pythemis.skeygen.GenerateSymmetricKey())
    assert cell.decrypt(cell.encrypt(b"a message")) == b"a message"
    assert issubclass(pythemis.scell.SecureCellError, pythemis.exception.ThemisError)


def test_particular_modules_can_be_imported():
    """Modules can be imported from the package by name."""
    from pythemis import scell, skeygen

    assert scell.SCellSeal(key=skeygen.GenerateSymmetricKey())


def test_everything_can_be_imported():
    """`from pythemis import *` brings the modules."""
    namespace = {}
    exec("from pythemis import *", namespace)
    assert namespace["scell"].SCellSeal
    assert namespace["skeygen"].GenerateSymmetricKey


def test_symmetric_keys():
    """GenerateSymmetricKey returns "bytes"."""
    from pythemis.skeygen import GenerateSymmetricKey

    master_key = GenerateSymmetricKey()

    assert type(master_key) is bytes


def make_by_key():
    """Make a Seal cell as the guide does first."""
    from pythemis.scell import SCellSeal
    from pythemis.skeygen import GenerateSymmetricKey

    symmetric_key = GenerateSymmetricKey()
    return SCellSeal(key=symmetric_key)


def make_by_passphrase():
    """Make a Seal cell as the guide does "OR"."""
    from pythemis.scell import SCellSeal

    return SCellSeal(passphrase="a password")


@pytest.mark.parametrize(("make", "growth"), [(make_by_key, TOKEN), (make_by_passphrase, 70)])
def test_seal_mode(make, growth):
    """Seal mode: longer results, the context repeated, errors of both documented classes."""
    from pythemis.scell import SecureCellError

    cell = make()

    plaintext = b"a message"
    context = b"code sample"

    encrypted = cell.encrypt(plaintext, context)

    assert len(encrypted) > len(plaintext)
    assert len(encrypted) == len(plaintext) + growth

    try:
        decrypted = cell.decrypt(encrypted, context)
    except ThemisError:
        pytest.fail("the right context was refused")
    assert decrypted == plaintext

    # The guide imports SecureCellError and catches ThemisError: both must catch.
    for documented in (ThemisError, SecureCellError):
        with pytest.raises(documented) as caught:
            cell.decrypt(encrypted, b"another sample")
        assert type(caught.value) is SecureCellError
        assert caught.value.error_code is THEMIS_CODES.FAIL


def test_seal_mode_without_a_context():
    """The associated context is optional and can be omitted."""
    cell = make_by_key()
    assert cell.decrypt(cell.encrypt(b"a message")) == b"a message"


def test_token_protect_mode():
    """Token Protect mode: data of the message's length, and a token."""
    from pythemis.scell import SCellTokenProtect, SecureCellError
    from pythemis.skeygen import GenerateSymmetricKey

    symmetric_key = GenerateSymmetricKey()

    cell = SCellTokenProtect(key=symmetric_key)

    plaintext = b"a message"
    context = b"code sample"

    encrypted, token = cell.encrypt(plaintext, context)

    assert len(encrypted) == len(plaintext)

    try:
        decrypted = cell.decrypt(encrypted, token, context)
    except SecureCellError:
        pytest.fail("the right context was refused")
    assert decrypted == plaintext

    with pytest.raises(SecureCellError) as caught:
        cell.decrypt(encrypted, token, b"another sample")
    assert caught.value.error_code is THEMIS_CODES.FAIL

    encrypted, token = cell.encrypt(plaintext)
    assert cell.decrypt(encrypted, token) == plaintext


def test_context_imprint_mode():
    """Context Imprint mode: the same length, a required context, garbage instead of errors."""
    from pythemis.scell import SCellContextImprint
    from pythemis.skeygen import GenerateSymmetricKey

    symmetric_key = GenerateSymmetricKey()

    cell = SCellContextImprint(key=symmetric_key)

    plaintext = b"a message"
    context = b"code sample"

    encrypted = cell.encrypt(plaintext, context)

    assert len(encrypted) == len(plaintext)

    def correct(decrypted):
        return decrypted == plaintext

    decrypted = cell.decrypt(encrypted, context)
    assert correct(decrypted)
    assert not correct(cell.decrypt(encrypted, b"another sample"))
