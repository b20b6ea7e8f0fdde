# SPDX-License-Identifier: Apache-2.0
"""Real services: OpenBao, SoftHSM, and moto, which knows no policies and keeps disabled keys."""

import logging
import re
import time
from base64 import b64encode
from hashlib import sha256

import pytest

from pythemis import _sealed
from pythemis.exception import THEMIS_CODES
from pythemis.kms.aws import AwsKms
from pythemis.kms.pkcs11 import Token
from pythemis.kms.vault import Transit
from support import live_services as live
from support.cells import refused
from support.documents import Example, Section, run, sections
from support.forks import Child, forking
from support.project import ROOT
from support.sealed import ERRORS
from support.services import CONTEXT, NAME, OTHER_CONTEXT, PLAIN, failed, flipped

pytestmark = [pytest.mark.integration, pytest.mark.no_c]
NETWORK = THEMIS_CODES.NETWORK_ERROR
PATIENCE = 25  # seconds: less than one attempt takes whose limits boto3 or hvac chooses by itself
PAGE = ROOT / "docs" / "how-to" / "key-services.md"
ON_THE_PAGE = {
    "arn": "arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef",
    "url": "https://vault.example.com:8200",
    "token": "/run/secrets/vault-token",
    "pin": "/run/secrets/hsm-pin",
    "library": "/usr/lib/softhsm/libsofthsm2.so",
}


