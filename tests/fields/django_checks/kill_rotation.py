# SPDX-License-Identifier: Apache-2.0
"""Rotation beside four writers, killed at random points. It needs a server: see test_django.py."""

import contextlib
import io
import multiprocessing
import os
import random
import signal
import time

import pytest

from support.shop import start

start()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from pythemis.keyring import Keyring  # noqa: E402
from support.shop import keys  # noqa: E402
from support.shop.models import Customer  # noqa: E402

KILLS = int(os.environ.get("KILLS", "50"))
ROWS, WRITERS, BATCH, PAGE = 400, 4, 10, 200
HOT = 120  # rows that writers update; the others only rotate
SEED = os.environ.get("PYTHEMIS_SEED") or str(time.time_ns())

FORKS = multiprocessing.get_context("fork")
GENERATION = FORKS.Value("i", 0)  # how many times the ring was promoted
STOP = FORKS.Event()
LOST = FORKS.Value("i", 0)  # values that a writer had committed and found no more
RINGS = []


def make_rings():
    """Make rings that have all keys, each with the next one as its primary key."""
    ring = Keyring.new("shop")
    for _ in range(KILLS * 4):
        ring = ring.add()
    RINGS.extend([ring, *(ring.promote(key.id) for key in ring.keys[1:])])


def use_rings(behind):
    """Let this process seal under the current key, or under the one before it."""
    keys.CIPHER._rings._ring = lambda: RINGS[max(0, GENERATION.value - behind)]


def begin(rotation, beginning):
    """Say that a rotation is under way, and go on with it."""
    connection.ensure_connection()
    beginning.set()
    rotation()


def in_a_process(work, *arguments):
    """Start a process that inherits everything but the connection."""
    connections.close_all()
    child = FORKS.Process(target=work, args=arguments)
    child.start()
    return child


def write(number, pks, last):
    """Update rows of its own, in turns by each way to write, and note what was committed."""
    use_rings(behind=number % 2)
    draw = random.Random(f"{SEED} {number}")
    mine = range(number, HOT, WRITERS)
    count = 0
    while not STOP.is_set():
        at, count = draw.choice(mine), count + 1
        row = Customer.objects.get(pk=pks[at])
        if row.card != value_of(at, last[at]):
            with LOST:
                LOST.value += 1
        if count % 3:
            assert Customer.objects.filter(pk=pks[at]).update(card=value_of(at, count)) == 1
        else:
            row.card = value_of(at, count)
            row.save(update_fields=["card"])
        last[at] = count  # it was committed


def value_of(at, count):
    """Give the value that a row has after so many updates of its writer."""
    return f"row {at} value {count}"


def rotate():
    """Rotate once, as the command does."""
    use_rings(behind=0)
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'rotation'")
    call_command("sealed", "rotate", "shop.Customer", batch=BATCH, stdout=io.StringIO())


def rotate_by_offset():
    """Rotate as it is often built at home: pages by OFFSET, and save()."""
    use_rings(behind=0)
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'rotation'")
    for first in range(0, ROWS, PAGE):
        for row in Customer.objects.order_by("visits", "pk")[first : first + PAGE]:
            row.card = str(row.card)
            row.save()


TRIGGER = """
CREATE TABLE twice (id uuid);
CREATE FUNCTION note() RETURNS trigger AS $$ BEGIN
  IF current_setting('application_name') = 'rotation'
     AND substr(OLD.card_cell, 1, 8) = substr(NEW.card_cell, 1, 8)
     AND OLD.card_cell <> NEW.card_cell THEN
    INSERT INTO twice VALUES (OLD.id);
  END IF; RETURN NEW; END $$ LANGUAGE plpgsql;
CREATE TRIGGER note BEFORE UPDATE ON shop_customer FOR EACH ROW EXECUTE FUNCTION note();
"""


@pytest.fixture
def pks():
    """Make rows, and a trigger that notes what the rotation writes twice under one key."""
    if connection.vendor != "postgresql":
        pytest.skip("needs a server")
    RINGS.clear()
    make_rings()
    GENERATION.value = LOST.value = 0
    STOP.clear()
    use_rings(behind=0)
    with connection.cursor() as cursor:
        cursor.execute(TRIGGER)
    made = Customer.objects.bulk_create(
        Customer(email=f"{at}@example.org", card=value_of(at, 0), visits=at) for at in range(ROWS)
    )
    yield [row.pk for row in made]
    Customer.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE twice; DROP FUNCTION note CASCADE")


def killed(rotation, pks, kills, whole=0):
    """Run rotations beside writers, whole and killed ones; give the faults that are found."""
    last = FORKS.Array("i", len(pks), lock=False)
    draw = random.Random(SEED)
    writers = [in_a_process(write, number, pks, last) for number in range(WRITERS)]
    done = 0
    for _ in range(whole):
        GENERATION.value += 1
        in_a_process(rotation).join()
    GENERATION.value += 1
    longest = 0.5
    while done < kills:
        beginning = FORKS.Event()
        child = in_a_process(begin, rotation, beginning)
        assert beginning.wait(60)
        child.join(draw.random() * longest)
        with contextlib.suppress(ProcessLookupError):  # it was through
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        if child.exitcode == -signal.SIGKILL:
            done += 1
        else:  # it had been ready: there is another key
            assert child.exitcode == 0
            GENERATION.value += 1
        longest = min(0.5, longest * (1.1 if child.exitcode else 0.8))  # few come to their end
    STOP.set()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert sum(last) > WRITERS * 10
    last_run = in_a_process(rotation)
    last_run.join()
    assert last_run.exitcode == 0
    return found_faults(pks, last)


def found_faults(pks, last):
    """Compare all rows with what was committed last."""
    faults = ["lost"] * LOST.value
    target = RINGS[GENERATION.value].prefix
    rows = Customer.objects.in_bulk(pks)
    for at, pk in enumerate(pks):
        if rows[pk].__dict__["card"][:8] != target:
            faults.append("old key")
        if rows[pk].card != value_of(at, last[at]):
            faults.append("lost")
    if Customer.objects.get(email="7@example.org").pk != pks[7]:
        faults.append("index")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM twice")
        faults += ["twice"] * cursor.fetchone()[0]
    return faults


def test_killed_rotations(pks):
    """No update is lost, nothing is encrypted twice, and all is readable and under the new key."""
    print("seed", SEED)
    assert killed(rotate, pks, KILLS) == []
    call_command("sealed", "check", "shop.Customer")


def test_control(pks):
    """A rotation by OFFSET and save() loses updates and seals values twice: this notices it."""
    print("seed", SEED)
    assert set(killed(rotate_by_offset, pks, 1, whole=2)) >= {"lost", "twice"}
