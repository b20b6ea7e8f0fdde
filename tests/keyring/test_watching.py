# SPDX-License-Identifier: Apache-2.0
"""A program that follows its keyring's file: what it goes on to, and what it refuses."""

import copy
import logging
import multiprocessing
import os
import pickle
import sys
import time

import pytest

from pythemis import keyring
from pythemis.exception import THEMIS_CODES
from pythemis.keyring import Keyring, KeyringError, SecretKey
from support.rings import INVALID, RECORDED, by_id, refused, ring_of
from support.threads import together

KEY = bytes(range(32))


def written(path, ring):
    """Put a ring into a file, whatever was there."""
    path.unlink(missing_ok=True)
    ring.save(path, key=KEY)


def follow(path, **options):
    """Watch a file at every call, and collect what is refused."""
    errors = []
    given = {"key": KEY, "seconds": 0, "on_refused": errors.append, **options}
    return keyring.watch(path, "shop", **given), errors


@by_id(RECORDED["reloads"])
def test_recorded_reloads(case, tmp_path):
    """The ring of the file is used exactly if the rule of reloading allows it."""
    path = tmp_path / "ring"
    before, after = ring_of(case["after"]), ring_of(case["payload"])
    written(path, before)
    current, errors = follow(path)
    assert current().version == before.version
    name = after.name
    if name != "shop":
        return  # its file has another context, so that it does not open
    written(path, after)
    used = current()
    assert used.ids == (after if case["accepted"] else before).ids
    assert used.version == (after if case["accepted"] else before).version
    assert len(errors) == (0 if case["accepted"] else 1)
    current()
    assert len(errors) <= 1  # the same bytes are not refused again


def test_whatever_goes_wrong_the_old_ring_stays(tmp_path, caplog):
    """A file that is missing, damaged or foreign is reported; a good one is used later."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, errors = follow(path)
    first = current()
    assert current() is first
    path.unlink()
    assert current() is first
    assert isinstance(errors.pop(), FileNotFoundError)
    path.write_bytes(b"TSFILE1\nrubbish")
    assert current() is first
    assert isinstance(errors.pop(), KeyringError)
    path.unlink()
    Keyring.new("shop").add().add().save(path, key=KEY)
    assert current() is first
    assert "lacks the primary key" in str(errors.pop())
    written(path, ring.add())
    assert current().version == 2
    assert errors == []
    current, _ = follow(path, on_refused=None)
    path.unlink()
    with caplog.at_level(logging.ERROR, "pythemis.keyring"):
        assert current().version == 2
    assert "keyring shop: version 2 stays in use: FileNotFoundError" in caplog.text


def test_what_may_pass_is_tried_again(tmp_path, monkeypatch):
    """The same file is used later if its ring did not fit into memory, or a service was away."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, errors = follow(path)
    written(path, ring.add())
    passing = KeyringError(THEMIS_CODES.NO_MEMORY, "out of memory")
    with monkeypatch.context() as patched:
        patched.setattr("pythemis.keyring._files.opened", failing(passing))
        assert current().version == 1
    assert errors == [passing]
    assert current().version == 2


def failing(error):
    """Make a function that raises an error."""

    def raises(*_, **__):
        raise error

    return raises


def test_it_looks_only_when_it_is_time(tmp_path, monkeypatch):
    """Between two looks a call costs no system call, and the time is monotonic."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, errors = follow(path, seconds=30)
    written(path, ring.add())
    assert current().version == 1
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    assert current().version == 2
    path.unlink()
    assert current().version == 2
    assert errors == []


def test_what_on_refused_raises_reaches_the_caller(tmp_path):
    """The ring stays, and the next call works."""
    path = tmp_path / "ring"
    written(path, Keyring.new("shop").add())

    def stop(error):
        raise SystemExit(str(error))

    current, _ = follow(path, on_refused=stop)
    path.write_bytes(b"rubbish")
    with pytest.raises(SystemExit):
        current()
    assert current().version == 1


def test_arguments(tmp_path):
    """Mistakes show at once, not at the first change."""
    path = tmp_path / "ring"
    written(path, Keyring.new("shop").add())
    for wrong, text in (
        ({"seconds": -1}, "0 or more"),
        ({"seconds": float("nan")}, "0 or more"),
        ({"seconds": "30"}, "must be a number"),
        ({"on_refused": 1}, "must be callable"),
        ({"key": "text"}, "must be bytes"),
        ({"key": b""}, "is empty"),
        ({"key": None, "passphrase": "\udc80"}, "lone surrogate"),
        ({"key": None}, "nothing opens"),
    ):
        refused(INVALID, text, follow, path, **wrong)
    with pytest.raises(FileNotFoundError):
        follow(tmp_path / "none")
    current, _ = follow(path)
    assert "ring" in repr(current)
    for call in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="holds secrets"):
            call(current)


def test_what_opens_the_file_is_copied(tmp_path):
    """The caller may wipe a key, or close it."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    given, secret = bytearray(KEY), SecretKey.from_bytes(KEY)
    watching = [follow(path, key=given)[0], follow(path, key=secret)[0]]
    given[:] = bytes(32)
    secret.close()
    written(path, ring.add())
    assert [current().version for current in watching] == [2, 2]


