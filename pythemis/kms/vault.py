# SPDX-License-Identifier: Apache-2.0
"""The transit engine of HashiCorp Vault or OpenBao as a key service.

It needs hvac: the extra ``vault``.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pythemis.exception import THEMIS_CODES

from . import _arguments, _calls
from ._base import LONGEST_BODY, KeyService
from ._calls import REFUSED, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Transit"]

_KEY = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_MOUNT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_BODY = re.compile(rb"vault:v[1-9][0-9]{0,8}:([A-Za-z0-9+/]+={0,2})")
_KINDS = ("aes256-gcm96", "chacha20-poly1305")
_AGAIN = {  # names of hvac's exceptions
    "RateLimitExceeded": "too many requests (status 429)",
    "InternalServerError": "the server has an error (status 500)",
    "BadGateway": "the server is not reached (status 502)",
    "VaultDown": "the server is sealed or in maintenance (status 503)",
    "UnexpectedError": "the server answered with an unexpected status",
}
_FINAL = {
    "Unauthorized": "the token is not accepted (status 401)",
    "Forbidden": "permission denied (status 403): see the token, and the policy for this context",
    "InvalidPath": "no such key or mount (status 404)",
    "VaultNotInitialized": "the server is not initialized (status 501)",
}


class Transit(KeyService):
    """A key of a transit engine, which both Vault and OpenBao have.

    Threads may share it. A process and its forked children have a client each. Nothing but what
    you pass decides which server is asked: no environment variable, and no redirect.

    Args:
        name: your name for the key, which is stored in the files: 1 to 255 printable ASCII
            characters without spaces. One name means one key, for ever.
        key: the name of the key on the server: of type aes256-gcm96 or chacha20-poly1305, not
            derived. The token needs `read` on it, to see its type, and `update` on encrypt or
            decrypt.
        url: the server, such as ``https://vault.example.com:8200``. ``http`` is accepted for
            this machine only: file keys would cross the network readable.
        token: text, a SecretKey that holds it, or a function that returns one of them. The
            function is called before each request, so tokens may change.
        mount: where the engine is mounted.
        namespace: of Vault Enterprise and OpenBao.
        ca_file: a PEM file with the certificates to trust, in place of the system's.
        client: an ``hvac.Client``, or a function that makes one, in place of the four before. It
            keeps its own time limits, token, proxies and redirects.
        timeouts: seconds to wait for a connection, and for each part of an answer.
        attempts: how often a request is tried, 1 to 10, with random pauses in between.

    Raises:
        ThemisTypeError: an argument of another type.
        ThemisValueError: a name, an address or a number that cannot be.
    """

    def __init__(
        self,
        name: str,
        key: str,
        *,
        url: str | None = None,
        token: _arguments.Secret | None = None,
        mount: str = "transit",
        namespace: str | None = None,
        ca_file: str | None = None,
        client: Any = None,
        timeouts: tuple[float, float] = (3, 5),
        attempts: int = 3,
    ) -> None:
        super().__init__(
            {
                "name": name,
                "key": key,
                "url": url,
                "token": token,
                "mount": mount,
                "namespace": namespace,
                "ca_file": ca_file,
                "client": client,
                "timeouts": timeouts,
                "attempts": attempts,
            },
            ("token", "client"),
        )
        for what, given, form in (("key", key, _KEY), ("mount", mount, _MOUNT)):
            if not isinstance(given, str):
                raise _arguments.wrong_type(f"the {what} must be str, not {type(given).__name__}")
            if not form.fullmatch(given):
                raise _arguments.wrong_value(f"this is not the name of a {what} on the server")
        self._key, self._mount = key, mount
        self._timeouts = _arguments.check_timeouts(timeouts)
        self._attempts = _arguments.check_attempts(attempts)
        self._checked = False
        self._token: _arguments.Secret | None = None
        if client is not None:
            if (url, token, namespace, ca_file) != (None,) * 4:
                raise _arguments.wrong_value(
                    "a client has its own url, token, namespace and ca_file"
                )
            self._clients = _calls.PerProcess(_calls.ready(client, "hvac client"))
            return
        if url is None or token is None:
            raise _arguments.wrong_value("Transit needs a url and a token, or a client")
        _check_url(url)
        self._token = token
        if not callable(token):
            _arguments.text_of(token, "the token")  # a mistake shows here, not at the first file
        self._options = {
            "url": url,
            "token": "",  # None would be looked for in the environment,
            "cert": "",  # as would a client certificate and its key
            "verify": True if ca_file is None else ca_file,
            "timeout": self._timeouts,
            "allow_redirects": False,  # they would carry the token and file keys elsewhere
            "namespace": namespace,
        }
        self._clients = _calls.PerProcess(self._make)

    def _is_body(self, body: bytes) -> bool:
        return _is_body(body)

    def _wrap(self, plain: bytes, context: bytes) -> bytes | Failure:
        answer = self._ask("encrypt_data", "ciphertext", plaintext=_text(plain), context=context)
        if isinstance(answer, Failure):
            return answer
        body = answer.encode("ascii", "replace")
        if not _is_body(body) or len(body) > LONGEST_BODY:
            return _calls.nonsense("a ciphertext of another form")
        return body

    def _unwrap(self, body: bytes, context: bytes) -> bytes | Failure:
        answer = self._ask("decrypt_data", "plaintext", ciphertext=body.decode(), context=context)
        if isinstance(answer, Failure):
            return answer
        try:
            return b64decode(answer, validate=True)
        except ValueError:
            return _calls.nonsense("a plaintext that is not base64")

    def _ask(self, verb: str, member: str, *, context: bytes, **request: str) -> str | Failure:
        client = self._clients.get()
        if isinstance(client, Failure):
            return client
        problem = None if self._checked else self._check_key(client)
        if problem is not None:
            return problem
        data = self._call(
            client,
            lambda transit: getattr(transit, verb)(
                self._key, mount_point=self._mount, associated_data=_text(context), **request
            ),
        )
        if isinstance(data, Failure):
            return data
        answer = data.get(member)
        return answer if isinstance(answer, str) else _calls.nonsense(f"no {member}")

    def _check_key(self, client: Any) -> Failure | None:
        """Refuse a public key, with which anyone could wrap, and derived ones."""
        data = self._call(client, lambda transit: transit.read_key(self._key, self._mount))
        if isinstance(data, Failure):
            return data._replace(text=f"reading {self._mount}/keys/{self._key}: {data.text}")
        if data.get("type") not in _KINDS or data.get("derived") is not False:
            return Failure(f"the key must be of type {' or '.join(_KINDS)}, and not derived")
        self._checked = True
        return None

    def _call(self, client: Any, request: Callable[[Any], Any]) -> dict[str, Any] | Failure:
        if self._token is not None:
            token = _calls.secret_text(self._token, "the token")
            if isinstance(token, Failure):
                return token
            client.token = token
        answer = _calls.attempt(lambda: request(client.secrets.transit), _judge, self._attempts)
        if isinstance(answer, Failure):
            return answer
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            status = getattr(answer, "status_code", None)
            if isinstance(status, int):
                return _calls.nonsense(f"status {status} and no data; redirects are not followed")
            return _calls.nonsense("no data")
        return data

    def _make(self) -> Any:
        client = _hvac().Client(**self._options)
        client.session.trust_env = False  # proxies, certificates and .netrc
        return client


def _hvac() -> Any:
    try:
        import hvac  # pyright: ignore[reportMissingImports]

        return hvac
    except ImportError:
        pass
    raise _calls.missing("Transit", "hvac", "vault")


def _check_url(url: object) -> None:
    if not isinstance(url, str):
        raise _arguments.wrong_type(f"the url must be str, not {type(url).__name__}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or not host or parts.scheme not in ("http", "https"):
        raise _arguments.wrong_value("the url must be like https://vault.example.com:8200")
    if parts.username is not None or parts.query or parts.fragment:
        raise _arguments.wrong_value("the url holds more than a server: pass the token as token=")
    if parts.scheme == "http" and not _is_this_machine(host):
        raise _arguments.wrong_value(
            "http would carry file keys and the token over the network readable: use https"
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_body(body: bytes) -> bool:
    """Return whether this is what transit writes, in its only spelling."""
    form = _BODY.fullmatch(body)
    if form is None:
        return False
    try:
        return b64encode(b64decode(form[1], validate=True)) == form[1]
    except binascii.Error:
        return False


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _judge(error: Exception) -> Failure:
    names = [base.__name__ for base in type(error).__mro__]
    if "InvalidRequest" in names:  # status 400: no such key looks the same
        return REFUSED
    for name in names:
        if name in _AGAIN:
            return Failure(_AGAIN[name], again=True)
        if name in _FINAL:
            return Failure(_FINAL[name])
    if isinstance(error, OSError):  # as all exceptions of requests
        kind = type(error).__name__
        return Failure(
            f"no answer from the server ({kind})", THEMIS_CODES.NETWORK_ERROR, again=True
        )
    return Failure(f"the client raised {names[0]}")
