# SPDX-License-Identifier: Apache-2.0
"""What every key service does: AWS KMS, Vault and OpenBao, PKCS#11, each with a fake client."""

import copy
import os
import pickle
import subprocess
import sys
import threading
import traceback
from types import SimpleNamespace

import pytest

from pythemis.exception import THEMIS_CODES, ThemisError, ThemisTypeError, ThemisValueError
from pythemis.kms import ServiceError
from pythemis.kms.aws import AwsKms
from pythemis.kms.pkcs11 import Token
from pythemis.kms.vault import Transit
from support import services
from support.cells import refused
from support.services import (
    ADDRESS,
    ARN,
    CONTEXT,
    NAME,
    OTHER_CONTEXT,
    PLAIN,
    SECRET,
    client_error,
    error,
    failed,
    flipped,
)

pytestmark = pytest.mark.no_c
FAIL, NETWORK = THEMIS_CODES.FAIL, THEMIS_CODES.NETWORK_ERROR
INVALID = THEMIS_CODES.INVALID_PARAMETER
MAKERS = {"aws": services.aws, "vault": services.vault, "hsm": services.hsm}
LIBRARIES = {"aws": "boto3", "vault": "hvac", "hsm": "pkcs11"}


@pytest.fixture(params=MAKERS)
def kind(request):
    """Give the name of each service in turn."""
    return request.param


@pytest.fixture
def pair(kind, monkeypatch):
    """Give each fake client in turn, and the service that uses it."""
    return MAKERS[kind](monkeypatch)


def test_what_was_wrapped_is_unwrapped(pair):
    """A service gives back the 64 bytes, under its name, and shows no secret."""
    fake, service = pair
    body = service.wrap(PLAIN, CONTEXT)
    assert service.unwrap(body, CONTEXT) == PLAIN
    assert (type(body), service.name) == (bytes, NAME)
    assert repr(service) == f"<{type(service).__module__}.{type(service).__name__} {NAME!r}>"
    assert [verb for verb, _ in fake.requests if verb in ("encrypt", "decrypt")] == [
        "encrypt",
        "decrypt",
    ]


def test_another_context_or_body_is_a_refusal(pair):
    """None says that a body does not open: the search for a slot goes on."""
    fake, service = pair
    body = service.wrap(PLAIN, CONTEXT)
    assert service.unwrap(body, OTHER_CONTEXT) is None
    assert service.unwrap(flipped(body), CONTEXT) is None
    fake.box = services.Box(bytes(32))
    assert service.unwrap(body, CONTEXT) is None


WRONG_FORMS = {
    "aws": [b"", bytes(6145)],
    "vault": [
        *(b"", b"vault:v1:", b"vault:v0:AAAA", b"vault:v01:AAAA", b"vault:v1234567890:AAAA"),
        *(b"vault:v1:AAA", b"vault:v1:AAB=", b"vault:v1:AA=A", b"vault:v1:AAAA\n", b"x:v1:AAAA"),
        *(b"vault:v1:AA_A", b"vault:v1:====", b"Vault:v1:AAAA", b"vault:v1:AAAA:", b"\xff" * 9),
        *(b"vault:1:AAAA", b'vault:v1:AAAA","x":"', b"vault:v\xd9\xa1:AAAA"),
    ],
    "hsm": [b"", bytes(91), bytes(93)],
}


def test_nothing_of_another_form_is_sent(kind, pair):
    """A body that the service cannot have written is refused before any request."""
    fake, service = pair
    for body in WRONG_FORMS[kind]:
        assert service.unwrap(body, CONTEXT) is None
    assert fake.requests == []


@pytest.mark.parametrize("verb", ["wrap", "unwrap"])
def test_other_arguments_are_mistakes(pair, verb):
    """Text, other lengths and foreign contexts are argument errors, and nothing is sent."""
    fake, service = pair
    call = getattr(service, verb)
    for given, says in ((PLAIN.hex(), "must be bytes, not str"), (bytearray(64), "not bytearray")):
        with refused(INVALID, says, kind=ThemisTypeError):
            call(given, CONTEXT)
    with refused(INVALID, "the context must be bytes, not str", kind=ThemisTypeError):
        call(PLAIN, CONTEXT.decode("latin-1"))
    for context in (b"", CONTEXT[:-1], CONTEXT + b"\0", bytes(47)):
        with refused(INVALID, "context of a key service has 47 bytes", kind=ThemisValueError):
            call(PLAIN, context)
    if verb == "wrap":
        for plain in (b"", PLAIN[:-1], PLAIN + b"\0"):
            with refused(INVALID, "what is wrapped has 64 bytes, not", kind=ThemisValueError):
                call(plain, CONTEXT)
    assert fake.requests == []


def make(kind, name):
    """Make a service of this name."""
    return {
        "aws": lambda: AwsKms(name, ARN),
        "vault": lambda: Transit(name, "ring", url=ADDRESS, token=SECRET),
        "hsm": lambda: Token(name, library="/hsm.so", token="prod", key_label="ring"),
    }[kind]()


