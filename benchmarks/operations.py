# SPDX-License-Identifier: Apache-2.0
"""Time every operation of the documented pythemis API, in microseconds per call.

Nothing but that API is used, so the program also measures pythemis 0.15 and whatever else has the
API; what is newer is measured where it is there. To compare two of them, use paired.py, which
runs this program under two interpreters in turns.

    python benchmarks/operations.py [--only TEXT] [--rounds 9] [--seconds 0.01] [--json FILE]
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import sys
from typing import TYPE_CHECKING

from _measure import Stopwatch, Work, in_turns, spread
from _report import Row, document, machine, machine_sentence, table, write

from pythemis import smessage
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair, GenerateSymmetricKey
from pythemis.smessage import SMessage, ssign, sverify
from pythemis.ssession import SSession

if TYPE_CHECKING:
    from collections.abc import Callable

    Operations = dict[str, Callable[[], Work]]

SMALL = (16, 64, 256, 1024)
LARGE = (64 << 10, 1 << 20, 16 << 20)
CONTEXT = b"a context"
_ROWS = [f"row {i}".encode() for i in range(100, 200)]
MANY = 1000  # messages in one call of encrypt_many
PEERS = 100  # more than pythemis remembers


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="measure operations with this in their name")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.01, help="of one sample")
    parser.add_argument("--json", help="also write the figures into this file")
    parser.add_argument("--serve", action="store_true", help="take samples as paired.py asks")
    options = parser.parse_args()
    if options.serve:
        serve(options.seconds)
        return
    wanted = {name: make for name, make in operations().items() if options.only in name}
    clocks = [Stopwatch(make(), options.seconds) for make in wanted.values()]
    samples = in_turns(clocks, options.rounds)
    rows = [Row(name, spread(taken)) for name, taken in zip(wanted, samples, strict=True)]
    settings = {"rounds": options.rounds, "seconds": options.seconds}
    if options.json != "-":
        print(f"{machine_sentence(machine())}\n\n{table(rows)}", end="")
    write(options.json, document(rows, settings))


def serve(seconds: float) -> None:
    """Say what can be measured; then answer each name on a line with a sample."""
    known = operations()
    clocks: dict[str, Stopwatch] = {}
    print(json.dumps({"operations": list(known), "machine": machine()}), flush=True)
    for line in sys.stdin:
        name = line.rstrip("\n")
        if name not in clocks:
            clocks.clear()  # the messages of one operation at a time
            clocks[name] = Stopwatch(known[name](), seconds)
        print(json.dumps(clocks[name]()), flush=True)


@functools.cache
def operations() -> Operations:
    """List the operations: each name with what prepares its work."""
    return {
        "GenerateSymmetricKey": _generate(GenerateSymmetricKey),
        "GenerateKeyPair EC": _generate(GenerateKeyPair, KEY_PAIR_TYPE.EC),
        **_cells(),
        **_messages(),
        **_sessions(),
        "comparison, both sides": lambda: Work("compare()", {"compare": compare}),
        **_cells_of_new(),
    }


def size_name(size: int) -> str:
    """Name a message size."""
    for unit, power in (("MiB", 20), ("KiB", 10)):
        if size >= 1 << power:
            return f"{size >> power} {unit}"
    return f"{size} B"


def _generate(*call: object) -> Callable[[], Work]:
    return lambda: Work("generate(*kind)", {"generate": call[0], "kind": call[1:]})


# ---- Secure Cell ----


def _cells() -> Operations:
    made: Operations = {}
    for size in (*SMALL, *LARGE):
        made |= _both("Seal", size, seal)
    made |= {
        "Seal encrypt 64 B, each its own context": lambda: seal_rows(64)[0],
        "Seal decrypt 64 B, each its own context": lambda: seal_rows(64)[1],
        "Context Imprint encrypt 64 B, each its own context": lambda: imprint_rows(64),
    }
    for size in SMALL:
        made |= _both("Token Protect", size, protect)
        made |= _both("Context Imprint", size, imprint)
    return made | {
        "passphrase encrypt 64 B": lambda: passphrase(64)[0],
        "passphrase decrypt 64 B": lambda: passphrase(64)[1],
    }


def _both(kind: str, size: int, make: Callable[[int], tuple[Work, Work]]) -> Operations:
    return {
        f"{kind} encrypt {size_name(size)}": lambda: make(size)[0],
        f"{kind} decrypt {size_name(size)}": lambda: make(size)[1],
    }


def seal(size: int) -> tuple[Work, Work]:
    """Return the encryption and the decryption of a Seal."""
    cell, message = SCellSeal(key=GenerateSymmetricKey()), os.urandom(size)
    names = {"cell": cell, "message": message, "encrypted": cell.encrypt(message)}
    return Work("cell.encrypt(message)", names), Work("cell.decrypt(encrypted)", names)


def seal_rows(size: int) -> tuple[Work, Work]:
    """Return the same with another context for each message, as with rows of a table."""
    cell, message = SCellSeal(key=GenerateSymmetricKey()), os.urandom(size)
    rows = [(cell.encrypt(message, row), row) for row in _ROWS]
    names = {
        "cell": cell,
        "message": message,
        "contexts": itertools.cycle(_ROWS),
        "rows": itertools.cycle(rows),
    }
    return Work("cell.encrypt(message, next(contexts))", names), Work(
        "cell.decrypt(*next(rows))", names
    )


def imprint_rows(size: int) -> Work:
    """Return the same for Context Imprint."""
    cell, message = SCellContextImprint(key=GenerateSymmetricKey()), os.urandom(size)
    names = {"cell": cell, "message": message, "contexts": itertools.cycle(_ROWS)}
    return Work("cell.encrypt(message, next(contexts))", names)


def protect(size: int) -> tuple[Work, Work]:
    """Return the encryption and the decryption of Token Protect."""
    cell, message = SCellTokenProtect(key=GenerateSymmetricKey()), os.urandom(size)
    encrypted, token = cell.encrypt(message)
    names = {"cell": cell, "message": message, "encrypted": encrypted, "token": token}
    return Work("cell.encrypt(message)", names), Work("cell.decrypt(encrypted, token)", names)


def imprint(size: int) -> tuple[Work, Work]:
    """Return the encryption and the decryption of Context Imprint."""
    cell, message = SCellContextImprint(key=GenerateSymmetricKey()), os.urandom(size)
    names = {"cell": cell, "message": message, "context": CONTEXT}
    return Work("cell.encrypt(message, context)", names), Work(
        "cell.decrypt(message, context)", names
    )


def passphrase(size: int) -> tuple[Work, Work]:
    """Return the encryption and the decryption of a Seal with a passphrase."""
    cell, message = SCellSeal(passphrase="a passphrase"), os.urandom(size)
    names = {"cell": cell, "message": message, "encrypted": cell.encrypt(message)}
    return Work("cell.encrypt(message)", names), Work("cell.decrypt(encrypted)", names)


def _cells_of_new() -> Operations:
    """List what no older pythemis has."""
    made: Operations = {}
    if hasattr(SCellSeal, "encrypt_into"):
        for size in (64, *LARGE):
            made[f"Seal encrypt_into {size_name(size)}"] = functools.partial(_seal_into, size)
    if hasattr(SCellSeal, "encrypt_many"):
        made[f"Seal encrypt_many {MANY} x 100 B"] = lambda: seal_many(MANY, 100)[0]
    if hasattr(SCellSeal, "decrypt_many"):
        made[f"Seal decrypt_many {MANY} x 100 B"] = lambda: seal_many(MANY, 100)[1]
    return made


def _seal_into(size: int) -> Work:
    cell, message = SCellSeal(key=GenerateSymmetricKey()), os.urandom(size)
    buffer = bytearray(len(cell.encrypt(message)))
    names = {"cell": cell, "message": message, "buffer": buffer}
    return Work("cell.encrypt_into(buffer, message)", names)


def seal_many(count: int, size: int) -> tuple[Work, Work]:
    """Return the encryption and the decryption of a list of messages."""
    cell: object = SCellSeal(key=GenerateSymmetricKey())
    messages = [os.urandom(size) for _ in range(count)]
    encrypted = cell.encrypt_many(messages)
    names = {"cell": cell, "messages": messages, "encrypted": encrypted}
    return Work("cell.encrypt_many(messages)", names), Work("cell.decrypt_many(encrypted)", names)


# ---- Secure Message ----


def _messages() -> Operations:
    made = {
        "SMessage EC wrap 64 B, object reused": lambda: reused(KEY_PAIR_TYPE.EC)[0],
        "SMessage EC unwrap 64 B, object reused": lambda: reused(KEY_PAIR_TYPE.EC)[1],
        "SMessage EC made new + wrap 64 B": made_new,
        "SMessage EC made new + wrap 64 B, same peer": lambda: made_new(peers=1),
        "SMessage RSA wrap 64 B": lambda: reused(KEY_PAIR_TYPE.RSA)[0],
        "SMessage RSA unwrap 64 B": lambda: reused(KEY_PAIR_TYPE.RSA)[1],
    }
    for name in ("EC", "RSA"):
        kind = getattr(KEY_PAIR_TYPE, name)
        made[f"ssign {name} 64 B"] = functools.partial(_pick, signed, kind, 0)
        made[f"sverify {name} 64 B"] = functools.partial(_pick, signed, kind, 1)
        if hasattr(smessage, "SecureSigner"):
            made[f"SecureSigner {name} 64 B"] = functools.partial(_pick, prepared, kind, 0)
            made[f"SecureVerifier {name} 64 B"] = functools.partial(_pick, prepared, kind, 1)
    return made


def _pick(make: Callable[[str], tuple[Work, Work]], kind: str, which: int) -> Work:
    return make(kind)[which]


@functools.cache
def _pair(kind: str) -> tuple[bytes, bytes]:
    """Return a private and a public key; RSA keys take long to make."""
    pair = GenerateKeyPair(kind)
    return pair.export_private_key(), pair.export_public_key()


def reused(kind: str) -> tuple[Work, Work]:
    """Return wrapping and unwrapping with an object that has done it before."""
    text, message = os.urandom(64), SMessage(*_pair(kind))
    names = {"message": message, "text": text, "wrapped": message.wrap(text)}
    return Work("message.wrap(text)", names), Work("message.unwrap(wrapped)", names)


def made_new(peers: int = PEERS) -> Work:
    """Return the making of an object and its first message, for one peer after the other."""
    private = _pair(KEY_PAIR_TYPE.EC)[0]
    pairs = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(peers))
    public = itertools.cycle([pair.export_public_key() for pair in pairs])
    names = {"SMessage": SMessage, "private": private, "public": public, "text": os.urandom(64)}
    return Work("SMessage(private, next(public)).wrap(text)", names)


def signed(kind: str) -> tuple[Work, Work]:
    """Return signing and verifying with keys in bytes."""
    (private, public), text = _pair(kind), os.urandom(64)
    names = {"ssign": ssign, "sverify": sverify, "private": private, "public": public}
    names |= {"text": text, "signed": ssign(private, text)}
    return Work("ssign(private, text)", names), Work("sverify(public, signed)", names)


def prepared(kind: str) -> tuple[Work, Work]:
    """Return signing and verifying with keys that were read before."""
    (private, public), text = _pair(kind), os.urandom(64)
    signer, verifier = smessage.SecureSigner(private), smessage.SecureVerifier(public)
    names = {"signer": signer, "verifier": verifier, "text": text, "signed": signer.sign(text)}
    return Work("signer.sign(text)", names), Work("verifier.verify(signed)", names)


# ---- Secure Session and Secure Comparator ----


def _sessions() -> Operations:
    return {
        "session handshake, both sides": lambda: Work("handshake()", {"handshake": handshake}),
        "session wrap 64 B": session_wrap,
        "session wrap + unwrap 64 B": session_round_trip,
    }


class Callbacks:
    """Knows the public key of every peer."""

    def get_pub_key_by_id(self, peer_id: bytes) -> bytes:  # noqa: ARG002 -- it is the same for all
        """Return the key."""
        return _pair(KEY_PAIR_TYPE.EC)[1]


def handshake() -> tuple[SSession, SSession]:
    """Make both ends of a session and let them come to terms."""
    private = _pair(KEY_PAIR_TYPE.EC)[0]
    client, server = (SSession(name, private, Callbacks()) for name in (b"client", b"server"))
    reply = client.connect_request()
    while not (client.is_established() and server.is_established()):
        reply = server.unwrap(reply)
        if reply:
            reply = client.unwrap(reply)
    return client, server


def session_wrap() -> Work:
    """Return the wrapping of a message."""
    return Work("client.wrap(text)", {"client": handshake()[0], "text": os.urandom(64)})


def session_round_trip() -> Work:
    """Return wrapping and unwrapping."""
    client, server = handshake()
    names = {"client": client, "server": server, "text": os.urandom(64)}
    return Work("server.unwrap(client.wrap(text))", names)


def compare() -> bool:
    """Make a whole comparison of two equal secrets."""
    alice, bob = SComparator(b"a secret"), SComparator(b"a secret")
    message = alice.begin_compare()
    for side in (bob, alice, bob, alice):
        message = side.proceed_compare(message)
    return bool(alice.is_equal() and bob.is_equal())


if __name__ == "__main__":
    main()
