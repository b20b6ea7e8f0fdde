# SPDX-License-Identifier: Apache-2.0
"""`pythemis.inspect` says what bytes are, without a key and without a secret."""

import base64
import json
import os
import random
import re
import time
from hashlib import sha256

import pytest

import pythemis
from pythemis import inspect
from pythemis._core.kinds import Kind
from pythemis.exception import ThemisTypeError
from pythemis.scell import SCellSeal
from pythemis.skeygen import to_der, to_jwk, to_pem
from pythemis.ssession import SSession
from support import sealed
from support.keys import cases, container, generated
from support.project import ROOT

MEMBERS = ["schema", "kind", "name", "certain", "layers", "size"]
MEMBERS += ["promised", "facts", "problems", "advice"]
PRIVATE, PUBLIC = generated("EC")
OPENSSH = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKz9uT4FR5vwJYk6CsK1pdzWqPHbM/3hV9GIbdKcEXzy a@b\n"
CELL = SCellSeal(key=b"key").encrypt(b"m" * 356)
STORED = b"TK1\0\1\2\3\4" + CELL


def good(name):
    """Give the intact cases of a file of vectors."""
    read = [case for case in cases(name) if case.get("status", 0) == 0 and "message" in case]
    return [case for case in read if "flip" not in case["id"]]


@pytest.mark.parametrize("case", good("cell_seal"), ids=lambda case: case["id"])
def test_a_cell_of_a_key(case):
    """The kind, the algorithm and the length of the message."""
    report = inspect(case["cell"])
    assert (report.kind, report.size) == ("seal-cell", len(case["cell"]))
    assert report.facts["message_bytes"] == len(case["message"])
    assert report.facts["algorithm"] in ("AES-256-GCM", "AES-192-GCM", "AES-128-GCM")
    assert report.recognised
    assert report.certain


@pytest.mark.parametrize("case", good("cell_passphrase"), ids=lambda case: case["id"])
def test_a_cell_of_a_passphrase(case):
    """Also its iterations, and the length of its salt."""
    report = inspect(case["cell"])
    assert report.kind == "passphrase-cell"
    assert report.facts["message_bytes"] == len(case["message"])
    derivation = case["cell"][-len(case["message"]) - 22 :]  # the KDF context: 22 bytes or more
    if report.facts["salt_bytes"] == 16:
        assert report.facts["iterations"] == int.from_bytes(derivation[:4], "little")


@pytest.mark.parametrize("case", good("cell_token_protect"), ids=lambda case: case["id"])
def test_a_token(case):
    """A token is told from a Seal cell by its length."""
    report = inspect(case["token"])
    if len(case["token"]) == 44:
        assert report.kind == "token"
        assert report.facts["message_bytes"] == len(case["message"])


@pytest.mark.parametrize("case", good("message_signed"), ids=lambda case: case["id"])
def test_a_signed_message(case):
    """Which key it takes, and that the message is readable."""
    report = inspect(case["signed"])
    kind = "rsa-signed" if case["id"].startswith("rsa") else "ec-signed"
    assert (report.kind, report.facts["message_is_readable"]) == (kind, True)
    assert report.facts["message_bytes"] == len(case["message"])
    assert report.problems == ()


@pytest.mark.parametrize("case", good("message_encrypted"), ids=lambda case: case["id"])
def test_an_encrypted_message(case):
    """The cell inside is found behind either header."""
    report = inspect(case["wrapped"])
    kind = "rsa-encrypted" if case["id"].startswith("rsa") else "ec-encrypted"
    assert (report.kind, report.problems) == (kind, ())
    assert report.facts["message_bytes"] == len(case["message"])


