# SPDX-License-Identifier: Apache-2.0
"""``pythemis columns`` with tables of CSV: sealed, unsealed, rotated; what is refused."""

import base64
import csv
import io
import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pythemis import keyring
from pythemis._cli import columns, csv_tables
from pythemis.columns import ColumnCipher
from pythemis.place import place
from support.memory import growth_of, on_linux

WAY = ["--keyring", "shop.ring", "--keyring-key", "key", "--table", "customers"]
EMAIL = [*WAY, "--column", "email", "--rows", "id"]
# What PostgreSQL, spreadsheets and people write: NULL, an empty text, quotes, line ends.
TABLE = (
    b'id,email,note\r\n1,ann@example.com,"a, ""b"""\r\n2,,"x\ny"\r\n3,"",""\r\n'
    b'4,"bob, ""the"" one", spaces \r\n"5",gr\xc3\xb6\xc3\x9fer,\xff\xfe not UTF-8\r\n'
)
VALUES = ["ann@example.com", None, "", 'bob, "the" one', "größer"]


@pytest.fixture
def shop(pythemis):
    """Make a keyring and a table."""
    pythemis("keygen", "-o", "key")
    assert pythemis("keyring", "new", "shop.ring", "-k", "key").status == 0
    Path("table.csv").write_bytes(TABLE)
    return pythemis


def ring():
    """Load the ring as a program does."""
    return keyring.load("shop.ring", "shop", key=base64.b64decode(Path("key").read_bytes()))


def promote(shop):
    """Change to another primary key."""
    for change in ("add", "promote"):
        assert shop("keyring", change, "shop.ring", "-k", "key").status == 0


def cells(data):
    """Give the sealed cells of a table."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")))[1:]
    return [base64.b64decode(row[1]) or None for row in rows]


def test_a_table_goes_there_and_back(shop):
    """NULL and empty text stay apart; all other bytes stay; a program reads each cell."""
    ran = shop("columns", "seal", "table.csv", *EMAIL)
    assert (ran.status, ran.err) == (0, "")
    opened = [
        None if cell is None else ring().decrypt(cell, place("customers", "email", row))
        for row, cell in enumerate(cells(ran.out), 1)
    ]
    assert opened == [None if value is None else b"\0" + value.encode() for value in VALUES]
    others = [line.split(b",", 2)[2] for line in TABLE.replace(b'"bob, ', b"").split(b"\r\n")[:2]]
    assert all(other in ran.out for other in others)
    assert shop("columns", "unseal", *EMAIL, stdin=ran.out) == (0, TABLE, "")
    moved = ran.out.replace(b"\r\n2,", b"\r\n9,").replace(b"\r\n1,", b"\r\n8,")
    ran = shop("columns", "unseal", *EMAIL, stdin=moved)
    assert (ran.status, ran.out) == (1, b"")
    assert "column 'email', line 2: decryption failed" in ran.err


def test_a_byte_order_mark_stays(shop):
    """Spreadsheets write one; it is no part of the first column's name."""
    table = b"\xef\xbb\xbfid,email\n1,a\n"
    sealed = shop("columns", "seal", *EMAIL, stdin=table).out
    assert sealed.startswith(b"\xef\xbb\xbfid,email\n1,VEsx")
    assert shop("columns", "unseal", *EMAIL, stdin=sealed).out == table


def test_what_columns_write_is_read(shop):
    """Cells of the library, padded, and of several columns, which do not open as each other."""
    cipher = ColumnCipher(ring(), ("customers", "email"), padding=16)
    made = cipher.encrypt(["a", None], rows=["x", "y"])
    text = base64.b64encode(made[0])
    table = b"id;email;card\nx;%s;4929\ny;;\n" % text
    way = [*EMAIL, "--delimiter", ";"]
    assert shop("columns", "unseal", *way, stdin=table).out == b"id;email;card\nx;a;4929\ny;;\n"
    both = [*way, "--column", "card", "--pad", "32"]
    sealed = shop("columns", "seal", *both, stdin=b"id;email;card\nx;a;4929\n").out
    _, email, card = sealed.splitlines()[1].split(b";")
    assert len(base64.b64decode(card)) == 8 + 44 + 32
    swapped = b"id;email;card\nx;%s;%s\n" % (card, email)
    both = [*way, "--column", "card"]
    assert shop("columns", "unseal", *both, stdin=sealed).out == b"id;email;card\nx;a;4929\n"
    assert shop("columns", "unseal", *both, stdin=swapped).status == 1


