# SPDX-License-Identifier: Apache-2.0
"""SecretKey: what it is made of, what takes it, and what it never shows."""

import copy
import pickle
from base64 import b64encode

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.keyring import SecretKey
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    SecureCellTypeError,
    SecureCellValueError,
)
from pythemis.scomparator import SComparator
from pythemis.skeygen import (
    GenerateKeyPair,
    from_der,
    from_pem,
    key_kind,
    public_from_private,
    to_der,
    to_jwk,
    to_pem,
)
from pythemis.smessage import SecureSigner, SecureVerifier, SMessage, ssign, sverify
from pythemis.ssession import SSession

KEY = bytes(range(90, 122))
EC, RSA = GenerateKeyPair("EC"), GenerateKeyPair("RSA")
INVALID = THEMIS_CODES.INVALID_PARAMETER


def secret(data=KEY):
    """Make a SecretKey of bytes."""
    return SecretKey.from_bytes(data)


# ---- What it is ----


@pytest.mark.parametrize("data", [b"k", KEY, bytes(16384)], ids=len)
def test_it_holds_the_bytes_that_it_was_given(data):
    """From one byte to the limit, out of any buffer, and out of another SecretKey."""
    for given in (data, bytearray(data), memoryview(data), secret(data)):
        key = secret(given)
        assert (key.reveal(), len(key), bool(key)) == (data, len(data), True)


@pytest.mark.parametrize("size", [16, 32, 16384])
def test_generated_keys_are_random(size):
    """Each has the size that was asked for, and none comes twice."""
    made = [SecretKey.generate(size) for _ in range(3)]
    assert {len(key) for key in made} == {size}
    assert len({key.reveal() for key in made}) == 3
    assert len(SecretKey.generate()) == 32


@pytest.mark.parametrize("size", [0, 1, 15, 16385, 2**70, -1])
def test_a_generated_key_has_16_to_16384_bytes(size):
    """Fewer bytes can be guessed; the words say what is allowed."""
    with pytest.raises(ThemisValueError, match=f"must be 16 to 16384 bytes, not {size}") as caught:
        SecretKey.generate(size)
    assert caught.value.error_code == INVALID


@pytest.mark.parametrize("size", [True, 32.0, "32", None, b"x"])
def test_the_size_is_an_int(size):
    """Another type is refused by its name."""
    with pytest.raises(ThemisTypeError, match="the size must be an int, not "):
        SecretKey.generate(size)


@pytest.mark.parametrize("data", [b"", bytes(16385)], ids=len)
def test_a_key_of_bytes_has_1_to_16384(data):
    """Other sizes are refused, with what was seen."""
    with pytest.raises(ThemisValueError, match=f"the key has {len(data)} bytes"):
        secret(data)


@pytest.mark.parametrize("data", ["text", None, 7, [1, 2]])
def test_a_key_is_made_of_bytes(data):
    """Text and other types are refused."""
    with pytest.raises(ThemisTypeError, match="the key must be bytes"):
        secret(data)


def test_the_class_itself_makes_none():
    """A call of it names the methods that do, and shows nothing of what it was given."""
    for arguments in ((), (KEY,), ("the key",)):
        with pytest.raises(ThemisTypeError, match="SecretKey is made by one of its") as caught:
            SecretKey(*arguments)
        assert "the key" not in str(caught.value)
    key = secret()
    with pytest.raises(ThemisTypeError, match="is made by one of its methods"):
        key.__init__()
    assert key.reveal() == KEY


# ---- What it shows ----


def test_copies_are_the_object_itself():
    """So closing closes them all."""
    key = secret()
    assert copy.copy(key) is key
    assert copy.deepcopy([key])[0] is key


def test_nothing_of_a_key_is_shown():
    """Neither text, nor a pickle, nor a hash, nor what a debugger walks through has it."""
    key = secret()
    held = [key, vars(key), key._held]
    shown = [*map(repr, held), str(key), f"{key}", str(dir(key)), *map(repr, vars(key).values())]
    for text in shown:
        assert KEY.decode() not in text
        assert KEY.hex() not in text
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="holds a secret and cannot be pickled"):
            pickle.dumps(key, protocol)
    with pytest.raises(TypeError, match="unhashable"):
        hash(key)
    for convert in (bytes, bytearray, memoryview, list, iter):
        with pytest.raises(TypeError):
            convert(key)


def test_two_keys_are_equal_if_their_bytes_are():
    """Also if they are subclasses; keys of other lengths differ."""

    class Own(SecretKey):
        pass

    key = secret()
    assert key == secret()
    assert key == Own.from_bytes(KEY)
    assert key != secret(KEY[:-1])
    assert key != secret(KEY[:-1] + b"\0")
    assert key != secret(b"\0" + KEY[1:])
    assert key != secret(KEY + b"\0")
    assert key not in (None, 1, object())


