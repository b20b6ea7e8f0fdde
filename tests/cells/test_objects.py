# SPDX-License-Identifier: Apache-2.0
"""The objects of Secure Cell and its errors as Python objects: lifetime, secrecy, names."""

import concurrent.futures
import contextlib
import copy
import gc
import importlib
import os
import pickle
import subprocess
import sys
import threading
import warnings
import weakref
from pathlib import Path

import pytest

import pythemis
from pythemis import exception, scell
from pythemis._core import cell_passphrases, cells
from pythemis._themis import lib
from pythemis.exception import (
    THEMIS_CODES,
    ThemisError,
    ThemisTypeError,
    ThemisValueError,
)
from pythemis.scell import (
    SCellContextImprint,
    SCellSeal,
    SCellSealPassphrase,
    SCellTokenProtect,
    SecureCellError,
    SecureCellTypeError,
    SecureCellValueError,
)
from support.cells import not_authentic, quick, wrong_value
from support.definitions import forge
from support.threads import together
from support.warned import as_errors, ours_of, places_of

KEY = b"correct horse battery staple key"
DATA = b"message"
CONTEXT = b"context"
SEALED = SCellSeal(KEY).encrypt(DATA, CONTEXT)
PROTECTED = SCellTokenProtect(KEY).encrypt(DATA, CONTEXT)
IMPRINTED = SCellContextImprint(KEY).encrypt(DATA, CONTEXT)
BY_PASSPHRASE = forge(KEY, DATA, CONTEXT)

MAKERS = {
    "seal": lambda: SCellSeal(KEY),
    "passphrase": lambda: quick(KEY),
    "token protect": lambda: SCellTokenProtect(KEY),
    "context imprint": lambda: SCellContextImprint(KEY),
}
ENCRYPTED = {
    "seal": (SEALED,),
    "passphrase": (BY_PASSPHRASE,),
    "token protect": PROTECTED,
    "context imprint": (IMPRINTED,),
}
CPYTHON = sys.implementation.name == "cpython"


def let_go():
    """Let objects die that nobody holds: on CPython they have, PyPy's collector comes later."""
    for _ in range(0 if CPYTHON else 3):
        gc.collect()


@pytest.fixture(params=MAKERS)
def mode(request):
    """Name a mode."""
    return request.param


@pytest.fixture
def cell(mode):
    """Give a cell object of the mode."""
    return MAKERS[mode]()


# ---- Closing ----


def test_a_with_block_closes(mode, cell):
    """Inside the block the object works, behind it every use is an error that says why."""
    with cell as entered:
        assert entered is cell
        assert cell.decrypt(*ENCRYPTED[mode], CONTEXT) == DATA
    with wrong_value(f"this {type(cell).__name__} is closed"):
        cell.decrypt(*ENCRYPTED[mode], CONTEXT)
    with wrong_value(f"this {type(cell).__name__} is closed"):
        cell.encrypt(DATA, CONTEXT)


def test_a_with_block_closes_after_an_exception_and_lets_it_pass(mode, cell):
    """An exception ends the block, closes the object and is not swallowed."""
    mine = RuntimeError("mine")
    with pytest.raises(RuntimeError) as caught, cell:
        raise mine
    assert caught.value is mine
    with wrong_value("is closed"):
        cell.decrypt(*ENCRYPTED[mode], CONTEXT)


def test_closing_twice_is_fine(cell):
    """close() may be called any number of times, and a closed object entered again."""
    for _ in range(3):
        assert cell.close() is None
    with cell, wrong_value("is closed"):
        cell.encrypt(DATA, CONTEXT)


def test_closing_frees_what_was_prepared(cell):
    """After close() nothing holds the handle: it is wiped and freed, on CPython at once."""
    handle = weakref.ref(cell._held)
    assert handle() is not None
    cell.close()
    let_go()
    assert handle() is None


def test_an_object_that_goes_away_frees_what_was_prepared(mode):
    """Without close() the handle goes with the last reference to the object."""
    made = MAKERS[mode]()
    handle = weakref.ref(made._held)
    del made
    let_go()
    assert handle() is None


def test_closing_one_object_leaves_others_alone(mode, cell):
    """Objects of one key share nothing."""
    MAKERS[mode]().close()
    assert cell.decrypt(*ENCRYPTED[mode], CONTEXT) == DATA


