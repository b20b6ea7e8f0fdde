# SPDX-License-Identifier: Apache-2.0
"""Secure Cell: a folder of files, encrypted and decrypted in every mode.

Texts, images, an SQLite database and a file of 100 MiB. Each file is bound to its own name:
under another name it does not decrypt.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellTokenProtect,
    SecureCellError,
)
from pythemis.skeygen import GenerateSymmetricKey

if TYPE_CHECKING:
    from collections.abc import Callable

    # A mode is a pair of functions on content and context. What is encrypted comes as a list of
    # parts, each stored in a file of its own.
    Encrypt = Callable[[bytes, bytes], list[bytes]]
    Decrypt = Callable[[list[bytes], bytes], bytes]

MIB = 1 << 20
BIG_FILE = 100 * MIB


def run() -> None:
    """Make the folder, take it through every mode, report."""
    with tempfile.TemporaryDirectory(prefix="pythemis-demo-") as name:
        root = Path(name)
        originals = make_files(root / "originals")
        total = sum(path.stat().st_size for path in originals)
        print(f"{len(originals)} files, {total / MIB:.1f} MiB\n")
        print(f"{'mode':<20} {'added':>12} {'encrypt':>14} {'decrypt':>14}   SHA-256 of all files")
        for mode, (encrypt, decrypt) in modes().items():
            print(row(mode, root, originals, encrypt, decrypt))
        show_refusals(originals[0])


def modes() -> dict[str, tuple[Encrypt, Decrypt]]:
    """Give each mode of Secure Cell the same shape."""
    key = GenerateSymmetricKey()
    seal = SCellSeal(key=key)
    passphrase = SCellSeal(passphrase="correct horse battery staple")
    token_protect = SCellTokenProtect(key=key)
    imprint = SCellContextImprint(key=key)
    return {
        "Seal": (
            lambda data, context: [seal.encrypt(data, context)],
            lambda parts, context: seal.decrypt(parts[0], context),
        ),
        "Seal, passphrase": (
            lambda data, context: [passphrase.encrypt(data, context)],
            lambda parts, context: passphrase.decrypt(parts[0], context),
        ),
        "Token Protect": (
            lambda data, context: list(token_protect.encrypt(data, context)),
            lambda parts, context: token_protect.decrypt(parts[0], parts[1], context),
        ),
        "Context Imprint": (
            lambda data, context: [imprint.encrypt(data, context)],
            lambda parts, context: imprint.decrypt(parts[0], context),
        ),
    }


def row(mode: str, root: Path, originals: list[Path], encrypt: Encrypt, decrypt: Decrypt) -> str:
    """Take all files through one mode by way of the disk, and put the result into a line."""
    folder = root / mode.replace(" ", "-")
    folder.mkdir()
    added = 0
    spent = {encrypt: 0.0, decrypt: 0.0}
    equal = 0

    def timed(act: Callable[..., Any], *args: object) -> Any:
        start = time.perf_counter()
        result = act(*args)
        spent[act] += time.perf_counter() - start
        return result

    for position, path in enumerate(originals):
        progress(mode, position / len(originals))
        content, context = path.read_bytes(), path.name.encode()
        parts = timed(encrypt, content, context)
        stored = [folder / f"{path.name}.{number}" for number in range(len(parts))]
        for file, part in zip(stored, parts, strict=True):
            file.write_bytes(part)
        added += sum(map(len, parts)) - len(content)

        restored = folder / path.name
        restored.write_bytes(timed(decrypt, [file.read_bytes() for file in stored], context))
        equal += sha256(restored) == sha256(path)
    progress(mode, 1)
    if equal != len(originals):
        raise SystemExit(f"{mode}: {len(originals) - equal} files did not come back as they were")
    total = sum(path.stat().st_size for path in originals)
    speeds = [f"{total / MIB / seconds:>8.0f} MiB/s" for seconds in spent.values()]
    return f"{mode:<20} {added:>6} bytes {speeds[0]} {speeds[1]}   {equal} of {equal} equal"


def show_refusals(path: Path) -> None:
    """Show the error for each kind of wrong input."""
    cell = SCellSeal(key=GenerateSymmetricKey())
    encrypted = cell.encrypt(path.read_bytes(), path.name.encode())
    damaged = bytearray(encrypted)
    damaged[-1] ^= 1
    attempts = {
        "one bit changed": lambda: cell.decrypt(damaged, path.name.encode()),
        "another file's name": lambda: cell.decrypt(encrypted, b"another.txt"),
        "another key": lambda: SCellSeal(GenerateSymmetricKey()).decrypt(encrypted, b""),
    }
    print("\nRefused:")
    for attempt, act in attempts.items():
        try:
            act()
        except SecureCellError as error:
            print(f"{attempt + ':':<21}{error}")
        else:
            raise SystemExit(f"{attempt}: accepted")


def make_files(folder: Path) -> list[Path]:
    """Fill a folder with files of different kinds."""
    folder.mkdir()
    sources = Path(__file__).resolve().parent.parent
    for text in [*sources.glob("*.md"), *sources.glob("pythemis/*.py"), sources / "LICENSE"]:
        (folder / text.name).write_bytes(text.read_bytes())
    (folder / "grüße-привет-你好.txt").write_text("Grüße, привет, 你好\n" * 1000, encoding="utf-8")
    for size in (16, 512):
        (folder / f"gradient-{size}.png").write_bytes(png(size))
    make_database(folder / "accounts.sqlite")
    with (folder / "backup.bin").open("wb") as file:
        for _ in range(BIG_FILE // MIB):
            file.write(os.urandom(MIB))
    return sorted(folder.iterdir())


def png(size: int) -> bytes:
    """Draw a colour gradient of size x size pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    scale = 255 / (size - 1)
    rows = [
        b"\0" + bytes(c for x in range(size) for c in (int(x * scale), int(y * scale), 128))
        for y in range(size)
    ]
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def make_database(path: Path) -> None:
    """Write an SQLite database of 20 000 rows."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, balance REAL)"
        )
        connection.executemany(
            "INSERT INTO accounts VALUES (?, ?, ?)",
            ((number, f"customer {number}", number * 1.25) for number in range(20_000)),
        )
    connection.close()


def sha256(path: Path) -> str:
    """Hash a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def progress(title: str, done: float) -> None:
    """Draw a bar on a terminal; it vanishes when it is full."""
    if sys.stdout.isatty():
        bar = "#" * round(done * 40)
        line = f"{title:<20} [{bar:<40}] {done:4.0%}" if done < 1 else ""
        print(f"\r\x1b[K{line}", end="", flush=True)
