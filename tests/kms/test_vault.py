# SPDX-License-Identifier: Apache-2.0
"""Vault and OpenBao: the requests exactly as section 8.3 has them, and what is particular."""

import sys
from base64 import b64encode
from types import SimpleNamespace

import pytest

from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError
from pythemis.keyring import SecretKey
from pythemis.kms import _calls
from pythemis.kms.vault import Transit
from support.cells import refused
from support.services import ADDRESS, CONTEXT, NAME, PLAIN, SECRET, Vault, error, failed, vault

pytestmark = pytest.mark.no_c
INVALID = THEMIS_CODES.INVALID_PARAMETER
NETWORK = THEMIS_CODES.NETWORK_ERROR
COMMON = {"name": "ring", "mount_point": "transit"}
BOUND = {**COMMON, "associated_data": b64encode(CONTEXT).decode()}


@pytest.fixture
def pauses(monkeypatch):
    """Give the seconds between attempts, which no test waits for."""
    found = []
    monkeypatch.setattr(_calls.random, "uniform", lambda _, most: most)
    monkeypatch.setattr(_calls.time, "sleep", found.append)
    return found


def test_the_requests_are_those_of_the_specification(monkeypatch):
    """Both carry the context as associated data; the type of the key is read once."""
    fake, service = vault(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    service.unwrap(body, CONTEXT)
    assert fake.requests == [
        ("read", COMMON),
        ("encrypt", {**BOUND, "plaintext": b64encode(PLAIN).decode()}),
        ("decrypt", {**BOUND, "ciphertext": body.decode()}),
    ]


def test_the_client_that_is_made_trusts_nothing_but_its_arguments(monkeypatch):
    """No redirect carries the token elsewhere; the environment names no proxy, token or key."""
    fake, service = vault(monkeypatch, ca_file="/ca.pem", namespace="shop", timeouts=(1, 2))
    service.wrap(PLAIN, CONTEXT)
    assert fake.options == {
        "url": ADDRESS,
        "token": "",
        "cert": "",
        "verify": "/ca.pem",
        "timeout": (1.0, 2.0),
        "allow_redirects": False,
        "namespace": "shop",
    }
    assert (fake.session.trust_env, fake.token) == (False, SECRET)
    fake, service = vault(monkeypatch)
    service.wrap(PLAIN, CONTEXT)
    assert fake.options["verify"] is True


@pytest.mark.parametrize(
    "key",
    [
        {"type": "rsa-4096", "derived": False},  # with the public key anyone could wrap
        {"type": "aes128-gcm96", "derived": False},
        {"type": "aes256-gcm96", "derived": True},
        {"type": "aes256-gcm96"},
        {"type": "aes256-gcm96", "derived": 0},
        {},
    ],
)
@pytest.mark.parametrize("verb", ["wrap", "unwrap"])
def test_a_key_of_another_type_is_not_used(monkeypatch, key, verb):
    """It must be symmetric and not derived; a key that is put right is used."""
    fake, service = vault(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    fake, service = vault(monkeypatch)
    fake.key = key
    with failed("the key must be of type aes256-gcm96 or chacha20-poly1305, and not derived"):
        getattr(service, verb)(PLAIN if verb == "wrap" else body, CONTEXT)
    assert [name for name, _ in fake.requests] == ["read"]
    fake.key = {"type": "chacha20-poly1305", "derived": False}
    assert service.unwrap(body, CONTEXT) == PLAIN


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("InvalidRequest", "it refused: see the settings of its key"),  # no body was sent yet
        ("Forbidden", "permission denied (status 403)"),
        ("InvalidPath", "no such key or mount"),
    ],
)
def test_a_key_that_cannot_be_read_is_not_used(monkeypatch, name, says):
    """Without its type nothing is sent, and the sentence names what was read."""
    fake, service = vault(monkeypatch)
    fake.fails = [error(name)(SECRET)]
    with failed(f"reading transit/keys/ring: {says}"):
        service.unwrap(b"vault:v1:AAAA", CONTEXT)
    assert [name for name, _ in fake.requests] == ["read"]


RETRIED = [
    (error("VaultDown"), "the server is sealed or in maintenance (status 503)", None),
    (error("RateLimitExceeded"), "too many requests (status 429)", None),
    (error("InternalServerError"), "the server has an error (status 500)", None),
    (error("ReadTimeout", OSError), "no answer from the server (ReadTimeout)", NETWORK),
    (error("SSLError", OSError), "no answer from the server (SSLError)", NETWORK),
]


