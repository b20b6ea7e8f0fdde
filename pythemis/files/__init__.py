# SPDX-License-Identifier: Apache-2.0
"""Files, encrypted in bounded memory and read at any position.

`seal` and `unseal` write and read one ordinary Seal cell, of at most 4 GiB: every Themis decrypts
it with one call. `open` returns a file object that decrypts what is read.

What goes wrong with the file itself, such as a full disk, is an OSError; a file that is refused is
a `SealedFileError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Literal, TypeAlias

from pythemis._core.secret import SecretKey
from pythemis._typing import Buffer

from . import _cells, _ends, _options
from ._errors import SealedFileError, SealedFileTypeError, SealedFileValueError
from ._readers import RawReader, SealedReader
from ._secrets import checked_context, checked_progress, one_secret

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Key: TypeAlias = Buffer | SecretKey
Progress: TypeAlias = Callable[[int, int], object]

__all__ = [
    "SealedFileError",
    "SealedFileTypeError",
    "SealedFileValueError",
    "SealedReader",
    "is_sealed",
    "open",
    "seal",
    "unseal",
]


def seal(
    src: Path | BinaryIO,
    dst: Path | BinaryIO,
    key: Key | None = None,
    context: Buffer = b"",
    *,
    passphrase: Key | str | None = None,
    progress: Progress | None = None,
) -> None:
    """Encrypt a file as one ordinary Seal cell, which every Themis decrypts with one call.

    It takes less than 1 MiB of memory. A file at the path ``dst`` is replaced as a whole at the
    end, by one of mode 0600; if anything fails, it is as it was and nothing else is left behind.

    Args:
        src: the path of a file, or an open binary file that can seek, which is read from where it
            stands. 1 to 2^32-1 bytes.
        dst: a path, or an open binary file. An open one is written to once everything is encrypted.
        key: 32 bytes of `GenerateSymmetricKey`, or a `SecretKey`.
        context: bytes that have to be given again to decrypt.
        passphrase: instead of a key; text is encoded as UTF-8.
        progress: called with the bytes that are encrypted and their number in all.

    Raises:
        SealedFileValueError: an empty or too large file, no secret or two, a context that belongs
            to keyrings.
        SealedFileTypeError: text for bytes; a file that is open as text.
        SealedFileError: the file grew or shrank meanwhile.
        OSError: from the files, such as FileNotFoundError.
    """
    checked_progress(progress)
    bound = checked_context(context)
    secret = one_secret("seal", key, passphrase)
    with _ends.Source(src) as source, _ends.Target(dst) as target:
        _cells.seal(source, target, secret, bound, progress)
        source.close()  # where it is replaced, Windows wants it closed


def unseal(
    src: Path | BinaryIO,
    dst: Path | BinaryIO,
    key: Key | None = None,
    context: Buffer = b"",
    *,
    passphrase: Key | str | None = None,
    progress: Progress | None = None,
) -> None:
    """Decrypt a file that `seal` made, or any Seal cell that is in a file.

    Nothing is written before the whole file is verified: it is read twice. It takes less than 1 MiB
    of memory, and 16 bytes for each 16 KiB of the file.

    Args:
        src: the path of a file, or an open binary file, which is read from where it stands to its
            end. The ciphertext of a pipe waits in a temporary file.
        dst: a path, which is replaced as a whole at the end, or an open binary file.
        key: the key, as for `seal`.
        context: the same as for `seal`.
        passphrase: instead of a key.
        progress: called with the bytes that are decrypted and their number in all.

    Raises:
        SealedFileError: not a Seal cell, or a wrong key, passphrase or context, or a damaged file,
            or one that changed meanwhile.
        SealedFileValueError: no secret or two, a context that belongs to keyrings.
        SealedFileTypeError: text for bytes; a file that is open as text.
        OSError: from the files, such as FileNotFoundError.
    """
    checked_progress(progress)
    bound = checked_context(context)
    secret = one_secret("unseal", key, passphrase)
    with _ends.Source(src) as source:
        found = _options.Found(source)
        found.must_be_cell()
        with found.cell([secret], bound) as cell, _ends.Target(dst) as target:
            _cells.unseal(cell, target, progress)
            source.close()


def is_sealed(path: Path | BinaryIO) -> bool:
    """Return whether a file is a sealed file or a Seal cell, as far as it shows without a key.

    Args:
        path: a path, or an open binary file that can seek; it is left where it stands.

    Raises:
        SealedFileTypeError: neither of both.
        OSError: from the file, such as FileNotFoundError.
    """
    with _ends.Source(path) as source:
        return _options.Found(source).is_sealed


def open(
    file: Path | BinaryIO,
    mode: Literal["rb"] = "rb",
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Any = None,
    private_key: Key | None = None,
    sender: Buffer | None = None,
    context: Buffer = b"",
    to: Buffer | Sequence[Buffer] = (),
    hidden: bool = False,
    service: Any = None,
    chunk_size: int = 65536,
    pad: Literal["padme"] | int | None = None,
) -> SealedReader:
    """Open a file that is encrypted, and return a file object of what is in it.

    An ordinary Seal cell is verified as a whole when it is opened. Whatever is read later is
    compared with what was verified, so a file that is changed meanwhile is refused.

    Args:
        file: a path, or an open binary file, which is read from where it stands to its end.
        mode: "rb".
        key: a key, as bytes or a `SecretKey`.
        passphrase: a passphrase; text is encoded as UTF-8.
        keyring: a `Keyring`: each of its keys is tried.
        private_key: a private key on P-256.
        sender: the public key of the sender; only a file that this sender wrote to ``private_key``
            is opened.
        context: the bytes that were given when the file was written.
        to: for writing.
        hidden: for writing.
        service: one service, or many.
        chunk_size: for writing.
        pad: for writing.

    Returns:
        A `SealedReader`, which also has `pread`, `verify` and `opened_by`.

    Raises:
        SealedFileError: not a sealed file, or nothing that was given opens it, or it is damaged.
        SealedFileValueError: an option that makes no sense, such as no secret at all.
        SealedFileTypeError: text for bytes; a file that is open as text.
        OSError: from the file, such as FileNotFoundError.
    """
    _options.check_mode(mode)
    options = _options.Reading(
        key=key,
        passphrase=passphrase,
        keyring=keyring,
        private_key=private_key,
        sender=sender,
        context=checked_context(context),
        service=service,
    ).check()
    _options.refuse_for_reading(to=to, hidden=hidden, chunk_size=chunk_size, pad=pad)
    source = _ends.Source(file)
    try:
        opened = _options.opened(source, options)
        return SealedReader(RawReader(opened, source.name))
    except BaseException:
        source.close()
        raise
