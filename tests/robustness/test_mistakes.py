# SPDX-License-Identifier: Apache-2.0
"""What people do wrong when they are new here, and the words that help them."""

import asyncio
import importlib
import inspect
import pydoc
import re
import rlcompleter
import shutil
import socket
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import pythemis
from pythemis.asession import open_session, start_session_server
from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.scell import (
    SCellSeal,
    SCellSealPassphrase,
    SecureCellTypeError,
    SecureCellValueError,
)
from pythemis.scomparator import SComparator, SecureComparatorValueError
from pythemis.skeygen import (
    KEY_PAIR_TYPE,
    GenerateKeyPair,
    GenerateSymmetricKey,
    from_der,
    from_pem,
    key_kind,
    public_from_private,
    to_der,
    to_pem,
)
from pythemis.smessage import (
    SecureMessageValueError,
    SecureSigner,
    SecureVerifier,
    SMessage,
    ssign,
    sverify,
)
from pythemis.ssession import (
    SecureSessionError,
    SecureSessionTypeError,
    SecureSessionValueError,
    SimpleMemoryTransport,
    SSession,
)
from pythemis.stransport import SocketTransport
from support.cells import refused
from support.sessions import Answering

ALICE, BOB = GenerateKeyPair(KEY_PAIR_TYPE.EC), GenerateKeyPair(KEY_PAIR_TYPE.EC)
PRIVATE, PUBLIC = ALICE.export_private_key(), ALICE.export_public_key()
INVALID = THEMIS_CODES.INVALID_PARAMETER
OF_PASSPHRASES = ["normalize", "iterations", "min_iterations", "max_iterations"]
UNKNOWN = THEMIS_CODES.SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR
OPENSSH = (
    b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----"
)
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FROM_CERTIFICATE = (
    "a certificate: verify it, then take the public key out of it with "
    "`openssl x509 -pubkey -noout`"
)


@cache
def rsa():
    """Give the halves of an RSA pair."""
    pair = GenerateKeyPair(KEY_PAIR_TYPE.RSA)
    return pair.export_private_key(), pair.export_public_key()


# ---- Keys in other forms ----


def others():
    """Give what people take for a Themis key, and what they are told it is."""
    for key in (PRIVATE, PUBLIC, *rsa()):
        half = "a private" if key[:1] == b"R" else "a public"
        yield b64encode(key), f"{half} Themis key in base64: decode it with base64.b64decode"
        yield to_pem(key), "PEM: skeygen.from_pem reads it"
        yield to_der(key), "DER: skeygen.from_der reads it"
    yield to_pem(PRIVATE, "passphrase"), "PEM: skeygen.from_pem reads it"
    yield OPENSSH, "an OpenSSH private key: skeygen.from_openssh reads it"
    yield CERTIFICATE, FROM_CERTIFICATE
    # A symmetric key is random, and could begin as something else does.
    yield bytes(32), "as long as a symmetric key: one of a pair belongs here"


