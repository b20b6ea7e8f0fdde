# SPDX-License-Identifier: Apache-2.0
"""PKCS#11: the calls exactly as section 8.3 has them, sessions, PINs, threads and forks."""

import os
import sys
import threading
from types import SimpleNamespace

import pytest

from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError
from pythemis.keyring import SecretKey
from pythemis.kms import pkcs11
from pythemis.kms.pkcs11 import Token
from support.cells import refused
from support.services import CONTEXT, NAME, PLAIN, SECRET, failed, hsm

pytestmark = pytest.mark.no_c
INVALID = THEMIS_CODES.INVALID_PARAMETER
writing = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="the fake writes into bytes as CPython keeps them"
)
OPENING = ["lib", "get_token", "open", "get_key"]


@pytest.fixture(autouse=True)
def forgotten():
    """Forget in which process a library was initialized."""
    pkcs11._processes.clear()
    yield
    pkcs11._processes.clear()


def verbs(fake):
    """Give the names of the calls so far, and forget them."""
    found = [verb for verb, _ in fake.requests]
    fake.requests.clear()
    return found


def test_the_calls_are_those_of_the_specification(monkeypatch):
    """AES-GCM with a random iv, the context and a tag of 128 bits; one session for all calls."""
    fake, service = hsm(monkeypatch, key_id=b"\x01")
    bodies = [service.wrap(PLAIN, CONTEXT) for _ in range(2)]
    assert [len(body) for body in bodies] == [92, 92]
    assert bodies[0][:12] != bodies[1][:12]
    assert service.unwrap(bodies[0], CONTEXT) == PLAIN
    search = {"object_class": fake.ObjectClass.SECRET_KEY, "key_type": fake.KeyType.AES}
    assert fake.requests[3] == ("get_key", {**search, "label": "ring", "id": b"\x01"})
    calls = [request for verb, request in fake.requests if verb in ("encrypt", "decrypt")]
    for call, iv in zip(calls, (bodies[0], bodies[1], bodies[0]), strict=True):
        param = call["param"]
        assert (call["mechanism"], param.tag_bits) == (fake.Mechanism.AES_GCM, 128)
        assert (param.nonce, param.aad) == (iv[:12], CONTEXT)
    assert verbs(fake) == [*OPENING, "encrypt", "encrypt", "decrypt"]
    assert fake.logins == [SECRET]


@writing
def test_the_token_may_draw_the_iv(monkeypatch):
    """It gets fresh zeros to write into, and what it wrote goes into the body."""
    fake, service = hsm(monkeypatch, token_draws_iv=True)
    fake.draws_iv = True
    params = []
    gcm = fake.GCMParams
    fake.GCMParams = lambda iv, *rest: params.append(iv == bytes(12)) or gcm(iv, *rest)
    for _ in range(2):
        body = service.wrap(PLAIN, CONTEXT)
        assert body[:12] == b"drawn by HSM"
    assert params == [True, True]
    assert bytes(12) == b"\0" * 12
    assert service.unwrap(body, CONTEXT) == PLAIN


def test_an_iv_that_was_not_drawn_is_refused(monkeypatch):
    """Zeros that stay zeros would be the iv of every file key."""
    _, service = hsm(monkeypatch, token_draws_iv=True)
    with failed("the token drew no iv: leave out token_draws_iv"):
        service.wrap(PLAIN, CONTEXT)


@writing
def test_an_iv_that_the_token_draws_unasked_counts(monkeypatch):
    """A module that ignores the iv it was given writes its own in its place."""
    fake, service = hsm(monkeypatch)
    fake.draws_iv = True
    body = service.wrap(PLAIN, CONTEXT)
    assert body[:12] == b"drawn by HSM"
    assert service.unwrap(body, CONTEXT) == PLAIN


@pytest.mark.parametrize("size", [16, 24, None])
def test_a_key_of_another_size_is_not_used(monkeypatch, size):
    """It must have 32 bytes."""
    fake, service = hsm(monkeypatch)
    fake.size = size
    with failed(f"the key has {size} bytes; it must have 32"):
        service.wrap(PLAIN, CONTEXT)
    assert verbs(fake) == [*OPENING, "close"]


