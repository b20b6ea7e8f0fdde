# SPDX-License-Identifier: Apache-2.0
"""Columns in lazy frames of Polars, in DuckDB's SQL, in Dask and in Spark.

They are brought by ``make test GROUP=integration``; without them these tests are skipped.
"""

import base64
import os
import shutil
import sys

import pytest

from pythemis import columns
from pythemis.columns import ColumnCipher, ColumnError
from pythemis.keyring import Keyring, SecretKey, from_reference

pytestmark = pytest.mark.integration

RING = Keyring.new("shop").add()
NAMES = ("customers", "email")
CIPHER = ColumnCipher(RING, NAMES)
IDS = list(range(1, 5001))
VALUES = [None if row % 7 == 0 else f"user{row}@example.com" for row in IDS]
TYPES = {"email": "text"}


@pytest.fixture
def cipher(tmp_path):
    """Give a cipher whose keys are in files, and their bytes."""
    key = os.urandom(32)
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(key))
    path.chmod(0o600)
    RING.save(tmp_path / "ring", key=SecretKey.from_bytes(key))
    reference = from_reference(f"file:{tmp_path / 'ring'}", f"file:{path}", name="shop")
    return ColumnCipher(reference, NAMES)


def test_lazy_frames_of_polars():
    """Whole lazy frames, and expressions of one's own; a refused cell fails the query."""
    pl = pytest.importorskip("polars")
    from pythemis.columns import polars

    frame = pl.LazyFrame({"id": IDS, "email": VALUES})
    sealed = columns.seal(frame, {"email": CIPHER}, rows="id")
    assert sealed.collect_schema() == {"id": pl.Int64, "email": pl.Binary}
    opened = columns.unseal(sealed, {"email": CIPHER}, "id", types=TYPES)
    assert opened.collect()["email"].to_list() == VALUES
    found = frame.select("id", cell=polars.encrypt(CIPHER, "email", "id")).select(
        polars.decrypt(CIPHER, pl.col("cell"), pl.col("id"), type="text")
    )
    assert found.collect().to_series().to_list() == VALUES
    moved = sealed.select(polars.decrypt(CIPHER, "email", pl.col("id") + 1))
    with pytest.raises(pl.exceptions.ComputeError, match="row 0: decryption failed"):
        moved.collect()
    keys = {"index_keys": Keyring.new("index").add(), "bits": 40}
    codes = polars.blind_index(ColumnCipher(RING, NAMES, **keys), "email")
    assert frame.select(codes).collect().to_series().n_unique() == len(set(VALUES))
    for call in (
        lambda: polars.encrypt(CIPHER, 5),
        lambda: polars.decrypt(CIPHER, "email", type="int"),
        lambda: columns.unseal(sealed, {"email": CIPHER}, "id", types={"email": int}),
    ):
        with pytest.raises(ColumnError, match=r"give a name or an expression|has the type"):
            call()


def test_functions_of_duckdb():
    """SQL seals and opens; NULL stays NULL; two calls make two cells; refused cells fail it."""
    duckdb = pytest.importorskip("duckdb")
    from pythemis.columns.duckdb import register

    with duckdb.connect() as connection:
        register(connection, "email", CIPHER)
        connection.execute("create table t (id bigint, email varchar)")
        connection.executemany(
            "insert into t values (?, ?)", list(zip(IDS[:100], VALUES[:100], strict=True))
        )
        connection.execute("create table s as select id, email_encrypt(email, id) as cell from t")
        query = "select email_decrypt(cell, id) from s order by id"
        assert [one for (one,) in connection.execute(query).fetchall()] == VALUES[:100]
        twice = "select email_encrypt('a', 1), email_encrypt('a', 1)"
        first, second = connection.execute(twice).fetchone()
        assert first != second
        with pytest.raises(duckdb.Error, match="row 0: decryption failed"):
            connection.execute("select email_decrypt(cell, id + 1) from s").fetchall()
        for arguments, options in (
            ((None, "email", CIPHER), {}),
            ((connection, "e; drop", CIPHER), {}),
            ((connection, "email", CIPHER), {"rows": "DOUBLE"}),
        ):
            with pytest.raises(ColumnError):
                register(*arguments, **options)


def test_tables_of_dask(cipher):
    """Partitions are sealed and unsealed, in other processes as well; rings do not get there."""
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    from pythemis.columns import dask

    frame = dd.from_pandas(pd.DataFrame({"id": IDS, "email": VALUES}), npartitions=3)
    sealed = dask.seal(frame, {"email": cipher}, rows="id")
    opened = dask.unseal(sealed, {"email": cipher}, rows="id", types=TYPES)
    for scheduler in ("threads", "processes"):
        done = opened.compute(scheduler=scheduler)
        assert [None if value is pd.NA else value for value in done["email"]] == VALUES
    with pytest.raises(TypeError, match="holds keys and cannot be pickled"):
        dask.seal(frame, {"email": CIPHER}, rows="id").compute(scheduler="processes")
    with pytest.raises(ColumnError, match="0 columns named 'mail'"):
        dask.seal(frame, {"mail": cipher}, rows="id")
    with pytest.raises(ColumnError, match="must be a DataFrame of Dask"):
        dask.seal(pd.DataFrame(), {"email": cipher}, rows="id")


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_tables_of_spark(cipher, tmp_path, monkeypatch):
    """Executors seal and unseal; no key is in an event log, where `aes_encrypt` leaves its own."""
    sql = pytest.importorskip("pyspark.sql")
    from pythemis.columns import spark

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    log = tmp_path / "log"
    log.mkdir()
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", log.as_uri())
        .config("spark.eventLog.compress", "false")
        .getOrCreate()
    )
    try:
        rows = list(zip(IDS, VALUES, strict=True))
        frame = session.createDataFrame(rows, "id long, email string")
        with pytest.raises(TypeError, match="holds keys and cannot be pickled"):
            spark.seal(frame, {"email": CIPHER}, rows="id")
        with pytest.raises(ColumnError, match="0 columns named 'mail'"):
            spark.seal(frame, {"mail": cipher}, rows="id")
        path = str(tmp_path / "sealed.parquet")
        spark.seal(frame, {"email": cipher}, rows="id").write.parquet(path)
        sealed = session.read.parquet(path)
        opened = spark.unseal(sealed, {"email": cipher}, rows="id", types=TYPES)
        assert sorted(map(tuple, opened.collect())) == rows
        pairs = sealed.orderBy("id").collect()
        cells = [None if row["email"] is None else bytes(row["email"]) for row in pairs]
        assert CIPHER.decrypt(cells, IDS, type="text") == VALUES
        key = base64.b64encode(os.urandom(12)).decode()
        frame.selectExpr(f"aes_encrypt(email, '{key}') as cell").collect()
    finally:
        session.stop()
    logged = b"".join(path.read_bytes() for path in log.rglob("*") if path.is_file())
    assert logged_forms(logged, forms(key.encode()))
    unlocking = base64.b64decode((tmp_path / "key").read_bytes())
    for secret in (unlocking, *(one.reveal() for _, one in RING._pairs())):
        assert not logged_forms(logged, forms(secret))


def forms(secret):
    """Give the forms in which a log may have a secret."""
    return {secret, base64.b64encode(secret), secret.hex().encode(), secret.hex().upper().encode()}


def logged_forms(logged, secrets):
    """Give those that are in a log."""
    return {secret for secret in secrets if secret in logged}