@pytest.mark.parametrize("case", cases("key_pairs"), ids=lambda case: case["id"])
def test_a_key(case):
    """Its kind in every form; on P-256 its name, which is one for both halves and all forms."""
    is_ec = case["id"].startswith(("p", "ec"))
    forms = [case["private"], case["public"]]
    forms += [to_pem(case["private"]), to_der(case["public"]), json.dumps(to_jwk(case["private"]))]
    if case["id"].startswith("p"):
        forms += [case["public_uncompressed"], case["private_short"], case["public"][12:]]
    found = [inspect(form).facts for form in forms]
    assert [facts["private"] for facts in found[:5]] == [True, False, True, False, True]
    assert len({facts["key"] for facts in found}) == 1
    assert re.fullmatch("EC P-(256|384|521)" if is_ec else r"RSA \d{4} bits", found[0]["key"])
    if found[0]["key"] == "EC P-256":
        name = sha256(case["public"]).digest()[:8].hex()
        assert {facts["public_name"] for facts in found} == {name}
    else:
        assert not any("public_name" in facts for facts in found)


def test_a_session_is_described():
    """Which step a message of the negotiation is, and the id that its sender claims."""
    [case] = cases("session_transcripts")[:1]
    first = inspect(case["message1"])
    assert first.facts == {"step": "1 or 2 of 4", "sender_id": case["client_id"].decode()}
    assert inspect(case["message3"]).facts == {"step": "3 of 4"}
    assert inspect(case["message4"]).facts == {"step": "4 of 4"}
    assert inspect(case["client_saved_state"]).kind == "saved-session"
    damaged = case["message1"][:-1] + bytes([case["message1"][-1] ^ 1])
    assert inspect(damaged).problems == ("it is corrupted: its checksum does not match",)


def test_a_stored_value_shows_its_key_id():
    """Eight bytes, then a cell."""
    report = inspect(base64.b64encode(STORED))
    assert (report.kind, report.layers) == ("stored-value", ("base64",))
    assert report.facts["key_id"] == "0001020304"
    assert report.facts["message_bytes"] == 356


def test_what_is_in_json_is_named():
    """By the path of its member; hostile JSON costs little, and short texts are nothing."""
    text = base64.b64encode(CELL).decode()
    report = inspect(json.dumps({"a": [1, {"b\n": text}], "pem": "x", "size": 7}))
    assert report.kind == "json"
    assert report.facts == {"members": [{"kind": "seal-cell", "member": r"a[1].b\n"}]}
    for hostile in ('{"a":' * 9000, '{"a": ' + "9" * 60000 + "}", '["' + '","' * 20000 + '"]'):
        assert inspect(hostile).facts == {}


def test_control_characters_reach_no_terminal():
    """What a peer, or a file, chose to be printed is escaped in text and in JSON."""
    name = "al\x1b[31m\u202eice\n".encode() + b"\xff"
    report = inspect(SSession(name, PRIVATE, None).connect_request())
    assert report.facts["sender_id"] == r"al\x1b[31m\u202eice\n\xff"
    assert all(each.isprintable() for each in str(report).splitlines())
    assert report.to_json().isprintable()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (CELL[:-1], "truncated: the header promises 400 bytes, 399 are present"),
        (CELL + b"\n", "1 byte too many at the end: a newline?"),
        (CELL[:4] + b"\x0d" + CELL[5:], "an unusual header: an iv of 13 bytes, a tag of 16 bytes"),
        (PUBLIC[:-1] + bytes([PUBLIC[-1] ^ 1]), "it is corrupted: its checksum does not match"),
        (container(b"UEC2", b"\2" + b"\xff" * 32), "its numbers make no sense"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", ""),
        (OPENSSH, "Ed25519 keys are not supported"),
        (b'{"keys":[{"created":0,"id":"0', "its keys are readable"),
    ],
    ids=range(8),
)
def test_what_is_wrong_is_a_problem(data, problem):
    """Too little, too much, damage, and kinds of keys that nothing here reads."""
    assert any(problem in each for each in inspect(data).problems)