@pytest.mark.parametrize("other", [KEY, bytearray(KEY), memoryview(KEY), "text"])
def test_a_comparison_with_bytes_is_a_mistake(other):
    """It could only ever say no, so it is refused, and the words show nothing of either."""
    for compare in (lambda a, b: a == b, lambda a, b: b == a, lambda a, b: a != b):
        with pytest.raises(ThemisTypeError, match=r"compare two of them, SecretKey.from_bytes"):
            compare(secret(), other)


def test_a_closed_key_is_refused():
    """Closing twice is fine, and what was made of the key before goes on."""
    with secret() as key:
        cell = SCellSeal(key)
    key.close()
    assert SCellSeal(KEY).decrypt(cell.encrypt(b"message")) == b"message"
    assert "closed" in repr(key)
    uses = [key.reveal, lambda: len(key), lambda: key.locked, lambda: key == secret()]
    for use in [*uses, lambda: secret() == key, lambda: secret(key)]:
        with pytest.raises(ThemisValueError, match="this SecretKey is closed"):
            use()
    with pytest.raises(SecureCellValueError, match="this SecretKey is closed"):
        SCellSeal(key)


# ---- What takes it ----


def test_cells_take_it():
    """As a key and as a passphrase: what they write is that of the bytes."""
    for kind in (SCellSeal, SCellTokenProtect, SCellContextImprint):
        made = kind(secret()).encrypt(b"message", b"context")
        parts = made if isinstance(made, tuple) else (made,)
        assert kind(KEY).decrypt(*parts, b"context") == b"message"
    sealed = SCellSeal(passphrase=secret(), iterations=200000).encrypt(b"message")
    assert SCellSeal(passphrase=KEY).decrypt(sealed) == b"message"


@pytest.mark.parametrize("text", [KEY.hex().encode(), b64encode(KEY)], ids=["hex", "base64"])
def test_a_text_that_was_not_decoded_is_noticed(text):
    """The warning names the cure of a SecretKey, and has nothing of the key."""
    with pytest.warns(UserWarning, match="of 32 bytes, as text; pass the encoding where") as caught:
        SCellSeal(secret(text))
    assert text.decode() not in str(caught[0].message)


@pytest.mark.parametrize("pair", [EC, RSA], ids=["EC", "RSA"])
def test_messages_and_exports_take_it(pair):
    """Wherever a private key is, and in the place of public ones and passphrases."""
    private, public = pair.export_private_key(), pair.export_public_key()
    key, seen = secret(private), secret(public)
    assert sverify(public, ssign(key, b"message")) == b"message"
    assert SecureVerifier(seen).verify(SecureSigner(key).sign(b"message")) == b"message"
    assert sverify(seen, ssign(key, b"message")) == b"message"
    assert SMessage(private, public).unwrap(SMessage(key, seen).wrap(b"message")) == b"message"
    assert key_kind(key) == key_kind(private)
    assert public_from_private(key) == public_from_private(private)
    assert (to_pem(key), to_der(key), to_jwk(key)) == (
        *(to_pem(private), to_der(private), to_jwk(private)),
    )
    for passphrase in (secret(), KEY):
        assert from_pem(to_pem(key, secret()), passphrase) == private
        assert from_der(to_der(key, KEY), secret()) == private
    assert from_pem(secret(to_pem(private))) == private
    assert from_der(secret(to_der(private))) == private


def test_sessions_and_comparators_take_it():
    """A session signs with it; a comparator compares it."""
    key = secret(EC.export_private_key())
    assert SSession(b"alice", key, None).connect_request()
    comparator = SComparator(secret())
    comparator.append_secret(secret())


def test_a_key_in_the_place_of_something_else_is_refused():
    """Nothing encrypts a key by mistake, or binds a value to one."""
    cell = SCellSeal(KEY)
    sealed = cell.encrypt(b"message")
    uses = [
        lambda: cell.encrypt(secret()),
        lambda: cell.encrypt(b"message", secret()),
        lambda: cell.decrypt(secret()),
        lambda: cell.decrypt(sealed, secret()),
        lambda: cell.encrypt_many([secret()]),
        lambda: cell.encrypt_many([b"message"], [secret()]),
        lambda: cell.encrypt_into(bytearray(100), secret()),
        lambda: SCellContextImprint(KEY).encrypt(b"message", secret()),
    ]
    for use in uses:
        with pytest.raises(SecureCellTypeError, match="must be bytes, not SecretKey, which is a"):
            use()
    for use in (lambda: ssign(EC.export_private_key(), secret()), lambda: from_pem(secret())):
        with pytest.raises(ThemisError):
            use()
