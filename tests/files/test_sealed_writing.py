# SPDX-License-Identifier: Apache-2.0
"""Sealed files that are written: other programs read them, and hostile arguments are refused."""

import itertools
import os
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pythemis import _sealed
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.keyring import SecretKey
from pythemis.skeygen import GenerateKeyPair, public_from_private
from support import sealed_reference as reference
from support.keys import generated
from support.sealed import ERRORS, BareService, opened, read_stream, read_whole

KEY, CONTEXT, PIECE = b"k" * 32, b"a context", 4096
PRIVATE, PUBLIC = zip(generated("EC"), generated("EC", curve="P-256"), strict=True)
MANY = [GenerateKeyPair("EC").export_public_key() for _ in range(65)]
UNCOMPRESSED = [public_from_private(private, uncompressed=True) for private in PRIVATE]
ONE_KEY = _sealed.Slots(keys=[(b"", KEY)])
OPENS = _sealed.Unlock(keys=[(b"", KEY)], context=CONTEXT)
LENGTHS = [0, 1, *range(PIECE - 9, PIECE + 2), *range(2 * PIECE - 9, 2 * PIECE + 2)]


def seal(data, slots=ONE_KEY, context=CONTEXT, **options):
    """Seal in small pieces."""
    return _sealed.seal_bytes(ERRORS, data, slots, context, log2=12, **options)


def by_reference(file, context=CONTEXT, **unlock):
    """Read a file with the reference."""
    return reference.SealedFile(file, reference.Unlock(**unlock), context).read()


