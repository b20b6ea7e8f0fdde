# SPDX-License-Identifier: Apache-2.0
"""``pythemis columns`` with files of Parquet: what stays, what changes, what is refused.

pyarrow is brought by ``make test GROUP=integration``; without it these tests are skipped.
"""

import base64
import datetime
import decimal
import io
import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from pythemis import columns, keyring
from pythemis.columns import ColumnCipher
from pythemis.place import place
from support.engines import spark_session
from support.memory import growth_of, on_linux

pytestmark = pytest.mark.integration

WAY = ["--keyring", "shop.ring", "--keyring-key", "key", "--table", "customers"]
EMAIL = [*WAY, "--column", "email", "--rows", "id"]
MOMENT = datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)


@pytest.fixture
def pq():
    """Give what writes and reads Parquet."""
    return pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def shop(pythemis):
    """Make a keyring."""
    pythemis("keygen", "-o", "key")
    assert pythemis("keyring", "new", "shop.ring", "-k", "key").status == 0
    return pythemis


def ring():
    """Load the ring as a program does."""
    return keyring.load("shop.ring", "shop", key=base64.b64decode(Path("key").read_bytes()))


def table(rows=1000):
    """Make a table with columns of many types."""
    import pyarrow as pa

    ids = range(rows)
    email = pa.array([None if row % 7 == 0 else f"user{row}@example.com" for row in ids])
    city = pa.array([f"city {row % 50}" for row in ids]).dictionary_encode()
    prices = [decimal.Decimal(row) / 4 for row in ids]
    made = {
        "id": pa.array(ids, pa.int64()),
        "email": email,
        "card": pa.array([row.to_bytes(4, "big") for row in ids], pa.binary()),
        "age": pa.array(ids, pa.uint16()),
        "city": city,
        "when": pa.array([MOMENT] * rows, pa.timestamp("us", "Europe/Berlin")),
        "day": pa.array([MOMENT.date()] * rows),
        "price": pa.array(prices, pa.decimal128(12, 2)),
        "ratio": pa.array([row / 3 for row in ids], pa.float32()),
        "tags": pa.array([["a", None], None] * (rows // 2)),
        "more": pa.array([{"x": row, "y": [{"z": True}]} for row in ids]),
        "map": pa.array([[("k", 1)]] * rows, pa.map_(pa.string(), pa.int8())),
        "fixed": pa.array([b"abc"] * rows, pa.binary(3)),
        "large": pa.array(["x"] * rows, pa.large_string()),
    }
    fields = [
        pa.field(name, values.type, name != "id", {"PARQUET:field_id": str(100 + at), "of": name})
        for at, (name, values) in enumerate(made.items())
    ]
    arrays = [values.combine_chunks() if hasattr(values, "combine_chunks") else values
              for values in made.values()]  # fmt: skip
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, {"own": "data"}))


def leaves(pq, path):
    """Give what the columns are in Parquet's own types."""
    schema = pq.ParquetFile(path).schema
    return {str(schema.column(at)) for at in range(len(schema.names))}


