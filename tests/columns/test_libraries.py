# SPDX-License-Identifier: Apache-2.0
"""Columns and tables of pyarrow, Polars and pandas: in, out, and as the libraries have them.

They are brought by ``make test GROUP=integration``; without them these tests are skipped.
"""

import uuid

import pytest

from pythemis import columns
from pythemis.columns import ColumnCipher, ColumnError, ColumnTypeError, ColumnValueError
from pythemis.keyring import Keyring
from pythemis.place import place

pytestmark = pytest.mark.integration

RING = Keyring.new("shop").add()
NAMES = ("customers", "email")
CIPHER = ColumnCipher(RING, NAMES)
VALUES = ["ann@example.com", "", None, "bob@example.com, a long one"]
IDS = [5, 6, 7, 8]


def expect(cells):
    """Check that a keyring reads these cells."""
    for value, row, cell in zip(VALUES, IDS, cells, strict=True):
        assert (cell and RING.decrypt(cell, place(*NAMES, row))) == (
            value if value is None else b"\0" + value.encode()
        )


def test_pyarrow():
    """Every type of text and bytes, sliced and chunked; the result is an array of pyarrow."""
    pa = pytest.importorskip("pyarrow")
    kinds = [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary_view()]
    kinds.append(pa.dictionary(pa.int16(), pa.string()))
    ids = pa.array(["x", *map(str, IDS)])[1:]
    for kind in kinds:
        array = pa.array(["before", *VALUES, "after"], kind)[1:-1]
        cells = CIPHER.encrypt(array, ids, threads=2)
        assert cells.type == pa.binary()
        cells.validate(full=True)
        expect(cells.to_pylist())
        opened = CIPHER.decrypt(cells, ids, type="text")
        opened.validate(full=True)
        assert (opened.type, opened.to_pylist()) == (pa.string(), VALUES)
        chunked = pa.chunked_array([array, array[:0], array[2:]], kind)
        more = pa.chunked_array([pa.array([*IDS, 9]), pa.array([10])])
        cells = CIPHER.encrypt(chunked, more)
        assert isinstance(cells, pa.ChunkedArray)
        assert CIPHER.decrypt(cells, more, type="text").to_pylist() == VALUES + VALUES[2:]
    one = uuid.uuid4()
    cells = CIPHER.encrypt(pa.array(["a"]), pa.array([one.bytes], pa.uuid()))
    assert RING.decrypt(cells[0].as_py(), place(*NAMES, one)) == b"\0a"


def test_polars():
    """Series in, series of the same name out; categories have a cell for each row."""
    pl = pytest.importorskip("polars")
    for kind in (pl.String, pl.Categorical, pl.Enum(sorted(v for v in VALUES if v is not None))):
        series = pl.Series("email", VALUES, kind)
        cells = CIPHER.encrypt(series, pl.Series("id", IDS))
        assert (cells.name, cells.dtype) == ("email", pl.Binary)
        expect(cells.to_list())
        opened = CIPHER.decrypt(cells, pl.Series(IDS), type="text")
        assert (opened.dtype, opened.to_list()) == (pl.String, VALUES)
    with pytest.raises(ColumnError, match="neither text, bytes, integers nor UUIDs"):
        CIPHER.encrypt(pl.Series([1.5]))


def test_pandas():
    """Series of every kind of text, with the index and the name of what was given."""
    pd = pytest.importorskip("pandas")
    index = ["w", "x", "y", "z"]
    for kind in (object, "string", "category"):
        series = pd.Series(VALUES, index, kind, "email")
        cells = CIPHER.encrypt(series, pd.Series(IDS, index=index[::-1]))
        assert (cells.name, list(cells.index)) == ("email", index)
        expect([None if cell is pd.NA else cell for cell in cells])
        opened = CIPHER.decrypt(cells, IDS, type="text")
        assert [None if value is pd.NA else value for value in opened] == VALUES
    with pytest.raises(ColumnTypeError, match="values of several types") as caught:
        CIPHER.encrypt(pd.Series(["secret", 5, b"x"]))
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


def tables():
    """Make the same table of each library."""
    data = {"id": IDS, "email": VALUES, "card": ["1", None, "3", "4"], "city": list("abcd")}
    pa, pl, pd = map(pytest.importorskip, ("pyarrow", "polars", "pandas"))
    return [pa.table(data), pa.record_batch(data), pl.DataFrame(data), pd.DataFrame(data)]