@pytest.mark.parametrize("pad", [None, "padme", 100, PIECE, PIECE + 1, PIECE + 8, 3 * PIECE])
def test_every_length_is_read_by_others(pad):
    """At the edges of pieces, padded or not, a file has the size and content that it must."""
    for length in LENGTHS:
        data = os.urandom(length)
        file = seal(data, pad=pad)
        assert by_reference(file, keys=[(b"", KEY)]) == data
        assert read_whole(file, OPENS) == (data, "key")
        assert read_stream(file, OPENS) == data
        total = length + 8
        total = max(total, pad) if isinstance(pad, int) else total
        total = reference.padme(total) if pad == "padme" else total
        total += 8 - total % PIECE if 0 < total % PIECE < 8 else 0
        assert len(file) == 14 + 80 + 32 + total + 44 * -(-total // PIECE)


KINDS = {
    "key": (_sealed.Slots(keys=[(b"ident", KEY)]), {"keys": [(b"ident", KEY)]}),
    "passphrase": (
        _sealed.Slots(passphrases=["gehëim"], iterations=314110),
        {"passphrase": "gehëim".encode()},
    ),
    "recipient": (_sealed.Slots(recipients=[(PUBLIC[0], False)]), {"private": PRIVATE[0]}),
    "hidden": (_sealed.Slots(recipients=[(PUBLIC[0], True)]), {"private": PRIVATE[0]}),
    "sender": (
        _sealed.Slots(sender=(PRIVATE[1], PUBLIC[0])),
        {"private": PRIVATE[0], "sender": PUBLIC[1]},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_slot_is_read_by_others(kind):
    """What a slot was made for opens the file, here and elsewhere; the context counts."""
    slots, given_ = KINDS[kind]
    file = seal(b"data", slots)
    assert by_reference(file, **given_) == b"data"
    mine = {"private_key" if name == "private" else name: value for name, value in given_.items()}
    data, opened_by = read_whole(file, _sealed.Unlock(context=CONTEXT, **mine))
    assert (data, opened_by) == (b"data", kind.replace("hidden", "recipient"))
    with pytest.raises(ThemisError) as caught:
        opened(file, _sealed.Unlock(context=b"another", **mine))
    assert caught.value.error_code == THEMIS_CODES.FAIL


def test_passphrases_are_written_with_many_iterations():
    """A passphrase slot asks for 600,000 iterations unless told otherwise."""
    file = seal(b"", _sealed.Slots(passphrases=[b"secret"]))
    [slot] = opened(file, _sealed.Unlock(passphrase="secret", context=CONTEXT)).opened.slots
    assert slot.iterations == 600_000


def test_several_slots_open_one_file():
    """Slots are written in one order, and each alone opens the file."""
    service = BareService("payroll-2026", b"s" * 32)
    slots = _sealed.Slots(
        keys=[(b"ident", KEY), (b"", b"j" * 16)],
        recipients=[(PUBLIC[0], False), (PUBLIC[1], True)],
        services=[service],
    )
    file = seal(b"data", slots)
    for unlock, kind in (
        ({"keys": [(b"ident", KEY)]}, "key"),
        ({"keys": [(b"other", b"j" * 16)]}, "key"),
        ({"private_key": PRIVATE[0]}, "recipient"),
        ({"private_key": PRIVATE[1]}, "recipient"),
        ({"services": [service]}, "service"),
    ):
        found = read_whole(file, _sealed.Unlock(context=CONTEXT, **unlock))
        assert found == (b"data", kind)
    kinds = [
        slot.kind
        for slot in opened(file, _sealed.Unlock(services=[service], context=CONTEXT)).opened.slots
    ]
    assert kinds == [1, 1, 3, 3, 5]


def test_recipients_are_dropped_if_doubled():
    """A key that is given twice, in whatever form, has one slot."""
    forms = [(PUBLIC[0], False), (UNCOMPRESSED[0], False), (PUBLIC[0], True)]
    file = seal(b"data", _sealed.Slots(recipients=forms))
    assert file[9] == 1
    assert by_reference(file, private=PRIVATE[0]) == b"data"


def test_public_keys_may_be_uncompressed():
    """Names are of the compressed form, whatever form is given, to write and to read."""
    file = seal(b"data", _sealed.Slots(sender=(PRIVATE[1], UNCOMPRESSED[0])))
    unlock = _sealed.Unlock(private_key=PRIVATE[0], sender=UNCOMPRESSED[1], context=CONTEXT)
    assert read_whole(file, unlock) == (b"data", "sender")


def test_secret_keys_are_taken():
    """A SecretKey opens and seals as key, passphrase and private key."""
    key, phrase = SecretKey.from_bytes(KEY), SecretKey.from_bytes(b"a passphrase")
    private = SecretKey.from_bytes(PRIVATE[0])
    slots = _sealed.Slots(keys=[(b"", key)], passphrases=[phrase], iterations=314110)
    file = seal(b"data", slots)
    assert by_reference(file, keys=[(b"", KEY)]) == b"data"
    assert by_reference(file, passphrase=b"a passphrase") == b"data"
    for unlock in ({"keys": [(b"", key)]}, {"passphrase": phrase}):
        assert read_whole(file, _sealed.Unlock(context=CONTEXT, **unlock))[0] == b"data"
    file = seal(b"data", _sealed.Slots(sender=(private, PUBLIC[1])))
    unlock = {"private_key": SecretKey.from_bytes(PRIVATE[1]), "sender": PUBLIC[0]}
    assert read_whole(file, _sealed.Unlock(context=CONTEXT, **unlock)) == (b"data", "sender")
    key.close()
    with pytest.raises(ThemisValueError, match="closed"):
        seal(b"", _sealed.Slots(keys=[(b"", key)]))


@given(st.lists(st.integers(0, 9000), max_size=6), st.sampled_from([None, "padme", 20000]))
def test_any_writes_make_one_file(sizes, pad):
    """However data are cut into writes, they are read again, and the writer counts them."""
    data = bytes(sum(sizes) // 2) + os.urandom(sum(sizes) - sum(sizes) // 2)
    parts = []
    writer = _sealed.Writer(ERRORS, parts.append, ONE_KEY, CONTEXT, log2=12, pad=pad)
    for start, size in zip(itertools.accumulate(sizes, initial=0), sizes, strict=False):
        assert writer.write(memoryview(data)[start : start + size]) == size
    assert writer.finish() == writer.written == len(b"".join(parts))
    assert writer.length == len(data)
    assert read_whole(b"".join(parts), OPENS) == (data, "key")


def test_a_large_file_is_written_in_steps():
    """Pieces reach the destination before the end, and what is not finished is no file."""
    parts = []
    writer = _sealed.Writer(ERRORS, parts.append, ONE_KEY, CONTEXT)
    writer.write(bytes(1 << 19))
    assert sum(map(len, parts)) > 1 << 19
    writer.close()
    with pytest.raises(ThemisError) as caught:
        read_stream(b"".join(parts), OPENS)
    assert caught.value.error_code == THEMIS_CODES.FAIL
    for call in (writer.finish, lambda: writer.write(b"more")):
        with pytest.raises(ThemisValueError, match="finished"):
            call()


def test_nothing_follows_a_write_that_failed():
    """No piece is encrypted twice: after an error of the destination the writer is dead."""
    calls = []

    def write(data):
        calls.append(len(data))
        if len(calls) == 2:
            raise OSError("full")

    writer = _sealed.Writer(ERRORS, write, ONE_KEY, CONTEXT)
    with pytest.raises(OSError, match="full"):
        writer.write(bytes(1 << 18))
    for call in (writer.finish, lambda: writer.write(b"more")):
        with pytest.raises(ThemisValueError, match="failed"):
            call()
    assert len(calls) == 2


def interrupted(step, function, *arguments):
    """Call a function with a KeyboardInterrupt at a step of the writer; return whether it came."""
    steps = iter(range(1, step + 1))

    def line(_frame, event, _):
        if event == "line" and next(steps, step) == step:
            sys.settrace(None)
            raise KeyboardInterrupt
        return line

    before = sys.gettrace()
    sys.settrace(lambda frame, *_: line if "writing" in frame.f_code.co_filename else None)
    try:
        function(*arguments)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("verb", ["write", "finish"])
def test_an_interrupted_write_makes_no_wrong_file(verb):
    """Whatever line a signal handler raises at, a file that can be finished holds what it must."""
    first, second = os.urandom(PIECE), os.urandom(300_000)
    came, step = True, 0
    while came:
        step += 1
        parts = []
        writer = _sealed.Writer(ERRORS, parts.append, ONE_KEY, CONTEXT, log2=12)
        writer.write(first)
        came = interrupted(step, *((writer.write, second) if verb == "write" else [writer.finish]))
        with suppress(ThemisError):
            writer.finish()
            assert read_whole(b"".join(parts), OPENS)[0] in (first, first + second)
    assert step > 10


def test_a_writer_that_was_closed_while_it_wrote_stays_closed():
    """Its file is cut, and no later call makes it look whole."""
    parts = []

    def write(data):
        parts.append(data)
        if len(parts) == 2:
            writer.close()

    writer = _sealed.Writer(ERRORS, write, ONE_KEY, CONTEXT, log2=12)
    writer.write(bytes(300_000))
    with pytest.raises(ThemisValueError, match="finished, or writing it failed"):
        writer.finish()


def test_files_never_share_a_key():
    """Two files of the same data have nothing in common but what is fixed."""
    first, second = seal(bytes(9000)), seal(bytes(9000))
    same = sum(a == b for a, b in zip(first[34:], second[34:], strict=True))
    assert same < len(first) // 50  # by chance 1 in 256, and what cells begin with


class Wrapping:
    """A service that returns what it is told."""

    def __init__(self, answer, name="service"):
        self.name, self._answer = name, answer

    def wrap(self, *_):
        return self._answer


def keys(*pairs):
    """Give slots of keys alone."""
    return _sealed.Slots(keys=pairs)


P384, RSA = generated("EC", curve="P-384"), generated("RSA")
WRONG_SLOTS = {
    "none": (_sealed.Slots(), "for no one"),
    "short key": (keys((b"", b"k" * 15)), "15 bytes.*16 or more"),
    "text for a key": (keys((b"", "k" * 32)), "must be bytes, not str"),
    "key id": (keys((b"four", KEY)), "5 bytes, or none"),
    "text for an id": (keys(("ident", KEY)), "key id must be bytes"),
    "one id twice": (keys((b"ident", KEY), (b"ident", b"j" * 32)), "another slot.*has its id"),
    "256 slots": (keys(*[(b"", KEY)] * 256), "1 to 255 slots, not 256"),
    "empty passphrase": (_sealed.Slots(passphrases=[""]), "is empty"),
    "lone surrogate": (_sealed.Slots(passphrases=["\ud800"]), "surrogate"),
    "five passphrases": (_sealed.Slots(passphrases=["a"] * 5), "4 passphrases"),
    "few iterations": (_sealed.Slots(passphrases=["a"], iterations=314109), "iterations must be"),
    "no passphrase": (_sealed.Slots(passphrases=[7]), "must be text, bytes"),
    "private recipient": (_sealed.Slots(recipients=[(PRIVATE[0], False)]), "a public key"),
    "recipient on P-384": (
        _sealed.Slots(recipients=[(P384[1], False)]),
        "EC key of 256 bits",
    ),
    "RSA recipient": (
        _sealed.Slots(recipients=[(RSA[1], False)]),
        "EC key of 256 bits",
    ),
    "65 hidden": (
        _sealed.Slots(
            recipients=[(GenerateKeyPair("EC").export_public_key(), True) for _ in range(65)]
        ),
        "64 hidden",
    ),
    "sender and key": (
        _sealed.Slots(keys=[(b"", KEY)], sender=(PRIVATE[0], PUBLIC[0])),
        "one recipient alone",
    ),
    "public sender": (_sealed.Slots(sender=(PUBLIC[0], PUBLIC[0])), "a private key"),
    "service without body": (_sealed.Slots(services=[Wrapping(b"")]), "returned 0 bytes"),
    "service of 64 KiB": (_sealed.Slots(services=[Wrapping(bytes(65536))]), "returned 65536 bytes"),
    "service of text": (_sealed.Slots(services=[Wrapping("text")]), "must be bytes, not str"),
    "service name": (_sealed.Slots(services=[Wrapping(b"x", "a b")]), "ASCII characters"),
    "long service name": (_sealed.Slots(services=[Wrapping(b"x", "a" * 256)]), "ASCII"),
    "service name of bytes": (_sealed.Slots(services=[Wrapping(b"x", b"a")]), "must be str"),
    "one service twice": (_sealed.Slots(services=[Wrapping(b"x")] * 2), "two services"),
    "slots too long": (
        _sealed.Slots(services=[Wrapping(bytes(65535), f"s{i}") for i in range(5)]),
        "262144",
    ),
}


@pytest.mark.parametrize("name", WRONG_SLOTS)
def test_slots_that_readers_refuse_are_not_written(name):
    """Each is an argument error of one sentence, before anything is written."""
    slots, words = WRONG_SLOTS[name]
    written = []
    with pytest.raises((ThemisTypeError, ThemisValueError), match=words) as caught:
        _sealed.Writer(ERRORS, written.append, slots, CONTEXT)
    assert caught.value.error_code == THEMIS_CODES.INVALID_PARAMETER
    assert written == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"log2": 11}, "12 to 24"),
        ({"log2": 25}, "12 to 24"),
        ({"log2": True}, "must be an int"),
        ({"log2": 16.0}, "must be an int"),
        ({"pad": -1}, "pad must be"),
        ({"pad": "none"}, "pad must be"),
        ({"pad": 1.5}, "pad must be"),
        ({"pad": True}, "pad must be"),
        ({"context": "text"}, "must be bytes, not str"),
        ({"context": b"TK1 keyring shop"}, "reserved"),
        ({"context": b"TK9"}, "reserved"),
    ],
)
def test_wrong_arguments_are_refused(options, words):
    """So is everything else that no reader would take."""
    with pytest.raises((ThemisTypeError, ThemisValueError), match=words):
        _sealed.Writer(ERRORS, [].append, ONE_KEY, **options)


