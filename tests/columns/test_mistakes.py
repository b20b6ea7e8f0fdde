# SPDX-License-Identifier: Apache-2.0
"""What callers do wrong, and what is no cell: an error that names the row, and nothing partial."""

import enum
import pickle
import threading
import uuid

import pytest

from pythemis import columns
from pythemis.columns import ColumnCipher, ColumnError, ColumnTypeError, ColumnValueError
from pythemis.exception import THEMIS_CODES
from pythemis.keyring import Keyring, from_reference
from pythemis.place import place
from support.arrow import by_offsets, integers, needs_capsules

KEY = bytes(range(32))
RING = Keyring.new("shop").add(KEY)
ALIKE = Keyring.new("index").add(KEY)
NAMES = ("customers", "email")
CIPHER = ColumnCipher(RING, NAMES)
CELLS = CIPHER.encrypt([b"a", b"b", b"c"], [1, 2, 3])


def refused(kind, text, index, call, *arguments, **options):
    """Check that a call is refused with this class, text and row."""
    with pytest.raises(kind) as caught:
        call(*arguments, **options)
    assert text in str(caught.value), str(caught.value)
    assert caught.value.index == index
    return caught.value


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"keys": b"k" * 32}, ColumnTypeError, "keys must be a Keyring"),
        ({"column": "email"}, ColumnTypeError, "two names"),
        ({"column": ("a", "b", "c")}, ColumnTypeError, "two names"),
        ({"column": ("a", None)}, ColumnTypeError, "part 2 of the place is of type NoneType"),
        ({"framing": "none"}, ColumnValueError, '"framed" or "bare"'),
        ({"framing": "bare", "padding": 8}, ColumnValueError, "cannot be padded"),
        ({"padding": 1048577}, ColumnValueError, "it must be 0 (none) to 1048576"),
        ({"padding": True}, ColumnTypeError, "padding must be an integer"),
        ({"bits": 7, "index_keys": RING}, ColumnValueError, "bits must be 8 to 256"),
        ({"index_keys": RING}, ColumnValueError, "needs bits"),
        ({"index_keys": RING, "bits": 8}, ColumnValueError, "is the ring that encrypts"),
        ({"index_keys": ALIKE, "bits": 8}, ColumnValueError, "or share a key"),
        ({"bits": 8, "index_keys": "x"}, ColumnTypeError, "index_keys must be a Keyring"),
    ],
)
def test_definitions(options, kind, text):
    """A definition that is wrong is refused at once."""
    arguments = {"keys": RING, "column": NAMES, **options}
    refused(kind, text, None, ColumnCipher, **arguments)


@pytest.mark.parametrize(
    ("array", "rows", "kind", "text", "index"),
    [
        ("text", None, ColumnTypeError, "array must be a column or a list, not str", None),
        (b"bytes", None, ColumnTypeError, "a column or a list, not bytes", None),
        (5, None, ColumnTypeError, "a column or a list, not int", None),
        ({"a": 1}, None, ColumnTypeError, "a column or a list, not dict", None),
        (["a", b"b"], None, ColumnTypeError, "row 1: array holds text, and here bytes", 1),
        ([None, b"b", "a"], None, ColumnTypeError, "row 2: array holds bytes, and here str", 2),
        ([None, 1.5], None, ColumnTypeError, "row 1: type=float is not offered", 1),
        ([1, True], None, ColumnTypeError, "row 1: the value must be of type int, not bool", 1),
        ([1, "a"], None, ColumnTypeError, "row 1: the value must be of type int, not str", 1),
        ([None, [1]], None, ColumnTypeError, "row 1: type must be one of str, bytes, int", 1),
        (["a", "\ud800"], None, ColumnValueError, "row 1: it has a lone surrogate", 1),
        (["a", "b"], [1], ColumnValueError, "array has 2 rows, and rows 1", None),
        (["a", "b"], "12", ColumnTypeError, "rows must be a column or a list, not str", None),
        (["a", "b"], [1, None], ColumnValueError, "row 1: its row id is null", 1),
        ([None, None], [1, None], ColumnValueError, "row 1: its row id is null", 1),
        (["a", "b", "c"], [1, 2, 1], ColumnValueError, "row 2: its row id occurs before", 2),
        (["a", "b"], [1, "1"], ColumnValueError, "row 1: its row id occurs before", 1),
        (["a", "b"], [1, 1.0], ColumnTypeError, "row 1: its id is of type float", 1),
        (["a", "b"], [1, True], ColumnTypeError, "row 1: its id is of type bool", 1),
        (["a", "b"], [1, 2**64], ColumnValueError, "row 1: its id is an integer of more", 1),
        (["a", "b"], ["a", "b" * 65536], ColumnValueError, "65536 bytes", 1),
        (["a", "b"], ([1, 1], ["x", "x"]), ColumnValueError, "row 1: its row id occurs before", 1),
        (["a", "b"], ([1, 1], ["x", None]), ColumnValueError, "row 1: its row id is null", 1),
        (["a", "b"], ([1, 2], [1]), ColumnValueError, "array has 2 rows, and rows 1", None),
        (["a"], ([1],) * 33, ColumnValueError, "at most 32 parts, and here 33", None),
        (["a"], ([1], "x"), ColumnTypeError, "row 0: its id is of type list", 0),
    ],
)
def test_values_and_rows(array, rows, kind, text, index):
    """Wrong types, mixed ones, and row ids that do not fit name the first row."""
    refused(kind, text, index, CIPHER.encrypt, array, rows)


