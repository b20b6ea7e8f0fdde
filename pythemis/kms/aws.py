# SPDX-License-Identifier: Apache-2.0
"""AWS KMS as a key service: file keys are encrypted under a KMS key that never leaves AWS.

It needs boto3: the extra ``aws``.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from pythemis.exception import THEMIS_CODES

from . import _arguments, _calls
from ._base import KeyService
from ._calls import REFUSED, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AwsKms"]

_ALGORITHM = "SYMMETRIC_DEFAULT"
_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
_LONGEST_BODY = 6144  # bytes of a CiphertextBlob that KMS reads
_REFUSALS = {"InvalidCiphertextException", "IncorrectKeyException"}
_HINTS = {
    "AccessDeniedException": "permission denied: see the policies of the key and of the caller",
    "DisabledException": "the key is disabled",
    "NotFoundException": "there is no such key",
    "KMSInvalidStateException": "the key is pending deletion, or its key store is unavailable",
    "KeyUnavailableException": "the key is unavailable for now",
    "ThrottlingException": "too many requests: the account's rate is limited",
    "LimitExceededException": "too many requests: a limit of the account is reached",
    "InvalidKeyUsageException": "it is not a symmetric key for encryption",
    "ExpiredTokenException": "the credentials have expired",
    "UnrecognizedClientException": "the credentials are wrong",
    "InvalidSignatureException": "the credentials are wrong",
}
_NO_ANSWER = {"HTTPClientError", "ConnectionError", "EndpointConnectionError"}


class AwsKms(KeyService):
    """A symmetric key of AWS KMS.

    Threads may share it. A process and its forked children have a client each.

    Args:
        name: your name for the key, which is stored in the files: 1 to 255 printable ASCII
            characters without spaces. One name means one key, for ever.
        key_arn: the ARN of the key, in the region that is to be asked. An alias is refused: it
            can be pointed at another key.
        client: a boto3 client of "kms", or a function that makes one, which is called once in
            each process. It keeps its own time limits and retries. Left out, the client is made
            with the credentials that boto3 finds.
        timeouts: seconds to wait for a connection, and for each part of an answer.
        attempts: how often a request is tried, 1 to 10, with random pauses in between.

    Raises:
        ThemisTypeError: an argument of another type.
        ThemisValueError: a name, an ARN or a number that cannot be.
    """

    def __init__(
        self,
        name: str,
        key_arn: str,
        *,
        client: Any = None,
        timeouts: tuple[float, float] = (3, 5),
        attempts: int = 3,
    ) -> None:
        super().__init__(
            {
                "name": name,
                "key_arn": key_arn,
                "client": client,
                "timeouts": timeouts,
                "attempts": attempts,
            },
            ("client",),
        )
        if not isinstance(key_arn, str):
            raise _arguments.wrong_type(f"the key's ARN must be str, not {type(key_arn).__name__}")
        arn = _ARN.fullmatch(key_arn)
        if arn is None:
            raise _arguments.wrong_value(
                "this is not the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID; an alias is not "
                "accepted, because it can be pointed at another key"
            )
        self._key, self._region = key_arn, arn["region"]
        self._timeouts = _arguments.check_timeouts(timeouts)
        self._attempts = _arguments.check_attempts(attempts)
        make = self._make if client is None else _calls.ready(client, "boto3 client")
        self._clients = _calls.PerProcess(make)

    def _is_body(self, body: bytes) -> bool:
        return 1 <= len(body) <= _LONGEST_BODY

    def _wrap(self, plain: bytes, context: bytes) -> bytes | Failure:
        return self._ask("encrypt", {"Plaintext": plain}, context)

    def _unwrap(self, body: bytes, context: bytes) -> bytes | Failure:
        return self._ask("decrypt", {"CiphertextBlob": body}, context)

    def _ask(self, verb: str, request: dict[str, bytes], context: bytes) -> bytes | Failure:
        client = self._clients.get()
        if isinstance(client, Failure):
            return client
        region = getattr(getattr(client, "meta", None), "region_name", None)
        if isinstance(region, str) and region != self._region:
            return Failure(f"the client is of the region {region}, the key of {self._region}")

        def ask() -> Any:
            with _unlogged():
                return getattr(client, verb)(
                    KeyId=self._key,
                    EncryptionAlgorithm=_ALGORITHM,
                    EncryptionContext={"themis": b64encode(context).decode()},
                    **request,
                )

        # One attempt: the client has its own.
        answer = _calls.attempt(ask, _judge, 1)
        if isinstance(answer, Failure):
            return answer
        return self._read(answer, "CiphertextBlob" if verb == "encrypt" else "Plaintext")

    def _read(self, answer: Any, member: str) -> bytes | Failure:
        if not isinstance(answer, dict) or not isinstance(answer.get(member), bytes):
            return _calls.nonsense(f"no {member}")
        if answer.get("KeyId") != self._key:
            return _calls.nonsense("the ARN of another key")
        if answer.get("EncryptionAlgorithm", _ALGORITHM) != _ALGORITHM:
            return _calls.nonsense("another algorithm")
        found: bytes = answer[member]
        if not 1 <= len(found) <= _LONGEST_BODY:
            return _calls.nonsense(f"{len(found)} bytes")
        return found

    def _make(self) -> Any:
        session, config = _boto3()
        connect, read = self._timeouts
        settings = config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
        )
        # A session of its own: boto3's default session is not for several threads.
        return session().client("kms", region_name=self._region, config=settings)


def _boto3() -> tuple[Any, Any]:
    try:
        from boto3.session import Session  # pyright: ignore[reportMissingImports]
        from botocore.config import Config  # pyright: ignore[reportMissingImports]

        return Session, Config
    except ImportError:
        pass
    raise _calls.missing("AwsKms", "boto3", "aws")


def _judge(error: Exception) -> Failure:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        details = response.get("Error")
        code = details.get("Code") if isinstance(details, dict) else None
        if code in _REFUSALS:
            return REFUSED
        code = code if isinstance(code, str) and code.isalnum() else "an unknown error"
        return Failure(f"{_HINTS.get(code, 'AWS refused')} ({code})")
    kind = type(error).__name__
    if _NO_ANSWER & {base.__name__ for base in type(error).__mro__}:
        return Failure(f"no answer from AWS ({kind})", THEMIS_CODES.NETWORK_ERROR)
    return Failure(f"the client raised {kind}; see the credentials and the configuration of boto3")


# At the level DEBUG botocore logs requests and answers, with file keys in them: not of our calls.
_inside = threading.local()


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    _inside.call = True
    try:
        yield
    finally:
        _inside.call = False


def _is_to_be_logged(_: logging.LogRecord) -> bool:
    return not getattr(_inside, "call", False)


for _logger in ("botocore.endpoint", "botocore.parsers"):
    logging.getLogger(_logger).addFilter(_is_to_be_logged)
