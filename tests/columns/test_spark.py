# SPDX-License-Identifier: Apache-2.0
"""Columns on a cluster of Spark: two executors, processes of their own that can be killed.

Spark is brought by ``make test GROUP=integration``; without it these tests are skipped.
"""

import base64
import os
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pythemis import columns
from pythemis.columns import ColumnCipher, ColumnError
from support.engines import (
    IDS,
    NAMES,
    ROWS,
    TYPES,
    VALUES,
    Shop,
    is_in,
    opened,
    recorded_by_two,
    spark_session,
)
from support.servers import files_below

sql = pytest.importorskip("pyspark.sql")
from py4j.protocol import Py4JJavaError  # noqa: E402
from pyspark.sql import functions  # noqa: E402

from pythemis.columns import spark  # noqa: E402

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]

# Batches and memory so small that each partition has several, and that sorting spills. Nothing is
# compressed, so that a search sees it.
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.memory": "512m",
    "spark.executor.memory": "512m",
    "spark.default.parallelism": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "400",
    "spark.python.unix.domain.socket.enabled": "true",  # it holds less than one of TCP
    "spark.shuffle.spill.numElementsForceSpillThreshold": "300",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.broadcast.compress": "false",
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
    "spark.sql.parquet.compression.codec": "uncompressed",
}


