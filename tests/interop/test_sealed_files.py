# SPDX-License-Identifier: Apache-2.0
"""The JavaScript reader of sealed files that the docs show, on the recorded files."""

import hashlib
import io
import json
import os
import subprocess

import pytest

from pythemis import files
from pythemis.skeygen import KEY_PAIR_TYPE, GenerateKeyPair
from support.cells import VECTORS
from support.interop.peer import HERE, ensure_peer
from support.project import ROOT

pytestmark = pytest.mark.integration

READER = ROOT / "examples" / "unseal.js"
RECORDED = json.loads((VECTORS / "sealed_file.json").read_text("utf-8"))
NAMES = {  # what the reader can be given, and as what
    "passphrase": "passphrase",
    "private": "privateKey",
    "public": "publicKey",
    "max_iterations": "maxIterations",
}
DRIVER = """
const { unseal } = require(process.argv[1]);
const { createHash, createHmac, randomBytes } = require('crypto');
const { KeyPair, PublicKey, SecureCellSeal, SecureMessage } = require('wasm-themis');
const bytes = (hex) => Buffer.from(hex, 'hex');
const sha256 = (data) => createHash('sha256').update(data).digest();
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest();
const label = (text, ...parts) => Buffer.concat([Buffer.from('TSFILE1' + text), ...parts]);
function number(value, size) {
    return bytes(value.toString(16).padStart(2 * size, '0'));
}
function read({ file, secrets, context }) {
    const given = { maxIterations: secrets.maxIterations, keyId: secrets.keyId };
    for (const name of ['key', 'privateKey', 'publicKey']) {
        if (secrets[name]) given[name] = bytes(secrets[name]);
    }
    if ('passphrase' in secrets) given.passphrase = bytes(secrets.passphrase).toString();
    const data = unseal(new Uint8Array(bytes(file)), given, bytes(context));
    return { length: data.length, sha256: sha256(data).toString('hex') };
}
// A writer: one slot for a key, one for a public key, and chunks of 4096 bytes.
function write({ data, key, publicKey, context }) {
    const fileKey = randomBytes(32), digest = sha256(bytes(context)), size = 4096;
    const derived = hmac(bytes(key), Buffer.from('\\0\\0\\0\\x01TSFILE1 key slot\\0'), digest);
    const forKey = SecureCellSeal.withKey(derived).encrypt(fileKey, label('\\nkey', digest));
    const own = new KeyPair(), to = bytes(publicKey);
    const message = new SecureMessage(new KeyPair(own.privateKey, new PublicKey(to)));
    const forReader = Buffer.concat([own.publicKey, message.encrypt(fileKey)]);
    const slots = Buffer.concat([
        Buffer.from([1, 0, 0, 76]), forKey, Buffer.from([3, 8, 0, 129]), sha256(to).subarray(0, 8),
        forReader]);
    const head = label('\\n', Buffer.from([12, 2]), number(slots.length, 4), slots);
    const plain = bytes(data), rest = (plain.length + 8) % size;
    const zeros = Buffer.alloc(rest > 0 && rest < 8 ? 8 - rest : 0);
    const whole = Buffer.concat([plain, zeros, number(plain.length, 8)]);
    const chunks = [];
    for (let at = 0; at < whole.length; at += size) {
        const isLast = Buffer.from([at + size >= whole.length]);
        const place = label('\\n', Buffer.from([12]), number(at / size, 8), isLast);
        chunks.push(SecureCellSeal.withKey(fileKey).encrypt(whole.subarray(at, at + size), place));
    }
    const mac = hmac(fileKey, label('\\nheader', digest, sha256(head)));
    return { file: Buffer.concat([head, mac, ...chunks]).toString('hex') };
}
function answer(asked) {
    try {
        return 'data' in asked ? write(asked) : read(asked);
    } catch (error) {
        return { error: `${error.name}: ${error.message}` };
    }
}
require('wasm-themis').initialized.then(() => {
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
        console.log(JSON.stringify(answer(JSON.parse(line))));
    });
});
"""
KEY, CONTEXT = bytes(range(32)), b"a context"
CHUNK = 4096
LENGTHS = (0, 1, *range(CHUNK - 9, CHUNK + 2), 2 * CHUNK - 8, 2 * CHUNK, 3 * CHUNK + 17)