@contextlib.contextmanager
def on_the_way_into_c(action):
    """Do something at the last moment before C is called, when the handle was taken already."""
    output = cells.new_output

    def output_and_action(size):
        action()
        return output(size)

    cells.new_output = cell_passphrases.new_output = output_and_action
    try:
        yield
    finally:
        cells.new_output = cell_passphrases.new_output = output


def test_a_close_during_a_call_does_not_disturb_it(mode, cell):
    """Another thread closes while a call is under way: the call ends well, the next one fails."""
    inside, closed = threading.Event(), threading.Event()

    def inside_the_call():
        inside.set()
        assert closed.wait(60)

    with on_the_way_into_c(inside_the_call), concurrent.futures.ThreadPoolExecutor(1) as pool:
        result = pool.submit(cell.decrypt, *ENCRYPTED[mode], CONTEXT)
        assert inside.wait(60)
        cell.close()
        gc.collect()
        closed.set()
        assert result.result() == DATA
    with wrong_value("is closed"):
        cell.decrypt(*ENCRYPTED[mode], CONTEXT)


def test_a_close_while_c_is_at_work_does_not_disturb_it():
    """The same while PBKDF2 runs without the interpreter's lock."""
    cell = SCellSeal(passphrase=KEY)
    sealed = forge(KEY, DATA, CONTEXT, iterations=400_000)
    started = threading.Event()
    with on_the_way_into_c(started.set), concurrent.futures.ThreadPoolExecutor(1) as pool:
        result = pool.submit(cell.decrypt, sealed, CONTEXT)
        assert started.wait(60)
        cell.close()
        gc.collect()
        assert result.result() == DATA


def test_many_threads_close_and_use_one_object():
    """Whoever loses the race gets the error of a closed object, and nothing else."""
    for _ in range(100):
        cell, barrier = SCellSeal(KEY), threading.Barrier(4)

        def use(cell=cell, barrier=barrier):
            barrier.wait()
            try:
                return cell.decrypt(SEALED, CONTEXT) == DATA
            except SecureCellValueError as error:
                return str(error) == "this SCellSeal is closed"

        def close(cell=cell, barrier=barrier):
            barrier.wait()
            cell.close()
            return True

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = [pool.submit(call) for call in (use, close, use, close)]
            assert all(result.result() for result in results)


def test_an_object_that_was_never_initialised_is_closed():
    """A subclass that forgets super().__init__() gets an error, not a crash."""

    class Forgetful(SCellSeal):
        def __init__(self):
            pass

    with wrong_value("this Forgetful is closed"):
        Forgetful().encrypt(DATA)
    with wrong_value("this SCellTokenProtect is closed"):
        SCellTokenProtect.__new__(SCellTokenProtect).decrypt(*PROTECTED)


def test_a_failed_initialisation_leaves_a_closed_object():
    """An object whose arguments were refused cannot be used."""
    cell = SCellSeal.__new__(SCellSeal, b"")
    with wrong_value("the key is empty"):
        cell.__init__(b"")
    with wrong_value("this SCellSeal is closed"):
        cell.encrypt(DATA)


def test_a_handle_of_another_kind_is_refused():
    """A method called on an object of another class cannot confuse C about what it holds."""
    with pytest.raises(TypeError, match="themis_cell"):
        SCellSeal.encrypt(SCellSeal(passphrase=KEY), DATA)
    with pytest.raises(TypeError, match="themis_passphrase"):
        SCellSealPassphrase.decrypt(SCellSeal(KEY), BY_PASSPHRASE)
    assert SCellSeal.decrypt(SCellTokenProtect(KEY), SEALED, CONTEXT) == DATA  # the same handle


# ---- Secrecy ----


def test_repr_shows_the_class_and_no_secret(cell):
    """repr, str and format say what it is and whether it is closed."""
    name = f"pythemis.scell.{type(cell).__name__}"
    for show in (repr, str, format, ascii):
        assert show(cell) == f"<{name}>"
    cell.close()
    assert repr(cell) == f"<{name} (closed)>"


def test_nothing_that_an_object_holds_shows_the_secret(cell):
    """Neither its attributes nor their texts contain the key, in any form."""
    shown = repr({name: getattr(cell, name) for name in dir(cell)}) + repr(vars(cell))
    assert KEY.decode() not in shown
    assert KEY.hex() not in shown
    assert KEY not in [getattr(cell, name) for name in dir(cell)]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(cell, protocol):
    """No protocol gets the object out of the process."""
    with pytest.raises(TypeError, match="holds a secret and cannot be pickled; make another one"):
        pickle.dumps(cell, protocol)


