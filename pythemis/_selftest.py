# SPDX-License-Identifier: Apache-2.0
"""Every cryptosystem once, for ``python -m pythemis``: is this installation right?

It reads what real Themis wrote, writes and reads its own, and sees what is wrong refused. It finds
a library that is broken or does not fit; it is no proof of anything else, which the tests are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _known_answers
from ._core import start
from .exception import ThemisError
from .scell import SCellContextImprint, SCellSeal, SCellTokenProtect
from .scomparator import SComparator
from .skeygen import (
    KEY_PAIR_TYPE,
    GenerateKeyPair,
    GenerateSymmetricKey,
    from_pem,
    public_from_private,
    to_pem,
)
from .smessage import SMessage, ssign, sverify
from .ssession import SimpleMemoryTransport, SSession

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CHECKS", "CheckFailedError"]

MESSAGE = b"the key is under the mat"


class CheckFailedError(Exception):
    """Something that must hold does not."""


def expect(holds: bool, what: str) -> None:
    """Fail unless something holds; unlike ``assert``, also under ``python -O``."""
    if not holds:
        raise CheckFailedError(what)


def refused(call: Callable[..., object], *args: bytes) -> bool:
    """Return whether a call refuses its arguments."""
    try:
        call(*args)
    except ThemisError:
        return True
    return False


def damaged(data: bytes) -> bytes:
    """Change the last bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


def check_seal() -> None:
    """Secure Cell in Seal mode, with a key."""
    known = _known_answers.SEAL
    cell = SCellSeal(key=known.key)
    read = cell.decrypt(known.encrypted, known.context)
    expect(read == known.message, "a cell of real Themis reads as something else")
    expect(refused(cell.decrypt, damaged(known.encrypted), known.context), "a damaged cell is read")
    cell = SCellSeal(key=GenerateSymmetricKey())
    sealed = cell.encrypt(MESSAGE, b"a context")
    expect(cell.decrypt(sealed, b"a context") == MESSAGE, "what was encrypted does not come back")
    expect(refused(cell.decrypt, sealed, b"another"), "a cell is read in another context")


def check_passphrase() -> None:
    """Secure Cell in Seal mode, with a passphrase."""
    known = _known_answers.PASSPHRASE
    cell = SCellSeal(passphrase=known.key, min_iterations=1)
    read = cell.decrypt(known.encrypted, known.context)
    expect(read == known.message, "a cell of real Themis reads as something else")
    expect(cell.decrypt(cell.encrypt(MESSAGE)) == MESSAGE, "what was encrypted does not come back")
    other = SCellSeal(passphrase="another", min_iterations=1)
    expect(refused(other.decrypt, known.encrypted, known.context), "any passphrase opens a cell")


def check_token_protect() -> None:
    """Secure Cell in Token Protect mode."""
    known = _known_answers.TOKEN_PROTECT
    cell = SCellTokenProtect(key=known.key)
    read = cell.decrypt(known.encrypted, known.token, known.context)
    expect(read == known.message, "a cell of real Themis reads as something else")
    wrong = damaged(known.token)
    expect(refused(cell.decrypt, known.encrypted, wrong, known.context), "a wrong token will do")
    encrypted, token = cell.encrypt(MESSAGE)
    expect(cell.decrypt(encrypted, token) == MESSAGE, "what was encrypted does not come back")


def check_context_imprint() -> None:
    """Secure Cell in Context Imprint mode, which gives the same each time."""
    known = _known_answers.CONTEXT_IMPRINT
    cell = SCellContextImprint(key=known.key)
    written = cell.encrypt(known.message, known.context)
    expect(written == known.encrypted, "real Themis writes something else")
    read = cell.decrypt(known.encrypted, known.context)
    expect(read == known.message, "a cell of real Themis reads as something else")


def check_keys() -> None:
    """Keys, made and in other forms."""
    for known in (_known_answers.EC, _known_answers.RSA):
        public_key = public_from_private(known.private_key)
        expect(public_key == known.public_key, "a private key has another public key")
        pem = to_pem(known.private_key)
        expect(from_pem(pem) == known.private_key, "PEM gives another key back")
    keys = {GenerateSymmetricKey() for _ in range(8)}
    expect(len(keys) == 8, "random keys come twice")


