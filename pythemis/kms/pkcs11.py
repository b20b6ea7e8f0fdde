# SPDX-License-Identifier: Apache-2.0
"""A hardware security module as a key service, through PKCS#11.

It needs python-pkcs11: the extra ``pkcs11``.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _arguments, _calls
from ._base import PLAIN, KeyService
from ._calls import REFUSED, Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pythemis._hints import Self

__all__ = ["Token"]

_IV, _TAG, _KEY = 12, 16, 32  # bytes
_BODY = _IV + PLAIN + _TAG
_ZEROS = bytes(_IV)

# Names of python-pkcs11's exceptions. After these a new session may help,
_STALE = {
    *("DeviceRemoved", "KeyHandleInvalid", "ObjectHandleInvalid", "SessionClosed"),
    *("SessionHandleInvalid", "TokenNotPresent", "UserNotLoggedIn"),
}
# and these say as little about the data. The others, if decrypting raises them, refuse it.
_OWN = {
    *("AnotherUserAlreadyLoggedIn", "ArgumentsBad", "DeviceError", "DeviceMemory"),
    *("FunctionCancelled", "FunctionNotSupported", "FunctionRejected", "HostMemory"),
    *("KeyFunctionNotPermitted", "KeyNeeded", "KeySizeRange", "KeyTypeInconsistent"),
    *("MechanismInvalid", "MechanismParamInvalid", "OperationActive", "OperationNotInitialized"),
    *("SessionCount", "SlotIDInvalid", "TokenNotRecognised", "UserPinNotInitialized"),
    *("UserTooManyTypes",),
}
_WRONG_PIN = {"PinExpired", "PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked"}
_HINTS = {
    **dict.fromkeys(_WRONG_PIN, "the PIN is wrong, expired or locked"),
    "KeyTypeInconsistent": "the key is not for AES-GCM",
    "MechanismInvalid": "the token has no AES-GCM",
    "MultipleObjectsReturned": "several keys have this label or id",
    "MultipleTokensReturned": "several tokens have this label",
    "NoSuchKey": "no AES key has this label or id, or it needs a PIN to be seen",
    "NoSuchToken": "no token has this label",
    "PKCS11Error": "the library cannot be loaded, or is not initialized",
}

# Python-pkcs11 tells libraries that one thread at a time will call them. The function for a PIN
# may need another token.
_lock = threading.RLock()


_processes: dict[str, int] = {}  # in which a library was initialized, by its path


class _Opened(NamedTuple):
    process: int
    session: Any
    key: Any


class Token(KeyService):
    """An AES key in a hardware security module, or in another token of PKCS#11.

    Threads may share it; they take turns, with those of all other ``Token`` objects of the
    process. A forked child initializes the library anew and logs in again. PKCS#11 has no time
    limits: a call waits for as long as the library does.

    Args:
        name: your name for the key, which is stored in the files: 1 to 255 printable ASCII
            characters without spaces. One name means one key, for ever.
        library: the path of the PKCS#11 library of the module.
        token: the label of the token.
        pin: the PIN of the user: text, a SecretKey that holds it, or a function that returns one
            of them. A PIN that was wrong is not tried again, because tokens lock themselves.
        key_label: the label of the key, an AES key of 32 bytes.
        key_id: its CKA_ID, in place of the label or together with it. What you pass must find
            exactly one key.
        session: a session of python-pkcs11 that is logged in, or a function that makes one, in
            place of library, token and pin. Nothing else may use it at the same time.
        token_draws_iv: for modules that draw the iv of AES-GCM themselves, such as AWS CloudHSM.

    Raises:
        ThemisTypeError: an argument of another type.
        ThemisValueError: a name that cannot be, an argument that is missing or too many.
    """

    def __init__(
        self,
        name: str,
        *,
        library: str | None = None,
        token: str | None = None,
        pin: _arguments.Secret | None = None,
        key_label: str | None = None,
        key_id: bytes | None = None,
        session: Any = None,
        token_draws_iv: bool = False,
    ) -> None:
        super().__init__(
            {
                "name": name,
                "library": library,
                "token": token,
                "pin": pin,
                "key_label": key_label,
                "key_id": key_id,
                "session": session,
                "token_draws_iv": token_draws_iv,
            },
            ("pin", "session"),
        )
        _check_texts(library=library, token=token, key_label=key_label)
        if key_id is not None and not isinstance(key_id, bytes):
            raise _arguments.wrong_type(f"the key_id must be bytes, not {type(key_id).__name__}")
        if not key_label and not key_id:
            raise _arguments.wrong_value("Token needs a key_label, a key_id or both")
        self._search = {"label": key_label or None, "id": key_id or None}
        self._draws_iv = bool(token_draws_iv)
        self._pin = pin
        self._wrong_pin: str | None = None
        self._library, self._token = library or "", token or ""
        self._opened: _Opened | None = None
        self._make: Callable[[], Any] | None = None
        self._closes = True
        if session is not None:
            if (library, token, pin) != (None, None, None):
                raise _arguments.wrong_value("a session has its own library, token and pin")
            self._make = _calls.ready(session, "session")
            self._closes = callable(session)  # another one is the caller's
        elif not library or not token:
            raise _arguments.wrong_value("Token needs a library and a token, or a session")
        elif pin is not None and not callable(pin):
            _arguments.text_of(pin, "the PIN")  # a mistake shows here, not at the first file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the session and log out; the next call opens another one.

        Other ``Token`` objects of this process log in again by themselves.
        """
        with _lock:
            self._drop()

    def _is_body(self, body: bytes) -> bool:
        return len(body) == _BODY

    def _wrap(self, plain: bytes, context: bytes) -> bytes | Failure:
        return self._call(lambda key: self._encrypt(key, plain, context))

    def _unwrap(self, body: bytes, context: bytes) -> bytes | Failure:
        return self._call(lambda key: _decrypt(key, body, context))

    def _encrypt(self, key: Any, plain: bytes, context: bytes) -> bytes | Failure:
        # The library may write an iv of its own into this memory, so it must be new each time
        # (`bytes(n)` is), and what stands in it afterwards counts.
        iv = bytes(_IV) if self._draws_iv else os.urandom(_IV)
        sealed = key.encrypt(plain, **_gcm(iv, context))
        if iv == _ZEROS:
            return Failure("the token drew no iv: leave out token_draws_iv")
        if not isinstance(sealed, bytes) or len(sealed) != _BODY - _IV:
            return _calls.nonsense("a ciphertext of another length")
        return iv + sealed

    def _call(self, ask: Callable[[Any], bytes | Failure]) -> bytes | Failure:
        answer: bytes | Failure = REFUSED
        with _lock:
            for _ in range(2):  # the second time with a new session
                opened = self._session()
                if isinstance(opened, Failure):
                    return opened
                key = opened.key
                answer = _calls.attempt(lambda key=key: ask(key), _judge, 1)  # type: ignore[misc]
                if not (isinstance(answer, Failure) and answer.again):
                    break
                self._drop()
        return answer

    def _session(self) -> _Opened | Failure:
        if self._opened is None or self._opened.process != os.getpid():
            opened = _calls.attempt(self._open, _judge_opening, 1)
            if isinstance(opened, Failure):
                return opened
            self._opened = opened
        return self._opened

    def _open(self) -> _Opened | Failure:
        pkcs11 = _pkcs11()
        session = self._log_in(pkcs11) if self._make is None else self._make()
        if isinstance(session, Failure):
            return session
        found = _calls.attempt(lambda: self._find(pkcs11, session), _judge_opening, 1)
        if isinstance(found, Failure):
            self._close(session)
        return found

    def _find(self, pkcs11: Any, session: Any) -> _Opened | Failure:
        key = session.get_key(
            object_class=pkcs11.ObjectClass.SECRET_KEY, key_type=pkcs11.KeyType.AES, **self._search
        )
        size = key[pkcs11.Attribute.VALUE_LEN]
        if size != _KEY:
            return Failure(f"the key has {size} bytes; it must have {_KEY}")
        return _Opened(os.getpid(), session, key)

    def _log_in(self, pkcs11: Any) -> Any:
        token = _library(pkcs11, self._library).get_token(token_label=self._token)
        if self._pin is None:
            return token.open()
        pin = _calls.secret_text(self._pin, "the PIN")
        if isinstance(pin, Failure):
            return pin
        if pin == self._wrong_pin:
            return Failure("the PIN was wrong, and is not tried again")
        try:
            return token.open(user_pin=pin)
        except pkcs11.PKCS11Error as error:
            kind = type(error).__name__
        if kind == "UserAlreadyLoggedIn":  # through another session of this process
            return token.open()
        self._wrong_pin = pin if kind in _WRONG_PIN else None
        return Failure(_text_of(kind))

    def _drop(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and opened.process == os.getpid():
            self._close(opened.session)

    def _close(self, session: Any) -> None:
        if self._closes:
            with contextlib.suppress(Exception):  # it may be gone already
                session.close()


def _decrypt(key: Any, body: bytes, context: bytes) -> bytes | Failure:
    iv, sealed = body[:_IV], body[_IV:]
    found = key.decrypt(sealed, **_gcm(iv, context))
    return found if isinstance(found, bytes) else _calls.nonsense("no bytes")


def _gcm(iv: bytes, context: bytes) -> dict[str, Any]:
    pkcs11 = _pkcs11()
    return {
        "mechanism": pkcs11.Mechanism.AES_GCM,
        "mechanism_param": pkcs11.GCMParams(iv, context, 8 * _TAG),
    }


def _judge(error: Exception) -> Failure:
    kind = type(error).__name__
    if kind in _STALE or (kind == "PKCS11Error" and "nitiali" in str(error)):
        return Failure(_text_of(kind), again=True)
    names = {base.__name__ for base in type(error).__mro__}
    if kind in _OWN or "PKCS11Error" not in names:
        return Failure(_text_of(kind))
    return REFUSED


def _judge_opening(error: Exception) -> Failure:
    return Failure(_text_of(type(error).__name__))


def _text_of(kind: str) -> str:
    return f"{_HINTS[kind]} ({kind})" if kind in _HINTS else f"the library raised {kind}"


def _pkcs11() -> Any:
    try:
        import pkcs11  # pyright: ignore[reportMissingImports]

        return pkcs11
    except ImportError:
        pass
    raise _calls.missing("Token", "python-pkcs11", "pkcs11")


def _library(pkcs11: Any, path: str) -> Any:
    """Return a library that is initialized in this process."""
    library = pkcs11.lib(path)
    if _processes.setdefault(path, os.getpid()) != os.getpid():
        # It was, in the parent, whose state a fork has copied. A library that notices forks
        # refuses to be finalized here; others must be, before they can be initialized.
        with contextlib.suppress(pkcs11.PKCS11Error):
            library.finalize()
        library.initialize()
        _processes[path] = os.getpid()
    return library


def _check_texts(**texts: object) -> None:
    for what, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise _arguments.wrong_type(f"the {what} must be str, not {type(text).__name__}")


def _after_fork() -> None:
    global _lock  # a thread that held it does not exist in the child
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
