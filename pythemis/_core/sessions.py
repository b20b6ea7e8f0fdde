# SPDX-License-Identifier: Apache-2.0
"""Secure Session."""

from __future__ import annotations

from threading import RLock
from time import time
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pythemis._themis import ffi, lib

from . import forks
from .arguments import MESSAGE, PRIVATE, PUBLIC, RECEIVED, USER_ID
from .buffers import (
    BYTES,
    IN_PLACE,
    SIZE,
    check_room,
    clash,
    foreign_output,
    foreign_result,
    new_output,
    output_of,
    refuse_clash,
    returns_output,
    seen,
    steady,
    view,
    writable_view,
)
from .errors import (
    DATA_CORRUPT,
    INVALID_PARAMETER,
    NOT_SUPPORTED,
    SUCCESS,
    Errors,
    failed,
    wrong_size,
    wrong_value,
)
from .keys import EC, RSA, guess, inspect, key_error, quick_to_read, view_of_key
from .late import recognised
from .owner import Owner, kept, opened, places, refuse_closed, replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from pythemis._hints import Buffer

    from .secret import Key

    BytesT = TypeVar("BytesT", bound=bytes)
    ResultT = TypeVar("ResultT")

OVERHEAD: int = lib.THEMIS_SESSION_OVERHEAD
PAYLOAD_OFFSET: int = lib.THEMIS_SESSION_PAYLOAD_OFFSET
MESSAGE_MAX: int = lib.THEMIS_SESSION_MESSAGE_MAX
IDLE: int = lib.THEMIS_SESSION_IDLE
WAITING_FOR_2: int = lib.THEMIS_SESSION_WAITING_FOR_2
WAITING_FOR_3: int = lib.THEMIS_SESSION_WAITING_FOR_3
WAITING_FOR_4: int = lib.THEMIS_SESSION_WAITING_FOR_4
ESTABLISHED: int = lib.THEMIS_SESSION_ESTABLISHED
FAILED: int = lib.THEMIS_SESSION_FAILED

_REJECT_DUPLICATES: int = lib.THEMIS_SESSION_REJECT_DUPLICATES
_ALLOW_OWN_IDENTITY: int = lib.THEMIS_SESSION_ALLOW_OWN_IDENTITY
_session = places("session")
_wrap = lib.short_session_wrap  # looked up once
_unwrap = lib.short_session_unwrap
_LIMIT: int = lib.SHORT_LIMIT if lib.short_calls_keep_gil() else -1
_NOT_DONE: int = lib.SHORT_NOT_DONE
_WRAP, _UNWRAP = lib.slow_session_wrap, lib.slow_session_unwrap
_INT = ffi.typeof("int *")
_TWO_SIZES = ffi.typeof("size_t[2]")
_NEGOTIATING = (IDLE, WAITING_FOR_2, WAITING_FOR_3, WAITING_FOR_4)
_SEND_OUTPUT_TO_PEER: int = lib.THEMIS_SEND_OUTPUT_TO_PEER
_NOT_FINISHED: int = lib.THEMIS_SSESSION_KA_NOT_FINISHED
_NO_PEER_KEY: int = lib.THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR

_CLAIM_REFUSALS = {
    INVALID_PARAMETER: "this is not a connect request, nor the answer to one",
    DATA_CORRUPT: "the connect request is corrupted: a checksum is wrong",
}


class Talk:
    """State of the callback-oriented API: the transport, and the locks of its users.

    Where two of the locks are held, they are taken in this order.
    """

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.receiving = RLock()
        self.sending = RLock()
        self.delivering: int | None = None  # the thread that is in the transport's send