def test_a_key_of_several_columns(shop):
    """--rows is repeated; two rows share one part of it, and none both."""
    table = b"shop,number,email\na,1,x\na,2,y\nb,1,\n"
    way = [*WAY, "--column", "email", "--rows", "shop", "--rows", "number"]
    sealed = shop("columns", "seal", *way, stdin=table).out
    cell = base64.b64decode(sealed.splitlines()[2].split(b",")[2])
    assert ring().decrypt(cell, place("customers", "email", "a", 2)) == b"\0y"
    assert shop("columns", "unseal", *way, stdin=sealed) == (0, table, "")
    more = b"".join(b"c,%d,x\n" % row for row in range(300_000))  # more than one part
    ran = shop("columns", "seal", *way, stdin=table + more + b"a,1,z\n")
    assert (ran.status, "line 300005: its row id occurs before" in ran.err) == (1, True)
    for rows in ("email", "shop"):
        assert shop("columns", "seal", *way, "--rows", rows, stdin=table).status == 2


def test_cells_of_a_column_alone_and_without_a_frame(shop):
    """--no-rows binds to the column, --bare leaves the frame out: what other programs have."""
    way = [*WAY, "--column", "email", "--no-rows", "--bare"]
    sealed = shop("columns", "seal", *way, stdin=b"email\na\n").out
    cell = base64.b64decode(sealed.splitlines()[1])
    assert ring().decrypt(cell, place("customers", "email")) == b"a"
    assert shop("columns", "unseal", *way, stdin=sealed).out == b"email\na\n"
    assert shop("columns", "seal", *way, stdin=b'email\n""\n').status == 1


def test_types(shop):
    """Bytes are base64, in and out; integers have one spelling; text must be UTF-8."""
    way = [*EMAIL, "--type", "email=bytes"]
    data = b"id,email\n1,/wA=\n2,\n"
    sealed = shop("columns", "seal", *way, stdin=data).out
    assert shop("columns", "unseal", *way, stdin=sealed).out == data
    ran = shop("columns", "unseal", *EMAIL, stdin=sealed)
    assert (ran.status, "line 2: " in ran.err) == (1, True)
    for number, status in ((b"42", 0), (b"-7", 0), (b"042", 1), (b"a", 1)):
        sealed = shop("columns", "seal", *EMAIL, stdin=b"id,email\n1,%s\n" % number).out
        ran = shop("columns", "unseal", *EMAIL, "--type", "int", stdin=sealed)
        assert (ran.status, ran.out) == (status, b"" if status else b"id,email\n1,%s\n" % number)


def test_another_text_may_be_null(shop):
    r"""With --null '\N' an empty cell is an empty text, and a quoted \N is text."""
    way = [*EMAIL, "--null", r"\N"]
    table = b'id,email\n1,\\N\n2,\n3,"\\N"\n'
    sealed = shop("columns", "seal", *way, stdin=table).out
    assert [cell is None for cell in sealed_cells(sealed)] == [True, False, False]
    assert shop("columns", "unseal", *way, stdin=sealed).out == table


def sealed_cells(data):
    """Give each row of a table, or None where its last cell is NULL."""
    return [None if line.endswith(b",\\N") else line for line in data.splitlines()[1:]]


