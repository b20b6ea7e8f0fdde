# SPDX-License-Identifier: Apache-2.0
"""Secure Session: messages between two parties who know each other's public keys.

The keys of a session live as long as the session (specification, section 5). There are two ways
to use one object: the buffer-aware API hands you what to send and takes what you received
(`SSession.connect_request`, `SSession.unwrap`, `SSession.wrap`); the callback-oriented API does
the sending and receiving through a transport of yours (`SSession.connect`, `SSession.send`,
`SSession.receive`). The module `pythemis.stransport` has such a transport for sockets,
`pythemis.asession` has sessions over asyncio streams.

Threads may share a session. Everything that fails raises `SecureSessionError`; a message that was
refused leaves the session as it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Coroutine, Iterable, Mapping
from contextlib import suppress
from enum import IntEnum
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from . import _compat
from ._core import arguments, buffers, errors, forks, owner, sessions
from ._peers import WHY_LEFT, look_up_failed, shown, shown_id
from ._typing import Buffer
from .exception import THEMIS_CODES as THEMIS_CODES
from .exception import ThemisError

__all__ = [
    "MemoryTransport",
    "SSession",
    "SString",
    "SecureSessionError",
    "SecureSessionTypeError",
    "SecureSessionValueError",
    "SessionState",
    "SimpleMemoryTransport",
    "Transport",
    "peer_id_of",
]

DEFAULT_MAX_LENGTH = 1 << 20
NEGOTIATION_LENGTH = 2048  # what a transport is asked for at least: ids may be long
_BEGUN = (sessions.WAITING_FOR_2, sessions.WAITING_FOR_3, sessions.WAITING_FOR_4)


class SecureSessionError(ThemisError):
    """A Secure Session refused its arguments or a message, or a callback of it failed."""


class SecureSessionTypeError(SecureSessionError, TypeError):
    """An argument has the wrong type."""


class SecureSessionValueError(SecureSessionError, ValueError):
    """An argument has the right type and an impossible value."""


class _NoClaimError(SecureSessionError):
    """A message that claims no peer."""


_UNKNOWN = THEMIS_CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
_ERRORS = errors.Errors(SecureSessionError, SecureSessionTypeError, SecureSessionValueError)
_NO_CLAIM = _ERRORS._replace(failed=_NoClaimError)


class SessionState(IntEnum):
    """How far a session has come.

    A client goes from IDLE by `SSession.connect_request` to WAITING_FOR_2 and WAITING_FOR_4, a
    server from IDLE by the client's request to WAITING_FOR_3; then both are ESTABLISHED. The
    numbers are those of the negotiation messages.
    """

    IDLE = sessions.IDLE
    WAITING_FOR_2 = sessions.WAITING_FOR_2
    WAITING_FOR_3 = sessions.WAITING_FOR_3
    WAITING_FOR_4 = sessions.WAITING_FOR_4
    ESTABLISHED = sessions.ESTABLISHED
    FAILED = sessions.FAILED  # the cryptographic library failed; the keys are wiped
    CLOSED = -1  # by `close`


class _Flag(int):
    """A truth value that old programs may also call."""

    __slots__ = ()

    def __call__(self) -> bool:
        return bool(self)

    def __repr__(self) -> str:
        return repr(bool(self))


class SString(bytes):
    """What `SSession.unwrap` returns: bytes that know what they are.

    Attributes:
        is_control: true for a negotiation message that is to be sent to the peer, false for a
            message from the peer. May also be called, as in ``text.is_control()``.
    """

    is_control = _Flag(False)

    def set_control(self) -> None:
        """Mark it as a negotiation message."""
        self.is_control = _Flag(True)

    def unset_control(self) -> None:
        """Mark it as a message from the peer."""
        self.is_control = _Flag(False)


class _ControlString(SString):
    is_control = _Flag(True)


class Transport(Protocol):
    """What a session asks its application: an object of any class that has this method.

    It is all that the buffer-aware API needs. For the callback-oriented API there are two more:
    ``send(message)`` takes bytes to the peer, ``receive(max_length)`` waits for one whole message
    and returns it. Each raises an exception if that fails. None of them is a coroutine function:
    for asyncio there is `pythemis.asession`.
    """

    def get_pub_key_by_id(self, user_id: bytes, /) -> Buffer | None:
        """Find the public key of a peer; see `MemoryTransport.get_pub_key_by_id`."""


class MemoryTransport(ABC):
    """A base class for transports, with a queue in memory; `Transport` says what is needed.

    A session that sends through it appends to the queue, and one that receives takes from it.
    Two sessions in one process can share it, or your program moves the messages itself. A
    transport over a network overrides `send` and `receive`.
    """

    @property
    def message_list(self) -> list[bytes]:
        """The messages that were sent and not received yet, the oldest first."""
        # Made when it is used, also for a subclass that calls no __init__ of ours.
        queue: list[bytes] = self.__dict__.setdefault("message_list", [])
        return queue

    @message_list.setter
    def message_list(self, queue: list[bytes]) -> None:
        self.__dict__["message_list"] = queue

    def send(self, message: bytes) -> int | None:
        """Append a message to `message_list`.

        Returns:
            Its length in bytes; a session does not look at it.
        """
        message = buffers.copied(_ERRORS, message, arguments.MESSAGE)
        self.message_list.append(message)
        return len(message)

    def receive(self, max_length: int) -> bytes:  # noqa: ARG002  (a message is taken whole)
        """Take the oldest message from `message_list`, whatever ``max_length`` is.

        Returns:
            The message; ``b''`` if there is none.
        """
        try:
            return self.message_list.pop(0)
        except IndexError:
            return b""

    @abstractmethod
    def get_pub_key_by_id(self, user_id: bytes) -> bytes | None:
        """Find the public key of a peer in a place that you trust.

        Args:
            user_id: the id that the peer claims, 1 byte or more.

        Returns:
            Its public EC key; ``b''`` or None if there is none, then the peer is refused.
        """


class SimpleMemoryTransport(MemoryTransport):
    """Knows its peers from the start.

    Args:
        peers: a mapping from ids to public keys, or an iterable of such pairs; or one peer's id.
            It is copied: what is added to the mapping later is not seen.
        public_key: that one peer's public key.

    Raises:
        SecureSessionError: an id that is not bytes, or empty; a key that is not a public EC key.
            (None may stand for a key that is not known yet.)
    """

    def __init__(
        self,
        peers: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]] | bytes,
        public_key: bytes | None = None,
    ) -> None:
        if "_keys" in vars(self):
            owner.refuse_again(_ERRORS, self)
        if public_key is not None:
            peers = [(peers, public_key)]  # type: ignore[list-item]
        try:
            self._keys: dict[bytes, bytes] = dict(peers)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            errors.wrong_type(_ERRORS, "give ids and public keys: SimpleMemoryTransport({id: key})")
        sessions.check_peers(_ERRORS, self._keys)

    def get_pub_key_by_id(self, user_id: bytes) -> bytes | None:
        """Find the public key of a peer; None if it is not known."""
        return self._keys.get(user_id)


def peer_id_of(message: Buffer) -> bytes:
    """Tell which id a connect request, or the answer to one, claims to come from.

    A server can choose by it, before there is a session, which key to use or whether to answer at
    all. Nothing proves the claim yet: whoever sends the message writes what he likes.

    Args:
        message: a first or second negotiation message.

    Returns:
        The id, 1 byte or more.

    Raises:
        SecureSessionError: this is no such message (INVALID_PARAMETER), or it is damaged
            (DATA_CORRUPT).
    """
    return sessions.claimed_peer(_ERRORS, message)


class SSession(sessions.Session):
    """One end of a session.

    Threads may share it: each call into the core has it alone. `send` and `receive` keep the
    messages in order, each under a lock of its own, so a blocked `receive` holds up nobody who
    sends. Callbacks run with none of the core's locks held and may use the session themselves.

    After a fork one process alone goes on with a session: both would write the same numbers.

    Args:
        user_id: the id that the peer knows us by, 1 byte or more.
        sign_key: our private EC key, on any of the three curves.
        transport: answers ``get_pub_key_by_id``; for `connect`, `send` and `receive` it also has
            ``send`` and ``receive``. See `Transport`. None for a session that makes connect
            requests and asks for nothing.
        reject_duplicates: read every message once, however often it arrives, and those that come
            late up to 1024 behind the newest. Without it a message is read again if it arrives
            again within 8 behind the newest. Set it if acting twice on a message does harm.
        allow_own_identity: accept a peer that has our own id and our own key. Without it such a
            peer is refused, because anyone can send our own messages back to us. Set it only
            where two parties share one identity, and let messages say which of them wrote them.

    Raises:
        SecureSessionError: an empty id, or a key that is not a private EC key.
    """

    _errors = _ERRORS

    def __init__(
        self,
        user_id: Buffer,
        sign_key: Buffer,
        transport: Transport | None,
        *,
        reject_duplicates: bool = False,
        allow_own_identity: bool = False,
    ) -> None:
        if transport is not None and not hasattr(transport, "get_pub_key_by_id"):
            errors.wrong_type(
                _ERRORS,
                "the transport must have the method get_pub_key_by_id, as "
                f"SimpleMemoryTransport({{id: key}}) has; {type(transport).__name__} has not",
            )
        forks.watch(self)
        owner.own(
            self,
            sessions.new,
            user_id,
            sign_key,
            transport,
            reject_duplicates=bool(reject_duplicates),
            allow_own_identity=bool(allow_own_identity),
        )

    # ---- What it is ----

    @property
    def state(self) -> SessionState:
        """How far the session has come."""
        state = sessions.state(self)
        return SessionState.CLOSED if state is None else SessionState(state)

    @property
    def remote_id(self) -> bytes | None:
        """The id of the peer; None until the session is established.

        The peer has proved that it has the private key to the public key that
        ``get_pub_key_by_id`` gave for this id. Where that knows more than one peer, check here
        that it is the one you meant.
        """
        return sessions.remote_id(self)

    def is_established(self) -> bool:
        """Tell whether negotiation is over, and messages can be sent and received."""
        return sessions.state(self) == sessions.ESTABLISHED

    # ---- The buffer-aware API ----

    def connect_request(self) -> bytes:
        """Begin as a client.

        Returns:
            The first negotiation message, to be sent to the server.

        Raises:
            SecureSessionError: this session is under way or established already.
        """
        return sessions.connect_request(self)

    def unwrap(self, message: Buffer) -> SString:
        """Take a message from the peer.

        Args:
            message: what the peer's `connect_request`, `unwrap` or `wrap` gave.

        Returns:
            During negotiation the reply that is to be sent (empty if there is none), afterwards
            the peer's message, 52 bytes shorter. ``is_control`` tells the two apart.

        Raises:
            SecureSessionError: the message is refused, and the session is as it was. Among others
                SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR: the peer is not known,
                INVALID_SIGNATURE: the peer has another key, FAIL: the message is forged, late, or
                its time is more than a day off, or the peer is ourselves. NOT_SUPPORTED: with
                ``reject_duplicates``, the session has read as many messages as it can tell
                apart, 2^31. It reads no newer ones; make a new session.
        """
        text = sessions.unwrap(self, message, SString)
        if text is not None:
            return text
        reply = self._negotiate(message)
        return _ControlString(reply) if reply else SString()

    def wrap(self, message: Buffer) -> bytes:
        """Encrypt a message for the peer.

        Args:
            message: 1 to 2^32-13 bytes.

        Returns:
            ``len(message) + 52`` bytes, to be sent. Messages are independent of one another; many
            may be wrapped before they are sent.

        Raises:
            SecureSessionError: the session is not established (SSESSION_KA_NOT_FINISHED), an
                empty or too long message, a wrong type. NOT_SUPPORTED: the session has written
                2^32 messages, the most that its key may encrypt. It writes no more; make a new
                session.
        """
        return sessions.wrap(self, message)

    def wrap_into(self, buffer: Buffer, message: Buffer) -> int:
        """Encrypt as `wrap` does, into the first bytes of a buffer.

        Args:
            buffer: writable; the message may lie in it exactly where its ciphertext comes, behind
                36 bytes: ``wrap_into(buffer, memoryview(buffer)[36:-16])``.
            message: as for `wrap`.

        Returns:
            How many bytes were written, ``len(message) + 52``.

        Raises:
            SecureSessionError: as `wrap`; a buffer that is too small, read-only or in the way.
        """
        return sessions.wrap_into(self, buffer, message)

    def unwrap_into(self, buffer: Buffer, message: Buffer) -> int:
        """Decrypt a message of an established session into the first bytes of a buffer.

        Args:
            buffer: writable; it may begin exactly where in the message the ciphertext begins:
                ``unwrap_into(memoryview(data)[36:], data)``.
            message: what the peer's `wrap` returned.

        Returns:
            How many bytes were written, ``len(message) - 52``.

        Raises:
            SecureSessionError: as `unwrap`, and the buffer then holds zeros or what it held
                before; a session that still negotiates; a buffer that is too small, read-only or
                in the way.
        """
        return sessions.unwrap_into(self, buffer, message)

    # ---- The callback-oriented API ----

    def connect(self) -> None:
        """Begin as a client: send the first negotiation message.

        Raises:
            SecureSessionError: this session is under way or established already, or the
                transport failed (NETWORK_ERROR).
        """
        talk = owner.opened(self).talk
        _method(talk, "send")  # without it the session stays as it is
        with talk.sending:
            _deliver(talk, sessions.connect_request(self))

    def send(self, message: Buffer) -> int:
        """Encrypt a message and send it.

        Args:
            message: 1 to 2^32-13 bytes.

        Returns:
            The length of the message in bytes.

        Raises:
            SecureSessionError: as `wrap`; or the transport failed (NETWORK_ERROR), with what it
                raised as the ``__cause__``.
        """
        talk = owner.opened(self).talk
        with talk.sending:  # across both, so that messages leave in the order of their numbers
            wrapped = sessions.wrap(self, message)
            _deliver(talk, wrapped)
        return len(wrapped) - sessions.OVERHEAD

    def receive(self, max_length: int = DEFAULT_MAX_LENGTH) -> bytes:
        """Wait for a message from the peer; during negotiation, send the reply.

        Args:
            max_length: the longest message that is expected. The transport is asked for 52 bytes
                more (for 2100 at least). It may well return more: messages of any size are read.

        Returns:
            The peer's message; ``b''`` while negotiating.

        Raises:
            SecureSessionError: as `unwrap`; or the transport failed (NETWORK_ERROR), with what it
                raised as the ``__cause__``, or gave nothing (SSESSION_TRANSPORT_ERROR). After
                these two nothing more may come, unless the cause is a TimeoutError.
        """
        # Inside the transport's send we hold the lock that a negotiating receiver waits for.
        talk = owner.opened(self).talk
        inside_send = talk.delivering == get_ident()
        if not talk.receiving.acquire(blocking=not inside_send):
            raise SecureSessionError(
                THEMIS_CODES.SSESSION_TRANSPORT_ERROR,
                "the transport's send called receive() while another thread is receiving",
            )
        try:
            message = self._fetch(talk, max_length)
            text = sessions.unwrap(self, message, bytes)
            if text is not None:
                return text
            with talk.sending:  # nobody's data may overtake the reply that establishes
                reply = self._negotiate(message)
                if reply:
                    _deliver(talk, reply)
            return b""
        finally:
            talk.receiving.release()

    # ---- Callbacks ----

    def _negotiate(self, message: Buffer) -> bytes:
        state = sessions.state(self)
        peer_key = b""
        if state in (sessions.IDLE, sessions.WAITING_FOR_2):
            # A copy: what a callback does to a buffer of its own must not reach the core.
            message = buffers.copied(_ERRORS, message, arguments.RECEIVED)
            transport = owner.opened(self).talk.transport
            with suppress(_NoClaimError):  # then the core refuses it, in the words of its state
                peer_id = sessions.claimed_peer(_NO_CLAIM, message)
                peer_key = _public_key_of(transport, peer_id)
        return sessions.negotiate(self, message, peer_key)

    def _fetch(self, talk: sessions.Talk, max_length: int) -> Buffer:
        if not isinstance(max_length, int):
            errors.wrong_type(_ERRORS, "max_length must be an int")
        receive = _method(talk, "receive")
        try:
            message = receive(max(max_length, NEGOTIATION_LENGTH) + sessions.OVERHEAD)
        except Exception as error:
            text = f"the transport failed to receive: {shown(error)}"
            if isinstance(error, (EOFError, ConnectionResetError)) and self.state in _BEGUN:
                text += f"; {WHY_LEFT}"
            raise SecureSessionError(THEMIS_CODES.NETWORK_ERROR, text) from error
        _refuse_awaitable(message, "receive")
        if message is None or len(buffers.view(_ERRORS, message, arguments.RECEIVED)) == 0:
            raise SecureSessionError(
                THEMIS_CODES.SSESSION_TRANSPORT_ERROR,
                "the transport received nothing: has the peer closed the connection?",
            )
        return message  # type: ignore[no-any-return]


def _public_key_of(transport: Any, peer_id: bytes) -> bytes:
    try:
        key = transport.get_pub_key_by_id(peer_id)
    except Exception as error:
        raise look_up_failed(_ERRORS, peer_id) from error
    try:
        found = b"" if key is None else buffers.copied(_ERRORS, key, arguments.PUBLIC)
    except SecureSessionTypeError as error:
        message = f"get_pub_key_by_id must return bytes, not {type(key).__name__}"
        raise SecureSessionError(_UNKNOWN, message) from error
    if not found:
        message = f"get_pub_key_by_id knows no public key of the peer {shown_id(peer_id)}"
        raise SecureSessionError(_UNKNOWN, message)
    return found


def _deliver(talk: sessions.Talk, message: bytes) -> None:
    send = _method(talk, "send")
    outer, talk.delivering = talk.delivering, get_ident()
    try:
        answer = send(message)
    except Exception as error:
        raise SecureSessionError(
            THEMIS_CODES.NETWORK_ERROR, f"the transport failed to send: {shown(error)}"
        ) from error
    finally:
        talk.delivering = outer
    _refuse_awaitable(answer, "send")


def _method(talk: sessions.Talk, name: str) -> Any:
    try:
        return getattr(talk.transport, name)
    except AttributeError as error:
        raise SecureSessionError(
            THEMIS_CODES.NETWORK_ERROR,
            f"the transport has no method {name}, which connect, send and receive need; "
            "connect_request, wrap and unwrap leave it to you how messages travel",
        ) from error


def _refuse_awaitable(answer: object, method: str) -> None:
    if isinstance(answer, Awaitable):
        if isinstance(answer, Coroutine):
            answer.close()  # or Python warns that nobody awaited it
        raise SecureSessionTypeError(
            THEMIS_CODES.NETWORK_ERROR,
            f"the transport's {method} is asynchronous, and a session awaits nothing; "
            "pythemis.asession has sessions for asyncio",
        )


if TYPE_CHECKING:  # misspelled names must not pass the type check
    ssession = SSession
    sstring = SString
    mem_transport = MemoryTransport
else:
    __getattr__ = _compat.deprecated_names(
        __name__,
        {
            "ssession": "SSession",
            "sstring": "SString",
            "mem_transport": "MemoryTransport",
        },
    )