def check_message_ec() -> None:
    """Secure Message with EC keys."""
    check_message(_known_answers.EC)
    alice, bob = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
    wrapped = SMessage(alice.export_private_key(), bob.export_public_key()).wrap(MESSAGE)
    reader = SMessage(bob.export_private_key(), alice.export_public_key())
    expect(reader.unwrap(wrapped) == MESSAGE, "what was encrypted does not come back")


def check_message_rsa() -> None:
    """Secure Message with RSA keys."""
    check_message(_known_answers.RSA)


def check_message(known: _known_answers.Keys) -> None:
    """Read what a peer signed and encrypted with real Themis, and do the same."""
    read = sverify(known.peer_public_key, known.signed_by_peer)
    expect(read == known.signed_message, "what real Themis signed reads as something else")
    message = SMessage(known.private_key, known.peer_public_key)
    read = message.unwrap(known.encrypted_by_peer)
    expect(read == known.encrypted_message, "what real Themis encrypted reads as something else")
    expect(refused(message.unwrap, damaged(known.encrypted_by_peer)), "a damaged message is read")

    signed = ssign(known.private_key, MESSAGE)
    expect(sverify(known.public_key, signed) == MESSAGE, "what was signed is not verified")
    expect(refused(sverify, known.public_key, damaged(signed)), "a damaged signature will do")
    expect(
        refused(sverify, known.peer_public_key, signed), "a signature of another key is accepted"
    )
    own = SMessage(known.private_key, known.public_key)
    expect(own.unwrap(own.wrap(MESSAGE)) == MESSAGE, "what was encrypted does not come back")


def check_session() -> None:
    """Secure Session: a negotiation, and messages both ways."""
    alice, bob = (GenerateKeyPair(KEY_PAIR_TYPE.EC) for _ in range(2))
    peers = SimpleMemoryTransport(
        {b"alice": alice.export_public_key(), b"bob": bob.export_public_key()}
    )
    client = SSession(b"alice", alice.export_private_key(), peers)
    server = SSession(b"bob", bob.export_private_key(), peers)
    reply = client.unwrap(server.unwrap(client.connect_request()))
    last = client.unwrap(server.unwrap(reply))
    expect(not last and client.is_established() and server.is_established(), "no negotiation ends")
    expect((client.remote_id, server.remote_id) == (b"bob", b"alice"), "the peer is another one")
    for writer, reader in ((client, server), (server, client)):
        wrapped = writer.wrap(MESSAGE)
        expect(refused(reader.unwrap, damaged(wrapped)), "a damaged message is read")
        expect(reader.unwrap(wrapped) == MESSAGE, "what was wrapped does not come back")


def check_comparator() -> None:
    """Secure Comparator: equal secrets match, others do not."""
    if start.fips_provider():
        expect(refused(SComparator, b"a secret"), "what is no FIPS module is used")
        return
    expect(compared(b"a secret", b"a secret") == (True, True), "equal secrets do not match")
    expect(compared(b"a secret", b"another") == (False, False), "different secrets match")


def compared(one: bytes, other: bytes) -> tuple[bool, bool]:
    """Compare two secrets; give what each side found out."""
    alice, bob = SComparator(one), SComparator(other)
    message = alice.begin_compare()
    reader = bob
    while message:
        message = reader.proceed_compare(message)
        reader = alice if reader is bob else bob
    expect(alice.is_compared() and bob.is_compared(), "no comparison ends")
    return alice.is_equal(), bob.is_equal()


CHECKS: dict[str, Callable[[], None]] = {
    "Secure Cell, Seal": check_seal,
    "Secure Cell, Seal with a passphrase": check_passphrase,
    "Secure Cell, Token Protect": check_token_protect,
    "Secure Cell, Context Imprint": check_context_imprint,
    "Keys": check_keys,
    "Secure Message, EC keys": check_message_ec,
    "Secure Message, RSA keys": check_message_rsa,
    "Secure Session": check_session,
    "Secure Comparator": check_comparator,
}
