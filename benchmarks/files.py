# SPDX-License-Identifier: Apache-2.0
"""Measure `pythemis.files` beside the ways that Python has otherwise to encrypt a file.

Files are on tmpfs, where there is one. They are sealed out of memory and opened into memory, in
blocks of 1 MiB; AES-GCM alone takes all of it at once. A ratio here is how many times as fast ours
is, of two runs taken one after the other. A peer that is not installed is named, and left out:
``pip install --group bench`` brings all.

    python benchmarks/files.py [--only TEXT] [--rounds 9] [--mib 64] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib
import io
import itertools
import os
import random
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import threads
from _measure import Stopwatch, Work, in_turns, ratios, spread
from _report import Row, document, libcrypto_version, machine, machine_sentence, table, write

from pythemis import files
from pythemis.scell import SCellSeal
from pythemis.skeygen import GenerateSymmetricKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    Copy = Callable[[BinaryIO, BinaryIO], object]

BLOCK = 1 << 20
READ = 4096
COLUMNS = 12
VERIFIED = 2.5e9  # bytes of an ordinary cell a second, as it is opened
SHARED_MEMORY = Path("/dev/shm")
AT_ONCE = 50  # calls of a thread in a sample, of 1 MiB each


class Peer(NamedTuple):
    """Another way to encrypt a file, and how many times as fast ours must be.

    A goal of two numbers is for an OpenSSL before 3.5 and for one from there on.
    """

    name: str
    encrypt: Copy
    decrypt: Copy
    goals: tuple[float | tuple[float, float] | None, float | tuple[float, float] | None]


def main() -> None:
    """Measure what was asked for and print how it stands."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure rows with this in their name")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mib", type=int, default=64, help="size of a file")
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    lacking: list[str] = []
    place = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        rows = list(measured(Path(folder), options, lacking))
    lacking = sorted(set(lacking))
    if lacking:
        print(f"left out, because they are not installed: {', '.join(lacking)}")
    print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    settings = {"rounds": options.rounds, "mib": options.mib, "lacking": lacking}
    write(options.json, document(rows, settings))


def measured(folder: Path, options: Any, lacking: list[str]) -> Iterator[Row]:
    """Measure every row whose name has the wanted text."""
    sizes = f"{options.mib} MiB"
    plain, key = folder / "plain", GenerateSymmetricKey()
    plain.write_bytes(os.urandom(options.mib << 20))
    makers: list[tuple[str, Callable[[], list[Row]]]] = [
        (f"a file of {sizes}", lambda: whole_files(plain, key, options, lacking)),
        ("an ordinary cell", lambda: cells(plain, key, options)),
        ("a sealed file", lambda: small_reads(plain, key, options)),
        ("Parquet", lambda: parquet(folder, key, options, lacking)),
        ("two threads of files", lambda: two_threads(plain, key, options)),
    ]
    for name, make in makers:
        if options.only in name:
            yield from make()


# ---- Whole files ----


def whole_files(plain: Path, key: bytes, options: Any, lacking: list[str]) -> list[Row]:
    """Seal from memory and open into memory, in turns with every peer that is here."""
    peers, rows = [], []
    tink_4_kb, tink_1_mb = (functools.partial(tink_streaming, size) for size in ("4KB", "1MB"))
    for make in (raw_gcm, cobblestone, tink_4_kb, tink_1_mb, pyrage_x25519):
        try:
            peers.append(make())
        except ImportError as error:
            lacking.append(str(error.name))
    content = plain.read_bytes()
    ours = Peer("", functools.partial(seal, key), functools.partial(unseal, key), (None, None))
    for peer in peers:
        sides = [(ours, plain.with_name("ours")), (peer, plain.with_name("theirs"))]
        for side, path in sides:
            check(side, content, path)
        for verb in ("seal", "open"):
            clocks = [
                once(functools.partial(encrypted if verb == "seal" else decrypted, *side, content))
                for side in sides
            ]
            goal = peer.goals[verb == "open"]
            name = f"{verb} a file of {options.mib} MiB / {peer.name}"
            rows.append(faster(name, peer.name, *in_turns(clocks, options.rounds), goal))
    return rows


class Nowhere(io.RawIOBase):
    """Takes what is written, and counts it."""

    size = 0

    def writable(self) -> bool:
        """Return that it takes everything."""
        return True

    def write(self, data: Any) -> int:
        """Take some bytes."""
        self.size += len(data)
        return len(data)


def encrypted(side: Peer, path: Path, content: bytes) -> None:
    """Write an encrypted file."""
    with path.open("wb") as target:
        side.encrypt(io.BytesIO(content), target)


