# SPDX-License-Identifier: Apache-2.0
"""A chat over Secure Session with asyncio: a server and several clients in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from pythemis.asession import SessionStream, open_session, start_session_server
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from pythemis.ssession import SecureSessionError

HOST = "127.0.0.1"
SERVER = b"chat server"
MEMBERS = [b"alice", b"bob", b"carol", b"dave"]


class Room:
    """Passes on what each member says to all others, and announces new members."""

    def __init__(self) -> None:
        self._streams: set[SessionStream] = set()

    async def attend(self, stream: SessionStream) -> None:
        """Serve one member until they leave; the server calls this with an established stream."""
        name = stream.remote_id or b""  # proved by the session, not claimed in a message
        self._streams.add(stream)
        try:
            await self._tell(b"%b came, we are %d" % (name, len(self._streams)))
            async for text in messages(stream):
                await self._tell(b"%b: %b" % (name, text), but=stream)
        finally:
            self._streams.discard(stream)

    async def _tell(self, line: bytes, but: SessionStream | None = None) -> None:
        hearers = self._streams - {but}
        for stream in hearers:  # at once, so that all hear everything in the same order
            with suppress(ConnectionError, SecureSessionError):  # they left
                stream.write(line)
        for stream in hearers:  # a member who does not read slows the room, not memory
            with suppress(ConnectionError):
                await stream.drain()


async def messages(stream: SessionStream) -> AsyncIterator[bytes]:
    """Give what the peer says until it leaves; a message that is refused ends nothing."""
    while True:
        try:
            text = await stream.read()
        except SecureSessionError as error:
            print("refused:", error)
            continue
        if not text:
            return
        yield text


async def member(name: bytes, key: bytes, server_key: bytes, port: int) -> list[bytes]:
    """Come, wait until all are there, say hello, listen to the others, leave."""
    stream = await open_session(
        HOST, port, user_id=name, sign_key=key, keys={SERVER: server_key}, remote_id=SERVER
    )
    async with stream:
        while not (await stream.read()).endswith(b"we are %d" % len(MEMBERS)):
            pass
        stream.write(b"hello from " + name)
        await stream.drain()
        return [await stream.read() for _ in range(len(MEMBERS) - 1)]


async def main() -> None:
    """Let the members meet."""
    server_pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    pairs = {name: GenerateKeyPair(KEY_PAIR_TYPE.EC) for name in MEMBERS}
    server = await start_session_server(
        Room().attend,
        HOST,
        0,
        user_id=SERVER,
        sign_key=server_pair.export_private_key(),
        keys={name: pair.export_public_key() for name, pair in pairs.items()},
        reject_duplicates=True,
    )
    port = server.sockets[0].getsockname()[1]
    server_key = server_pair.export_public_key()
    come = [
        member(name, pair.export_private_key(), server_key, port) for name, pair in pairs.items()
    ]
    for name, lines in zip(MEMBERS, await asyncio.gather(*come), strict=True):
        for line in sorted(lines):
            print(f"{name.decode()} hears {line.decode()}")
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
