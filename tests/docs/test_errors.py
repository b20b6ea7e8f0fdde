# SPDX-License-Identifier: Apache-2.0
"""The page of errors and the code say the same: each row is provoked, each code is explained."""

import asyncio
import contextlib
import importlib
import io
import os
import re
import socket
import sys
import tempfile
import time
from base64 import b64encode
from functools import cache
from pathlib import Path

import pytest

from pythemis import _known_answers, files
from pythemis.asession import SessionStream, open_session
from pythemis.exception import THEMIS_CODES, ThemisError
from pythemis.keyring import Keyring, SecretKey, load
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from pythemis.scomparator import SComparator
from pythemis.skeygen import (
    KEY_PAIR_TYPE,
    GenerateKeyPair,
    from_der,
    from_pem,
    key_kind,
    public_from_private,
    to_pem,
)
from pythemis.smessage import SMessage, ssign, sverify
from pythemis.ssession import SimpleMemoryTransport, SSession
from pythemis.stransport import SocketTransport
from support.keys import cases as vectors
from support.keys import container
from support.project import ROOT
from support.sessions import set_counts

PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8")
MODULES = (
    "exception",
    "fields",
    "files",
    "keyring",
    "kms",
    "scell",
    "scomparator",
    "skeygen",
    "smessage",
    "ssession",
)
NEVER = {"SUCCESS", "SEND_OUTPUT_TO_PEER", "SEND_AS_IS"}


def rows(title):
    """Give the cells of the table under a heading."""
    _, _, rest = PAGE.partition(f"\n## {title}\n")
    part = re.split(r"\n## ", rest)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


# ---- What the provocations need ----

ONE, OTHER = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
PRIVATE, PUBLIC = ONE.export_private_key(), ONE.export_public_key()
CELL = SCellSeal(b"key")
PASSPHRASE = SCellSeal(passphrase="passphrase")
TOKEN = SCellTokenProtect(b"key")


RING = Keyring.new("shop").add()
LEGACY = RING.add_legacy(bytes(range(32)))


def in_a_folder(act):
    """Act in a new folder, which has a keyring and a key that may be read by others."""
    with tempfile.TemporaryDirectory() as folder:
        before = Path.cwd()
        os.chdir(folder)
        try:
            RING.save("shop.ring", key=bytes(32))
            Path("shop.key").write_bytes(b64encode(bytes(32)))
            Path("shop.key").chmod(0o644)
            act()
        finally:
            os.chdir(before)


def opened(name="shop", key=bytes(32), **expected):
    """Load a ring in a new folder."""
    in_a_folder(lambda: load("shop.ring", name, key=key, **expected))


def read_key(text):
    """Read a key from a file of this text."""
    Path("shop.key").write_text(text)
    Path("shop.key").chmod(0o600)
    SecretKey.from_file("shop.key")


@cache
def sealed():
    """Give a sealed file under a key."""
    made = io.BytesIO()
    with files.open(made, "wb", key=bytes(32)) as file:
        file.write(b"data")
    return made.getvalue()


def read_sealed(data, **secrets):
    """Read a file."""
    with files.open(io.BytesIO(data), **secrets) as file:
        file.read()


@cache
def rsa_private():
    """Give a private RSA key."""
    return GenerateKeyPair(KEY_PAIR_TYPE.RSA).export_private_key()


def closed():
    """Use an object after its end."""
    cell = SCellSeal(b"key")
    cell.close()
    cell.encrypt(b"message")


def overlapping():
    """Encrypt into a buffer that holds the message one byte too early."""
    buffer = bytearray(100)
    CELL.encrypt_into(buffer, memoryview(buffer)[43:53])


