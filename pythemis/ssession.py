# SPDX-License-Identifier: Apache-2.0
"""Secure Session: messages between two parties that have each other's public keys.

The keys of a session exist only as long as the session (specification, section 5). There are two
APIs. With the buffer-aware API you send and receive the messages yourself
(`SSession.connect_request`, `SSession.unwrap`, `SSession.wrap`). The callback-oriented API sends
and receives through a transport of yours (`SSession.connect`, `SSession.send`,
`SSession.receive`). `pythemis.stransport` has such a transport for sockets, `pythemis.asession` has
sessions over asyncio streams.

Threads may share a session. Every failure raises `SecureSessionError`; a refused message leaves the
session unchanged.
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
from ._core.secret import Key
from ._hints import Buffer
from ._peers import WHY_LEFT, look_up_failed, shown, shown_id
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
_NO_CLAIM = errors.Errors(_NoClaimError, SecureSessionTypeError, SecureSessionValueError)


class SessionState(IntEnum):
    """The state of a session.

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
    """A bool that old programs may also call."""

    __slots__ = ()

    def __call__(self) -> bool:
        return bool(self)

    def __repr__(self) -> str:
        return repr(bool(self))


class SString(bytes):
    """The result of `SSession.unwrap`: bytes, and whether they are a negotiation message.

    Attributes:
        is_control: true for a negotiation message, which you must send to the peer; false for a
            message from the peer. It may also be called: ``text.is_control()``.
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
    """The interface that a session needs; any object with this method works.

    The buffer-aware API needs nothing else. The callback-oriented API needs two more methods:
    ``send(message)`` sends bytes to the peer, ``receive(max_length)`` waits for one whole message
    and returns it. They raise an exception on failure. None of them may be a coroutine function;
    for asyncio there is `pythemis.asession`.
    """

    def get_pub_key_by_id(self, user_id: bytes, /) -> Buffer | None:
        """Return the public key of a peer; see `MemoryTransport.get_pub_key_by_id`."""


class MemoryTransport(ABC):
    """Optional base class for transports, with a queue in memory; see `Transport`.

    A session that sends appends to the queue, and one that receives takes from it. Two sessions in
    one process can share it, or your program moves the messages itself. A transport over a network
    overrides `send` and `receive`.
    """

    @property
    def message_list(self) -> list[bytes]:
        """The messages that were sent and not received yet, oldest first."""
        # Made when it is used, also for a subclass that calls no __init__ of ours.
        queue: list[bytes] = vars(self).setdefault("message_list", [])
        return queue

    @message_list.setter
    def message_list(self, queue: list[bytes]) -> None:
        vars(self)["message_list"] = queue

    def send(self, message: bytes) -> int | None:
        """Append a message to `message_list`.

        Returns:
            Its length in bytes; a session ignores it.
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
        """Return the public key of a peer, from a source that you trust.

        Args:
            user_id: the id that the peer claims, 1 byte or more.

        Returns:
            Its public EC key, 45 to 145 bytes; ``b''`` or None if there is none: then the peer is
            refused.
        """


