# SPDX-License-Identifier: Apache-2.0
"""Secret keys in guarded memory. C reads and decodes them there, so no Python object holds one."""

from __future__ import annotations

import os
from _operator import is_

from pythemis import _hints
from pythemis._hints import Buffer
from pythemis._themis import ffi, lib

from .arguments import KEY
from .buffers import view
from .errors import SUCCESS, Errors, failed, wrong_type, wrong_value
from .owner import Secret, kept, opened, partial, places, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

SIZE_MAX: int = lib.THEMIS_SECRET_MAX
GENERATED_MIN = 16  # bytes: fewer can be guessed

_secret = places("secret")


class _Guarded:
    """A secret of the C core, and its bytes as a buffer; each of them keeps the secret."""

    __slots__ = ("handle", "memory")

    def __init__(self, place: Any) -> None:
        self.handle = kept(place)
        data, size = lib.themis_secret_data(place[0]), lib.themis_secret_size(place[0])
        self.memory = ffi.buffer(ffi.gc(data, partial(is_, place)), size)


class SecretKey(Secret):
    """A key in guarded memory, accepted wherever a key is.

    The memory lies between pages that nothing can read or write. It is read-only, locked into
    memory where the system allows it, left out of core dumps, and wiped once the key is closed or
    unused. Whatever reads a key from outside decodes it there, without a Python object in between.

    Make one with one of its class methods. Threads may share it; `copy.copy` and `copy.deepcopy`
    return the object itself, so ``close()`` closes them all. It cannot be pickled or hashed, and
    its ``repr`` has nothing of the key. ``len()`` is the number of its bytes. ``==`` compares two
    of them in constant time.

    Objects that are made of a key, such as cells, hold what they derived from it in memory of
    their own, and stay usable after the key is closed.
    """

    __module__ = "pythemis.keyring"
    # `_errors` is given by pythemis.keyring.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, *_: object, **__: object) -> None:
        name = type(self).__name__
        wrong_type(
            self._errors,
            f"a {name} is made by one of its methods: {name}.generate(), from_bytes(data), "
            "from_file(path), from_fd(fd), from_env(name), from_credential(name) or "
            "from_prompt(text)",
        )

    @classmethod
    def _of(cls, place: _hints.Any) -> _hints.Self:
        """Make the object that owns a secret of the C core."""
        made = cls.__new__(cls)
        replace(made, _Guarded(place))
        made._made = True
        from . import forks  # loads threading: only by programs that use it

        forks.watch(made)
        return made

    def _after_fork(self) -> None:
        held = self._held
        if held is not None:
            lib.themis_secret_lock(held.handle)  # a child inherits no locks

    def _memory(self) -> _hints.Any:
        held = self._held
        return held and held.memory

    @classmethod
    def generate(cls, size: int = 32) -> _hints.Self:
        """Generate a key of random bytes.

        Args:
            size: 16 to 16384 bytes; 32 are recommended.

        Returns:
            The key.

        Raises:
            ThemisError: another size, no memory, or the random generator failed.
        """
        if not isinstance(size, int) or isinstance(size, bool):
            wrong_type(cls._errors, f"the size must be an int, not {type(size).__name__}")
        if not GENERATED_MIN <= size <= SIZE_MAX:
            wrong_value(
                cls._errors, f"the size must be {GENERATED_MIN} to {SIZE_MAX} bytes, not {size}"
            )
        made = _secret()
        _check(cls._errors, lib.themis_secret_random(size, made))
        return cls._of(made)

    @classmethod
    def from_bytes(cls, data: Buffer | SecretKey) -> _hints.Self:
        """Copy a key that the program has already.

        Your own copy stays where it is: Python frees ``bytes`` without wiping them, and you can
        overwrite a ``bytearray``.

        Args:
            data: the bytes of the key, 1 to 16384; decode text first.

        Returns:
            The key.

        Raises:
            ThemisError: a wrong type, or another size.
        """
        data_view = view(cls._errors, data, KEY)
        try:
            size = len(data_view)
            if not 1 <= size <= SIZE_MAX:
                raise cls._wrong_size(size)
            made = _secret()
            status = lib.themis_secret_new(data_view, size, made)
        finally:
            del data_view, data
        _check(cls._errors, status)
        return cls._of(made)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        encoding: _hints.Encoding = "base64",
        allow_shared: bool = False,
    ) -> _hints.Self:
        """Read a key from a file.

        Symbolic links are followed; what counts is the file that they lead to.

        Args:
            path: a regular file of at most 4096 bytes.
            encoding: ``"base64"`` (standard digits, padded), ``"hex"`` or ``"raw"``. The text of
                the first two may end with one line end; each byte of a raw file is one of the key.
            allow_shared: whether the group of the file and others may read or write it. (Windows
                has no such modes, and nothing is checked there.)

        Returns:
            The key.

        Raises:
            ThemisError: something other than a regular file, a file that is open to its group or
                to others, empty, too long, or not in this encoding.
            OSError: the file does not exist or cannot be read.
        """
        from . import secret_text  # loaded only by programs that use it

        return cls._of(secret_text.of_file(cls._errors, path, encoding, shared=bool(allow_shared)))

    @classmethod
    def from_fd(cls, fd: int, *, encoding: _hints.Encoding = "base64") -> _hints.Self:
        """Read a key from a descriptor: a pipe, a socket, an open file.

        The other end must close it; the descriptor itself stays open, and is yours to close.

        Args:
            fd: the number of the descriptor. What is read until its end has at most 4096 bytes.
            encoding: as in `from_file`.

        Returns:
            The key.

        Raises:
            ThemisError: a directory or a terminal; what is read is empty, too long, or not in this
                encoding.
            OSError: there is no such descriptor, or it cannot be read.
        """
        from . import secret_text

        return cls._of(secret_text.of_fd(cls._errors, fd, encoding))

    @classmethod
    def from_env(
        cls, name: str, *, encoding: _hints.Encoding = "base64", unset: bool = True
    ) -> _hints.Self:
        """Read a key from a variable of the environment.

        The variable is overwritten where the process got it from its parent, and unset, so that no
        child inherits it. ``os.environ`` had a copy of its own, made when Python started: it is
        freed and not wiped. Prefer `from_file`, `from_fd` or `from_credential`.

        Call it before you start threads that read or change the environment.

        Args:
            name: the name of the variable.
            encoding: as in `from_file`.
            unset: whether the variable is wiped and unset. If the text is refused, it stays.

        Returns:
            The key.

        Raises:
            ThemisError: the variable is not set, empty, longer than 4096 bytes, or not in this
                encoding.
        """
        from . import secret_text

        return cls._of(secret_text.of_variable(cls._errors, name, encoding, unset=unset))

    @classmethod
    def from_credential(cls, name: str, *, encoding: _hints.Encoding = "base64") -> _hints.Self:
        """Read a key that systemd passes to a service (``LoadCredential=``).

        It is the file of this name in ``$CREDENTIALS_DIRECTORY``. Its mode is not checked: systemd
        gives the user of the service alone access to the directory.

        Args:
            name: the name of the credential.
            encoding: as in `from_file`.

        Returns:
            The key.

        Raises:
            ThemisError: there are no credentials, an impossible name, or as `from_file`.
            OSError: there is no such credential, or it cannot be read.
        """
        from . import secret_text

        return cls._of(secret_text.of_credential(cls._errors, name, encoding))

    @classmethod
    def from_prompt(
        cls, text: str = "Key: ", *, encoding: _hints.Encoding = "base64"
    ) -> _hints.Self:
        """Ask for a key on the terminal, which does not show it.

        The terminal shows what is typed again however this ends: also Ctrl-C and, in the main
        thread, signals that end or stop the process.

        Args:
            text: shown before the cursor.
            encoding: as in `from_file`; ``"raw"`` for a passphrase: the bytes of the line without
                its end.

        Returns:
            The key.

        Raises:
            ThemisError: there is no terminal (none on Windows), or what was entered is empty, too
                long, or not in this encoding.
        """
        from . import secret_text, terminal

        secret_text.check_encoding(cls._errors, encoding)
        if not isinstance(text, str):
            wrong_type(cls._errors, f"the text must be a str, not {type(text).__name__}")
        return cls._of(
            terminal.ask(
                cls._errors, text, lambda fd: secret_text.of_line(cls._errors, fd, encoding)
            )
        )

    @classmethod
    def _wrong_size(cls, size: int) -> Exception:
        text = f"the key has {size} bytes; it must have 1 to {SIZE_MAX}"
        return cls._errors.wrong_value(lib.THEMIS_INVALID_PARAMETER, text)

    def reveal(self) -> bytes:
        """Return the key as ``bytes``, which Python frees without wiping them.

        Raises:
            ThemisError: the key is closed.
        """
        revealed: bytes = opened(self).memory[:]
        return revealed

    @property
    def locked(self) -> bool:
        """Whether the key is locked into memory, so that it is never written to swap space.

        False where the system refuses: a process may lock few bytes (``ulimit -l``), each key
        takes one page of them or more.
        """
        return bool(lib.themis_secret_lock(opened(self).handle))

    def __len__(self) -> int:
        return len(opened(self).memory)

    def __bool__(self) -> bool:
        return True  # no key is empty, and `if key:` asks whether there is one

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            if isinstance(other, (bytes, bytearray, memoryview, str)):
                wrong_type(
                    self._errors,
                    f"a SecretKey is never equal to {type(other).__name__}: compare two of them, "
                    "SecretKey.from_bytes(...)",
                )
            return NotImplemented
        return bool(lib.themis_secret_equal(opened(self).handle, opened(other).handle))


Key: TypeAlias = Buffer | SecretKey  # in annotations


def _check(errors: Errors, status: int) -> None:
    if status != SUCCESS:
        failed(errors, status)