def test_a_file_goes_there_and_back(shop, pq):
    """Types, metadata, groups and compression of all other columns stay; a ring reads a cell."""
    codecs = {"id": "zstd", "tags.list.element": "gzip"}
    pq.write_table(table(), "t", row_group_size=300, compression=codecs)
    before = pq.read_table("t")
    way = [*EMAIL, "--column", "card", "--column", "age"]
    ran = shop("columns", "seal", "t", "-o", "sealed", *way, "--threads", "2", "--json")
    assert (ran.status, ran.err) == (0, "")
    counts = {"rows": 1000, "cells": 2857, "nulls": 143, "rotated": 0}
    assert json.loads(ran.out) == {"schema": 1, "file": "t", **counts}
    sealed = pq.read_table("sealed")
    assert ring().decrypt(
        sealed["email"][8].as_py(), place("customers", "email", 8)
    ) == b"\0user8@example.com"  # fmt: skip
    assert ring().decrypt(sealed["age"][8].as_py(), place("customers", "age", "8")) == b"\x008"
    changed = dict.fromkeys(["email", "card", "age"], sealed["email"].type)
    for one, other in zip(before.schema, sealed.schema, strict=True):
        assert other.equals(one.with_type(changed.get(one.name, one.type)), check_metadata=True)
    assert sealed.schema.metadata == {b"own": b"data"}
    assert sealed.drop_columns([*changed]).equals(before.drop_columns([*changed]))
    lost = "".join(leaves(pq, "t") - leaves(pq, "sealed"))
    assert lost.count("  path: ") == lost.count("  path: email") + lost.count("  path: age") == 2
    old, new = pq.ParquetFile("t").metadata, pq.ParquetFile("sealed").metadata
    assert [new.row_group(at).num_rows for at in range(4)] == [300, 300, 300, 100]
    for at in range(old.num_columns):
        one, other = old.row_group(0).column(at), new.row_group(0).column(at)
        wanted = "UNCOMPRESSED" if one.path_in_schema in changed else one.compression
        assert other.compression == wanted
    types = ["--type", "card=bytes", "--type", "age=int"]
    assert shop("columns", "unseal", "sealed", "-o", "again", *way, *types).status == 0
    again = pq.read_table("again")
    at = before.schema.get_field_index("age")
    assert again.equals(before.set_column(at, "age", before["age"].cast("int64")))
    promote = [shop("keyring", each, "shop.ring", "-k", "key") for each in ("add", "promote")]
    assert [ran.status for ran in promote] == [0, 0]
    assert shop("columns", "rotate", "sealed", *way).out == (
        b"sealed: 2857 of 2857 cells are encrypted anew\n"
    )
    assert b"all 2857 cells are under" in shop("columns", "rotate", "sealed", *way).out
    shop("columns", "unseal", "sealed", "-o", "last", *way, *types)
    assert pq.read_table("last").equals(again)


def test_a_pipe_takes_the_table(shop, pq):
    """Parquet leaves through the standard output, and does not come from a pipe."""
    pq.write_table(table(10), "t")
    ran = shop("columns", "seal", "t", *EMAIL)
    assert pq.read_table(io.BytesIO(ran.out))["email"].type == "binary"
    assert shop("columns", "unseal", "-", *EMAIL, stdin=ran.out).status == 0  # it is a file there


def test_only_what_needs_it_is_rotated(shop, pq):
    """Cells under the primary key stay as they are, beside others; so does their type."""
    import pyarrow as pa

    old = ColumnCipher(ring(), ("customers", "email")).encrypt(["a", None, "b"], [1, 2, 3])
    for each in ("add", "promote"):
        shop("keyring", each, "shop.ring", "-k", "key")
    new = ColumnCipher(ring(), ("customers", "email")).encrypt(["c"], [4])
    for kind in (pa.binary(), pa.large_binary()):
        made = pa.table({"id": [1, 2, 3, 4], "email": pa.array(old + new, kind)})
        pq.write_table(made, "t")
        ran = shop("columns", "rotate", "t", *EMAIL, "--json")
        assert json.loads(ran.out)["rotated"] == 2
        rotated = pq.read_table("t")["email"]
        assert (rotated.type, rotated[3].as_py()) == (kind, new[0])


