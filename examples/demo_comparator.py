# SPDX-License-Identifier: Apache-2.0
"""Secure Comparator: two parties learn whether they hold the same secret.

They use a pair of connected sockets. The secrets themselves are never sent.
"""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from compare_passwords import compare

FILE_SIZE = 1 << 20


def run() -> None:
    """Compare passwords and files, and report what either side finds."""
    file = os.urandom(FILE_SIZE)
    almost = file[:-1] + bytes([file[-1] ^ 1])
    cases = [
        ("the same password", b"open sesame", b"open sesame", True),
        ("another password", b"open sesame", b"open barley", False),
        ("the same file of 1 MiB", file, file, True),
        ("one bit of it changed", file, almost, False),
    ]
    print(f"{'secrets':<24} {'client finds':<14} {'server finds':<14} {'time':>8}")
    for title, client_secret, server_secret, equal in cases:
        start = time.perf_counter()
        found = meet(client_secret, server_secret)
        spent = time.perf_counter() - start
        if found != (equal, equal):
            raise SystemExit(f"{title}: client and server find {found}")
        words = ["equal" if answer else "different" for answer in found]
        print(f"{title:<24} {words[0]:<14} {words[1]:<14} {spent * 1e3:>5.1f} ms")


def meet(client_secret: bytes, server_secret: bytes) -> tuple[bool, bool]:
    """Let a client and a server compare; what each of them finds."""
    at_client, at_server = socket.socketpair()
    with at_client, at_server, ThreadPoolExecutor() as pool:
        server = pool.submit(compare, at_server, server_secret, begin=False)
        return compare(at_client, client_secret, begin=True), server.result()
