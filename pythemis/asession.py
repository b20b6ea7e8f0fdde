# SPDX-License-Identifier: Apache-2.0
"""Secure Session over asyncio streams, in the frames of `pythemis.stransport`.

A client::

    stream = await open_session("localhost", 7000, user_id=b"alice", sign_key=key, keys=keys)
    async with stream:
        stream.write(b"hello")
        await stream.drain()
        print(await stream.read())

and a server; its handler is called with one established stream for each client::

    async def handler(stream):
        async for message in stream:
            stream.write(message)
            await stream.drain()

    server = await start_session_server(
        handler, "localhost", 7000, user_id=b"server", sign_key=key, keys=keys
    )

This handler ends with the first message that is refused, and anyone who can write to the connection
can send one. To go on, catch `SecureSessionError` and call `SessionStream.read` again.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

from ._core import arguments, buffers, errors, owner, sessions
from ._core.secret import Key
from ._hints import Buffer, Self
from ._peers import (
    WHY_LEFT,
    AsyncKeys,
    check_keys,
    check_limits,
    look_up,
    look_up_failed,
    shown,
)
from .exception import THEMIS_CODES, ThemisError
from .ssession import (
    SecureSessionError,
    SessionState,
    SimpleMemoryTransport,
    SSession,
    peer_id_of,
)
from .stransport import (
    DEFAULT_MAX_SIZE,
    HEADER_SIZE,
    frame,
    frame_size,
)

__all__ = ["DEFAULT_TIMEOUT", "SessionStream", "open_session", "start_session_server"]

Handler: TypeAlias = Callable[["SessionStream"], Awaitable[object]]

#: The default of the seconds for connecting and negotiating.
DEFAULT_TIMEOUT = 30.0
NEGOTIATION_MAX_SIZE = 1 << 16  # of one message, until the peer is authenticated

_logger = logging.getLogger(__name__)


class _Identity(NamedTuple):
    user_id: Buffer
    sign_key: Key
    keys: AsyncKeys
    reject_duplicates: bool
    allow_own_identity: bool
    max_size: int


class SessionStream:
    """An established session on a connection; `open_session` and `start_session_server` make it.

    Use it in one event loop, with any number of tasks. Cancelling any of its methods loses nothing:
    the next call continues where the cancelled one stopped.

    Args:
        reader: of the connection.
        writer: of the connection.
        session: established, or in its negotiation.
        max_size: the longest message that is read or written, with the 52 bytes of the session.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: SSession,
        *,
        max_size: int = DEFAULT_MAX_SIZE,
    ) -> None:
        if "_reader" in vars(self):
            owner.refuse_again(SSession._errors, self)
        self._reader = reader
        self._writer = writer
        self._session = session
        self._max_size = max_size
        self._size: int | None = None  # of a frame whose header was read already
        self._broken: ConnectionError | None = None  # by it: nothing that follows can be read
        self._turn = asyncio.Lock()  # messages are unwrapped in the order in which they came

    @property
    def remote_id(self) -> bytes | None:
        """The authenticated id of the peer; see `pythemis.ssession.SSession.remote_id`."""
        return self._session.remote_id

    @property
    def session(self) -> SSession:
        """The session itself."""
        return self._session

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what `asyncio.StreamWriter.get_extra_info` of the connection returns."""
        return self._writer.get_extra_info(name, default)

    async def read(self) -> bytes:
        """Wait for the next message.

        Returns:
            The message, or ``b''`` if the connection was closed. Anyone in between can close it: if
            the end matters, let the peer send a last message that says so.

        Raises:
            SecureSessionError: the message was refused; the next one can be read. Or the session
                is not established yet (SSESSION_KA_NOT_FINISHED), or exhausted (NOT_SUPPORTED):
                make a new session.
            OSError: the connection failed (ConnectionError, TimeoutError). It ended within a
                message (ConnectionResetError), or a frame exceeds ``max_size`` bytes
                (ConnectionAbortedError): then nothing more can be read.
        """
        async with self._turn:
            message = await self._read_frame(self._max_size)
            if not message:
                return b""
            # Plain bytes: the core writes a large message faster into them than into an SString.
            text = sessions.unwrap(self._session, message, bytes)
            if text is None:
                code = THEMIS_CODES.SSESSION_KA_NOT_FINISHED
                raise SecureSessionError(code, "the session is not established yet")
            return text

    def write(self, message: Buffer) -> None:
        """Encrypt a message and queue it for sending; call `drain` afterwards.

        Args:
            message: 1 to ``max_size - 52`` bytes.

        Raises:
            SecureSessionError: an empty or too long message, a wrong type, a closed stream, a
                session that is exhausted (NOT_SUPPORTED).
            ConnectionError: the connection is closing.
        """
        size = len(buffers.view(SSession._errors, message, arguments.MESSAGE))
        most = self._max_size - sessions.OVERHEAD
        if size > most:  # the peer would close the connection
            limit = f"with max_size={self._max_size} it may have {most}"
            errors.wrong_value(SSession._errors, f"the message has {size} bytes; {limit}")
        self._write_frame(self._session.wrap(message))

    async def drain(self) -> None:
        """Wait until the queue is short enough to write more: a slow peer slows the writer down."""
        await self._writer.drain()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        message = await self.read()
        if not message:
            raise StopAsyncIteration
        return message

    def is_closing(self) -> bool:
        """Return whether the stream is closed or closing."""
        return self._writer.is_closing()

    def close(self) -> None:
        """Send what is queued, then close the connection; the keys are wiped now."""
        self._session.close()
        self._writer.close()

    async def wait_closed(self) -> None:
        """Wait until the connection is closed."""
        with suppress(OSError):  # the peer was faster
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *exc_info: object) -> None:
        self.close()
        if kind is None:  # a cancelled task must not wait for a peer that reads nothing
            await self.wait_closed()

    def _write_frame(self, message: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError("the connection is closing")
        self._writer.write(frame(message))

    async def _read_frame(self, max_size: int) -> bytes:
        """Read a frame; empty at the end of the stream."""
        if self._broken is not None:
            raise type(self._broken)(*self._broken.args)
        try:
            if self._size is None:
                header = await self._reader.readexactly(HEADER_SIZE)
                self._size = frame_size(header, max_size)
            message = await self._reader.readexactly(self._size)
        except asyncio.IncompleteReadError as error:
            if self._size is None and not error.partial:
                return b""
            self._broken = ConnectionResetError("the peer closed the connection within a message")
            raise self._broken from error
        except ConnectionAbortedError as error:
            self._broken = error
            raise
        self._size = None
        return message

    async def _negotiate(self, transport: _Known, keys: AsyncKeys) -> None:
        session = self._session
        while not session.is_established():
            left = None
            try:
                message = await self._read_frame(NEGOTIATION_MAX_SIZE)
            except ConnectionResetError as error:
                message, left = b"", error
            if not message:
                text = "the peer closed the connection in the negotiation"
                if session.state is not SessionState.IDLE:
                    text += f"; {WHY_LEFT}"
                raise ConnectionResetError(text) from left
            if session.state in (SessionState.IDLE, SessionState.WAITING_FOR_2):
                await transport.ask(keys, peer_id_of(message))
            reply = session.unwrap(message)
            if reply:
                self._write_frame(reply)
                await self.drain()


class _Known(SimpleMemoryTransport):
    """Look up the key before the session asks for it."""

    def __init__(self) -> None:
        super().__init__({})

    async def ask(self, keys: AsyncKeys, peer_id: bytes) -> None:
        try:
            key = look_up(keys, peer_id)  # type: ignore[arg-type]
            if inspect.isawaitable(key):
                key = await key
        except Exception as error:
            raise look_up_failed(SSession._errors, peer_id) from error
        if key is not None:
            self._keys[peer_id] = key


def _check(identity: _Identity, timeout: float | None) -> None:
    """Refuse wrong arguments before there is a connection."""
    check_keys(SSession._errors, identity.keys)
    check_limits(identity.max_size, timeout)
    SSession(identity.user_id, identity.sign_key, None).close()


def _with_cause(error: Exception) -> str:
    """Return an error for the log, with its cause: the mistake may be on this side."""
    cause = error.__cause__
    return repr(error) if cause is None else f"{error!r}, caused by {shown(cause)}"


async def _establish(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    identity: _Identity,
    *,
    connect: bool,
    remote_id: bytes | None = None,
) -> SessionStream:
    transport = _Known()
    session = SSession(
        identity.user_id,
        identity.sign_key,
        transport,
        reject_duplicates=identity.reject_duplicates,
        allow_own_identity=identity.allow_own_identity,
    )
    stream = SessionStream(reader, writer, session, max_size=identity.max_size)
    if connect:
        stream._write_frame(session.connect_request())
        await stream.drain()
    await stream._negotiate(transport, identity.keys)
    if remote_id is not None and session.remote_id != remote_id:
        raise SecureSessionError(
            THEMIS_CODES.FAIL, f"the peer is {session.remote_id!r}, not {remote_id!r}"
        )
    return stream


async def open_session(
    host: str | None = None,
    port: int | str | None = None,
    *,
    user_id: Buffer,
    sign_key: Key,
    keys: AsyncKeys,
    remote_id: Buffer | None = None,
    reject_duplicates: bool = False,
    allow_own_identity: bool = False,
    max_size: int = DEFAULT_MAX_SIZE,
    timeout: float | None = DEFAULT_TIMEOUT,
    **connection: Any,
) -> SessionStream:
    """Connect to a server and establish a session.

    Args:
        host: as `asyncio.open_connection` takes it.
        port: as `asyncio.open_connection` takes it.
        user_id: your id, 1 byte or more.
        sign_key: your private EC key, 45 to 79 bytes.
        keys: public keys of servers: a mapping from ids, a function of the id, or a coroutine
            function of it.
        remote_id: the id of the expected server; None accepts every server that ``keys`` knows.
        reject_duplicates: see `pythemis.ssession.SSession`.
        allow_own_identity: see `pythemis.ssession.SSession`.
        max_size: the longest message that is read or written, with the 52 bytes of the session.
        timeout: the seconds for connecting and negotiating, up to 2000000; None for no limit.
        **connection: other arguments of `asyncio.open_connection`, such as ``ssl`` or ``sock``.
            asyncio ignores the time limit of a socket: limit `SessionStream.read` with
            `asyncio.wait_for`.

    Returns:
        The established stream.

    Raises:
        SecureSessionError: your own id or key is wrong, or one in a dict of ``keys``; the
            negotiation failed, because a key does not match or the server is another one; ``keys``
            failed (what it raised is the ``__cause__``).
        OSError: the connection failed; TimeoutError if it took too long.
        TypeError: ``keys`` is neither a mapping nor a function; ``remote_id`` is not bytes;
            ``max_size`` or ``timeout`` is no number.
        ValueError: ``max_size`` or ``timeout`` is out of range.
    """
    identity = _Identity(user_id, sign_key, keys, reject_duplicates, allow_own_identity, max_size)
    _check(identity, timeout)
    if remote_id is not None:
        remote_id = buffers.copied(SSession._errors, remote_id, arguments.REMOTE_ID)

    async def connect() -> SessionStream:
        reader, writer = await asyncio.open_connection(host, port, **connection)
        try:
            return await _establish(reader, writer, identity, connect=True, remote_id=remote_id)
        except BaseException:
            writer.transport.abort()
            raise

    task = asyncio.ensure_future(connect())
    try:
        return await asyncio.wait_for(task, timeout)
    except asyncio.TimeoutError:  # before Python 3.11 it is another class
        if not task.cancelled():  # it is one of the system's
            raise
        raise TimeoutError(f"no session within {timeout} seconds") from None


async def start_session_server(
    handler: Handler,
    host: str | None = None,
    port: int | str | None = None,
    *,
    user_id: Buffer,
    sign_key: Key,
    keys: AsyncKeys,
    reject_duplicates: bool = False,
    allow_own_identity: bool = False,
    max_size: int = DEFAULT_MAX_SIZE,
    timeout: float | None = DEFAULT_TIMEOUT,
    **server: Any,
) -> asyncio.Server:
    """Serve sessions.

    Args:
        handler: a coroutine function of the established stream of one client. The stream is closed
            when it returns; what is still queued is sent within ``timeout`` seconds or dropped.
            Exceptions go to the event loop's exception handler.
        host: as `asyncio.start_server` takes it.
        port: as `asyncio.start_server` takes it.
        user_id: your id, 1 byte or more.
        sign_key: your private EC key, 45 to 79 bytes.
        keys: public keys of clients: a mapping from ids, a function of the id, or a coroutine
            function of it.
        reject_duplicates: see `pythemis.ssession.SSession`.
        allow_own_identity: see `pythemis.ssession.SSession`.
        max_size: the longest message that is read or written, with the 52 bytes of the session.
        timeout: the seconds for the negotiation of a client, and for sending what is queued when
            the handler returns, up to 2000000; None for no limit.
        **server: other arguments of `asyncio.start_server`, such as ``sock`` or ``backlog``.

    Returns:
        The server, as `asyncio.start_server` does. Clients that fail to negotiate are disconnected
        and logged.

    Raises:
        SecureSessionError: your own id or key is wrong, or one in a dict of ``keys``.
        OSError: the address cannot be served.
        TypeError: ``keys`` is neither a mapping nor a function; ``handler`` cannot be called;
            ``max_size`` or ``timeout`` is no number.
        ValueError: ``max_size`` or ``timeout`` is out of range.
    """
    if not callable(handler):
        raise TypeError(f"the handler must be a coroutine function, not {type(handler).__name__}")
    identity = _Identity(user_id, sign_key, keys, reject_duplicates, allow_own_identity, max_size)
    _check(identity, timeout)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            stream = await asyncio.wait_for(
                _establish(reader, writer, identity, connect=False), timeout
            )
        except (ThemisError, OSError, asyncio.TimeoutError) as error:
            peer = writer.get_extra_info("peername")
            _logger.warning("no session with %s: %s", peer, _with_cause(error))
            writer.transport.abort()
            return
        except BaseException:
            writer.transport.abort()
            raise
        try:
            await handler(stream)
        except Exception as error:  # noqa: BLE001  (reported, not hidden)
            context = {"message": "a session handler failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
        finally:
            stream.close()
        if timeout is not None:
            late = asyncio.get_running_loop().call_later(timeout, writer.transport.abort)
            closing = asyncio.ensure_future(stream.wait_closed())
            closing.add_done_callback(lambda _: late.cancel())

    return await asyncio.start_server(serve, host, port, **server)
