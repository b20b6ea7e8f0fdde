# SPDX-License-Identifier: Apache-2.0
"""Secure Session where the cryptographic library beneath it fails."""

import json

import pytest

from support.failing_calls import said_where_calls_fail, swaps_libraries

pytestmark = swaps_libraries

SCRIPT = """\
import ctypes
import json
import sys

from concurrent.futures import ThreadPoolExecutor

from support.sessions import assert_works, established
from pythemis.ssession import SecureSessionError

shim = ctypes.CDLL(sys.argv[1])
answers = []
for writes in (True, False):
    for name in sys.argv[2:]:
        number = 0
        while True:
            number += 1
            client, server = established()
            message = b"m" * 1000  # a shorter one is encrypted in one piece
            wrapped = client.wrap(message)
            shim.fail_call(name.encode(), number)
            try:
                # A new thread has no random bytes left over from before.
                with ThreadPoolExecutor(1) as pool:
                    call = (client.wrap, message) if writes else (server.unwrap, wrapped)
                    pool.submit(*call).result()
                said = [0, ""]
            except SecureSessionError as error:
                said = [int(error.error_code), str(error)]
            if shim.calls_left() > 0:  # there was no such call
                shim.fail_call(b"", 0)
                break
            session = client if writes else server
            answer = {"writes": writes, "name": name, "said": said, "state": session.state.name}
            answers.append(answer)
            if session.is_established():
                assert_works(client, server)
                continue
            assert session.remote_id is None
            for use in (session.wrap, session.unwrap):
                try:
                    use(wrapped)
                except SecureSessionError as error:
                    answer.setdefault("later", []).append([int(error.error_code), str(error)])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Fail each call to the library while a message is written or read: what came of it."""
    names = ["EVP_RAND_generate", "EVP_CipherInit_ex2", "EVP_CipherUpdate", "EVP_CipherFinal_ex"]
    names.append("EVP_CIPHER_CTX_ctrl")
    said = said_where_calls_fail(tmp_path_factory.mktemp("failing"), SCRIPT, *names)
    return json.loads(said)


def of(answers, name, *, writes):
    """Give what failures of one call led to."""
    return [answer for answer in answers if (answer["name"], answer["writes"]) == (name, writes)]


def test_a_session_survives_a_generator_that_fails(answers):
    """Without random bytes nothing is written; the next message goes out as ever."""
    [answer] = of(answers, "EVP_RAND_generate", writes=True)
    assert answer["said"] == [18, "the cryptographic library failed"]
    assert answer["state"] == "ESTABLISHED"
    assert of(answers, "EVP_RAND_generate", writes=False) == []


@pytest.mark.parametrize("writes", [True, False])
def test_a_session_ends_when_its_cipher_fails(answers, writes):
    """A cipher that failed in the middle of a message is not used again: the session is dead."""
    failure = (18, "the cryptographic library failed")
    for name, calls in (
        ("EVP_CipherInit_ex2", 1),
        ("EVP_CipherUpdate", 2),
        ("EVP_CIPHER_CTX_ctrl", 1),
    ):
        found = of(answers, name, writes=writes)
        # The generator of random bytes is a cipher, too; where that failed, ours is sound.
        inside_generator, ours = found[:-calls], found[-calls:]
        assert [answer["state"] for answer in ours] == ["FAILED"] * calls
        assert {answer["state"] for answer in inside_generator} <= {"ESTABLISHED"}
        assert writes or not inside_generator
        assert {tuple(answer["said"]) for answer in found} == {failure}
        says = "the session failed and its keys are wiped; make a new one"
        assert [answer["later"] for answer in ours] == [[[18, says]] * 2] * calls


def test_a_tag_that_cannot_be_judged_is_a_wrong_tag(answers):
    """OpenSSL does not tell a failure from a wrong tag: the message is refused, no more."""
    [answer] = of(answers, "EVP_CipherFinal_ex", writes=False)
    assert answer["said"][0] == 11
    assert answer["state"] == "ESTABLISHED"
    [answer] = of(answers, "EVP_CipherFinal_ex", writes=True)
    assert answer["state"] == "FAILED"
