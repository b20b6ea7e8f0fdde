# SPDX-License-Identifier: Apache-2.0
"""Compare a password over a socket without sending it.

    python compare_passwords.py                         both parties in one process
    python compare_passwords.py serve 127.0.0.1 7000    wait, and allow three attempts
    python compare_passwords.py ask 127.0.0.1 7000      begin

Both sides ask for the password. The messages reveal to them, and to anyone who listens, only
whether the two are equal. One comparison tests one guess, and a copy of the messages tests none.
That is why the waiting side counts the attempts.

This does not authenticate the other side, and does not protect what is sent afterwards. An attacker
in the middle can pass the messages on unchanged, learn nothing, and then send their own. Compare
inside an encrypted connection (Secure Session), and include in the secret what identifies it.
"""

from __future__ import annotations

import getpass
import socket
import struct
import sys
import threading

from pythemis.scomparator import SComparator, SecureComparatorError

ATTEMPTS = 3
PATIENCE = 10  # seconds; a side that stops in the middle has used up an attempt
LONGEST = 352  # bytes of the longest message of a comparison
LENGTH = struct.Struct("!H")


def send(connection: socket.socket, message: bytes) -> None:
    """Send a message behind its length."""
    connection.sendall(LENGTH.pack(len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Receive what send sent."""
    (size,) = LENGTH.unpack(receive_exactly(connection, LENGTH.size))
    if size > LONGEST:
        raise ConnectionError("the other side does not speak this protocol")
    return receive_exactly(connection, size)


def receive_exactly(connection: socket.socket, size: int) -> bytes:
    """Receive so many bytes."""
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the other side hung up")
        parts += part
    return bytes(parts)


def compare(connection: socket.socket, secret: bytes, *, begin: bool) -> bool:
    """Compare a secret with the other side's; the same code for both of them."""
    connection.settimeout(PATIENCE)
    with SComparator(secret) as comparison:
        if begin:
            send(connection, comparison.begin_compare())
        while not comparison.is_compared():
            reply = comparison.proceed_compare(receive(connection))
            if reply:
                send(connection, reply)
        return comparison.is_equal()


def say(line: str) -> None:
    """Print a line in one piece, for both parties may share a screen."""
    sys.stdout.write(f"{line}\n")


def serve(server: socket.socket, password: str) -> bool:
    """Wait for a side that knows the password, for a limited number of attempts."""
    for attempt in range(1, ATTEMPTS + 1):
        connection, _ = server.accept()
        with connection:
            try:
                equal = compare(connection, password.encode(), begin=False)
            except (SecureComparatorError, OSError) as error:
                say(f"waiting side, attempt {attempt}: {error}")
                continue
        say(f"waiting side, attempt {attempt}: the passwords {'match' if equal else 'differ'}")
        if equal:
            return True
    say("waiting side: no more attempts")
    return False


def ask(address: tuple[str, int], password: str) -> bool:
    """Compare a password with that of the side that waits there."""
    with socket.create_connection(address) as connection:
        equal = compare(connection, password.encode(), begin=True)
    say(f"asking side: the passwords {'match' if equal else 'differ'}")
    return equal


def demonstrate() -> bool:
    """Let both parties meet in one process: a wrong guess, then the right password."""
    found = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        waiting = threading.Thread(target=lambda: found.append(serve(server, "open sesame")))
        waiting.start()
        first = ask(server.getsockname(), "open barley")
        second = ask(server.getsockname(), "open sesame")
        waiting.join()
    return found == [True] and not first and second


def main() -> int:
    """Do what the command line says."""
    match sys.argv[1:]:
        case []:
            return 0 if demonstrate() else 1
        case ["serve", host, port]:
            with socket.create_server((host, int(port))) as server:
                return 0 if serve(server, getpass.getpass("Password to compare: ")) else 1
        case ["ask", host, port]:
            return 0 if ask((host, int(port)), getpass.getpass("Password to compare: ")) else 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