def test_rotation_replaces_only_what_needs_it(shop):
    """What is under the primary key is left alone, the file as well; the number is told."""
    shop("columns", "seal", "table.csv", *EMAIL, "-o", "sealed.csv")
    before = Path("sealed.csv").read_bytes()
    state = Path("sealed.csv").stat()
    ran = shop("columns", "rotate", "sealed.csv", *EMAIL)
    assert ran == (0, b"sealed.csv: all 4 cells are under the primary key already\n", "")
    after = Path("sealed.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (state.st_ino, state.st_mtime_ns)
    promote(shop)
    new = shop("columns", "seal", *EMAIL, stdin=b"id,email,note\r\n6,new,\r\n").out
    Path("sealed.csv").write_bytes(before + new.split(b"\r\n", 1)[1])
    ran = shop("columns", "rotate", "sealed.csv", *EMAIL)
    assert ran == (0, b"sealed.csv: 4 of 5 cells are encrypted anew\n", "")
    rotated = Path("sealed.csv").read_bytes()
    assert rotated.endswith(new.split(b"\r\n", 1)[1])
    assert not any(map(ring().needs_rotation, filter(None, cells(rotated))))
    opened = shop("columns", "unseal", "sealed.csv", *EMAIL).out
    assert opened == TABLE + b"6,new,\r\n"
    Path("no.csv").write_bytes(b"id,email\n1,a\n")
    ran = shop("columns", "rotate", "sealed.csv", "no.csv", *EMAIL, "--json")
    counts = {"rows": 6, "cells": 5, "nulls": 1, "rotated": 0}
    assert json.loads(ran.out) == {"schema": 1, "file": "sealed.csv", **counts}
    assert (ran.status, ran.err.startswith("pythemis: no.csv: ")) == (3, True)
    assert Path("no.csv").read_bytes() == b"id,email\n1,a\n"
    assert sorted(Path().glob(".pythemis*")) == []


def test_the_report(shop):
    """Rows, cells and NULLs are counted; the report does not mix with the table."""
    ran = shop("columns", "seal", "table.csv", *EMAIL, "-o", "out", "--json")
    counts = {"rows": 5, "cells": 4, "nulls": 1, "rotated": 0}
    assert json.loads(ran.out) == {"schema": 1, "file": "table.csv", **counts}
    ran = shop("columns", "seal", "table.csv", *EMAIL, "--json")
    assert (ran.status, ran.out, "needs -o OUT" in ran.err) == (2, b"", True)


@pytest.mark.parametrize("size", [1, 50])
def test_an_id_may_not_occur_twice_in_the_whole_file(shop, monkeypatch, size):
    """Also where the two rows are far apart; the ids of rows without a value do not count."""
    monkeypatch.setattr(csv_tables, "_PART_CELLS", size)
    table = b"id,email\n" + b"".join(b"%d,v\n" % number for number in range(100))
    for doubled, line in ((b"7,w\n", 102), (b"", None), (b"7,\n", None)):
        ran = shop("columns", "seal", *EMAIL, "-o", "out", "-f", stdin=table + doubled)
        assert ran.status == (0 if line is None else 1)
        assert (f"line {line}: its row id occurs before" in ran.err) is (line is not None)
        assert Path("out").exists() is (line is None)
        Path("out").unlink(missing_ok=True)
    assert sorted(Path().glob(".pythemis*")) == []


HOSTILE = {
    "nothing": (b"", "it is empty: a CSV file begins with the names"),
    "no such column": (b"id,mail\n1,a\n", "it has no column 'email'; it has 'id', 'mail'"),
    "no such ids": (b"row,email\n1,a\n", "it has no column 'id'"),
    "another delimiter": (b"id;email\n1;a\n", "it has 'id;email'; name what separates cells"),
    "two of a name": (b"id,email,email\n1,a,b\n", "it has 2 columns named 'email'"),
    "a null id": (b"id,email\n1,a\n,b\n", "column 'email', line 3: its row id is null"),
    "a short row": (b"id,email\n1,a\n2\n", "line 3: the number of its cells is 1, and"),
    "a long row": (b"id,email\n1,a\n2,b,c\n", "line 3: the number of its cells is 3, and"),
    "an empty line": (b"id,email\n1,a\n\n", "line 3: the number of its cells is 1, and"),
    "an open quote": (b'id,email\n1,"a\n2,b\n', "line 2: a quote that begins in this row is not"),
    "text behind a quote": (b'id,email\n1,"a"b\n', "line 2: a cell goes on behind the quote"),
    "a quote not doubled": (b'id,email\n1,"a"b"c"\n', "line 2: a cell goes on behind the quote"),
    "one quote": (b'id,email\n1,"\n"x,b\n', "line 2: a cell goes on behind the quote"),
    "a quote inside": (b'id,email\n5",6"\n', "line 2: a quote is within a cell that does not"),
    "quotes inside": (b'id,email\n1,5"x6"\n', "line 2: a quote is within a cell that does not"),
    "old line ends": (b"id,email\r1,a\r", "line 1: a carriage return is outside of quotes"),
    "UTF-16": ("id,email\n1,a\n".encode("utf-16"), "it is no CSV in UTF-8: convert it"),
    "UTF-16, no mark": ("id,email\n1,a\n".encode("utf-16-le"), "it is no CSV in UTF-8"),
    "no UTF-8": (b"id,email\n1,\xe9\n", "column 'email', line 2: it is no UTF-8"),
    "no UTF-8 above": (b"id,\xe9mail\n1,a\n", "line 1: the names of the columns are no UTF-8"),
    "a pipe of Parquet": (b"PAR1PAR1", "cannot be read from a pipe: name the file"),
}


@pytest.mark.parametrize(("table", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_table_that_is_no_such_table_is_refused(shop, monkeypatch, table, said):
    """One sentence that says where; no output."""
    if "pipe" in said:  # the standard input of these tests is a file
        monkeypatch.setattr("pythemis._cli.pipes.S_ISREG", lambda _: False)
    ran = shop("columns", "seal", *EMAIL, "-o", "out", stdin=table)
    assert said in ran.err
    assert (ran.status, ran.out) == (2 if "pipe" in said else 1, b"")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "cell",
    [
        b"ann@example.com",
        b"YQ==",
        b"VEsx",
        b"%s=",
        b" %s",
        b"%s ",
        b'"%s""',
        b"==%s",
        b'""',
        b"%%s",
    ],
)
def test_a_cell_that_is_none_is_refused(shop, cell):
    """No base64, another spelling of it, and base64 of something else; the line is named."""
    sealed = base64.b64encode(ring().encrypt(b"\0a", place("customers", "email", "2")))
    data = cell.replace(b"%s", sealed)
    ran = shop("columns", "unseal", *EMAIL, stdin=b"id,email\n1,\n2,%s\n" % data)
    assert (ran.status, ran.out, "line 3: " in ran.err) == (1, b"", True)
    assert "ann@" not in ran.err
    assert shop("columns", "unseal", *EMAIL, stdin=b"id,email\n2,%s\n" % sealed).status == 0


def test_what_is_sealed_is_not_sealed_again(shop):
    """The first value shows it, which happens when a job runs twice."""
    sealed = shop("columns", "seal", "table.csv", *EMAIL).out
    ran = shop("columns", "seal", *EMAIL, stdin=sealed)
    assert (ran.status, ran.out) == (1, b"")
    assert "column 'email' is sealed already" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "email", "--rows", "id", "--table", "t"], "name the keyring: --keyring RING"),
        ([*WAY, "--column", "email"], "--rows --no-rows is required"),
        ([*WAY, "--rows", "id"], "--column"),
        ([*EMAIL, "--column", "email"], "each column is named once"),
        ([*EMAIL, "--column", "id"], "those of the row ids are not sealed"),
        ([*EMAIL, "--type", "card=text"], "--type is followed by text, bytes or int"),
        ([*EMAIL, "--type", "date"], "--type is followed by text, bytes or int"),
        ([*EMAIL, "--type", "int"], "integers are sealed as they are written"),
        ([*EMAIL, "--threads", "0"], "--threads is followed by a number, 1 or more"),
        ([*EMAIL, "--pad", "padme"], "--pad is followed by a number, 0 or more"),
        ([*EMAIL, "--delimiter", '"'], "--delimiter is followed by one character"),
        ([*EMAIL, "--delimiter", "="], "--delimiter is followed by one character"),
        ([*EMAIL, "--delimiter", "ab"], "--delimiter is followed by one character"),
        ([*EMAIL, "--null", "a,b"], "--null is followed by text without quotes"),
        ([*EMAIL[:3], "-", *EMAIL[4:]], "the standard input cannot be both a key and the data"),
    ],
)
def test_mistakes_are_usage_errors(shop, arguments, said):
    """One sentence that says what to give, and the status 2."""
    ran = shop("columns", "seal", *arguments, stdin=TABLE)
    assert (ran.status, ran.out) == (2, b"")
    assert said in ran.err