def decrypted(side: Peer, path: Path, content: bytes) -> None:
    """Read it."""
    target = Nowhere()
    with path.open("rb") as source:
        side.decrypt(source, target)
    assert target.size == len(content)


def check(side: Peer, content: bytes, path: Path) -> None:
    """Write a file for those that read it, and see that they return the right thing."""
    encrypted(side, path, content)
    target = io.BytesIO()
    with path.open("rb") as source:
        side.decrypt(source, target)
    if target.getvalue() != content:
        raise SystemExit(f"{side.name or 'pythemis'} returned something else")


def seal(key: bytes, source: BinaryIO, target: BinaryIO) -> None:
    """Write a sealed file."""
    with files.open(target, "wb", key=key) as sealed:
        shutil.copyfileobj(source, sealed, BLOCK)


def unseal(key: bytes, source: BinaryIO, target: BinaryIO) -> None:
    """Read one."""
    with files.open(source, key=key) as sealed:
        shutil.copyfileobj(sealed, target, BLOCK)


def raw_gcm() -> Peer:
    """Return AES-GCM of one message, which has no pieces and no header."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, nonce = AESGCM(os.urandom(32)), os.urandom(12)
    return Peer(
        "AESGCM, at once",
        lambda source, target: target.write(cipher.encrypt(nonce, source.read(), None)),
        lambda source, target: target.write(cipher.decrypt(nonce, source.read(), None)),
        (None, None),
    )


def cobblestone() -> Peer:
    """Return the recipe of `cryptography` for files."""
    recipe = importlib.import_module("cryptography.cobblestone")
    key = recipe.Cobblestone256Encryptor.generate_key()

    def copy(kind: Any, source: BinaryIO, target: BinaryIO) -> None:
        work = kind(key, b"context")
        while block := source.read(BLOCK):
            target.write(work.update(block))
        target.write(work.finalize())

    return Peer(
        "Cobblestone-256",
        functools.partial(copy, recipe.Cobblestone256Encryptor),
        functools.partial(copy, recipe.Cobblestone256Decryptor),
        ((0.9, 1.0), (0.9, 1.0)),
    )


def tink_streaming(size: str) -> Peer:
    """Return the streaming AEAD of tink-py, in segments of one of its two sizes."""
    import tink
    from tink import streaming_aead

    streaming_aead.register()
    templates = streaming_aead.streaming_aead_key_templates
    template = getattr(templates, f"AES256_GCM_HKDF_{size}")
    aead = tink.new_keyset_handle(template).primitive(streaming_aead.StreamingAead)

    def encrypt(source: BinaryIO, target: BinaryIO) -> None:
        with aead.new_encrypting_stream(target, b"context") as work:
            shutil.copyfileobj(source, work, BLOCK)

    def decrypt(source: BinaryIO, target: BinaryIO) -> None:
        with aead.new_decrypting_stream(source, b"context") as work:
            shutil.copyfileobj(work, target, BLOCK)

    return Peer(f"Tink, segments of {size}", encrypt, decrypt, (1.6, 1.6))


def pyrage_x25519() -> Peer:
    """Return age, as pyrage has it in Rust."""
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    to = identity.to_public()
    return Peer(
        "age (pyrage)",
        lambda source, target: pyrage.encrypt_io(source, target, [to]),
        lambda source, target: pyrage.decrypt_io(source, target, [identity]),
        (1.9, 3.0),
    )


def once(call: Callable[[], object]) -> Stopwatch:
    """Return a stopwatch of one call, which takes much longer than reading a clock."""
    return Stopwatch(Work("call()", {"call": call}), 0)


def faster(
    name: str,
    beside: str,
    ours: list[float],
    theirs: list[float],
    goal: float | tuple[float, float] | None,
) -> Row:
    """Make a row of microseconds that says how many times as fast ours is."""
    milliseconds = [spread([value / 1000 for value in taken]) for taken in (ours, theirs)]
    if isinstance(goal, tuple):
        goal = goal[is_new_openssl()]
    return Row(
        name, milliseconds[0], beside, milliseconds[1], ratios(theirs, ours), goal, "at least", "ms"
    )


def is_new_openssl() -> bool:
    """Return whether our libcrypto knows the instructions that the one of `cryptography` knows."""
    found = re.match(r"OpenSSL (\d+)\.(\d+)", libcrypto_version())
    return found is not None and tuple(map(int, found.groups())) >= (3, 5)


# ---- Parts of files ----


def encrypt_file(source: Path, target: Path, key: bytes) -> None:
    """Write a sealed file at a path."""
    with source.open("rb") as plain, files.open(target, "wb", key=key) as sealed:
        shutil.copyfileobj(plain, sealed, BLOCK)


def cells(plain: Path, key: bytes, options: Any) -> list[Row]:
    """Verify an ordinary cell as it is opened, and read from it."""
    sealed, content = plain.with_name("cell"), plain.read_bytes()
    files.seal(plain, sealed, key)
    cell, encrypted, room = SCellSeal(key), sealed.read_bytes(), bytearray(len(content))

    def opened() -> None:
        files.open(sealed, key=key).close()

    clocks = [once(opened), once(lambda: cell.decrypt_into(room, encrypted))]
    name = f"open an ordinary cell of {options.mib} MiB"
    ours, once_decrypted = in_turns(clocks, options.rounds)
    most = len(content) / VERIFIED * 1e3
    rows = [
        Row(name, spread([value / 1000 for value in ours]), goal=round(most, 1), unit="ms"),
        faster(f"{name} / decrypt_into", "decrypt_into, once", ours, once_decrypted, None),
    ]
    with files.open(sealed, key=key) as reader:
        rows.append(reads("an ordinary cell", reader, len(content), options, 6))
    return rows


def small_reads(plain: Path, key: bytes, options: Any) -> list[Row]:
    """Open a sealed file, and read from it."""
    sealed = plain.with_name("sealed")
    encrypt_file(plain, sealed, key)
    work = Work("open(path, key=key).close()", {"open": files.open, "path": sealed, "key": key})
    [taken] = in_turns([Stopwatch(work, 0.01)], options.rounds)
    opened = spread([value / 1000 for value in taken])
    rows = [Row("open a sealed file", opened, goal=0.3, unit="ms")]
    with files.open(sealed, key=key) as reader:
        rows.append(reads("a sealed file", reader, plain.stat().st_size, options, None))
    return rows


def reads(of: str, reader: Any, size: int, options: Any, goal: float | None) -> Row:
    """Read 4 KiB at places that nothing can foresee."""
    draw = random.Random(0)
    offsets = itertools.cycle([draw.randrange(size - READ) for _ in range(4096)])
    names = {"pread": reader.pread, "offset": offsets.__next__}
    [taken] = in_turns([Stopwatch(Work(f"pread({READ}, offset())", names), 0.01)], options.rounds)
    return Row(f"read and verify 4 KiB of {of}", spread(taken), goal=goal)


def parquet(folder: Path, key: bytes, options: Any, lacking: list[str]) -> list[Row]:
    """Read one column of a table, beside all of them."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        lacking.append(str(error.name))
        return []
    rows, draw = (options.mib << 20) // (8 * COLUMNS), random.Random(0)
    table = pa.table(
        {f"c{n}": pa.array([draw.random() for _ in range(rows)]) for n in range(COLUMNS)}
    )
    path = folder / "table"
    with files.open(path, "wb", key=key) as sealed:
        pq.write_table(table, sealed, compression="none", use_dictionary=False)

    def read(columns: list[str] | None) -> None:
        with files.open(path, key=key) as opened:
            pq.read_table(opened, columns=columns)

    # It has threads of its own, so this is the time that passes.
    clocks = [
        lambda: threads.timed(lambda: read(["c5"])),
        lambda: threads.timed(lambda: read(None)),
    ]
    one, whole = in_turns(clocks, options.rounds)
    taken = [spread([value * 1000 for value in values]) for values in (one, whole)]
    name = f"one of {COLUMNS} Parquet columns"
    return [Row(name, taken[0], "all of them", taken[1], ratios(one, whole), 0.5, unit="ms")]


def two_threads(plain: Path, key: bytes, options: Any) -> list[Row]:
    """Read with pread from two threads, by the time that passes."""
    sealed, size = plain.with_name("sealed"), plain.stat().st_size
    encrypt_file(plain, sealed, key)
    with files.open(sealed, key=key) as reader:

        def job() -> None:
            for number in range(AT_ONCE):
                reader.pread(BLOCK, number * BLOCK % size)

        rows = []
        control = threads.repeated(hashlib.sha256, bytes(BLOCK), 0.02)
        for name, work, goal in (
            ("hashlib SHA-256 1 MiB", control, None),  # what this machine can do at all
            ("pread of 1 MiB", job, 1.8),
        ):
            clocks = [lambda w=work: threads.elapsed(w), lambda w=work: threads.elapsed(w, w)]
            one, two = in_turns(clocks, options.rounds)
            rows.append(threads.speed_up(f"two threads of files: {name}", one, two, goal, work=2))
    return rows


if __name__ == "__main__":
    main()