@pytest.mark.parametrize(
    ("at", "name", "says"),
    [
        (0, "PKCS11Error", "the library cannot be loaded, or is not initialized"),
        (1, "NoSuchToken", "no token has this label"),
        (1, "MultipleTokensReturned", "several tokens have this label"),
        (2, "DeviceError", "the library raised DeviceError"),
        (3, "NoSuchKey", "no AES key has this label or id"),
        (3, "MultipleObjectsReturned", "several keys have this label or id"),
    ],
)
def test_a_key_that_is_not_found_is_a_failure(monkeypatch, at, name, says):
    """The token and the key must be found exactly once; until then every call tries again."""
    fake, service = hsm(monkeypatch)
    fake.fails = [None] * at + [fake.error(name)]
    fake.note = lambda verb, **_: fake.requests.append((verb, {})) or fail_in_turn(fake)
    with failed(says):
        service.unwrap(bytes(92), CONTEXT)
    assert verbs(fake) == OPENING[: at + 1] + ["close"] * (at == 3)
    assert service.unwrap(bytes(92), CONTEXT) is None


def fail_in_turn(fake):
    """Raise the next of the failures that were ordered, if it is one."""
    cause = fake.fails.pop(0) if fake.fails else None
    if cause is not None:
        raise cause


@pytest.mark.parametrize("name", ["PinIncorrect", "PinLocked", "PinExpired", "PinLenRange"])
def test_a_wrong_pin_is_tried_once(monkeypatch, name):
    """Tokens lock themselves after a few: later calls fail without trying it."""
    fake, service = hsm(monkeypatch)
    fake.fails = [None, None, fake.error(name)]
    fake.note = lambda verb, **_: fake.requests.append((verb, {})) or fail_in_turn(fake)
    with failed(f"the PIN is wrong, expired or locked ({name})"):
        service.wrap(PLAIN, CONTEXT)
    for _ in range(3):
        with failed("the PIN was wrong, and is not tried again"):
            service.wrap(PLAIN, CONTEXT)
    assert fake.logins == [SECRET]


def test_another_pin_is_tried(monkeypatch):
    """A function may give the right one later."""
    pins = iter(["1", "1", "2"])
    fake, service = hsm(monkeypatch, pin=lambda: next(pins))
    fake.fails = [None, None, fake.error("PinIncorrect")]
    fake.note = lambda verb, **_: fake.requests.append((verb, {})) or fail_in_turn(fake)
    with failed("the PIN is wrong"):
        service.wrap(PLAIN, CONTEXT)
    with failed("the PIN was wrong, and is not tried again"):
        service.wrap(PLAIN, CONTEXT)
    assert len(service.wrap(PLAIN, CONTEXT)) == 92
    assert fake.logins == ["1", "2"]


def test_the_function_for_a_pin_may_need_another_token(monkeypatch):
    """It is called while the library is taken, and does not wait for itself."""
    fake, first = hsm(monkeypatch)

    def pin():
        first.wrap(PLAIN, CONTEXT)
        return "1234"

    second = Token(NAME, library="/hsm.so", token="prod", pin=pin, key_label="ring")
    assert len(second.wrap(PLAIN, CONTEXT)) == 92
    assert fake.logins == [SECRET, "1234"]


def test_a_pin_from_elsewhere(monkeypatch):
    """It may be a SecretKey or a function; without one the session is not logged in."""
    for pin, expected in (
        (lambda: "1234", "1234"),
        (SecretKey.from_bytes(b"1234\n"), "1234"),
        (None, None),
    ):
        fake, service = hsm(monkeypatch, pin=pin)
        service.wrap(PLAIN, CONTEXT)
        assert fake.logins == [expected]
    _, service = hsm(monkeypatch, pin=lambda: 1 / 0)
    with failed("the function for the PIN raised ZeroDivisionError"):
        service.wrap(PLAIN, CONTEXT)


def test_another_login_of_the_process_is_used(monkeypatch):
    """All sessions of a process are logged in together."""
    fake, service = hsm(monkeypatch)
    fake.fails = [None, None, fake.error("UserAlreadyLoggedIn")]
    fake.note = lambda verb, **_: fake.requests.append((verb, {})) or fail_in_turn(fake)
    assert service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN
    assert fake.logins == [SECRET, None]