USES = {
    "key_kind": lambda key: key_kind(key),
    "public_from_private": lambda key: public_from_private(key),
    "to_pem": lambda key: to_pem(key),
    "ssign": lambda key: ssign(key, b"message"),
    "sverify": lambda key: sverify(key, b"message"),
    "SecureSigner": lambda key: SecureSigner(key),
    "SecureVerifier": lambda key: SecureVerifier(key),
    "SMessage, private": lambda key: SMessage(key, PUBLIC),
    "SMessage, public": lambda key: SMessage(PRIVATE, key),
    "SSession": lambda key: SSession(b"alice", key, None),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_in_another_form_is_recognised(use):
    """Whatever takes a key says what it was given instead, as bytes and as any other buffer."""
    for wrong, words in others():
        for given in (wrong, bytearray(wrong), memoryview(wrong)):
            with pytest.raises(ThemisError, match="is not a Themis key; it is") as caught:
                use(given)
            assert isinstance(caught.value, ValueError)
            assert str(caught.value).endswith(f"; it is {words}")


@pytest.mark.parametrize("nothing", [b"", b"R", b"nonsense", bytes(31), b"-----", b"\0" * 200])
def test_of_anything_else_nothing_is_guessed(nothing):
    """Where the beginning does not tell, the sentence ends."""
    with pytest.raises(ThemisValueError, match=r"is not a Themis key, or it is cut$"):
        key_kind(nothing)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_pair_is_not_one_of_its_keys(use):
    """Who hands over the object is told which bytes belong there."""
    with pytest.raises(TypeError, match=r"must be bytes: what export_private_key\(\) or") as caught:
        use(ALICE)
    assert (isinstance(caught.value, ThemisError), caught.value.error_code) == (True, INVALID)


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_key_as_text_is_not_to_be_encoded(use):
    """Nobody is told to encode the text of a key: that would not give the key."""
    with pytest.raises(TypeError, match=r"not str; it is a private Themis key in base64"):
        use(b64encode(PRIVATE).decode())


PKCS12 = bytes.fromhex("30820a00 020103 308209c6 06092a864886f70d010701")  # how such files begin


@pytest.mark.parametrize(
    ("read", "given", "words"),
    [
        (from_pem, to_der(PRIVATE), "DER: skeygen.from_der reads it"),
        (from_pem, PRIVATE, "a private Themis key: it is used as it is"),
        (from_pem, b64encode(PUBLIC), "a public Themis key in base64: decode it with base64."),
        (from_pem, CERTIFICATE, FROM_CERTIFICATE),
        (from_pem, CERTIFICATE.decode(), FROM_CERTIFICATE),
        (from_pem, OPENSSH, "an OpenSSH private key: skeygen.from_openssh reads it"),
        (from_pem, to_pem(PRIVATE)[:-30], ""),
        (from_pem, "alice.pem", "the name of a file: give what is in the file"),
        (from_der, to_pem(PRIVATE), "PEM: skeygen.from_pem reads it"),
        (from_der, PUBLIC, "a public Themis key: it is used as it is"),
        (from_der, to_der(PRIVATE)[:-3], ""),
        (from_der, b"", ""),
        (from_der, PKCS12, "PKCS#12: `openssl pkcs12 -nodes` converts it for skeygen.from_pem"),
    ],
)
def test_a_key_in_the_other_form_is_sent_to_its_reader(read, given, words):
    """from_pem and from_der say what they were given, if it is something else that they know."""
    with pytest.raises(ThemisValueError) as caught:
        read(given)
    problem, _, hint = str(caught.value).partition("; it is ")
    assert problem.startswith(("there is no key in this PEM text", "this is not a key"))
    assert hint.startswith(words)
    assert bool(hint) is bool(words)


def test_the_der_data_as_text():
    """DER has no text, so base64 it must be."""
    words = "the DER data must be bytes, not str; it is DER in base64: decode it with base64.b64d"
    with refused(INVALID, words, kind=ThemisTypeError):
        from_der(b64encode(to_der(PRIVATE)).decode())


# ---- Cells ----


def test_a_passphrase_in_the_place_of_a_key_is_noticed_by_its_options():
    """Who says how a key is to be encoded means a passphrase, which would not be stretched."""
    for name, value in {
        "encoding": "utf-8",
        "normalize": "NFC",
        "iterations": 314_110,
        "min_iterations": 200_000,
        "max_iterations": 5_000_000,
    }.items():
        says = f"{name} is for SCellSeal(passphrase=...), not a key"
        for key in ("hunter2", b"hunter2"):
            with refused(INVALID, says, kind=SecureCellValueError):
                SCellSeal(key, **{name: value})


def test_text_as_a_key_is_told_about_passphrases():
    """The warning about old programs' text names what a new program wants."""
    with pytest.warns(UserWarning, match=r"SCellSeal\(passphrase=text\) for what people remember"):
        SCellSeal("correct horse")


def test_base64_is_not_to_be_encoded():
    """Who hands over text to decrypt is told to decode it, which is what helps."""
    cell = SCellSeal(GenerateSymmetricKey())
    with refused(INVALID, "in base64: decode it with base64.b64decode", kind=SecureCellTypeError):
        cell.decrypt(b64encode(cell.encrypt(b"message")).decode())
    with refused(INVALID, "encode text first: 'text'.encode()", kind=SecureCellTypeError):
        cell.encrypt("message")


# ---- Sessions ----


def take_request(transport):
    """Let bob, who asks this transport for keys, take a connect request of alice."""
    request = SSession(b"alice", PRIVATE, None).connect_request()
    SSession(b"bob", BOB.export_private_key(), transport).unwrap(request)


def test_a_wrong_key_of_a_peer_is_recognised():
    """What get_pub_key_by_id gave is named, if it can be told."""
    said = "get_pub_key_by_id returned something that is not the public EC key of the peer's id"
    damaged = PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1])
    for key, words in (
        (PRIVATE, "; it is a private key"),
        (rsa()[1], "; it is an RSA key"),
        (to_pem(PUBLIC), "; it is PEM: skeygen.from_pem reads it"),
        (
            b64encode(PUBLIC),
            "; it is a public Themis key in base64: decode it with base64.b64decode",
        ),
        (b"nonsense", ""),
        (damaged, ""),
    ):
        with pytest.raises(SecureSessionError) as caught:
            take_request(Answering(key))
        assert (str(caught.value), caught.value.error_code) == (said + words, UNKNOWN)


