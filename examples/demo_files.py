# SPDX-License-Identifier: Apache-2.0
"""Sealed files: a directory, sealed as it is read, and one photo out of it.

The directory becomes a tar archive that never exists in plaintext. In it is a zip archive, of which
one member is read: only the parts of the file that this takes are decrypted.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from demo_cells import MIB, make_files, png, progress

from pythemis import files
from pythemis.place import place
from pythemis.skeygen import GenerateSymmetricKey

CONTEXT = place("backup", "2026-12-01")
PHOTOS = {f"photo-{size}.png": size for size in (64, 128, 256)}
WANTED = "photo-128.png"
CHUNK = (64 << 10) + 44  # bytes of the sealed file


def run() -> None:
    """Seal a directory, read from it, report."""
    key = GenerateSymmetricKey()
    with tempfile.TemporaryDirectory(prefix="pythemis-demo-") as name:
        folder, sealed = Path(name, "documents"), Path(name, "backup.sealed")
        originals = make_files(folder)
        make_zip(folder / "photos.zip")
        total = sum(path.stat().st_size for path in folder.iterdir())
        seconds = seal(folder, sealed, key, total)
        print(f"sealed {len(originals) + 1} files, {total / MIB:.1f} MiB, in {seconds:.1f} s")
        read_one(sealed, key)
        show_refusals(sealed, key)


def make_zip(path: Path) -> None:
    """Write an archive of pictures."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, size in PHOTOS.items():
            archive.writestr(name, png(size))


class Metered(io.RawIOBase):
    """Passes on what is written, and draws a bar."""

    def __init__(self, file: io.BufferedIOBase, total: int) -> None:
        self._file, self._total, self._done = file, total, 0

    def writable(self) -> bool:
        """Return that it takes everything."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Write on."""
        self._done += len(data)
        progress("sealing", min(1, self._done / self._total))
        return self._file.write(data)


def seal(folder: Path, target: Path, key: bytes, total: int) -> float:
    """Write an archive of a directory into a sealed file: the seconds that it took."""
    start = time.perf_counter()
    with files.open(target, "wb", key=key, context=CONTEXT) as sealed:
        meter = Metered(sealed, total)
        with tarfile.open(fileobj=meter, mode="w|", bufsize=MIB) as archive:
            archive.add(folder, "documents")
    progress("sealing", 1)
    return time.perf_counter() - start


class Counted(io.FileIO):
    """A file that counts what is read of it."""

    count = 0

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read, and count."""
        size = super().readinto(buffer)
        self.count += size
        return size

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        data = super().read(size)
        self.count += len(data)
        return data


def read_one(path: Path, key: bytes) -> None:
    """Read one member of the zip archive in the tar archive in the sealed file."""
    with Counted(path) as file, files.open(file, key=key, context=CONTEXT) as sealed:
        with tarfile.open(fileobj=sealed) as archive:
            photos = archive.extractfile("documents/photos.zip")
            photo = zipfile.ZipFile(photos).read(WANTED)
        if photo != png(PHOTOS[WANTED]):
            raise SystemExit(f"{WANTED} did not come back as it was")
        print(
            f"read {WANTED} out of photos.zip: {file.count / MIB:.1f} of "
            f"{path.stat().st_size / MIB:.1f} MiB were decrypted"
        )
        start = time.perf_counter()
        sealed.verify(lambda done, total: progress("verifying", done / total))
        print(f"verified all of it in {time.perf_counter() - start:.2f} s")


def show_refusals(path: Path, key: bytes) -> None:
    """Show the error for each kind of wrong input."""
    copy = path.with_name("copy.sealed")

    def changed() -> Path:
        shutil.copyfile(path, copy)
        with copy.open("r+b") as file:
            middle = path.stat().st_size // 2
            file.seek(middle)
            byte = file.read(1)[0]
            file.seek(middle)
            file.write(bytes([byte ^ 1]))
        return copy

    def cut() -> Path:
        shutil.copyfile(path, copy)
        with copy.open("r+b") as file:
            file.truncate(path.stat().st_size - CHUNK)
        return copy

    print("\nRefused:")
    for attempt, make, context in (
        ("one bit changed", changed, CONTEXT),
        ("cut by a chunk", cut, CONTEXT),
        ("another day's backup", lambda: path, place("backup", "2026-12-02")),
    ):
        try:
            with files.open(make(), key=key, context=context) as sealed:
                sealed.verify()
        except files.SealedFileError as error:
            print(f"{attempt + ':':<22}{error}")
        else:
            raise SystemExit(f"{attempt}: accepted")