NO_TRACES = r"""
import ctypes, hashlib, hmac, os, struct, sys
from support.threads import together
from support.definitions import forge
from pythemis.scell import SCellContextImprint, SCellSeal, SCellTokenProtect

SIZE = 1 << 20
window = ctypes.create_string_buffer(SIZE)

def count(pattern):
    # How often the pattern is in memory; the window into which memory is read does not count.
    found, own = 0, range(ctypes.addressof(window), ctypes.addressof(window) + SIZE)
    with open("/proc/self/maps") as maps:
        ranges = [line.split()[:2] for line in maps]
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    for ends, rights in ranges:
        if rights[0] != "r":
            continue
        start, end = (int(end, 16) for end in ends.split("-"))
        while start < end:
            if start in own:
                start = own.stop
                continue
            stop = min(end, start + SIZE, own.start if start < own.start else end)
            try:
                got = os.preadv(memory, [memoryview(window)[: stop - start]], start)
            except OSError:
                break
            at = 0
            view = memoryview(window).cast("B")[:got]
            found += occurrences(view, pattern)
            start += got if got < SIZE else got - len(pattern) + 1
            if got == 0:
                break
    os.close(memory)
    return found

libc = ctypes.CDLL(None)
libc.memmem.restype = ctypes.c_void_p
libc.memmem.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]

def occurrences(view, pattern):
    start, end, found = ctypes.addressof(window), ctypes.addressof(window) + len(view), 0
    while at := libc.memmem(start, end - start, pattern, len(pattern)):
        found, start = found + 1, at + 1
    return found

key = os.urandom(32)
message, context = os.urandom(50), b"context"
length = struct.pack("<I", len(message))
def derive(master, label, *contexts):
    return hmac.digest(master, b"\0\0\0\1" + label + b"\0" + b"".join(contexts), "sha256")
label = b"Themis secure cell message key"
iterations = 10
sealed = forge(key, message, context, iterations=iterations, salt=b"s" * 16)
pre_key = hashlib.pbkdf2_hmac("sha256", key, b"s" * 16, iterations, 32)
patterns = {
    "the key": key,
    "its inner block": bytes(byte ^ 0x36 for byte in key.ljust(64, b"\0")),
    "its outer block": bytes(byte ^ 0x5C for byte in key.ljust(64, b"\0")),
    "a message key": derive(key, label, length, context),
    "an imprint key": derive(key, label, length),
    "a stretched key": pre_key,
    "a message key of a passphrase": derive(pre_key, label, length, context),
}
before = {name: count(pattern) for name, pattern in patterns.items()}
assert all(number > 0 for number in before.values()), before
held = SCellSeal(passphrase=key, min_iterations=1)
assert count(key) > before["the key"]  # the search does find what the core holds
assert held.decrypt(sealed, context) == message
held.close()
for make in (SCellSeal, SCellTokenProtect, SCellContextImprint):
    with make(key) as cell:
        encrypted = cell.encrypt(message, context)
        parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
        assert cell.decrypt(*parts, context) == message
        try:
            cell.decrypt(*parts, b"other")
        except Exception:
            pass
after = {name: count(pattern) for name, pattern in patterns.items()}
left = {name: after[name] - before[name] for name in patterns if after[name] > before[name]}
print(left)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/mem")
@pytest.mark.skipif(not CPYTHON, reason="PyPy moves its objects and leaves copies behind")
def test_no_secret_stays_in_memory(request):
    """After close() the process holds no key, derived key or passphrase that we put there."""
    command = [sys.executable, "-c", NO_TRACES]
    environment = {**os.environ, "PYTHONPATH": "tests"}
    root = request.config.rootpath
    said = subprocess.check_output(command, cwd=root, env=environment, text=True)
    assert said == "{}\n"


# ---- Classes ----


def test_a_passphrase_makes_the_subclass():
    """SCellSeal(passphrase=...) is both classes; SCellSeal(key=...) is not the subclass."""
    by_passphrase, by_key = SCellSeal(passphrase=KEY), SCellSeal(key=KEY)
    assert type(by_passphrase) is SCellSealPassphrase
    assert issubclass(SCellSealPassphrase, SCellSeal)
    assert isinstance(by_passphrase, SCellSeal)
    assert type(by_key) is SCellSeal
    assert not isinstance(by_key, SCellSealPassphrase)


def test_the_passphrase_class_can_be_named():
    """SCellSealPassphrase takes the passphrase by position and by name."""
    sealed = forge(b"text", DATA, iterations=200_000)
    for made in (
        SCellSealPassphrase("text"),
        SCellSealPassphrase("text", "utf-8"),
        SCellSealPassphrase(passphrase="text", encoding="utf-8"),
        SCellSeal(passphrase="text", encoding="utf-8"),
        SCellSeal(passphrase="text", encoding="utf-8", max_iterations=10**6),
        SCellSeal(key=None, passphrase="text"),
    ):
        assert type(made) is SCellSealPassphrase
        assert made.decrypt(sealed) == DATA


def test_a_first_position_means_key():
    """SCellSeal(b"...") takes a key, as in every mode."""
    for make in (SCellSeal, SCellTokenProtect, SCellContextImprint):
        encrypted = make(KEY).encrypt(DATA, CONTEXT)
        parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
        assert make(key=KEY).decrypt(*parts, CONTEXT) == DATA


def test_names_of_arguments_are_as_documented(mode, cell):
    """Message, token and context may be given by name."""
    if mode == "token protect":
        encrypted, token = cell.encrypt(message=DATA, context=CONTEXT)
        assert cell.decrypt(message=encrypted, token=token, context=CONTEXT) == DATA
    elif mode != "passphrase":
        encrypted = cell.encrypt(message=DATA, context=CONTEXT)
        assert cell.decrypt(message=encrypted, context=CONTEXT) == DATA
    else:
        assert cell.decrypt(message=BY_PASSPHRASE, context=CONTEXT) == DATA


def test_subclasses_with_their_own_init_work():
    """A subclass may take any arguments and hand the key on."""

    class Vault(SCellSeal):
        def __init__(self, owner, key):
            super().__init__(key)
            self.owner = owner

    class Apart(SCellTokenProtect):
        def __init__(self, *, secret):
            super().__init__(key=secret)

        def encrypt(self, message, context=b"default"):
            return super().encrypt(message, context)

    class Typed(SCellSealPassphrase):
        def __init__(self, prompt):
            super().__init__(prompt(), min_iterations=1)

    vault = Vault("me", KEY)
    assert vault.owner == "me"
    assert vault.decrypt(SEALED, CONTEXT) == DATA
    assert repr(vault).endswith("Vault>")
    with vault, not_authentic():
        vault.decrypt(SEALED)
    with wrong_value("this Vault is closed"):
        vault.encrypt(DATA)
    apart = Apart(secret=KEY)
    assert apart.decrypt(*apart.encrypt(DATA), b"default") == DATA
    assert Typed(lambda: KEY.decode()).decrypt(BY_PASSPHRASE, CONTEXT) == DATA


def test_a_subclass_of_seal_takes_no_passphrase():
    """The choice of the class is SCellSeal's own; a subclass says which one to derive from."""

    class Vault(SCellSeal):
        pass

    with wrong_value("Vault takes a key, not a passphrase"):
        Vault(passphrase="text")