def look_through(keys):
    """Give a dict of peers to whatever takes one."""
    ours, theirs = socket.socketpair()
    options = {"user_id": b"alice", "sign_key": PRIVATE, "keys": keys}
    with ours, theirs:
        for take in (
            SimpleMemoryTransport,
            lambda _: SimpleMemoryTransport(keys.items()),
            lambda _: SocketTransport(ours, keys),
            lambda _: asyncio.run(open_session("localhost", 9, **options)),
            lambda _: asyncio.run(start_session_server(print, "localhost", 0, **options)),
        ):
            with pytest.raises(SecureSessionError) as caught:
                take(keys)
            yield caught.value


@pytest.mark.parametrize(
    ("peers", "words"),
    [
        ({"alice": PUBLIC}, "'alice': the user id must be bytes, not str; encode text first"),
        ({7: PUBLIC}, "7: the user id must be bytes or a contiguous"),
        ({b"al": "UEC2"}, "b'al': the public key must be bytes, not str; base64.b64decode"),
        ({b"al": ALICE}, "b'al': the public key must be bytes: what export_private_key() or"),
    ],
)
def test_peers_of_a_wrong_type_are_refused_at_once(peers, words):
    """Text is never equal to the bytes that are asked for: nobody would be found."""
    for error in look_through({b"bob": PUBLIC} | peers):
        assert str(error).startswith(f"the peer {words}")
        assert (type(error), error.error_code) == (SecureSessionTypeError, INVALID)


@pytest.mark.parametrize(
    ("peer_id", "key", "code", "words"),
    [
        (b"", PUBLIC, "INVALID_PARAMETER", "the user id is empty"),
        (b"al", b"", "INVALID_PARAMETER", "the public key is not a Themis key, or it is cut"),
        (b"al", PRIVATE, "INVALID_PARAMETER", "the public key must be a public key, and this is a"),
        (b"al", b64encode(PUBLIC), "INVALID_PARAMETER", "key in base64: decode it with"),
        (b"al", bytearray(PUBLIC)[:-1], "INVALID_PARAMETER", "key, or it is truncated: the header"),
        (
            b"al",
            PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]),
            "DATA_CORRUPT",
            "is corrupted: its checksum",
        ),
        (b"al", lambda: rsa()[1], "NOT_SUPPORTED", "and the public key is an RSA key; skeygen."),
        (b"al", lambda: rsa()[0], "INVALID_PARAMETER", "and this is a private one"),
    ],
)
def test_peers_with_a_wrong_key_are_refused_at_once(peer_id, key, code, words):
    """Not when the first of them comes, and in words that say whose key it is."""
    key = key() if callable(key) else key
    for error in look_through({b"bob": PUBLIC, peer_id: key}):
        assert str(error).startswith(f"the peer {peer_id!r}: ")
        assert words in str(error)
        assert (type(error), error.error_code.name) == (SecureSessionValueError, code)