def test_pandas_and_spark_find_the_types_of_the_new_columns(shop, pq):
    """What they leave in the file about sealed columns would have them read cells as text."""
    pd = pytest.importorskip("pandas")
    import pyarrow as pa

    frame = pd.DataFrame(
        {"email": ["a", None], "city": ["x", "y"]}, index=pd.Index([5, 6], name="id")
    )
    made = pa.Table.from_pandas(frame)
    key = b"org.apache.spark.sql.parquet.row.metadata"
    fields = [{"name": name, "type": "string"} for name in ("email", "city")]
    metadata = {
        **made.schema.metadata,
        key: json.dumps({"type": "struct", "fields": fields}).encode(),
    }
    pq.write_table(made.replace_schema_metadata(metadata), "t")
    shop("columns", "seal", "t", "-o", "sealed", *EMAIL)
    sealed = pd.read_parquet("sealed")
    assert list(sealed.index) == [5, 6]
    assert isinstance(sealed["email"][5], bytes)
    types = [each["type"] for each in json.loads(pq.read_schema("sealed").metadata[key])["fields"]]
    assert types == ["binary", "string"]
    shop("columns", "unseal", "sealed", "-o", "again", *EMAIL)
    pd.testing.assert_frame_equal(pd.read_parquet("again"), pd.read_parquet("t"))
    assert pq.read_schema("again").metadata[key] == metadata[key]
    for broken in (b"", b"[]", b'{"fields": 5}', b'{"fields": [5]}', b"[" * 100_000):
        pq.write_table(made.replace_schema_metadata({key: broken}), "t")
        assert shop("columns", "seal", "t", "-f", "-o", "sealed", *EMAIL).status == 0
        assert pq.read_schema("sealed").metadata[key] == broken


def test_row_ids_of_every_kind(shop, pq):
    """Text, numbers, bytes, UUIDs, dictionaries; a doubled one is found in another group."""
    import pyarrow as pa

    one = uuid.UUID(int=7)
    kinds = {
        "text": ["a", "b"],
        "numbers": pa.array([2**64 - 1, 5], pa.uint64()),
        "bytes": [b"\xff", b""],
        "UUIDs": pa.array([one.bytes, bytes(16)], pa.uuid()),
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
    }
    for kind, ids in kinds.items():
        made = pa.table({"id": ids, "email": ["x", "y"]})
        pq.write_table(made, "t")
        assert shop("columns", "seal", "t", "-f", "-o", "sealed", *EMAIL).status == 0, kind
        sealed = pq.read_table("sealed")
        if kind == "UUIDs":
            cell = sealed["email"][0].as_py()
            assert ring().decrypt(cell, place("customers", "email", one)) == b"\0x"
        opened = columns.unseal(
            sealed, {"email": ColumnCipher(ring(), ("customers", "email"))}, "id"
        )
        assert opened["email"].to_pylist() == [b"x", b"y"]
        pq.write_table(pa.concat_tables([made, made]), "t", row_group_size=2)
        Path("sealed").unlink()
        ran = shop("columns", "seal", "t", "-o", "sealed", *EMAIL)
        assert (ran.status, Path("sealed").exists()) == (1, False), kind
        assert "its row id occurs before" in ran.err
        nulls = pa.table({"id": ids, "email": pa.nulls(2, pa.string())})
        pq.write_table(pa.concat_tables([made, nulls]), "t", row_group_size=2)
        assert shop("columns", "seal", "t", "-o", "sealed", *EMAIL).status == 0, kind


REFUSED = (
    *("no such column", "no such ids", "null ids", "ids of doubles", "doubled ids", "doubles"),
    *("structs", "no rows of doubles"),
)


def hostile():
    """Give tables that are refused, and what is said."""
    import pyarrow as pa

    text = pa.array(["a", "b"])
    return {
        "no such column": ({"id": [1, 2], "mail": text}, "it has no column 'email'; it has 'id',"),
        "no such ids": ({"row": [1, 2], "email": text}, "it has no column 'id'"),
        "null ids": ({"id": [1, None], "email": text}, "column 'email', row 1: its row id is null"),
        "ids of doubles": ({"id": [1.5, 2.5], "email": text}, "rows cannot be read: "),
        "doubled ids": ({"id": [1, 1], "email": text}, "column 'email', row 1: its row id occurs"),
        "doubles": ({"id": [1, 2], "email": [1.5, 2.5]}, "column 'email': array cannot be read: "),
        "structs": ({"id": [1, 2], "email": [{"a": 1}] * 2}, "column 'email': array cannot be"),
        "no rows of doubles": ({"id": [], "email": pa.array([], pa.float64())}, "array cannot be"),
    }


