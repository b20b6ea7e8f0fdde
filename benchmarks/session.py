# SPDX-License-Identifier: Apache-2.0
"""Time Secure Session: handshakes and what they consist of, messages next to raw AES-256-GCM.

Everything is measured in turns, round after round, so that all see the same machine; medians are
printed, and ratios are medians of each round's ratio. Raw AES-256-GCM is measured twice: by
`cryptography` with a loaded key (its own libcrypto, called from Python as we are), and by
`openssl speed` (the system's libcrypto, which ours is as well unless linked statically; no Python,
no iv, no tag).

    python benchmarks/session.py [--rounds 9] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.smessage import SecureSigner, SecureVerifier
from pythemis.ssession import SimpleMemoryTransport, SSession

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]

SLICE = 0.1  # seconds that one measurement takes
SIZES = {"64 B": 64, "4 KiB": 4 << 10, "1 MiB": 1 << 20}
# Each side makes a key and agrees once; messages 1, 2 and 3 are signed by one and verified by the
# other.
IN_A_HANDSHAKE = {"ECDSA sign": 3, "ECDSA verify": 3, "ECDH": 2, "key generation": 2}


def main() -> None:
    """Measure everything and print two tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", help="also write the figures into this file")
    options = parser.parse_args()
    print(f"cryptography with {backend.openssl_version_text()}; {openssl_version()}\n")
    figures = {"handshake": handshakes(options.rounds), "messages": messages(options.rounds)}
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1), encoding="utf-8")


def timed(call: Call, slice_of_time: float = SLICE) -> float:
    """Give the microseconds that a call takes."""
    done, start = 0, time.perf_counter()
    while True:
        for _ in range(max(1, done)):  # the clock is asked ever more rarely
            call()
        done += max(1, done)
        spent = time.perf_counter() - start
        if spent > slice_of_time:
            return spent * 1e6 / done


def handshakes(rounds: int) -> dict[str, float]:
    """Measure whole handshakes, both sides in one thread, and their parts."""
    client_pair, server_pair = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
    client_key, server_key = client_pair.export_private_key(), server_pair.export_private_key()
    knows_server = SimpleMemoryTransport(b"server", server_pair.export_public_key())
    knows_client = SimpleMemoryTransport(b"client", client_pair.export_public_key())

    def handshake() -> None:
        client = SSession(b"client", client_key, knows_server)
        server = SSession(b"server", server_key, knows_client)
        message = client.unwrap(server.unwrap(client.connect_request()))
        client.unwrap(server.unwrap(message))
        assert client.is_established()

    signer, verifier = SecureSigner(client_key), SecureVerifier(client_pair.export_public_key())
    text = bytes(100)
    signed = signer.sign(text)
    calls: dict[str, Call] = {
        "handshake": handshake,
        "ECDSA sign": lambda: signer.sign(text),
        "ECDSA verify": lambda: verifier.verify(signed),
        "key generation": lambda: GenerateKeyPair(KEY_PAIR_TYPE.EC),
    }
    samples: dict[str, list[float]] = {name: [] for name in [*calls, "ECDH"]}
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(timed(call))
        agreement = openssl_speed("+F5", "ecdhp256")
        if agreement is not None:
            samples["ECDH"].append(agreement * 1e6)
    found = {name: statistics.median(values) for name, values in samples.items() if values}
    whole = found["handshake"]
    print(f"handshake, both sides: {whole:.0f} us, {1e6 / whole:.0f} per second and core")
    left = 1.0
    for name, count in IN_A_HANDSHAKE.items():
        if name in found:
            share = statistics.median(
                count * part / all_of_it
                for part, all_of_it in zip(samples[name], samples["handshake"], strict=True)
            )
            left -= share
            print(f"  {count} x {name:<16}{found[name]:>8.1f} us{share:>8.0%}")
    print(f"  {'everything else':<31}{left:>8.0%}\n")
    return found


def messages(rounds: int) -> list[dict[str, float | str]]:
    """Measure wrap and unwrap next to raw AES-256-GCM."""
    columns = ("us", "raw us", "ratio", "bulk us", "ratio")
    print(f"{'':14}" + "".join(f"{column:>10}" for column in columns))
    figures: list[dict[str, float | str]] = []
    for size_name, size in SIZES.items():
        text, nonce, raw = os.urandom(size), os.urandom(12), AESGCM(os.urandom(32))
        encrypted = raw.encrypt(nonce, text, None)
        writer, reader = session_pair()
        wrapped = writer.wrap(text)
        calls = {
            "wrap": (bind(writer.wrap, text), bind(raw.encrypt, nonce, text, None)),
            # Without reject_duplicates a message can be read again.
            "unwrap": (bind(reader.unwrap, wrapped), bind(raw.decrypt, nonce, encrypted, None)),
        }
        samples: dict[str, list[tuple[float, float, float | None]]] = {"wrap": [], "unwrap": []}
        for _ in range(rounds):
            speed = openssl_speed("+F", "-evp", "aes-256-gcm", "-bytes", str(size))
            bulk = None if speed is None else size / speed * 1e6
            # A wrap would push the message out of the reader's window only if it were read.
            for name, (ours, theirs) in calls.items():
                samples[name].append((timed(ours), timed(theirs), bulk))
        for name, taken in samples.items():
            ours_us, raw_us = (statistics.median(sample[i] for sample in taken) for i in (0, 1))
            ratio = statistics.median(ours / theirs for ours, theirs, _ in taken)
            line = f"{name + ' ' + size_name:<14}{ours_us:>10.2f}{raw_us:>10.2f}{ratio:>10.2f}"
            row: dict[str, float | str] = {"name": f"{name} {size_name}", "us": ours_us}
            row |= {"raw us": raw_us, "ratio": ratio}
            bulks = [(ours, bulk) for ours, _, bulk in taken if bulk is not None]
            if bulks:
                row["bulk us"] = statistics.median(bulk for _, bulk in bulks)
                row["bulk ratio"] = statistics.median(ours / bulk for ours, bulk in bulks)
                line += f"{row['bulk us']:>10.2f}{row['bulk ratio']:>10.2f}"
            print(line)
            figures.append(row)
    return figures


def session_pair() -> tuple[SSession, SSession]:
    """Give both ends of an established session."""
    pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    keys = SimpleMemoryTransport(b"id", pair.export_public_key())
    client, server = (SSession(b"id", pair.export_private_key(), keys) for _ in range(2))
    message = client.unwrap(server.unwrap(client.connect_request()))
    client.unwrap(server.unwrap(message))
    return client, server


def openssl_version() -> str:
    """Tell the version of the command-line tool's libcrypto."""
    tool = shutil.which("openssl")
    if tool is None:
        return "no openssl tool, so no figures from it"
    said = subprocess.run([tool, "version"], capture_output=True, text=True, check=True).stdout
    return f"openssl speed of {said.strip()}"


def openssl_speed(prefix: str, *arguments: str) -> float | None:
    """Run `openssl speed` for a second; the last figure of its line that begins so."""
    tool = shutil.which("openssl")
    if tool is None:
        return None
    command = [tool, "speed", "-mr", "-seconds", "1", *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = [line for line in said.splitlines() if line.startswith(f"{prefix}:")]
    return float(figures[-1].split(":")[-1]) if figures else None


def bind(call: Callable[..., object], *arguments: object) -> Call:
    """Make a call that is ready to be repeated."""
    return lambda: call(*arguments)


if __name__ == "__main__":
    main()
