# SPDX-License-Identifier: Apache-2.0
"""What users write, for type checkers: checked by mypy and pyright in `make lint`, never run.

Every public name is here, with the type that it must have. A line with `type: ignore` is wrong,
and an error to both: if one of them accepts the mistake, the comment is unused, which is an error.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
# pyright: reportUnusedCoroutine=false, reportCallInDefaultInitializer=false

from __future__ import annotations

import asyncio
import mmap
import socket
from array import array
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.db import models  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import create_engine
from typing_extensions import assert_type

import pythemis
from pythemis import (
    columns,
    exception,
    files,
    keyring,
    place,
    scell,
    scomparator,
    skeygen,
    smessage,
    ssession,
    stransport,
)
from pythemis.asession import (
    DEFAULT_TIMEOUT,
    SessionStream,
    open_session,
    start_session_server,
)
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.fields import (
    Field,
    FieldCipher,
    FieldError,
    FieldTypeError,
    FieldValueError,
    IndexPlan,
    IndexSize,
    index_plan,
)
from pythemis.fields.django import BlindIndex, SealedField, SealedManager
from pythemis.fields.django import open_all as open_all_rows
from pythemis.fields.sqlalchemy import (
    Comparator,
    IndexType,
    Progress,
    Sealed,
    SealedType,
    UnsealedError,
    index_column,
    open_all,
    rewrite,
    rows_to_rewrite,
    seal_values,
    sealed,
    sealed_column,
)
from pythemis.kms import Service, ServiceError, aws, pkcs11, vault
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellError,
    SecureCellTypeError,
    SecureCellValueError,
    legacy_text,
)
from pythemis.scomparator import (
    SCOMPARATOR_CODES,
    SComparator,
    SecureComparatorError,
    SecureComparatorTypeError,
    SecureComparatorValueError,
)
from pythemis.skeygen import (
    KEY_PAIR_TYPE,
    GenerateKeyPair,
    GenerateSymmetricKey,
    KeyKind,
    from_der,
    from_jwk,
    from_openssh,
    from_pem,
    from_point,
    key_kind,
    public_from_private,
    to_der,
    to_jwk,
    to_pem,
)
from pythemis.smessage import (
    SecureMessageError,
    SecureMessageTypeError,
    SecureMessageValueError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from pythemis.ssession import (
    MemoryTransport,
    SecureSessionError,
    SecureSessionTypeError,
    SecureSessionValueError,
    SessionState,
    SimpleMemoryTransport,
    SSession,
    SString,
    Transport,
    peer_id_of,
)
from pythemis.stransport import (
    DEFAULT_MAX_SIZE,
    HEADER_SIZE,
    SocketTransport,
    frame,
    frame_size,
)

data = b"bytes"
text = "text"


def package() -> None:
    assert_type(pythemis.__version__, str)
    assert_type(pythemis.stransport.frame(data), bytes)
    assert_type(pythemis.asession.DEFAULT_TIMEOUT, float)
    assert_type(pythemis.SCellSeal(data), SCellSeal)
    assert_type(pythemis.GenerateSymmetricKey(), bytes)
    code: pythemis.THEMIS_CODES = THEMIS_CODES.FAIL
    del code
    pythemis.nothing  # type: ignore[attr-defined]
    scell.SCellSeall  # type: ignore[attr-defined]
    smessage.Smessage  # type: ignore[attr-defined]
    ssession.Session  # type: ignore[attr-defined]
    skeygen.Generate  # type: ignore[attr-defined]
    scomparator.Scomparator  # type: ignore[attr-defined]
    exception.ThemisExcept  # type: ignore[attr-defined]
    stransport.Transport  # type: ignore[attr-defined]


def old_names(transport: MemoryTransport) -> None:
    assert_type(scell.scell_seal(data).encrypt(data), bytes)
    assert_type(scell.scell_token_protect(data).encrypt(data), tuple[bytes, bytes])
    assert_type(scell.scell_context_imprint(data).encrypt(data, data), bytes)
    assert_type(smessage.smessage(data, data).wrap(data), bytes)
    assert_type(ssession.ssession(data, data, transport).is_established(), bool)
    assert_type(skeygen.themis_gen_key_pair("EC").export_public_key(), bytes)
    assert_type(scomparator.scomparator(data).is_compared(), bool)
    assert_type(ssession.sstring(data).is_control(), bool)
    try:
        ssession.mem_transport.nothing  # type: ignore[attr-defined]
    except exception.themis_exception as error:
        assert_type(error.error_code, THEMIS_CODES)
    unwrapped = ssession.SString(data)
    unwrapped.set_control()
    unwrapped.unset_control()
    codes: list[THEMIS_CODES] = [scell.THEMIS_CODES.FAIL, scomparator.THEMIS_CODES.FAIL]
    codes += [skeygen.THEMIS_CODES.FAIL, smessage.THEMIS_CODES.FAIL, ssession.THEMIS_CODES.FAIL]
    assert_type(KEY_PAIR_TYPE.CHOICES, tuple[KEY_PAIR_TYPE, ...])
    assert_type(SecureCellError("what happened", 11).message, str)


def errors() -> None:
    error = ThemisError(THEMIS_CODES.FAIL, "what happened", 1, "more")
    assert_type(error.error_code, THEMIS_CODES)
    name: str = error.error_code.name
    del name
    assert_type(error.message, str)
    assert_type(SecureCellError(11, "what happened").index, int | None)
    kinds: list[type[ThemisError]] = [
        *(SecureCellError, SecureComparatorError, SecureMessageError, SecureSessionError)
    ]
    types: list[type[TypeError]] = [
        *(ThemisTypeError, SecureCellTypeError, SecureComparatorTypeError),
        *(SecureMessageTypeError, SecureSessionTypeError),
    ]
    values: list[type[ValueError]] = [
        *(ThemisValueError, SecureCellValueError, SecureComparatorValueError),
        *(SecureMessageValueError, SecureSessionValueError),
    ]
    del kinds, types, values
    ThemisError("what happened")  # type: ignore[call-overload]
    ThemisError("what happened", "11")  # type: ignore[call-overload]
    THEMIS_CODES.NOTHING  # type: ignore[attr-defined]


def any_buffer(mapped: mmap.mmap) -> None:
    cell = SCellSeal(key=bytearray(data))
    for message in (data, bytearray(data), memoryview(data), array("B", data), mapped):
        assert_type(cell.encrypt(message, context=message), bytes)
    cell.encrypt(text)  # type: ignore[arg-type]
    cell.encrypt(None)  # type: ignore[arg-type]
    cell.encrypt(1)  # type: ignore[arg-type]
    cell.encrypt(data, text)  # type: ignore[arg-type]


def cell_seal() -> None:
    cell = SCellSeal(data)
    with SCellSeal(key=data, compat_096=True) as same:
        assert_type(same, SCellSeal)
    assert_type(cell.encrypt(data), bytes)
    assert_type(cell.encrypt(message=data, context=data), bytes)
    assert_type(cell.decrypt(data, None), bytes)
    assert_type(cell.encrypt_into(bytearray(50), data, context=data), int)
    assert_type(cell.decrypt_into(memoryview(bytearray(50)), data), int)
    assert_type(cell.encrypt_many([data, bytearray(data)], threads=2), list[bytes])
    assert_type(cell.encrypt_many((data for _ in range(2)), [data, None]), list[bytes])
    assert_type(cell.decrypt_many([data], data), list[bytes])
    old: list[bytes] = [cell.decrypt(data, text), legacy_text(text)]
    old += cell.decrypt_many([data], text) + cell.decrypt_many([data], [text, data, None])
    cell.encrypt(data, text)  # type: ignore[arg-type]
    cell.close()
    SCellSeal()  # type: ignore[call-overload]
    SCellSeal(text)  # type: ignore[call-overload]
    SCellSeal(data, passphrase=text)  # type: ignore[call-overload]
    SCellSeal(data, text)  # type: ignore[call-overload]
    SCellSeal(key=data, max_iterations=1)  # type: ignore[call-overload]
    SCellSeal(key=data, iterations=1)  # type: ignore[call-overload]
    cell.encrypt_many(data)  # type: ignore[arg-type]
    cell.encrypt_many([data], [text])  # type: ignore[list-item]
    cell.encrypt_many([data], None, 2)  # type: ignore[call-arg]
    cell.encrypt_into(data)  # type: ignore[call-arg]
    cell.encrypt_into(text, data)  # type: ignore[arg-type]


def cell_passphrase() -> None:
    cell = SCellSeal(passphrase=text, encoding="utf-8", max_iterations=10**6)
    assert_type(cell.encrypt(data, data), bytes)
    direct = SCellSealPassphrase(text, "utf-8", max_iterations=10**6)
    SCellSeal(passphrase=text, normalize="NFC", iterations=10**6, min_iterations=1)
    SCellSealPassphrase(text, normalize="NFKC", iterations=10**6, min_iterations=1)
    with direct as same:
        assert_type(same, SCellSealPassphrase)
    assert_type(direct.decrypt(data), bytes)
    assert_type(direct.encrypt_into(bytearray(80), data), int)
    assert_type(direct.decrypt_into(bytearray(80), data), int)
    assert_type(direct.encrypt_many([data]), list[bytes])
    assert_type(direct.decrypt_many([data], threads=4), list[bytes])
    is_seal: SCellSeal = SCellSealPassphrase(passphrase=data)
    del is_seal
    SCellSeal(passphrase=1)  # type: ignore[call-overload]
    SCellSealPassphrase(1)  # type: ignore[arg-type]
    SCellSealPassphrase(text, max_iterations="many")  # type: ignore[arg-type]
    SCellSealPassphrase(text, normalize="NFD")  # type: ignore[arg-type]
    SCellSealPassphrase(text, key=data)  # type: ignore[arg-type]


def cell_token_protect() -> None:
    cell = SCellTokenProtect(key=data, compat_096=False)
    encrypted, token = cell.encrypt(data, context=data)
    assert_type((encrypted, token), tuple[bytes, bytes])
    assert_type(cell.decrypt(encrypted, token, data), bytes)
    assert_type(cell.encrypt_into(bytearray(5), data), tuple[int, bytes])
    assert_type(cell.decrypt_into(bytearray(5), encrypted, token), int)
    assert_type(cell.encrypt_many([data]), list[tuple[bytes, bytes]])
    assert_type(cell.decrypt_many([encrypted], [token], [None]), list[bytes])
    cell.decrypt(encrypted)  # type: ignore[call-arg]
    cell.decrypt((encrypted, token))  # type: ignore[call-arg, arg-type]
    SCellTokenProtect()  # type: ignore[call-arg]
    SCellTokenProtect(passphrase=text)  # type: ignore[call-arg]


def cell_context_imprint() -> None:
    cell = SCellContextImprint(key=data)
    assert_type(cell.encrypt(data, context=data), bytes)
    assert_type(cell.decrypt(data, data), bytes)
    assert_type(cell.encrypt_into(bytearray(5), data, data), int)
    assert_type(cell.decrypt_into(bytearray(5), data, data), int)
    assert_type(cell.encrypt_many([data], [data]), list[bytes])
    assert_type(cell.decrypt_many([data], data), list[bytes])
    cell.encrypt(data)  # type: ignore[call-arg]
    cell.encrypt(data, None)  # type: ignore[arg-type]
    cell.encrypt_many([data])  # type: ignore[call-arg]
    SCellContextImprint(data, compat_096=True)  # type: ignore[call-arg]


def keys() -> None:
    assert_type(GenerateSymmetricKey(), bytes)
    with GenerateKeyPair(KEY_PAIR_TYPE.EC, curve="P-384", uncompressed=True) as pair:
        assert_type(pair, GenerateKeyPair)
    assert_type(GenerateKeyPair("RSA", bits=4096).export_private_key(), bytes)
    assert_type(pair.export_public_key(), bytes)
    kind = key_kind(data)
    assert_type(kind, KeyKind)
    assert_type(kind.algorithm, KEY_PAIR_TYPE)
    assert_type(kind.bits, int)
    assert_type((kind.is_private, kind.is_public), tuple[bool, bool])
    assert_type(public_from_private(data, uncompressed=True), bytes)
    assert_type(to_pem(data, passphrase=text), bytes)
    assert_type(to_der(data), bytes)
    assert_type(from_pem(text, data), bytes)
    assert_type(from_jwk(text), bytes)
    assert_type(from_jwk(to_jwk(data)), bytes)
    assert_type(to_jwk(data), dict[str, str])
    assert_type(from_openssh(text), bytes)
    assert_type(from_point(data), bytes)
    from_point(text)  # type: ignore[arg-type]
    assert_type(from_der(data, text), bytes)
    GenerateKeyPair()  # type: ignore[call-arg]
    GenerateKeyPair("RSA", 4096)  # type: ignore[call-arg]
    GenerateKeyPair("RSA", bits="4096")  # type: ignore[arg-type]
    key_kind(text)  # type: ignore[arg-type]
    from_der(text)  # type: ignore[arg-type]
    public_from_private(data, True)  # type: ignore[call-arg]


def messages() -> None:
    with SMessage(private_key=data, peer_public_key=data) as message:
        assert_type(message.wrap(data), bytes)
        assert_type(message.unwrap(memoryview(data)), bytes)
    with SecureSigner(data) as signer:
        assert_type(signer.sign(data), bytes)
    with SecureVerifier(public_key=data) as verifier:
        assert_type(verifier.verify(data), bytes)
    assert_type(ssign(data, data), bytes)
    assert_type(sverify(public_key=data, message=data), bytes)
    SMessage(data)  # type: ignore[call-arg]
    SMessage(data, text)  # type: ignore[arg-type]
    ssign(data)  # type: ignore[call-arg]
    sverify(data, text)  # type: ignore[arg-type]
    signer.verify(data)  # type: ignore[attr-defined]


class Callbacks(MemoryTransport):
    """A transport as users write it."""

    def get_pub_key_by_id(self, user_id: bytes) -> bytes | None:
        return {b"bob": data}.get(user_id)

    def send(self, message: bytes) -> None:
        del message

    def receive(self, max_length: int) -> bytes:
        return bytes(max_length)


class Forgetful(MemoryTransport):
    """A transport that lacks what a session cannot do without."""


class WrongResult(MemoryTransport):
    """A transport that gives keys as text."""

    def get_pub_key_by_id(self, user_id: bytes) -> str:  # type: ignore[override]
        return user_id.decode()


class Database:
    """A transport without a base class, with a name and a result of its own."""

    def get_pub_key_by_id(self, peer: bytes) -> bytearray:
        return bytearray(peer)


class Untyped:
    """A transport of a program that has no types."""

    def get_pub_key_by_id(self, peer: Any) -> Any:
        return peer


class Asynchronous:
    """A transport that is awaited by nobody."""

    async def get_pub_key_by_id(self, peer: bytes) -> bytes:
        return peer


def transports(connection: socket.socket) -> None:
    queue = SimpleMemoryTransport({b"bob": data})
    assert_type((queue.send(data), queue.receive(100)), tuple[int | None, bytes])
    assert_type(queue.message_list, list[bytes])
    queue.message_list = [data]
    SSession(b"alice", data, Database())
    SSession(b"alice", data, Untyped())
    SSession(b"alice", data, SimpleMemoryTransport({b"bob": data}))
    SSession(b"alice", data, SocketTransport(connection, {b"bob": data}))
    SSession(b"alice", data, None)
    any_of_them: Transport = Database()
    any_of_them = Callbacks()
    SSession(b"alice", data, transport=any_of_them)
    SSession(b"alice", data, {b"bob": data})  # type: ignore[arg-type]
    SSession(b"alice", data, lambda _: data)  # type: ignore[arg-type]
    SSession(b"alice", data, WrongResult())  # type: ignore[arg-type]
    SSession(b"alice", data, Asynchronous())  # type: ignore[arg-type]


def session() -> None:
    transport = Callbacks()
    with SSession(
        b"alice", data, transport, reject_duplicates=True, allow_own_identity=True
    ) as ours:
        assert_type(ours, SSession)
    assert_type(ours.state, SessionState)
    assert_type(ours.remote_id, bytes | None)
    assert_type(ours.is_established(), bool)
    assert_type(ours.connect_request(), bytes)
    unwrapped = ours.unwrap(data)
    assert_type(unwrapped, SString)
    assert_type(unwrapped.is_control(), bool)
    as_bytes: bytes = unwrapped
    assert_type(ours.wrap(as_bytes), bytes)
    assert_type(ours.wrap_into(bytearray(100), data), int)
    assert_type(ours.unwrap_into(bytearray(100), data), int)
    ours.connect()
    assert_type(ours.send(data), int)
    assert_type(ours.receive(), bytes)
    assert_type(ours.receive(max_length=100), bytes)
    assert_type(peer_id_of(data), bytes)
    Forgetful()  # type: ignore[abstract]
    SSession(b"alice", data)  # type: ignore[call-arg]
    SSession(text, data, transport)  # type: ignore[arg-type]
    ours.wrap(text)  # type: ignore[arg-type]
    ours.wrap_into(data)  # type: ignore[call-arg]
    ours.remote_id.decode()  # type: ignore[union-attr]
    ours.remote_id = b"mallory"  # type: ignore[misc]


def memory_transports(peers: Mapping[bytes, bytes]) -> None:
    transport = SimpleMemoryTransport(peers)
    assert_type(transport.get_pub_key_by_id(b"bob"), bytes | None)
    SimpleMemoryTransport([(b"bob", data)])
    SimpleMemoryTransport(b"bob", data)
    SimpleMemoryTransport({"bob": data})  # type: ignore[arg-type]
    SimpleMemoryTransport()  # type: ignore[call-arg]


class OwnTransport(SocketTransport):
    """A transport with more methods."""

    def ping(self) -> None:
        self.send(b"ping")


def sockets(connection: socket.socket, find: Callable[[bytes], bytes | None]) -> None:
    sizes: list[int] = [HEADER_SIZE, DEFAULT_MAX_SIZE]
    del sizes
    assert_type(frame(data), bytes)
    assert_type(frame_size(data, max_size=100), int)
    with SocketTransport(connection, {b"bob": data}, max_size=100, timeout=1) as transport:
        assert_type(transport, SocketTransport)
        assert_type(transport.get_pub_key_by_id(b"bob"), bytes | None)
        transport.send(data)
        assert_type(transport.receive(), bytes)
    SSession(b"alice", data, SocketTransport(connection, find)).connect()
    with OwnTransport(connection, find) as own:
        own.ping()
    assert_type(frame(memoryview(data)), bytes)
    assert_type(frame_size(bytearray(data)), int)
    SocketTransport(connection)  # type: ignore[call-arg]
    SocketTransport(connection, find, 100)  # type: ignore[call-arg]
    SocketTransport(connection, {"bob": data})  # type: ignore[dict-item]
    transport.send(text)  # type: ignore[arg-type]


class OwnStream(SessionStream):
    """A stream with more methods."""

    def ping(self) -> None:
        self.write(b"ping")


async def streams(
    find: Callable[[bytes], Awaitable[bytes | None]],
    find_at_once: Callable[[bytes], bytes | None],
    find_either_way: Callable[[bytes], bytes | Awaitable[bytes | None]],
    find_text: Callable[[bytes], str],
) -> None:
    stream = await open_session(
        "localhost", 7000, user_id=b"alice", sign_key=data, keys=find, remote_id=b"bob"
    )
    assert_type(stream, SessionStream)
    await open_session(user_id=b"alice", sign_key=data, keys=find_at_once)
    await open_session(user_id=b"alice", sign_key=data, keys=find_either_way)
    await open_session(user_id=b"alice", sign_key=data, keys=find_text)  # type: ignore[arg-type]
    reader, writer = await asyncio.open_connection()
    async with OwnStream(reader, writer, stream.session) as own:
        own.ping()
    assert_type(DEFAULT_TIMEOUT, float)
    async with stream as same:
        assert_type(same, SessionStream)
        stream.write(bytearray(data))
        await stream.drain()
        assert_type(await stream.read(), bytes)
        async for message in stream:
            assert_type(message, bytes)
    assert_type(stream.remote_id, bytes | None)
    assert_type(stream.session, SSession)
    assert_type(stream.get_extra_info("peername"), Any)
    assert_type(stream.is_closing(), bool)
    stream.close()
    await stream.wait_closed()
    stream.write(text)  # type: ignore[arg-type]
    await open_session("localhost", 7000, b"alice")  # type: ignore[call-arg]
    await open_session(user_id=b"alice", sign_key=data)  # type: ignore[call-arg]
    await open_session(user_id=text, sign_key=data, keys={})  # type: ignore[arg-type]


async def servers(pairs: Mapping[bytes, bytes]) -> None:
    async def handler(stream: SessionStream) -> None:
        stream.write(data)

    def plain(stream: SessionStream) -> None:
        stream.write(data)

    server = await start_session_server(
        handler, port=7000, user_id=b"bob", sign_key=data, keys=pairs, timeout=None, backlog=10
    )
    assert_type(server, asyncio.Server)
    await start_session_server(plain, user_id=data, sign_key=data, keys=pairs)  # type: ignore[arg-type]
    await start_session_server(handler, user_id=data, sign_key=data)  # type: ignore[call-arg]


def comparator() -> None:
    with SComparator(shared_secret=data) as ours:
        assert_type(ours, SComparator)
    ours.append_secret(bytearray(data))
    assert_type(ours.begin_compare(), bytes)
    assert_type(ours.proceed_compare(data), bytes)
    assert_type((ours.is_compared(), ours.is_equal()), tuple[bool, bool])
    assert_type(ours.result(), SCOMPARATOR_CODES)
    SComparator()  # type: ignore[call-arg]
    SComparator(text)  # type: ignore[arg-type]
    ours.append_secret(text)  # type: ignore[arg-type]


def each_member() -> Iterator[object]:
    yield from THEMIS_CODES
    yield from SCOMPARATOR_CODES
    yield from SessionState
    yield from KeyKind


def places() -> None:
    """Places take text, integers, UUIDs and bytes, and nothing that has two spellings."""
    assert_type(place.place("customers", "card", 42, uuid4(), b"x"), bytes)
    place.place(1.5)  # type: ignore[arg-type]


def inspected() -> None:
    """Bytes, text and paths can be inspected; an open file cannot."""
    report = pythemis.inspect(data)
    assert_type(report, pythemis.Report)
    assert_type(pythemis.inspect(text).kind, str)
    assert_type(pythemis.inspect(Path("name")).size, int | None)
    assert_type((report.certain, report.recognised), tuple[bool, bool])
    assert_type((report.layers, report.problems), tuple[tuple[str, ...], tuple[str, ...]])
    assert_type(report.to_json(), str)
    pythemis.inspect(1)  # type: ignore[arg-type]


def secret_keys(seen: bytes) -> None:
    """Keys in guarded memory."""
    with keyring.SecretKey.generate(32) as key:
        assert_type(key, keyring.SecretKey)
    assert_type(keyring.SecretKey.from_bytes(seen), keyring.SecretKey)
    assert_type(keyring.SecretKey.from_file("key"), keyring.SecretKey)
    keyring.SecretKey.from_file(Path("key"), encoding="hex", allow_shared=True)
    keyring.SecretKey.from_file("key", encoding="utf-8")  # type: ignore[arg-type]
    assert_type(keyring.SecretKey.from_fd(3, encoding="raw"), keyring.SecretKey)
    assert_type(keyring.SecretKey.from_env("KEY", unset=False), keyring.SecretKey)
    assert_type(keyring.SecretKey.from_credential("key"), keyring.SecretKey)
    assert_type(keyring.SecretKey.from_prompt("Key: "), keyring.SecretKey)
    keyring.SecretKey.from_fd("key")  # type: ignore[arg-type]
    assert_type(key.reveal(), bytes)
    assert_type(key.locked, bool)
    assert_type(len(key), int)
    assert_type(key == key, bool)
    scell.SCellSeal(key)
    scell.SCellSeal(key=key)
    scell.SCellSeal(passphrase=key)
    scell.SCellTokenProtect(key)
    scell.SCellContextImprint(key)
    scell.SCellSeal(seen).encrypt(key)  # type: ignore[arg-type]
    smessage.SMessage(key, seen)
    smessage.ssign(key, seen)
    smessage.ssign(seen, key)  # type: ignore[arg-type]
    smessage.SecureSigner(key)
    ssession.SSession(seen, key, None)
    assert_type(skeygen.to_pem(key, passphrase=key), bytes)
    keyring.SecretKey.from_bytes("text")  # type: ignore[arg-type]
    keyring.SecretKey.generate("32")  # type: ignore[arg-type]


def sealed_files(path: Path, stream: BinaryIO, key: keyring.SecretKey) -> None:
    """Seal, unseal and read files."""
    files.seal(path, stream, key, b"context", progress=print)
    files.unseal("sealed", path, passphrase="text")
    assert_type(files.is_sealed(path), bool)
    with files.open(stream, "rb", key=b"key", context=b"context") as file:
        assert_type(file, files.SealedReader)
        assert_type(file.read(5), bytes)
        assert_type(file.pread(5, 0), bytes)
        assert_type(file.opened_by, str)
        file.verify(progress=print)
    with files.open(path, "wb", key=key, to=[b"key"], pad="padme") as writer:
        assert_type(writer, files.SealedWriter)
        assert_type(writer.write(b"data"), int)
        writer.discard()
    files.rewrap(path, key=key, to=b"key", keep=True, progress=print)
    files.reencrypt(path, passphrase="text", new_key=key)
    files.open(path, "rb", key=key, pad="padme")  # type: ignore[call-overload]
    files.seal(path, 5, key)  # type: ignore[arg-type]
    files.open(path, "r", key=key)  # type: ignore[call-overload]


def key_services(given: object, key: keyring.SecretKey) -> None:
    """Each class is a service; so is one of your own."""
    arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
    services: list[Service] = [
        aws.AwsKms("a", arn, client=given, timeouts=(1, 2.5), attempts=2),
        vault.Transit("b", "ring", url="https://vault.example.com", token=lambda: key),
        vault.Transit("b", "ring", client=given, mount="shop"),
        pkcs11.Token("c", library="/hsm.so", token="prod", pin=key, key_label="ring"),
        pkcs11.Token("c", session=given, key_id=data, token_draws_iv=True),
    ]
    assert_type(services[0].name, str)
    assert_type(services[0].wrap(data, data), bytes)
    assert_type(services[0].unwrap(data, data), bytes | None)
    with pkcs11.Token("c", session=given, key_label="ring") as token:
        assert_type(token, pkcs11.Token)
    failed: ThemisError = ServiceError(THEMIS_CODES.FAIL, text)
    del failed
    aws.AwsKms(data, arn)  # type: ignore[arg-type]
    vault.Transit("b", "ring", url=data)  # type: ignore[arg-type]
    pkcs11.Token("c", session=given, key_id=text)  # type: ignore[arg-type]
    wrong: Service = SCellSeal(data)  # type: ignore[assignment]
    del wrong


def keyrings(seen: bytes) -> None:
    """Rings of keys, and values stored under them."""
    ring = keyring.Keyring.new("shop").add().add(seen).add(keyring.SecretKey.generate())
    assert_type(ring, keyring.Keyring)
    assert_type(ring.add_legacy(seen).drop_legacy(), keyring.Keyring)
    assert_type(ring.promote(ring.ids[1]).retire(ring.ids[0]).remove("0" * 10), keyring.Keyring)
    assert_type((ring.name, ring.version), tuple[str, int])
    assert_type(ring.ids, tuple[str, ...])
    assert_type(ring.primary, str | None)
    assert_type(ring.keys, tuple[keyring.KeyInfo, ...])
    assert_type(ring.prefix, bytes)
    assert_type(ring.pin(ring.ids[0]), str)
    stored = ring.encrypt(seen, place.place("t", 1))
    assert_type(stored, bytes)
    assert_type(ring.decrypt(stored, seen), bytes)
    assert_type(ring.rotate(stored), bytes)
    assert_type(ring.needs_rotation(stored), bool)
    assert_type(ring.key_id(stored), str | None)
    assert_type(ring.encrypt_many([seen], [None, seen], threads=2), list[bytes])
    assert_type(ring.decrypt_many([stored], seen), list[bytes])
    ring.encrypt("text")  # type: ignore[arg-type]
    ring.decrypt(stored, "text")  # type: ignore[arg-type]
    ring.retire(b"id")  # type: ignore[arg-type]


def keyring_files(seen: bytes, service: Service) -> None:
    """Rings in files: saved, loaded, followed, and named."""
    keyring.Keyring.new("shop").add().save("ring", key=seen, service=service, replace_slots=True)
    assert_type(keyring.load("ring", "shop", passphrase="text", min_version=3), keyring.Keyring)
    keyring.load(Path("ring"), "shop", private_key=seen, sender=seen, service=[service])
    watched = keyring.watch(b"ring", "shop", key=seen, seconds=1.5, on_refused=print)
    assert_type(watched, keyring.WatchedKeyring)
    assert_type(watched(), keyring.Keyring)
    reference = keyring.from_reference("file:/ring", "credential:key", name="shop", pin=text)
    assert_type(reference, keyring.KeyringReference)
    assert_type(reference().encrypt(seen), bytes)
    keyring.from_reference("file:/ring", service, name="shop")
    keyring.from_reference("file:/ring", seen, name="shop")  # type: ignore[arg-type]
    keyring.load("ring", b"shop", key=seen)  # type: ignore[arg-type]


def sealed_fields(ring: keyring.Keyring, reference: keyring.KeyringReference) -> None:
    """Seal, open and find fields."""
    cipher = FieldCipher(ring, index_key=reference)
    FieldCipher(b"key")  # type: ignore[arg-type]
    assert_type(cipher.seal("card", "customers", "card_cell", uuid4()), bytes | None)
    cipher.seal(5, "staff", "salary_cell", 7, "de", type=int, padding=16)
    cipher.open(b"cell", "staff", "salary_cell", type=int, bind="column")
    cipher.open(b"cell", "staff", "salary_cell", 1.5)  # type: ignore[arg-type]
    cipher.open_all([b"cell", None], "staff", "salary_cell", [7, (8, "de")], type=int)
    cells = cipher.seal_all(["card", None], "customers", "card_cell", [7, (8, "de")], padding=16)
    assert_type(cells, list[bytes | None])
    assert_type(cipher.index("card", "customers", "card_cell", bits=96), bytes | None)
    found = cipher.index_all(["card", None], "customers", "card_cell", bits=96)
    assert_type(found, list[bytes | None])
    assert_type(cipher.indexes("card", "customers", "card_cell", bits=96), list[bytes])
    field = cipher.field("customers", "card_cell", bits=96, normalize=str.casefold)
    assert_type(field, Field)
    assert_type(field.seal("card", 7), bytes | None)
    assert_type(field.rotate(b"cell", 7), bytes)
    assert_type(field.rotate_all([b"cell", None], [7, 8]), list[bytes | None])
    assert_type(field.needs_rotation(b"cell"), bool)
    plan = index_plan(rows=10, distinct=5)
    assert_type(plan, IndexPlan)
    assert_type(plan.sizes, tuple[IndexSize, ...])
    errors: list[type[FieldError]] = [FieldTypeError, FieldValueError]
    print(errors)


def whole_columns(ring: keyring.Keyring, reference: keyring.KeyringReference) -> None:
    """Columns, and some of a table."""
    cipher = columns.ColumnCipher(ring, ("customers", "email"), padding=16)
    columns.ColumnCipher(reference, ("t", "c"), index_keys=ring, bits=64, framing="bare")
    cells = cipher.encrypt(["text", None], rows=[1, 2], threads=2)
    assert_type(cipher.decrypt(cells, [1, 2], on_error="null", type=int), tuple[Any, int])
    assert_type(columns.seal({"a": 1}, {"email": cipher}, rows="id"), dict[str, int])
    assert_type(columns.unseal([1], {"email": cipher}, None, types={"email": "text"}), list[int])
    columns.ColumnCipher(b"key", ("t", "c"))  # type: ignore[arg-type]
    columns.ColumnCipher(ring, "email")  # type: ignore[arg-type]
    columns.ColumnCipher(ring, ("t", "c"), framing="none")  # type: ignore[arg-type]
    cipher.decrypt(cells, on_error="skip")  # type: ignore[call-overload]


class SealedCustomer:
    """A class with sealed columns."""

    card_cell = sealed_column(nullable=True)
    card_index = index_column(bits=96, unique=True)
    card = sealed(
        FieldCipher(keyring.Keyring.new("shop")),
        "card_cell",
        index="card_index",
        normalize=str.casefold,
    )
    limit = sealed(
        FieldCipher(keyring.Keyring.new("shop")), "card_cell", type=int, bind="column", padding=16
    )


def sealed_columns(row: SealedCustomer) -> None:
    """Read and compare sealed columns."""
    assert_type(SealedCustomer.limit, Comparator[int | None])
    assert_type(row.limit, int | None)
    assert_type(row.card, str | None)
    row.limit = "text"  # type: ignore[assignment]
    print(SealedCustomer.card == "card", SealedCustomer.card.in_(["card"]))
    print(SealedCustomer.card.is_(None), SealedCustomer.card.is_not(None))
    assert_type(seal_values(SealedCustomer, {"card": "x"}), dict[str, Any])
    assert_type(open_all([row], "card"), list[Any])
    print(Sealed, SealedType(), IndexType(96), UnsealedError)
    engine = create_engine("sqlite://")
    done = rewrite(engine, SealedCustomer, ["card"], batch=10, dry_run=True, progress=print)
    assert_type(done, Progress)
    assert_type(rows_to_rewrite(engine, SealedCustomer, "card"), int)
    rewrite(engine, SealedCustomer, sources={"card": ("plain", str)}, after=done.position)


class TypedCustomer:
    """What a model of Django declares."""

    email: SealedField[str] = SealedField(
        models.EmailField(), index=BlindIndex(bits=96, normalize=str.casefold), unique=True
    )
    age: SealedField[int | None] = SealedField(models.IntegerField(null=True), bind="column")
    note = SealedField(models.TextField())
    objects = SealedManager()


def django_models(row: TypedCustomer) -> None:
    """Attributes have the type that their field was given; without one they have any."""
    assert_type(row.email, str)
    assert_type(row.age, int | None)
    assert_type(row.note, Any)
    assert_type(TypedCustomer.age, SealedField[int | None])
    row.age = None
    row.age = "text"  # type: ignore[assignment]
    row.email = None  # type: ignore[assignment]
    open_all_rows([row], "email", "age")
    SealedField(models.TextField(), bind="table")  # type: ignore[arg-type]
    BlindIndex(bits="96")  # type: ignore[arg-type]