@pytest.mark.parametrize("number", range(4))
def test_tables(number):
    """Some columns are sealed, unsealed and rotated; the others and their order stay."""
    table = tables()[number]
    new = RING.add()
    new = new.promote(new.ids[-1])
    ciphers = {"email": CIPHER, "card": ColumnCipher(RING, ("customers", "card"), padding=16)}
    later = {name: ColumnCipher(new, cipher.column) for name, cipher in ciphers.items()}
    sealed = columns.seal(table, ciphers, rows="id", threads=2)
    assert type(sealed) is type(table)
    assert list(sealed["city"]) == list(table["city"])
    rotated = columns.rotate(sealed, later, rows="id")
    types = {"email": "text", "card": "text"}
    opened = columns.unseal(rotated, later, rows="id", types=types)
    names = ["id", "email", "card", "city"]
    assert list(getattr(opened, "column_names", None) or getattr(opened, "columns", names)) == names
    as_list = [None if value != value else value for value in map(plain, opened["email"])]
    assert as_list == VALUES


@pytest.mark.parametrize("number", range(5))
def test_tables_with_a_key_of_several_columns(number):
    """The columns of a primary key are a list of names, whose order is that of the key."""
    table = (*tables(), tables()[2].lazy())[number]
    types = {"email": "text"}
    sealed = columns.seal(table, {"email": CIPHER}, rows=["city", "id"])
    opened = columns.unseal(sealed, {"email": CIPHER}, rows=("city", "id"), types=types)
    if number == 4:
        sealed, opened = sealed.collect(), opened.collect()
    for value, city, row, cell in zip(
        VALUES, "abcd", IDS, map(plain, sealed["email"]), strict=True
    ):
        if value is not None:
            assert RING.decrypt(cell, place(*NAMES, city, row)) == b"\0" + value.encode()
    assert [None if one != one else one for one in map(plain, opened["email"])] == VALUES
    for rows, text in (([], "rows names no column"), (["id", "town"], "0 columns named 'town'")):
        with pytest.raises(ColumnError, match=text):
            columns.seal(table, {"email": CIPHER}, rows=rows)


def plain(value):
    """Give a value as Python has it."""
    value = value.as_py() if hasattr(value, "as_py") else value
    return None if type(value).__name__ == "NAType" else value


def test_mistakes_with_tables():
    """Columns that are not there, the row ids themselves, no cipher; errors name the column."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"id": IDS, "email": VALUES})
    for ciphers, rows, text in (
        ({"mail": CIPHER}, "id", "0 columns named 'mail'"),
        ({"email": CIPHER}, "row", "0 columns named 'row'"),
        ({"id": CIPHER}, "id", "must stay readable"),
        ({"email": RING}, "id", "needs a ColumnCipher, not Keyring"),
        ([CIPHER], "id", "ciphers must be a dict"),
    ):
        with pytest.raises(ColumnError, match=text):
            columns.seal(table, ciphers, rows)
    double = pa.table([pa.array([1, 1]), pa.array(["a", "b"])], ["id", "email"])
    with pytest.raises(
        ColumnValueError, match="column 'email': row 1: its row id occurs"
    ) as caught:
        columns.seal(double, {"email": CIPHER}, "id")
    assert caught.value.index == 1
    with pytest.raises(ColumnError, match="no cipher here"):
        columns.unseal(table, {"email": CIPHER}, "id", types={"mail": "text"})
    with pytest.raises(ColumnError, match="fields of its own: pass a column"):
        CIPHER.encrypt(table)


def test_parquet(tmp_path):
    """Sealed columns survive a Parquet file, which DuckDB reads as well."""
    pa, duckdb = map(pytest.importorskip, ("pyarrow", "duckdb"))
    pq = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "customers.parquet"
    sealed = columns.seal(pa.table({"id": IDS, "email": VALUES}), {"email": CIPHER}, rows="id")
    pq.write_table(sealed, path)
    found = duckdb.sql(f"select email, id from '{path}' order by id desc").to_arrow_table()
    for table in (pq.read_table(path), found):
        opened = columns.unseal(table, {"email": CIPHER}, rows="id", types={"email": "text"})
        pairs = zip(opened["id"].to_pylist(), opened["email"].to_pylist(), strict=True)
        assert sorted(pairs) == list(zip(IDS, VALUES, strict=True))
