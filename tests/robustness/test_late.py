# SPDX-License-Identifier: Apache-2.0
"""What a program meets that needs a module which Python cannot load any more."""

import ast
import os
import pickle
import subprocess
import sys
from pathlib import Path

import _cffi_backend
import pytest

import pythemis
from pythemis._compat import Unloaded
from pythemis.exception import THEMIS_CODES
from support.forks import beside_threads, forking
from support.project import ROOT

# PyPy has cffi in itself.
HOMES = [str(Path(file).parent) for file in [getattr(_cffi_backend, "__file__", None)] if file]
HOMES.append(str(Path(pythemis.__file__).parent.parent))

# Two ways in which nothing loads: no descriptor is free, and the installation is gone.
NOTHING_LOADS = {
    "descriptors": (
        "import resource; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (32, hard))\n"
        "try:\n    while True: os.dup(2)\nexcept OSError: pass\n"
    ),
    "installation": "sys.path[:] = sys.path_hooks[:] = []; sys.path_importer_cache.clear()\n",
}

JUNK = b"none of the data that Themis makes"
CELLS = "from pythemis.scell import *; cell = SCellSeal(bytes(32))"
KEYS = "from pythemis.skeygen import *; pair = GenerateKeyPair('EC')"
MESSAGES = f"from pythemis.smessage import *; {KEYS}"
SESSIONS = f"""from pythemis.ssession import *; {KEYS}
class Transport:
    def get_pub_key_by_id(self, peer_id): return pair.export_public_key()
private, large = pair.export_private_key(), bytes(1 << 16)
client, server = SSession(b"c", private, Transport()), SSession(b"s", private, Transport())
text = client.connect_request()
for reader in (server, client) * 2: text = reader.unwrap(text)"""
COMPARATORS = "from pythemis.scomparator import *; comparator = SComparator(b's')"
RINGS = "from pythemis.keyring import *; ring = Keyring.new('a').add()"
FILES = "from pythemis import files; from io import BytesIO"
COLUMNS = f"{RINGS}; from pythemis.columns import *; cipher = ColumnCipher(ring, ('t', 'c'))"
FIELDS = f"{RINGS}; from pythemis.fields import *; cipher = FieldCipher(ring)"

REFUSED = [
    (CELLS, f"cell.decrypt({JUNK})", "SecureCellError", 12),
    (CELLS, "cell.decrypt(cell.encrypt(b'x'), b'context')", "SecureCellError", 11),
    (CELLS, "cell.decrypt('text')", "SecureCellTypeError", 12),
    (CELLS, "cell.decrypt_many([b'x'])", "SecureCellError", 18),
    (CELLS, f"SCellTokenProtect(bytes(32)).decrypt({JUNK}, {JUNK})", "SecureCellError", 12),
    (CELLS, f"SCellSeal(passphrase='p').decrypt({JUNK})", "SecureCellError", 12),
    (CELLS, "SCellSeal(passphrase='p', encoding='cp1140')", "SecureCellValueError", 12),
    (CELLS, "SCellSeal('text').decrypt(cell.encrypt(b'x'), 'context')", "SecureCellError", 11),
    (MESSAGES, f"sverify({JUNK}, b'x')", "SecureMessageValueError", 12),
    (MESSAGES, f"sverify(pair.export_public_key(), {JUNK})", "SecureMessageError", 12),
    (KEYS, f"key_kind({JUNK})", "ThemisValueError", 12),
    (KEYS, f"from_pem({JUNK})", "ThemisValueError", 12),
    (KEYS, "from_jwk('{}')", "ThemisError", 18),
    (SESSIONS, f"SSession(b's', {JUNK}, Transport())", "SecureSessionValueError", 12),
    (SESSIONS, f"SSession(b's', private, Transport()).unwrap({JUNK})", "SecureSessionError", 12),
    (COMPARATORS, f"comparator.proceed_compare({JUNK})", "SecureComparatorError", 12),
    (RINGS, f"ring.decrypt({JUNK}, b'c')", "KeyringError", 12),
    (RINGS, "SecretKey.from_env('NO_SUCH_VARIABLE')", "ThemisError", 12),
    (FILES, f"files.unseal(BytesIO({JUNK}), BytesIO(), key=bytes(32))", "SealedFileError", 12),
    (COLUMNS, f"cipher.decrypt([{JUNK}], [1])", "ColumnValueError", 12),
    (FIELDS, f"cipher.open({JUNK}, 't', 'c', 1)", "FieldError", 12),
]  # fmt: skip
WORKING = [
    (CELLS, "assert cell.decrypt(cell.encrypt(b'x')) == b'x'"),
    (CELLS, "SCellSeal(b'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=')"),
    (KEYS, "assert GenerateSymmetricKey() != GenerateSymmetricKey(); GenerateKeyPair('RSA')"),
    (SESSIONS, "assert client.unwrap(server.wrap(large)) == large"),
    (COMPARATORS, "comparator.begin_compare()"),
    (RINGS, "assert SecretKey.generate() != SecretKey.from_bytes(bytes(32))"),
    (RINGS, "ring.decrypt(ring.encrypt(b'x', b'c'), b'c')"),
]  # fmt: skip

every_way = pytest.mark.parametrize(
    "why",
    [
        pytest.param("descriptors", marks=pytest.mark.skipif(os.name == "nt", reason="no limit")),
        "installation",
    ],
)


def said(prepared, why, program):
    """Run a program in which nothing loads any more, for whatever reason; give what it prints.

    Little is loaded before: the interpreter has no other packages.
    """
    code = f"import os, sys; sys.path[:0] = sys.argv[1:]\n{prepared}\n"
    code += NOTHING_LOADS.get(why, "") + program
    command = [sys.executable, "-I", "-S", "-c", code, *HOMES]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


