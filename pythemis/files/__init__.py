# SPDX-License-Identifier: Apache-2.0
"""Files, encrypted in bounded memory and read at any position.

`seal` and `unseal` write and read one ordinary Seal cell, of at most 4 GiB: every Themis decrypts
it with one call. `open` writes and reads sealed files, of any size and for several keys,
passphrases, recipients or key services; it reads ordinary cells as well. `rewrap` and `reencrypt`
change what opens a sealed file.

What goes wrong with the file itself, such as a full disk, is an OSError; a file that is refused is
a `SealedFileError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import BinaryIO, Literal, TypeAlias, overload

from pythemis._core.secret import SecretKey
from pythemis._hints import Buffer, Service
from pythemis.keyring import Keyring

from . import _cells, _ends, _found, _options, _rewrap
from ._errors import SealedFileError, SealedFileTypeError, SealedFileValueError, wrong_value
from ._options import CHUNK_SIZE
from ._readers import SealedReader, reader
from ._secrets import checked_context, checked_progress, one_secret
from ._writers import SealedWriter

Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Key: TypeAlias = Buffer | SecretKey
Progress: TypeAlias = Callable[[int, int], object]

__all__ = [
    "SealedFileError",
    "SealedFileTypeError",
    "SealedFileValueError",
    "SealedReader",
    "SealedWriter",
    "is_sealed",
    "open",
    "reencrypt",
    "rewrap",
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
        key: 32 bytes of `pythemis.skeygen.GenerateSymmetricKey`, or a ``SecretKey``.
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
        found = _found.Found(source)
        found.must_be_cell()
        with found.cell([secret], bound) as cell, _ends.Target(dst) as target:
            _cells.unseal(cell, target, progress)
            source.close()


def is_sealed(path: Path | BinaryIO) -> bool:
    """Return whether a file looks like a sealed file or a Seal cell; no key is needed.

    Args:
        path: a path, or an open binary file that can seek; it is left where it stands.

    Raises:
        SealedFileTypeError: neither a path nor an open binary file.
        SealedFileValueError: a pipe.
        OSError: from the file, such as FileNotFoundError.
    """
    with _ends.Source(path) as source:
        if source.start is None:
            wrong_value("is_sealed takes a file that can seek: a pipe would lose its first bytes")
        return _found.Found(source).is_sealed


@overload
def open(
    file: Path | BinaryIO,
    mode: Literal["rb"] = "rb",
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Keyring | None = None,
    private_key: Key | None = None,
    sender: Buffer | None = None,
    context: Buffer = b"",
    service: Service | Iterable[Service] | None = None,
) -> SealedReader: ...


@overload
def open(
    file: Path | BinaryIO,
    mode: Literal["wb"],
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Keyring | None = None,
    sender: Key | None = None,
    context: Buffer = b"",
    to: Buffer | Iterable[Buffer] = (),
    hidden: bool = False,
    service: Service | Iterable[Service] | None = None,
    chunk_size: int = CHUNK_SIZE,
    pad: Literal["padme"] | int | None = None,
) -> SealedWriter: ...


def open(
    file: Path | BinaryIO,
    mode: Literal["rb", "wb"] = "rb",
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Keyring | None = None,
    private_key: Key | None = None,
    sender: Key | None = None,
    context: Buffer = b"",
    to: Buffer | Iterable[Buffer] = (),
    hidden: bool = False,
    service: Service | Iterable[Service] | None = None,
    chunk_size: int = CHUNK_SIZE,
    pad: Literal["padme"] | int | None = None,
) -> SealedReader | SealedWriter:
    """Open an encrypted file, and return a file object of what is in it.

    **Writing** makes a sealed file of any length, which each of the given secrets opens. At a path
    it replaces the old file as a whole when it is closed, with mode 0600; an exception in the
    ``with`` block leaves everything as it was.

    **Reading** takes sealed files and ordinary Seal cells. You may give several secrets. Each piece
    of a sealed file is verified before any of it is returned. An ordinary cell is verified as a
    whole when it is opened; whatever is read later is compared with what was verified, so a file
    that is changed meanwhile is refused. A pipe is read from its start to its end: act on the data
    only after the end, because only there a truncated file is noticed.

    Args:
        file: a path, or an open binary file. An open file is read or written from where it stands,
            and stays open.
        mode: "rb" or "wb". For text, put an `io.TextIOWrapper` around the file object.
        key: a key of 16 bytes or more, as bytes or a `pythemis.keyring.SecretKey`.
        passphrase: a passphrase; text is encoded as UTF-8. It is stretched by 600,000 iterations.
        keyring: a `pythemis.keyring.Keyring`. Its primary key writes, and each of its keys is
            tried for reading. Ordinary cells are read with its legacy keys, and with no other.
        private_key: for reading, a private key on P-256.
        sender: for reading, the public key of the only sender whose file is opened; it needs
            ``private_key``. For writing, your private key: the file is for exactly one ``to``, and
            for no other secret.
        context: bytes that have to be given again to read the file.
        to: for writing, one public key on P-256, or many.
        hidden: for writing, whether the file does not name its recipients.
        service: one key service of `pythemis.kms`, or many.
        chunk_size: for writing, the bytes that are encrypted as one piece: a power of 2 from 4096
            to 16777216.
        pad: for writing, what hides the length: "padme", which adds at most 12 %, or the least
            number of bytes.

    Returns:
        A `SealedReader` or a `SealedWriter`.

    Raises:
        SealedFileError: not a sealed file, or nothing that was given opens it, or it is corrupted.
        SealedFileValueError: options that make no sense, such as no secret at all.
        SealedFileTypeError: text for bytes; a file that is open as text.
        OSError: from the file, such as FileNotFoundError.
    """
    _options.check_mode(mode)
    bound = checked_context(context)
    if mode == "wb":
        if private_key is not None:
            wrong_value("private_key= is for reading; to write as a sender give it as sender=")
        new = _options.Writing(key, passphrase, keyring, sender, to, hidden, service)
        log2 = _options.log2_of(chunk_size)
        return SealedWriter(file, new.slots(), bound, log2, pad)
    unlock = _options.Reading(key, passphrase, keyring, private_key, sender, bound, service)
    unlock.check()
    _options.refuse_for_reading(to=to, hidden=hidden, chunk_size=chunk_size, pad=pad)
    source = _ends.Source(file)
    try:
        return reader(_found.opened(source, unlock), source.name)
    except BaseException:
        source.close()
        raise


def rewrap(
    path: Path,
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Keyring | None = None,
    private_key: Key | None = None,
    sender: Buffer | None = None,
    service: Service | Iterable[Service] | None = None,
    context: Buffer = b"",
    to: Buffer | Iterable[Buffer] = (),
    hidden: bool = False,
    new_key: Key | None = None,
    new_passphrase: Key | str | None = None,
    new_keyring: Keyring | None = None,
    new_service: Service | Iterable[Service] | None = None,
    new_context: Buffer | None = None,
    keep: bool = False,
    holders_only: bool = False,
    progress: Progress | None = None,
) -> None:
    """Change what opens a sealed file, without encrypting its data again.

    The file is locked, copied with another header, and replaced as a whole. It takes nothing away
    from anyone who could open it before and kept the old file, or its key. Use `reencrypt` against
    them.

    What opened the file limits what you can add: with a key, you add keys, passphrases, recipients
    and services; with a passphrase, passphrases and recipients; with a service, services and
    recipients; as a recipient, recipients; to a sender's file, nothing. Anything else needs
    `reencrypt`, because others may know the key of the file.

    Args:
        path: the path of a sealed file.
        key: a key that opens the file, as for `open`.
        passphrase: a passphrase that opens it.
        keyring: a ``Keyring`` that opens it.
        private_key: a private key that opens it.
        sender: the public key of the only sender that counts.
        service: a key service that opens it, or many.
        context: the context of the file.
        to: the public keys of recipients, one or many.
        hidden: whether the file does not name them.
        new_key: a key that opens it from now on.
        new_passphrase: a passphrase that does.
        new_keyring: a ``Keyring`` whose primary key does.
        new_service: a key service that does, or many.
        new_context: the new context of the file; None keeps it.
        keep: whether what opened the file still does. Under a new context only recipients
            can.
        holders_only: your promise that only what opens the file from now on could ever open it. A
            new context needs it, unless the file is for recipients alone.
        progress: called with the bytes that are copied and their number in all.

    Raises:
        SealedFileError: the file does not open, or is an ordinary Seal cell.
        SealedFileValueError: such a change needs `reencrypt`.
        OSError: from the file; TimeoutError if another program keeps it locked.
    """
    checked_progress(progress)
    bound = checked_context(context)
    other = None if new_context is None else checked_context(new_context)
    unlock = _options.Reading(key, passphrase, keyring, private_key, sender, bound, service)
    new = _options.Writing(new_key, new_passphrase, new_keyring, None, to, hidden, new_service)
    _rewrap.rewrap(
        path,
        unlock.check(),
        new,
        other,
        keep=keep,
        holders_only=holders_only,
        progress=progress,
    )


def reencrypt(
    path: Path,
    *,
    key: Key | None = None,
    passphrase: Key | str | None = None,
    keyring: Keyring | None = None,
    private_key: Key | None = None,
    sender: Buffer | None = None,
    service: Service | Iterable[Service] | None = None,
    context: Buffer = b"",
    to: Buffer | Iterable[Buffer] = (),
    hidden: bool = False,
    new_key: Key | None = None,
    new_passphrase: Key | str | None = None,
    new_keyring: Keyring | None = None,
    new_sender: Key | None = None,
    new_service: Service | Iterable[Service] | None = None,
    new_context: Buffer | None = None,
    chunk_size: int = CHUNK_SIZE,
    pad: Literal["padme"] | int | None = None,
    progress: Progress | None = None,
) -> None:
    """Encrypt a file again in its place, under a fresh key and for others.

    What opened the old file does not open the new one. An ordinary Seal cell becomes a
    sealed file. The plaintext is never written anywhere.

    Args:
        path: the path of a sealed file, or of an ordinary Seal cell.
        key: a key that opens the file, as for `open`.
        passphrase: a passphrase that opens it.
        keyring: a ``Keyring`` that opens it.
        private_key: a private key that opens it.
        sender: the public key of the only sender that counts.
        service: a key service that opens it, or many.
        context: the context of the file.
        to: the public keys of recipients, one or many.
        hidden: whether the file does not name them.
        new_key: a key that opens it from now on.
        new_passphrase: a passphrase that does.
        new_keyring: a ``Keyring`` whose primary key does.
        new_sender: your private key, for a file from you to one recipient alone.
        new_service: a key service that does, or many.
        new_context: the new context of the file; None keeps it.
        chunk_size: as for `open`.
        pad: as for `open`.
        progress: called with the bytes that are encrypted and their number in all.

    Raises:
        SealedFileError: the file does not open, or is corrupted.
        SealedFileValueError: options that make no sense.
        OSError: from the file; TimeoutError if another program keeps it locked.
    """
    checked_progress(progress)
    bound = checked_context(context)
    other = bound if new_context is None else checked_context(new_context)
    unlock = _options.Reading(key, passphrase, keyring, private_key, sender, bound, service)
    new = _options.Writing(
        new_key, new_passphrase, new_keyring, new_sender, to, hidden, new_service
    )
    log2 = _options.log2_of(chunk_size)
    _rewrap.reencrypt(path, unlock.check(), new, other, log2=log2, pad=pad, progress=progress)