def test_names_are_checked(kind):
    """A name that no slot can hold is refused at once."""
    for name in ("", "a" * 256, "pay roll", "löhne", "a\n", "a\x7f"):
        with refused(INVALID, "has 1 to 255 printable ASCII", kind=ThemisValueError):
            make(kind, name)
    for name in (b"payroll", None, 1):
        with refused(INVALID, "must be str, not", kind=ThemisTypeError):
            make(kind, name)
    for name in ("!", "~" * 255):
        assert make(kind, name).name == name


def test_a_missing_library_is_named(kind, monkeypatch):
    """Without the library there is one sentence, and it names the extra."""
    for module in [name for name in sys.modules if name.split(".")[0] == LIBRARIES[kind]]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, LIBRARIES[kind], None)
    service = make(kind, NAME)
    for call in (lambda: service.wrap(PLAIN, CONTEXT), lambda: service.unwrap(bytes(92), CONTEXT)):
        if kind == "vault":
            call = lambda: service.unwrap(b"vault:v1:AAAA", CONTEXT)  # noqa: E731
        extra = {"hsm": "pkcs11"}.get(kind, kind)
        with failed(f"{type(service).__name__} needs", THEMIS_CODES.NOT_SUPPORTED) as caught:
            call()
        assert f"with its extra [{extra}]" in str(caught.value)