def test_rotate_needs_names_of_files(shop):
    """The standard input cannot be replaced, and what is not there neither."""
    for name in ("-", "missing"):
        assert shop("columns", "rotate", name, *EMAIL).status == 2


def test_a_row_that_is_too_long_is_refused_before_it_is_read(shop, monkeypatch):
    """A line without an end, or an open quote, does not fill the memory."""
    monkeypatch.setattr(csv_tables, "_LONGEST", 1000)
    for row in (b"1," + b"x" * 2000, b'1,"' + b"x\n" * 2000, b"1," + b'""' * 1000):
        ran = shop("columns", "seal", *EMAIL, stdin=b"id,email\n" + row)
        assert "line 2: this row is longer than 1000 bytes" in ran.err
    fits = b"id,email\n1," + b"x" * 990 + b"\n"
    sealed = shop("columns", "seal", *EMAIL, stdin=fits).out
    monkeypatch.setattr(csv_tables, "_LONGEST", 1 << 24)
    assert shop("columns", "unseal", *EMAIL, stdin=sealed).out == fits


@pytest.mark.timing
@pytest.mark.parametrize("piece", [b'""', b"\n", b",", b'","', b'"\n"'], ids=repr)
def test_a_hostile_row_costs_linear_time(piece):
    """Four times the quotes, line ends or delimiters take about four times the time."""

    def cost(times):
        data = b'id,"' + piece * times + b'"\n'
        taken = []
        for _ in range(3):
            file = io.BufferedReader(io.BytesIO(data))
            began = time.process_time()
            with suppress(ValueError):
                csv_tables.CsvTable(file, None, lambda _: None, delimiter=b",", null=b"")
            taken.append(time.process_time() - began)
        return min(taken)

    assert cost(4_000_000) < 12 * cost(1_000_000)