@every_way
@pytest.mark.parametrize(("prepared", "action", "kind", "code"), REFUSED)
def test_a_first_error_is_the_one_promised(why, prepared, action, kind, code):
    """What only explains an error is left out; what does the work is an error of ours."""
    show = "print(type(error).__name__, error.error_code.value)"
    program = f"try: {action}\nexcept Exception as error: {show}"
    assert said(prepared, why, program) == f"{kind} {code}\n"


@every_way
@pytest.mark.parametrize(("prepared", "action"), WORKING)
def test_work_needs_no_descriptor(why, prepared, action):
    """Keys, random numbers and guarded memory need none, nor does a child."""
    child = "pid = os.fork() if hasattr(os, 'fork') else None"
    ended = "if pid: assert os.waitpid(pid, 0)[1] == 0\nif pid != 0: print('fine')"
    program = f"{child}\n{action}\n{ended}"
    assert said(prepared, why, program) == "fine\n"


@every_way
def test_a_ring_that_is_watched_stays_in_use(why, tmp_path):
    """Its file cannot be opened, which is logged; the program goes on with the ring it has."""
    file = tmp_path / "ring"
    program = f"{RINGS}; from pythemis.keyring import watch; from pathlib import Path; "
    program += f"ring.save({str(file)!r}, key=bytes(32)); "
    program += f"current = watch({str(file)!r}, 'a', key=bytes(32), seconds=0); "
    program += f"Path({str(file)!r}).unlink()"
    assert said(program, why, "print(current().ids == ring.ids)") == "True\n"


@pytest.mark.parametrize("number", [*THEMIS_CODES, 4711])
def test_a_code_without_its_class_is_like_a_member(number):
    """It has the same number, name and value, and comes out of a pickle as the member."""
    code, member = Unloaded(number), THEMIS_CODES(number)
    assert code == member
    assert hash(code) == hash(member)
    assert (code.name, code.value, repr(code)) == (member.name, member.value, repr(member))
    assert pickle.loads(pickle.dumps(code)) == member
    assert type(pickle.loads(pickle.dumps(code))) is THEMIS_CODES


FORK = """
import signal, threading, time

class Slow:
    def find_spec(self, name, *_):
        if name == {module!r}:
            started.set()
            time.sleep(1)

def act():
    try: {action}
    except ThemisError as error: return error

started = threading.Event()
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: (act(), started.set()))  # set also if it was loaded
thread.start()
started.wait()
pid = os.fork()
if not pid:
    signal.alarm(20)
    os._exit(0 if act() else 1)
thread.join()
print(os.waitpid(pid, 0)[1])
"""


@pytest.mark.parametrize(
    ("module", "action"),
    [
        pytest.param(*each, marks=[*forking, beside_threads])
        for each in (
            ("pythemis._codes", "cell.decrypt('text')"),
            ("pythemis._core.recognise", f"cell.decrypt({JUNK})"),
            ("pythemis._core.cell_lists", "cell.decrypt_many([b'x'])"),
            ("re", "SCellSeal(bytes(50)).decrypt(b'x')"),
        )
    ],
)
def test_a_child_waits_for_no_thread_of_its_parent(module, action):
    """A fork while another thread loads a module leaves the child able to load it."""
    prepared = f"{CELLS}; from pythemis.exception import ThemisError"
    program = FORK.format(module=module, action=action)
    assert said(prepared, None, program) == "0\n"


@pytest.mark.parametrize("arguments", [["keygen"], ["--version"], ["inspect", "-"]])
def test_a_command_says_why_it_cannot_go_on(arguments):
    """It ends with a sentence and a status, without a traceback."""
    program = f"sys.stderr = sys.stdout; print(main({arguments}))"
    lines = said("from pythemis._cli.main import main", "descriptors", program).splitlines()
    assert lines[0].startswith("pythemis: ")
    assert lines[1:] == ["1"]


# What loads late without an error of ours where that fails, and why it may.
LATE = {
    "_atomic.py": {"fcntl"},  # loaded with the module
    "_compat.py": {"_codes"},  # `code` does without
    "_core/buffers.py": {"subclasses", "functools"},  # it is tried; on PyPy as the module loads
    "_core/cells.py": {"re"},  # it is tried
    "_core/late.py": {"recognise"},  # it is tried
    "_core/secret.py": {"forks", "secret_text", "terminal"},  # loaded with pythemis.keyring
    "_core/subclasses.py": {"ctypes"},  # as the module loads
    "_core/terminal.py": {"termios"},  # with a terminal that could be opened
    "_hints.py": {"_typing"},  # for annotations
    "files/_ends.py": {"tempfile"},  # for a file, whose making can raise an OSError as well
    "keyring/_watching.py": {"logging"},  # as the follower is made
}
ELSEWHERE = ("__init__.py", "_cli/", "columns/", "fields/", "kms/")  # what a program asks for


def late_imports(package):
    """Give the modules that functions import, but for those under `Loading`, by file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        tree = ast.parse(path.read_text("utf-8"))
        fine = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.With) and "Loading" in ast.unparse(block.items[0])
            for node in ast.walk(block)
        }
        for function in ast.walk(tree):
            for node in ast.walk(function) if isinstance(function, ast.FunctionDef) else ():
                if isinstance(node, (ast.Import, ast.ImportFrom)) and id(node) not in fine:
                    own = getattr(node, "module", None)
                    found.setdefault(name, set()).update(
                        [own] if own else [a.name for a in node.names]
                    )
    return found


@pytest.mark.sources
def test_nothing_else_loads_late():
    """An import in a function needs a reason why its failure is no surprise."""
    found = late_imports(ROOT / "pythemis")
    assert {name: seen for name, seen in found.items() if not name.startswith(ELSEWHERE)} == LATE