# ---- Old names ----

OLD_NAMES = {
    "scell_seal": SCellSeal,
    "scell_token_protect": SCellTokenProtect,
    "scell_context_imprint": SCellContextImprint,
}


@pytest.mark.parametrize(("name", "new"), OLD_NAMES.items(), ids=OLD_NAMES)
def test_an_old_name_is_a_class_that_warns(name, new):
    """Old names make objects of the new class, and say so where they are used."""
    old = getattr(scell, name)
    assert isinstance(old, type)
    assert issubclass(old, new)
    assert getattr(scell, name) is old
    for arguments, options in (((KEY,), {}), ((), {"key": KEY})):
        with pytest.warns(DeprecationWarning, match=f"{name}.*{new.__name__}") as caught:
            made = old(*arguments, **options)
        assert places_of(caught) == [__file__]
        assert isinstance(made, old)
        assert isinstance(made, new)
        encrypted = made.encrypt(DATA, CONTEXT)
        parts = encrypted if isinstance(encrypted, tuple) else (encrypted,)
        assert new(KEY).decrypt(*parts, CONTEXT) == DATA


@pytest.mark.parametrize("name", OLD_NAMES)
def test_a_text_key_under_an_old_name_warns_where_it_is_used(name):
    """Both warnings are of the caller's line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(scell, name)("text")
    caught = ours_of(caught)
    assert [warning.category for warning in caught] == [DeprecationWarning, UserWarning]
    assert [warning.filename for warning in caught] == [__file__] * 2
    assert len({warning.lineno for warning in caught}) == 1


@pytest.mark.usefixtures("_switching")
def test_an_old_name_is_one_class_for_all_threads():
    """Threads that ask for it at once get the same."""
    for _ in range(30):
        vars(scell).pop("scell_seal", None)
        assert len(set(together(lambda _: scell.scell_seal))) == 1


def test_new_names_do_not_warn():
    """Importing everything and using the new names is silent."""
    with warnings.catch_warnings():
        as_errors()
        for name in pythemis.__all__:
            importlib.import_module(f"pythemis.{name}")
        for make in MAKERS.values():
            make()


def test_an_unknown_name_is_an_attribute_error():
    """Fences for old names let nothing else through."""
    for module in (scell, exception, pythemis):
        name = module.__name__
        with pytest.raises(AttributeError, match=f"'{name}' has no attribute 'no_such'"):
            _ = module.no_such
    with pytest.raises(ImportError):
        from pythemis.scell import no_such  # noqa: F401


# ---- Errors ----


def test_themis_exception_still_catches():
    """The old name of ThemisError warns, and catches what it always caught."""
    with pytest.warns(DeprecationWarning, match="themis_exception is deprecated") as caught:
        old = exception.themis_exception
    assert places_of(caught) == [__file__]
    assert old is ThemisError


def test_the_status_codes_are_those_of_the_core():
    """Every code that Python knows is C's under the same name, but for the one of Python alone."""
    members = dict(THEMIS_CODES.__members__)
    assert members.pop("NETWORK_ERROR") == 2222
    assert members.pop("SEND_AS_IS") is THEMIS_CODES.SEND_OUTPUT_TO_PEER
    for name, member in members.items():
        assert member == getattr(lib, f"THEMIS_{name}")