def test_keyring_code_may_use_reserved_contexts():
    """Only who says so writes and reads keyrings."""
    context = b"TK1 keyring shop"
    file = seal(b"ring", context=context, reserved=True)
    unlock = _sealed.Unlock(keys=[(b"", KEY)], context=context)
    assert read_whole(file, unlock, reserved=True) == (b"ring", "key")
    for read in (read_whole, read_stream, opened):
        with pytest.raises(ThemisValueError, match="reserved"):
            read(file, unlock)


def rewrapped(file, slots, unlock=OPENS, **options):
    """Give the file another header."""
    reader = opened(file, unlock)
    head = _sealed.rewrap_head(ERRORS, reader.opened, slots, **options)
    return head + file[reader.layout.start :]


def test_rewrapping_keeps_what_is_asked_for():
    """New slots open the same chunks; old ones stay only where they are kept."""
    both = _sealed.Slots(keys=[(b"ident", KEY)], recipients=[(PUBLIC[0], False)])
    file, new = seal(b"data" * 2000, both), _sealed.Slots(keys=[(b"", b"n" * 32)])
    with_new = _sealed.Unlock(keys=[(b"", b"n" * 32)], context=CONTEXT)
    for keep, opens in (((), 0), ((0,), 1), ((1,), 2), ((0, 1), 3)):
        made = rewrapped(file, new, keep=keep)
        assert read_whole(made, with_new)[0] == b"data" * 2000
        for bit, unlock in ((1, {"keys": [(b"ident", KEY)]}), (2, {"private_key": PRIVATE[0]})):
            if opens & bit:
                assert read_whole(made, _sealed.Unlock(context=CONTEXT, **unlock))[0]
            else:
                with pytest.raises(ThemisError):
                    opened(made, _sealed.Unlock(context=CONTEXT, **unlock))
    assert rewrapped(file, _sealed.Slots(), keep=[0, 1]) == file
    with pytest.raises(ThemisValueError, match="1 to 255 slots, not 0"):
        rewrapped(file, _sealed.Slots())