def ask(cases):
    """Give what the reader makes of each case."""
    done = subprocess.run(
        ["node", "--no-experimental-fetch", "-e", DRIVER, READER],
        env={**os.environ, "NODE_PATH": os.fspath(HERE / "node_modules")},
        input="".join(f"{json.dumps(case)}\n" for case in cases),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def bytes_of(case, known):
    """Give the bytes of a recorded file."""
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    return b"".join(
        bytes(piece)
        if isinstance(piece, int)
        else bytes.fromhex(piece)
        if isinstance(piece, str)
        else known[piece[0]][piece[1] : piece[2]]
        for piece in case["pieces"]
    )


def recorded_files():
    """Give the bytes of every recorded file, by its id."""
    known = {}
    for case in RECORDED["cases"] + RECORDED["refused"]:
        known[case["id"]] = bytes_of(case, known)
    return known


def requests(case, file):
    """Give what to ask the reader, which takes one key at a time; none if it has no such way in."""
    unlock = dict(case["unlock"])
    keys = [{"keyId": name, "key": key} for name, key in unlock.pop("keys", [])]
    if not unlock.keys() <= NAMES.keys():
        return []
    secrets = {NAMES[name]: value for name, value in unlock.items()}
    asked = {"file": file.hex(), "context": case["context"]}
    return [{**asked, "secrets": {**secrets, **key}} for key in keys or [{}]]


def answers(kind):
    """Give the recorded cases of a kind that can be asked, each with what the reader answers."""
    ensure_peer()
    files = recorded_files()
    asked = [
        (case, request)
        for case in RECORDED[kind]
        for request in requests(case, files[case["id"]])
        if case["reader"] == "file"
    ]
    given = ask([request for _, request in asked])
    return [(case, answer) for (case, _), answer in zip(asked, given, strict=True)]


def test_it_reads_what_is_recorded():
    """Each recorded file is read that opens with a key, a passphrase or a private key."""
    read = {case["id"]: case for case in RECORDED["cases"] if case["opened_by"] in {1, 2, 3}}
    answered = [(case["id"], answer) for case, answer in answers("cases") if "error" not in answer]

    assert answered == [
        (name, {key: read[name][key] for key in ("length", "sha256")})
        for name in read
        if read[name]["reader"] == "file" and "max_log2" not in read[name]["unlock"]
    ]


def test_it_refuses_what_is_recorded():
    """Each recorded file that must be refused is, however it is asked for."""
    answered = answers("refused")
    assert len(answered) > 200
    assert [case["id"] for case, answer in answered if "error" not in answer] == []


def test_it_refuses_every_bit_and_cut():
    """A file with a bit changed is refused, and so is one that is cut or longer."""
    ensure_peer()
    [case] = [case for case in RECORDED["cases"] if case["id"] == "length-1"]
    file = bytes.fromhex(case["hex"])
    changed = [
        file[:at] + bytes([file[at] ^ 1 << bit]) + file[at + 1 :]
        for at in range(len(file))
        for bit in range(8)
    ]
    changed += [file[:length] for length in range(len(file))] + [file + b"\0", file + bytes(52)]
    [*answered, whole] = ask(
        request for other in [*changed, file] for request in requests(case, other)
    )
    assert whole == {"length": 1, "sha256": case["sha256"]}
    assert [answer for answer in answered if "error" not in answer] == []


def cost_of_refusing(file):
    """Give the seconds of the processor that Node takes from its start to its end."""
    before = os.times()
    [answer] = ask([{"file": file.hex(), "secrets": {}, "context": ""}])
    assert "error" in answer
    return sum(os.times()[2:4]) - sum(before[2:4])  # of children


def test_slots_without_end_cost_nothing():
    """As many slots as fit, all in order, are refused at once: the head says how many there are."""
    ensure_peer()
    slots = b"".join(bytes([kind, 1, 0, 0, name]) for kind in range(6, 256) for name in range(200))
    head = b"TSFILE1\n" + bytes([12, 255]) + len(slots).to_bytes(4, "big") + slots
    assert cost_of_refusing(head + bytes(84)) < 5 * cost_of_refusing(bytes(100))


def content(length):
    """Give bytes of which none is zero."""
    return bytes(1 + at % 255 for at in range(length))


def sealed(length, options):
    """Write a file in Python; give the bytes."""
    made = io.BytesIO()
    with files.open(made, "wb", context=CONTEXT, chunk_size=CHUNK, **options) as file:
        file.write(content(length))
    return made.getvalue()


def test_it_reads_what_python_writes():
    """Files of each kind of slot that it knows, at the ends of chunks, padded and not, are read."""
    ensure_peer()
    pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    public, private = pair.export_public_key(), pair.export_private_key()
    key = {"key": KEY.hex()}
    person = {"privateKey": private.hex(), "publicKey": public.hex()}
    written = [(length, {"key": KEY}, key) for length in LENGTHS]
    written += [(length, {"key": KEY, "pad": "padme"}, key) for length in LENGTHS]
    several = {"key": KEY, "passphrase": "correct horse", "to": public}
    written += [
        (CHUNK, {"to": public}, person),
        (CHUNK, {"to": [public, public], "hidden": True}, person),
        (CHUNK, several, key),
        (CHUNK, several, person),
        (CHUNK, several, {"passphrase": b"correct horse".hex()}),
    ]
    answered = ask(
        {"file": sealed(length, options).hex(), "secrets": secrets, "context": CONTEXT.hex()}
        for length, options, secrets in written
    )
    assert answered == [
        {"length": length, "sha256": hashlib.sha256(content(length)).hexdigest()}
        for length, _, _ in written
    ]


def test_python_reads_what_javascript_writes():
    """A writer of thirty lines makes files that open with a key and with a private key."""
    ensure_peer()
    pair = GenerateKeyPair(KEY_PAIR_TYPE.EC)
    asked = {
        "key": KEY.hex(),
        "publicKey": pair.export_public_key().hex(),
        "context": CONTEXT.hex(),
    }
    answered = ask({**asked, "data": content(length).hex()} for length in LENGTHS)
    for length, answer in zip(LENGTHS, answered, strict=True):
        file = io.BytesIO(bytes.fromhex(answer["file"]))
        for secret, kind in (
            ({"key": KEY}, "key"),
            ({"private_key": pair.export_private_key()}, "recipient"),
        ):
            file.seek(0)
            with files.open(file, context=CONTEXT, **secret) as opened:
                opened.verify()
                assert (opened.read(), opened.opened_by) == (content(length), kind)


def test_the_page_shows_the_whole_reader():
    """The page leaves out the head only, and the reader has at most 60 lines, brackets apart."""
    head, reader = READER.read_text("utf-8").split("'use strict';\n\n")
    lines = [line.split("//")[0].strip() for line in reader.splitlines()]
    code = [line for line in lines if line.strip("});") and "require(" not in line]
    assert 40 < len(code) <= 60
    assert all(line.startswith("//") or not line for line in head.splitlines())
    first = len(head.splitlines()) + 3
    shown = f"{{literalinclude}} ../examples/unseal.js\n:language: javascript\n:lines: {first}-\n"
    assert shown in (ROOT / "docs" / "other-languages.md").read_text("utf-8")