def test_what_is_no_dict_is_asked_when_a_peer_comes():
    """Nobody reads a whole database for each connection."""

    class Database(Mapping):
        def __getitem__(self, peer_id):
            return {b"bob": PUBLIC}[peer_id]

        def __iter__(self):
            raise AssertionError

        __len__ = __iter__

    for keys in (Database(), Database().get, {b"bob": PUBLIC, "alice": "text"}.get):
        ours, theirs = socket.socketpair()
        with SocketTransport(ours, keys) as transport, theirs:
            assert transport.get_pub_key_by_id(b"bob") == PUBLIC
            assert transport.get_pub_key_by_id(b"alice") is None


def test_keys_in_any_buffer_will_do():
    """A dict may hold what a callback may return."""
    keys = {b"alice": memoryview(PUBLIC), memoryview(b"bob"): bytearray(PUBLIC), b"carol": None}
    take_request(SimpleMemoryTransport(keys))


def test_a_peer_without_a_key_is_unknown():
    """None in the mapping is what a database says of somebody who has no key yet."""
    with refused(UNKNOWN, "get_pub_key_by_id knows no public key", kind=SecureSessionError):
        take_request(SimpleMemoryTransport({b"alice": None}))


def test_the_longest_message_is_a_number():
    """What is no number is no fault of the transport."""
    session = SSession(b"alice", PRIVATE, SimpleMemoryTransport({}))
    with refused(INVALID, "max_length must be an int", kind=SecureSessionTypeError):
        session.receive("1000")


@pytest.mark.parametrize("keys", [None, PUBLIC, SimpleMemoryTransport({b"bob": PUBLIC})])
def test_what_keys_cannot_be_found_in_is_refused_at_once(keys):
    """Neither a connection nor a server begins with what is no mapping and no function."""
    ours, theirs = socket.socketpair()
    identity = {"user_id": b"alice", "sign_key": PRIVATE, "keys": keys}
    words = f"keys must be a mapping .*, not {type(keys).__name__}$"
    with ours, theirs, pytest.raises(TypeError, match=words):
        SocketTransport(ours, keys)
    with pytest.raises(TypeError, match=words):
        asyncio.run(open_session("localhost", 9, **identity))
    with pytest.raises(TypeError, match=words):
        asyncio.run(start_session_server(print, "localhost", 0, **identity))


def begin(**options):
    """Begin a connection and a server, each with these options."""
    options = {"user_id": b"alice", "sign_key": PRIVATE, "keys": {}} | options
    yield lambda: asyncio.run(open_session("localhost", 9, **options))
    yield lambda: asyncio.run(start_session_server(print, "localhost", 0, **options))


@pytest.mark.parametrize("max_size", [0, -1, 1 << 32])
def test_a_limit_that_no_frame_passes_is_refused_at_once(max_size):
    """Neither a connection nor a server begins with it."""
    for call in begin(max_size=max_size):
        with pytest.raises(ValueError, match="max_size must be 1 to 4294967295"):
            call()


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), 2_000_001])
def test_a_time_that_nobody_waits_is_refused_at_once(timeout):
    """Neither a connection nor a server begins with it."""
    for call in begin(timeout=timeout):
        with pytest.raises(ValueError, match="timeout must be a number of seconds up to 2000000"):
            call()


@pytest.mark.parametrize("options", [{"max_size": "1000"}, {"timeout": "3"}], ids=str)
def test_limits_that_are_no_numbers_are_refused_at_once(options):
    """By name, and not where they are compared."""
    for call in begin(**options):
        with pytest.raises(TypeError, match=rf"{next(iter(options))} must be an? .*, not str"):
            call()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("bob", "the remote id must be bytes, not str; encode text first: 'text'.encode()"),
        (7, "the remote id must be bytes or a contiguous bytes-like object, not int"),
    ],
)
def test_a_server_that_could_never_do_is_refused_at_once(wrong, words):
    """Text is never equal to the bytes that a server proves."""
    connect, _ = begin(remote_id=wrong)
    with refused(INVALID, words, kind=SecureSessionTypeError):
        connect()