def damaged(data, at=-1):
    """Flip a bit."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def pair(**options):
    """Give both ends of an established session."""
    known = SimpleMemoryTransport({b"alice": PUBLIC, b"bob": OTHER.export_public_key()})
    alice = SSession(b"alice", PRIVATE, known, **options)
    bob = SSession(b"bob", OTHER.export_private_key(), known, **options)
    alice.unwrap(bob.unwrap(alice.unwrap(bob.unwrap(alice.connect_request()))))
    return alice, bob


def twice(**options):
    """Read a message twice."""
    alice, bob = pair(**options)
    message = alice.wrap(b"message")
    bob.unwrap(message)
    bob.unwrap(message)


def late():
    """Read a message after many newer ones."""
    alice, bob = pair()
    first = alice.wrap(b"message")
    for _ in range(20):
        bob.unwrap(alice.wrap(b"newer"))
    bob.unwrap(first)


def at_another_time():
    """Read a message that was written two days ago."""
    alice, bob = pair()
    message = alice.wrap(b"message")
    with pytest.MonkeyPatch.context() as patch:
        later = time.time() + 2 * 86400
        ours = [module for name, module in sys.modules.items() if name.startswith("pythemis.")]
        for module in ours:
            if getattr(module, "time", None) is time.time:
                patch.setattr(module, "time", lambda: later)
        bob.unwrap(message)


class Silent:
    """Knows peers and carries nothing."""

    def get_pub_key_by_id(self, _peer_id):
        """Give a key."""
        return PUBLIC


class Transport:
    """Knows what it is told to know, and does not get far."""

    def __init__(self, key=PUBLIC, received=b""):
        self.key, self.received = key, received

    def get_pub_key_by_id(self, _peer_id):
        """Give the key, or raise it."""
        if isinstance(self.key, Exception):
            raise self.key
        return self.key

    def send(self, _message):
        """Fail."""
        raise ConnectionError("gone")

    def receive(self, _max_length):
        """Give what was received, or raise it."""
        if isinstance(self.received, Exception):
            raise self.received
        return self.received


class Asynchronous(Transport):
    """Is written for asyncio."""

    async def send(self, _message):
        """Send when it is awaited."""


def left():
    """Negotiate with somebody who leaves."""
    session = server(received=EOFError("gone"))
    session.unwrap(request())
    session.receive()


def server(**options):
    """Make a session that waits for a client."""
    return SSession(b"bob", OTHER.export_private_key(), Transport(**options))


def request():
    """Write a connect request of alice."""
    return SSession(b"alice", PRIVATE, None).connect_request()


def answered_by_nonsense():
    """Take something for the server's answer."""
    session = SSession(b"alice", PRIVATE, Transport())
    session.connect_request()
    session.unwrap(b"something else")


def mixed_up():
    """Take the last negotiation message of another connection."""
    known = SimpleMemoryTransport({b"alice": PUBLIC, b"bob": OTHER.export_public_key()})
    last, clients = [], []
    for _ in range(2):
        clients.append(SSession(b"alice", PRIVATE, known))
        bob = SSession(b"bob", OTHER.export_private_key(), known)
        last.append(bob.unwrap(clients[-1].unwrap(bob.unwrap(clients[-1].connect_request()))))
    clients[0].unwrap(last[1])


def reconnect():
    """Negotiate a second time."""
    session = SSession(b"alice", PRIVATE, None)
    session.connect_request()
    session.connect_request()


def met_oneself():
    """Send a connect request back."""
    known = SimpleMemoryTransport({b"alice": PUBLIC})
    request = SSession(b"alice", PRIVATE, known).connect_request()
    SSession(b"alice", PRIVATE, known).unwrap(request)


def one_too_many_written():
    """Write after as many messages as a key may encrypt."""
    alice, _ = pair()
    set_counts(alice, 2**32, 0)
    alice.wrap(b"message")


def one_too_many_read():
    """Read after as many messages as can be told apart."""
    alice, bob = pair(reject_duplicates=True)
    bob.unwrap(alice.wrap(b"message"))
    set_counts(bob, 0, 2**31 - 1)
    bob.unwrap(alice.wrap(b"message"))


def own_message():
    """Hand a message back to its writer."""
    alice, _ = pair()
    alice.unwrap(alice.wrap(b"message"))


def to_another_session():
    """Hand over a message of another session."""
    pair()[1].unwrap(pair()[0].wrap(b"message"))