def test_renaming_keeps_recipients_alone():
    """Slots of secrets are bound to the old context; a new one needs the caller's word."""
    both = _sealed.Slots(keys=[(b"ident", KEY)], recipients=[(PUBLIC[0], False)])
    file = seal(b"data", both)
    with pytest.raises(ThemisValueError, match="only recipient slots can be kept"):
        rewrapped(file, _sealed.Slots(), context=b"new", keep=[0])
    made = rewrapped(file, _sealed.Slots(), context=b"new", keep=[1])
    assert by_reference(made, b"new", private=PRIVATE[0]) == b"data"
    with pytest.raises(ThemisValueError, match="holders_only"):
        rewrapped(file, ONE_KEY, context=b"new")
    made = rewrapped(file, ONE_KEY, context=b"new", holders_only=True)
    assert by_reference(made, b"new", keys=[(b"", KEY)]) == b"data"
    with pytest.raises(ThemisValueError, match="reserved"):
        rewrapped(file, ONE_KEY, context=b"TK1 keyring shop", holders_only=True)


def test_public_halves_are_compressed_in_names():
    """The name in a slot is the digest of the compressed key."""
    file = seal(b"", _sealed.Slots(recipients=[(UNCOMPRESSED[0], False)]))
    assert file[18:26] == reference.key_name(PUBLIC[0])