@pytest.mark.parametrize("handler", [None, "echo", b"bob"])
def test_a_handler_that_cannot_be_called_is_refused_at_once(handler):
    """Not when the first client has come."""
    options = {"user_id": b"bob", "sign_key": PRIVATE, "keys": {}}
    words = f"the handler must be a coroutine function, not {type(handler).__name__}"
    with pytest.raises(TypeError, match=words):
        asyncio.run(start_session_server(handler, "localhost", 0, **options))


# ---- Classes of one's own ----


FORGOTTEN = [
    (SSession, SecureSessionValueError, "connect_request connect receive", "wrap unwrap send"),
    (SMessage, SecureMessageValueError, "", "wrap unwrap"),
    (
        SComparator,
        SecureComparatorValueError,
        "begin_compare is_compared is_equal result",
        "append_secret proceed_compare",
    ),
]


@pytest.mark.parametrize(("base", "error", "bare", "with_bytes"), FORGOTTEN)
def test_an_object_whose_init_was_forgotten_is_closed(base, error, bare, with_bytes):
    """A subclass that forgets super().__init__() is told so in the words for closed objects."""

    class Forgetful(base):
        def __init__(self):
            pass

    calls = [(name, []) for name in bare.split()]
    calls += [(name, [b"message"]) for name in with_bytes.split()]
    for name, arguments in calls:
        with refused(INVALID, "this Forgetful is closed", kind=error):
            getattr(Forgetful(), name)(*arguments)
    assert repr(Forgetful()).endswith("Forgetful (closed)>")
    with Forgetful() as entered:
        entered.close()


# ---- The package itself ----


LISTED = {
    name: module
    for module in pythemis.__all__
    for name in importlib.import_module(f"pythemis.{module}").__all__
}


def test_the_package_shows_its_modules_what_they_list_and_nothing_else():
    """What the tab key offers is there, each once, also the modules of the transports."""
    completer = rlcompleter.Completer({"pythemis": pythemis})
    offered = []
    while (found := completer.complete("pythemis.", len(offered))) is not None:
        offered.append(found.removeprefix("pythemis.").rstrip("()"))
    modules = [*pythemis.__all__, "asession", "keyring", "place", "stransport"]
    assert sorted(offered) == sorted([*modules, *LISTED, "Report", "inspect"])
    assert len(dir(pythemis)) == len(set(dir(pythemis)))
    assert {"__version__", "__doc__", "__all__"} < set(dir(pythemis))


def test_the_package_has_what_its_modules_list():
    """A new name in the `__all__` of a documented module belongs into `pythemis._NAMES`."""
    for name, module in LISTED.items():
        assert getattr(pythemis, name) is getattr(
            importlib.import_module(f"pythemis.{module}"), name
        )