@contextlib.contextmanager
def transport_and_peer(**options):
    """Give a transport, and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    with SocketTransport(ours, {}, **options) as transport, theirs:
        yield transport, theirs


def said_by_a_stranger(said, *, leaving=False, **options):
    """Receive what comes from somebody."""
    with transport_and_peer(**options) as (transport, theirs):
        theirs.sendall(said)
        if leaving:
            theirs.close()
        transport.receive()


def too_much_for_a_peer_who_does_not_read(times):
    """Send more than the system keeps, and go on."""
    with transport_and_peer(timeout=0.01) as (transport, _):
        for _ in range(times - 1):
            with contextlib.suppress(TimeoutError):
                transport.send(bytes(10 << 20))
        transport.send(bytes(10 << 20))


def send(message, **options):
    """Send a message."""
    with transport_and_peer(**options) as (transport, _):
        transport.send(message)


def listening():
    """Give the socket of the server for that of a client."""
    with socket.create_server(("127.0.0.1", 0)) as server_socket:
        SocketTransport(server_socket, {})


def non_blocking():
    """Give a socket that does not wait, and no timeout."""
    one, other = socket.socketpair()
    one.setblocking(False)
    with one, other:
        SocketTransport(one, {})


async def write(message, max_size):
    """Write into a stream of an established session."""
    ours, theirs = socket.socketpair()
    with theirs:
        ends = await asyncio.open_connection(sock=ours)
        async with SessionStream(*ends, pair()[0], max_size=max_size) as stream:
            stream.write(message)


async def meet(leave, **options):
    """Open a session with somebody who says nothing."""
    kept = []  # or some Pythons close the connection

    async def accept(reader, writer):
        kept.append(writer)
        await reader.read(1)
        leave(writer)

    silent = await asyncio.start_server(accept, "127.0.0.1", 0)
    address = silent.sockets[0].getsockname()
    try:
        await open_session(*address, user_id=b"alice", sign_key=PRIVATE, keys={}, **options)
    finally:
        silent.close()
        for writer in kept:
            writer.close()


def begun():
    """Give a comparison that is under way."""
    comparison = SComparator(b"secret")
    comparison.begin_compare()
    return comparison


def compared():
    """Give a comparison that is over."""
    one, other = SComparator(b"secret"), SComparator(b"secret")
    message = one.begin_compare()
    while not one.is_compared():
        message = one.proceed_compare(other.proceed_compare(message))
    return one


def on_p384():
    """Give a public key on another curve."""
    return GenerateKeyPair(KEY_PAIR_TYPE.EC, curve="P-384").export_public_key()


def restricted():
    """Give a cell that asks for more work than its reader allows."""
    return SCellSeal(passphrase="passphrase", iterations=200_000, max_iterations=200_000)


def of_text():
    """Encrypt under a key that is text."""
    with pytest.warns(UserWarning, match="master key"):
        cell = SCellSeal("secret")
    cell.encrypt(b"message")


ED25519 = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""

# How each row comes about, in the order of the page.
PROVOKE = {
    "Everywhere": [
        lambda: CELL.encrypt("text"),
        lambda: CELL.decrypt("AAEBQAwAAAAQAAAABwAAAA=="),
        lambda: CELL.encrypt(7),
        lambda: CELL.encrypt(b""),
        closed,
        lambda: CELL.encrypt_into(bytes(51), b"message"),
        lambda: CELL.encrypt_into(bytearray(50), b"message"),
        overlapping,
    ],
    "Secure Cell": [
        lambda: CELL.decrypt(CELL.encrypt(b"message"), b"another context"),
        lambda: PASSPHRASE.decrypt(PASSPHRASE.encrypt(b"message"), b"another context"),
        lambda: TOKEN.decrypt(*TOKEN.encrypt(b"message"), b"another context"),
        lambda: CELL.decrypt(b"something else"),
        lambda: PASSPHRASE.decrypt(CELL.encrypt(b"message")),
        lambda: CELL.decrypt(CELL.encrypt(b"message")[:-1]),
        lambda: CELL.decrypt(CELL.encrypt(b"message") + b"\n"),
        lambda: TOKEN.decrypt(*reversed(TOKEN.encrypt(b"message"))),
        lambda: restricted().decrypt(PASSPHRASE.encrypt(b"message")),
        lambda: PASSPHRASE.decrypt(_known_answers.PASSPHRASE.encrypted),
        lambda: CELL.encrypt(b"message", "context"),
        of_text,
        lambda: SCellContextImprint(b"key").encrypt(b"message", b""),
        lambda: CELL.decrypt_many([CELL.encrypt(b"message"), damaged(CELL.encrypt(b"message"))]),
        lambda: SCellSeal(),
        lambda: SCellSeal(key=b"key", passphrase="passphrase"),
        lambda: SCellSeal(b"not stretched", encoding="utf-8"),
        lambda: SCellSeal(passphrase="passphrase", iterations=1000),
        lambda: SCellSeal(passphrase=b"passphrase", normalize="NFC"),
        lambda: SCellSeal(key=b""),
        lambda: SCellSeal(passphrase=""),
        lambda: SCellSeal(passphrase="grün", encoding="ascii"),
    ],
    "Keys": [
        lambda: key_kind(b"no key"),
        lambda: key_kind(PUBLIC[:-1]),
        lambda: key_kind(to_pem(PUBLIC)),
        lambda: public_from_private(b64encode(PRIVATE)),
        lambda: key_kind(b64encode(PRIVATE).decode()),
        lambda: public_from_private(ONE),
        lambda: key_kind(damaged(PUBLIC)),
        lambda: public_from_private(PUBLIC),
        lambda: public_from_private(container(PRIVATE[:4], bytes(len(PRIVATE) - 12))),
        lambda: from_pem("no key at all"),
        lambda: from_der(b"no key at all"),
        lambda: from_pem(to_pem(PRIVATE, "passphrase")),
        lambda: from_pem(to_pem(PRIVATE), "passphrase"),
        lambda: from_pem(to_pem(PRIVATE, "passphrase"), "another"),
        lambda: from_pem(ED25519),
        lambda: to_pem(PUBLIC, "passphrase"),
        lambda: GenerateKeyPair("DSA"),
    ],
    "Keyrings": [
        lambda: RING.decrypt(RING.encrypt(b"message"), b"another context"),
        lambda: RING.decrypt(b"TK1" + bytes.fromhex("0123456789") + CELL.encrypt(b"message")),
        lambda: RING.decrypt(CELL.encrypt(b"message")),
        lambda: LEGACY.decrypt(CELL.encrypt(b"message")),
        lambda: RING.decrypt(b"something else"),
        lambda: Keyring.new("shop").encrypt(b"message"),
        lambda: RING.retire("0123456789"),
        lambda: opened(name="invoices"),
        lambda: opened(min_version=3),
        lambda: opened(pin="0" * 32),
        lambda: opened(key=None),
        lambda: in_a_folder(lambda: RING.save("shop.ring", key=bytes(32))),
        lambda: in_a_folder(lambda: RING.add().save("shop.ring", passphrase="a passphrase")),
        lambda: in_a_folder(lambda: load("shop.key", "shop", key=bytes(32))),
    ],
    "Secret keys": [
        lambda: in_a_folder(lambda: SecretKey.from_file("shop.key")),
        lambda: in_a_folder(lambda: read_key("not base64")),
        lambda: in_a_folder(lambda: read_key("0f" * 32)),
        lambda: in_a_folder(lambda: read_key("AAAA\nAAAA\n")),
        lambda: SecretKey.from_env("SHOP_KEY"),
        lambda: SecretKey.from_file(b64encode(bytes(32)).decode()),
    ],
    "Sealed files": [
        lambda: read_sealed(sealed(), key=bytes(32), context=b"another"),
        lambda: read_sealed(sealed(), passphrase="a passphrase"),
        lambda: read_sealed(CELL.encrypt(b"text"), passphrase="a passphrase"),
        lambda: files.open("f", "wb", key=PUBLIC),
        lambda: read_sealed(b"something else", key=bytes(32)),
        lambda: read_sealed(sealed()[:-1], key=bytes(32)),
        lambda: read_sealed(sealed()),
        lambda: files.open("f", "w", key=bytes(32)),
        lambda: files.open("f", "wb", key=bytes(32), context=b"TK1 of mine"),
        lambda: files.open("f", "wb", key=b"short"),
    ],
    "Secure Message": [
        lambda: sverify(OTHER.export_public_key(), ssign(PRIVATE, b"message")),
        lambda: SMessage(PRIVATE, PUBLIC).unwrap(damaged(SMessage(PRIVATE, PUBLIC).wrap(b"text"))),
        lambda: sverify(PUBLIC, SMessage(PRIVATE, PUBLIC).wrap(b"message")),
        lambda: SMessage(PRIVATE, PUBLIC).unwrap(ssign(PRIVATE, b"message")),
        lambda: sverify(PUBLIC, b"something else"),
        lambda: SMessage(PRIVATE, public_from_private(rsa_private())),
        lambda: SMessage(PRIVATE, on_p384()),
        lambda: SMessage(PRIVATE, PRIVATE),
    ],
    "Secure Session": [
        lambda: server().wrap(b"message"),
        lambda: server(key=None).unwrap(request()),
        lambda: server(key=KeyError("alice")).unwrap(request()),
        lambda: server(key="text").unwrap(request()),
        lambda: server(key=b"no key").unwrap(request()),
        lambda: SSession(b"alice", PRIVATE, {b"bob": PUBLIC}),
        lambda: SSession(b"alice", PRIVATE, Silent()).connect(),
        lambda: server(key=OTHER.export_public_key()).unwrap(request()),
        lambda: server().unwrap(damaged(request())),
        lambda: server().unwrap(b"something else"),
        answered_by_nonsense,
        mixed_up,
        reconnect,
        met_oneself,
        own_message,
        to_another_session,
        lambda: pair()[1].unwrap(b"something else"),
        late,
        lambda: twice(reject_duplicates=True),
        at_another_time,
        one_too_many_written,
        one_too_many_read,
        lambda: server(received=ConnectionError("gone")).connect(),
        lambda: server(received=ConnectionError("gone")).receive(),
        left,
        lambda: SSession(b"bob", OTHER.export_private_key(), Asynchronous()).connect(),
        lambda: server().receive(),
        lambda: SSession(b"alice", rsa_private(), None),
        lambda: SSession(b"", PRIVATE, None),
        lambda: SimpleMemoryTransport({"alice": PUBLIC}),
    ],
    "Secure Comparator": [
        lambda: SComparator(b""),
        lambda: begun().begin_compare(),
        lambda: begun().proceed_compare(SComparator(b"secret").begin_compare()),
        lambda: compared().proceed_compare(bytes(256)),
        lambda: begun().proceed_compare(b"cut"),
        lambda: SComparator(b"secret").proceed_compare(b"\xff" * 192),
    ],
}

HOOKED = (one_too_many_written, one_too_many_read)

# Rows with a class: what the transports raise.
PROVOKE_CLASSES = {
    "Sockets and streams": [
        lambda: said_by_a_stranger(b"GET / HTTP/1.1\r\n\r\n"),
        lambda: said_by_a_stranger(b"", timeout=0.01),
        lambda: too_much_for_a_peer_who_does_not_read(times=1),
        lambda: too_much_for_a_peer_who_does_not_read(times=2),
        lambda: said_by_a_stranger(b"", leaving=True),
        lambda: said_by_a_stranger(b"\0\0", leaving=True),
        lambda: send(b"x" * 101, max_size=100),
        listening,
        non_blocking,
        lambda: asyncio.run(write(b"x" * 49, max_size=100)),
        lambda: asyncio.run(meet(lambda writer: writer.close())),
        lambda: asyncio.run(meet(lambda _: None, timeout=0.01)),
    ],
}


def cases(tables):
    """Give the rows of these tables with what provokes them."""
    return [
        pytest.param(
            *row[:2],
            provoke,
            id=f"{title}: {row[0][1:40]}",
            marks=[pytest.mark.hooks] if provoke in HOOKED else [],
        )
        for title, provocations in tables.items()
        for row, provoke in zip(rows(title), provocations, strict=True)
    ]


@pytest.mark.parametrize(("shown", "kind", "provoke"), cases(PROVOKE_CLASSES))
def test_an_error_of_the_page_comes_with_this_text_and_class(shown, kind, provoke):
    """What is done wrong with a connection gives the text in the row, and is of its class."""
    with pytest.raises((OSError, EOFError, ValueError)) as caught:
        provoke()
    assert (f"`{caught.value}`", f"`{type(caught.value).__name__}`") == (shown, kind)


@pytest.mark.parametrize(("shown", "code", "provoke"), cases(PROVOKE))
def test_an_error_of_the_page_comes_with_this_text_and_code(shown, code, provoke):
    """What is done wrong gives the text in the row, to the letter, and its code."""
    with pytest.raises(ThemisError) as caught:
        provoke()
    assert (str(caught.value), f"`{caught.value.error_code.name}`") == (shown.strip("` "), code)


def test_every_table_of_texts_is_provoked():
    """No heading of the page has a table of texts that is not tried."""
    titles = re.findall(r"^## (.*)$\n\n\| text ", PAGE, re.MULTILINE)
    assert titles == [*PROVOKE, *PROVOKE_CLASSES]


def test_the_page_has_every_code():
    """Each member of THEMIS_CODES is explained once with its number, or is said never to appear."""
    explained = [(row[0].strip("`"), int(row[1])) for row in rows("Codes")]
    members = {name: int(code) for name, code in THEMIS_CODES.__members__.items()}
    assert explained == [item for item in members.items() if item[0] not in NEVER]
    [sentence] = re.findall(r"^`SUCCESS`.*?never[^.]*\.", PAGE, re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == NEVER


def test_the_page_has_every_class():
    """Each exception of the documented modules is there, with what else it is."""
    found = {}
    for module in MODULES:
        for name in importlib.import_module(f"pythemis.{module}").__all__:
            thing = getattr(importlib.import_module(f"pythemis.{module}"), name)
            if isinstance(thing, type) and issubclass(thing, Exception):
                also = [kind for kind in (TypeError, ValueError) if issubclass(thing, kind)]
                found[name] = "".join(f"`{kind.__name__}`" for kind in also)
    shown = {row[0].strip("`"): "".join(row[2:]).strip("| ") for row in rows("Classes")}
    assert shown == found


# ---- The codes of 0.15 ----


RECORDED = {
    "`SCellSeal(key=...)`": (
        "cell_seal",
        lambda it: SCellSeal(it["key"]).decrypt(it["cell"], it.get("context")),
    ),
    "`SCellSeal(passphrase=...)`": (
        "cell_passphrase",
        lambda it: SCellSeal(passphrase=it["passphrase"], min_iterations=1).decrypt(
            it["cell"], it.get("context")
        ),
    ),
    "`SCellTokenProtect`": (
        "cell_token_protect",
        lambda it: SCellTokenProtect(it["key"]).decrypt(
            it["encrypted"], it["token"], it.get("context")
        ),
    ),
    "`sverify`": ("message_signed", lambda it: sverify(it["public_key"], it["signed"])),
    "`SMessage.unwrap`": (
        "message_encrypted",
        lambda it: SMessage(it["private_key"], it["public_key"]).unwrap(it["wrapped"]),
    ),
    "any": ("key_validity", lambda it: key_kind(it["key"])),
}


def told_of(call):
    """Give what the page says of a call: for each of our codes, those of 0.15."""
    page = (ROOT / "docs" / "coming-from-0.15.md").read_text("utf-8")
    row = rf"^\| {re.escape(call)} \| [^|]+ \| ([\d or]+) \| (\d+) `(\w+)` \|$"
    found = re.findall(row, page, re.MULTILINE)
    return {THEMIS_CODES[name]: set(map(int, old.split(" or "))) for old, _, name in found}, {
        int(number) == THEMIS_CODES[name] for _, number, name in found
    }


@pytest.mark.parametrize("call", RECORDED)
def test_the_codes_of_0_15_are_those_that_were_recorded(call):
    """The table for those who come from 0.15 is what its core returned, beside what we raise."""
    name, read = RECORDED[call]
    seen = {}
    for case in vectors(name):
        if case["status"] != 0:
            with pytest.raises(ThemisError) as caught:
                read(case)
            seen.setdefault(caught.value.error_code, set()).add(case["status"])
    assert told_of(call) == (seen, {True})
