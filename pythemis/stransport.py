# SPDX-License-Identifier: Apache-2.0
"""Frames on a stream, and a transport for sessions over a blocking socket.

A stream (TCP, a Unix socket, a pipe) has no message boundaries, so each message is sent in a frame,
the same in every language::

    0                   4
    | length n, u32be   | n bytes: one message of the session, as wrap or unwrap returned |

A message in a frame has at least one byte. A reader sets a limit of its own and closes the
connection if a frame is longer. Frames need no protection: the session authenticates the messages.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
from contextlib import suppress
from threading import Lock
from time import monotonic
from types import EllipsisType

from ._core import arguments, buffers, forks, owner
from ._hints import Buffer, Self
from ._peers import LARGEST, LONGEST, Keys, check_keys, check_limits, look_up
from .ssession import MemoryTransport, SSession

__all__ = ["DEFAULT_MAX_SIZE", "HEADER_SIZE", "SocketTransport", "frame", "frame_size"]

#: The number of bytes before each message.
HEADER_SIZE = 4
#: 16 MiB, the default of the longest message that is received or sent.
DEFAULT_MAX_SIZE = 16 << 20
_NO_WAIT = getattr(
    socket, "MSG_DONTWAIT", 0
)  # even if the program makes the socket blocking meanwhile
_PIECE = 1 << 16  # memory grows by what arrives, not by what a header promises
_JOIN_BELOW = 1 << 16  # small messages travel in one piece with their header


def frame(message: Buffer) -> bytes:
    """Return a message in a frame.

    Args:
        message: 1 to 2^32-1 bytes.

    Returns:
        ``len(message) + 4`` bytes.

    Raises:
        ValueError: an empty or too long message.
        TypeError: not bytes.
    """
    message = _bytes_of(message, arguments.MESSAGE)
    return _header(len(message), LARGEST) + message


def frame_size(header: Buffer, max_size: int = DEFAULT_MAX_SIZE) -> int:
    """Return the length of the message after a header.

    Args:
        header: 4 bytes.
        max_size: the longest message that you accept, in bytes.

    Returns:
        The length of the message that follows.

    Raises:
        ValueError: the header has not 4 bytes; read more.
        ConnectionAbortedError: the length is 0 or exceeds ``max_size``. The stream cannot be read
            any further.
    """
    header = _bytes_of(header, arguments.HEADER)
    if len(header) != HEADER_SIZE:
        raise ValueError(f"a header has {HEADER_SIZE} bytes, and this has {len(header)}")
    size = int.from_bytes(header, "big")
    if not 0 < size <= max_size:
        raise ConnectionAbortedError(
            f"a frame of {size} bytes; it must have 1 to {max_size}; "
            "does the peer send frames, as pythemis.stransport does?"
        )
    return size


def _header(size: int, max_size: int) -> bytes:
    if not 0 < size <= max_size:
        raise ValueError(f"a message of {size} bytes; a frame must have 1 to {max_size}")
    return size.to_bytes(HEADER_SIZE, "big")


def _bytes_of(data: Buffer, what: arguments.Argument) -> bytes:
    return buffers.copied(SSession._errors, data, what)


def _check_connection(connection: socket.socket) -> None:
    """Check that this is a socket that was connected.

    A connection that has ended since raises its error when it is used: no peer can make this fail.
    """
    if not isinstance(connection, socket.socket):
        kind = type(connection).__name__
        raise TypeError(f"the connection must be a connected socket, not {kind}")
    if isinstance(connection, getattr(sys.modules.get("ssl"), "SSLSocket", ())):
        raise TypeError(
            "the connection must not be a TLS socket: pythemis.asession takes ssl=, "
            "or give a transport of your own"
        )
    if connection.type != socket.SOCK_STREAM:
        raise ValueError("the socket is no stream: a frame may be cut into several datagrams")
    if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise ValueError("the socket is listening: give the connection that its accept() returns")
    if connection.family in (socket.AF_INET, socket.AF_INET6) and not connection.getsockname()[1]:
        raise ValueError("the socket is not connected: socket.create_connection() connects one")


def _time_limits(connection: socket.socket) -> tuple[float | None, float | None]:
    """Return how many seconds a socket itself waits to receive and to send; None for ever."""
    limit = connection.gettimeout()
    if limit is not None:
        return limit, limit
    return (
        _system_limit(connection, socket.SO_RCVTIMEO),
        _system_limit(connection, socket.SO_SNDTIMEO),
    )


def _system_limit(connection: socket.socket, option: int) -> float | None:
    """Return a limit that was set with setsockopt: a struct timeval; milliseconds on Windows."""
    pair = struct.Struct("@ll")
    try:
        value = connection.getsockopt(socket.SOL_SOCKET, option, pair.size)
    except OSError:  # a system without this option
        return None
    if len(value) < pair.size:
        return int.from_bytes(value[:4], sys.byteorder) / 1000 or None
    seconds, microseconds = pair.unpack(value)
    return seconds + (microseconds & 0xFFFFFFFF) / 1e6 or None


class _Patience:
    """The time limit of one call."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._end = None if limit is None else monotonic() + limit

    def left(self) -> float | None:
        """Return how many seconds are left; None if there is no end."""
        return None if self._end is None else self._end - monotonic()