@pytest.mark.parametrize("module", pythemis.__all__)
def test_every_module_has_the_status_codes(module):
    """Programs for 0.15 take THEMIS_CODES from the module that they use."""
    assert importlib.import_module(f"pythemis.{module}").THEMIS_CODES is THEMIS_CODES


def test_every_documented_status_is_a_member():
    """Names and values are those of every Themis."""
    assert {name: int(member) for name, member in THEMIS_CODES.__members__.items()} == {
        "SUCCESS": 0,
        "SEND_OUTPUT_TO_PEER": 1,
        "SEND_AS_IS": 1,
        "FAIL": 11,
        "INVALID_PARAMETER": 12,
        "NO_MEMORY": 13,
        "BUFFER_TOO_SMALL": 14,
        "DATA_CORRUPT": 15,
        "INVALID_SIGNATURE": 16,
        "NOT_SUPPORTED": 17,
        "ENGINE_FAIL": 18,
        "SSESSION_KA_NOT_FINISHED": 19,
        "SSESSION_TRANSPORT_ERROR": 20,
        "SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR": 21,
        "NETWORK_ERROR": 2222,
    }


def test_an_error_is_made_of_code_and_message():
    """ThemisError(error_code, message, *args), by position and by name."""
    error = ThemisError(11, "text", "more", 5)
    assert error.error_code is THEMIS_CODES.FAIL
    assert error.args == ("text", "more", 5)
    assert str(ThemisError(error_code=THEMIS_CODES.FAIL, message="text")) == "text"
    with pytest.raises(TypeError):
        ThemisError(11)


def test_a_number_of_ones_own_is_a_code_without_a_constant():
    """`error_code` always is a THEMIS_CODES, and nothing is added to those that have names."""
    code = ThemisError(4711, "text").error_code
    assert (code, code.name, type(code)) == (4711, "UNNAMED_4711", THEMIS_CODES)
    assert 4711 not in list(THEMIS_CODES)
    with pytest.raises(ValueError, match="'11' is not a valid THEMIS_CODES"):
        THEMIS_CODES("11")