class Parts:
    """A session of the C core and the lock in which it is called; and its transport.

    The lock is held for one call into C, never while anything else is called. It is taken again by
    a signal handler that interrupts its own thread between two such calls.

    A short call keeps the GIL and needs no lock, unless another call is in C. So the calls that
    release the GIL are counted before they do, where C sees it (build_support/short_calls.py). If
    the count stays too high, because something is raised at the wrong moment, the lock is taken
    from then on.
    """

    __slots__ = ("handle", "in_c", "lock", "talk")

    def __init__(self, handle: Any, lock: RLock, talk: Talk) -> None:
        self.handle = handle
        self.lock = lock
        self.in_c = ffi.new(_INT)
        self.talk = talk

    def alone(self, work: Callable[[Any], ResultT]) -> ResultT:
        """Return what some work on the handle gives, with no other call on it meanwhile."""
        with self.lock:
            self.in_c[0] += 1
            try:
                return work(self.handle)
            finally:
                self.in_c[0] -= 1


class Session(Owner):
    """Owner of a session of the C core, which only one thread may use at a time."""

    def _after_fork(self) -> None:
        held = self._held
        if held is not None:
            handle, lock = forks.renewed(held.handle, held.lock)
            parts = Parts(handle, lock, Talk(held.talk.transport))
            replace(self, None if handle is None else parts)


def new(
    errors: Errors,
    user_id: Buffer,
    key: Key,
    transport: Any,
    *,
    reject_duplicates: bool,
    allow_own_identity: bool,
) -> Parts:
    """Prepare an identity for one session."""
    options = _REJECT_DUPLICATES if reject_duplicates else 0
    options |= _ALLOW_OWN_IDENTITY if allow_own_identity else 0
    id_view = key_view = None
    try:
        id_view = view(errors, user_id, USER_ID)
        key_view = view_of_key(errors, key, PRIVATE)
        if len(id_view) == 0:
            wrong_value(errors, "the user id is empty")
        made = _session()
        status = lib.themis_session_new(
            id_view, len(id_view), key_view, len(key_view), options, made
        )
        if status in (INVALID_PARAMETER, DATA_CORRUPT):
            raise key_error(errors, status, PRIVATE, key_view, is_private=True)
    finally:
        del id_view, key_view
    if status == NOT_SUPPORTED:
        raise _rsa_key(errors, PRIVATE)
    if status != SUCCESS:
        failed(errors, status)
    return Parts(kept(made), RLock(), Talk(transport))


def _rsa_key(errors: Errors, what: str) -> Exception:
    text = f"a Secure Session takes EC keys only, and {what} is an RSA key"
    hint = "skeygen.GenerateKeyPair(KEY_PAIR_TYPE.EC) makes a good pair"
    return errors.wrong_value(NOT_SUPPORTED, f"{text}; {hint}")


def check_peers(errors: Errors, peers: dict[Any, Any]) -> None:
    """Refuse an id that is impossible, and a key that is no public EC key; None is allowed."""
    algorithm, is_private, bits = (ffi.new(_INT) for _ in range(3))
    for peer_id, key in peers.items():
        # Quickly: a server may look through all its peers for each connection.
        if type(peer_id) is bytes and peer_id and type(key) is bytes:
            status = lib.short_key_inspect(key, len(key), algorithm, is_private, bits)
            if status == SUCCESS and algorithm[0] == EC and not is_private[0]:
                continue
        _check_peer(_about(errors, peer_id), peer_id, key)


def _about(errors: Errors, peer_id: object) -> Errors:
    """Return errors that name the peer they are about."""

    def named(make: Callable[[int, str], Exception]) -> Callable[[int, str], Exception]:
        return lambda status, text: make(status, f"the peer {peer_id!r}: {text}")

    return Errors(named(errors.failed), named(errors.wrong_type), named(errors.wrong_value))


def _check_peer(errors: Errors, peer_id: Any, key: Any) -> None:
    key_view = None
    try:
        if len(view(errors, peer_id, USER_ID)) == 0:
            wrong_value(errors, "the user id is empty")
        if key is None:
            return
        key_view = view_of_key(errors, key, PUBLIC)
        _, kind = inspect(key_view)
        if kind is None or kind.is_private:
            raise key_error(errors, INVALID_PARAMETER, PUBLIC, key_view, is_private=False)
        if kind.algorithm == RSA:
            raise _rsa_key(errors, PUBLIC)
    finally:
        del key_view


