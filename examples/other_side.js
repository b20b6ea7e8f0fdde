// SPDX-License-Identifier: Apache-2.0
// The other side of docs/other-languages.md: reads what Python wrote into a folder, and answers.
//
//     npm install wasm-themis
//     node other_side.js FOLDER
//
// The page shows everything below this; tests/interop/test_docs_javascript.py runs it.

'use strict';

// wasm-themis 0.15 takes Node 18 and newer for a browser because they have a fetch.
delete globalThis.fetch;

const fs = require('fs');
const path = require('path');
const themis = require('wasm-themis');

const shared = process.argv[2];
const read = (name) => new Uint8Array(fs.readFileSync(path.join(shared, name)));
const write = (name, bytes) => fs.writeFileSync(path.join(shared, name), bytes);
const bytesOf = (text) => new TextEncoder().encode(text);
const textOf = (bytes) => new TextDecoder().decode(bytes);

async function main() {
    await themis.initialized;

    // Secure Cell: the same key, the same context.
    const cell = themis.SecureCellSeal.withKey(read('symmetric.key'));
    const context = bytesOf('customer 42');
    const record = textOf(cell.decrypt(read('record.cell'), context));
    write('answer.cell', cell.encrypt(bytesOf(`${record}: delivered`), context));

    // Secure Message, signed: throws if it is not Python's.
    const fromPython = new themis.SecureMessageVerify(new themis.PublicKey(read('python.pub')));
    console.log(`an order: ${textOf(fromPython.verify(read('order.signed')))}`);

    // Secure Message, encrypted: our private key, the other side's public one.
    const privateKey = new themis.PrivateKey(read('javascript.key'));
    const publicKey = new themis.PublicKey(read('python.pub'));
    const message = new themis.SecureMessage(new themis.KeyPair(privateKey, publicKey));
    console.log(`a question: ${textOf(message.decrypt(read('question.message')))}`);
    write('answer.message', message.encrypt(bytesOf('yes, it has arrived')));
}

main().catch((error) => {
    console.error(`code ${error.errorCode}: ${error.message}`);
    process.exitCode = 1;
});