CELL = st.none() | st.text(max_size=8) | st.sampled_from(["", ",", '"', "\n", "\r", '""', r"\N"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    st.sampled_from([b",", b";", b"\t", b"|", b"\x01"]),
    st.sampled_from(["", r"\N", "NULL"]),
)
def test_every_cell_is_read_as_it_was_written(rows, delimiter, null):
    """Texts and NULLs of all kinds, in every part; the csv module reads the same texts."""
    written = io.BytesIO()
    options = {"delimiter": delimiter, "null": null.encode()}
    plain = delimiter.join((b"a", b"b")) + b"\n" + (b"x" + delimiter + b"y\n") * len(rows)
    table = csv_tables.CsvTable(
        io.BufferedReader(io.BytesIO(plain)), None, written.write, **options
    )
    for part in table.parts():
        table.put(part, {"a": [row[0] for row in rows], "b": [row[1] for row in rows]})
    again = csv_tables.CsvTable(
        io.BufferedReader(io.BytesIO(written.getvalue())), None, lambda _: None, **options
    )
    [part] = again.parts()
    found = list(zip(part.column("a", "text"), part.column("b", "text"), strict=True))
    assert found == rows
    text = written.getvalue().decode()
    theirs = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter.decode()))[1:]
    assert [[null if one is None else one for one in row] for row in rows] == theirs


@pytest.mark.limited
@on_linux
@pytest.mark.usefixtures("shop")
def test_memory_is_that_of_a_part():
    """A table of ten times the rows takes about the same memory, ids included."""

    def taken(rows):
        with Path("big.csv").open("wb") as file:
            file.write(b"id,email,note\n")
            for number in range(rows):
                file.write(b"%d,user%d@example.com,%s\n" % (number, number, b"n" * 100))
        return growth_of("columns", "seal", "big.csv", "-f", "-o", "sealed.csv", *EMAIL)

    few, many = taken(100_000), taken(1_000_000)
    assert few < 120 << 10  # KiB
    assert many < few + (40 << 10)  # of which 32 MiB are the cache of ids, and their sorting


def test_no_room_for_the_temporary_file(shop, monkeypatch):
    """The ids of many rows are in a file; where it cannot be written, a sentence says so."""

    class Ids(columns.Ids):
        def __init__(self):
            super().__init__()
            self._base.execute("pragma max_page_count = 2")

    monkeypatch.setattr(columns, "Ids", Ids)
    table = b"id,email\n" + b"".join(b"%0100d,x\n" % n for n in range(200))
    Path("large.csv").write_bytes(table)
    ran = shop("columns", "seal", "large.csv", "-o", "sealed.csv", *EMAIL)
    assert ran.status == 1
    assert "do not fit into a temporary file" in ran.err
    assert not Path("sealed.csv").exists()