def claimed_peer(errors: Errors, message: Any) -> bytes:
    """Return the id that the sender of a first or second negotiation message claims."""
    try:
        message = view(errors, message, RECEIVED)
        where = ffi.new(_TWO_SIZES)
        status = lib.themis_session_claimed_peer(message, len(message), where + 0, where + 1)
        if status != SUCCESS:
            failed(errors, status, _CLAIM_REFUSALS)
        offset, size = where
        claimed: bytes = ffi.buffer(message)[offset : offset + size]
        return claimed
    finally:
        del message


def _refused(session: Session, status: int, peer_key: bytes = b"", known: str = "") -> NoReturn:
    words = ffi.string(lib.themis_session_refusal()).decode() + known  # of this thread
    if status == _NO_PEER_KEY and peer_key:
        words += _what_else(ffi.from_buffer(BYTES, peer_key))
    raise session._errors.failed(status, words)


def _known(status: int, message: Any) -> str:
    """Describe a message that is none of a session; empty if it is not recognised."""
    if status != INVALID_PARAMETER:
        return ""
    return recognised(lambda it: it.why_not(seen(message), it.Kind.NEGOTIATION))


def _what_else(key_view: Any) -> str:
    """Describe what is not the public EC key of a peer; empty if it is not recognised."""
    _, kind = inspect(key_view)
    if kind is None:
        return guess(key_view, "PRIVATE_KEY", "PUBLIC_KEY")
    if kind.is_private:
        return "; it is a private key"
    return "; it is an RSA key" if kind.algorithm == RSA else "; it is corrupted"


def _with_lock(
    session: Session,
    held: Parts,
    status: int,
    work: Callable[..., int],
    arguments: tuple[Any, ...],
    *,
    may_negotiate: bool = False,
) -> bool:
    """Do with the lock what a short call did not do, and raise the error of either.

    Return false if the session still negotiates. The arguments are the time, the message and so on.
    """
    try:
        if status == _NOT_DONE:
            with held.lock:
                status = work(held.in_c, held.handle, *arguments)
        if status == _NOT_FINISHED and may_negotiate:
            return False
        if status != SUCCESS:
            _refused(session, status, known=_known(status, arguments[1]) if work is _UNWRAP else "")
        return True
    finally:
        del arguments


def state(session: Session) -> int | None:
    """Return the state; None if the session is closed."""
    held = session._held
    if held is None:
        return None
    with held.lock:
        state: int = lib.short_session_state(held.handle)
    return state


def remote_id(session: Session) -> bytes | None:
    """Return the peer's id; None unless the session is established."""
    held = session._held
    if held is None:
        return None
    size = ffi.new(SIZE)

    def work(handle: Any) -> bytes | None:
        found = lib.themis_session_remote_id(handle, size)
        return ffi.buffer(found, size[0])[:] if found else None

    found: bytes | None = held.alone(work)
    return found


def connect_request(session: Session) -> bytes:
    """Write the first negotiation message."""

    def work(handle: Any) -> bytes:
        size = ffi.new(SIZE, lib.themis_session_negotiation_size(handle))
        output = ffi.new(BYTES, size[0])
        status = lib.themis_session_connect_request(handle, output, size)
        if status != SUCCESS:
            _refused(session, status)
        made: bytes = ffi.buffer(output, size[0])[:]
        return made

    request: bytes = opened(session).alone(work)
    return request


def negotiate(session: Session, message: Any, peer_key: bytes) -> bytes:
    """Process a negotiation message; return the reply, empty if there is nothing to send."""
    found: Any = None
    peer_key = quick_to_read(peer_key)

    def work(handle: Any) -> bytes:
        size = ffi.new(SIZE, lib.themis_session_negotiation_size(handle))
        output = ffi.new(BYTES, size[0])
        status = lib.themis_session_negotiate(
            handle, found, len(found), peer_key, len(peer_key), output, size
        )
        if status not in (SUCCESS, _SEND_OUTPUT_TO_PEER):
            _refused(session, status, peer_key, _known(status, found))
        made: bytes = ffi.buffer(output, size[0])[:]
        return made

    try:
        found = view(session._errors, message, RECEIVED)
        reply: bytes = opened(session).alone(work)
        return reply
    finally:
        found = None


