# SPDX-License-Identifier: Apache-2.0
"""Libraries that read tables and arrays read them out of sealed files."""

import base64
import io
import random

import pytest

from pythemis import files

pytestmark = pytest.mark.integration

fsspec = pytest.importorskip("fsspec")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("pandas")

import pandas as pd  # noqa: E402
import pyarrow.dataset as ds  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from pythemis.files.fsspec import SealedFileSystem  # noqa: E402
from support.counted import Counted  # noqa: E402

KEY = bytes(range(32))
OPTIONS = {"sealed": {"key": "env:LAKE_KEY"}}
URL = "sealed::counted://lake/table.parquet"
ROWS, COLUMNS = 500_000, 12  # 48 MB


@pytest.fixture(autouse=True)
def lake(monkeypatch):
    """Give a key in the environment."""
    monkeypatch.setenv("LAKE_KEY", base64.b64encode(KEY).decode())
    SealedFileSystem.clear_instance_cache()


def columns(rows=ROWS):
    """Make a table of random numbers."""
    draw = random.Random(17)
    pool = [draw.random() for _ in range(rows + COLUMNS)]
    return pa.table({f"c{number}": pool[number : number + rows] for number in range(COLUMNS)})


def store(table, path="/lake/table.parquet", **options):
    """Write a table as a sealed Parquet file; give its bytes."""
    made = io.BytesIO()
    with files.open(made, "wb", key=KEY) as file:
        pq.write_table(table, file, compression="none", use_dictionary=False, **options)
    Counted.store.clear()
    fs = fsspec.filesystem("counted")
    fs.pipe_file(path, made.getvalue())
    Counted.ranges.clear()
    return made.getvalue()


@pytest.mark.parametrize("row_groups", [1, 4])
def test_one_column_takes_few_requests(row_groups):
    """One column of a 48 MB Parquet file takes at most 8 requests, and a quarter of its bytes."""
    table = columns()
    size = len(store(table, row_group_size=ROWS // row_groups))
    assert size > 48_000_000
    fs, path = fsspec.core.url_to_fs(URL, **OPTIONS)

    read = pq.read_table(path, filesystem=fs, columns=["c5"])

    assert read.column("c5").equals(table.column("c5"))
    assert len(Counted.ranges) <= 8
    assert sum(end - start for start, end in Counted.ranges) < size / 4


def test_pandas_reads_a_url():
    """The storage_options of pandas carry the name of the key."""
    table = columns(1000)
    store(table)
    assert pd.read_parquet(URL, storage_options=OPTIONS).equals(table.to_pandas())
    table.to_pandas().to_csv("sealed::counted://lake/t.csv", index=False, storage_options=OPTIONS)
    assert Counted.store["/lake/t.csv"].getvalue().startswith(b"TSFILE1")
    read = pd.read_csv("sealed::counted://lake/t.csv", storage_options=OPTIONS)
    assert read.equals(table.to_pandas())


def test_a_dataset_is_a_folder_of_sealed_files():
    """Datasets of pyarrow list, filter and read."""
    table = columns(1000)
    store(table, "/lake/part=1/a.parquet")
    fs = SealedFileSystem(target_protocol="counted", key="env:LAKE_KEY")
    with fs.open("/lake/part=2/b.parquet", "wb") as file:
        pq.write_table(table, file)
    found = ds.dataset("/lake", filesystem=fs, partitioning="hive")
    assert found.count_rows() == 2000
    assert found.to_table(filter=ds.field("part") == 2).num_rows == 1000


def test_duckdb_queries_a_file():
    """DuckDB reads through the file system that is registered with it."""
    duckdb = pytest.importorskip("duckdb")
    table = columns(1000)
    store(table)
    connection = duckdb.connect()
    connection.register_filesystem(SealedFileSystem(target_protocol="counted", key="env:LAKE_KEY"))
    [[count, total]] = connection.sql(
        "select count(*), sum(c3) from 'sealed://lake/table.parquet'"
    ).fetchall()
    assert (count, round(total, 6)) == (1000, round(sum(table["c3"].to_pylist()), 6))


def test_file_objects_are_read(tmp_path):
    """What files.open returns is read by pyarrow, pandas and h5py, which seek in it."""
    h5py = pytest.importorskip("h5py")
    table = columns(1000)
    path = tmp_path / "table"
    path.write_bytes(store(table))
    with files.open(path, key=KEY) as file:
        assert pq.read_table(file).equals(table)
    with files.open(path, key=KEY) as file:
        assert pd.read_parquet(file).equals(table.to_pandas())
    made = io.BytesIO()
    with h5py.File(made, "w") as array:
        array["numbers"] = table["c0"].to_numpy()
    with files.open(path, "wb", key=KEY) as file:
        file.write(made.getvalue())
    with files.open(path, key=KEY) as file, h5py.File(file, "r") as array:
        assert array["numbers"][:].tolist() == table["c0"].to_pylist()
