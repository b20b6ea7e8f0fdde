# SPDX-License-Identifier: Apache-2.0
"""Where in memory the keys of a ring are: in its guarded pages, and nowhere once it is closed."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from pythemis import keyring
from pythemis.keyring import Keyring

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="memory is read through /proc"
)
PROGRAM = """\
import gc, sys
from pythemis import keyring
from pythemis._core import rings
from pythemis._themis import ffi, lib
from pythemis.keyring import SecretKey

folder, careless = sys.argv[1:]


def where(*known):
    size = ffi.new("size_t *")
    for ring in known:
        place = lib.themis_ring_payload(ring._held.handle, size)
        print(int(ffi.cast("uintptr_t", place)), size[0])
    print("ready", flush=True)
    sys.stdin.readline()


with SecretKey.from_file(folder + "/key") as key:
    ring = keyring.load(folder + "/ring", "shop", key=key)
    kept = rings.payload_of(ring._held)[:] if careless == "yes" else None
    changed = ring.add().promote(ring.ids[-1])
    stored = changed.rotate(ring.encrypt(b"message"))
    assert changed.decrypt_many([stored] * 3, threads=2) == [b"message"] * 3
    changed.save(folder + "/ring", key=key)
    try:
        keyring.load(folder + "/ring", "shop", key=key, min_version=99)
    except keyring.KeyringError as error:
        refused = error
    gc.collect()
    where(ring, changed)
    ring.close()
    changed.close()
gc.collect()
where()
"""


def found(pid, needles):
    """Give the addresses at which a process has one of the needles in its memory."""
    places = []
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(text, 16) for text in span.split("-"))
            if not mode.startswith("r") or "[v" in line:
                continue
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue
            for needle in needles:
                at = content.find(needle)
                while at >= 0:
                    places.append(start + at)
                    at = content.find(needle, at + 1)
    return places


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="PyPy leaves copies of what it moves")
@pytest.mark.parametrize("careless", ["no", "yes"])
def test_the_keys_of_a_ring_are_in_guarded_memory_alone(careless, tmp_path):
    """Loading, changing, saving and refusing leave no copy behind; a copy that is kept is found."""
    secret, unlock = keyring.SecretKey.generate(32), keyring.SecretKey.generate(32).reveal()
    ring = Keyring.new("shop").add().add(secret)
    ring.save(tmp_path / "ring", key=unlock)
    (tmp_path / "key").write_bytes(base64.b64encode(unlock))
    (tmp_path / "key").chmod(0o600)
    needles = [secret.reveal()[:16], base64.b64encode(secret.reveal())[:24], unlock[:16]]
    command = [sys.executable, "-c", PROGRAM, tmp_path, careless]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as child:
        places = []
        for _ in range(2):
            guarded = []
            while (line := child.stdout.readline().split()) != ["ready"]:
                start, size = map(int, line)
                guarded.append(range(start, start + size))
            hits = found(child.pid, needles)
            places.append([at for at in hits if not any(at in each for each in guarded)])
            if guarded:
                assert len(hits) - len(places[-1]) == len(guarded)  # one in each ring
            child.stdin.write("\n")
            child.stdin.flush()
        assert child.wait(60) == 0
    opened, closed = places
    # The key that opens the file is still open the first time, in guarded memory of its own.
    assert len(opened) == (1 if careless == "no" else 2)
    assert len(closed) == (0 if careless == "no" else 1)