@returns_output
def wrap(session: Session, message: Any) -> bytes:
    """Encrypt a message of an established session."""
    try:
        if type(message) is not bytes:
            message = view(session._errors, message, MESSAGE)
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            wrong_size(session._errors, MESSAGE, size, MESSAGE_MAX)
        room = size + OVERHEAD
        output = new_output(room)
        now = time()
        held = session._held or refuse_closed(session)
        status = _NOT_DONE
        if size <= _LIMIT:
            status = _wrap(held.in_c, held.handle, now, message, size, output, room)
        if status != SUCCESS:
            _with_lock(session, held, status, _WRAP, (now, message, size, output, room))
        return output
    finally:
        del message


def wrap_into(session: Session, buffer: Any, message: Any) -> int:
    """Encrypt a message of an established session into a buffer; the length."""
    try:
        errors = session._errors
        buffer = writable_view(errors, buffer, "the buffer")
        if type(message) is not bytes:
            message = view(errors, message, MESSAGE)
        size = len(message)
        if not 0 < size <= MESSAGE_MAX:
            wrong_size(errors, MESSAGE, size, MESSAGE_MAX)
        room = size + OVERHEAD
        check_room(errors, len(buffer), room)
        if clash(buffer, room, message, (PAYLOAD_OFFSET, 0)):
            refuse_clash(errors)
        now = time()
        held = session._held or refuse_closed(session)
        status = _NOT_DONE
        if size <= _LIMIT:
            status = _wrap(held.in_c, held.handle, now, message, size, buffer, room)
        if status != SUCCESS:
            _with_lock(session, held, status, _WRAP, (now, message, size, buffer, room))
        return room
    finally:
        del buffer, message


def unwrap_into(session: Session, buffer: Any, message: Any) -> int:
    """Decrypt a message of an established session into a buffer; the length."""
    try:
        errors = session._errors
        buffer = writable_view(errors, buffer, "the buffer")
        if type(message) is not bytes:
            message = view(errors, message, RECEIVED)
        size = len(message)
        room = size - OVERHEAD if size > OVERHEAD else 0  # C refuses short ones
        check_room(errors, len(buffer), room)
        message = steady(errors, buffer, room, message, (0, PAYLOAD_OFFSET))
        now = time()
        held = session._held or refuse_closed(session)
        status = _NOT_DONE
        if size <= _LIMIT:
            status = _unwrap(held.in_c, held.handle, now, message, size, buffer, room)
        if status != SUCCESS:
            _with_lock(session, held, status, _UNWRAP, (now, message, size, buffer, room))
        return room
    finally:
        del buffer, message


def unwrap(session: Session, message: Any, kind: type[BytesT]) -> BytesT | None:
    """Decrypt a message into an object of this kind; None if the session still negotiates."""
    try:
        if type(message) is not bytes:
            message = view(session._errors, message, RECEIVED)
            if state(session) in _NEGOTIATING:
                return None  # before it is copied, for it will be again
        size = len(message)
        room = size - OVERHEAD if size > OVERHEAD else 0  # C refuses short ones
        # Made before the copy, for making one of a subclass of `bytes` may take memory for two.
        output: Any = output_of(kind, room) if IN_PLACE else foreign_output(room)
        if type(message) is not bytes:
            message = ffi.buffer(message)[:]  # see buffers.copied
        now = time()
        held = session._held or refuse_closed(session)
        status = _NOT_DONE
        if size <= _LIMIT:
            status = _unwrap(held.in_c, held.handle, now, message, size, output, room)
        if status != SUCCESS:
            arguments = now, message, size, output, room
            if not _with_lock(session, held, status, _UNWRAP, arguments, may_negotiate=True):
                return None
        return output if IN_PLACE else kind(foreign_result(output))
    finally:
        del message