class Cluster(NamedTuple):
    """A session and a table, and the folder that has all files of its processes."""

    session: Any
    frame: Any
    folder: Path
    log: Path
    local: Path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Start two executors."""
    import pyspark

    folder = tmp_path_factory.mktemp("spark")
    home, log, local = folder / "home", folder / "log", folder / "local"
    home.mkdir()  # below it the workers write what executors print
    log.mkdir()
    for path in Path(pyspark.__file__).parent.iterdir():
        if path.name != "work":
            (home / path.name).symlink_to(path)
    builder = sql.SparkSession.builder.master("local-cluster[2,1,512]")
    places = {"spark.eventLog.dir": log.as_uri(), "spark.local.dir": str(local)}
    for name, value in {**SETTINGS, **places}.items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(home))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        with spark_session(builder) as session:
            frame = session.createDataFrame(ROWS, "id long, email string")
            yield Cluster(session, frame, folder, log, local)


@pytest.fixture
def shop(tmp_path):
    """Give keyring files of their own."""
    return Shop(tmp_path / "shop")


def killing(flag, partition):
    """Return work on batches that kills its executor once, in the middle of a partition."""

    def work(batches):
        import os
        import time
        from pathlib import Path

        from pyspark import TaskContext

        def parent(process):
            return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])

        for number, batch in enumerate(batches):
            yield batch
            is_there = TaskContext.get().partitionId() == partition
            if number == 1 and is_there and not Path(flag).exists():
                Path(flag).touch()
                executor = os.getpid()
                while Path(f"/proc/{executor}/comm").read_text() != "java\n":
                    executor = parent(executor)
                os.kill(executor, 9)
                time.sleep(60)

    return work


def test_tables_and_mistakes(cluster, shop, tmp_path):
    """Executors seal, unseal and rotate; keys in hand and names that are not there are refused."""
    path = str(tmp_path / "sealed.parquet")
    spark.seal(cluster.frame, {"email": shop.cipher}, rows="id").write.parquet(path)
    sealed = cluster.session.read.parquet(path)
    assert dict(sealed.dtypes) == {"id": "bigint", "email": "binary"}
    before = sorted(map(tuple, sealed.collect()))
    assert opened(shop.old, before) == VALUES
    after = sorted(map(tuple, spark.rotate(sealed, {"email": shop.later}, "id").collect()))
    assert opened(shop.new, after) == VALUES
    assert not any(shop.new.needs_rotation(bytes(cell)) for _, cell in after if cell)
    done = spark.unseal(sealed, {"email": shop.later}, "id", types=TYPES)
    assert sorted(map(tuple, done.collect())) == ROWS
    assert columns.unseal(sealed.toPandas(), {"email": shop.cipher}, "id").shape == (len(ROWS), 2)
    two = cluster.frame.selectExpr("id", "'berlin' as shop", "email")
    two = spark.seal(two, {"email": shop.cipher}, rows=["shop", "id"]).orderBy("id").toArrow()
    keys = (two["shop"], two["id"])
    assert shop.cipher.decrypt(two["email"], keys, type="text").to_pylist() == VALUES
    hidden = ColumnCipher(lambda: shop.old, NAMES)
    for cipher, text in ((shop.holding, "holds keys and cannot"), (hidden, "give it keys by ref")):
        with pytest.raises(TypeError, match=text):
            spark.seal(cluster.frame, {"email": cipher}, rows="id")
        with pytest.raises(TypeError, match=text):
            spark.register(cluster.session, "email", cipher)
    for call in (
        lambda: spark.seal(cluster.frame, {"mail": shop.cipher}, rows="id"),
        lambda: spark.seal(cluster.frame, {"email": shop.cipher}, rows=["id", "town"]),
        lambda: spark.unseal(sealed, {"email": shop.cipher}, "id", types={"email": "int"}),
        lambda: spark.register(cluster.session, "E; drop", shop.cipher),
        lambda: spark.register(cluster.session, "email", shop.cipher, type="int"),
        lambda: spark.register(None, "email", shop.cipher),
        lambda: spark.register(cluster.session, "email", shop.old),
    ):
        with pytest.raises(ColumnError):
            call()


def test_functions_of_sql(cluster, shop):
    """They seal and open; NULL stays NULL; none is computed beforehand; refused cells fail it."""
    session = cluster.session
    spark.register(session, "email", shop.cipher)
    spark.register(session, "binary", shop.cipher, type="bytes")
    cluster.frame.createOrReplaceTempView("customers")
    pairs = session.sql("select id, email_encrypt(email, id) as cell from customers").collect()
    assert opened(shop.old, sorted(map(tuple, pairs))) == VALUES
    query = """select id, email_decrypt(cell, id), binary_decrypt(cell, cast(id as string))
        from (select id, email_encrypt(email, id) as cell from customers where id < 10)"""
    assert sorted(map(tuple, session.sql(query).collect())) == [
        (row, value, value and value.encode()) for row, value in ROWS[:9]
    ]
    [[first, second]] = session.sql("select email_encrypt('a', 1), email_encrypt('a', 1)").collect()
    assert first != second
    # One cell in the query is one cell, wherever it is used.
    query = """select id, cell, cell as again from
        (select id, email_encrypt(email, id) as cell from customers where id < 7)
        where email_decrypt(cell, id) is not null and cell is not null"""
    assert [one["cell"] == one["again"] for one in session.sql(query).collect()] == [True] * 6
    moved = "select email_decrypt(email_encrypt(email, id), id + 1) from customers"
    with pytest.raises(Exception, match="row 0: decryption failed: check the context"):
        session.sql(moved).collect()


def test_functions_of_sql_with_a_key_of_several_columns(cluster, shop):
    """Each column of the key is an argument; cells are those of Python, and recorded ones open."""
    session = cluster.session
    spark.register(session, "email", shop.cipher)
    cluster.frame.createOrReplaceTempView("customers")
    query = """select id, shop, email_encrypt(email, shop, id, 'x') as cell
        from (select *, concat('shop ', id % 3) as shop from customers where id < 1000)"""
    ids, shops, cells = zip(*session.sql(query).collect(), strict=True)
    rows = (list(shops), list(ids), ["x"] * len(ids))
    cells = [cell if cell is None else bytes(cell) for cell in cells]
    found = dict(zip(ids, shop.cipher.decrypt(cells, rows, type="text"), strict=True))
    assert found == dict(ROWS[:999])
    again = f"select id, email_decrypt(cell, shop, id, 'x') from ({query})"
    assert sorted(map(tuple, session.sql(again).collect())) == ROWS[:999]
    for given, text in (
        ("id, shop, 'x'", "row 0: decryption failed"),
        ("shop, null, 'x'", "row 0: its row id is null"),
        ("shop, id", "row 0: decryption failed"),
    ):
        with pytest.raises(Exception, match=text):
            session.sql(f"select email_decrypt(cell, {given}) from ({query})").collect()
    with pytest.raises(Exception, match="missing 1 required positional argument: 'row'"):
        session.sql(f"select email_decrypt(cell) from ({query})").collect()
    wanted = []
    for number, (names, cell, parts, value) in enumerate(recorded_by_two()):
        spark.register(session, f"c{number}", ColumnCipher(shop.recorded, names))
        wanted.append((f"c{number}_decrypt(unhex('{cell}'), {parts})", value))
    [made] = session.sql("select " + ", ".join(call for call, _ in wanted)).collect()
    assert list(made) == [value for _, value in wanted]


def test_killed_executors(cluster, shop, tmp_path):
    """One dies while it seals, one while it rotates: each row is there once, with its value."""
    flags = [tmp_path / "sealing", tmp_path / "rotating"]
    source = cluster.frame.repartition(2, "id")  # so that the one that dies takes files with it
    sealed = spark.seal(source, {"email": shop.cipher}, rows="id")
    path = str(tmp_path / "sealed.parquet")
    sealed.mapInArrow(killing(str(flags[0]), 1), sealed.schema).write.parquet(path)
    written = cluster.session.read.parquet(path)
    cells = sorted(map(tuple, written.collect()))
    assert [row for row, _ in cells] == IDS
    assert opened(shop.old, cells) == VALUES
    rotated = spark.rotate(written.repartition(2, "id"), {"email": shop.later}, "id")
    after = rotated.mapInArrow(killing(str(flags[1]), 1), rotated.schema).collect()
    after = sorted(map(tuple, after))
    assert [row for row, _ in after] == IDS
    assert opened(shop.new, after) == VALUES
    assert [flag.exists() for flag in flags] == [True, True]


def test_an_executor_is_killed_after_cells_were_shuffled(cluster, shop, tmp_path):
    """The cells of a stage that is run again are others: all rows are there once, or it fails."""
    flag, path = tmp_path / "killed", tmp_path / "sealed.parquet"
    sealed = spark.seal(cluster.frame, {"email": shop.cipher}, rows="id").repartition(2, "id")
    sealed = sealed.mapInArrow(killing(str(flag), 1), sealed.schema)
    try:
        sealed.write.parquet(str(path))
    except Py4JJavaError as error:  # where rows of the first run had been used
        failed = str(error)
    if not (path / "_SUCCESS").exists():
        assert "indeterminate output" in failed
    else:
        cells = sorted(map(tuple, cluster.session.read.parquet(str(path)).collect()))
        assert [row for row, _ in cells] == IDS
        assert opened(shop.old, cells) == VALUES
    assert flag.exists()


def kept(frame, local, kept_in):
    """Sort a frame, and copy all files of the executors while the sorted parts are read.

    What was spilled is removed once its last row was sent, so there are far more rows than the
    socket holds.
    """

    def work(batches):
        import contextlib
        import shutil

        from pyspark import TaskContext

        target = f"{kept_in}/{TaskContext.get().partitionId()}"
        for number, batch in enumerate(batches):
            if number == 0:
                with contextlib.suppress(shutil.Error):  # some have gone in the meantime
                    shutil.copytree(local, target)
            yield batch

    wide = frame.withColumn("wide", functions.lit("-" * 200))
    parts = wide.repartition(2, "id").sortWithinPartitions("email")
    return parts.mapInArrow(work, wide.schema).drop("wide")


def test_no_key_is_left_anywhere(cluster, shop, tmp_path, monkeypatch):
    """Keys are in no log, plan, pickle, shuffle or spill file; where others have theirs."""
    from pyspark.serializers import CloudPickleSerializer

    pickles = []
    dump = CloudPickleSerializer.dumps
    monkeypatch.setattr(
        CloudPickleSerializer,
        "dumps",
        lambda self, thing: pickles.append(dump(self, thing)) or pickles[-1],
    )
    local, copies = str(cluster.local), tmp_path / "kept"
    spark.register(cluster.session, "email", shop.cipher)
    sealed = spark.seal(cluster.frame, {"email": shop.cipher}, rows="id")
    moved = spark.rotate(sealed, {"email": shop.later}, rows="id")
    plain = spark.unseal(moved, {"email": shop.later}, "id", types=TYPES)
    plans = []
    for name, frame in (("sealed", sealed), ("moved", moved), ("plain", plain)):
        frame = kept(frame, local, str(copies / name))
        frame.write.parquet(str(tmp_path / f"{name}.parquet"))
        plans.append(frame._jdf.queryExecution().toString().encode())
    cluster.frame.selectExpr("email_encrypt(email, id)").collect()
    other = base64.b64encode(os.urandom(12))
    cluster.frame.selectExpr(f"aes_encrypt(email, '{other.decode()}') as cell").collect()
    # A listener writes the log.
    cluster.session.sparkContext._jsc.sc().listenerBus().waitUntilEmpty(180_000)

    logs = list(files_below(cluster.log).values())
    assert is_in(other, logs)
    assert b"pythemis" in b"".join(pickles)
    found = files_below(copies)
    for name in ("sealed", "moved", "plain"):
        names = " ".join(path.name for path in found if path.is_relative_to(copies / name))
        assert "temp_local_" in names  # what was spilled
        assert "shuffle_" in names
    assert any(b"user1@example.com" in data for path, data in found.items() if "plain" in str(path))
    everything = [*found.values(), *pickles, *plans, *files_below(cluster.folder).values()]
    everything += [data for path, data in files_below(tmp_path).items() if "shop" not in path.parts]
    assert not any(is_in(secret, everything) for secret in shop.secrets)