def test_rows_without_a_value_may_share_an_id():
    """Only rows that have a value need an id of their own."""
    assert CIPHER.encrypt([None, "a", None], [1, 1, 1])[0] is None
    assert CIPHER.encrypt([None, "a", None], ([1, 1, 1], [2, 2, 2]))[0] is None


def test_keys_of_several_columns_have_limits():
    """As many parts as C takes, each as long as it may be."""
    rows = ([b"x" * 65535],) * 32
    cells = CIPHER.encrypt(["a"], rows)
    assert CIPHER.decrypt(cells, rows, type="text") == ["a"]


@pytest.mark.parametrize("first", [0, 1, 30, 31, 32, 63, 64, 98])
@pytest.mark.parametrize("distance", [1, 2, 31, 32, 33, 70])
def test_the_first_row_whose_id_occurs_before(first, distance):
    """Wherever the two rows are, and whatever is wrong after them, the second is named."""
    ids = list(range(200))
    ids[first + distance] = ids[first]
    values = ["a"] * 200
    text = "row id occurs before"
    refused(ColumnValueError, text, first + distance, CIPHER.encrypt, values, ids)
    ids[-1] = ids[-2]
    refused(ColumnValueError, text, first + distance, CIPHER.encrypt, values, ids)
    values[first] = None
    refused(ColumnValueError, text, 199, CIPHER.encrypt, values, ids)


@needs_capsules
def test_ids_of_a_column():
    """Ids in a column are judged as those in a list, each by its bytes."""
    many = list(range(-5000, 5000))
    CIPHER.encrypt([b"x"] * len(many), integers(many))
    many[9_999] = many[17]
    refused(
        ColumnValueError, "occurs before", 9_999, CIPHER.encrypt, [b"x"] * 10_000, integers(many)
    )
    refused(ColumnValueError, "65535", 0, CIPHER.encrypt, ["a"], by_offsets([b"x" * 65536]))
    CIPHER.encrypt(["a"], by_offsets([b"x" * 65535]))
    damaged = by_offsets([b"\xff"], b"u")
    refused(ColumnValueError, "row id is not UTF-8", 0, CIPHER.encrypt, ["a"], damaged)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rows": [1], "contexts": [b"c"]}, "rows or contexts, not both"),
        ({"contexts": [b"c", b"d"]}, "array has 1 rows, and contexts 2"),
        ({"contexts": b"TSFILE1x"}, "begins with TSFILE1"),
        ({"contexts": [b"TSFILE1x"]}, "begins with TSFILE1"),
        ({"contexts": [None]}, "row 0: its context is null"),
        ({"threads": 0}, "threads must be 1 or more"),
    ],
)
def test_contexts_and_threads(options, text):
    """What cannot be a context, and no number of threads."""
    with pytest.raises(ColumnError, match=text):
        CIPHER.encrypt([b"a"], **options)


@pytest.mark.parametrize(
    ("cells", "rows", "text", "index"),
    [
        (CELLS, [1, 3, 2], "row 1: decryption failed: check the context", 1),
        ([CELLS[0], CELLS[2], CELLS[1]], [1, 2, 3], "row 1: decryption failed", 1),
        ([CELLS[0], CELLS[1][:-1], CELLS[2]], [1, 2, 3], "row 1: this is neither", 1),
        (
            [CELLS[0], CELLS[1][8:], CELLS[2]],
            [1, 2, 3],
            "row 1: this is a cell without a key id",
            1,
        ),
        ([CELLS[0], b"", CELLS[2]], [1, 2, 3], "row 1: this is neither", 1),
        ([CELLS[0], b"TK1", b"x"], [1, 2, 3], "row 1: this is neither", 1),
        (
            [CELLS[0], b"TK2" + CELLS[1][3:], CELLS[2]],
            [1, 2, 3],
            "row 1: this stored value is of",
            1,
        ),
        ([b"plain", b"values"], [1, 2], "row 0: this is neither", 0),
        (["text"], [1], "row 0: cells are bytes", 0),
    ],
)
def test_what_is_no_cell(cells, rows, text, index):
    """Cells of other rows, cut ones, and plain values name the first row."""
    for threads in (1, 2):
        refused(ColumnError, text, index, CIPHER.decrypt, cells, rows, threads=threads)