def test_what_is_not_recognised_has_a_report():
    """Random bytes, nothing at all, and what only its size tells."""
    report = inspect(b"random bytes")
    assert (report.kind, report.recognised) == ("unknown", False)
    assert "Context Imprint" in report.advice
    assert inspect(b"").name == "nothing: no bytes at all"
    assert (inspect(bytes(32)).certain, inspect(bytes(32)).problems) == (False, ())
    assert inspect(base64.b64encode(bytes(32)) + b"\n").kind == "symmetric-key"


def test_no_secret_is_in_a_report():
    """Private keys, symmetric keys and readable messages stay out of every form of it."""
    rsa, _ = generated("RSA")
    for secret in (PRIVATE, rsa, bytes(range(100, 132))):
        forms = [secret, base64.b64encode(secret)]
        if len(secret) > 32:
            forms += [to_pem(secret), json.dumps(to_jwk(secret))]
        for form in forms:
            report = inspect(form)
            shown = repr(report) + str(report) + report.to_json()
            for part in (secret[-16:], secret[16:32]):
                assert part.hex() not in shown.lower()
                assert base64.b64encode(part).decode()[2:-4] not in shown
                assert repr(part)[2:-1] not in shown
    signed = cases("message_signed")[3]
    assert repr(signed["message"][:16])[2:-1] not in repr(inspect(signed["signed"]))


def test_json_has_all_members_always():
    """The schema is one, and it is a line."""
    for data in (CELL, b"?", b"", PUBLIC, to_pem(PRIVATE)):
        text = inspect(data).to_json()
        assert "\n" not in text
        assert list(json.loads(text)) == MEMBERS
        assert json.loads(text)["schema"] == 1


def test_a_file_is_read_no_further_than_needed(tmp_path):
    """A path is a file, text is data; size and a newline at the end of a large file are seen."""
    path = tmp_path / "large"
    path.write_bytes(SCellSeal(key=b"key").encrypt(bytes(1 << 20)) + b"\n")
    report = inspect(path)
    assert (report.kind, report.size) == ("seal-cell", (1 << 20) + 45)
    assert report.problems == ("it has 1 byte too many at the end: a newline?",)
    assert report == inspect(path.read_bytes())
    assert inspect(str(path)).kind != "seal-cell"
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "missing")
    with pytest.raises(IsADirectoryError):
        inspect(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="there is no such device")
def test_a_device_without_end_ends(tmp_path):
    """Of what has no size, no more than 64 KiB is read."""
    link = tmp_path / "zero"
    link.symlink_to("/dev/zero")
    assert (inspect(link).kind, inspect(link).size) == ("unknown", None)


@pytest.mark.parametrize("wrong", [7, None, ["x"], object()])
def test_something_else_is_refused(wrong):
    """The error says what is taken."""
    with pytest.raises(ThemisTypeError, match=r"inspect takes bytes, text or a pathlib\.Path, not"):
        inspect(wrong)


SAMPLES = [
    *(CELL, STORED, PRIVATE, PUBLIC, OPENSSH, to_pem(PRIVATE), to_pem(PRIVATE, "x")),
    *(to_der(PUBLIC), json.dumps(to_jwk(PRIVATE)).encode(), base64.b64encode(CELL)),
    *(case["signed"] for case in cases("message_signed")[:2]),
    *(case["wrapped"] for case in cases("message_encrypted")[:8]),
    *(case["cell"] for case in cases("cell_passphrase")[:2]),
    *(case["message1"] for case in cases("session_transcripts")[:1]),
]


def mutated(count):
    """Inspect changed, cut and joined samples; every report must be possible to show."""
    dice = random.Random(18)
    for _ in range(count):
        data = bytearray(dice.choice(SAMPLES))
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(data))
            action = dice.randrange(4)
            if action == 0:
                data[at] = dice.randrange(256)
            elif action == 1:
                data[at : at + 4] = dice.choice((bytes(4), b"\xff" * 4, b"\0\0\0\x0c"))
            elif action == 2:
                del data[at : at + dice.randrange(1, 40)]
            else:
                data[at:at] = dice.choice(SAMPLES)[:64]
            data = data or bytearray(1)
        report = inspect(data)
        assert str(report).replace("\n", "").isprintable()
        assert len(json.loads(report.to_json())) == len(MEMBERS)


