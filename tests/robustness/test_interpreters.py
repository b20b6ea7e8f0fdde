# SPDX-License-Identifier: Apache-2.0
"""Interpreters that begin, share a process, and end with objects of ours alive."""

import sys
import textwrap

import pytest

from support.programs import said_by

SUB = """
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        print("none")
        raise SystemExit
"""
USE = """
from pythemis.scell import SCellSeal
from pythemis.smessage import SMessage
from pythemis.scomparator import SComparator
from pythemis.skeygen import GenerateKeyPair
pair = GenerateKeyPair('EC')
message = SMessage(pair.export_private_key(), pair.export_public_key())
cell = SCellSeal(b'k')
assert cell.decrypt(cell.encrypt(b'm')) == b'm'
assert message.unwrap(message.wrap(b'm')) == b'm'
SComparator(b'x').begin_compare()
"""


# ---- More interpreters than one ----


@pytest.mark.parametrize("first", ["main", "sub"])
def test_a_second_interpreter_works_or_is_refused(first):
    """Importing there works, or raises ImportError; nothing crashes, and we go on."""
    inner = f"""
try:
    import pythemis.scell
except ImportError as error:
    assert str(error)
    print('refused')
else:
    {textwrap.indent(USE, "    ").strip()}
    print('works')
"""
    said = said_by(
        f"""{SUB}
if {first!r} == "main":
    exec({USE!r})
for _ in range(3):
    one = interpreters.create()
    failure = interpreters.run_string(one, {inner!r})
    assert failure is None, failure
    interpreters.destroy(one)
exec({USE!r})
print("done")
"""
    )
    if said == "none":
        pytest.skip("this Python has no subinterpreters")
    *answers, last = said.split()
    assert len(answers) == 3
    assert set(answers) <= {"works", "refused"}
    assert last == "done"


# ---- The end ----


def test_live_objects_at_the_end():
    """Objects that modules still hold, in cycles too, do no harm when the interpreter ends."""
    said = said_by(
        USE
        + """
import builtins, sys
builtins.kept = [cell, message, SComparator(b'x')]
builtins.kept.append(builtins.kept)
sys.modules['also'] = cell
class Late:
    def __init__(self): self.cell, self.me = SCellSeal(b'k'), self
    def __del__(self):
        assert self.cell.decrypt(self.cell.encrypt(b'm')) == b'm'
        print('late')
late = Late()
print('end')
"""
    )
    # PyPy ends without calling what is still to be finalized.
    finalized = ["late"] if sys.implementation.name == "cpython" else []
    assert said.split() == ["end", *finalized]


def test_use_in_atexit():
    """Handlers that run at the end may use everything."""
    said = said_by(
        f"""
import atexit
def at_end():
    exec({USE!r}, {{}})
    print("used")
atexit.register(at_end)
import pythemis.scell
"""
    )
    assert said == "used"


def test_daemon_threads_inside_calls_at_the_end():
    """The interpreter ends while daemon threads are inside the core, in short and long calls."""
    for turn in range(5):
        said = said_by(
            USE
            + f"""
import threading, time, sys
sys.setswitchinterval(1e-5)
big = bytes(3_000_000)
def short():
    while True: cell.decrypt(cell.encrypt(b'm'))
def long():
    while True: cell.decrypt(cell.encrypt(big))
def objects():
    while True: SCellSeal(b'k').encrypt(b'm'); SComparator(b'x').begin_compare()
for work in (short, long, objects) * 2:
    threading.Thread(target=work, daemon=True).start()
time.sleep({0.05 * (turn + 1)})
print("end")
"""
        )
        assert said == "end"


def test_threads_that_outlive_the_main_program():
    """Threads that are not daemons finish their work after the last line."""
    said = said_by(
        USE
        + """
import threading
def work():
    for _ in range(2000): assert cell.decrypt(cell.encrypt(b'm')) == b'm'
    print('finished')
for _ in range(3): threading.Thread(target=work).start()
"""
    )
    assert said.count("finished") == 3  # print may put the ends of its lines elsewhere