def test_no_library_is_loaded_by_an_import():
    """The room and its three modules load none of the libraries."""
    program = (
        "import sys, pythemis.kms.aws, pythemis.kms.vault, pythemis.kms.pkcs11 as p; "
        "assert not {'boto3', 'botocore', 'hvac', 'pkcs11'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def causes(kind, fake):
    """Give the exceptions of a client, with what users are told, and whether it is tried again."""
    if kind == "aws":
        return [
            (client_error("AccessDeniedException"), "permission denied: see the", FAIL),
            (client_error("DisabledException"), "the key is disabled (DisabledException)", FAIL),
            (client_error("NotFoundException"), "there is no such key", FAIL),
            (client_error("ThrottlingException"), "too many requests", FAIL),
            (client_error("KMSInvalidStateException"), "the key is pending deletion", FAIL),
            (client_error("SomethingNew"), "AWS refused (SomethingNew)", FAIL),
            (client_error(f"x\n{SECRET}"), "AWS refused (an unknown error)", FAIL),
            (error("ReadTimeoutError", error("HTTPClientError"))(), "no answer from AWS", NETWORK),
            (error("NoCredentialsError")(SECRET), "the client raised NoCredentialsError", FAIL),
        ]
    if kind == "vault":
        return [
            (error("Forbidden")(SECRET), "permission denied (status 403)", FAIL),
            (error("InvalidPath")(SECRET), "no such key or mount (status 404)", FAIL),
            (error("Unauthorized")(SECRET), "the token is not accepted", FAIL),
            (TypeError(SECRET), "the client raised TypeError", FAIL),
        ]
    return [
        (fake.error("DeviceError"), "the library raised DeviceError", FAIL),
        (fake.error("MechanismInvalid"), "the token has no AES-GCM", FAIL),
        (fake.error("KeyTypeInconsistent"), "the key is not for AES-GCM", FAIL),
        (TypeError(SECRET), "the library raised TypeError", FAIL),
    ]


def values_in(trace):
    """Give what a report with the locals of the room's frames would show."""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename != __file__:
            yield from trace.tb_frame.f_locals.values()
        trace = trace.tb_next


@pytest.mark.parametrize("verb", ["wrap", "unwrap"])
def test_failures_of_a_service_are_told_without_secrets(kind, pair, verb):
    """One clear sentence, tried once, with no secret in it, its causes and its frames."""
    fake, service = pair
    body = service.wrap(PLAIN, CONTEXT)
    given = PLAIN if verb == "wrap" else body
    for cause, says, code in causes(kind, fake):
        fake.requests.clear()
        fake.fails = [cause]
        with failed(says, code) as caught:
            getattr(service, verb)(given, CONTEXT)
        assert len(fake.requests) == 1
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert PLAIN not in values_in(caught.tb)
        shown = "".join(traceback.TracebackException.from_exception(caught.value).format())
        assert SECRET not in shown + repr(list(values_in(caught.tb)))
        assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
    assert service.unwrap(body, CONTEXT) == PLAIN


def test_a_refusal_to_encrypt_is_a_failure(kind, pair):
    """None is for bodies that do not open; what does not encrypt raises."""
    fake, service = pair
    service.wrap(PLAIN, CONTEXT)
    fake.fails = [
        {
            "aws": client_error("InvalidCiphertextException"),
            "vault": error("InvalidRequest")(SECRET),
            "hsm": error("GeneralError", error("PKCS11Error", RuntimeError))(SECRET),
        }[kind]
    ]
    with failed("it refused"):
        service.wrap(PLAIN, CONTEXT)


def always(answer):
    """Give an answer in place of the right one."""
    return lambda _: answer


NONSENSE = {
    "aws": [
        (always(None), "no "),
        (always({}), "no "),
        (lambda right: right | {"Plaintext": "text", "CiphertextBlob": "text"}, "no "),
        (lambda right: right | {"KeyId": ARN[:-1] + "0"}, "the ARN of another key"),
        (lambda right: right | {"KeyId": None}, "the ARN of another key"),
        (lambda right: right | {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "another algorithm"),
        (lambda right: right | {"Plaintext": b"", "CiphertextBlob": b""}, "0 bytes"),
        (lambda right: right | {"Plaintext": bytes(65536), "CiphertextBlob": bytes(65536)}, "65"),
    ],
    "vault": [
        (always(None), "no data"),
        (always([]), "no data"),
        (always({"data": None}), "no data"),
        (always({"data": {}}), "no "),
        (always({"data": {"plaintext": 1, "ciphertext": b"vault:v1:AAAA"}}), "no "),
        (always({"data": {"plaintext": "-", "ciphertext": "vault:v1:-"}}), "a "),
        (always({"data": {"plaintext": "é", "ciphertext": "vault:v1:é"}}), "a "),
        (always(SimpleNamespace(status_code=307)), "status 307 and no data; redirects are"),
        (always(SimpleNamespace(status_code=204)), "status 204 and no data"),
    ],
    "hsm": [(always(None), "")],
}


@pytest.mark.parametrize("verb", ["wrap", "unwrap"])
def test_nonsense_is_a_failure(kind, pair, verb):
    """An answer of another form, or for another key, is never taken for one."""
    fake, service = pair
    given = PLAIN if verb == "wrap" else service.wrap(PLAIN, CONTEXT)
    for answer, says in NONSENSE[kind]:
        fake.answer = answer
        with failed(f"it answered with {says}"):
            getattr(service, verb)(given, CONTEXT)


def test_a_client_is_not_shared_with_a_child(kind, pair, monkeypatch):
    """A client that was passed stops at a fork, a function that makes one is called again."""
    made = []

    def make():
        made.append(os.getpid())
        return pair[0]

    options = {
        "aws": lambda client: AwsKms(NAME, ARN, client=client),
        "vault": lambda client: Transit(NAME, "ring", client=client),
        "hsm": lambda client: Token(NAME, session=client, key_label="ring"),
    }[kind]
    passed, function = options(pair[0]), options(make)
    body = passed.wrap(PLAIN, CONTEXT)
    assert [function.unwrap(body, CONTEXT), function.unwrap(body, CONTEXT)] == [PLAIN, PLAIN]
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert function.unwrap(body, CONTEXT) == PLAIN
    assert made == [parent, parent + 1]
    with failed("this ") as caught:
        passed.unwrap(body, CONTEXT)
    assert "was made before a fork" in str(caught.value)


def test_a_function_that_fails_to_make_a_client(kind):
    """Its exception is the failure of the service, and the next call tries again."""
    if kind == "hsm":
        pytest.importorskip("pkcs11")
    fails = [ValueError(SECRET)]

    def make():
        raise fails[0]

    service = {
        "aws": lambda: AwsKms(NAME, ARN, client=make),
        "vault": lambda: Transit(NAME, "ring", client=make),
        "hsm": lambda: Token(NAME, session=make, key_label="ring"),
    }[kind]()
    with failed("") as caught:
        service.wrap(PLAIN, CONTEXT)
    if kind != "hsm":
        assert str(caught.value).endswith("making the client raised ValueError")


def test_threads_get_their_own_answers(pair):
    """Four threads wrap and unwrap at once."""
    _, service = pair
    barrier, wrong = threading.Barrier(4), []

    def work(number):
        context = CONTEXT[:-1] + bytes([number])
        barrier.wait()
        for _ in range(50):
            if service.unwrap(service.wrap(PLAIN, context), context) != PLAIN:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_object_is_made_once(kind, pair):
    """A second __init__ is refused, and copies are the object itself."""
    service = pair[1]
    assert copy.copy(service) is copy.deepcopy(service) is service
    with refused(INVALID, "is made already", kind=ThemisValueError):
        service.__init__(NAME, *{"aws": [ARN], "vault": ["ring"]}.get(kind, []))


def secret():
    """Give a token or a PIN, as a function that can be pickled."""
    return SECRET


def test_what_holds_no_secret_can_be_pickled(kind, pair, monkeypatch):
    """Another process makes the same service; a token, a PIN or a client stays here."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match=r"with this \w+ cannot be pickled: pass a function"):
            pickle.dumps(pair[1], protocol)
    given = {"aws": {}, "vault": {"token": secret}, "hsm": {"pin": secret}}[kind]
    if kind == "aws":
        service = AwsKms(NAME, ARN, timeouts=(1, 2))
    else:
        _, service = MAKERS[kind](monkeypatch, **given)
    carried = pickle.dumps(service)
    assert SECRET.encode() not in carried
    there = pickle.loads(carried)
    assert (type(there), there.name) == (type(service), NAME)
    if kind != "aws":
        assert there.unwrap(service.wrap(PLAIN, CONTEXT), CONTEXT) == PLAIN


def test_the_error_is_one_of_themis():
    """Programs that catch ThemisError catch the failures of services."""
    assert issubclass(ServiceError, ThemisError)