def test_threads_follow_together(tmp_path):
    """All get a ring at every moment, and the newest one in the end."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, errors = follow(path)
    stored = ring.encrypt(b"message")

    def work(number):
        nonlocal ring
        for i in range(20):
            if number == 0 and i % 5 == 0:
                ring = ring.add()
                ring.save(path, key=KEY)
            assert current().decrypt(stored) == b"message"

    together(work)
    assert current().version == ring.version == 5
    assert errors == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_follows_although_a_thread_was_looking(tmp_path):
    """A fork while another thread looks at the file does not stop the child from looking."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, _ = follow(path)
    assert current._follower._looking.acquire(blocking=False)  # as that thread has it
    ring.add().save(path, key=KEY)
    assert current().version == 1
    child = os.fork()
    if not child:
        os._exit(current().version)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2


def program(path, answers, asked):
    """Be a program with a version of the ring of its own: write, read, reload when told."""
    ring = keyring.load(path, "shop", key=KEY)
    while True:
        command, value = asked.get()
        try:
            if command == "stop":
                return
            if command == "reload":
                ring = keyring.load(path, "shop", key=KEY)
                answers.put(ring.version)
            elif command == "write":
                answers.put(ring.encrypt(value, b"c"))
            else:
                answers.put(ring.decrypt(value, b"c"))
        except KeyringError as error:
            answers.put(str(error))


def test_an_interrupt_stops_no_later_look(tmp_path):
    """Whatever call of a look a signal handler raises in, the next look finds the new ring."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, _ = follow(path)
    left = 0

    def interrupt(frame, event, _argument):
        nonlocal left
        left -= event == "c_return" and "keyring" in frame.f_code.co_filename
        if left == 0:
            left = -1
            raise KeyboardInterrupt

    for count in range(1, 40):
        ring = ring.add()
        written(path, ring)
        left = count
        sys.setprofile(interrupt)
        try:
            current()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        assert current().version == ring.version
        if left > 0:
            break
    assert 4 < count < 40


def test_a_closed_ring_closes_no_other(tmp_path):
    """Closing what a watch returned closes that object alone."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    written(path, ring)
    current, _ = follow(path, seconds=1000)
    for _ in range(2):
        with current() as used:
            stored = used.encrypt(b"value")
        assert current().decrypt(stored) == b"value"


def test_two_processes_with_two_versions(tmp_path):
    """Through a whole rotation, and whichever process is behind, no read fails."""
    path = tmp_path / "ring"
    ring = Keyring.new("shop").add()
    ring.save(path, key=KEY)
    context = multiprocessing.get_context("spawn")
    queues = [(context.Queue(), context.Queue()) for _ in range(2)]
    programs = [context.Process(target=program, args=(path, *pair), daemon=True) for pair in queues]

    def ask(number, command, value=None):
        answers, asked = queues[number]
        asked.put((command, value))
        return answers.get(timeout=300)

    store = []

    def read_all():
        for number in range(2):
            store.append(ask(number, "write", b"value %d" % len(store)))
        for number in range(2):
            for i, stored in enumerate(store):
                assert ask(number, "read", stored) == b"value %d" % i

    for each in programs:
        each.start()
    try:
        read_all()
        first = ring.primary
        steps = (
            lambda ring: ring.add(),
            lambda ring: ring.promote(ring.ids[-1]),
            lambda ring: ring.retire(first),
        )
        for behind, step in enumerate(steps):
            ring = step(ring)
            ring.save(path, key=KEY)
            for number in (behind % 2, 1 - behind % 2):
                assert ask(number, "reload") == ring.version
                read_all()
        store[:] = [ring.rotate(stored, b"c") for stored in store]
        ring = ring.remove(first)
        ring.save(path, key=KEY)
        for number in range(2):
            ask(number, "reload")
            read_all()
        # The control: promoted before the other one has the key.
        ring = ring.add()
        ring = ring.promote(ring.ids[-1])
        ring.save(path, key=KEY)
        ask(0, "reload")
        assert "the ring has no key" in ask(1, "read", ask(0, "write", b"x"))
    finally:
        for _, asked in queues:
            asked.put(("stop", None))
        for each in programs:
            each.join(30)