@pytest.mark.parametrize(("cause", "says", "code"), RETRIED)
def test_what_may_pass_is_tried_again(monkeypatch, pauses, cause, says, code):
    """A bounded number of attempts, with growing random pauses; then it is a failure."""
    fake, service = vault(monkeypatch, attempts=10)
    body = service.wrap(PLAIN, CONTEXT)
    fake.requests.clear()
    fake.fails = [cause(SECRET) for _ in range(9)]
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert len(fake.requests) == 10
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0]
    fake.fails = [cause(SECRET) for _ in range(10)]
    with failed(says, code or THEMIS_CODES.FAIL):
        service.unwrap(body, CONTEXT)


def test_a_token_may_change(monkeypatch):
    """A function is asked before each request; what it raises is a failure without its words."""
    tokens = iter(["one", "two\n", SecretKey.from_bytes(b"three")])
    used = []
    fake = Vault()
    fake.note = lambda verb, **_: used.append((verb, fake.token))
    service = Transit(NAME, "ring", url=ADDRESS, token=lambda: next(tokens))
    monkeypatch.setitem(sys.modules, "hvac", SimpleNamespace(Client=lambda **_: fake))
    service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT)
    assert used == [("read", "one"), ("encrypt", "two"), ("decrypt", "three")]
    with failed("the function for the token raised StopIteration"):
        service.wrap(PLAIN, CONTEXT)
    service = Transit(NAME, "ring", url=ADDRESS, token=lambda: "tök\nen")
    with failed("reading transit/keys/ring: the token is empty, or has characters"):
        service.wrap(PLAIN, CONTEXT)


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"url": None}, ThemisValueError, "Transit needs a url and a token, or a client"),
        ({"token": None}, ThemisValueError, "Transit needs a url and a token, or a client"),
        ({"client": Vault()}, ThemisValueError, "a client has its own url, token"),
        ({"token": b"token"}, ThemisTypeError, "the token must be str, a SecretKey or a function"),
        ({"token": ""}, ThemisValueError, "the token is empty, or has characters"),
        ({"token": "a\nb"}, ThemisValueError, "the token is empty, or has characters"),
        (
            {"token": SecretKey.from_bytes(b"\xff")},
            ThemisValueError,
            "the token is empty, or has characters",
        ),
        ({"url": b"https://v"}, ThemisTypeError, "the url must be str, not bytes"),
        ({"url": "vault.example.com"}, ThemisValueError, "the url must be like https://"),
        ({"url": "https://"}, ThemisValueError, "the url must be like https://"),
        ({"url": "https://v:x"}, ThemisValueError, "the url must be like https://"),
        ({"url": "https://[::1"}, ThemisValueError, "the url must be like https://"),
        ({"url": "file:///v"}, ThemisValueError, "the url must be like https://"),
        ({"url": f"https://u:{SECRET}@v"}, ThemisValueError, "the url holds more than a server"),
        ({"url": "https://v?a"}, ThemisValueError, "the url holds more than a server"),
        ({"url": "http://vault.example.com"}, ThemisValueError, "readable: use https"),
        ({"url": "http://127.0.0.1.example.com"}, ThemisValueError, "readable: use https"),
        ({"url": "http://localhost.example.com"}, ThemisValueError, "readable: use https"),
        ({"url": "http://10.0.0.1"}, ThemisValueError, "readable: use https"),
        ({"key": "../sys/seal"}, ThemisValueError, "not the name of a key on the server"),
        ({"key": "a/b"}, ThemisValueError, "not the name of a key on the server"),
        ({"key": "a?b"}, ThemisValueError, "not the name of a key on the server"),
        ({"key": "a\n"}, ThemisValueError, "not the name of a key on the server"),
        ({"key": b"ring"}, ThemisTypeError, "the key must be str, not bytes"),
        ({"mount": "../x"}, ThemisValueError, "not the name of a mount on the server"),
        ({"mount": "/transit"}, ThemisValueError, "not the name of a mount on the server"),
        ({"mount": None}, ThemisTypeError, "the mount must be str, not NoneType"),
    ],
)
def test_wrong_arguments_show_at_once(options, kind, says):
    """No request is needed to notice them, and no secret is in the sentence."""
    given = {"key": "ring", "url": ADDRESS, "token": SECRET, **options}
    with refused(INVALID, says, kind=kind) as caught:
        Transit(NAME, **given)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:8200", "http://127.0.0.1:8200", "http://[::1]:8200", "https://a/b"]
)
def test_this_machine_may_be_asked_without_tls(url):
    """A server, or an agent, on the same machine."""
    assert Transit(NAME, "ring", url=url, token="x", mount="shop/transit").name == NAME
