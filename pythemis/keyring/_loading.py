# SPDX-License-Identifier: Apache-2.0
"""Keyrings from files: once, again when they change, or by names that other programs have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType
from typing import Any, NoReturn, TypeAlias

from pythemis import _sealed
from pythemis._core import rings
from pythemis._core.arguments import KEY, PASSPHRASE, PRIVATE, Argument
from pythemis._core.buffers import view
from pythemis._core.errors import wrong_type, wrong_value
from pythemis._core.secret import SecretKey
from pythemis._hints import Buffer, Service
from pythemis._sealed.arguments import passphrase_of

from . import _files, _sources
from ._errors import ERRORS
from ._ring import Keyring, Path, Services, made_of, services_of
from ._watching import Follower

Refused: TypeAlias = Callable[[Exception], object]


def load(
    path: Path,
    name: str,
    *,
    key: Buffer | SecretKey | None = None,
    passphrase: Buffer | str | SecretKey | None = None,
    private_key: Buffer | SecretKey | None = None,
    sender: Buffer | None = None,
    service: Services | None = None,
    min_version: int = 0,
    pin: str | None = None,
) -> Keyring:
    """Load a keyring from its file (formats, section 9.3).

    Args:
        path: what `Keyring.save` wrote. Symbolic links are followed.
        name: the name of the ring; a file of another ring is refused.
        key: what opens the file; several ways may be given together.
        passphrase: text (UTF-8), or bytes.
        private_key: for a file that was written for you by a sender; it needs ``sender``.
        sender: the public key of the only sender that you accept; nothing else opens the file then.
        service: a key service, as those of `pythemis.kms`, or a list of them.
        min_version: the lowest version that is accepted, against an old file put back.
        pin: the `Keyring.pin` of a key that the ring must have, against a foreign ring. Give one
            if others may call your key service.

    Returns:
        The ring.

    Raises:
        KeyringError: not a keyring file of this name, or nothing that is given opens it; a ring
            that is too old or lacks the pin.
        ServiceError: the service failed, and nothing else opened the file.
        OSError: the file cannot be read.
    """
    asked = _files.wanted(name, min_version, pin)
    unlock = _unlock(key, passphrase, private_key, sender, service)
    data, _ = _sources.at_path(path).read()
    return made_of(Keyring, _files.opened(data, unlock, asked))


def _unlock(
    key: Any, passphrase: Any, private_key: Any, sender: Any, service: Services | None
) -> _sealed.Unlock:
    if private_key is not None and sender is None:
        wrong_value(
            ERRORS,
            "private_key needs sender: anyone who has the public key can make a file for it, and "
            "with that a keyring of theirs",
        )
    return _sealed.Unlock(
        keys=[] if key is None else [(b"", key)],
        passphrase=passphrase,
        private_key=private_key,
        sender=sender,
        services=services_of(service),
    )


class WatchedKeyring:
    """A callable that returns the newest version of a keyring; see `watch`."""

    __module__ = "pythemis.keyring"

    def __init__(self, follower: Follower, path: object) -> None:
        self._follower = follower
        self._path = path

    def __call__(self) -> Keyring:
        """Return the ring; look at its file first if the time has come.

        Threads get the same object: do not close it.

        Raises:
            Exception: what ``on_refused`` raises.
        """
        ring: Keyring = self._follower.current()
        return ring

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} of {self._path!r}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(
            "WatchedKeyring holds secrets and cannot be pickled or copied; "
            "keyring.from_reference(...) returns what can be"
        )


def watch(
    path: Path,
    name: str,
    *,
    key: Buffer | SecretKey | None = None,
    passphrase: Buffer | str | SecretKey | None = None,
    private_key: Buffer | SecretKey | None = None,
    sender: Buffer | None = None,
    service: Services | None = None,
    min_version: int = 0,
    pin: str | None = None,
    seconds: float = 30,
    on_refused: Refused | None = None,
) -> WatchedKeyring:
    """Load a keyring, and load it again when its file changes.

    The new ring replaces the one in use only if it is a newer version of it, made by someone who
    knew its keys, and still has its primary key (formats, section 9.3). Otherwise, and if the file
    cannot be read or opened, the old ring stays in use and the error is reported.

    There is no thread: the file is looked at during a call, by one caller at a time; others get
    the ring in use meanwhile. What you give to open the file is copied into guarded memory.

    Args:
        path: as in `load`, like all that follow but the last two.
        name: the name of the ring.
        key: what opens the file.
        passphrase: text (UTF-8), or bytes.
        private_key: for a file from a sender.
        sender: the public key of that sender.
        service: a key service, or a list of them.
        min_version: the lowest version that is accepted.
        pin: the pin of a key that the ring must have.
        seconds: the least time between two looks at the file.
        on_refused: called with the error if a new ring is not used; None logs it as an error of
            the logger ``pythemis.keyring``.

    Returns:
        A callable; call it each time you need the ring.

    Raises:
        KeyringError, ServiceError, OSError: as `load`, for the first ring.
    """
    asked = _files.wanted(name, min_version, pin)
    _check_times(seconds, on_refused)
    if passphrase is not None:
        passphrase = _kept(passphrase_of(ERRORS, passphrase), PASSPHRASE)
    opening = (_kept(key, KEY), passphrase, _kept(private_key, PRIVATE))
    unlock = _unlock(*opening, sender, service)
    return WatchedKeyring(
        _follower(_sources.at_path(path), unlock, asked, seconds, on_refused), path
    )


def _follower(
    source: _sources.Source,
    unlock: _sealed.Unlock,
    asked: _files.Wanted,
    seconds: float,
    on_refused: Refused | None,
) -> Follower:
    def opened(data: bytes) -> rings.Ring:
        return _files.opened(data, unlock, asked)

    return Follower(source, opened, partial(made_of, Keyring), seconds, on_refused)


def _kept(secret: Any, what: Argument) -> SecretKey | None:
    """Return a copy of what opens a file, because the caller may wipe or close the original."""
    if secret is None:
        return None
    if len(view(ERRORS, secret, what)) == 0:
        wrong_value(ERRORS, f"{what} is empty")
    return SecretKey.from_bytes(secret)


def _check_times(seconds: object, on_refused: object) -> None:
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        wrong_type(ERRORS, f"seconds must be a number, not {type(seconds).__name__}")
    if not 0 <= seconds < float("inf"):
        wrong_value(ERRORS, "seconds must be 0 or more")
    if on_refused is not None and not callable(on_refused):
        wrong_type(ERRORS, "on_refused must be callable, or None")


# ---- References ----

_resolved: dict[object, Follower] = {}  # once per process


def _has_name(on_refused: Refused | None) -> bool:
    """Return whether each process has one object of this, which pickles as its name."""
    if not isinstance(on_refused, (FunctionType, BuiltinFunctionType, type)):
        return on_refused is None
    name = on_refused.__qualname__
    # What is made within a function has a name with "<"; a bound method of C has that of its class.
    is_bound = isinstance(on_refused, BuiltinFunctionType) and "." in name
    return "<" not in name and not is_bound


class KeyringReference:
    """Names of a ring and of what opens it: a callable that returns the ring, and can be pickled.

    Make one with `from_reference`.
    """

    __module__ = "pythemis.keyring"

    def __init__(
        self,
        ring: str,
        unlock: str | Service,
        name: str,
        min_version: int,
        pin: str | None,
        seconds: float,
        on_refused: Refused | None,
    ) -> None:
        _sources.parted(ring, "a keyring")
        if isinstance(unlock, (str, bytes)) or not hasattr(unlock, "unwrap"):
            _sources.parted(unlock, "a key")
        _check_times(seconds, on_refused)
        self._asked = _files.wanted(name, min_version, pin)
        self._names = (ring, unlock, name, min_version, pin, seconds, on_refused)
        # A service's name stands for one key for ever, so copies of it are one.
        opens = unlock if isinstance(unlock, str) else (type(unlock), unlock.name)
        reports = None if on_refused is None else id(on_refused)  # which the names keep
        self._key = (ring, opens, name, min_version, pin, seconds, reports)
        # What unpickles to a new object each time would fill the cache with rings.
        self._is_shared = _has_name(on_refused)
        self._own: Follower | None = None

    def __call__(self) -> Keyring:
        """Return the ring, which is loaded once per process and again when its file changes.

        Raises:
            KeyringError, ThemisError, ServiceError, OSError: the first time, as `load`, or
                because there is no such key.
        """
        follower = _resolved.get(self._key) if self._is_shared else self._own
        if follower is None:
            follower = self._follow()
            if self._is_shared:
                follower = _resolved.setdefault(self._key, follower)
            else:
                self._own = follower
        ring: Keyring = follower.current()
        return ring

    def _follow(self) -> Follower:
        ring, unlock, _, _, _, seconds, on_refused = self._names
        if isinstance(unlock, str):
            opening = _sealed.Unlock(keys=[(b"", _sources.key_of(unlock))])
        else:
            opening = _sealed.Unlock(services=[unlock])
        source = _sources.source_of(ring)
        return _follower(source, opening, self._asked, seconds, on_refused)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._names

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyringReference):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        ring, unlock, name, *rest = self._names
        opens = unlock if isinstance(unlock, str) else f"service {unlock.name}"
        told = f"{name} at {ring}, key {opens}"
        # All of it, because libraries such as fsspec tell objects apart by their text.
        options = ("min_version", 0), ("pin", None), ("seconds", 30), ("on_refused", None)
        for (option, default), value in zip(options, rest, strict=True):
            told += "" if value == default else f", {option} {value!r}"
        return f"<{type(self).__module__}.{type(self).__name__} {told}>"


def from_reference(
    ring: str,
    unlock: str | Service,
    *,
    name: str | None = None,
    min_version: int = 0,
    pin: str | None = None,
    seconds: float = 30,
    on_refused: Refused | None = None,
) -> KeyringReference:
    """Return a reference to a ring that other programs and machines resolve for themselves.

    Nothing is loaded until you call it. It pickles as its names, so that each process that gets it
    finds the ring and the key where it runs; none of them is carried.

    Args:
        ring: ``file:PATH``, the keyring file; or ``env:NAME`` or ``credential:NAME``, which hold
            the base64 of it.
        unlock: ``file:PATH``, ``env:NAME`` or ``credential:NAME``, which hold the base64 of 32
            bytes; or a key service, which must pickle if the reference shall.
        name: the name of the ring. None: the name of its file or credential, up to the first dot.
        min_version: as in `load`.
        pin: as in `load`.
        seconds: as in `watch`.
        on_refused: as in `watch`; it must pickle if the reference shall. With a function of a
            module, copies of the reference share one ring; with another object each has its own.

    Returns:
        A callable that returns the ring.

    Raises:
        KeyringError: not such references, or another wrong argument.
    """
    named = _sources.name_in(ring) if name is None else name
    return KeyringReference(ring, unlock, named, min_version, pin, seconds, on_refused)
