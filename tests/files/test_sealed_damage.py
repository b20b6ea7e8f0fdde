# SPDX-License-Identifier: Apache-2.0
"""Sealed files that were changed: all refused, and nothing unauthentic leaves."""

import io
import itertools

import pytest

from pythemis import _sealed
from pythemis.exception import THEMIS_CODES, ThemisError
from support.cells import FEWER
from support.sealed import ERRORS, case_of, opened, read_stream, read_whole, stream_parts, unlock_of

KEY, PIECE, HEAD = b"k" * 32, 4096, 14 + 80 + 32
CHUNK = PIECE + 44
UNLOCK = _sealed.Unlock(keys=[(b"", KEY)], context=b"context", max_iterations=3000)
DATA = b"".join(b"%08d" % i for i in range(1100))  # of three pieces, the last of 608 bytes


def seal(data=DATA):
    """Seal in small pieces."""
    return _sealed.seal_bytes(ERRORS, data, _sealed.Slots(keys=[(b"", KEY)]), b"context", log2=12)


FILE = seal()


def assert_refused(file, unlock=UNLOCK, data=DATA):
    """Neither reader takes the file; what a stream gave before is the beginning of the data."""
    with pytest.raises(ThemisError):
        read_whole(file, unlock)
    parts, error = stream_parts(io.BytesIO(file).read, unlock)
    assert error is not None
    assert data.startswith(b"".join(parts))


def flips(size, head):
    """Give bits to flip: all of header and mac and where chunks begin, one of every other byte."""
    for at in range(size):
        inside = (at - head) % CHUNK
        bits = range(8) if at < head or inside < 60 else [at % 8]
        yield from ((at, 1 << bit) for bit in bits)


def flipped(file, at, bit):
    """Give the file with a bit changed."""
    return file[:at] + bytes([file[at] ^ bit]) + file[at + 1 :]


def test_every_bit_counts():
    """Not one can be changed in the header, the mac or a chunk."""
    for at, bit in itertools.islice(flips(len(FILE), HEAD), 0, None, FEWER):
        assert_refused(flipped(FILE, at, bit))


@pytest.mark.parametrize(
    "name", ["passphrase-one-iteration", "recipient", "recipient-hidden", "sender", "service"]
)
def test_every_bit_of_a_header_counts(name):
    """Nor in the slots of the other kinds."""
    case = case_of(name)
    file, unlock = (
        case["file"],
        unlock_of(case | {"unlock": case["unlock"] | {"max_iterations": 3000}}),
    )
    data = read_whole(file, unlock)[0]
    head = opened(file, unlock).layout.start
    for at, bit in itertools.islice(flips(head, head), 0, None, FEWER):
        assert_refused(flipped(file, at, bit), unlock, data)


def test_every_length_counts():
    """No beginning of a file is a file, nor is one with bytes behind it."""
    for size in range(0, len(FILE), FEWER):
        assert_refused(FILE[:size])
    for more in (1, 44, 52, 60, CHUNK, CHUNK + 1):
        assert_refused(FILE + bytes(more))
        assert_refused(FILE + FILE[HEAD : HEAD + more])


@pytest.mark.parametrize("size", [HEAD, HEAD + 43, HEAD + 51, HEAD + CHUNK + 51])
def test_a_cut_that_shows_is_malformed(size):
    """What cannot be a last chunk is said to be cut."""
    for read in (read_whole, read_stream):
        with pytest.raises(ThemisError, match="cut") as caught:
            read(FILE[:size], UNLOCK)
        assert caught.value.error_code == THEMIS_CODES.DATA_CORRUPT


def test_bytes_cannot_be_put_in_or_taken_out():
    """Wherever a byte is inserted or removed, the file is refused."""
    places = [*range(HEAD + 60), *range(HEAD + 60, len(FILE), 97)]
    for at in places[::FEWER]:
        assert_refused(FILE[:at] + FILE[at + 1 :])
        assert_refused(FILE[:at] + b"\0" + FILE[at:])
        assert_refused(FILE[:at] + FILE[at : at + 1] + FILE[at:])


def chunks_of(file):
    """Give the header with its mac, and the chunks."""
    return file[:HEAD], [file[at : at + CHUNK] for at in range(HEAD, len(file), CHUNK)]


def test_chunks_keep_their_places():
    """Every other sequence of a file's chunks is refused, with fewer and with more of them."""
    head, chunks = chunks_of(FILE)
    for count in range(5):
        for order in itertools.product(range(3), repeat=count):
            if order != (0, 1, 2):
                assert_refused(head + b"".join(chunks[i] for i in order))


def test_chunks_stay_in_their_file():
    """Files of one key, context and data share no chunk, no header and no mac."""
    others = [chunks_of(seal()), chunks_of(seal(DATA[:PIECE])), chunks_of(seal(bytes(9000)))]
    head, chunks = chunks_of(FILE)
    for other_head, other_chunks in others:
        assert_refused(other_head + b"".join(chunks))
        assert_refused(head + b"".join(other_chunks))
        assert_refused(head[:-32] + other_head[-32:] + b"".join(chunks))
        for place, chunk in itertools.product(range(4), other_chunks):
            assert_refused(head + b"".join([*chunks[:place], chunk, *chunks[place + 1 :]]))
            assert_refused(head + b"".join([*chunks[:place], chunk, *chunks[place:]]))


def test_a_damaged_piece_alone_is_refused():
    """Random access reads the whole pieces of a damaged file and refuses the damaged one."""
    for number in range(2):  # the last one is read where the file is opened
        reader = opened(flipped(FILE, HEAD + number * CHUNK + 100, 1), UNLOCK)
        other = 1 - number
        buffer = bytearray(b"\xa5" * PIECE)
        assert reader.read(other * PIECE, PIECE) == DATA[other * PIECE : (other + 1) * PIECE]
        with pytest.raises(ThemisError, match="corrupted"):
            reader.read(number * PIECE + 5, 1)
        with pytest.raises(ThemisError, match="corrupted"):
            reader.readinto(number * PIECE, buffer)
        assert bytes(buffer) == bytes(PIECE)  # what was decrypted there is wiped
        buffer = bytearray(b"\xa5" * 2 * PIECE)
        with pytest.raises(ThemisError, match="corrupted"):
            reader.readinto(0, buffer)
        assert bytes(buffer) == bytes(2 * PIECE)  # and so is what is authentic beside it
        with pytest.raises(ThemisError, match="corrupted"):
            reader.verify()


def test_a_file_that_changes_is_never_read_wrongly():
    """After a file was opened, other bytes in its place are refused, and so is its end."""
    states = [FILE, seal(bytes(len(DATA))), flipped(FILE, HEAD + 100, 1), FILE[: HEAD + CHUNK]]
    for state in states[1:]:
        now = [FILE]
        reader = _sealed.Reader(
            ERRORS, lambda at, n, now=now: now[0][at : at + n], len(FILE), UNLOCK
        )
        now[0] = state
        with pytest.raises(ThemisError, match=r"corrupted|ends early"):
            reader.read(0, 2 * PIECE)


def test_a_stream_that_changes_is_refused():
    """Bytes of another version behind the header, or behind a chunk, are refused."""
    other = seal()
    for at in (HEAD, HEAD + CHUNK, HEAD + 2 * CHUNK):
        assert_refused(FILE[:at] + other[at:])
