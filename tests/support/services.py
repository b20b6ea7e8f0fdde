# SPDX-License-Identifier: Apache-2.0
"""Key services in memory: what the libraries of pythemis.kms do, without the libraries.

Their exceptions have the names of the real ones, and hold what they were given, as those do.
"""

import functools
import hmac
import operator
import sys
import types
from base64 import b64decode, b64encode
from enum import Enum
from types import SimpleNamespace

from pythemis.exception import THEMIS_CODES
from pythemis.kms import ServiceError
from pythemis.kms.aws import AwsKms
from pythemis.kms.pkcs11 import Token
from pythemis.kms.vault import Transit
from support.cells import refused

NAME = "payroll-2026"
D = bytes(range(100, 132))
PLAIN = D + bytes(range(200, 232))
CONTEXT = b"TSFILE1\nservice" + D
OTHER_CONTEXT = b"TSFILE1\nservice" + bytes(32)
ARN = "arn:aws:kms:eu-central-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
ADDRESS = "https://vault.example.com:8200"
SECRET = "s.tokenOrPinThatNoOneMaySee"
KEY = bytes(range(32))


@functools.cache
def error(name, *bases):
    """Give the class of an exception, by the name that a library has for it."""
    return type(name, bases or (Exception,), {})


def flipped(body):
    """Give a body with another last letter or byte, which is still of the form of a body."""
    if body.startswith(b"vault:"):
        data = bytearray(b64decode(body.rpartition(b":")[2]))
        data[-1] ^= 1
        return body[: body.rindex(b":") + 1] + b64encode(data)
    return body[:-1] + bytes([body[-1] ^ 1])


class Box:
    """Authenticated encryption of at most 64 bytes, to test with."""

    def __init__(self, key=KEY):
        self._key = key

    def seal(self, iv, plain, context):
        """Give ciphertext and tag."""
        encrypted = bytes(map(operator.xor, plain, self._stream(iv)))
        return encrypted + self._tag(iv, encrypted, context)

    def open(self, iv, sealed, context):
        """Give what was encrypted; None if it is not authentic."""
        encrypted, tag = sealed[:-16], sealed[-16:]
        if tag != self._tag(iv, encrypted, context):
            return None
        return bytes(map(operator.xor, encrypted, self._stream(iv)))

    def _stream(self, iv):
        return hmac.digest(self._key, b"stream" + iv, "sha512")

    def _tag(self, iv, encrypted, context):
        return hmac.digest(self._key, b"tag" + iv + encrypted + context, "sha256")[:16]


class Fake:
    """What the three have in common: a log of requests, and failures to order."""

    def __init__(self):
        self.requests = []
        self.fails = []  # exceptions, one for each request that is to fail
        self.answer = None  # in place of the right one

    def note(self, verb, **request):
        """Log a request, and fail if that was ordered."""
        self.requests.append((verb, request))
        if self.fails:
            raise self.fails.pop(0)


class Aws(Fake):
    """A client of boto3 for KMS."""

    meta = SimpleNamespace(region_name="eu-central-1")

    def __init__(self):
        super().__init__()
        self.box = Box()

    def encrypt(self, **request):
        self.note("encrypt", **request)
        context = repr(request["EncryptionContext"]).encode()
        body = self.box.seal(b"", request["Plaintext"], context)
        return self._answer(request, "CiphertextBlob", body)

    def decrypt(self, **request):
        self.note("decrypt", **request)
        context = repr(request["EncryptionContext"]).encode()
        plain = self.box.open(b"", request["CiphertextBlob"], context)
        if plain is None:
            raise client_error("InvalidCiphertextException")
        return self._answer(request, "Plaintext", plain)

    def _answer(self, request, member, data):
        algorithm = {"EncryptionAlgorithm": request["EncryptionAlgorithm"]}
        right = {"KeyId": request["KeyId"], member: data, **algorithm}
        return right if self.answer is None else self.answer(right)


def client_error(code):
    """Give an exception of botocore."""
    made = error("ClientError")(f"An error occurred ({code}): {SECRET}")
    made.response = {"Error": {"Code": code, "Message": SECRET}}
    return made