@pytest.mark.parametrize("name", REFUSED)
def test_a_table_that_cannot_be_sealed_is_refused(shop, pq, name):
    """One sentence that names the column and the row; no output."""
    import pyarrow as pa

    data, said = hostile()[name]
    pq.write_table(pa.table(data), "t")
    ran = shop("columns", "seal", "t", "-o", "sealed", *EMAIL)
    assert (ran.status, ran.out, Path("sealed").exists()) == (1, b"", False)
    assert said in ran.err
    assert ran.err.startswith("pythemis: t: ")
    assert sorted(Path().glob(".pythemis*")) == []


def test_other_mistakes(shop, pq):
    """Types for a file that has types; cells that are none; a value that is no integer."""
    import pyarrow as pa

    pq.write_table(pa.table({"id": [1], "email": ["a"], "note": ["ann@example.com"]}), "t")
    ran = shop("columns", "seal", "t", *EMAIL, "--type", "text")
    assert (ran.status, "--type is for CSV" in ran.err) == (2, True)
    ran = shop("columns", "unseal", "t", *WAY, "--column", "note", "--rows", "id")
    assert (ran.status, "column 'note', row 0: " in ran.err, "ann@" in ran.err) == (1, True, False)
    assert shop("columns", "seal", "t", "-o", "sealed", *EMAIL).status == 0
    ran = shop("columns", "seal", "sealed", *EMAIL)
    assert (ran.status, "column 'email' is sealed already" in ran.err) == (1, True)
    ran = shop("columns", "unseal", "sealed", *EMAIL, "--type", "int")
    assert (ran.status, "column 'email', row 0: the value is not of type int" in ran.err) == (
        1,
        True,
    )
    made = ColumnCipher(ring(), ("customers", "email")).encrypt([2**63], [1])
    pq.write_table(pa.table({"id": [1], "email": made}), "big")
    ran = shop("columns", "unseal", "big", *EMAIL, "--type", "int")
    assert (ran.status, "does not fit in a column of type int64" in ran.err) == (1, True)
    assert shop("columns", "unseal", "big", "-o", "out", *EMAIL).status == 0
    assert pq.read_table("out")["email"].to_pylist() == [str(2**63)]


