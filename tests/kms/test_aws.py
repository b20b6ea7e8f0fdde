# SPDX-License-Identifier: Apache-2.0
"""AWS KMS: the requests exactly as section 8.3 has them, and what is particular to AWS."""

import logging
import sys
from base64 import b64encode
from types import ModuleType, SimpleNamespace

import pytest

from pythemis.exception import THEMIS_CODES, ThemisTypeError, ThemisValueError
from pythemis.kms.aws import AwsKms
from support.cells import refused
from support.services import ARN, CONTEXT, NAME, PLAIN, Aws, aws, client_error, failed

pytestmark = pytest.mark.no_c
INVALID = THEMIS_CODES.INVALID_PARAMETER
COMMON = {
    "KeyId": ARN,
    "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    "EncryptionContext": {"themis": b64encode(CONTEXT).decode()},
}


def test_the_requests_are_those_of_the_specification(monkeypatch):
    """Key, algorithm and context stand in both requests, and nothing else does."""
    fake, service = aws(monkeypatch)
    body = service.wrap(PLAIN, CONTEXT)
    service.unwrap(body, CONTEXT)
    assert fake.requests == [
        ("encrypt", {**COMMON, "Plaintext": PLAIN}),
        ("decrypt", {**COMMON, "CiphertextBlob": body}),
    ]


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "IncorrectKeyException"])
def test_these_two_are_refusals(monkeypatch, code):
    """A ciphertext of another key or context does not open; all else is the service's failure."""
    fake, service = aws(monkeypatch)
    fake.fails = [client_error(code)]
    assert service.unwrap(b"body", CONTEXT) is None


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "alias/ring",
        "12345678-90ab-cdef-1234-567890abcdef",
        ARN.replace(":key/", ":alias/"),
        ARN.replace(":kms:", ":s3:"),
        ARN.replace("eu-central-1", ""),
        ARN.replace("123456789012", "12345678901"),
        f"{ARN}\n",
        f"{ARN}/x",
    ],
)
def test_only_the_arn_of_a_key_is_accepted(arn):
    """What can be pointed at another key, or is incomplete, is refused at once."""
    with refused(INVALID, "not the ARN of a key", kind=ThemisValueError):
        AwsKms(NAME, arn)


def test_arns_of_other_partitions_and_replicas():
    """GovCloud, China and multi-region keys have ARNs of their own."""
    for arn in (
        ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-central-1", "us-gov-west-1"),
        ARN.replace("arn:aws:", "arn:aws-cn:"),
        ARN.replace("key/", "key/mrk-"),
    ):
        assert AwsKms(NAME, arn).name == NAME
    with refused(INVALID, "the key's ARN must be str, not bytes", kind=ThemisTypeError):
        AwsKms(NAME, ARN.encode())


def test_a_client_of_another_region_is_not_asked(monkeypatch):
    """The key of a replica has the ARN of its own region."""
    fake, service = aws(monkeypatch)
    monkeypatch.setattr(Aws, "meta", SimpleNamespace(region_name="us-east-1"))
    with failed("the client is of the region us-east-1, the key of eu-central-1"):
        service.wrap(PLAIN, CONTEXT)
    assert fake.requests == []


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"timeouts": 5}, ThemisTypeError, "timeouts are two numbers"),
        ({"timeouts": (1, 2, 3)}, ThemisTypeError, "timeouts are two numbers"),
        ({"timeouts": (1, None)}, ThemisTypeError, "a timeout is a number of seconds"),
        ({"timeouts": (True, 1)}, ThemisTypeError, "a timeout is a number of seconds, not bool"),
        ({"timeouts": (0, 1)}, ThemisValueError, "more than 0 and at most 300 seconds"),
        ({"timeouts": (1, float("nan"))}, ThemisValueError, "more than 0 and at most 300"),
        ({"timeouts": (1, float("inf"))}, ThemisValueError, "more than 0 and at most 300"),
        ({"attempts": 0}, ThemisValueError, "attempts must be 1 to 10"),
        ({"attempts": 11}, ThemisValueError, "attempts must be 1 to 10"),
        ({"attempts": 2.0}, ThemisTypeError, "attempts must be int, not float"),
        ({"attempts": True}, ThemisTypeError, "attempts must be int, not bool"),
    ],
)
def test_limits_are_bounded(options, kind, says):
    """No call waits for ever, whatever it was told."""
    with refused(INVALID, says, kind=kind):
        AwsKms(NAME, ARN, **options)


def test_the_client_that_is_made_has_limits(monkeypatch):
    """It is of the key's region, waits for seconds, and counts its attempts."""
    fake, made = Aws(), []
    session, config = ModuleType("boto3.session"), ModuleType("botocore.config")
    session.Session = lambda: SimpleNamespace(client=lambda *a, **k: made.append((a, k)) or fake)
    config.Config = lambda **options: options
    for name, module in (
        ("boto3", ModuleType("boto3")),
        ("boto3.session", session),
        ("botocore", ModuleType("botocore")),
        ("botocore.config", config),
    ):
        monkeypatch.setitem(sys.modules, name, module)
    service = AwsKms(NAME, ARN, timeouts=(1, 2), attempts=4)
    assert service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN
    limits = {"connect_timeout": 1, "read_timeout": 2}
    retries = {"retries": {"mode": "standard", "total_max_attempts": 4}}
    assert made == [(("kms",), {"region_name": "eu-central-1", "config": limits | retries})]


def test_botocore_logs_nothing_of_our_calls(monkeypatch, caplog):
    """What it logs of other calls, and in other threads, is as before."""
    caplog.set_level(logging.DEBUG)
    fake, service = aws(monkeypatch)
    loggers = [logging.getLogger(f"botocore.{name}") for name in ("endpoint", "parsers")]

    def answer(right):
        for logger in loggers:
            logger.debug("Response body: %s", right)
        return right

    fake.answer = answer
    service.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT)
    assert caplog.messages == []
    answer("another call")
    assert caplog.messages == ["Response body: another call"] * 2