class Vault(Fake):
    """An hvac.Client with a transit engine."""

    def __init__(self, **options):
        super().__init__()
        self.options = options
        self.token = options.get("token")
        self.session = SimpleNamespace(trust_env=True)
        self.key = {"type": "aes256-gcm96", "derived": False}
        self.box = Box()
        self.secrets = SimpleNamespace(transit=self)

    def read_key(self, name, mount_point):
        self.note("read", name=name, mount_point=mount_point)
        return {"data": self.key}

    def encrypt_data(self, name, **request):
        self.note("encrypt", name=name, **request)
        context = b64decode(request["associated_data"])
        sealed = self.box.seal(b"", b64decode(request["plaintext"]), context)
        return self._answer("ciphertext", f"vault:v1:{b64encode(sealed).decode()}")

    def decrypt_data(self, name, **request):
        self.note("decrypt", name=name, **request)
        version, _, sealed = request["ciphertext"].removeprefix("vault:").partition(":")
        assert version == "v1"
        plain = self.box.open(b"", b64decode(sealed), b64decode(request["associated_data"]))
        if plain is None:
            raise error("InvalidRequest")(SECRET)
        return self._answer("plaintext", b64encode(plain).decode())

    def _answer(self, member, text):
        right = {"data": {member: text}}
        return right if self.answer is None else self.answer(right)


class Hsm(Fake):
    """The module pkcs11 with one token, its session and its key at once."""

    def __init__(self):
        super().__init__()
        self.box = Box()
        self.size = 32
        self.draws_iv = False
        self.logins = []
        self.Mechanism = Enum("Mechanism", {"AES_GCM": 1})
        self.ObjectClass = Enum("ObjectClass", {"SECRET_KEY": 1})
        self.KeyType = Enum("KeyType", {"AES": 1})
        self.Attribute = Enum("Attribute", {"VALUE_LEN": 1})
        self.PKCS11Error = error("PKCS11Error", RuntimeError)

    def error(self, name):
        """Give an exception of python-pkcs11."""
        return error(name, self.PKCS11Error)(SECRET)

    def GCMParams(self, nonce, aad, tag_bits):  # noqa: N802 -- the library's name
        return SimpleNamespace(nonce=nonce, aad=aad, tag_bits=tag_bits)

    def lib(self, path):
        self.note("lib", path=path)
        return self

    def get_token(self, token_label):
        self.note("get_token", token_label=token_label)
        return self

    def open(self, user_pin=None):
        self.logins.append(user_pin)
        self.note("open")
        return self

    def get_key(self, **search):
        self.note("get_key", **search)
        return self

    def __getitem__(self, attribute):
        assert attribute is self.Attribute.VALUE_LEN
        return self.size

    def close(self):
        self.note("close")

    def initialize(self):
        self.note("initialize")

    def finalize(self):
        self.note("finalize")

    def encrypt(self, plain, *, mechanism, mechanism_param):
        self.note("encrypt", mechanism=mechanism, param=mechanism_param)
        if self.draws_iv:
            import ctypes  # the real one writes into the memory of the bytes as well

            address = id(mechanism_param.nonce) + bytes.__basicsize__ - 1
            ctypes.memmove(address, b"drawn by HSM", 12)
        sealed = self.box.seal(mechanism_param.nonce, plain, mechanism_param.aad)
        return sealed if self.answer is None else self.answer(sealed)

    def decrypt(self, sealed, *, mechanism, mechanism_param):
        self.note("decrypt", mechanism=mechanism, param=mechanism_param)
        plain = self.box.open(mechanism_param.nonce, sealed, mechanism_param.aad)
        if plain is None:
            raise self.error("GeneralError")
        return plain if self.answer is None else self.answer(plain)


def failed(says, code=THEMIS_CODES.FAIL):
    """Demand the error of a service."""
    return refused(code, f"the key service '{NAME}' failed: {says}", kind=ServiceError)


def aws(_, **options):
    """Give a fake client of AWS KMS, and the service that uses it."""
    fake = Aws()
    return fake, AwsKms(NAME, ARN, client=fake, **options)


def vault(monkeypatch, **options):
    """Give a fake client of Vault, and the service that makes it."""
    fake = Vault()
    module = types.ModuleType("hvac")
    module.Client = lambda **given: (fake.options.update(given), fake)[1]
    monkeypatch.setitem(sys.modules, "hvac", module)
    return fake, Transit(NAME, "ring", **{"url": ADDRESS, "token": SECRET, **options})


def hsm(monkeypatch, **options):
    """Give a fake HSM, and the service that uses it."""
    fake = Hsm()
    monkeypatch.setitem(sys.modules, "pkcs11", fake)
    given = {"library": "/hsm.so", "token": "prod", "pin": SECRET, "key_label": "ring", **options}
    return fake, Token(NAME, **given)