class SimpleMemoryTransport(MemoryTransport):
    """Transport whose peers are known from the start.

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
    """Return the id that the sender of a connect request, or of the answer, claims.

    With it a server can choose its own key, or refuse to answer, before it makes a session. The id
    is not authenticated: the sender can claim any id.

    Args:
        message: a first or second negotiation message.

    Returns:
        The id, 1 byte or more.

    Raises:
        SecureSessionError: this is no such message (INVALID_PARAMETER), or it is corrupted
            (DATA_CORRUPT).
    """
    return sessions.claimed_peer(_ERRORS, message)


class SSession(sessions.Session):
    """One end of a session.

    Threads may share it: calls are serialized. `send` and `receive` keep the messages in order,
    each under a lock of its own, so a blocked `receive` does not block `send`. Callbacks run
    without the core's locks and may use the session themselves.

    After a fork, use a session in one process only: both would write the same message numbers.

    Args:
        user_id: your id, by which the peer finds your public key, 1 byte or more.
        sign_key: your private EC key, on any of the three curves (45 to 79 bytes).
        transport: an object with ``get_pub_key_by_id``, and for `connect`, `send` and `receive`
            also with ``send`` and ``receive``; see `Transport`. None for a session that only makes
            connect requests.
        reject_duplicates: accept every message only once, and late ones up to 1024 behind the
            newest. By default a replay of one of the last 8 messages is accepted. Set it if a
            message does harm when it is acted on twice.
        allow_own_identity: accept a peer with your own id and your own key. By default such a peer
            is refused, because anyone can reflect your own messages back to you. Set it only if two
            parties share one identity, and write into each message which of them sent it.

    Raises:
        SecureSessionError: an empty id, or a key that is not a private EC key.
    """

    _errors = _ERRORS

    def __init__(
        self,
        user_id: Buffer,
        sign_key: Key,
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
        """The state of the session."""
        state = sessions.state(self)
        return SessionState.CLOSED if state is None else SessionState(state)

    @property
    def remote_id(self) -> bytes | None:
        """The id of the peer, authenticated; None until the session is established.

        The peer has proved that it has the private key of the public key that
        ``get_pub_key_by_id`` returned for this id. If that knows several peers, check here that
        this is the peer you expect.
        """
        return sessions.remote_id(self)

    def is_established(self) -> bool:
        """Return whether the negotiation is complete, so that messages can be sent and received."""
        return sessions.state(self) == sessions.ESTABLISHED

    # ---- The buffer-aware API ----

    def connect_request(self) -> bytes:
        """Start the negotiation, as a client.

        Returns:
            The first negotiation message, which you must send to the server.

        Raises:
            SecureSessionError: this session has started its negotiation already.
        """
        return sessions.connect_request(self)

    def unwrap(self, message: Buffer) -> SString:
        """Process a message from the peer.

        Args:
            message: what the peer's `connect_request`, `unwrap` or `wrap` returned.

        Returns:
            During the negotiation the reply, which you must send (empty if there is none);
            afterwards the peer's message, 52 bytes shorter. ``is_control`` distinguishes them.

        Raises:
            SecureSessionError: the message is refused, and the session is unchanged. Among others:
                SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR if the peer is unknown; INVALID_SIGNATURE if
                the peer has another key; FAIL if the message is forged or late, its time differs by
                more than a day, or it is your own reflected back; NOT_SUPPORTED if the session,
                with ``reject_duplicates``, has accepted 2^31 messages: make a new session.
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
            ``len(message) + 52`` bytes, which you must send. Messages are independent: you may wrap
            many before you send them.

        Raises:
            SecureSessionError: the session is not established (SSESSION_KA_NOT_FINISHED), an
                empty or too long message, a wrong type. NOT_SUPPORTED: the session has written
                2^32 messages, the most that one key may encrypt: make a new session.
        """
        return sessions.wrap(self, message)

    def wrap_into(self, buffer: Buffer, message: Buffer) -> int:
        """Encrypt as `wrap` does, into the first bytes of a buffer.

        Args:
            buffer: writable. `message` may be in it at offset 36, where its ciphertext is written:
                ``wrap_into(buffer, memoryview(buffer)[36:-16])``.
            message: as for `wrap`.

        Returns:
            The number of bytes written, ``len(message) + 52``.

        Raises:
            SecureSessionError: as `wrap`; or a buffer that is too small, is read-only or overlaps
                an input.
        """
        return sessions.wrap_into(self, buffer, message)

    def unwrap_into(self, buffer: Buffer, message: Buffer) -> int:
        """Decrypt a message of an established session into the first bytes of a buffer.

        Args:
            buffer: writable; it may begin at the ciphertext in `message`, at offset 36:
                ``unwrap_into(memoryview(data)[36:], data)``.
            message: what the peer's `wrap` returned.

        Returns:
            The number of bytes written, ``len(message) - 52``.

        Raises:
            SecureSessionError: as `unwrap`; the buffer is then zeroed or unchanged. Or a session
                that is not established, or a buffer that is too small, is read-only or overlaps an
                input.
        """
        return sessions.unwrap_into(self, buffer, message)

    # ---- The callback-oriented API ----

    def connect(self) -> None:
        """Start the negotiation, as a client: send its first message.

        Raises:
            SecureSessionError: this session has started its negotiation already, or the transport
                failed (NETWORK_ERROR).
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
        """Wait for a message from the peer; during the negotiation, send the reply.

        Args:
            max_length: the longest message that you expect, in bytes. The transport is asked for
                52 bytes more (2100 at least). If it returns more, the message is read all the same.

        Returns:
            The peer's message; ``b''`` while negotiating.

        Raises:
            SecureSessionError: as `unwrap`; or the transport failed (NETWORK_ERROR), with what it
                raised as the ``__cause__``, or returned nothing (SSESSION_TRANSPORT_ERROR). After
                these two do not receive again, unless the cause is a TimeoutError.
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
            with talk.sending:  # no data may overtake the reply that establishes
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
            answer.close()  # or Python warns that it was never awaited
        raise SecureSessionTypeError(
            THEMIS_CODES.NETWORK_ERROR,
            f"the transport's {method} is asynchronous, and a session does not await it; "
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