@pytest.fixture(scope="module")
def bao(tmp_path_factory):
    """Give the address of an OpenBao server."""
    with live.openbao(tmp_path_factory.mktemp("bao")) as address:
        yield address


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Give the library of SoftHSM, with a token in it."""
    with live.softhsm(tmp_path_factory.mktemp("hsm")) as library:
        yield library


@pytest.fixture
def hsm(library):
    """Give the library without the sessions of other tests."""
    import pkcs11

    pkcs11.lib(library).reinitialize()
    return library


@pytest.fixture(scope="module")
def arn():
    """Give the ARN of a key in moto."""
    with live.moto() as arn:
        yield arn


@pytest.fixture
def root(bao):
    """Give a client that may do everything."""
    return live.administrator(bao)


def transit(bao, key="ring", **options):
    """Give a service of the server."""
    return Transit(NAME, key, **{"url": bao, "token": live.ROOT_TOKEN, **options})


def token(hsm, **options):
    """Give a service of the HSM."""
    given = {"library": hsm, "token": "prod", "pin": live.PIN, "key_label": "ring", **options}
    return Token(NAME, **given)


@pytest.fixture(params=["aws", "vault", "hsm"])
def both(request):
    """Give two services with different keys, of each kind in turn."""
    if request.param == "aws":
        arn = request.getfixturevalue("arn")
        import boto3

        other = boto3.session.Session().client("kms", region_name=live.REGION).create_key()
        return AwsKms(NAME, arn), AwsKms(NAME, other["KeyMetadata"]["Arn"])
    if request.param == "vault":
        bao, root = request.getfixturevalue("bao"), request.getfixturevalue("root")
        root.secrets.transit.create_key("other", key_type="chacha20-poly1305")
        return transit(bao), transit(bao, "other")
    hsm = request.getfixturevalue("hsm")
    return token(hsm), token(hsm, key_label="other")


def test_a_body_opens_under_its_key_and_context_alone(both):
    """Another context, another key or a flipped bit refuse it."""
    first, second = both
    body = first.wrap(PLAIN, CONTEXT)
    assert first.unwrap(body, CONTEXT) == PLAIN
    assert first.wrap(PLAIN, CONTEXT) != body
    assert first.unwrap(body, OTHER_CONTEXT) is None
    assert first.unwrap(flipped(body), CONTEXT) is None
    assert second.unwrap(second.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN
    if not isinstance(first, AwsKms):  # moto asks for a permission there
        assert second.unwrap(body, CONTEXT) is None


def test_sealed_files_open_with_a_service(both):
    """The whole way: a file for a service, read by it, and by nothing under another context."""
    service, _ = both
    slots = _sealed.Slots(services=[service])
    sealed = _sealed.seal_bytes(ERRORS, b"data", slots, b"place")
    opened = _sealed.open_bytes(
        ERRORS, sealed, _sealed.Unlock(services=[service], context=b"place")
    )
    assert (bytes(opened[0]), opened[1]) == (b"data", "service")
    with refused(THEMIS_CODES.FAIL, "wrong key or context", kind=ERRORS.failed):
        _sealed.open_bytes(ERRORS, sealed, _sealed.Unlock(services=[service], context=b"other"))


@pytest.mark.parametrize("_", forking and [pytest.param("", marks=forking)])
def test_parent_and_child_use_one_service(both, _):
    """After a fork each of them has a connection or a session of its own."""
    service, _ = both
    body = service.wrap(PLAIN, CONTEXT)
    child = Child(lambda: service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT))
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert child.result() == PLAIN
    assert service.unwrap(body, CONTEXT) == PLAIN


# ---- OpenBao ----


def test_only_symmetric_keys_that_are_not_derived(bao, root):
    """Anyone could wrap with a public key, and a derived one takes other requests."""
    root.secrets.transit.create_key("public", key_type="rsa-2048")
    root.secrets.transit.create_key("derived", derived=True)
    for key in ("public", "derived"):
        with failed("the key must be of type aes256-gcm96 or chacha20-poly1305, and not derived"):
            transit(bao, key).wrap(PLAIN, CONTEXT)
    with failed("reading transit/keys/none: no such key or mount (status 404)"):
        transit(bao, "none").wrap(PLAIN, CONTEXT)
    assert "none" not in root.secrets.transit.list_keys()["data"]["keys"]


def test_a_policy_may_allow_one_ring(bao, root):
    """That of the page lets its holder wrap and unwrap for the ring "shop", and for no other."""
    context = b"TSFILE1\nservice" + sha256(b"TK1 keyring shop").digest()
    [policy] = re.findall(r"^```text\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    root.sys.create_or_update_policy("shop", policy)
    limited = root.auth.token.create(policies=["shop"])["auth"]["client_token"]
    service = transit(bao, token=limited)
    body = service.wrap(PLAIN, context)
    assert service.unwrap(body, context) == PLAIN
    for call in (
        lambda: service.wrap(PLAIN, OTHER_CONTEXT),
        lambda: service.unwrap(body, OTHER_CONTEXT),
        lambda: transit(bao, "other", token=limited).wrap(PLAIN, context),
    ):
        with failed("") as caught:
            call()
        assert "permission denied (status 403)" in str(caught.value)


def test_old_versions_of_a_key_read_until_they_are_closed(bao, root):
    """Rotation on the server changes nothing for files; a closed version refuses them."""
    root.secrets.transit.create_key("old")
    service = transit(bao, "old")
    body = service.wrap(PLAIN, CONTEXT)
    root.secrets.transit.rotate_key("old")
    assert service.wrap(PLAIN, CONTEXT).startswith(b"vault:v2:")
    assert service.unwrap(body, CONTEXT) == PLAIN
    root.secrets.transit.update_key_configuration("old", min_decryption_version=2)
    assert service.unwrap(body, CONTEXT) is None


def test_a_server_that_cannot_answer(bao):
    """Down, silent, or asked with a wrong token: a failure within the time limits."""
    with failed("reading transit/keys/ring: permission denied (status 403)"):
        transit(bao, token="wrong").wrap(PLAIN, CONTEXT)
    options = {"timeouts": (0.3, 0.3), "attempts": 2}
    with live.kept_port() as down, live.silence() as (silent, connections):
        for address in (f"http://127.0.0.1:{down}", silent):
            started = time.monotonic()
            with failed("reading transit/keys/ring: no answer from the server (", NETWORK):
                transit(address, **options).unwrap(b"vault:v1:AAAA", CONTEXT)
            assert time.monotonic() - started < PATIENCE
        assert connections() == 2


def test_the_environment_chooses_nothing(bao, monkeypatch):
    """Neither server, token, proxy nor certificates come from there."""
    for name in ("VAULT_ADDR", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("VAULT_TOKEN", "REQUESTS_CA_BUNDLE", "NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "nothing")
    service = transit(bao)
    assert service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN


# ---- SoftHSM ----


def test_keys_are_found_exactly_once_and_have_32_bytes(hsm):
    """A label of no key, of no token, of a short key."""
    for options, says in (
        ({"key_label": "none"}, "no AES key has this label or id"),
        ({"pin": None}, "no AES key has this label or id, or it needs a PIN to be seen"),
        ({"token": "none"}, "no token has this label"),
        ({"library": "/none.so"}, "the library cannot be loaded, or is not initialized"),
        ({"key_label": "short"}, "the key has 16 bytes; it must have 32"),
        ({"token_draws_iv": True}, "the token drew no iv: leave out token_draws_iv"),
    ):
        with failed(says), token(hsm, **options) as service:
            service.wrap(PLAIN, CONTEXT)


def test_a_wrong_pin_is_told(hsm):
    """Once: it is not tried again."""
    service = token(hsm, pin="4321")
    with failed("the PIN is wrong, expired or locked (PinIncorrect)"):
        service.wrap(PLAIN, CONTEXT)
    with failed("the PIN was wrong, and is not tried again"):
        service.wrap(PLAIN, CONTEXT)


def test_one_logs_out_and_the_others_go_on(hsm):
    """All sessions of a process are logged in and out together."""
    first, second = token(hsm), token(hsm, key_label="other")
    body = first.wrap(PLAIN, CONTEXT)
    second.wrap(PLAIN, CONTEXT)
    second.close()
    assert first.unwrap(body, CONTEXT) == PLAIN
    assert len(second.wrap(PLAIN, CONTEXT)) == 92
    first.close()
    second.close()


def test_a_session_that_is_passed(hsm):
    """A program that has one uses it."""
    import pkcs11

    session = pkcs11.lib(hsm).get_token(token_label="prod").open(user_pin=live.PIN)
    service = Token(NAME, session=session, key_label="ring")
    assert service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN
    service.close()
    session.close()


# ---- AWS ----


def test_boto3_logs_no_file_keys(arn, caplog):
    """At the level DEBUG it logs requests and answers, but not ours."""
    caplog.set_level(logging.DEBUG)
    service = AwsKms(NAME, arn)
    assert service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN
    assert any(record.name.startswith("botocore") for record in caplog.records)
    assert b64encode(PLAIN).decode() not in caplog.text
    client = service._clients.get()  # control: the same request, made past the service
    client.encrypt(KeyId=arn, Plaintext=PLAIN)
    assert b64encode(PLAIN).decode() in caplog.text


def test_aws_that_does_not_answer(monkeypatch):
    """Down or silent: a failure within the time limits, whatever boto3 does by itself."""
    live.needed("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    arn = f"arn:aws:kms:{live.REGION}:123456789012:key/12345678"
    with live.kept_port() as down, live.silence() as (silent, connections):
        for address in (f"http://127.0.0.1:{down}", silent):
            monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", address)
            started = time.monotonic()
            with failed("no answer from AWS (", NETWORK):
                AwsKms(NAME, arn, timeouts=(0.3, 0.3), attempts=2).unwrap(b"body", CONTEXT)
            assert time.monotonic() - started < PATIENCE
        assert connections() == 2


# ---- The page about key services ----


def page_for(service, **here):
    """Give the examples of the page for one service, with what is here in place of its values."""
    found = []
    for part in sections(PAGE.read_text("utf-8")):
        for example in part.examples:
            if example.reason is None or service in example.reason or "with each" in example.reason:
                code = example.code
                for name, value in here.items():
                    code = code.replace(ON_THE_PAGE[name], str(value))
                found.append(Example(example.line, code, None))
    return Section(PAGE.name, found)


@pytest.mark.parametrize("service", ["moto", "OpenBao", "SoftHSM"])
def test_the_page_about_key_services(service, request, tmp_path, monkeypatch, capsys):
    """Every example of the page runs, with each of the services."""
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "secret"
    if service == "moto":
        here = {"arn": request.getfixturevalue("arn")}
    elif service == "OpenBao":
        secret.write_text(live.ROOT_TOKEN)
        here = {"url": request.getfixturevalue("bao"), "token": secret}
    else:
        secret.write_text(f"{live.PIN}\n")
        here = {"library": request.getfixturevalue("hsm"), "pin": secret}
    run(page_for(service, **here), str(PAGE))
    assert capsys.readouterr().out.splitlines().count("True") == 1
    assert sorted(path.name for path in tmp_path.glob("*.ring")) == ["shop.ring", "test.ring"]