def test_what_is_not_used_is_not_loaded():
    """A class loads its module when it is first used; `import *` brings what it always brought."""
    code = (
        "import sys\n"
        "import pythemis\n"
        "loaded = lambda: {it for it in sys.modules if it.startswith('pythemis.')}\n"
        "assert loaded() == set(), loaded()\n"
        "dir(pythemis), hasattr(pythemis, 'nothing')\n"
        "assert loaded() == set(), loaded()\n"
        "from pythemis import SCellSeal, KEY_PAIR_TYPE\n"
        "assert SCellSeal(b'k').decrypt(SCellSeal(b'k').encrypt(b'm')) == b'm'\n"
        "assert 'pythemis.ssession' not in loaded(), loaded()\n"
        "pythemis.stransport.frame(b'm'); pythemis.asession.open_session\n"
        "names = {}; exec('from pythemis import *', names)\n"
        "assert sorted(set(names) - {'__builtins__'}) == pythemis.__all__\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_help_describes_the_modules():
    """`help(pythemis)` says what is in each of them."""
    described = dict(re.findall(r"^ *(\w+) +(.+)$", pydoc.plain(pydoc.render_doc(pythemis)), re.M))
    for module in (*pythemis.__all__, "asession", "stransport"):
        assert len(described[module].split()) > 2


@pytest.mark.parametrize("options", [[], ["-OO"], ["-X", "dev"], ["-bb"], ["-OO", "-X", "dev"]])
def test_strict_interpreters_hear_nothing(options):
    """Under `-W error` every module loads and shows itself, with and without docstrings."""
    code = (
        "import importlib, pkgutil, pydoc, pythemis\n"
        "for module in pkgutil.walk_packages(pythemis.__path__, 'pythemis.'):\n"
        "    if module.name.startswith('pythemis.fields.django'):\n"
        "        continue  # Django's classes show themselves in a project only\n"
        "    try:\n"
        "        found = importlib.import_module(module.name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        if error.name.startswith('pythemis'):\n"
        "            raise\n"
        "        continue  # a library that an extra brings\n"
        "    pydoc.render_doc(found)\n"
        "assert 'scell' in pydoc.render_doc(pythemis)\n"
        "[getattr(pythemis, name) for name in dir(pythemis)]\n"
        "print(pythemis.SCellSealPassphrase('p').__class__.__name__)\n"
    )
    command = [sys.executable, "-I", "-W", "error", *options, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", "SCellSealPassphrase\n")


@pytest.mark.parametrize(
    ("made", "arguments"),
    [
        (SCellSeal, ["key", "passphrase", "encoding", "compat_096", *OF_PASSPHRASES]),
        (SCellSealPassphrase, ["passphrase", "encoding", "key", *OF_PASSPHRASES]),
        (SMessage, ["private_key", "peer_public_key"]),
        (
            SSession,
            ["user_id", "sign_key", "transport", "reject_duplicates", "allow_own_identity"],
        ),
        (SComparator, ["shared_secret"]),
    ],
)
def test_help_shows_how_an_object_is_made(made, arguments):
    """The signature that help() and editors show has the arguments that people write."""
    assert list(inspect.signature(made).parameters) == arguments


# The finder of an editable installation helps out where there is no compiled module.
NOT_EDITABLE = (
    "import sys; sys.meta_path[:] = [it for it in sys.meta_path if 'Editable' not in repr(it)]"
)
RUN = (  # as `python -m pythemis` does
    "import runpy; sys.argv = ['pythemis']; runpy.run_module('pythemis', run_name='__main__')"
)


def packed(folder):
    """Put the package as it is installed, compiled modules included, into a zip archive."""
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        package = Path(pythemis.__file__).parent
        for path in package.rglob("*"):
            if "__pycache__" not in path.parts:
                archive.write(path, f"pythemis/{path.relative_to(package)}")
    return folder / "app.zip"


@pytest.mark.parametrize(
    "program",
    ["import pythemis.scell", "from pythemis import SCellSeal", RUN],
)
def test_an_archive_in_the_way_is_told(tmp_path, program):
    """From a zip archive Python loads no compiled module, and the error says so."""
    archive = packed(tmp_path)
    code = f"{NOT_EDITABLE}; sys.path.insert(0, {str(archive)!r}); {program}"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    [said] = [line for line in (ran.stdout + ran.stderr).splitlines() if str(archive) in line][-1:]
    assert f"{archive} is an archive, and Python loads no compiled module from one" in said
    assert "pip install --target FOLDER" in said


@pytest.mark.parametrize("built", ["never", "half"])
def test_sources_in_the_way_are_told(tmp_path, built):
    """Who starts Python in the folder of the sources is told what is there, and what to do."""
    package = Path(pythemis.__file__).parent
    compiled = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
    shutil.copytree(package, tmp_path / "pythemis", ignore=compiled)
    if built == "never":
        (tmp_path / "build_ffi.py").touch()
    code = f"{NOT_EDITABLE}; {RUN}"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    problem = ran.stdout.splitlines()[-1]
    assert str(tmp_path / "pythemis") in problem
    if built == "never":
        assert "Start Python in another folder; or build pythemis here" in problem
    else:
        assert problem.endswith("install pythemis again")