@pytest.mark.parametrize(
    "name", ["SessionHandleInvalid", "UserNotLoggedIn", "DeviceRemoved", "ObjectHandleInvalid"]
)
def test_a_session_that_ended_is_opened_again_once(monkeypatch, name):
    """After a logout or a restart of the module the call succeeds; if not, it is a failure."""
    fake, service = hsm(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    fake.requests.clear()
    fake.fails = [fake.error(name)]
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert verbs(fake) == ["decrypt", "close", *OPENING, "decrypt"]
    original = fake.decrypt
    fake.decrypt = lambda *_, **__: fail_in_turn(SimpleNamespace(fails=[fake.error(name)]))
    with failed(f"the library raised {name}"):
        service.unwrap(body, CONTEXT)
    fake.decrypt = original
    assert service.unwrap(body, CONTEXT) == PLAIN


@pytest.mark.parametrize(
    "name", ["GeneralError", "FunctionFailed", "EncryptedDataInvalid", "EncryptedDataLenRange"]
)
def test_what_decrypting_raises_about_data_is_a_refusal(monkeypatch, name):
    """Modules have several names for a tag that is wrong."""
    fake, service = hsm(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    fake.fails = [fake.error(name)]
    assert service.unwrap(body, CONTEXT) is None


def test_a_child_initializes_the_library_again(monkeypatch):
    """The state that a fork copied is finalized, if the library lets it be, and not used."""
    fake, service = hsm(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    verbs(fake)
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert verbs(fake) == ["lib", "finalize", "initialize", *OPENING[1:], "decrypt"]
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert verbs(fake) == ["decrypt"]
    monkeypatch.setattr(os, "getpid", lambda: parent + 2)
    fake.finalize = lambda: fail_in_turn(SimpleNamespace(fails=[fake.error("PKCS11Error")]))
    assert service.unwrap(body, CONTEXT) == PLAIN


def test_tokens_take_turns(monkeypatch):
    """The library is told of one thread, so two services do not enter it at the same time."""
    fake, first = hsm(monkeypatch)
    second = Token(NAME, session=fake, key_label="ring")
    inside, most = [], []

    def note(*_, **__):
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.0005)
        inside.pop()

    fake.note = note
    threads = [
        threading.Thread(target=lambda it=it: [it.wrap(PLAIN, CONTEXT) for _ in range(20)])
        for it in (first, second, first)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) >= 60
    assert set(most) == {1}


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="there is no fork")
def test_a_lock_that_a_thread_held_at_a_fork_is_replaced(monkeypatch):
    """Its holder does not exist in the child."""
    monkeypatch.setattr(pkcs11, "_lock", threading.RLock())
    fake, service = hsm(monkeypatch)
    with pkcs11._lock:
        pkcs11._after_fork()
        assert len(service.wrap(PLAIN, CONTEXT)) == 92
    assert fake.logins == [SECRET]


def test_close_ends_the_session(monkeypatch):
    """The next call opens another; a session that was passed is left open."""
    fake, service = hsm(monkeypatch)
    with service as entered:
        assert entered is service
        service.wrap(PLAIN, CONTEXT)
    service.close()
    assert verbs(fake) == [*OPENING, "encrypt", "close"]
    assert len(service.wrap(PLAIN, CONTEXT)) == 92
    verbs(fake)
    passed = Token(NAME, session=fake, key_label="ring")
    passed.wrap(PLAIN, CONTEXT)
    passed.close()
    assert verbs(fake) == ["get_key", "encrypt"]
    made = Token(NAME, session=lambda: fake, key_label="ring")
    made.wrap(PLAIN, CONTEXT)
    made.close()
    assert verbs(fake) == ["get_key", "encrypt", "close"]


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"library": None}, ThemisValueError, "Token needs a library and a token, or a session"),
        ({"token": ""}, ThemisValueError, "Token needs a library and a token, or a session"),
        ({"key_label": None}, ThemisValueError, "Token needs a key_label, a key_id or both"),
        ({"key_label": ""}, ThemisValueError, "Token needs a key_label, a key_id or both"),
        ({"key_label": b"ring"}, ThemisTypeError, "the key_label must be str, not bytes"),
        ({"key_id": "01"}, ThemisTypeError, "the key_id must be bytes, not str"),
        ({"library": 5}, ThemisTypeError, "the library must be str, not int"),
        ({"pin": 1234}, ThemisTypeError, "the PIN must be str, a SecretKey or a function"),
        ({"pin": ""}, ThemisValueError, "the PIN is empty, or has characters"),
        ({"session": object()}, ThemisValueError, "a session has its own library, token and pin"),
    ],
)
def test_wrong_arguments_show_at_once(options, kind, says):
    """No library is needed to notice them."""
    given = {"library": "/hsm.so", "token": "prod", "pin": SECRET, "key_label": "ring", **options}
    with refused(INVALID, says, kind=kind):
        Token(NAME, **given)