def test_changed_input_has_a_report():
    """Whatever happens to its bytes, there is a report and no exception."""
    mutated(1500)


@pytest.mark.evidence
def test_much_changed_input_has_a_report():
    """The same a hundred thousand times."""
    mutated(100_000)


@pytest.mark.timing
@pytest.mark.parametrize("sample", SAMPLES, ids=range(len(SAMPLES)))
def test_long_input_costs_little(sample):
    """A sample with a mebibyte behind it, or repeated, is reported in a fraction of a second."""
    for data in (sample + bytes(1 << 20), sample * ((1 << 16) // len(sample))):
        times = []
        for _ in range(2):
            began = time.process_time()
            inspect(data)
            times.append(time.process_time() - began)
        assert min(times) < 0.5


def test_it_is_a_name_of_the_package_that_loads_late():
    """There is no module of that name."""
    assert pythemis.inspect is inspect
    assert pythemis.inspect.__module__ == "pythemis._inspect"


@pytest.mark.sources
def test_the_documentation_has_every_kind_and_a_true_example():
    """Each kind stands on the page of the reference; what its example prints is what is printed."""
    page = (ROOT / "docs" / "reference" / "inspect.md").read_text("utf-8")
    for kind in Kind:
        assert f"`{kind.name.lower().replace('_', '-')}`" in page
    cell = SCellSeal(passphrase="correct horse").encrypt(b"a message")
    assert f"```text\n{inspect(base64.b64encode(cell))}\n```" in page


# ---- Sealed files ----


@pytest.mark.parametrize("case", sealed.cases("cases"))
def test_a_sealed_file_shows_slots_and_sizes(case, tmp_path):
    """From bytes and from a path alike; the data has at most as many bytes as is said."""
    report = inspect(case["file"])
    (tmp_path / "file").write_bytes(case["file"])
    assert report == inspect(tmp_path / "file")
    assert (report.kind, report.problems) == ("sealed-file", ())
    slots, most = report.facts["slots"], report.facts["data_bytes_at_most"]
    assert 0 <= most - case["length"] <= (1 << 14 if "padded" in case["id"] else 7)
    if "opened_by" in case:
        assert sealed.KINDS[case["opened_by"]] in [slot["kind"] for slot in slots]
    assert str(report).count("\n    - ") == len(slots)
    assert len(json.loads(report.to_json())) == len(MEMBERS)


@pytest.mark.parametrize("case", sealed.cases("refused"))
def test_a_malformed_sealed_file_has_a_problem(case):
    """What everyone can see is wrong is said; what takes a key to see is not known here."""
    report = inspect(case["file"])
    if case["error"] == "malformed":
        assert report.problems or report.kind != "sealed-file"


def test_slots_are_described_without_a_secret():
    """Ids, names and iterations; a hidden recipient and a key without an id are null."""
    shown = inspect(sealed.case_of("several")["file"]).facts["slots"]
    assert shown[1] == {"kind": "key", "key_id": "1a2b3c4d5e"}
    assert shown[2] == {"kind": "passphrase", "iterations": 500}
    assert shown[6] == {"kind": "service", "service_name": "example:key-1"}
    assert shown[8] == {"kind": "unknown", "number": 255, "id": "6964"}
    [hidden] = inspect(sealed.case_of("recipient-hidden")["file"]).facts["slots"]
    assert hidden == {"kind": "recipient", "public_name": None}
    [one] = inspect(sealed.case_of("no-key-id")["file"]).facts["slots"]
    assert one == {"kind": "key", "key_id": None}
    [sender] = inspect(sealed.case_of("sender")["file"]).facts["slots"]
    assert list(sender) == ["kind", "recipient_name", "sender_name"]