SPARK = """
id, concat('user', id) as email, cast(id as decimal(10, 2)) as price,
cast(id as decimal(30, 2)) as big, array(1, null) as list, map('key', id) as map,
named_struct('x', 1, 'y', 'z') as struct, date_add(date'9999-12-01', 1) as day, id % 2 = 0 as even,
cast(id as byte) as small, cast('2020-01-01' as timestamp_ntz) as moment, 1 / 3d as ratio
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.usefixtures("shop")
def test_a_file_of_spark_stays_one(tmp_path):
    """Spark reads all columns as they were, and the sealed one as bytes; INT96 is refused."""
    sql = pytest.importorskip("pyspark.sql")

    def said(*arguments):  # Spark writes to the same stderr as this process
        command = [sys.executable, "-m", "pythemis", "columns", *arguments, *EMAIL]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    with spark_session(builder) as session:
        frame = session.sql(f"select {SPARK} from range(100)")
        frame.coalesce(1).write.parquet(str(tmp_path / "spark"))
        [path] = (tmp_path / "spark").glob("*.parquet")
        assert said("seal", path, "-o", "sealed.parquet") == ""
        sealed = session.read.parquet(str(tmp_path / "sealed.parquet"))
        assert dict(sealed.dtypes) == {**dict(frame.dtypes), "email": "binary"}
        assert sealed.drop("email").collect() == frame.drop("email").collect()
        assert said("unseal", "sealed.parquet", "-o", "again.parquet") == ""
        again = session.read.parquet(str(tmp_path / "again.parquet"))
        assert (again.dtypes, again.collect()) == (frame.dtypes, frame.collect())
        old = frame.selectExpr("id", "email", "timestamp'2020-01-01' as old")
        old.coalesce(1).write.parquet(str(tmp_path / "old"))
        [path] = (tmp_path / "old").glob("*.parquet")
        assert "its type, INT96: write it" in said("seal", path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_said(shop, pq):
    """One sentence, also when pyarrow cannot end the file."""
    pq.write_table(table(100), "t")
    ran = shop("columns", "seal", "t", *EMAIL, "-o", "/dev/full")
    said = "pythemis: the output cannot be written: No space left on device\n"
    assert ran == (1, b"", said)


def test_a_damaged_file_is_refused(shop, pq):
    """Cut anywhere, or with other bytes: a sentence, or the same table; never a traceback."""
    pq.write_table(table(50), "t", write_page_checksum=True)
    whole = Path("t").read_bytes()
    shop("columns", "seal", "t", "-o", "sealed", *WAY, "--column", "email", "--no-rows")
    for at in (4, 20, len(whole) // 2, len(whole) - 1):
        Path("cut").write_bytes(whole[:at])
        ran = shop("columns", "seal", "cut", "-o", "out", *EMAIL)
        assert (ran.status, Path("out").exists()) == (1, False)
        assert "this Parquet file is corrupted" in ran.err
    said = set()
    for at in range(4, len(whole) - 8, 97):
        Path("changed").write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        ran = shop("columns", "seal", "changed", "-o", "out", "-f", *EMAIL)
        assert ran.status in (0, 1)
        assert "internal error" not in ran.err
        said.add(ran.status)
    assert 1 in said


def test_what_pyarrow_writes_otherwise_is_refused(shop, pq):
    """Timestamps of 96 bits and annotations that would be lost are named, not changed."""
    import pyarrow as pa

    made = pa.table({"id": [1], "email": ["a"], "when": pa.array([MOMENT.replace(year=2000)])})
    pq.write_table(made, "t", use_deprecated_int96_timestamps=True)
    ran = shop("columns", "seal", "t", *EMAIL)
    assert (ran.status, ran.out) == (1, b"")
    assert "column 'when' cannot be copied without changing its type, INT96: write it" in ran.err
    ids = pa.array([1, 2**40], pa.timestamp("us"))
    decimals = pa.array([decimal.Decimal("1.50")] * 2, pa.decimal128(9, 2))
    made = pa.table({"id": [1, 2], "email": ["a", "b"], "when": ids, "price": decimals})
    pq.write_table(made, "t", store_decimal_as_integer=True, use_compliant_nested_type=False)
    assert shop("columns", "seal", "t", "-o", "sealed", *EMAIL).status == 0
    assert {leaf for leaf in leaves(pq, "t") if "price" in leaf} <= leaves(pq, "sealed")


def test_without_pyarrow_one_sentence_names_it(shop, pq, monkeypatch):
    """CSV works; Parquet says what is missing."""
    pq.write_table(table(2), "t")
    monkeypatch.setitem(sys.modules, "pythemis.columns.arrow", None)
    ran = shop("columns", "seal", "t", *EMAIL)
    said = "pythemis: Parquet needs pyarrow 20 or newer: install it; CSV needs nothing\n"
    assert ran == (1, b"", said)
    assert shop("columns", "seal", *EMAIL, stdin=b"id,email\n1,a\n").status == 0


@pytest.mark.limited
@on_linux
@pytest.mark.usefixtures("shop")
def test_memory_is_that_of_a_group(pq):
    """A table of four times the rows, in one group, takes about the same memory."""
    import pyarrow as pa

    def taken(millions):
        writer = None
        for part in range(millions * 4):
            ids = range(part * 250_000, (part + 1) * 250_000)
            made = pa.table({"id": ids, "email": [f"user{row}@example.com" for row in ids]})
            writer = writer or pq.ParquetWriter("big", made.schema)
            writer.write_table(made)
        writer.close()
        command = ["columns", "seal", "big", "-f", "-o", "sealed", *EMAIL]
        return growth_of(*command, after="import pyarrow.parquet")

    assert taken(4) < taken(1) + (48 << 10)  # KiB
