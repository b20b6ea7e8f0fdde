# SPDX-License-Identifier: Apache-2.0
"""Columns on Dask: in threads, in processes, and on workers of a cluster that can be killed.

Dask is brought by ``make test GROUP=integration``; without it these tests are skipped.
"""

import pytest

from pythemis.columns import ColumnError
from support.engines import IDS, ROWS, TYPES, VALUES, Shop, is_in, opened

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")
import pandas as pd  # noqa: E402

from pythemis.columns import dask  # noqa: E402

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def shop(tmp_path):
    """Give keyring files of their own."""
    return Shop(tmp_path / "shop")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Start two workers, which are processes of their own."""
    folder = str(tmp_path_factory.mktemp("dask"))
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=True, local_directory=folder, **options) as cluster,
        distributed.Client(cluster) as made,
    ):
        yield made


@pytest.fixture
def frame():
    """Give a table in four partitions."""
    return dd.from_pandas(pd.DataFrame({"id": IDS, "email": VALUES}), npartitions=4)


def values(table):
    """Give the values of a computed table, with None where there is nothing."""
    return [None if value is pd.NA or value != value else value for value in table["email"]]


def pairs(table):
    """Give the rows of a computed table."""
    return list(zip(table["id"], values(table), strict=True))


def test_tables_and_mistakes(shop, frame):
    """Partitions are sealed and unsealed in threads and processes; rings do not get there."""
    sealed = dask.seal(frame, {"email": shop.cipher}, rows="id")
    done = dask.unseal(sealed, {"email": shop.cipher}, rows="id", types=TYPES)
    for scheduler in ("threads", "processes"):
        assert pairs(done.compute(scheduler=scheduler)) == ROWS
    with pytest.raises(TypeError, match="holds keys and cannot be pickled"):
        dask.seal(frame, {"email": shop.holding}, rows="id").compute(scheduler="processes")
    with pytest.raises(ColumnError, match="0 columns named 'mail'"):
        dask.seal(frame, {"mail": shop.cipher}, rows="id")
    with pytest.raises(ColumnError, match="must be a DataFrame of Dask"):
        dask.rotate(pd.DataFrame(), {"email": shop.cipher}, rows="id")


@pytest.mark.parametrize("kind", ["string", "category", "large_string[pyarrow]"])
def test_keys_of_several_columns(shop, frame, kind):
    """Their columns make a place, in the order of the list, in each partition, empty ones too."""
    table = frame.compute()
    table["shop"] = [("berlin", "łódź", "")[row % 3] for row in IDS]
    table["shop"] = table["shop"].astype(kind)
    two = dd.from_pandas(table, npartitions=4)
    keys = ["shop", "id"]
    sealed = dask.seal(two, {"email": shop.cipher}, rows=keys)
    assert list(sealed.columns) == list(two.columns)
    cells = sealed.compute(scheduler="processes")
    assert cells.dtypes.to_dict() == sealed.dtypes.to_dict()
    parts = (cells["shop"].astype(str).tolist(), cells["id"].tolist())
    assert shop.cipher.decrypt(values(cells), parts, type="text") == VALUES
    rotated = dask.rotate(sealed[sealed["id"] > 2000], {"email": shop.later}, rows=tuple(keys))
    done = dask.unseal(rotated, {"email": shop.later}, rows=keys, types=TYPES)
    assert pairs(done.compute(scheduler="processes")) == ROWS[2000:]
    with pytest.raises(ColumnError, match="row 0: decryption failed"):
        dask.unseal(sealed, {"email": shop.later}, rows=keys[::-1]).compute()
    with pytest.raises(ColumnError, match="0 columns named 'town'"):
        dask.seal(two, {"email": shop.cipher}, rows=["id", "town"])


def killing(flag):
    """Return work on a partition that kills its worker once, after the sealing before it."""

    def work(table):
        import os
        from pathlib import Path

        if 3000 in set(table["id"]) and not Path(flag).exists():
            Path(flag).touch()
            os.kill(os.getpid(), 9)
        return table

    return work


@pytest.mark.usefixtures("client")
def test_killed_workers(shop, frame, tmp_path):
    """One dies while it seals, one while it rotates: each row is there once, with its value."""
    flags = [str(tmp_path / "sealing"), str(tmp_path / "rotating")]
    sealed = dask.seal(frame, {"email": shop.cipher}, rows="id")
    sealed = sealed.map_partitions(killing(flags[0]), meta=sealed._meta).persist()
    cells = pairs(sealed.compute())
    assert opened(shop.old, cells) == VALUES
    assert [row for row, _ in cells] == IDS
    rotated = dask.rotate(sealed, {"email": shop.later}, rows="id")
    rotated = rotated.map_partitions(killing(flags[1]), meta=rotated._meta).persist()
    after = pairs(rotated.compute())
    assert opened(shop.new, after) == VALUES
    assert [row for row, _ in after] == IDS
    assert not any(shop.new.needs_rotation(cell) for _, cell in after if cell)
    done = dask.unseal(rotated, {"email": shop.later}, rows="id", types=TYPES).compute()
    assert pairs(done) == ROWS
    assert [(tmp_path / name).exists() for name in ("sealing", "rotating")] == [True, True]


def scheduled(dask_scheduler):
    """Pickle all that the scheduler knows of its tasks."""
    import cloudpickle

    return [
        cloudpickle.dumps((task.key, task.run_spec, task.annotations, task.metadata))
        for task in dask_scheduler.tasks.values()
    ]


def test_no_key_is_in_a_graph(client, shop, frame):
    """Keys are in no graph and with no scheduler; a function that holds one shows that it is."""
    cloudpickle = pytest.importorskip("cloudpickle")
    sealed = dask.seal(frame, {"email": shop.cipher}, rows="id")
    moved = dask.rotate(sealed, {"email": shop.later}, rows="id")
    done = dask.unseal(moved, {"email": shop.later}, rows="id", types=TYPES).persist()
    graphs = [cloudpickle.dumps(one.__dask_graph__()) for one in (sealed, moved)]
    distributed.wait(done)
    texts = client.run_on_scheduler(scheduled) + graphs
    assert any(b"pythemis" in text for text in texts)
    assert not any(is_in(secret, texts) for secret in shop.secrets)
    key = shop.secrets[1]

    def holding(table):
        return table if key else None

    other = frame.map_partitions(holding, meta=frame._meta).persist()
    distributed.wait(other)
    assert is_in(key, client.run_on_scheduler(scheduled))