@pytest.mark.parametrize("wrong", [("text", "11"), (None, "text"), ("text", None)])
def test_an_error_without_a_number_is_refused(wrong):
    """Neither argument is a number, so neither can be its code."""
    with pytest.raises(TypeError, match="an error takes a number of THEMIS_CODES and a message"):
        SecureCellError(*wrong)


ERRORS = pytest.mark.parametrize(
    ("kind", "bases"),
    [
        (ThemisError, [Exception]),
        (ThemisTypeError, [ThemisError, TypeError]),
        (ThemisValueError, [ThemisError, ValueError]),
        (SecureCellError, [ThemisError]),
        (SecureCellTypeError, [SecureCellError, TypeError]),
        (SecureCellValueError, [SecureCellError, ValueError]),
    ],
)


@ERRORS
@pytest.mark.parametrize("code", [11, 2222, 4711])
def test_an_error_of_old_programs_is_the_same(kind, bases, code):
    """0.15 had the message first, and programs for it read `message`."""
    for error in (kind(code, "text", 5), kind("text", code, 5)):
        assert (error.error_code, error.message, error.args) == (code, "text", ("text", 5))
        assert all(isinstance(error, base) for base in bases)
    assert str(kind("text", code)) == str(kind(code, "text")) == "text"


class OwnError(SecureCellError, KeyError):
    """An error of a program for 0.15, with the arguments of then and a text of its own."""

    def __init__(self, message, error_code, *args):
        super().__init__(message, error_code, *args)
        self.message = f"own: {message}"


@pytest.mark.parametrize("kind", [ThemisError, ThemisTypeError, SecureCellValueError, OwnError])
@pytest.mark.parametrize("code", [11, 2222, 4711])
def test_errors_survive_pickling_and_copying(kind, code):
    """Class, code, texts and what else was attached are the same on the other side."""
    error = kind("text", code, 5)
    error.attached = ["mine"]
    ways = [lambda e, p=p: pickle.loads(pickle.dumps(e, p)) for p in range(6)]
    for way in (*ways, copy.copy, copy.deepcopy):
        again = way(error)
        assert type(again) is kind
        assert again.error_code == code
        assert type(again.error_code) is type(error.error_code)
        assert (again.args, again.message) == (("text", 5), error.message)
        assert again.attached == ["mine"]


def test_an_error_crosses_a_process_boundary():
    """What a decryption raised is the same error in the parent of a worker process."""
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawning()) as pool:
        future = pool.submit(SCellSealPassphrase, "")
        error = future.exception()
    assert type(error) is SecureCellValueError
    assert error.error_code is THEMIS_CODES.INVALID_PARAMETER
    assert str(error) == "the passphrase is empty"


def spawning():
    """Start worker processes from nothing; forking is another test's business."""
    return importlib.import_module("multiprocessing").get_context("spawn")


# ---- The package ----


PUBLIC_MODULES = [
    f"pythemis.{path.stem}" for path in Path(pythemis.__file__).parent.glob("[a-z]*.py")
]


def test_star_import_gives_the_modules():
    """`from pythemis import *` binds every documented module under its name."""
    namespace = {}
    exec("from pythemis import *", namespace)
    for name in pythemis.__all__:
        assert namespace[name] is importlib.import_module(f"pythemis.{name}")
    assert {"exception", "scell", "skeygen"} <= set(pythemis.__all__)
    assert namespace["scell"].SCellSeal is SCellSeal


def test_everything_public_is_listed_once_and_there():
    """__all__ is free of repetition (ruff sorts it), and every name in it exists."""
    for module in (pythemis, *map(importlib.import_module, PUBLIC_MODULES)):
        assert len(module.__all__) == len(set(module.__all__))
        assert all(hasattr(module, name) for name in module.__all__)


def test_the_package_alone_loads_nothing():
    """`import pythemis` is nearly free; a module comes with its first use."""
    ask = (
        "import sys, pythemis; assert 'pythemis._themis' not in sys.modules\n"
        "pythemis.scell.SCellSeal; assert 'pythemis._themis' in sys.modules\n"
        "assert {'scell', '__version__'} <= set(dir(pythemis))\n"
        "print(pythemis.__version__)"
    )
    said = subprocess.check_output([sys.executable, "-c", ask], text=True)
    assert said.strip() == pythemis.__version__
    assert pythemis.__version__[0].isdigit()
