// SPDX-License-Identifier: Apache-2.0
// The real Themis core behind a pipe. A line of JSON comes in, {"method": name, "args": [...]},
// and one goes out, {"result": value} or {"error": {"code": number, "message": text}}.
// An array of calls is answered by an array. Bytes travel as {"hex": text}. Objects stay here;
// their numbers travel. After a trap in WebAssembly nothing here is to be trusted any more: the
// answer is {"trap": text}, the last of its array, and the caller starts another process.
'use strict';

// Emscripten of that time takes any fetch for a browser's.
delete globalThis.fetch;

const readline = require('readline');
const themis = require('wasm-themis');

const objects = new Map();
let last = 0;

function keep(object) {
    objects.set(++last, object);
    return last;
}

function pair(privateKey, publicKey) {
    return new themis.KeyPair(new themis.PrivateKey(privateKey), new themis.PublicKey(publicKey));
}

// The public keys that a session knows: [id, key] for each peer.
function finder(known) {
    return (id) => {
        const [, key] = known.find(([name]) => Buffer.compare(name, id) === 0);
        return new themis.PublicKey(key);
    };
}

const methods = {
    key_pair() {
        const made = new themis.KeyPair();
        return [made.privateKey, made.publicKey];
    },
    symmetric_key: () => new themis.SymmetricKey(),
    sign: (key, message) => new themis.SecureMessageSign(new themis.PrivateKey(key)).sign(message),
    verify: (key, message) =>
        new themis.SecureMessageVerify(new themis.PublicKey(key)).verify(message),
    wrap: (ours, theirs, message) => new themis.SecureMessage(pair(ours, theirs)).encrypt(message),
    unwrap: (ours, theirs, message) =>
        new themis.SecureMessage(pair(ours, theirs)).decrypt(message),
    seal: (key, message, context) => themis.SecureCellSeal.withKey(key).encrypt(message, context),
    unseal: (key, sealed, context) => themis.SecureCellSeal.withKey(key).decrypt(sealed, context),
    passphrase_seal: (passphrase, message, context) =>
        themis.SecureCellSeal.withPassphrase(passphrase).encrypt(message, context),
    passphrase_unseal: (passphrase, sealed, context) =>
        themis.SecureCellSeal.withPassphrase(passphrase).decrypt(sealed, context),
    protect(key, message, context) {
        const made = themis.SecureCellTokenProtect.withKey(key).encrypt(message, context);
        return [made.data, made.token];
    },
    unprotect: (key, encrypted, token, context) =>
        themis.SecureCellTokenProtect.withKey(key).decrypt(encrypted, token, context),
    imprint: (key, message, context) =>
        themis.SecureCellContextImprint.withKey(key).encrypt(message, context),
    imprint_read: (key, message, context) =>
        themis.SecureCellContextImprint.withKey(key).decrypt(message, context),
    comparator_new(secret) {
        const comparator = new themis.SecureComparator();
        comparator.append(secret);
        return keep(comparator);
    },
    comparator_append: (id, secret) => objects.get(id).append(secret),
    comparator_begin: (id) => objects.get(id).begin(),
    comparator_proceed: (id, message) => objects.get(id).proceed(message),
    comparator_complete: (id) => objects.get(id).complete(),
    comparator_equal: (id) => objects.get(id).compareEqual(),
    session_new: (id, key, known) =>
        keep(new themis.SecureSession(id, new themis.PrivateKey(key), finder(known))),
    session_connect: (session) => objects.get(session).connectionRequest(),
    session_reply: (session, message) =>
        objects.get(session).negotiateReply(message) ?? new Uint8Array(),
    session_wrap: (session, message) => objects.get(session).wrap(message),
    session_unwrap: (session, message) => objects.get(session).unwrap(message),
    session_established: (session) => objects.get(session).established(),
    // What a real crash looks like from outside.
    crash() {
        throw new WebAssembly.RuntimeError('as asked');
    },
    free(id) {
        objects.get(id).destroy();
        objects.delete(id);
    },
};

function fromWire(value) {
    if (Array.isArray(value)) {
        return value.map(fromWire);
    }
    const isBytes = value !== null && typeof value === 'object' && 'hex' in value;
    return isBytes ? new Uint8Array(Buffer.from(value.hex, 'hex')) : value;
}

function toWire(value) {
    if (Array.isArray(value)) {
        return value.map(toWire);
    }
    return value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value;
}

function answer({ method, args }) {
    try {
        return { result: toWire(methods[method](...args.map(fromWire))) ?? null };
    } catch (error) {
        if (error instanceof WebAssembly.RuntimeError) {
            return { trap: String(error.message) };
        }
        return { error: { code: error.errorCode ?? null, message: String(error.message) } };
    }
}

function answers(calls) {
    const given = [];
    for (const call of calls) {
        given.push(answer(call));
        if ('trap' in given[given.length - 1]) {
            break;
        }
    }
    return given;
}

themis.initialized.then(() => {
    readline.createInterface({ input: process.stdin }).on('line', (line) => {
        const asked = JSON.parse(line);
        const answered = Array.isArray(asked) ? answers(asked) : answer(asked);
        process.stdout.write(JSON.stringify(answered) + '\n');
    });
});