def _must_wait(error: OSError) -> bool:
    """Return whether nothing failed, and the socket was not ready."""
    return isinstance(error, BlockingIOError) or (
        # Of Python itself, where the program set a limit a moment ago; the system's has a number.
        isinstance(error, TimeoutError) and error.errno is None
    )


class SocketTransport(MemoryTransport):
    """The transport of one session over a connected stream socket.

    One thread may send while another receives. The transport makes the socket non-blocking; do not
    use the socket yourself. It is closed when you call `close` or leave a ``with`` block.

    Args:
        connection: a connected socket.
        keys: the public keys of peers: a mapping from ids, or a function of the id. The keys of a
            dict are checked here, to find mistakes early. If that takes too long for each
            connection (a hundred thousand peers or more), pass its ``get`` method.
        max_size: the longest message that is received or sent, with the 52 bytes of the session;
            16 MiB by default.
        timeout: the seconds in which `send` and `receive` must have sent or received the whole
            message, up to 2000000; None for no limit. The default is the time limit of the socket
            itself (``settimeout``, ``setdefaulttimeout``, ``SO_RCVTIMEO`` and ``SO_SNDTIMEO``). A
            later ``settimeout`` applies from the next call on.

    Raises:
        ValueError: a socket that is not connected, or no stream; a non-blocking socket, which has
            no time limit, without ``timeout``; ``max_size`` or ``timeout`` out of range.
        TypeError: ``connection`` is no socket, or a TLS socket; ``keys`` is neither a mapping nor a
            function; ``max_size`` or ``timeout`` is no number.
        SecureSessionError: a dict of ``keys`` has an id that is not bytes, or a key that is not a
            public EC key.
    """

    def __init__(
        self,
        connection: socket.socket,
        keys: Keys,
        *,
        max_size: int = DEFAULT_MAX_SIZE,
        timeout: float | EllipsisType | None = ...,
    ) -> None:
        if "_socket" in vars(self):
            owner.refuse_again(SSession._errors, self)
        _check_connection(connection)
        check_limits(max_size, None if isinstance(timeout, EllipsisType) else timeout)
        check_keys(SSession._errors, keys)
        if timeout is ... and connection.gettimeout() == 0:
            raise ValueError(
                "the socket is non-blocking, so it has no time limit of its own: give timeout, "
                "in seconds, or None for ever"
            )
        self._socket = connection
        self._keys = keys
        self._max_size = max_size
        self._timeout = timeout
        self._limits: tuple[float | None, float | None] = (None, None)  # of the socket itself
        self._take_over()
        self._received = bytearray()  # of a frame that is not complete
        self._torn = False  # a frame was cut in sending: nothing can follow it
        self._after_fork()
        forks.watch(self)

    def _after_fork(self) -> None:
        self._sending = Lock()
        self._receiving = Lock()

    def get_pub_key_by_id(self, user_id: bytes) -> bytes | None:
        """Return the public key of a peer; None if it is unknown."""
        return look_up(self._keys, user_id)

    def send(self, message: Buffer) -> None:
        """Send one message in a frame.

        Raises:
            ValueError: the message is empty or longer than ``max_size``.
            TypeError: not bytes.
            TimeoutError: the whole message was not sent in time. If a part was sent, nothing else
                can be sent.
            OSError: the connection failed.
        """
        message = _bytes_of(message, arguments.MESSAGE)
        header = _header(len(message), self._max_size)
        pieces = [header + message] if len(message) < _JOIN_BELOW else [header, message]
        patience = self._patience(writing=True)
        with self._sending:
            if self._torn:
                raise ConnectionAbortedError("an earlier message was sent only in part")
            self._torn = True
            sent = 0
            try:
                for piece in pieces:
                    rest = memoryview(piece)
                    while rest:
                        done = self._send_some(rest, patience)
                        sent += done
                        rest = rest[done:]
            except TimeoutError:
                self._torn = sent != 0
                raise
            self._torn = False

    def receive(self, max_length: int = 0) -> bytes:  # noqa: ARG002  (max_size bounds it)
        """Wait for one message of up to ``max_size`` bytes; ``max_length`` is ignored.

        Raises:
            TimeoutError: the whole message did not arrive in time. The part that arrived is kept:
                you can call `receive` again.
            EOFError: the peer closed the connection, between two messages.
            OSError: the connection failed or was closed, or the peer truncated a message or sent
                one that is too long.
        """
        patience = self._patience(writing=False)
        with self._receiving:
            received = self._received
            self._fill(HEADER_SIZE, patience)
            end = HEADER_SIZE + frame_size(bytes(received[:HEADER_SIZE]), self._max_size)
            self._fill(end, patience)
            self._received = bytearray()
            return bytes(memoryview(received)[HEADER_SIZE:])

    def close(self) -> None:
        """Close the connection; a `receive` that waits in another thread raises an error.

        This closes it for every process that shares it: after a fork, for parent and child.
        """
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _take_over(self) -> None:
        """Make the socket non-blocking again, and keep the time limit that the program gave it."""
        if self._socket.gettimeout() != 0:
            self._limits = _time_limits(self._socket)
            self._socket.setblocking(False)

    def _patience(self, *, writing: bool) -> _Patience:
        self._take_over()
        own = self._limits[writing]
        return _Patience(own if isinstance(self._timeout, EllipsisType) else self._timeout)

    def _fill(self, size: int, patience: _Patience) -> None:
        while len(self._received) < size:
            self._take_over()
            try:
                piece = self._socket.recv(min(size - len(self._received), _PIECE), _NO_WAIT)
            except OSError as error:
                if not _must_wait(error):
                    raise
                self._wait(patience, writing=False)
                continue
            if not piece and not self._received:
                raise EOFError("the peer closed the connection")
            if not piece:
                raise ConnectionResetError("the peer closed the connection within a message")
            self._received += piece

    def _send_some(self, data: memoryview, patience: _Patience) -> int:
        while True:
            self._take_over()
            try:
                return self._socket.send(data, _NO_WAIT)
            except OSError as error:
                if not _must_wait(error):
                    raise
                self._wait(patience, writing=True)

    def _wait(self, patience: _Patience, *, writing: bool) -> None:
        left = patience.left()
        if left is not None and left <= 0:
            late = f"within {patience.limit} seconds"
            raise TimeoutError(
                f"the message was not sent completely {late}"
                if writing
                else f"no complete message arrived {late}; what arrived is kept"
            )
        if left is not None:
            left = min(left, LONGEST)
        number = self._socket.fileno()
        if number < 0:
            raise ConnectionAbortedError("the transport is closed")
        if hasattr(select, "poll"):  # unlike select, it takes numbers above 1023
            poll = select.poll()
            poll.register(number, select.POLLOUT if writing else select.POLLIN)
            poll.poll(None if left is None else left * 1000)
        else:
            reading, sending = ([], [number]) if writing else ([number], [])
            select.select(reading, sending, [], left)