def test_refused_cells_become_null_where_asked():
    """With on_error="null" what is refused becomes null and is counted, and nothing else is."""
    cells = [CELLS[0], CELLS[2], None, b"", CELLS[1]]
    values, count = CIPHER.decrypt(cells, [1, 2, 3, 4, 5], on_error="null")
    assert (values, count) == ([b"a", None, None, None, None], 3)
    text = CIPHER.encrypt([b"\xff", b"ok"], [1, 2])
    assert CIPHER.decrypt(text, [1, 2], type="text", on_error="null") == ([None, "ok"], 1)
    refused(
        ColumnError, "not UTF-8: read it as bytes", 0, CIPHER.decrypt, text, [1, 2], type="text"
    )
    refused(ColumnError, "row id is null", 0, CIPHER.decrypt, CELLS, [None, 2, 3], on_error="null")
    for options in ({"on_error": "ignore"}, {"type": "str"}):
        refused(ColumnError, "must be", None, CIPHER.decrypt, CELLS, [1, 2, 3], **options)


def test_values_of_another_ring_or_framing():
    """Another ring names the key that is missing; framed and bare cells are told apart."""
    other = ColumnCipher(Keyring.new("other").add(), NAMES)
    error = refused(ColumnError, "the ring has no key", 0, other.decrypt, CELLS, [1, 2, 3])
    assert error.error_code == THEMIS_CODES.FAIL
    bare = ColumnCipher(RING, NAMES, framing="bare")
    made = bare.encrypt([b"abc"], [1])
    refused(ColumnError, 'framing="bare"', 0, CIPHER.decrypt, made, [1])
    refused(ColumnError, "bare cells cannot be", 1, bare.encrypt, [b"a", b""], [1, 2])
    refused(
        ColumnError,
        "the ring has no keys",
        None,
        ColumnCipher(Keyring.new("n"), NAMES).encrypt,
        [b"a"],
    )
    refused(ColumnTypeError, "returned int", None, ColumnCipher(lambda: 5, NAMES).encrypt, [b"a"])


def test_columns_without_an_index():
    """Without index keys there is no index, nor under a key that the ring lacks."""
    refused(ColumnValueError, "no blind index", None, CIPHER.blind_index, ["a"])
    made = ColumnCipher(RING, NAMES, index_keys=Keyring.new("index").add(), bits=64)
    refused(ColumnValueError, "has no key 00", None, made.blind_index, ["a"], key_id="0000000000")
    empty = ColumnCipher(RING, NAMES, index_keys=Keyring.new("index"), bits=64)
    refused(ColumnValueError, "no keys", None, empty.blind_index, ["a"])


class Colour(str, enum.Enum):
    """Text that is an enumeration."""

    RED = "red"


def test_subclasses_count_as_what_they_hold():
    """Enumerations of text, subclasses of bytes and buffers are what they hold."""
    cells = CIPHER.encrypt([Colour.RED, "x"], [1, uuid.UUID(int=5)])
    assert CIPHER.decrypt(cells, ["1", str(uuid.UUID(int=5))], type="text") == ["red", "x"]
    cells = CIPHER.encrypt([bytearray(b"a"), memoryview(b"b")], [b"1", 2])
    assert CIPHER.decrypt(cells, [1, "2"]) == [b"a", b"b"]
    lying = type("Lying", (bytes,), {"__bytes__": lambda _: b"another", "__len__": lambda _: 99})
    assert CIPHER.decrypt(CIPHER.encrypt([lying(b"a")])) == [b"a"]
    released = memoryview(b"b")
    released.release()
    refused(ColumnValueError, "row 1: the buffer was released", 1, CIPHER.encrypt, [b"a", released])


def test_no_key_is_pickled():
    """A cipher that holds a ring refuses; one with references pickles as their names."""
    with pytest.raises(
        TypeError, match=r"holds keys and cannot be pickled: .*keyring\.from_reference"
    ):
        pickle.dumps(CIPHER)
    reference = from_reference("env:SHOP_RING", "env:SHOP_KEY", name="shop")
    cipher = ColumnCipher(reference, NAMES, padding=16)
    data = pickle.dumps(cipher)
    again = pickle.loads(data)
    assert b"SHOP_KEY" in data
    assert again._definition == cipher._definition
    assert repr(again) == "<pythemis.columns.ColumnCipher of customers.email>"
    with pytest.raises(TypeError, match="index_keys"):
        pickle.dumps(ColumnCipher(reference, NAMES, index_keys=RING, bits=8))


def test_threads_share_a_cipher():
    """Threads encrypt and decrypt with one cipher, over several threads each."""
    values, ids = [b"value %d" % n for n in range(9000)], range(9000)
    done = []

    def work():
        for _ in range(3):
            done.append(CIPHER.decrypt(CIPHER.encrypt(values, ids, threads=2), ids, threads=2))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [values] * 9


def test_tables_need_a_library():
    """What is no table is refused, and so are wrong names."""
    refused(ColumnTypeError, "is no table of pyarrow", None, columns.seal, {"a": [1]}, {}, None)
    assert place(*NAMES)[0] == 2
