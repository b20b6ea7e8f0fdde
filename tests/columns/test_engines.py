# SPDX-License-Identifier: Apache-2.0
"""Columns in lazy frames of Polars, and in DuckDB's SQL.

They are brought by ``make test GROUP=integration``; without them these tests are skipped.
"""

import pytest

from pythemis import columns
from pythemis.columns import ColumnCipher, ColumnError
from pythemis.keyring import Keyring
from support.engines import IDS, NAMES, TYPES, VALUES, recorded_by_two
from support.rings import recorded_ring

pytestmark = pytest.mark.integration

RING = Keyring.new("shop").add()
CIPHER = ColumnCipher(RING, NAMES)


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
            ((connection, "email", CIPHER), {"rows": ["BIGINT", "DOUBLE"]}),
            ((connection, "email", CIPHER), {"rows": []}),
        ):
            with pytest.raises(ColumnError):
                register(*arguments, **options)


def test_functions_of_duckdb_with_a_key_of_several_columns():
    """Each column of the key is an argument; cells are those of Python, and recorded ones open."""
    duckdb = pytest.importorskip("duckdb")
    from pythemis.columns.duckdb import register

    with duckdb.connect() as connection:
        register(connection, "email", CIPHER, rows=["VARCHAR", "BIGINT", "VARCHAR"])
        query = """select email_encrypt('user' || id, shop, id, 'x') as cell, shop, id
            from (select 'shop ' || (i % 3) as shop, i as id from range(5000) numbers(i))"""
        cells, shops, ids = zip(*connection.execute(query).fetchall(), strict=True)
        rows = (list(shops), list(ids), ["x"] * len(ids))
        assert CIPHER.decrypt(list(cells), rows, type="text") == [f"user{row}" for row in ids]
        again = f"select count(email_decrypt(cell, shop, id, 'x')) from ({query})"
        assert connection.execute(again).fetchall() == [(5000,)]
        for given, text in (
            ("id, shop, 'x'", "No function matches|Could not convert"),
            ("shop, id, 'y'", "row 0: decryption failed"),
            ("shop, null, 'x'", "row 0: its row id is null"),
            ("shop, id", "No function matches"),
        ):
            with pytest.raises(duckdb.Error, match=text):
                connection.execute(f"select email_decrypt(cell, {given}) from ({query})").fetchall()
        for number, (names, cell, parts, value) in enumerate(recorded_by_two()):
            cipher = ColumnCipher(recorded_ring(), names)
            register(connection, f"c{number}", cipher, rows=["BIGINT", "VARCHAR"])
            opened = f"select c{number}_decrypt(unhex('{cell}'), {parts})"
            assert connection.execute(opened).fetchall() == [(value,)]
